"""Runs that fail, by the command line in this process; the rest of `runs` is in test_cli.py."""

import json
import types

import keras
import numpy as np
import pytest
from typer.testing import CliRunner

from keras_gans import run_settings
from keras_gans.cli import train as command
from keras_gans.cli.app import app
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
