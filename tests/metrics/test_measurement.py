"""Results carry their protocols, and those that were measured differently are never compared."""

import json

import numpy as np
import pytest
import tensorflow as tf
from metric_streams import features, fed, fed_on_replicas, pictures

from keras_gans.metrics import (
    FID,
    KID,
    PRDC,
    SSIM,
    CallableExtractor,
    GivenFeatures,
    Measurement,
    MetricSet,
    SlicedWasserstein,
)


def fid(reals, fakes, name="mine", size=8):
    return fed(FID(GivenFeatures(size, name)), reals, fakes).measurement()


def test_a_measurement_says_how_it_was_made():
    measurement = fid(features(1234), features(1000, seed=1))
    assert measurement.protocol == {
        "extractor": "mine",
        "extractor_hash": None,
        "resize": "given as features",
        "reals": 1234,
        "fakes": 1000,
        "reals_hash": measurement.protocol["reals_hash"],
    }
    assert str(measurement).startswith(f"fid {measurement.value:.4g} (extractor mine, ")
    assert "reals 1,234, fakes 1,000" in str(measurement)
    text = json.dumps(measurement.to_dict())
    assert Measurement.from_dict(json.loads(text)) == measurement


def test_metrics_have_their_settings_in_the_protocol():
    given = GivenFeatures(8, "mine")
    sides = features(60), features(60, seed=1)
    kid = fed(KID(given, 100, subsets=3, subset_size=10, seed=5), *sides).protocol()
    assert (kid["subsets"], kid["subset_size"], kid["seed"]) == (3, 10, 5)
    assert fed(PRDC(given, 100, k=4), *sides).protocol()["k"] == 4
    swd = SlicedWasserstein((16, 24, 3), 30, num_patches=3, num_directions=4, seed=2)
    swd = fed(swd, pictures(20), pictures(20, seed=1)).protocol()
    assert swd["patches"].startswith("3 of 7 x 7") and (swd["directions"], swd["seed"]) == (4, 2)


def test_comparisons():
    reals = features(100)
    near, far = (fid(reals, features(100, seed=1, shift=shift)) for shift in (0.1, 1))
    assert near.better_than(far) and not far.better_than(near) and not near.better_than(near)
    nan = Measurement("fid", {"fid": float("nan")}, near.protocol, True)
    assert near.better_than(nan) and not nan.better_than(near) and not nan.better_than(nan)
    high, low = (Measurement("is", {"is": x}, {}, False) for x in (9.0, 2.0))
    assert high.better_than(low) and not low.better_than(high)


@pytest.mark.parametrize(("other", "named"), [
    (lambda: fid(features(100), features(90, seed=1)), "fakes 100 and 90"),
    (lambda: fid(features(99), features(100, seed=1)), "reals 100 and 99"),
    (lambda: fid(features(100), features(100, seed=1), name="theirs"), "extractor 'mine' and"),
    (lambda: fid(features(100, seed=7), features(100, seed=1)), "reals_hash '"),
    (lambda: fed(PRDC(GivenFeatures(8, "mine")), features(100), features(100)).measurement(),
     "metric 'fid' and 'prdc', k None and 5"),
], ids=["fakes", "reals", "extractor", "other reals", "metric"])  # fmt: skip
def test_different_protocols_are_not_compared(other, named):
    measurement = fid(features(100), features(100, seed=1))
    for call in (measurement.check_comparable, measurement.better_than):
        with pytest.raises(ValueError, match=f"must have one protocol.*{named}"):
            call(other())


def test_the_hash_of_reals_is_of_the_set():
    """Not of its order or its batches, nor of the fakes; a single other pixel shows."""
    rows = pictures(40)
    changed = rows.copy()
    changed[17, 3, 4, 1] ^= 1

    def hash_of(reals, batch=32):
        metric = SlicedWasserstein((16, 24, 3), 50)
        return fed(metric, reals, pictures(40, seed=3), batch=batch).protocol()["reals_hash"]

    assert hash_of(rows) == hash_of(rows[::-1], batch=7) != hash_of(changed)
    assert hash_of(np.concatenate([rows, rows[:1]])) != hash_of(rows)


def metric_set():
    runs = []

    def columns(rows):
        tf.py_function(lambda: runs.append(1), [], [])
        return tf.reduce_mean(rows, axis=(1, 3))

    extractor = CallableExtractor(columns, "columns", (16, 24), 3, version="1")
    build = (
        lambda: FID(extractor),
        lambda: KID(extractor, 60, subsets=None),
        lambda: PRDC(extractor, 60),
        SSIM,
    )
    return build, runs


def test_a_set_of_metrics():
    build, runs = metric_set()
    sides = pictures(50), pictures(50, seed=1, noise=10)
    alone = [fed(make(), *sides, batch=25) for make in build]
    runs.clear()
    together = fed(MetricSet([make() for make in build]), *sides, batch=25)
    assert len(runs) == 4  # reals and fakes, of two batches
    expected = {name: value for metric in alone for name, value in metric.values().items()}
    assert together.result() == pytest.approx(expected, rel=1e-6)
    assert [m.metric for m in together.measurements()] == ["fid", "kid", "prdc", "ssim"]
    assert [m.protocol for m in together.measurements()] == [m.protocol() for m in alone]
    together.reset_fakes()
    assert [metric.count("fakes") for metric in together.metrics] == [0] * 4
    assert [metric.count("reals") for metric in together.metrics] == [50] * 4
    together.reset_state()
    assert fed(together, *sides).result() == pytest.approx(expected, rel=1e-6)


def test_a_set_on_replicas(two_replicas):
    given = GivenFeatures(8, "mine")

    def build():
        return MetricSet([FID(given), KID(given, 60, subsets=None), PRDC(given, 60)])

    sides = features(50), features(50, seed=1, shift=1)
    metrics = fed_on_replicas(two_replicas, build, *sides, batch=16)
    assert metrics.result() == pytest.approx(fed(build(), *sides).result(), rel=1e-6)


def test_a_set_refuses():
    given = GivenFeatures(8, "mine")
    with pytest.raises(ValueError, match=r"`metrics` must have different names.*'fid', 'fid'"):
        MetricSet([FID(given), FID(given)])
    for bad in ([], ["fid"]):
        with pytest.raises(ValueError, match="`metrics` must be a list of metrics"):
            MetricSet(bad)
