"""Losses against numbers worked by hand, the papers' formulas in float64, and Keras's own."""

import inspect

import hypothesis.extra.numpy as arrays
import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_gans import losses

TWO_SIDED = [
    losses.minimax_discriminator_loss,
    losses.least_squares_discriminator_loss,
    losses.wasserstein_critic_loss,
    losses.hinge_discriminator_loss,
]
ONE_SIDED = [
    losses.minimax_generator_loss,
    losses.non_saturating_generator_loss,
    losses.least_squares_generator_loss,
    losses.wasserstein_generator_loss,
    losses.hinge_generator_loss,
]


def column(*values):
    return tf.constant(values, tf.float32)[:, None]


def value_and_gradients(loss, *logits):
    logits = [tf.convert_to_tensor(part) for part in logits]
    with tf.GradientTape() as tape:
        tape.watch(logits)
        value = loss(*logits)
    return float(value), [g.numpy() for g in tape.gradient(value, logits)]


def sigmoid(logits):
    return 1 / (1 + np.exp(-np.asarray(logits, "float64")))


LOG3 = np.log(3.0)  # sigmoid(log 3) = 3/4, sigmoid(-log 3) = 1/4


def test_minimax_by_hand():
    real, fake = column(LOG3, LOG3), column(0, LOG3)  # D is 3/4, 3/4 and 1/2, 3/4
    fakes_part = -(np.log(1 / 2) + np.log(1 / 4)) / 2
    for target, reals_part in (
        (1.0, -np.log(3 / 4)),
        (0.9, -0.9 * np.log(3 / 4) - 0.1 * np.log(1 / 4)),
        (0.0, -np.log(1 / 4)),
    ):
        value = losses.minimax_discriminator_loss(real, fake, real_target=target)
        assert float(value) == pytest.approx(reals_part + fakes_part, rel=1e-6)
    default = losses.minimax_discriminator_loss(real, fake)
    assert float(default) == pytest.approx(-np.log(3 / 4) + fakes_part, rel=1e-6)
    assert float(losses.minimax_generator_loss(fake)) == pytest.approx(-fakes_part, rel=1e-6)
    expected = -(np.log(1 / 2) + np.log(3 / 4)) / 2
    assert float(losses.non_saturating_generator_loss(fake)) == pytest.approx(expected, rel=1e-6)


def test_least_squares_by_hand():
    real, fake = column(0.5, 2), column(1, -1)
    # 1/2 (0.25 + 1) / 2 + 1/2 (1 + 1) / 2
    assert float(losses.least_squares_discriminator_loss(real, fake)) == pytest.approx(0.8125)
    # 1/2 (0.25 + 1) / 2 + 1/2 (4 + 0) / 2
    value = losses.least_squares_discriminator_loss(real, fake, a=-1.0, b=1.0)
    assert float(value) == pytest.approx(1.3125)
    # 1/2 (6.25 + 16) / 2 + 1/2 (4 + 16) / 2
    value = losses.least_squares_discriminator_loss(real, fake, a=3.0, b=-2.0)
    assert float(value) == pytest.approx(10.5625)
    assert float(losses.least_squares_generator_loss(fake)) == pytest.approx(1.0)
    assert float(losses.least_squares_generator_loss(fake, c=0.0)) == pytest.approx(0.5)


def test_hinge_by_hand():
    """Reals beyond 1 and fakes beyond -1 cost nothing, and have no gradient."""
    real, fake = column(2, 0.25, -1), column(-3, 0.5)
    value, (of_reals, of_fakes) = value_and_gradients(losses.hinge_discriminator_loss, real, fake)
    assert value == pytest.approx((0 + 0.75 + 2) / 3 + (0 + 1.5) / 2, rel=1e-6)
    np.testing.assert_allclose(of_reals.ravel(), [0, -1 / 3, -1 / 3], rtol=1e-6)
    np.testing.assert_allclose(of_fakes.ravel(), [0, 1 / 2], rtol=1e-6)
    value, (of_fakes,) = value_and_gradients(losses.hinge_generator_loss, fake)
    assert value == pytest.approx(1.25)
    np.testing.assert_allclose(of_fakes.ravel(), [-1 / 2, -1 / 2], rtol=1e-6)


def test_wasserstein_by_hand():
    real, fake = column(0.5, 2), column(1, -2)
    assert float(losses.wasserstein_critic_loss(real, fake)) == pytest.approx(-0.5 - 1.25)
    assert float(losses.wasserstein_generator_loss(fake)) == pytest.approx(0.5)


def logits_of(shape):
    return arrays.arrays("float32", shape, elements=st.floats(-30, 30, width=32))


SHAPES = st.one_of(
    st.tuples(st.integers(1, 6), st.just(1)),
    st.tuples(*[st.integers(1, 4)] * 3, st.just(1)),  # PatchGAN maps
)


@settings(max_examples=25, deadline=None, derandomize=True, database=None)
@given(data=st.data(), target=st.floats(0, 1, width=32))
def test_cross_entropies_are_keras(data, target):
    """The same numbers as `keras.losses.BinaryCrossentropy`, in any shape."""
    shape = data.draw(SHAPES)
    real, fake = data.draw(logits_of(shape)), data.draw(logits_of(shape))
    entropy = keras.losses.BinaryCrossentropy(from_logits=True)
    ones, zeros = np.ones(shape, "float32"), np.zeros(shape, "float32")
    near = {"rtol": 1e-5, "atol": 1e-5}
    np.testing.assert_allclose(
        losses.minimax_discriminator_loss(real, fake, real_target=target),
        entropy(target * ones, real) + entropy(zeros, fake),
        **near,
    )
    np.testing.assert_allclose(
        losses.non_saturating_generator_loss(fake), entropy(ones, fake), **near
    )
    np.testing.assert_allclose(losses.minimax_generator_loss(fake), -entropy(zeros, fake), **near)


@settings(max_examples=25, deadline=None, derandomize=True, database=None)
@given(data=st.data(), targets=st.tuples(*[st.floats(-2, 2, width=32)] * 3))
def test_squares_and_means_are_numpy(data, targets):
    shape = data.draw(SHAPES)
    real, fake = data.draw(logits_of(shape)), data.draw(logits_of(shape))
    (a, b, c), r, f = targets, real.astype("float64"), fake.astype("float64")
    near = {"rtol": 1e-5, "atol": 1e-4}
    np.testing.assert_allclose(
        losses.least_squares_discriminator_loss(real, fake, a=a, b=b),
        ((r - b) ** 2).mean() / 2 + ((f - a) ** 2).mean() / 2,
        **near,
    )
    value = losses.least_squares_generator_loss(fake, c=c)
    np.testing.assert_allclose(value, ((f - c) ** 2).mean() / 2, **near)
    value = losses.wasserstein_critic_loss(real, fake)
    np.testing.assert_allclose(value, f.mean() - r.mean(), **near)
    np.testing.assert_allclose(losses.wasserstein_generator_loss(fake), -f.mean(), **near)


@pytest.mark.parametrize("loss", TWO_SIDED + ONE_SIDED, ids=lambda f: f.__name__)
def test_patches_weigh_the_same(loss):
    """A map of logits is as good as a batch of them: scalar value, gradient 1/n of each."""
    rng = np.random.default_rng(0)
    maps = [rng.normal(size=(2, 3, 5, 1)).astype("float32") for _ in range(1 + (loss in TWO_SIDED))]
    flat = [part.reshape(30, 1) for part in maps]
    assert tuple(loss(*maps).shape) == ()
    value, gradients = value_and_gradients(loss, *maps)
    flat_value, flat_gradients = value_and_gradients(loss, *flat)
    assert value == pytest.approx(flat_value, rel=1e-6)
    for g, f in zip(gradients, flat_gradients, strict=True):
        np.testing.assert_allclose(g.ravel(), f.ravel(), rtol=1e-6)


def test_reals_and_fakes_may_differ_in_number():
    """Two means, not one of the difference: 3 reals beside 1 fake."""
    real, fake = column(0, 3, 6), column(1)
    assert float(losses.wasserstein_critic_loss(real, fake)) == pytest.approx(1 - 3)
    value = losses.least_squares_discriminator_loss(real, fake)  # (1 + 4 + 25) / 6 + 1 / 2
    assert float(value) == pytest.approx(5.5)


@pytest.mark.parametrize("loss", TWO_SIDED, ids=lambda f: f.__name__)
def test_order_is_real_then_fake(loss):
    """A discriminator that is right has the lower loss; by keyword it is the same."""
    high, low = column(1, 1.5), column(0, -0.5)
    assert list(inspect.signature(loss).parameters)[:2] == ["real_logits", "fake_logits"]
    assert float(loss(high, low)) < float(loss(low, high)) - 1
    assert float(loss(fake_logits=low, real_logits=high)) == float(loss(high, low))


@pytest.mark.parametrize(
    ("loss", "logits", "limit", "gradients"),
    [
        (losses.minimax_discriminator_loss, (1e4, -1e4), 0, (0, 0)),
        (losses.minimax_discriminator_loss, (-1e4, 1e4), 2e4, (-1, 1)),
        (losses.minimax_discriminator_loss, (1e4, 1e4), 1e4, (0, 1)),
        (losses.minimax_generator_loss, (1e4,), -1e4, (-1,)),
        (losses.minimax_generator_loss, (-1e4,), 0, (0,)),
        (losses.non_saturating_generator_loss, (1e4,), 0, (0,)),
        (losses.non_saturating_generator_loss, (-1e4,), 1e4, (-1,)),
        (losses.least_squares_discriminator_loss, (1e4, -1e4), (9999**2 + 1e8) / 2, (9999, -1e4)),
        (losses.least_squares_generator_loss, (-1e4,), 10001**2 / 2, (-10001,)),
        (losses.wasserstein_critic_loss, (1e4, -1e4), -2e4, (-1, 1)),
        (losses.wasserstein_generator_loss, (1e4,), -1e4, (-1,)),
    ],
)
def test_extreme_logits(loss, logits, limit, gradients):
    value, found = value_and_gradients(loss, *[column(x) for x in logits])
    assert value == pytest.approx(limit, rel=1e-6)
    np.testing.assert_allclose([g.item() for g in found], gradients, rtol=1e-6)


def test_smoothed_extreme_logits():
    """t = 0.9 with a logit of 1e4: (1 - t) 1e4, and the gradient 1 - t."""

    def smooth(real, fake):
        return losses.minimax_discriminator_loss(real, fake, real_target=0.9)

    value, (real_gradient, _) = value_and_gradients(smooth, column(1e4), column(-1e4))
    assert value == pytest.approx(1e3, rel=1e-5)
    assert real_gradient.item() == pytest.approx(0.1, rel=1e-5)


def test_generators_gradients_where_discriminator_wins():
    """Goodfellow et al., 2014, section 3: the minimax gradient -D / n vanishes with D, the
    non-saturating one (D - 1) / n does not; both pull the logit up."""
    wins = column(-20, -20, -20, -20)
    _, (saturated,) = value_and_gradients(losses.minimax_generator_loss, wins)
    _, (strong,) = value_and_gradients(losses.non_saturating_generator_loss, wins)
    np.testing.assert_allclose(saturated, -sigmoid(wins) / 4, rtol=1e-5)
    assert np.abs(saturated).max() < 1e-8
    np.testing.assert_allclose(strong, (sigmoid(wins) - 1) / 4, rtol=1e-5)

    even = column(0, 0)  # the two meet where D = 1/2
    for loss in (losses.minimax_generator_loss, losses.non_saturating_generator_loss):
        np.testing.assert_allclose(value_and_gradients(loss, even)[1][0], -0.25, rtol=1e-6)


def test_discriminators_gradients():
    """(D - t) / n for reals and D / n for fakes."""
    real, fake = column(-2, 0.5, 3), column(-1, 2)

    def loss(r, f):
        return losses.minimax_discriminator_loss(r, f, real_target=0.8)

    _, (of_real, of_fake) = value_and_gradients(loss, real, fake)
    np.testing.assert_allclose(of_real, (sigmoid(real) - 0.8) / 3, rtol=1e-5)
    np.testing.assert_allclose(of_fake, sigmoid(fake) / 2, rtol=1e-5)


@pytest.mark.parametrize("target", [-0.1, 1.1, np.nan])
def test_bad_real_target(target):
    with pytest.raises(ValueError, match=r"`real_target`.*Received"):
        losses.minimax_discriminator_loss(column(0), column(0), real_target=target)


def test_relativistic_by_hand():
    """Pairs (log 3, 0) and (0, log 3): log(1 + 1/3) and log(1 + 3); by hand, not from means."""
    real, fake = column(LOG3, 0), column(0, LOG3)
    value, (of_real, of_fake) = value_and_gradients(losses.relativistic_loss, real, fake)
    assert value == pytest.approx((np.log(4 / 3) + np.log(4)) / 2, rel=1e-6)
    np.testing.assert_allclose(of_real.ravel(), [-1 / 8, -3 / 8], rtol=1e-5)  # (sigmoid - 1) / 2
    np.testing.assert_allclose(of_fake, -of_real, rtol=1e-6)


def test_relativistic_sees_differences_alone():
    """A constant on both does nothing; an even pair costs log 2; sure ones 0 and their distance."""
    real, fake = column(1, -2, 0.5), column(0.3, 1, -1)
    value = float(losses.relativistic_loss(real, fake))
    assert float(losses.relativistic_loss(real + 7, fake + 7)) == pytest.approx(value, rel=1e-5)
    assert float(losses.relativistic_loss(real, real)) == pytest.approx(np.log(2), rel=1e-6)
    assert float(losses.relativistic_loss(column(1e4), column(-1e4))) == 0
    value, gradients = value_and_gradients(losses.relativistic_loss, column(-1e4), column(1e4))
    assert value == 2e4 and [g.item() for g in gradients] == [-1, 1]


def test_relativistic_pairs_must_fit():
    with pytest.raises(ValueError, match=r"`logits` and `other_logits`.*\(2, 1\) and \(1, 1\)"):
        losses.relativistic_loss(column(0, 1), column(0))


def test_mean_squared_error():
    """Of all values: (1 + 0 + 4 + 9) / 4; in float32, where float16 would overflow."""
    x, y = tf.constant([[1.0, 2.0], [3.0, 4.0]]), tf.constant([[0.0, 2.0], [5.0, 1.0]])
    assert float(losses.mean_squared_error(x, y)) == pytest.approx(14 / 4)
    far = tf.fill((3, 2), tf.constant(300.0, tf.float16))
    assert float(losses.mean_squared_error(far, -far)) == pytest.approx(360_000)


def test_total_variation():
    """Differences to the right and down, which the last column and the last row do not have.

    Of 0 3 above 4 4 they are (3, 4), (0, 1), (0, 0) and (0, 0): roots 5 + 1, squares 25 + 1. The
    second picture has a corner of 0 in each of two channels, beside 1 and beside -2: roots sqrt(2)
    and 2 sqrt(2), squares 2 and 8.
    """
    first = [[[0.0, 0], [3, 0]], [[4, 0], [4, 0]]]
    second = [[[0.0, 0], [1, -2], [1, -2]], [[1, -2], [1, -2], [1, -2]]]
    for exponent, expected in ((1.0, 6), (2, 26), (2.0, 26), (4, 25**2 + 1)):
        found = losses.total_variation([first], exponent)
        assert float(found) == pytest.approx(expected, rel=1e-5)
    assert float(losses.total_variation([second])) == pytest.approx(3 * 2**0.5, rel=1e-5)
    assert float(losses.total_variation([second], 2)) == pytest.approx(2 + 8)
    both = tf.concat([tf.constant([first]), 2 * tf.constant([first])], 0)
    assert float(losses.total_variation(both)) == pytest.approx((6 + 12) / 2, rel=1e-5)
    for bad in (0, -1):
        with pytest.raises(ValueError, match="`exponent` must be positive"):
            losses.total_variation([first], bad)


def test_total_variation_of_even_pictures():
    """Its derivative is finite where all differences are 0, and 0 there."""
    for exponent in (1.0, 1.5, 2.0):
        value, (gradient,) = value_and_gradients(
            lambda x, e=exponent: losses.total_variation(x, e),
            np.full((2, 3, 3, 1), 0.5, "float32"),
        )
        assert value == pytest.approx(0, abs=2e-5) and (gradient == 0).all()


# Entropies of classes (Springenberg, 2016)


def entropies(logits):
    """(E H(p), H(E p)) in float64, of probabilities that are none of them 0."""
    p = np.exp(np.asarray(logits, "float64"))
    p /= p.sum(1, keepdims=True)
    mean = p.mean(0)
    return -(p * np.log(p)).sum(1).mean(), -(mean * np.log(mean)).sum()


def test_entropies_by_hand():
    """p = (1/2, 1/2) and (1/4, 3/4): entropies log 2 and log 4 - 3/4 log 3; mean (3/8, 5/8)."""
    logits = [[1.0, 1.0], [0.0, LOG3]]
    expected = (np.log(2) + np.log(4) - 0.75 * np.log(3)) / 2
    assert float(losses.conditional_entropy(logits)) == pytest.approx(expected, rel=1e-6)
    expected = -3 / 8 * np.log(3 / 8) - 5 / 8 * np.log(5 / 8)
    assert float(losses.marginal_entropy(logits)) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("which", [0, 1], ids=["conditional", "marginal"])
def test_entropies_gradients_by_differences(which):
    loss = [losses.conditional_entropy, losses.marginal_entropy][which]
    logits = np.random.default_rng(1).normal(size=(4, 3))
    value, (gradients,) = value_and_gradients(loss, logits.astype("float32"))
    assert value == pytest.approx(entropies(logits)[which], rel=1e-5)
    for place in np.ndindex(logits.shape):
        step = np.zeros(logits.shape)
        step[place] = 1e-5
        ends = [entropies(logits + sign * step)[which] for sign in (1, -1)]
        assert gradients[place] == pytest.approx((ends[0] - ends[1]) / 2e-5, abs=1e-5)


@pytest.mark.parametrize("loss", [losses.conditional_entropy, losses.marginal_entropy])
def test_entropies_of_certain_classes(loss):
    """One class for all, beyond what float32 tells from 1: no entropy, and finite gradients."""
    value, (gradients,) = value_and_gradients(loss, tf.constant([[1e4, -1e4, 0.0]] * 3))
    assert value == pytest.approx(0, abs=1e-6) and np.isfinite(gradients).all()


def test_entropies_of_the_global_batch(two_replicas):
    """Both replicas have the marginal entropy of all rows, and its gradients, once they are added.

    The first replica has class 0 and the second one class 1: alone they would have nearly none.
    """
    logits = np.random.default_rng(2).normal(size=(4, 3)).astype("float32")
    logits[:2, 0] += 5
    logits[2:, 1] += 5
    weights = np.eye(3, dtype="float32")
    expected, (gradient,) = value_and_gradients(
        lambda w: losses.marginal_entropy(logits @ w), weights
    )

    def replica(index):
        own = tf.reshape(logits, (2, 2, 3))[index]
        w = tf.constant(weights)
        with tf.GradientTape() as tape:
            tape.watch(w)
            value = losses.marginal_entropy(own @ w)
            share = value / 2
        return value, tape.gradient(share, w)

    @tf.function
    def step():
        return two_replicas.run(
            lambda: replica(tf.distribute.get_replica_context().replica_id_in_sync_group)
        )

    values, gradients = map(two_replicas.experimental_local_results, step())
    np.testing.assert_allclose(values, [expected] * 2, rtol=1e-6)
    np.testing.assert_allclose(sum(gradients), gradient, rtol=1e-4, atol=1e-6)
