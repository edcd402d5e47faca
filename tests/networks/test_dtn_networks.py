"""DTN's networks: the paper's layers and numbers of weights by hand, sizes, seeds, classifiers."""

import keras
import numpy as np
import pytest

from keras_gans.layers import BatchNormalization
from keras_gans.networks import (
    build_dtn_classifier,
    build_dtn_decoder,
    build_dtn_discriminator,
    build_dtn_encoder,
)


def filters(network):
    return [layer.filters for layer in network.layers if "Conv2D" in type(layer).__name__]


def trained(network):
    return sum(int(np.prod(v.shape)) for v in network.trainable_variables)


def test_paper_32():
    """64-128-256-128 with pooling; four layers up, and four down to three logits."""
    encoder = build_dtn_encoder((32, 32, 3), seed=0)
    assert filters(encoder) == [64, 128, 256] and encoder.output_shape == (None, 128)
    kernels = 9 * (3 * 64 + 64 * 128 + 128 * 256) + 4 * 4 * 256 * 128
    assert trained(encoder) == kernels + 64 + 128 + 256 + 128
    assert sum(isinstance(layer, keras.layers.MaxPooling2D) for layer in encoder.layers) == 3
    features = encoder(np.random.default_rng(0).uniform(-1, 1, (9, 32, 32, 3)))
    assert features.dtype == "float32" and float(np.min(features)) == 0 < float(np.max(features))

    decoder = build_dtn_decoder(128, (32, 32, 1), seed=0)
    assert filters(decoder) == [256, 128, 1] and decoder.output_shape == (None, 32, 32, 1)
    kernels = 128 * 4 * 4 * 512 + 16 * (512 * 256 + 256 * 128 + 128)
    assert trained(decoder) == kernels + 2 * (512 + 256 + 128) + 1
    assert np.abs(decoder(100 * np.ones((2, 128)))).max() <= 1

    discriminator = build_dtn_discriminator((32, 32, 1), seed=0)
    assert filters(discriminator) == [128, 256, 512] and discriminator.output_shape == (None, 3)
    kernels = 16 * (128 + 128 * 256 + 256 * 512) + 4 * 4 * 512 * 3
    assert trained(discriminator) == kernels + 2 * (128 + 256 + 512) + 3
    for network in (decoder, discriminator):
        assert sum(isinstance(layer, BatchNormalization) for layer in network.layers) == 3
        kinds = {type(layer).__name__ for layer in network.layers}
        assert "ReLU" in kinds and "LeakyReLU" not in kinds


@pytest.mark.parametrize(
    "shape, smallest, widths",
    [
        ((28, 28, 1), (7, 7), [2, 4]),
        ((64, 64, 3), (4, 4), [2, 4, 8, 8]),
        ((16, 24, 2), (4, 6), [2, 4]),
        ((8, 12, 4), (4, 6), [2]),
    ],
)
def test_sizes(shape, smallest, widths):
    """Halved while both sides are even and at least 8, doubled back as often."""
    encoder = build_dtn_encoder(shape, 5, width=2)
    assert filters(encoder) == widths
    assert encoder.get_layer("features").kernel.shape == (smallest[0] * smallest[1] * widths[-1], 5)
    decoder = build_dtn_decoder(5, shape, width=2)
    assert filters(decoder) == [*widths[-2::-1], shape[2]] and decoder.output_shape[1:] == shape
    assert decoder.layers[1].units == smallest[0] * smallest[1] * widths[-1]
    discriminator = build_dtn_discriminator(shape, width=2)
    assert filters(discriminator) == widths and discriminator.input_shape[1:] == shape


BUILDERS = {
    "encoder": lambda **given: build_dtn_encoder(
        **{"image_shape": (16, 16, 1), "feature_dim": 4, "width": 2, **given}
    ),
    "decoder": lambda **given: build_dtn_decoder(
        **{"feature_dim": 4, "image_shape": (16, 16, 1), "width": 2, **given}
    ),
    "discriminator": lambda **given: build_dtn_discriminator(
        **{"image_shape": (16, 16, 1), "width": 2, **given}
    ),
}


@pytest.mark.parametrize("name", BUILDERS)
def test_seeds(name):
    one, same, other = (BUILDERS[name](seed=seed).get_weights() for seed in (0, 0, 1))
    assert all((a == b).all() for a, b in zip(one, same, strict=True))
    drawn = [(a, b) for a, b in zip(one, other, strict=True) if a.ndim > 1]
    assert drawn and all((a != b).any() for a, b in drawn)


def test_a_classifier_trains_its_encoder():
    """The same layers: after a few steps it tells dark pictures from light ones, and f moved."""
    encoder = build_dtn_encoder((8, 8, 1), 4, width=4, seed=0)
    classifier = build_dtn_classifier(encoder, 2, seed=0)
    assert classifier.output_shape == (None, 2) and classifier.output.dtype == "float32"
    again = build_dtn_classifier(encoder, 2, seed=0)
    np.testing.assert_array_equal(*(net.get_weights()[-2] for net in (classifier, again)))
    before = encoder.get_weights()
    labels = np.arange(64) % 2
    noise = np.random.default_rng(0).uniform(-0.3, 0.3, (64, 8, 8, 1))
    x = (noise + 0.6 * (2 * labels - 1)[:, None, None, None]).astype("float32")
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    classifier.compile(keras.optimizers.Adam(0.01), loss, metrics=["accuracy"])
    classifier.fit(x, labels, epochs=5, verbose=0)
    assert classifier.evaluate(x, labels, verbose=0, return_dict=True)["accuracy"] == 1
    assert all((a != b).any() for a, b in zip(encoder.get_weights(), before, strict=True))


def test_what_is_refused():
    for name, settings, match in (
        ("encoder", {"image_shape": (30, 32, 1)}, "`image_shape` must be"),
        ("decoder", {"image_shape": (32, 32)}, "`image_shape` must be"),
        ("discriminator", {"image_shape": (32, 32, 5)}, "`image_shape` must be"),
        ("encoder", {"feature_dim": 0}, "`feature_dim` must be"),
        ("decoder", {"feature_dim": 2.5}, "`feature_dim` must be"),
        ("encoder", {"width": 0}, "`width` must be"),
        ("decoder", {"width": 0}, "`width` must be"),
        ("discriminator", {"width": None}, "`width` must be"),
        ("discriminator", {"seed": -1}, "`seed` must be"),
    ):
        with pytest.raises(ValueError, match=match):
            BUILDERS[name](**settings)
    encoder = BUILDERS["encoder"]()
    for num_classes in (1, 0, 2.5):
        with pytest.raises(ValueError, match="`num_classes` must be"):
            build_dtn_classifier(encoder, num_classes)
    for wrong in (BUILDERS["decoder"](), "encoder"):
        with pytest.raises(ValueError, match="`encoder` must be a built"):
            build_dtn_classifier(wrong, 10)
