"""Every model in half precision: what stays float32, loss scaling, and how near to float32 it is.

In these tests a rounding is half the distance of two numbers next to 1: 2^-11 in float16, 2^-8 in
bfloat16.
"""

import functools
import json

import harness
import keras
import numpy as np
import pytest
import tensorflow as tf
from cases import CASES
from harness import BATCH, SHAPE, compile_sgd, settings, state
from keras import tree
from small_networks import mlp_pair, progan_pair
from typer.testing import CliRunner

from keras_gans import GAN, ProGAN, export, losses
from keras_gans.callbacks import ReduceRatesOnPlateau, Resume
from keras_gans.cli.app import app
from keras_gans.devices.precision import (
    LossScaleOptimizer,
    compute_dtypes,
    dtype_policy,
    in_float32,
)
from keras_gans.families.variational import gaussian_kl_divergence, gaussian_sample
from keras_gans.layers import SpectralNormalization
from keras_gans.optimizers import adagrad, adam
from keras_gans.training.checkpoints import variables_of

KINDS = {"mixed_float16": "float16", "mixed_bfloat16": "bfloat16"}
ROUNDING = {"mixed_float16": 2**-11, "mixed_bfloat16": 2**-8}
BY_NAME = {case.name: case for case in CASES}
HALF = pytest.mark.parametrize("policy", KINDS)


@pytest.fixture(autouse=True)
def policy_is_float32_again():
    yield
    assert keras.config.dtype_policy().name == "float32"


def built(name, policy, **kwargs):
    with dtype_policy(policy):
        return BY_NAME[name].build(**kwargs)


def networks_of(model):
    return tree.flatten([getattr(model, name) for name in model.network_names])


def scaled_sgd(model, rate=0.01, initial_scale=2.0**10, **kwargs):
    """SGD with a loss scale from which no step is left out."""
    return {
        f"{player}_optimizer": LossScaleOptimizer(
            keras.optimizers.SGD(rate, **kwargs), initial_scale=initial_scale
        )
        for player in model.players
    }


def step(model):
    """One step, with the same reals each time."""
    reals = np.random.default_rng(7).uniform(-1, 1, (2 * BATCH, *SHAPE)).astype("float32")
    data = tf.data.Dataset.from_tensor_slices(reals).batch(BATCH)
    return model.fit(data, verbose=0, steps_per_epoch=1).history


# Near to float32


@functools.cache
def losses_of(name, policy):
    """Each step's losses in 20 steps with the paper's optimizers: `{loss: (20,)}`.

    The loss scale is one from which no step is left out, as a step less would be no rounding.
    """
    model = built(name, policy, ema_decay=0.9)
    optimizers = model.default_optimizers()
    if name in ("GAN", "CGAN"):
        # With the paper's 0.1 any rounding grows as large as the losses themselves.
        rate = {"momentum": 0.5, "global_clipnorm": 1.0}
        optimizers = {player: keras.optimizers.SGD(0.01, **rate) for player in optimizers}
    if name == "VAE":
        # Adagrad's first steps are the rate's, whatever the gradients: signs that rounding turns.
        optimizers = {player: adagrad(0.001) for player in optimizers}
    if name == "SSGAN":
        # Beside noise the paper's 3e-3 makes of any rounding another training within 20 steps.
        optimizers = {player: adam(3e-4, beta_1=0.5) for player in optimizers}
    if policy == "mixed_float16":
        optimizers = {p: LossScaleOptimizer(o, initial_scale=512) for p, o in optimizers.items()}
    model.compile(**{f"{player}_optimizer": o for player, o in optimizers.items()})
    half = KINDS.get(policy, "float32")
    assert all(half in compute_dtypes(network) for network in networks_of(model))
    assert {v.dtype for v in model.variables} <= {"float32", "int64"}
    before = harness.weights(model)
    data = BY_NAME[name].dataset(model, 20)
    history = model.fit(data, verbose=0, epochs=20, steps_per_epoch=1).history
    after = harness.weights(model)
    assert all(np.isfinite(w).all() for w in after.values())
    assert any((after[key] != before[key]).any() for key in after if "/kernel" in key)
    taken = [int(model.optimizer_of(player).iterations) for player in model.players]
    assert set(taken) <= {20, 20 * model.minibatches_per_step}  # none was left out
    return {key: np.array(values) for key, values in history.items() if key.endswith("_loss")}


IN_QUICK_ROUND = (("GAN", "mixed_bfloat16"), ("WGANGP", "mixed_float16"))


@pytest.mark.parametrize(
    "name, policy",
    [
        pytest.param(n, p, marks=() if (n, p) in IN_QUICK_ROUND else pytest.mark.slow)
        for n in BY_NAME
        for p in KINDS
    ],
)
def test_20_steps_are_near_to_float32(name, policy):
    """Losses, as parts of the model's largest one.

    In the first steps they are off by some roundings: by 15 of float16 at most, and 3 of bfloat16,
    both for ProGAN. From there on training itself makes differences grow, whatever began them.
    """
    expected, found = losses_of(name, "float32"), losses_of(name, policy)
    assert expected.keys() == found.keys()
    size = max(np.abs(values).max() for values in expected.values())
    for key, values in found.items():
        assert np.isfinite(values).all(), key
        errors = np.abs(values - expected[key]) / size
        roundings = {"mixed_float16": 24, "mixed_bfloat16": 6}[policy]
        assert errors[:3].max() < roundings * ROUNDING[policy], (key, errors[:3] / ROUNDING[policy])
        assert errors.max() < 0.1, (key, errors)


@HALF
@pytest.mark.parametrize("name", BY_NAME)
def test_what_leaves_the_networks_is_float32(name, policy):
    """Logits, pictures, means; features are for other networks, and may stay as they are."""
    model = built(name, policy)
    for network_name in model.network_names:
        for network in tree.flatten(getattr(model, network_name)):
            assert KINDS[policy] in compute_dtypes(network)
            logits_alone = network_name == "discriminator"
            outputs = network.outputs[:1] if logits_alone else network.outputs
            assert {tensor.dtype for tensor in outputs} == {"float32"}, network_name


@pytest.mark.slow
@pytest.mark.parametrize("name", BY_NAME)
def test_networks_that_end_in_half_precision(name, monkeypatch):
    """A user's networks may return float16: losses are computed in float32 all the same."""
    model = built(name, "mixed_float16")

    def in_half(layer):
        if not isinstance(layer, keras.Layer):  # an operation, which has no policy
            return layer
        return type(layer).from_config({**layer.get_config(), "dtype": "mixed_float16"})

    networks = {
        name: tree.map_structure(
            lambda network: keras.models.clone_model(network, clone_function=in_half),
            getattr(model, name),
        )
        for name in model.network_names
    }
    given = keras.saving.deserialize_keras_object(settings(model))
    model = type(model)(**networks, **given)
    assert {t.dtype for network in networks_of(model) for t in network.outputs} == {"float16"}
    seen = []
    monkeypatch.setattr(
        "keras_gans.training.base.checks.check_losses", lambda given, _: seen.extend(given.values())
    )
    model.compile(**scaled_sgd(model), run_eagerly=True)
    case = BY_NAME[name]
    logs = model.train_step(tuple(tf.constant(array) for array in case.arrays(model, 1)))
    assert seen and all(loss.dtype == tf.float32 for loss in seen)
    assert all(np.isfinite(float(value)) for value in logs.values())
    assert case.sample(model, 2, 0).dtype == np.uint8


@HALF
def test_losses_of_half_precision_logits(policy):
    """300^2 and a sum of 4 x 40,000 are more than float16 holds; softplus(-20) is less."""
    half = KINDS[policy]
    for function in (
        losses.minimax_discriminator_loss,
        losses.least_squares_discriminator_loss,
        losses.wasserstein_critic_loss,
        losses.l1,
    ):
        for a, b in ((300.0, -300.0), (20.0, -20.0), (0.1, 0.3)):
            logits = [tf.cast(tf.fill((4, 1), value), half) for value in (a, b)]
            found = function(*logits)
            exact = function(*(tf.cast(x, tf.float32) for x in logits))
            assert found.dtype == tf.float32
            assert np.isfinite(float(exact)) and float(found) == float(exact)
    for function in (
        losses.minimax_generator_loss,
        losses.non_saturating_generator_loss,
        losses.least_squares_generator_loss,
        losses.wasserstein_generator_loss,
    ):
        for value in (300.0, -20.0, 20.0, 0.1):
            logits = tf.cast(tf.fill((4, 1), value), half)
            assert function(logits).dtype == tf.float32
            assert float(function(logits)) == float(function(tf.cast(logits, tf.float32)))
    mean, log_variance = (tf.cast(tf.fill((2, 3), value), half) for value in (300.0, 12.0))
    assert float(gaussian_kl_divergence(mean, log_variance)) == pytest.approx(
        1.5 * (float(mean[0, 0]) ** 2 + np.exp(12.0) - 13.0), rel=1e-5
    )
    assert gaussian_sample(mean, log_variance, tf.zeros((2, 3))).dtype == tf.float32


# Loss scaling


def test_float16_scales_every_players_loss():
    model = built("VAEGAN", "mixed_float16")
    model.compile(
        encoder_optimizer="adam",
        generator_optimizer=keras.optimizers.serialize(keras.optimizers.SGD(0.5)),
    )
    found = {player: model.optimizer_of(player) for player in model.players}
    assert all(type(optimizer) is LossScaleOptimizer for optimizer in found.values())
    inner = {player: type(o.inner_optimizer).__name__ for player, o in found.items()}
    assert inner == {"encoder": "Adam", "generator": "SGD", "discriminator": "RMSprop"}
    assert all(o.built and float(o.dynamic_scale) == 2**15 for o in found.values())
    given = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1), initial_scale=8)
    model.compile(generator_optimizer=given)
    assert model.generator_optimizer is given


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_others_have_no_loss_scaling(policy):
    model = built("VAEGAN", policy)
    model.compile()
    kinds = {type(model.optimizer_of(player)).__name__ for player in model.players}
    assert kinds == {"RMSprop"}


def test_one_network_in_float16_is_enough():
    """The generator's gradients come through the discriminator, whatever it is in itself."""
    generator, _ = mlp_pair()
    with dtype_policy("mixed_float16"):
        inner = keras.Sequential([keras.Input(SHAPE), keras.layers.Flatten()])
        inner.add(keras.layers.Dense(4, "relu"))
    inputs = keras.Input(SHAPE)
    logits = keras.layers.Dense(1)(inner(inputs))
    model = GAN(generator, keras.Model(inputs, logits))
    assert compute_dtypes(generator) == {"float32"}
    model.compile()
    for player in model.players:
        assert isinstance(model.optimizer_of(player), LossScaleOptimizer)


def test_the_scale_is_in_neither_losses_nor_weights():
    """An SGD step with a loss scale is the one in float32, to some roundings."""
    plain, scaled = compile_sgd(built("GAN", "float32"), 0.01), built("GAN", "mixed_float16")
    scaled.compile(**scaled_sgd(scaled, 0.01))
    before = [np.array(v) for v in plain.player_variables("generator")]
    logs = [step(model) for model in (plain, scaled)]
    for player in plain.players:
        found, expected = (h[f"{player}_loss"][0] for h in reversed(logs))
        assert found == pytest.approx(expected, rel=8 * 2**-11)
    plain, scaled = (model.player_variables("generator") for model in (plain, scaled))
    for start, a, b in zip(before, plain, scaled, strict=True):
        moved = np.linalg.norm(np.array(a) - start)
        assert moved > 0
        assert np.linalg.norm(np.array(b) - np.array(a)) < 16 * 2**-11 * moved + 1e-7


def test_a_loss_of_a_users_own_in_half_precision():
    """40 x 2^12 is more than float16 holds: the scale is float32, and so is their product."""

    class Own(GAN):
        def generator_loss(self, fake_logits):
            return tf.cast(40.0 + super().generator_loss(fake_logits), tf.float16)

    with dtype_policy("mixed_float16"):
        model = Own(*mlp_pair(), seed=1)
    model.compile(**scaled_sgd(model, initial_scale=2.0**12))
    assert step(model)["generator_loss"][0] == pytest.approx(40.7, abs=0.5)
    assert int(model.generator_optimizer.iterations) == 1


def test_gradients_are_clipped_after_the_scale_is_taken_out():
    model = built("GAN", "mixed_float16", n_discriminator=1)
    model.compile(**scaled_sgd(model, rate=1.0, global_clipnorm=0.02))
    before = [np.array(v) for v in model.player_variables("discriminator")]
    step(model)
    after = [np.array(v) for v in model.player_variables("discriminator")]
    moved = np.sqrt(sum(((a - b) ** 2).sum() for a, b in zip(after, before, strict=True)))
    assert moved == pytest.approx(0.02, rel=1e-3)


def test_an_overflow_leaves_the_step_out():
    """Weights, slots and counts stay, the scale is halved; averages go on towards the weights."""
    model = built("DCGAN", "mixed_float16", ema_decay=0.75)
    adam = functools.partial(keras.optimizers.Adam, 1e-2)
    model.compile(
        **{f"{p}_optimizer": LossScaleOptimizer(adam(), 2.0**10, 2) for p in model.players}
    )

    def of_players():
        optimizers = [model.optimizer_of(player).inner_optimizer for player in model.players]
        trained = [v for player in model.players for v in model.player_variables(player)]
        return [np.array(v) for v in (*trained, *(v for o in optimizers for v in o.variables))]

    step(model)
    before = of_players()
    average = [np.array(v) for v in model.ema_generator.weights]
    for player in model.players:
        assert int(model.optimizer_of(player).step_counter) == 1
        model.optimizer_of(player).dynamic_scale.assign(2.0**100)
    history = step(model)
    assert all(np.isfinite(values).all() for values in history.values())
    harness.assert_close(of_players(), before, 0)
    for old, new, weight in zip(
        average, model.ema_generator.weights, model.generator.weights, strict=True
    ):
        # one update is counted: (1 + 1) / (10 + 1) is below 0.75
        np.testing.assert_allclose(new, (2 * old + 9 * np.array(weight)) / 11, atol=1e-6)
    for player in model.players:
        optimizer = model.optimizer_of(player)
        assert (float(optimizer.dynamic_scale), int(optimizer.step_counter)) == (2.0**99, 0)
        optimizer.dynamic_scale.assign(2.0**10)
    for _ in range(2):
        step(model)
    assert any((a != b).any() for a, b in zip(of_players(), before, strict=True))
    for player in model.players:  # two steps without an overflow double it
        optimizer = model.optimizer_of(player)
        assert (float(optimizer.dynamic_scale), int(optimizer.step_counter)) == (2.0**11, 0)
        assert int(optimizer.iterations) == 3


def test_rates_are_those_of_the_wrapped_optimizer():
    model = built("CycleGAN", "mixed_float16", total_steps=4)
    model.compile(generator_optimizer=keras.optimizers.Adam(0.5))
    # The discriminator's is the paper's schedule.
    assert float(model.discriminator_optimizer.learning_rate) == pytest.approx(2e-4)
    model.discriminator_optimizer.iterations.assign(3)
    assert float(model.discriminator_optimizer.learning_rate) == pytest.approx(1e-4)
    model.generator_optimizer.learning_rate = 0.25
    assert float(model.generator_optimizer.inner_optimizer.learning_rate) == 0.25


def test_rates_fall_on_a_plateau():
    model = built("GAN", "mixed_float16")
    model.compile(**scaled_sgd(model, rate=0.5))
    plateau = ReduceRatesOnPlateau("generator_loss", factor=0.5, patience=1)
    plateau.set_model(model)
    plateau.on_train_begin()
    for epoch in range(3):
        plateau.on_epoch_end(epoch, {"generator_loss": 1.0})
    for player in model.players:
        assert float(model.optimizer_of(player).inner_optimizer.learning_rate) < 0.5


# On replicas


def test_two_replicas_are_one_device_in_float16(two_replicas):
    """To some roundings, as half batches are added up in another order; clipped as one, too."""
    found = []
    for strategy in (tf.distribute.get_strategy(), two_replicas):
        with strategy.scope():
            model = built("DCGAN", "mixed_float16")
        # Keras's own, made outside of the scope: it is replaced by one that asks all replicas.
        model.compile(
            **{
                f"{player}_optimizer": keras.optimizers.LossScaleOptimizer(
                    keras.optimizers.SGD(0.1, global_clipnorm=0.1), initial_scale=2.0**10
                )
                for player in model.players
            }
        )
        step(model)
        optimizers = [model.optimizer_of(player) for player in model.players]
        assert all(int(np.array(o.step_counter)) == 1 for o in optimizers)
        found.append([np.array(v) for v in model.trainable_variables])
    assert {type(optimizer) for optimizer in optimizers} == {LossScaleOptimizer}
    harness.assert_close(found[1], found[0], 8 * 2**-11 * 0.01)


@pytest.mark.parametrize("broken", [0, 1])
def test_an_overflow_on_one_replica_leaves_the_step_out(two_replicas, broken):
    with two_replicas.scope():
        model = built("GAN", "mixed_float16")
    model.compile(generator_optimizer=keras.optimizers.SGD(0.1))
    optimizer, variables = model.generator_optimizer, model.player_variables("generator")

    def apply(number):
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        own = tf.where(replica == broken, number, 1.0)
        optimizer.apply([own * tf.ones(v.shape) for v in variables], variables)

    run = tf.function(lambda number: two_replicas.run(apply, (number,)))
    before = [np.array(v) for v in variables]
    for number in (np.nan, np.inf):
        run(tf.constant(number, tf.float32))
    harness.assert_close([np.array(v) for v in variables], before, 0)
    assert float(np.array(optimizer.dynamic_scale)) == 2.0**13
    run(tf.constant(3.0))  # the sum of the gradients is 4
    for v, start in zip(variables, before, strict=True):
        np.testing.assert_allclose(np.array(v), start - 0.1 * 4 / 2**13, atol=1e-7)


@pytest.mark.slow
def test_the_papers_optimizers_on_replicas(two_replicas):
    """With the first loss scale, from which WGAN-GP leaves some steps out."""
    with two_replicas.scope():
        model = built("WGANGP", "mixed_float16", ema_decay=0.9)
    data = BY_NAME["WGANGP"].dataset(model, 8)
    history = model.fit(data, verbose=0, epochs=8, steps_per_epoch=1).history
    assert all(np.isfinite(values).all() for values in history.values())
    assert all(np.isfinite(v).all() for v in state(model))
    scale = float(np.array(model.critic_optimizer.dynamic_scale))
    taken = int(np.array(model.critic_optimizer.iterations))
    assert scale < 2**15 and taken == 16 - np.log2(2**15 / scale)


@pytest.mark.slow
def test_xla():
    """The step compiled by XLA, whose normal numbers are others than TensorFlow's."""
    found = []
    for policy in ("float32", "mixed_float16"):
        model = built("GAN", policy)
        model.compile(jit_compile=True, **scaled_sgd(model))
        history = [step(model) for _ in range(2)]
        found.append([h[f"{player}_loss"][0] for h in history for player in model.players])
        taken = [int(model.optimizer_of(player).iterations) for player in model.players]
        assert taken == [4, 2]
    np.testing.assert_allclose(found[1], found[0], rtol=16 * 2**-11)


# Saved, continued, exported


@pytest.mark.parametrize(
    "name, policy",
    [
        ("DCGAN", "mixed_float16"),
        *(
            pytest.param(name, policy, marks=pytest.mark.slow)
            for name, policy in (
                ("ProGANLS", "mixed_float16"),
                ("LAPGAN", "mixed_bfloat16"),
            )
        ),
    ],
)
def test_round_trip(name, policy, tmp_path):
    """Loaded under another policy it computes in its own, and goes on as if never saved."""

    def build(**kwargs):
        return built(name, policy, **kwargs)

    case = harness.dataclasses.replace(BY_NAME[name], build=build)
    harness.check_round_trip(case, tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    layers = [[n.layers for n in networks_of(m)] for m in (loaded, build())]
    for a, b in zip(*map(tree.flatten, layers), strict=True):
        if not isinstance(a, keras.layers.InputLayer):
            assert a.compute_dtype == b.compute_dtype, a.name


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Resume. these data")
def test_what_a_checkpoint_holds(tmp_path):
    """The loss scale too: a run that is resumed has it, and ends as the one that never ended."""
    runs = []
    for parts in ((4,), (2, 4)):
        directory = tmp_path / str(len(parts))
        for epochs in parts:
            model = built("GAN", "mixed_float16")
            model.compile(
                **{
                    f"{player}_optimizer": LossScaleOptimizer(
                        keras.optimizers.Adam(1e-3), 2.0**100, dynamic_growth_steps=3
                    )
                    for player in model.players
                }
            )
            data = BY_NAME["GAN"].dataset(model, 1)  # the same ones in every step
            resume = Resume(directory, every_steps=1)
            model.fit(data, verbose=0, epochs=epochs, steps_per_epoch=1, callbacks=[resume])
        runs.append(state(model))
    names = [name for name in variables_of(model) if "dynamic_scale" in name]
    assert sorted(name.split("/")[0] for name in names) == [
        "discriminator_optimizer",
        "generator_optimizer",
    ]
    assert float(model.generator_optimizer.dynamic_scale) == 2.0**96
    assert float(model.discriminator_optimizer.dynamic_scale) == 2.0**92
    harness.assert_close(runs[1], runs[0], 0)


def test_a_stage_grows_in_its_own_precision():
    with dtype_policy("mixed_bfloat16"):
        gan = ProGAN(*progan_pair(), fade_pictures=200)
    grown = gan.grow()
    for name in ("generator", "discriminator", "ema_generator"):
        network = getattr(grown, name)
        assert network.get_layer("conv_4x6_a").compute_dtype == "bfloat16", name
        assert network.outputs[0].dtype == "float32"
    assert compute_dtypes(ProGAN(*progan_pair()).grow().generator) == {"float32"}


@pytest.mark.slow
@pytest.mark.parametrize(
    "name, policy",
    [("DCGAN", "mixed_float16"), ("CGAN", "mixed_bfloat16"), ("ProGAN", "mixed_bfloat16")],
)
def test_export(name, policy, tmp_path):
    """The SavedModel is the model; the TFLite file is held against it in float32."""

    def build(**kwargs):
        return built(name, policy, **kwargs)

    harness.check_export(harness.dataclasses.replace(BY_NAME[name], build=build), tmp_path)


@pytest.mark.slow
@HALF
def test_onnx(policy, tmp_path):
    pytest.importorskip("onnxruntime")
    model = built("DCGAN", policy)
    written = export.onnx(model, tmp_path / "a.onnx", allow_untrained=True, verbose=False)
    assert written.max_error < 1e-4


@HALF
def test_in_float32(policy):
    """Layers within layers too; the weights are the same, and the network itself stays as it is."""
    with dtype_policy(policy):
        inputs = keras.Input((8, 8, 2))
        convolution = SpectralNormalization(keras.layers.Conv2D(3, 3))
        inner = keras.Sequential([keras.Input((8, 8, 2)), convolution])
        network = keras.Model(inputs, keras.layers.LeakyReLU(0.2)(inner(inputs)))
        copy = in_float32(network)
    assert compute_dtypes(copy) == {"float32"}
    assert KINDS[policy] in compute_dtypes(network)
    x = np.random.default_rng(0).normal(size=(2, 8, 8, 2)).astype("float32")
    exact, half = np.array(copy(x)), np.array(tf.cast(network(x), tf.float32))
    assert 0 < np.abs(half - exact).max() < 8 * ROUNDING[policy] * np.abs(exact).max()
    assert in_float32(copy) is copy


@HALF
def test_samples(policy):
    """The same pictures as in float32, but for a few levels of 255."""
    expected = built("DCGAN", "float32").generate(4, seed=1).astype(int)
    made = built("DCGAN", policy).generate(4, seed=1).astype(int)
    assert np.abs(made - expected).max() <= 2 + 255 * 4 * ROUNDING[policy]


# The command line


@pytest.mark.slow
def test_command_line(tmp_path):
    out, arguments = tmp_path / "run", ["train", "gan", "--dataset", "ring", "--steps", "2"]
    arguments += ["--batch-size", "8", "--precision", "mixed_float16", "--out", str(out)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert json.loads((out / "settings.json").read_text())["precision"] == "mixed_float16"
    model = keras.models.load_model(out / "model.keras")
    assert "float16" in compute_dtypes(model.generator)
    assert isinstance(model.generator_optimizer, LossScaleOptimizer)


def test_command_line_refuses_other_precisions(tmp_path):
    arguments = ["train", "gan", "--precision", "half", "--out", str(tmp_path / "run")]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2 and not (tmp_path / "run").exists()
    assert "`precision` must be one of" in result.output and "'half'" in result.output
