"""CoGAN's networks: the authors' layers and numbers of weights by hand, sizes, what is common."""

import keras
import numpy as np
import pytest

from keras_gans import CoGAN
from keras_gans.networks import (
    build_cogan_dense_discriminators,
    build_cogan_dense_generators,
    build_cogan_discriminators,
    build_cogan_generators,
    shared_weights,
)


def number(weights):
    return sum(int(np.prod(weight.shape)) for weight in weights)


def kernels(network):
    return [tuple(w.shape) for w in network.trainable_weights if w.name == "kernel"]


def test_networks_of_the_authors():
    """CoGen28x28 and CoDis28x28 of `net_cogan_mnistedge.py`."""
    a, b = build_cogan_generators((28, 28, 1), seed=0)
    assert a.output_shape == b.output_shape == (None, 28, 28, 1)
    sizes = [x.output.shape[1:3] for x in a.layers if isinstance(x, keras.layers.PReLU)]
    assert sizes == [(4, 4), (7, 7), (13, 13), (25, 25)]
    # Kernels, biases and a slope of each; 3 x 3 but for the first and the last one, 4 x 4, 6 x 6.
    common = (100 * 16 + 1) * 1024 + (1024 * 9 + 1) * 512 + (512 * 9 + 1) * 256 + 256 * 9 * 128
    common += 128 + 4
    assert number(w for w in a.trainable_weights) == common + 128 * 36 + 1
    moving = 2 * (1024 + 512 + 256 + 128)
    assert number(shared_weights((a, b))) == common + moving
    a, b = build_cogan_discriminators((28, 28, 1), seed=0)
    common = (20 * 25 + 1) * 50 + (50 * 16 + 1) * 500 + 1 + 501  # a slope, and one logit, not two
    assert number(a.weights) == common + 26 * 20 and number(shared_weights((a, b))) == common
    assert kernels(a) == [(5, 5, 1, 20), (5, 5, 20, 50), (4, 4, 50, 500), (500, 1)]


def test_beginnings_are_the_authors():
    """Xavier's with a gain of sqrt(2), biases of 0.1 and slopes of 0.25."""
    a, _ = build_cogan_discriminators((28, 28, 1), seed=3)
    for weight in a.weights:
        values = np.array(weight)
        if weight.name == "kernel":
            *window, taken, made = weight.shape
            limit = np.sqrt(2 * 6 / (np.prod(window, initial=1) * (taken + made)))
            assert 0.9 * limit < np.abs(values).max() <= limit
        else:
            assert np.unique(values) == pytest.approx([0.1] if weight.name == "bias" else [0.25])


@pytest.mark.parametrize(
    "shape", [(6, 6, 1), (8, 12, 2), (16, 24, 3), (30, 30, 1), (32, 32, 3), (64, 64, 1)]
)
def test_sizes(shape):
    other = (*shape[:2], 4)
    generators = build_cogan_generators(shape, other, latent_dim=5, width=2, seed=0)
    assert [net.output_shape[1:] for net in generators] == [shape, other]
    discriminators = build_cogan_discriminators(shape, other, width=2, seed=0)
    assert [net.input_shape[1:] for net in discriminators] == [shape, other]
    assert {net.output_shape for net in discriminators} == {(None, 1)}
    pictures = generators[0](np.ones((3, 5), "float32"))
    assert np.abs(pictures).max() <= 1 and discriminators[0](pictures).shape == (3, 1)


@pytest.mark.parametrize("shared", range(5))
def test_numbers_of_common_layers(shared):
    """Generators have them in common from the latents on, discriminators up to the logits."""
    a, b = build_cogan_generators((28, 28, 1), width=2, shared_layers=shared, seed=0)
    names = [w.path for w in shared_weights((a, b)) if w.name == "kernel"]
    assert names == [w.path for w in a.weights if w.name == "kernel"][:shared]
    if shared < 4:
        a, b = build_cogan_discriminators((28, 28, 1), width=2, shared_layers=shared, seed=0)
        names = [w.path for w in shared_weights((a, b)) if w.name == "kernel"]
        assert names == [w.path for w in a.weights if w.name == "kernel"][4 - shared :]


def test_one_seed_gives_different_heads():
    networks = CoGAN.default_networks((28, 28, 1), latent_dim=4, width=4, seed=0)
    again = CoGAN.default_networks((28, 28, 1), latent_dim=4, width=4, seed=0)
    for name, (a, b) in networks.items():
        kernel_a, kernel_b = ([w for w in net.weights if w.name == "kernel"] for net in (a, b))
        own = -1 if name == "generators" else 0
        assert (np.array(kernel_a[own]) != np.array(kernel_b[own])).any()
        for ours, theirs in zip(a.get_weights(), again[name][0].get_weights(), strict=True):
            np.testing.assert_array_equal(ours, theirs)
    assert networks["discriminators"][0].weights[0].shape == (5, 5, 1, 1)  # 20 4 / 128, at least 1


def test_dense_networks():
    a, b = build_cogan_dense_generators((2,), (3,), latent_dim=4, hidden=(5, 6), seed=0)
    assert number(shared_weights((a, b))) == (4 + 1) * 5 + (5 + 1) * 6
    assert (a.output_shape, b.output_shape) == ((None, 2), (None, 3))
    a, b = build_cogan_dense_discriminators((2,), (3,), hidden=(5, 6), seed=0)
    assert number(shared_weights((a, b))) == (5 + 1) * 6 + (6 + 1)
    pictures, _ = build_cogan_dense_generators((4, 4, 1), latent_dim=4, hidden=(5,))
    assert np.abs(pictures(100 * np.ones((1, 4)))).max() <= 1  # tanh


@pytest.mark.parametrize(
    ("build", "arguments", "match"),
    [
        (build_cogan_generators, {"image_shape": (27, 28, 1)}, "`image_shape` must be"),
        (build_cogan_discriminators, {"image_shape": (4, 4, 1)}, "sides of at least 6"),
        (
            build_cogan_generators,
            {"other_shape": (32, 32, 1)},
            "`other_shape` must have the height",
        ),
        (build_cogan_generators, {"shared_layers": 5}, r"`shared_layers` .*\[0, 4\]"),
        (build_cogan_discriminators, {"shared_layers": 4}, r"`shared_layers` .*\[0, 3\]"),
        (build_cogan_generators, {"width": 0}, "`width`"),
        (build_cogan_generators, {"latent_dim": 0}, "`latent_dim`"),
    ],
)
def test_what_is_refused(build, arguments, match):
    with pytest.raises(ValueError, match=match):
        build(**{"image_shape": (28, 28, 1), **arguments})
