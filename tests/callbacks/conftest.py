"""A model that costs nothing: callbacks are tested on it, not on a GAN."""

import keras
import numpy as np
import pytest
import tensorflow as tf


class CountingModel(keras.Model):
    """Its loss at step n, counted from 1, is n; its samples depend on the seed and on the step."""

    examples_per_step = 8

    def __init__(self, sample_shape=(4, 4, 1), num_classes=None):
        super().__init__()
        self.sample_shape = sample_shape
        self.num_classes = num_classes
        self.taken = tf.Variable(0.0)
        self.loss_metric = keras.metrics.Mean(name="generator_loss")
        self.generator_optimizer = keras.optimizers.SGD()
        self.generator_optimizer.build([])
        self.asked = []
        self.built = True

    @property
    def metrics(self):
        return [self.loss_metric]

    @property
    def sampler(self):
        return _Shape((None, *self.sample_shape))

    def train_step(self, data):
        self.taken.assign_add(1.0)
        self.generator_optimizer.iterations.assign_add(1)
        self.loss_metric.update_state(self.taken)
        return {"generator_loss": self.loss_metric.result()}

    def generate(self, num, seed=None, labels=None):
        self.asked.append((num, seed, labels))
        draws = np.random.default_rng(seed).random((num, *self.sample_shape))
        if len(self.sample_shape) == 1:
            return draws.astype("float32")
        return np.uint8(draws * 100 + float(self.taken))


class _Shape:
    def __init__(self, output_shape):
        self.output_shape = output_shape


def fit(model, *callbacks, epochs=1, steps=4, steps_per_execution=1, initial_epoch=0):
    """`steps` steps an epoch on data that the model does not look at."""
    model.compile(steps_per_execution=steps_per_execution, jit_compile=False)
    data = tf.data.Dataset.from_tensors(tf.zeros((8, 1))).repeat()
    return model.fit(
        data,
        epochs=epochs,
        steps_per_epoch=steps,
        callbacks=list(callbacks),
        verbose=0,
        initial_epoch=initial_epoch,
        shuffle=False,
    )


@pytest.fixture
def counting_model():
    return CountingModel()


@pytest.fixture
def make_model():
    return CountingModel


@pytest.fixture
def run_fit():
    return fit
