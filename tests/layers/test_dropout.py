"""Dropout: its share and scale, its masks on one device and on two replicas, and its state."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans.layers import Dropout


def normal(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.8])
def test_share_and_scale(rate):
    """A share `rate` is 0, to 5 standard errors; the rest is x / (1 - rate)."""
    x = normal(60, 40, 40) + 10.0
    y = Dropout(rate, seed=1)(x, training=True).numpy()
    dropped = y == 0
    error = np.sqrt(rate * (1 - rate) / x.size)
    assert dropped.mean() == pytest.approx(rate, abs=5 * error)
    np.testing.assert_allclose(y[~dropped], x[~dropped] / (1 - rate), rtol=1e-6)
    for axes in ((1, 2), (0, 2), (0, 1)):  # so it is along each axis: nothing goes as a whole
        error = np.sqrt(rate * (1 - rate) / 1600)
        np.testing.assert_allclose(dropped.mean(axis=axes), rate, rtol=0, atol=6 * error)


def test_inference_is_identity():
    x, layer = normal(20, 5), Dropout(0.9, seed=1)
    state = layer.random_state.state.numpy()
    for training in ({}, {"training": False}):
        np.testing.assert_array_equal(layer(x, **training), x)
    np.testing.assert_array_equal(layer.random_state.state.numpy(), state)
    np.testing.assert_array_equal(Dropout(0.0)(x, training=True), x)


def test_masks_differ():
    """From call to call, from example to example, from layer to layer without a seed."""
    x = np.ones((64, 50), "float32")
    layer = Dropout(0.5, seed=1)
    masks = [layer(x, training=True).numpy() > 0 for _ in range(3)]
    masks += [Dropout(0.5, seed=2)(x, training=True).numpy() > 0]
    masks += [Dropout(0.5)(x, training=True).numpy() > 0 for _ in range(2)]
    for k, mask in enumerate(masks):
        assert len(np.unique(mask, axis=0)) == 64
        for other in masks[:k]:  # independent masks agree in half of their places
            assert (mask == other).mean() == pytest.approx(0.5, abs=5 * 0.5 / np.sqrt(x.size))


def test_seeds():
    x = np.ones((8, 50), "float32")
    np.testing.assert_array_equal(
        Dropout(0.5, seed=3)(x, training=True), Dropout(0.5, seed=3)(x, training=True)
    )
    pairs = []
    for _ in range(2):
        keras.utils.set_random_seed(7)
        pairs.append(Dropout(0.5)(x, training=True).numpy())
    np.testing.assert_array_equal(*pairs)


def test_gradient():
    """1 / (1 - rate) where the mask is 1, and 0 elsewhere."""
    x = tf.constant(normal(8, 50))
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = Dropout(0.75, seed=1)(x, training=True)
    gradient = tape.gradient(y, x).numpy()
    np.testing.assert_array_equal(gradient, np.where(y.numpy() == 0, 0, 4).astype("float32"))


def test_traced_once_draws_each_time():
    layer, x = Dropout(0.5, seed=1), np.ones((8, 50), "float32")
    step = tf.function(lambda x: layer(x, training=True))
    twin = Dropout(0.5, seed=1)
    first, second = step(x).numpy(), step(x).numpy()
    assert (first != second).any()
    np.testing.assert_array_equal(first, twin(x, training=True))
    np.testing.assert_array_equal(second, twin(x, training=True))


def test_two_replicas_have_the_halves_of_one_mask(two_replicas):
    with two_replicas.scope():
        two = Dropout(0.5, seed=5)
    one, x = Dropout(0.5, seed=5), np.ones((8, 4, 3), "float32")
    half = tf.constant(x[:4])
    step = tf.function(lambda: two_replicas.run(lambda: two(half, training=True)))
    for _ in range(3):
        halves = [part.numpy() for part in two_replicas.experimental_local_results(step())]
        assert (halves[0] != halves[1]).any()
        np.testing.assert_array_equal(np.concatenate(halves), one(x, training=True))


def test_half_precision():
    y = Dropout(0.5, seed=1, dtype="float16")(np.ones((4, 5), "float16"), training=True)
    assert y.dtype == "float16"
    assert set(np.unique(y)) == {0, 2}


def test_saved_model_goes_on(tmp_path):
    """The loaded layer's next mask is the saved layer's next, not its first again."""
    inputs = keras.Input((50,))
    model = keras.Model(inputs, Dropout(0.5)(inputs))
    x = np.ones((8, 50), "float32")
    first = model(x, training=True).numpy()
    model(x, training=True)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert loaded.layers[-1].get_config() == model.layers[-1].get_config()
    assert loaded.layers[-1].rate == 0.5
    third = model(x, training=True).numpy()
    assert (third != first).any()
    np.testing.assert_array_equal(loaded(x, training=True), third)


def test_config():
    layer = Dropout(0.3, seed=4, name="drop")
    copy = Dropout.from_config(layer.get_config())
    assert (copy.rate, copy.seed, copy.name) == (0.3, 4, "drop")
    assert copy.get_config() == layer.get_config()
    free = Dropout(0.3)  # the seed that it drew is kept
    assert Dropout.from_config(free.get_config()).seed == free.seed


def test_output_shape():
    inputs = keras.Input((4, 3))
    assert keras.Model(inputs, Dropout(0.5)(inputs)).output_shape == (None, 4, 3)


@pytest.mark.parametrize("rate", [-0.1, 1.0, 1.5, np.nan])
def test_bad_rate(rate):
    with pytest.raises(ValueError, match=r"`rate` must be in \[0, 1\).*Received"):
        Dropout(rate)
