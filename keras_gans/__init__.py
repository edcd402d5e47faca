"""keras_gans: generative adversarial networks for Keras 3 on TensorFlow, one paper a file."""

import os
import sys

from keras_gans.devices import onednn  # noqa: F401 the first, before TensorFlow is imported
from keras_gans.versions import __version__  # noqa: F401


def _is_command_line():
    """Whether this process is `keras-gans`, or `python -m keras_gans`.

    The command line imports what a command needs, by the modules' own names, when it needs it: help
    and errors would wait seconds for TensorFlow. For all others all is imported at once, since
    Keras reads only models of classes whose modules are imported.
    """
    # While Python looks for the module of -m, and imports its package, it says "-m" here.
    if sys.argv[:1] == ["-m"]:
        module = sys.orig_argv[sys.orig_argv.index("-m") + 1]
        return module in ("keras_gans", "keras_gans.cli")
    scripts = ("keras-gans", "keras-gans.exe", "keras-gans-script.py")  # the last two on Windows
    return os.path.basename(sys.argv[0] if sys.argv else "") in scripts


if not _is_command_line():
    from keras_gans import (
        callbacks,
        datasets,
        export,
        layers,
        losses,
        metrics,
        models,
        networks,
        optimizers,
        penalties,
        presets,
        schedules,
    )
    from keras_gans.models import *  # noqa: F403 what it says in its `__all__`
    from keras_gans.presets import load
    from keras_gans.training.base import AdversarialModel

    __all__ = [
        *models.__all__,
        "AdversarialModel",
        "callbacks",
        "datasets",
        "export",
        "layers",
        "load",
        "losses",
        "metrics",
        "models",
        "networks",
        "optimizers",
        "penalties",
        "presets",
        "schedules",
    ]
