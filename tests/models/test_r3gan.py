"""R3GAN: a step by hand, and the paper's settings."""

import harness
import keras
import numpy as np
import pytest
import tensorflow as tf
from small_networks import r3gan_pair

from keras_gans import R3GAN
from keras_gans.cli.train import build
from keras_gans.datasets import info
from keras_gans.networks import (
    build_mlp_discriminator,
    build_mlp_generator,
    build_r3gan_discriminator,
)

CASES = [
    harness.case(
        R3GAN,
        r3gan_pair,
        bad_arguments=[({"gp_weight": 0}, "gp_weight"), ({"total_steps": 0}, "total_steps")],
        gp_weight=0.05,
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
    s' = sigmoid(x v - f v) and the new v, and with other x.
    """
    rng = np.random.default_rng(0)
    reals, others, *latents = (rng.normal(size=(8, n)).astype("float32") for n in (2, 2, 3, 3))
    model = R3GAN(linear(3, 2, 1), linear(2, 1, 2), gp_weight=GAMMA, seed=0)
    harness.compile_sgd(model, RATE, run_eagerly=True)
    w, v = (np.array(n.weights[0], "float64") for n in (model.generator, model.discriminator))
    given = iter(latents)
    monkeypatch.setattr(model, "sample_latents", lambda like: tf.constant(next(given)))
    logs = model.train_step(tf.constant(np.stack([reals, others], 1).reshape(16, 2)))

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

    difference = (others - latents[1] @ w) @ v
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
    data, latents = (rng.normal(size=shape).astype("float32") for shape in ((16, 2), (8, 3)))
    reals = data[::2]  # of two minibatches the discriminator's
    model.sample_latents = lambda like: tf.constant(latents)
    fakes, v = latents @ np.array(model.generator.weights[0]), np.array(layer.kernel)[:, 0]
    logs = model.train_step(tf.constant(data))
    for name, samples in (("r1", reals), ("r2", fakes)):
        expected = np.square(2 * samples * v).sum(1).mean()
        assert float(logs[name]) == pytest.approx(expected, rel=1e-5)


# The paper's settings


def points(**settings):
    networks = (
        build_mlp_generator((2,), 4, (8,), seed=1),
        build_mlp_discriminator((2,), (8,), seed=2),
    )
    return R3GAN(*networks, seed=0, **settings)


HALF = 0.5**0.5
# At the beginning, after a half and at the end of 8 steps, and after it. The half-life of the
# average is 0, 1 and 2 steps: its decay is 2^(-1 / half-life).
SCHEDULES = {
    "gamma": (0.05, 0.0275, 0.005, 0.005),
    "rate": (2e-4, 1.25e-4, 5e-5, 5e-5),
    "beta_2": (0.9, 0.945, 0.99, 0.99),
    "decay": (0.0, 0.5, HALF, HALF),
}


def test_schedules():
    model = points(**R3GAN.settings_for(8))
    assert model.total_steps == 8 and model.minibatches_per_step == 2
    optimizers = model.default_optimizers()
    for optimizer in optimizers.values():
        found = {
            "gamma": model.gp_weight,
            "rate": optimizer._learning_rate,
            "beta_2": optimizer.beta_2,
            "decay": model.ema_decay,
        }
        assert optimizer.beta_1 == 0.0 and optimizer.epsilon == 1e-8
        for name, expected in SCHEDULES.items():
            values = [float(found[name](step)) for step in (0, 4, 8, 99)]
            assert values == pytest.approx(expected, rel=1e-5), name
    assert optimizers["generator"] is not optimizers["discriminator"]


def test_the_paper_counts_images():
    """20 million of them in minibatches of 512; after 10 million the half-life is 2.5 of them."""
    model = points(**R3GAN.settings_for(39_062))
    assert points().total_steps == 39_062
    decay = np.array(model.ema_decay(np.int64(19_531)), "float64")
    assert -np.log2(decay) == pytest.approx(512 / 2.5e6, rel=1e-3)
    seen = 5_000_000
    way = (1 - np.cos(np.pi * seen / 2e7)) / 2
    gamma = 0.05 + way * (0.005 - 0.05)
    assert float(model.gp_weight(seen // 512)) == pytest.approx(gamma, rel=1e-4)


def test_settings():
    model = points(gp_weight=0.3, total_steps=5)
    assert (model.gp_weight, model.total_steps, model.ema_decay) == (0.3, 5, None)
    again = R3GAN.from_config(model.get_config())
    assert (again.gp_weight, again.total_steps) == (0.3, 5)
    again = R3GAN.from_config(points(total_steps=4).get_config())
    assert float(again.gp_weight(2)) == pytest.approx(0.0275)


@pytest.mark.parametrize("given", [0.5, None])
def test_the_command_line_averages_as_it_is_told(given):
    """A decay of the user's comes before the paper's."""
    settings = {"steps": 8, "latent_dim": 3, "ema_decay": given, "seed": 0, "precision": "float32"}
    model = build(R3GAN, info("ring"), settings, tf.distribute.get_strategy())
    assert model.total_steps == 8
    decay = model.ema_decay if given else model.ema_decay(4)
    assert float(decay) == pytest.approx(0.5)


STEPS = 4


def train(model, steps=STEPS):
    data = np.random.default_rng(1).normal(size=(8, 2)).astype("float32")
    model.fit(tf.data.Dataset.from_tensors(data).repeat(), steps_per_epoch=steps, verbose=0)
    return model


def test_a_saved_model_goes_on(tmp_path):
    """In the middle of all schedules, with which a training in one go ends."""
    settings = R3GAN.settings_for(STEPS)
    first = train(points(**settings), 2)
    first.save(tmp_path / "model.keras")
    loaded = train(keras.models.load_model(tmp_path / "model.keras"), 2)
    whole = train(points(**settings))
    harness.assert_close(harness.state(loaded), harness.state(whole), 1e-6)
    for player in whole.players:
        assert int(loaded.optimizer_of(player).iterations) == STEPS
    from_start = train(points(**R3GAN.settings_for(10 * STEPS)))
    assert np.abs(harness.state(from_start)[0] - harness.state(whole)[0]).max() > 1e-5


def test_replicas_follow_as_one_device(two_replicas):
    with two_replicas.scope():
        model = points(**R3GAN.settings_for(STEPS))
    expected = train(points(**R3GAN.settings_for(STEPS)))
    # Adam divides by gradients, and makes much of their rounding where they are nearly 0.
    harness.assert_close(harness.state(train(model)), harness.state(expected), 1e-5)


def test_networks():
    """Those of pictures are the paper's, at their full width; those of points are dense."""
    networks = R3GAN.default_networks((8, 8, 3), seed=0)
    block = 2 * 768 * 1536 + 9 * 16 * 1536 + 2 * 1536
    generator, discriminator = networks["generator"], networks["discriminator"]
    assert generator.count_params() == 64 * 768 + 16 * 768 + 4 * block + 3 * 768
    assert discriminator.count_params() == 3 * 768 + 4 * block + 16 * 768 + 768
    assert R3GAN.default_networks((2,), latent_dim=3)["generator"].input_shape == (None, 3)


def test_second_derivatives_of_the_discriminator():
    """R1's gradient through all layers of the network beside a difference, in float64."""
    before = keras.config.dtype_policy()
    try:
        keras.config.set_floatx("float64")
        keras.config.set_dtype_policy("float64")
        discriminator = build_r3gan_discriminator((8, 8, 2), width=16, blocks=1, seed=1)
    finally:
        keras.config.set_floatx("float32")
        keras.config.set_dtype_policy(before)
    logits = discriminator.get_layer("logits")
    x, y = discriminator.input, logits.input  # what is behind it is linear, and in float32
    network = keras.Model(x, keras.ops.sum(y * np.linspace(-1, 2, 16), -1, keepdims=True))
    rng = np.random.default_rng(0)
    for v in network.trainable_variables:
        v.assign(rng.normal(0, 0.2, v.shape))
    reals = tf.constant(rng.normal(size=(3, 8, 8, 2)))

    def penalty():
        with tf.GradientTape() as tape:
            tape.watch(reals)
            score = tf.reduce_sum(network(reals, training=True))
        return tf.reduce_sum(tape.gradient(score, reals) ** 2)

    variables = network.trainable_variables
    with tf.GradientTape() as tape:
        value = penalty()
    gradients = tape.gradient(value, [v.value for v in variables], unconnected_gradients="zero")
    directions = [rng.normal(size=v.shape) for v in variables]
    start, values, step = [np.array(v) for v in variables], [], 1e-6
    for sign in (1, -1):
        for v, s, d in zip(variables, start, directions, strict=True):
            v.assign(s + sign * step * d)
        values.append(float(penalty()))
    expected = (values[0] - values[1]) / (2 * step)
    found = sum(float(tf.reduce_sum(g * d)) for g, d in zip(gradients, directions, strict=True))
    assert abs(expected) > 1e-3
    assert found == pytest.approx(expected, rel=1e-5)
