"""R3GAN: a step by hand, and the paper's settings."""

import harness
import keras
import numpy as np
import pytest
import tensorflow as tf
from small_networks import r3gan_pair

from keras_gans import R3GAN
from keras_gans.networks import build_mlp_discriminator, build_mlp_generator

CASES = [
    harness.case(
        R3GAN,
        r3gan_pair,
        bad_arguments=[({"gp_weight": 0}, "gp_weight"), ({"total_steps": 0}, "total_steps")],
    ),
]

ROLES = {
    "R3GAN": harness.Roles(
        contests=harness.LOGITS, penalties={"r1": "discriminator", "r2": "discriminator"}
    )
}

GAMMA, RATE = 0.3, 0.1


def linear(inputs, outputs, seed):
    """v -> vW, so that every gradient can be written down."""
    initializer = keras.initializers.RandomNormal(stddev=0.7, seed=seed)
    dense = keras.layers.Dense(outputs, use_bias=False, kernel_initializer=initializer)
    return keras.Sequential([keras.Input((inputs,)), dense])


def test_a_step_by_hand(monkeypatch):
    """With D(x) = x v and G(z) = z W, and latents that are known.

    L_D = E[softplus(f v - x v)] + gamma / 2 * 2 |v|^2 has the gradient E[s (f - x)] + 2 gamma v,
    with s = sigmoid(f v - x v); L_G = E[softplus(x v - f v)] has -E[s' z v^T] in W, with
    s' = sigmoid(x v - f v) and the new v.
    """
    rng = np.random.default_rng(0)
    reals, *latents = (rng.normal(size=(8, n)).astype("float32") for n in (2, 3, 3))
    model = R3GAN(linear(3, 2, 1), linear(2, 1, 2), gp_weight=GAMMA, seed=0)
    harness.compile_sgd(model, RATE, run_eagerly=True)
    w, v = (np.array(n.weights[0], "float64") for n in (model.generator, model.discriminator))
    given = iter(latents)
    monkeypatch.setattr(model, "sample_latents", lambda like: tf.constant(next(given)))
    logs = model.train_step(tf.constant(reals))

    def sigmoid(t):
        return 1 / (1 + np.exp(-t))

    fakes = latents[0] @ w
    difference = (fakes - reals) @ v
    loss = np.log1p(np.exp(difference)).mean() + GAMMA * (v**2).sum()
    assert float(logs["discriminator_loss"]) == pytest.approx(loss, rel=1e-5)
    assert float(logs["r1"]) == pytest.approx((v**2).sum(), rel=1e-5)
    assert float(logs["r2"]) == pytest.approx((v**2).sum(), rel=1e-5)
    v = v - RATE * ((sigmoid(difference) * (fakes - reals)).mean(0)[:, None] + 2 * GAMMA * v)
    np.testing.assert_allclose(model.discriminator.weights[0], v, rtol=1e-5)

    difference = (reals - latents[1] @ w) @ v
    assert float(logs["generator_loss"]) == pytest.approx(
        np.log1p(np.exp(difference)).mean(), rel=1e-5
    )
    w = w + RATE * (latents[1].T @ sigmoid(difference)) @ v.T / 8
    np.testing.assert_allclose(model.generator.weights[0], w, rtol=1e-5)


def test_where_the_penalties_are_taken():
    """With D(x) = (x * x) v, whose gradient is 2 x v: R1 at the reals, R2 at the fakes."""
    x = keras.Input((2,))
    initializer = keras.initializers.RandomNormal(stddev=0.7, seed=2)
    layer = keras.layers.Dense(1, use_bias=False, kernel_initializer=initializer)
    model = R3GAN(linear(3, 2, 1), keras.Model(x, layer(keras.ops.square(x))), seed=0)
    harness.compile_sgd(model, RATE, run_eagerly=True)
    rng = np.random.default_rng(0)
    reals, latents = (rng.normal(size=(8, n)).astype("float32") for n in (2, 3))
    model.sample_latents = lambda like: tf.constant(latents)
    fakes, v = latents @ np.array(model.generator.weights[0]), np.array(layer.kernel)[:, 0]
    logs = model.train_step(tf.constant(reals))
    for name, samples in (("r1", reals), ("r2", fakes)):
        expected = np.square(2 * samples * v).sum(1).mean()
        assert float(logs[name]) == pytest.approx(expected, rel=1e-5)


def test_settings():
    model = R3GAN(build_mlp_generator((2,), 4, (8,)), build_mlp_discriminator((2,), (8,)))
    assert model.gp_weight == 0.05
    model.compile()
    for player in model.players:
        config = model.optimizer_of(player).get_config()
        assert config["learning_rate"] == pytest.approx(2e-4)
        assert (config["beta_1"], config["beta_2"]) == (0.0, 0.99)
