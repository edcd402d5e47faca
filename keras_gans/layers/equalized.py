"""Layers with an equalized learning rate: the scale of He's initializer, applied at run time."""

import math

import keras
from keras import ops

from keras_gans.checks import check_positive
from keras_gans.layers.resampled_convolution import ResampledConv2D

SQRT2 = math.sqrt(2.0)  # He et al., 2015, for layers before a ReLU


@keras.saving.register_keras_serializable("keras_gans")
class EqualizedConv2D(ResampledConv2D):
    """A convolution that stores a kernel of N(0, 1) and applies kernel * gain / sqrt(fan_in).

    Adam's steps are of one size whatever the gradient's. With kernels of one size too, every layer
    learns at the same rate.

    Args:
        filters: number of output channels.
        kernel_size: side of the kernel, or both sides.
        gain: sqrt(2) before a (leaky) ReLU, 1 before a linear output.
        kernel_initializer: initializer of the stored kernel; `None` for N(0, 1).
        **kwargs: as in `ResampledConv2D`, which also doubles or halves its maps.

    Example:

    >>> EqualizedConv2D(8, 3, padding="same")(np.zeros((2, 16, 16, 4), "float32")).shape
    TensorShape([2, 16, 16, 8])

    Input shape:
        (batch, height, width, channels), float.

    Output shape:
        (batch, new height, new width, filters).

    Reference:
        Karras et al., 2018 (arXiv:1710.10196), section 4.1.
    """

    acts_alone = True  # of an example it makes what depends on that one alone; see `passes`

    def __init__(self, filters, kernel_size, gain=SQRT2, kernel_initializer=None, **kwargs):
        kernel_initializer = kernel_initializer or keras.initializers.RandomNormal(stddev=1.0)
        super().__init__(filters, kernel_size, kernel_initializer=kernel_initializer, **kwargs)
        self.gain = check_positive("gain", gain)

    def convolution_op(self, inputs, kernel):
        return super().convolution_op(inputs, equalized(kernel, self.gain))

    def get_config(self):
        return {**super().get_config(), "gain": self.gain}


@keras.saving.register_keras_serializable("keras_gans")
class EqualizedDense(keras.layers.Dense):
    """A dense layer that stores a kernel of N(0, 1) and applies kernel * gain / sqrt(fan_in).

    Args:
        units: number of outputs.
        gain: sqrt(2) before a (leaky) ReLU, 1 before a linear output.
        kernel_initializer: initializer of the stored kernel; `None` for N(0, 1).
        **kwargs: as in `keras.layers.Dense`.

    Example:

    >>> EqualizedDense(8)(np.zeros((2, 4), "float32")).shape
    TensorShape([2, 8])

    Input shape:
        (batch, ..., features), float.

    Output shape:
        (batch, ..., units).

    Reference:
        Karras et al., 2018 (arXiv:1710.10196), section 4.1.
    """

    acts_alone = True  # of an example it makes what depends on that one alone; see `passes`

    def __init__(self, units, gain=SQRT2, kernel_initializer=None, **kwargs):
        kernel_initializer = kernel_initializer or keras.initializers.RandomNormal(stddev=1.0)
        super().__init__(units, kernel_initializer=kernel_initializer, **kwargs)
        self.gain = check_positive("gain", gain)

    def call(self, inputs, training=None):
        outputs = ops.matmul(inputs, equalized(self.kernel, self.gain))
        if self.use_bias:
            outputs = outputs + self.bias
        return outputs if self.activation is None else self.activation(outputs)

    def get_config(self):
        return {**super().get_config(), "gain": self.gain}


def equalized(kernel, gain):
    """kernel * gain / sqrt(fan_in), where the kernel's last axis is the outputs."""
    return kernel * (gain / math.sqrt(math.prod(kernel.shape[:-1])))
