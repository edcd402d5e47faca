"""What every model of the package must pass: `test_models.py` runs it for all `cases.CASES`.

A paper's test file in `tests/models` lists its own `Case` or two as `CASES`.
"""

import collections
import contextlib
import dataclasses
import json
from collections.abc import Callable

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import tree
from tensorflow.python.eager import context

from keras_gans import export
from keras_gans.export.signatures import networks_of
from keras_gans.training.kinds import Pictures

SHAPE = (16, 24, 3)  # a rectangle, to tell height from width
NUM_CLASSES = 3
BATCH = 8


def generated(model, num, seed):
    return model.generate(num, seed=seed)


def drawn_inputs(model, num, seed):
    return model.generator_inputs(num, seed)


def pictures_of_seed(model, num, seed):
    """What a model that makes pictures out of pictures is given in place of latents."""
    return np.random.default_rng(seed).uniform(-1, 1, (num, *SHAPE)).astype("float32")


def translations(model, num, seed):
    return model.translate(pictures_of_seed(model, num, seed))


TRANSLATES = {"sample": translations, "inputs": pictures_of_seed}  # of such a model's `Case`


@dataclasses.dataclass(frozen=True)
class Case:
    """A model to test.

    Attributes:
        name: the class's name.
        build: function of keyword arguments (`seed`, `ema_decay`) that returns a new model, always
            with the same initial weights.
        labelled: whether the data are pairs of pictures and labels.
        bad_arguments: pairs of constructor arguments that must fail and a word of the message.
        rate: SGD's, low enough for rounding errors not to grow manifold in a step.
        sample: function (model, num, seed) that returns uint8 pictures (num, *SHAPE).
        inputs: function (model, num, seed) that returns what the model is called with for them.
        shapes: shapes of the pictures of its data, a part each, where not all have SHAPE.
    """

    name: str
    build: Callable
    labelled: bool = False
    bad_arguments: tuple = ()
    rate: float = 0.05
    sample: Callable = generated
    inputs: Callable = drawn_inputs
    shapes: tuple = ()

    def arrays(self, model, steps):
        """Pictures, as many parts as the model takes (and labels), for some steps of it."""
        rng = np.random.default_rng(7)
        num = BATCH * model.minibatches_per_step * steps
        parts = [part for part in model.data_spec() if isinstance(part, Pictures)]
        shapes = self.shapes or [SHAPE] * len(parts)
        reals = [rng.uniform(-1, 1, (num, *shape)).astype("float32") for shape in shapes]
        return (*reals, rng.integers(0, NUM_CLASSES, num)) if self.labelled else tuple(reals)

    def dataset(self, model, steps):
        return tf.data.Dataset.from_tensor_slices(self.arrays(model, steps)).batch(BATCH)


@dataclasses.dataclass(frozen=True)
class Roles:
    """What a class declares of its players and of what they report, as the paper has it.

    Attributes:
        judges, makers: players.
        contests, penalties, loss_terms: see `AdversarialModel`.
        information: what is reported beside them.
    """

    judges: tuple = ("discriminator",)
    makers: tuple = ("generator",)
    contests: dict = dataclasses.field(default_factory=dict)
    penalties: dict = dataclasses.field(default_factory=dict)
    loss_terms: tuple = ()
    information: tuple = ()


LOGITS = {"discriminator_loss": "generator_loss"}  # a discriminator of logits, and its generator


def case(model_class, networks, labelled=False, bad_arguments=(), rate=0.05, **defaults):
    """The `Case` of a model class.

    Args:
        networks: function that returns the constructor's networks, in its order.
        labelled, bad_arguments, rate: see `Case`.
        **defaults: further arguments of the constructor.
    """

    def build(seed=5, **kwargs):
        return model_class(*networks(), seed=seed, **{**defaults, **kwargs})

    return Case(model_class.__name__, build, labelled, bad_arguments, rate)


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
    """The constructor's arguments other than networks, as a file has them: tuples are lists."""
    known = {k: v for k, v in model.get_config().items() if k not in model.network_names}
    return json.loads(json.dumps(known))


def optimizer_settings(model):
    """The settings of each player's optimizer, where nothing is given to `compile`."""
    model.compile()
    return {player: model.optimizer_of(player).get_config() for player in model.players}


def assert_close(actual, expected, tolerance):
    assert len(actual) == len(expected)
    for a, b in zip(actual, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=tolerance)


def train(model, case, steps, **kwargs):
    return model.fit(case.dataset(model, steps), verbose=0, steps_per_epoch=steps, **kwargs)


def check_players_move_alone(case):
    """In each `update` something moves of every named player, and nothing that is none of theirs.

    Several players may train one network, and an update may be inside another one's block.
    """
    model = compile_sgd(case.build(), case.rate, run_eagerly=True)
    update, seen = model.update, []
    variables = {player: model.player_variables(player) for player in model.players}

    def trainable():
        return {id(v): np.array(v) for own in variables.values() for v in own}

    @contextlib.contextmanager
    def watched(*players):
        with update(*players) as losses:
            yield losses
            before = trainable()  # after what an update inside of this one has moved
        moved = {key for key, value in trainable().items() if (value != before[key]).any()}
        for player in players:
            own = {id(v) for v in variables[player]}
            assert moved & own, f"nothing of {player} in update{players}"
        assert moved <= {id(v) for player in players for v in variables[player]}, (
            f"more than {players} in update{players}"
        )
        seen.extend(players)

    model.update = watched
    data = case.arrays(model, 1)
    logs = model.train_step(tuple(tf.constant(array) for array in data))
    assert set(seen) == set(model.players)
    names = {f"{player}_loss" for player in model.players} | set(model.reported)
    assert set(logs) == names
    assert all(np.isfinite(float(value)) for value in logs.values())


def check_round_trip(case, path):
    """A saved model goes on as the one that was never saved, with the paper's optimizers.

    In eager steps, of which a few take less time than tracing; `check_graph_is_eager` holds them
    against graphs.
    """
    model = case.build(ema_decay=0.9)
    model.compile(run_eagerly=True)
    train(model, case, 2)
    model.save(path)
    loaded = keras.models.load_model(path)
    loaded.run_eagerly = True  # how steps run is no part of a saved model
    assert type(loaded) is type(model)
    assert settings(loaded) == settings(model)
    assert_close(state(loaded), state(model), 0)
    np.testing.assert_array_equal(case.sample(loaded, 5, 1), case.sample(model, 5, 1))
    for either in (model, loaded):
        train(either, case, 1)
    assert_close(state(loaded), state(model), 0)


def optimized_graphs(run):
    """The graphs that TensorFlow executes, as its optimizer leaves them, while `run()` runs."""
    context.context().enable_run_metadata()
    try:
        run()
        metadata = context.context().export_run_metadata()
    finally:
        context.context().disable_run_metadata()
    return [graph for traced in metadata.function_graphs for graph in traced.partition_graphs]


def unordered_accesses(graph):
    """Pairs of operations on one variable, of which one writes, that may run in either order.

    Returns:
        The pairs' names, and how many pairs there are that may not.
    """
    nodes = {node.name: node for node in graph.node}
    inputs = {node.name: [i.lstrip("^").split(":")[0] for i in node.input] for node in graph.node}
    touching = collections.defaultdict(list)
    for node in graph.node:
        if node.op in ("ReadVariableOp", "ResourceGather") or "Assign" in node.op:
            variable = inputs[node.name][0]
            while nodes[variable].op == "Identity":
                variable = inputs[variable][0]
            touching[variable].append(node.name)

    def all_before(name):
        before, rest = set(), [name]
        while rest:
            new = set(inputs[rest.pop()]) - before
            before |= new
            rest.extend(new)
        return before

    before = {name: all_before(name) for names in touching.values() for name in names}
    pairs = [
        (write, other)
        for names in touching.values()
        for write in names
        for other in names
        if "Assign" in nodes[write].op and other != write
    ]
    loose = [(a, b) for a, b in pairs if a not in before[b] and b not in before[a]]
    return loose, len(pairs) - len(loose)


def check_updates_wait(case):
    """No weight moves while a gradient that reads it is still computed.

    Seen in the graph: in training it is once in some thousand steps.
    """
    model = case.build(ema_decay=0.9)
    graphs = optimized_graphs(lambda: train(model, case, 1))
    accesses = [unordered_accesses(graph) for graph in graphs]
    loose = [pair for pairs, _ in accesses for pair in pairs]
    assert not loose, f"{case.name}: {len(loose)} pairs, such as {loose[0]}"
    assert sum(ordered for _, ordered in accesses) > len(model.trainable_variables)


def ended(case, **kwargs):
    """The state after three steps, given the same batches."""
    model = compile_sgd(case.build(ema_decay=0.9), case.rate, **kwargs)
    train(model, case, 3)
    return state(model)


def check_graph_is_eager(case):
    assert_close(ended(case), ended(case, run_eagerly=True), 1e-5)


def check_replicas_are_one_device(case, strategy):
    """Eager steps are the device's, as they take less time than tracing."""
    with strategy.scope():
        replicas = ended(case)
    assert_close(replicas, ended(case, run_eagerly=True), 1e-5)


def check_paper_optimizers_on_replicas(case, strategy):
    with strategy.scope():
        model = case.build()
    history = train(model, case, 1).history
    assert all(np.isfinite(values).all() for values in history.values())


def check_seeds(case):
    """One seed gives one run and one set of samples; another gives others."""
    runs = [case.build(seed=1), case.build(seed=1)]
    for model in runs:
        compile_sgd(model, case.rate)
        train(model, case, 1)
    assert_close(state(runs[0]), state(runs[1]), 0)
    pictures = np.zeros((4, *SHAPE), "float32")
    same, other = (case.build(seed=seed).random_uniform(pictures, (8,)) for seed in (1, 2))
    assert np.abs(same - other).max() > 0
    model = runs[0]
    np.testing.assert_array_equal(case.sample(model, 70, 3), case.sample(model, 70, 3))
    made = [tree.flatten(model(case.inputs(model, 4, seed))) for seed in (3, 4)]
    assert all(np.abs(same - other).max() > 0 for same, other in zip(*made, strict=True))


def check_generate(case):
    model = case.build()
    pictures = case.sample(model, 5, 0)
    assert pictures.dtype == np.uint8
    assert pictures.shape == (5, *SHAPE)
    if model.latent_prior is None:  # pictures are made out of pictures
        with pytest.raises(ValueError, match="use `translate"):
            model.generate(5, seed=0)
        return
    for num in (0, -1, 2.5, True, None):
        with pytest.raises(ValueError, match="num"):
            model.generate(num)
    with pytest.raises(ValueError, match="seed"):
        model.generate(1, seed=-1)


def check_bad_data(case):
    """Each kind of wrong data is refused, with its reason, before a weight moves."""
    model = compile_sgd(case.build(), case.rate)
    good = case.arrays(model, 1)
    before = state(model)

    def refuse(match, *arrays, error=ValueError):
        dataset = tf.data.Dataset.from_tensor_slices(arrays).batch(BATCH)
        with pytest.raises(error, match=match):
            model.fit(dataset, verbose=0)

    for k, part in enumerate(model.data_spec()):
        if not isinstance(part, Pictures):
            continue
        reals = good[k]
        nan = reals.copy()
        nan[3, 0, 0, 0] = np.nan
        for match, bad in (
            (r"\[0, 255\]", (reals + 1) * 127.5),
            ("uint8", ((reals + 1) * 127.5).astype("uint8")),
            (r"\[0, 1\]", (reals + 1) / 2),
            ("finite", nan),
            ("shape", reals[..., :1]),
            ("shape", reals[:, :4]),
        ):
            refuse(f"(?s)`{part.name}`.*{match}", *good[:k], bad, *good[k + 1 :])
    if len(good) > 1:
        refuse(model.data_spec()[-1].name, *good[:-1])
    refuse("empty", *[array[:0] for array in good])
    if model.minibatches_per_step > 1:
        refuse("minibatches", *[array[:BATCH] for array in good])
    with pytest.raises(ValueError, match="batch"):
        model.fit(tf.data.Dataset.from_tensor_slices(good), verbose=0)
    with pytest.raises(TypeError, match="Dataset"):
        model.fit("pictures", verbose=0)
    if case.labelled:
        *reals, labels = good
        refuse(rf"\[0, {NUM_CLASSES}\)", *reals, labels + NUM_CLASSES)
        refuse("integers", *reals, labels.astype("float32"))
        refuse("integers", *reals, np.eye(NUM_CLASSES, dtype="int32")[labels])
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
    if len(model.players) > 1:
        shared = keras.optimizers.SGD(0.1)
        with pytest.raises(ValueError, match="of its own"):
            model.compile(**{f"{player}_optimizer": shared for player in model.players})


def check_export(case, directory):
    """The SavedModel makes the same pixels; the TFLite file is held against Keras as it is made."""
    model = case.build(ema_decay=0.5)
    path = export.savedmodel(model, directory / "served", allow_untrained=True, verbose=False)
    served = tf.saved_model.load(str(path)).signatures
    if model.latent_prior is None:
        pictures = np.random.default_rng(3).integers(0, 256, (4, *SHAPE)).astype("uint8")
        made, expected = served["serving_default"](images=pictures), model.translate(pictures)
    else:
        given = {"num_images": tf.constant(4, tf.int64), "seed": tf.constant(3, tf.int64)}
        if model.num_classes is not None:
            given["labels"] = tf.range(model.num_classes, dtype=tf.int64)
        made, expected = served["generate"](**given), case.sample(model, 4, 3)
    np.testing.assert_array_equal(made["images"], expected)
    for file, png in zip(expected, made["image_bytes"].numpy(), strict=True):
        np.testing.assert_array_equal(tf.io.decode_png(png), file)
    for name, port in model.ports().items():
        if name != "generate":  # "encode" and what else there is, with its answer at the border
            given = [kind.examples(3) for kind in port.inputs]
            specs = zip(port.inputs, given, strict=True)
            given_there = {k.name: tf.cast(v, k.served_spec().dtype) for k, v in specs}
            made = served[name](**given_there)
            made, expected = made[port.output.output_name], model.ask(name, *given)
            np.testing.assert_allclose(made, expected, rtol=1e-5, atol=1e-6)
    for direction in networks_of(model):
        file = directory / f"model_{direction}.tflite"
        written = export.tflite(
            model, file, direction=direction or None, allow_untrained=True, verbose=False
        )
        assert written.max_error < 1e-4 and file.stat().st_size == written.bytes
