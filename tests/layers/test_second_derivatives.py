"""What a gradient penalty needs of a layer: second derivatives, against differences in float64."""

import inspect
import re
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import tree

import keras_gans
from keras_gans import layers as ours
from keras_gans.layers import _moments

MAPS, ROWS = (4, 6, 4, 6), (4, 6)  # four examples of each
K = keras.layers


def spectral(**settings):
    return ours.SpectralNormalization(K.Dense(3, **settings), seed=1, **settings)


def weight_normalized(**settings):
    return ours.WeightNormalization(K.Dense(3, use_bias=False, **settings), **settings)


# Layers by name: how one is made, and of which shape its inputs are.
LAYERS = {
    "Basis2D": (lambda **s: ours.Basis2D((2, 3), **s), ROWS),
    "BatchNormalization": (ours.BatchNormalization, MAPS),
    "BatchNormalization of rows": (ours.BatchNormalization, ROWS),
    "BicubicUpsampling2D": (lambda **s: ours.BicubicUpsampling2D(2, **s), MAPS),
    "BilinearResampling2D up": (lambda **s: ours.BilinearResampling2D("up", **s), MAPS),
    "BilinearResampling2D down": (lambda **s: ours.BilinearResampling2D("down", **s), MAPS),
    "DropReference": (lambda **s: ours.DropReference(2, **s), ROWS),
    "Dropout": (lambda **s: ours.Dropout(0.5, seed=1, **s), ROWS),
    "EqualizedConv2D": (lambda **s: ours.EqualizedConv2D(3, 3, **s), MAPS),
    "EqualizedDense": (lambda **s: ours.EqualizedDense(3, **s), ROWS),
    "FadeIn": (ours.FadeIn, [MAPS, MAPS]),
    "GaussianNoise": (lambda **s: ours.GaussianNoise(0.5, seed=1, **s), ROWS),
    "GroupNormalization": (lambda **s: ours.GroupNormalization(2, **s), MAPS),
    "GroupNormalization of the first axis": (
        lambda **s: ours.GroupNormalization(2, axis=1, **s),
        MAPS,
    ),
    "GroupNormalization of one group": (lambda **s: ours.GroupNormalization(1, **s), MAPS),
    "GroupNormalization of each channel": (lambda **s: ours.GroupNormalization(-1, **s), MAPS),
    "GroupedConv2D": (lambda **s: ours.GroupedConv2D(12, 3, groups=6, padding="same", **s), MAPS),
    "GroupedConv2D of odd groups": (lambda **s: ours.GroupedConv2D(3, 3, groups=3, **s), MAPS),
    "LayerNormalization": (ours.LayerNormalization, ROWS),
    "LayerNormalization of two axes": (
        lambda **s: ours.LayerNormalization(axis=(1, 3), **s),
        MAPS,
    ),
    "LeakyReLU": (lambda **s: ours.LeakyReLU(0.2, **s), ROWS),
    "Maxout": (lambda **s: ours.Maxout(3, 2, **s), ROWS),
    "MinibatchDiscrimination": (lambda **s: ours.MinibatchDiscrimination(3, 2, **s), ROWS),
    "MinibatchDiscrimination with weight normalization": (
        lambda **s: ours.MinibatchDiscrimination(3, 2, weight_normalization=True, **s),
        ROWS,
    ),
    "MinibatchStdDev": (lambda **s: ours.MinibatchStdDev(2, **s), MAPS),
    "MultiplicativeNoise": (lambda **s: ours.MultiplicativeNoise(seed=1, **s), MAPS),
    "PixelNormalization": (ours.PixelNormalization, MAPS),
    "ReLU": (ours.ReLU, ROWS),
    "ReferenceBatch": (lambda **s: ours.ReferenceBatch(2, **s), ROWS),
    "PixelShuffle2D": (lambda **s: ours.PixelShuffle2D(2, **s), (2, 3, 2, 8)),
    "ReflectionPadding2D": (lambda **s: ours.ReflectionPadding2D(2, **s), MAPS),
    "ResampledConv2D": (lambda **s: ours.ResampledConv2D(3, 3, padding="same", **s), MAPS),
    "ResampledConv2D up": (
        lambda **s: ours.ResampledConv2D(3, 3, "up", padding="same", **s),
        MAPS,
    ),
    "ResampledConv2D down": (
        lambda **s: ours.ResampledConv2D(3, 3, "down", padding="same", **s),
        MAPS,
    ),
    "SpectralNormalization": (spectral, ROWS),
    "VirtualBatchNormalization": (lambda **s: ours.VirtualBatchNormalization(2, **s), MAPS),
    "VirtualBatchNormalization of rows": (
        lambda **s: ours.VirtualBatchNormalization(2, **s),
        ROWS,
    ),
    "WeightNormalization": (weight_normalized, ROWS),
    "Activation": (lambda **s: K.Activation("tanh", **s), ROWS),
    "Add": (K.Add, [ROWS, ROWS]),
    "AveragePooling2D": (lambda **s: K.AveragePooling2D(2, **s), MAPS),
    "Concatenate": (K.Concatenate, [ROWS, ROWS]),
    "Conv2D": (lambda **s: K.Conv2D(3, 3, strides=2, **s), MAPS),
    "Conv2DTranspose": (lambda **s: K.Conv2DTranspose(3, 3, strides=2, **s), MAPS),
    "Cropping2D": (lambda **s: K.Cropping2D(1, **s), MAPS),
    "Dense": (lambda **s: K.Dense(3, activation="tanh", **s), ROWS),
    "DepthwiseConv2D": (lambda **s: K.DepthwiseConv2D((4, 3), **s), MAPS),
    "ELU": (K.ELU, ROWS),
    "Flatten": (K.Flatten, MAPS),
    "GlobalAveragePooling2D": (K.GlobalAveragePooling2D, MAPS),
    "Identity": (K.Identity, ROWS),
    "MaxPooling2D": (lambda **s: K.MaxPooling2D(2, **s), MAPS),
    "Multiply": (K.Multiply, [ROWS, ROWS]),
    "PReLU": (K.PReLU, ROWS),
    "Rescaling": (lambda **s: K.Rescaling(0.5, 0.5, **s), ROWS),
    "Reshape": (lambda **s: K.Reshape((2, 3), **s), ROWS),
    "UpSampling2D": (lambda **s: K.UpSampling2D(2, **s), MAPS),
    "ZeroPadding2D": (lambda **s: K.ZeroPadding2D(2, **s), MAPS),
}
# Who has no derivative, or is one of Keras's classes that are no layers of a network.
WITHOUT = {
    "HistoricalAverage",
    "ImageBuffer",
    "Input",
    "Layer",
    "initialize_from_data",
    "set_reference",
}
WHILE_TRAINING = {"BatchNormalization", "BatchNormalization of rows"}


def test_all_layers_are_here():
    sources = Path(keras_gans.__file__).parent
    texts = [
        p.read_text("utf-8") for d in ("networks", "models") for p in sources.glob(d + "/*.py")
    ]
    used = {name for text in texts for name in re.findall(r"\blayers\.([A-Z]\w+)", text)}
    tested = {name.split()[0] for name in LAYERS}
    assert len(used) > 5 and (used | set(ours.__all__)) - tested - WITHOUT == set()


def layer_and_point(name):
    """A layer in float64 with weights and inputs without ties, and the inputs."""
    make, shapes = LAYERS[name]
    layer, rng = make(dtype="float64"), np.random.default_rng(3)
    shapes = shapes if isinstance(shapes, list) else [shapes]
    inputs = [tf.constant(rng.normal(size=shape)) for shape in shapes]
    inputs = inputs if len(inputs) > 1 else inputs[0]
    layer(inputs)
    for weight in layer.trainable_variables:
        weight.assign(rng.normal(size=weight.shape))
    if isinstance(layer, ours.SpectralNormalization):
        for _ in range(100):  # its u is a constant of the step: derivatives are those of its limit
            layer(inputs, training=True)
    return layer, inputs


def penalty_and_gradients(layer, inputs, weighting, training):
    """A weighted sum of the squares of grad_x of a sum of f(x), and its derivatives.

    The squares alone would not tell: through a normalization the gradient sums to 0, and on such a
    vector the wrong second derivatives are right. Another layer before it undoes that.
    """
    settings = {"training": training} if _takes_training(layer) else {}
    inputs = tree.flatten(inputs)
    points = [*inputs, *(v.value for v in layer.trainable_variables)]
    with tf.GradientTape() as outer:
        outer.watch(points)
        with tf.GradientTape() as inner:
            inner.watch(inputs)
            outputs = layer(inputs if len(inputs) > 1 else inputs[0], **settings)
            score = tf.reduce_sum(weighting * outputs + 0.5 * outputs**2)
        rng = np.random.default_rng(5)
        gradients = inner.gradient(score, inputs)
        penalty = sum(tf.reduce_sum(rng.uniform(0.2, 2, g.shape) * g**2) for g in gradients)
    return penalty, outer.gradient(penalty, points, unconnected_gradients="zero")


def _takes_training(layer):
    return "training" in inspect.signature(layer.call).parameters


def check_second_derivatives(layer, inputs, training=False):
    """The penalty's derivative along a random direction beside a central difference."""
    rng = np.random.default_rng(4)
    weighting = tf.constant(rng.normal(size=layer(inputs).shape))
    _, gradients = penalty_and_gradients(layer, inputs, weighting, training)
    state = [np.array(v) for v in layer.trainable_variables]
    rows = [np.array(x) for x in tree.flatten(inputs)]
    directions = [rng.normal(size=g.shape) for g in gradients]

    def penalty_at(step):
        moved = [x + step * d for x, d in zip([*rows, *state], directions, strict=True)]
        for variable, value in zip(layer.trainable_variables, moved[len(rows) :], strict=True):
            variable.assign(value)
        points = [tf.constant(x) for x in moved[: len(rows)]]
        points = points if len(points) > 1 else points[0]
        if isinstance(layer, ours.SpectralNormalization):
            for _ in range(100):
                layer(points, training=True)
        return float(penalty_and_gradients(layer, points, weighting, training)[0])

    step = 1e-5
    expected = (penalty_at(step) - penalty_at(-step)) / (2 * step)
    found = sum(float(tf.reduce_sum(g * d)) for g, d in zip(gradients, directions, strict=True))
    assert abs(expected) > 1e-3
    assert found == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("name", LAYERS)
def test_second_derivatives(name):
    layer, inputs = layer_and_point(name)
    check_second_derivatives(layer, inputs, training=name in WHILE_TRAINING)


@pytest.mark.parametrize("name", ["GroupNormalization", "LayerNormalization"])
def test_outputs_are_those_of_keras(name):
    layer, inputs = layer_and_point(name)
    config = layer.get_config()
    twin = getattr(keras.layers, name).from_config(config)
    twin(inputs)
    twin.set_weights(layer.get_weights())
    np.testing.assert_allclose(layer(inputs), twin(inputs), rtol=1e-12)


@pytest.mark.parametrize(
    "layer, shape",
    [
        (K.GroupNormalization(2, dtype="float64"), MAPS),
        (K.LayerNormalization(dtype="float64"), ROWS),
        (K.BatchNormalization(dtype="float64"), MAPS),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_those_of_keras_are_wrong(layer, shape):
    """When this fails Keras has mended it, and the package's own layers may go."""
    inputs = tf.constant(np.random.default_rng(3).normal(size=shape))
    layer(inputs)
    training = isinstance(layer, K.BatchNormalization)
    with pytest.raises(AssertionError):
        check_second_derivatives(layer, inputs, training)


def test_the_variance_of_many_axes():
    x = np.random.default_rng(1).normal(size=(3, 4, 5))
    centred, variance = _moments.centred_and_variance(tf.constant(x), (0, 2))
    np.testing.assert_allclose(centred, x - x.mean((0, 2), keepdims=True), atol=1e-15)
    np.testing.assert_allclose(variance, x.var((0, 2), keepdims=True), rtol=1e-12)


def test_the_proof_of_the_docs(capsys):
    page = Path(__file__).parents[2] / "docs" / "penalties.md"
    program = re.search(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL).group(
        1
    )
    exec(program, {})
    numbers = [float(n) for n in re.findall(r"-?\d+\.\d*", capsys.readouterr().out)]
    wrong, right = np.array(numbers[3:12]), np.array(numbers[15:])
    np.testing.assert_allclose(wrong.reshape(3, 3), np.eye(3) * 2 / 3, atol=1e-4)
    np.testing.assert_allclose(right.reshape(3, 3), np.eye(3) * 2 / 3 - 2 / 9, atol=1e-4)
