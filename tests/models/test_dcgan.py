"""DCGAN: the paper's settings and prior."""

import harness
import numpy as np
import pytest
import tensorflow as tf
from small_networks import dcgan_pair

from keras_gans import DCGAN

CASES = [
    harness.case(DCGAN, dcgan_pair),
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
