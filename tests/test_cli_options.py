"""What test_cli.py leaves out: files of options, sizes, widths, dry runs, more steps, translate."""

import inspect
import json
import pathlib
import re
import shutil
import types

import keras
import numpy as np
import pytest
import tensorflow as tf
import typer
from cases import CASES
from PIL import Image
from typer.testing import CliRunner

import keras_gans
from keras_gans import datasets, run_settings
from keras_gans.callbacks._support import count_of
from keras_gans.cli import forecast, parts
from keras_gans.cli.app import app
from keras_gans.datasets import examples
from keras_gans.datasets.pictures import convert
from keras_gans.images import read_png, save_png
from keras_gans.runs import sampling
from keras_gans.training import kinds
from keras_gans.training.ports import Port


def invoke(*arguments, **more):
    return CliRunner().invoke(app, [str(argument) for argument in arguments], **more)


def fails(*arguments):
    result = invoke(*arguments)
    assert result.exit_code == 2, result.output
    return " ".join(re.sub("[│╭╮╰╯─]", "", result.stderr).split())


# Help


COMMANDS = {c.name or c.callback.__name__: c.callback for c in app.registered_commands}


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_all_that_is_in_brackets(command):
    """Rich takes words in brackets for markup, unless they are escaped."""
    signature = inspect.signature(COMMANDS[command], eval_str=True).parameters.values()
    written = [COMMANDS[command].__doc__]
    for parameter in signature:
        described = getattr(parameter.annotation, "__metadata__", ())
        written += [option.help or "" for option in described]
    shown = " ".join(invoke(command, "--help", env={"COLUMNS": "200"}).output.split())
    for text in written:
        for brackets in re.findall(r"\w*\\?\[[^\]]*\]", text):
            if not re.fullmatch(r"\[/?(bold|dim)\]", brackets):
                assert brackets.replace("\\", "") in shown, brackets


@pytest.mark.parametrize("command", COMMANDS)
def test_help_fits_a_terminal(command):
    """Rich keeps the lines of a text, and would break longer ones in the middle."""
    for line in inspect.cleandoc(COMMANDS[command].__doc__).splitlines():
        assert len(re.sub(r"\[/?(bold|dim)\]", "", line)) <= 78, line


def test_the_page_of_pictures_shows_what_is_written_of_twelve_classes():
    page = (pathlib.Path(keras_gans.__file__).parents[1] / "docs/pictures.md").read_text("utf-8")
    kind = kinds.Pictures("images", (64, 64, 3))
    num = count_of(kind, 12)
    height, width, _ = kinds.render(np.zeros((num, 64, 64, 3), np.uint8), 2).shape
    line = f"Wrote grid.png: {num} pictures, {width} × {height} pixels, seed 0."
    assert f"--labels 2,10\n{line}\n" in page


# A file of options


def test_a_file_of_options(tmp_path):
    """The command line's own go before it; an argument is in it, and nothing is written."""
    file = tmp_path / "run.json"
    run = {"model": "gan", "dataset": "ring", "steps": 12, "batch-size": 7, "dry_run": True}
    file.write_text(json.dumps({**run, "out": str(tmp_path / "out"), "data_dir": None}))
    result = invoke("train", "--config", file, "--steps", 17, "--no-deterministic")
    assert result.exit_code == 0, result.output
    assert "GAN on ring: 50,000 examples of 2, 8 classes." in result.stdout
    assert "17 steps of 7 examples" in result.stdout and "parameters" in result.stdout
    assert re.search(r"A step takes about \S+ s here: .* s, to end at \d\d:\d\d\.", result.stdout)
    assert f"{tmp_path / 'out'} would be made." in result.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "must be a JSON file"),
        ("[]", "must hold an object"),
        ('{"stpes": 3}', "must have the names batch-size, .*, width. Received: 'stpes'"),
        ('{"debug": true}', "Received: 'debug'"),
        ('{"fresh": 1}', "must have true or false for 'fresh'. Received: 1"),
        ('{"steps": true}', "must have a number or text for 'steps'. Received: True"),
        ('{"model": "GAN", "steps": "many"}', "Invalid value for 'steps'"),
    ],
)
def test_files_of_options_that_do_not_fit(content, message, tmp_path):
    file = tmp_path / "run.json"
    file.write_text(content)
    assert re.search(message.replace("'steps'", "'-*steps'"), fails("train", "--config", file))
    assert "must be a JSON file" in fails("train", "--config", tmp_path / "none.json")


@pytest.mark.slow
def test_a_dry_run_is_refused_where_the_training_would_be(tmp_path, monkeypatch):
    """And forecasts the steps that are left, of a run that was ended and of a finished one."""
    monkeypatch.setattr("keras_gans.cli.train.seconds_of_step", lambda gan, data: 2.0)
    monkeypatch.setattr("keras_gans.runs.training.savedmodel", lambda *arguments, **more: None)
    run = tmp_path / "run"
    train = ("train", "gan", "--dataset", "ring", "--batch-size", 8, "--out", run)
    assert invoke(*train, "--steps", 4).exit_code == 0
    before = (run / "settings.json").read_text()
    for dry in ((), ("--dry-run",)):
        line = fails(*train, "--steps", 9, "--seed", 7, *dry)
        assert "has a finished run of other settings: seed is 0 there and 7 here" in line
    assert (run / "settings.json").read_text() == before
    result = invoke(*train, "--steps", 9, "--dry-run")
    assert "A step takes about 2 s here, of which 5 are left: 10 s, to end" in result.stdout
    assert "The finished run in" in result.stdout and "Ctrl-C" not in result.stdout
    settings = {**json.loads(before), "state": "interrupted", "steps": 400, "sample_every": 40}
    (run / "settings.json").write_text(json.dumps(settings))
    result = invoke(*train, "--steps", 400, "--dry-run")
    assert (
        "of which 396 are left: 13 min, to end" in result.stdout
        and "The unfinished run" in result.stdout
    )
    line = fails(*train, "--steps", 400, "--sample-every", 7, "--dry-run")
    assert "an unfinished run of other settings: sample_every is 40 there and 7 here" in line
    result = invoke(*train, "--steps", 3, "--fresh", "--dry-run")
    assert (
        "A step takes about 2 s here: 6 s" in result.stdout and "would be replaced" in result.stdout
    )


def test_every_command_that_works_takes_one(tmp_path):
    file = tmp_path / "options.json"
    for command, options, message in (
        ("generate", {"run-or-model": "none", "texts": ["a", "b"]}, "'none', which does not exist"),
        ("generate", {"source": "none", "labels": [1, 2]}, "'none', which does not exist"),
        ("evaluate", {"source": "none", "metrics": ["fid"]}, "'none', which does not exist"),
        ("translate", {"source": "none", "pictures": "a"}, "'none', which does not exist"),
        ("export", {"run": "none", "model-version": 2}, "'none', which does not exist"),
    ):
        file.write_text(json.dumps(options))
        assert message in fails(command, "--config", file)


# Sizes and widths


def test_image_size():
    for text, size in ((None, None), ("64", (64, 64)), ("48x80", (48, 80)), ("48 X 80", (48, 80))):
        assert parts.image_size(text) == size
    for text in ("", "0", "48x", "x80", "4.5", "48x80x3", "-1", "48x0"):
        with pytest.raises(ValueError, match=f"--image-size must be .* Received: '{text}'"):
            parts.image_size(text)


def test_width(tmp_path):
    line = fails("train", "dcgan", "--width", 8, "--out", tmp_path / "r")
    assert "--width is an option of" in line and "and not of DCGAN. Received: 8" in line
    assert all(name in line for name in ("CoGAN", "CycleGAN", "ProGAN", "R3GAN"))
    for name, small, shape in (("ProGAN", 4, (8, 8, 3)), ("R3GAN", 16, (8, 8, 3))):
        gan = getattr(keras_gans, name).from_paper(shape, latent_dim=5, width=small, seed=0)
        assert max(w.shape[-1] for w in gan.generator.weights if len(w.shape) == 4) <= 4 * small
        with pytest.raises(ValueError, match="`width`"):
            getattr(keras_gans, name).from_paper(shape, width=0)
    gan = keras_gans.CycleGAN.from_paper((8, 8, 3), width=4)
    assert max(w.shape[-1] for w in gan.discriminator_a.weights if len(w.shape) == 4) <= 32
    with pytest.raises(ValueError, match=r"`width` must be None: these are points\. Received: 8"):
        keras_gans.R3GAN.from_paper((2,), width=8)


# The trained encoder


def test_encoder(tmp_path):
    """One is there for Fashion-MNIST alone; what it is given for must fit the pictures."""
    out = ("--out", tmp_path / "r")
    line = fails("train", "dcgan", "--encoder", "f.keras", *out)
    assert "--encoder is an option of DTN, and not of DCGAN. Received: f.keras" in line
    sets = ("--dataset", "mnist_5k", "--dataset-b", "mnist_5k_edges")
    line = fails("train", "dtn", *sets, *out)
    assert "--encoder must be given beside --dataset 'mnist_5k'" in line
    assert "DTN does not train it (examples/dtn.py does)" in line
    line = fails("train", "dtn", "--encoder", tmp_path / "none.keras", *out)
    assert "`encoder` must be a network or the path of a .keras file" in line
    line = fails("train", "dtn", "--image-size", 32, *out)
    assert "`encoder` must make features" in line and "(32, 32, 1)" in line
    assert not (tmp_path / "r").exists()


@pytest.mark.slow
def test_a_training_by_an_encoder(tmp_path):
    """The package's own and that of a file; the run goes on, translates and is exported."""
    options = ("--width", 2, "--batch-size", 4, "--steps", 2)
    result = invoke("train", "dtn", *options, "--out", tmp_path / "r")
    assert result.exit_code == 0, result.output
    settings = json.loads((tmp_path / "r" / "settings.json").read_text())
    assert (settings["dataset"], settings["dataset_b"], settings["encoder"]) == (
        "fashion_mnist_10k",
        "fashion_mnist_10k_edges",
        None,
    )
    gan = keras.models.load_model(tmp_path / "r" / "model.keras")
    features = keras_gans.metrics.fashion_mnist_encoder()
    for a, b in zip(gan.encoder.get_weights(), features.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    result = invoke("evaluate", tmp_path / "r", "--metrics", "swd", "--num", 32, "--no-cache")
    assert result.exit_code == 0, result.output
    result = invoke("export", tmp_path / "r", "--to", "savedmodel,tflite")
    assert result.exit_code == 0, result.output

    keras_gans.networks.build_dtn_encoder((32, 32, 3), 5, width=2).save(tmp_path / "f.keras")
    sets = ("--dataset", "noto_skin_tones", "--dataset-b", "noto_emoji", "--image-size", 32)
    more = (*sets, "--encoder", tmp_path / "f.keras", "--out", tmp_path / "s")
    result = invoke("train", "dtn", *options, *more)
    assert result.exit_code == 0, result.output
    settings = json.loads((tmp_path / "s" / "settings.json").read_text())
    assert settings["encoder"] == str(tmp_path / "f.keras")
    save_png(tmp_path / "one.png", np.zeros((32, 32, 3), "uint8"))
    result = invoke("translate", tmp_path / "s", tmp_path / "one.png", "--out", tmp_path / "t")
    assert result.exit_code == 0, result.output


# How long it takes


def test_durations():
    for seconds, text in ((0.3, "0.3 s"), (89, "89 s"), (600, "10 min"), (9000, "2.5 h")):
        assert forecast.duration(seconds) == text
    assert forecast.duration(12 * 86400) == "12 days"
    assert re.fullmatch(r"12 days, to end on \d\d \w+ \d{4}", forecast.until(12 * 86400))


def test_a_forecast(monkeypatch, capsys):
    """From the second step on: 0.6 s each, of 2 epochs of 1000 steps."""
    now = iter(1000 + 0.6 * np.arange(3000))
    monkeypatch.setattr(forecast.time, "monotonic", lambda: next(now))
    callback = forecast.Forecast()
    callback.set_params({"steps": 1000, "epochs": 2})
    callback.on_epoch_begin(0)
    for step in range(100):
        callback.on_train_batch_end(step)
    out = capsys.readouterr().out
    assert out.startswith("\nA step takes 0.6 s: 20 min, to end at ") and out.count("step") == 1


# More steps


def test_a_finished_run_goes_on_only_with_more_steps(tmp_path):
    settings = {"state": "finished", "steps": 10, "steps_taken": 10}
    (tmp_path / "settings.json").write_text(json.dumps(settings))
    for steps in (None, 9, 10):
        with pytest.raises(ValueError, match="a finished run of 10 steps; give more --steps than"):
            run_settings.check_directory(tmp_path, steps=steps)
    with pytest.raises(ValueError, match="--out must have checkpoints for a finished run to go on"):
        run_settings.check_directory(tmp_path, steps=11)
    (tmp_path / "checkpoints/step_00000010").mkdir(parents=True)
    run_settings.check_directory(tmp_path, steps=11)
    assert run_settings.lengthens(tmp_path, 11) and not run_settings.lengthens(tmp_path, 10)
    with pytest.raises(
        ValueError, match=r"a finished run of other settings: seed is 0 there and 1"
    ):
        earlier = {"steps": 10, "seed": 0, "ema_decay": {"a": 1}}
        new = {"steps": 11, "seed": 1, "ema_decay": {"a": 2}, "versions": {}}
        run_settings.check_same_settings(tmp_path, earlier, new, longer=True)


@pytest.mark.slow
def test_a_lengthened_run_is_the_longer_run(tmp_path, monkeypatch):
    """4 steps, then 9 of which 2 are taken before Ctrl-C, then the rest: as 9 at once."""
    monkeypatch.chdir(tmp_path)
    train = ("train", "gan", "--dataset", "ring", "--sample-every", 3)
    assert invoke(*train, "--steps", 9, "--out", "whole").exit_code == 0
    assert invoke(*train, "--steps", 4, "--out", "parts").exit_code == 0
    original = keras_gans.callbacks.LossCurves.on_train_batch_end

    def interrupt(self, batch, logs=None):
        original(self, batch, logs)
        if self._step == 6:
            import signal

            signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(keras_gans.callbacks.LossCurves, "on_train_batch_end", interrupt)
        result = invoke(*train, "--steps", 9, "--out", "parts")
    assert "parts is finished after 4 steps: it goes on to 9." in result.stdout
    assert "Interrupted after 6 steps" in result.stdout, result.output
    result = invoke(*train, "--steps", 9, "--out", "parts")
    assert result.exit_code == 0, result.output
    one, other = (keras.models.load_model(f"{name}/model.keras") for name in ("whole", "parts"))
    for a, b in zip(one.weights, other.weights, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)
    curves = [
        np.loadtxt(tmp_path / n / "losses.csv", delimiter=",", skiprows=1, usecols=(0, 1))
        for n in ("whole", "parts")
    ]
    assert curves[1][:, 0].tolist() == list(range(1, 10))
    np.testing.assert_allclose(curves[1], curves[0], rtol=1e-3)
    grids = {path.name for path in (tmp_path / "parts/samples").iterdir()}
    assert grids >= {path.name for path in (tmp_path / "whole/samples").iterdir()}
    assert invoke(*train, "--steps", 11, "--out", "parts").exit_code == 0  # and once more
    assert json.loads((tmp_path / "parts/settings.json").read_text())["steps_taken"] == 11


@pytest.mark.slow
def test_a_growing_model(tmp_path, monkeypatch):
    """It says what its stages take; of a finished one the last stage goes on."""
    monkeypatch.chdir(tmp_path)
    train = ("train", "progan", "--image-size", 8, "--batch-size", 4, "--latent-dim", 4)
    train = (*train, "--width", 4, "--out", "r")
    result = invoke(*train, "--steps", 200, "--dry-run")
    assert result.exit_code == 0, result.output
    assert "noto_emoji: 1,601 examples of 8 × 8 × 3" in result.stdout
    stage = r"8 x 8: 200 steps of 4 pictures, [\d,]+ parameters, about \S+ s a step, \S+ \w+\."
    assert re.search(stage, result.stdout) and "All stages: " in result.stdout
    assert list(tmp_path.iterdir()) == []
    assert invoke(*train, "--steps", 2).exit_code == 0
    result = invoke(*train, "--steps", 5)
    assert result.exit_code == 0, result.output
    assert "r is finished after 2 steps: it goes on to 5." in result.stdout
    assert json.loads((tmp_path / "r-4/settings.json").read_text())["steps"] == 2
    assert keras.models.load_model("r/model.keras").generator_optimizer.iterations == 5


# Errors


def test_an_error_inside_of_tensorflows_is_one_line(tmp_path, monkeypatch, capsys):
    """Of a folder that is read from disk; other errors of TensorFlow's are not the user's."""
    monkeypatch.setattr(examples, "MEMORY_BUDGET", 0)
    save_png(tmp_path / "a.png", np.random.default_rng(0).integers(0, 256, (8, 8, 3), "uint8"))
    content = (tmp_path / "a.png").read_bytes()
    (tmp_path / "a.png").write_bytes(content[: len(content) // 2])

    @parts.expects_errors
    def read(debug=False):
        list(datasets.load(tmp_path, image_size=8))

    with pytest.raises(typer.Exit) as ended:
        read()
    assert ended.value.exit_code == 2
    *_, line = capsys.readouterr().err.strip().splitlines()
    assert line == (
        f"Error: {tmp_path / 'a.png'} can't be read as a picture: image file is truncated"
    )
    with pytest.raises(tf.errors.OpError):
        read(debug=True)

    @parts.expects_errors
    def multiply(debug=False):
        tf.linalg.matmul(tf.zeros((2, 3)), tf.zeros((2, 3)))

    with pytest.raises(tf.errors.OpError):
        multiply()


# Translations


@pytest.fixture(scope="module")
def translator(tmp_path_factory):
    gan = next(case for case in CASES if case.name == "CycleGAN").build()
    path = tmp_path_factory.mktemp("translator") / "model.keras"
    gan.save(path)
    return gan, path


def test_translate(translator, tmp_path):
    """Files of the same names, folders and all; what is there is not replaced unless asked."""
    gan, path = translator
    height, width, channels = gan.generator_a_to_b.input_shape[1:]
    pictures = np.random.default_rng(0).integers(0, 256, (3, height + 5, width, 3), "uint8")
    for name, picture in zip(("a.png", "deep/er/b.png"), pictures, strict=False):
        save_png(tmp_path / "in" / name, picture)
    shutil.copy(tmp_path / "in/a.png", tmp_path / "in/a.jpg")  # of one name, by another suffix
    out = tmp_path / "out"
    for more in ((), ("--fresh", "--direction", "b_to_a")):
        result = invoke("translate", path, tmp_path / "in", "--out", out, *more)
        assert result.exit_code == 0, result.output
        written = {p.relative_to(out).as_posix() for p in out.rglob("*.png")}
        assert written == {"a.jpg.png", "a.png.png", "deep/er/b.png"}
        fitted = convert(tf.constant(pictures[:2]), (height, width), channels).numpy()
        expected = gan.translate(fitted, to="a" if more else "b")
        np.testing.assert_allclose(read_png(out / "a.png.png"), expected[0], atol=1)
        np.testing.assert_allclose(read_png(out / "deep/er/b.png"), expected[1], atol=1)
        assert "Wrote 3 pictures to" in result.stdout
        assert "or give --fresh" in fails("translate", path, tmp_path / "in", "--out", out)


def test_translate_says_what_is_wrong(translator, tmp_path):
    _, path = translator
    save_png(tmp_path / "a.png", np.zeros((8, 8, 3), "uint8"))
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    for arguments, message in (
        ((tmp_path / "none",), "PICTURES must be a file or a folder"),
        ((tmp_path / "empty",), "PICTURES must hold a picture"),
        ((tmp_path / "a.png", "--out", tmp_path / "file"), "--out must be a folder"),
        ((tmp_path / "a.png", "--direction", "c"), "--direction must be one of a_to_b, b_to_a."),
    ):
        assert message in fails("translate", path, *arguments)


def test_translate_writes_all_or_nothing(translator, tmp_path):
    """A picture that is broken, in the second of two batches, leaves nothing that is in the way."""
    _, path = translator
    noise = np.random.default_rng(0).integers(0, 256, (10, 8, 8, 3), "uint8")
    for number, picture in enumerate(noise):
        save_png(tmp_path / "in" / f"{number}.png", picture)
    content = (tmp_path / "in/9.png").read_bytes()
    (tmp_path / "in/9.png").write_bytes(content[: len(content) // 2])
    translate = ("translate", path, tmp_path / "in", "--out", tmp_path / "new/out")
    assert "9.png can't be read as a picture" in fails(*translate)
    assert not (tmp_path / "new").exists()
    with pytest.warns(UserWarning, match=r"1 of 10 pictures in .*left out: .*9\.png"):
        result = invoke(*translate, "--skip-unreadable")
    assert result.exit_code == 0 and "Wrote 9 pictures" in result.stdout, result.output
    assert "in: 9 pictures of 10 files, without classes." in result.stderr
    assert "1 × a picture that can't be read (9.png)" in result.stderr
    assert len(list((tmp_path / "new/out").iterdir())) == 9
    for name in [f"{number}.png" for number in range(9)]:
        (tmp_path / "in" / name).unlink()
    assert "None of the 1 pictures" in fails(*translate, "--skip-unreadable")


def test_translate_reads_more_than_eight_bits(translator, tmp_path):
    gan, path = translator
    *size, channels = gan.generator_a_to_b.input_shape[1:]
    levels = np.random.default_rng(0).random(size, "float32")
    Image.fromarray(levels).save(tmp_path / "a.tif")
    translate = ("translate", path, tmp_path / "a.tif", "--out", tmp_path)
    assert "give `value_range` (--value-range)" in fails(*translate)
    assert "--value-range must be two numbers" in fails(*translate, "--value-range", "1")
    assert "`value_range` (--value-range) must have low" in fails(*translate, "--value-range=1,1")
    assert invoke(*translate, "--value-range", "0,1").exit_code == 0
    grey = np.rint(levels * 255).astype("uint8")[None, ..., None]
    expected = gan.translate(convert(tf.constant(grey), channels=channels).numpy())[0]
    np.testing.assert_allclose(read_png(tmp_path / "a.png"), expected, atol=1)
    Image.fromarray((levels * 4095).astype("uint16")).save(tmp_path / "b.png")
    with pytest.warns(UserWarning, match=r"as 12 bits do.*--value-range 0,4095"):
        assert invoke("translate", path, tmp_path / "b.png", "--out", tmp_path / "b").exit_code == 0


def test_generate_reads_more_than_eight_bits(tmp_path):
    """The range that is given goes before the run's, and none is warned of as `load` does."""
    levels = np.array([[0, 4095], [8190, 0]], np.uint16)
    Image.fromarray(levels).save(tmp_path / "a.png")
    Image.fromarray(levels.astype("float32")).save(tmp_path / "a.tif")
    kind = kinds.Pictures("images", (2, 2, 1))
    sampler = types.SimpleNamespace(name="port", port=Port((kind,), None, kind), card={})

    def read(name="a.png", value_range=None):
        options = {"pictures": [str(tmp_path / name)]}
        return sampling.read_given(sampler, "run", options, value_range)["images"].ravel().tolist()

    with pytest.warns(UserWarning, match=r"a\.png have levels .*--value-range 0,8191"):
        assert read() == [0, 16, 32, 0]
    with pytest.raises(ValueError, match=r"--pictures: .*a\.tif.*`value_range` \(--value-range\)"):
        read("a.tif")
    sampler.card["value_range"] = [0, 8190]
    assert read() == read("a.tif") == [0, 128, 255, 0]
    assert read(value_range=[0.0, 4095.0]) == [0, 255, 255, 0]
    sampler.port = Port((kinds.Latents("latents", (2,)),), None, kind)
    with pytest.raises(ValueError, match="--value-range is for models that take pictures; 'run'"):
        sampling.read_given(sampler, "run", {}, [0.0, 1.0])
