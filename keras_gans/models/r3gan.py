"""The GAN is dead; long live the GAN! A Modern GAN Baseline, Huang et al., 2024 (arXiv:2501.05441).

A relativistic loss: D tells reals from fakes in pairs, and both players descend on the same
function of the pair's difference, which leaves no place for dropped modes,

    L_D = E[log(1 + exp(-(D(x) - D(G(z)))))],   L_G = E[log(1 + exp(-(D(G(z)) - D(x))))],

and zero-centred penalties on both sides, without which it does not converge:

    R1 = gamma / 2 E||grad D(x)||^2,   R2 = gamma / 2 E||grad D(G(z))||^2

A step is that of the authors' code (brownvc/R3GAN): D and then G, each with reals of its own, and
four settings that go along half a cosine over all steps (`total_steps`),

    gamma from 0.05 to 0.005,  Adam's rate from 2e-4 to 5e-5,  its beta_2 from 0.9 to 0.99,

and the half-life of the averaged generator from 0 to a quarter of the steps (`settings_for`). These
are those of CIFAR-10, with 20 million images in minibatches of 512. The paper's gamma is larger for
larger pictures: from 2 to 0.2 for 64 x 64 ones of FFHQ, from 150 to 15 for 256 x 256.

Deviations from the paper:
- What D sees is not augmented. The authors' code does so, with a probability that rises along the
  same cosine.
- The networks are those of the form without labels; `keras_gans.networks.r3gan` lists what else is
  different in them.
"""

import functools

import keras

from keras_gans.checks import check_count, check_fits, check_positive, check_scheduled
from keras_gans.losses import relativistic_loss
from keras_gans.networks.r3gan import r3gan_pair
from keras_gans.optimizers import adam
from keras_gans.papers import Paper, Recipe
from keras_gans.penalties import zero_centred_penalty
from keras_gans.schedules import Cosine, HalfLife
from keras_gans.training.base import AdversarialModel


@keras.saving.register_keras_serializable("keras_gans")
class R3GAN(AdversarialModel):
    """A relativistic GAN with gradient penalties on reals and fakes.

    Args:
        generator: built `keras.Model`, latents (batch, latent_dim) to samples (batch, ...).
        discriminator: built `keras.Model`, samples (batch, ...) to logits, one for each example.
            Both are meant to have no normalization.
        gp_weight: the paper's gamma, of which each penalty has a half, a number or a schedule;
            `None` for that of CIFAR-10, from 0.05 to 0.005. Larger pictures want more.
        total_steps: generator updates of the whole training, over which the paper's settings
            change.
        ema_decay: decay in (0, 1) of an averaged generator, or `None`; the paper's is that of
            `settings_for`.
        latent_prior: "normal" for N(0, 1) or "uniform" for U(-1, 1); `None` for the paper's.
        seed: integer that fixes every random draw, or `None`.

    Input shape:
        Reals (batch, ...) of the generator's output shape, float32; pictures in [-1, 1]. `fit`
        gathers two minibatches of the dataset for each step, one for each player.

    Example:

    >>> gan = R3GAN(build_mlp_generator((2,), 16), build_mlp_discriminator((2,)), gp_weight=1.0)
    >>> history = gan.fit(load("ring", batch_size=256), epochs=10)
    >>> gan.generate(500, seed=1).shape
    (500, 2)

    The paper's networks, at a twelfth of their width, and its settings over 4000 steps:

    >>> shape = (28, 28, 1)
    >>> generator = build_r3gan_generator(shape, width=64)
    >>> discriminator = build_r3gan_discriminator(shape, width=64)
    >>> gan = R3GAN(generator, discriminator, **R3GAN.settings_for(4000), seed=0)
    >>> history = gan.fit(load("fashion_mnist_10k", batch_size=64), steps_per_epoch=4000)

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
    minibatches_per_step = 2

    def __init__(
        self,
        generator,
        discriminator,
        gp_weight=None,
        total_steps=39_062,
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
        self.total_steps = check_count("total_steps", total_steps)
        if gp_weight is None:
            gp_weight = Cosine(0.05, 0.005, self.total_steps)
        self.gp_weight = check_scheduled("gp_weight", gp_weight, check_positive)

    def default_optimizers(self):
        """Adam with rates from 2e-4 to 5e-5, beta_1 0 and beta_2 from 0.9 to 0.99 for both."""
        steps = self.total_steps
        return {
            player: adam(Cosine(2e-4, 5e-5, steps), beta_1=0.0, beta_2=Cosine(0.9, 0.99, steps))
            for player in self.players
        }

    @classmethod
    def default_networks(cls, shape, num_classes=None, latent_dim=None, seed=None, width=None):
        """The paper's networks for pictures, of another width if one is given; dense for points."""
        latent_dim = cls.recipe.latents_of(shape, latent_dim)
        generator, discriminator = r3gan_pair(shape, latent_dim, width, seed=seed)
        return {"generator": generator, "discriminator": discriminator}

    @classmethod
    def settings_for(cls, steps):
        """All schedules run over these steps; half of the average is from the last part of them."""
        half_life = Cosine(0.0, steps / 4, steps)
        return {"total_steps": steps, "ema_decay": HalfLife(half_life, images_per_step=1)}

    def train_step(self, data):
        reals, others = self.minibatches(data, 2)
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
            fakes = self.generator(self.sample_latents(others), training=True)
            losses["generator"] = relativistic_loss(discriminator(fakes), discriminator(others))
        return self.logs()

    def get_config(self):
        names = ("gp_weight", "total_steps")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
