"""What `tf.config.experimental.enable_op_determinism()` leaves open on CPUs."""

import tensorflow as tf
from tensorflow.python.framework.config import is_op_determinism_enabled  # has no public name


def keep_order_of_sums():
    """Where op determinism is on and no accelerator is, sums have one order, and so one rounding.

    In a graph for which TensorFlow expects to need more than 0.8 of 256 MiB, its estimate of a
    CPU's memory, its memory optimizer adds three or more gradients in the order in which they are
    there. CycleGAN on minibatches of 64 x 64 pixels then ended with other bits each time. There is
    no switch for that optimizer alone. It is off where XLA chooses what to compile, and on CPUs XLA
    chooses nothing.
    """
    accelerators = [d for d in tf.config.list_logical_devices() if d.device_type != "CPU"]
    if is_op_determinism_enabled() and not accelerators:
        tf.config.optimizer.set_jit("autoclustering")
