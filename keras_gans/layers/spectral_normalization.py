"""Spectral normalization: a layer whose linear map has the largest singular value 1."""

import keras
from keras import ops

from keras_gans.checks import check_seed


@keras.saving.register_keras_serializable("keras_gans")
class SpectralNormalization(keras.layers.Wrapper):
    """Divides a layer's kernel W by its largest singular value sigma(W), W / sigma(W).

    sigma is estimated by one power iteration in each training call, from a vector u that persists;
    the gradient flows through sigma, and W itself is what the optimizer trains (equations 8 to 12).
    `keras.layers.SpectralNormalization` overwrites W instead, with no gradient through sigma.

    Args:
        layer: a layer that is linear in its `kernel` and in its inputs and has no activation, such
            as `Dense` or `Conv2D`; the kernel's last axis is the outputs.
        epsilon: smallest norm, or singular value, that is divided by.
        seed: integer that fixes the first u, or `None`.

    Example:

    >>> layer = SpectralNormalization(keras.layers.Dense(4, use_bias=False))
    >>> layer(np.ones((2, 3), "float32"), training=True).shape
    TensorShape([2, 4])

    Input shape:
        That of `layer`.

    Output shape:
        That of `layer`.

    Reference:
        Miyato et al., 2018 (arXiv:1802.05957), section 2.1 and Algorithm 1.
    """

    def __init__(self, layer, epsilon=1e-12, seed=None, **kwargs):
        super().__init__(layer, **kwargs)
        activation = getattr(layer, "activation", None)
        if activation not in (None, keras.activations.linear):
            raise ValueError(
                "`layer` must have no activation: put it behind the normalized layer. "
                f"Received: {layer.name} with {activation!r}"
            )
        self.epsilon = epsilon
        self.seed = check_seed(seed)

    def build(self, input_shape):
        super().build(input_shape)
        if not hasattr(self.layer, "kernel"):
            raise ValueError(f"`layer` must have a `kernel`. Received: {self.layer!r}")
        self.u = self.add_weight(
            name="u",
            shape=(1, self.layer.kernel.shape[-1]),
            initializer=keras.initializers.RandomNormal(stddev=1.0, seed=self.seed),
            trainable=False,
            autocast=False,
        )

    def sigma(self, update=False):
        """The estimate of the kernel's largest singular value; `update` keeps the new u."""
        kernel = ops.cast(self.layer.kernel, self.u.dtype)
        kernel = ops.reshape(kernel, (-1, kernel.shape[-1]))
        constant = ops.stop_gradient(kernel)  # u and v are constants of the step
        v = self._unit(ops.matmul(self.u, ops.transpose(constant)))
        u = self._unit(ops.matmul(v, constant))
        if update:
            self.u.assign(u)
        return ops.maximum(ops.sum(ops.matmul(v, kernel) * u), self.epsilon)

    def _unit(self, vector):
        return vector / ops.maximum(ops.norm(vector), self.epsilon)

    def call(self, inputs, training=False):
        # The layer is linear in its kernel and in its inputs: dividing these divides the kernel.
        sigma = ops.cast(self.sigma(update=training), self.compute_dtype)
        return self.layer(ops.cast(inputs, self.compute_dtype) / sigma)

    def compute_output_shape(self, input_shape):
        return self.layer.compute_output_shape(input_shape)

    def get_config(self):
        config = super().get_config()
        config["layer"].pop("build_config", None)  # it is built, and its weights named, by this one
        return {**config, "epsilon": self.epsilon, "seed": self.seed}
