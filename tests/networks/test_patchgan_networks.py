"""The patch discriminator: what a logit sees, the paper's layers, counted by hand; errors."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans.networks import build_patchgan_discriminator


def discriminator(shape=(16, 24, 3), width=2, num_layers=1, **kwargs):
    return build_patchgan_discriminator(shape, width=width, num_layers=num_layers, **kwargs)


def pictures(network, num=2, seed=0):
    shape = (num, *network.input_shape[1:])
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype("float32")


def kernels(network):
    return [v.numpy() for v in network.weights if v.name == "kernel"]


def of_kind(network, name):
    return [layer for layer in network.layers if type(layer).__name__ == name]


def test_layers_of_the_paper():
    """C64-C128-C256-C512 and a map, 4 x 4, no normalization on the first, LeakyReLU(0.2)."""
    network = build_patchgan_discriminator((256, 256, 3))
    layers = [(c.filters, c.kernel_size, c.strides[0]) for c in of_kind(network, "Conv2D")]
    four = (4, 4)
    assert layers == [(64, four, 2), (128, four, 2), (256, four, 2), (512, four, 1), (1, four, 1)]
    assert len(of_kind(network, "GroupNormalization")) == 3
    assert type(network.layers[3]).__name__ == "LeakyReLU"  # input, padding, convolution, this
    assert [layer.negative_slope for layer in of_kind(network, "LeakyReLU")] == [0.2] * 4
    assert network.layers[-1].activation is keras.activations.linear
    sizes = [c.output.shape[1] for c in of_kind(network, "Conv2D")]
    assert sizes == [128, 64, 32, 31, 30]  # as of the authors' code


def test_numbers_of_parameters():
    """Kernels 16 (3*64 + 64*128 + 128*256 + 256*512 + 512), a bias for 64 and 1, and a scale and
    an offset for each of 128 + 256 + 512 channels."""
    kernel = 16 * (192 + 8192 + 32_768 + 131_072 + 512)
    network = build_patchgan_discriminator((256, 256, 3))
    assert network.count_params() == kernel + 65 + 2 * 896
    # With a bias for each of those channels instead: the 2.765 M of the authors' network.
    network = build_patchgan_discriminator((256, 256, 3), normalization=None)
    assert network.count_params() == 2_764_737


def test_without_scales_it_is_the_authors():
    """2.765 M: 4*4 kernels of 3*64 + 64*128 + 128*256 + 256*512 + 512, and all biases."""
    network = build_patchgan_discriminator((256, 256, 3), affine=False)
    kernels = 16 * (3 * 64 + 64 * 128 + 128 * 256 + 256 * 512 + 512)
    assert network.count_params() == kernels + 64 + 128 + 256 + 512 + 1 == 2_764_737


@pytest.mark.parametrize(("num_layers", "seen"), [(1, 16), (2, 34), (3, 70)])
def test_what_a_logit_sees(num_layers, seen):
    """The pixels that the gradient of one logit reaches: exactly 70 x 70 for 3 layers."""
    network = discriminator((112, 120, 1), num_layers=num_layers, normalization=None, width=1)
    # Without signs and zeros, so that no pixel's influence cancels.
    network.set_weights([np.abs(w) + 1 for w in network.get_weights()])
    x = tf.ones((1, 112, 120, 1))
    with tf.GradientTape() as tape:
        tape.watch(x)
        logits = network(x)
        logit = logits[0, logits.shape[1] // 2, logits.shape[2] // 2, 0]
    reached = np.argwhere(tape.gradient(logit, x)[0, :, :, 0].numpy() != 0)
    np.testing.assert_array_equal(np.ptp(reached, axis=0) + 1, [seen, seen])
    assert len(reached) == seen**2


def test_widths_end_at_eight_times():
    network = discriminator((112, 112, 1), width=1, num_layers=5)
    assert [c.filters for c in of_kind(network, "Conv2D")] == [1, 2, 4, 8, 8, 8, 1]


def test_logits():
    network = discriminator()
    assert network.output_shape == (None, 6, 10, 1)  # 16 x 24, halved, less 2
    logits = network(pictures(network)).numpy()
    assert logits.shape == (2, 6, 10, 1) and logits.dtype == np.float32
    head = network.layers[-1]
    head.kernel.assign(-1e6 * head.kernel)
    head.bias.assign([5.0])
    np.testing.assert_allclose(network(pictures(network)), -1e6 * logits + 5, rtol=1e-4, atol=0.1)


def test_initial_weights_are_normal():
    """N(0, 0.02), each to 5 standard errors; scales 1, offsets and biases 0."""
    network = discriminator(width=16, seed=1)
    for kernel in kernels(network):
        assert kernel.std() == pytest.approx(0.02, rel=5 / np.sqrt(2 * kernel.size))
        assert kernel.mean() == pytest.approx(0, abs=5 * 0.02 / np.sqrt(kernel.size))
    others = {"bias": 0, "beta": 0, "gamma": 1}
    for v in network.weights:
        assert v.name == "kernel" or (v.numpy() == others[v.name]).all()


def test_seeds():
    one, same, other, free = (discriminator(seed=seed) for seed in (7, 7, 8, None))
    for a, b in zip(one.get_weights(), same.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    for a, *others in zip(*map(kernels, (one, other, free)), strict=True):
        assert all((a != b).mean() > 0.99 for b in others)


def test_gradients_reach_every_weight():
    network = discriminator(num_layers=2, seed=0)
    with tf.GradientTape() as tape:
        logits = network(pictures(network), training=True)
        loss = tf.reduce_sum(logits * np.random.default_rng(1).normal(size=logits.shape))
    for v, g in zip(
        network.trainable_weights, tape.gradient(loss, network.trainable_weights), strict=True
    ):
        assert g is not None and np.isfinite(g).all() and np.abs(g).max() > 0, v.path


def test_saved_network(tmp_path):
    network = discriminator(seed=3)
    network.save(tmp_path / "network.keras")
    loaded = keras.models.load_model(tmp_path / "network.keras")
    x = pictures(network)
    np.testing.assert_array_equal(loaded(x), network(x))
    assert loaded.name == network.name == "patchgan_discriminator"


@pytest.mark.parametrize("shape", [(30, 28, 1), (28, 28, 9), (28, 28), None], ids=str)
def test_bad_shapes(shape):
    with pytest.raises(ValueError, match=r"`image_shape` must .*Received"):
        discriminator(shape)


def test_smallest_pictures():
    """n halvings and two convolutions, each a pixel smaller: 3 * 2^n pixels end as one logit."""
    assert discriminator((12, 12, 1), num_layers=2).output_shape == (None, 1, 1, 1)
    assert discriminator((24, 28, 1), num_layers=3).output_shape == (None, 1, 1, 1)
    for shape, num_layers in (((8, 12, 1), 2), ((40, 20, 1), 3)):
        with pytest.raises(ValueError, match=r"`num_layers` must .*Received"):
            discriminator(shape, num_layers=num_layers)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("width", [0, -1, 2.5, None]),
        ("num_layers", [-1, 2.5, None]),
        ("normalization", ["weight", False]),
        ("seed", [-1, 0.5]),
    ],
)
def test_bad_arguments(name, values):
    for value in values:
        with pytest.raises(ValueError, match=rf"`{name}` must .*Received"):
            discriminator(**{name: value})
