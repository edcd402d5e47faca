"""CGAN: the paper's settings, labels, and the pairs that the discriminator sees."""

import harness
import keras
import numpy as np
import pytest
import tensorflow as tf
from harness import BATCH, NUM_CLASSES, SHAPE
from small_networks import dcgan_pair, mlp_pair

from keras_gans import CGAN, GAN
from keras_gans.layers import Dropout, Maxout
from keras_gans.optimizers import MomentumSGD

CASES = [
    harness.case(
        CGAN,
        lambda: dcgan_pair(num_classes=NUM_CLASSES),
        labelled=True,
        num_classes=NUM_CLASSES,
        bad_arguments=[({"num_classes": 0}, "num_classes")],
    ),
]

ROLES = {"CGAN": harness.Roles(contests=harness.LOGITS)}


def test_paper_settings():
    """Section 4.1: 0.1, divided by 1.00004 a step, not below 1e-6; momentum from 0.5 to 0.7."""
    model = CASES[0].build()
    model.compile()
    for player in model.players:
        optimizer = model.optimizer_of(player)
        assert type(optimizer) is MomentumSGD and not optimizer.dampened
        assert optimizer.global_clipnorm is optimizer.clipnorm is optimizer.clipvalue is None
        for step, rate, momentum in (
            (0, 0.1, 0.5),
            (1000, 0.0960790, 0.5016064),  # 0.1 e^-0.0399992, 0.5 + 0.2 / 124.5
            (124_500, 6.87475e-4, 0.7),  # 0.1 e^-4.9799004
            (287_000, 1.03371e-6, 0.7),  # 0.1 e^-11.4797704
            (300_000, 1e-6, 0.7),
        ):
            optimizer.iterations.assign(step)
            assert float(optimizer.learning_rate) == pytest.approx(rate, rel=1e-5)
            assert float(optimizer.momentum(optimizer.iterations)) == pytest.approx(momentum)


def parameters(network):
    return sum(v.numpy().size for v in network.trainable_variables)


def layers(network, kind):
    return [layer for layer in network.layers if isinstance(layer, kind)]


def test_paper_networks():
    """Section 4.1, for the 784 pixels and 10 classes of MNIST."""
    model = CGAN.from_paper((28, 28, 1), num_classes=10, seed=0)
    latents, label, joint, pixels = (
        100 * 200 + 200,
        10 * 1000 + 1000,
        1200 * 1200 + 1200,
        784 * 1201,
    )
    assert parameters(model.generator) == latents + label + joint + pixels
    assert [d.rate for d in layers(model.generator, Dropout)] == [0.5, 0.5]
    pixels, label, joint = 784 * 1200 + 1200, 10 * 250 + 250, (240 + 50) * 960 + 960
    assert parameters(model.discriminator) == pixels + label + joint + 240 + 1
    assert [d.rate for d in layers(model.discriminator, Dropout)] == [0.5, 0.5]
    found = {(m.kernel.shape[0], m.units, m.pieces) for m in layers(model.discriminator, Maxout)}
    assert found == {(784, 240, 5), (10, 50, 5), (290, 240, 4)}
    widths = [(d.kernel.shape, d.activation) for d in layers(model.generator, keras.layers.Dense)]
    relu, tanh = keras.activations.relu, keras.activations.tanh
    assert sorted(widths[:2], key=str) == [((10, 1000), relu), ((100, 200), relu)]
    assert widths[2:] == [((1200, 1200), relu), ((1200, 784), tanh)]


def test_the_discriminators_loss_is_a_mean_over_reals_and_fakes():
    """Logits of 0 cost ln 2 each, and so in the mean."""
    model = harness.compile_sgd(CASES[0].build(), run_eagerly=True)
    head = model.discriminator.get_layer("logits")
    head.set_weights([np.zeros_like(w) for w in head.get_weights()])
    logs = model.train_step((tf.zeros((BATCH, *SHAPE)), tf.zeros(BATCH, "int32")))
    assert float(logs["discriminator_loss"]) == pytest.approx(np.log(2))


def test_cgan_labels():
    model = CASES[0].build()
    np.testing.assert_array_equal(model.generator_inputs(5, 0)[1], [0, 1, 2, 0, 1])
    np.testing.assert_array_equal(model.generator_inputs(3, 0, 2)[1], [2, 2, 2])
    np.testing.assert_array_equal(model.generate(3, 0, [2, 2, 2]), model.generate(3, 0, 2))
    for labels, match in (([0, 1], "one for each"), (3, r"\[0, 3\)"), (-1, r"\[0, 3\)")):
        with pytest.raises(ValueError, match=match):
            model.generate(3, labels=labels)
    with pytest.raises(ValueError, match="not conditional"):
        GAN(*mlp_pair()).generate(3, labels=[0, 1, 2])


def test_cgan_reads_the_number_of_classes_off_the_generator():
    assert CGAN(*dcgan_pair(num_classes=4)).num_classes == 4
    with pytest.raises(ValueError, match="num_classes"):
        CGAN(*dcgan_pair())


def test_cgan_judges_fakes_with_their_own_label():
    """The pairs that reach D: the labels beside reals are the data's, beside fakes those of G."""
    model = harness.compile_sgd(CASES[0].build(), run_eagerly=True)
    given, made = [], []
    discriminator, generator = model.discriminator.call, model.generator.call
    model.discriminator.call = lambda x, **kw: (
        given.append(np.array(x[1])) or discriminator(x, **kw)
    )
    model.generator.call = lambda x, **kw: made.append(np.array(x[1])) or generator(x, **kw)
    labels = np.arange(BATCH) % NUM_CLASSES
    model.train_step((tf.zeros((BATCH, *SHAPE)), tf.constant(labels)))
    assert len(given) == 3 and len(made) == 2
    for seen in given + made:
        np.testing.assert_array_equal(seen, labels)
