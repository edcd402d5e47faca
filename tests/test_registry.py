"""The table of models: names are found, and every entry builds for pictures and for points."""

import re
import sys

import numpy as np
import pytest

import keras_gans
from keras_gans import datasets, models
from keras_gans.registry import MODELS, dcgan_networks, find, mlp_networks

PICTURE, POINT = (8, 12, 2), (2,)
EVERY = pytest.mark.parametrize("entry", MODELS.values(), ids=list(MODELS))


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
    assert set(MODELS) == {name for name in models.__all__ if name != "AdversarialModel"}


@EVERY
def test_entry(entry):
    assert re.fullmatch(r"\d{4}\.\d{4,5}", entry.arxiv)
    assert entry.arxiv in sys.modules[getattr(models, entry.name).__module__].__doc__
    assert entry.year >= 2014 and entry.title and entry.authors
    assert entry.batch_size >= 1 and entry.steps >= 1
    info = datasets.info(entry.dataset)
    assert not entry.labelled or info.num_classes


@EVERY
@pytest.mark.parametrize("shape", [PICTURE, POINT], ids=["pictures", "points"])
def test_builds_and_generates(entry, shape):
    model = entry.build(shape, num_classes=classes(entry), seed=0)
    assert type(model) is getattr(keras_gans, entry.name)
    assert model.latent_shape == ((100,) if shape == PICTURE else (16,))
    assert model.seed == 0 and model.ema_generator is None
    samples = model.generate(2, seed=1)
    assert samples.shape == (2, *shape)
    assert samples.dtype == ("uint8" if shape == PICTURE else "float32")
    assert np.isfinite(samples).all()
    assert model.num_classes == classes(entry)
    second = getattr(model, model.network_names[1])
    assert second.output_shape == (None, 1)


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
