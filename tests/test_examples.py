"""Every example runs with no data but the package's own, and ends with a grid and a SavedModel."""

import json
import pathlib
import subprocess
import sys

import pytest

EXAMPLES = sorted(
    path
    for path in (pathlib.Path(__file__).parent.parent / "examples").glob("*.py")
    if path.name not in ("common.py", "progan_ablation.py")
)


def run(*command, cwd, code=0):
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=900)
    assert done.returncode == code, done.stderr[-3000:]
    return done.stderr if code else done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example(path, tmp_path):
    output = run(sys.executable, str(path), "--steps", "3", "--out", "run", cwd=tmp_path)
    for name in ("grid.png", "samples/samples.gif", "losses.png", "model.keras"):
        assert (tmp_path / "run" / name).stat().st_size > 0
    assert (tmp_path / "run" / "savedmodel" / "1" / "saved_model.pb").is_file()
    assert "grid.png" in output and "savedmodel" in output
    settings = json.loads((tmp_path / "run" / "settings.json").read_text())
    for source in ("run", "run/savedmodel"):
        command = (sys.executable, "-m", "keras_gans", "generate", source, "--num", "4")
        if settings["latents"] is None:  # it makes pictures out of pictures, and says so
            assert "out of pictures" in run(*command, cwd=tmp_path, code=2)
        else:
            run(*command, cwd=tmp_path)
            assert (tmp_path / "grid.png").is_file()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["wgan", "wgan_gp"])
def test_example_on_points(name, tmp_path):
    path = next(path for path in EXAMPLES if path.stem == name)
    options = ("--dataset", "ring", "--steps", "3", "--out", "run")
    run(sys.executable, str(path), *options, cwd=tmp_path)
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
    from keras_gans.registry import MODELS

    assert {p.stem.replace("_", "") for p in EXAMPLES} == {name.lower() for name in MODELS}
