"""Padding that mirrors the picture at its border."""

import keras
from keras import ops

from keras_gans.checks import check_count


@keras.saving.register_keras_serializable("keras_gans")
class ReflectionPadding2D(keras.layers.Layer):
    """Pads height and width with the picture's own pixels, mirrored at the border ones.

    Zeros around a picture make a dark frame that convolutions carry inwards; a mirrored border
    looks like more of the picture. The border pixels themselves are not repeated: 1 2 3 padded by 2
    is 3 2 1 2 3 2 1.

    Args:
        padding: pixels to add on each side, less than the height and the width.

    Example:

    >>> ReflectionPadding2D(3)(np.zeros((1, 16, 24, 8), "float32")).shape
    TensorShape([1, 22, 30, 8])

    Input shape:
        (batch, height, width, channels).

    Output shape:
        (batch, height + 2 padding, width + 2 padding, channels).

    Reference:
        Johnson et al., 2016 (arXiv:1603.08155), supplementary material; Zhu et al., 2017
        (arXiv:1703.10593), appendix.
    """

    acts_alone = True  # of an example it makes what depends on that one alone; see `passes`

    def __init__(self, padding=1, **kwargs):
        super().__init__(**kwargs)
        self.padding = check_count("padding", padding)

    def build(self, input_shape):
        if len(input_shape) != 4 or any(
            n is not None and n <= self.padding for n in input_shape[1:3]
        ):
            raise ValueError(
                f"`padding` must be less than the height and the width of (batch, height, width, "
                f"channels). Received: padding {self.padding} for {tuple(input_shape)}"
            )

    def call(self, inputs):
        sides = (self.padding, self.padding)
        return ops.pad(inputs, ((0, 0), sides, sides, (0, 0)), mode="reflect")

    def compute_output_shape(self, input_shape):
        batch, *size, channels = input_shape
        return (batch, *(n if n is None else n + 2 * self.padding for n in size), channels)

    def get_config(self):
        return {**super().get_config(), "padding": self.padding}
