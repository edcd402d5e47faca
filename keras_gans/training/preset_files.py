"""Models out of the files of presets, and downloads; `keras_gans.presets` is for users.

`keras_gans.preset_places` says where presets are and of which files. The exported weights are read
out of the SavedModel, so that they are stored once; in the package's own presets all weights are in
one file, where they may be float16.
"""

import os
import re
import shutil
import urllib.request
import zipfile
import zlib
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import tree

from keras_gans.checks import check_path
from keras_gans.files import new_directory, newest_version, read_json
from keras_gans.preset_places import CONFIG, WEIGHTS, check_files, downloads, find, known, names
from keras_gans.training.keras_model import PlayersModel
from keras_gans.training.ports import exported_weights

STATE = os.path.join("training", "state")
KEY = "weights/{}/.ATTRIBUTES/VARIABLE_VALUE"  # of one weight in a SavedModel
DAMAGED_ZIP = (zipfile.BadZipFile, zlib.error)
is_weight = re.compile(KEY.format(r"\d+")).fullmatch


def load(name, directory=None):
    """A trained model, ready to generate or to go on training.

    Its generator has the weights that were exported, the averaged ones where there were some, and
    its other networks those at the end of the training. Optimizers, seeds and histories of fakes
    begin anew.

    Args:
        name: one of `presets.names()`, or the path of a directory that `presets.save` wrote.
        directory: the only directory in which a name or a relative path is looked for. When `None`,
            the working directory, those in the environment variable `KERAS_GANS_PRESETS`, the
            checkout's `savedmodels`, the package's own and the downloaded ones
            (`presets.download`), in this order.

    Returns:
        `AdversarialModel`, not compiled: `fit` takes the paper's optimizers.

    Raises:
        ValueError: there is no such preset, or its files do not fit each other.

    Example:

    >>> gan = keras_gans.load("cgan_fashion_mnist")
    >>> sneakers = gan.generate(8, seed=1, labels=7)
    >>> history = gan.fit(load("fashion_mnist_10k", labels=True), steps_per_epoch=100)
    """
    path = find(check_path("name", name), directory)
    config = read_json(path / CONFIG)
    config.pop("compile_config", None)  # the optimizers begin anew, as the paper has them
    try:
        gan = keras.saving.deserialize_keras_object(config)
    # Keras raises TypeError when a class is neither its own nor registered, others of damaged ones.
    except (TypeError, ValueError, LookupError, AttributeError) as error:
        raise ValueError(f"'{path}' must be a model of known classes. Received: {error}") from error
    if not isinstance(gan, PlayersModel):
        kind = type(gan).__name__
        raise ValueError(f"'{path / CONFIG}' must be of a model of keras_gans. Received: a {kind}")
    try:
        _read_weights(gan, path)
    except (tf.errors.OpError, AssertionError) as error:
        raise ValueError(f"'{path}' must be as `save` wrote it. Received: {error}") from error
    for network in gan.averaged:
        # Training goes on from the average, which is the better generator.
        _copy(getattr(gan, f"ema_{network}"), getattr(gan, network))
    gan.preset = path.name
    return gan


def download(name, address, directory=None):
    """Downloads one of the project's presets from where a copy of its `savedmodels/` is served.

    Every file must have the SHA-256 that the installed package knows it by.

    Args:
        name: one of the project's presets.
        address: str, such as "https://example.org/savedmodels", or "file:///mnt/savedmodels": that
            with `/NAME/1/saved_model.pb` behind it is a file.
        directory: where the preset's directory is made; `~/.cache/keras_gans/presets`, where `load`
            looks, when `None`.

    Returns:
        Path of the preset. It is there at once as a whole, or not at all.

    Raises:
        ValueError: the name is not known, or a file is not the project's.
        OSError: a file can't be downloaded, or the preset is there already.

    Example:

    >>> presets.download("lapgan_fashion_mnist", "https://example.org/savedmodels")
    >>> gan = keras_gans.load("lapgan_fashion_mnist")
    """
    name, files = str(check_path("name", name)), known()
    if name not in files:
        there = ", ".join(files) or f"none: this is a checkout, with {', '.join(names())}"
        raise ValueError(
            f"`name` must be one of the project's presets ({there}). Received: '{name}'"
        )
    path = Path(check_path("directory", downloads() if directory is None else directory)) / name
    if path.exists():
        raise FileExistsError(f"`directory` must not hold the preset yet. Received: '{path}'")
    with new_directory(path) as temporary:
        for file in files[name]:
            (temporary / file).parent.mkdir(parents=True, exist_ok=True)
            origin = f"{str(address).rstrip('/')}/{name}/{file}"
            try:
                with urllib.request.urlopen(origin) as served, open(temporary / file, "wb") as kept:
                    shutil.copyfileobj(served, kept)
            except (OSError, ValueError) as error:  # the latter of what is no address
                raise OSError(f"`address` must serve '{origin}'. Received: {error}") from error
        check_files(temporary, files[name], f"what '{address}' serves of '{name}'")
    return path


def _read_weights(gan, path):
    if (path / WEIGHTS).is_file():
        _read_packaged(gan, path)
        return
    exported = tf.train.load_checkpoint(str(newest_version(path) / "variables" / "variables"))
    num = len([*filter(is_weight, exported.get_variable_to_shape_map())])
    weights = _first_exported(gan, path, num)
    for index, weight in enumerate(weights):
        values = exported.get_tensor(KEY.format(index))
        weight.assign(_checked(path, weight, values))
    left = other_weights(gan, weights)
    state = tf.train.Checkpoint(weights=[weight.value for weight in left])
    state.read(str(path / STATE)).assert_consumed()


def _read_packaged(gan, path):
    """The weights of a preset of the package, which may be float16 there."""
    try:
        with np.load(path / WEIGHTS, allow_pickle=False) as file:
            stored = {name: file[name] for name in file.files}
    except (ValueError, EOFError, AttributeError, TypeError, *DAMAGED_ZIP) as error:
        raise ValueError(f"'{path / WEIGHTS}' is damaged: {error}") from error
    num = sum(name.startswith("exported/") for name in stored)
    weights = {f"exported/{i}": w for i, w in enumerate(_first_exported(gan, path, num))}
    left = other_weights(gan, weights.values())
    weights |= {f"state/{i}": w for i, w in enumerate(left)}
    if set(weights) != set(stored):
        raise ValueError(
            f"'{path}' must hold the weights of the model in {CONFIG}. Received: {len(stored)} of "
            f"them for {len(weights)}"
        )
    for name, weight in weights.items():
        weight.assign(_checked(path, weight, stored[name]).astype(weight.dtype))


def _first_exported(gan, path, num):
    """The first exported weights; before a model's encoder was exported they were fewer."""
    weights = exported_weights(gan)[:num]
    if len(weights) < num:
        raise ValueError(
            f"'{path}' must hold a SavedModel of the model in {CONFIG}. Received: one of {num} "
            f"weights for {len(weights)}"
        )
    return weights


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
