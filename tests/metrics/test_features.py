"""Extractors: what they give, what tells them apart, and what they refuse."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from metric_streams import pictures

from keras_gans.metrics import FID, CallableExtractor, GivenFeatures, fashion
from keras_gans.metrics.fashion import FashionClassifier, build_fashion_classifier


def network(seed=0):
    keras.utils.set_random_seed(seed)
    layers = [keras.layers.Conv2D(5, 3, 2), keras.layers.GlobalAveragePooling2D()]
    return keras.Sequential([keras.Input((16, 24, 3)), *layers])


def test_a_keras_model():
    model = network()
    extractor = CallableExtractor(model, "conv")
    rows = pictures(3)
    extracted = extractor(rows)
    assert extractor.size == 5 and extractor.num_classes is None
    np.testing.assert_allclose(extracted.features, model(rows / 127.5 - 1.0), atol=1e-5)
    assert extracted.probabilities is None


def test_weights_tell_models_apart():
    digests = [CallableExtractor(network(seed), "conv").digest for seed in (0, 0, 1)]
    assert digests[0] == digests[1] != digests[2] and len(digests[0]) == 64
    model = network()
    one = model.weights[0].numpy()
    one[0, 0, 0, 0] = np.nextafter(one[0, 0, 0, 0], 1)
    model.weights[0].assign(one)
    assert CallableExtractor(model, "conv").digest != digests[0]


def test_layers_without_weights_tell_models_apart():
    """By their settings, whatever the layers' names and whether they are frozen."""

    def digest(scale, trainable=True):
        inner = keras.Sequential([keras.Input((2, 2, 1)), keras.layers.Rescaling(scale)])
        inner.trainable = trainable
        model = keras.Sequential([keras.Input((2, 2, 1)), inner, keras.layers.Flatten()])
        return CallableExtractor(model, "scaled").digest

    assert digest(1.0) == digest(1.0, trainable=False) != digest(2.0)


def test_a_function():
    """Places are averaged; pictures get the size and the channels that are asked for."""
    seen = []

    def pixels(rows):
        seen.append(rows.shape)
        return rows, tf.nn.softmax(rows[:, 0, 0])

    extractor = CallableExtractor(pixels, "pixels", (8, 12), 3, version="2")
    grey = pictures(4, channels=1)
    features, probabilities = extractor(grey)
    assert all(tuple(shape[1:]) == (8, 12, 3) for shape in seen)
    assert extractor.size == extractor.num_classes == 3
    expected = tf.image.resize(grey.repeat(3, axis=3), (8, 12), antialias=True) / 127.5 - 1
    np.testing.assert_allclose(features, tf.reduce_mean(expected, axis=(1, 2)), atol=1e-5)
    assert probabilities.shape == (4, 3)
    assert extractor.protocol() == {
        "extractor": "pixels",
        "extractor_hash": "2",
        "resize": "bilinear, antialiased, (8, 12), 3 channels",
    }


def test_extraction_is_shared_once_asked_for():
    runs = []

    def count(rows):
        runs.append(1)
        tf.py_function(lambda: runs.append(2), [], [])
        return rows

    extractor = CallableExtractor(count, "count", (16, 24), 3, version="1")
    rows, others = tf.constant(pictures(3)), tf.constant(pictures(3, seed=1))

    def runs_of(calls):
        before = runs.count(2)
        calls()
        return runs.count(2) - before

    assert runs_of(lambda: [extractor(rows), extractor(rows)]) == 2

    def shared():
        with extractor.shared():
            assert extractor(rows).features is extractor(rows).features
            assert (extractor(others).features != extractor(rows).features).numpy().any()

    assert runs_of(shared) == 2
    assert runs_of(lambda: extractor(rows)) == 1


def test_given_features():
    given = GivenFeatures(4, "mine")
    rows = np.arange(8.0).reshape(2, 4)
    assert given(rows).features.dtype == "float32"
    np.testing.assert_array_equal(given(rows).features, rows)
    for bad in (rows[:, :3], rows.astype(int), rows[0]):
        with pytest.raises(ValueError, match=r"`features` must be .*\(num, 4\).*Received"):
            given(bad)


def test_the_fashion_classifier_takes_all_pictures(tmp_path):
    """28 x 28 grey pictures enter as they are, others are fitted; half an extractor is none."""
    keras.utils.set_random_seed(0)
    model = build_fashion_classifier()
    path = tmp_path / "some.weights.h5"
    model.save_weights(path)
    extractor = FashionClassifier(path)
    rows = pictures(3, 28, 28, 1)
    features, probabilities = extractor(rows)
    expected = model(rows / 127.5 - 1.0)
    np.testing.assert_allclose(features, expected[0], atol=1e-5)
    np.testing.assert_allclose(probabilities, expected[1], atol=1e-5)
    large = rows.repeat(2, axis=1).repeat(2, axis=2).repeat(3, axis=3)
    np.testing.assert_allclose(extractor(large).features, features, atol=0.5)
    assert extractor(pictures(2, 40, 30, 3)).features.shape == (2, extractor.size)
    assert FID(extractor).extractor.size == fashion.NUM_FEATURES
    path.write_bytes(b"no weights")
    with pytest.raises(OSError, match="`weights` must be a file of"):
        FashionClassifier(path)


@pytest.mark.parametrize("bad", [
    np.zeros((2, 8, 8, 3), "float32"), np.zeros((8, 8, 3), "uint8"), np.zeros((2, 8, 0, 3), "uint8")
], ids=str)  # fmt: skip
def test_bad_pictures(bad):
    with pytest.raises(ValueError, match=r"`pictures` must be uint8 pictures.*Received"):
        CallableExtractor(network(), "conv")(bad)


def test_bad_arguments():
    with pytest.raises(ValueError, match=r"`version` must be given.*None"):
        CallableExtractor(lambda x: x, "pixels", (8, 8), 3)
    with pytest.raises(ValueError, match=r"`function` must be callable.*'conv'"):
        CallableExtractor("conv", "conv")
    with pytest.raises(ValueError, match="`name` must be a str that is not empty"):
        GivenFeatures(4, "")
    with pytest.raises(ValueError, match="`size` must be an integer"):
        GivenFeatures(0, "mine")
    for size in (8, (8,), (8, 0), (8, 2.5)):
        with pytest.raises(ValueError, match=r"`image_size` must be .*Received"):
            CallableExtractor(network(), "conv", size)
    for channels in (0, 5, 1.5):
        with pytest.raises(ValueError, match=r"`channels` must be .*Received"):
            CallableExtractor(network(), "conv", channels=channels)
    with pytest.raises(ValueError, match="`image_size` and `channels` must be given"):
        CallableExtractor(keras.layers.Flatten(), "pixels", version="1")
