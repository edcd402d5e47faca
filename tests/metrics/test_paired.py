"""Pictures held against their true counterparts."""

import keras
import numpy as np
import pytest
from metric_streams import check_streams, fed

from keras_gans.metrics import (
    PSNR,
    SSIM,
    FeatureDistance,
    PixelAgreement,
    luminance,
    mean_absolute_error,
    paired,
    pixel_agreement,
    structural_similarity,
)
from keras_gans.networks import Features


def noise(seed, shape=(3, 14, 17, 3)):
    return np.random.default_rng(seed).integers(0, 256, shape, "uint8")


def blend(a, b, share):
    return np.rint(a * (1 - share) + b * share).astype("uint8")


def ssim_by_hand(x, y):
    """Equation 13 of Wang et al., 2004, window by window, of pictures (height, width)."""
    offsets = np.arange(11) - 5
    window = np.exp(-(offsets[:, None] ** 2 + offsets[None] ** 2) / (2 * 1.5**2))
    window /= window.sum()
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    values = []
    for top in range(x.shape[0] - 10):
        for left in range(x.shape[1] - 10):
            place = (slice(top, top + 11), slice(left, left + 11))
            p, q = x[place].astype(float), y[place].astype(float)
            mean_p, mean_q = (window * p).sum(), (window * q).sum()
            var_p = (window * (p - mean_p) ** 2).sum()
            var_q = (window * (q - mean_q) ** 2).sum()
            covariance = (window * (p - mean_p) * (q - mean_q)).sum()
            values.append(
                (2 * mean_p * mean_q + c1)
                * (2 * covariance + c2)
                / ((mean_p**2 + mean_q**2 + c1) * (var_p + var_q + c2))
            )
    return np.mean(values)


def test_mean_absolute_error_by_hand():
    a = np.array([[[[0, 255], [10, 20]]]], "uint8")
    b = np.array([[[[255, 0], [61, 20]]]], "uint8")
    assert mean_absolute_error(a, b) == (255 + 255 + 51 + 0) / 4 / 255
    assert mean_absolute_error(np.zeros_like(a), np.full_like(a, 255)) == 1.0


@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
def test_against_numpy(share):
    a = noise(0)
    b = blend(a, noise(1), share)
    assert mean_absolute_error(a, b) == pytest.approx(np.abs(a / 255.0 - b / 255.0).mean())
    expected = np.mean(
        [ssim_by_hand(a[k, :, :, c], b[k, :, :, c]) for k in range(3) for c in range(3)]
    )
    assert structural_similarity(a, b) == pytest.approx(expected, abs=1e-5)


def test_similarity_of_plain_pictures():
    """Without structure, only the means count: (2 x y + C1) / (x^2 + y^2 + C1)."""
    x, y, c1 = 100, 200, (0.01 * 255) ** 2
    a, b = (np.full((1, 11, 11, 1), level, "uint8") for level in (x, y))
    expected = (2 * x * y + c1) / (x**2 + y**2 + c1)
    # In float32, the variance of a plain area, a difference of two means, is not quite 0.
    assert structural_similarity(a, b) == pytest.approx(expected, abs=5e-4)


def test_bounds():
    a, b = noise(0), noise(1)
    for channels in (1, 2, 3, 4):
        same = noise(channels, (2, 11, 12, channels))
        assert mean_absolute_error(same, same) == 0
        assert structural_similarity(same, same) == pytest.approx(1, abs=1e-6)
    assert -1 <= structural_similarity(a, 255 - a) < -0.5
    assert abs(structural_similarity(a, b)) < 0.2
    steps = [structural_similarity(a, blend(a, b, share)) for share in (0, 0.2, 0.5, 1)]
    assert steps == sorted(steps, reverse=True)
    assert structural_similarity(a, b) == pytest.approx(structural_similarity(b, a))


def test_chunks_do_not_change_the_result(monkeypatch):
    a, b = noise(0, (5, 12, 12, 3)), noise(1, (5, 12, 12, 3))
    at_once = mean_absolute_error(a, b), structural_similarity(a, b)
    monkeypatch.setattr(paired, "chunks", lambda num, size: [slice(0, 2), slice(2, 4), slice(4, 5)])
    assert (mean_absolute_error(a, b), structural_similarity(a, b)) == pytest.approx(at_once)


@pytest.mark.parametrize("metric", [mean_absolute_error, structural_similarity])
def test_wrong_pictures(metric):
    a = noise(0)
    for wrong in (a / 255, a.astype("int32"), a[0], a[:0], "pictures"):
        with pytest.raises(ValueError, match="`a` must be uint8 pictures"):
            metric(wrong, a)
        with pytest.raises(ValueError, match="`b` must be uint8 pictures"):
            metric(a, wrong)
    for wrong in (a[:2], a[..., :1], a[:, :12]):
        with pytest.raises(ValueError, match="`a` and `b` must have one shape"):
            metric(a, wrong)


def test_similarity_needs_a_whole_window():
    small = noise(0, (1, 10, 20, 3))
    assert mean_absolute_error(small, small) == 0
    with pytest.raises(ValueError, match=r"at least 11 x 11 pixels. Received: uint8 of shape \(1"):
        structural_similarity(small, small)


def test_pixel_agreement_by_hand():
    """127 is dark and 128 bright; 3 of 4 pixels and 1 of 4."""
    a = np.array([[[[0], [127]], [[128], [255]]], [[[0], [0]], [[0], [0]]]], "uint8")
    b = np.array([[[[127], [128]], [[255], [128]]], [[[5], [200]], [[200], [200]]]], "uint8")
    assert pixel_agreement(a, b) == pixel_agreement(b, a) == (3 + 1) / 8
    assert pixel_agreement(a, a) == 1 and pixel_agreement(a, 255 - a) == 0
    assert fed(PixelAgreement(), a, b, batch=1).result() == pytest.approx(0.5)
    with pytest.raises(ValueError, match="`a` and `b` must have one shape"):
        pixel_agreement(a, b[:1])
    with pytest.raises(ValueError, match="`b` must be uint8 pictures"):
        pixel_agreement(a, b / 255.0)


def test_psnr_by_hand():
    a = noise(0, (5, 12, 13, 3))
    b = blend(a, noise(1, (5, 12, 13, 3)), 0.2)
    errors = ((a.astype(float) - b) ** 2).mean(axis=(1, 2, 3))
    expected = np.mean(10 * np.log10(255**2 / errors))
    assert fed(PSNR(), a, b, batch=2).result() == pytest.approx(expected, rel=1e-6)
    assert fed(PSNR(), a, a).result() == float("inf")


@pytest.mark.parametrize("build", [PSNR, SSIM])
def test_metrics_in_batches_graphs_and_replicas(build, two_replicas):
    a = noise(0, (50, 14, 17, 3))
    b = blend(a, noise(1, a.shape), 0.3)
    metric = check_streams(build, a, b, two_replicas, 1e-6)
    if build is SSIM:
        assert metric.result() == pytest.approx(structural_similarity(a, b), abs=1e-6)


@pytest.mark.parametrize("build", [PSNR, SSIM])
def test_metrics_refuse_what_is_no_pair(build):
    a = noise(0)
    with pytest.raises(ValueError, match=r"must have one shape.*\(3, 14, 17, 3\) and \(2, 14"):
        build().update_state(a, a[:2])
    with pytest.raises(ValueError, match=r"must have one shape.*\(\)"):
        build().update_state(a, None)
    with pytest.raises(ValueError, match=r"`reals` must be uint8 pictures"):
        build().update_state(a / 255.0, a / 255.0)
    with pytest.raises(ValueError, match="needs 1 fakes or more"):
        build().result()


# As papers of super-resolution measure


def test_luminance():
    """Rec. 601 in the range of video: white, black, and the three primaries."""
    colours = np.uint8([[255, 255, 255], [0, 0, 0], [255, 0, 0], [0, 255, 0], [0, 0, 255]])
    wanted = [235, 16, 81.481, 144.553, 40.966]
    np.testing.assert_allclose(np.ravel(luminance(colours)), wanted, atol=1e-3)


def test_of_the_luminance_within_a_border():
    a = noise(0, (2, 20, 22, 3))
    b = blend(a, noise(1, a.shape), 0.3)
    b[:, :4], b[:, -4:], b[:, :, :4], b[:, :, -4:] = 0, 0, 0, 0  # what is shaved off
    weights = np.array([65.481, 128.553, 24.966]) / 255
    y_a, y_b = (16 + (x[:, 4:-4, 4:-4] @ weights) for x in (a, b))
    psnr, ssim = (fed(make(of_luminance=True, shave=4), a, b, batch=1) for make in (PSNR, SSIM))
    errors = ((y_a - y_b) ** 2).mean(axis=(1, 2))
    assert psnr.result() == pytest.approx(np.mean(10 * np.log10(255**2 / errors)), abs=1e-4)
    expected = np.mean([ssim_by_hand(y_a[k], y_b[k]) for k in range(2)])
    assert ssim.result() == pytest.approx(expected, abs=1e-5)
    assert psnr.protocol()["shave"] == 4 and psnr.protocol()["of_luminance"] is True
    assert PSNR().protocol()["of_luminance"] is False


def test_views_that_do_not_fit():
    with pytest.raises(ValueError, match="`reals` must be pictures in RGB"):
        PSNR(of_luminance=True).update_state(*[noise(0)[..., :1]] * 2)
    with pytest.raises(ValueError, match="at least 19"):
        SSIM(shave=4).update_state(*[noise(0, (1, 18, 30, 3))] * 2)
    for wrong in ({"shave": -1}, {"of_luminance": 1}):
        with pytest.raises(ValueError, match=f"`{next(iter(wrong))}`"):
            PSNR(**wrong)


def test_feature_distance():
    """Of features of length 1 at each place, |x - y|^2 over places, layers and pairs."""
    inner = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(4, 3, name="one")(inner)
    network = keras.Model(inner, keras.layers.Conv2D(2, 1, strides=2, name="two")(x))
    features = Features(network, ["one", "two"])
    a, b = noise(0, (5, 8, 9, 3)), noise(1, (5, 8, 9, 3))
    parts = []
    for layer in ("one", "two"):
        see = keras.Model(inner, network.get_layer(layer).output)
        p, q = (np.array(see(x / 127.5 - 1), "float64") for x in (a, b))
        p, q = (v / np.linalg.norm(v, axis=-1, keepdims=True) for v in (p, q))
        parts.append(((p - q) ** 2).sum(-1).mean())
    metric = fed(FeatureDistance(features), a, b, batch=2)
    assert metric.result() == pytest.approx(np.mean(parts), rel=1e-4)
    assert fed(FeatureDistance(features), a, a).result() == 0 and metric.lower_is_better
    assert metric.protocol()["layers"] == "('one', 'two')"
    with pytest.raises(ValueError, match=r"`features` must be a `networks.Features`"):
        FeatureDistance(network)
