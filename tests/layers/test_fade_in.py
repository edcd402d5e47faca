"""Fade-in and the noise of a discriminator's inputs."""

import keras
import numpy as np
import pytest

from keras_gans.layers import FadeIn, MultiplicativeNoise


@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
def test_fade_in(alpha):
    rng = np.random.default_rng(0)
    old, new = rng.normal(size=(2, 3, 4, 4, 2)).astype("float32")
    layer = FadeIn()
    layer.alpha.assign(alpha)
    np.testing.assert_allclose(layer([old, new]), (1 - alpha) * old + alpha * new, atol=1e-6)
    assert layer.trainable_variables == []


def test_fade_in_wants_a_pair():
    with pytest.raises(ValueError, match="pair of one shape"):
        FadeIn()([np.zeros((2, 3)), np.zeros((2, 4))])


def test_alpha_is_saved(tmp_path):
    old, new = keras.Input((2,)), keras.Input((2,))
    model = keras.Model([old, new], FadeIn(name="fade")([old, new]))
    model.get_layer("fade").alpha.assign(0.75)
    model.save(tmp_path / "m.keras")
    loaded = keras.models.load_model(tmp_path / "m.keras")
    assert float(loaded.get_layer("fade").alpha) == 0.75


def test_noise_multiplies_channels():
    """One factor for each channel of each example, N(1, strength^2 * channels)."""
    layer = MultiplicativeNoise(seed=1)
    ones = np.ones((400, 3, 2, 16), "float32")
    np.testing.assert_array_equal(layer(ones, training=True), ones)  # of strength 0
    layer.strength.assign(0.05)
    np.testing.assert_array_equal(layer(ones), ones)
    noisy = np.array(layer(ones, training=True))
    assert np.ptp(noisy, axis=(1, 2)).max() < 1e-6
    factors = noisy[:, 0, 0]
    assert factors.mean() == pytest.approx(1, abs=0.01)
    assert factors.std() == pytest.approx(0.05 * 4, rel=0.05)
    assert (np.array(layer(ones, training=True)) != noisy).any()
