"""The networks of the domain transfer network (Taigman et al., 2017, arXiv:1611.02200, section 5).

Those for digits of 32 x 32 pixels: an encoder f of four convolutions with 64, 128, 256 and 128
filters, pooling and ReLUs, which learns to tell the classes of the source; a decoder g of four
transposed convolutions with batch normalization and ReLUs, and tanh at its end; a discriminator of
four convolutions with batch normalization and ReLUs, which tells three classes of pictures.

The last convolution of the encoder and of the discriminator, and the first one of the decoder,
cover their whole map: they are dense layers here, with the same weights in another form.

Differences from the paper: kernels of 3 x 3 in the encoder and of 4 x 4 elsewhere, and the filters
of decoder and discriminator, are ours. Maps are halved, or doubled, as often as the picture's size
allows: 28 x 28 pixels end at 7 x 7 after two of the paper's three times, 64 x 64 after four at 4 x
4. The most filters are 4 times `width`.
"""

import keras
from keras import layers

from keras_gans.checks import check_count
from keras_gans.networks._parts import (
    Initializers,
    check_picture_shape,
    dcgan_initializers,
    dcgan_scales,
    normalized,
    resolutions,
)

WIDEST = 4  # times `width`
JUDGED_AS = 3  # classes of the discriminator


def filters_of(shape, width):
    """Filters of the layers before each halving of pictures (H, W, C)."""
    return [width * min(2**k, WIDEST) for k in range(len(resolutions(shape)) - 1)]


def build_dtn_encoder(image_shape, feature_dim=128, width=64, seed=None):
    """Builds the network f, whose features both domains have; it is random until it is trained.

    Args:
        image_shape: (H, W, C); H and W multiples of 4, C from 1 to 4.
        feature_dim: length of the features.
        width: filters of the first layer; later ones have twice as many each, up to 4 times.
        seed: integer that fixes the initial weights, or None.

    Returns:
        Functional `keras.Model`: pictures (batch, H, W, C) in [-1, 1] to float32 features (batch,
        feature_dim), none of them negative.

    Raises:
        ValueError: an argument breaks these rules.

    Example:

    >>> build_dtn_encoder((32, 32, 3)).output_shape
    (None, 128)
    """
    shape = check_picture_shape("image_shape", image_shape)
    check_count("feature_dim", feature_dim), check_count("width", width)
    initializer = Initializers(keras.initializers.HeNormal, seed, "dtn_encoder")
    x = pictures = keras.Input(shape, name="pictures")
    for filters in filters_of(shape, width):
        x = layers.Conv2D(filters, 3, padding="same", kernel_initializer=initializer())(x)
        x = layers.MaxPooling2D()(layers.ReLU()(x))
    x = layers.Flatten()(x)
    features = layers.Dense(
        feature_dim,
        activation="relu",
        dtype="float32",
        kernel_initializer=initializer(),
        name="features",
    )(x)
    return keras.Model(pictures, features, name="dtn_encoder")


def build_dtn_classifier(encoder, num_classes, seed=None):
    """Builds a classifier on an encoder, by which the encoder is trained: the layers are the same.

    Args:
        encoder: built `keras.Model`, pictures to features (batch, feature_dim).
        num_classes: number of classes, at least 2.
        seed: integer that fixes the initial weights of the last layer, or None.

    Returns:
        Functional `keras.Model`: pictures to float32 logits (batch, num_classes).

    Raises:
        ValueError: an argument breaks these rules.

    Example:

    >>> encoder = build_dtn_encoder((32, 32, 3), seed=0)
    >>> classifier = build_dtn_classifier(encoder, num_classes=10, seed=0)
    >>> loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    >>> classifier.compile(optimizer="adam", loss=loss)
    >>> history = classifier.fit(load("digits/", labels=True))  # and so is `encoder` trained
    """
    if check_count("num_classes", num_classes) < 2:
        raise ValueError(f"`num_classes` must be at least 2. Received: {num_classes}")
    if not isinstance(encoder, keras.Model) or len(encoder.output_shape) != 2:
        shape = getattr(encoder, "output_shape", None)
        raise ValueError(
            "`encoder` must be a built keras.Model with one output, features (batch, feature_dim). "
            f"Received: {type(encoder).__name__} with the output {shape}"
        )
    initializer = Initializers(keras.initializers.GlorotUniform, seed, "dtn_classifier")
    pictures = keras.Input(encoder.input_shape[1:], name="pictures")
    dense = layers.Dense(
        num_classes, dtype="float32", kernel_initializer=initializer(), name="class_logits"
    )
    return keras.Model(pictures, dense(encoder(pictures)), name="dtn_classifier")


def build_dtn_decoder(feature_dim, image_shape, width=128, seed=None):
    """Builds the network g, which makes pictures of the target out of features.

    Args:
        feature_dim: length of the features.
        image_shape: (H, W, C); H and W multiples of 4, C from 1 to 4.
        width: filters of the last hidden layer; earlier ones have twice as many each, up to 4
            times.
        seed: integer that fixes the initial weights, or None.

    Returns:
        Functional `keras.Model`: features (batch, feature_dim) to float32 pictures (batch, H, W, C)
        in [-1, 1].

    Raises:
        ValueError: an argument breaks these rules.

    Example:

    >>> build_dtn_decoder(128, (32, 32, 1)).output_shape
    (None, 32, 32, 1)
    """
    shape = check_picture_shape("image_shape", image_shape)
    check_count("feature_dim", feature_dim), check_count("width", width)
    initializer, scales = dcgan_initializers(seed, "dtn"), dcgan_scales(seed, "dtn")
    first, *later = reversed(filters_of(shape, width))
    height, breadth = resolutions(shape)[0]
    features = keras.Input((feature_dim,), name="features")
    x = layers.Dense(height * breadth * first, use_bias=False, kernel_initializer=initializer())(
        features
    )
    x = layers.Reshape((height, breadth, first))(x)
    x = layers.ReLU()(normalized(x, "batch", scales))
    for filters in later:
        x = layers.Conv2DTranspose(
            filters, 4, 2, "same", use_bias=False, kernel_initializer=initializer()
        )(x)
        x = layers.ReLU()(normalized(x, "batch", scales))
    x = layers.Conv2DTranspose(
        shape[2], 4, 2, padding="same", kernel_initializer=initializer(), dtype="float32"
    )(x)
    images = layers.Activation("tanh", dtype="float32", name="images")(x)
    return keras.Model(features, images, name="dtn_decoder")


def build_dtn_discriminator(image_shape, width=128, seed=None):
    """Builds the discriminator of three classes of pictures.

    Args:
        image_shape: (H, W, C); H and W multiples of 4, C from 1 to 4.
        width: filters of the first layer; later ones have twice as many each, up to 4 times.
        seed: integer that fixes the initial weights, or None.

    Returns:
        Functional `keras.Model`: pictures (batch, H, W, C) in [-1, 1] to float32 logits (batch, 3)
        of what is made of the source, what is made of the target, and the target.

    Raises:
        ValueError: an argument breaks these rules.

    Example:

    >>> build_dtn_discriminator((32, 32, 1)).output_shape
    (None, 3)
    """
    shape = check_picture_shape("image_shape", image_shape)
    check_count("width", width)
    name = "dtn_discriminator"
    initializer, scales = dcgan_initializers(seed, name), dcgan_scales(seed, name)
    x = pictures = keras.Input(shape, name="pictures")
    for filters in filters_of(shape, width):
        x = layers.Conv2D(filters, 4, 2, "same", use_bias=False, kernel_initializer=initializer())(
            x
        )
        x = layers.ReLU()(normalized(x, "batch", scales))
    dense = layers.Dense(
        JUDGED_AS, dtype="float32", kernel_initializer=initializer(), name="logits"
    )
    return keras.Model(pictures, dense(layers.Flatten()(x)), name=name)
