"""Runs that fail, by the command line in this process; the rest of `runs` is in test_cli.py."""

import json
import shutil
import types

import keras
import numpy as np
import pytest
from typer.testing import CliRunner

from keras_gans import GAN, ProGAN, datasets, run_settings, runs
from keras_gans.cli import train as command
from keras_gans.cli.app import app
from keras_gans.devices.precision import dtype_policy
from keras_gans.files import read_json, write_json
from keras_gans.networks import (
    build_mlp_discriminator,
    build_mlp_generator,
    build_progan_discriminator,
    build_progan_generator,
)
from keras_gans.runs.directories import chosen_of, facts_of_networks
from keras_gans.runs.sampling import parse_labels
from keras_gans.training import checkpoints, kinds


def test_a_run_that_failed_is_not_gone_on_with(tmp_path):
    failure = "The critic broke at step 7."
    settings = {"model": "WGAN-GP", "state": "failed", "failure": failure}
    (tmp_path / "settings.json").write_text(json.dumps(settings))
    with pytest.raises(ValueError, match=f"'{tmp_path}', whose run failed.*: {failure} Give other"):
        run_settings.check_directory(tmp_path)
    run_settings.check_directory(tmp_path, fresh=True)


def train(run, *more):
    command = ("train", "wgan-gp", "--dataset", "ring", "--steps", 20, "--batch-size", 8)
    command = (*command, "--save-every", 1, "--out", run, *more)
    return CliRunner().invoke(app, [str(argument) for argument in command])


@pytest.fixture
def absurd_rate(monkeypatch):
    """The command trains with it, from step 7 on; 5 critic updates are a step."""
    build = command.build

    def built(*arguments):
        gan = build(*arguments)
        rate = keras.optimizers.schedules.PiecewiseConstantDecay([30], [1e-4, 100.0])
        gan.compile(critic_optimizer=keras.optimizers.SGD(rate))
        return gan

    with monkeypatch.context() as patch:
        patch.setattr(command, "build", built)
        yield patch


@pytest.mark.slow
def test_a_run_that_breaks(tmp_path, absurd_rate):
    run = tmp_path / "run"
    result = train(run)
    assert result.exit_code == 2 and "Traceback" not in result.output
    errors = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1
    settings = json.loads((run / "settings.json").read_text())
    assert settings["state"] == "failed" and errors[0] == f"Error: {settings['failure']}"
    assert settings["failure"].startswith(
        "The critic broke at step 7: `critic_loss` and `gradient_penalty` are not finite. "
    )
    assert "(then 100 for the critic, 0.0001 for the generator)" in settings["failure"]
    assert f"(written to '{run / 'last_good.keras'}')" in settings["failure"]

    assert not (run / "model.keras").exists() and not (run / "savedmodel").exists()
    assert (run / "losses.png").exists()
    good = keras.models.load_model(run / "last_good.keras")
    assert all(np.isfinite(values).all() for values in good.get_weights())
    values, facts = checkpoints.read(checkpoints.paths(str(run / "checkpoints"))[-1])
    assert facts["steps"] == 6
    assert all(np.isfinite(v).all() for n, v in values.items() if n.startswith("model/"))

    assert train(run).exit_code == 2
    assert json.loads((run / "settings.json").read_text()) == settings

    absurd_rate.undo()
    fresh = train(run, "--fresh")
    assert fresh.exit_code == 0, fresh.output
    assert json.loads((run / "settings.json").read_text())["state"] == "finished"
    assert (run / "model.keras").exists() and not (run / "last_good.keras").exists()


def test_labels_are_names_before_they_are_numbers():
    """Of classes "1" to "12", `--labels 2,10` are the second and the tenth."""
    port = types.SimpleNamespace(inputs=(kinds.Labels("labels", 12),))
    names = [*map(str, range(1, 12)), "Boots, brown"]
    sampler = types.SimpleNamespace(port=port, num_classes=12, class_names=names)
    assert parse_labels("2, 10", sampler, "run") == [1, 9]
    assert parse_labels("0", sampler, "run") == [0]  # no class has that name
    assert parse_labels("Boots, brown", sampler, "run") == [11]
    with pytest.raises(ValueError, match=r"--labels must be numbers from 0 to 11 or names \(1, 2"):
        parse_labels("2,13", sampler, "run")


# A run that is refused


def contents(directory):
    """`{name: bytes}` of all files."""
    files = (path for path in directory.rglob("*") if path.is_file())
    return {path.relative_to(directory).as_posix(): path.read_bytes() for path in files}


def points():
    generator = build_mlp_generator((2,), 3, (4,), seed=0)
    return GAN(generator, build_mlp_discriminator((2,), (4,), seed=1), seed=0)


def first_stage(width=4, latent_dim=6, **settings):
    size, shape = {"filters_base": 32, "filters_max": width, "seed": 0}, (4, 4, 3)
    generator = build_progan_generator(shape, latent_dim=latent_dim, **size)
    return ProGAN(generator, build_progan_discriminator(shape, **size), **settings)


def ring(seed):
    return datasets.load("ring", batch_size=8, seed=seed)


def test_steps_are_those_that_are_asked_for(tmp_path):
    """A script writes down its own arguments, among which there may be other steps."""
    gan = points()
    assert runs.train(gan, ring(0), tmp_path / "run", steps=2, settings={"steps": 5, "word": "x"})
    settings = read_json(tmp_path / "run" / "settings.json")
    assert (settings["steps"], settings["steps_taken"], settings["word"]) == (2, 2, "x")
    assert int(gan.optimizer_of("generator").iterations) == 2


def test_a_finished_run_that_cannot_be_lengthened_stays_finished(tmp_path, monkeypatch):
    """Data of the same name and size, but others: told only when the checkpoint is read."""
    monkeypatch.setattr("keras_gans.runs.training.savedmodel", lambda *arguments, **more: None)
    run = tmp_path / "run"
    assert runs.train(points(), ring(0), run, steps=1)
    before = contents(run)
    assert json.loads(before["settings.json"])["state"] == "finished"
    with pytest.raises(ValueError, match="The data must be those that the checkpoint was made"):
        runs.train(points(), ring(1), run, steps=2)
    assert contents(run) == before
    with dtype_policy("mixed_bfloat16"):
        gan = points()
    for act in (runs.train, runs.check):
        with pytest.raises(ValueError, match='is "float32" there and "mixed_bfloat16" here'):
            act(gan, ring(0), run, steps=2)
    assert runs.check(points(), ring(0), run, steps=5) == 4
    assert runs.check(points(), ring(0), run, steps=5, fresh=True) == 5
    assert contents(run) == before


class Broken(keras.callbacks.Callback):
    """Fails at the beginning, or after a step."""

    def __init__(self, step):
        super().__init__()
        self.step = step

    def on_train_begin(self, logs=None):
        if self.step == 0:
            raise RuntimeError("no room")

    def on_train_batch_end(self, batch, logs=None):
        raise RuntimeError("no room")


@pytest.mark.parametrize("there", [False, True])
def test_a_new_run_that_takes_no_step_leaves_nothing(there, tmp_path):
    run = tmp_path / "runs" / "gan"
    if there:
        run.mkdir(parents=True)
    with pytest.raises(RuntimeError, match="no room"):
        gan = points()
        runs.train(gan, ring(0), run, steps=2, callbacks=[Broken(0)])
    assert [p.name for p in tmp_path.rglob("*")] == (["runs"] if there else [])
    with pytest.raises(RuntimeError, match="no room"):
        runs.train(gan, ring(0), run, steps=2, callbacks=[Broken(1)])
    assert read_json(run / "settings.json")["state"] == "training"


@pytest.fixture(scope="module")
def grown(tmp_path_factory):
    """A finished run of a growing model, 4 x 4 and 8 x 8, as far as settings tell."""
    root = tmp_path_factory.mktemp("grown")
    gan = first_stage(ema_decay=0.5, seed=3)
    for stage, name in ((gan, "r-4"), (gan.grow(), "r")):
        shape = list(stage.sampler.output_shape[1:])
        facts = {**chosen_of(stage), **facts_of_networks(stage), "sample_shape": shape}
        facts |= {"steps": 1, "batch_size": 4, "group": "a"}
        (root / name / "checkpoints/step_00000001").mkdir(parents=True)
        write_json(root / name / "settings.json", {**facts, "state": "finished", "steps_taken": 1})
    return root


OTHERS = {
    "seed": ({"seed": 4}, "seed is 3 there and 4 here"),
    "average": ({"ema_decay": None}, "ema_decay is 0.5 there and null here"),
    "precision": ({"policy": "mixed_float16"}, 'is "float32" there and "mixed_float16" here'),
    "networks": ({"width": 8}, "parameters is [0-9]+ there and [0-9]+ here"),
    "latents": ({"latent_dim": 5}, r"latent_shape is \[6\] there and \[5\] here"),
    "settings": ({"group": "b"}, 'group is "a" there and "b" here'),
    "minibatch": ({"batch_size": 2}, "batch_size is 4 there and 2 here"),
}


@pytest.mark.parametrize("run", ["r", "r-4"])
@pytest.mark.parametrize("other", OTHERS)
def test_a_growing_run_of_other_settings(other, run, grown, tmp_path):
    """Of a finished run that is to be longer, and of an earlier stage; nothing is written."""
    given, message = OTHERS[other]
    given = {"seed": 3, "ema_decay": 0.5, **given}
    policy, group = given.pop("policy", "float32"), given.pop("group", "a")
    batch_size = given.pop("batch_size", 4)
    with dtype_policy(policy):
        gan = first_stage(**given)
    shutil.copytree(grown / "r-4", tmp_path / "r-4")
    if run == "r":
        shutil.copytree(grown / "r", tmp_path / "r")
    before = contents(tmp_path)
    stages = [(2 if run == "r" else 1, batch_size)] * 2
    with pytest.raises(ValueError, match=f"/{run}' has a finished run of .*{message}"):
        runs.train_stages(gan, stages, None, tmp_path / "r", settings={"group": group})
    assert contents(tmp_path) == before


def test_the_steps_that_stages_have_left(grown, tmp_path):
    def left(steps, out, num=2, **options):
        gan = first_stage(ema_decay=0.5, seed=3)
        return runs.check_stages(gan, [(steps, 4)] * num, out, settings={"group": "a"}, **options)

    assert left(7, grown / "r") == [0, 6]
    assert left(7, grown / "r", fresh=True) == [7, 7]
    shutil.copytree(grown / "r-4", tmp_path / "r-4")
    assert left(1, tmp_path / "r", 3) == [0, 1, 1]
    assert left(3, tmp_path / "r", 3) == [2, 3, 3]
    settings = {**read_json(tmp_path / "r-4/settings.json"), "state": "interrupted", "steps": 5}
    write_json(tmp_path / "r-4/settings.json", settings)
    assert left(5, tmp_path / "r") == [4, 5]
    with pytest.raises(ValueError, match=r"/r-4' has an unfinished run .*steps is 5 there and 6"):
        left(6, tmp_path / "r")
    assert [path.name for path in tmp_path.iterdir()] == ["r-4"]


def test_a_growing_run_of_another_size(grown):
    gan = first_stage(ema_decay=0.5, seed=3)
    message = r"sample_shape is \[8, 8, 3\] there and \[16, 16, 3\] here"
    with pytest.raises(ValueError, match=message):
        runs.train_stages(gan, [(2, 4)] * 3, None, grown / "r", settings={"group": "a"})
