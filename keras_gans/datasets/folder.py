"""Folders of pictures."""

import concurrent.futures
import contextlib
import dataclasses
import os
import warnings
from pathlib import Path

import numpy as np
import tensorflow as tf

from keras_gans.catalogue import DatasetInfo
from keras_gans.datasets import examples
from keras_gans.datasets.examples import InMemory
from keras_gans.datasets.pictures import convert

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp")
NAMES_SHOWN = 5


class UnreadableError(ValueError):
    """A file that is no picture, or only a part of one."""


def find(root):
    """The paths of all pictures below a folder, sorted, without hidden files and folders."""
    paths = []
    for folder, subfolders, files in os.walk(root):
        subfolders[:] = [name for name in subfolders if not name.startswith(".")]
        paths += [
            Path(folder, name)
            for name in files
            if name.lower().endswith(SUFFIXES) and not name.startswith(".")
        ]
    return sorted(paths)


@contextlib.contextmanager
def unreadable_named(path):
    """Turns every exception, for Pillow raises nearly all kinds, into an UnreadableError."""
    try:
        yield
    except Exception as error:
        raise UnreadableError(f"{path} can't be read as a picture: {error}") from error


def size_of(path):
    """The pair (height, width) of a picture held upright, from the head of its file.

    Raises:
        UnreadableError: with the path in its text.
    """
    from PIL import ExifTags, Image

    with unreadable_named(path), Image.open(path) as image:
        lies_on_its_side = image.getexif().get(ExifTags.Base.Orientation, 1) >= 5
        return image.size if lies_on_its_side else image.size[::-1]


def decode(path):
    """Reads one picture, upright, as uint8 (height, width, 1..4).

    The orientation of EXIF is applied, palettes are resolved, 16 bits are scaled to 8, and of a
    moving picture the first frame is taken.

    Raises:
        UnreadableError: with the path in its text.
    """
    from PIL import ExifTags, Image, ImageOps

    with unreadable_named(path), Image.open(path) as image:
        if image.getexif().get(ExifTags.Base.Orientation, 1) != 1:  # else it would be copied
            image = ImageOps.exif_transpose(image)
        if image.mode == "F":
            raise ValueError("floating point pictures have no known range")
        if image.mode.startswith("I"):  # 16 bits of grey
            grey = np.asarray(image).astype(np.float64) * (255 / 65535)
            return np.rint(grey).clip(0, 255).astype(np.uint8)[..., None]
        if image.mode == "1":
            image = image.convert("L")
        elif image.mode in ("PA", "La", "RGBa"):
            image = image.convert("LA" if image.mode == "La" else "RGBA")
        elif "transparency" in image.info:
            image = image.convert("LA" if image.mode == "L" else "RGBA")
        elif image.mode not in ("L", "LA", "RGB", "RGBA"):
            image = image.convert("RGB")
        pixels = np.array(image)
    return pixels[..., None] if pixels.ndim == 2 else pixels


def decode_to(path, size, channels):
    """Reads one picture and fits it, as uint8 (*size, channels)."""
    pixels = decode(path)
    if pixels.shape == (*size, channels):
        return pixels
    with tf.device("CPU:0"):
        return convert(tf.constant(pixels), size, channels).numpy()


@dataclasses.dataclass(frozen=True)
class FolderOnDisk:
    """The pictures of a folder that is too large for memory; they are read batch by batch.

    Args:
        info: DatasetInfo.
        paths: list of Path.
        labels: int32 (n,), or None.
    """

    info: DatasetInfo
    paths: list
    labels: np.ndarray | None

    def reader(self, labels):
        """Returns a function from int64 ids (batch,) to a tuple of the pictures and the labels."""
        size, channels = self.info.shape[:2], self.info.shape[2]
        with tf.device("CPU:0"):
            all_labels = tf.constant(self.labels) if labels else None
        pool = concurrent.futures.ThreadPoolExecutor()  # its threads end with the dataset

        def read_batch(ids):
            pictures = pool.map(lambda i: decode_to(self.paths[i], size, channels), ids)
            return np.stack(list(pictures))

        def read(ids):
            pictures = tf.numpy_function(read_batch, [ids], tf.uint8, stateful=False)
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
    below = [path.relative_to(root).parts for path in paths]
    loose = [str(path) for path, parts in zip(paths, below, strict=True) if len(parts) == 1]
    if loose:
        if required:
            raise ValueError(
                "`labels=True` needs every picture of a folder in a subfolder, whose name is its "
                f"class. Received: {len(loose)} of {len(paths)} pictures directly in {root}, the "
                f"first of them {loose[0]}"
            )
        return None, ()
    names = sorted({parts[0] for parts in below})
    return np.array([names.index(parts[0]) for parts in below], np.int32), tuple(names)


def common_size(paths, on_unreadable):
    """The size that all readable pictures have.

    Raises:
        ValueError: two pictures have different sizes.
    """
    first = None
    for path in paths:
        try:
            size = size_of(path)
        except UnreadableError:
            if on_unreadable == "skip":
                continue
            raise
        first = first or (path, size)
        if size != first[1]:
            raise ValueError(
                "`image_size` must be given for a folder whose pictures differ in size. Received: "
                f"None, and {first[0]} is {first[1][0]}x{first[1][1]} (height x width), "
                f"{path} is {size[0]}x{size[1]}"
            )
    return first[1] if first else (1, 1)  # no picture at all is reported by `read`


def read(root, size, channels, labels, on_unreadable):
    """The pictures of a folder.

    Args:
        root: str or os.PathLike.
        size: pair of int (height, width), or None.
        channels: int in 1..4, or None for 3.
        labels: bool; whether labels are required.
        on_unreadable: "error" or "skip".

    Returns:
        InMemory, or FolderOnDisk where the pictures take more than `examples.MEMORY_BUDGET` bytes.

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
    paths = find(root)
    if not paths:
        raise ValueError(
            f"A folder must hold pictures ({', '.join(SUFFIXES)}), at any depth. "
            f"Received: {root}, which holds none"
        )
    all_labels, class_names = class_labels(root, paths, required=labels)
    size, channels = size or common_size(paths, on_unreadable), channels or 3
    shape = (*size, channels)
    fits = len(paths) * int(np.prod(shape)) <= examples.MEMORY_BUDGET
    pictures = np.empty((len(paths), *shape), np.uint8) if fits else None

    def try_reading(index):
        try:
            picture = decode_to(paths[index], size, channels)
        except UnreadableError:
            if on_unreadable == "error":
                raise
            return False
        if fits:
            pictures[index] = picture
        return True

    if fits or on_unreadable == "skip":
        with concurrent.futures.ThreadPoolExecutor() as pool:
            readable = np.array(list(pool.map(try_reading, range(len(paths)))))
    else:
        readable = np.ones(len(paths), bool)
    if not readable.all():
        broken = [str(path) for path, good in zip(paths, readable, strict=True) if not good]
        shown = ", ".join(broken[:NAMES_SHOWN]) + (", ..." if len(broken) > NAMES_SHOWN else "")
        if not readable.any():
            raise ValueError(f"None of the {len(paths)} pictures in {root} can be read: {shown}")
        warnings.warn(
            f"{len(broken)} of {len(paths)} pictures in {root} can't be read and are left out: "
            f"{shown}",
            stacklevel=4,
        )
        paths = [path for path, good in zip(paths, readable, strict=True) if good]
        pictures = pictures[readable] if fits else None
        all_labels = all_labels[readable] if all_labels is not None else None

    info = DatasetInfo(
        name=str(root),
        split="train",
        num_examples=len(paths),
        shape=shape,
        num_classes=len(class_names) or None,
        class_names=class_names,
        source=str(root.resolve()),
    )
    if fits:
        return InMemory(info, pictures, all_labels)
    return FolderOnDisk(info, paths, all_labels)
