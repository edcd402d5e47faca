"""SNGAN: the paper's settings and order of updates, its discriminator, and a step by hand."""

import harness
import keras
import numpy as np
import pytest
import tensorflow as tf
from harness import SHAPE
from keras import ops

from keras_gans import SNGAN
from keras_gans.layers import SpectralNormalization
from keras_gans.networks import (
    build_dcgan_generator,
    build_mlp_generator,
    build_sngan_discriminator,
)


def pair():
    """DCGAN's generator, and two normalized layers: the paper's networks take long to trace."""
    pictures = keras.Input(SHAPE)
    weights = keras.initializers.GlorotUniform(seed=2)
    convolution = keras.layers.Conv2D(4, 4, strides=4, kernel_initializer=weights)
    x = keras.layers.LeakyReLU(0.2)(SpectralNormalization(convolution, seed=2)(pictures))
    weights = keras.initializers.GlorotUniform(seed=3)
    dense = keras.layers.Dense(1, kernel_initializer=weights, dtype="float32")
    logits = SpectralNormalization(dense, seed=3, dtype="float32")(keras.layers.Flatten()(x))
    return build_dcgan_generator(SHAPE, 6, width=4, seed=1), keras.Model(pictures, logits)


CASES = [
    harness.case(
        SNGAN,
        pair,
        n_discriminator=2,
        total_steps=10,
        rate=0.005,
        bad_arguments=[({"n_discriminator": 0}, "n_discriminator"), ({"total_steps": 0}, "steps")],
    ),
]

ROLES = {"SNGAN": harness.Roles()}


def test_paper_settings():
    model = SNGAN(*pair())
    assert (model.n_discriminator, model.total_steps) == (5, 100_000)
    for config in harness.optimizer_settings(CASES[0].build()).values():
        assert (config["beta_1"], config["beta_2"]) == (0.0, 0.9)
    assert SNGAN.settings_for(300) == {"total_steps": 300}


def test_rates_fall_together_to_0():
    """The discriminator's optimizer counts several updates in a step."""
    model = SNGAN.from_paper((2,), n_discriminator=2, total_steps=10, seed=0)
    points = tf.data.Dataset.from_tensor_slices(np.zeros((80, 2), "float32")).batch(8)
    rates = []
    model.compile()
    for _ in range(3):
        rates.append([float(model.optimizer_of(player).learning_rate) for player in model.players])
        model.fit(points, steps_per_epoch=5, verbose=0)
    assert rates == [pytest.approx([rate, rate]) for rate in (2e-4, 1e-4, 0.0)]


def layers_of(discriminator):
    return [layer for layer in discriminator.layers if isinstance(layer, SpectralNormalization)]


def test_networks_of_the_paper():
    """Appendix B.4: 4 x 4 x 256, three blocks up; a discriminator of 128, two blocks down of four.

    Each of its blocks has two 3 x 3 convolutions, and the first two a shortcut of 1 x 1.
    """
    networks = SNGAN.default_networks((32, 32, 3), seed=0)
    generator, discriminator = networks["generator"], networks["discriminator"]
    assert (generator.input_shape, generator.output_shape) == ((None, 128), (None, 32, 32, 3))
    kernels = 128 * 16 * 256 + 3 * (2 * 9 * 256**2 + 256**2) + 9 * 256 * 3
    assert sum(np.prod(v.shape) for v in generator.weights if v.name == "kernel") == kernels

    shapes = [tuple(layer.layer.kernel.shape) for layer in layers_of(discriminator)]
    assert sorted(shapes) == sorted(
        [(3, 3, 3, 128), (1, 1, 3, 128), (1, 1, 128, 128), (128, 1)] + 7 * [(3, 3, 128, 128)]
    )
    assert not [layer.name for layer in discriminator.layers if hasattr(layer, "kernel")]
    names = {type(layer).__name__ for layer in discriminator.layers}
    assert {name for name in names if "Normalization" in name} == {"SpectralNormalization"}


def test_discriminator_by_its_formula():
    """Block by block in numpy's order, with each kernel over its singular value and no fusing."""
    discriminator = build_sngan_discriminator((8, 8, 1), width=4, seed=3)
    weights = []
    for layer in layers_of(discriminator):
        if layer.layer.use_bias:
            layer.layer.bias.assign(np.linspace(-1, 1, layer.layer.bias.shape[0]))
        weights.append((layer.layer.kernel / layer.sigma(), layer.layer.bias))
    *convolutions, last = weights
    shortcut = next(w for w in convolutions if w[0].shape[:2] == (1, 1))
    first, second, *others = [w for w in convolutions if w[0].shape[:2] == (3, 3)]
    pictures = x = np.random.default_rng(0).uniform(-1, 1, (2, 8, 8, 1)).astype("float32")

    def conv(x, weights):
        return ops.conv(x, weights[0], padding="same") + weights[1]

    def halved(x):
        return ops.average_pool(x, 2)

    y = conv(ops.relu(conv(x, first)), second)
    x = halved(y) + halved(conv(x, shortcut))
    for c1, c2 in (others[:2], others[2:]):
        x = x + conv(ops.relu(conv(ops.relu(x), c1)), c2)
    expected = ops.sum(ops.relu(x), (1, 2)) @ last[0]
    np.testing.assert_allclose(discriminator(pictures), expected, rtol=1e-4, atol=1e-5)


def test_step_by_hand():
    """The generator first, on twice the minibatch; then each minibatch with fakes of its own.

    With D(x) = w . x / sigma and one column in w, sigma = |w| and dD/dx = w / |w|. The minibatches'
    hinges are all active, since |D| < 1.
    """
    rate, rng = 0.1, np.random.default_rng(1)
    generator = build_mlp_generator((2,), 3, (4,), seed=1)
    dense = keras.layers.Dense(1, use_bias=False)
    inputs = keras.Input((2,))
    discriminator = keras.Model(inputs, SpectralNormalization(dense)(inputs))
    w = np.array([[0.6], [0.8]], "float32")
    dense.kernel.assign(w)
    settings = {"n_discriminator": 2, "total_steps": 10, "seed": 3}
    model = harness.compile_sgd(SNGAN(generator, discriminator, **settings), rate)
    twin = SNGAN(keras.models.clone_model(generator), discriminator, **settings)
    twin.generator.set_weights(generator.get_weights())
    reals = rng.uniform(-0.3, 0.3, (2, 8, 2)).astype("float32")  # two minibatches

    # Latents are drawn in the order of the algorithm.
    latents = np.concatenate([twin.sample_latents(reals[0]) for _ in range(2)])
    assert latents.shape == (16, 3)
    with tf.GradientTape() as tape:
        loss = -tf.reduce_mean(twin.generator(latents) @ (w / np.linalg.norm(w)))
    gradients = tape.gradient(loss, [v.value for v in twin.generator.trainable_variables])
    for variable, gradient in zip(twin.generator.trainable_variables, gradients, strict=True):
        variable.assign_sub(rate * gradient)
    for minibatch in reals:
        fakes = np.array(twin.generator(twin.sample_latents(minibatch)))
        norm = np.linalg.norm(w)
        assert max(abs(minibatch @ w / norm).max(), abs(fakes @ w / norm).max()) < 1
        towards = (fakes.mean(0) - minibatch.mean(0))[:, None]
        w = w - rate * (towards - w * (w.T @ towards) / norm**2) / norm  # tangential: see sigma

    batches = tf.data.Dataset.from_tensor_slices(reals)
    model.fit(batches, verbose=0, steps_per_epoch=1)
    np.testing.assert_allclose(dense.kernel, w, rtol=1e-4, atol=1e-6)
    for ours, theirs in zip(generator.weights, twin.generator.weights, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)


def test_layers_without_it_are_named():
    generator, discriminator = pair()
    dense = keras.layers.Dense(1, name="plain")
    x = keras.layers.Flatten()(discriminator.inputs[0])
    with pytest.warns(UserWarning, match="spectral normalization in every layer.*plain"):
        SNGAN(generator, keras.Model(discriminator.inputs, dense(x)))


def test_points():
    """`default_networks` for points: a discriminator of dense layers, all normalized."""
    networks = SNGAN.default_networks((2,), seed=0)
    layers = layers_of(networks["discriminator"])
    assert [tuple(layer.layer.kernel.shape) for layer in layers] == [
        (2, 256),
        (256, 256),
        (256, 256),
        (256, 1),
    ]
    again = SNGAN.default_networks((2,), seed=0)["discriminator"]
    for ours, theirs in zip(networks["discriminator"].weights, again.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
