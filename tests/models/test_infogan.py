"""InfoGAN's own: both steps by finite differences, codes, classification, grids, errors."""

import harness
import keras
import numpy as np
import pytest
from harness import SHAPE
from keras import layers, ops

from keras_gans import InfoGAN
from keras_gans.networks import (
    build_dcgan_discriminator,
    build_dcgan_generator,
    build_mlp_discriminator,
    build_mlp_generator,
    build_recognition_head,
)


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
    assert (model.category_weight, model.continuous_weight) == (1.0, 0.1)
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
    one_output = keras.Model(recognition.inputs, recognition.outputs[:1])
    for networks, match in (
        ((generator, without, recognition), r"return_features"),
        ((generator, discriminator, build_recognition_head((5,), K, N)), r"must take these feat"),
        ((generator, discriminator, one_output), "`recognition` must have two outputs"),
        ((generator, discriminator, build_recognition_head(features, K + 1, N)), "4 categories"),
        ((generator, discriminator, build_recognition_head(features, K, 7)), "7 or more latents"),
        ((unconditional, discriminator, recognition), "`generator` must have two inputs"),
        ((build_mlp_generator((5,), 6, num_classes=K), discriminator, recognition), "samples"),
    ):
        with pytest.raises(ValueError, match=match):
            InfoGAN(*networks)
