"""MinibatchStdDev against a numpy loop (Karras et al., 2018, section 3)."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans.layers import MinibatchStdDev
from keras_gans.penalties import gradient_penalty


def maps(batch, channels=6, seed=0):
    return np.random.default_rng(seed).normal(size=(batch, 3, 4, channels)).astype("float32")


def with_deviation(x, group, num_features=1):
    """Every number of the new channels, one standard deviation at a time."""
    batch, height, width, channels = x.shape
    share = channels // num_features
    new = np.empty((batch, height, width, num_features))
    for first in range(0, batch, group):
        for k in range(num_features):
            deviations = [
                np.sqrt(np.var(x[first : first + group, i, j, c].astype("float64")) + 1e-8)
                for i in range(height)
                for j in range(width)
                for c in range(k * share, (k + 1) * share)
            ]
            new[first : first + group, :, :, k] = np.mean(deviations)
    return np.concatenate([x, new], axis=-1)


@pytest.mark.parametrize("batch, group_size, group", [
    (8, 4, 4), (4, 4, 4), (12, 4, 4), (6, 4, 3), (3, 4, 3), (5, 4, 1), (10, 4, 2), (1, 4, 1),
    (14, 8, 7), (6, 6, 6), (4, 1, 1),
    (14, None, 14), (3, None, 3),
])  # fmt: skip
@pytest.mark.parametrize("num_features", [1, 3])
def test_matches_numpy(batch, group_size, group, num_features):
    """The group is the largest divisor of the batch up to `group_size`, at run time too."""
    layer, x = MinibatchStdDev(group_size, num_features), maps(batch)
    expected = with_deviation(x, group, num_features)
    assert layer(x).shape == expected.shape == layer.compute_output_shape(x.shape)
    np.testing.assert_allclose(layer(x), expected, rtol=1e-5, atol=1e-6)
    graph = tf.function(layer, input_signature=[tf.TensorSpec((None, 3, 4, 6))])
    np.testing.assert_allclose(graph(x), expected, rtol=1e-5, atol=1e-6)
    assert graph.get_concrete_function().output_shapes.as_list() == [None, 3, 4, 6 + num_features]


def test_xla():
    compiled = tf.function(
        MinibatchStdDev(), jit_compile=True, input_signature=[tf.TensorSpec((None, 3, 4, 6))]
    )
    for batch, group in [(8, 4), (6, 3)]:
        x = maps(batch)
        np.testing.assert_allclose(compiled(x), with_deviation(x, group), rtol=1e-5, atol=1e-6)


def test_equal_samples_have_no_deviation():
    x = np.repeat(maps(1), 4, axis=0)
    np.testing.assert_allclose(MinibatchStdDev()(x)[..., -1], 1e-4, rtol=1e-5)


def test_groups_are_apart():
    """A sample changes the channel of its own group only."""
    layer, x = MinibatchStdDev(4), maps(8)
    before = layer(x).numpy()
    x[5] += 1.0 + x[5] ** 2
    after = layer(x).numpy()
    np.testing.assert_array_equal(after[:4], before[:4])
    assert (after[4:, ..., -1] != before[4:, ..., -1]).all()


def test_gradient_matches_differences():
    layer, x = MinibatchStdDev(4, dtype="float64"), maps(8).astype("float64")
    weighting = np.random.default_rng(1).normal(size=(8, 3, 4, 7))
    tensor = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(tensor)
        total = tf.reduce_sum(layer(tensor) * weighting)
    gradient, step = tape.gradient(total, tensor).numpy(), 1e-5
    for place in [(0, 0, 0, 0), (3, 2, 1, 5), (6, 1, 3, 2)]:
        change = np.zeros_like(x)
        change[place] = step
        above, below = (np.sum(with_deviation(x + s * change, 4) * weighting) for s in (1, -1))
        assert gradient[place] == pytest.approx((above - below) / (2 * step), rel=1e-5)


@pytest.mark.parametrize("equal", [False, True])
def test_gradient_penalty_goes_through(equal):
    """The penalty's gradient with respect to the weights is finite, for equal samples too."""
    inputs = keras.Input((3, 4, 6))
    hidden = keras.layers.Conv2D(4, 1, activation="tanh")(inputs)
    critic = keras.Model(
        inputs, keras.layers.Dense(1)(keras.layers.Flatten()(MinibatchStdDev()(hidden)))
    )
    x = np.repeat(maps(1), 8, axis=0) if equal else maps(8)
    with tf.GradientTape() as tape:
        penalty = gradient_penalty(critic, x, maps(8, seed=1) if not equal else x, np.ones(8, "f4"))
    kernel = critic.layers[1].kernel
    gradient = tape.gradient(penalty, kernel.value).numpy()
    assert np.isfinite(gradient).all() and np.abs(gradient).max() > 0


def test_two_replicas_are_one_device(two_replicas):
    """With a multiple of the group size on each."""
    x, layer = maps(8), MinibatchStdDev(4)
    halves = two_replicas.experimental_distribute_values_from_function(
        lambda context: tf.constant(np.split(x, 2)[context.replica_id_in_sync_group])
    )
    outputs = tf.function(lambda: two_replicas.run(layer, (halves,)))()
    outputs = np.concatenate(two_replicas.experimental_local_results(outputs))
    np.testing.assert_allclose(outputs, layer(x), rtol=1e-6)


def test_half_precision():
    """Deviations are those of float32: 1e-8 is 0 in float16."""
    y = MinibatchStdDev(dtype="mixed_float16")(np.ones((4, 3, 4, 6), "float32"))
    assert y.dtype == "float16"
    np.testing.assert_allclose(y[..., -1], 1e-4, rtol=1e-2)


def test_saved_model(tmp_path):
    inputs = keras.Input((3, 4, 6))
    model = keras.Model(inputs, MinibatchStdDev(2, num_features=3)(inputs))
    assert model.output_shape == (None, 3, 4, 9)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    layer = loaded.layers[-1]
    assert type(layer) is MinibatchStdDev and (layer.group_size, layer.num_features) == (2, 3)
    np.testing.assert_array_equal(loaded(maps(6)), model(maps(6)))


@pytest.mark.parametrize("name", ["group_size", "num_features"])
@pytest.mark.parametrize("value", [0, 2.5, "4", True])
def test_bad_counts(name, value):
    with pytest.raises(ValueError, match=rf"`{name}` must be an integer of at least 1.*Received"):
        MinibatchStdDev(**{name: value})


@pytest.mark.parametrize("shape", [(8, 6), (8, 3, 4, 5)])
def test_bad_shapes(shape):
    with pytest.raises(ValueError, match=r"multiple of `num_features` = 2 channels.*Received"):
        MinibatchStdDev(num_features=2)(np.zeros(shape, "float32"))
