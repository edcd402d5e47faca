"""oneDNN's kernels are asked for in time, and their absence is said."""

import os
import subprocess
import sys
import warnings

import pytest
from tensorflow.python.framework import test_util

from keras_gans.devices import onednn

REPORT = """
from tensorflow.python.framework.test_util import IsMklEnabled
print(os.environ.get("TF_ENABLE_ONEDNN_OPTS"), IsMklEnabled())
"""


def run(code, **environment):
    """What a fresh process prints last."""
    kept = {k: v for k, v in os.environ.items() if k != onednn.VARIABLE}
    result = subprocess.run(
        [sys.executable, "-c", f"import os\n{code}{REPORT}"],
        env={**kept, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return result.stdout.split()


def test_import_turns_it_on():
    variable, enabled = run("import keras_gans")
    assert variable == "1"
    assert enabled == str(onednn.platform.machine() in ("x86_64", "AMD64"))


@pytest.mark.slow
def test_the_users_word_counts():
    assert run("import keras_gans", TF_ENABLE_ONEDNN_OPTS="0") == ["0", "False"]


@pytest.mark.slow
def test_too_late_leaves_the_environment_alone():
    variable, _ = run("import keras, keras_gans")
    assert variable == "None"


@pytest.fixture
def too_late(monkeypatch):
    monkeypatch.delenv(onednn.VARIABLE, raising=False)
    monkeypatch.setattr(onednn.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(test_util, "IsMklEnabled", lambda: False)
    return monkeypatch


def test_warning(too_late):
    with pytest.warns(
        UserWarning, match="Import keras_gans first, or set .* TF_ENABLE_ONEDNN_OPTS"
    ):
        onednn.warn_of_slow_kernels()


@pytest.mark.parametrize("reason", ["told", "other processor", "enabled"])
def test_no_warning(too_late, reason):
    if reason == "told":
        too_late.setenv(onednn.VARIABLE, "0")
    elif reason == "other processor":
        too_late.setattr(onednn.platform, "machine", lambda: "arm64")
    else:
        too_late.setattr(test_util, "IsMklEnabled", lambda: True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        onednn.warn_of_slow_kernels()
