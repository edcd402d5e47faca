"""Held against the operations that the layer does in one."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans.layers import EqualizedConv2D, ResampledConv2D

SIZES = pytest.mark.parametrize("size", [(4, 6), (7, 5), (2, 2), (1, 3)], ids=str)
KERNELS = pytest.mark.parametrize("kernel", [1, 3, 5, (3, 1)], ids=str)


def maps(height, width, channels=3, seed=0):
    x = np.random.default_rng(seed).normal(size=(2, height, width, channels))
    return x.astype("float32")


def layer_of(resampling, kernel, padding="same", make=ResampledConv2D, **kwargs):
    layer = make(4, kernel, resampling=resampling, padding=padding, **kwargs)
    layer.build((None, 1 if resampling == "full" else 4, 1 if resampling == "full" else 4, 3))
    layer.bias.assign([1.0, -2.0, 3.0, 0.5])
    return layer


def convolved(x, layer, padding="SAME"):
    return tf.nn.conv2d(x, layer.kernel, 1, padding) + layer.bias


@SIZES
@KERNELS
def test_up_is_nearest_neighbours_and_a_convolution(size, kernel):
    layer, x = layer_of("up", kernel), maps(*size)
    expected = convolved(np.kron(x, np.ones((1, 2, 2, 1), "float32")), layer)
    np.testing.assert_allclose(layer(x), expected, rtol=1e-4, atol=1e-4)


@SIZES
@KERNELS
def test_down_is_a_convolution_and_means(size, kernel):
    height, width = (2 * side for side in size)
    layer, x = layer_of("down", kernel), maps(height, width)
    expected = np.array(convolved(x, layer)).reshape(2, size[0], 2, size[1], 2, 4)
    np.testing.assert_allclose(layer(x), expected.mean(axis=(2, 4)), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kernel", [4, 3, (4, 6)], ids=str)
def test_full_is_a_convolution_with_zeros_around(kernel):
    layer, x = layer_of("full", kernel, padding="valid"), maps(1, 1)
    (height, width) = layer.kernel_size
    around = ((0, 0), (height - 1, height - 1), (width - 1, width - 1), (0, 0))
    expected = convolved(np.pad(x, around), layer, "VALID")
    np.testing.assert_allclose(layer(x), expected, rtol=1e-4, atol=1e-4)


def test_none_is_a_convolution():
    layer, x = layer_of(None, 3), maps(5, 4)
    np.testing.assert_allclose(layer(x), convolved(x, layer), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("resampling", ["up", "down"])
def test_gradients(resampling):
    """Of the kernel and the maps, to the second order, as a gradient penalty has them."""
    layer, x = layer_of(resampling, 3), tf.constant(maps(4, 4))

    def plain(x, kernel):
        if resampling == "up":
            return tf.nn.conv2d(tf.repeat(tf.repeat(x, 2, 1), 2, 2), kernel, 1, "SAME")
        return tf.nn.avg_pool2d(tf.nn.conv2d(x, kernel, 1, "SAME"), 2, 2, "VALID")

    def gradients(f):
        kernel = tf.constant(layer.kernel)
        with tf.GradientTape() as outer:
            outer.watch([x, kernel])
            with tf.GradientTape() as inner:
                inner.watch(x)
                y = tf.reduce_sum(tf.sin(f(x, kernel)))
            total = tf.reduce_sum(inner.gradient(y, x) ** 2)
        return outer.gradient(total, [x, kernel])

    for ours, theirs in zip(gradients(layer.convolution_op), gradients(plain), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-3)


def test_equalized():
    """The stored kernel times gain / sqrt(fan-in), whatever the maps become."""
    layer, x = layer_of("up", 3, make=EqualizedConv2D, gain=1.0), maps(4, 4)
    plain = layer_of("up", 3)
    plain.kernel.assign(np.array(layer.kernel) / np.sqrt(27))
    np.testing.assert_allclose(layer(x), plain(x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("resampling", "shape", "output"),
    [
        ("up", (None, 4, None, 3), (None, 8, None, 5)),
        ("down", (2, 4, 6, 3), (2, 2, 3, 5)),
        ("full", (None, 1, 1, 3), (None, 3, 3, 5)),
        (None, (None, 4, 6, 3), (None, 4, 6, 5)),
    ],
)
def test_shapes(resampling, shape, output):
    layer = ResampledConv2D(5, 3, resampling, padding="same")
    assert layer.compute_output_shape(shape) == output
    assert tuple(layer(keras.Input(shape[1:], batch_size=shape[0])).shape) == output


def test_config():
    layer = layer_of("up", 3, make=EqualizedConv2D, gain=1.0)
    again = keras.layers.deserialize(keras.layers.serialize(layer))
    assert (again.resampling, again.gain, again.kernel_size) == ("up", 1.0, (3, 3))


@pytest.mark.parametrize(
    "settings",
    [
        {"resampling": "sideways"},
        {"resampling": "up", "padding": "valid"},
        {"resampling": "up", "kernel_size": 4},
        {"resampling": "down", "strides": 2},
        {"resampling": "up", "dilation_rate": 2},
        {"resampling": "down", "groups": 2},
        {"resampling": "up", "data_format": "channels_first"},
    ],
    ids=str,
)
def test_bad_arguments(settings):
    settings = {"filters": 4, "kernel_size": 3, "padding": "same", **settings}
    with pytest.raises(ValueError, match="`resampling`"):
        ResampledConv2D(**settings)


def test_bad_maps():
    with pytest.raises(ValueError, match=r"even height and width. Received: \(2, 5, 4, 3\)"):
        ResampledConv2D(4, 3, "down", padding="same")(maps(5, 4))
    with pytest.raises(ValueError, match=r"1 x 1. Received: \(2, 2, 1, 3\)"):
        ResampledConv2D(4, 3, "full")(maps(2, 1))
