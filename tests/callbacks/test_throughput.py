import keras
import pytest

from keras_gans.callbacks import Throughput


class Clock:
    """Time that passes as the test says."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def timed(counting_model):
    """`batch(index, seconds)` ends a batch after so many seconds and returns its logs."""
    callback, clock = Throughput(window=10.0), Clock()
    callback._clock = clock
    callback.set_model(counting_model)
    callback.on_train_begin()

    def batch(index, seconds, pause=0):
        clock.now += pause
        callback.on_train_batch_begin(index)
        clock.now += seconds
        logs = {}
        callback.on_train_batch_end(index, logs)
        return logs.get("images_per_second")

    return callback, clock, batch


def epoch_rate(callback, epoch=0):
    logs = {}
    callback.on_epoch_end(epoch, logs)
    return logs.get("images_per_second")


def test_rates_without_the_compiling_step(timed):
    callback, _, batch = timed
    callback.on_epoch_begin(0)
    assert batch(0, 60.0) is None
    assert batch(1, 2.0) == 8 / 2
    assert batch(2, 6.0) == 2 * 8 / 8
    assert epoch_rate(callback) == 2 * 8 / 8


def test_batches_look_back_over_the_window(timed):
    callback, _, batch = timed
    callback.on_epoch_begin(0)
    for index, seconds in enumerate([0, 1, 1, 20]):
        batch(index, seconds)
    # The 20-second step fills the window of 10 alone.
    assert batch(4, 5.0) == 2 * 8 / 25
    assert batch(5, 5.0) == 2 * 8 / 10
    assert epoch_rate(callback) == 5 * 8 / 32


def test_time_between_epochs_does_not_count(timed):
    callback, clock, batch = timed
    callback.on_epoch_begin(0)
    batch(0, 60.0)
    batch(1, 2.0)
    callback.on_epoch_end(0, {})
    clock.now += 500
    callback.on_epoch_begin(1)
    assert batch(0, 2.0) == 4.0
    assert epoch_rate(callback, 1) == 4.0


def test_time_of_other_callbacks_does_not_count(timed):
    callback, clock, batch = timed
    callback.on_epoch_begin(0)
    batch(0, 60.0, pause=30)
    assert batch(1, 2.0, pause=90) == 8 / 2
    assert batch(2, 6.0, pause=5) == 2 * 8 / 8
    clock.now += 50
    assert epoch_rate(callback) == 2 * 8 / 8


def test_batches_that_overlap(timed):
    """In the background a batch begins before the one before it has ended."""
    callback, clock, batch = timed
    callback.on_epoch_begin(0)
    batch(0, 60.0)
    logs = {}
    callback.on_train_batch_begin(1)
    clock.now += 1
    callback.on_train_batch_begin(2)
    clock.now += 1
    callback.on_train_batch_end(1, {})
    clock.now += 2
    callback.on_train_batch_end(2, logs)
    assert logs["images_per_second"] == 2 * 8 / 4


def test_an_epoch_of_one_step_has_a_rate(timed):
    callback, _, batch = timed
    callback.on_epoch_begin(0)
    assert batch(0, 16.0) is None
    assert epoch_rate(callback) == 0.5


def test_steps_that_run_together(timed):
    callback, _, batch = timed
    callback.on_epoch_begin(0)
    assert batch(3, 60.0) is None
    assert batch(7, 2.0) == 4 * 8 / 2


def test_batches_out_of_order(timed):
    callback, _, batch = timed
    callback.on_epoch_begin(0)
    batch(0, 1.0)
    assert batch(2, 2.0) == 2 * 8 / 2
    assert batch(1, 2.0) == 2 * 8 / 4  # Two steps in all, not one.


def test_a_model_that_does_not_know_its_batch(timed, counting_model):
    callback, _, batch = timed
    counting_model.examples_per_step = None
    callback.on_epoch_begin(0)
    assert batch(0, 1.0) is None and batch(1, 1.0) is None and epoch_rate(callback) is None


def test_other_callbacks_see_it(counting_model, run_fit, capsys):
    seen = []

    class Later(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(set(logs))

    history = run_fit(counting_model, Throughput(), Later(), epochs=2, steps=3)
    assert len(history.history["images_per_second"]) == 2
    assert min(history.history["images_per_second"]) > 0
    assert ["images_per_second" in names for names in seen] == [False] + [True] * 5


def test_the_progress_bar_shows_it(counting_model, capsys):
    import tensorflow as tf

    counting_model.compile(jit_compile=False)
    data = tf.data.Dataset.from_tensors(tf.zeros((8, 1))).repeat()
    counting_model.fit(data, steps_per_epoch=4, callbacks=[Throughput()], verbose=2, shuffle=False)
    assert "images_per_second: " in capsys.readouterr().out


@pytest.mark.parametrize("window", [0, -1, None, True, "5"])
def test_errors(window):
    with pytest.raises(ValueError, match=r"`window`.*above 0"):
        Throughput(window)
