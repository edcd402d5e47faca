"""ReflectionPadding2D against numpy."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans.layers import ReflectionPadding2D


def padded(x, padding):
    sides = (padding, padding)
    return np.pad(x, ((0, 0), sides, sides, (0, 0)), mode="reflect")


def pictures(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


@pytest.mark.parametrize("padding", [1, 3])
@pytest.mark.parametrize("jit_compile", [None, False, True], ids=["eager", "graph", "XLA"])
def test_is_numpys(padding, jit_compile):
    layer, x = ReflectionPadding2D(padding), pictures(2, 4, 6, 3)
    function = layer if jit_compile is None else tf.function(layer, jit_compile=jit_compile)
    np.testing.assert_array_equal(function(x), padded(x, padding))
    assert layer.compute_output_shape(x.shape) == (2, 4 + 2 * padding, 6 + 2 * padding, 3)


def test_border_pixels_are_not_repeated():
    x = np.arange(3.0, dtype="float32").reshape(1, 1, 3, 1).repeat(3, axis=1)
    np.testing.assert_array_equal(ReflectionPadding2D(2)(x)[0, 0, :, 0], [2, 1, 0, 1, 2, 1, 0])


@pytest.mark.parametrize("jit_compile", [False, True], ids=["graph", "XLA"])
def test_gradient(jit_compile):
    """That of a sum: how often each pixel is in the padded picture."""
    x = tf.constant(pictures(1, 4, 5, 1))
    layer = ReflectionPadding2D(2)

    @tf.function(jit_compile=jit_compile)
    def gradient():
        with tf.GradientTape() as tape:
            tape.watch(x)
            total = tf.reduce_sum(layer(x))
        return tape.gradient(total, x)

    places = padded(np.arange(20).reshape(1, 4, 5, 1), 2)
    counts = np.bincount(places.ravel(), minlength=20).reshape(1, 4, 5, 1)
    np.testing.assert_array_equal(gradient(), counts)


def test_saved_model(tmp_path):
    inputs = keras.Input((None, None, 2))
    model = keras.Model(inputs, ReflectionPadding2D(2, name="padding")(inputs))
    assert model.output_shape == (None, None, None, 2)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert type(loaded.layers[-1]) is ReflectionPadding2D
    assert loaded.layers[-1].get_config() == model.layers[-1].get_config()
    x = pictures(1, 5, 4, 2)
    np.testing.assert_array_equal(loaded(x), padded(x, 2))


@pytest.mark.parametrize("value", [0, -1, 1.5, True, (1, 1), None])
def test_bad_padding(value):
    with pytest.raises(ValueError, match=r"`padding` must be an integer of at least 1.*Received"):
        ReflectionPadding2D(value)


@pytest.mark.parametrize("shape", [(1, 3, 9, 1), (1, 9, 3, 1), (1, 9, 9)])
def test_pictures_that_are_too_small(shape):
    with pytest.raises(ValueError, match=r"`padding` must be less than.*Received: padding 3"):
        ReflectionPadding2D(3)(pictures(*shape))
