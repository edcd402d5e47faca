"""Inception score (Salimans et al., 2016, arXiv:1606.03498)."""

import numpy as np
import tensorflow as tf

from keras_gans.checks import check_count
from keras_gans.devices.replicas import global_batch
from keras_gans.metrics._base import FEW, FeatureMetric, check_probabilities, first_index


class InceptionScore(FeatureMetric):
    """exp(E_x KL(p(y | x) || p(y))): fakes that a classifier is sure of, and of all classes.

    It never sees the reals; those given are only scored beside the fakes, as what can be reached.
    It is 1 at least, and at most the number of classes. It rewards one perfect picture a class.

    `result()` has the mean over splits, `is`, and their standard deviation, `is_std`; and
    `is_reals` where there were reals. Picture k belongs to split k modulo the number of splits, so
    that nothing has to be kept. (The authors' code cuts the pictures into runs, which for
    samples in no order is the same.) The score falls with fewer pictures in a split.

    Args:
        extractor: `Extractor` with probabilities.
        splits: int.
        name: str.

    Reference:
        Salimans et al., 2016 (arXiv:1606.03498), section 4, of 50,000 pictures; 10 splits as in the
        authors' code.
    """

    lower_is_better = False

    def __init__(self, extractor, splits=10, name="is"):
        super().__init__(extractor, name)
        classes = check_probabilities("extractor", extractor)
        self.splits = check_count("splits", splits)
        shapes = {
            "sums": (splits, classes),
            "entropies": (splits,),
            "nums": (splits,),
        }
        self.parts = {
            side: {part: self.add_sum(f"{side}_{part}", shape) for part, shape in shapes.items()}
            for side in ("reals", "fakes")
        }
        # The same on all replicas, unlike the counts: it says which split is next.
        self.positions = {
            side: self.add_variable((), "zeros", "int64", "only_first_replica", f"{side}_position")
            for side in ("reals", "fakes")
        }

    def update_side(self, side, extracted):
        p = tf.cast(extracted.probabilities, tf.float64)
        num, position = tf.shape(p, out_type=tf.int64)[0], self.positions[side]
        start = first_index(tf.convert_to_tensor(position.value), num)
        split = tf.one_hot((start + tf.range(num)) % self.splits, self.splits, dtype=tf.float64)
        entropies = tf.reduce_sum(tf.math.xlogy(p, p), axis=1)
        parts = self.parts[side]
        parts["sums"].assign_add(tf.matmul(split, p, transpose_a=True))
        parts["entropies"].assign_add(tf.linalg.matvec(split, entropies, transpose_a=True))
        parts["nums"].assign_add(tf.reduce_sum(split, axis=0))
        position.assign_add(tf.reduce_sum(global_batch(num[None])))

    def own_settings(self):
        return {"splits": self.splits}

    def caution(self):
        if self.fewest() >= FEW:
            return ""
        return (
            f"{self.name} of {self.fewest():,} examples in {self.splits} splits is too low, and at "
            "most the number in a split: 50,000 are usual."
        )

    def compute(self):
        self.need("fakes", self.splits)
        scores = self._scores("fakes")
        values = {self.name: scores.mean(), f"{self.name}_std": scores.std()}
        if self.count("reals"):
            self.need("reals", self.splits)
            values[f"{self.name}_reals"] = self._scores("reals").mean()
        return values

    def _scores(self, side):
        """The score of each split: exp(mean of sum_y p log p - sum_y q log q), q the mean of p."""
        sums, entropies, nums = (np.array(part) for part in self.parts[side].values())
        q = sums / nums[:, None]
        if not np.isfinite(q).all():
            raise ValueError(
                f"The extractor {self.extractor.name!r} must give finite probabilities of the "
                f"{side}. Received: some that are not"
            )
        return np.exp(entropies / nums - (q * np.log(np.where(q > 0, q, 1.0))).sum(axis=1))
