"""Wasserstein GAN, Arjovsky et al., 2017 (arXiv:1701.07875).

The critic f estimates the earth mover's distance by its dual (equation 2); clipping its weights to
[-c, c] keeps it K-Lipschitz:

    W(P_r, P_g) ~ max_{|w| <= c} E[f_w(x)] - E[f_w(G(z))]

Algorithm 1: n_critic ascents of the critic, each with fresh reals and latents and followed by the
clipping, then one descent of the generator on -E[f_w(G(z))]. The critic's loss is minus the
estimate of the distance (up to K), so that it nears 0 from below as samples get better.

The authors' code has 100 critic steps, not 5, for each of the first 25 generator steps and for
every 500th: `n_critic_at_times=100`, as `from_paper` has it. The further a critic is trained, the
better is the gradient that the generator gets of the distance (section 3).

Deviations from the paper: none in the algorithm, in which clipping comes after each critic step, in
the authors' code before it; `keras_gans.networks.dcgan` lists those of the networks.
"""

import keras

from keras_gans.checks import check_count, check_fits, check_positive
from keras_gans.losses import wasserstein_critic_loss, wasserstein_generator_loss
from keras_gans.networks.defaults import dcgan_pair
from keras_gans.optimizers import rmsprop
from keras_gans.papers import Paper, Recipe
from keras_gans.penalties import clip_weights
from keras_gans.training.base import AdversarialModel


@keras.saving.register_keras_serializable("keras_gans")
class WGAN(AdversarialModel):
    """A GAN that minimizes the Wasserstein-1 distance, with clipped critic weights.

    Args:
        generator: built `keras.Model`, latents (batch, latent_dim) to samples (batch, ...).
        critic: built `keras.Model`, samples (batch, ...) to unbounded scores.
        n_critic: critic steps for each generator step.
        clip: the critic's weights stay in [-clip, clip].
        n_critic_at_times: critic steps for each of the first 25 generator steps and for every
            500th, in whole rounds of `n_critic`; 100 in the authors' code. `None` for `n_critic`.
        ema_decay: decay in (0, 1) of an averaged generator, or `None`.
        latent_prior: "normal" for N(0, 1) or "uniform" for U(-1, 1); `None` for the paper's.
        seed: integer that fixes every random draw, or `None`.

    Input shape:
        Reals (batch, ...) of the generator's output shape, float32; pictures in [-1, 1]. `fit`
        gathers n_critic minibatches of the dataset for each step, and in a step with more critic
        steps as many for each n_critic of them. A step is one generator step in any case.

    Example:

    >>> shape = (28, 28, 1)
    >>> gan = WGAN(build_dcgan_generator(shape), build_dcgan_discriminator(shape), seed=0)
    >>> history = gan.fit(load("fashion_mnist_10k", batch_size=64), epochs=10)

    Reference:
        https://arxiv.org/abs/1701.07875
    """

    paper = Paper(
        title="Wasserstein GAN",
        authors="Arjovsky et al.",
        year=2017,
        arxiv="1701.07875",
    )
    recipe = Recipe(
        dataset="fashion_mnist_10k",
        batch_size=64,
        steps=10_000,
        latent_dim=100,
        settings={"n_critic_at_times": 100},
        status="trained",
    )
    players = {"critic": ("critic",), "generator": ("generator",)}
    judges = ("critic",)

    def __init__(
        self,
        generator,
        critic,
        n_critic=5,
        clip=0.01,
        ema_decay=None,
        latent_prior=None,
        seed=None,
        name=None,
        *,
        n_critic_at_times=None,
    ):
        networks = {"generator": generator, "critic": critic}
        super().__init__(
            **networks, ema_decay=ema_decay, latent_prior=latent_prior, seed=seed, name=name
        )
        check_fits("critic", critic, generator)
        self.n_critic = check_count("n_critic", n_critic)
        self.clip = check_positive("clip", clip)
        if n_critic_at_times is not None:
            check_count("n_critic_at_times", n_critic_at_times)
        self.n_critic_at_times = n_critic_at_times

    @property
    def minibatches_per_step(self):
        return self.n_critic

    @property
    def preludes(self):
        """More rounds of n_critic critic steps, in the first 25 generator steps and every 500th."""
        if self.n_critic_at_times is None:
            return None
        more = -(-self.n_critic_at_times // self.n_critic) - 1
        return lambda step: more if step < 25 or step % 500 == 0 else 0

    def default_optimizers(self):
        """RMSprop with rate 5e-5 for both: momentum makes the critic unstable (section 4)."""
        return {player: rmsprop(5e-5, rho=0.99) for player in self.players}

    @classmethod
    def default_networks(cls, shape, num_classes=None, latent_dim=None, seed=None):
        """DCGAN's networks for pictures, dense ones for points."""
        latent_dim = cls.recipe.latents_of(shape, latent_dim)
        generator, critic = dcgan_pair(shape, latent_dim, seed=seed)
        return {"generator": generator, "critic": critic}

    def prelude(self, data):
        """A round of critic steps alone."""
        for reals in self.minibatches(data, self.n_critic):
            self._critic_step(reals)
        return self.logs()

    def train_step(self, data):
        for reals in self.minibatches(data, self.n_critic):
            self._critic_step(reals)

        with self.update("generator") as losses:
            fakes = self.generator(self.sample_latents(reals), training=True)
            losses["generator"] = wasserstein_generator_loss(self.critic(fakes, training=True))
        return self.logs()

    def _critic_step(self, reals):
        fakes = self.generator(self.sample_latents(reals), training=True)
        with self.update("critic") as losses:
            losses["critic"] = wasserstein_critic_loss(
                self.critic(reals, training=True), self.critic(fakes, training=True)
            )
        clip_weights(self.critic, self.clip)

    def get_config(self):
        names = ("n_critic", "clip", "n_critic_at_times")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
