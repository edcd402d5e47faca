"""Several minibatches through a network in one pass, where nothing in it looks across examples."""

import keras
from keras import layers, ops

# What these layers of Keras make of an example depends on it alone, and they draw and keep nothing.
# The package's own say so themselves, by the attribute `acts_alone`.
ALONE = (
    layers.Activation,
    layers.Add,
    layers.AveragePooling2D,
    layers.Concatenate,
    layers.Conv2D,
    layers.Conv2DTranspose,
    layers.Cropping2D,
    layers.Dense,
    layers.ELU,
    layers.Flatten,
    layers.GlobalAveragePooling2D,
    layers.GroupNormalization,
    layers.Identity,
    layers.InputLayer,
    layers.LayerNormalization,
    layers.LeakyReLU,
    layers.MaxPooling2D,
    layers.ReLU,
    layers.Reshape,
    layers.UpSampling2D,
    layers.ZeroPadding2D,
)


def judges_alone(network):
    """Whether a network's output for an example is the same whatever else is in the batch."""
    return isinstance(network, keras.Model) and all(
        judges_alone(layer) if isinstance(layer, keras.Model) else _is_alone(type(layer))
        for layer in network.layers
    )


def _is_alone(layer_class):
    """Whether a class of layers says so itself; a subclass may do something else."""
    return layer_class in ALONE or vars(layer_class).get("acts_alone", False)


def in_one_pass(network, *batches):
    """The network's outputs for each of several batches, in training.

    One pass over all of them takes less time than a pass each. Where the network has layers that
    look across examples, as batch normalization does, or that draw random numbers, or where the
    batches differ in shape, it is a pass each after all: the numbers are the same in any case.

    Args:
        network: `keras.Model` with one input and one output.
        *batches: tensors (batch, ...).

    Returns:
        List of the outputs, one for each batch.

    Example:

    >>> real_logits, fake_logits = in_one_pass(self.critic, reals, fakes)
    """
    shapes = {(tuple(batch.shape), batch.dtype) for batch in batches}
    if len(shapes) > 1 or batches[0].shape[0] is None or not judges_alone(network):
        return [network(batch, training=True) for batch in batches]
    return ops.split(network(ops.concatenate(batches), training=True), len(batches))
