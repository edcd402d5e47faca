"""A convolution and what changes the maps' size around it, in one: the same with less work.

A 3 x 3 convolution of maps that nearest neighbours have doubled reads each pixel up to four times.
With the taps that meet one pixel added up, it is a 4 x 4 convolution, transposed, with stride 2, of
the maps as they were. A mean over 2 x 2 pixels after a convolution is one of 4 x 4 with stride 2.
Both do 16 products where 36 were. A convolution of a single pixel with zeros around it is a matrix
product.
"""

import keras
import tensorflow as tf
from keras import ops

RESAMPLINGS = (None, "up", "down", "full")


@keras.saving.register_keras_serializable("keras_gans")
class ResampledConv2D(keras.layers.Conv2D):
    """A convolution after nearest-neighbour doubling, or before halving by 2 x 2 means.

    With "up" it is `Conv2D(UpSampling2D(2)(x))`, with "down" `AveragePooling2D(2)(Conv2D(x))`, up
    to rounding, with 4/9 of the products where the kernel is 3 x 3. Its weights are the
    convolution's. With "down" the activation, if there is one, comes after the mean.

    With "full" it is `Conv2D(ZeroPadding2D(kernel_size - 1)(x))` of maps of 1 x 1, which makes maps
    as large as the kernel without a product with zeros.

    Args:
        filters: number of output channels.
        kernel_size: side of the kernel, or both sides; odd for "up" and "down".
        resampling: "up", "down", "full" or `None` for a convolution alone.
        **kwargs: as in `keras.layers.Conv2D`; where maps are resampled, no strides, dilation or
            groups, and padding "same" for "up" and "down".

    Raises:
        ValueError: the arguments are not as said.

    Example:

    >>> ResampledConv2D(8, 3, "up", padding="same")(np.zeros((2, 16, 16, 4), "float32")).shape
    TensorShape([2, 32, 32, 8])

    Input shape:
        (batch, height, width, channels), float; for "down" height and width are even, for "full"
        they are 1.

    Output shape:
        (batch, new height, new width, filters).

    Reference:
        The fused layers of Karras et al., 2018 (arXiv:1710.10196), in the authors' code.
    """

    acts_alone = True  # of an example it makes what depends on that one alone; see `passes`

    def __init__(self, filters, kernel_size, resampling=None, **kwargs):
        super().__init__(filters, kernel_size, **kwargs)
        if resampling not in RESAMPLINGS:
            raise ValueError(f"`resampling` must be one of {RESAMPLINGS}. Received: {resampling!r}")
        plain = self.strides == self.dilation_rate == (1, 1) and self.groups == 1
        plain = plain and self.data_format == "channels_last"
        odd = self.padding == "same" and all(side % 2 for side in self.kernel_size)
        if resampling and not (plain and (odd or resampling == "full")):
            raise ValueError(
                f"With `resampling` {resampling!r} a convolution must have channels last and no "
                "strides, dilation or groups, and for 'up' and 'down' an odd `kernel_size` and "
                f"`padding` 'same'. Received: kernel_size {self.kernel_size}, padding "
                f"{self.padding!r}, strides {self.strides}"
            )
        self.resampling = resampling

    def build(self, input_shape):
        super().build(input_shape)
        if self.resampling == "full" and tuple(input_shape[1:3]) != (1, 1):
            raise ValueError(
                f"With `resampling` 'full' maps must be of 1 x 1. Received: {tuple(input_shape)}"
            )

    def convolution_op(self, inputs, kernel):
        if self.resampling == "up":
            return upsampled_convolution(inputs, kernel)
        if self.resampling == "down":
            return pooled_convolution(inputs, kernel)
        if self.resampling == "full":
            return full_convolution(inputs, kernel)
        return super().convolution_op(inputs, kernel)

    def compute_output_shape(self, input_shape):
        batch, height, width, _ = input_shape
        if self.resampling == "up":
            height, width = (n and 2 * n for n in (height, width))
        elif self.resampling == "down":
            height, width = (n and n // 2 for n in (height, width))
        elif self.resampling == "full":
            height, width = self.kernel_size
        else:
            return super().compute_output_shape(input_shape)
        return (batch, height, width, self.filters)

    def get_config(self):
        return {**super().get_config(), "resampling": self.resampling}


def upsampled_convolution(inputs, kernel):
    """The convolution, padding "same", of maps that nearest neighbours have doubled."""
    batch, height, width, _ = ops.shape(inputs)
    kernel = ops.transpose(ops.flip(_summed(kernel), axis=(0, 1)), (0, 1, 3, 2))
    shape = (batch, 2 * height, 2 * width, kernel.shape[2])
    return tf.nn.conv2d_transpose(inputs, kernel, shape, strides=2, padding="SAME")


def pooled_convolution(inputs, kernel):
    """The means of 2 x 2 pixels of a convolution with padding "same"."""
    _, height, width, _ = inputs.shape
    if any(side is not None and side % 2 for side in (height, width)):
        raise ValueError(
            f"Maps that are halved must have an even height and width. Received: {inputs.shape}"
        )
    return tf.nn.conv2d(inputs, _summed(kernel) / 4.0, strides=2, padding="SAME")


def full_convolution(inputs, kernel):
    """The convolution of maps (batch, 1, 1, channels) with zeros around them.

    It makes maps as large as the kernel, of which each place has a part of its own, the first place
    the last.
    """
    height, width, channels, filters = kernel.shape
    weights = ops.transpose(ops.flip(kernel, axis=(0, 1)), (2, 0, 1, 3))
    maps = ops.matmul(ops.reshape(inputs, (-1, channels)), ops.reshape(weights, (channels, -1)))
    return ops.reshape(maps, (-1, height, width, filters))


def _summed(kernel):
    """The kernel's sum with itself moved by one, down and to the right: a side longer by one."""
    sides = ((0, 1), (1, 0))
    return sum(tf.pad(kernel, (down, right, (0, 0), (0, 0))) for down in sides for right in sides)
