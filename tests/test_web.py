"""The page that runs models in the browser: its latents, its build, and the page in Chromium.

The slow tests drive the page as a user does, with keys, clicks and typed text. They need Chromium
and npm, and are skipped where one is missing, but for CI, where that is an error. Pictures of the
page are written to the directory that KERAS_GANS_SCREENSHOTS names, to be looked at.
"""

import base64
import functools
import http.server
import importlib.util
import io
import json
import os
import pathlib
import select
import shutil
import subprocess
import tempfile
import threading
import time

import numpy as np
import pytest
from PIL import Image

from keras_gans.devices.randomness import PRIORS
from keras_gans.training import kinds
from keras_gans.training.ports import Port

ROOT = pathlib.Path(__file__).parent.parent
WEB = ROOT / "examples" / "web"
MODELS = sorted(card.parent.parent for card in (ROOT / "savedmodels").glob("*/1/card.json"))
PATIENCE = 60  # seconds; only for what never comes

spec = importlib.util.spec_from_file_location("web_build", WEB / "build.py")
web_build = importlib.util.module_from_spec(spec)
spec.loader.exec_module(web_build)


def needed(program, *others):
    """The path of a program that a test needs."""
    path = next(filter(None, map(shutil.which, (program, *others))), None)
    if not path and not os.environ.get("CI"):
        pytest.skip(f"{program} is not installed")
    assert path, f"{program} must be installed where CI is set"
    return path


# Latents


def run_latents(script):
    return run_js("latents.js", script)


def run_js(file, script):
    """What a script on a module of the page prints, from JSON."""
    script = f"import * as js from '{(WEB / file).as_uri()}';\n{script}"
    command = [needed("node"), "--input-type=module", "-"]
    done = subprocess.run(command, input=script, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_philox_gives_the_published_numbers():
    # The known answers of Random123, the library of the paper's authors, for philox4x32-10.
    ones = "[0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff]"
    digits = "[0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0]"
    found = run_latents(
        "console.log(JSON.stringify([js.philox([0, 0, 0, 0], [0, 0]),"
        f"js.philox({ones}, {ones}), js.philox({digits})]))"
    )
    assert [[f"{word:08x}" for word in words] for words in found] == [
        ["6627e8d5", "e169c58d", "bc57ac4c", "9b00dbd8"],
        ["408f276d", "41c83b0e", "a20bc7c6", "6d5451fd"],
        ["d16cfe09", "94fdcceb", "5001e420", "24126ea1"],
    ]


def test_latents_are_those_of_tensorflow():
    seeds = [0, 1, 7, 2**31 - 1, 2**31, 2**32 + 5, 2**53 + 1, 2**63 - 1]
    cases = [(prior, seed, size) for prior in PRIORS for seed in seeds for size in (5, 64, 1044)]
    given = json.dumps([[prior, str(seed), size] for prior, seed, size in cases])
    found = run_latents(
        f"const drawn = {given}.map((given) => [...js.drawLatents(...given)]);"
        "console.log(JSON.stringify(drawn))"
    )
    for (prior, seed, size), latents in zip(cases, found, strict=True):
        expected = PRIORS[prior]((1, size), (seed, -1)).numpy()[0]
        np.testing.assert_allclose(latents, expected, rtol=0, atol=2e-6, err_msg=f"{prior} {seed}")


def test_a_class_in_the_address_is_a_name_before_it_is_a_number():
    """Classes "1" to "12" keep their names, others their numbers; both come back as they were."""
    found = run_js(
        "controls.js",
        """
        const digits = Array.from({ length: 12 }, (_, i) => String(i + 1));
        const clothes = ["Shirt", "Bag"];
        const back = (label, names) =>
          js.classFromText(js.classToText(label, names), names, names.length);
        console.log(JSON.stringify([
          js.classToText(9, digits), js.classFromText("10", digits, 12),
          js.classToText(1, clothes), js.classFromText("Bag", clothes, 2),
          ...["1", "7", "-1", "x", undefined].map((text) => js.classFromText(text, clothes, 2)),
          js.classFromText("3", [], 5), js.classToText(3, []),
          ...[0, 9, 11].map((label) => back(label, digits)),
        ]))""",
    )
    assert found == ["10", 9, "1", 1, 1, 0, 0, 0, 0, 3, "3", 0, 9, 11]


def test_seeds_that_are_none():
    given = ["-1", "1.5", "", "abc", "1e3", str(2**63)]
    found = run_latents(
        "const message = (text) => { try { js.parseSeed(text); } catch (e) { return e.message; } };"
        f"console.log(JSON.stringify({json.dumps(given)}.map(message)))"
    )
    for text, message in zip(given, found, strict=True):
        assert "whole number from 0 to 2^63 - 1" in message and f"“{text}”" in message


def test_between_and_walk():
    found = run_latents(
        """
        const [a, b] = [[3, 0], [0, 4]].map((values) => Float32Array.from(values));
        const axes = js.directions(64);
        const origin = js.drawLatents("uniform", 3, 64);
        console.log(JSON.stringify({
          slerp: [...js.between("normal", a, b, 1 / 3)],
          lerp: [...js.between("uniform", a, b, 0.25)],
          same: [...js.between("normal", a, a, 0.4)],
          ends: [0, 1].map((t) => [...js.between("normal", a, b, t)]),
          axes: axes.map((axis) => [...axis]),
          still: js.walk("normal", origin, axes, 0, 0).every((value, i) => value === origin[i]),
          normal: [...js.walk("normal", new Float32Array(64), axes, 0.5, -1)],
          uniform: [...js.walk("uniform", origin, axes, 1, 1)],
          origin: [...origin],
        }))"""
    )
    # A right angle: sin 60 and sin 30 degrees.
    np.testing.assert_allclose(found["slerp"], [3 * np.sqrt(0.75), 4 * 0.5], rtol=1e-6)
    np.testing.assert_allclose(found["lerp"], [2.25, 1.0])
    np.testing.assert_allclose(found["same"], [3, 0], rtol=1e-6)
    np.testing.assert_allclose(found["ends"], [[3, 0], [0, 4]], atol=1e-6)
    axes = np.array(found["axes"])
    np.testing.assert_allclose(axes @ axes.T, np.eye(2), atol=1e-6)
    assert found["still"]
    # 64 normal latents are 8 long, and uniform ones 8 / sqrt(3).
    np.testing.assert_allclose(found["normal"], 8 * (0.5 * axes[0] - axes[1]), atol=1e-5)
    moved = np.array(found["origin"]) + 8 / np.sqrt(3) * (axes[0] + axes[1])
    assert np.abs(moved).max() > 1
    np.testing.assert_allclose(found["uniform"], moved.clip(-1, 1), atol=1e-5)


# The build


@pytest.fixture
def packages(tmp_path):
    """npm's packages, as far as the build is concerned, with more than it needs."""
    directory = tmp_path / "packages"
    for name in (*web_build.RUNTIME, "core/wasm/litert_wasm_threaded_internal.wasm", "core/README"):
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return directory


def write_model(directory, side=28, **changes):
    card = {
        "model": "CGAN",
        "title": "Conditional Generative Adversarial Nets",
        "authors": "Mirza and Osindero",
        "year": 2014,
        "arxiv": "1411.1784",
        "dataset": "fashion_mnist_10k",
        "dataset_license": "MIT",
        "num_examples": 10000,
        "num_classes": 2,
        "class_names": ["Bag", "Coat"],
        "sample_shape": [side, side, 1],
        "latent_shape": [64],
        "latents": "normal",
        "seed": 0,
        "weights_sha256": "0123",
        **changes,
    }
    (directory / "1").mkdir(parents=True)
    (directory / "1" / "card.json").write_text(json.dumps(card))
    (directory / "1" / "saved_model.pb").write_bytes(b"not for the page")
    (directory / "model.tflite").write_bytes(b"tflite")
    # Eight columns of cells that are enlarged to 56 pixels, each of its own grey.
    cells = np.kron(np.arange(64, dtype="uint8").reshape(8, 8), np.ones((58, 58), "uint8"))
    Image.fromarray(np.pad(cells, (2, 0))).save(directory / "grid.png")
    return directory


def write_translator(directory):
    facts = {"model": "CycleGAN", "arxiv": "1703.10593", "dataset": "A: Noto emoji, B: chalk"}
    size = {"sample_shape": [64, 64, 3], "latent_shape": None, "latents": None}
    classes = {"num_classes": None, "class_names": None}
    write_model(directory, directions=["a_to_b", "b_to_a"], **facts, **size, **classes)
    (directory / "model_b_to_a.tflite").write_bytes(b"the other way")
    (directory / "inputs").mkdir()
    for name in ("a_0", "a_2", "a_10", "b_0"):
        Image.new("RGB", (64, 64), "red").save(directory / "inputs" / f"{name}.png")


def files_in(directory):
    return {path.relative_to(directory).as_posix() for path in directory.rglob("*.*")}


def test_build_writes_the_page_and_what_it_needs(tmp_path, packages):
    write_model(tmp_path / "models" / "cgan_mine")
    newer = json.loads((tmp_path / "models/cgan_mine/1/card.json").read_text()) | {"year": 2015}
    for version, card in (("10", newer), ("9", {}), ("notes", {})):
        (tmp_path / "models/cgan_mine" / version).mkdir()
        (tmp_path / "models/cgan_mine" / version / "card.json").write_text(json.dumps(card))
    (tmp_path / "models" / "README.md").write_text("no model")
    (tmp_path / "models" / "unfinished").mkdir()
    out = tmp_path / "out" / "page"
    web_build.build(tmp_path / "models", out, packages)

    runtime = {f"litert/{name}" for name in web_build.RUNTIME.values()}
    model = {f"models/cgan_mine/{name}" for name in ("model.tflite", "thumbnail.png")}
    assert files_in(out) == {*web_build.PAGE, "models.json", *runtime, *model}
    assert (out / "litert" / "index.js").read_bytes() == b"core/dist/index.js"
    assert json.loads((out / "models.json").read_text(encoding="utf-8"))["models"] == [
        {
            "name": "cgan_mine",
            "model": "CGAN",
            "title": "Conditional Generative Adversarial Nets",
            "authors": "Mirza and Osindero",
            "year": 2015,
            "arxiv": "1411.1784",
            "num_examples": 10000,
            "num_classes": 2,
            "dataset_license": "MIT",
            "latents": "normal",
            "data": [
                {
                    "name": "Fashion-MNIST",
                    "url": "https://github.com/zalandoresearch/fashion-mnist",
                }
            ],
            "class_names": ["Bag", "Coat"],
            "sample_shape": [28, 28, 1],
            "ports": {"generate": described_by_keras_gans()},
            "files": [
                {"port": "generate", "path": "models/cgan_mine/model.tflite", "bytes": 6},
            ],
            "thumbnail": "models/cgan_mine/thumbnail.png",
            "latent_dim": 64,
        }
    ]
    thumbnail = np.asarray(Image.open(out / "models/cgan_mine/thumbnail.png"))
    assert thumbnail.shape == (118, 118) and set(np.unique(thumbnail)) == {0, 1, 8, 9}
    assert (out.stat().st_mode & 0o777) == 0o755


def described_by_keras_gans():
    """What a card of today says of the port of `write_model`'s; its own says nothing."""
    inputs = (kinds.Latents("latents", (64,), "normal"), kinds.Labels("labels", 2))
    return Port(inputs, None, kinds.Pictures("samples", (28, 28, 1))).describe()


def test_build_of_a_card_that_describes_its_ports(tmp_path, packages):
    """Ports of which there is a file are on the page, and pictures for each input of pictures."""
    pictures, masks = kinds.Pictures("images", (28, 28, 1)), kinds.Masks("masks", (28, 28, 1))
    latents = kinds.Latents("latents", (4,))
    ports = {
        "inpaint": Port((pictures, masks), None, pictures).describe(),
        "encode": Port((pictures,), None, latents).describe(),
        "decode": Port((latents,), None, pictures).describe(),
    }
    of_card = {name: {**port, "takes": [], "makes": ""} for name, port in ports.items()}
    none = {"latents": None, "latent_shape": None, "num_classes": None, "class_names": None}
    directory = write_model(tmp_path / "models" / "mine", ports=of_card, **none)
    (directory / "model_encode.tflite").write_bytes(b"encoder")
    (directory / "inputs").mkdir()
    Image.new("L", (28, 28)).save(directory / "inputs" / "images_0.png")
    (entry,) = web_build.build(tmp_path / "models", tmp_path / "page", packages)
    assert entry["ports"] == {name: ports[name] for name in ("inpaint", "encode")}
    assert [file["port"] for file in entry["files"]] == ["inpaint", "encode"]
    assert entry["inputs"] == {"images": ["models/mine/images_0.png"]}


def test_build_of_points(tmp_path, packages):
    """Their thumbnail is the plot, made smaller."""
    port = Port((kinds.Latents("latents", (4,)),), None, kinds.Points("samples", (2,)))
    card = {"ports": {"generate": port.describe()}, "sample_shape": [2], "num_classes": None}
    write_model(tmp_path / "models" / "ring", **card)
    (entry,) = web_build.build(tmp_path / "models", tmp_path / "page", packages)
    assert entry["ports"] == {"generate": port.describe()}
    with Image.open(tmp_path / "page" / entry["thumbnail"]) as picture:
        assert max(picture.size) == 128


@pytest.mark.parametrize("part", ["control", "view"])
def test_page_has_what_each_kind_asks_for(part):
    """Of the kinds of keras_gans; frames go into no model."""
    asked = {getattr(kind, part) for kind in kinds._all_kinds(kinds.Kind)}
    name, file = {"control": ("CONTROLS", "inputs.js"), "view": ("VIEWS", "views.js")}[part]
    source = (WEB / file).read_text(encoding="utf-8")
    known = source.split(f"export const {name} = {{")[1].split("}")[0]
    missing = asked - {name.strip() for name in known.split(",")}
    assert missing == ({"frames"} if part == "control" else set())


def test_what_is_typed_on_the_page():
    """As `Kind.parse` reads it."""
    words = kinds.Text("captions", (4,), vocabulary=5, words=("", "a", "red", "small", "bird"))
    ids = kinds.Text("captions", (3,), vocabulary=9, padding=8)
    texts = ["a red bird", "1 2,4", "7", "5", "1 2 3 4 1", "-1", "", "9", "8 0"]
    described = json.dumps([words.describe(), ids.describe()])
    found = run_js(
        "inputs.js",
        "const parsed = (text, kind) => {"
        "  try { return [...js.parseWords(text, kind)]; } catch (e) { return e.message; } };"
        f"const given = {described}.map((kind) => {json.dumps(texts)}.map((t) => parsed(t, kind)));"
        "console.log(JSON.stringify(given));",
    )
    for kind, answers in zip((words, ids), found, strict=True):
        for text, answer in zip(texts, answers, strict=True):
            try:
                expected = kind.parse(text).tolist()
            except ValueError:
                assert f"ids from 0 to {kind.vocabulary - 1}, not “{text}”" in answer
            else:
                assert answer == expected


def test_what_can_be_asked_in_turn():
    """A picture is encoded and decoded; two directions of a translator are no encoder."""
    pictures, latents = kinds.Pictures("images", (8, 8, 1)), kinds.Latents("latents", (4,))
    vae = {
        "generate": Port((latents,), None, pictures),
        "decode": Port((latents,), None, pictures),
        "encode": Port((pictures,), None, latents),
        "classify": Port((pictures,), None, kinds.Labels("labels", 3)),
    }
    translator = {name: Port((pictures,), None, pictures) for name in ("a_to_b", "b_to_a")}
    given = [{n: p.describe() for n, p in ports.items()} for ports in (vae, translator)]
    found = run_js(
        "asker.js",
        f"console.log(JSON.stringify({json.dumps(given)}.map((ports) => js.questions(ports))));",
    )
    alone = {name: [name] for name in vae}
    assert found == [
        {**alone, "encode → decode": ["encode", "decode"]},
        {name: [name] for name in translator},
    ]


def test_build_of_a_translator(tmp_path, packages):
    write_translator(tmp_path / "models" / "cyclegan_mine")
    write_model(tmp_path / "models" / "zoo", arxiv="1411.1784")
    first, entry = web_build.build(tmp_path / "models", tmp_path / "page", packages)
    assert first["name"] == "zoo"  # by the age of the paper
    assert entry["files"] == [
        {"port": "a_to_b", "path": "models/cyclegan_mine/model.tflite", "bytes": 6},
        {"port": "b_to_a", "path": "models/cyclegan_mine/model_b_to_a.tflite", "bytes": 13},
    ]
    assert entry["inputs"] == {
        "a": [f"models/cyclegan_mine/a_{n}.png" for n in (0, 2, 10)],
        "b": ["models/cyclegan_mine/b_0.png"],
    }
    assert entry["directions"] == {
        "a_to_b": {"inputs": "a", "from": "Noto emoji", "to": "chalk"},
        "b_to_a": {"inputs": "b", "from": "chalk", "to": "Noto emoji"},
    }
    assert entry["latents"] is None and "latent_dim" not in entry
    assert all((tmp_path / "page" / path).is_file() for path in entry["inputs"]["a"])


def write_one_way(directory, given=(28, 28, 1), made=(28, 28, 3), more=None, **changes):
    """A model with the port `translate`, of pictures of two shapes, and `more` ports."""
    pictures = kinds.Pictures("images", given), kinds.Pictures("pictures", made)
    ports = {"translate": Port(pictures[:1], None, pictures[1]), **(more or {})}
    described = {name: port.describe() for name, port in ports.items()}
    none = {"latents": None, "latent_shape": None, "num_classes": None, "class_names": None}
    card = {"ports": described, "directions": list(ports), "sample_shape": list(made), **none}
    return write_model(directory, **(card | {"model": "Pix2Pix"} | changes))


def test_build_of_a_translator_one_way(tmp_path, packages):
    """Its pictures to begin with are the first of the grid; what is no translation is left out."""
    encode = Port((kinds.Pictures("images", (28, 28, 1)),), None, kinds.Latents("latents", (4,)))
    dataset = "A: fashion_mnist_10k_edges, B: fashion_mnist_10k"
    write_one_way(tmp_path / "models" / "mine", more={"encode": encode}, dataset=dataset)
    (entry,) = web_build.build(tmp_path / "models", tmp_path / "page", packages)
    assert list(entry["ports"]) == ["translate"]
    assert [file["port"] for file in entry["files"]] == ["translate"]
    told = {"inputs": "images", "from": "Fashion-MNIST edges", "to": "Fashion-MNIST"}
    assert entry["directions"] == {"translate": told}
    assert entry["inputs"] == {"images": [f"models/mine/images_{n}.png" for n in range(8)]}
    for n, path in enumerate(entry["inputs"]["images"]):
        with Image.open(tmp_path / "page" / path) as picture:
            np.testing.assert_array_equal(np.asarray(picture), np.full((28, 28), n))


def test_build_of_translators_of_other_sizes(tmp_path, packages):
    """Where the grid does not show what one takes, there must be pictures; any size is one."""
    sizes = {"enlarger": ((28, 28, 1), (112, 112, 3)), "open": ((None, None, 3), (None, None, 3))}
    for name, shapes in sizes.items():
        directory = write_one_way(tmp_path / name / "mine", *shapes)
        with pytest.raises(ValueError, match=r"must have inputs/images_0\.png"):
            web_build.build(tmp_path / name, tmp_path / "page", packages)
        (directory / "inputs").mkdir()
        Image.new("RGB", (40, 30)).save(directory / "inputs" / "images_0.png")
        (entry,) = web_build.build(tmp_path / name, tmp_path / "page", packages)
        assert entry["inputs"] == {"images": ["models/mine/images_0.png"]}
        assert entry["directions"] == {"translate": {"inputs": "images", "from": None, "to": None}}
    with Image.open(tmp_path / "page" / entry["thumbnail"]) as picture:
        assert max(picture.size) == 128  # all of the grid
    write_one_way(tmp_path / "four" / "mine", (None, None, 4))
    with pytest.raises(ValueError, match=r"1 or 3 channels.*\[None, None, 4\]"):
        web_build.build(tmp_path / "four", tmp_path / "page", packages)
    latents = {"inputs": [kinds.Latents("latents", (4,)).describe()]}
    port = {**latents, "output": kinds.Pictures("samples", (None, 8, 1)).describe()}
    write_model(tmp_path / "sampler" / "mine", ports={"generate": port})
    with pytest.raises(ValueError, match=r"of one size.*\[None, 8, 1\]"):
        web_build.build(tmp_path / "sampler", tmp_path / "page", packages)


def test_page_names_only_files_that_are_there():
    """What the page's own files import or link to is built."""
    text = "".join((WEB / name).read_text(encoding="utf-8") for name in web_build.PAGE)
    built = {*web_build.PAGE, *(f"litert/{name}" for name in web_build.RUNTIME.values())}
    for quote in ('from "./', 'src="', 'rel="stylesheet" href="', 'new URL("./'):
        for part in text.split(quote)[1:]:
            assert part.split('"')[0] in built
    files = {path.name for path in WEB.iterdir() if path.suffix in (".js", ".css", ".html", ".svg")}
    assert files == set(web_build.PAGE)


def test_lock_names_no_host():
    lock = json.loads((WEB / "package-lock.json").read_text())
    assert not any("resolved" in package for package in lock["packages"].values())
    wanted = json.loads((WEB / "package.json").read_text())["dependencies"]
    assert all(version[0].isdigit() for version in wanted.values()), "versions must be pinned"
    for name, version in wanted.items():
        assert lock["packages"][f"node_modules/{name}"]["version"] == version
        assert lock["packages"][f"node_modules/{name}"]["integrity"]


def test_build_without_models(tmp_path, packages):
    with pytest.raises(ValueError, match=r"--models must hold models.*which holds none"):
        web_build.build(tmp_path / "missing", tmp_path / "page", packages)
    assert not (tmp_path / "page").exists()


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ("models/cyclegan/model_b_to_a.tflite", "model_b_to_a.tflite' must be a file"),
        ("models/cyclegan/grid.png", "must have a grid.png"),
        ("models/cyclegan/inputs/b_0.png", r"must have inputs/b_0.png"),
        ("packages/core/dist/index.js", "index.js' must be a file"),
    ],
)
def test_build_that_fails_leaves_the_earlier_page(tmp_path, packages, missing, message):
    write_translator(tmp_path / "models" / "cyclegan")
    web_build.build(tmp_path / "models", tmp_path / "page", packages)
    before = {name: (tmp_path / "page" / name).read_bytes() for name in files_in(tmp_path / "page")}
    (tmp_path / missing).unlink()
    with pytest.raises((ValueError, OSError), match=message):
        web_build.build(tmp_path / "models", tmp_path / "page", packages)
    assert before == {n: (tmp_path / "page" / n).read_bytes() for n in files_in(tmp_path / "page")}
    assert {path.name for path in tmp_path.iterdir()} == {"models", "packages", "page"}


def test_build_replaces_an_earlier_page_and_nothing_else(tmp_path, packages):
    write_model(tmp_path / "models" / "cgan")
    web_build.build(tmp_path / "models", tmp_path / "page", packages)
    (tmp_path / "models" / "cgan").rename(tmp_path / "models" / "other")
    web_build.build(tmp_path / "models", tmp_path / "page", packages)
    assert not (tmp_path / "page" / "models" / "cgan").exists()
    for kept in (tmp_path / "models", tmp_path / "models" / "other" / "model.tflite"):
        with pytest.raises(ValueError, match="--out must be new, empty or an earlier page"):
            web_build.build(tmp_path / "models", kept, packages)
    assert (tmp_path / "models" / "other" / "model.tflite").read_bytes() == b"tflite"


def test_build_of_models_of_other_things(tmp_path, packages):
    write_model(tmp_path / "models" / "wgan_ring", sample_shape=[2])
    with pytest.raises(ValueError, match=r"1 or 3 channels.*wgan_ring.*\[2\]"):
        web_build.build(tmp_path / "models", tmp_path / "page", packages)


def test_build_without_npm(tmp_path, monkeypatch, capsys):
    write_model(tmp_path / "models" / "cgan")
    monkeypatch.setattr(web_build.shutil, "which", lambda name: None)
    monkeypatch.setattr(web_build, "version_in", lambda package: None)
    with pytest.raises(SystemExit) as stopped:
        web_build.main(["--models", str(tmp_path / "models"), "--out", str(tmp_path / "page")])
    assert "needs npm" in stopped.value.code and not (tmp_path / "page").exists()


def test_build_where_npm_fails(tmp_path, monkeypatch):
    npm = tmp_path / "npm"
    npm.write_text("#!/bin/sh\necho no network >&2\nexit 3\n")
    npm.chmod(0o755)
    monkeypatch.setattr(web_build.shutil, "which", lambda name: str(npm))
    monkeypatch.setattr(web_build, "version_in", lambda package: None)
    with pytest.raises(OSError, match=r"`npm ci` failed(.|\n)*no network"):
        web_build.install()


def test_serving_says_the_types_and_where(tmp_path):
    import urllib.request

    for name in ("page.wasm", "page.js"):
        (tmp_path / name).write_bytes(b"\0asm")
    with serving(tmp_path) as address:
        for name, kind in (("page.wasm", "application/wasm"), ("page.js", "text/javascript")):
            with urllib.request.urlopen(address + name) as answer:
                assert answer.headers["Content-Type"] == kind
        port = int(address.strip("/").rpartition(":")[2])
        for taken in (port, 99_999):
            with pytest.raises(ValueError, match=f"--port must be a free port. Received: {taken}"):
                web_build.serve(tmp_path, taken)


class serving:
    """`with serving(directory) as address`: a page on a free port, with the build's handler."""

    def __init__(self, directory):
        handler = functools.partial(web_build.Handler, directory=directory)
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self.server.server_port}/"

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


# Chromium, over its DevTools protocol: JSON through a pair of pipes, so that nothing more is needed


class Chromium:
    def __init__(self, profile):
        flags = (
            "headless no-sandbox disable-gpu disable-quic no-first-run hide-scrollbars "
            "disable-background-networking disable-component-update disable-sync "
            f"remote-debugging-pipe user-data-dir={profile}"
        )
        program = needed("chromium", "chromium-browser", "google-chrome")
        command = [program, *(f"--{flag}" for flag in flags.split())]
        # No name is looked up: what is not on this computer can't be reached.
        command.append("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")
        from_here, self.writer = os.pipe()
        self.reader, to_here = os.pipe()
        # It reads from descriptor 3 and writes to 4.
        redirected = f'exec "$@" 3<&{from_here} 4>&{to_here}'
        self.process = subprocess.Popen(
            ["bash", "-c", redirected, "chromium", *command],
            pass_fds=(from_here, to_here),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(from_here)
        os.close(to_here)
        self.buffer, self.number, self.events = b"", 0, []

    def send(self, method, session=None, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        content = json.dumps(message).encode() + b"\0"
        while content:
            content = content[os.write(self.writer, content) :]
        while True:
            answer = self.read()
            if answer.get("id") == self.number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return answer["result"]
            self.events.append(answer)

    def read(self):
        while b"\0" not in self.buffer:
            assert select.select([self.reader], [], [], PATIENCE)[0], "Chromium does not answer"
            content = os.read(self.reader, 1 << 20)
            assert content, "Chromium ended"
            self.buffer += content
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def close(self):
        self.send("Browser.close")
        self.process.wait(PATIENCE)
        os.close(self.writer)
        os.close(self.reader)


KEYS = {"Enter": 13, "End": 35, "Home": 36, "ArrowRight": 39, "ArrowUp": 38, "Tab": 9}


class Tab:
    """One page of the browser, and what a user does with it."""

    picture = "#easel figure:last-child canvas"  # what `pixels` looks at unless it is told

    def __init__(self, browser, address, width=1360, height=900, scheme="light"):
        self.browser, self.address = browser, address
        self.target = browser.send("Target.createTarget", url="about:blank")["targetId"]
        attached = browser.send("Target.attachToTarget", targetId=self.target, flatten=True)
        self.session = attached["sessionId"]
        for domain in ("Runtime", "Log", "Network", "Page", "DOM"):
            self.send(f"{domain}.enable")
        phone = width < 500
        size = {"width": width, "height": height, "deviceScaleFactor": 2 if phone else 1}
        self.send("Emulation.setDeviceMetricsOverride", **size, mobile=phone)
        preference = {"name": "prefers-color-scheme", "value": scheme}
        self.send("Emulation.setEmulatedMedia", features=[preference])

    def send(self, method, **parameters):
        return self.browser.send(method, self.session, **parameters)

    def close(self):
        self.browser.send("Target.closeTarget", targetId=self.target)

    def run(self, script):
        found = self.send(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def wait(self, what, condition):
        end = time.monotonic() + PATIENCE
        while not (found := condition()):
            assert time.monotonic() < end, f"{what} did not come; {self.alert()!r}"
            time.sleep(0.05)
        return found

    def open(self, hash_=""):
        self.send("Page.navigate", url="about:blank")  # so that the page is loaded anew
        self.send("Page.navigate", url=f"{self.address}{hash_}")
        done = "document.querySelector('#easel')?.getAttribute('aria-busy') === 'false'"
        self.wait("the page", lambda: self.run(done) or self.alert())

    def alert(self):
        script = "const a = document.querySelector('#alert'); a && !a.hidden ? a.innerText : ''"
        return self.run(f"(() => {{ {script.replace('a &&', 'return a &&')} }})()")

    def text(self, selector):
        return self.run(f"document.querySelector({json.dumps(selector)}).innerText")

    def value(self, selector):
        return self.run(f"document.querySelector({json.dumps(selector)}).value")

    def pixels(self, selector=None):
        """A canvas as uint8 (H, W, 3)."""
        script = """(selector => {
          const canvas = document.querySelector(selector);
          const {width, height} = canvas;
          const copy = new OffscreenCanvas(width, height).getContext("2d");
          copy.drawImage(canvas, 0, 0); // Chromium warns of canvases that are read again and again.
          const {data} = copy.getImageData(0, 0, width, height);
          return [height, width, btoa(Array.from(data, (n) => String.fromCharCode(n)).join(""))];
        })"""
        height, width, content = self.run(f"{script}({json.dumps(selector or self.picture)})")
        data = np.frombuffer(base64.b64decode(content), "uint8")
        return data.reshape(height, width, 4)[..., :3].astype(int)

    def changed(self, before, what):
        """The picture, once it is another than before."""
        self.wait(f"another picture after {what}", lambda: np.any(self.pixels() != before))
        return self.pixels()

    def becomes(self, expected, what, levels=0):
        """Waits until the picture is as expected, within some levels."""
        end = time.monotonic() + PATIENCE
        while (error := np.abs(self.pixels() - expected).max()) > levels:
            assert time.monotonic() < end, f"{what}: {error} levels away; {self.alert()!r}"
            time.sleep(0.05)

    def middle(self, selector):
        script = """(selector => {
          const element = document.querySelector(selector);
          element.scrollIntoView({block: "center"});
          const box = element.getBoundingClientRect();
          return [box.left, box.top, box.width, box.height];
        })"""
        return self.run(f"{script}({json.dumps(selector)})")

    def click(self, selector, across=0.5, down=0.5):
        left, top, width, height = self.middle(selector)
        place = {"x": left + across * width, "y": top + down * height}
        for kind in ("mousePressed", "mouseReleased"):
            self.send("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **place)

    def drag(self, selector, start, end, steps=4):
        """The mouse with its button down, from one place to another, as parts of an element."""
        left, top, width, height = self.middle(selector)
        places = np.linspace(start, end, steps + 1)
        kinds = ["mousePressed", *["mouseMoved"] * steps, "mouseReleased"]
        for kind, (across, down) in zip(kinds, [*places, places[-1]], strict=True):
            place = {"x": left + across * width, "y": top + down * height}
            self.send(
                "Input.dispatchMouseEvent",
                type=kind,
                button="left",
                buttons=int(kind != "mouseReleased"),
                clickCount=1,
                **place,
            )

    def press(self, key, times=1):
        code = KEYS.get(key) or ord(key.upper())
        text = {"text": key} if len(key) == 1 else {"text": "\r"} if key == "Enter" else {}
        for _ in range(times):
            for kind, more in (("keyDown", text), ("keyUp", {})):
                self.send(
                    "Input.dispatchKeyEvent",
                    type=kind,
                    key=key,
                    code=key,
                    windowsVirtualKeyCode=code,
                    **more,
                )

    def focus(self, selector):
        self.run(f"document.querySelector({json.dumps(selector)}).focus()")

    def slide(self, selector, key, times=1):
        self.focus(selector)
        self.press(key, times)

    def type(self, selector, text):
        self.run(f"document.querySelector({json.dumps(selector)}).select()")
        self.focus(selector)
        self.send("Input.insertText", text=text)
        self.press("Enter")

    def screenshot(self, name):
        directory = os.environ.get("KERAS_GANS_SCREENSHOTS")
        if directory:
            height = self.run("document.documentElement.scrollHeight")
            width = self.run("innerWidth")
            clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
            shot = self.send("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
            pathlib.Path(directory).mkdir(parents=True, exist_ok=True)
            path = pathlib.Path(directory) / f"{name}.png"
            path.write_bytes(base64.b64decode(shot["data"]))

    def events(self, method):
        own = (event for event in self.browser.events if event.get("sessionId") == self.session)
        return [event["params"] for event in own if event["method"] == method]

    def complaints(self):
        """Errors and warnings in the console, of the page, of LiteRT and of the browser."""
        logged = [e["entry"] for e in self.events("Log.entryAdded")]
        return [
            *(e for e in self.events("Runtime.consoleAPICalled") if e["type"] != "debug"),
            *self.events("Runtime.exceptionThrown"),
            *(entry for entry in logged if entry["level"] in ("warning", "error")),
        ]

    def hosts(self):
        """Where the page's requests went."""
        requests = [e["request"]["url"] for e in self.events("Network.requestWillBeSent")]
        return {url.split("/")[2].split(":")[0] for url in requests if url.startswith("http")}


@pytest.fixture(scope="module")
def browser():
    profile = tempfile.mkdtemp()
    chromium = Chromium(profile)
    yield chromium
    chromium.close()
    shutil.rmtree(profile, ignore_errors=True)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The address of the page with the project's models."""
    needed("npm")
    out = tmp_path_factory.mktemp("web") / "page"
    web_build.build(ROOT / "savedmodels", out)
    with serving(out) as address:
        yield address


@pytest.fixture
def tab(browser, site):
    tab = Tab(browser, site)
    yield tab
    tab.close()


def card_of(directory):
    return json.loads((directory / "1" / "card.json").read_text(encoding="utf-8"))


def signatures_of(directory):
    import tensorflow as tf

    return tf.saved_model.load(str(directory / "1")).signatures


def with_colours(images):
    """uint8 pictures (n, H, W, 1 or 3) as canvases have them."""
    return np.broadcast_to(images, (*images.shape[:3], 3)).astype(int)


SHEET_IS_DRAWN = "document.querySelector('.sheet').ariaBusy === 'false'"
TRANSLATORS = [path for path in MODELS if not card_of(path)["latents"]]
RECONSTRUCTORS = [path for path in MODELS if (path / "model_reconstruct.tflite").exists()]
SAMPLERS = [path for path in MODELS if path not in TRANSLATORS + RECONSTRUCTORS]


@pytest.mark.slow
def test_there_are_models_to_show():
    assert SAMPLERS and TRANSLATORS and RECONSTRUCTORS


@pytest.mark.slow
@pytest.mark.parametrize("directory", SAMPLERS, ids=lambda path: path.name)
def test_page_of_a_model_with_latents(tab, directory):
    import tensorflow as tf

    card, signatures = card_of(directory), signatures_of(directory)
    seeds = [0, 1, 2**53 + 1]
    given = {"seeds": tf.constant(seeds, tf.int64)}
    if card["num_classes"]:
        given["labels"] = tf.zeros(len(seeds), tf.int64)
    first, second, third = with_colours(signatures["sample"](**given)["images"].numpy())

    tab.open(f"#model={directory.name}")
    if (directory / "model_b.tflite").exists():  # two pictures of the same latents
        pair = with_colours(signatures["sample_b"](**given)["images"].numpy())
        tab.becomes(pair[0], "seed 0 in B is Python's", levels=4)
        tab.picture = "#easel figure:first-child canvas"
    tab.becomes(first, "seed 0 is Python's", levels=4)
    start = tab.pixels()
    assert start.std() > 5, "the picture is nearly empty"
    tab.wait("the time", lambda: tab.text("#milliseconds") != "–")
    assert 0 < float(tab.text("#milliseconds")) < 10_000
    assert card["model"] in tab.text("#name") and card["title"] in tab.text("#facts")
    assert f'load("{directory.name}").generate(1, seed=0' in tab.text("#python")

    tab.slide("#x", "ArrowRight", 40)
    moved = tab.changed(start, "the first slider")
    assert tab.text("#x + output") == "0.40" and not tab.run("!!python.offsetHeight")
    tab.slide("#y", "Home")
    tab.changed(moved, "the second slider")
    tab.click("#recentre")
    tab.becomes(start, "back in the middle")
    tab.click("#pad", 0.9, 0.2)
    tab.changed(start, "the pad")
    assert [float(tab.value(f"#{axis}")) for axis in "xy"] == pytest.approx([0.8, -0.6], abs=0.02)
    tab.click("#recentre")
    tab.becomes(start, "back in the middle")

    tab.slide("#t", "End")
    tab.becomes(second, "B is seed 1", levels=4)
    tab.slide("#t", "Home")
    tab.becomes(start, "A is seed 0")
    tab.press("p")
    tab.changed(tab.changed(start, "Play"), "more of Play")
    assert tab.run("play.getAttribute('aria-pressed')") == "true"
    tab.press("p")

    tab.type("#seed", str(seeds[2]))
    tab.becomes(third, "a large seed is Python's", levels=4)
    tab.wait("the address", lambda: f"seed={seeds[2]}" in tab.run("location.hash"))
    before = tab.pixels()
    tab.run("document.activeElement.blur()")
    tab.press("r")
    rolled = tab.changed(before, "a roll")
    assert tab.value("#seed") != str(seeds[2])

    assert tab.run("document.querySelectorAll('.sheet button').length") == 25
    tab.wait("the contact sheet", lambda: tab.run(SHEET_IS_DRAWN))
    np.testing.assert_array_equal(tab.pixels(".sheet button:first-child canvas"), rolled)
    chosen = tab.pixels(".sheet button:nth-child(3) canvas")
    tab.click(".sheet button:nth-child(3)")
    tab.becomes(chosen, "a picture of the sheet")

    chips = tab.run("[...document.querySelectorAll('#classes label')].map(l => l.innerText)")
    classes = range(card["num_classes"] or 0)  # the data's have names in any case
    assert chips == [str(n) for n in classes and (card.get("class_names") or classes)]
    if chips:
        tab.click("#classes label:nth-child(8)")
        chosen = tab.changed(chosen, "another class")
    kept = f"seed={tab.value('#seed')}{'&class=7' if chips else ''}"
    tab.wait("the address", lambda: tab.run("location.hash").endswith(kept))
    assert not tab.alert()
    tab.open(f"#model={directory.name}&{kept}")
    tab.becomes(chosen, "the address gives the same picture")
    assert tab.complaints() == [] and tab.hosts() == {"127.0.0.1"}


@pytest.mark.slow
@pytest.mark.parametrize("directory", RECONSTRUCTORS, ids=lambda path: path.name)
def test_page_of_a_model_that_reconstructs(tab, directory):
    """Its samples by seed and class, and what it makes of a picture."""
    import tensorflow as tf

    signatures, zero = signatures_of(directory), tf.constant([0], tf.int64)
    given = {"seeds": zero} | ({"labels": zero} if card_of(directory)["num_classes"] else {})
    sample = with_colours(signatures["sample"](**given)["images"].numpy())[0]
    tab.open(f"#model={directory.name}")
    tab.becomes(sample, "seed 0 is Python's", levels=4)
    assert sample.std() > 5, "the picture is nearly empty"
    tab.wait("the time", lambda: tab.text("#milliseconds") != "–")
    assert 0 < float(tab.text("#milliseconds")) < 10_000

    tab.click("#controls fieldset:first-child label:nth-child(2)")
    source = "#easel figure:first-child canvas"
    two = "document.querySelectorAll('#easel canvas').length === 2"
    tab.wait("two pictures", lambda: tab.run(two) and tab.pixels(source).std() > 5)
    images = tf.constant(tab.pixels(source)[None, ..., :1], tf.uint8)
    made = with_colours(signatures["reconstruct"](images=images)["images"].numpy())[0]
    tab.becomes(made, "the reconstruction is Python's", levels=4)
    assert np.abs(made - tab.pixels(source)).mean() < 40  # the levels of black and white: 0, 255
    tab.wait("the time of both", lambda: tab.text("#milliseconds") != "–")
    assert not tab.alert() and tab.complaints() == [] and tab.hosts() == {"127.0.0.1"}
    tab.screenshot(directory.name)


@pytest.mark.slow
@pytest.mark.parametrize("directory", TRANSLATORS, ids=lambda path: path.name)
def test_page_of_a_translator(tab, directory, tmp_path):
    import tensorflow as tf

    signatures = signatures_of(directory)
    source = "#easel figure:first-child canvas"

    def check(direction, what):
        """The picture is what the SavedModel makes of the input beside it."""
        images = tf.constant(tab.pixels(source)[None], tf.uint8)
        made = with_colours(signatures[direction](images=images)["images"].numpy())[0]
        # Weights of float16; blended inputs are not rounded to levels on the page.
        tab.becomes(made, what, levels=6)

    tab.open(f"#model={directory.name}")
    there = tab.pixels()
    assert there.std() > 5
    tab.wait("the time", lambda: tab.text("#milliseconds") != "–")
    assert 0 < float(tab.text("#milliseconds")) < 10_000
    with Image.open(directory / "inputs" / "a_0.png") as picture:
        np.testing.assert_array_equal(tab.pixels(source), np.asarray(picture.convert("RGB")))
    check("a_to_b", "picture 1")

    tab.click("#inputs-a label:nth-child(3)")
    third = tab.changed(there, "another input")
    check("a_to_b", "picture 3")
    tab.slide("#t", "ArrowRight", 60)
    blended = tab.changed(third, "the blend")
    tab.click("#inputs-b label:nth-child(5)")
    tab.changed(blended, "another B")
    check("a_to_b", "a blend")
    tab.slide("#t", "Home")
    tab.becomes(third, "A alone")
    for light in ("brightness", "contrast"):
        tab.slide(f"#{light}", "ArrowRight", 30)
        tab.changed(third, light)
        tab.click("#reset-light")
        tab.becomes(third, "the light as it was")
    tab.press("p")
    tab.changed(tab.changed(third, "Play"), "more of Play")
    tab.press("p")

    before = tab.pixels()
    tab.click("#directions label:nth-child(2)")
    tab.changed(before, "the other direction")
    tab.wait("the direction in the address", lambda: "b_to_a" in tab.run("location.hash"))
    tab.slide("#t", "Home")
    with Image.open(directory / "inputs" / "b_2.png") as picture:
        wanted = np.asarray(picture.convert("RGB")).astype(int)
    tab.wait("its input", lambda: np.array_equal(tab.pixels(source), wanted))
    check("b_to_a", "the other direction")

    before = tab.pixels()
    give_halves(tab, tmp_path / "own.png")
    tab.changed(before, "a file of the user's")
    shown = tab.pixels(source)
    assert np.abs(shown[:, :28] - [255, 0, 0]).max() <= 2
    assert np.abs(shown[:, -28:] - [0, 0, 255]).max() <= 2
    check("b_to_a", "the user's picture")
    tab.run("document.activeElement.blur()")
    tab.press("r")
    tab.wait("a roll", lambda: not np.array_equal(tab.pixels(source), shown))
    assert not tab.alert() and tab.complaints() == [] and tab.hosts() == {"127.0.0.1"}


def give_halves(tab, path):
    """Has the page take a file: red beside blue, wider than high, so that sides are cut off."""
    colours = np.repeat([[255, 0, 0], [0, 0, 255]], 300, axis=0).astype("uint8")
    Image.fromarray(np.broadcast_to(colours, (200, 600, 3))).save(path)
    node = tab.send("DOM.getDocument")["root"]["nodeId"]
    found = tab.send("DOM.querySelector", nodeId=node, selector="#file")["nodeId"]
    tab.send("DOM.setFileInputFiles", nodeId=found, files=[str(path)])


SOURCE = "#easel figure:first-child canvas"


@pytest.mark.slow
def test_page_of_a_translator_one_way(ask, tmp_path):
    """Edges in grey to pictures in colour: what is chosen, blended, given and drawn."""
    tab, model = ask("pix2pix")

    def check(what):
        given = tab.pixels(SOURCE)[None, ..., :1].astype("uint8")
        tab.becomes(with_colours(model.translate(given))[0], what, levels=4)
        return given[0, ..., 0]

    # The first row of the grid, which shows what is given, what is made and what is wanted.
    edges = one_way_pictures()[0]
    np.testing.assert_array_equal(tab.pixels(SOURCE), with_colours(edges)[0])
    check("picture 1")
    assert tab.pixels().shape == (28, 28, 3) and np.ptp(tab.pixels(), axis=-1).max() > 5
    captions = tab.run("[...document.querySelectorAll('figcaption')].map(c => c.innerText)")
    assert captions == ["Fashion-MNIST edges", "Fashion-MNIST"]
    assert not tab.run("!!document.querySelector('#directions').offsetHeight"), "a direction"
    assert tab.text("#python") == 'keras_gans.load("pix2pix").translate(pictures)'
    assert "pictures of 28 × 28 × 1 to 28 × 28 × 3" in tab.text("#facts")
    tab.wait("the time", lambda: tab.text("#milliseconds") != "–")
    assert 0 < float(tab.text("#milliseconds")) < 10_000
    tab.wait("the sheet", lambda: tab.run(SHEET_IS_DRAWN))
    last = ".sheet button:last-child canvas:last-child"
    error = np.abs(tab.pixels(last) - with_colours(model.translate(edges[-1:]))[0]).max()
    assert error <= 4
    check_names(tab)
    tab.screenshot("one_way")

    before = tab.pixels()
    tab.click("#inputs-a label:nth-child(3)")
    third = tab.changed(before, "another input")
    np.testing.assert_array_equal(check("picture 3"), edges[2, ..., 0])
    tab.slide("#t", "ArrowRight", 60)
    tab.changed(third, "the blend")
    tab.slide("#t", "Home")
    tab.becomes(third, "A alone")
    tab.wait("the address", lambda: tab.run("location.hash") == "#model=pix2pix&input=2")

    # A dot, a line, and nothing but the pen's colour: white, as the inputs are dark.
    tab.click(SOURCE, 0.25, 0.5)
    tab.changed(third, "a dot")
    shown = check("a dot")
    changed = np.argwhere(shown != edges[2, ..., 0])
    assert len(changed) and np.abs(changed + 0.5 - [14, 7]).max() <= 1.5
    tab.run("const pen = document.querySelector('#pen'); pen.value = 3;")
    tab.drag(SOURCE, (0.2, 0.9), (0.8, 0.9))
    tab.wait("a line", lambda: (tab.pixels(SOURCE)[24:26, 6:22] == 255).all())
    check("a line")
    tab.screenshot("one_way_drawn")
    tab.run("document.querySelector('#ink').value = '#808080'")
    tab.click("#fill")
    tab.wait("one colour", lambda: (tab.pixels(SOURCE) == 128).all())
    check("one colour")
    tab.click("#inputs-a label:nth-child(3)")
    tab.becomes(third, "the input as it was")

    give_halves(tab, tmp_path / "own.png")
    tab.changed(third, "a file of the user's")
    shown = tab.pixels(SOURCE)  # in grey
    assert np.abs(shown[:, :12] - 76).max() <= 1 and np.abs(shown[:, -12:] - 29).max() <= 1
    check("the user's picture")
    tab.run("document.activeElement.blur()")
    tab.press("r")
    tab.wait("a roll", lambda: not np.array_equal(tab.pixels(SOURCE), shown))
    tab.open("#model=pix2pix&input=2")
    tab.becomes(third, "the address gives the same picture")
    assert not tab.alert()


@pytest.mark.slow
def test_page_of_a_model_that_enlarges(ask, tmp_path):
    """Of pictures of any size: the page says that its file has one, and uses that."""
    tab, model = ask("enlarger")
    assert [tab.pixels(one).shape[:2] for one in (SOURCE, Tab.picture)] == [(12, 18), (48, 72)]

    def check(what):
        given = tab.pixels(SOURCE)[None].astype("uint8")
        tab.becomes(model.translate(given)[0].astype(int), what, levels=4)

    check("picture 1")
    note = tab.text("#file-note")
    assert "any size" in note and "cropped and resized to 18 × 12 pixels" in note
    assert "pictures of any × any × 3 to any × any × 3" in tab.text("#facts")
    assert tab.run("[...document.querySelectorAll('figcaption')].map(c => c.innerText)") == [
        "Input",
        "Output",
    ]
    widths = "[...document.querySelectorAll('#easel canvas')].map(c => c.clientWidth)"
    small, large = tab.run(widths)
    assert small == large and large % 72 == 0, "both are seen at one size"
    give_halves(tab, tmp_path / "own.png")
    tab.wait("a file", lambda: np.abs(tab.pixels(SOURCE)[:, :8] - [255, 0, 0]).max() <= 2)
    check("the user's picture")
    tab.wait("the sheet", lambda: tab.run(SHEET_IS_DRAWN))
    tab.screenshot("enlarger")
    tab.browser.send("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    tab.click("#download")
    path = tmp_path / "enlarger-translate-own.png"
    tab.wait("the file", path.is_file)
    with Image.open(io.BytesIO(path.read_bytes())) as picture:
        saved = np.asarray(picture.convert("RGB"))
    sides = [tab.pixels(one).repeat(n, 0).repeat(n, 1) for one, n in ((SOURCE, 28), (None, 7))]
    np.testing.assert_array_equal(saved, np.concatenate(sides, axis=1))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["pix2pix", "enlarger"])
def test_page_of_a_translator_one_way_on_a_phone(browser, small_site, name):
    tab = Tab(browser, small_site[0], 390, 844)
    tab.open(f"#model={name}&input=1")
    assert tab.run("document.documentElement.scrollWidth") <= 390
    tab.wait("the sheet", lambda: tab.run(SHEET_IS_DRAWN))
    tab.screenshot(f"{name}_on_a_phone")
    assert tab.complaints() == [] and not tab.alert()
    tab.close()


@pytest.mark.slow
def test_a_file_of_no_one_size(browser, small_site, tmp_path):
    """What runs on the page can't be given a size: it says so in words."""
    import tensorflow as tf

    root = small_site[-1]
    shutil.copytree(root / "page", tmp_path / "page")
    shape = tf.TensorSpec((1, None, None, 3), tf.float32, name="images")
    double = tf.function(lambda images: {"images": 2 * images}, input_signature=[shape])
    converter = tf.lite.TFLiteConverter.from_concrete_functions([double.get_concrete_function()])
    path = tmp_path / "page" / "models" / "enlarger" / "model.tflite"
    path.write_bytes(converter.convert())
    with serving(tmp_path / "page") as address:
        tab = Tab(browser, address)
        tab.open("#model=enlarger")
        assert "is of no one size, and LiteRT.js can't give it one." in tab.alert()
        tab.close()


@pytest.mark.slow
def test_list_goes_from_model_to_model(tab):
    tab.open()
    names = tab.run("[...document.querySelectorAll('#models a')].map(a => a.dataset.model)")
    assert sorted(names) == [path.name for path in MODELS]
    assert "CGAN" in tab.text("#name")  # the one with classes
    current = "document.querySelector('#models [aria-current=true]').dataset.model"
    done = f"document.querySelector('#easel').ariaBusy === 'false' && {current}"
    for name in (names[-1], names[0]):
        tab.click(f"#models a[data-model={name}]")
        tab.wait(name, lambda name=name: tab.run(done) == name)
    tab.run("history.back()")
    tab.wait("the model before", lambda: tab.run(done) == names[-1])
    loaded = tab.run("[...document.images].every(image => image.complete && image.naturalWidth)")
    assert loaded and tab.complaints() == []
    blocked = tab.run(
        "new Promise((resolve) => {"
        "  addEventListener('securitypolicyviolation', (event) => resolve(event.blockedURI));"
        "  fetch('http://elsewhere.invalid/picture').catch(() => {}); })"
    )
    assert blocked == "http://elsewhere.invalid/picture"


@pytest.mark.slow
def test_picture_is_saved_crisp(tab, tmp_path):
    tab.browser.send("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    tab.open("#model=cgan_fashion_mnist&seed=3&class=7")
    tab.click("#download")
    path = tmp_path / "cgan_fashion_mnist-seed-3-class-7.png"
    tab.wait("the file", path.is_file)
    with Image.open(io.BytesIO(path.read_bytes())) as picture:
        saved = np.asarray(picture.convert("RGB"))
    assert saved.shape == (504, 504, 3)
    np.testing.assert_array_equal(saved, tab.pixels().repeat(18, axis=0).repeat(18, axis=1))
    assert tab.complaints() == []


@pytest.mark.slow
def test_controls_have_names(tab):
    """Screen readers have a name for each thing that can be used, and for the picture."""
    for directory in (SAMPLERS[0], TRANSLATORS[0]):
        tab.open(f"#model={directory.name}")
        check_names(tab)


def check_names(tab):
    tree = tab.send("Accessibility.getFullAXTree")["nodes"]
    used = ("button", "slider", "radio", "textbox", "combobox", "link", "image")
    nodes = [n for n in tree if not n["ignored"] and n["role"]["value"] in used]
    unnamed = [n for n in nodes if not n.get("name", {}).get("value")]
    assert len(nodes) > 15 and not unnamed


LOOKS = {
    "light": ("#model=cgan_fashion_mnist&seed=3&class=7", 1360, "light"),
    "dark": ("#model=progan_noto_emoji&seed=1", 1360, "dark"),
    "translator": ("#model=cyclegan_noto_openmoji&input=3", 1360, "light"),
    "pair": ("#model=cogan_fashion_mnist_edges&seed=4", 1360, "light"),
    "pair_on_a_phone": ("#model=cogan_fashion_mnist_edges&seed=4", 390, "light"),
    "tablet": ("#model=vae_noto_skin_tones&seed=2", 900, "dark"),
    "phone": ("#model=cgan_fashion_mnist&seed=5&class=9", 390, "light"),
    "phone_dark": ("#model=cyclegan_relief_satellite&input=1", 390, "dark"),
    "small_phone": ("#model=lapgan_fashion_mnist", 320, "light"),
}


@pytest.mark.slow
@pytest.mark.parametrize("look", LOOKS)
def test_page_fits_the_screen(browser, site, look):
    hash_, width, scheme = LOOKS[look]
    tab = Tab(browser, site, width, 844, scheme)
    tab.open(hash_)
    assert tab.run("document.documentElement.scrollWidth") <= width
    # Each pixel of the picture covers the same whole number of the screen's.
    covered = tab.run(
        "[...document.querySelectorAll('#easel canvas')].map(c => c.getBoundingClientRect().width"
        " * devicePixelRatio / c.width)"
    )
    assert all(n >= 3 and abs(n - round(n)) < 0.01 for n in covered)
    background = tab.run("getComputedStyle(document.documentElement).backgroundColor")
    red = int(background.split("(")[1].split(",")[0])
    assert (red < 60) == (scheme == "dark")
    tab.wait("the sheet", lambda: tab.run(SHEET_IS_DRAWN))
    tab.screenshot(look)
    assert tab.complaints() == []
    tab.close()


@pytest.mark.slow
def test_errors_are_seen(browser, tmp_path):
    needed("npm")
    write_model(tmp_path / "models" / "broken")
    good = tmp_path / "models" / "cgan_fashion_mnist"
    shutil.copytree(ROOT / "savedmodels" / good.name, good, ignore=shutil.ignore_patterns("1"))
    shutil.copytree(ROOT / "savedmodels" / good.name / "1", good / "1")
    out = tmp_path / "page"
    web_build.build(tmp_path / "models", out)
    with serving(out) as address:
        tab = Tab(browser, address)
        tab.open("#model=broken")
        assert "no model that LiteRT can run" in tab.alert()
        assert "could not be loaded" in tab.text("#easel")
        tab.screenshot("error")
        tab.click(f"#models a[data-model={good.name}]")
        done = "document.querySelector('#easel').getAttribute('aria-busy') === 'false'"
        tab.wait("a model after one that is broken", lambda: tab.run(done))
        assert not tab.alert()

        before = tab.pixels()
        tab.type("#seed", "-3")
        assert "whole number from 0 to 2^63 - 1, not “-3”" in tab.alert()
        assert tab.run("seed.getAttribute('aria-invalid')") == "true"
        np.testing.assert_array_equal(tab.pixels(), before)
        tab.type("#seed", "3")
        tab.changed(before, "a good seed")
        assert not tab.alert() and tab.run("seed.getAttribute('aria-invalid')") is None

        tab.open("#model=nobody")
        assert "no model “nobody”" in tab.alert()
        tab.open(f"#model={good.name}&seed=x")
        tab.wait("seed 0 instead", lambda: tab.value("#seed") == "0")
        assert "not “x”" in tab.alert()
        assert not tab.events("Runtime.exceptionThrown")

        for name, message in (
            ("models/cgan_fashion_mnist/model.tflite", "the server answered 404"),
            ("litert/litert_wasm_compat_internal.wasm", "WASM runtime could not be loaded"),
            ("models.json", "`make web` builds the page"),
        ):
            (out / name).unlink()
            tab.open(f"#model={good.name}")
            assert message in tab.alert()
        tab.close()


# Models of any kinds, small and not trained


def small_models():
    """`{name: model}`, of which each takes or makes what the models above do not."""
    import test_kinds_end_to_end as end_to_end
    from cases import BY_NAME

    from keras_gans import GAN, Pix2Pix
    from keras_gans.networks import build_mlp_discriminator, build_mlp_generator

    def gan(*shape):
        generator = build_mlp_generator(shape, 4, (8,), seed=1)
        for weight in generator.weights:
            weight.assign(8 * weight)  # so that there is something to see
        return GAN(generator, build_mlp_discriminator(shape, (8,)), seed=0)

    edges = Pix2Pix.from_paper((28, 28, 1), other_shape=(28, 28, 3), width=8, seed=1)
    *_, kernel, _ = edges.generator.trainable_weights
    kernel.assign(20 * kernel)  # so that there is something to see
    return {
        "pix2pix": edges,
        "enlarger": enlarger(),
        "inpainter": end_to_end.inpainter(),
        "text": end_to_end.from_text(),
        "vae": BY_NAME["VAE"].build(),
        "infogan": BY_NAME["InfoGAN"].build(),
        "videos": gan(5, 16, 16, 3),
        "curves": gan(24, 3),
        "notes": gan(24, 16),
        "points": gan(2),
    }


@functools.cache
def one_way_pictures():
    """What Pix2Pix is given and what belongs to it: uint8 (8, 28, 28, 1) and (8, 28, 28, 3)."""
    from keras_gans import datasets
    from keras_gans.images import to_uint8

    names = ("fashion_mnist_10k_edges", "fashion_mnist_10k")
    sets = (datasets.load(name, "train[:8]", batch_size=8, shuffle=False) for name in names)
    edges, pictures = (to_uint8(next(iter(each))) for each in sets)
    return edges, pictures.repeat(3, axis=-1)


def enlarger():
    """A model of pictures of any size, that enlarges each pixel to 4 x 4 others."""
    import keras

    from keras_gans.families.translation import Translator

    class Enlarger(Translator):
        players = {"generator": ("generator",)}

        @property
        def sampler(self):
            return self.generator

        def data_spec(self):
            return (kinds.Pictures("pictures", tuple(self.generator.input_shape[1:])),)

        def default_optimizers(self):
            return {"generator": keras.optimizers.Adam(1e-3)}

        def train_step(self, data):
            raise NotImplementedError("it stays as it is")

        def translate(self, pictures):
            return self.ask("translate", pictures)

    inputs = keras.Input((None, None, 3))
    layer = keras.layers.Conv2DTranspose(3, 4, strides=4, activation="tanh")
    network = keras.Model(inputs, layer(inputs))
    shade = np.linspace(0.4, 1.6, 16).reshape(4, 4, 1, 1)
    layer.kernel.assign(shade * np.eye(3))
    return Enlarger(generator=network, seed=0)


SIZES = {"enlarger": (12, 18)}  # of the files of what is of any size


@pytest.fixture(scope="module")
def small_site(tmp_path_factory):
    """The page with them: its address, `{name: model}`, and the directory that it is in."""
    from keras_gans import export
    from keras_gans.images import save_png

    needed("npm")
    root, models = tmp_path_factory.mktemp("small"), small_models()
    for name, model in models.items():
        directory, ports = root / "models" / name, model.ports()
        facts = {"pix2pix": {"dataset": "A: fashion_mnist_10k_edges, B: fashion_mnist_10k"}}
        told = {"facts": facts.get(name), "allow_untrained": True, "verbose": False}
        export.savedmodel(model, directory, **told)
        for i, port in enumerate(ports):
            file = directory / ("model.tflite" if i == 0 else f"model_{port}.tflite")
            export.tflite(
                model,
                file,
                direction=port,
                allow_untrained=True,
                verbose=False,
                size=SIZES.get(name),
            )
        if name == "pix2pix":
            shown = model.translation_grid(*one_way_pictures())
            save_png(directory / "grid.png", kinds.render(shown, columns=8))
            continue
        first = next(iter(ports.values()))
        made = first.output.examples(4, seed=1)
        save_png(directory / "grid.png", kinds.render(made, columns=2))
        for kind in first.inputs:
            if kind.control == "picture":
                for i, picture in enumerate(kind.examples(3, seed=2)):
                    save_png(directory / "inputs" / f"{kind.name}_{i}.png", picture)
    web_build.build(root / "models", root / "page")
    with serving(root / "page") as address:
        yield address, models, root


@pytest.fixture
def ask(browser, small_site):
    """A function that opens a small model's page: the tab, and the model."""
    address, models, _ = small_site
    tab = Tab(browser, address)

    def opened(name, more=""):
        tab.open(f"#model={name}{more}")
        assert not tab.alert(), tab.alert()
        return tab, models[name]

    yield opened
    assert tab.complaints() == [] and tab.hosts() == {"127.0.0.1"}
    tab.close()


@pytest.mark.slow
def test_page_of_a_model_with_masks(ask):
    """What is rubbed out is made anew: as Python does it, with the mask that the page shows."""
    tab, model = ask("inpainter")
    (pictures, masks) = model.data_spec()
    images = pictures.examples(3, seed=2)
    nothing = np.zeros((1, *masks.shape), "uint8")
    tab.becomes(
        with_colours(model.ask("inpaint", images[:1], nothing))[0], "nothing is rubbed out", 4
    )
    start = tab.pixels()
    tab.click(".brush", 0.25, 0.5)
    tab.changed(start, "the brush")
    # A disc of 2 pixels around the middle of the 16 x 16 pixels' left half.
    down, across = np.mgrid[:16, :16] + 0.5
    disc = ((across - 4) ** 2 + (down - 8) ** 2 <= 4)[None, ..., None]
    made = model.ask("inpaint", images[:1], (255 * disc).astype("uint8"))
    tab.becomes(with_colours(made)[0], "a disc is rubbed out", 4)
    check_names(tab)
    tab.screenshot("masks")
    tab.click("#controls fieldset:first-child label:nth-child(2)")
    made = model.ask("inpaint", images[1:2], (255 * disc).astype("uint8"))
    tab.becomes(with_colours(made)[0], "another picture, the same mask", 4)
    tab.click("[aria-label='Rub out nothing']")
    tab.becomes(with_colours(model.ask("inpaint", images[1:2], nothing))[0], "nothing again", 4)


@pytest.mark.slow
def test_page_of_a_model_with_text(ask):
    tab, model = ask("text")

    def made(seed, *ids):
        return with_colours(model.generate(1, seed=seed, captions=np.array(ids, "int32")))[0]

    tab.becomes(made(0, 1, 2, 3, 4), "the first words", 4)
    tab.type("input[name=captions]", "a dark square")
    tab.becomes(made(0, 1, 2, 4, 0), "words", 4)
    tab.type("input[name=latents]", "7")
    tab.becomes(made(7, 1, 2, 4, 0), "a seed", 4)
    check_names(tab)
    tab.screenshot("text")
    tab.wait("the address", lambda: "captions=a+dark+square" in tab.run("location.hash"))
    tab.type("input[name=captions]", "a purple square")
    assert "words such as a, dark, bright, square, or their ids from 0 to 4" in tab.alert()
    tab.open("#model=text&latents=7&captions=1+3")
    tab.becomes(made(7, 1, 3, 0, 0), "the address", 4)


@pytest.mark.slow
def test_page_of_encoders(ask):
    """Each port by its chip; a picture is encoded and decoded; what class it is of."""
    tab, model = ask("vae")
    chips = tab.run("[...document.querySelectorAll('[name=port]')].map(i => i.ariaLabel)")
    assert chips == ["generate", "decode", "encode", "encode → decode"]
    sample = model.sample_kind().examples(4, seed=1)[:1]  # the first one of the grid
    tab.click("#controls label:nth-child(3)")
    numbers = model.ask("encode", sample)[0]
    first = ", ".join(f"{value:.2f}" for value in numbers[:6])
    said = first if len(numbers) <= 6 else f"{len(numbers)} numbers: {first}, …"
    tab.wait("the code", lambda: tab.run("document.querySelector('.said')?.innerText") == said)
    tab.click("#controls label:nth-child(4)")
    decoded = with_colours(model.ask("decode", numbers[None]))[0]
    tab.wait(
        "two pictures", lambda: tab.run("document.querySelectorAll('#easel canvas').length === 2")
    )
    tab.becomes(decoded, "what comes back", 4)
    tab.screenshot("encoders")
    tab, model = ask("infogan", "&port=classify")
    labels = model.ask("classify", model.sample_kind().examples(4, seed=1))
    for i, label in enumerate(labels):
        tab.click(f"#controls .thumbs label:nth-child({i + 1})")
        tab.wait("the class", lambda label=label: tab.text(".said") == f"class {label}")
    lines = "Math.round(document.querySelector('.said').getClientRects()[0].height / 29)"
    assert tab.run(lines) <= 2, "the class has no room"
    tab.screenshot("classes")


@pytest.mark.slow
def test_a_page_without_the_control_of_a_kind(browser, small_site, tmp_path):
    """It says so in words, and shows another model after it."""
    root = small_site[-1]
    shutil.copytree(root / "page", tmp_path / "page")
    manifest = tmp_path / "page" / "models.json"
    content = json.loads(manifest.read_text(encoding="utf-8"))
    (entry,) = (entry for entry in content["models"] if entry["name"] == "text")
    entry["ports"]["generate"]["inputs"][1]["control"] = "piano"
    manifest.write_text(json.dumps(content), encoding="utf-8")
    with serving(tmp_path / "page") as address:
        tab = Tab(browser, address)
        tab.open("#model=text")
        assert "This page knows no “piano”, which “captions” needs." in tab.alert()
        tab.click("#models a[data-model=curves]")
        done = "document.querySelector('#easel').ariaBusy === 'false'"
        tab.wait("another model", lambda: tab.run(done))
        assert not tab.alert()
        tab.close()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["videos", "curves", "notes", "points"])
def test_page_of_what_is_no_picture(ask, name):
    tab, model = ask(name)
    before = tab.pixels()
    assert before.std() > 1
    if name == "videos":
        video, seen = model.generate(1, seed=0)[0].astype(int), set()

        def have_come():
            errors = np.abs(tab.pixels() - video).max((1, 2, 3))
            seen.add(int(errors.argmin()) if errors.min() <= 4 else None)
            return seen >= set(range(len(video)))

        tab.wait("all frames", have_come)
        assert None not in seen
    tab.screenshot(name)
    tab.run("document.activeElement.blur()")
    tab.press("r")
    tab.changed(before, "a roll")
