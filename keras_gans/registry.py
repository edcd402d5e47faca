"""The models of `papers` with their networks, ready to be built."""

import dataclasses
import functools
from collections.abc import Callable

from keras_gans import models, networks, papers
from keras_gans.papers import PAPERS, Paper
from keras_gans.randomness import derive_seed


def dcgan_networks(
    shape, latent_dim, num_classes, seed, normalization="batch", generator_normalization="batch"
):
    """A DCGAN pair for pictures, an MLP pair for points."""
    if len(shape) == 1:
        return mlp_networks(shape, latent_dim, num_classes, seed)
    generator = networks.build_dcgan_generator(
        shape,
        latent_dim,
        normalization=generator_normalization,
        num_classes=num_classes,
        seed=seed,
    )
    discriminator = networks.build_dcgan_discriminator(
        shape, normalization=normalization, num_classes=num_classes, seed=seed
    )
    return generator, discriminator


def began_networks(shape, latent_dim, num_classes, seed):
    """A decoder and an auto-encoder of pictures, whose hidden state is as long as the latents."""
    generator = networks.build_began_generator(shape, latent_dim, seed=seed)
    discriminator = networks.build_began_discriminator(shape, hidden_dim=latent_dim, seed=seed)
    return generator, discriminator


def lapgan_networks(shape, latent_dim, num_classes, seed):
    """Generators and discriminators of pictures on three levels, a list each.

    The generators' kernels are 3 x 3, not the authors' 7 x 7, with which a step takes seconds on
    CPUs.
    """
    generators = networks.build_lapgan_generators(
        shape, latent_dim=latent_dim, kernel_size=3, seed=seed
    )
    return generators, networks.build_lapgan_discriminators(shape, seed=seed)


def cyclegan_networks(shape, seed):
    """Two residual generators and two patch discriminators, shallower ones for small pictures."""
    num_layers = max((n for n in (2, 3) if 3 * 2**n <= min(shape[:2])), default=1)
    generators = [
        networks.build_resnet_generator(shape, seed=derive_seed(seed, "generator", to))
        for to in ("b", "a")
    ]
    discriminators = [
        networks.build_patchgan_discriminator(
            shape, num_layers=num_layers, seed=derive_seed(seed, "discriminator", of)
        )
        for of in ("a", "b")
    ]
    return *generators, *discriminators


def mlp_networks(shape, latent_dim, num_classes, seed):
    """MLPs: for pictures with maxout and dropout, as in the first papers; for points without."""
    pictures = len(shape) == 3
    hidden = (1200, 1200) if pictures else (256, 256, 256)
    generator = networks.build_mlp_generator(
        shape, latent_dim, hidden, num_classes=num_classes, seed=seed
    )
    discriminator = networks.build_mlp_discriminator(
        shape,
        (240, 240) if pictures else hidden,
        maxout_pieces=5 if pictures else None,
        dropout=0.5 if pictures else 0.0,
        num_classes=num_classes,
        seed=seed,
    )
    return generator, discriminator


def infogan_networks(shape, latent_dim, num_classes, seed, num_categories=10, num_continuous=2):
    """A generator of categories, and a discriminator whose features the third network reads."""
    if len(shape) == 1:
        hidden = (256, 256, 256)
        generator = networks.build_mlp_generator(
            shape, latent_dim, hidden, num_classes=num_categories, seed=seed
        )
        discriminator = networks.build_mlp_discriminator(
            shape, hidden, return_features=True, seed=seed
        )
    else:
        generator = networks.build_dcgan_generator(
            shape, latent_dim, num_classes=num_categories, seed=seed
        )
        discriminator = networks.build_dcgan_discriminator(shape, return_features=True, seed=seed)
    recognition = networks.build_recognition_head(
        discriminator.output_shape[1][1:], num_categories, num_continuous, seed=seed
    )
    return generator, discriminator, recognition


def vae_networks(shape, latent_dim, num_classes, seed):
    """A generator and an encoder."""
    if len(shape) == 1:
        hidden = (256, 256, 256)
        return (
            networks.build_mlp_generator(shape, latent_dim, hidden, seed=seed),
            networks.build_mlp_encoder(shape, latent_dim, hidden, seed=seed),
        )
    return (
        networks.build_dcgan_generator(shape, latent_dim, seed=seed),
        networks.build_dcgan_encoder(shape, latent_dim, seed=seed),
    )


def vaegan_networks(shape, latent_dim, num_classes, seed):
    """A generator, a discriminator that returns its features, and an encoder."""
    generator, encoder = vae_networks(shape, latent_dim, num_classes, seed)
    if len(shape) == 1:
        discriminator = networks.build_mlp_discriminator(
            shape, (256, 256, 256), return_features=True, seed=seed
        )
    else:
        discriminator = networks.build_dcgan_discriminator(
            shape, normalization="layer", return_features=True, seed=seed
        )
    return generator, discriminator, encoder


def progan_networks(shape, latent_dim, num_classes, seed):
    """The paper's generator and discriminator at one size."""
    generator = networks.build_progan_generator(shape, latent_dim=latent_dim, seed=seed)
    return generator, networks.build_progan_discriminator(shape, seed=seed)


@dataclasses.dataclass(frozen=True)
class Entry(Paper):
    """One model of the package, which it can build.

    Attributes:
        networks: function (shape, latent_dim, num_classes, seed) that returns the constructor's
            networks.
    """

    networks: Callable

    @classmethod
    def of(cls, name, networks, **more):
        """The entry of one of `PAPERS`."""
        return cls(**vars(PAPERS[name]), networks=networks, **more)

    def build(self, shape, num_classes=None, latent_dim=None, ema_decay=None, seed=None):
        """The model with fitting networks and the paper's settings.

        Args:
            shape: shape of one sample, (H, W, C) or (d,).
            num_classes: number of classes, for models that are trained on labels.
            latent_dim: length of the latents; 100 for pictures and 16 for points when `None`.
            ema_decay: decay of an averaged generator, or `None`.
            seed: integer that fixes networks and training, or `None`.

        Returns:
            `keras_gans.AdversarialModel`.

        Raises:
            ValueError: the shape or another argument does not fit the networks.
        """
        if num_classes is not None and not self.labelled:
            raise ValueError(
                f"`num_classes` must be None: {self.name} is not conditional. "
                f"Received: {num_classes!r}"
            )
        latent_dim = (100 if len(shape) == 3 else 16) if latent_dim is None else latent_dim
        pair = self.networks(tuple(shape), latent_dim, num_classes, seed)
        model_class = getattr(models, self.name)
        conditional = {"num_classes": num_classes} if self.labelled else {}
        return model_class(*pair, ema_decay=ema_decay, seed=seed, **conditional)


@dataclasses.dataclass(frozen=True)
class UnpairedEntry(Entry):
    """A model that translates between two sets of pictures, A and B, without pairs.

    Attributes:
        splits: the two splits of `dataset` that are A and B.
        networks: function (shape, seed) that returns the constructor's networks.
    """

    splits: tuple

    def build(self, shape, ema_decay=None, seed=None, total_steps=None):
        """The model with fitting networks and the paper's settings.

        Args:
            shape: shape of one picture, (H, W, C).
            ema_decay: decay of averaged generators, or `None`.
            seed: integer that fixes networks and training, or `None`.
            total_steps: steps of the training, over which rates fall; the paper's when `None`.

        Returns:
            `keras_gans.AdversarialModel`.

        Raises:
            ValueError: the shape or another argument does not fit the networks.
        """
        scheduled = {} if total_steps is None else {"total_steps": total_steps}
        model_class = getattr(models, self.name)
        built = self.networks(tuple(shape), seed)
        return model_class(*built, ema_decay=ema_decay, seed=seed, **scheduled)


@dataclasses.dataclass(frozen=True)
class GrowingEntry(Entry):
    """A model that grows to the size of its data: `build` makes a stage, without a fade.

    `steps` are those of each stage.

    Attributes:
        large_batch_sizes: minibatch by height, for stages with another one than `batch_size`.
    """

    large_batch_sizes: dict

    def build(self, shape, num_classes=None, latent_dim=None, ema_decay=0.999, seed=None):
        """A stage; see `Entry.build`. Its generator is averaged, as in the paper."""
        return super().build(shape, num_classes, latent_dim, ema_decay, seed)

    def stages(self, shape, batch_size=None):
        """Pairs (shape, batch size), from the first stage to pictures of `shape`."""
        sizes, _ = networks.progan.check_levels(tuple(shape), filters_base=2**30, filters_max=1)
        own = (batch_size or self.large_batch_sizes.get(h, self.batch_size) for h, _ in sizes)
        return [((*size, shape[2]), batch) for size, batch in zip(sizes, own, strict=True)]


MODELS = {
    entry.name: entry
    for entry in (
        Entry.of("GAN", mlp_networks),
        Entry.of("VAE", vae_networks),
        Entry.of("CGAN", mlp_networks),
        Entry.of("LAPGAN", lapgan_networks),
        Entry.of("DCGAN", dcgan_networks),
        Entry.of("InfoGAN", infogan_networks),
        Entry.of("VAEGAN", vaegan_networks),
        Entry.of("LSGAN", dcgan_networks),
        Entry.of("WGAN", dcgan_networks),
        Entry.of("DRAGAN", functools.partial(dcgan_networks, normalization="layer")),
        Entry.of("WGANGP", functools.partial(dcgan_networks, normalization="layer")),
        Entry.of("BEGAN", began_networks),
        UnpairedEntry.of("CycleGAN", cyclegan_networks, splits=("trainA", "trainB")),
        GrowingEntry.of("ProGAN", progan_networks, large_batch_sizes={256: 14, 512: 6, 1024: 3}),
        Entry.of(
            "R3GAN",
            functools.partial(dcgan_networks, normalization=None, generator_normalization=None),
        ),
    )
}


def find(name):
    """The entry of a model, by its name in any case, with or without "-" and "_".

    Raises:
        ValueError: no such model; the message has the nearest names.

    Example:

    >>> find("wgan-gp").build((28, 28, 1), seed=0)
    """
    return MODELS[papers.find(name).name]
