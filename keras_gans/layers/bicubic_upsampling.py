"""Pictures enlarged by cubic interpolation, as part of a network."""

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from keras_gans.checks import check_int

A = -0.5  # of Keys's kernel, as Pillow, MATLAB and TensorFlow have it


@keras.saving.register_keras_serializable("keras_gans")
class BicubicUpsampling2D(keras.layers.Layer):
    """Enlarges pictures by a whole number s, with Keys's cubic kernel along each side.

    Pixel s i + p of what is made lies at i + (p + 1/2) / s - 1/2 of what is given, and is a
    weighted mean of the four pixels around there. Where some of these lie outside of the picture
    the weights of the others are divided by their sum, as Pillow does it. There are s x s sets of
    weights, all of them in one convolution of each channel, whose results become pixels: unlike
    `UpSampling2D` with bicubic interpolation, it can be exported to TFLite.

    Args:
        scale: int s, at least 2.

    Raises:
        ValueError: `scale` is no such number.

    Example:

    >>> picture = np.float32([0, 0, 1, 1]).reshape(1, 1, 4, 1)
    >>> BicubicUpsampling2D(2)(picture).numpy()[0, 0, 2:6, 0].round(3)
    array([-0.069,  0.203,  0.797,  1.069], dtype=float32)

    Input shape:
        (batch, height, width, channels), float.

    Output shape:
        (batch, s height, s width, channels).

    Reference:
        Keys, 1981, "Cubic convolution interpolation for digital image processing", equation 15.
    """

    acts_alone = True  # of an example it makes what depends on that one alone; see `passes`

    def __init__(self, scale, **kwargs):
        super().__init__(**kwargs)
        self.scale = check_int("scale", scale, 2)
        self.built = True

    def call(self, inputs):
        inside = ops.ones_like(inputs[:1, :, :, :1])  # zeros around it are what is outside
        return self._interpolated(inputs) / self._interpolated(inside)

    def _interpolated(self, maps):
        places, channels = self.scale**2, maps.shape[-1]
        weights = phases(self.scale)
        kernel = np.einsum("ap,bq->abpq", weights, weights).reshape(5, 5, 1, places)
        kernel = tf.tile(tf.constant(kernel, maps.dtype), (1, 1, channels, 1))
        made = tf.nn.depthwise_conv2d(maps, kernel, (1, 1, 1, 1), "SAME")
        if channels > 1:  # these come channel by channel, and are wanted place by place
            made = tf.gather(made, by_place(places, channels), axis=-1)
        return tf.nn.depth_to_space(made, self.scale)

    def compute_output_shape(self, input_shape):
        batch, *sides, channels = input_shape
        return (batch, *(n and self.scale * n for n in sides), channels)

    def get_config(self):
        return {**super().get_config(), "scale": self.scale}


def phases(scale):
    """The weights (5, scale) of the pixels at -2 .. 2 for each place between two of them."""
    places = (np.arange(scale) + 0.5) / scale - 0.5
    x = np.abs(np.arange(-2, 3)[:, None] - places)
    near = (A + 2) * x**3 - (A + 3) * x**2 + 1
    far = A * x**3 - 5 * A * x**2 + 8 * A * x - 4 * A
    return np.where(x <= 1, near, np.where(x < 2, far, 0.0))


def by_place(places, channels):
    """Where in an order by channels those of an order by places are."""
    return np.arange(places * channels).reshape(channels, places).T.ravel()
