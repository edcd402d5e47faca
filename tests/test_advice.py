"""Networks that end in what losses or pictures are not: a warning in words."""

import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf

from keras_gans import BEGAN, GAN, models
from keras_gans.networks import build_mlp_discriminator, build_mlp_generator
from keras_gans.training.advice import last_activation

SHAPE = (4, 4, 1)
layers = keras.layers


def network(inputs, *parts):
    return keras.Sequential([keras.Input(inputs), *parts])


def discriminator(*last):
    return network(SHAPE, layers.Flatten(), *last)


def generator(*last):
    return network((3,), layers.Dense(16), *last)


ENDS = [
    ([layers.Dense(1)], None),
    ([layers.Dense(1, activation="linear")], None),
    ([layers.Dense(1, activation="sigmoid")], "sigmoid"),
    ([layers.Dense(1), layers.Activation("tanh")], "tanh"),
    ([layers.Dense(1, "sigmoid"), layers.Activation("linear"), layers.Reshape((1,))], "sigmoid"),
    ([layers.Dense(2), layers.Softmax()], "softmax"),
    ([network((16,), layers.Dense(1, "tanh"))], "tanh"),
    ([layers.SpectralNormalization(layers.Dense(1, "tanh"))], "tanh"),
    ([layers.Dense(1, "sigmoid"), layers.Dense(1)], None),
]


@pytest.mark.parametrize(("last", "expected"), ENDS)
def test_last_activation(last, expected):
    assert last_activation(discriminator(*last)) == expected


def test_last_activation_of_an_operation():
    inputs = keras.Input((3,))
    scores = layers.Dense(1)(inputs)
    assert last_activation(keras.Model(inputs, keras.ops.sigmoid(scores))) == "sigmoid"
    assert last_activation(keras.Model(inputs, [scores, keras.ops.tanh(scores)])) is None


@pytest.mark.parametrize("last", [last for last, ends in ENDS if ends])
def test_a_discriminator_without_logits(last):
    made = build_mlp_generator(SHAPE, 3, (4,))
    with pytest.warns(UserWarning, match="`discriminator` should end in logits.*Received"):
        GAN(made, discriminator(*last))


@pytest.mark.parametrize("ends", ["sigmoid", "relu"])
def test_a_generator_of_half_the_range(ends):
    made = generator(layers.Activation(ends), layers.Reshape(SHAPE))
    with pytest.warns(UserWarning, match=rf"`generator` should make pictures in .*'{ends}'"):
        GAN(made, build_mlp_discriminator(SHAPE, (4,)))


def test_what_is_meant_so():
    """Points are of any range, BEGAN's discriminator makes pictures, and so do all builders."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        points = network((3,), layers.Dense(2, "sigmoid"))
        GAN(points, build_mlp_discriminator((2,), (4,)))
        pictures = generator(layers.Reshape(SHAPE), layers.Activation("tanh"))
        coded = discriminator(layers.Dense(16, "tanh"), layers.Reshape(SHAPE))
        BEGAN(pictures, coded)
        for name in ("GAN", "VAE", "LSGAN"):
            getattr(models, name).from_paper((8, 8, 1), seed=0)


def test_networks_of_another_scope(two_replicas):
    """TensorFlow's error speaks of `colocate_vars_with`, once an optimizer is built."""
    outside = build_mlp_generator((2,), 3, (4,)), build_mlp_discriminator((2,), (4,))
    match = r"`generator` must be built inside of the scope.*`with strategy.scope\(\):` first"
    with two_replicas.scope(), pytest.raises(ValueError, match=rf"{match}.*MirroredStrategy"):
        GAN(*outside)
    with tf.distribute.OneDeviceStrategy("CPU:0").scope(), pytest.raises(ValueError, match=match):
        GAN(*outside)
    with two_replicas.scope():
        inside = build_mlp_generator((2,), 3, (4,)), build_mlp_discriminator((2,), (4,))
        model = GAN(*inside, seed=0)
    with pytest.raises(ValueError, match=rf"{match}.*none"):
        GAN(*inside)
    model.fit(np.zeros((4, 2), "float32"), batch_size=4, verbose=0)
