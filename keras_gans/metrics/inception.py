"""The two networks that inception distances are measured with, from files that the user has.

They are different networks with different weights, and their distances are not comparable.
"""

import os
from pathlib import Path

import keras
import tensorflow as tf

from keras_gans.datasets.pictures import to_channels
from keras_gans.metrics.features import Extracted, Extractor, hash_of_file

KERAS_FILE = "inception_v3_weights_tf_dim_ordering_tf_kernels.h5"
SIDE = 299
INPUT, POOL, LOGITS = "ExpandDims", "pool_3", "softmax/logits/MatMul"
OLD_NORMALIZATION = "BatchNormWithGlobalNormalization"


class InceptionV3(Extractor):
    """The InceptionV3 of `keras.applications`: 2048 features and 1000 classes of ImageNet.

    Pictures are resized to 299 x 299 in bilinear interpolation, antialiased; grey ones get three
    equal channels. Distances are not those of publications: `Inception2015` gives these.

    Args:
        weights: str or path-like, the weights' file with the top layer. `None` is where Keras keeps
            it once `keras.applications.InceptionV3()` was called on a machine with a network.

    Raises:
        FileNotFoundError: there is no such file. Nothing is ever downloaded here.
        ValueError: it has other weights.
    """

    def __init__(self, weights=None):
        home = os.environ.get("KERAS_HOME", os.path.join(os.path.expanduser("~"), ".keras"))
        path = Path(weights or os.path.join(home, "models", KERAS_FILE))
        if not path.is_file():
            raise FileNotFoundError(
                "`weights` must be the file of InceptionV3's weights with its top layer; "
                "`keras.applications.InceptionV3()` gets it on a machine with a network and keeps "
                f"it as ~/.keras/models/{KERAS_FILE}. Received: '{path}', which is no file"
            )
        try:
            network = keras.applications.InceptionV3(weights=str(path))
        except (ValueError, OSError, KeyError) as error:
            raise ValueError(
                f"`weights` must fit keras.applications.InceptionV3. Received: '{path}' ({error})"
            ) from error
        outputs = [network.get_layer("avg_pool").output, network.output]
        self.network = keras.Model(network.inputs, outputs)
        size, classes = (output.shape[-1] for output in outputs)
        resize = f"bilinear, antialiased, to {SIDE} x {SIDE}"
        name = "keras.applications.InceptionV3"
        super().__init__(name, hash_of_file(path), size, classes, resize)

    def extract(self, pictures):
        pictures = tf.image.resize(to_channels(pictures, 3), (SIDE, SIDE), antialias=True)
        return Extracted(*self.network(pictures / 127.5 - 1.0, training=False))


class Inception2015(Extractor):
    """The Inception graph of 2015-12-05, which the FIDs of publications are measured with.

    Pictures of any size enter the graph as the authors of FID have it, as floats in [0, 255], at
    the tensor "ExpandDims:0". The graph itself resizes them (bilinear, neither antialiased nor
    aligned at pixels' centres) and scales them. The features are "pool_3:0". The probabilities are
    the softmax without its bias, as the authors of the inception score have it. Grey pictures get
    three equal channels.

    Args:
        path: str or path-like, the file `classify_image_graph_def.pb` of
            inception-2015-12-05.tgz, which is not part of this package.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no such graph.

    Reference:
        Heusel et al., 2017 (arXiv:1706.08500), and the authors' code, fid.py; Salimans et al., 2016
        (arXiv:1606.03498), and the authors' code.
    """

    def __init__(self, path):
        path = Path(path)
        if not path.is_file():
            raise FileNotFoundError(
                "`path` must be the file classify_image_graph_def.pb of inception-2015-12-05.tgz. "
                f"Received: '{path}', which is no file"
            )
        graph = tf.compat.v1.GraphDef()
        try:
            graph.ParseFromString(path.read_bytes())
        except Exception as error:  # protobuf's DecodeError, which has no public name
            raise ValueError(f"`path` must be a GraphDef. Received: '{path}' ({error})") from None
        missing = {INPUT, POOL, LOGITS} - {node.name for node in graph.node}
        if missing:
            raise ValueError(
                "`path` must be the Inception graph of 2015-12-05. "
                f"Received: '{path}', a graph without the nodes {sorted(missing)}"
            )
        graph, weights = _cut(graph)
        self._imported = tf.compat.v1.wrap_function(
            lambda pictures: _run(graph, weights, pictures),
            [tf.TensorSpec((None, None, None, 3), tf.float32)],
        )
        size, classes = (output.shape[-1] for output in self._imported.outputs)
        resize = f"to {SIDE} x {SIDE} by the graph, bilinear without antialiasing"
        super().__init__("Inception 2015-12-05", hash_of_file(path), size, classes, resize)

    def extract(self, pictures):
        return Extracted(*self._imported(to_channels(pictures, 3)))


def _cut(graph):
    """What is between the pictures and the features, with the name of the softmax's weights.

    Before it, the graph decodes a file, and behind it, it has a batch of 1 written into a shape.
    Its operation of normalization was removed from graphs of version 9 on, and is spelt out.
    """
    nodes = {node.name: node for node in graph.node}
    weights = nodes[LOGITS].input[1].split(":")[0]
    for node in graph.node:
        node.attr.pop("_output_shapes", None)  # recorded for one picture
    dtype = tf.compat.v1.AttrValue(type=tf.float32.as_datatype_enum)
    nodes[INPUT].CopyFrom(tf.compat.v1.NodeDef(name=INPUT, op="Placeholder", attr={"dtype": dtype}))
    for node in [node for node in graph.node if node.op == OLD_NORMALIZATION]:
        _spell_out(graph, node)
    return tf.compat.v1.graph_util.extract_sub_graph(graph, [POOL, weights]), weights


def _spell_out(graph, node):
    """Replaces an `OLD_NORMALIZATION` by x s + (beta - mean s), s = gamma (variance + e)^(-1/2)."""
    x, mean, variance, beta, gamma = node.input[:5]
    scaled = node.attr["scale_after_normalization"].b

    def add(part, op, *inputs):
        new = graph.node.add(name=f"{node.name}/spelt_out/{part}", op=op, input=inputs)
        new.attr["T"].type = tf.float32.as_datatype_enum
        return new.name

    epsilon = graph.node.add(name=f"{node.name}/spelt_out/epsilon", op="Const")
    epsilon.attr["dtype"].type = tf.float32.as_datatype_enum
    epsilon.attr["value"].tensor.CopyFrom(
        tf.make_tensor_proto(node.attr["variance_epsilon"].f, tf.float32)
    )
    scale = add("rsqrt", "Rsqrt", add("variance", "AddV2", variance, epsilon.name))
    scale = add("scale", "Mul", scale, gamma) if scaled else scale
    shift = add("shift", "Sub", beta, add("mean", "Mul", mean, scale))
    inputs = [add("scaled", "Mul", x, scale), shift]
    node.CopyFrom(tf.compat.v1.NodeDef(name=node.name, op="AddV2", input=inputs))
    node.attr["T"].type = tf.float32.as_datatype_enum


def _run(graph, weights, pictures):
    pool, weights = tf.graph_util.import_graph_def(
        graph, {f"{INPUT}:0": pictures}, [f"{POOL}:0", f"{weights}:0"], name=""
    )
    features = tf.reshape(pool, (-1, weights.shape[0]))
    return features, tf.nn.softmax(features @ weights)
