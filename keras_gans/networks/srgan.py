"""The super-resolution networks of SRResNet and SRGAN.

Ledig et al., 2017 (arXiv:1609.04802, figure 4). The generator, SRResNet, is k9n64 - 16 residual
blocks (k3n64, batch normalization, PReLU, k3n64, batch normalization) - k3n64, batch normalization,
and a skip over all of them - twice k3n256, pixel shuffle, PReLU - k9n3. It works on the low picture
until the end, and on any size. The discriminator is eight convolutions of 3 x 3, of 64 to 512
filters, every second with stride 2, and dense layers of 1024 and 1, LeakyReLUs of slope 0.2
between.

Differences from the paper, which does not say how weights begin: convolutions begin with Glorot's
uniform distribution, and the PReLUs with a slope of 0.25 (He et al., 2015), where Keras's begin
with 0. Enlargement by 3 is one stage, that by 8 three.
"""

import functools
import itertools

import keras
from keras import layers

from keras_gans.checks import check_count, check_flag, check_int, check_member
from keras_gans.layers import BicubicUpsampling2D, PixelShuffle2D
from keras_gans.networks._parts import (
    NORMALIZATIONS,
    Initializers,
    check_normalization,
    check_picture_shape,
)

STAGES = {2: (2,), 3: (3,), 4: (2, 2), 8: (2, 2, 2)}  # by how much each of them enlarges
SLOPE = 0.25


def build_srresnet_generator(
    scale=4, channels=3, width=64, num_blocks=16, normalization="batch", bicubic=False, seed=None
):
    """Builds the generator of SRResNet and SRGAN, for pictures of any size.

    Args:
        scale: 2, 3, 4 or 8, by how much it enlarges both sides.
        channels: channels of the pictures, 1 to 4.
        width: filters of all but the convolutions before a pixel shuffle, which have scale^2 times
            as many as its maps.
        num_blocks: residual blocks.
        normalization: "batch", "instance", "layer" or None.
        bicubic: whether what it makes is added to the bicubic enlargement of the picture, and is
            zero in the beginning. No part of the paper: it then begins at what is to be surpassed,
            and gets beyond it within a hundred steps.
        seed: integer that fixes the initial weights, or None.

    Returns:
        Functional `keras.Model`: pictures (batch, H, W, channels) to float32 pictures (batch, scale
        H, scale W, channels), for [-1, 1] but not limited to it.

    Raises:
        ValueError: an argument breaks these rules.

    Example:

    >>> generator = build_srresnet_generator(scale=4)
    >>> generator.output_shape, generator(np.zeros((1, 24, 31, 3), "float32")).shape
    ((None, None, None, 3), TensorShape([1, 96, 124, 3]))
    """
    check_member("scale", scale, STAGES)
    if check_int("channels", channels, 1) > 4:
        raise ValueError(f"`channels` must be from 1 to 4. Received: {channels}")
    check_count("width", width), check_count("num_blocks", num_blocks)
    check_normalization(normalization), check_flag("bicubic", bicubic)
    initializer = Initializers(keras.initializers.GlorotUniform, seed, "srresnet")
    has_bias = normalization is None

    def convolution(x, filters, size, use_bias=True):
        settings = {"padding": "same", "kernel_initializer": initializer()}
        return layers.Conv2D(filters, size, use_bias=use_bias, **settings)(x)

    def normalized(x):
        x = convolution(x, width, 3, use_bias=has_bias)
        return NORMALIZATIONS[normalization]()(x)

    def prelu(x):
        slope = keras.initializers.Constant(SLOPE)
        return layers.PReLU(slope, shared_axes=(1, 2))(x)

    pictures = keras.Input((None, None, channels), name="pictures")
    x = first = prelu(convolution(pictures, width, 9))
    for _ in range(num_blocks):
        x = layers.Add()([x, normalized(prelu(normalized(x)))])
    x = layers.Add()([first, normalized(x)])
    for stage in STAGES[scale]:
        x = prelu(PixelShuffle2D(stage)(convolution(x, width * stage**2, 3)))
    last = "zeros" if bicubic else initializer()
    settings = {"padding": "same", "kernel_initializer": last, "dtype": "float32"}
    images = layers.Conv2D(channels, 9, **settings, name="images")(x)
    if bicubic:
        enlarged = BicubicUpsampling2D(scale, dtype="float32", name="bicubic")(pictures)
        images = layers.Add(dtype="float32", name="sum")([enlarged, images])
    return keras.Model(pictures, images, name="srresnet_generator")


def build_srgan_discriminator(image_shape, width=64, normalization="batch", seed=None):
    """Builds the discriminator of SRGAN.

    Args:
        image_shape: (H, W, C) of the high pictures; H and W multiples of 4, C from 1 to 4. The
            paper's are 96 x 96.
        width: filters of the first two layers; later ones have up to 8 times as many, and the dense
            one 16 times.
        normalization: "batch", "instance", "layer" or None, never at the first layer.
        seed: integer that fixes the initial weights, or None.

    Returns:
        Functional `keras.Model`: pictures (batch, H, W, C) to float32 logits (batch, 1).

    Raises:
        ValueError: an argument breaks these rules.

    Example:

    >>> build_srgan_discriminator((96, 96, 3)).output_shape
    (None, 1)
    """
    shape = check_picture_shape("image_shape", image_shape)
    check_count("width", width), check_normalization(normalization)
    initializer = Initializers(keras.initializers.GlorotUniform, seed, "srgan_discriminator")
    weighted = functools.partial(layers.Conv2D, kernel_size=3, padding="same")
    pictures = x = keras.Input(shape, name="pictures")
    for times, strides in itertools.product((1, 2, 4, 8), (1, 2)):
        is_first = x is pictures
        settings = {"strides": strides, "kernel_initializer": initializer()}
        settings["use_bias"] = is_first or normalization is None
        x = weighted(times * width, **settings)(x)
        x = layers.LeakyReLU(0.2)(x if is_first else NORMALIZATIONS[normalization]()(x))
    x = layers.Dense(16 * width, kernel_initializer=initializer())(layers.Flatten()(x))
    x = layers.LeakyReLU(0.2)(x)
    logits = layers.Dense(1, kernel_initializer=initializer(), dtype="float32", name="logits")(x)
    return keras.Model(pictures, logits, name="srgan_discriminator")
