"""What a step needs of the other replicas, for N of them to do what one device would have done."""

import tensorflow as tf


def num_replicas():
    """The number of replicas that take this step together; 1 outside of a strategy."""
    context = tf.distribute.get_replica_context()
    return context.num_replicas_in_sync if context else 1


def mean_over_replicas(value):
    """The mean over all replicas of each one's scalar or tensor, the same on all of them.

    For control variables, which must not drift apart; no gradient is needed through it.
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
