"""The encoders' builders: the discriminator's convolutions or an MLP, with two heads or one."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans.networks import build_dcgan_discriminator, build_dcgan_encoder, build_mlp_encoder


def convolutional(shape=(16, 16, 3), latent_dim=5, width=2, **kwargs):
    return build_dcgan_encoder(shape, latent_dim, width=width, **kwargs)


def dense(shape=(16, 16, 3), latent_dim=5, hidden=(6, 4), **kwargs):
    return build_mlp_encoder(shape, latent_dim, hidden, **kwargs)


BUILDERS = pytest.mark.parametrize("build", [convolutional, dense], ids=lambda f: f.__name__)


def inputs_of(network):
    shape = (4, *network.inputs[0].shape[1:])
    return np.random.default_rng(0).uniform(-1, 1, shape).astype("float32")


def kernels(network):
    return [v.numpy() for v in network.weights if v.name == "kernel"]


@BUILDERS
@pytest.mark.parametrize("shape", [(28, 28, 1), (64, 32, 3), (4, 4, 2)], ids=str)
def test_shapes(build, shape):
    network = build(shape)
    assert network.input_shape == (None, *shape)
    assert network.output_shape == [(None, 5), (None, 5)]
    mean, log_variance = network(inputs_of(network))
    assert mean.dtype == log_variance.dtype == "float32"
    assert np.isfinite(mean).all() and np.isfinite(log_variance).all()
    assert np.abs(mean - log_variance).max() > 0


@BUILDERS
def test_latents_alone(build):
    """The mean's head alone, with the numbers that it has beside a log-variance's."""
    network, gaussian = build(seed=1, gaussian=False), build(seed=1)
    assert network.output_shape == (None, 5)
    x = inputs_of(network)
    latents = network(x)
    assert latents.dtype == "float32" and np.abs(latents).max() > 0
    np.testing.assert_array_equal(latents, gaussian(x)[0])
    assert network.layers[-1].activation is keras.activations.linear


def test_points():
    assert dense((2,), hidden=(), activation="tanh").output_shape == [(None, 5), (None, 5)]


def test_layers_are_the_discriminators():
    """But for the heads; which are affine, so that both outputs are unbounded."""
    settings = {"width": 2, "kernel_size": 5, "normalization": "layer"}
    encoder = build_dcgan_encoder((32, 32, 3), 5, **settings)
    discriminator = build_dcgan_discriminator((32, 32, 3), **settings)
    hidden = [type(layer).__name__ for layer in discriminator.layers[:-1]]
    assert [type(layer).__name__ for layer in encoder.layers[:-2]] == hidden
    assert [k.shape for k in kernels(encoder)[:-2]] == [
        k.shape for k in kernels(discriminator)[:-1]
    ]
    for head in encoder.layers[-2:]:
        assert head.activation is keras.activations.linear and head.use_bias
        assert head.kernel.shape == (4 * 4 * 8, 5)


def test_hidden_layers_of_the_mlp():
    network = dense(hidden=(7, 3), activation="tanh")
    assert [k.shape for k in kernels(network)] == [(768, 7), (7, 3), (3, 5), (3, 5)]
    hidden = [layer for layer in network.layers if hasattr(layer, "kernel")][:2]
    assert all(layer.activation is keras.activations.tanh for layer in hidden)


@BUILDERS
def test_seeds(build):
    one, same, other = (build(seed=seed) for seed in (7, 7, 8))
    for a, b in zip(one.get_weights(), same.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(kernels(one), kernels(other), strict=True):
        assert (a != b).mean() > 0.99
    drawn = [k.ravel()[:20] for k in kernels(one)]
    for k, a in enumerate(drawn):
        for b in drawn[:k]:
            assert not np.intersect1d(a, b).size


def test_encoder_and_discriminator_of_one_seed_differ():
    encoder = convolutional(seed=7)
    discriminator = build_dcgan_discriminator((16, 16, 3), 2, seed=7)
    assert (kernels(encoder)[0] != kernels(discriminator)[0]).all()


@BUILDERS
def test_saved_network(build, tmp_path):
    network = build(seed=3)
    network.save(tmp_path / "network.keras")
    loaded = keras.models.load_model(tmp_path / "network.keras")
    x = inputs_of(network)
    for a, b in zip(loaded(x), network(x), strict=True):
        np.testing.assert_array_equal(a, b)


@BUILDERS
def test_outputs_are_float32_in_half_precision(build):
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        network = build()
    finally:
        keras.config.set_dtype_policy(policy)
    assert {output.dtype for output in network.outputs} == {"float32"}
    assert any(layer.compute_dtype == "float16" for layer in network.layers)


@BUILDERS
def test_gradients_reach_every_weight(build):
    network = build(seed=0)
    with tf.GradientTape() as tape:
        mean, log_variance = network(inputs_of(network), training=True)
        loss = tf.reduce_sum(mean) + tf.reduce_sum(log_variance**2)
    for v, g in zip(
        network.trainable_weights, tape.gradient(loss, network.trainable_weights), strict=True
    ):
        assert g is not None and np.isfinite(g).all() and np.abs(g).max() > 0, v.path


@pytest.mark.parametrize(
    ("build", "name", "values"),
    [
        (convolutional, "shape", [(30, 28, 1), (2,)]),
        (convolutional, "width", [0, None]),
        (convolutional, "kernel_size", [2.5]),
        (convolutional, "normalization", ["spectral"]),
        (convolutional, "latent_dim", [0, -1, 2.5, True, None]),
        (convolutional, "gaussian", [1, None]),
        (dense, "gaussian", ["no"]),
        (dense, "latent_dim", [0, None]),
        (dense, "shape", [(0,), (2.0,), ()]),
        (dense, "hidden", [5, (0,)]),
        (dense, "seed", [-1, 0.5]),
    ],
)
def test_bad_arguments(build, name, values):
    for value in values:
        with pytest.raises(ValueError, match=rf"{name}` must be.*Received"):
            build(**{name: value})
