"""A convolution in groups that trains on every device.

TensorFlow computes the gradients of such a convolution on GPUs alone. On CPUs Keras compiles it by
itself with XLA, where a training step took 60 to 100 times what it takes here, and files for other
runtimes can't hold it.
"""

import math

import keras
import tensorflow as tf
from keras import ops

GROUPS_AT_ONCE = 2  # on CPUs, the half of the products with zeros: still less time than one by one


@keras.saving.register_keras_serializable("keras_gans")
class GroupedConv2D(keras.layers.Conv2D):
    """`keras.layers.Conv2D` with `groups`, whose gradients of any order exist on CPUs, too.

    Channels are in groups, of which each has its own filters: those of the outputs that come first
    see the inputs that come first, and so on. On CPUs it is a convolution for each two of them.

    Args:
        filters: number of output channels, a multiple of `groups`.
        kernel_size: side of the kernel, or both sides.
        groups: number of groups.
        **kwargs: as in `keras.layers.Conv2D`; channels are last.

    Raises:
        ValueError: channels are first, or no multiple of `groups`.

    Example:

    >>> GroupedConv2D(8, 3, groups=4, padding="same")(np.zeros((2, 6, 6, 8), "float32")).shape
    TensorShape([2, 6, 6, 8])

    Input shape:
        (batch, height, width, channels), float; channels are a multiple of `groups`.

    Output shape:
        (batch, new height, new width, filters).

    Reference:
        Xie et al., 2017 (arXiv:1611.05431): `groups` is the cardinality of its blocks.
    """

    acts_alone = True  # of an example it makes what depends on that one alone; see `passes`

    def __init__(self, filters, kernel_size, groups=1, **kwargs):
        super().__init__(filters, kernel_size, groups=groups, **kwargs)
        if self.data_format != "channels_last":
            raise ValueError(
                f"`data_format` must be 'channels_last'. Received: {self.data_format!r}"
            )

    def convolution_op(self, inputs, kernel):
        convolve = grouped_convolution if _on_accelerator() else convolution_of_groups
        kernel = ops.convert_to_tensor(kernel)
        settings = {"strides": self.strides, "dilations": self.dilation_rate}
        return convolve(inputs, kernel, padding=self.padding.upper(), **settings)


def grouped_convolution(inputs, kernel, **settings):
    """TensorFlow's own, of which CPUs have no gradient without XLA."""
    return tf.nn.conv2d(inputs, kernel, **settings)


def convolution_of_groups(inputs, kernel, **settings):
    """The same in convolutions of some groups each, put together again.

    One of two groups has a kernel whose other halves are zeros.
    """
    height, width, size, filters = kernel.shape
    groups = inputs.shape[-1] // size
    together = math.gcd(groups, GROUPS_AT_ONCE)
    count = groups // together
    if together > 1:
        own = tf.eye(together, dtype=kernel.dtype)[:, None, None, :, None]
        kernel = tf.reshape(kernel, (height, width, 1, size, count, together, -1))
        kernel = tf.reshape(kernel * own, (height, width, together * size, filters))
    parts = zip(tf.split(inputs, count, -1), tf.split(kernel, count, -1), strict=True)
    return tf.concat([tf.nn.conv2d(maps, part, **settings) for maps, part in parts], -1)


def _on_accelerator():
    return any(device.device_type in ("GPU", "TPU") for device in tf.config.list_logical_devices())
