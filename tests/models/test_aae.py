"""The adversarial autoencoders' own: steps by hand, priors, ports, errors."""

import harness
import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from keras_gans import AAE, ClusteringAAE, SemiSupervisedAAE
from keras_gans.layers import GaussianNoise
from keras_gans.networks import (
    build_aae_discriminator,
    build_aae_encoder,
    build_aae_generator,
)

SMALL = {"hidden": (8,), "initial_stddev": None}
K = harness.NUM_CLASSES


def networks():
    return (
        build_aae_generator(harness.SHAPE, 2, **SMALL, seed=1),
        build_aae_encoder(harness.SHAPE, 2, **SMALL, seed=2),
        build_aae_discriminator(2, K + 1, **SMALL, seed=3),
    )


def two_code_networks(classes=K):
    return (
        build_aae_generator(harness.SHAPE, 4, classes, **SMALL, seed=1),
        build_aae_encoder(harness.SHAPE, 4, classes, input_noise=0.3, **SMALL, seed=2),
        build_aae_discriminator(classes, **SMALL, seed=3),
        build_aae_discriminator(4, noise=0.3, **SMALL, seed=4),
    )


# A sum of squares over all pixels wants small steps of the harness's SGD.
CASES = [
    harness.case(
        AAE,
        networks,
        labelled=True,
        num_classes=K,
        rate=1e-4,
        bad_arguments=[
            ({"prior": "gaussian"}, r"`prior` must be one of \['mixture', 'swiss_roll'\]"),
            ({"num_classes": 1}, "num_classes"),
            ({"num_classes": None, "unlabelled": True}, "`unlabelled` must be False"),
            ({"unlabelled": 1}, "`unlabelled` must be True or False"),
            ({"num_classes": K + 1}, f"`discriminator` must take {K + 2} labels"),
        ],
    ),
    harness.case(SemiSupervisedAAE, two_code_networks, labelled=True, rate=1e-4),
    harness.case(ClusteringAAE, lambda: two_code_networks(5), rate=1e-4),
]

TWO_CODES = {
    "judges": ("class_discriminator", "latent_discriminator"),
    "makers": ("encoder",),
    "contests": {
        "class_discriminator_loss": "encoder_class_loss",
        "latent_discriminator_loss": "encoder_latent_loss",
    },
    "loss_terms": ("encoder_class_loss", "encoder_latent_loss"),
}
ROLES = {
    "AAE": harness.Roles(makers=("encoder",), contests={"discriminator_loss": "encoder_loss"}),
    "SemiSupervisedAAE": harness.Roles(**TWO_CODES),
    "ClusteringAAE": harness.Roles(**TWO_CODES),
}

LATENTS, POINTS, BATCH, RATE = 2, 3, 6, 0.1


def affine(inputs, outputs, name, seed):
    """x W for each output, without biases; several inputs side by side."""
    rng = np.random.default_rng(seed)
    given = [keras.Input((size,)) for size in inputs]
    x = layers.Concatenate()(given) if len(given) > 1 else given[0]
    made = [
        layers.Dense(size, use_bias=False, name=f"{name}{i}")(x) for i, size in enumerate(outputs)
    ]
    network = keras.Model(given if len(given) > 1 else given[0], made if len(made) > 1 else made[0])
    network.set_weights([0.5 * rng.normal(size=w.shape) for w in network.get_weights()])
    return network


def weights_of(*networks):
    return [np.array(w, "float64") for network in networks for w in network.get_weights()]


def descended(loss, weights, moving):
    """The weights after one step w - rate dL/dw by differences, of those in `moving`."""
    after = [w.copy() for w in weights]
    for k in moving:
        for index in np.ndindex(weights[k].shape):
            values = []
            for sign in (1, -1):
                moved = [w.copy() for w in weights]
                moved[k][index] += sign * 1e-5
                values.append(loss(*moved))
            after[k][index] -= RATE * (values[0] - values[1]) / 2e-5
    return after


def softplus(x):
    return np.logaddexp(0, x)


def softmax(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def points(seed=1):
    return np.random.default_rng(seed).normal(size=(BATCH, POINTS)).astype("float32")


def train_one(model, *arrays):
    dataset = tf.data.Dataset.from_tensors(arrays if len(arrays) > 1 else arrays[0])
    history = model.fit(dataset, verbose=0, steps_per_epoch=1).history
    return {name: values[0] for name, values in history.items()}


def one_code(**kwargs):
    """E: x A, G: z B, D: z c."""
    networks = (
        affine([LATENTS], [POINTS], "b", 1),
        affine([POINTS], [LATENTS], "a", 2),
        affine([LATENTS], [1], "c", 3),
    )
    return AAE(*networks, seed=4, **kwargs)


def test_phases_by_finite_differences():
    """Reconstruction by E and G, D on prior and codes, E alone: each at the new weights."""
    model, x = harness.compile_sgd(one_code(), RATE), points()
    z = np.array(one_code().sample_latents(x), "float64")
    w = weights_of(model.encoder, model.generator, model.discriminator)

    def reconstruct(a, b, c):
        return np.mean((x - x @ a @ b) ** 2)

    def discriminate(a, b, c):
        return softplus(-z @ c).mean() + softplus(x @ a @ c).mean()

    def encode(a, b, c):
        return softplus(-x @ a @ c).mean()

    losses = {}
    for name, loss, moving in (
        ("autoencoder", reconstruct, (0, 1)),
        ("discriminator", discriminate, (2,)),
        ("encoder", encode, (0,)),
    ):
        losses[f"{name}_loss"] = pytest.approx(loss(*w), rel=1e-5)
        w = descended(loss, w, moving)
    logs = train_one(model, x)
    assert {name: logs[name] for name in losses} == losses
    made = weights_of(model.encoder, model.generator, model.discriminator)
    for after, expected in zip(made, w, strict=True):
        np.testing.assert_allclose(after, expected, atol=1e-5)


def affine_codes(form):
    """E: x A and x C, G: [z, y] B, D_y and D_z."""
    return form(
        affine([LATENTS, K], [POINTS], "b", 1),
        affine([POINTS], [LATENTS, K], "a", 2),
        affine([K], [1], "c", 3),
        affine([LATENTS], [1], "d", 5),
        seed=4,
    )


def test_semi_supervised_phases_by_finite_differences():
    """Four phases. y = softmax(x C) goes to the decoder and to D_y, and the style x A to D_z."""
    model, twin = (affine_codes(SemiSupervisedAAE) for _ in range(2))
    harness.compile_sgd(model, RATE)
    x, labelled, labels = points(), points(2), np.array([0, 2, 1, 1, 0, 2])
    w = weights_of(model.encoder, model.generator, *discriminators(model))
    classes = np.array(twin.sample_classes(x), "float64")
    z = np.array(twin.sample_latents(x), "float64")
    assert set(np.unique(classes)) == {0, 1} and (classes.sum(axis=1) == 1).all()

    def codes(a, c):
        return x @ a, softmax(x @ c)

    def reconstruct(a, c, b, of_class, of_latents):
        return np.mean((x - np.concatenate(codes(a, c), axis=1) @ b) ** 2)

    def discriminate_class(a, c, b, of_class, of_latents):
        y = codes(a, c)[1]
        return softplus(-classes @ of_class).mean() + softplus(y @ of_class).mean()

    def discriminate_latents(a, c, b, of_class, of_latents):
        return softplus(-z @ of_latents).mean() + softplus(x @ a @ of_latents).mean()

    def encode_class(a, c, b, of_class, of_latents):
        return softplus(-codes(a, c)[1] @ of_class).mean()

    def encode_latents(a, c, b, of_class, of_latents):
        return softplus(-x @ a @ of_latents).mean()

    def encode(*w):
        return encode_class(*w) + encode_latents(*w)

    def classify(a, c, b, of_class, of_latents):
        return -np.log(softmax(labelled @ c)[np.arange(BATCH), labels]).mean()

    losses = {}
    for name, loss, moving in (
        ("autoencoder", reconstruct, (0, 1, 2)),
        ("class_discriminator", discriminate_class, (3,)),
        ("latent_discriminator", discriminate_latents, (4,)),
        ("encoder", encode, (0, 1)),
        ("classifier", classify, (1,)),
    ):
        losses[f"{name}_loss"] = pytest.approx(loss(*w), rel=1e-5)
        if name == "encoder":
            losses["encoder_class_loss"] = pytest.approx(encode_class(*w), rel=1e-5)
            losses["encoder_latent_loss"] = pytest.approx(encode_latents(*w), rel=1e-5)
        w = descended(loss, w, moving)
    logs = train_one(model, x, labelled, labels)
    assert {name: logs[name] for name in losses} == losses
    made = weights_of(model.encoder, model.generator, *discriminators(model))
    for after, expected in zip(made, w, strict=True):
        np.testing.assert_allclose(after, expected, atol=1e-5)


def discriminators(model):
    return model.class_discriminator, model.latent_discriminator


def test_clustering_is_the_same_without_labels():
    """One step of both, where the classifier's rate is 0: the same losses and weights."""
    models = [affine_codes(form) for form in (SemiSupervisedAAE, ClusteringAAE)]
    x, labels, logs = points(), np.zeros(BATCH, "int32"), []
    for model, data in zip(models, [(x, x, labels), (x,)], strict=True):
        rates = {player: RATE * (player != "classifier") for player in model.players}
        model.compile(**{f"{p}_optimizer": keras.optimizers.SGD(r) for p, r in rates.items()})
        logs.append(train_one(model, *data))
    names = [f"{player}_loss" for player in ClusteringAAE.players]
    assert [logs[0][name] for name in names] == pytest.approx([logs[1][name] for name in names])
    weights = [weights_of(m.encoder, m.generator, *discriminators(m)) for m in models]
    for a, b in zip(*weights, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_paper_optimizers():
    """Rates 0.01 and 0.1, a tenth after 50 epochs of 600 steps and again after 1000; momenta."""
    for model_class in (AAE, SemiSupervisedAAE, ClusteringAAE):
        model = next(case for case in CASES if case.name == model_class.__name__).build()
        optimizers = model.default_optimizers()
        assert optimizers.keys() == model.players.keys()
        for player, optimizer in optimizers.items():
            rate, momentum = (0.01, 0.9) if player == "autoencoder" else (0.1, 0.1)
            assert optimizer.momentum == momentum
            schedule = optimizer._learning_rate
            rates = [float(schedule(step)) for step in (0, 30_000, 30_001, 600_000, 600_001)]
            assert rates == pytest.approx([rate, rate, rate / 10, rate / 10, rate / 100])


def test_paper_networks():
    """Two layers of 1000 units, N(0, 0.01); noise in the semi-supervised encoder alone."""
    model = SemiSupervisedAAE.from_paper((28, 28, 1), num_classes=10, seed=0)
    n, k, d = 784, 10, 10
    counts = {
        "encoder": n * 1000 + 1000 + 1000 * 1000 + 1000 + 1000 * (d + k) + d + k,
        "generator": (d + k) * 1000 + 1000 + 1000 * 1000 + 1000 + 1000 * n + n,
        "class_discriminator": k * 1000 + 1000 + 1000 * 1000 + 1000 + 1000 + 1,
        "latent_discriminator": d * 1000 + 1000 + 1000 * 1000 + 1000 + 1000 + 1,
    }
    for name, count in counts.items():
        network = getattr(model, name)
        assert sum(w.size for w in map(np.array, network.trainable_variables)) == count
        kernels = [np.array(v) for v in network.trainable_variables if v.name == "kernel"]
        assert [k.std() for k in kernels[:2]] == pytest.approx([0.01] * 2, rel=0.05)
    noises = [w.stddev for w in model.encoder.layers if isinstance(w, GaussianNoise)]
    assert noises == [0.6]
    first, second = (weights_of(network)[0] for network in discriminators(model))
    assert (first != second).all()
    clustering = ClusteringAAE.from_paper((28, 28, 1), clusters=30)
    assert clustering.num_classes == 30
    assert not any(isinstance(layer, GaussianNoise) for layer in clustering.encoder.layers)


def test_ports_of_a_class_and_a_style():
    model = SemiSupervisedAAE(*two_code_networks(), seed=0, ema_decay=0.9)
    x = np.random.default_rng(0).integers(0, 256, (5, *harness.SHAPE)).astype("uint8")
    assert [*model.ports()] == ["generate", "decode", "encode", "classify", "reconstruct"]
    styles, logits = (np.array(v) for v in model.encoder(x / 127.5 - 1, training=False))
    np.testing.assert_allclose(model.encode(x), styles, atol=1e-5)
    np.testing.assert_array_equal(model.classify(x), logits.argmax(axis=1))
    np.testing.assert_allclose(model.probabilities(x), softmax(logits), atol=1e-5)
    made = model.generator([styles, softmax(logits)], training=False)
    np.testing.assert_allclose(model.reconstruct(x), (np.array(made) + 1) * 127.5, atol=0.51)
    made = model.generator([styles, np.eye(K)[[0, 1, 2, 0, 1]]], training=False)
    decoded = model.decode(styles, [0, 1, 2, 0, 1])
    np.testing.assert_allclose(decoded, (np.array(made) + 1) * 127.5, atol=0.51)
    for network in (model.encoder, model.generator):  # all of it is the averages'
        network.set_weights([w + 1 for w in network.get_weights()])
    np.testing.assert_array_equal(model.decode(styles, [0, 1, 2, 0, 1]), decoded)
    np.testing.assert_array_equal(model.classify(x), logits.argmax(axis=1))
    with pytest.raises(ValueError, match="`labels` must be in"):
        model.decode(styles, [K] * 5)


def test_clusters_have_no_accuracy():
    model = ClusteringAAE(*two_code_networks(5), seed=0)
    x = np.zeros((3, *harness.SHAPE), "float32")
    assert model.classify(x).shape == (3,)
    assert model.probabilities(x).shape == (3, 5)
    with pytest.raises(ValueError, match="majority_vote_accuracy"):
        model.evaluate(x, np.zeros(3, "int32"))


@pytest.mark.parametrize("prior", ["mixture", "swiss_roll"])
@pytest.mark.parametrize("labelled", [False, True])
def test_samples_are_decoded_of_the_prior(prior, labelled):
    """`generate` decodes `codes_of` numbers and labels, and so does what is exported."""
    generator, encoder, judge = networks()
    judge = judge if labelled else build_aae_discriminator(2, **SMALL)
    model = AAE(generator, encoder, judge, prior, K if labelled else None, seed=0)
    assert model.latent_shape == (4,)
    rows = model.generator_inputs(6, seed=1)
    numbers, labels = rows if labelled else (rows, None)
    codes = model.codes_of(numbers, labels)
    made = model.generate(6, seed=1)
    np.testing.assert_array_equal(made, model.decode(np.array(codes)))
    np.testing.assert_array_equal(np.array(model(rows)), np.array(model.generator(codes)))
    other = one_code()
    assert other.prior == "gaussian" and other.sampler is other.generator


def test_labels_choose_what_is_generated():
    """Codes themselves, by a decoder that does nothing: all of label 1 are near its centre."""
    codes = keras.Input((2,))
    model = AAE(
        keras.Model(codes, layers.Activation("linear")(codes)),
        keras.Model(codes, layers.Dense(2)(codes)),
        build_aae_discriminator(2, K + 1, **SMALL),
        num_classes=K,
        unlabelled=True,
        seed=0,
    )
    made = model.generate(500, seed=1, labels=1)
    angle = np.arctan2(*made.mean(axis=0)[::-1])
    assert angle == pytest.approx(2 * np.pi / 3, abs=0.01)
    np.testing.assert_allclose(model.encode(made).shape, (500, 2))
    with pytest.raises(ValueError, match=rf"\[0, {K}\)"):
        model.generate(3, labels=K)
    (_, labels) = model.data_spec()
    assert labels.num_classes == K + 1  # data may have one that is not known


def test_bad_networks():
    generator, encoder, judge = networks()
    three = build_aae_generator(harness.SHAPE, 3, **SMALL)
    style = build_aae_encoder(harness.SHAPE, 4, K, **SMALL)
    for build, match in (
        (lambda: AAE(three, encoder, judge), r"`encoder` must have the output"),
        (lambda: AAE(generator, encoder, judge), r"`discriminator` must take inputs of shapes"),
        (lambda: AAE(*networks(), prior="normal", num_classes=K), "`prior` must be one of"),
        (lambda: AAE(*networks()[:2], build_aae_discriminator(2, K), num_classes=K), "labels"),
        (
            lambda: AAE(
                build_aae_generator((2,), 3, **SMALL),
                build_aae_encoder((2,), 3, **SMALL),
                build_aae_discriminator(3, **SMALL),
                prior="mixture",
            ),
            r"codes of shape \(2,\) where `prior` is 'mixture'",
        ),
        (lambda: SemiSupervisedAAE(generator, style, *two_code_networks()[2:]), "`generator` the"),
        (
            lambda: SemiSupervisedAAE(*two_code_networks()[:2], *two_code_networks()[:1:-1]),
            "`latent_discriminator` must take",
        ),
    ):
        with pytest.raises(ValueError, match=match):
            build()
    one = affine([LATENTS, 1], [POINTS], "b", 1), affine([POINTS], [LATENTS, 1], "a", 2)
    with pytest.raises(ValueError, match="`num_classes` must be an integer of at least 2"):
        ClusteringAAE(*one, affine([1], [1], "c", 3), affine([LATENTS], [1], "d", 3))
