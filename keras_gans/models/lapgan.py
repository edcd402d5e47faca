"""Laplacian Pyramid of Adversarial Networks, Denton et al., 2015 (arXiv:1506.05751).

A picture is the coarsest level I_K of its pyramid and a residual for each doubling of the size
(equations 3 and 4), where d halves a picture, I_k+1 = d(I_k), and u doubles it:

    h_k = I_k - u(I_k+1),    I_k = u(I_k+1) + h_k

Each level is a conditional GAN of its own for h_k, given the low-pass picture l_k = u(I_k+1)
(equation 2); the coarsest one is a plain GAN for I_K:

    min_G max_D E[log D(h, l)] + E[log(1 - D(G(z, l), l))]

In training l_k is that of the real picture, so that no level depends on another one (section 2.3).
Sampling goes up the pyramid from what the level below has made (equation 5):

    I~_k = u(I~_k+1) + G_k(z_k, u(I~_k+1)),    I~_K = G_K(z_K)

All z are from U(-1, 1); a finer level's is a map of one channel, beside the channels of l.

The class-conditional form, of which the paper's main samples are, tells all networks the label too.

D descends on the mean cross-entropy over reals and fakes, half of the sum above, as in the authors'
code (facebook/eyescream): for SGD that is half the rate.

Deviations from the paper:
- The generators' loss is the non-saturating one, as in the authors' code.
- All levels are trained in the same steps, by the sum of their losses. The sum's gradient for a
  weight is that of its own level, so this is the same as training them one by one, for optimizers
  that treat each weight by itself. One that clips by a global norm would couple the levels.
- The rate stays at 0.02, where the authors' falls by 1 % in 250 epochs. Momentum rises in each
  update, not in each epoch, and from 0.5 with labels too, where the authors' begins at 0.
- Reals and fakes of a minibatch have the same low-pass pictures and labels, and D sees as many of
  each as G is trained with; the authors' sees half as many of each.
- d and u are those of `keras_gans.pyramids`. The authors' code has Torch's `image.scale` both ways:
  d takes the mean of 2 x 2 pixels, and u is linear interpolation that keeps the corner pixels.
- Pictures are in [-1, 1], where the authors' code has them with mean 0 and variance 1.
"""

import functools
import math

import keras
from keras import ops

from keras_gans.checks import check_count, check_networks
from keras_gans.losses import minimax_discriminator_loss, non_saturating_generator_loss
from keras_gans.networks import build_lapgan_discriminators, build_lapgan_generators
from keras_gans.optimizers import MomentumSGD
from keras_gans.papers import Paper, Recipe
from keras_gans.pyramids import gaussian_pyramid, upsample
from keras_gans.schedules import Linear
from keras_gans.training.base import AdversarialModel
from keras_gans.training.kinds import Labels, Pictures


@keras.saving.register_keras_serializable("keras_gans")
class LAPGAN(AdversarialModel):
    """A GAN for each level of a Laplacian pyramid, from coarse to fine.

    `generate`, `call` and the exported model take the latents of all levels as one flat vector, and
    go up the pyramid.

    Args:
        generators: list of built `keras.Model`s, the coarsest first, each of twice the size of the
            one before. The first one: latents (batch, d) to pictures (batch, h, w, C). The others:
            [noise (batch, h, w, 1), low-pass (batch, h, w, C)] to residuals (batch, h, w, C). The
            paper's are of `build_lapgan_generators`.
        discriminators: list of as many built `keras.Model`s. The first one: pictures to logits. The
            others: [residuals, low-pass], both (batch, h, w, C), to logits, of which the paper's
            see the sum only; they are of `build_lapgan_discriminators`.
        num_classes: number of classes of the class-conditional form, whose networks all have int
            labels (batch,) as their last input; `None` for networks without.
        ema_decay: decay in (0, 1) of averaged generators, or `None`.
        latent_prior: "normal" for N(0, 1) or "uniform" for U(-1, 1); `None` for the paper's.
        seed: integer that fixes every random draw, or `None`.

    Input shape:
        Pictures (batch, H, W, C) of the finest generator's output shape, float32 in [-1, 1]; with
        `num_classes`, pairs of them and int labels (batch,).

    Raises:
        ValueError: the networks are no pyramid.

    Example:

    >>> shape = (28, 28, 1)
    >>> gan = LAPGAN(build_lapgan_generators(shape), build_lapgan_discriminators(shape), seed=0)
    >>> history = gan.fit(load("fashion_mnist_10k", batch_size=128), epochs=10)
    >>> gan.generate(64, seed=1).shape
    (64, 28, 28, 1)

    With labels, of which any can be asked for:

    >>> gan = LAPGAN.from_paper(shape, num_classes=10, seed=0)
    >>> history = gan.fit(load("fashion_mnist_10k", labels=True), epochs=10)
    >>> shoes = gan.generate(8, seed=1, labels=7)

    Reference:
        https://arxiv.org/abs/1506.05751
    """

    paper = Paper(
        title="Deep Generative Image Models using a Laplacian Pyramid of Adversarial Networks",
        authors="Denton et al.",
        year=2015,
        arxiv="1506.05751",
    )
    recipe = Recipe(
        dataset="fashion_mnist_10k",
        batch_size=128,
        steps=4_000,
        latent_dim=100,
        status="trained",
        conditional=True,
    )
    players = {"discriminator": ("discriminators",), "generator": ("generators",)}
    judges = ("discriminator",)
    averaged = ("generators",)
    latent_prior = "uniform"

    def __init__(
        self,
        generators,
        discriminators,
        num_classes=None,
        ema_decay=None,
        latent_prior=None,
        seed=None,
        name=None,
    ):
        if num_classes is not None:
            check_count("num_classes", num_classes)
        check_pyramid(generators, discriminators, num_classes)
        networks = {"generators": generators, "discriminators": discriminators}
        super().__init__(
            **networks, ema_decay=ema_decay, latent_prior=latent_prior, seed=seed, name=name
        )
        self.num_classes = num_classes

    @property
    def level_names(self):
        """The sizes of the levels' pictures, such as "7x7"."""
        return ["x".join(map(str, g.output_shape[1:3])) for g in self.generators]

    @property
    def reported(self):
        """Each level's losses, such as `generator_7x7`."""
        return tuple(f"{player}_{name}" for player in self.players for name in self.level_names)

    @property
    def loss_terms(self):
        return self.reported

    @property
    def contests(self):
        """Of the sums over the levels, and of each level: one may be won where others are not."""
        return {f"discriminator_{n}": f"generator_{n}" for n in ("loss", *self.level_names)}

    def default_optimizers(self):
        """SGD with rate 0.02 and a momentum that rises from 0.5 by 0.0008 an epoch, up to 0.7.

        The authors' epochs have 704 updates, for 45,000 pictures with 64 reals in each.
        """
        rising = Linear(0.5, 0.7, total_steps=250 * 704)
        return {player: MomentumSGD(0.02, rising, dampened=True) for player in self.players}

    @classmethod
    def default_networks(cls, shape, num_classes=None, latent_dim=None, seed=None):
        """Networks of pictures on three levels; with `num_classes`, the class-conditional ones.

        The generators' kernels are 3 x 3, not the authors' 7 x 7, with which a step takes seconds
        on CPUs.
        """
        latent_dim = cls.recipe.latents_of(shape, latent_dim)
        given = {"num_classes": num_classes, "seed": seed}
        return {
            "generators": build_lapgan_generators(
                shape, latent_dim=latent_dim, kernel_size=3, **given
            ),
            "discriminators": build_lapgan_discriminators(shape, **given),
        }

    def train_step(self, data):
        (batch,) = self.minibatches(data, 1)
        reals, labels = self.split_labels(batch)
        pictures = gaussian_pyramid(reals, len(self.generators))  # I_K, ..., I_0
        low_passes = [None, *(upsample(coarse) for coarse in pictures[:-1])]
        residuals = [
            fine if low is None else fine - low
            for fine, low in zip(pictures, low_passes, strict=True)
        ]
        conditions = [_told(low, labels) for low in low_passes]

        fakes = self.fake_residuals(conditions, self.sample_latents(reals))
        with self.update("discriminator") as losses:
            real_logits = self.logits(residuals, conditions)
            fake_logits = self.logits(fakes, conditions)
            losses["discriminator"] = self.sum_of_levels(
                "discriminator",
                (
                    0.5 * minimax_discriminator_loss(of_reals, of_fakes)
                    for of_reals, of_fakes in zip(real_logits, fake_logits, strict=True)
                ),
            )
        with self.update("generator") as losses:
            fakes = self.fake_residuals(conditions, self.sample_latents(reals))
            fake_logits = self.logits(fakes, conditions)
            losses["generator"] = self.sum_of_levels(
                "generator", map(non_saturating_generator_loss, fake_logits)
            )
        return self.logs()

    def split_labels(self, batch):
        """Pictures and labels, or latents and labels: a pair, whose second is None without."""
        return (batch, None) if self.num_classes is None else batch

    def fake_residuals(self, conditions, latents):
        """G_k(z_k, l_k) of each level, which is told `conditions[k]`."""
        noises = self.noises(latents)
        return [
            generator(_inputs(noise, told), training=True)
            for generator, noise, told in zip(self.generators, noises, conditions, strict=True)
        ]

    def logits(self, residuals, conditions):
        """D_k(h_k, l_k) of each level."""
        return [
            discriminator(_inputs(residual, told), training=True)
            for discriminator, residual, told in zip(
                self.discriminators, residuals, conditions, strict=True
            )
        ]

    def sum_of_levels(self, player, losses):
        """The sum of the levels' losses, a player's loss; each one is reported too."""
        names = (f"{player}_{name}" for name in self.level_names)
        losses = dict(zip(names, losses, strict=True))
        self.report(**losses)
        return sum(losses.values())

    @property
    def noise_shapes(self):
        """Shapes of each level's noise: [(d,), (h, w, 1), ...]."""
        return [tuple(g.inputs[0].shape[1:]) for g in self.generators]

    @property
    def latent_shape(self):
        """(d + sum of h w,): the noise of all levels, one after the other."""
        return (sum(map(math.prod, self.noise_shapes)),)

    def noises(self, latents):
        """The noise of each level, from flat latents (batch, *latent_shape)."""
        noises, start = [], 0
        for shape in self.noise_shapes:
            stop = start + math.prod(shape)
            noises.append(ops.reshape(latents[:, start:stop], (-1, *shape)))
            start = stop
        return noises

    def pictures_by_level(self, inputs):
        """What each level makes of the one below (equation 5), from the averages if there are some.

        Args:
            inputs: those of `generator_inputs(num, seed)`: latents (batch, *latent_shape), or
                [latents, labels].

        Returns:
            List of float32 pictures (batch, h, w, C), the coarsest first; not bounded.
        """
        generators = self.ema_generators or self.generators
        latents, labels = self.split_labels(inputs)
        noises = self.noises(latents)
        pictures = [generators[0](_inputs(noises[0], _told(None, labels)))]
        for generator, noise in zip(generators[1:], noises[1:], strict=True):
            low_pass = upsample(pictures[-1])
            pictures.append(low_pass + generator(_inputs(noise, _told(low_pass, labels))))
        return pictures

    # Cached in the instance's __dict__, where Keras does not see a second owner of the weights.
    @functools.cached_property
    def sampler(self):
        """The generators as one network: the first port's inputs to the finest pictures."""
        inputs = keras.Input(self.latent_shape, name="latents")
        if self.num_classes is not None:
            inputs = [inputs, keras.Input((), dtype="int32", name="labels")]
        return keras.Model(inputs, self.pictures_by_level(inputs)[-1], name="lapgan_sampler")

    def call(self, inputs, training=False):
        return self.sampler(inputs, training=training)

    def data_spec(self):
        reals = Pictures("reals", tuple(self.generators[-1].output_shape[1:]))
        return (reals,) if self.num_classes is None else (reals, Labels("labels", self.num_classes))

    def get_config(self):
        return {**super().get_config(), "num_classes": self.num_classes}


def _told(low_pass, labels):
    """What a level's networks are told: at the coarsest there is no low-pass picture."""
    return [condition for condition in (low_pass, labels) if condition is not None]


def _inputs(first, conditions):
    return [first, *conditions] if conditions else first


def check_pyramid(generators, discriminators, num_classes=None):
    """Raises ValueError unless these are the networks of a pyramid, the coarsest level first."""
    for name, networks in (("generators", generators), ("discriminators", discriminators)):
        if not isinstance(networks, list | tuple) or not networks:
            raise ValueError(f"`{name}` must be a list of networks. Received: {networks!r}")
        check_networks({name: networks})
    if len(discriminators) != len(generators):
        raise ValueError(
            f"`discriminators` must be as many as `generators`, {len(generators)}. "
            f"Received: {len(discriminators)}"
        )
    below = None
    for level, (generator, discriminator) in enumerate(
        zip(generators, discriminators, strict=True)
    ):
        made = tuple(generator.output_shape[1:])
        if below is not None and made != (2 * below[0], 2 * below[1], below[2]):
            raise ValueError(
                f"`generators[{level}]` must make residuals of twice the size of "
                f"`generators[{level - 1}]`, {below}. Received: {made}"
            )
        _, *given = _shapes_without_labels(f"generators[{level}]", generator, num_classes)
        if given != [made] * (level > 0):
            raise ValueError(
                f"`generators[{level}]` must take noise, and from the second one on low-pass "
                f"pictures of the shape that it makes, {made}. Received: beside the noise {given}"
            )
        judged = _shapes_without_labels(f"discriminators[{level}]", discriminator, num_classes)
        if judged != [made] * (1 + (level > 0)):
            raise ValueError(
                f"`discriminators[{level}]` must take what `generators[{level}]` makes, {made}, "
                "and from the second one on low-pass pictures of that shape. "
                f"Received: inputs of shapes {judged}"
            )
        below = made


def _shapes_without_labels(name, network, num_classes):
    """Shapes of a network's inputs but for the labels, which come last where there are classes."""
    shapes = [tuple(tensor.shape[1:]) for tensor in network.inputs]
    labelled = len(shapes) > 1 and shapes[-1] in ((), (1,))
    if labelled != (num_classes is not None):
        rule = "no labels, as `num_classes` is None"
        if num_classes is not None:
            rule = f"integer labels (batch,) as its last input, as `num_classes` is {num_classes}"
        raise ValueError(f"`{name}` must take {rule}. Received: inputs of shapes {shapes}")
    return shapes[:-1] if labelled else shapes
