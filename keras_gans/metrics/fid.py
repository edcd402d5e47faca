"""Fréchet inception distance (Heusel et al., 2017, arXiv:1706.08500)."""

import numpy as np
import tensorflow as tf

from keras_gans.metrics._base import FEW, SIDES, FeatureMetric


class FID(FeatureMetric):
    """The Fréchet distance between normal distributions fitted to the features of two sets.

        |m_r - m_f|^2 + tr(C_r + C_f - 2 (C_r C_f)^(1/2))

    It is biased upwards by about 1 / number of pictures, and differently for different generators
    (Bińkowski et al., 2018): compare it at one number of pictures only; 10,000 and 50,000 are
    usual. Below as many pictures as features a covariance is singular; the distance is still
    exact, and says even less about the distributions. `result()` warns of either, below 2,000
    pictures, and a measurement has it as its caution.

    `result()` is a float.

    Memory is 8 bytes x 2 x size^2, whatever the number of pictures: 67 MB for 2048 features. Sums
    are in float64: from the mean outer product, m m^T is subtracted, and in float32 that leaves
    rounding errors as large as the small eigenvalues, whose roots count. TPUs have no float64
    matrix products: there, extract on the TPU and update on the host.

    Args:
        extractor: `Extractor`.
        name: str.

    Example:

    >>> fid = FID(fashion_mnist_classifier())
    >>> for reals in dataset:
    ...     fid.update_state(to_uint8(reals), gan.generate(len(reals)))
    >>> print(fid.measurement())

    Reference:
        Heusel et al., 2017 (arXiv:1706.08500); the covariances as in the authors' code, fid.py.
    """

    def __init__(self, extractor, name="fid"):
        super().__init__(extractor, name)
        size = extractor.size
        self.sums = {side: self.add_sum(f"{side}_sum", (size,)) for side in SIDES}
        self.outers = {side: self.add_sum(f"{side}_outer", (size, size)) for side in SIDES}

    def update_side(self, side, extracted):
        features = tf.cast(extracted.features, tf.float64)
        self.sums[side].assign_add(tf.reduce_sum(features, axis=0))
        self.outers[side].assign_add(tf.matmul(features, features, transpose_a=True))

    def statistics(self, side):
        """The mean and the unbiased covariance of the "reals" or the "fakes", float64.

        Raises:
            ValueError: fewer than 2, or features that are not finite.
        """
        num = self.need(side, 2)
        mean = np.array(self.sums[side]) / num
        outer = np.array(self.outers[side])
        if not np.isfinite(outer).all():
            raise ValueError(
                f"The extractor {self.extractor.name!r} must give finite features of the {side}. "
                "Received: some that are not"
            )
        outer -= num * np.outer(mean, mean)
        return mean, outer / (num - 1)

    def caution(self):
        num, size = self.fewest(), self.extractor.size
        if num >= FEW and num > size:
            return ""
        singular = f"; of no more examples than features, {size:,}, the covariance is singular"
        return (
            f"{self.name} of {num:,} examples is biased upwards, differently for each generator "
            f"(10,000 are usual){singular if num <= size else ''}."
        )

    def compute(self):
        (mean_r, covariance_r), (mean_f, covariance_f) = map(self.statistics, SIDES)
        return {self.name: frechet_distance(mean_r, covariance_r, mean_f, covariance_f)}


def frechet_distance(mean_a, covariance_a, mean_b, covariance_b):
    """|m_a - m_b|^2 + tr(A + B - 2 (A B)^(1/2)) of two normal distributions.

    With A = S S, S symmetric, A B has the eigenvalues of S B S, which is symmetric as well. So two
    symmetric eigenvalue problems give the trace of the root, also where A B is singular and
    has no root that a Schur method finds.

    Args:
        mean_a, mean_b: arrays (size,).
        covariance_a, covariance_b: symmetric arrays (size, size), positive semidefinite but for
            rounding errors.

    Returns:
        Float of at least 0.

    Raises:
        ValueError: shapes that do not fit, or numbers that are not finite.

    Example:

    >>> frechet_distance(np.zeros(2), np.eye(2), np.array([3.0, 4.0]), 4 * np.eye(2))
    27.0
    """
    from scipy import linalg  # here, so that importing the package stays cheap

    names = ("mean_a", "covariance_a", "mean_b", "covariance_b")
    given = [np.asarray(x, "float64") for x in (mean_a, covariance_a, mean_b, covariance_b)]
    size = given[0].size
    for name, array, shape in zip(names, given, ((size,), (size, size)) * 2, strict=True):
        if array.shape != shape or not np.isfinite(array).all():
            raise ValueError(
                f"`{name}` must be finite numbers of shape {shape}. Received: shape {array.shape}, "
                f"{np.isfinite(array).mean():.1%} of them finite"
            )
    mean_a, covariance_a, mean_b, covariance_b = given
    values, vectors = linalg.eigh(covariance_a)
    # What is below the rounding error of the largest eigenvalue is 0, and would count by its root.
    kept = values > values[-1] * size * np.finfo("float64").eps
    half = vectors[:, kept] * np.sqrt(values[kept])
    values = linalg.eigvalsh(half.T @ covariance_b @ half) if kept.any() else np.zeros(1)
    root = np.sqrt(np.maximum(values, 0.0)).sum()
    distance = np.square(mean_a - mean_b).sum() + np.trace(covariance_a) + np.trace(covariance_b)
    return float(max(distance - 2 * root, 0.0))
