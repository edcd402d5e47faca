"""The networks of Salimans et al., 2016 (arXiv:1606.03498): a classifier against a generator.

Layers as in the authors' code, which is for MNIST, SVHN and CIFAR-10. A discriminator has noise at
its input and between its layers, weight normalization everywhere, and K logits; the scales of the
hidden layers are set by the first data (`layers.initialize_from_data`) and not trained. What it
makes before its last layer are its features.

Differences from the authors' code:
- Pictures are in [-1, 1] at the border of the networks. Where the authors' are in [0, 1], as in the
  dense ones, the discriminator maps them there first, and the generator's sigmoid s is
  tanh(x / 2) = 2 s(x) - 1.
- Convolutions pad as many pixels as there are; sizes other than 32 x 32 begin or end elsewhere.
"""

import functools

import keras
from keras import layers

from keras_gans.checks import (
    check_count,
    check_counts,
    check_flag,
    check_int,
    check_not_negative,
)
from keras_gans.layers import (
    BatchNormalization,
    Dropout,
    GaussianNoise,
    LeakyReLU,
    MinibatchDiscrimination,
    ReLU,
    WeightNormalization,
)
from keras_gans.networks._parts import Initializers, check_picture_shape, resolutions

BATCH_NORMALIZATION = {"scale": False, "epsilon": 1e-6, "momentum": 0.9}


def _normal(stddev, seed, network):
    make = functools.partial(keras.initializers.RandomNormal, stddev=stddev)
    return Initializers(make, seed, network)


def has_convolutions(shape):
    """Whether samples of a shape are pictures of more values than MNIST's, 28 x 28 x 1."""
    return len(shape) == 3 and shape[0] * shape[1] * shape[2] > 28 * 28


def build_ssgan_mlp_generator(sample_shape, latent_dim=100, hidden=(500, 500), seed=None):
    """Builds the dense generator of MNIST, with softplus and batch normalization.

    Args:
        sample_shape: shape of one sample, (H, W, C) of pictures or (d,) of points.
        latent_dim: length of the latents.
        hidden: widths of the hidden layers.
        seed: integer that fixes the initial weights, or None.

    Returns:
        Functional `keras.Model`: latents (batch, latent_dim) to float32 samples, pictures in
        [-1, 1].

    Raises:
        ValueError: an argument breaks these rules.

    Example:

    >>> build_ssgan_mlp_generator((28, 28, 1)).output_shape
    (None, 28, 28, 1)
    """
    shape = tuple(check_counts("sample_shape", sample_shape))
    check_count("latent_dim", latent_dim), check_counts("hidden", hidden)
    initializer = Initializers(keras.initializers.GlorotUniform, seed, "ssgan_mlp_generator")
    latents = x = keras.Input((latent_dim,), name="latents")
    for units in hidden:
        x = layers.Dense(units, use_bias=False, kernel_initializer=initializer())(x)
        x = layers.Activation("softplus")(BatchNormalization(**BATCH_NORMALIZATION)(x))
    size = functools.reduce(lambda a, b: a * b, shape)
    dense = layers.Dense(size, use_bias=False, kernel_initializer=initializer())
    x = _weight_normalized(dense, init_stddev=None)(x)
    if len(shape) == 3:
        x = layers.Activation("tanh", dtype="float32")(layers.Rescaling(0.5)(x))
    return keras.Model(latents, layers.Reshape(shape, dtype="float32")(x), name="ssgan_generator")


def build_ssgan_mlp_discriminator(
    sample_shape,
    num_classes=10,
    hidden=(1000, 500, 250, 250, 250),
    input_noise=0.3,
    noise=0.5,
    minibatch_kernels=0,
    seed=None,
):
    """Builds the dense discriminator of MNIST, with ReLU and Gaussian noise.

    Args:
        sample_shape: shape of one sample, (H, W, C) of pictures or (d,) of points.
        num_classes: K, at least 2.
        hidden: widths of the hidden layers.
        input_noise: standard deviation of the noise on the samples, of which pictures are in [0, 1]
            by then.
        noise: likewise, behind each hidden layer.
        minibatch_kernels: kernels of `MinibatchDiscrimination` behind the features, 0 for none.
        seed: integer that fixes the initial weights and the noise, or None.

    Returns:
        Functional `keras.Model`: samples (batch, ...) to float32 [logits (batch, K), features
        (batch, units)].

    Raises:
        ValueError: an argument breaks these rules.

    Example:

    >>> build_ssgan_mlp_discriminator((28, 28, 1)).output_shape
    [(None, 10), (None, 250)]
    """
    shape = tuple(check_counts("sample_shape", sample_shape))
    check_int("num_classes", num_classes, 2), check_counts("hidden", hidden)
    check_not_negative("input_noise", input_noise), check_not_negative("noise", noise)
    initializer = _normal(0.1, seed, "ssgan_mlp_discriminator")
    samples = x = keras.Input(shape, name="samples")
    if len(shape) == 3:
        x = layers.Rescaling(0.5, 0.5)(x)
    x = layers.Flatten()(x)
    x = GaussianNoise(input_noise, seed=initializer.next_seed())(x)
    for units in hidden:
        dense = layers.Dense(units, use_bias=False, kernel_initializer=initializer())
        features = ReLU()(_weight_normalized(dense, trainable_scale=False)(x))
        x = GaussianNoise(noise, seed=initializer.next_seed())(features)
    return _classifier(samples, features, x, num_classes, minibatch_kernels, initializer)


def build_ssgan_generator(image_shape, latent_dim=100, width=128, seed=None):
    """Builds the convolutional generator of CIFAR-10 and SVHN.

    Args:
        image_shape: (H, W, C); H and W multiples of 4, C from 1 to 4.
        latent_dim: length of the latents.
        width: filters of the largest hidden maps; each halving of the size doubles them.
        seed: integer that fixes the initial weights, or None.

    Returns:
        Functional `keras.Model`: latents (batch, latent_dim) to float32 pictures in [-1, 1].

    Raises:
        ValueError: an argument breaks these rules.

    Example:

    >>> build_ssgan_generator((32, 32, 3)).output_shape
    (None, 32, 32, 3)
    """
    shape = check_picture_shape("image_shape", image_shape)
    check_count("latent_dim", latent_dim), check_count("width", width)
    initializer = _normal(0.05, seed, "ssgan_generator")
    latents = keras.Input((latent_dim,), name="latents")
    (h, w), *larger = resolutions(shape)
    filters = [width * 2**k for k in range(len(larger))][::-1]

    def normalized(x):
        return ReLU()(BatchNormalization(**BATCH_NORMALIZATION)(x))

    def upconv(count):
        settings = {"strides": 2, "padding": "same", "use_bias": False}
        settings["kernel_initializer"] = initializer()
        return layers.Conv2DTranspose(count, 5, **settings)

    first = layers.Dense(h * w * filters[0], use_bias=False, kernel_initializer=initializer())
    x = layers.Reshape((h, w, filters[0]))(normalized(first(latents)))
    for count in filters[1:]:
        x = normalized(upconv(count)(x))
    x = _weight_normalized(upconv(shape[2]), init_stddev=0.1)(x)
    pictures = layers.Activation("tanh", dtype="float32", name="pictures")(x)
    return keras.Model(latents, pictures, name="ssgan_generator")


def build_ssgan_discriminator(
    image_shape, num_classes=10, width=96, dropout=True, minibatch_kernels=0, seed=None
):
    """Builds the convolutional discriminator of CIFAR-10 and SVHN, with LeakyReLU(0.2).

    Args:
        image_shape: (H, W, C); H and W multiples of 4, at least 12, C from 1 to 4.
        num_classes: K, at least 2.
        width: filters of the first three layers, of which the others have twice as many; 96 for
            CIFAR-10 and 64 for SVHN.
        dropout: whether the samples are dropped out at a rate of 0.2, for feature matching; or have
            noise of 0.2, as the authors have it for minibatch discrimination.
        minibatch_kernels: kernels of `MinibatchDiscrimination` behind the features, 100 there and 0
            for none.
        seed: integer that fixes the initial weights and the noise, or None.

    Returns:
        Functional `keras.Model`: pictures (batch, H, W, C) to float32 [logits (batch, K), features
        (batch, 2 width)].

    Raises:
        ValueError: an argument breaks these rules.

    Example:

    >>> build_ssgan_discriminator((32, 32, 3)).output_shape
    [(None, 10), (None, 192)]
    """
    shape = check_picture_shape("image_shape", image_shape)
    if min(shape[:2]) < 12:
        raise ValueError(
            "`image_shape` must have sides of at least 12, a quarter of which takes a kernel of 3. "
            f"Received: {image_shape!r}"
        )
    check_int("num_classes", num_classes, 2), check_count("width", width)
    initializer = _normal(0.05, seed, "ssgan_discriminator")

    def conv(count, x, size=3, **settings):
        settings = {"padding": "same", "kernel_initializer": initializer(), **settings}
        layer = layers.Conv2D(count, size, use_bias=False, **settings)
        return LeakyReLU(0.2)(_weight_normalized(layer, trainable_scale=False)(x))

    pictures = x = keras.Input(shape, name="pictures")
    noise = Dropout if check_flag("dropout", dropout) else GaussianNoise
    x = noise(0.2, seed=initializer.next_seed())(x)
    for count in (width, 2 * width):
        x = conv(count, conv(count, conv(count, x)), strides=2)
        x = Dropout(0.5, seed=initializer.next_seed())(x)
    x = conv(2 * width, x, padding="valid")
    x = conv(2 * width, conv(2 * width, x, size=1), size=1)
    x = layers.GlobalAveragePooling2D()(x)
    return _classifier(pictures, x, x, num_classes, minibatch_kernels, initializer, 0.1)


def _weight_normalized(layer, **settings):
    return WeightNormalization(layer, dtype=layer.dtype_policy, **settings)


def _classifier(samples, features, x, num_classes, minibatch_kernels, initializer, stddev=1.0):
    """The network with the logits on top of `x`, and the features beside them."""
    if check_not_negative("minibatch_kernels", minibatch_kernels):
        kernels = check_count("minibatch_kernels", minibatch_kernels)
        first = keras.initializers.RandomNormal(stddev=0.05, seed=initializer.next_seed())
        x = MinibatchDiscrimination(
            kernels, 5, weight_normalization=True, kernel_initializer=first
        )(x)
    dense = layers.Dense(num_classes, use_bias=False, kernel_initializer=initializer())
    logits = _weight_normalized(dense, init_stddev=stddev)(x)
    outputs = [
        layers.Activation("linear", dtype="float32", name=name)(part)
        for name, part in (("logits", logits), ("features", features))
    ]
    return keras.Model(samples, outputs, name="ssgan_discriminator")
