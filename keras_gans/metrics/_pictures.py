"""What metrics of pictures share: the check of their arrays, and chunks that fit in memory."""

import numbers

import numpy as np
import tensorflow as tf

CHUNK = 2**24  # numbers of float32 that are worked on at once: 64 MB


def check_pictures(name, pictures, smallest):
    """Returns `pictures` as an array, or raises ValueError unless they are uint8 pictures."""
    pictures = np.asarray(pictures)
    shape = pictures.shape
    if pictures.dtype != "uint8" or len(shape) != 4 or 0 in shape or min(shape[1:3]) < smallest:
        raise ValueError(
            f"`{name}` must be uint8 pictures (num, height, width, channels) of at least "
            f"{smallest} x {smallest} pixels. Received: {pictures.dtype} of shape {shape}"
        )
    return pictures


def check_tensor(name, pictures, smallest=1):
    """Pictures as a tensor; ValueError unless they are uint8 (num, height, width, channels)."""
    pictures = tf.convert_to_tensor(pictures)
    shape = pictures.shape
    if (
        pictures.dtype != tf.uint8
        or shape.rank != 4
        or 0 in shape[1:]
        or any(side is not None and side < smallest for side in shape[1:3])
    ):
        raise ValueError(
            f"`{name}` must be uint8 pictures (num, height, width, channels) of at least "
            f"{smallest} x {smallest} pixels (`keras_gans.images.to_uint8` makes them of those in "
            f"[-1, 1]). Received: {pictures.dtype.name} of shape {shape}"
        )
    return pictures


def check_integer_seed(seed):
    """Returns `seed`, or raises ValueError unless it is an integer of at least 0."""
    if isinstance(seed, bool) or not isinstance(seed, numbers.Integral) or seed < 0:
        raise ValueError(f"`seed` must be an integer of at least 0. Received: {seed!r}")
    return int(seed)


def chunks(num, size):
    """Slices of `num` examples, of `size` numbers each."""
    step = max(1, CHUNK // size)
    return [slice(start, min(start + step, num)) for start in range(0, num, step)]
