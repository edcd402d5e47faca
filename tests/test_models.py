"""The harness over all models, and what is each paper's own."""

import dataclasses

import harness
import keras
import numpy as np
import pytest
import tensorflow as tf
from harness import BATCH, NUM_CLASSES, SHAPE, Case

from keras_gans import (
    BEGAN,
    CGAN,
    DCGAN,
    DRAGAN,
    GAN,
    LAPGAN,
    LSGAN,
    R3GAN,
    VAE,
    VAEGAN,
    WGAN,
    WGANGP,
    CycleGAN,
    InfoGAN,
    ProGAN,
    ProGANLS,
)
from keras_gans.networks import (
    build_began_discriminator,
    build_began_generator,
    build_dcgan_discriminator,
    build_dcgan_encoder,
    build_dcgan_generator,
    build_lapgan_discriminators,
    build_lapgan_generators,
    build_mlp_discriminator,
    build_mlp_generator,
    build_patchgan_discriminator,
    build_progan_discriminator,
    build_progan_generator,
    build_recognition_head,
    build_resnet_generator,
)


def dcgan_pair(normalization="batch", num_classes=None):
    return (
        build_dcgan_generator(SHAPE, 6, width=4, num_classes=num_classes, seed=1),
        build_dcgan_discriminator(
            SHAPE, width=4, normalization=normalization, num_classes=num_classes, seed=2
        ),
    )


def infogan_networks():
    discriminator = build_dcgan_discriminator(SHAPE, width=4, return_features=True, seed=2)
    features = discriminator.output_shape[1][1:]
    return (
        build_dcgan_generator(SHAPE, 6, width=4, num_classes=NUM_CLASSES, seed=1),
        discriminator,
        build_recognition_head(features, NUM_CLASSES, 2, units=8, seed=3),
    )


def began_pair():
    return (
        build_began_generator(SHAPE, 6, width=4, seed=1),
        build_began_discriminator(SHAPE, 6, width=4, seed=2),
    )


def lapgan_pair():
    small = {"width": 4, "kernel_size": 3, "units": 8}
    return (
        build_lapgan_generators(SHAPE, 2, 6, seed=1, **small),
        build_lapgan_discriminators(SHAPE, 2, dropout=0.3, seed=2, **small),
    )


def progan_pair(**discriminator_settings):
    """A stage in mid-fade: with 200 fading pictures, and batches of 8, alpha moves in each step."""
    small = {"filters_base": 32, "filters_max": 4, "fade": True}
    return (
        build_progan_generator(SHAPE, latent_dim=6, seed=1, **small),
        build_progan_discriminator(SHAPE, seed=2, **small, **discriminator_settings),
    )


def vae_pair():
    return (
        build_dcgan_generator(SHAPE, 6, width=4, seed=1),
        build_dcgan_encoder(SHAPE, 6, width=4, seed=3),
    )


def vaegan_networks():
    """Small features, as a sum over all of them would be too much for the harness's SGD."""
    generator, encoder = vae_pair()
    discriminator = build_dcgan_discriminator(SHAPE, width=4, return_features=True, seed=2)
    logits, features = discriminator.outputs
    features = keras.layers.Rescaling(0.02)(features)
    return generator, keras.Model(discriminator.inputs, [logits, features]), encoder


def cyclegan_networks():
    """Without normalization: four networks in twelve calls are slow to trace."""
    small = {"width": 4, "normalization": None}
    return (
        *(build_resnet_generator(SHAPE, num_blocks=1, seed=seed, **small) for seed in (1, 2)),
        *(build_patchgan_discriminator(SHAPE, num_layers=1, seed=seed, **small) for seed in (3, 4)),
    )


def pictures_of_seed(model, num, seed):
    """What a model that makes pictures out of pictures is given in place of latents."""
    return np.random.default_rng(seed).uniform(-1, 1, (num, *SHAPE)).astype("float32")


def translations(model, num, seed):
    return model.translate(pictures_of_seed(model, num, seed))


def mlp_pair():
    return (
        build_mlp_generator(SHAPE, 6, (16,), seed=1),
        build_mlp_discriminator(SHAPE, (16, 8), maxout_pieces=3, dropout=0.3, seed=2),
    )


def case(model_class, pair, labelled=False, bad_arguments=(), rate=0.05, **defaults):
    def build(seed=5, **kwargs):
        return model_class(*pair(), seed=seed, **{**defaults, **kwargs})

    return Case(model_class.__name__, build, labelled, bad_arguments, rate)


CASES = [
    case(
        GAN,
        mlp_pair,
        n_discriminator=2,
        bad_arguments=[({"n_discriminator": 0}, "n_discriminator")],
    ),
    case(
        CGAN,
        lambda: dcgan_pair(num_classes=NUM_CLASSES),
        labelled=True,
        num_classes=NUM_CLASSES,
        bad_arguments=[({"num_classes": 0}, "num_classes")],
    ),
    case(DCGAN, dcgan_pair),
    case(LSGAN, dcgan_pair, bad_arguments=[({"a": 1.0, "b": 1.0}, "`a` and `b`")]),
    case(
        WGAN,
        dcgan_pair,
        n_critic=2,  # enough for the harness, and quicker to trace than the paper's 5
        bad_arguments=[({"clip": 0}, "clip"), ({"n_critic": 0}, "n_critic")],
    ),
    case(
        WGANGP,
        lambda: dcgan_pair("layer"),
        n_critic=2,
        rate=0.005,  # with 0.05 a rounding error sends a unit across the kink of its ReLU
        bad_arguments=[({"gp_weight": -1}, "gp_weight"), ({"n_critic": 1.5}, "n_critic")],
    ),
    case(
        DRAGAN,
        lambda: dcgan_pair("layer"),
        bad_arguments=[({"gp_weight": 0}, "gp_weight"), ({"noise": -1}, "noise")],
    ),
    case(R3GAN, lambda: dcgan_pair(None), bad_arguments=[({"gp_weight": 0}, "gp_weight")]),
    case(
        VAE,
        vae_pair,
        variance=2000.0,  # with a sum of squares over all pixels the harness's SGD would diverge
        bad_arguments=[({"variance": 0}, "variance")],
    ),
    case(
        VAEGAN,
        vaegan_networks,
        bad_arguments=[({"reconstruction_weight": -1}, "reconstruction_weight")],
    ),
    case(
        BEGAN,
        began_pair,
        bad_arguments=[({"gamma": 1.5}, "gamma"), ({"lambda_k": 0}, "lambda_k")],
    ),
    case(
        InfoGAN,
        infogan_networks,
        bad_arguments=[
            ({"category_weight": 0}, "category_weight"),
            ({"continuous_weight": -1}, "continuous_weight"),
        ],
    ),
    case(LAPGAN, lapgan_pair),
    case(
        ProGAN,
        progan_pair,
        fade_pictures=200,
        rate=0.005,  # with 0.05, rounding errors grow tenfold in a step
        bad_arguments=[
            ({"fade_pictures": 0}, "fade_pictures"),
            ({"drift_weight": -1}, "drift_weight"),
        ],
    ),
    case(ProGANLS, lambda: progan_pair(noise=True), fade_pictures=200, rate=0.005),
    dataclasses.replace(
        case(
            CycleGAN,
            cyclegan_networks,
            buffer_size=12,  # full in the second step
            cycle_weight=1.0,  # the gradient of |x - y| jumps, where rounding alone can cross it
            bad_arguments=[
                ({"cycle_weight": 0}, "cycle_weight"),
                ({"identity_weight": -1}, "identity_weight"),
                ({"buffer_size": 0}, "buffer_size"),
                ({"total_steps": 0}, "total_steps"),
            ],
        ),
        sample=translations,
        inputs=pictures_of_seed,
    ),
]


@pytest.fixture(params=CASES, ids=lambda c: c.name)
def model_case(request):
    return request.param


def test_players_move_alone(model_case):
    harness.check_players_move_alone(model_case)


def test_round_trip(model_case, tmp_path):
    harness.check_round_trip(model_case, tmp_path / "model.keras")


def test_updates_wait(model_case):
    harness.check_updates_wait(model_case)


def test_replicas_agree(model_case, two_replicas):
    harness.check_replicas_agree(model_case, two_replicas)


def test_paper_optimizers_on_replicas(model_case, two_replicas):
    harness.check_paper_optimizers_on_replicas(model_case, two_replicas)


def test_eager_is_graph(model_case):
    harness.check_eager_is_graph(model_case)


def test_seeds(model_case):
    harness.check_seeds(model_case)


def test_generate(model_case):
    harness.check_generate(model_case)


@pytest.mark.slow
def test_export(model_case, tmp_path):
    harness.check_export(model_case, tmp_path)


def test_bad_data(model_case):
    harness.check_bad_data(model_case)


def test_bad_arguments(model_case):
    harness.check_bad_arguments(model_case)


# Each paper's own


def optimizer_settings(model):
    model.compile()
    return {player: model.optimizer_of(player).get_config() for player in model.players}


def test_paper_defaults():
    built = {c.name: c.build() for c in CASES}
    for config in optimizer_settings(built["WGAN"]).values():
        assert "momentum" in config and "rho" in config
        assert config["learning_rate"] == pytest.approx(5e-5)
        assert config["momentum"] == 0
    for config in optimizer_settings(built["WGANGP"]).values():
        assert config["learning_rate"] == pytest.approx(1e-4)
        assert (config["beta_1"], config["beta_2"]) == (0.0, 0.9)
    for name in ("DCGAN", "LSGAN"):
        for config in optimizer_settings(built[name]).values():
            assert config["learning_rate"] == pytest.approx(2e-4)
            assert config["beta_1"] == 0.5
    for name, decay in (("GAN", 1.000004), ("CGAN", 1.00004)):
        optimizer_settings(built[name])
        optimizer = built[name].generator_optimizer
        assert optimizer.momentum == 0.5
        assert optimizer.global_clipnorm == 1.0  # without it, NaN on Fashion-MNIST by step 200
        assert float(optimizer.learning_rate) == pytest.approx(0.1)
        optimizer.iterations.assign(1000)
        assert float(optimizer.learning_rate) == pytest.approx(0.1 / decay**1000, rel=1e-4)
    wgan, wgan_gp, lsgan = WGAN(*dcgan_pair()), WGANGP(*dcgan_pair("layer")), LSGAN(*dcgan_pair())
    assert (wgan.n_critic, wgan.clip) == (5, 0.01)
    assert (wgan_gp.n_critic, wgan_gp.gp_weight) == (5, 10.0)
    assert (lsgan.a, lsgan.b, lsgan.c) == (0, 1, 1)


def test_dcgan_latents_are_uniform():
    model = next(c for c in CASES if c.name == "DCGAN").build()
    latents = np.array(model.sample_latents(tf.zeros((2000, 1))))
    assert -1 <= latents.min() < -0.99
    assert 0.99 < latents.max() <= 1
    assert latents.std() == pytest.approx(1 / np.sqrt(3), rel=0.02)  # of U(-1, 1)


def test_gan_losses_by_choice():
    logits = tf.constant([[2.0]])
    saturating = GAN(*mlp_pair(), non_saturating=False)
    assert float(saturating.generator_loss(logits)) == pytest.approx(-np.log(1 + np.exp(2)))
    assert float(GAN(*mlp_pair()).generator_loss(logits)) == pytest.approx(np.log(1 + np.exp(-2)))


def test_wgan_clips_after_every_critic_step():
    """Seen by the critic's next loss: no weight that it is computed from is out of the box."""
    model = harness.compile_sgd(WGAN(*dcgan_pair(), clip=0.02), rate=10.0, run_eagerly=True)
    largest, critic = [], model.critic.call

    def spy(*args, **kwargs):
        largest.append(max(np.abs(v).max() for v in model.player_variables("critic")))
        return critic(*args, **kwargs)

    model.critic.call = spy
    reals = np.random.default_rng(0).uniform(-1, 1, (5 * BATCH, *SHAPE)).astype("float32")
    model.train_step(tf.constant(reals))
    first_step, later = largest[:2], largest[2:]
    assert len(later) == 2 * 4 + 1
    assert max(first_step) > 0.02
    assert max(later) <= 0.02 + 1e-7


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


def test_wgan_gp_warns_of_batch_normalization():
    with pytest.warns(UserWarning, match="batch normalization"):
        WGANGP(*dcgan_pair("batch"))


def test_generator_step_draws_its_own_latents():
    """Each of the draws of a step differs: the generator does not reuse the critic's latents."""
    model = harness.compile_sgd(WGAN(*dcgan_pair(), n_critic=3), run_eagerly=True)
    drawn, sample = [], model.sample_latents
    model.sample_latents = lambda like: drawn.append(sample(like)) or drawn[-1]
    model.train_step(tf.zeros((3 * BATCH, *SHAPE)))
    assert len({np.array(latents).tobytes() for latents in drawn}) == 4


def test_cgan_labels():
    model = next(c for c in CASES if c.name == "CGAN").build()
    np.testing.assert_array_equal(model.generator_inputs(5, 0)[1], [0, 1, 2, 0, 1])
    np.testing.assert_array_equal(model.generator_inputs(3, 0, 2)[1], [2, 2, 2])
    np.testing.assert_array_equal(model.generate(3, 0, [2, 2, 2]), model.generate(3, 0, 2))
    for labels, match in (([0, 1], "one for each"), (3, r"\[0, 3\)"), (-1, r"\[0, 3\)")):
        with pytest.raises(ValueError, match=match):
            model.generate(3, labels=labels)
    with pytest.raises(ValueError, match="not conditional"):
        CASES[0].build().generate(3, labels=[0, 1, 2])


def test_cgan_reads_the_number_of_classes_off_the_generator():
    assert CGAN(*dcgan_pair(num_classes=4)).num_classes == 4
    with pytest.raises(ValueError, match="num_classes"):
        CGAN(*dcgan_pair())


def test_cgan_judges_fakes_with_their_own_label():
    """The pairs that reach D: the labels beside reals are the data's, beside fakes those of G."""
    model = harness.compile_sgd(
        next(c for c in CASES if c.name == "CGAN").build(), run_eagerly=True
    )
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
