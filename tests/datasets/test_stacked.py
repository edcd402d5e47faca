"""Pictures of three: channels are pictures of another set, of the classes that labels say."""

import numpy as np
import pytest

from keras_gans import datasets
from keras_gans.datasets import embedded, stacked

BASES = {"stacked_fashion_mnist": "fashion_mnist_10k", "stacked_mnist_5k": "mnist_5k"}


@pytest.mark.parametrize("name", BASES)
def test_channels_are_pictures_of_the_classes_in_the_label(name):
    base = embedded.read(BASES[name])
    known = {}
    for picture, label in zip(np.array(base.values), np.array(base.labels), strict=True):
        known.setdefault(picture.tobytes(), set()).add(int(label))
    whole = stacked.read(name)
    pictures, labels = whole.values[:3000].numpy(), whole.labels[:3000].numpy()
    for picture, label in zip(pictures, labels, strict=True):
        digits = [label // 100, label // 10 % 10, label % 10]
        for channel, digit in enumerate(digits):
            assert digit in known[picture[..., channel].tobytes()]
    info = datasets.info(name)
    assert (info.num_examples, info.shape, info.num_classes) == (26_000, (28, 28, 3), 1000)


@pytest.mark.parametrize("name", BASES)
def test_every_mode_has_as_many_and_they_differ(name):
    whole = stacked.read(name)
    np.testing.assert_array_equal(np.bincount(whole.labels), np.full(1000, 26))
    ids = np.flatnonzero(np.array(whole.labels) == 271)
    pictures = {picture.tobytes() for picture in whole.values.numpy()[ids]}
    assert len(pictures) == 26
    # Most pictures of the set below are used in each channel.
    base = len(embedded.read(BASES[name]).labels)
    for channel in range(3):
        used = {p.tobytes() for p in whole.values.numpy()[..., channel]}
        assert len(used) > 0.9 * base


def test_they_are_the_same_each_time():
    base = embedded.read("mnist_5k")
    again = stacked.stack("stacked_mnist_5k", base)
    np.testing.assert_array_equal(again.values, stacked.read("stacked_mnist_5k").values)


def test_names_of_modes():
    names = datasets.info("stacked_fashion_mnist").class_names
    assert len(set(names)) == 1000
    assert names[271] == "Pullover + Sneaker + Trouser"
    assert datasets.info("stacked_mnist_5k").class_names[271] == "2 + 7 + 1"


def test_loaded_as_any_set():
    dataset = datasets.load(
        "stacked_mnist_5k", "train[:2000]", batch_size=32, image_size=16, labels=True
    )
    pictures, labels = next(iter(dataset))
    assert pictures.shape == (32, 16, 16, 3) and labels.shape == (32,)
    assert dataset.info.num_examples == 2000
    one = datasets.load("stacked_mnist_5k", classes=["2 + 7 + 1"])
    assert one.info.num_examples == 26


def test_channels_are_not_mixed():
    assert datasets.info("stacked_mnist_5k", channels=3).shape == (28, 28, 3)
    with pytest.raises(ValueError, match=r"`channels` must be None or 3 .* Received: 1"):
        datasets.load("stacked_mnist_5k", channels=1)
