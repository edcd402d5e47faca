"""InfoGAN's generator and discriminator of MNIST (Chen et al., 2016, arXiv:1606.03657, table 1).

DCGAN's with a dense layer of 1024 more: in the generator in front of the maps, in the discriminator
behind them. What comes out of the latter are the features, which D's logits and the recognition
network Q (`build_recognition_head`) are made of. Kernels are 4 x 4, strides 2; ReLU in the
generator and LeakyReLU(0.1) in the discriminator, where the authors' code has a slope of 0.01.

Differences from the paper:
- Layers in front of a batch normalization have no biases, which it would take away again.
- Pictures are in [-1, 1] and come out of a tanh. The authors' are in [0, 1] and come out of a
  sigmoid s: 2 s(x) - 1 is tanh(x / 2).
- For 28 x 28 pictures the layers are the paper's. Larger ones have more convolutions, each halving
  of the size doubles the filters, as in DCGAN.
"""

import keras
from keras import layers

from keras_gans.checks import check_count
from keras_gans.layers import LeakyReLU
from keras_gans.networks._parts import (
    check_picture_shape,
    dcgan_initializers,
    dcgan_scales,
    label_input,
    normalized,
    resolutions,
)

KERNEL = 4
SLOPE = 0.1


def build_infogan_generator(
    image_shape, latent_dim=64, num_categories=10, width=64, units=1024, seed=None
):
    """Builds a generator of pictures out of noise and codes.

    Args:
        image_shape: (H, W, C); H and W multiples of 4, C from 1 to 4.
        latent_dim: length of the latents, the noise and behind it the continuous codes; 62 and 2
            in the paper.
        num_categories: number of values of the categorical code, or a sequence of such numbers, of
            several codes.
        width: filters of the largest hidden maps; each halving of the size doubles them, up to 8
            times `width`.
        units: width of the dense layer.
        seed: integer that fixes the initial weights, or None.

    Returns:
        Functional `keras.Model`: [latents (batch, latent_dim), int categories (batch,)] to float32
        pictures in [-1, 1]; of several codes, categories (batch, codes).

    Raises:
        ValueError: an argument breaks these rules.

    Example:

    >>> generator = build_infogan_generator((28, 28, 1))
    >>> generator.output_shape, generator.count_params()
    ((None, 28, 28, 1), 6659841)
    """
    shape = check_picture_shape("image_shape", image_shape)
    check_count("latent_dim", latent_dim), check_count("width", width)
    check_count("units", units)
    initializer = dcgan_initializers(seed, "infogan_generator")
    scales = dcgan_scales(seed, "infogan_generator")

    def dense(units, x):
        x = layers.Dense(units, use_bias=False, kernel_initializer=initializer())(x)
        return layers.ReLU()(normalized(x, "batch", scales))

    def upconv(filters, x, **settings):
        settings |= {"strides": 2, "padding": "same", "kernel_initializer": initializer()}
        return layers.Conv2DTranspose(filters, KERNEL, **settings)(x)

    latents = keras.Input((latent_dim,), name="latents")
    categories, code = label_input(num_categories, "num_categories")
    (h, w), *larger = resolutions(shape)
    filters = [width * min(2**k, 8) for k in range(len(larger))][::-1]
    x = dense(units, layers.Concatenate()([latents, code]))
    x = layers.Reshape((h, w, filters[0]))(dense(h * w * filters[0], x))
    for count in filters[1:]:
        x = layers.ReLU()(normalized(upconv(count, x, use_bias=False), "batch", scales))
    pictures = upconv(shape[2], x, activation="tanh", dtype="float32", name="pictures")
    return keras.Model([latents, categories], pictures, name="infogan_generator")


def build_infogan_discriminator(image_shape, width=64, units=1024, seed=None):
    """Builds a discriminator of pictures with the features that Q reads.

    Args:
        image_shape: (H, W, C); H and W multiples of 4, C from 1 to 4.
        width: filters of the first layer; each halving of the size doubles them, up to 8 times.
        units: width of the dense layer, the number of features.
        seed: integer that fixes the initial weights, or None.

    Returns:
        Functional `keras.Model`: pictures (batch, H, W, C) to float32 [logits (batch, 1), features
        (batch, units)].

    Raises:
        ValueError: an argument breaks these rules.

    Example:

    >>> discriminator = build_infogan_discriminator((28, 28, 1))
    >>> discriminator.output_shape, discriminator.count_params()
    ([(None, 1), (None, 1024)], 6560321)
    >>> recognition = build_recognition_head((1024,), num_categories=10, num_continuous=2)
    """
    shape = check_picture_shape("image_shape", image_shape)
    check_count("width", width), check_count("units", units)
    initializer = dcgan_initializers(seed, "infogan_discriminator")
    scales = dcgan_scales(seed, "infogan_discriminator")
    pictures = x = keras.Input(shape, name="pictures")
    for k in range(len(resolutions(shape)) - 1):
        x = layers.Conv2D(
            width * min(2**k, 8),
            KERNEL,
            strides=2,
            padding="same",
            use_bias=k == 0,
            kernel_initializer=initializer(),
        )(x)
        x = LeakyReLU(SLOPE)(normalized(x, "batch", scales) if k else x)
    x = layers.Dense(units, use_bias=False, kernel_initializer=initializer())(layers.Flatten()(x))
    features = LeakyReLU(SLOPE)(normalized(x, "batch", scales))
    logits = layers.Dense(1, dtype="float32", kernel_initializer=initializer(), name="logits")
    return keras.Model(pictures, [logits(features), features], name="infogan_discriminator")
