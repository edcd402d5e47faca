"""Models with an encoder that gives latents, and no Gaussians."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_gans import AdversarialModel
from keras_gans.families.autoencoding import Autoencoding, check_encoder
from keras_gans.networks import build_mlp_encoder, build_mlp_generator


class Pair(Autoencoding, AdversarialModel):
    """A deterministic autoencoder: all that `Autoencoding` asks of a model."""

    players = {"both": ("encoder", "generator")}
    averaged = ("encoder", "generator")


class Plain(Autoencoding, AdversarialModel):
    """One without an average of the encoder."""

    players = {"both": ("encoder", "generator")}


def pair(model_class=Pair, **settings):
    generator = build_mlp_generator((3,), 2, (4,), seed=1)
    encoder = build_mlp_encoder((3,), 2, (4,), seed=1, gaussian=False)
    return model_class(generator=generator, encoder=encoder, seed=0, **settings)


def points(num):
    return np.random.default_rng(0).normal(size=(num, 3)).astype("float32")


@pytest.mark.parametrize("model_class", [Pair, Plain])
def test_encode_decode_reconstruct(model_class):
    model, x = pair(model_class), points(70)
    latents = model.encode(x)
    np.testing.assert_allclose(latents, model.encoder(x), atol=1e-6)
    np.testing.assert_allclose(model.decode(latents), model.generator(latents), atol=1e-6)
    np.testing.assert_array_equal(model.reconstruct(x), model.decode(latents))
    assert list(model.ports()) == ["generate", "decode", "encode"]


def test_averages():
    model, x = pair(ema_decay=0.9), points(5)
    latents = model.encode(x)
    model.encoder.set_weights([w + 1 for w in model.encoder.get_weights()])
    np.testing.assert_array_equal(model.encode(x), latents)


def test_check_encoder():
    generator = build_mlp_generator((3,), 2, (4,))
    check_encoder(build_mlp_encoder((3,), 2, gaussian=False), generator)
    check_encoder(build_mlp_encoder((3,), 2), generator, ("mean", "log-variance"))
    samples = keras.Input((3,))
    three = keras.Model(samples, layers.Dense(3)(samples))
    for encoder, match in (
        (build_mlp_encoder((3,), 2), r"the output \[latents\], of the shape .*\[\(2,\), \(2,\)\]"),
        (three, r"latents, \(2,\)\. Received: .* \[\(3,\)\]"),
        (build_mlp_encoder((4,), 2, gaussian=False), "`encoder` must take samples"),
    ):
        with pytest.raises(ValueError, match=match):
            check_encoder(encoder, generator)
