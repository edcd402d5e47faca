"""Images per second, in the logs."""

import collections
import threading
import time

import keras


class Throughput(keras.callbacks.Callback):
    """Adds `images_per_second` to the logs: real pictures that training consumes in a second.

    `AdversarialModel.fit` puts it first in the list of callbacks, so that the progress bar, the
    history, `LossCurves` and `TensorBoard` all see the number.

    Keras's progress bar shows the last value of a log and does not average, and single steps
    vary. So on batches the number is the rate over the last `window` seconds of the epoch; at the
    end of an epoch it is the epoch's. The first step of a `fit` compiles the graph, often for
    longer than the rest of the epoch takes: it is left out of both, and the first batch has no
    number at all. Time that other callbacks take, to draw samples for instance, does not count.

    The model says how many pictures a step consumes, over all replicas, in its attribute
    `examples_per_step`; where that is missing or None the logs are left as they are.

    Args:
        window: float above 0, seconds that the rate on batches looks back.

    Raises:
        ValueError: if `window` is not above 0.

    Example:

    ```python
    history = gan.fit(dataset, epochs=10)
    history.history["images_per_second"]  # One number for each epoch.
    ```
    """

    # Keras may then hand batches over in the background instead of waiting for each step's logs.
    async_safe = True

    def __init__(self, window=5.0):
        super().__init__()
        if isinstance(window, bool) or not isinstance(window, (int, float)) or not window > 0:
            raise ValueError(f"`window` must be a number of seconds above 0. Received: {window!r}")
        self.window = window
        self._clock = time.perf_counter
        self._lock = threading.Lock()
        self._traced = False

    def on_train_begin(self, logs=None):
        self._traced = False

    def on_epoch_begin(self, epoch, logs=None):
        with self._lock:
            self._running = 0  # Batches that have begun and not ended.
            self._paused = 0.0  # Seconds of this epoch in which none was running.
            self._idle_since = self._clock()
            # Marks are pairs (seconds of training, steps) of this epoch.
            self._begin = self._start = self._last = (self._idle_since, 0)
            self._past = collections.deque([self._start] if self._traced else [])

    def on_train_batch_begin(self, batch, logs=None):
        with self._lock:
            if self._running == 0:
                self._paused += self._clock() - self._idle_since
                if batch > 0 and self._last == self._begin:  # `Resume` begins within the epoch.
                    self._begin = self._start = self._last = (self._last[0], batch)
            self._running += 1

    def on_train_batch_end(self, batch, logs=None):
        with self._lock:
            self._running -= 1
            self._idle_since = self._clock()
            # `batch` is the index of the last step so far: several run at once where
            # steps_per_execution says so. In the background they may come out of order.
            steps = max(self._last[1], batch + 1)
            self._last = (self._idle_since - self._paused, steps)
            if not self._traced:
                self._traced = True
                self._start = self._last
            self._past.append(self._last)
            while len(self._past) > 2 and self._last[0] - self._past[1][0] >= self.window:
                self._past.popleft()
            self._report(logs, self._past[0])

    def on_epoch_end(self, epoch, logs=None):
        with self._lock:
            # An epoch with nothing but the compiling step has no better number than that step's.
            only_traced = self._last == self._start
            self._report(logs, self._begin if only_traced else self._start)

    def _report(self, logs, since):
        examples = getattr(self.model, "examples_per_step", None)
        seconds, steps = (last - first for last, first in zip(self._last, since, strict=True))
        if logs is not None and examples and steps > 0 and seconds > 0:
            logs["images_per_second"] = examples * steps / seconds
