"""Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks, Zhu et al., 2017
(arXiv:1703.10593).

Two generators translate between two sets of pictures of which no pairs are known, G from A to B and
F from B to A. Each has to fool the discriminator of the set that it translates to, in the form of
least squares (section 4); together they have to bring every picture back to what it was:

    D_B minimizes 1/2 E[(D_B(b) - 1)^2] + 1/2 E[D_B(h)^2],  D_A likewise
    G and F minimize E[(D_B(G(a)) - 1)^2] + E[(D_A(F(b)) - 1)^2] + lambda L_cyc + mu lambda L_id

    L_cyc = E|F(G(a)) - a| + E|G(F(b)) - b|         (equation 2)
    L_id  = E|G(b) - b| + E|F(a) - a|               (section 5.2)

where |.| is the mean over a picture's values, and h comes from a history of 50 fakes, so that the
discriminators see older ones too (section 4). Theirs is half the objective, so that they learn
slower. L_id keeps colours as they are; lambda is `cycle_weight` and mu `identity_weight`.

As in the authors' code one Adam trains both generators, and then one both discriminators, on the
fakes that the generators made before their update.

Deviations from the paper:
- L_id is on by default, as in the authors' code; the paper has it for paintings to photos only.
- The rate falls at every step of the second half, not once an epoch.
- The fakes of one minibatch take different places in the history.
- The authors' code enlarges pictures (286 for 256 pixels), cuts a random square out of them and
  mirrors half of them by itself. Here the data say so: `load(..., image_size=286, crop=256,
  flip=True)`.
- `total_steps` is for the authors' horses and zebras, 200 epochs of 1,334; other data want theirs.
"""

import functools

import keras

from keras_gans.checks import (
    check_count,
    check_fits,
    check_not_negative,
    check_positive,
)
from keras_gans.devices.randomness import derive_seed
from keras_gans.families.translation import TwoWayTranslator
from keras_gans.layers import ImageBuffer
from keras_gans.losses import l1, least_squares_discriminator_loss, least_squares_generator_loss
from keras_gans.networks import build_patchgan_discriminator, build_resnet_generator
from keras_gans.optimizers import adam
from keras_gans.papers import Paper, Recipe
from keras_gans.schedules import ConstantThenLinear
from keras_gans.training.passes import in_one_pass


@keras.saving.register_keras_serializable("keras_gans")
class CycleGAN(TwoWayTranslator):
    """Two generators that translate between two sets of pictures, learned without pairs.

    Args:
        generator_a_to_b, generator_b_to_a: built `keras.Model`s, pictures (batch, H, W, C) to
            pictures, in [-1, 1]; the paper's are of `build_resnet_generator`.
        discriminator_a, discriminator_b: built `keras.Model`s, pictures (batch, H, W, C) to logits
            of any shape; the paper's are of `build_patchgan_discriminator`.
        cycle_weight: weight of the cycle loss, the paper's lambda.
        identity_weight: weight of the identity loss, as a part of `cycle_weight`; 0 leaves it out.
            Otherwise pictures of A and of B must have one shape.
        buffer_size: fakes of each set that are kept for the discriminators; at least the batch.
        total_steps: steps of the whole training, in the second half of which the rate falls to 0.
            The paper's are 200 epochs, here those of the 1334 pictures of zebras, one by one.
        ema_decay: decay in (0, 1) of averaged generators, or `None`.
        seed: integer that fixes every random draw, or `None`.

    Input shape:
        Pairs of minibatches of A and of B, each (batch, H, W, C), float32 in [-1, 1].

    Example:

    >>> shape = (64, 64, 3)
    >>> gan = CycleGAN(
    ...     build_resnet_generator(shape),
    ...     build_resnet_generator(shape),
    ...     build_patchgan_discriminator(shape),
    ...     build_patchgan_discriminator(shape),
    ...     total_steps=20_000,
    ... )
    >>> settings = {"batch_size": 1, "image_size": 72, "crop": 64, "flip": True}
    >>> pairs = unpaired(load("horses/", **settings), load("zebras/", **settings))
    >>> history = gan.fit(pairs, epochs=20, steps_per_epoch=1000)
    >>> zebras = gan.translate(horses, to="b")

    Reference:
        https://arxiv.org/abs/1703.10593
    """

    paper = Paper(
        title="Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks",
        authors="Zhu et al.",
        year=2017,
        arxiv="1703.10593",
    )
    recipe = Recipe(
        dataset="cycle_gan/horse2zebra",
        splits=("trainA", "trainB"),
        batch_size=1,
        steps=266_800,
        latent_dim=None,
        status="trained",
    )
    players = {
        "generator": ("generator_a_to_b", "generator_b_to_a"),
        "discriminator": ("discriminator_a", "discriminator_b"),
    }
    judges = ("discriminator",)
    contests = {"discriminator_loss": "generator_loss"}
    averaged = ("generator_a_to_b", "generator_b_to_a")
    reported = ("cycle_loss", "identity_loss")
    loss_terms = reported

    def __init__(
        self,
        generator_a_to_b,
        generator_b_to_a,
        discriminator_a,
        discriminator_b,
        cycle_weight=10.0,
        identity_weight=0.5,
        buffer_size=50,
        total_steps=266_800,
        ema_decay=None,
        seed=None,
        name=None,
    ):
        super().__init__(
            generator_a_to_b=generator_a_to_b,
            generator_b_to_a=generator_b_to_a,
            discriminator_a=discriminator_a,
            discriminator_b=discriminator_b,
            ema_decay=ema_decay,
            seed=seed,
            name=name,
        )
        check_fits("generator_b_to_a", generator_b_to_a, generator_a_to_b, "generator_a_to_b")
        check_fits("generator_a_to_b", generator_a_to_b, generator_b_to_a, "generator_b_to_a")
        check_fits("discriminator_b", discriminator_b, generator_a_to_b, "generator_a_to_b")
        check_fits("discriminator_a", discriminator_a, generator_b_to_a, "generator_b_to_a")
        self.cycle_weight = check_positive("cycle_weight", cycle_weight)
        self.identity_weight = self._check_identity_weight(identity_weight)
        self.buffer_size = check_count("buffer_size", buffer_size)
        self.total_steps = check_count("total_steps", total_steps)
        self.buffer_a = ImageBuffer(buffer_size, derive_seed(self.seed, "buffer_a"))
        self.buffer_b = ImageBuffer(buffer_size, derive_seed(self.seed, "buffer_b"))
        self.buffer_a.build(generator_b_to_a.output_shape)
        self.buffer_b.build(generator_a_to_b.output_shape)

    def default_optimizers(self):
        """Adam with beta_1 0.5 and rate 2e-4, which falls to 0 in the second half (section 4)."""
        rate = ConstantThenLinear(2e-4, self.total_steps)
        return {player: adam(rate, beta_1=0.5) for player in self.players}

    @classmethod
    def default_networks(cls, shape, num_classes=None, latent_dim=None, seed=None, width=64):
        """The authors', of pictures; discriminators of small pictures have fewer layers."""
        num_layers = max((n for n in (2, 3) if 3 * 2**n <= min(shape[:2])), default=1)
        generators = {
            f"generator_{way}": build_resnet_generator(
                shape,
                width=width,
                affine=False,
                symmetric=True,
                seed=derive_seed(seed, "generator", way[-1]),
            )
            for way in ("a_to_b", "b_to_a")
        }
        discriminators = {
            f"discriminator_{of}": build_patchgan_discriminator(
                shape,
                width=width,
                num_layers=num_layers,
                affine=False,
                seed=derive_seed(seed, "discriminator", of),
            )
            for of in ("a", "b")
        }
        return {**generators, **discriminators}

    @classmethod
    def settings_for(cls, steps):
        """The rate falls over the second half of the steps."""
        return {"total_steps": steps}

    def train_step(self, data):
        ((reals_a, reals_b),) = self.minibatches(data, 1)
        a_to_b = functools.partial(self.generator_a_to_b, training=True)
        b_to_a = functools.partial(self.generator_b_to_a, training=True)
        judge_a = functools.partial(self.discriminator_a, training=True)
        judge_b = functools.partial(self.discriminator_b, training=True)
        identities = ((reals_a,), (reals_b,)) if self.identity_weight else ((), ())
        with self.update("generator") as losses:
            fakes_a, *same_a = in_one_pass(self.generator_b_to_a, reals_b, *identities[0])
            fakes_b, *same_b = in_one_pass(self.generator_a_to_b, reals_a, *identities[1])
            adversarial_loss = 2 * least_squares_generator_loss(judge_b(fakes_b))
            adversarial_loss += 2 * least_squares_generator_loss(judge_a(fakes_a))
            cycle_loss = l1(b_to_a(fakes_b), reals_a) + l1(a_to_b(fakes_a), reals_b)
            losses["generator"] = adversarial_loss + self.cycle_weight * cycle_loss
            if self.identity_weight:
                identity_loss = l1(*same_a, reals_a) + l1(*same_b, reals_b)
                losses["generator"] += self.identity_weight * self.cycle_weight * identity_loss
                self.report(identity_loss=identity_loss)
        self.report(cycle_loss=cycle_loss)

        fakes_a, fakes_b = self.buffer_a(fakes_a), self.buffer_b(fakes_b)
        with self.update("discriminator") as losses:
            losses["discriminator"] = least_squares_discriminator_loss(
                *in_one_pass(self.discriminator_a, reals_a, fakes_a)
            ) + least_squares_discriminator_loss(
                *in_one_pass(self.discriminator_b, reals_b, fakes_b)
            )
        return self.logs()

    def _check_identity_weight(self, weight):
        check_not_negative("identity_weight", weight)
        shape_a, shape_b = (part.shape for part in self.data_spec())
        if weight and shape_a != shape_b:
            raise ValueError(
                "`identity_weight` must be 0 where A and B differ in shape. "
                f"Received: {weight!r}, for pictures {shape_a} and {shape_b}"
            )
        return weight

    def get_config(self):
        names = ("cycle_weight", "identity_weight", "buffer_size", "total_steps")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
