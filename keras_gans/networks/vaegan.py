"""The networks of Larsen et al., 2016 (arXiv:1512.09300), as the authors' code has them.

For 64 x 64 pictures; strided convolutions of 5 x 5, batch normalization and ReLU:

    encoder         64, 128, 256 down; dense 1024; mean and log-variance
    generator       dense to 8 x 8 x 256; 256, 128, 32 up; a convolution to the picture, tanh
    discriminator   32, ReLU; 128, 256, 256 down; dense 512; a logit

For 32 x 32, where the maps are 4 x 4, the generator has 192, 128, 32 and the discriminator 128,
192, 256. Layers in front of a normalization have no bias. The discriminator's features Dis_l are
its last convolution, before normalization.

Differences from the authors' code: initial weights are Glorot's; sizes other than 32 and 64 are
allowed; epsilon of batch normalization is 1e-5, there 1e-6.
"""

import keras
from keras import layers

from keras_gans.checks import check_count
from keras_gans.networks._parts import (
    NORMALIZATIONS,
    Initializers,
    check_normalization,
    check_picture_shape,
    latent_heads,
)

SMALL = 32  # sides of up to this have the networks of 32 x 32


class _Parts:
    """Layers of one network, with initial weights of its seed."""

    def __init__(self, shape, normalization, seed, name):
        self.shape = check_picture_shape("image_shape", shape, multiple=8)
        check_normalization(normalization)
        self.normalization, self.is_small = normalization, max(self.shape[:2]) <= SMALL
        self.initializer = Initializers(keras.initializers.GlorotUniform, seed, name)

    @property
    def smallest(self):
        return (self.shape[0] // 8, self.shape[1] // 8, 256)

    def convolution(self, kind, filters, strides=1, **settings):
        settings = {"padding": "same", "kernel_initializer": self.initializer(), **settings}
        return kind(filters, 5, strides=strides, **settings)

    def hidden(self, kind, filters):
        """A convolution of stride 2 and what comes behind it, apart."""
        layer = self.convolution(kind, filters, 2, use_bias=self.normalization is None)
        return layer, lambda x: layers.ReLU()(NORMALIZATIONS[self.normalization]()(x))

    def dense(self, x, units):
        use_bias = self.normalization is None
        x = layers.Dense(units, use_bias=use_bias, kernel_initializer=self.initializer())(x)
        return layers.ReLU()(NORMALIZATIONS[self.normalization]()(x))


def build_vaegan_encoder(image_shape, latent_dim=128, normalization="batch", seed=None):
    """Builds the encoder.

    Args:
        image_shape: (H, W, C); H and W multiples of 8, C from 1 to 4.
        latent_dim: length of the latents.
        normalization: "batch", "layer", "instance" or None.
        seed: integer that fixes the initial weights, or None.

    Returns:
        Functional `keras.Model`: pictures (batch, H, W, C) to float32 [mean, log-variance], each
        (batch, latent_dim).

    Raises:
        ValueError: an argument breaks these rules.

    Example:

    >>> build_vaegan_encoder((64, 64, 3)).output_shape
    [(None, 128), (None, 128)]
    """
    part = _Parts(image_shape, normalization, seed, "vaegan_encoder")
    check_count("latent_dim", latent_dim)
    x = pictures = keras.Input(part.shape, name="pictures")
    for filters in (64, 128, 256):
        layer, behind = part.hidden(layers.Conv2D, filters)
        x = behind(layer(x))
    x = part.dense(layers.Flatten()(x), 1024)
    outputs = latent_heads(x, latent_dim, part.initializer)
    return keras.Model(pictures, outputs, name="vaegan_encoder")


def build_vaegan_generator(image_shape, latent_dim=128, normalization="batch", seed=None):
    """Builds the generator, the paper's decoder.

    Args:
        image_shape, latent_dim, normalization, seed: see `build_vaegan_encoder`.

    Returns:
        Functional `keras.Model`: latents (batch, latent_dim) to float32 pictures in [-1, 1].

    Raises:
        ValueError: an argument breaks these rules.

    Example:

    >>> build_vaegan_generator((64, 64, 3)).output_shape
    (None, 64, 64, 3)
    """
    part = _Parts(image_shape, normalization, seed, "vaegan_generator")
    x = latents = keras.Input((check_count("latent_dim", latent_dim),), name="latents")
    height, width, filters = part.smallest
    x = layers.Reshape(part.smallest)(part.dense(x, height * width * filters))
    for filters in (192 if part.is_small else 256, 128, 32):
        layer, behind = part.hidden(layers.Conv2DTranspose, filters)
        x = behind(layer(x))
    last = {"activation": "tanh", "dtype": "float32", "name": "pictures"}
    pictures = part.convolution(layers.Conv2D, part.shape[2], **last)(x)
    return keras.Model(latents, pictures, name="vaegan_generator")


def build_vaegan_discriminator(image_shape, normalization="batch", seed=None):
    """Builds the discriminator.

    Args:
        image_shape, normalization, seed: see `build_vaegan_encoder`.

    Returns:
        Functional `keras.Model`: pictures (batch, H, W, C) to float32 [logits (batch, 1), features
        (batch, H / 8, W / 8, 256)].

    Raises:
        ValueError: an argument breaks these rules.

    Example:

    >>> build_vaegan_discriminator((64, 64, 3)).output_shape
    [(None, 1), (None, 8, 8, 256)]
    """
    part = _Parts(image_shape, normalization, seed, "vaegan_discriminator")
    pictures = keras.Input(part.shape, name="pictures")
    x = layers.ReLU()(part.convolution(layers.Conv2D, 32)(pictures))
    for filters in (128, 192 if part.is_small else 256, 256):
        layer, behind = part.hidden(layers.Conv2D, filters)
        features = layer(x)
        x = behind(features)
    x = part.dense(layers.Flatten()(x), 512)
    last = {"dtype": "float32", "name": "logits"}
    logits = layers.Dense(1, kernel_initializer=part.initializer(), **last)(x)
    return keras.Model(pictures, [logits, features], name="vaegan_discriminator")
