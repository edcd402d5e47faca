"""The networks of VAE/GAN against the authors' architectures.py, counted by hand."""

import numpy as np
import pytest

from keras_gans.networks import (
    build_vaegan_discriminator,
    build_vaegan_encoder,
    build_vaegan_generator,
)

BUILDERS = (build_vaegan_encoder, build_vaegan_generator, build_vaegan_discriminator)


def of_kind(network, name):
    return [layer for layer in network.layers if type(layer).__name__ == name]


@pytest.mark.parametrize(
    ("build", "size", "trained"),
    [
        # 5*5 kernels and two of each normalization's; dense to 1024; two heads of 128.
        (
            build_vaegan_encoder,
            64,
            25 * (3 * 64 + 64 * 128 + 128 * 256)
            + 2 * (64 + 128 + 256)
            + 8 * 8 * 256 * 1024
            + 2 * 1024
            + 2 * (1024 * 128 + 128),
        ),
        (
            build_vaegan_generator,
            64,
            128 * 16_384
            + 2 * 16_384
            + 25 * (256 * 256 + 256 * 128 + 128 * 32 + 32 * 3)
            + 2 * (256 + 128 + 32)
            + 3,
        ),
        (
            build_vaegan_generator,
            32,
            128 * 4_096
            + 2 * 4_096
            + 25 * (256 * 192 + 192 * 128 + 128 * 32 + 32 * 3)
            + 2 * (192 + 128 + 32)
            + 3,
        ),
        # The first convolution has biases, and so has the logit.
        (
            build_vaegan_discriminator,
            64,
            25 * (3 * 32 + 32 * 128 + 128 * 256 + 256 * 256)
            + 32
            + 2 * (128 + 256 + 256)
            + 8 * 8 * 256 * 512
            + 2 * 512
            + 512
            + 1,
        ),
        (
            build_vaegan_discriminator,
            32,
            25 * (3 * 32 + 32 * 128 + 128 * 192 + 192 * 256)
            + 32
            + 2 * (128 + 192 + 256)
            + 4 * 4 * 256 * 512
            + 2 * 512
            + 512
            + 1,
        ),
    ],
)
def test_numbers_of_parameters(build, size, trained):
    network = build((size, size, 3))
    assert sum(int(np.prod(v.shape)) for v in network.trainable_weights) == trained


def test_features_are_before_normalization():
    """Layer 9 of the authors' discriminator: its last convolution."""
    network = build_vaegan_discriminator((16, 24, 1), seed=1)
    assert network.output_shape == [(None, 1), (None, 2, 3, 256)]
    (last,) = [c for c in of_kind(network, "Conv2D") if c.output is network.outputs[1]]
    assert last is of_kind(network, "Conv2D")[-1] and not last.use_bias
    x = np.random.default_rng(0).normal(size=(2, 16, 24, 1)).astype("float32")
    logits, features = network(x)
    assert logits.shape == (2, 1) and np.array(features).min() < 0
    assert of_kind(network, "Conv2D")[0].strides == (1, 1)


@pytest.mark.parametrize("build", BUILDERS, ids=lambda f: f.__name__)
def test_arguments(build):
    kernels = [build((8, 16, 1), seed=seed).get_weights()[0] for seed in (1, 1, 2)]
    assert (kernels[0] == kernels[1]).all() and (kernels[0] != kernels[2]).any()
    plain = build((8, 16, 1), normalization=None)
    assert not of_kind(plain, "BatchNormalization")
    assert all(layer.use_bias for layer in plain.layers if hasattr(layer, "use_bias"))
    for arguments, message in (
        ({"image_shape": (12, 16, 1)}, "`image_shape` must be .* multiples of 8"),
        ({"image_shape": (16, 16, 1), "normalization": "spectral"}, "normalization"),
        ({"image_shape": (16, 16, 1), "seed": -1}, "seed"),
    ):
        with pytest.raises(ValueError, match=message):
            build(**arguments)
    if build is not build_vaegan_discriminator:
        with pytest.raises(ValueError, match="latent_dim"):
            build((16, 16, 1), latent_dim=0)
