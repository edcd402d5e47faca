"""Runs that are killed at random moments and restarted end as the one that was left alone.

Each is a process of its own: a second model in one process has other names in its graph, which
TensorFlow then optimises in another way, and rounds otherwise.
"""

import contextlib
import csv
import functools
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile

import h5py
import numpy as np
import pytest

KILLS = 4
TIMEOUT = 300

pytestmark = [pytest.mark.slow, pytest.mark.processes]

RUNS = {
    "WGAN-GP with an average": (
        *("wgan-gp", "--dataset", "ring", "--ema-decay", "0.9", "--batch-size", "16"),
        *("--steps", "400", "--sample-every", "80", "--save-every", "7"),
    ),
    "GAN": (
        *("gan", "--dataset", "ring", "--batch-size", "16"),
        *("--steps", "2000", "--sample-every", "300", "--save-every", "30"),
    ),
    "GAN with dropout on pictures": (
        *("gan", "--dataset", "noto_skin_tones", "--image-size", "8", "--batch-size", "8"),
        *("--steps", "400", "--sample-every", "80", "--save-every", "11"),
    ),
}


def start(arguments, out):
    command = [sys.executable, "-m", "keras_gans", "train", *arguments, "--out", str(out)]
    return start_command(command, out)


def start_command(command, out):
    with open(f"{out}.log", "a") as log:
        return subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)


def finish(process, out):
    assert process.wait(TIMEOUT) == 0, read_log(out)


def read_log(out):
    with open(f"{out}.log") as file:
        return file.read()


def names_in(directory):
    try:
        return os.listdir(directory)
    except FileNotFoundError:
        return []


def newest(run):
    names = [name for name in names_in(run / "checkpoints") if name.startswith("step_")]
    return max((int(name[5:]) for name in names), default=0)


def is_saving(run):
    return any(name.startswith(".step_") for name in names_in(run / "checkpoints"))


def wait_for(condition, process, out):
    end = time.monotonic() + TIMEOUT
    while not condition():
        assert process.poll() is None, f"ended by itself\n{read_log(out)}"
        assert time.monotonic() < end, read_log(out)
        time.sleep(0.001)


def kill(arguments, run, during_a_save, rng):
    """Starts or restarts a run, and kills it after it has come further.

    Returns:
        Whether the kill left an unfinished checkpoint.
    """
    before = newest(run)
    process = start(arguments, run)
    wait_for(lambda: newest(run) > before, process, run)
    if during_a_save:
        wait_for(lambda: is_saving(run), process, run)
    else:
        time.sleep(rng.uniform(0.0, 0.3))
    process.send_signal(signal.SIGKILL)
    assert process.wait(TIMEOUT) == -signal.SIGKILL, read_log(run)
    return is_saving(run)


def state_of(run):
    """All arrays in model.keras: weights, averages, seeds, optimizers' slots and iterations."""
    found = {}

    def keep(name, item):
        if isinstance(item, h5py.Dataset):
            found[name] = item[()]

    with zipfile.ZipFile(run / "model.keras") as archive, archive.open("model.weights.h5") as file:
        h5py.File(file).visititems(keep)
    return found


def curves_of(run):
    with open(run / "losses.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row.pop("images_per_second")
    return rows


def assert_same_run(run, whole):
    state, expected = state_of(run), state_of(whole)
    assert state.keys() == expected.keys()
    assert any("optimizer" in name for name in state) and len(state) > 20
    for name, value in expected.items():
        np.testing.assert_array_equal(state[name], value, err_msg=name)
    samples = sorted(os.listdir(whole / "samples"))
    assert sorted(os.listdir(run / "samples")) == samples
    for name in ("grid.png", *(f"samples/{name}" for name in samples)):
        assert (run / name).read_bytes() == (whole / name).read_bytes(), name
    assert curves_of(run) == curves_of(whole)
    assert sorted(os.listdir(run)) == sorted(os.listdir(whole))
    assert json.loads((run / "settings.json").read_text())["state"] == "finished"


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A function that starts the uninterrupted run of a name, once, and returns its directory."""
    processes = {}

    @functools.cache
    def begun(name):
        run = tmp_path_factory.mktemp("whole") / "run"
        processes[run] = start(RUNS[name], run)
        return run

    def finished(name):
        finish(processes[begun(name)], begun(name))
        return begun(name)

    finished.begin = begun
    return finished


@pytest.mark.parametrize("name", RUNS)
def test_killed_runs_end_as_the_one_that_was_not(name, whole, tmp_path):
    whole.begin(name)
    rng, run = random.Random(name), tmp_path / "run"
    cut = [kill(RUNS[name], run, index % 2 == 1, rng) for index in range(KILLS)]
    print(f"{KILLS} kills, {sum(cut)} of them in the middle of a save")
    finish(start(RUNS[name], run), run)
    assert read_log(run).count("Going on from") == KILLS
    assert_same_run(run, whole(name))


@pytest.mark.parametrize("file", ["state.index", "state.data-00000-of-00001"])
def test_a_truncated_checkpoint(file, whole, tmp_path):
    """Half of the newest one is lost: the run goes on from the one before."""
    run = tmp_path / "run"
    process = start(RUNS["GAN"], run)
    wait_for(lambda: newest(run) >= 90, process, run)
    process.kill()
    process.wait(TIMEOUT)
    last = newest(run)
    path = run / "checkpoints" / f"step_{last:08d}" / file
    os.truncate(path, path.stat().st_size // 2)
    finish(start(RUNS["GAN"], run), run)
    log = read_log(run)
    assert f"'{path}' is damaged" in log and "It is passed over." in log
    assert f"step_{last - 30:08d}': step" in log
    assert_same_run(run, whole("GAN"))


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 16 MiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(disk)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("only root mounts file systems")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def fill(disk):
    with open(disk / "filler", "wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(bytes(4096)):
            pass


def test_a_full_disk(small_disk, whole, tmp_path):
    """No checkpoint nor picture can be written any more, until there is space again."""
    log, run = tmp_path / "run", small_disk / "run"
    command = [sys.executable, "-m", "keras_gans", "train", *RUNS["GAN"], "--out", str(run)]
    process = start_command(command, log)
    wait_for(lambda: newest(run) > 0, process, log)
    fill(small_disk)
    end = time.monotonic() + TIMEOUT
    while "could not be written" not in read_log(log) and process.poll() is None:
        assert time.monotonic() < end
        time.sleep(0.01)
    process.kill()
    process.wait(TIMEOUT)
    # A checkpoint is warned of; a picture or curve ends the run.
    said = re.search(r"The newest one is '|Error: .* No space left on device: '.+'", read_log(log))
    assert said, read_log(log)
    saved = newest(run)
    assert saved > 0
    (small_disk / "filler").unlink()
    finish(start_command(command, log), log)
    assert f"step_{saved:08d}': step" in read_log(log)
    assert_same_run(run, whole("GAN"))


GROWING = """
import sys

import keras
import tensorflow as tf

from keras_gans import ProGAN, runs
from keras_gans.datasets import load
from keras_gans.networks import build_progan_discriminator, build_progan_generator

keras.utils.set_random_seed(0)
tf.config.experimental.enable_op_determinism()
small = {"filters_max": 8, "seed": 0}
generator = build_progan_generator((4, 4, 3), latent_dim=8, **small)
gan = ProGAN(generator, build_progan_discriminator((4, 4, 3), **small), ema_decay=0.9, seed=0)


def load_stage(shape, batch_size):
    return load("noto_skin_tones", batch_size=batch_size, image_size=shape[:2])


runs.train_stages(gan, [(60, 4), (60, 4)], load_stage, sys.argv[1], 20, save_every=7)
"""


def test_a_growing_model_killed_in_both_stages(tmp_path):
    (tmp_path / "killed").mkdir()
    run, whole = tmp_path / "killed" / "run", tmp_path / "run"
    script = [sys.executable, "-c", GROWING]
    finish(start_command([*script, whole], whole), whole)
    for stage in (run.with_name("run-4"), run):
        process = start_command([*script, run], run)
        wait_for(lambda stage=stage: newest(stage) > 7, process, run)
        process.kill()
        process.wait(TIMEOUT)
    finish(start_command([*script, run], run), run)
    log = read_log(run)
    assert log.count("Going on from") == 2 and log.count("run-4 is finished") == 1
    for name in ("run-4", "run"):
        assert_same_run(run.with_name(name), whole.with_name(name))
