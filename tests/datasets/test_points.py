"""Point sets against their definitions, computed here from the numbers in the papers."""

import math

import numpy as np
import pytest

from keras_gans import datasets


def everything(name, labels=True):
    dataset = datasets.load(name, batch_size=5000, labels=labels)
    parts = list(dataset.as_numpy_iterator())
    if not labels:
        return np.concatenate(parts)
    return np.concatenate([x for x, _ in parts]), np.concatenate([y for _, y in parts])


RING = [(math.cos(k * math.pi / 4), math.sin(k * math.pi / 4)) for k in range(8)]
GRID = [(x, y) for x in (-4, -2, 0, 2, 4) for y in (-4, -2, 0, 2, 4)]


@pytest.mark.parametrize(
    ("name", "centres", "sigma"),
    [("ring", RING, 0.01), ("grid", GRID, 0.05), ("two_gaussians", [(-2,), (2,)], 0.5)],
)
def test_mixtures(name, centres, sigma):
    points, labels = everything(name)
    assert points.shape == (50_000, len(centres[0]))
    assert points.dtype == np.float32
    per_mode = 50_000 // len(centres)
    assert np.bincount(labels).tolist() == [per_mode] * len(centres)
    for mode, centre in enumerate(centres):
        of_mode = points[labels == mode]
        error = sigma / math.sqrt(per_mode)
        np.testing.assert_allclose(of_mode.mean(axis=0), centre, atol=5 * error)
        np.testing.assert_allclose(of_mode.std(axis=0), sigma, rtol=5 / math.sqrt(2 * per_mode))
    info = datasets.info(name)
    assert (info.num_classes, info.shape) == (len(centres), (len(centres[0]),))


def test_centres_are_public():
    np.testing.assert_allclose(datasets.points.RING_CENTRES, RING, atol=1e-12)
    np.testing.assert_allclose(datasets.points.GRID_CENTRES, GRID)
    assert (datasets.points.RING_SIGMA, datasets.points.GRID_SIGMA) == (0.01, 0.05)


def test_gaussian():
    points = everything("gaussian", labels=False)[:, 0]
    assert abs(points.mean() - 4) < 5 * 1.25 / math.sqrt(50_000)
    assert abs(points.std() - 1.25) < 5 * 1.25 / math.sqrt(100_000)
    standardised = (points - 4) / 1.25
    assert abs(np.mean(standardised**3)) < 0.06  # no skew
    assert abs(np.mean(standardised**4) - 3) < 0.12  # the kurtosis of a Gaussian


def test_swiss_roll():
    points = everything("swiss_roll", labels=False)
    radius = np.hypot(*points.T)
    assert radius.max() < 1.1
    assert radius.min() > 1 / 3 - 0.1
    # On the curve the angle is the radius times 4.5 pi, up to full turns.
    off = np.angle(np.exp(1j * (np.arctan2(points[:, 1], points[:, 0]) - radius * 4.5 * np.pi)))
    assert np.abs(off).std() < 0.3
    assert abs(off.mean()) < 0.02


def test_the_seed_orders_and_does_not_change_the_points():
    one, other = (
        np.concatenate(list(datasets.load("ring", batch_size=500, seed=s).as_numpy_iterator()))
        for s in (1, 2)
    )
    assert not np.array_equal(one, other)
    np.testing.assert_array_equal(np.sort(one[:, 0]), np.sort(other[:, 0]))


@pytest.mark.parametrize("argument", ["image_size", "channels"])
def test_points_have_no_size(argument):
    with pytest.raises(ValueError, match=f"`{argument}` must be None for 'grid'.*Received: 3"):
        datasets.load("grid", **{argument: 3})


@pytest.mark.parametrize("name", ["gaussian", "swiss_roll"])
def test_points_without_labels(name):
    with pytest.raises(ValueError, match=f"`labels` must be False for '{name}'"):
        datasets.load(name, labels=True)
