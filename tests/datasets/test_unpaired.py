"""Two sets side by side, each in its own order."""

import dataclasses
import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from PIL import Image

from keras_gans import datasets
from keras_gans.training.base import AdversarialModel
from keras_gans.training.kinds import Pictures


def folder(path, num, first=0):
    """`num` pictures of 2x2 pixels, whose red value is their number."""
    path.mkdir()
    for i in range(num):
        pixels = np.full((2, 2, 3), (first + i, 0, 0), np.uint8)
        Image.fromarray(pixels).save(path / f"{i:03d}.png")
    return path


@pytest.fixture
def small(tmp_path):
    return folder(tmp_path / "small", 6)


@pytest.fixture
def large(tmp_path):
    return folder(tmp_path / "large", 15)


@pytest.fixture
def equal(tmp_path):
    return folder(tmp_path / "equal", 60), folder(tmp_path / "long", 60)


def numbers(dataset):
    """The numbers of the pictures of both sides, one array for each batch."""
    sides = zip(*dataset.as_numpy_iterator(), strict=True)
    return [[np.rint((x[:, 0, 0, 0] + 1) * 127.5).astype(int) for x in side] for side in sides]


def stream(dataset, count):
    return [np.concatenate(side) for side in numbers(dataset.from_step(0).take(count))]


def test_an_epoch_is_that_of_the_larger_set(small, large):
    sides = [datasets.load(small, batch_size=4), datasets.load(large, batch_size=4)]
    for a, b in (sides, sides[::-1]):
        dataset = datasets.unpaired(a, b)
        assert isinstance(dataset, tf.data.Dataset)
        assert len(dataset) == 4
        batches = numbers(dataset)
        assert [[len(batch) for batch in side] for side in batches] == [[4, 4, 4, 3]] * 2
        order = {len(set(np.concatenate(side))): np.concatenate(side) for side in batches}
        np.testing.assert_array_equal(np.sort(order[15]), np.arange(15))
        for begin in (0, 6):  # the smaller set has gone on to its next epochs
            np.testing.assert_array_equal(np.sort(order[6][begin : begin + 6]), np.arange(6))


def test_side_a_is_ordered_as_it_was_loaded(small, large):
    a, b = datasets.load(small, batch_size=4, seed=5), datasets.load(large, batch_size=4)
    for (pictures, _), loaded in zip(
        datasets.unpaired(a, b).from_step(2).take(5), a.from_step(2), strict=False
    ):
        np.testing.assert_array_equal(pictures, loaded)


@pytest.mark.parametrize("seeds", [(0, 0), (7, 7), (0, 1)])
def test_equally_long_sets_are_not_shuffled_alike(equal, seeds):
    a, b = (
        datasets.load(path, batch_size=20, seed=seed)
        for path, seed in zip(equal, seeds, strict=True)
    )
    first, second = stream(datasets.unpaired(a, b), 30)
    met = np.mean(first == second)  # by chance 1 of 60, here over 600 pairs
    assert met < 0.05
    epochs = np.stack([first, second]).reshape(2, 10, 60)
    np.testing.assert_array_equal(np.sort(epochs), np.tile(np.arange(60), (2, 10, 1)))
    pairs = set(zip(first.tolist(), second.tolist(), strict=True))
    assert len(pairs) > 450  # nor are the same two always together


def test_seeds_change_both_orders(equal):
    runs = [
        stream(
            datasets.unpaired(*(datasets.load(path, batch_size=20, seed=s) for path in equal)), 3
        )
        for s in (0, 0, 1)
    ]
    np.testing.assert_array_equal(runs[0], runs[1])
    for side in (0, 1):
        assert np.mean(runs[0][side] == runs[2][side]) < 0.2


@pytest.mark.parametrize("step", [0, 1, 4, 1000])
def test_from_step_is_skip(small, large, step):
    sides = [datasets.load(path, batch_size=4) for path in (small, large)]
    dataset = datasets.unpaired(*sides)
    for part, also in zip(
        numbers(dataset.from_step(step).take(5)),
        numbers(dataset.from_step(0).skip(step).take(5)),
        strict=True,
    ):
        np.testing.assert_array_equal(part, also)
    assert dataset.from_step(step).cardinality() == tf.data.INFINITE_CARDINALITY
    assert dataset.from_step(step).element_spec == (tf.TensorSpec((4, 2, 2, 3)),) * 2


def test_start_step(small, large):
    sides = [datasets.load(path, batch_size=5, start_step=4) for path in (small, large)]
    dataset = datasets.unpaired(*sides)
    assert dataset.start_step == 4
    assert len(dataset) == 2  # positions 20 to 29; the second epoch of the larger set ends there
    np.testing.assert_array_equal(numbers(dataset), numbers(dataset.from_step(4).take(2)))


def test_drop_remainder(small, large):
    sides = [datasets.load(path, batch_size=4, drop_remainder=True) for path in (small, large)]
    dataset = datasets.unpaired(*sides)
    assert len(dataset) == 3
    assert dataset.element_spec == (tf.TensorSpec((4, 2, 2, 3)),) * 2


def test_info(small):
    emoji = datasets.load("noto_emoji", image_size=28)
    fashion = datasets.load("fashion_mnist_10k")
    info = datasets.unpaired(emoji, fashion).info
    assert info.name == "noto_emoji + fashion_mnist_10k"
    assert info.split == "train"
    assert info.num_examples == 10_000
    assert info.shape == (28, 28, 3)
    assert (info.num_classes, info.class_names) == (None, ())
    assert info.license == f"{emoji.info.license}; {fashion.info.license}"
    assert info.source == f"{emoji.info.source}; {fashion.info.source}"
    assert datasets.unpaired(emoji, emoji).info.license == emoji.info.license
    assert datasets.unpaired(datasets.load(small), fashion).info.license == "MIT"
    with pytest.raises(dataclasses.FrozenInstanceError):
        info.name = "other"


def refuse(a, b, text, error=ValueError):
    with pytest.raises(error) as raised:
        datasets.unpaired(a, b)
    assert text in str(raised.value)
    assert "Received: " in str(raised.value)


def test_what_load_did_not_make(small):
    loaded = datasets.load(small)
    made = tf.data.Dataset.from_tensor_slices(np.zeros((4, 2, 2, 3), "float32")).batch(2)
    refuse(made, loaded, "`a` must be a dataset as `load` returns it", TypeError)
    for other in (made, loaded.map(lambda x: -x), loaded.from_step(0), small, None):
        refuse(loaded, other, "`b` must be a dataset as `load` returns it", TypeError)
    both = datasets.unpaired(loaded, loaded)
    refuse(loaded, both, "`b` must be a dataset as `load` returns it", TypeError)


def test_sets_that_do_not_fit(small):
    fashion = datasets.load("fashion_mnist_10k")
    labelled = datasets.load("fashion_mnist_10k", labels=True)
    refuse(labelled, fashion, "`a` must be pictures only")
    refuse(fashion, labelled, "`b` must be pictures only")
    refuse(fashion, datasets.load("ring"), "`b` must be a set of pictures")
    refuse(
        fashion, datasets.load(small, batch_size=32), "the same `batch_size`. Received: 64 and 32"
    )
    refuse(fashion, datasets.load(small, start_step=1), "the same `start_step`. Received: 0 and 1")
    refuse(fashion, datasets.load("fashion_mnist_10k", drop_remainder=True), "`drop_remainder`")
    natural = datasets.load(small, shuffle=False)
    refuse(natural, natural, "must be shuffled")
    datasets.unpaired(natural, fashion)


@pytest.mark.parametrize("step", [-1, 0.5, None, True])
def test_bad_steps(small, step):
    dataset = datasets.unpaired(datasets.load(small), datasets.load(small))
    with pytest.raises(ValueError, match=re.escape(f"Received: {step!r}")):
        dataset.from_step(step)


class Recorder(AdversarialModel):
    """Learns nothing; `seen` has the numbers of the pictures of both sides, step by step."""

    players = {"generator": ("generator",)}

    def __init__(self, n=1):
        inputs = keras.Input((2, 2, 3))
        super().__init__(generator=keras.Model(inputs, layers.Conv2D(3, 1)(inputs)), seed=0)
        self.minibatches_per_step = n
        self.seen = []

    def data_spec(self):
        return (Pictures("pictures_a", (2, 2, 3)), Pictures("pictures_b", (2, 2, 3)))

    def default_optimizers(self):
        return {"generator": keras.optimizers.SGD(0.0)}

    def train_step(self, data):
        for a, b in self.minibatches(data, self.minibatches_per_step):
            self.seen.append([np.rint((x[:, 0, 0, 0] + 1) * 127.5).astype(int) for x in (a, b)])
        with self.update("generator") as losses:
            losses["generator"] = tf.reduce_mean(self.generator(a) - b)
        return self.logs()


@pytest.mark.parametrize("n", [1, 2])
def test_fit_resumes_exactly(small, large, n):
    sides = [datasets.load(path, batch_size=4) for path in (small, large)]
    dataset = datasets.unpaired(*sides)
    once, begun, resumed = (Recorder(n) for _ in range(3))
    for model in (once, begun, resumed):
        model.compile(run_eagerly=True)
    history = once.fit(dataset, epochs=3, verbose=0).history
    assert len(history["generator_loss"]) == 3
    assert len(once.seen) == 3 * n * (15 // (4 * n))  # full batches of the larger set
    begun.fit(dataset, epochs=1, verbose=0)
    resumed.fit(dataset, epochs=3, initial_epoch=1, verbose=0)
    np.testing.assert_array_equal(begun.seen + resumed.seen, once.seen)
