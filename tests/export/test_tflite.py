"""TFLite files in all four forms against Keras, and what must never become a file."""

import importlib
import os
import sys
import warnings

import keras
import numpy as np
import pytest
import small_models
import tensorflow as tf
from small_models import LATENT_DIM, MODELS, SHAPE, inputs_of, pictures, samples_of

from keras_gans.export import tflite

MODULE = importlib.import_module("keras_gans.export.tflite")  # `export.tflite` is the function
FORMS = (None, "float16", "dynamic", "int8")
ERRORS = {None: 1e-6, "float16": 1e-3, "dynamic": 0.02, "int8": 0.06}  # in the mean


@pytest.fixture(scope="module")
def models():
    return {name: build(seed=5) for name, build in MODELS.items()}


@pytest.fixture(scope="module")
def write(models, tmp_path_factory):
    """Function (model's name, form) that returns what `tflite` returned; each is written once."""
    written, directory = {}, tmp_path_factory.mktemp("tflite")

    def write(name, form):
        if (name, form) not in written:
            needs_pictures = name == "cyclegan" and form == "int8"
            written[name, form] = tflite(
                models[name],
                directory / f"{name}_{form}.tflite",
                form,
                representative=pictures(8) if needs_pictures else None,
                allow_untrained=True,
                verbose=False,
            )
        return written[name, form]

    return write


@pytest.fixture
def no_conversion(monkeypatch):
    def convert(*args):
        raise AssertionError("converted before all was checked")

    monkeypatch.setattr(MODULE, "_convert", convert)


@pytest.fixture
def gives(monkeypatch):
    """Function of bytes that makes the converter return these."""
    return lambda content: monkeypatch.setattr(MODULE, "_convert", lambda *args: content)


def interpreter(path):
    return MODULE.load_interpreter(path.read_bytes())


def run(path, inputs):
    runner = interpreter(path).get_signature_runner("serving_default")
    num = len(next(iter(inputs.values())))
    rows = [runner(**{n: v[i : i + 1] for n, v in inputs.items()}) for i in range(num)]
    return {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", MODELS)
def test_samples_are_those_of_keras(models, write, name, form):
    network, exported = models[name].sampler, write(name, form)
    inputs = inputs_of(name, models[name], 6)
    ((output, samples),) = run(exported.path, inputs).items()
    wanted = samples_of(network, inputs)
    assert output == ("points" if name == "points" else "images")
    assert samples.dtype == np.float32
    assert samples.shape == wanted.shape
    assert wanted.std() > 0.3 and wanted.std(axis=0).mean() > 0.2  # worth comparing
    size = max(1, np.abs(wanted).max())
    assert np.abs(samples - wanted).mean() < ERRORS[form] * size
    assert 0 <= exported.mean_error < ERRORS[form] * size
    assert exported.mean_error <= exported.max_error
    if form:
        assert exported.mean_error > 0
    assert exported.quantization == form
    assert exported.bytes == exported.path.stat().st_size


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", MODELS)
def test_signature_and_operations(write, name, form):
    made = interpreter(write(name, form).path)
    runner = made.get_signature_runner("serving_default")
    taken = {n: (tuple(d["shape"]), d["dtype"]) for n, d in runner.get_input_details().items()}
    latents = {"latents": ((1, LATENT_DIM), np.float32)}
    assert (
        taken
        == {
            "dcgan": latents,
            "cgan": {**latents, "labels": ((1,), np.int32)},
            "points": latents,
            "cyclegan": {"images": ((1, *SHAPE), np.float32)},
        }[name]
    )
    ((_, given),) = runner.get_output_details().items()
    assert tuple(given["shape"]) == ((1, 2) if name == "points" else (1, *SHAPE))
    assert given["dtype"] == np.float32
    operations = {operation["op_name"] for operation in made._get_ops_details()}
    assert operations & {"FULLY_CONNECTED", "CONV_2D"}
    assert not [op for op in operations if op.startswith("Flex") or op == "CUSTOM"]


def test_forms_are_stored_as_they_say(write):
    kinds = {
        form: {t["dtype"] for t in interpreter(write("dcgan", form).path).get_tensor_details()}
        for form in FORMS
    }
    assert kinds[None] <= {np.float32, np.int32}
    assert np.float16 in kinds["float16"]
    assert np.int8 in kinds["dynamic"] and np.int8 in kinds["int8"]
    sizes = {form: write("dcgan", form).bytes for form in FORMS}
    assert sizes["float16"] < 0.7 * sizes[None]
    assert sizes["int8"] < 0.6 * sizes[None]
    activations = [
        tensor["dtype"]
        for tensor in interpreter(write("dcgan", "int8").path).get_tensor_details()
        if tuple(tensor["shape"]) == (1, 8, 12, 16)
    ]
    assert set(activations) == {np.int8}


def test_labels_make_the_samples_of_their_class(models, write):
    """In int8 the one-hot code of a label was 3.4 where TFLite's own quantization was used."""
    model, path = models["cgan"], write("cgan", "int8").path
    latents = np.repeat(np.asarray(model.generator_inputs(4, 9)[0]), 3, axis=0)
    inputs = {"latents": latents, "labels": np.tile(np.arange(3, dtype="int32"), 4)}
    wanted = samples_of(model.sampler, inputs).reshape(4, 3, *SHAPE)
    made = run(path, inputs)["images"].reshape(4, 3, *SHAPE)
    wanted, made = (x - x.mean(axis=1, keepdims=True) for x in (wanted, made))
    assert np.abs(wanted).mean() > 0.1
    assert (wanted * made).sum() / (wanted**2).sum() == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("form", ["float16", "int8"])
def test_same_model_same_file(models, write, tmp_path, form):
    path = tmp_path / "again.tflite"
    tflite(models["cgan"], path, form, allow_untrained=True, verbose=False)
    assert path.read_bytes() == write("cgan", form).path.read_bytes()


def test_representative(models, write, tmp_path):
    """uint8 pictures are the same as those in [-1, 1]; what is measured on decides the file."""
    grid = np.rint((pictures(8) + 1) * 127.5).astype("uint8")
    files = []
    for k, given in enumerate((grid, grid / np.float32(127.5) - 1, grid[:6])):
        path = tmp_path / f"{k}.tflite"
        tflite(models["cyclegan"], path, "int8", given, allow_untrained=True, verbose=False)
        files.append(path.read_bytes())
    assert files[0] == files[1] != files[2]
    few = tmp_path / "few.tflite"
    tflite(models["points"], few, "int8", 40, allow_untrained=True, verbose=False)
    assert few.read_bytes() != write("points", "int8").path.read_bytes()


def test_direction(models, tmp_path):
    model, path = models["cyclegan"], tmp_path / "back.tflite"
    tflite(model, path, direction="b_to_a", allow_untrained=True, verbose=False)
    given = pictures(2, seed=4)
    made = run(path, {"images": given})["images"]
    np.testing.assert_allclose(made, model.generator_b_to_a(given), atol=1e-4)
    assert np.abs(made - model.generator_a_to_b(given)).mean() > 0.1


def test_average_is_exported(tmp_path):
    model = small_models.gan_of_points(ema_decay=0.9, seed=5)
    small_models.lively(model.generator, seed=8)
    path = tmp_path / "averaged.tflite"
    tflite(model, path, allow_untrained=True, verbose=False)
    inputs = inputs_of("points", model, 4)
    made = run(path, inputs)["points"]
    np.testing.assert_allclose(made, samples_of(model.ema_generator, inputs), atol=1e-5)
    assert np.abs(made - samples_of(model.generator, inputs)).mean() > 0.1


def test_an_earlier_file_is_replaced_and_directories_are_made(models, tmp_path, capfd):
    path = tmp_path / "new" / "points.tflite"
    for form in (None, "float16"):
        exported = tflite(models["points"], str(path), form, allow_untrained=True)
        assert exported.path == path
        assert exported.bytes == path.stat().st_size
        out, err = capfd.readouterr()
        assert len(out.splitlines()) == 1
        assert str(path) in out and "MB" in out and "in the mean" in out
        assert not err
    assert list(path.parent.iterdir()) == [path]


# The gate: what is not the model never becomes a file


def check_refused(model, path, match, **kwargs):
    """Nothing is written: neither where there was nothing nor over an earlier file."""
    for earlier in (None, b"an earlier file"):
        if earlier:
            path.write_bytes(earlier)
        with pytest.raises(ValueError, match=match):
            tflite(model, path, **{"allow_untrained": True, **kwargs})
        assert [p.read_bytes() for p in path.parent.iterdir()] == [earlier] * bool(earlier)


def test_files_without_weights_are_refused(models, gives, tmp_path):
    """Converted without a SavedModel, a model gives a small file of NaN, and no error."""
    network = models["dcgan"].sampler
    spec = tf.TensorSpec((1, LATENT_DIM), tf.float32, "latents")
    function = tf.function(lambda z: {"images": network(z, training=False)}, input_signature=[spec])
    with MODULE._quiet():
        content = tf.lite.TFLiteConverter.from_concrete_functions(
            [function.get_concrete_function()], network
        ).convert()
    assert len(content) < network.count_params() * 4 / 2
    gives(content)
    check_refused(models["dcgan"], tmp_path / "lost.tflite", "was not written")


def test_samples_of_another_shape_or_not_finite_are_refused(models, gives, monkeypatch, tmp_path):
    gives(b"not looked at")
    samples = np.zeros((16, *SHAPE), "float32")
    monkeypatch.setattr(MODULE, "_run", lambda *args: samples[..., :1])
    path = tmp_path / "x.tflite"
    check_refused(models["dcgan"], path, r"must have the shape.*24, 3\).*24, 1\)")
    path.unlink()
    monkeypatch.setattr(MODULE, "_run", lambda *args: samples)
    samples[3, 0, 0, 0] = np.nan
    check_refused(models["dcgan"], path, "must be finite.*1 of 18432")


@pytest.mark.parametrize("form", FORMS)
def test_other_samples_are_refused(models, write, gives, tmp_path, form):
    other = small_models.dcgan(seed=5)
    small_models.lively(other.generator, seed=1)
    gives(write("dcgan", form).path.read_bytes())
    check_refused(
        other, tmp_path / "other.tflite", "must be those of Keras.*mean error", quantization=form
    )


def test_files_that_do_not_run_are_refused(models, write, gives, tmp_path):
    for k, content in enumerate((b"no TFLite file", write("cyclegan", None).path.read_bytes())):
        gives(content)
        (tmp_path / str(k)).mkdir()
        check_refused(models["dcgan"], tmp_path / str(k) / "x.tflite", "does not run")


def test_operations_that_tflite_lacks_are_refused(tmp_path):
    model = small_models.gan_of_points()
    latents = keras.Input((4,), name="latents")
    factors = keras.ops.linalg.cholesky(keras.ops.reshape(latents, (-1, 2, 2)))
    model.generator = keras.Model(latents, factors[:, 0])
    check_refused(model, tmp_path / "cholesky.tflite", "operations for.*Cholesky")


def test_overflowing_networks_are_refused(tmp_path):
    """Finite weights whose samples are not: both files and Keras agree, but on nothing."""
    model = small_models.gan_of_points()
    for weight in model.generator.weights:
        weight.assign(np.full(weight.shape, 1e30))
    check_refused(model, tmp_path / "inf.tflite", "of Keras are NaN or infinite")


# Arguments: all errors come before the conversion


def test_models_that_are_not_trained_are_refused(no_conversion, tmp_path):
    model = small_models.gan_of_points()
    with pytest.raises(ValueError, match="must be trained"):
        tflite(model, tmp_path / "x.tflite")
    with pytest.raises(ValueError, match="must be a model of keras_gans"):
        tflite(model.generator, tmp_path / "x.tflite")
    model.compile()
    model.generator_optimizer.iterations.assign(1)
    with pytest.raises(AssertionError, match="converted"):
        tflite(model, tmp_path / "x.tflite")
    assert not list(tmp_path.iterdir())


def test_weights_that_are_not_finite_are_refused(no_conversion, tmp_path):
    model = small_models.cyclegan()
    kernel = np.array(model.generator_b_to_a.weights[0])
    kernel.flat[0] = np.nan
    model.generator_b_to_a.weights[0].assign(kernel)
    check_refused(model, tmp_path / "x.tflite", "finite weights")


@pytest.mark.parametrize(
    ("name", "arguments", "match"),
    [
        ("dcgan", {"quantization": "int4"}, r"float16.*dynamic.*int8.*Received: 'int4'"),
        ("dcgan", {"quantization": 8}, "`quantization` must be.*Received: 8"),
        ("dcgan", {"quantization": ["int8"]}, "`quantization` must be"),
        ("dcgan", {"direction": "a_to_b"}, r"`direction` takes.*generate.*Received: 'a_to_b'"),
        ("cyclegan", {"direction": "c"}, r"`direction` takes.*a_to_b.*b_to_a.*Received: 'c'"),
        ("dcgan", {"representative": 64}, "`representative` must be None unless"),
        ("dcgan", {"quantization": "int8", "representative": 0}, "`representative` must be"),
        ("dcgan", {"quantization": "int8", "representative": np.ones(3)}, "`representative` must"),
        ("cyclegan", {"quantization": "int8"}, "`representative` must be some pictures"),
        ("cyclegan", {"quantization": "int8", "representative": 8}, "must be some pictures"),
        (
            "cyclegan",
            {"quantization": "int8", "representative": np.zeros((2, 8, 8, 3))},
            "`representative` must have the shape",
        ),
        (
            "cyclegan",
            {"quantization": "int8", "representative": pictures(2) * 100},
            r"`representative` must be pictures in \[-1, 1\]",
        ),
        ("dcgan", {"allow_untrained": 1}, "allow_untrained"),
    ],
)
def test_bad_arguments(models, no_conversion, tmp_path, name, arguments, match):
    check_refused(models[name], tmp_path / "x.tflite", f"(?s){match}", **arguments)


# No right to write would not do: root may write anywhere else.
UNWRITABLE = [("/proc/none/x.tflite", OSError, "`path` must be in a directory that can be written")]
UNWRITABLE *= os.path.isdir("/proc")


def test_bad_paths(models, no_conversion, tmp_path):
    file, directory = tmp_path / "file", tmp_path / "directory.tflite"
    file.write_bytes(b"1")
    directory.mkdir()
    for path, error, match in (
        (tmp_path / "model.tf", ValueError, r"must end in '\.tflite'"),
        ("", ValueError, "`path` must be a path"),
        (7, ValueError, "`path` must be a path"),
        (directory, IsADirectoryError, "must be a file"),
        (file / "deep" / "x.tflite", NotADirectoryError, "`path` must be in a directory"),
        *UNWRITABLE,
    ):
        with pytest.raises(error, match=match):
            tflite(models["dcgan"], path, allow_untrained=True)
    assert sorted(tmp_path.iterdir()) == [directory, file]
    assert not list(directory.iterdir())


def test_networks_of_any_size(tmp_path):
    """The file takes pictures of any size, or of the one that is asked for."""
    model = small_models.filter_of_any_size()
    pictures = np.random.default_rng(0).uniform(-1, 1, (1, 12, 20, 3)).astype("float32")
    wanted = np.array(model.filter(pictures))
    for size in (None, (12, 20)):
        path = tmp_path / f"{size}.tflite"
        tflite(model, path, allow_untrained=True, size=size)
        run = interpreter(path).get_signature_runner("serving_default")
        np.testing.assert_allclose(run(images=pictures)["images"], wanted, atol=1e-5)
        assert [*run.get_input_details()["images"]["shape_signature"]] == (
            [1, *(size or (-1, -1)), 3]
        )


@pytest.mark.parametrize(
    "name, size, match",
    [
        ("dcgan", 16, "`size` must be None but for models of pictures of any size"),
        ("any size", (16, 0), "`size` must be"),
    ],
)
def test_sizes_that_mean_nothing(models, no_conversion, tmp_path, name, size, match):
    model = small_models.filter_of_any_size() if name == "any size" else models[name]
    check_refused(model, tmp_path / "x.tflite", match, size=size)


# Messages


def test_tensorflow_s_interpreter_is_used_without_litert(models, write, monkeypatch):
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = interpreter(write("dcgan", None).path)
    assert isinstance(made, tf.lite.Interpreter)


def test_only_reports_of_progress_are_silenced(capfd):
    report = b"I0000 00:00:1795378160.447997    4515 reader.cc:83] Reading SavedModel\n"
    with MODULE._quiet():
        os.write(2, report + b"a word of someone else\n")
    assert capfd.readouterr().err == "a word of someone else\n"
    with pytest.raises(RuntimeError), MODULE._quiet():
        os.write(2, report)
        raise RuntimeError
    assert capfd.readouterr().err == report.decode()
