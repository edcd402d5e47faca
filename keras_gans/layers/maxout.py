"""Maxout, the hidden unit of the first GAN discriminators."""

import keras
from keras import ops

from keras_gans.checks import check_count


@keras.saving.register_keras_serializable("keras_gans")
class Maxout(keras.layers.Layer):
    """A dense layer whose units are the maximum over several affine pieces.

    Args:
        units: number of outputs.
        pieces: affine pieces for each output.
        kernel_initializer: initializer of the kernel.

    Example:

    >>> Maxout(240, pieces=5)(np.zeros((2, 784), "float32")).shape
    TensorShape([2, 240])

    Input shape:
        (batch, ..., features), float.

    Output shape:
        (batch, ..., units).

    Reference:
        Goodfellow et al., 2013 (arXiv:1302.4389), section 2.
    """

    acts_alone = True  # of an example it makes what depends on that one alone; see `passes`

    def __init__(self, units, pieces, kernel_initializer="glorot_uniform", **kwargs):
        super().__init__(**kwargs)
        self.units = check_count("units", units)
        self.pieces = check_count("pieces", pieces)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def build(self, input_shape):
        width = self.units * self.pieces
        self.kernel = self.add_weight(
            name="kernel", shape=(input_shape[-1], width), initializer=self.kernel_initializer
        )
        self.bias = self.add_weight(name="bias", shape=(width,), initializer="zeros")

    def call(self, inputs):
        affine = ops.matmul(inputs, self.kernel) + self.bias
        shape = (*ops.shape(inputs)[:-1], self.units, self.pieces)
        return ops.max(ops.reshape(affine, shape), axis=-1)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "pieces": self.pieces,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }
