"""Unsupervised Representation Learning with DCGANs, Radford et al., 2016 (arXiv:1511.06434).

The GAN game with the non-saturating loss and k = 1, made stable by what the networks are. Section 3
has five guidelines, which `keras_gans.networks.build_dcgan_*` follow:

- strided convolutions in D and fractionally-strided ones in G, instead of pooling;
- batch normalization in both, but for G's output and D's input;
- no fully connected hidden layers;
- ReLU in G, with tanh at its output;
- LeakyReLU in D, with a slope of 0.2 (section 4).

Section 4 has how they are trained: weights from N(0, 0.02), Adam with rate 2e-4 and beta_1 0.5,
minibatches of 128, latents of length 100 from U(-1, 1). Reals and fakes go through D as separate
minibatches, so that each has batch statistics of its own. The authors' code (Newmu/dcgan_code, for
faces) also has 1e-5 / 2 times the sum of all squared weights of a network in its loss, which
`from_paper` has too.

Deviations from the paper: none in the algorithm; `keras_gans.networks.dcgan` lists those of the
networks.
"""

import keras
from keras import ops

from keras_gans.checks import check_fits, check_not_negative
from keras_gans.losses import minimax_discriminator_loss, non_saturating_generator_loss
from keras_gans.networks.defaults import dcgan_pair
from keras_gans.optimizers import adam
from keras_gans.papers import Paper, Recipe
from keras_gans.training.base import AdversarialModel


@keras.saving.register_keras_serializable("keras_gans")
class DCGAN(AdversarialModel):
    """A GAN of strided convolutions with batch normalization.

    Args:
        generator: built `keras.Model`, latents (batch, latent_dim) to pictures (batch, H, W, C);
            the paper's are of `build_dcgan_generator`.
        discriminator: built `keras.Model`, pictures (batch, H, W, C) to logits; the paper's are of
            `build_dcgan_discriminator`.
        l2: weight of half the sum of all squared weights of a player in its loss; 1e-5 in the
            authors' code.
        ema_decay: decay in (0, 1) of an averaged generator, or `None`.
        latent_prior: "normal" for N(0, 1) or "uniform" for U(-1, 1); `None` for the paper's.
        seed: integer that fixes every random draw, or `None`.

    Input shape:
        Pictures (batch, H, W, C), float32 in [-1, 1].

    Example:

    >>> shape = (28, 28, 1)
    >>> gan = DCGAN(build_dcgan_generator(shape), build_dcgan_discriminator(shape), seed=0)
    >>> history = gan.fit(load("fashion_mnist_10k", batch_size=128), epochs=10)
    >>> gan.generate(64, seed=1).shape
    (64, 28, 28, 1)

    Reference:
        https://arxiv.org/abs/1511.06434
    """

    paper = Paper(
        title="Unsupervised Representation Learning with Deep Convolutional GANs",
        authors="Radford et al.",
        year=2016,
        arxiv="1511.06434",
    )
    recipe = Recipe(
        dataset="fashion_mnist_10k",
        batch_size=128,
        steps=4_000,
        latent_dim=100,
        settings={"l2": 1e-5},
        status="trained",
    )
    players = {"discriminator": ("discriminator",), "generator": ("generator",)}
    judges = ("discriminator",)
    contests = {"discriminator_loss": "generator_loss"}
    latent_prior = "uniform"

    def __init__(
        self,
        generator,
        discriminator,
        ema_decay=None,
        latent_prior=None,
        seed=None,
        name=None,
        *,
        l2=0.0,
    ):
        networks = {"generator": generator, "discriminator": discriminator}
        super().__init__(
            **networks, ema_decay=ema_decay, latent_prior=latent_prior, seed=seed, name=name
        )
        check_fits("discriminator", discriminator, generator)
        self.l2 = check_not_negative("l2", l2)

    def default_optimizers(self):
        """Adam with rate 2e-4 and beta_1 0.5 for both (section 4)."""
        # With beta_1 at its usual 0.9 training oscillated (section 4).
        return {player: adam(2e-4, beta_1=0.5) for player in self.players}

    @classmethod
    def default_networks(cls, shape, num_classes=None, latent_dim=None, seed=None):
        """The paper's for pictures, without biases as the authors', and dense ones for points."""
        latent_dim = cls.recipe.latents_of(shape, latent_dim)
        generator, discriminator = dcgan_pair(shape, latent_dim, use_bias=False, seed=seed)
        return {"generator": generator, "discriminator": discriminator}

    def train_step(self, data):
        (reals,) = self.minibatches(data, 1)
        fakes = self.generator(self.sample_latents(reals), training=True)
        with self.update("discriminator") as losses:
            losses["discriminator"] = minimax_discriminator_loss(
                self.discriminator(reals, training=True),
                self.discriminator(fakes, training=True),
            ) + self.weight_decay("discriminator")

        with self.update("generator") as losses:
            fakes = self.generator(self.sample_latents(reals), training=True)
            losses["generator"] = non_saturating_generator_loss(
                self.discriminator(fakes, training=True)
            ) + self.weight_decay("generator")
        return self.logs()

    def weight_decay(self, player):
        """l2 / 2 times the sum of all squared weights of a player, a scalar."""
        if not self.l2:
            return 0.0
        squares = [ops.sum(ops.square(weight)) for weight in self.player_variables(player)]
        return self.l2 / 2 * sum(squares)

    def get_config(self):
        return {**super().get_config(), "l2": self.l2}
