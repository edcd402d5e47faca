"""Every example runs with no data but the package's own, and ends with a grid and a SavedModel."""

import pathlib
import subprocess
import sys

import pytest

EXAMPLES = sorted(
    path
    for path in (pathlib.Path(__file__).parent.parent / "examples").glob("*.py")
    if path.name != "common.py"
)


def run(*command, cwd):
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example(path, tmp_path):
    output = run(sys.executable, str(path), "--steps", "3", "--out", "run", cwd=tmp_path)
    for name in ("grid.png", "samples/samples.gif", "losses.png", "model.keras"):
        assert (tmp_path / "run" / name).stat().st_size > 0
    assert (tmp_path / "run" / "savedmodel" / "saved_model.pb").is_file()
    assert "grid.png" in output and "savedmodel" in output
    for source in ("run", "run/savedmodel"):
        run(sys.executable, "-m", "keras_gans", "generate", source, "--num", "4", cwd=tmp_path)
        assert (tmp_path / "grid.png").is_file()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["wgan", "wgan_gp"])
def test_example_on_points(name, tmp_path):
    path = next(path for path in EXAMPLES if path.stem == name)
    options = ("--dataset", "ring", "--steps", "3", "--out", "run")
    run(sys.executable, str(path), *options, cwd=tmp_path)
    assert (tmp_path / "run" / "grid.png").is_file()


def test_there_is_an_example_for_each_paper():
    from keras_gans.registry import MODELS

    assert {p.stem.replace("_", "") for p in EXAMPLES} == {name.lower() for name in MODELS}
