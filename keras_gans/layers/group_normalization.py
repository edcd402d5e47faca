"""Group normalization that a gradient penalty may go through."""

import keras
from keras import ops

from keras_gans.layers._moments import centred_and_variance


@keras.saving.register_keras_serializable("keras_gans")
class GroupNormalization(keras.layers.GroupNormalization):
    """`keras.layers.GroupNormalization` with right second derivatives.

    Each example's channels are normalized in groups, over height and width too. One group is layer
    normalization as WGAN-GP's critics have it, a group for each channel instance normalization. The
    outputs are those of Keras's layer, whose own second derivatives are wrong: with it, every
    gradient penalty has a wrong gradient, by 2 to 3 % (`docs/penalties.md`).

    Args:
        groups: number of groups; -1 for one of each channel.
        **kwargs: as in `keras.layers.GroupNormalization`.

    Example:

    >>> maps = np.random.normal(size=(8, 4, 4, 6)).astype("float32")
    >>> GroupNormalization(groups=2)(maps).shape
    TensorShape([8, 4, 4, 6])

    Input shape:
        (batch, ..., channels), float.

    Output shape:
        The same.

    Reference:
        Wu and He, 2018 (arXiv:1803.08494), equations 1, 2 and 7.
    """

    acts_alone = True

    def _apply_normalization(self, reshaped_inputs, input_shape):
        # (batch, ..., groups, channels of a group, ...), as Keras's `call` lays it out.
        x = ops.cast(reshaped_inputs, keras.backend.result_type(reshaped_inputs.dtype, "float32"))
        groups = self.axis if self.axis >= 0 else len(x.shape) - 1 + self.axis
        axes = [axis for axis in range(1, len(x.shape)) if axis != groups]
        centred, variance = centred_and_variance(x, axes)
        scale = ops.rsqrt(variance + self.epsilon)
        of_channels = self._create_broadcast_shape(input_shape)
        if self.scale:
            scale = scale * ops.cast(ops.reshape(self.gamma, of_channels), x.dtype)
        outputs = centred * scale
        if self.center:
            outputs = outputs + ops.cast(ops.reshape(self.beta, of_channels), x.dtype)
        return ops.cast(outputs, reshaped_inputs.dtype)
