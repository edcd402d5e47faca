"""Pixel normalization: feature vectors of unit length in a progressive GAN's generator."""

import keras
from keras import ops

from keras_gans.checks import check_positive


@keras.saving.register_keras_serializable("keras_gans")
class PixelNormalization(keras.layers.Layer):
    """Scales each place to features of mean square 1: b = a / sqrt(mean_j a_j^2 + epsilon).

    The mean is over the channels. There are no weights, and in half precision the root is that of
    float32, in which squares do not overflow.

    Args:
        epsilon: added to the mean square.

    Example:

    >>> PixelNormalization()(np.array([[3.0, 4.0, 0.0, 0.0]], "float32")).numpy().round(3)
    array([[1.2, 1.6, 0. , 0. ]], dtype=float32)

    Input shape:
        (batch, ..., channels), float.

    Output shape:
        The same.

    Reference:
        Karras et al., 2018 (arXiv:1710.10196), section 4.2.
    """

    acts_alone = True  # of an example it makes what depends on that one alone; see `passes`

    def __init__(self, epsilon=1e-8, **kwargs):
        super().__init__(**kwargs)
        self.epsilon = check_positive("epsilon", epsilon)
        self.supports_masking = True
        self.built = True

    def call(self, inputs):
        features = ops.cast(inputs, keras.backend.result_type(inputs.dtype, "float32"))
        mean_square = ops.mean(ops.square(features), axis=-1, keepdims=True)
        return ops.cast(features / ops.sqrt(mean_square + self.epsilon), inputs.dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "epsilon": self.epsilon}
