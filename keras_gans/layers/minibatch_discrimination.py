"""Minibatch discrimination: the discriminator sees how near a sample is to others of its batch."""

import keras
from keras import ops

from keras_gans.checks import check_count


@keras.saving.register_keras_serializable("keras_gans")
class MinibatchDiscrimination(keras.layers.Layer):
    """Appends to each example's features its nearness to the other examples of the batch.

    The features are multiplied by a tensor T into a matrix M_i for each example, of `num_kernels`
    rows. The new features are, for each row b,

        o(x_i)_b = sum_{j != i} exp(-||M_{i,b} - M_{j,b}||_1).

    They depend on the batch: reals and fakes go through the discriminator in batches of their own.
    On several replicas each one compares the examples of its own share. An example alone has 0.

    The batch's pairs are in memory at once: batch x batch x num_kernels x kernel_dim numbers.

    Args:
        num_kernels: rows of the matrix, the features to append.
        kernel_dim: columns of the matrix.
        kernel_initializer: initializer of T, (features, num_kernels * kernel_dim).

    Example:

    >>> MinibatchDiscrimination(100, kernel_dim=5)(np.zeros((8, 32), "float32")).shape
    TensorShape([8, 132])

    Input shape:
        (batch, features), float.

    Output shape:
        (batch, features + num_kernels).

    Reference:
        Salimans et al., 2016 (arXiv:1606.03498), section 3.2.
    """

    def __init__(
        self, num_kernels=100, kernel_dim=5, kernel_initializer="glorot_uniform", **kwargs
    ):
        super().__init__(**kwargs)
        self.num_kernels = check_count("num_kernels", num_kernels)
        self.kernel_dim = check_count("kernel_dim", kernel_dim)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def build(self, input_shape):
        if len(input_shape) != 2 or input_shape[-1] is None:
            raise ValueError(
                "MinibatchDiscrimination takes features (batch, features): flatten maps first. "
                f"Received: shape {tuple(input_shape)}"
            )
        self.kernel = self.add_weight(
            name="kernel",
            shape=(input_shape[-1], self.num_kernels * self.kernel_dim),
            initializer=self.kernel_initializer,
        )

    def call(self, inputs):
        batch = ops.shape(inputs)[0]
        rows = ops.matmul(inputs, self.kernel)
        rows = ops.reshape(rows, (batch, self.num_kernels, self.kernel_dim))
        distances = ops.sum(ops.abs(rows[:, None] - rows[None]), axis=-1)  # (batch, batch, kernels)
        others = 1.0 - ops.eye(batch, dtype=distances.dtype)[:, :, None]
        nearness = ops.sum(others * ops.exp(-distances), axis=1)
        return ops.concatenate([inputs, nearness], axis=-1)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], input_shape[-1] + self.num_kernels)

    def get_config(self):
        return {
            **super().get_config(),
            "num_kernels": self.num_kernels,
            "kernel_dim": self.kernel_dim,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }
