"""The networks that several papers begin with."""

import numpy as np
import pytest

from keras_gans.networks.defaults import (
    dcgan_pair,
    decoder_and_encoder,
    discriminator_with_features,
    mlp_pair,
)

PICTURE, POINT = (8, 12, 2), (2,)


def names(network):
    return [type(layer).__name__ for layer in network.layers]


def test_dense_pairs():
    """Without maxout and dropout, which the first papers have for pictures."""
    _, discriminator = mlp_pair(POINT, 5, seed=0)
    assert {"Maxout", "Dropout", "BatchNormalization"}.isdisjoint(names(discriminator))
    for network in mlp_pair(POINT, 5, num_classes=3, seed=0):
        assert len(network.inputs) == 2


def test_normalizations_of_convolutional_pairs():
    generator, discriminator = dcgan_pair((16, 16, 1), 5, seed=0)
    assert names(generator).count("BatchNormalization") == 2
    assert names(discriminator).count("BatchNormalization") == 1
    generator, critic = dcgan_pair((16, 16, 1), 5, "layer", seed=0)
    assert names(generator).count("BatchNormalization") == 2
    assert names(critic).count("GroupNormalization") == 1
    assert "BatchNormalization" not in names(critic)
    for network in dcgan_pair((16, 16, 1), 5, None, None, seed=0):
        assert {"BatchNormalization", "GroupNormalization"}.isdisjoint(names(network))


@pytest.mark.parametrize("shape", [PICTURE, POINT], ids=["pictures", "points"])
def test_shapes(shape):
    generator, discriminator = dcgan_pair(shape, 5, seed=0)
    assert (generator.input_shape, generator.output_shape) == ((None, 5), (None, *shape))
    assert (discriminator.input_shape, discriminator.output_shape) == ((None, *shape), (None, 1))
    generator, encoder = decoder_and_encoder(shape, 5, seed=0)
    assert (generator.input_shape, generator.output_shape) == ((None, 5), (None, *shape))
    assert (encoder.input_shape, encoder.output_shape) == ((None, *shape), [(None, 5)] * 2)
    assert decoder_and_encoder(shape, 5, seed=0, gaussian=False)[1].output_shape == (None, 5)
    discriminator = discriminator_with_features(shape, "layer", seed=0)
    logits, features = discriminator.output_shape
    assert logits == (None, 1) and len(features) == len(shape) + 1


def test_normalization_beside_features():
    assert "BatchNormalization" in names(discriminator_with_features((16, 16, 1), seed=0))
    layered = names(discriminator_with_features((16, 16, 1), "layer", seed=0))
    assert "GroupNormalization" in layered and "BatchNormalization" not in layered


@pytest.mark.parametrize("make", [mlp_pair, dcgan_pair, decoder_and_encoder])
def test_one_seed_does_not_give_two_networks_the_same_numbers(make):
    kernels = [
        [np.array(w) for w in network.weights if w.name == "kernel"]
        for network in make(POINT, 16, seed=0)
    ]
    for mine in kernels[0]:
        for other in kernels[1]:
            size = min(mine.size, other.size, 500)
            pair = mine.ravel()[:size], other.ravel()[:size]
            assert abs(np.corrcoef(*pair)[0, 1]) < 0.5 or size < 20


@pytest.mark.parametrize("make", [mlp_pair, dcgan_pair, decoder_and_encoder])
def test_seeds(make):
    one, same, other = (make(POINT, 4, seed=seed) for seed in (4, 4, 5))
    for a, b, c in zip(one, same, other, strict=True):
        np.testing.assert_array_equal(a.get_weights()[0], b.get_weights()[0])
        assert (a.get_weights()[0] != c.get_weights()[0]).all()
