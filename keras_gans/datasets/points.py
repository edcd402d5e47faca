"""Points in one and two dimensions, whose distribution is known: a generator can be held against
it.

`ring` and `grid` are the mixtures of the literature on mode collapse (VEEGAN, Srivastava et al.,
2017, arXiv:1705.07761; PacGAN, Lin et al., 2018, arXiv:1712.04086): 8 Gaussians on a circle of
radius 1 with a standard deviation of 0.01, and 5x5 Gaussians 2 apart with one of 0.05. Every mode
has the same number of points.

Each set is a fixed list of 50,000 points; the seed of `load` orders them, and does not change them.
"""

import functools

import numpy as np

from keras_gans.catalogue import NUM_POINTS, SETS, splits_of
from keras_gans.datasets.examples import InMemory
from keras_gans.datasets.splits import of_split

POINTS_SEED = 2014

RING_RADIUS = 1.0
RING_SIGMA = 0.01
RING_CENTRES = RING_RADIUS * np.stack(
    [np.cos(2 * np.pi * np.arange(8) / 8), np.sin(2 * np.pi * np.arange(8) / 8)], axis=1
)
"""(8, 2), counter-clockwise from (1, 0); the index is the label."""

GRID_SPACING = 2.0
GRID_SIGMA = 0.05
GRID_CENTRES = np.array([(x, y) for x in (-4, -2, 0, 2, 4) for y in (-4, -2, 0, 2, 4)], float)
"""(25, 2), with x in the outer loop; the index is the label."""

TWO_GAUSSIANS_CENTRES = np.array([[-2.0], [2.0]])
TWO_GAUSSIANS_SIGMA = 0.5

GAUSSIAN_MEAN = 4.0
GAUSSIAN_SIGMA = 1.25
"""A usual choice for a first GAN: both numbers differ from those of standard normal latents."""

SWISS_ROLL_SIGMA = 0.02
SWISS_ROLL_TURNS = (1.5 * np.pi, 4.5 * np.pi)
"""The curve is a (cos a, sin a) / 4.5 pi, with angles a from the first to the second number."""


def mixture(rng, centres, sigma):
    """Equally many points around each of the centres, in turn, with the centres' indices."""
    modes = np.arange(NUM_POINTS) % len(centres)
    return centres[modes] + sigma * rng.standard_normal((NUM_POINTS, centres.shape[1])), modes


def ring(rng):
    """8 Gaussians on the unit circle."""
    return mixture(rng, RING_CENTRES, RING_SIGMA)


def grid(rng):
    """5x5 Gaussians, 2 apart."""
    return mixture(rng, GRID_CENTRES, GRID_SIGMA)


def two_gaussians(rng):
    """N(-2, 0.5^2) and N(2, 0.5^2) on a line, one half each."""
    return mixture(rng, TWO_GAUSSIANS_CENTRES, TWO_GAUSSIANS_SIGMA)


def gaussian(rng):
    """N(4, 1.25^2) on a line."""
    return GAUSSIAN_MEAN + GAUSSIAN_SIGMA * rng.standard_normal((NUM_POINTS, 1)), None


def swiss_roll(rng):
    """A spiral of one and a half turns within the unit circle, with noise of 0.02."""
    first, last = SWISS_ROLL_TURNS
    angles = rng.uniform(first, last, (NUM_POINTS, 1))
    curve = angles / last * np.concatenate([np.cos(angles), np.sin(angles)], axis=1)
    return curve + SWISS_ROLL_SIGMA * rng.standard_normal(curve.shape), None


MAKERS = {
    "ring": ring,
    "grid": grid,
    "two_gaussians": two_gaussians,
    "gaussian": gaussian,
    "swiss_roll": swiss_roll,
}


def read(name, split="train"):
    """The points of one of `MAKERS`.

    Args:
        name: str.
        split: see `splits.of_split`.

    Returns:
        InMemory, with float32 points (num, dimensions), 50,000 in all.
    """
    return of_split(_all(name), splits_of(name), split)


@functools.cache
def _all(name):
    points, labels = MAKERS[name](np.random.default_rng(POINTS_SEED))
    labels = None if labels is None else labels.astype(np.int32)
    return InMemory(SETS[name], points.astype(np.float32), labels)
