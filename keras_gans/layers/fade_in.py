"""Fade-in: a new layer of a growing network takes over from the old way little by little."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("keras_gans")
class FadeIn(keras.layers.Layer):
    """(1 - alpha) old + alpha new, where training moves the weight `alpha` from 0 to 1.

    `alpha` is a weight that is not trained, so that it is saved and exported with the network.

    Example:

    >>> layer = FadeIn()
    >>> layer.alpha.assign(0.25)
    >>> layer([np.zeros((1, 2), "float32"), np.ones((1, 2), "float32")]).numpy()
    array([[0.25, 0.25]], dtype=float32)

    Input shape:
        A pair (old, new) of one shape (batch, ...), float.

    Output shape:
        The same (batch, ...).

    Reference:
        Karras et al., 2018 (arXiv:1710.10196), section 2 and figure 2.
    """

    acts_alone = True  # of an example it makes what depends on that one alone; see `passes`

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.alpha = self.add_weight(name="alpha", shape=(), initializer="zeros", trainable=False)

    def build(self, input_shape):
        if len(input_shape) != 2 or tuple(input_shape[0]) != tuple(input_shape[1]):
            raise ValueError(f"FadeIn takes a pair of one shape. Received: {input_shape}")

    def call(self, inputs):
        old, new = inputs
        return old + ops.cast(self.alpha, new.dtype) * (new - old)

    def compute_output_shape(self, input_shape):
        return tuple(input_shape[0])


def set_alpha(network, alpha):
    """Sets how far the new layers of a network are faded in, in [0, 1]."""
    for layer in network.layers:
        if isinstance(layer, FadeIn):
            layer.alpha.assign(alpha)
