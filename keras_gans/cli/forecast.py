"""How long a training takes, said before it is over."""

import time

import keras

LEAST_STEPS, LEAST_SECONDS = 10, 5  # of which a forecast is made
WORTH_SAYING = 60  # seconds that are left
LONG_STEP = 10  # seconds


class Forecast(keras.callbacks.Callback):
    """Says once how long a step takes and when the training would end, if that is not soon."""

    def __init__(self):
        super().__init__()
        self._began = self._at = None
        self._said = False

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        steps, epochs = self.params["steps"], self.params["epochs"]
        done = self._epoch * steps + batch + 1
        if self._began is None:  # the first step has traced
            self._began, self._at = time.monotonic(), done
            return
        taken, seconds = done - self._at, time.monotonic() - self._began
        if self._said or taken < LEAST_STEPS or seconds < LEAST_SECONDS:
            return
        self._said = True
        left = seconds / taken * (epochs * steps - done)
        if left > WORTH_SAYING:
            print(f"\nA step takes {seconds / taken:.2g} s: {until(left)}.", flush=True)


def forecast_stages(models, steps_left, load_stage):
    """Prints what each stage of a growing model takes, by a step of each, and what all take.

    Args:
        models: iterable of pairs (first weights of a stage's model, batch size).
        steps_left: list of the steps that each stage has to take.
        load_stage: function (shape, batch_size) that returns a stage's data.
    """
    total = 0.0
    for (gan, batch_size), steps in zip(models, steps_left, strict=True):
        shape = tuple(gan.sampler.output_shape[1:])
        if steps == 0:
            print(f"{shape[0]} x {shape[1]}: no steps are left.", flush=True)
            continue
        seconds = seconds_of_step(gan, load_stage(shape, batch_size))
        total += seconds * steps
        print(
            f"{shape[0]} x {shape[1]}: {steps:,} steps of {batch_size} pictures, "
            f"{gan.count_params():,} parameters, about {seconds:.2g} s a step, "
            f"{duration(seconds * steps)}.",
            flush=True,
        )
    print(f"All stages: {until(total)}. Less is --width, --image-size or --steps.", flush=True)


def seconds_of_step(gan, data):
    """How long a training step takes, by a try; the model is trained by it.

    Args:
        gan: `AdversarialModel`.
        data: its dataset.
    """
    gan.compile(run_eagerly=True)
    seconds = _time(gan, data, 1)
    if seconds > LONG_STEP:  # then Python is little of it, and making a graph would take longer
        return seconds
    gan.compile()
    _time(gan, data, 1)  # this one traces
    return _time(gan, data, 5)


def _time(gan, data, steps):
    begin = time.perf_counter()
    gan.fit(data, steps_per_epoch=steps, verbose=0)
    return (time.perf_counter() - begin) / steps


def until(seconds):
    """How long something takes, and when it would end."""
    end = time.localtime(time.time() + seconds)
    form = "at %H:%M" if seconds < 12 * 3600 else "on %d %B %Y"
    return f"{duration(seconds)}, to end {time.strftime(form, end)}"


def duration(seconds):
    """Seconds in words: 40 s, 5 min, 3.5 h or 12 days."""
    for least, unit, name in ((2 * 86400, 86400, "days"), (5400, 3600, "h"), (90, 60, "min")):
        if seconds >= least:
            return f"{seconds / unit:.2g} {name}"
    return f"{seconds:.2g} s"
