"""`keras-gans evaluate`, in this process, on networks that learned nothing."""

import dataclasses
import json
import os
import re

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from keras_gans import CGAN, GAN, SSGAN, CoGAN, CycleGAN, InfoGAN, Pix2Pix, datasets, run_settings
from keras_gans.cli import evaluate as command
from keras_gans.cli import inputs
from keras_gans.cli.app import app
from keras_gans.cli.evaluate import print_table, protocol_lines
from keras_gans.export import savedmodel
from keras_gans.files import write_json
from keras_gans.images import save_png
from keras_gans.metrics import Measurement, evaluate, mean_absolute_error
from keras_gans.metrics._progress import progress_bar
from keras_gans.metrics.fashion import FashionClassifier, build_fashion_classifier
from keras_gans.networks import (
    build_mlp_discriminator,
    build_mlp_generator,
    build_patchgan_discriminator,
    build_resnet_generator,
)

SIDE = 16


def invoke(*arguments):
    return CliRunner().invoke(app, ["evaluate", *map(str, arguments)])


def json_of(*arguments):
    result = invoke(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def fails(*arguments):
    """The one line that an expected error writes to stderr, beside what folders hold."""
    result = invoke(*arguments)
    assert result.exit_code == 2, result.output
    lines = result.stderr.strip().splitlines()
    lines = [line for line in lines if not re.search(r" pictures of \d+ files", line)]
    assert len(lines) == 1 and lines[0].startswith("Error: "), result.stderr
    return lines[0]


@pytest.fixture(autouse=True)
def caches(tmp_path_factory, monkeypatch):
    """Where features are kept, in the place of the user's home."""
    home = tmp_path_factory.mktemp("caches")
    monkeypatch.setenv("XDG_CACHE_HOME", str(home))
    return home


def mlps(shape, num_classes=None):
    given = {"num_classes": num_classes} if num_classes else {}
    return (
        build_mlp_generator(shape, 4, hidden=(8,), seed=0, **given),
        build_mlp_discriminator(shape, hidden=(8,), seed=1, **given),
    )


def write_run(gan, run, dataset, **settings):
    """What `keras-gans train` leaves that matters here."""
    run.mkdir(exist_ok=True)
    gan.save(run / "model.keras")
    write_json(run / "settings.json", {"dataset": dataset, **settings})
    facts = {"dataset": dataset} if dataset else {}
    savedmodel(gan, run / "savedmodel", facts=facts, allow_untrained=True, verbose=False)
    return run


@pytest.fixture(scope="module")
def ring(tmp_path_factory):
    return write_run(GAN(*mlps((2,)), seed=0), tmp_path_factory.mktemp("ring"), "ring")


@pytest.fixture(scope="module")
def classes(tmp_path_factory):
    gan = CGAN(*mlps((28, 28, 1), 10), seed=0)
    return write_run(gan, tmp_path_factory.mktemp("classes"), "fashion_mnist_10k", num_examples=7)


def folders(root, num, sides=(SIDE, SIDE), names=("a", "b")):
    """Two folders of pictures, whose names are the same."""
    rng = np.random.default_rng(0)
    for name in names:
        for k in range(num):
            picture = rng.integers(0, 256, (*sides, 3), "uint8")
            save_png(root / name / f"{k:02d}.png", picture)
    return [root / name for name in names]


@pytest.fixture(scope="module")
def translator(tmp_path_factory):
    shape = (SIDE, SIDE, 3)
    generators = [build_resnet_generator(shape, width=4, num_blocks=1, seed=s) for s in (0, 1)]
    discriminators = [
        build_patchgan_discriminator(shape, width=4, num_layers=1, seed=s) for s in (2, 3)
    ]
    gan = CycleGAN(*generators, *discriminators, seed=0)
    return gan, *folders(tmp_path_factory.mktemp("translator"), 6)


@pytest.fixture
def classifier(monkeypatch, tmp_path):
    """The network of Fashion-MNIST, not trained."""
    import keras

    keras.utils.set_random_seed(0)
    build_fashion_classifier().save_weights(tmp_path / "random.weights.h5")
    extractor = FashionClassifier(tmp_path / "random.weights.h5")
    monkeypatch.setattr("keras_gans.cli.inputs.fashion_mnist_classifier", lambda: extractor)
    return extractor


# What it gives


def test_points(ring, tmp_path):
    """The table, the file, and the same from the run, from its SavedModel and from Python."""
    out = tmp_path / "new" / "m.json"
    result = invoke(ring, "--metrics", "modes", "--num", 250, "--seed", 5, "--out", out)
    assert result.exit_code == 0, result.output
    for word in ("modes", "high_quality", "ring", "reals 250", "seed 5, 100 at a time", str(out)):
        assert word in result.stdout
    content = json.loads(out.read_text())
    assert content["model"] == str(ring) and content["dataset"] == "ring"
    assert {"keras_gans", "python", "keras", "tensorflow", "numpy"} <= set(content["versions"])
    assert content["date"].startswith("20") and content["date"].endswith("Z")
    (measured,) = map(Measurement.from_dict, content["measurements"])
    gan = GAN(*mlps((2,)), seed=0)
    (expected,) = evaluate(gan, datasets.load("ring"), "modes", 250, seed=5)
    assert measured.values == pytest.approx(expected.values)
    measured.check_comparable(expected)
    arguments = ("--metrics", "modes", "--num", 250, "--seed", 5, "--dataset", "ring")
    for source in (ring / "model.keras", ring / "savedmodel", ring / "savedmodel" / "1"):
        assert json_of(source, *arguments)["measurements"] == content["measurements"]


def test_features_and_the_cache(classes, classifier, tmp_path):
    """A conditional model is given labels; a second evaluation finds the features of the reals."""
    arguments = ("--num", 30, "--reals", 40, "--batch-size", 20, "--cache", tmp_path / "c")
    first, second = (json_of(classes, *arguments) for _ in range(2))
    assert first["reals_from_cache"] == []
    assert second["reals_from_cache"] == ["fid", "kid", "prdc"]
    assert second["measurements"] == first["measurements"]
    assert [m["metric"] for m in first["measurements"]] == ["fid", "kid", "prdc"]
    expected = evaluate(
        CGAN(*mlps((28, 28, 1), 10), seed=0),
        datasets.load("fashion_mnist_10k", labels=True),
        ["fid", "kid", "prdc"],
        30,
        num_reals=40,
        batch_size=20,
        extractor=classifier,
    )
    assert [m.to_dict() for m in expected] == first["measurements"]
    saved = json_of(classes / "savedmodel", *arguments, "--metrics", "fid")["measurements"][0]
    assert saved["values"] == pytest.approx(expected[0].values, rel=1e-3)
    assert saved["protocol"] == expected[0].protocol
    assert saved["protocol"]["labels"] == "those of the reals, in order"
    output = invoke(classes, *arguments).stdout
    assert "from the cache for fid, kid, prdc" in output
    assert "It was trained on 7 examples; this set has 10,000." in output
    kept = sorted(os.listdir(tmp_path / "c"))
    output = invoke(classes, *arguments[:-2], "--no-cache", "--metrics", "fid").stdout
    assert "cache" not in output and sorted(os.listdir(tmp_path / "c")) == kept


def test_the_cache_is_in_the_home_of_caches(classes, classifier, caches):
    json_of(classes, "--num", 20, "--metrics", "fid")
    assert len(list((caches / "keras_gans" / "metrics").iterdir())) == 1


@pytest.mark.slow
def test_a_preset():
    (by_name,) = json_of("cgan_fashion_mnist", "--metrics", "swd", "--num", 50)["measurements"]
    found = json_of("savedmodels/cgan_fashion_mnist/1", "--metrics", "swd", "--num", 50)
    (saved,) = found["measurements"]
    assert saved["protocol"] == by_name["protocol"]
    assert saved["values"] == pytest.approx(by_name["values"], rel=1e-2)


@pytest.mark.slow
def test_translations(translator, classifier, tmp_path):
    gan, a, b = translator
    run = write_run(gan, tmp_path / "run", None)
    sets = ("--dataset", a, "--dataset-b", b)
    content = json_of(run, *sets, "--metrics", "l1,psnr,kid", "--extractor", "fashion")
    l1, _, kid = content["measurements"]
    pictures = [read(folder) for folder in (a, b)]
    expected = mean_absolute_error(pictures[1], gan.translate(pictures[0]))
    assert l1["values"]["l1"] == pytest.approx(expected, rel=1e-5)
    assert kid["protocol"]["samples"] == "translations of all 6"
    back = json_of(run, *sets, "--metrics", "l1", "--direction", "b_to_a")["measurements"]
    expected = mean_absolute_error(pictures[0], gan.translate(pictures[1], to="a"))
    assert back[0]["values"]["l1"] == pytest.approx(expected, rel=1e-5)
    saved = json_of(run / "savedmodel", *sets, "--metrics", "l1", "--direction", "b_to_a")
    assert saved["measurements"][0]["values"]["l1"] == pytest.approx(expected, rel=1e-3)
    assert "`direction` takes the names" in fails(run, *sets, "--direction", "up")
    assert "at most 6, all reals" in fails(run, *sets, "--metrics", "l1", "--num", 7)


def read(folder):
    rows = next(iter(datasets.load(str(folder), shuffle=False))).numpy()
    return np.uint8(np.rint((rows + 1) * 127.5))


# Errors, before anything is computed


def test_errors_of_options(ring, tmp_path):
    assert "--out must end in '.json'" in fails(ring, "--out", "m.txt")
    assert "--cache must not be given" in fails(ring, "--no-cache", "--cache", tmp_path)
    assert "among modes for ring" in fails(ring)  # fid of points
    assert "which is no metric" in fails(ring, "--metrics", "mods")
    line = fails(ring, "--metrics", "modes", "--num", "50001")
    assert "at most 50,000, all reals of ring. Received: 50,001" in line
    assert "below 2^31" in fails(ring, "--metrics", "modes", "--seed", 2**31)
    assert "--direction is for models" in fails(ring, "--direction", "a_to_b")
    assert "--dataset-b is for models" in fails(ring, "--dataset-b", "grid")
    assert "a set of pictures" in fails(ring, "--dataset", "noto_emoji")
    assert "rnig', which does not exist" in fails(tmp_path / "rnig")
    assert "dcgan_fashion_mnist" in fails("dcgan_fashion_mnits")


def test_errors_of_extractors(classes, tmp_path):
    def extractor(text):
        return fails(classes, "--metrics", "fid", "--num", 20, "--extractor", text)

    rule = "--extractor must be fashion, inception-2015:FILE or keras-inception[:FILE]."
    for text in ("inception", "inception-2015", "inception-2015:", "keras-inception:", "fashion:x"):
        assert f"{rule} Received: '{text}'" in extractor(text)
    for kind in ("inception-2015", "keras-inception"):
        assert "which is no file" in extractor(f"{kind}:{tmp_path / 'none'}")
    line = fails(classes, "--dataset", "noto_skin_tones", "--metrics", "swd", "--num", 20)
    assert "`reals` must have the 10 classes of the model" in line


def test_two_sets(translator, tmp_path):
    gan, a, b = translator
    opened = inputs.of_model(gan, {"dataset": "A: horses"}, None)
    for sets in ((None, None), (str(a), None), ("noto_emoji", None)):
        with pytest.raises(ValueError, match="must be given: A and B"):
            inputs.load_reals(opened, *sets, None, None, None)
    with pytest.raises(ValueError, match="--split must be two names"):
        inputs.load_reals(opened, str(a), str(b), "train", None, None)
    there = inputs.load_reals(opened, str(a), str(b), None, None, None)
    opened = inputs.of_model(gan, {}, "b_to_a")
    back = inputs.load_reals(opened, str(a), str(b), None, None, None)
    assert there[0] == back[0] == [str(a), str(b)]
    assert [d.info.name for d in there[1:]] == [str(b), str(a)]
    assert [d.info.name for d in back[1:]] == [str(a), str(b)]


def test_folders_without_pairs(tmp_path):
    """They are told by the names of their pictures, before anything is measured."""
    a, b = folders(tmp_path, 3, sides=(4, 4))
    inputs.check_pairs(["l1"], [a, b])
    os.rename(b / "02.png", b / "other.png")
    inputs.check_pairs(["fid"], [a, b])
    with pytest.raises(ValueError, match=r"psnr, l1 only for pairs.* '02' has no counterpart"):
        inputs.check_pairs(["fid", "psnr", "l1"], [a, b])


# Pictures that are side by side


@pytest.fixture(scope="module")
def side_by_side(tmp_path_factory):
    """A model of pairs, uint8 pictures (6, 16, 32, 3) that are pairs, and folders with them.

    The folders are `both`, and `left` and `right` with the halves.
    """
    root = tmp_path_factory.mktemp("pairs")
    both = np.random.default_rng(1).integers(0, 256, (6, SIDE, 2 * SIDE, 3), "uint8")
    for name, part in (("both", both), ("left", both[:, :, :SIDE]), ("right", both[:, :, SIDE:])):
        for k, picture in enumerate(part):
            save_png(root / name / f"{k}.png", picture)
    gan = Pix2Pix.from_paper((SIDE, SIDE, 3), width=4, seed=0)
    *_, kernel, _ = gan.generator.trainable_weights
    kernel.assign(20 * kernel)  # so that it makes more than grey
    return gan, both, root


def of_pairs(targets, made):
    """The metrics of pairs in numpy: L1, and the mean over pictures of PSNR."""
    errors = (targets.astype("float64") - made) / 255
    squared = (errors**2).mean(axis=(1, 2, 3))
    return {"l1": np.abs(errors).mean(), "psnr": (-10 * np.log10(squared)).mean()}


SLOW = pytest.param("a_to_b", marks=pytest.mark.slow)


@pytest.mark.parametrize("direction", [SLOW, "b_to_a", None])
def test_pairs_that_are_side_by_side(side_by_side, tmp_path, direction):
    """Of the run's own folder, in the direction of the training or in one that the user says."""
    gan, both, root = side_by_side
    run = write_run(gan, tmp_path / "run", str(root / "both"), direction=direction)
    left, right = both[:, :, :SIDE], both[:, :, SIDE:]
    expected = {
        "a_to_b": of_pairs(right, gan.translate(left)),
        "b_to_a": of_pairs(left, gan.translate(right)),
    }
    assert abs(expected["a_to_b"]["l1"] - expected["b_to_a"]["l1"]) > 1e-4

    def found(*arguments):
        content = json_of(*arguments, "--metrics", "l1,psnr")
        assert content["dataset"] == str(root / "both")
        return {name: m["values"][name] for m in content["measurements"] for name in m["values"]}

    assert found(run) == pytest.approx(expected[direction or "a_to_b"], rel=1e-5)
    for said in expected:
        assert found(run, "--direction", said) == pytest.approx(expected[said], rel=1e-5)
    # A file knows no direction, and other pictures are in the one of the training.
    given = ("--dataset", root / "both")
    assert found(run / "model.keras", *given) == pytest.approx(expected["a_to_b"], rel=1e-5)
    assert found(run, *given) == pytest.approx(expected[direction or "a_to_b"], rel=1e-5)
    saved = found(run / "savedmodel", *given, "--direction", "b_to_a")
    assert saved == pytest.approx(expected["b_to_a"], rel=1e-3)


def test_the_card_of_a_run_has_the_direction():
    card = run_settings.facts_of({"dataset": "both", "direction": "b_to_a"})
    assert card["direction"] == "b_to_a"
    assert "direction" not in run_settings.facts_of({"dataset": "both", "direction": None})


def test_halves_are_measured_as_two_folders_are(side_by_side, classifier, tmp_path):
    """With metrics of features, of pictures and of pairs; also after a training on two sets."""
    gan, _, root = side_by_side
    left, right, both = (root / name for name in ("left", "right", "both"))
    run = write_run(gan, tmp_path / "run", str(left), dataset_b=str(right))
    options = ("--metrics", "fid,swd,ssim,l1", "--extractor", "fashion", "--no-cache")
    two = json_of(run, *options)["measurements"]
    assert [m["metric"] for m in two] == ["fid", "swd", "ssim", "l1"]
    assert json_of(run, *options, "--dataset", both)["measurements"] == two
    back = json_of(run, *options, "--dataset", both, "--direction", "b_to_a")["measurements"]
    swapped = ("--dataset", right, "--dataset-b", left)
    assert json_of(run, *options, *swapped)["measurements"] == back != two


def test_halves_in_the_size_of_the_model(side_by_side, tmp_path):
    """They are resized apart, and become windows where the training had some, alike for both."""
    gan, both, root = side_by_side
    for k in range(2):  # 20 x 24 each, B the negative of A
        part = np.random.default_rng(k).integers(0, 256, (20, 24, 3), "uint8")
        save_png(tmp_path / "both" / f"{k}.png", np.concatenate([part, 255 - part], axis=1))

    def opened(**card):
        return inputs.of_model(gan, {"dataset": str(tmp_path / "both"), **card}, None)

    def rows(dataset):
        (batch,) = dataset.run(first_step=0, stop=2, batch_size=2, shuffle=False)
        return np.rint((batch.numpy() + 1) * 127.5)

    names, reals, sources = inputs.load_reals(opened(), *[None] * 5)
    assert names == [str(tmp_path / "both")]
    assert reals.info.shape == sources.info.shape == (SIDE, SIDE, 3)
    # 20 x 24 cover 16 x 16 as 16 x 19, of which the middle is left.
    np.testing.assert_allclose(rows(reals), 255 - rows(sources), atol=1.1)
    assert abs(rows(sources).mean() - 127.5) < 8 and rows(sources).std() < 60

    windows = {"crop": [SIDE, SIDE], "image_size": [18, 22]}
    _, reals, sources = inputs.load_reals(opened(**windows), *[None] * 5)
    np.testing.assert_allclose(rows(reals), 255 - rows(sources), atol=1.1)
    windows["image_size"] = None
    _, reals, sources = inputs.load_reals(opened(**windows), *[None] * 5)
    a, b = rows(sources), rows(reals)
    np.testing.assert_array_equal(b, 255 - a)
    for k, window in enumerate(a):
        part = np.random.default_rng(k).integers(0, 256, (20, 24, 3), "uint8")
        places = [(y, x) for y in range(5) for x in range(9)]
        assert any((part[y : y + SIDE, x : x + SIDE] == window).all() for y, x in places)

    # Grey to colours: each half has the channels of its own end.
    edges = Pix2Pix.from_paper((SIDE, SIDE, 1), other_shape=(SIDE, SIDE, 3), width=4, seed=0)
    _, reals, sources = inputs.load_reals(
        inputs.of_model(edges, {}, None), str(root / "both"), *[None] * 4
    )
    assert (sources.info.shape, reals.info.shape) == ((SIDE, SIDE, 1), (SIDE, SIDE, 3))
    (grey,) = sources.run(first_step=0, stop=6, batch_size=6, shuffle=False)
    levels = both[:, :, :SIDE] @ np.array([0.299, 0.587, 0.114])
    np.testing.assert_allclose((grey.numpy()[..., 0] + 1) * 127.5, levels, atol=1.1)


def test_errors_of_pairs_side_by_side(side_by_side, translator, tmp_path):
    gan, _, root = side_by_side
    run = write_run(gan, tmp_path / "run", None)
    for k in range(2):
        save_png(tmp_path / "odd" / f"{k}.png", np.zeros((SIDE, 31, 3), "uint8"))
    l1 = ("--metrics", "l1")
    line = fails(run, *l1, "--dataset", tmp_path / "odd")
    assert "an even width, A beside B" in line and "16x31" in line
    line = fails(run, *l1)
    assert "must be given: A and B of what it translates, or as --dataset a folder" in line
    line = fails(run, *l1, "--dataset", "noto_emoji")
    assert "side by side. Received: 'noto_emoji' and None" in line
    assert "does not exist" in fails(run, *l1, "--dataset", tmp_path / "gone")
    two = ("--dataset", root / "left", "--dataset-b", root / "right")
    line = fails(run, *l1, *two, "--direction", "b_to_a")
    assert "--direction is for pairs that are side by side" in line
    line = fails(run, *l1, "--dataset", root / "both", "--direction", "up")
    assert "`direction` takes the names ['a_to_b', 'b_to_a', 'translate']" in line
    line = fails(run, *l1, "--dataset", root / "both", "--image-size", 8)
    assert "--image-size must be the model's, 16 x 16" in line
    # A model of two sets without pairs has no use for them.
    opened = inputs.of_model(translator[0], {}, None)
    with pytest.raises(ValueError, match=r"of what it translates\. Received: '.*both' and None"):
        inputs.load_reals(opened, str(root / "both"), *[None] * 4)


def test_the_set_of_one_of_two_ports(tmp_path):
    """A set is named for the port that is asked, or nothing is measured."""
    gan = CoGAN.from_paper((8, 8, 1), width=2, latent_dim=4, seed=0)
    sets = {"dataset": "mnist_5k", "dataset_b": "mnist_5k_negatives"}
    gan.save(tmp_path / "model.keras")
    write_json(tmp_path / "settings.json", sets)
    for direction, wrong, right in (
        ("b", "--dataset", "--dataset-b"),
        ("a", "--dataset-b", "--dataset"),
    ):
        asked = (tmp_path, "--metrics", "swd", "--num", 10, "--direction", direction)
        line = fails(*asked, wrong, "mnist_5k_edges")
        assert f"{right} names what '{direction}' is measured against" in line
        assert f"--direction {direction} and {wrong} 'mnist_5k_edges' alone" in line
        assert json_of(*asked, right, "mnist_5k_edges")["dataset"] == "mnist_5k_edges"
        own = json_of(*asked, right, "mnist_5k_edges", wrong, "mnist_5k")
        assert own["dataset"] == "mnist_5k_edges"
    # One set of two has both, whatever the training had; one set is A's where both are measured.
    opened = inputs.of_model(gan, sets, "b")
    pair = "cycle_gan/horse2zebra"
    inputs.check_sets_of_port(opened, "b", pair, None)
    assert inputs.set_of_port(opened, (pair, None), None) == (pair, "trainB")
    inputs.check_sets_of_port(opened, None, "mnist_5k_edges", None)


def test_no_default_extractor():
    with pytest.raises(ValueError, match=r"--extractor must be given, .* only Fashion-MNIST"):
        inputs.open_extractor(None, "noto_emoji")


def test_help_has_an_example():
    output = invoke("--help").stdout
    assert "keras-gans evaluate" in output and "--extractor" in output


def test_protocol_lines():
    """What is alike stands once, what is not by metric."""

    def measured(metric, **protocol):
        return Measurement(metric, {metric: 1.0}, {"reals_hash": "f", **protocol}, True)

    of = [
        measured("fid", extractor="e", reals=9, size="8 x 8"),
        measured("kid", extractor="e", seed=0, reals=9, size="8 x 8"),
        measured("swd", seed=1, reals=9, size="8 x 8"),
        Measurement("ppl", {"ppl": 2.0}, {"reals": 0, "reals_hash": None, "size": "8 x 8"}, True),
    ]
    assert list(protocol_lines(of)) == [
        "Protocol: reals hash f, extractor e, reals 9, size 8 x 8",
        "  kid: seed 0",
        "  swd: seed 1",
    ]
    assert list(protocol_lines(of[:1])) == [
        "Protocol: reals hash f, extractor e, reals 9, size 8 x 8"
    ]


def test_no_bar_with_json(ring, monkeypatch):
    """Nothing but the JSON is on stdout, and nothing on stderr."""
    shown, bar = [], progress_bar
    monkeypatch.setattr(command, "progress_bar", lambda show: shown.append(show) or bar(show))
    result = invoke(ring, "--metrics", "modes", "--num", 20, "--json")
    assert result.stdout.startswith("{") and result.stdout.endswith("}\n") and not result.stderr
    invoke(ring, "--metrics", "modes", "--num", 20)
    assert shown == [False, True]


def test_categories_of_an_exported_model_are_labels_if_it_was_trained_on_some(tmp_path):
    """InfoGAN finds its categories by itself: they are not the classes of the data."""
    for model_class, num_classes, labelled in ((InfoGAN, None, False), (CGAN, 3, True)):
        path = tmp_path / model_class.__name__
        gan = model_class.from_paper((2,), num_classes=num_classes, seed=0)
        savedmodel(gan, path, allow_untrained=True)
        assert inputs.open_model(str(path)).labelled == labelled


def test_the_accuracy_of_a_model_that_learns_classes(tmp_path):
    """Of a file and of its SavedModel, beside other metrics or alone; only of such models."""
    gan = SSGAN.from_paper((2,), num_classes=8, seed=0)
    gan.save(tmp_path / "gan.keras")
    savedmodel(gan, tmp_path / "saved", allow_untrained=True)
    part = datasets.load("ring", "train[:500]", labels=True)
    expected = gan.evaluate(part, return_dict=True)["accuracy"]
    for source, names in (("gan.keras", "modes,accuracy"), ("saved", "accuracy")):
        options = ("--split", "train[:500]", "--dataset", "ring", "--num", 20, "--json")
        result = invoke(tmp_path / source, "--metrics", names, *options)
        assert result.exit_code == 0, result.output
        found, *others = json.loads(result.stdout)["measurements"]
        assert found["values"] == pytest.approx({"accuracy": expected, "error": 1 - expected})
        assert (found["protocol"], len(others)) == (
            {"reals": 500, "split": "train[:500]"},
            names.count(","),
        )
    for other in (InfoGAN.from_paper((2,), seed=0), GAN(*mlps((2,)), seed=0)):
        with pytest.raises(ValueError, match="accuracy only for models that learn the classes"):
            command.accuracy(inputs.of_model(other, {}, None), "ring", "train", None, {})


def test_cautions_stand_below_the_protocol(capsys):
    few = Measurement("fid", {"fid": 1.0}, {"reals": 15, "reals_hash": "f"}, True, "Of few.")
    print_table("a on b", [few, dataclasses.replace(few, caution="")])
    assert capsys.readouterr().out.splitlines()[-1] == "Caution: Of few."


def test_reals_have_the_range_of_the_run(tmp_path):
    Image.fromarray(np.full((8, 8), 4095, np.uint16)).save(tmp_path / "a.png")
    card = {"dataset": str(tmp_path), "value_range": [0.0, 4095.0]}
    opened = inputs.Opened(None, card, (8, 8, 1))
    _, reals, _ = inputs.load_reals(opened, None, None, None, None, None)
    assert next(iter(reals)).numpy().min() == 1
    given = (str(tmp_path), None, None, None, None, [0.0, 2 * 4095.0])
    _, reals, _ = inputs.load_reals(opened, *given)
    assert next(iter(reals)).numpy() == pytest.approx(0, abs=0.01)
    # Another folder has it too; a set that is no folder has none.
    opened.card["dataset"] = "somewhere/else"
    _, reals, _ = inputs.load_reals(opened, str(tmp_path), None, None, None, None)
    assert next(iter(reals)).numpy().min() == 1
    _, reals, _ = inputs.load_reals(opened, "noto_skin_tones", None, None, None, None)
    assert reals.info.name == "noto_skin_tones"


def test_a_run_that_left_out_files_is_evaluated_without_them(tmp_path):
    """From the command on; of other folders it must be asked for."""
    for name in ("data", "other"):
        folders(tmp_path, 5, sides=(8, 8), names=(name,))
        (tmp_path / name / "bad.png").write_text("no picture")
    data, other = (str(tmp_path / name) for name in ("data", "other"))
    gan = GAN(*mlps((8, 8, 3)), seed=0)
    run = write_run(gan, tmp_path / "run", data, on_unreadable="skip", num_examples=5)
    arguments = (run, "--metrics", "swd", "--num", 5)
    for more in ((), ("--dataset", data), ("--dataset", other, "--skip-unreadable")):
        (measured,) = json_of(*arguments, *more)["measurements"]
        assert measured["protocol"]["reals"] == 5
    assert "bad.png" in fails(*arguments, "--dataset", other)
    write_json(run / "settings.json", {"dataset": data})
    assert "bad.png" in fails(*arguments)
    assert json_of(*arguments, "--skip-unreadable")["measurements"] == [measured]


def test_a_runs_set_is_looked_for_where_it_was_found():
    card = {"dataset": "a", "dataset_b": "b", "data_dir": "/sets", "on_unreadable": "skip"}
    nothing = dict.fromkeys(("data_dir", "value_range", "on_unreadable"))
    for name in ("a", "b"):
        own = inputs.as_trained(card, name, nothing)
        assert own == {"data_dir": "/sets", "on_unreadable": "skip"}
        given = inputs.as_trained(card, name, {**nothing, "data_dir": "/here"})
        assert given == {"data_dir": "/here", "on_unreadable": "skip"}
    assert inputs.as_trained(card, "c", nothing) == {"on_unreadable": "error"}
    assert inputs.as_trained({}, "a", nothing) == {"on_unreadable": "error"}


@pytest.mark.parametrize("text", ["4095", "a,b", "0,1,2"])
def test_bad_value_ranges(text):
    result = invoke("runs/none", "--value-range", text)
    assert result.exit_code == 2
    assert (
        f"--value-range must be two numbers, such as 0,4095. Received: '{text}'." in result.stderr
    )
