"""Metrics while the model learns, and the best generator by one of them."""

import math
import os
import tempfile
import warnings

import keras
import numpy as np

from keras_gans.callbacks._support import (
    check_keras_path,
    check_optional_int,
    is_chief,
    steps_taken,
)
from keras_gans.checks import check_int
from keras_gans.devices.replicas import of_all_workers
from keras_gans.files import replacing
from keras_gans.metrics._progress import progress_bar
from keras_gans.metrics.evaluation import Evaluation
from keras_gans.metrics.measurement import Measurement

NAN = float("nan")


class Evaluate(keras.callbacks.Callback):
    """Measures the generator now and then, and keeps the best one.

    The reals are read once, when training begins. The samples have the same latents each time, and
    training goes on as it would without this callback. The averaged generator is measured where
    there is one.

    Values enter the logs of the step after which they were measured, and of its epoch, as "fid",
    "kid", "kid_error" and so on. So `LossCurves`, `TensorBoard` and Keras's `CSVLogger` have them,
    if they come later in the list of callbacks, and `history` has them in any case. After the first
    measurement an epoch without one has NaN.

    The best value of `monitor` is kept over several `fit` of one callback, and by `Resume`. The
    value of a generator with weights that are not finite is NaN, and never the best.

    When several workers train together all of them measure, as the samples are made by all, but the
    chief decides what is best, and only the chief writes.

    Args:
        metrics: sequence of names, such as `["fid", "kid"]`, or of metrics; see `metrics.evaluate`.
        reals: what is measured against: an array, or a dataset as `datasets.load` returned it; see
            `metrics.evaluate`.
        num: int, samples of a measurement; see `metrics.evaluate`.
        every_epochs: int, 1 or more, epochs between two measurements. Not used with `every_steps`.
        every_steps: int, 1 or more, training steps between two measurements. Default: count epochs.
        monitor: str, the name of the metric whose main value says which generator is the best; the
            first of `metrics` when None.
        path: str or path-like ending in ".keras", to which the best generator so far is written, as
            a network of its own: `keras.models.load_model(path)`. Optional.
        **settings: `num_reals`, `batch_size`, `seed`, `extractor`, `sources` and `cache`, see
            `metrics.Evaluation`.

    Attributes:
        best: `Measurement`, the best one of `monitor`; None before the first.
        best_step: int, the steps that the model had taken then.
        measurements: list of `Measurement`, the last ones.

    Raises:
        ValueError: if an argument is not as said above; when training begins, if the model does not
            fit the reals.

    Example:

    ```python
    reals = load("fashion_mnist_10k")
    evaluate = Evaluate(["fid", "prdc"], reals, num=2000, path="run/best.keras")
    gan.fit(dataset, epochs=20, callbacks=[evaluate, LossCurves("run/losses.png")])
    print(evaluate.best, "after", evaluate.best_step, "steps")
    ```
    """

    def __init__(
        self,
        metrics,
        reals,
        num=None,
        every_epochs=1,
        every_steps=None,
        monitor=None,
        path=None,
        **settings,
    ):
        super().__init__()
        self.every_epochs = check_int("every_epochs", every_epochs, 1)
        self.every_steps = check_optional_int("every_steps", every_steps, 1)
        self.path = None if path is None else check_keras_path(path)
        self.evaluation = Evaluation(reals, metrics, num, **settings)
        names = list(self.evaluation.metrics)
        if monitor is not None and monitor not in names:
            raise ValueError(f"`monitor` must be one of the metrics {names}. Received: {monitor!r}")
        self.monitor = names[0] if monitor is None else monitor
        self.best, self.best_step, self.measurements = None, None, []

    def on_train_begin(self, logs=None):
        self.evaluation.check(self.model)
        if not is_chief(self.model):
            self.evaluation.cache = None
        with self._progress_bar() as track:
            self.evaluation.read_reals(track)
        self._step = self._epoch_first_step = steps_taken(self.model)
        self._values = {}

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch, self._epoch_first_step = epoch, self._step
        self._values = dict.fromkeys(self._values, NAN)
        self._measured = False

    def on_train_batch_end(self, batch, logs=None):
        before, self._step = self._step, self._epoch_first_step + batch + 1
        # With steps_per_execution several steps pass at once, and one of them may be the due one.
        if self.every_steps:
            due = before // self.every_steps < self._step // self.every_steps
        else:  # Within the last step of the epoch, for the logs of steps to have it too.
            due = self._is_due_epoch() and batch + 1 == self.params.get("steps")
        if due:
            self._measure()
            if logs is not None:
                logs.update(self._values)

    def on_epoch_end(self, epoch, logs=None):
        # Keras does not know the number of steps of a dataset of unknown length before.
        if not self.every_steps and self._is_due_epoch() and not self._measured:
            self._measure()
        if logs is not None:
            logs.update(self._values)

    def lower_is_better(self, name):
        """Whether less is better of what the logs call `name`; None where that is not known.

        Of a metric of several values it is known after the first measurement.
        """
        by_name = {n: metric.lower_is_better for n, metric in self._directed().items()}
        for measured in self.measurements:
            by_name.update(dict.fromkeys(measured.values, measured.lower_is_better))
        return by_name.get(name)

    def _directed(self):
        """The metrics that are there before the model is known, by name."""
        metrics = self.evaluation.metrics.items()
        return {name: metric for name, metric in metrics if hasattr(metric, "lower_is_better")}

    def get_state(self):
        """What a run that is resumed needs to go on with the best generator; see `Resume`."""
        return {
            "step": self._step,
            "epoch_first_step": self._epoch_first_step,
            "values": dict(self._values),
            "measured": self._measured,
            "best": None if self.best is None else self.best.to_dict(),
            "best_step": self.best_step,
        }

    def set_state(self, state):
        self._step, self._epoch_first_step = state["step"], state["epoch_first_step"]
        self._values, self._measured = dict(state["values"]), state["measured"]
        self.best = None if state["best"] is None else Measurement.from_dict(state["best"])
        self.best_step = state["best_step"]

    def _is_due_epoch(self):
        return (self._epoch + 1) % self.every_epochs == 0

    def _measure(self):
        self._measured = True
        if not self._is_finite():
            self._values = dict.fromkeys(self._values or self.evaluation.metrics, NAN)
            return
        with self._progress_bar() as track:
            self.measurements = self.evaluation.measure(self.model, track)
        if self._values.keys().isdisjoint(self.evaluation.metrics):  # the first one
            for caution in filter(None, (m.caution for m in self.measurements)):
                warnings.warn(f"Evaluate: {caution}", stacklevel=2)
        self._values = {name: v for m in self.measurements for name, v in m.values.items()}
        (monitored,) = (m for m in self.measurements if m.metric == self.monitor)
        if self.best is None:
            better = not math.isnan(monitored.value)
        else:
            better = monitored.better_than(self.best)
        # Workers that save do it together, so one decides for all; another one may round otherwise.
        chief, *_ = of_all_workers(getattr(self.model, "distribute_strategy", None), int(better))
        if chief:
            self.best, self.best_step = monitored, self._step
            self._write()

    def _is_finite(self):
        weights = getattr(self._measured_network(), "weights", ())
        return all(np.isfinite(np.array(w, "float32")).all() for w in weights)

    def _measured_network(self):
        """What makes the samples that are measured: of one of several ports, its network."""
        port = self.evaluation.port
        return self.model.sampler if port is None else self.model.ports()[port].network

    def _write(self):
        if self.path is None:
            return
        network = self._measured_network()
        if not is_chief(self.model):  # All must save: some variables are read by all together.
            with tempfile.TemporaryDirectory() as directory:
                network.save(os.path.join(directory, "best.keras"))
            return
        try:
            with replacing(self.path, ".keras") as temporary:
                network.save(temporary)
        except OSError as error:
            warnings.warn(
                f"Evaluate: the best generator can't be written to '{self.path}': {error}; "
                "training goes on.",
                RuntimeWarning,
                stacklevel=2,
            )

    def _progress_bar(self):
        return progress_bar(bool(self.params.get("verbose")) and is_chief(self.model))
