"""The order of examples is a pure function of (seed, step)."""

import numpy as np
import pytest
import tensorflow as tf

from keras_gans import datasets
from keras_gans.datasets.examples import DatasetInfo, InMemory
from keras_gans.datasets.stepwise import batches, example_ids, pipeline


def order(n, epoch, seed=0):
    positions = tf.range(epoch * n, (epoch + 1) * n, dtype=tf.int64)
    return example_ids(positions, n, seed, shuffle=True).numpy()


def numbered(n, batch_size, first_step=0, seed=0, shuffle=True, **kwargs):
    """Batches of the points 0, 1, ..., n - 1, so that values tell the examples' ids."""
    info = DatasetInfo("numbers", "train", n, (1,), n)
    numbers = np.arange(n)
    examples = InMemory(info, numbers[:, None].astype("float32"), numbers.astype("int32"))
    return pipeline(
        batches,
        examples,
        batch_size=batch_size,
        seed=seed,
        labels=True,
        shuffle=shuffle,
        first_step=first_step,
        **kwargs,
    )


def taken(dataset, count):
    return np.stack([labels for _, labels in dataset.take(count).as_numpy_iterator()])


@pytest.mark.parametrize("n", [1, 2, 7, 100, 1601])
def test_every_epoch_visits_each_example_once(n):
    for epoch in range(3):
        np.testing.assert_array_equal(np.sort(order(n, epoch)), np.arange(n))


def test_epochs_and_seeds_have_different_orders():
    orders = [order(500, epoch, seed) for epoch in range(3) for seed in (0, 1, 2**32, 2**62)]
    orders.append(np.arange(500))
    for i, first in enumerate(orders):
        for second in orders[:i]:
            assert np.mean(first == second) < 0.02


def test_orders_do_not_repeat():
    n, epochs = 100, 600
    positions = tf.range(n * epochs, dtype=tf.int64)
    orders = example_ids(positions, n, 0, shuffle=True).numpy().reshape(epochs, n)
    assert len(np.unique(orders, axis=0)) == epochs
    assert len({order(n, 0, seed).tobytes() for seed in range(100)}) == 100


@pytest.mark.parametrize("n", [10_000, 50_000, 60_000])
def test_orders_of_epochs_are_uncorrelated(n):
    orders = np.array([order(n, epoch) for epoch in range(6)] + [np.arange(n)])
    correlations = np.corrcoef(orders)[np.triu_indices(len(orders), 1)]
    assert np.abs(correlations).max() < 5 / np.sqrt(n)


def test_batches_follow_the_endless_stream_across_epochs():
    n, batch_size = 10, 4
    stream = np.concatenate([order(n, epoch) for epoch in range(4)])
    np.testing.assert_array_equal(taken(numbered(n, batch_size), 10).ravel(), stream)


def test_a_batch_may_be_larger_than_an_epoch():
    stream = np.concatenate([order(3, epoch) for epoch in range(8)])
    np.testing.assert_array_equal(taken(numbered(3, 8), 3).ravel(), stream)


@pytest.mark.parametrize("step", [1, 2, 3, 25, 1_000_003])
def test_steps_are_independent_of_where_the_run_began(step):
    begun = taken(numbered(10, 4, first_step=step), 3)
    stream = np.concatenate([order(10, e) for e in range(4 * step // 10, 4 * step // 10 + 3)])
    begin = 4 * step % 10
    np.testing.assert_array_equal(begun.ravel(), stream[begin : begin + 12])


@pytest.mark.parametrize("name", ["fashion_mnist_10k", "ring"])
def test_from_step_is_skip_bit_for_bit(name):
    dataset = datasets.load(name, batch_size=96, seed=3, labels=True)
    skipped = dataset.from_step(0).skip(108).take(3)
    for (x, y), (also_x, also_y) in zip(dataset.from_step(108), skipped, strict=False):
        np.testing.assert_array_equal(x, also_x)
        np.testing.assert_array_equal(y, also_y)


def test_endless_datasets_have_static_full_batches():
    endless = datasets.load("fashion_mnist_10k", batch_size=96).from_step(5)
    assert endless.element_spec == tf.TensorSpec((96, 28, 28, 1), tf.float32)
    assert endless.cardinality() == tf.data.INFINITE_CARDINALITY


@pytest.mark.parametrize(
    ("batch_size", "drop", "count", "static"),
    [(64, False, 157, None), (64, True, 156, 64), (100, False, 100, 100), (20_000, False, 1, None)],
)
def test_the_finite_form_is_one_epoch(batch_size, drop, count, static):
    dataset = datasets.load("fashion_mnist_10k", batch_size=batch_size, drop_remainder=drop)
    assert isinstance(dataset, tf.data.Dataset)
    assert len(dataset) == count
    assert dataset.element_spec.shape.as_list() == [static, 28, 28, 1]
    sizes = [len(batch) for batch in dataset]
    assert len(sizes) == count
    assert sum(sizes) == (count * batch_size if drop else 10_000)


def test_the_finite_form_ends_where_its_epoch_ends():
    n, batch_size = 10, 4
    second = order(n, 1)
    ends = numbered(n, batch_size, first_step=3, stop=20, drop=False)  # positions 12 to 19
    np.testing.assert_array_equal(np.concatenate([y for _, y in ends]), second[2:])
    tail = datasets.load("ring", batch_size=64, start_step=781)
    (points,) = tail
    assert points.shape == (50_000 - 781 * 64, 2)
    np.testing.assert_array_equal(points, next(iter(datasets.load("ring").skip(781))))


def test_start_step_in_a_later_epoch_agrees_with_from_step():
    dataset = datasets.load("ring", batch_size=100, start_step=1203)
    assert len(dataset) == 297
    np.testing.assert_array_equal(next(iter(dataset)), next(iter(dataset.from_step(1203))))


def test_iterating_again_gives_the_same():
    dataset = datasets.load("two_gaussians", batch_size=500)
    for first, again in zip(dataset, dataset, strict=True):
        np.testing.assert_array_equal(first, again)


def test_natural_order_without_shuffling():
    np.testing.assert_array_equal(
        taken(numbered(10, 4, shuffle=False), 5).ravel(), np.tile(np.arange(10), 2)
    )


def test_batches_are_split_over_replicas(two_replicas):
    dataset = datasets.load("fashion_mnist_10k", labels=True)
    for plain in (dataset, dataset.from_step(156)):
        pictures, labels = next(iter(two_replicas.experimental_distribute_dataset(plain)))
        assert [part.shape[0] for part in pictures.values] == [32, 32]
        np.testing.assert_array_equal(np.concatenate(labels.values), next(iter(plain))[1])


def test_pixels_are_not_baked_into_the_graph():
    pixels = np.zeros((1000, 32, 32, 3), np.uint8)
    examples = InMemory(DatasetInfo("zeros", "train", 1000, (32, 32, 3)), pixels)
    gather = tf.function(examples.reader(labels=False))
    graph = gather.get_concrete_function(tf.TensorSpec((None,), tf.int64)).graph
    assert graph.as_graph_def().ByteSize() < 10_000
