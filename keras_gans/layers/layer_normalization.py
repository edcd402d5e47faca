"""Layer normalization that a gradient penalty may go through."""

import keras
from keras import ops

from keras_gans.layers._moments import centred_and_variance


@keras.saving.register_keras_serializable("keras_gans")
class LayerNormalization(keras.layers.LayerNormalization):
    """`keras.layers.LayerNormalization` with right second derivatives.

    Each example is normalized over `axis`, the features. The outputs are those of Keras's layer; of
    its second derivatives see `GroupNormalization`. In critics of pictures the builders have
    `GroupNormalization(groups=1)`, which also averages over height and width.

    Args:
        axis: axis or axes to normalize over.
        **kwargs: as in `keras.layers.LayerNormalization`.

    Example:

    >>> LayerNormalization()(np.random.normal(size=(8, 16)).astype("float32")).shape
    TensorShape([8, 16])

    Input shape:
        (batch, ...), float.

    Output shape:
        The same.

    Reference:
        Ba et al., 2016 (arXiv:1607.06450).
    """

    acts_alone = True

    def __init__(self, axis=-1, **kwargs):
        super().__init__(axis=axis, **kwargs)
        if self.rms_scaling:
            raise ValueError(
                "`rms_scaling` must be False: it divides by the variance; "
                "`keras.layers.RMSNormalization` does not. Received: True"
            )

    def call(self, inputs):
        x = ops.cast(inputs, keras.backend.result_type(inputs.dtype, "float32"))
        centred, variance = centred_and_variance(x, self.axis)
        scale = ops.rsqrt(variance + self.epsilon)
        axes = [axis % len(x.shape) for axis in self.axis]
        of_features = [n if axis in axes else 1 for axis, n in enumerate(x.shape)]
        if self.scale:
            scale = scale * ops.cast(ops.reshape(self.gamma, of_features), x.dtype)
        outputs = centred * scale
        if self.center:
            outputs = outputs + ops.cast(ops.reshape(self.beta, of_features), x.dtype)
        return ops.cast(outputs, self.compute_dtype)
