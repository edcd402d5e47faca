"""Precision, recall, density and coverage against loops, and on sets that are known."""

import numpy as np
import pytest
from metric_streams import check_streams, features

from keras_gans.metrics import PRDC, GivenFeatures, precision_recall_density_coverage
from keras_gans.metrics import prdc as module


def build(**kwargs):
    return PRDC(GivenFeatures(8, "test"), **{"num": 100, "k": 3, **kwargs})


def slow(reals, fakes, k):
    """The papers' definitions, a pair at a time."""

    def distance(a, b):
        return np.sqrt(np.sum((a.astype("float64") - b.astype("float64")) ** 2))

    def radius(rows, i):
        others = [distance(rows[i], row) for j, row in enumerate(rows) if j != i]
        return sorted(others)[k - 1]

    of_reals = [radius(reals, i) for i in range(len(reals))]
    of_fakes = [radius(fakes, j) for j in range(len(fakes))]
    near = np.array([[distance(a, b) for b in fakes] for a in reals])
    in_reals = near <= np.array(of_reals)[:, None]
    return {
        "precision": in_reals.any(axis=0).mean(),
        "recall": (near <= np.array(of_fakes)).any(axis=1).mean(),
        "density": in_reals.sum() / (k * len(fakes)),
        "coverage": in_reals.any(axis=1).mean(),
    }


@pytest.mark.parametrize("nums", [(40, 40), (25, 60), (60, 25)], ids=str)
@pytest.mark.parametrize("k", [1, 3, 5])
@pytest.mark.parametrize("block", [1000, 7, 2])
def test_matches_loops(nums, k, block, monkeypatch):
    monkeypatch.setattr(module, "BLOCK", block)
    reals, fakes = features(nums[0]), features(nums[1], seed=1, shift=2.5) * 0.9
    expected = slow(reals, fakes, k)
    assert precision_recall_density_coverage(reals, fakes, k) == pytest.approx(expected, abs=1e-12)
    assert 0 < expected["precision"] < 1 and 0 < expected["recall"] < 1


@pytest.mark.parametrize("seed", [0, 1])
def test_ties(seed):
    """Points of a small lattice: many are equal, and many distances too."""
    reals, fakes = np.random.default_rng(seed).integers(0, 3, (2, 40, 3)).astype("float32")
    expected = slow(reals, fakes, 2)
    assert precision_recall_density_coverage(reals, fakes, 2) == pytest.approx(expected, abs=1e-12)


def test_known_sets():
    x = features(100)
    same = precision_recall_density_coverage(x, x, 5)
    assert same["precision"] == same["recall"] == same["coverage"] == 1
    far = precision_recall_density_coverage(x, x + 1000, 5)
    assert set(far.values()) == {0.0}
    # One mode of two: what is made is right, and half of the reals is missed.
    two = np.concatenate([x, x + 1000])
    half = precision_recall_density_coverage(two, features(100, seed=1), 5)
    assert half["precision"] > 0.8 > 0.5 >= half["recall"] and half["coverage"] <= 0.5
    # Fakes like reals and others: nothing is missed, and half of the fakes is wrong.
    wide = precision_recall_density_coverage(x, np.concatenate([x, x + 1000]), 5)
    assert wide["precision"] == 0.5 and wide["recall"] == 1 and wide["coverage"] == 1


def test_density_of_one_distribution_is_about_1():
    numbers = precision_recall_density_coverage(features(600), features(600, seed=1), 5)
    assert numbers["density"] == pytest.approx(1, abs=0.1)
    # None of the 5 nearest pictures is a fake, where each of them is one as likely as not.
    assert numbers["coverage"] == pytest.approx(1 - 2.0**-5, abs=0.03)


def test_batches_graphs_and_replicas(two_replicas):
    metric = check_streams(build, features(77), features(77, seed=1, shift=1), two_replicas, 0)
    expected = slow(features(77), features(77, seed=1, shift=1), 3)
    assert metric.result() == pytest.approx(expected, abs=1e-12)
    assert metric.protocol()["k"] == 3


def test_bad_input():
    few = build()
    few.update_state(features(3), features(50))
    with pytest.raises(ValueError, match=r"`prdc` needs 4 reals or more. Received: 3"):
        few.result()
    for kwargs in ({"num": 0}, {"k": 0}, {"k": 2.5}):
        (name,) = kwargs
        with pytest.raises(ValueError, match=f"`{name}` must be an integer.*Received"):
            build(**kwargs)
    with pytest.raises(ValueError, match=r"`fakes` must have the 8 features.*7"):
        precision_recall_density_coverage(features(9), features(9, 7))
    with pytest.raises(ValueError, match=r"`reals` must be features.*6 or more.*\(5, 8\)"):
        precision_recall_density_coverage(features(5), features(9))
