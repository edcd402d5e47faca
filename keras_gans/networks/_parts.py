"""What the builders share: checks of shapes, seeded initializers, labels, normalizations."""

import functools

import keras
from keras import layers, ops

from keras_gans.checks import check_counts, check_flag, check_seed
from keras_gans.devices.randomness import derive_seed
from keras_gans.layers import BatchNormalization, GroupNormalization, SpectralNormalization

NORMALIZATIONS = {
    "batch": BatchNormalization,
    # Over height, width and channels, with a scale for each channel: layer normalization as
    # Gulrajani et al., 2017 use it in critics.
    "layer": functools.partial(GroupNormalization, groups=1, epsilon=1e-5),
    "instance": functools.partial(GroupNormalization, groups=-1, epsilon=1e-5),
    None: lambda **_: layers.Identity(),
}

# Of networks that judge, also "spectral": of the weights, of every layer that has some.
OF_JUDGES = {**NORMALIZATIONS, "spectral": NORMALIZATIONS[None]}


class Initializers:
    """A stream of initializers with different seeds, so that one seed fixes a whole network.

    Args:
        make: function of `seed` that returns an initializer.
        seed: the network's seed, or `None`.
        network: the network's name, so that two networks of one seed begin differently.
    """

    def __init__(self, make, seed, network):
        self.make, self.seed, self.network, self.count = make, check_seed(seed), network, 0

    def next_seed(self):
        self.count += 1
        return derive_seed(self.seed, self.network, self.count)

    def __call__(self):
        return self.make(seed=self.next_seed())


def dcgan_initializers(seed, network):
    """N(0, 0.02), as in Radford et al., 2016, section 4."""
    make = functools.partial(keras.initializers.RandomNormal, stddev=0.02)
    return Initializers(make, seed, network)


def dcgan_scales(seed, network):
    """N(1, 0.02) for the scales of batch normalization, as in the authors' code of DCGAN."""
    make = functools.partial(keras.initializers.RandomNormal, mean=1.0, stddev=0.02)
    return Initializers(make, seed, f"{network}_scales")


def normalized(x, normalization, scales):
    """x behind a normalization; the initial scales of batch normalization are from `scales`."""
    settings = {"gamma_initializer": scales()} if normalization == "batch" else {}
    return OF_JUDGES[normalization](**settings)(x)


def plain_or_affine(affine):
    """Settings of a normalization with or without scales and offsets of its own."""
    return {} if check_flag("affine", affine) else {"center": False, "scale": False}


def spectral(normalization, layer, initializers):
    """`layer`, with `SpectralNormalization` around it where `normalization` is "spectral"."""
    if normalization != "spectral":
        return layer
    settings = {"dtype": layer.dtype_policy, "name": layer.name}
    return SpectralNormalization(layer, seed=initializers.next_seed(), **settings)


def check_normalization(normalization, known=NORMALIZATIONS):
    """Raises ValueError unless `normalization` is one of the known names."""
    if not isinstance(normalization, str | None) or normalization not in known:
        names = [name for name in known if name]
        raise ValueError(
            f"`normalization` must be None or one of {names}. Received: {normalization!r}"
        )


def check_picture_shape(name, shape, multiple=4, channels=4):
    """Returns (H, W, C), or raises ValueError: H and W multiples of `multiple`, C from 1 to 4.

    `channels` is the most that C may be.
    """
    shape = tuple(shape) if isinstance(shape, tuple | list) else shape
    rule = f"`{name}` must be (H, W, C) with H and W multiples of {multiple} and C from 1 to "
    rule += str(channels)
    if not isinstance(shape, tuple) or len(shape) != 3:
        raise ValueError(f"{rule}. Received: {shape!r}")
    for value in shape:
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError(f"{rule}. Received: {shape!r}")
    if shape[0] % multiple or shape[1] % multiple or shape[2] > channels:
        raise ValueError(f"{rule}. Received: {shape!r}")
    return shape


def resolutions(shape, smallest=4):
    """Sizes (h, w) from the smallest to the picture's, each twice the one before.

    Halving stops where a side is odd, or would be less than `smallest`; with 4, 64 x 64 begins at
    4 x 4 and 28 x 28 at 7 x 7. Pictures are halved once in any case, those with a side of 4 to 2.
    """
    sizes = [shape[:2]]
    while not (sizes[0][0] % 2 or sizes[0][1] % 2):
        if len(sizes) > 1 and min(sizes[0]) < 2 * smallest:
            break
        sizes.insert(0, (sizes[0][0] // 2, sizes[0][1] // 2))
    return sizes


def latent_heads(x, latent_dim, initializer, gaussian=True):
    """The outputs of an encoder, float32 (batch, latent_dim) each, affine in x.

    [mean, log-variance] of a Gaussian, or the latents alone.
    """
    names = ("mean", "log_variance") if check_flag("gaussian", gaussian) else ("latents",)
    heads = [
        layers.Dense(latent_dim, dtype="float32", kernel_initializer=initializer(), name=name)(x)
        for name in names
    ]
    return heads if gaussian else heads[0]


def label_input(num_classes, name="num_classes"):
    """The integer input `labels` (batch,) and its one-hot code (batch, num_classes).

    Of a sequence of n numbers of classes, (batch, n), and the one-hot codes side by side. `name` is
    what errors call the argument.
    """
    sizes = check_counts(name, num_classes)
    if len(sizes) == 1:
        labels = keras.Input((), dtype="int32", name="labels")
        return labels, ops.one_hot(labels, sizes[0])
    labels = keras.Input((len(sizes),), dtype="int32", name="labels")
    codes = [ops.one_hot(labels[:, i], size) for i, size in enumerate(sizes)]
    return labels, ops.concatenate(codes, axis=-1)
