"""keras_gans as its users write it: a model, `fit` on a dataset, nothing else."""

import time

import keras_gans
from keras_gans import networks

import keras
import numpy as np
import tensorflow as tf

EPOCH = 8  # steps whose reals are held in memory


def build(row):
    """The model of a row, not yet compiled."""
    return {
        "dcgan": build_dcgan,
        "wgan_gp": build_wgan_gp,
        "cyclegan": build_cyclegan,
        "progan": build_progan,
    }[row.algorithm](row)


def build_dcgan(row):
    return keras_gans.DCGAN(
        networks.build_dcgan_generator(row.shape, row.latent_dim, row.width),
        networks.build_dcgan_discriminator(row.shape, row.width),
        seed=0,
    )


def build_wgan_gp(row):
    if row.networks == "residual":
        generator = networks.build_residual_generator(row.shape, row.latent_dim, row.width)
        critic = networks.build_residual_discriminator(row.shape, row.width)
    else:
        generator = networks.build_dcgan_generator(row.shape, row.latent_dim, row.width)
        critic = networks.build_dcgan_discriminator(row.shape, row.width, normalization="layer")
    return keras_gans.WGANGP(generator, critic, n_critic=row.minibatches_per_step, seed=0)


def build_cyclegan(row):
    return keras_gans.CycleGAN(
        networks.build_resnet_generator(row.shape, width=row.width),
        networks.build_resnet_generator(row.shape, width=row.width),
        networks.build_patchgan_discriminator(row.shape, row.width),
        networks.build_patchgan_discriminator(row.shape, row.width),
        seed=0,
    )


def build_progan(row):
    settings = {"filters_base": row.width, "filters_max": 128, "fade": row.shape[0] > 4}
    return keras_gans.ProGAN(
        networks.build_progan_generator(row.shape, latent_dim=row.latent_dim, **settings),
        networks.build_progan_discriminator(row.shape, **settings),
        seed=0,
    )


def dataset_of(row):
    """Random pictures in minibatches, without end; pairs of them for translators."""
    shape = (EPOCH * row.examples_per_step, *row.shape)
    reals = np.random.default_rng(0).uniform(-1, 1, shape).astype("float32")
    dataset = tf.data.Dataset.from_tensor_slices(reals).batch(row.batch, drop_remainder=True)
    dataset = dataset.cache().repeat()
    return tf.data.Dataset.zip(dataset, dataset) if row.networks == "translation" else dataset


class Clock(keras.callbacks.Callback):
    """The seconds from the end of the first execution to the end of the epoch."""

    def on_epoch_begin(self, epoch, logs=None):
        self.begin = None

    def on_train_batch_end(self, batch, logs=None):
        self.begin = self.begin or time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        self.seconds = time.perf_counter() - self.begin


class Contender:
    """A Keras model that is trained by `fit`, a block of steps at a time."""

    def __init__(self, model, dataset):
        self.model, self.dataset = model, dataset

    def run(self, steps):
        """Seconds of `steps` steps; an execution before them, in which `fit` sets out, is not."""
        clock, steps = Clock(), steps + self.model.steps_per_execution
        self.model.fit(self.dataset, steps_per_epoch=steps, callbacks=[clock], verbose=0)
        return clock.seconds

    def first_step(self):
        self.model.fit(self.dataset, steps_per_epoch=1, verbose=0)

    def parameters(self):
        """`{player: number of trainable values}`."""
        return {
            player: sum(int(np.prod(v.shape)) for v in self.model.player_variables(player))
            for player in self.model.players
        }


def make(row):
    return Contender(build(row), dataset_of(row))
