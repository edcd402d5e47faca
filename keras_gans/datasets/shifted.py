"""`shifted`: pictures moved by a few pixels, so that a small set stands for a larger one."""

import numbers

import tensorflow as tf

from keras_gans.checks import check_int
from keras_gans.datasets.jitter import windows
from keras_gans.datasets.stepwise import by_step, scatter


def shifted(dataset, pixels=2, seed=0, fill=-1.0):
    """Moves each picture of each minibatch by random whole pixels, down or up and right or left.

    Both distances are uniform in -pixels, ..., pixels, and are drawn anew for each picture whenever
    it comes; what is moved over an edge is gone. All pictures of a minibatch of several parts are
    moved, each by itself, such as the labelled ones of `semi_supervised` and those of both sides of
    `unpaired`; those of `paired` move together, and labels pass through.

    What is drawn is a pure function of (seed, step): where `dataset` can begin at any step, the
    result can too. Other datasets draw the same in each epoch: repeat those before, and not after.

    Args:
        dataset: tf.data.Dataset of float32 pictures (batch, height, width, channels) in [-1, 1], or
            of tuples with some among their parts, such as those of `load`, `paired`, `unpaired` and
            `semi_supervised`.
        pixels: int from 0 to the shorter side less 1, the largest distance along an axis.
        seed: int in [0, 2^63), of the distances.
        fill: float in [-1, 1], what is seen where a picture has been moved away: -1 is black.

    Returns:
        tf.data.Dataset, as `dataset` otherwise: of its attributes `info`, `start_step`,
        `from_step(step)` and `labelled`, those that it has. `labelled` is not shifted.

    Raises:
        TypeError: `dataset` is no tf.data.Dataset.
        ValueError: it has no pictures, or an argument is out of its range.

    Example:
        >>> dataset = shifted(load("mnist_5k", batch_size=100, labels=True), pixels=2)
        >>> pictures, labels = next(iter(dataset))
        >>> pictures.shape
        TensorShape([100, 28, 28, 1])

    Reference:
        Simard, Steinkraus and Platt, 2003, Best practices for convolutional neural networks
        applied to visual document analysis, section 2: translations as the first of the
        distortions by which a training set is expanded.
    """
    side = _shorter_side(dataset)
    _check_one_size(dataset)
    pixels = check_int("pixels", pixels, 0, side - 1)
    seed = scatter(check_int("seed", seed, 0, 2**63 - 1)) % 2**62
    if isinstance(fill, bool) or not isinstance(fill, numbers.Real) or not -1 <= fill <= 1:
        raise ValueError(f"`fill` must be a number in [-1, 1]. Received: {fill!r}")

    apart = not getattr(dataset, "belong_together", False)

    def move(step, minibatch):
        parts = tf.nest.flatten(minibatch)
        moved = [
            _moved(part, pixels, [seed + place * apart, step], fill) if _is_pictures(part) else part
            for place, part in enumerate(parts)
        ]
        return tf.nest.pack_sequence_as(minibatch, moved)

    def run(dataset, first_step):
        return by_step(dataset, first_step, move).prefetch(tf.data.AUTOTUNE)

    result = run(dataset, getattr(dataset, "start_step", 0))
    for name in ("info", "start_step", "labelled", "belong_together"):
        if hasattr(dataset, name):
            setattr(result, name, getattr(dataset, name))
    if hasattr(dataset, "from_step"):
        result.from_step = lambda step: run(dataset.from_step(step), step)
    return result


def _is_pictures(part):
    return part.dtype.is_floating and part.shape.rank == 4


def _shorter_side(dataset):
    """Of the smallest pictures; TypeError or ValueError, see `shifted`."""
    if not isinstance(dataset, tf.data.Dataset):
        raise TypeError(f"`dataset` must be a tf.data.Dataset. Received: {dataset!r}")
    sides = [
        min(part.shape[1:3])
        for part in tf.nest.flatten(dataset.element_spec)
        if isinstance(part, tf.TensorSpec) and _is_pictures(part) and None not in part.shape[1:3]
    ]
    if not sides:
        raise ValueError(
            "`dataset` must have pictures of a fixed size, float32 (batch, height, width, "
            f"channels). Received: elements {dataset.element_spec}"
        )
    return min(sides)


def _check_one_size(dataset):
    """Raises ValueError where pictures that belong together would move by other parts of a side."""
    if getattr(dataset, "belong_together", False):
        sizes = {tuple(part.shape[1:3]) for part in tf.nest.flatten(dataset.element_spec)}
        if len(sizes) > 1:
            raise ValueError(
                "`dataset` must have pictures of one size: shift those of `load`, and then take "
                f"`downscaled` of them. Received: pairs of {' and '.join(map(str, sorted(sizes)))}"
            )


def _moved(pictures, pixels, seed, fill):
    """Float pictures (batch, height, width, channels), each by its own distances."""
    border = [pixels, pixels]
    padded = tf.pad(pictures, [[0, 0], border, border, [0, 0]], constant_values=fill)
    starts = tf.random.stateless_uniform(
        (tf.shape(pictures)[0], 2), seed=seed, minval=0, maxval=2 * pixels + 1, dtype=tf.int32
    )
    moved = windows(padded, tf.unstack(starts, axis=1), pictures.shape[1:3])
    return tf.ensure_shape(moved, pictures.shape)
