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
        assert kernels == [(7, 7, 4, 64), (7, 7, 64, 64), (7, 7, 64, 3)]
    dense, *convolutional = build_lapgan_discriminators(shape)
    kernels = [w.shape for w in dense.weights if w.name == "kernel"]
    assert kernels == [(147, 600), (600, 600), (600, 1)]
    for network, side in zip(convolutional, (7, 14), strict=True):
        kernels = [w.shape for w in network.weights if w.name == "kernel"]
        assert kernels == [(5, 5, 3, 64), (5, 5, 64, 64), (side * side * 64, 1)]


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
