"""The residual generator that makes pictures out of pictures.

Johnson et al., 2016 (arXiv:1603.08155), in the form of Zhu et al., 2017 (arXiv:1703.10593,
appendix): c7s1-64, d128, d256, R256 six or nine times, u128, u64, c7s1-3. Two strided convolutions
make the picture small, residual blocks change it, two fractionally-strided ones make it large
again.

Differences from the paper: instance normalization has a scale and an offset for each channel, as
layers of Keras have, and so the convolutions before it have no bias. Strided convolutions are
padded by zeros at the bottom and the right, which is what padding "same" is in TensorFlow, and
fractionally-strided ones likewise.
"""

import keras
from keras import layers

from keras_gans.checks import check_count
from keras_gans.layers import ReflectionPadding2D
from keras_gans.networks._parts import (
    NORMALIZATIONS,
    check_normalization,
    check_picture_shape,
    dcgan_initializers,
)


def build_resnet_generator(
    image_shape, channels=None, width=64, num_blocks=None, normalization="instance", seed=None
):
    """Builds a generator that makes pictures out of pictures of the same size.

    Args:
        image_shape: (H, W, C) of the pictures that go in; H and W multiples of 4, at least 8, C
            from 1 to 4.
        channels: channels of the pictures that come out, from 1 to 4; C when `None`.
        width: filters of the first convolution.
        num_blocks: residual blocks; when `None` the paper's, 6 for pictures of up to 128 pixels and
            9 for larger ones.
        normalization: "instance", "batch", "layer" or None.
        seed: integer that fixes the initial weights, or None.

    Returns:
        Functional `keras.Model`: pictures (batch, H, W, C) to float32 pictures (batch, H, W,
        channels) in [-1, 1].

    Raises:
        ValueError: an argument breaks these rules.

    Example:

    >>> build_resnet_generator((256, 256, 3)).output_shape
    (None, 256, 256, 3)
    """
    shape = check_picture_shape("image_shape", image_shape)
    if min(shape[:2]) < 8:  # a quarter of it is padded by reflection
        raise ValueError(f"`image_shape` must have sides of at least 8. Received: {shape!r}")
    channels = shape[2] if channels is None else check_count("channels", channels)
    if channels > 4:
        raise ValueError(f"`channels` must be from 1 to 4. Received: {channels}")
    if num_blocks is None:
        num_blocks = 6 if max(shape[:2]) <= 128 else 9
    check_count("width", width), check_count("num_blocks", num_blocks)
    check_normalization(normalization)
    initializer = dcgan_initializers(seed, "resnet_generator")

    def normalized(convolution, filters, kernel_size, **kwargs):
        layer = convolution(
            filters,
            kernel_size,
            use_bias=normalization is None,
            kernel_initializer=initializer(),
            **kwargs,
        )
        return lambda x: NORMALIZATIONS[normalization]()(layer(x))

    def residual_block(x, filters):
        y = normalized(layers.Conv2D, filters, 3)(ReflectionPadding2D(1)(x))
        y = normalized(layers.Conv2D, filters, 3)(ReflectionPadding2D(1)(layers.ReLU()(y)))
        return layers.Add()([x, y])

    pictures = keras.Input(shape, name="pictures")
    x = normalized(layers.Conv2D, width, 7)(ReflectionPadding2D(3)(pictures))
    x = layers.ReLU()(x)
    for filters in (2 * width, 4 * width):
        x = normalized(layers.Conv2D, filters, 3, strides=2, padding="same")(x)
        x = layers.ReLU()(x)
    for _ in range(num_blocks):
        x = residual_block(x, 4 * width)
    for filters in (2 * width, width):
        x = normalized(layers.Conv2DTranspose, filters, 3, strides=2, padding="same")(x)
        x = layers.ReLU()(x)
    translated = layers.Conv2D(
        channels,
        7,
        activation="tanh",
        dtype="float32",
        kernel_initializer=initializer(),
        name="translated",
    )(ReflectionPadding2D(3)(x))
    return keras.Model(pictures, translated, name="resnet_generator")
