"""Spectral Normalization for Generative Adversarial Networks, Miyato et al., 2018
(arXiv:1802.05957).

The discriminator is held to a Lipschitz constant by its layers: each weight matrix is divided by
its largest singular value, which one power iteration in each pass follows (section 2.1, Algorithm
1; `keras_gans.layers.SpectralNormalization`). The game is that of the hinge (section 4):

    min_D E[max(0, 1 - D(x))] + E[max(0, 1 + D(G(z)))]
    min_G -E[D(G(z))]

As in the authors' code, a step begins with the generator, on twice the minibatch; then come the
n_dis descents of D, each with fresh reals and latents. Adam's rate falls linearly to 0.

Deviations from the paper: none in the algorithm; `keras_gans.networks.sngan` lists those of the
discriminator, and `keras_gans.networks.residual` those of the generator.
"""

import functools
import warnings

import keras
from keras import ops

from keras_gans.checks import check_count, check_fits
from keras_gans.losses import hinge_discriminator_loss, hinge_generator_loss
from keras_gans.networks.sngan import sngan_pair
from keras_gans.optimizers import adam
from keras_gans.papers import Paper, Recipe
from keras_gans.schedules import Linear
from keras_gans.training.base import AdversarialModel


def linear_adams(rate, total_steps, n_discriminator=5, beta_1=0.0):
    """The paper's Adam for both players, with rates that fall linearly to 0 together.

    Args:
        rate: the first one, positive.
        total_steps: generator updates in all.
        n_discriminator: updates of the discriminator for each; its optimizer counts them.
        beta_1: Adam's, in [0, 1).

    Returns:
        dict of optimizers by player.
    """
    updates = {"generator": total_steps, "discriminator": total_steps * n_discriminator}
    return {
        player: adam(Linear(rate, 0.0, total), beta_1, beta_2=0.9)
        for player, total in updates.items()
    }


@keras.saving.register_keras_serializable("keras_gans")
class SNGAN(AdversarialModel):
    """A GAN of the hinge, whose discriminator has spectral normalization in every layer.

    Args:
        generator: built `keras.Model`, latents (batch, latent_dim) to samples (batch, ...).
        discriminator: built `keras.Model`, samples (batch, ...) to logits, with
            `keras_gans.layers.SpectralNormalization` around all layers that have a kernel; of
            those without it a warning is given.
        n_discriminator: discriminator steps for each generator step, the paper's n_dis.
        total_steps: generator updates of the whole training, at whose end the rate is 0.
        ema_decay: decay in (0, 1) of an averaged generator, or `None`.
        latent_prior: "normal" for N(0, 1) or "uniform" for U(-1, 1); `None` for the paper's.
        seed: integer that fixes every random draw, or `None`.

    Input shape:
        Reals (batch, ...) of the generator's output shape, float32; pictures in [-1, 1]. `fit`
        gathers n_discriminator minibatches of the dataset for each step; the paper's are of 64.

    Example:

    >>> shape = (28, 28, 1)
    >>> generator = build_residual_generator(shape, width=64)
    >>> gan = SNGAN(generator, build_sngan_discriminator(shape, width=64), total_steps=4000, seed=0)
    >>> history = gan.fit(load("fashion_mnist_10k", batch_size=64), steps_per_epoch=4000)

    Reference:
        https://arxiv.org/abs/1802.05957
    """

    paper = Paper(
        title="Spectral Normalization for Generative Adversarial Networks",
        authors="Miyato et al.",
        year=2018,
        arxiv="1802.05957",
    )
    recipe = Recipe(
        dataset="fashion_mnist_10k",
        batch_size=64,
        steps=4_000,
        latent_dim=128,
        status="trained",
    )
    players = {"generator": ("generator",), "discriminator": ("discriminator",)}
    judges = ("discriminator",)

    def __init__(
        self,
        generator,
        discriminator,
        n_discriminator=5,
        total_steps=100_000,
        ema_decay=None,
        latent_prior=None,
        seed=None,
        name=None,
    ):
        networks = {"generator": generator, "discriminator": discriminator}
        super().__init__(
            **networks, ema_decay=ema_decay, latent_prior=latent_prior, seed=seed, name=name
        )
        check_fits("discriminator", discriminator, generator)
        self.n_discriminator = check_count("n_discriminator", n_discriminator)
        self.total_steps = check_count("total_steps", total_steps)
        loose = [layer.name for layer in discriminator.layers if hasattr(layer, "kernel")]
        if loose:
            warnings.warn(
                "`discriminator` should have spectral normalization in every layer (section 2 of "
                f"the paper). Received: one without it in {', '.join(loose)}",
                stacklevel=2,
            )

    @property
    def minibatches_per_step(self):
        return self.n_discriminator

    def default_optimizers(self):
        """Adam with rate 2e-4, which falls linearly to 0, beta_1 0 and beta_2 0.9 (section 4)."""
        return linear_adams(2e-4, self.total_steps, self.n_discriminator)

    @classmethod
    def default_networks(cls, shape, num_classes=None, latent_dim=None, seed=None):
        """The paper's residual networks for pictures, dense ones for points."""
        latent_dim = cls.recipe.latents_of(shape, latent_dim)
        generator, discriminator = sngan_pair(shape, latent_dim, seed=seed)
        return {"generator": generator, "discriminator": discriminator}

    @classmethod
    def settings_for(cls, steps):
        """The rate falls over all steps."""
        return {"total_steps": steps}

    def train_step(self, data):
        minibatches = self.minibatches(data, self.n_discriminator)
        discriminator = functools.partial(self.discriminator, training=True)
        with self.update("generator") as losses:
            twice = [self.sample_latents(minibatches[0]) for _ in range(2)]
            fakes = self.generator(ops.concatenate(twice), training=True)
            losses["generator"] = hinge_generator_loss(discriminator(fakes))

        for reals in minibatches:
            fakes = self.generator(self.sample_latents(reals), training=True)
            with self.update("discriminator") as losses:
                losses["discriminator"] = hinge_discriminator_loss(
                    discriminator(reals), discriminator(fakes)
                )
        return self.logs()

    def get_config(self):
        names = ("n_discriminator", "total_steps")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
