"""WGAN: the paper's settings, clipping, and fresh latents in each step."""

import harness
import numpy as np
import pytest
import tensorflow as tf
from harness import BATCH, SHAPE
from small_networks import dcgan_pair

from keras_gans import WGAN

CASES = [
    harness.case(
        WGAN,
        dcgan_pair,
        n_critic=2,  # enough for the harness, and quicker to trace than the paper's 5
        bad_arguments=[({"clip": 0}, "clip"), ({"n_critic": 0}, "n_critic")],
    ),
]

ROLES = {"WGAN": harness.Roles(judges=("critic",))}


def test_paper_settings():
    for config in harness.optimizer_settings(CASES[0].build()).values():
        assert "momentum" in config and "rho" in config
        assert config["learning_rate"] == pytest.approx(5e-5)
        assert config["momentum"] == 0
    wgan = WGAN(*dcgan_pair())
    assert (wgan.n_critic, wgan.clip) == (5, 0.01)


def test_wgan_clips_after_every_critic_step():
    """Seen by the critic's next loss: no weight that it is computed from is out of the box."""
    model = harness.compile_sgd(WGAN(*dcgan_pair(), clip=0.02), rate=10.0, run_eagerly=True)
    largest, critic = [], model.critic.call

    def spy(*args, **kwargs):
        largest.append(max(np.abs(v).max() for v in model.player_variables("critic")))
        return critic(*args, **kwargs)

    model.critic.call = spy
    reals = np.random.default_rng(0).uniform(-1, 1, (5 * BATCH, *SHAPE)).astype("float32")
    model.train_step(tf.constant(reals))
    first_step, later = largest[:2], largest[2:]
    assert len(later) == 2 * 4 + 1
    assert max(first_step) > 0.02
    assert max(later) <= 0.02 + 1e-7


def test_generator_step_draws_its_own_latents():
    """Each of the draws of a step differs: the generator does not reuse the critic's latents."""
    model = harness.compile_sgd(WGAN(*dcgan_pair(), n_critic=3), run_eagerly=True)
    drawn, sample = [], model.sample_latents
    model.sample_latents = lambda like: drawn.append(sample(like)) or drawn[-1]
    model.train_step(tf.zeros((3 * BATCH, *SHAPE)))
    assert len({np.array(latents).tobytes() for latents in drawn}) == 4
