"""The networks of progressive GANs at one size of picture (Karras et al., 2018, arXiv:1710.10196).

Table 2 of the paper, for pictures of 4 x 4, 8 x 8, ... up to 1024 x 1024. Generator: the latents
become 4 x 4 maps by a 4 x 4 convolution, then a 3 x 3 convolution; each further size doubles the
maps by nearest neighbours and has two 3 x 3 convolutions. Discriminator: the mirror image, with
average pooling, and with the minibatch standard deviation before its last layers. Pictures enter
and leave by 1 x 1 convolutions. A layer of level k, counted from 0 at 4 x 4, has
min(filters_base / 2^(k + 1), filters_max) filters.

A network with `fade=True` also has the old way in or out, at half the size, which its `FadeIn`
layer mixes with the new one; `grow()` gives the network of twice the size, with the same layers.

Differences from the paper: sizes other than powers of two are allowed; they are halved while they
are even and at least 8 (28 x 28 begins at 7 x 7).
"""

import keras
from keras import layers

from keras_gans.checks import check_count, check_seed
from keras_gans.devices.precision import dtype_policy
from keras_gans.devices.randomness import derive_seed
from keras_gans.layers import (
    BatchNormalization,
    EqualizedConv2D,
    EqualizedDense,
    FadeIn,
    GroupNormalization,
    MinibatchDiscrimination,
    MinibatchStdDev,
    MultiplicativeNoise,
    PixelNormalization,
    ResampledConv2D,
)
from keras_gans.layers.equalized import SQRT2
from keras_gans.networks._parts import label_input

GENERATOR_NORMALIZATIONS = ("pixel", "batch", "layer", None)
DISCRIMINATOR_NORMALIZATIONS = ("layer", None)
MINIBATCH_LAYERS = ("stddev", "discrimination", None)


class StageNetwork(keras.Model):
    """A functional network that knows its settings, and from them the one of twice the size."""

    def __init__(self, inputs, outputs, name, **settings):
        super().__init__(inputs, outputs, name=name)
        self.settings = settings

    def get_config(self):
        return {**self.settings, "name": self.name, "dtype": self.dtype_policy.name}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        settings = {**config}
        with dtype_policy(settings.pop("dtype", "float32")):
            return cls(**settings)

    def grow(self):
        """The network for pictures of twice the size, with the weights of all layers kept."""
        height, width, channels = self.settings["image_shape"]
        shape = (2 * height, 2 * width, channels)
        grown = self.from_config({**self.get_config(), "image_shape": shape, "fade": True})
        copy_layers(self, grown)
        return grown


def copy_layers(source, target):
    """Copies the weights of the layers that two networks have by the same name."""
    known = {layer.name: layer for layer in target.layers}
    for layer in source.layers:
        if layer.name in known and not isinstance(layer, FadeIn):
            known[layer.name].set_weights(layer.get_weights())


@keras.saving.register_keras_serializable("keras_gans")
class ProGANGenerator(StageNetwork):
    """Latents (batch, latent_dim) to float32 pictures (batch, H, W, C), linear, about [-1, 1].

    With `num_classes`, [latents, int labels (batch,)] to pictures.

    Args:
        image_shape: (H, W, C) of this stage, such as (4, 4, 3) for the first.
        latent_dim: length of the latents.
        filters_base, filters_max: filters of the layers, see the module.
        normalization: "pixel" as in the paper, or "batch", "layer", `None` to compare with.
        equalized: whether layers have an equalized learning rate; else He's initializer.
        fade: whether the last size is faded in from the one before.
        num_classes: number of classes of a label-conditional generator, or `None`. The one-hot
            label stands beside the latents, before their normalization.
        seed: integer that fixes the initial weights, or `None`.

    Raises:
        ValueError: an argument breaks these rules.

    Example:

    >>> generator = ProGANGenerator((4, 4, 3))
    >>> generator.grow().output_shape
    (None, 8, 8, 3)
    """

    def __init__(
        self,
        image_shape,
        latent_dim=512,
        filters_base=8192,
        filters_max=512,
        normalization="pixel",
        equalized=True,
        fade=False,
        num_classes=None,
        seed=None,
        name="progan_generator",
    ):
        shape = check_shape(image_shape)
        check_count("latent_dim", latent_dim)
        check_choice("normalization", normalization, GENERATOR_NORMALIZATIONS)
        sizes, filters = check_levels(shape, filters_base, filters_max)
        part = Parts(equalized, check_seed(seed), name)

        def block(x, count, layer_name, **kwargs):
            x = part.conv(x, count, layer_name, use_bias=normalization != "batch", **kwargs)
            if normalization in ("batch", "layer"):
                x = part.normalization(x, normalization, layer_name)
            x = layers.LeakyReLU(0.2, name=f"{layer_name}_activation")(x)
            if normalization == "pixel":
                x = PixelNormalization(name=f"{layer_name}_pixel_norm")(x)
            return x

        def to_rgb(x, level):
            size_name = f"to_rgb_{side_name(sizes[level])}"
            return part.conv(x, shape[2], size_name, kernel_size=1, gain=1.0, dtype="float32")

        inputs = x = keras.Input((latent_dim,), name="latents")
        if num_classes is not None:
            labels, code = label_input(check_count("num_classes", num_classes))
            inputs, x = [inputs, labels], layers.Concatenate(name="latents_and_label")([x, code])
        if normalization == "pixel":
            x = PixelNormalization(name="latents_pixel_norm")(x)
        first = f"conv_{side_name(sizes[0])}"
        # A full convolution of one 1 x 1 map: each place has its own part of the kernel.
        x = layers.Reshape((1, 1, x.shape[-1]), name="latents_map")(x)
        x = block(x, filters[0], f"{first}_a", kernel_size=sizes[0], resampling="full")
        x = block(x, filters[0], f"{first}_b")
        for level in range(1, len(sizes)):
            size_name, old = side_name(sizes[level]), x
            x = block(x, filters[level], f"conv_{size_name}_a", resampling="up")
            x = block(x, filters[level], f"conv_{size_name}_b")
        pictures = to_rgb(x, len(sizes) - 1)
        if fade and len(sizes) > 1:
            old = to_rgb(old, len(sizes) - 2)
            old = layers.UpSampling2D(2, dtype="float32", name="old_upsampling")(old)
            pictures = FadeIn(dtype="float32", name="fade_in")([old, pictures])
        super().__init__(
            inputs,
            pictures,
            name,
            image_shape=shape,
            latent_dim=latent_dim,
            filters_base=filters_base,
            filters_max=filters_max,
            normalization=normalization,
            equalized=equalized,
            fade=fade,
            num_classes=num_classes,
            seed=seed,
        )


@keras.saving.register_keras_serializable("keras_gans")
class ProGANDiscriminator(StageNetwork):
    """Pictures (batch, H, W, C) to float32 logits (batch, 1), linear.

    With `class_logits`, to [logits, logits of the classes (batch, class_logits)].

    Args:
        image_shape: (H, W, C) of this stage, such as (4, 4, 3) for the first.
        filters_base, filters_max: filters of the layers, see the module.
        normalization: `None` as in the paper, or "layer" to compare with.
        minibatch: "stddev" as in the paper, or "discrimination" (Salimans et al., 2016) or `None`
            to compare with.
        group_size: most examples in a group of the minibatch standard deviation, 4 in the authors'
            later settings; `None` for the whole minibatch, as in the paper's results.
        noise: whether the inputs of the 3 x 3 and larger convolutions have `MultiplicativeNoise`,
            which `ProGANLS` wants.
        class_logits: number of classes that a second output tells apart, or `None`.
        equalized, fade, seed: see `ProGANGenerator`.

    Raises:
        ValueError: an argument breaks these rules.

    Example:

    >>> ProGANDiscriminator((8, 8, 3)).output_shape
    (None, 1)
    """

    def __init__(
        self,
        image_shape,
        filters_base=8192,
        filters_max=512,
        normalization=None,
        equalized=True,
        minibatch="stddev",
        group_size=4,
        noise=False,
        fade=False,
        class_logits=None,
        seed=None,
        name="progan_discriminator",
    ):
        shape = check_shape(image_shape)
        check_choice("normalization", normalization, DISCRIMINATOR_NORMALIZATIONS)
        check_choice("minibatch", minibatch, MINIBATCH_LAYERS)
        sizes, filters = check_levels(shape, filters_base, filters_max)
        part = Parts(equalized, check_seed(seed), name)

        def block(x, count, layer_name, **kwargs):
            if noise:
                seed = part.seed_of(f"{layer_name}_noise")
                x = MultiplicativeNoise(seed, name=f"{layer_name}_noise")(x)
            x = part.conv(x, count, layer_name, **kwargs)
            if normalization is not None:
                x = part.normalization(x, normalization, layer_name)
            return layers.LeakyReLU(0.2, name=f"{layer_name}_activation")(x)

        def from_rgb(x, level):
            size_name = f"from_rgb_{side_name(sizes[level])}"
            x = part.conv(x, filters[level], size_name, kernel_size=1)
            return layers.LeakyReLU(0.2, name=f"{size_name}_activation")(x)

        pictures = keras.Input(shape, name="pictures")
        last = len(sizes) - 1
        x = from_rgb(pictures, last)
        for level in range(last, 0, -1):
            size_name = side_name(sizes[level])
            x = block(x, filters[level], f"conv_{size_name}_a")
            x = block(x, filters[level - 1], f"conv_{size_name}_b")
            x = layers.AveragePooling2D(2, name=f"pooling_{size_name}")(x)
            if fade and level == last:
                old = layers.AveragePooling2D(2, name="old_pooling")(pictures)
                x = FadeIn(name="fade_in")([from_rgb(old, level - 1), x])
        first = f"conv_{side_name(sizes[0])}"
        if minibatch == "stddev":
            x = MinibatchStdDev(group_size, name="minibatch_stddev")(x)
        x = block(x, filters[0], f"{first}_a")
        count = min(filters_base, filters_max)
        x = block(x, count, f"{first}_b", kernel_size=sizes[0], padding="valid")
        x = layers.Flatten(name="flatten")(x)
        if minibatch == "discrimination":
            seed_of = part.seed_of("minibatch_discrimination")
            initializer = keras.initializers.GlorotUniform(seed=seed_of)
            x = MinibatchDiscrimination(
                kernel_initializer=initializer, name="minibatch_discrimination"
            )(x)
        outputs = part.dense(x, 1, "logits", gain=1.0, dtype="float32")
        if class_logits is not None:
            count = check_count("class_logits", class_logits)
            outputs = [outputs, part.dense(x, count, "class_logits", gain=1.0, dtype="float32")]
        super().__init__(
            pictures,
            outputs,
            name,
            image_shape=shape,
            filters_base=filters_base,
            filters_max=filters_max,
            normalization=normalization,
            equalized=equalized,
            minibatch=minibatch,
            group_size=group_size,
            noise=noise,
            fade=fade,
            class_logits=class_logits,
            seed=seed,
        )


class Parts:
    """Layers with the initial weights of one network: a seed of its own for each layer's name."""

    def __init__(self, equalized, seed, network):
        if not isinstance(equalized, bool):
            raise ValueError(f"`equalized` must be True or False. Received: {equalized!r}")
        self.equalized, self.seed, self.network = equalized, seed, network

    def seed_of(self, name):
        return derive_seed(self.seed, self.network, name)

    def _kernel(self, name, gain):
        """Keyword arguments of a layer: N(0, 1) and the gain, or He's initializer."""
        seed = self.seed_of(name)
        if self.equalized:
            normal = keras.initializers.RandomNormal(stddev=1.0, seed=seed)
            return {"kernel_initializer": normal, "gain": gain}
        he = keras.initializers.VarianceScaling(gain**2, "fan_in", "untruncated_normal", seed)
        return {"kernel_initializer": he}

    def conv(self, x, filters, name, kernel_size=3, gain=SQRT2, padding="same", **kwargs):
        make = EqualizedConv2D if self.equalized else ResampledConv2D
        kwargs |= self._kernel(name, gain)
        return make(filters, kernel_size, padding=padding, name=name, **kwargs)(x)

    def dense(self, x, units, name, gain, **kwargs):
        make = EqualizedDense if self.equalized else layers.Dense
        return make(units, name=name, **self._kernel(name, gain), **kwargs)(x)

    @staticmethod
    def normalization(x, kind, name):
        name = f"{name}_{kind}_norm"
        if kind == "batch":
            return BatchNormalization(name=name)(x)
        return GroupNormalization(groups=1, epsilon=1e-5, name=name)(x)


def side_name(size):
    """ "64" for 64 x 64, "16x24" for a rectangle."""
    return str(size[0]) if size[0] == size[1] else f"{size[0]}x{size[1]}"


def check_shape(image_shape):
    """Returns (H, W, C), or raises ValueError unless H and W are at least 4 and C is 1 to 4."""
    shape = tuple(image_shape) if isinstance(image_shape, tuple | list) else image_shape
    rule = "`image_shape` must be (H, W, C) with H and W of at least 4 and C from 1 to 4"
    if not isinstance(shape, tuple) or len(shape) != 3:
        raise ValueError(f"{rule}. Received: {image_shape!r}")
    for value, low in zip(shape, (4, 4, 1), strict=True):
        if isinstance(value, bool) or not isinstance(value, int) or value < low:
            raise ValueError(f"{rule}. Received: {image_shape!r}")
    if shape[2] > 4:
        raise ValueError(f"{rule}. Received: {image_shape!r}")
    return shape


def check_levels(shape, filters_base, filters_max):
    """The sizes (h, w) from the first stage's to this one's, and the filters of each level."""
    check_count("filters_base", filters_base), check_count("filters_max", filters_max)
    sizes = [shape[:2]]
    while min(sizes[0]) >= 8 and not (sizes[0][0] % 2 or sizes[0][1] % 2):
        sizes.insert(0, (sizes[0][0] // 2, sizes[0][1] // 2))
    filters = [min(filters_base // 2 ** (k + 1), filters_max) for k in range(len(sizes))]
    if filters[-1] < 1:
        raise ValueError(
            f"`filters_base` must be at least {2 ** len(sizes)} for pictures of {shape}. "
            f"Received: {filters_base}"
        )
    return sizes, filters


def check_choice(name, value, known):
    """Raises ValueError unless `value` is one of `known`."""
    if not isinstance(value, str | None) or value not in known:
        raise ValueError(f"`{name}` must be one of {list(known)}. Received: {value!r}")


def build_progan_generator(image_shape=(4, 4, 3), **settings):
    """A `ProGANGenerator`: latents (batch, latent_dim) to pictures; see there for the settings.

    Example:

    >>> build_progan_generator((4, 4, 3), latent_dim=64, filters_max=64).output_shape
    (None, 4, 4, 3)
    """
    return ProGANGenerator(image_shape, **settings)


def build_progan_discriminator(image_shape=(4, 4, 3), **settings):
    """A `ProGANDiscriminator`: pictures to logits (batch, 1); see there for the settings.

    Example:

    >>> build_progan_discriminator((4, 4, 3), filters_max=64).output_shape
    (None, 1)
    """
    return ProGANDiscriminator(image_shape, **settings)
