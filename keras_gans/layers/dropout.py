"""Dropout whose masks are those of one device, on any number of replicas."""

import keras
import tensorflow as tf
from keras import ops

from keras_gans.checks import check_seed
from keras_gans.devices.randomness import RandomState, derive_seed, new_seed


@keras.saving.register_keras_serializable("keras_gans")
class Dropout(keras.layers.Layer):
    """Sets a share of the inputs to 0 while training and scales the rest by 1 / (1 - rate).

    `keras.layers.Dropout` draws the same mask on every replica, and its state is lost on saving.
    This one draws the mask of the global batch and keeps its replica's rows; the state is a weight.

    Args:
        rate: share of the inputs to drop, in [0, 1).
        seed: integer, or `None` for one at random.

    Example:

    >>> Dropout(0.5, seed=0)(np.ones((2, 4), "float32"), training=False).numpy().min()
    1.0

    Input shape:
        (batch, ...), float.

    Output shape:
        The same.

    Reference:
        Srivastava et al., 2014, Journal of Machine Learning Research 15.
    """

    def __init__(self, rate, seed=None, **kwargs):
        super().__init__(**kwargs)
        if not 0 <= rate < 1:
            raise ValueError(f"`rate` must be in [0, 1). Received: {rate!r}")
        self.rate = rate
        self.seed = new_seed() if check_seed(seed) is None else int(seed)
        self.random_state = RandomState(derive_seed(self.seed, "dropout"))
        self.supports_masking = True
        self.built = True

    def call(self, inputs, training=False):
        if not training or self.rate == 0:
            return inputs
        keep = self.random_state.uniform(inputs, ops.shape(inputs)[1:]) >= self.rate
        return tf.where(keep, inputs / (1.0 - self.rate), tf.zeros_like(inputs))

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}
