"""Presets: a model that was trained comes back, to generate and to go on."""

import importlib.util
import json
import pathlib
import shutil

import harness
import keras
import numpy as np
import pytest
import tensorflow as tf
from cases import CASES

import keras_gans
from keras_gans import presets
from keras_gans.export.card import weights_sha256
from keras_gans.export.signatures import networks_of
from keras_gans.images import read_png
from keras_gans.training.ports import asked_together, makes_from_latents

ROOT = pathlib.Path(__file__).resolve().parent.parent
SAVED = ("CGAN", "BEGAN", "LAPGAN", "ProGAN", "CycleGAN", "VAE", "VAEGAN")


def case_of(name):
    return next(case for case in CASES if case.name == name)


@pytest.fixture(scope="session")  # tests of a module may come back to a process
def saved(tmp_path_factory):
    """`{name: (trained model, case)}` and the directory that holds them as presets."""
    root, models = tmp_path_factory.mktemp("presets"), {}
    for name in SAVED:
        case = case_of(name)
        # BEGAN's k and ProGAN's alpha are the model's own; averages differ from the networks.
        gan = harness.compile_sgd(case.build(ema_decay=0.5), case.rate, run_eagerly=True)
        harness.train(gan, case, 2)
        presets.save(gan, root / name, facts={"name": name})
        models[name] = gan
    return models, root


@pytest.mark.parametrize("name", SAVED)
def test_round_trip(name, saved):
    models, root = saved
    gan, case = models[name], case_of(name)
    loaded = presets.load(name, root)
    assert type(loaded) is type(gan) and loaded.preset == name
    assert harness.settings(loaded) == harness.settings(gan)
    np.testing.assert_array_equal(case.sample(loaded, 4, 1), case.sample(gan, 4, 1))
    assert weights_sha256(loaded) == weights_sha256(gan)
    for network_name in gan.network_names:
        # Training goes on from the average where there is one.
        source = f"ema_{network_name}" if network_name in gan.averaged else network_name
        for ours, theirs in zip(
            tf.nest.flatten(getattr(loaded, network_name)),
            tf.nest.flatten(getattr(gan, source)),
            strict=True,
        ):
            harness.assert_close(ours.get_weights(), theirs.get_weights(), 0)
    assert not loaded.compiled  # SGD trained it; `fit` takes the paper's optimizers
    for number in ("k", "pictures_seen"):
        assert hasattr(gan, number) == hasattr(loaded, number)
        if hasattr(gan, number):
            assert float(getattr(gan, number)) == float(getattr(loaded, number)) != 0


def test_a_preset_goes_on_training_and_can_be_exported(saved, tmp_path):
    _, root = saved
    case, loaded = case_of("CGAN"), presets.load("CGAN", root)
    keras_gans.export.savedmodel(loaded, tmp_path / "a")  # trained, though not by this process
    before = weights_sha256(loaded)
    harness.train(loaded, case, 1)
    assert weights_sha256(loaded) != before
    assert loaded.fit is not None and presets.card("CGAN", root)["steps_taken"] == 2


def test_networks_that_are_not_exported_and_have_no_average(tmp_path):
    case = case_of("VAE")
    gan = harness.compile_sgd(case.build(), case.rate)
    harness.train(gan, case, 1)
    loaded = presets.load(presets.save(gan, tmp_path / "vae"))
    harness.assert_close(loaded.encoder.get_weights(), gan.encoder.get_weights(), 0)


@pytest.mark.parametrize("name", ["VAE", pytest.param("InfoGAN", marks=pytest.mark.slow)])
def test_a_preset_whose_savedmodel_has_the_generator_alone(name, tmp_path, monkeypatch):
    """As they were before encoders were exported: the others' weights are in the state."""
    case = case_of(name)
    gan = case.build()
    harness.train(harness.compile_sgd(gan, case.rate), case, 1)
    with monkeypatch.context() as patch:
        patch.setattr(type(gan), "ports", keras_gans.AdversarialModel.ports)
        path = presets.save(gan, tmp_path / "old")
    assert set(json.loads((path / "1/card.json").read_text())["ports"]) == {"generate"}
    loaded = presets.load(path)
    again = presets.load(presets.save(loaded, tmp_path / "new"))
    assert len(json.loads((tmp_path / "new/1/card.json").read_text())["ports"]) > 1
    served = tf.saved_model.load(str(tmp_path / "new/1")).signatures
    port = {"VAE": "encode", "InfoGAN": "classify"}[name]
    pictures = gan.ports()[port].inputs[0].examples(5)
    answer = served[port](images=tf.constant(pictures))
    (made,) = answer.values()
    np.testing.assert_allclose(made, gan.ask(port, pictures), rtol=1e-5, atol=1e-6)
    for model in (loaded, again):
        for network in gan.network_names:
            ours, theirs = getattr(model, network), getattr(gan, network)
            harness.assert_close(ours.get_weights(), theirs.get_weights(), 0)


@keras.saving.register_keras_serializable("tests")
class WithALayer(keras_gans.GAN):
    """Has a layer beside its networks."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.layer = keras.layers.Dense(3)
        self.layer.build((None, 2))


class Unknown(keras.optimizers.SGD):
    """An optimizer that no other process knows."""


def small(cls=keras_gans.GAN):
    generator = keras_gans.networks.build_mlp_generator((2,), 3, (4,))
    gan = cls(generator, keras_gans.networks.build_mlp_discriminator((2,), (4,)), ema_decay=0.5)
    gan.compile(generator_optimizer=Unknown(0.1))
    gan.fit(np.zeros((8, 2), "float32"), steps_per_epoch=2, verbose=0)
    return gan


def test_layers_beside_the_networks_and_unknown_optimizers(tmp_path):
    gan = small(WithALayer)
    loaded = presets.load(presets.save(gan, tmp_path / "a"))
    harness.assert_close(loaded.layer.get_weights(), gan.layer.get_weights(), 0)


def test_a_strategy(two_replicas, tmp_path):
    gan = small()
    presets.save(gan, tmp_path / "one")
    with two_replicas.scope():
        loaded = presets.load(tmp_path / "one")
    np.testing.assert_array_equal(loaded.generate(3, seed=1), gan.generate(3, seed=1))
    loaded.fit(np.zeros((8, 2), "float32"), steps_per_epoch=3, verbose=0)
    again = presets.load(presets.save(loaded, tmp_path / "two"))
    np.testing.assert_array_equal(again.generate(3, seed=1), loaded.generate(3, seed=1))
    card = presets.card(tmp_path / "two")
    assert (card["preset"], card["steps_taken"]) == ("one", 3)


def test_what_is_being_written_is_no_preset(saved, tmp_path):
    _, root = saved
    shutil.copytree(root / "CGAN", tmp_path / ".CGAN.1234")
    assert presets.names(tmp_path) == []


@pytest.mark.parametrize(
    "file", ["training/state.index", "1/variables/variables.index", "training/config.json"]
)
def test_a_file_that_is_cut_short(file, saved, tmp_path):
    _, root = saved
    path = tmp_path / "CGAN"
    shutil.copytree(root / "CGAN", path)
    (path / file).write_bytes((path / file).read_bytes()[:30])
    with pytest.raises(ValueError, match=f"'{path}"):
        presets.load(path)


def test_a_class_that_is_not_known(saved, tmp_path):
    _, root = saved
    shutil.copytree(root / "CGAN", tmp_path / "CGAN")
    config = tmp_path / "CGAN/training/config.json"
    text = config.read_text().replace('"class_name": "CGAN"', '"class_name": "Nobody"')
    text = text.replace('"registered_name": "keras_gans>CGAN"', '"registered_name": "a>Nobody"')
    config.write_text(text.replace('"module": "keras_gans.models.cgan"', '"module": null'))
    with pytest.raises(ValueError, match=r"must be a model of known classes.*Nobody"):
        presets.load(tmp_path / "CGAN")


@pytest.mark.parametrize("config", ["{}", '{"class_name": "GAN"}', '{"config": {}, "module": 3}'])
def test_a_config_of_no_model(config, saved, tmp_path):
    _, root = saved
    shutil.copytree(root / "CGAN", tmp_path / "CGAN")
    (tmp_path / "CGAN/training/config.json").write_text(config)
    with pytest.raises(ValueError, match=f"'{tmp_path / 'CGAN'}"):
        presets.load(tmp_path / "CGAN")


def test_by_path_and_by_class(saved):
    models, root = saved
    for loaded in (presets.load(root / "CGAN"), keras_gans.CGAN.from_preset("CGAN", root)):
        np.testing.assert_array_equal(
            loaded.generate(3, seed=2), models["CGAN"].generate(3, seed=2)
        )
    with pytest.raises(ValueError, match="`name` must name a DCGAN"):
        keras_gans.DCGAN.from_preset("CGAN", root)


def test_errors(saved, tmp_path):
    models, root = saved
    assert presets.names(root) == sorted(SAVED)
    with pytest.raises(ValueError, match=r"presets BEGAN, CGAN, .*\. Received: 'nonsense'"):
        presets.load("nonsense", root)
    with pytest.raises(ValueError, match=r"presets \(none\), looked for in"):
        presets.load("CGAN", tmp_path)
    with pytest.raises(ValueError, match="`name` must be a path"):
        presets.load(3, root)
    with pytest.raises(FileExistsError, match="which exists"):
        presets.save(models["CGAN"], root / "CGAN")
    with pytest.raises(ValueError, match="`gan` must be trained"):
        presets.save(case_of("DCGAN").build(), tmp_path / "a")
    assert not any(tmp_path.iterdir())


def test_files_that_do_not_fit(saved, tmp_path):
    _, root = saved
    shutil.copytree(root / "CGAN", tmp_path / "mixed")
    shutil.rmtree(tmp_path / "mixed" / "1")
    shutil.copytree(root / "ProGAN" / "1", tmp_path / "mixed" / "1")
    with pytest.raises(ValueError, match="must hold a SavedModel of the model in"):
        presets.load(tmp_path / "mixed")


def test_a_state_with_other_networks(saved, tmp_path):
    _, root = saved
    shutil.copytree(root / "CGAN", tmp_path / "CGAN")
    tf.train.Checkpoint(weights=[]).write(str(tmp_path / "CGAN/training/state"))
    with pytest.raises(ValueError, match="must be as `save` wrote it"):
        presets.load(tmp_path / "CGAN")


# What ships


def shipped():
    spec = importlib.util.spec_from_file_location("built", ROOT / "tools/build_savedmodels.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.SHIPPED


OTHER_FILES = {"CycleGAN": "b_to_a", "CoGAN": "b", "SemiSupervisedAAE": "reconstruct"}
# InfoGAN's codes have no names.
TRAINED_ON_LABELS = ("CGAN", "LAPGAN", "SSGAN", "CatGAN", "SemiSupervisedAAE")


def test_all_that_should_ship_ships():
    root = ROOT / "savedmodels"
    assert presets.names(root) == sorted(shipped())
    size = sum(path.stat().st_size for path in root.rglob("*") if path.is_file())
    assert size < 90e6
    overview = (root / "README.md").read_text()
    for name, facts in shipped().items():
        path = root / name
        card = json.loads((path / "1" / "card.json").read_text())
        assert card["name"] == name and card["dataset_license"] and card["metrics"]
        assert card["steps_taken"] > 0
        assert bool(card.get("class_names")) == (card["model"] in TRAINED_ON_LABELS)
        assert read_png(path / "grid.png").min() < read_png(path / "grid.png").max()
        assert f"[`{name}`]({name}/README.md)" in overview
        tflite = [path.name for path in path.glob("*.tflite")]
        other = OTHER_FILES.get(card["model"])
        assert sorted(tflite) == ["model.tflite", *([f"model_{other}.tflite"] if other else [])]
        assert len(list(path.glob("inputs/*.png"))) == 16 * bool(facts.inputs)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(shipped()))
def test_a_shipped_model(name):
    """It comes back, is what its card says, and agrees with its SavedModel."""
    gan, card = keras_gans.load(name), presets.card(name)
    assert weights_sha256(gan) == card["weights_sha256"]
    served = tf.saved_model.load(str(ROOT / "savedmodels" / name / "1")).signatures
    together = asked_together(gan.ports()) if makes_from_latents(gan) else {}
    for direction in networks_of(gan):
        if not direction or direction in together:
            labels = {} if gan.num_classes is None else {"labels": tf.constant([1], tf.int64)}
            sample = served[f"sample_{direction}" if direction else "sample"]
            made = sample(seeds=tf.constant([5], tf.int64), **labels)["images"]
            given = {} if gan.num_classes is None else {"labels": 1}
            port = direction or next(iter(together))
            expected = gan.generate(1, seed=5, port=port, **given)
        elif direction == "reconstruct":
            pictures = gan.generate(1, seed=6)
            made = served[direction](images=tf.constant(pictures))["images"]
            expected = gan.reconstruct(pictures)
        else:
            side, to = direction[0], direction[-1]
            pictures = read_png(ROOT / "savedmodels" / name / "inputs" / f"{side}_0.png")[None]
            made = served[direction](images=tf.constant(pictures))["images"]
            expected = gan.translate(pictures, to=to)
        np.testing.assert_array_equal(made, expected)
