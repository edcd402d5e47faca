"""The BEGAN generator and auto-encoder (Berthelot et al., 2017, arXiv:1703.10717, section 3.5).

3 x 3 convolutions with ELU. The encoder begins with one of n filters; then there are two at every
size, of n, 2n, 3n, ... filters, and between sizes one with stride 2. The decoder has two at every
size, of n filters throughout, and doubles maps to their nearest neighbours. Dense layers without
an activation lead to and from the hidden state. There is no normalization and no dropout, and
outputs are linear. After each upsampling the decoder sees its first maps again (the skip
connections among the paper's optional refinements). The generator is a decoder with weights of its
own.

Differences from the paper: the other refinement, vanishing residuals, is left out; the smallest
maps are 8 x 8 only where the picture's size allows it (28 x 28 begins at 7 x 7). The paper does not
name initial weights; here they are Glorot's.
"""

import functools

import keras
from keras import layers

from keras_gans.checks import check_count
from keras_gans.layers import ResampledConv2D
from keras_gans.networks._parts import Initializers, check_picture_shape, resolutions

SMALLEST = 7  # a side is not halved below it


def build_began_generator(
    image_shape, latent_dim=64, width=64, repeats=2, skip_connections=True, seed=None
):
    """Builds a generator of pictures.

    Args:
        image_shape: (H, W, C); H and W multiples of 4, C from 1 to 4.
        latent_dim: length of the latents, the paper's N_z.
        width: filters of each convolution, the paper's n (64 and 128).
        repeats: convolutions at each size.
        skip_connections: whether the first maps enter again after each upsampling.
        seed: integer that fixes the initial weights, or None.

    Returns:
        Functional `keras.Model`: latents (batch, latent_dim) to float32 pictures, which are not
        bounded: training brings them into [-1, 1].

    Raises:
        ValueError: an argument breaks these rules.

    Example:

    >>> build_began_generator((32, 32, 3)).output_shape
    (None, 32, 32, 3)
    """
    shape = check_picture_shape("image_shape", image_shape)
    check_count("latent_dim", latent_dim)
    _check_arguments(width, repeats, skip_connections)
    initializer = Initializers(keras.initializers.GlorotUniform, seed, "began_generator")
    latents = keras.Input((latent_dim,), name="latents")
    x = _decode(latents, shape, width, repeats, skip_connections, initializer)
    pictures = _convolution(shape[2], initializer, None, dtype="float32", name="pictures")(x)
    return keras.Model(latents, pictures, name="began_generator")


def build_began_discriminator(
    image_shape, hidden_dim=64, width=64, repeats=2, skip_connections=True, seed=None
):
    """Builds an auto-encoder of pictures.

    Args:
        image_shape: (H, W, C); H and W multiples of 4, C from 1 to 4.
        hidden_dim: length of the hidden state h, the paper's N_h.
        width: filters of the largest maps, the paper's n (64 and 128); each halving of the size
            adds as many in the encoder.
        repeats: convolutions at each size, beside the first one and those with stride 2.
        skip_connections: as in `build_began_generator`.
        seed: integer that fixes the initial weights, or None.

    Returns:
        Functional `keras.Model`: pictures (batch, H, W, C) to float32 reconstructions of the same
        shape.

    Raises:
        ValueError: an argument breaks these rules.

    Example:

    >>> build_began_discriminator((32, 32, 3)).output_shape
    (None, 32, 32, 3)
    """
    shape = check_picture_shape("image_shape", image_shape)
    check_count("hidden_dim", hidden_dim)
    _check_arguments(width, repeats, skip_connections)
    initializer = Initializers(keras.initializers.GlorotUniform, seed, "began_discriminator")
    pictures = keras.Input(shape, name="pictures")
    x = _convolution(width, initializer)(pictures)
    for level in range(len(resolutions(shape, SMALLEST))):
        if level:
            x = _convolution(level * width, initializer, strides=2)(x)
        for _ in range(repeats):
            x = _convolution((level + 1) * width, initializer)(x)
    x = layers.Flatten()(x)
    x = layers.Dense(hidden_dim, kernel_initializer=initializer(), name="hidden_state")(x)
    x = _decode(x, shape, width, repeats, skip_connections, initializer)
    output = _convolution(shape[2], initializer, None, dtype="float32", name="reconstructions")
    return keras.Model(pictures, output(x), name="began_discriminator")


def _decode(vectors, shape, width, repeats, skip_connections, initializer):
    """From vectors (batch, dim) to maps (batch, H, W, width)."""
    sizes = resolutions(shape, SMALLEST)
    h, w = sizes[0]
    x = layers.Dense(h * w * width, kernel_initializer=initializer())(vectors)
    first = x = layers.Reshape((h, w, width))(x)
    for level in range(len(sizes)):
        if level and skip_connections:
            skip = layers.UpSampling2D(2 ** (level - 1))(first) if level > 1 else first
            x = layers.Concatenate()([x, skip])
        for k in range(repeats):
            doubling = bool(level) and k == 0
            x = _convolution(width, initializer, doubling=doubling)(x)
    return x


def _convolution(filters, initializer, activation="elu", strides=1, doubling=False, **kwargs):
    convolution = functools.partial(ResampledConv2D, resampling="up") if doubling else layers.Conv2D
    return convolution(
        filters,
        3,
        strides=strides,
        padding="same",
        activation=activation,
        kernel_initializer=initializer(),
        **kwargs,
    )


def _check_arguments(width, repeats, skip_connections):
    check_count("width", width), check_count("repeats", repeats)
    if not isinstance(skip_connections, bool):
        raise ValueError(
            f"`skip_connections` must be True or False. Received: {skip_connections!r}"
        )
