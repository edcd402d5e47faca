"""Edges and negatives, by hand and against another's dilation; the sets that are made of them."""

import numpy as np
import pytest
import scipy.ndimage

from keras_gans import datasets
from keras_gans.catalogue import DERIVED, splits_without_pairs
from keras_gans.images import to_uint8


def test_edges_by_hand():
    picture = np.array([[0, 0, 0, 0], [0, 9, 5, 0], [0, 0, 0, 0]], "uint8")[None, ..., None]
    expected = [[9, 9, 9, 5], [9, 0, 4, 5], [9, 9, 9, 5]]
    assert datasets.edges(picture)[0, ..., 0].tolist() == expected


def test_edges_are_dilation_less_picture():
    pictures = np.random.default_rng(0).integers(0, 256, (3, 9, 7, 2), "uint8")
    expected = scipy.ndimage.grey_dilation(pictures, size=(1, 3, 3, 1), mode="nearest") - pictures
    np.testing.assert_array_equal(datasets.edges(pictures), expected)


def test_negatives():
    pictures = np.arange(256, dtype="uint8").reshape(1, 16, 16, 1)
    made = datasets.negatives(pictures)
    assert made.dtype == np.uint8 and (made.astype(int) + pictures == 255).all()
    np.testing.assert_array_equal(datasets.negatives(made), pictures)


@pytest.mark.parametrize("transform", [datasets.edges, datasets.negatives])
def test_what_is_no_picture(transform):
    for bad in (np.zeros((1, 4, 4, 1)), np.zeros((4, 4, 1), "uint8"), [[1]]):
        with pytest.raises(ValueError, match=r"`pictures` must be uint8 of shape \(num"):
            transform(bad)


def first(name, split="train", **settings):
    dataset = datasets.load(name, split, batch_size=40, shuffle=False, labels=True, **settings)
    pictures, labels = next(iter(dataset))
    return to_uint8(pictures), np.array(labels), dataset.info


@pytest.mark.parametrize("name", DERIVED)
@pytest.mark.parametrize("settings", [{}, {"image_size": 32, "channels": 3}], ids=str)
def test_sets_of_transformed_pictures(name, settings):
    """T of the pictures of the same split in the same size, with their labels."""
    origin, transform = DERIVED[name]
    pictures, labels, _ = first(origin, "train[50%:]", **settings)
    made, same_labels, info = first(name, "train[50%:]", **settings)
    np.testing.assert_array_equal(made, getattr(datasets, transform)(pictures))
    np.testing.assert_array_equal(same_labels, labels)
    half = datasets.info(origin).num_examples // 2
    assert (info.name, info.num_examples, info.shape) == (name, half, made.shape[1:])


def test_other_splits_of_them():
    assert datasets.info("mnist_5k_edges", "test").num_examples == 1000
    with pytest.raises(ValueError, match=r"'fashion_mnist_10k_edges'.*Received: 'test'"):
        datasets.load("fashion_mnist_10k_edges", "test")


def test_splits_without_pairs():
    """Halves where both are made of the same pictures."""
    halves = ("train[:50%]", "train[50%:]")
    assert splits_without_pairs("mnist_5k", "mnist_5k_edges") == halves
    assert splits_without_pairs("mnist_5k_edges", "mnist_5k_negatives") == halves
    for pair in (
        ("mnist_5k", "fashion_mnist_10k_edges"),
        ("noto_emoji", "noto_emoji"),
        ("horses/", "zebras/"),
    ):
        assert splits_without_pairs(*pair) == ("train", "train")
