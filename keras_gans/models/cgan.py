"""Conditional Generative Adversarial Nets, Mirza and Osindero, 2014 (arXiv:1411.1784).

Both players are told a label y (equation 2):

    min_G max_D E[log D(x|y)] + E[log(1 - D(G(z|y)))]

A fake is judged with the label that it was made for. D descends on half of this with the sign
changed, as in the code of the first GAN (see `keras_gans.models.gan`); this paper has none.

Deviations from the paper:
- The generator's loss is the non-saturating one.
- Momentum rises to 0.7 as slowly as the first GAN's does; the paper does not tell how slowly.
- Latents are N(0, 1), the paper's from U(0, 1).
- Pictures are in [-1, 1] and made by tanh, the paper's in [0, 1] and by sigmoid units.
"""

import keras

from keras_gans.checks import check_conditional, check_fits, infer_num_classes
from keras_gans.losses import minimax_discriminator_loss, non_saturating_generator_loss
from keras_gans.networks.defaults import cgan_pair
from keras_gans.optimizers import MomentumSGD
from keras_gans.papers import Paper, Recipe
from keras_gans.schedules import DividedDownTo, Linear
from keras_gans.training.base import AdversarialModel
from keras_gans.training.kinds import Labels


@keras.saving.register_keras_serializable("keras_gans")
class CGAN(AdversarialModel):
    """A GAN that makes samples of a wanted class.

    Args:
        generator: built `keras.Model`, [latents (batch, latent_dim), int labels (batch,)] to
            samples (batch, ...).
        discriminator: built `keras.Model`, [samples, int labels (batch,)] to logits. The paper's,
            and its generator, are `default_networks(shape, num_classes=10)`.
        num_classes: number of classes; read off the generator when `None`.
        ema_decay: decay in (0, 1) of an averaged generator, or `None`.
        latent_prior: "normal" for N(0, 1) or "uniform" for U(-1, 1); `None` for the paper's.
        seed: integer that fixes every random draw, or `None`.

    Input shape:
        Pairs of reals (batch, ...), float32 (pictures in [-1, 1]), and int labels (batch,).

    Example:

    >>> shape = (28, 28, 1)
    >>> generator = build_dcgan_generator(shape, num_classes=10)
    >>> discriminator = build_dcgan_discriminator(shape, num_classes=10)
    >>> gan = CGAN(generator, discriminator, num_classes=10, seed=0)
    >>> history = gan.fit(load("fashion_mnist_10k", labels=True), epochs=10)
    >>> shoes = gan.generate(8, seed=1, labels=7)

    Reference:
        https://arxiv.org/abs/1411.1784
    """

    paper = Paper(
        title="Conditional Generative Adversarial Nets",
        authors="Mirza and Osindero",
        year=2014,
        arxiv="1411.1784",
    )
    recipe = Recipe(
        dataset="fashion_mnist_10k",
        labelled=True,
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
        num_classes=None,
        ema_decay=None,
        latent_prior=None,
        seed=None,
        name=None,
    ):
        networks = {"generator": generator, "discriminator": discriminator}
        super().__init__(
            **networks, ema_decay=ema_decay, latent_prior=latent_prior, seed=seed, name=name
        )
        self.num_classes = infer_num_classes(generator) if num_classes is None else num_classes
        for network_name, network in networks.items():
            check_conditional(network_name, network, self.num_classes)
        check_fits("discriminator", discriminator, generator)

    def default_optimizers(self):
        """SGD; its rate falls from 0.1 by 1.00004 a step, its momentum rises from 0.5 to 0.7."""
        return {
            player: MomentumSGD(
                DividedDownTo(0.1, divisor=1.00004, minimum=1e-6),
                momentum=Linear(0.5, 0.7, total_steps=249 * 500),
            )
            for player in self.players
        }

    @classmethod
    def default_networks(cls, shape, num_classes=None, latent_dim=None, seed=None):
        """For pictures the networks of section 4.1, for points dense ones without dropout."""
        latent_dim = cls.recipe.latents_of(shape, latent_dim)
        generator, discriminator = cgan_pair(shape, latent_dim, num_classes, seed=seed)
        return {"generator": generator, "discriminator": discriminator}

    def train_step(self, data):
        ((reals, labels),) = self.minibatches(data, 1)

        fakes = self.generator([self.sample_latents(reals), labels], training=True)
        with self.update("discriminator") as losses:
            losses["discriminator"] = 0.5 * minimax_discriminator_loss(
                self.discriminator([reals, labels], training=True),
                self.discriminator([fakes, labels], training=True),
            )
        with self.update("generator") as losses:
            fakes = self.generator([self.sample_latents(reals), labels], training=True)
            fake_logits = self.discriminator([fakes, labels], training=True)
            losses["generator"] = non_saturating_generator_loss(fake_logits)
        return self.logs()

    def data_spec(self):
        return (*super().data_spec(), Labels("labels", self.num_classes))

    def get_config(self):
        return {**super().get_config(), "num_classes": self.num_classes}
