"""KID against loops over pairs, and its errors against repetitions."""

import itertools

import numpy as np
import pytest
from metric_streams import check_streams, features, fed

from keras_gans.metrics import KID, GivenFeatures, kernel_distance
from keras_gans.metrics import kid as module


def build(**kwargs):
    kwargs = {"num": 100, "subsets": 6, "subset_size": 20, **kwargs}
    return KID(GivenFeatures(8, "test"), **kwargs)


def slow(x, y):
    """The unbiased estimate, a pair at a time."""
    x, y = x.astype("float64"), y.astype("float64")

    def kernel(a, b):
        return (np.dot(a, b) / len(a) + 1) ** 3

    def within(z):
        return np.mean([kernel(a, b) for a, b in itertools.permutations(z, 2)])

    return within(x) + within(y) - 2 * np.mean([kernel(a, b) for a in x for b in y])


@pytest.mark.parametrize("nums", [(20, 20), (7, 25), (3, 3)], ids=str)
@pytest.mark.parametrize("block", [1000, 6])
def test_matches_loops(nums, block, monkeypatch):
    monkeypatch.setattr(module, "BLOCK", block)
    x, y = features(nums[0]), features(nums[1], seed=1, shift=0.2)
    kid, _ = kernel_distance(x, y)
    assert kid == pytest.approx(slow(x, y), rel=1e-11)
    assert kernel_distance(x, y, error=False) == (pytest.approx(kid, rel=1e-12), None)


def test_subsets():
    """The mean and the deviation over subsets without repetition, of reals and fakes apart."""
    reals, fakes = features(60), features(70, seed=1, shift=0.3)
    result = fed(build(seed=3), reals, fakes).result()
    kids = []
    for i, j in module.draw_subsets(60, 70, 6, 20, seed=3):
        assert len(set(i)) == len(set(j)) == 20 and max(i) < 60 and max(j) < 70
        kids.append(slow(reals[i], fakes[j]))
    assert result["kid"] == pytest.approx(np.mean(kids), rel=1e-11)
    assert result["kid_std"] == pytest.approx(np.std(kids), rel=1e-9)
    assert result["kid_error"] == pytest.approx(np.std(kids) * np.sqrt(20 / 40), rel=1e-9)
    assert next(iter(result)) == "kid"
    assert fed(build(seed=4), reals, fakes).result()["kid"] != result["kid"]


@pytest.mark.parametrize("kwargs", [{"subsets": None}, {"subset_size": 90}])
def test_the_whole_sets(kwargs):
    reals, fakes = features(60), features(70, seed=1, shift=0.3)
    result = fed(build(**kwargs), reals, fakes).result()
    assert list(result) == ["kid", "kid_error"]
    assert result["kid"] == pytest.approx(slow(reals, fakes), rel=1e-11)


def test_the_jackknife():
    """Each estimate without one picture by itself."""
    x, y = features(12), features(9, seed=1, shift=0.3)
    without_x = [slow(np.delete(x, k, 0), y) for k in range(12)]
    without_y = [slow(x, np.delete(y, k, 0)) for k in range(9)]
    variance = 11 * np.var(without_x) + 8 * np.var(without_y)
    assert kernel_distance(x, y)[1] == pytest.approx(np.sqrt(variance), rel=1e-9)


def test_unbiased_and_its_errors():
    """Over repetitions the mean is 0 for equal distributions; the errors are about the spread."""
    same, other, errors, subsets = [], [], [], []
    for seed in range(120):
        rng = np.random.default_rng(seed)
        x, y, z = rng.normal(size=(3, 60, 4))
        same.append(kernel_distance(x, y, error=False)[0])
        kid, error = kernel_distance(x, z + 0.5)
        other.append(kid), errors.append(error)
        kids = [
            kernel_distance(x[i], z[j] + 0.5, error=False)[0]
            for i, j in module.draw_subsets(60, 60, 30, 15, seed)
        ]
        subsets.append(np.std(kids) * np.sqrt(15 / 45))
    assert abs(np.mean(same)) < 3 * np.std(same) / np.sqrt(120)
    assert min(same) < 0 < max(same)
    assert np.mean(errors) == pytest.approx(np.std(other), rel=0.3)
    assert np.mean(subsets) == pytest.approx(np.std(other), rel=0.3)


def test_batches_graphs_and_replicas(two_replicas):
    """To the last bit: the rows are kept in one order, and so are the subsets."""
    check_streams(build, features(77), features(77, seed=1, shift=0.3), two_replicas, 0)


def test_order_of_the_whole_sets():
    reals, fakes = features(60), features(70, seed=1, shift=0.3)
    there = fed(build(subsets=None), reals, fakes).result()
    back = fed(build(subsets=None), reals[::-1], fakes[::-1]).result()
    assert there == {name: pytest.approx(value, rel=1e-9) for name, value in back.items()}


def test_bad_input():
    kid = build()
    kid.update_state(features(90), features(90))
    with pytest.raises(ValueError, match=r"`num` must be .* reals, of which 100 fit.*110"):
        kid.update_state(features(20))
    few = build()
    few.update_state(features(2), features(5))
    with pytest.raises(ValueError, match=r"`kid` needs 3 reals or more. Received: 2"):
        few.result()
    bad = features(30)
    bad[4, 2] = np.inf
    with pytest.raises(ValueError, match=r"`fakes` must have finite features. Received: 1 of 30"):
        fed(build(subsets=None), features(30), bad).result()
    for kwargs in ({"num": 0}, {"subsets": 0}, {"subset_size": 2}, {"seed": -1}):
        (name,) = kwargs
        with pytest.raises(ValueError, match=f"`{name}` must be .*Received"):
            build(**kwargs)
    with pytest.raises(ValueError, match=r"`fakes` must have the 8 features.*7"):
        kernel_distance(features(5), features(5, 7))


def test_the_protocol_has_the_subsets_that_were_taken():
    """Of 15 pictures there are no subsets of 1,000: it is one, of all of them."""

    def taken(*nums, **kwargs):
        protocol = fed(build(**kwargs), *map(features, nums)).protocol()
        return protocol["subsets"], protocol["subset_size"]

    assert taken(15, 15, subset_size=1000) == (1, 15)
    assert taken(15, 15, subsets=None) == (1, 15)
    assert taken(15, 18, subset_size=15) == (1, "15 reals, 18 fakes")
    assert taken(30, 40, subset_size=29, subsets=6) == (6, 29)
