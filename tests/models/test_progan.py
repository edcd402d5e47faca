"""Progressive GANs: fading, growing, saving in mid-fade, the losses by hand."""

import harness
import keras
import numpy as np
import pytest
import tensorflow as tf
from small_networks import progan_pair

from keras_gans import ProGAN, ProGANLS
from keras_gans.layers import FadeIn, MultiplicativeNoise
from keras_gans.networks import build_progan_discriminator, build_progan_generator

CASES = [
    harness.case(
        ProGAN,
        progan_pair,
        fade_pictures=200,
        rate=0.005,  # with 0.05, rounding errors grow tenfold in a step
        bad_arguments=[
            ({"fade_pictures": 0}, "fade_pictures"),
            ({"drift_weight": -1}, "drift_weight"),
            ({"mirror": 1}, "mirror"),
            ({"num_classes": 3}, "`generator` must have two inputs"),
            ({"class_weight": -1}, "class_weight"),
        ],
    ),
    harness.case(ProGANLS, lambda: progan_pair(noise=True), fade_pictures=200, rate=0.005),
]

ROLES = {
    "ProGAN": harness.Roles(
        penalties={"gradient_penalty": "discriminator"}, information=("alpha",)
    ),
    "ProGANLS": harness.Roles(contests=harness.LOGITS, information=("alpha", "noise_strength")),
}

SMALL = {"filters_base": 32, "filters_max": 8, "seed": 3}


def stage(size=4, model_class=ProGAN, fade=False, noise=False, seed=0, **settings):
    shape = (size, size, 1)
    return model_class(
        build_progan_generator(shape, latent_dim=6, fade=fade, **SMALL),
        build_progan_discriminator(shape, fade=fade, noise=noise, **SMALL),
        seed=seed,
        **settings,
    )


def pictures(num, size):
    return np.random.default_rng(1).uniform(-1, 1, (num, size, size, 1)).astype("float32")


def fit(gan, steps, batch=8):
    if not gan.compiled:
        gan.compile()
    # Tracing takes longer than these few steps.
    gan.run_eagerly = gan.distribute_strategy.num_replicas_in_sync == 1
    size = gan.generator.output_shape[1]
    data = tf.data.Dataset.from_tensor_slices(pictures(steps * batch * gan.n_critic, size))
    return gan.fit(data.batch(batch), steps_per_epoch=steps, verbose=0)


def alphas(gan):
    networks = (gan.generator, gan.discriminator, gan.ema_generator)
    return [
        float(np.array(layer.alpha))
        for network in networks
        for layer in network.layers
        if isinstance(layer, FadeIn)
    ]


def test_paper_defaults():
    gan = stage()
    gan.compile()
    assert (gan.fade_pictures, gan.n_critic) == (800_000, 1)
    assert (gan.gp_weight, gan.drift_weight, gan.ema_decay) == (10.0, 1e-3, 0.999)
    for player in gan.players:
        config = gan.optimizer_of(player).get_config()
        assert config["learning_rate"] == pytest.approx(1e-3)
        assert (config["beta_1"], config["beta_2"], config["epsilon"]) == (0.0, 0.99, 1e-8)


def test_alpha_follows_the_pictures_seen():
    gan = stage(8, fade=True, fade_pictures=64, n_critic=2)
    assert float(gan.alpha) == 0.0
    fit(gan, 1)  # the second minibatch of 8 was seen at 8 / 64
    assert alphas(gan) == [8 / 64] * 3 and float(gan.alpha) == 16 / 64
    fit(gan, 1)
    assert alphas(gan) == [24 / 64] * 3 and int(gan.pictures_seen) == 32
    fit(gan, 4)
    assert alphas(gan) == [1.0] * 3 and float(gan.alpha) == 1.0


def test_the_first_stage_does_not_fade():
    gan = stage(4, fade_pictures=64)
    assert float(gan.alpha) == 1.0
    reals = pictures(8, 4)
    np.testing.assert_array_equal(gan.fade(tf.constant(reals)), reals)


@pytest.mark.parametrize("seen", [0, 16, 64, 1000])
def test_reals_lose_as_much_detail_as_fakes(seen):
    """(1 - alpha) times the means of 2 x 2 places, doubled, and alpha times the picture."""
    gan = stage(8, fade=True, fade_pictures=64)
    gan.pictures_seen.assign(seen)
    reals, alpha = pictures(8, 8), min(seen / 64, 1)
    means = reals.reshape(8, 4, 2, 4, 2, 1).mean((2, 4), keepdims=True)
    coarse = np.broadcast_to(means, (8, 4, 2, 4, 2, 1)).reshape(reals.shape)
    faded = gan.fade(tf.constant(reals))
    np.testing.assert_allclose(faded, (1 - alpha) * coarse + alpha * reals, atol=1e-6)
    assert int(gan.pictures_seen) == seen + 8


def test_growing_keeps_pictures_averages_and_settings():
    gan = stage(4, ema_decay=0.5, gp_weight=7.0)
    gan.compile(generator_optimizer=keras.optimizers.SGD(0.02))
    fit(gan, 3)
    before = gan.generate(4, seed=5)
    grown = gan.grow(fade_pictures=32)
    assert type(grown) is ProGAN and grown.generator.output_shape == (None, 8, 8, 1)
    # With nothing faded in, the average makes the old average's pictures, each pixel doubled.
    doubled = before.repeat(2, axis=1).repeat(2, axis=2).astype(int)
    assert np.abs(grown.generate(4, seed=5).astype(int) - doubled).max() <= 1
    for a, b in ((grown.generator, gan.generator), (grown.ema_generator, gan.ema_generator)):
        np.testing.assert_array_equal(
            a.get_layer("conv_4_a").kernel, b.get_layer("conv_4_a").kernel
        )
    new = [n.get_layer("conv_8_a").kernel for n in (grown.generator, grown.ema_generator)]
    np.testing.assert_array_equal(*new)
    assert (grown.gp_weight, grown.fade_pictures, grown.ema_decay) == (7.0, 32, 0.5)
    assert isinstance(grown.generator_optimizer, keras.optimizers.SGD)
    assert float(grown.generator_optimizer.learning_rate) == pytest.approx(0.02)
    assert int(grown.generator_optimizer.iterations) == int(grown.pictures_seen) == 0
    assert not np.any(np.array(grown.discriminator_optimizer.variables[2]))  # Adam's moments
    np.testing.assert_array_equal(grown.random_state.state, gan.random_state.state)
    # The old stage is as it was.
    np.testing.assert_array_equal(gan.generate(4, seed=5), before)
    fit(grown, 2)
    assert grown.grow().generator.output_shape == (None, 16, 16, 1)


def test_growth_is_the_same_after_saving(tmp_path):
    """Saved in mid-stage and in mid-fade, and reloaded, what comes next is the same."""
    gan = stage(4, ema_decay=0.5, fade_pictures=40)
    fit(gan, 2)
    gan.save(tmp_path / "4.keras")
    ends = []
    for first in (gan, keras.models.load_model(tmp_path / "4.keras")):
        fit(first, 1)
        second = first.grow()
        fit(second, 2)
        assert 0 < float(second.alpha) < 1
        if first is not gan:
            second.save(tmp_path / "8.keras")
            second = keras.models.load_model(tmp_path / "8.keras")
        fit(second, 2)
        third = second.grow()
        fit(third, 1)
        ends.append(third)
    harness.assert_close(harness.state(ends[1]), harness.state(ends[0]), 1e-5)
    np.testing.assert_array_equal(ends[1].generate(3, seed=0), ends[0].generate(3, seed=0))


def test_growing_under_a_strategy(two_replicas):
    with two_replicas.scope():
        gan = stage(4, ema_decay=0.5, fade_pictures=32)
    fit(gan, 1)
    grown = gan.grow()
    assert grown.distribute_strategy is two_replicas
    fit(grown, 2)
    assert alphas(grown) == [8 / 32] * 3 and int(np.array(grown.pictures_seen)) == 16


def linear_pair(model_class, **settings):
    """v -> 2 x 2 pictures, and D(x) = w . x, whose gradient is w everywhere."""
    keras.utils.set_random_seed(1)
    generator = keras.Sequential(
        [keras.Input((3,)), keras.layers.Dense(4), keras.layers.Reshape((2, 2, 1))]
    )
    discriminator = keras.Sequential(
        [keras.Input((2, 2, 1)), keras.layers.Flatten(), keras.layers.Dense(1, use_bias=False)]
    )
    gan = model_class(generator, discriminator, ema_decay=None, seed=0, **settings)
    w = np.array([[0.5], [-1.0], [0.25], [2.0]], "float32")
    discriminator.layers[-1].kernel.assign(w)
    return gan, w[:, 0]


def test_losses_of_progan():
    gan, w = linear_pair(ProGAN, gp_weight=3.0, gp_target=0.7, drift_weight=0.1)
    reals, fakes = pictures(8, 2), pictures(16, 2)[8:]
    real_logits, fake_logits = reals.reshape(8, 4) @ w, fakes.reshape(8, 4) @ w
    expected = fake_logits.mean() - real_logits.mean()
    expected += 3.0 * (np.linalg.norm(w) / 0.7 - 1) ** 2 + 0.1 * (real_logits**2).mean()
    loss = gan.discriminator_loss(tf.constant(reals), tf.constant(fakes))
    assert float(loss) == pytest.approx(expected, rel=1e-5)
    assert float(gan.generator_loss(tf.constant(fake_logits))) == pytest.approx(-fake_logits.mean())


def test_losses_of_progan_ls():
    gan, w = linear_pair(ProGANLS)
    reals, fakes = pictures(8, 2), pictures(16, 2)[8:]
    real_logits, fake_logits = reals.reshape(8, 4) @ w, fakes.reshape(8, 4) @ w
    loss = gan.discriminator_loss(tf.constant(reals), tf.constant(fakes))
    expected = 0.5 * ((real_logits - 1) ** 2).mean() + 0.1 * 0.5 * (fake_logits**2).mean()
    assert float(loss) == pytest.approx(expected, rel=1e-5)
    loss = gan.generator_loss(tf.constant(fake_logits))
    assert float(loss) == pytest.approx(0.5 * ((fake_logits - 1) ** 2).mean(), rel=1e-5)


def test_noise_of_progan_ls():
    """d <- 0.9 d + 0.1 (1 - D(G(z))), the last in [0, 1]; the strength is 0.2 max(0, d - 0.5)^2.

    It is on where D wins, that is, where it says 0 of fakes, and off where it takes them for reals.
    """
    gan = stage(4, ProGANLS, noise=True)
    certainty, reals = 0.9, tf.constant(pictures(8, 4))
    gan.certainty.assign(certainty)
    layers = [x for x in gan.discriminator.layers if isinstance(x, MultiplicativeNoise)]
    assert len(layers) == 2
    kernel, bias = gan.discriminator.get_layer("logits").weights
    kernel.assign(0 * kernel)
    for fake_logit, told in ((0.2, 0.8), (-4.0, 1.0), (3.0, 0.0), (3.0, 0.0)):
        bias.assign([fake_logit])
        gan.discriminator_loss(reals, reals)
        for layer in layers:
            expected = 0.2 * max(0, certainty - 0.5) ** 2
            assert float(layer.strength) == pytest.approx(expected, abs=1e-7)
        certainty = 0.9 * certainty + 0.1 * told
        assert float(gan.certainty) == pytest.approx(certainty, abs=1e-6)


# The authors' settings


def test_one_group_is_the_minibatch():
    """Of `from_paper`; the authors' later settings, and the builder's, have groups of 4."""
    gan = ProGAN.from_paper((4, 4, 1), latent_dim=6, seed=0)
    assert gan.discriminator.get_layer("minibatch_stddev").group_size is None
    assert gan.discriminator.grow().get_layer("minibatch_stddev").group_size is None
    assert stage().discriminator.get_layer("minibatch_stddev").group_size == 4


def test_adam_begins_anew_when_the_fade_is_over():
    """24 pictures fade: with minibatches of 8, alpha is 1 for the first time in the fourth one."""
    gan = stage(8, fade=True, fade_pictures=24)
    gan.compile(discriminator_optimizer=keras.optimizers.Adam(1e-3))
    begun = gan.generator_optimizer.begun
    fit(gan, 3)
    assert alphas(gan)[0] == pytest.approx(16 / 24) and int(begun) == 0
    fit(gan, 1)
    assert alphas(gan)[0] == 1.0 and int(begun) == 3
    fit(gan, 2)
    assert int(begun) == 3 and int(gan.generator_optimizer.iterations) == 6
    first = stage(4, fade_pictures=8)  # has nothing to fade in
    first.compile()
    fit(first, 3)
    assert int(first.generator_optimizer.begun) == 0


def test_half_of_the_pictures_are_mirrored():
    gan, reals = stage(4, mirror=True), pictures(64, 4)
    faded = np.array(gan.fade(tf.constant(reals)))
    kept = (faded == reals).all((1, 2, 3))
    mirrored = (faded == reals[:, :, ::-1]).all((1, 2, 3))
    assert (kept ^ mirrored).all() and 16 < kept.sum() < 48
    assert gan.grow().mirror and not stage().mirror


@pytest.mark.parametrize("model_class", [ProGAN, ProGANLS])
def test_losses_with_classes(model_class):
    """Cross-entropies of reals and of fakes for D, of fakes for G, as log-softmax by hand."""
    settings = {"num_classes": 3, "latent_dim": 6, "class_weight": 2.0, "seed": 0}
    gan = model_class.from_paper((4, 4, 1), ema_decay=None, **settings)
    assert [output.shape[1:] for output in gan.discriminator.outputs] == [(1,), (3,)]
    reals, fakes, labels = pictures(8, 4), pictures(16, 4)[8:], np.arange(8) % 3

    def loss(labels):
        gan.random_state.state.assign(state)
        given = None if labels is None else tf.constant(labels, "int32")
        return float(gan.discriminator_loss(tf.constant(reals), tf.constant(fakes), given))

    def cross_entropy(samples, labels):
        logits = np.array(gan.discriminator(samples, training=True)[1], "float64")
        return -(logits - np.log(np.exp(logits).sum(1, keepdims=True)))[range(8), labels].mean()

    state = np.array(gan.random_state.state)
    expected = 2.0 * (cross_entropy(reals, labels) + cross_entropy(fakes, labels))
    assert loss(labels) - loss(None) == pytest.approx(expected, rel=1e-3)

    gan.compile()
    gan.run_eagerly = True
    data = tf.data.Dataset.from_tensors((reals, labels.astype("int32")))
    history = gan.fit(data, verbose=0, steps_per_epoch=1).history
    assert "class_loss" in history and gan.loss_terms == ("class_loss",)
    grown = gan.grow()
    assert grown.num_classes == 3 and grown.class_weight == 2.0
    made = grown.generate(4, seed=1, labels=[0, 1, 2, 0])
    assert made.shape == (4, 8, 8, 1)
    doubled = gan.generate(4, seed=1, labels=[0, 1, 2, 0]).repeat(2, 1).repeat(2, 2)
    assert np.abs(made.astype(int) - doubled).max() <= 1
    assert (gan.generate(1, seed=1, labels=0) != gan.generate(1, seed=1, labels=1)).any()


def networks_with_classes():
    small = {"filters_base": 32, "filters_max": 4, "fade": True, "seed": 1}
    return (
        build_progan_generator(
            harness.SHAPE, latent_dim=6, num_classes=harness.NUM_CLASSES, **small
        ),
        build_progan_discriminator(harness.SHAPE, class_logits=harness.NUM_CLASSES, **small),
    )


WITH_CLASSES = harness.case(
    ProGAN,
    networks_with_classes,
    labelled=True,
    rate=0.005,
    fade_pictures=20,  # over in the third step
    num_classes=harness.NUM_CLASSES,
    mirror=True,
)


@pytest.mark.slow
def test_classes_on_replicas_and_in_files(two_replicas, tmp_path):
    harness.check_graph_is_eager(WITH_CLASSES)
    harness.check_replicas_are_one_device(WITH_CLASSES, two_replicas)
    harness.check_round_trip(WITH_CLASSES, tmp_path / "model.keras")
