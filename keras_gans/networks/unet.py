"""The U-Net of pix2pix: a picture halved as often as it can be, and doubled back.

Isola et al., 2017 (arXiv:1611.07004, section 3.2.1 and appendix 6.1). Convolutions of 4 x 4 with
stride 2 lead down, C64-C128-C256-C512-C512-C512-C512-C512 for 256 x 256 pixels; transposed ones
lead up, each given what the layer of its size on the way down made, beside what comes from below.
LeakyReLUs of slope 0.2 stand before the convolutions on the way down, ReLUs before those up.
Neither the first nor the innermost convolution is normalized: with a picture at a time,
normalization would make the innermost 1 x 1 pixels zero. Dropout of 0.5 stands behind the innermost
layers of the way up; it is the only noise that the generator has.

Differences from the paper: pictures of 128, 64, ... pixels have a level less each, and one layer
less with dropout, down to none for 32. Sides that are no powers of 2 end before they are one pixel:
28 at 7, after two levels, 100 at 25, 160 at 5.
"""

import numbers

import keras
from keras import layers

from keras_gans.checks import check_count
from keras_gans.devices.randomness import derive_seed
from keras_gans.layers import Dropout
from keras_gans.networks._parts import (
    check_normalization,
    check_picture_shape,
    dcgan_initializers,
    dcgan_scales,
    normalized,
)

WIDEST = 8  # times `width`
WITH_DROPOUT = 3  # layers, at most
MOST_LEVELS = 8


def halvings(shape):
    """How often pictures (H, W, C) can be halved in both directions, up to the paper's 8 times."""
    levels = 0
    while levels < MOST_LEVELS and not any(side % 2 ** (levels + 1) for side in shape[:2]):
        levels += 1
    return levels


def build_unet_generator(
    image_shape,
    channels=None,
    width=64,
    num_levels=None,
    dropout=0.5,
    normalization="instance",
    seed=None,
):
    """Builds the generator of pix2pix.

    Args:
        image_shape: (H, W, C) of the pictures that it is given; H and W multiples of 4, C from 1 to
            4.
        channels: channels of the pictures that it makes, 1 to 4, or None for as many as given.
        width: filters of the first layer; later ones have twice as many each, up to 8 times.
        num_levels: how often pictures are halved, at least 2. None is as often as both sides can
            be, up to the paper's 8 times: 256 x 256 pixels become one.
        dropout: share of the values that the layers behind the innermost ones drop while training,
            in [0, 1). As many layers have it as there are levels beyond 5, up to the paper's 3.
        normalization: "instance", which with a picture at a time is what the authors have; "batch",
            "layer" or None.
        seed: integer that fixes the initial weights and the noise, or None.

    Returns:
        Functional `keras.Model`: pictures (batch, H, W, C) to pictures (batch, H, W, channels),
        float32 in [-1, 1].

    Raises:
        ValueError: an argument breaks these rules.

    Example:

    >>> generator = build_unet_generator((256, 256, 3))
    >>> generator.output_shape, round(generator.count_params() / 1e6, 1)
    ((None, 256, 256, 3), 54.4)
    """
    shape = check_picture_shape("image_shape", image_shape)
    channels = shape[2] if channels is None else check_count("channels", channels)
    if channels > 4:
        raise ValueError(f"`channels` must be from 1 to 4, or None. Received: {channels}")
    check_count("width", width), check_normalization(normalization)
    possible = halvings(shape)
    levels = possible if num_levels is None else check_count("num_levels", num_levels)
    if not 2 <= levels <= possible:
        raise ValueError(
            f"`num_levels` must be from 2 to {possible}, as often as both sides of pictures of "
            f"shape {shape} can be halved, or None. Received: {num_levels}"
        )
    is_number = isinstance(dropout, numbers.Real) and not isinstance(dropout, bool)
    if not is_number or not 0 <= dropout < 1:
        raise ValueError(f"`dropout` must be in [0, 1). Received: {dropout!r}")
    initializer, scales = dcgan_initializers(seed, "unet"), dcgan_scales(seed, "unet")
    filters = [width * min(2**level, WIDEST) for level in range(levels)]
    dropped = min(WITH_DROPOUT, max(0, levels - 5)) if dropout else 0

    def convolution(kind, filters, x, is_normalized, **kwargs):
        kwargs |= {"padding": "same", "kernel_initializer": initializer()}
        has_bias = normalization is None or not is_normalized
        x = kind(filters, 4, 2, use_bias=has_bias, **kwargs)(x)
        return normalized(x, normalization, scales) if is_normalized else x

    pictures = keras.Input(shape, name="pictures")
    made, x = [], convolution(layers.Conv2D, filters[0], pictures, False)
    for level in range(1, levels):
        # What is given across has been through it too: the ReLU after that leaves what it leaves.
        made.append(layers.LeakyReLU(0.2)(x))
        x = convolution(layers.Conv2D, filters[level], made[-1], level < levels - 1)
    for k, across in enumerate(reversed(made)):
        x = convolution(layers.Conv2DTranspose, across.shape[-1], layers.ReLU()(x), True)
        if k < dropped:
            x = Dropout(dropout, seed=derive_seed(seed, "unet", "dropout", k))(x)
        x = layers.Concatenate()([x, across])
    x = convolution(layers.Conv2DTranspose, channels, layers.ReLU()(x), False)
    images = layers.Activation("tanh", dtype="float32", name="images")(x)
    return keras.Model(pictures, images, name="unet_generator")
