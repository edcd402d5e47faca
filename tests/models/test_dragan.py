"""DRAGAN: where the penalty is taken, and what it is; one device is two."""

import harness
import keras
import numpy as np
import pytest
import tensorflow as tf
from small_networks import dcgan_pair

from keras_gans import DRAGAN
from keras_gans.networks import build_mlp_discriminator, build_mlp_generator

CASES = [
    harness.case(
        DRAGAN,
        lambda: dcgan_pair("layer"),
        bad_arguments=[
            ({"gp_weight": 0}, "gp_weight"),
            ({"noise": -1}, "noise"),
            ({"uniform_noise": 1}, "uniform_noise"),
        ],
    ),
]

ROLES = {
    "DRAGAN": harness.Roles(
        contests=harness.LOGITS, penalties={"gradient_penalty": "discriminator"}
    )
}


def build(discriminator=None, **kwargs):
    discriminator = discriminator or build_mlp_discriminator((2,), (8,), seed=2)
    return DRAGAN(build_mlp_generator((2,), 4, (8,), seed=1), discriminator, seed=0, **kwargs)


def test_perturbation():
    """N(0, (noise * deviation of the minibatch)^2) on each value, of another draw each time."""
    rng = np.random.default_rng(0)
    reals = (3 + rng.normal(scale=[0.5, 2.0], size=(20_000, 2))).astype("float32")
    model = build(noise=0.25)
    deltas = [np.array(model.perturbed(tf.constant(reals))) - reals for _ in range(2)]
    for delta in deltas:
        np.testing.assert_allclose(delta.mean(0), 0, atol=0.01)
        np.testing.assert_allclose(delta.std(0), 0.25 * reals.std(), rtol=0.02)
        assert abs(np.corrcoef(delta.ravel(), reals.ravel())[0, 1]) < 0.02
    assert abs(np.corrcoef(deltas[0].ravel(), deltas[1].ravel())[0, 1]) < 0.02


def test_perturbation_of_the_authors():
    """noise * deviation * U(0, 1) on each value, and U(0, 1) of the way for each example.

    Products of two such numbers have the mean 1/4 and the mean square 1/9; those of one example
    have a number in common, so that their product has the mean 1/3 * 1/4.
    """
    reals = (3 + np.random.default_rng(0).normal(size=(20_000, 2))).astype("float32")
    model = build(noise=0.25, uniform_noise=True)
    deltas = (np.array(model.perturbed(tf.constant(reals))) - reals) / (0.25 * reals.std())
    assert deltas.min() >= -1e-5 and 0.9 < deltas.max() <= 1.0001
    np.testing.assert_allclose(deltas.mean(0), 1 / 4, rtol=0.02)
    np.testing.assert_allclose((deltas**2).mean(0), 1 / 9, rtol=0.03)
    assert (deltas[:, 0] * deltas[:, 1]).mean() == pytest.approx(1 / 12, rel=0.03)
    assert DRAGAN.from_config(model.get_config()).uniform_noise


def test_loss_by_hand():
    """With D(x) = x v: the minimax loss, and lambda (|v| - 1)^2 wherever the reals are moved."""
    v = np.array([[1.5], [-2.0]], "float32")  # a norm of 2.5
    layer = keras.layers.Dense(1, use_bias=False, kernel_initializer=lambda *_, **__: v)
    model = build(keras.Sequential([keras.Input((2,)), layer]), gp_weight=4.0)
    harness.compile_sgd(model, 0.1, run_eagerly=True)
    reals = np.random.default_rng(0).normal(size=(8, 2)).astype("float32")
    latents = np.random.default_rng(1).normal(size=(8, 4)).astype("float32")
    model.sample_latents = lambda like: tf.constant(latents)
    fakes = np.array(model.generator(latents), "float64")
    logs = model.train_step(tf.constant(reals))
    assert float(logs["gradient_penalty"]) == pytest.approx(1.5**2, rel=1e-5)
    expected = np.log1p(np.exp(-reals @ v)).mean() + np.log1p(np.exp(fakes @ v)).mean() + 4 * 1.5**2
    assert float(logs["discriminator_loss"]) == pytest.approx(expected, rel=1e-5)


def test_deviation_is_that_of_all_replicas(two_replicas):
    """The halves have other means and deviations than the whole."""
    reals = np.zeros((8, 2), "float32")
    reals[4:] = [[1], [5], [1], [5]]  # all of it is in the second half
    with two_replicas.scope():
        model = build()
    parts = tf.data.Dataset.from_tensor_slices(reals).batch(8)
    (batch,) = two_replicas.experimental_distribute_dataset(parts)

    @tf.function
    def perturb(batch):
        return two_replicas.run(lambda x: model.perturbed(x) - x, (batch,))

    rows = two_replicas.experimental_local_results(perturb(batch))
    one = build()
    whole = np.array(one.perturbed(tf.constant(reals))) - reals
    np.testing.assert_allclose(np.concatenate([np.array(r) for r in rows]), whole, rtol=1e-5)
    assert np.abs(whole).max() > 0.5  # of a deviation of 2.06


def test_settings():
    model = build()
    assert (model.gp_weight, model.noise) == (10.0, 0.5)
    model.compile()
    for player in model.players:
        config = model.optimizer_of(player).get_config()
        assert config["learning_rate"] == pytest.approx(1e-4)
        assert (config["beta_1"], config["beta_2"]) == (0.5, 0.9)
