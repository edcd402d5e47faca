"""The networks of a Laplacian pyramid of GANs (Denton et al., 2015, arXiv:1506.05751, section 3.1).

The coarsest level has dense networks with two hidden layers; each finer one has a generator of
three convolutions without strides, which is given the noise as one more channel of the low-pass
picture, and a discriminator of two without padding, which begins by adding low-pass and residual.
Dropout is in the discriminators only. There is no batch normalization.

Class-conditional networks take a label too. At the coarsest level its one-hot code joins the
latents, or the picture; a finer network makes one more channel of it, by a dense layer with ReLU,
as in the authors' code (facebook/eyescream, train_cifar_coarse_to_fine_classcond.lua).

Differences from the paper: LeakyReLU(0.2) in the discriminators, where the paper has ReLU; tanh at
the coarsest picture, since pictures are in [-1, 1] here; Glorot's initial weights; padding in the
discriminators of pictures that are too small for two convolutions without (below 9 pixels with
kernels of 5), as the paper's are not.
"""

import keras
from keras import layers

from keras_gans.checks import check_count, check_seed
from keras_gans.devices.randomness import derive_seed
from keras_gans.layers import Dropout
from keras_gans.networks._parts import Initializers, check_picture_shape, label_input
from keras_gans.networks.mlp import build_mlp_discriminator, build_mlp_generator


def _level_shapes(image_shape, levels):
    """Shapes (h, w, C) from the coarsest to the picture's, each twice the one before."""
    multiple = 2 ** (check_count("levels", levels) - 1)
    h, w, channels = check_picture_shape("image_shape", image_shape, multiple)
    return [(h // 2**k, w // 2**k, channels) for k in reversed(range(levels))]


def _glorot(seed, network):
    return Initializers(keras.initializers.GlorotUniform, seed, network)


def _label_plane(num_classes, size, initializer):
    """The input `labels` (batch,), and what is learnt of it, one more channel (batch, h, w, 1)."""
    labels, code = label_input(num_classes)
    pixels = layers.Dense(size[0] * size[1], "relu", kernel_initializer=initializer())(code)
    return labels, layers.Reshape((*size, 1))(pixels)


def _kernel_sizes(kernel_size):
    """Those of the three convolutions of a generator."""
    if not isinstance(kernel_size, tuple | list):
        return [check_count("kernel_size", kernel_size)] * 3
    if len(kernel_size) != 3:
        raise ValueError(
            "`kernel_size` must be one number, or one for each of 3 convolutions. "
            f"Received: {kernel_size!r}"
        )
    return [check_count("kernel_size", size) for size in kernel_size]


def build_lapgan_generators(
    image_shape,
    levels=3,
    latent_dim=100,
    width=64,
    kernel_size=(7, 7, 5),
    units=1200,
    num_classes=None,
    seed=None,
):
    """Builds the generators of a pyramid, from the coarsest to the finest.

    Args:
        image_shape: (H, W, C) of the finest level; H and W multiples of 2^(levels - 1), C from 1
            to 4.
        levels: number of levels; 3 are 7 -> 14 -> 28 for 28 x 28 pictures.
        latent_dim: length of the coarsest level's latents.
        width: filters of the hidden layers of the finer levels.
        kernel_size: side of their kernels, one number or that of each of the three convolutions.
        units: width of the two hidden layers of the coarsest level.
        num_classes: number of classes of label-conditional generators, or None.
        seed: integer that fixes the initial weights, or None.

    Returns:
        List of functional `keras.Model`s. The first one: latents (batch, latent_dim) to float32
        pictures (batch, h, w, C) in [-1, 1]. The others: [noise (batch, h, w, 1), low-pass (batch,
        h, w, C)] to float32 residuals (batch, h, w, C), which are not bounded. With `num_classes`,
        int labels (batch,) are one more input of each, its last.

    Raises:
        ValueError: an argument breaks these rules.

    Example:

    >>> [g.output_shape[1:] for g in build_lapgan_generators((28, 28, 1))]
    [(7, 7, 1), (14, 14, 1), (28, 28, 1)]
    """
    coarsest, *finer = _level_shapes(image_shape, levels)
    check_count("width", width)
    *kernel_sizes, last_size = _kernel_sizes(kernel_size)
    hidden = (check_count("units", units),) * 2
    seed_of = derive_seed(check_seed(seed), "lapgan_generator", 0)
    generators = [
        build_mlp_generator(coarsest, latent_dim, hidden, num_classes=num_classes, seed=seed_of)
    ]
    for level, shape in enumerate(finer, 1):
        initializer = _glorot(seed, f"lapgan_generator_{level}")
        noise = keras.Input((*shape[:2], 1), name="noise")
        low_pass = keras.Input(shape, name="low_pass")
        inputs, channels = [noise, low_pass], [noise, low_pass]
        if num_classes is not None:
            labels, plane = _label_plane(num_classes, shape[:2], initializer)
            inputs, channels = [*inputs, labels], [noise, plane, low_pass]
        x = layers.Concatenate()(channels)
        for size in kernel_sizes:
            x = layers.Conv2D(
                width,
                size,
                padding="same",
                activation="relu",
                kernel_initializer=initializer(),
            )(x)
        residuals = layers.Conv2D(
            shape[2],
            last_size,
            padding="same",
            dtype="float32",
            kernel_initializer=initializer(),
            name="residuals",
        )(x)
        name = f"lapgan_generator_{level}"
        generators.append(keras.Model(inputs, residuals, name=name))
    return generators


def build_lapgan_discriminators(
    image_shape,
    levels=3,
    width=64,
    kernel_size=5,
    units=600,
    dropout=0.5,
    num_classes=None,
    seed=None,
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
        num_classes: number of classes of label-conditional discriminators, or None.
        seed: integer that fixes the initial weights and the dropout, or None.

    Returns:
        List of functional `keras.Model`s. The first one: pictures (batch, h, w, C) to float32
        logits (batch, 1). The others: [residuals (batch, h, w, C), low-pass (batch, h, w, C)] to
        logits, which depend on their sum only. With `num_classes`, int labels (batch,) are one more
        input of each, its last.

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
    discriminators = [
        build_mlp_discriminator(
            coarsest,
            hidden,
            dropout=dropout,
            num_classes=num_classes,
            label_units=None,
            seed=seed_of,
        )
    ]
    for level, shape in enumerate(finer, 1):
        initializer = _glorot(seed, f"lapgan_discriminator_{level}")
        residuals = keras.Input(shape, name="residuals")
        low_pass = keras.Input(shape, name="low_pass")
        inputs, x = [residuals, low_pass], layers.Add()([residuals, low_pass])
        if num_classes is not None:
            labels, plane = _label_plane(num_classes, shape[:2], initializer)
            inputs, x = [*inputs, labels], layers.Concatenate()([x, plane])
        padding = "valid" if min(shape[:2]) >= 2 * kernel_size - 1 else "same"
        for strides in (1, 2):
            x = layers.Conv2D(
                width,
                kernel_size,
                strides=strides,
                padding=padding,
                kernel_initializer=initializer(),
            )(x)
            x = layers.LeakyReLU(0.2)(x)
        x = Dropout(dropout, seed=initializer.next_seed())(layers.Flatten()(x))
        logits = layers.Dense(1, dtype="float32", kernel_initializer=initializer(), name="logits")(
            x
        )
        name = f"lapgan_discriminator_{level}"
        discriminators.append(keras.Model(inputs, logits, name=name))
    return discriminators
