"""WGAN-GP: the paper's settings, and a step of the critic by hand."""

import harness
import keras
import numpy as np
import pytest
import tensorflow as tf
from small_networks import dcgan_pair

from keras_gans import WGANGP
from keras_gans.networks import build_mlp_generator

CASES = [
    harness.case(
        WGANGP,
        lambda: dcgan_pair("layer"),
        n_critic=2,
        rate=0.005,  # with 0.05 a rounding error sends a unit across the kink of its ReLU
        bad_arguments=[({"gp_weight": -1}, "gp_weight"), ({"n_critic": 1.5}, "n_critic")],
    ),
]

ROLES = {"WGANGP": harness.Roles(judges=("critic",), penalties={"gradient_penalty": "critic"})}


def test_paper_settings():
    for config in harness.optimizer_settings(CASES[0].build()).values():
        assert config["learning_rate"] == pytest.approx(1e-4)
        assert (config["beta_1"], config["beta_2"]) == (0.0, 0.9)
    wgan_gp = WGANGP(*dcgan_pair("layer"))
    assert (wgan_gp.n_critic, wgan_gp.gp_weight) == (5, 10.0)


def test_critic_step_formula_of_wgan_gp():
    """One critic step of SGD, by hand: f(x) = w . x has the gradient w everywhere.

    With n_critic = 1, L = w.(m_g - m_r) + 10 (|w| - 1)^2, so that
    dL/dw = m_g - m_r + 20 (|w| - 1) w / |w|.
    """
    generator = build_mlp_generator((2,), 3, (4,), seed=1)
    critic = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, use_bias=False)])
    w = np.array([[0.6], [1.1]], "float32")
    critic.layers[0].kernel.assign(w)
    model = harness.compile_sgd(WGANGP(generator, critic, n_critic=1, seed=3), rate=0.1)
    reals = np.random.default_rng(1).normal(size=(16, 2)).astype("float32")
    twin = WGANGP(generator, critic, n_critic=1, seed=3)  # draws the latents that `model` will
    fakes = np.array(generator(twin.sample_latents(reals)))
    model.fit(tf.data.Dataset.from_tensors(reals), verbose=0, steps_per_epoch=1)
    norm = np.sqrt((w**2).sum())
    gradient = (fakes.mean(0) - reals.mean(0))[:, None] + 20 * (norm - 1) * w / norm
    np.testing.assert_allclose(np.array(critic.layers[0].kernel), w - 0.1 * gradient, atol=1e-5)


def test_wgan_gp_warns_of_batch_normalization():
    with pytest.warns(UserWarning, match="batch normalization"):
        WGANGP(*dcgan_pair("batch"))
