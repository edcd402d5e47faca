"""Draws against TensorFlow's stateless functions, on one device and on two replicas."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans.devices.randomness import (
    PRIORS,
    RandomState,
    draw_rows,
    new_seed,
    normal,
    uniform,
)


def like(batch):
    return tf.zeros((batch, 1))


def test_stream_is_seed_and_count():
    """The n-th draw has the seed (seed, n), whatever is drawn."""
    state = RandomState(7)
    drawn = [state.normal(like(3), (2,)), state.uniform(like(4)), state.normal(like(3), (2,))]
    expected = [
        tf.random.stateless_normal((3, 2), (7, 0)),
        tf.random.stateless_uniform((4,), (7, 1)),
        tf.random.stateless_normal((3, 2), (7, 2)),
    ]
    for d, e in zip(drawn, expected, strict=True):
        np.testing.assert_array_equal(d, e)
    np.testing.assert_array_equal(state.next_seed(), [7, 3])


def test_draws_differ():
    """From one call to the next, from row to row and from seed to seed."""
    state, other = RandomState(0), RandomState(1)
    drawn = np.concatenate([state.normal(like(50), (4,)) for _ in range(3)])
    assert len(np.unique(drawn)) == drawn.size
    assert not np.intersect1d(drawn, np.array(other.normal(like(50), (4,)))).size


def test_state_advances_in_graphs():
    """A traced function does not freeze the draw."""
    state = RandomState(3)
    step = tf.function(lambda: state.normal(like(4)))
    graph = [step().numpy() for _ in range(3)]
    for n, drawn in enumerate(graph):
        np.testing.assert_array_equal(drawn, tf.random.stateless_normal((4,), (3, n)))


def test_state_is_an_untrained_weight():
    state = RandomState(2**40 + 3)  # more than 32 bits
    (weight,) = state.weights
    assert (weight.dtype, weight.shape, weight.trainable) == ("int64", (2,), False)
    np.testing.assert_array_equal(weight.numpy(), [2**40 + 3, 0])


def test_ranges():
    state, many = RandomState(0), like(20_000)
    uniform = state.uniform(many).numpy()
    assert 0 <= uniform.min() < 1e-3 and 1 - 1e-3 < uniform.max() < 1
    assert uniform.mean() == pytest.approx(0.5, abs=5 / np.sqrt(12 * 20_000))
    wide = state.uniform(many, minval=-3.0, maxval=5.0).numpy()
    assert -3 <= wide.min() < -2.99 and 4.99 < wide.max() < 5
    normal = state.normal(many).numpy()
    assert normal.mean() == pytest.approx(0, abs=5 / np.sqrt(20_000))
    assert normal.std() == pytest.approx(1, abs=5 / np.sqrt(2 * 20_000))


@pytest.mark.parametrize("seed", [(0, -1), (7, 0), (2**40, -2), (2**63 - 1, 3)])
def test_eager_draws_are_tensorflows(seed):
    """Bit for bit, and those of a graph."""
    own = {"normal": lambda: normal((3, 5), seed), "uniform": lambda: uniform((3, 5), seed, -2, 5)}
    whole = tf.constant(seed, tf.int64)
    theirs = {
        "normal": tf.random.stateless_normal((3, 5), whole, alg="philox"),
        "uniform": tf.random.stateless_uniform((3, 5), whole, -2, 5, alg="philox"),
    }
    for name, draw in own.items():
        np.testing.assert_array_equal(draw(), theirs[name])
        np.testing.assert_array_equal(tf.function(draw)(), theirs[name])


def test_priors():
    normal = PRIORS["normal"]((20_000,), (0, 0)).numpy()
    assert normal.std() == pytest.approx(1, rel=0.03) and normal.max() > 3
    uniform = PRIORS["uniform"]((20_000,), (0, 0)).numpy()
    assert -1 <= uniform.min() < -0.999 and 0.999 < uniform.max() < 1
    assert uniform.std() == pytest.approx(1 / np.sqrt(3), rel=0.03)


def test_batch_is_that_of_the_first_tensor():
    """Also of a structure, and where it is not known until the graph runs."""
    seed = tf.constant([1, 2], tf.int64)
    pair = (tf.zeros((5, 3)), tf.zeros((5,)))
    drawn = draw_rows(tf.random.stateless_normal, pair, (2, 4), seed)
    np.testing.assert_array_equal(drawn, tf.random.stateless_normal((5, 2, 4), (1, 2)))

    @tf.function(input_signature=[tf.TensorSpec((None, 3))])
    def rows(x):
        drawn = draw_rows(tf.random.stateless_normal, x, (2,), seed)
        assert drawn.shape.as_list() in ([None, 2], [None, None])
        return drawn

    for batch in (3, 6):
        expected = tf.random.stateless_normal((batch, 2), (1, 2))
        np.testing.assert_array_equal(rows(tf.zeros((batch, 3))), expected)


@pytest.mark.parametrize("known", [True, False], ids=["known batch", "unknown batch"])
def test_two_replicas_draw_what_one_device_would(two_replicas, known):
    """Replica 0 has the upper half of the global draw, replica 1 the lower, at each call."""
    with two_replicas.scope():
        state = RandomState(11)
    signature = [tf.TensorSpec((4 if known else None, 1))]

    @tf.function(input_signature=signature)
    def draws(x):
        normal, uniform = state.normal(x, (3,)), state.uniform(x)
        assert normal.shape[1:] == (3,) and uniform.shape[1:] == ()
        return normal, uniform

    @tf.function
    def run():
        return two_replicas.run(draws, (like(4),))

    one = RandomState(11)
    for _ in range(2):
        expected_draws = one.normal(like(8), (3,)), one.uniform(like(8))
        for found, expected in zip(run(), expected_draws, strict=True):
            halves = two_replicas.experimental_local_results(found)
            np.testing.assert_array_equal(np.concatenate(halves), expected)


def test_saved_stream_goes_on(tmp_path):
    @keras.saving.register_keras_serializable("tests")
    class Noise(keras.layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.random_state = RandomState(5)

        def call(self, x):
            return x + self.random_state.normal(x, (1,))

    inputs = keras.Input((1,))
    model = keras.Model(inputs, Noise()(inputs))
    first = model(like(4)).numpy()
    model.save(tmp_path / "noise.keras")
    loaded = keras.models.load_model(tmp_path / "noise.keras")
    second = model(like(4)).numpy()
    assert (first != second).all()
    np.testing.assert_array_equal(loaded(like(4)), second)


def test_new_seed():
    keras.utils.set_random_seed(1)
    seeds = [new_seed() for _ in range(20)]
    assert len(set(seeds)) == 20
    assert all(isinstance(seed, int) and 0 <= seed < 2**31 for seed in seeds)
    keras.utils.set_random_seed(1)
    assert [new_seed() for _ in range(20)] == seeds
