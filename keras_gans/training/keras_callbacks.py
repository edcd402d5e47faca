"""The callbacks of `fit`: what Keras's expect of a model with one loss and one optimizer."""

import os
import warnings

import keras
import numpy as np
from keras import tree

from keras_gans import checks
from keras_gans.training.throughput import Throughput


class Rates(keras.callbacks.Callback):
    """Adds the rates of all players to the logs of epochs, as `<player>_rate`.

    So every logger has them, where most read the one of `model.optimizer` alone, the generator's.
    """

    def on_epoch_end(self, epoch, logs=None):
        if logs is not None:
            for player in self.model.players:
                rate = self.model.optimizer_of(player).learning_rate
                logs[f"{player}_rate"] = float(np.asarray(rate))


class EndOfData(keras.callbacks.Callback):
    """Ends `fit` where data that can't be read again, as a generator's, end within an epoch.

    Keras would go on with epochs without a step, whose losses are 0.
    """

    def on_epoch_begin(self, epoch, logs=None):
        self.taken = False

    def on_train_batch_begin(self, batch, logs=None):
        self.ended = False

    def on_train_batch_end(self, batch, logs=None):
        self.taken, self.last = True, batch

    def on_epoch_end(self, epoch, logs=None):
        steps = self.params.get("steps")
        if steps is None or (self.taken and self.last + 1 >= steps):
            return
        self.model.stop_training = True
        if not self.taken and logs is not None:
            for metric in self.model.metrics:
                logs.pop(metric.name, None)


class AnyLossAsLoss(keras.callbacks.Callback):
    """Tells `TerminateOnNaN`, which looks at "loss" alone, of any player's that is not finite.

    It stands before that callback, and "loss" is in the logs in no other case.
    """

    def on_train_batch_end(self, batch, logs=None):
        losses = [np.mean(logs[f"{player}_loss"]) for player in self.model.players]
        if not np.isfinite(losses).all():
            logs["loss"] = float("nan")


def complete(model, callbacks):
    """All callbacks of a `fit`: the user's, those before them that add to the logs, and helpers.

    Raises:
        ValueError: one of them can't do here what it is for; the message says what can.
    """
    found = [EndOfData(), Throughput(), Rates()]
    for callback in () if callbacks is None else tree.flatten(callbacks):
        if not isinstance(callback, keras.callbacks.Callback):
            raise ValueError(
                f"`callbacks` must be a list of keras.callbacks.Callback. Received: {callback!r}"
            )
        _check_files(callback)
        if isinstance(callback, keras.callbacks.SwapEMAWeights) and not callback.swap_on_epoch:
            warnings.warn(
                "SwapEMAWeights does nothing: it swaps for `evaluate`, which models of players do "
                "not have. Averages are samples' without it, by the model's `ema_decay`; "
                "`swap_on_epoch=True` swaps at the end of epochs. Received: swap_on_epoch=False",
                stacklevel=4,
            )
        if isinstance(callback, keras.callbacks.TerminateOnNaN):
            found.append(AnyLossAsLoss())
        if hasattr(callback, "comes_after"):
            callback.comes_after(found)
        elif hasattr(callback, "monitor") and hasattr(callback, "monitor_op"):
            _resolve_monitor(model, callback, found)
        found.append(callback)
    return found


def _check_files(callback):
    if isinstance(callback, keras.callbacks.ModelCheckpoint) and not callback.save_weights_only:
        checks.check_model_path("filepath` of `ModelCheckpoint", os.fspath(callback.filepath))
    if type(callback).__name__ == "OrbaxCheckpoint":
        raise ValueError(
            "`OrbaxCheckpoint` would leave out the optimizers of all players but one: use "
            "`keras_gans.callbacks.Resume('checkpoints')`, which goes on exactly, or "
            "`ModelCheckpoint('model.keras')`. Received: an OrbaxCheckpoint"
        )


def measured_by(callbacks, name):
    """The callback that measures what the logs call `name`, or may do so: an `Evaluate`, or None.

    It has `lower_is_better(name)`: whether less is better, or `None` where this is not known yet.
    """
    measuring = [callback for callback in callbacks if hasattr(callback, "lower_is_better")]
    known = [callback for callback in measuring if callback.lower_is_better(name) is not None]
    return next(iter([*known, *measuring]), None)


def _resolve_monitor(model, callback, before):
    """Says at once what a callback of Keras's would say after an epoch, or not at all."""
    kind, name = type(callback).__name__, callback.monitor
    own = [metric.name for metric in model.metrics]
    evaluate = measured_by(before, name)
    lower = None if evaluate is None else evaluate.lower_is_better(name)
    watches = getattr(callback, "save_best_only", True)
    if name in ("loss", "val_loss") and watches:
        warnings.warn(
            f"{kind} has nothing to go by: `monitor` is {name!r}, which no model of players has in "
            f"its logs. They have {own}, and what a `keras_gans.callbacks.Evaluate` before it "
            f"measures, as {kind}(monitor='fid')",
            stacklevel=5,
        )
    elif callback.mode == "auto" and lower is not None:
        callback.mode = "min" if lower else "max"
    elif callback.mode == "auto" and name in own and watches:
        raise ValueError(
            f"`mode` of {kind} must be 'min' or 'max', as Keras does not know which of {name!r} is "
            f"better. In a contest neither may be: 'fid' of an `Evaluate` before {kind} says how "
            "good samples are. Received: 'auto'"
        )
