"""Splits of sets in memory, and parts of splits: "test", "train[:8000]", "train[80%:]"."""

import dataclasses
import re

from keras_gans.datasets.examples import InMemory

PART = re.compile(r"(\w+)(?:\[(-?\d+%?)?:(-?\d+%?)?\])?")


def of_split(examples, splits, split):
    """The examples of a split, or of a part of it.

    Args:
        examples: InMemory, those of all splits, one split behind the other.
        splits: `{name: number of examples}`, in this order.
        split: str, a name; or `name[from:to]`, as TFDS writes it, where the numbers are examples or
            percents, from the end if they are negative, and may be left out.

    Returns:
        InMemory.

    Raises:
        ValueError: there is no such split, or no example in that part of it.

    Example:

    >>> of_split(examples, {"train": 4000, "test": 1000}, "train[:10%]").info.num_examples
    400
    """
    found = PART.fullmatch(split.replace(" ", ""))
    names = list(splits)
    if found is None or found[1] not in splits:
        only = f"one of {names}" if len(names) > 1 else f'"{names[0]}"'
        but = "" if len(names) > 1 else ", the only split that it has"
        raise ValueError(
            f"`split` must be {only}{but} for {examples.info.name!r}, or a part such as "
            f'"{names[0]}[:80%]". Received: {split!r}'
        )
    before = sum(splits[name] for name in names[: names.index(found[1])])
    size = splits[found[1]]
    begin, end, _ = slice(_place(found[2], size), _place(found[3], size)).indices(size)
    if begin >= end:
        raise ValueError(
            f"`split` must have an example at least, of the {size} of {examples.info.name!r}. "
            f"Received: {split!r}"
        )
    if (before + begin, before + end) == (0, examples.values.shape[0]):
        return examples
    part = slice(before + begin, before + end)
    info = dataclasses.replace(examples.info, split=split, num_examples=end - begin)
    labels = None if examples.labels is None else examples.labels[part]
    return InMemory(info, examples.values[part], labels)


def _place(given, size):
    """The number of an example; percents are rounded to the nearest one, as TFDS does it."""
    if given is None or not given.endswith("%"):
        return None if given is None else int(given)
    return round(int(given[:-1]) * size / 100)
