"""Random draws that are the same on one device and on many, and that are saved with the model."""

import functools
import hashlib
import random

import keras
import tensorflow as tf
from keras import ops, tree

from keras_gans.devices.replicas import num_replicas, own_rows

PHILOX = 1  # of TensorFlow's algorithms


def normal(shape, seed):
    """N(0, 1) numbers; the algorithm is named, so that CPUs and GPUs draw the same ones."""
    if tf.executing_eagerly():
        return tf.raw_ops.StatelessRandomNormalV2(shape=shape, **_stream(seed))
    return tf.random.stateless_normal(shape, seed, alg="philox")


def uniform(shape, seed, minval=0.0, maxval=1.0):
    """U(minval, maxval) numbers, likewise."""
    if tf.executing_eagerly():
        drawn = tf.raw_ops.StatelessRandomUniformV2(shape=shape, **_stream(seed))
        return drawn * (maxval - minval) + minval
    return tf.random.stateless_uniform(shape, seed, minval, maxval, alg="philox")


def _stream(seed):
    """What TensorFlow makes of a seed, by one operation. Its own thirty take a millisecond."""
    seed = tf.convert_to_tensor(seed, None if tf.is_tensor(seed) else tf.int64)
    key, counter = tf.raw_ops.StatelessRandomGetKeyCounter(seed=seed)
    return {"key": key, "counter": counter, "alg": PHILOX}


PRIORS = {
    "normal": normal,
    "uniform": functools.partial(uniform, minval=-1.0, maxval=1.0),
}


def new_seed():
    """A seed for where the user gave none; `keras.utils.set_random_seed` fixes these too."""
    return random.randrange(2**31)


def derive_seed(seed, *words):
    """A seed below 2^31 that is a function of `seed` and of words; `None` where `seed` is `None`.

    Parts that are given one seed by the user must not draw the same numbers.
    """
    if seed is None:
        return None
    digest = hashlib.sha256(repr((int(seed), *words)).encode()).digest()
    return int.from_bytes(digest[:4], "big") % 2**31


def draw_rows(sampler, like, shape, seed):
    """Draws `sampler(shape, seed)` for the global batch and keeps this replica's rows.

    A generator used on every replica gives each of them the same numbers. Drawn for the global
    batch and sliced, N replicas together see what one device would have seen.

    Args:
        sampler: function of a shape (tuple) and a seed (int64 pair).
        like: tensor (or structure of them) whose leading axis is this replica's batch.
        shape: shape of one example's draw.
        seed: int64 pair, the same on every replica.

    Returns:
        Tensor of shape (batch, *shape).
    """
    like = tree.flatten(like)[0]
    batch = ops.shape(like)[0]
    return own_rows(sampler((batch * num_replicas(), *shape), seed), like)


class RandomState(keras.layers.Layer):
    """A seed and the number of draws so far, as a weight, so that saving keeps the stream.

    Args:
        seed: integer, the first half of every draw's seed.
    """

    begins_anew = True  # where a trained model is loaded to train on other data; see `preset_files`

    def __init__(self, seed, **kwargs):
        super().__init__(**kwargs)
        self.seed = seed
        self.state = self.add_weight(
            name="state",
            shape=(2,),
            dtype="int64",
            trainable=False,
            initializer=lambda shape, dtype: tf.constant([seed, 0], tf.int64),
        )
        self.built = True

    def next_seed(self):
        """The seed of the next draw: int64 (2,)."""
        seed = tf.identity(self.state.value)
        self.state.assign(seed + tf.constant([0, 1], tf.int64))
        return seed

    def draw(self, sampler, like, shape=()):
        """The next draw of `sampler`, one row for each example of `like`; see `draw_rows`."""
        return draw_rows(sampler, like, shape, self.next_seed())

    def normal(self, like, shape=()):
        """N(0, 1) numbers of shape (batch of `like`, *shape)."""
        return self.draw(normal, like, shape)

    def uniform(self, like, shape=(), minval=0.0, maxval=1.0):
        """U(minval, maxval) numbers of shape (batch of `like`, *shape)."""
        return self.draw(functools.partial(uniform, minval=minval, maxval=maxval), like, shape)
