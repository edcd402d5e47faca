"""Pictures of three others, one in each channel: a thousand modes that are known.

Metz et al., 2017 (arXiv:1611.02163) stack digits of MNIST to count the modes that a generator
catches. Here every mode, three classes in their order, has the same 26 pictures; which pictures of
its classes they are is drawn, by a seed that is fixed. They are made in memory when they are asked
for, 61 MB, out of the sets that come with the package.
"""

import functools

import numpy as np

from keras_gans.catalogue import NUM_STACKED, SETS, splits_of
from keras_gans.datasets import embedded
from keras_gans.datasets.examples import InMemory
from keras_gans.datasets.splits import of_split

STACKED_SEED = 2017


def stack(name, base):
    """`NUM_STACKED` pictures of three of another set, the modes in turn.

    Args:
        name: str, what they are called.
        base: InMemory of grey pictures, with labels.

    Returns:
        InMemory, with uint8 pictures (num, height, width, 3) and the modes as labels: with K
        classes, K^2 times that of the first channel, K times that of the second, and the third's.
    """
    rng, classes = np.random.default_rng(STACKED_SEED), base.info.num_classes
    modes = np.arange(NUM_STACKED) % classes**3
    pictures, labels = np.array(base.values)[..., 0], np.array(base.labels)
    chosen = np.empty((3, NUM_STACKED), int)
    for channel, power in enumerate((2, 1, 0)):
        wanted = modes // classes**power % classes
        for label in range(classes):
            where = np.flatnonzero(wanted == label)
            chosen[channel, where] = rng.choice(np.flatnonzero(labels == label), len(where))
    stacked = np.stack([pictures[ids] for ids in chosen], axis=-1)
    return InMemory(SETS[name], stacked, modes.astype(np.int32))


@functools.cache
def stacked_fashion_mnist():
    """Three pictures of `fashion_mnist_10k` each."""
    return stack("stacked_fashion_mnist", embedded.fashion_mnist_10k())


@functools.cache
def stacked_mnist_5k():
    """Three digits of the split "train" of `mnist_5k` each."""
    return stack("stacked_mnist_5k", embedded.read("mnist_5k"))


MAKERS = {"stacked_fashion_mnist": stacked_fashion_mnist, "stacked_mnist_5k": stacked_mnist_5k}


def read(name, size=None, channels=None, resampling="lanczos", split="train"):
    """The pictures of one of `MAKERS`; for the arguments see `embedded.read`.

    Raises:
        ValueError: `channels` are others than the three that are pictures of their own.
    """
    if channels not in (None, 3):
        raise ValueError(
            f"`channels` must be None or 3 for {name!r}, which has a picture in each. "
            f"Received: {channels!r}"
        )
    examples = of_split(MAKERS[name](), splits_of(name), split)
    return embedded.fitted(examples, size, channels, resampling)
