"""Training that goes on where it was ended, as if it had not been."""

import concurrent.futures
import dataclasses
import functools
import hashlib
import time
import warnings

import keras
from keras import tree

from keras_gans.callbacks._support import check_optional_int, check_path, is_chief
from keras_gans.checks import check_int
from keras_gans.devices.replicas import several_workers
from keras_gans.files import remove_unfinished
from keras_gans.training import checkpoints
from keras_gans.training.pipeline import Start


class Resume(keras.callbacks.Callback):
    """Saves all that training depends on, and lets `fit` go on from there.

    The same script, run again after it was killed, begins at the step where the newest checkpoint
    was made. With data from `keras_gans.datasets` it goes on within the epoch, and with
    `tf.config.experimental.enable_op_determinism()` on one device it ends with the very weights of
    a run that was never ended. Other data can't begin at a step: there checkpoints are made at the
    end of epochs, and training goes on with the next epoch and the data from their beginning.

    A checkpoint has all networks, every player's optimizer, averages, control variables, image
    buffers, seeds, metrics, the place in the run and in the data, and what other callbacks want to
    keep: those with the methods `get_state()`, which returns a dict that JSON can hold, and
    `set_state(state)`. `LossCurves`, `SampleGrid`, `TensorBoard`, `Evaluate` and
    `ReduceRatesOnPlateau` have them. `history` has the epochs of this process only.

    Checkpoints are TensorFlow's (`tf.train.load_checkpoint`), each in a directory
    `step_00000500` that appears at once when all of it is on the disk. They are written in the
    background, while training goes on. Where that fails, a warning says so and which checkpoint is
    the newest, and training goes on; likewise where weights are not finite. Nothing is saved after
    `Guard` has stopped training, so that the last good checkpoint stays. When they are read their
    checksums are compared; a damaged one is passed over with a warning that names the file.

    When several workers train together only the chief writes, and all of them must see the
    directory. One directory belongs to one run: a second `fit` of as many epochs has nothing to do.

    Args:
        directory: str or path-like, where the checkpoints are. It is made if it does not exist.
        every_steps: int, 1 or more, training steps between two checkpoints.
        every_seconds: number above 0, seconds between two checkpoints; not with several workers,
            whose clocks differ. With neither, each epoch ends with a checkpoint. The end of
            training has one in any case.
        keep: int, 1 or more, the newest checkpoints that are kept.

    Attributes:
        seconds_before: float, how long the parts of the run took that came before this one.

    Raises:
        ValueError: if an argument is not as said above; when training begins, if the newest
            checkpoint is of another model, or does not fit the data or the arguments of `fit`.
        OSError: when training begins, if there are checkpoints and all of them are damaged.

    Example:

    ```python
    resume = Resume("checkpoints", every_steps=500)
    gan.fit(load("fashion_mnist_10k"), epochs=20, callbacks=[resume])
    ```
    """

    def __init__(self, directory, every_steps=None, every_seconds=None, keep=2):
        super().__init__()
        self.directory = check_path("directory", directory)
        self.every_steps = check_optional_int("every_steps", every_steps, 1)
        if every_seconds is not None and not (_is_number(every_seconds) and every_seconds > 0):
            raise ValueError(f"`every_seconds` must be above 0. Received: {every_seconds!r}")
        self.every_seconds = every_seconds
        self.keep = check_int("keep", keep, 1)
        self.seconds_before = 0.0
        self._writing = None

    def start(self, model, data):
        """Restores the newest good checkpoint, if there is one; `fit` asks for it before all else.

        Args:
            model: `AdversarialModel`, compiled.
            data: what `fit` was given; datasets of `keras_gans.datasets` can begin at any step.

        Returns:
            `training.pipeline.Start`, or None without a checkpoint.
        """
        exact = hasattr(data, "from_step")
        self._exact, self._examples_per_step, self._writing = exact, None, None
        self._first_batch = _digest(next(iter(data))) if exact else None
        self._states, self._metrics, self.seconds_before = {}, {}, 0.0
        if self.every_seconds is not None and several_workers(model.distribute_strategy):
            raise ValueError(
                "`every_seconds` must be None where several workers train together; give "
                f"`every_steps`. Received: {self.every_seconds!r}"
            )
        if not exact and (self.every_steps or self.every_seconds):
            warnings.warn(
                "Resume: these data can't begin at a step, as those of `keras_gans.datasets` can, "
                "so checkpoints are made at the end of epochs only.",
                stacklevel=3,
            )
        writer().submit(int).result()  # An earlier `fit` that an error ended may still be saving.
        variables = checkpoints.variables_of(model)
        found = checkpoints.read_newest(self.directory, variables, type(model).__name__)
        if found is None:
            return None
        path, values, facts = found
        start = Start(facts["epoch"], facts["step"], facts["steps"])
        if start.step and not exact:
            raise ValueError(
                f"'{path}' was made within an epoch and must go on with data that can begin at a "
                "step, as those of `keras_gans.datasets`. Received: other data"
            )
        if start.step % model.steps_per_execution:
            raise ValueError(
                f"`steps_per_execution` must divide the {start.step} steps of its epoch after "
                f"which '{path}' was made. Received: {model.steps_per_execution}"
            )
        with model.distribute_strategy.scope():
            for name, variable in variables.items():
                variable.assign(values[name])
        self._steps_per_epoch = facts["steps_per_epoch"]
        self._examples_per_step = facts["examples_per_step"]
        self._expected_batch = facts["first_batch"]
        self._metrics = {n: values[n] for n in variables if n.startswith("metrics/")}
        self._states, self.seconds_before = facts["callbacks"], facts["seconds"]
        within = f"step {start.step:,} of epoch {start.epoch + 1}"
        where = within if start.step else f"the end of epoch {start.epoch}"
        print(f"Going on from '{path}': {where}, {start.steps:,} steps in all.")
        if not exact:
            print("These data can't begin there: they begin anew.")
        return start

    def callback_list(self, callbacks, model, start, steps_per_epoch, epochs, verbose):
        """All callbacks of a `fit` that begins at `start`, for Keras; this one comes last."""
        if start.step and steps_per_epoch != self._steps_per_epoch:
            raise ValueError(
                f"`steps_per_epoch` must be {self._steps_per_epoch}, as when the checkpoint within "
                f"the epoch was made. Received: {steps_per_epoch}"
            )
        if self._examples_per_step not in (None, model.examples_per_step):
            raise ValueError(
                f"The data must have {self._examples_per_step} examples for each step, as when the "
                f"checkpoint was made. Received: {model.examples_per_step}"
            )
        if self._examples_per_step and self._expected_batch != self._first_batch:
            raise ValueError(
                "The data must be those that the checkpoint was made with, in the same order. "
                "Received: data whose first batch differs, such as of another dataset or seed"
            )
        steps = start.epoch * (steps_per_epoch or 0) if start.steps is None else start.steps
        self._begin = dataclasses.replace(start, steps=steps)
        others = [callback for callback in callbacks if callback is not self]
        self._keepers = _named(c for c in others if hasattr(c, "get_state"))
        self._others = others
        params = {"verbose": verbose, "epochs": epochs, "steps": steps_per_epoch}
        return _CallbackList(
            [*others, self], self, start, model, add_progbar=verbose != 0, **params
        )

    def restore_metrics(self):
        """Gives the metrics their sums of the begun epoch, which Keras has reset."""
        variables = checkpoints.variables_of(self.model)
        with self.model.distribute_strategy.scope():
            for name, value in self._metrics.items():
                variables[name].assign(value)

    def restore_callbacks(self):
        """Gives other callbacks what they kept."""
        for name, callback in self._keepers.items():
            if name in self._states:
                callback.set_state(self._states[name])

    def on_train_begin(self, logs=None):
        self._epoch, self._step = self._begin.epoch, self._begin.step
        self._steps = self._begin.steps
        self._saved_steps, self._saved_at = self._steps, time.monotonic()
        self._began_at = self._saved_at
        self._due = self._stopped = False
        self._writes = is_chief(self.model)
        if self._writes:
            remove_unfinished(self.directory)

    def on_epoch_begin(self, epoch, logs=None):
        self._step = self._begin.step if epoch == self._begin.epoch else 0
        self._epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        before, self._step = self._step, batch + 1
        self._steps += self._step - before
        self._due = self._due or self._is_due()
        # The last step of an epoch is followed by what callbacks do at its end.
        if self._exact and self._step != self.params["steps"]:
            # What callbacks do at the end of an epoch they now do within one.
            self._stopped = self.model.stop_training
            if self._due or self._stopped:
                self._save()
        elif self.model.stop_training:
            self._stopped = self._step != self.params["steps"]

    def on_epoch_end(self, epoch, logs=None):
        if self._stopped:
            return
        self._epoch, self._step = epoch + 1, 0
        if self._due or (self.every_steps is None and self.every_seconds is None):
            self._save()

    def on_train_end(self, logs=None):
        if not self._stopped and self._steps != self._saved_steps:
            self._save()
        self._wait()

    def _is_due(self):
        if self.every_steps:
            return self._saved_steps // self.every_steps < self._steps // self.every_steps
        if self.every_seconds:
            return time.monotonic() - self._saved_at >= self.every_seconds
        return False

    def _save(self):
        if any(getattr(callback, "failure", None) for callback in self._others):
            return  # `Guard` takes the model back to an earlier state.
        # Workers read some variables together, so all of them must come here.
        values = checkpoints.snapshot(checkpoints.variables_of(self.model))
        self._due, self._saved_steps, self._saved_at = False, self._steps, time.monotonic()
        if not self._writes:
            return
        facts = {
            "model": type(self.model).__name__,
            "epoch": self._epoch,
            "step": self._step,
            "steps": self._steps,
            "steps_per_epoch": self.params["steps"],
            "examples_per_step": self.model.examples_per_step,
            "first_batch": self._first_batch,
            "seconds": self.seconds_before + self._saved_at - self._began_at,
            "callbacks": {name: keeper.get_state() for name, keeper in self._keepers.items()},
        }
        self._wait()
        self._writing = writer().submit(checkpoints.write, self.directory, values, facts, self.keep)

    def _wait(self):
        """Waits for the last checkpoint; a warning if it could not be written."""
        if self._writing is None:
            return
        writing, self._writing = self._writing, None
        try:
            writing.result()
        except (OSError, FloatingPointError) as error:
            rest = checkpoints.paths(self.directory)
            newest = f"The newest one is '{rest[-1]}'" if rest else "There is none"
            warnings.warn(
                f"Resume: {error} {newest}; training goes on.", RuntimeWarning, stacklevel=2
            )


class _CallbackList(keras.callbacks.CallbackList):
    """Keras's list of callbacks, that can begin within an epoch.

    Keras begins epochs with their first step. The steps that were taken before are counted by it as
    always, but not taken again, and callbacks are not told of them.
    """

    def __init__(self, callbacks, resume, start, model, **params):
        self._resume, self._start, self._first_step = resume, start, 0
        super().__init__(callbacks, add_history=True, model=model, **params)

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        self._resume.restore_callbacks()

    def on_epoch_begin(self, epoch, logs=None):
        self._first_step = self._start.step if epoch == self._start.epoch else 0
        if self._first_step:
            self._resume.restore_metrics()
            self.model.train_function = _after(self._first_step, self.model)
        super().on_epoch_begin(epoch, logs)
        if self._first_step:  # They think that an epoch begins.
            self._resume.restore_callbacks()

    def on_train_batch_begin(self, batch, logs=None):
        if batch >= self._first_step:
            super().on_train_batch_begin(batch, logs)

    def on_train_batch_end(self, batch, logs=None):
        if batch >= self._first_step:
            super().on_train_batch_end(batch, logs)


def _after(steps, model):
    """A train function that does nothing for some steps, and takes no data, and then leaves."""
    train, left = model.train_function, steps // model.steps_per_execution

    def skip(iterator):
        nonlocal left
        left -= 1
        if left == 0:
            model.train_function = train
        return {}

    return skip


def _digest(batch):
    """The SHA-256 of a batch's numbers."""
    digest = hashlib.sha256()
    for part in tree.flatten(batch):
        digest.update(part.numpy().tobytes())
    return digest.hexdigest()


def _named(callbacks):
    """`{name: callback}`, by class; a second one of a class is called `Class 2`."""
    named = {}
    for callback in callbacks:
        kind, number = type(callback).__name__, 1
        while (name := f"{kind} {number}" if number > 1 else kind) in named:
            number += 1
        named[name] = callback
    return named


def _is_number(value):
    return isinstance(value, int | float) and not isinstance(value, bool)


@functools.cache
def writer():
    """The thread that writes; one for the process. The interpreter waits for it before it ends."""
    return concurrent.futures.ThreadPoolExecutor(1, "resume")
