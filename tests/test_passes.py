"""One pass over several minibatches gives what a pass each gives; and is taken where it may be."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from keras_gans.layers import (
    BatchNormalization,
    Dropout,
    Maxout,
    MinibatchDiscrimination,
    MinibatchStdDev,
    MultiplicativeNoise,
    SpectralNormalization,
)
from keras_gans.networks import (
    build_dcgan_discriminator,
    build_patchgan_discriminator,
    build_progan_generator,
    build_resnet_generator,
)
from keras_gans.training.passes import in_one_pass, judges_alone

SHAPE = (24, 24, 3)
ALONE = {
    "patchgan": build_patchgan_discriminator(SHAPE, width=4, seed=0),
    "resnet": build_resnet_generator(SHAPE, width=4, num_blocks=1, seed=0),
    "layer": build_dcgan_discriminator(SHAPE, width=4, normalization="layer", seed=0),
    "plain": build_dcgan_discriminator(SHAPE, width=4, normalization=None, seed=0),
    "progan": build_progan_generator((8, 8, 3), latent_dim=8, filters_max=8, fade=True, seed=0),
}


def batches_for(network, num=2, seed=0):
    shape = (num, 3, *network.input_shape[1:])
    return list(np.random.default_rng(seed).uniform(-1, 1, shape).astype("float32"))


@pytest.mark.parametrize("name", ALONE)
def test_outputs_are_those_of_a_pass_each(name):
    network = ALONE[name]
    assert judges_alone(network)
    batches = [tf.constant(batch) for batch in batches_for(network, num=3)]
    for output, batch in zip(in_one_pass(network, *batches), batches, strict=True):
        np.testing.assert_allclose(output, network(batch, training=True), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "layer",
    [
        BatchNormalization(),
        layers.BatchNormalization(),
        Dropout(0.5, seed=0),
        layers.Dropout(0.5, seed=0),
        MinibatchStdDev(group_size=2),
        MultiplicativeNoise(seed=0),
        SpectralNormalization(layers.Conv2D(2, 1)),
    ],
    ids=lambda layer: f"{type(layer).__module__.split('.')[0]}-{type(layer).__name__}",
)
def test_layers_that_look_across_examples_or_keep_something(layer):
    """Within a network that is itself a layer, too."""
    pictures = keras.Input((4, 4, 3))
    network = keras.Model(pictures, layer(pictures))
    assert not judges_alone(network)
    assert not judges_alone(keras.Sequential([keras.Input((4, 4, 3)), network]))


def test_minibatch_discrimination_is_none():
    points = keras.Input((4,))
    assert not judges_alone(keras.Model(points, MinibatchDiscrimination()(points)))


def test_batch_statistics_are_those_of_each_batch():
    """Moments of each minibatch, and two updates of the moving ones."""
    pictures = keras.Input((4, 4, 3))
    layer = BatchNormalization(momentum=0.5)
    network = keras.Model(pictures, layer(pictures))
    low, high = (tf.constant(batch) for batch in batches_for(network))
    outputs = in_one_pass(network, low, high + 10.0)
    for output in outputs:
        np.testing.assert_allclose(np.mean(output, axis=(0, 1, 2)), 0.0, atol=1e-4)
    expected = 0.25 * np.mean(low, axis=(0, 1, 2)) + 0.5 * np.mean(high + 10.0, axis=(0, 1, 2))
    np.testing.assert_allclose(layer.moving_mean, expected, rtol=1e-4)


@pytest.mark.parametrize("shapes", [((2, 24, 24, 3), (3, 24, 24, 3)), ((2, 24, 24, 3),)], ids=str)
def test_batches_of_other_sizes_and_a_single_one(shapes):
    batches = [tf.zeros(shape) for shape in shapes]
    outputs = in_one_pass(ALONE["patchgan"], *batches)
    assert [output.shape[0] for output in outputs] == [shape[0] for shape in shapes]


def test_it_is_one_pass():
    """The batches of all together are what the network's layers compute with."""
    network = ALONE["plain"]

    @tf.function
    def both(x, y):
        return in_one_pass(network, x, y)

    graph = both.get_concrete_function(*(tf.TensorSpec((3, *SHAPE)) for _ in range(2))).graph
    sizes = [op.outputs[0].shape[0] for op in graph.get_operations() if op.type == "Conv2D"]
    assert sizes and set(sizes) == {6}


def test_a_subclass_must_say_so_itself():
    """It may do something else than the class that it inherits from."""

    class Mixing(Maxout):
        def call(self, inputs):
            return super().call(inputs - keras.ops.mean(inputs, axis=0))

    for layer, alone in ((Maxout(3, 2), True), (Mixing(3, 2), False)):
        network = keras.Sequential([keras.Input((4,)), layer])
        assert judges_alone(network) == alone
