"""Two logical CPU devices, so that every test can train on one device and on two replicas."""

import gc
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras_gans  # noqa: F401 before TensorFlow, which it sets up

# isort: split
import keras
import pytest
import tensorflow as tf
from tensorflow.python.framework.config import disable_op_determinism  # has no public name

CPU = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(CPU, [tf.config.LogicalDeviceConfiguration()] * 2)


# Python looks through all objects, of which TensorFlow's modules alone are half a million, once it
# has made a few ten thousand more: a fifth of a long round's time.
gc.set_threshold(50_000, 10, 10)


@pytest.fixture(autouse=True, scope="module")
def only_new_objects_are_looked_through():
    """What outlives a module, once its garbage is gone, is there for good."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def fixed_seeds():
    keras.utils.set_random_seed(0)
    disable_op_determinism()  # `keras-gans train` turns it on, and Keras then never uses XLA


@pytest.fixture(scope="session")
def two_replicas():
    """One for all tests: TensorFlow numbers the collectives of each MirroredStrategy from the same
    start, so that a second one in a process collides with the first."""
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
