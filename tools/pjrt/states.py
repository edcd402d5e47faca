"""The files of an exported step: their names, how they are written, and what they must fit.

It needs numpy alone, since it is imported where TensorFlow is and where jax is.
"""

import contextlib
import hashlib
import json
import math
import os
import secrets
import zipfile
from pathlib import Path

import numpy as np

FORMAT = 1
STEP, SAMPLE = "step.mlir", "sample.mlir"
STATE, SAMPLES, DATA = "state.npz", "samples.npz", "data.npz"
MODEL, MANIFEST = "model.json", "manifest.json"
FACTS = "facts"  # the entry of a state that is no variable, as JSON
RANGE_TOLERANCE = 1e-3  # of pictures in [-1, 1], as in `keras_gans.training.kinds`


@contextlib.contextmanager
def replacing(path):
    """A temporary path beside `path`, which takes its name where all went well."""
    path = Path(path)
    temporary = path.with_name(f".{path.stem}.{secrets.token_hex(4)}{path.suffix}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()


def digest(manifest):
    """What tells whether a state is of this very step: a hash of all variables in their order."""
    facts = [manifest["model"], [[v[k] for k in ("name", "shape", "dtype")] for v in _of(manifest)]]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def _of(manifest):
    return manifest["variables"]


def read_manifest(directory):
    """The manifest of a directory of `export_step`, whose files have the hashes that it says.

    Raises:
        ValueError: there is none, it is of another format, or a file is missing or another one.
    """
    directory = Path(directory)
    try:
        manifest = json.loads((directory / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError) as error:
        raise ValueError(
            f"`directory` must be one that export_step.py wrote. Received: '{directory}' ({error})"
        ) from error
    if manifest.get("format") != FORMAT:
        raise ValueError(
            f"'{directory / MANIFEST}' must be of format {FORMAT}. "
            f"Received: {manifest.get('format')!r}"
        )
    for name, expected in manifest["sha256"].items():
        file = directory / name
        found = hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else "no file"
        if found != expected:
            raise ValueError(
                f"'{file}' must be the file of its manifest, with the hash {expected[:12]}. "
                f"Received: {found[:12]}"
            )
    return manifest


def write_arrays(path, arrays):
    """Writes `{name: array}` as a compressed .npz, whole or not at all."""
    with replacing(path) as temporary, open(temporary, "wb") as file:
        np.savez_compressed(file, **arrays)


def read_arrays(path):
    """The arrays of a .npz, `{name: array}`, or of a .npy, `{None: array}`.

    Raises:
        ValueError: the file is missing or damaged, or has Python objects.
    """
    try:
        found = np.load(path, allow_pickle=False)
        if isinstance(found, np.ndarray):
            return {None: found}
        with found:
            return {name: found[name] for name in found.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zipfile.zlib.error) as error:
        raise ValueError(
            f"'{path}' must be a whole .npy or .npz file of arrays. Received: {error}"
        ) from error


def write(path, values, manifest, steps):
    """Writes a state: the values of all variables by name, and what they are of."""
    facts = {"digest": manifest["digest"], "model": manifest["model"], "steps": int(steps)}
    facts["variables"] = [variable["name"] for variable in _of(manifest)]
    stored = {name: _storable(values[name]) for name in facts["variables"]}
    write_arrays(path, {FACTS: np.array(json.dumps(facts)), **stored})


def _storable(value):
    """numpy's files have no bfloat16: its bits, as uint16."""
    value = np.asarray(value)
    return value.view("uint16") if value.dtype.name == "bfloat16" else value


def read(path, manifest):
    """The values of a state of this very step, `{name: array}`, and the steps behind it.

    bfloat16 values are given as their bits, uint16, as they are stored.

    Raises:
        ValueError: the file is damaged, or of another model, other networks or another order.
    """
    values = read_arrays(path)
    try:
        facts = json.loads(str(values.pop(FACTS)))
        names, steps = facts["variables"], int(facts["steps"])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"'{path}' must be a state. Received: a file without its facts") from error
    if facts["model"] != manifest["model"]:
        raise ValueError(
            f"'{path}' must be the state of a {manifest['model']}. "
            f"Received: one of a {facts['model']}"
        )
    expected = [variable["name"] for variable in _of(manifest)]
    if names != expected or set(values) != set(expected):
        raise ValueError(
            f"'{path}' must have the variables of this very step, in its order. "
            f"Received: {_difference(names, expected, values)}"
        )
    for variable in _of(manifest):
        value, shape = values[variable["name"]], tuple(variable["shape"])
        dtype = "uint16" if variable["dtype"] == "bfloat16" else variable["dtype"]
        if value.shape != shape or value.dtype.name != dtype:
            raise ValueError(
                f"'{path}' must be the state of this very step. Received: "
                f"'{variable['name']}' as {value.dtype.name} {value.shape}, not {dtype} {shape}"
            )
        if value.dtype.kind == "f" and not is_metric(variable) and not np.isfinite(value).all():
            raise ValueError(
                f"'{path}' must be finite. Received: '{variable['name']}' with values that are not"
            )
    if facts["digest"] != manifest["digest"]:
        raise ValueError(f"'{path}' must be the state of this very step. Received: another one's")
    return values, steps


def _difference(names, expected, values):
    for name in sorted(set(names) ^ set(expected)):
        return f"a state {'with' if name in names else 'without'} '{name}'"
    for name in sorted(set(values) ^ set(names)):
        return f"a file {'with' if name in values else 'without'} '{name}'"
    return "the same ones in another order"


def is_metric(variable):
    """Whether a variable of the manifest is a mean of the logs, which begins anew with each."""
    return variable["name"].startswith("metrics/")


def check_data(arrays, manifest, unpaired=False):
    """The arrays of the parts of the data, in the manifest's order.

    Args:
        arrays: `{part: array}`; a single array may have any name.
        manifest: of `read_manifest`; or a dict with its "data" and "examples_per_step".
        unpaired: whether the parts may differ in length.

    Raises:
        ValueError: a part is missing, or has another shape, type or range, or too few examples.
    """
    parts, examples = manifest["data"], manifest["examples_per_step"]
    if len(arrays) == len(parts) == 1:
        arrays = {parts[0]["name"]: next(iter(arrays.values()))}
    names = [part["name"] for part in parts]
    if set(names) - set(arrays):
        found = sorted(str(name) for name in arrays)
        raise ValueError(f"The data must have the arrays {names}. Received: {found}")
    for part in parts:
        _check_part(part, arrays[part["name"]])
    lengths = {name: len(arrays[name]) for name in names}
    if len(set(lengths.values())) > 1 and not unpaired:
        raise ValueError(
            "The arrays of the data must have one length, unless they are unpaired. "
            f"Received: {lengths}"
        )
    if min(lengths.values()) < examples:
        raise ValueError(
            f"The data must have the {examples} examples of a step, or more. Received: {lengths}"
        )
    # Labels of any integers are cast once they are known to be small.
    return [np.asarray(arrays[part["name"]], part["dtype"]) for part in parts]


def _check_part(part, values):
    name, shape, dtype = part["name"], tuple(part["shape"]), part["dtype"]
    if values.dtype.name != dtype and not (dtype == "int32" and values.dtype.kind in "iu"):
        hint = {"uint8": "; pictures x in [-1, 1] are (x + 1) * 127.5, rounded"}.get(dtype, "")
        raise ValueError(f"`{name}` must be {dtype}. Received: {values.dtype.name}{hint}")
    if values.shape[1:] != shape:
        wanted = ", ".join(map(str, ("num", *shape)))
        raise ValueError(f"`{name}` must be of shape ({wanted}). Received: {values.shape}")
    if not values.size:
        raise ValueError(f"`{name}` must not be empty. Received: {values.shape}")
    low, high = values.min(), values.max()
    if part["kind"] == "labels" and not (low >= 0 and high < part["num_classes"]):
        raise ValueError(
            f"`{name}` must be in [0, {part['num_classes']}). Received: values in [{low}, {high}]"
        )
    if dtype != "float32":
        return
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError(f"`{name}` must be finite. Received: values that are not")
    limit = 1 + RANGE_TOLERANCE
    if part["kind"] == "pictures" and (low < -limit or high > limit or 0 <= low < high):
        raise ValueError(
            f"`{name}` must be pictures in [-1, 1]. Received: values in [{low:.4g}, {high:.4g}]"
        )
