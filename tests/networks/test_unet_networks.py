"""The U-Net: the paper's layers and numbers of weights by hand, its way down and up, sizes."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans.layers import Dropout
from keras_gans.networks import build_patchgan_discriminator, build_unet_generator


def convolutions(network):
    return [layer for layer in network.layers if "Conv2D" in type(layer).__name__]


def test_paper_256():
    """C64-C128-C256-C512-C512-C512-C512-C512 and back, of 4 x 4; weights counted by hand.

    Between normalized layers there is no bias; their normalization has a scale and an offset.
    """
    network = build_unet_generator((256, 256, 3), seed=0)
    down, up = [64, 128, 256, 512, 512, 512, 512, 512], [512, 512, 512, 512, 256, 128, 64]
    assert [layer.filters for layer in convolutions(network)] == [*down, *up, 3]
    assert {layer.kernel_size for layer in convolutions(network)} == {(4, 4)}
    assert {layer.strides for layer in convolutions(network)} == {(2, 2)}
    pairs = [*zip([3, *down], down, strict=False)]
    pairs += [(512, 512), *((2 * a, b) for a, b in itertools.pairwise(up)), (128, 3)]
    kernels = sum(16 * a * b for a, b in pairs)
    normalized = [*down[1:-1], *up]
    trained = sum(int(np.prod(v.shape)) for v in network.trainable_variables)
    assert trained == kernels + 2 * sum(normalized) + 64 + 512 + 3
    dropouts = [layer for layer in network.layers if isinstance(layer, Dropout)]
    assert [(layer.rate, layer.output.shape[1]) for layer in dropouts] == [
        (0.5, 2),
        (0.5, 4),
        (0.5, 8),
    ]
    assert len({layer.seed for layer in dropouts}) == 3


@pytest.mark.parametrize("size, levels, dropouts", [(128, 7, 2), (64, 6, 1), (32, 5, 0)])
def test_smaller(size, levels, dropouts):
    network = build_unet_generator((size, size, 1), 3, width=2, seed=0)
    assert len(convolutions(network)) == 2 * levels
    assert sum(isinstance(layer, Dropout) for layer in network.layers) == dropouts
    assert network.output_shape == (None, size, size, 3) and network.output.dtype == "float32"


def test_sizes():
    for shape, levels in (((28, 28, 1), 2), ((24, 40, 2), 3), ((16, 512, 4), 4)):
        network = build_unet_generator(shape, width=1)
        assert len(convolutions(network)) == 2 * levels
        assert network.output_shape == (None, *shape)


def test_way_down_and_up():
    """Held against TensorFlow's own operations, layer by layer."""
    network = build_unet_generator((8, 16, 2), 3, width=3, normalization=None, seed=4)
    (w0, b0), (w1, b1), (w2, b2), (v0, c0), (v1, c1), (v2, c2) = [
        (layer.kernel.value, 0.1 * np.arange(layer.filters, dtype="float32"))
        for layer in convolutions(network)
    ]
    for layer, bias in zip(convolutions(network), (b0, b1, b2, c0, c1, c2), strict=True):
        layer.bias.assign(bias)
    x = np.random.default_rng(0).uniform(-1, 1, (2, 8, 16, 2)).astype("float32")

    def down(x, w, b):
        padded = tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]])
        return tf.nn.conv2d(padded, w, 2, "VALID") + b

    def up(x, w, b):
        batch, height, width, _ = x.shape
        size = (batch, 2 * height, 2 * width, w.shape[2])
        return tf.nn.conv2d_transpose(tf.nn.relu(x), w, size, 2, "SAME") + b

    first = down(x, w0, b0)
    second = down(tf.nn.leaky_relu(first, 0.2), w1, b1)
    third = down(tf.nn.leaky_relu(second, 0.2), w2, b2)
    y = tf.concat([up(third, v0, c0), second], axis=-1)
    y = tf.concat([up(y, v1, c1), first], axis=-1)
    expected = tf.tanh(up(y, v2, c2))
    np.testing.assert_allclose(network(x), expected, atol=1e-5)


def test_normalization_is_not_of_the_first_and_the_innermost():
    """With one picture of one colour the innermost pixels would be normalized to zero."""
    network = build_unet_generator((8, 8, 1), width=2, seed=0)
    kinds = [type(layer).__name__ for layer in network.layers]
    assert kinds.count("GroupNormalization") == 3  # of six convolutions
    x = np.random.default_rng(0).uniform(-1, 1, (1, 8, 8, 1)).astype("float32")
    lowest = [layer for layer in network.layers if layer.output.shape[1:3] == (1, 1)]
    innermost = keras.Model(network.input, lowest[-1].output)  # behind the ReLU of the way up
    assert type(lowest[-1]).__name__ == "ReLU" and np.any(np.array(innermost(x)) != 0)


def test_dropout_is_the_noise():
    network = build_unet_generator((64, 64, 1), width=2, seed=0)
    x = np.random.default_rng(0).uniform(-1, 1, (1, 64, 64, 1)).astype("float32")
    first, second = (np.array(network(x, training=True)) for _ in range(2))
    assert np.abs(first - second).max() > 1e-4
    np.testing.assert_array_equal(network(x), network(x))
    again, other = (build_unet_generator((64, 64, 1), width=2, seed=seed) for seed in (0, 1))
    np.testing.assert_array_equal(network(x), again(x))
    assert np.any(np.array(network(x)) != np.array(other(x)))
    still = build_unet_generator((64, 64, 1), width=2, dropout=0, seed=0)
    np.testing.assert_array_equal(still(x, training=True), still(x))


def test_discriminator_of_two_pictures():
    """The authors' 70 x 70 patches of two pictures in colour: 2,768,705 weights."""
    network = build_patchgan_discriminator((256, 256, 6))
    assert network.count_params() == 2_768_705 and network.output_shape == (None, 30, 30, 1)


def test_pixel_discriminator():
    """64 and 128 filters of one pixel: 6 64 + 64, 64 128 + 2 128, 128 + 1."""
    network = build_patchgan_discriminator((16, 16, 6), num_layers=0, normalization="batch")
    trained = sum(int(np.prod(v.shape)) for v in network.trainable_variables)
    assert trained == 6 * 64 + 64 + 64 * 128 + 2 * 128 + 128 + 1
    assert network.output_shape == (None, 16, 16, 1)
    x = tf.random.stateless_uniform((1, 16, 16, 6), (0, 0))
    with tf.GradientTape() as tape:
        tape.watch(x)
        logit = network(x)[0, 3, 5, 0]
    seen = np.abs(tape.gradient(logit, x)[0]).sum(-1)
    assert np.argwhere(seen).tolist() == [[3, 5]]


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"image_shape": (30, 32, 1)}, "multiples of 4"),
        ({"image_shape": (32, 32, 5)}, "C from 1 to 4"),
        ({"channels": 5}, "`channels` must be from 1 to 4"),
        ({"num_levels": 1}, "`num_levels` must be from 2 to 5"),
        ({"num_levels": 6}, "`num_levels` must be from 2 to 5"),
        ({"dropout": 1}, r"`dropout` must be in \[0, 1\)"),
        ({"dropout": True}, "`dropout`"),
        ({"dropout": "a"}, "`dropout` must be"),
        ({"normalization": "spectral"}, "`normalization`"),
        ({"width": 0}, "`width`"),
    ],
)
def test_bad_settings(settings, message):
    with pytest.raises(ValueError, match=message):
        build_unet_generator(**{"image_shape": (32, 32, 1), **settings})
