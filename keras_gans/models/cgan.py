"""Conditional Generative Adversarial Nets, Mirza and Osindero, 2014 (arXiv:1411.1784).

Both players are told a label y (equation 2):

    min_G max_D E[log D(x|y)] + E[log(1 - D(G(z|y)))]

A fake is judged with the label that it was made for.

Deviations from the paper:
- The generator's loss is the non-saturating one.
- Gradients are clipped to a global norm of 1, as in `keras_gans.models.gan`.
- Momentum stays at 0.5 (the paper raises it to 0.7), and the rate falls on beyond 1e-6.
- Latents are normal; the paper's are uniform.
"""

import keras

from keras_gans.checks import check_conditional, check_fits, infer_num_classes
from keras_gans.losses import minimax_discriminator_loss, non_saturating_generator_loss
from keras_gans.networks.defaults import mlp_pair
from keras_gans.papers import Paper, Recipe
from keras_gans.training.base import AdversarialModel
from keras_gans.training.kinds import Labels


@keras.saving.register_keras_serializable("keras_gans")
class CGAN(AdversarialModel):
    """A GAN that makes samples of a wanted class.

    Args:
        generator: built `keras.Model`, [latents (batch, latent_dim), int labels (batch,)] to
            samples (batch, ...). The paper's: `build_mlp_generator(shape, hidden=(200, 1200),
            num_classes=10, label_units=1000)`.
        discriminator: built `keras.Model`, [samples, int labels (batch,)] to logits. The paper's:
            `build_mlp_discriminator(shape, hidden=(240, 240), maxout_pieces=5, dropout=0.5,
            num_classes=10, label_units=50)`.
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
        """SGD with momentum 0.5, a rate that falls from 0.1 by 1 + 4e-5 a step, clipped."""
        return {
            player: keras.optimizers.SGD(
                keras.optimizers.schedules.ExponentialDecay(0.1, 1, 1 / 1.00004),
                momentum=0.5,
                global_clipnorm=1.0,
            )
            for player in self.players
        }

    @classmethod
    def default_networks(cls, shape, num_classes=None, latent_dim=None, seed=None):
        """Dense networks that are told the label, for pictures with maxout and dropout."""
        latent_dim = cls.recipe.latents_of(shape, latent_dim)
        generator, discriminator = mlp_pair(shape, latent_dim, num_classes, seed)
        return {"generator": generator, "discriminator": discriminator}

    def train_step(self, data):
        ((reals, labels),) = self.minibatches(data, 1)

        fakes = self.generator([self.sample_latents(reals), labels], training=True)
        with self.update("discriminator") as losses:
            losses["discriminator"] = minimax_discriminator_loss(
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
