"""How far pictures are from their true counterparts, where a set has them."""

import numpy as np

from keras_gans.metrics._pictures import check_pictures, chunks

WINDOW, SIGMA = 11, 1.5  # side and standard deviation of SSIM's Gaussian window
K1, K2 = 0.01, 0.03


def mean_absolute_error(a, b):
    """The mean of |a - b| over all pixels, channels and pictures, each scaled to [0, 1].

    Args:
        a, b: uint8 arrays (num, height, width, channels) of one shape; picture k of one belongs to
            picture k of the other.

    Returns:
        Float in [0, 1]; 0 is equal.

    Raises:
        ValueError: not such pictures, or of different shapes.

    Example:

    >>> black, grey = np.zeros((1, 8, 8, 3), "uint8"), np.full((1, 8, 8, 3), 51, "uint8")
    >>> mean_absolute_error(black, grey)
    0.2
    """
    a, b = check_pairs(a, b, smallest=1)
    total = 0
    for part in chunks(len(a), a[0].size):
        total += int(np.abs(a[part].astype(np.int16) - b[part]).sum(dtype=np.int64))
    return total / (255 * a.size)


def structural_similarity(a, b):
    """The mean structural similarity (SSIM) of pairs of pictures, at most 1.

    Means, variances and the covariance of the two pictures x and y under a Gaussian window of 11 x
    11 pixels with a standard deviation of 1.5 give, at each place where the window fits,

        (2 m_x m_y + C1) (2 s_xy + C2) / ((m_x^2 + m_y^2 + C1) (s_x^2 + s_y^2 + C2)),

    C1 = (0.01 L)^2, C2 = (0.03 L)^2, L = 255. It is averaged over places, channels (the paper has
    grey pictures) and pictures. Without structure, the second factor is about 1: two plain areas of
    one brightness are alike, whatever they show.

    Args:
        a, b: uint8 arrays (num, height, width, channels) of one shape, with sides of at least 11;
            picture k of one belongs to picture k of the other.

    Returns:
        Float in [-1, 1]; 1 is equal.

    Raises:
        ValueError: not such pictures, or of different shapes.

    Example:

    >>> noise = np.random.default_rng(0).integers(0, 256, (1, 32, 32, 3), "uint8")
    >>> structural_similarity(noise, noise)
    1.0

    Reference:
        Wang, Bovik, Sheikh and Simoncelli, 2004, "Image quality assessment: from error visibility
        to structural similarity", equation 13 and section III-C; computed by `tf.image.ssim`.
    """
    import tensorflow as tf

    a, b = check_pairs(a, b, smallest=WINDOW)
    values = []
    with tf.device("CPU:0"):
        for part in chunks(len(a), a[0].size):
            values += (
                tf.image.ssim(
                    tf.constant(a[part]), tf.constant(b[part]), 255, WINDOW, SIGMA, K1, K2
                )
                .numpy()
                .tolist()
            )
    return float(np.mean(values))


def check_pairs(a, b, smallest):
    """Returns both as arrays, or raises ValueError unless they are uint8 pictures of one shape."""
    a, b = check_pictures("a", a, smallest), check_pictures("b", b, smallest)
    if a.shape != b.shape:
        raise ValueError(f"`a` and `b` must have one shape. Received: a {a.shape}, b {b.shape}")
    return a, b
