"""Optimizers of Keras with the constants of the frameworks in which papers were written.

Keras adds 1e-7, and RMSprop and Adagrad add it inside the root: sqrt(v + 1e-7), so that gradients
below 3e-4 take steps that are too small. Torch, Theano and TensorFlow 1 add 1e-8 behind it. In a
GAN such gradients are common: those of WGAN's generator begin at 1e-5.
"""

import keras
from keras import ops
from keras.optimizers.schedules import LearningRateSchedule

from keras_gans.checks import check_flag, check_number, check_scheduled
from keras_gans.schedules import writes_schedules


def adam(rate, beta_1=0.9, beta_2=0.999):
    """Adam with epsilon 1e-8.

    Kingma and Ba, 2015 (arXiv:1412.6980), the form of the end of section 2; it is TensorFlow's and
    Chainer's.

    Args:
        rate: learning rate, a number or a schedule.
        beta_1, beta_2: decays of the moments, in [0, 1).

    Returns:
        `keras.optimizers.Adam`.

    Example:

    >>> gan.compile(generator_optimizer=adam(1e-4, beta_1=0.5))
    """
    return keras.optimizers.Adam(rate, beta_1=beta_1, beta_2=beta_2, epsilon=1e-8)


def rmsprop(rate, rho=0.99):
    """RMSprop that divides by the root of the mean square, at least 1e-8.

    Torch and Theano divide by sqrt(v) + 1e-8; Keras can do sqrt(v + 1e-16), which is the same but
    where the gradient is nearly 1e-8.

    Args:
        rate: learning rate, a number or a schedule.
        rho: decay of the mean square, in [0, 1); Torch's 0.99.

    Returns:
        `keras.optimizers.RMSprop`.

    Example:

    >>> gan.compile(critic_optimizer=rmsprop(5e-5))
    """
    return keras.optimizers.RMSprop(rate, rho=rho, epsilon=1e-16)


def adagrad(rate):
    """Adagrad whose sum of squares begins at 0; Keras's begins at 0.1.

    Duchi et al., 2011, Journal of Machine Learning Research 12. The first step is `rate` for each
    weight, whatever the gradient.

    Args:
        rate: learning rate, a number or a schedule.

    Returns:
        `keras.optimizers.Adagrad`.

    Example:

    >>> vae.compile(autoencoder_optimizer=adagrad(0.01))
    """
    return keras.optimizers.Adagrad(rate, initial_accumulator_value=0.0, epsilon=1e-16)


@keras.saving.register_keras_serializable("keras_gans")
class MomentumSGD(keras.optimizers.SGD):
    """Gradient descent whose momentum may change while it trains, as its rate does.

        v(t+1) = mu(t) v(t) - rate(t) g(t),    w(t+1) = w(t) + v(t+1)

    With `dampened`, g has the weight 1 - mu(t), so that v stays a mean of gradients and a larger
    momentum makes no larger steps. That is the default of Torch 7's `optim.sgd`, which only takes
    the first gradient whole.

    Args:
        learning_rate: number or schedule.
        momentum: number in (0, 1], or a schedule of it (`keras_gans.schedules`), which counts this
            optimizer's updates and is saved with it.
        dampened: whether gradients are weighted by 1 - momentum.
        **kwargs: further arguments of `keras.optimizers.SGD`, but for `nesterov`.

    Raises:
        ValueError: an argument breaks these rules.

    Example:

    >>> sgd = MomentumSGD(0.1, momentum=Linear(0.5, 0.7, total_steps=124_500))

    Reference:
        Sutskever et al., 2013, Proceedings of Machine Learning Research 28, section 2; Goodfellow
        et al., 2014 (arXiv:1406.2661), the authors' code, for one that rises.
    """

    def __init__(self, learning_rate, momentum, dampened=False, **kwargs):
        if kwargs.pop("nesterov", False):
            raise ValueError("`nesterov` must be False. Received: True")
        super().__init__(learning_rate, momentum=1.0, **kwargs)
        self.momentum = check_scheduled("momentum", momentum, _check_momentum)
        self.dampened = check_flag("dampened", dampened)

    def update_step(self, gradient, variable, learning_rate):
        momentum = self.momentum
        if isinstance(momentum, LearningRateSchedule):
            momentum = momentum(self.iterations)
        momentum = ops.cast(momentum, variable.dtype)
        step = ops.cast(learning_rate, variable.dtype) * ops.cast(gradient, variable.dtype)
        if self.dampened:
            step = (1.0 - momentum) * step
        velocity = self.momentums[self._get_variable_index(variable)]
        self.assign(velocity, momentum * velocity - step)
        self.assign_add(variable, velocity)

    @writes_schedules
    def get_config(self):
        return {**super().get_config(), "dampened": self.dampened}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        momentum = keras.saving.deserialize_keras_object(config["momentum"], custom_objects)
        return super().from_config({**config, "momentum": momentum}, custom_objects)


def _check_momentum(name, value):
    if not 0 < check_number(name, value) <= 1:
        raise ValueError(f"`{name}` must be in (0, 1]. Received: {value!r}")
    return value
