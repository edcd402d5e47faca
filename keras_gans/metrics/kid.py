"""Kernel inception distance (Bińkowski et al., 2018, arXiv:1801.01401)."""

import numpy as np

from keras_gans.checks import check_count
from keras_gans.metrics._base import SIDES, FeatureMetric, Rows
from keras_gans.metrics._pictures import check_integer_seed

BLOCK = 1000  # rows of a kernel matrix that are held at once


class KID(FeatureMetric):
    """The squared maximum mean discrepancy of features, with the kernel (x.y / size + 1)^3.

    The estimate is unbiased: unlike FID's it does not fall with the number of pictures, and is
    below 0 about as often as above where the distributions are one. `result()` has

    - `kid`: the mean over random subsets of reals and fakes, as publications have it;
    - `kid_std`: the standard deviation over the subsets, which publications print behind ±. It is
      the error of one subset's estimate, not that of the mean;
    - `kid_error`: the standard error of `kid` by subsampling, std (s / (n - s))^(1/2), for subsets
      of s out of n. (A subset of n is the whole set: then the jackknife's.) Where both
      distributions are one it is up to twice too large, else about right.

    All features are kept: 4 bytes x 2 x num x size, 164 MB for 10,000 of 2048.

    Args:
        extractor: `Extractor`.
        num: int, the most reals, and the most fakes, that it is given.
        subsets: int, or None for one estimate of all pictures, with the jackknife's error.
        subset_size: int; sets of fewer are taken whole, once.
        seed: int that fixes the subsets.
        name: str.

    Reference:
        Bińkowski et al., 2018 (arXiv:1801.01401); 100 subsets of 1,000 as in the authors' code,
        compute_scores.py.
    """

    def __init__(self, extractor, num=10_000, subsets=100, subset_size=1000, seed=0, name="kid"):
        super().__init__(extractor, name)
        self.subsets = None if subsets is None else check_count("subsets", subsets)
        self.subset_size = check_count("subset_size", subset_size)
        if subset_size < 3:
            raise ValueError(f"`subset_size` must be at least 3. Received: {subset_size}")
        self.seed = check_integer_seed(seed)
        num = check_count("num", num)
        self.kept = {side: Rows(self, side, num, (extractor.size,)) for side in SIDES}

    def update_side(self, side, extracted):
        self.kept[side].append(extracted.features)

    def own_settings(self):
        return {"subsets": self.subsets, "subset_size": self.subset_size, "seed": self.seed}

    def protocol(self):
        """Of fewer examples than a subset has there is one subset, which is all of them."""
        protocol, reals, fakes = super().protocol(), self.count("reals"), self.count("fakes")
        if self._whole():
            size = reals if reals == fakes else f"{reals:,} reals, {fakes:,} fakes"
            protocol |= {"subsets": 1, "subset_size": size}
        return protocol

    def _whole(self):
        return self.subsets is None or self.subset_size >= self.fewest()

    def compute(self):
        n = min(self.need(side, 3) for side in SIDES)
        reals, fakes = (self.kept[side].numpy() for side in SIDES)
        if self._whole():
            kid, error = kernel_distance(reals, fakes)
            return {self.name: kid, f"{self.name}_error": error}
        kids = [
            kernel_distance(reals[i], fakes[j], error=False)[0]
            for i, j in draw_subsets(
                len(reals), len(fakes), self.subsets, self.subset_size, self.seed
            )
        ]
        std, share = np.std(kids), self.subset_size / n
        return {
            self.name: np.mean(kids),
            f"{self.name}_std": std,
            f"{self.name}_error": std * np.sqrt(share / (1 - share)),
        }


def draw_subsets(num_reals, num_fakes, subsets, size, seed):
    """Yields the indices of each subset: `size` different reals, and as many different fakes."""
    for subset in range(subsets):
        rng = np.random.default_rng([seed, subset])
        yield tuple(rng.choice(num, size, replace=False) for num in (num_reals, num_fakes))


def kernel_distance(reals, fakes, error=True):
    """The unbiased squared MMD of features under the kernel k(x, y) = (x.y / size + 1)^3.

        sum_(i != j) k(x_i, x_j) / m (m - 1) + sum_(i != j) k(y_i, y_j) / n (n - 1)
            - 2 sum_ij k(x_i, y_j) / m n

    Args:
        reals: array (m, size), m of at least 3.
        fakes: array (n, size), n of at least 3.
        error: whether to compute the standard error too.

    Returns:
        The estimate, and its standard error by the jackknife over reals and over fakes, or None.

    Raises:
        ValueError: not such features, or numbers that are not finite.

    Reference:
        Gretton et al., 2012 (JMLR 13, 723-773).
    """
    x, y = check_features("reals", reals, 3), check_features("fakes", fakes, 3)
    if x.shape[1] != y.shape[1]:
        raise ValueError(
            f"`fakes` must have the {x.shape[1]} features of the reals. Received: {y.shape[1]}"
        )
    m, n = len(x), len(y)
    xx, yy = _within(x), _within(y)
    xy, yx = _between(x, y)
    between = xy.sum() / (m * n)
    kid = xx.sum() / (m * (m - 1)) + yy.sum() / (n * (n - 1)) - 2 * between
    if not error:
        return float(kid), None
    # Sums without one of the pictures, for all pictures in turn. What does not depend on which one
    # is left out is left out itself.
    without_x = (xx.sum() - 2 * xx) / ((m - 1) * (m - 2)) - 2 * (xy.sum() - xy) / ((m - 1) * n)
    without_y = (yy.sum() - 2 * yy) / ((n - 1) * (n - 2)) - 2 * (yx.sum() - yx) / (m * (n - 1))
    variance = (m - 1) * np.var(without_x) + (n - 1) * np.var(without_y)
    return float(kid), float(np.sqrt(variance))


def check_features(name, features, least):
    """Features as float64 (num, size); ValueError unless they are finite, and `least` or more."""
    features = np.asarray(features, "float64")
    if features.ndim != 2 or len(features) < least or not features.shape[1]:
        raise ValueError(
            f"`{name}` must be features of shape (num, size), {least} or more of them. "
            f"Received: shape {features.shape}"
        )
    if not np.isfinite(features).all():
        raise ValueError(
            f"`{name}` must have finite features. Received: "
            f"{(~np.isfinite(features).all(axis=1)).sum()} of {len(features)} that are not"
        )
    return features


def _kernel(x, y):
    kernel = x @ y.T
    kernel /= x.shape[1]
    kernel += 1.0
    square = kernel * kernel
    kernel *= square  # a power takes many times as long
    return kernel


def _within(x):
    """For each row the sum of the kernel with all others: (num,)."""
    sums = np.zeros(len(x))
    for start in range(0, len(x), BLOCK):
        rows = slice(start, start + BLOCK)
        own = _kernel(x[rows], x[rows])
        sums[rows] += own.sum(axis=1) - np.diagonal(own)
        for later in range(start + BLOCK, len(x), BLOCK):
            kernel = _kernel(x[rows], x[later : later + BLOCK])
            sums[rows] += kernel.sum(axis=1)
            sums[later : later + BLOCK] += kernel.sum(axis=0)
    return sums


def _between(x, y):
    """The sums of the kernel of two sets, by rows (m,) and by columns (n,)."""
    of_x, of_y = np.zeros(len(x)), np.zeros(len(y))
    for start in range(0, len(x), BLOCK):
        for other in range(0, len(y), BLOCK):
            rows, columns = slice(start, start + BLOCK), slice(other, other + BLOCK)
            kernel = _kernel(x[rows], y[columns])
            of_x[rows] += kernel.sum(axis=1)
            of_y[columns] += kernel.sum(axis=0)
    return of_x, of_y
