"""Random windows and mirror images, by which a set of pictures is made larger."""

import dataclasses

import tensorflow as tf

from keras_gans.datasets.stepwise import scatter
from keras_gans.training.kinds import samples


@dataclasses.dataclass(frozen=True)
class Jitter:
    """What is drawn anew for each picture whenever it comes.

    Args:
        crop: pair of int (height, width), the window that is cut out, or None for all.
        flip: bool; whether every second picture, by chance, is mirrored left to right.
    """

    crop: tuple | None = None
    flip: bool = False

    def __bool__(self):
        return self.crop is not None or self.flip

    def shape(self, shape):
        """The shape (height, width, channels) of pictures of a shape."""
        return (*self.crop, *shape[2:]) if self.crop else tuple(shape)

    def __call__(self, pictures, seed, step):
        """Pictures (batch, height, width, channels), each by its own draw.

        Args:
            pictures: tensor.
            seed: int in [0, 2^63), of the order of the set.
            step: int64 tensor, the batch's.
        """
        number, (height, width) = tf.shape(pictures)[0], pictures.shape[1:3]
        # Scattered twice: the order has the seed scattered once, see `stepwise.keys`.
        seeds = [scatter(scatter(seed)) % 2**62 + draw for draw in range(3)]
        if self.crop:
            starts = [
                tf.random.stateless_uniform(
                    (number,), [seeds[axis], step], 0, side - part + 1, dtype=tf.int32
                )
                for axis, (side, part) in enumerate(zip((height, width), self.crop, strict=True))
            ]
            pictures = windows(pictures, starts, self.crop)
        if self.flip:
            drawn = tf.random.stateless_uniform((number, 1, 1, 1), [seeds[2], step])
            pictures = tf.where(drawn < 0.5, pictures, tf.reverse(pictures, axis=[2]))
        return pictures


def check_jitter(jitter, info, what="its pictures"):
    """Raises ValueError unless pictures such as `what` can be moved so."""
    if jitter and not samples("samples", info.shape).pictured:
        argument, wanted = ("crop", None) if jitter.crop else ("flip", False)
        raise ValueError(
            f"`{argument}` must be {wanted} for {info.name!r}, which has no pictures. "
            f"Received: {getattr(jitter, argument)}"
        )
    size = info.shape[:2]
    if jitter.crop and any(part > side for part, side in zip(jitter.crop, size, strict=True)):
        raise ValueError(
            f"`crop` must be at most {size} (height, width), the size of {what}, of {info.name!r}. "
            f"Received: {jitter.crop}"
        )


def windows(pictures, starts, size):
    """A window of each picture.

    Args:
        pictures: tensor (batch, height, width, channels).
        starts: pair of int32 tensors (batch,), the upper edges and the left ones.
        size: pair of int (height, width), of the windows.

    Returns:
        tensor (batch, *size, channels).
    """
    for axis, (start, length) in enumerate(zip(starts, size, strict=True), 1):
        pictures = tf.gather(pictures, start[:, None] + tf.range(length), axis=axis, batch_dims=1)
    return pictures
