"""MinibatchDiscrimination against a numpy loop (Salimans et al., 2016, section 3.2)."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans.layers import MinibatchDiscrimination


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def built(num_kernels=3, kernel_dim=2, features=5):
    """A layer and its tensor T, (features, num_kernels, kernel_dim)."""
    layer = MinibatchDiscrimination(num_kernels, kernel_dim)
    layer.build((None, features))
    tensor = 0.4 * normal(features, num_kernels, kernel_dim, seed=1)
    layer.set_weights([tensor.reshape(features, -1)])
    return layer, tensor


def with_nearness(x, tensor):
    """The features and o(x_i)_b, one pair of examples at a time."""
    matrices = [np.einsum("a,abc->bc", row.astype("float64"), tensor) for row in x]
    nearness = np.zeros((len(x), tensor.shape[1]))
    for i in range(len(x)):
        for j in range(len(x)):
            for b in range(tensor.shape[1]):
                if i != j:
                    nearness[i, b] += np.exp(-np.sum(np.abs(matrices[i][b] - matrices[j][b])))
    return np.concatenate([x, nearness], axis=1)


@pytest.mark.parametrize("batch", [1, 2, 7])
def test_matches_numpy(batch):
    layer, tensor = built()
    x = normal(batch, 5)
    expected = with_nearness(x, tensor)
    assert layer(x).shape == expected.shape == layer.compute_output_shape(x.shape)
    np.testing.assert_allclose(layer(x), expected, rtol=1e-5, atol=1e-6)
    graph = tf.function(layer, input_signature=[tf.TensorSpec((None, 5))])
    np.testing.assert_allclose(graph(x), expected, rtol=1e-5, atol=1e-6)
    assert graph.get_concrete_function().output_shapes.as_list() == [None, 8]


def test_an_example_is_not_compared_with_itself():
    """Equal examples are at distance 0 of each other: n - 1 in each row; one alone has 0."""
    layer, _ = built()
    np.testing.assert_array_equal(layer(normal(1, 5))[:, 5:], np.zeros((1, 3)))
    np.testing.assert_allclose(layer(normal(1, 5).repeat(4, axis=0))[:, 5:], np.full((4, 3), 3.0))


def test_far_examples_have_nothing_in_common():
    layer, _ = built()
    x = 1e4 * normal(4, 5)
    np.testing.assert_array_equal(layer(x)[:, 5:], np.zeros((4, 3)))


def test_gradient_matches_differences():
    layer, tensor = built()
    x, weighting = normal(4, 5), normal(4, 8, seed=2)
    values = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(values)
        total = tf.reduce_sum(layer(values) * weighting)
    of_input, of_kernel = tape.gradient(total, [values, layer.kernel.value])
    step = 1e-4
    for place in np.ndindex(x.shape):
        change = np.zeros(x.shape)
        change[place] = step
        above, below = (np.sum(with_nearness(x + s * change, tensor) * weighting) for s in (1, -1))
        assert of_input[place].numpy() == pytest.approx((above - below) / (2 * step), abs=1e-3)
    for place in np.ndindex(tensor.shape):
        change = np.zeros(tensor.shape)
        change[place] = step
        above, below = (np.sum(with_nearness(x, tensor + s * change) * weighting) for s in (1, -1))
        ours = of_kernel.numpy().reshape(tensor.shape)[place]
        assert ours == pytest.approx((above - below) / (2 * step), abs=1e-3)


def test_gradient_of_equal_examples_is_finite():
    layer, _ = built()
    x = tf.constant(normal(1, 5).repeat(4, axis=0))
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x)
    assert all(np.isfinite(g).all() for g in tape.gradient(y, [x, layer.kernel.value]))


def test_a_replica_compares_its_own_examples(two_replicas):
    layer, tensor = built()
    x = normal(6, 5)
    halves = two_replicas.experimental_distribute_values_from_function(
        lambda context: tf.constant(np.split(x, 2)[context.replica_id_in_sync_group])
    )
    outputs = tf.function(lambda: two_replicas.run(layer, (halves,)))()
    for half, output in zip(
        np.split(x, 2), two_replicas.experimental_local_results(outputs), strict=True
    ):
        np.testing.assert_allclose(output, with_nearness(half, tensor), rtol=1e-5, atol=1e-6)


def test_half_precision():
    layer, tensor = built()
    half = MinibatchDiscrimination(3, 2, dtype="mixed_float16")
    half.build((None, 5))
    half.set_weights(layer.get_weights())
    y = half(normal(4, 5))
    assert y.dtype == "float16" and half.kernel.dtype == "float32"
    np.testing.assert_allclose(y, with_nearness(normal(4, 5), tensor), rtol=2e-2, atol=2e-2)


def test_defaults():
    """100 kernels of 5 dimensions."""
    layer = MinibatchDiscrimination()
    assert layer(normal(2, 5)).shape == (2, 105)
    assert [v.shape for v in layer.trainable_weights] == [(5, 500)]


def test_saved_model(tmp_path):
    inputs = keras.Input((5,))
    initializer = keras.initializers.RandomNormal(seed=1)
    layer = MinibatchDiscrimination(3, 2, kernel_initializer=initializer)
    model = keras.Model(inputs, layer(inputs))
    assert model.output_shape == (None, 8)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert type(loaded.layers[-1]) is MinibatchDiscrimination
    assert loaded.layers[-1].get_config() == layer.get_config()
    np.testing.assert_array_equal(loaded(normal(6, 5)), model(normal(6, 5)))


@pytest.mark.parametrize("name", ["num_kernels", "kernel_dim"])
@pytest.mark.parametrize("value", [0, 2.5, None, True])
def test_bad_counts(name, value):
    with pytest.raises(ValueError, match=rf"`{name}` must be an integer of at least 1.*Received"):
        MinibatchDiscrimination(**{name: value})


def test_bad_shape():
    with pytest.raises(ValueError, match=r"takes features \(batch, features\).*Received: shape"):
        MinibatchDiscrimination()(np.zeros((2, 4, 4, 3), "float32"))
