"""Precision, recall, density and coverage (Kynkäänniemi et al., 2019; Naeem et al., 2020)."""

import numpy as np

from keras_gans.checks import check_count
from keras_gans.metrics._base import FEW, SIDES, FeatureMetric, Rows
from keras_gans.metrics.kid import check_features

BLOCK = 1000  # rows and columns of distances that are held at once


class PRDC(FeatureMetric):
    """Which fakes are near reals, and which reals near fakes: fidelity and diversity apart.

    A picture's ball reaches to its k-th nearest neighbour on its own side. What is on its border is
    in it, as in the code of Kynkäänniemi et al.; in that of Naeem et al. it is not. Then

    - `precision` is the share of fakes in the ball of any real, and `recall` that of reals in
      the ball of any fake;
    - `density` counts in how many reals' balls a fake is, over k (1 where the sets are one), and
      `coverage` is the share of reals with a fake in their ball. One real far off has a large
      ball: it moves precision a lot, and these two less.

    All depend on k and on the numbers of pictures. All features are kept: 4 bytes x 2 x num x size,
    164 MB for 10,000 of 2048; distances are made a block at a time, in float64.

    Args:
        extractor: `Extractor`.
        num: int, the most reals, and the most fakes, that it is given.
        k: int, 5 as of Naeem et al.; Kynkäänniemi et al. have 3.
        name: str.

    Reference:
        Kynkäänniemi et al., 2019 (arXiv:1904.06991), of precision and recall; Naeem et al., 2020
        (arXiv:2002.09797), of density and coverage.
    """

    lower_is_better = False

    def __init__(self, extractor, num=10_000, k=5, name="prdc"):
        super().__init__(extractor, name)
        self.k, num = check_count("k", k), check_count("num", num)
        self.kept = {side: Rows(self, side, num, (extractor.size,)) for side in SIDES}

    def update_side(self, side, extracted):
        self.kept[side].append(extracted.features)

    def own_settings(self):
        return {"k": self.k}

    def caution(self):
        if self.fewest() >= FEW:
            return ""
        return (
            f"{self.name} of {self.fewest():,} examples has wide neighbourhoods, in which nearly "
            "everything lies: 10,000 are usual."
        )

    def compute(self):
        for side in SIDES:
            self.need(side, self.k + 1)
        return precision_recall_density_coverage(
            *(self.kept[side].numpy() for side in SIDES), self.k
        )


def precision_recall_density_coverage(reals, fakes, k=5):
    """The four numbers of `PRDC`, of features.

    Args:
        reals: array (m, size), m above k.
        fakes: array (n, size), n above k.
        k: int.

    Returns:
        Dict of floats: "precision", "recall", "density", "coverage".

    Raises:
        ValueError: not such features, or numbers that are not finite.
    """
    k = check_count("k", k)
    reals, fakes = check_features("reals", reals, k + 1), check_features("fakes", fakes, k + 1)
    if reals.shape[1] != fakes.shape[1]:
        raise ValueError(
            f"`fakes` must have the {reals.shape[1]} features of the reals. "
            f"Received: {fakes.shape[1]}"
        )
    radii_reals, radii_fakes = squared_radii(reals, k), squared_radii(fakes, k)
    in_balls, covered, recalled = (np.zeros(len(x), "int64") for x in (fakes, reals, reals))
    for i in blocks(len(reals)):
        for j in blocks(len(fakes)):
            distances = squared_distances(reals[i], fakes[j])
            in_ball_of_real = distances <= radii_reals[i, None]
            in_balls[j] += in_ball_of_real.sum(axis=0)
            covered[i] |= in_ball_of_real.any(axis=1)
            recalled[i] |= (distances <= radii_fakes[j]).any(axis=1)
    return {
        "precision": float((in_balls > 0).mean()),
        "recall": float(recalled.mean()),
        "density": float(in_balls.mean() / k),
        "coverage": float(covered.mean()),
    }


def squared_radii(rows, k):
    """The squared distance of each row to its k-th nearest other row, (num,)."""
    nearest = np.full((len(rows), k), np.inf)
    for i in blocks(len(rows)):
        for j in blocks(len(rows)):
            if j.start < i.start:  # each pair of blocks once: distances are symmetric
                continue
            distances = squared_distances(rows[i], rows[j])
            if i == j:
                np.fill_diagonal(distances, np.inf)
            else:
                nearest[j] = _smallest(nearest[j], distances.T, k)
            nearest[i] = _smallest(nearest[i], distances, k)
    return nearest.max(axis=1)


def squared_distances(a, b):
    """|a_i - b_j|^2 by one matrix product; never below 0."""
    distances = a @ b.T
    distances *= -2.0
    distances += np.einsum("ij,ij->i", a, a)[:, None]
    distances += np.einsum("ij,ij->i", b, b)
    return np.maximum(distances, 0.0, out=distances)


def blocks(num):
    """Slices of at most `BLOCK` that cover `num`."""
    return [slice(start, min(start + BLOCK, num)) for start in range(0, num, BLOCK)]


def _smallest(nearest, distances, k):
    """The k smallest of both in each row."""
    if distances.shape[1] > k:
        distances = np.partition(distances, k - 1, axis=1)[:, :k]
    both = np.concatenate([nearest, distances], axis=1)
    return np.partition(both, k - 1, axis=1)[:, :k]
