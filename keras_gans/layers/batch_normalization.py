"""Batch normalization: the fused kernel on one device, synchronized over replicas."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("keras_gans")
class BatchNormalization(keras.layers.BatchNormalization):
    """`keras.layers.BatchNormalization` with the fused kernel and the statistics of all replicas.

    Keras 3 computes the moments and the normalisation as separate operations on the TensorFlow
    backend. For channels-last pictures on one device this layer uses the fused kernel instead, with
    the same numbers. On several replicas the statistics are those of the global batch, so that N
    devices train as one would; `synchronized=False` keeps them per replica.

    Args:
        momentum: decay of the moving statistics. DCGAN's reference code has 0.9; Keras has 0.99,
            with which the statistics of a short training are still those of its beginning.
        epsilon: added to the variance; the fused kernel takes no less than 1.001e-5.
        synchronized: whether replicas share their statistics.
        **kwargs: as in `keras.layers.BatchNormalization`.

    Example:

    >>> layer = BatchNormalization()
    >>> layer(np.random.normal(size=(8, 4, 4, 3)), training=True).shape
    TensorShape([8, 4, 4, 3])

    Input shape:
        (batch, ..., channels), float.

    Output shape:
        The same.

    Reference:
        Ioffe and Szegedy, 2015 (arXiv:1502.03167).
    """

    def __init__(self, momentum=0.9, epsilon=1.001e-5, synchronized=True, **kwargs):
        super().__init__(momentum=momentum, epsilon=epsilon, synchronized=synchronized, **kwargs)

    def call(self, inputs, training=None, mask=None):
        if not (training and self.trainable and self._fuses(inputs, mask)):
            return super().call(inputs, training=training, mask=mask)
        inputs = tf.cast(inputs, tf.float32)
        ones, zeros = tf.ones(inputs.shape[-1]), tf.zeros(inputs.shape[-1])
        outputs, mean, variance = tf.compat.v1.nn.fused_batch_norm(
            inputs,
            scale=ones if self.gamma is None else tf.convert_to_tensor(self.gamma),
            offset=zeros if self.beta is None else tf.convert_to_tensor(self.beta),
            epsilon=self.epsilon,
            is_training=True,
        )
        # The kernel returns the unbiased variance; Keras's moving variance holds the biased one.
        count = tf.cast(tf.size(inputs) // tf.shape(inputs)[-1], tf.float32)
        variance *= (count - 1.0) / count
        for moving, value in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(moving * self.momentum + value * (1.0 - self.momentum))
        return tf.cast(outputs, self.compute_dtype)

    def _fuses(self, inputs, mask):
        context = tf.distribute.get_replica_context()
        alone = context is not None and context.num_replicas_in_sync == 1
        is_tensor = tf.is_tensor(inputs) and len(inputs.shape) == 4 and self.axis in (-1, 3)
        plain = mask is None and not self.renorm and self.epsilon >= 1.001e-5
        return is_tensor and plain and (alone or not self.synchronized)
