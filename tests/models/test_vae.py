"""VAE's own: a step by finite differences, pictures to latents and back, errors."""

import harness
import keras
import numpy as np
import pytest
import tensorflow as tf
from harness import SHAPE
from keras import layers
from small_networks import vae_pair

from keras_gans import VAE
from keras_gans.callbacks._support import steps_taken
from keras_gans.networks import (
    build_dcgan_encoder,
    build_dcgan_generator,
    build_mlp_encoder,
    build_mlp_generator,
)

CASES = [
    harness.case(
        VAE,
        vae_pair,
        variance=2000.0,  # with a sum of squares over all pixels the harness's SGD would diverge
        bad_arguments=[({"variance": 0}, "variance")],
    ),
]

ROLES = {
    "VAE": harness.Roles(
        judges=(), makers=("autoencoder",), loss_terms=("reconstruction_loss", "kl_divergence")
    )
}

POINTS, LATENTS, BATCH = 3, 2, 6
RATE = 0.01


def picture_vae(**kwargs):
    generator = build_dcgan_generator(SHAPE, 6, width=4, seed=1)
    return VAE(generator, build_dcgan_encoder(SHAPE, 6, width=4, seed=2), seed=0, **kwargs)


def pictures(num=5):
    return np.random.default_rng(3).uniform(-1, 1, (num, *SHAPE)).astype("float32")


def affine_networks():
    """G: z B; the encoder: mean x A, log-variance x C."""
    rng = np.random.default_rng(0)
    latents, samples = keras.Input((LATENTS,)), keras.Input((POINTS,))
    generator = keras.Model(latents, layers.Dense(POINTS, use_bias=False)(latents))
    heads = [layers.Dense(LATENTS, use_bias=False, name=name)(samples) for name in ("a", "c")]
    encoder = keras.Model(samples, heads)
    for network in (generator, encoder):
        network.set_weights([0.5 * rng.normal(size=w.shape) for w in network.get_weights()])
    return generator, encoder


def bound(b, a, c, x, noise, variance):
    """The paper's -L by numpy, less the likelihood's constant: the pair of its two terms."""
    mean, sigma = x @ a, np.exp(x @ c / 2)
    error = x - (mean + sigma * noise) @ b
    kl = (mean**2 + sigma**2 - 1) / 2 - np.log(sigma)
    return (error**2).sum(axis=1).mean() / (2 * variance), kl.sum(axis=1).mean()


@pytest.mark.parametrize("variance", [1.0, 0.5])
def test_step_by_finite_differences(variance):
    generator, encoder = affine_networks()
    model = harness.compile_sgd(VAE(generator, encoder, variance=variance, seed=3), rate=RATE)
    x = np.random.default_rng(1).normal(size=(BATCH, POINTS)).astype("float32")
    twin = VAE(*affine_networks(), seed=3)  # draws the noise that `model` will
    noise = np.array(twin.sample_latents(x), "float64")
    before = [np.array(w, "float64") for w in generator.get_weights() + encoder.get_weights()]
    logs = model.fit(tf.data.Dataset.from_tensors(x), verbose=0, steps_per_epoch=1).history

    error, kl = bound(*before, x, noise, variance)
    assert logs["reconstruction_loss"][0] == pytest.approx(error, rel=1e-5)
    assert logs["kl_divergence"][0] == pytest.approx(kl, rel=1e-5)
    assert logs["autoencoder_loss"][0] == pytest.approx(error + kl, rel=1e-5)
    after = generator.get_weights() + encoder.get_weights()
    for k, (old, new) in enumerate(zip(before, after, strict=True)):
        gradient = np.zeros_like(old)
        for index in np.ndindex(old.shape):
            step = np.zeros_like(old)
            step[index] = 1e-5
            up, down = (
                sum(bound(*before[:k], old + s, *before[k + 1 :], x, noise, variance))
                for s in (step, -step)
            )
            gradient[index] = (up - down) / 2e-5
        np.testing.assert_allclose(new, old - RATE * gradient, atol=1e-5)
        assert np.abs(RATE * gradient).max() > 1e-3


def test_bernoulli_pictures():
    """Without a variance the reconstruction loss is that of Bernoulli pixels, and is saved so."""
    model = harness.compile_sgd(picture_vae(variance=None), rate=0.0)
    twin, x = picture_vae(variance=None), pictures()
    mean, log_variance = (np.array(v) for v in twin.encoder(x, training=True))
    z = mean + np.exp(log_variance / 2) * np.array(twin.sample_latents(x))
    p, t = (np.array(twin.generator(z, training=True)) + 1) / 2, (x + 1) / 2
    expected = -(t * np.log(p) + (1 - t) * np.log(1 - p)).sum(axis=(1, 2, 3)).mean()
    logs = model.fit(tf.data.Dataset.from_tensors(x), verbose=0, steps_per_epoch=1).history
    assert logs["reconstruction_loss"][0] == pytest.approx(expected, rel=1e-4)
    assert VAE.from_config(model.get_config()).variance is None


def test_paper_defaults():
    model = picture_vae()
    model.compile()
    assert isinstance(model.autoencoder_optimizer, keras.optimizers.Adagrad)
    assert float(model.autoencoder_optimizer.learning_rate) == pytest.approx(0.01)
    assert model.variance == 1
    assert model.latent_prior == "normal"


def test_latents_are_the_means():
    """No noise, and no batch statistics: each picture alone has the latents it has among others."""
    model, x = picture_vae(), pictures(70)
    latents = model.encode(x)
    assert latents.shape == (70, 6) and latents.dtype == np.float32
    np.testing.assert_array_equal(latents, model.encode(x))
    np.testing.assert_allclose(latents[66:68], model.encode(x[66:68]), atol=1e-6)
    np.testing.assert_allclose(latents, model.encoder(x, training=False)[0], atol=1e-6)
    uint8 = np.rint((x + 1) * 127.5).astype("uint8")
    np.testing.assert_allclose(model.encode(uint8), model.encode(uint8 / 127.5 - 1), atol=1e-5)


def test_decoded_and_reconstructed():
    model, x = picture_vae(), pictures(70)
    latents = model.encode(x)
    decoded = model.decode(latents)
    assert decoded.shape == x.shape and decoded.dtype == np.uint8
    expected = (np.array(model.generator(latents, training=False)) + 1) * 127.5
    np.testing.assert_allclose(decoded, expected, atol=0.51)
    np.testing.assert_array_equal(model.reconstruct(x), decoded)


def test_averages_encode_and_decode():
    model, x = picture_vae(ema_decay=0.9), pictures()
    latents, decoded = model.encode(x), model.decode(np.ones((2, 6)))
    for network in (model.encoder, model.generator):
        network.set_weights([w + 1 for w in network.get_weights()])
    np.testing.assert_array_equal(model.encode(x), latents)
    np.testing.assert_array_equal(model.decode(np.ones((2, 6))), decoded)
    for network in (model.ema_encoder, model.ema_generator):
        network.set_weights([w + 1 for w in network.get_weights()])
    assert (model.encode(x) != latents).any()
    assert (model.decode(np.ones((2, 6))) != decoded).any()


def test_points():
    model = VAE(build_mlp_generator((2,), 4, (8,)), build_mlp_encoder((2,), 4, (8,)), seed=0)
    x = np.random.default_rng(0).normal(size=(9, 2))
    assert model.encode(x).shape == (9, 4)
    reconstructed = model.reconstruct(x)
    assert reconstructed.shape == (9, 2) and reconstructed.dtype == np.float32


@pytest.mark.parametrize(
    ("method", "values", "match"),
    [
        ("encode", pictures()[:, :4], "`pictures` must have the shape"),
        ("encode", pictures()[0], "`pictures` must come in batches"),
        ("reconstruct", pictures() * 255, r"`pictures` must be pictures in \[-1, 1\]"),
        ("decode", np.zeros((5, 7)), "`latents` must have the shape"),
        ("decode", np.zeros((5, 6), "int32"), "`latents` must be float32"),
        ("decode", np.full((5, 6), np.nan), "`latents` must be finite"),
    ],
)
def test_bad_inputs(method, values, match):
    with pytest.raises(ValueError, match=match):
        getattr(picture_vae(), method)(values)


def test_bad_encoders():
    generator = build_dcgan_generator(SHAPE, 6, width=4)
    for encoder, match in (
        (build_dcgan_encoder(SHAPE, 5, width=4), r"latents, \(6,\).*outputs of shapes \[\(5,\)"),
        (build_dcgan_encoder((8, 8, 3), 6, width=4), "`encoder` must take samples"),
        (keras.Model(*[keras.Input(SHAPE)] * 2), "log-variance"),
    ):
        with pytest.raises(ValueError, match=match):
            VAE(generator, encoder)
    for variance in (0, -1, np.inf, "1"):
        with pytest.raises(ValueError, match="variance"):
            picture_vae(variance=variance)


def test_steps_are_counted():
    """By the callbacks and the runs, although no player is called generator."""
    model = picture_vae()
    model.fit(pictures(24), batch_size=8, verbose=0)
    assert steps_taken(model) == 3
