"""The GAN is dead; long live the GAN! A Modern GAN Baseline, Huang et al., 2024 (arXiv:2501.05441).

A relativistic loss: D tells reals from fakes in pairs, and both players descend on the same
function of the pair's difference, which leaves no place for dropped modes,

    L_D = E[log(1 + exp(-(D(x) - D(G(z)))))],   L_G = E[log(1 + exp(-(D(G(z)) - D(x))))],

and zero-centred penalties on both sides, without which it does not converge:

    R1 = gamma / 2 E||grad D(x)||^2,   R2 = gamma / 2 E||grad D(G(z))||^2

Deviations from the paper:
- The networks are the caller's. The paper's are residual ones without normalization, whose last
  convolution in a block begins at zero.
- gamma, Adam's rate and the decay of the averaged generator stay as they are, unless they are given
  as schedules. The authors' code moves them along a cosine (`schedules.Cosine`): on CIFAR-10 gamma
  from 0.05 to 0.005, the rate from 2e-4 to 5e-5. So it does with beta_2, from 0.9 to 0.99, which
  stays 0.99 here, and with the strength of an augmentation of all that D sees, which is not here.
"""

import functools

import keras

from keras_gans.checks import check_fits, check_positive, check_scheduled
from keras_gans.losses import relativistic_loss
from keras_gans.networks.defaults import dcgan_pair
from keras_gans.optimizers import adam
from keras_gans.papers import Paper, Recipe
from keras_gans.penalties import zero_centred_penalty
from keras_gans.training.base import AdversarialModel


@keras.saving.register_keras_serializable("keras_gans")
class R3GAN(AdversarialModel):
    """A relativistic GAN with gradient penalties on reals and fakes.

    Args:
        generator: built `keras.Model`, latents (batch, latent_dim) to samples (batch, ...).
        discriminator: built `keras.Model`, samples (batch, ...) to logits, one for each example.
            Both are meant to have no normalization.
        gp_weight: the paper's gamma, of which each penalty has a half, a number or a schedule. 0.05
            is that of the paper's first steps on CIFAR-10, points and larger pictures want more.
        ema_decay: decay in (0, 1) of an averaged generator, or `None`; the paper has one.
        latent_prior: "normal" for N(0, 1) or "uniform" for U(-1, 1); `None` for the paper's.
        seed: integer that fixes every random draw, or `None`.

    Input shape:
        Reals (batch, ...) of the generator's output shape, float32; pictures in [-1, 1].

    Example:

    >>> gan = R3GAN(build_mlp_generator((2,), 16), build_mlp_discriminator((2,)), gp_weight=1.0)
    >>> history = gan.fit(load("ring", batch_size=256), epochs=10)
    >>> gan.generate(500, seed=1).shape
    (500, 2)

    Reference:
        https://arxiv.org/abs/2501.05441
    """

    paper = Paper(
        title="The GAN is dead; long live the GAN! A Modern GAN Baseline",
        authors="Huang et al.",
        year=2024,
        arxiv="2501.05441",
    )
    recipe = Recipe(
        dataset="ring",
        batch_size=256,
        steps=10_000,
        latent_dim=64,
        status="trained",
    )
    players = {"discriminator": ("discriminator",), "generator": ("generator",)}
    judges = ("discriminator",)
    contests = {"discriminator_loss": "generator_loss"}
    reported = ("r1", "r2")
    penalties = {"r1": "discriminator", "r2": "discriminator"}

    def __init__(
        self,
        generator,
        discriminator,
        gp_weight=0.05,
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

    def default_optimizers(self):
        """Adam with rate 2e-4, beta_1 0 and beta_2 0.99 for both."""
        return {player: adam(2e-4, beta_1=0.0, beta_2=0.99) for player in self.players}

    @classmethod
    def default_networks(cls, shape, num_classes=None, latent_dim=None, seed=None):
        """DCGAN's networks without normalization for pictures, dense ones for points."""
        latent_dim = cls.recipe.latents_of(shape, latent_dim)
        generator, discriminator = dcgan_pair(shape, latent_dim, None, None, seed=seed)
        return {"generator": generator, "discriminator": discriminator}

    def train_step(self, data):
        (reals,) = self.minibatches(data, 1)
        discriminator = functools.partial(self.discriminator, training=True)
        fakes = self.generator(self.sample_latents(reals), training=True)
        gamma = self.at_step(self.gp_weight)
        with self.update("discriminator") as losses:
            real_logits, r1 = zero_centred_penalty(discriminator, reals)
            fake_logits, r2 = zero_centred_penalty(discriminator, fakes)
            losses["discriminator"] = relativistic_loss(real_logits, fake_logits) + gamma / 2 * (
                r1 + r2
            )
        self.report(r1=r1, r2=r2)

        with self.update("generator") as losses:
            fakes = self.generator(self.sample_latents(reals), training=True)
            losses["generator"] = relativistic_loss(discriminator(fakes), discriminator(reals))
        return self.logs()

    def get_config(self):
        return {**super().get_config(), "gp_weight": self.gp_weight}
