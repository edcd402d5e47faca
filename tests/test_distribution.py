"""One device, two replicas and two worker processes: the same run, and what happens when one dies.

Run as a program, with a directory, this file is one of two workers. `test_models.py` has the
replicas of all models.
"""

import glob
import io
import json
import os
import re
import runpy
import signal
import socket
import subprocess
import sys
import time
import types
import zipfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import h5py
import harness
import keras
import numpy as np
import pytest
import tensorflow as tf
import yaml
from cases import BY_NAME, OF_WORKERS
from harness import assert_close, compile_sgd, state

from keras_gans import GAN, WGANGP
from keras_gans.callbacks import Guard, Resume
from keras_gans.datasets import load
from keras_gans.devices import replicas
from keras_gans.devices.precision import LossScaleOptimizer
from keras_gans.layers import BatchNormalization
from keras_gans.networks import build_mlp_discriminator, build_mlp_generator

EXAMPLES = Path(__file__).parents[1] / "examples" / "distributed"
STEPS = 5
TIMEOUT = 600


# Processes


def free_ports(num):
    sockets = [socket.socket() for _ in range(num)]
    for each in sockets:
        each.bind(("localhost", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def tf_config(hosts, index):
    return {"cluster": {"worker": hosts}, "task": {"type": "worker", "index": index}}


def start_workers(log, *command):
    """Two processes on this machine that train together; what they say is in `log`0 and `log`1."""
    hosts = [f"localhost:{port}" for port in free_ports(2)]
    processes = []
    for index in range(2):
        environment = {**os.environ, "TF_CONFIG": json.dumps(tf_config(hosts, index))}
        with open(f"{log}{index}", "w") as file:
            output = {"stdout": file, "stderr": subprocess.STDOUT}
            arguments = [sys.executable, *map(str, command)]
            processes.append(subprocess.Popen(arguments, env=environment, **output))
    return processes


def finish(processes, log):
    """Waits for workers that must end well; nothing is left running."""
    try:
        for index, process in enumerate(processes):
            assert process.wait(TIMEOUT) == 0, Path(f"{log}{index}").read_text()[-3000:]
    finally:
        for process in processes:
            process.kill()


# What one device does, and each of two workers: functions of a directory that return arrays


def of_case(case):
    """A model of the harness, as `harness.check_replicas_are_one_device` trains it."""

    def run(directory):
        model = compile_sgd(case.build(ema_decay=0.9), case.rate)
        harness.train(model, case, STEPS)
        return state(model)

    return run


def points(num):
    return np.random.default_rng(0).normal(size=(num, 2)).astype("float32")


def worker_index():
    return json.loads(os.environ.get("TF_CONFIG", "{}")).get("task", {}).get("index", 0)


def fit(x, seed=4, compiled=None, **arguments):
    """The state of a small WGAN-GP after training, which pairs reals with fakes."""
    generator = build_mlp_generator((2,), 3, (8,), seed=1)
    critic = build_mlp_discriminator((2,), (8,), seed=2)
    model = compile_sgd(WGANGP(generator, critic, n_critic=2, seed=seed), **(compiled or {}))
    model.fit(x, verbose=0, **arguments)
    return state(model)


def from_files(directory):
    """Text files, each read by one worker alone if TensorFlow had its way."""
    files = tf.data.TextLineDataset([str(directory / f"{k}.txt") for k in range(2)])
    return files.map(lambda line: tf.io.decode_csv(line, [0.0, 0.0])).map(
        lambda *row: tf.stack(row)
    )


def from_generator():
    return tf.data.Dataset.from_generator(
        lambda: iter(points(48)), output_signature=tf.TensorSpec((2,), tf.float32)
    )


def already_distributed(directory):
    """By its maker, who gives each replica its rows of both minibatches of a step."""
    batches = tf.data.Dataset.from_tensor_slices(points(48))
    strategy = tf.distribute.get_strategy()
    if strategy.num_replicas_in_sync == 1:
        return fit(batches.batch(8), steps_per_epoch=3)

    def rows(context):
        size = context.get_per_replica_batch_size(16)
        begin = context.input_pipeline_id * size
        return batches.batch(16, drop_remainder=True).repeat().map(lambda b: b[begin:][:size])

    return fit(strategy.distribute_datasets_from_function(rows), steps_per_epoch=3)


def nan_in_a_late_batch(directory):
    bad = points(48)
    bad[40] = np.nan
    with pytest.raises(ValueError, match=r"`reals` must be finite.*no weight was moved"):
        fit(tf.data.Dataset.from_tensor_slices(bad).batch(8))
    return []


def odd_batch(directory):
    """A ValueError, but for one device."""
    dataset = tf.data.Dataset.from_tensor_slices(points(30)).batch(5)
    if tf.distribute.get_strategy().num_replicas_in_sync == 1:
        return []
    with pytest.raises(ValueError, match=r"number of replicas, 2,.*batches of 5"):
        fit(dataset)
    return []


def clipped(loss_scaling=False, **arguments):
    """SGD that clips, to far less than the gradients are."""

    def sgd():
        optimizer = keras.optimizers.SGD(0.1, **arguments)
        return LossScaleOptimizer(optimizer) if loss_scaling else optimizer

    def run(directory):
        generator = build_mlp_generator((2,), 3, (8,), seed=1)
        model = GAN(generator, build_mlp_discriminator((2,), (8,), seed=2), seed=4)
        optimizers = {f"{player}_optimizer": sgd() for player in model.players}
        for _ in range(2):  # the second time must change nothing
            model.compile(**optimizers)
        model.fit(load("ring", batch_size=8), steps_per_epoch=4, verbose=0)
        return state(model)

    return run


def several_steps_at_once(directory):
    """A ValueError for workers, in the place of TensorFlow's about a placeholder."""
    ring, compiled = load("ring", batch_size=8), {"steps_per_execution": 2}
    if replicas.several_workers(tf.distribute.get_strategy()):
        with pytest.raises(ValueError, match="`steps_per_execution` must be 1"):
            fit(ring, compiled=compiled, steps_per_epoch=4)
        compiled = None
    return fit(ring, compiled=compiled, steps_per_epoch=4)


def a_run_that_breaks(directory):
    """All workers see it, go back and save, as that reads variables of all; one file stays."""
    path = directory / f"{os.getpid()}.keras"
    guard = Guard(every_steps=2, path=path)
    ended = fit(
        load("ring", batch_size=8), compiled={"rate": 1e20}, steps_per_epoch=4, callbacks=[guard]
    )
    assert guard.failure.startswith("The critic broke at step "), guard.failure
    assert path.exists() == (worker_index() == 0)
    return ended


def shapes_of_a_step(directory):
    """They must be static; times the replicas they are one device's."""
    strategy, seen = tf.distribute.get_strategy(), []

    class Spy(WGANGP):
        def train_step(self, data):
            seen.append(data[0].shape)
            return super().train_step(data)

    networks = build_mlp_generator((2,), 3, (8,)), build_mlp_discriminator((2,), (8,))
    Spy(*networks, n_critic=2).fit(load("ring", batch_size=8), steps_per_epoch=1, verbose=0)
    return [np.array(seen[-1].as_list()) * [strategy.num_replicas_in_sync, 1]]


def checkpoints_that_one_worker_lacks(directory):
    """A ValueError on all workers, before they go on from different steps."""
    ring, there = load("ring", batch_size=8), directory / "there"
    ended = fit(ring, steps_per_epoch=2, callbacks=[Resume(there)])
    if replicas.several_workers(tf.distribute.get_strategy()):
        mine = there if worker_index() == 0 else directory / "elsewhere"
        with pytest.raises(ValueError, match=r"all workers see.*after \[2, 0\] steps"):
            fit(ring, steps_per_epoch=2, epochs=2, callbacks=[Resume(mine)])
    return ended


def numbers_of_workers(directory):
    strategy = tf.distribute.get_strategy()
    found = replicas.of_all_workers(strategy, 10 + worker_index())
    assert found == list(range(10, 10 + strategy.num_replicas_in_sync))
    return []


OF_DATA = {
    "array, seed of the chief": lambda _: fit(
        points(70), seed=4 + worker_index(), batch_size=8, epochs=2
    ),
    "shuffled": lambda _: fit(
        tf.data.Dataset.from_tensor_slices(points(48)).shuffle(48, seed=1).batch(8), epochs=2
    ),
    "of the package": lambda _: fit(load("ring", batch_size=8), epochs=2, steps_per_epoch=2),
    "generator": lambda _: fit(from_generator().batch(8), epochs=2),
    "files": lambda directory: fit(from_files(directory).batch(8), epochs=2),
    "already distributed": already_distributed,
    "clipped": clipped(global_clipnorm=0.01),
    "NaN": nan_in_a_late_batch,
    "odd batch": odd_batch,
    "several steps at once": several_steps_at_once,
    "breaks": a_run_that_breaks,
    "shapes": shapes_of_a_step,
    "checkpoints": checkpoints_that_one_worker_lacks,
    "numbers": numbers_of_workers,
}


def all_runs():
    return {**OF_DATA, **{name: of_case(BY_NAME[name]) for name in OF_WORKERS}}


def work(directory):
    """One of the workers: does all runs, and writes down what each ended with."""
    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    for number, run in enumerate(all_runs().values()):
        keras.utils.set_random_seed(0)  # the order of shuffled data depends on it
        with strategy.scope():
            ended = run(directory)
        np.savez(directory / f"{number}-{worker_index()}.npz", *ended)


@pytest.mark.slow
@pytest.mark.processes
def test_two_workers_are_one_device(tmp_path):
    """All in one pair of processes, as a start takes longer than most runs."""
    (tmp_path / "alone").mkdir()
    for k in range(2):
        for directory in (tmp_path, tmp_path / "alone"):
            rows = points(48)[24 * k : 24 * (k + 1)]
            np.savetxt(directory / f"{k}.txt", rows, "%.8g", delimiter=",")
    workers = start_workers(tmp_path / "log", __file__, tmp_path)
    alone = {}
    for name, run in all_runs().items():
        keras.utils.set_random_seed(0)
        alone[name] = run(tmp_path / "alone")
    finish(workers, tmp_path / "log")
    differing = {}
    for number, (name, expected) in enumerate(alone.items()):
        for index in range(2):
            with np.load(tmp_path / f"{number}-{index}.npz") as file:
                ended = [file[key] for key in file.files]
            try:
                assert_close(ended, expected, 2e-5)
            except AssertionError as error:
                differing[f"{name}, worker {index}"] = str(error).split("Max absolute")[-1]
    assert not differing, "\n".join(f"{name}: {by}" for name, by in differing.items())


# A worker dies


GAN_ON_RING = ("gan", "--dataset", "ring", "--batch-size", "16", "--ema-decay", "0.9")
RUN = (*GAN_ON_RING, "--steps", "300", "--sample-every", "100", "--save-every", "10")


def start_run(out, run=RUN):
    options = ("--strategy", "multi-worker", "--out", out)
    return start_workers(f"{out}.log", "-m", "keras_gans", "train", *run, *options)


def newest_checkpoint(out):
    return max((int(path[-8:]) for path in glob.glob(f"{out}/checkpoints/step_*")), default=0)


def weights_of(out):
    """All that is in a run's model.keras, optimizers and random state included."""
    with zipfile.ZipFile(f"{out}/model.keras") as archive:
        file = h5py.File(io.BytesIO(archive.read("model.weights.h5")))
    found = {}
    file.visititems(
        lambda name, item: (
            found.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None
        )
    )
    return found


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    out = tmp_path_factory.mktemp("workers") / "run"
    finish(start_run(out), f"{out}.log")
    return out


@pytest.mark.slow
@pytest.mark.processes
def test_only_the_chief_writes(uninterrupted):
    names = {path.name for path in uninterrupted.iterdir()}
    assert names == {
        *("settings.json", "samples", "losses.png", "losses.csv", "tensorboard"),
        *("model.keras", "savedmodel", "grid.png", "checkpoints"),
    }
    assert len(list((uninterrupted / "tensorboard").iterdir())) == 1
    assert json.loads((uninterrupted / "settings.json").read_text())["state"] == "finished"
    chief, other = (Path(f"{uninterrupted}.log{index}").read_text() for index in range(2))
    assert "Finished after 300 steps" in chief and "generator_loss" in chief
    for words in ("Training", "Finished", "loss", "Epoch"):
        assert words not in other


@pytest.mark.slow
@pytest.mark.processes
def test_a_run_of_two_workers_is_that_of_one_device(tmp_path):
    """With the paper's optimizers, which clip gradients.

    Weights move by 0.1 in a step. Without a unit whose input rounds to the other side of a
    LeakyReLU's kink they agree to 1e-7; from the step with the first such unit, which comes
    after some hundred steps, the two trajectories part, by 0.01 in 40 steps.
    """
    run = (*GAN_ON_RING, "--steps", "30")
    finish(start_run(tmp_path / "workers", run), tmp_path / "workers.log")
    command = [sys.executable, "-m", "keras_gans", "train", *run, "--out", str(tmp_path / "run")]
    subprocess.run(command, check=True, capture_output=True)
    ended, alone = weights_of(tmp_path / "workers"), weights_of(tmp_path / "run")
    for name, value in alone.items():
        np.testing.assert_allclose(ended[name], value, rtol=0, atol=5e-3, err_msg=name)


@pytest.mark.slow
@pytest.mark.processes
def test_others_stop_when_a_worker_dies_and_the_restarted_job_goes_on(uninterrupted, tmp_path):
    """Worker 1 is killed, then the chief is stopped: it is there, and silent."""
    out = tmp_path / "run"
    for victim, kill, at in ((1, signal.SIGKILL, 20), (0, signal.SIGSTOP, 120)):
        workers = start_run(out)
        try:
            deadline = time.monotonic() + TIMEOUT
            while newest_checkpoint(out) < at:
                assert time.monotonic() < deadline
                assert all(worker.poll() is None for worker in workers)
                time.sleep(0.05)
            workers[victim].send_signal(kill)
            assert workers[1 - victim].wait(120) == 2
        finally:
            for worker in workers:
                worker.kill()
                worker.wait()
        said = Path(f"{out}.log{1 - victim}").read_text()
        (message,) = re.findall(r"^Error: .*", said, re.MULTILINE)
        assert re.search(rf"stopped on worker {1 - victim} after [\d,]+ steps: ", message)
        assert "gone or does not answer" in message and "Restart all workers" in message
        assert kill == signal.SIGSTOP or "worker 1 is gone" in message
        assert "Traceback" not in said
    finish(start_run(out), f"{out}.log")
    assert "Going on from" in Path(f"{out}.log0").read_text()
    ended, expected = weights_of(out), weights_of(uninterrupted)
    assert ended.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_allclose(ended[name], value, rtol=0, atol=1e-6, err_msg=name)
    assert (out / "grid.png").read_bytes() == (uninterrupted / "grid.png").read_bytes()


class Aborted(tf.errors.UnavailableError):
    def __init__(self, message):
        super().__init__(None, None, message)


def test_message_where_a_worker_is_gone(monkeypatch):
    hosts = ["a:1", "b:1", "c:1"]
    monkeypatch.setenv("TF_CONFIG", json.dumps(tf_config(hosts, 1)))
    text = "Graph execution error\nCollective ops is aborted by: Socket closed\n{}\nRestart it."
    for where, who in (
        ("/job:worker/replica:0/task:2", "worker 2"),
        ("/job:worker/task:1 said: /job:worker/task:0", "worker 0"),
        ("", "another worker"),
    ):
        with (
            pytest.raises(ConnectionError, match=rf"on worker 1: {who} is gone.*\(Socket closed\)"),
            replicas.together(),
        ):
            raise Aborted(text.format(where))
    with pytest.raises(tf.errors.UnavailableError), replicas.together():
        raise Aborted("another error")


# Data and shapes


@pytest.mark.parametrize("local", [1, 2])
def test_rows_of_workers_with_several_devices(local):
    """Together, in the order of the replicas, they are the batch."""
    batches = np.arange(48).reshape(3, 16)
    dataset = tf.data.Dataset.from_tensor_slices((batches, -batches))
    for data in (dataset, dataset.repeat()):
        workers = [
            replicas.own_part(data, tf.distribute.InputContext(2, index, 2 * local))
            for index in range(2)
        ]
        assert {spec.shape[0] for spec in workers[0].element_spec} == {16 // (2 * local)}
        for batch in (0, 1, 2):
            parts = [
                [part.numpy() for part in element]
                for worker in workers
                for element in worker.skip(batch * local).take(local)
            ]
            first, second = (np.concatenate(part) for part in zip(*parts, strict=True))
            np.testing.assert_array_equal(first, batches[batch])
            np.testing.assert_array_equal(second, -batches[batch])


def test_shapes_are_static(two_replicas):
    one = shapes_of_a_step(None)
    with two_replicas.scope():
        two = shapes_of_a_step(None)
    assert one[0].tolist() == two[0].tolist() == [16, 2]


def test_batch_normalization_of_each_replica_by_itself(two_replicas):
    """As docs/distributed.md sets it: the halves of a batch, which are unlike, share nothing."""
    case = BY_NAME["DCGAN"]

    def trained():
        model = compile_sgd(case.build(), case.rate)
        for network in (model.generator, model.discriminator):
            for layer in network.layers:
                if isinstance(layer, BatchNormalization):
                    layer.synchronized = False
        harness.train(model, case, 2)
        return model

    one = trained()
    with two_replicas.scope():
        two = trained()
    differences = [np.abs(a - b).max() for a, b in zip(state(one), state(two), strict=True)]
    assert 1e-3 < max(differences) < 1


@pytest.mark.parametrize(
    "arguments",
    [
        {"global_clipnorm": 0.01},
        pytest.param({"clipnorm": 0.01}, marks=pytest.mark.slow),
        pytest.param({"clipvalue": 1e-4}, marks=pytest.mark.slow),
        pytest.param({"clipnorm": 0.01, "loss_scaling": True}, marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_replicas_clip_the_gradients_of_the_global_batch(arguments, two_replicas):
    one = clipped(**arguments)(None)
    with two_replicas.scope():
        two = clipped(**arguments)(None)
    assert_close(two, one, 1e-6)
    free = clipped(loss_scaling=arguments.get("loss_scaling", False))(None)
    assert max(np.abs(a - b).max() for a, b in zip(one, free, strict=True)) > 1e-3


# Strategies by name


def test_strategies_by_name(monkeypatch):
    assert replicas.make_strategy("none") is tf.distribute.get_strategy()
    monkeypatch.setattr(tf.distribute, "MirroredStrategy", list)  # see `two_replicas`
    assert replicas.make_strategy("mirrored") == ["/device:CPU:0", "/device:CPU:1"]
    with pytest.raises(ValueError, match=r"`strategy` must be one of.*'horovod'"):
        replicas.make_strategy("horovod")
    with pytest.raises(ValueError, match="'tpu' must have a TPU"):
        replicas.make_strategy("tpu")
    monkeypatch.delenv("TF_CONFIG", raising=False)
    with pytest.raises(ValueError, match=r"environment variable TF_CONFIG.*Received: None"):
        replicas.make_strategy("multi-worker")
    one = tf.config.list_logical_devices("CPU")[:1]
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: one * (kind == "CPU"))
    with pytest.raises(ValueError, match=r"two GPUs or more.*CPU:0"):
        replicas.make_strategy("mirrored")


GOOD = {"cluster": {"chief": ["a:1"], "worker": ["b:1"]}, "task": {"type": "chief", "index": 0}}


def test_tf_config_is_what_the_strategy_reads(monkeypatch):
    for config in (GOOD, tf_config(["a:1", "b:1"], 1)):
        text = json.dumps(config)
        replicas.check_tf_config(text)
        monkeypatch.setenv("TF_CONFIG", text)
        resolver = tf.distribute.cluster_resolver.TFConfigClusterResolver()
        assert resolver.cluster_spec().as_dict() == config["cluster"]
        assert (resolver.task_type, resolver.task_id) == tuple(config["task"].values())


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", "''"),
        ("{", "is no JSON"),
        ("[]", r"Received: '\[\]'"),
        (json.dumps({"cluster": GOOD["cluster"]}), "Received: '{"),
        (json.dumps({**GOOD, "task": {"type": "worker", "index": 1}}), "the task 'worker' 1"),
        (json.dumps({**GOOD, "task": {"type": "evaluator", "index": 0}}), "the task 'evaluator' 0"),
        (json.dumps({**GOOD, "cluster": {**GOOD["cluster"], "ps": ["c:1"]}}), r"\['ps'\]"),
    ],
)
def test_tf_config_that_is_wrong(text, match):
    with pytest.raises(ValueError, match=f"TF_CONFIG, such as .*Received: .*{match}|{match}"):
        replicas.check_tf_config(text)


# Examples


def test_ray_example(monkeypatch):
    """With a stand-in for Ray, which is not installed: what the trainer is asked for."""
    made = {}

    class Trainer:
        def __init__(self, train, **arguments):
            made.update(arguments, train=train)

        def fit(self):
            made["fitted"] = True

    train, tensorflow = types.ModuleType("ray.train"), types.ModuleType("ray.train.tensorflow")
    train.FailureConfig = train.RunConfig = dict
    train.ScalingConfig = lambda num_workers, use_gpu: (num_workers, use_gpu)
    tensorflow.TensorflowTrainer = Trainer
    for module in (types.ModuleType("ray"), train, tensorflow):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(sys, "argv", ["ray_train.py", "--workers", "3", "--out", "runs/a"])
    runpy.run_path(str(EXAMPLES / "ray_train.py"), run_name="__main__")
    assert made["fitted"] and made["scaling_config"] == (3, False)
    assert made["train_loop_config"]["out"] == "runs/a"
    assert made["run_config"] == {"failure_config": {"max_failures": 100}}
    monkeypatch.delenv("TF_CONFIG", raising=False)
    with pytest.raises(ValueError, match="TF_CONFIG"):  # which Ray sets
        made["train"](made["train_loop_config"])


def test_tfjob_manifest():
    """All workers run one command on one volume, and a worker that fails is started again."""
    volume, job = yaml.safe_load_all((EXAMPLES / "tfjob.yaml").read_text())
    assert (volume["kind"], job["kind"]) == ("PersistentVolumeClaim", "TFJob")
    assert job["apiVersion"] == "kubeflow.org/v1"
    specs = job["spec"]["tfReplicaSpecs"]
    assert set(specs) == {"Worker"}
    (container,) = specs["Worker"]["template"]["spec"]["containers"]
    assert container["name"] == "tensorflow"  # the operator puts TF_CONFIG into this one only
    assert specs["Worker"]["restartPolicy"] == "OnFailure"
    assert container["command"][-4:-2] == ["--strategy", "multi-worker"]
    (mount,) = container["volumeMounts"]
    assert container["command"][-1].startswith(mount["mountPath"])
    (claim,) = specs["Worker"]["template"]["spec"]["volumes"]
    assert claim["persistentVolumeClaim"]["claimName"] == volume["metadata"]["name"]
    assert volume["spec"]["accessModes"] == ["ReadWriteMany"]


if __name__ == "__main__":
    work(Path(sys.argv[1]))
