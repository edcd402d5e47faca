"""The inception score against its definition."""

import numpy as np
import pytest
import tensorflow as tf
from metric_streams import check_streams, fed, pictures

from keras_gans.metrics import CallableExtractor, GivenFeatures, InceptionScore

CLASSES = 7


def classify(pictures):
    """Probabilities that depend on the means of a picture's columns."""
    logits = 30 * tf.reduce_mean(pictures, axis=(1, 3))[:, :CLASSES]
    return logits, tf.nn.softmax(logits)


def extractor():
    return CallableExtractor(classify, "columns", (16, 24), 3, version="1")


def slow(rows, splits):
    """exp of the mean divergence of p(y | x) from p(y), in each split by itself."""
    p = classify(rows.astype("float32") / 127.5 - 1)[1].numpy().astype("float64")
    scores = []
    for part in (p[k::splits] for k in range(splits)):
        divergences = [np.sum(row * np.log(row / part.mean(axis=0))) for row in part]
        scores.append(np.exp(np.mean(divergences)))
    return np.mean(scores), np.std(scores)


@pytest.mark.parametrize("splits", [1, 3, 10])
def test_matches_its_definition(splits):
    reals, fakes = pictures(50), pictures(45, seed=1, noise=5)
    result = fed(InceptionScore(extractor(), splits), reals, fakes, batch=7).result()
    mean, std = slow(fakes, splits)
    assert mean > 1.02
    assert result["is"] == pytest.approx(mean, rel=1e-5)
    assert result["is_std"] == pytest.approx(std, rel=1e-4, abs=1e-9)
    assert result["is_reals"] == pytest.approx(slow(reals, splits)[0], rel=1e-5)


@pytest.mark.parametrize(("p", "score"), [
    (np.eye(CLASSES)[np.arange(70) % CLASSES], CLASSES),  # sure, and of all classes
    (np.eye(CLASSES)[np.zeros(70, int)], 1),  # of one class
    (np.full((70, CLASSES), 1 / CLASSES), 1),  # never sure
    (np.eye(CLASSES)[np.arange(70) % 2], 2),
], ids=["all", "one", "unsure", "two"])  # fmt: skip
def test_known_scores(p, score):
    table = tf.constant(p, tf.float32)

    def look_up(pictures):
        return pictures, tf.gather(
            table, tf.cast(tf.round((pictures[:, 0, 0, 0] + 1) * 127.5), tf.int32)
        )

    numbered = np.arange(70, dtype="uint8").reshape(70, 1, 1, 1)
    metric = InceptionScore(CallableExtractor(look_up, "table", (1, 1), 1, version="1"), splits=1)
    metric.update_state(fakes=numbered)
    assert metric.result() == {"is": pytest.approx(score, rel=1e-6), "is_std": 0.0}


def test_batches_graphs_and_replicas(two_replicas):
    def build():
        return InceptionScore(extractor(), 4)

    check_streams(build, pictures(50), pictures(50, seed=1), two_replicas, 1e-6)


def test_bad_input():
    with pytest.raises(ValueError, match=r"`extractor` must give probabilities.*'given'"):
        InceptionScore(GivenFeatures(8, "given"))
    with pytest.raises(ValueError, match="`splits` must be"):
        InceptionScore(extractor(), splits=0)
    few = InceptionScore(extractor(), splits=10)
    few.update_state(fakes=pictures(9))
    with pytest.raises(ValueError, match=r"`is` needs 10 fakes or more. Received: 9"):
        few.result()
