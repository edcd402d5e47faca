"""DTN: the paper's losses and updates by hand, the frozen encoder, translating, what fits."""

import dataclasses

import harness
import keras
import numpy as np
import pytest
import tensorflow as tf
from small_networks import small_encoder

from keras_gans import DTN
from keras_gans.networks import (
    build_dtn_decoder,
    build_dtn_discriminator,
    build_dtn_encoder,
    build_mlp_generator,
)

HEIGHT, WIDTH = 4, 4
SOURCE, TARGET = (HEIGHT, WIDTH, 3), (HEIGHT, WIDTH, 1)
FEATURES, PIXELS = 2, HEIGHT * WIDTH


def dtn_networks():
    return (
        build_dtn_decoder(5, harness.SHAPE, width=4, seed=1),
        build_dtn_discriminator(harness.SHAPE, width=4, seed=2),
        small_encoder(harness.SHAPE),
    )


CASES = [
    dataclasses.replace(
        harness.case(
            DTN,
            dtn_networks,
            constancy_weight=1.0,
            identity_weight=1.0,
            bad_arguments=[
                ({"constancy_weight": -1}, "constancy_weight"),
                ({"identity_weight": -0.1}, "identity_weight"),
                ({"tv_weight": float("nan")}, "tv_weight"),
            ],
        ),
        **harness.TRANSLATES,
    ),
]

ROLES = {
    "DTN": harness.Roles(
        contests={"discriminator_loss": "adversarial_loss"},
        loss_terms=("adversarial_loss", "constancy_loss", "identity_loss", "tv_loss"),
    )
}


# The step of networks that are matrices: f(x) = x F, g(h) = h G, and the logits x D


def matrix(shape, made, seed, scale=0.3):
    """A network that multiplies flat samples by a matrix, and the matrix."""
    size, count = int(np.prod(shape)), int(np.prod(made))
    kernel = scale * np.random.default_rng(seed).normal(size=(size, count))
    layers = [keras.layers.Flatten(), keras.layers.Dense(count, use_bias=False)]
    network = keras.Sequential([keras.Input(shape), *layers, keras.layers.Reshape(made)])
    network.set_weights([kernel.astype("float32")])
    return network, network.get_weights()[0].astype("float64")


def matrices(source=SOURCE, target=TARGET, features=FEATURES):
    """`{name: network}` in the constructor's order, and the three matrices."""
    made = {
        "decoder": matrix((features,), target, 1),
        "discriminator": matrix(target, (3,), 2),
        "encoder": matrix(source, (features,), 3, scale=0.1),
    }
    return {name: pair[0] for name, pair in made.items()}, [pair[1] for pair in made.values()]


def pictures(num, shape, seed):
    return np.random.default_rng(seed).uniform(-1, 1, (num, *shape)).astype("float32")


def surprise(logits, label):
    """-E log of the softmax's value for a label, 0 to 2."""
    logits = logits - logits.max(1, keepdims=True)
    return np.mean(np.log(np.exp(logits).sum(1)) - logits[:, label])


def variation(flat):
    """Of each picture the sum over pixels of the root of both squared differences, by loops."""
    total = 0
    for z in flat.reshape(-1, HEIGHT, WIDTH):
        for i in range(HEIGHT):
            for j in range(WIDTH):
                below = z[i + 1, j] - z[i, j] if i + 1 < HEIGHT else 0
                beside = z[i, j + 1] - z[i, j] if j + 1 < WIDTH else 0
                total += np.sqrt(beside**2 + below**2)
    return total / len(flat)


def derivative(function, at, step=1e-5):
    """Of a function of a matrix, by central differences."""
    found = np.zeros_like(at)
    for index in np.ndindex(*at.shape):
        moved = np.zeros_like(at)
        moved[index] = step
        found[index] = (function(at + moved) - function(at - moved)) / (2 * step)
    return found


def step_by_hand(kernels, s, t, rate, constancy_weight, identity_weight, tv_weight):
    """Decoder and discriminator after a step of SGD, D first, and the losses by name."""
    decoder, discriminator, encoder = kernels
    seen = np.repeat(t, 3, axis=-1).reshape(len(t), -1)  # grey in three equal colours
    flat_t = t.reshape(len(t), -1)
    of_s, of_t = s.reshape(len(s), -1) @ encoder, seen @ encoder

    def of_discriminator(matrix):
        classes = (of_s @ decoder, of_t @ decoder, flat_t)
        return sum(surprise(x @ matrix, label) for label, x in enumerate(classes))

    judging = discriminator - rate * derivative(of_discriminator, discriminator)

    def terms(matrix):
        from_s, from_t = of_s @ matrix, of_t @ matrix
        in_colours = np.repeat(from_s[..., None], 3, axis=-1).reshape(len(s), -1)
        return {
            "adversarial_loss": surprise(from_s @ judging, 2) + surprise(from_t @ judging, 2),
            "constancy_loss": np.mean((of_s - in_colours @ encoder) ** 2),
            "identity_loss": np.mean((flat_t - from_t) ** 2),
            "tv_loss": variation(np.concatenate([from_s, from_t])),
        }

    weights = (1, constancy_weight, identity_weight, tv_weight)

    def of_generator(matrix):
        return np.dot(weights, list(terms(matrix).values()))

    losses = {
        "discriminator_loss": of_discriminator(discriminator),
        "generator_loss": of_generator(decoder),
        **terms(decoder),
    }
    return decoder - rate * derivative(of_generator, decoder), judging, losses


@pytest.mark.parametrize("weights", [(15, 15, 0), (2, 3, 0.5), (0, 4, 0), (7, 0, 0)])
def test_formulas(weights):
    names = ("constancy_weight", "identity_weight", "tv_weight")
    weights = dict(zip(names, weights, strict=True))
    s, t = pictures(6, SOURCE, 4), pictures(6, TARGET, 5)
    networks, kernels = matrices()
    model = harness.compile_sgd(DTN(**networks, **weights, seed=0), rate=0.1)
    logs = model.fit(tf.data.Dataset.from_tensors((s, t)), verbose=0, steps_per_epoch=1).history
    decoder, discriminator, losses = step_by_hand(kernels, s, t, 0.1, **weights)
    (found,) = model.decoder.get_weights()
    np.testing.assert_allclose(found, decoder, rtol=0, atol=2e-5)
    assert np.abs(found - kernels[0]).max() > 1e-2
    (found,) = model.discriminator.get_weights()
    np.testing.assert_allclose(found, discriminator, rtol=0, atol=2e-6)
    for name, value in losses.items():
        assert logs[name][0] == pytest.approx(value, rel=1e-4), name


def test_classes_in_numbers():
    """Logits (log 2, 0, 0) are p = (1/2, 1/4, 1/4): -log p is log 2, and 2 log 2 of the others."""
    networks, _ = matrices(target=(1, 1, 1), source=(1, 1, 1), features=1)
    networks["discriminator"].set_weights([np.array([[np.log(2), 0, 0]], "float32")])
    model = DTN(**networks)
    ones = np.ones((3, 1, 1, 1), "float32")
    found = [float(model.surprise(label, ones)) for label in range(3)]
    np.testing.assert_allclose(found, np.log([2, 4, 4]), rtol=1e-6)


# The encoder


@keras.saving.register_keras_serializable("test_dtn")
class Recording(keras.layers.Layer):
    """Writes down what it is called with; a class's list, as models are copied."""

    calls = []

    def call(self, x, training=False):
        self.calls.append(training)
        return x


def restless_encoder(shape, features=5):
    """With all that changes while a network learns: moving statistics, dropout, weights."""
    keras.utils.set_random_seed(3)
    layers = [
        keras.layers.Conv2D(4, 3, 2),
        keras.layers.BatchNormalization(),
        Recording(),
        keras.layers.Flatten(),
        keras.layers.Dropout(0.5),
        keras.layers.Dense(features),
    ]
    return keras.Sequential([keras.Input(shape), *layers])


def test_the_encoder_never_changes(tmp_path):
    """Not in training, nor in files, to the last bit; and it is always asked as it is in use."""
    encoder = restless_encoder((8, 8, 3))
    before = encoder.get_weights()
    Recording.calls.clear()
    decoder = build_dtn_decoder(5, (8, 8, 1), width=4, seed=1)
    discriminator = build_dtn_discriminator((8, 8, 1), width=4, seed=2)
    model = DTN(decoder, discriminator, encoder, tv_weight=0.05, ema_decay=0.9, seed=0)
    assert model.encoder is encoder and not encoder.trainable_variables
    s, t = pictures(12, (8, 8, 3), 0), pictures(12, (8, 8, 1), 1)
    data = tf.data.Dataset.from_tensor_slices((s, t)).batch(4)
    model.fit(data, verbose=0, epochs=2)
    expected = np.array(encoder(s, training=False))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    loaded.fit(data, verbose=0)
    for each in (model, loaded):
        for a, b in zip(each.encoder.get_weights(), before, strict=True):
            np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(each.encoder(s, training=False), expected)
    assert Recording.calls and not any(Recording.calls)
    # No average is kept of it, and no optimizer has a slot for it.
    assert not hasattr(model, "ema_encoder")
    trained = sum(v.shape.num_elements() for v in model.trainable_variables)
    assert trained == sum(
        v.shape.num_elements() for p in model.players for v in model.player_variables(p)
    )


def test_constancy_alone_moves_the_decoder():
    """The gradient goes through the encoder, and through no feature that is given."""
    networks, (decoder, _, encoder) = matrices()
    model = DTN(**networks, seed=0)
    s = pictures(6, SOURCE, 4)
    with tf.GradientTape() as tape:
        of_s = model.features_of(s)
        distance = tf.reduce_mean((of_s - model.features_of(model(s))) ** 2)
    (gradient,) = tape.gradient(distance, [v.value for v in model.decoder.trainable_variables])
    of_s = s.reshape(6, -1) @ encoder
    in_colours = encoder.reshape(PIXELS, 3, FEATURES).sum(1)  # grey enters three times
    expected = of_s.T @ (2 * (of_s @ decoder @ in_colours - of_s) @ in_colours.T) / of_s.size
    np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=1e-7)


def test_pictures_are_made_once_a_step():
    """Both updates see the same, and both minibatches one normalization."""
    networks, _ = matrices()
    features = keras.Input((FEATURES,))
    decoder = keras.Model(features, networks["decoder"](Recording()(features)))
    model = DTN(**{**networks, "decoder": decoder}, seed=0)
    harness.compile_sgd(model, run_eagerly=True)
    Recording.calls.clear()
    data = tf.data.Dataset.from_tensors((pictures(2, SOURCE, 0), pictures(2, TARGET, 1)))
    model.fit(data, steps_per_epoch=1, verbose=0)
    assert Recording.calls == [True]


# Settings, networks, translating


def test_paper_defaults():
    encoder = small_encoder((32, 32, 3), features=7)
    model = DTN.from_paper((32, 32, 3), encoder=encoder, other_shape=(32, 32, 1), width=4)
    assert (model.constancy_weight, model.identity_weight, model.tv_weight) == (15, 15, 0)
    assert model.encoder is encoder
    assert model.decoder.input_shape == (None, 7)
    assert model.decoder.output_shape == (None, 32, 32, 1)
    assert model.discriminator.output_shape == (None, 3)
    model.compile()
    for player in model.players:
        optimizer = model.optimizer_of(player)
        assert type(optimizer) is keras.optimizers.Adam
        assert float(optimizer.learning_rate) == pytest.approx(2e-4)
        assert (optimizer.beta_1, optimizer.beta_2) == (0.5, 0.999)
    sources, targets = model.data_spec()
    assert (sources.name, sources.shape) == ("sources", (32, 32, 3))
    assert (targets.name, targets.shape) == ("targets", (32, 32, 1))


def test_an_encoder_of_a_file(tmp_path):
    encoder = build_dtn_encoder((16, 16, 1), 6, width=2, seed=3)
    encoder.save(tmp_path / "f.keras")
    built = [
        DTN.from_paper((16, 16, 1), encoder=each, width=2, seed=4)
        for each in (tmp_path / "f.keras", str(tmp_path / "f.keras"), encoder)
    ]
    x = pictures(3, (16, 16, 1), 0)
    for model in built[:2]:
        np.testing.assert_array_equal(model.translate(x), built[2].translate(x))


def test_translating():
    """By the average where there is one; grids have the target, and what is made of it."""
    shape, grey = (16, 24, 3), (16, 24, 1)
    networks = DTN.default_networks(
        shape, encoder=small_encoder(shape), other_shape=grey, width=2, seed=0
    )
    model = DTN(**networks, ema_decay=0.5, seed=0)
    s, t = pictures(3, shape, 0), pictures(3, grey, 1)
    for weight in model.ema_decoder.weights:
        weight.assign(3 * weight)
    made = model.translate(s)
    assert made.dtype == np.uint8 and made.shape == (3, *grey)
    expected = np.array(model.ema_decoder(model.encoder(s)))
    assert np.abs(made - (expected + 1) * 127.5).max() <= 0.51
    assert np.abs(expected - np.array(model(s))).max() > 1e-3  # `call` is the one that is trained
    np.testing.assert_array_equal(model.translate(s[1:2]), made[1:2])
    grid = model.translation_grid(s, t)
    assert grid.shape == (12, *shape)
    np.testing.assert_array_equal(grid[:3], np.rint((s + 1) * 127.5))
    np.testing.assert_array_equal(grid[3:6], np.repeat(made, 3, axis=-1))
    assert np.abs(grid[6:9] - (t + 1) * 127.5).max() <= 0.51
    kept = np.array(model.ema_decoder(model.encoder(np.repeat(t, 3, axis=-1))))
    assert np.abs(grid[9:] - (kept + 1) * 127.5).max() <= 0.51
    (name,) = model.ports()
    port = model.ports()[name]
    assert name == "translate" and port.inputs[0].shape == shape and port.output.shape == grey
    with pytest.raises(ValueError, match="`targets` must be as many as `sources`, 3"):
        model.translation_grid(s, t[:2])


def test_what_does_not_fit(tmp_path):
    networks, _ = matrices()

    def refuses(match, **others):
        with pytest.raises(ValueError, match=match):
            DTN(**{**networks, **others})

    points = build_mlp_generator((7,), 4, (8,))
    refuses(r"`encoder` must make one output, features, of pictures", encoder=points)
    wrong, _ = matrix((5,), TARGET, 0)
    refuses(r"`decoder` must take the features that `encoder` makes, \(None, 2\)", decoder=wrong)
    for made in ((4, 4, 2), (4, 8, 1), (8, 4, 3), (16,)):
        wrong, _ = matrix((FEATURES,), made, 0)
        refuses(r"`decoder` must make pictures that `encoder` takes, \(4, 4, 3\)", decoder=wrong)
    wrong, _ = matrix(SOURCE, (3,), 0)
    refuses("`discriminator` must take samples of the shape that `decoder`", discriminator=wrong)
    for logits in ((1,), (4,), (3, 1)):
        wrong, _ = matrix(TARGET, logits, 0)
        refuses("`discriminator` must make logits of three classes", discriminator=wrong)

    with pytest.raises(ValueError, match=r"`encoder` must be given.*build_dtn_classifier"):
        DTN.from_paper((32, 32, 3))
    for encoder in (tmp_path / "none.keras", "", 3):
        with pytest.raises(ValueError, match="`encoder` must be a"):
            DTN.from_paper((32, 32, 3), encoder=encoder)
    with pytest.raises(ValueError, match=r"`encoder` must make features .*\(32, 32, 3\)"):
        DTN.from_paper((32, 32, 3), encoder=small_encoder((32, 32, 1)))
    inputs = keras.Input((16, 16, 1))
    flat = keras.layers.Flatten()(inputs)
    for outputs in ([flat, flat], keras.layers.ReLU()(inputs)):
        with pytest.raises(ValueError, match=r"`encoder` must make features \(batch, d\)"):
            DTN.from_paper((16, 16, 1), encoder=keras.Model(inputs, outputs))
    with pytest.raises(ValueError, match="`decoder` must make pictures that `encoder` takes"):
        DTN.from_paper((16, 16, 1), encoder=small_encoder((16, 16, 1)), other_shape=(32, 32, 1))
    with pytest.raises(ValueError, match=r"`decoder` must be a built keras.Model"):
        DTN.from_paper((16, 16, 1), encoder=small_encoder((16, 16, 1)), decoder=None)
