"""Weight normalization: a layer whose weight vectors have a length of their own."""

import keras
from keras import ops

from keras_gans.checks import check_flag, check_positive
from keras_gans.layers.data_dependent import DataDependent

LINEAR = (
    keras.layers.Dense,
    keras.layers.Conv1D,
    keras.layers.Conv2D,
    keras.layers.Conv3D,
    keras.layers.Conv1DTranspose,
    keras.layers.Conv2DTranspose,
    keras.layers.Conv3DTranspose,
)


@keras.saving.register_keras_serializable("keras_gans")
class WeightNormalization(DataDependent, keras.layers.Wrapper):
    """Splits each output's weight vector into its length g and a direction: w = g v / ||v||.

    The wrapped layer's kernel holds v; g and the bias are this layer's (equation 2). By the first
    data, where `layers.initialize_from_data` shows some, g and the bias are set for the outputs to
    have mean 0 and standard deviation `init_stddev` on them (equations 5 and 6).

    Args:
        layer: `Dense`, `Conv1D`, `Conv2D`, `Conv3D` or a transposed one of them, without bias and
            without activation.
        trainable_scale: whether g is trained, or stays as the first data have set it.
        init_stddev: positive number, see above; or `None`, for g to begin at 1 and the bias at 0
            whatever the data are, as both do without data.

    Example:

    >>> layer = WeightNormalization(keras.layers.Dense(4, use_bias=False))
    >>> layer(np.ones((2, 3), "float32")).shape
    TensorShape([2, 4])

    Input shape:
        That of `layer`.

    Output shape:
        That of `layer`.

    Raises:
        ValueError: `layer` is another one, has a bias or an activation.

    Reference:
        Salimans and Kingma, 2016 (arXiv:1602.07868), sections 2 and 3.
    """

    acts_alone = True  # of an example it makes what depends on that one alone; see `passes`

    def __init__(self, layer, trainable_scale=True, init_stddev=1.0, **kwargs):
        super().__init__(layer, **kwargs)
        if getattr(layer, "activation", None) not in (None, keras.activations.linear):
            raise ValueError(
                "`layer` must have no activation: put it behind the normalized layer. "
                f"Received: {layer.name} with {layer.activation!r}"
            )
        channels_last = getattr(layer, "data_format", "channels_last") == "channels_last"
        if not isinstance(layer, LINEAR) or layer.use_bias or not channels_last:
            raise ValueError(
                "`layer` must be a Dense or convolutional layer with use_bias=False, as the bias "
                "is the normalization's, and with its channels last. "
                f"Received: {layer!r}"
            )
        self.trainable_scale = check_flag("trainable_scale", trainable_scale)
        self.init_stddev = init_stddev
        if init_stddev is not None:
            check_positive("init_stddev", init_stddev)

    def build(self, input_shape):
        super().build(input_shape)
        shape, transposed = self.layer.kernel.shape, "Transpose" in type(self.layer).__name__
        self.output_axis = len(shape) - (2 if transposed else 1)  # of the kernel
        outputs = (shape[self.output_axis],)
        self.scale = self.add_weight(
            name="scale", shape=outputs, initializer="ones", trainable=self.trainable_scale
        )
        self.bias = self.add_weight(name="bias", shape=outputs, initializer="zeros")
        self.add_flag("ones" if self.init_stddev is None else "zeros")

    def call(self, inputs):
        kernel = ops.convert_to_tensor(self.layer.kernel)
        axes = tuple(i for i in range(len(kernel.shape)) if i != self.output_axis)
        norm = ops.sqrt(ops.sum(ops.square(kernel), axis=axes) + 1e-12)
        # The layer is linear in its kernel: to divide its outputs divides the kernel's vectors.
        directed = self.layer(inputs) / ops.cast(norm, self.compute_dtype)
        if self.takes_data():
            self._set_by(directed)
        scale, bias = (ops.cast(part, directed.dtype) for part in (self.scale, self.bias))
        return directed * scale + bias

    def _set_by(self, outputs):
        """g = s / sigma and b = -s mu / sigma, for outputs s (t - mu) / sigma."""
        outputs = ops.cast(outputs, "float32")
        axes = tuple(range(len(outputs.shape) - 1))
        mean, variance = ops.moments(outputs, axes=axes)
        # An output that is the same for all examples has no scale to set.
        scale = ops.where(variance > 1e-10, self.init_stddev / ops.sqrt(variance + 1e-12), 1.0)
        self.scale.assign(scale)
        self.bias.assign(-mean * scale)
        self.has_taken_data()

    def compute_output_shape(self, input_shape):
        return self.layer.compute_output_shape(input_shape)

    def get_config(self):
        config = super().get_config()
        config["layer"].pop("build_config", None)  # it is built, and its weights named, by this one
        settings = {"trainable_scale": self.trainable_scale, "init_stddev": self.init_stddev}
        return {**config, **settings}
