"""What each model's class declares of its players and of what they report."""

import pytest

import keras_gans
from keras_gans import AdversarialModel, models

SHAPE = (8, 8, 1)
D, C, G = ("discriminator",), ("critic",), ("generator",)
WON = {"discriminator_loss": "generator_loss"}
LEVELS = ("2x2", "4x4", "8x8")

# judges, makers, contests, penalties, loss terms, and what is plain information
TABLE = {
    "GAN": (D, G, WON, {}, (), ()),
    "CGAN": (D, G, WON, {}, (), ()),
    "DCGAN": (D, G, WON, {}, (), ()),
    "LSGAN": (D, G, WON, {}, (), ()),
    "WGAN": (C, G, {}, {}, (), ()),
    "WGANGP": (C, G, {}, {"gradient_penalty": "critic"}, (), ()),
    "DRAGAN": (D, G, WON, {"gradient_penalty": "discriminator"}, (), ()),
    "R3GAN": (D, G, WON, {"r1": "discriminator", "r2": "discriminator"}, (), ()),
    "BEGAN": (D, G, {}, {}, (), ("k", "convergence")),
    "InfoGAN": (D, G, WON, {}, ("category_loss", "continuous_loss"), ()),
    "CycleGAN": (D, G, WON, {}, ("cycle_loss", "identity_loss"), ()),
    "LAPGAN": (
        D,
        G,
        WON | {f"discriminator_{size}": f"generator_{size}" for size in LEVELS},
        {},
        tuple(f"{player}_{size}" for player in D + G for size in LEVELS),
        (),
    ),
    "ProGAN": (D, G, {}, {"gradient_penalty": "discriminator"}, (), ("alpha",)),
    "ProGANLS": (D, G, WON, {}, (), ("alpha", "noise_strength")),
    "VAE": ((), ("autoencoder",), {}, {}, ("reconstruction_loss", "kl_divergence"), ()),
    "VAEGAN": (D, G, WON, {}, ("reconstruction_loss", "kl_divergence"), ()),
}


def build(name):
    model_class = getattr(models, name)
    num_classes = 3 if model_class.recipe.labelled else None
    latent_dim = None if model_class.recipe.latent_dim is None else 8
    return model_class.from_paper(SHAPE, num_classes=num_classes, latent_dim=latent_dim, seed=0)


def test_every_class_is_in_the_table():
    public = {name: getattr(keras_gans, name) for name in keras_gans.__all__}
    kinds = {
        n for n, v in public.items() if isinstance(v, type) and issubclass(v, AdversarialModel)
    }
    assert kinds - {"AdversarialModel"} == set(TABLE) == set(models.__all__)


@pytest.mark.parametrize("name", TABLE)
def test_roles(name):
    model = build(name)
    judges, makers, contests, penalties, loss_terms, information = TABLE[name]
    assert (model.judges, model.makers) == (judges, makers)
    assert dict(model.contests) == contests
    assert (dict(model.penalties), tuple(model.loss_terms)) == (penalties, loss_terms)
    assert sorted([*penalties, *loss_terms, *information]) == sorted(model.reported)
    # Every name that is declared is there, whatever the constructor checks.
    reported = {metric.name for metric in model.metrics}
    assert {*judges, *makers, *penalties.values()} <= set(model.players)
    assert {*contests, *contests.values(), *penalties, *loss_terms} <= reported
