"""PixelShuffle2D: which channel becomes which pixel, and what does not fit."""

import keras
import numpy as np
import pytest

from keras_gans.layers import PixelShuffle2D


@pytest.mark.parametrize("scale, channels", [(2, 1), (2, 3), (3, 2)])
def test_pixels_are_channels(scale, channels):
    x = np.random.default_rng(0).normal(size=(2, 3, 5, scale**2 * channels)).astype("float32")
    y = np.array(PixelShuffle2D(scale)(x))
    assert y.shape == (2, 3 * scale, 5 * scale, channels)
    for i, j, a, b, c in np.ndindex(3, 5, scale, scale, channels):
        place = y[:, scale * i + a, scale * j + b, c]
        np.testing.assert_array_equal(place, x[:, i, j, (scale * a + b) * channels + c])


def test_shapes_and_config():
    layer = PixelShuffle2D(2)
    assert layer.compute_output_shape((None, None, 4, 8)) == (None, None, 8, 2)
    assert PixelShuffle2D.from_config(layer.get_config()).scale == 2
    made = layer(keras.Input((None, None, 12)))
    assert made.shape == (None, None, None, 3)


def test_what_does_not_fit():
    with pytest.raises(ValueError, match="multiple of 4 channels"):
        PixelShuffle2D(2)(np.zeros((1, 2, 2, 6), "float32"))
    for scale in (1, 2.0, True):
        with pytest.raises(ValueError, match="`scale`"):
            PixelShuffle2D(scale)
