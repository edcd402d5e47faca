"""CGAN: the paper's settings, labels, and the pairs that the discriminator sees."""

import harness
import numpy as np
import pytest
import tensorflow as tf
from harness import BATCH, NUM_CLASSES, SHAPE
from small_networks import dcgan_pair, mlp_pair

from keras_gans import CGAN, GAN

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
    """SGD with a rate of 0.1 that falls by 1 / 1.00004 a step, and momentum 0.5 at first."""
    model = CASES[0].build()
    harness.optimizer_settings(model)
    optimizer = model.generator_optimizer
    assert optimizer.momentum == 0.5
    assert optimizer.global_clipnorm == 1.0  # without it, NaN on Fashion-MNIST by step 200
    assert float(optimizer.learning_rate) == pytest.approx(0.1)
    optimizer.iterations.assign(1000)
    assert float(optimizer.learning_rate) == pytest.approx(0.1 / 1.00004**1000, rel=1e-4)


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
