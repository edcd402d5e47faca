"""Maps doubled or halved with the tent filter of StyleGAN2 and its followers."""

import keras
import numpy as np
import tensorflow as tf
from keras import ops

RESAMPLINGS = ("up", "down")
HALVING = np.array([1, 3, 3, 1]) / 8
DOUBLING = np.array([[1, 3, 0], [0, 3, 1]]) / 4  # of an even pixel and of an odd one


@keras.saving.register_keras_serializable("keras_gans")
class BilinearResampling2D(keras.layers.Layer):
    """Doubles or halves maps with the filter [1, 3, 3, 1] / 8 along each side.

    That is [1, 2, 1], with which pixels are interpolated linearly, after nearest neighbours or
    before means of 2 x 2. Along a side of n pixels, with zeros around them,

        up:    y_2i = (x_(i-1) + 3 x_i) / 4,    y_(2i+1) = (3 x_i + x_(i+1)) / 4
        down:  y_i = (x_(2i-1) + 3 x_2i + 3 x_(2i+1) + x_(2i+2)) / 8

    and "down" is the transpose of "up", divided by 4. Keras's `UpSampling2D` with
    bilinear interpolation has no zeros: it repeats the pixels at the edges.

    Args:
        resampling: "up" or "down".

    Raises:
        ValueError: `resampling` is neither, or maps that are halved have an odd side.

    Example:

    >>> x = np.ones((1, 2, 2, 1), "float32")
    >>> BilinearResampling2D("up")(x).numpy()[0, :, 1, 0]
    array([0.75, 1.  , 1.  , 0.75], dtype=float32)

    Input shape:
        (batch, height, width, channels), float; for "down" height and width are even.

    Output shape:
        (batch, 2 height, 2 width, channels) or (batch, height / 2, width / 2, channels).

    Reference:
        Karras et al., 2020 (arXiv:1912.04958); Huang et al., 2024 (arXiv:2501.05441), the authors'
        codes.
    """

    acts_alone = True  # of an example it makes what depends on that one alone; see `passes`

    def __init__(self, resampling, **kwargs):
        super().__init__(**kwargs)
        if resampling not in RESAMPLINGS:
            raise ValueError(f"`resampling` must be one of {RESAMPLINGS}. Received: {resampling!r}")
        self.resampling = resampling
        self.built = True

    def call(self, inputs):
        self.compute_output_shape(inputs.shape)  # which says so where a side is odd
        if self.resampling == "down":
            return _filtered(inputs, HALVING, HALVING, strides=2)
        places = [_filtered(inputs, rows, columns) for rows in DOUBLING for columns in DOUBLING]
        return tf.nn.depth_to_space(ops.concatenate(places, -1), 2)

    def compute_output_shape(self, input_shape):
        batch, *sides, channels = input_shape
        if self.resampling == "up":
            return (batch, *(n and 2 * n for n in sides), channels)
        if any(n is not None and n % 2 for n in sides):
            raise ValueError(
                "Maps that are halved must have an even height and width. "
                f"Received: {tuple(input_shape)}"
            )
        return (batch, *(n and n // 2 for n in sides), channels)

    def get_config(self):
        return {**super().get_config(), "resampling": self.resampling}


def _filtered(maps, rows, columns, strides=1):
    """The maps, each convolved with the product of two filters, with zeros around it."""
    kernel = tf.constant(np.outer(rows, columns), maps.dtype)[:, :, None, None]
    kernel = tf.tile(kernel, (1, 1, maps.shape[-1], 1))
    return tf.nn.depthwise_conv2d(maps, kernel, (1, strides, strides, 1), "SAME")
