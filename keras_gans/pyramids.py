"""The Laplacian pyramid (Burt and Adelson, 1983): a picture as residuals of growing size.

Smoothing is with the binomial kernel (1, 3, 3, 1) / 8 along height and width, on pictures whose
edge pixels are repeated; its even length keeps a small picture centred on the large one. `upsample`
with it is linear interpolation. (Burt and Adelson have 5 taps, which shift by half a pixel.)

Example:

>>> coarse, middle, fine = laplacian_pyramid(pictures, 3)  # 7 x 7, 14 x 14 and 28 x 28
>>> restored = reconstruct([coarse, middle, fine])
"""

from keras import ops

from keras_gans.checks import check_count


def downsample(pictures):
    """Smooths, then keeps every second row and column: the d(.) of pyramids.

    Args:
        pictures: float (batch, H, W, C), H and W even.

    Returns:
        (batch, H / 2, W / 2, C), of the same mean for pictures of one colour.

    Raises:
        ValueError: a side is odd.
    """
    _check_sides(pictures, 2, 2)
    for axis in (1, 2):
        padded, length = _repeat_edges(pictures, axis), pictures.shape[axis]
        a, b, c, d = (_cut(padded, axis, start, start + length - 1, 2) for start in range(4))
        pictures = (a + 3.0 * (b + c) + d) / 8.0
    return pictures


def upsample(pictures):
    """Twice the size, smoothed: the u(.) of pyramids.

    Args:
        pictures: float (batch, H, W, C).

    Returns:
        (batch, 2 H, 2 W, C).
    """
    for axis in (1, 2):
        padded, length = _repeat_edges(pictures, axis), pictures.shape[axis]
        before, here, after = (_cut(padded, axis, start, start + length) for start in range(3))
        pair = ops.stack([before + 3.0 * here, 3.0 * here + after], axis=axis + 1) / 4.0
        shape = list(pictures.shape)
        shape[0], shape[axis] = -1, 2 * length
        pictures = ops.reshape(pair, shape)
    return pictures


def gaussian_pyramid(pictures, levels):
    """Pictures of growing size, each half as large as the next one.

    Args:
        pictures: float (batch, H, W, C), H and W multiples of 2^(levels - 1).
        levels: how many, at least 1.

    Returns:
        List of `levels` tensors, from the smallest to `pictures` themselves.

    Raises:
        ValueError: the sides can't be halved so often, or `levels` is no count.
    """
    check_count("levels", levels)
    _check_sides(pictures, 2 ** (levels - 1), levels)
    pyramid = [pictures]
    while len(pyramid) < levels:
        pyramid.insert(0, downsample(pyramid[0]))
    return pyramid


def laplacian_pyramid(pictures, levels):
    """The smallest picture, then what each doubling of its size leaves out.

    Args:
        pictures, levels: see `gaussian_pyramid`.

    Returns:
        List of `levels` tensors: the smallest picture, then the residuals I_k - u(I_k+1), up to the
        size of `pictures`.

    Raises:
        ValueError: as of `gaussian_pyramid`.
    """
    smallest, *larger = gaussian = gaussian_pyramid(pictures, levels)
    residuals = (large - upsample(small) for small, large in zip(gaussian, larger, strict=False))
    return [smallest, *residuals]


def reconstruct(pyramid):
    """The pictures whose `laplacian_pyramid` this is: I_k = u(I_k+1) + h_k, to rounding.

    Args:
        pyramid: list of tensors, as of `laplacian_pyramid`.

    Returns:
        Pictures of the size of the last of them.
    """
    pictures, *residuals = pyramid
    for residual in residuals:
        pictures = upsample(pictures) + residual
    return pictures


def _check_sides(pictures, multiple, levels):
    height, width = pictures.shape[1:3]
    if height % multiple or width % multiple:
        raise ValueError(
            f"A pyramid of {levels} levels needs `pictures` whose height and width are multiples "
            f"of {multiple}. Received: shape {tuple(pictures.shape)}"
        )


def _repeat_edges(pictures, axis):
    width = [(0, 0)] * 4
    width[axis] = (1, 1)
    return ops.pad(pictures, width, mode="symmetric")


def _cut(pictures, axis, start, stop, step=1):
    rows = slice(start, stop, step)
    return pictures[:, rows] if axis == 1 else pictures[:, :, rows]
