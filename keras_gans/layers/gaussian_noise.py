"""Gaussian noise whose values are those of one device, on any number of replicas."""

import keras
from keras import ops

from keras_gans.checks import check_not_negative, check_seed
from keras_gans.devices.randomness import RandomState, derive_seed, new_seed


@keras.saving.register_keras_serializable("keras_gans")
class GaussianNoise(keras.layers.Layer):
    """Adds N(0, stddev^2) numbers to the inputs while training.

    `keras.layers.GaussianNoise` draws the same noise on every replica, and its state is lost on
    saving. This one draws the noise of the global batch and keeps its replica's rows; the state is
    a weight.

    Args:
        stddev: standard deviation of the noise, at least 0.
        seed: integer, or `None` for one at random.

    Example:

    >>> GaussianNoise(0.5, seed=0)(np.ones((2, 4), "float32"), training=False).numpy().max()
    1.0

    Input shape:
        (batch, ...), float.

    Output shape:
        The same.

    Reference:
        Salimans et al., 2016 (arXiv:1606.03498), the authors' code, in discriminators.
    """

    def __init__(self, stddev, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.stddev = check_not_negative("stddev", stddev)
        self.seed = new_seed() if check_seed(seed) is None else int(seed)
        self.random_state = RandomState(derive_seed(self.seed, "gaussian_noise"))
        self.supports_masking = True
        self.built = True

    def call(self, inputs, training=False):
        if not training or self.stddev == 0:
            return inputs
        noise = self.random_state.normal(inputs, ops.shape(inputs)[1:])
        return inputs + ops.cast(self.stddev * noise, inputs.dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "stddev": self.stddev, "seed": self.seed}
