"""Auto-Encoding Variational Bayes, Kingma and Welling, 2014 (arXiv:1312.6114).

An encoder learns q(z|x) = N(mu(x), sigma(x)^2), a generator (there: decoder) p(x|z), with the prior
p(z) = N(0, I). Both maximize a lower bound of log p(x) (equation 10):

    L(x) = -KL(q(z|x) || p(z)) + E[log p(x|z)],    z = mu(x) + sigma(x) epsilon, epsilon ~ N(0, I)

- `kl_divergence` is the first term's, in closed form (appendix B): -1/2 sum_j (1 + log sigma_j^2 -
  mu_j^2 - sigma_j^2).
- `reconstruction_loss` is -log p(x|z) for p(x|z) = N(G(z), variance I), less a constant:
  ||x - G(z)||^2 / (2 variance), with one draw of z for each x (L = 1, section 2.3). Without a
  variance p(x|z) is the Bernoulli one of appendix C.1.

Both are sums over latents and pixels, never means: it is this that weighs one against the other.

There is no adversary here. As a model of the package it is what the adversarial auto-encoders are
measured against.

Deviations from the paper:
- A normal p(x|z) has one fixed variance; the paper's decoder returns one for each pixel (appendix
  C.2).
- No prior, that is no weight decay, on the networks' weights, which begin as the builders have it,
  there as N(0, 0.01) (section 5).
"""

import keras

from keras_gans.checks import check_positive
from keras_gans.families.autoencoding import Autoencoding, check_encoder
from keras_gans.families.variational import (
    GAUSSIAN,
    bernoulli_error,
    gaussian_error,
    gaussian_kl_divergence,
    gaussian_sample,
)
from keras_gans.networks.defaults import decoder_and_encoder
from keras_gans.optimizers import adagrad
from keras_gans.papers import Paper, Recipe
from keras_gans.training.base import AdversarialModel


@keras.saving.register_keras_serializable("keras_gans")
class VAE(Autoencoding, AdversarialModel):
    """A variational auto-encoder.

    Args:
        generator: built `keras.Model`, latents (batch, latent_dim) to samples (batch, ...).
        encoder: built `keras.Model`, samples (batch, ...) to [mean, log-variance], (batch,
            latent_dim) each. The paper's networks are MLPs: `build_mlp_encoder(shape, latent_dim,
            hidden=(500,), activation="tanh")`, and likewise the generator.
        variance: positive number, the variance of p(x|z). A smaller one asks for nearer
            reconstructions and lets the latents stray farther from the prior. `None` is a Bernoulli
            p(x|z), for pictures that are nearly black and white, and a generator that ends in tanh.
        ema_decay: decay in (0, 1) of an averaged generator and encoder, or `None`.
        seed: integer that fixes every random draw, or `None`.

    Input shape:
        Samples (batch, ...) of the generator's output shape, float32; pictures in [-1, 1].

    Example:

    >>> shape = (28, 28, 1)
    >>> vae = VAE(build_dcgan_generator(shape, 32), build_dcgan_encoder(shape, 32), seed=0)
    >>> history = vae.fit(load("fashion_mnist_10k", batch_size=100), epochs=10)
    >>> vae.reconstruct(pictures).shape
    (64, 28, 28, 1)

    Reference:
        https://arxiv.org/abs/1312.6114
    """

    paper = Paper(
        title="Auto-Encoding Variational Bayes",
        authors="Kingma and Welling",
        year=2014,
        arxiv="1312.6114",
    )
    recipe = Recipe(
        dataset="fashion_mnist_10k",
        batch_size=100,
        steps=4_000,
        latent_dim=100,
        status="trained",
    )
    players = {"autoencoder": ("encoder", "generator")}
    averaged = ("encoder", "generator")
    reported = ("reconstruction_loss", "kl_divergence")
    loss_terms = reported

    def __init__(self, generator, encoder, variance=1.0, ema_decay=None, seed=None, name=None):
        networks = {"generator": generator, "encoder": encoder}
        super().__init__(**networks, ema_decay=ema_decay, seed=seed, name=name)
        check_encoder(encoder, generator, GAUSSIAN)
        self.variance = None if variance is None else check_positive("variance", variance)

    def default_optimizers(self):
        """Adagrad with rate 0.01 (section 5 has it out of 0.01, 0.02 and 0.1)."""
        return {"autoencoder": adagrad(0.01)}

    @classmethod
    def default_networks(cls, shape, num_classes=None, latent_dim=None, seed=None):
        """DCGAN's networks for pictures, dense ones for points."""
        latent_dim = cls.recipe.latents_of(shape, latent_dim)
        generator, encoder = decoder_and_encoder(shape, latent_dim, seed)
        return {"generator": generator, "encoder": encoder}

    def train_step(self, data):
        (reals,) = self.minibatches(data, 1)

        with self.update("autoencoder") as losses:
            mean, log_variance = self.encoder(reals, training=True)
            latents = gaussian_sample(mean, log_variance, noise=self.sample_latents(reals))
            reconstructions = self.generator(latents, training=True)
            reconstruction_loss = self.negative_log_likelihood(reals, reconstructions)
            kl_divergence = gaussian_kl_divergence(mean, log_variance)
            losses["autoencoder"] = reconstruction_loss + kl_divergence
        self.report(reconstruction_loss=reconstruction_loss, kl_divergence=kl_divergence)
        return self.logs()

    def negative_log_likelihood(self, reals, reconstructions):
        """-log p(x|z), less a constant where p is normal."""
        if self.variance is None:
            return bernoulli_error(reals, reconstructions)
        return gaussian_error(reals, reconstructions, self.variance)

    def get_config(self):
        return {**super().get_config(), "variance": self.variance}
