"""Generative Adversarial Nets, Goodfellow et al., 2014 (arXiv:1406.2661).

A generator G and a discriminator D play min_G max_D V(D, G) (equation 1):

    V(D, G) = E[log D(x)] + E[log(1 - D(G(z)))]

Algorithm 1: k ascents of D on V, each with fresh reals and latents, then one descent of G; or,
since log(1 - D(G(z))) saturates early in learning, one ascent of G on log D(G(z)) (section 3).

D descends on -V / 2, the mean cross-entropy over reals and fakes, as in the authors' code
(goodfeli/adversarial): for SGD that is half the rate of a descent on -V.

Deviations from the paper:
- The generator's loss is the non-saturating one unless `non_saturating=False`.
- Momentum rises a little in each update, where the authors' rises in each epoch.
- Latents are N(0, 1), where the authors' are from U(-sqrt 3, sqrt 3), of the same variance. With
  `latent_prior="uniform"` they are from U(-1, 1), which begins as if the first layer's weights were
  smaller by sqrt 3.
- Pictures are in [-1, 1] and made by tanh, where the authors' are in [0, 1] and made by sigmoid
  units that begin at the data's means.
"""

import keras

from keras_gans.checks import check_count, check_fits
from keras_gans.losses import (
    minimax_discriminator_loss,
    minimax_generator_loss,
    non_saturating_generator_loss,
)
from keras_gans.networks.defaults import gan_pair
from keras_gans.optimizers import MomentumSGD
from keras_gans.papers import Paper, Recipe
from keras_gans.schedules import DividedDownTo, Linear
from keras_gans.training.base import AdversarialModel


@keras.saving.register_keras_serializable("keras_gans")
class GAN(AdversarialModel):
    """The first GAN, with k discriminator steps and either of its generator losses.

    Args:
        generator: built `keras.Model`, latents (batch, latent_dim) to samples (batch, ...).
        discriminator: built `keras.Model`, samples (batch, ...) to logits. The paper's is an MLP of
            maxout units with dropout; it and its generator are `default_networks(shape)`.
        n_discriminator: discriminator steps for each generator step, the paper's k.
        non_saturating: whether G maximizes log D(G(z)); `False` is the minimax game itself.
        ema_decay: decay in (0, 1) of an averaged generator, or `None`.
        latent_prior: "normal" for N(0, 1) or "uniform" for U(-1, 1); `None` for the paper's.
        seed: integer that fixes every random draw, or `None`.

    Input shape:
        Reals (batch, ...) of the generator's output shape, float32; pictures in [-1, 1].

    Example:

    >>> gan = GAN(build_mlp_generator((2,), 8), build_mlp_discriminator((2,)), seed=0)
    >>> history = gan.fit(load("ring", batch_size=100), epochs=10)
    >>> gan.generate(500, seed=1).shape
    (500, 2)

    Reference:
        https://arxiv.org/abs/1406.2661
    """

    paper = Paper(
        title="Generative Adversarial Nets",
        authors="Goodfellow et al.",
        year=2014,
        arxiv="1406.2661",
    )
    recipe = Recipe(
        dataset="fashion_mnist_10k",
        batch_size=100,
        steps=10_000,
        latent_dim=100,
        status="trained",
    )
    players = {"discriminator": ("discriminator",), "generator": ("generator",)}
    judges = ("discriminator",)
    contests = {"discriminator_loss": "generator_loss"}

    def __init__(
        self,
        generator,
        discriminator,
        n_discriminator=1,
        non_saturating=True,
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
        self.non_saturating = bool(non_saturating)

    @property
    def minibatches_per_step(self):
        return self.n_discriminator

    def default_optimizers(self):
        """SGD; its rate falls from 0.1 by 1.000004 a step, its momentum rises from 0.5 to 0.7.

        The authors' minibatches are 500 an epoch, and the momentum rises from the first epoch to
        the 250th.
        """
        return {
            player: MomentumSGD(
                DividedDownTo(0.1, divisor=1.000004, minimum=1e-6),
                momentum=Linear(0.5, 0.7, total_steps=249 * 500),
            )
            for player in self.players
        }

    @classmethod
    def default_networks(cls, shape, num_classes=None, latent_dim=None, seed=None):
        """For pictures the authors' networks for MNIST, for points dense ones without dropout."""
        latent_dim = cls.recipe.latents_of(shape, latent_dim)
        generator, discriminator = gan_pair(shape, latent_dim, seed=seed)
        return {"generator": generator, "discriminator": discriminator}

    def train_step(self, data):
        for reals in self.minibatches(data, self.n_discriminator):
            fakes = self.generator(self.sample_latents(reals), training=True)
            with self.update("discriminator") as losses:
                losses["discriminator"] = 0.5 * minimax_discriminator_loss(
                    self.discriminator(reals, training=True),
                    self.discriminator(fakes, training=True),
                )

        with self.update("generator") as losses:
            fakes = self.generator(self.sample_latents(reals), training=True)
            losses["generator"] = self.generator_loss(self.discriminator(fakes, training=True))
        return self.logs()

    def generator_loss(self, fake_logits):
        if self.non_saturating:
            return non_saturating_generator_loss(fake_logits)
        return minimax_generator_loss(fake_logits)

    def get_config(self):
        return {
            **super().get_config(),
            "n_discriminator": self.n_discriminator,
            "non_saturating": self.non_saturating,
        }
