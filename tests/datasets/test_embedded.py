"""The sets that come with the package."""

import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from keras_gans import datasets
from keras_gans.datasets import embedded


def everything(name, **kwargs):
    dataset = datasets.load(name, batch_size=500, shuffle=False, labels=True, **kwargs)
    parts = list(dataset.as_numpy_iterator())
    return np.concatenate([x for x, _ in parts]), np.concatenate([y for _, y in parts])


def test_names():
    known = ["fashion_mnist_10k", "mnist_5k", "noto_emoji", "noto_skin_tones"]
    assert datasets.names()[:4] == known


def test_fashion():
    pictures, labels = everything("fashion_mnist_10k")
    assert pictures.shape == (10_000, 28, 28, 1)
    assert pictures.dtype == np.float32
    assert (pictures.min(), pictures.max()) == (-1.0, 1.0)
    assert labels.dtype == np.int32
    np.testing.assert_array_equal(np.bincount(labels), np.full(10, 1000))
    assert labels[:5].tolist() == [9, 2, 1, 1, 6]  # as published
    info = datasets.info("fashion_mnist_10k")
    assert (info.num_examples, info.shape, info.num_classes) == (10_000, (28, 28, 1), 10)
    assert info.class_names[9] == "Ankle boot"
    # Trousers are narrow: far fewer of their pixels are lit than of pullovers'.
    lit = [np.mean(pictures[labels == k] > -1) for k in (1, 2)]
    assert lit[0] < 0.6 * lit[1]


def test_digits():
    """4,000 and 1,000, with as many of each; ones have the least ink, zeros a hole."""
    train, test = everything("mnist_5k"), everything("mnist_5k", split="test")
    for (pictures, labels), num in ((train, 400), (test, 100)):
        assert pictures.shape == (10 * num, 28, 28, 1)
        assert (pictures.min(), pictures.max()) == (-1.0, 1.0)
        np.testing.assert_array_equal(labels, np.arange(10 * num) % 10)
        ink = [(pictures[labels == k] + 1).mean() for k in range(10)]
        assert np.argmin(ink) == 1
        assert (pictures[labels == 0, 14, 14] < -0.9).mean() > 0.95
    assert datasets.info("mnist_5k", "test").num_examples == 1000
    seen = {picture.tobytes() for picture in train[0]}
    assert not seen & {picture.tobytes() for picture in test[0]}


@pytest.mark.parametrize(
    ("split", "kept"),
    [
        ("train[:80%]", slice(None, 3200)),
        ("train[3990:]", slice(3990, 4000)),
        ("train[-10:]", slice(3990, 4000)),
        ("train[25%:26%]", slice(1000, 1040)),
        ("test[:10]", slice(4000, 4010)),
    ],
)
def test_a_part_of_a_split_is_in_natural_order(split, kept):
    whole = embedded.MAKERS["mnist_5k"]()
    pictures, labels = everything("mnist_5k", split=split)
    np.testing.assert_allclose(pictures, np.float32(whole.values[kept]) / 127.5 - 1, atol=1e-6)
    np.testing.assert_array_equal(labels, whole.labels[kept])
    info = datasets.info("mnist_5k", split)
    assert (info.split, info.num_examples) == (split, len(labels))


def test_parts_of_points_and_of_classes():
    assert datasets.info("ring", "train[:100]").num_examples == 100
    some = datasets.load("fashion_mnist_10k", "train[:8000]", classes=[1, 8], labels=True)
    assert 1400 < some.info.num_examples < 1700


@pytest.mark.parametrize(
    ("name", "split", "match"),
    [
        ("fashion_mnist_10k", "test", 'must be "train", the only split'),
        ("mnist_5k", "validation", r"one of \['train', 'test'\]"),
        ("mnist_5k", "train[:x]", "train.:80%"),
        ("mnist_5k", "train[4000:]", "an example at least"),
        ("ring", "train[5:5]", "an example at least"),
    ],
)
def test_no_such_split(name, split, match):
    with pytest.raises(ValueError, match=match):
        datasets.load(name, split)


def test_emoji():
    pictures, labels = everything("noto_emoji")
    assert pictures.shape == (1601, 64, 64, 3)
    assert (pictures.min(), pictures.max()) == (-1.0, 1.0)
    assert np.bincount(labels).tolist() == [166, 363, 152, 133, 218, 85, 261, 223]
    info = datasets.info("noto_emoji")
    assert info.class_names[0] == "Smileys & Emotion"
    assert info.num_classes == 8
    np.testing.assert_array_equal(pictures[:, 0, 0], 1.0)  # the corners are white
    assert all(picture.min() < 0.9 for picture in pictures)  # and no picture is empty


@pytest.mark.parametrize(
    ("name", "group", "colour"),
    [
        ("red heart", "Smileys & Emotion", "red"),
        ("green apple", "Food & Drink", "green"),
        ("blue circle", "Symbols", "blue"),
    ],
)
def test_emoji_names_belong_to_their_pictures(name, group, colour):
    index = datasets.emoji_names().index(name)
    pictures, labels = everything("noto_emoji")
    assert datasets.info("noto_emoji").class_names[labels[index]] == group
    middle = pictures[index, 26:38, 26:38].mean(axis=(0, 1))
    assert np.argmax(middle) == ["red", "green", "blue"].index(colour)
    assert np.sort(middle)[-1] - np.sort(middle)[-2] > 0.1


def test_emoji_names_are_distinct():
    assert len(set(datasets.emoji_names())) == 1601


def test_skin_tones():
    """Families of five from light to dark, which have their outlines in common."""
    pictures, labels = everything("noto_skin_tones")
    assert pictures.shape == (1490, 32, 32, 3)
    assert pictures.min() < -0.95 and pictures.max() == 1.0  # black is no colour of its 96
    np.testing.assert_array_equal(labels, np.tile(np.arange(5), 298))
    info = datasets.info("noto_skin_tones")
    assert info.class_names == ("light", "medium-light", "medium", "medium-dark", "dark")
    families = pictures.reshape(298, 5, 32, 32, 3)
    means = families.mean(axis=(2, 3, 4))
    assert (means[:, 0] > means[:, 4]).mean() > 0.98  # the rest hardly show any skin
    # Light skin has black hair, medium-light skin blond hair; from there on all grows darker.
    assert (np.diff(means[:, 1:], axis=1) < 0).mean() > 0.99
    outlines = (families > 0.99).all(axis=-1)
    assert (outlines[:, :1] != outlines).mean(axis=(1, 2, 3)).max() < 0.04
    assert (outlines[:-1, 0] != outlines[1:, 0]).mean() > 0.1  # which families have not


def test_skin_tone_families():
    names = datasets.skin_tone_families()
    assert len(set(names)) == 298
    assert not any("skin tone" in name for name in names)
    assert {"waving hand", "man", "woman: red hair", "kiss"} <= set(names)
    assert "people holding hands" not in names  # two people, each with a tone of their own
    assert set(names) < set(datasets.emoji_names())


def test_licences_lie_beside_the_files_and_all_is_small():
    for name, word in (
        ("fashion_mnist_10k", "Zalando"),
        ("mnist_5k", "Attribution-ShareAlike 3.0"),
        ("noto_emoji", "SIL OPEN FONT LICENSE"),
        ("noto_skin_tones", "SIL OPEN FONT LICENSE"),
    ):
        assert word in embedded.data_file(name, "LICENSE").read_text(encoding="utf-8")
    files = [f for name in embedded.MAKERS for f in embedded.data_file(name).iterdir()]
    assert sum(len(file.read_bytes()) for file in files) < 10_000_000


def test_size_and_channels():
    for channels in (1, 2, 3, 4):
        info = datasets.info("noto_emoji", image_size=(16, 20), channels=channels)
        assert info.shape == (16, 20, channels)
    fashion, colour = (
        everything("fashion_mnist_10k")[0],
        everything("fashion_mnist_10k", channels=3)[0],
    )
    np.testing.assert_array_equal(colour, np.repeat(fashion, 3, axis=-1))
    emoji, grey = everything("noto_emoji")[0], everything("noto_emoji", channels=1)[0]
    np.testing.assert_allclose(
        grey[..., 0], emoji @ np.array([0.299, 0.587, 0.114]), atol=0.5 / 127.5 + 1e-5
    )
    opaque = everything("noto_emoji", channels=4)[0]
    np.testing.assert_array_equal(opaque[..., :3], emoji)
    np.testing.assert_array_equal(opaque[..., 3], 1.0)


def test_resizing_agrees_with_pillow():
    from PIL import Image

    small = everything("noto_emoji", image_size=24)[0][:50]
    uint8 = embedded.noto_emoji().values[:50].numpy()
    expected = [np.asarray(Image.fromarray(p).resize((24, 24), Image.LANCZOS)) for p in uint8]
    difference = np.abs((small + 1) * 127.5 - np.stack(expected))
    assert difference.mean() < 0.3
    assert np.quantile(difference, 0.99) < 4  # Pillow rounds and clips between rows and columns


@pytest.mark.parametrize("classes", [None, ("Symbols",)])
def test_box_resampling_takes_means(classes):
    """64 x 64 to 16 x 16: each pixel is the mean of 4 x 4; by itself a Lanczos filter is not."""

    def levels(**settings):
        data = datasets.load(
            "noto_emoji", batch_size=20, shuffle=False, classes=classes, **settings
        )
        return np.rint((next(iter(data)).numpy() + 1) * 127.5)

    means = levels().reshape(-1, 16, 4, 16, 4, 3).mean((2, 4))
    assert np.abs(levels(image_size=16, resampling="box") - means).max() < 0.51
    assert np.abs(levels(image_size=16) - means).max() > 10


def test_the_arrays_are_loaded_once():
    assert embedded.read("noto_emoji") is embedded.read("noto_emoji")


def test_importing_is_cheap():
    code = (
        "import sys, keras, tensorflow; before = set(sys.modules); import keras_gans.datasets; "
        "new = {m.split('.')[0] for m in set(sys.modules) - before}; print(sorted(new))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "keras_gans" in done.stdout
    for module in ("tensorflow_datasets", "PIL", "matplotlib"):
        assert f"'{module}'" not in done.stdout


def test_training_on_a_loaded_set():
    dataset = datasets.load("fashion_mnist_10k", labels=True, image_size=8).take(3)
    assert dataset.element_spec[1] == tf.TensorSpec((None,), tf.int32)
    assert [tuple(x.shape) for x, _ in dataset] == [(64, 8, 8, 1)] * 3
