"""Autoencoding beyond Pixels Using a Learned Similarity Metric, Larsen et al., 2016.

arXiv:1512.09300. A VAE whose decoder is the generator of a GAN. Pictures are compared where the
discriminator sees them, in its features Dis_l, and no longer pixel by pixel (equations 4, 7, 10):

    L_prior = KL(q(z|x) || N(0, I))
    L_llike = E[||Dis_l(x) - Dis_l(Dec(z))||^2] / 2,    z ~ q(z|x), less a constant
    L_GAN   = log Dis(x) + log(1 - Dis(Dec(z_p))) + log(1 - Dis(Dec(z))),    z_p ~ N(0, I)

Algorithm 1 takes one step of all three networks at once, each on terms of its own:

    encoder:        L_prior + L_llike
    generator:      gamma L_llike - L_GAN
    discriminator:  -L_GAN; not L_llike, which it would bring down by seeing nothing

L_prior and L_llike are sums over latents and over features, as likelihoods are. So the scale and
the number of the features decide how much a gamma means; in the authors' code for CelebA it is 1e-6
for features of 8 x 8 x 256 in front of their normalization, here 0.01 for normalized ones.

Reals, reconstructions and samples go through the discriminator as one batch, with the same batch
statistics: with statistics of their own, features would not show what a whole batch of
reconstructions has wrong in common. The authors' code has one batch for L_llike and one for L_GAN.
In L_GAN reals and fakes count the same, half of the fakes being reconstructions, as there by
default; its script for CelebA leaves the reconstructions out.

With a `margin` m a player that has become too strong sits out, as in the authors' code: D where its
loss on reals or on fakes is below 0.68 - m, the generator where one of them is above 0.68 + m, and
none where both would. `from_paper(shape, authors=True)` has their networks (`networks.vaegan`),
their m of 0.35, the saturating loss, and their gamma for CelebA, 1e-5; since they take the sum of
the losses on samples and reconstructions for the generator, not their mean, it is 5e-6 here.

Deviations from the paper:
- By itself the generator's part of L_GAN is the non-saturating loss, and no player sits out.
- L_GAN has halves for samples and reconstructions, which equation 10 has not.
- By itself `from_paper` has DCGAN's networks, with a Dis_l behind normalization and activation.
- There is no weight decay, in the authors' code 1e-5, the rate stays, and 1e-3 is not added inside
  the logarithms of L_GAN.
"""

import keras
from keras import ops

from keras_gans.checks import check_fits, check_flag, check_number, check_positive, resolve_paper
from keras_gans.devices.replicas import mean_over_replicas
from keras_gans.families.autoencoding import Autoencoding, check_encoder
from keras_gans.families.variational import (
    GAUSSIAN,
    gaussian_error,
    gaussian_kl_divergence,
    gaussian_sample,
)
from keras_gans.losses import (
    float32,
    minimax_discriminator_loss,
    minimax_generator_loss,
    non_saturating_generator_loss,
)
from keras_gans.networks.defaults import decoder_and_encoder, discriminator_with_features
from keras_gans.networks.vaegan import (
    build_vaegan_discriminator,
    build_vaegan_encoder,
    build_vaegan_generator,
)
from keras_gans.optimizers import PausingRMSprop, rmsprop
from keras_gans.papers import Paper, Recipe
from keras_gans.training.base import AdversarialModel

AUTHORS = {"reconstruction_weight": 5e-6, "margin": 0.35, "non_saturating": False}


@keras.saving.register_keras_serializable("keras_gans")
class VAEGAN(Autoencoding, AdversarialModel):
    """A variational auto-encoder with the discriminator's features for its similarity.

    Args:
        generator: built `keras.Model`, latents (batch, latent_dim) to samples (batch, ...).
        discriminator: built `keras.Model`, samples (batch, ...) to [logits, features (batch, ...)]:
            `build_dcgan_discriminator(shape, normalization="layer", return_features=True)`. With
            batch normalization, as in the paper, odd samples of the prior change the features of
            the whole batch; on emoji half of the samples became noise.
        encoder: built `keras.Model`, samples (batch, ...) to [mean, log-variance], (batch,
            latent_dim) each: `build_dcgan_encoder(shape)`.
        reconstruction_weight: weight of the reconstructions in the generator's loss, the paper's
            gamma: more of it is nearer to the picture, less of it nearer to a GAN.
        margin: how far D's losses may be from `equilibrium` before one of the players sits out;
            0.35 in the authors' code, `None` for no such thing. It wants optimizers that can pause,
            `keras_gans.optimizers.PausingRMSprop`, for generator and discriminator.
        equilibrium: D's loss on reals and on fakes that the two players are kept around.
        non_saturating: whether the generator's part of L_GAN is the non-saturating loss.
        ema_decay: decay in (0, 1) of an averaged generator and encoder, or `None`.
        seed: integer that fixes every random draw, or `None`.

    Input shape:
        Samples (batch, ...) of the generator's output shape, float32; pictures in [-1, 1].

    Example:

    >>> shape = (32, 32, 3)
    >>> gan = VAEGAN(
    ...     build_dcgan_generator(shape, 128),
    ...     build_dcgan_discriminator(shape, normalization="layer", return_features=True),
    ...     build_dcgan_encoder(shape, 128),
    ...     seed=0,
    ... )
    >>> history = gan.fit(load("noto_skin_tones", batch_size=64), epochs=100)
    >>> latents = gan.encode(pictures)
    >>> darker = latents[labels == 4].mean(0) - latents[labels == 0].mean(0)
    >>> gan.decode(latents + darker).shape
    (1490, 32, 32, 3)

    The authors' form:

    >>> gan = VAEGAN.from_paper((64, 64, 3), authors=True, seed=0)

    Reference:
        https://arxiv.org/abs/1512.09300
    """

    paper = Paper(
        title="Autoencoding beyond Pixels Using a Learned Similarity Metric",
        authors="Larsen et al.",
        year=2016,
        arxiv="1512.09300",
    )
    recipe = Recipe(
        dataset="noto_skin_tones",
        batch_size=64,
        steps=4_000,
        latent_dim=128,
        status="trained",
    )
    players = {
        "encoder": ("encoder",),
        "generator": ("generator",),
        "discriminator": ("discriminator",),
    }
    judges = ("discriminator",)
    makers = ("generator",)
    contests = {"discriminator_loss": "generator_loss"}
    averaged = ("encoder", "generator")
    reported = ("reconstruction_loss", "kl_divergence")
    loss_terms = reported

    def __init__(
        self,
        generator,
        discriminator,
        encoder,
        reconstruction_weight=0.01,
        margin=None,
        equilibrium=0.68,
        non_saturating=True,
        ema_decay=None,
        seed=None,
        name=None,
    ):
        networks = {"generator": generator, "discriminator": discriminator, "encoder": encoder}
        super().__init__(**networks, ema_decay=ema_decay, seed=seed, name=name)
        check_fits("discriminator", discriminator, generator)
        check_encoder(encoder, generator, GAUSSIAN)
        if len(discriminator.outputs) != 2:
            raise ValueError(
                "`discriminator` must have the outputs [logits, features], as with "
                f"`return_features=True`. Received: {len(discriminator.outputs)} output(s)"
            )
        self.reconstruction_weight = check_positive("reconstruction_weight", reconstruction_weight)
        self.margin = None if margin is None else check_positive("margin", margin)
        self.equilibrium = check_number("equilibrium", equilibrium)
        self.non_saturating = check_flag("non_saturating", non_saturating)

    def default_optimizers(self):
        """RMSprop with rate 3e-4 for all three (section 4), which can pause where there is need."""
        make = rmsprop if self.margin is None else PausingRMSprop
        return {player: make(3e-4, rho=0.9) for player in self.players}

    @classmethod
    def default_networks(cls, shape, num_classes=None, latent_dim=None, seed=None, authors=False):
        """DCGAN's networks for pictures, dense ones for points; the authors' for pictures."""
        latent_dim = cls.recipe.latents_of(shape, latent_dim)
        if authors:
            return {
                "generator": build_vaegan_generator(shape, latent_dim, seed=seed),
                "discriminator": build_vaegan_discriminator(shape, seed=seed),
                "encoder": build_vaegan_encoder(shape, latent_dim, seed=seed),
            }
        generator, encoder = decoder_and_encoder(shape, latent_dim, seed)
        discriminator = discriminator_with_features(shape, "layer", seed)
        return {"generator": generator, "discriminator": discriminator, "encoder": encoder}

    @classmethod
    def from_paper(cls, shape=None, *, seed=None, latent_dim=None, authors=False, **settings):
        """As of all models; with `authors` their networks and settings, of pictures.

        Args:
            shape, seed, latent_dim, **settings: see `AdversarialModel.from_paper`.
            authors: whether networks and settings are those of the authors' code for CelebA.

        Example:

        >>> gan = VAEGAN.from_paper((64, 64, 3), authors=True, seed=0)
        """
        if not check_flag("authors", authors):
            return super().from_paper(shape, seed=seed, latent_dim=latent_dim, **settings)
        shape, _ = resolve_paper(cls, shape, settings.pop("num_classes", None), latent_dim)
        networks = cls.default_networks(shape, None, latent_dim, seed, authors=True)
        return cls(**networks, seed=seed, **{**AUTHORS, **settings})

    def train_step(self, data):
        (reals,) = self.minibatches(data, 1)

        with self.update("encoder", "generator", "discriminator") as losses:
            mean, log_variance = self.encoder(reals, training=True)
            latents = gaussian_sample(mean, log_variance, noise=self.sample_latents(reals))
            latents = ops.concatenate([latents, self.sample_latents(reals)])
            fakes = self.generator(latents, training=True)  # reconstructions, then samples
            logits, features = self.discriminator(ops.concatenate([reals, fakes]), training=True)
            real_logits, *fake_logits = ops.split(logits, 3)
            fake_logits = ops.concatenate(fake_logits)
            real_features, reconstructed_features, _ = ops.split(features, 3)

            kl_divergence = gaussian_kl_divergence(mean, log_variance)
            reconstruction_loss = gaussian_error(real_features, reconstructed_features)
            losses["encoder"] = kl_divergence + reconstruction_loss
            generator_loss = minimax_generator_loss
            if self.non_saturating:
                generator_loss = non_saturating_generator_loss
            losses["generator"] = self.reconstruction_weight * reconstruction_loss + generator_loss(
                fake_logits
            )
            losses["discriminator"] = minimax_discriminator_loss(real_logits, fake_logits)
            if self.margin is not None:
                self.pause_the_stronger(real_logits, fake_logits)
        self.report(reconstruction_loss=reconstruction_loss, kl_divergence=kl_divergence)
        return self.logs()

    def pause_the_stronger(self, real_logits, fake_logits):
        """Says of both players whether their next update moves them."""
        real_logits, fake_logits = float32(real_logits, fake_logits)
        losses = ops.stack(
            [ops.mean(ops.softplus(-real_logits)), ops.mean(ops.softplus(fake_logits))]
        )
        losses = mean_over_replicas(ops.stop_gradient(losses))
        discriminator_won = ops.any(losses < self.equilibrium - self.margin)
        generator_won = ops.any(losses > self.equilibrium + self.margin)
        both = ops.logical_and(discriminator_won, generator_won)
        for player, won in {"discriminator": discriminator_won, "generator": generator_won}.items():
            self._pausing_optimizer(player).move_if(ops.logical_or(both, ops.logical_not(won)))

    def _pausing_optimizer(self, player):
        optimizer = self.optimizer_of(player)
        optimizer = getattr(optimizer, "inner_optimizer", optimizer)
        if not hasattr(optimizer, "move_if"):
            raise ValueError(
                f"`{player}_optimizer` must be one that can pause, such as "
                "`keras_gans.optimizers.PausingRMSprop`, where there is a `margin`. "
                f"Received: {type(optimizer).__name__}"
            )
        return optimizer

    def compile(self, **settings):
        """As of all models; with a `margin` the optimizers of both players must be able to pause.

        Raises:
            ValueError: see `AdversarialModel.compile`, or an optimizer can't pause.
        """
        super().compile(**settings)
        for player in ("discriminator", "generator") if self.margin is not None else ():
            self._pausing_optimizer(player)

    def get_config(self):
        names = ("reconstruction_weight", "margin", "equilibrium", "non_saturating")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
