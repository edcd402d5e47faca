"""MRGAN's own: both forms by finite differences, the sign of its mode term, errors."""

import harness
import keras
import numpy as np
import pytest
import tensorflow as tf
from harness import SHAPE
from keras import layers

from keras_gans import MDGAN, MRGAN, models
from keras_gans.networks import (
    build_dcgan_generator,
    build_mlp_discriminator,
    build_mlp_encoder,
    build_mlp_generator,
)


def mrgan_networks():
    """A generator with batch normalization, and small others."""
    return (
        build_dcgan_generator(SHAPE, 6, width=4, seed=1),
        build_mlp_discriminator(SHAPE, (8,), seed=2),
        build_mlp_encoder(SHAPE, 6, (8,), seed=3, gaussian=False),
    )


def mdgan_networks():
    generator, discriminator, encoder = mrgan_networks()
    return generator, discriminator, build_mlp_discriminator(SHAPE, (8,), seed=4), encoder


CASES = [
    harness.case(
        MRGAN,
        mrgan_networks,
        bad_arguments=[
            ({"reconstruction_weight": -1}, "reconstruction_weight"),
            ({"mode_weight": None}, "mode_weight"),
        ],
    ),
    harness.case(
        MDGAN, mdgan_networks, bad_arguments=[({"manifold_weight": -0.1}, "manifold_weight")]
    ),
]

ROLES = {
    "MRGAN": harness.Roles(
        contests=harness.LOGITS, loss_terms=("reconstruction_loss", "mode_loss")
    ),
    "MDGAN": harness.Roles(
        judges=("manifold_discriminator", "diffusion_discriminator"),
        makers=("autoencoder", "generator"),
        contests={
            "manifold_discriminator_loss": "autoencoder_loss",
            "diffusion_discriminator_loss": "generator_loss",
        },
        loss_terms=("reconstruction_loss",),
    ),
}

POINTS, LATENTS, BATCH, RATE = 3, 2, 6, 0.1


def affine(inputs, outputs, seed):
    """x A, with N(0, 1/4) numbers in A."""
    x = keras.Input((inputs,))
    network = keras.Model(x, layers.Dense(outputs, use_bias=False)(x))
    network.set_weights([0.5 * np.random.default_rng(seed).normal(size=(inputs, outputs))])
    return network


def affine_networks(judges):
    return (
        affine(LATENTS, POINTS, 0),
        *(affine(POINTS, 1, 10 + k) for k in range(judges)),
        affine(POINTS, LATENTS, 1),
    )


def weight(network):
    return np.array(network.get_weights()[0], "float64")


def reals():
    return np.random.default_rng(5).normal(size=(BATCH, POINTS)).astype("float32")


def softplus(x):
    return np.log1p(np.exp(x)).mean()


def draws(model_class, judges, num):
    """The latents that a model of seed 3 draws."""
    twin = model_class(*affine_networks(judges), seed=3)
    return [np.array(twin.sample_latents(reals()), "float64") for _ in range(num)]


def gradient(function, w):
    found = np.zeros_like(w)
    for index in np.ndindex(w.shape):
        step = np.zeros_like(w)
        step[index] = 1e-5
        found[index] = (function(w + step) - function(w - step)) / 2e-5
    return found


def step_of(model):
    harness.compile_sgd(model, rate=RATE)
    return model.fit(tf.data.Dataset.from_tensors(reals()), verbose=0, steps_per_epoch=1).history


def test_mrgan_by_finite_differences():
    """Section 3.1: D on samples alone; then E on R, and G on R and its own samples, at once."""
    model = MRGAN(*affine_networks(1), reconstruction_weight=0.3, mode_weight=0.7, seed=3)
    g, d, e = (weight(n) for n in (model.generator, model.discriminator, model.encoder))
    x, (z, again) = reals().astype("float64"), draws(MRGAN, 1, 2)
    logs = step_of(model)

    def d_loss(d):
        return softplus(-x @ d) + softplus(z @ g @ d)

    def regularizer(g, e, d):
        made = x @ e @ g
        return 0.3 * ((made - x) ** 2).mean() + 0.7 * softplus(-made @ d)

    def g_loss(g, d):
        return softplus(-again @ g @ d) + regularizer(g, e, d)

    new_d = d - RATE * gradient(d_loss, d)
    np.testing.assert_allclose(weight(model.discriminator), new_d, atol=1e-5)
    new_g = g - RATE * gradient(lambda g: g_loss(g, new_d), g)
    np.testing.assert_allclose(weight(model.generator), new_g, atol=1e-5)
    new_e = e - RATE * gradient(lambda e: regularizer(g, e, new_d), e)
    np.testing.assert_allclose(weight(model.encoder), new_e, atol=1e-5)
    assert min(np.abs(a - b).max() for a, b in ((g, new_g), (d, new_d), (e, new_e))) > 3e-3
    assert logs["discriminator_loss"][0] == pytest.approx(d_loss(d), rel=1e-5)
    assert logs["generator_loss"][0] == pytest.approx(g_loss(g, new_d), rel=1e-5)
    assert logs["encoder_loss"][0] == pytest.approx(regularizer(g, e, new_d), rel=1e-5)
    made = x @ e @ g
    assert logs["reconstruction_loss"][0] == pytest.approx(((made - x) ** 2).mean(), rel=1e-5)
    assert logs["mode_loss"][0] == pytest.approx(softplus(-made @ new_d), rel=1e-5)


def test_mdgan_by_finite_differences():
    """Algorithm 1: D_1, then E and G together; D_2 on what they now make, then G alone."""
    model = MDGAN(*affine_networks(2), manifold_weight=0.7, seed=3)
    names = ("generator", "manifold_discriminator", "diffusion_discriminator", "encoder")
    g, d1, d2, e = (weight(getattr(model, name)) for name in names)
    x, (*_, z, again) = reals().astype("float64"), draws(MDGAN, 2, 4)
    logs = step_of(model)

    def d1_loss(d):
        return softplus(-x @ d) + softplus(x @ e @ g @ d)

    new_d1 = d1 - RATE * gradient(d1_loss, d1)

    def manifold(g, e):
        made = x @ e @ g
        return ((made - x) ** 2).mean() + 0.7 * softplus(-made @ new_d1)

    new_e = e - RATE * gradient(lambda e: manifold(g, e), e)
    middle_g = g - RATE * gradient(lambda g: manifold(g, e), g)

    def d2_loss(d):
        return softplus(-x @ new_e @ middle_g @ d) + softplus(z @ middle_g @ d)

    new_d2 = d2 - RATE * gradient(d2_loss, d2)

    def diffusion(g):
        return softplus(-again @ g @ new_d2)

    new_g = middle_g - RATE * gradient(diffusion, middle_g)
    for name, new, old in zip(
        names, (new_g, new_d1, new_d2, new_e), (middle_g, d1, d2, e), strict=True
    ):
        np.testing.assert_allclose(weight(getattr(model, name)), new, atol=1e-5)
        assert np.abs(new - old).max() > 1e-3
    expected = {
        "manifold_discriminator_loss": d1_loss(d1),
        "autoencoder_loss": manifold(g, e),
        "diffusion_discriminator_loss": d2_loss(d2),
        "generator_loss": diffusion(middle_g),
        "reconstruction_loss": ((x @ e @ g - x) ** 2).mean(),
    }
    assert {name: logs[name][0] for name in expected} == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("moving", ["generator", "encoder"])
def test_a_step_makes_reconstructions_look_more_real(moving):
    """The sign as one derives it: D(G(E(x))) rises. With the one that is printed it falls."""
    model = MRGAN(*affine_networks(1), reconstruction_weight=0.0, mode_weight=100.0, seed=3)
    rates = {player: 0.05 * (player == moving) for player in model.players}
    model.compile(**{f"{p}_optimizer": keras.optimizers.SGD(r) for p, r in rates.items()})
    scores = []
    for _ in range(2):
        logits = reals() @ weight(model.encoder) @ weight(model.generator)
        scores.append((1 / (1 + np.exp(-logits @ weight(model.discriminator)))).mean())
        model.fit(tf.data.Dataset.from_tensors(reals()), verbose=0, steps_per_epoch=1)
    assert scores[1] > scores[0] + 1e-3


def test_samples_and_reconstructions_have_one_batch_statistic():
    """What G makes of z depends on the other half of its batch: moments are of both."""
    model = MRGAN(*mrgan_networks(), seed=0)
    x = np.random.default_rng(0).uniform(-1, 1, (4, *SHAPE)).astype("float32")
    twin = MRGAN(*mrgan_networks(), seed=0)
    latents = np.concatenate([twin.sample_latents(x), twin.encoder(x, training=True)])
    expected = np.array(twin.generator(latents, training=True))
    fakes, reconstructions = model.make(x)
    np.testing.assert_allclose(np.concatenate([fakes, reconstructions]), expected, atol=1e-6)
    alone = np.array(twin.generator(latents[:4], training=True))
    assert np.abs(alone - expected[:4]).max() > 1e-3


def test_paper_settings():
    for case in CASES:
        for config in harness.optimizer_settings(case.build()).values():
            assert config["learning_rate"] == pytest.approx(2e-4) and config["beta_1"] == 0.5
    gan = MRGAN(*mrgan_networks())
    assert (gan.reconstruction_weight, gan.mode_weight) == (0.2, 0.4)
    assert MRGAN.from_paper((2,)).reconstruction_weight == 10
    assert MDGAN(*mdgan_networks()).manifold_weight == 0.01
    assert models.MDGAN.paper == models.MRGAN.paper and gan.latent_prior == "normal"


def test_two_judges_of_one_seed_begin_differently():
    gan = MDGAN.from_paper((2,), latent_dim=4, seed=0)
    first, second = gan.manifold_discriminator, gan.diffusion_discriminator
    assert (first.get_weights()[0] != second.get_weights()[0]).all()
    again = MDGAN.from_paper((2,), latent_dim=4, seed=0)
    for name in gan.network_names:
        np.testing.assert_array_equal(
            getattr(gan, name).get_weights()[0], getattr(again, name).get_weights()[0]
        )


@pytest.mark.parametrize("case", CASES, ids=["MRGAN", "MDGAN"])
def test_encode_decode_reconstruct(case):
    model = case.build(ema_decay=0.9)
    pictures = np.random.default_rng(0).integers(0, 256, (5, *SHAPE), "uint8")
    latents = model.encode(pictures)
    expected = model.ema_encoder(pictures / 127.5 - 1, training=False)
    np.testing.assert_allclose(latents, expected, atol=1e-4)
    np.testing.assert_array_equal(model.reconstruct(pictures), model.decode(latents))


def test_bad_networks():
    generator, discriminator = build_mlp_generator((3,), 2, (4,)), build_mlp_discriminator((3,))
    plain = build_mlp_encoder((3,), 2, (4,), gaussian=False)
    gaussian = build_mlp_encoder((3,), 2, (4,))
    other = build_mlp_discriminator((4,))
    for networks, match in (
        ((discriminator, gaussian), r"the output \[latents\]"),
        ((discriminator, build_mlp_encoder((3,), 5, gaussian=False)), r"latents, \(2,\)"),
        ((other, plain), "`discriminator` must take samples"),
    ):
        with pytest.raises(ValueError, match=match):
            MRGAN(generator, *networks)
    for networks, match in (
        ((other, discriminator, plain), "`manifold_discriminator` must take samples"),
        ((discriminator, other, plain), "`diffusion_discriminator` must take samples"),
        ((discriminator, discriminator, gaussian), r"the output \[latents\]"),
    ):
        with pytest.raises(ValueError, match=match):
            MDGAN(generator, *networks)
