"""BicubicUpsampling2D, against Pillow."""

import keras
import numpy as np
import pytest
from PIL import Image

from keras_gans.layers import BicubicUpsampling2D


@pytest.mark.parametrize("scale", [2, 3, 4, 8])
def test_is_that_of_pillow(scale):
    """To the edges, channel by channel."""
    pictures = np.random.default_rng(scale).uniform(-1, 1, (2, 7, 9, 3)).astype("float32")
    made = np.array(BicubicUpsampling2D(scale)(pictures))
    assert made.shape == (2, 7 * scale, 9 * scale, 3)
    for k, channel in np.ndindex(2, 3):
        picture = Image.fromarray(pictures[k, :, :, channel])
        wanted = picture.resize((9 * scale, 7 * scale), Image.Resampling.BICUBIC)
        np.testing.assert_allclose(made[k, :, :, channel], np.array(wanted), atol=2e-6)


def test_keys_by_hand():
    """Half way between equal pixels and a step: the weights at 1/4 and 3/4, 5/4 and 7/4."""
    picture = np.float32([0, 0, 0, 1, 1, 1]).reshape(1, 1, 6, 1)
    made = np.array(BicubicUpsampling2D(2)(picture))[0, 0, :, 0]
    near = {x: 1.5 * x**3 - 2.5 * x**2 + 1 for x in (0.25, 0.75)}
    far = {x: -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 for x in (1.25, 1.75)}
    assert sum(near.values()) + sum(far.values()) == pytest.approx(1)
    # Pixel 5 lies at 2.25, 3/4 before the first 1 and 7/4 before the second; pixel 6 at 2.75.
    np.testing.assert_allclose(made[5], near[0.75] + far[1.75], atol=1e-6)
    np.testing.assert_allclose(made[6], near[0.25] + far[1.25], atol=1e-6)


def test_any_size_and_config():
    layer = BicubicUpsampling2D(4)
    model = keras.Sequential([keras.Input((None, None, 1)), layer])
    assert model.output_shape == (None, None, None, 1)
    for size in ((5, 6), (1, 3)):
        np.testing.assert_allclose(model(np.ones((1, *size, 1), "float32")), 1, atol=1e-6)
    assert BicubicUpsampling2D.from_config(layer.get_config()).scale == 4
    with pytest.raises(ValueError, match="`scale`"):
        BicubicUpsampling2D(1)
