"""Held against a convolution for each group, and against TensorFlow's own under XLA."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans.layers import GroupedConv2D
from keras_gans.layers import grouped_convolution as module

GROUPS = pytest.mark.parametrize("groups", [1, 2, 3, 4, 6, 12])


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def built(groups, channels=12, **kwargs):
    layer = GroupedConv2D(24, (3, 2), groups=groups, **kwargs)
    layer.build((None, 5, 6, channels))
    layer.bias.assign(numbers(24, seed=1))
    return layer


@GROUPS
@pytest.mark.parametrize(
    "settings",
    [{"padding": "same"}, {"strides": 2}, {"dilation_rate": 2, "padding": "same"}],
    ids=str,
)
def test_each_group_has_its_own_filters(groups, settings):
    layer, x = built(groups, **settings), numbers(2, 5, 6, 12)
    plain = {"strides": layer.strides, "dilations": layer.dilation_rate}
    own, made = 12 // groups, 24 // groups
    parts = [
        tf.nn.conv2d(
            x[..., own * g : own * (g + 1)],
            layer.kernel[..., made * g : made * (g + 1)],
            padding=layer.padding.upper(),
            **plain,
        )
        for g in range(groups)
    ]
    assert layer.kernel.shape == (3, 2, own, 24)
    expected = np.concatenate(parts, -1) + layer.bias
    np.testing.assert_allclose(layer(x), expected, rtol=1e-4, atol=1e-4)
    assert layer(x).shape == layer.compute_output_shape(x.shape)


@pytest.mark.parametrize("groups", [3, 4])
def test_devices_agree(groups):
    """What GPUs are given is the same to the second order: XLA computes it on CPUs, too."""
    x, kernel = tf.constant(numbers(2, 4, 4, 12)), tf.constant(numbers(3, 3, 12 // groups, 12))

    def gradients(convolution):
        with tf.GradientTape() as outer:
            outer.watch([x, kernel])
            with tf.GradientTape() as inner:
                inner.watch(x)
                y = convolution(x, kernel, strides=1, padding="SAME")
                score = tf.reduce_sum(tf.sin(y))
            total = tf.reduce_sum(inner.gradient(score, x) ** 2)
        return [y, total, *outer.gradient(total, [x, kernel])]

    theirs = tf.function(lambda: gradients(module.grouped_convolution), jit_compile=True)()
    ours = gradients(module.convolution_of_groups)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-2)


def test_which_one(monkeypatch):
    """Inputs of no device: an accelerator, where there is one, takes all groups at once."""
    layer, x = built(4, padding="same"), numbers(2, 5, 6, 12)
    expected, seen = layer(x), []
    monkeypatch.setattr(module, "_on_accelerator", lambda: True)
    direct = module.grouped_convolution
    monkeypatch.setattr(
        module, "grouped_convolution", lambda *a, **k: seen.append(1) or direct(*a, **k)
    )
    np.testing.assert_allclose(layer(x), expected, rtol=1e-4, atol=1e-4)
    assert seen == [1]


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "float64"])
def test_half_precision(dtype):
    layer = built(4, dtype=dtype)
    assert layer(numbers(2, 5, 6, 12)).dtype == layer.compute_dtype


def test_config():
    layer = built(4)
    again = keras.layers.deserialize(keras.layers.serialize(layer))
    assert (type(again), again.groups, again.kernel_size) == (GroupedConv2D, 4, (3, 2))


def test_bad_arguments():
    with pytest.raises(ValueError, match=r"`data_format` must be .*Received: 'channels_first'"):
        GroupedConv2D(4, 3, groups=2, data_format="channels_first")
    with pytest.raises(ValueError, match="divisible by the number of groups"):
        GroupedConv2D(6, 3, groups=4)
