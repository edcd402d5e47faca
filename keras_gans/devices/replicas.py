"""Several devices: strategies by name, what a step needs of the other replicas, and what workers
need of each other, for N of them to do what one device would have done.
"""

import contextlib
import functools
import json
import os
import re

import numpy as np
import tensorflow as tf

from keras_gans.devices.progress import steps_taken

STRATEGIES = ("none", "mirrored", "multi-worker", "tpu")


def make_strategy(name):
    """Makes the strategy of `keras-gans train --strategy NAME`; build and compile in its scope.

    Args:
        name: "none" for one device; "mirrored" for all GPUs of this machine; "multi-worker" for the
            workers in the environment variable TF_CONFIG, on each of which the same program runs,
            and which must be made before TensorFlow is used; "tpu" for this TPU VM, or for the TPU
            that the environment variable TPU_NAME names.

    Returns:
        `tf.distribute.Strategy`.

    Raises:
        ValueError: `name` is none of these, or the machine lacks what the strategy needs.

    Example:

    >>> strategy = make_strategy("mirrored")
    >>> with strategy.scope():
    ...     gan = WGANGP(build_dcgan_generator(), build_dcgan_discriminator(normalization="layer"))
    """
    if name not in STRATEGIES:
        raise ValueError(f"`strategy` must be one of {STRATEGIES}. Received: {name!r}")
    if name == "mirrored":
        devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
        if len(devices) < 2:
            raise ValueError(
                "The strategy 'mirrored' must have two GPUs or more on this machine. "
                f"Received: {', '.join(device.name for device in devices)}"
            )
        return tf.distribute.MirroredStrategy([device.name for device in devices])
    if name == "multi-worker":
        check_tf_config(os.environ.get("TF_CONFIG"))
        return tf.distribute.MultiWorkerMirroredStrategy()
    return _tpu_strategy() if name == "tpu" else tf.distribute.get_strategy()


def check_tf_config(text):
    """Raises ValueError unless this is the TF_CONFIG of a worker, which TensorFlow reads.

    It names the workers of the cluster, the same on all of them, and which one this process is:

    {"cluster": {"worker": ["host0:2222", "host1:2222"]}, "task": {"type": "worker", "index": 0}}
    """
    rule = (
        "The strategy 'multi-worker' must have the environment variable TF_CONFIG, such as "
        '{"cluster": {"worker": ["host0:2222", "host1:2222"]}, '
        '"task": {"type": "worker", "index": 0}}. Received: '
    )
    try:
        config = json.loads(text or "null")
    except json.JSONDecodeError as error:
        raise ValueError(f"{rule}{text!r}, which is no JSON ({error})") from None
    try:
        cluster, task = config["cluster"], config["task"]
        jobs = {job: len(cluster[job]) for job in cluster}
        kind, index = task["type"], int(task["index"])
    except (TypeError, KeyError, ValueError):
        raise ValueError(f"{rule}{text!r}") from None
    unknown = sorted(set(jobs) - {"chief", "worker"})
    if unknown:
        raise ValueError(f"{rule}a cluster that has {unknown} beside a chief and workers")
    if not 0 <= index < jobs.get(kind, 0):
        raise ValueError(f"{rule}the task {kind!r} {index}, which its cluster does not have")


def _tpu_strategy():
    try:
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver(
            tpu=os.environ.get("TPU_NAME", "local")
        )
        tf.config.experimental_connect_to_cluster(resolver)
        tf.tpu.experimental.initialize_tpu_system(resolver)
    except (tf.errors.OpError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"The strategy 'tpu' must have a TPU. Received: {reason}") from error
    return tf.distribute.TPUStrategy(resolver)


# In a step


def num_replicas():
    """The number of replicas that take this step together; 1 outside of a strategy."""
    context = tf.distribute.get_replica_context()
    return context.num_replicas_in_sync if context else 1


def mean_over_replicas(value):
    """The mean over all replicas of each one's scalar or tensor, the same on all of them.

    For control variables, which must not drift apart, and for losses of a mean over the global
    batch: as gradients are summed over the replicas, each one's share of a loss has its right ones.
    """
    if num_replicas() == 1:
        return value
    return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.MEAN, value)


def global_batch(rows):
    """The rows of all replicas, (global batch, ...), in the order of one device's batch."""
    if num_replicas() == 1:
        return rows
    return tf.distribute.get_replica_context().all_gather(rows, axis=0)


def own_rows(rows, like):
    """This replica's rows of a global batch, as many as the batch of `like`."""
    if num_replicas() == 1:
        return rows
    batch = tf.shape(like)[0]
    start = tf.distribute.get_replica_context().replica_id_in_sync_group * batch
    return tf.ensure_shape(rows[start : start + batch], like.shape[:1] + rows.shape[1:])


def clip_together(optimizer):
    """Lets an optimizer clip the gradients of the global batch, as it does on one device.

    Keras clips what each of N replicas has, a share of 1 / N, and then sums it, which may have N
    times the norm that was asked for.

    Args:
        optimizer: Keras optimizer with `clipnorm`, `global_clipnorm` or `clipvalue`; others stay as
            they are.
    """
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)  # of one with loss scaling
    clip = functools.partial(type(optimizer)._clip_gradients, optimizer)

    def clip_sum(gradients):
        replicas = num_replicas()
        if replicas == 1:
            return clip(gradients)
        gradients = [tf.convert_to_tensor(gradient) for gradient in gradients]
        context = tf.distribute.get_replica_context()
        gradients = clip(context.all_reduce(tf.distribute.ReduceOp.SUM, gradients))
        return [gradient / replicas for gradient in gradients]  # the optimizer sums once more

    if optimizer.clipnorm or optimizer.global_clipnorm or optimizer.clipvalue:
        optimizer._clip_gradients = clip_sum


# Between workers


def several_workers(strategy):
    """Whether several processes train together, each with replicas of its own."""
    is_theirs = isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)
    return is_theirs and strategy.extended._in_multi_worker_mode()


def is_chief(model):
    """Whether this process is the one that writes files.

    In a multi-worker run every worker runs the callbacks. The chief is the task named so, or worker
    0 where none is; a run on one machine has only that one process.
    """
    strategy = getattr(model, "distribute_strategy", None) or tf.distribute.get_strategy()
    resolver = getattr(strategy, "cluster_resolver", None)
    if resolver is None or not getattr(resolver, "task_type", None):
        return True
    if resolver.task_type == "chief":
        return True
    has_chief = "chief" in resolver.cluster_spec().jobs
    return resolver.task_type == "worker" and not has_chief and resolver.task_id in (None, 0)


def share_among_workers(dataset, strategy):
    """Gives each replica of each worker its rows of every element, in the order of the replicas.

    TensorFlow's own way gives workers different files where a dataset reads some, and worker 0 of
    two workers with two devices each the first and the third quarter of a batch. Random draws are
    split as here; see `own_rows`.

    Args:
        dataset: the same `tf.data.Dataset` on each worker, of tuples of tensors whose leading axis
            is static and a multiple of the number of replicas.
        strategy: `tf.distribute.MultiWorkerMirroredStrategy`.

    Returns:
        `tf.distribute.DistributedDataset`.
    """
    return strategy.distribute_datasets_from_function(lambda context: own_part(dataset, context))


def own_part(dataset, context):
    """This worker's part of `share_among_workers`: its replicas' rows, one replica an element."""
    (size,) = {spec.shape[0] for spec in dataset.element_spec}
    share = size // context.num_input_pipelines
    begin = context.input_pipeline_id * share

    def cut(*parts):
        return tuple(part[begin : begin + share] for part in parts)

    own = dataset.map(cut).rebatch(size // context.num_replicas_in_sync, drop_remainder=True)
    if dataset.cardinality() == tf.data.INFINITE_CARDINALITY:
        # Forgotten by `rebatch`, and with it TensorFlow keeps the shapes static.
        own = own.apply(tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY))
    return own.prefetch(tf.data.AUTOTUNE)


def of_all_workers(strategy, number):
    """The integer that each worker gives, in the workers' order; waits for all of them."""
    if not several_workers(strategy):
        return [number]

    def gather():
        own = tf.constant([number], tf.int64)
        return tf.distribute.get_replica_context().all_gather(own, axis=0)

    gathered = tf.function(lambda: strategy.run(gather), autograph=False)()
    local, *_ = strategy.experimental_local_results(gathered)
    return np.array(local)[:: len(strategy.extended.worker_devices)].tolist()


@contextlib.contextmanager
def together(model=None):
    """Inside of it the end of another worker, without which none can go on, is a ConnectionError.

    TensorFlow ends the collective operations of a worker when the connection to another one breaks,
    or when that one has sent no heartbeat for about ten seconds.

    Args:
        model: the message says how many steps it has taken.
    """
    try:
        yield
    except tf.errors.OpError as error:
        _, aborted, reason = error.message.rpartition("Collective ops is aborted by: ")
        if not aborted:
            raise
        strategy = tf.distribute.get_strategy() if model is None else model.distribute_strategy
        resolver = getattr(strategy, "cluster_resolver", None) or (
            tf.distribute.cluster_resolver.TFConfigClusterResolver()
        )
        own = f"{resolver.task_type} {resolver.task_id}"
        named = re.findall(r"/job:(\w+)(?:/replica:\d+)?/task:(\d+)", error.message)
        others = [who for who in map(" ".join, named) if who != own] or ["another worker"]
        raise ConnectionError(
            f"Training stopped on {own}{_after_steps(model)}: {others[0]} is gone or does not "
            f"answer ({reason.splitlines()[0]}). Restart all workers; with the callback `Resume` "
            "they go on from its newest checkpoint."
        ) from None


def _after_steps(model):
    if model is None:
        return ""
    return f" after {steps_taken(model):,} steps"
