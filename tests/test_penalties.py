"""Penalties against critics whose gradients are known on paper."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from keras_gans.devices.precision import dtype_policy
from keras_gans.networks import build_dcgan_discriminator, build_mlp_discriminator
from keras_gans.penalties import (
    clip_weights,
    gradient_penalty,
    input_gradient_norms,
    zero_centred_penalty,
)


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def norms(values):
    """The norm of each example over all other axes, in float64."""
    values = np.asarray(values, "float64")
    return np.sqrt((values.reshape(len(values), -1) ** 2).sum(axis=1))


def half_square(x):
    """f(x) = |x|^2 / 2, with the gradient x."""
    return tf.reduce_sum(x * x, axis=list(range(1, len(x.shape))))[:, None] / 2


SHAPES = pytest.mark.parametrize("shape", [(3,), (4, 5, 2)], ids=["points", "pictures"])


@SHAPES
def test_norms_of_a_linear_critic(shape):
    """f(x) = <w, x> has the gradient w at every x, whose norm is over all axes but the batch's."""
    w = normal(*shape, seed=1)
    axes = list(range(1, len(shape) + 1))
    found = input_gradient_norms(
        lambda x: tf.reduce_sum(w * x, axis=axes), tf.constant(normal(6, *shape))
    )
    assert found.dtype == tf.float32
    assert found.shape == (6,)
    np.testing.assert_allclose(found, np.repeat(norms(w[None]), 6), rtol=1e-5)


@SHAPES
def test_norms_of_a_quadratic_critic(shape):
    x = normal(6, *shape)
    np.testing.assert_allclose(
        input_gradient_norms(half_square, tf.constant(x)), norms(x), rtol=1e-5
    )


@SHAPES
@pytest.mark.parametrize("target", [1.0, 0.0, 2.5])
def test_penalty_is_equation_3(shape, target):
    """E[(|x^| - target)^2], since the quadratic critic's gradient at x^ is x^."""
    reals, fakes = normal(7, *shape, seed=1), normal(7, *shape, seed=2)
    epsilon = np.random.default_rng(3).uniform(size=7).astype("float32")
    e = epsilon.astype("float64").reshape(7, *[1] * len(shape))
    expected = ((norms(e * reals + (1 - e) * fakes) - target) ** 2).mean()
    penalty = gradient_penalty(half_square, reals, fakes, epsilon, target=target)
    assert tuple(penalty.shape) == ()
    assert float(penalty) == pytest.approx(expected, rel=1e-5)
    if target == 1.0:
        assert float(gradient_penalty(half_square, reals, fakes, epsilon)) == float(penalty)


@SHAPES
def test_each_example_has_its_own_epsilon(shape):
    """1 is the real, 0 is the fake, 1/4 is a quarter real; and the critic is called once."""
    reals, fakes = normal(3, *shape, seed=1), normal(3, *shape, seed=2)
    seen = []

    def critic(x):
        seen.append(x.numpy())
        return half_square(x)

    gradient_penalty(critic, reals, fakes, np.array([1.0, 0.0, 0.25], "float32"))
    (interpolates,) = seen
    expected = [reals[0], fakes[1], 0.25 * reals[2] + 0.75 * fakes[2]]
    np.testing.assert_allclose(interpolates, expected, atol=1e-6)


def test_gradient_with_respect_to_the_critic():
    """f = <w, x>: d (|w| - 1)^2 / dw = 2 (|w| - 1) w / |w|, the second-order gradient."""
    w = tf.Variable([0.6, -1.1, 2.0])
    x, epsilon = normal(5, 3), np.full(5, 0.5, "float32")

    @tf.function
    def in_graph():
        return penalty_gradient()

    def penalty_gradient():
        with tf.GradientTape() as tape:
            penalty = gradient_penalty(lambda x: tf.linalg.matvec(x, w), x, -x, epsilon)
        return tape.gradient(penalty, w)

    v = w.numpy().astype("float64")
    expected = 2 * (np.linalg.norm(v) - 1) * v / np.linalg.norm(v)
    np.testing.assert_allclose(penalty_gradient(), expected, rtol=1e-5)
    np.testing.assert_allclose(in_graph(), expected, rtol=1e-5)


def test_zero_gradient():
    """At f' = 0 the norm is 0 to 1e-6, the penalty target^2, and its own gradient is finite."""
    a, x = tf.Variable(3.0), np.zeros((4, 2, 2, 1), "float32")
    with tf.GradientTape() as tape:
        penalty = gradient_penalty(lambda x: a * half_square(x), x, x, np.zeros(4, "float32"))
    assert float(penalty) == pytest.approx(1.0, abs=1e-5)
    assert np.isfinite(float(tape.gradient(penalty, a)))

    w = tf.Variable(tf.zeros(3))  # a critic with zero weights, as after some initializations
    with tf.GradientTape() as tape:
        found = input_gradient_norms(lambda x: tf.linalg.matvec(x, w), tf.ones((4, 3)))
        total = tf.reduce_sum(found)
    np.testing.assert_allclose(found, 0, atol=1.1e-6)
    np.testing.assert_array_equal(tape.gradient(total, w), [0, 0, 0])


def test_no_gradient_reaches_the_generator():
    generator = tf.Variable(normal(4, 3))
    with tf.GradientTape() as tape:
        penalty = gradient_penalty(half_square, normal(4, 3), 2 * generator, np.zeros(4, "float32"))
    assert tape.gradient(penalty, generator) is None


@SHAPES
def test_zero_centred_penalty_of_a_quadratic(shape):
    """E|x|^2, with no root and no 1/2, over all axes but the batch's."""
    x = normal(6, *shape)
    logits, penalty = zero_centred_penalty(half_square, tf.constant(x))
    np.testing.assert_allclose(logits[:, 0], norms(x) ** 2 / 2, rtol=1e-5)
    assert tuple(penalty.shape) == () and penalty.dtype == tf.float32
    assert float(penalty) == pytest.approx((norms(x) ** 2).mean(), rel=1e-5)


def test_zero_centred_penalty_and_the_players():
    """f = <w, x>: d |w|^2 / dw = 2 w for the discriminator, and nothing for the generator."""
    w, fakes = tf.Variable([0.6, -1.1, 2.0]), tf.Variable(normal(4, 3))
    with tf.GradientTape() as tape:
        _, penalty = zero_centred_penalty(lambda x: tf.linalg.matvec(x, w), 2 * fakes)
    of_w, of_fakes = tape.gradient(penalty, [w, fakes])
    np.testing.assert_allclose(of_w, 2 * w, rtol=1e-5)
    assert of_fakes is None
    with tf.GradientTape() as tape:  # its weight in x is not the fakes' business either
        _, penalty = zero_centred_penalty(half_square, 2 * fakes)
    assert tape.gradient(penalty, fakes) is None


def test_patch_outputs():
    """A map of logits <w, x_ij>: the gradient of their sum is w at each of the h x w places."""
    w = np.array([2.0, -1.0], "float32")

    def critic(x):
        return tf.linalg.matvec(x, w)[..., None]

    x = tf.constant(normal(3, 4, 5, 2))
    assert critic(x).shape == (3, 4, 5, 1)
    np.testing.assert_allclose(input_gradient_norms(critic, x), np.sqrt(20 * 5), rtol=1e-5)
    penalty = gradient_penalty(critic, x, x, np.zeros(3, "float32"))
    assert float(penalty) == pytest.approx((10 - 1) ** 2, rel=1e-5)


def test_examples_do_not_mix():
    """The norms of a batch are those of its examples alone."""
    critic = build_dcgan_discriminator((8, 8, 2), width=3, normalization="layer", seed=0)
    x = tf.constant(normal(4, 8, 8, 2))
    whole = input_gradient_norms(critic, x)
    parts = [float(input_gradient_norms(critic, x[k : k + 1])[0]) for k in range(4)]
    np.testing.assert_allclose(whole, parts, rtol=1e-4)


def test_norm_by_finite_differences():
    """A network's gradient against differences of its logits."""
    critic = build_mlp_discriminator((3,), hidden=(8,), seed=1)
    x = normal(1, 3)
    step = 1e-2  # no rounding to speak of, and LeakyReLU is linear within a piece
    moved = np.concatenate([x + step * np.eye(3), x - step * np.eye(3)]).astype("float32")
    up, down = np.split(np.array(critic(moved), "float64").ravel(), 2)
    expected = np.linalg.norm((up - down) / (2 * step))
    assert float(input_gradient_norms(critic, tf.constant(x))[0]) == pytest.approx(
        expected, rel=1e-3
    )


@pytest.mark.parametrize("shape", [(4, 2), (4, 3, 1), (4, 1)])
def test_shapes_that_differ(shape):
    with pytest.raises(ValueError, match=r"`reals` and `fakes`.*\(4, 3\)"):
        gradient_penalty(half_square, normal(4, 3), normal(*shape), np.zeros(4, "float32"))


def network():
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(5, bias_initializer="random_normal"),
            layers.BatchNormalization(),
            layers.Dense(1),
        ]
    )


def test_clip_weights():
    """Kernels, biases, scales and offsets are clipped exactly; moving statistics are not."""
    model = network()
    rng = np.random.default_rng(0)
    model.set_weights([rng.uniform(-0.3, 0.3, w.shape) for w in model.get_weights()])
    trained, other = model.trainable_variables, model.non_trainable_variables
    before, kept = [v.numpy() for v in trained], [v.numpy() for v in other]
    assert len(trained) == 6 and len(other) == 2
    clip_weights(model, 0.125)  # a power of 2, exact in float32
    for v, b in zip(trained, before, strict=True):
        np.testing.assert_array_equal(v.numpy(), np.clip(b, -0.125, 0.125))
    for v, k in zip(other, kept, strict=True):
        np.testing.assert_array_equal(v.numpy(), k)
    assert any((np.abs(b) > 0.125).any() for b in before)
    assert any((np.abs(k) > 0.125).any() for k in kept)


def test_clip_weights_leaves_frozen_layers():
    model = network()
    model.layers[0].trainable = False
    frozen = model.layers[0].kernel.numpy()
    clip_weights(model, 1e-3)
    np.testing.assert_array_equal(model.layers[0].kernel.numpy(), frozen)
    assert np.abs(model.layers[-1].kernel.numpy()).max() <= np.float32(1e-3)


@pytest.mark.parametrize("clip", [0, -0.01, np.nan])
def test_bad_clip(clip):
    model = network()
    before = model.get_weights()
    with pytest.raises(ValueError, match=r"`clip` must be positive.*Received"):
        clip_weights(model, clip)
    for b, a in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(b, a)


@pytest.mark.parametrize("num", [1, 3, 8])
def test_epsilon_must_have_one_number_for_each_example(num):
    x = np.zeros((4, 2), "float32")
    with pytest.raises(ValueError, match=f"one number for each of 4 examples. Received: {num}"):
        gradient_penalty(lambda x: x[:, 0], x, x, np.zeros(num, "float32"))
    with pytest.raises(ValueError, match="one shape"):
        gradient_penalty(lambda x: x[:, 0], x, x[:1], np.zeros(4, "float32"))


# In half precision


def linear_critic(slope, dtype):
    """f(x) = slope * sum(x), computed and returned in `dtype`."""
    return lambda x: ops.sum(ops.cast(x, dtype) * ops.cast(slope, dtype), axis=1)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("slope", [2.0**9, 2.0**-14])
def test_norms_are_float32(slope, dtype):
    """2^18 is more than float16 holds, and 2^-28 less: what is squared is float32 already."""
    x = tf.constant(normal(5, 4))
    for samples in (x, tf.cast(x, dtype)):
        found = input_gradient_norms(linear_critic(slope, dtype), samples)
        assert found.dtype == tf.float32
        np.testing.assert_allclose(found, 2 * slope, rtol=1e-3)  # sqrt(4) slopes


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_penalty_is_float32(dtype):
    """Fakes and epsilon in half precision, beside reals that are not: interpolates are float32."""
    reals, fakes, epsilon = normal(5, 4, seed=1), normal(5, 4, seed=2), np.full(5, 0.25, "float32")
    fakes = tf.cast(fakes, dtype)
    seen = []

    def critic(x):
        seen.append(x.dtype)
        return linear_critic(0.75, dtype)(x)

    penalty = gradient_penalty(critic, reals, fakes, tf.cast(epsilon, dtype))
    assert penalty.dtype == tf.float32 and seen == [tf.float32]
    assert float(penalty) == pytest.approx(0.25, rel=1e-5)  # (sqrt(4) 3/4 - 1)^2


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_penalty_of_a_network_in_half_precision(policy):
    """Close to float32's, and so is its derivative by the weights, the second-order gradient."""
    x, fakes = normal(8, 8, 12, 2, seed=1), normal(8, 8, 12, 2, seed=2)
    epsilon = np.random.default_rng(3).uniform(size=8).astype("float32")
    found = {}
    for name in ("float32", policy):
        with dtype_policy(name):
            critic = build_dcgan_discriminator((8, 12, 2), width=8, normalization="layer", seed=0)
        weights = [v.value for v in critic.trainable_variables]
        with tf.GradientTape() as tape:
            penalty = gradient_penalty(critic, x, fakes, epsilon)
            scaled = 1024.0 * penalty
        gradients = tape.gradient(scaled, weights, unconnected_gradients="zero")
        assert all(g.dtype == tf.float32 for g in gradients)
        flat = np.concatenate([np.ravel(g) / 1024 for g in gradients])
        found[name] = float(penalty), flat
    (expected, direction), (penalty, gradient) = found.values()
    rounding = {"mixed_float16": 2**-11, "mixed_bfloat16": 2**-8}[policy]
    assert penalty == pytest.approx(expected, rel=10 * rounding)
    error = np.linalg.norm(gradient - direction) / np.linalg.norm(direction)
    assert error < 40 * rounding, error / rounding
