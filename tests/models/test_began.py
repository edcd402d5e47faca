"""BEGAN: the control of k, one step by hand, replicas, saving, the paper's settings."""

import harness
import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_gans import BEGAN
from keras_gans.models.began import convergence_measure, equilibrium_step
from keras_gans.networks import (
    build_began_discriminator,
    build_began_generator,
    build_mlp_discriminator,
    build_mlp_generator,
)


def began_pair():
    return (
        build_began_generator(harness.SHAPE, 6, width=4, seed=1),
        build_began_discriminator(harness.SHAPE, 6, width=4, seed=2),
    )


CASES = [
    harness.case(
        BEGAN,
        began_pair,
        bad_arguments=[({"gamma": 1.5}, "gamma"), ({"lambda_k": 0}, "lambda_k")],
    ),
]

ROLES = {"BEGAN": harness.Roles(information=("k", "convergence"))}

BATCH = 8
LOSSES = st.floats(0, 100, width=32)


def linear(inputs, outputs, seed):
    """v -> vW, so that every gradient can be written down."""
    initializer = keras.initializers.RandomNormal(stddev=0.5, seed=seed)
    dense = keras.layers.Dense(outputs, use_bias=False, kernel_initializer=initializer)
    return keras.Sequential([keras.Input((inputs,)), dense])


def linear_began(rate=0.1, k=None, **kwargs):
    """Points of two numbers from latents of three; with SGD, compiled."""
    model = BEGAN(linear(3, 2, seed=1), linear(2, 2, seed=2), seed=3, **kwargs)
    if k is not None:
        model.k.assign(k)
    return harness.compile_sgd(model, rate)


def points(steps=1):
    return np.random.default_rng(0).normal(size=(steps * BATCH, 2)).astype("float32")


def fit(model, steps=1):
    data = tf.data.Dataset.from_tensor_slices(points(steps)).batch(BATCH)
    return model.fit(data, verbose=0, steps_per_epoch=steps).history


@settings(deadline=None, max_examples=50)
@given(
    gamma=st.floats(0, 1, exclude_min=True),
    lambda_k=st.floats(0, 10, exclude_min=True),
    losses=st.lists(st.tuples(LOSSES, LOSSES), min_size=1, max_size=8),
)
def test_k_stays_in_its_range(gamma, lambda_k, losses):
    k = np.float32(0)
    for real_loss, fake_loss in losses:
        unclipped = k + lambda_k * (gamma * real_loss - fake_loss)
        k = np.float32(equilibrium_step(k, real_loss, fake_loss, gamma, lambda_k))
        assert 0 <= k <= 1
        assert k == pytest.approx(min(max(unclipped, 0), 1), abs=1e-3)


def test_equilibrium_by_hand():
    """0.2 + 0.1 (0.5 * 3 - 1) = 0.25, and both ends; M = 3 + |1.5 - 1| = 3.5 = 3 + |1.5 - 2|."""
    step = {"gamma": 0.5, "lambda_k": 0.1}
    assert float(equilibrium_step(0.2, 3.0, 1.0, **step)) == pytest.approx(0.25)
    assert float(equilibrium_step(0.2, 1.0, 9.0, **step)) == 0
    assert float(equilibrium_step(0.9, 9.0, 1.0, **step)) == 1
    assert float(convergence_measure(3.0, 1.0, gamma=0.5)) == pytest.approx(3.5)
    assert float(convergence_measure(3.0, 2.0, gamma=0.5)) == pytest.approx(3.5)


def test_step_by_hand():
    """One step of SGD on linear players, G(z) = zV and D(v) = vW, with n = 2 * 8 numbers.

    L(v) = sum |v - vW| / n, so dL/dW = -v' s / n and dL/dv = s (I - W)' / n, s = sign(v - vW).
    L1 and not L2; k counts as a constant; both move from the same weights; z_D is not z_G.
    """
    model = linear_began(rate=0.1, k=0.4, gamma=0.7, lambda_k=0.05)
    twin = linear_began()  # draws the latents that `model` will
    z_d, z_g = (np.array(twin.sample_latents(points())) for _ in range(2))
    assert np.abs(z_d - z_g).max() > 0.1
    x, n = points(), 2 * BATCH
    (v,), (w,) = model.generator.get_weights(), model.discriminator.get_weights()

    def loss_and_gradients(samples):
        error = samples - samples @ w
        loss, s = np.abs(error).mean(), np.sign(error)
        return loss, -samples.T @ s / n, s @ (np.eye(2) - w).T / n

    real_loss, real_gradient, _ = loss_and_gradients(x)
    fake_loss_d, fake_gradient, _ = loss_and_gradients(z_d @ v)
    fake_loss, _, sample_gradient = loss_and_gradients(z_g @ v)
    logs = fit(model)

    (new_v,), (new_w,) = model.generator.get_weights(), model.discriminator.get_weights()
    np.testing.assert_allclose(new_w, w - 0.1 * (real_gradient - 0.4 * fake_gradient), atol=1e-6)
    np.testing.assert_allclose(new_v, v - 0.1 * z_g.T @ sample_gradient, atol=1e-6)
    assert float(model.k) == pytest.approx(0.4 + 0.05 * (0.7 * real_loss - fake_loss), abs=1e-6)
    expected = {
        "discriminator_loss": real_loss - 0.4 * fake_loss_d,
        "generator_loss": fake_loss,
        "k": float(model.k),
        "convergence": real_loss + abs(0.7 * real_loss - fake_loss),
    }
    assert {name: logs[name][0] for name in expected} == pytest.approx(expected, rel=1e-5)


def test_k_begins_at_0():
    """In the first step the discriminator learns from reals alone."""
    model = linear_began()
    assert float(model.k) == 0
    x, (w,) = points(), model.discriminator.get_weights()
    fit(model)
    gradient = -x.T @ np.sign(x - x @ w) / (2 * BATCH)
    np.testing.assert_allclose(model.discriminator.get_weights()[0], w - 0.1 * gradient, atol=1e-6)


def test_k_is_no_trained_weight():
    model = linear_began()
    assert [v.path for v in model.non_trainable_variables].count(model.k.path) == 1
    for player in model.players:
        assert all(v is not model.k for v in model.player_variables(player))


@pytest.mark.parametrize(("gamma", "end"), [(1e-6, 0.0), (1.0, 1.0)])
def test_k_stays_in_its_range_in_training(gamma, end):
    """A large gain, and a balance that is never or always below its target."""
    model = linear_began(rate=1e-6, gamma=gamma, lambda_k=1e3)
    model.generator.set_weights([np.full((3, 2), 1e-2 if end else 1.0)])
    fit(model, steps=2)
    assert float(model.k) == end


def test_saved_k(tmp_path):
    model = linear_began(k=0.3, gamma=0.6, lambda_k=0.02)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert float(loaded.k) == pytest.approx(0.3)
    assert (loaded.gamma, loaded.lambda_k) == (0.6, 0.02)
    for either in (model, loaded):
        fit(either, steps=2)
    assert float(loaded.k) == pytest.approx(float(model.k), abs=1e-6)
    assert float(loaded.k) != pytest.approx(0.3, abs=1e-4)


def test_k_on_replicas(two_replicas):
    """It follows the losses of the global batch: with a large gain, a replica's own would show."""
    arguments = {"k": 0.5, "gamma": 0.5, "lambda_k": 0.5}
    one = linear_began(**arguments)
    with two_replicas.scope():
        two = linear_began(**arguments)
    logs = [fit(model, steps=3) for model in (one, two)]
    assert 0 < float(one.k) < 1 and abs(float(one.k) - 0.5) > 1e-2
    for copy in two_replicas.experimental_local_results(two.k.value):
        assert float(copy) == pytest.approx(float(one.k), abs=1e-5)
    for name in ("k", "convergence"):
        assert logs[1][name] == pytest.approx(logs[0][name], abs=1e-5)


def test_latents_are_uniform():
    latents = np.array(linear_began().sample_latents(tf.zeros((2000, 1))))
    assert -1 <= latents.min() < -0.99 and 0.99 < latents.max() <= 1
    assert latents.std() == pytest.approx(1 / np.sqrt(3), rel=0.02)  # of U(-1, 1)


def test_paper_settings():
    """Section 3.4: gain 0.001, Adam as its paper has it; section 4.1: rate 1e-4."""
    model = BEGAN(linear(3, 2, 1), linear(2, 2, 2))
    assert (model.gamma, model.lambda_k) == (0.5, 0.001)
    model.compile()
    for player in model.players:
        optimizer = model.optimizer_of(player)
        assert type(optimizer) is keras.optimizers.Adam
        config = optimizer.get_config()
        assert config["learning_rate"] == pytest.approx(1e-4)
        assert (config["beta_1"], config["beta_2"]) == (0.9, 0.999)


def test_discriminator_must_be_an_auto_encoder():
    generator = build_mlp_generator((2,), 3, (4,))
    with pytest.raises(ValueError, match=r"`discriminator` must be an auto-encoder.*Received"):
        BEGAN(generator, build_mlp_discriminator((2,), (4,)))
    with pytest.raises(ValueError, match="`discriminator` must take samples"):
        BEGAN(generator, linear(3, 3, seed=0))


@pytest.mark.parametrize("name", ["gamma", "lambda_k"])
@pytest.mark.parametrize("value", [0, -0.5, float("nan"), float("inf"), None, "0.5", True])
def test_bad_numbers(name, value):
    with pytest.raises(ValueError, match=f"`{name}` must be .*Received"):
        linear_began(**{name: value})


def test_gamma_above_1():
    assert linear_began(gamma=1).gamma == 1
    with pytest.raises(ValueError, match=r"`gamma` must be in \(0, 1\]. Received: 1.5"):
        linear_began(gamma=1.5)
