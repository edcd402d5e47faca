"""The directory of a run: its settings, and whether a run may begin or go on there."""

import contextlib
import json
import os
import platform
import shutil
import tempfile
import time
import warnings
from importlib.metadata import version
from pathlib import Path

from keras_gans.files import read_json, remove_unfinished

SETTINGS = "settings.json"
# What differs between two runs of the same settings.
NO_SETTINGS = ("state", "failure", "steps_taken", "training_seconds", "started", "versions")
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
# What a run knows of its model and the model does not.
FACTS = (
    "dataset",
    "dataset_license",
    "num_examples",
    "class_names",
    "batch_size",
    "plot_limit",
    "training_seconds",
    "started",
)


def check_directory(run, fresh=False):
    """Says, before any work is done, whether a run can be written to a directory.

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
    if not fresh and not _is_unfinished(run):
        raise ValueError(
            f"--out must be a new or empty directory, or one with a run that is not finished. "
            f"Received: '{run}', which has a finished run; give another --out, or --fresh to "
            "replace it."
        )
    if fresh and run.is_symlink():
        raise ValueError(f"--fresh does not replace symbolic links. Received: '{run}'.")


def is_finished(run, **settings):
    """Whether a directory holds a run that came to its end, with these values in its settings.

    For scripts of several runs that go on where they were ended.
    """
    found = read_json(Path(run) / SETTINGS)
    wanted = {"state": "finished", **settings}
    return all(name in found and found[name] == value for name, value in wanted.items())


def _is_unfinished(run):
    return read_json(Path(run) / SETTINGS).get("state") in ("training", "interrupted")


def check_same_settings(run, earlier, settings):
    """Says how the settings of an unfinished run differ, in the form that its file has them in."""
    settings = json.loads(json.dumps(settings))
    names = [n for n in dict.fromkeys([*earlier, *settings]) if n not in NO_SETTINGS]
    differing = [name for name in names if earlier.get(name) != settings.get(name)]
    if differing:
        shown = [name for name in differing if name not in CONSEQUENCES] or differing
        differing = "; ".join(
            f"{name} is {json.dumps(earlier.get(name))} there and "
            f"{json.dumps(settings.get(name))} here"
            for name in shown
        )
        raise ValueError(
            f"'{run}' has an unfinished run of other settings: {differing}. Give its "
            "settings to go on with it, another --out, or --fresh to replace it."
        )
    if earlier.get("versions") != settings["versions"]:
        warnings.warn(
            f"'{run}' was begun with other versions, {earlier.get('versions')}. What it becomes "
            "may differ in the last bits.",
            stacklevel=3,
        )


@contextlib.contextmanager
def own_directory(gan, run, goes_on):
    """The directory that this process writes to: the run's, which is emptied unless it goes on.

    All workers do the same, since some variables are read by all together, but only the chief
    writes to the run's directory; the others write to a temporary one, in silence.
    """
    from keras_gans.callbacks._support import is_chief
    from keras_gans.replicas import of_all_workers

    with contextlib.ExitStack() as stack:
        of_all_workers(gan.distribute_strategy, 0)  # all have read what is there
        if not is_chief(gan):
            silence = stack.enter_context(open(os.devnull, "w"))
            stack.enter_context(contextlib.redirect_stdout(silence))
            own = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        else:
            own = run
            for directory in (run, run / "samples") if goes_on else ():
                remove_unfinished(directory)
            if run.exists() and not goes_on:
                shutil.rmtree(run)
        of_all_workers(gan.distribute_strategy, 0)
        yield own
        of_all_workers(gan.distribute_strategy, 0)  # one that leaves early seems to have died


def facts_of_model(gan, info):
    """What the settings file says beyond what the user chose."""
    import keras_gans
    from keras_gans.pipeline import Labels

    # Codes that a model finds by itself (InfoGAN) are not the classes of the data.
    labelled = any(isinstance(part, Labels) for part in gan.data_spec())
    return {
        "seed": gan.seed,
        "ema_decay": gan.ema_decay,
        "sample_shape": list(info.shape),
        "num_examples": info.num_examples,
        "dataset_license": info.license,
        "num_classes": gan.num_classes,
        "class_names": list(info.class_names or []) if labelled else [],
        "latent_shape": list(gan.latent_shape),
        "latents": gan.latent_prior,
        "minibatches_per_step": gan.minibatches_per_step,
        "parameters": gan.count_params(),
        "versions": {
            "keras_gans": keras_gans.__version__,
            "python": platform.python_version(),
            **{name: version(name) for name in ("keras", "tensorflow", "numpy")},
        },
        "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def facts_of(settings):
    """What the card of an exported model says, from the settings of its run."""
    return {name: settings[name] for name in FACTS if settings.get(name) not in (None, [])}


def load_model(path):
    """The `AdversarialModel` of a `.keras` file; a ValueError where the file holds another one."""
    import keras

    from keras_gans.base import AdversarialModel

    try:
        gan = keras.models.load_model(path)
    except TypeError as error:  # Keras says so when a class is neither its own nor registered.
        raise ValueError(f"'{path}' is no model of keras_gans: {error}") from error
    if not isinstance(gan, AdversarialModel):
        kind = type(gan).__name__
        raise ValueError(f"'{path}' must hold a model of keras_gans. Received: a {kind}.")
    return gan
