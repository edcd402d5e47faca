"""The networks of Huang et al., 2024 (arXiv:2501.05441), the paper's configuration E.

Stages of residual blocks, from maps of 4 x 4 to the picture's size in the generator and back in the
discriminator, without any normalization. A block adds to its maps

    1 x 1 to twice the channels, leaky ReLU;  3 x 3 in groups of 16, leaky ReLU;  1 x 1 back

and its last convolution begins at zero, so that a new network is linear. The generator begins with
learned maps, each times a linear function of the latents. Between stages maps are doubled or halved
bilinearly, and the discriminator ends with one number of each channel, the sum of the last maps
times learned ones, in which the logit is linear. A 1 x 1 convolution makes the pictures, without
tanh.

What the paper leaves to its authors' code (brownvc/R3GAN) is as there. Biases are where a leaky
ReLU follows, with slope 0.2, and nowhere else. Initial weights are N(0, 1 / fan-in), the learned
maps N(0, 1); in a block's first two convolutions the deviation is times sqrt(2 / 1.04) L^(-1/4),
with L the number of blocks of the network, so that L of them do not add up. Stages have the same
width up to the fourth one, that of 32 x 32, and from there on half of the one before; between two
widths is a 1 x 1 convolution, on the smaller maps.

Differences from the paper: the smallest maps are 4 x 4 only where the picture's size allows it (28
x 28 has 7 x 7). The widths are those of CIFAR-10 and FFHQ; on ImageNet the authors' networks are
twice as wide, in groups of 32. The form with labels is not here.
"""

import functools
import math

import keras
from keras import layers

from keras_gans.checks import check_count
from keras_gans.layers import Basis2D, BilinearResampling2D, GroupedConv2D, LeakyReLU
from keras_gans.networks._parts import Initializers, check_picture_shape, resolutions
from keras_gans.networks.defaults import OF_POINTS
from keras_gans.networks.mlp import build_mlp_discriminator, build_mlp_generator

EXPANSION = 2
GROUP_SIZE = 16
MULTIPLE = GROUP_SIZE // EXPANSION  # of a width, whose expanded channels are whole groups
SLOPE = 0.2
FULL_STAGES = 4  # from the smallest maps on, those of one width


def build_r3gan_generator(image_shape, latent_dim=64, width=768, blocks=2, seed=None):
    """Builds a generator of pictures.

    Args:
        image_shape: (H, W, C); H and W multiples of 4, C from 1 to 4.
        latent_dim: length of the latents.
        width: channels of the first four stages, a multiple of 8; 768 are the paper's.
        blocks: residual blocks in each stage.
        seed: integer that fixes the initial weights, or None.

    Returns:
        Functional `keras.Model`: latents (batch, latent_dim) to float32 pictures, of any range.

    Raises:
        ValueError: an argument breaks these rules.

    Example:

    >>> build_r3gan_generator((32, 32, 3), width=64).output_shape
    (None, 32, 32, 3)
    """
    shape = check_picture_shape("image_shape", image_shape)
    check_count("latent_dim", latent_dim)
    sizes = resolutions(shape)
    widths = _widths(width, len(sizes))
    make = _Layers(len(sizes) * check_count("blocks", blocks), seed, "r3gan_generator")
    x = latents = keras.Input((latent_dim,), name="latents")
    x = make.dense(widths[0])(x)
    x = Basis2D(sizes[0], basis_initializer=make.normal(1.0))(x)
    for k, channels in enumerate(widths):
        if k > 0:
            if channels != widths[k - 1]:
                x = make.convolution(channels)(x)
            x = BilinearResampling2D("up")(x)
        for _ in range(blocks):
            x = make.block(x)
    pictures = make.convolution(shape[2], dtype="float32", name="pictures")(x)
    return keras.Model(latents, pictures, name="r3gan_generator")


def build_r3gan_discriminator(image_shape, width=768, blocks=2, seed=None):
    """Builds a discriminator of pictures.

    Args:
        image_shape: (H, W, C); H and W multiples of 4, C from 1 to 4.
        width: channels of the last four stages, a multiple of 8; 768 are the paper's.
        blocks: residual blocks in each stage.
        seed: integer that fixes the initial weights, or None.

    Returns:
        Functional `keras.Model`: pictures (batch, H, W, C) to float32 logits (batch, 1).

    Raises:
        ValueError: an argument breaks these rules.

    Example:

    >>> build_r3gan_discriminator((32, 32, 3), width=64).output_shape
    (None, 1)
    """
    shape = check_picture_shape("image_shape", image_shape)
    sizes = resolutions(shape)
    widths = _widths(width, len(sizes))
    make = _Layers(len(sizes) * check_count("blocks", blocks), seed, "r3gan_discriminator")
    x = pictures = keras.Input(shape, name="pictures")
    x = make.convolution(widths[-1])(x)
    for k in reversed(range(len(widths))):
        for _ in range(blocks):
            x = make.block(x)
        if k > 0:
            x = BilinearResampling2D("down")(x)
            if widths[k - 1] != widths[k]:
                x = make.convolution(widths[k - 1])(x)
    deviation = 1 / math.sqrt(math.prod(sizes[0]))  # Keras's fan-in counts all channels
    basis = {"use_bias": False, "depthwise_initializer": make.normal(deviation)}
    x = layers.Flatten()(layers.DepthwiseConv2D(sizes[0], **basis)(x))
    logits = make.dense(1, dtype="float32", name="logits")(x)
    return keras.Model(pictures, logits, name="r3gan_discriminator")


def r3gan_pair(shape, latent_dim, width=None, seed=None):
    """The paper's networks for pictures, dense ones for points.

    Args:
        shape: shape of one sample.
        latent_dim: length of the latents.
        width: channels of the smallest maps of pictures, or None for the paper's 768.
        seed: integer that fixes the initial weights, or None.

    Returns:
        The pair of generator and discriminator.

    Raises:
        ValueError: an argument does not fit the networks.

    Example:

    >>> generator, discriminator = r3gan_pair((32, 32, 3), latent_dim=64, seed=0)
    """
    if len(shape) == 1:
        if width is not None:
            raise ValueError(f"`width` must be None: these are points. Received: {width!r}")
        generator = build_mlp_generator(shape, latent_dim, OF_POINTS, seed=seed)
        return generator, build_mlp_discriminator(shape, OF_POINTS, seed=seed)
    width = 768 if width is None else width
    generator = build_r3gan_generator(shape, latent_dim, width, seed=seed)
    return generator, build_r3gan_discriminator(shape, width, seed=seed)


def _widths(width, stages):
    """Channels of each stage, from the smallest maps to the largest, multiples of 8."""
    width = check_count("width", width)
    if width % MULTIPLE:
        raise ValueError(f"`width` must be a multiple of {MULTIPLE}. Received: {width!r}")
    halvings = (max(0, k + 1 - FULL_STAGES) for k in range(stages))
    return [max(1, width // 2**n // MULTIPLE) * MULTIPLE for n in halvings]


class _Layers:
    """The layers of one network, with their initial weights.

    Args:
        num_blocks: residual blocks in all, the L of their weights' deviation.
        seed: the network's, or None.
        network: its name.
    """

    def __init__(self, num_blocks, seed, network):
        self.num_blocks = num_blocks
        fan_in = functools.partial(
            keras.initializers.VarianceScaling, mode="fan_in", distribution="untruncated_normal"
        )
        variance = 2 / (1 + SLOPE**2) / math.sqrt(num_blocks)
        self.plain = Initializers(functools.partial(fan_in, scale=1.0), seed, network)
        self.before_activation = Initializers(
            functools.partial(fan_in, scale=variance), seed, f"{network}_blocks"
        )

    def normal(self, deviation):
        return keras.initializers.RandomNormal(stddev=deviation, seed=self.plain.next_seed())

    def dense(self, units, **settings):
        return layers.Dense(units, use_bias=False, kernel_initializer=self.plain(), **settings)

    def convolution(self, filters, **settings):
        initializer = {"kernel_initializer": self.plain()}
        return layers.Conv2D(filters, 1, use_bias=False, **initializer, **settings)

    def block(self, x):
        channels, expanded = x.shape[-1], EXPANSION * x.shape[-1]
        y = layers.Conv2D(expanded, 1, kernel_initializer=self.before_activation())(x)
        y = GroupedConv2D(
            expanded,
            3,
            groups=expanded // GROUP_SIZE,
            padding="same",
            kernel_initializer=self.before_activation(),
        )(LeakyReLU(SLOPE)(y))
        last = layers.Conv2D(channels, 1, use_bias=False, kernel_initializer="zeros")
        return layers.Add()([x, last(LeakyReLU(SLOPE)(y))])
