"""The LAPGAN builders: shapes, what the discriminators see, dropout, seeds, saving, errors."""

import keras
import numpy as np
import pytest

from keras_gans.networks import build_lapgan_discriminators, build_lapgan_generators

SIZES = {
    ((28, 28, 1), 3): [(7, 7), (14, 14), (28, 28)],
    ((32, 32, 3), 3): [(8, 8), (16, 16), (32, 32)],
    ((16, 24, 3), 2): [(8, 12), (16, 24)],
    ((6, 10, 4), 2): [(3, 5), (6, 10)],
    ((5, 7, 1), 1): [(5, 7)],
}
SHAPES = pytest.mark.parametrize(("shape", "levels"), SIZES, ids=str)


def generators(shape=(8, 12, 2), levels=3, latent_dim=5, **kwargs):
    small = {"width": 3, "kernel_size": 3, "units": 8, **kwargs}
    return build_lapgan_generators(shape, levels, latent_dim, **small)


def discriminators(shape=(8, 12, 2), levels=3, **kwargs):
    return build_lapgan_discriminators(
        shape, levels, **{"width": 3, "kernel_size": 3, "units": 8, **kwargs}
    )


BUILDERS = pytest.mark.parametrize("build", [generators, discriminators], ids=lambda f: f.__name__)


def inputs_of(network, num=4, seed=0):
    rng = np.random.default_rng(seed)
    values = [rng.uniform(-1, 1, (num, *t.shape[1:])).astype("float32") for t in network.inputs]
    return values if len(values) > 1 else values[0]


@SHAPES
def test_generator_shapes(shape, levels):
    networks, channels = generators(shape, levels), shape[2]
    assert len(networks) == levels
    assert networks[0].input_shape == (None, 5)
    for network, (h, w) in zip(networks, SIZES[shape, levels], strict=True):
        assert network.output_shape == (None, h, w, channels)
        made = network(inputs_of(network)).numpy()
        assert made.dtype == np.float32 and np.isfinite(made).all()
        if network is not networks[0]:
            assert network.input_shape == [(None, h, w, 1), (None, h, w, channels)]


@SHAPES
def test_discriminator_shapes(shape, levels):
    networks = discriminators(shape, levels)
    assert len(networks) == levels
    for level, (network, (h, w)) in enumerate(zip(networks, SIZES[shape, levels], strict=True)):
        taken = (None, h, w, shape[2])
        assert network.input_shape == ([taken, taken] if level else taken)
        assert network.output_shape == (None, 1)
        logits = network(inputs_of(network)).numpy()
        assert logits.dtype == np.float32 and np.isfinite(logits).all()


def test_ranges():
    """The coarsest level makes pictures, the finer ones signed residuals without a bound."""
    coarsest, middle, _ = generators(seed=1)
    assert np.abs(coarsest(inputs_of(coarsest) * 1000).numpy()).max() <= 1
    residuals = middle([1000 * values for values in inputs_of(middle)]).numpy()
    assert residuals.min() < -1 and residuals.max() > 1


def test_residuals_depend_on_noise_and_low_pass():
    _, *finer = generators(seed=2)
    for network in finer:
        noise, low_pass = inputs_of(network)
        made = network([noise, low_pass]).numpy()
        for inputs in ([noise + 1, low_pass], [noise, low_pass + 1]):
            assert np.abs(network(inputs).numpy() - made).max() > 1e-3


def test_discriminators_see_the_sum():
    """Residual and low-pass are added before the first convolution (section 2.3)."""
    for network in discriminators(seed=3)[1:]:
        residuals, low_pass = inputs_of(network)
        moved = np.random.default_rng(9).uniform(-1, 1, residuals.shape).astype("float32")
        logits = network([residuals, low_pass]).numpy()
        same = network([residuals + moved, low_pass - moved]).numpy()
        np.testing.assert_allclose(same, logits, atol=1e-5)
        assert np.abs(network([residuals + moved, low_pass]).numpy() - logits).max() > 1e-3


def test_dropout_in_the_discriminators_alone():
    for network in discriminators(seed=4):
        values = inputs_of(network)
        logits = network(values, training=True).numpy()
        assert (logits != network(values, training=True).numpy()).any()
    for network in (*discriminators(seed=4, dropout=0.0), *generators(seed=4)):
        values = inputs_of(network)
        still = network(values, training=False).numpy()
        np.testing.assert_array_equal(network(values, training=True).numpy(), still)


def test_sizes_of_the_paper():
    """Section 3.1: 1200 and 600 units, layers of 3 and 2 convolutions; 64 filters."""
    shape = (28, 28, 3)
    dense, *convolutional = build_lapgan_generators(shape)
    assert [w.shape for w in dense.weights if w.name == "kernel"] == [
        (100, 1200), (1200, 1200), (1200, 147)
    ]  # fmt: skip
    for network in convolutional:
        kernels = [w.shape for w in network.weights if w.name == "kernel"]
        assert kernels == [(7, 7, 4, 64), (7, 7, 64, 64), (5, 5, 64, 3)]
    dense, *convolutional = build_lapgan_discriminators(shape)
    kernels = [w.shape for w in dense.weights if w.name == "kernel"]
    assert kernels == [(147, 600), (600, 600), (600, 1)]
    # Without padding: 14 -> 10 -> 3 and 28 -> 24 -> 10 pixels.
    for network, side in zip(convolutional, (3, 10), strict=True):
        kernels = [w.shape for w in network.weights if w.name == "kernel"]
        assert kernels == [(5, 5, 3, 64), (5, 5, 64, 64), (side * side * 64, 1)]


def parameters(network):
    return sum(v.numpy().size for v in network.trainable_variables)


def test_class_conditional_sizes():
    """train_cifar_coarse_to_fine_classcond.lua for 16 and 32 pixels, train_cifar_classcond.lua
    for the coarsest: the numbers of weights and biases of their layers, counted by hand.
    """
    coarsest, *finer = build_lapgan_generators((32, 32, 3), num_classes=10)
    assert parameters(coarsest) == 110 * 1200 + 1200 + 1200 * 1200 + 1200 + 1200 * 192 + 192
    convolutions = 49 * 5 * 64 + 64 + 49 * 64 * 64 + 64 + 25 * 64 * 3 + 3  # 5 channels
    for network, pixels in zip(finer, (16 * 16, 32 * 32), strict=True):
        assert parameters(network) == 10 * pixels + pixels + convolutions
    coarsest, *finer = build_lapgan_discriminators((32, 32, 3), num_classes=10)
    assert parameters(coarsest) == 202 * 600 + 600 + 600 * 600 + 600 + 600 + 1
    convolutions = 25 * 4 * 64 + 64 + 25 * 64 * 64 + 64
    # floor((16 - 5 + 1 - 5) / 2 + 1) = 4, and 12 for 32, is `sz` there
    for network, pixels, side in zip(finer, (16 * 16, 32 * 32), (4, 12), strict=True):
        head = side * side * 64 + 1
        assert parameters(network) == 10 * pixels + pixels + convolutions + head


def test_small_pictures_are_padded():
    """Two kernels of 5, the second with a step of 2, fit in 9 pixels and leave 1 of them."""
    for side, left in ((8, 4), (10, 1), (14, 3)):
        _, network = build_lapgan_discriminators((side, 14, 1), 2, width=2, units=2)
        other = 7 if side == 8 else 3
        assert network.get_layer("logits").kernel.shape == (left * other * 2, 1)


def planes(network):
    return [layer for layer in network.layers if type(layer).__name__ == "Reshape"]


def test_labels_are_one_more_channel():
    """relu(W y + b), in rows and columns, beside noise and low-pass, or beside the sum."""
    given = {"shape": (8, 12, 2), "levels": 2, "num_classes": 3, "seed": 0}
    for (_, network), channels in ((generators(**given), 4), (discriminators(**given), 3)):
        (plane,) = planes(network)
        assert plane.output.shape == (None, 8, 12, 1)
        part = keras.Model(network.inputs, plane.output)
        dense = next(v for v in network.layers if type(v).__name__ == "Dense")
        kernel = np.random.default_rng(1).normal(size=(3, 96)).astype("float32")
        bias = np.linspace(-1, 1, 96, dtype="float32")
        dense.set_weights([kernel, bias])
        pictures = inputs_of_labelled(network)
        expected = np.maximum(kernel[[2, 0, 1, 2]] + bias, 0).reshape(4, 8, 12, 1)
        np.testing.assert_allclose(part(pictures), expected, atol=1e-6)
        first = next(v for v in network.layers if type(v).__name__ == "Conv2D")
        assert first.kernel.shape[2] == channels


def inputs_of_labelled(network, labels=(2, 0, 1, 2)):
    rng = np.random.default_rng(0)
    values = [rng.uniform(-1, 1, (4, *t.shape[1:])).astype("float32") for t in network.inputs[:-1]]
    return [*values, np.array(labels)]


@BUILDERS
def test_labels_matter_at_each_level(build):
    for level, network in enumerate(build(num_classes=3, seed=0)):
        assert [t.name for t in network.inputs][-1] == "labels" and network.inputs[-1].shape == (
            None,
        )
        assert len(network.inputs) == 2 + (level > 0)
        one, other = (np.array(network(inputs_of_labelled(network, [k] * 4))) for k in (0, 1))
        assert np.abs(one - other).max() > 1e-4


def test_kernels_of_each_convolution():
    _, network = generators(levels=2, kernel_size=(5, 3, 1))
    kernels = [w.shape[:2] for w in network.weights if w.name == "kernel"]
    assert kernels == [(5, 5), (3, 3), (1, 1)]
    for size in ((5, 3), (5, 3, 1, 1), (5, 3, 0)):
        with pytest.raises(ValueError, match=r"`kernel_size` must be.*Received"):
            generators(levels=2, kernel_size=size)


@BUILDERS
def test_seeds(build):
    one, same, other = ([n.get_weights() for n in build(seed=seed)] for seed in (1, 1, 2))
    for level in range(3):
        for a, b, c in zip(one[level], same[level], other[level], strict=True):
            np.testing.assert_array_equal(a, b)
            assert not a.any() or (a != c).any()  # biases are zeros
    middle, fine = one[1][2], one[2][2]  # of one shape: the second convolution's
    assert middle.shape == fine.shape and (middle != fine).all()


@BUILDERS
def test_saving(build, tmp_path):
    for level, network in enumerate(build(seed=0)):
        path = tmp_path / f"{level}.keras"
        network.save(path)
        loaded = keras.models.load_model(path)
        values = inputs_of(network)
        np.testing.assert_array_equal(loaded(values), network(values))


@BUILDERS
@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"shape": (28, 28, 1), "levels": 4}, r"`image_shape`.*multiples of 8.*\(28, 28, 1\)"),
        ({"shape": (6, 8, 1)}, r"multiples of 4.*\(6, 8, 1\)"),
        ({"shape": (2,)}, r"`image_shape`.*\(2,\)"),
        ({"shape": (8, 8, 5)}, "C from 1 to 4"),
        ({"levels": 0}, "`levels`"),
        ({"width": 0}, "`width`"),
        ({"kernel_size": 2.5}, "`kernel_size`"),
        ({"units": 0}, "`units`"),
        ({"num_classes": 0}, "`num_classes`"),
        ({"seed": -1}, "`seed`"),
    ],
)
def test_bad_arguments(build, arguments, match):
    with pytest.raises(ValueError, match=match):
        build(**arguments)


def test_bad_arguments_of_one():
    with pytest.raises(ValueError, match="latent_dim"):
        generators(latent_dim=0)
    for levels in (1, 2):
        with pytest.raises(ValueError, match=r"\[0, 1\)"):
            discriminators(levels=levels, dropout=1.0)
