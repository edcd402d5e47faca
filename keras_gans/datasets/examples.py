"""What the readers of this package hand to the pipeline: a set's description and its examples."""

import dataclasses

import tensorflow as tf

from keras_gans.catalogue import DatasetInfo

MEMORY_BUDGET = 4 * 2**30
"""Sets of up to this many bytes (as uint8, after resizing) are held in memory, others streamed."""


@dataclasses.dataclass(frozen=True, eq=False)
class InMemory:
    """Examples held in the host's memory, from which batches are gathered.

    Args:
        info: DatasetInfo.
        values: uint8 pictures (n, height, width, channels), or float32 points (n, dimensions). As
            the labels, they may be given as an array, and are kept as a tensor.
        labels: int32 (n,), or None.
        names: tuple of str, of the files below their folder; empty of what has none.
    """

    info: DatasetInfo
    values: tf.Tensor
    labels: tf.Tensor | None = None
    names: tuple = ()

    def __post_init__(self):
        with tf.init_scope(), tf.device("CPU:0"):
            for name in ("values", "labels"):
                if getattr(self, name) is not None:
                    object.__setattr__(self, name, tf.constant(getattr(self, name)))

    def reader(self, labels):
        """Returns a function from int64 ids (batch,) to a tuple of the values and the labels.

        It is also given the step that they are for, which some examples depend on.

        It captures the tensors, which are inputs of the graphs that it is traced in and not
        constants in them: all datasets made of these examples share one copy.
        """
        tensors = (self.values, self.labels) if labels else (self.values,)
        return lambda ids, step=None: tuple(tf.gather(tensor, ids) for tensor in tensors)


def to_floats(values, *labels):
    """Uint8 pictures become float32 in [-1, 1]; points stay as they are, and so do labels."""
    if values.dtype == tf.uint8:
        values = tf.cast(values, tf.float32) / 127.5 - 1.0
    return (values, *labels)
