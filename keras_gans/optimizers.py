"""Optimizers of Keras with the constants of the frameworks in which papers were written.

Keras adds 1e-7, and RMSprop and Adagrad add it inside the root: sqrt(v + 1e-7), so that gradients
below 3e-4 take steps that are too small. Torch, Theano and TensorFlow 1 add 1e-8 behind it. In a
GAN such gradients are common: those of WGAN's generator begin at 1e-5.
"""

import numbers

import keras
import tensorflow as tf
from keras import ops
from keras.optimizers.schedules import LearningRateSchedule

from keras_gans.checks import check_flag, check_not_negative, check_number, check_scheduled
from keras_gans.schedules import writes_schedules


def adam(rate, beta_1=0.9, beta_2=0.999, epsilon=1e-8):
    """Adam, by default with epsilon 1e-8.

    Kingma and Ba, 2015 (arXiv:1412.6980), the form of the end of section 2; it is TensorFlow's and
    Chainer's.

    Args:
        rate: learning rate, a number or a schedule.
        beta_1, beta_2: decays of the moments, in [0, 1); `beta_2` may be a schedule.
        epsilon: positive number, which is added to the root of the second moment as it is before
            it is corrected for having begun at 0.

    Returns:
        `keras.optimizers.Adam`, or `AnnealedAdam` where `beta_2` is a schedule.

    Example:

    >>> gan.compile(generator_optimizer=adam(1e-4, beta_1=0.5))
    """
    if isinstance(beta_2, LearningRateSchedule):
        return AnnealedAdam(rate, beta_1, beta_2, epsilon)
    return keras.optimizers.Adam(rate, beta_1=beta_1, beta_2=beta_2, epsilon=epsilon)


@keras.saving.register_keras_serializable("keras_gans")
class AnnealedAdam(keras.optimizers.Adam):
    """Adam in PyTorch's form, whose beta_2 may change while it trains.

    In the t-th update, with b_2 the schedule's value after t - 1 of them, and a gradient g,

        m <- b_1 m + (1 - b_1) g,    v <- b_2 v + (1 - b_2) g^2
        w <- w - rate m / (1 - b_1^t) / (sqrt(v / (1 - b_2^t)) + epsilon)

    so that v, which begins at 0, is corrected for as if b_2 had always been what it is now, and an
    `epsilon` that is not small means the same in the first steps as in later ones.

    Args:
        learning_rate: a number or a schedule.
        beta_1: decay of the first moment, in [0, 1).
        beta_2: decay of the second moment, in [0, 1), a number or a schedule whose steps are this
            optimizer's updates.
        epsilon: added to the root.
        **kwargs: as of any Keras optimizer, such as `clipnorm`.

    Raises:
        ValueError: `beta_2` is no such number, or a schedule that does not begin with one.

    Example:

    >>> optimizer = AnnealedAdam(2e-4, beta_1=0.0, beta_2=Cosine(0.9, 0.99, total_steps=40_000))

    Reference:
        Huang et al., 2024 (arXiv:2501.05441), the authors' code.
    """

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-8, **kwargs):
        check_scheduled("beta_2", beta_2, _check_beta)
        super().__init__(learning_rate, beta_1, beta_2, epsilon, amsgrad=False, **kwargs)

    def update_step(self, gradient, variable, learning_rate):
        dtype, index = variable.dtype, self._get_variable_index(variable)
        beta_1, beta_2 = (ops.cast(b, dtype) for b in (self.beta_1, self._present_beta_2()))
        rate, updates = ops.cast(learning_rate, dtype), ops.cast(self.iterations + 1, dtype)
        gradient, m, v = ops.cast(gradient, dtype), self._momentums[index], self._velocities[index]
        self.assign_add(m, (1 - beta_1) * (gradient - m))
        self.assign_add(v, (1 - beta_2) * (ops.square(gradient) - v))
        mean = m / (1 - ops.power(beta_1, updates))
        root = ops.sqrt(v / (1 - ops.power(beta_2, updates)))
        self.assign_sub(variable, rate * mean / (root + self.epsilon))

    def _present_beta_2(self):
        if isinstance(self.beta_2, LearningRateSchedule):
            return self.beta_2(self.iterations)
        return self.beta_2

    @writes_schedules
    def get_config(self):
        config = super().get_config()
        del config["amsgrad"]
        return config

    @classmethod
    def from_config(cls, config, custom_objects=None):
        beta_2 = config.get("beta_2")
        if isinstance(beta_2, dict):
            beta_2 = keras.saving.deserialize_keras_object(beta_2, custom_objects)
            config = {**config, "beta_2": beta_2}
        return super().from_config(config, custom_objects)


@keras.saving.register_keras_serializable("keras_gans")
class AdamL2(keras.optimizers.Adam):
    """Adam with an L2 penalty on all weights, as `weight_decay` is in PyTorch's Adam and in Caffe.

    To each gradient it adds `l2` times the weight, and goes on with the sum as `adam`: that is the
    gradient of l2 / 2 times the sum of all squared weights, which stands in no loss that is shown.
    Keras's own `weight_decay` is another thing, that of AdamW: it is not scaled with the rest.

    Args:
        learning_rate: a number or a schedule.
        beta_1, beta_2: decays of the moments, in [0, 1).
        epsilon: added to the root.
        l2: a number of at least 0.
        **kwargs: as of any Keras optimizer, such as `clipnorm`, which sees gradients without it.

    Raises:
        ValueError: `l2` is no such number.

    Example:

    >>> gan.compile(generator_optimizer=AdamL2(2e-4, beta_1=0.5, l2=5e-4))

    Reference:
        Loshchilov and Hutter, 2019 (arXiv:1711.05101), algorithm 2, the L2 form.
    """

    def __init__(
        self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-8, l2=0.0, **kwargs
    ):
        super().__init__(learning_rate, beta_1, beta_2, epsilon, amsgrad=False, **kwargs)
        self.l2 = check_not_negative("l2", l2)

    def update_step(self, gradient, variable, learning_rate):
        penalty = self.l2 * ops.cast(variable, gradient.dtype)
        super().update_step(gradient + penalty, variable, learning_rate)

    def get_config(self):
        config = super().get_config()
        del config["amsgrad"]
        return {**config, "l2": self.l2}


@keras.saving.register_keras_serializable("keras_gans")
class RestartingAdam(keras.optimizers.Adam):
    """Adam that can begin anew: with no moments, and corrected for them as in a first update.

    Its `iterations` go on, by which rates and models count. Otherwise it is `adam`.

    Args:
        learning_rate: a number or a schedule.
        beta_1, beta_2: decays of the moments, in [0, 1).
        epsilon: added to the root.
        **kwargs: as of any Keras optimizer, such as `clipnorm`.

    Example:

    >>> optimizer = RestartingAdam(1e-3, beta_1=0.0, beta_2=0.99)

    Reference:
        Karras et al., 2018 (arXiv:1710.10196), the authors' code, which does so whenever layers are
        new or have been faded in.
    """

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-8, **kwargs):
        super().__init__(learning_rate, beta_1, beta_2, epsilon, amsgrad=False, **kwargs)

    def build(self, variables):
        if not self.built:
            super().build(variables)
            self.begun = self.add_variable(
                (), dtype="int64", aggregation="only_first_replica", name="begun"
            )

    def restart(self, condition):
        """Begins anew with the next update where a condition, a bool or a tensor, is true."""
        iterations = ops.cast(self.iterations, "int64")
        self.begun.assign(ops.where(condition, iterations, ops.convert_to_tensor(self.begun)))

    def update_step(self, gradient, variable, learning_rate):
        dtype, index = variable.dtype, self._get_variable_index(variable)
        before = ops.cast(ops.cast(self.iterations, "int64") - self.begun, dtype)
        kept, updates = ops.minimum(before, 1.0), before + 1.0
        rate = ops.cast(learning_rate, dtype)
        gradient = ops.cast(tf.convert_to_tensor(gradient), dtype)  # also where it is sparse
        m, v = self._momentums[index], self._velocities[index]
        self.assign(m, kept * self.beta_1 * m + (1 - self.beta_1) * gradient)
        self.assign(v, kept * self.beta_2 * v + (1 - self.beta_2) * ops.square(gradient))
        beta_1, beta_2 = (ops.cast(beta, dtype) for beta in (self.beta_1, self.beta_2))
        rate = rate * ops.sqrt(1 - ops.power(beta_2, updates)) / (1 - ops.power(beta_1, updates))
        self.assign_sub(variable, rate * m / (ops.sqrt(v) + self.epsilon))

    def get_config(self):
        config = super().get_config()
        del config["amsgrad"]
        return config


def _check_beta(name, value):
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or not 0 <= value < 1:
        raise ValueError(f"`{name}` must be in [0, 1). Received: {value!r}")
    return value


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


@keras.saving.register_keras_serializable("keras_gans")
class PausingRMSprop(keras.optimizers.RMSprop):
    """RMSprop that can sit out single updates: no weight moves, and its mean square stays.

    Its `iterations` go on, by which rates and models count. Otherwise it is `rmsprop`.

    Args:
        learning_rate: a number or a schedule.
        rho: decay of the mean square, in [0, 1).
        epsilon: added inside the root.
        **kwargs: as of any Keras optimizer, such as `clipnorm`, but no `weight_decay`, which would
            go on.

    Example:

    >>> optimizer = PausingRMSprop(3e-4, rho=0.9)

    Reference:
        Larsen et al., 2016 (arXiv:1512.09300), the authors' code, in which a player that has become
        too strong sits out.
    """

    def __init__(self, learning_rate=0.001, rho=0.9, epsilon=1e-16, **kwargs):
        if kwargs.get("weight_decay") is not None:
            raise ValueError(
                "`weight_decay` must be None, as it would not pause. "
                f"Received: {kwargs['weight_decay']!r}"
            )
        super().__init__(learning_rate, rho, momentum=0.0, epsilon=epsilon, **kwargs)

    def build(self, variables):
        if not self.built:
            super().build(variables)
            aggregation = "only_first_replica"
            self.moves = self.add_variable((), "ones", aggregation=aggregation, name="moves")

    def move_if(self, condition):
        """Whether the next updates move weights: a bool or a tensor, the same on all replicas."""
        self.moves.assign(ops.cast(condition, self.moves.dtype))

    def update_step(self, gradient, variable, learning_rate):
        dtype, index = variable.dtype, self._get_variable_index(variable)
        moves, rate = ops.convert_to_tensor(self.moves) > 0, ops.cast(learning_rate, dtype)
        gradient, mean_square = ops.cast(gradient, dtype), self._velocities[index]

        def moved(step):  # also where the step is no number
            return ops.where(moves, step, ops.zeros_like(step))

        change = (1 - self.rho) * (ops.square(gradient) - mean_square)
        self.assign_add(mean_square, moved(change))
        step = rate * gradient / ops.sqrt(mean_square + self.epsilon)
        self.assign_sub(variable, moved(step))

    def get_config(self):
        config = super().get_config()
        del config["momentum"], config["centered"]
        return config


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
