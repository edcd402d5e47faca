"""The Inception networks: a small graph in the form of the 2015 one, and Keras's, not trained."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from metric_streams import pictures

from keras_gans.metrics import FID, Inception2015, InceptionV3

SIZE, CLASSES = 6, 5


def write_graph(path, seed=0, input_name="ExpandDims", scaled=True):
    """Nodes of the names, the operations and the fixed batch of 1 that the 2015 graph has."""
    rng = np.random.default_rng(seed)
    kernel = rng.normal(size=(3, 3, 3, SIZE), scale=0.3).astype("float32")
    moments = rng.uniform(0.5, 2, (4, SIZE)).astype("float32")
    weights = rng.normal(size=(SIZE, CLASSES)).astype("float32")
    v1 = tf.compat.v1
    with tf.Graph().as_default() as graph:
        picture = v1.placeholder(tf.float32, (None, None, 3), "Cast")
        x = tf.expand_dims(picture, 0, name=input_name)
        x = tf.raw_ops.ResizeBilinear(images=x, size=(299, 299), name="ResizeBilinear")
        x = tf.multiply(tf.subtract(x, 128.0, name="Sub"), 0.0078125, name="Mul")
        x = tf.nn.conv2d(x, kernel, 2, "VALID", name="conv/Conv2D")
        normalized, *_ = tf.raw_ops.FusedBatchNorm(
            **dict(zip(("x", "scale", "offset", "mean", "variance"), (x, *moments), strict=True)),
            is_training=False,
            name="conv/batchnorm",
        )
        x = tf.nn.relu(normalized, name="conv")
        pool = tf.nn.avg_pool2d(x, 149, 1, "VALID", name="pool_3")
        flat = tf.reshape(pool, (1, SIZE), name="pool_3/_reshape")
        logits = tf.matmul(flat, weights, name="softmax/logits/MatMul")
        tf.nn.softmax(tf.nn.bias_add(logits, np.ones(CLASSES, "float32")), name="softmax")
    content = graph.as_graph_def(add_shapes=True)
    (node,) = (node for node in content.node if node.name == "conv/batchnorm")
    # TensorFlow makes no such node any more: one with as many inputs, in its order, becomes one.
    node.op = "BatchNormWithGlobalNormalization"
    for name in set(node.attr) - {"T"}:
        del node.attr[name]
    node.attr["variance_epsilon"].f = 0.001
    node.attr["scale_after_normalization"].b = scaled
    content.versions.producer = 8
    path.write_bytes(content.SerializeToString())
    return kernel, moments, weights


def legacy_bilinear(picture, side):
    """TensorFlow 1's: pixel i of the result lies at i * old / new, and nothing is averaged."""
    for axis in (0, 1):
        old = picture.shape[axis]
        at = np.arange(side) * np.float32(old / side)
        low = np.floor(at).astype(int)
        high = np.minimum(low + 1, old - 1)
        share = (at - low).reshape((-1, 1, 1) if axis == 0 else (1, -1, 1))
        picture = picture.take(low, axis) * (1 - share) + picture.take(high, axis) * share
    return picture


@pytest.mark.parametrize("scaled", [True, False])
def test_the_2015_graph(tmp_path, scaled):
    """Its own resizing, its own scaling, and the softmax without the bias, for any batch."""
    path = tmp_path / "classify_image_graph_def.pb"
    kernel, (mean, variance, beta, gamma), weights = write_graph(path, scaled=scaled)
    gamma = gamma if scaled else 1.0
    extractor = Inception2015(path)
    rows = pictures(3, 20, 30)
    features, probabilities = extractor(rows)
    assert (extractor.size, extractor.num_classes) == (SIZE, CLASSES)
    for picture, feature, p in zip(rows, features, probabilities, strict=True):
        scaled = (legacy_bilinear(picture.astype("float64"), 299) - 128) / 128
        made = tf.nn.conv2d(scaled[None].astype("float32"), kernel, 2, "VALID").numpy()[0]
        normal = gamma * (made - mean) / np.sqrt(variance + 0.001) + beta
        expected = np.maximum(normal, 0).mean(axis=(0, 1))
        np.testing.assert_allclose(feature, expected, rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(p, tf.nn.softmax(expected @ weights), rtol=2e-3)
    grey = rows[..., :1]
    np.testing.assert_allclose(
        extractor(grey).features, extractor(grey.repeat(3, axis=3)).features, rtol=1e-5
    )


def test_files_tell_graphs_apart(tmp_path):
    paths = [tmp_path / "a.pb", tmp_path / "b.pb"]
    for seed, path in enumerate(paths):
        write_graph(path, seed)
    first, second = (FID(Inception2015(path)) for path in paths)
    for fid in (first, second):
        fid.update_state(pictures(9), pictures(9, seed=1))
    with pytest.raises(ValueError, match=r"They differ in: extractor_hash '[0-9a-f]{64}'"):
        first.measurement().check_comparable(second.measurement())


def test_files_that_are_no_such_graph(tmp_path):
    with pytest.raises(FileNotFoundError, match="`path` must be the file classify_image_graph_def"):
        Inception2015(tmp_path / "none.pb")
    bad = tmp_path / "bad.pb"
    bad.write_bytes(b"<html>not found</html>")
    with pytest.raises(ValueError, match="`path` must be a GraphDef"):
        Inception2015(bad)
    write_graph(bad, input_name="another")
    with pytest.raises(ValueError, match=r"2015-12-05.*without the nodes \['ExpandDims'\]"):
        Inception2015(bad)


def test_keras_weights_must_be_there(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="`weights` must be the file of InceptionV3's"):
        InceptionV3()
    bad = tmp_path / "bad.weights.h5"
    bad.write_bytes(b"no weights")
    with pytest.raises(ValueError, match=r"`weights` must fit keras.applications.InceptionV3"):
        InceptionV3(bad)


@pytest.mark.slow
def test_keras_inception(tmp_path):
    network = keras.applications.InceptionV3(weights=None)
    path = tmp_path / "some.weights.h5"
    network.save_weights(path)
    extractor = InceptionV3(path)
    rows = pictures(2, 299, 299)
    features, probabilities = extractor(rows)
    assert features.shape == (2, 2048) and probabilities.shape == (2, 1000)
    expected = network(keras.applications.inception_v3.preprocess_input(rows.astype("float32")))
    np.testing.assert_allclose(probabilities, expected, atol=1e-5)
    small = pictures(2, 32, 32, 1)
    assert extractor(small).features.shape == (2, 2048)
