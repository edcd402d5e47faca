"""What every model of the package must pass: `test_models.py` runs it for a `Case` of each."""

import contextlib
import dataclasses
from collections.abc import Callable

import keras
import numpy as np
import pytest
import tensorflow as tf

SHAPE = (16, 24, 3)  # a rectangle, to tell height from width
NUM_CLASSES = 3
BATCH = 8


@dataclasses.dataclass(frozen=True)
class Case:
    """A model to test.

    Attributes:
        name: the class's name.
        build: function of keyword arguments (`seed`, `ema_decay`) that returns a new model, always
            with the same initial weights.
        labelled: whether the data are pairs of pictures and labels.
        bad_arguments: pairs of constructor arguments that must fail and a word of the message.
    """

    name: str
    build: Callable
    labelled: bool = False
    bad_arguments: tuple = ()

    def arrays(self, model, steps):
        """Pictures (and labels) for some steps of a model."""
        rng = np.random.default_rng(7)
        num = BATCH * model.minibatches_per_step * steps
        reals = rng.uniform(-1, 1, (num, *SHAPE)).astype("float32")
        return (reals, rng.integers(0, NUM_CLASSES, num)) if self.labelled else (reals,)

    def dataset(self, model, steps):
        return tf.data.Dataset.from_tensor_slices(self.arrays(model, steps)).batch(BATCH)


def compile_sgd(model, rate=0.05, **kwargs):
    """SGD for all players: Adam divides by the gradient's size and so hides a wrong scale."""
    optimizers = {f"{player}_optimizer": keras.optimizers.SGD(rate) for player in model.players}
    model.compile(**optimizers, **kwargs)
    return model


def weights(model):
    return {f"{i}:{v.path}": np.array(v) for i, v in enumerate(model.variables)}


def state(model):
    """All that training depends on: weights, averages, random state, optimizers."""
    optimizers = [v for player in model.players for v in model.optimizer_of(player).variables]
    return [np.array(v) for v in [*model.variables, *optimizers]]


def settings(model):
    """The constructor's arguments other than networks."""
    return {k: v for k, v in model.get_config().items() if k not in model.network_names}


def assert_close(actual, expected, tolerance):
    assert len(actual) == len(expected)
    for a, b in zip(actual, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=tolerance)


def train(model, case, steps, **kwargs):
    return model.fit(case.dataset(model, steps), verbose=0, steps_per_epoch=steps, **kwargs)


def check_players_move_alone(case):
    """In each `update` the named players' weights move, and nobody else's."""
    model = compile_sgd(case.build(), run_eagerly=True)
    update, seen = model.update, []

    def trainable():
        return {p: [np.array(v) for v in model.player_variables(p)] for p in model.players}

    @contextlib.contextmanager
    def watched(*players):
        before = trainable()
        with update(*players) as losses:
            yield losses
        after = trainable()
        for player in model.players:
            moved = any((a != b).any() for a, b in zip(before[player], after[player], strict=True))
            assert moved == (player in players), f"{player} in update{players}"
        seen.extend(players)

    model.update = watched
    data = case.arrays(model, 1)
    logs = model.train_step(tuple(tf.constant(array) for array in data))
    assert set(seen) == set(model.players)
    names = {f"{player}_loss" for player in model.players} | set(model.reported)
    assert set(logs) == names
    assert all(np.isfinite(float(value)) for value in logs.values())


def check_round_trip(case, path):
    """A saved model goes on as the one that was never saved, with the paper's optimizers."""
    model = case.build(ema_decay=0.9)
    train(model, case, 2)
    model.save(path)
    loaded = keras.models.load_model(path)
    assert type(loaded) is type(model)
    assert settings(loaded) == settings(model)
    assert_close(state(loaded), state(model), 0)
    np.testing.assert_array_equal(loaded.generate(5, seed=1), model.generate(5, seed=1))
    for either in (model, loaded):
        train(either, case, 2)
    assert_close(state(loaded), state(model), 1e-6)


def check_replicas_agree(case, strategy):
    """One device and two replicas end with the same weights, given the same global batch."""
    one = compile_sgd(case.build(ema_decay=0.9))
    train(one, case, 5)
    with strategy.scope():
        two = compile_sgd(case.build(ema_decay=0.9))
    train(two, case, 5)
    assert_close(state(two), state(one), 1e-5)


def check_paper_optimizers_on_replicas(case, strategy):
    with strategy.scope():
        model = case.build()
    history = train(model, case, 1).history
    assert all(np.isfinite(values).all() for values in history.values())


def check_eager_is_graph(case):
    graph, eager = compile_sgd(case.build()), compile_sgd(case.build(), run_eagerly=True)
    for model in (graph, eager):
        train(model, case, 2)
    assert_close(state(eager), state(graph), 1e-5)


def check_seeds(case):
    """One seed gives one run and one set of samples; another gives others."""
    runs = [case.build(seed=seed) for seed in (1, 1, 2)]
    for model in runs:
        compile_sgd(model)
        train(model, case, 1)
    assert_close(state(runs[0]), state(runs[1]), 0)
    assert any((a != b).any() for a, b in zip(state(runs[0]), state(runs[2]), strict=True))
    model = runs[0]
    np.testing.assert_array_equal(model.generate(70, seed=3), model.generate(70, seed=3))
    same, other = (model(model.generator_inputs(4, seed)) for seed in (3, 4))
    assert np.abs(same - other).max() > 0


def check_generate(case):
    model = case.build()
    pictures = model.generate(5, seed=0)
    assert pictures.dtype == np.uint8
    assert pictures.shape == (5, *SHAPE)
    for num in (0, -1, 2.5, True, None):
        with pytest.raises(ValueError, match="num"):
            model.generate(num)
    with pytest.raises(ValueError, match="seed"):
        model.generate(1, seed=-1)


def check_bad_data(case):
    """Each kind of wrong data is refused, with its reason, before a weight moves."""
    model = compile_sgd(case.build())
    good = case.arrays(model, 1)
    before = state(model)

    def refuse(match, *arrays, error=ValueError):
        dataset = tf.data.Dataset.from_tensor_slices(arrays).batch(BATCH)
        with pytest.raises(error, match=match):
            model.fit(dataset, verbose=0)

    def with_reals(reals):
        return (reals, *good[1:])

    reals = good[0]
    nan = reals.copy()
    nan[3, 0, 0, 0] = np.nan
    refuse(r"\[0, 255\]", *with_reals((reals + 1) * 127.5))
    refuse("uint8", *with_reals(((reals + 1) * 127.5).astype("uint8")))
    refuse(r"\[0, 1\]", *with_reals((reals + 1) / 2))
    refuse("finite", *with_reals(nan))
    refuse("shape", *with_reals(reals[..., :1]))
    refuse("shape", *with_reals(reals[:, :4]))
    refuse("empty", *[array[:0] for array in good])
    if model.minibatches_per_step > 1:
        refuse("minibatches", *[array[:BATCH] for array in good])
    with pytest.raises(ValueError, match="batch"):
        model.fit(tf.data.Dataset.from_tensor_slices(good), verbose=0)
    with pytest.raises(TypeError, match="Dataset"):
        model.fit("pictures", verbose=0)
    if case.labelled:
        labels = good[1]
        refuse("labels", reals)
        refuse(rf"\[0, {NUM_CLASSES}\)", reals, labels + NUM_CLASSES)
        refuse("integers", reals, labels.astype("float32"))
        refuse("integers", reals, np.eye(NUM_CLASSES, dtype="int32")[labels])
    assert_close(state(model), before, 0)


def check_bad_arguments(case):
    for arguments, match in (
        ({"ema_decay": 1.0}, "ema_decay"),
        ({"seed": 0.5}, "seed"),
        *case.bad_arguments,
    ):
        with pytest.raises(ValueError, match=match):
            case.build(**arguments)
    model = case.build()
    with pytest.raises(ValueError, match="netG_optimizer"):
        model.compile(netG_optimizer="adam")
    player = next(iter(model.players))
    with pytest.raises(ValueError, match=f"{player}_optimizer"):
        model.compile(**{f"{player}_optimizer": "no such optimizer"})
    shared = keras.optimizers.SGD(0.1)
    with pytest.raises(ValueError, match="of its own"):
        model.compile(**{f"{player}_optimizer": shared for player in model.players})
