"""ONNX files by ONNX Runtime against Keras, and what must never become a file."""

import importlib
import importlib.util

import keras
import numpy as np
import pytest
import small_models
from small_models import LATENT_DIM, MODELS, SHAPE, inputs_of, pictures, samples_of

from keras_gans.export import onnx

MODULE = importlib.import_module("keras_gans.export.onnx")  # `export.onnx` is the function
installed = all(importlib.util.find_spec(name) for name in MODULE.PACKAGES)
needs_packages = pytest.mark.skipif(not installed, reason="pip install keras-gans[onnx]")

INPUTS = {
    "dcgan": {"latents": (["batch", LATENT_DIM], "tensor(float)")},
    "cgan": {
        "latents": (["batch", LATENT_DIM], "tensor(float)"),
        "labels": (["batch"], "tensor(int32)"),
    },
    "points": {"latents": (["batch", LATENT_DIM], "tensor(float)")},
    "cyclegan": {"pictures": (["batch", *SHAPE], "tensor(float)")},
}


@pytest.fixture(scope="module")
def models():
    return {name: build(seed=5) for name, build in MODELS.items()}


@pytest.fixture
def gives(monkeypatch):
    """Function of bytes that makes the converter return these."""
    return lambda content: monkeypatch.setattr(MODULE, "_convert", lambda *args: content)


def session(path):
    import onnxruntime

    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


def check_refused(model, path, match, error=ValueError, **kwargs):
    """Nothing is written: neither where there was nothing nor over an earlier file."""
    for earlier in (None, b"an earlier file"):
        if earlier:
            path.write_bytes(earlier)
        with pytest.raises(error, match=match):
            onnx(model, path, **{"allow_untrained": True, **kwargs})
        assert [p.read_bytes() for p in path.parent.iterdir()] == [earlier] * bool(earlier)


@needs_packages
@pytest.mark.parametrize("name", MODELS)
def test_samples_are_those_of_keras(models, tmp_path, name, capfd):
    model, path = models[name], tmp_path / "new" / "model.onnx"
    exported = onnx(model, str(path), allow_untrained=True)
    out, err = capfd.readouterr()
    assert len(out.splitlines()) == 1 and str(path) in out and "MB" in out
    assert not err
    assert exported.path == path and exported.bytes == path.stat().st_size
    assert exported.mean_error <= exported.max_error < 1e-4
    assert exported.quantization is None
    assert list(path.parent.iterdir()) == [path]

    made = session(path)
    assert {i.name: (i.shape, i.type) for i in made.get_inputs()} == INPUTS[name]
    output, shape = ("points", [2]) if name == "points" else ("images", list(SHAPE))
    assert [(o.name, o.shape, o.type) for o in made.get_outputs()] == [
        (output, ["batch", *shape], "tensor(float)")
    ]
    for num in (1, 5):
        rows = list(inputs_of(name, model, num).values())
        inputs = dict(zip(INPUTS[name], rows, strict=True))
        (samples,) = made.run([output], inputs)
        wanted = samples_of(model.sampler, inputs)
        assert wanted.std() > 0.2
        np.testing.assert_allclose(samples, wanted, atol=1e-4)


@needs_packages
def test_direction(models, tmp_path):
    model, path = models["cyclegan"], tmp_path / "back.onnx"
    onnx(model, path, direction="b_to_a", allow_untrained=True, verbose=False)
    given = pictures(2, seed=4)
    (made,) = session(path).run(None, {"pictures": given})
    np.testing.assert_allclose(made, model.generator_b_to_a(given), atol=1e-4)
    assert np.abs(made - model.generator_a_to_b(given)).mean() > 0.1


@needs_packages
def test_pictures_of_any_size(tmp_path):
    model, path = small_models.filter_of_any_size(), tmp_path / "filter.onnx"
    onnx(model, path, allow_untrained=True, verbose=False)
    for num, height, width in ((1, 5, 9), (2, 12, 7)):
        given = np.random.default_rng(0).uniform(-1, 1, (num, height, width, 3)).astype("float32")
        (made,) = session(path).run(["images"], {"pictures": given})
        np.testing.assert_allclose(made, model.filter(given), atol=1e-5)


@needs_packages
def test_average_is_exported_and_the_model_stays_as_it_was(tmp_path):
    model = small_models.gan_of_points(ema_decay=0.9, seed=5)
    small_models.lively(model.generator, seed=8)
    paths = [weight.path for weight in model.weights]
    inputs = inputs_of("points", model, 4)
    wanted = samples_of(model.ema_generator, inputs)
    onnx(model, tmp_path / "averaged.onnx", allow_untrained=True, verbose=False)
    (made,) = session(tmp_path / "averaged.onnx").run(None, inputs)
    np.testing.assert_allclose(made, wanted, atol=1e-5)
    assert np.abs(made - samples_of(model.generator, inputs)).mean() > 0.1
    assert [weight.path for weight in model.weights] == paths
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(samples_of(loaded.sampler, inputs), wanted)


@needs_packages
def test_other_files_are_refused(models, gives, tmp_path):
    other = small_models.lively(small_models.gan_of_points().generator, seed=1)
    other = MODULE._convert(other, models["points"].ports()["generate"], ["latents"])
    gives(b"no ONNX file")
    (tmp_path / "junk").mkdir()
    check_refused(models["points"], tmp_path / "junk" / "x.onnx", "does not run")
    gives(other)
    (tmp_path / "other").mkdir()
    check_refused(models["points"], tmp_path / "other" / "x.onnx", "must be those of Keras")


@pytest.fixture
def no_conversion(monkeypatch):
    def convert(*args):
        raise AssertionError("converted before all was checked")

    monkeypatch.setattr(MODULE, "_convert", convert)


def test_missing_packages(models, no_conversion, monkeypatch, tmp_path):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        MODULE.importlib.util, "find_spec", lambda name: None if name == "tf2onnx" else find(name)
    )
    match = r"pip install keras-gans\[onnx\].*without.*tf2onnx"
    check_refused(models["points"], tmp_path / "x.onnx", match, error=ImportError)


@needs_packages
def test_bad_arguments(models, no_conversion, tmp_path):
    path = tmp_path / "x.onnx"
    check_refused(models["points"], path, "must be trained", allow_untrained=False)
    path.unlink()
    check_refused(models["points"], path, "`direction` takes.*generate", direction="a_to_b")
    path.unlink()
    check_refused(models["cyclegan"], path, "`direction` takes", direction="c")
    path.unlink()
    diverged = small_models.gan_of_points()
    diverged.generator.weights[-1].assign([0.0, np.nan])
    check_refused(diverged, path, "finite weights")
    for bad, error in (
        (tmp_path / "x.tflite", ValueError),
        (tmp_path, ValueError),
        (7, ValueError),
        (path / "below" / "x.onnx", NotADirectoryError),
    ):
        with pytest.raises(error, match="`path`"):
            onnx(models["points"], bad, allow_untrained=True)
    assert list(tmp_path.iterdir()) == [path]
