"""CatGAN: both steps by finite differences, with labels and without; classes, forms, errors."""

import harness
import keras
import numpy as np
import pytest
from keras import layers

from keras_gans import CatGAN, optimizers
from keras_gans.datasets import load, semi_supervised
from keras_gans.networks import build_mlp_generator
from keras_gans.networks.ssgan import build_ssgan_mlp_discriminator

K = harness.NUM_CLASSES


def catgan_networks(num_classes=K):
    both = build_ssgan_mlp_discriminator(harness.SHAPE, num_classes, hidden=(8,), seed=2)
    return (
        build_mlp_generator(harness.SHAPE, 6, (8,), seed=1),
        keras.Model(both.inputs[0], both.outputs[0]),
    )


CASES = [
    harness.case(
        CatGAN,
        catgan_networks,
        labelled=True,
        num_classes=K,
        bad_arguments=[
            ({"label_weight": 0}, "label_weight"),
            ({"num_classes": K + 1}, "`num_classes` classes.*those of 3, and num_classes=4"),
        ],
    ),
]

ENTROPIES = ("marginal_entropy", "conditional_entropy", "fake_entropy")
ROLES = {"CatGAN": harness.Roles(loss_terms=ENTROPIES)}  # and with labels class_loss


def affine_networks():
    """G: z A to points of 2; D: the logits of 3 classes, x W."""
    rng = np.random.default_rng(0)
    latents, samples = keras.Input((4,)), keras.Input((2,))
    generator = keras.Model(latents, layers.Dense(2, use_bias=False)(latents))
    discriminator = keras.Model(samples, layers.Dense(3, use_bias=False)(samples))
    for network in (generator, discriminator):
        network.set_weights([rng.normal(size=w.shape) for w in network.get_weights()])
    return generator, discriminator


# The paper's formulas in numpy


def entropy(p):
    return -(p * np.log(p)).sum(-1)


def classes(x, w):
    p = np.exp(x @ w)
    return p / p.sum(1, keepdims=True)


def discriminator_loss(a, w, reals, z, labelled=None, labels=None, label_weight=None):
    """Equations 7 and 9, of which D takes the negative."""
    p, of_fakes = classes(reals, w), classes(z @ a, w)
    loss = -(entropy(p.mean(0)) - entropy(p).mean() + entropy(of_fakes).mean())
    if labelled is not None:
        likely = classes(labelled, w)[np.arange(len(labels)), labels]
        loss -= label_weight * np.log(likely).mean()
    return loss


def generator_loss(a, w, z):
    p = classes(z @ a, w)
    return -entropy(p.mean(0)) + entropy(p).mean()


def descended(value, loss, rate=0.1, h=1e-6):
    """The parameter after one step of SGD, by central differences."""
    gradient = np.zeros(value.shape)
    for place in np.ndindex(value.shape):
        step = np.zeros(value.shape)
        step[place] = h
        gradient[place] = (loss(value + step) - loss(value - step)) / (2 * h)
    return value - rate * gradient


@pytest.mark.parametrize("label_weight", [0.7, None])
def test_step_by_finite_differences(label_weight):
    """D descends on equation 9, or without labels on 7; then G on its own, with other latents."""
    settings = {"num_classes": 3, "label_weight": label_weight} if label_weight else {}
    model = harness.compile_sgd(
        CatGAN(*affine_networks(), **settings, seed=4), rate=0.1, run_eagerly=True
    )
    twin = CatGAN(*affine_networks(), seed=4)  # draws what `model` will
    rng = np.random.default_rng(1)
    reals, labelled = (rng.normal(size=(8, 2)).astype("float32") for _ in range(2))
    labels = rng.integers(0, 3, 8)
    # The first ones are for first weights by data, which these networks do not have.
    _, z, other_z = (np.array(twin.sample_latents(reals), "float64") for _ in range(3))
    a, w = (np.array(n.weights[0], "float64") for n in (model.generator, model.discriminator))

    data = (reals, labelled, labels) if label_weight else (reals,)
    logs = model.train_on_batch(data, return_dict=True)
    more = (labelled, labels, label_weight) if label_weight else ()
    new_w = descended(w, lambda w: discriminator_loss(a, w, reals, z, *more))
    new_a = descended(a, lambda a: generator_loss(a, new_w, other_z))
    np.testing.assert_allclose(model.discriminator.weights[0], new_w, atol=2e-6)
    np.testing.assert_allclose(model.generator.weights[0], new_a, atol=2e-6)
    p, of_fakes = classes(reals, w), classes(z @ a, w)
    expected = {
        "discriminator_loss": discriminator_loss(a, w, reals, z, *more),
        "generator_loss": generator_loss(a, new_w, other_z),
        "marginal_entropy": entropy(p.mean(0)),
        "conditional_entropy": entropy(p).mean(),
        "fake_entropy": entropy(of_fakes).mean(),
    }
    if label_weight:
        likely = classes(labelled, w)[np.arange(8), labels]
        expected["class_loss"] = -np.log(likely).mean()
    assert logs == pytest.approx(expected, abs=1e-5)


def test_clusters_of_points():
    """Three heaps without labels: D gives each a class of its own."""
    rng = np.random.default_rng(0)
    heaps = rng.integers(0, 3, 600)
    centres = np.array([[2.0, 0.0], [-1.0, 1.7], [-1.0, -1.7]])
    points = (centres[heaps] + 0.2 * rng.normal(size=(600, 2))).astype("float32")
    samples = keras.Input((2,))
    hidden = layers.Dense(32, "relu", kernel_initializer=keras.initializers.HeNormal(1))(samples)
    logits = layers.Dense(3, kernel_initializer=keras.initializers.HeNormal(2))(hidden)
    model = CatGAN(
        build_mlp_generator((2,), 4, (16,), seed=1), keras.Model(samples, logits), seed=0
    )
    model.compile(**{f"{player}_optimizer": optimizers.adam(1e-2, 0.5) for player in model.players})
    model.fit(points, batch_size=100, epochs=20, verbose=0)
    codes = model.classify(points)
    counts = np.zeros((3, 3), int)
    np.add.at(counts, (heaps, codes), 1)
    assert counts.max(axis=1).sum() == 600 and sorted(counts.argmax(axis=1)) == [0, 1, 2]
    assert model.probabilities(points).max(axis=1).mean() > 0.9


def test_classes_are_the_averages():
    """`classify` and `evaluate` are by the averaged discriminator, without noise."""
    model = CatGAN(*affine_networks(), num_classes=3, ema_decay=0.9, seed=0)
    x = np.random.default_rng(2).normal(size=(9, 2)).astype("float32")
    w = np.array([[1.0, 0.0, -1.0], [0.0, 1.0, 0.5]], "float32")
    model.ema_discriminator.set_weights([w])
    p = classes(x, w)
    np.testing.assert_array_equal(model.classify(x), p.argmax(1))
    np.testing.assert_allclose(model.probabilities(x), p, rtol=1e-5)
    labels = np.arange(9) % 3
    loss, accuracy = model.evaluate(x, labels)
    assert accuracy == pytest.approx((p.argmax(1) == labels).mean())
    assert loss == pytest.approx(-np.log(p[np.arange(9), labels]).mean(), rel=1e-5)


def test_clusters_have_no_names():
    model = CatGAN(*affine_networks(), seed=0)
    with pytest.raises(ValueError, match=r"`evaluate` .*normalized_mutual_information.*Received"):
        model.evaluate(np.zeros((4, 2), "float32"), np.arange(4) % 3)


def test_first_weights_by_data():
    """What D makes of the first reals has the deviation 1, and later calls change nothing."""
    model = CatGAN(*catgan_networks(), num_classes=K, ema_decay=0.9, seed=0)
    reals = np.random.default_rng(0).uniform(-1, 1, (100, *harness.SHAPE)).astype("float32")
    model.begin_on(reals)
    logits = np.array(model.discriminator(reals, training=True))
    np.testing.assert_allclose(logits.std(0), 1, atol=0.3)  # the noise is another
    before = model.discriminator.get_weights()
    model.begin_on(0.1 * reals)
    for weight, known in zip(model.discriminator.get_weights(), before, strict=True):
        if weight.dtype == "float32":
            np.testing.assert_array_equal(weight, known)


def test_paper_forms():
    """With labels K is that of the data; without, 20 unless one says another."""
    with_labels = CatGAN.from_paper((28, 28, 1), num_classes=10, seed=0)
    assert with_labels.num_categories == 10 and with_labels.ema_decay == 0.999
    names = [kind.name for kind in with_labels.data_spec()]
    assert names == ["reals", "labelled", "labels"]
    without = CatGAN.from_paper((28, 28, 1), seed=0)
    assert without.num_categories == 20
    assert [kind.name for kind in without.data_spec()] == ["reals"]
    assert "class_loss" in with_labels.reported and "class_loss" not in without.reported
    for config in harness.optimizer_settings(without).values():
        assert config["learning_rate"] == pytest.approx(3e-3) and config["beta_1"] == 0.5


def test_saved_without_labels(tmp_path):
    model = CatGAN(*affine_networks(), seed=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert not loaded.supervised and loaded.reported == ENTROPIES


def test_fewer_than_two_classes():
    generator, _ = affine_networks()
    samples = keras.Input((2,))
    for outputs in (layers.Dense(1)(samples), [layers.Dense(3)(samples)] * 2):
        with pytest.raises(ValueError, match=r"`discriminator` must have the logits of 2 classes"):
            CatGAN(generator, keras.Model(samples, outputs))
    for name in ("num_classes", "num_clusters"):
        with pytest.raises(ValueError, match=f"`{name}` must be an integer of at least 2"):
            CatGAN.from_paper((2,), **{name: 1})


def test_labels_are_missing():
    model = CatGAN.from_paper((28, 28, 1), num_classes=10, seed=0)
    with pytest.raises(ValueError, match=r"batches of \(reals, labelled, labels\).*1 part"):
        model.fit(load("mnist_5k", batch_size=100), verbose=0)
    pairs = load("mnist_5k", batch_size=100, labels=True)
    with pytest.raises(ValueError, match=r"batches of \(reals, labelled, labels\).*2 part"):
        model.fit(pairs, verbose=0)
    few = CatGAN(model.generator, catgan_like(7), num_classes=7, seed=0)
    with pytest.raises(ValueError, match=r"`labels`.*\[0, 7\)"):
        few.fit(semi_supervised(pairs), verbose=0)


def catgan_like(num_classes):
    pictures = keras.Input((28, 28, 1))
    return keras.Model(pictures, layers.Dense(num_classes)(layers.Flatten()(pictures)))
