"""Held against the filter as a convolution, of which the layer computes no product with zero."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans.layers import BilinearResampling2D

FILTER = np.outer([1, 3, 3, 1], [1, 3, 3, 1]).astype("float32") / 64


def maps(height, width, channels=3):
    return np.random.default_rng(0).normal(size=(2, height, width, channels)).astype("float32")


def filtered(x, strides):
    """Each channel by itself, with a pixel of zeros around it."""
    x = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    kernel = FILTER[:, :, None, None]
    parts = [tf.nn.conv2d(x[..., c : c + 1], kernel, strides, "VALID") for c in range(x.shape[-1])]
    return np.concatenate(parts, -1)


@pytest.mark.parametrize("size", [(4, 6), (7, 5), (2, 2), (1, 3)], ids=str)
def test_up(size):
    """Zeros between the pixels, and the filter, times 4: as much light as before."""
    x, (height, width) = maps(*size), size
    spread = np.zeros((2, 2 * height + 1, 2 * width + 1, 3), "float32")
    spread[:, 1::2, 1::2] = x  # with a zero before the first one and behind the last
    np.testing.assert_allclose(
        BilinearResampling2D("up")(x), 4 * filtered(spread, 1), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("size", [(4, 6), (14, 10), (2, 2)], ids=str)
def test_down(size):
    x = maps(*size)
    np.testing.assert_allclose(
        BilinearResampling2D("down")(x), filtered(x, 2), rtol=1e-5, atol=1e-6
    )


def test_by_hand():
    line = np.array([4.0, 8.0, 0.0, 16.0], "float32")
    up = BilinearResampling2D("up")(line.reshape(1, 1, 4, 1)).numpy()[0, 0, :, 0]
    expected = np.array([3, 5, 7, 6, 2, 4, 12, 12])
    np.testing.assert_allclose(up, 0.75 * expected)  # the other side: a pixel between zeros
    down = BilinearResampling2D("down")(np.stack([line, line])[None, ..., None]).numpy()
    np.testing.assert_allclose(down[0, 0, :, 0], [0.75 * 4.5, 0.75 * 7.0])


def test_down_is_the_transpose_of_up():
    """<up x, y> = 4 <x, down y>."""
    x, y = maps(3, 4), maps(6, 8)
    left = np.sum(BilinearResampling2D("up")(x) * y)
    assert left == pytest.approx(4 * np.sum(x * BilinearResampling2D("down")(y)), rel=1e-4)


@pytest.mark.parametrize(
    ("resampling", "shape", "output"),
    [
        ("up", (None, 4, None, 3), (None, 8, None, 3)),
        ("up", (2, 3, 5, 3), (2, 6, 10, 3)),
        ("down", (None, None, 6, 3), (None, None, 3, 3)),
        ("down", (2, 4, 6, 3), (2, 2, 3, 3)),
    ],
)
def test_shapes(resampling, shape, output):
    layer = BilinearResampling2D(resampling)
    assert layer.compute_output_shape(shape) == output
    x = keras.Input(shape[1:], batch_size=shape[0])
    network = keras.Model(x, layer(x))
    assert network.output_shape == output
    height, width = (n or 4 for n in shape[1:3])
    made = [2 * n if resampling == "up" else n // 2 for n in (height, width)]
    assert network(maps(height, width)).shape == (2, *made, 3)


@pytest.mark.parametrize("dtype", ["mixed_float16", "mixed_bfloat16", "float64"])
@pytest.mark.parametrize("resampling", ["up", "down"])
def test_other_types(resampling, dtype):
    x = maps(4, 6)
    layer = BilinearResampling2D(resampling, dtype=dtype)
    y = layer(x)
    assert y.dtype == layer.compute_dtype
    expected = BilinearResampling2D(resampling)(x)
    np.testing.assert_allclose(np.array(y, "float32"), expected, rtol=0.02, atol=0.05)


def test_config():
    layer = BilinearResampling2D("down", name="smaller")
    again = keras.layers.deserialize(keras.layers.serialize(layer))
    assert (again.resampling, again.name) == ("down", "smaller")


def test_bad_arguments():
    with pytest.raises(ValueError, match=r"`resampling` must be one of .*Received: 'sideways'"):
        BilinearResampling2D("sideways")
    with pytest.raises(ValueError, match=r"even height and width. Received: \(2, 5, 4, 3\)"):
        BilinearResampling2D("down")(maps(5, 4))
