"""oneDNN's kernels for CPUs, which TensorFlow's wheels have and do not use everywhere.

By itself TensorFlow turns them on where the CPU has AVX-512 VNNI. Those for AVX2, which it leaves
off, take about half the time of its own too (docs/performance.md). It decides when it is imported,
by an environment variable, and so the import of this module, which must be the first, sets that
one, where it is not too late and the user has not said otherwise.
"""

import os
import platform
import sys
import warnings

VARIABLE = "TF_ENABLE_ONEDNN_OPTS"

if "tensorflow" not in sys.modules:
    os.environ.setdefault(VARIABLE, "1")


def warn_of_slow_kernels():
    """Warns, once, where networks are trained on a CPU without oneDNN, though it could be had."""
    import tensorflow as tf
    from tensorflow.python.framework.test_util import IsMklEnabled  # has no public name

    told = VARIABLE in os.environ or platform.machine() not in ("x86_64", "AMD64")
    accelerators = [d for d in tf.config.list_logical_devices() if d.device_type != "CPU"]
    if not told and not accelerators and not IsMklEnabled():
        warnings.warn(
            "TensorFlow was imported before keras_gans, and uses no oneDNN, with which training on "
            "this CPU takes about half the time. Import keras_gans first, or set the environment "
            f"variable {VARIABLE}=1; 0 keeps it off and ends this warning",
            stacklevel=3,
        )
