"""Clustering measures against hand computations, permutations and the definition in numpy."""

import itertools

import numpy as np
import pytest

from keras_gans.metrics import (
    clustering_accuracy,
    majority_vote_accuracy,
    normalized_mutual_information,
)

MEASURES = [clustering_accuracy, majority_vote_accuracy, normalized_mutual_information]
EACH = pytest.mark.parametrize("measure", MEASURES)


def random_partitions(seed, num_labels, num_codes, n=60):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, num_labels, n)
    noise = rng.integers(0, num_codes, n)
    return labels, np.where(rng.uniform(size=n) < 0.5, labels % num_codes, noise)


@pytest.mark.parametrize(
    ("labels", "codes", "accuracy"),
    [
        ([0, 0, 1, 1], [1, 1, 0, 0], 1.0),  # other names
        ([0, 0, 1, 1], [5, 5, 5, 5], 0.5),  # one code for all
        ([0, 0, 1, 1], [0, 1, 2, 3], 0.5),  # two of four codes have no label
        ([0, 0, 0, 1], [0, 0, 1, 1], 0.75),
        # Counts [[3, 2], [3, 0]]: taking the largest first gives 3 + 0, the best is 2 + 3
        ([0, 0, 0, 0, 0, 1, 1, 1], [0, 0, 0, 1, 1, 0, 0, 0], 5 / 8),
        ([7], [3], 1.0),
    ],
)
def test_accuracy_by_hand(labels, codes, accuracy):
    assert clustering_accuracy(labels, codes) == pytest.approx(accuracy, abs=1e-12)


@pytest.mark.parametrize(("num_labels", "num_codes"), [(4, 4), (3, 5), (5, 3)])
@pytest.mark.parametrize("seed", [0, 1])
def test_accuracy_by_permutations(num_labels, num_codes, seed):
    labels, codes = random_partitions(seed, num_labels, num_codes)
    # Names beyond the labels, for codes that get none
    names = range(max(num_labels, num_codes))
    best = max(
        np.mean(np.array(permutation)[codes] == labels)
        for permutation in itertools.permutations(names, num_codes)
    )
    assert clustering_accuracy(labels, codes) == pytest.approx(best, abs=1e-12)


@pytest.mark.parametrize(
    ("labels", "codes", "accuracy"),
    [
        ([0, 0, 1, 1], [0, 1, 2, 3], 1.0),  # as many codes as one likes
        ([0, 0, 1, 1], [5, 5, 5, 5], 0.5),
        ([0, 0, 0, 1, 1, 2], [0, 0, 1, 1, 1, 1], 4 / 6),
    ],
)
def test_votes_by_hand(labels, codes, accuracy):
    assert majority_vote_accuracy(labels, codes) == pytest.approx(accuracy, abs=1e-12)


def test_others_vote():
    """Code 5 is class 3, code 6 class 4, with as many votes as class 7; of code 8 nobody knows."""
    voters = [3, 3, 4, 7, 4], [5, 5, 5, 6, 6]
    assert majority_vote_accuracy([3, 4, 4, 7, 3], [5, 5, 6, 6, 8], voters) == 2 / 5
    with pytest.raises(ValueError, match="1 codes, 2 labels"):
        majority_vote_accuracy([3], [5], ([3, 3], [5]))


@pytest.mark.parametrize(
    ("labels", "codes", "nmi"),
    [
        ([0, 0, 1, 1], [9, 9, 4, 4], 1.0),
        ([0, 0, 1, 1], [0, 1, 0, 1], 0.0),  # independent
        ([0, 0, 1, 1], [5, 5, 5, 5], 0.0),
        ([3, 3], [5, 5], 1.0),  # both have one part
        # H = log 2 and log 4, I = log 2: 2 log 2 / 3 log 2. The geometric mean would give 0.707
        ([0, 0, 1, 1], [0, 1, 2, 3], 2 / 3),
    ],
)
def test_nmi_by_hand(labels, codes, nmi):
    assert normalized_mutual_information(labels, codes) == pytest.approx(nmi, abs=1e-12)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_nmi_by_its_definition(seed):
    """I = sum p(a, b) log(p(a, b) / p(a) p(b)), and entropies of the same form."""
    labels, codes = random_partitions(seed, 4, 3)

    def p(*conditions):
        return np.mean(np.logical_and.reduce(conditions))

    def entropy(values):
        return -sum(p(values == v) * np.log(p(values == v)) for v in set(values.tolist()))

    information = sum(
        joint * np.log(joint / (p(labels == a) * p(codes == b)))
        for a, b in itertools.product(range(4), range(3))
        if (joint := p(labels == a, codes == b)) > 0
    )
    expected = 2 * information / (entropy(labels) + entropy(codes))
    assert normalized_mutual_information(labels, codes) == pytest.approx(expected, abs=1e-12)


@EACH
def test_names_and_order_do_not_matter(measure):
    labels, codes = random_partitions(3, 4, 4)
    order = np.random.default_rng(0).permutation(len(labels))
    same = measure(100 - labels[order], 7 * codes[order].astype("uint8"))
    assert same == pytest.approx(measure(labels, codes), abs=1e-12)
    assert type(same) is float


@EACH
@pytest.mark.parametrize(
    ("labels", "codes", "match"),
    [
        ([0, 1], [0, 1, 1], r"3 codes, 2 labels"),
        ([0.0, 1.0], [0, 1], r"`labels` must be integers.*float64"),
        ([0, 1], [[0, 1], [1, 0]], r"`codes` must be integers.*\(2, 2\)"),
        ([0, 1], [True, False], r"`codes` must be integers.*bool"),
        ([], [], r"`labels`.*\(0,\)"),
    ],
)
def test_bad_arguments(measure, labels, codes, match):
    with pytest.raises(ValueError, match=match):
        measure(labels, codes)
