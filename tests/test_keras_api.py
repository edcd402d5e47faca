"""Keras's Model API and callbacks: each row of docs/keras.md is a test of its name here."""

import copy
import http.server
import importlib
import json
import pickle
import re
import subprocess
import sys
import threading
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf
from harness import assert_close

from keras_gans import CGAN, GAN, WGANGP
from keras_gans.callbacks import Evaluate, ReduceRatesOnPlateau
from keras_gans.metrics import FID, CallableExtractor
from keras_gans.networks import build_mlp_discriminator, build_mlp_generator
from keras_gans.optimizers import adam

PAGE = Path(__file__).resolve().parent.parent / "docs" / "keras.md"
SHAPE = (4, 4, 1)
REALS = np.random.default_rng(0).uniform(-1, 1, (32, *SHAPE)).astype("float32")
ROWS = {}


def row(*names):
    """Marks the test of some rows of the page."""

    def mark(test):
        ROWS.update(dict.fromkeys(names, test))
        return test

    return mark


def networks():
    generator = build_mlp_generator(SHAPE, 3, (8,), seed=1)
    return generator, build_mlp_discriminator(SHAPE, (8,), seed=2)


def built(model=GAN, **settings):
    return model(*networks(), seed=0, ema_decay=0.9, **settings)


def compiled(gan, generator_rate=0.4, **settings):
    gan.compile(
        discriminator_optimizer=keras.optimizers.SGD(0.1),
        generator_optimizer=keras.optimizers.SGD(generator_rate, **settings),
    )
    return gan


@pytest.fixture(scope="module")
def shared():
    """One traced model; what is not about weights and rates leaves them to the next test."""
    return compiled(built())


@pytest.fixture
def gan(shared):
    shared.generator_optimizer.learning_rate = 0.4
    shared.stop_training = False
    shared._initial_epoch = None
    return shared


def fit(gan, *callbacks, epochs=2, **kwargs):
    return gan.fit(
        REALS, batch_size=8, epochs=epochs, verbose=0, callbacks=[*callbacks], **kwargs
    ).history


def optimizer_state(gan):
    return [np.array(v) for p in gan.players for v in gan.optimizer_of(p).variables]


# The model


@row("fit")
def test_fit_takes_arrays():
    history = built().fit(REALS, batch_size=8, epochs=2, verbose=0).history
    assert len(history["generator_loss"]) == 2


def test_a_second_fit_makes_no_new_trace():
    """Of data of the same shape, of whatever kind: the step is traced once."""
    traces = []

    class Traced(GAN):
        def train_step(self, data):
            traces.append(data)
            return super().train_step(data)

    gan = Traced(*networks(), seed=0, ema_decay=0.9)
    dataset = tf.data.Dataset.from_tensor_slices(REALS).batch(8)
    for data in (dataset, dataset, dataset.repeat(), iter(dataset.as_numpy_iterator())):
        gan.fit(data, steps_per_epoch=2, verbose=0)
    gan.fit(REALS, batch_size=8, verbose=0)
    assert len(traces) == 1


def test_samples_take_one_graph(gan):
    gan.generate(1, seed=0)
    graphs = gan.__dict__["_graphs"]
    before = dict(graphs)
    gan.generate(1, seed=1)
    gan.generate(70, seed=2)
    assert graphs == before


def test_arrays_in_their_order():
    """Without a shuffle each step has the same reals as the array."""
    seen = []

    class Seen(GAN):
        def train_step(self, data):
            seen.append(np.array(self.minibatches(data, 1)[0]))
            return super().train_step(data)

    gan = Seen(*networks(), seed=0)
    gan.compile(run_eagerly=True)
    gan.fit(REALS, batch_size=16, shuffle=False, verbose=0)
    np.testing.assert_array_equal(np.concatenate(seen), REALS)
    gan.fit(REALS, batch_size=16, verbose=0)
    assert (np.concatenate(seen[2:]) != REALS).any()
    with pytest.raises(ValueError, match="`shuffle` must be True or False"):
        gan.fit(REALS, shuffle="batch")


@row("fit(validation_data=...)")
@pytest.mark.parametrize("name", ["validation_data", "validation_split", "validation_steps"])
def test_validation(gan, name):
    with pytest.raises(TypeError, match=rf"'{name}'.*callbacks.Evaluate"):
        gan.fit(REALS, **{name: 0.5})


@row("fit(class_weight=...)")
def test_class_weight(gan):
    for name in ("class_weight", "sample_weight"):
        with pytest.raises(TypeError, match=rf"'{name}'.*repeat them"):
            gan.fit(REALS, **{name: {0: 1.0}})
        with pytest.raises(TypeError, match=rf"'{name}'.*repeat them"):
            gan.train_on_batch(REALS, **{name: {0: 1.0}})


class Minibatches(keras.utils.PyDataset):
    """Four minibatches, the number of which each of their values tells."""

    def __init__(self, labels=None, size=8, **kwargs):
        super().__init__(**kwargs)
        self.labels, self.size, self.ends = labels, size, 0

    def __len__(self):
        return 4

    def __getitem__(self, index):
        reals = np.full((self.size, *SHAPE), index / 4)  # float64, as numpy makes it
        return reals if self.labels is None else (reals, self.labels)

    def on_epoch_end(self):
        self.ends += 1


class Listed(GAN):
    """Lists the minibatches that it is trained on."""

    def train_step(self, data):
        (reals,) = self.minibatches(data, 1)
        self.seen.append(float(reals[0, 0, 0, 0]) * 4)
        return super().train_step(data)


@pytest.fixture
def listed():
    gan = Listed(*networks(), seed=0)
    gan.__dict__["seen"] = []
    gan.compile(run_eagerly=True)
    return gan


@row("fit(PyDataset)")
@pytest.mark.parametrize("workers", [1, 3])
def test_py_dataset(listed, workers):
    data = Minibatches(workers=workers)
    listed.fit(data, epochs=2, shuffle=False, verbose=0)
    assert listed.seen == [0, 1, 2, 3] * 2 and data.ends >= 1
    del listed.seen[:]
    listed.fit(data, epochs=2, verbose=0)
    assert sorted(listed.seen[:4]) == sorted(listed.seen[4:]) == [0, 1, 2, 3]
    assert listed.seen != [0, 1, 2, 3] * 2


def test_py_dataset_with_labels_and_several_minibatches_a_step():
    cgan = CGAN(
        build_mlp_generator(SHAPE, 3, (8,), num_classes=4),
        build_mlp_discriminator(SHAPE, (8,), num_classes=4),
    )
    cgan.fit(Minibatches(np.arange(8) % 4), verbose=0)
    critic = WGANGP(*networks(), n_critic=2)
    assert len(critic.fit(Minibatches(), verbose=0).epoch) == 1
    assert int(critic.generator_optimizer.iterations) == 2
    with pytest.raises(ValueError, match="One step of WGANGP takes 5 minibatches"):
        WGANGP(*networks(), n_critic=5).fit(Minibatches(), verbose=0)


@row("fit(generator)")
def test_generator(listed):
    """No minibatch is lost to the checks."""
    numbers = iter(range(100))

    def minibatches():
        for number in numbers:
            yield np.full((2, *SHAPE), (number % 4) / 4, "float32"), None, None

    listed.fit(minibatches(), steps_per_epoch=3, epochs=2, verbose=0)
    assert listed.seen == [0, 1, 2, 3, 0, 1]
    del listed.seen[:]
    loader = [np.full((2, *SHAPE), k / 4, "float32") for k in range(3)]

    class Loader:
        def __iter__(self):
            return iter(loader)

    listed.fit(Loader(), epochs=2, verbose=0)
    assert listed.seen == [0, 1, 2] * 2


def test_a_generator_that_ends_within_an_epoch_ends_training(gan):
    """Keras goes on with epochs without a step, whose losses are 0."""
    for given, epochs in ((3, 2), (4, 3)):  # 2 steps an epoch: within the second, and at its end
        numbers = iter(range(given))
        minibatches = (np.zeros((2, *SHAPE), "float32") for _ in numbers)
        with pytest.warns(UserWarning, match="ran out of data"):
            history = gan.fit(minibatches, steps_per_epoch=2, epochs=5, verbose=0)
        losses = history.history["generator_loss"]
        assert len(losses) == 2 and 0 not in losses
        assert len(history.epoch) == epochs


def test_python_data_that_do_not_fit(gan):
    with pytest.raises(ValueError, match="must not be empty"):
        gan.fit(iter(()))
    with pytest.raises(ValueError, match=r"`reals` must have the shape"):
        gan.fit(iter([np.zeros((2, 5), "float32")]))
    with pytest.raises(ValueError, match=r"`y` and `batch_size` must be None.*Minibatches"):
        gan.fit(Minibatches(), batch_size=4)
    with pytest.raises(TypeError, match=r"PyDataset or a generator.*Received: dict"):
        gan.fit({"x": REALS})


@row("compile")
def test_compile():
    for name, instead in (("loss", "train_step"), ("metrics", "Evaluate"), ("optimizer", "Each")):
        with pytest.raises(ValueError, match=rf"takes the optimizers.*{name}.*{instead}"):
            built().compile(**{name: "adam"})


@row("optimizer")
def test_optimizer_is_the_generators(tmp_path):
    gan = built()
    assert getattr(gan, "optimizer", None) is None
    compiled(gan)
    assert gan.optimizer is gan.generator_optimizer
    history = fit(gan)
    assert history["generator_rate"] == pytest.approx([0.4] * 2)
    assert history["discriminator_rate"] == pytest.approx([0.1] * 2)
    with pytest.raises(ValueError, match=r"compile\(discriminator_optimizer=, gen"):
        gan.optimizer = keras.optimizers.Adam()


def test_optimizer_is_saved_once_under_its_player(tmp_path):
    """Also where its name comes behind "optimizer", by which Keras would find it first."""

    @keras.saving.register_keras_serializable("tests_keras_api")
    class Painted(GAN):
        players = {"judge": ("discriminator",), "painter": ("generator",)}
        judges, contests = ("judge",), {}

        def default_optimizers(self):
            return {player: adam(1e-3) for player in self.players}

        def train_step(self, data):
            for player in self.players:
                with self.update(player) as losses:
                    losses[player] = tf.add_n(
                        [tf.reduce_sum(v**2) for v in self.player_variables(player)]
                    )
            return self.logs()

    gan = Painted(*networks(), seed=0)
    gan.fit(REALS, batch_size=8, verbose=0)
    assert gan.optimizer is gan.painter_optimizer
    gan.save_weights(tmp_path / "model.weights.h5")
    with h5py.File(tmp_path / "model.weights.h5") as file:
        assert {"judge_optimizer", "painter_optimizer"} <= set(file) and "optimizer" not in file


@row("evaluate, test_on_batch")
def test_evaluate(gan):
    for method in (gan.evaluate, gan.test_on_batch):
        with pytest.raises(ValueError, match=r"metrics.evaluate\(gan, reals"):
            method(REALS)


@row("predict, predict_on_batch")
def test_predict(gan):
    latents = np.ones((5, 3), "float32")
    made = np.array(gan(latents))
    np.testing.assert_allclose(gan.predict(latents, verbose=0), made, atol=1e-6)
    np.testing.assert_allclose(gan.predict_on_batch(latents), made, atol=1e-6)
    for method in (gan.predict, gan.predict_on_batch):
        with pytest.raises(ValueError, match=r"latents, in the shape \(num, 3\).*generate\(8\)"):
            method(REALS)


def test_train_on_batch_is_of_one_device():
    with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
        gan = built()
    with pytest.raises(ValueError, match="`train_on_batch` must be called on one device"):
        gan.train_on_batch(REALS[:8])


@row("train_on_batch")
def test_train_on_batch(gan):
    before = int(gan.generator_optimizer.iterations)
    logs = gan.train_on_batch(REALS[:8], return_dict=True)
    assert set(logs) == {"generator_loss", "discriminator_loss"}
    assert len(gan.train_on_batch(REALS[:8])) == 2
    assert int(gan.generator_optimizer.iterations) == before + 2
    with pytest.raises(ValueError, match=r"in batches.*`reals\[None\]`"):
        gan.train_on_batch(REALS[0])
    with pytest.raises(ValueError, match=r"`reals`.*Received: uint8"):
        gan.train_on_batch(np.zeros((8, *SHAPE), "uint8"))


@row("summary")
def test_summary(gan):
    lines = []
    gan.summary(print_fn=lines.append)
    assert "\n".join(map(str, lines)).count("mlp_generator") == 2  # and its average


@row("plot_model")
def test_plot_model(gan, tmp_path):
    try:
        importlib.import_module("pydot")
    except ImportError:
        with pytest.raises(ImportError, match="pydot"):
            keras.utils.plot_model(gan.generator, tmp_path / "generator.png")
        return
    keras.utils.plot_model(gan.generator, tmp_path / "generator.png")


@row("get_weights, set_weights")
def test_weights(gan):
    other = built()
    other.set_weights(gan.get_weights())
    np.testing.assert_array_equal(other.generate(3, seed=1), gan.generate(3, seed=1))


@row('save("x.keras")')
def test_save(gan, tmp_path):
    gan.save(tmp_path / "x.keras")
    loaded = keras.models.load_model(tmp_path / "x.keras")
    assert_close(optimizer_state(loaded), optimizer_state(gan), 0)
    np.testing.assert_array_equal(loaded.generate(3, seed=1), gan.generate(3, seed=1))


@row('save("x.h5"), save("x")')
@pytest.mark.parametrize("name", ["x.h5", "x.hdf5", "x"])
def test_save_elsewhere(gan, tmp_path, name):
    with pytest.raises(ValueError, match=r"`filepath` must end in '.keras'.*save_weights"):
        gan.save(tmp_path / name)
    assert not list(tmp_path.iterdir())


@row('save_weights("x.weights.h5")')
def test_save_weights(gan, tmp_path):
    gan.save_weights(tmp_path / "x.weights.h5")
    other = compiled(built())
    other.load_weights(tmp_path / "x.weights.h5")
    assert_close(optimizer_state(other), optimizer_state(gan), 0)
    assert_close(other.get_weights(), gan.get_weights(), 0)


@row("load_model")
@pytest.mark.slow
def test_load_model_elsewhere(gan, tmp_path):
    path = str(tmp_path / "x.keras")
    gan.save(path)
    load = f"import keras; print(type(keras.models.load_model({path!r})).__name__)"
    for first, code in (("", 1), ("import keras_gans; ", 0)):
        ended = subprocess.run(
            [sys.executable, "-c", first + load], capture_output=True, text=True, check=False
        )
        assert ended.returncode == code
    assert ended.stdout.strip() == "GAN"


@row("export")
def test_export(gan, tmp_path):
    for kwargs, function in (({}, "savedmodel"), ({"format": "onnx"}, "onnx")):
        with pytest.raises(ValueError, match=rf"export\.{function}\(gan"):
            gan.export(tmp_path / "served", **kwargs)
    with pytest.raises(ValueError, match=r"export\.savedmodel\(gan"):
        gan.export()


@row("quantize")
def test_quantize(gan):
    before = gan.get_weights()
    with pytest.raises(ValueError, match=r"quantization='int8'"):
        gan.quantize("int8")
    assert_close(gan.get_weights(), before, 0)


@row("clone_model, from_config, to_json")
def test_clone(gan):
    for copied in (
        keras.models.clone_model(gan),
        GAN.from_config(gan.get_config()),
        keras.models.model_from_json(gan.to_json()),
    ):
        assert (copied.seed, copied.ema_decay) == (0, 0.9)
        assert copied.generator is not gan.generator
        assert copied.generate(2, seed=0).shape == (2, *SHAPE)


@row("pickle, copy.deepcopy")
def test_pickle(gan):
    for copied in (pickle.loads(pickle.dumps(gan)), copy.deepcopy(gan)):
        assert_close(optimizer_state(copied), optimizer_state(gan), 0)


@row("get_state_tree")
def test_state_tree(gan):
    with pytest.raises(ValueError, match=r"leave out the optimizers.*save_weights"):
        gan.get_state_tree()
    with pytest.raises(ValueError, match=r"leave out the optimizers.*save_weights"):
        gan.set_state_tree({})


class Forgetful(GAN):
    def train_step(self, data):
        super().train_step(data)


class Misspelt(GAN):
    def train_step(self, data):
        with self.update("generatr") as losses:
            losses["generatr"] = 0.0
        return self.logs()


@row("a train_step without return")
def test_train_step_without_return():
    with pytest.raises(ValueError, match=r"`train_step` of Forgetful.*return self.logs\(\)"):
        Forgetful(*networks()).fit(REALS, verbose=0)


@row('update("generatr")')
def test_update_of_no_player():
    with pytest.raises(ValueError, match=r"`update`.*'generator'\]. Received: 'generatr'"):
        Misspelt(*networks()).fit(REALS, verbose=0)


def test_long_arguments_are_cut():
    """What was received is in an error in short."""
    for given in (REALS, REALS.tolist(), [REALS]):
        with pytest.raises(ValueError, match="`reals` must be uint8 pictures") as error:
            Evaluate(["fid"], given)
        assert len(str(error.value)) < 400
    with pytest.raises(ValueError, match=r"images.to_uint8"):
        Evaluate(["fid"], REALS)


# Callbacks of Keras


@row('ModelCheckpoint("x.keras")')
def test_model_checkpoint(gan, tmp_path):
    fit(gan, keras.callbacks.ModelCheckpoint(tmp_path / "x.keras"))
    loaded = keras.models.load_model(tmp_path / "x.keras")
    assert_close(loaded.get_weights(), gan.get_weights(), 0)


@row('ModelCheckpoint("x.weights.h5", save_weights_only=True)')
def test_model_checkpoint_of_weights(gan, tmp_path):
    fit(gan, keras.callbacks.ModelCheckpoint(tmp_path / "x.weights.h5", save_weights_only=True))
    other = compiled(built())
    other.load_weights(tmp_path / "x.weights.h5")
    assert_close(other.get_weights(), gan.get_weights(), 0)


@row('ModelCheckpoint("x.h5")')
def test_model_checkpoint_elsewhere(gan, tmp_path):
    before = gan.get_weights()
    with pytest.raises(ValueError, match=r"`filepath` of `ModelCheckpoint` must end in '.keras'"):
        fit(gan, keras.callbacks.ModelCheckpoint(tmp_path / "x.h5"))
    assert_close(gan.get_weights(), before, 0)
    assert not list(tmp_path.iterdir())


class Measured(keras.callbacks.Callback):
    """Stands for `Evaluate`, with numbers that are given, one an epoch; None for no measurement."""

    def __init__(self, values, lower=True):
        super().__init__()
        self.values, self.lower, self.measurements = values, lower, []

    def lower_is_better(self, name):
        return self.lower if name == "fid" else None

    def on_epoch_end(self, epoch, logs=None):
        if self.values[epoch] is not None:
            self.measurements.append(self.values[epoch])
        if self.measurements:
            value = self.values[epoch]
            logs["fid"] = float("nan") if value is None else value


@row("ModelCheckpoint(save_best_only=True)")
def test_model_checkpoint_of_the_best(gan, tmp_path):
    def checkpoint(name, **settings):
        path = tmp_path / f"{name}.keras"
        return keras.callbacks.ModelCheckpoint(path, save_best_only=True, **settings)

    with pytest.warns(UserWarning, match="ModelCheckpoint has nothing to go by: `monitor` is"):
        fit(gan, checkpoint("a"))  # Keras saves after each epoch then
    with pytest.raises(ValueError, match=r"`mode` of ModelCheckpoint must be 'min' or 'max'"):
        fit(gan, checkpoint("b", monitor="generator_loss"))
    saved = checkpoint("{epoch}", monitor="fid")
    fit(gan, Measured([3.0, 5.0, 2.0]), saved, epochs=3)
    assert {path.name for path in tmp_path.glob("?.keras")} == {"a.keras", "1.keras", "3.keras"}


@row("BackupAndRestore")
def test_backup_and_restore(tmp_path):
    class Stop(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                raise KeyboardInterrupt

    backup = tmp_path / "backup"
    first, second = compiled(built(), momentum=0.9), compiled(built(), momentum=0.9)
    with pytest.raises(KeyboardInterrupt):
        fit(first, keras.callbacks.BackupAndRestore(backup), Stop())
    epochs = []
    seen = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: epochs.append((epoch, int(second.optimizer.iterations)))
    )
    fit(second, keras.callbacks.BackupAndRestore(backup), seen)
    assert epochs == [(1, 4)]


@row("EarlyStopping")
def test_early_stopping(gan):
    stopping = keras.callbacks.EarlyStopping
    with pytest.warns(UserWarning, match="EarlyStopping has nothing to go by"):
        fit(gan, stopping())
    with pytest.raises(ValueError, match="`mode` of EarlyStopping"):
        fit(gan, stopping("generator_loss"))
    worse = [1.0, 2.0, 3.0, 4.0]
    for lower, epochs in ((True, 2), (False, 4)):
        history = fit(gan, Measured(worse, lower), stopping("fid", patience=1), epochs=4)
        assert len(history["fid"]) == epochs
    history = fit(gan, stopping("generator_loss", mode="min", min_delta=1e9), epochs=4)
    assert len(history["generator_loss"]) == 2


@row("LearningRateScheduler")
def test_learning_rate_scheduler(gan):
    scheduler = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
    history = fit(gan, scheduler)
    assert history["generator_rate"] == pytest.approx([0.2, 0.1])
    assert history["learning_rate"] == pytest.approx([0.2, 0.1])
    assert history["discriminator_rate"] == pytest.approx([0.1, 0.1])
    scheduled = built()
    rate = keras.optimizers.schedules.CosineDecay(0.1, 100)
    scheduled.compile(generator_optimizer=keras.optimizers.SGD(rate))
    with pytest.raises(TypeError, match=r"LearningRateSchedule.*not settable"):
        fit(scheduled, scheduler)


@row("ReduceLROnPlateau")
def test_reduce_lr_on_plateau(gan):
    reduce = keras.callbacks.ReduceLROnPlateau
    with pytest.warns(UserWarning, match="ReduceLROnPlateau has nothing to go by"):
        fit(gan, reduce())
    fit(gan, Measured([1.0, 2.0, 3.0]), reduce("fid", factor=0.5, patience=1), epochs=3)
    assert float(gan.generator_optimizer.learning_rate) == pytest.approx(0.1)
    assert float(gan.discriminator_optimizer.learning_rate) == pytest.approx(0.1)


@row("SwapEMAWeights")
def test_swap_ema_weights(gan, tmp_path):
    with pytest.warns(UserWarning, match="SwapEMAWeights does nothing.*`ema_decay`"):
        fit(gan, keras.callbacks.SwapEMAWeights(), epochs=1)
    with pytest.raises(ValueError, match="use_ema=True"):
        fit(gan, keras.callbacks.SwapEMAWeights(swap_on_epoch=True), epochs=1)
    own = compiled(built(), use_ema=True, ema_momentum=0.5)
    averages, saved = own.generator_optimizer._model_variables_moving_average, []
    watch = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: saved.append(own.generator.get_weights())
    )
    fit(own, keras.callbacks.SwapEMAWeights(swap_on_epoch=True), watch, epochs=1)
    assert_close(saved[0], [np.array(v) for v in averages], 1e-6)


def test_an_optimizers_own_average_at_the_end():
    """As with Keras: weights of each player whose optimizer has `use_ema` end as their average."""
    own = compiled(built(), use_ema=True, ema_momentum=0.5)
    fit(own)
    averages = own.generator_optimizer._model_variables_moving_average
    assert_close(own.generator.get_weights(), [np.array(v) for v in averages], 0)


@row("TensorBoard")
def test_tensorboard(gan, tmp_path):
    callback = keras.callbacks.TensorBoard(tmp_path)
    try:
        importlib.import_module("tensorboard")
    except ImportError:
        with pytest.raises(Exception, match="TensorBoard is not installed"):
            fit(gan, callback)
        return
    fit(gan, callback)


@row("CSVLogger")
def test_csv_logger(gan, tmp_path):
    fit(gan, keras.callbacks.CSVLogger(tmp_path / "log.csv"))
    names, *lines = (tmp_path / "log.csv").read_text().splitlines()
    assert {"epoch", "generator_loss", "generator_rate"} <= set(names.split(","))
    assert len(lines) == 2


@row("LambdaCallback")
def test_lambda_callback(gan):
    seen = []
    fit(gan, keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(logs)))
    assert len(seen) == 2 and "generator_loss" in seen[0]


@row("TerminateOnNaN")
@pytest.mark.parametrize("broken", ["discriminator", "generator"])
def test_terminate_on_nan(broken):
    class Breaks(GAN):
        def train_step(self, data):
            for player in self.players:
                with self.update(player) as losses:
                    (weight, *_) = self.player_variables(player)
                    losses[player] = tf.reduce_sum(weight) * (np.inf if player == broken else 1.0)
            return self.logs()

    gan = Breaks(*networks(), seed=0)
    history = fit(gan, keras.callbacks.TerminateOnNaN(), epochs=3)
    assert len(history["generator_loss"]) == 1
    with pytest.raises(RuntimeError, match="NaN or Inf loss"):
        fit(gan, keras.callbacks.TerminateOnNaN(raise_error=True))


def test_terminate_on_nan_lets_finite_losses_be(gan):
    history = fit(gan, keras.callbacks.TerminateOnNaN())
    assert "loss" not in history and len(history["generator_loss"]) == 2


@row("ProgbarLogger")
def test_progbar_logger(gan, capsys):
    gan.fit(REALS, batch_size=8, verbose=2, callbacks=[keras.callbacks.ProgbarLogger()])
    assert "generator_loss" in capsys.readouterr().out


@row("History")
def test_history(gan):
    history = keras.callbacks.History()
    assert fit(gan, history) == gan.history.history == history.history
    with pytest.raises(ValueError, match="`callbacks` must be a list of"):
        fit(gan, keras.callbacks.History)


@row("RemoteMonitor")
def test_remote_monitor(gan):
    received = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    root = f"http://127.0.0.1:{server.server_port}"
    fit(gan, keras.callbacks.RemoteMonitor(root, path="/", send_as_json=True))
    server.shutdown()
    server.server_close()
    assert [logs["epoch"] for logs in received] == [0, 1] and "generator_loss" in received[0]


@row("OrbaxCheckpoint")
def test_orbax_checkpoint(gan):
    class OrbaxCheckpoint(keras.callbacks.Callback):
        """Keras's can't be made without its package."""

    with pytest.raises(ValueError, match=r"callbacks.Resume\('checkpoints'\)"):
        fit(gan, OrbaxCheckpoint())


# Callbacks of others: as much of them as asks something of a model, written from their sources.


class WandbMetricsLogger(keras.callbacks.Callback):
    """wandb/integration/keras/callbacks/metrics_logger.py: a rate that is a variable or is called,
    after each batch and epoch."""

    def __init__(self):
        super().__init__()
        self.logged, self.step = [], 0

    def rate(self):
        rate = self.model.optimizer.learning_rate
        if isinstance(rate, tf.Variable | keras.Variable):
            return float(rate.numpy().item())
        return float(rate(step=self.step).numpy().item())

    def on_train_batch_end(self, batch, logs=None):
        self.step += 1
        self.logged.append({f"batch/{k}": v for k, v in logs.items()} | {"rate": self.rate()})

    def on_epoch_end(self, epoch, logs=None):
        self.logged.append({f"epoch/{k}": v for k, v in logs.items()} | {"rate": self.rate()})


class MlflowCallback(keras.callbacks.Callback):
    """mlflow/keras/callback.py: the optimizer's config, the summary as text, and its iterations."""

    def __init__(self):
        super().__init__()
        self.params, self.metrics, self.text = {}, [], []

    def on_train_begin(self, logs=None):
        config = self.model.optimizer.get_config()
        self.params = {f"optimizer_{name}": value for name, value in config.items()}

        def print_fn(line, *args, **kwargs):
            self.text.append(line)

        self.model.summary(print_fn=print_fn)

    def on_batch_end(self, batch, logs=None):
        self.metrics.append((int(self.model.optimizer.iterations.numpy()), logs))

    def on_epoch_end(self, epoch, logs=None):
        self.metrics.append((epoch, logs))


@row("Weights & Biases' WandbMetricsLogger")
def test_wandb(gan):
    fit(gan, logger := WandbMetricsLogger(), epochs=1)
    assert [entry["rate"] for entry in logger.logged] == pytest.approx([0.4] * 5)
    assert logger.logged[-1]["epoch/generator_rate"] == pytest.approx(0.4)
    assert logger.logged[-1]["epoch/discriminator_rate"] == pytest.approx(0.1)


@row("MLflow's MlflowCallback")
def test_mlflow(gan):
    before = int(gan.optimizer.iterations)
    fit(gan, logger := MlflowCallback(), epochs=1)
    assert logger.params["optimizer_learning_rate"] == pytest.approx(0.4)
    assert [step for step, _ in logger.metrics] == [*range(before + 1, before + 5), 0]
    assert all(isinstance(v, float) for v in logger.metrics[-1][1].values())
    assert "mlp_generator" in "\n".join(map(str, logger.text))


# ReduceRatesOnPlateau, by what is measured


@row('ReduceRatesOnPlateau("fid")')
def test_reduce_rates_by_a_measure(gan):
    """An epoch without a measurement does not count; more is better where the metric says so."""
    for values, lower in (([3.0, None, 4.0], True), ([4.0, None, 3.0], False)):
        gan.discriminator_optimizer.learning_rate = 0.1
        gan.generator_optimizer.learning_rate = 0.4
        history = fit(
            gan, Measured(values, lower), ReduceRatesOnPlateau("fid", patience=1), epochs=3
        )
        assert history["generator_rate"] == pytest.approx([0.4, 0.4, 0.2])
        assert history["discriminator_rate"] == pytest.approx([0.1, 0.1, 0.05])
    gan.discriminator_optimizer.learning_rate = 0.1


def test_reduce_rates_by_evaluate(gan):
    pictures = np.random.default_rng(1).integers(0, 256, (20, *SHAPE), "uint8")
    features = CallableExtractor(
        lambda x: tf.reshape(x, (-1, 16))[:, ::4], "pixels", (4, 4), 1, version="1"
    )
    evaluate = Evaluate(FID(features), pictures, batch_size=20)
    reduce = ReduceRatesOnPlateau("fid", patience=1, min_delta=1e9)
    history = fit(gan, evaluate, reduce)
    assert history["generator_rate"] == pytest.approx([0.4, 0.2])
    gan.discriminator_optimizer.learning_rate = 0.1
    with pytest.raises(ValueError, match="an `Evaluate` before this callback"):
        fit(gan, reduce, evaluate)


def test_every_row_of_the_page_is_a_test():
    found = re.findall(r"^\| (.+?) \| (?!---).+ \|$", PAGE.read_text(encoding="utf-8"), re.M)
    assert [name.replace("`", "") for name in found] == list(ROWS)
