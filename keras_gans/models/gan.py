"""Generative Adversarial Nets, Goodfellow et al., 2014 (arXiv:1406.2661).

A generator G and a discriminator D play min_G max_D V(D, G) (equation 1):

    V(D, G) = E[log D(x)] + E[log(1 - D(G(z)))]

Algorithm 1: k ascents of D on V, each with fresh reals and latents, then one descent of G; or,
since log(1 - D(G(z))) saturates early in learning, one ascent of G on log D(G(z)) (section 3).

Deviations from the paper:
- The generator's loss is the non-saturating one unless `non_saturating=False`.
- Gradients are clipped to a global norm of 1: without it a rate of 0.1 ended in NaN within 200
  steps of the MLPs here (the authors' code begins with smaller weights and bounds their columns).
- Momentum stays at 0.5; the paper's configurations raise it to 0.7 over 250 epochs.
- Latents are normal; the paper's are uniform.
"""

import keras

from keras_gans.checks import check_count, check_fits
from keras_gans.losses import (
    minimax_discriminator_loss,
    minimax_generator_loss,
    non_saturating_generator_loss,
)
from keras_gans.networks.defaults import mlp_pair
from keras_gans.papers import Paper, Recipe
from keras_gans.training.base import AdversarialModel


@keras.saving.register_keras_serializable("keras_gans")
class GAN(AdversarialModel):
    """The first GAN, with k discriminator steps and either of its generator losses.

    Args:
        generator: built `keras.Model`, latents (batch, latent_dim) to samples (batch, ...).
        discriminator: built `keras.Model`, samples (batch, ...) to logits. The paper's is an MLP of
            maxout units with dropout: `build_mlp_discriminator(shape, maxout_pieces=5,
            dropout=0.5)`.
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
        """SGD with momentum 0.5, a rate that falls from 0.1 by 1 + 4e-6 a step, clipped."""
        return {
            player: keras.optimizers.SGD(
                keras.optimizers.schedules.ExponentialDecay(0.1, 1, 1 / 1.000004),
                momentum=0.5,
                global_clipnorm=1.0,
            )
            for player in self.players
        }

    @classmethod
    def default_networks(cls, shape, num_classes=None, latent_dim=None, seed=None):
        """Dense networks, for pictures with maxout and dropout."""
        latent_dim = cls.recipe.latents_of(shape, latent_dim)
        generator, discriminator = mlp_pair(shape, latent_dim, seed=seed)
        return {"generator": generator, "discriminator": discriminator}

    def train_step(self, data):
        for reals in self.minibatches(data, self.n_discriminator):
            fakes = self.generator(self.sample_latents(reals), training=True)
            with self.update("discriminator") as losses:
                losses["discriminator"] = minimax_discriminator_loss(
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
