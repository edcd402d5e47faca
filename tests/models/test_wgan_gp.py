"""WGAN-GP: the paper's settings, and a step of the critic by hand."""

import harness
import keras
import numpy as np
import pytest
import tensorflow as tf
from small_networks import dcgan_pair

from keras_gans import WGANGP
from keras_gans.layers import LayerNormalization
from keras_gans.networks import build_mlp_generator

CASES = [
    harness.case(
        WGANGP,
        lambda: dcgan_pair("layer"),
        n_critic=2,
        rate=0.001,  # with 0.005 a rounding error sends a unit across the kink of its ReLU
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


def critic_loss_by_hand(weights, reals, fakes, epsilon):
    """WGAN-GP's loss of a dense layer, layer normalization, tanh and a dense layer."""
    kernel, bias, gamma, beta, last, last_bias = weights

    def layers(x):
        h = x @ kernel + bias
        centred = h - h.mean(1, keepdims=True)
        scale = 1 / np.sqrt((centred**2).mean(1, keepdims=True) + 1e-3)
        return centred * scale, scale, np.tanh(gamma * centred * scale + beta)

    def score(x):
        return layers(x)[-1] @ last + last_bias

    def input_gradient(x):
        n, scale, y = layers(x)
        g = (1 - y**2) * last[:, 0] * gamma
        of_h = scale * (g - g.mean(1, keepdims=True) - n * (g * n).mean(1, keepdims=True))
        return of_h @ kernel.T

    between = fakes + epsilon[:, None] * (reals - fakes)
    norms = np.sqrt((input_gradient(between) ** 2).sum(1) + 1e-12)
    return score(fakes).mean() - score(reals).mean() + 10 * ((norms - 1) ** 2).mean()


def gradients_by_differences(loss, weights, step=1e-6):
    gradients = [np.zeros_like(w) for w in weights]
    for w, gradient in zip(weights, gradients, strict=True):
        for place in np.ndindex(w.shape):
            kept = w[place]
            w[place] = kept + step
            above = loss(weights)
            w[place] = kept - step
            gradient[place] = (above - loss(weights)) / (2 * step)
            w[place] = kept
    return gradients


def test_steps_through_layer_normalization():
    """Three steps of SGD beside a loss in float64 that is differentiated numerically.

    With Keras's own layer, whose second derivatives are wrong, they are 2e-2 away.
    """
    weights = keras.initializers.GlorotUniform(seed=4)
    generator = build_mlp_generator((3,), 3, (4,), seed=1)
    critic = keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(8, kernel_initializer=weights),
            LayerNormalization(),
            keras.layers.Activation("tanh"),
            keras.layers.Dense(1, kernel_initializer=keras.initializers.GlorotUniform(seed=5)),
        ]
    )
    model, twin = (WGANGP(generator, critic, n_critic=1, seed=3) for _ in range(2))
    sgd = keras.optimizers.SGD
    model.compile(critic_optimizer=sgd(0.02), generator_optimizer=sgd(0.0))
    expected = [np.array(w, "float64") for w in critic.get_weights()]
    batches = np.random.default_rng(1).normal(size=(3, 16, 3)).astype("float32")
    for reals in batches:
        fakes = np.array(generator(twin.sample_latents(reals)), "float64")
        epsilon = np.array(twin.random_uniform(reals), "float64")
        twin.sample_latents(reals)  # the generator's
        gradients = gradients_by_differences(
            lambda w, r=reals, f=fakes, e=epsilon: critic_loss_by_hand(w, r, f, e), expected
        )
        expected = [w - 0.02 * g for w, g in zip(expected, gradients, strict=True)]
    model.fit(tf.data.Dataset.from_tensor_slices(batches), verbose=0, steps_per_epoch=3)
    harness.assert_close(critic.get_weights(), expected, 1e-5)


def test_wgan_gp_warns_of_batch_normalization():
    with pytest.warns(UserWarning, match="batch normalization"):
        WGANGP(*dcgan_pair("batch"))
