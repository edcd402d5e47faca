"""The networks of a Laplacian pyramid of GANs (Denton et al., 2015, arXiv:1506.05751, section 3.1).

The coarsest level has dense networks with two hidden layers; each finer one has a generator of
three convolutions without strides, which is given the noise as one more channel of the low-pass
picture, and a discriminator of two, which begins by adding low-pass and residual. Dropout is in the
discriminators only. There is no batch normalization.

Differences from the paper: LeakyReLU(0.2) in the discriminators, where the paper has ReLU; tanh at
the coarsest picture, since pictures are in [-1, 1] here; one kernel size for all convolutions of a
network (the authors' code has 7, 7 and 5 in generators, 5 in discriminators); Glorot's initial
weights.
"""

import keras
from keras import layers

from keras_gans.checks import check_count, check_seed
from keras_gans.devices.randomness import derive_seed
from keras_gans.layers import Dropout
from keras_gans.networks._parts import Initializers, check_picture_shape
from keras_gans.networks.mlp import build_mlp_discriminator, build_mlp_generator


def _level_shapes(image_shape, levels):
    """Shapes (h, w, C) from the coarsest to the picture's, each twice the one before."""
    multiple = 2 ** (check_count("levels", levels) - 1)
    h, w, channels = check_picture_shape("image_shape", image_shape, multiple)
    return [(h // 2**k, w // 2**k, channels) for k in reversed(range(levels))]


def _glorot(seed, network):
    return Initializers(keras.initializers.GlorotUniform, seed, network)


def build_lapgan_generators(
    image_shape, levels=3, latent_dim=100, width=64, kernel_size=7, units=1200, seed=None
):
    """Builds the generators of a pyramid, from the coarsest to the finest.

    Args:
        image_shape: (H, W, C) of the finest level; H and W multiples of 2^(levels - 1), C from 1
            to 4.
        levels: number of levels; 3 are 7 -> 14 -> 28 for 28 x 28 pictures.
        latent_dim: length of the coarsest level's latents.
        width: filters of the hidden layers of the finer levels.
        kernel_size: side of their kernels.
        units: width of the two hidden layers of the coarsest level.
        seed: integer that fixes the initial weights, or None.

    Returns:
        List of functional `keras.Model`s. The first one: latents (batch, latent_dim) to float32
        pictures (batch, h, w, C) in [-1, 1]. The others: [noise (batch, h, w, 1), low-pass (batch,
        h, w, C)] to float32 residuals (batch, h, w, C), which are not bounded.

    Raises:
        ValueError: an argument breaks these rules.

    Example:

    >>> [g.output_shape[1:] for g in build_lapgan_generators((28, 28, 1))]
    [(7, 7, 1), (14, 14, 1), (28, 28, 1)]
    """
    coarsest, *finer = _level_shapes(image_shape, levels)
    check_count("width", width), check_count("kernel_size", kernel_size)
    hidden = (check_count("units", units),) * 2
    seed_of = derive_seed(check_seed(seed), "lapgan_generator", 0)
    generators = [build_mlp_generator(coarsest, latent_dim, hidden, seed=seed_of)]
    for level, shape in enumerate(finer, 1):
        initializer = _glorot(seed, f"lapgan_generator_{level}")
        noise = keras.Input((*shape[:2], 1), name="noise")
        low_pass = keras.Input(shape, name="low_pass")
        x = layers.Concatenate()([noise, low_pass])
        for _ in range(2):
            x = layers.Conv2D(
                width,
                kernel_size,
                padding="same",
                activation="relu",
                kernel_initializer=initializer(),
            )(x)
        residuals = layers.Conv2D(
            shape[2],
            kernel_size,
            padding="same",
            dtype="float32",
            kernel_initializer=initializer(),
            name="residuals",
        )(x)
        name = f"lapgan_generator_{level}"
        generators.append(keras.Model([noise, low_pass], residuals, name=name))
    return generators


def build_lapgan_discriminators(
    image_shape, levels=3, width=64, kernel_size=5, units=600, dropout=0.5, seed=None
):
    """Builds the discriminators of a pyramid, from the coarsest to the finest.

    Args:
        image_shape: (H, W, C) of the finest level; H and W multiples of 2^(levels - 1), C from 1
            to 4.
        levels: number of levels.
        width: filters of the hidden layers of the finer levels.
        kernel_size: side of their kernels.
        units: width of the two hidden layers of the coarsest level.
        dropout: rate of dropout: after each hidden layer of the coarsest level, before the logits
            of the others.
        seed: integer that fixes the initial weights and the dropout, or None.

    Returns:
        List of functional `keras.Model`s. The first one: pictures (batch, h, w, C) to float32
        logits (batch, 1). The others: [residuals (batch, h, w, C), low-pass (batch, h, w, C)] to
        logits, which depend on their sum only.

    Raises:
        ValueError: an argument breaks these rules.

    Example:

    >>> [d.input_shape for d in build_lapgan_discriminators((28, 28, 1), levels=2)]
    [(None, 14, 14, 1), [(None, 28, 28, 1), (None, 28, 28, 1)]]
    """
    coarsest, *finer = _level_shapes(image_shape, levels)
    check_count("width", width), check_count("kernel_size", kernel_size)
    hidden = (check_count("units", units),) * 2
    seed_of = derive_seed(check_seed(seed), "lapgan_discriminator", 0)
    discriminators = [build_mlp_discriminator(coarsest, hidden, dropout=dropout, seed=seed_of)]
    for level, shape in enumerate(finer, 1):
        initializer = _glorot(seed, f"lapgan_discriminator_{level}")
        residuals = keras.Input(shape, name="residuals")
        low_pass = keras.Input(shape, name="low_pass")
        x = layers.Add()([residuals, low_pass])
        for strides in (1, 2):
            x = layers.Conv2D(
                width,
                kernel_size,
                strides=strides,
                padding="same",
                kernel_initializer=initializer(),
            )(x)
            x = layers.LeakyReLU(0.2)(x)
        x = Dropout(dropout, seed=initializer.next_seed())(layers.Flatten()(x))
        logits = layers.Dense(1, dtype="float32", kernel_initializer=initializer(), name="logits")(
            x
        )
        name = f"lapgan_discriminator_{level}"
        discriminators.append(keras.Model([residuals, low_pass], logits, name=name))
    return discriminators
