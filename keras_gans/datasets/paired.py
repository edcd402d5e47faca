"""`paired`: pictures that belong together, for models that learn one from the other."""

import collections
import dataclasses
import functools
import os

import tensorflow as tf

from keras_gans.checks import check_int, check_member
from keras_gans.datasets.examples import to_floats
from keras_gans.datasets.jitter import Jitter, check_jitter
from keras_gans.datasets.pictures import convert, pair_of
from keras_gans.datasets.stepwise import by_step
from keras_gans.datasets.unpaired import ALIKE as OF_UNPAIRED
from keras_gans.datasets.unpaired import check_alike, check_pictures, joined


def paired(a, b=None, direction="a_to_b", image_size=None):
    """Joins two sets of pictures as batches of pairs that belong together.

    The pictures at equal places are a pair: both sets have as many, in one order. Folders must have
    one name for both pictures of a pair, but for the end: `edges/7.png` and `photos/7.jpg`. Where
    `b` is None, each picture of `a` is a pair, side by side, as the authors of pix2pix keep theirs:
    A is the left half, B the right one.

    Pairs come in `a`'s order. What `load` has as `crop` and `flip` is drawn once for both pictures
    of a pair, and for pictures that are side by side it is of the halves. As with `load`, the
    endless dataset `from_step(k)` gives what `from_step(0).skip(k)` gives, at no cost.

    Args:
        a: dataset of pictures, as `load` returned it, without labels.
        b: another, or None. Both have the same height and width, number of pictures, `batch_size`,
            `start_step`, `drop_remainder`, `seed`, `shuffle`, `crop` and `flip`.
        direction: "a_to_b", or "b_to_a" for pairs with B's picture first, of which A's is to be
            made: facades, as the authors keep theirs, have the photograph on the left.
        image_size: of pictures that are side by side: int or pair of int (height, width), to which
            each half is resized as `load` does it. There `load` must not resize: it would cut off
            A's left and B's right. None keeps the size. Two sets have that of `load`.

    Returns:
        tf.data.Dataset of pairs of float32 pictures (batch, height, width, channels) in [-1, 1].
        It has three attributes more: `info`, a `DatasetInfo` with the shape of the first ones;
        `start_step`; and `from_step(step)`, see above.

    Raises:
        TypeError: `a` or `b` was not made by `load`, or was changed afterwards.
        ValueError: one of them has labels, or no pictures; they differ in one of the above;
            pictures of folders have other names; or the width of pictures side by side is odd.

    Example:
        >>> settings = {"batch_size": 4, "crop": 24, "flip": True}
        >>> dataset = paired(
        ...     load("fashion_mnist_10k_edges", **settings), load("fashion_mnist_10k", **settings)
        ... )
        >>> edges, pictures = next(iter(dataset))
        >>> edges.shape, pictures.shape
        (TensorShape([4, 24, 24, 1]), TensorShape([4, 24, 24, 1]))
    """
    check_member("direction", direction, ("a_to_b", "b_to_a"))
    sides = {"a": a} if b is None else {"a": a, "b": b}
    for name, side in sides.items():
        check_pictures(name, side)
    size = pair_of("image_size", image_size)
    if b is None:
        info, split = in_halves(a, size)
        runs = (a.run,)
    else:
        if size is not None:
            raise ValueError(
                "`image_size` must be None for two sets, which `load` resizes. "
                f"Received: {image_size!r}"
            )
        check_alike(a, b, ALIKE)
        check_pairs(a, b)
        info, split = joined(a.info, b.info), lambda a, b: (a, b)
        runs = (a.run, b.run)
        if direction == "b_to_a":
            info = dataclasses.replace(info, shape=b.info.shape)
    seed, jitter = (a.run.keywords[key] for key in ("seed", "jitter"))

    def move(step, pictures):
        pictures = split(*pictures)
        counts = [part.shape[-1] for part in pictures]
        moved = tf.split(jitter(tf.concat(pictures, axis=-1), seed, step), counts, axis=-1)
        return tuple(moved if direction == "a_to_b" else reversed(moved))

    def run(first_step, **ends):
        parts = (side(first_step=first_step, jitter=Jitter(), **ends) for side in runs)
        pairs = tf.data.Dataset.zip(tuple(parts))
        return by_step(pairs, first_step, move).prefetch(tf.data.AUTOTUNE)

    def from_step(step):
        """The endless dataset of full batches from step `step` (int, at least 0) of the run."""
        return run(check_int("step", step, 0))

    num, batch_size = info.num_examples, a.run.keywords["batch_size"]
    epoch = a.start_step * batch_size // num
    dataset = run(a.start_step, stop=(epoch + 1) * num)
    dataset.info = info
    dataset.start_step = a.start_step
    dataset.from_step = from_step
    dataset.belong_together = True  # for `shifted`
    return dataset


def half(a, side, image_size=None):
    """One picture of each pair that is side by side, as a set of its own, which can be measured.

    Args:
        a: dataset of pictures, as `load` returned it, without labels and without `image_size`.
            With `crop` or `flip`, these are of the halves, and alike for both.
        side: "a" for the left ones, "b" for the right ones.
        image_size: see `paired`.

    Returns:
        tf.data.Dataset of float32 pictures (batch, height, width, channels) in [-1, 1], in `a`'s
        order. It has two attributes more, as those of `load`: `info` and `run`.

    Raises:
        TypeError, ValueError: see `paired`.

    Example:
        >>> photos, labels = (half(load("facades/"), side) for side in "ab")
    """
    check_member("side", side, ("a", "b"))
    check_pictures("a", a)
    info, split = in_halves(a, pair_of("image_size", image_size))
    place = "ab".index(side)
    run = functools.partial(_run_of_half, a.run, lambda both: split(both)[place], **a.run.keywords)
    num = info.num_examples
    epoch = a.start_step * a.run.keywords["batch_size"] // num
    dataset = run(first_step=a.start_step, stop=(epoch + 1) * num)
    dataset.info, dataset.run = info, run
    return dataset


def _run_of_half(run, part, first_step, seed, jitter, **settings):
    """The batches of a run, of whose pictures `part` is taken before the jitter."""
    whole = run(first_step=first_step, seed=seed, jitter=Jitter(), **settings)
    moved = by_step(whole, first_step, lambda step, both: jitter(part(both), seed, step))
    return moved.prefetch(tf.data.AUTOTUNE)


ALIKE = {**OF_UNPAIRED, "seed": "seed", "shuffle": "shuffle"}


def in_halves(a, size):
    """What is known of pictures that are side by side, and a function that parts them."""
    whole = a.run.args[1].info
    height, width, channels = whole.shape
    if width % 2:
        raise ValueError(
            "`a` must have pictures of an even width, A beside B. "
            f"Received: {a.info.name!r}, of {height}x{width} (height x width)"
        )
    if a.resized:
        raise ValueError(
            "`a` must be loaded without `image_size`, which would cut off parts of pictures that "
            f"are side by side; `paired` has one of each half. Received: {a.info.name!r}, of "
            f"{height}x{width} (height x width)"
        )
    shape = (*(size or (height, width // 2)), channels)
    halves = dataclasses.replace(whole, shape=shape)
    jitter = a.run.keywords["jitter"]
    check_jitter(jitter, halves, what="the halves of its pictures")

    def split(both):
        both = tf.cast(tf.round((both + 1.0) * 127.5), tf.uint8)
        parts = (convert(part, size) for part in tf.split(both, 2, axis=2))
        # What is resized has no static size, which windows of it are cut by.
        return [to_floats(tf.ensure_shape(part, (None, *shape)))[0] for part in parts]

    return dataclasses.replace(halves, shape=jitter.shape(halves.shape)), split


def check_pairs(a, b):
    """Raises ValueError unless the pictures of two sets can belong together; see `paired`."""
    jitters = [side.run.keywords["jitter"] for side in (a, b)]
    for name in ("crop", "flip"):
        first, second = (getattr(jitter, name) for jitter in jitters)
        if first != second:
            raise ValueError(
                f"`a` and `b` must be loaded with the same `{name}`. Received: {first} and {second}"
            )
    if a.run.keywords["shuffle"] and a.run.args[0] is not b.run.args[0]:
        raise ValueError(
            "`a` and `b` must both fit into memory or be folders, or both be larger sets, to be "
            "shuffled alike; with `shuffle=False` they need not. "
            f"Received: {a.info.name!r} and {b.info.name!r}"
        )
    examples = [side.run.args[1] for side in (a, b)]
    infos = [each.info for each in examples]
    sizes = [info.shape[:2] for info in infos]
    if sizes[0] != sizes[1]:
        raise ValueError(
            "`a` and `b` must have pictures of one height and width; `image_size` makes them so. "
            f"Received: {sizes[0]} of {infos[0].name!r} and {sizes[1]} of {infos[1].name!r}"
        )
    numbers = [info.num_examples for info in infos]
    names = [getattr(each, "names", ()) for each in examples]
    if all(names):
        check_names(infos, names)
    if numbers[0] != numbers[1]:
        raise ValueError(
            "`a` and `b` must have as many pictures, each with its own. "
            f"Received: {numbers[0]} of {infos[0].name!r} and {numbers[1]} of {infos[1].name!r}"
        )


def check_names(infos, names):
    """Raises ValueError unless pictures at equal places have one name, but for its end."""
    stems = [[os.path.splitext(name)[0] for name in each] for each in names]
    for info, of_set in zip(infos, stems, strict=True):
        stem, count = collections.Counter(of_set).most_common(1)[0]
        if count > 1:
            raise ValueError(
                "`a` and `b` must have one picture of each name, but for its end. "
                f"Received: {count} of {stem!r} in {info.name!r}"
            )
    for k in (0, 1):
        alone = set(stems[k]) - set(stems[1 - k])
        if alone:
            name = next(n for n, stem in zip(names[k], stems[k], strict=True) if stem in alone)
            raise ValueError(
                "`a` and `b` must have pictures of the same names, but for their ends. Received: "
                f"{name!r} in {infos[k].name!r}, and none of that name in {infos[1 - k].name!r}"
            )
    for first, second in zip(*stems, strict=True):
        if first != second:
            raise ValueError(
                "`a` and `b` must have their pictures in one order, by name. "
                f"Received: {first!r} in {infos[0].name!r} beside {second!r} in {infos[1].name!r}"
            )
