"""A history of generated pictures, from which the discriminator is fed."""

import keras
import tensorflow as tf
from keras import ops

from keras_gans.checks import check_count, check_seed
from keras_gans.devices.randomness import RandomState, derive_seed, new_seed, uniform
from keras_gans.devices.replicas import global_batch, num_replicas, own_rows


@keras.saving.register_keras_serializable("keras_gans")
class ImageBuffer(keras.layers.Layer):
    """Keeps some of the pictures that went through it, and gives back old ones for new ones.

    A discriminator that sees the history of the fakes, and not only the latest, makes the training
    oscillate less. Each call is a query with a batch of fakes:

    - until the buffer is full, a fake is stored and given back;
    - then it is given back as it is with probability 1/2, or else it takes the place of a random
      stored one, which is given back instead.

    The fakes of one batch take different places, and none that this very batch has filled, so that
    no fake is lost or given back twice. On several replicas all hold the same buffer: it is asked
    for the global batch, and each replica keeps its rows. Pictures and count are saved with the
    model. No gradient goes through.

    Args:
        size: number of stored pictures; at least the global batch.
        seed: integer, or `None` for one at random.

    Example:

    >>> buffer = ImageBuffer(50, seed=0)
    >>> buffer(np.zeros((4, 16, 24, 3), "float32")).shape, int(buffer.count)
    (TensorShape([4, 16, 24, 3]), 4)

    Input shape:
        (batch, height, width, channels), of which only the batch may be unknown.

    Output shape:
        The same.

    Raises:
        ValueError: `size` is less than the global batch.

    Reference:
        Shrivastava et al., 2017 (arXiv:1612.07828), section 2.3; 50 pictures in Zhu et al., 2017
        (arXiv:1703.10593), section 4.
    """

    begins_anew = True  # where a trained model is loaded to train on other data; see `preset_files`

    def __init__(self, size=50, seed=None, **kwargs):
        # Pictures come out as they went in, in half precision too.
        super().__init__(autocast=False, **kwargs)
        self.size = check_count("size", size)
        self.seed = new_seed() if check_seed(seed) is None else int(seed)
        self.random_state = RandomState(derive_seed(self.seed, "image_buffer"))

    def build(self, input_shape):
        if None in input_shape[1:]:
            raise ValueError(
                "An ImageBuffer must know the shape of its pictures. "
                f"Received: {tuple(input_shape)}"
            )
        shape = (self.size, *input_shape[1:])
        self.images = self.add_weight(
            name="images", shape=shape, initializer="zeros", trainable=False, autocast=False
        )
        # 64 bits, since 32-bit counters do not live on GPUs.
        self.count = self.add_weight(
            name="count", shape=(), dtype="int64", initializer="zeros", trainable=False
        )

    def call(self, fakes):
        self._check_batch(fakes)
        fakes = ops.stop_gradient(fakes)
        news = ops.cast(global_batch(fakes), self.images.dtype)
        num, full = tf.shape(news, tf.int64)[0], tf.identity(self.count.value)
        draws = uniform((self.size + num,), self.random_state.next_seed())
        ranks, coins = draws[: self.size], draws[self.size :]

        # Rows fill the free places in turn; those that remain take full ones in random order.
        rows, free = tf.range(num), self.size - full
        fills = rows < free
        order = tf.argsort(tf.where(tf.range(self.size, dtype=tf.int64) < full, ranks, 2.0))
        order = tf.cast(tf.gather(order, tf.maximum(rows - free, 0)), tf.int64)
        places = tf.where(fills, full + rows, order)
        olds = tf.gather(self.images.value, places)
        per_row = (-1, *[1] * (len(news.shape) - 1))
        fills, swaps = tf.reshape(fills, per_row), tf.reshape(coins < 0.5, per_row)
        returned = tf.where(fills | ~swaps, news, olds)
        stored = tf.where(fills | swaps, news, olds)

        # All replicas store the same, so there is nothing to aggregate.
        self.images.assign(tf.tensor_scatter_nd_update(self.images.value, places[:, None], stored))
        self.count.assign(tf.minimum(full + num, self.size))
        return ops.cast(own_rows(returned, fakes), fakes.dtype)

    def _check_batch(self, fakes):
        rule = f"`size` of an ImageBuffer must be at least the global batch. Received: {self.size}"
        if fakes.shape[0] is None:
            batch = tf.shape(fakes)[0] * num_replicas()
            tf.debugging.assert_less_equal(batch, self.size, rule)
        elif fakes.shape[0] * num_replicas() > self.size:
            raise ValueError(f"{rule} for a batch of {fakes.shape[0] * num_replicas()}")

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "size": self.size, "seed": self.seed}
