"""Brings a state that `run_step.py` wrote back into its model.

    python tools/pjrt/import_state.py runs/pjrt/dcgan --model runs/pjrt/dcgan/model.keras
    python tools/pjrt/import_state.py runs/pjrt/dcgan --preset presets/dcgan --grid grid.png

The model can then do all that one trained by `fit` can: `generate`, `save`, go on with `fit`, be
exported, become a preset. Samples that were written on the way become pictures with --grids.
"""

import argparse
import json
import os
import re
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from keras_gans import presets
from keras_gans.files import replacing
from keras_gans.images import save_png
from keras_gans.training import checkpoints
from keras_gans.training.base import AdversarialModel
from keras_gans.training.kinds import render

import keras
import ml_dtypes
import states

AFTER = "after.npz"


def import_state(directory, state=None, model=None):
    """A model with the state that its exported step has come to.

    Args:
        directory: str or path-like, of `export_step.py`.
        state: str or path-like, a state; `after.npz` of the directory when `None`.
        model: the compiled model to bring it into; when `None` one is made as the directory says.

    Returns:
        `AdversarialModel`, compiled, whose networks, averages, optimizers, random state and control
        variables are those of the state.

    Raises:
        ValueError: the state is damaged or of another model, or `model` is another one; nothing of
            the model is changed then.

    Example:

    >>> gan = import_state("runs/pjrt/dcgan")
    >>> gan.save("dcgan.keras")
    """
    directory = Path(directory)
    manifest = states.read_manifest(directory)
    values, _ = states.read(directory / AFTER if state is None else state, manifest)
    if model is None:
        model = _model_of(directory)
    variables = checkpoints.variables_of(_checked(model, manifest))
    described = {variable["name"]: variable for variable in manifest["variables"]}
    for name in sorted(set(described) ^ set(variables)):
        owner, lacks = ("state", "model") if name in described else ("model", "state")
        raise ValueError(
            f"`model` must be the one that was exported. Received: another one; the {owner} has "
            f"'{name}', which the {lacks} lacks"
        )
    for name, variable in variables.items():
        if tuple(variable.shape) != values[name].shape:
            raise ValueError(
                f"`model` must be the one that was exported. Received: one whose '{name}' has the "
                f"shape {tuple(variable.shape)}, not {values[name].shape}"
            )
    for name, variable in variables.items():
        value = values[name]
        if described[name]["dtype"] == "bfloat16":
            value = value.view(ml_dtypes.bfloat16)
        variable.assign(value)
    return model


def _checked(model, manifest):
    if not isinstance(model, AdversarialModel) or type(model).__name__ != manifest["model"]:
        raise ValueError(
            f"`model` must be a {manifest['model']}. Received: a {type(model).__name__}"
        )
    if not model.compiled:
        raise ValueError(
            "`model` must be compiled with the optimizers that it was exported with. Received: one "
            "that is not compiled"
        )
    return model


def _model_of(directory):
    config = json.loads((directory / states.MODEL).read_text(encoding="utf-8"))
    try:
        return keras.saving.deserialize_keras_object(config)
    except TypeError as error:  # Keras says so when a class is neither its own nor registered.
        raise ValueError(
            f"'{directory}' must be of known classes, or `model` be given. Received: {error}"
        ) from error


def write_grids(directory):
    """Writes the samples in a directory, `samples_*.npy`, as pictures; returns their paths."""
    written = []
    for path in sorted(Path(directory).glob("samples_*.npy")):
        if re.fullmatch(r"samples_\d{8,}", path.stem):
            (samples,) = states.read_arrays(path).values()
            save_png(path.with_suffix(".png"), render(samples))
            written.append(path.with_suffix(".png"))
    return written


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("directory", type=Path, help="what export_step.py wrote")
    add("--state", type=Path, help="what run_step.py wrote (default: after.npz of the directory)")
    add("--model", type=Path, help="write a file model.keras, for `fit` to go on with")
    add("--preset", type=Path, help="write a new directory for `keras_gans.load`")
    add("--grid", type=Path, help="write a picture of 64 samples")
    add("--grids", action="store_true", help="write samples_*.npy of the directory as pictures")
    args = parser.parse_args()
    try:
        _main(args)
    except (ValueError, OSError) as error:
        raise SystemExit(f"Error: {error}") from error


def _main(args):
    model = import_state(args.directory, args.state)
    if args.model:
        with replacing(args.model, ".keras") as temporary:
            model.save(temporary)
    if args.grid:
        save_png(args.grid, render(model.generate(64, seed=0)))
    if args.preset:
        presets.save(model, args.preset)
    for path in write_grids(args.directory) if args.grids else ():
        print(path)
    written = [str(path) for path in (args.model, args.grid, args.preset) if path]
    print(f"{type(model).__name__}: {', '.join(written) or 'the state fits'}")


if __name__ == "__main__":
    main()
