"""Folders of pictures."""

import collections
import concurrent.futures
import contextlib
import dataclasses
import os
import sys
import warnings
from collections.abc import Callable
from itertools import compress
from pathlib import Path

import numpy as np
import tensorflow as tf

from keras_gans.catalogue import DatasetInfo
from keras_gans.datasets import examples
from keras_gans.datasets.examples import InMemory
from keras_gans.datasets.pictures import convert
from keras_gans.datasets.stepwise import scatter
from keras_gans.picture_files import (
    DEEP,
    Seen,
    UnreadableError,
    check_beginnings,
    decode,
    formats,
    is_special,
    natural_key,
    search,
    size_of,
)

NAMES_SHOWN = 5
LOOKED_AT = 32  # pictures of a folder on disk that are looked at before they are read


def decode_to(path, size, channels, value_range=None, seen=None, resampling="lanczos"):
    """Reads one picture and fits it, as uint8 (*size, channels); see `picture_files.decode`.

    `size` may be None, to keep that of the picture. Means ("box") are taken of all pixels, which
    are therefore all decoded.
    """

    def fit(pixels):
        if pixels.shape == (*(size or pixels.shape[:2]), channels):
            return pixels
        with tf.device("CPU:0"):
            return convert(tf.constant(pixels), size, channels, resampling).numpy()

    needed = None if resampling == "box" else size
    return decode(path, needed, value_range, seen, fit)


@dataclasses.dataclass(frozen=True)
class FolderOnDisk:
    """The pictures of a folder that is too large for memory; they are read batch by batch.

    Args:
        info: DatasetInfo.
        paths: list of Path.
        labels: int32 (n,), or None.
        value_range: see `load`.
        resampling: see `load`.
        names: tuple of str, of the files below the folder.
    """

    info: DatasetInfo
    paths: list
    labels: np.ndarray | None
    value_range: tuple | None = None
    resampling: str = "lanczos"
    names: tuple = ()

    def reader(self, labels):
        """Returns a function from int64 ids (batch,) to a tuple of the pictures and the labels."""
        size, channels = self.info.shape[:2], self.info.shape[2]
        with tf.device("CPU:0"):
            all_labels = tf.constant(self.labels) if labels else None
        pool = concurrent.futures.ThreadPoolExecutor()  # its threads end with the dataset

        def read_one(i):
            settings = {"value_range": self.value_range, "resampling": self.resampling}
            return decode_to(self.paths[i], size, channels, **settings)

        def read_batch(ids):
            return np.stack(list(pool.map(read_one, ids)))

        def read(ids, step=None):
            pictures = tf.numpy_function(read_batch, [ids], tf.uint8, stateful=False)
            return (pictures, tf.gather(all_labels, ids)) if labels else (pictures,)

        return read


@dataclasses.dataclass(frozen=True, eq=False)
class Windows:
    """Windows of pictures of several sizes, cut at places that are drawn for each step.

    Args:
        info: DatasetInfo, with the windows' shape.
        picture: function of an int that returns a uint8 picture (height, width, channels).
        labels: int32 (n,), or None.
        seed: int in [0, 2^63), of the places.
        names: tuple of str, of the files below the folder.
    """

    info: DatasetInfo
    picture: Callable
    labels: np.ndarray | None
    seed: int
    names: tuple = ()

    def reader(self, labels):
        """As of `FolderOnDisk`, of a step that must be given."""
        seed = scatter(scatter(self.seed)) % 2**62  # as of `Jitter`
        height, width = self.info.shape[:2]
        with tf.device("CPU:0"):
            all_labels = tf.constant(self.labels) if labels else None
        pool = concurrent.futures.ThreadPoolExecutor()  # its threads end with the dataset

        def cut(i, place):
            picture = self.picture(i)
            sides = np.array(picture.shape[:2]) - (height, width)
            top, left = np.minimum(np.int64(place * (sides + 1)), sides)
            return picture[top : top + height, left : left + width]

        def read_batch(ids, places):
            return np.stack(list(pool.map(cut, ids, places)))

        def read(ids, step):
            places = [
                tf.random.stateless_uniform(tf.shape(ids), [seed + axis, step], dtype=tf.float64)
                for axis in range(2)
            ]
            given = [ids, tf.stack(places, axis=1)]
            pictures = tf.numpy_function(read_batch, given, tf.uint8, stateful=False)
            return (pictures, tf.gather(all_labels, ids)) if labels else (pictures,)

        return read


def class_labels(root, paths, required):
    """The labels of pictures by the folder directly below `root` that they are in.

    Returns:
        The pair (int32 labels, tuple of class names), or (None, ()) where not all pictures are in
        such folders and no labels are required.

    Raises:
        ValueError: labels are required, and a picture is in no such folder.
    """
    depth = len(root.parts)
    below = [path.parts[depth:] for path in paths]
    loose = [str(path) for path, parts in zip(paths, below, strict=True) if len(parts) == 1]
    if loose:
        if required:
            raise ValueError(
                "`labels=True` needs every picture of a folder in a subfolder, whose name is its "
                f"class. Received: {len(loose)} of {len(paths)} pictures directly in {root}, the "
                f"first of them {loose[0]}"
            )
        return None, ()
    names = sorted({parts[0] for parts in below}, key=natural_key)
    numbers = {name: number for number, name in enumerate(names)}
    return np.array([numbers[parts[0]] for parts in below], np.int32), tuple(names)


def common_size(paths, on_unreadable, window=None):
    """The size that all readable pictures have; None where they have several, all of them at least
    that of a window.

    Raises:
        ValueError: two pictures have different sizes, and there is no window, or one is smaller.
    """
    first, several = None, False
    for path in paths:
        try:
            size = size_of(path)
        except UnreadableError:
            if on_unreadable == "skip":
                continue
            raise
        first = first or (path, size)
        several = several or size != first[1]
        if window and any(part > side for part, side in zip(window, size, strict=True)):
            raise ValueError(
                f"`crop` must be at most the size of every picture of a folder, or `image_size` be "
                f"given. Received: {window[0]}x{window[1]} (height x width), and {path} is "
                f"{size[0]}x{size[1]}"
            )
        if size != first[1] and not window:
            raise ValueError(
                "`image_size` must be given for a folder whose pictures differ in size, or `crop` "
                "for windows of them. Received: "
                f"None, and {first[0]} is {first[1][0]}x{first[1][1]} (height x width), "
                f"{path} is {size[0]}x{size[1]}"
            )
    if several:
        return None
    return first[1] if first else (1, 1)  # no picture at all is reported by `read`


def read(
    root,
    size,
    channels,
    labels,
    on_unreadable,
    value_range=None,
    say=False,
    resampling="lanczos",
    window=None,
    seed=0,
):
    """The pictures of a folder.

    Args:
        root: str or os.PathLike.
        size: pair of int (height, width), or None.
        channels: int in 1..4, or None for 3.
        labels: bool; whether labels are required.
        on_unreadable: "error" or "skip".
        value_range: pair of floats, or None; see `load`.
        say: whether to say on stderr how many pictures there are, and what is left out.
        resampling: see `load`.
        window: pair of int (height, width) of which random windows are wanted, or None; it is not
            cut here of pictures of one size.
        seed: int in [0, 2^63), of the windows' places.

    Returns:
        InMemory, or FolderOnDisk where the pictures take more than `examples.MEMORY_BUDGET` bytes;
        Windows of pictures of several sizes where no size is wanted.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: see `load`.
    """
    root = Path(root).expanduser()
    if not root.is_dir():
        fault = "is a file" if root.exists() else "does not exist"
        raise FileNotFoundError(
            "`name` must be an existing folder of pictures, a name of `datasets.names()`, or that "
            f"of a TFDS set. Received: {str(root)!r}, which {fault}"
        )
    found = search(root)
    paths = found.paths
    if not paths:
        left_out = f" but {what_is_left_out(root, found.left_out)}" if found.left_out else ""
        raise ValueError(
            f"A folder must hold pictures ({', '.join(formats())}), at any depth. "
            f"Received: {root}, which holds none{left_out}"
        )
    all_labels, class_names = class_labels(root, paths, required=labels)
    size, channels = size or common_size(paths, on_unreadable, window), channels or 3
    shape = (*(size or window), channels)
    fits = pixels_of(paths, size) * channels <= examples.MEMORY_BUDGET
    pictures = np.empty((len(paths), *shape), np.uint8) if size and fits else [None] * len(paths)
    seen, broken, looked_at = Seen(), {}, len(paths)

    def try_reading(index):
        try:
            picture = decode_to(paths[index], size, channels, value_range, seen, resampling)
        except UnreadableError as error:
            if on_unreadable == "error":
                raise
            broken[index] = error
            return False
        if fits:
            pictures[index] = picture
        return True

    if fits or on_unreadable == "skip":
        with concurrent.futures.ThreadPoolExecutor() as pool:
            readable = np.array(list(pool.map(try_reading, range(len(paths)))))
    else:
        readable = np.ones(len(paths), bool)
        check_beginnings(paths)
        looked_at = look_at_some(paths, value_range, seen)
    broken = [(paths[index], broken[index]) for index in sorted(broken)]
    warn_of_unreadable(root, broken, len(paths), stacklevel=5)
    if broken:
        paths = [path for path, good in zip(paths, readable, strict=True) if good]
        pictures = pictures[readable] if size and fits else [*compress(pictures, readable)]
        all_labels = all_labels[readable] if all_labels is not None else None
    if value_range is None:
        warn_of_levels(root, seen, stacklevel=5)

    info = DatasetInfo(
        name=str(root),
        split="train",
        num_examples=len(paths),
        shape=shape,
        num_classes=len(class_names) or None,
        class_names=class_names,
        source=str(root.resolve()),
    )
    if say:
        several = sorted(map(str, seen.several), key=natural_key)
        facts = (class_names, all_labels, broken, several, looked_at)
        line = what_was_found(root, found, len(paths), *facts)
        print(line, file=sys.stderr, flush=True)
    names = tuple(str(path.relative_to(root)) for path in paths)
    if size is None:
        settings = {"value_range": value_range, "resampling": resampling}
        on_disk = lambda i: decode_to(paths[i], None, channels, **settings)  # noqa: E731
        return Windows(info, pictures.__getitem__ if fits else on_disk, all_labels, seed, names)
    if fits:
        return InMemory(info, pictures, all_labels, names)
    return FolderOnDisk(info, paths, all_labels, value_range, resampling, names)


def pixels_of(paths, size):
    """The pixels of the pictures that are to be held: all of one size, or each of its own."""
    if size:
        return len(paths) * int(np.prod(size))
    total = 0
    for path in paths:
        with contextlib.suppress(UnreadableError):
            total += int(np.prod(size_of(path)))
    return total


# What a person is told


def warn_of_unreadable(root, broken, num, stacklevel=3):
    """Says which pictures are left out since they can't be read.

    Args:
        root: the folder or file.
        broken: sequence of pairs (Path, error).
        num: int, pictures with these.

    Raises:
        ValueError: none can be read.
    """
    if not broken:
        return
    shown = some_names([str(path) for path, _ in broken])
    if len(broken) == num:
        raise ValueError(f"None of the {num} pictures in {root} can be read: {shown}")
    warnings.warn(
        f"{len(broken)} of {num} pictures in {root} can't be read and are left out: "
        f"{shown}. The first: {broken[0][1]}",
        stacklevel=stacklevel,
    )


def warn_of_levels(root, seen, stacklevel=3):
    """Says where pictures of more than 8 bits leave most of 16 unused, or need more."""
    if seen.levels and (words := unlike_sixteen_bits(seen.levels)):
        warnings.warn(f"The pictures of more than 8 bits in {root} {words}", stacklevel=stacklevel)


def what_was_found(
    root, found, num, class_names=(), labels=None, broken=(), several=(), looked_at=None
):
    """How many pictures, of how many files, in how many classes; and what was left out.

    Args:
        root: Path.
        found: `picture_files.Found`.
        num: int, pictures that are read.
        class_names: tuple of str.
        labels: int32 (num,) of these pictures, or None.
        broken: sequence of pairs (Path, error): pictures that can't be read.
        several: sequence of str, files with more than one picture.
        looked_at: int, files among which these were found, or None for all.

    Returns:
        str, one line.
    """
    classes = "without classes"
    if class_names:
        noun = "class" if len(class_names) == 1 else "classes"
        classes = f"in {len(class_names):,} {noun} ({some_names(class_names)})"
    pictures = "picture" if num == 1 else "pictures"
    files = "file" if found.num_files == 1 else "files"
    line = f"{root}: {num:,} {pictures} of {found.num_files:,} {files}, {classes}."
    if several:
        names = some_names([str(Path(path).relative_to(root)) for path in several])
        line += f" Of {len(several):,} × several in a file the first picture is read ({names})"
        line += f", of {looked_at:,} files looked at." if (looked_at or num) < num else "."
    left_out = [*found.left_out, *((path, "a picture that can't be read") for path, _ in broken)]
    if labels is not None:
        counts = np.bincount(labels, minlength=len(class_names))
        kept = {name for name, count in zip(class_names, counts, strict=True) if count}
        folders = {path.name for path in root.iterdir() if os.path.isdir(path)}
        empty = sorted((n for n in folders - kept if not n.startswith(".")), key=natural_key)
        left_out += [(root / name, "a folder without pictures") for name in empty]
    return f"{line} Left out: {what_is_left_out(root, left_out)}." if left_out else line


def what_is_left_out(root, left_out):
    """Files that are not read, by the reason, such as "2 × a link to nothing (a, b)"."""
    by_reason = collections.defaultdict(list)
    for path, reason in left_out:
        by_reason[reason].append(str(path.relative_to(root)))
    return "; ".join(
        f"{len(names):,} × {reason} ({some_names(names)})" for reason, names in by_reason.items()
    )


def some_names(names):
    """Names with commas between, the first ones where they are many."""
    more = len(names) - NAMES_SHOWN
    return ", ".join(names[:NAMES_SHOWN]) + (f" and {more:,} more" if more > 0 else "")


def look_at_some(paths, value_range, seen):
    """Decodes some of the pictures that have more than 8 bits or are several, for what is `Seen`.

    Returns:
        int, files that were looked at.

    Raises:
        UnreadableError: one of them can't be read.
    """
    some = paths[:: max(1, len(paths) // LOOKED_AT)]
    for path in some:
        if is_special(path):
            decode(path, None, value_range, seen)
    return len(some)


def unlike_sixteen_bits(levels):
    """What to say of pictures that leave most of the 16 bits unused, or need more; or ""."""
    low, high = min(low for low, _ in levels), max(high for _, high in levels)
    used = f"have levels from {low:,.0f} to {high:,.0f}"
    if low < 0 or high > DEEP:
        return (
            f"{used}, of which only 0 to {DEEP:,} are kept: `value_range=(low, high)` (on the "
            "command line --value-range LOW,HIGH) says which levels become black and white"
        )
    if 0 < high < (DEEP + 1) // 2:
        bits = max(8, int(high).bit_length())
        return (
            f"{used} of {DEEP:,}, as {bits} bits do, and come out dark: "
            f"`value_range=(0, {2**bits - 1})` (on the command line --value-range 0,{2**bits - 1}) "
            "makes the highest of them white"
        )
    return ""
