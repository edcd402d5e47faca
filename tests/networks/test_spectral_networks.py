"""Judges with normalization="spectral": of every layer that has weights, and no other kind."""

import keras
import numpy as np
import pytest

from keras_gans import SNGAN
from keras_gans.layers import SpectralNormalization
from keras_gans.networks import (
    build_dcgan_discriminator,
    build_dcgan_encoder,
    build_dcgan_generator,
    build_patchgan_discriminator,
    build_residual_discriminator,
    build_residual_generator,
)

SHAPE = (16, 24, 2)
BUILDERS = {
    "dcgan": lambda **s: build_dcgan_discriminator(SHAPE, width=2, **s),
    "dcgan of labels": lambda **s: build_dcgan_discriminator(SHAPE, 2, num_classes=3, **s),
    "patchgan": lambda **s: build_patchgan_discriminator(SHAPE, width=2, num_layers=2, **s),
    "residual": lambda **s: build_residual_discriminator(SHAPE, width=4, **s),
}


@pytest.mark.parametrize("build", BUILDERS.values(), ids=BUILDERS)
def test_all_kernels_are_normalized(build):
    network, plain = build(normalization="spectral", seed=1), build(normalization=None, seed=1)
    normalized = [x for x in network.layers if isinstance(x, SpectralNormalization)]
    kernels = [w for w in network.trainable_weights if w.name == "kernel"]
    assert len(normalized) == len(kernels) >= 3
    assert not [x for x in network.layers if hasattr(x, "kernel")]
    # Nothing else is: there are the weights of the network without any, biases among them.
    shapes = [tuple(w.shape) for w in network.trainable_weights]
    assert shapes == [tuple(w.shape) for w in plain.trainable_weights]
    names = [layer.name for layer in network.layers]
    assert names[-1] == plain.layers[-1].name
    assert len({float(np.array(layer.u)[0, 0]) for layer in normalized}) == len(normalized)


@pytest.mark.parametrize("build", BUILDERS.values(), ids=BUILDERS)
def test_largest_singular_values(build):
    network = build(normalization="spectral", seed=1)
    rng = np.random.default_rng(0)
    inputs = [rng.normal(size=(2, *SHAPE)).astype("float32"), np.array([0, 2])]
    inputs = inputs if len(network.inputs) == 2 else inputs[0]
    for _ in range(60):
        network(inputs, training=True)
    for layer in network.layers:
        if isinstance(layer, SpectralNormalization):
            kernel = np.array(layer.layer.kernel)
            largest = np.linalg.svd(kernel.reshape(-1, kernel.shape[-1]), compute_uv=False)[0]
            assert float(layer.sigma()) == pytest.approx(largest, rel=3e-2)


def test_sngan_is_content(recwarn):
    generator = build_dcgan_generator(SHAPE, 4, width=2, seed=0)
    SNGAN(generator, BUILDERS["dcgan"](normalization="spectral"))
    assert not recwarn.list


def test_half_precision_ends_in_float32():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        network = BUILDERS["dcgan"](normalization="spectral")
    finally:
        keras.config.set_dtype_policy("float32")
    assert network.outputs[0].dtype == "float32"
    dtypes = {x.compute_dtype for x in network.layers if isinstance(x, SpectralNormalization)}
    assert dtypes == {"bfloat16", "float32"}


@pytest.mark.parametrize(
    "build", [build_dcgan_generator, build_residual_generator, build_dcgan_encoder]
)
def test_others_have_no_such(build):
    with pytest.raises(ValueError, match=r"`normalization` must .*Received: 'spectral'"):
        build(SHAPE, normalization="spectral")
