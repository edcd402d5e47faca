"""`downscaled`, against Pillow; resuming; windows of photographs of several sizes."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from keras_gans.datasets import (
    downscale,
    downscaled,
    enlarge_bicubic,
    load,
    paired,
    shifted,
)
from keras_gans.datasets.downscaled import low_part
from keras_gans.images import to_uint8


def noise(num, height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (num, height, width, 3), dtype="uint8")


def resized(picture, size, resample=Image.Resampling.BICUBIC):
    """Pillow's, in floats of each channel, rounded once."""
    channels = [Image.fromarray(picture[..., c].astype("float32")) for c in range(3)]
    parts = [np.array(channel.resize(size[::-1], resample)) for channel in channels]
    return np.rint(np.clip(np.stack(parts, axis=-1), 0, 255)).astype("uint8")


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_sizes_are_those_of_pillow(scale):
    pictures = noise(2, 8 * scale, 6 * scale)
    low, large = downscale(pictures, scale), enlarge_bicubic(pictures, scale)
    for k in range(2):
        wanted = resized(pictures[k], (8, 6))
        assert np.abs(low[k].astype(int) - wanted).max() <= 1  # where .5 is rounded
        assert (low[k] == wanted).mean() > 0.99
        wanted = resized(pictures[k], (8 * scale**2, 6 * scale**2))
        assert np.abs(large[k].astype(int) - wanted).max() <= 1
        assert (large[k] == wanted).mean() > 0.99


def test_is_antialiased():
    """A checkerboard becomes its mean, which four samples in the middle of it would not give."""
    board = np.indices((16, 16)).sum(axis=0) % 2 * np.uint8(255)
    board = board[None, :, :, None].astype("uint8")
    assert np.ptp(downscale(board, 4)[:, 1:-1, 1:-1].astype(int)) <= 1
    assert np.ptp(downscale(board, 2)[:, 1:-1, 1:-1].astype(int)) <= 1


def test_pairs():
    """The small ones are of what `load` gives, windows and mirror images too."""
    settings = {"batch_size": 5, "crop": 24, "flip": True, "seed": 3}
    dataset = downscaled(load("noto_emoji", **settings), 4)
    low, high = next(iter(dataset))
    assert low.shape == (5, 6, 6, 3) and high.shape == (5, 24, 24, 3)
    np.testing.assert_array_equal(high, next(iter(load("noto_emoji", **settings))))
    np.testing.assert_array_equal(to_uint8(low), downscale(to_uint8(high), 4))
    assert dataset.info.shape == (24, 24, 3) and dataset.start_step == 0
    later = next(iter(dataset.from_step(2)))
    for part, wanted in zip(later, next(iter(dataset.from_step(0).skip(2))), strict=True):
        np.testing.assert_array_equal(part, wanted)


def test_of_other_datasets():
    pictures = tf.data.Dataset.from_tensors(tf.zeros((2, 8, 8, 3)))
    low, _ = next(iter(downscaled(pictures, 2)))
    assert low.shape == (2, 4, 4, 3)


def test_low_part():
    dataset = load("noto_emoji", batch_size=4)
    low = low_part(dataset, 4)
    np.testing.assert_array_equal(next(iter(low)), next(iter(downscaled(dataset, 4)))[0])
    assert low.info.shape == (16, 16, 3)
    batch = next(iter(low.run(first_step=0, stop=6, batch_size=3, shuffle=False)))
    wanted = load("noto_emoji", batch_size=3, shuffle=False)
    np.testing.assert_array_equal(batch, next(iter(downscaled(wanted, 4)))[0])


def test_what_does_not_fit():
    with pytest.raises(TypeError, match=r"`dataset` must be a tf.data.Dataset"):
        downscaled(np.zeros((2, 8, 8, 3)), 2)
    with pytest.raises(ValueError, match=r"pictures .* alone, without labels"):
        downscaled(load("mnist_5k", labels=True), 2)
    with pytest.raises(ValueError, match=r"alone, without labels"):
        downscaled(load("ring"), 2)
    with pytest.raises(ValueError, match=r"`scale` must divide .*Received: 3, .*\(64, 64\)"):
        downscaled(load("noto_emoji"), 3)
    with pytest.raises(ValueError, match="`scale`"):
        downscaled(load("noto_emoji"), 1)
    with pytest.raises(ValueError, match="`scale` must divide"):
        downscale(noise(1, 9, 8), 2)
    with pytest.raises(ValueError, match="`pictures` must be uint8"):
        downscale(np.zeros((1, 8, 8, 3)), 2)
    with pytest.raises(ValueError, match="`dataset` must have pictures of one size: shift those"):
        shifted(downscaled(load("noto_emoji"), 2), 2)


# Windows of pictures of several sizes


@pytest.fixture
def photographs(tmp_path):
    """Each pixel says where it is, and the blue which picture it is of."""
    for k, (height, width) in enumerate([(20, 31), (16, 16), (40, 17)]):
        rows, columns = np.indices((height, width))
        pixels = np.stack([rows, columns, np.full((height, width), k)], axis=-1)
        Image.fromarray(pixels.astype("uint8")).save(tmp_path / f"{k}.png")
    return tmp_path


def places(dataset, num):
    """(picture, top, left) of the windows, which are checked to be such."""
    found = []
    for batch in dataset.take(num):
        for window in to_uint8(batch).astype(int):
            top, left, k = window[0, 0]
            rows, columns = np.indices(window.shape[:2])
            np.testing.assert_array_equal(window[..., 0], rows + top)
            np.testing.assert_array_equal(window[..., 1], columns + left)
            assert np.all(window[..., 2] == k)
            found.append((int(k), int(top), int(left)))
    return found


def test_windows_of_pictures_of_several_sizes(photographs):
    dataset = load(photographs, batch_size=8, crop=16)
    assert dataset.info.shape == (16, 16, 3) and dataset.info.num_examples == 3
    found = places(dataset.from_step(0), 60)
    spans = {0: (4, 15), 1: (0, 0), 2: (24, 1)}
    for k, (below, right) in spans.items():
        tops, lefts = zip(*[(top, left) for i, top, left in found if i == k], strict=True)
        assert (min(tops), max(tops), min(lefts), max(lefts)) == (0, below, 0, right)
    counts = np.bincount([k for k, *_ in found])
    assert counts.min() == counts.max() == 160  # an epoch has each once


def test_windows_are_by_seed_and_step(photographs):
    dataset = load(photographs, batch_size=4, crop=16)
    assert places(dataset.from_step(5), 3) == places(dataset.from_step(0).skip(5), 3)
    other = load(photographs, batch_size=4, crop=16, seed=1)
    assert places(dataset.from_step(0), 9) != places(other.from_step(0), 9)


def test_windows_from_disk(photographs, monkeypatch):
    """As from memory, where the pictures do not fit in there."""
    from keras_gans.datasets import examples

    settings = {"batch_size": 4, "crop": 16, "flip": True}
    in_memory = list(load(photographs, **settings).from_step(0).take(3))
    monkeypatch.setattr(examples, "MEMORY_BUDGET", 1000)
    on_disk = list(load(photographs, **settings).from_step(0).take(3))
    for one, other in zip(in_memory, on_disk, strict=True):
        np.testing.assert_array_equal(one, other)


def test_windows_of_pairs_are_alike(photographs):
    """Two folders of the same sizes are cut at the same places."""
    load_one = {"batch_size": 4, "crop": 16, "flip": True}
    a, b = next(iter(paired(*(load(photographs, **load_one) for _ in range(2)))))
    np.testing.assert_array_equal(a, b)


def test_windows_that_do_not_fit(photographs):
    with pytest.raises(ValueError, match=r"`crop` must be at most .*17x16.*is 16x16"):
        load(photographs, crop=(17, 16))
    with pytest.raises(ValueError, match=r"`image_size` must be given .* or `crop` for windows"):
        load(photographs)
