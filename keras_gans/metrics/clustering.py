"""How well codes that a model found by itself agree with the labels that it never saw."""

import numpy as np


def clustering_accuracy(labels, codes):
    """The share of examples whose code is their label's, under the best naming of the codes.

        max_m 1/n sum_i [label_i = m(code_i)]

    where m gives each code at most one label, and no label to two codes. Where there are more codes
    than labels, those without a label count as wrong.

    Args:
        labels: integer array (n,), the true classes.
        codes: integer array (n,), for instance of `InfoGAN.classify`.

    Returns:
        float in (0, 1].

    Raises:
        ValueError: they are not integers (n,), or not as many, or there are none.

    Example:

    >>> clustering_accuracy([0, 0, 1, 1], [7, 7, 7, 3])
    0.75

    Reference:
        Xie et al., 2016 (arXiv:1511.06335), section 4; the best m by Kuhn, 1955.
    """
    from scipy.optimize import linear_sum_assignment  # here, for importing to stay cheap

    counts = _contingency(labels, codes)
    return float(counts[linear_sum_assignment(counts, maximize=True)].sum() / counts.sum())


def majority_vote_accuracy(labels, codes, voters=None):
    """The share of examples whose label is the one that most of their code's examples have.

    Several codes may have one label, so that there may be more codes than labels. Where the voters
    are others, a code that none of them has counts as wrong; of labels with as many votes the
    least is taken.

    Args:
        labels: integer array (n,), the true classes.
        codes: integer array (n,), for instance of `CatGAN.classify`.
        voters: pair of such arrays, the labels and codes of the examples that vote, such as those
            of a training split; `None` for the same ones.

    Returns:
        float in [0, 1].

    Raises:
        ValueError: they are not integers (n,), or not as many, or there are none.

    Example:

    >>> majority_vote_accuracy([0, 0, 0, 1], [7, 5, 3, 3])
    0.75

    Reference:
        Springenberg, 2016 (arXiv:1511.06390): 20 clusters of 10 digits.
    """
    labels, codes = _pair(labels, codes)
    known_labels, known_codes = (labels, codes) if voters is None else _pair(*voters)
    names = {}
    for code in np.unique(known_codes):
        values, counts = np.unique(known_labels[known_codes == code], return_counts=True)
        names[code] = values[counts.argmax()]
    right = [
        code in names and names[code] == label for label, code in zip(labels, codes, strict=True)
    ]
    return float(np.mean(right))


def normalized_mutual_information(labels, codes):
    """Mutual information of two partitions over the arithmetic mean of their entropies.

        2 I(labels; codes) / (H(labels) + H(codes))

    It is 0 where the codes say nothing of the labels, and 1 where each tells the other. Two
    partitions that both have one part alone have 1.

    Args:
        labels: integer array (n,), the true classes.
        codes: integer array (n,), for instance of `InfoGAN.classify`.

    Returns:
        float in [0, 1].

    Raises:
        ValueError: they are not integers (n,), or not as many, or there are none.

    Example:

    >>> normalized_mutual_information([0, 0, 1, 1], [5, 5, 2, 2])
    1.0

    Reference:
        Vinh, Epps and Bailey, 2010 (JMLR 11, 2837-2854), table 2, NMI_sum.
    """
    joint = _contingency(labels, codes)
    joint = joint / joint.sum()
    of_labels, of_codes, of_both = (
        _entropy(joint.sum(axis=1)),
        _entropy(joint.sum(axis=0)),
        _entropy(joint.ravel()),
    )
    if of_labels + of_codes == 0:
        return 1.0
    information = of_labels + of_codes - of_both
    return float(np.clip(2 * information / (of_labels + of_codes), 0.0, 1.0))


def _contingency(labels, codes):
    """Counts of examples, (number of labels, number of codes); both as far as they occur."""
    labels, codes = _pair(labels, codes)
    (rows, i), (columns, j) = (np.unique(part, return_inverse=True) for part in (labels, codes))
    counts = np.zeros((len(rows), len(columns)), "int64")
    np.add.at(counts, (i, j), 1)
    return counts


def _pair(labels, codes):
    """Both as arrays, or a ValueError."""
    labels, codes = (_check(*pair) for pair in (("labels", labels), ("codes", codes)))
    if len(labels) != len(codes):
        raise ValueError(
            "`codes` must have one for each of the labels. "
            f"Received: {len(codes)} codes, {len(labels)} labels"
        )
    return labels, codes


def _check(name, values):
    values = np.asarray(values)
    if values.ndim != 1 or values.dtype.kind not in "iu" or not len(values):
        raise ValueError(
            f"`{name}` must be integers of shape (n,), at least one. "
            f"Received: {values.dtype} of shape {values.shape}"
        )
    return values


def _entropy(probabilities):
    p = probabilities[probabilities > 0]
    return -(p * np.log(p)).sum()
