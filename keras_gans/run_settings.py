"""The settings of a run, as its directory has them, and whether a run may begin or go on there.

All of it without TensorFlow, so that the command line refuses a directory at once.
"""

import json
import warnings
from pathlib import Path

from keras_gans.files import read_json

SETTINGS = "settings.json"
CHECKPOINTS = "checkpoints"
# What differs between two runs of the same settings.
NO_SETTINGS = (
    "state",
    "failure",
    "steps_taken",
    "training_seconds",
    "started",
    "versions",
    "lengthened_from",
)
# What follows from other settings, where these are written down.
CONSEQUENCES = (
    "sample_shape",
    "num_examples",
    "dataset_license",
    "num_classes",
    "class_names",
    "latent_shape",
    "parameters",
    "plot_limit",
    "sample_every",
)
# What earlier versions did not write down.
UNWRITTEN = {
    **{"precision": "float32", "split": None, "labels_per_class": None},
    **{"crop": None, "flip": False, "direction": None, "encoder": None},
    **{"scale": None, "generator": None, "features": None},
}
# What a run knows of its model and the model does not.
FACTS = (
    "dataset",
    "dataset_b",
    "split",
    "value_range",
    "image_size",
    "crop",
    "scale",
    "direction",
    "dataset_license",
    "num_examples",
    "class_names",
    "batch_size",
    "plot_limit",
    "training_seconds",
    "started",
)


def check_directory(run, fresh=False, steps=None):
    """Says, before any work is done, whether a run can be written to a directory.

    Args:
        run: the directory.
        fresh: whether an earlier run there is replaced.
        steps: of the run that is to be; a finished one of fewer steps can go on.

    Raises:
        ValueError: it is a file, holds other files, or holds a run that is finished or has failed,
            and `fresh` is false.
    """
    run = Path(run)
    if not run.exists():
        return
    if not run.is_dir():
        raise ValueError(f"--out must be a directory. Received: '{run}', which is a file.")
    if not any(run.iterdir()):
        return
    if not (run / SETTINGS).is_file():
        raise ValueError(
            f"--out must be a new or empty directory. Received: '{run}', which holds files and is "
            f"no run directory (it has no {SETTINGS}), so it will not be replaced."
        )
    failure = read_json(run / SETTINGS).get("failure")
    if failure and not fresh:
        raise ValueError(
            f"--out must be a new or empty directory, or one with a run that is not finished. "
            f"Received: '{run}', whose run failed, and would again with the same settings: "
            f"{failure} Give other settings and another --out, or --fresh to replace it."
        )
    if not fresh and lengthens(run, steps) and not any((run / CHECKPOINTS).glob("step_*")):
        raise ValueError(
            f"--out must have checkpoints for a finished run to go on. Received: '{run}', which "
            "has none, as it was made by an earlier version or they were removed; give another "
            "--out, or --fresh to replace it."
        )
    if not fresh and not _is_unfinished(run) and not lengthens(run, steps):
        taken = read_json(run / SETTINGS).get("steps_taken")
        of = "" if taken is None else f" of {taken:,} steps"
        raise ValueError(
            f"--out must be a new or empty directory, or one with a run that is not finished. "
            f"Received: '{run}', which has a finished run{of}; give more --steps than these to "
            "lengthen it, another --out, or --fresh to replace it."
        )
    if fresh and run.is_symlink():
        raise ValueError(f"--fresh does not replace symbolic links. Received: '{run}'.")


def lengthens(run, steps):
    """Whether a directory has a finished run of fewer steps, which goes on to these."""
    found = read_json(Path(run) / SETTINGS)
    finished = found.get("state") == "finished" and steps is not None
    return finished and 0 < found.get("steps_taken", 0) < steps


def was_lengthened(run):
    """Whether the run in a directory was finished once, and made longer since."""
    return read_json(Path(run) / SETTINGS).get("lengthened_from") is not None


def _is_unfinished(run):
    return read_json(Path(run) / SETTINGS).get("state") in ("training", "interrupted")


def check_same_settings(run, earlier, settings, longer=False):
    """Says how the settings of an earlier run differ, in the form that its file has them in.

    Args:
        run: the directory.
        earlier, settings: dicts.
        longer: whether it is a finished run that goes on: then the steps may differ, and what is a
            schedule over them.

    Raises:
        ValueError: they differ.
    """
    check_known_settings(run, earlier, {**dict.fromkeys(earlier), **settings}, longer)
    if earlier.get("versions") != settings["versions"]:
        warnings.warn(
            f"'{run}' was begun with other versions, {earlier.get('versions')}. What it becomes "
            "may differ in the last bits.",
            stacklevel=4,
        )


def check_known_settings(run, earlier, settings, longer=False):
    """As `check_same_settings`, of those that are known here, before the data are loaded."""
    earlier, settings = {**UNWRITTEN, **earlier}, json.loads(json.dumps(settings))
    names = [name for name in dict.fromkeys([*earlier, *settings]) if name in settings]
    free = set(NO_SETTINGS)
    if longer:
        free |= {"steps", "sample_every"} | {n for n in names if isinstance(earlier.get(n), dict)}
    differing = [n for n in names if n not in free and earlier.get(n) != settings[n]]
    if differing:
        shown = [name for name in differing if name not in CONSEQUENCES] or differing
        differing = "; ".join(
            f"{name} is {json.dumps(earlier.get(name))} there and {json.dumps(settings[name])} here"
            for name in shown
        )
        kind = "a finished" if longer or earlier.get("state") == "finished" else "an unfinished"
        raise ValueError(
            f"'{run}' has {kind} run of other settings: {differing}. Give its "
            "settings to go on with it, another --out, or --fresh to replace it."
        )


def facts_of(settings):
    """What the card of an exported model says, from the settings of its run."""
    return {name: settings[name] for name in FACTS if settings.get(name) not in (None, [])}
