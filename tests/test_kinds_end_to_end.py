"""Text and masks as what a model takes: from the data to a run, its pictures and its exports.

Two small models of a user's own, which say with `data_spec` and `ports` what they take.
"""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops
from typer.testing import CliRunner

from keras_gans import AdversarialModel, catalogue, export, runs
from keras_gans.callbacks import SampleGrid
from keras_gans.cli import inputs
from keras_gans.cli.app import app
from keras_gans.images import enlarge, read_png, save_png, with_captions
from keras_gans.losses import minimax_discriminator_loss, non_saturating_generator_loss
from keras_gans.metrics import evaluate
from keras_gans.runs.sampling import open_sampler
from keras_gans.training import kinds
from keras_gans.training.ports import Port

SHAPE = (16, 16, 1)
WORDS = ("", "a", "dark", "bright", "square")
CAPTIONS = kinds.Text("captions", (4,), vocabulary=5, words=WORDS)
IDS = np.array([[1, 2, 4, 0], [1, 3, 4, 0]], "int32")
pytestmark = pytest.mark.filterwarnings("ignore:Resume")  # these data can't begin at a step
RNG = np.random.default_rng(0)


def codes_of(ids):
    return layers.Flatten()(layers.Embedding(5, 3)(ids))


def picture_of(features):
    pixels = layers.Dense(256, activation="tanh", kernel_initializer="orthogonal")(features)
    return layers.Reshape(SHAPE)(pixels)


@keras.saving.register_keras_serializable("tests")
class FromText(AdversarialModel):
    """Pictures out of latents and captions."""

    players = {"discriminator": ("discriminator",), "generator": ("generator",)}
    judges = ("discriminator",)

    def default_optimizers(self):
        return {player: keras.optimizers.Adam(1e-3) for player in self.players}

    def data_spec(self):
        return (*super().data_spec(), CAPTIONS)

    def ports(self):
        port = super().ports()["generate"]
        return {"generate": Port((*port.inputs, CAPTIONS), port.network, port.output)}

    def train_step(self, data):
        ((reals, ids),) = self.minibatches(data, 1)
        fakes = self.generator([self.sample_latents(reals), ids], training=True)
        with self.update("discriminator") as losses:
            losses["discriminator"] = minimax_discriminator_loss(
                self.discriminator([reals, ids]), self.discriminator([fakes, ids])
            )
        with self.update("generator") as losses:
            fakes = self.generator([self.sample_latents(reals), ids], training=True)
            losses["generator"] = non_saturating_generator_loss(self.discriminator([fakes, ids]))
        return self.logs()


@keras.saving.register_keras_serializable("tests")
class Inpainter(AdversarialModel):
    """Pictures out of pictures and of masks, which say what is to be painted."""

    players = {"painter": ("painter",)}
    averaged = ("painter",)
    latent_prior = None

    @property
    def sampler(self):
        return self.ema_painter or self.painter

    def default_optimizers(self):
        return {"painter": keras.optimizers.Adam(1e-3)}

    def data_spec(self):
        return (kinds.Pictures("images", SHAPE), kinds.Masks("masks", SHAPE))

    def ports(self):
        return {"inpaint": Port(self.data_spec(), self.sampler, self.sample_kind())}

    def train_step(self, data):
        ((images, masks),) = self.minibatches(data, 1)
        with self.update("painter") as losses:
            painted = self.painter([images * (1.0 - masks), masks], training=True)
            losses["painter"] = ops.mean(ops.abs(painted - images))
        return self.logs()


def from_text():
    keras.utils.set_random_seed(0)
    latents, ids = keras.Input((3,)), keras.Input((4,), dtype="int32")
    generator = keras.Model(
        [latents, ids], picture_of(layers.Concatenate()([latents, codes_of(ids)]))
    )
    pictures, ids = keras.Input(SHAPE), keras.Input((4,), dtype="int32")
    features = layers.Concatenate()([layers.Flatten()(pictures), codes_of(ids)])
    discriminator = keras.Model([pictures, ids], layers.Dense(1)(features))
    return FromText(generator=generator, discriminator=discriminator, seed=1)


def inpainter():
    keras.utils.set_random_seed(0)
    images, masks = keras.Input(SHAPE), keras.Input(SHAPE)
    painted = layers.Conv2D(1, 3, padding="same", activation="tanh")(
        layers.Concatenate()([images, masks])
    )
    return Inpainter(painter=keras.Model([images, masks], painted), ema_decay=0.5, seed=1)


def dataset(second):
    """8 pictures, and beside each one of the two values of `second`."""
    pictures = RNG.uniform(-1, 1, (8, *SHAPE)).astype("float32")
    values = np.tile(second, (4,) + (1,) * (second.ndim - 1))
    made = tf.data.Dataset.from_tensor_slices((pictures, values)).batch(8)
    made.info = catalogue.DatasetInfo("noise", "train", 8, SHAPE, license="CC0")
    return made


MASKS = np.zeros((2, *SHAPE), "float32")
MASKS[0, :8], MASKS[1, :, 4:] = 1, 1
MODELS = {"text": (from_text, IDS), "masks": (inpainter, MASKS)}


@pytest.fixture(scope="module", params=MODELS)
def run(request, tmp_path_factory):
    """A model, its data, and the directory of its run."""
    build, second = MODELS[request.param]
    gan, data = build(), dataset(second)
    directory = tmp_path_factory.mktemp(request.param) / "run"
    assert runs.train(gan, data, directory, steps=2)
    return gan, data, directory


def test_a_run(run):
    """Its grid shows what came of the data, and the model and its SavedModel come back."""
    gan, data, directory = run
    samples, columns = gan.grid_of(data)
    assert columns == 8
    grid = kinds.render(samples(gan), columns)
    np.testing.assert_array_equal(read_png(directory / "grid.png"), grid)
    loaded = keras.models.load_model(directory / "model.keras")
    (name, port), *_ = gan.ports().items()
    inputs = [kind.examples(3, seed=4) for kind in port.inputs]
    made = gan.ask(name, *inputs)
    assert made.shape == (3, *SHAPE) and made.dtype == np.uint8
    np.testing.assert_array_equal(loaded.ask(name, *inputs), made)
    version = directory / "savedmodel" / "1"
    served = tf.saved_model.load(str(version)).signatures["serving_default"]
    request = {
        spec.name: tf.constant(values, spec.dtype)
        for spec, values in zip((k.served_spec() for k in port.inputs), inputs, strict=True)
    }
    np.testing.assert_array_equal(served(**request)["images"], made)
    warmup = version / "assets.extra" / "tf_serving_warmup_requests"
    assert len(list(tf.data.TFRecordDataset(str(warmup)))) == {"generate": 6, "inpaint": 6}[name]
    for sampler in map(open_sampler, (version, directory / "model.keras")):
        assert [kind.name for kind in sampler.port.inputs] == [kind.name for kind in port.inputs]
        np.testing.assert_array_equal(sampler.ask(name, *inputs), made)
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError), match="one for each row"):
        served(**{**request, port.inputs[1].name: request[port.inputs[1].name][:2]})


def generate(source, out, *options):
    arguments = ("generate", source, "--out", out, *options)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_generate_on_the_command_line(run, tmp_path):
    """What a model takes is typed, or read from files; of a run and of its SavedModel alike."""
    gan, _, directory = run
    out, lines = tmp_path / "a.png", tmp_path / "lines.txt"
    if isinstance(gan, FromText):
        lines.write_text("a dark square\n\n1, 3, 4\n")
        made = gan.generate(4, seed=3, captions=IDS[[0, 1, 0, 1]])
        texts = ["a dark square", "a bright square"] * 2
        expected = kinds.render(with_captions(enlarge(made), texts), columns=2)
        asked = [("--texts", "a dark square", "--texts", "1 3 4"), ("--texts", lines)]
        asked = [(*options, "--num", 4, "--seed", 3) for options in asked]
        said = "4 pictures, 198 × "
    else:
        levels = RNG.integers(0, 256, (2, *SHAPE)).astype("uint8")
        masks = (255 * MASKS).astype("uint8")
        for i in range(2):
            save_png(tmp_path / "given" / f"{i}.png", levels[i])
            save_png(tmp_path / "masks" / f"{i}.png", 200 * (masks[i] // 255))
        rows = np.concatenate([levels, masks, gan.ask("inpaint", levels, masks)])
        expected = kinds.render(rows, columns=2)
        files = [f for i in range(2) for f in ("--pictures", tmp_path / "given" / f"{i}.png")]
        folders = ("--pictures", tmp_path / "given", "--masks", tmp_path / "masks")
        asked = [folders, (*files, *folders[2:])]
        said = "2 pictures, 134 × 200 pixels."
    for source in (directory, directory / "savedmodel"):
        for options in asked:
            result = generate(source, out, *options)
            assert result.exit_code == 0 and said in result.output, result.output
            np.testing.assert_array_equal(read_png(out), expected)


def test_generate_says_what_is_missing(run, tmp_path):
    gan, _, directory = run
    out = tmp_path / "a.png"
    first, second = "Error: --texts must be given", "--pictures is for models that take pictures"
    options, bad = ("--pictures", "a.png"), ("--texts", "a purple square")
    message = (
        "--texts: `captions` must be 1 to 4 words such as a, dark, bright, square, or their ids "
        "from 0 to 4. Received: 'a purple square'"
    )
    if isinstance(gan, Inpainter):
        first, second = "Error: --pictures must be given", "--texts is for models that take text"
        options, bad = ("--texts", "a"), ("--pictures", tmp_path, "--masks", tmp_path)
        message = f"--pictures must hold at least one of pictures. Received: '{tmp_path}'"
    for given, expected in (((), first), (options, second), (bad, message)):
        result = generate(directory, out, *given)
        assert result.exit_code == 2 and expected in result.stderr and not out.exists()
        assert "Received: " in result.stderr and not result.stderr.strip().endswith(".")


def test_evaluate_says_what_it_needs(run):
    """Pictures out of a seed, or out of pictures alone; of a run and of its SavedModel alike."""
    gan, _, directory = run
    (name, port), *_ = gan.ports().items()
    made = rf"must make samples out of a seed.*'{name}' of .* makes pictures out of {port.takes}"
    for source in (directory, directory / "savedmodel"):
        with pytest.raises(ValueError, match=made):
            inputs.open_model(str(source))
    pictures = np.zeros((4, *SHAPE), "uint8")
    for settings in ({}, {"sources": pictures}):
        with pytest.raises(ValueError, match=r"`model` must .*Received: (FromText|Inpainter)"):
            evaluate(gan, pictures, "l1" if settings else "swd", **settings)


def test_files(run, tmp_path):
    """In float32 and in int8, measured on data that can't be drawn."""
    gan, data, _ = run
    assert export.tflite(gan, tmp_path / "a.tflite", verbose=False).max_error < 1e-5
    given = [np.asarray(part) for part in next(iter(data))]
    wanted = given[1] if isinstance(gan, FromText) else given
    path = tmp_path / "b.tflite"
    export.tflite(gan, path, quantization="int8", representative=wanted, verbose=False)
    with pytest.raises(ValueError, match=r"`representative` must be some .* of the data"):
        export.tflite(gan, path, quantization="int8", representative=3, verbose=False)


def test_masks_and_text_are_shown(run):
    """A row of pictures, one of masks, one of what came of them; or captions under pictures."""
    gan, data, _ = run
    samples, _ = gan.grid_of(data, num=2)
    shown = samples(gan)
    if isinstance(gan, FromText):
        (latents,) = [k.examples(2) for k in gan.ports()["generate"].inputs[:1]]
        made = enlarge(gan.ask("generate", latents, IDS))
        expected = with_captions(made, ["a dark square", "a bright square"])
    else:
        pictures = gan.data_spec()[0].to_border(next(iter(data))[0][:2])
        masks = (255 * MASKS).astype("uint8")
        expected = enlarge(np.concatenate([pictures, masks, gan.ask("inpaint", pictures, masks)]))
    np.testing.assert_array_equal(shown, expected)


def test_grids_while_it_learns(tmp_path):
    gan, data = from_text(), dataset(IDS)
    samples, columns = gan.grid_of(data)
    grids = SampleGrid(tmp_path, samples=samples, columns=columns, animation=False)
    gan.fit(data, epochs=1, verbose=0, callbacks=[grids])
    before, after = (read_png(path) for path in sorted(tmp_path.glob("*.png")))
    assert before.shape == after.shape and (before != after).any()


def test_text_says_what_is_made():
    gan = from_text()
    dark, bright = (gan.generate(2, seed=3, captions=ids) for ids in IDS)  # one for all
    assert (dark != bright).any()
    both = gan.generate(2, seed=3, captions=IDS)
    np.testing.assert_array_equal(both, [dark[0], bright[1]])
    for given, match in (
        ({}, "`captions` must be text for each sample"),
        ({"captions": IDS + 4}, r"`captions` must be in \[0, 5\)"),
        ({"captions": np.tile(IDS, (2, 1))}, "`captions` must have one for each of 2. Received: 4"),
        ({"captions": IDS, "labels": 1}, "`labels` must be None"),
        ({"texts": IDS}, r"`generate` takes the names \['captions'\]"),
    ):
        with pytest.raises(ValueError, match=match):
            gan.generate(2, seed=3, **given)


def test_a_model_without_latents_says_what_to_ask():
    match = r"pictures out of pictures and masks.*use `ask\('inpaint', ...\)`"
    with pytest.raises(ValueError, match=match):
        inpainter().generate(3)


@pytest.mark.parametrize(("name", "bad"), [("text", IDS + 4), ("masks", 2 * MASKS)])
def test_data_of_another_kind(name, bad):
    gan = MODELS[name][0]()
    before = gan.sampler.get_weights()
    with pytest.raises(ValueError, match=r"`(captions|masks)` must be"):
        gan.fit(dataset(bad), verbose=0)
    for now, then in zip(gan.sampler.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)


def test_captions_under_pictures():
    pictures = np.zeros((2, 8, 20, 3), "uint8")
    shown = with_captions(pictures, ["x", "one two three four five six"], width=60)
    assert shown.shape[0] == 2 and shown.shape[1] > 8 + 2 * 12 and shown.shape[2:] == (60, 3)
    np.testing.assert_array_equal(shown[:, :8, 20:40], pictures)
    assert (shown[:, :8, :20] == 255).all() and (shown[:, 8:] < 128).any(axis=(1, 2, 3)).all()
    with pytest.raises(ValueError, match=r"`texts` must be 2, one a picture. Received: 1"):
        with_captions(pictures, ["x"])
