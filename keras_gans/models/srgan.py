"""Photo-Realistic Single Image Super-Resolution Using a Generative Adversarial Network, Ledig et
al., 2017 (arXiv:1609.04802): SRGAN.

The generator makes large pictures out of small ones. It is not judged by the distance of each
pixel, but by what a trained network sees in the pictures, and by a discriminator of large pictures:

    D minimizes E[-log D(high)] + E[-log(1 - D(G(low)))]                           (equation 2)
    G minimizes l_content + 10^-3 E[-log D(G(low))]                    (equations 3 and 6)

    l_content = E[(c phi(G(low)) - c phi(high))^2]                                 (equation 5)

where phi is `features`, in the paper a layer of VGG19, the mean is over all of its values, and c is
`feature_scale`, by which the paper brings l_content to the range of a squared error of pixels
(section 3.2). The generator is one that has learned by the squared error before, `SRResNet`'s,
lest the game ends at undesired optima (section 3.2).

Deviations from the paper:
- The paper's low pictures are in [0, 1] and the high ones in [-1, 1], as all are here.
- Without `features` l_content is the squared error of pixels (equation 4), which is the paper's
  SRGAN-MSE. Its total variation for the shallow features of VGG22, weighted by 2e-8, is left out.
- The generator makes its pictures once for both updates. They are those of before the
  discriminator's update, as the paper's alternation has them too.
- The rate falls by a tenth after half of `total_steps`, which in the paper are 2 x 10^5.
"""

import keras
from keras import ops, tree

from keras_gans.checks import check_count, check_not_negative, check_positive
from keras_gans.devices.randomness import derive_seed
from keras_gans.families.super_resolution import SuperResolver, default_generator, scale_of
from keras_gans.losses import (
    mean_squared_error,
    minimax_discriminator_loss,
    non_saturating_generator_loss,
    psnr,
)
from keras_gans.networks import Features, build_srgan_discriminator
from keras_gans.optimizers import adam
from keras_gans.papers import Paper, Recipe


@keras.saving.register_keras_serializable("keras_gans")
class SRGAN(SuperResolver):
    """A generator that enlarges pictures, judged by a network's features and a discriminator.

    Args:
        generator: built `keras.Model`, pictures (batch, H, W, C) to pictures (batch, s H, s W, D),
            in [-1, 1]; that of a trained `SRResNet`.
        discriminator: built `keras.Model`, large pictures (batch, H, W, D) of one size to logits
            (batch, 1); the paper's is of `build_srgan_discriminator`.
        features: `networks.Features` of large pictures, or `None` for the pixels themselves.
        feature_scale: factor of the features, more than 0; that of VGG19's in the paper is 1/12.75.
        adversarial_weight: weight of the discriminator's judgement, at least 0; the paper's 10^-3.
        total_steps: generator updates in all, after half of which the rates fall by a tenth.
        ema_decay: decay in (0, 1) of an averaged generator, or `None`.
        seed: integer that fixes every random draw, or `None`.

    Raises:
        ValueError: the networks do not fit each other, or an argument is out of its range.

    Input shape:
        Pairs of minibatches (batch, H, W, C) and (batch, s H, s W, D), float32 in [-1, 1]: small
        pictures and the large ones that they were (`datasets.downscaled`). Those that it learns
        from have the size of the discriminator; it then enlarges pictures of any.

    Example:

    >>> photographs = downscaled(load("photos/", crop=96, flip=True, batch_size=16), scale=4)
    >>> first = SRResNet.from_paper((96, 96, 3), seed=0)
    >>> history = first.fit(photographs, epochs=100, steps_per_epoch=1000)
    >>> vgg = Features("vgg19_notop.h5", "block5_conv4", "caffe", application="VGG19")
    >>> gan = SRGAN.from_paper((96, 96, 3), generator=first.generator, features=vgg, seed=0)
    >>> history = gan.fit(photographs, epochs=20, steps_per_epoch=1000)

    Reference:
        https://arxiv.org/abs/1609.04802
    """

    paper = Paper(
        title="Photo-Realistic Single Image Super-Resolution Using a Generative Adversarial "
        "Network",
        authors="Ledig et al.",
        year=2017,
        arxiv="1609.04802",
    )
    recipe = Recipe(
        dataset="noto_emoji",
        batch_size=16,
        steps=1_000,
        latent_dim=None,
        scale=4,
        crop=96,
        status="short runs",
    )
    players = {"discriminator": ("discriminator",), "generator": ("generator",)}
    judges = ("discriminator",)
    contests = {"discriminator_loss": "adversarial_loss"}
    reported = ("adversarial_loss", "content_loss", "psnr")
    loss_terms = ("adversarial_loss", "content_loss")

    def __init__(
        self,
        generator,
        discriminator,
        features=None,
        feature_scale=1 / 12.75,
        adversarial_weight=1e-3,
        total_steps=200_000,
        ema_decay=None,
        seed=None,
        name=None,
    ):
        super().__init__(
            generator=generator,
            discriminator=discriminator,
            ema_decay=ema_decay,
            seed=seed,
            name=name,
        )
        self.scale = scale = scale_of(generator)
        made = generator.output_shape
        found = tuple(discriminator.input_shape[1:])
        sides = found[:2] if len(found) == 3 else (None, None)
        if None in sides or found[2] != made[3] or any(n % scale for n in sides):
            raise ValueError(
                f"`discriminator` must take pictures (H, W, {made[3]}) of one size with sides that "
                f"are multiples of {scale}. Received: one of {found}"
            )
        if any(n not in (None, m) for n, m in zip(made[1:3], sides, strict=True)):
            raise ValueError(
                f"`discriminator` must take what `generator` makes, {tuple(made[1:])}. "
                f"Received: one of {found}"
            )
        if features is not None and not isinstance(features, Features):
            raise ValueError(
                f"`features` must be a `networks.Features`, or None. Received: {features!r}"
            )
        if features is not None:
            features.check_takes(found)
        self.features = features
        self.feature_scale = check_positive("feature_scale", feature_scale)
        self.adversarial_weight = check_not_negative("adversarial_weight", adversarial_weight)
        self.total_steps = check_count("total_steps", total_steps)

    def default_optimizers(self):
        """Adam with rate 1e-4, 1e-5 in the second half, and beta_1 0.9 for both (section 3.2)."""
        boundary = (self.total_steps + 1) // 2
        return {
            player: adam(
                keras.optimizers.schedules.PiecewiseConstantDecay([boundary], [1e-4, 1e-5]),
                beta_1=0.9,
            )
            for player in self.players
        }

    @classmethod
    def settings_for(cls, steps):
        """`total_steps`, as the rates fall after half of them."""
        return {"total_steps": steps}

    @classmethod
    def default_networks(
        cls,
        shape,
        num_classes=None,
        latent_dim=None,
        seed=None,
        scale=4,
        width=64,
        num_blocks=16,
        bicubic=False,
        generator=None,
    ):
        """The paper's: a generator for any size, and a discriminator of what it learns from.

        Args:
            shape, num_classes, latent_dim, seed: see `from_paper`; the shape is of the high
                pictures that it learns from.
            scale, width, num_blocks, bicubic: see `build_srresnet_generator`.
            generator: one that has learned before, in place of a new one.
        """
        if generator is None:
            settings = {"width": width, "num_blocks": num_blocks, "bicubic": bicubic}
            generator = default_generator(shape, scale, seed, **settings)
        seed = derive_seed(seed, "discriminator")
        return {
            "generator": generator,
            "discriminator": build_srgan_discriminator(shape, width, seed=seed),
        }

    def high_shape(self):
        return tuple(self.discriminator.input_shape[1:])

    def train_step(self, data):
        low, high = self.pairs(data)
        with self.update("generator") as losses:
            made = self.generator(low, training=True)
            with self.update("discriminator") as of_discriminator:
                of_discriminator["discriminator"] = minimax_discriminator_loss(
                    self.discriminator(high, training=True),
                    self.discriminator(ops.stop_gradient(made), training=True),
                )
            adversarial_loss = non_saturating_generator_loss(
                self.discriminator(made, training=True)
            )
            content_loss = self.content_loss(made, high)
            losses["generator"] = content_loss + self.adversarial_weight * adversarial_loss
        self.report(adversarial_loss=adversarial_loss, content_loss=content_loss)
        self.report(psnr=psnr(made, high))
        return self.logs()

    def content_loss(self, made, high):
        """The squared error of features, the mean over layers where there are several; of pixels
        without features."""
        if self.features is None:
            return mean_squared_error(made, high)
        seen, wanted = (tree.flatten(self.features(each)) for each in (made, high))
        parts = [
            mean_squared_error(self.feature_scale * x, self.feature_scale * y)
            for x, y in zip(seen, wanted, strict=True)
        ]
        return sum(parts) / len(parts)

    def get_config(self):
        names = ("feature_scale", "adversarial_weight", "total_steps")
        config = {name: getattr(self, name) for name in names}
        features = keras.saving.serialize_keras_object(self.features)
        return {**super().get_config(), **config, "features": features}
