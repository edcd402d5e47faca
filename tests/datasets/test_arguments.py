"""Every bad argument is named, with the rule and what was received."""

import dataclasses
import re

import pytest

from keras_gans import datasets


@pytest.mark.parametrize(
    ("argument", "value", "rule"),
    [
        ("batch_size", 0, "of at least 1"),
        ("batch_size", -3, "of at least 1"),
        ("batch_size", 2.5, "an integer"),
        ("batch_size", True, "an integer"),
        ("batch_size", None, "an integer"),
        ("seed", 1.5, "an integer"),
        ("seed", None, "an integer"),
        ("seed", "7", "an integer"),
        ("seed", -1, "in [0, 9223372036854775807]"),
        ("start_step", -1, "of at least 0"),
        ("start_step", 0.5, "an integer"),
        ("channels", 0, "in [1, 4]"),
        ("channels", 5, "in [1, 4]"),
        ("channels", "rgb", "in [1, 4]"),
        ("image_size", 0, "of at least 1"),
        ("image_size", (32, -1), "of at least 1"),
        ("image_size", (32, 32, 3), "a pair (height, width)"),
        ("image_size", 32.0, "an integer"),
        ("on_unreadable", "ignore", '"error" or "skip"'),
        ("labels", 1, "True or False"),
        ("shuffle", "yes", "True or False"),
        ("drop_remainder", None, "True or False"),
        ("resampling", "nearest", "['lanczos', 'box']"),
        ("resampling", None, "['lanczos', 'box']"),
        ("split", "test", "train"),
        ("split", "train[:x]", "train"),
    ],
)
def test_bad_arguments(argument, value, rule):
    received = value[-1] if argument == "image_size" and value == (32, -1) else value
    with pytest.raises(ValueError) as raised:
        datasets.load("fashion_mnist_10k", **{argument: value})
    text = str(raised.value)
    assert f"`{argument}` must be" in text
    assert rule in text
    assert f"Received: {received!r}" in text


@pytest.mark.parametrize("name", [None, 3, ["ring"]])
def test_names_of_a_wrong_type(name):
    with pytest.raises(TypeError, match=re.escape(f"Received: {name!r}")):
        datasets.load(name)


def test_splits_of_a_wrong_type():
    with pytest.raises(TypeError, match="`split` must be a str"):
        datasets.load("ring", split=0)


@pytest.mark.parametrize(
    ("name", "near"),
    [("fashion_mnist_10", "fashion_mnist_10k"), ("noto-emoji", "noto_emoji"), ("Ring", "ring")],
)
def test_unknown_names_have_neighbours(name, near):
    with pytest.raises(ValueError) as raised:
        datasets.load(name)
    text = str(raised.value)
    assert f"'{near}'" in text.split("Did you mean")[1]
    assert "TFDS" in text
    assert "folder" in text
    assert f"Received: {name!r}" in text


def test_a_batch_larger_than_the_set():
    with pytest.raises(ValueError, match=r"`batch_size` must be at most the 1601.*Received: 1602"):
        datasets.load("noto_emoji", batch_size=1602, drop_remainder=True)


def test_a_start_without_a_full_batch():
    with pytest.raises(
        ValueError, match=r"`start_step` must leave a full batch.*which leaves 16 of"
    ):
        datasets.load("fashion_mnist_10k", start_step=156, drop_remainder=True)


@pytest.mark.parametrize("step", [-1, 0.5, None, True])
def test_bad_steps(step):
    with pytest.raises(ValueError, match="`step` must be an integer of at least 0"):
        datasets.load("ring").from_step(step)


def test_the_description_is_frozen():
    info = datasets.load("ring").info
    assert info == datasets.info("ring")
    with pytest.raises(dataclasses.FrozenInstanceError):
        info.name = "circle"


def test_every_set_tells_its_licence_and_source():
    for name in datasets.names():
        info = datasets.info(name)
        assert info.name == name
        assert info.license and info.source
