"""The models by name."""

import pytest

import keras_gans
from keras_gans import models, papers
from keras_gans.registry import MODELS, find


def test_every_listed_class_is_there_under_its_own_name():
    assert list(MODELS) == list(papers.listed())
    assert all(MODELS[name] is getattr(keras_gans, name) for name in MODELS)
    assert all(MODELS[name].__name__ == name for name in MODELS)


def test_table_is_complete():
    """Every model of the package is there; ProGANLS and MDGAN are second forms."""
    assert set(MODELS) == set(models.__all__) - {"ProGANLS", "MDGAN"}
    assert {name for name in models.__all__ if getattr(models, name).recipe.listed} == set(MODELS)


@pytest.mark.parametrize(
    ("name", "found"), [("gan", "GAN"), ("wgan-gp", "WGANGP"), ("LS_GAN", "LSGAN")]
)
def test_find(name, found):
    """What `papers.find` finds, as a class."""
    assert find(name) is getattr(models, found)


def test_find_names_the_nearest():
    with pytest.raises(ValueError, match=r"'wgan-pg'\. Did you mean .*WGANGP"):
        find("wgan-pg")
