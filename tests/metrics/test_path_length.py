"""Perceptual path length of generators whose paths have a known length."""

import numpy as np
import pytest
import tensorflow as tf
from metric_streams import fed, fed_on_replicas

from keras_gans.metrics import CallableExtractor, PerceptualPathLength
from keras_gans.metrics.path_length import linear, spherical


def flat(pictures):
    return tf.reshape(pictures, (-1, 4))


def extractor():
    return CallableExtractor(flat, "pixels", (2, 2), 1, version="1")


def generator(latents):
    """Pictures (num, 2, 2, 1) whose four pixels are the latents, at a tenth."""
    return tf.reshape(latents / 10, (-1, 2, 2, 1))


def latents(num=60, seed=0):
    return np.random.default_rng(seed).normal(size=(2, num, 4)).astype("float32")


def build(**kwargs):
    return PerceptualPathLength(generator, extractor(), **{"num": 60, "epsilon": 1e-2, **kwargs})


def test_length_of_great_circles():
    """Features of length 1 are the directions of latents: d = 4 sin^2(epsilon angle / 2)."""
    starts, ends = latents()
    cosines = (starts * ends).sum(axis=1)
    cosines /= np.linalg.norm(starts, axis=1) * np.linalg.norm(ends, axis=1)
    lengths = np.sort(4 * np.sin(1e-2 * np.arccos(cosines) / 2) ** 2 / 1e-4)
    # Of 60 the 1st and the 99th percentile are the smallest and the largest.
    assert fed(build(), starts, ends).result() == pytest.approx(lengths.mean(), rel=1e-3)


def test_percentiles_are_left_out():
    """Of 300 pairs, the 3 shortest and the 3 longest; `lower` and `higher` keep their borders."""
    starts, ends = latents(300)
    metric = fed(build(num=300), starts, ends)
    distances = np.sort(metric.distances.numpy())
    assert metric.result() == pytest.approx(distances[2:-2].mean(), rel=1e-6)


def test_interpolations():
    a, b = (tf.constant(x[:5]) for x in latents())
    np.testing.assert_allclose(linear(a, b, 0.25), 0.75 * a + 0.25 * b, rtol=1e-5)
    for t, end in ((0.0, a), (1.0, b)):
        direction = end / tf.norm(end, axis=1, keepdims=True)
        np.testing.assert_allclose(spherical(a, b, t), 2 * direction, atol=1e-5)
    halves = spherical(a, b, 0.3)
    np.testing.assert_allclose(tf.norm(halves, axis=1), np.full(5, 2.0), rtol=1e-5)
    assert not np.isnan(spherical(a, a, 0.5)).any()


def test_batches_and_replicas(two_replicas):
    starts, ends = latents(50)
    whole = fed(build(), starts, ends, batch=50)
    for metric in (fed(build(), starts, ends, batch=7),
                   fed_on_replicas(two_replicas, build, starts, ends, batch=16)):  # fmt: skip
        np.testing.assert_allclose(metric.distances.numpy(), whole.distances.numpy(), rtol=1e-3)
        assert metric.protocol() == whole.protocol()
    assert fed(build(seed=1), starts, ends).result() != whole.result()


def test_a_constant_generator_has_length_0():
    metric = PerceptualPathLength(lambda z: tf.ones((tf.shape(z)[0], 2, 2, 1)), extractor(), 60)
    assert fed(metric, *latents()).result() == 0.0


def test_latents_of_numpy_are_taken():
    starts, ends = latents()
    wide = fed(build(), np.array(starts, "float64"), np.array(ends, "float64"))
    assert wide.result() == fed(build(), starts, ends).result()


def test_bad_input():
    starts, ends = latents()
    with pytest.raises(ValueError, match=r"`starts` and `ends` must be latents.*\(60, 4\).*\(9, 4"):
        build().update_state(starts, ends[:9])
    with pytest.raises(ValueError, match=r"`starts` and `ends` must be latents.*int64"):
        build().update_state(np.zeros((9, 4), "int64"), ends[:9])
    with pytest.raises(ValueError, match=r"`num` must be .* of which 10 fit"):
        build(num=10).update_state(starts, ends)
    with pytest.raises(ValueError, match=r"`interpolation` must be one of .*'slerp'"):
        build(interpolation="slerp")
    with pytest.raises(ValueError, match="`generator` must be callable"):
        PerceptualPathLength("gan", extractor())
    with pytest.raises(ValueError, match="`epsilon` must be"):
        build(epsilon=0)
