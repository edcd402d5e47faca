"""WGAN: the paper's settings, clipping, and fresh latents in each step."""

import harness
import numpy as np
import pytest
import tensorflow as tf
from harness import BATCH, SHAPE
from small_networks import dcgan_pair

from keras_gans import WGAN
from keras_gans.callbacks import Resume
from keras_gans.datasets import load
from keras_gans.networks import build_mlp_discriminator, build_mlp_generator

CASES = [
    harness.case(
        WGAN,
        dcgan_pair,
        n_critic=2,  # enough for the harness, and quicker to trace than the paper's 5
        bad_arguments=[
            ({"clip": 0}, "clip"),
            ({"n_critic": 0}, "n_critic"),
            ({"n_critic_at_times": 0}, "n_critic_at_times"),
        ],
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


# The authors' schedule of critic steps


def of_points(**settings):
    generator = build_mlp_generator((2,), 3, (8,), seed=1)
    return WGAN(generator, build_mlp_discriminator((2,), (8,), seed=2), seed=3, **settings)


def counts(model):
    return [int(np.array(model.optimizer_of(player).iterations)) for player in model.players]


def test_critic_steps_of_the_authors():
    """100 in generator steps 0 to 24, 500, 1000, ..., else 5 (main.py of the authors' code)."""
    gan = WGAN.from_paper((2,), seed=0)
    rounds = {step: 1 + gan.preludes(step) for step in (0, 24, 25, 499, 500, 501, 1000)}
    assert [5 * n for n in rounds.values()] == [100, 100, 5, 5, 100, 5, 100]
    assert WGAN.from_paper((2,), n_critic_at_times=None, seed=0).preludes is None
    assert gan.get_config()["n_critic_at_times"] == 100 and of_points().preludes is None
    # Minibatches behind 26 steps, and behind 3 of a run that begins at step 499.
    assert gan.minibatches_until(26) == 25 * 100 + 5
    assert gan.minibatches_until(3, first=499) == 5 + 100 + 5


@pytest.mark.parametrize("at_once", [1, 3])
def test_critic_steps_are_counted_by_generator_steps(at_once):
    model = of_points(n_critic=2, n_critic_at_times=6)
    harness.compile_sgd(model, steps_per_execution=at_once)
    ring = load("ring", batch_size=4)
    model.fit(ring, steps_per_epoch=27, verbose=0)
    assert counts(model) == [25 * 6 + 2 * 2, 27]
    model.generator_optimizer.iterations.assign(498)
    model.fit(ring, steps_per_epoch=6, verbose=0)
    assert counts(model) == [154 + 2 * 2 + 6 + 3 * 2, 504]


def test_longer_rounds_are_those_of_a_larger_n_critic():
    """With minibatches of one example, which are the same however they are gathered."""
    reals = tf.data.Dataset.from_tensor_slices(np.random.default_rng(0).normal(size=(18, 2)))
    states = []
    for settings in ({"n_critic": 6}, {"n_critic": 2, "n_critic_at_times": 6}):
        model = harness.compile_sgd(of_points(**settings))
        history = model.fit(reals.batch(1), steps_per_epoch=3, verbose=0).history
        states.append((harness.state(model), history["critic_loss"]))
    harness.assert_close(states[0][0], states[1][0], 1e-6)
    assert states[0][1] == pytest.approx(states[1][1])


@pytest.mark.slow
def test_rounds_of_two_replicas(two_replicas):
    def trained():
        model = harness.compile_sgd(of_points(n_critic=2, n_critic_at_times=4))
        model.fit(load("ring", batch_size=4, seed=1), steps_per_epoch=2, verbose=0)
        return harness.state(model)

    with two_replicas.scope():
        of_two = trained()
    harness.assert_close(of_two, trained(), 1e-5)


def test_rounds_go_on_where_a_run_ended(tmp_path):
    """The data too, though steps read different numbers of minibatches."""
    whole = harness.compile_sgd(of_points(n_critic=1, n_critic_at_times=3))
    parts = [harness.compile_sgd(of_points(n_critic=1, n_critic_at_times=3)) for _ in range(2)]
    ring = load("ring", batch_size=4, seed=1)
    for model in (whole, *parts):  # trained before, so that long rounds end within the run
        model.generator_optimizer.iterations.assign(24)
    whole.fit(ring, epochs=2, steps_per_epoch=3, verbose=0)
    for epochs, model in enumerate(parts, 1):
        model.fit(ring, epochs=epochs, steps_per_epoch=3, verbose=0, callbacks=[Resume(tmp_path)])
    harness.assert_close(harness.state(parts[1]), harness.state(whole), 1e-6)
    assert counts(parts[1]) == [3 + 5, 30]


def test_rounds_of_data_of_unknown_length():
    """7 minibatches are two long steps, and one is left over; what an epoch is must be said."""
    model = harness.compile_sgd(of_points(n_critic=1, n_critic_at_times=3))
    reals = tf.data.Dataset.from_tensor_slices(np.zeros((7, 2), "float32")).batch(1)
    model.fit(reals.filter(lambda batch: True), steps_per_epoch=2, verbose=0)
    assert counts(model) == [6, 2]


def test_train_on_batch_has_no_further_rounds():
    model = harness.compile_sgd(of_points(n_critic=2, n_critic_at_times=4))
    model.train_on_batch(np.zeros((8, 2), "float32"))
    assert counts(model) == [2, 1]


def test_rounds_of_a_users_own_data():
    """3 minibatches a pass, and 2 rounds and a step of 1 read 3: each pass is 3 generator steps."""
    model = harness.compile_sgd(of_points(n_critic=1, n_critic_at_times=3))
    data = tf.data.Dataset.from_tensor_slices(np.zeros((12, 2), "float32")).batch(4)
    model.fit(data, epochs=2, verbose=0)
    assert counts(model) == [18, 6]
    with pytest.raises(ValueError, match="`steps_per_epoch` must be given"):
        model.fit(data.filter(lambda _: True), verbose=0)


def test_rounds_are_whole():
    assert of_points(n_critic=3, n_critic_at_times=100).preludes(0) == 33
    assert of_points(n_critic=200, n_critic_at_times=100).preludes(0) == 0
