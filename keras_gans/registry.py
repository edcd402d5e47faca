"""The table of models: paper, default data and networks, for the command line and the README."""

import dataclasses
import difflib
import functools
from collections.abc import Callable

from keras_gans import models, networks


def dcgan_networks(shape, latent_dim, num_classes, seed, normalization="batch"):
    """A DCGAN pair for pictures, an MLP pair for points."""
    if len(shape) == 1:
        return mlp_networks(shape, latent_dim, num_classes, seed)
    generator = networks.build_dcgan_generator(
        shape, latent_dim, num_classes=num_classes, seed=seed
    )
    discriminator = networks.build_dcgan_discriminator(
        shape, normalization=normalization, num_classes=num_classes, seed=seed
    )
    return generator, discriminator


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


@dataclasses.dataclass(frozen=True)
class Entry:
    """One model of the package.

    Attributes:
        name: class name in `keras_gans`.
        title, authors, year, arxiv: of the paper.
        dataset: name for `keras_gans.datasets.load`, what the model is trained on by default.
        labelled: whether it is trained on pairs of samples and labels.
        batch_size: the paper's minibatch.
        steps: generator updates after which the default data are learned, roughly.
        status: what was seen of it.
        networks: function (shape, latent_dim, num_classes, seed) that returns the constructor's two
            networks.
    """

    name: str
    title: str
    authors: str
    year: int
    arxiv: str
    dataset: str
    labelled: bool
    batch_size: int
    steps: int
    status: str
    networks: Callable

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


MODELS = {
    entry.name: entry
    for entry in (
        Entry(
            name="GAN",
            title="Generative Adversarial Nets",
            authors="Goodfellow et al.",
            year=2014,
            arxiv="1406.2661",
            dataset="fashion_mnist_10k",
            labelled=False,
            batch_size=100,
            steps=10_000,
            status="trained",
            networks=mlp_networks,
        ),
        Entry(
            name="CGAN",
            title="Conditional Generative Adversarial Nets",
            authors="Mirza and Osindero",
            year=2014,
            arxiv="1411.1784",
            dataset="fashion_mnist_10k",
            labelled=True,
            batch_size=100,
            steps=10_000,
            status="trained",
            networks=mlp_networks,
        ),
        Entry(
            name="DCGAN",
            title="Unsupervised Representation Learning with Deep Convolutional GANs",
            authors="Radford et al.",
            year=2016,
            arxiv="1511.06434",
            dataset="fashion_mnist_10k",
            labelled=False,
            batch_size=128,
            steps=4_000,
            status="trained",
            networks=dcgan_networks,
        ),
        Entry(
            name="LSGAN",
            title="Least Squares Generative Adversarial Networks",
            authors="Mao et al.",
            year=2017,
            arxiv="1611.04076",
            dataset="fashion_mnist_10k",
            labelled=False,
            batch_size=64,
            steps=4_000,
            status="trained",
            networks=dcgan_networks,
        ),
        Entry(
            name="WGAN",
            title="Wasserstein GAN",
            authors="Arjovsky et al.",
            year=2017,
            arxiv="1701.07875",
            dataset="fashion_mnist_10k",
            labelled=False,
            batch_size=64,
            steps=10_000,
            status="trained",
            networks=dcgan_networks,
        ),
        Entry(
            name="WGANGP",
            title="Improved Training of Wasserstein GANs",
            authors="Gulrajani et al.",
            year=2017,
            arxiv="1704.00028",
            dataset="fashion_mnist_10k",
            labelled=False,
            batch_size=64,
            steps=4_000,
            status="trained",
            networks=functools.partial(dcgan_networks, normalization="layer"),
        ),
    )
}


def find(name):
    """The entry of a model, by its name in any case, with or without "-" and "_".

    Raises:
        ValueError: no such model; the message has the nearest names.

    Example:

    >>> find("wgan-gp").year
    2017
    """
    plain = {key.lower(): entry for key, entry in MODELS.items()}
    wanted = str(name).lower().replace("-", "").replace("_", "")
    if wanted in plain:
        return plain[wanted]
    near = [plain[key].name for key in difflib.get_close_matches(wanted, plain, n=3, cutoff=0.4)]
    hint = f"Did you mean {', '.join(near)}? " if near else ""
    raise ValueError(f"There is no model {name!r}. {hint}The models are {', '.join(MODELS)}.")
