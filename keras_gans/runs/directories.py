"""The directory of a run: who writes to it, and what it knows of its model."""

import contextlib
import os
import shutil
import tempfile
import time
from pathlib import Path

import keras

from keras_gans.devices.precision import precision_of
from keras_gans.devices.replicas import is_chief, of_all_workers
from keras_gans.files import remove_unfinished, replacing
from keras_gans.run_settings import SETTINGS
from keras_gans.training.kinds import Labels
from keras_gans.versions import versions


@contextlib.contextmanager
def own_directory(gan, run, goes_on):
    """The directory that this process writes to: the run's, which is emptied unless it goes on.

    All workers do the same, since some variables are read by all together, but only the chief
    writes to the run's directory; the others write to a temporary one, in silence.
    """
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


class FirstStep(keras.callbacks.Callback):
    """Knows whether a step has been taken in this `fit`."""

    taken = False

    def on_train_batch_end(self, batch, logs=None):
        self.taken = True


@contextlib.contextmanager
def as_it_was_without_a_step(run):
    """Gives a callback of `fit`; after an error before its first step the run is as it was.

    A finished run that could not be lengthened is still finished, and where there was no run there
    is none, so that a corrected command is not refused for what the wrong one left.

    Args:
        run: path, with an earlier run or new or empty.
    """
    settings = run / SETTINGS
    before = settings.read_bytes() if settings.exists() else None
    made = [path for path in (run, *run.parents) if not path.exists()]
    first = FirstStep()
    try:
        yield first
    except BaseException:
        if not first.taken and before is not None:
            with replacing(settings) as temporary:
                Path(temporary).write_bytes(before)
        elif not first.taken:
            for path in run.iterdir() if run.exists() else ():
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            for path in made:
                with contextlib.suppress(OSError):  # it is not empty, or was never made
                    path.rmdir()
        raise


def chosen_of(gan):
    """What the settings file says of a model unless the user has chosen words for it."""
    return {"model": type(gan).__name__, "precision": precision_of(gan)}


def facts_of_networks(gan):
    """What the settings file says of a model, whatever its data are."""
    return {
        "seed": gan.seed,
        "ema_decay": keras.saving.serialize_keras_object(gan.ema_decay),  # JSON of a schedule, too
        "num_classes": gan.num_classes,
        "latent_shape": list(gan.latent_shape),
        "latents": gan.latent_prior,
        "minibatches_per_step": gan.minibatches_per_step,
        "parameters": gan.count_params(),
    }


def facts_of_model(gan, info):
    """What the settings file says beyond what the user chose."""
    # Codes that a model finds by itself (InfoGAN) are not the classes of the data.
    labelled = any(isinstance(part, Labels) for part in gan.data_spec())
    return {
        **facts_of_networks(gan),
        "sample_shape": list(info.shape),
        "num_examples": info.num_examples,
        "dataset_license": info.license,
        "class_names": list(info.class_names or []) if labelled else [],
        "versions": versions(),
        "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
