"""From a run, a file or a preset to files that are shipped."""

import json
import pathlib
import sys

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from small_models import cyclegan, dcgan, gan_of_points
from typer.testing import CliRunner

from keras_gans import preset_places, presets
from keras_gans.cli.app import app
from keras_gans.export import export_run, from_run
from keras_gans.files import write_json
from keras_gans.images import save_png, to_uint8


def trained(gan):
    """The model, as if it had taken three steps."""
    gan.compile()
    gan.generator_optimizer.iterations.assign(3)
    return gan


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run directory, as `keras-gans train` leaves it."""
    path = tmp_path_factory.mktemp("runs") / "shoes"
    path.mkdir()
    trained(dcgan(seed=5)).save(path / "model.keras")
    settings = {"dataset": "my shoes", "dataset_license": None, "num_examples": 12, "out": "/x/y"}
    write_json(path / "settings.json", settings)
    return path


@pytest.fixture(scope="module")
def translator(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "cyclegan.keras"
    trained(cyclegan(seed=5)).save(path)
    return path


def invoke(*arguments):
    return CliRunner().invoke(app, ["export", *map(str, arguments)])


def fails(*arguments):
    result = invoke(*arguments)
    assert result.exit_code == 2, result.output
    assert len(result.stderr.strip().splitlines()) == 1
    return result.stderr


def test_the_command(run, tmp_path):
    options = ("--to", "savedmodel, tflite,onnx", "--quantization", "float16", "--out", tmp_path)
    result = invoke(run, *options, "--data-license", "CC0", "--model-version", 7)
    assert result.exit_code == 0, result.output
    files = {path.name for path in tmp_path.iterdir()}
    assert files == {"savedmodel", "model-float16.tflite", "model.onnx"}
    for text in ("savedmodel/7", "model-float16.tflite, float16", "model.onnx", "error against"):
        assert text in result.stdout
    card = json.loads((tmp_path / "savedmodel/7/card.json").read_text())
    assert (card["name"], card["dataset"], card["dataset_license"]) == ("shoes", "my shoes", "CC0")
    assert card["num_examples"] == 12 and card["steps_taken"] == 3 and "out" not in card
    served = tf.saved_model.load(str(tmp_path / "savedmodel/7")).signatures["sample"]
    made = served(seeds=tf.constant([4], tf.int64))["images"]
    np.testing.assert_array_equal(made, dcgan(seed=5).generate(1, seed=4))
    assert "must not hold 'model.onnx' yet" in fails(run, "--to", "onnx", "--out", tmp_path)
    line = fails(run, "--model-version", 7, "--out", tmp_path)
    assert "`version` must be a new one" in line


def test_into_the_run(run, monkeypatch):
    monkeypatch.chdir(run)
    assert export_run(".") == {"savedmodel": pathlib.Path("export/savedmodel/1")}
    assert json.loads((run / "export/savedmodel/1/card.json").read_text())["name"] == "shoes"


def test_a_translator_both_ways(translator, tmp_path):
    folder = tmp_path / "pictures"
    for index, picture in enumerate(
        to_uint8(np.random.default_rng(0).uniform(-1, 1, (5, 20, 30, 3)))
    ):
        save_png(folder / f"{index}.png", picture)
    for direction in (None, "b_to_a"):
        export_run(translator, "tflite", tmp_path, direction=direction)
    export_run(translator, "tflite", tmp_path, quantization="int8", pictures=folder)
    names = {path.name for path in tmp_path.glob("*.tflite")}
    assert names == {"model.tflite", "model-b_to_a.tflite", "model-int8.tflite"}
    assert (tmp_path / "model.tflite").read_bytes() != (
        tmp_path / "model-b_to_a.tflite"
    ).read_bytes()


def test_errors(run, translator, tmp_path):
    out = ("--out", tmp_path)
    for arguments, text in (
        ((run, "--to", "onnx,coreml"), "`to` takes the names"),
        ((tmp_path / "nothing",), "which does not exist"),
        ((tmp_path,), "neither model.keras nor"),
        ((run, "--direction", "b_to_a"), "`direction` takes the names"),
        ((translator, "--direction", "c_to_d"), "`direction` takes the names"),
        ((run, "--to", "tflite", "--quantization", "int4"), "`quantization` must be None or one"),
        ((run, "--pictures", tmp_path), "`pictures` must be None unless"),
        ((translator, "--to", "tflite", "--quantization", "int8"), "`pictures` must be a folder"),
        ((run, "--quantization", "int8"), "`quantization` must be None unless `to` has tflite"),
        ((translator, "--direction", "b_to_a"), "`direction` must be None unless `to` has onnx or"),
        # Nothing is written for the first form where the second one can't be.
        ((run, "--to", "savedmodel,tflite", "--quantization", "int4"), "`quantization` must be"),
    ):
        assert text in fails(*arguments, *out)
    assert not any(tmp_path.iterdir())


def test_wrong_arguments_in_python(run, tmp_path, monkeypatch):
    for arguments, text in (
        ({"to": ()}, "`to` must have at least one"),
        ({"directory": ""}, "`directory` must be a path"),
        ({"directory": 5}, "`directory` must be a path"),
    ):
        with pytest.raises(ValueError, match=text):
            export_run(run, **{"directory": tmp_path / "a", **arguments})
    monkeypatch.setattr(sys.modules["keras_gans.export.onnx"], "PACKAGES", ("no_such_package",))
    with pytest.raises(ImportError, match="without no_such_package"):
        export_run(run, ("savedmodel", "onnx"), tmp_path / "a")
    assert not any(tmp_path.iterdir())


def test_a_preset_twice(tmp_path, monkeypatch):
    """The first export makes a directory of the preset's name, which is no run."""
    gan = gan_of_points(seed=5)
    gan.preset = "elsewhere"
    metric = {"name": "swd", "value": 2.0, "protocol": "all"}
    presets.save(gan, tmp_path / "presets" / "ring", {"dataset": "points"}, [metric])
    monkeypatch.setenv(preset_places.VARIABLE, str(tmp_path / "presets"))
    monkeypatch.chdir(tmp_path)
    path = export_run("ring")["savedmodel"]
    card = json.loads((path / "card.json").read_text())
    assert (card["name"], card["dataset"], card["metrics"]) == ("ring", "points", [metric])
    assert (card["preset"], card["steps_taken"]) == ("ring", 0)
    assert "| steps | 0, after those of ring |" in (path / "README.md").read_text().splitlines()
    assert export_run("ring", "tflite")["tflite"].is_file()


def test_pictures_that_calibrate_have_the_levels_of_the_run(tmp_path, monkeypatch):
    trained(cyclegan(seed=5)).save(tmp_path / "model.keras")
    write_json(tmp_path / "settings.json", {"dataset": "slides", "value_range": [0.0, 4095.0]})
    (tmp_path / "pictures").mkdir()
    Image.fromarray(np.full((8, 8), 4095, np.uint16)).save(tmp_path / "pictures/a.png")
    given = []
    monkeypatch.setattr(from_run, "tflite", lambda *arguments, **_: given.append(arguments[3]))
    options = {"quantization": "int8", "pictures": tmp_path / "pictures"}
    export_run(tmp_path, "tflite", tmp_path / "out", **options)
    assert given[0].min() == 255


@pytest.mark.parametrize("broken", ["onnx", "savedmodel"])
def test_all_forms_or_none(broken, tmp_path, monkeypatch):
    """What was written before the form that fails is removed, and nothing else."""
    gan = trained(gan_of_points(seed=5))
    gan.save(tmp_path / "model.keras")

    def fail(*arguments):
        assert (tmp_path / "new/out/model.tflite").is_file()
        raise ValueError("no such form")

    with monkeypatch.context() as patch:
        patch.setattr(from_run, broken, fail)
        forms = ("savedmodel", "tflite", broken)
        for there in (set(), {"new", "new/note.txt"}):
            with pytest.raises(ValueError, match="no such form"):
                export_run(tmp_path / "model.keras", forms, tmp_path / "new/out")
            found = {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*")}
            assert found == {"model.keras"} | there
            (tmp_path / "new").mkdir(exist_ok=True)
            (tmp_path / "new/note.txt").write_text("")
    # The corrected command works; and a version that is there is told before anything is made.
    paths = export_run(tmp_path / "model.keras", ("savedmodel", "tflite"), tmp_path / "new/out")
    assert list(paths) == ["savedmodel", "tflite"]
    monkeypatch.setattr(from_run, "tflite", fail)
    options = {"quantization": "float16"}
    with pytest.raises(FileExistsError, match="`version` must be a new one"):
        export_run(tmp_path / "model.keras", paths, tmp_path / "new/out", **options)


def test_an_untrained_run(tmp_path):
    dcgan().save(tmp_path / "model.keras")
    for form in ("savedmodel", "tflite", "onnx"):
        assert "`gan` must be trained" in fails(tmp_path, "--to", form)
    assert [path.name for path in tmp_path.iterdir()] == ["model.keras"]
