"""Image-to-Image Translation with Conditional Adversarial Networks, Isola et al., 2017
(arXiv:1611.07004).

Of pictures that come in pairs (x, y), the generator learns to make y out of x. The discriminator
sees both, and so it judges whether a picture belongs to x and not only whether it is real; being
the mean of what it says of many patches, it judges texture, and what is large is left to the
distance of each pixel:

    D minimizes 1/2 (E[-log D(x, y)] + E[-log(1 - D(x, G(x)))])
    G minimizes E[-log D(x, G(x))] + lambda E|y - G(x)|

(equations 1 to 4; section 3.3 has the half, by which D learns slower, and G's objective in this
form), where |.| is the mean over a picture's values and lambda is `l1_weight`. As in the authors'
code D is updated first, and G makes its pictures once for both.

There is no noise but the generator's dropout (section 3.1). What is exported, and `translate`,
leave it out: one picture has one translation, whatever else is in the minibatch.

Deviations from the paper:
- The authors keep dropout when they translate, and normalize by the statistics of the minibatch, of
  one picture as a rule. `from_paper` has instance normalization, which is the same for one picture,
  and stays what it is with more.
- `adversarial_weight` is ours, for the ablation of table 1: 0 is L1 alone.
- A U-Net has as many levels as the sides of a picture can be halved. Of 28 x 28 pixels these are
  two, and there is no dropout, so no noise: 32 x 32 have five.
- The authors enlarge pictures, cut windows out of them and mirror half of them by themselves. Here
  the data say so: `load(..., image_size=286, crop=256, flip=True)`, see `datasets.paired`.
"""

import keras
from keras import ops

from keras_gans.checks import check_not_negative
from keras_gans.devices.randomness import derive_seed
from keras_gans.families.translation import OneWayTranslator, check_as_many, rows_of_grid
from keras_gans.losses import (
    l1,
    minimax_discriminator_loss,
    non_saturating_generator_loss,
)
from keras_gans.networks import build_patchgan_discriminator, build_unet_generator
from keras_gans.optimizers import adam
from keras_gans.papers import Paper, Recipe
from keras_gans.training import kinds

PATCHES = {3: 70, 2: 34}  # pixels that a logit sees, by layers of the discriminator


@keras.saving.register_keras_serializable("keras_gans")
class Pix2Pix(OneWayTranslator):
    """A generator that makes one picture of a pair out of the other.

    Args:
        generator: built `keras.Model`, pictures (batch, H, W, C) to pictures (batch, H, W, D), in
            [-1, 1]; the paper's is of `build_unet_generator`.
        discriminator: built `keras.Model`, pictures (batch, H, W, C + D), the given one's channels
            before the judged one's, to logits of any shape; the paper's is of
            `build_patchgan_discriminator`.
        l1_weight: weight of the distance to the picture that belongs to the given one, the paper's
            lambda; at least 0.
        adversarial_weight: weight of the discriminator's judgement; at least 0, and one of both
            weights is more than 0.
        ema_decay: decay in (0, 1) of an averaged generator, or `None`.
        seed: integer that fixes every random draw, or `None`.

    Raises:
        ValueError: the networks do not fit each other, or a weight is out of its range.

    Input shape:
        Pairs of minibatches (batch, H, W, C) and (batch, H, W, D), float32 in [-1, 1]: what is
        given and what is to be made of it, row by row (`datasets.paired`).

    Example:

    >>> shape = (256, 256, 3)
    >>> gan = Pix2Pix(build_unet_generator(shape), build_patchgan_discriminator((256, 256, 6)))
    >>> settings = {"image_size": 286, "crop": 256, "flip": True, "batch_size": 1}
    >>> pairs = paired(load("facades/labels/", **settings), load("facades/photos/", **settings))
    >>> history = gan.fit(pairs, epochs=200)
    >>> photos = gan.translate(labels)

    Reference:
        https://arxiv.org/abs/1611.07004
    """

    paper = Paper(
        title="Image-to-Image Translation with Conditional Adversarial Networks",
        authors="Isola et al.",
        year=2017,
        arxiv="1611.07004",
    )
    recipe = Recipe(
        dataset="fashion_mnist_10k_edges",
        dataset_b="fashion_mnist_10k",
        paired=True,
        batch_size=1,
        steps=20_000,
        latent_dim=None,
        status="trained",
    )
    players = {"discriminator": ("discriminator",), "generator": ("generator",)}
    judges = ("discriminator",)
    contests = {"discriminator_loss": "adversarial_loss"}
    averaged = ("generator",)
    reported = ("adversarial_loss", "l1_loss")
    loss_terms = reported

    def __init__(
        self,
        generator,
        discriminator,
        l1_weight=100.0,
        adversarial_weight=1.0,
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
        if any(len(part) != 4 for part in (generator.input_shape, generator.output_shape)):
            raise ValueError(
                "`generator` must make pictures (batch, H, W, D) out of pictures (batch, H, W, C). "
                f"Received: one of {generator.input_shape} to {generator.output_shape}"
            )
        given, made = (part.shape for part in self.data_spec())
        wanted, found = (*given[:2], given[2] + made[2]), tuple(discriminator.input_shape[1:])
        if given[:2] != made[:2] or found != wanted:
            raise ValueError(
                f"`discriminator` must take pictures {wanted}, the channels of those that "
                f"`generator` is given, {given}, before those that it makes, {made}. "
                f"Received: one of {found}"
            )
        self.l1_weight = check_not_negative("l1_weight", l1_weight)
        self.adversarial_weight = check_not_negative("adversarial_weight", adversarial_weight)
        if not l1_weight and not adversarial_weight:
            raise ValueError(
                "`l1_weight` and `adversarial_weight` must not both be 0. Received: 0 and 0"
            )

    def default_optimizers(self):
        """Adam with rate 2e-4 and beta_1 0.5 for both (section 3.3)."""
        return {player: adam(2e-4, beta_1=0.5) for player in self.players}

    @classmethod
    def default_networks(
        cls, shape, num_classes=None, latent_dim=None, seed=None, other_shape=None, width=64
    ):
        """The paper's; small pictures are halved less often, and judged by patches of their half.

        Args:
            shape, num_classes, latent_dim, seed: see `from_paper`.
            other_shape: (H, W, D) of the pictures that are made; `shape` when `None`.
            width: filters of the first layers.
        """
        if other_shape is not None and tuple(other_shape[:2]) != tuple(shape[:2]):
            raise ValueError(
                "`other_shape` must have the height and width of `shape`. "
                f"Received: {tuple(other_shape)} and {tuple(shape)}"
            )
        generator = build_unet_generator(
            shape,
            None if other_shape is None else other_shape[-1],
            width=width,
            seed=derive_seed(seed, "generator"),
        )
        height, breadth, channels = generator.output_shape[1:]
        fitting = (n for n, seen in PATCHES.items() if 8 * seen <= 5 * min(height, breadth))
        discriminator = build_patchgan_discriminator(
            (height, breadth, shape[2] + channels),
            width=width,
            num_layers=next(fitting, 1),
            seed=derive_seed(seed, "discriminator"),
        )
        return {"generator": generator, "discriminator": discriminator}

    def data_spec(self):
        network = self.generator
        return (
            kinds.Pictures("inputs", tuple(network.input_shape[1:])),
            kinds.Pictures("targets", tuple(network.output_shape[1:])),
        )

    def train_step(self, data):
        ((inputs, targets),) = self.minibatches(data, 1)
        with self.update("generator") as losses:
            fakes = self.generator(inputs, training=True)
            with self.update("discriminator") as of_discriminator:
                loss = minimax_discriminator_loss(
                    self.judge(inputs, targets), self.judge(inputs, ops.stop_gradient(fakes))
                )
                of_discriminator["discriminator"] = loss / 2
            adversarial_loss = non_saturating_generator_loss(self.judge(inputs, fakes))
            l1_loss = l1(fakes, targets)
            losses["generator"] = (
                self.adversarial_weight * adversarial_loss + self.l1_weight * l1_loss
            )
        self.report(adversarial_loss=adversarial_loss, l1_loss=l1_loss)
        return self.logs()

    def judge(self, inputs, pictures):
        """The discriminator's logits of pictures beside what they were made of."""
        pictures = ops.cast(pictures, inputs.dtype)
        return self.discriminator(ops.concatenate([inputs, pictures], axis=-1), training=True)

    def translation_grid(self, inputs, targets):
        """Three rows for `callbacks.SampleGrid`: what is given, what is made, what belongs to it.

        Args:
            inputs, targets: arrays (num, H, W, C) and (num, H, W, D), uint8, or float32 in [-1, 1].

        Returns:
            uint8 array (3 num, H, W, C or D, whichever is more), row after row.
        """
        check_as_many("targets", targets, "inputs", inputs)
        given = self.pictures_for(self.sampler, inputs, "inputs")
        wanted = self.data_spec()[1].from_border(targets)
        return rows_of_grid(given, self.apply_to(given, self.sampler), wanted)

    def get_config(self):
        names = ("l1_weight", "adversarial_weight")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
