"""The networks of progressive GANs against table 2 of Karras et al., 2018."""

import keras
import numpy as np
import pytest

from keras_gans.layers import FadeIn, MultiplicativeNoise
from keras_gans.layers.fade_in import set_alpha
from keras_gans.networks import build_progan_discriminator, build_progan_generator

SMALL = {"filters_base": 64, "filters_max": 8, "seed": 3}

# Rows of the paper's table for 1024 x 1024: (side, filters, parameters as the table rounds them);
# the first row of the generator is its 4 x 4 convolution, the last one its 1 x 1.
GENERATOR = [
    (4, 512, "4.2M"),
    (4, 512, "2.4M"),
    (8, 512, "2.4M"),
    (8, 512, "2.4M"),
    (16, 512, "2.4M"),
    (16, 512, "2.4M"),
    (32, 512, "2.4M"),
    (32, 512, "2.4M"),
    (64, 256, "1.2M"),
    (64, 256, "590k"),
    (128, 128, "295k"),
    (128, 128, "148k"),
    (256, 64, "74k"),
    (256, 64, "37k"),
    (512, 32, "18k"),
    (512, 32, "9.2k"),
    (1024, 16, "4.6k"),
    (1024, 16, "2.3k"),
    (1024, 3, "51"),
]
# The first row is the 1 x 1 convolution, the last two are the 4 x 4 one and the dense layer.
DISCRIMINATOR = [
    (1024, 16, "64"),
    (1024, 16, "2.3k"),
    (1024, 32, "4.6k"),
    (512, 32, "9.2k"),
    (512, 64, "18k"),
    (256, 64, "37k"),
    (256, 128, "74k"),
    (128, 128, "148k"),
    (128, 256, "295k"),
    (64, 256, "590k"),
    (64, 512, "1.2M"),
    (32, 512, "2.4M"),
    (32, 512, "2.4M"),
    (16, 512, "2.4M"),
    (16, 512, "2.4M"),
    (8, 512, "2.4M"),
    (8, 512, "2.4M"),
    (4, 512, "2.4M"),
    (1, 512, "4.2M"),
    (1, 1, "513"),
]


def rounded(count):
    """As the table writes it: two digits with M and below 10k, whole thousands above."""
    if count >= 1e6:
        return f"{count / 1e6:.1f}M"
    if count >= 1e4:
        return f"{count / 1e3:.0f}k"
    return f"{count / 1e3:.1f}k" if count >= 1e3 else str(count)


def rows(network):
    """(side, filters, rounded parameters) of the layers with weights, in order."""
    found = []
    for layer in network.layers:
        if layer.weights:
            shape = layer.output.shape
            side = 1 if len(shape) == 2 else shape[1]
            found.append((side, shape[-1], rounded(layer.count_params())))
    return found


@pytest.fixture(scope="module")
def paper_pair():
    shape = (1024, 1024, 3)
    return build_progan_generator(shape), build_progan_discriminator(shape)


def test_generator_is_the_table(paper_pair):
    assert rows(paper_pair[0]) == GENERATOR


def test_discriminator_is_the_table(paper_pair):
    assert rows(paper_pair[1]) == DISCRIMINATOR
    assert paper_pair[1].get_layer("minibatch_stddev").output.shape[1:] == (4, 4, 513)


def test_totals_and_ends_of_the_table(paper_pair):
    generator, discriminator = paper_pair
    assert rounded(generator.count_params()) == rounded(discriminator.count_params()) == "23.1M"
    assert generator.input_shape == (None, 512)
    assert generator.output_shape == (None, 1024, 1024, 3)
    assert discriminator.output_shape == (None, 1)
    for network in paper_pair:
        for layer in network.layers:
            activation = getattr(layer, "activation", keras.activations.linear)
            assert activation is keras.activations.linear  # LReLU is a layer; the ends are linear


def test_activations_and_pixel_norms(paper_pair):
    """LReLU with slope 0.2 after each convolution, pixel norm after each of the generator's."""
    for network, pixel_norms in zip(paper_pair, (19, 0), strict=True):
        kinds = [type(layer).__name__ for layer in network.layers]
        assert kinds.count("PixelNormalization") == pixel_norms  # 18 convolutions, and the latents
        slopes = [x.negative_slope for x in network.layers if type(x).__name__ == "LeakyReLU"]
        assert len(slopes) == (18 if pixel_norms else 19) and set(slopes) == {0.2}
        assert "FadeIn" not in kinds


def test_first_convolution_is_a_dense_layer_of_its_places():
    """Each of the 4 x 4 places is the latents times that place's kernel, He-scaled by 16 * dim."""
    generator = build_progan_generator((4, 4, 1), latent_dim=6, normalization=None, **SMALL)
    layer = generator.get_layer("conv_4_a")
    latents = np.random.default_rng(0).normal(size=(2, 6)).astype("float32")
    maps = keras.Model(generator.inputs, layer.output)(latents)
    kernel = np.array(layer.kernel)[::-1, ::-1] * np.sqrt(2 / (16 * 6))
    np.testing.assert_allclose(maps, np.einsum("bc,hwcf->bhwf", latents, kernel), atol=1e-5)


def test_fading():
    """At alpha 0 a grown network is the small one, at 1 the one without the old way."""
    small = build_progan_generator((4, 4, 3), latent_dim=6, **SMALL)
    grown = small.grow()
    latents = np.random.default_rng(0).normal(size=(3, 6)).astype("float32")
    old = np.array(small(latents)).repeat(2, 1).repeat(2, 2)
    set_alpha(grown, 0.0)
    np.testing.assert_allclose(grown(latents), old, atol=1e-6)
    new = keras.Model(grown.inputs, grown.get_layer("to_rgb_8").output)(latents)
    set_alpha(grown, 1.0)
    np.testing.assert_allclose(grown(latents), new, atol=1e-6)
    set_alpha(grown, 0.25)
    np.testing.assert_allclose(grown(latents), 0.75 * old + 0.25 * np.array(new), atol=1e-6)


def test_fading_of_the_discriminator():
    small = build_progan_discriminator((4, 4, 3), **SMALL)
    grown = small.grow()
    pictures = np.random.default_rng(0).normal(size=(4, 8, 8, 3)).astype("float32")
    halved = pictures.reshape(4, 4, 2, 4, 2, 3).mean((2, 4))
    set_alpha(grown, 0.0)
    np.testing.assert_allclose(grown(pictures), small(halved), atol=1e-5)
    set_alpha(grown, 1.0)
    assert np.abs(np.array(grown(pictures)) - np.array(small(halved))).max() > 1e-3


def test_growing_twice_keeps_the_layers_and_forgets_the_oldest_way():
    small = build_progan_generator((7, 7, 1), latent_dim=6, **SMALL)
    small.set_weights([w + 1 for w in small.get_weights()])  # trained, not as the seed has them
    large = small.grow().grow()
    assert large.output_shape == (None, 28, 28, 1)
    names = {layer.name for layer in large.layers}
    assert {"to_rgb_28", "to_rgb_14", "conv_7_a", "fade_in"} <= names and "to_rgb_7" not in names
    np.testing.assert_array_equal(
        large.get_layer("conv_7_b").kernel, small.get_layer("conv_7_b").kernel
    )
    assert sum(isinstance(layer, FadeIn) for layer in large.layers) == 1


def test_settings_round_trip(tmp_path):
    settings = {**SMALL, "normalization": "batch", "equalized": False, "fade": True}
    generator = build_progan_generator((8, 12, 2), latent_dim=6, **settings)
    generator.save(tmp_path / "g.keras")
    loaded = keras.models.load_model(tmp_path / "g.keras")
    assert loaded.get_config() == generator.get_config()
    latents = np.ones((2, 6), "float32")
    np.testing.assert_allclose(loaded(latents), generator(latents), atol=1e-6)
    assert loaded.grow().output_shape == (None, 16, 24, 2)


@pytest.mark.parametrize("minibatch", ["stddev", "discrimination", None])
def test_minibatch_layers(minibatch):
    network = build_progan_discriminator((4, 4, 3), minibatch=minibatch, **SMALL)
    kinds = [type(layer).__name__ for layer in network.layers]
    assert ("MinibatchStdDev" in kinds) == (minibatch == "stddev")
    assert ("MinibatchDiscrimination" in kinds) == (minibatch == "discrimination")


def test_initial_weights():
    """Equalized: N(0, 1). Otherwise He's: sqrt(2 / fan_in), for fan_in of 3 x 3 x 64."""
    settings = {"filters_base": 128, "filters_max": 64, "seed": 1}
    for equalized, deviation in ((True, 1.0), (False, np.sqrt(2 / (9 * 64)))):
        generator = build_progan_generator((4, 4, 3), equalized=equalized, **settings)
        kernel = np.array(generator.get_layer("conv_4_b").kernel)
        assert kernel.std() == pytest.approx(deviation, rel=0.02)
        assert abs(kernel.mean()) < 0.02 * deviation


def test_noise_before_each_larger_convolution():
    network = build_progan_discriminator((8, 8, 3), noise=True, **SMALL)
    assert sum(isinstance(layer, MultiplicativeNoise) for layer in network.layers) == 4


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"image_shape": (2, 4, 3)}, "image_shape"),
        ({"image_shape": (4, 4)}, "image_shape"),
        ({"image_shape": (4, 4, 5)}, "image_shape"),
        ({"latent_dim": 0}, "latent_dim"),
        ({"filters_base": 2, "image_shape": (16, 16, 3)}, "filters_base"),
        ({"filters_max": 0}, "filters_max"),
        ({"normalization": "instance"}, "normalization"),
        ({"equalized": 1}, "equalized"),
        ({"seed": -1}, "seed"),
    ],
)
def test_bad_arguments(settings, match):
    with pytest.raises(ValueError, match=f"`{match}`"):
        build_progan_generator(**settings)
    if match not in ("latent_dim",):
        with pytest.raises(ValueError, match=f"`{match}`"):
            build_progan_discriminator(**settings)


def test_bad_minibatch():
    with pytest.raises(ValueError, match="`minibatch`"):
        build_progan_discriminator(minibatch="features")
