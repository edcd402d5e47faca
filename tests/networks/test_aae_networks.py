"""The builders of the adversarial autoencoders' networks: shapes, weights, noise, errors."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_gans.layers import BatchNormalization, GaussianNoise
from keras_gans.networks import (
    build_aae_discriminator,
    build_aae_encoder,
    build_aae_generator,
)

SHAPE, SMALL = (4, 6, 2), {"hidden": (8, 5)}


@pytest.mark.parametrize("shape", [SHAPE, (2,)], ids=str)
def test_shapes(shape):
    encoder = build_aae_encoder(shape, 3, **SMALL)
    assert (encoder.input_shape, encoder.output_shape) == ((None, *shape), (None, 3))
    generator = build_aae_generator(shape, 3, **SMALL)
    assert (generator.input_shape, generator.output_shape) == ((None, 3), (None, *shape))
    two = build_aae_encoder(shape, 3, 7, **SMALL), build_aae_generator(shape, 3, 7, **SMALL)
    assert two[0].output_shape == two[1].input_shape == [(None, 3), (None, 7)]
    last = generator.layers[-2].activation
    assert last is (keras.activations.tanh if len(shape) == 3 else keras.activations.linear)
    judge = build_aae_discriminator(3, num_classes=4, **SMALL)
    assert (judge.input_shape, judge.output_shape) == ([(None, 3), (None,)], (None, 1))
    widths = [w.units for w in judge.layers if isinstance(w, layers.Dense)]
    assert widths == [8, 5, 1]


@pytest.mark.parametrize("build", [build_aae_encoder, build_aae_generator])
def test_seeds_and_first_weights(build):
    one, same, other = (build((20, 20, 2), 3, seed=seed) for seed in (1, 1, 2))
    for a, b, c in zip(*(n.get_weights() for n in (one, same, other)), strict=True):
        np.testing.assert_array_equal(a, b)
        assert a.ndim == 1 or (a != c).all()
    kernels = [w for w in one.get_weights() if w.ndim == 2]
    assert [w.shape[1] for w in kernels[:2]] == [1000, 1000]
    assert kernels[1].std() == pytest.approx(0.01, rel=0.01)
    glorot = build((20, 20, 2), 3, hidden=(1000, 1000), initial_stddev=None).get_weights()[2]
    assert np.abs(glorot).max() == pytest.approx(np.sqrt(6 / 2000), rel=0.01)


def test_noise_and_normalization():
    """Noise on the samples, and behind each ReLU; normalization before it."""
    encoder = build_aae_encoder(
        SHAPE, 3, normalization="batch", input_noise=0.5, noise=0.2, seed=0, **SMALL
    )
    hidden = [layers.Dense, BatchNormalization, layers.ReLU, GaussianNoise]
    expected = [layers.InputLayer, layers.Flatten, GaussianNoise, *hidden, *hidden, layers.Dense]
    assert [type(layer) for layer in encoder.layers] == expected
    noises = [layer for layer in encoder.layers if isinstance(layer, GaussianNoise)]
    assert [layer.stddev for layer in noises] == [0.5, 0.2, 0.2]
    assert len({layer.seed for layer in noises}) == 3
    x = np.ones((4, *SHAPE), "float32")
    np.testing.assert_array_equal(encoder(x), encoder(x))
    first, second = (np.array(encoder(x, training=True)) for _ in range(2))
    assert (first != second).any()
    judge = build_aae_discriminator(3, input_noise=0.5, noise=0.2, **SMALL)
    assert sum(isinstance(layer, GaussianNoise) for layer in judge.layers) == 3


def test_labels_join_the_code():
    """The same code has other logits with another label."""
    judge = build_aae_discriminator(3, num_classes=4, initial_stddev=1.0, seed=0, **SMALL)
    logits = np.array(judge([np.ones((4, 3), "float32"), np.arange(4)]))
    assert len(np.unique(logits)) == 4


@pytest.mark.parametrize(
    ("build", "arguments", "match"),
    [
        (build_aae_encoder, ((4, 6), 0), "`latent_dim`"),
        (build_aae_encoder, ((4, 6, 2), 3, 1), "`num_classes` must be an integer of at least 2"),
        (build_aae_encoder, ("4", 3), "`sample_shape`"),
        (build_aae_generator, ((4, 6, 2), 3, True), "`num_classes`"),
        (build_aae_generator, ((4, 6, 2), 3, None, (0,)), "`hidden`"),
        (build_aae_generator, ((4, 6, 2), 3, None, (4,), 0), "`initial_stddev`"),
        (build_aae_discriminator, (0,), "`code_dim`"),
        (build_aae_discriminator, (2, None, (4,), 0.01, -1), "`input_noise`"),
        (build_aae_discriminator, (2, None, (4,), 0.01, 0, np.nan), "`noise`"),
    ],
)
def test_bad_arguments(build, arguments, match):
    with pytest.raises(ValueError, match=match):
        build(*arguments)
