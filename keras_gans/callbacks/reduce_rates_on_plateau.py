"""Learning rates that fall where training stalls."""

import math
import numbers

import keras
import numpy as np

from keras_gans.checks import check_int
from keras_gans.training.keras_callbacks import measured_by


class ReduceRatesOnPlateau(keras.callbacks.Callback):
    """Multiplies the rates of all players by a factor where a number of the logs stops falling.

    Keras's `ReduceLROnPlateau` sets the rate of `model.optimizer`, which is the generator's alone:
    each player has an optimizer of its own.

    An epoch counts as progress if the number, its mean over the epoch, is below the least one so
    far by more than `min_delta`, or above the largest one where more is better of what an
    `Evaluate` measures. Epochs without a measurement do not count. After `patience` epochs in a row
    without progress the rates fall, and the count begins again. The logs have the rates as
    `<player>_rate`.

    Rates are saved with the model's optimizers, and the count by `Resume`. Without it a run that
    goes on where an earlier one stopped counts from 0.

    Args:
        monitor: str, the name of a loss or of another number that the model reports, which must be
            better where it is less, as BEGAN's measure "convergence" is; or what an `Evaluate`
            before this callback in the list measures, such as "fid".
        factor: float in (0, 1). The paper of BEGAN has 0.5.
        patience: int, 1 or more, epochs without progress before the rates fall.
        min_delta: float, 0 or more, the least progress that counts.
        min_rate: float, 0 or more. No rate is brought below it, and one that is lower stays as it
            is. The paper names none.

    Raises:
        ValueError: if an argument is not as said above; when training begins, if neither the model
            nor an `Evaluate` reports `monitor` or a player's rate has a schedule.

    Example:

    ```python
    gan.fit(dataset, epochs=100, callbacks=[ReduceRatesOnPlateau("convergence", patience=5)])
    ```

    Reference:
        Berthelot et al., 2017 (arXiv:1703.10717), section 4.1.
    """

    def __init__(self, monitor, factor=0.5, patience=10, min_delta=1e-4, min_rate=1e-6):
        super().__init__()
        if not isinstance(monitor, str) or not monitor:
            raise ValueError(f"`monitor` must be a name in the logs. Received: {monitor!r}")
        self.monitor = monitor
        self.factor = _check_number("factor", factor, lambda x: 0 < x < 1, "in (0, 1)")
        self.patience = check_int("patience", patience, 1)
        self.min_delta = _check_number("min_delta", min_delta, lambda x: x >= 0, "0 or more")
        self.min_rate = _check_number("min_rate", min_rate, lambda x: x >= 0, "0 or more")
        self._evaluate = None

    def comes_after(self, callbacks):
        """Told by `fit`: the callbacks before this one, whose numbers it sees in the logs."""
        self._evaluate = measured_by(callbacks, self.monitor)

    def on_train_begin(self, logs=None):
        reported = [metric.name for metric in self.model.metrics]
        if self.monitor in reported:
            self._evaluate = None
        elif self._evaluate is None:
            self._refuse_monitor(reported)
        for player in self.model.players:
            try:
                self._set_rate(player, self._rate(player))
            except (TypeError, AttributeError) as error:  # of Keras, for schedules and functions
                raise ValueError(
                    f"The rate of `{player}_optimizer` must be a number for ReduceRatesOnPlateau "
                    "to change it. Received: a schedule"
                ) from error
        self._best, self._stalled = float("inf"), 0

    def _refuse_monitor(self, reported):
        raise ValueError(
            f"`monitor` must be one of what {type(self.model).__name__} reports, {reported}, or of "
            "what an `Evaluate` before this callback in the list measures. "
            f"Received: {self.monitor!r}"
        )

    def on_epoch_end(self, epoch, logs=None):
        if self._evaluate is None:
            self._count(float(np.mean(logs[self.monitor])))  # Of several workers it is an array.
        elif self._evaluate.measurements:
            lower = self._evaluate.lower_is_better(self.monitor)
            if lower is None:
                self._refuse_monitor(sorted(logs))
            if not math.isnan(value := logs[self.monitor]):
                self._count(value if lower else -value)
        if self._stalled == self.patience:
            self._stalled = 0
            for player in self.model.players:
                rate = self._rate(player)
                self._set_rate(player, min(rate, max(rate * self.factor, self.min_rate)))
        for player in self.model.players:
            logs[f"{player}_rate"] = self._rate(player)

    def _count(self, value):
        if value < self._best - self.min_delta:
            self._best, self._stalled = value, 0
        else:
            self._stalled += 1

    def get_state(self):
        """The count, for `Resume`."""
        return {"best": self._best, "stalled": self._stalled}

    def set_state(self, state):
        self._best, self._stalled = state["best"], state["stalled"]

    def _rate(self, player):
        return float(np.asarray(self.model.optimizer_of(player).learning_rate))

    def _set_rate(self, player, rate):
        self.model.optimizer_of(player).learning_rate = rate


def _check_number(name, value, holds, rule):
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or not holds(value):
        raise ValueError(f"`{name}` must be a number {rule}. Received: {value!r}")
    return value
