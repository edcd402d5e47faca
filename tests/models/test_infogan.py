"""InfoGAN's own: both steps by finite differences, codes, classification, grids, errors."""

import json

import harness
import keras
import numpy as np
import pytest
import tensorflow as tf
from harness import SHAPE
from keras import layers, ops

from keras_gans import InfoGAN, export, files
from keras_gans.callbacks import Guard
from keras_gans.export.serving_files import _example_request
from keras_gans.networks import (
    build_dcgan_discriminator,
    build_dcgan_generator,
    build_mlp_discriminator,
    build_mlp_generator,
    build_recognition_head,
)
from keras_gans.runs.sampling import open_sampler, parse_labels, sample


def infogan_networks():
    discriminator = build_dcgan_discriminator(harness.SHAPE, width=4, return_features=True, seed=2)
    features = discriminator.output_shape[1][1:]
    return (
        build_dcgan_generator(harness.SHAPE, 6, width=4, num_classes=harness.NUM_CLASSES, seed=1),
        discriminator,
        build_recognition_head(features, harness.NUM_CLASSES, 2, units=8, seed=3),
    )


CASES = [
    harness.case(
        InfoGAN,
        infogan_networks,
        bad_arguments=[
            ({"category_weight": 0}, "category_weight"),
            ({"continuous_weight": -1}, "continuous_weight"),
        ],
    ),
]

ROLES = {
    "InfoGAN": harness.Roles(
        contests=harness.LOGITS, loss_terms=("category_loss", "continuous_loss")
    )
}

K, N = 3, 2


def picture_networks(num_categories=K, latent_dim=6):
    discriminator = build_dcgan_discriminator(SHAPE, width=4, return_features=True, seed=2)
    features = discriminator.output_shape[1][1:]
    return (
        build_dcgan_generator(SHAPE, latent_dim, width=4, num_classes=num_categories, seed=1),
        discriminator,
        build_recognition_head(features, K, N, units=8, seed=3),
    )


def affine_networks(seed=0):
    """G: [z, onehot(c)] A to points of 2; D: features x W, logits f v; Q: f U and f M."""
    rng = np.random.default_rng(seed)

    def dense(units, name):
        return layers.Dense(units, use_bias=False, name=name)

    latents, categories = keras.Input((4,)), keras.Input((), dtype="int32")
    x = layers.Concatenate()([latents, ops.one_hot(categories, K)])
    generator = keras.Model([latents, categories], dense(2, "a")(x))
    samples = keras.Input((2,))
    f = dense(3, "w")(samples)
    discriminator = keras.Model(samples, [dense(1, "v")(f), f])
    features = keras.Input((3,))
    recognition = keras.Model(features, [dense(K, "u")(features), dense(N, "m")(features)])
    networks = generator, discriminator, recognition
    for network in networks:
        network.set_weights([rng.normal(size=w.shape) for w in network.get_weights()])
    return networks


def exposing_networks():
    """A generator of points that are its own inputs, [latents, onehot(category)]."""
    latents, categories = keras.Input((4,)), keras.Input((), dtype="int32")
    points = layers.Concatenate()([latents, ops.one_hot(categories, K)])
    return (
        keras.Model([latents, categories], points),
        build_mlp_discriminator((4 + K,), (5,), return_features=True),
        build_recognition_head((5,), K, N),
    )


SIZES = (3, 4, 2)  # of several categorical codes


def several_networks(sizes=SIZES, latent_dim=6, recognized=None, seed=1):
    discriminator = build_dcgan_discriminator(SHAPE, width=4, return_features=True, seed=2)
    features = discriminator.output_shape[1][1:]
    return (
        build_dcgan_generator(SHAPE, latent_dim, width=4, num_classes=sizes, seed=seed),
        discriminator,
        build_recognition_head(features, recognized or sizes, N, units=8, seed=3),
    )


def exposing_several():
    """A generator of points that are its own inputs, [latents, one-hot codes]."""
    latents, categories = keras.Input((4,)), keras.Input((len(SIZES),), dtype="int32")
    codes = [ops.one_hot(categories[:, i], size) for i, size in enumerate(SIZES)]
    return (
        keras.Model([latents, categories], layers.Concatenate()([latents, *codes])),
        build_mlp_discriminator((4 + sum(SIZES),), (5,), return_features=True),
        build_recognition_head((5,), SIZES, N),
    )


# The paper's formulas in numpy


def softplus(x):
    return np.logaddexp(0, x)


def information(parameters, features, latents, categories, category_weight, continuous_weight):
    scores = features @ parameters["u"]
    log_q = scores - np.log(np.exp(scores).sum(1, keepdims=True))
    category_loss = -log_q[np.arange(len(scores)), categories].mean()
    errors = latents[:, 2:] - features @ parameters["m"]  # of 4 latents the last two are codes
    continuous_loss = (errors**2).sum(1).mean() / 2
    return category_weight * category_loss + continuous_weight * continuous_loss


def both_losses(parameters, reals, latents, categories, **weights):
    fakes = np.concatenate([latents, np.eye(K)[categories]], 1) @ parameters["a"]
    features = fakes @ parameters["w"]
    real_logits, fake_logits = (x @ parameters["w"] @ parameters["v"] for x in (reals, fakes))
    term = information(parameters, features, latents, categories, **weights)
    return {
        "discriminator": softplus(-real_logits).mean() + softplus(fake_logits).mean() + term,
        "generator": softplus(-fake_logits).mean() + term,
    }


def descended(parameters, names, loss, rate, h=1e-5):
    """The parameters after one step of SGD of those in `names`, by central differences."""
    after = {name: value.copy() for name, value in parameters.items()}
    for name in names:
        for i in np.ndindex(parameters[name].shape):
            high, low = ({n: v.copy() for n, v in parameters.items()} for _ in range(2))
            high[name][i] += h
            low[name][i] -= h
            after[name][i] -= rate * (loss(high) - loss(low)) / (2 * h)
    return after


def test_step_by_finite_differences():
    """D, the common layer and Q descend on one loss, then G on its own, with codes drawn anew."""
    weights = {"category_weight": 0.7, "continuous_weight": 0.3}
    networks = affine_networks()
    before = {v.path.split("/")[-2]: np.array(v, "float64") for n in networks for v in n.weights}
    assert set(before) == set("awvum")
    model = harness.compile_sgd(InfoGAN(*networks, **weights, seed=4), rate=0.1)
    twin = InfoGAN(*affine_networks(), seed=4)  # draws what `model` will
    reals = np.random.default_rng(1).normal(size=(8, 2)).astype("float32")
    draws = [
        (np.array(twin.sample_latents(reals), "float64"), np.array(twin.sample_categories(reals)))
        for _ in range(2)
    ]
    assert (draws[0][0] != draws[1][0]).all() and (draws[0][1] != draws[1][1]).any()

    def loss_of(player, draw):
        return lambda parameters: both_losses(parameters, reals, *draw, **weights)[player]

    middle = descended(before, "wvum", loss_of("discriminator", draws[0]), 0.1)
    after = descended(middle, "a", loss_of("generator", draws[1]), 0.1)
    logs = model.fit(reals, batch_size=8, epochs=1, verbose=0).history
    for network in networks:
        for variable in network.weights:
            name = variable.path.split("/")[-2]
            np.testing.assert_allclose(variable, after[name], atol=2e-6, err_msg=name)
    assert logs["discriminator_loss"][0] == pytest.approx(
        loss_of("discriminator", draws[0])(before), abs=1e-5
    )
    assert logs["generator_loss"][0] == pytest.approx(
        loss_of("generator", draws[1])(middle), abs=1e-5
    )


def test_code_losses_by_hand():
    """Q that knows nothing has log K, and the mean of |c|^2 / 2 for codes c; if it knows all, 0."""
    features = keras.Input((K + N,))
    tell = keras.Model(features, [100.0 * features[:, :K], features[:, K:]])
    ignore = keras.Model(features, [0.0 * features[:, :K], 0.0 * features[:, K:]])
    generator, samples = affine_networks()[0], keras.Input((2,))
    x = layers.Dense(K + N)(samples)
    discriminator = keras.Model(samples, [layers.Dense(1)(x), x])
    latents = np.array([[9, 9, 1, 0], [9, 9, -0.5, 0.5]], "float32")
    categories = np.array([2, 0])
    given = np.concatenate([np.eye(K)[categories], latents[:, 2:]], 1).astype("float32")
    for recognition, expected in ((tell, (0, 0)), (ignore, (np.log(3), (1 + 0.5) / 2 / 2))):
        model = InfoGAN(generator, discriminator, recognition)
        losses = model.code_losses(given, latents, categories)
        np.testing.assert_allclose([float(loss) for loss in losses], expected, atol=1e-6)


def test_paper_defaults():
    model = InfoGAN(*picture_networks())
    assert (model.category_weight, model.continuous_weight) == (1.0, 1.0)
    model.compile()
    for player, rate in (("discriminator", 2e-4), ("generator", 1e-3)):
        assert isinstance(model.optimizer_of(player), keras.optimizers.Adam)
        config = model.optimizer_of(player).get_config()
        assert config["learning_rate"] == pytest.approx(rate)
        assert config["beta_1"] == 0.5
    assert (model.num_classes, model.num_continuous) == (K, N)


def test_draws():
    """Categories are uniform over all K, latents are from U(-1, 1)."""
    model, many = InfoGAN(*picture_networks(), seed=0), np.zeros((6000, 1), "float32")
    categories = np.array(model.sample_categories(many))
    assert categories.dtype == np.int32
    values, counts = np.unique(categories, return_counts=True)
    np.testing.assert_array_equal(values, range(K))
    np.testing.assert_allclose(counts, 2000, atol=5 * np.sqrt(6000 * 2 / 9))
    latents = np.array(model.sample_latents(many))
    assert -1 <= latents.min() < -0.99 and 0.99 < latents.max() <= 1
    assert latents.std() == pytest.approx(1 / np.sqrt(3), rel=0.02)


def test_classify():
    """Q's argmax at inference, on more samples than go through at once."""
    networks = affine_networks()
    weights = {v.path.split("/")[-2]: np.array(v) for n in networks for v in n.weights}
    model = InfoGAN(*networks)
    x = np.random.default_rng(2).normal(size=(600, 2)).astype("float32")
    codes = model.classify(x)
    np.testing.assert_array_equal(codes, np.argmax(x @ weights["w"] @ weights["u"], axis=1))
    assert codes.dtype == np.int32 and len(np.unique(codes)) > 1
    np.testing.assert_array_equal(model.classify(x[:1]), codes[:1])


def test_classify_pictures():
    """uint8 pictures are those of [-1, 1], and nothing is learned from being asked."""
    model = InfoGAN(*picture_networks(), seed=0)
    model.discriminator.set_weights([9 * w for w in model.discriminator.get_weights()])
    pictures = np.random.default_rng(0).integers(0, 256, (40, *SHAPE)).astype("uint8")
    before = harness.weights(model)
    codes = model.classify(pictures)
    np.testing.assert_array_equal(codes, model.classify((pictures / 127.5 - 1).astype("float32")))
    assert len(np.unique(codes)) > 1
    for name, value in harness.weights(model).items():
        np.testing.assert_array_equal(value, before[name])
    with pytest.raises(ValueError, match=r"\[-1, 1\]"):
        model.classify(pictures.astype("float32"))
    with pytest.raises(ValueError, match="shape"):
        model.classify(np.zeros((2, 8, 8, 3), "float32"))


def test_grid_of_categories():
    """A row for each category; along a column, all other inputs are the same."""
    model = InfoGAN(*exposing_networks(), seed=0)
    inputs = model.code_grid(columns=5, seed=1).reshape(K, 5, 4 + K)
    latents, one_hot = inputs[..., :4], inputs[..., 4:]
    np.testing.assert_array_equal(one_hot, np.repeat(np.eye(K)[:, None], 5, axis=1))
    assert (latents == latents[:1]).all()
    assert len(np.unique(latents[0])) == 5 * 4
    other = model.code_grid(columns=5, seed=2)
    assert (other.reshape(inputs.shape)[..., :4] != latents).all()


@pytest.mark.parametrize("index", [0, 1])
def test_grid_of_a_continuous_code(index):
    """Along a row nothing but the code rises, from -2 to 2; each row has its category."""
    model = InfoGAN(*exposing_networks(), seed=0)
    inputs = model.code_grid(index, columns=5, seed=1).reshape(K, 5, 4 + K)
    column = 2 + index  # of 4 latents the last two are codes
    np.testing.assert_allclose(inputs[..., column], np.tile([-2, -1, 0, 1, 2], (K, 1)), atol=1e-6)
    np.testing.assert_array_equal(inputs[..., 4:], np.repeat(np.eye(K)[:, None], 5, axis=1))
    others = np.delete(inputs[..., :4], column, axis=-1)
    assert (others == others[:, :1]).all()
    assert len(np.unique(others)) == K * 3
    narrow = model.code_grid(index, columns=3, limit=0.5).reshape(K, 3, 4 + K)
    np.testing.assert_allclose(narrow[0, :, column], [-0.5, 0, 0.5], atol=1e-6)


def test_grids_are_pictures():
    model = InfoGAN(*picture_networks(), ema_decay=0.9, seed=0)
    for continuous in (None, 1):
        pictures = model.code_grid(continuous, columns=2)
        assert pictures.shape == (2 * K, *SHAPE) and pictures.dtype == np.uint8
    for arguments, match in (
        ({"continuous": 2}, r"`continuous` must be None or in \[0, 2\)"),
        ({"continuous": -1}, "continuous"),
        ({"columns": 0}, "columns"),
        ({"continuous": 0, "limit": 0}, "limit"),
    ):
        with pytest.raises(ValueError, match=match):
            model.code_grid(**arguments)


def test_generate_takes_categories():
    """As a conditional model's labels, though the data have none."""
    model = InfoGAN(*exposing_networks(), seed=0)
    np.testing.assert_array_equal(model.generate(5, seed=0)[:, 4:], np.eye(K)[[0, 1, 2, 0, 1]])
    np.testing.assert_array_equal(model.generate(2, seed=0, labels=2)[:, 4:], np.eye(K)[[2, 2]])
    np.testing.assert_array_equal(
        model.generate(2, seed=0, labels=1)[:, :4], model.generate(2, seed=0, labels=2)[:, :4]
    )
    with pytest.raises(ValueError, match=r"\[0, 3\)"):
        model.generate(2, labels=3)
    assert len(model.data_spec()) == 1


def test_networks_that_do_not_fit():
    generator, discriminator, recognition = picture_networks()
    without = build_dcgan_discriminator(SHAPE, width=4)
    unconditional = build_dcgan_generator(SHAPE, 6, width=4)
    features = discriminator.output_shape[1][1:]
    logits, means = recognition.outputs
    three = keras.Model(recognition.inputs, [logits, ops.stack([means] * 3, axis=1)])
    nothing = keras.Model(recognition.inputs, [ops.stack([logits] * 2, axis=1), means])
    scalars = keras.Model(recognition.inputs, [logits, means[:, 0]])
    one_output = keras.Model(recognition.inputs, recognition.outputs[:1])
    for networks, match in (
        ((generator, without, recognition), r"return_features"),
        ((generator, discriminator, build_recognition_head((5,), K, N)), r"must take these feat"),
        ((generator, discriminator, one_output), "`recognition` must have two outputs"),
        ((generator, discriminator, three), r"\(batch, 2, n\). Received: .*\(3, 2\)"),
        ((generator, discriminator, scalars), r"means \(batch, n\).*\[\(3,\), \(\)\]"),
        ((generator, discriminator, nothing), r"logits \(batch, K\) of each .*\(2, 3\)"),
        ((generator, discriminator, build_recognition_head(features, K + 1, N)), "4 categories"),
        ((generator, discriminator, build_recognition_head(features, K, 7)), "7 or more latents"),
        ((unconditional, discriminator, recognition), "`generator` must have two inputs"),
        ((build_mlp_generator((5,), 6, num_classes=K), discriminator, recognition), "samples"),
    ):
        with pytest.raises(ValueError, match=match):
            InfoGAN(*networks)


# Learned variances


def test_continuous_loss_of_learned_variances():
    """-log of a product of normal densities in float64, less n/2 log(2 pi); and its gradients."""
    rng = np.random.default_rng(0)
    features = keras.Input((K + 2 * N,))
    gaussians = ops.stack([features[:, K : K + N], features[:, K + N :]], axis=1)
    recognition = keras.Model(features, [features[:, :K], gaussians])
    samples = keras.Input((2,))
    x = layers.Dense(K + 2 * N)(samples)
    discriminator = keras.Model(samples, [layers.Dense(1)(x), x])
    model = InfoGAN(affine_networks()[0], discriminator, recognition)
    assert model.learns_variance and (model.num_categories, model.num_continuous) == ((K,), N)

    latents, categories = rng.uniform(-1, 1, (5, 4)), rng.integers(0, K, 5)
    means, log_variances = rng.normal(size=(2, 5, N))
    deviations = np.exp(log_variances / 2)
    z = (latents[:, 2:] - means) / deviations
    densities = np.exp(-(z**2) / 2) / (deviations * np.sqrt(2 * np.pi))
    expected = -np.log(densities.prod(axis=1)).mean() - N / 2 * np.log(2 * np.pi)
    given = np.concatenate([np.zeros((5, K)), means, log_variances], axis=1)
    given, latents = tf.constant(given, tf.float32), tf.constant(latents, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(given)
        category_loss, continuous_loss = model.code_losses(given, latents, categories)
    assert float(continuous_loss) == pytest.approx(expected, rel=1e-5)
    assert float(category_loss) == pytest.approx(np.log(K), rel=1e-6)
    gradient = tape.gradient(continuous_loss, given)[:, K:]
    np.testing.assert_allclose(gradient[:, :N], -z / deviations / 5, rtol=1e-4)
    np.testing.assert_allclose(gradient[:, N:], (1 - z**2) / 2 / 5, rtol=1e-4, atol=1e-6)


def test_variances_are_learned_and_saved(tmp_path):
    """A step moves the layer of the log-variances; the saved model has it."""
    generator, discriminator, _ = picture_networks()
    features = discriminator.output_shape[1][1:]
    head = build_recognition_head(features, K, N, units=8, learn_variance=True, seed=3)
    model = harness.compile_sgd(InfoGAN(generator, discriminator, head, seed=0))
    assert not InfoGAN(*picture_networks()).learns_variance
    before = head.get_layer("code_log_variances").get_weights()
    reals = np.random.default_rng(0).uniform(-1, 1, (8, *SHAPE)).astype("float32")
    model.fit(reals, batch_size=8, verbose=0)
    after = head.get_layer("code_log_variances").get_weights()
    assert all((a != b).all() for a, b in zip(before, after, strict=True))
    model.save(tmp_path / "gan.keras")
    again = keras.models.load_model(tmp_path / "gan.keras")
    assert again.learns_variance
    for a, b in zip(again.recognition.get_weights(), head.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    pictures = model.generate(3, seed=0)
    np.testing.assert_array_equal(again.classify(pictures), model.classify(pictures))


# Several categorical codes


def one_hots(codes):
    return np.concatenate([np.eye(size)[codes[:, i]] for i, size in enumerate(SIZES)], axis=1)


@pytest.mark.parametrize(
    "build",
    [
        lambda sizes: build_dcgan_generator((8, 8, 1), 4, width=4, num_classes=sizes, seed=0),
        lambda sizes: build_mlp_generator((2,), 4, (5,), num_classes=sizes, seed=0),
    ],
)
def test_generators_have_the_codes_side_by_side(build):
    """The first weights meet [latents, one-hot codes]; with one code, it is what it was."""
    generator = build(SIZES)
    assert [tuple(t.shape) for t in generator.inputs] == [(None, 4), (None, 3)]
    assert generator.get_weights()[0].shape[0] == 4 + 3 + 4 + 2
    codes = np.array([[2, 3, 1], [0, 1, 0]])
    first = next(layer for layer in generator.layers if isinstance(layer, layers.Dense))
    inner = keras.Model(generator.inputs, first.input)
    latents = np.arange(8, dtype="float32").reshape(2, 4)
    np.testing.assert_array_equal(
        inner([latents, codes]), np.concatenate([latents, one_hots(codes)], axis=1)
    )
    one, single = build((3,)), build(3)
    rows = [latents, np.array([2, 0])]
    np.testing.assert_array_equal(one(rows), single(rows))


def test_losses_of_several_codes():
    """A cross-entropy each: the sum of the logs of K where Q knows nothing, 0 where it knows all;
    and by hand where it knows something."""
    total = sum(SIZES)
    features = keras.Input((total + N,))
    parts = [features[:, :3], features[:, 3:7], features[:, 7:9]]
    generator, discriminator, _ = exposing_several()
    samples = discriminator.inputs[0]
    x = layers.Dense(total + N)(samples)
    discriminator = keras.Model(samples, [layers.Dense(1)(x), x])
    latents = np.array([[9, 9, 1, 0], [9, 9, -0.5, 0.5]], "float32")
    codes = np.array([[2, 3, 1], [0, 1, 0]])
    given = np.concatenate([one_hots(codes), latents[:, 2:]], 1).astype("float32")
    # exp(1) / (exp(1) + K - 1) is the probability of the right one, for logits of one-hot codes.
    half = -sum(np.log(np.e / (np.e + size - 1)) for size in SIZES)
    for factor, expected in ((100.0, 0), (0.0, np.log(3 * 4 * 2)), (1.0, half)):
        logits = [factor * part for part in parts]
        recognition = keras.Model(features, [*logits, features[:, total:]])
        model = InfoGAN(generator, discriminator, recognition)
        losses = model.code_losses(given, latents, codes)
        np.testing.assert_allclose([float(loss) for loss in losses], (expected, 0), atol=1e-5)


def test_draws_of_several_codes():
    """Each is uniform over its own values, and independent of the others."""
    model, num = InfoGAN(*several_networks(), seed=0), 24_000
    assert (model.num_categories, model.num_continuous) == (SIZES, N)
    assert model.num_classes is None
    drawn = np.array(model.sample_categories(np.zeros((num, 1), "float32")))
    assert drawn.dtype == np.int32 and drawn.shape == (num, 3)
    rows, counts = np.unique(drawn, axis=0, return_counts=True)
    assert len(rows) == 24 and (rows.max(0) == [2, 3, 1]).all() and (rows.min(0) == 0).all()
    np.testing.assert_allclose(counts, 1000, atol=5 * np.sqrt(1000 * 23 / 24))


def test_generate_takes_rows_of_codes():
    """(num, codes), or one row for all; codes of the seed where none are given."""
    model = InfoGAN(*exposing_several(), seed=0)
    row, rows = [2, 0, 1], np.array([[0, 3, 1], [2, 1, 0]])
    np.testing.assert_array_equal(model.generate(2, seed=0, labels=rows)[:, 4:], one_hots(rows))
    np.testing.assert_array_equal(
        model.generate(2, seed=0, labels=row)[:, 4:], one_hots(np.array([row, row]))
    )
    np.testing.assert_array_equal(
        model.generate(2, seed=0, labels=rows)[:, :4], model.generate(2, seed=0)[:, :4]
    )
    one, same, other = (model.generate(60, seed=seed)[:, 4:] for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any(axis=1).mean() > 0.5 and (one.sum(0) > 0).all()
    for labels, match in (
        (3, r"must have the shape of the networks' samples, \(batch, 3\)"),
        ([[0, 4, 0], [0, 0, 0]], r"`labels` must be at least 0 and below \(3, 4, 2\)"),
        ([[0, 0], [0, 0]], "must have the shape"),
        ([row] * 3, "one for each of 2. Received: 3"),
    ):
        with pytest.raises(ValueError, match=match):
            model.generate(2, labels=labels)


def test_classify_by_several_codes():
    """Each code's argmax, by the weights of D and Q."""
    rng = np.random.default_rng(0)
    samples, features = keras.Input((9 + 4,)), keras.Input((5,))
    f = layers.Dense(5, use_bias=False)(samples)
    discriminator = keras.Model(samples, [layers.Dense(1)(f), f])
    heads = [layers.Dense(size, use_bias=False)(features) for size in (*SIZES, N)]
    recognition = keras.Model(features, heads)
    for network in (discriminator, recognition):
        network.set_weights([rng.normal(size=w.shape) for w in network.get_weights()])
    model = InfoGAN(exposing_several()[0], discriminator, recognition)
    x = rng.normal(size=(300, 13)).astype("float32")
    f = x @ discriminator.get_weights()[0]
    expected = [np.argmax(f @ kernel, axis=1) for kernel in recognition.get_weights()[:3]]
    codes = model.classify(x)
    assert codes.shape == (300, 3) and codes.dtype == np.int32
    np.testing.assert_array_equal(codes, np.transpose(expected))
    assert all(len(np.unique(column)) > 1 for column in codes.T)


def test_grids_of_several_codes():
    """The rows have the values of the code that is asked for; all else stays along a column, or,
    where a continuous code rises, along a row."""
    model = InfoGAN(*exposing_several(), seed=0)
    cuts = np.cumsum((4, *SIZES))
    for which, size in enumerate(SIZES):
        inputs = model.code_grid(columns=5, seed=1, categorical=which).reshape(size, 5, -1)
        own = slice(cuts[which], cuts[which + 1])
        np.testing.assert_array_equal(inputs[..., own], np.repeat(np.eye(size)[:, None], 5, axis=1))
        others = np.delete(inputs, own, axis=-1)
        assert (others == others[:1]).all()
        assert len(np.unique(others[0], axis=0)) == 5
    inputs = model.code_grid(1, columns=3, seed=1, categorical=2).reshape(2, 3, -1)
    np.testing.assert_allclose(inputs[..., 3], [[-2, 0, 2]] * 2)
    others = np.delete(inputs, 3, axis=-1)
    assert (others == others[:, :1]).all()
    for categorical in (3, -1, None):
        with pytest.raises(ValueError, match=r"`categorical` must be an integer in \[0, 2\]"):
            model.code_grid(categorical=categorical)


@pytest.mark.slow
def test_several_codes_train_save_and_are_exported(tmp_path):
    """A step moves all networks; saved and read it is the same; files make the same pictures."""
    model = harness.compile_sgd(InfoGAN(*several_networks(), ema_decay=0.5, seed=0))
    before = [network.get_weights() for network in several_networks()]
    reals = np.random.default_rng(0).uniform(-1, 1, (16, *SHAPE)).astype("float32")
    logs = model.fit(reals, batch_size=8, verbose=0, callbacks=[Guard()]).history
    assert logs["category_loss"][0] == pytest.approx(np.log(3 * 4 * 2), rel=0.1)
    for old, network in zip(before, (model.generator, model.discriminator), strict=False):
        assert any((a != b).any() for a, b in zip(old, network.get_weights(), strict=True))
    kernels = [w for w in model.recognition.get_weights() if w.ndim == 2]
    old = [w for w in before[2] if w.ndim == 2]
    assert len(kernels) == 5 and all((a != b).any() for a, b in zip(old, kernels, strict=True))

    for network in (model.ema_generator, model.discriminator):  # more than shades of grey
        network.set_weights([9 * w if w.ndim > 1 else w for w in network.get_weights()])
    model.save(tmp_path / "gan.keras")
    again = keras.models.load_model(tmp_path / "gan.keras")
    assert again.num_categories == SIZES
    pictures = model.generate(5, seed=3)
    assert pictures.std(axis=0).mean() > 10
    np.testing.assert_array_equal(again.generate(5, seed=3), pictures)
    np.testing.assert_array_equal(again.classify(pictures), model.classify(pictures))

    path = export.savedmodel(model, tmp_path / "served", verbose=False)
    served = tf.saved_model.load(str(path)).signatures
    codes = np.array([[2, 3, 1], [0, 1, 0]])
    expected = model.generate(2, seed=3, labels=codes)
    numbers = {"num_images": tf.constant(2, tf.int64), "seed": tf.constant(3, tf.int64)}
    made = served["generate"](**numbers, labels=tf.constant(codes, tf.int64))["images"]
    np.testing.assert_array_equal(made, expected)
    found = served["classify"](images=tf.constant(expected))["labels"]
    np.testing.assert_array_equal(found, model.classify(expected))
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"below \(3, 4, 2\)"):
        served["generate"](**numbers, labels=tf.constant(codes + 1, tf.int64))
    sampler = open_sampler(path)
    np.testing.assert_array_equal(sample(sampler, 5, seed=3)[1], pictures)
    labels = parse_labels("2 3 1, 0 1 0", sampler, "it")
    np.testing.assert_array_equal(sample(sampler, 2, seed=3, labels=labels)[1], expected)
    with pytest.raises(ValueError, match=r"^--labels: `labels` must be 3 numbers. Received: ' 1'$"):
        parse_labels("2 3 1, 1", sampler, "it")
    request = json.loads(_example_request(path))["inputs"]
    assert request == {"seeds": [0, 1], "labels": [[0, 0, 0], [1, 1, 1]]}
    card = files.read_json(path / "card.json")
    assert card["ports"]["generate"]["inputs"][1]["num_classes"] == list(SIZES)
    assert card["ports"]["classify"]["output"]["shape"] == [3]
    for direction in ("generate", "classify"):
        written = export.tflite(model, tmp_path / "f.tflite", direction=direction, verbose=False)
        assert written.max_error < 1e-4


def test_onnx_of_several_codes(tmp_path):
    pytest.importorskip("onnxruntime")
    pytest.importorskip("tf2onnx")
    model = InfoGAN(*several_networks(), seed=0)
    for direction in ("generate", "classify"):
        file = tmp_path / f"{direction}.onnx"
        written = export.onnx(model, file, direction, allow_untrained=True, verbose=False)
        assert written.max_error < 1e-4


def test_networks_of_other_codes():
    for networks, match in (
        (several_networks((3, 4), recognized=SIZES), r"labels of shape \(batch, 3\), one for each"),
        (several_networks((4, 3, 2), recognized=SIZES), r"3 and 4 and 2 cat.*\[4, 3, 2\] cat"),
        (several_networks((3, 4, 3), recognized=SIZES), r"3 and 4 and 2 cat.*\[3, 4, 3\] cat"),
        (several_networks(SIZES, recognized=(3,)), "`generator` must have two inputs"),
        (several_networks((3,), recognized=SIZES), r"labels of shape \(batch, 3\)"),
        (several_networks(latent_dim=1), "2 or more latents"),
    ):
        with pytest.raises(ValueError, match=match):
            InfoGAN(*networks)
