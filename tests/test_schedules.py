"""Schedules against formulas, and models that follow them against numbers set step by step."""

import json
import math

import harness
import keras
import numpy as np
import pytest
import tensorflow as tf
from keras.optimizers.schedules import CosineDecay, LearningRateSchedule, PiecewiseConstantDecay

from keras_gans import DRAGAN, R3GAN, WGANGP, AdversarialModel, ProGAN
from keras_gans.callbacks import Resume
from keras_gans.datasets import info
from keras_gans.devices.progress import steps_taken
from keras_gans.export.card import card_page, make_card
from keras_gans.networks import (
    build_mlp_discriminator,
    build_mlp_generator,
    build_progan_discriminator,
    build_progan_generator,
)
from keras_gans.runs.directories import facts_of_model
from keras_gans.schedules import (
    ConstantThenLinear,
    Cosine,
    DividedDownTo,
    HalfLife,
    Linear,
    OfImages,
)
from keras_gans.training import kinds

HALF = math.sqrt(0.5)


@pytest.mark.parametrize(
    ("step", "share"),
    [(0, 1), (1, 1), (99, 1), (100, 1), (101, 0.99), (125, 0.75), (199, 0.01), (200, 0), (999, 0)],
)
def test_half_and_half(step, share):
    rate = ConstantThenLinear(2e-4, 200)
    assert float(rate(step)) == pytest.approx(2e-4 * share, rel=1e-5, abs=1e-12)


def test_other_fractions():
    """0.75 of 8 steps: steps 6, 7 and 8 have 1, 1/2 and 0 of the rate; 0: it falls at once."""
    late, at_once = ConstantThenLinear(3.0, 8, 0.75), ConstantThenLinear(3.0, 8, 0)
    assert [float(late(t)) for t in (0, 5, 6, 7, 8, 9)] == pytest.approx([3, 3, 3, 1.5, 0, 0])
    assert [float(at_once(t)) for t in (0, 2, 4, 8)] == pytest.approx([3, 2.25, 1.5, 0])


VALUES = {
    "up": (Linear(0, 3, 20, begin=10), {0: 0, 10: 0, 11: 0.3, 15: 1.5, 19: 2.7, 20: 3, 99: 3}),
    "down": (Linear(1.0, -1.0, 4), {0: 1, 1: 0.5, 2: 0, 3: -0.5, 4: -1, 5: -1}),
    # cos(pi / 4) = cos(45 degrees), cos(pi / 2) = 0
    "cosine": (
        Cosine(0.0, 2.0, 12, begin=4),
        {0: 0, 4: 0, 6: 1 - HALF, 8: 1, 10: 1 + HALF, 12: 2, 10**9: 2},
    ),
    "divided": (DividedDownTo(8.0, 2.0, 0.25), {0: 8, 1: 4, 3: 1, 5: 0.25, 6: 0.25, 10**9: 0.25}),
    # e^-4 and e^-11.513 of it, to the sixth order of the logarithm, and never 0
    "divided a little": (
        DividedDownTo(1.0, 1.000004),
        {0: 1, 1_000_000: 0.01831579, 2_878_235: 1.000e-5},
    ),
    "images": (OfImages(Linear(0, 1, 640), 64), {0: 0, 1: 0.1, 5: 0.5, 10: 1, 11: 1}),
    "images of Keras's": (OfImages(PiecewiseConstantDecay([8], [5.0, 7.0]), 4), {2: 5, 3: 7}),
    # Half of the average is from the last 8 images, of which a step has 4.
    "half-life": (HalfLife(8, 4), {0: HALF, 1000: HALF}),
    "growing half-life": (HalfLife(Linear(0, 8, 16), 4), {0: 0, 1: 0.25, 2: 0.5, 4: HALF, 5: HALF}),
}


@pytest.mark.parametrize("name", VALUES)
def test_values(name):
    """Of integers, in a graph, and of what Keras has written and read."""
    schedule, expected = VALUES[name]
    text = json.dumps(keras.saving.serialize_keras_object(schedule))
    again = keras.saving.deserialize_keras_object(json.loads(text))
    assert type(again) is type(schedule)
    graph = tf.function(lambda step: tf.cast(schedule(step), "float32"))
    for step, value in expected.items():
        found = schedule(step), again(step), graph(tf.constant(step, "int64"))
        assert [float(v) for v in found] == pytest.approx([value] * 3, rel=1e-5, abs=1e-6)


def test_ends_are_exact():
    for kind in (Linear, Cosine):
        schedule = kind(0.05, 0.005, 20_000_000)
        assert np.array(schedule(0)) == np.float32(0.05)
        assert np.array(schedule(20_000_000)) == np.float32(0.005)


@pytest.mark.parametrize(
    "rate",
    [ConstantThenLinear(1.0, 4, 0.5), OfImages(ConstantThenLinear(1.0, 20, 0.5), 5)],
    ids=["steps", "images"],
)
def test_in_an_optimizer_and_saved(rate):
    """The optimizer's own steps are what counts; the schedule survives its config."""
    optimizer = keras.optimizers.SGD(rate)
    optimizer = keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))
    weight = keras.Variable(0.0)
    optimizer.build([weight])
    step = tf.function(lambda: optimizer.apply([tf.constant(-1.0)], [weight]))
    seen = []
    for _ in range(6):
        step()
        seen.append(float(weight))
    np.testing.assert_allclose(np.diff([0.0, *seen]), [1, 1, 1, 0.5, 0, 0])


@pytest.mark.parametrize(
    ("kind", "arguments", "match"),
    [
        (ConstantThenLinear, (0, 10), "initial_rate"),
        (ConstantThenLinear, (-1.0, 10), "initial_rate"),
        (ConstantThenLinear, (1.0, 0), "total_steps"),
        (ConstantThenLinear, (1.0, 2.5), "total_steps"),
        (ConstantThenLinear, (1.0, 10, 1), r"constant_fraction.*\[0, 1\)"),
        (ConstantThenLinear, (1.0, 10, -0.1), "constant_fraction"),
        (ConstantThenLinear, (1.0, 10, None), "constant_fraction"),
        (DividedDownTo, (0, 2.0), "initial_rate"),
        (DividedDownTo, (1.0, 1.0), "divisor` must be above 1"),
        (DividedDownTo, (1.0, "2"), "divisor"),
        (DividedDownTo, (1.0, 2.0, -0.1), r"minimum` must be in \[0, 1.0\]"),
        (DividedDownTo, (1.0, 2.0, 1.1), "minimum"),
        (Linear, ("0", 1.0, 10), "initial"),
        (Linear, (0.0, float("nan"), 10), "final"),
        (Cosine, (0.0, float("inf"), 10), "final"),
        (Cosine, (True, 1.0, 10), "initial"),
        (Linear, (0.0, 1.0, 0), "total_steps"),
        (Linear, (0.0, 1.0, 10, 10), "begin.*below `total_steps`, 10"),
        (Linear, (0.0, 1.0, 10, -1), "begin"),
        (Linear, (0.0, 1.0, 10, 0.5), "begin"),
        (OfImages, (0.5, 4), "schedule"),
        (OfImages, (Linear(0, 1, 4), 0), "images_per_step"),
        (HalfLife, (0, 4), "half_life"),
        (HalfLife, (Linear(-1, 1, 4), 4), "half_life"),
        (HalfLife, (8, 2.5), "images_per_step"),
    ],
)
def test_bad_arguments(kind, arguments, match):
    with pytest.raises(ValueError, match=rf"`{match}.*Received"):
        kind(*arguments)


# Models


@keras.saving.register_keras_serializable("tests")
class Forgery(AdversarialModel):
    """The losses are level w x and level v x, and w is averaged; no network is called generator."""

    players = {"forger": ("forger",), "expert": ("expert",)}
    averaged = ("forger",)
    reported = ("level",)
    turns = ("expert", "expert", "forger")

    def __init__(self, forger, expert, level, **kwargs):
        super().__init__(forger=forger, expert=expert, **kwargs)
        self.level = level

    def default_optimizers(self):
        return {player: keras.optimizers.SGD(0.1) for player in self.players}

    def data_spec(self):
        return (kinds.Points("reals", (2,)),)

    def train_step(self, data):
        (reals,) = self.minibatches(data, 1)
        for player in self.turns:
            level = self.at_step(self.level)
            self.report(level=level)
            with self.update(player) as losses:
                losses[player] = level * tf.reduce_mean(getattr(self, player)(reals))
        return self.logs()

    def get_config(self):
        return {**super().get_config(), "level": self.level}


POINTS = np.array([[1, 2], [-3, 4], [5, 0], [0, 1]], "float32")
STEPS = 4
# In four steps the level is 0, 2, 4, 4, and the decay 0, 2^(-4/4), 2^(-4/8), 2^(-4/8).
LEVELS, DECAYS = (0, 2, 4, 4), (0, 0.5, HALF, HALF)
SCHEDULES = {"level": Linear(0.0, 4.0, 2), "ema_decay": HalfLife(Linear(0, 8, 8), 4)}


def forgery(**settings):
    networks = [
        keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, use_bias=False)])
        for _ in range(2)
    ]
    for network, start in zip(networks, (1.0, -1.0), strict=True):
        network.layers[0].kernel.assign(np.full((2, 1), start))
    return Forgery(*networks, **{**SCHEDULES, **settings})


def fit(model, steps=STEPS, **kwargs):
    dataset = tf.data.Dataset.from_tensors(POINTS).repeat()
    return model.fit(dataset, steps_per_epoch=1, epochs=steps, verbose=0, **kwargs)


def assert_by_hand(model, steps=STEPS):
    """w <- w - 0.1 level mean(x), a <- decay a + (1 - decay) w, and v as often as it has a turn."""
    turns = model.turns.count("expert")
    w, a, v = np.ones(2), np.ones(2), -np.ones(2)
    for level, decay in zip(LEVELS[:steps], DECAYS[:steps], strict=True):
        w = w - 0.1 * level * POINTS.mean(0)
        a = decay * a + (1 - decay) * w
        v = v - turns * 0.1 * level * POINTS.mean(0)
    for network, expected in ((model.forger, w), (model.ema_forger, a), (model.expert, v)):
        found = np.array(network.weights[0])[:, 0]
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_a_model_follows_its_schedules(jit_compile):
    """And the step is one number all through a step; the one that comes next has number 4."""
    model = forgery()
    assert float(model.at_step(model.level)) == 0 and steps_taken(model) == 0  # no optimizers yet
    model.compile(jit_compile=jit_compile)
    assert fit(model).history["level"] == pytest.approx(LEVELS)
    assert_by_hand(model)
    assert float(model.at_step(model.level)) == 4 and steps_taken(model) == STEPS


@pytest.mark.parametrize("settings", [{}, {"jit_compile": True}, {"run_eagerly": True}])
def test_logs_have_what_is_in_use(settings):
    """The decay of each step by itself, and no mean; once more after it is compiled again."""
    model = forgery()
    model.compile(**settings)
    assert fit(model).history["ema_decay"] == pytest.approx(DECAYS)
    model.compile(**settings)
    assert fit(model, 2).history["ema_decay"] == pytest.approx(DECAYS[:2])


def test_logs_have_the_last_of_an_epoch():
    model = forgery()
    dataset = tf.data.Dataset.from_tensors(POINTS).repeat()
    history = model.fit(dataset, steps_per_epoch=2, epochs=2, verbose=0).history
    assert history["ema_decay"] == pytest.approx(DECAYS[1::2])
    assert history["level"] == pytest.approx([1, 4])  # the class reports it itself: a mean


def test_numbers_are_in_no_logs():
    model = forgery(ema_decay=0.5)
    assert "ema_decay" not in fit(model, 1).history
    model.ema_decay = SCHEDULES["ema_decay"]
    model.compile()
    assert fit(model, 2).history["ema_decay"] == pytest.approx(DECAYS[:2])
    model.ema_decay = 0.5
    model.compile()
    assert "ema_decay" not in fit(model, 1).history


@pytest.mark.parametrize("settings", [{}, {"jit_compile": True}, {"run_eagerly": True}])
def test_a_number_is_warmed_up(settings):
    """Decays 1/10, 2/11, 3/12 and then the model's own 0.26, below 4/13; no weight moves here."""
    model = forgery(level=0.0, ema_decay=0.26)
    model.ema_forger.layers[0].kernel.assign(np.full((2, 1), 3.0))
    model.compile(**settings)
    fit(model)
    left = 1 / 10 * 2 / 11 * 3 / 12 * 0.26
    found = np.array(model.ema_forger.weights[0])
    np.testing.assert_allclose(found - 1, np.full((2, 1), 2 * left), rtol=1e-3)


def test_the_warm_up_goes_on_where_a_model_is_loaded(tmp_path):
    """It is counted by the optimizers, so that nothing new is saved."""
    model = forgery(level=0.0, ema_decay=0.9)
    fit(model)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    for each in (model, loaded):
        each.ema_forger.layers[0].kernel.assign(np.full((2, 1), 3.0))
        fit(each, 1)
        found = np.array(each.ema_forger.weights[0])
        np.testing.assert_allclose(found, np.full((2, 1), 1 + 2 * 5 / 14), rtol=1e-5)


def test_the_warm_up_does_not_begin_anew_with_other_optimizers():
    """What 4 updates had warmed up stays: the next one has 5/14, not 1/10."""
    model = forgery(level=0.0, ema_decay=0.9)
    model.compile()
    fit(model)
    model.compile()
    model.ema_forger.layers[0].kernel.assign(np.full((2, 1), 3.0))
    fit(model, 1)
    found = np.array(model.ema_forger.weights[0])
    np.testing.assert_allclose(found, np.full((2, 1), 1 + 2 * 5 / 14), rtol=1e-5)


def test_a_maker_that_moves_before_its_judge():
    model = forgery()
    model.turns = ("forger", "expert")
    model.compile(run_eagerly=True)
    assert fit(model).history["level"] == pytest.approx(LEVELS)
    assert_by_hand(model)


def test_two_steps_at_once():
    model = forgery()
    model.compile(steps_per_execution=2)
    model.fit(tf.data.Dataset.from_tensors(POINTS).repeat(), steps_per_epoch=STEPS, verbose=0)
    assert_by_hand(model)


def test_two_replicas_follow_as_one_device(two_replicas):
    with two_replicas.scope():
        model = forgery()
    history = fit(model).history
    assert_by_hand(model)
    assert history["level"] == pytest.approx(LEVELS)
    assert history["ema_decay"] == pytest.approx(DECAYS)


def test_a_saved_model_goes_on(tmp_path):
    model = forgery()
    fit(model, 1)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert harness.settings(loaded) == harness.settings(model)
    assert_by_hand(loaded, 1)
    fit(loaded, STEPS - 1)
    assert_by_hand(loaded)


@pytest.mark.filterwarnings("ignore:Resume. these data can't begin at a step")
def test_a_run_goes_on_from_a_checkpoint(tmp_path):
    """In another model, which has no step behind it."""
    resume = Resume(tmp_path, every_steps=1)
    fit(forgery(), 2, callbacks=[resume])
    restarted = forgery()
    fit(restarted, callbacks=[resume])
    assert_by_hand(restarted)


def test_no_update_overtakes_a_schedule():
    """The counts of updates are read before they move; see `harness.check_updates_wait`."""
    model = forgery()
    graphs = harness.optimized_graphs(lambda: fit(model, 1))
    accesses = [harness.unordered_accesses(graph) for graph in graphs]
    loose = [pair for pairs, _ in accesses for pair in pairs]
    assert not loose, loose
    assert sum(ordered for _, ordered in accesses) > 4


def mlp_pair():
    return build_mlp_generator((2,), 3, (8,), seed=1), build_mlp_discriminator((2,), (8,), seed=2)


def progan_pair():
    small = {"filters_base": 8, "filters_max": 2, "seed": 1}
    generator = build_progan_generator((4, 4, 1), latent_dim=3, **small)
    return generator, build_progan_discriminator((4, 4, 1), **small)


@pytest.mark.parametrize(
    ("kind", "networks", "names"),
    [
        (WGANGP, mlp_pair, ("gp_weight",)),
        (DRAGAN, mlp_pair, ("gp_weight",)),
        (R3GAN, mlp_pair, ("gp_weight",)),
        (ProGAN, progan_pair, ("gp_weight", "drift_weight")),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_weights_of_penalties(kind, networks, names):
    """A schedule that is 3 at the first step is the number 3 there."""
    states = []
    for value in (3.0, Linear(3.0, 9.0, 5)):
        model = kind(*networks(), **dict.fromkeys(names, value), seed=0)
        harness.compile_sgd(model, run_eagerly=True)
        reals = np.random.default_rng(0).uniform(-1, 1, (20, *model.generator.output_shape[1:]))
        logs = model.train_step(tf.constant(reals, "float32"))
        assert [float(logs[n]) for n in names if n in logs] == [3.0] * len(names) * bool(states)
        states.append(harness.state(model))
    harness.assert_close(*states, 1e-6)


@pytest.mark.parametrize("level", [3, 0.1, None])
def test_numbers_stay_what_they_are(level):
    assert forgery(level=level).at_step(level) is level


def test_a_config_has_schedules_as_keras_writes_them():
    """Of a class that knows nothing of it, too; what comes back is equal."""
    level, ema_decay = OfImages(Cosine(1.0, 2.0, 64), 4), PiecewiseConstantDecay([2], [0.5, 0.9])
    model = forgery(level=level, ema_decay=ema_decay)
    config = model.get_config()
    settings = json.loads(json.dumps(harness.settings(model)))
    assert settings["level"]["config"]["schedule"]["class_name"] == "Cosine"
    again = Forgery.from_config(json.loads(json.dumps(config)))
    assert harness.settings(again) == harness.settings(model)
    for step, expected in ((0, (1.0, 0.5)), (8, (1.5, 0.9)), (16, (2.0, 0.9))):
        found = again.level(step), again.ema_decay(step)
        assert [float(value) for value in found] == pytest.approx(expected)


def test_a_stage_hands_its_schedules_on():
    settings = {
        "gp_weight": Linear(0.0, 10.0, 5),
        "drift_weight": Linear(1e-3, 0.0, 5),
        "ema_decay": HalfLife(100, 4),
    }
    gan = ProGAN(*progan_pair(), **settings)
    grown = gan.grow(drift_weight=0.5)
    kept = {**harness.settings(gan), "drift_weight": 0.5}
    kept.pop("name")
    assert {name: harness.settings(grown)[name] for name in kept} == kept
    assert isinstance(grown.gp_weight, Linear) and isinstance(grown.ema_decay, HalfLife)


def test_schedules_in_the_card_and_in_the_settings_of_a_run():
    gan = WGANGP(*mlp_pair(), gp_weight=Linear(0.0, 4.0, 2), ema_decay=SCHEDULES["ema_decay"])
    card = json.loads(json.dumps(make_card(gan, {})))
    line = {"class": "Linear", "initial": 0, "final": 8, "total_steps": 8, "begin": 0}
    decay = {"class": "HalfLife", "half_life": line, "images_per_step": 4}
    weight = {**line, "final": 4, "total_steps": 2}
    assert card["ema_decay"] == decay
    assert card["settings"]["gp_weight"] == weight and card["settings"]["n_critic"] == 5
    rows = card_page(card).splitlines()
    line = "Linear(initial=0, final=8, total_steps=8, begin=0)"
    assert f"| averaged weights | decay HalfLife(half_life={line}, images_per_step=4) a step |" in (
        rows
    )
    assert "| `gp_weight` | Linear(initial=0.0, final=4.0, total_steps=2, begin=0) |" in rows
    facts = json.loads(json.dumps(facts_of_model(gan, info("ring"))))
    assert facts["ema_decay"]["class_name"] == "HalfLife"
    assert facts["ema_decay"]["config"]["half_life"]["config"]["final"] == 8


# What is refused


class Wrong(LearningRateSchedule):
    """Returns what it is told to, at every step."""

    def __init__(self, value):
        self.value = value

    def __call__(self, step):
        return self.value

    def get_config(self):
        return {"value": self.value}


class Unsaved(LearningRateSchedule):
    def __call__(self, step):
        return 0.5


@pytest.mark.parametrize(
    ("value", "match"),
    [
        (lambda step: 0.5, "number or a schedule, .*Received: <function"),
        (Wrong(float("nan")), "Received: nan, which Wrong is at step 0"),
        (Wrong(float("inf")), "Received: inf, which Wrong is at step 0"),
        (Linear(-0.5, 0.5, 9), "Received: -0.5, which Linear is at step 0"),
        (Wrong(np.ones(2)), r"scalars.*Received: a Wrong that is array\(\[1., 1.\]\) at step 0"),
        (Wrong("0.5"), "scalars.*Received: a Wrong"),
        (Wrong(None), "scalars.*Received: a Wrong"),
        (LearningRateSchedule(), "`__call__` and `get_config`. Received: a LearningRateSchedule"),
        (Unsaved(), "`__call__` and `get_config`. Received: a Unsaved"),
        ("0.5", "Received: '0.5'"),
        (-0.5, "Received: -0.5"),
    ],
)
@pytest.mark.parametrize("name", ["ema_decay", "gp_weight"])
def test_wrong_settings(name, value, match):
    with pytest.raises(ValueError, match=f"(?s)`{name}` must be .*{match}"):
        WGANGP(*mlp_pair(), **{name: value})


def test_a_decay_begins_below_1():
    with pytest.raises(ValueError, match=r"`ema_decay` must be None or in \(0, 1\).*1.0, which"):
        forgery(ema_decay=Linear(1, 0.9, 10))
    assert forgery(ema_decay=CosineDecay(0.9, 10)).ema_forger is not None


def test_whole_numbers_of_minibatches_have_no_schedule():
    with pytest.raises(ValueError, match="`n_critic` must be an integer"):
        WGANGP(*mlp_pair(), n_critic=Linear(5, 1, 10))
