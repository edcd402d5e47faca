"""MS-SSIM against a numpy loop and against TensorFlow's (Wang, Simoncelli and Bovik, 2003)."""

import numpy as np
import pytest
import tensorflow as tf
from metric_streams import check_streams

from keras_gans.metrics import MSSSIM, _pictures, mean_pairwise_ms_ssim, ms_ssim

WEIGHTS = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333]  # their section 3.2


def pictures(num, height, width, channels=1, seed=0):
    """Smooth ones: noise of all scales, so that similarities are neither 0 nor 1."""
    rng = np.random.default_rng(seed)
    total = np.zeros((num, height, width, channels))
    for scale in (1, 2, 4, 8, 16):
        coarse = rng.normal(size=(num, -(-height // scale), -(-width // scale), channels))
        total += scale**0.7 * coarse.repeat(scale, 1).repeat(scale, 2)[:, :height, :width]
    return np.clip(128 + 12 * total, 0, 255).astype("uint8")


def pair(num, height, width, channels=1, distortion=80, seed=0):
    first = pictures(num, height, width, channels, seed)
    noise = np.random.default_rng(seed + 1).normal(scale=distortion, size=first.shape)
    return first, np.clip(0.8 * first + 30 + noise, 0, 255).astype("uint8")


def window(size):
    """A Gaussian of sigma 1.5 at 11 pixels, in proportion below, (size, size)."""
    sigma, center = 1.5 * size / 11, (size - 1) / 2
    weights = np.array([
        [np.exp(-((i - center) ** 2 + (j - center) ** 2) / (2 * sigma**2)) for j in range(size)]
        for i in range(size)
    ])  # fmt: skip
    return weights / weights.sum()


def slow_ms_ssim(x, y):
    """One pair (height, width, channels), a window at a time."""
    x, y, product = x.astype("float64"), y.astype("float64"), 1.0
    c1, c2 = 6.5025, 58.5225  # (0.01 * 255)^2, (0.03 * 255)^2
    for scale, weight in enumerate(WEIGHTS):
        height, width, channels = x.shape
        size = min(11, height, width)
        gaussian, values = window(size), []
        for i in range(height - size + 1):
            for j in range(width - size + 1):
                for c in range(channels):
                    a, b = (v[i : i + size, j : j + size, c] for v in (x, y))
                    mean_a, mean_b = np.sum(gaussian * a), np.sum(gaussian * b)
                    var_a = np.sum(gaussian * (a - mean_a) ** 2)
                    var_b = np.sum(gaussian * (b - mean_b) ** 2)
                    covariance = np.sum(gaussian * (a - mean_a) * (b - mean_b))
                    value = (2 * covariance + c2) / (var_a + var_b + c2)
                    if scale == 4:
                        value *= (2 * mean_a * mean_b + c1) / (mean_a**2 + mean_b**2 + c1)
                    values.append(value)
        product *= max(np.mean(values), 0) ** weight
        x, y = (
            np.array([
                [v[i : i + 2, j : j + 2].mean(axis=(0, 1)) for j in range(0, width, 2)]
                for i in range(0, height, 2)
            ])
            for v in (
                np.pad(v, [(0, height % 2), (0, width % 2), (0, 0)], mode="symmetric")
                for v in (x, y)
            )
        )  # fmt: skip
    return product


@pytest.mark.parametrize("shape", [(32, 32, 3), (28, 28, 1), (16, 24, 3), (33, 18, 2)], ids=str)
def test_matches_loops(shape):
    first, second = pair(2, *shape)
    expected = [slow_ms_ssim(*both) for both in zip(first, second, strict=True)]
    assert all(0.2 < value < 0.95 for value in expected)
    values = ms_ssim(first, second)
    assert values.shape == (2,) and values.dtype == "float64"
    np.testing.assert_allclose(values, expected, rtol=1e-4)


@pytest.mark.parametrize("size", [192, 180], ids=["even", "odd sides at a scale"])
def test_matches_tensorflow_where_that_has_five_scales(size):
    """Windows and scales are the same from 176 pixels on; TensorFlow averages RGB last."""
    first, second = pair(2, size, size, 3)
    reference = tf.image.ssim_multiscale(first, second, max_val=255).numpy()
    assert (reference > 0.2).all() and (reference < 0.95).all()
    channels = [ms_ssim(first[..., c, None], second[..., c, None]) for c in range(3)]
    np.testing.assert_allclose(np.mean(channels, axis=0), reference, rtol=1e-4)
    # The channels are about as similar, so that the order of the averages is of little account.
    np.testing.assert_allclose(ms_ssim(first, second), reference, rtol=1e-3)


@pytest.mark.parametrize("size", [16, 28, 64, 192])
def test_equal_pictures(size):
    """1, and the order of a pair is of no account."""
    first, second = pair(3, size, size, 3)
    np.testing.assert_allclose(ms_ssim(first, first), np.ones(3), rtol=1e-6)
    np.testing.assert_allclose(ms_ssim(first, second), ms_ssim(second, first), rtol=1e-6)
    assert (ms_ssim(first, second) < 0.98).all()


def test_more_distortion_is_less_similar():
    values = [ms_ssim(*pair(4, 32, 32, 3, distortion)).mean() for distortion in (0, 20, 60, 180)]
    assert values == sorted(values, reverse=True) and values[0] > values[3] + 0.3


def test_inverted_structure_counts_as_zero():
    x = pictures(2, 64, 64)
    np.testing.assert_array_equal(ms_ssim(x, 255 - x), np.zeros(2))


def test_flat_pictures_compare_by_luminance():
    """Without any contrast c s = 1 at each scale: l^0.1333 with l = (2 a b + c1) / (a^2 + ...)."""
    a, b = (np.full((1, 32, 32, 3), value, "uint8") for value in (50, 200))
    luminance = (2 * 50 * 200 + 6.5025) / (50**2 + 200**2 + 6.5025)
    np.testing.assert_allclose(ms_ssim(a, b), luminance**0.1333, rtol=1e-3)


def test_mean_over_pairs():
    """A pair is of two different examples, and all such pairs are equally likely."""
    x = pictures(2, 32, 32, 3)
    assert mean_pairwise_ms_ssim(x, num_pairs=7) == pytest.approx(ms_ssim(x[:1], x[1:])[0])
    x = pictures(4, 32, 32, 3)
    each = [ms_ssim(x[i, None], x[j, None])[0] for i in range(4) for j in range(4) if i != j]
    mean = mean_pairwise_ms_ssim(x, num_pairs=500)
    assert mean == pytest.approx(np.mean(each), abs=4 * np.std(each) / np.sqrt(500))
    assert type(mean) is float


def test_less_variation_is_more_similar():
    varied, equal = pictures(16, 32, 32, 3), pictures(1, 32, 32, 3).repeat(16, axis=0)
    half = np.concatenate([varied[:8], equal[:8]])
    values = [mean_pairwise_ms_ssim(x, num_pairs=300) for x in (varied, half, equal)]
    assert values[0] < values[1] - 0.05 < values[1] < values[2] - 0.05
    assert values[2] == pytest.approx(1.0)


def test_seeds_and_chunks(monkeypatch):
    x = pictures(8, 32, 32, 3)
    value = mean_pairwise_ms_ssim(x, num_pairs=20, seed=1)
    assert mean_pairwise_ms_ssim(x, num_pairs=20, seed=2) != value
    monkeypatch.setattr(_pictures, "CHUNK", 3 * 32 * 32 * 3)
    assert mean_pairwise_ms_ssim(x, num_pairs=20, seed=1) == pytest.approx(value)


@pytest.mark.parametrize("bad", [
    np.zeros((4, 32, 32, 3), "float32"), np.zeros((32, 32, 3), "uint8"),
    np.zeros((4, 15, 32, 3), "uint8"), np.zeros((0, 32, 32, 3), "uint8"),
], ids=lambda bad: f"{bad.dtype}{bad.shape}")  # fmt: skip
def test_bad_pictures(bad):
    rule = r"must be uint8 pictures .* at least 16 x 16 pixels.*Received"
    good = pictures(4, 32, 32, 3)
    for name, call in {
        "first": lambda: ms_ssim(bad, good),
        "second": lambda: ms_ssim(good, bad),
        "pictures": lambda: mean_pairwise_ms_ssim(bad),
    }.items():
        with pytest.raises(ValueError, match=f"`{name}` {rule}"):
            call()


def test_unequal_or_too_few_pictures():
    with pytest.raises(ValueError, match=r"`first` and `second` must have one shape.*Received"):
        ms_ssim(pictures(2, 32, 32), pictures(3, 32, 32))
    with pytest.raises(ValueError, match=r"`pictures` must be at least 2.*Received: 1"):
        mean_pairwise_ms_ssim(pictures(1, 32, 32))


@pytest.mark.parametrize("name", ["num_pairs", "seed"])
@pytest.mark.parametrize("value", [-1, 2.5, None, True])
def test_bad_numbers(name, value):
    with pytest.raises(ValueError, match=rf"`{name}` must be an integer of at least .*Received"):
        mean_pairwise_ms_ssim(pictures(2, 32, 32), **{name: value})


def metric():
    return MSSSIM((32, 32, 3), num=64, num_pairs=40, seed=2)


def test_metric_in_batches_graphs_and_replicas(two_replicas):
    reals, fakes = pictures(50, 32, 32, 3), pictures(50, 32, 32, 3, seed=5)
    result = check_streams(metric, reals, fakes, two_replicas, 0).result()
    assert result["ms_ssim"] == mean_pairwise_ms_ssim(fakes, 40, seed=2)
    assert result["ms_ssim_reals"] == mean_pairwise_ms_ssim(reals, 40, seed=2)


def test_metric_without_reals():
    alone = metric()
    alone.update_state(fakes=pictures(3, 32, 32, 3))
    assert type(alone.result()) is float and alone.values() == {"ms_ssim": alone.result()}
    with pytest.raises(ValueError, match=r"`ms_ssim` needs 2 fakes or more. Received: 0"):
        metric().result()
    with pytest.raises(ValueError, match=r"`fakes` must be uint8 pictures .* 16 x 16"):
        metric().update_state(fakes=pictures(3, 8, 8, 3))
