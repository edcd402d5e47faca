"""The table of models: names are found, and every entry builds for pictures and for points."""

import itertools
import re
import sys

import numpy as np
import pytest
from keras import tree

import keras_gans
from keras_gans import datasets, models
from keras_gans.kinds import Labels
from keras_gans.registry import MODELS, UnpairedEntry, dcgan_networks, find, mlp_networks

PICTURE, POINT = (8, 12, 2), (2,)
PICTURES_ONLY = {"BEGAN", "LAPGAN", "ProGAN"}  # their networks are not made for points
EVERY = pytest.mark.parametrize("entry", MODELS.values(), ids=list(MODELS))
UNPAIRED = {name: e for name, e in MODELS.items() if isinstance(e, UnpairedEntry)}
FROM_LATENTS = {name: e for name, e in MODELS.items() if name not in UNPAIRED}


def classes(entry):
    return 3 if entry.labelled else None


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("GAN", "GAN"),
        ("gan", "GAN"),
        ("DcGan", "DCGAN"),
        ("dc-gan", "DCGAN"),
        ("LS_GAN", "LSGAN"),
        ("WGANGP", "WGANGP"),
        ("wgan-gp", "WGANGP"),
        ("WGAN_GP", "WGANGP"),
        ("wgan", "WGAN"),
        ("c-gan", "CGAN"),
        ("info-gan", "InfoGAN"),
        ("vae", "VAE"),
        ("vae-gan", "VAEGAN"),
        ("cycle-gan", "CycleGAN"),
    ],
)
def test_find(name, found):
    assert find(name) is MODELS[found]


@pytest.mark.parametrize(
    ("name", "nearest"), [("lsgn", "LSGAN"), ("WGAN GP", "WGANGP"), ("dcgann", "DCGAN")]
)
def test_find_names_the_nearest(name, nearest):
    with pytest.raises(ValueError, match=rf"{name!r}\. Did you mean {nearest}") as error:
        find(name)
    assert str(error.value).count("?") == 1


@pytest.mark.parametrize("name", ["xyzzy", "", None, 3])
def test_find_of_nothing_like_it(name):
    with pytest.raises(ValueError) as error:
        find(name)
    assert repr(name) in str(error.value)
    assert "Did you mean" not in str(error.value)
    for known in MODELS:
        assert known in str(error.value)


def test_table_is_complete():
    """Every model of the package has its entry, under its own name."""
    assert [entry.name for entry in MODELS.values()] == list(MODELS)
    others = {"AdversarialModel", "ProGANLS"}  # the latter is ProGAN with another loss
    assert set(MODELS) == set(models.__all__) - others


@EVERY
def test_entry(entry, tmp_path):
    assert re.fullmatch(r"\d{4}\.\d{4,5}", entry.arxiv)
    assert entry.arxiv in sys.modules[getattr(models, entry.name).__module__].__doc__
    assert entry.year >= 2014 and entry.title and entry.authors
    assert entry.batch_size >= 1 and entry.steps >= 1
    if entry.dataset not in datasets.names():  # it must be downloaded, and the error says how
        with pytest.raises(FileNotFoundError, match=rf"tfds.load\('{entry.dataset}'"):
            datasets.info(entry.dataset, data_dir=tmp_path)
        return
    info = datasets.info(entry.dataset)
    assert not entry.labelled or info.num_classes


@pytest.mark.parametrize("entry", UNPAIRED.values(), ids=list(UNPAIRED))
def test_builds_and_translates(entry):
    model = entry.build(PICTURE, ema_decay=0.9, seed=0, total_steps=7)
    assert type(model) is getattr(keras_gans, entry.name)
    assert (model.seed, model.ema_decay, model.total_steps) == (0, 0.9, 7)
    assert model.latent_prior is None and model.num_classes is None
    assert model.translate(np.zeros((2, *PICTURE), "uint8")).shape == (2, *PICTURE)
    kernels = [getattr(model, name).get_weights()[0].ravel() for name in model.network_names]
    assert all((a[:50] != b[:50]).all() for a, b in itertools.combinations(kernels, 2))
    assert len(entry.splits) == 2
    with pytest.raises(ValueError, match="image_shape"):
        entry.build(POINT)


@pytest.mark.parametrize("entry", FROM_LATENTS.values(), ids=list(FROM_LATENTS))
@pytest.mark.parametrize("shape", [PICTURE, POINT], ids=["pictures", "points"])
def test_builds_and_generates(entry, shape):
    if shape == POINT and entry.name in PICTURES_ONLY:
        with pytest.raises(ValueError, match="image_shape"):
            entry.build(shape, num_classes=classes(entry))
        return
    model = entry.build(shape, num_classes=classes(entry), seed=0)
    assert type(model) is getattr(keras_gans, entry.name)
    # Of models with several generators: those of the first one, which begins.
    generator, second = (tree.flatten(getattr(model, name))[0] for name in model.network_names[:2])
    assert generator.inputs[0].shape[1:] == ((100,) if shape == PICTURE else (16,))
    assert model.seed == 0
    averages = [getattr(model, f"ema_{name}") for name in model.averaged]
    assert all((average is None) == (entry.name != "ProGAN") for average in averages)
    samples = model.generate(2, seed=1)
    assert samples.shape == (2, *shape)
    assert samples.dtype == ("uint8" if shape == PICTURE else "float32")
    assert np.isfinite(samples).all()
    takes_labels = any(isinstance(part, Labels) for part in model.data_spec())
    assert takes_labels == entry.labelled  # InfoGAN has classes, and none in its data
    assert model.num_classes == classes(entry) or not takes_labels
    latents = model.latent_shape  # logits, reconstructions or encodings
    assert second.outputs[0].shape in ((None, 1), (None, *shape), (None, *latents))


def test_stages_of_progan():
    """16 pictures a minibatch up to 128 x 128, then 14, 6 and 3 (appendix A.1)."""
    stages = MODELS["ProGAN"].stages((1024, 1024, 3))
    assert [shape for shape, _ in stages] == [(2**k, 2**k, 3) for k in range(2, 11)]
    assert [batch_size for _, batch_size in stages] == [16] * 6 + [14, 6, 3]
    assert MODELS["ProGAN"].stages((28, 28, 1), 5) == [((n, n, 1), 5) for n in (7, 14, 28)]


@pytest.mark.parametrize("name", ["GAN", "CGAN"])
def test_build_arguments(name):
    entry = MODELS[name]
    build = {"shape": POINT, "num_classes": classes(entry), "latent_dim": 5, "ema_decay": 0.9}
    one, same, other = (entry.build(**build, seed=seed) for seed in (4, 4, 5))
    assert one.latent_shape == (5,)
    assert one.ema_decay == 0.9 and one.ema_generator is not None
    np.testing.assert_array_equal(one.generate(2, seed=0), same.generate(2, seed=0))
    assert (one.generate(2, seed=0) != other.generate(2, seed=0)).all()


def names(network):
    return [type(layer).__name__ for layer in network.layers]


def test_networks_of_the_papers():
    """Batch normalization is not in WGAN-GP's critic; the first GAN's D has maxout and dropout."""
    _, critic = MODELS["WGANGP"].networks((16, 16, 1), 5, None, 0)
    assert names(critic).count("GroupNormalization") == 1
    assert "BatchNormalization" not in names(critic)
    generator, discriminator = dcgan_networks((16, 16, 1), 5, None, 0)
    assert names(generator).count("BatchNormalization") == 2
    assert names(discriminator).count("BatchNormalization") == 1
    _, discriminator = mlp_networks(PICTURE, 5, None, 0)
    assert names(discriminator).count("Maxout") == names(discriminator).count("Dropout") == 2
    _, discriminator = mlp_networks(POINT, 5, None, 0)
    assert {"Maxout", "Dropout", "BatchNormalization"}.isdisjoint(names(discriminator))


def test_bad_shapes_and_missing_classes():
    with pytest.raises(ValueError, match="image_shape"):
        MODELS["DCGAN"].build((30, 30, 1))
    with pytest.raises(ValueError, match="num_classes"):
        MODELS["CGAN"].build(POINT)
    with pytest.raises(ValueError, match="seed"):
        MODELS["GAN"].build(POINT, seed=-1)
    with pytest.raises(ValueError, match="latent_dim"):
        MODELS["GAN"].build(POINT, latent_dim=0)


def test_one_seed_does_not_give_two_networks_the_same_numbers():
    model = find("GAN").build((2,), seed=0)
    kernels = [
        [np.array(w) for w in network.weights if w.name == "kernel"]
        for network in (model.generator, model.discriminator)
    ]
    for mine in kernels[0]:
        for other in kernels[1]:
            size = min(mine.size, other.size, 500)
            pair = mine.ravel()[:size], other.ravel()[:size]
            assert abs(np.corrcoef(*pair)[0, 1]) < 0.5 or size < 20


def test_classes_are_refused_where_there_are_no_labels():
    with pytest.raises(ValueError, match="num_classes"):
        find("dcgan").build((4, 4, 1), num_classes=3)
