"""From a paper to a model that trains: `from_paper`, of every class."""

import inspect
import itertools

import numpy as np
import pytest
from keras import tree
from small_networks import needed

import keras_gans
from keras_gans import AdversarialModel, models
from keras_gans.datasets import load
from keras_gans.families.growing import GrowingModel
from keras_gans.papers import Paper, Recipe
from keras_gans.training.kinds import Labels

PICTURE, POINT, LARGER = (8, 12, 2), (2,), (24, 12, 1)
SHAPES = {"pictures": PICTURE, "points": POINT, "larger": LARGER}
CLASSES = {name: getattr(models, name) for name in models.__all__}
EVERY = pytest.mark.parametrize("model_class", CLASSES.values(), ids=list(CLASSES))
PICTURES_ONLY = {"BEGAN", "LAPGAN", "ProGAN", "ProGANLS"}  # their networks are not for points
TRANSLATORS = {name: c for name, c in CLASSES.items() if c.recipe.latent_dim is None}
FROM_LATENTS = {name: c for name, c in CLASSES.items() if name not in TRANSLATORS}


def classes(model_class):
    return 3 if model_class.recipe.needs_classes else None


@EVERY
def test_default_networks_are_the_constructors(model_class):
    given = needed(model_class, PICTURE)
    networks = model_class.default_networks(PICTURE, classes(model_class), 8, seed=0, **given)
    model = model_class(**networks, seed=0)
    assert model.network_names == tuple(networks)  # in the order in which the paper has them
    built = model_class.from_paper(PICTURE, num_classes=classes(model_class), seed=0, **given)
    assert type(built) is getattr(keras_gans, model_class.__name__)
    assert built.network_names == model.network_names and built.seed == 0


@pytest.mark.parametrize("model_class", TRANSLATORS.values(), ids=list(TRANSLATORS))
def test_builds_and_translates(model_class):
    given = {**needed(model_class, PICTURE), **model_class.settings_for(7)}
    model = model_class.from_paper(PICTURE, seed=0, ema_decay=0.9, **given)
    assert (model.seed, model.ema_decay, getattr(model, "total_steps", 7)) == (0, 0.9, 7)
    assert model.latent_prior is None and model.num_classes is None
    scale, (height, width, channels) = model_class.recipe.scale or 1, PICTURE
    made = model.translate(np.zeros((2, *PICTURE), "uint8"))
    assert made.shape == (2, scale * height, scale * width, channels)
    kernels = [getattr(model, name).get_weights()[0].ravel() for name in model.network_names]
    assert all((a[:50] != b[:50]).all() for a, b in itertools.combinations(kernels, 2))
    with pytest.raises(ValueError, match="image_shape"):
        model_class.from_paper(POINT)


@pytest.mark.parametrize("model_class", FROM_LATENTS.values(), ids=list(FROM_LATENTS))
@pytest.mark.parametrize("shape", [PICTURE, POINT], ids=["pictures", "points"])
def test_builds_and_generates(model_class, shape):
    name, num_classes = model_class.__name__, classes(model_class)
    if shape == POINT and name in PICTURES_ONLY:
        with pytest.raises(ValueError, match="image_shape"):
            model_class.from_paper(shape, num_classes=num_classes)
        return
    model = model_class.from_paper(shape, num_classes=num_classes, seed=0)
    # Of models with several generators: those of the first one, which begins.
    generator, second = (tree.flatten(getattr(model, name))[0] for name in model.network_names[:2])
    latent_dim = model_class.recipe.latent_dim if shape == PICTURE else 16
    assert generator.inputs[0].shape[1:] == (latent_dim,)
    averages = [getattr(model, f"ema_{name}") for name in model.averaged]
    expected = model_class.recipe.settings.get("ema_decay") is None and name[:6] != "ProGAN"
    assert all((average is None) == expected for average in averages)
    made = model.generate(2, seed=1)
    assert isinstance(made, tuple) == (name == "CoGAN")
    for samples in made if isinstance(made, tuple) else (made,):
        assert samples.shape == (2, *shape)
        assert samples.dtype == ("uint8" if shape == PICTURE else "float32")
        assert np.isfinite(samples).all()
    takes_labels = any(isinstance(part, Labels) for part in model.data_spec())
    # InfoGAN has classes, and none in its data.
    assert takes_labels == model_class.recipe.needs_classes
    known = getattr(model, "num_categories", None), model.num_classes
    assert num_classes in known or not takes_labels
    latents = model.latent_shape  # logits, reconstructions or encodings
    judged = ((None, 1), (None, known[0]), (None, *shape), (None, *latents))
    assert second.outputs[0].shape in judged


@pytest.mark.parametrize("name", ["GAN", "CGAN"])
def test_arguments(name):
    model_class = CLASSES[name]
    given = {"num_classes": classes(model_class), "latent_dim": 5, "ema_decay": 0.9}
    one, same, other = (model_class.from_paper(POINT, **given, seed=seed) for seed in (4, 4, 5))
    assert one.latent_shape == (5,)
    assert one.ema_decay == 0.9 and one.ema_generator is not None
    np.testing.assert_array_equal(one.generate(2, seed=0), same.generate(2, seed=0))
    assert (one.generate(2, seed=0) != other.generate(2, seed=0)).all()


def test_settings_are_the_constructors():
    gan = models.WGANGP.from_paper(list(POINT), gp_weight=3.0, n_critic=2, name="mine", seed=1)
    assert (gan.gp_weight, gan.n_critic, gan.name, gan.seed) == (3.0, 2, "mine", 1)
    assert models.ProGAN.from_paper((8, 8, 1), latent_dim=4).ema_decay == 0.999
    assert models.ProGAN.from_paper((8, 8, 1), latent_dim=4, ema_decay=None).ema_decay is None
    with pytest.raises(TypeError, match="gp_wait"):
        models.WGANGP.from_paper(POINT, gp_wait=3.0)


def test_a_setting_of_networks_and_constructor():
    """`shared` is told to both: networks without sharing are taken only where that is wanted."""
    gan = models.CoGAN.from_paper((8, 12, 1), latent_dim=4, width=2, shared=False, seed=0)
    assert gan.shared is False and gan.shared_parameters()["generators"] == 0
    gan = models.CoGAN.from_paper((8, 12, 1), other_shape=(8, 12, 3), latent_dim=4, width=2)
    assert gan.generators.output_shape == [(None, 8, 12, 1), (None, 8, 12, 3)]


def test_without_a_shape_it_is_that_of_the_data():
    assert models.VAEGAN.from_paper(latent_dim=4).generator.output_shape == (None, 32, 32, 3)
    assert models.R3GAN.from_paper().generator.output_shape == (None, 2)
    gan = models.CGAN.from_paper(latent_dim=4)
    assert (gan.generator.output_shape, gan.num_classes) == ((None, 28, 28, 1), 10)
    assert models.CGAN.from_paper(latent_dim=4, num_classes=12).num_classes == 12


def test_it_trains():
    gan = models.WGANGP.from_paper(POINT, seed=0)
    kernels = [w for w in gan.trainable_variables if w.name == "kernel"]
    before = [np.array(w) for w in kernels]
    history = gan.fit(load("ring", batch_size=8), steps_per_epoch=2, verbose=0).history
    assert np.isfinite([history["critic_loss"], history["generator_loss"]]).all()
    assert all((np.array(w) != b).any() for w, b in zip(kernels, before, strict=True))
    assert gan.critic_optimizer.beta_2 == 0.9  # the paper's


# Growing models


def test_stages_of_progan():
    """16 pictures a minibatch up to 128 x 128, then 14, 6 and 3 (appendix A.1)."""
    for model_class in (models.ProGAN, models.ProGANLS):
        stages = model_class.stages((1024, 1024, 3))
        assert [shape for shape, _ in stages] == [(2**k, 2**k, 3) for k in range(2, 11)]
        assert [batch_size for _, batch_size in stages] == [16] * 6 + [14, 6, 3]
    assert models.ProGAN.stages((28, 28, 1), 5) == [((n, n, 1), 5) for n in (7, 14, 28)]


def test_networks_of_the_other_loss_have_noise():
    def noises(model_class):
        gan = model_class.from_paper((8, 8, 1), latent_dim=4, seed=0)
        assert not gan.fades
        names = [type(layer).__name__ for layer in gan.discriminator.layers]
        return names.count("MultiplicativeNoise")

    assert noises(models.ProGAN) == 0 < noises(models.ProGANLS)


def test_only_some_follow_the_length_of_a_training():
    assert models.CycleGAN.settings_for(7) == {"total_steps": 7}
    assert models.GAN.settings_for(7) == {}
    for model_class in CLASSES.values():
        arguments = inspect.signature(model_class).parameters
        assert model_class.settings_for(7).keys() <= arguments.keys()


def test_categories_of_infogan():
    networks = models.InfoGAN.default_networks(POINT, num_classes=4, latent_dim=6, seed=0)
    assert models.InfoGAN(**networks).num_classes == 4
    assert models.InfoGAN.from_paper(POINT).num_classes == 10


def test_classes_where_a_model_may_have_some():
    gan = models.LAPGAN.from_paper((16, 16, 1), num_classes=3, latent_dim=4, seed=0)
    assert gan.num_classes == 3 and len(gan.data_spec()) == 2
    assert models.LAPGAN.from_paper((16, 16, 1), latent_dim=4, seed=0).num_classes is None
    with pytest.raises(ValueError, match="`num_classes` must be an integer of at least 1"):
        models.LAPGAN.from_paper((16, 16, 1), num_classes=0)


def test_networks_of_cyclegan_are_the_authors():
    """Without scales, and with as many zeros on all sides."""
    gan = models.CycleGAN.from_paper((16, 16, 1), seed=0)
    for name in gan.network_names:
        kinds = [type(layer).__name__ for layer in getattr(gan, name).layers]
        assert ("Cropping2D" in kinds) == ("generator" in name)
        normalizations = [x for x in getattr(gan, name).layers if hasattr(x, "gamma")]
        assert normalizations and all(layer.gamma is None for layer in normalizations)


def test_networks_of_the_papers():
    """Batch normalization is not in WGAN-GP's critic, and not in R3GAN at all."""

    def normalized(name, model_class):
        network = model_class.default_networks((16, 16, 1), latent_dim=5, seed=0)[name]
        return [type(layer).__name__ for layer in network.layers]

    assert normalized("critic", models.WGANGP).count("GroupNormalization") == 1
    assert "BatchNormalization" not in normalized("critic", models.WGANGP)
    assert "BatchNormalization" not in normalized("discriminator", models.DRAGAN)
    assert normalized("critic", models.WGAN).count("BatchNormalization") == 1
    for name in ("generator", "discriminator"):
        found = normalized(name, models.R3GAN)
        assert {"BatchNormalization", "GroupNormalization"}.isdisjoint(found)


# What is refused


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("DCGAN", {"shape": (30, 30, 1)}, "`image_shape` must be"),
        ("GAN", {"shape": POINT, "seed": -1}, "`seed` must be"),
        ("GAN", {"shape": POINT, "latent_dim": 0}, "`latent_dim` must be"),
        ("GAN", {"shape": 28}, r"`shape` must be the shape of one sample.* Received: 28"),
        ("GAN", {"shape": ()}, r"`shape` must be .*\(H, W, C\) of pictures or \(d,\)"),
        ("GAN", {"shape": (28, 0, 1)}, r"`shape` must be .*Received: \(28, 0, 1\)"),
        ("GAN", {"shape": (2.0,)}, r"`shape` must be"),
        ("GAN", {"shape": (True,)}, r"`shape` must be"),
        ("CycleGAN", {}, "`shape` must be given: that of 'cycle_gan/horse2zebra'"),
        ("CycleGAN", {"shape": PICTURE, "latent_dim": 3}, "CycleGAN has no latents. Received: 3"),
        ("CGAN", {"shape": POINT}, "`num_classes` must be given: CGAN is conditional"),
        ("CGAN", {"shape": POINT, "num_classes": 0}, "`num_classes` must be an integer"),
        ("DCGAN", {"shape": (4, 4, 1), "num_classes": 3}, "DCGAN is not conditional. Received: 3"),
        ("InfoGAN", {"shape": POINT, "num_classes": 3}, "InfoGAN is not conditional"),
    ],
)
def test_what_is_refused(name, arguments, message):
    with pytest.raises(ValueError, match=message):
        CLASSES[name].from_paper(**arguments)


@pytest.mark.parametrize("model_class", [AdversarialModel, GrowingModel])
def test_a_class_without_a_paper(model_class):
    name = model_class.__name__
    with pytest.raises(ValueError, match=f"{name} must have a `paper` and a `recipe`"):
        model_class.from_paper(POINT)


# A paper of a user's own


class Own(AdversarialModel):
    players = {"discriminator": ("discriminator",), "generator": ("generator",)}
    paper = Paper(title="A", authors="B", year=2026, arxiv="2601.00001")
    recipe = Recipe(dataset="ring", batch_size=8, steps=10)


class Whole(Own):
    @classmethod
    def default_networks(cls, shape, num_classes=None, latent_dim=None, seed=None):
        return models.DCGAN.default_networks(shape, num_classes, latent_dim, seed)


def test_a_paper_of_a_users_own():
    with pytest.raises(NotImplementedError, match="Own must define `default_networks`"):
        Own.from_paper()
    assert Whole.from_paper(seed=0).generate(3, seed=0).shape == (3, 2)


def test_a_conditional_paper_of_a_users_own():
    """Its constructor is told of the classes: it need not read them off a network."""

    class Conditional(Whole):
        recipe = Recipe(dataset="ring", batch_size=8, steps=10, labelled=True)

        def __init__(self, generator, discriminator, num_classes, seed=None):
            super().__init__(generator=generator, discriminator=discriminator, seed=seed)
            self.num_classes = num_classes

    assert Conditional.from_paper().num_classes == 8
    assert Conditional.from_paper(POINT, num_classes=3).num_classes == 3


def test_a_derived_class_is_built_like_its_parent():
    derived = type("Mine", (models.LSGAN,), {})
    model = derived.from_paper(POINT, seed=0)
    assert type(model) is derived
    expected = models.LSGAN.from_paper(POINT, seed=0).generate(2, seed=0)
    np.testing.assert_array_equal(model.generate(2, seed=0), expected)


@pytest.mark.parametrize("name", ["DRAGAN", "LSGAN"])
def test_the_latents_of_the_authors(name):
    """U(-1, 1) in their code; by itself, and in files of before, the class has N(0, 1)."""
    model_class = getattr(models, name)
    model = model_class.from_paper((2,), seed=0)
    assert (model_class.latent_prior, model.latent_prior) == ("normal", "uniform")
    assert model_class.from_paper((2,), seed=0, latent_prior="normal").latent_prior == "normal"
    networks = {name: getattr(model, name) for name in model.network_names}
    assert model_class(**networks).latent_prior == "normal"
