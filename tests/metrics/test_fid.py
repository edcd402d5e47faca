"""FID against scipy's matrix root, singular values and closed forms."""

import numpy as np
import pytest
import tensorflow as tf
from metric_streams import check_streams, features, fed
from scipy import linalg

from keras_gans.metrics import FID, GivenFeatures, Measurement, frechet_distance


def build(size=8):
    return FID(GivenFeatures(size, "test"))


def by_matrix_root(a, b):
    """The definition, of float64 statistics by numpy and scipy."""
    a, b = a.astype("float64"), b.astype("float64")
    covariances = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    root = linalg.sqrtm(covariances[0] @ covariances[1]).real
    means = a.mean(axis=0) - b.mean(axis=0)
    return means @ means + np.trace(covariances[0] + covariances[1] - 2 * root)


def by_singular_values(a, b):
    """tr (A B)^(1/2) is the sum of the singular values of X Y^T, for A = X^T X and B = Y^T Y.

    It needs no root of a matrix, and so holds for fewer pictures than features.
    """
    parts = []
    for rows in (a.astype("float64"), b.astype("float64")):
        parts.append((rows - rows.mean(axis=0)) / np.sqrt(len(rows) - 1))
    x, y = parts
    means = a.mean(axis=0, dtype="float64") - b.mean(axis=0, dtype="float64")
    cross = linalg.svdvals(x @ y.T).sum()
    return means @ means + (x**2).sum() + (y**2).sum() - 2 * cross


@pytest.mark.parametrize("size", [1, 3, 64])
def test_matches_the_matrix_root(size):
    reals, fakes = features(500, size), features(400, size, seed=1, shift=0.3) * 1.2
    expected = by_matrix_root(reals, fakes) if size > 1 else by_singular_values(reals, fakes)
    fid = fed(build(size), reals, fakes).result()
    assert type(fid) is float and fid == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("nums", [(20, 30), (20, 500), (500, 20), (2, 3)], ids=str)
def test_singular_covariances(nums):
    """Fewer pictures than the 64 features, on one side or both."""
    reals, fakes = features(nums[0], 64), features(nums[1], 64, seed=1, shift=0.3)
    expected = by_singular_values(reals, fakes)
    assert fed(build(64), reals, fakes).result() == pytest.approx(expected, rel=1e-6)


def test_features_that_never_change():
    """Dead units: rows and columns of zeros; and sets of one point each."""
    reals, fakes = features(200), features(200, seed=1, shift=1)
    reals[:, 3:], fakes[:, 5:] = 7.0, -2.0
    expected = by_singular_values(reals, fakes)
    assert fed(build(), reals, fakes).result() == pytest.approx(expected, rel=1e-6)
    points = np.zeros((4, 8), "float32"), np.full((4, 8), 3, "float32")
    assert fed(build(), *points).result() == pytest.approx(8 * 9)


def test_closed_forms():
    """Diagonal covariances: sum (s_a - s_b)^2; a rotation by 90 degrees swaps them."""
    a, b = np.diag([1.0, 4.0]), np.diag([9.0, 16.0])
    zeros = np.zeros(2)
    assert frechet_distance(zeros, a, zeros, b) == pytest.approx((1 - 3) ** 2 + (2 - 4) ** 2)
    assert frechet_distance(zeros, np.diag([1.0, 0.0]), zeros, np.diag([0.0, 1.0])) == 2.0
    assert frechet_distance(zeros, a, np.array([3.0, 4.0]), a) == pytest.approx(25)


def test_small_eigenvalues_count():
    """C and 4 C are tr C apart: a hundredth of it is of eigenvalues of 1e-4 of the largest."""
    covariance = np.diag([1.0, *[1e-4] * 100])
    rotation = np.linalg.qr(np.random.default_rng(0).normal(size=covariance.shape))[0]
    zeros = np.zeros(len(covariance))
    for c in (covariance, rotation @ covariance @ rotation.T):
        assert frechet_distance(zeros, c, zeros, 4 * c) == pytest.approx(np.trace(c), rel=1e-6)


def test_large_means_cost_no_precision():
    """The mean outer product is 10^8 times the covariance here; float32 sums would be lost."""
    reals, fakes = features(300), features(300, seed=1)
    expected = by_matrix_root(reals, fakes)
    away = [x.astype("float64") + 1e4 for x in (reals, fakes)]
    away = [x.astype("float32") for x in away]
    assert fed(build(), *away).result() == pytest.approx(expected, rel=5e-2)
    assert fed(build(), *away).result() == pytest.approx(by_matrix_root(*away), rel=1e-4)


def test_equal_sets_and_symmetry():
    x, y = features(300), features(200, seed=1, shift=0.2)
    there, back = fed(build(), x, y).result(), fed(build(), y, x).result()
    assert there == pytest.approx(back, rel=1e-9) and there > 0.1
    assert fed(build(), x, x[::-1]).result() == pytest.approx(0, abs=1e-6)
    few = features(20, 64)
    assert fed(build(64), few, few).result() == pytest.approx(0, abs=1e-4)


def test_batches_graphs_and_replicas(two_replicas):
    check_streams(build, features(77), features(77, seed=1, shift=0.3), two_replicas, 1e-7)


def test_reals_stay_while_fakes_change():
    reals, fakes, others = features(90), features(70, seed=1), features(50, seed=2, shift=1)
    fid = fed(build(), reals, fakes)
    first = fid.result()
    fid.reset_fakes()
    fresh = build()
    fresh.set_reals_state(fid.reals_state())
    for metric in (fid, fresh):
        metric.update_state(fakes=others)
        assert metric.result() == pytest.approx(by_matrix_root(reals, others), rel=1e-6)
    assert fid.protocol() == {**fresh.protocol()} and fid.protocol()["fakes"] == 50
    fid.reset_state()
    assert fed(fid, reals, fakes).result() == first
    with pytest.raises(ValueError, match=r"`state` must have the arrays.*\(8, 8\).*\(4, 4\)"):
        build().set_reals_state(fed(build(4), features(9, 4), features(9, 4)).reals_state())


def test_bad_input():
    fid = build()
    with pytest.raises(ValueError, match="`reals` or `fakes` must be given"):
        fid.update_state()
    with pytest.raises(ValueError, match=r"`fakes` must be .*features \(num, 8\).*\(5, 7\)"):
        fid.update_state(features(5), features(5, 7))
    with pytest.raises(ValueError, match=r"`reals` must be floating-point.*int64"):
        fid.update_state(np.zeros((5, 8), "int64"))
    assert fid.count("reals") == 0
    fid.update_state(features(5))
    with pytest.raises(ValueError, match=r"`fid` needs 2 fakes or more. Received: 0"):
        fid.result()
    fid.update_state(fakes=np.full((5, 8), np.nan, "float32"))
    with pytest.raises(ValueError, match=r"extractor .* must give finite features of the fakes"):
        fid.result()
    with pytest.raises(ValueError, match=r"`mean_b` must be finite"):
        frechet_distance(np.zeros(2), np.eye(2), np.full(2, np.nan), np.eye(2))
    with pytest.raises(RuntimeError, match=r"`fid.result\(\)` must be called outside of graphs"):
        tf.function(fid.result)()
    with pytest.raises(NotImplementedError, match="FID is not saved with models"):
        fid.get_config()
    with pytest.raises(ValueError, match=r"`covariance_a` must be .*\(2, 2\).*\(3, 3\)"):
        frechet_distance(np.zeros(2), np.eye(3), np.zeros(2), np.eye(2))
    with pytest.raises(ValueError, match="`extractor` must be an Extractor"):
        FID("inception")


@pytest.mark.parametrize(
    ("num", "size", "words"),
    [(15, 3, "biased"), (1999, 3, "biased"), (2000, 3, ""), (15, 64, "singular")],
)
def test_few_examples_come_with_a_caution(num, size, words):
    metric = fed(build(size), features(num, size), features(2100, size, seed=1), batch=2100)
    caution = metric.caution()
    assert words in caution and bool(words) == bool(caution)
    if words:
        assert f"of {num:,} examples" in caution
        with pytest.warns(UserWarning, match=f"fid of {num:,} examples is biased upwards"):
            metric.result()
        measured = metric.measurement()
        assert str(measured).endswith(f") Caution: {caution}")
        assert Measurement.from_dict(measured.to_dict()) == measured
