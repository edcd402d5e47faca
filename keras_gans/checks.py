"""Checks of arguments: each error names the argument, the rule and what was received."""

import inspect
import numbers
import os
import warnings

import keras
import tensorflow as tf
from keras import ops, tree
from keras.optimizers.schedules import LearningRateSchedule

from keras_gans.catalogue import SETS
from keras_gans.devices.precision import with_loss_scaling
from keras_gans.devices.randomness import PRIORS


def brief(value, length=120):
    """What was received, for an error: `repr`, or of arrays the type and shape, and no more."""
    if hasattr(value, "shape") and hasattr(value, "dtype") and value.shape != ():
        return f"{value.dtype} of shape {tuple(value.shape)}"
    text = " ".join(repr(value).split())
    return text if len(text) <= length else f"{text[:length]}..."


def check_int(name, value, low, high=None):
    """Returns `value` as an int, or raises ValueError unless it is an integer in [low, high]."""
    is_integer = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if not is_integer or value < low or (high is not None and value > high):
        rule = f"of at least {low}" if high is None else f"in [{low}, {high}]"
        raise ValueError(f"`{name}` must be an integer {rule}. Received: {brief(value)}")
    return int(value)


def check_count(name, value):
    """Returns `value` as an int, or raises ValueError unless it is an integer of at least 1."""
    return check_int(name, value, 1)


def check_counts(name, value, low=1):
    """Returns a tuple of ints, of an integer or a sequence of them; ValueError for others.

    Each must be at least `low`.
    """
    if not isinstance(value, tuple | list):
        return (check_int(name, value, low),)
    if not value:
        raise ValueError(f"`{name}` must be integers of at least {low}. Received: {brief(value)}")
    return tuple(check_int(name, each, low) for each in value)


def check_positive(name, value):
    """Returns `value`, or raises ValueError unless it is a finite number above 0."""
    is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not is_number or not 0 < value < float("inf"):
        raise ValueError(f"`{name}` must be a positive number. Received: {brief(value)}")
    return value


def check_number(name, value):
    """Returns `value`, or raises ValueError unless it is a finite number."""
    is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not is_number or not float("-inf") < value < float("inf"):
        raise ValueError(f"`{name}` must be a number. Received: {brief(value)}")
    return value


def check_path(name, value):
    """Returns a path as str, or says which argument is none."""
    if not isinstance(value, (str, os.PathLike)) or not os.fspath(value):
        raise ValueError(f"`{name}` must be a path that is not empty. Received: {brief(value)}")
    return os.fspath(value)


def check_flag(name, value):
    """Returns `value`, or raises ValueError unless it is True or False."""
    if not isinstance(value, bool):
        raise ValueError(f"`{name}` must be True or False. Received: {brief(value)}")
    return value


def check_not_negative(name, value):
    """Returns `value`, or raises ValueError unless it is a finite number of at least 0."""
    is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not is_number or not 0 <= value < float("inf"):
        raise ValueError(f"`{name}` must be a number of at least 0. Received: {brief(value)}")
    return value


def check_seed(seed):
    """Returns `seed`, or raises ValueError unless it is None or fits in 63 bits."""
    if seed is not None and (
        isinstance(seed, bool) or not isinstance(seed, numbers.Integral) or not 0 <= seed < 2**63
    ):
        raise ValueError(f"`seed` must be None or an integer in [0, 2^63). Received: {brief(seed)}")
    return seed


def check_scheduled(name, value, check):
    """Returns a number that `check(name, value)` lets through, or a schedule that begins with one.

    A schedule may also begin with 0, as a warm-up does. Its later values are not looked at.

    Args:
        name: the argument's.
        value: number, or `keras.optimizers.schedules.LearningRateSchedule`.
        check: function such as `check_positive`.

    Raises:
        ValueError: it is neither, or the schedule begins with no such number or can't be saved.
    """
    if not isinstance(value, LearningRateSchedule):
        if callable(value):
            raise ValueError(
                f"`{name}` must be a number or a schedule, that is an object of a class derived "
                "from keras.optimizers.schedules.LearningRateSchedule, with which it is saved. "
                f"Received: {brief(value)}"
            )
        return check(name, value)
    kind = type(value).__name__
    try:
        value.get_config()
        first = ops.convert_to_numpy(value(ops.zeros((), "int64")))
    except NotImplementedError as error:
        raise ValueError(
            f"`{name}` must be a schedule with the methods `__call__` and `get_config`. "
            f"Received: a {kind} without ({error})"
        ) from None
    if first.shape or first.dtype.kind not in "iuf":
        raise ValueError(
            f"`{name}` must be a schedule of numbers, scalars. "
            f"Received: a {kind} that is {first!r} at step 0"
        )
    if first != 0:
        try:
            check(name, first.item())
        except ValueError as error:
            raise ValueError(f"{error}, which {kind} is at step 0") from None
    return value


def check_ema_decay(ema_decay):
    """Raises ValueError unless `ema_decay` is None, in (0, 1), or a schedule of such numbers."""

    def check(name, value):
        if not isinstance(value, numbers.Real) or not 0 < float(value) < 1:
            raise ValueError(f"`{name}` must be None or in (0, 1). Received: {brief(value)}")

    if ema_decay is not None:
        check_scheduled("ema_decay", ema_decay, check)


def check_prior(name, value):
    """Returns `value`, or raises ValueError unless it is one of the priors of latents."""
    if not isinstance(value, str) or value not in PRIORS:
        raise ValueError(
            f"`{name}` must be None or one of {list(PRIORS)}. Received: {brief(value)}"
        )
    return value


def check_sample_shape(name, shape):
    """Returns a tuple of int, or raises ValueError unless `shape` is the shape of one sample."""
    lengths = shape if isinstance(shape, tuple | list) else ()
    whole = [isinstance(n, numbers.Integral) and not isinstance(n, bool) for n in lengths]
    if not whole or not all(whole) or min(lengths) < 1:
        raise ValueError(
            f"`{name}` must be the shape of one sample, integers of at least 1: (H, W, C) of "
            f"pictures or (d,) of points. Received: {brief(shape)}"
        )
    return tuple(int(n) for n in lengths)


def resolve_paper(model_class, shape, num_classes, latent_dim):
    """The pair (shape, num_classes) of a model that `from_paper` builds.

    Where no shape is given they are those of the recipe's data, if these are known unread.

    Raises:
        ValueError: the class has no paper, or an argument is missing or does not fit the class.
    """
    name, paper, recipe = model_class.__name__, model_class.paper, model_class.recipe
    if paper is None or recipe is None:
        raise ValueError(
            f"{name} must have a `paper` and a `recipe` for `from_paper`; without, it is built "
            f"from networks. Received: paper={paper!r}, recipe={recipe!r}"
        )
    for argument, value, takes, reason in (
        ("num_classes", num_classes, recipe.has_classes, "is not conditional"),
        ("latent_dim", latent_dim, recipe.latent_dim is not None, "has no latents"),
    ):
        if value is not None and not takes:
            raise ValueError(
                f"`{argument}` must be None: {name} {reason}. Received: {brief(value)}"
            )
    if shape is None:
        info = SETS.get(recipe.dataset)
        if info is None:
            raise ValueError(
                f"`shape` must be given: that of '{recipe.dataset}', which {name} is trained on, "
                "is not known before it is read. Received: None"
            )
        shape = info.shape
        if recipe.needs_classes and num_classes is None:
            num_classes = info.num_classes
    if recipe.needs_classes and num_classes is None:
        reason = "is conditional" if recipe.labelled else "learns classes"
        raise ValueError(f"`num_classes` must be given: {name} {reason}. Received: None")
    if num_classes is not None:
        check_count("num_classes", num_classes)
    return check_sample_shape("shape", shape), num_classes


def takes(model_class, name):
    """Whether the constructor of a class takes an argument."""
    return name in inspect.signature(model_class.__init__).parameters


def network_settings(model_class):
    """The names of what a class's `default_networks` takes beside what every one does."""
    common = ("shape", "num_classes", "latent_dim", "seed")
    takes = inspect.signature(model_class.default_networks).parameters
    return [name for name in takes if name not in common]


def check_member(what, name, known):
    """Raises ValueError unless `name` is one of `known`."""
    if name not in known:
        raise ValueError(f"`{what}` takes the names {sorted(known)}. Received: {name!r}")


def check_roles(model):
    """Raises ValueError unless what a class declares beside `players` and `reported` is in them.

    That is `judges`, `makers`, `contests`, `penalties` and `loss_terms` of `AdversarialModel`.
    """

    def refuse(attribute, rule, received):
        owner = type(model).__name__
        raise ValueError(f"`{attribute}` of {owner} must {rule}. Received: {received!r}")

    def losses_of(players):
        return [*(f"{player}_loss" for player in players), *model.loss_terms] if players else []

    for attribute in ("judges", "makers", "loss_terms"):
        if not isinstance(getattr(model, attribute), (tuple, list)):
            refuse(attribute, "be a tuple of names", getattr(model, attribute))
    for attribute in ("contests", "penalties"):
        if not isinstance(getattr(model, attribute), dict):
            refuse(attribute, "be a dictionary", getattr(model, attribute))
    no_penalties = [name for name in model.reported if name not in model.penalties]
    contests, penalties = model.contests, model.penalties
    of_judges, of_makers = losses_of(model.judges), losses_of(model.makers)
    for attribute, rule, names, known in (
        ("judges", "be among `players`", model.judges, model.players),
        ("makers", "be among `players`", model.makers, model.players),
        ("penalties", "have names in `reported` as keys", penalties, model.reported),
        ("penalties", "have `players` as values", penalties.values(), model.players),
        ("loss_terms", "be in `reported` and no `penalties`", model.loss_terms, no_penalties),
        ("contests", "have losses of `judges` as keys", contests, of_judges),
        ("contests", "have losses of `makers` as values", contests.values(), of_makers),
    ):
        for name in names:
            if name not in known:
                refuse(attribute, f"{rule}, {sorted(known)}", name)


# Keras's layers whose variance takes its mean for a constant; `layers._moments` says more.
WITHOUT_SECOND_DERIVATIVES = (
    keras.layers.BatchNormalization,
    keras.layers.GroupNormalization,
    keras.layers.LayerNormalization,
)


def warn_of_second_derivatives(model):
    """Warns where a gradient penalty goes through normalization layers of Keras's own."""
    networks = {net for player in model.penalties.values() for net in model.players[player]}
    for name in sorted(networks):
        found = {
            type(layer).__name__
            for network in tree.flatten(getattr(model, name))
            for layer in _all_layers(network)
            if type(layer) in WITHOUT_SECOND_DERIVATIVES
        }
        for layer in sorted(found):
            warnings.warn(
                f"`{name}` should have `keras_gans.layers.{layer}`: the second derivatives of "
                "Keras's are wrong, and with them the gradient of "
                f"{', '.join(sorted(model.penalties))} (docs/penalties.md). "
                f"Received: `keras.layers.{layer}`",
                stacklevel=4,
            )


def _all_layers(layer):
    """A layer, and those inside of models and wrappers."""
    inner = getattr(layer, "layers", None) or [getattr(layer, "layer", None)]
    return [layer, *(part for one in inner if one is not None for part in _all_layers(one))]


def check_class(argument, value, model, wanted):
    """Returns `model`, or raises ValueError where what an argument names is of another class."""
    if not isinstance(model, wanted):
        raise ValueError(
            f"`{argument}` must name a {wanted.__name__}. "
            f"Received: {brief(value)}, which is a {type(model).__name__}"
        )
    return model


def check_networks(networks):
    """Raises ValueError unless each network (or each of a list) is a built `keras.Model`."""
    for name, network in networks.items():
        for part in tree.flatten(network):
            if not isinstance(part, keras.Model) or not part.built or not part.inputs:
                raise ValueError(
                    f"`{name}` must be a built keras.Model with known inputs: a functional model, "
                    f"or a Sequential that begins with keras.Input. Received: {part!r}"
                )


def check_scope(networks):
    """Raises ValueError unless all networks were built in the strategy's scope that is open now."""
    strategy = tf.distribute.get_strategy()
    for name, network in networks.items():
        for weight in (w for part in tree.flatten(network) for w in part.weights):
            apart = isinstance(weight.value, tf.distribute.DistributedValues)
            if tf.distribute.has_strategy():
                apart = not strategy.extended.variable_created_in_scope(weight.value)
            if apart:
                kind = type(strategy).__name__ if tf.distribute.has_strategy() else "none"
                raise ValueError(
                    f"`{name}` must be built inside of the scope that the model is made in, as "
                    "its weights live on the strategy's devices: `with strategy.scope():` first, "
                    "and in it the networks and then the model. "
                    f"Received: a network of another scope, in that of {kind}"
                )


def check_fits(name, network, generator, maker="generator"):
    """Raises ValueError unless `network` takes samples of the shape that `generator` makes.

    `name` and `maker` are what errors call the two.
    """
    taken, made = tuple(network.inputs[0].shape[1:]), tuple(generator.output_shape[1:])
    if len(taken) != len(made) or any(
        t is not None and m is not None and t != m for t, m in zip(taken, made, strict=True)
    ):
        raise ValueError(
            f"`{name}` must take samples of the shape that `{maker}` makes, {made}. "
            f"Received: a {name} for samples of shape {taken}"
        )


def check_conditional(name, network, num_classes):
    """Raises ValueError unless `network` has the inputs [latents or samples, labels (batch,)]."""
    check_count("num_classes", num_classes)
    check_networks({name: network})
    shapes = [tuple(tensor.shape[1:]) for tensor in network.inputs]
    if len(shapes) != 2 or shapes[1] not in ((), (1,)):
        raise ValueError(
            f"`{name}` must have two inputs, the second one integer labels of shape (batch,). "
            f"Received: inputs of shapes {shapes}"
        )


def encoded_classes(generator):
    """The numbers of classes that a generator's layers encode labels for, a list in their order."""
    counts = (
        getattr(operation, "num_classes", None) or getattr(operation, "input_dim", None)
        for operation in generator.operations
    )
    return [count for count in counts if isinstance(count, int)]


def infer_num_classes(generator):
    """The number of classes that a conditional generator encodes, read off its layers.

    Raises:
        ValueError: no layer tells it, or several tell different numbers.
    """
    check_networks({"generator": generator})
    found = set(encoded_classes(generator))
    if len(found) != 1:
        raise ValueError(
            "`num_classes` must be given, since it can't be read off the generator. "
            f"Received: None, and layers for {sorted(found)} classes"
        )
    return found.pop()


def check_unconditional(model, labels):
    """Raises ValueError where labels are given to a model that takes none."""
    if labels is not None:
        raise ValueError(
            f"`labels` must be None: {type(model).__name__} is not conditional. "
            f"Received: labels={brief(labels)}"
        )


def check_divisible(size, n, model_name):
    """Raises ValueError unless `n` minibatches can be taken from `size` examples."""
    if size is not None and (size < n or size % n):
        raise ValueError(
            f"A step of {model_name} takes {n} minibatches, so the batch size of its data must be "
            f"a multiple of {n} (`fit` gathers them from a dataset of single minibatches). "
            f"Received: {size} examples on each replica"
        )


def check_losses(losses, players):
    """Raises ValueError unless there is one scalar loss for each of `players`, and no other."""
    if set(losses) != set(players):
        raise ValueError(
            f"update{players!r} needs one loss for each of its players. "
            f"Received: losses for {sorted(losses)}"
        )
    for player, loss in losses.items():
        if len(loss.shape) != 0:
            raise ValueError(
                f"The loss of `{player}` must be a scalar, the mean over this replica's examples. "
                f"Received: shape {tuple(loss.shape)}"
            )


def check_fit_arguments(arguments):
    """Raises TypeError where `fit` is given what adversarial training has no meaning for."""
    known = ("epochs", "initial_epoch", "verbose")
    for name in arguments:
        if name not in known:
            if name.startswith("validation"):
                instead = (
                    ". No loss says how good held-out data are; `callbacks.Evaluate(['fid'], "
                    "reals)` measures while a model trains"
                )
            elif name.endswith("_weight"):
                instead = (
                    ". Examples have no weights: repeat them in the data, or weigh the losses in "
                    "a `train_step` of your own"
                )
            else:
                instead = ""
            raise TypeError(
                "`fit` takes x, y, batch_size, steps_per_epoch, callbacks, shuffle, "
                f"{', '.join(known)}. Received: {name!r}{instead}"
            )


def check_model_path(name, path):
    """Raises ValueError unless a path ends in ".keras", as that of a model with its optimizers."""
    if not str(path).endswith(".keras") and not str(path).startswith("hf://"):
        raise ValueError(
            f"`{name}` must end in '.keras': HDF5 files of whole models hold one optimizer, and a "
            "model of players has several. Weights alone go to `save_weights('x.weights.h5')`, and "
            f"`keras_gans.export.savedmodel(gan, directory)` writes a SavedModel. "
            f"Received: {str(path)!r}"
        )


def check_logs(model_name, logs):
    """Returns what a `train_step` returned, or raises ValueError unless it is a dict of logs."""
    if not isinstance(logs, dict) or not logs:
        raise ValueError(
            f"`train_step` of {model_name} must return its logs: end it with `return self.logs()`. "
            f"Received: {logs!r}"
        )
    return logs


def resolve_optimizers(model, given):
    """The optimizer of each player: the one given to `compile`, else the paper's.

    They are wrapped where a network computes in float16: see `keras_gans.devices.precision`.

    Raises:
        ValueError: a name that is none of `<player>_optimizer`, a value that is no optimizer, or
            one optimizer for two players.
    """
    names = {f"{player}_optimizer": player for player in model.players}
    unknown = sorted(set(given) - set(names))
    if unknown:
        instead = ""
        if {"loss", "loss_weights"} & set(unknown):
            instead = ". The losses are the paper's, in its `train_step`"
        elif {"metrics", "weighted_metrics"} & set(unknown):
            instead = ". `callbacks.Evaluate(['fid'], reals)` measures while a model trains"
        elif "optimizer" in unknown:
            instead = ". Each player has one of its own"
        raise ValueError(
            f"`compile` of {type(model).__name__} takes the optimizers {sorted(names)}. "
            f"Received: {unknown}{instead}"
        )
    optimizers = dict(model.default_optimizers())
    for name, value in given.items():
        try:
            optimizer = keras.optimizers.get(value)
        except (ValueError, TypeError) as error:
            raise ValueError(
                f"`{name}` must be a Keras optimizer, its name or its config. "
                f"Received: {brief(value)}"
            ) from error
        if optimizer is not None:
            optimizers[names[name]] = in_scope(optimizer, model.distribute_strategy)
    if len({id(optimizer) for optimizer in optimizers.values()}) < len(optimizers):
        raise ValueError(
            "Each player needs an optimizer of its own, since optimizers keep a state for each "
            f"variable. Received one optimizer for several of {sorted(given)}"
        )
    return with_loss_scaling(model, optimizers)


def in_scope(optimizer, strategy):
    """The optimizer itself, or a copy with variables on `strategy` if it was made outside of it."""
    made_in = getattr(optimizer, "_distribution_strategy", strategy)
    if made_in is strategy or optimizer.built or strategy.num_replicas_in_sync == 1:
        return optimizer
    return type(optimizer).from_config(optimizer.get_config())


def resolve_jit_compile(strategy, jit_compile, run_eagerly):
    """Whether XLA compiles the replica's step: `"auto"` says yes on GPUs and no on CPUs.

    TPUStrategy compiles every step by itself. Keras's own "auto" turns XLA on on CPUs too, where
    WGAN-GP ran 2 to 4 times slower with it.

    Raises:
        ValueError: not one of True, False, "auto"; or True where it cannot run.
    """
    if jit_compile not in (True, False, "auto"):
        raise ValueError(f'`jit_compile` must be True, False or "auto". Received: {jit_compile!r}')
    if isinstance(strategy, tf.distribute.TPUStrategy):
        return False
    mirrored = (tf.distribute.MirroredStrategy, tf.distribute.MultiWorkerMirroredStrategy)
    merges = isinstance(strategy, mirrored)
    if merges:
        on_gpu = all("GPU" in device for device in strategy.extended.worker_devices)
    else:
        on_gpu = bool(tf.config.list_logical_devices("GPU"))
    if jit_compile == "auto":
        return on_gpu and not run_eagerly
    if jit_compile and run_eagerly:
        raise ValueError("`jit_compile` must be False where `run_eagerly` is True. Received: True")
    if jit_compile and merges and not on_gpu:
        raise ValueError(
            f"`jit_compile` must be False or 'auto' under {type(strategy).__name__} on CPUs, where "
            "TensorFlow merges the replicas' updates outside of XLA. Received: True"
        )
    return jit_compile
