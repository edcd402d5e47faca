"""The networks of SRResNet and SRGAN: the paper's numbers, any size, what does not fit."""

import keras
import numpy as np
import pytest

from keras_gans.networks import build_srgan_discriminator, build_srresnet_generator


def convolutions(network):
    return [
        (layer.filters, layer.kernel_size[0], layer.strides[0])
        for layer in network.layers
        if isinstance(layer, keras.layers.Conv2D)
    ]


def test_the_papers_generator():
    """Figure 4: k9n64, 16 blocks of two k3n64, k3n64, two k3n256, k9n3."""
    network = build_srresnet_generator(seed=0)
    assert convolutions(network) == [
        (64, 9, 1),
        *[(64, 3, 1)] * 33,
        *[(256, 3, 1)] * 2,
        (3, 9, 1),
    ]
    # Kernels, biases where nothing normalizes, slopes of 64 channels, gains and offsets.
    kernels = 81 * 3 * 64 + 33 * 9 * 64 * 64 + 2 * 9 * 64 * 256 + 81 * 64 * 3
    others = 64 + 2 * 256 + 3 + (1 + 16 + 2) * 64 + 33 * 2 * 64
    assert sum(np.prod(w.shape) for w in network.trainable_weights) == kernels + others
    slopes = [layer for layer in network.layers if isinstance(layer, keras.layers.PReLU)]
    assert len(slopes) == 1 + 16 + 2
    assert all(np.all(np.array(layer.alpha) == 0.25) for layer in slopes)


def test_the_papers_discriminator():
    """Figure 4: 64 64/2 128 128/2 256 256/2 512 512/2, 1024, 1."""
    network = build_srgan_discriminator((96, 96, 3))
    assert convolutions(network) == [
        (filters, 3, strides) for filters in (64, 128, 256, 512) for strides in (1, 2)
    ]
    units = [each.units for each in network.layers if isinstance(each, keras.layers.Dense)]
    assert units == [1024, 1]
    normalized = sum("normalization" in layer.name for layer in network.layers)
    assert normalized == 7 and network.output_shape == (None, 1)


@pytest.mark.parametrize("scale", [2, 3, 4, 8])
@pytest.mark.parametrize("bicubic", [False, True])
def test_any_size(scale, bicubic):
    network = build_srresnet_generator(scale, 1, 4, 1, bicubic=bicubic, seed=0)
    for size in ((5, 8), (12, 7)):
        made = network(np.zeros((2, *size, 1), "float32"))
        assert made.shape == (2, scale * size[0], scale * size[1], 1)


def test_bicubic_is_what_it_begins_with():
    picture = np.random.default_rng(0).uniform(-1, 1, (1, 6, 7, 3)).astype("float32")
    network = build_srresnet_generator(2, 3, 4, 1, bicubic=True, seed=0)
    enlarged = network.get_layer("bicubic")(picture)
    np.testing.assert_array_equal(network(picture), enlarged)
    assert np.ptp(np.array(build_srresnet_generator(2, 3, 4, 1, seed=0)(picture) - enlarged)) > 0.1


def test_seeds():
    first, same, other = (build_srresnet_generator(2, 3, 4, 1, seed=seed) for seed in (0, 0, 1))
    kernels = [network.layers[1].get_weights()[0] for network in (first, same, other)]
    np.testing.assert_array_equal(kernels[0], kernels[1])
    assert np.any(kernels[0] != kernels[2])


@pytest.mark.parametrize(
    "settings, word",
    [
        ({"scale": 5}, "scale"),
        ({"channels": 5}, "channels"),
        ({"width": 0}, "width"),
        ({"num_blocks": 0}, "num_blocks"),
        ({"normalization": "group"}, "normalization"),
        ({"bicubic": 1}, "bicubic"),
    ],
)
def test_generators_that_do_not_fit(settings, word):
    with pytest.raises(ValueError, match=f"`{word}`"):
        build_srresnet_generator(**settings)


def test_discriminators_that_do_not_fit():
    for shape in ((96, 96, 5), (18, 32, 3), (None, None, 3)):
        with pytest.raises(ValueError, match="`image_shape`"):
            build_srgan_discriminator(shape)
