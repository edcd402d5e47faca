import os
import re

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans import CGAN, GAN, R3GAN, WGAN, WGANGP, AdversarialModel, CoGAN
from keras_gans.callbacks import Guard, Resume, Throughput
from keras_gans.callbacks._diagnosis import spread
from keras_gans.datasets import load
from keras_gans.families.translation import Translator
from keras_gans.networks import build_mlp_discriminator, build_mlp_generator
from keras_gans.training import checkpoints

NAN = float("nan")
BATCH = 8


def networks(shape=(2,), num_classes=None):
    given = {"num_classes": num_classes} if num_classes else {}
    return (
        build_mlp_generator(shape, 4, hidden=(16,), seed=0, **given),
        build_mlp_discriminator(shape, hidden=(16,), seed=1, **given),
    )


def examples(num=64, shape=(2,), scale=0.5):
    draws = np.random.default_rng(0).normal(size=(num, *shape)) * scale
    return np.clip(draws, -1, 1).astype("float32")


def dataset(shape=(2,), offset=0.0):
    reals = examples(shape=shape) + np.float32(offset)
    return tf.data.Dataset.from_tensor_slices(reals).repeat().batch(BATCH)


def run(model, guard, steps, epochs=1, data=None, callbacks=()):
    """`steps` steps an epoch."""
    data = dataset() if data is None else data
    guards = [] if guard is None else [guard]
    return model.fit(
        data, steps_per_epoch=steps, epochs=epochs, callbacks=[*callbacks, *guards], verbose=0
    )


def state(model):
    """Copies of all variables; a restored state is no view of these."""
    optimizers = [v for player in model.players for v in model.optimizer_of(player).variables]
    return [np.array(v) for v in [*model.variables, *optimizers]]


def assert_same(actual, expected):
    assert len(actual) == len(expected)
    for a, b in zip(actual, expected, strict=True):
        np.testing.assert_array_equal(a, b)


def sgd(model, rate=0.01, run_eagerly=True, **rates):
    """Eager, since a graph takes longer to make than so few steps."""
    players = {f"{player}_optimizer": rate for player in model.players} | rates
    optimizers = {name: keras.optimizers.SGD(float(r)) for name, r in players.items()}
    model.compile(**optimizers, run_eagerly=run_eagerly)
    return model


def absurd_rate():
    model = WGANGP(*networks(), n_critic=2, ema_decay=0.9, seed=0)
    return sgd(model, run_eagerly=False, critic_optimizer=1e3)


def nothing_of(model, player):
    """0 with a gradient, of 0, for all the player's weights, whatever these are."""
    sums = [tf.reduce_sum(0.0 * tf.tanh(v.value)) for v in model.player_variables(player)]
    return tf.where(True, 0.0, tf.add_n(sums))


def scripted(kind=GAN, run_eagerly=True, **script):
    """A model whose players' losses and other terms at step n are the n-th of their list.

    What it reports beside `kind` are penalties.
    """
    steps = max(len(values) for values in script.values())
    own = [name for name in script if not name.endswith("_loss") and name not in kind.reported]

    class Scripted(kind):
        reported = (*kind.reported, *own)
        penalties = kind.penalties | dict.fromkeys(own, next(iter(kind.players)))

        def value(self, name):
            values = script.get(name, [1.0] * steps)
            return tf.gather(tf.constant(values), self.generator_optimizer.iterations.value)

        def train_step(self, data):
            # As in WGAN-GP, terms of the discriminator's loss are reported before the generator's.
            terms = {name: self.value(name) for name in self.reported}
            for player in self.players:
                with self.update(player) as losses:
                    losses[player] = self.value(f"{player}_loss") + nothing_of(self, player)
                self.report(**terms)
                terms = {}
            return self.logs()

    return sgd(Scripted(*networks(), seed=0), run_eagerly=run_eagerly)


class AfterStep(keras.callbacks.Callback):
    """Does something to the model after a step of this `fit`."""

    def __init__(self, step, action):
        super().__init__()
        self.step, self.action = step, action

    def on_train_begin(self, logs=None):
        self.taken = 0

    def on_train_batch_end(self, batch, logs=None):
        self.taken += 1
        if self.taken == self.step:
            self.action(self.model)


def spoil(variable, value=NAN):
    values = np.array(variable)
    values.flat[0] = value
    variable.assign(values)


def spoil_generator(model):
    spoil(model.generator.trainable_variables[0])


class TestBroken:
    @pytest.mark.parametrize("every_steps", [1, 4, 100])
    def test_an_absurd_rate(self, tmp_path, capsys, every_steps):
        """The step is the first whose own log is NaN, in whatever interval it is looked for."""
        model, seen = absurd_rate(), []
        before = state(model)
        see = keras.callbacks.LambdaCallback(
            on_train_batch_end=lambda batch, logs: seen.append(logs)
        )
        guard = Guard(every_steps, path=tmp_path / "new" / "last_good.keras")
        history = run(model, guard, 10, epochs=3, callbacks=[see])

        first = next(i for i, logs in enumerate(seen) if not np.isfinite(logs["critic_loss"])) + 1
        assert np.isfinite(seen[0]["generator_loss"])
        assert guard.failure.startswith(
            f"The critic broke at step {first}: `critic_loss` and `gradient_penalty` are not finite"
        )
        assert f" Training stopped after step {len(seen)}; the model is back in the state of " in (
            guard.failure
        )
        assert "Go on with lower rates (then 1000 for the critic, 0.01 for the generator)" in (
            guard.failure
        )
        assert len(history.epoch) == 1 and len(seen) < min(11, first + every_steps)
        assert_same(state(model), before if every_steps > first else state(model))
        saved = keras.models.load_model(tmp_path / "new" / "last_good.keras")
        assert_same(state(saved), state(model))
        assert all(np.isfinite(values).all() for values in state(model))
        assert [path.name for path in (tmp_path / "new").iterdir()] == ["last_good.keras"]
        printed = capsys.readouterr().err
        assert guard.failure in printed and str(tmp_path) in printed

    def test_the_term_that_was_first(self):
        model = scripted(
            discriminator_loss=[1.0] * 9 + [NAN],
            gradient_penalty=[1.0] * 6 + [NAN] * 4,
            generator_loss=[1.0] * 8 + [NAN] * 2,
        )
        guard = Guard(every_steps=5)
        run(model, guard, 10)
        assert guard.failure.startswith(
            "Training broke at step 7: `gradient_penalty` is not finite. At the last good look "
            "`gradient_penalty` was 1. Training stopped after step 10; the model is back in the "
            "state of step 0"
        )

    def test_the_player_that_was_first(self):
        """The generator's loss breaks its weights, and so the discriminator's next loss."""
        model = scripted(
            generator_loss=[1.0] * 5 + [float("inf")] * 5,
            discriminator_loss=[1.0] * 6 + [NAN] * 4,
        )
        guard = Guard(every_steps=100)
        run(model, guard, 10)
        assert guard.failure.startswith(
            "The generator broke at step 6: `generator_loss` is not finite."
        )

    def test_the_epoch_of_the_step(self):
        """Metrics begin anew in each epoch, and the end of each is looked at."""
        guard = Guard()
        history = run(scripted(generator_loss=[1.0] * 10 + [NAN] * 10), guard, 4, epochs=5)
        assert guard.failure.startswith("The generator broke at step 11:")
        assert history.epoch == [0, 1, 2]

    @pytest.mark.parametrize("every_steps, where", [(1, "at step 3"), (5, "in steps 1 to 5")])
    def test_weights(self, every_steps, where):
        def break_generator(model):
            for variable in model.generator.trainable_variables[:2]:
                spoil(variable)

        model = scripted(generator_loss=[1.0] * 10)  # finite, whatever the weights
        path = model.generator.trainable_variables[0].path
        guard = Guard(every_steps)
        run(model, guard, 10, callbacks=[AfterStep(3, break_generator)])
        assert guard.failure.startswith(
            f"The generator broke: `{path}` and 1 more are not finite {where}, and the losses were "
            "finite up to there."
        )
        assert all(np.isfinite(values).all() for values in state(model))

    def test_the_state_of_an_optimizer(self):
        """Adam's second moment stays infinite once it is, and the weight never moves again."""
        model = GAN(*networks(), seed=0)
        guard = Guard(every_steps=1)
        model.compile()
        slot = model.discriminator_optimizer.variables[-1]
        run(model, guard, 5, callbacks=[AfterStep(2, lambda _: spoil(slot, np.inf))])
        assert guard.failure.startswith(
            f"The discriminator's optimizer broke: `{slot.path}` is not finite at step 2,"
        )

    def test_the_last_good_state(self):
        """All that training depends on is as it was after so many steps."""
        reference = GAN(*networks(), ema_decay=0.9, seed=0)
        run(reference, None, 6)
        model = GAN(*networks(), ema_decay=0.9, seed=0)
        guard = Guard(every_steps=2, keep_every_steps=3)
        run(model, guard, 12, callbacks=[AfterStep(7, spoil_generator)])
        assert "back in the state of step 6," in guard.failure
        for a, b in zip(state(model), state(reference), strict=True):
            np.testing.assert_allclose(a, b, rtol=0, atol=1e-6)

    def test_training_goes_on_afterwards(self):
        model = sgd(GAN(*networks(), seed=0))
        guard = Guard(every_steps=2, keep_every_steps=2)
        run(model, guard, 8, callbacks=[AfterStep(5, spoil_generator)])
        assert "back in the state of step 4," in guard.failure
        run(model, guard, 6)
        assert guard.failure is None and int(model.generator_optimizer.iterations) == 10
        run(model, guard, 8, callbacks=[AfterStep(3, spoil_generator)])
        assert guard.failure.startswith("The discriminator broke at step 14:")
        assert "back in the state of step 12," in guard.failure

    def test_an_error_instead(self, capsys):
        model = scripted(generator_loss=[1.0, NAN, NAN])
        before = state(model)
        with pytest.raises(FloatingPointError, match=r"generator broke at step 2.*is back"):
            run(model, Guard(raise_error=True), 3)
        assert_same(state(model), before)
        assert capsys.readouterr().err == ""

    def test_a_disk_that_takes_nothing(self, tmp_path):
        (tmp_path / "file").write_text("")
        model = scripted(generator_loss=[NAN] * 2)
        before = state(model)
        guard = Guard(path=tmp_path / "file" / "last_good.keras")
        run(model, guard, 2)
        assert "it can't be written to" in guard.failure
        assert_same(state(model), before)

    def test_several_steps_at_once(self):
        """Looks fall between executions, and name the step within."""
        model = scripted(run_eagerly=False, generator_loss=[1.0] * 9 + [NAN] * 11)
        model.compile(
            steps_per_execution=4,
            generator_optimizer=keras.optimizers.SGD(0.01),
            discriminator_optimizer=keras.optimizers.SGD(0.01),
        )
        guard = Guard(every_steps=3)
        run(model, guard, 20)
        assert guard.failure.startswith("The generator broke at step 10:")
        assert "Training stopped after step 12;" in guard.failure

    @pytest.mark.slow
    def test_two_replicas(self, two_replicas):
        with two_replicas.scope():
            model = absurd_rate()
        before, guards = state(model), [Guard(), Guard()]
        for each, guard in zip((model, absurd_rate()), guards, strict=True):
            run(each, guard, 10)
        assert guards[0].failure == guards[1].failure
        assert guards[0].failure.startswith("The critic broke at step ")
        assert_same(state(model), before)


@pytest.fixture
def mixed_float16():
    keras.mixed_precision.set_global_policy("mixed_float16")
    yield
    keras.mixed_precision.set_global_policy("float32")


class TestLossScaling:
    """An update whose gradients are not finite is skipped, and the optimizer does not count it."""

    def test_skipped_updates_break_nothing(self, mixed_float16):
        def overflow(model):
            model.generator_optimizer.dynamic_scale.assign(2.0**100)

        model, guard = GAN(*networks(), seed=0), Guard(every_steps=1)
        run(model, guard, 8, callbacks=[AfterStep(2, overflow)])
        assert int(model.generator_optimizer.iterations) == 2
        assert guard.failure is None and guard.warnings == []

    def test_skipped_updates_are_steps_all_the_same(self, mixed_float16):
        def overflow(model):
            model.generator_optimizer.dynamic_scale.assign(2.0**100)

        model, guard = GAN(*networks(), seed=0), Guard(every_steps=1)
        callbacks = [AfterStep(1, overflow), AfterStep(6, spoil_generator)]
        run(model, guard, 4, epochs=2, callbacks=callbacks)
        assert " at step 6," in guard.failure

    def test_a_loss_that_is_not_finite(self, mixed_float16):
        """It is named with its step, though the weights stayed as they were."""
        guard = Guard(every_steps=4)
        run(scripted(discriminator_loss=[1.0] * 5 + [NAN] * 5), guard, 10)
        assert guard.failure.startswith("The discriminator broke at step 6:")
        assert "Training stopped after step 8;" in guard.failure


class TestResume:
    def fit(self, model, guard, directory, epochs=1, callbacks=()):
        resume = Resume(directory, every_steps=2, keep=9)
        data = load("ring", batch_size=BATCH)
        callbacks = [guard, *callbacks, resume]
        model.fit(data, steps_per_epoch=6, epochs=epochs, callbacks=callbacks, verbose=0)
        return checkpoints.paths(directory)

    @pytest.mark.parametrize("every_steps", [1, 100])
    def test_the_newest_checkpoint_is_a_good_one(self, tmp_path, every_steps, recwarn):
        """Weights break after step 3: neither they are saved, nor what Guard goes back to."""
        guard, directory = Guard(every_steps, keep_every_steps=1), str(tmp_path)
        model = sgd(GAN(*networks(), seed=0))
        left = self.fit(model, guard, directory, callbacks=[AfterStep(3, spoil_generator)])
        assert guard.failure
        assert [path[-2:] for path in left] == ["02"]
        values, facts = checkpoints.read(left[-1])
        assert facts["steps"] == 2
        assert all(np.isfinite(v).all() for n, v in values.items() if n.startswith("model/"))
        refused = [str(w.message) for w in recwarn if "is not written" in str(w.message)]
        # Step 4 is due between two looks; step 6 ends the epoch, with a look.
        assert len(refused) == (0 if every_steps == 1 else 1)

    @pytest.mark.filterwarnings("ignore:Resume")
    def test_without_a_guard(self, tmp_path):
        """Resume does not save weights that are not finite, and says so."""
        model, directory = sgd(GAN(*networks(), seed=0)), str(tmp_path)
        path = os.path.join(directory, "step_00000004")
        expected = (
            rf"Resume: '{path}' is not written: 'model/\d+/.*' is not finite. The newest one is "
            "'.*step_00000002'; training goes on"
        )
        spoiled = AfterStep(3, spoil_generator)
        with pytest.warns(RuntimeWarning, match=expected):
            left = self.fit(model, Throughput(), directory, callbacks=[spoiled])
        assert [path[-2:] for path in left] == ["02"]

    def test_a_run_that_goes_on(self, tmp_path):
        """Steps are counted on, and what was said is not said again."""
        script = {"gradient_penalty": [1.0, 500.0, 500.0, 500.0, 500.0, 1.0, 1.0] + [NAN] * 5}
        guard, directory = Guard(every_steps=2), str(tmp_path)
        kill = AfterStep(3, lambda model: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            self.fit(scripted(**script), guard, directory, 2, [kill])
        assert [text[:7] for text in guard.warnings] == ["Step 2:"]
        self.fit(scripted(**script), guard, directory, 2)
        assert guard.warnings == []
        assert guard.failure.startswith("Training broke at step 8: `gradient_penalty`")


class TestCollapse:
    def test_a_frozen_generator(self):
        """It never made anything else, so only the data tell."""
        model = sgd(GAN(*networks(), seed=0), generator_optimizer=0.0)
        kernel, bias = model.generator.trainable_variables[-2:]
        kernel.assign(kernel * 1e-3)
        bias.assign([0.3, 0.1])
        guard = Guard(every_steps=2, patience=3, reals=examples())
        run(model, guard, 20)
        assert len(guard.warnings) == 1
        assert guard.warnings[0].startswith(
            "Step 6: collapse: the samples of a batch are nearly alike. Two of them differ by "
        )
        assert "change the rates (now 0 for the generator and 0.01 for" in guard.warnings[0]
        assert guard.failure is None and int(model.generator_optimizer.iterations) == 20

    @pytest.mark.parametrize("shape", [(2,), (8, 8, 1)])
    def test_equal_samples_without_reals(self, shape):
        model = sgd(GAN(*networks(shape), seed=0), generator_optimizer=0.0)
        for variable in model.generator.trainable_variables:
            variable.assign(variable * 0)
        guard = Guard(every_steps=1, patience=2)
        run(model, guard, 4, data=dataset(shape))
        assert len(guard.warnings) == 1 and "differ by 0 per value" in guard.warnings[0]

    @pytest.mark.parametrize("shape", [(2,), (8, 8, 1)])
    def test_during_a_run(self, shape):
        """The numbers are in the unit of the data, [-1, 1] for pictures."""
        model = sgd(GAN(*networks(shape), seed=0), 1e-6)
        samples = np.array(model(model.generator_inputs(32, 0)))
        kernel = model.generator.trainable_variables[-2]
        collapse = AfterStep(5, lambda _: kernel.assign(kernel * 1e-3))
        guard = Guard(every_steps=1, patience=2)
        run(model, guard, 10, data=dataset(shape), callbacks=[collapse])
        assert [text.split(":")[0] for text in guard.warnings] == ["Step 6"]
        largest = float(re.search("two at most so far by ([0-9.]+)[.] ", guard.warnings[0])[1])
        assert largest == pytest.approx(spread(samples), rel=0.02)

    @pytest.mark.parametrize("domain", [0, 1])
    def test_of_one_of_two_domains(self, domain):
        gan = CoGAN.from_paper((2,), latent_dim=4, seed=0)
        sgd(gan, generator_optimizer=0.0)
        heads = [layer for layer in gan.generators.layers if layer.weights and layer.units == 2]
        head = heads[domain]
        head.kernel.assign(head.kernel * 1e-4)
        data = tf.data.Dataset.from_tensor_slices((examples(), examples())).repeat().batch(BATCH)
        guard = Guard(every_steps=1, patience=2, reals=(examples(), examples()))
        run(gan, guard, 4, data=data)
        assert len(guard.warnings) == 1 and "Step 2: collapse" in guard.warnings[0]

    def test_reals_of_one_of_two_domains(self):
        gan = sgd(CoGAN.from_paper((2,), latent_dim=4, seed=0))
        data = tf.data.Dataset.from_tensor_slices((examples(), examples())).repeat().batch(BATCH)
        with pytest.raises(ValueError, match=r"`reals` must be a tuple of the 2 kinds that CoGAN"):
            run(gan, Guard(reals=examples()), 1, data=data)

    def test_within_the_classes(self):
        """A generator that looks at labels only has different samples, but not within a class."""
        model = sgd(CGAN(*networks((8, 8, 1), num_classes=3), seed=0), generator_optimizer=0.0)
        # The latents' rows of the first kernel; the labels' remain.
        first = next(v for v in model.generator.trainable_variables if v.shape == (7, 16))
        first.assign(first * np.float32([[0]] * 4 + [[5]] * 3))
        samples = model.generate(6, seed=0)
        assert (samples[0] == samples[3]).all() and (samples[0] != samples[1]).any()
        reals = examples(shape=(8, 8, 1))
        data = tf.data.Dataset.from_tensor_slices((reals, np.arange(64) % 3)).repeat().batch(BATCH)
        guard = Guard(every_steps=1, patience=2, reals=next(iter(data)))
        run(model, guard, 4, data=data)
        assert len(guard.warnings) == 1 and "Step 2: collapse" in guard.warnings[0]

    def test_translators_are_not_looked_at(self):
        class Recolour(Translator):
            players = {"generator": ("generator",)}

            def default_optimizers(self):
                return {"generator": keras.optimizers.SGD(0.0)}

            def train_step(self, data):
                (pictures,) = self.minibatches(data, 1)
                with self.update("generator") as losses:
                    losses["generator"] = tf.reduce_mean(self.generator(pictures, training=True))
                return self.logs()

        inputs = keras.Input((8, 8, 1))
        outputs = keras.layers.Conv2D(1, 1, kernel_initializer="zeros")(inputs)
        model = Recolour(generator=keras.Model(inputs, outputs), seed=0)
        guard = Guard(1, patience=2)
        run(model, guard, 4, data=dataset((8, 8, 1)))
        assert guard.warnings == [] and guard.failure is None
        with pytest.raises(ValueError, match=r"`reals` must be None for a Recolour"):
            run(model, Guard(reals=examples(shape=(8, 8, 1))), 4, data=dataset((8, 8, 1)))


def test_a_perfect_discriminator():
    """The data are far from all samples."""
    model = GAN(*networks(), seed=0)
    sgd(model, run_eagerly=False, generator_optimizer=0.0, discriminator_optimizer=0.2)
    guard = Guard(every_steps=10, patience=2)
    run(model, guard, 200, data=dataset(offset=5.0))
    assert len(guard.warnings) == 1
    assert (
        "the discriminator is saturated: the mean of `discriminator_loss` in "
        in (guard.warnings[0])
    )
    assert "(now 0.2 for the discriminator and 0 for the generator)" in guard.warnings[0]
    assert guard.warnings[0].endswith("or take a loss with a gradient penalty (WGANGP).")


def test_a_perfect_discriminator_with_penalties():
    """R3GAN has what another one is told to take."""
    guard = Guard(every_steps=1, patience=2)
    run(scripted(R3GAN, discriminator_loss=[0.01] * 3, generator_loss=[5.0] * 3), guard, 3)
    assert len(guard.warnings) == 1 and "the discriminator is saturated" in guard.warnings[0]
    assert guard.warnings[0].endswith(", or give `r1` and `r2` more weight.")


def test_a_critic_is_never_saturated():
    guard = Guard(every_steps=1, patience=1)
    run(scripted(WGAN, critic_loss=[0.01] * 3, generator_loss=[5.0] * 3), guard, 3)
    assert guard.warnings == []


def test_an_exploding_penalty(capsys):
    """The number is the mean since the look before, also where that was in an earlier epoch."""
    penalties = [1.0, 1.0, 120.0, 140.0, 200.0, 200.0]
    guard = Guard(every_steps=2)
    run(scripted(gradient_penalty=penalties), guard, 3, epochs=2)
    assert len(guard.warnings) == 1
    assert guard.warnings[0].startswith(
        "Step 4: `gradient_penalty` explodes: its mean in step 4 is 140. Lower the rate of the "
        "discriminator (now 0.01)"
    )
    assert capsys.readouterr().err == f"\nGuard: {guard.warnings[0]}\n"


@pytest.mark.parametrize("name", ["r1", "r2"])
def test_an_exploding_penalty_of_another_name(name):
    guard = Guard(every_steps=1)
    run(scripted(R3GAN, **{name: [1.0, 1.0, 140.0]}), guard, 3)
    assert len(guard.warnings) == 1
    assert guard.warnings[0].startswith(
        f"Step 3: `{name}` explodes: its mean in step 3 is 140. Lower the rate of the discriminator"
    )


class Forgery(AdversarialModel):
    """A user's model with names of its own, and two numbers that end it differently."""

    players = {"forger": ("press",), "expert": ("lens",)}
    averaged = ()
    reported = ("stiffness", "late_penalty")

    @property
    def sampler(self):
        return self.press

    def default_optimizers(self):
        return {player: keras.optimizers.SGD(0.0) for player in self.players}

    def train_step(self, data):
        for player, loss in (("expert", 0.01), ("forger", 5.0)):
            with self.update(player) as losses:
                losses[player] = loss + nothing_of(self, player)
        self.report(stiffness=500.0, late_penalty=500.0)
        return self.logs()


class DeclaredForgery(Forgery):
    judges = ("expert",)
    contests = {"expert_loss": "forger_loss"}
    penalties = {"stiffness": "expert"}


class TestAModelOfOnesOwn:
    def said(self, kind):
        press, lens = networks()
        for variable in press.trainable_variables:
            variable.assign(variable * 0)
        guard = Guard(every_steps=1, patience=2, reals=examples())
        run(sgd(kind(press=press, lens=lens, seed=0), 0.01, expert_optimizer=0.02), guard, 3)
        assert guard.failure is None
        return guard.warnings

    def test_declared(self):
        penalty, saturated, collapse = self.said(DeclaredForgery)
        assert penalty == (
            "Step 1: `stiffness` explodes: its mean in step 1 is 500. Lower the rate of the expert "
            "(now 0.02), or give the penalty more weight."
        )
        assert "the expert is saturated: the mean of `expert_loss` in step 2 is" in saturated
        assert saturated.endswith(
            "which teaches the forger little. Lower the rate of the expert (now 0.02 for the "
            "expert and 0.01 for the forger), or give `stiffness` more weight."
        )
        assert collapse.endswith(
            "(now 0.01 for the forger and 0.02 for the expert), or show the expert whole batches "
            "(`layers.MinibatchStdDev`)."
        )

    def test_nothing_declared(self):
        """Nothing is guessed from names; a collapse shows in the samples."""
        (collapse,) = self.said(Forgery)
        assert collapse.endswith("(now 0.01 for the forger and 0.02 for the expert).")


class TestHealthy:
    @pytest.mark.parametrize("kind", [GAN, pytest.param(WGANGP, marks=pytest.mark.slow)])
    def test_nothing_is_said_and_nothing_changes(self, kind, capsys):
        def trained(guard):
            keras.utils.set_random_seed(0)
            model = kind(*networks(), ema_decay=0.9, seed=0)
            run(model, guard, 20, epochs=2)
            return model

        guard = Guard(every_steps=3, keep_every_steps=3, reals=examples(), patience=2)
        assert_same(state(trained(guard)), state(trained(None)))
        assert guard.failure is None and guard.warnings == []
        assert capsys.readouterr().err == ""

    def test_a_second_fit(self):
        """Steps are those of the model, and what was learnt in an earlier `fit` is forgotten."""
        model = scripted(gradient_penalty=[1.0] * 7 + [500.0] * 5)
        guard = Guard(every_steps=2)
        run(model, guard, 4)
        assert guard.warnings == []
        run(model, guard, 8)
        assert guard.warnings[0].startswith(
            "Step 8: `gradient_penalty` explodes: its mean in steps 7 to 8 is 250.5."
        )


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"every_steps": 0}, "`every_steps`.*at least 1.*0"),
        ({"keep_every_steps": 1.5}, "`keep_every_steps`.*at least 1.*1.5"),
        ({"path": "last_good.h5"}, "`path` must end in '.keras'.*last_good.h5"),
        ({"path": ""}, "`path`.*not empty"),
        ({"patience": 0}, "`patience`.*at least 1.*0"),
        ({"raise_error": 1}, "`raise_error` must be True or False.*1"),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        Guard(**arguments)


@pytest.mark.parametrize(
    "reals, message",
    [
        (np.zeros((4, 3), "float32"), r"`reals`.*\(batch, 2\). Received: \(4, 3\)"),
        (np.zeros((4, 2), "int32"), "`reals` must be float32.*int32"),
        (np.full((4, 2), NAN, "float32"), "`reals` must be finite"),
        (np.zeros((1, 2), "float32"), "`reals` must be 2 or more. Received: 1"),
    ],
)
def test_reals_that_do_not_fit(reals, message):
    with pytest.raises(ValueError, match=message):
        run(GAN(*networks(), seed=0), Guard(reals=reals), 1)


def test_weights_that_were_broken_before():
    model = GAN(*networks(), seed=0)
    path = model.generator.trainable_variables[0].path
    spoil_generator(model)
    with pytest.raises(ValueError, match=f"must have finite weights. Received: `{path}`, which is"):
        run(model, Guard(), 4)


def test_another_model():
    plain = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    plain.compile(loss="mse")
    with pytest.raises(ValueError, match=r"model of keras_gans\. Received: a Seq"):
        plain.fit(np.zeros((4, 2)), np.zeros((4, 1)), callbacks=[Guard()], verbose=0)
