"""Moments whose derivatives are right to any order."""

from keras import ops


def centred_and_variance(x, axes):
    """x - mean(x), and the mean of its square, over `axes`, which stay with length 1.

    `tf.nn.moments`, of which Keras's normalization layers are made, takes the mean inside the
    variance for a constant. The first derivative is the same, since deviations sum to 0; the second
    one, which a gradient penalty needs, is not.

    Args:
        x: float32 or float64 tensor.
        axes: axes of the mean.

    Returns:
        The pair of tensors.
    """
    centred = x - ops.mean(x, axis=axes, keepdims=True)
    return centred, ops.mean(ops.square(centred), axis=axes, keepdims=True)
