"""Progressive Growing of GANs, Karras et al., 2018 (arXiv:1710.10196).

Training begins with pictures of 4 x 4 and doubles them stage by stage. A stage is a model; `grow()`
gives the next one, which keeps the trained layers. Its new layers are faded in while the first
`fade_pictures` real pictures are shown (section 2), with alpha from 0 to 1:

    picture = (1 - alpha) old way + alpha new way

in the generator, in the discriminator, and for the real pictures, which lose as much detail (see
`keras_gans.families.growing`). The losses are those of WGAN-GP with a drift term (appendix A.1):

    L_D = E[D(G(z))] - E[D(x)] + 10 E[(||grad D(x^)||_2 - 1)^2] + 0.001 E[D(x)^2],
    L_G = -E[D(G(z))]

`ProGANLS` has the least-squares losses (appendix B), with fakes at a tenth of their weight as in
the authors' code. A discriminator that wins is held back by noise of strength
0.2 max(0, d - 0.5)^2 that multiplies its inputs, where d <- 0.9 d + 0.1 c, and c is how surely
fakes are told: 0 where D(G(z)) is the target of reals, 1 where it is that of fakes, so 1 - D(G(z))
here.

Where there are classes, D tells them apart as well, as in the authors' code (AC-GAN): D descends on
the cross-entropy of the labels of reals and of fakes, G on that of its fakes.

`from_paper` has the settings of the paper's results: minibatches of 16, and fewer for large
pictures, each of which is one group of the minibatch standard deviation; and Adam's state begins
anew where layers are new and where they have been faded in. A stage's pictures are means over the
larger ones' pixels, as of the fade: `load(..., resampling="box")`, which `keras-gans train` has.

Deviations from the paper:
- Pictures are not mirrored unless `mirror=True`, as there for CelebA.
- The average's decay is warmed up at the beginning of each stage, which the paper has not.
- The rate does not rise to its value in the first 40,000 pictures, as in the authors' first code.
- In the authors' code of `ProGANLS` reals have the target 0 and fakes 1, and c is D's loss, by its
  place in a list where D(G(z)), clipped to [0, 1], is meant.
"""

import keras
from keras import ops

from keras_gans.checks import check_count, check_not_negative, check_positive, check_scheduled
from keras_gans.devices.replicas import mean_over_replicas
from keras_gans.families.class_head import ClassHead
from keras_gans.families.growing import GrowingModel
from keras_gans.layers.multiplicative_noise import MultiplicativeNoise
from keras_gans.losses import (
    float32,
    least_squares_generator_loss,
    wasserstein_critic_loss,
    wasserstein_generator_loss,
)
from keras_gans.networks import build_progan_discriminator, build_progan_generator
from keras_gans.optimizers import RestartingAdam
from keras_gans.papers import Paper, Recipe
from keras_gans.penalties import gradient_penalty


class SharedByLosses(ClassHead, GrowingModel):
    """What both losses share.

    Args:
        num_classes: number of classes of the class-conditional form, or `None`.
        class_weight: weight of the classes' cross-entropies in both losses.
        **settings: see `GrowingModel`.
    """

    noise = False  # whether the discriminator has it at its inputs

    def __init__(self, generator, discriminator, num_classes, class_weight, **settings):
        super().__init__(generator, discriminator, **settings)
        self.set_classes(num_classes)
        self.class_weight = check_not_negative("class_weight", class_weight)

    def default_optimizers(self):
        """Adam with rate 1e-3, beta_1 0, beta_2 0.99 and epsilon 1e-8 (appendix A.1)."""
        return {player: RestartingAdam(1e-3, beta_1=0.0, beta_2=0.99) for player in self.players}

    @classmethod
    def default_networks(cls, shape, num_classes=None, latent_dim=None, seed=None, width=512):
        """The paper's at one size, without a fade; with `num_classes`, the class-conditional ones.

        A minibatch is one group of the minibatch standard deviation.
        """
        latent_dim = cls.recipe.latents_of(shape, latent_dim)
        width = check_count("width", width)
        widths = {"filters_base": 16 * width, "filters_max": width}
        return {
            "generator": build_progan_generator(
                shape, latent_dim=latent_dim, num_classes=num_classes, **widths, seed=seed
            ),
            "discriminator": build_progan_discriminator(
                shape,
                group_size=None,
                noise=cls.noise,
                class_logits=num_classes,
                **widths,
                seed=seed,
            ),
        }

    def train_step(self, data):
        for batch in self.minibatches(data, self.n_critic):
            reals, labels = self.split_labels(batch)
            reals = self.fade(reals)
            fakes = self.make(self.sample_latents(reals), labels)
            with self.update("discriminator") as losses:
                losses["discriminator"] = self.discriminator_loss(reals, fakes, labels)

        with self.update("generator") as losses:
            latents, labels = self.sample_latents(reals), self.sample_labels(reals)
            fake_logits, class_logits = self.judge(self.make(latents, labels))
            class_loss = self.class_loss(class_logits, labels)
            losses["generator"] = self.generator_loss(fake_logits) + self.class_weight * class_loss
        return self.logs()

    def judge_both(self, reals, fakes, labels):
        """Logits of reals and of fakes, and the weighted cross-entropy of both ones' classes."""
        (real_logits, real_classes), (fake_logits, fake_classes) = map(self.judge, (reals, fakes))
        of_reals, of_fakes = (self.class_loss(c, labels) for c in (real_classes, fake_classes))
        if labels is not None:
            self.report(class_loss=of_reals)
        return real_logits, fake_logits, self.class_weight * (of_reals + of_fakes)

    def get_config(self):
        settings = {"num_classes": self.num_classes, "class_weight": self.class_weight}
        return {**super().get_config(), **settings}


@keras.saving.register_keras_serializable("keras_gans")
class ProGAN(SharedByLosses):
    """One stage of a progressive GAN, with the losses of WGAN-GP.

    Args:
        generator: `build_progan_generator(...)`, latents (batch, latent_dim) to pictures, or
            another built `keras.Model` with `FadeIn` layers and a method `grow()`.
        discriminator: `build_progan_discriminator(...)`, pictures to logits, or another likewise.
        fade_pictures: real pictures over which a stage's new layers are faded in. The paper's
            stages then go on for as many.
        n_critic: discriminator steps for each generator step.
        gp_weight: weight of the gradient penalty, a number or a schedule.
        gp_target: the gradient's norm gamma that costs nothing, by whose square the penalty is
            divided; 1, and in the authors' code 750 for CIFAR-10.
        drift_weight: weight of E[D(x)^2], which keeps the logits near 0, likewise.
        mirror: whether half of the real pictures, at random, are mirrored left to right.
        num_classes: number of classes of the class-conditional form, whose generator takes
            [latents, int labels (batch,)] and whose discriminator returns [logits, logits of the
            classes (batch, num_classes)]; `None` for none.
        class_weight: weight of the classes' cross-entropies in both losses.
        ema_decay: decay in (0, 1) of the averaged generator, or `None`.
        latent_prior: "normal" for N(0, 1) or "uniform" for U(-1, 1); `None` for the paper's.
        seed: integer that fixes every random draw, or `None`.

    Input shape:
        Reals (batch, H, W, C) of this stage's size, float32 in [-1, 1]. With `num_classes`, pairs
        of them and int labels (batch,).

    Example:

    >>> gan = ProGAN(build_progan_generator((4, 4, 3)), build_progan_discriminator((4, 4, 3)))
    >>> for size in (4, 8, 16, 32, 64):
    ...     gan = gan if size == 4 else gan.grow()
    ...     dataset = load("noto_emoji", image_size=size, resampling="box", batch_size=16)
    ...     history = gan.fit(dataset, steps_per_epoch=1_600_000 // 16)

    Reference:
        https://arxiv.org/abs/1710.10196
    """

    paper = Paper(
        title="Progressive Growing of GANs for Improved Quality, Stability, and Variation",
        authors="Karras et al.",
        year=2018,
        arxiv="1710.10196",
    )
    recipe = Recipe(
        dataset="noto_emoji",
        batch_size=16,
        large_batch_sizes={256: 14, 512: 6, 1024: 3},
        conditional=True,
        steps=4_000,
        latent_dim=512,
        status="trained",
    )
    reported = (*GrowingModel.reported, "gradient_penalty")
    penalties = {"gradient_penalty": "discriminator"}

    def __init__(
        self,
        generator,
        discriminator,
        fade_pictures=800_000,
        n_critic=1,
        gp_weight=10.0,
        gp_target=1.0,
        drift_weight=1e-3,
        ema_decay=0.999,
        latent_prior=None,
        seed=None,
        name=None,
        mirror=False,
        num_classes=None,
        class_weight=1.0,
    ):
        super().__init__(
            generator,
            discriminator,
            num_classes,
            class_weight,
            fade_pictures=fade_pictures,
            n_critic=n_critic,
            ema_decay=ema_decay,
            latent_prior=latent_prior,
            seed=seed,
            name=name,
            mirror=mirror,
        )
        self.gp_weight = check_scheduled("gp_weight", gp_weight, check_positive)
        self.gp_target = check_positive("gp_target", gp_target)
        self.drift_weight = check_scheduled("drift_weight", drift_weight, check_not_negative)

    def discriminator_loss(self, reals, fakes, labels=None):
        epsilon = self.random_uniform(reals)
        penalty = gradient_penalty(
            lambda x: self.judge(x)[0], reals, fakes, epsilon, self.gp_target
        )
        penalty = penalty / self.gp_target**2
        self.report(gradient_penalty=penalty)
        real_logits, fake_logits, class_losses = self.judge_both(reals, fakes, labels)
        return (
            wasserstein_critic_loss(real_logits, fake_logits)
            + class_losses
            + self.at_step(self.gp_weight) * penalty
            + self.at_step(self.drift_weight) * ops.mean(ops.square(float32(real_logits)))
        )

    def generator_loss(self, fake_logits):
        return wasserstein_generator_loss(fake_logits)

    def get_config(self):
        names = ("gp_weight", "gp_target", "drift_weight")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


@keras.saving.register_keras_serializable("keras_gans")
class ProGANLS(SharedByLosses):
    """One stage of a progressive GAN, with the losses of LSGAN.

    Args:
        generator, fade_pictures, n_critic, mirror, num_classes, class_weight, ema_decay,
            latent_prior, seed: see `ProGAN`.
        discriminator: `build_progan_discriminator(..., noise=True)`, or another as for `ProGAN`,
            whose `MultiplicativeNoise` layers, if there are any, this model sets.
        fake_weight: weight of fakes in the discriminator's loss, a number or a schedule.

    Input shape:
        As of `ProGAN`.

    Example:

    >>> discriminator = build_progan_discriminator((4, 4, 3), noise=True)
    >>> gan = ProGANLS(build_progan_generator((4, 4, 3)), discriminator)

    Reference:
        https://arxiv.org/abs/1710.10196, appendix B
    """

    paper = Paper(
        title="Progressive Growing of GANs for Improved Quality, Stability, and Variation",
        authors="Karras et al.",
        year=2018,
        arxiv="1710.10196",
    )
    recipe = Recipe(
        dataset="noto_emoji",
        batch_size=16,
        large_batch_sizes={256: 14, 512: 6, 1024: 3},
        conditional=True,
        steps=4_000,
        latent_dim=512,
        status="trained",
        listed=False,  # as another form of ProGAN
    )
    noise = True
    contests = {"discriminator_loss": "generator_loss"}
    reported = (*GrowingModel.reported, "noise_strength")

    def __init__(
        self,
        generator,
        discriminator,
        fade_pictures=800_000,
        n_critic=1,
        fake_weight=0.1,
        ema_decay=0.999,
        latent_prior=None,
        seed=None,
        name=None,
        mirror=False,
        num_classes=None,
        class_weight=1.0,
    ):
        super().__init__(
            generator,
            discriminator,
            num_classes,
            class_weight,
            fade_pictures=fade_pictures,
            n_critic=n_critic,
            ema_decay=ema_decay,
            latent_prior=latent_prior,
            seed=seed,
            name=name,
            mirror=mirror,
        )
        self.fake_weight = check_scheduled("fake_weight", fake_weight, check_positive)
        self.certainty = self.add_weight(
            name="certainty", shape=(), initializer="zeros", trainable=False
        )

    def discriminator_loss(self, reals, fakes, labels=None):
        strength = 0.2 * ops.square(ops.maximum(self.certainty - 0.5, 0.0))
        for layer in self.discriminator.layers:
            if isinstance(layer, MultiplicativeNoise):
                layer.strength.assign(strength)
        self.report(noise_strength=strength)

        real_logits, fake_logits, class_losses = self.judge_both(reals, fakes, labels)
        fake_score = mean_over_replicas(ops.mean(ops.stop_gradient(float32(fake_logits))))
        told = 1.0 - ops.clip(fake_score, 0.0, 1.0)
        self.certainty.assign(0.9 * self.certainty + 0.1 * told)
        fake_loss = least_squares_generator_loss(fake_logits, c=0.0)
        return (
            least_squares_generator_loss(real_logits, c=1.0)
            + class_losses
            + self.at_step(self.fake_weight) * fake_loss
        )

    def generator_loss(self, fake_logits):
        return least_squares_generator_loss(fake_logits)

    def get_config(self):
        return {**super().get_config(), "fake_weight": self.fake_weight}
