"""InfoGAN's networks: table 1's layers and numbers of weights by hand, other sizes, errors."""

import keras
import numpy as np
import pytest

from keras_gans import InfoGAN
from keras_gans.networks import build_infogan_discriminator, build_infogan_generator

MAPS = 7 * 7 * 128


def weighted(network):
    """Types of the layers that matter, in their order."""
    names = [type(layer).__name__ for layer in network.layers]
    return [name for name in names if name not in ("InputLayer", "OneHot", "Concatenate")]


def number_of_weights(network):
    """Trained ones, and those of batch normalization that are means and variances of the data."""
    trained = sum(w.numpy().size for w in network.trainable_weights)
    return trained, sum(w.numpy().size for w in network.non_trainable_weights)


def test_weights_of_table_1_by_hand():
    """62 noise variables, a category of 10 and two continuous codes, 74 numbers in all."""
    networks = InfoGAN.from_paper((28, 28, 1))
    generator = 74 * 1024 + 1024 * MAPS + 4 * 4 * 128 * 64 + (4 * 4 * 64 * 1 + 1)
    generator += 2 * (1024 + MAPS + 64)  # scales and offsets
    assert number_of_weights(networks.generator) == (generator, 2 * (1024 + MAPS + 64))
    discriminator = (4 * 4 * 1 * 64 + 64) + 4 * 4 * 64 * 128 + MAPS * 1024 + (1024 + 1)
    discriminator += 2 * (128 + 1024)
    assert number_of_weights(networks.discriminator) == (discriminator, 2 * (128 + 1024))
    recognition = 1024 * 128 + 2 * 128 + (128 + 1) * (10 + 2)
    assert number_of_weights(networks.recognition) == (recognition, 2 * 128)
    assert networks.generator.count_params() == 6_659_841
    assert networks.discriminator.count_params() == 6_560_321


def test_layers_of_table_1():
    up = ["Conv2DTranspose", "BatchNormalization", "ReLU"]
    dense = ["Dense", "BatchNormalization", "ReLU"]
    generator = build_infogan_generator((28, 28, 1))
    assert weighted(generator) == [*dense, *dense, "Reshape", *up, "Conv2DTranspose"]
    assert [tuple(t.shape) for t in generator.inputs] == [(None, 64), (None,)]
    last = generator.layers[-1]
    assert last.activation is keras.activations.tanh and last.kernel_size == (4, 4)
    discriminator = build_infogan_discriminator((28, 28, 1))
    behind = ["BatchNormalization", "LeakyReLU"]
    judged = ["Conv2D", "LeakyReLU", "Conv2D", *behind, "Flatten", "Dense", *behind, "Dense"]
    assert weighted(discriminator) == judged
    convolutions = [
        layer for layer in discriminator.layers if isinstance(layer, keras.layers.Conv2D)
    ]
    assert [(c.kernel_size, c.strides) for c in convolutions] == [((4, 4), (2, 2))] * 2
    slopes = {layer.negative_slope for layer in discriminator.layers if "ReLU" in str(type(layer))}
    assert slopes == {0.1}
    assert discriminator.output_shape == [(None, 1), (None, 1024)]


def test_logits_are_of_the_features():
    """One layer behind them; at inference the moving statistics are 0 and 1 at first."""
    network = build_infogan_discriminator((8, 8, 1), width=4, units=6, seed=0)
    network.set_weights([20 * w if w.ndim > 1 else w for w in network.get_weights()])
    x = np.random.default_rng(0).uniform(-1, 1, (3, 8, 8, 1)).astype("float32")
    logits, features = network(x)
    head = network.get_layer("logits")
    np.testing.assert_allclose(logits, features @ head.kernel, rtol=1e-5)
    assert (np.array(features) < 0).any() and (np.array(features) > 0).any()


def test_generator_by_numpy():
    """The dense layers on [latents, one-hot codes], in float64."""
    network = build_infogan_generator((8, 8, 1), 3, (2, 4), width=2, units=5, seed=0)
    network.set_weights([20 * w if w.ndim > 1 else w for w in network.get_weights()])
    latents = np.random.default_rng(0).normal(size=(2, 3)).astype("float32")
    codes = np.array([[1, 3], [0, 2]])
    x = np.concatenate([latents, np.eye(2)[codes[:, 0]], np.eye(4)[codes[:, 1]]], axis=1)
    dense = [layer for layer in network.layers if isinstance(layer, keras.layers.Dense)]
    norms = [n for n in network.layers if type(n).__name__ == "BatchNormalization"]
    for layer, norm in zip(dense, norms, strict=False):
        x = x @ np.array(layer.kernel, "float64") * norm.gamma / np.sqrt(1 + 1.001e-5)
        x = np.maximum(x, 0)
    maps = keras.Model(network.inputs, next(n for n in network.layers if "Resh" in str(n)).output)
    np.testing.assert_allclose(maps([latents, codes]), x.reshape(2, 4, 4, 2), rtol=1e-4, atol=1e-5)
    pictures = np.array(network([latents, codes]))
    assert pictures.shape == (2, 8, 8, 1) and np.abs(pictures).max() < 1


def test_other_sizes():
    """Maps begin where halving ends, and double their filters with each halving, up to 8 times."""
    for shape, smallest, filters in (
        ((64, 64, 3), (4, 4), [512, 256, 128, 64]),
        ((32, 32, 3), (4, 4), [256, 128, 64]),
        ((24, 16, 1), (6, 4), [128, 64]),
    ):
        generator = build_infogan_generator(shape, units=7)
        maps = [n.output.shape[1:] for n in generator.layers if "Resh" in str(n)]
        assert maps == [(*smallest, filters[0])]
        convolutions = [n for n in generator.layers if "Conv2DTranspose" in str(type(n))]
        assert [c.filters for c in convolutions] == [*filters[1:], shape[2]]
        assert generator.output_shape == (None, *shape)
        discriminator = build_infogan_discriminator(shape, units=7)
        convolutions = [n for n in discriminator.layers if "Conv2D" in str(type(n))]
        assert [c.filters for c in convolutions] == filters[::-1]
        assert convolutions[-1].output.shape[1:3] == smallest
        assert discriminator.output_shape == [(None, 1), (None, 7)]


def test_initial_weights():
    """N(0, 0.02), the scales N(1, 0.02), and of a seed the same ones."""
    for build in (build_infogan_generator, build_infogan_discriminator):
        one, same, other = (build((8, 8, 1), width=8, units=64, seed=s) for s in (1, 1, 2))
        for a, b in zip(one.get_weights(), same.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
        kernels = [w for w in one.get_weights() if w.ndim > 1]
        for kernel in kernels:
            assert kernel.std() == pytest.approx(0.02, rel=5 / np.sqrt(2 * kernel.size))
        norm = next(n for n in one.layers if type(n).__name__ == "BatchNormalization")
        scales = np.array(norm.gamma)
        assert 0 < scales.std() < 0.04 and abs(scales.mean() - 1) < 0.02
        assert (one.get_weights()[0] != other.get_weights()[0]).mean() > 0.99


def test_default_networks():
    """Several codes and learned variances; points have dense networks."""
    networks = InfoGAN.default_networks((8, 8, 1), (3, 5), 6, seed=0, learn_variance=True)
    gan = InfoGAN(**networks, seed=0)
    assert (gan.num_categories, gan.num_continuous, gan.learns_variance) == ((3, 5), 2, True)
    assert gan.classify(gan.generate(3, seed=0)).shape == (3, 2)
    points = InfoGAN(**InfoGAN.default_networks((2,), (3, 5), 6, seed=0), seed=0)
    assert points.generate(3, labels=[2, 4]).shape == (3, 2)
    assert "Conv2D" not in weighted(points.discriminator)


@pytest.mark.parametrize(
    ("build", "arguments", "match"),
    [
        (build_infogan_generator, {"image_shape": (30, 30, 1)}, "`image_shape` must be"),
        (build_infogan_generator, {"latent_dim": 0}, "`latent_dim` must be"),
        (build_infogan_generator, {"num_categories": 0}, "`num_categories` must be"),
        (build_infogan_generator, {"num_categories": (10, 0)}, "`num_categories` .*Received: 0$"),
        (build_infogan_generator, {"width": 0}, "`width` must be"),
        (build_infogan_generator, {"units": 2.5}, "`units` must be"),
        (build_infogan_generator, {"seed": -1}, "`seed` must be"),
        (build_infogan_discriminator, {"image_shape": (28, 28)}, "`image_shape` must be"),
        (build_infogan_discriminator, {"width": True}, "`width` must be"),
        (build_infogan_discriminator, {"units": 0}, "`units` must be"),
        (build_infogan_discriminator, {"seed": -1}, "`seed` must be"),
    ],
)
def test_bad_arguments(build, arguments, match):
    with pytest.raises(ValueError, match=match):
        build(**{"image_shape": (8, 8, 1), **arguments})
