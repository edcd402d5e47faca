"""What a model reports: means of quantities, and settings that change while it trains."""

import keras
from keras import ops


class ReportedMean(keras.metrics.Mean):
    """A mean that also counts its updates up to the first one that was not finite.

    Where training breaks, each loss is NaN soon after the first. The counts tell which was first
    and when, without a look at every step; see `callbacks.Guard`.

    Example:

    >>> mean = ReportedMean("loss")
    >>> for value in (1.0, 2.0, float("nan"), 4.0):
    ...     mean.update_state(value)
    >>> float(mean.count), float(mean.finite_updates)
    (4.0, 2.0)
    """

    def __init__(self, name=None, dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.finite_updates = self.add_variable((), "zeros", self.dtype, name="finite_updates")

    def update_state(self, values, sample_weight=None):
        super().update_state(values, sample_weight)
        # A sum that is not finite stays so.
        self.finite_updates.assign_add(ops.cast(ops.isfinite(self.total), self.dtype))

    def reset_state(self):
        super().reset_state()
        self.finite_updates.assign(0)


class InUse(keras.metrics.Metric):
    """The number that a scheduled setting last was, the same on all replicas.

    Example:

    >>> in_use = InUse("gp_weight")
    >>> for value in (10.0, 9.5):
    ...     in_use.update_state(value)
    >>> float(in_use.result())
    9.5
    """

    def __init__(self, name=None, dtype=None):
        super().__init__(name=name, dtype=dtype)
        first = "only_first_replica"  # their sum would be as many times the number
        self.value = self.add_variable((), "zeros", aggregation=first, name="value")

    def update_state(self, value):
        self.value.assign(ops.cast(value, self.dtype))

    def result(self):
        return ops.convert_to_tensor(self.value)
