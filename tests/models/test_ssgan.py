"""SSGAN: its losses against numpy, its two objectives, and what it says of labelled samples."""

import itertools

import harness
import keras
import numpy as np
import pytest
import tensorflow as tf
from harness import NUM_CLASSES, SHAPE

from keras_gans import SSGAN, datasets, metrics
from keras_gans.devices.progress import steps_taken
from keras_gans.models.ssgan import log_z
from keras_gans.networks import (
    build_ssgan_discriminator,
    build_ssgan_generator,
    build_ssgan_mlp_discriminator,
    build_ssgan_mlp_generator,
)


def networks(kernels=0):
    return (
        build_ssgan_mlp_generator(SHAPE, 6, (8,), seed=1),
        build_ssgan_mlp_discriminator(
            SHAPE, NUM_CLASSES, (8, 6), minibatch_kernels=kernels, seed=2
        ),
    )


CASES = [
    harness.case(
        SSGAN,
        networks,
        labelled=True,
        rate=0.01,
        bad_arguments=[
            ({"feature_matching": "cubed"}, "feature_matching"),
            ({"generator_steps": 0}, "generator_steps"),
            ({"real_target": 0.4}, "real_target"),
            ({"unlabelled_weight": -1}, "unlabelled_weight"),
        ],
    ),
]
ROLES = {"SSGAN": harness.Roles(loss_terms=("class_loss", "adversarial_loss"))}

POINTS = (3,)


def linear(**settings):
    """A model of points whose networks are one matrix each, without noise."""
    latents = keras.Input((2,))
    generator = keras.Model(latents, keras.layers.Dense(3, use_bias=False)(latents))
    samples = keras.Input(POINTS)
    features = keras.layers.Dense(4, use_bias=False)(samples)
    logits = keras.layers.Dense(2, use_bias=False)(features)
    discriminator = keras.Model(samples, [logits, features])
    gan = SSGAN(generator, discriminator, seed=0, **settings)
    return harness.compile_sgd(gan, 0.0, run_eagerly=True)


def points(n, seed=3):
    rng = np.random.default_rng(seed)
    reals, labelled = rng.normal(size=(2, n, 3)).astype("float32")
    return reals, labelled, rng.integers(0, 2, n)


def softplus(x):
    return np.log1p(np.exp(-np.abs(x))) + np.maximum(x, 0)


def expected_losses(gan, reals, labelled, labels, fakes, target=1.0):
    """L_supervised and L_unsupervised by the definition of D = Z / (Z + 1), in float64."""
    first, second = (np.array(w, "float64") for w in gan.discriminator.get_weights())

    def logits(x):
        return np.asarray(x, "float64") @ first @ second

    of_labelled = logits(labelled)
    p = np.exp(of_labelled) / np.exp(of_labelled).sum(1, keepdims=True)
    supervised = -np.log(p[np.arange(len(labels)), labels]).mean()
    z = [np.exp(logits(x)).sum(1) for x in (reals, fakes)]
    d_real, d_fake = (each / (each + 1) for each in z)
    real_part = target * np.log(d_real) + (1 - target) * np.log(1 - d_real)
    return supervised, -0.5 * real_part.mean() - 0.5 * np.log(1 - d_fake).mean()


@pytest.mark.parametrize("target", [1.0, 0.9])
@pytest.mark.parametrize("matching", ["squared", "absolute"])
def test_losses_are_the_papers(target, matching):
    """Of a step that moves nothing. G compares with the second minibatch, which D has not had."""
    gan = linear(feature_matching=matching, real_target=target, unlabelled_weight=0.5)
    drawn = []
    sample = gan.sample_latents
    gan.sample_latents = lambda like: drawn.append(sample(like)) or drawn[-1]
    reals, labelled, labels = points(8)
    logs = gan.train_step(tuple(map(tf.constant, (reals, labelled, labels))))
    fakes = [gan.generator(z) for z in drawn]
    first, second = slice(0, None, 2), slice(1, None, 2)
    supervised, unsupervised = expected_losses(
        gan, reals[first], labelled[first], labels[first], fakes[0], target
    )
    assert float(logs["class_loss"]) == pytest.approx(supervised, rel=1e-5)
    assert float(logs["adversarial_loss"]) == pytest.approx(unsupervised, rel=1e-5)
    total = supervised + 0.5 * unsupervised
    assert float(logs["discriminator_loss"]) == pytest.approx(total, rel=1e-5)
    features = np.array(gan.discriminator.get_weights()[0], "float64")
    apart = reals[second].mean(0) @ features - np.mean(fakes[1], 0) @ features
    expected = (apart**2).mean() if matching == "squared" else np.abs(apart).mean()
    assert float(logs["generator_loss"]) == pytest.approx(expected, rel=1e-4)


def test_log_z_by_hand():
    """Two logits of 0: Z = 2 and D = 2/3, whose logit is log 2. Large ones stay finite."""
    np.testing.assert_allclose(log_z(np.zeros((3, 2), "float32")), np.full(3, np.log(2)), rtol=1e-6)
    assert float(log_z(np.float32([[1e4, 0.0]]))[0]) == 1e4


def test_a_generator_that_fools_moves_three_times_a_step():
    """G ascends on log(1 + Z(G(z))): the loss is -E of it; a step is a step all the same."""
    gan = linear(feature_matching=None, generator_steps=3)
    assert gan.minibatches_per_step == 1
    gan.fit(points(8), batch_size=4, epochs=2, verbose=0)
    assert int(gan.generator_optimizer.iterations) == 12
    assert int(gan.discriminator_optimizer.iterations) == 4 == steps_taken(gan)
    fakes = np.ones((5, 3), "float32")
    first, second = (np.array(w, "float64") for w in gan.discriminator.get_weights())
    z = np.exp(fakes @ first @ second).sum(1)
    assert float(gan.fool(fakes)) == pytest.approx(-np.log(1 + z).mean(), rel=1e-5)


def test_one_step_with_minibatch_discrimination():
    gan = harness.compile_sgd(
        SSGAN(*networks(kernels=3), feature_matching=None, generator_steps=2, seed=0), 0.01
    )
    history = gan.fit(CASES[0].arrays(gan, 1), batch_size=8, verbose=0).history
    assert all(np.isfinite(values).all() for values in history.values())
    assert gan.discriminator.output_shape == [(None, NUM_CLASSES), (None, 6)]
    # What it says of a sample depends on the others: it is no classifier of one.
    reals, _, labels = CASES[0].arrays(gan, 1)
    assert "classify" not in gan.ports()
    for ask in (gan.classify, gan.probabilities, lambda samples: gan.evaluate(samples, labels)):
        with pytest.raises(ValueError, match="classifies batches, and no samples"):
            ask(reals)


def test_first_weights_are_set_by_the_first_data():
    """Once: what goes on does not begin anew, and averages begin with them."""
    gan = harness.compile_sgd(SSGAN(*networks(), ema_decay=0.9, seed=0), 0.0)
    reals, labelled, labels = CASES[0].arrays(gan, 1)
    scales = [v for v in gan.discriminator.variables if v.path.endswith("scale")]
    assert all((np.array(s) == 1).all() for s in scales)
    gan.fit((reals, labelled, labels), batch_size=8, verbose=0)
    after = [np.array(s) for s in scales]
    assert all((s != 1).all() for s in after)
    gan.fit((reals[::-1] / 2, labelled, labels), batch_size=8, verbose=0)
    for a, s in zip(after, scales, strict=True):
        np.testing.assert_array_equal(a, s)
    own, averaged = (
        [np.array(v) for v in net.variables if v.path.endswith("scale")]
        for net in (gan.discriminator, gan.ema_discriminator)
    )
    harness.assert_close(own, averaged, 1e-6)


def test_classes_of_samples():
    """`evaluate` as Keras has it, by the averaged discriminator; `classify` says the same."""
    gan = SSGAN(*networks(), ema_decay=0.9, seed=0)
    for weight in gan.ema_discriminator.weights:
        weight.assign(weight + 0.1 * np.random.default_rng(1).normal(size=weight.shape))
    reals, _, labels = CASES[0].arrays(gan, 2)
    logits = np.array(gan.ema_discriminator(reals)[0], "float64")
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    loss = -np.log(p[np.arange(len(labels)), labels]).mean()
    accuracy = (logits.argmax(1) == labels).mean()
    dataset = tf.data.Dataset.from_tensor_slices((reals, labels)).batch(5)
    for found in (gan.evaluate(dataset), gan.evaluate(reals, labels)):
        np.testing.assert_allclose(found, [loss, accuracy], rtol=1e-5)
    assert gan.evaluate(reals, labels, return_dict=True).keys() == {"loss", "accuracy"}
    np.testing.assert_array_equal(gan.classify(reals), logits.argmax(1))
    np.testing.assert_allclose(gan.probabilities(reals), p, atol=1e-5)
    assert gan.classify(gan.generate(4, seed=0)).shape == (4,)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ((np.zeros((2, *SHAPE), "float32"),), "pairs"),
        ((np.zeros((2, *SHAPE), "float32"), np.array([0, NUM_CLASSES])), "labels"),
        ((np.zeros((2, *SHAPE), "float32"), np.array([0])), "a label for each of the 2"),
        ((np.zeros((2, 4, 4, 3), "float32"), np.array([0, 1])), "shape"),
    ],
)
def test_what_can_not_be_evaluated(arguments, match):
    gan = CASES[0].build()
    with pytest.raises(ValueError, match=match):
        gan.evaluate(*arguments)


def test_sample_metrics_take_labelled_reals():
    """Its samples are made without labels, whatever its data have."""
    gan = SSGAN.from_paper((2,), num_classes=8, seed=0)
    reals = datasets.load("ring", "train[:500]", labels=True)
    (modes,) = metrics.evaluate(gan, reals, ["modes"], num=50)
    assert 0 <= modes.value <= 8


def test_networks_that_do_not_fit():
    generator, discriminator = networks()
    no_features = keras.Model(discriminator.inputs, discriminator.outputs[0])
    one = build_ssgan_mlp_discriminator(SHAPE, 2, (4,))
    one = keras.Model(one.inputs, [one.outputs[0][:, :1], one.outputs[1]])
    for bad in (no_features, one):
        with pytest.raises(ValueError, match="logits of 2 classes or more"):
            SSGAN(generator, bad)
    with pytest.raises(ValueError, match="num_classes"):
        build_ssgan_mlp_discriminator(SHAPE, 1)


def test_paper_settings():
    """Of MNIST and of CIFAR-10 in the authors' code; their networks' parameters by hand."""
    dense = SSGAN.from_paper((28, 28, 1), num_classes=10)
    for config in harness.optimizer_settings(dense).values():
        assert (config["learning_rate"], config["beta_1"]) == (pytest.approx(3e-3), 0.5)
        assert config["epsilon"] == 1e-4
    assert dense.feature_matching == "squared" and dense.latent_prior == "uniform"
    widths = (784, 1000, 500, 250, 250, 250, 10)
    pairs = itertools.pairwise(widths)
    expected = sum(a * b + b for a, b in pairs) + 10  # kernels, biases, and the last one's scale
    trained = dense.discriminator.trainable_variables
    assert sum(int(np.prod(v.shape)) for v in trained) == expected
    assert dense.discriminator.output_shape == [(None, 10), (None, 250)]


def test_paper_settings_of_cifar():
    fools = SSGAN.from_paper((32, 32, 3), num_classes=10, minibatch_discrimination=True)
    assert (fools.feature_matching, fools.generator_steps) == (None, 3)
    for config in harness.optimizer_settings(fools).values():
        assert config["learning_rate"] == pytest.approx(3e-4)
    maps = [3, 96, 96, 96, 192, 192, 192, 192]
    expected = sum(9 * a * b + b for a, b in itertools.pairwise(maps))
    expected += 2 * (192 * 192 + 192)
    expected += 192 * 500 + 500 + 100  # T, the lengths of its columns, the biases
    expected += 292 * 10 + 10 + 10
    trained = fools.discriminator.trainable_variables
    assert sum(int(np.prod(v.shape)) for v in trained) == expected
    up = build_ssgan_generator((32, 32, 3))
    filters = [512, 256, 128, 3]
    expected = 100 * 8192 + 8192 + 384 + 6
    expected += sum(25 * a * b for a, b in itertools.pairwise(filters))
    assert sum(int(np.prod(v.shape)) for v in up.trainable_variables) == expected
    match = SSGAN.from_paper((8, 12, 1), num_classes=3, convolutional=False)
    assert match.feature_matching == "squared" and len(match.discriminator.output_shape[1]) == 2
    with pytest.raises(ValueError, match="sides of at least 12"):
        build_ssgan_discriminator((8, 8, 3))
    with pytest.raises(ValueError, match="SSGAN learns classes"):
        SSGAN.from_paper((28, 28, 1))
