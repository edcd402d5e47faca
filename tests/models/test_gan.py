"""GAN: the paper's settings, and both losses of the generator."""

import harness
import numpy as np
import pytest
import tensorflow as tf
from small_networks import mlp_pair

from keras_gans import GAN

CASES = [
    harness.case(
        GAN,
        mlp_pair,
        n_discriminator=2,
        bad_arguments=[({"n_discriminator": 0}, "n_discriminator")],
    ),
]

ROLES = {"GAN": harness.Roles(contests=harness.LOGITS)}


def test_paper_settings():
    """SGD with a rate of 0.1 that falls by 1 / 1.000004 a step, and momentum 0.5 at first."""
    model = CASES[0].build()
    harness.optimizer_settings(model)
    optimizer = model.generator_optimizer
    assert optimizer.momentum == 0.5
    assert optimizer.global_clipnorm == 1.0  # without it, NaN on Fashion-MNIST by step 200
    assert float(optimizer.learning_rate) == pytest.approx(0.1)
    optimizer.iterations.assign(1000)
    assert float(optimizer.learning_rate) == pytest.approx(0.1 / 1.000004**1000, rel=1e-4)


def test_gan_losses_by_choice():
    logits = tf.constant([[2.0]])
    saturating = GAN(*mlp_pair(), non_saturating=False)
    assert float(saturating.generator_loss(logits)) == pytest.approx(-np.log(1 + np.exp(2)))
    assert float(GAN(*mlp_pair()).generator_loss(logits)) == pytest.approx(np.log(1 + np.exp(-2)))
