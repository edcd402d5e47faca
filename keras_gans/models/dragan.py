"""On Convergence and Stability of GANs, Kodali et al., 2017 (arXiv:1705.07215): DRAGAN.

The first GAN's game, with a discriminator that is held to gradients of norm 1 about the data, as
sharp ones there are what comes before a collapse:

    L_D = -E[log D(x)] - E[log(1 - D(G(z)))] + lambda E[(||grad D(x + delta)||_2 - 1)^2]

Deviations from the paper:
- delta is normal, with `noise` times the standard deviation of the minibatch; a fixed c of the
  paper's N(0, c I) would mean another thing for each data set. The authors' code has 0.5 of that
  deviation too, but times numbers of U(0, 1), and takes the gradient at a random place between
  x and x + delta: `uniform_noise=True`.
- The gradient is that of the logits, as in the authors' code, so that it does not vanish where D
  is sure.
- The generator's loss is the non-saturating one.
"""

import functools

import keras
from keras import ops

from keras_gans.checks import check_fits, check_flag, check_positive, check_scheduled
from keras_gans.devices.replicas import mean_over_replicas
from keras_gans.losses import (
    float32,
    minimax_discriminator_loss,
    non_saturating_generator_loss,
)
from keras_gans.networks.defaults import dcgan_pair
from keras_gans.optimizers import adam
from keras_gans.papers import Paper, Recipe
from keras_gans.penalties import input_gradient_norms
from keras_gans.training.base import AdversarialModel


@keras.saving.register_keras_serializable("keras_gans")
class DRAGAN(AdversarialModel):
    """A GAN whose discriminator is held to gradients of norm 1 about the data.

    Args:
        generator: built `keras.Model`, latents (batch, latent_dim) to samples (batch, ...).
        discriminator: built `keras.Model`, samples (batch, ...) to logits; the penalty is each
            example's own, so without batch normalization.
        gp_weight: weight of the gradient penalty, the paper's lambda; a number or a schedule.
        noise: standard deviation of delta, in those of the minibatch.
        uniform_noise: whether delta is that of the authors' code, of U(0, `noise`) in standard
            deviations of the minibatch, shortened by U(0, 1) for each example.
        ema_decay: decay in (0, 1) of an averaged generator, or `None`.
        latent_prior: "normal" for N(0, 1) or "uniform" for U(-1, 1); `None` for the paper's.
        seed: integer that fixes every random draw, or `None`.

    Input shape:
        Reals (batch, ...) of the generator's output shape, float32; pictures in [-1, 1].

    Example:

    >>> gan = DRAGAN(build_mlp_generator((2,), 16), build_mlp_discriminator((2,)), seed=0)
    >>> history = gan.fit(load("ring", batch_size=64), epochs=10)
    >>> gan.generate(500, seed=1).shape
    (500, 2)

    Reference:
        https://arxiv.org/abs/1705.07215
    """

    paper = Paper(
        title="On Convergence and Stability of GANs",
        authors="Kodali et al.",
        year=2017,
        arxiv="1705.07215",
    )
    recipe = Recipe(
        dataset="ring",
        batch_size=64,
        steps=10_000,
        latent_dim=100,
        latent_prior="uniform",
        status="trained",
    )
    players = {"discriminator": ("discriminator",), "generator": ("generator",)}
    judges = ("discriminator",)
    contests = {"discriminator_loss": "generator_loss"}
    reported = ("gradient_penalty",)
    penalties = {"gradient_penalty": "discriminator"}

    def __init__(
        self,
        generator,
        discriminator,
        gp_weight=10.0,
        noise=0.5,
        uniform_noise=False,
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
        self.gp_weight = check_scheduled("gp_weight", gp_weight, check_positive)
        self.noise = check_positive("noise", noise)
        self.uniform_noise = check_flag("uniform_noise", uniform_noise)

    def default_optimizers(self):
        """Adam with rate 1e-4, beta_1 0.5 and beta_2 0.9 for both, as in the authors' code."""
        return {player: adam(1e-4, beta_1=0.5, beta_2=0.9) for player in self.players}

    @classmethod
    def default_networks(cls, shape, num_classes=None, latent_dim=None, seed=None):
        """DCGAN's networks for pictures, D with layer normalization; dense ones for points."""
        latent_dim = cls.recipe.latents_of(shape, latent_dim)
        generator, discriminator = dcgan_pair(shape, latent_dim, "layer", seed=seed)
        return {"generator": generator, "discriminator": discriminator}

    def perturbed(self, reals):
        """x + delta, float32; the deviation is that of all values of the global minibatch."""
        reals = float32(reals)
        mean = mean_over_replicas(ops.mean(reals))
        variance = mean_over_replicas(ops.mean(ops.square(reals - mean)))
        if self.uniform_noise:
            place = self.random_uniform(reals, (1,) * (len(reals.shape) - 1))
            delta = place * self.random_uniform(reals, reals.shape[1:])
        else:
            delta = self.random_state.normal(reals, reals.shape[1:])
        return reals + self.noise * ops.sqrt(variance) * delta

    def train_step(self, data):
        (reals,) = self.minibatches(data, 1)
        discriminator = functools.partial(self.discriminator, training=True)
        fakes = self.generator(self.sample_latents(reals), training=True)
        perturbed = self.perturbed(reals)
        with self.update("discriminator") as losses:
            penalty = ops.mean(ops.square(input_gradient_norms(discriminator, perturbed) - 1.0))
            losses["discriminator"] = (
                minimax_discriminator_loss(discriminator(reals), discriminator(fakes))
                + self.at_step(self.gp_weight) * penalty
            )
        self.report(gradient_penalty=penalty)

        with self.update("generator") as losses:
            fakes = self.generator(self.sample_latents(reals), training=True)
            losses["generator"] = non_saturating_generator_loss(discriminator(fakes))
        return self.logs()

    def get_config(self):
        names = ("gp_weight", "noise", "uniform_noise")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
