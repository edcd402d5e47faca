"""Priors of codes: by hand, their distribution by quantiles, and labels that choose a part."""

import numpy as np
import pytest
from keras import ops
from scipy import stats

from keras_gans.families.priors import mixture, swiss_roll

NUM, K = 20_000, 5


def numbers(num=NUM):
    return np.random.default_rng(0).normal(size=(num, 4)).astype("float32")


def by_hand(place):
    """Two normal numbers of which the place is 1 - exp(-u^2 / 2)."""
    return [np.sqrt(-2 * np.log(1 - place)), 0.0]


def test_mixture_by_hand():
    """Radius 1.4 + 0.5 u_1 and 0.05 u_2 across; component 1 of 4 is turned by a quarter."""
    rows = np.array([[2, 1, *by_hand(0.1)], [2, 1, *by_hand(0.3)], [0, 0, *by_hand(0.99)]])
    made = np.array(mixture(rows.astype("float32"), None, 4))
    np.testing.assert_allclose(made, [[2.4, 0.05], [-0.05, 2.4], [0, -1.4]], atol=1e-6)
    made = np.array(mixture(rows.astype("float32"), np.array([2, 0, 4]), 4))  # the last is drawn
    np.testing.assert_allclose(made, [[-2.4, -0.05], [2.4, 0.05], [0, -1.4]], atol=1e-6)


def test_swiss_roll_by_hand():
    """s = sqrt(t): radius 3 s, angle 4 pi s; of class k of K, t = (k + t') / K."""
    rows = np.array([[0, 0, *by_hand(0.25)], [2, -1, *by_hand(0.25)], [0, 0, *by_hand(0.5)]])
    made = np.array(swiss_roll(rows.astype("float32"), None, 4))
    s = np.sqrt(0.5)
    last = [3 * s * np.cos(4 * np.pi * s), 3 * s * np.sin(4 * np.pi * s)]
    np.testing.assert_allclose(made, [[1.5, 0], [1.6, -0.05], last], atol=1e-5)
    rows[:, 2:] = by_hand(0.0)
    made = np.array(swiss_roll(rows.astype("float32"), np.array([1, 4, 0]), 4))
    np.testing.assert_allclose(made, [[1.5, 0], [0.1, -0.05], [0, 0]], atol=1e-5)


@pytest.mark.parametrize("num_classes", [3, 10])
def test_components_are_uniform_and_gaussian(num_classes):
    z = np.array(mixture(numbers(), None, num_classes))
    component = np.rint(np.arctan2(z[:, 1], z[:, 0]) / (2 * np.pi / num_classes)) % num_classes
    far = np.linalg.norm(z, axis=1) > 0.4  # nearer to the centre they overlap
    counts = np.bincount(component[far].astype(int), minlength=num_classes)
    assert stats.chisquare(counts).pvalue > 1e-3
    of_one = np.array(mixture(numbers(), np.zeros(NUM, "int32"), num_classes))
    for values, mean, deviation in ((of_one[:, 0], 1.4, 0.5), (of_one[:, 1], 0.0, 0.05)):
        assert stats.kstest((values - mean) / deviation, "norm").pvalue > 1e-3
    assert abs(np.corrcoef(of_one.T)[0, 1]) < 5 / np.sqrt(NUM)


def test_the_roll_is_followed_evenly():
    """The square of the radius is uniform, of a class within its part."""
    z = np.array(swiss_roll(numbers(), None, K))
    assert stats.kstest((np.linalg.norm(z, axis=1) / 3) ** 2, "uniform").statistic < 0.02
    for k in range(K):
        z = np.array(swiss_roll(numbers(2000), np.full(2000, k), K))
        place = (np.linalg.norm(z, axis=1) / 3) ** 2 * K - k
        assert np.quantile(place, [0.02, 0.98]) == pytest.approx([0.02, 0.98], abs=0.3)
        assert place.mean() == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("prior", [mixture, swiss_roll])
def test_a_label_that_is_not_known_is_the_whole_prior(prior):
    rows = numbers(50)
    drawn = np.array(prior(rows, None, K))
    np.testing.assert_array_equal(prior(rows, ops.full((50,), K, dtype="int32"), K), drawn)
    half = np.arange(50) % 2 * K
    known = np.array(prior(rows, np.zeros(50, "int32"), K))
    expected = np.where((half == K)[:, None], drawn, known)
    np.testing.assert_array_equal(prior(rows, half, K), expected)
