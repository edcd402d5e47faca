"""Improved Techniques for Training GANs, Salimans et al., 2016 (arXiv:1606.03498).

The semi-supervised GAN: the discriminator is a classifier of K classes that learns from a few
labelled samples, from many without labels, and from the generator's. Fakes are one class more, of
which the logit is fixed at 0, as a softmax has one logit more than it needs. With the logits l(x),

    log Z(x) = log sum_k exp l_k(x),    D(x) = Z(x) / (Z(x) + 1)    (section 5)

so that a sample is real if it belongs to some class, and log Z(x) is the logit of D. It descends on

    L_supervised   = -E[log p(y | x)],    the softmax of l, on the labelled samples
    L_unsupervised = -1/2 E[log D(x)] - 1/2 E[log(1 - D(G(z)))]

The generator has one of two objectives, which the paper takes for two different ends:

- feature matching (section 3.1), which makes the best classifier and plain pictures: G descends on
  ||E f(x) - E f(G(z))||^2, where f are D's last hidden features, x reals that D's step has not had,
  and E means over a minibatch; the authors' code takes the mean of squares for MNIST, and for
  CIFAR-10 and SVHN the mean of the absolute differences;
- minibatch discrimination (section 3.2), which makes the best pictures: G descends on
  E[log(1 - D(G(z)))], three times in a step, against a D with `layers.MinibatchDiscrimination`.

One-sided label smoothing (section 3.4) is `real_target`, 0.9 for instance; 1 is none, as in the
authors' code. Noise and dropout in D are on in all of this, also in f. Samples are classified by
the averaged D, with an `ema_decay` (0.9999 in the authors' code, after 180,000 steps).

By the first data the scales of D's layers are set for what comes out of them to have a deviation
of 1 (`layers.initialize_from_data`), and those of G's last one.

The authors' Adam has its epsilon of 1e-8 below the root, m / sqrt(v + 1e-8), so that gradients of
less than 1e-4 make smaller steps, and here it is 1e-4 beside the root. With 1e-8 beside it the
generator lost to D within some hundred steps, on 4,000 digits, for good.

Deviations from the paper:
- Adam adds 1e-4 to the root of a moment that is not yet corrected for having begun at 0; the
  authors' has the root of the sum of the corrected one and 1e-8.
- Averages begin with a warm-up; the authors' begin at 0. By default their decay is 0.999, for some
  10,000 steps.
- First weights are set by the reals of the first step, 200 of them, and not by 500.
"""

import keras
from keras import ops

from keras_gans.checks import (
    check_count,
    check_fits,
    check_flag,
    check_not_negative,
    check_number,
    resolve_paper,
)
from keras_gans.devices.replicas import mean_over_replicas
from keras_gans.families.classifying import SemiSupervised, check_classes
from keras_gans.layers import initialize_from_data
from keras_gans.losses import (
    class_cross_entropy,
    float32,
    minimax_discriminator_loss,
    minimax_generator_loss,
)
from keras_gans.networks.ssgan import (
    build_ssgan_discriminator,
    build_ssgan_generator,
    build_ssgan_mlp_discriminator,
    build_ssgan_mlp_generator,
    has_convolutions,
)
from keras_gans.optimizers import adam
from keras_gans.papers import Paper, Recipe
from keras_gans.training.base import AdversarialModel

MATCHINGS = {"squared": ops.square, "absolute": ops.abs}


@keras.saving.register_keras_serializable("keras_gans")
class SSGAN(SemiSupervised, AdversarialModel):
    """A classifier that learns from few labels, with a generator's samples as one class more.

    Args:
        generator: built `keras.Model`, latents (batch, latent_dim) to samples (batch, ...).
        discriminator: built `keras.Model`, samples (batch, ...) to [logits of the K classes
            (batch, K), features (batch, ...)], such as `build_ssgan_mlp_discriminator`.
        feature_matching: "squared" or "absolute", the generator's objective and how features are
            compared; or `None`, for the generator to fool D, which then has minibatch
            discrimination.
        generator_steps: the generator's updates in a step; 3 with minibatch discrimination in the
            authors' code.
        unlabelled_weight: weight of L_unsupervised.
        real_target: what D is told of reals, in [0.5, 1]; below 1 it is one-sided label smoothing.
        ema_decay: decay in (0, 1) of an averaged generator and discriminator, or `None`.
        latent_prior: "normal" for N(0, 1) or "uniform" for U(-1, 1); `None` for the paper's.
        seed: integer that fixes every random draw, or `None`.

    Attributes:
        num_categories: K.

    Input shape:
        Triples (reals, labelled, labels) of minibatches, as `datasets.semi_supervised` makes them:
        samples (batch, ...), float32, pictures in [-1, 1]; as many again; and their int labels
        (batch,) in [0, K). Labels of generated samples are nobody's: `generate` takes none, and
        `classify` says of which class a sample is.

    Example:

    >>> shape = (28, 28, 1)
    >>> gan = SSGAN(
    ...     build_ssgan_mlp_generator(shape),
    ...     build_ssgan_mlp_discriminator(shape, num_classes=10),
    ...     ema_decay=0.999,
    ...     seed=0,
    ... )
    >>> digits = load("mnist_5k", batch_size=100, labels=True)
    >>> history = gan.fit(semi_supervised(digits, labels_per_class=10), epochs=600)
    >>> gan.evaluate(load("mnist_5k", "test", labels=True), return_dict=True)["accuracy"]
    0.95

    For better pictures, and with convolutions:

    >>> gan = SSGAN.from_paper((32, 32, 3), num_classes=10, minibatch_discrimination=True)

    Reference:
        https://arxiv.org/abs/1606.03498
    """

    paper = Paper(
        title="Improved Techniques for Training GANs",
        authors="Salimans et al.",
        year=2016,
        arxiv="1606.03498",
    )
    recipe = Recipe(
        dataset="mnist_5k",
        batch_size=100,
        steps=12_000,
        latent_dim=100,
        labels_per_class=10,
        settings={"ema_decay": 0.999},
        status="trained",
    )
    players = {"discriminator": ("discriminator",), "generator": ("generator",)}
    judges = ("discriminator",)
    averaged = ("generator", "discriminator")
    reported = ("class_loss", "adversarial_loss")
    loss_terms = reported
    latent_prior = "uniform"

    def __init__(
        self,
        generator,
        discriminator,
        feature_matching="squared",
        generator_steps=1,
        unlabelled_weight=1.0,
        real_target=1.0,
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
        self.num_categories = check_classes("discriminator", discriminator, num_outputs=2)
        if feature_matching is not None and feature_matching not in MATCHINGS:
            raise ValueError(
                f"`feature_matching` must be None or one of {list(MATCHINGS)}. "
                f"Received: {feature_matching!r}"
            )
        self.feature_matching = feature_matching
        self.generator_steps = check_count("generator_steps", generator_steps)
        self.unlabelled_weight = check_not_negative("unlabelled_weight", unlabelled_weight)
        self.real_target = check_number("real_target", real_target)
        if not 0.5 <= real_target <= 1:
            raise ValueError(f"`real_target` must be in [0.5, 1]. Received: {real_target!r}")

    @property
    def minibatches_per_step(self):
        """One for D, and with feature matching one for each of the generator's updates."""
        return 1 if self.feature_matching is None else 1 + self.generator_steps

    @property
    def updates_per_step(self):
        return {"generator": self.generator_steps} if self.generator_steps > 1 else {}

    def default_optimizers(self):
        """Adam with beta_1 0.5 and epsilon 1e-4; rate 3e-3, and of convolutions 3e-4."""
        layers = [getattr(each, "layer", each) for each in self.discriminator.layers]
        convolves = any(isinstance(layer, keras.layers.Conv2D) for layer in layers)
        rate = 3e-4 if convolves else 3e-3
        return {player: adam(rate, beta_1=0.5, epsilon=1e-4) for player in self.players}

    @classmethod
    def default_networks(
        cls,
        shape,
        num_classes=None,
        latent_dim=None,
        seed=None,
        minibatch_discrimination=False,
        convolutional=None,
    ):
        """The authors' networks: of MNIST up to its size and for points, else of CIFAR-10.

        With `minibatch_discrimination` they are those for that objective; `convolutional` chooses
        between the two kinds.
        """
        latent_dim = cls.recipe.latents_of(shape, latent_dim)
        kernels = 100 if check_flag("minibatch_discrimination", minibatch_discrimination) else 0
        settings = {"minibatch_kernels": kernels, "seed": seed}
        if not cls._has_convolutions(shape, convolutional):
            return {
                "generator": build_ssgan_mlp_generator(shape, latent_dim, seed=seed),
                "discriminator": build_ssgan_mlp_discriminator(shape, num_classes, **settings),
            }
        settings["dropout"] = not minibatch_discrimination
        return {
            "generator": build_ssgan_generator(shape, latent_dim, seed=seed),
            "discriminator": build_ssgan_discriminator(shape, num_classes, **settings),
        }

    @classmethod
    def from_paper(
        cls,
        shape=None,
        *,
        num_classes=None,
        latent_dim=None,
        seed=None,
        minibatch_discrimination=False,
        convolutional=None,
        **settings,
    ):
        """As of all models, with the authors' settings for an objective and kind of networks.

        Args:
            shape, num_classes, latent_dim, seed, **settings: see `AdversarialModel.from_paper`.
            minibatch_discrimination: whether the generator fools a D with minibatch discrimination,
                three times in a step, in place of feature matching.
            convolutional: whether the networks have convolutions; `None` for pictures of more
                values than MNIST's.

        Example:

        >>> gan = SSGAN.from_paper((28, 28, 1), num_classes=10, seed=0)
        """
        shape, num_classes = resolve_paper(cls, shape, num_classes, latent_dim)
        own = {"minibatch_discrimination": minibatch_discrimination, "convolutional": convolutional}
        networks = cls.default_networks(shape, num_classes, latent_dim, seed, **own)
        of_them = {"feature_matching": None, "generator_steps": 3}
        if not minibatch_discrimination:
            has_convolutions = cls._has_convolutions(shape, convolutional)
            of_them = {"feature_matching": "absolute" if has_convolutions else "squared"}
        return cls(**networks, seed=seed, **{**cls.recipe.settings, **of_them, **settings})

    @staticmethod
    def _has_convolutions(shape, chosen):
        if chosen is not None:
            return check_flag("convolutional", chosen)
        return has_convolutions(shape)

    def begin_on(self, reals, labelled, labels):
        """Sets the scales of the networks' layers by the first reals and as many latents."""
        generator_was_set = initialize_from_data(self.generator, self.sample_latents(reals))
        return initialize_from_data(self.discriminator, reals) or generator_was_set

    def train_step(self, data):
        (reals, labelled, labels), *others = self.minibatches(data, self.minibatches_per_step)

        fakes = ops.stop_gradient(self.generator(self.sample_latents(reals), training=True))
        with self.update("discriminator") as losses:
            label_logits, _ = self.discriminator(labelled, training=True)
            real_logits, _ = self.discriminator(reals, training=True)
            fake_logits, _ = self.discriminator(fakes, training=True)
            class_loss = class_cross_entropy(labels, label_logits)
            adversarial_loss = 0.5 * minimax_discriminator_loss(
                log_z(real_logits), log_z(fake_logits), self.real_target
            )
            losses["discriminator"] = class_loss + self.unlabelled_weight * adversarial_loss
        self.report(class_loss=class_loss, adversarial_loss=adversarial_loss)

        for k in range(self.generator_steps):
            latents = self.sample_latents(reals)
            with self.update("generator") as losses:
                fakes = self.generator(latents, training=True)
                if self.feature_matching is None:
                    losses["generator"] = self.fool(fakes)
                else:
                    losses["generator"] = self.match(fakes, others[k][0])
        return self.logs()

    def match(self, fakes, reals):
        """Feature matching: how far the features' means over the minibatches are apart."""
        _, fake_features = self.discriminator(fakes, training=True)
        _, real_features = self.discriminator(reals, training=True)
        means = [ops.mean(f, axis=0) for f in float32(fake_features, real_features)]
        fake_mean, real_mean = (mean_over_replicas(mean) for mean in means)
        return ops.mean(MATCHINGS[self.feature_matching](fake_mean - real_mean))

    def fool(self, fakes):
        """E[log(1 - D(G(z)))]."""
        fake_logits, _ = self.discriminator(fakes, training=True)
        return minimax_generator_loss(log_z(fake_logits))

    def class_logits_network(self):
        """The discriminator, or its average, up to its logits."""
        source = self.ema_discriminator or self.discriminator
        return self._part(
            "class_logits", lambda: keras.Model(source.inputs[0], source.outputs[0]), source
        )

    def get_config(self):
        names = ("feature_matching", "generator_steps", "unlabelled_weight", "real_target")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def log_z(logits):
    """log sum_k exp l_k: the logit of D. (batch, K) to (batch,)."""
    return ops.logsumexp(float32(logits), axis=-1)
