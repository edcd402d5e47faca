"""Small models of each kind, with weights that make samples as varied as those of trained ones."""

import functools

import keras
import numpy as np

from keras_gans import CGAN, DCGAN, GAN, CycleGAN
from keras_gans.families.translation import Translator
from keras_gans.networks import (
    build_dcgan_discriminator,
    build_dcgan_generator,
    build_mlp_discriminator,
    build_mlp_generator,
    build_patchgan_discriminator,
    build_resnet_generator,
)

SHAPE = (16, 24, 3)  # a rectangle, to tell height from width
NUM_CLASSES = 3
LATENT_DIM = 6


def lively(network, seed=0, gain=2.0):
    """The network with kernels from N(0, gain / inputs): fresh ones make grey pictures."""
    rng = np.random.default_rng(seed)
    for layer in network.layers:
        kernel = getattr(layer, "kernel", None)
        if kernel is None:
            continue
        transposed = isinstance(layer, keras.layers.Conv2DTranspose)
        fan_in = np.prod(kernel.shape[:-2]) * kernel.shape[-1 if transposed else -2]
        fan_in /= np.prod(layer.strides) if transposed else 1
        kernel.assign(rng.normal(size=kernel.shape, scale=np.sqrt(gain / fan_in)))
        if layer.use_bias:
            layer.bias.assign(rng.normal(size=layer.bias.shape, scale=0.1))
    return network


def dcgan(**kwargs):
    generator = build_dcgan_generator(SHAPE, LATENT_DIM, width=16, seed=1)
    return DCGAN(lively(generator), build_dcgan_discriminator(SHAPE, width=4, seed=2), **kwargs)


def cgan(**kwargs):
    generator = build_dcgan_generator(SHAPE, LATENT_DIM, width=8, num_classes=NUM_CLASSES, seed=1)
    discriminator = build_dcgan_discriminator(SHAPE, width=4, num_classes=NUM_CLASSES, seed=2)
    return CGAN(lively(generator), discriminator, **kwargs)


def gan_of_points(**kwargs):
    generator = build_mlp_generator((2,), LATENT_DIM, (32, 32), seed=1)
    return GAN(lively(generator), build_mlp_discriminator((2,), (8,), seed=2), **kwargs)


def cyclegan(**kwargs):
    generator = functools.partial(build_resnet_generator, SHAPE, num_blocks=1, width=4)
    discriminator = functools.partial(build_patchgan_discriminator, SHAPE, num_layers=1, width=2)
    return CycleGAN(
        lively(generator(seed=1), 1, gain=0.5),
        lively(generator(seed=2), 2, gain=0.5),
        discriminator(seed=3),
        discriminator(seed=4),
        **kwargs,
    )


class Filter(Translator):
    """A model whose one network makes pictures out of pictures."""

    averaged = ()

    @property
    def sampler(self):
        return self.filter


def filter_of_any_size():
    layer = keras.layers.Conv2D(3, 3, padding="same")
    return Filter(filter=keras.Sequential([keras.Input((None, None, 3)), layer]))


def pictures(num, seed=0):
    """Smooth pictures (num, *SHAPE), float32 in [-1, 1]: waves of random directions."""
    rng = np.random.default_rng(seed)
    height, width, channels = SHAPE
    y, x = np.mgrid[:height, :width] / 8
    a, b, c = rng.uniform(-2, 2, (3, num, 1, 1, channels))
    waves = np.sin(a * y[None, ..., None] + b * x[None, ..., None] + 3 * c)
    return waves.astype("float32")


MODELS = {"dcgan": dcgan, "cgan": cgan, "points": gan_of_points, "cyclegan": cyclegan}


def inputs_of(name, model, num, seed=3):
    """Inputs of the model's network by the names that TFLite files have; not the gate's ones."""
    if name == "cyclegan":
        return {"images": pictures(num, seed)}
    inputs = model.generator_inputs(num, seed)
    inputs = inputs if isinstance(inputs, list) else [inputs]
    return dict(zip(("latents", "labels"), map(np.asarray, inputs), strict=False))


def samples_of(network, inputs):
    """What Keras makes of such inputs."""
    rows = list(inputs.values())
    return np.asarray(network(rows if len(rows) > 1 else rows[0], training=False))
