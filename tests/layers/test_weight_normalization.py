"""WeightNormalization, and first weights by data (Salimans and Kingma, 2016)."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_gans.layers import (
    GaussianNoise,
    MinibatchDiscrimination,
    WeightNormalization,
    initialize_from_data,
)


def normal(*shape, seed=0, scale=1.0):
    return (scale * np.random.default_rng(seed).normal(size=shape)).astype("float32")


def test_a_vector_has_the_length_g():
    """v = (3, 4), g = 2, b = 1: w = (6/5, 8/5), and on x = (1, 2) 6/5 + 16/5 + 1 = 27/5."""
    layer = WeightNormalization(layers.Dense(1, use_bias=False))
    layer.build((None, 2))
    layer.layer.kernel.assign([[3.0], [4.0]])
    layer.scale.assign([2.0])
    layer.bias.assign([1.0])
    np.testing.assert_allclose(layer(np.array([[1.0, 2.0]], "float32")), [[5.4]], rtol=1e-6)


@pytest.mark.parametrize("make", [layers.Conv2D, layers.Conv2DTranspose])
def test_convolutions_are_those_with_normalized_kernels(make):
    layer = WeightNormalization(make(5, 3, strides=2, padding="same", use_bias=False))
    maps = normal(2, 4, 4, 3)
    layer(maps)
    layer.scale.assign(np.arange(1, 6))
    layer.bias.assign(np.arange(5))
    kernel = np.array(layer.layer.kernel, "float64")
    own, axis = ("ijoc", 2) if make is layers.Conv2DTranspose else ("ijco", 3)
    assert kernel.shape[axis] == 5, own
    others = tuple(i for i in range(4) if i != axis)
    shape = [5 if i == axis else 1 for i in range(4)]
    lengths = np.sqrt((kernel**2).sum(others)).reshape(shape)
    plain = make(5, 3, strides=2, padding="same")
    plain.build(maps.shape)
    plain.set_weights([kernel / lengths * np.arange(1, 6).reshape(shape), np.arange(5)])
    np.testing.assert_allclose(layer(maps), plain(maps), rtol=1e-5, atol=1e-5)


def network():
    inputs = keras.Input((6,))
    x = GaussianNoise(0.3, seed=1)(inputs)
    x = WeightNormalization(layers.Dense(8, use_bias=False), trainable_scale=False)(x)
    features = layers.ReLU()(x)
    dense = layers.Dense(3, use_bias=False)
    outputs = WeightNormalization(dense, init_stddev=0.1)(features)
    return keras.Model(inputs, [x, outputs])


def test_the_first_data_give_mean_0_and_the_deviation(tmp_path):
    model, data = network(), 5.0 + normal(400, 6, scale=7.0)
    assert initialize_from_data(model, data)
    for made, stddev in zip(model(data), (1.0, 0.1), strict=True):
        # The noise of 0.3 beside a deviation of 7 is all that this call has not.
        np.testing.assert_allclose(np.mean(made, axis=0), 0, atol=0.02 * stddev)
        np.testing.assert_allclose(np.std(made, axis=0), stddev, rtol=0.02)
    state = model.get_weights()
    assert not initialize_from_data(model, data + 1)  # once
    model.save(tmp_path / "m.keras")
    loaded = keras.models.load_model(tmp_path / "m.keras")
    assert not initialize_from_data(loaded, data + 1)  # also of those that were saved
    for a, b, c in zip(state, model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(a, c)


def test_data_that_are_all_alike_set_no_scale():
    model = network()
    initialize_from_data(model, np.zeros((20, 6), "float32"))
    floats = [w for w in model.get_weights() if w.dtype.kind == "f"]
    assert all(np.isfinite(w).all() and np.abs(w).max() < 100 for w in floats)
    layer = MinibatchDiscrimination(3, 2, weight_normalization=True, dtype="float16")
    inputs = keras.Input((5,), dtype="float16")
    model = keras.Model(inputs, layer(inputs))
    for rows in (np.ones((8, 5), "float16"), normal(8, 5).astype("float16")):
        layer.initialized.assign(0.0)
        initialize_from_data(model, rows)
        assert all(np.isfinite(w).all() for w in model.get_weights())


def test_a_scale_that_is_not_trained():
    model = network()
    assert len(model.trainable_variables) == 5  # two kernels, two biases, one scale


def test_noise_is_added_in_training_alone():
    layer, x = GaussianNoise(0.5, seed=3), np.zeros((1000, 4), "float32")
    np.testing.assert_array_equal(layer(x), x)
    first, second = (np.array(layer(x, training=True)) for _ in range(2))
    assert first.std() == pytest.approx(0.5, rel=0.05) and abs(first.mean()) < 0.03
    assert (first != second).all()


def test_neighbours_of_the_first_data_are_at_a_distance_of_2():
    """And o has mean 0; the layer without data begins with a bias of -1 and columns of length 1."""
    layer, x = MinibatchDiscrimination(3, 2, weight_normalization=True), normal(50, 5, scale=9.0)
    inputs = keras.Input((5,))
    model = keras.Model(inputs, layer(inputs))
    np.testing.assert_array_equal(layer.bias, [-1, -1, -1])
    np.testing.assert_allclose((np.array(layer.tensor()) ** 2).sum(0), np.ones(6), rtol=1e-5)
    initialize_from_data(model, x)
    rows = (x @ np.array(layer.tensor())).reshape(50, 3, 2)
    distances = np.abs(rows[:, None] - rows[None]).sum(-1)
    distances[np.arange(50), np.arange(50)] = np.inf
    np.testing.assert_allclose(distances.min(1).mean(0), [2, 2, 2], rtol=1e-4)
    expected = np.exp(-distances).sum(1)
    np.testing.assert_allclose(model(x)[:, 5:], expected - expected.mean(0), atol=1e-4)


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: WeightNormalization(layers.Dense(3)), "use_bias=False"),
        (lambda: WeightNormalization(layers.Dense(3, "relu", use_bias=False)), "no activation"),
        (
            lambda: WeightNormalization(layers.Dense(3, use_bias=False), init_stddev=0),
            "init_stddev",
        ),
        (lambda: GaussianNoise(-1.0), "stddev"),
        (lambda: WeightNormalization(layers.DepthwiseConv2D(3, use_bias=False)), "Dense or conv"),
        (lambda: initialize_from_data(network(), np.ones((1, 6), "float32")), "2 examples"),
    ],
)
def test_bad_arguments(make, match):
    with pytest.raises(ValueError, match=match):
        make()
