"""What several callbacks share: pictures of samples, means of logs, checks of arguments."""

import keras
import numpy as np

from keras_gans.checks import check_int, check_path
from keras_gans.devices.progress import steps_taken  # noqa: F401 for the callbacks here
from keras_gans.devices.replicas import is_chief  # noqa: F401 likewise
from keras_gans.training import kinds
from keras_gans.training.ports import asked_together


def check_optional_int(name, value, minimum):
    """`check_int` for an argument that may be None."""
    return None if value is None else check_int(name, value, minimum)


def check_keras_path(path):
    """`check_path` for the argument `path`, which must end in ".keras"."""
    path = check_path("path", path)
    if not path.endswith(".keras"):
        raise ValueError(f"`path` must end in '.keras'. Received: {path!r}")
    return path


def check_reals(reals):
    """Returns `reals` as an array of points, or None."""
    if reals is None:
        return None
    array = np.asarray(reals)
    if array.ndim != 2 or array.dtype.kind != "f" or 0 in array.shape:
        raise ValueError(
            "`reals` must be a floating-point array (num, dim) of points. "
            f"Received: dtype {array.dtype}, shape {array.shape}"
        )
    return array


def check_samples(samples):
    """Returns `samples`, or raises ValueError unless it is None or can be called with the model."""
    if samples is not None and not callable(samples):
        raise ValueError(
            "`samples` must be a function of the model that returns uint8 pictures (num, H, W, C). "
            f"Received: {samples!r}"
        )
    return samples


def draw(model, num, seed, labels=None, columns=None, reals=None, samples=None):
    """A picture of `samples_to_draw`."""
    values, columns = samples_to_draw(model, num, seed, labels, columns, samples)
    return kinds.render(values, columns, reals)


def samples_to_draw(model, num, seed, labels=None, columns=None, samples=None):
    """The samples from the latents of `seed`, and how many stand in a row.

    Where `samples` is given, they are what this function of the model returns. See also
    `sample_count` and `class_columns`.
    """
    if samples is not None:
        return samples(model), columns
    num = sample_count(model, num if labels is None else len(labels))
    given = {} if labels is None else {"labels": labels}
    if columns is None and labels is None:
        columns = class_columns(num, getattr(model, "num_classes", None))
    made = model.generate(num, seed=seed, **given)
    return kinds.beside(made, columns) if isinstance(made, tuple) else (made, columns)


def sample_count(model, num=None):
    """`num`, or where it is None what `count_of` says of the model's kind of samples.

    Of models that make several things of the same latents, it is that of all of them together.
    """
    if num is not None:
        return num
    shape = getattr(getattr(model, "sampler", None), "output_shape", None)  # of any Keras model
    kind = kinds.Pictures if shape is None else kinds.samples("samples", shape[1:])
    num = count_of(kind, getattr(model, "num_classes", None))
    return max(1, num // len(asked_together(model.ports()))) if hasattr(model, "ports") else num


def count_of(kind, num_classes=None):
    """How many samples of a kind are drawn where nobody says it: no unfinished row of classes."""
    return kind.shown if isinstance(kind, kinds.Points) else full_rows(kind.shown, num_classes)


def full_rows(num, num_classes):
    """The largest number up to `num` that has a picture of each class in every row."""
    return num - num % num_classes if num_classes and num_classes <= num else num


def class_columns(num, num_classes):
    """A column for each class, since `generate` runs through the classes; None for a square."""
    return num_classes if num_classes and num_classes <= num else None


class StepMeans:
    """Means over the last few steps, from logs that Keras averages since the epoch began.

    A mean since the beginning is smooth at an epoch's end and jumps at its start, so a curve of it
    shows epochs and not the training. From two of them the mean of the steps between follows:
    (k m_k - j m_j) / (k - j). Logs that are no `keras.metrics.Mean` of the model stay as they are.
    """

    def __init__(self, model):
        means = (m for m in getattr(model, "metrics", ()) if isinstance(m, keras.metrics.Mean))
        self._averaged = {metric.name for metric in means}
        self.begin_epoch()

    def begin_epoch(self):
        """Forgets the epoch before, as the metrics do."""
        self._before = {}

    def get_state(self):
        """The sums so far, for `Resume`."""
        return {name: list(before) for name, before in self._before.items()}

    def set_state(self, state):
        self._before = {name: tuple(before) for name, before in state.items()}

    def since_last(self, steps, logs):
        """`{name: mean since the last call}`, after `steps` steps of the epoch."""
        means = {}
        for name, value in (logs or {}).items():
            value = float(np.mean(value))  # Multi-worker logs are arrays of one number.
            before_steps, before = self._before.get(name, (0, 0.0))
            if name in self._averaged:
                self._before[name] = (steps, value)
                if steps > before_steps:
                    value = (steps * value - before_steps * before) / (steps - before_steps)
            means[name] = value
        return means
