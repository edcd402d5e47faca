"""Pictures made of pictures, for second domains of which it is known what belongs to what.

Liu and Tuzel, 2016 (arXiv:1606.07536), section 4, made the second domains of CoGAN so of digits.
"""

import numpy as np


def edges(pictures):
    """The brightest of each 3 x 3 pixels, less the pixel in their middle: outlines of what is lit.

    Args:
        pictures: uint8 array (num, height, width, channels).

    Returns:
        uint8 array of the same shape. Pixels beyond the border count for nothing.

    Raises:
        ValueError: not such pictures.

    Example:

    >>> dot = np.zeros((1, 5, 5, 1), "uint8")
    >>> dot[0, 2, 2] = 255
    >>> edges(dot)[0, 1:4, 1:4, 0].tolist()
    [[255, 255, 255], [255, 0, 255], [255, 255, 255]]

    Reference:
        The authors' code, `dataset_mnistedge.py`: OpenCV's `dilate` with a kernel of ones.
    """
    pictures = _checked(pictures)
    height, width = pictures.shape[1:3]
    padded = np.pad(pictures, [(0, 0), (1, 1), (1, 1), (0, 0)])
    brightest = pictures.copy()
    for top in range(3):
        for left in range(3):
            shifted = padded[:, top : top + height, left : left + width]
            np.maximum(brightest, shifted, out=brightest)
    return brightest - pictures


def negatives(pictures):
    """Bright where the pictures are dark: 255 less each pixel.

    Args:
        pictures: uint8 array (num, height, width, channels).

    Returns:
        uint8 array of the same shape.

    Raises:
        ValueError: not such pictures.

    Example:

    >>> negatives(np.full((1, 1, 1, 1), 200, "uint8")).item()
    55
    """
    return 255 - _checked(pictures)


def _checked(pictures):
    pictures = np.asarray(pictures)
    if pictures.dtype != np.uint8 or pictures.ndim != 4:
        raise ValueError(
            "`pictures` must be uint8 of shape (num, height, width, channels), as `generate` "
            f"returns them. Received: {pictures.dtype} of shape {pictures.shape}"
        )
    return pictures
