"""The directory of a run: who writes to it, and what it knows of its model."""

import contextlib
import os
import shutil
import tempfile
import time
from pathlib import Path

import keras

from keras_gans.devices.replicas import is_chief, of_all_workers
from keras_gans.files import remove_unfinished
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


def facts_of_model(gan, info):
    """What the settings file says beyond what the user chose."""
    # Codes that a model finds by itself (InfoGAN) are not the classes of the data.
    labelled = any(isinstance(part, Labels) for part in gan.data_spec())
    return {
        "seed": gan.seed,
        "ema_decay": keras.saving.serialize_keras_object(gan.ema_decay),  # JSON of a schedule, too
        "sample_shape": list(info.shape),
        "num_examples": info.num_examples,
        "dataset_license": info.license,
        "num_classes": gan.num_classes,
        "class_names": list(info.class_names or []) if labelled else [],
        "latent_shape": list(gan.latent_shape),
        "latents": gan.latent_prior,
        "minibatches_per_step": gan.minibatches_per_step,
        "parameters": gan.count_params(),
        "versions": versions(),
        "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
