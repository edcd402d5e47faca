"""VAE/GAN's own: Algorithm 1 by finite differences, where losses lead to, errors."""

import harness
import keras
import numpy as np
import pytest
import tensorflow as tf
from harness import SHAPE
from keras import layers
from small_networks import vae_pair

from keras_gans import VAEGAN
from keras_gans.networks import (
    build_dcgan_discriminator,
    build_dcgan_encoder,
    build_dcgan_generator,
)
from keras_gans.optimizers import PausingRMSprop


def vaegan_networks():
    """Small features, as a sum over all of them would be too much for the harness's SGD."""
    generator, encoder = vae_pair()
    discriminator = build_dcgan_discriminator(harness.SHAPE, width=4, return_features=True, seed=2)
    logits, features = discriminator.outputs
    features = keras.layers.Rescaling(0.02)(features)
    return generator, keras.Model(discriminator.inputs, [logits, features]), encoder


CASES = [
    harness.case(
        VAEGAN,
        vaegan_networks,
        bad_arguments=[
            ({"reconstruction_weight": -1}, "reconstruction_weight"),
            ({"margin": 0}, "margin"),
            ({"equilibrium": None}, "equilibrium"),
            ({"non_saturating": 1}, "non_saturating"),
        ],
    ),
]

ROLES = {
    "VAEGAN": harness.Roles(
        contests=harness.LOGITS, loss_terms=("reconstruction_loss", "kl_divergence")
    )
}

POINTS, LATENTS, FEATURES, BATCH = 3, 2, 4, 6
RATE, GAMMA = 0.01, 0.2


def affine_networks():
    """G: z B; D: features x W, logits f v; the encoder: mean x A, log-variance x C."""
    rng = np.random.default_rng(0)

    def dense(units, name):
        return layers.Dense(units, use_bias=False, name=name)

    latents, samples = keras.Input((LATENTS,)), keras.Input((POINTS,))
    generator = keras.Model(latents, dense(POINTS, "b")(latents))
    features = dense(FEATURES, "w")(samples)
    discriminator = keras.Model(samples, [dense(1, "v")(features), features])
    heads = [dense(LATENTS, name)(samples) for name in ("a", "c")]
    networks = generator, discriminator, keras.Model(samples, heads)
    for network in networks:
        network.set_weights([0.5 * rng.normal(size=w.shape) for w in network.get_weights()])
    return networks


def algorithm_1(b, w, v, a, c, x, noise, prior):
    """The losses of the paper by numpy, with equal parts of reals and fakes in L_GAN."""
    mean, sigma = x @ a, np.exp(x @ c / 2)
    reconstructions, samples = (mean + sigma * noise) @ b, prior @ b
    l_prior = ((mean**2 + sigma**2 - 1) / 2 - np.log(sigma)).sum(axis=1).mean()
    l_llike = ((x @ w - reconstructions @ w) ** 2).sum(axis=1).mean() / 2
    dis = [1 / (1 + np.exp(-s @ w @ v)) for s in (x, reconstructions, samples)]
    l_gan = np.log(dis[0]).mean() + 0.5 * (np.log(1 - dis[1]) + np.log(1 - dis[2])).mean()
    non_saturating = -0.5 * (np.log(dis[1]) + np.log(dis[2])).mean()
    return {
        "encoder": l_prior + l_llike,
        "generator": GAMMA * l_llike + non_saturating,
        "discriminator": -l_gan,
        "reconstruction": l_llike,
        "kl": l_prior,
    }


def test_step_by_finite_differences():
    """Each network moves on its own loss alone, and all of them from where they all were."""
    model = VAEGAN(*affine_networks(), reconstruction_weight=GAMMA, seed=3)
    harness.compile_sgd(model, rate=RATE)
    x = np.random.default_rng(1).normal(size=(BATCH, POINTS)).astype("float32")
    twin = VAEGAN(*affine_networks(), seed=3)  # draws what `model` will
    drawn = [np.array(twin.sample_latents(x), "float64") for _ in range(2)]
    networks = (model.generator, model.discriminator, model.encoder)
    before = [np.array(w, "float64") for net in networks for w in net.get_weights()]
    logs = model.fit(tf.data.Dataset.from_tensors(x), verbose=0, steps_per_epoch=1).history

    losses = algorithm_1(*before, x, *drawn)
    for player in model.players:
        assert logs[f"{player}_loss"][0] == pytest.approx(losses[player], rel=1e-5)
    assert logs["reconstruction_loss"][0] == pytest.approx(losses["reconstruction"], rel=1e-5)
    assert logs["kl_divergence"][0] == pytest.approx(losses["kl"], rel=1e-5)

    players = ["generator", "discriminator", "discriminator", "encoder", "encoder"]
    after = [w for net in networks for w in net.get_weights()]
    for k, (player, old, new) in enumerate(zip(players, before, after, strict=True)):
        gradient = np.zeros_like(old)
        for index in np.ndindex(old.shape):
            step = np.zeros_like(old)
            step[index] = 1e-5
            up, down = (
                algorithm_1(*before[:k], old + s, *before[k + 1 :], x, *drawn)[player]
                for s in (step, -step)
            )
            gradient[index] = (up - down) / 2e-5
        np.testing.assert_allclose(new, old - RATE * gradient, atol=1e-5)
        assert np.abs(RATE * gradient).max() > 1e-4


def test_one_batch_of_reals_reconstructions_and_samples():
    """The discriminator sees all in one call; G makes the two kinds of fakes in one call too."""
    model = harness.compile_sgd(
        VAEGAN(*affine_networks(), reconstruction_weight=GAMMA, seed=3), run_eagerly=True
    )
    seen, made = [], []
    discriminator, generator = model.discriminator.call, model.generator.call
    model.discriminator.call = lambda x, **kw: seen.append(np.array(x)) or discriminator(x, **kw)
    model.generator.call = lambda z, **kw: made.append(np.array(z)) or generator(z, **kw)
    weights = model.generator.get_weights()[0]
    x = np.random.default_rng(1).normal(size=(BATCH, POINTS)).astype("float32")
    model.train_step(tf.constant(x))
    (batch,), (latents,) = seen, made
    np.testing.assert_array_equal(batch[:BATCH], x)
    np.testing.assert_allclose(batch[BATCH:], latents @ weights, atol=1e-5)
    assert len({row.tobytes() for row in latents}) == 2 * BATCH


def test_paper_defaults():
    model = VAEGAN(*affine_networks())
    model.compile()
    for player in ("encoder", "generator", "discriminator"):
        optimizer = model.optimizer_of(player)
        assert isinstance(optimizer, keras.optimizers.RMSprop)
        assert float(optimizer.learning_rate) == pytest.approx(3e-4)
        assert optimizer.momentum == 0
    assert model.latent_prior == "normal"
    assert model.averaged == ("encoder", "generator")


def test_encodes_and_decodes():
    model = VAEGAN(
        build_dcgan_generator(SHAPE, 6, width=4, seed=1),
        build_dcgan_discriminator(SHAPE, width=4, return_features=True, seed=2),
        build_dcgan_encoder(SHAPE, 6, width=4, seed=3),
    )
    x = np.random.default_rng(3).uniform(-1, 1, (5, *SHAPE)).astype("float32")
    latents = model.encode(x)
    assert latents.shape == (5, 6)
    np.testing.assert_array_equal(model.reconstruct(x), model.decode(latents))
    assert model.reconstruct(x).shape == x.shape


def test_bad_networks():
    generator, discriminator, encoder = affine_networks()
    logits = keras.Model(discriminator.inputs, discriminator.outputs[0])
    with pytest.raises(ValueError, match=r"`discriminator` must have.*features.*1 output"):
        VAEGAN(generator, logits, encoder)
    with pytest.raises(ValueError, match=r"`encoder` must have.*log-variance"):
        VAEGAN(generator, discriminator, keras.Model(encoder.inputs, encoder.outputs[0]))
    with pytest.raises(ValueError, match="`discriminator` must take samples"):
        VAEGAN(generator, build_dcgan_discriminator(SHAPE, width=4, return_features=True), encoder)
    for weight in (0, -1, None):
        with pytest.raises(ValueError, match="reconstruction_weight"):
            VAEGAN(*affine_networks(), reconstruction_weight=weight)


# The authors' form


@pytest.mark.parametrize(
    ("real_loss", "fake_loss", "moving"),
    [
        (0.68, 0.68, {"discriminator", "generator"}),
        (0.34, 1.02, {"discriminator", "generator"}),  # within 0.35
        (0.32, 0.68, {"generator"}),  # D has won
        (0.68, 0.32, {"generator"}),
        (1.04, 0.68, {"discriminator"}),  # G has won
        (0.68, 1.04, {"discriminator"}),
        (0.32, 1.04, {"discriminator", "generator"}),  # none would move
    ],
)
def test_who_has_won_sits_out(real_loss, fake_loss, moving):
    """-log D = 0.68 is a logit of -log(exp(0.68) - 1), and so on."""
    model = VAEGAN(*affine_networks(), margin=0.35, seed=3)
    model.compile()
    real_logits = -np.log(np.expm1([[real_loss], [real_loss]]))
    fake_logits = np.log(np.expm1([[fake_loss]] * 4))
    model.pause_the_stronger(real_logits, fake_logits)
    found = {p: float(model.optimizer_of(p).moves) for p in ("discriminator", "generator")}
    assert {player for player, moves in found.items() if moves} == moving
    assert float(model.encoder_optimizer.moves) == 1


def test_a_step_in_which_the_generator_sits_out():
    model = VAEGAN(*affine_networks(), margin=0.001, equilibrium=1e-3, seed=3)
    x = tf.data.Dataset.from_tensors(np.ones((BATCH, POINTS), "float32"))
    before = {player: [np.array(v) for v in model.player_variables(player)] for player in PLAYERS}
    model.fit(x, verbose=0, steps_per_epoch=1)
    for player in PLAYERS:
        pairs = zip(model.player_variables(player), before[player], strict=True)
        moved = any((np.array(v) != b).any() for v, b in pairs)
        assert moved == (player != "generator")
    assert int(model.generator_optimizer.iterations) == 1  # steps are counted on
    with pytest.raises(ValueError, match=r"`generator_optimizer` must be one that can pause.*SGD"):
        model.compile(generator_optimizer="sgd")


PLAYERS = ("encoder", "generator", "discriminator")


def test_the_authors_form():
    gan = VAEGAN.from_paper((16, 16, 3), authors=True, latent_dim=4, seed=0)
    assert (gan.reconstruction_weight, gan.margin, gan.non_saturating) == (5e-6, 0.35, False)
    assert all(isinstance(o, PausingRMSprop) for o in gan.default_optimizers().values())
    assert gan.discriminator.output_shape[1] == (None, 2, 2, 256)
    assert gan.reconstruct(np.zeros((2, 16, 16, 3), "uint8")).shape == (2, 16, 16, 3)
    assert VAEGAN.from_paper((2,), seed=0).margin is None
    with pytest.raises(ValueError, match="VAEGAN is not conditional"):
        VAEGAN.from_paper((16, 16, 3), authors=True, num_classes=3)


def test_the_saturating_loss():
    """E[log(1 - D)] of samples and reconstructions, half of each."""
    model = VAEGAN(*affine_networks(), reconstruction_weight=GAMMA, non_saturating=False, seed=3)
    harness.compile_sgd(model, rate=RATE)
    x = np.random.default_rng(1).normal(size=(BATCH, POINTS)).astype("float32")
    twin = VAEGAN(*affine_networks(), seed=3)
    noise, prior = (np.array(twin.sample_latents(x), "float64") for _ in range(2))
    b, w, v, a, c = (
        np.array(weight, "float64")
        for net in (twin.generator, twin.discriminator, twin.encoder)
        for weight in net.get_weights()
    )
    fakes = np.concatenate([(x @ a + np.exp(x @ c / 2) * noise) @ b, prior @ b])
    expected = -np.log1p(np.exp(fakes @ w @ v)).mean()
    expected += GAMMA * algorithm_1(b, w, v, a, c, x, noise, prior)["reconstruction"]
    logs = model.fit(tf.data.Dataset.from_tensors(x), verbose=0, steps_per_epoch=1).history
    assert logs["generator_loss"][0] == pytest.approx(expected, rel=1e-5)


@pytest.mark.slow
def test_pauses_of_two_replicas(two_replicas):
    """Who sits out is decided by the whole minibatch; here D does so in some steps."""

    def trained():
        model = VAEGAN(*affine_networks(), margin=0.02, equilibrium=0.66, seed=3)
        optimizers = {f"{p}_optimizer": PausingRMSprop(1e-3, epsilon=1e-3) for p in PLAYERS}
        model.compile(**optimizers)
        x = np.random.default_rng(1).normal(size=(8 * BATCH, POINTS)).astype("float32")
        data = tf.data.Dataset.from_tensor_slices(x).batch(BATCH)
        model.fit(data, verbose=0, steps_per_epoch=8)
        return harness.state(model)

    with two_replicas.scope():
        of_two = trained()
    harness.assert_close(of_two, trained(), 1e-4)
