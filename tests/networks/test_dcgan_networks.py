"""The DCGAN builders: shapes, the paper's rules, initial weights, labels, saving, errors."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans.networks import build_dcgan_discriminator, build_dcgan_generator

# The smallest maps of each, by halving while both sides are even and at least 4 remains
SMALLEST = {
    (28, 28, 1): (7, 7),
    (32, 32, 3): (4, 4),
    (64, 64, 3): (4, 4),
    (64, 32, 3): (8, 4),
    (12, 20, 4): (6, 10),
    (4, 4, 2): (2, 2),
    (100, 60, 1): (25, 15),
}
SHAPES = pytest.mark.parametrize("shape", SMALLEST, ids=str)
NORMALIZED = {
    "batch": "BatchNormalization",
    "layer": "GroupNormalization",
    "instance": "GroupNormalization",
    None: "Identity",
}


def generator(shape=(16, 16, 3), latent_dim=5, width=2, **kwargs):
    return build_dcgan_generator(shape, latent_dim, width=width, **kwargs)


def discriminator(shape=(16, 16, 3), width=2, **kwargs):
    return build_dcgan_discriminator(shape, width=width, **kwargs)


BUILDERS = pytest.mark.parametrize("build", [generator, discriminator], ids=lambda f: f.__name__)


def inputs_of(network, num=4, seed=0):
    """Random inputs, with the labels 0, 1, 2, 0 where the network takes some."""
    rng = np.random.default_rng(seed)
    first = rng.uniform(-1, 1, (num, *network.inputs[0].shape[1:])).astype("float32")
    return [first, np.arange(num) % 3] if len(network.inputs) == 2 else first


def names(network):
    return [type(layer).__name__ for layer in network.layers]


def kernels(network):
    return [v.numpy() for v in network.weights if v.name == "kernel"]


@SHAPES
def test_generator_shapes(shape):
    network = generator(shape)
    assert network.input_shape == (None, 5)
    assert network.output_shape == (None, *shape)
    maps = [layer.output.shape[1:3] for layer in network.layers if len(layer.output.shape) == 4]
    sizes = sorted(set(maps))
    assert sizes[0] == SMALLEST[shape]
    for small, large in itertools.pairwise(sizes):
        assert large == (2 * small[0], 2 * small[1])
    pictures = network(inputs_of(network)).numpy()
    assert pictures.shape == (4, *shape) and pictures.dtype == np.float32
    assert np.abs(pictures).max() <= 1


@SHAPES
def test_discriminator_shapes(shape):
    network = discriminator(shape)
    assert network.input_shape == (None, *shape)
    assert network.output_shape == (None, 1)
    flat = next(layer for layer in network.layers if type(layer).__name__ == "Flatten")
    assert flat.input.shape[1:3] == SMALLEST[shape]
    logits = network(inputs_of(network)).numpy()
    assert logits.shape == (4, 1) and logits.dtype == np.float32 and np.isfinite(logits).all()


def test_pictures_fill_the_range():
    """tanh: with large weights the pictures reach -1 and 1 and go no further."""
    network = generator(normalization=None)
    network.set_weights([40 * w for w in network.get_weights()])
    pictures = network(inputs_of(network)).numpy()
    assert pictures.min() == pytest.approx(-1, abs=1e-3) and pictures.min() >= -1
    assert pictures.max() == pytest.approx(1, abs=1e-3) and pictures.max() <= 1


def test_logits_are_unbounded():
    """No sigmoid: the head is affine, whatever its scale."""
    network = discriminator()
    x = inputs_of(network)
    logits = network(x).numpy()
    head = network.layers[-1]
    head.kernel.assign(-1e6 * head.kernel)
    head.bias.assign([5.0])
    np.testing.assert_allclose(network(x), -1e6 * logits + 5, rtol=1e-4)
    assert np.abs(network(x)).max() > 100


def test_generator_layers():
    """ReLU inside, tanh at the end, normalization everywhere but at the output."""
    network = generator()
    block = ["BatchNormalization", "ReLU"]
    assert names(network) == [
        *("InputLayer", "Dense", "Reshape", *block),
        *("Conv2DTranspose", *block),
        "Conv2DTranspose",
    ]
    assert network.layers[-1].activation is keras.activations.tanh
    assert network.layers[-1].use_bias
    hidden = [layer for layer in network.layers[:-1] if hasattr(layer, "kernel")]
    assert [layer.use_bias for layer in hidden] == [False, False]  # the normalization has it


def test_discriminator_layers():
    """LeakyReLU(0.2), strides, normalization everywhere but at the input and the head."""
    network = discriminator((32, 32, 3))
    block = ["Conv2D", "BatchNormalization", "LeakyReLU"]
    assert names(network) == [
        *("InputLayer", "Conv2D", "LeakyReLU"),
        *block,
        *block,
        *("Flatten", "Dense"),
    ]
    slopes = [layer.negative_slope for layer in network.layers if hasattr(layer, "negative_slope")]
    assert slopes == [0.2] * 3
    convolutions = [layer for layer in network.layers if type(layer).__name__ == "Conv2D"]
    assert [layer.use_bias for layer in convolutions] == [True, False, False]
    assert {layer.strides for layer in convolutions} == {(2, 2)}
    assert network.layers[-1].activation is keras.activations.linear


@pytest.mark.parametrize("normalization", NORMALIZED)
def test_normalizations(normalization):
    for network, count in (
        (generator(normalization=normalization), 2),
        (discriminator(normalization=normalization), 1),
    ):
        found = [name for name in names(network) if name in NORMALIZED.values()]
        assert found == [NORMALIZED[normalization]] * count
        biased = sum(v.name == "bias" for v in network.weights)
        # Every layer with a kernel has a bias, but those in front of a normalization
        assert len(kernels(network)) - biased == (0 if normalization is None else count)


@pytest.mark.parametrize(("normalization", "axes"), [("layer", (1, 2, 3)), ("instance", (1, 2))])
def test_group_normalization_by_numpy(normalization, axes):
    """Layer normalization is over height, width and channels; instance normalization over the
    first two. Both are Keras's GroupNormalization."""
    network = discriminator(normalization=normalization)
    layer = next(one for one in network.layers if type(one).__name__ == "GroupNormalization")
    x = np.random.default_rng(0).normal(2, 3, (4, 6, 5, 4)).astype("float32")
    mean, variance = x.mean(axes, keepdims=True), x.var(axes, keepdims=True)
    np.testing.assert_allclose(layer(x), (x - mean) / np.sqrt(variance + 1e-5), atol=1e-4)


@pytest.mark.parametrize(
    ("normalization", "alone"),
    [("batch", False), ("layer", True), ("instance", True), (None, True)],
)
def test_examples_are_judged_alone(normalization, alone):
    """Without batch normalization a logit does not depend on the rest of the batch."""
    network = discriminator(normalization=normalization)
    x = inputs_of(network)
    together, first = network(x, training=True)[:1], network(x[:1], training=True)
    assert np.allclose(together, first, rtol=1e-4, atol=1e-7) == alone


def test_widths():
    """Filters double with each halving, up to 8 times the width: 1024, 512, 256, 128 in the paper's
    generator of 64 x 64."""
    shapes = [k.shape for k in kernels(discriminator((128, 128, 3), width=3))]
    assert [shape[-1] for shape in shapes[:-1]] == [3, 6, 12, 24, 24]
    shapes = [k.shape for k in kernels(generator((128, 128, 3), latent_dim=7, width=3))]
    assert shapes[0] == (7, 4 * 4 * 24)
    # (height, width, outputs, inputs)
    assert [shape[2:] for shape in shapes[1:]] == [(24, 24), (12, 24), (6, 12), (3, 6), (3, 3)]
    shapes = [k.shape for k in kernels(generator((64, 64, 3), width=1))]
    assert [shape[-1] for shape in shapes] == [4 * 4 * 8, 8, 4, 2, 1]


def test_kernel_size():
    for network in (generator(kernel_size=5), discriminator(kernel_size=5)):
        assert {k.shape[:2] for k in kernels(network) if k.ndim == 4} == {(5, 5)}
    for network in (generator(), discriminator()):
        assert {k.shape[:2] for k in kernels(network) if k.ndim == 4} == {(4, 4)}


@pytest.mark.parametrize(
    ("network", "trained", "others"),
    [
        # 5 * 4*4*4, 2 * 4; 16 * 4 * 2, 2 * 2; 16 * 2 * 3 + 3; two moving statistics of 4 and 2
        (lambda: generator(), 320 + 8 + 128 + 4 + 99, 12),
        # the same with biases for scales and offsets
        (lambda: generator(normalization=None), 320 + 64 + 128 + 2 + 99, 0),
        # one-hot labels beside the latents: 3 * 64 more
        (lambda: generator(num_classes=3), 559 + 192, 12),
        # 16 * 3 * 2 + 2; 16 * 2 * 4, 2 * 4; 4*4*4 + 1
        (lambda: discriminator(), 98 + 128 + 8 + 65, 8),
        (lambda: discriminator(normalization="layer"), 98 + 128 + 8 + 65, 0),
        (lambda: discriminator(normalization=None), 98 + 128 + 4 + 65, 0),
        # a map from the label, 3 * 256 + 256, and one more channel, 16 * 2
        (lambda: discriminator(num_classes=3), 299 + 1024 + 32, 8),
    ],
)
def test_numbers_of_parameters(network, trained, others):
    network = network()
    assert sum(v.numpy().size for v in network.trainable_weights) == trained
    assert sum(v.numpy().size for v in network.non_trainable_weights) == others


@BUILDERS
def test_initial_weights_are_normal(build):
    """N(0, 0.02), each to 5 standard errors, in the tails too; biases 0, scales N(1, 0.02)."""
    network = build((32, 32, 3), width=32, seed=1, num_classes=10)
    for kernel in kernels(network):
        size = kernel.size
        assert kernel.std() == pytest.approx(0.02, rel=5 / np.sqrt(2 * size))
        assert kernel.mean() == pytest.approx(0, abs=5 * 0.02 / np.sqrt(size))
        if size > 10_000:  # beyond 2 sigma, where a truncated normal has nothing
            assert (np.abs(kernel) > 0.04).mean() == pytest.approx(0.0455, rel=0.2)
    others = {"bias": 0, "beta": 0, "moving_mean": 0, "moving_variance": 1}
    for v in network.weights:
        assert v.name in ("kernel", "gamma") or (v.numpy() == others[v.name]).all()
    scales = np.concatenate([v.numpy() for v in network.weights if v.name == "gamma"])
    assert scales.std() == pytest.approx(0.02, rel=5 / np.sqrt(2 * scales.size))
    assert scales.mean() == pytest.approx(1, abs=5 * 0.02 / np.sqrt(scales.size))


@BUILDERS
@pytest.mark.parametrize("num_classes", [None, 3])
def test_seeds(build, num_classes):
    one, same, other, free = (build(seed=seed, num_classes=num_classes) for seed in (7, 7, 8, None))
    for a, b in zip(one.get_weights(), same.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    for a, *others in zip(*map(kernels, (one, other, free)), strict=True):
        assert all((a != b).mean() > 0.99 for b in others)


@BUILDERS
@pytest.mark.parametrize("seed", [0, None])
def test_layers_have_weights_of_their_own(build, seed):
    """No two layers of a network begin with the same numbers, nor do neighbouring seeds share."""
    drawn = [k.ravel()[:48] for k in kernels(build((32, 32, 3), seed=seed, num_classes=4))]
    assert len(drawn) >= 4
    for k, a in enumerate(drawn):
        for b in drawn[:k]:
            size = min(a.size, b.size)
            assert not np.intersect1d(a[:size], b[:size]).size


@BUILDERS
def test_labels_matter(build):
    """The same latents or pictures with another label make something else."""
    network = build(num_classes=3, seed=0)
    network.set_weights([10 * w for w in network.get_weights()])  # N(0, 0.02) says little
    assert tuple(network.inputs[1].shape) == (None,)
    assert network.inputs[1].dtype == "int32"
    first = np.repeat(inputs_of(network, 1)[0], 3, axis=0)
    a, b, c = network([first, np.array([0, 1, 2])]).numpy()
    assert np.abs(a - b).max() > 1e-3 and np.abs(b - c).max() > 1e-3
    a, b, c = network([first, np.array([1, 1, 1])]).numpy()
    np.testing.assert_allclose(a, b, atol=1e-6)
    np.testing.assert_allclose(a, c, atol=1e-6)


@BUILDERS
@pytest.mark.parametrize(
    ("num_classes", "normalization"), [(None, "batch"), (3, "batch"), (None, "layer")]
)
def test_saved_network(build, num_classes, normalization, tmp_path):
    network = build((8, 12, 2), num_classes=num_classes, normalization=normalization, seed=3)
    x = inputs_of(network)
    network(x, training=True)
    network.save(tmp_path / "network.keras")
    loaded = keras.models.load_model(tmp_path / "network.keras")
    for a, b in zip(loaded.get_weights(), network.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(loaded(x), network(x))
    assert loaded.name == network.name == f"dcgan_{build.__name__}"


@BUILDERS
def test_outputs_are_float32_in_half_precision(build):
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        network = build()
    finally:
        keras.config.set_dtype_policy(policy)
    assert network.output.dtype == "float32"
    assert {v.dtype for v in network.trainable_weights} == {"float32"}
    assert any(layer.compute_dtype == "float16" for layer in network.layers)


@BUILDERS
def test_gradients_reach_every_weight(build):
    network = build(num_classes=3, seed=0)
    with tf.GradientTape() as tape:
        outputs = network(inputs_of(network), training=True)
        loss = tf.reduce_sum(outputs * np.random.default_rng(1).normal(size=outputs.shape))
    for v, g in zip(
        network.trainable_weights, tape.gradient(loss, network.trainable_weights), strict=True
    ):
        assert g is not None and np.isfinite(g).all() and np.abs(g).max() > 0, v.path


BAD_SHAPES = [
    (30, 28, 1),
    (28, 30, 1),
    (28, 28, 5),
    (28, 28, 0),
    (0, 28, 1),
    (-4, 28, 1),
    (28, 28),
    (2, 28, 28, 1),
    (28.0, 28, 1),
    (28, True, 1),
    28,
    None,
    "28x28x1",
]


@BUILDERS
@pytest.mark.parametrize("shape", BAD_SHAPES, ids=str)
def test_bad_shapes(build, shape):
    with pytest.raises(ValueError, match=r"`image_shape` must be \(H, W, C\).*Received"):
        build(shape)


@BUILDERS
def test_list_as_a_shape(build):
    assert build([8, 12, 2]).count_params() == build((8, 12, 2)).count_params()


@BUILDERS
@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("width", [0, -1, 2.5, True, None]),
        ("kernel_size", [0, 2.5, (4, 4), None]),
        ("normalization", ["weight", "Batch", False, 1]),
        ("num_classes", [0, -1, 2.5, True]),
        ("seed", [-1, 0.5, True, "0", 2**63]),
    ],
)
def test_bad_arguments(build, name, values):
    for value in values:
        with pytest.raises(ValueError, match=rf"`{name}` must be.*Received"):
            build(**{name: value})


@pytest.mark.parametrize("value", [0, -1, 2.5, True, None])
def test_bad_latent_dim(value):
    with pytest.raises(ValueError, match=r"`latent_dim` must be.*Received"):
        generator(latent_dim=value)


def test_features():
    """The second output is what the head is given; the logits are those of the network without."""
    plain, network = (discriminator(return_features=r, seed=3) for r in (False, True))
    for a, b in zip(plain.get_weights(), network.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert network.output_shape == [(None, 1), (None, 4, 4, 4)]
    x = inputs_of(network)
    logits, features = network(x)
    np.testing.assert_allclose(logits, plain(x), atol=1e-6)
    head = network.get_layer("logits")
    by_hand = features.numpy().reshape(4, -1) @ head.kernel.numpy() + head.bias.numpy()
    np.testing.assert_allclose(logits, by_hand, atol=1e-5)
    assert isinstance(network.layers[-3], keras.layers.LeakyReLU)  # after their activation
    with pytest.raises(ValueError, match=r"`return_features` must be.*Received"):
        discriminator(return_features=1)
