"""Several minibatches through a network in one pass, where nothing in it looks across examples."""

import keras
from keras import layers, ops

from keras_gans.layers import (
    EqualizedConv2D,
    EqualizedDense,
    FadeIn,
    LeakyReLU,
    Maxout,
    PixelNormalization,
    ReflectionPadding2D,
    ReLU,
    ResampledConv2D,
)

# What these make of an example depends on it alone, and they draw and keep nothing.
ALONE = (
    layers.Activation,
    layers.Add,
    layers.AveragePooling2D,
    layers.Concatenate,
    layers.Conv2D,
    layers.Conv2DTranspose,
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
    EqualizedConv2D,
    EqualizedDense,
    FadeIn,
    LeakyReLU,
    Maxout,
    PixelNormalization,
    ReflectionPadding2D,
    ReLU,
    ResampledConv2D,
)


def judges_alone(network):
    """Whether a network's output for an example is the same whatever else is in the batch."""
    return isinstance(network, keras.Model) and all(
        judges_alone(layer) if isinstance(layer, keras.Model) else type(layer) in ALONE
        for layer in network.layers
    )


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
