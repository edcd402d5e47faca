"""`paired`: which pictures meet, one jitter for both, halves, and what is no pair."""

import functools

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from test_jitter import draws, numbered  # noqa: F401

from keras_gans.datasets import edges, load, paired, shifted, unpaired
from keras_gans.datasets.paired import half
from keras_gans.datasets.stepwise import sequential_batches


def save(directory, names, size=(6, 8)):
    """Pictures of which each pixel says which picture and place it is, see `draws`."""
    directory.mkdir(parents=True, exist_ok=True)
    down, across = np.mgrid[: size[0], : size[1]]
    for number, name in enumerate(names):
        pixels = np.stack([np.full(size, number), down, across], axis=-1)
        Image.fromarray(pixels.astype("uint8")).save(directory / name)
    return directory


@pytest.fixture(autouse=True)
def quiet(capsys):
    """What `load` says of folders is not looked at here."""


@pytest.fixture
def folders(tmp_path):
    names = [f"{n}.png" for n in range(12)]
    return save(tmp_path / "a", names), save(tmp_path / "b", [n[:-3] + "bmp" for n in names])


def test_edges_meet_their_pictures():
    names = ("fashion_mnist_10k", "fashion_mnist_10k_edges")
    dataset = paired(*(load(name, batch_size=50, seed=7) for name in names))
    a, b = next(iter(dataset))
    levels = np.round((a.numpy() + 1) * 127.5).astype("uint8")
    np.testing.assert_allclose(b, edges(levels) / 127.5 - 1, atol=1e-6)
    assert dataset.info.num_examples == 10_000 and len(dataset) == 200
    assert dataset.info.name == "fashion_mnist_10k + fashion_mnist_10k_edges"


def test_one_draw_for_both(folders):
    """Over steps and epochs each picture meets its own, at one place, mirrored alike."""
    a, b = (load(folder, batch_size=5, crop=4, flip=True, seed=2) for folder in folders)
    dataset = paired(a, b)
    assert dataset.info.shape == (4, 4, 3)
    kept = []
    for first, second in dataset.from_step(0).take(12).as_numpy_iterator():
        np.testing.assert_array_equal(first, second)
        kept.append(draws(first))
    number, down, across, flipped = np.concatenate(kept, axis=1)
    assert np.all(np.bincount(number) == 5)
    assert set(down) == {0, 1, 2} and set(across) == {0, 1, 2, 3, 4} and set(flipped) == {0, 1}
    in_order = paired(*(load(folder, batch_size=12, shuffle=False) for folder in folders))
    np.testing.assert_array_equal(draws(next(iter(in_order))[0])[0], np.arange(12))


def test_halves(tmp_path):
    """A is the left one; windows are of halves, never across the middle."""
    folder = save(tmp_path / "both", [f"{n}.png" for n in range(12)], size=(6, 16))
    dataset = paired(load(folder, batch_size=6, crop=(4, 5), flip=True))
    assert dataset.info.shape == (4, 5, 3)
    assert dataset.element_spec[0].shape == dataset.element_spec[1].shape == (6, 4, 5, 3)
    flips = []
    for a, b in dataset.from_step(0).take(10):
        of_a, of_b = draws(a), draws(b)
        np.testing.assert_array_equal(np.array(of_a)[[0, 1, 3]], np.array(of_b)[[0, 1, 3]])
        np.testing.assert_array_equal(of_a[2] + 8, of_b[2])
        flips.extend(of_a[3])
    assert 0 < np.mean(flips) < 1
    whole = paired(load(folder, batch_size=12, shuffle=False))
    assert whole.info.shape == (6, 8, 3)


@pytest.mark.parametrize("jitter", [{}, {"crop": (4, 5), "flip": True}])
def test_a_half_is_what_pairs_have(tmp_path, jitter):
    """A set of its own with the pictures, the order and the windows of `paired`."""
    folder = save(tmp_path / "both", [f"{n}.png" for n in range(6)], size=(6, 16))
    for size in (None, (5, 7)):
        whole = load(folder, batch_size=4, start_step=1, seed=3, **jitter)
        pairs = paired(whole, image_size=size)
        for place, side in enumerate("ab"):
            dataset = half(whole, side, size)
            assert dataset.info == pairs.info and dataset.element_spec == pairs.element_spec[place]
            for found, pair in zip(dataset, pairs, strict=True):
                np.testing.assert_array_equal(found, pair[place])
            first = next(iter(dataset.run(first_step=0, stop=6, batch_size=6, shuffle=False)))
            assert len(first) == 6
    with pytest.raises(ValueError, match="`side` takes the names"):
        half(whole, "left")
    with pytest.raises(ValueError, match="an even width"):
        half(load(save(tmp_path / "odd", ["1.png"], size=(6, 15))), "a")


def test_direction(tmp_path, folders):
    both = load(save(tmp_path / "both", ["1.png", "2.png"], size=(6, 16)), batch_size=2)
    there, back = (next(iter(paired(both, direction=d))) for d in ("a_to_b", "b_to_a"))
    for first, second in zip(there, reversed(back), strict=True):
        np.testing.assert_array_equal(first, second)
    a, b = load(folders[0], channels=1), load(folders[1])
    dataset = paired(a, b, direction="b_to_a")
    assert dataset.info.shape == (6, 8, 3) and dataset.element_spec[1].shape[-1] == 1
    with pytest.raises(ValueError, match="`direction` takes the names"):
        paired(a, b, direction="left")


def test_halves_are_resized_apart(tmp_path):
    """Halves of 6 x 12 cover 4 x 4: 4 x 8 pixels, of which the middle 4 of each are left."""
    across = np.mgrid[:6, :24][1]
    pixels = np.where(across < 12, 8 * across, 184 - 8 * across)  # mirrored in the middle
    folder = tmp_path / "both"
    folder.mkdir()
    Image.fromarray(pixels.astype("uint8")).save(folder / "1.png")
    a, b = next(iter(paired(load(folder), image_size=4)))
    assert a.shape == b.shape == (1, 4, 4, 3)
    np.testing.assert_allclose(a[:, :, ::-1], b, atol=1.1 / 127.5)
    means = [float(x) for x in np.mean((a + 1) * 127.5, axis=(0, 1, 3))]
    # Pixel j of 8 is the mean around 3/2 (j + 1/2) - 1/2 of the old ones, which have 8 a pixel.
    expected = [8 * (1.5 * (j + 0.5) - 0.5) for j in range(2, 6)]
    np.testing.assert_allclose(means, expected, atol=1.5)
    refused("`a` must be loaded without `image_size`", load(folder, image_size=(4, 8)))
    with pytest.raises(ValueError, match="`image_size` must be None for two sets"):
        paired(load(folder), load(folder), image_size=4)


def test_shifted_pairs_move_together(folders):
    """What belongs together stays so; sides of other sets move apart."""
    a, b = (load(folder, batch_size=12) for folder in folders)
    first, second = next(iter(shifted(paired(a, b), 2)))
    np.testing.assert_array_equal(first, second)
    assert np.any(first != next(iter(a)))
    first, second = next(iter(shifted(unpaired(a, a), 2)))
    assert np.any(first != second)


def test_orders_of_two_kinds(monkeypatch, folders):
    """A set that is read in sequence is shuffled otherwise than one in memory."""
    a, b = (load(folder) for folder in folders)
    b.run = functools.partial(b.run.func, sequential_batches, *b.run.args[1:], **b.run.keywords)
    refused("must both fit into memory or be folders, or both be larger", a, b)


def test_names_of_classes_are_kept(tmp_path):
    folder = tmp_path / "classes"
    save(folder / "cats", ["1.png", "2.png"]), save(folder / "dogs", ["3.png"])
    examples = load(folder, classes=("dogs", "cats"), labels=True).run.args[1]
    assert examples.names == ("cats/1.png", "cats/2.png", "dogs/3.png")


@pytest.mark.parametrize("form", ["two", "halves"])
def test_begins_at_any_step(folders, form):
    def made(**more):
        a, b = (load(f, batch_size=5, crop=(4, 3), flip=True, **more) for f in folders)
        return paired(a, b) if form == "two" else paired(a)

    wanted = list(made().from_step(0).skip(8).take(2).as_numpy_iterator())
    later = made(start_step=8)
    assert later.start_step == 8
    found = list(made().from_step(8).take(2).as_numpy_iterator())
    tf.nest.map_structure(np.testing.assert_array_equal, wanted, found)
    first = next(later.as_numpy_iterator())
    tf.nest.map_structure(np.testing.assert_array_equal, wanted[0], first)


def refused(message, *sides):
    with pytest.raises(ValueError, match=message):
        paired(*sides)


def test_names_that_do_not_match(tmp_path, folders):
    (folders[1] / "7.bmp").rename(folders[1] / "seven.bmp")
    load_all = [load(folder) for folder in folders]
    refused("the same names.*Received: '7.png' in .*, and none of that name in", *load_all)
    refused("the same names.*Received: 'seven.bmp' in", *reversed(load_all))


def test_numbers_that_do_not_match(folders):
    (folders[1] / "7.bmp").unlink()
    a, b = (load(folder) for folder in folders)
    refused("the same names.*Received: '7.png' in .*, and none of that name in", a, b)
    refused("the same names.*Received: '7.png' in .*, and none of that name in", b, a)
    (folders[0] / "7.png").unlink()
    (folders[0] / "6.bmp").write_bytes((folders[1] / "6.bmp").read_bytes())
    refused("one picture of each name.*Received: 2 of '6' in", load(folders[0]), b)
    mnist = load("mnist_5k")
    refused("as many pictures.*Received: 4000 of .* 10000 of", mnist, load("fashion_mnist_10k"))


def test_names_in_another_order(tmp_path):
    """`7.mask.png` comes before `7.png`, and `7.jpg` before `7.mask.jpg`."""
    a = save(tmp_path / "a", ["7.png", "7.mask.png"])
    b = save(tmp_path / "b", ["7.jpg", "7.mask.jpg"])
    refused("their pictures in one order, by name. Received: '7.mask' in", load(a), load(b))


def test_sets_that_are_loaded_otherwise(folders):
    a = load(folders[0], batch_size=4)
    for name, value in (
        ("batch_size", 3),
        ("seed", 1),
        ("shuffle", False),
        ("crop", 4),
        ("flip", True),
        ("start_step", 1),
        ("drop_remainder", True),
    ):
        refused(f"the same `{name}`", a, load(folders[1], **{"batch_size": 4, name: value}))


def test_sizes_that_do_not_match(tmp_path, folders):
    smaller = save(tmp_path / "smaller", [f"{n}.png" for n in range(12)], (6, 6))
    refused(r"one height and width.*\(6, 8\) of .*\(6, 6\) of", load(folders[0]), load(smaller))
    odd = save(tmp_path / "odd", ["1.png"], (4, 7))
    refused("an even width, A beside B. Received: .*4x7", load(odd))
    refused(r"`crop` must be at most \(6, 4\).*halves", load(folders[0], crop=(6, 5)))


def test_what_is_no_set_of_pictures():
    with pytest.raises(TypeError, match="`b` must be a dataset as `load`"):
        paired(load("mnist_5k"), load("mnist_5k").map(lambda x: x))
    refused("`a` must be a set of pictures", load("ring"))
    refused("`b` must be pictures only", load("mnist_5k"), load("mnist_5k", labels=True))
