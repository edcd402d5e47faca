"""The residual networks: the paper's tables, plain arithmetic, initial weights, saving, errors."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans.models import WGANGP
from keras_gans.networks import build_residual_discriminator, build_residual_generator

# Sizes after each block. The generator's start at half the first; the critic's end with two equal.
SIZES = {
    (28, 28, 1): ([(14, 14), (28, 28)], [(14, 14), *[(7, 7)] * 3]),
    (32, 32, 3): ([(8, 8), (16, 16), (32, 32)], [(16, 16), *[(8, 8)] * 3]),
    (64, 64, 3): (
        [(8, 8), (16, 16), (32, 32), (64, 64)],
        [(32, 32), (16, 16), *[(8, 8)] * 3],
    ),
    (64, 32, 3): ([(16, 8), (32, 16), (64, 32)], [(32, 16), *[(16, 8)] * 3]),
    (12, 20, 4): ([(12, 20)], [(6, 10)] * 3),
    (4, 8, 2): ([(4, 8)], [(2, 4)] * 3),
}
NAMES = {"batch": "BatchNormalization", "layer": "GroupNormalization"}


def generator(shape=(8, 12, 3), latent_dim=5, width=4, **kwargs):
    return build_residual_generator(shape, latent_dim, width=width, **kwargs)


def discriminator(shape=(28, 32, 3), width=4, **kwargs):
    return build_residual_discriminator(shape, width=width, **kwargs)


BUILDERS = pytest.mark.parametrize("build", [generator, discriminator], ids=lambda f: f.__name__)


def inputs_of(network, num=3):
    shape = (num, *network.input_shape[1:])
    return np.random.default_rng(0).normal(0, 0.5, shape).astype("float32")


def of_kind(network, *names):
    return [layer for layer in network.layers if type(layer).__name__ in names]


def convolutions(network, size):
    return [
        layer
        for layer in of_kind(network, "Conv2D", "ResampledConv2D")
        if layer.kernel_size == (size, size)
    ]


def kernels(network):
    return [v.numpy() for v in network.weights if v.name == "kernel"]


@pytest.mark.parametrize("shape", SIZES, ids=str)
def test_shapes(shape):
    made, judged = generator(shape), discriminator(shape)
    assert made.input_shape == (None, 5) and judged.input_shape == (None, *shape)
    for network, sizes in zip((made, judged), SIZES[shape], strict=True):
        assert [add.output.shape[1:] for add in of_kind(network, "Add")] == [
            (*size, 4) for size in sizes
        ]
    (reshape,) = of_kind(made, "Reshape")
    assert [2 * side for side in reshape.output.shape[1:3]] == list(SIZES[shape][0][0])
    pictures = made(inputs_of(made)).numpy()
    assert pictures.shape == (3, *shape) and pictures.dtype == np.float32
    logits = judged(pictures).numpy()
    assert logits.shape == (3, 1) and logits.dtype == np.float32 and np.isfinite(logits).all()


@pytest.mark.parametrize(
    ("network", "trained", "others"),
    [
        # 128 to 4*4*128 with biases; three blocks of 2 * 9*128*128, 128*128 and two normalizations;
        # one more normalization; 9*128*3 + 3. Two moving statistics for each of seven.
        (
            lambda: build_residual_generator((32, 32, 3)),
            264_192 + 3 * (294_912 + 16_384 + 512) + 256 + 3459,
            7 * 256,
        ),
        # With three biases of 128 in each block instead.
        (
            lambda: build_residual_generator((32, 32, 3), normalization=None),
            264_192 + 3 * (294_912 + 16_384 + 384) + 3459,
            0,
        ),
        # Layer normalization takes away no channel's bias: both.
        (
            lambda: build_residual_generator((32, 32, 3), normalization="layer"),
            264_192 + 3 * (294_912 + 16_384 + 384 + 512) + 256 + 3459,
            0,
        ),
        # Scales and offsets of each class in the blocks, 2 * 2 * 10 * 128 for 512.
        (
            lambda: build_residual_generator((32, 32, 3), num_classes=10),
            264_192 + 3 * (294_912 + 16_384 + 5_120) + 256 + 3459,
            7 * 256,
        ),
        # 128 * 10 + 10 for the logits of classes.
        (lambda: build_residual_discriminator((32, 32, 3), class_logits=10), 1_053_825 + 1_290, 0),
        # From 3 maps, 9*3*128 + 128, 9*128*128 + 128, 3*128 + 128; from 128 maps, two convolutions
        # and a shortcut; twice two convolutions; 128 + 1.
        (
            lambda: build_residual_discriminator((32, 32, 3)),
            3584 + 147_584 + 512 + 2 * 147_584 + 16_512 + 4 * 147_584 + 129,
            0,
        ),
        # Two normalizations in each block but the first.
        (
            lambda: build_residual_discriminator((32, 32, 3), normalization="layer"),
            1_053_825 + 3 * 512,
            0,
        ),
    ],
)
def test_numbers_of_parameters(network, trained, others):
    network = network()
    assert sum(v.numpy().size for v in network.trainable_weights) == trained
    assert sum(v.numpy().size for v in network.non_trainable_weights) == others


def convolved(x, layer):
    y = tf.nn.conv2d(x, layer.kernel, 1, "SAME")
    return y if layer.bias is None else y + layer.bias


def doubled(x):
    return tf.repeat(tf.repeat(x, 2, axis=1), 2, axis=2)


def halved(x):
    return (x[:, ::2, ::2] + x[:, 1::2, ::2] + x[:, ::2, 1::2] + x[:, 1::2, 1::2]) / 4


def activations(network, normalization):
    """Function of maps: the network's next normalization in plain TensorFlow, and ReLU."""
    remaining = iter(of_kind(network, NAMES[normalization]) if normalization else ())

    def activated(x):
        if normalization:
            layer = next(remaining)
            axes = [0, 1, 2] if normalization == "batch" else [1, 2, 3]
            mean, variance = tf.nn.moments(x, axes, keepdims=True)
            x = (x - mean) / tf.sqrt(variance + 1e-5) * layer.gamma + layer.beta
        return tf.nn.relu(x)

    return activated, remaining


def shaken(network):
    """Random biases, scales and offsets, which are all alike in a new network."""
    rng = np.random.default_rng(3)
    for v in network.trainable_weights:
        if v.name != "kernel":
            v.assign(v.numpy() + rng.normal(0, 0.3, v.shape))
    return network


@pytest.mark.parametrize("normalization", ["batch", "layer", None])
def test_generator_by_plain_operations(normalization):
    """The paper's order, with the shortcut's convolution on the doubled maps."""
    network = shaken(generator((16, 24, 3), normalization=normalization, seed=1))
    activated, remaining = activations(network, normalization)
    large, small = iter(convolutions(network, 3)), iter(convolutions(network, 1))
    latents = inputs_of(network)
    (dense,) = of_kind(network, "Dense")
    x = tf.reshape(latents @ dense.kernel + dense.bias, (3, 4, 6, 4))
    for _ in range(2):  # 4 x 6 to 16 x 24
        y = convolved(doubled(activated(x)), next(large))
        y = convolved(activated(y), next(large))
        x = convolved(doubled(x), next(small)) + y
    expected = tf.tanh(convolved(activated(x), next(large)))
    assert not [*large, *small, *remaining]  # all used
    np.testing.assert_allclose(network(latents, training=True), expected, atol=1e-5)
    assert np.std(expected) > 0.1


def test_a_class_has_its_own_scales_and_offsets():
    """With one label for all, the network is the one whose normalization has those of the class."""
    network, plain = generator(num_classes=3, seed=1), generator(seed=1)
    rng, normalizations = np.random.default_rng(0), of_kind(plain, "BatchNormalization")
    by_class = [dense for dense in of_kind(network, "Dense") if not dense.use_bias]
    by_class.sort(key=lambda dense: int(dense.name.rpartition("_")[2]))  # as they were made
    assert len(by_class) == 2 * (len(normalizations) - 1)
    for k, dense in enumerate(by_class):
        assert (dense.kernel.numpy() == 1 - k % 2).all()  # scales, then offsets
        values = rng.normal(size=(3, 4))
        dense.kernel.assign(values)
        layer = normalizations[k // 2]
        (layer.beta if k % 2 else layer.gamma).assign(values[1])
    latents = inputs_of(plain)
    expected = plain(latents, training=True)
    ones, twos = np.ones(3, "int32"), np.full(3, 2, "int32")
    np.testing.assert_allclose(network([latents, ones], training=True), expected, atol=1e-5)
    assert np.abs(network([latents, twos], training=True) - expected).max() > 0.01


@pytest.mark.parametrize("normalization", ["layer", None])
def test_discriminator_by_plain_operations(normalization):
    """The authors' order: the mean of the large maps' convolution, but for the first block's."""
    network = shaken(discriminator((32, 28, 3), normalization=normalization, seed=1))
    activated, remaining = activations(network, normalization)
    large, small = iter(convolutions(network, 3)), iter(convolutions(network, 1))
    pictures = inputs_of(network)
    y = convolved(tf.nn.relu(convolved(pictures, next(large))), next(large))
    x = convolved(halved(pictures), next(small)) + halved(y)
    for halves in (True, False, False):  # 16 x 14 to 8 x 7
        y = convolved(activated(x), next(large))
        y = convolved(activated(y), next(large))
        x = halved(convolved(x, next(small))) + halved(y) if halves else x + y
    (head,) = of_kind(network, "Dense")
    expected = tf.reduce_mean(tf.nn.relu(x), [1, 2]) @ head.kernel + head.bias
    assert not [*large, *small, *remaining]  # all used
    np.testing.assert_allclose(network(pictures, training=True), expected, rtol=1e-4, atol=1e-5)
    assert np.std(expected) > 0.01


@BUILDERS
def test_shortcuts_are_convolved_on_small_maps(build):
    """A quarter of the work: each 1 x 1 convolution is at the smaller size of its block."""
    network = build((32, 32, 3))
    sizes = [layer.output.shape[1] for layer in convolutions(network, 1)]
    assert sizes == ([4, 8, 16] if build is generator else [16, 8])


@BUILDERS
def test_initial_weights(build):
    """Uniform; variance 4 / (fan-in + fan-out) of 3 x 3 convolutions in blocks, else half of it."""
    network = build((32, 32, 3), width=32, seed=1)
    for layer in network.layers:
        if not hasattr(layer, "kernel"):
            continue
        kernel = layer.kernel.numpy()
        fans = kernel[..., 0, 0].size if kernel.ndim == 4 else 1
        fans *= sum(kernel.shape[-2:])
        he = kernel.shape[:2] == (3, 3) and layer.name != "pictures"
        deviation = np.sqrt((4 if he else 2) / fans)
        # The squares of a uniform variable vary by 0.9 of their mean.
        assert kernel.std() == pytest.approx(deviation, rel=5 * 0.45 / np.sqrt(kernel.size))
        assert kernel.mean() == pytest.approx(0, abs=5 * deviation / np.sqrt(kernel.size))
        assert np.abs(kernel).max() <= 1.0001 * np.sqrt(3) * deviation
    others = {"bias": 0, "beta": 0, "gamma": 1, "moving_mean": 0, "moving_variance": 1}
    for v in network.weights:
        assert v.name == "kernel" or (v.numpy() == others[v.name]).all()


@BUILDERS
def test_seeds(build):
    one, same, other, free = (build(seed=seed) for seed in (7, 7, 8, None))
    for a, b in zip(one.get_weights(), same.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    for a, *others in zip(*map(kernels, (one, other, free)), strict=True):
        assert all((a != b).mean() > 0.99 for b in others)
    drawn = [k.ravel()[:4] for k in kernels(one)]
    assert len(np.unique(np.concatenate(drawn))) == 4 * len(drawn)  # no two layers alike


@BUILDERS
@pytest.mark.parametrize("normalization", ["batch", "layer", "instance", None])
def test_gradients_reach_every_weight(build, normalization):
    """No weight is there for nothing, such as a bias that a normalization takes away."""
    network = shaken(build((16, 16, 3), normalization=normalization, seed=0))
    with tf.GradientTape() as tape:
        outputs = network(inputs_of(network), training=True)
        loss = tf.reduce_sum(outputs * np.random.default_rng(1).normal(size=outputs.shape))
    variables = network.trainable_weights
    for v, g in zip(variables, tape.gradient(loss, variables), strict=True):
        assert g is not None and np.isfinite(g).all() and np.abs(g).max() > 1e-4, v.path


@BUILDERS
def test_saved_network(build, tmp_path):
    network = build(seed=3)
    network.save(tmp_path / "network.keras")
    loaded = keras.models.load_model(tmp_path / "network.keras")
    x = inputs_of(network)
    np.testing.assert_array_equal(loaded(x), network(x))
    assert loaded.name == network.name == f"residual_{build.__name__}"


@BUILDERS
def test_half_precision(build):
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        network = build()
    finally:
        keras.config.set_dtype_policy(policy)
    assert network.output.dtype == "float32"
    assert network.layers[-1].name == ("pictures" if build is generator else "logits")
    assert all(layer.compute_dtype == "float16" for layer in of_kind(network, "Add"))


def test_wgan_gp_trains():
    """One step: the penalty differentiates the critic twice, pooling and shortcuts included."""
    shape = (8, 8, 3)
    critic = discriminator(shape, width=2, seed=0)
    model = WGANGP(generator(shape, width=2, seed=0), critic, n_critic=1, seed=0)
    before = {v.path: v.numpy() for v in model.trainable_variables}
    reals = np.random.default_rng(0).uniform(-1, 1, (4, *shape)).astype("float32")
    history = model.fit(tf.data.Dataset.from_tensors(reals), verbose=0).history
    assert set(history) >= {"critic_loss", "generator_loss", "gradient_penalty"}
    assert np.isfinite([*history.values()]).all()
    # The logit's bias is not in the critic's loss, a difference of two means.
    same = [v.path for v in model.trainable_variables if (before[v.path] == v.numpy()).all()]
    assert len(before) == len(model.trainable_variables)
    assert set(same) <= {critic.get_layer("logits").bias.path}


@BUILDERS
@pytest.mark.parametrize("shape", [(30, 28, 1), (28, 28, 5), (28, 28), (2, 4, 1), None], ids=str)
def test_bad_shapes(build, shape):
    with pytest.raises(ValueError, match=r"`image_shape` must .*Received"):
        build(shape)


@BUILDERS
@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("width", [0, -1, 2.5, True, None]),
        ("normalization", ["weight", "Batch", False]),
        ("seed", [-1, 0.5, "0"]),
    ],
)
def test_bad_arguments(build, name, values):
    for value in values:
        with pytest.raises(ValueError, match=rf"`{name}` must .*Received"):
            build(**{name: value})


@pytest.mark.parametrize("value", [0, -1, 2.5, True, None])
def test_bad_latent_dim(value):
    with pytest.raises(ValueError, match=r"`latent_dim` must .*Received"):
        generator(latent_dim=value)
