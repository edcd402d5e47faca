"""Modes that a generator catches, where it is known which there are."""

import numpy as np
import tensorflow as tf

from keras_gans.checks import check_count, check_positive
from keras_gans.metrics._base import SIDES, FeatureMetric, GenerativeMetric, check_probabilities
from keras_gans.metrics._pictures import check_tensor


class ModeCoverage(GenerativeMetric):
    """How many of a mixture's modes a generator catches, and how many samples are of high quality.

    Each sample belongs to the nearest centre. It is of high quality within `num_sigmas` standard
    deviations of it. `result()` has

    - `modes`: how many have `min_samples` high-quality samples of their own;
    - `high_quality`: the share of samples that are;
    - `kl`: the divergence KL(fakes || reals) of the two histograms over modes, of all samples; the
      reals' is even where no reals are given. It is infinite where fakes are in a mode that has no
      reals, or not finite.

    Counts alone are kept.

    Args:
        centres: array (modes, dimensions), such as `keras_gans.datasets.points.RING_CENTRES`.
        sigma: float, the modes' standard deviation.
        num_sigmas: float. At 3, a share 0.989 of the samples of a mixture in the plane itself is of
            high quality.
        min_samples: int. A single sample counts as caught in the literature.
        name: str.

    Example:

    >>> coverage = ModeCoverage(points.RING_CENTRES, points.RING_SIGMA)
    >>> coverage.update_state(fakes=gan.generate(2500))
    >>> coverage.result()["modes"]
    8.0

    Reference:
        Srivastava et al., 2017 (arXiv:1705.07761); Lin et al., 2018 (arXiv:1712.04086).
    """

    lower_is_better = False

    def __init__(self, centres, sigma, num_sigmas=3, min_samples=1, name="modes"):
        super().__init__(name)
        self.centres = np.asarray(centres, "float64")
        centres_are_finite = np.isfinite(self.centres).all()
        if self.centres.ndim != 2 or 0 in self.centres.shape or not centres_are_finite:
            raise ValueError(
                "`centres` must be finite points (modes, dimensions). Received: "
                f"{'' if centres_are_finite else 'infinite or NaN, '}shape {self.centres.shape}"
            )
        self.sigma = check_positive("sigma", sigma)
        self.num_sigmas = check_positive("num_sigmas", num_sigmas)
        self.min_samples = check_count("min_samples", min_samples)
        modes = len(self.centres)
        self.counts = {side: self.add_sum(f"{side}_modes", (modes,), "int64") for side in SIDES}
        self.good = self.add_sum("fakes_good", (modes,), "int64")

    def check(self, side, rows):
        points, size = tf.convert_to_tensor(rows), self.centres.shape[1]
        if not points.dtype.is_floating or points.shape[1:] != (size,):
            raise ValueError(
                f"`{side}` must be floating-point points (num, {size}). "
                f"Received: {points.dtype.name} of shape {points.shape}"
            )
        return points

    def update(self, reals, fakes):
        if reals is not None:
            self.counts["reals"].assign_add(self._histogram(self._nearest(reals)[0]))
        if fakes is not None:
            nearest, distances = self._nearest(fakes)
            finite = tf.math.is_finite(distances)
            self.counts["fakes"].assign_add(self._histogram(nearest, finite))
            good = distances <= self.num_sigmas * self.sigma  # never where a sample is NaN
            self.good.assign_add(self._histogram(nearest, good))

    def _nearest(self, points):
        offsets = tf.cast(points, tf.float64)[:, None] - tf.constant(self.centres)
        distances = tf.norm(offsets, axis=-1)
        return tf.argmin(distances, axis=1), tf.reduce_min(distances, axis=1)

    def _histogram(self, indices, where=None):
        counted = tf.one_hot(indices, len(self.centres), dtype=tf.int64)
        if where is not None:
            counted *= tf.cast(where, tf.int64)[:, None]
        return tf.reduce_sum(counted, axis=0)

    def settings(self):
        return {
            "centres": len(self.centres),
            "sigma": self.sigma,
            "sigmas": self.num_sigmas,
            "min_samples": self.min_samples,
        }

    def compute(self):
        num = self.need("fakes", 1)
        good, counts = np.array(self.good), {s: np.array(self.counts[s]) for s in SIDES}
        lost = counts["fakes"].sum() < num
        return {
            self.name: (good >= self.min_samples).sum(),
            "high_quality": good.sum() / num,
            "kl": np.inf if lost else histogram_divergence(counts["fakes"], counts["reals"]),
        }


class StackedModes(FeatureMetric):
    """Which of the classes^3 combinations occur in pictures of three stacked ones, one a channel.

    Three digits of MNIST, one in each channel, have 1000 modes, which a generator must find. A
    classifier of single pictures names the class in each channel. `result()` has

    - `modes`: combinations that occur;
    - `kl`: the divergence KL(fakes || reals) of their histograms, the reals' even where none are
      given. It is infinite where fakes are in a mode that has no reals.

    Counts alone are kept. The number of modes grows with that of the pictures: of 26,000 drawn from
    1000 equal modes all occur, of 2,500 about 918.

    Args:
        classifier: `Extractor` with probabilities, of pictures with one channel.
        name: str.

    Reference:
        Metz et al., 2017 (arXiv:1611.02163); Lin et al., 2018 (arXiv:1712.04086), whose code takes
        26,000 pictures and an even histogram for the reals.
    """

    lower_is_better = False

    def __init__(self, classifier, name="stacked_modes"):
        super().__init__(classifier, name)
        self.modes = check_probabilities("classifier", classifier) ** 3
        self.counts = {
            side: self.add_sum(f"{side}_modes", (self.modes,), "int64") for side in SIDES
        }

    def check(self, side, rows):
        pictures = check_tensor(side, rows)
        if pictures.shape[-1] != 3:
            raise ValueError(
                f"`{side}` must have three channels, one picture in each. "
                f"Received: shape {pictures.shape}"
            )
        return pictures

    def update(self, reals, fakes):
        for side, rows in zip(SIDES, (reals, fakes), strict=True):
            if rows is not None:
                classes = self.extractor.num_classes
                mode = 0
                for channel in tf.split(rows, 3, axis=-1):
                    named = tf.argmax(self.extractor(channel).probabilities, axis=1)
                    mode = classes * mode + named
                ones = tf.ones_like(mode)
                self.counts[side].assign_add(tf.math.unsorted_segment_sum(ones, mode, self.modes))

    def compute(self):
        self.need("fakes", 1)
        fakes, reals = (np.array(self.counts[side]) for side in ("fakes", "reals"))
        return {self.name: (fakes > 0).sum(), "kl": histogram_divergence(fakes, reals)}


def histogram_divergence(fakes, reals):
    """KL(fakes || reals) of two arrays of counts; no reals at all stand for even ones."""
    p = fakes / fakes.sum()
    q = reals / reals.sum() if reals.any() else np.full(len(p), 1 / len(p))
    where = p > 0
    with np.errstate(divide="ignore"):
        return float((p[where] * np.log(p[where] / q[where])).sum())
