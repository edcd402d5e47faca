"""Learned maps, which a vector weighs channel by channel: a generator's first layer."""

import keras
from keras import ops

from keras_gans.checks import check_count


@keras.saving.register_keras_serializable("keras_gans")
class Basis2D(keras.layers.Layer):
    """Maps that are learned, each times one of the inputs: y_hwc = B_hwc x_c.

    It is the transpose of a depthwise convolution whose kernel is as large as the maps.

    Args:
        size: (height, width) of the maps.
        basis_initializer: of the weights `basis`, (height, width, channels); N(0, 1) by default.

    Raises:
        ValueError: `size` is no pair of integers of at least 1.

    Example:

    >>> Basis2D((4, 6))(np.zeros((2, 8), "float32")).shape
    TensorShape([2, 4, 6, 8])

    Input shape:
        (batch, channels), float.

    Output shape:
        (batch, height, width, channels).

    Reference:
        Huang et al., 2024 (arXiv:2501.05441), the authors' code.
    """

    acts_alone = True  # of an example it makes what depends on that one alone; see `passes`

    def __init__(self, size, basis_initializer=None, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(size, tuple | list) or len(size) != 2:
            raise ValueError(f"`size` must be the pair (height, width). Received: {size!r}")
        self.size = tuple(check_count("size", side) for side in size)
        if basis_initializer is None:
            basis_initializer = keras.initializers.RandomNormal(stddev=1.0)
        self.basis_initializer = keras.initializers.get(basis_initializer)

    def build(self, input_shape):
        shape = (*self.size, input_shape[-1])
        self.basis = self.add_weight(shape=shape, initializer=self.basis_initializer, name="basis")

    def call(self, inputs):
        return ops.expand_dims(inputs, (1, 2)) * ops.convert_to_tensor(self.basis)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], *self.size, input_shape[-1])

    def get_config(self):
        initializer = keras.initializers.serialize(self.basis_initializer)
        return {**super().get_config(), "size": self.size, "basis_initializer": initializer}
