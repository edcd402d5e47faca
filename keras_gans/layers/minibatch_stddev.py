"""Minibatch standard deviation: the discriminator sees how much the samples of a batch vary."""

import keras
import tensorflow as tf
from keras import ops

from keras_gans.checks import check_count

EPSILON = 1e-8  # inside the root, so that equal samples have a finite derivative, and a second one


@keras.saving.register_keras_serializable("keras_gans")
class MinibatchStdDev(keras.layers.Layer):
    """Appends the standard deviation over groups of examples as one constant channel.

    The deviation over the examples of a group is taken for each feature and place, sqrt(variance +
    1e-8), and averaged over features and places to one number that fills the group's new channel.

    A group is consecutive examples (those of the authors' code lie apart), so that replicas with a
    multiple of `group_size` examples see what one device would have seen. Its size is the largest
    divisor of the batch that is at most `group_size`.

    Args:
        group_size: most examples in a group; `None` for the whole batch, that of a replica where
            there are several.
        num_features: channels to append, each the mean over that share of the input's channels;
            the channels must be a multiple of it.

    Example:

    >>> maps = np.zeros((8, 4, 4, 32), "float32")
    >>> MinibatchStdDev(group_size=4)(maps).shape
    TensorShape([8, 4, 4, 33])

    Input shape:
        (batch, height, width, channels), float.

    Output shape:
        (batch, height, width, channels + num_features).

    Reference:
        Karras et al., 2018 (arXiv:1710.10196), section 3; the groups are those of the authors'
        code, and `num_features` that of StyleGAN's.
    """

    def __init__(self, group_size=4, num_features=1, **kwargs):
        super().__init__(**kwargs)
        self.group_size = None
        if group_size is not None:
            self.group_size = check_count("group_size", group_size)
        self.num_features = check_count("num_features", num_features)

    def build(self, input_shape):
        channels = input_shape[-1]
        if len(input_shape) != 4 or channels is None or channels % self.num_features:
            raise ValueError(
                "MinibatchStdDev takes maps (batch, height, width, channels) with a multiple of "
                f"`num_features` = {self.num_features} channels. Received: shape {input_shape}"
            )

    def call(self, inputs):
        batch, height, width, channels = ops.shape(inputs)
        group, features = self._group(batch), self.num_features
        shape = (batch // group, group, height, width, features, channels // features)
        maps = ops.cast(inputs, keras.backend.result_type(inputs.dtype, "float32"))
        maps = ops.reshape(maps, shape)
        variance = ops.mean(ops.square(maps - ops.mean(maps, axis=1, keepdims=True)), axis=1)
        deviation = ops.mean(ops.sqrt(variance + EPSILON), axis=(1, 2, 4))  # (groups, features)
        new = ops.broadcast_to(deviation[:, None, None, None, :], shape[:-1])
        new = ops.reshape(new, (batch, height, width, features))
        return ops.concatenate([inputs, ops.cast(new, inputs.dtype)], axis=-1)

    def _group(self, batch):
        """The largest divisor of the batch up to `group_size`; a tensor where the batch is one."""
        if self.group_size is None:
            return batch
        if isinstance(batch, int):
            return max(size for size in range(1, self.group_size + 1) if batch % size == 0)
        sizes = tf.range(1, self.group_size + 1)
        return tf.reduce_max(tf.where(batch % sizes == 0, sizes, 1))

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], input_shape[-1] + self.num_features)

    def get_config(self):
        config = {"group_size": self.group_size, "num_features": self.num_features}
        return {**super().get_config(), **config}
