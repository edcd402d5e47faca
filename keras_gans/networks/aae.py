"""The networks of Makhzani et al., 2016 (arXiv:1511.05644), for MNIST (appendix A).

Encoder, decoder and discriminators have two layers of 1000 ReLU units, codes are an affine
function of the last ones, and all weights begin with N(0, 0.01).

Differences from the paper: pictures are in [-1, 1], and the decoder ends in tanh in place of a
sigmoid; for points it ends in nothing. The noise N(0, 0.3) of its semi-supervised encoder is that
of pictures in [0, 1], which is `input_noise=0.6` here.
"""

import functools
import math

import keras
from keras import layers

from keras_gans.checks import (
    check_count,
    check_counts,
    check_not_negative,
    check_positive,
    check_sample_shape,
)
from keras_gans.layers import GaussianNoise
from keras_gans.networks._parts import (
    NORMALIZATIONS,
    Initializers,
    check_normalization,
    label_input,
)

HIDDEN = (1000, 1000)


def _initializers(stddev, seed, name):
    """N(0, stddev^2), or Glorot's where it is `None`."""
    make = keras.initializers.GlorotUniform
    if stddev is not None:
        stddev = check_positive("initial_stddev", stddev)
        make = functools.partial(keras.initializers.RandomNormal, stddev=stddev)
    return Initializers(make, seed, name)


def _hidden_layers(x, hidden, initializer, normalization=None, input_noise=0.0, noise=0.0):
    """Dense layers with ReLU, a normalization before it and noise behind it."""
    check_normalization(normalization)
    check_not_negative("input_noise", input_noise), check_not_negative("noise", noise)
    if input_noise:
        x = GaussianNoise(input_noise, seed=initializer.next_seed())(x)
    for units in check_counts("hidden", hidden) if hidden else ():
        x = layers.Dense(units, kernel_initializer=initializer())(x)
        x = layers.ReLU()(NORMALIZATIONS[normalization]()(x))
        if noise:
            x = GaussianNoise(noise, seed=initializer.next_seed())(x)
    return x


def build_aae_encoder(
    sample_shape,
    latent_dim=2,
    num_classes=None,
    hidden=HIDDEN,
    initial_stddev=0.01,
    normalization=None,
    input_noise=0.0,
    noise=0.0,
    seed=None,
):
    """Builds the encoder, of points or pictures to codes.

    Args:
        sample_shape: shape of one sample, (2,) for points or (H, W, C) for pictures.
        latent_dim: length of the continuous code.
        num_classes: number of classes, at least 2, where there is a categorical code beside it; or
            `None`.
        hidden: widths of the hidden layers.
        initial_stddev: deviation of the initial weights; `None` for Glorot's.
        normalization: "batch", "layer", "instance" or `None`, of the hidden layers.
        input_noise: deviation of noise on the samples in training; see above for the paper's.
        noise: likewise, behind each hidden layer; the paper has none.
        seed: integer that fixes initial weights and noise, or None.

    Returns:
        Functional `keras.Model`: samples (batch, *sample_shape) to float32 codes (batch,
        latent_dim); with `num_classes`, to [codes, logits of the classes (batch, num_classes)].

    Raises:
        ValueError: an argument breaks these rules.

    Example:

    >>> build_aae_encoder((28, 28, 1), latent_dim=10, num_classes=10, input_noise=0.6).output_shape
    [(None, 10), (None, 10)]
    """
    shape = check_sample_shape("sample_shape", sample_shape)
    initializer = _initializers(initial_stddev, seed, "aae_encoder")
    samples = keras.Input(shape, name="samples")
    x = layers.Flatten()(samples)
    x = _hidden_layers(x, hidden, initializer, normalization, input_noise, noise)
    heads = {"latents": check_count("latent_dim", latent_dim)}
    if num_classes is not None:
        (heads["class_logits"],) = check_counts("num_classes", (num_classes,), low=2)
    outputs = [
        layers.Dense(units, dtype="float32", kernel_initializer=initializer(), name=name)(x)
        for name, units in heads.items()
    ]
    return keras.Model(samples, outputs if len(outputs) > 1 else outputs[0], name="aae_encoder")


def build_aae_generator(
    sample_shape,
    latent_dim=2,
    num_classes=None,
    hidden=HIDDEN,
    initial_stddev=0.01,
    normalization=None,
    seed=None,
):
    """Builds the decoder, of codes to points or pictures.

    Args:
        sample_shape, latent_dim, hidden, initial_stddev, normalization, seed: see
            `build_aae_encoder`.
        num_classes: number of classes, where a categorical code is given beside the continuous one,
            as probabilities of the classes; or `None`.

    Returns:
        Functional `keras.Model`: codes (batch, latent_dim) to float32 samples (batch,
        *sample_shape); with `num_classes`, [codes, probabilities (batch, num_classes)] to samples.

    Raises:
        ValueError: an argument breaks these rules.

    Example:

    >>> build_aae_generator((28, 28, 1), latent_dim=10, num_classes=10).input_shape
    [(None, 10), (None, 10)]
    """
    shape = check_sample_shape("sample_shape", sample_shape)
    initializer = _initializers(initial_stddev, seed, "aae_generator")
    inputs = x = keras.Input((check_count("latent_dim", latent_dim),), name="latents")
    if num_classes is not None:
        (num_classes,) = check_counts("num_classes", (num_classes,), low=2)
        inputs = [x, keras.Input((num_classes,), name="classes")]
        x = layers.Concatenate()(inputs)
    x = _hidden_layers(x, hidden, initializer, normalization)
    last = {"dtype": "float32", "kernel_initializer": initializer(), "name": "samples"}
    x = layers.Dense(math.prod(shape), "tanh" if len(shape) == 3 else None, **last)(x)
    return keras.Model(inputs, layers.Reshape(shape, dtype="float32")(x), name="aae_generator")


def build_aae_discriminator(
    code_dim,
    num_classes=None,
    hidden=HIDDEN,
    initial_stddev=0.01,
    input_noise=0.0,
    noise=0.0,
    seed=None,
):
    """Builds a discriminator of codes, continuous or categorical ones.

    Args:
        code_dim: length of a code: `latent_dim`, or the number of classes.
        num_classes: number of labels that the codes come with, or `None`. Their one-hot code joins
            the code (section 2.3); of K classes there are K + 1 labels, since one is for examples
            whose class is not known.
        hidden, initial_stddev, input_noise, noise, seed: see `build_aae_encoder`.

    Returns:
        Functional `keras.Model`: codes (batch, code_dim) to float32 logits (batch, 1); with
        `num_classes`, [codes, int labels (batch,)] to logits.

    Raises:
        ValueError: an argument breaks these rules.

    Example:

    >>> build_aae_discriminator(2, num_classes=10 + 1).input_shape
    [(None, 2), (None,)]
    """
    initializer = _initializers(initial_stddev, seed, "aae_discriminator")
    inputs = x = keras.Input((check_count("code_dim", code_dim),), name="codes")
    if num_classes is not None:
        labels, one_hot = label_input(num_classes)
        inputs, x = [x, labels], layers.Concatenate()([x, one_hot])
    x = _hidden_layers(x, hidden, initializer, input_noise=input_noise, noise=noise)
    last = {"dtype": "float32", "kernel_initializer": initializer(), "name": "logits"}
    return keras.Model(inputs, layers.Dense(1, **last)(x), name="aae_discriminator")
