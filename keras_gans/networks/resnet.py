"""The residual generator that makes pictures out of pictures.

Johnson et al., 2016 (arXiv:1603.08155), in the form of Zhu et al., 2017 (arXiv:1703.10593,
appendix): c7s1-64, d128, d256, R256 six or nine times, u128, u64, c7s1-3. Two strided convolutions
make the picture small, residual blocks change it, two fractionally-strided ones make it large
again.

Differences from the paper: by default instance normalization has a scale and an offset for each
channel, as layers of Keras have, and so the convolutions before it have no bias; strided
convolutions are padded by zeros at the bottom and the right, which is what padding "same" is in
TensorFlow, and fractionally-strided ones likewise. `affine=False` and `symmetric=True` are the
authors' code, and what `CycleGAN.from_paper` has.
"""

import keras
from keras import layers

from keras_gans.checks import check_count, check_flag
from keras_gans.layers import ReflectionPadding2D
from keras_gans.networks._parts import (
    NORMALIZATIONS,
    check_normalization,
    check_picture_shape,
    dcgan_initializers,
    plain_or_affine,
)


def build_resnet_generator(
    image_shape,
    channels=None,
    width=64,
    num_blocks=None,
    normalization="instance",
    affine=True,
    symmetric=False,
    seed=None,
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
        affine: whether the normalization has scales and offsets; without them the convolutions
            before it have a bias, which it takes away again.
        symmetric: whether convolutions with strides are padded by zeros on all sides alike.
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
    check_normalization(normalization), check_flag("symmetric", symmetric)
    of_normalization = plain_or_affine(affine)
    initializer = dcgan_initializers(seed, "resnet_generator")

    def normalized(convolution, filters, kernel_size, cropped=None, **kwargs):
        layer = convolution(
            filters,
            kernel_size,
            use_bias=normalization is None or not affine,
            kernel_initializer=initializer(),
            **kwargs,
        )
        after = NORMALIZATIONS[normalization](**of_normalization)
        return lambda x: after(layer(x) if cropped is None else cropped(layer(x)))

    def halved(x, filters):
        if not symmetric:
            return normalized(layers.Conv2D, filters, 3, strides=2, padding="same")(x)
        return normalized(layers.Conv2D, filters, 3, strides=2)(layers.ZeroPadding2D(1)(x))

    def doubled(x, filters):
        if not symmetric:
            return normalized(layers.Conv2DTranspose, filters, 3, strides=2, padding="same")(x)
        # All of it is 2 n + 1 wide, of which the first row and column are left out.
        cropped = layers.Cropping2D(((1, 0), (1, 0)))
        return normalized(layers.Conv2DTranspose, filters, 3, cropped, strides=2)(x)

    def residual_block(x, filters):
        y = normalized(layers.Conv2D, filters, 3)(ReflectionPadding2D(1)(x))
        y = normalized(layers.Conv2D, filters, 3)(ReflectionPadding2D(1)(layers.ReLU()(y)))
        return layers.Add()([x, y])

    pictures = keras.Input(shape, name="pictures")
    x = normalized(layers.Conv2D, width, 7)(ReflectionPadding2D(3)(pictures))
    x = layers.ReLU()(x)
    for filters in (2 * width, 4 * width):
        x = layers.ReLU()(halved(x, filters))
    for _ in range(num_blocks):
        x = residual_block(x, 4 * width)
    for filters in (2 * width, width):
        x = layers.ReLU()(doubled(x, filters))
    translated = layers.Conv2D(
        channels,
        7,
        activation="tanh",
        dtype="float32",
        kernel_initializer=initializer(),
        name="translated",
    )(ReflectionPadding2D(3)(x))
    return keras.Model(pictures, translated, name="resnet_generator")
