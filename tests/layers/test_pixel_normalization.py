"""PixelNormalization against numpy (Karras et al., 2018, section 4.2)."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans.layers import PixelNormalization


@pytest.mark.parametrize("shape", [(5, 7), (3, 4, 5, 6)], ids=["vectors", "maps"])
@pytest.mark.parametrize("epsilon", [1e-8, 0.5])
def test_matches_numpy(shape, epsilon):
    x = np.random.default_rng(0).normal(scale=3.0, size=shape).astype("float32")
    layer = PixelNormalization(epsilon)
    expected = np.empty(shape)
    for place in np.ndindex(shape[:-1]):
        expected[place] = x[place] / np.sqrt(np.sum(x[place] ** 2) / shape[-1] + epsilon)
    np.testing.assert_allclose(layer(x), expected, rtol=1e-5, atol=1e-6)
    graph = tf.function(layer, input_signature=[tf.TensorSpec((None, *shape[1:]))])
    np.testing.assert_allclose(graph(x), expected, rtol=1e-5, atol=1e-6)
    assert layer.weights == [] and layer.compute_output_shape(shape) == shape


def test_zeros_have_a_finite_gradient():
    x = tf.zeros((2, 3))
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = PixelNormalization()(x)
    np.testing.assert_array_equal(y, np.zeros((2, 3)))
    np.testing.assert_allclose(tape.gradient(y, x), np.full((2, 3), 1e4), rtol=1e-4)


def test_half_precision_does_not_overflow():
    """300^2 is more than float16 holds."""
    y = PixelNormalization(dtype="mixed_float16")(np.full((2, 4), 300.0, "float32"))
    assert y.dtype == "float16"
    np.testing.assert_allclose(y, np.ones((2, 4)), rtol=1e-3)


def test_saved_model(tmp_path):
    inputs = keras.Input((4, 4, 3))
    model = keras.Model(inputs, PixelNormalization(1e-6)(inputs))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert type(loaded.layers[-1]) is PixelNormalization and loaded.layers[-1].epsilon == 1e-6


@pytest.mark.parametrize("epsilon", [0, -1e-8, None, "1"])
def test_bad_epsilon(epsilon):
    with pytest.raises(ValueError, match=r"`epsilon` must be a positive number.*Received"):
        PixelNormalization(epsilon)
