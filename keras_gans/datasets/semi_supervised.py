"""`semi_supervised`: all examples without labels, beside the few of which the labels are known."""

import dataclasses
import functools

import numpy as np
import tensorflow as tf

from keras_gans.catalogue import DatasetInfo
from keras_gans.checks import check_int
from keras_gans.datasets.stepwise import batches, pipeline, scatter


@dataclasses.dataclass(frozen=True, eq=False)
class Selected:
    """Some of the examples of a set, without a copy of them.

    Args:
        info: DatasetInfo, of these.
        examples: has `reader(labels)`, such as `examples.InMemory`.
        ids: int64 (num,), which of them.
    """

    info: DatasetInfo
    examples: object
    ids: np.ndarray

    def reader(self, labels):
        """As of `InMemory`, from ids among the selected ones."""
        with tf.init_scope(), tf.device("CPU:0"):
            read, chosen = self.examples.reader(labels), tf.constant(self.ids)
        return lambda ids, step=None: read(tf.gather(chosen, ids), step)


def semi_supervised(dataset, labels_per_class=10, seed=0):
    """All examples without their labels, with a minibatch of labelled ones beside each minibatch.

    As many examples of each class are drawn, and keep their labels. They come over and over, in an
    order of their own, epoch after epoch of theirs; the others' labels are never seen. As in the
    papers, the labelled ones are among the unlabelled ones too.

    The dataset is one epoch of all examples. As with `load`, the endless dataset `from_step(k)`
    gives what `from_step(0).skip(k)` gives, at no cost, which is how `fit` continues a run.

    Args:
        dataset: as `load` returned it, with `labels=True`, of a set that is no TFDS set larger than
            memory.
        labels_per_class: int, at least 1, how many examples of each class keep their labels; the
            papers have 100 labels in all, 10 of each digit.
        seed: int in [0, 2^63), of which these are: another one gives other labelled examples, which
            is most of what differs between two runs with few labels.

    Returns:
        tf.data.Dataset of triples (reals, labelled, labels): float32 pictures (batch, height,
        width, channels) in [-1, 1], as many again, and their int32 labels (batch,). It has four
        attributes more: `info`, that of `dataset`; `start_step` and `from_step(step)`, see `load`;
        and `labelled`, one epoch of the labelled examples as pairs (pictures, labels), for a
        classifier that learns from these alone; with `crop` or `flip` of `load` one draw of each.

    Raises:
        TypeError: `dataset` was not made by `load`, or was changed afterwards.
        ValueError: it has no labels, or is read in sequence; an argument is out of its range; or a
            class has fewer examples than are to keep their labels.

    Example:
        >>> dataset = semi_supervised(load("mnist_5k", batch_size=100, labels=True))
        >>> reals, labelled, labels = next(iter(dataset))
        >>> labelled.shape, len(dataset)
        (TensorShape([100, 28, 28, 1]), 40)

    Reference:
        Salimans et al., 2016 (arXiv:1606.03498), section 5.1: labels that are balanced over the
        classes, drawn anew for each of several runs.
    """
    examples = _examples_of(dataset)
    seed = check_int("seed", seed, 0, 2**63 - 1)
    ids = choose(examples.labels, check_int("labels_per_class", labels_per_class, 1), seed, dataset)
    chosen = Selected(dataclasses.replace(examples.info, num_examples=len(ids)), examples, ids)
    settings = {**dataset.run.keywords, "shuffle": True, "labels": True}
    # Scattered, for the labelled ones not to be shuffled as all are.
    settings["seed"] = scatter(settings["seed"]) % 2**63
    some = functools.partial(pipeline, batches, chosen, **settings)

    def run(**ends):
        both = tf.data.Dataset.zip(dataset.run(labels=False, **ends), some(**ends))
        return both.map(lambda reals, labelled: (reals, *labelled))

    def from_step(step):
        """The endless dataset of full batches from step `step` (int, at least 0) of the run."""
        return run(first_step=check_int("step", step, 0))

    start, size, num = dataset.start_step, settings["batch_size"], dataset.info.num_examples
    joined = run(first_step=start, stop=(start * size // num + 1) * num)
    joined.info = dataset.info
    joined.start_step = start
    joined.from_step = from_step
    joined.labelled = some(first_step=0, stop=len(ids), drop=False)
    return joined


def choose(labels, labels_per_class, seed, dataset):
    """The ids of as many examples of each class, int64, class after class.

    Raises:
        ValueError: a class has fewer.
    """
    labels, rng = np.asarray(labels), np.random.default_rng(seed)
    if labels.min() < 0:
        raise ValueError(
            f"`dataset` must have a label for each example. Received: {dataset.info.name!r}, with "
            f"labels of {labels.min()}"
        )
    info, counts = dataset.info, np.bincount(labels, minlength=dataset.info.num_classes)
    if counts.min() < labels_per_class:
        name = info.class_names[counts.argmin()] if info.class_names else counts.argmin()
        raise ValueError(
            f"`labels_per_class` must be at most {counts.min()}, as many examples as class "
            f"{name!r} of {info.name!r} has. Received: {labels_per_class}"
        )
    each = [
        rng.permutation(np.flatnonzero(labels == k))[:labels_per_class] for k in range(len(counts))
    ]
    return np.concatenate(each).astype(np.int64)


def _examples_of(dataset):
    """The examples behind a dataset of `load`; TypeError or ValueError, see `semi_supervised`."""
    if not hasattr(dataset, "run"):
        raise TypeError(
            "`dataset` must be a dataset as `load` returns it, with nothing done to it. "
            f"Received: {dataset!r}"
        )
    info = dataset.info
    if not dataset.run.keywords["labels"]:
        raise ValueError(
            "`dataset` must have labels, from `load` with labels=True. "
            f"Received: {info.name!r} without labels"
        )
    examples = dataset.run.args[1]
    if not hasattr(examples, "reader"):
        raise ValueError(
            "`dataset` must be held in memory, or be a folder: from a set that is read in sequence "
            f"no labelled examples can be drawn. Received: {info.name!r}, which is larger"
        )
    return examples
