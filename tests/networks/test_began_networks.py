"""The BEGAN builders: shapes, the paper's layers, initial weights, saving, errors."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans.networks import build_began_discriminator, build_began_generator

# The smallest maps: 8 x 8 in the paper, or the smallest of at least 7 after one halving
SMALLEST = {
    (28, 28, 1): (7, 7),
    (32, 32, 3): (8, 8),
    (64, 64, 3): (8, 8),
    (64, 32, 3): (16, 8),
    (16, 24, 3): (8, 12),
    (4, 8, 2): (2, 4),
}
SHAPES = pytest.mark.parametrize("shape", SMALLEST, ids=str)


def generator(shape=(16, 24, 3), latent_dim=5, width=2, **kwargs):
    return build_began_generator(shape, latent_dim, width=width, **kwargs)


def discriminator(shape=(16, 24, 3), hidden_dim=5, width=2, **kwargs):
    return build_began_discriminator(shape, hidden_dim, width=width, **kwargs)


BUILDERS = pytest.mark.parametrize("build", [generator, discriminator], ids=lambda f: f.__name__)


def inputs_of(network, num=3):
    shape = (num, *network.input_shape[1:])
    return np.random.default_rng(0).uniform(-1, 1, shape).astype("float32")


def of_type(network, *names):
    return [layer for layer in network.layers if type(layer).__name__ in names]


def kernel_shapes(network):
    return [v.shape for v in network.weights if v.name == "kernel"]


@SHAPES
def test_shapes(shape):
    made, judged = generator(shape), discriminator(shape)
    assert made.input_shape == (None, 5)
    assert made.output_shape == judged.output_shape == judged.input_shape == (None, *shape)
    (reshape,), (flatten,) = of_type(made, "Reshape"), of_type(judged, "Flatten")
    assert reshape.output.shape[1:3] == flatten.input.shape[1:3] == SMALLEST[shape]
    for network in (made, judged):
        outputs = network(inputs_of(network)).numpy()
        assert outputs.shape == (3, *shape)
        assert outputs.dtype == np.float32 and np.isfinite(outputs).all()


def test_generator_layers():
    """Of 32 x 32, with n = 2: 8 x 8 x 2 after the dense layer, then pairs of n filters at three
    sizes. The skip connections bring n more maps to the first of a pair."""
    kernels = kernel_shapes(generator((32, 32, 3)))
    first, pair = (3, 3, 4, 2), (3, 3, 2, 2)
    assert kernels == [(5, 128), pair, pair, first, pair, first, pair, (3, 3, 2, 3)]
    plain = kernel_shapes(generator((32, 32, 3), skip_connections=False, repeats=3))
    assert plain == [(5, 128), *[pair] * 9, (3, 3, 2, 3)]


def test_encoder_layers():
    """One of n filters, pairs of n, 2n and 3n, and one with stride 2 after all but the last."""
    network = discriminator((32, 32, 3))
    encoder, decoder = of_type(network, "Conv2D")[:9], of_type(network, "Conv2D")[9:]
    assert [layer.filters for layer in encoder] == [2, 2, 2, 2, 4, 4, 4, 6, 6]
    assert [layer.strides[0] for layer in encoder] == [1, 1, 1, 2, 1, 1, 2, 1, 1]
    assert [layer.output.shape[1] for layer in encoder] == [32] * 3 + [16] * 3 + [8] * 3
    assert {layer.strides for layer in decoder} == {(1, 1)}
    (hidden,) = [layer for layer in network.layers if layer.name == "hidden_state"]
    assert hidden.kernel.shape == (8 * 8 * 6, 5)
    # What follows the hidden state is the generator's architecture.
    assert kernel_shapes(network)[10:] == kernel_shapes(generator((32, 32, 3)))


@BUILDERS
def test_activations(build):
    """ELU at every convolution but the last; dense layers and outputs are linear."""
    network = build()
    *hidden, last = of_type(network, "Conv2D", "ResampledConv2D")
    assert {layer.activation for layer in hidden} == {keras.activations.elu}
    linear = [last, *of_type(network, "Dense")]
    assert {layer.activation for layer in linear} == {keras.activations.linear}
    shaping = {"InputLayer", "Flatten", "Reshape", "UpSampling2D", "Concatenate"}
    found = {type(layer).__name__ for layer in network.layers}
    assert found - shaping == {"Conv2D", "ResampledConv2D", "Dense"}  # no normalization


@BUILDERS
def test_outputs_are_unbounded(build):
    """No tanh: the last layer is affine, whatever its scale."""
    network = build(seed=0)
    x = inputs_of(network)
    pictures = network(x).numpy()
    head = network.layers[-1]
    head.kernel.assign(1e4 * head.kernel)
    head.bias.assign([5.0] * 3)
    np.testing.assert_allclose(network(x), 1e4 * pictures + 5, rtol=1e-3, atol=1e-2)
    assert np.abs(network(x)).max() > 100


def test_skip_connections():
    """Before the convolution that doubles: the maps so far and the first maps, as large."""
    network = generator((32, 32, 3))
    (first,), joined = of_type(network, "Reshape"), of_type(network, "Concatenate")
    last_of_pair = [of_type(network, "Conv2D", "ResampledConv2D")[k] for k in (1, 3)]
    outputs = [first.output, *(layer.output for layer in [*joined, *last_of_pair])]
    first, *rest = (np.array(v) for v in keras.Model(network.input, outputs)(inputs_of(network)))
    for level, (join, before) in enumerate(zip(rest[:2], rest[2:], strict=True), start=1):
        np.testing.assert_array_equal(join[..., :2], before)
        repeated = np.kron(first, np.ones((1, 2 ** (level - 1), 2 ** (level - 1), 1)))
        np.testing.assert_array_equal(join[..., 2:], repeated)
    assert not of_type(generator(skip_connections=False), "Concatenate")


@BUILDERS
def test_examples_are_judged_alone(build):
    network = build()
    x = inputs_of(network)
    np.testing.assert_allclose(
        network(x, training=True)[:1], network(x[:1], training=True), rtol=1e-4, atol=1e-6
    )


@BUILDERS
def test_seeds(build):
    one, same, other, free = (build(seed=seed) for seed in (7, 7, 8, None))
    for a, b in zip(one.get_weights(), same.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    kernels = [[np.array(v) for v in n.weights if v.name == "kernel"] for n in (one, other, free)]
    for a, *others in zip(*kernels, strict=True):
        assert all((a != b).mean() > 0.99 for b in others)
    drawn = [k.ravel()[:30] for k in kernels[0]]  # no two layers begin with the same numbers
    for k, a in enumerate(drawn):
        assert not any(np.intersect1d(a, b).size for b in drawn[:k])


@BUILDERS
def test_saved_network(build, tmp_path):
    network = build(seed=3)
    network.save(tmp_path / "network.keras")
    loaded = keras.models.load_model(tmp_path / "network.keras")
    np.testing.assert_array_equal(loaded(inputs_of(network)), network(inputs_of(network)))
    assert loaded.name == network.name == f"began_{build.__name__}"


@BUILDERS
def test_outputs_are_float32_in_half_precision(build):
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        network = build()
    finally:
        keras.config.set_dtype_policy(policy)
    assert network.output.dtype == "float32"
    assert any(layer.compute_dtype == "float16" for layer in network.layers)


@BUILDERS
def test_gradients_reach_every_weight(build):
    network = build(seed=0)
    with tf.GradientTape() as tape:
        outputs = network(inputs_of(network), training=True)
        loss = tf.reduce_sum(outputs * np.random.default_rng(1).normal(size=outputs.shape))
    for v, g in zip(
        network.trainable_weights, tape.gradient(loss, network.trainable_weights), strict=True
    ):
        assert g is not None and np.isfinite(g).all() and np.abs(g).max() > 0, v.path


@BUILDERS
@pytest.mark.parametrize("shape", [(30, 28, 1), (28, 28, 5), (28, 28), (2,), None], ids=str)
def test_bad_shapes(build, shape):
    with pytest.raises(ValueError, match=r"`image_shape` must be \(H, W, C\).*Received"):
        build(shape)


@BUILDERS
@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("width", [0, 2.5, True, None]),
        ("repeats", [0, 2.5, True, None]),
        ("skip_connections", [1, None, "yes"]),
        ("seed", [-1, 0.5, True]),
    ],
)
def test_bad_arguments(build, name, values):
    for value in values:
        with pytest.raises(ValueError, match=rf"`{name}` must be.*Received"):
            build(**{name: value})


@pytest.mark.parametrize("value", [0, -1, 2.5, True, None])
def test_bad_lengths(value):
    with pytest.raises(ValueError, match=r"`latent_dim` must be.*Received"):
        generator(latent_dim=value)
    with pytest.raises(ValueError, match=r"`hidden_dim` must be.*Received"):
        discriminator(hidden_dim=value)
