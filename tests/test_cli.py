"""The command line, in this process. The trainings are a few steps on a small data set."""

import json
import os
import shutil
import signal
import types

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from typer.testing import CliRunner

from keras_gans import CoGAN, CycleGAN, datasets, papers
from keras_gans.callbacks import LossCurves
from keras_gans.cli import evaluate as cli_evaluate
from keras_gans.cli import train
from keras_gans.cli.app import app
from keras_gans.images import read_png
from keras_gans.registry import load_model
from keras_gans.training.kinds import render


def invoke(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def fails(*arguments):
    """The one line that an expected error writes to stderr."""
    result = invoke(*arguments)
    assert result.exit_code == 2, result.output
    assert "Traceback" not in result.output
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith("Error: "), result.stderr
    return lines[0]


def last_line(*arguments):
    """The same where lines on what is in a folder stand before it."""
    result = invoke(*arguments)
    assert result.exit_code == 2 and "Traceback" not in result.output, result.output
    return result.output.strip().splitlines()[-1]


@pytest.fixture(scope="module")
def run_directory(tmp_path_factory):
    """A GAN, trained for 4 steps on the ring of Gaussians."""
    run = tmp_path_factory.mktemp("cli") / "runs" / "ring"
    result = invoke(
        "train", "gan", "--dataset", "ring", "--steps", 4, "--sample-every", 3, "--out", run
    )
    assert result.exit_code == 0, result.output
    return run


# Help and lists


@pytest.mark.parametrize("command", ["list", "datasets", "train", "generate", "export"])
def test_help_has_an_example(command):
    result = invoke(command, "--help")
    assert result.exit_code == 0
    assert "Example" in result.output and f"keras-gans {command}" in result.output


def test_help_explains_every_option_of_train():
    output = invoke("train", "--help").output
    for option in (
        "dataset",
        "steps",
        "batch-size",
        "image-size",
        "latent-dim",
        "ema-decay",
        "out",
    ):
        assert f"--{option}" in output
    assert "Default" in output


def test_version():
    import keras_gans

    assert keras_gans.__version__ in invoke("--version").output


def test_list_has_every_model():
    output = invoke("list").output
    for name, model in papers.listed().items():
        assert f" {name} " in output and model.recipe.dataset in output
        assert str(model.paper.year) in output and model.paper.arxiv in output
    assert "ProGANLS" not in output


def test_datasets_has_every_name_and_its_size():
    output = invoke("datasets").output
    for name in datasets.names():
        assert name in output
    assert "28 × 28 × 1" in output and "10,000" in output


# Errors, each before any work


def test_unknown_names(tmp_path):
    assert "wgan-pg" in fails("train", "wgan-pg")
    assert "'rnig'" in fails("train", "GAN", "--dataset", "rnig", "--out", tmp_path / "r")
    assert not (tmp_path / "r").exists()


def test_ema_decay_out_of_range(tmp_path):
    line = fails("train", "GAN", "--ema-decay", "1.5", "--out", tmp_path / "r")
    assert "--ema-decay must be above 0 and below 1. Received: 1.5" in line


def test_a_conditional_model_needs_classes(tmp_path):
    unlabelled = [name for name in datasets.names() if not datasets.info(name).num_classes]
    line = fails("train", "CGAN", "--dataset", unlabelled[0], "--out", tmp_path / "r")
    assert "must have data with classes" in line and unlabelled[0] in line
    assert not (tmp_path / "r").exists()


def test_few_labels(tmp_path):
    """Which models learn from some, and that a class has as many."""
    out = ("--out", tmp_path / "r")
    line = fails("train", "DCGAN", "--labels-per-class", 3, *out)
    assert "--labels-per-class is an option of" in line and "SSGAN" in line and "DCGAN" in line
    line = fails("train", "ssgan", "--labels-per-class", 0, *out)
    assert "--labels-per-class must be at least 1: SSGAN learns classes" in line
    line = fails("train", "ssgan", "--labels-per-class", 401, *out)
    assert "`labels_per_class` must be at most 400" in line
    line = fails("train", "ssgan", "--dataset", "gaussian", *out)
    assert "SSGAN learns classes and must have data with classes" in line
    assert "an example at least" in fails("train", "ssgan", "--split", "train[5:5]", *out)
    assert not (tmp_path / "r").exists()


@pytest.mark.slow
def test_a_training_on_few_labels(tmp_path):
    """To its end, and what becomes of it: samples, its accuracy, a file for each format."""
    run = tmp_path / "r"
    options = ("--dataset", "ring", "--split", "train[:4000]", "--labels-per-class", 3)
    result = invoke("train", "ssgan", *options, "--steps", 30, "--out", run)
    assert result.exit_code == 0, result.output
    settings = json.loads((run / "settings.json").read_text())
    assert (settings["labels_per_class"], settings["split"]) == (3, "train[:4000]")
    assert (settings["num_examples"], settings["steps_taken"]) == (4000, 30)
    assert "goes on" not in result.output
    result = invoke("evaluate", run, "--metrics", "accuracy", "--split", "train[4000:5000]")
    assert result.exit_code == 0 and "accuracy" in result.output, result.output
    assert "Caution" not in result.output
    assert "that the model was trained on" in invoke(
        "evaluate", run, "--metrics", "accuracy"
    ).output.replace("\n", " ")
    assert invoke("generate", run, "--out", tmp_path / "s.png").exit_code == 0
    result = invoke("export", run, "--to", "savedmodel,tflite", "--out", tmp_path / "e")
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize(
    "name, trained, asked, shared",
    [
        ("ring", "train", "train", True),
        ("ring", "train", None, True),
        ("ring", None, "train[:10]", True),
        ("ring", "train[:10]", "train", True),
        ("ring", "train[:10]", "train[:10]", True),
        ("ring", "train[:10]", "train[10:]", False),
        ("ring", "train[:4000]", "train[:2000]", True),
        ("ring", "train[:4000]", "train[3999:]", True),
        ("ring", "train[:50%]", "train[25%:75%]", True),
        ("ring", "train[:50%]", "train[50%:]", False),
        ("ring", "train[:50%]", "train[4000:]", True),  # who knows
        ("ring", "train+test", "test", True),
        ("ring", "train", "test", False),
        ("grid", "train", "train", False),
    ],
)
def test_accuracy_on_what_was_trained_on(name, trained, asked, shared):
    opened = types.SimpleNamespace(card={"dataset": "ring", "split": trained})
    assert cli_evaluate.trained_on(opened, name, asked) is shared


def test_two_sets(tmp_path):
    """Which models take two, and that both are needed; prepared sets are looked for on disk."""
    cyclegan = ("train", "cyclegan", "--out", tmp_path / "r")
    for name in ("GAN", "ProGAN"):
        assert "--dataset-b is for models" in fails("train", name, "--dataset-b", "noto_emoji")
    assert "--dataset must be given" in fails(*cyclegan, "--dataset-b", "noto_emoji")
    line = fails(*cyclegan, "--dataset", "noto_emoji")
    assert "--dataset-b must be given beside --dataset 'noto_emoji'" in line
    line = fails(*cyclegan, "--data-dir", tmp_path / "none")
    assert "'cycle_gan/horse2zebra' of TensorFlow Datasets is not in" in line
    line = fails(
        *cyclegan, "--dataset", "noto_emoji", "--dataset-b", "noto_emoji", "--latent-dim", 3
    )
    assert "--latent-dim is no option of CycleGAN" in line
    assert not (tmp_path / "r").exists()


def save_pictures(directory, names, size):
    directory.mkdir()
    for number, name in enumerate(names):
        pixels = np.full((*size, 3), 40 * number, "uint8")
        pixels[:, : size[1] // 2] = 255 - pixels[:, : size[1] // 2]
        Image.fromarray(pixels).save(directory / name)
    return directory


def test_pairs_that_are_none(tmp_path):
    """What has no partner is named; nothing is written."""

    a = save_pictures(tmp_path / "a", ["1.png", "2.png"], (16, 17))
    b = save_pictures(tmp_path / "b", ["1.png", "3.png"], (16, 16))
    train_it = ("train", "pix2pix", "--out", tmp_path / "r", "--dataset", a)
    line = last_line(*train_it, "--dataset-b", b, "--image-size", 16)
    assert "pictures of the same names" in line and "'2.png'" in line
    (b / "3.png").rename(b / "2.png")
    assert "one height and width" in last_line(*train_it, "--dataset-b", b)
    assert "an even width, A beside B" in last_line(*train_it)
    line = last_line(*train_it, "--dataset-b", b, "--image-size", 16, "--crop", 20)
    assert "`crop` must be at most (16, 16)" in line
    line = last_line(*train_it, "--dataset-b", b, "--crop", "wide")
    assert "--crop must be a number" in line and "'wide'" in line
    assert "--direction is for pairs that are side by side" in last_line(
        *train_it, "--dataset-b", b, "--direction", "b_to_a"
    )
    line = last_line(*train_it, "--image-size", 16, "--direction", "left")
    assert "`direction` takes the names" in line
    line = last_line("train", "progan", "--crop", 8, "--flip", "--out", tmp_path / "r")
    assert "are no options of ProGAN" in line and "Received: --crop and --flip" in line
    assert "`crop` must be None for 'ring'" in last_line(
        "train", "gan", "--dataset", "ring", "--crop", 8, "--out", tmp_path / "r"
    )
    assert not (tmp_path / "r").exists()


def l1_of_left_halves(run, folder):
    """How far a run's translations of the right halves are from the left ones, in [0, 1]."""
    whole = np.stack([read_png(path) for path in sorted(folder.iterdir())])
    left, right = np.split(whole, 2, axis=2)
    made = load_model(run / "model.keras").translate(right)
    return np.abs(left.astype(float) - made).mean() / 255


@pytest.mark.slow
def test_a_training_on_pairs(tmp_path):
    """Pix2Pix: of two sets and of pictures side by side; what becomes of it."""
    run, options = tmp_path / "r", ("--width", 4, "--batch-size", 4, "--steps", 4)
    result = invoke("train", "pix2pix", *options, "--crop", 24, "--flip", "--out", run)
    assert result.exit_code == 0, result.output
    settings = json.loads((run / "settings.json").read_text())
    assert (settings["dataset"], settings["dataset_b"]) == (
        "fashion_mnist_10k_edges",
        "fashion_mnist_10k",
    )
    assert (settings["crop"], settings["flip"], settings["sample_shape"]) == (
        [24, 24],
        True,
        [24, 24, 1],
    )
    out = tmp_path / "m.json"
    metrics = ("--metrics", "swd,psnr", "--num", 64, "--no-cache", "--out", out)
    result = invoke("evaluate", run, *metrics)
    assert result.exit_code == 0 and "on fashion_mnist_10k_edges and" in result.output
    result = invoke("export", run, "--to", "savedmodel,tflite", "--out", tmp_path / "e")
    assert result.exit_code == 0, result.output

    both = save_pictures(tmp_path / "both", [f"{n}.png" for n in range(6)], (16, 32))
    more = ("--direction", "b_to_a", "--out", tmp_path / "s")
    result = invoke("train", "pix2pix", *options, "--dataset", both, *more)
    assert result.exit_code == 0, result.output
    assert json.loads((tmp_path / "s" / "settings.json").read_text())["sample_shape"] == [16, 16, 3]
    values = []
    for source in ("s", "s/savedmodel"):  # both know the folder and the direction
        result = invoke("evaluate", tmp_path / source, "--metrics", "l1", "--out", out)
        assert result.exit_code == 0, result.output
        values.append(json.loads(out.read_text())["measurements"][0]["values"]["l1"])
    assert values[0] == pytest.approx(values[1], rel=1e-3)
    assert values[0] == pytest.approx(l1_of_left_halves(tmp_path / "s", both), rel=1e-5)
    pictures = save_pictures(tmp_path / "pictures", ["mine.png"], (16, 16))
    result = invoke("translate", tmp_path / "s", pictures, "--out", tmp_path / "t")
    assert result.exit_code == 0, result.output
    assert read_png(tmp_path / "t" / "mine.png").shape == (16, 16, 3)


@pytest.fixture
def photographs(tmp_path):
    """Of two sizes: waves with an edge."""
    for k, (height, width) in enumerate([(40, 48), (36, 60), (48, 40)]):
        rows, columns = np.indices((height, width))
        waves = 128 + 60 * np.sin(rows / 4)[..., None] + 40 * np.cos(columns / 3 + k)[..., None]
        pixels = np.clip(waves + np.array([0, 20, 40]), 0, 255).astype("uint8")
        (tmp_path / "photos").mkdir(exist_ok=True)
        Image.fromarray(pixels).save(tmp_path / "photos" / f"{k}.png")
    return tmp_path / "photos"


@pytest.mark.slow
def test_a_training_that_enlarges(photographs, tmp_path):
    """SRResNet on windows, SRGAN from its generator and by features; what becomes of it."""
    options = ("--dataset", photographs, "--crop", 20, "--scale", 2, "--width", 2)
    options += ("--batch-size", 2, "--steps", 2)
    first, run = tmp_path / "first", tmp_path / "run"
    result = invoke("train", "srresnet", *options, "--flip", "--out", first)
    assert result.exit_code == 0, result.output
    inner = keras.Input((None, None, 3))
    keras.Model(inner, keras.layers.Conv2D(2, 3, name="seen")(inner)).save(tmp_path / "net.keras")
    more = ("--generator", first, "--features", f"{tmp_path}/net.keras:seen:torch", "--out", run)
    result = invoke("train", "srgan", *options, *more)
    assert result.exit_code == 0, result.output
    settings = json.loads((run / "settings.json").read_text())
    assert (settings["scale"], settings["crop"], settings["state"]) == (2, [20, 20], "finished")
    card = json.loads((run / "savedmodel" / "1" / "card.json").read_text())
    assert card["settings"]["features"]["layers"] == ["seen"]
    assert len(card["settings"]["features"]["sha256"]) == 64

    result = invoke("translate", run, photographs, "--out", tmp_path / "large", "--tile", 40)
    assert result.exit_code == 0, result.output
    for k, size in enumerate([(80, 96, 3), (72, 120, 3), (96, 80, 3)]):
        assert read_png(tmp_path / "large" / f"{k}.png").shape == size
    result = invoke("translate", run, photographs, "--out", tmp_path / "whole", "--tile", 20)
    assert "--tile must be more than 32. Received: 20" in result.output
    out = tmp_path / "m.json"
    metrics = ("--metrics", "psnr_y,ssim_y,l1", "--no-cache", "--out", out)
    result = invoke("evaluate", run / "savedmodel", *metrics)
    assert result.exit_code == 0, result.output
    measured = json.loads(out.read_text())["measurements"]
    assert [m["metric"] for m in measured] == ["psnr_y", "ssim_y", "l1"]
    assert measured[0]["protocol"]["size"] == "20 x 20 x 3"
    result = invoke("evaluate", run, "--metrics", "psnr", "--dataset-b", "mnist_5k")
    assert "--dataset-b is for models of two sets" in result.output
    to = ("--to", "tflite", "--image-size", 20, "--out", tmp_path / "export")
    result = invoke("export", run, *to)
    assert result.exit_code == 0, result.output


def test_trainings_that_enlarge_nothing(photographs, tmp_path):
    """What does not fit is said before anything is written."""
    it = ("train", "srgan", "--dataset", photographs, "--out", tmp_path / "r")
    assert "`scale` takes the names [2, 3, 4, 8]" in last_line(*it, "--crop", 20, "--scale", 5)
    assert "`scale` must divide the height" in last_line(*it, "--crop", 18)
    assert "`crop` must be at most" in last_line(*it)  # the paper's 96
    small = (*it, "--crop", 16, "--width", 2)
    line = last_line(*small, "--generator", "gan_fashion_mnist")
    assert "`generator` must make pictures out of pictures" in line
    line = last_line(*small, "--features", tmp_path / "nothing.keras")
    assert "nothing.keras', which is not there" in line
    assert "FILE[:LAYERS[:MODE]]" in last_line(*small, "--features", "VGG19:a.h5:b:caffe:d")
    for option, value in (("--scale", 2), ("--generator", "x"), ("--features", "x")):
        line = fails("train", "dcgan", option, value, "--out", tmp_path / "r")
        assert f"{option} is an option of" in line and "SRGAN" in line and "not of DCGAN" in line
    assert not (tmp_path / "r").exists()


def test_out_that_is_not_empty(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    for flags in ([], ["--fresh"]):
        line = fails("train", "GAN", "--dataset", "ring", "--out", tmp_path, *flags)
        assert "no run directory" in line and str(tmp_path) in line
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_out_that_has_a_run(tmp_path):
    (tmp_path / "settings.json").write_text("{}")
    assert "--fresh" in fails("train", "GAN", "--dataset", "ring", "--out", tmp_path)


def test_out_that_has_an_unfinished_run_of_other_settings(tmp_path):
    """The error names what differs and not what follows from it, and nothing is changed."""
    ring = ("train", "GAN", "--dataset", "ring", "--out", tmp_path)
    settings = json.dumps({"state": "training", "seed": 0, "steps": 7, "parameters": 1})
    (tmp_path / "settings.json").write_text(settings)
    line = fails(*ring, "--steps", 7, "--seed", 3)
    assert f"'{tmp_path}' has an unfinished run of other settings" in line
    assert "seed is 0 there and 3 here" in line and "--fresh" in line
    assert "steps is" not in line and "parameters" not in line and "versions" not in line
    assert (tmp_path / "settings.json").read_text() == settings
    assert os.listdir(tmp_path) == ["settings.json"]


def test_out_that_is_a_file_or_a_link(tmp_path):
    (tmp_path / "file").write_text("")
    assert "is a file" in fails("train", "GAN", "--out", tmp_path / "file")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "settings.json").write_text("{}")
    (tmp_path / "link").symlink_to(tmp_path / "run")
    assert "symbolic link" in fails("train", "GAN", "--out", tmp_path / "link", "--fresh")
    assert (tmp_path / "run" / "settings.json").exists()


def test_generate_from_what_is_no_model(tmp_path):
    assert "does not exist" in fails("generate", tmp_path / "nothing")
    assert "neither model.keras nor" in fails("generate", tmp_path)
    (tmp_path / "a.h5").write_text("")
    assert "does not end in '.keras'" in fails("generate", tmp_path / "a.h5")
    (tmp_path / "settings.json").write_text("{}")
    assert "no model.keras yet" in fails("generate", tmp_path)
    assert "'.png'" in fails("generate", tmp_path, "--out", tmp_path / "a.jpg")


def test_generate_from_a_model_of_another_kind(tmp_path):
    import keras

    path = tmp_path / "plain.keras"
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save(path)
    assert "must hold a model of keras_gans. Received: a Sequential" in fails("generate", path)


def test_debug_shows_the_error():
    result = invoke("train", "nonsense", "--debug")
    assert isinstance(result.exception, ValueError)


# Training and generating, for real


def test_the_run_directory(run_directory):
    names = {"settings.json", "samples", "losses.png", "losses.csv", "tensorboard", "grid.png"}
    assert set(os.listdir(run_directory)) == names | {"model.keras", "savedmodel", "checkpoints"}
    assert os.listdir(run_directory / "checkpoints") == ["step_00000004"]
    samples = {f"step_{step:06d}.png" for step in (0, 3, 4)} | {"samples.gif"}
    assert set(os.listdir(run_directory / "samples")) == samples
    settings = json.loads((run_directory / "settings.json").read_text())
    assert (settings["model"], settings["dataset"], settings["steps"]) == ("GAN", "ring", 4)
    assert (settings["state"], settings["steps_taken"]) == ("finished", 4)
    assert settings["plot_limit"] == 1.2
    assert settings["versions"].keys() == {"keras_gans", "python", "keras", "tensorflow", "numpy"}
    card = json.loads((run_directory / "savedmodel/1/card.json").read_text())
    assert card["latent_shape"] == settings["latent_shape"] and card["latents"] == "normal"
    assert os.listdir(run_directory.parent) == [run_directory.name]


def test_all_that_can_generate_generates_the_same(run_directory, tmp_path):
    pictures = []
    for source in ("", "model.keras", "savedmodel"):
        out = tmp_path / f"from_{source}.png"
        result = invoke("generate", run_directory / source, "--seed", 0, "--out", out)
        assert result.exit_code == 0, result.output
        assert f"Wrote {out}: 1,000 points, 480 × 480 pixels, seed 0." in result.output
        pictures.append(read_png(out))
    np.testing.assert_array_equal(pictures[0], pictures[1])
    np.testing.assert_array_equal(pictures[0], pictures[2])
    assert pictures[0].shape == read_png(run_directory / "grid.png").shape


def test_an_animation_between_two_seeds(run_directory, tmp_path):
    """The same from the model and from what was exported; `--num` says how many frames."""
    files = [tmp_path / "run.gif", tmp_path / "served.gif"]
    for source, out in zip(("", "savedmodel"), files, strict=True):
        seeds = ("--seed", 1, "--interpolate", 2)
        result = invoke("generate", run_directory / source, *seeds, "--num", 3, "--out", out)
        assert result.exit_code == 0, result.output
        assert "3 points from seed 1 to seed 2" in result.output
    assert files[0].read_bytes() == files[1].read_bytes()
    with Image.open(files[0]) as picture:
        assert picture.n_frames == 3
    line = fails("generate", run_directory, "--interpolate", 2, "--out", tmp_path / "a.png")
    assert "must end in '.gif'" in line
    line = fails("generate", run_directory, "--interpolate", 2, "--num", 1, "--out", files[0])
    assert "--num must be at least 2" in line


def test_labels_for_a_model_without(run_directory, tmp_path):
    line = fails("generate", run_directory, "--labels", "1", "--out", tmp_path / "a.png")
    assert "label-conditional" in line and not (tmp_path / "a.png").exists()


def test_fresh_replaces_a_run(tmp_path):
    (tmp_path / "settings.json").write_text("{}")
    (tmp_path / "old").mkdir()
    arguments = ("train", "GAN", "--dataset", "ring", "--steps", 1, "--out", tmp_path, "--fresh")
    result = invoke(*arguments, "--ema-decay", 0.5, "--latent-dim", 3)
    assert result.exit_code == 0, result.output
    assert not (tmp_path / "old").exists() and (tmp_path / "model.keras").exists()
    settings = json.loads((tmp_path / "settings.json").read_text())
    assert settings["latent_shape"] == [3] and settings["ema_decay"] == 0.5
    assert invoke("generate", tmp_path, "--out", tmp_path / "a.png").exit_code == 0
    assert invoke("generate", tmp_path / "savedmodel", "--out", tmp_path / "b.png").exit_code == 0
    # Both are the averaged generator.
    np.testing.assert_array_equal(read_png(tmp_path / "a.png"), read_png(tmp_path / "b.png"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_is_saved(number, tmp_path, monkeypatch):
    original = LossCurves.on_train_batch_end

    def interrupt(self, batch, logs=None):
        original(self, batch, logs)
        if self._step == 2:
            signal.raise_signal(number)

    monkeypatch.setattr(LossCurves, "on_train_batch_end", interrupt)
    run = tmp_path / "run"
    result = invoke("train", "GAN", "--dataset", "ring", "--steps", 50, "--out", run)
    assert result.exit_code == 130
    assert "Interrupted after 2 steps" in result.stdout
    assert "The same command goes on from here." in result.stdout
    assert json.loads((run / "settings.json").read_text())["state"] == "interrupted"
    assert len((run / "losses.csv").read_text().splitlines()) == 3
    assert (run / "samples" / "samples.gif").exists()
    assert invoke("generate", run, "--out", tmp_path / "a.png").exit_code == 0

    monkeypatch.undo()
    result = invoke("train", "GAN", "--dataset", "ring", "--steps", 50, "--out", run)
    assert result.exit_code == 0, result.output
    assert "step 2 of epoch 1, 2 steps in all" in result.stdout
    assert json.loads((run / "settings.json").read_text())["state"] == "finished"
    rows = (run / "losses.csv").read_text().splitlines()[1:]
    assert [int(row.split(",")[0]) for row in rows] == list(range(1, 51))
    assert os.listdir(run / "checkpoints") == ["step_00000050"]


@pytest.mark.slow
def test_end_to_end_with_labels_and_pictures(tmp_path):
    """CGAN on pictures: a column for each class, classes by number and by name, all formats."""
    run = tmp_path / "run"
    arguments = ("--steps", 2, "--image-size", 16, "--batch-size", 16, "--out", run)
    result = invoke("train", "cgan", "--dataset", "fashion_mnist_10k", *arguments)
    assert result.exit_code == 0, result.output
    assert read_png(run / "grid.png").shape == (6 * 66 + 2, 10 * 66 + 2, 1)

    def generate(source, *flags):
        out = tmp_path / "a.png"
        result = invoke("generate", source, "--out", out, "--num", 6, *flags)
        assert result.exit_code == 0, result.output
        assert ("Classes: 2 Pullover, 5 Sandal." in result.output) == ("--labels" in flags)
        return read_png(out)

    by_number = generate(run, "--labels", "2,5")
    assert by_number.shape == (3 * 66 + 2, 2 * 66 + 2, 1)
    names = datasets.info("fashion_mnist_10k").class_names
    by_name = generate(run, "--labels", f"{names[2]},{names[5].upper()}")
    np.testing.assert_array_equal(by_number, by_name)
    np.testing.assert_array_equal(by_number, generate(run / "savedmodel", "--labels", "2,5"))

    import keras

    gan = keras.models.load_model(run / "model.keras")
    expected = render(gan.generate(6, seed=0, labels=np.array([2, 5] * 3)), columns=2)
    np.testing.assert_array_equal(by_number, expected)
    assert "numbers from 0 to 9 or names" in fails("generate", run, "--labels", "10")


@pytest.mark.slow
def test_end_to_end_of_a_growing_model(tmp_path):
    """ProGAN: a run for each size; after an early end the finished ones are not trained again."""
    run = tmp_path / "run"
    arguments = ("--image-size", 8, "--steps", 2, "--batch-size", 4, "--latent-dim", 8)
    for output in ("4 x 4: 2 steps of 4", "run-4 is finished"):
        result = invoke("train", "progan", *arguments, "--out", run)
        assert result.exit_code == 0, result.output
        assert output in result.output.replace("\n", "") and "8 x 8: 2 steps" in result.output
        assert read_png(tmp_path / "run-4" / "grid.png").shape == (8 * 66 + 2, 8 * 66 + 2, 3)
        assert json.loads((run / "settings.json").read_text())["steps_taken"] == 2
        shutil.rmtree(run)


@pytest.mark.slow
def test_end_to_end_with_two_sets(tmp_path):
    """CycleGAN: six rows of translations, a rate that falls over these steps, no latents."""
    run = tmp_path / "run"
    sets = ("--dataset", "noto_emoji", "--dataset-b", "noto_skin_tones", "--image-size", 8)
    result = invoke("train", "cyclegan", *sets, "--steps", 1, "--out", run)
    assert result.exit_code == 0, result.output
    assert "Training CycleGAN on noto_emoji + noto_skin_tones: 1 steps" in result.output
    assert "keras-gans generate" not in result.output
    assert read_png(run / "grid.png").shape == (6 * 66 + 2, 8 * 66 + 2, 3)
    assert json.loads((run / "settings.json").read_text())["latents"] is None

    import keras

    gan = keras.models.load_model(run / "model.keras")
    assert gan.total_steps == 1
    for source in (run, run / "savedmodel"):
        assert "out of pictures" in fails("generate", source, "--out", tmp_path / "a.png")


def test_two_sets_of_one_latent_in_grey_and_colours():
    settings = {
        "model": "cogan", "seed": 0, "batch_size": 4, "split": None, "data_dir": None, "steps": 1,
        "dataset": "fashion_mnist_10k", "dataset_b": "noto_emoji", "image_size": (8, 8),
        "channels": None, "on_unreadable": "error", "value_range": None, "width": 2,
        "precision": "float32", "crop": None, "flip": False,
    }  # fmt: skip
    data = train.load_data(CoGAN, settings)
    shapes = train.shape_of_b(CoGAN, data)
    assert shapes == {"other_shape": (8, 8, 3)} and train.shape_of_b(CycleGAN, data) == {}
    gan = train.build(CoGAN, data.info, settings, tf.distribute.get_strategy(), **shapes)
    assert [samples.shape for samples in gan.generate(2)] == [(2, 8, 8, 1), (2, 8, 8, 3)]


@pytest.mark.slow
def test_end_to_end_with_two_sets_of_one_latent(tmp_path):
    """CoGAN: halves of the digits and their negatives; pairs, and a table of each domain."""
    run = tmp_path / "run"
    sets = ("--dataset", "mnist_5k", "--dataset-b", "mnist_5k_negatives", "--image-size", 8)
    small = ("--width", 2, "--batch-size", 16, "--latent-dim", 4)
    result = invoke("train", "cogan", *sets, *small, "--steps", 1, "--out", run)
    assert result.exit_code == 0, result.output
    assert read_png(run / "grid.png").shape == (8 * 66 + 2, 8 * 66 + 2, 1)
    settings = json.loads((run / "settings.json").read_text())
    assert (settings["num_examples"], settings["dataset_b"]) == (2000, "mnist_5k_negatives")
    for source in (run, run / "savedmodel"):
        result = invoke("generate", source, "--num", 6, "--out", tmp_path / "pairs.png")
        assert "6 pictures of a and as many of b" in result.output
        file = tmp_path / "measured.json"
        options = ("--metrics", "swd", "--num", 20, "--out", file)
        result = invoke("evaluate", source, *options)
        assert result.exit_code == 0, result.output
        for name in ("a of", "b of", "mnist_5k_negatives"):
            assert name in result.output
        measured = json.loads(file.read_text())["measurements"]
        assert [each["port"] for each in measured] == ["a", "b"]
        a, b = (each["protocol"] for each in measured)
        assert a["reals_chosen"] == b["reals_chosen"] == "the first 20 of 2,000"
        assert a["reals_hash"] != b["reals_hash"]
        assert invoke("evaluate", source, *options, "--direction", "b").exit_code == 0
        assert [m["port"] for m in json.loads(file.read_text())["measurements"]] == ["b"]
        assert "the names ['a', 'b']" in fails("evaluate", source, *options, "--direction", "c")
    result = invoke("generate", run, "--interpolate", 1, "--num", 3, "--out", tmp_path / "way.gif")
    assert "3 pictures of a and as many of b from seed 0 to seed 1" in result.output
    for direction in ("a", "b"):
        options = ("--to", "tflite,onnx", "--direction", direction, "--out", tmp_path / "files")
        result = invoke("export", run, *options)
        assert result.exit_code == 0, result.output
    names = {path.name for path in (tmp_path / "files").iterdir()}
    assert names == {f"model-{x}.{form}" for x in "ab" for form in ("tflite", "onnx")}
