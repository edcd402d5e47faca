"""Least Squares Generative Adversarial Networks, Mao et al., 2017 (arXiv:1611.04076).

D is a regression to the targets b for reals and a for fakes, G wants c (equation 2):

    min_D 1/2 E[(D(x) - b)^2] + 1/2 E[(D(G(z)) - a)^2]
    min_G 1/2 E[(D(G(z)) - c)^2]

D has no sigmoid. Samples on the right side of the boundary but far from the data still cost G, so
gradients do not vanish. With b - c = 1 and b - a = 2, for instance (a, b, c) = (-1, 1, 0), the
optimum minimizes the Pearson chi^2 divergence (section 3.2.2, equation 8); the default
(0, 1, 1) makes G's samples as real as possible (equation 9).

Deviations from the paper: Adam's rate is 2e-4, as for its smaller pictures; for the scenes of LSUN
the paper has 1e-3, and networks of its own for 112 x 112 pixels.
"""

import keras

from keras_gans.checks import check_fits
from keras_gans.losses import least_squares_discriminator_loss, least_squares_generator_loss
from keras_gans.networks.defaults import dcgan_pair
from keras_gans.optimizers import adam
from keras_gans.papers import Paper, Recipe
from keras_gans.training.base import AdversarialModel


@keras.saving.register_keras_serializable("keras_gans")
class LSGAN(AdversarialModel):
    """A GAN with least squares in the place of the cross-entropy.

    Args:
        generator: built `keras.Model`, latents (batch, latent_dim) to samples (batch, ...).
        discriminator: built `keras.Model`, samples (batch, ...) to unbounded outputs.
        a: D's target for fakes.
        b: D's target for reals.
        c: the value that G wants D to give to fakes.
        ema_decay: decay in (0, 1) of an averaged generator, or `None`.
        latent_prior: "normal" for N(0, 1) or "uniform" for U(-1, 1); `None` for the paper's.
        seed: integer that fixes every random draw, or `None`.

    Input shape:
        Reals (batch, ...) of the generator's output shape, float32; pictures in [-1, 1].

    Raises:
        ValueError: `a` equals `b`, so that D has nothing to tell apart.

    Example:

    >>> shape = (28, 28, 1)
    >>> gan = LSGAN(build_dcgan_generator(shape), build_dcgan_discriminator(shape), seed=0)
    >>> history = gan.fit(load("fashion_mnist_10k", batch_size=64), epochs=10)

    Reference:
        https://arxiv.org/abs/1611.04076
    """

    paper = Paper(
        title="Least Squares Generative Adversarial Networks",
        authors="Mao et al.",
        year=2017,
        arxiv="1611.04076",
    )
    recipe = Recipe(
        dataset="fashion_mnist_10k",
        batch_size=64,
        steps=4_000,
        latent_dim=100,
        latent_prior="uniform",
        status="trained",
    )
    players = {"discriminator": ("discriminator",), "generator": ("generator",)}
    judges = ("discriminator",)
    contests = {"discriminator_loss": "generator_loss"}

    def __init__(
        self,
        generator,
        discriminator,
        a=0.0,
        b=1.0,
        c=1.0,
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
        if a == b:
            raise ValueError(f"`a` and `b` must differ. Received: a={a!r}, b={b!r}")
        self.a, self.b, self.c = float(a), float(b), float(c)

    def default_optimizers(self):
        """Adam with beta_1 0.5 for both (section 4.1)."""
        return {player: adam(2e-4, beta_1=0.5) for player in self.players}

    @classmethod
    def default_networks(cls, shape, num_classes=None, latent_dim=None, seed=None):
        """DCGAN's networks for pictures, dense ones for points."""
        latent_dim = cls.recipe.latents_of(shape, latent_dim)
        generator, discriminator = dcgan_pair(shape, latent_dim, seed=seed)
        return {"generator": generator, "discriminator": discriminator}

    def train_step(self, data):
        (reals,) = self.minibatches(data, 1)
        fakes = self.generator(self.sample_latents(reals), training=True)
        with self.update("discriminator") as losses:
            losses["discriminator"] = least_squares_discriminator_loss(
                self.discriminator(reals, training=True),
                self.discriminator(fakes, training=True),
                a=self.a,
                b=self.b,
            )

        with self.update("generator") as losses:
            fakes = self.generator(self.sample_latents(reals), training=True)
            losses["generator"] = least_squares_generator_loss(
                self.discriminator(fakes, training=True), c=self.c
            )
        return self.logs()

    def get_config(self):
        return {**super().get_config(), "a": self.a, "b": self.b, "c": self.c}
