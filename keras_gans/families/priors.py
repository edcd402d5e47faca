"""Priors over codes that are no Gaussian, as functions of normal numbers, and of labels.

Makhzani et al., 2016 (arXiv:1511.05644), section 2.3 and figure 4. The paper does not print their
scales; these are the ones of github.com/musyoku/adversarial-autoencoder, whose roll is a line.

A prior is a function of N(0, 1) numbers u (batch, `NUMBERS`), so that whatever draws and saves a
model's latents draws these. Of u, two numbers say where in a component or beside the roll a code
is, and the two others which component, or how far along the roll, by

    t = 1 - exp(-(u_3^2 + u_4^2) / 2),    which is from U(0, 1).

All works on tensors and in functional models alike.
"""

import math

from keras import ops

NUMBERS = 4
RADIUS, ALONG, ACROSS = 1.4, 0.5, 0.05  # of a mixture's centres; deviations of a component
WIDTH, TURNS, THICKNESS = 3.0, 2.0, 0.05  # of the roll: its end's radius; the deviation beside it


def mixture(numbers, labels, num_classes):
    """A mixture of 2-D Gaussians on a circle, long away from the centre and narrow across.

        z = R(2 pi k / K) (1.4 + 0.5 u_1, 0.05 u_2)

    Args:
        numbers: float tensor (batch, 4), N(0, 1) numbers.
        labels: int tensor (batch,), the components k; one of K, or any other number, is drawn. Or
            `None`, where all are.
        num_classes: K, the number of components.

    Returns:
        float32 tensor (batch, 2).

    Example:

    >>> mixture(ops.zeros((1, 4)), ops.array([1]), num_classes=4)  # the centre above the origin
    <tf.Tensor: shape=(1, 2), dtype=float32, numpy=array([[-6.1e-08, 1.4e+00]], dtype=float32)>
    """
    along = RADIUS + ALONG * numbers[:, 0]
    across = ACROSS * numbers[:, 1]
    drawn = ops.minimum(ops.floor(num_classes * _place(numbers)), num_classes - 1.0)
    component = drawn
    if labels is not None:
        known = ops.cast(labels, "float32")
        component = ops.where(known < num_classes, known, drawn)
    angle = (2.0 * math.pi / num_classes) * component
    cos, sin = ops.cos(angle), ops.sin(angle)
    return ops.stack([along * cos - across * sin, along * sin + across * cos], axis=-1)


def swiss_roll(numbers, labels, num_classes):
    """A spiral of two turns, of which a class has the K-th part.

        s = sqrt((k + t) / K),    z = 3 s (cos(4 pi s), sin(4 pi s)) + 0.05 (u_1, u_2)

    so that as much of the length has as many codes.

    Args:
        numbers: float tensor (batch, 4), N(0, 1) numbers.
        labels: int tensor (batch,), the parts k from the inner end on; one of K, or any other
            number, is all of them. Or `None`, where all are.
        num_classes: K.

    Returns:
        float32 tensor (batch, 2).
    """
    place = _place(numbers)
    if labels is not None:
        known = ops.cast(labels, "float32")
        place = ops.where(known < num_classes, (known + place) / num_classes, place)
    part = ops.sqrt(place)
    angle = 2.0 * math.pi * TURNS * part
    roll = ops.stack([ops.cos(angle), ops.sin(angle)], axis=-1)
    return WIDTH * ops.expand_dims(part, -1) * roll + THICKNESS * numbers[:, :2]


def _place(numbers):
    """U(0, 1) numbers (batch,) of two normal ones each: the square of their length is -2 log U."""
    return 1.0 - ops.exp(-0.5 * (ops.square(numbers[:, 2]) + ops.square(numbers[:, 3])))


SHAPED = {"mixture": mixture, "swiss_roll": swiss_roll}
