"""Sets that TensorFlow Datasets has prepared on disk. Nothing here uses a network.

A prepared set is found by its files, `<data_dir>/<name>[/<config>]/<version>/dataset_info.json`,
since asking TensorFlow Datasets for a builder may ask hosts about names that it does not know.
"""

import dataclasses
import difflib
import importlib.util
import os
import re
from pathlib import Path

import numpy as np
import tensorflow as tf

from keras_gans.catalogue import DatasetInfo
from keras_gans.datasets import examples
from keras_gans.datasets.examples import InMemory
from keras_gans.datasets.pictures import convert
from keras_gans.datasets.stepwise import example_ids

NAME = re.compile(r"(?P<name>[a-z]\w*)(/(?P<config>[\w.\-]+))?(:(?P<version>[\d.]+))?")
VERSION = re.compile(r"\d+\.\d+\.\d+")
COMMON_NAMES = (
    "caltech_birds2011",
    "celeb_a",
    "cifar10",
    "cifar100",
    "cycle_gan",
    "div2k",
    "emnist",
    "fashion_mnist",
    "kmnist",
    "lsun",
    "mnist",
    "oxford_flowers102",
    "oxford_iiit_pet",
    "stl10",
    "svhn_cropped",
)
"""Known without TensorFlow Datasets, which lists all of its names where it is installed."""

SHUFFLE_BUFFER = 10_000
"""Encoded examples that are held, and shuffled among each other, of a set that is streamed."""

WINDOWS_AT_MOST = 2**16
"""Of `SHUFFLE_BUFFER` examples in an epoch. More would do no harm, but share orders."""

READ_AT_ONCE = 256


def is_installed():
    """Whether TensorFlow Datasets can be imported."""
    return importlib.util.find_spec("tensorflow_datasets") is not None


def known_names():
    """The names of all sets in TensorFlow Datasets; where it is not installed, common ones."""
    if not is_installed():
        return COMMON_NAMES
    import tensorflow_datasets as tfds

    return tfds.list_builders(with_community_datasets=False)


def is_known(name):
    """Whether `name`, such as "cycle_gan/horse2zebra", begins with the name of a set."""
    parts = NAME.fullmatch(name)
    return parts is not None and (parts["name"] in COMMON_NAMES or parts["name"] in known_names())


def root_of(data_dir):
    """The folder of prepared sets: `data_dir`, or TensorFlow Datasets' own default."""
    default = os.environ.get("TFDS_DATA_DIR", "~/tensorflow_datasets")
    return Path(default if data_dir is None else data_dir).expanduser()


def versions_in(folder):
    """The prepared versions in a folder, the newest last."""
    found = folder.glob("*/dataset_info.json")
    versions = [file.parent for file in found if VERSION.fullmatch(file.parent.name)]
    return sorted(versions, key=lambda path: [int(part) for part in path.name.split(".")])


def find(name, data_dir):
    """The folder of a prepared set.

    Args:
        name: str, "<name>[/<config>][:<version>]".
        data_dir: str, os.PathLike or None.

    Returns:
        Path, or None where the set is not prepared.

    Raises:
        ValueError: several configs are prepared, and `name` has none.
    """
    parts = NAME.fullmatch(name)
    if parts is None:
        return None
    folder = root_of(data_dir) / parts["name"] / (parts["config"] or "")
    versions = versions_in(folder)
    if not versions and not parts["config"] and folder.is_dir():
        configs = [path for path in sorted(folder.iterdir()) if versions_in(path)]
        if len(configs) > 1:
            raise ValueError(
                f"`name` must say which of the configs {[path.name for path in configs]} in "
                f'{folder} is meant, as in "{name}/{configs[0].name}". Received: {name!r}'
            )
        versions = [version for config in configs for version in versions_in(config)]
    if parts["version"]:
        versions = [path for path in versions if path.name == parts["version"]]
    return versions[-1] if versions else None


def not_prepared(name, data_dir, embedded):
    """The error for a set that TensorFlow Datasets has, and this disk has not."""
    root = root_of(data_dir)
    text = (
        f"The set {name!r} of TensorFlow Datasets is not in {root}, and nothing is downloaded "
        "here. On a machine with a network, this line downloads it:\n"
        f'    python -c "import tensorflow_datasets as tfds; '
        f'tfds.load({name!r}, data_dir={str(root)!r})"\n'
    )
    if not is_installed():
        text += "It needs TensorFlow Datasets: pip install keras-gans[tfds]\n"
    if data_dir is None:
        text += "`data_dir` says where else prepared sets are.\n"
    near = difflib.get_close_matches(name, embedded)
    if near:
        text += f"Without a download there is {near[0]!r}, which comes with this package.\n"
    return FileNotFoundError(text.rstrip())


@dataclasses.dataclass(frozen=True)
class Features:
    """Which features of a set are its pictures and its labels.

    Args:
        builder: tfds.core.DatasetBuilder.
        picture: str, name of the feature of the pictures.
        label: str, name of that of the labels, or None.
        resampling: see `load`.
    """

    builder: object
    picture: str
    label: str | None
    resampling: str = "lanczos"

    def read(self, split):
        """The encoded pictures of a split, with labels of -1 where there are none."""
        import tensorflow_datasets as tfds

        dataset = self.builder.as_dataset(
            split=split,
            shuffle_files=False,
            decoders={self.picture: tfds.decode.SkipDecoding()},
            read_config=tfds.ReadConfig(try_autocache=False, interleave_cycle_length=1),
        )
        return dataset.map(
            lambda example: (
                example[self.picture],
                tf.cast(example[self.label], tf.int32) if self.label else tf.constant(-1),
            )
        )

    def decode(self, encoded, size, channels):
        """Decodes one picture to uint8 (*size, channels)."""
        picture = self.builder.info.features[self.picture].decode_example(encoded)
        if picture.dtype == tf.uint16:
            picture = tf.cast(tf.round(tf.cast(picture, tf.float32) * (255 / 65535)), tf.uint8)
        fitted = convert(picture, size, channels, self.resampling)
        return tf.ensure_shape(fitted, (*size, channels))


@dataclasses.dataclass(frozen=True)
class Streamed:
    """A set that is too large for memory; it is read in sequence, and shuffled in windows.

    Args:
        info: DatasetInfo.
        features: Features.
        split: str.
    """

    info: DatasetInfo
    features: Features
    split: str

    def epoch(self, number, skipped, seed, labels, shuffle):
        """The encoded examples of one epoch after the first `skipped`.

        Args:
            number: int64 tensor, of the epoch.
            skipped: int64 tensor.
            seed: int.
            labels: bool; whether there are labels in the examples.
            shuffle: bool.

        Returns:
            tf.data.Dataset of tuples of scalars, to be decoded by `decode`.
        """
        dataset = self.features.read(self.split)
        if shuffle:
            dataset = shuffle_windows(dataset, SHUFFLE_BUFFER, number, seed)
        if not labels:
            dataset = dataset.map(lambda encoded, label: (encoded,))
        return dataset.skip(skipped)

    def decode(self, encoded, *labels):
        """Decodes the picture of one example."""
        shape = self.info.shape
        return (self.features.decode(encoded, shape[:2], shape[2]), *labels)


def shuffle_windows(dataset, size, epoch, seed):
    """Shuffles each window of consecutive examples; where windows begin differs between epochs.

    `Dataset.shuffle` would not do: its order also depends on the global seed of TensorFlow, and
    within `flat_map` it was the same in every epoch.

    Args:
        dataset: tf.data.Dataset of tuples of scalars.
        size: int, examples in a window; the first and the last one of an epoch may have fewer.
        epoch: int64 tensor.
        seed: int.

    Returns:
        tf.data.Dataset, whose order is a pure function of (seed, epoch).
    """
    first = example_ids(epoch[None] * size, size, seed, shuffle=True)[0]
    windows = dataset.take(first).batch(size).concatenate(dataset.skip(first).batch(size))

    def shuffle(number, window):
        count = tf.shape(window[0], tf.int64)[0]
        begin = (epoch * WINDOWS_AT_MOST + number) * count
        ids = example_ids(tf.range(begin, begin + count), count, seed, shuffle=True)
        return tuple(tf.gather(part, ids) for part in window)

    return windows.enumerate().map(shuffle).unbatch()


def find_features(builder, name, labels):
    """Finds the one feature of pictures of a set, and the one of labels.

    Raises:
        ValueError: there is none, or there are several.
    """
    import tensorflow_datasets as tfds

    def of_kind(kind):
        features = builder.info.features
        if not isinstance(features, tfds.features.FeaturesDict):
            return []
        return sorted(key for key, feature in features.items() if type(feature) is kind)

    pictures, classes = of_kind(tfds.features.Image), of_kind(tfds.features.ClassLabel)
    if len(pictures) != 1:
        raise ValueError(
            f"A set must have one feature that is an Image. Received: {name!r}, which has "
            f"{pictures or 'none'} among its features {list(builder.info.features)}"
        )
    if labels and len(classes) != 1:
        raise ValueError(
            f"`labels=True` needs a set with one feature that is a ClassLabel. Received: {name!r}, "
            f"which has {classes or 'none'} among its features {list(builder.info.features)}"
        )
    return Features(builder, pictures[0], classes[0] if len(classes) == 1 else None)


def read(name, folder, split, size, channels, labels, resampling="lanczos"):
    """The pictures of a prepared set.

    Args:
        name: str.
        folder: Path, from `find`.
        split: str, such as "train" or "train[:1000]".
        size: pair of int (height, width), or None.
        channels: int in 1..4, or None.
        labels: bool; whether labels are required.
        resampling: see `load`.

    Returns:
        InMemory, or Streamed where the pictures take more than `examples.MEMORY_BUDGET` bytes.

    Raises:
        ImportError: TensorFlow Datasets is not installed.
        ValueError: see `load`.
    """
    if not is_installed():
        raise ImportError(
            f"{folder} is read by TensorFlow Datasets, which is not installed: "
            "pip install keras-gans[tfds]"
        )
    import tensorflow_datasets as tfds

    builder = tfds.builder_from_directory(folder)
    features = find_features(builder, name, labels)
    features = dataclasses.replace(features, resampling=resampling)
    try:
        num_examples = builder.info.splits[split].num_examples
    except (KeyError, ValueError) as error:
        raise ValueError(
            f"`split` of {name!r} must be one of {sorted(builder.info.splits)}, or a slice of one "
            f"such as 'train[:1000]'. Received: {split!r}"
        ) from error
    if num_examples < 1:
        raise ValueError(f"`split` must hold examples. Received: {split!r} of {name!r}, with none")
    stored = builder.info.features[features.picture]
    if stored.np_dtype not in (np.uint8, np.uint16):
        raise ValueError(
            f"The pictures of a set must be uint8 or uint16. Received: {name!r}, with "
            f"{np.dtype(stored.np_dtype).name} pictures"
        )
    size = size or stored.shape[:2]
    if None in size:
        raise ValueError(
            f"`image_size` must be given for {name!r}, whose pictures may differ in size. "
            "Received: None"
        )
    shape = (*size, channels or stored.shape[2])
    classes = builder.info.features[features.label] if features.label else None
    info = DatasetInfo(
        name=name,
        split=split,
        num_examples=num_examples,
        shape=shape,
        num_classes=classes.num_classes if classes else None,
        class_names=tuple(classes.names) if classes else (),
        license=getattr(builder.info.redistribution_info, "license", "") or "",
        source=builder.info.homepage or str(folder),
    )
    if num_examples * int(np.prod(shape)) > examples.MEMORY_BUDGET:
        return Streamed(info, features, split)

    pictures = np.empty((num_examples, *shape), np.uint8)
    all_labels = np.empty(num_examples, np.int32)
    with tf.device("CPU:0"):
        decoded = (
            features.read(split)
            .map(
                lambda encoded, label: (features.decode(encoded, shape[:2], shape[2]), label),
                num_parallel_calls=tf.data.AUTOTUNE,
            )
            .apply(tf.data.experimental.assert_cardinality(num_examples))
        )
        for i, (some, their_labels) in enumerate(decoded.batch(READ_AT_ONCE).as_numpy_iterator()):
            part = slice(i * READ_AT_ONCE, (i + 1) * READ_AT_ONCE)
            pictures[part], all_labels[part] = some, their_labels
    return InMemory(info, pictures, all_labels if classes else None)
