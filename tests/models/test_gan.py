"""GAN: the paper's settings, and both losses of the generator."""

import harness
import keras
import numpy as np
import pytest
import tensorflow as tf
from small_networks import mlp_pair

from keras_gans import GAN
from keras_gans.layers import Dropout, Maxout
from keras_gans.networks import build_mlp_discriminator, build_mlp_generator
from keras_gans.optimizers import MomentumSGD
from keras_gans.schedules import Linear

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
    """goodfeli/adversarial, mnist.yaml: SGD at 0.1, divided by 1.000004 a step, not below 1e-6.

    Momentum is 0.5 in the first epoch, 0.7 from the 250th on; an epoch is 50,000 digits by 100.
    """
    model = CASES[0].build()
    model.compile()
    for player in model.players:
        optimizer = model.optimizer_of(player)
        assert type(optimizer) is MomentumSGD and not optimizer.dampened
        assert optimizer.global_clipnorm is optimizer.clipnorm is optimizer.clipvalue is None
        for step, rate, momentum in (
            (0, 0.1, 0.5),
            (1000, 0.0996008, 0.5016064),  # 0.1 e^-0.003999992, 0.5 + 0.2 / 124.5
            (62_250, 0.0779580, 0.6),  # 0.1 e^-0.2489995
            (124_500, 0.0607741, 0.7),
            (3_000_000, 1e-6, 0.7),  # 0.1 e^-12 is 6e-7
        ):
            optimizer.iterations.assign(step)
            assert float(optimizer.learning_rate) == pytest.approx(rate, rel=1e-5)
            assert float(optimizer.momentum(optimizer.iterations)) == pytest.approx(momentum)


def test_paper_networks():
    """mnist.yaml: 100 to 1200, 1200, 784; and 784 to 240 and 240 units of 5 pieces, to 1."""
    model = GAN.from_paper((28, 28, 1), seed=0)
    of_generator = 100 * 1200 + 1200 + 1200 * 1200 + 1200 + 1200 * 784 + 784
    of_discriminator = 784 * 1200 + 1200 + 240 * 1200 + 1200 + 240 + 1
    networks = (model.generator, of_generator, 0.05), (model.discriminator, of_discriminator, 0.005)
    for network, parameters, limit in networks:
        assert sum(v.value.numpy().size for v in network.trainable_variables) == parameters
        for variable in network.trainable_variables:
            largest = np.abs(variable.numpy()).max()
            assert largest == 0 if variable.name == "bias" else 0.95 * limit < largest <= limit
    layers = model.discriminator.layers
    assert [layer.pieces for layer in layers if isinstance(layer, Maxout)] == [5, 5]
    assert [layer.rate for layer in layers if isinstance(layer, Dropout)] == [0.2, 0.5, 0.5]
    assert not [layer for layer in model.generator.layers if isinstance(layer, Dropout)]


def test_the_discriminators_loss_is_a_mean_over_reals_and_fakes():
    """D(x) = 3/4 and D(G(z)) = 1/4 cost ln 4/3 each, and so in the mean; G's costs ln 4."""
    generator = build_mlp_generator((2,), 3, hidden=(), seed=0)
    discriminator = build_mlp_discriminator((2,), hidden=(), seed=0)
    model = GAN(generator, discriminator, seed=0)
    zeros = {f"{player}_optimizer": keras.optimizers.SGD(0.0) for player in model.players}
    model.compile(run_eagerly=True, **zeros)
    generator.set_weights([np.zeros((3, 2)), np.full(2, -1.0)])  # all fakes are (-1, -1)
    discriminator.set_weights([np.full((2, 1), np.log(3) / 2), np.zeros(1)])
    logs = model.train_step(tf.ones((4, 2)))
    assert float(logs["discriminator_loss"]) == pytest.approx(np.log(4 / 3))
    assert float(logs["generator_loss"]) == pytest.approx(np.log(4))


def test_gan_losses_by_choice():
    logits = tf.constant([[2.0]])
    saturating = GAN(*mlp_pair(), non_saturating=False)
    assert float(saturating.generator_loss(logits)) == pytest.approx(-np.log(1 + np.exp(2)))
    assert float(GAN(*mlp_pair()).generator_loss(logits)) == pytest.approx(np.log(1 + np.exp(-2)))


def test_replicas_have_one_momentum(two_replicas):
    """Two of them, in a graph, end where one device does, eagerly."""

    def optimizers():
        rising = Linear(0.1, 0.9, total_steps=4)
        return {f"{player}_optimizer": MomentumSGD(0.05, rising) for player in GAN.players}

    one = CASES[0].build()
    one.compile(**optimizers(), run_eagerly=True)
    with two_replicas.scope():
        two = CASES[0].build()
        two.compile(**optimizers())
    for model in (one, two):
        harness.train(model, CASES[0], 3)
    harness.assert_close(harness.state(two), harness.state(one), 1e-5)
