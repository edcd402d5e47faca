"""Virtual batch normalization: statistics of a fixed reference batch, which goes along."""

import keras
import numpy as np
from keras import ops

from keras_gans.checks import check_count
from keras_gans.layers._moments import centred_and_variance


@keras.saving.register_keras_serializable("keras_gans")
class ReferenceBatch(keras.layers.Layer):
    """Puts a fixed batch of inputs before each batch, for `VirtualBatchNormalization` behind it.

    It is the first layer behind an input. What the layers between make of the reference batch is
    then made with today's weights, on each replica, in exports too; `DropReference` takes it out
    again. The rows are a weight that is not trained, and are saved with the network.
    `set_reference` sets them.

    Args:
        reference_size: rows of the reference batch.
        initializer: initializer of the rows until they are set; `None` draws them from N(0, 1), as
            latents are. Take "zeros" for labels.

    Example:

    >>> inputs = keras.Input((28, 28, 1))
    >>> x = ReferenceBatch(64)(inputs)
    >>> x = keras.layers.Conv2D(32, 5, strides=2, use_bias=False)(x)
    >>> x = keras.layers.LeakyReLU(0.2)(VirtualBatchNormalization(64)(x))
    >>> x = DropReference(64)(keras.layers.Flatten()(x))
    >>> discriminator = keras.Model(inputs, keras.layers.Dense(1)(x))
    >>> set_reference(discriminator, reals)  # the first 64 of them

    Input shape:
        (batch, ...), of which only the batch may be unknown.

    Output shape:
        (reference_size + batch, ...).

    Reference:
        Salimans et al., 2016 (arXiv:1606.03498), section 3.5.
    """

    acts_alone = True  # of a batch, as long as the network ends in `DropReference`

    def __init__(self, reference_size, initializer=None, **kwargs):
        # Labels and pictures are stored as they are, in half precision too.
        super().__init__(autocast=False, **kwargs)
        self.reference_size = check_count("reference_size", reference_size)
        initializer = initializer or keras.initializers.RandomNormal(stddev=1.0)
        self.initializer = keras.initializers.get(initializer)

    def build(self, input_shape):
        if None in input_shape[1:]:
            raise ValueError(
                "A ReferenceBatch must know the shape of its examples. "
                f"Received: {tuple(input_shape)}"
            )
        self.rows = self.add_weight(
            name="rows",
            shape=(self.reference_size, *input_shape[1:]),
            initializer=self.initializer,
            trainable=False,
            autocast=False,
        )

    def call(self, inputs):
        return ops.concatenate([ops.cast(self.rows, inputs.dtype), inputs], axis=0)

    def compute_output_spec(self, inputs):
        return keras.KerasTensor(self.compute_output_shape(inputs.shape), dtype=inputs.dtype)

    def compute_output_shape(self, input_shape):
        batch, *rest = input_shape
        return (None if batch is None else batch + self.reference_size, *rest)

    def get_config(self):
        return {
            **super().get_config(),
            "reference_size": self.reference_size,
            "initializer": keras.initializers.serialize(self.initializer),
        }


@keras.saving.register_keras_serializable("keras_gans")
class DropReference(keras.layers.Layer):
    """Takes the reference batch out again, which `ReferenceBatch` has put before the others.

    It stands behind the last `VirtualBatchNormalization`, and before all that looks across
    examples, such as `MinibatchDiscrimination`.

    Args:
        reference_size: rows of the reference batch.

    Example:

    >>> DropReference(2)(np.zeros((5, 3), "float32")).shape
    TensorShape([3, 3])

    Input shape:
        (reference_size + batch, ...).

    Output shape:
        (batch, ...).

    Reference:
        Salimans et al., 2016 (arXiv:1606.03498), section 3.5.
    """

    acts_alone = True

    def __init__(self, reference_size, **kwargs):
        super().__init__(**kwargs)
        self.reference_size = check_count("reference_size", reference_size)

    def call(self, inputs):
        return inputs[self.reference_size :]

    def compute_output_shape(self, input_shape):
        batch, *rest = input_shape
        return (None if batch is None else batch - self.reference_size, *rest)

    def get_config(self):
        return {**super().get_config(), "reference_size": self.reference_size}


@keras.saving.register_keras_serializable("keras_gans")
class VirtualBatchNormalization(keras.layers.Layer):
    """Normalizes each example by the statistics of a fixed reference batch and of itself.

    So its output does not depend on the other examples of its minibatch, in training neither. The
    first `reference_size` rows are the reference batch, put there by `ReferenceBatch`, whose
    example has a network. They are normalized by their own mean m and mean of squares s over batch
    and places; an example with the mean m' and mean of squares s' over its own places, by

        m'' = (R m + m') / (R + 1),   s'' = (R s + s') / (R + 1),   with R = `reference_size`,

    so (x - m'') / sqrt(s'' - m''^2 + epsilon), times gamma, plus beta. Gradients go through the
    reference batch as well, and derivatives are right to any order, which a gradient penalty
    needs. Training and inference are the same.

    It costs a forward and a backward pass of the reference batch in each call of the network; the
    paper has it in the generator alone. Noise between `ReferenceBatch` and it is drawn for the
    reference batch too, so that N replicas do not draw what one device would.

    Args:
        reference_size: rows of the reference batch.
        axis: axis of the channels.
        epsilon: added to the variance.
        center, scale: whether there are beta and gamma.
        beta_initializer, gamma_initializer: of these; the authors' gamma begins at N(1, 0.02^2).

    Example:

    >>> rows = np.random.normal(size=(8 + 4, 6, 6, 3)).astype("float32")  # 8 of them the reference
    >>> VirtualBatchNormalization(8)(rows).shape
    TensorShape([12, 6, 6, 3])

    Input shape:
        (reference_size + batch, ..., channels), float.

    Output shape:
        The same.

    Reference:
        Salimans et al., 2016 (arXiv:1606.03498), section 3.5; the weights of the two parts are
        those of the authors' code.
    """

    acts_alone = True

    def __init__(
        self,
        reference_size,
        axis=-1,
        epsilon=1e-5,
        center=True,
        scale=True,
        beta_initializer="zeros",
        gamma_initializer="ones",
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.reference_size = check_count("reference_size", reference_size)
        self.axis, self.epsilon, self.center, self.scale = axis, epsilon, center, scale
        self.beta_initializer = keras.initializers.get(beta_initializer)
        self.gamma_initializer = keras.initializers.get(gamma_initializer)

    def build(self, input_shape):
        rank = len(input_shape)
        axis = self.axis % rank if -rank <= self.axis < rank else 0
        if axis == 0 or input_shape[axis] is None:
            raise ValueError(
                "`axis` of VirtualBatchNormalization must be that of the channels, of known "
                f"number. Received: {self.axis} for inputs of shape {tuple(input_shape)}"
            )
        channels = (input_shape[axis],)
        self.gamma = self.beta = None
        if self.scale:
            self.gamma = self.add_weight(
                name="gamma", shape=channels, initializer=self.gamma_initializer
            )
        if self.center:
            self.beta = self.add_weight(
                name="beta", shape=channels, initializer=self.beta_initializer
            )

    def call(self, inputs):
        x = ops.cast(inputs, keras.backend.result_type(inputs.dtype, "float32"))
        rank = len(x.shape)
        places = tuple(axis for axis in range(1, rank) if axis != self.axis % rank)
        of_channels = [-1 if axis == self.axis % rank else 1 for axis in range(rank)]

        reference, live = x[: self.reference_size], x[self.reference_size :]
        mean = ops.mean(reference, axis=(0, *places), keepdims=True)
        reference, variance = centred_and_variance(reference, (0, *places))
        own_mean, own_variance = live, 0.0
        if places:
            own_mean = ops.mean(live, axis=places, keepdims=True)
            _, own_variance = centred_and_variance(live, places)
        # s'' - m''^2, without the difference of large numbers
        own = 1.0 / (self.reference_size + 1.0)
        live -= own * own_mean + (1.0 - own) * mean
        live_variance = own * own_variance + (1.0 - own) * variance
        live_variance += own * (1.0 - own) * ops.square(own_mean - mean)

        parts = [(reference, variance), (live, live_variance)]
        parts = [part * ops.rsqrt(var + self.epsilon) for part, var in parts]
        outputs = ops.concatenate(parts, axis=0)
        if self.scale:
            outputs *= ops.cast(ops.reshape(self.gamma, of_channels), x.dtype)
        if self.center:
            outputs += ops.cast(ops.reshape(self.beta, of_channels), x.dtype)
        return ops.cast(outputs, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "reference_size": self.reference_size,
            "axis": self.axis,
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            "beta_initializer": keras.initializers.serialize(self.beta_initializer),
            "gamma_initializer": keras.initializers.serialize(self.gamma_initializer),
        }


def set_reference(network, samples):
    """Sets the reference batch of a network with virtual batch normalization.

    Call it before the network is given to a model: averaged networks are copies. A model can do it
    in `begin_on`, for its networks and their averages.

    Args:
        network: functional `keras.Model` with a `ReferenceBatch` behind its input, or one behind
            each of several inputs.
        samples: array (num, ...) as the network takes it, of which the first `reference_size` are
            kept; for a network with several inputs a list of an array for each.

    Raises:
        ValueError: the network has no reference batch, or layers that differ in `reference_size`,
            or the samples do not fit it or are fewer.

    Example:

    >>> set_reference(generator, np.random.normal(size=(64, 100)))
    """
    found = _references(network)
    arrays = list(samples) if isinstance(samples, list | tuple) else [samples]
    arrays = [ops.convert_to_numpy(array) for array in arrays]
    if len(arrays) != len(found):
        raise ValueError(
            f"`samples` must be an array for each of {len(found)} inputs with a ReferenceBatch. "
            f"Received: {len(arrays)} of them"
        )
    for (layer, tensor), array in zip(found, arrays, strict=True):
        size, (_, *shape) = layer.reference_size, layer.rows.shape
        fits = array.ndim and list(array.shape[1:]) == shape and len(array) >= size
        floats = keras.backend.is_float_dtype(tensor.dtype)
        if not fits or (floats and array.dtype.kind != "f") or not np.isfinite(array).all():
            kind = "finite floats" if floats else "numbers"
            raise ValueError(
                f"`samples` must be {kind} (num, {', '.join(map(str, shape))}), {size} or more "
                f"of them, as '{layer.name}' keeps. "
                f"Received: {array.dtype} of shape {array.shape}"
            )
    for (layer, _), array in zip(found, arrays, strict=True):
        layer.rows.assign(array[: layer.reference_size])


def _references(network):
    """The reference batches of a network with their inputs, in the order of the inputs."""
    layers = [*getattr(network, "layers", ())]
    kinds = (ReferenceBatch, VirtualBatchNormalization, DropReference)
    sizes = {layer.name: layer.reference_size for layer in layers if isinstance(layer, kinds)}
    references = [layer for layer in layers if isinstance(layer, ReferenceBatch)]
    if not references:
        raise ValueError(
            "`network` must be a keras.Model with a ReferenceBatch behind its inputs. "
            f"Received: {network!r}"
        )
    if len({*sizes.values()}) > 1:
        raise ValueError(
            f"`network` must have one `reference_size` in all of its layers. Received: {sizes}"
        )
    inputs = [tensor._keras_history.operation for tensor in network.inputs]
    found = {}
    for layer in references:
        tensor = layer._inbound_nodes[0].input_tensors[0]
        while tensor._keras_history.operation not in inputs:  # noise may stand before it
            (tensor,) = tensor._keras_history.operation._inbound_nodes[0].input_tensors
        found[inputs.index(tensor._keras_history.operation)] = layer, tensor
    return [found[index] for index in sorted(found)]
