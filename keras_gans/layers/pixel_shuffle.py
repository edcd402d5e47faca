"""Maps made larger by taking their channels apart."""

import keras
import tensorflow as tf

from keras_gans.checks import check_int


@keras.saving.register_keras_serializable("keras_gans")
class PixelShuffle2D(keras.layers.Layer):
    """Makes s x s pixels of every s x s channels: maps s times as high and wide, of fewer channels.

        y[s i + a, s j + b, c] = x[i, j, (s a + b) C + c],   a, b = 0 .. s - 1,   c = 0 .. C - 1

    With a convolution before it, this is a convolution of stride 1 / s ("sub-pixel convolution").
    It computes where the maps are small, and no pixel of what it makes hears more taps than others.

    Args:
        scale: int s, at least 2.

    Raises:
        ValueError: `scale` is no such number, or the channels are no multiple of its square.

    Example:

    >>> x = np.arange(4, dtype="float32").reshape(1, 1, 1, 4)
    >>> PixelShuffle2D(2)(x).numpy()[0, :, :, 0]
    array([[0., 1.],
           [2., 3.]], dtype=float32)

    Input shape:
        (batch, height, width, s^2 C), float.

    Output shape:
        (batch, s height, s width, C).

    Reference:
        Shi et al., 2016 (arXiv:1609.05158), equation 4, where the channels are in another order.
    """

    acts_alone = True  # of an example it makes what depends on that one alone; see `passes`

    def __init__(self, scale, **kwargs):
        super().__init__(**kwargs)
        self.scale = check_int("scale", scale, 2)

    def build(self, input_shape):
        self.compute_output_shape(input_shape)  # which says so where the channels do not fit

    def call(self, inputs):
        return tf.nn.depth_to_space(inputs, self.scale)

    def compute_output_shape(self, input_shape):
        batch, *sides, channels = input_shape
        if channels % self.scale**2:
            raise ValueError(
                f"Maps must have a multiple of {self.scale**2} channels, as `scale` is "
                f"{self.scale}. Received: {tuple(input_shape)}"
            )
        return (batch, *(n and self.scale * n for n in sides), channels // self.scale**2)

    def get_config(self):
        return {**super().get_config(), "scale": self.scale}
