"""The discriminator of patches: a map of logits, one for each patch of the picture.

Isola et al., 2017 (arXiv:1611.07004, section 3.2.2); as in Zhu et al., 2017 (arXiv:1703.10593,
appendix): C64-C128-C256-C512 and a convolution to one channel, all of 4 x 4, with stride 2 but for
the last two. A logit sees 70 x 70 pixels. Every convolution is padded by one zero on each side, as
in the authors' code: pictures of 256 x 256 get 30 x 30 logits. Their "PixelGAN" is C64-C128 of one
pixel and a convolution to one channel: a logit sees one pixel.

The discriminator of pix2pix sees two pictures at once, the one that is given and the one that is
judged, one behind the other in its channels.

Differences from the papers: by default normalization has a scale and an offset for each channel, as
layers of Keras have, and so the convolutions before it have no bias. `affine=False` is the authors'
code of CycleGAN, and what its `from_paper` has.
"""

import keras
from keras import layers

from keras_gans.checks import check_count, check_int
from keras_gans.networks._parts import (
    OF_JUDGES,
    check_normalization,
    check_picture_shape,
    dcgan_initializers,
    plain_or_affine,
    spectral,
)


def build_patchgan_discriminator(
    image_shape, width=64, num_layers=3, normalization="instance", affine=True, seed=None
):
    """Builds a discriminator of the patches of a picture.

    Args:
        image_shape: (H, W, C); H and W multiples of 4, C from 1 to 8: of two pictures of 4.
        width: filters of the first layer; each later one has twice as many, up to 8 times `width`.
        num_layers: convolutions with stride 2. A logit sees 16, 34, 70, 142, 286 pixels square for
            1, 2, 3, 4, 5 of them; for 0 all layers are of 1 x 1, and it sees 1 pixel.
        normalization: "instance", "batch", "layer" or None, never at the first layer; or
            "spectral", of the weights of every layer (Miyato et al., 2018).
        affine: whether the normalization has scales and offsets; without them the convolutions
            before it have a bias, which it takes away again.
        seed: integer that fixes the initial weights, or None.

    Returns:
        Functional `keras.Model`: pictures (batch, H, W, C) to float32 logits (batch, h, w, 1).

    Raises:
        ValueError: an argument breaks these rules, or the picture is too small for `num_layers`.

    Example:

    >>> build_patchgan_discriminator((256, 256, 3)).output_shape
    (None, 30, 30, 1)
    """
    shape = check_picture_shape("image_shape", image_shape, channels=8)
    check_count("width", width), check_int("num_layers", num_layers, 0)
    check_normalization(normalization, OF_JUDGES)
    if num_layers and min(shape[:2]) < 3 * 2**num_layers:  # two convolutions more take a pixel each
        raise ValueError(
            f"`num_layers` must be so small that the picture can be halved as often to at least 3 "
            f"pixels. Received: {num_layers} for pictures of shape {shape}"
        )
    of_normalization = plain_or_affine(affine)
    has_bias = normalization in (None, "spectral") or not affine
    initializer = dcgan_initializers(seed, "patchgan_discriminator")

    def convolution(x, filters, strides, **kwargs):
        kwargs |= {"strides": strides, "kernel_initializer": initializer()}
        size = 4 if num_layers else 1
        layer = spectral(normalization, layers.Conv2D(filters, size, **kwargs), initializer)
        return layer(layers.ZeroPadding2D(1)(x) if num_layers else x)

    pictures = keras.Input(shape, name="pictures")
    x = layers.LeakyReLU(0.2)(convolution(pictures, width, 2 if num_layers else 1))
    for k in range(1, max(1, num_layers) + 1):
        filters, strides = width * min(2**k, 8), 2 if k < num_layers else 1
        x = convolution(x, filters, strides, use_bias=has_bias)
        x = layers.LeakyReLU(0.2)(OF_JUDGES[normalization](**of_normalization)(x))
    logits = convolution(x, 1, 1, dtype="float32", name="logits")
    return keras.Model(pictures, logits, name="patchgan_discriminator")
