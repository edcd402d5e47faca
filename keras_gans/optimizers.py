"""Optimizers of Keras with the constants of the frameworks in which papers were written.

Keras adds 1e-7, and RMSprop and Adagrad add it inside the root: sqrt(v + 1e-7), so that gradients
below 3e-4 take steps that are too small. Torch, Theano and TensorFlow 1 add 1e-8 behind it. In a
GAN such gradients are common: those of WGAN's generator begin at 1e-5.
"""

import keras


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
