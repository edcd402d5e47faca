"""What all metrics share: sides, counts, protocols, and rows that are kept in order.

State is in variables. Sums are summed over replicas. What has an order (rows that are kept, the
splits of a score) is gathered from all replicas first and kept alike by each of them, in the order
of one device's batch. So N replicas end with what one device has.
"""

import warnings

import keras
import numpy as np
import tensorflow as tf

from keras_gans.checks import check_count
from keras_gans.devices.replicas import global_batch, num_replicas
from keras_gans.metrics._pictures import check_tensor
from keras_gans.metrics.features import Extractor
from keras_gans.metrics.measurement import Measurement

SIDES = ("reals", "fakes")
FEW = 2000  # examples below which estimates that are biased come with a caution


class GenerativeMetric(keras.metrics.Metric):
    """A measure of fakes, mostly against reals, that is updated in batches.

    `update_state(reals, fakes)` takes a batch of each; either may be None, for the two need not be
    as many. `result()` gives a float where there is one number, as `FID`, and a dict of floats by
    name where there are several, as `KID`; `values()` is a dict in any case. They work on the host
    and outside of graphs, so that these are no metrics for `compile`. `measurement()` gives the
    same with the protocol.

    Subclasses have `check(side, rows)`, which returns a tensor, `update(reals, fakes)`,
    `compute()`, a dict of floats with the main one first, `settings()`, their part of the protocol,
    and `caution()`, where there is something to be known of the numbers.
    """

    lower_is_better = True

    def __init__(self, name):
        super().__init__(name=name)
        for side in SIDES:
            setattr(self, f"{side}_count", self.add_sum(f"{side}_count", (), "int64"))
        # The wrapping sum of hashes: which pictures they were, in whatever order they came.
        self.reals_hashes = self.add_sum("reals_hashes", (), "int64")

    def add_sum(self, name, shape, dtype="float64"):
        """A variable of which each replica has its own part; named "reals_..." or "fakes_..."."""
        return self.add_variable(shape, "zeros", dtype=dtype, aggregation="sum", name=name)

    def update_state(self, reals=None, fakes=None):
        """Adds a batch of reals, of fakes, or of both."""
        if reals is None and fakes is None:
            raise ValueError("`reals` or `fakes` must be given. Received: None for both")
        reals, fakes = (
            None if rows is None else self.check(side, rows)
            for side, rows in zip(SIDES, (reals, fakes), strict=True)
        )
        if reals is not None:
            self.reals_count.assign_add(tf.shape(reals, out_type=tf.int64)[0])
            hashes = tf.bitcast(tf.fingerprint(reals), tf.int64)
            self.reals_hashes.assign_add(tf.reduce_sum(hashes))
        if fakes is not None:
            self.fakes_count.assign_add(tf.shape(fakes, out_type=tf.int64)[0])
        self.update(reals, fakes)

    def result(self):
        """A float, or a dict of floats where there are several, the main one first.

        Warns of what `caution()` says.

        Raises:
            ValueError, RuntimeError: see `values`.
        """
        values = self.values()
        if caution := self.caution():
            warnings.warn(caution, stacklevel=2)
        return next(iter(values.values())) if len(values) == 1 else values

    def values(self):
        """Dict of floats, the main value first.

        Raises:
            ValueError: too few reals or fakes.
            RuntimeError: it is called in a graph.
        """
        if not tf.executing_eagerly():
            raise RuntimeError(
                f"`{self.name}.result()` must be called outside of graphs (`tf.function`, "
                "`compile(metrics=...)`), for it is computed on the host"
            )
        return {name: float(value) for name, value in self.compute().items()}

    def measurement(self):
        """The result with its protocol: `Measurement`."""
        values = self.values()
        return Measurement(self.name, values, self.protocol(), self.lower_is_better, self.caution())

    def caution(self):
        """What has to be known of the numbers before they are believed, in words; or ""."""
        return ""

    def fewest(self):
        """The fewest examples of a side that it was given any of."""
        return min((self.count(side) for side in SIDES if self.count(side)), default=0)

    def protocol(self):
        """All that the result depends on but for the fakes: a dict of strings and numbers."""
        reals, fakes = self.count("reals"), self.count("fakes")
        hashes = f"{int(self.reals_hashes.numpy()) % 2**64:016x}" if reals else None
        return {**self.settings(), "reals": reals, "fakes": fakes, "reals_hash": hashes}

    def settings(self):
        return {}

    def count(self, side):
        """How many reals or fakes it was given."""
        return int(getattr(self, f"{side}_count").numpy())

    def need(self, side, least):
        """The count of a side; ValueError where it is below `least`."""
        count = self.count(side)
        if count < least:
            raise ValueError(f"`{self.name}` needs {least} {side} or more. Received: {count}")
        return count

    # A side can be kept, and the other one measured anew: the reals of a training.

    def reset_fakes(self):
        """Forgets the fakes and keeps the reals."""
        for variable in self._of("fakes"):
            variable.assign(tf.zeros(variable.shape, variable.dtype))

    def reals_state(self):
        """What is known of the reals, for a file: dict of arrays. See `set_reals_state`."""
        return {variable.name: np.array(variable) for variable in self._of("reals")}

    def set_reals_state(self, state):
        """Takes the reals' side of a metric of the same settings; not within a strategy's scope.

        Raises:
            ValueError: the state does not fit.
        """
        wanted = {variable.name: tuple(variable.shape) for variable in self._of("reals")}
        received = {name: np.shape(value) for name, value in state.items()}
        if received != wanted:
            raise ValueError(f"`state` must have the arrays {wanted}. Received: {received}")
        for variable in self._of("reals"):
            variable.assign(state[variable.name])

    def _of(self, side):
        return [variable for variable in self.variables if variable.name.startswith(side)]

    def get_config(self):
        raise NotImplementedError(
            f"{type(self).__name__} is not saved with models: what it measures with is no setting"
        )


class Rows:
    """Rows that a metric keeps, in the order in which they came, up to a number.

    Args:
        metric: `GenerativeMetric`, which owns the variables.
        name: str that begins with "reals" or "fakes".
        num: int, rows at most; their memory is taken at once.
        shape: tuple of int, of a row.
        dtype: str.
    """

    def __init__(self, metric, name, num, shape, dtype="float32"):
        def add(part, shape, dtype):
            return metric.add_variable(
                shape, "zeros", dtype=dtype, aggregation="only_first_replica", name=f"{name}_{part}"
            )

        self.name, self.num = name, num
        self.rows, self.filled = add("rows", (num, *shape), dtype), add("filled", (), "int64")

    def append(self, rows):
        """Adds the rows of this replica, and of all others."""
        if rows.dtype == tf.uint8:  # collectives have none; float16 has all its values
            rows = tf.cast(global_batch(tf.cast(rows, tf.float16)), tf.uint8)
        else:
            rows = global_batch(rows)
        start = tf.convert_to_tensor(self.filled.value)
        end = start + tf.shape(rows, out_type=tf.int64)[0]
        message = f"`num` must be at least the number of {self.name}, of which {self.num} fit"
        if tf.executing_eagerly():
            if end > self.num:
                raise ValueError(f"{message}. Received: {int(end)}")
        else:
            tf.debugging.assert_less_equal(end, tf.constant(self.num, tf.int64), message)
        # Keras and the variables of strategies have no assignment to a part of the rows, and a new
        # tensor of them all for each batch costs as much as the metric.
        tf.raw_ops.ResourceScatterNdUpdate(
            ref=self.rows.value.handle, indices=tf.range(start, end)[:, None], updates=rows
        )
        self.filled.assign(end)

    def numpy(self):
        """The rows so far, as an array (at most `num`, ...)."""
        return self.rows.numpy()[: int(self.filled.numpy())]


def first_index(position, num):
    """Where the next `num` rows of this replica are, after `position` rows of all of them."""
    if num_replicas() == 1:
        return position
    sizes = global_batch(num[None])
    return position + tf.reduce_sum(
        sizes[: tf.distribute.get_replica_context().replica_id_in_sync_group]
    )


class FeatureMetric(GenerativeMetric):
    """A measure of the features that an extractor makes of pictures.

    Args:
        extractor: `keras_gans.metrics.Extractor`.
        name: str.
    """

    def __init__(self, extractor, name):
        if not isinstance(extractor, Extractor):
            raise ValueError(
                "`extractor` must be an Extractor of keras_gans.metrics: one of pictures, such as "
                "fashion_mnist_classifier(), or GivenFeatures(size, name) where features are given "
                f"in their place. Received: {extractor!r}"
            )
        super().__init__(name)
        self.extractor = extractor

    def check(self, side, rows):
        return self.extractor.check(side, rows)

    def update(self, reals, fakes):
        for side, rows in zip(SIDES, (reals, fakes), strict=True):
            if rows is not None:
                self.update_side(side, self.extractor(rows))

    def settings(self):
        return {**self.extractor.protocol(), **self.own_settings()}

    def own_settings(self):
        return {}


def check_probabilities(name, extractor):
    """The number of an extractor's classes; ValueError where it gives no probabilities of them."""
    if extractor.num_classes is None:
        raise ValueError(
            f"`{name}` must give probabilities of classes. Received: {extractor.name!r}, which has "
            "none"
        )
    return extractor.num_classes


class PictureMetric(GenerativeMetric):
    """A measure of uint8 pictures themselves.

    Args:
        name: str.
        smallest: int, the least height and width.
        shape: tuple (height, width, channels) of all pictures, or None for any.
    """

    def __init__(self, name, smallest, shape=None):
        super().__init__(name)
        self.smallest, self.shape = smallest, None if shape is None else check_shape(shape)

    def check(self, side, rows):
        pictures = check_tensor(side, rows, self.smallest)
        if self.shape and not pictures.shape[1:].is_compatible_with(self.shape):
            raise ValueError(
                f"`{side}` must be pictures of `shape` {self.shape}. "
                f"Received: shape {pictures.shape}"
            )
        return pictures


def check_shape(shape):
    """Returns `shape` as a tuple, or raises ValueError unless it is (height, width, channels)."""
    shape = tuple(shape) if isinstance(shape, tuple | list) else shape
    if not isinstance(shape, tuple) or len(shape) != 3:
        raise ValueError(f"`shape` must be (height, width, channels). Received: {shape!r}")
    return tuple(check_count("shape", side) for side in shape)
