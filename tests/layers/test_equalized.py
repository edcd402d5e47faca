"""Equalized layers against Keras's own with the scaled kernel, and Karras et al., 2018, 4.1."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans.layers import EqualizedConv2D, EqualizedDense

LINEAR = pytest.mark.parametrize("linear", ["dense", "convolution", "grouped"])


def layers(linear, **settings):
    """An equalized layer, Keras's own, the input's shape and fan_in, worked by hand."""
    if linear == "dense":
        pair = [make(6, **settings) for make in (EqualizedDense, keras.layers.Dense)]
        return *pair, (5, 8), 8
    groups = 2 if linear == "grouped" else 1
    settings = {"strides": 2, "padding": "same", "groups": groups, **settings}
    pair = [make(6, (3, 2), **settings) for make in (EqualizedConv2D, keras.layers.Conv2D)]
    return *pair, (5, 7, 6, 4), 24 // groups  # 3 * 2 * 4 inputs, of which a group sees its share


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def set_random(layer, shape, seed=1):
    layer.build(shape)
    layer.set_weights([normal(*v.shape, seed=seed + k) for k, v in enumerate(layer.weights)])
    return layer.get_weights()


@LINEAR
@pytest.mark.parametrize("gain", [None, 1.0])
@pytest.mark.parametrize("use_bias", [True, False])
def test_kernel_scaled_at_run_time(linear, gain, use_bias):
    """W^ = W gain / sqrt(fan_in): outputs, and the gradient with respect to the stored W."""
    settings = {"use_bias": use_bias, "activation": "tanh"}
    ours, reference, shape, fan_in = layers(linear, **settings)
    if gain is not None:
        ours.gain = gain
    scale = math.sqrt(2 / fan_in) if gain is None else gain / math.sqrt(fan_in)
    x = tf.constant(normal(*shape))
    kernel, *bias = set_random(ours, shape)
    reference.build(shape)
    reference.set_weights([scale * kernel, *bias])
    gradients = []
    for layer in (ours, reference):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x)
            loss = tf.reduce_sum(y**3)
        of_input, of_weights = tape.gradient(loss, [x, [v.value for v in layer.weights]])
        gradients.append([y, of_input, *of_weights])
    gradients[1][2] = scale * gradients[1][2]
    for a, b in zip(*gradients, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
    graph = tf.function(ours, input_signature=[tf.TensorSpec((None, *shape[1:]))])
    np.testing.assert_allclose(graph(x), gradients[1][0], rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(ours.kernel.numpy(), kernel)


@pytest.mark.parametrize("linear", ["dense", "convolution"])
def test_he_scale_of_outputs(linear):
    """N(0, 1) is stored; with the default gain, ReLUs keep the mean square of N(0, 1) inputs."""
    if linear == "dense":
        layer, x = EqualizedDense(256), normal(500, 128)
    else:
        layer, x = EqualizedConv2D(64, 4), normal(20, 8, 8, 32)
    outputs = np.asarray(layer(x))
    kernel, bias = layer.get_weights()
    assert kernel.mean() == pytest.approx(0.0, abs=0.03)
    assert kernel.std() == pytest.approx(1.0, abs=0.02)
    assert not bias.any()
    assert np.mean(np.maximum(outputs, 0) ** 2) == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("linear", ["dense", "convolution"])
def test_half_precision(linear):
    """The product is in float16, the stored kernel in float32."""
    ours, _, shape, _ = layers(linear)
    kernel, bias = set_random(ours, shape)
    half = type(ours).from_config({**ours.get_config(), "dtype": "mixed_float16"})
    half.build(shape)
    half.set_weights([kernel, bias])
    y = half(normal(*shape))
    assert y.dtype == "float16" and half.kernel.dtype == "float32"
    np.testing.assert_allclose(y, ours(normal(*shape)), rtol=2e-2, atol=2e-2)


@LINEAR
def test_saved_model(linear, tmp_path):
    initializer = keras.initializers.RandomNormal(stddev=1.0, seed=3)
    layer, _, shape, _ = layers(linear, kernel_initializer=initializer, name="equalized")
    layer.gain = 0.5
    inputs = keras.Input(shape[1:])
    model = keras.Model(inputs, layer(inputs))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    theirs = loaded.layers[-1]
    assert type(theirs) is type(layer) and theirs.gain == 0.5
    assert theirs.get_config() == layer.get_config()
    np.testing.assert_array_equal(theirs.kernel.numpy(), layer.kernel.numpy())
    np.testing.assert_array_equal(loaded(normal(*shape)), model(normal(*shape)))


def test_initializer_seeds():
    """Two layers of one seed begin equally, of two seeds differently."""

    def kernel(seed):
        layer = EqualizedDense(3, kernel_initializer=keras.initializers.RandomNormal(0, 1, seed))
        layer.build((None, 4))
        return layer.kernel.numpy()

    np.testing.assert_array_equal(kernel(1), kernel(1))
    assert not np.allclose(kernel(1), kernel(2))


@pytest.mark.parametrize("gain", [0, -1.0, float("nan"), "2", None, True])
@pytest.mark.parametrize("make", [lambda **a: EqualizedDense(2, **a),
                                  lambda **a: EqualizedConv2D(2, 3, **a)])  # fmt: skip
def test_bad_gain(make, gain):
    with pytest.raises(ValueError, match=r"`gain` must be a positive number.*Received"):
        make(gain=gain)
