"""Improved Training of Wasserstein GANs, Gulrajani et al., 2017 (arXiv:1704.00028).

The critic's Lipschitz constraint as a penalty on its gradient (equation 3):

    L = E[f(G(z))] - E[f(x)] + lambda E[(||grad f(x^)||_2 - 1)^2],
    x^ = epsilon x + (1 - epsilon) G(z), epsilon ~ U(0, 1) for each example

Algorithm 1: n_critic descents of the critic on L, each with fresh reals, latents and epsilon, then
one descent of the generator on -E[f(G(z))]. The penalty is each example's own, which batch
normalization in the critic would undo; layer normalization takes its place (section 4).

`from_paper(shape, residual=True)` is the authors' code for CIFAR-10 (section 5): the networks of
`keras_gans.networks.build_residual_*`, Adam with a rate of 2e-4 that falls linearly to 0 in 100,000
steps, twice the critic's minibatch for the generator, and reals with noise below one of their 256
levels, 2 (level + u) / 256 - 1 with u ~ U(0, 1), so that the critic can't tell them by their
levels. With classes the critic tells these apart as well, C(x), and with cross-entropies H

    critic: L + H(y, C(x)),   generator: -E[f(G(z, y))] + 0.1 E[H(y, C(G(z, y)))],

where fakes have the labels y of the reals in the critic's steps, in the generator's random ones.

Deviations from the paper:
- The norm has 1e-12 inside its root, so that it can be differentiated at 0.
- By itself `from_paper` has DCGAN's networks, and Algorithm 1's optimizers with them.
- In the residual form the generator's samples are normalized by moving statistics, in the authors'
  code by those of the minibatch; and the rate falls in each update, there in each step.
"""

import warnings

import keras
from keras import ops

from keras_gans.checks import (
    check_count,
    check_fits,
    check_flag,
    check_not_negative,
    check_positive,
    check_scheduled,
    resolve_paper,
)
from keras_gans.families.class_head import ClassHead
from keras_gans.losses import wasserstein_critic_loss, wasserstein_generator_loss
from keras_gans.networks.defaults import dcgan_pair
from keras_gans.networks.residual import residual_pair
from keras_gans.optimizers import adam
from keras_gans.papers import Paper, Recipe
from keras_gans.penalties import gradient_penalty
from keras_gans.schedules import Linear
from keras_gans.training.base import AdversarialModel

RESIDUAL = {"total_steps": 100_000, "generator_minibatches": 2, "dequantize": True}


def dequantized(pictures, noise):
    """2 (level + u) / 256 - 1 of pictures in [-1, 1] with 256 levels, and u in [0, 1)."""
    return (127.5 * (pictures + 1.0) + noise) / 128.0 - 1.0


@keras.saving.register_keras_serializable("keras_gans")
class WGANGP(ClassHead, AdversarialModel):
    """A Wasserstein GAN whose critic is held to gradients of norm 1.

    Args:
        generator: built `keras.Model`, latents (batch, latent_dim) to samples (batch, ...).
        critic: built `keras.Model`, samples (batch, ...) to unbounded scores; without batch
            normalization, of which a warning is given.
        n_critic: critic steps for each generator step.
        gp_weight: weight of the gradient penalty, the paper's lambda; a number or a schedule.
        total_steps: generator steps in which Adam's rate falls linearly from 2e-4 to 0; `None` for
            Algorithm 1's optimizers, whose rate stays.
        generator_minibatches: how many times the critic's minibatch the generator's step has.
        dequantize: whether reals, pictures of 256 levels, get noise below one level.
        num_classes: number of classes of the class-conditional form, whose generator takes
            [latents, int labels (batch,)] and whose critic returns [scores, logits of the classes
            (batch, num_classes)]; `None` for none.
        class_weight, generator_class_weight: weights of the classes' cross-entropy in the critic's
            and in the generator's loss.
        ema_decay: decay in (0, 1) of an averaged generator, or `None`.
        latent_prior: "normal" for N(0, 1) or "uniform" for U(-1, 1); `None` for the paper's.
        seed: integer that fixes every random draw, or `None`.

    Input shape:
        Reals (batch, ...) of the generator's output shape, float32; pictures in [-1, 1]. `fit`
        gathers n_critic minibatches of the dataset for each step. With `num_classes`, pairs of them
        and int labels (batch,).

    Example:

    >>> shape = (28, 28, 1)
    >>> critic = build_dcgan_discriminator(shape, normalization="layer")
    >>> gan = WGANGP(build_dcgan_generator(shape), critic, seed=0)
    >>> history = gan.fit(load("fashion_mnist_10k", batch_size=64), epochs=10)

    The authors' class-conditional form for CIFAR-10:

    >>> gan = WGANGP.from_paper((32, 32, 3), residual=True, num_classes=10, seed=0)
    >>> history = gan.fit(load("cifar10", batch_size=64, labels=True), steps_per_epoch=100_000)

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
        *,
        total_steps=None,
        generator_minibatches=1,
        dequantize=False,
        num_classes=None,
        class_weight=1.0,
        generator_class_weight=0.1,
    ):
        networks = {"generator": generator, "critic": critic}
        super().__init__(
            **networks, ema_decay=ema_decay, latent_prior=latent_prior, seed=seed, name=name
        )
        check_fits("critic", critic, generator)
        self.n_critic = check_count("n_critic", n_critic)
        self.gp_weight = check_scheduled("gp_weight", gp_weight, check_positive)
        if total_steps is not None:
            check_count("total_steps", total_steps)
        self.total_steps = total_steps
        self.generator_minibatches = check_count("generator_minibatches", generator_minibatches)
        self.dequantize = check_flag("dequantize", dequantize)
        if dequantize and not self.sample_kind().pictured:
            raise ValueError(
                "`dequantize` must be False where reals are no pictures. Received: True"
            )
        self.set_classes(num_classes)
        self.class_weight = check_not_negative("class_weight", class_weight)
        self.generator_class_weight = check_not_negative(
            "generator_class_weight", generator_class_weight
        )
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
        """Adam, beta_1 0 and beta_2 0.9, rate 1e-4 (Algorithm 1), or with `total_steps` falling."""
        rates = dict.fromkeys(self.players, 1e-4)
        if self.total_steps is not None:
            updates = {"critic": self.n_critic * self.total_steps, "generator": self.total_steps}
            rates = {player: Linear(2e-4, 0.0, total) for player, total in updates.items()}
        return {player: adam(rate, beta_1=0.0, beta_2=0.9) for player, rate in rates.items()}

    @classmethod
    def default_networks(cls, shape, num_classes=None, latent_dim=None, seed=None, residual=False):
        """DCGAN's networks for pictures, the critic with layer normalization; else dense ones.

        With `residual` those of CIFAR-10, of pictures alone, which may have `num_classes`.
        """
        latent_dim = cls.recipe.latents_of(shape, latent_dim)
        if residual:
            generator, critic = residual_pair(shape, latent_dim, num_classes, seed)
        else:
            generator, critic = dcgan_pair(shape, latent_dim, "layer", seed=seed)
        return {"generator": generator, "critic": critic}

    @classmethod
    def from_paper(
        cls,
        shape=None,
        *,
        num_classes=None,
        latent_dim=None,
        seed=None,
        residual=False,
        **settings,
    ):
        """As of all models; with `residual` the authors' networks and settings of CIFAR-10.

        Args:
            shape, latent_dim, seed, **settings: see `AdversarialModel.from_paper`.
            num_classes: number of classes of the class-conditional form, which is a residual one.
            residual: whether it is that of CIFAR-10; False for DCGAN's networks and Algorithm 1.

        Example:

        >>> gan = WGANGP.from_paper((32, 32, 3), residual=True, seed=0)
        """
        if not check_flag("residual", residual):
            if num_classes is not None:
                raise ValueError(
                    "`num_classes` must be None but with `residual=True`, the class-conditional "
                    f"form. Received: {num_classes!r}"
                )
            given = {"num_classes": num_classes, "latent_dim": latent_dim, "seed": seed}
            return super().from_paper(shape, **given, **settings)
        shape, _ = resolve_paper(cls, shape, None, latent_dim)
        networks = cls.default_networks(shape, num_classes, latent_dim, seed, residual=True)
        return cls(**networks, num_classes=num_classes, seed=seed, **{**RESIDUAL, **settings})

    def train_step(self, data):
        for batch in self.minibatches(data, self.n_critic):
            reals, labels = self.split_labels(batch)
            if self.dequantize:
                reals = dequantized(reals, self.random_uniform(reals, reals.shape[1:]))
            fakes = self.make(self.sample_latents(reals), labels)
            epsilon = self.random_uniform(reals)
            with self.update("critic") as losses:
                penalty = gradient_penalty(lambda x: self.judge(x)[0], reals, fakes, epsilon)
                (real_logits, class_logits), (fake_logits, _) = map(self.judge, (reals, fakes))
                class_loss = self.class_loss(class_logits, labels)
                losses["critic"] = (
                    wasserstein_critic_loss(real_logits, fake_logits)
                    + self.at_step(self.gp_weight) * penalty
                    + self.class_weight * class_loss
                )
            self.report(gradient_penalty=penalty)
            if labels is not None:
                self.report(class_loss=class_loss)

        with self.update("generator") as losses:
            times = range(self.generator_minibatches)
            latents = ops.concatenate([self.sample_latents(reals) for _ in times])
            if labels is not None:
                labels = ops.concatenate([self.sample_labels(reals) for _ in times])
            fake_logits, class_logits = self.judge(self.make(latents, labels))
            class_loss = self.class_loss(class_logits, labels)
            losses["generator"] = (
                wasserstein_generator_loss(fake_logits) + self.generator_class_weight * class_loss
            )
        return self.logs()

    def get_config(self):
        names = ("n_critic", "gp_weight", "total_steps", "generator_minibatches", "dequantize")
        names += ("num_classes", "class_weight", "generator_class_weight")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
