"""Penalties and constraints on a discriminator or critic: pure functions, in float32."""

import tensorflow as tf
from keras import ops

from keras_gans.losses import float32

# Inside the root, so that the norm of a zero gradient is finite and so is its derivative. The norm
# is exact to 1e-6.
NORM_EPSILON = 1e-12


def logits_and_gradients(critic, samples):
    """critic(x), and grad_x sum(critic(x)) in float32; both can be differentiated again.

    Args:
        critic: function of a batch of samples that returns logits of any shape; called once.
        samples: float tensor (batch, ...).
    """
    samples = float32(samples)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(samples)
        logits = critic(samples)
    return logits, tape.gradient(logits, samples)


def squared_norms(gradients):
    """||g||_2^2 of each example, over all axes but the batch's: float32 (batch,)."""
    return ops.sum(ops.square(gradients), axis=tuple(range(1, len(gradients.shape))))


def input_gradient_norms(critic, samples):
    """||grad_x sum(critic(x))||_2 of each example, over all axes but the batch's: float32 (batch,).

    It can be differentiated again, at a zero gradient too.

    Args:
        critic: function of a batch of samples that returns logits of any shape.
        samples: float tensor (batch, ...).
    """
    _, gradients = logits_and_gradients(critic, samples)
    return ops.sqrt(squared_norms(gradients) + NORM_EPSILON)


def zero_centred_penalty(discriminator, samples):
    """E||grad D(x)||_2^2, to be multiplied by gamma / 2: R1 on reals, R2 on fakes.

    Mescheder et al., 2018 (arXiv:1801.04406), section 4.1. No gradient reaches the generator: the
    samples are constants.

    Args:
        discriminator: function of a batch of samples that returns logits; called once.
        samples: float tensor (batch, ...).

    Returns:
        The logits D(x), since a loss wants them too, and the penalty, a scalar.

    Example:

    >>> import numpy as np
    >>> x = np.ones((2, 3), "float32")  # D(x) = 2 * sum(x) has the gradient (2, 2, 2)
    >>> logits, penalty = zero_centred_penalty(lambda x: 2 * ops.sum(x, axis=1), x)
    >>> float(penalty)
    12.0
    """
    logits, gradients = logits_and_gradients(discriminator, ops.stop_gradient(samples))
    return logits, ops.mean(squared_norms(gradients))


def gradient_penalty(critic, reals, fakes, epsilon, target=1.0):
    """E[(||grad f(x^)||_2 - target)^2] at x^ = epsilon x + (1 - epsilon) G(z).

    Gulrajani et al., 2017 (arXiv:1704.00028), equation 3 and Algorithm 1. The interpolates are
    constants: no gradient reaches the generator.

    Args:
        critic: function of a batch of samples that returns logits; called once.
        reals: float tensor (batch, ...).
        fakes: float tensor of the shape of `reals`.
        epsilon: U(0, 1) numbers, one for each example: (batch,).
        target: the norm that costs nothing; 1 in the paper.

    Returns:
        Scalar, not yet multiplied by the penalty's weight.

    Raises:
        ValueError: reals and fakes differ in shape, or epsilon has not one number for each.

    Example:

    >>> import numpy as np
    >>> x = np.ones((2, 3), "float32")  # f(x) = 2 * sum(x) has the gradient (2, 2, 2)
    >>> critic = lambda x: 2 * ops.sum(x, axis=1)
    >>> penalty = gradient_penalty(critic, x, 0 * x, np.zeros(2, "float32"))
    >>> round(float(penalty), 3)  # (sqrt(12) - 1)^2
    6.072
    """
    reals, fakes, epsilon = float32(reals, fakes, epsilon)
    if not reals.shape.is_compatible_with(fakes.shape):
        raise ValueError(
            "`reals` and `fakes` must have one shape. "
            f"Received: reals {tuple(reals.shape)}, fakes {tuple(fakes.shape)}"
        )
    epsilon = ops.reshape(epsilon, (-1,) + (1,) * (len(reals.shape) - 1))
    if not epsilon.shape[:1].is_compatible_with(reals.shape[:1]):
        raise ValueError(
            f"`epsilon` must have one number for each of {reals.shape[0]} examples. "
            f"Received: {epsilon.shape[0]}"
        )
    interpolates = ops.stop_gradient(fakes + epsilon * (reals - fakes))
    return ops.mean(ops.square(input_gradient_norms(critic, interpolates) - target))


def clip_weights(network, clip):
    """Clips every trainable weight of a network to [-clip, clip], in place.

    Arjovsky et al., 2017 (arXiv:1701.07875), Algorithm 1, line 7.

    Args:
        network: `keras.Model` or layer.
        clip: positive number.

    Raises:
        ValueError: `clip` is not positive.
    """
    if not clip > 0:
        raise ValueError(f"`clip` must be positive. Received: {clip!r}")
    for weight in network.trainable_variables:
        weight.assign(ops.clip(weight, -clip, clip))
