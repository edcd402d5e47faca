"""SpectralNormalization against numpy's singular values and the gradient worked by hand."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans.layers import SpectralNormalization


def kernel_of(rows, columns, seed=0):
    """A random matrix with the singular values 3, 1.5, 0.75, ...: power iteration is quick."""
    rng = np.random.default_rng(seed)
    size = min(rows, columns)
    left, _ = np.linalg.qr(rng.normal(size=(rows, size)))
    right, _ = np.linalg.qr(rng.normal(size=(columns, size)))
    return left @ np.diag(3.0 / 2 ** np.arange(size)) @ right.T


def dense(bias=True, seed=0):
    """A Dense layer from 4 to 3, its input, and its kernel as a matrix (inputs, outputs)."""
    layer = keras.layers.Dense(3, use_bias=bias, bias_initializer="random_normal")
    return layer, normal(5, 4), kernel_of(4, 3, seed)


def convolution(bias=True, seed=0):
    """A 3 x 2 convolution from 2 to 5 channels on pictures of its size, so that it is one matrix
    product; the kernel as a matrix (3 * 2 * 2, 5)."""
    layer = keras.layers.Conv2D(5, (3, 2), use_bias=bias, bias_initializer="random_normal")
    return layer, normal(4, 3, 2, 2), kernel_of(12, 5, seed)


LINEAR = pytest.mark.parametrize("linear", [dense, convolution], ids=["Dense", "Conv2D"])


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def wrapped(linear, **settings):
    """The wrapper with that kernel, its input, and numpy's copies of kernel, bias and u."""
    inner, x, matrix = linear(**settings)
    layer = SpectralNormalization(inner)
    layer.build(x.shape)
    inner.kernel.assign(matrix.reshape(inner.kernel.shape))
    bias = inner.bias.numpy().astype("float64") if inner.use_bias else 0.0
    return layer, x, inner.kernel.numpy().astype("float64").reshape(matrix.shape), bias


def iterate(matrix, u):
    """One power iteration: the new u, v and sigma = v^T W u (Miyato et al., 2018, Algorithm 1)."""
    v = matrix @ u
    v /= np.linalg.norm(v)
    u = matrix.T @ v
    u /= np.linalg.norm(u)
    return u, v, v @ matrix @ u


def numpy_u(layer):
    return layer.u.numpy().astype("float64").ravel()


@LINEAR
def test_one_iteration_in_each_training_call(linear):
    layer, x, matrix, _ = wrapped(linear)
    u = numpy_u(layer)
    for _ in range(3):
        u, _, sigma = iterate(matrix, u)
        layer(x, training=True)
        np.testing.assert_allclose(numpy_u(layer), u, rtol=1e-4, atol=1e-5)
        assert iterate(matrix, u)[2] >= sigma - 1e-6  # the estimate rises


@LINEAR
def test_sigma_is_the_largest_singular_value(linear):
    layer, x, matrix, _ = wrapped(linear)
    for _ in range(12):
        layer(x, training=True)
    largest = np.linalg.svd(matrix, compute_uv=False)[0]
    assert largest == pytest.approx(3.0, rel=1e-6)
    assert float(layer.sigma()) == pytest.approx(largest, rel=1e-5)
    assert np.linalg.norm(numpy_u(layer)) == pytest.approx(1.0, rel=1e-5)


@LINEAR
@pytest.mark.parametrize("bias", [True, False], ids=["bias", "no bias"])
@pytest.mark.parametrize("training", [True, False])
def test_output_is_that_of_the_divided_kernel(linear, bias, training):
    """x W / sigma + b: the bias is not divided."""
    layer, x, matrix, b = wrapped(linear, bias=bias)
    *_, sigma = iterate(matrix, numpy_u(layer))
    y = layer(x, training=training).numpy()
    expected = x.reshape(len(x), -1) @ matrix / sigma + b
    np.testing.assert_allclose(y.reshape(expected.shape), expected, rtol=1e-4, atol=1e-5)
    layer.layer.kernel.assign(layer.layer.kernel / sigma)
    np.testing.assert_allclose(y, layer.layer(x), rtol=1e-4, atol=1e-5)


def test_strides_and_padding():
    """The convolution's own output with kernel / sigma."""
    inner = keras.layers.Conv2D(6, 3, strides=2, padding="same", bias_initializer="random_normal")
    layer, x = SpectralNormalization(inner), normal(2, 9, 8, 4)
    layer.build(x.shape)
    *_, sigma = iterate(inner.kernel.numpy().astype("float64").reshape(-1, 6), numpy_u(layer))
    y = layer(x, training=True)
    expected = (
        keras.ops.conv(x, inner.kernel / np.float32(sigma), strides=2, padding="same") + inner.bias
    )
    assert tuple(y.shape) == layer.compute_output_shape(x.shape) == (2, 5, 4, 6)
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-5)


def test_map_has_the_lipschitz_constant_1():
    layer, x, _, _ = wrapped(dense, bias=False)
    for _ in range(12):
        layer(x, training=True)
    largest = np.linalg.svd(layer(np.eye(4, dtype="float32")), compute_uv=False)[0]
    assert largest == pytest.approx(1.0, rel=1e-5)


@LINEAR
def test_kernel_is_not_overwritten(linear):
    """A training call moves u alone. Keras's own layer writes W / sigma over W, so that what the
    optimizer trains is another weight at each call."""
    layer, x, _, _ = wrapped(linear)
    kept = layer.layer.kernel.numpy()
    layer(x, training=True)
    np.testing.assert_array_equal(layer.layer.kernel.numpy(), kept)

    inner, x, matrix = linear()
    reference = keras.layers.SpectralNormalization(inner)
    reference.build(x.shape)
    inner.kernel.assign(matrix.reshape(inner.kernel.shape))
    reference(x, training=True)
    assert np.abs(inner.kernel.numpy() - kept).max() > 0.1


@LINEAR
@pytest.mark.parametrize("graph", [False, True], ids=["eager", "graph"])
def test_gradient_of_the_kernel(linear, graph):
    """With u and v constant, sigma = v^T W u has the gradient v u^T. For M = dL / d(W / sigma),
    dL/dW = (M - <M, W / sigma> v u^T) / sigma (Miyato et al., 2018, equations 10 to 12)."""
    layer, x, matrix, _ = wrapped(linear)
    u, v, sigma = iterate(matrix, numpy_u(layer))
    rows = x.reshape(len(x), -1).astype("float64")
    weighting = np.random.default_rng(3).normal(size=(len(x), matrix.shape[1]))

    def gradients():
        with tf.GradientTape() as tape:
            y = tf.reshape(layer(x, training=True), weighting.shape)
            loss = tf.reduce_sum(y * tf.constant(weighting, tf.float32))
        return tape.gradient(loss, [layer.layer.kernel.value, layer.layer.bias.value])

    of_kernel, of_bias = (tf.function(gradients) if graph else gradients)()
    m = rows.T @ weighting
    expected = (m - (m * matrix / sigma).sum() * np.outer(v, u)) / sigma
    np.testing.assert_allclose(np.reshape(of_kernel, matrix.shape), expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(of_bias, weighting.sum(axis=0), rtol=1e-4, atol=1e-5)
    without_sigma = m / sigma  # what a stop_gradient on sigma would give
    assert np.abs(expected - without_sigma).max() > 0.1


def test_gradient_is_across_the_kernel():
    """The scale of W does not matter once u has settled: <dL/dW, W> = 0."""
    layer, x, matrix, _ = wrapped(dense)
    for _ in range(12):
        layer(x, training=True)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(x, training=True) ** 2)
    gradient = tape.gradient(loss, layer.layer.kernel.value).numpy()
    assert np.linalg.norm(gradient) > 0.1
    assert (gradient * matrix).sum() == pytest.approx(0.0, abs=1e-4)


@LINEAR
def test_inference_does_not_move_u(linear):
    layer, x, _, _ = wrapped(linear)
    layer(x, training=True)
    u = layer.u.numpy()
    first = layer(x, training=False)
    for training in ({"training": False}, {}):
        np.testing.assert_array_equal(layer(x, **training), first)
    layer.sigma()
    np.testing.assert_array_equal(layer.u.numpy(), u)


def test_trained_weights():
    layer, *_ = wrapped(dense)
    assert [v.name for v in layer.trainable_variables] == ["kernel", "bias"]
    assert [v.name for v in layer.non_trainable_variables] == ["u"]
    assert layer.u.shape == (1, 3)


@LINEAR
def test_saved_model_goes_on(linear, tmp_path):
    """u comes back with the kernel, so that the loaded layer makes the same at once."""
    inner, x, _ = linear()
    inputs = keras.Input(x.shape[1:])
    model = keras.Model(inputs, SpectralNormalization(inner, epsilon=1e-9)(inputs))
    model(x, training=True)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    ours, theirs = model.layers[-1], loaded.layers[-1]
    assert type(theirs) is SpectralNormalization
    assert theirs.layer.get_config() == ours.layer.get_config() and theirs.epsilon == 1e-9
    np.testing.assert_array_equal(theirs.u.numpy(), ours.u.numpy())
    for training in (False, True, False):
        expected = model(x, training=training)
        np.testing.assert_array_equal(loaded(x, training=training), expected)


def test_two_replicas_are_one_device(two_replicas):
    """u is the same on both, and theirs is that of one device."""
    _, x, matrix = dense()
    with two_replicas.scope():
        layer = SpectralNormalization(keras.layers.Dense(3))
        layer.build((None, 4))
        layer.layer.kernel.assign(matrix)
        start = normal(1, 3, seed=8)
        layer.u.assign(start)
    step = tf.function(
        lambda: two_replicas.run(lambda: (layer(x, training=True), layer.u.value + 0.0))
    )
    u = start.ravel().astype("float64")
    for _ in range(2):
        u, _, sigma = iterate(matrix, u)
        outputs, us = (two_replicas.experimental_local_results(part) for part in step())
        for output, copy in zip(outputs, us, strict=True):
            np.testing.assert_allclose(copy.numpy().ravel(), u, rtol=1e-4, atol=1e-5)
            np.testing.assert_allclose(output, x @ matrix / sigma, rtol=1e-4, atol=1e-5)


def test_half_precision():
    """The product is in float16; u and sigma stay in float32."""
    inner = keras.layers.Dense(3, use_bias=False, dtype="mixed_float16")
    layer, x = SpectralNormalization(inner, dtype="mixed_float16"), normal(5, 4)
    layer.build(x.shape)
    matrix = inner.kernel.numpy()
    *_, sigma = iterate(matrix.astype("float64"), numpy_u(layer))
    y = layer(x, training=True)
    assert y.dtype == "float16" and layer.u.dtype == "float32"
    np.testing.assert_allclose(y, x @ matrix / sigma, rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize("activation", ["relu", "tanh", keras.activations.leaky_relu])
def test_layer_with_an_activation(activation):
    with pytest.raises(ValueError, match=r"`layer` must have no activation.*Received: named with"):
        SpectralNormalization(keras.layers.Dense(3, activation=activation, name="named"))


@pytest.mark.parametrize("activation", [None, "linear"])
def test_layer_without_an_activation(activation):
    layer = SpectralNormalization(keras.layers.Dense(3, activation=activation))
    assert layer(normal(2, 4)).shape == (2, 3)


def test_layer_without_a_kernel():
    with pytest.raises(ValueError, match=r"`layer` must have a `kernel`.*Received"):
        SpectralNormalization(keras.layers.Flatten())(normal(2, 4))


def test_a_zero_kernel_gives_zeros():
    layer = SpectralNormalization(keras.layers.Dense(3, kernel_initializer="zeros"))
    np.testing.assert_array_equal(
        layer(np.ones((2, 4), "float32"), training=True), 0 * np.ones((2, 3))
    )
