"""BEGAN: Boundary Equilibrium Generative Adversarial Networks, Berthelot et al., 2017
(arXiv:1703.10717).

The discriminator is an auto-encoder, and pictures are judged by how well it reconstructs them
(section 3.1, with eta = 1):

    L(v) = |v - D(v)|

A control variable k holds E[L(G(z))] at gamma E[L(x)], so that neither player wins (section 3.4):

    L_D = L(x) - k_t L(G(z_D))
    L_G = L(G(z_G))
    k_{t+1} = k_t + lambda_k (gamma L(x) - L(G(z_G))), within [0, 1], and k_0 = 0

M = L(x) + |gamma L(x) - L(G(z_G))| says how far training is (section 3.4.1). The rates are halved
where M stalls (section 4.1): `keras_gans.callbacks.ReduceRatesOnPlateau`.

Both players are updated at once, each on its own loss and latents; latents are from U(-1, 1).

Deviations from the paper: none in the algorithm; `keras_gans.networks.began` lists those of the
networks.
"""

import keras
from keras import ops

from keras_gans.checks import check_fits, check_positive
from keras_gans.devices.replicas import mean_over_replicas
from keras_gans.losses import l1
from keras_gans.networks import build_began_discriminator, build_began_generator
from keras_gans.optimizers import adam
from keras_gans.papers import Paper, Recipe
from keras_gans.training.base import AdversarialModel


def equilibrium_step(k, real_loss, fake_loss, gamma, lambda_k):
    """k_{t+1} = k_t + lambda_k (gamma L(x) - L(G(z))), clipped to [0, 1] (section 3.4).

    Args:
        k: scalar in [0, 1].
        real_loss, fake_loss: scalars, L(x) and L(G(z_G)).
        gamma: the ratio E[L(G(z))] / E[L(x)] that is held.
        lambda_k: gain of the control.

    Example:

    >>> float(equilibrium_step(0.25, 1.0, 0.25, gamma=0.5, lambda_k=0.5))
    0.375
    """
    k = ops.convert_to_tensor(k + lambda_k * (gamma * real_loss - fake_loss))
    return ops.clip(k, 0.0, 1.0)


def convergence_measure(real_loss, fake_loss, gamma):
    """M = L(x) + |gamma L(x) - L(G(z_G))|; it falls as training converges (section 3.4.1)."""
    return real_loss + ops.abs(gamma * real_loss - fake_loss)


@keras.saving.register_keras_serializable("keras_gans")
class BEGAN(AdversarialModel):
    """A GAN whose discriminator is an auto-encoder, kept in balance with the generator.

    The logs have k and the measure of convergence M beside the losses.

    Args:
        generator: built `keras.Model`, latents (batch, latent_dim) to pictures (batch, H, W, C),
            with a linear output; the paper's are of `build_began_generator`.
        discriminator: built `keras.Model`, pictures (batch, H, W, C) to their reconstructions, of
            the same shape; the paper's are of `build_began_discriminator`.
        gamma: E[L(G(z))] / E[L(x)] to hold, in (0, 1]. Less gives cleaner pictures, more gives
            more diverse ones; the paper shows 0.3 to 0.7.
        lambda_k: gain of the control of k, positive.
        ema_decay: decay in (0, 1) of an averaged generator, or `None`.
        latent_prior: "normal" for N(0, 1) or "uniform" for U(-1, 1); `None` for the paper's.
        seed: integer that fixes every random draw, or `None`.

    Input shape:
        Pictures (batch, H, W, C), float32 in [-1, 1]. The paper's batches are of 16.

    Example:

    >>> shape = (32, 32, 3)
    >>> gan = BEGAN(build_began_generator(shape), build_began_discriminator(shape), seed=0)
    >>> dataset = load("noto_emoji", batch_size=16, image_size=32)
    >>> history = gan.fit(dataset, epochs=10, callbacks=[ReduceRatesOnPlateau("convergence")])
    >>> history.history["k"][-1], history.history["convergence"][-1]

    Reference:
        https://arxiv.org/abs/1703.10717
    """

    paper = Paper(
        title="BEGAN: Boundary Equilibrium Generative Adversarial Networks",
        authors="Berthelot et al.",
        year=2017,
        arxiv="1703.10717",
    )
    recipe = Recipe(
        dataset="fashion_mnist_10k",
        batch_size=16,
        steps=10_000,
        latent_dim=64,
        status="trained",
    )
    players = {"discriminator": ("discriminator",), "generator": ("generator",)}
    judges = ("discriminator",)  # in no contest: errors of its reconstructions come near 0
    reported = ("k", "convergence")
    latent_prior = "uniform"

    def __init__(
        self,
        generator,
        discriminator,
        gamma=0.5,
        lambda_k=0.001,
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
        if tuple(discriminator.output_shape) != tuple(discriminator.inputs[0].shape):
            raise ValueError(
                "`discriminator` must be an auto-encoder: pictures to pictures of their shape, "
                f"{tuple(discriminator.inputs[0].shape)}. "
                f"Received: a discriminator that makes {tuple(discriminator.output_shape)}"
            )
        if not check_positive("gamma", gamma) <= 1:
            raise ValueError(f"`gamma` must be in (0, 1]. Received: {gamma!r}")
        self.gamma = gamma
        self.lambda_k = check_positive("lambda_k", lambda_k)
        self.k = self.add_weight(
            name="k",
            initializer="zeros",
            dtype="float32",
            trainable=False,
            autocast=False,
            aggregation="only_first_replica",  # all replicas assign the same number
        )

    def default_optimizers(self):
        """Adam with rate 1e-4 and its own paper's betas for both (sections 3.4 and 4.1)."""
        return {player: adam(1e-4) for player in self.players}

    @classmethod
    def default_networks(cls, shape, num_classes=None, latent_dim=None, seed=None):
        """The paper's, of pictures; the hidden state is as long as the latents."""
        latent_dim = cls.recipe.latents_of(shape, latent_dim)
        return {
            "generator": build_began_generator(shape, latent_dim, seed=seed),
            "discriminator": build_began_discriminator(shape, hidden_dim=latent_dim, seed=seed),
        }

    def reconstruction_loss(self, pictures):
        """L(v) = |v - D(v)|, the mean over a picture's pixels and over the pictures."""
        return l1(pictures, self.discriminator(pictures, training=True))

    def train_step(self, data):
        (reals,) = self.minibatches(data, 1)

        fakes = self.generator(self.sample_latents(reals), training=True)
        with self.update("discriminator", "generator") as losses:
            real_loss = self.reconstruction_loss(reals)
            losses["discriminator"] = real_loss - self.k * self.reconstruction_loss(fakes)

            fakes = self.generator(self.sample_latents(reals), training=True)
            losses["generator"] = fake_loss = self.reconstruction_loss(fakes)

        real_loss, fake_loss = mean_over_replicas(real_loss), mean_over_replicas(fake_loss)
        self.k.assign(equilibrium_step(self.k, real_loss, fake_loss, self.gamma, self.lambda_k))
        self.report(k=self.k, convergence=convergence_measure(real_loss, fake_loss, self.gamma))
        return self.logs()

    def get_config(self):
        return {**super().get_config(), "gamma": self.gamma, "lambda_k": self.lambda_k}
