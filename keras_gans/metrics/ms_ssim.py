"""Multi-scale structural similarity: how alike two pictures are, or how little a set varies."""

import numpy as np

from keras_gans.checks import check_count
from keras_gans.metrics._base import SIDES, PictureMetric, Rows
from keras_gans.metrics._pictures import check_integer_seed, check_pictures, chunks

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # of the scales, from the finest
WINDOW, SIGMA = 11, 1.5  # side and standard deviation of the Gaussian window
C1, C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
SMALLEST = 2 ** (len(WEIGHTS) - 1)  # a side of which a pixel is left at the last scale


def ms_ssim(first, second):
    """The similarity of pairs of pictures: MS-SSIM = l_5^w5 * prod_k (c_k s_k)^wk, at most 1.

    At each of five scales, means, variances and the covariance under a Gaussian window of 11 x 11
    pixels compare contrast and structure (c s), and the last scale luminance (l) too. Between
    scales, 2 x 2 pixels are averaged (at an odd side the last pixel is doubled).

    As in the code that Karras et al., 2018 evaluate with, which takes small pictures too:

    - A window is as large as fits (its standard deviation shrinks with it), and inside of the
      picture. `tf.image.ssim_multiscale` needs sides of 176 pixels for five scales.
    - The channels of colour pictures are averaged within each scale. `tf.image.ssim_multiscale`
      averages them after the product over scales: a number a little lower where the channels are
      not equally similar.
    - A negative mean of c s (structure that is inverted) counts as 0, since it has no real power.

    Args:
        first: uint8 array (num, height, width, channels), sides of at least 16.
        second: uint8 array of the same shape.

    Returns:
        float64 array (num,), from 0 (nothing in common, or inverted) to 1 (equal).

    Raises:
        ValueError: not such pictures, or of different shapes.

    Example:

    >>> noise = np.random.default_rng(0).integers(0, 256, (1, 32, 32, 3), "uint8")
    >>> ms_ssim(noise, noise).round(6)
    array([1.])

    Reference:
        Wang, Simoncelli and Bovik, 2003, "Multi-scale structural similarity for image quality
        assessment", equation 7 and section 3.2; the window's size and the averages as in the
        code of Karras et al., 2018 (arXiv:1710.10196).
    """
    first = check_pictures("first", first, SMALLEST)
    second = check_pictures("second", second, SMALLEST)
    if first.shape != second.shape:
        raise ValueError(
            "`first` and `second` must have one shape. "
            f"Received: first {first.shape}, second {second.shape}"
        )
    parts = chunks(len(first), first[0].size)
    return np.concatenate([_ms_ssim(first[part], second[part]) for part in parts])


def mean_pairwise_ms_ssim(pictures, num_pairs=10_000, seed=0):
    """The mean MS-SSIM of random pairs from one set: the higher, the less its pictures vary.

    A generator whose samples of a class are more alike than real pictures of it has lost modes;
    above the value of reals, it is no measure of quality. The pairs are of two different examples.

    Args:
        pictures: uint8 array (num, height, width, channels), num of at least 2, sides of at least
            16; of one class where the data have classes.
        num_pairs: pairs to draw; one may come twice. Odena et al. have 100 in each class.
        seed: integer that fixes the pairs.

    Returns:
        Float from 0 to 1.

    Raises:
        ValueError: not such pictures, fewer than 2, or a bad number.

    Example:

    >>> noise = np.random.default_rng(0).integers(0, 256, (10, 32, 32, 3), "uint8")
    >>> mean_pairwise_ms_ssim(noise, num_pairs=100) < 0.1
    True

    Reference:
        Odena et al., 2017 (arXiv:1610.09585), section 4.2; Karras et al., 2018 (arXiv:1710.10196),
        section 6.1.
    """
    pictures = check_pictures("pictures", pictures, SMALLEST)
    num = len(pictures)
    if num < 2:
        raise ValueError(f"`pictures` must be at least 2, to make a pair. Received: {num}")
    rng = np.random.default_rng(check_integer_seed(seed))
    first = rng.integers(num, size=check_count("num_pairs", num_pairs))
    second = (first + rng.integers(1, num, size=num_pairs)) % num
    parts = chunks(num_pairs, pictures[0].size)
    values = [_ms_ssim(pictures[first[part]], pictures[second[part]]) for part in parts]
    return float(np.concatenate(values).mean())


class MSSSIM(PictureMetric):
    """`mean_pairwise_ms_ssim` of the fakes, as a metric that takes them in batches.

    `result()` is the mean over random pairs of fakes. Where there are reals it is a dict of this,
    `ms_ssim`, and of that over pairs of reals, `ms_ssim_reals`, which is what there is to reach.
    All pictures are kept, as uint8.

    Args:
        shape: (height, width, channels) of the pictures, sides of at least 16.
        num: int, the most fakes, and the most reals, that it is given.
        num_pairs: int, random pairs.
        seed: int that fixes the pairs.
        name: str.

    Reference:
        Odena et al., 2017 (arXiv:1610.09585), section 4.2.
    """

    def __init__(self, shape, num=10_000, num_pairs=10_000, seed=0, name="ms_ssim"):
        super().__init__(name, SMALLEST, shape)
        self.num_pairs = check_count("num_pairs", num_pairs)
        self.seed = check_integer_seed(seed)
        num = check_count("num", num)
        self.kept = {side: Rows(self, side, num, self.shape, "uint8") for side in SIDES}

    def update(self, reals, fakes):
        for side, rows in zip(SIDES, (reals, fakes), strict=True):
            if rows is not None:
                self.kept[side].append(rows)

    def settings(self):
        return {"pairs": self.num_pairs, "seed": self.seed}

    def compute(self):
        self.need("fakes", 2)
        values = {self.name: self._mean("fakes")}
        if self.count("reals") > 1:
            values[f"{self.name}_reals"] = self._mean("reals")
        return values

    def _mean(self, side):
        return mean_pairwise_ms_ssim(self.kept[side].numpy(), self.num_pairs, self.seed)


def _ms_ssim(first, second):
    first, second = first.astype("float32"), second.astype("float32")
    product = np.ones(len(first))
    for scale, weight in enumerate(WEIGHTS):
        ssim, contrast = _similarities(first, second)
        last = scale == len(WEIGHTS) - 1
        product *= np.maximum(ssim if last else contrast, 0.0) ** weight
        if not last:
            first, second = _halved(first), _halved(second)
    return product


def _similarities(x, y):
    """The means over a picture of l c s (SSIM) and of c s, at one scale: float64 (num,)."""
    mean_x, mean_y = _windowed(x), _windowed(y)
    variances = _windowed(x * x) - mean_x**2 + _windowed(y * y) - mean_y**2
    covariance = _windowed(x * y) - mean_x * mean_y
    contrast = (2 * covariance + C2) / (variances + C2)
    luminance = (2 * mean_x * mean_y + C1) / (mean_x**2 + mean_y**2 + C1)
    axes = (1, 2, 3)
    return tuple(part.mean(axis=axes, dtype="float64") for part in (luminance * contrast, contrast))


def _windowed(rows):
    """Means under the Gaussian window, at every place where it fits in the picture."""
    from scipy import ndimage  # here, so that importing the package stays cheap

    size = min(WINDOW, *rows.shape[1:3])
    offsets = np.arange(size) - (size - 1) / 2
    window = np.exp(-(offsets**2) / (2 * (SIGMA * size / WINDOW) ** 2))
    for axis in (1, 2):
        fits = slice(size // 2, size // 2 + rows.shape[axis] - size + 1)
        rows = ndimage.correlate1d(rows, window / window.sum(), axis=axis)
        rows = rows[:, fits] if axis == 1 else rows[:, :, fits]
    return rows


def _halved(rows):
    """Means of 2 x 2 pixels; the last row or column of an odd number counts twice."""
    odd = [(0, side % 2) for side in rows.shape[1:3]]
    rows = np.pad(rows, [(0, 0), *odd, (0, 0)], mode="edge")
    return (rows[:, ::2, ::2] + rows[:, 1::2, ::2] + rows[:, ::2, 1::2] + rows[:, 1::2, 1::2]) / 4
