"""The reals that models are measured against, in their own order."""

import numpy as np

from keras_gans.checks import brief
from keras_gans.training import kinds


class Examples:
    """Pictures or points, from an array or from a set of `keras_gans.datasets`.

    Args:
        name: str, what errors call them.
        data: uint8 pictures (num, height, width, channels); or float points (num, dimensions); or
            a pair of these and int labels (num,); or a dataset as `datasets.load` returned it,
            which is read in the set's own order whatever order it was loaded with.

    Attributes:
        set_name: str, or None for arrays.
        num: int.
        shape: tuple of int, of one example.
        labelled: bool.
        num_classes: int, or None where it is not known.
    """

    def __init__(self, name, data):
        self._run = getattr(data, "run", None)
        if self._run is not None:
            info = data.info
            self.set_name, self.num, self.shape = info.name, info.num_examples, info.shape
            self.labelled = self._run.keywords["labels"]
            self.num_classes = info.num_classes if self.labelled else None
            return
        is_pair = isinstance(data, tuple) and len(data) == 2
        self._rows, self._labels = data if is_pair else (data, None)
        if not isinstance(self._rows, np.ndarray) or not _is_of_examples(self._rows):
            raise ValueError(
                f"`{name}` must be uint8 pictures (num, height, width, channels) or float points "
                "(num, dimensions), with or without labels (num,), or a dataset of "
                f"`keras_gans.datasets.load`. Received: {brief(self._rows)}"
                f"{_remedy(self._rows)}"
            )
        self.set_name, self.num, self.shape = None, len(self._rows), self._rows.shape[1:]
        self.labelled, self.num_classes = is_pair, None
        if is_pair:
            labels = self._labels = np.asarray(self._labels)
            if labels.shape != (self.num,) or labels.dtype.kind not in "iu":
                raise ValueError(
                    f"The labels of `{name}` must be integers of shape ({self.num},). "
                    f"Received: {brief(labels)}"
                )

    def batches(self, num, size):
        """Yields pairs of at most `size` examples and their labels or None, of the first `num`."""
        if self._run is None:
            for start in range(0, num, size):
                part = slice(start, min(start + size, num))
                yield self._rows[part], None if self._labels is None else self._labels[part]
            return
        order = {"batch_size": size, "shuffle": False, "drop": False}
        for batch in self._run(first_step=0, stop=num, **order):
            rows, labels = batch if self.labelled else (batch, None)
            yield self.kind.to_border(rows), None if labels is None else labels.numpy()

    @property
    def kind(self):
        """The kind of the examples; see `keras_gans.training.kinds`."""
        return kinds.samples("examples", self.shape)

    @property
    def size_in_words(self):
        """Such as "28 x 28 x 1"."""
        return " x ".join(map(str, self.shape))


def _is_of_examples(rows):
    is_picture = rows.ndim == 4 and rows.dtype == np.uint8
    return 0 not in rows.shape and (is_picture or (rows.ndim == 2 and rows.dtype.kind == "f"))


def _remedy(rows):
    """What makes pictures of what was given, for an error."""
    is_float = isinstance(rows, np.ndarray) and rows.ndim == 4 and rows.dtype.kind == "f"
    return "; `keras_gans.images.to_uint8` takes those in [-1, 1]" if is_float else ""
