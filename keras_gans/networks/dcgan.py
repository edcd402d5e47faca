"""The DCGAN generator and discriminator (Radford et al., 2016, arXiv:1511.06434, section 3).

Strided convolutions instead of pooling, no hidden dense layers but the projection of the latents,
batch normalization except at the generator's output and the discriminator's input, ReLU in the
generator and LeakyReLU(0.2) in the discriminator, weights from N(0, 0.02), and batch
normalization's scales from N(1, 0.02), as in the authors' code.

Differences from the paper: kernels are 4 x 4 by default, a multiple of the stride, which avoids the
checkerboard of 5 x 5 ones; the width is free; and the smallest maps are those that the picture's
size allows, not always 4 x 4. Layers without normalization behind them have a bias unless
`use_bias=False`, which is the authors' code, and what `DCGAN.from_paper` has.

The encoder is not the paper's: it is the discriminator with the heads of a variational one, or with
latents for its output.
"""

import keras
from keras import layers

from keras_gans.checks import check_count, check_flag
from keras_gans.layers import LeakyReLU
from keras_gans.networks._parts import (
    OF_JUDGES,
    check_normalization,
    check_picture_shape,
    dcgan_initializers,
    dcgan_scales,
    label_input,
    latent_heads,
    normalized,
    resolutions,
    spectral,
)


def build_dcgan_generator(
    image_shape,
    latent_dim=100,
    width=64,
    kernel_size=4,
    normalization="batch",
    num_classes=None,
    use_bias=True,
    seed=None,
):
    """Builds a generator of pictures.

    Args:
        image_shape: (H, W, C); H and W multiples of 4, C from 1 to 4.
        latent_dim: length of the latents.
        width: filters of the largest hidden maps; each halving of the size doubles them, up to 8
            times `width`. The paper's network for 64 x 64 has `width=128`.
        kernel_size: side of the kernels.
        normalization: "batch", "layer", "instance" or None.
        num_classes: number of classes of a label-conditional generator, or None; or a sequence of
            such numbers, of several labels for each sample.
        use_bias: whether layers without normalization behind them have a bias.
        seed: integer that fixes the initial weights, or None.

    Returns:
        Functional `keras.Model`: latents (batch, latent_dim) to float32 pictures in [-1, 1]; with
        `num_classes`, [latents, int labels (batch,)] to pictures.

    Raises:
        ValueError: an argument breaks these rules.

    Example:

    >>> build_dcgan_generator((28, 28, 1)).output_shape
    (None, 28, 28, 1)
    """
    shape = check_picture_shape("image_shape", image_shape)
    check_count("latent_dim", latent_dim), check_count("width", width)
    check_count("kernel_size", kernel_size), check_normalization(normalization)
    check_flag("use_bias", use_bias)
    initializer = dcgan_initializers(seed, "dcgan_generator")
    scales = dcgan_scales(seed, "dcgan_generator")
    latents = keras.Input((latent_dim,), name="latents")
    inputs, x = latents, latents
    if num_classes is not None:
        labels, code = label_input(num_classes)
        inputs, x = [latents, labels], layers.Concatenate()([latents, code])

    sizes = resolutions(shape)
    filters = [width * min(2**k, 8) for k in range(len(sizes) - 1)][::-1]
    (h, w), hidden_bias = sizes[0], use_bias and normalization is None
    x = layers.Dense(h * w * filters[0], use_bias=hidden_bias, kernel_initializer=initializer())(x)
    x = layers.Reshape((h, w, filters[0]))(x)
    x = layers.ReLU()(normalized(x, normalization, scales))
    for count in filters[1:]:
        x = layers.Conv2DTranspose(
            count,
            kernel_size,
            strides=2,
            padding="same",
            use_bias=hidden_bias,
            kernel_initializer=initializer(),
        )(x)
        x = layers.ReLU()(normalized(x, normalization, scales))
    pictures = layers.Conv2DTranspose(
        shape[2],
        kernel_size,
        strides=2,
        padding="same",
        activation="tanh",
        use_bias=use_bias,
        dtype="float32",
        kernel_initializer=initializer(),
        name="pictures",
    )(x)
    return keras.Model(inputs, pictures, name="dcgan_generator")


def build_dcgan_discriminator(
    image_shape,
    width=64,
    kernel_size=4,
    normalization="batch",
    num_classes=None,
    return_features=False,
    use_bias=True,
    seed=None,
):
    """Builds a discriminator of pictures; as a critic, it wants `normalization=None` or "layer".

    Args:
        image_shape: (H, W, C); H and W multiples of 4, C from 1 to 4.
        width: filters of the first layer; each halving of the size doubles them, up to 8 times.
        kernel_size: side of the kernels.
        normalization: "batch", "layer", "instance" or None, never at the first layer; or
            "spectral", of the weights of every layer (Miyato et al., 2018).
        num_classes: number of classes of a label-conditional discriminator, or None. The label
            enters beside the picture, as a learned map of its size.
        return_features: whether the features that the logits are computed from are a second output,
            for losses in the discriminator's own eyes and for further heads.
        use_bias: whether layers without normalization behind them have a bias; that of a label's
            map always has.
        seed: integer that fixes the initial weights, or None.

    Returns:
        Functional `keras.Model`: pictures (batch, H, W, C) to float32 logits (batch, 1); with
        `num_classes`, [pictures, int labels (batch,)] to logits. With `return_features`, to
        [logits, features], where the features are the last convolution's maps after their
        activation, (batch, h, w, filters), 4 x 4 for 64 x 64 pictures.

    Raises:
        ValueError: an argument breaks these rules.

    Example:

    >>> build_dcgan_discriminator((28, 28, 1)).output_shape
    (None, 1)
    >>> build_dcgan_discriminator((28, 28, 1), return_features=True).output_shape
    [(None, 1), (None, 7, 7, 128)]
    """
    shape = check_picture_shape("image_shape", image_shape)
    check_count("width", width), check_count("kernel_size", kernel_size)
    check_normalization(normalization, OF_JUDGES), check_flag("return_features", return_features)
    check_flag("use_bias", use_bias)
    initializer = dcgan_initializers(seed, "dcgan_discriminator")
    scales = dcgan_scales(seed, "dcgan_discriminator")
    pictures = keras.Input(shape, name="pictures")
    inputs, x = pictures, pictures
    if num_classes is not None:
        labels, code = label_input(num_classes)
        dense = layers.Dense(shape[0] * shape[1], kernel_initializer=initializer())
        label_map = spectral(normalization, dense, initializer)(code)
        label_map = layers.Reshape((*shape[:2], 1))(label_map)
        inputs, x = [pictures, labels], layers.Concatenate()([pictures, label_map])

    settings = (normalization, initializer, scales, use_bias)
    x = _convolutions(x, shape, width, kernel_size, *settings)
    last = {"use_bias": use_bias, "dtype": "float32", "name": "logits"}
    dense = layers.Dense(1, kernel_initializer=initializer(), **last)
    logits = spectral(normalization, dense, initializer)(layers.Flatten()(x))
    outputs = [logits, x] if return_features else logits
    return keras.Model(inputs, outputs, name="dcgan_discriminator")


def build_dcgan_encoder(
    image_shape,
    latent_dim=100,
    width=64,
    kernel_size=4,
    normalization="batch",
    seed=None,
    *,
    gaussian=True,
):
    """Builds an encoder of pictures to latents, or Gaussians: the discriminator with other heads.

    Args:
        image_shape: (H, W, C); H and W multiples of 4, C from 1 to 4.
        latent_dim: length of the latents.
        width: filters of the first layer; each halving of the size doubles them, up to 8 times.
        kernel_size: side of the kernels.
        normalization: "batch", "layer", "instance" or None; never at the first layer.
        seed: integer that fixes the initial weights, or None.
        gaussian: whether the outputs are those of a Gaussian; `False` gives the latents alone.

    Returns:
        Functional `keras.Model`: pictures (batch, H, W, C) to float32 [mean, log-variance], each
        (batch, latent_dim); or to latents (batch, latent_dim).

    Raises:
        ValueError: an argument breaks these rules.

    Example:

    >>> build_dcgan_encoder((28, 28, 1), latent_dim=64).output_shape
    [(None, 64), (None, 64)]
    >>> build_dcgan_encoder((28, 28, 1), latent_dim=64, gaussian=False).output_shape
    (None, 64)
    """
    shape = check_picture_shape("image_shape", image_shape)
    check_count("latent_dim", latent_dim), check_count("width", width)
    check_count("kernel_size", kernel_size), check_normalization(normalization)
    initializer = dcgan_initializers(seed, "dcgan_encoder")
    scales = dcgan_scales(seed, "dcgan_encoder")
    pictures = keras.Input(shape, name="pictures")
    x = _convolutions(pictures, shape, width, kernel_size, normalization, initializer, scales)
    outputs = latent_heads(layers.Flatten()(x), latent_dim, initializer, gaussian)
    return keras.Model(pictures, outputs, name="dcgan_encoder")


def _convolutions(x, shape, width, kernel_size, normalization, initializer, scales, use_bias=True):
    """The discriminator's strided convolutions, down to the smallest maps."""
    for k in range(len(resolutions(shape)) - 1):
        first = k == 0
        convolution = layers.Conv2D(
            width * min(2**k, 8),
            kernel_size,
            strides=2,
            padding="same",
            use_bias=use_bias and (first or normalization in (None, "spectral")),
            kernel_initializer=initializer(),
        )
        x = spectral(normalization, convolution, initializer)(x)
        x = LeakyReLU(0.2)(x if first else normalized(x, normalization, scales))
    return x
