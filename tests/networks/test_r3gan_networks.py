"""R3GAN's networks: the authors' sizes, plain arithmetic, initial weights, saving, errors."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans.networks import build_r3gan_discriminator, build_r3gan_generator

# Sizes of the maps of each stage, and their channels where the width is 24.
STAGES = {
    (28, 28, 1): ([(7, 7), (14, 14), (28, 28)], [24] * 3),
    (32, 32, 3): ([(4, 4), (8, 8), (16, 16), (32, 32)], [24] * 4),
    (64, 32, 4): ([(8, 4), (16, 8), (32, 16), (64, 32)], [24] * 4),
    (128, 128, 3): ([(n, n) for n in (4, 8, 16, 32, 64, 128)], [24] * 4 + [8, 8]),
    (4, 8, 2): ([(2, 4), (4, 8)], [24] * 2),
}


def generator(shape=(8, 12, 3), latent_dim=5, width=16, **kwargs):
    return build_r3gan_generator(shape, latent_dim, width=width, **kwargs)


def discriminator(shape=(8, 12, 3), width=16, **kwargs):
    return build_r3gan_discriminator(shape, width=width, **kwargs)


BUILDERS = pytest.mark.parametrize("build", [generator, discriminator], ids=lambda f: f.__name__)


def inputs_of(network, num=3):
    shape = (num, *network.input_shape[1:])
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def of_kind(network, *names):
    return [layer for layer in network.layers if type(layer).__name__ in names]


def shaken(network):
    """Random biases and last convolutions, which are zeros in a new network."""
    rng = np.random.default_rng(3)
    for v in network.trainable_weights:
        if not v.numpy().any():
            v.assign(rng.normal(0, 0.3, v.shape))
    return network


@pytest.mark.parametrize("shape", STAGES, ids=str)
def test_shapes(shape):
    made, judged = generator(shape, width=24), discriminator(shape, width=24)
    sizes, widths = STAGES[shape]
    stages = [(*size, width) for size, width in zip(sizes, widths, strict=True)]
    for network, order in ((made, stages), (judged, stages[::-1])):
        blocks = [add.output.shape[1:] for add in of_kind(network, "Add")]
        assert blocks == [stage for stage in order for _ in range(2)]
    pictures = made(inputs_of(made)).numpy()
    assert pictures.shape == (3, *shape) and pictures.dtype == np.float32
    logits = judged(pictures).numpy()
    assert logits.shape == (3, 1) and logits.dtype == np.float32 and np.isfinite(logits).all()


# A block of 768 channels: 1 x 1 to 1536 and back, 9 times 16 for each of 1536, two biases.
BLOCK = 2 * 768 * 1536 + 9 * 16 * 1536 + 2 * 1536
# Those of 384, 192 and 96, and the convolutions between the widths.
SMALLER = sum(4 * n * n + 9 * 16 * 2 * n + 4 * n for n in (384, 192, 96))
BETWEEN = 768 * 384 + 384 * 192 + 192 * 96


@pytest.mark.parametrize(
    ("build", "shape", "number"),
    [
        # 64 latents to 768 times 4 x 4 maps, four stages of two blocks, and three colours.
        (build_r3gan_generator, (32, 32, 3), 64 * 768 + 16 * 768 + 8 * BLOCK + 768 * 3),
        (build_r3gan_discriminator, (32, 32, 3), 3 * 768 + 8 * BLOCK + 16 * 768 + 768),
        # Seven stages: the authors' networks for FFHQ-256, of 23.058 and 23.010 millions.
        (build_r3gan_generator, (256, 256, 3), 23_057_952),
        (build_r3gan_discriminator, (256, 256, 3), 23_009_568),
    ],
)
def test_numbers_of_parameters(build, shape, number):
    assert build(shape).count_params() == number


def test_the_large_numbers_by_hand():
    rest = 8 * BLOCK + 2 * SMALLER + BETWEEN
    assert 64 * 768 + 16 * 768 + rest + 96 * 3 == 23_057_952
    assert 3 * 96 + rest + 16 * 768 + 768 == 23_009_568


# Plain operations


def convolved(x, kernel, bias=0.0):
    return tf.nn.conv2d(x, kernel, 1, "SAME") + bias


def smoothed(x):
    """[1, 2, 1] / 4 along both sides, of each channel."""
    kernel = np.outer([1, 2, 1], [1, 2, 1]).astype("float32")[:, :, None, None] / 16
    return tf.concat([convolved(part, kernel) for part in tf.split(x, x.shape[-1], -1)], -1)


def doubled(x):
    return smoothed(tf.repeat(tf.repeat(x, 2, axis=1), 2, axis=2))


def halved(x):
    x = smoothed(x)
    return (x[:, ::2, ::2] + x[:, 1::2, ::2] + x[:, ::2, 1::2] + x[:, 1::2, 1::2]) / 4


def leaky(x):
    return tf.maximum(x, 0.2 * x)


def block(x, weights):
    expand, bias, grouped, second_bias, contract = (next(weights) for _ in range(5))
    assert expand.shape[-1] == 2 * x.shape[-1] and grouped.shape[2] == 16
    y = leaky(convolved(x, expand, bias))
    groups = [slice(n, n + 16) for n in range(0, y.shape[-1], 16)]
    parts = [convolved(y[..., group], grouped[..., group]) for group in groups]
    return x + convolved(leaky(tf.concat(parts, -1) + second_bias), contract)


@pytest.mark.parametrize("blocks", [1, 2])
def test_generator_by_plain_operations(blocks):
    """Five stages, the last of which is narrower; 4 x 6 to 64 x 96."""
    network = shaken(generator((64, 96, 3), blocks=blocks, seed=1))
    weights, latents = map(np.array, network.weights), inputs_of(network)
    weights = iter(list(weights))
    vector = latents @ next(weights)
    x = next(weights) * tf.reshape(vector, (3, 1, 1, 16))
    for stage in range(5):
        if stage == 4:
            x = convolved(x, next(weights))
        x = doubled(x) if stage else x
        for _ in range(blocks):
            x = block(x, weights)
    expected = convolved(x, next(weights))
    assert not [*weights]  # all used
    found = network(latents, training=True)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4 * np.std(expected))
    np.testing.assert_allclose(network(latents), found, rtol=1e-3, atol=1e-4 * np.std(expected))


@pytest.mark.parametrize("blocks", [1, 2])
def test_discriminator_by_plain_operations(blocks):
    network = shaken(discriminator((64, 96, 3), blocks=blocks, seed=1))
    weights, pictures = iter([np.array(v) for v in network.weights]), inputs_of(network)
    x = convolved(pictures, next(weights))
    for stage in reversed(range(5)):
        for _ in range(blocks):
            x = block(x, weights)
        x = halved(x) if stage else x
        if stage == 4:
            x = convolved(x, next(weights))
    basis = next(weights)
    assert basis.shape == (4, 6, 16, 1)
    expected = tf.reduce_sum(x * basis[..., 0], [1, 2]) @ next(weights)
    assert not [*weights]  # all used
    found = network(pictures, training=True)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4 * np.std(expected))


# Initial weights


@BUILDERS
@pytest.mark.parametrize("blocks", [1, 3])
def test_initial_weights(build, blocks):
    """N(0, 1 / fan-in), times the gain in a block; its last convolution and biases are zeros."""
    network = build((16, 16, 3), width=32, blocks=blocks, seed=1)
    gain = math.sqrt(2 / 1.04) * (3 * blocks) ** -0.25
    fans = {"conv2d": [], "grouped": []}
    for layer in network.layers:
        kind = type(layer).__name__
        if kind == "Basis2D":
            values, deviation = layer.basis.numpy(), 1.0
        elif kind == "DepthwiseConv2D":
            values, deviation = layer.kernel.numpy(), 1 / 4  # 4 x 4 places of one channel
        elif hasattr(layer, "kernel"):
            values = layer.kernel.numpy()
            deviation = 1 / math.sqrt(values[..., 0].size)
            if layer.use_bias:  # where an activation follows
                deviation *= gain
                assert not layer.bias.numpy().any()
                fans["grouped" if kind == "GroupedConv2D" else "conv2d"].append(values[..., 0].size)
            elif values.shape[-2:] == (64, 32):
                assert not values.any()
                continue
        else:
            continue
        spread = 5 / math.sqrt(2 * values.size)
        assert values.std() == pytest.approx(deviation, rel=spread), layer.name
        assert abs(values.mean()) < 5 * deviation / math.sqrt(values.size)
        assert values.size < 500 or np.abs(values).max() > 2.5 * deviation  # not truncated
    assert fans == {"conv2d": [32] * 3 * blocks, "grouped": [9 * 16] * 3 * blocks}


def spread_of_white_noise(count, down=False):
    """Mean square of white noise of variance 1 on 4 places (or 4 * 2^count) after resamplings.

    Of one side; of both it is the square.
    """
    matrix = np.eye(4)
    for _ in range(count):
        n = len(matrix)
        up = np.zeros((2 * n, n))
        for i in range(n):
            for place, share in ((2 * i - 1, 0.25), (2 * i, 0.75), (2 * i + 1, 0.75)):
                if place >= 0:
                    up[place, i] += share
            if 2 * i + 2 < 2 * n:
                up[2 * i + 2, i] += 0.25
        matrix = up @ matrix
    if down:  # the transpose, halved each time
        matrix = matrix.T / 2**count
    return np.square(matrix).sum(1).mean()


def test_a_new_generator_is_linear_and_of_the_right_size():
    """1 at 4 x 4, less by the smoothing alone: about 0.5 at 32 x 32."""
    network = generator((32, 32, 3), latent_dim=64, width=64, seed=0)
    z = inputs_of(network, 64)
    pictures = network(z).numpy()
    np.testing.assert_allclose(
        network(z[:1] - 2 * z[1:2]), pictures[:1] - 2 * pictures[1:2], atol=1e-5
    )
    expected = spread_of_white_noise(3)
    assert 0.4 < expected < 0.7
    assert np.sqrt(np.square(pictures).mean()) == pytest.approx(expected, rel=0.15)


def test_a_new_discriminator_is_linear_and_of_the_right_size():
    network = discriminator((32, 32, 3), width=64, seed=0)
    x = inputs_of(network, 64)
    logits = network(x).numpy()
    np.testing.assert_allclose(network(x[:1] - 2 * x[1:2]), logits[:1] - 2 * logits[1:2], atol=1e-4)
    # 48 numbers, products of three random ones each, weigh the last maps.
    expected = spread_of_white_noise(3, down=True)
    assert np.sqrt(np.square(logits).mean()) == pytest.approx(expected, rel=0.4)


@BUILDERS
def test_seeds(build):
    one, same, other, free = (build(seed=seed) for seed in (7, 7, 8, None))
    for a, b in zip(one.get_weights(), same.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    drawn = [k for k in one.get_weights() if k.any()]
    for network in (other, free):
        again = [k for k in network.get_weights() if k.any()]
        assert all((a != b).mean() > 0.99 for a, b in zip(drawn, again, strict=True))
    firsts = np.concatenate([k.ravel()[:4] for k in drawn])
    assert len(np.unique(firsts)) == len(firsts)  # no two layers alike


@BUILDERS
def test_gradients_reach_every_weight(build):
    network = shaken(build((16, 16, 3), seed=0))
    with tf.GradientTape() as tape:
        outputs = network(inputs_of(network), training=True)
        loss = tf.reduce_sum(outputs * np.random.default_rng(1).normal(size=outputs.shape))
    variables = network.trainable_weights
    for v, g in zip(variables, tape.gradient(loss, variables), strict=True):
        assert g is not None and np.isfinite(g).all() and np.abs(g).max() > 1e-4, v.path


@BUILDERS
def test_saved_network(build, tmp_path):
    network = shaken(build(seed=3))
    network.save(tmp_path / "network.keras")
    loaded = keras.models.load_model(tmp_path / "network.keras")
    x = inputs_of(network)
    np.testing.assert_array_equal(loaded(x), network(x))
    assert loaded.name == network.name == f"r3gan_{build.__name__}"


@BUILDERS
@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision(build, policy):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        network = build(seed=1)
    finally:
        keras.config.set_dtype_policy(before)
    assert network.layers[-1].name == ("pictures" if build is generator else "logits")
    half = {layer.compute_dtype for layer in network.layers[1:-1]}
    assert half == {policy.removeprefix("mixed_")}
    outputs = network(inputs_of(network)).numpy()
    exact = build(seed=1)(inputs_of(network)).numpy()
    assert outputs.dtype == "float32"
    np.testing.assert_allclose(outputs, exact, atol=0.05 * exact.std())


# What is refused


@BUILDERS
@pytest.mark.parametrize("shape", [(30, 28, 1), (28, 28, 5), (28, 28), (2, 4, 1), None], ids=str)
def test_bad_shapes(build, shape):
    with pytest.raises(ValueError, match=r"`image_shape` must .*Received"):
        build(shape)


@BUILDERS
@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("width", [0, -8, 2.5, True, None, 20, 4]),
        ("blocks", [0, -1, 2.5, True, None]),
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
