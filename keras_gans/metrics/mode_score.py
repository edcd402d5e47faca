"""Mode score (Che et al., 2017, arXiv:1612.02136)."""

import numpy as np
import tensorflow as tf

from keras_gans.metrics._base import FEW, SIDES, FeatureMetric, check_probabilities


class ModeScore(FeatureMetric):
    """exp(E_x KL(p(y | x) || p*(y)) - KL(p*(y) || p(y))): an inception score that knows the reals.

    p(y | x) is a classifier's, p(y) its mean over the fakes, and p*(y) that over the reals; even
    where no reals are given. The first term is large where the classifier is sure of each fake. The
    second takes away for classes of the reals that the fakes have too few of, without bound: where
    a class is missing altogether the score is 0. So fakes that are sure and have the classes in the
    reals' shares, even ones, score the number of classes, and one perfect picture a class still
    does. `result()` has the score, `mode_score`, and `mode_score_reals`, the reals' own, where
    there were reals.

    The literature has two more with this name. The first term with p(y) in the place of p*(y), and
    KL(p(y) || p*(y)) for the second, is the one of Xu et al., 2018, and their code. With p*(y) in
    the first term and KL(p(y) || p*(y)) for the second, p* cancels and the inception score is left:
    E_x KL(p(y | x) || p*) = E_x KL(p(y | x) || p) + KL(p || p*). This is neither, so that its
    numbers are not comparable with theirs.

    Args:
        extractor: `Extractor` with probabilities.
        name: str.

    Example:

    >>> score = ModeScore(fashion_mnist_classifier())
    >>> score.update_state(reals, reals)  # the 10,000 of Fashion-MNIST: the classifier has doubts
    >>> round(score.result()["mode_score"], 3)
    8.493

    Reference:
        Che et al., 2017 (arXiv:1612.02136), section 4.1; Xu et al., 2018 (arXiv:1806.07755).
    """

    lower_is_better = False

    def __init__(self, extractor, name="mode_score"):
        super().__init__(extractor, name)
        self.classes = check_probabilities("extractor", extractor)
        self.sums = {side: self.add_sum(f"{side}_sums", (self.classes,)) for side in SIDES}
        self.entropies = {side: self.add_sum(f"{side}_entropies", ()) for side in SIDES}

    def update_side(self, side, extracted):
        p = tf.cast(extracted.probabilities, tf.float64)
        self.sums[side].assign_add(tf.reduce_sum(p, axis=0))
        self.entropies[side].assign_add(tf.reduce_sum(tf.math.xlogy(p, p)))

    def caution(self):
        if self.fewest() >= FEW:
            return ""
        return (
            f"{self.name} of {self.fewest():,} examples is too low, by a factor of about "
            f"exp(-{self.classes - 1} / {2 * self.fewest():,}) for a perfect generator."
        )

    def compute(self):
        self.need("fakes", 1)
        if not self.count("reals"):
            return {self.name: self._score("fakes", np.full(self.classes, 1 / self.classes))}
        known = self._marginal("reals")
        scores = {side: self._score(side, known) for side in SIDES}
        return {self.name: scores["fakes"], f"{self.name}_reals": scores["reals"]}

    def _marginal(self, side):
        p = np.array(self.sums[side]) / self.count(side)
        if not np.isfinite(p).all():
            raise ValueError(
                f"The extractor {self.extractor.name!r} must give finite probabilities of the "
                f"{side}. Received: some that are not"
            )
        return p

    def _score(self, side, known):
        """The score of a side, with `known` for p*(y)."""
        p, where = self._marginal(side), known > 0
        if (p[where] == 0).any():
            return 0.0
        if p[~where].any():
            return np.inf
        log = np.log(known[where])
        sure = float(np.array(self.entropies[side])) / self.count(side) - p[where] @ log
        return np.exp(sure - known[where] @ (log - np.log(p[where])))
