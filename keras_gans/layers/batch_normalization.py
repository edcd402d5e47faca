"""Batch normalization: the fused kernel on one device, synchronized over replicas."""

import keras
import tensorflow as tf
from keras import ops

from keras_gans.layers._moments import centred_and_variance


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

    def _moments(self, inputs, mask):
        if self._alone() and mask is None:
            # The synchronized moments, E[x^2] - E[x]^2, lose precision that one replica need not.
            mean = ops.mean(inputs, axis=self._reduction_axes)
            _, variance = centred_and_variance(inputs, self._reduction_axes)
            return mean, ops.squeeze(variance, self._reduction_axes)
        return super()._moments(inputs, mask)

    @staticmethod
    def _alone():
        context = tf.distribute.get_replica_context()
        return context is not None and context.num_replicas_in_sync == 1

    def _fuses(self, inputs, mask):
        is_tensor = tf.is_tensor(inputs) and len(inputs.shape) == 4 and self.axis in (-1, 3)
        plain = mask is None and not self.renorm and self.epsilon >= 1.001e-5
        exact = inputs.dtype != "float64"
        return is_tensor and plain and exact and (self._alone() or not self.synchronized)
