"""What `Resume` saves, what it does with damaged files and a full disk, where `fit` goes on.

That a run which is killed ends bit for bit as one that is not is in tests/test_resume.py.
"""

import csv
import os
import resource
import shutil
import time
import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from keras_gans import BEGAN, GAN, WGANGP, CycleGAN
from keras_gans.callbacks import LossCurves, ReduceRatesOnPlateau, Resume, SampleGrid, TensorBoard
from keras_gans.callbacks import resume as resume_module
from keras_gans.callbacks.resume import writer
from keras_gans.datasets import load
from keras_gans.networks import build_mlp_discriminator, build_mlp_generator
from keras_gans.training.checkpoints import paths, read, snapshot, variables_of

SHAPE = (8, 8, 3)


class Killed(Exception):
    pass


class KillAfter(keras.callbacks.Callback):
    """Ends `fit` after a step, without anything that callbacks do at an end."""

    def __init__(self, steps):
        super().__init__()
        self.left = steps

    def on_train_batch_end(self, batch, logs=None):
        self.left -= 1
        if self.left == 0:
            raise Killed


def ring():
    return load("ring", batch_size=8, seed=1)


def wgan_gp(seed=0):
    generator = build_mlp_generator((2,), 4, hidden=(8,), seed=seed)
    critic = build_mlp_discriminator((2,), hidden=(8,), seed=seed + 1)
    model = WGANGP(generator, critic, n_critic=2, ema_decay=0.9, seed=seed)
    # Tracing takes longer than some steps, and graphs of two models in a process round differently.
    model.compile(run_eagerly=True)
    return model


def with_dropout(seed=0):
    """Keras's own Dropout, whose seed is in a SeedGenerator."""
    discriminator = keras.Sequential(
        [keras.Input((2,)), layers.Dense(8), layers.Dropout(0.5, seed=seed), layers.Dense(1)]
    )
    return GAN(build_mlp_generator((2,), 4, hidden=(8,), seed=seed), discriminator, seed=seed)


def began(seed=0):
    keras.utils.set_random_seed(seed)
    generator = build_mlp_generator(SHAPE, 4, hidden=(8,), seed=seed)
    pictures = keras.Input(SHAPE)
    codes = layers.Dense(4)(layers.Flatten()(pictures))
    outputs = layers.Reshape(SHAPE)(layers.Dense(192)(codes))
    return BEGAN(generator, keras.Model(pictures, outputs), lambda_k=0.1, seed=seed)


def cyclegan(seed=0):
    keras.utils.set_random_seed(seed)

    def network(filters):
        return keras.Sequential([keras.Input(SHAPE), layers.Conv2D(filters, 3, padding="same")])

    return CycleGAN(network(3), network(3), network(1), network(1), seed=seed)


def pictures(parts=1):
    arrays = np.random.default_rng(0).uniform(-1, 1, (parts, 16, *SHAPE)).astype("float32")
    return tf.data.Dataset.from_tensor_slices(tuple(arrays)).batch(2)


def values(model):
    return {name: value.numpy() for name, value in snapshot(variables_of(model)).items()}


def assert_equal(actual, expected, tolerance=0):
    assert actual.keys() == expected.keys()
    for name in expected:
        np.testing.assert_allclose(
            actual[name], expected[name], rtol=0, atol=tolerance, err_msg=name
        )


def fit(model, directory, epochs=2, steps=4, data=None, callbacks=(), **kwargs):
    kwargs = {"every_steps": 3, **kwargs}
    return model.fit(
        ring() if data is None else data,
        epochs=epochs,
        steps_per_epoch=steps,
        callbacks=[Resume(directory, **kwargs), *callbacks],
        verbose=0,
    )


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A directory with the checkpoints of steps 3, 6 and 8, and the model's values at the end."""
    keras.utils.set_random_seed(0)
    directory = tmp_path_factory.mktemp("saved") / "checkpoints"
    model = wgan_gp()
    fit(model, directory, keep=3)
    return directory, values(model)


@pytest.fixture
def copied(saved, tmp_path):
    directory = tmp_path / "checkpoints"
    for path in paths(saved[0]):
        target = directory / os.path.basename(path)
        target.mkdir(parents=True)
        for name in os.listdir(path):
            with open(os.path.join(path, name), "rb") as file:
                (target / name).write_bytes(file.read())
    return directory


# What is saved


@pytest.mark.parametrize(
    "build, data, special",
    [
        (wgan_gp, ring, ["adam/iteration", "critic_kernel_velocity", "random_state", "count"]),
        (with_dropout, ring, ["seed_generator_state"]),
        (began, pictures, ["began/k"]),
        (cyclegan, lambda: pictures(2), ["image_buffer/images", "image_buffer/count"]),
    ],
)
def test_everything_comes_back(build, data, special, tmp_path):
    model = build(seed=0)
    names = list(variables_of(model := _compiled(model)))
    if build is not wgan_gp:
        for word in special:
            assert any(word in name for name in names), (word, names)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of data that can't begin at a step
        fit(model, tmp_path, epochs=1, steps=3, data=data())
    expected = values(model)
    other = _compiled(build(seed=5))
    before = values(other)
    moved = [name for name in before if (before[name] != expected[name]).any()]
    assert len(moved) > len(before) // 2
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        start = Resume(tmp_path).start(other, ring())
    assert (start.epoch, start.step, start.steps) == (1, 0, 3)
    assert_equal(values(other), expected)


def _compiled(model):
    model.compile()
    return model


def test_every_variable_of_the_model_and_its_optimizers_is_among_them():
    model = _compiled(wgan_gp())
    found = {id(variable) for variable in variables_of(model).values()}
    wanted = [*model.weights, *model.ema_generator.weights, model.random_state.state]
    for player in model.players:
        wanted += [*model.optimizer_of(player).variables, model.optimizer_of(player).iterations]
    wanted += [v for metric in model.report_metrics.values() for v in metric.variables]
    assert all(id(variable) in found for variable in wanted)


def test_tensorflow_reads_the_files(saved):
    path = paths(saved[0])[-1]
    names = [name for name, _ in tf.train.list_variables(os.path.join(path, "state"))]
    assert set(names) == {*saved[1], "facts"}


# Where `fit` goes on


@pytest.mark.parametrize("killed_after, seen", [(1, 8), (4, 5), (5, 5), (7, 2)])
def test_goes_on_within_an_epoch(saved, killed_after, seen, tmp_path):
    """Killed after these steps of 8, the second run takes the last `seen`; checkpoints: 3, 6, 8."""
    directory = tmp_path / "checkpoints"
    with pytest.raises(Killed):
        fit(wgan_gp(), directory, callbacks=[KillAfter(killed_after)])
    told = []
    spy = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: told.append((epoch, None)),
        on_train_batch_end=lambda batch, logs: told.append((None, batch)),
    )
    model = wgan_gp()
    history = fit(model, directory, callbacks=[spy])
    everything = [(0, None), *((None, b) for b in range(4)), (1, None)]
    everything += [(None, b) for b in range(4)]
    steps = [pair for pair in told if pair[0] is None]
    assert steps == [pair for pair in everything if pair[0] is None][-seen:]
    assert told[0] == (0 if seen > 4 else 1, None)
    assert_equal(values(model), saved[1])
    assert len(history.history["critic_loss"]) == (2 if seen > 4 else 1)


def test_logs_are_means_over_the_whole_epoch(tmp_path):
    whole = fit(wgan_gp(), tmp_path / "a").history
    with pytest.raises(Killed):
        fit(wgan_gp(), tmp_path / "b", callbacks=[KillAfter(4)])
    parts = fit(wgan_gp(), tmp_path / "b").history
    for name in ("critic_loss", "generator_loss", "gradient_penalty"):
        np.testing.assert_allclose(parts[name], whole[name], atol=1e-5)


def test_a_finished_run_has_nothing_to_do_and_more_epochs_go_on(copied, saved):
    model = wgan_gp()
    fit(model, copied)
    assert_equal(values(model), saved[1])
    model = wgan_gp()
    history = fit(model, copied, epochs=3)
    assert len(history.history["critic_loss"]) == 1
    assert int(model.generator_optimizer.iterations) == 12


def test_other_data_go_on_with_the_next_epoch(tmp_path, capsys):
    data = tf.data.Dataset.from_tensor_slices(np.ones((64, 2), "float32")).batch(8)
    with pytest.warns(UserWarning, match="at the end of epochs only"), pytest.raises(Killed):
        fit(wgan_gp(), tmp_path, data=data, callbacks=[KillAfter(7)])
    writer().submit(int).result()
    assert [os.path.basename(path) for path in paths(tmp_path)] == ["step_00000004"]
    model = wgan_gp()
    with pytest.warns(UserWarning):
        fit(model, tmp_path, data=data)
    assert int(model.generator_optimizer.iterations) == 8
    printed = capsys.readouterr().out
    assert "the end of epoch 1, 4 steps in all" in printed and "begin anew" in printed


def test_data_without_steps_per_epoch(tmp_path):
    data = tf.data.Dataset.from_tensor_slices(np.ones((64, 2), "float32")).batch(8)
    for epochs in (1, 3):
        model = wgan_gp()
        model.fit(data, epochs=epochs, callbacks=[Resume(tmp_path)], verbose=0)
        assert int(model.generator_optimizer.iterations) == 4 * epochs


def test_stopping_within_an_epoch_saves_there(tmp_path):
    stop = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: setattr(model, "stop_training", batch == 1)
    )
    model = wgan_gp()
    fit(model, tmp_path, callbacks=[stop])
    assert [os.path.basename(path) for path in paths(tmp_path)] == ["step_00000002"]
    _, facts = read(paths(tmp_path)[0])
    assert (facts["epoch"], facts["step"]) == (0, 2)


def test_steps_per_execution(tmp_path, saved):
    model = wgan_gp()
    model.compile(steps_per_execution=2)
    with pytest.raises(Killed):
        fit(model, tmp_path, every_steps=2, callbacks=[KillAfter(3)])
    model = wgan_gp()
    model.compile(steps_per_execution=4)
    with pytest.raises(ValueError, match="`steps_per_execution` must divide the 2 steps"):
        _kill_at(tmp_path, model)
    model = wgan_gp()
    model.compile(steps_per_execution=2)
    fit(model, tmp_path)
    assert_equal(values(model), saved[1], 2e-6)


def _kill_at(directory, model):
    """Fits after the newest checkpoint, at the end of an epoch, is gone."""
    newest = paths(directory)[-1]
    os.rename(newest, newest + ".away")
    try:
        fit(model, directory)
    finally:
        os.rename(newest + ".away", newest)


def test_replicas_and_one_device_share_checkpoints(tmp_path, two_replicas):
    with two_replicas.scope():
        model = wgan_gp()
        model.compile()
    fit(model, tmp_path, epochs=1)
    expected = values(model)
    one = _compiled(wgan_gp(seed=3))
    Resume(tmp_path).start(one, ring())
    assert_equal(values(one), expected)
    with two_replicas.scope():
        two = wgan_gp(seed=4)
        two.compile()
    Resume(tmp_path).start(two, ring())
    assert_equal(values(two), expected)


def test_only_the_chief_writes(tmp_path, monkeypatch):
    monkeypatch.setattr(resume_module, "is_chief", lambda model: False)
    fit(wgan_gp(), tmp_path / "checkpoints")
    assert not (tmp_path / "checkpoints").exists()


# Other callbacks


@pytest.mark.slow
def test_pictures_curves_and_scalars_go_on(tmp_path):
    def callbacks(directory):
        return [
            LossCurves(directory / "losses.png", max_rows=6),
            SampleGrid(directory / "samples", every_steps=2, num=10),
            TensorBoard(directory / "tensorboard", scalars_every_steps=3),
        ]

    # 7: within an epoch; 13: after a checkpoint at the end of one.
    for name, kills in (("whole", ()), ("parts", (7, 6))):
        for kill in kills:
            with pytest.raises(Killed):
                more = [*callbacks(tmp_path / name), KillAfter(kill)]
                fit(wgan_gp(), tmp_path / name / "c", epochs=3, steps=6, callbacks=more)
        fit(
            wgan_gp(),
            tmp_path / name / "c",
            epochs=3,
            steps=6,
            callbacks=callbacks(tmp_path / name),
        )
    tables = [_table(tmp_path / name / "losses.csv") for name in ("whole", "parts")]
    assert [row["step"] for row in tables[0]] == [row["step"] for row in tables[1]]
    for name in ("critic_loss", "generator_loss", "gradient_penalty"):
        columns = [[float(row[name]) for row in table] for table in tables]
        np.testing.assert_allclose(*columns, atol=1e-4)
    samples = [sorted(os.listdir(tmp_path / name / "samples")) for name in ("whole", "parts")]
    assert samples[0] == samples[1] and "step_000012.png" in samples[0]
    scalars = [_scalars(tmp_path / name / "tensorboard") for name in ("whole", "parts")]
    assert scalars[0].keys() == scalars[1].keys()
    for step in scalars[0]:
        np.testing.assert_allclose(scalars[0][step], scalars[1][step], atol=1e-4)


def _table(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def _scalars(directory):
    found = {}
    for name in sorted(os.listdir(directory)):
        for event in tf.compat.v1.train.summary_iterator(os.path.join(directory, name)):
            for value in event.summary.value:
                if value.tag == "critic_loss":
                    found[event.step] = float(tf.make_ndarray(value.tensor))
    return found


def test_the_plateau_is_counted_on(tmp_path):
    def callback():
        # Nothing is progress, so the rates fall after the third epoch.
        return ReduceRatesOnPlateau("critic_loss", patience=3, min_delta=1e9)

    fit(wgan_gp(), tmp_path, epochs=2, callbacks=[callback()])
    model = wgan_gp()
    fit(model, tmp_path, epochs=4, callbacks=[callback()])
    rates = [float(model.optimizer_of(player).learning_rate) for player in model.players]
    np.testing.assert_allclose(rates, 5e-5)


def test_two_callbacks_of_a_class_keep_apart(tmp_path):
    def curves():
        return [LossCurves(tmp_path / f"{name}.png") for name in "ab"]

    fit(wgan_gp(), tmp_path / "c", callbacks=curves())
    _, facts = read(paths(tmp_path / "c")[-1])
    assert {"LossCurves", "LossCurves 2"} <= set(facts["callbacks"])


# The disk


def test_keep(saved, tmp_path):
    assert [os.path.basename(path)[-1] for path in paths(saved[0])] == ["3", "6", "8"]
    fit(wgan_gp(), tmp_path, keep=1)
    assert [os.path.basename(path) for path in paths(tmp_path)] == ["step_00000008"]


@pytest.mark.parametrize("file", ["state.index", "state.data-00000-of-00001"])
@pytest.mark.parametrize("damage", ["truncated", "flipped", "missing"])
def test_a_damaged_file_is_passed_over(copied, file, damage):
    path = os.path.join(paths(copied)[-1], file)
    with open(path, "rb") as opened:
        content = bytearray(opened.read())
    if damage == "truncated":
        content = content[: len(content) // 2]
    content[len(content) // 3] ^= 1
    with open(path, "wb") as opened:
        opened.write(content)
    if damage == "missing":
        os.remove(path)
    with pytest.warns(RuntimeWarning) as caught:
        start = Resume(copied).start(_compiled(wgan_gp()), ring())
    assert start.steps == 6
    assert any(path in str(warning.message) for warning in caught), [str(w.message) for w in caught]


def test_damaged_ones_do_not_count_among_those_that_are_kept(copied):
    """One damaged checkpoint is replaced, and one of a later step removed."""
    shutil.copytree(paths(copied)[-1], copied / "step_00000099")
    for path in paths(copied)[-2:]:
        os.remove(os.path.join(path, "state.index"))
    with pytest.warns(RuntimeWarning):
        fit(wgan_gp(), copied, keep=2)
    steps = [read(path)[1]["steps"] for path in paths(copied)]
    assert steps == [6, 8]


def test_all_damaged(copied):
    for path in paths(copied):
        os.remove(os.path.join(path, "state.index"))
    with pytest.warns(RuntimeWarning), pytest.raises(OSError, match="are damaged, 3 of them"):
        fit(wgan_gp(), copied)


def test_what_a_killed_save_left_is_removed(copied):
    (copied / ".step_00000009.unfinished-0123abcd").mkdir()
    (copied / "mine").mkdir()
    fit(wgan_gp(), copied)
    assert sorted(path.name for path in copied.iterdir() if "step" not in path.name) == ["mine"]
    assert not (copied / ".step_00000009.unfinished-0123abcd").exists()


def test_a_full_disk(tmp_path):
    """Files can't grow beyond 1 kB after step 3: later checkpoints fail, the first one stays."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def begin_epoch(epoch, logs):
        if epoch == 1:
            while not paths(tmp_path):
                time.sleep(0.01)
            resource.setrlimit(resource.RLIMIT_FSIZE, (1024, hard))

    limit = keras.callbacks.LambdaCallback(on_epoch_begin=begin_epoch)
    model = wgan_gp()
    try:
        with pytest.warns(RuntimeWarning) as caught:
            fit(model, tmp_path, callbacks=[limit])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    messages = [str(w.message) for w in caught if w.category is RuntimeWarning]
    assert len(messages) == 2, messages
    for step, message in zip((6, 8), messages, strict=True):
        assert f"step_0000000{step}' could not be written" in message
        assert f"The newest one is '{tmp_path / 'step_00000003'}'" in message
    assert os.listdir(tmp_path) == ["step_00000003"]
    assert int(model.generator_optimizer.iterations) == 8
    fit(wgan_gp(), tmp_path)
    assert len(paths(tmp_path)) == 2


# Errors


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"directory": ""}, "`directory`"),
        ({"directory": "a", "every_steps": 0}, "`every_steps`"),
        ({"directory": "a", "every_seconds": 0}, "`every_seconds`"),
        ({"directory": "a", "every_seconds": True}, "`every_seconds`"),
        ({"directory": "a", "keep": 0}, "`keep`"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        Resume(**arguments)


def test_another_model_or_other_networks(copied):
    with pytest.raises(ValueError, match=r"must be of a GAN\. Received: one of a WGANGP"):
        fit(with_dropout(), copied)
    networks = build_mlp_generator((2,), 4, hidden=(9,)), build_mlp_discriminator((2,), (8,))
    with pytest.raises(ValueError, match=r"has the shape \(4, 8\), not \(4, 9\)"):
        fit(WGANGP(*networks, ema_decay=0.9), copied)
    without = WGANGP(wgan_gp().generator, wgan_gp().critic)
    with pytest.raises(ValueError, match=r"the checkpoint has .* which the model lacks"):
        fit(without, copied)


def test_other_steps_or_batches(copied):
    os.rename(paths(copied)[-1], copied / "away")  # 6 is within an epoch
    with pytest.raises(ValueError, match="`steps_per_epoch` must be 4"):
        fit(wgan_gp(), copied, steps=5)
    with pytest.raises(ValueError, match=r"must have 16 examples for each step.* Received: 32"):
        fit(wgan_gp(), copied, data=load("ring", batch_size=16))
    with pytest.raises(ValueError, match="whose first batch differs"):
        fit(wgan_gp(), copied, data=load("ring", batch_size=8, seed=2))
    other = tf.data.Dataset.from_tensors(np.ones((8, 2), "float32"))
    with pytest.warns(UserWarning), pytest.raises(ValueError, match="made within an epoch"):
        fit(wgan_gp(), copied, data=other)


def test_two_of_them(tmp_path):
    with pytest.raises(ValueError, match="one Resume at most"):
        fit(wgan_gp(), tmp_path, callbacks=[Resume(tmp_path)])
