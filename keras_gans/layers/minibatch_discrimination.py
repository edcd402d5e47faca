"""Minibatch discrimination: the discriminator sees how near a sample is to others of its batch."""

import keras
from keras import ops

from keras_gans.checks import check_count, check_flag
from keras_gans.layers.data_dependent import DataDependent

FAR = 1e6  # the distance of an example to itself, for the search of its nearest neighbour


@keras.saving.register_keras_serializable("keras_gans")
class MinibatchDiscrimination(DataDependent, keras.layers.Layer):
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
        weight_normalization: whether the columns of T have a trained length of their own, exp(s)
            for a weight s, and o a trained bias, -1 at first, as in the authors' code. By the first
            data, where `layers.initialize_from_data` shows some, s and the bias are then set for
            the nearest neighbours to be at a distance of 2 in the mean, and o to have mean 0.

    Example:

    >>> MinibatchDiscrimination(100, kernel_dim=5)(np.zeros((8, 32), "float32")).shape
    TensorShape([8, 132])

    Input shape:
        (batch, features), float.

    Output shape:
        (batch, features + num_kernels).

    Reference:
        Salimans et al., 2016 (arXiv:1606.03498), section 3.2, and the authors' code.
    """

    def __init__(
        self,
        num_kernels=100,
        kernel_dim=5,
        kernel_initializer="glorot_uniform",
        weight_normalization=False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.num_kernels = check_count("num_kernels", num_kernels)
        self.kernel_dim = check_count("kernel_dim", kernel_dim)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.weight_normalization = check_flag("weight_normalization", weight_normalization)

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
        if self.weight_normalization:
            self.log_scale = self.add_weight(
                name="log_scale", shape=(self.num_kernels, self.kernel_dim), initializer="zeros"
            )
            self.bias = self.add_weight(
                name="bias",
                shape=(self.num_kernels,),
                initializer=keras.initializers.Constant(-1.0),
            )
            self.add_flag()

    def tensor(self):
        """T, (features, num_kernels * kernel_dim)."""
        kernel = ops.convert_to_tensor(self.kernel)
        if not self.weight_normalization:
            return kernel
        norm = ops.sqrt(ops.sum(ops.square(kernel), axis=0) + 1e-12)
        return kernel * (ops.reshape(ops.exp(self.log_scale), (-1,)) / norm)

    def call(self, inputs):
        batch = ops.shape(inputs)[0]
        rows = ops.matmul(inputs, ops.cast(self.tensor(), inputs.dtype))
        rows = ops.reshape(rows, (batch, self.num_kernels, self.kernel_dim))
        distances = ops.sum(ops.abs(rows[:, None] - rows[None]), axis=-1)  # (batch, batch, kernels)
        itself = ops.eye(batch, dtype=distances.dtype)[:, :, None]
        sets_weights = self.weight_normalization and self.takes_data()
        if sets_weights:
            far = ops.cast(distances, "float32") + FAR * ops.cast(itself, "float32")
            distances /= ops.cast(self._halve_the_nearest(far), distances.dtype)
        nearness = ops.sum((1.0 - itself) * ops.exp(-distances), axis=1)
        if sets_weights:
            self.bias.assign(-ops.mean(ops.cast(nearness, "float32"), axis=0))
            self.has_taken_data()
        if self.weight_normalization:
            nearness += ops.cast(self.bias, nearness.dtype)
        return ops.concatenate([inputs, nearness], axis=-1)

    def _halve_the_nearest(self, distances):
        """Half the mean distance of nearest neighbours, by which T is divided: (num_kernels,)."""
        half = 0.5 * ops.mean(ops.min(distances, axis=1), axis=0)
        half = ops.where(half > 1e-6, half, 1.0)  # examples that are all alike set nothing
        self.log_scale.assign(self.log_scale - ops.log(half)[:, None])
        return half

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], input_shape[-1] + self.num_kernels)

    def get_config(self):
        return {
            **super().get_config(),
            "num_kernels": self.num_kernels,
            "kernel_dim": self.kernel_dim,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "weight_normalization": self.weight_normalization,
        }
