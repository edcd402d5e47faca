"""BatchNormalization against Keras's own, against numpy, and on two replicas against one device."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans.layers import BatchNormalization
from keras_gans.penalties import gradient_penalty

SHAPES = pytest.mark.parametrize("shape", [(8, 5, 6, 3), (16, 3)], ids=["pictures", "vectors"])
EPSILON = 1e-3


def batch(*shape, seed=0):
    """Each channel with a mean and a scale of its own."""
    rng = np.random.default_rng(seed)
    return (rng.normal(size=shape) * [0.5, 1, 3] + [-1, 0, 2]).astype("float32")


def moments(x):
    x = np.asarray(x, "float64").reshape(-1, 3)
    return x.mean(axis=0), x.var(axis=0)


def normalized(x, epsilon=EPSILON):
    mean, variance = moments(x)
    return (x - mean) / np.sqrt(variance + epsilon)


def ours_and_keras(shape, **settings):
    """Both layers with the same random scale and offset."""
    settings = {"momentum": 0.8, "epsilon": EPSILON, **settings}
    pair = BatchNormalization(**settings), keras.layers.BatchNormalization(**settings)
    for layer in pair:
        layer.build((None, *shape[1:]))
        rng = np.random.default_rng(1)
        for v in layer.trainable_variables:
            v.assign(rng.normal(size=v.shape))
    return pair


def assert_same_weights(one, other, **tolerance):
    assert [v.name for v in one.variables] == [v.name for v in other.variables]
    for a, b in zip(one.variables, other.variables, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), **tolerance)


def sgd_step(layer, weighting):
    """A step on a loss that is not symmetric; returns the outputs and the inputs' gradient."""

    def step(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x, training=True)
            loss = tf.reduce_sum(y * weighting) + tf.reduce_mean(y**3)
        weights = layer.trainable_variables
        of_input, *of_weights = tape.gradient(loss, [x, *[v.value for v in weights]])
        for v, gradient in zip(weights, of_weights, strict=True):
            v.assign_sub(0.01 * gradient)
        return y, of_input

    return step


@SHAPES
@pytest.mark.parametrize("graph", [False, True], ids=["eager", "graph"])
@pytest.mark.parametrize("parts", [{}, {"scale": False, "center": False}], ids=str)
def test_trains_as_keras(shape, graph, parts):
    """Outputs, gradients and moving statistics, over 3 steps of SGD and then at inference."""
    weighting = np.random.default_rng(2).normal(size=shape).astype("float32")
    ours, reference = ours_and_keras(shape, **parts)
    steps = [sgd_step(layer, weighting) for layer in (ours, reference)]
    steps = [tf.function(step) for step in steps] if graph else steps
    for k in range(3):
        x = tf.constant(batch(*shape, seed=k))
        (y, of_input), (expected, of_input_expected) = (step(x) for step in steps)
        np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(of_input, of_input_expected, rtol=1e-3, atol=1e-4)
        assert_same_weights(ours, reference, rtol=1e-4, atol=1e-5)
    x = batch(*shape, seed=9)
    for training in ({"training": False}, {}):
        np.testing.assert_allclose(
            ours(x, **training), reference(x, **training), rtol=1e-4, atol=1e-5
        )


@SHAPES
def test_outputs_and_moving_statistics_by_numpy(shape):
    """The moving variance takes the biased variance, as Keras's does."""
    layer = BatchNormalization(momentum=0.75, epsilon=EPSILON)
    first, second = batch(*shape, seed=1), batch(*shape, seed=2)
    np.testing.assert_allclose(layer(first, training=True), normalized(first), atol=1e-5)
    layer(second, training=True)
    (m1, v1), (m2, v2) = moments(first), moments(second)
    expected = 0.75 * (0.25 * m1) + 0.25 * m2
    np.testing.assert_allclose(layer.moving_mean, expected, rtol=1e-5, atol=1e-6)
    expected = 0.75 * (0.75 + 0.25 * v1) + 0.25 * v2
    np.testing.assert_allclose(layer.moving_variance, expected, rtol=1e-5)


def test_few_values():
    """Two values of a channel, where the unbiased variance would be twice the biased one; and one,
    where it would not exist."""
    layer = BatchNormalization(momentum=0.0)
    layer(np.array([1.0, 5.0], "float32").reshape(2, 1, 1, 1), training=True)
    np.testing.assert_allclose(layer.moving_variance, [4.0], rtol=1e-6)
    layer(np.full((1, 1, 1, 1), 3.0, "float32"), training=True)
    np.testing.assert_allclose(layer.moving_mean, [3.0], rtol=1e-6)
    np.testing.assert_allclose(layer.moving_variance, [0.0], atol=1e-6)


def operations(layer, shape, training):
    graph = tf.function(lambda x: layer(x, training=training))
    concrete = graph.get_concrete_function(tf.TensorSpec((None, *shape[1:])))
    return {operation.type for operation in concrete.graph.get_operations()}


def test_fused_kernel():
    """It is in the graph of a training on pictures, and Keras's own layer does without it."""
    shape = (8, 5, 6, 3)
    ours, reference = ours_and_keras(shape)
    assert "FusedBatchNormV3" in operations(ours, shape, training=True)
    assert "FusedBatchNormV3" not in operations(reference, shape, training=True)
    small = BatchNormalization(epsilon=1e-6)  # less than cuDNN takes
    assert "FusedBatchNormV3" not in operations(small, shape, training=True)


@pytest.mark.parametrize(
    ("settings", "shape"),
    [
        ({"epsilon": 1e-9}, (8, 5, 6, 3)),  # less than the kernel takes
        ({"axis": 1}, (4, 3, 6, 5)),
        ({"axis": 3}, (4, 3, 6, 3)),
        ({}, (4, 7, 3)),
        ({}, (2, 4, 3, 2, 3)),
    ],
    ids=str,
)
def test_other_settings_are_keras(settings, shape):
    ours, reference = ours_and_keras(shape, **settings)
    x = np.random.default_rng(0).normal(0, 1e-3, shape).astype("float32")
    np.testing.assert_allclose(
        ours(x, training=True), reference(x, training=True), rtol=1e-3, atol=1e-4
    )
    assert_same_weights(ours, reference, rtol=1e-5, atol=1e-9)


def test_mask_is_keras():
    ours, reference = ours_and_keras((4, 5, 6, 3))
    x, mask = batch(4, 5, 6, 3), np.random.default_rng(1).random((4, 5, 6)) < 0.5
    found, expected = (layer(x, training=True, mask=mask) for layer in (ours, reference))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    assert_same_weights(ours, reference, rtol=1e-5)


def test_frozen_layer_is_at_inference():
    layer = BatchNormalization()
    x = batch(8, 5, 6, 3)
    layer(x, training=True)
    layer.trainable = False
    kept = [v.numpy() for v in layer.variables]
    np.testing.assert_array_equal(layer(x, training=True), layer(x, training=False))
    for v, k in zip(layer.variables, kept, strict=True):
        np.testing.assert_array_equal(v.numpy(), k)


def test_half_precision():
    """float16 in and out, float32 statistics."""
    layer = BatchNormalization(dtype="mixed_float16", momentum=0.0, epsilon=EPSILON)
    x = batch(8, 5, 6, 3).astype("float16")
    y = layer(x, training=True)
    assert y.dtype == "float16" and layer.moving_mean.dtype == "float32"
    np.testing.assert_allclose(y, normalized(x.astype("float32")), atol=5e-3)
    np.testing.assert_allclose(layer.moving_mean, moments(x)[0], atol=1e-5)


def test_second_order_gradients_are_keras():
    """The gradient of a gradient penalty through the layer, kernel by kernel."""
    x, epsilon = batch(4, 4, 4, 3), np.full(4, 0.5, "float32")
    found = []
    for layer in ours_and_keras((4, 2, 2, 3)):
        keras.utils.set_random_seed(3)
        critic = keras.Sequential(
            [
                keras.Input((4, 4, 3)),
                keras.layers.Conv2D(3, 3),
                layer,
                keras.layers.LeakyReLU(0.2),
                keras.layers.Flatten(),
                keras.layers.Dense(1),
            ]
        )
        with tf.GradientTape() as tape:
            penalty = gradient_penalty(lambda x, c=critic: c(x, training=True), x, -x, epsilon)
        weights = [v.value for v in critic.trainable_variables]
        gradients = tape.gradient(penalty, weights, unconnected_gradients="zero")
        found.append([penalty, *gradients])
    ours, reference = found
    assert np.abs(ours[1]).max() > 1e-3
    for a, b in zip(ours, reference, strict=True):
        assert np.isfinite(a).all()
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4)


def test_config():
    defaults = BatchNormalization().get_config()
    assert (defaults["momentum"], defaults["epsilon"]) == (0.9, 1.001e-5)
    assert defaults["synchronized"] is True
    layer = BatchNormalization(0.7, 0.01, False, center=False, name="norm")
    copy = BatchNormalization.from_config(layer.get_config())
    assert copy.get_config() == layer.get_config()
    assert (copy.momentum, copy.epsilon, copy.synchronized) == (0.7, 0.01, False)
    assert (copy.center, copy.name) == (False, "norm")


@SHAPES
def test_saved_model_goes_on(shape, tmp_path):
    inputs = keras.Input(shape[1:])
    model = keras.Model(inputs, BatchNormalization(momentum=0.6)(inputs))
    model(batch(*shape), training=True)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert type(loaded.layers[-1]) is BatchNormalization
    x = batch(*shape, seed=5)
    for training in (False, True, False):
        expected = model(x, training=training)
        np.testing.assert_array_equal(loaded(x, training=training), expected)


# Two replicas


def on_replicas(strategy, layer, x, weighting):
    """A training call on two replicas: outputs, gradient of the inputs, weights on each replica."""

    def halves(array):
        return strategy.experimental_distribute_values_from_function(
            lambda context: tf.constant(np.split(array, 2)[context.replica_id_in_sync_group])
        )

    def call(x, weighting):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x, training=True)
            loss = tf.reduce_sum(y * weighting)
        return y, tape.gradient(loss, x), [tf.identity(v.value) for v in layer.variables]

    step = tf.function(lambda x, w: strategy.run(call, (x, w)))
    y, of_input, weights = step(halves(x), halves(weighting))
    results = strategy.experimental_local_results
    return (
        np.concatenate(results(y)),
        np.concatenate(results(of_input)),
        [[part.numpy() for part in results(v)] for v in weights],
    )


@SHAPES
def test_replicas_share_their_statistics(shape, two_replicas):
    """Outputs, gradients and moving statistics are those of one device on the global batch, whose
    halves are unlike each other."""
    x = batch(*shape)
    x[: len(x) // 2] += 4.0
    weighting = np.random.default_rng(2).normal(size=shape).astype("float32")
    one = BatchNormalization(momentum=0.75)
    with two_replicas.scope():
        two = BatchNormalization(momentum=0.75)
        two.build((None, *shape[1:]))
    y, of_input, weights = on_replicas(two_replicas, two, x, weighting)

    with tf.GradientTape() as tape:
        watched = tf.constant(x)
        tape.watch(watched)
        expected = one(watched, training=True)
        loss = tf.reduce_sum(expected * weighting)
    np.testing.assert_allclose(expected, normalized(x, 1.001e-5), atol=1e-4)
    np.testing.assert_allclose(y, expected, atol=1e-4)
    np.testing.assert_allclose(of_input, tape.gradient(loss, watched), atol=1e-4)
    for copies, v in zip(weights, one.variables, strict=True):
        for copy in copies:
            np.testing.assert_allclose(copy, v.numpy(), rtol=1e-4, atol=1e-5)


@SHAPES
def test_replicas_on_their_own(shape, two_replicas):
    """With synchronized=False each half is normalized by itself."""
    x = batch(*shape)
    x[: len(x) // 2] += 4.0
    with two_replicas.scope():
        layer = BatchNormalization(momentum=0.75, epsilon=EPSILON, synchronized=False)
        layer.build((None, *shape[1:]))
    y, _, _ = on_replicas(two_replicas, layer, x, np.ones(shape, "float32"))
    expected = np.concatenate([normalized(half) for half in np.split(x, 2)])
    np.testing.assert_allclose(y, expected, atol=1e-4)
    assert np.abs(expected - normalized(x)).max() > 0.5


def test_one_replica_keeps_its_precision_far_from_zero():
    """Of E[x^2] - E[x]^2, in float32 and at 1000, nothing would be left."""
    x = (1000 + np.random.default_rng(0).normal(size=(256, 3))).astype("float32")
    exact = x.astype("float64")
    exact = (exact - exact.mean(0)) / np.sqrt(exact.var(0) + 1.001e-5)
    outputs = BatchNormalization()(x, training=True)
    np.testing.assert_allclose(outputs, exact, atol=5e-3)
