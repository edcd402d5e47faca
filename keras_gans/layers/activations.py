"""ReLU and leaky ReLU for discriminators whose gradients are penalized.

Their derivative is a constant on both sides of 0, and so has itself the derivative 0. TensorFlow
computes with these zeros all the same: the gradient of a penalty on gradients goes backwards
through the whole forward pass, convolutions and all, for nothing. Here it does not. Values and
gradients, of any order, are those of Keras's layers.
"""

import functools

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("keras_gans")
class ReLU(keras.layers.Layer):
    """max(x, 0), with no work for the second derivative, which is 0.

    Example:

    >>> ReLU()(np.array([-1.0, 2.0], "float32")).numpy()
    array([0., 2.], dtype=float32)

    Input shape:
        Any, float.

    Output shape:
        The same.
    """

    acts_alone = True  # of an example it makes what depends on that one alone; see `passes`

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.built = True

    def call(self, inputs, training=False):
        return _piecewise_linear(tf.nn.relu, tf.raw_ops.ReluGrad, inputs, training)

    def compute_output_shape(self, input_shape):
        return input_shape


@keras.saving.register_keras_serializable("keras_gans")
class LeakyReLU(keras.layers.LeakyReLU):
    """x, or `negative_slope` times x where x is negative, with no work for the second derivative.

    Args:
        negative_slope: slope of the negative side, at least 0.

    Example:

    >>> LeakyReLU(0.5)(np.array([-1.0, 2.0], "float32")).numpy()
    array([-0.5,  2. ], dtype=float32)

    Input shape:
        Any, float.

    Output shape:
        The same.
    """

    acts_alone = True  # of an example it makes what depends on that one alone; see `passes`

    def call(self, inputs, training=False):
        activation = functools.partial(tf.nn.leaky_relu, alpha=self.negative_slope)
        gradient = functools.partial(tf.raw_ops.LeakyReluGrad, alpha=self.negative_slope)
        return _piecewise_linear(activation, gradient, inputs, training)


def _piecewise_linear(activation, gradient, inputs, training):
    if not training:  # exported graphs have no gradients, and no need of one
        return activation(inputs)

    @tf.custom_gradient
    def compute(x):
        constant = tf.stop_gradient(x)  # what the derivative depends on: it has none of its own
        return activation(x), lambda upstream: gradient(gradients=upstream, features=constant)

    return compute(tf.convert_to_tensor(inputs))
