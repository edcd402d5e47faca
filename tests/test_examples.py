"""Every example runs with no data but the package's own, and ends with a grid and a SavedModel."""

import json
import pathlib
import runpy
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from keras_gans.cli.app import app

EXAMPLES = sorted(
    path
    for path in (pathlib.Path(__file__).parent.parent / "examples").glob("*.py")
    if path.name not in ("common.py", "progan_ablation.py")
)


def run(*command, cwd):
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=900)
    assert not done.returncode, done.stderr[-3000:]
    return done.stdout


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Function (path of an example, *options) that runs it in this process, in `tmp_path`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(EXAMPLES[0].parent))  # as Python does for a script

    sys.modules.pop("common", None)  # the laboratory's examples have one of their own

    def run_here(path, *options):
        monkeypatch.setattr(sys, "argv", [str(path), *options])
        runpy.run_path(str(path), run_name="__main__")

    yield run_here
    sys.modules.pop("common", None)


@pytest.mark.slow
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example(path, here, tmp_path, capsys):
    here(path, "--steps", "3", "--batch-size", "4", "--out", "run")
    for name in ("grid.png", "samples/samples.gif", "losses.png", "model.keras"):
        assert (tmp_path / "run" / name).stat().st_size > 0
    assert (tmp_path / "run" / "savedmodel" / "1" / "saved_model.pb").is_file()
    output = capsys.readouterr().out
    assert "grid.png" in output and "savedmodel" in output
    settings = json.loads((tmp_path / "run" / "settings.json").read_text())
    for source in ("run", "run/savedmodel"):
        result = CliRunner().invoke(app, ["generate", source, "--num", "4"])
        if settings["latents"] is None:  # it makes pictures out of pictures, and says so
            assert result.exit_code == 2 and "out of pictures" in result.stderr
        else:
            assert result.exit_code == 0, result.output
            (tmp_path / "grid.png").unlink()


@pytest.mark.slow
def test_example_as_a_process(tmp_path):
    """The command in its docstring, with the minibatch of the example, from another directory."""
    path = next(path for path in EXAMPLES if path.stem == "gan")
    run(sys.executable, str(path), "--steps", "3", "--out", "run", cwd=tmp_path)
    run(sys.executable, "-m", "keras_gans", "generate", "run", "--num", "4", cwd=tmp_path)
    assert (tmp_path / "grid.png").is_file()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["wgan", "wgan_gp"])
def test_example_on_points(name, here, tmp_path):
    path = next(path for path in EXAMPLES if path.stem == name)
    here(path, "--dataset", "ring", "--steps", "3", "--out", "run")
    assert (tmp_path / "run" / "grid.png").is_file()


@pytest.mark.slow
def test_ablation_goes_on_where_it_ended(tmp_path):
    path = EXAMPLES[0].parent / "progan_ablation.py"
    options = ("--pictures", "160", "--samples", "16", "--configurations")
    first = run(sys.executable, str(path), *options, "d", cwd=tmp_path)
    assert first.count("step - ") == 4  # a line for each size
    both = run(sys.executable, str(path), *options, "d", "e*", cwd=tmp_path)
    assert both.count("step - ") == 4
    rows = (tmp_path / "runs/progan_ablation/table.md").read_text().splitlines()
    assert [row.split("|")[1].strip() for row in rows[2:]] == ["d", "e*", "reals"]
    assert (tmp_path / "runs/progan_ablation/e_star/grid.png").is_file()


def test_there_is_an_example_for_each_paper():
    """By the name of its first model."""
    from keras_gans.registry import MODELS

    first = {}
    for name, model in MODELS.items():
        first.setdefault(model.paper.arxiv, name.lower())
    assert {p.stem.replace("_", "") for p in EXAMPLES} == set(first.values())
