"""Held against Keras's layers, to the second derivative; and that there is no work for it."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans.layers import LeakyReLU, ReLU
from keras_gans.penalties import gradient_penalty

PAIRS = pytest.mark.parametrize(
    ("ours", "theirs"),
    [(ReLU(), keras.layers.ReLU()), (LeakyReLU(0.2), keras.layers.LeakyReLU(0.2))],
    ids=["relu", "leaky"],
)
TRAINING = pytest.mark.parametrize("training", [True, False])


@PAIRS
@TRAINING
@pytest.mark.parametrize("dtype", ["float32", "float16", "float64"])
def test_values(ours, theirs, training, dtype):
    x = np.array([[-2.0, -0.5, 0.0, 3.0, np.inf, np.nan]], dtype)
    for layer in (ours, theirs):
        layer.dtype_policy = dtype
    np.testing.assert_array_equal(ours(x, training=training), theirs(x))
    assert ours(x, training=training).dtype == dtype
    for layer in (ours, theirs):
        layer.dtype_policy = "float32"


@PAIRS
@TRAINING
def test_first_and_second_derivatives(ours, theirs, training):
    """Of sum((x d/dx sum(f(x)^2))), whose derivative has both; f'' itself is 0."""
    x = tf.constant([-2.0, -0.5, 0.25, 3.0])

    def derivatives(f):
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                y = tf.reduce_sum(f(x) ** 2)
            first = inner.gradient(y, x)
            total = tf.reduce_sum(x * first)
        return first, outer.gradient(total, x)

    for a, b in zip(
        derivatives(lambda x: ours(x, training=training)), derivatives(theirs), strict=True
    ):
        np.testing.assert_allclose(a, b, rtol=1e-6)


@pytest.mark.parametrize(("layer", "convolutions"), [(ReLU(), 3), (LeakyReLU(0.2), 3)], ids=str)
def test_penalty_does_not_go_through_the_forward_pass(layer, convolutions):
    """Convolutions in the graph of a penalty's gradient with respect to one kernel of two.

    In front of the activation: forward, gradient with respect to the pictures, and the kernel's
    from the latter. Keras's activation has the kernel's from the forward pass too, from zeros.
    """
    kernel = tf.random.stateless_normal((3, 3, 1, 2), (0, 0))
    x = tf.random.stateless_uniform((2, 4, 4, 1), (0, 0))

    def count(activation):
        @tf.function
        def gradient(kernel):
            def critic(x):
                return tf.reduce_sum(activation(tf.nn.conv2d(x, kernel, 1, "SAME")), (1, 2, 3))

            with tf.GradientTape() as tape:
                tape.watch(kernel)
                penalty = gradient_penalty(critic, x, 0.5 * x, tf.ones(2))
            return tape.gradient(penalty, kernel)

        graph = gradient.get_concrete_function(kernel).graph
        return gradient(kernel), reachable_convolutions(graph)

    ours, number = count(lambda x: layer(x, training=True))
    theirs, more = count(lambda x: layer(x, training=False))
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)
    assert (number, more) == (convolutions, convolutions + 1)


def reachable_convolutions(graph):
    """How many convolutions the outputs of a graph depend on."""
    seen, todo = set(), [output.op for output in graph.outputs]
    while todo:
        operation = todo.pop()
        if operation not in seen:
            seen.add(operation)
            todo += [tensor.op for tensor in operation.inputs]
    return sum(operation.type.startswith("Conv2D") for operation in seen)


@pytest.mark.parametrize("layer", [ReLU(name="a"), LeakyReLU(0.3, name="a")], ids=str)
def test_config(layer):
    again = keras.layers.deserialize(keras.layers.serialize(layer))
    assert type(again) is type(layer) and again.get_config() == layer.get_config()
    assert layer.compute_output_shape((None, 3)) == (None, 3)
