"""Virtual batch normalization against the formula of Salimans et al., 2016, section 3.5."""

import harness
import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from keras_gans import DCGAN
from keras_gans.layers import (
    DropReference,
    MinibatchDiscrimination,
    ReferenceBatch,
    VirtualBatchNormalization,
    set_reference,
)
from keras_gans.training.passes import in_one_pass, judges_alone

R = 3


def normal(*shape, seed=0, mean=0.0):
    return (np.random.default_rng(seed).normal(size=shape) + mean).astype("float32")


def expected(reference, live, epsilon=1e-5):
    """One example at a time: a batch of the reference's R examples and itself, in float64.

    The mean over all places of R + 1 examples is (R m + m') / (R + 1); so is that of the squares.
    """
    places = tuple(range(reference.ndim - 1))
    reference, live = (x.astype("float64") for x in (reference, live))
    rows = [(reference - reference.mean(places)) / np.sqrt(reference.var(places) + epsilon)]
    for example in live:
        batch = np.concatenate([reference, example[None]])
        rows.append(((example - batch.mean(places)) / np.sqrt(batch.var(places) + epsilon))[None])
    return np.concatenate(rows)


@pytest.mark.parametrize("shape", [(5,), (4, 6, 5)])
@pytest.mark.parametrize("mean", [0.0, 1000.0])
def test_matches_numpy(shape, mean):
    reference, live = normal(R, *shape, mean=mean), 2 * normal(4, *shape, seed=1, mean=mean)
    layer = VirtualBatchNormalization(R)
    made = layer(np.concatenate([reference, live]))
    np.testing.assert_allclose(made, expected(reference, live), atol=2e-5 if mean == 0 else 2e-3)
    gamma, beta = normal(5, seed=2), normal(5, seed=3)
    layer.set_weights([gamma, beta])
    rows = tf.constant(np.concatenate([reference, live]))
    np.testing.assert_allclose(layer(rows), made * gamma + beta, atol=1e-5)
    graph = tf.function(layer, input_signature=[tf.TensorSpec((None, *shape))])
    np.testing.assert_allclose(graph(rows), layer(rows), atol=1e-5)
    np.testing.assert_array_equal(layer(rows, training=True), layer(rows))


def test_by_hand():
    """R = 1, reference 0, example 2: mean 1, mean of squares 2, variance 1; so 1 / sqrt(1 + e)."""
    made = VirtualBatchNormalization(1, epsilon=3.0)(np.array([[0.0], [2.0], [-4.0]], "float32"))
    # -4: mean -2, mean of squares 8, variance 4.
    np.testing.assert_allclose(made, [[0.0], [0.5], [-2 / np.sqrt(7)]], rtol=1e-6)


def test_channels_first():
    rows = normal(R + 2, 4, 6, 5)
    made = VirtualBatchNormalization(R, axis=1)(rows.transpose(0, 3, 1, 2))
    np.testing.assert_allclose(
        np.transpose(made, (0, 2, 3, 1)), VirtualBatchNormalization(R)(rows), atol=1e-6
    )


def test_half_precision():
    rows = normal(R + 2, 4, 4, 5)
    made = VirtualBatchNormalization(R, dtype="mixed_float16")(rows.astype("float16"))
    assert made.dtype == "float16"
    np.testing.assert_allclose(made, expected(rows[:R], rows[R:]), atol=1e-2)


def pair():
    """A generator and a discriminator of the harness' pictures, both with reference batches."""
    height, width, channels = harness.SHAPE
    latents = keras.Input((6,))
    x = layers.Dense(height * width * 2 // 16, kernel_initializer=glorot(1))(
        ReferenceBatch(R, glorot(2))(latents)
    )
    x = layers.Reshape((height // 4, width // 4, 2))(x)
    x = layers.ReLU()(VirtualBatchNormalization(R)(x))
    x = layers.Conv2DTranspose(
        channels, 4, strides=4, activation="tanh", kernel_initializer=glorot(3)
    )(x)
    generator = keras.Model(latents, DropReference(R)(x))
    pictures = keras.Input(harness.SHAPE)
    x = ReferenceBatch(R)(pictures)
    x = layers.Conv2D(4, 4, strides=4, kernel_initializer=glorot(4))(x)
    x = layers.LeakyReLU(0.2)(VirtualBatchNormalization(R)(x))
    x = VirtualBatchNormalization(R)(
        layers.Dense(4, kernel_initializer=glorot(5))(layers.Flatten()(x))
    )
    logits = layers.Dense(1, kernel_initializer=glorot(6))(DropReference(R)(x))
    discriminator = keras.Model(pictures, logits)
    set_reference(discriminator, np.tanh(normal(5, *harness.SHAPE, seed=7)))
    return generator, discriminator


def glorot(seed):
    return keras.initializers.GlorotUniform(seed)


CASE = harness.case(DCGAN, pair)


def test_others_do_not_matter():
    """What a network makes of an example is the same in any batch, and changes with the weights."""
    _, discriminator = pair()
    x = normal(4, *harness.SHAPE, seed=1)
    all_rows = discriminator(x, training=True)
    assert all_rows.shape == (4, 1) and discriminator.output_shape == (None, 1)
    alone = [discriminator(x[i : i + 1], training=True)[0] for i in range(4)]
    np.testing.assert_allclose(all_rows, alone, atol=1e-6)
    assert judges_alone(discriminator)
    one_pass = in_one_pass(discriminator, tf.constant(x[:2]), tf.constant(x[2:]))
    np.testing.assert_allclose(np.concatenate(one_pass), all_rows, atol=1e-6)


def test_gradients_go_through_the_reference():
    """The kernel moves the statistics: central differences in float64."""
    rows, kernel = normal(R + 2, 4).astype("float64"), normal(4, 3, seed=1).astype("float64")
    variable, weighting = tf.Variable(kernel), normal(R + 2, 3, seed=2)[R:]
    layer = VirtualBatchNormalization(R, dtype="float64")
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(layer(rows @ variable)[R:] * weighting)
    found = tape.gradient(total, variable)

    def loss(k):
        return np.sum(expected(rows[:R] @ k, rows[R:] @ k)[R:] * weighting)

    for place in np.ndindex(kernel.shape):
        step = np.zeros(kernel.shape)
        step[place] = 1e-5
        difference = (loss(kernel + step) - loss(kernel - step)) / 2e-5
        assert found[place].numpy() == pytest.approx(difference, abs=1e-6)


@pytest.mark.slow
def test_models_train_save_and_export(two_replicas, tmp_path):
    """As the harness asks of all models; the reference batches stay as they are."""
    harness.check_graph_is_eager(CASE)
    harness.check_replicas_are_one_device(CASE, two_replicas)
    harness.check_round_trip(CASE, tmp_path / "model.keras")
    harness.check_export(CASE, tmp_path)


def test_saved(tmp_path):
    model = CASE.build(ema_decay=0.9)
    rows = np.array(model.discriminator.layers[1].rows)
    np.testing.assert_array_equal(rows, np.tanh(normal(5, *harness.SHAPE, seed=7))[:R])
    harness.train(harness.compile_sgd(model), CASE, 2)
    np.testing.assert_array_equal(model.discriminator.layers[1].rows, rows)
    np.testing.assert_array_equal(
        model.ema_generator.layers[1].rows, model.generator.layers[1].rows
    )
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.generate(5, seed=1), model.generate(5, seed=1))
    np.testing.assert_array_equal(loaded.discriminator.layers[1].rows, rows)
    for layer, other in zip(model.generator.layers, loaded.generator.layers, strict=True):
        assert layer.get_config() == other.get_config()


def conditional():
    """[latents, labels] to latents and one-hot labels, less those of the reference."""
    latents, labels = keras.Input((2,)), keras.Input((), dtype="int32")
    codes = keras.ops.one_hot(ReferenceBatch(R, "zeros", name="of_labels")(labels), 3)
    noisy = layers.GaussianNoise(0.1)(latents)
    x = layers.Concatenate()([codes, ReferenceBatch(R, name="of_latents")(noisy)])
    return keras.Model([latents, labels], DropReference(R)(x))


def test_several_inputs():
    """An array for each of the network's inputs, in their order; labels stay integers."""
    network, z = conditional(), normal(4, 2)
    made = network([z[:2], np.array([2, 1])])
    np.testing.assert_array_equal(made, np.concatenate([np.eye(3)[[2, 1]], z[:2]], axis=1))
    set_reference(network, [z, np.array([1, 0, 2, 1])])
    np.testing.assert_array_equal(network.get_layer("of_latents").rows, z[:R])
    np.testing.assert_array_equal(network.get_layer("of_labels").rows, [1, 0, 2])


def test_latents_are_drawn_once():
    """Until they are set, from N(0, 1); an initializer has a seed of its own."""
    rows = [
        ReferenceBatch(2000, keras.initializers.RandomNormal(stddev=1.0, seed=s)) for s in (1, 1, 2)
    ]
    rows.append(ReferenceBatch(2000))
    for layer in rows:
        layer.build((None, 3))
    one, same, other, drawn = (np.array(layer.rows) for layer in rows)
    np.testing.assert_array_equal(one, same)
    assert (one != other).all() and drawn.std() == pytest.approx(1, abs=0.03)


def test_bad_reference():
    _, discriminator = pair()
    good = np.tanh(normal(R, *harness.SHAPE))
    bad = good.copy()
    bad[0, 0, 0, 0] = np.nan
    for samples, match in (
        (good[:2], r"`samples` must be finite floats \(num, 16, 24, 3\), 3 or more.*Received"),
        (good[..., :1], "`samples` must be finite floats"),
        (bad, "finite"),
        ((good * 100).astype("uint8"), "floats.*uint8"),
        ([good, good], "for each of 1 inputs.*Received: 2"),
    ):
        with pytest.raises(ValueError, match=match):
            set_reference(discriminator, samples)
    with pytest.raises(ValueError, match=r"for each of 2 inputs.*Received: 1"):
        set_reference(conditional(), normal(4, 2))
    points = keras.Input((4,))
    with pytest.raises(ValueError, match=r"`network` must be a keras.Model with a ReferenceBatch"):
        set_reference(keras.Model(points, MinibatchDiscrimination()(points)), normal(4, 4))
    other = VirtualBatchNormalization(2, name="v")(ReferenceBatch(R, name="r")(points))
    with pytest.raises(ValueError, match=r"one `reference_size`.*'r': 3, 'v': 2"):
        set_reference(keras.Model(points, other), normal(4, 4))


@pytest.mark.parametrize("kind", [ReferenceBatch, VirtualBatchNormalization, DropReference])
def test_bad_arguments(kind):
    for value in (0, 2.5, None, True):
        with pytest.raises(ValueError, match="`reference_size` must be an integer of at least 1"):
            kind(value)
    if kind is VirtualBatchNormalization:
        for axis in (0, 2, -2):
            with pytest.raises(ValueError, match="`axis` of VirtualBatchNormalization"):
                kind(2, axis=axis)(normal(4, 3))
    if kind is ReferenceBatch:
        with pytest.raises(ValueError, match=r"must know the shape.*None, 3"):
            kind(2).build((None, None, 3))
