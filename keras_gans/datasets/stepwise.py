"""Shuffling as a pure function of (seed, step), so that a run can begin at any step.

A run reads an endless stream of positions 0, 1, 2, ...; batch t holds the positions [t B, (t + 1)
B). With n examples, position p belongs to epoch p // n and is the example

    pi(p mod n),    pi = the permutation of 0 .. n - 1 that belongs to (seed, p // n).

The permutations are TensorFlow's random index shuffle, a block cipher that is evaluated for single
indices: no buffer is filled and nothing is skipped over, and step 1,000,000 costs what step 0 does.
"""

import tensorflow as tf

from keras_gans.datasets.examples import to_floats

CIPHER_ROUNDS = 16
"""Rounds of the block cipher. TensorFlow's `tf.random.experimental.index_shuffle` has 4, with which
the orders of two epochs of 60,000 examples had a rank correlation of up to 0.9; with 16 rounds it
is that of independent orders (0.004), for 0.2 microseconds an example."""

WORD_BITS = 8
"""Bits that the cipher reads of each of the three words of its key: half of its block, which has 16
bits, or more for more than 65,536 examples. A word that counts epochs would repeat after 256."""

ODD_MULTIPLIER = 0x9E3779B1
END_OF_TIME = 2**62


def scatter(seed):
    """Maps an int in [0, 2^64) one to one to another, with neighbours far apart (splitmix64)."""
    mask = 2**64 - 1
    x = (seed + 0x9E3779B97F4A7C15) & mask
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & mask
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & mask
    return x ^ (x >> 31)


def keys(seed, epochs):
    """The cipher's keys of epochs, which do not repeat in 2^24 epochs.

    Args:
        seed: int in [0, 2^63).
        epochs: int64 tensor (batch,).

    Returns:
        int64 tensor (batch, 3), each in [0, 2^8).
    """
    bits = 3 * WORD_BITS
    counted = (scatter(seed) % 2**bits + epochs % 2**bits) * ODD_MULTIPLIER
    return tf.stack(
        [counted // 2**shift % 2**WORD_BITS for shift in range(0, bits, WORD_BITS)], axis=1
    )


def example_ids(positions, num_examples, seed, shuffle):
    """Maps positions of the endless stream to examples.

    Args:
        positions: int64 tensor (batch,), each at least 0. They may lie in several epochs.
        num_examples: int or int64 scalar tensor, examples in an epoch.
        seed: int in [0, 2^63).
        shuffle: bool; False keeps the natural order in every epoch.

    Returns:
        int64 tensor (batch,) in [0, num_examples).
    """
    epochs, indices = positions // num_examples, positions % num_examples
    if not shuffle:
        return indices
    # The raw op: the public wrapper fixes the rounds at 4, and pads a matrix of seeds by a row.
    return tf.raw_ops.RandomIndexShuffle(
        index=indices,
        seed=keys(seed, epochs),
        max_index=tf.cast(num_examples - 1, tf.int64),
        rounds=CIPHER_ROUNDS,
    )


def batches(examples, batch_size, seed, labels, shuffle, first_step, stop=None, drop=True):
    """The batches of a run from `first_step` on.

    Args:
        examples: has `info` and `reader(labels)`, such as `InMemory`.
        batch_size: int.
        seed, labels, shuffle: see `load`.
        first_step: int, the step of the first batch.
        stop: int, the position before which the last batch ends; None is never.
        drop: bool; whether a last batch that `stop` cuts short is left out.

    Returns:
        tf.data.Dataset of tuples (values,) or (values, labels).
    """
    info, read = examples.info, examples.reader(labels)
    start = first_step * batch_size
    static = stop is None or drop or (stop - start) % batch_size == 0
    shape = (batch_size if static else None, *info.shape)

    def batch(step):
        begin = step * batch_size
        end = begin + batch_size if static else tf.minimum(begin + batch_size, stop)
        ids = example_ids(tf.range(begin, end), info.num_examples, seed, shuffle)
        values, *rest = read(ids, step)
        rest = [tf.ensure_shape(part, shape[:1]) for part in rest]
        return to_floats(tf.ensure_shape(values, shape), *rest)

    if stop is None:
        steps = tf.data.Dataset.range(first_step, END_OF_TIME)
        steps = steps.apply(tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY))
    else:
        count = (stop - start) // batch_size if drop else -(-(stop - start) // batch_size)
        steps = tf.data.Dataset.range(first_step, first_step + count)
    return steps.map(batch, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)


def sequential_batches(
    examples, batch_size, seed, labels, shuffle, first_step, stop=None, drop=True
):
    """The same for examples that can only be read in sequence (`examples.epoch` instead of
    `reader`).

    `examples.epoch` orders an epoch, by a function of (seed, epoch). To begin within an epoch, the
    examples before are read, but not decoded.
    """
    info, n = examples.info, examples.info.num_examples
    start = first_step * batch_size
    first_epoch, first_index = divmod(start, n)

    @tf.autograph.experimental.do_not_convert  # there is nothing to convert, and TFDS's code warns
    def epoch(number):
        skipped = tf.where(tf.equal(number, first_epoch), tf.constant(first_index, tf.int64), 0)
        return examples.epoch(number, skipped, seed, labels, shuffle)

    last_epoch = END_OF_TIME if stop is None else -(-stop // n)
    dataset = tf.data.Dataset.range(first_epoch, last_epoch).flat_map(epoch)
    dataset = dataset.map(examples.decode, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    if stop is None:
        count = tf.data.INFINITE_CARDINALITY
    else:
        dataset = dataset.take(stop - start)
        count = (stop - start) // batch_size if drop else -(-(stop - start) // batch_size)
    static = stop is None or drop or (stop - start) % batch_size == 0
    dataset = dataset.batch(batch_size, drop_remainder=static)
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(count))
    shapes = ((batch_size if static else None, *info.shape), (batch_size if static else None,))

    def finish(*parts):
        shaped = [tf.ensure_shape(p, s) for p, s in zip(parts, shapes, strict=False)]
        return to_floats(*shaped)

    return dataset.map(finish, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)


def by_step(dataset, first_step, function):
    """Maps the batches of a run by `function(step, batch)`.

    Args:
        dataset: tf.data.Dataset, the run's from `first_step` on.
        first_step: int.
        function: of an int64 tensor and an element.
    """
    steps, count = tf.data.Dataset.range(first_step, END_OF_TIME), dataset.cardinality()
    both = tf.data.Dataset.zip(steps, dataset)
    mapped = both.map(function, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    if count == tf.data.UNKNOWN_CARDINALITY:
        return mapped
    return mapped.apply(tf.data.experimental.assert_cardinality(count))


def pipeline(make_batches, examples, jitter=None, **settings):
    """Finishes the batches of `make_batches`: jitter, single values for tuples of one, prefetching.

    Args:
        make_batches: `batches` or `sequential_batches`.
        examples, **settings: see there.
        jitter: `jitter.Jitter`, or None.
    """
    dataset = make_batches(examples, **settings)
    if jitter:

        def move(step, parts):
            pictures, *rest = parts
            return (jitter(pictures, settings["seed"], step), *rest)

        dataset = by_step(dataset, settings["first_step"], move)
    if not settings["labels"]:
        dataset = dataset.map(lambda values: values)
    options = tf.data.Options()
    options.deterministic = True
    return dataset.with_options(options).prefetch(tf.data.AUTOTUNE)
