"""SavedModels: the same pixels as the model, without Keras, for every way to ask."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from small_models import MODELS, SHAPE, Filter, cgan, dcgan, gan_of_points, lively

from keras_gans import GAN, AdversarialModel, export
from keras_gans.export.card import weights_sha256
from keras_gans.export.savedmodel import newest_version
from keras_gans.files import new_directory
from keras_gans.images import to_uint8
from keras_gans.networks import build_mlp_discriminator
from keras_gans.papers import Paper
from keras_gans.runs.sampling import SavedModelSampler, sample
from keras_gans.training import kinds


@pytest.fixture(scope="module")
def models():
    return {name: build(seed=5) for name, build in MODELS.items()}


@pytest.fixture(scope="module")
def exported(models, tmp_path_factory):
    """Paths of the models' SavedModels."""
    root = tmp_path_factory.mktemp("exported")
    return {
        name: export.savedmodel(
            model,
            root / name,
            facts={"name": name, "dataset": "noise", "dataset_license": "CC0"},
            metrics=[{"name": "swd", "value": 12.5, "protocol": "1,000 pictures"}],
            allow_untrained=True,
        )
        for name, model in models.items()
    }


@pytest.fixture(scope="module")
def loaded(exported):
    return {name: tf.saved_model.load(str(path)) for name, path in exported.items()}


def ask(loaded, signature, **inputs):
    answer = loaded.signatures[signature](**{n: tf.constant(v) for n, v in inputs.items()})
    return {name: tensor.numpy() for name, tensor in answer.items()}


def card_of(path):
    """The card, which must be JSON to other readers too: these know no NaN."""
    return json.loads((path / "card.json").read_text(), parse_constant=pytest.fail)


def int64(*values):
    return np.array(values, "int64")


def decoded(files):
    return np.stack([tf.io.decode_png(file).numpy() for file in files])


# The same pixels


WITHOUT_KERAS = """
import sys
for name in ("keras", "keras_gans", "tf_keras"):
    sys.modules[name] = None  # importing it is an ImportError
import numpy as np, tensorflow as tf
root, out = sys.argv[1:]
def load(name):
    return tf.saved_model.load(f"{root}/{name}/1")
seeds, labels = np.arange(10), np.arange(10) % 3
models = {name: load(name) for name in ("dcgan", "cgan", "points", "cyclegan")}
answers = {
    "dcgan": models["dcgan"].signatures["sample"](seeds=tf.constant(seeds)),
    "cgan": models["cgan"].signatures["sample"](
        seeds=tf.constant(seeds), labels=tf.constant(labels)
    ),
    "points": models["points"].signatures["sample"](seeds=tf.constant(seeds)),
    "cyclegan": models["cyclegan"].signatures["b_to_a"](
        images=tf.constant(np.arange(2 * 16 * 24 * 3, dtype="uint8").reshape(2, 16, 24, 3))
    ),
}
arrays = {}
for name, answer in answers.items():
    arrays[name] = answer["points" if name == "points" else "images"].numpy()
    if name != "points":
        files = [tf.io.decode_png(file).numpy() for file in answer["image_bytes"].numpy()]
        arrays[f"{name}_png"] = np.stack(files)
np.savez(out, **arrays)
"""


def test_a_process_without_keras_gets_the_same_pixels(models, exported, tmp_path):
    out = tmp_path / "answers.npz"
    root = exported["dcgan"].parent.parent
    command = [sys.executable, "-c", WITHOUT_KERAS, str(root), str(out)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    answers = np.load(out)
    for name in ("dcgan", "cgan", "points"):
        labels = (lambda i: {"labels": i % 3}) if name == "cgan" else (lambda i: {})
        expected = [models[name].generate(1, seed=i, **labels(i))[0] for i in range(10)]
        # Points are floats, which a batch of another size may round otherwise.
        tolerance = 1e-6 if name == "points" else 0
        np.testing.assert_allclose(answers[name], np.stack(expected), rtol=0, atol=tolerance)
    pictures = np.arange(2 * 16 * 24 * 3, dtype="uint8").reshape(2, 16, 24, 3)
    translated = models["cyclegan"].translate(pictures, to="a")
    np.testing.assert_array_equal(answers["cyclegan"], translated)
    for name in ("dcgan", "cgan", "cyclegan"):
        np.testing.assert_array_equal(answers[f"{name}_png"], answers[name])


@pytest.mark.slow
def test_saved_model_cli(models, exported, tmp_path):
    """TensorFlow's own tool lists the signatures and runs one."""
    cli = (sys.executable, "-m", "tensorflow.python.tools.saved_model_cli")
    common = ("--dir", str(exported["dcgan"]), "--tag_set", "serve", "--signature_def", "sample")
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    np.save(tmp_path / "seeds.npy", int64(4, 9))
    options = ("--inputs", f"seeds={tmp_path / 'seeds.npy'}", "--outdir", str(tmp_path))
    done = subprocess.run(
        [*cli, "run", *common, *options], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr[-2000:]
    pictures = np.load(tmp_path / "images.npy")
    for seed, picture in zip((4, 9), pictures, strict=True):
        np.testing.assert_array_equal(picture, models["dcgan"].generate(1, seed=seed)[0])


def test_all_signatures_agree_with_the_model(models, loaded):
    gan, served = models["dcgan"], loaded["dcgan"]
    many = ask(served, "generate", num_images=np.int64(7), seed=np.int64(3))
    np.testing.assert_array_equal(many["images"], gan.generate(7, seed=3))
    np.testing.assert_array_equal(decoded(many["image_bytes"]), many["images"])
    latents = np.array(gan.generator_inputs(7, 3))
    by_latents = ask(served, "serving_default", latents=latents)["images"]
    np.testing.assert_array_equal(by_latents, many["images"])
    samples = ask(served, "raw", latents=latents)["samples"]
    assert samples.dtype == np.float32
    np.testing.assert_array_equal(to_uint8(samples), many["images"])
    np.testing.assert_allclose(samples, np.array(gan.generator(latents)), atol=1e-6)


def test_labels(models, exported, loaded):
    gan, served = models["cgan"], loaded["cgan"]
    given = {"num_images": np.int64(5), "seed": np.int64(3)}
    for labels, expected in (((0, 1, 2), [0, 1, 2, 0, 1]), ((2,), [2] * 5)):
        images = ask(served, "generate", **given, labels=int64(*labels))["images"]
        np.testing.assert_array_equal(images, gan.generate(5, seed=3, labels=expected))
    # `keras-gans generate` takes the classes in turn too.
    sampler = SavedModelSampler(exported["cgan"])
    np.testing.assert_array_equal(sample(sampler, 5, 3)[1], gan.generate(5, seed=3))
    latents, labels = gan.generator_inputs(5, 3)
    by_latents = ask(
        served, "serving_default", latents=np.array(latents), labels=np.array(labels, "int64")
    )
    np.testing.assert_array_equal(by_latents["images"], gan.generate(5, seed=3))


def test_points(models, loaded):
    answer = ask(loaded["points"], "generate", num_images=np.int64(5), seed=np.int64(3))
    assert list(answer) == ["points"] and answer["points"].dtype == np.float32
    np.testing.assert_array_equal(answer["points"], models["points"].generate(5, seed=3))
    most = ask(loaded["points"], "generate", num_images=np.int64(1024), seed=np.int64(3))
    assert most["points"].shape == (1024, 2)


def test_translators(models, exported, loaded):
    gan, served = models["cyclegan"], loaded["cyclegan"]
    pictures = np.random.default_rng(0).integers(0, 256, (3, *SHAPE)).astype("uint8")
    expected = gan.translate(pictures, to="b")
    for signature in ("serving_default", "a_to_b"):
        answer = ask(served, signature, images=pictures)
        np.testing.assert_array_equal(answer["images"], expected)
        np.testing.assert_array_equal(decoded(answer["image_bytes"]), expected)
    files = np.array([tf.io.encode_png(picture).numpy() for picture in pictures], object)
    np.testing.assert_array_equal(ask(served, "a_to_b_png", image_bytes=files)["images"], expected)
    raw = ask(served, "raw_a_to_b", images=(pictures / 127.5 - 1).astype("float32"))
    assert raw["samples"].shape == (3, *SHAPE)
    both = gan.generator_a_to_b, gan.generator_b_to_a
    parameters = card_of(exported["cyclegan"])["parameters"]
    assert parameters == sum(network.count_params() for network in both)
    np.testing.assert_array_equal(to_uint8(raw["samples"]), expected)


def test_rows_do_not_depend_on_their_batch(loaded):
    """TF Serving joins the requests of several clients."""
    seeds = int64(*range(33), 2**62)
    together = ask(loaded["dcgan"], "sample", seeds=seeds)["images"]
    alone = [ask(loaded["dcgan"], "sample", seeds=seeds[i : i + 1])["images"] for i in range(34)]
    np.testing.assert_array_equal(together, np.concatenate(alone))
    assert len({picture.tobytes() for picture in together}) == 34
    np.testing.assert_array_equal(together, ask(loaded["dcgan"], "sample", seeds=seeds)["images"])


def test_all_levels_come_in_as_they_do_in_training():
    """To the last bit: 1 / 127.5 is no float32, and graphs like to multiply."""
    pictures = np.arange(256, dtype="uint8").reshape(1, 16, 16, 1)
    kind = kinds.Pictures("pictures", (16, 16, 1))
    came_in = tf.function(kind.received)(tf.constant(pictures))
    np.testing.assert_array_equal(came_in, kind.from_border(pictures))


def test_another_runtime_agrees(models, loaded):
    """OpenVINO runs what was exported, with its own kernels."""
    openvino = pytest.importorskip("openvino")
    for name, inputs in (
        ("dcgan", [np.random.default_rng(0).normal(size=(5, 6)).astype("float32")]),
        (
            "cgan",
            [np.random.default_rng(0).normal(size=(5, 6)).astype("float32"), np.arange(5) % 3],
        ),
    ):
        raw = openvino.convert_model(loaded[name].signatures["raw"])
        # By itself it computes in bfloat16 on CPUs that have it.
        compiled = openvino.compile_model(raw, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        named = dict(zip(("latents", "labels"), inputs, strict=False))
        made = next(iter(compiled(named).values()))
        expected = np.array(models[name].generator(inputs if len(inputs) > 1 else inputs[0]))
        assert np.abs(expected).max() > 0.05
        np.testing.assert_allclose(made, expected, rtol=0, atol=1e-5)


def test_the_average_is_exported(tmp_path):
    gan = dcgan(ema_decay=0.9)
    for weight in gan.ema_generator.weights:
        weight.assign(np.array(weight) * 0.5)
    path = export.savedmodel(gan, tmp_path / "a", allow_untrained=True)
    latents = np.array(gan.generator_inputs(4, 0))
    samples = ask(tf.saved_model.load(str(path)), "raw", latents=latents)["samples"]
    np.testing.assert_allclose(samples, np.array(gan.ema_generator(latents)), atol=1e-6)
    assert np.abs(samples - np.array(gan.generator(latents))).max() > 1e-3


def test_a_model_on_two_replicas(two_replicas, tmp_path):
    with two_replicas.scope():
        gan = dcgan()
    path = export.savedmodel(gan, tmp_path / "a", allow_untrained=True)
    made = ask(tf.saved_model.load(str(path)), "sample", seeds=int64(3))["images"]
    np.testing.assert_array_equal(made, dcgan().generate(1, seed=3))
    with two_replicas.scope():
        gan = gan_of_points()
    gan.fit(np.zeros((8, 2), "float32"), steps_per_epoch=3, verbose=0)
    card = card_of(export.savedmodel(gan, tmp_path / "b"))
    assert card["steps_taken"] == 3


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float64"])
def test_other_types_of_numbers(policy, tmp_path):
    keras.config.set_dtype_policy(policy)
    try:
        gan, points = cgan(), gan_of_points()
    finally:
        keras.config.set_dtype_policy("float32")
    given = {"num_images": np.int64(4), "seed": np.int64(3)}
    path = export.savedmodel(gan, tmp_path / "a", allow_untrained=True)
    made = ask(tf.saved_model.load(str(path)), "generate", **given, labels=int64(0, 1, 2))
    np.testing.assert_array_equal(made["images"], gan.generate(4, seed=3))
    path = export.savedmodel(points, tmp_path / "b", allow_untrained=True)
    made = ask(tf.saved_model.load(str(path)), "generate", **given)["points"]
    assert made.dtype == np.float32
    np.testing.assert_array_equal(made, points.generate(4, seed=3))


@pytest.mark.parametrize("channels, reads", [(1, True), (2, False), (6, False)])
def test_translators_of_other_channels(channels, reads, tmp_path):
    """TensorFlow reads files of 1, 3 or 4 channels alone."""
    layer = keras.layers.Conv2D(3, 3, padding="same")
    gan = Filter(filter=lively(keras.Sequential([keras.Input((7, 7, channels)), layer]), gain=1e4))
    path = export.savedmodel(gan, tmp_path / "a", allow_untrained=True)
    names = ["serving_default", "translate", *["translate_png"] * reads, "raw_translate"]
    assert list(card_of(path)["signatures"]) == names
    served, pictures = tf.saved_model.load(str(path)), np.full((1, 7, 7, channels), 9, "uint8")
    images = ask(served, "translate", images=pictures)["images"]
    floats = (pictures / 127.5 - 1).astype("float32")
    samples = ask(served, "raw_translate", images=floats)["samples"]
    assert np.abs(samples).max() > 1  # nothing bounds this network
    np.testing.assert_array_equal(images, to_uint8(samples))


class Forger(AdversarialModel):
    """A model of a user's own, with other names than the package's."""

    players = {"judge": ("judge",), "forger": ("forger",)}
    averaged = ("forger",)

    @property
    def sampler(self):
        return self.ema_forger or self.forger

    def default_optimizers(self):
        return {player: keras.optimizers.SGD(0.01) for player in self.players}

    def train_step(self, data):
        (reals,) = self.minibatches(data, 1)
        for _ in range(2):
            with self.update("judge") as losses:
                fakes = self.forger(self.sample_latents(reals))
                losses["judge"] = tf.reduce_mean(self.judge(fakes) - self.judge(reals))
        with self.update("forger") as losses:
            fakes = self.forger(self.sample_latents(reals))
            losses["forger"] = -tf.reduce_mean(self.judge(fakes))
        return self.logs()


def forger(*more_inputs, layer=None):
    latents = keras.Input((6,))
    inputs = keras.layers.Concatenate()([latents, *more_inputs]) if more_inputs else latents
    samples = keras.layers.Dense(2)(inputs)
    network = keras.Model([latents, *more_inputs], layer(samples) if layer else samples)
    return Forger(forger=network, judge=build_mlp_discriminator((2,), (4,)), seed=1)


def test_a_model_of_a_users_own(tmp_path):
    gan = forger()
    with pytest.raises(ValueError, match="`gan` must be trained"):
        export.savedmodel(gan, tmp_path / "a")
    gan.fit(np.zeros((8, 2), "float32"), steps_per_epoch=3, verbose=0)
    path = export.savedmodel(gan, tmp_path / "a", facts={"title": "Forgers"})
    assert card_of(path)["steps_taken"] == 3 and "arxiv" not in card_of(path)
    assert "Forger: Forgers.\n" in (path / "README.md").read_text()
    made = ask(tf.saved_model.load(str(path)), "sample", seeds=int64(3))["points"]
    np.testing.assert_array_equal(made, gan.generate(1, seed=3))


def test_a_class_with_the_name_of_a_papers(tmp_path):
    gan = type("DCGAN", (GAN,), {})(gan_of_points().generator, gan_of_points().discriminator)
    card = card_of(export.savedmodel(gan, tmp_path / "a", allow_untrained=True))
    assert card["model"] == "DCGAN" and "title" not in card


def test_a_paper_of_a_users_own(tmp_path):
    paper = Paper(title="A", authors="B", year=2026, arxiv="2601.00001")
    known = gan_of_points()
    gan = type("Own", (GAN,), {"paper": paper})(known.generator, known.discriminator)
    card = card_of(export.savedmodel(gan, tmp_path / "a", allow_untrained=True))
    assert list(card)[:5] == ["model", "title", "authors", "year", "arxiv"]
    assert (card["title"], card["year"]) == ("A", 2026)


def test_samples_that_are_sequences(tmp_path):
    gan = forger(layer=keras.layers.Reshape((1, 2)))
    path = export.savedmodel(gan, tmp_path / "a", allow_untrained=True)
    answer = ask(tf.saved_model.load(str(path)), "sample", seeds=int64(3))
    assert list(answer) == ["sequences"]
    np.testing.assert_array_equal(answer["sequences"], gan.generate(1, seed=3))


class Noisy(keras.layers.Dropout):
    """Drops at all times, as the noise of pix2pix does."""

    def call(self, inputs, training=None):
        return super().call(inputs, training=True)


def test_networks_that_cannot_be_served(tmp_path):
    with pytest.raises(ValueError, match=r"out of latents alone\. Received: .* of 2 inputs"):
        export.savedmodel(forger(keras.Input((2,))), tmp_path / "a", allow_untrained=True)
    with pytest.raises(ValueError, match=r"the same samples .* uses 'seed_generator"):
        export.savedmodel(forger(layer=Noisy(0.5)), tmp_path / "a", allow_untrained=True)
    assert not any(tmp_path.iterdir())
    export.savedmodel(forger(layer=keras.layers.Dropout(0.5)), tmp_path / "a", allow_untrained=True)


# Requests that are wrong


@pytest.mark.parametrize(
    "name, signature, inputs, message",
    [
        ("dcgan", "sample", {"seeds": int64(1, -1)}, "`seeds` must be at least 0"),
        ("dcgan", "sample", {"seeds": np.zeros((2, 2), "int64")}, "seeds"),
        ("dcgan", "generate", {"num_images": np.int64(0), "seed": np.int64(0)}, "from 1 to 1024"),
        ("dcgan", "generate", {"num_images": np.int64(1025), "seed": np.int64(0)}, "1025"),
        ("dcgan", "generate", {"num_images": np.int64(1), "seed": np.int64(-1)}, "`seed` must"),
        ("dcgan", "serving_default", {"latents": np.zeros((2, 5), "f")}, "latents"),
        ("dcgan", "raw", {"latents": np.full((2, 6), np.nan, "f")}, "`latents` must be finite"),
        ("cgan", "sample", {"seeds": int64(1), "labels": int64(3)}, "`labels` must be from 0 to 2"),
        ("cgan", "sample", {"seeds": int64(1), "labels": int64(-1)}, "`labels` must be from 0 to"),
        ("cgan", "sample", {"seeds": int64(1, 2), "labels": int64(1)}, "one for each row"),
        (
            "cgan",
            "generate",
            {"num_images": np.int64(1), "seed": np.int64(0), "labels": int64()},
            "`labels` must hold at least one",
        ),
        ("cyclegan", "a_to_b", {"images": np.zeros((1, 16, 16, 3), "uint8")}, "images"),
        ("cyclegan", "a_to_b_png", {"image_bytes": np.array([b"no"], object)}, "image file format"),
        ("cyclegan", "raw_a_to_b", {"images": np.full((1, *SHAPE), np.nan, "f")}, "must be finite"),
        (
            "cyclegan",
            "a_to_b_png",
            {"image_bytes": np.array([tf.io.encode_png(np.zeros((8, 8, 3), "uint8")).numpy()])},
            "not compatible with expected shape",
        ),
    ],
)
def test_wrong_requests(loaded, name, signature, inputs, message):
    with pytest.raises((tf.errors.InvalidArgumentError, TypeError, ValueError), match=message):
        ask(loaded[name], signature, **inputs)


def test_wrong_dtypes(loaded):
    with pytest.raises((tf.errors.InvalidArgumentError, TypeError)):
        ask(loaded["dcgan"], "sample", seeds=np.array([1.5], "float32"))
    with pytest.raises((tf.errors.InvalidArgumentError, TypeError)):
        ask(loaded["cyclegan"], "a_to_b", images=np.zeros((1, *SHAPE), "float32"))


# The card


def test_the_card(models, exported, loaded):
    gan, path = models["cgan"], exported["cgan"]
    card = json.loads((path / "card.json").read_text())
    assert (card["model"], card["arxiv"], card["dataset_license"]) == ("CGAN", "1411.1784", "CC0")
    assert card["num_classes"] == 3 and card["latent_shape"] == [6] and card["latents"] == "normal"
    assert card["weights_sha256"] == weights_sha256(gan)
    assert card["steps_taken"] == 0 and card["seed"] == 5
    assert card["metrics"][0]["protocol"] == "1,000 pictures"
    for name, described in card["signatures"].items():
        function = loaded["cgan"].signatures[name]
        specs = function.structured_input_signature[1]
        for part, found in (("inputs", specs), ("outputs", function.structured_outputs)):
            assert {n: (t["dtype"], t["shape"]) for n, t in described[part].items()} == {
                n: (t.dtype.name, t.shape.as_list()) for n, t in found.items()
            }
    joined = {name for name, described in card["signatures"].items() if described["batchable"]}
    assert joined == {"serving_default", "sample", "raw"}
    page = (path / "README.md").read_text()
    for text in (
        "# cgan",
        "arXiv:1411.1784",
        "CC0",
        "12.5",
        "1,000 pictures",
        "`labels` int64 (n)",
    ):
        assert text in page


def test_the_hash_is_of_the_weights():
    gan, other = dcgan(), dcgan()
    assert weights_sha256(gan) == weights_sha256(other)
    other.generator.weights[0].assign(np.array(other.generator.weights[0]) * (1 + 1e-6))
    assert weights_sha256(gan) != weights_sha256(other)
    wide, high = (
        keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Conv2D(1, size, use_bias=False)])
        for size in ((1, 3), (3, 1))
    )
    high.set_weights([np.array(wide.weights[0]).reshape(3, 1, 1, 1)])
    assert weights_sha256(Filter(filter=wide)) != weights_sha256(Filter(filter=high))


METRIC = {"name": "fid", "value": 3.0, "protocol": "all"}


@pytest.mark.parametrize(
    "given, message",
    [
        ({"metrics": [{"name": "fid", "value": 3.0}]}, "`metrics` must be dicts with .*protocol"),
        ({"metrics": METRIC}, "`metrics` must be a list"),
        ({"metrics": [{**METRIC, "value": np.nan}]}, "`metrics` must have finite numbers"),
        ({"metrics": [{**METRIC, "value": "3"}]}, "`metrics` must have finite numbers"),
        ({"metrics": [{**METRIC, "value": np.ones(2)}]}, "`metrics` must have finite numbers"),
        ({"facts": ["MIT"]}, "`facts` must be a dict"),
        ({"facts": {1: "MIT"}}, "`facts` must be a dict"),
        ({"facts": {"loss": np.nan}}, "`facts` must have values .* 'loss': nan"),
        ({"facts": {"made_by": object()}}, "`facts` must have values .* 'made_by'"),
        ({"facts": {"name": "\ud800"}}, "`facts` must have values"),
    ],
)
def test_facts_that_no_card_can_hold(given, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        export.savedmodel(gan_of_points(), tmp_path / "a", allow_untrained=True, **given)
    assert not any(tmp_path.iterdir())


def test_facts_of_numpy_and_markdown(tmp_path):
    path = export.savedmodel(
        gan_of_points(ema_decay=np.float32(0.9)),
        tmp_path / "a",
        facts={
            "name": "Grüße",
            "dataset": "a|b\nc",
            "num_examples": "many",
            "batch_size": np.int64(64),
            "class_names": np.array(["x", "y"]),
            "data_dir": pathlib.Path("data"),
        },
        metrics=[{"name": "a|b", "value": np.float32(1.5), "protocol": "c"}],
        allow_untrained=True,
    )
    card, page = card_of(path), (path / "README.md").read_text(encoding="utf-8")
    assert (card["name"], card["batch_size"], card["data_dir"]) == ("Grüße", 64, "data")
    assert card["class_names"] == ["x", "y"] and card["ema_decay"] == 0.9
    assert card["metrics"][0]["value"] == 1.5
    for line in ("# Grüße", "| data | a\\|b c |", "| examples | many |", "| a\\|b | 1.5 | c |"):
        assert line in page.splitlines()


class Odd(GAN):
    """A model with settings of types that JSON does not have."""

    def get_config(self):
        more = {"weight": np.float32(0.1), "steps": np.int64(3), "limit": np.inf, "loss": np.mean}
        return {**super().get_config(), **more}


def test_settings_of_any_type(tmp_path):
    networks = gan_of_points().generator, gan_of_points().discriminator
    gan = Odd(*networks, n_discriminator=2)
    card = card_of(export.savedmodel(gan, tmp_path / "a", allow_untrained=True))
    own = {"weight": 0.1, "steps": 3, "limit": "inf"}
    assert card["settings"] == {"n_discriminator": 2, "non_saturating": True, **own}
    assert card["minibatches_per_step"] == 2


class Wrapped(keras.layers.Layer):
    """A layer that Keras can't save."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def call(self, inputs):
        return self.function(inputs)


def test_a_model_that_keras_cannot_save(tmp_path):
    gan = forger(layer=Wrapped(tf.tanh))
    path = export.savedmodel(gan, tmp_path / "a", allow_untrained=True)
    assert card_of(path)["settings"] == {}
    made = ask(tf.saved_model.load(str(path)), "sample", seeds=int64(3))["points"]
    np.testing.assert_array_equal(made, gan.generate(1, seed=3))


class Constant(keras.optimizers.schedules.LearningRateSchedule):
    """A schedule that does not tell its settings."""

    def __call__(self, step):
        return 0.1


def rate(step=None):
    return 0.1


ADAM = {"class": "Adam", "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7}


@pytest.mark.parametrize(
    "optimizer, expected",
    [
        # float32 makes 0.00019999999494757503 out of the rate; a beta_1 of 0 is a setting.
        (lambda: keras.optimizers.Adam(2e-4, 0.0), ADAM | {"learning_rate": 2e-4, "beta_1": 0.0}),
        (
            lambda: keras.optimizers.Adam(0.1, use_ema=True),
            ADAM | {"learning_rate": 0.1, "use_ema": True, "ema_momentum": 0.99},
        ),
        (
            lambda: keras.optimizers.Adam(keras.optimizers.schedules.InverseTimeDecay(0.1, 9, 2)),
            ADAM
            | {
                "learning_rate": {
                    "class": "InverseTimeDecay",
                    "initial_learning_rate": 0.1,
                    "decay_steps": 9,
                    "decay_rate": 2,
                }
            },
        ),
        (lambda: keras.optimizers.Adam(rate), ADAM | {"learning_rate": "a function (function)"}),
        (
            lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(0.1, epsilon=np.inf)),
            {
                "class": "LossScaleOptimizer",
                "inner_optimizer": ADAM | {"learning_rate": 0.1, "epsilon": "inf"},
                "initial_scale": 32768.0,
                "dynamic_growth_steps": 2000,
            },
        ),
        (lambda: keras.optimizers.Adam(Constant()), {"class": "Adam"}),
    ],
)
def test_optimizers_in_the_card(optimizer, expected, tmp_path):
    gan = gan_of_points()
    gan.compile(generator_optimizer=optimizer())
    path = export.savedmodel(gan, tmp_path / "a", allow_untrained=True)
    assert card_of(path)["optimizers"]["generator"] == expected
    assert (
        f"| optimizer of the generator | {expected['class']}(" in (path / "README.md").read_text()
    )


# What is refused, and what is left on the disk


def test_an_untrained_model(tmp_path):
    gan = gan_of_points()
    with pytest.raises(ValueError, match="`gan` must be trained"):
        export.savedmodel(gan, tmp_path / "a")
    assert not any(tmp_path.iterdir())
    reals = np.zeros((8, 2), "float32")
    gan.fit(tf.data.Dataset.from_tensors(reals), steps_per_epoch=1, verbose=0)
    assert export.savedmodel(gan, tmp_path / "a") == tmp_path / "a" / "1"


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_not_finite(value, tmp_path):
    gan = gan_of_points()
    weight = gan.generator.weights[-1]
    weight.assign([0.0, value])
    with pytest.raises(ValueError, match=r"1 of 2 values of '.*bias' are NaN or infinite"):
        export.savedmodel(gan, tmp_path / "a", allow_untrained=True)
    assert not any(tmp_path.iterdir())


def test_no_model(tmp_path):
    with pytest.raises(ValueError, match=r"model of keras_gans\. Received: Sequential"):
        export.savedmodel(keras.Sequential(), tmp_path / "a")


def test_versions(tmp_path):
    gan, base = gan_of_points(), tmp_path / "a"
    export.savedmodel(gan, base, allow_untrained=True)
    before = {p: p.stat().st_mtime_ns for p in base.rglob("*")}
    with pytest.raises(FileExistsError, match=r"Received: 1, which .*; the next one is 2"):
        export.savedmodel(gan, base, allow_untrained=True)
    assert {p: p.stat().st_mtime_ns for p in base.rglob("*")} == before
    assert export.savedmodel(gan, base, version=12, allow_untrained=True).name == "12"
    assert newest_version(base) == base / "12"
    (base / "13").symlink_to("nowhere")
    with pytest.raises(FileExistsError, match="Received: 13, which"):
        export.savedmodel(gan, base, version=13, allow_untrained=True)
    for version in (0, 1.5, True, "1"):
        with pytest.raises(ValueError, match="`version` must be an integer of at least 1"):
            export.savedmodel(gan, base, version=version, allow_untrained=True)


def test_a_directory_of_other_things(tmp_path):
    (tmp_path / "photos" / "2024").mkdir(parents=True)
    with pytest.raises(FileExistsError, match="holds other files"):
        export.savedmodel(gan_of_points(), tmp_path / "photos", allow_untrained=True)
    shutil.rmtree(tmp_path / "photos")
    (tmp_path / "thesis.txt").write_text("all of it")
    with pytest.raises(FileExistsError, match="holds other files"):
        export.savedmodel(gan_of_points(), tmp_path, allow_untrained=True)
    with pytest.raises(FileExistsError, match="Received: the file"):
        export.savedmodel(gan_of_points(), tmp_path / "thesis.txt", allow_untrained=True)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_hidden_files_and_other_exports_do_not_matter(tmp_path):
    """Another process may be writing a first version of the same model."""
    gan = gan_of_points()
    (tmp_path / ".DS_Store").write_text("a file manager's")
    with new_directory(tmp_path / "1") as temporary:
        (temporary / "saved_model.pb").write_text("half")
        assert newest_version(tmp_path) is None
        assert export.savedmodel(gan, tmp_path, version=2, allow_untrained=True).name == "2"


FULL_DISK = """
import resource, sys
import numpy as np
import keras_gans
from keras_gans import GAN, export, networks
gan = GAN(networks.build_mlp_generator((2,), 3, (256, 256), seed=1),
          networks.build_mlp_discriminator((2,), (8,), seed=2))
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))  # files can't grow beyond it
try:
    export.savedmodel(gan, sys.argv[1], allow_untrained=True)
except OSError as error:
    print("OSError:", error)
"""


def test_a_disk_that_fills_up(tmp_path):
    command = [sys.executable, "-c", FULL_DISK, str(tmp_path / "new" / "model")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert "OSError:" in done.stdout and "can't be written" in done.stdout, done.stderr[-2000:]
    assert not any(tmp_path.iterdir())


def test_a_place_that_cannot_be_written():
    """/proc takes no directories, not even root's."""
    if not pathlib.Path("/proc/self").exists():
        pytest.skip("this system has no /proc")
    with pytest.raises(OSError):
        export.savedmodel(gan_of_points(), "/proc/keras_gans", allow_untrained=True)
