"""From the user's dataset to the data of one step: gathering and checks."""

import contextlib
import dataclasses
import re
import warnings

import numpy as np
import tensorflow as tf
from keras import tree

from keras_gans import checks
from keras_gans.devices import replicas
from keras_gans.devices.progress import steps_taken
from keras_gans.training import checkpoints, keras_callbacks
from keras_gans.training.ema import update_average
from keras_gans.training.python_data import from_python, is_python_data


def select(data, spec, model_name):
    """The parts of what a dataset yields that a model takes, in the order of its spec.

    Raises:
        ValueError: there are fewer parts than the model takes.
    """
    parts = tuple(data) if isinstance(data, tuple | list) else (data,)
    if isinstance(data, dict) or len(parts) < len(spec):
        names = ", ".join(part.name for part in spec)
        received = (
            f"a dict of {sorted(data)}" if isinstance(data, dict) else f"{len(parts)} part(s)"
        )
        raise ValueError(
            f"The data of {model_name} must be batches of ({names}). Received: {received}"
        )
    return parts[: len(spec)]


@dataclasses.dataclass(frozen=True)
class Start:
    """Where `fit` begins.

    Args:
        epoch: finished epochs.
        step: finished steps of the epoch after them.
        steps: finished steps in all; `None` for those of the finished epochs.
    """

    epoch: int = 0
    step: int = 0
    steps: int | None = None


def find_start(model, x, callbacks, initial_epoch=0):
    """Where `fit` begins: where a `Resume` among the callbacks says, else at `initial_epoch`."""
    resume = find_resume(callbacks)
    if resume:
        check_seen_by_all(model.distribute_strategy, resume.directory)
    start = resume.start(model, x) if resume else None
    return start or Start(initial_epoch)


def check_seen_by_all(strategy, directory):
    """Raises ValueError unless all workers find the same newest checkpoint in a directory."""
    replicas.of_all_workers(strategy, 0)  # the chief has written the last one of an earlier `fit`
    newest = max((int(p.rpartition("_")[2]) for p in checkpoints.paths(directory)), default=0)
    steps = replicas.of_all_workers(strategy, newest)
    if len(set(steps)) > 1:
        raise ValueError(
            "`directory` of Resume must be one that all workers see. "
            f"Received: '{directory}', with checkpoints after {steps} steps on them"
        )


def find_resume(callbacks):
    """The callback that can begin within an epoch, or None; a ValueError for several."""
    found = [callback for callback in tree.flatten(callbacks) if hasattr(callback, "callback_list")]
    if len(found) > 1:
        raise ValueError(f"`callbacks` must have one Resume at most. Received: {len(found)}")
    return found[0] if found else None


def prepare(model, x, y=None, batch_size=None, steps_per_epoch=None, start=Start(), shuffle=True):
    """The dataset that `fit` iterates over, each element of which is the data of one step.

    The first step's data are checked here, and all later ones in the pipeline, before a weight
    moves on them. Datasets of `keras_gans.datasets` are continued at the step of `start`.
    Also sets `model.examples_per_step`.

    Args:
        model: `AdversarialModel`.
        x, y, batch_size, steps_per_epoch, shuffle: see `AdversarialModel.fit`.
        start: `Start`.

    Returns:
        The pair (dataset, steps_per_epoch).

    Raises:
        ValueError: the data do not fit the model.
        TypeError: `x` is neither a dataset nor an array, and no iterable of minibatches.
    """
    checks.check_flag("shuffle", shuffle)
    if steps_per_epoch is not None:
        checks.check_count("steps_per_epoch", steps_per_epoch)
    strategy = model.distribute_strategy
    if replicas.several_workers(strategy) and model.steps_per_execution > 1:
        raise ValueError(
            "`steps_per_execution` must be 1 where several workers train together, as TensorFlow "
            f"can't run their exchange in a loop. Received: {model.steps_per_execution}"
        )
    if isinstance(x, tf.distribute.DistributedDataset):  # its maker has split it; see `minibatches`
        model.examples_per_step = None
        return x, steps_per_epoch
    spec, name, n = model.data_spec(), type(model).__name__, model.minibatches_per_step
    num_examples = None
    in_python = is_python_data(x)
    in_batches = in_python or isinstance(x, tf.data.Dataset)
    if in_batches and not (y is None and batch_size is None):
        kind = type(x).__name__ if in_python else "tf.data.Dataset"
        raise ValueError(f"`y` and `batch_size` must be None where `x` is a {kind}")
    seed = int(np.array(model.random_state.state)[0])  # the chief's, where several workers are
    if in_python:
        dataset, minibatches, num_examples = from_python(x, n, shuffle, seed)
    elif isinstance(x, tf.data.Dataset):
        dataset, minibatches = x, list(x.take(1))
    else:
        dataset, num_examples = from_arrays(spec, name, x, y, batch_size, shuffle and seed)
        minibatches = list(dataset.take(1))
    size = minibatch_size(minibatches, spec, name)
    if size % strategy.num_replicas_in_sync:
        raise ValueError(
            "The batch size must be a multiple of the number of replicas, "
            f"{strategy.num_replicas_in_sync}, since it is that of all together. "
            f"Received: batches of {size} examples"
        )
    resumable = hasattr(dataset, "from_step")
    if resumable:
        num_examples = max(dataset.info.num_examples, size * n)
    if steps_per_epoch is None and num_examples is not None:
        steps_per_epoch = num_examples // (size * n) or None
    if steps_per_epoch is None and model.preludes is not None:
        steps_per_epoch = _steps_in(dataset, n, name)
    if resumable:
        steps = start.epoch * steps_per_epoch if start.steps is None else start.steps
        first = max(0, steps_taken(model) - steps)  # a model may have been trained before this run
        dataset = dataset.from_step(dataset.start_step + model.minibatches_until(steps, first))
    gathered = dataset.map(lambda *parts: select(parts, spec, name))
    gathered = gathered.rebatch(size * n, drop_remainder=True)
    if in_python:  # what was read of it can't be read again
        first = None if len(minibatches) < n else select(minibatches[-1], spec, name)
    else:
        first = next(iter(gathered.take(1)), None)
    if first is None:
        raise ValueError(
            f"One step of {name} takes {n} minibatches of {size} examples, {size * n} in all. "
            "Received: a dataset with fewer"
        )
    for part, values in zip(spec, first, strict=True):
        part.check(values)
    begin(model, [part.checked(values) for part, values in zip(spec, first, strict=True)])
    model.examples_per_step = size * n
    gathered = gathered.map(
        lambda *parts: tuple(s.checked(p) for s, p in zip(spec, parts, strict=True)),
        num_parallel_calls=tf.data.AUTOTUNE,
    )
    if steps_per_epoch is not None:
        gathered = gathered.repeat()
    if replicas.several_workers(strategy):
        return replicas.share_among_workers(gathered, strategy), steps_per_epoch
    return gathered.prefetch(tf.data.AUTOTUNE), steps_per_epoch


def begin(model, parts):
    """Shows a model that has taken no step the data of its first one; see `begin_on`."""
    if steps_taken(model) or not model.begin_on(*parts):
        return
    for name in model.averaged:
        update_average(getattr(model, f"ema_{name}"), getattr(model, name), decay=0.0)


def _steps_in(dataset, minibatches_per_step, model_name):
    """The steps of an epoch whose data are repeated, where some steps take more than others."""
    num = int(dataset.cardinality())
    if num == tf.data.UNKNOWN_CARDINALITY:
        raise ValueError(
            f"`steps_per_epoch` must be given, as some steps of {model_name} take more data than "
            "others and so end no epoch of data whose number is not known. Received: None"
        )
    return num // minibatches_per_step or None if num > 0 else None


def minibatch_size(minibatches, spec, model_name):
    """The size of the first one of some minibatches.

    Raises:
        ValueError: the dataset is empty, or yields other than batches of the spec's parts.
    """
    if not minibatches:
        raise ValueError("The dataset must not be empty. Received: a dataset with no batch")
    parts = select(minibatches[0], spec, model_name)
    for part, values in zip(spec, parts, strict=True):
        part.check(values)
    sizes = {part.shape[0] for part in parts}
    if len(sizes) > 1:
        raise ValueError(
            f"The parts of a batch must have one length. Received: lengths {sorted(sizes)}"
        )
    (size,) = sizes
    if size == 0:
        raise ValueError("The dataset must not be empty. Received: a batch of 0 examples")
    return size


def from_arrays(spec, model_name, x, y, batch_size, seed):
    """A dataset of minibatches of the arrays, and the number of their examples.

    It is shuffled by `seed`, unless this is False.

    Raises:
        ValueError: the arrays do not fit the spec.
        TypeError: `x` is no array.
    """
    if not (tf.is_tensor(x) or isinstance(x, np.ndarray | list | tuple)):
        raise TypeError(
            "`x` must be a tf.data.Dataset of minibatches, a keras.utils.PyDataset or a generator "
            "of them, or an array of examples. "
            f"Received: {type(x).__name__}"
        )
    pairs = x if isinstance(x, tuple) and y is None else (x,) if y is None else (x, y)
    arrays = [v if tf.is_tensor(v) else np.asarray(v) for v in select(pairs, spec, model_name)]
    lengths = {len(array) for array in arrays}
    if len(lengths) > 1 or 0 in lengths:
        raise ValueError(
            "The arrays must have one length, of at least 1. "
            f"Received: {[len(array) for array in arrays]} examples"
        )
    for part, array in zip(spec, arrays, strict=True):
        part.check(array)
    batch_size = min(checks.check_count("batch_size", batch_size or 64), len(arrays[0]))
    dataset = tf.data.Dataset.from_tensor_slices(tuple(arrays))
    if seed is not False:
        dataset = dataset.shuffle(len(arrays[0]), seed=seed)
    return dataset.batch(batch_size), len(arrays[0])


def all_callbacks(model, callbacks, start, steps, epochs=1, verbose="auto"):
    """The callbacks of `fit`, with those first that add to the logs which all later ones see."""
    resume = find_resume(callbacks)
    callbacks = keras_callbacks.complete(model, callbacks)
    if resume is None:
        return callbacks
    return resume.callback_list(callbacks, model, start, steps, epochs, verbose)


@contextlib.contextmanager
def fitting(model, steps_per_epoch):
    """What `fit` runs in: the pipeline's own checks leave as ValueError; see also `together`."""
    try:
        with replicas.together(model), warnings.catch_warnings():
            if steps_per_epoch is None:  # data of unknown length end each epoch with this
                warnings.filterwarnings("ignore", "Your input ran out of data")
            yield
    except tf.errors.InvalidArgumentError as error:
        found = re.search(r"`\w+` must be [^:]*: this batch is not", error.message)
        if found is None:
            raise
        raise ValueError(f"{found.group()}, and no weight was moved on it") from error


def step_on_data(train_step, jit_compile):
    """The step that runs on each replica: `train_step`, compiled by XLA if so wanted.

    Nothing in it may run before there are data. Random draws and counters do not depend on them:
    TensorFlow would run them once more at the end of a dataset, in the step that then has no data.
    """
    name = type(getattr(train_step, "__self__", train_step)).__name__
    if jit_compile:
        train_step = tf.function(train_step, jit_compile=True, autograph=False)

    def step(data):
        with tf.control_dependencies([part for part in tree.flatten(data) if tf.is_tensor(part)]):
            return checks.check_logs(name, train_step(data))

    return step


def with_preludes(model, execution, prelude, step):
    """The train function of a model with preludes: before each step as many as it says.

    They are further calls, as what runs inside a replica's step can't be left out by a condition. A
    step's number is that of the steps behind the model's makers, so that a training that goes on
    has the preludes that are left. Where `steps_per_execution` steps would be one call and one of
    them has preludes, they are taken one by one. `train_on_batch`, which has the data of a single
    step, has no preludes.

    Args:
        model: `AdversarialModel`.
        execution: train function of `steps_per_execution` steps.
        prelude, step: train functions of one prelude and of one step, not yet called.
    """

    def function(iterator):
        first, size = steps_taken(model), model.steps_per_execution
        due = [model.preludes(first + k) for k in range(size)]
        of_pipeline = isinstance(iterator, tf.data.Iterator | tf.distribute.DistributedIterator)
        if not any(due) or not of_pipeline:
            return execution(iterator)
        model.steps_per_execution = 1
        try:
            for count in due:
                for _ in range(count):
                    prelude(iterator)
                logs = step(iterator)
        finally:
            model.steps_per_execution = size
        return logs

    return function


def all_at_once(values):
    """The same values, none of which is there before all are computed.

    An update has to wait for all that reads the weights it moves. TensorFlow says so by edges from
    each read to the update, and takes those away where a path leads there as well. But some paths
    are gone afterwards: one through an operation that only hands several tensors on, as there is
    one in each Keras optimizer, or through a shape that is found to be constant. Once in some
    thousand steps, a part of a gradient is then that of the weights as they are afterwards. The
    operation below hands a tensor on as well, and the graph optimizer leaves it alone.

    Args:
        values: nested structure of tensors, sparse gradients and `None`.
    """
    flat = [_handed_on(value) for value in tf.nest.flatten(values, expand_composites=True)]
    with tf.control_dependencies([value for value in flat if value is not None]):
        flat = [_handed_on(value) for value in flat]
    return tf.nest.pack_sequence_as(values, flat, expand_composites=True)


def _handed_on(value):
    if value is None:
        return None
    return tf.raw_ops.PlaceholderWithDefault(input=value, shape=value.shape)


def reducible(logs, strategy):
    """Logs in the form in which Keras reduces them over workers: along axis 0, so of rank 1."""
    if replicas.several_workers(strategy):
        return {name: tf.reshape(value, (1,)) for name, value in logs.items()}
    return logs
