"""The tables that are there without TensorFlow say what is in the data."""

import dataclasses

import numpy as np
import pytest

from keras_gans import datasets
from keras_gans.catalogue import SETS, class_in_words, find_class
from keras_gans.datasets import embedded, points, stacked


def test_names():
    assert list(SETS) == datasets.names() and all(SETS[name].name == name for name in SETS)


@pytest.mark.parametrize("name", SETS)
def test_numbers(name):
    modules = (embedded, stacked, points)
    (module,) = (m for m in modules if name in getattr(m, "NAMES", m.MAKERS))
    read = module.read(name)
    info = datasets.info(name)
    assert info == SETS[name] == read.info
    assert (info.num_examples, *info.shape) == tuple(read.values.shape)
    assert len(info.class_names) == (info.num_classes or 0)
    if info.num_classes is None:
        assert read.labels is None
    else:
        assert np.unique(read.labels).tolist() == list(range(info.num_classes))
    assert all(dataclasses.asdict(info)[name] for name in ("split", "license", "source"))


def test_class_names():
    assert SETS["noto_emoji"].class_names == tuple(embedded.emoji_list()["groups"])
    assert SETS["noto_skin_tones"].class_names == tuple(embedded.skin_tone_list()["tones"])


def test_find_class():
    names = ["1", "2", "10", "Cat", "cat"]
    assert [find_class("x", given, 5, names) for given in ("1", "2", "10")] == [0, 1, 2]
    assert [find_class("x", given, 5, names) for given in (1, 2, "3", "0")] == [1, 2, 3, 0]
    assert [find_class("x", given, 5, names) for given in ("cat", "Cat")] == [4, 3]
    assert find_class("x", "CAT", 4, names[:4]) == 3
    assert find_class("x", "7", None) == find_class("x", np.int64(7), None) == 7
    for given in ("dog", "5", 5, -1, True, 1.0, "²"):
        with pytest.raises(ValueError, match=r"x must be numbers from 0 to 4 or names \(1, 2, 10"):
            find_class("x", given, 5, names)


def test_a_class_is_not_guessed_where_letters_case_decides():
    text = r"x must be as the name stands .*: 'Cat' or 'cat'\. Received: 'CAT'"
    with pytest.raises(ValueError, match=text):
        find_class("x", "CAT", 3, ["Cat", "dog", "cat"])


def test_classes_in_words():
    assert [class_in_words(n, ["shirt", "10"]) for n in range(3)] == ["0 shirt", '1 "10"', "2"]
