"""TFDS sets: tiny ones stored here, and one that is not there."""

import time

import numpy as np
import pytest
import tensorflow as tf

from keras_gans import datasets
from keras_gans.datasets import examples, tfds_sets


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A folder with the sets `digits` (labelled, 28x28 grey) and `photos` (of two sizes)."""
    tfds = pytest.importorskip("tensorflow_datasets")
    folder = tmp_path_factory.mktemp("tfds")
    pictures = np.arange(20, dtype=np.uint8)[:, None, None, None] * np.ones((1, 8, 8, 1), np.uint8)

    def write(name, features, rows, config=None):
        tfds.dataset_builders.store_as_tfds_dataset(
            name=name,
            version="1.0.0",
            features=tfds.features.FeaturesDict(features),
            split_datasets={
                split: tf.data.Dataset.from_tensor_slices(r) for split, r in rows.items()
            },
            data_dir=folder,
            config=config,
            homepage="https://example.com",
            disable_shuffling=True,
        )

    labelled = {"image": pictures, "label": np.arange(20) % 4}
    write(
        "digits",
        {
            "image": tfds.features.Image(shape=(8, 8, 1)),
            "label": tfds.features.ClassLabel(names=["no", "one", "two", "three"]),
        },
        {"train": labelled, "test": {key: value[:6] for key, value in labelled.items()}},
    )
    write(
        "photos",
        {"image": tfds.features.Image(shape=(None, None, 3)), "caption": tfds.features.Text()},
        {"train": {"image": np.repeat(pictures, 3, -1), "caption": ["a"] * 20}},
    )
    pair = {
        "one": tfds.features.Image(shape=(8, 8, 1)),
        "two": tfds.features.Image(shape=(8, 8, 1)),
    }
    write("pairs", pair, {"train": {"one": pictures, "two": pictures}})
    write("words", {"caption": tfds.features.Text()}, {"train": {"caption": ["a", "b"]}})
    return folder


def uint8(dataset):
    return np.rint((np.concatenate(list(dataset.as_numpy_iterator())) + 1) * 127.5)


def test_a_prepared_set(store):
    dataset = datasets.load("digits", data_dir=store, labels=True, batch_size=5)
    info = dataset.info
    assert (info.name, info.num_examples, info.shape) == ("digits", 20, (8, 8, 1))
    assert info.class_names == ("no", "one", "two", "three")
    assert len(dataset) == 4
    for pictures, labels in dataset:
        value = np.rint((pictures[:, 0, 0, 0] + 1) * 127.5)
        np.testing.assert_array_equal(value % 4, labels)


def test_natural_order_splits_and_slices(store):
    def load(split):
        return datasets.load("digits", split, data_dir=store, shuffle=False)

    assert uint8(load("train"))[:, 0, 0, 0].tolist() == list(range(20))
    assert uint8(load("test"))[:, 0, 0, 0].tolist() == list(range(6))
    assert uint8(load("train[3:5]"))[:, 0, 0, 0].tolist() == [3, 4]
    for bad in ("valid", "train[what]"):
        with pytest.raises(
            ValueError, match=r"`split` of 'digits' must be one of \['test', 'train'\]"
        ):
            load(bad)


def test_size_and_channels(store):
    dataset = datasets.load("digits", data_dir=store, image_size=(4, 6), channels=3)
    assert dataset.info.shape == (4, 6, 3)
    assert sorted(uint8(dataset)[:, 2, 2, 1].tolist()) == list(range(20))
    boxed = datasets.load("digits", data_dir=store, image_size=4, resampling="box")
    assert boxed.info.shape == (4, 4, 1)
    with pytest.raises(ValueError, match="`image_size` must be given for 'photos'"):
        datasets.load("photos", data_dir=store)
    assert datasets.info("photos", image_size=4, data_dir=store).shape == (4, 4, 3)


def test_features_that_do_not_fit(store):
    with pytest.raises(ValueError, match=r"one feature that is an Image.*\['one', 'two'\]"):
        datasets.load("pairs", data_dir=store)
    with pytest.raises(ValueError, match=r"one feature that is an Image.*'words', which has none"):
        datasets.load("words", data_dir=store)
    with pytest.raises(
        ValueError, match=r"one feature that is a ClassLabel.*'photos', which has none"
    ):
        datasets.load("photos", data_dir=store, image_size=8, labels=True)


def test_sets_too_large_for_memory_are_streamed(store, monkeypatch):
    monkeypatch.setattr(examples, "MEMORY_BUDGET", 100)
    monkeypatch.setattr(tfds_sets, "SHUFFLE_BUFFER", 6)
    dataset = datasets.load("digits", data_dir=store, labels=True, batch_size=6, seed=4)
    assert len(dataset) == 4
    values = [np.rint((x[:, 0, 0, 0] + 1) * 127.5).astype(int) for x, _ in dataset]
    assert [len(v) for v in values] == [6, 6, 6, 2]
    assert sorted(np.concatenate(values)) == list(range(20)) != np.concatenate(values).tolist()
    endless = dataset.from_step(0)
    assert endless.cardinality() == tf.data.INFINITE_CARDINALITY
    assert endless.element_spec[0].shape == (6, 8, 8, 1)
    run = [(x.numpy(), y.numpy()) for x, y in endless.take(10)]
    for step in (1, 3, 4, 7):  # step 3 crosses the border of an epoch, 4 begins within one
        for (x, y), (also_x, also_y) in zip(
            dataset.from_step(step).take(3), run[step:], strict=False
        ):
            np.testing.assert_array_equal(x, also_x)
            np.testing.assert_array_equal(y, also_y)
    stream = np.rint((np.concatenate([x for x, _ in run])[:, 0, 0, 0] + 1) * 127.5)
    assert sorted(stream[20:40]) == list(range(20))
    assert stream[20:40].tolist() != stream[:20].tolist()
    for global_seed in (0, 7):
        tf.random.set_seed(global_seed)
        np.testing.assert_array_equal(next(iter(dataset.from_step(4)))[0], run[4][0])
    later = datasets.load("digits", data_dir=store, batch_size=6, seed=4, start_step=4)
    assert len(later) == 3  # the positions 24 to 39
    np.testing.assert_array_equal(next(iter(later)), run[4][0])


@pytest.mark.parametrize("name", ["mnist", "cycle_gan/horse2zebra", "celeb_a"])
def test_an_absent_set_fails_at_once_and_says_what_to_do(name, tmp_path):
    begin = time.monotonic()
    with pytest.raises(FileNotFoundError) as raised:
        datasets.load(name, data_dir=tmp_path, image_size=64)
    assert time.monotonic() - begin < 5
    text = str(raised.value)
    assert str(tmp_path) in text
    assert f"tfds.load('{name}', data_dir='{tmp_path}')" in text


def test_an_absent_set_with_an_embedded_relative(tmp_path):
    with pytest.raises(
        FileNotFoundError, match="'fashion_mnist_10k', which comes with this package"
    ):
        datasets.load("fashion_mnist", data_dir=tmp_path)


def test_without_tensorflow_datasets(tmp_path, store, monkeypatch):
    monkeypatch.setattr(tfds_sets, "is_installed", lambda: False)
    with pytest.raises(FileNotFoundError, match=r"pip install keras-gans\[tfds\]"):
        datasets.load("mnist", data_dir=tmp_path)
    with pytest.raises(ImportError, match=r"pip install keras-gans\[tfds\]"):
        datasets.load("digits", data_dir=store)


def test_configs_and_versions(tmp_path):
    for path in ("a/1.0.0", "a/1.10.0", "a/1.9.0", "b/x/1.0.0", "c/x/1.0.0", "c/y/1.0.0"):
        (tmp_path / path).mkdir(parents=True)
        (tmp_path / path / "dataset_info.json").write_text("{}")
    assert tfds_sets.find("a", tmp_path) == tmp_path / "a/1.10.0"
    assert tfds_sets.find("a:1.9.0", tmp_path) == tmp_path / "a/1.9.0"
    assert tfds_sets.find("a:2.0.0", tmp_path) is None
    assert tfds_sets.find("b", tmp_path) == tmp_path / "b/x/1.0.0"
    assert tfds_sets.find("c/y", tmp_path) == tmp_path / "c/y/1.0.0"
    with pytest.raises(ValueError, match=r"which of the configs \['x', 'y'\]"):
        tfds_sets.find("c", tmp_path)
