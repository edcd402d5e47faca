"""Learning rates that fall where training stalls."""

import numbers

import keras
import numpy as np

from keras_gans.checks import check_int


class ReduceRatesOnPlateau(keras.callbacks.Callback):
    """Multiplies the rates of all players by a factor where a number of the logs stops falling.

    Keras's `ReduceLROnPlateau` sets the rate of `model.optimizer`, which trains nothing here: each
    player has an optimizer of its own.

    An epoch counts as progress if the number, its mean over the epoch, is below the least one so
    far by more than `min_delta`. After `patience` epochs in a row without progress the rates fall,
    and the count begins again. The rates enter the logs as `<player>_rate`.

    Rates are saved with the model's optimizers, and the count by `Resume`. Without it a run that
    goes on where an earlier one stopped counts from 0.

    Args:
        monitor: str, the name of a loss or of another number that the model reports. It must be
            better where it is less, as BEGAN's measure "convergence" is.
        factor: float in (0, 1). The paper of BEGAN has 0.5.
        patience: int, 1 or more, epochs without progress before the rates fall.
        min_delta: float, 0 or more, the least progress that counts.
        min_rate: float, 0 or more. No rate is brought below it, and one that is lower stays as it
            is. The paper names none.

    Raises:
        ValueError: if an argument is not as said above; when training begins, if the model does not
            report `monitor` or a player's rate has a schedule.

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

    def on_train_begin(self, logs=None):
        reported = [metric.name for metric in self.model.metrics]
        if self.monitor not in reported:
            raise ValueError(
                f"`monitor` must be one of what {type(self.model).__name__} reports, {reported}. "
                f"Received: {self.monitor!r}"
            )
        for player in self.model.players:
            try:
                self._set_rate(player, self._rate(player))
            except (TypeError, AttributeError) as error:  # of Keras, for schedules and functions
                raise ValueError(
                    f"The rate of `{player}_optimizer` must be a number for ReduceRatesOnPlateau "
                    "to change it. Received: a schedule"
                ) from error
        self._best, self._stalled = float("inf"), 0

    def on_epoch_end(self, epoch, logs=None):
        value = float(np.mean(logs[self.monitor]))  # Multi-worker logs are arrays of one number.
        if value < self._best - self.min_delta:
            self._best, self._stalled = value, 0
        else:
            self._stalled += 1
        if self._stalled == self.patience:
            self._stalled = 0
            for player in self.model.players:
                rate = self._rate(player)
                self._set_rate(player, min(rate, max(rate * self.factor, self.min_rate)))
        for player in self.model.players:
            logs[f"{player}_rate"] = self._rate(player)

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
