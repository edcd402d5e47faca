import csv
import os

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans import GAN
from keras_gans.callbacks import Evaluate, LossCurves, Resume, TensorBoard
from keras_gans.datasets import load
from keras_gans.metrics import FID, CallableExtractor, Measurement, evaluate
from keras_gans.networks import build_mlp_discriminator, build_mlp_generator

SHAPE = (8, 8, 1)
REALS = np.random.default_rng(0).integers(0, 256, (48, *SHAPE), "uint8")
NAN = float("nan")


def extractor():
    return CallableExtractor(
        lambda x: tf.reshape(x, (-1, 64))[:, ::4], "pixels", (8, 8), 1, version="1"
    )


def gan(ema_decay=None):
    generator = build_mlp_generator(SHAPE, 4, hidden=(16,), seed=0)
    discriminator = build_mlp_discriminator(SHAPE, hidden=(16,), seed=1)
    model = GAN(generator, discriminator, ema_decay=ema_decay, seed=0)
    rates = {f"{player}_optimizer": keras.optimizers.Adam(0.02) for player in model.players}
    model.compile(**rates, run_eagerly=True)  # quicker than tracing, for few steps
    return model


def callback(metrics=("fid",), **settings):
    return Evaluate(list(metrics), REALS, extractor=extractor(), batch_size=20, **settings)


def dataset(batch_size=8):
    rows = REALS.astype("float32") / 127.5 - 1
    return tf.data.Dataset.from_tensor_slices(rows).repeat().batch(batch_size)


def fit(model, *callbacks, epochs=3, steps=4, **settings):
    settings = {"verbose": 0, "steps_per_epoch": steps, **settings}
    return model.fit(dataset(), epochs=epochs, callbacks=list(callbacks), **settings).history


class Weights(keras.callbacks.Callback):
    """What the generator is at the end of each epoch."""

    def __init__(self):
        super().__init__()
        self.ended = []

    def on_epoch_end(self, epoch, logs=None):
        self.ended.append(self.model.sampler.get_weights())


class Sets(keras.callbacks.Callback):
    """Sets the generator's last biases at the beginning of an epoch: far from 0, FID is large."""

    def __init__(self, epoch, value=NAN):
        super().__init__()
        self.epoch, self.value = epoch, value

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epoch:
            weight = self.model.generator.weights[-1]
            weight.assign(np.full(weight.shape, self.value))


# The best generator


def test_the_best_generator_is_kept(tmp_path):
    """It is the one of the epoch with the least value, and measures so after it was read."""
    weights, brightness = Weights(), [Sets(k, v) for k, v in enumerate((2.0, -1.0, 0.0, 1.0, 2.0))]
    measured = callback(["kid", "fid"], monitor="fid", path=tmp_path / "b.keras")
    history = fit(gan(ema_decay=0.5), *brightness, weights, measured, epochs=5)
    best = int(np.argmin(history["fid"]))
    assert 0 < best < 4
    network = keras.models.load_model(tmp_path / "b.keras")
    for own, expected in zip(network.get_weights(), weights.ended[best], strict=True):
        np.testing.assert_array_equal(own, expected)
    assert measured.best_step == 4 * (best + 1)
    assert measured.best.metric == "fid" and measured.best.value == history["fid"][best]
    assert [m.metric for m in measured.measurements] == ["kid", "fid"]
    model = gan(ema_decay=0.5)
    model.ema_generator.set_weights(network.get_weights())
    (again,) = evaluate(model, REALS, "fid", extractor=extractor(), batch_size=20)
    assert again.value == pytest.approx(measured.best.value, rel=1e-6)
    again.check_comparable(measured.best)
    assert os.listdir(tmp_path) == ["b.keras"]


def test_few_examples_are_said_once():
    with pytest.warns(UserWarning, match="Evaluate: fid of 48 examples is biased") as said:
        fit(gan(), callback(), epochs=3)
    assert sum("biased" in str(warning.message) for warning in said) == 1


def test_higher_is_better_where_the_metric_says_so(tmp_path):
    metric = FID(extractor(), name="turned")
    metric.lower_is_better = False
    measured = Evaluate(metric, REALS, batch_size=20)
    history = fit(gan(), measured)
    assert measured.best.value == max(history["turned"])


def test_a_value_that_is_no_number_is_never_the_best(tmp_path):
    path = tmp_path / "b.keras"
    measured = callback(path=path)
    history = fit(gan(), Sets(0), measured, epochs=1)
    assert history == {**history, "fid": [pytest.approx(NAN, nan_ok=True)]}
    assert measured.best is None and not path.exists()
    measured = callback(path=path)
    history = fit(gan(), measured, Sets(1), epochs=2)
    assert np.isfinite(history["fid"][0]) and np.isnan(history["fid"][1])
    assert measured.best.value == history["fid"][0] and measured.best_step == 4
    assert np.isfinite(keras.models.load_model(path).get_weights()[0]).all()


def test_a_second_fit_goes_on_with_the_best():
    measured, model = callback(), gan()
    first = fit(model, measured, epochs=1)["fid"]
    second = fit(model, measured, Sets(0, 100.0), epochs=1)["fid"]
    assert first[0] < second[0] and measured.best.value == first[0]


def test_a_disk_that_is_full_does_not_end_training(tmp_path, monkeypatch):
    def full(self, path):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(keras.Model, "save", full)
    with pytest.warns(RuntimeWarning, match="can't be written to .*No space left.* goes on"):
        fit(gan(), callback(path=tmp_path / "b.keras"), epochs=1)
    assert not os.listdir(tmp_path)


def test_only_the_chief_writes(tmp_path, monkeypatch):
    """The others save too, elsewhere: some variables are read by all workers together."""
    saved, save = [], keras.Model.save

    def spy(self, path):
        saved.append(str(path))
        save(self, path)

    monkeypatch.setattr("keras_gans.callbacks.evaluate.is_chief", lambda model: False)
    monkeypatch.setattr(keras.Model, "save", spy)
    measured = callback(path=tmp_path / "b.keras", cache=object())
    fit(gan(), measured, epochs=1)
    assert len(saved) == 1 and str(tmp_path) not in saved[0] and not os.path.exists(saved[0])
    assert not os.listdir(tmp_path) and measured.evaluation.cache is None


def test_the_chief_decides(monkeypatch):
    """Another worker may round otherwise, and must not save alone."""
    monkeypatch.setattr("keras_gans.callbacks.evaluate.of_all_workers", lambda s, own: [0, own])
    measured = callback()
    fit(gan(), measured, epochs=1)
    assert measured.best is None and measured.measurements


# Training


def test_training_is_what_it_is_without():
    plain, measured = gan(), gan()
    fit(plain)
    fit(measured, callback(every_steps=3))
    for own, expected in zip(measured.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_array_equal(own, expected)


def test_a_model_on_replicas(two_replicas):
    """Inside and outside of the strategy's scope; it measures the weights that all share."""
    measured = callback()
    with two_replicas.scope():
        model = gan()
        fit(model, measured, epochs=1)
    fit(model, measured, epochs=1)
    alone = gan()
    alone.generator.set_weights(model.generator.get_weights())
    (expected,) = evaluate(alone, REALS, "fid", extractor=extractor(), batch_size=20)
    assert measured.measurements == [expected]


# Logs


def test_logs_after_steps(tmp_path):
    """Curves, tables and events of steps have values where they were measured, histories all."""
    curves, events = LossCurves(tmp_path / "l.png"), TensorBoard(tmp_path / "t", every_epochs=9)
    events.scalars_every_steps = 3
    table = keras.callbacks.CSVLogger(str(tmp_path / "epochs.csv"))
    history = fit(gan(), callback(["fid", "kid"], every_steps=3), curves, events, table, epochs=2)
    with open(tmp_path / "l.csv") as file:
        rows = {int(row["step"]): row["fid"] for row in csv.DictReader(file)}
    assert [step for step, value in rows.items() if value] == [3, 6]
    assert history["fid"] == [pytest.approx(float(rows[s]), rel=1e-5) for s in (3, 6)]
    assert {"kid", "kid_error"} <= set(history)
    with open(tmp_path / "epochs.csv") as file:
        assert [float(row["fid"]) for row in csv.DictReader(file)] == history["fid"]
    (path,) = (tmp_path / "t").iterdir()
    found = {
        value.tag: event.step
        for event in tf.compat.v1.train.summary_iterator(str(path))
        for value in event.summary.value
    }
    assert found["fid"] == 6


def test_logs_after_epochs(tmp_path):
    curves = LossCurves(tmp_path / "l.png")
    history = fit(gan(), callback(every_epochs=2), curves, epochs=5)
    with open(tmp_path / "l.csv") as file:
        steps = [int(row["step"]) for row in csv.DictReader(file) if row["fid"]]
    assert steps == [8, 16]  # the last step of epochs 2 and 4
    assert np.isfinite(history["fid"]).tolist() == [True, False, True, False]  # from epoch 2 on


def test_several_steps_at_once():
    model = gan()
    model.compile(steps_per_execution=2)
    measured = callback(every_steps=3)
    fit(model, measured, epochs=1, steps=8)
    assert measured.best_step in (4, 6)


def test_data_of_unknown_length():
    model, measured = gan(), callback()
    rows = tf.data.Dataset.from_tensor_slices(REALS.astype("float32") / 127.5 - 1)
    data = rows.filter(lambda row: True).batch(8)
    history = model.fit(data, epochs=2, callbacks=[measured], verbose=0).history
    assert np.isfinite(history["fid"]).all() and len(history["fid"]) == 2


# Resuming


@pytest.mark.slow
def test_a_resumed_run_knows_the_best(tmp_path):
    """Ended within an epoch; the best one was measured before."""

    def run(directory, *more):
        measured = callback(every_steps=2, path=directory / "b.keras")
        model = gan()
        resume = Resume(directory / "checkpoints", every_steps=1)
        data = load("fashion_mnist_10k", batch_size=8, image_size=8)
        callbacks = [measured, *more, resume]
        model.fit(data, epochs=2, steps_per_epoch=5, callbacks=callbacks, verbose=0)
        return measured

    class Ends(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if self.model.generator_optimizer.iterations == 7:
                self.model.stop_training = True

    whole = run(tmp_path / "whole")
    ended = run(tmp_path / "ended", Ends())
    assert ended.best_step in (2, 4, 6)
    resumed = run(tmp_path / "ended")
    assert [m.values for m in resumed.measurements] == [
        pytest.approx(m.values, rel=1e-4) for m in whole.measurements
    ]
    assert resumed.best_step == whole.best_step
    assert isinstance(resumed.best, Measurement)
    assert resumed.best.value == pytest.approx(whole.best.value, rel=1e-4)
    assert resumed.get_state()["step"] == 10


# Errors


def test_errors():
    for settings, message in (
        ({"every_epochs": 0}, "every_epochs"),
        ({"every_steps": 1.5}, "every_steps"),
        ({"path": "best.h5"}, "must end in '.keras'"),
        ({"monitor": "kid"}, r"`monitor` must be one of the metrics \['fid'\]"),
        ({"metrics": ["fdi"]}, "which is no metric"),
        ({"num_reals": 49}, "at most 48"),
    ):
        with pytest.raises(ValueError, match=message):
            callback(**settings)


def test_a_model_that_does_not_fit_is_told_before_training(make_model, run_fit):
    model = make_model((4, 4, 1))
    with pytest.raises(ValueError, match="must have the shape of the model's samples"):
        run_fit(model, callback())
    assert float(model.taken) == 0
