import numpy as np
import pytest
import tensorflow as tf

from keras_gans.training.reported import InUse, ReportedMean

NAN, INF = float("nan"), float("inf")


def counts(mean):
    return float(mean.count), float(mean.finite_updates)


@pytest.mark.parametrize("broken", [NAN, INF, -INF])
def test_updates_up_to_the_first_that_is_not_finite(broken):
    mean = ReportedMean("loss")
    for value in (1.0, 2.0):
        mean.update_state(value)
    assert counts(mean) == (2, 2) and float(mean.result()) == 1.5
    for value in (broken, 4.0):
        mean.update_state(value)
    assert counts(mean) == (4, 2)
    assert not np.isfinite(float(mean.result()))


def test_reset():
    mean = ReportedMean("loss")
    for value in (1.0, NAN):
        mean.update_state(value)
    mean.reset_state()
    assert counts(mean) == (0, 0)
    mean.update_state(3.0)
    assert counts(mean) == (1, 1) and float(mean.result()) == 3.0


def test_two_replicas(two_replicas):
    """Both count, and their sum is read."""
    with two_replicas.scope():
        mean = ReportedMean("loss")

    def step(value):
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        mean.update_state(value * tf.cast(1 + replica, tf.float32))

    @tf.function
    def steps():
        for value in (1.0, 2.0, NAN, 4.0):
            two_replicas.run(step, args=(tf.constant(value),))

    @tf.function
    def read():
        return mean.count.value, mean.finite_updates.value, mean.total.value

    steps()
    with two_replicas.scope():
        count, finite, total = read()
        assert (float(count), float(finite)) == (8, 4) and np.isnan(float(total))
        mean.reset_state()
        two_replicas.run(step, args=(tf.constant(1.0),))
        assert [float(value) for value in read()] == [2, 2, 3]


def test_in_use():
    """The last number, and 0 where an epoch begins."""
    in_use = InUse("decay")
    for value in (0.5, 0.75):
        in_use.update_state(value)
    assert float(in_use.result()) == 0.75
    in_use.reset_state()
    assert float(in_use.result()) == 0


def test_in_use_on_two_replicas(two_replicas):
    """Not the sum of both."""
    with two_replicas.scope():
        in_use = InUse("decay")
    step = tf.function(lambda: two_replicas.run(in_use.update_state, args=(tf.constant(0.75),)))
    step()
    with two_replicas.scope():
        assert float(tf.function(lambda: in_use.value.value)()) == 0.75
