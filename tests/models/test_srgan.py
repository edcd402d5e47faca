"""SRGAN: the paper's losses by hand, features, handing on, settings, what fits."""

import dataclasses

import harness
import keras
import numpy as np
import pytest
import tensorflow as tf
from test_srresnet import LOW, OF_ENLARGERS, generator, pictures, repeated

from keras_gans import SRGAN, SRResNet
from keras_gans.networks import Features, build_srgan_discriminator


def feature_network(channels=3):
    inputs = keras.Input((None, None, channels))
    layer = keras.layers.Conv2D(2, 3, name="seen", kernel_initializer=keras.initializers.Ones())
    return keras.Model(inputs, layer(inputs))


def build(seed=5, **kwargs):
    networks = generator(), build_srgan_discriminator(harness.SHAPE, width=2, seed=2)
    settings = {"features": Features(feature_network(), "seen"), "feature_scale": 0.1}
    return SRGAN(*networks, seed=seed, **{**settings, "adversarial_weight": 1.0, **kwargs})


CASES = [
    dataclasses.replace(
        harness.case(
            SRGAN,
            None,
            bad_arguments=[
                ({"feature_scale": 0}, "feature_scale"),
                ({"adversarial_weight": -1}, "adversarial_weight"),
                ({"total_steps": 0}, "total_steps"),
                ({"features": feature_network}, "features"),
            ],
        ),
        build=build,
        **OF_ENLARGERS,
    ),
]

ROLES = {
    "SRGAN": harness.Roles(
        contests={"discriminator_loss": "adversarial_loss"},
        loss_terms=("adversarial_loss", "content_loss"),
        information=("psnr",),
    )
}

G, P = 0.7, 0.9


def judge(number, size=8):
    """D(x) is a number times the mean of the picture."""
    picture = keras.Input((size, size, 1))
    layer = keras.layers.Dense(1, use_bias=False)
    model = keras.Model(picture, layer(keras.layers.GlobalAveragePooling2D()(picture)))
    layer.set_weights([np.float32([[number]])])
    return model


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize("adversarial_weight", [0.0, 1e-3, 2.0])
def test_formulas(adversarial_weight):
    """D first, then G against the new D; G(x) = g x, and the mean of a picture m.

    Of -log D(y) - log(1 - D(g x)) the derivative with respect to p is
    E[-sigmoid(-p m_y) m_y] + E[sigmoid(p g m_x) g m_x]; of G's objective
    E[(g x - y)^2] + a E[log(1 + exp(-p g m_x))] it is 2 E[(g x - y) x] - a E[sigmoid(-p g m_x) p
    m_x].
    """
    x, y = pictures(3, 4, 4, 1), pictures(3, 8, 8, 1, seed=1)
    model = SRGAN(repeated(2, G), judge(P), adversarial_weight=adversarial_weight, seed=0)
    harness.compile_sgd(model, rate=0.5)
    logs = model.fit(tf.data.Dataset.from_tensors((x, y)), verbose=0, steps_per_epoch=1).history
    given = x.repeat(2, axis=1).repeat(2, axis=2)
    m_x, m_y = (each.mean(axis=(1, 2, 3)) for each in (given, y))
    d_loss = np.mean(np.log1p(np.exp(-P * m_y))) + np.mean(np.log1p(np.exp(P * G * m_x)))
    p = P - 0.5 * np.mean(-sigmoid(-P * m_y) * m_y + sigmoid(P * G * m_x) * G * m_x)
    content = np.mean((G * given - y) ** 2)
    adversarial = np.mean(np.log1p(np.exp(-p * G * m_x)))
    of_g = 2 * np.mean((G * given - y) * given)
    of_g -= adversarial_weight * np.mean(sigmoid(-p * G * m_x) * p * m_x)
    found = [*np.ravel(model.generator.get_weights()), *np.ravel(model.discriminator.get_weights())]
    np.testing.assert_allclose(found, [G - 0.5 * of_g, p], rtol=1e-4)
    names = ("discriminator_loss", "content_loss", "adversarial_loss", "generator_loss")
    wanted = [d_loss, content, adversarial, content + adversarial_weight * adversarial]
    np.testing.assert_allclose([logs[name][0] for name in names], wanted, rtol=1e-5)


@pytest.mark.parametrize("layers", ["seen", ["seen", "conv2d"]])
def test_content_is_of_features(layers):
    """c^2 E[(phi(G(x)) - phi(y))^2], the mean over layers; the gradient goes through phi."""
    inner = keras.Input((None, None, 1))
    x = keras.layers.Conv2D(2, 3, activation="relu", name="seen")(inner)
    network = keras.Model(inner, keras.layers.Conv2D(1, 1, name="conv2d")(x))
    features = Features(network, layers)
    low, high = pictures(3, 4, 4, 1), pictures(3, 8, 8, 1, seed=1)
    model = SRGAN(
        repeated(2, G), judge(P), features=features, feature_scale=0.5, adversarial_weight=0.0
    )
    harness.compile_sgd(model, rate=0.1)
    before = [np.array(weight) for weight in network.weights]
    logs = model.fit(tf.data.Dataset.from_tensors((low, high)), verbose=0, steps_per_epoch=1)

    def content(g):
        made = g * low.repeat(2, axis=1).repeat(2, axis=2)
        pairs = [(network.get_layer("seen")(made), network.get_layer("seen")(high))]
        if layers != "seen":
            pairs.append((network(made), network(high)))
        return np.mean([0.25 * np.mean(np.square(np.array(a) - np.array(b))) for a, b in pairs])

    np.testing.assert_allclose(logs.history["content_loss"][0], content(G), rtol=1e-4)
    slope = (content(G + 1e-2) - content(G - 1e-2)) / 2e-2
    after = float(np.ravel(model.generator.get_weights())[0])
    assert after == pytest.approx(G - 0.1 * slope, abs=2e-3 * abs(float(slope)) + 1e-6)
    for old, new in zip(before, network.weights, strict=True):
        np.testing.assert_array_equal(old, new)


def test_paper_defaults():
    model = SRGAN(repeated(2, G), judge(P))
    assert model.feature_scale == pytest.approx(1 / 12.75)
    assert (model.adversarial_weight, model.total_steps) == (1e-3, 200_000)
    model.compile()
    for player in model.players:
        optimizer = model.optimizer_of(player)
        assert type(optimizer) is keras.optimizers.Adam and optimizer.beta_1 == 0.9
        for step, rate in ((0, 1e-4), (99_999, 1e-4), (100_001, 1e-5)):
            optimizer.iterations.assign(step)
            assert float(optimizer.learning_rate) == pytest.approx(rate), step
    networks = SRGAN.default_networks((96, 96, 3), width=2, num_blocks=1)
    assert networks["discriminator"].input_shape == (None, 96, 96, 3)
    assert SRGAN.settings_for(1000) == {"total_steps": 1000}


def test_begins_with_what_srresnet_has_learned():
    first = SRResNet.from_paper((32, 32, 3), scale=2, width=2, num_blocks=1, seed=0)
    model = SRGAN.from_paper((32, 32, 3), generator=first.generator, width=2, seed=1)
    assert model.generator is first.generator and model.scale == 2
    assert model.discriminator.input_shape == (None, 32, 32, 3)
    low = pictures(2, 5, 7, 3)
    np.testing.assert_array_equal(model.translate(low), first.translate(low))
    low_kind, high_kind = model.data_spec()
    assert (low_kind.name, low_kind.shape) == ("low", (16, 16, 3))
    assert (high_kind.name, high_kind.shape) == ("high", (32, 32, 3))


def test_features_of_a_file_stay_there(tmp_path):
    """The model's file has none of their weights, and the card says which they were."""
    from keras_gans.export.card import make_card

    network = feature_network()
    network.save(tmp_path / "net.keras")
    features = Features(tmp_path / "net.keras", "seen", "torch")
    model = build(features=features)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert again.features.sha256 == features.sha256
    low = pictures(1, *LOW)
    np.testing.assert_array_equal(again.translate(low), model.translate(low))
    high = pictures(1, *harness.SHAPE)
    np.testing.assert_array_equal(again.features(high), features(high))
    described = make_card(model, {})["settings"]["features"]
    assert described["sha256"] == features.sha256 and described["layers"] == "seen"
    (tmp_path / "net.keras").unlink()
    with pytest.warns(UserWarning, match="is not there"):
        again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again.translate(low), model.translate(low))


def test_what_does_not_fit():
    for wrong in (judge(P, 7), build_srgan_discriminator((16, 16, 3), 2)):
        with pytest.raises(ValueError, match="`discriminator` must take pictures"):
            SRGAN(repeated(2, G), wrong)
    with pytest.raises(ValueError, match="`discriminator` must take what `generator` makes"):
        SRGAN(repeated(2, G, size=(8, 8)), judge(P))
    with pytest.raises(ValueError, match=r"`features` must take pictures \(8, 8, 1\)"):
        SRGAN(repeated(2, G), judge(P), features=Features(feature_network(4)))
