"""Mode Regularized Generative Adversarial Networks, Che et al., 2017 (arXiv:1612.02136).

A generator that misses a mode of the data hardly ever makes a sample near it, so that D has nothing
to teach it there. An encoder E brings it there: for each real x, of whatever mode, G must make a
sample near x out of E(x), and one that D takes for real. `MRGAN` is the regularized GAN of section
3.1, with d the squared error:

    D:  -E[log D(x)] - E[log(1 - D(G(z)))]
    R =  lambda_1 E[d(x, G(E(x)))] - lambda_2 E[log D(G(E(x)))]
    E:   R
    G:  -E[log D(G(z))] + R

The paper prints R with + lambda_2 E[log D(G(E(x)))]. What is minimized must have the minus, as for
G(z): with the plus reconstructions would learn to look fake. `MDGAN` is the manifold-diffusion
training of section 3.2, Algorithm 1. D_1 tells reals and reconstructions apart, until these lie on
the manifold of the data; D_2 tells reconstructions and samples apart, two things that the same G
makes, so that its probability mass spreads over that manifold:

    manifold     D_1:     -E[log D_1(x)] - E[log(1 - D_1(G(E(x))))]
                 E and G: -lambda E[log D_1(G(E(x)))] + E[d(x, G(E(x)))]
    diffusion    D_2:     -E[log D_2(G(E(x)))] - E[log(1 - D_2(G(z)))]
                 G:       -E[log D_2(G(z))]

G makes samples and reconstructions as one batch in both: with statistics of their own for each,
batch normalization would show it other latents in training than in `generate`.

Deviations from the paper:
- d is the mean over pixels, not their sum, beside which the GAN's terms are next to nothing.
- lambda_1 = 0.2 and lambda_2 = 0.4 are the paper's for faces (CelebA); for digits it searched a
  grid. With this mean 0.2 was too little on `stacked_fashion_mnist`: E found one latent far from
  the prior whose picture D, which never learns from reconstructions, took for real, and the error
  stayed above the data's variance of 0.49. `from_paper` has 10, with which it was 0.14 after 800
  steps. The lambda of `MDGAN` is 0.01.
- The networks are DCGAN's for the size of the picture, and E is D with latents for its output.
- In `MDGAN` G has an optimizer for each of its two steps.
"""

import keras
from keras import ops

from keras_gans.checks import check_fits, check_not_negative
from keras_gans.devices.randomness import derive_seed
from keras_gans.families.autoencoding import Autoencoding, check_encoder
from keras_gans.losses import (
    mean_squared_error,
    minimax_discriminator_loss,
    non_saturating_generator_loss,
)
from keras_gans.networks.defaults import dcgan_pair, decoder_and_encoder
from keras_gans.optimizers import adam
from keras_gans.papers import Paper, Recipe
from keras_gans.training.base import AdversarialModel


class ModeRegularized(Autoencoding):
    """What both forms share: samples and reconstructions out of one batch, optimizers, networks."""

    def default_optimizers(self):
        """Adam with rate 2e-4 and beta_1 0.5 for all, as for DCGAN."""
        return {player: adam(2e-4, beta_1=0.5) for player in self.players}

    def make(self, reals):
        """The pair G(z), G(E(x)): fresh samples, and reconstructions of reals."""
        latents = [self.sample_latents(reals), self.encoder(reals, training=True)]
        return ops.split(self.generator(ops.concatenate(latents), training=True), 2)


@keras.saving.register_keras_serializable("keras_gans")
class MRGAN(ModeRegularized, AdversarialModel):
    """A GAN whose generator also has to reconstruct the data, and so each of its modes.

    Args:
        generator: built `keras.Model`, latents (batch, latent_dim) to samples (batch, ...).
        discriminator: built `keras.Model`, samples (batch, ...) to logits.
        encoder: built `keras.Model`, samples (batch, ...) to latents (batch, latent_dim), without
            an activation: `build_dcgan_encoder(shape, gaussian=False)`.
        reconstruction_weight: weight of the squared error, the paper's lambda_1; 10 in `from_paper`
            for small pictures. Where `reconstruction_loss` does not fall it is too small.
        mode_weight: weight of -log D(G(E(x))), the paper's lambda_2.
        ema_decay: decay in (0, 1) of an averaged generator and encoder, or `None`.
        latent_prior: "normal" for N(0, 1) or "uniform" for U(-1, 1); `None` for the first.
        seed: integer that fixes every random draw, or `None`.

    Input shape:
        Reals (batch, ...) of the generator's output shape, float32; pictures in [-1, 1].

    Raises:
        ValueError: a weight is negative, or the networks do not fit each other.

    Example:

    >>> gan = MRGAN.from_paper((2,), seed=0)
    >>> history = gan.fit(load("grid", batch_size=128), epochs=10)
    >>> coverage = ModeCoverage(points.GRID_CENTRES, points.GRID_SIGMA)
    >>> coverage.update_state(fakes=gan.generate(2500))
    >>> gan.reconstruct(reals).shape
    (64, 2)

    Reference:
        https://arxiv.org/abs/1612.02136
    """

    paper = Paper(
        title="Mode Regularized Generative Adversarial Networks",
        authors="Che et al.",
        year=2017,
        arxiv="1612.02136",
    )
    recipe = Recipe(
        dataset="fashion_mnist_10k",
        batch_size=64,
        steps=4_000,
        latent_dim=100,
        settings={"reconstruction_weight": 10.0},
        status="trained",
    )
    players = {
        "discriminator": ("discriminator",),
        "generator": ("generator",),
        "encoder": ("encoder",),
    }
    judges = ("discriminator",)
    makers = ("generator",)
    contests = {"discriminator_loss": "generator_loss"}
    averaged = ("encoder", "generator")
    reported = ("reconstruction_loss", "mode_loss")
    loss_terms = reported

    def __init__(
        self,
        generator,
        discriminator,
        encoder,
        reconstruction_weight=0.2,
        mode_weight=0.4,
        ema_decay=None,
        latent_prior=None,
        seed=None,
        name=None,
    ):
        networks = {"generator": generator, "discriminator": discriminator, "encoder": encoder}
        super().__init__(
            **networks, ema_decay=ema_decay, latent_prior=latent_prior, seed=seed, name=name
        )
        check_fits("discriminator", discriminator, generator)
        check_encoder(encoder, generator)
        self.reconstruction_weight = check_not_negative(
            "reconstruction_weight", reconstruction_weight
        )
        self.mode_weight = check_not_negative("mode_weight", mode_weight)

    @classmethod
    def default_networks(cls, shape, num_classes=None, latent_dim=None, seed=None):
        """DCGAN's networks for pictures, dense ones for points."""
        latent_dim = cls.recipe.latents_of(shape, latent_dim)
        generator, discriminator = dcgan_pair(shape, latent_dim, seed=seed)
        _, encoder = decoder_and_encoder(shape, latent_dim, seed, gaussian=False)
        return {"generator": generator, "discriminator": discriminator, "encoder": encoder}

    def train_step(self, data):
        (reals,) = self.minibatches(data, 1)
        fakes, _ = self.make(reals)
        with self.update("discriminator") as losses:
            losses["discriminator"] = minimax_discriminator_loss(
                self.discriminator(reals, training=True),
                self.discriminator(fakes, training=True),
            )

        with self.update("generator", "encoder") as losses:
            fakes, reconstructions = self.make(reals)
            fake_logits = self.discriminator(fakes, training=True)
            reconstruction_loss = mean_squared_error(reals, reconstructions)
            mode_loss = non_saturating_generator_loss(
                self.discriminator(reconstructions, training=True)
            )
            regularizer = (
                self.reconstruction_weight * reconstruction_loss + self.mode_weight * mode_loss
            )
            losses["generator"] = non_saturating_generator_loss(fake_logits) + regularizer
            losses["encoder"] = regularizer
        self.report(reconstruction_loss=reconstruction_loss, mode_loss=mode_loss)
        return self.logs()

    def get_config(self):
        return {
            **super().get_config(),
            "reconstruction_weight": self.reconstruction_weight,
            "mode_weight": self.mode_weight,
        }


@keras.saving.register_keras_serializable("keras_gans")
class MDGAN(ModeRegularized, AdversarialModel):
    """A GAN in two steps: reconstructions onto the data's manifold, then samples over all of it.

    Args:
        generator: built `keras.Model`, latents (batch, latent_dim) to samples (batch, ...).
        manifold_discriminator: built `keras.Model`, samples (batch, ...) to logits, the paper's
            D_1, of reals against reconstructions.
        diffusion_discriminator: the like, the paper's D_2, of reconstructions against samples.
        encoder: built `keras.Model`, samples (batch, ...) to latents (batch, latent_dim), without
            an activation: `build_dcgan_encoder(shape, gaussian=False)`.
        manifold_weight: weight of -log D_1(G(E(x))) beside the squared error, the paper's lambda.
        ema_decay: decay in (0, 1) of an averaged generator and encoder, or `None`.
        latent_prior: "normal" for N(0, 1) or "uniform" for U(-1, 1); `None` for the first.
        seed: integer that fixes every random draw, or `None`.

    Input shape:
        Reals (batch, ...) of the generator's output shape, float32; pictures in [-1, 1].

    Raises:
        ValueError: a weight is negative, or the networks do not fit each other.

    Example:

    >>> gan = MDGAN.from_paper((2,), seed=0)
    >>> history = gan.fit(load("grid", batch_size=128), epochs=10)
    >>> gan.generate(500, seed=1).shape
    (500, 2)

    Reference:
        https://arxiv.org/abs/1612.02136
    """

    paper = Paper(
        title="Mode Regularized Generative Adversarial Networks",
        authors="Che et al.",
        year=2017,
        arxiv="1612.02136",
    )
    recipe = Recipe(
        dataset="fashion_mnist_10k",
        batch_size=64,
        steps=4_000,
        latent_dim=100,
        status="short runs",
        listed=False,  # as another form of MRGAN
    )
    players = {
        "manifold_discriminator": ("manifold_discriminator",),
        "autoencoder": ("encoder", "generator"),
        "diffusion_discriminator": ("diffusion_discriminator",),
        "generator": ("generator",),
    }
    judges = ("manifold_discriminator", "diffusion_discriminator")
    contests = {
        "manifold_discriminator_loss": "autoencoder_loss",
        "diffusion_discriminator_loss": "generator_loss",
    }
    averaged = ("encoder", "generator")
    reported = ("reconstruction_loss",)
    loss_terms = reported

    def __init__(
        self,
        generator,
        manifold_discriminator,
        diffusion_discriminator,
        encoder,
        manifold_weight=0.01,
        ema_decay=None,
        latent_prior=None,
        seed=None,
        name=None,
    ):
        networks = {
            "generator": generator,
            "manifold_discriminator": manifold_discriminator,
            "diffusion_discriminator": diffusion_discriminator,
            "encoder": encoder,
        }
        super().__init__(
            **networks, ema_decay=ema_decay, latent_prior=latent_prior, seed=seed, name=name
        )
        check_fits("manifold_discriminator", manifold_discriminator, generator)
        check_fits("diffusion_discriminator", diffusion_discriminator, generator)
        check_encoder(encoder, generator)
        self.manifold_weight = check_not_negative("manifold_weight", manifold_weight)

    @classmethod
    def default_networks(cls, shape, num_classes=None, latent_dim=None, seed=None):
        """DCGAN's networks for pictures, dense ones for points."""
        latent_dim = cls.recipe.latents_of(shape, latent_dim)
        generator, manifold_discriminator = dcgan_pair(shape, latent_dim, seed=seed)
        other_seed = derive_seed(seed, "diffusion_discriminator")
        _, diffusion_discriminator = dcgan_pair(shape, latent_dim, seed=other_seed)
        _, encoder = decoder_and_encoder(shape, latent_dim, seed, gaussian=False)
        return {
            "generator": generator,
            "manifold_discriminator": manifold_discriminator,
            "diffusion_discriminator": diffusion_discriminator,
            "encoder": encoder,
        }

    def train_step(self, data):
        (reals,) = self.minibatches(data, 1)

        _, reconstructions = self.make(reals)
        with self.update("manifold_discriminator") as losses:
            losses["manifold_discriminator"] = minimax_discriminator_loss(
                self.manifold_discriminator(reals, training=True),
                self.manifold_discriminator(reconstructions, training=True),
            )
        with self.update("autoencoder") as losses:
            _, reconstructions = self.make(reals)
            reconstruction_loss = mean_squared_error(reals, reconstructions)
            losses["autoencoder"] = reconstruction_loss + self.manifold_weight * (
                non_saturating_generator_loss(
                    self.manifold_discriminator(reconstructions, training=True)
                )
            )

        fakes, reconstructions = self.make(reals)
        with self.update("diffusion_discriminator") as losses:
            losses["diffusion_discriminator"] = minimax_discriminator_loss(
                self.diffusion_discriminator(reconstructions, training=True),
                self.diffusion_discriminator(fakes, training=True),
            )
        with self.update("generator") as losses:
            fakes, _ = self.make(reals)
            losses["generator"] = non_saturating_generator_loss(
                self.diffusion_discriminator(fakes, training=True)
            )
        self.report(reconstruction_loss=reconstruction_loss)
        return self.logs()

    def get_config(self):
        return {**super().get_config(), "manifold_weight": self.manifold_weight}
