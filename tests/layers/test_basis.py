"""Learned maps, each times one number of a vector."""

import keras
import numpy as np
import pytest

from keras_gans.layers import Basis2D


def test_each_channel_has_its_map():
    layer, x = Basis2D((2, 3)), np.array([[1.0, -2.0], [0.5, 0.0]], "float32")
    y = layer(x).numpy()
    assert y.shape == layer.compute_output_shape(x.shape) == (2, 2, 3, 2)
    for n in range(2):
        for c in range(2):
            np.testing.assert_allclose(y[n, :, :, c], x[n, c] * layer.basis[:, :, c])


def test_it_begins_with_normal_numbers():
    layer = Basis2D((40, 50))
    layer.build((None, 20))
    basis = layer.basis.numpy()
    assert abs(basis.mean()) < 0.02 and basis.std() == pytest.approx(1, abs=0.02)


def test_config():
    layer = Basis2D([2, 3], basis_initializer=keras.initializers.RandomUniform(-1, 1, seed=3))
    again = keras.layers.deserialize(keras.layers.serialize(layer))
    assert again.size == (2, 3)
    for one in (layer, again):
        one.build((None, 4))
    np.testing.assert_array_equal(layer.basis, again.basis)


@pytest.mark.parametrize("size", [4, (4,), (4, 4, 4), (0, 4), (4, 2.5), "44"], ids=str)
def test_bad_arguments(size):
    with pytest.raises(ValueError, match=r"`size` must be .*Received"):
        Basis2D(size)
