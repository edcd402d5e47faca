"""The presets that a wheel holds, where presets are looked for, and downloads."""

import importlib.util
import json
import pathlib
import shutil
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from typer.testing import CliRunner

import keras_gans
from keras_gans import preset_places, presets, sources
from keras_gans.cli.app import app
from keras_gans.export.signatures import networks_of
from keras_gans.images import read_png
from keras_gans.networks import build_mlp_discriminator, build_mlp_generator

ROOT = pathlib.Path(__file__).resolve().parent.parent


def tool():
    path = ROOT / "tools/package_presets.py"
    spec = importlib.util.spec_from_file_location("package_presets", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A model, and a directory: presets of it in `saved`, and packaged ones in `shipped`."""
    root = tmp_path_factory.mktemp("presets")
    generator = build_mlp_generator((2,), 3, (40,), num_classes=3, seed=0)
    discriminator = build_mlp_discriminator((2,), (4,), num_classes=3, seed=1)
    gan = keras_gans.CGAN(generator, discriminator, num_classes=3, ema_decay=0.5, seed=0)
    gan.compile()
    gan.generator_optimizer.iterations.assign(3)  # as if it had been trained
    presets.save(gan, root / "saved/whole", {"name": "whole", "class_names": ["a", "b", "c"]})
    for name in ("half", "left_out"):
        shutil.copytree(root / "saved/whole", root / "saved" / name)
    tool().package(root / "saved", root / "shipped", {"whole": False, "half": True})
    return gan, root


@pytest.fixture
def installed(made, tmp_path, monkeypatch):
    """As in an installed package, with nothing in its user's cache."""
    monkeypatch.delenv(preset_places.VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(preset_places, "CHECKOUT", tmp_path / "none")
    monkeypatch.setattr(preset_places, "SHIPPED", made[1] / "shipped")
    monkeypatch.chdir(tmp_path)
    return made[1]


@pytest.mark.parametrize("prefix", ["1/variables/variables", "training/state"])
def test_a_checkpoint_is_read_as_tensorflow_reads_it(prefix, made):
    path = made[1] / "saved/whole" / prefix
    reader = tf.train.load_checkpoint(str(path))
    expected = {k: reader.get_tensor(k) for k in reader.get_variable_to_shape_map()}
    expected = {k: v for k, v in expected.items() if not isinstance(v, bytes)}
    found = tool().read_checkpoint(path)
    assert set(found) == set(expected) and len(found) > 3
    for key, values in expected.items():
        assert found[key].dtype == values.dtype
        np.testing.assert_array_equal(found[key], values)


def test_a_packaged_preset_is_the_model(made):
    gan, root = made
    for name in ("whole", "half"):
        loaded = keras_gans.load(root / "shipped" / name)
        assert loaded.preset == name
        for ours, theirs in zip(
            loaded.weights, keras_gans.load(root / "saved" / name).weights, strict=True
        ):
            rounded = theirs.numpy() if name == "whole" else np.asarray(theirs, "float16")
            if "seed" not in ours.path:
                np.testing.assert_array_equal(ours, rounded.astype(theirs.dtype))
        assert presets.card(root / "shipped" / name)["class_names"] == ["a", "b", "c"]
    whole = keras_gans.load(root / "shipped/whole")
    np.testing.assert_array_equal(
        whole.generate(3, seed=1, labels=2), gan.generate(3, seed=1, labels=2)
    )


def test_packaged_weights_of_another_model(made, tmp_path):
    shutil.copytree(made[1] / "shipped/whole", tmp_path / "a")
    file = tmp_path / "a/training/weights.npz"
    with np.load(file) as stored:
        weights = dict(stored)
    np.savez(file, **{n: w for n, w in weights.items() if n != "state/0"})
    with pytest.raises(ValueError, match="must hold the weights of the model in"):
        presets.load(tmp_path / "a")
    np.savez(file, **{**weights, "state/0": np.zeros((1, 9), "float32")})
    with pytest.raises(ValueError, match=r"Received: values of shape \(1, 9\)"):
        presets.load(tmp_path / "a")


@pytest.mark.parametrize("kept", [0, 100, -30])
def test_packaged_weights_that_are_cut_short(kept, made, tmp_path):
    shutil.copytree(made[1] / "shipped/whole", tmp_path / "a")
    file = tmp_path / "a/training/weights.npz"
    file.write_bytes(file.read_bytes()[:kept])
    with pytest.raises(ValueError, match=f"'{file}' is damaged: ."):
        presets.load(tmp_path / "a")


def test_packaged_weights_with_wrong_bytes_or_of_another_form(made, tmp_path):
    shutil.copytree(made[1] / "shipped/whole", tmp_path / "a")
    file = tmp_path / "a/training/weights.npz"
    content = bytearray(file.read_bytes())
    content[200:300] = bytes(100)
    file.write_bytes(content)
    with pytest.raises(ValueError, match=f"'{file}' is damaged: ."):
        presets.load(tmp_path / "a")
    with open(file, "wb") as single:
        np.save(single, np.zeros(3))
    with pytest.raises(ValueError, match=f"'{file}' is damaged: ."):
        presets.load(tmp_path / "a")


def test_where_names_are_looked_for(installed, tmp_path, monkeypatch):
    assert presets.names() == ["half", "whole"]
    assert presets.find("half") == installed / "shipped/half"
    elsewhere = [tmp_path / "none", installed / "saved"]
    monkeypatch.setenv(preset_places.VARIABLE, ":".join(map(str, elsewhere)))
    assert presets.names() == ["half", "left_out", "whole"]
    assert presets.find("half") == installed / "saved/half"  # what the user names goes first
    assert presets.names(installed / "shipped") == ["half", "whole"]
    monkeypatch.setattr(preset_places, "CHECKOUT", installed / "saved")
    monkeypatch.delenv(preset_places.VARIABLE)
    assert presets.find("half") == installed / "saved/half"


def test_a_preset_of_the_name_in_the_working_directory(installed, tmp_path):
    """It is the path of a preset, and goes first; not where a directory is given."""
    shutil.copytree(installed / "saved/whole", tmp_path / "half")
    shutil.copytree(installed / "saved/whole", tmp_path / "mine/alone")
    assert presets.find("half") == pathlib.Path("half")
    for name in ("half", pathlib.Path("half")):
        assert presets.find(name, installed / "shipped") == installed / "shipped/half"
    assert presets.find(tmp_path / "half", installed / "shipped") == tmp_path / "half"
    assert presets.find("mine/alone") == pathlib.Path("mine/alone")
    with pytest.raises(ValueError, match=r"or the absolute path .* Received: 'mine/alone'\."):
        presets.find("mine/alone", installed / "shipped")
    assert keras_gans.load("half", installed / "shipped").preset == "half"


def test_a_list_with_presets_that_are_damaged(installed, tmp_path, monkeypatch):
    """What is not all there is no preset; of what can't be read it says why, and goes on."""
    mine = tmp_path / "mine"
    (mine / "begun/training").mkdir(parents=True)
    (mine / "begun/training/config.json").write_text("{}")
    shutil.copytree(installed / "saved/whole", mine / "cut")
    (mine / "cut/1/card.json").write_text('{"model":')
    monkeypatch.setenv(preset_places.VARIABLE, str(mine))
    path = presets.download("left_out", f"file://{installed}/saved")
    (path / "training/config.json").write_text("{}")
    assert presets.names() == ["cut", "half", "left_out", "whole"]
    result = CliRunner().invoke(app, ["presets"])
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert [line.split()[1] for line in lines if " CGAN " in line] == ["half", "whole"]
    shown = "".join(lines)  # lines of a terminal's width
    assert f"cut can't be used: '{mine / 'cut/1/card.json'}' must be a JSON file" in shown
    assert "left_out can't be used: " in shown and "has the SHA-256" in shown
    assert "begun" not in shown


def test_errors_say_what_there_is_and_what_to_do(installed, tmp_path, monkeypatch):
    for name, hint in (
        ("left_out", "`keras_gans.presets.download('left_out', ADDRESS)` it"),
        ("hlaf", "Did you mean half?"),
        ("nonsense", "in `directory` or the environment variable KERAS_GANS_PRESETS"),
    ):
        with pytest.raises(ValueError, match="`name` must be one of the presets half, whole") as e:
            keras_gans.load(name)
        assert hint in str(e.value) and f"'{tmp_path / 'cache/keras_gans/presets'}'" in str(e.value)
        with pytest.raises(FileNotFoundError, match=r"preset \(half, whole\).*not exist") as e:
            sources.find(name)
        assert hint in str(e.value)
    monkeypatch.setenv(preset_places.VARIABLE, "no/such/place")
    with pytest.raises(ValueError, match=r"'no/such/place' \(not there\)"):
        keras_gans.load("nonsense")


def test_downloads_are_checked(installed, made, tmp_path):
    address = f"file://{installed}/saved"
    path = presets.download("left_out", address)
    assert path == tmp_path / "cache/keras_gans/presets/left_out"
    np.testing.assert_array_equal(
        keras_gans.load("left_out").generate(2, seed=0, labels=1),
        made[0].generate(2, seed=0, labels=1),
    )
    with pytest.raises(FileExistsError, match="must not hold the preset yet"):
        presets.download("left_out", address)
    with open(path / "training/config.json", "a") as file:
        file.write(" ")
    with pytest.raises(ValueError, match=r"'training/config.json' has the SHA-256 [0-9a-f]{64}\."):
        keras_gans.load("left_out")
    # What the user gives in so many words is theirs.
    assert keras_gans.load("left_out", directory=path.parent).preset == "left_out"


def test_downloads_that_fail(installed, tmp_path):
    shutil.copytree(installed / "saved/left_out", tmp_path / "served/left_out")
    (tmp_path / "served/left_out/training/config.json").write_text("{}")
    for name, address, error, message in (
        (
            "left_out",
            f"file://{tmp_path}/served",
            ValueError,
            "must be the project's preset, whose",
        ),
        ("left_out", f"file://{tmp_path}/none", OSError, "`address` must serve 'file://"),
        ("left_out", "nonsense", OSError, "`address` must serve 'nonsense/left_out/1/"),
        ("other", f"file://{tmp_path}", ValueError, r"presets \(half, left_out, whole\)"),
    ):
        with pytest.raises(error, match=message):
            presets.download(name, address)
    assert not (tmp_path / "cache").exists()


def test_commands_take_names_and_paths_alike(installed):
    def invoke(*arguments):
        return CliRunner().invoke(app, [str(argument) for argument in arguments])

    pictures = []
    for source in ("whole", installed / "shipped/whole", installed / "saved/whole"):
        result = invoke("generate", source, "--labels", "c", "--out", "a.png")
        assert result.exit_code == 0, result.output
        pictures.append(read_png("a.png"))
        result = invoke("export", source, "--out", f"out{len(pictures)}")
        assert result.exit_code == 0, result.output
        path = pathlib.Path(f"out{len(pictures)}/savedmodel/1/card.json")
        assert json.loads(path.read_text())["name"] == "whole"
    for picture in pictures[1:]:
        np.testing.assert_array_equal(picture, pictures[0])
    assert [
        line.split()[1] for line in invoke("presets").output.splitlines() if "CGAN" in line
    ] == [
        "half",
        "whole",
    ]
    assert "which is exported already" in invoke("export", installed / "saved/whole/1").stderr


def test_what_a_wheel_holds(tmp_path):
    """One of each kind, small, and the hashes of all of the project's."""
    tool().package(ROOT / "savedmodels", tmp_path / "shipped")
    files = [path for path in (tmp_path / "shipped").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 8e6
    assert presets.names(tmp_path / "shipped") == sorted(tool().PACKAGED)
    index = json.loads((tmp_path / "shipped/index.json").read_text())
    assert sorted(index) == presets.names(ROOT / "savedmodels")
    for name, hashes in index.items():
        preset_places.check_files(ROOT / "savedmodels" / name, hashes, name)


@pytest.mark.slow
def test_pictures_of_float16_weights_agree(tmp_path):
    """Of 256 levels they are at most 8 apart, and a tenth of one on average."""
    tool().package(ROOT / "savedmodels", tmp_path)
    for name in tool().PACKAGED:
        ours, theirs = presets.load(tmp_path / name), presets.load(ROOT / "savedmodels" / name)
        for direction in networks_of(theirs):
            if direction:
                path = ROOT / "savedmodels" / name / "inputs" / f"{direction[0]}_1.png"
                made = [
                    gan.translate(read_png(path)[None], to=direction[-1]) for gan in (ours, theirs)
                ]
            else:
                made = [gan.generate(64, seed=1) for gan in (ours, theirs)]
            apart = np.abs(made[0].astype(int) - made[1])
            assert apart.max() <= 8 and apart.mean() < 0.1, name


@pytest.mark.slow
def test_the_wheel(tmp_path):
    """Built out of a source archive's files, installed, and used where no checkout is."""
    source = tmp_path / "source"
    for name in ("keras_gans", "savedmodels", "tools"):
        shutil.copytree(ROOT / name, source / name)
    for path in ROOT.iterdir():
        if path.is_file():
            shutil.copy(path, source)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--target", tmp_path / "site", source], check=True)
    code = (
        "import keras_gans\n"
        "gan = keras_gans.load('cgan_fashion_mnist')\n"
        "print(keras_gans.__file__, gan.generate(2, seed=1, labels=7).shape)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(tmp_path / "site"), "PATH": "", "TF_CPP_MIN_LOG_LEVEL": "3"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert result.stdout.split()[0] == str(tmp_path / "site/keras_gans/__init__.py"), result.stderr
    assert "(2, 28, 28, 1)" in result.stdout
