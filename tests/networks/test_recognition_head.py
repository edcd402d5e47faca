"""The head of InfoGAN's recognition network: its layers, numbers, saving and errors."""

import keras
import numpy as np
import pytest

from keras_gans.networks import build_mlp_discriminator, build_recognition_head


def test_shapes():
    network = build_recognition_head((7, 5, 4), 10, 2)
    assert network.input_shape == (None, 7, 5, 4)
    assert network.output_shape == [(None, 10), (None, 2)]
    assert build_recognition_head([9], 3, 1).output_shape == [(None, 3), (None, 1)]


def test_several_categorical_codes():
    network = build_recognition_head((9,), (10, 3, 2), 2)
    assert network.output_shape == [(None, 10), (None, 3), (None, 2), (None, 2)]
    one, single = (build_recognition_head((9,), k, 2, seed=0) for k in ((10,), 10))
    assert one.output_names == single.output_names == ["category_logits", "code_means"]
    for a, b in zip(one.get_weights(), single.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_learned_variances():
    """A further layer on the hidden one, whose outputs stand behind the means; the others are as
    without it."""
    network = build_recognition_head((4,), 3, 2, units=5, learn_variance=True, seed=0)
    assert network.output_shape == [(None, 3), (None, 2, 2)]
    plain = build_recognition_head((4,), 3, 2, units=5, seed=0)
    assert network.count_params() == plain.count_params() + (5 + 1) * 2
    assert plain.layers[2].units == network.layers[2].units == 5  # the hidden one
    for name in (None, "category_logits", "code_means"):
        one, other = (n.layers[2] if name is None else n.get_layer(name) for n in (plain, network))
        for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
    x = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")
    kernel, bias = np.array([[1, 2]] * 5, "float32"), np.array([3, 4], "float32")
    network.get_layer("code_log_variances").set_weights([kernel, bias])
    hidden = keras.Model(network.inputs[0], network.get_layer("code_means").input)(x)
    logits, codes = network(x)
    means, log_variances = codes[:, 0], codes[:, 1]
    for made, expected in zip((logits, means), plain(x), strict=True):
        np.testing.assert_allclose(made, expected, atol=1e-6)
    np.testing.assert_allclose(log_variances, hidden @ kernel + bias, rtol=1e-5)


def test_layers_of_the_paper():
    network = build_recognition_head((4, 4, 8), 10, 2)
    names = [type(layer).__name__ for layer in network.layers]
    assert names[2:5] == ["Dense", "BatchNormalization", "LeakyReLU"]
    hidden, _, activation, *heads = network.layers[2:]
    assert (hidden.units, hidden.use_bias) == (128, False)
    assert activation.negative_slope == pytest.approx(0.1)
    assert [head.units for head in heads] == [10, 2]
    assert all(head.activation is keras.activations.linear for head in heads)


def test_by_numpy():
    """At the start the moving statistics are 0 and 1, so that inference is affine but for the
    LeakyReLU."""
    network = build_recognition_head((2, 3), 4, 2, units=5, seed=0)
    network.set_weights([20 * w if w.ndim == 2 else w for w in network.get_weights()])
    hidden, categories, means = (w for w in network.get_weights() if w.ndim == 2)
    scales = network.layers[3].gamma
    assert 0 < np.abs(np.array(scales) - 1).max() < 5 * 0.02  # N(1, 0.02), as in the authors' code
    x = np.random.default_rng(0).normal(size=(6, 2, 3)).astype("float32")
    h = x.reshape(6, 6) @ hidden / np.sqrt(1 + 1.001e-5) * scales
    h = np.where(h > 0, h, 0.1 * h)
    assert (h < 0).any() and (h > 0).any()
    for output, kernel in zip(network(x), (categories, means), strict=True):
        np.testing.assert_allclose(output, h @ kernel, rtol=1e-4, atol=1e-6)


def test_initial_weights():
    """N(0, 0.02), and each kernel has numbers of its own."""
    network, same, other = (build_recognition_head((4, 4, 8), 9, 9, seed=s) for s in (1, 1, 2))
    kernels = [w for w in network.get_weights() if w.ndim == 2]
    for kernel in kernels:
        assert kernel.std() == pytest.approx(0.02, rel=5 / np.sqrt(2 * kernel.size))
    assert not np.intersect1d(*(k.ravel() for k in kernels[1:])).size
    for a, b in zip(network.get_weights(), same.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert (network.get_weights()[0] != other.get_weights()[0]).mean() > 0.99


def test_saved(tmp_path):
    network = build_recognition_head((2, 2, 3), 4, 2, seed=0)
    x = np.random.default_rng(0).normal(size=(6, 2, 2, 3)).astype("float32")
    network(x, training=True)
    network.save(tmp_path / "head.keras")
    for a, b in zip(keras.models.load_model(tmp_path / "head.keras")(x), network(x), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"feature_shape": 7}, "feature_shape"),
        ({"feature_shape": ()}, "feature_shape"),
        ({"feature_shape": (7, 0, 3)}, "feature_shape"),
        ({"feature_shape": (None, 7, 3)}, "feature_shape"),
        ({"num_categories": 1}, "num_categories.*at least 2"),
        ({"num_categories": 2.5}, "num_categories"),
        ({"num_categories": (10, 1)}, "num_categories.*at least 2. Received: 1"),
        ({"num_categories": ()}, "num_categories.*at least 2. Received: \\(\\)"),
        ({"num_continuous": 0}, "num_continuous"),
        ({"units": 0}, "units"),
        ({"learn_variance": 1}, "learn_variance"),
        ({"seed": -1}, "seed"),
    ],
)
def test_bad_arguments(arguments, match):
    good = {"feature_shape": (7, 7, 3), "num_categories": 10, "num_continuous": 2}
    with pytest.raises(ValueError, match=match):
        build_recognition_head(**{**good, **arguments})


def test_features_of_an_mlp():
    """What a head reads beside the logits is what the logits are made of."""
    discriminator = build_mlp_discriminator((3,), (6, 5), return_features=True, seed=0)
    assert discriminator.output_shape == [(None, 1), (None, 5)]
    x = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
    logits, features = discriminator(x)
    head = discriminator.get_layer("logits")
    np.testing.assert_allclose(logits, head(features), atol=1e-6)
    plain = build_mlp_discriminator((3,), (6, 5), seed=0)
    np.testing.assert_allclose(plain(x), logits, atol=1e-6)
    with pytest.raises(ValueError, match="return_features"):
        build_mlp_discriminator((3,), return_features=1)
