"""Windows and mirror images: which they are, how often, and that a run can go on."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gans.datasets import load, semi_supervised, unpaired

N = 500


@pytest.fixture
def numbered(tmp_path):
    """A folder of 16 pictures, 6 x 8, of which each pixel says which picture and place it is."""
    from PIL import Image

    for number in range(16):
        down, across = np.mgrid[:6, :8]
        pixels = np.stack([np.full((6, 8), number), down, across], axis=-1)
        Image.fromarray(pixels.astype("uint8")).save(tmp_path / f"{number}.png")
    return tmp_path


def levels(pictures):
    return np.round((np.asarray(pictures) + 1) * 127.5).astype(int)


def draws(pictures):
    """Of windows of `numbered`: which picture, how far down and across, and whether mirrored.

    Fails unless each is a window, whole and in order.
    """
    pictures = levels(pictures)
    height, width = pictures.shape[1:3]
    number, down = pictures[:, 0, 0, 0], pictures[:, 0, 0, 1]
    flipped = pictures[:, 0, 0, 2] > pictures[:, 0, -1, 2]
    across = pictures[:, 0, :, 2].min(axis=1)
    for i, picture in enumerate(pictures):
        columns = across[i] + np.arange(width)
        columns = columns[::-1] if flipped[i] else columns
        rows, columns = np.meshgrid(down[i] + np.arange(height), columns, indexing="ij")
        expected = np.stack([np.full_like(rows, number[i]), rows, columns], axis=-1)
        np.testing.assert_array_equal(picture, expected)
    return number, down, across, flipped


def collected(dataset, n=N):
    return np.concatenate(list(dataset.from_step(0).take(n).as_numpy_iterator()))


def test_windows_and_mirror_images(numbered, capsys):
    """All 3 x 3 places are as frequent (8,000 draws: 889 each, sd 28.1), and half is mirrored."""
    dataset = load(numbered, batch_size=16, crop=(4, 6), flip=True, seed=3)
    assert dataset.info.shape == (4, 6, 3) and len(dataset) == 1
    assert dataset.element_spec.shape == (16, 4, 6, 3)
    number, down, across, flipped = draws(collected(dataset))
    assert np.all(np.bincount(number) == N)
    counts = np.bincount(3 * down + across, minlength=9)
    assert counts.shape == (9,) and np.abs(counts - 8000 / 9).max() < 5 * 28.1
    assert abs(flipped.mean() - 0.5) < 5 * 0.5 / np.sqrt(8000)
    # Draws have nothing to do with one another, nor with the next step's.
    for a, b in ((down, across), (across, flipped), (down, flipped), (flipped[:-16], flipped[16:])):
        assert abs(np.corrcoef(a, b)[0, 1]) < 5 / np.sqrt(8000)


def test_one_of_the_two(numbered, capsys):
    _, down, across, flipped = draws(collected(load(numbered, batch_size=16, flip=True), 20))
    assert not down.any() and not across.any() and 0 < flipped.mean() < 1
    _, down, across, flipped = draws(collected(load(numbered, batch_size=16, crop=4), 20))
    assert set(down) == {0, 1, 2} and set(across) == {0, 1, 2, 3, 4} and not flipped.any()
    plain = load(numbered, batch_size=16)
    np.testing.assert_array_equal(
        collected(load(numbered, batch_size=16, crop=(6, 8)), 2), collected(plain, 2)
    )


def test_order_is_that_without(numbered, capsys):
    """And another seed gives other places."""
    plain = draws(collected(load(numbered, batch_size=16, seed=5), 3))
    moved = draws(collected(load(numbered, batch_size=16, seed=5, crop=4, flip=True), 3))
    other = draws(collected(load(numbered, batch_size=16, seed=6, crop=4, flip=True), 3))
    np.testing.assert_array_equal(plain[0], moved[0])
    assert np.any(moved[1] != other[1]) and np.any(moved[3] != other[3])


@pytest.mark.parametrize("form", ["load", "labels", "semi_supervised", "unpaired"])
def test_begins_at_any_step(form):
    settings = {"batch_size": 30, "crop": 20, "flip": True}

    def made(**more):
        settings_ = {**settings, **more}
        if form == "unpaired":
            b = load("fashion_mnist_10k", **settings_)
            return unpaired(load("mnist_5k", **settings_), b)
        dataset = load("mnist_5k", labels=form != "load", **settings_)
        return semi_supervised(dataset) if form == "semi_supervised" else dataset

    wanted = list(made().from_step(0).skip(140).take(2).as_numpy_iterator())
    later = made(start_step=140)
    assert later.info.shape == (20, 20, 1)
    for dataset in (made().from_step(140), later):
        found = list(dataset.take(2).as_numpy_iterator())
        tf.nest.map_structure(np.testing.assert_array_equal, wanted, found)


def test_last_batch_of_an_epoch():
    *_, last = load("mnist_5k", batch_size=3000, crop=20, flip=True)
    assert last.shape == (1000, 20, 20, 1)
    assert len(load("mnist_5k", batch_size=3000, flip=True, drop_remainder=True)) == 1


def test_sides_without_pairs_are_moved_apart(numbered, capsys):
    one = load(numbered, batch_size=16, crop=4, flip=True)
    a, b = next(iter(unpaired(one, load(numbered, batch_size=16, crop=4, flip=True))))
    for first, second in zip(draws(a)[1:], draws(b)[1:], strict=True):
        assert np.any(first != second)


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"crop": 29}, r"`crop` must be at most \(28, 28\) .*Received: \(29, 29\)"),
        ({"crop": (28, 29)}, r"`crop` must be at most"),
        ({"image_size": 20, "crop": 21}, r"`crop` must be at most \(20, 20\)"),
        ({"crop": 0}, "`crop`"),
        ({"crop": (1, 2, 3)}, "`crop` must be an integer or a pair"),
        ({"flip": 1}, "`flip` must be True or False. Received: 1"),
        ({"name": "ring", "crop": 3}, r"`crop` must be None for 'ring'.*Received: \(3, 3\)"),
        ({"name": "ring", "flip": True}, "`flip` must be False for 'ring'"),
    ],
)
def test_bad_settings(settings, message):
    with pytest.raises(ValueError, match=message):
        load(**{"name": "mnist_5k", **settings})
