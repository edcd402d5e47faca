"""How the command line starts: without TensorFlow where it needs none, and in silence."""

import os
import subprocess
import sys

import pytest

from keras_gans import CGAN
from keras_gans.cli.parts import LOG_LEVEL, quiet_import
from keras_gans.networks import build_mlp_discriminator, build_mlp_generator

SCRIPT = "from keras_gans.cli import main\nmain()\n"  # as pip writes it
AT_EXIT = """
import atexit, pathlib, sys
modules = pathlib.Path(__file__).with_name("modules")
atexit.register(lambda: modules.write_text(" ".join(sys.modules)))
"""


@pytest.fixture
def run(tmp_path):
    """Runs Python in a fresh process: its exit code, stdout, stderr and the modules it imported."""
    (tmp_path / "sitecustomize.py").write_text(AT_EXIT)  # Python imports it when it starts

    def run(*command):
        chosen = {name: os.environ[name] for name in os.environ if not name.startswith("TF_")}
        path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
        result = subprocess.run(
            [sys.executable, *map(str, command)],
            env={**chosen, "PYTHONPATH": path},
            capture_output=True,
            text=True,
        )
        modules = set((tmp_path / "modules").read_text().split())
        assert "keras_gans" in modules
        return result.returncode, result.stdout, result.stderr, modules

    return run


@pytest.fixture
def script(tmp_path):
    (tmp_path / "bin").mkdir()
    path = tmp_path / "bin" / "keras-gans"
    path.write_text(SCRIPT)
    return path


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A `.keras` file of a class, and with layers, of the package."""
    networks = (
        build_mlp_generator((2,), 4, hidden=(8,), num_classes=3, seed=0),
        build_mlp_discriminator((2,), hidden=(8,), num_classes=3, maxout_pieces=2, seed=1),
    )
    path = tmp_path_factory.mktemp("saved") / "model.keras"
    CGAN(*networks, num_classes=3, seed=0).save(path)
    return path


HEAVY = {"tensorflow", "keras"}


@pytest.mark.parametrize("command", ["--help", "--version", "list", "datasets", "train --help"])
def test_what_needs_no_tensorflow(command, run, script):
    code, stdout, stderr, modules = run(script, *command.split())
    assert (code, stderr) == (0, "") and stdout
    assert HEAVY.isdisjoint(modules)


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("--wrong", "No such option"),
        ("train DCGAN --steps x", "'--steps'"),
        ("train wgan-pg", "There is no model 'wgan-pg'"),
        ("train DCGAN --out {script}", "--out must be a directory"),
        ("generate . --out a.jpg", "--out must end in '.png'"),
        ("evaluate . --out a.png", "--out must end in '.json'"),
    ],
)
def test_errors_that_need_no_tensorflow(command, message, run, script):
    code, _, stderr, modules = run(script, *command.format(script=script).split())
    assert code == 2 and message in stderr
    assert "oneDNN" not in stderr and "absl" not in stderr
    assert HEAVY.isdisjoint(modules)


@pytest.mark.parametrize("module", ["keras_gans", "keras_gans.cli"])
def test_as_a_module(module, run):
    code, _, stderr, modules = run("-m", module, "--version")
    assert (code, stderr) == (0, "")
    assert HEAVY.isdisjoint(modules)


@pytest.mark.slow
def test_a_command_reads_a_model_in_silence(run, script, saved, tmp_path):
    """The classes in the file are known to Keras, and TensorFlow's libraries say nothing."""
    code, stdout, stderr, modules = run(script, "generate", saved, "--out", tmp_path / "a.png")
    assert (code, stderr) == (0, "") and "1,000 points" in stdout
    assert modules >= HEAVY


@pytest.mark.parametrize("imports", ["keras_gans, keras", "keras, keras_gans"])
def test_a_users_program_reads_a_model(imports, run, saved):
    """Keras imports no module of ours by itself: `import keras_gans` has to."""
    code = f"import {imports}\nprint(type(keras.models.load_model({str(saved)!r})).__name__)"
    assert run("-c", code)[:2] == (0, "CGAN\n")


@pytest.mark.slow
def test_a_users_script_has_all_names(run, tmp_path):
    path = tmp_path / "train.py"
    path.write_text("from keras_gans import *\nprint(WGANGP.__name__, load.__name__, losses.l1)")
    code, stdout, _, _ = run(path)
    assert code == 0 and stdout.startswith("WGANGP load <function l1")


@pytest.mark.parametrize("level", [None, "0"])
def test_users_who_set_the_level_see_all(level, monkeypatch, capfd):
    monkeypatch.setenv(LOG_LEVEL, "0")
    if level is None:
        monkeypatch.delenv(LOG_LEVEL)
    with pytest.raises(ImportError), quiet_import():
        os.write(2, b"during ")
        raise ImportError
    os.write(2, b"after")
    assert capfd.readouterr().err == ("after" if level is None else "during after")
    assert os.environ[LOG_LEVEL] == ("3" if level is None else "0")
