"""The residual generator: the paper's layers, counted by hand; instance normalization; errors."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans.networks import build_resnet_generator


def generator(shape=(8, 12, 3), width=2, num_blocks=1, **kwargs):
    return build_resnet_generator(shape, width=width, num_blocks=num_blocks, **kwargs)


def pictures(network, num=2, seed=0):
    shape = (num, *network.input_shape[1:])
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype("float32")


def of_kind(network, name):
    return [layer for layer in network.layers if type(layer).__name__ == name]


def kernels(network):
    return [v.numpy() for v in network.weights if v.name == "kernel"]


def test_layers_of_the_paper():
    """c7s1-64, d128, d256, 9 x R256, u128, u64, c7s1-3."""
    network = build_resnet_generator((256, 256, 3))
    assert network.input_shape == network.output_shape == (None, 256, 256, 3)
    convolutions = [
        (layer.filters, layer.kernel_size[0], layer.strides[0], type(layer).__name__)
        for layer in network.layers
        if "Conv2D" in type(layer).__name__
    ]
    assert convolutions == [
        (64, 7, 1, "Conv2D"),
        (128, 3, 2, "Conv2D"),
        (256, 3, 2, "Conv2D"),
        *[(256, 3, 1, "Conv2D")] * 18,
        (128, 3, 2, "Conv2DTranspose"),
        (64, 3, 2, "Conv2DTranspose"),
        (3, 7, 1, "Conv2D"),
    ]
    reflected = [layer.padding for layer in of_kind(network, "ReflectionPadding2D")]
    assert reflected == [3, *[1] * 18, 3]
    assert len(of_kind(network, "Add")) == 9
    assert len(of_kind(network, "GroupNormalization")) == 1 + 2 + 18 + 2
    assert len(of_kind(network, "ReLU")) == 1 + 2 + 9 + 2  # none behind a block's sum
    assert network.layers[-1].activation is keras.activations.tanh


def test_numbers_of_parameters():
    """Kernels 7*7*3*64 + 9*64*128 + 9*128*256 + 18*9*256*256 + 9*256*128 + 9*128*64 + 7*7*64*3,
    and a scale and an offset for each of 64 + 128 + 256 + 18*256 + 128 + 64 channels, and 3."""
    kernel = 2 * (9408 + 73_728 + 294_912) + 18 * 589_824
    assert build_resnet_generator((256, 256, 3)).count_params() == kernel + 2 * 5248 + 3
    # With a bias for each of those channels instead: the 11.378 M of the authors' network.
    assert build_resnet_generator((256, 256, 3), normalization=None).count_params() == 11_378_179

    authors = build_resnet_generator((256, 256, 3), affine=False, symmetric=True)
    assert authors.count_params() == 11_378_179
    assert authors.output_shape == (None, 256, 256, 3)


def test_padding_of_the_authors():
    """PyTorch's: a 3 x 3 kernel reads 2 i - 1 + k, and writes there where the size doubles."""
    network = generator((8, 12, 1), width=1, affine=False, symmetric=True, seed=2)
    x = np.random.default_rng(0).normal(size=(1, 8, 12, 1)).astype("float32")
    halving = next(c for c in of_kind(network, "Conv2D") if c.strides == (2, 2))
    doubling = of_kind(network, "Conv2DTranspose")[0]
    kernel = np.array(halving.kernel)[:, :, 0, 0]
    padded = np.pad(x[0, :, :, 0], 1)
    expected = [
        [(padded[2 * i : 2 * i + 3, 2 * j : 2 * j + 3] * kernel).sum() for j in range(6)]
        for i in range(4)
    ]
    pad = of_kind(network, "ZeroPadding2D")[0]
    found = tf.nn.conv2d(pad(x), halving.kernel[:, :, :, :1], 2, "VALID")
    assert halving.padding == "valid"
    np.testing.assert_allclose(found[0, :, :, 0], expected, atol=1e-5)

    kernel = np.array(doubling.kernel)  # (3, 3, 2, 4)
    maps = np.random.default_rng(1).normal(size=(1, 2, 3, 4)).astype("float32")
    expected = np.zeros((1 + 4 + 1, 1 + 6 + 1, 2))
    for i, j, k, m in np.ndindex(2, 3, 3, 3):
        expected[2 * i + k, 2 * j + m] += kernel[k, m] @ maps[0, i, j]  # shifted by 1
    cropped = of_kind(network, "Cropping2D")[0](doubling(maps))
    np.testing.assert_allclose(cropped[0], expected[1:5, 1:7], atol=1e-5)
    normalization = of_kind(network, "GroupNormalization")[0]
    assert not normalization.scale and not normalization.center


@pytest.mark.parametrize("name", ["affine", "symmetric"])
def test_flags(name):
    with pytest.raises(ValueError, match=f"`{name}` must be True or False. Received: 1"):
        generator(**{name: 1})


@pytest.mark.parametrize(
    ("shape", "blocks"),
    [((64, 64, 3), 6), ((128, 128, 3), 6), ((132, 8, 3), 9), ((256, 256, 3), 9)],
)
def test_blocks_by_size(shape, blocks):
    network = build_resnet_generator(shape, width=1)
    assert len(of_kind(network, "Add")) == blocks


def test_pictures():
    network = generator((8, 12, 3), channels=1)
    assert network.output_shape == (None, 8, 12, 1)
    made = network(pictures(network)).numpy()
    assert made.shape == (2, 8, 12, 1) and made.dtype == np.float32
    network.set_weights([1e3 * w for w in network.get_weights()])
    made = network(pictures(network)).numpy()
    assert np.abs(made).max() == pytest.approx(1) and np.abs(made).max() <= 1


@pytest.mark.parametrize("jit_compile", [None, True], ids=["eager", "XLA"])
def test_instance_normalization(jit_compile):
    """Each channel of each picture by itself: mean 0 and variance 1, then scale and offset."""
    network = generator()
    layer = of_kind(network, "GroupNormalization")[0]
    x = np.random.default_rng(1).normal(3, 2, (2, 4, 5, 2)).astype("float32")
    scale, offset = np.array([2.0, 0.5]), np.array([-1.0, 3.0])
    layer.gamma.assign(scale), layer.beta.assign(offset)
    mean, variance = x.mean((1, 2), keepdims=True), x.var((1, 2), keepdims=True)
    expected = (x - mean) / np.sqrt(variance + 1e-5) * scale + offset
    y = (tf.function(layer, jit_compile=True) if jit_compile else layer)(x)
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-5)


def test_pictures_of_a_batch_do_not_touch_each_other():
    network = generator(seed=0)
    network.set_weights([10 * w for w in network.get_weights()])
    x = pictures(network, 3)
    together = network(x, training=True).numpy()
    alone = np.concatenate([network(row[None], training=True) for row in x])
    np.testing.assert_allclose(together, alone, atol=1e-3)
    assert np.abs(together[0] - together[1]).max() > 0.1


def test_block_is_a_residual():
    """A block whose second scale is 0 passes its input on."""
    network = generator(seed=0)
    (add,), padding = of_kind(network, "Add"), of_kind(network, "ReflectionPadding2D")[1]
    of_kind(network, "GroupNormalization")[4].gamma.assign([0.0] * 8)
    x = pictures(network)
    before, after = keras.Model(network.inputs, [padding.input, add.output])([x])
    assert before.shape == (2, 2, 3, 8) and np.abs(before).max() > 0.1
    np.testing.assert_array_equal(before, after)


def test_initial_weights_are_normal():
    """N(0, 0.02), each to 5 standard errors; scales 1, offsets and biases 0."""
    network = generator(width=16, seed=1)
    for kernel in kernels(network):
        assert kernel.std() == pytest.approx(0.02, rel=5 / np.sqrt(2 * kernel.size))
        assert kernel.mean() == pytest.approx(0, abs=5 * 0.02 / np.sqrt(kernel.size))
    others = {"bias": 0, "beta": 0, "gamma": 1}
    for v in network.weights:
        assert v.name == "kernel" or (v.numpy() == others[v.name]).all()


def test_seeds():
    one, same, other, free = (generator(seed=seed) for seed in (7, 7, 8, None))
    for a, b in zip(one.get_weights(), same.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    for a, *others in zip(*map(kernels, (one, other, free)), strict=True):
        assert all((a != b).mean() > 0.99 for b in others)
    drawn = [k.ravel()[:20] for k in kernels(one)]
    assert len(np.unique(np.concatenate(drawn))) == 20 * len(drawn)  # no two layers alike


def test_gradients_reach_every_weight():
    network = generator(seed=0)
    with tf.GradientTape() as tape:
        made = network(pictures(network), training=True)
        loss = tf.reduce_sum(made * np.random.default_rng(1).normal(size=made.shape))
    for v, g in zip(
        network.trainable_weights, tape.gradient(loss, network.trainable_weights), strict=True
    ):
        assert g is not None and np.isfinite(g).all() and np.abs(g).max() > 0, v.path


def test_saved_network(tmp_path):
    network = generator(seed=3)
    network.save(tmp_path / "network.keras")
    loaded = keras.models.load_model(tmp_path / "network.keras")
    x = pictures(network)
    np.testing.assert_array_equal(loaded(x), network(x))
    assert loaded.name == network.name == "resnet_generator"


def test_half_precision():
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        network = generator()
    finally:
        keras.config.set_dtype_policy(policy)
    assert network.output.dtype == "float32"
    assert network.layers[2].compute_dtype == "float16"


@pytest.mark.parametrize("shape", [(30, 28, 1), (28, 28, 5), (28, 28), (4, 8, 1), None], ids=str)
def test_bad_shapes(shape):
    with pytest.raises(ValueError, match=r"`image_shape` must .*Received"):
        generator(shape)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("channels", [0, 5, 2.5, True]),
        ("width", [0, -1, 2.5, None]),
        ("num_blocks", [0, -1, 2.5, True]),
        ("normalization", ["spectral", False]),
        ("seed", [-1, 0.5]),
    ],
)
def test_bad_arguments(name, values):
    for value in values:
        with pytest.raises(ValueError, match=rf"`{name}` must .*Received"):
            generator(**{name: value})
