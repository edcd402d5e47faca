"""Minibatches that Python makes: `keras.utils.PyDataset`, generators and other iterables."""

import collections
import concurrent.futures
import itertools
from collections.abc import Iterable, Iterator

import numpy as np
import tensorflow as tf
from keras import tree
from keras.utils import PyDataset


def is_python_data(x):
    """Whether `x` yields minibatches in Python, and is no array, dataset or container of arrays."""
    if isinstance(x, PyDataset):
        return True
    containers = str | bytes | dict | list | tuple | set
    is_array = hasattr(x, "shape") or hasattr(x, "__array__")
    is_dataset = isinstance(x, tf.data.Dataset | tf.distribute.DistributedDataset)
    return isinstance(x, Iterable) and not (is_array or is_dataset or isinstance(x, containers))


def from_python(x, num, shuffle, seed):
    """Minibatches that Python makes, as a dataset.

    A `PyDataset` is read by as many threads as it has `workers`, and told of the begin and end of
    each pass. What can be iterated only once, as a generator, goes on where it is in a second epoch
    or `fit`, but for the few minibatches that were read ahead.

    Args:
        x: `keras.utils.PyDataset`, or an iterable of minibatches: arrays, or tuples of arrays.
        num: how many of the first minibatches are returned too.
        shuffle: whether the minibatches of a `PyDataset` are shuffled in each epoch.
        seed: integer for this.

    Returns:
        The triple (dataset, list of at most `num` minibatches, number of all examples or `None`).

    Raises:
        ValueError: there is no minibatch.
    """
    num_examples = None
    if isinstance(x, PyDataset):
        passes, number = _passes_of_py_dataset(x, shuffle, seed), x.num_batches
        first = [x[i] for i in range(num if number is None else min(num, number))]
        if first and number is not None:
            sizes = [len(tree.flatten(batch)[0]) for batch in (first[0], x[number - 1])]
            num_examples = sizes[0] * (number - 1) + sizes[1]
    elif isinstance(x, Iterator):
        first = list(itertools.islice(x, num))
        rest = itertools.chain(first, x)

        def passes():
            return rest
    else:
        passes, first = x.__iter__, list(itertools.islice(x, num))
    if not first:
        raise ValueError("The dataset must not be empty. Received: a dataset with no batch")
    first = [tree.map_structure(np.asarray, _parts(batch)) for batch in first]
    signature = tree.map_structure(
        lambda part: tf.TensorSpec((None, *part.shape[1:]), part.dtype), first[0]
    )
    dataset = tf.data.Dataset.from_generator(
        lambda: map(_parts, passes()), output_signature=signature
    )
    return dataset, first, num_examples


def _parts(batch):
    """A minibatch without what is `None` at its end, as Keras's (x, y, sample_weight) may be."""
    if not isinstance(batch, list | tuple):
        return batch
    parts = [part for part in batch if part is not None]
    return tuple(parts) if len(parts) > 1 else parts[0]


def _passes_of_py_dataset(x, shuffle, seed):
    """A function that gives an iterator over the minibatches of the next epoch."""
    random = np.random.default_rng(seed)

    def one_pass():
        x.on_epoch_begin()
        order = itertools.count() if x.num_batches is None else range(x.num_batches)
        if shuffle and x.num_batches is not None:
            order = random.permutation(x.num_batches).tolist()
        yield from _read_ahead(x.__getitem__, iter(order), x.workers)
        x.on_epoch_end()

    return one_pass


def _read_ahead(get, order, workers):
    """`map(get, order)`, with so many threads that read the next ones; none for 0 and 1."""
    if workers < 2:
        yield from map(get, order)
        return
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        waiting = collections.deque(pool.submit(get, i) for i in itertools.islice(order, workers))
        while waiting:
            yield waiting.popleft().result()
            waiting.extend(pool.submit(get, i) for i in itertools.islice(order, 1))
