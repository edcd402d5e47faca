"""Improved Training of Wasserstein GANs, Gulrajani et al., 2017 (arXiv:1704.00028).

The critic's Lipschitz constraint as a penalty on its gradient (equation 3):

    L = E[f(G(z))] - E[f(x)] + lambda E[(||grad f(x^)||_2 - 1)^2],
    x^ = epsilon x + (1 - epsilon) G(z), epsilon ~ U(0, 1) for each example

Algorithm 1: n_critic descents of the critic on L, each with fresh reals, latents and epsilon, then
one descent of the generator on -E[f(G(z))]. The penalty is each example's own, which batch
normalization in the critic would undo; layer normalization takes its place (section 4). The
residual networks of the paper's CIFAR-10 pictures are `keras_gans.networks.build_residual_*`.

Deviations from the paper:
- The norm has 1e-12 inside its root, so that it can be differentiated at 0.
- The optimizers are Algorithm 1's for all networks. The authors' code for CIFAR-10, with residual
  ones, has a rate of 2e-4 that falls linearly to 0 in 100,000 steps, a generator's minibatch twice
  the critic's, noise below one level on the pixels, and a form for labels.
"""

import functools
import warnings

import keras

from keras_gans.checks import check_count, check_fits, check_positive, check_scheduled
from keras_gans.losses import wasserstein_critic_loss, wasserstein_generator_loss
from keras_gans.networks.defaults import dcgan_pair
from keras_gans.optimizers import adam
from keras_gans.papers import Paper, Recipe
from keras_gans.penalties import gradient_penalty
from keras_gans.training.base import AdversarialModel


@keras.saving.register_keras_serializable("keras_gans")
class WGANGP(AdversarialModel):
    """A Wasserstein GAN whose critic is held to gradients of norm 1.

    Args:
        generator: built `keras.Model`, latents (batch, latent_dim) to samples (batch, ...).
        critic: built `keras.Model`, samples (batch, ...) to unbounded scores; without batch
            normalization, of which a warning is given.
        n_critic: critic steps for each generator step.
        gp_weight: weight of the gradient penalty, the paper's lambda; a number or a schedule.
        ema_decay: decay in (0, 1) of an averaged generator, or `None`.
        latent_prior: "normal" for N(0, 1) or "uniform" for U(-1, 1); `None` for the paper's.
        seed: integer that fixes every random draw, or `None`.

    Input shape:
        Reals (batch, ...) of the generator's output shape, float32; pictures in [-1, 1]. `fit`
        gathers n_critic minibatches of the dataset for each step.

    Example:

    >>> shape = (28, 28, 1)
    >>> critic = build_dcgan_discriminator(shape, normalization="layer")
    >>> gan = WGANGP(build_dcgan_generator(shape), critic, seed=0)
    >>> history = gan.fit(load("fashion_mnist_10k", batch_size=64), epochs=10)

    Reference:
        https://arxiv.org/abs/1704.00028
    """

    paper = Paper(
        title="Improved Training of Wasserstein GANs",
        authors="Gulrajani et al.",
        year=2017,
        arxiv="1704.00028",
    )
    recipe = Recipe(
        dataset="fashion_mnist_10k",
        batch_size=64,
        steps=4_000,
        latent_dim=128,
        status="trained",
    )
    players = {"critic": ("critic",), "generator": ("generator",)}
    judges = ("critic",)
    reported = ("gradient_penalty",)
    penalties = {"gradient_penalty": "critic"}

    def __init__(
        self,
        generator,
        critic,
        n_critic=5,
        gp_weight=10.0,
        ema_decay=None,
        latent_prior=None,
        seed=None,
        name=None,
    ):
        networks = {"generator": generator, "critic": critic}
        super().__init__(
            **networks, ema_decay=ema_decay, latent_prior=latent_prior, seed=seed, name=name
        )
        check_fits("critic", critic, generator)
        self.n_critic = check_count("n_critic", n_critic)
        self.gp_weight = check_scheduled("gp_weight", gp_weight, check_positive)
        layers = [type(layer).__name__ for layer in critic.layers]
        if "BatchNormalization" in layers:
            warnings.warn(
                "`critic` has batch normalization, with which a penalty for each example means "
                "nothing; use layer normalization (section 4 of the paper)",
                stacklevel=2,
            )

    @property
    def minibatches_per_step(self):
        return self.n_critic

    def default_optimizers(self):
        """Adam with rate 1e-4, beta_1 0 and beta_2 0.9 for both (Algorithm 1)."""
        return {player: adam(1e-4, beta_1=0.0, beta_2=0.9) for player in self.players}

    @classmethod
    def default_networks(cls, shape, num_classes=None, latent_dim=None, seed=None):
        """DCGAN's networks for pictures, the critic with layer normalization; else dense ones."""
        latent_dim = cls.recipe.latents_of(shape, latent_dim)
        generator, critic = dcgan_pair(shape, latent_dim, "layer", seed=seed)
        return {"generator": generator, "critic": critic}

    def train_step(self, data):
        critic = functools.partial(self.critic, training=True)
        for reals in self.minibatches(data, self.n_critic):
            fakes = self.generator(self.sample_latents(reals), training=True)
            epsilon = self.random_uniform(reals)
            with self.update("critic") as losses:
                penalty = gradient_penalty(critic, reals, fakes, epsilon)
                losses["critic"] = (
                    wasserstein_critic_loss(critic(reals), critic(fakes))
                    + self.at_step(self.gp_weight) * penalty
                )
            self.report(gradient_penalty=penalty)

        with self.update("generator") as losses:
            fakes = self.generator(self.sample_latents(reals), training=True)
            losses["generator"] = wasserstein_generator_loss(critic(fakes))
        return self.logs()

    def get_config(self):
        return {**super().get_config(), "n_critic": self.n_critic, "gp_weight": self.gp_weight}
