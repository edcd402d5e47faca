"""Mode coverage on points whose modes are known by hand, and of stacked pictures."""

import numpy as np
import pytest
import tensorflow as tf
from metric_streams import check_streams, fed

from keras_gans.datasets import points
from keras_gans.metrics import CallableExtractor, GivenFeatures, ModeCoverage, StackedModes

CENTRES = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])


def coverage(**kwargs):
    return ModeCoverage(CENTRES, sigma=1.0, **kwargs)


def test_by_hand():
    """Two near the first centre, one between, one near the second; the third is missed."""
    fakes = np.array([[0, 0], [2.9, 0], [3.1, 0], [10, -1]], "float32")
    kl = 0.75 * np.log(0.75 * 3) + 0.25 * np.log(0.25 * 3)
    metric = coverage()
    metric.update_state(fakes=fakes)
    assert metric.result() == {"modes": 2, "high_quality": 0.75, "kl": pytest.approx(kl)}
    twice = coverage(min_samples=2)
    twice.update_state(fakes=fakes)
    assert twice.result()["modes"] == 1
    wide = coverage(num_sigmas=4)
    wide.update_state(fakes=fakes)
    assert wide.result()["high_quality"] == 1.0


def test_divergence_from_the_reals():
    reals = np.repeat(CENTRES, [2, 1, 1], axis=0).astype("float32")
    fakes = np.repeat(CENTRES, [1, 1, 0], axis=0).astype("float32")
    kl = 0.5 * np.log(0.5 / 0.5) + 0.5 * np.log(0.5 / 0.25)
    assert fed(coverage(), reals, fakes).result()["kl"] == pytest.approx(kl)
    assert fed(coverage(), fakes, reals).result()["kl"] == float("inf")
    assert fed(coverage(), reals, reals).result()["kl"] == 0


@pytest.mark.parametrize(("name", "centres", "sigma"), [
    ("ring", points.RING_CENTRES, points.RING_SIGMA),
    ("grid", points.GRID_CENTRES, points.GRID_SIGMA),
])  # fmt: skip
def test_the_sets_themselves(name, centres, sigma):
    """All modes, and within three deviations in the plane a share 1 - exp(-9 / 2)."""
    sample = points.read(name).values.numpy()[:5000]
    metric = ModeCoverage(centres, sigma, min_samples=20)
    metric.update_state(fakes=sample)
    result = metric.result()
    assert result["modes"] == len(centres)
    assert result["high_quality"] == pytest.approx(1 - np.exp(-4.5), abs=0.005)
    assert result["kl"] == pytest.approx(0, abs=1e-6)


def test_samples_that_are_not_numbers():
    metric = coverage()
    metric.update_state(fakes=np.full((4, 2), np.nan, "float32"))
    assert metric.result()["modes"] == 0 and metric.result()["high_quality"] == 0


def test_coverage_in_batches_graphs_and_replicas(two_replicas):
    rng = np.random.default_rng(0)
    reals, fakes = rng.normal(scale=4, size=(2, 77, 2)).astype("float32")
    check_streams(coverage, reals, fakes, two_replicas, 0)


def brightness():
    """A classifier of pictures by their brightness, 0 to 3."""

    def classify(pictures):
        level = tf.reduce_mean(pictures, axis=(1, 2, 3)) * 1.999 + 2
        return pictures, tf.one_hot(tf.cast(level, tf.int32), 4)

    return CallableExtractor(classify, "brightness", (4, 4), 1, version="1")


def stacked(classes):
    """Pictures (num, 4, 4, 3) of brightnesses (num, 3)."""
    levels = np.asarray(classes) * 64 + 30
    return np.broadcast_to(levels[:, None, None], (len(levels), 4, 4, 3)).astype("uint8")


def test_stacked_modes():
    fakes = stacked([[0, 1, 2], [0, 1, 2], [2, 1, 0], [3, 3, 3]])
    metric = StackedModes(brightness())
    metric.update_state(fakes=fakes)
    kl = 0.5 * np.log(0.5 * 64) + 0.5 * np.log(0.25 * 64)
    assert metric.result() == {"stacked_modes": 3, "kl": pytest.approx(kl)}
    where = np.flatnonzero(metric.counts["fakes"].numpy())
    assert where.tolist() == [0 * 16 + 1 * 4 + 2, 2 * 16 + 1 * 4 + 0, 63]
    everything = np.array(np.meshgrid(*[range(4)] * 3)).reshape(3, -1).T
    full = fed(StackedModes(brightness()), stacked(everything), stacked(everything))
    assert full.result() == {"stacked_modes": 64, "kl": 0}


def test_stacked_modes_in_batches_graphs_and_replicas(two_replicas):
    classes = np.random.default_rng(0).integers(0, 4, (2, 77, 3))
    sides = [stacked(part) for part in classes]
    check_streams(lambda: StackedModes(brightness()), *sides, two_replicas, 0)


def test_bad_input():
    with pytest.raises(ValueError, match=r"`fakes` must be floating-point points \(num, 2\)"):
        coverage().update_state(fakes=np.zeros((4, 3), "float32"))
    with pytest.raises(ValueError, match=r"`centres` must be finite points.*\(3,\)"):
        ModeCoverage([1.0, 2.0, 3.0], 1.0)
    with pytest.raises(ValueError, match=r"`centres` must be finite points.*NaN"):
        ModeCoverage([[0.0, np.nan]], 1.0)
    for kwargs in ({"sigma": 0}, {"sigma": 1, "num_sigmas": -1}, {"sigma": 1, "min_samples": 0}):
        with pytest.raises(ValueError, match=f"`{list(kwargs)[-1]}` must be"):
            ModeCoverage(CENTRES, **kwargs)
    with pytest.raises(ValueError, match="`modes` needs 1 fakes or more"):
        coverage().result()
    with pytest.raises(ValueError, match="`classifier` must give probabilities"):
        StackedModes(GivenFeatures(8, "given"))
    with pytest.raises(ValueError, match="`fakes` must have three channels"):
        StackedModes(brightness()).update_state(fakes=np.zeros((2, 4, 4, 1), "uint8"))


def test_samples_that_are_not_finite_are_in_no_mode():
    centres = [[0.0, 0.0], [10.0, 0.0]]
    coverage = ModeCoverage(centres, 1.0)
    fakes = np.array([[0, 0], [np.nan, 0], [10, 0], [np.inf, 0]], "float32")
    coverage.update_state(fakes=fakes)
    assert coverage.result() == {"modes": 2, "high_quality": 0.5, "kl": np.inf}
    coverage.reset_state()
    coverage.update_state(fakes=np.full((3, 2), np.nan, "float32"))
    assert coverage.result() == {"modes": 0, "high_quality": 0, "kl": np.inf}
