"""`load`: from a name to batches."""

import dataclasses
import difflib
import functools
import os

import numpy as np
import tensorflow as tf

from keras_gans.catalogue import find_class
from keras_gans.checks import check_int
from keras_gans.datasets import embedded, folder, points, stacked, tfds_sets
from keras_gans.datasets.examples import InMemory
from keras_gans.datasets.jitter import Jitter, check_jitter
from keras_gans.datasets.pictures import RESAMPLINGS, pair_of
from keras_gans.datasets.stepwise import batches, pipeline, sequential_batches
from keras_gans.picture_files import check_value_range


def names():
    """The names of the sets that need no download and no files: pictures first, then points.

    Returns:
        list of str.
    """
    return [*embedded.NAMES, *stacked.MAKERS, *points.MAKERS]


def load(
    name,
    split="train",
    batch_size=64,
    image_size=None,
    channels=None,
    seed=0,
    *,
    labels=False,
    shuffle=True,
    start_step=0,
    data_dir=None,
    on_unreadable="error",
    drop_remainder=False,
    classes=None,
    value_range=None,
    resampling="lanczos",
    crop=None,
    flip=False,
):
    """Loads a set of pictures, or of points, as batches that are ready for training.

    The dataset is one epoch. Its order is a pure function of `seed` and the step, so iterating it
    again gives the same batches. The endless dataset `dataset.from_step(step)` goes on from epoch
    to epoch, each in an order of its own, and can begin at any step: `from_step(k)` gives what
    `from_step(0).skip(k)` gives, at no cost. It holds full batches only; a batch may cross the
    border between two epochs.

    Pictures are held in memory as uint8 and become floats in the batch. TFDS sets and folders of
    more than 4 GiB (`examples.MEMORY_BUDGET`) are read from disk while training. For folders all of
    the above holds then too. TFDS sets can only be read in sequence: there,
    10,000 consecutive examples at a time are shuffled among each other, and to begin at a step the
    examples of its epoch before it are read, but not decoded.

    Args:
        name: one of
            * a name in `names()`;
            * the name of a TFDS set that is prepared in `data_dir`: "mnist",
              "cycle_gan/horse2zebra";
            * a folder of pictures: an os.PathLike, or a str that is a folder. It is searched at any
              depth, through links too, for PNG, JPEG, WebP, GIF, BMP, TIFF, PPM and AVIF files
              (AVIF where Pillow has it), which are known by their content. A line on stderr says
              how many there are, and what was left out.
        split: str. "train"; "test" of `mnist_5k`; of TFDS sets any that they have. Parts of those
            of TFDS sets and of the names in `names()` are written as TFDS has it, in natural order:
            "train[:8000]", "train[80%:]".
        batch_size: int, at least 1.
        image_size: int or pair of int (height, width), at least 1. Pictures are resized, with
            antialiasing, until they just cover it, and the centre is cropped. None keeps the size;
            folders, without `crop`, and TFDS sets must then have pictures of one size.
        channels: int in 1..4: grey, grey and alpha, RGB, RGB and alpha. None keeps those of the
            set, and is 3 for folders.
        seed: int in [0, 2^63), of the order.
        labels: bool; whether elements are pairs (pictures, labels). The classes of a folder are
            its subfolders, sorted as people count: "2" comes before "10".
        shuffle: bool; False keeps the natural order in every epoch.
        start_step: int, at least 0. The dataset begins at this step of the endless run and ends
            where the epoch of that step ends.
        data_dir: str or os.PathLike, the folder of prepared TFDS sets. None is TFDS's own default.
        on_unreadable: "error", or "skip" to leave out files of a folder that are no pictures, with
            a warning.
        drop_remainder: bool; whether a last batch that is not full is left out.
        classes: sequence of classes to keep, numbered anew in this order: an int is a number, a
            str a name, or a number where no class has that name. None keeps all. For sets in memory
            that have classes.
        value_range: pair of numbers (low, high): the levels that become black and white, for the
            pictures of a folder that have more than 8 bits: (0, 4095) for 12 bits in a file of 16,
            as of microscopes and CT, or the range of floating point TIFF files. None is all 16
            bits; a warning says where these are mostly unused. Pictures of 8 bits stay as they are.
        resampling: "lanczos", which keeps pictures sharp, or "box": a pixel is the mean over what
            it covers, as in ProGAN's stages.
        crop: int or pair of int (height, width), at most the pictures' own size, which is that of
            `image_size`. Of each picture a window of this size is taken, at a place that is drawn
            anew whenever it comes. None takes whole pictures. CycleGAN's and pix2pix's authors have
            `image_size=286, crop=256`. Of a folder the pictures may be of several sizes.
        flip: bool; whether every second picture, by chance, is mirrored left to right. As the
            order, this and the places of `crop` are pure functions of `seed` and the step.

    Returns:
        tf.data.Dataset of float32 pictures (batch, height, width, channels) in [-1, 1], or float32
        points (batch, dimensions); with `labels`, of pairs of these and int32 labels (batch,). It
        has three attributes more: `info`, a `DatasetInfo`, `start_step`, and `from_step(step)`, see
        above.

    Raises:
        ValueError: an argument is out of its range, or the set has no such split, no labels, no
            pictures, or pictures of several sizes; a file is unreadable; `name` is unknown. Of a
            folder that is read from disk, the beginnings of all files are looked at: one that is
            broken farther on ends the batch that it is in by a `tf.errors.OpError` which names it.
        FileNotFoundError: a folder does not exist; or a TFDS set is not prepared on this disk (the
            text has the command that downloads it).
        ImportError: a TFDS set is prepared, but TensorFlow Datasets is not installed.

    Example:
        >>> dataset = load("fashion_mnist_10k", batch_size=100)
        >>> dataset.info.num_examples, len(dataset)
        (10000, 100)
        >>> resumed = dataset.from_step(2500)  # an endless dataset

    Sources and licences are in `dataset.info`; the embedded sets have their licence files beside
    them.
    """
    batch_size = check_int("batch_size", batch_size, 1)
    seed = check_int("seed", seed, 0, 2**63 - 1)
    start_step = check_int("start_step", start_step, 0)
    for argument, value in (
        ("labels", labels),
        ("shuffle", shuffle),
        ("drop_remainder", drop_remainder),
        ("flip", flip),
    ):
        if not isinstance(value, bool):
            raise ValueError(f"`{argument}` must be True or False. Received: {value!r}")

    window = pair_of("crop", crop)
    examples = find(
        name,
        split,
        image_size,
        channels,
        labels,
        data_dir,
        on_unreadable,
        classes,
        value_range,
        say=True,
        resampling=resampling,
        window=window,
        seed=seed,
    )
    cut = isinstance(examples, folder.Windows)
    jitter = Jitter(None if cut else window, flip)
    check_jitter(jitter, examples.info)
    n = examples.info.num_examples
    if drop_remainder and batch_size > n:
        raise ValueError(
            f"`batch_size` must be at most the {n} examples of {name!r} where `drop_remainder` is "
            f"True. Received: {batch_size}"
        )
    stop = (start_step * batch_size // n + 1) * n
    if drop_remainder and stop - start_step * batch_size < batch_size:
        raise ValueError(
            "`start_step` must leave a full batch in its epoch where `drop_remainder` is True. "
            f"Received: {start_step}, which leaves {stop - start_step * batch_size} of {n} examples"
        )
    make = sequential_batches if isinstance(examples, tfds_sets.Streamed) else batches
    run = functools.partial(
        pipeline,
        make,
        examples,
        batch_size=batch_size,
        seed=seed,
        labels=labels,
        shuffle=shuffle,
        drop=drop_remainder,
        jitter=jitter,
    )

    def from_step(step):
        """The endless dataset of full batches from step `step` (int, at least 0) of the run."""
        return run(first_step=check_int("step", step, 0))

    dataset = run(first_step=start_step, stop=stop)
    dataset.run = run  # for `unpaired`, which needs runs with other ends and another seed
    dataset.info = dataclasses.replace(examples.info, shape=jitter.shape(examples.info.shape))
    dataset.resized = image_size is not None  # for `paired`
    dataset.start_step = start_step
    dataset.from_step = from_step
    return dataset


def info(
    name,
    split="train",
    image_size=None,
    channels=None,
    *,
    data_dir=None,
    on_unreadable="error",
    classes=None,
    value_range=None,
):
    """Describes a set without making batches of it.

    Args:
        name, split, image_size, channels, data_dir, on_unreadable, classes, value_range: see
            `load`.

    Returns:
        DatasetInfo.

    Raises:
        ValueError, FileNotFoundError, ImportError: see `load`.

    Example:
        >>> info("noto_emoji").shape
        (64, 64, 3)
    """
    given = (name, split, image_size, channels, False, data_dir, on_unreadable, classes)
    return find(*given, value_range).info


def find(
    name,
    split,
    image_size,
    channels,
    labels,
    data_dir,
    on_unreadable,
    classes=None,
    value_range=None,
    say=False,
    resampling="lanczos",
    window=None,
    seed=0,
):
    """Reads the examples that the arguments of `load` name; `say` how many, of a folder.

    `window`, `load`'s `crop`, and `seed` are for folders of pictures of several sizes.
    """
    if classes is not None:
        given = (name, split, image_size, channels, True, data_dir, on_unreadable)
        return of_classes(find(*given, None, value_range, say, resampling), classes)
    if not isinstance(name, str | os.PathLike):
        raise TypeError(f"`name` must be a str or an os.PathLike. Received: {name!r}")
    if not isinstance(split, str):
        raise TypeError(f"`split` must be a str. Received: {split!r}")
    if on_unreadable not in ("error", "skip"):
        raise ValueError(f'`on_unreadable` must be "error" or "skip". Received: {on_unreadable!r}')
    if not isinstance(resampling, str) or resampling not in RESAMPLINGS:
        raise ValueError(
            f"`resampling` must be one of {list(RESAMPLINGS)}. Received: {resampling!r}"
        )
    size = pair_of("image_size", image_size)
    if channels is not None:
        channels = check_int("channels", channels, 1, 4)
    value_range = check_value_range(value_range)

    if name in points.MAKERS:
        for argument, value in (("image_size", image_size), ("channels", channels)):
            if value is not None:
                raise ValueError(
                    f"`{argument}` must be None for {name!r}, a set of points. Received: {value!r}"
                )
        examples = points.read(name, split)
    elif name in embedded.NAMES:
        examples = embedded.read(name, size, channels, resampling, split)
    elif name in stacked.MAKERS:
        examples = stacked.read(name, size, channels, resampling, split)
    elif isinstance(name, str) and (prepared := tfds_sets.find(name, data_dir)):
        examples = tfds_sets.read(name, prepared, split, size, channels, labels, resampling)
    elif isinstance(name, str) and not os.path.isdir(name) and tfds_sets.is_known(name):
        raise tfds_sets.not_prepared(name, data_dir, names())
    elif isinstance(name, os.PathLike) or os.path.isdir(name) or "/" in name or os.sep in name:
        only_train(name, split)
        given = (name, size, channels, labels, on_unreadable, value_range, say, resampling)
        return folder.read(*given, window, seed)
    else:
        raise unknown(name)
    if value_range is not None:
        raise ValueError(
            f"`value_range` (--value-range) must be None but for a folder of pictures. Received: "
            f"{value_range}, for {name!r}"
        )
    if labels and examples.info.num_classes is None:
        raise ValueError(f"`labels` must be False for {name!r}, which has none. Received: True")
    return examples


def of_classes(examples, classes):
    """The examples of some classes, which are numbered anew in the order in which they are named.

    Args:
        examples: InMemory, with labels.
        classes: sequence of int or str.

    Raises:
        ValueError: a class is unknown or named twice, or the examples are not held in memory.
    """
    info = examples.info
    if not isinstance(examples, InMemory):
        raise ValueError(f"`classes` must be None for {info.name!r}, which is read from disk.")
    classes = (classes,) if isinstance(classes, str) else classes
    known = info.num_classes, info.class_names
    chosen = [find_class("`classes`", given, *known) for given in classes]
    if not chosen or len(set(chosen)) < len(chosen):
        raise ValueError(f"`classes` must be at least one, each once. Received: {classes!r}")
    labels = examples.labels.numpy()
    kept = np.flatnonzero(np.isin(labels, chosen))
    if not len(kept):
        raise ValueError(f"`classes` must have examples. Received: {classes!r}, of which none has")
    renumbered = np.zeros(info.num_classes, np.int32)
    renumbered[chosen] = np.arange(len(chosen))
    info = dataclasses.replace(
        info,
        num_examples=len(kept),
        num_classes=len(chosen),
        class_names=tuple(info.class_names[c] for c in chosen) if info.class_names else (),
    )
    names = tuple(examples.names[k] for k in kept) if examples.names else ()
    return InMemory(info, tf.gather(examples.values, kept), renumbered[labels[kept]], names)


def unknown(name):
    """The error for a name that is neither here, nor in TFDS, nor a folder."""
    near = difflib.get_close_matches(name.lower(), [*names(), *tfds_sets.known_names()], n=3)
    hint = f"Did you mean {' or '.join(map(repr, near))}? " if near else ""
    return ValueError(
        f"`name` must be one of {names()}, the name of a prepared TFDS set such as 'mnist' or "
        f"'cycle_gan/horse2zebra', or a folder of pictures. {hint}Received: {name!r}"
    )


def only_train(name, split):
    """Raises ValueError unless `split` is "train"."""
    if split != "train":
        raise ValueError(
            f'`split` must be "train", the only split that {os.fspath(name)!r} has. '
            f"Received: {split!r}"
        )
