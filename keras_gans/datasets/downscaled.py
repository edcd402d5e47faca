"""`downscaled`: pictures beside themselves in small, for models that enlarge pictures."""

import dataclasses
import functools

import numpy as np
import tensorflow as tf

from keras_gans.checks import check_int
from keras_gans.datasets.examples import to_floats
from keras_gans.datasets.stepwise import by_step


def downscaled(dataset, scale=4):
    """Pairs (low, high) of the pictures of a set and what is left of them at 1 / scale of the size.

    The low pictures are bicubic ones, with antialiasing, of whole levels from 0 to 255, as files
    have them: see `downscale`. What `load` has as `crop` and `flip` is done before, on the high
    ones: windows of 96 x 96 pixels are the paper's.

    Args:
        dataset: tf.data.Dataset of float32 pictures (batch, height, width, channels) in [-1, 1],
            such as that of `load`, without labels.
        scale: int, at least 2, of which height and width are multiples.

    Returns:
        tf.data.Dataset of pairs of float32 pictures (batch, height / scale, width / scale,
        channels) and (batch, height, width, channels), in [-1, 1]. Of the attributes `info`, which
        is of the high pictures, `start_step` and `from_step(step)`, it has those of `dataset`.

    Raises:
        TypeError: `dataset` is no tf.data.Dataset.
        ValueError: it has no such pictures, or `scale` is out of its range.

    Example:
        >>> dataset = downscaled(load("photos/", crop=96, batch_size=16), scale=4)
        >>> low, high = next(iter(dataset))
        >>> low.shape, high.shape
        (TensorShape([16, 24, 24, 3]), TensorShape([16, 96, 96, 3]))

    Reference:
        Ledig et al., 2017 (arXiv:1609.04802), section 3.2.
    """
    if not isinstance(dataset, tf.data.Dataset):
        raise TypeError(f"`dataset` must be a tf.data.Dataset. Received: {dataset!r}")
    spec = dataset.element_spec
    if not isinstance(spec, tf.TensorSpec) or not spec.dtype.is_floating or spec.shape.rank != 4:
        raise ValueError(
            "`dataset` must have float32 pictures (batch, height, width, channels) alone, without "
            f"labels. Received: elements {spec}"
        )
    check_scale(scale, spec.shape[1:3])

    def pair(step, pictures):
        low = smaller((pictures + 1.0) * 127.5, scale)
        return to_floats(low)[0], pictures

    def run(dataset, first_step):
        return by_step(dataset, first_step, pair).prefetch(tf.data.AUTOTUNE)

    result = run(dataset, getattr(dataset, "start_step", 0))
    for name in ("info", "start_step"):
        if hasattr(dataset, name):
            setattr(result, name, getattr(dataset, name))
    if hasattr(dataset, "from_step"):
        result.from_step = lambda step: run(dataset.from_step(step), step)
    result.belong_together = True  # for `shifted`
    return result


def low_part(dataset, scale):
    """What `downscaled` makes of a set, without the pictures of which it makes it.

    Args:
        dataset: as `load` returned it, without labels.
        scale: see `downscaled`.

    Returns:
        tf.data.Dataset of float32 pictures (batch, height / scale, width / scale, channels), with
        what `metrics.evaluate` needs to read it in the set's order.
    """
    check_scale(scale, dataset.info.shape[:2])

    def low(pictures):
        return to_floats(smaller((pictures + 1.0) * 127.5, scale))[0]

    def run(labels=False, **ends):
        return dataset.run(**ends).map(low, num_parallel_calls=tf.data.AUTOTUNE)

    height, width, channels = dataset.info.shape
    result = dataset.map(low)
    result.run = functools.partial(run, labels=False)
    shape = (height // scale, width // scale, channels)
    result.info = dataclasses.replace(dataset.info, shape=shape)
    return result


def downscale(pictures, scale=4):
    """Pictures at 1 / scale of their size, by a bicubic filter that is as wide as they get smaller.

    So do Pillow's `BICUBIC`, MATLAB's `imresize` and TensorFlow with `antialias=True`. OpenCV's
    bicubic and TensorFlow's by default look at 4 x 4 pixels of the large picture for each of the
    small one, skip those between, and make pictures that are easier or harder to enlarge by dB.

    Args:
        pictures: uint8 array (num, height, width, channels).
        scale: int, at least 2, of which height and width are multiples.

    Returns:
        uint8 array (num, height / scale, width / scale, channels).

    Raises:
        ValueError: the pictures are no such array, or `scale` is out of its range.

    Example:
        >>> downscale(np.zeros((1, 96, 64, 3), "uint8"), scale=4).shape
        (1, 24, 16, 3)
    """
    pictures = np.asarray(pictures)
    if pictures.dtype != np.uint8 or pictures.ndim != 4:
        raise ValueError(
            "`pictures` must be uint8 (num, height, width, channels). "
            f"Received: {pictures.dtype} of shape {pictures.shape}"
        )
    check_scale(scale, pictures.shape[1:3])
    with tf.device("CPU:0"):
        return smaller(tf.constant(pictures), scale).numpy()


def smaller(pictures, scale):
    """uint8 tensor of what is left of pictures with levels from 0 to 255."""
    size = [side // scale for side in pictures.shape[1:3]]
    low = tf.image.resize(pictures, size, method="bicubic", antialias=True)
    low = tf.ensure_shape(low, (pictures.shape[0], *size, pictures.shape[3]))
    return tf.cast(tf.clip_by_value(tf.round(low), 0.0, 255.0), tf.uint8)


def check_scale(scale, size):
    """Raises ValueError unless both sides are multiples of `scale`, and known."""
    check_int("scale", scale, 2)
    if None in tuple(size) or any(side % scale for side in size):
        raise ValueError(
            "`scale` must divide the height and the width of the pictures, which `load` makes so "
            f"by `crop`. Received: {scale}, and pictures of {tuple(size)} (height, width)"
        )


def enlarge_bicubic(pictures, scale=4):
    """Pictures enlarged by the bicubic filter, what a model of super-resolution has to surpass.

    Args:
        pictures: uint8 array (num, height, width, channels).
        scale: int, at least 2.

    Returns:
        uint8 array (num, scale height, scale width, channels).
    """
    pictures, scale = np.asarray(pictures), check_int("scale", scale, 2)
    size = [scale * side for side in pictures.shape[1:3]]
    with tf.device("CPU:0"):
        large = tf.image.resize(pictures, size, method="bicubic", antialias=True)
        return tf.cast(tf.clip_by_value(tf.round(large), 0.0, 255.0), tf.uint8).numpy()
