"""The discriminator of Miyato et al., 2018 (arXiv:1802.05957), for CIFAR-10.

Pre-activation residual blocks of two 3 x 3 convolutions: the first ones halve the maps by mean
pooling, the last two keep them, and the logit is linear in the sum over the maps. There is no
normalization but the spectral one, which all layers have. The generator is that of
`keras_gans.networks.residual` with 256 filters.

What the paper leaves to its authors' code (pfnet-research/sngan_projection) is as there: the first
block begins with a convolution and pools before its shortcut; the last layer has no bias; initial
weights are uniform, Glorot's, with twice the variance in the 3 x 3 convolutions.

Differences from the paper: the number of blocks follows the picture's size (32 x 32 has the
paper's).
"""

import functools

import keras
from keras import layers, ops

from keras_gans.checks import check_count, check_sample_shape
from keras_gans.layers import ReLU, ResampledConv2D, SpectralNormalization
from keras_gans.networks._parts import Initializers, check_picture_shape, resolutions
from keras_gans.networks.defaults import OF_POINTS
from keras_gans.networks.mlp import build_mlp_generator
from keras_gans.networks.residual import build_residual_generator

SMALLEST = 7  # a side of the maps is not halved below it


def build_sngan_discriminator(image_shape, width=128, seed=None):
    """Builds a discriminator with spectral normalization in every layer.

    Args:
        image_shape: (H, W, C); H and W multiples of 4, C from 1 to 4.
        width: filters of each convolution.
        seed: integer that fixes the initial weights, or None.

    Returns:
        Functional `keras.Model`: pictures (batch, H, W, C) to float32 logits (batch, 1).

    Raises:
        ValueError: an argument breaks these rules.

    Example:

    >>> build_sngan_discriminator((32, 32, 3)).output_shape
    (None, 1)
    """
    shape = check_picture_shape("image_shape", image_shape)
    check_count("width", width)
    doubled = functools.partial(
        keras.initializers.VarianceScaling, scale=2.0, mode="fan_avg", distribution="uniform"
    )
    doubled = Initializers(doubled, seed, "sngan_discriminator_doubled")
    glorot = Initializers(keras.initializers.GlorotUniform, seed, "sngan_discriminator_glorot")

    def convolution(x, kernel_size, initializer, **settings):
        settings |= {"padding": "same", "kernel_initializer": initializer()}
        layer = ResampledConv2D(width, kernel_size, **settings)
        return SpectralNormalization(layer, seed=glorot.next_seed())(x)

    def convolutions(x, resampling=None):
        """A block's two; maps are halved after the second."""
        x = ReLU()(convolution(x, 3, doubled))
        return convolution(x, 3, doubled, resampling=resampling)

    x = pictures = keras.Input(shape, name="pictures")
    for k in range(len(resolutions(shape, SMALLEST)) - 1):
        y = convolutions(x if k == 0 else ReLU()(x), "down")
        # A 1 x 1 convolution and the mean of pixels commute: the maps are the small ones.
        x = layers.Add()([convolution(layers.AveragePooling2D(2)(x), 1, glorot), y])
    for _ in range(2):
        x = layers.Add()([x, convolutions(ReLU()(x))])
    x = ops.sum(ReLU()(x), axis=(1, 2))
    dense = layers.Dense(1, use_bias=False, dtype="float32", kernel_initializer=glorot())
    last = {"seed": glorot.next_seed(), "dtype": "float32", "name": "logits"}
    logits = SpectralNormalization(dense, **last)(x)
    return keras.Model(pictures, logits, name="sngan_discriminator")


def build_spectral_mlp(shape, hidden, seed=None):
    """Builds a discriminator of points: dense layers with ReLU, all with spectral normalization.

    Args:
        shape: (features,).
        hidden: units of the hidden layers.
        seed: integer that fixes the initial weights, or None.

    Returns:
        Functional `keras.Model`: points (batch, features) to float32 logits (batch, 1).

    Raises:
        ValueError: an argument breaks these rules.

    Example:

    >>> build_spectral_mlp((2,), (128, 128)).output_shape
    (None, 1)
    """
    glorot = Initializers(keras.initializers.GlorotUniform, seed, "spectral_mlp")

    def dense(x, units, **settings):
        layer = layers.Dense(check_count("hidden", units), kernel_initializer=glorot(), **settings)
        return SpectralNormalization(layer, seed=glorot.next_seed(), **settings)(x)

    x = points = keras.Input(check_sample_shape("shape", shape), name="points")
    for units in hidden:
        x = ReLU()(dense(x, units))
    return keras.Model(points, dense(x, 1, dtype="float32"), name="spectral_mlp")


def sngan_pair(shape, latent_dim, seed=None):
    """The paper's residual networks for pictures, dense ones for points.

    Args:
        shape: shape of one sample.
        latent_dim: length of the latents.
        seed: integer that fixes the initial weights, or None.

    Returns:
        The pair of generator and discriminator.

    Raises:
        ValueError: an argument does not fit the networks.

    Example:

    >>> generator, discriminator = sngan_pair((32, 32, 3), latent_dim=128, seed=0)
    """
    if len(shape) == 1:
        generator = build_mlp_generator(shape, latent_dim, OF_POINTS, seed=seed)
        return generator, build_spectral_mlp(shape, OF_POINTS, seed=seed)
    generator = build_residual_generator(shape, latent_dim, width=256, seed=seed)
    return generator, build_sngan_discriminator(shape, seed=seed)
