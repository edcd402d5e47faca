"""The papers in the package, and what their models are trained on, for lists and the command line.

A table without TensorFlow; `registry` has the networks and builds the models.
"""

import dataclasses
import difflib


@dataclasses.dataclass(frozen=True)
class Paper:
    """One model of the package.

    Attributes:
        name: class name in `keras_gans`.
        title, authors, year, arxiv: of the paper.
        dataset: name for `keras_gans.datasets.load`, what the model is trained on by default.
        labelled: whether it is trained on pairs of samples and labels.
        batch_size: the paper's minibatch.
        steps: generator updates after which the default data are learned, roughly.
        status: what was seen of it.
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


PAPERS = {
    paper.name: paper
    for paper in (
        Paper(
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
        ),
        Paper(
            name="VAE",
            title="Auto-Encoding Variational Bayes",
            authors="Kingma and Welling",
            year=2014,
            arxiv="1312.6114",
            dataset="fashion_mnist_10k",
            labelled=False,
            batch_size=100,
            steps=4_000,
            status="trained",
        ),
        Paper(
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
        ),
        Paper(
            name="LAPGAN",
            title="Deep Generative Image Models using a Laplacian Pyramid of Adversarial Networks",
            authors="Denton et al.",
            year=2015,
            arxiv="1506.05751",
            dataset="fashion_mnist_10k",
            labelled=False,
            batch_size=128,
            steps=4_000,
            status="trained",
        ),
        Paper(
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
        ),
        Paper(
            name="InfoGAN",
            title="InfoGAN: Interpretable Representation Learning by Information Maximizing GANs",
            authors="Chen et al.",
            year=2016,
            arxiv="1606.03657",
            dataset="fashion_mnist_10k",
            labelled=False,
            batch_size=128,
            steps=5_000,
            status="trained",
        ),
        Paper(
            name="VAEGAN",
            title="Autoencoding beyond Pixels Using a Learned Similarity Metric",
            authors="Larsen et al.",
            year=2016,
            arxiv="1512.09300",
            dataset="noto_skin_tones",
            labelled=False,
            batch_size=64,
            steps=4_000,
            status="trained",
        ),
        Paper(
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
        ),
        Paper(
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
        ),
        Paper(
            name="DRAGAN",
            title="On Convergence and Stability of GANs",
            authors="Kodali et al.",
            year=2017,
            arxiv="1705.07215",
            dataset="ring",
            labelled=False,
            batch_size=64,
            steps=10_000,
            status="trained",
        ),
        Paper(
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
        ),
        Paper(
            name="BEGAN",
            title="BEGAN: Boundary Equilibrium Generative Adversarial Networks",
            authors="Berthelot et al.",
            year=2017,
            arxiv="1703.10717",
            dataset="fashion_mnist_10k",
            labelled=False,
            batch_size=16,
            steps=10_000,
            status="trained",
        ),
        Paper(
            name="CycleGAN",
            title="Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks",
            authors="Zhu et al.",
            year=2017,
            arxiv="1703.10593",
            dataset="cycle_gan/horse2zebra",
            labelled=False,
            batch_size=1,
            steps=266_800,
            status="trained",
        ),
        Paper(
            name="ProGAN",
            title="Progressive Growing of GANs for Improved Quality, Stability, and Variation",
            authors="Karras et al.",
            year=2018,
            arxiv="1710.10196",
            dataset="noto_emoji",
            labelled=False,
            batch_size=16,
            steps=4_000,
            status="trained",
        ),
        Paper(
            name="R3GAN",
            title="The GAN is dead; long live the GAN! A Modern GAN Baseline",
            authors="Huang et al.",
            year=2024,
            arxiv="2501.05441",
            dataset="ring",
            labelled=False,
            batch_size=256,
            steps=10_000,
            status="trained",
        ),
    )
}


def find(name):
    """A model of the table, by its name in any case, with or without "-" and "_".

    Raises:
        ValueError: no such model; the message has the nearest names.

    Example:

    >>> find("wgan-gp").year
    2017
    """
    plain = {key.lower(): paper for key, paper in PAPERS.items()}
    wanted = str(name).lower().replace("-", "").replace("_", "")
    if wanted in plain:
        return plain[wanted]
    near = [plain[key].name for key in difflib.get_close_matches(wanted, plain, n=3, cutoff=0.6)]
    hint = f"Did you mean {', '.join(near)}? " if near else ""
    raise ValueError(f"There is no model {name!r}. {hint}The models are {', '.join(PAPERS)}.")
