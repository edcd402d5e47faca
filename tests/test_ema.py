"""The averaged generator against the recursion worked in float64."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans.layers import Dropout
from keras_gans.networks import build_dcgan_generator, build_mlp_generator
from keras_gans.training.ema import averaged_copy, update_average


def values(network):
    return [np.array(v) for v in network.variables]


def assert_equal(found, expected):
    assert len(found) == len(expected)
    for f, e in zip(found, expected, strict=True):
        np.testing.assert_array_equal(f, e)


@pytest.fixture
def network():
    """With all kinds of state: kernels, batch statistics, two counters of random draws."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((3,)),
            layers.Dense(4),
            layers.BatchNormalization(),
            Dropout(0.5, seed=1),  # int64 state
            layers.Dropout(0.5, seed=1),  # uint32 state
        ]
    )


def train_a_little(network, scale):
    """Moves every float weight and every counter."""
    for v in network.variables:
        if keras.backend.is_float_dtype(v.dtype):
            v.assign_add(scale * np.random.default_rng(v.shape[0]).uniform(0.5, 1, v.shape))
    network(tf.zeros((1, 3)), training=True)


def test_copy_is_equal_and_apart(network):
    train_a_little(network, 0.3)
    copy = averaged_copy(network, 0.9)
    assert_equal(copy.get_weights(), network.get_weights())
    assert not {id(v) for v in copy.variables} & {id(v) for v in network.variables}
    assert copy.trainable_variables == []
    assert len(network.trainable_variables) == 4  # the original is still trained
    kept = copy.get_weights()
    train_a_little(network, 1.0)
    assert_equal(copy.get_weights(), kept)


def test_copy_does_not_train(network):
    """Called with training=True it neither moves its batch statistics."""
    copy = averaged_copy(network, 0.9)
    kept = [np.array(v) for v in copy.variables if keras.backend.is_float_dtype(v.dtype)]
    copy(tf.ones((4, 3)), training=True)
    assert_equal([np.array(v) for v in copy.variables if v.dtype == "float32"], kept)


@pytest.mark.parametrize(
    "build",
    [
        lambda: build_mlp_generator((2,), 3, (8,), seed=0),
        lambda: build_dcgan_generator((8, 12, 2), 3, width=2, num_classes=4, seed=0),
    ],
    ids=["mlp", "conditional dcgan"],
)
def test_copy_makes_the_same(build):
    generator = build()
    copy = averaged_copy(generator, 0.9)
    inputs = [tf.random.normal((5, 3))]
    if len(generator.inputs) == 2:
        inputs.append(tf.constant([0, 1, 2, 3, 0]))
    inputs = inputs if len(inputs) > 1 else inputs[0]
    np.testing.assert_array_equal(copy(inputs), generator(inputs))


@pytest.mark.parametrize("decay", [0.5, 0.9, 0.999])
def test_recursion(network, decay):
    """a_n = decay^n a_0 + (1 - decay) sum_k decay^(n - k) w_k, the batch statistics too; the
    counters of draws are copied."""
    average = averaged_copy(network, 0.9)
    floats = [keras.backend.is_float_dtype(v.dtype) for v in network.variables]
    assert floats.count(True) == 6 and floats.count(False) == 2
    expected = [v.astype("float64") for v in values(network)]
    for step in range(4):
        train_a_little(network, 0.1 * (step + 1))
        update_average(average, network, decay)
        expected = [
            decay * a + (1 - decay) * w.astype("float64") if is_float else w
            for a, w, is_float in zip(expected, values(network), floats, strict=True)
        ]
    for a, e in zip(values(average), expected, strict=True):
        np.testing.assert_allclose(a, e, rtol=1e-5, atol=1e-6)
    counters = [a for a, is_float in zip(values(average), floats, strict=True) if not is_float]
    assert all(counter.ravel()[-1] > 0 for counter in counters)


def test_decay_near_one_is_not_lost(network):
    """100 steps at 0.9999 move the average by 1 - 0.9999^100 of the way, to float32's precision."""
    average = averaged_copy(network, 0.9)
    network.layers[0].kernel.assign(average.layers[0].kernel + 1.0)
    start = average.layers[0].kernel.numpy()

    @tf.function
    def step():
        update_average(average, network, 0.9999)

    for _ in range(100):
        step()
    moved = average.layers[0].kernel.numpy() - start
    np.testing.assert_allclose(moved, 1 - 0.9999**100, rtol=1e-3)


def test_update_leaves_the_network(network):
    average = averaged_copy(network, 0.9)
    train_a_little(network, 1.0)
    kept = values(network)
    update_average(average, network, 0.9)
    assert_equal(values(network), kept)


def test_networks_that_differ(network):
    shorter = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4)])
    with pytest.raises(ValueError):
        update_average(averaged_copy(shorter, 0.9), network, 0.9)


def test_no_average(network):
    """Without a decay there is none, and an update of none does nothing."""
    assert averaged_copy(network, None) is None
    kept = values(network)
    update_average(None, network, None)
    assert_equal(values(network), kept)
