"""The classifier that is shipped: its accuracy, its card, and what its features measure."""

import re

import numpy as np
import pytest
from metric_streams import fed

from keras_gans.datasets import embedded
from keras_gans.metrics import (
    FID,
    InceptionScore,
    MetricSet,
    fashion,
    fashion_mnist_classifier,
    fashion_mnist_encoder,
)
from keras_gans.metrics.features import hash_of_file


@pytest.fixture(scope="module")
def reals():
    examples = embedded.fashion_mnist_10k()
    return examples.values.numpy(), examples.labels.numpy()


@pytest.mark.slow
def test_accuracy_is_that_of_its_card(reals):
    pictures, labels = reals
    classifier = fashion_mnist_classifier()
    parts = np.array_split(pictures, 20)
    named = np.concatenate(
        [classifier(part).probabilities.numpy().argmax(axis=1) for part in parts]
    )
    accuracy = (named == labels).mean()
    assert accuracy >= 0.91
    card = fashion.weights_file().parent.joinpath("README.md").read_text(encoding="utf-8")
    stated = float(re.search(r"10,000 test pictures \| ([\d.]+)%", card)[1])
    assert 100 * accuracy == pytest.approx(stated, abs=0.011)
    assert hash_of_file(fashion.weights_file()) == classifier.digest and classifier.digest in card


def test_the_encoder_makes_the_classifiers_features(reals):
    """As a network of pictures in [-1, 1], with the weights of its file."""
    pictures, encoder = reals[0][:20], fashion_mnist_encoder()
    assert (encoder.input_shape, encoder.output_shape) == ((None, 28, 28, 1), (None, 128))
    found = encoder(pictures / 127.5 - 1, training=False)
    expected = fashion_mnist_classifier()(pictures).features
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_distances_grow_with_noise(reals):
    """Other reals are nearest; the more noise, the further off."""
    pictures = reals[0][:1500]
    rng = np.random.default_rng(0)
    distances, scores = [], []
    for noise in (0, 20, 60, 200):
        fakes = pictures[500:1000] + rng.normal(scale=noise, size=(500, 28, 28, 1))
        fakes = np.clip(fakes, 0, 255).astype("uint8")
        classifier = fashion_mnist_classifier()
        metrics = MetricSet([FID(classifier), InceptionScore(classifier, splits=1)])
        result = fed(metrics, pictures[:500], fakes, batch=500).result()
        distances.append(result["fid"]), scores.append(result["is"])
    assert distances == sorted(distances) and distances[-1] > 5 * distances[0]
    assert 5 < scores[0] <= 10 and scores[-1] < scores[0]
