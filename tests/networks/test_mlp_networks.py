"""The MLP builders: shapes, layers, initial weights, labels, saving, errors."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans.networks import build_mlp_discriminator, build_mlp_generator

SHAPES = pytest.mark.parametrize(
    "shape", [(2,), (1,), (7,), (28, 28, 1), (32, 32, 3), (12, 20, 4), (5, 3)], ids=str
)


def generator(shape=(2,), hidden=(6, 5), latent_dim=4, **kwargs):
    return build_mlp_generator(shape, latent_dim, hidden, **kwargs)


def discriminator(shape=(2,), hidden=(6, 5), **kwargs):
    return build_mlp_discriminator(shape, hidden, **kwargs)


BUILDERS = pytest.mark.parametrize("build", [generator, discriminator], ids=lambda f: f.__name__)


def inputs_of(network, num=4, seed=0):
    rng = np.random.default_rng(seed)
    first = rng.uniform(-1, 1, (num, *network.inputs[0].shape[1:])).astype("float32")
    return [first, np.arange(num) % 3] if len(network.inputs) == 2 else first


def names(network):
    return [type(layer).__name__ for layer in network.layers]


def kernels(network):
    return [v.numpy() for v in network.weights if v.name == "kernel"]


def parameters(network):
    return sum(v.numpy().size for v in network.trainable_weights)


@SHAPES
def test_generator_shapes(shape):
    network = generator(shape)
    assert network.output_shape == (None, *shape)
    assert network.input_shape == (None, 4)
    samples = network(inputs_of(network)).numpy()
    assert samples.shape == (4, *shape) and samples.dtype == np.float32


@SHAPES
def test_discriminator_shapes(shape):
    network = discriminator(shape)
    assert network.input_shape == (None, *shape)
    logits = network(inputs_of(network)).numpy()
    assert logits.shape == (4, 1) and logits.dtype == np.float32
    assert network.layers[-1].activation is keras.activations.linear


def test_number_as_a_shape():
    assert generator(3).output_shape == (None, 3)
    assert discriminator(3).input_shape == (None, 3)


def test_pictures_are_bounded_and_points_are_not():
    for shape, bounded in (((4, 4, 1), True), ((16,), False)):
        network = generator(shape)
        network.set_weights([30 * w for w in network.get_weights()])
        samples = network(inputs_of(network)).numpy()
        assert (np.abs(samples).max() <= 1) == bounded
        assert samples.max() > 0.99 and samples.min() < -0.99
    network = generator((4, 4, 1), output_activation="sigmoid")
    samples = network(inputs_of(network)).numpy()
    assert samples.min() > 0 and samples.max() < 1
    assert generator((4, 4, 1), output_activation=None).layers[-2].activation is (
        keras.activations.linear
    )


def test_generator_by_numpy():
    """tanh(W3 relu(W2 relu(W1 z + b1) + b2) + b3), in the order of rows, columns, channels."""
    network = generator((3, 2, 2), seed=1)
    rng = np.random.default_rng(0)
    network.set_weights([rng.normal(0, 0.5, w.shape) for w in network.get_weights()])
    w1, b1, w2, b2, w3, b3 = network.get_weights()
    z = inputs_of(network)
    x = np.maximum(np.maximum(z @ w1 + b1, 0) @ w2 + b2, 0)
    expected = np.tanh(x @ w3 + b3).reshape(4, 3, 2, 2)
    np.testing.assert_allclose(network(z), expected, rtol=1e-4, atol=1e-5)


def test_generator_activation():
    network = generator(activation="tanh")
    hidden = [layer for layer in network.layers if type(layer).__name__ == "Dense"][:-1]
    assert [layer.activation for layer in hidden] == [keras.activations.tanh] * 2


def test_discriminator_by_numpy():
    """LeakyReLU(0.2) inside, an affine head."""
    network = discriminator((3, 2), seed=1)
    rng = np.random.default_rng(0)
    network.set_weights([rng.normal(0, 0.5, w.shape) for w in network.get_weights()])
    w1, b1, w2, b2, w3, b3 = network.get_weights()
    samples = inputs_of(network)
    x = samples.reshape(4, 6)
    for w, b in ((w1, b1), (w2, b2)):
        x = x @ w + b
        x = np.where(x > 0, x, 0.2 * x)
    np.testing.assert_allclose(network(samples), x @ w3 + b3, rtol=1e-4, atol=1e-5)


def test_discriminator_with_maxout_by_numpy():
    network = discriminator((3, 2), hidden=(4,), maxout_pieces=3, seed=1)
    rng = np.random.default_rng(0)
    network.set_weights([rng.normal(0, 0.5, w.shape) for w in network.get_weights()])
    w1, b1, w2, b2 = network.get_weights()
    assert w1.shape == (6, 12)
    samples = inputs_of(network)
    x = (samples.reshape(4, 6) @ w1 + b1).reshape(4, 4, 3).max(axis=2)
    np.testing.assert_allclose(network(samples), x @ w2 + b2, rtol=1e-4, atol=1e-5)


def test_discriminator_layers():
    network = discriminator((28, 28, 1), maxout_pieces=2, dropout=0.3)
    block = ["Maxout", "Dropout"]
    assert names(network) == ["InputLayer", "Flatten", *block, *block, "Dense"]
    assert [layer.rate for layer in network.layers if hasattr(layer, "rate")] == [0.3, 0.3]
    block = ["Dense", "LeakyReLU"]
    assert names(discriminator()) == ["InputLayer", "Flatten", *block, *block, "Dense"]


def test_dropout():
    """It is at work in training alone, and each layer of it draws its own masks."""
    network = discriminator(hidden=(6, 6), dropout=0.5, seed=1)
    x = inputs_of(network)
    np.testing.assert_array_equal(network(x), network(x))
    first, second = network(x, training=True).numpy(), network(x, training=True).numpy()
    assert (first != second).any()
    one, two = [layer for layer in network.layers if type(layer).__name__ == "Dropout"]
    ones = np.ones((20, 6), "float32")
    assert (one(ones, training=True).numpy() != two(ones, training=True).numpy()).any()


def test_numbers_of_parameters():
    # 4 -> 6 -> 5 -> 2
    assert parameters(generator()) == (4 * 6 + 6) + (6 * 5 + 5) + (5 * 2 + 2)
    # one-hot codes beside the latents
    assert parameters(generator(num_classes=3)) == (7 * 6 + 6) + (6 * 5 + 5) + (5 * 2 + 2)
    # latents to 6, codes to 9, both to 5
    expected = (4 * 6 + 6) + (3 * 9 + 9) + (15 * 5 + 5) + (5 * 2 + 2)
    assert parameters(generator(num_classes=3, label_units=9)) == expected
    # 2 -> 6 -> 5 -> 1
    assert parameters(discriminator()) == (2 * 6 + 6) + (6 * 5 + 5) + (5 + 1)
    assert parameters(discriminator(maxout_pieces=4)) == 4 * ((2 * 6 + 6) + (6 * 5 + 5)) + (5 + 1)
    # samples to 6, codes to 9, both to 5
    expected = (2 * 6 + 6) + (3 * 9 + 9) + (15 * 5 + 5) + (5 + 1)
    assert parameters(discriminator(num_classes=3, label_units=9)) == expected
    assert parameters(discriminator(hidden=(6,), num_classes=3)) == 18 + (150 + 50) + (56 + 1)


def test_mirza_and_osindero():
    """The paper's networks: latents to 200 and labels to 1000, joined in 1200; and for D maxout of
    240 units and 5 pieces beside 50 and 5."""
    network = build_mlp_generator(
        (28, 28, 1), 100, hidden=(200, 1200), num_classes=10, label_units=1000
    )
    shapes = {k.shape for k in kernels(network)}
    assert shapes == {(100, 200), (10, 1000), (1200, 1200), (1200, 784)}
    network = build_mlp_discriminator(
        (28, 28, 1), (240, 240), maxout_pieces=5, dropout=0.5, num_classes=10, label_units=50
    )
    shapes = {k.shape for k in kernels(network)}
    assert shapes == {(784, 1200), (10, 250), (290, 1200), (240, 1)}


@BUILDERS
def test_initial_weights_are_glorots(build):
    """U(-a, a) with a = sqrt(6 / (inputs + outputs)); biases 0."""
    network = build(hidden=(200, 150), seed=1)
    for v in network.weights:
        if v.name == "bias":
            assert (v.numpy() == 0).all()
            continue
        kernel, limit = v.numpy(), np.sqrt(6 / sum(v.shape))
        assert np.abs(kernel).max() <= limit
        assert kernel.std() == pytest.approx(limit / np.sqrt(3), rel=3 / np.sqrt(kernel.size))


CONDITIONAL = pytest.mark.parametrize(
    "labels", [{}, {"num_classes": 3}, {"num_classes": 3, "label_units": 7}], ids=str
)


@pytest.mark.parametrize(
    ("build", "settings"),
    [(generator, {}), (discriminator, {}), (discriminator, {"maxout_pieces": 3})],
)
@CONDITIONAL
def test_seeds(build, settings, labels):
    one, same, other, free = (build(seed=seed, **settings, **labels) for seed in (7, 7, 8, None))
    for a, b in zip(one.get_weights(), same.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    for a, *others in zip(*map(kernels, (one, other, free)), strict=True):
        assert all((a != b).mean() > 0.99 for b in others)


def test_seed_fixes_dropout():
    one, same, other = (discriminator(hidden=(50,), dropout=0.5, seed=seed) for seed in (7, 7, 8))
    x = np.ones((8, 50), "float32")
    drawn = [
        next(layer for layer in network.layers if hasattr(layer, "rate"))(x, training=True).numpy()
        for network in (one, same, other)
    ]
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert (drawn[0] != drawn[2]).any()


@BUILDERS
@pytest.mark.parametrize("seed", [0, None])
def test_layers_have_weights_of_their_own(build, seed):
    """Layers of one shape do not begin as copies of each other."""
    network = build(hidden=(8, 8, 8, 8), seed=seed, num_classes=8)
    drawn = [k.ravel() / np.abs(k).max() for k in kernels(network) if 8 in k.shape]
    assert len(drawn) >= 4
    for k, a in enumerate(drawn):
        for b in drawn[:k]:
            size = min(a.size, b.size, 8)
            assert np.abs(a[:size] - b[:size]).max() > 1e-3


@BUILDERS
@pytest.mark.parametrize("label_units", [None, 7])
def test_labels_matter(build, label_units):
    network = build(num_classes=3, label_units=label_units, seed=0)
    assert [i.shape for i in network.inputs] == [(None, 4 if build is generator else 2), (None,)]
    assert network.inputs[1].dtype == "int32"
    first = np.repeat(inputs_of(network, 1)[0], 3, axis=0)
    a, b, c = network([first, np.array([0, 1, 2])]).numpy()
    assert np.abs(a - b).max() > 1e-4 and np.abs(b - c).max() > 1e-4
    a, b, c = network([first, np.array([1, 1, 1])]).numpy()
    np.testing.assert_allclose(a, b, atol=1e-6)
    np.testing.assert_allclose(a, c, atol=1e-6)


@BUILDERS
@CONDITIONAL
def test_saved_network(build, labels, tmp_path):
    maxout = {"maxout_pieces": 3, "dropout": 0.5} if build is discriminator else {}
    network = build((4, 6, 1), seed=3, **labels, **maxout)
    x = inputs_of(network)
    network(x, training=True)
    network.save(tmp_path / "network.keras")
    loaded = keras.models.load_model(tmp_path / "network.keras")
    for a, b in zip(loaded.get_weights(), network.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    for training in (False, True):
        expected = network(x, training=training)
        np.testing.assert_array_equal(loaded(x, training=training), expected)
    assert loaded.name == network.name == f"mlp_{build.__name__}"


@BUILDERS
def test_outputs_are_float32_in_half_precision(build):
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        network = build((4, 4, 1))
    finally:
        keras.config.set_dtype_policy(policy)
    assert network.output.dtype == "float32"
    assert any(layer.compute_dtype == "float16" for layer in network.layers)


@BUILDERS
def test_gradients_reach_every_weight(build):
    network = build(hidden=(16, 16), num_classes=3, label_units=5, seed=0)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(network(inputs_of(network), training=True))
    for v, g in zip(
        network.trainable_weights, tape.gradient(loss, network.trainable_weights), strict=True
    ):
        assert g is not None and np.isfinite(g).all() and np.abs(g).max() > 0, v.path


@BUILDERS
@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("sample_shape", [(), (0,), (2.5,), (28, True, 1), (-1, 2), "points", None]),
        ("hidden", [0, 16, (0,), (16, -1), (2.5,), (True,), "16"]),
        ("num_classes", [0, -1, 2.5, True]),
        ("seed", [-1, 0.5, True, "0", 2**63]),
    ],
)
def test_bad_arguments(build, name, values):
    for value in values:
        arguments = {("shape" if name == "sample_shape" else name): value}
        with pytest.raises(ValueError, match=rf"`{name}` must be.*Received"):
            build(**arguments)


@pytest.mark.parametrize("value", [0, -1, 2.5, True, None])
def test_bad_latent_dim(value):
    with pytest.raises(ValueError, match=r"`latent_dim` must be.*Received"):
        generator(latent_dim=value)


@pytest.mark.parametrize("value", [0, -1, 2.5, True])
def test_bad_label_units(value):
    with pytest.raises(ValueError, match=r"`label_units` must be.*Received"):
        discriminator(num_classes=3, label_units=value)


def test_bad_maxout_and_dropout():
    for value in (0, -1, 2.5):
        with pytest.raises(ValueError, match=r"pieces` must be.*Received"):
            discriminator(maxout_pieces=value)
    for value in (-0.1, 1.0, 1.5):
        with pytest.raises(ValueError, match=r"must be in \[0, 1\).*Received"):
            discriminator(dropout=value)


def test_labels_count_without_hidden_layers():
    network = build_mlp_discriminator((2,), hidden=(), num_classes=3, seed=1)
    logits = np.array(network([np.ones((3, 2), "float32"), np.arange(3)]))
    assert len(np.unique(logits)) == 3
    with pytest.raises(ValueError, match="hidden"):
        build_mlp_generator((2,), hidden=(), num_classes=3, label_units=4)


@pytest.mark.parametrize(
    ("argument", "value"), [("maxout_pieces", 0), ("dropout", 1.5), ("dropout", -0.1)]
)
def test_errors_name_the_builders_argument(argument, value):
    with pytest.raises(ValueError, match=f"`{argument}`"):
        build_mlp_discriminator((2,), **{argument: value})


def layers_of(network, kind):
    return [layer for layer in network.layers if type(layer).__name__ == kind]


def test_input_dropout():
    """The samples themselves lose a fifth, and the rest grows by 1 / 0.8; not in inference."""
    network = discriminator((1000,), hidden=(), input_dropout=0.2, seed=0)
    network.layers[-1].set_weights([np.full((1000, 1), 0.001), np.zeros(1)])
    ones = np.ones((200, 1000), "float32")
    np.testing.assert_allclose(network(ones), np.ones((200, 1)), rtol=1e-5)
    kept = np.array(network(ones, training=True)) * 0.8  # the share of inputs that are left
    assert kept.mean() == pytest.approx(0.8, abs=0.003)
    assert kept.std() == pytest.approx(np.sqrt(0.2 * 0.8 / 1000), rel=0.2)
    label = discriminator((9,), input_dropout=0.2, num_classes=3, dropout=0.5, seed=0)
    assert [layer.rate for layer in layers_of(label, "Dropout")] == [0.2, 0.5, 0.5]


def test_dropout_of_generators():
    """Behind each hidden layer: the joint one of latents and label, and what follows."""
    network = generator(hidden=(6, 5, 4), num_classes=3, label_units=7, dropout=0.5, seed=0)
    dropouts = layers_of(network, "Dropout")
    assert [(layer.rate, layer.output.shape[1]) for layer in dropouts] == [
        (0.5, 13),
        (0.5, 5),
        (0.5, 4),
    ]
    assert len(layers_of(generator(dropout=0.5), "Dropout")) == 2
    # The code of a label is no hidden layer.
    assert len(layers_of(generator(num_classes=3, dropout=0.5), "Dropout")) == 2
    x = inputs_of(network)
    np.testing.assert_array_equal(network(x), network(x))
    assert np.abs(network(x, training=True) - network(x, training=True)).max() > 0


def test_pieces_of_each_layer():
    """The label's own layer has as many as the first of the sample."""
    network = discriminator((3,), (6, 5), maxout_pieces=(4, 2), num_classes=3, label_units=7)
    assert sorted((m.units, m.pieces) for m in layers_of(network, "Maxout")) == [
        (5, 2),
        (6, 4),
        (7, 4),
    ]
    by_number, by_layer = (discriminator(maxout_pieces=p, seed=1) for p in (3, (3, 3)))
    for a, b in zip(by_number.get_weights(), by_layer.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    for pieces in ((3,), (3, 3, 3), ()):
        with pytest.raises(ValueError, match=r"`maxout_pieces` must be one number, or as many.*2"):
            discriminator(maxout_pieces=pieces)


@BUILDERS
def test_initial_range(build):
    network = build((40,), hidden=(50, 30), initial_range=0.05, seed=0)
    for kernel in kernels(network)[:2]:
        assert 0.049 < np.abs(kernel).max() <= 0.05
        assert kernel.std() == pytest.approx(0.05 / np.sqrt(3), rel=0.05)  # of U(-0.05, 0.05)
    assert (kernels(network)[0].ravel()[:90] != kernels(network)[1].ravel()[:90]).all()
    assert all((w == 0).all() for w in network.get_weights() if w.ndim == 1)


def test_a_label_beside_the_sample():
    """Without a layer of its own, the label's code is three more inputs of the first layer."""
    network = discriminator((2,), (6, 5), num_classes=3, label_units=None, seed=0)
    assert [kernel.shape for kernel in kernels(network)] == [(5, 6), (6, 5), (5, 1)]


@BUILDERS
@pytest.mark.parametrize("name", ["dropout", "input_dropout", "initial_range"])
@pytest.mark.parametrize("value", [-0.1, 1.5, "0.5", True])
def test_bad_rates_and_ranges(build, name, value):
    if (name == "input_dropout" and build is generator) or (name, value) == ("initial_range", 1.5):
        return
    with pytest.raises(ValueError, match=rf"`{name}` must be.*Received"):
        build(**{name: value})
