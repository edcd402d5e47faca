"""The mode score by hand, and against its definition row by row."""

import numpy as np
import pytest
import tensorflow as tf
from metric_streams import check_streams, fed, pictures

from keras_gans.metrics import CallableExtractor, GivenFeatures, ModeScore

CLASSES = 7


def classify(pictures):
    """Probabilities that depend on the means of a picture's columns."""
    logits = 30 * tf.reduce_mean(pictures, axis=(1, 3))[:, :CLASSES]
    return logits, tf.nn.softmax(logits)


def extractor():
    return CallableExtractor(classify, "columns", (16, 24), 3, version="1")


def divergence(p, q):
    return np.sum(p * np.log(p / q))


def slow(fakes, reals):
    rows = [classify(x.astype("float32") / 127.5 - 1)[1].numpy() for x in (fakes, reals)]
    p, known = (row.astype("float64") for row in rows)
    marginal, known = p.mean(axis=0), known.mean(axis=0)
    return np.exp(np.mean([divergence(row, known) for row in p]) - divergence(known, marginal))


def test_matches_its_definition():
    reals, fakes = pictures(50), pictures(45, seed=1, noise=5)
    result = fed(ModeScore(extractor()), reals, fakes, batch=7).values()
    assert slow(fakes, reals) > 1.02
    assert result["mode_score"] == pytest.approx(slow(fakes, reals), rel=1e-5)
    assert result["mode_score_reals"] == pytest.approx(slow(reals, reals), rel=1e-5)


def scored(fakes, reals=None):
    """The score of rows of probabilities, which pictures name by their level."""
    rows = np.concatenate([fakes] if reals is None else [fakes, reals])
    table = tf.constant(rows, tf.float32)

    def look_up(pictures):
        return pictures, tf.gather(
            table, tf.cast(tf.round((pictures[:, 0, 0, 0] + 1) * 127.5), "int32")
        )

    metric = ModeScore(CallableExtractor(look_up, "table", (1, 1), 1, version="1"))
    numbered = np.arange(len(rows), dtype="uint8").reshape(-1, 1, 1, 1)
    metric.update_state(fakes=numbered[: len(fakes)])
    if reals is not None:
        metric.update_state(reals=numbered[len(fakes) :])
    return metric.values()


def of_classes(*numbers, classes=4):
    return np.eye(classes)[list(numbers)]


def test_by_hand():
    """Fakes are 3 : 1 of two classes, reals 1 : 1.

    The first term is log 2, as the classifier is sure; the second 1/2 log(2/3) + 1/2 log 2. So the
    score is 2 / sqrt(4/3) = sqrt 3.
    """
    skewed, even = of_classes(0, 0, 0, 1, classes=2), of_classes(0, 1, classes=2)
    assert scored(skewed, even) == {
        "mode_score": pytest.approx(3**0.5, rel=1e-6),
        "mode_score_reals": pytest.approx(2.0, rel=1e-6),
    }
    # And the other way round: 1/2 log(4/3) + 1/2 log 4 less 3/4 log(3/2) + 1/4 log(1/2).
    expected = (4 / 3) ** 0.5 * 4**0.5 / (1.5**0.75 * 0.5**0.25)
    assert scored(even, skewed)["mode_score"] == pytest.approx(expected, rel=1e-6)
    # Unsure fakes, 3 : 1 each: 3/4 log(3/2) + 1/4 log(1/2), less 1/2 log(2/3) + 1/2 log 2.
    unsure = scored(np.tile([[0.75, 0.25]], (8, 1)), even)["mode_score"]
    assert unsure == pytest.approx(1.5**0.75 * 0.5**0.25 * 0.75**0.5, rel=1e-6)


@pytest.mark.parametrize(("fakes", "score"), [
    (of_classes(0, 1, 2, 3), 4),  # sure, and of all classes
    (of_classes(0, 1, 2), 0),  # a class is missing
    (np.full((5, 4), 0.25), 1),  # never sure
], ids=["all", "missing", "unsure"])  # fmt: skip
def test_known_scores(fakes, score):
    """With the even classes of no reals at all, and of reals."""
    assert scored(fakes) == {"mode_score": pytest.approx(score, rel=1e-6)}
    assert scored(fakes, of_classes(3, 2, 1, 0))["mode_score"] == pytest.approx(score, rel=1e-6)


def test_classes_that_reals_have_none_of():
    assert scored(of_classes(0, 1, 2, 3), of_classes(0, 1))["mode_score"] == np.inf
    assert scored(of_classes(2, 3), of_classes(0, 1))["mode_score"] == 0


def test_batches_graphs_and_replicas(two_replicas):
    check_streams(
        lambda: ModeScore(extractor()), pictures(50), pictures(50, seed=1), two_replicas, 1e-6
    )


def test_caution():
    metric = fed(ModeScore(extractor()), pictures(50), pictures(40))
    assert "of 40 examples is too low" in metric.caution() and "exp(-6 / 80)" in metric.caution()
    assert not ModeScore.lower_is_better


def test_bad_input():
    with pytest.raises(ValueError, match=r"`extractor` must give probabilities.*'given'"):
        ModeScore(GivenFeatures(8, "given"))
    with pytest.raises(ValueError, match="`mode_score` needs 1 fakes or more"):
        ModeScore(extractor()).result()
    with pytest.raises(ValueError, match="must give finite probabilities of the reals"):
        scored(of_classes(0, 1), np.full((2, 4), np.nan))
