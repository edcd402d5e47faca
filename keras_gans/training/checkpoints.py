"""Checkpoints: all that training depends on, in TensorFlow's format, whole or not at all.

A checkpoint is a directory `step_00000500` with the two files of a `tf.train.Checkpoint`, which
`tf.train.load_checkpoint` reads and whose checksums it compares.
"""

import json
import os
import re
import shutil
import warnings

import numpy as np
import tensorflow as tf

from keras_gans.files import new_directory

PREFIX = "state"  # of the two files
FACTS = "facts"  # the name of what is no variable, as JSON


def variables_of(model):
    """All variables that training depends on: `{name: Keras variable}`.

    Their order is that of the model's code. Keras numbers layers without a name through the whole
    process, so numbers are left out of the names.
    """
    groups = {"model": model.variables, "metrics": model.metrics_variables}
    for player in model.players:
        groups[f"{player}_optimizer"] = model.optimizer_of(player).variables
    return {
        f"{group}/{index}/{re.sub(r'_[0-9]+(?![^_/])', '', variable.path)}": variable
        for group, variables in groups.items()
        for index, variable in enumerate(variables)
    }


def snapshot(variables):
    """The present values, on the host: `{name: tensor}`.

    A CPU copies nothing: the next update finds the values in use and leaves them as they are.
    """
    with tf.device("CPU"):
        return {name: tf.identity(variable.value) for name, variable in variables.items()}


def paths(directory):
    """The paths of the checkpoints in a directory, the oldest first."""
    names = os.listdir(directory) if os.path.isdir(directory) else ()
    names = sorted(name for name in names if re.fullmatch(r"step_\d{8,}", name))
    return [os.path.join(directory, n) for n in sorted(names, key=steps_of)]


def steps_of(path):
    """The training steps behind a checkpoint, by its name."""
    return int(path.rpartition("_")[2])


def write(directory, values, facts, keep):
    """Writes a checkpoint and removes those that are not to be kept; see `Resume`.

    The op is the one that `tf.train.Checkpoint` calls to write its files, in the foreground.

    Raises:
        FloatingPointError: a value other than a metric's is not finite; nothing is written.
        OSError: it could not be written; nothing of it is left.
    """
    path = os.path.join(directory, f"step_{facts['steps']:08d}")
    for name, value in values.items():
        floats = value.dtype.is_floating and not name.startswith("metrics/")
        if floats and not np.isfinite(value).all():
            raise FloatingPointError(f"'{path}' is not written: '{name}' is not finite.")
    shutil.rmtree(path, ignore_errors=True)  # Damaged, or else training had gone on from it.
    try:
        with new_directory(path) as temporary, tf.device("CPU"):
            tf.raw_ops.SaveV2(
                prefix=os.fspath(temporary / PREFIX),
                tensor_names=[*values, FACTS],
                shape_and_slices=[""] * (len(values) + 1),
                tensors=[*values.values(), tf.constant(json.dumps(facts))],
            )
            for file in [*temporary.iterdir(), temporary]:
                _sync(file)
    except OSError as error:
        raise OSError(f"the checkpoint '{path}' could not be written: {error}.") from error
    _sync(directory)
    kept, newest = paths(directory), facts["steps"]
    past = [old for old in kept if steps_of(old) <= newest]
    for old in [*past[: -keep or None], *(other for other in kept if steps_of(other) > newest)]:
        shutil.rmtree(old, ignore_errors=True)


def _sync(path):
    """Waits until a file or directory is on the disk: a rename must not come there before it."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read_newest(directory, variables, kind):
    """The newest checkpoint that is not damaged: (path, {name: array}, facts); None without any.

    Args:
        directory: str.
        variables: `{name: variable}` that it must fit.
        kind: name of the model's class.

    Raises:
        ValueError: it is of another model.
        OSError: all are damaged.
    """
    found = paths(directory)
    for path in reversed(found):
        try:
            values, facts = read(path)
        except OSError as error:
            warnings.warn(f"Resume: {error} It is passed over.", RuntimeWarning, stacklevel=2)
            continue
        _check_fits(path, values, facts, variables, kind)
        return path, values, facts
    if found:
        raise OSError(
            f"All checkpoints in '{directory}' are damaged, {len(found)} of them. To begin anew "
            "remove the directory."
        )
    return None


def read(path):
    """The arrays and facts of a checkpoint, whose checksums TensorFlow compares.

    Raises:
        OSError: a file is missing or damaged.
    """
    prefix, file = os.path.join(path, PREFIX), f"{PREFIX}.index"
    try:
        reader = tf.train.load_checkpoint(prefix)
        names = reader.get_variable_to_shape_map()
        file = f"{PREFIX}.data-00000-of-00001"
        values = {name: reader.get_tensor(name) for name in names}
        return values, json.loads(values.pop(FACTS))
    except (tf.errors.OpError, OSError, RuntimeError, ValueError, LookupError) as error:
        reason = " ".join(str(error).split())
        raise OSError(f"'{os.path.join(path, file)}' is damaged: {reason}.") from error


def _check_fits(path, values, facts, variables, kind):
    if facts["model"] != kind:
        raise ValueError(f"'{path}' must be of a {kind}. Received: one of a {facts['model']}.")
    for name in sorted(set(values) ^ set(variables)):
        owner, lacks = ("checkpoint", "model") if name in values else ("model", "checkpoint")
        raise ValueError(
            f"'{path}' must be of this very model. Received: one of other networks or optimizers; "
            f"the {owner} has '{name}', which the {lacks} lacks."
        )
    for name, variable in variables.items():
        shape = tuple(np.shape(values[name]))
        if shape != tuple(variable.shape):
            raise ValueError(
                f"'{path}' must be of this very model. Received: one whose '{name}' has the shape "
                f"{shape}, not {tuple(variable.shape)}."
            )
