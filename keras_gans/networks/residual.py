"""The residual networks of Gulrajani et al., 2017 (arXiv:1704.00028, appendix F), for CIFAR-10.

Pre-activation residual blocks of two 3 x 3 convolutions, all of one width. The generator's double
the size by nearest neighbours, with batch normalization before each ReLU; the critic's first ones
halve it by mean pooling, the last two keep it, and its logit is that of the mean over the maps.

What the paper leaves to its authors' code is as there: the first block of the critic begins with a
convolution, has no normalization and pools before its shortcut; the last ReLU of the critic has no
normalization before it; initial weights are uniform, with variance 4 / (fan-in + fan-out) in the 3
x 3 convolutions of the blocks and half of it, Glorot's, in all other layers. The code doubles maps
before a block's first convolution, where the paper's text says the second.

The class-conditional form is the authors' too: in the generator's blocks each class has scales and
offsets of its own behind batch normalization (Dumoulin et al., 2017, arXiv:1610.07629), and the
critic has logits of the classes beside its own, as in AC-GAN (Odena et al., 2017,
arXiv:1610.09585).

Differences from the paper: the number of blocks follows the picture's size (32 x 32 has the
paper's); the smallest maps are 4 x 4 and 8 x 8 only where that size allows it (28 x 28 has 7 x 7 in
both networks); and what batch and instance normalization would take away again, the biases of
convolutions that lead to nothing else, is left out.
"""

import functools

import keras
from keras import layers

from keras_gans.checks import check_count
from keras_gans.layers import ReLU, ResampledConv2D
from keras_gans.networks._parts import (
    OF_JUDGES,
    Initializers,
    check_normalization,
    check_picture_shape,
    label_input,
    resolutions,
    spectral,
)

SMALLEST = 7  # a side of the critic's maps is not halved below it


def build_residual_generator(
    image_shape, latent_dim=128, width=128, normalization="batch", num_classes=None, seed=None
):
    """Builds a generator of pictures.

    Args:
        image_shape: (H, W, C); H and W multiples of 4, C from 1 to 4.
        latent_dim: length of the latents.
        width: filters of each convolution but the last.
        normalization: "batch", "layer", "instance" or None.
        num_classes: number of classes of a label-conditional generator, which wants "batch", or
            None.
        seed: integer that fixes the initial weights, or None.

    Returns:
        Functional `keras.Model`: latents (batch, latent_dim) to float32 pictures in [-1, 1]; with
        `num_classes`, [latents, int labels (batch,)] to pictures.

    Raises:
        ValueError: an argument breaks these rules.

    Example:

    >>> build_residual_generator((32, 32, 3)).output_shape
    (None, 32, 32, 3)
    """
    shape = check_picture_shape("image_shape", image_shape)
    check_count("latent_dim", latent_dim), check_count("width", width)
    check_normalization(normalization)
    if num_classes is not None and normalization != "batch":
        raise ValueError(
            "`normalization` must be 'batch' where there are classes, which have scales and "
            f"offsets of their own behind it. Received: {normalization!r}"
        )
    he, glorot = _initializers(seed, "residual_generator")
    sizes = resolutions(shape)
    h, w = sizes[0]
    inputs = latents = keras.Input((latent_dim,), name="latents")
    code = None
    if num_classes is not None:
        labels, code = label_input(check_count("num_classes", num_classes))
        inputs = [latents, labels]
    x = layers.Dense(h * w * width, kernel_initializer=glorot())(latents)
    x = layers.Reshape((h, w, width))(x)
    for _ in sizes[1:]:
        # All sums lead to a normalization, through shortcuts at last to the one before the output.
        y = _activated(x, normalization, code)
        has_bias = _has_bias(normalization)
        y = _convolutions(y, width, normalization, he, has_bias, doubling=True, code=code)
        # A 1 x 1 convolution and the copying of pixels commute: the paper's convolution of the
        # large maps, exactly, at a quarter of the work.
        shortcut = _shortcut(x, width, normalization, glorot, _has_bias(normalization))
        x = layers.Add()([layers.UpSampling2D(2)(shortcut), y])
    pictures = layers.Conv2D(
        shape[2],
        3,
        padding="same",
        activation="tanh",
        dtype="float32",
        kernel_initializer=glorot(),
        name="pictures",
    )(_activated(x, normalization))
    return keras.Model(inputs, pictures, name="residual_generator")


def build_residual_discriminator(
    image_shape, width=128, normalization=None, class_logits=None, seed=None
):
    """Builds a discriminator of pictures, by default the paper's critic.

    Args:
        image_shape: (H, W, C); H and W multiples of 4, C from 1 to 4.
        width: filters of each convolution.
        normalization: "layer", "instance", "batch" or None, before each ReLU of the blocks but the
            first; or "spectral", of the weights of every layer. A critic with a gradient penalty
            wants None or "layer".
        class_logits: number of classes that a second output tells apart, or None.
        seed: integer that fixes the initial weights, or None.

    Returns:
        Functional `keras.Model`: pictures (batch, H, W, C) to float32 logits (batch, 1); with
        `class_logits`, to [logits, logits of the classes (batch, class_logits)].

    Raises:
        ValueError: an argument breaks these rules.

    Example:

    >>> build_residual_discriminator((32, 32, 3)).output_shape
    (None, 1)
    """
    shape = check_picture_shape("image_shape", image_shape)
    check_count("width", width), check_normalization(normalization, OF_JUDGES)
    he, glorot = _initializers(seed, "residual_discriminator")
    x = pictures = keras.Input(shape, name="pictures")
    for k in range(len(resolutions(shape, SMALLEST)) - 1):
        if k == 0:
            first = "spectral" if normalization == "spectral" else None
            y = _convolutions(x, width, first, he, halving=True)
        else:
            y = _activated(x, normalization)
            y = _convolutions(y, width, normalization, he, halving=True)
        # A 1 x 1 convolution and the mean of pixels commute: here too the maps are the small ones.
        shortcut = _shortcut(layers.AveragePooling2D(2)(x), width, normalization, glorot)
        x = layers.Add()([shortcut, y])
    for _ in range(2):
        y = _convolutions(_activated(x, normalization), width, normalization, he)
        x = layers.Add()([x, y])
    x = layers.GlobalAveragePooling2D()(ReLU()(x))

    def head(units, name):
        dense = layers.Dense(units, dtype="float32", kernel_initializer=glorot(), name=name)
        return spectral(normalization, dense, glorot)(x)

    outputs = head(1, "logits")
    if class_logits is not None:
        count = check_count("class_logits", class_logits)
        outputs = [outputs, head(count, "class_logits")]
    return keras.Model(pictures, outputs, name="residual_discriminator")


def residual_pair(shape, latent_dim, num_classes=None, seed=None):
    """The paper's residual networks of pictures.

    Args:
        shape: (H, W, C).
        latent_dim: length of the latents.
        num_classes: number of classes of the class-conditional form, or `None`.
        seed: integer that fixes the initial weights, or `None`.

    Returns:
        The pair of generator and critic.

    Raises:
        ValueError: an argument does not fit the networks.

    Example:

    >>> generator, critic = residual_pair((32, 32, 3), latent_dim=128, num_classes=10, seed=0)
    >>> critic.output_shape
    [(None, 1), (None, 10)]
    """
    generator = build_residual_generator(shape, latent_dim, num_classes=num_classes, seed=seed)
    return generator, build_residual_discriminator(shape, class_logits=num_classes, seed=seed)


def _initializers(seed, network):
    """He's, with the mean of fan-in and fan-out as in the authors' code, and Glorot's."""
    he = functools.partial(
        keras.initializers.VarianceScaling, scale=2.0, mode="fan_avg", distribution="uniform"
    )
    return (
        Initializers(he, seed, f"{network}_he"),
        Initializers(keras.initializers.GlorotUniform, seed, f"{network}_glorot"),
    )


def _has_bias(normalization):
    """Whether a constant of a channel gets through; layer normalization's mean is of them all."""
    return normalization in (None, "layer", "spectral")


def _activated(x, normalization, code=None):
    if code is None:
        return ReLU()(OF_JUDGES[normalization]()(x))
    x = OF_JUDGES[normalization](center=False, scale=False)(x)
    scales, offsets = (
        layers.Dense(x.shape[-1], use_bias=False, kernel_initializer=initializer)(code)
        for initializer in ("ones", "zeros")
    )
    of_maps = layers.Reshape((1, 1, x.shape[-1]))
    return ReLU()(layers.Add()([layers.Multiply()([x, of_maps(scales)]), of_maps(offsets)]))


def _convolutions(
    x, width, normalization, he, use_bias=True, doubling=False, halving=False, code=None
):
    """A block's two convolutions and what is between them; `use_bias` is the second one's.

    Maps are doubled before the first one, or halved after the second.
    """
    first, last = "up" if doubling else None, "down" if halving else None

    def convolution(x, resampling, use_bias):
        settings = {"padding": "same", "use_bias": use_bias, "kernel_initializer": he()}
        layer = ResampledConv2D(width, 3, resampling=resampling, **settings)
        return spectral(normalization, layer, he)(x)

    x = convolution(x, first, _has_bias(normalization))
    return convolution(_activated(x, normalization, code), last, use_bias)


def _shortcut(x, width, normalization, glorot, use_bias=True):
    layer = layers.Conv2D(width, 1, use_bias=use_bias, kernel_initializer=glorot())
    return spectral(normalization, layer, glorot)(x)
