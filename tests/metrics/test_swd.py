"""Sliced Wasserstein distances against numpy loops, scipy and what their pyramids must show."""

import itertools

import numpy as np
import pytest
from metric_streams import check_streams, fed
from scipy.stats import wasserstein_distance

from keras_gans.metrics import (
    PatchDistances,
    SlicedWasserstein,
    _pictures,
    sliced_wasserstein_distances,
)
from keras_gans.metrics.swd import laplacian_level, scaled_down, scaled_up, sliced_distance

FEW = {"num_patches": 16, "num_directions": 64}


def pictures(num=64, height=32, width=32, seed=0, channels=3, sharpness=1.0):
    """Smooth colour gradients under noise, uint8."""
    rng = np.random.default_rng(seed)
    rows, columns = np.linspace(-1, 1, height)[:, None, None], np.linspace(-1, 1, width)[:, None]
    tilts = rng.normal(scale=25, size=(2, num, 1, 1, channels))
    smooth = 128 + tilts[0] * rows + tilts[1] * columns
    noise = rng.normal(scale=8 * sharpness, size=(num, height, width, channels))
    return np.clip(np.rint(smooth + noise), 0, 255).astype("uint8")


def mirrored(index, size):
    """The place inside of a row that a place beyond its end mirrors: -1 is 1, size is size - 2."""
    index = abs(index)
    return index if index < size else 2 * (size - 1) - index


def slow_blur(picture):
    """The 5 x 5 kernel [1 4 6 4 1]^T [1 4 6 4 1] / 256 at each pixel of (height, width)."""
    taps = [1, 4, 6, 4, 1]
    height, width = picture.shape
    blurred = np.zeros((height, width))
    for y, x, i, j in itertools.product(range(height), range(width), range(5), range(5)):
        pixel = picture[mirrored(y + i - 2, height), mirrored(x + j - 2, width)]
        blurred[y, x] += taps[i] * taps[j] / 256 * pixel
    return blurred


def slow_scaled_up(picture):
    spread = np.zeros((2 * picture.shape[0], 2 * picture.shape[1]))
    spread[::2, ::2] = picture
    return 4 * slow_blur(spread)


def test_levels_match_loops():
    x = pictures(2, 12, 16)
    gaussian = x.astype("float64")
    for level in range(3):
        if level:
            gaussian = np.stack(
                [[slow_blur(row[..., c])[::2, ::2] for c in range(3)] for row in gaussian]
            ).transpose(0, 2, 3, 1)
        expected = gaussian.copy()
        if level < 2:  # the last level is the blurred pictures
            for i, c in itertools.product(range(2), range(3)):
                expected[i, :, :, c] -= slow_scaled_up(slow_blur(gaussian[i, :, :, c])[::2, ::2])
        np.testing.assert_allclose(laplacian_level(x, level, 3), expected, atol=1e-3)


def test_the_levels_add_up_to_the_pictures():
    x = pictures(3, 64, 32)
    total = laplacian_level(x, 2, 3)
    for level in (1, 0):
        total = scaled_up(total) + laplacian_level(x, level, 3)
    np.testing.assert_allclose(total, x, atol=1e-3)


def test_constant_pictures_stay_constant():
    """Borders too: the kernel's even and odd taps each sum to a half."""
    x = np.full((1, 8, 12, 2), 200, "uint8").astype("float32")
    np.testing.assert_allclose(scaled_down(x), np.full((1, 4, 6, 2), 200), rtol=1e-6)
    np.testing.assert_allclose(scaled_up(x), np.full((1, 16, 24, 2), 200), rtol=1e-6)


def test_distance_in_one_dimension():
    """{0, 1, 5} and {7, 2, 1}: |0 - 1|, |1 - 2|, |5 - 7| are 4 / 3 in the mean."""
    ours, theirs = np.array([[0], [1], [5]], "f4"), np.array([[7], [2], [1]], "f4")
    assert sliced_distance(ours, theirs, np.array([[1.0]])) == pytest.approx(4 / 3)
    assert sliced_distance(ours, theirs, np.array([[-3.0], [0.5]])) == pytest.approx(4 / 3)
    assert sliced_distance(ours, ours[::-1], np.array([[1.0]])) == 0


def test_distance_matches_scipy():
    rng = np.random.default_rng(0)
    ours, theirs = rng.normal(size=(50, 6)), rng.normal(loc=0.3, scale=2, size=(50, 6))
    directions = rng.normal(size=(20, 6))
    expected = []
    for direction in directions:
        direction = direction / np.sqrt(np.sum(direction**2))
        expected.append(wasserstein_distance(ours @ direction, theirs @ direction))
    distance = sliced_distance(ours.astype("f4"), theirs.astype("f4"), directions)
    assert distance == pytest.approx(np.mean(expected), rel=1e-5)


def test_distance_of_moved_points():
    """Points moved by v lie E|cos| |v| apart: 2 / pi times its length in the plane."""
    ours = np.random.default_rng(0).normal(size=(200, 2)).astype("float32")
    angles = np.linspace(0, np.pi, 500, endpoint=False)
    directions = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    distance = sliced_distance(ours, ours + np.array([3, 4], "f4"), directions)
    assert distance == pytest.approx(5 * 2 / np.pi, rel=1e-4)


def test_whole_distance_of_one_patch():
    """7 x 7 pictures are their one patch: numpy's and scipy's distance, over other directions."""
    rng = np.random.default_rng(0)
    reals = rng.integers(0, 256, (60, 7, 7, 2), "uint8")
    fakes = (128 + 100 * rng.normal(size=(60, 1, 1, 2)).clip(-1, 1)).astype("uint8")
    fakes = fakes + rng.integers(0, 20, (60, 7, 7, 2), "uint8")
    ours, theirs = (
        ((x - x.mean(axis=(0, 1, 2))) / x.std(axis=(0, 1, 2))).reshape(60, 98)
        for x in (reals.astype("float64"), fakes.astype("float64"))
    )
    directions = rng.normal(size=(1000, 98))
    directions /= np.sqrt(np.sum(directions**2, axis=1, keepdims=True))
    expected = np.mean([wasserstein_distance(ours @ d, theirs @ d) for d in directions])
    distances = sliced_wasserstein_distances(reals, fakes, num_patches=2, num_directions=1000)
    assert list(distances) == [7, "average"]
    assert distances[7] == pytest.approx(1e3 * expected, rel=0.05)


def test_patches_match_loops():
    """Each descriptor is a patch of its own picture, normalized in each channel over them all."""
    x = pictures(5, 9, 12, sharpness=4)
    swd = PatchDistances(x, num_patches=40)
    descriptors = swd._of(x, level=0, stream=0)
    assert descriptors.shape == (5 * 40, 3 * 49) and descriptors.dtype == "float32"
    by_channel = descriptors.reshape(-1, 3, 49)
    np.testing.assert_allclose(by_channel.mean(axis=(0, 2)), np.zeros(3), atol=1e-5)
    np.testing.assert_allclose(by_channel.std(axis=(0, 2)), np.ones(3), rtol=1e-5)
    rows, places = x.astype("float64"), set()
    raw = [
        {(y, k): rows[i, y : y + 7, k : k + 7] for y in range(3) for k in range(6)}
        for i in range(5)
    ]
    # The normalization is one affine map for each channel: it leaves correlations as they are.
    for i, patch in itertools.product(range(5), range(40)):
        found = by_channel[40 * i + patch].reshape(3, 7, 7).transpose(1, 2, 0)
        correlation = {
            place: np.mean([np.corrcoef(found[..., c].ravel(), p[..., c].ravel())[0, 1]
                            for c in range(3)])
            for place, p in raw[i].items()
        }  # fmt: skip
        best = max(correlation, key=correlation.get)
        assert correlation[best] == pytest.approx(1.0, abs=1e-5)
        places.add(best)
    assert places == set(raw[0])  # all 3 x 6 of them, the last row and column too


@pytest.mark.parametrize("height, width, resolutions", [
    (64, 64, [64, 32, 16]), (32, 32, [32, 16]), (32, 64, [32, 16]), (28, 28, [28]), (16, 24, [16]),
    (8, 8, [8]), (7, 9, [7]), (66, 66, [66, 33]), (34, 33, [34]), (128, 32, [128, 64]),
])  # fmt: skip
def test_resolutions(height, width, resolutions):
    x, y = pictures(2, height, width), pictures(2, height, width, seed=1)
    distances = sliced_wasserstein_distances(x, y, 4, 8)
    assert list(distances) == [*resolutions, "average"]
    assert all(type(value) is float and value > 0 for value in distances.values())
    levels = [distances[resolution] for resolution in resolutions]
    assert distances["average"] == pytest.approx(np.mean(levels))


def test_one_distribution_is_nearer_than_another():
    reals, others = pictures(128), pictures(128, seed=1)
    grey, repeated = others[..., :1].repeat(3, axis=3), others[:4].repeat(32, axis=0)
    near, *far = (
        sliced_wasserstein_distances(reals, fakes, **FEW)["average"]
        for fakes in (others, grey, repeated)
    )
    assert near < 0.6 * min(far)
    few = sliced_wasserstein_distances(reals[:16], others[:16], **FEW)["average"]
    assert near < 0.6 * few  # a distance of samples, which are nearer the more there are


def test_noise_in_single_pixels_is_seen_at_the_finest_level():
    """Salt and pepper are of the highest frequencies: they change the 16-pixel level little."""
    reals, noisy = pictures(128), pictures(128, seed=1)
    near = sliced_wasserstein_distances(reals, noisy, **FEW)
    noisy[np.random.default_rng(2).random(noisy.shape) < 0.02] = 255
    far = sliced_wasserstein_distances(reals, noisy, **FEW)
    assert far[32] - near[32] > 5 * abs(far[16] - near[16])


def test_layout_is_seen_at_the_last_level():
    """Smooth waves of colour, which have no high frequencies."""
    reals, waves = pictures(128), pictures(128, seed=1)
    near = sliced_wasserstein_distances(reals, waves, **FEW)
    wave = 60 * np.sin(2 * np.pi * np.arange(32) / 32)[None, :, None, None]
    waves = np.clip(np.rint(waves + wave), 0, 255).astype("uint8")
    far = sliced_wasserstein_distances(reals, waves, **FEW)
    assert far[16] - near[16] > 5 * abs(far[32] - near[32])


def test_brightness_and_contrast_of_all_are_not_seen():
    """Each set is normalized by itself."""
    reals, fakes = pictures(32) // 4 * 2, pictures(32, seed=1) // 4 * 2
    expected = sliced_wasserstein_distances(reals, fakes, **FEW)
    changed = sliced_wasserstein_distances(reals, fakes // 2 + 100, **FEW)
    for resolution in expected:
        assert changed[resolution] == pytest.approx(expected[resolution], rel=1e-4)


def test_seeds():
    """One seed, one result; the patches of reals and fakes are at different places."""
    x, y = pictures(16), pictures(16, seed=1)
    one = sliced_wasserstein_distances(x, y, seed=3, **FEW)
    assert sliced_wasserstein_distances(x, y, seed=3, **FEW) == one
    assert sliced_wasserstein_distances(x, y, seed=4, **FEW)[16] != one[16]
    assert sliced_wasserstein_distances(x, x, **FEW)[32] > 0


def test_kept_reals():
    reals = pictures(16)
    swd = PatchDistances(reals, **FEW, seed=2)
    for seed in (1, 2, 1):
        fakes = pictures(16, seed=seed)
        expected = sliced_wasserstein_distances(reals, fakes, **FEW, seed=2)
        assert swd.distances(fakes) == expected


def test_chunks_make_no_difference(monkeypatch):
    x, y = pictures(16), pictures(16, seed=1)
    whole = sliced_wasserstein_distances(x, y, **FEW)
    monkeypatch.setattr(_pictures, "CHUNK", 3 * 16 * 49 * 5)
    parts = sliced_wasserstein_distances(x, y, **FEW)
    for resolution in whole:
        assert parts[resolution] == pytest.approx(whole[resolution], rel=1e-5)


def test_pictures_without_contrast():
    """Flat pictures have zeros and rounding errors: finite, and near 0 between themselves."""
    flat = np.full((4, 32, 32, 1), 7, "uint8")
    values = sliced_wasserstein_distances(flat, flat + 100, **FEW)
    assert all(value < 10 for value in values.values())
    values = sliced_wasserstein_distances(flat, pictures(4, channels=1), **FEW)
    assert all(np.isfinite(value) and value > 100 for value in values.values())


@pytest.mark.parametrize("bad", [
    np.zeros((4, 32, 32, 3), "float32"), np.zeros((4, 32, 32), "uint8"),
    np.zeros((4, 6, 32, 3), "uint8"), np.zeros((4, 32, 6, 3), "uint8"),
    np.zeros((0, 32, 32, 3), "uint8"),
], ids=lambda bad: f"{bad.dtype}{bad.shape}")  # fmt: skip
def test_bad_pictures(bad):
    rule = r"must be uint8 pictures .* at least 7 x 7 pixels.*Received"
    with pytest.raises(ValueError, match="`reals` " + rule):
        sliced_wasserstein_distances(bad, pictures(4))
    with pytest.raises(ValueError, match="`fakes` " + rule):
        sliced_wasserstein_distances(pictures(4), bad)


@pytest.mark.parametrize("fakes", [pictures(3), pictures(4, 16), pictures(4, channels=1)],
                         ids=lambda fakes: str(fakes.shape))  # fmt: skip
def test_unequal_sets(fakes):
    with pytest.raises(ValueError, match=r"`fakes` must be of the shape of `reals`.*Received"):
        sliced_wasserstein_distances(pictures(4), fakes)


@pytest.mark.parametrize("name", ["num_patches", "num_directions", "seed"])
@pytest.mark.parametrize("value", [-1, 2.5, None, True])
def test_bad_numbers(name, value):
    with pytest.raises(ValueError, match=rf"`{name}` must be an integer of at least .*Received"):
        sliced_wasserstein_distances(pictures(2), pictures(2), **{name: value})


def test_the_whole_procedure_in_plain_numpy():
    """Karras et al., section 5, by loops: pyramid, patches, normalization, projections."""
    sets = pictures(6, 32, 48, seed=1), pictures(6, 32, 48, seed=2, sharpness=3)
    swd = PatchDistances(sets[0], num_patches=5, num_directions=7, seed=4)
    expected = {}
    for level, height in enumerate((32, 16)):
        projected = []
        directions = np.random.default_rng([4, 2, level]).normal(size=(7, 3 * 49))
        for stream, rows in enumerate(sets):
            patches = []
            top = height - 6, height * 48 // 32 - 6
            places = np.random.default_rng([4, stream, level]).integers(0, top, (6, 5, 2))
            for picture, around in zip(rows, places, strict=True):
                channels = []
                for c in range(3):
                    fine = picture[..., c].astype("float64")
                    coarse = slow_blur(fine)[::2, ::2]
                    channels.append(coarse if level else fine - slow_scaled_up(coarse))
                patches += [[x[y : y + 7, k : k + 7] for x in channels] for y, k in around]
            patches = np.array(patches)
            for c in range(3):
                patches[:, c] = (patches[:, c] - patches[:, c].mean()) / patches[:, c].std()
            unit = directions / np.sqrt((directions**2).sum(axis=1, keepdims=True))
            projected.append(patches.reshape(30, -1) @ unit.T)
        by_direction = [
            wasserstein_distance(a, b) for a, b in zip(*map(np.transpose, projected), strict=True)
        ]
        expected[height] = 1e3 * np.mean(by_direction)
    expected["average"] = np.mean(list(expected.values()))
    assert swd.distances(sets[1]) == pytest.approx(expected, rel=1e-4)


def metric(**kwargs):
    return SlicedWasserstein((32, 32, 3), num=64, num_patches=4, num_directions=8, **kwargs)


def test_metric_in_batches_graphs_and_replicas(two_replicas):
    reals, fakes = pictures(50), pictures(50, seed=1, sharpness=2)
    result = check_streams(metric, reals, fakes, two_replicas, 0).result()
    whole = sliced_wasserstein_distances(reals, fakes, 4, 8)
    assert result == {"swd": whole["average"], "swd_32": whole[32], "swd_16": whole[16]}


def test_metric_refuses():
    swd = fed(metric(), pictures(20), pictures(18))
    with pytest.raises(ValueError, match=r"`fakes` must be of the shape of `reals`"):
        swd.result()
    with pytest.raises(ValueError, match=r"`reals` must be uint8 pictures.*float64"):
        metric().update_state(pictures(4) / 255.0)
    with pytest.raises(ValueError, match=r"`num` must be .* which 64 fit.*Received: 65"):
        metric().update_state(pictures(65))
    with pytest.raises(ValueError, match=r"`fakes` must be pictures of `shape` \(32, 32, 3\)"):
        metric().update_state(fakes=pictures(4)[:, :16])
    with pytest.raises(ValueError, match=r"`shape` must be \(height, width, channels\)"):
        SlicedWasserstein((32, 32))
