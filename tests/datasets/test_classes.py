"""`classes`: some classes of a set, numbered anew."""

import numpy as np
import pytest
from PIL import Image

from keras_gans.datasets import info, load


def everything(**kwargs):
    batches = load("fashion_mnist_10k", batch_size=2500, shuffle=False, **kwargs)
    return [np.concatenate(parts) for parts in zip(*batches.as_numpy_iterator(), strict=True)]


def test_classes_are_kept_and_numbered_anew():
    pictures, labels = everything(labels=True)
    kept, renumbered = everything(labels=True, classes=(9, "Trouser"))
    rows = np.isin(labels, (9, 1))
    np.testing.assert_array_equal(kept, pictures[rows])
    np.testing.assert_array_equal(renumbered, np.where(labels[rows] == 9, 0, 1))
    found = info("fashion_mnist_10k", classes=(9, "Trouser"))
    assert (found.num_examples, found.num_classes) == (2000, 2)
    assert found.class_names == ("Ankle boot", "Trouser")


def test_classes_without_labels():
    dataset = load("noto_emoji", batch_size=10, classes=[0], image_size=8)
    assert dataset.element_spec.shape == (None, 8, 8, 3)
    assert dataset.info.num_examples < 1601 and dataset.info.class_names == ("Smileys & Emotion",)


@pytest.mark.parametrize("classes", [(10,), ("Hat",), (True,), (-1,), (1, 1), (), (1.0,)])
def test_bad_classes(classes):
    with pytest.raises(ValueError, match="`classes` must be"):
        load("fashion_mnist_10k", classes=classes)


def test_sets_without_classes():
    with pytest.raises(ValueError, match="has none"):
        load("swiss_roll", classes=(0,))


def test_a_name_comes_before_a_number(tmp_path):
    for number in range(1, 12):
        (tmp_path / str(number)).mkdir()
        Image.fromarray(np.full((4, 4), number, np.uint8)).save(tmp_path / str(number) / "a.png")
    found = info(tmp_path, classes=("2", 2, "0"))  # the names 1 to 11 have the numbers 0 to 10
    assert found.class_names == ("2", "3", "1")
    with pytest.raises(ValueError, match=r"`classes` must be numbers from 0 to 10 or names \(1, 2"):
        load(tmp_path, classes=["12"])
