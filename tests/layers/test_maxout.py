"""Maxout against numpy."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans.layers import Maxout


def test_largest_piece():
    """y_j = max_p (x W + b)_jp, with the pieces of a unit beside each other."""
    rng = np.random.default_rng(0)
    layer = Maxout(3, pieces=4)
    layer.build((None, 5))
    kernel, bias = rng.normal(size=(5, 12)), rng.normal(size=12)
    layer.set_weights([kernel, bias])
    x = rng.normal(size=(6, 5)).astype("float32")
    affine = [[x @ kernel[:, 4 * j + p] + bias[4 * j + p] for p in range(4)] for j in range(3)]
    expected = np.max(affine, axis=1).T
    assert layer(x).shape == expected.shape == (6, 3)
    np.testing.assert_allclose(layer(x), expected, rtol=1e-5, atol=1e-6)
    graph = tf.function(layer, input_signature=[tf.TensorSpec((None, 5))])
    np.testing.assert_allclose(graph(x), expected, rtol=1e-5, atol=1e-6)


def test_one_piece_is_dense():
    layer, dense = Maxout(3, pieces=1), keras.layers.Dense(3)
    x = np.random.default_rng(0).normal(size=(6, 5)).astype("float32")
    layer(x), dense(x)
    dense.set_weights(layer.get_weights())
    np.testing.assert_allclose(layer(x), dense(x), rtol=1e-5)


def test_absolute_value():
    """Two pieces, x and -x, make |x|."""
    layer = Maxout(1, pieces=2)
    layer.build((None, 1))
    layer.set_weights([np.array([[1.0, -1.0]]), np.zeros(2)])
    x = np.array([[-3.0], [0.0], [2.0]], "float32")
    np.testing.assert_array_equal(layer(x), np.abs(x))


def test_gradient_goes_to_the_largest():
    layer = Maxout(2, pieces=2)
    layer.build((None, 1))
    layer.set_weights([np.array([[1.0, 2.0, 3.0, -1.0]]), np.zeros(4)])
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(layer(np.array([[5.0]], "float32")))
    of_kernel, of_bias = tape.gradient(total, layer.trainable_weights)
    np.testing.assert_array_equal(of_kernel, [[0, 5, 5, 0]])
    np.testing.assert_array_equal(of_bias, [0, 1, 1, 0])


def test_weights():
    layer = Maxout(3, pieces=4, kernel_initializer=keras.initializers.Constant(2.0))
    layer.build((None, 5))
    kernel, bias = layer.get_weights()
    assert kernel.shape == (5, 12) and (kernel == 2).all()
    assert bias.shape == (12,) and (bias == 0).all()
    assert len(layer.trainable_weights) == 2


def test_saved_model(tmp_path):
    inputs = keras.Input((5,))
    layer = Maxout(3, 4, kernel_initializer=keras.initializers.RandomNormal(seed=1), name="maxout")
    model = keras.Model(inputs, layer(inputs))
    assert model.output_shape == (None, 3)
    assert layer.compute_output_shape((7, 5)) == (7, 3)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert type(loaded.layers[-1]) is Maxout
    assert loaded.layers[-1].get_config() == layer.get_config()
    x = np.random.default_rng(0).normal(size=(6, 5)).astype("float32")
    np.testing.assert_array_equal(loaded(x), model(x))


@pytest.mark.parametrize("value", [0, -1, 2.5, True, None])
@pytest.mark.parametrize("name", ["units", "pieces"])
def test_bad_counts(name, value):
    with pytest.raises(ValueError, match=rf"`{name}` must be an integer of at least 1.*Received"):
        Maxout(**{"units": 3, "pieces": 2, name: value})


def test_sequences_keep_their_axes():
    layer = Maxout(2, 3)
    x = np.random.default_rng(0).normal(size=(4, 5, 6)).astype("float32")
    outputs = layer(x)
    assert outputs.shape == layer.compute_output_shape(x.shape) == (4, 5, 2)
    np.testing.assert_allclose(outputs[:, 1], layer(x[:, 1]), atol=1e-6)
