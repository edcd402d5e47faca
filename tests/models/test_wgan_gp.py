"""WGAN-GP: the paper's settings, and a step of the critic by hand."""

import harness
import keras
import numpy as np
import pytest
import tensorflow as tf
from small_networks import dcgan_pair

from keras_gans import WGANGP
from keras_gans.layers import LayerNormalization
from keras_gans.models.wgan_gp import dequantized
from keras_gans.networks import (
    build_mlp_discriminator,
    build_mlp_generator,
    build_residual_discriminator,
    build_residual_generator,
)

CASES = [
    harness.case(
        WGANGP,
        lambda: dcgan_pair("layer"),
        n_critic=2,
        rate=0.001,  # with 0.005 a rounding error sends a unit across the kink of its ReLU
        bad_arguments=[
            ({"gp_weight": -1}, "gp_weight"),
            ({"n_critic": 1.5}, "n_critic"),
            ({"total_steps": 0}, "total_steps"),
            ({"generator_minibatches": 0}, "generator_minibatches"),
            ({"dequantize": 1}, "dequantize"),
            ({"num_classes": 3}, "`generator` must have two inputs"),
            ({"class_weight": -1}, "class_weight"),
            ({"generator_class_weight": None}, "generator_class_weight"),
        ],
    ),
]

ROLES = {"WGANGP": harness.Roles(judges=("critic",), penalties={"gradient_penalty": "critic"})}


def test_paper_settings():
    for config in harness.optimizer_settings(CASES[0].build()).values():
        assert config["learning_rate"] == pytest.approx(1e-4)
        assert (config["beta_1"], config["beta_2"]) == (0.0, 0.9)
    wgan_gp = WGANGP(*dcgan_pair("layer"))
    assert (wgan_gp.n_critic, wgan_gp.gp_weight) == (5, 10.0)


def test_critic_step_formula_of_wgan_gp():
    """One critic step of SGD, by hand: f(x) = w . x has the gradient w everywhere.

    With n_critic = 1, L = w.(m_g - m_r) + 10 (|w| - 1)^2, so that
    dL/dw = m_g - m_r + 20 (|w| - 1) w / |w|.
    """
    generator = build_mlp_generator((2,), 3, (4,), seed=1)
    critic = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, use_bias=False)])
    w = np.array([[0.6], [1.1]], "float32")
    critic.layers[0].kernel.assign(w)
    model = harness.compile_sgd(WGANGP(generator, critic, n_critic=1, seed=3), rate=0.1)
    reals = np.random.default_rng(1).normal(size=(16, 2)).astype("float32")
    twin = WGANGP(generator, critic, n_critic=1, seed=3)  # draws the latents that `model` will
    fakes = np.array(generator(twin.sample_latents(reals)))
    model.fit(tf.data.Dataset.from_tensors(reals), verbose=0, steps_per_epoch=1)
    norm = np.sqrt((w**2).sum())
    gradient = (fakes.mean(0) - reals.mean(0))[:, None] + 20 * (norm - 1) * w / norm
    np.testing.assert_allclose(np.array(critic.layers[0].kernel), w - 0.1 * gradient, atol=1e-5)


def critic_loss_by_hand(weights, reals, fakes, epsilon):
    """WGAN-GP's loss of a dense layer, layer normalization, tanh and a dense layer."""
    kernel, bias, gamma, beta, last, last_bias = weights

    def layers(x):
        h = x @ kernel + bias
        centred = h - h.mean(1, keepdims=True)
        scale = 1 / np.sqrt((centred**2).mean(1, keepdims=True) + 1e-3)
        return centred * scale, scale, np.tanh(gamma * centred * scale + beta)

    def score(x):
        return layers(x)[-1] @ last + last_bias

    def input_gradient(x):
        n, scale, y = layers(x)
        g = (1 - y**2) * last[:, 0] * gamma
        of_h = scale * (g - g.mean(1, keepdims=True) - n * (g * n).mean(1, keepdims=True))
        return of_h @ kernel.T

    between = fakes + epsilon[:, None] * (reals - fakes)
    norms = np.sqrt((input_gradient(between) ** 2).sum(1) + 1e-12)
    return score(fakes).mean() - score(reals).mean() + 10 * ((norms - 1) ** 2).mean()


def gradients_by_differences(loss, weights, step=1e-6):
    gradients = [np.zeros_like(w) for w in weights]
    for w, gradient in zip(weights, gradients, strict=True):
        for place in np.ndindex(w.shape):
            kept = w[place]
            w[place] = kept + step
            above = loss(weights)
            w[place] = kept - step
            gradient[place] = (above - loss(weights)) / (2 * step)
            w[place] = kept
    return gradients


def test_steps_through_layer_normalization():
    """Three steps of SGD beside a loss in float64 that is differentiated numerically.

    With Keras's own layer, whose second derivatives are wrong, they are 2e-2 away.
    """
    weights = keras.initializers.GlorotUniform(seed=4)
    generator = build_mlp_generator((3,), 3, (4,), seed=1)
    critic = keras.Sequential(
        [
            keras.Input((3,)),
            keras.layers.Dense(8, kernel_initializer=weights),
            LayerNormalization(),
            keras.layers.Activation("tanh"),
            keras.layers.Dense(1, kernel_initializer=keras.initializers.GlorotUniform(seed=5)),
        ]
    )
    model, twin = (WGANGP(generator, critic, n_critic=1, seed=3) for _ in range(2))
    sgd = keras.optimizers.SGD
    model.compile(critic_optimizer=sgd(0.02), generator_optimizer=sgd(0.0))
    expected = [np.array(w, "float64") for w in critic.get_weights()]
    batches = np.random.default_rng(1).normal(size=(3, 16, 3)).astype("float32")
    for reals in batches:
        fakes = np.array(generator(twin.sample_latents(reals)), "float64")
        epsilon = np.array(twin.random_uniform(reals), "float64")
        twin.sample_latents(reals)  # the generator's
        gradients = gradients_by_differences(
            lambda w, r=reals, f=fakes, e=epsilon: critic_loss_by_hand(w, r, f, e), expected
        )
        expected = [w - 0.02 * g for w, g in zip(expected, gradients, strict=True)]
    model.fit(tf.data.Dataset.from_tensor_slices(batches), verbose=0, steps_per_epoch=3)
    harness.assert_close(critic.get_weights(), expected, 1e-5)


def test_wgan_gp_warns_of_batch_normalization():
    with pytest.warns(UserWarning, match="batch normalization"):
        WGANGP(*dcgan_pair("batch"))


# The authors' form of CIFAR-10 (gan_cifar_resnet.py)


def test_the_form_of_cifar_10():
    """128 latents, twice the minibatch for G, and 2e-4 that falls to 0 in 100,000 steps."""
    gan = WGANGP.from_paper((8, 8, 3), residual=True, seed=0)
    assert (gan.generator_minibatches, gan.dequantize, gan.total_steps) == (2, True, 100_000)
    assert gan.latent_shape == (128,) and gan.num_classes is None
    assert "ResampledConv2D" in [type(layer).__name__ for layer in gan.critic.layers]
    for player, updates in {"critic": 5, "generator": 1}.items():
        optimizer = gan.default_optimizers()[player]
        assert (optimizer.beta_1, optimizer.beta_2) == (0.0, 0.9)
        optimizer.build([])
        found = []
        for steps in (0, 25_000, 100_000, 100_001):
            optimizer.iterations.assign(steps * updates)
            found.append(float(optimizer.learning_rate))
        assert found == pytest.approx([2e-4, 1.5e-4, 0, 0])
    other = WGANGP.from_paper((8, 8, 3), residual=True, dequantize=False, total_steps=9, seed=0)
    assert (other.dequantize, other.total_steps, other.n_critic) == (False, 9, 5)
    with pytest.raises(ValueError, match="`residual` must be True or False"):
        WGANGP.from_paper((8, 8, 3), residual=None)
    with pytest.raises(ValueError, match="`num_classes` must be None but with `residual=True`"):
        WGANGP.from_paper((8, 8, 3), num_classes=3)


def test_noise_below_one_level():
    """2 (level / 256 - 1/2) + U(0, 1/128), as the authors' code has it."""
    levels = np.arange(256)
    pictures = (levels / 127.5 - 1).astype("float32")
    for u in (0.0, 0.5, 0.999):
        expected = 2 * (levels / 256 - 0.5) + u / 128
        np.testing.assert_allclose(dequantized(pictures, u), expected, atol=1e-6)
    networks = [build(harness.SHAPE, width=4, **more) for build, more in RESIDUAL_NETWORKS]
    model = WGANGP(*networks, n_critic=1, dequantize=True, seed=0)
    harness.compile_sgd(model, run_eagerly=True)
    judged, critic = [], model.critic.call
    model.critic.call = lambda x, *args, **more: judged.append(x) or critic(x, *args, **more)
    model.train_step(tf.fill((4, *harness.SHAPE), 2 * 17 / 255 - 1.0))
    noises = 128 * (np.array(judged[1]) + 1) - 17  # of the interpolates, then the reals
    assert noises.min() > -1e-3 and noises.max() < 1 + 1e-3
    assert noises.std() == pytest.approx(12**-0.5, rel=0.05)
    assert np.abs(noises[0] - noises[1]).mean() > 0.1  # each example's own
    points = build_mlp_generator((2,), 3, (4,)), build_mlp_discriminator((2,), (4,))
    with pytest.raises(ValueError, match="`dequantize` must be False where reals are no pictures"):
        WGANGP(*points, dequantize=True)


RESIDUAL_NETWORKS = (
    (build_residual_generator, {"latent_dim": 5, "seed": 1}),
    (build_residual_discriminator, {"seed": 2}),
)


def softmax(logits):
    exponentials = np.exp(logits - logits.max(1, keepdims=True))
    return exponentials / exponentials.sum(1, keepdims=True)


def test_a_step_with_classes_by_hand():
    """Linear scores x w and class logits x V, whose cross-entropy has dH/dV = E[x (p - y)].

    The critic's fakes have the labels of the reals; the generator's loss is that of two minibatches
    with random labels, and has a tenth of their cross-entropy.
    """
    generator = build_mlp_generator((2,), 3, (4,), num_classes=3, seed=1)
    x = keras.Input((2,))
    heads = [keras.layers.Dense(units, use_bias=False) for units in (1, 3)]
    critic = keras.Model(x, [head(x) for head in heads])
    w, v = np.array([[0.6], [1.1]]), np.array([[0.3, -0.2, 0.5], [0.1, 0.7, -0.4]])
    heads[0].kernel.assign(w), heads[1].kernel.assign(v)
    settings = {"n_critic": 1, "num_classes": 3, "generator_minibatches": 2, "seed": 3}
    model, twin = (WGANGP(generator, critic, **settings) for _ in range(2))
    harness.compile_sgd(model, rate=0.1)
    rng = np.random.default_rng(1)
    reals, labels = rng.normal(size=(16, 2)).astype("float32"), np.arange(16) % 3
    given = tf.constant(labels, "int32")
    fakes = np.array(generator([twin.sample_latents(reals), given]))
    twin.random_uniform(reals)
    latents = np.concatenate([twin.sample_latents(reals) for _ in range(2)])
    drawn = np.concatenate([twin.random_uniform(reals, maxval=3) for _ in range(2)]).astype("int32")
    made = np.array(generator([tf.constant(latents), tf.constant(drawn)]), "float64")

    data = tf.data.Dataset.from_tensors((reals, given))
    logs = model.fit(data, verbose=0, steps_per_epoch=1).history
    norm = np.sqrt((w**2).sum())
    cross_entropy = -np.log(softmax(reals @ v)[range(16), labels]).mean()
    distance = ((fakes.mean(0) - reals.mean(0)) @ w).item()
    assert logs["critic_loss"][0] == pytest.approx(
        distance + 10 * (norm - 1) ** 2 + cross_entropy, rel=1e-4
    )
    assert logs["class_loss"][0] == pytest.approx(cross_entropy, rel=1e-5)
    w = w - 0.1 * ((fakes.mean(0) - reals.mean(0))[:, None] + 20 * (norm - 1) * w / norm)
    v = v - 0.1 * reals.T @ (softmax(reals @ v) - np.eye(3)[labels]) / 16
    np.testing.assert_allclose(heads[0].kernel, w, atol=1e-5)
    np.testing.assert_allclose(heads[1].kernel, v, atol=1e-6)
    cross_entropy = -np.log(softmax(made @ v)[range(32), drawn]).mean()
    expected = -(made @ w).mean() + 0.1 * cross_entropy
    assert logs["generator_loss"][0] == pytest.approx(expected, rel=1e-4)
    assert set(drawn) == {0, 1, 2}


def test_a_model_with_classes_is_asked_for_them(tmp_path):
    generator = build_residual_generator((8, 8, 3), latent_dim=5, width=4, num_classes=3, seed=1)
    critic = build_residual_discriminator((8, 8, 3), width=4, class_logits=3, seed=2)
    gan = WGANGP(generator, critic, num_classes=3, n_critic=1, seed=0)
    gan.save(tmp_path / "gan.keras")
    loaded = keras.models.load_model(tmp_path / "gan.keras")
    assert harness.settings(loaded) == harness.settings(gan)
    assert loaded.reported == ("gradient_penalty", "class_loss")
    assert loaded.loss_terms == ("class_loss",)
    assert WGANGP.reported == ("gradient_penalty",)
    made = loaded.generate(4, seed=1, labels=2)
    assert made.shape == (4, 8, 8, 3)
    np.testing.assert_array_equal(made, gan.generate(4, seed=1, labels=2))
    assert [part.name for part in gan.data_spec()] == ["reals", "labels"]
    for networks, num_classes, message in (
        ((generator, critic), None, "`critic` must have one output"),
        ((generator, critic), 4, r"`critic` must have .*\(batch, 4\)"),
    ):
        with pytest.raises(ValueError, match=message):
            WGANGP(*networks, num_classes=num_classes)


def residual_networks_with_classes():
    settings = {"width": 4, "seed": 1}
    generator = build_residual_generator(
        harness.SHAPE, latent_dim=5, num_classes=harness.NUM_CLASSES, **settings
    )
    return generator, build_residual_discriminator(
        harness.SHAPE, class_logits=harness.NUM_CLASSES, **settings
    )


WITH_CLASSES = harness.case(
    WGANGP,
    residual_networks_with_classes,
    labelled=True,
    rate=0.001,
    n_critic=1,
    num_classes=harness.NUM_CLASSES,
    generator_minibatches=2,
    dequantize=True,
)


@pytest.mark.slow
def test_classes_on_replicas_and_in_files(two_replicas, tmp_path):
    harness.check_graph_is_eager(WITH_CLASSES)
    harness.check_replicas_are_one_device(WITH_CLASSES, two_replicas)
    harness.check_round_trip(WITH_CLASSES, tmp_path / "model.keras")
