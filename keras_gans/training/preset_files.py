"""The files of presets, and models out of them; `keras_gans.presets` is for users.

A preset is a directory of `savedmodels/`:

1/          the SavedModel of the model's ports, with its card (`keras_gans.export.savedmodel`)
training/   what the SavedModel lacks to go on training: the model's settings, and the weights of
            its other networks

The exported weights are read out of the SavedModel, so that they are stored once.
"""

import json
import os
import re
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import tree

from keras_gans.checks import check_path
from keras_gans.files import CARD, newest_version, read_json
from keras_gans.training.ports import exported_weights

ROOT = Path(__file__).resolve().parents[2] / "savedmodels"
CONFIG = os.path.join("training", "config.json")
STATE = os.path.join("training", "state")
KEY = "weights/{}/.ATTRIBUTES/VARIABLE_VALUE"  # of one weight in a SavedModel
is_weight = re.compile(KEY.format(r"\d+")).fullmatch


def names(directory=None):
    """The presets of a directory; of the project's `savedmodels` when `None`."""
    found = (path.parent.parent.name for path in Path(directory or ROOT).glob(f"*/{CONFIG}"))
    return sorted(name for name in found if name[0] != ".")  # those are being written


def load(name, directory=None):
    """A trained model, ready to generate or to go on training.

    Its generator has the weights that were exported, the averaged ones where there were some, and
    its other networks those at the end of the training. Optimizers, seeds and histories of fakes
    begin anew.

    Args:
        name: one of `names()`, or the path of a directory that `presets.save` wrote.
        directory: where the presets are; the project's `savedmodels` when `None`.

    Returns:
        `AdversarialModel`, not compiled: `fit` takes the paper's optimizers.

    Raises:
        ValueError: there is no such preset, or its files do not fit each other.

    Example:

    >>> gan = keras_gans.load("cgan_fashion_mnist")
    >>> sneakers = gan.generate(8, seed=1, labels=7)
    >>> history = gan.fit(load("fashion_mnist_10k", labels=True), steps_per_epoch=100)
    """
    path = _find(check_path("name", name), directory)
    with open(path / CONFIG, encoding="utf-8") as file:
        config = json.load(file)
    config.pop("compile_config", None)  # the optimizers begin anew, as the paper has them
    try:
        gan = keras.saving.deserialize_keras_object(config)
    except TypeError as error:  # Keras says so when a class is neither its own nor registered.
        raise ValueError(f"'{path}' must be a model of known classes. Received: {error}") from error
    try:
        _read_weights(gan, path)
    except (tf.errors.OpError, AssertionError) as error:
        raise ValueError(f"'{path}' must be as `save` wrote it. Received: {error}") from error
    for network in gan.averaged:
        # Training goes on from the average, which is the better generator.
        _copy(getattr(gan, f"ema_{network}"), getattr(gan, network))
    gan.preset = path.name
    return gan


def card(name, directory=None):
    """The card of a preset, a dict; see `keras_gans.export.savedmodel`."""
    return read_json(newest_version(_find(check_path("name", name), directory)) / CARD)


def _find(name, directory):
    path = Path(name) if (Path(name) / CONFIG).is_file() else Path(directory or ROOT) / name
    if (path / CONFIG).is_file() and newest_version(path):
        return path
    known = names(directory)
    hint = ", ".join(known) if known else "none: they are part of the project's repository"
    raise ValueError(
        f"`name` must be a directory of `keras_gans.presets.save`, or one of the presets in "
        f"'{directory or ROOT}' ({hint}). Received: '{name}'"
    )


def _read_weights(gan, path):
    exported = tf.train.load_checkpoint(str(newest_version(path) / "variables" / "variables"))
    # A SavedModel of before a model got its encoder exported too has the first of these alone.
    num = len([*filter(is_weight, exported.get_variable_to_shape_map())])
    weights = exported_weights(gan)[:num]
    if len(weights) < num:
        raise ValueError(
            f"'{path}' must hold a SavedModel of the model in {CONFIG}. Received: one of {num} "
            f"weights for {len(weights)}"
        )
    for index, weight in enumerate(weights):
        values = exported.get_tensor(KEY.format(index))
        weight.assign(_checked(path, weight, values))
    left = other_weights(gan, weights)
    state = tf.train.Checkpoint(weights=[weight.value for weight in left])
    state.read(str(path / STATE)).assert_consumed()


def other_weights(gan, exported=None):
    """The weights that the SavedModel lacks: of other networks, and the model's own.

    Of networks that are averaged it is the averages. The model's own are numbers, such as BEGAN's
    k, and layers other than those that begin anew.

    Args:
        gan: `AdversarialModel`.
        exported: the weights that the SavedModel has; those of today's exports when `None`.
    """
    exported = exported_weights(gan) if exported is None else exported
    averages = {name: getattr(gan, f"ema_{name}") for name in gan.averaged}
    networks = {name: getattr(gan, name) for name in gan.network_names}
    kept = tree.flatten([averages.get(name) or network for name, network in networks.items()])
    anew = [layer for layer in gan.layers if getattr(layer, "begins_anew", False)]
    known = {id(weight) for weight in exported}
    known |= {id(weight) for layer in anew for weight in layer.weights}
    weights = [w for network in kept for w in network.weights if id(w) not in known]
    for network in tree.flatten([*networks.values(), *averages.values()]):
        known |= {id(weight) for weight in network.weights} if network is not None else set()
    return [*weights, *(weight for weight in gan.weights if id(weight) not in known)]


def _copy(averaged, network):
    """Copies the weights of the averaged network, or of a list of them, where there is one."""
    pairs = zip(tree.flatten(averaged), tree.flatten(network), strict=False)
    for source, target in pairs if averaged is not None else ():
        target.set_weights(source.get_weights())


def _checked(path, weight, values):
    if tuple(weight.shape) != values.shape:
        raise ValueError(
            f"'{path}' must hold a SavedModel of the model in {CONFIG}. Received: values of shape "
            f"{values.shape} for '{weight.path}' of shape {tuple(weight.shape)}"
        )
    return np.asarray(values)
