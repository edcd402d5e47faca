"""Pix2Pix: the paper's losses and order of updates by hand, settings, translating, what fits."""

import dataclasses

import harness
import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans import Pix2Pix
from keras_gans.networks import (
    build_mlp_generator,
    build_patchgan_discriminator,
    build_unet_generator,
)

GIVEN = harness.SHAPE  # pictures of 3 channels, of which others of 3 are made


def pix2pix_networks():
    height, width, channels = harness.SHAPE
    return (
        build_unet_generator(harness.SHAPE, width=3, num_levels=3, seed=1),
        build_patchgan_discriminator((height, width, 2 * channels), 3, num_layers=1, seed=2),
    )


CASES = [
    dataclasses.replace(
        harness.case(
            Pix2Pix,
            pix2pix_networks,
            l1_weight=1.0,  # the gradient of |x - y| jumps, where rounding alone can cross it
            bad_arguments=[
                ({"l1_weight": -1}, "l1_weight"),
                ({"adversarial_weight": -1}, "adversarial_weight"),
                ({"adversarial_weight": 0, "l1_weight": 0}, "must not both be 0"),
            ],
        ),
        **harness.TRANSLATES,
    ),
]

ROLES = {
    "Pix2Pix": harness.Roles(
        contests={"discriminator_loss": "adversarial_loss"},
        loss_terms=("adversarial_loss", "l1_loss"),
    )
}


# The step of networks that multiply: G(x) = g x, and D(x, y) = p x + q y


def linear(channels, *numbers):
    kernel = np.reshape(numbers, (1, 1, channels, 1)).astype("float32")
    layer = keras.layers.Conv2D(1, 1, use_bias=False)
    model = keras.Sequential([keras.Input((4, 4, channels)), layer])
    model.set_weights([kernel])
    return model


G, P, Q = 0.7, 0.9, -0.4


def pictures(num, shape, seed):
    return np.random.default_rng(seed).uniform(-1, 1, (num, *shape)).astype("float32")


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def step_by_hand(x, y, rate, l1_weight, adversarial_weight):
    """The numbers after one step of SGD, and the losses: D first, then G against the new D.

    Of 1/2 (E[log(1 + exp(-r))] + E[log(1 + exp(f))]) with r = p x + q y and f = p x + q g x the
    derivative is 1/2 (E[-sigmoid(-r) dr] + E[sigmoid(f) df]); of G's objective
    a E[log(1 + exp(-f))] + l E|g x - y| it is a E[-sigmoid(-f) q x] + l E[sign(g x - y) x].
    """
    real, fake = P * x + Q * y, P * x + Q * G * x
    d_loss = (np.mean(np.log1p(np.exp(-real))) + np.mean(np.log1p(np.exp(fake)))) / 2
    of_p = np.mean(-sigmoid(-real) * x + sigmoid(fake) * x) / 2
    of_q = np.mean(-sigmoid(-real) * y + sigmoid(fake) * G * x) / 2
    p, q = P - rate * of_p, Q - rate * of_q
    fake = p * x + q * G * x
    l1 = np.mean(np.abs(G * x - y))
    g_loss = adversarial_weight * np.mean(np.log1p(np.exp(-fake))) + l1_weight * l1
    of_g = adversarial_weight * np.mean(-sigmoid(-fake) * q * x)
    of_g += l1_weight * np.mean(np.sign(G * x - y) * x)
    return (G - rate * of_g, p, q), (d_loss, g_loss, np.mean(np.log1p(np.exp(-fake))), l1)


@pytest.mark.parametrize("l1_weight, adversarial_weight", [(100, 1), (0, 2), (3, 0)])
def test_formulas(l1_weight, adversarial_weight):
    x, y = pictures(6, (4, 4, 1), 0), pictures(6, (4, 4, 1), 1)
    weights = {"l1_weight": l1_weight, "adversarial_weight": adversarial_weight}
    model = Pix2Pix(linear(1, G), linear(2, P, Q), seed=0, **weights)
    harness.compile_sgd(model, rate=0.5)
    logs = model.fit(tf.data.Dataset.from_tensors((x, y)), verbose=0, steps_per_epoch=1).history
    after, losses = step_by_hand(x, y, 0.5, **weights)
    found = [*np.ravel(model.generator.get_weights()), *np.ravel(model.discriminator.get_weights())]
    np.testing.assert_allclose(found, after, rtol=1e-4)
    names = ("discriminator_loss", "generator_loss", "adversarial_loss", "l1_loss")
    np.testing.assert_allclose([logs[name][0] for name in names], losses, rtol=1e-5)


def test_both_updates_see_the_same_pictures():
    """G makes its pictures once a step, dropout and all."""
    calls = []

    @keras.saving.register_keras_serializable("test_pix2pix")
    class Counting(keras.layers.Layer):
        def call(self, x, training=False):
            calls.append(training)
            return x

    given = keras.Input((4, 4, 1))
    generator = keras.Model(given, keras.layers.Conv2D(1, 1)(Counting()(given)))
    model = harness.compile_sgd(Pix2Pix(generator, linear(2, P, Q), seed=0), run_eagerly=True)
    calls.clear()
    data = tf.data.Dataset.from_tensors((pictures(2, (4, 4, 1), 0), pictures(2, (4, 4, 1), 1)))
    model.fit(data, steps_per_epoch=1, verbose=0)
    assert calls == [True]


def test_paper_defaults():
    model = Pix2Pix(linear(1, G), linear(2, P, Q))
    assert (model.l1_weight, model.adversarial_weight) == (100, 1)
    model.compile()
    for player in model.players:
        optimizer = model.optimizer_of(player)
        assert type(optimizer) is keras.optimizers.Adam
        assert float(optimizer.learning_rate) == pytest.approx(2e-4)
        assert (optimizer.beta_1, optimizer.beta_2) == (0.5, 0.999)
    networks = Pix2Pix.default_networks((64, 64, 1), other_shape=(64, 64, 3), width=2, seed=0)
    assert networks["generator"].output_shape == (None, 64, 64, 3)
    assert networks["discriminator"].input_shape == (None, 64, 64, 4)
    # A patch of 70 x 70, 34 x 34 or 16 x 16 pixels: as many logits as have room, of 2^n pixels.
    for size, logits in ((256, 30), (128, 14), (64, 14), (28, 12)):
        networks = Pix2Pix.default_networks((size, size, 1), width=1)
        assert networks["discriminator"].output_shape == (None, logits, logits, 1)


def test_translating():
    """Without dropout, by the average where there is one; grids have the target beside it."""
    generator = build_unet_generator((64, 64, 1), 3, width=2, seed=0)
    discriminator = build_patchgan_discriminator((64, 64, 4), 2, num_layers=1)
    model = Pix2Pix(generator, discriminator, ema_decay=0.5, seed=0)
    x, y = pictures(3, (64, 64, 1), 0), pictures(3, (64, 64, 3), 1)
    for weight in model.ema_generator.weights:
        weight.assign(2 * weight)
    made = model.translate(x)
    assert made.dtype == np.uint8 and made.shape == (3, 64, 64, 3)
    expected = np.array(model.ema_generator(x, training=False))
    assert np.abs(made - (expected + 1) * 127.5).max() <= 0.51
    np.testing.assert_array_equal(model.translate(x[1:2]), made[1:2])
    grid = model.translation_grid(x, y)
    assert grid.shape == (9, 64, 64, 3)
    np.testing.assert_array_equal(grid[3:6], made)
    np.testing.assert_array_equal(grid[0], np.repeat(np.rint((x[0] + 1) * 127.5), 3, axis=-1))
    assert np.abs(grid[6:] - (y + 1) * 127.5).max() <= 0.51
    assert list(model.ports()) == ["translate"]
    with pytest.raises(ValueError, match="use `translate"):
        model.generate(3)


def test_what_does_not_fit():
    with pytest.raises(ValueError, match="`generator` must make pictures"):
        Pix2Pix(build_mlp_generator((16, 16, 1), 4, (8,)), linear(2, P, Q))
    with pytest.raises(ValueError, match="`other_shape` must have the height and width"):
        Pix2Pix.from_paper((28, 28, 1), other_shape=(32, 32, 3))
    model = Pix2Pix(linear(1, G), linear(2, P, Q))
    with pytest.raises(ValueError, match="`targets` must be as many as `inputs`, 3"):
        model.translation_grid(*(pictures(n, (4, 4, 1), 0) for n in (3, 2)))
    unet = build_unet_generator((16, 16, 1), 3, width=2)
    for shape in ((16, 16, 3), (16, 16, 6), (16, 32, 4)):
        wrong = build_patchgan_discriminator(shape, 2, num_layers=1)
        with pytest.raises(ValueError, match=r"`discriminator` must take pictures \(16, 16, 4\)"):
            Pix2Pix(unet, wrong)
