"""DCGAN: the paper's settings and prior."""

import harness
import keras
import numpy as np
import pytest
import tensorflow as tf
from small_networks import dcgan_pair

from keras_gans import DCGAN

CASES = [
    harness.case(DCGAN, dcgan_pair, bad_arguments=[({"l2": -1e-5}, "l2")]),
]

ROLES = {"DCGAN": harness.Roles(contests=harness.LOGITS)}


def test_paper_settings():
    for config in harness.optimizer_settings(CASES[0].build()).values():
        assert config["learning_rate"] == pytest.approx(2e-4)
        assert config["beta_1"] == 0.5


def test_dcgan_latents_are_uniform():
    model = CASES[0].build()
    latents = np.array(model.sample_latents(tf.zeros((2000, 1))))
    assert -1 <= latents.min() < -0.99
    assert 0.99 < latents.max() <= 1
    assert latents.std() == pytest.approx(1 / np.sqrt(3), rel=0.02)  # of U(-1, 1)


@pytest.mark.parametrize("player", ["discriminator", "generator"])
def test_weight_decay(player):
    """l2 / 2 |w|^2 has the gradient l2 w, of all weights of the player that moves."""
    moved, reals = [], tf.constant(np.random.default_rng(0).normal(size=(4, *harness.SHAPE)))
    for l2 in (0.0, 0.3):
        model = DCGAN(*dcgan_pair(), l2=l2, seed=0)
        rates = {p: 0.1 * (p == player) for p in model.players}
        model.compile(
            run_eagerly=True,
            **{f"{p}_optimizer": keras.optimizers.SGD(rate) for p, rate in rates.items()},
        )
        before = [np.array(v) for v in model.player_variables(player)]
        model.train_step(tf.cast(reals, "float32"))
        moved.append(
            [np.array(v) - b for v, b in zip(model.player_variables(player), before, strict=True)]
        )
    expected = [a - 0.1 * 0.3 * b for a, b in zip(moved[0], before, strict=True)]
    harness.assert_close(moved[1], expected, 1e-5)
    assert max(np.abs(b).max() for b in before) > 1  # scales, near 1


def test_networks_of_the_authors():
    """1e-5 of weight decay, and no bias anywhere: what batch normalization has is its offset."""
    gan = DCGAN.from_paper((16, 16, 1), latent_dim=4, seed=0)
    assert gan.l2 == 1e-5 and DCGAN(*dcgan_pair()).l2 == 0
    for network in (gan.generator, gan.discriminator):
        assert {v.name for v in network.trainable_weights} == {"kernel", "gamma", "beta"}
