"""ImageBuffer: what comes out went in, once. Every picture is known by a number of its own."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans.layers import ImageBuffer

SHAPE = (2, 3, 1)


def pictures(numbers):
    """A picture for each number, constant, so that it can be read off any of its pixels."""
    return np.broadcast_to(np.reshape(numbers, (-1, 1, 1, 1)), (len(numbers), *SHAPE)).astype(
        "float32"
    )


def numbers(images):
    images = np.asarray(images)
    flat = images.reshape(len(images), -1)
    assert (flat == flat[:, :1]).all()  # no mixture of two pictures
    return flat[:, 0].astype(int)


def stored(buffer):
    return numbers(buffer.images)[: int(buffer.count)]


def eager(function):
    return function


def xla(function):
    return tf.function(function, jit_compile=True)


def queries(size, batch, steps, seed=0, function=tf.function):
    """Yields (stored before, given, returned, stored after) of a buffer's first queries."""
    buffer = ImageBuffer(size, seed=seed)
    buffer.build((None, *SHAPE))
    query, before = function(buffer), stored(buffer)
    for step in range(steps):
        given = 1 + step * batch + np.arange(batch)
        returned = numbers(query(tf.constant(pictures(given))))
        after = stored(buffer)
        yield before, given, returned, after
        before = after


@pytest.mark.parametrize(
    ("size", "batch", "function"),
    [(5, 1, tf.function), (8, 8, tf.function), (50, 4, tf.function), (8, 3, eager), (8, 3, xla)],
)
def test_nothing_is_lost_or_given_twice(size, batch, function):
    """What was stored and what came is what is stored and what left, each once."""
    for before, given, returned, after in queries(size, batch, 40, function=function):
        copied = given[: size - len(before)]  # stored, and given back too
        assert sorted([*before, *given, *copied]) == sorted([*after, *returned])
        assert set(returned) <= {*before, *given}
        for new, picture in zip(given, returned, strict=True):
            assert picture == new or picture in before
        assert len(set(returned)) == batch and len(set(after)) == len(after)


def test_filling():
    """The first ones are stored in turn and given back as they are."""
    runs = list(queries(7, 3, 3))
    for before, given, returned, after in runs[:2]:
        np.testing.assert_array_equal(returned, given)
        np.testing.assert_array_equal(after, [*before, *given])


def test_batch_that_fills_the_last_places():
    """Its first rows are stored; the others may take places that were full before, no others."""
    swapped = 0
    for seed in range(30):
        *_, (before, given, returned, after) = queries(7, 5, 2, seed, eager)
        np.testing.assert_array_equal(after[5:], given[:2])
        np.testing.assert_array_equal(returned[:2], given[:2])
        swapped += (returned[2:] != given[2:]).sum()
        assert set(after[:5]) <= {*before, *given[2:]}
        assert sorted([*before, *given[2:]]) == sorted([*after[:5], *returned[2:]])
    assert abs(swapped - 45) <= 5 * np.sqrt(90 / 4)


def test_half_are_old():
    """Once full: of n fakes Bin(n, 1/2) are swapped, and the places are equally likely."""
    size, batch, steps = 10, 4, 500
    old, places = 0, np.zeros(size)
    for before, given, returned, after in queries(size, batch, steps):
        if len(before) == size:
            swaps = returned != given
            old += swaps.sum()
            places += before != after
            for picture, new in zip(returned[swaps], given[swaps], strict=True):
                # The new one lies where the old one lay.
                assert after[np.flatnonzero(before == picture)[0]] == new
    n = (steps - 3) * batch
    assert abs(old - n / 2) <= 5 * np.sqrt(n / 4)
    assert places.sum() == old
    assert np.abs(places - old / size).max() <= 5 * np.sqrt(old * (1 / size) * (1 - 1 / size))


def test_eager_is_graph():
    runs = [list(queries(4, 3, 6, seed=1, function=f)) for f in (eager, tf.function)]
    for one, other in zip(*runs, strict=True):
        for a, b in zip(one, other, strict=True):
            np.testing.assert_array_equal(a, b)


def test_seeds():
    def run(seed):
        return np.concatenate([returned for *_, returned, _ in queries(4, 2, 12, seed)])

    np.testing.assert_array_equal(run(1), run(1))
    assert (run(1) != run(2)).any()


def test_no_gradient_goes_through():
    buffer, x = ImageBuffer(4, seed=0), tf.constant(pictures([1, 2]))
    with tf.GradientTape() as tape:
        tape.watch(x)
        total = tf.reduce_sum(buffer(x) ** 2)
    assert tape.gradient(total, x) is None
    assert not buffer.trainable_variables


def test_saved_model_goes_on(tmp_path):
    """Pictures, count and random numbers come back."""
    inputs = keras.Input(SHAPE)
    model = keras.Model(inputs, ImageBuffer(5, seed=3)(inputs))
    for step in range(4):
        model(pictures(1 + 3 * step + np.arange(3)))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    ours, theirs = model.layers[-1], loaded.layers[-1]
    assert type(theirs) is ImageBuffer and (theirs.size, theirs.seed) == (5, 3)
    assert int(theirs.count) == 5
    np.testing.assert_array_equal(stored(theirs), stored(ours))
    for step in range(4, 10):
        x = pictures(1 + 3 * step + np.arange(3))
        np.testing.assert_array_equal(loaded(x), model(x))
    np.testing.assert_array_equal(stored(theirs), stored(ours))


def test_two_replicas_are_one_device(two_replicas):
    """Both hold the same pictures, those of one device, and each gets its rows."""
    with two_replicas.scope():
        buffer = ImageBuffer(5, seed=2)
        buffer.build((None, *SHAPE))

    @tf.function
    def query(x):
        def replica():
            index = tf.distribute.get_replica_context().replica_id_in_sync_group
            own = tf.reshape(x, (2, 2, *SHAPE))[index]
            return buffer(own), tf.identity(buffer.images.value), tf.identity(buffer.count.value)

        return two_replicas.run(replica)

    for _, given, returned, after in queries(5, 4, 8, seed=2):
        rows, images, counts = map(
            two_replicas.experimental_local_results, query(tf.constant(pictures(given)))
        )
        np.testing.assert_array_equal(numbers(np.concatenate(rows)), returned)
        for copy, count in zip(images, counts, strict=True):
            np.testing.assert_array_equal(numbers(copy)[: int(count)], after)


def test_half_precision():
    buffer = ImageBuffer(3, seed=0, dtype="mixed_float16")
    x = pictures([0.1, 0.2, 0.3]) + np.float32(1e-4)
    assert buffer(tf.constant(x)).dtype == "float32"
    np.testing.assert_array_equal(buffer.images, x)  # not rounded
    assert buffer(tf.cast(x, "float16")).dtype == "float16"


@pytest.mark.parametrize("value", [0, -1, 2.5, True, None])
def test_bad_size(value):
    with pytest.raises(ValueError, match=r"`size` must be an integer of at least 1.*Received"):
        ImageBuffer(value)


def test_batch_that_is_too_large(two_replicas):
    rule = r"`size` of an ImageBuffer must be at least the global batch. Received: 3 for a batch of"
    with pytest.raises(ValueError, match=rule + " 4"):
        ImageBuffer(3)(pictures([1, 2, 3, 4]))
    with two_replicas.scope():
        buffer = ImageBuffer(3, seed=0)
        buffer.build((None, *SHAPE))
    with pytest.raises(ValueError, match=rule + " 4"):
        two_replicas.run(tf.function(buffer), (tf.constant(pictures([1, 2])),))
    anything = tf.function(ImageBuffer(3), input_signature=[tf.TensorSpec((None, *SHAPE))])
    with pytest.raises(tf.errors.InvalidArgumentError, match="at least the global batch"):
        anything(pictures([1, 2, 3, 4]))


def test_pictures_of_unknown_size():
    with pytest.raises(ValueError, match=r"must know the shape of its pictures.*None, 3, 1"):
        ImageBuffer(3).build((None, None, 3, 1))
