"""CoGAN's pairs of networks (Liu and Tuzel, 2016, arXiv:1606.07536), which have layers in common.

Two generators decode the same latents by the same first layers, and only their last one is each
one's own; two discriminators see their own domain by a first layer each, and judge by the same last
ones. `shared_layers` says how many layers are common, with 0 for two that have nothing to do with
each other; the paper varies it (section 4). The layers are the same objects: each weight is there
once.

The convolutional ones are those of the authors' code for digits and their edges, which makes 28 x
28 pictures: generators of transposed convolutions with batch normalization without scales and
offsets, and LeNet-like discriminators without a non-linearity behind their first two convolutions
but the pooling. They begin as there, with Xavier's uniform weights times sqrt(2), biases of 0.1 and
PReLUs of one slope, 0.25.

Other sizes: a generator's sides halve, rounded up, from the picture's less 3 down to 4, with
channels from `width` up to 8 `width`; discriminators have further convolutions of 5 x 5 with
pooling until a side is at most 8, and only one of them where a side is less than 16.

Deviations from the authors' code:
- tanh for pictures in [-1, 1], where it has a sigmoid for [0, 1].
- One logit, where it has two and a softmax.
"""

import functools
import math

import keras
from keras import layers

from keras_gans.checks import check_count, check_counts, check_int, check_sample_shape
from keras_gans.layers import BatchNormalization, LeakyReLU
from keras_gans.networks._parts import Initializers, check_picture_shape

SMALLEST_PICTURE = 6  # sides; of smaller ones the discriminators' first convolution leaves nothing
BORDER = 3  # by which a generator's last layer makes its sides longer
SMALLEST = 4  # side of a generator's first pictures
JUDGED_AT_ONCE = 8  # side of what a discriminator's last convolution sees, at most
FEATURES = 25  # of a discriminator's last convolution, times `width`


def build_cogan_generators(
    image_shape, other_shape=None, latent_dim=100, width=128, shared_layers=None, seed=None
):
    """Builds two generators of pictures that have all layers but the last one in common.

    Args:
        image_shape: shape of domain A's pictures, (H, W, C) with even H and W of at least 6.
        other_shape: shape of domain B's, with the same H and W; that of A when `None`.
        latent_dim: length of the latents.
        width: channels of the last common layer; each one before it has twice as many, up to 8
            times. 128 in the authors' code, and 1024 in the first layer.
        shared_layers: how many layers, counted from the latents, are common; all but the last when
            `None`.
        seed: integer that fixes the initial weights, or `None`.

    Returns:
        Pair of functional `keras.Model`s, latents (batch, latent_dim) to float32 pictures (batch,
        H, W, C) in [-1, 1]. They begin with one `keras.Input`.

    Raises:
        ValueError: an argument breaks these rules.

    Example:

    >>> a, b = build_cogan_generators((28, 28, 1))
    >>> len({id(w) for w in a.weights} & {id(w) for w in b.weights})
    20
    """
    shapes = _check_pictures(image_shape, other_shape)
    check_count("latent_dim", latent_dim), check_count("width", width)
    initializer = _initializers(seed, "cogan_generators")
    (start, *_), paddings = _sizes(shapes[0][:2])

    def transposed(side, k):
        settings = {"strides": 2, "padding": "same"}
        size = 3
        if k == len(paddings):  # the first one: 1 x 1 to the smallest size
            settings, size = {"padding": "valid"}, start
        else:
            settings["output_padding"] = paddings[k]
        convolution = layers.Conv2DTranspose(
            width * min(2**k, 8), size, **settings, **_begin(initializer)
        )
        return [convolution, BatchNormalization(center=False, scale=False, epsilon=1e-5), _prelu()]

    def head(side):
        pictures = layers.Conv2DTranspose(shapes[side][-1], 6, **_begin(initializer))
        return [pictures, layers.Cropping2D(1), layers.Activation("tanh", dtype="float32")]

    stages = [functools.partial(transposed, k=k) for k in range(len(paddings), -1, -1)] + [head]
    latents = keras.Input((latent_dim,), name="latents")
    x = layers.Reshape((1, 1, latent_dim))(latents)
    shared = _check_shared(shared_layers, len(stages) - 1)
    outputs = _in_pairs((x, x), stages, range(shared))
    return _models((latents, latents), outputs, "cogan_generator")


def build_cogan_discriminators(
    image_shape, other_shape=None, width=20, shared_layers=None, seed=None
):
    """Builds two discriminators of pictures that have all layers but the first one in common.

    Args:
        image_shape, other_shape: see `build_cogan_generators`.
        width: channels of the first convolution, 20 in the authors' code; the second one has 2.5
            times as many, and the last one 25 times.
        shared_layers: how many layers, counted from the logits, are common; all but the first when
            `None`.
        seed: integer that fixes the initial weights, or `None`.

    Returns:
        Pair of functional `keras.Model`s, pictures (batch, H, W, C) in [-1, 1] to float32 logits
        (batch, 1).

    Raises:
        ValueError: an argument breaks these rules.

    Example:

    >>> a, b = build_cogan_discriminators((28, 28, 1))
    >>> len({id(w) for w in a.weights} & {id(w) for w in b.weights})
    7
    """
    shapes = _check_pictures(image_shape, other_shape)
    check_count("width", width)
    initializer = _initializers(seed, "cogan_discriminators")
    widths, size = [width], _pooled(shapes[0][:2])
    while min(_pooled(size)) > 0 and (len(widths) < 2 or min(size) > JUDGED_AT_ONCE):
        widths.append(math.ceil(2.5 * width * 2 ** (len(widths) - 1)))
        size = _pooled(size)

    def pooled(side, channels):
        return [layers.Conv2D(channels, 5, **_begin(initializer)), layers.MaxPooling2D(2)]

    def features(side):
        return [layers.Conv2D(FEATURES * width, size, **_begin(initializer)), _prelu()]

    def logits(side):
        return [layers.Flatten(), layers.Dense(1, dtype="float32", **_begin(initializer))]

    stages = [functools.partial(pooled, channels=n) for n in widths] + [features, logits]
    shared = _check_shared(shared_layers, len(stages) - 1)
    inputs = [keras.Input(s, name=f"pictures_{n}") for s, n in zip(shapes, "ab", strict=True)]
    outputs = _in_pairs(inputs, stages, range(len(stages) - shared, len(stages)))
    return _models(inputs, outputs, "cogan_discriminator")


def build_cogan_dense_generators(
    sample_shape,
    other_shape=None,
    latent_dim=100,
    hidden=(256, 256, 256),
    shared_layers=None,
    seed=None,
):
    """Builds two dense generators that have all hidden layers in common.

    Args:
        sample_shape: shape of one sample of domain A, (2,) of points or (H, W, C) of pictures.
        other_shape: that of domain B; that of A when `None`.
        latent_dim: length of the latents.
        hidden: widths of the hidden layers.
        shared_layers: how many layers, counted from the latents, are common; all but the last when
            `None`.
        seed: integer that fixes the initial weights, or `None`.

    Returns:
        Pair of functional `keras.Model`s, latents (batch, latent_dim) to float32 samples, of
        pictures in [-1, 1]. They begin with one `keras.Input`.

    Raises:
        ValueError: an argument breaks these rules.

    Example:

    >>> a, b = build_cogan_dense_generators((2,), (3,), latent_dim=16)
    >>> a.output_shape, b.output_shape
    ((None, 2), (None, 3))
    """
    shapes = _check_samples(sample_shape, other_shape)
    check_count("latent_dim", latent_dim)
    initializer = Initializers(keras.initializers.GlorotUniform, seed, "cogan_dense_generators")

    def dense(side, units):
        return [layers.Dense(units, activation="relu", kernel_initializer=initializer())]

    def head(side):
        shape = shapes[side]
        activation = "tanh" if len(shape) == 3 else None
        made = layers.Dense(
            math.prod(shape), activation, dtype="float32", kernel_initializer=initializer()
        )
        return [made, layers.Reshape(shape, dtype="float32")]

    hidden = check_counts("hidden", hidden)
    stages = [functools.partial(dense, units=units) for units in hidden] + [head]
    latents = keras.Input((latent_dim,), name="latents")
    shared = _check_shared(shared_layers, len(stages) - 1)
    outputs = _in_pairs((latents, latents), stages, range(shared))
    return _models((latents, latents), outputs, "cogan_generator")


def build_cogan_dense_discriminators(
    sample_shape, other_shape=None, hidden=(256, 256, 256), shared_layers=None, seed=None
):
    """Builds two dense discriminators that have all layers but the first one in common.

    Args:
        sample_shape, other_shape, hidden: see `build_cogan_dense_generators`.
        shared_layers: how many layers, counted from the logits, are common; all but the first when
            `None`.
        seed: integer that fixes the initial weights, or `None`.

    Returns:
        Pair of functional `keras.Model`s, samples to float32 logits (batch, 1).

    Raises:
        ValueError: an argument breaks these rules.

    Example:

    >>> a, b = build_cogan_dense_discriminators((2,), (3,))
    >>> a.output_shape, b.output_shape
    ((None, 1), (None, 1))
    """
    shapes = _check_samples(sample_shape, other_shape)
    initializer = Initializers(keras.initializers.GlorotUniform, seed, "cogan_dense_discriminators")

    def dense(side, units):
        return [layers.Dense(units, kernel_initializer=initializer()), LeakyReLU(0.2)]

    def logits(side):
        return [layers.Dense(1, dtype="float32", kernel_initializer=initializer())]

    hidden = check_counts("hidden", hidden)
    stages = [functools.partial(dense, units=units) for units in hidden] + [logits]
    shared = _check_shared(shared_layers, len(stages) - 1)
    inputs = [keras.Input(s, name=f"samples_{n}") for s, n in zip(shapes, "ab", strict=True)]
    flat = [layers.Flatten()(x) for x in inputs]
    outputs = _in_pairs(flat, stages, range(len(stages) - shared, len(stages)))
    return _models(inputs, outputs, "cogan_discriminator")


def _in_pairs(tensors, stages, common):
    """The pair of what two networks make, stage by stage.

    Args:
        tensors: pair of tensors, which may be one.
        stages: functions of a side, 0 or 1, that return a list of new layers.
        common: the indices of the stages whose layers both networks have.
    """
    a, b = tensors
    for index, make in enumerate(stages):
        layers_a = make(0)
        layers_b = layers_a if index in common else make(1)
        together = a is b and layers_a is layers_b
        a = _through(layers_a, a)
        b = a if together else _through(layers_b, b)
    return a, b


def _through(stage, x):
    for layer in stage:
        x = layer(x)
    return x


def _models(inputs, outputs, name):
    return tuple(
        keras.Model(given, made, name=f"{name}_{letter}")
        for given, made, letter in zip(inputs, outputs, "ab", strict=True)
    )


def _sizes(size):
    """Sizes of a generator's pictures from the first ones on, and the padding of each doubling.

    A transposed convolution of 3 x 3 makes 2 n - 1 of n, and 2 n with a padding of 1. The paddings
    are those of the layers from the last one backwards.
    """
    sizes, paddings = [tuple(n - BORDER for n in size)], []
    while min(sizes[0]) > SMALLEST:
        paddings.append(tuple(1 - n % 2 for n in sizes[0]))
        sizes.insert(0, tuple((n + 1) // 2 for n in sizes[0]))
    return sizes, paddings


def _pooled(size):
    """The size behind a convolution of 5 x 5 without padding and pooling of 2 x 2."""
    return tuple((n - 4) // 2 for n in size)


def _initializers(seed, network):
    """Xavier's uniform ones with a gain of sqrt(2): U(-r, r), r^2 = 2 * 6 / (fan in + fan out)."""
    make = functools.partial(
        keras.initializers.VarianceScaling, scale=2.0, mode="fan_avg", distribution="uniform"
    )
    return Initializers(make, seed, network)


def _begin(initializer):
    return {
        "kernel_initializer": initializer(),
        "bias_initializer": keras.initializers.Constant(0.1),
    }


def _prelu():
    return layers.PReLU(keras.initializers.Constant(0.25), shared_axes=[1, 2, 3])


def _check_shared(shared_layers, most):
    """How many layers are common, `most` when `None`."""
    return most if shared_layers is None else check_int("shared_layers", shared_layers, 0, most)


def _check_pictures(image_shape, other_shape):
    shape = other = check_picture_shape("image_shape", image_shape, multiple=2)
    if other_shape is not None:
        other = check_picture_shape("other_shape", other_shape, multiple=2)
    if min(shape[:2]) < SMALLEST_PICTURE:
        raise ValueError(
            f"`image_shape` must have sides of at least {SMALLEST_PICTURE}. Received: {shape}"
        )
    if other[:2] != shape[:2]:
        raise ValueError(
            "`other_shape` must have the height and width of `image_shape`, as the pictures of "
            f"both domains come out of common layers. Received: {other}, beside {shape}"
        )
    return shape, other


def _check_samples(sample_shape, other_shape):
    shape = check_sample_shape("sample_shape", sample_shape)
    return shape, shape if other_shape is None else check_sample_shape("other_shape", other_shape)
