"""Multiplicative noise on a discriminator's inputs, of a strength that training sets."""

import math

import keras
from keras import ops

from keras_gans.checks import check_seed
from keras_gans.devices.randomness import RandomState, derive_seed, new_seed


@keras.saving.register_keras_serializable("keras_gans")
class MultiplicativeNoise(keras.layers.Layer):
    """Multiplies each channel of each example by N(1, (strength sqrt(channels))^2) in training.

    `strength` is a weight that is not trained: 0 until a model sets it. The noise of the global
    batch is drawn, of which a replica takes its rows.

    Args:
        seed: integer, or `None` for one at random.

    Example:

    >>> MultiplicativeNoise(seed=0)(np.ones((2, 4, 4, 8), "float32"), training=True).shape
    TensorShape([2, 4, 4, 8])

    Input shape:
        (batch, ..., channels), float.

    Output shape:
        The same.

    Reference:
        Karras et al., 2018 (arXiv:1710.10196), appendix B; sqrt(channels) is in the authors' code.
    """

    def __init__(self, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.seed = new_seed() if check_seed(seed) is None else int(seed)
        self.random_state = RandomState(derive_seed(self.seed, "multiplicative_noise"))
        self.strength = self.add_weight(
            name="strength", shape=(), initializer="zeros", trainable=False
        )
        self.built = True

    def call(self, inputs, training=False):
        if not training:
            return inputs
        channels = inputs.shape[-1]
        noise = self.random_state.normal(inputs, (*(1,) * (len(inputs.shape) - 2), channels))
        deviation = ops.cast(self.strength, "float32") * math.sqrt(channels)
        return inputs * ops.cast(1.0 + deviation * noise, inputs.dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "seed": self.seed}
