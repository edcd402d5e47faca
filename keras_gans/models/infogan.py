"""InfoGAN: Interpretable Representation Learning, Chen et al., 2016 (arXiv:1606.03657).

Some of the generator's inputs are codes c, beside the noise z, and it must keep information about
them in its pictures. A recognition network Q(c|x) reads them off, for the bound (equation 5)

    L_I(G, Q) = E[log Q(c|x)] + H(c) <= I(c; G(z, c)),    c ~ P(c), x ~ G(z, c)

in the game min_{G,Q} max_D V(D, G) - lambda L_I(G, Q) (equation 6). Here c is some categories,
each uniform over its K, and n continuous codes from U(-1, 1); in P and in Q they are independent.
The paper has one category of 10 for MNIST, four for SVHN and ten for CelebA. H(c) is a constant and
is left out:

- `category_loss`: the sum over the categories of the cross-entropies -E[log Q(category|x)]; the sum
  of log K less it is their part of L_I.
- `continuous_loss`: E[sum_j (c_j - mean_j(x))^2 / (2 variance_j) + log(variance_j) / 2], which is
  -E[log Q(codes|x)] of independent Gaussians, less the n/2 log(2 pi) that no weight changes. The
  variances are 1, as the authors' code for MNIST has them, or Q's own, exp of what a layer makes,
  as otherwise there.

Q has all of its layers but the last ones in common with D. As in the authors' code D's step
descends on the terms as well, with Q among its weights, so that they reach G, Q and the common
layers; and the noise comes from U(-1, 1). Lambda is 1 for all codes, as in the authors' code for
MNIST; where there are continuous codes the paper calls a smaller one usual (section 6), and they
have a weight of their own here.

Deviations from the paper:
- There is at least one code of either kind; CelebA's are all categories and those of faces all
  continuous.
"""

import dataclasses

import keras
import numpy as np
from keras import ops

from keras_gans.checks import (
    check_conditional,
    check_count,
    check_fits,
    check_int,
    check_positive,
    encoded_classes,
)
from keras_gans.losses import (
    class_cross_entropy,
    float32,
    minimax_discriminator_loss,
    non_saturating_generator_loss,
)
from keras_gans.networks import build_recognition_head
from keras_gans.networks.defaults import infogan_pair
from keras_gans.optimizers import adam
from keras_gans.papers import Paper, Recipe
from keras_gans.training.base import AdversarialModel
from keras_gans.training.kinds import Codes, Labels
from keras_gans.training.ports import Port


@keras.saving.register_keras_serializable("keras_gans")
class InfoGAN(AdversarialModel):
    """A GAN that finds classes and directions of variation in pictures without labels.

    Args:
        generator: built `keras.Model`, [latents (batch, latent_dim), int categories (batch,)] to
            samples (batch, ...); of several categorical codes, categories (batch, codes). The last
            n latents are the continuous codes; for MNIST the paper has 62 others and n = 2.
        discriminator: built `keras.Model`, samples (batch, ...) to [logits, features (batch, ...)].
        recognition: built `keras.Model`, the discriminator's features to [category logits
            (batch, K) of each categorical code, means of the continuous codes (batch, n)]. Where
            the last output is (batch, 2, n), it has the logarithms of their variances too.
        category_weight: weight of the categorical codes, the paper's lambda.
        continuous_weight: weight of the continuous codes, lambda likewise.
        ema_decay: decay in (0, 1) of an averaged generator, or `None`.
        latent_prior: "normal" for N(0, 1) or "uniform" for U(-1, 1); `None` for the paper's.
        seed: integer that fixes every random draw, or `None`.

    Attributes:
        num_categories: tuple, the number K of values of each categorical code. With a single one,
            `num_classes` is its K, and samples are asked for by a label each; with several, by a
            row of labels each, one for each code.
        num_continuous: n.
        learns_variance: whether Q gives the continuous codes a variance of its own; else it is 1.

    Input shape:
        Reals (batch, ...) of the generator's output shape, float32; pictures in [-1, 1].

    Example:

    >>> shape = (28, 28, 1)
    >>> gan = InfoGAN(
    ...     build_infogan_generator(shape, latent_dim=62 + 2, num_categories=10),
    ...     build_infogan_discriminator(shape),
    ...     build_recognition_head((1024,), num_categories=10, num_continuous=2),
    ...     seed=0,
    ... )
    >>> history = gan.fit(load("fashion_mnist_10k", batch_size=128), epochs=10)
    >>> gan.code_grid(columns=8).shape
    (80, 28, 28, 1)
    >>> gan.classify(gan.generate(5, seed=1, labels=3)).shape
    (5,)

    Four categorical codes and two continuous ones, as for SVHN:

    >>> codes = (10, 10, 10, 10)
    >>> gan = InfoGAN(
    ...     build_infogan_generator((32, 32, 3), latent_dim=124 + 2, num_categories=codes),
    ...     build_infogan_discriminator((32, 32, 3)),
    ...     build_recognition_head((1024,), codes, num_continuous=2),
    ... )
    >>> pictures = gan.generate(8, seed=0, labels=[3, 1, 4, 1])
    >>> gan.classify(pictures).shape
    (8, 4)

    Reference:
        https://arxiv.org/abs/1606.03657
    """

    paper = Paper(
        title="InfoGAN: Interpretable Representation Learning by Information Maximizing GANs",
        authors="Chen et al.",
        year=2016,
        arxiv="1606.03657",
    )
    recipe = Recipe(
        dataset="fashion_mnist_10k",
        batch_size=128,
        steps=5_000,
        latent_dim=64,  # 62, and the continuous codes
        status="trained",
    )
    players = {"discriminator": ("discriminator", "recognition"), "generator": ("generator",)}
    judges = ("discriminator",)
    contests = {"discriminator_loss": "generator_loss"}
    reported = ("category_loss", "continuous_loss")
    loss_terms = reported
    latent_prior = "uniform"

    def __init__(
        self,
        generator,
        discriminator,
        recognition,
        category_weight=1.0,
        continuous_weight=1.0,
        ema_decay=None,
        latent_prior=None,
        seed=None,
        name=None,
    ):
        networks = {"generator": generator, "discriminator": discriminator}
        networks["recognition"] = recognition
        super().__init__(
            **networks, ema_decay=ema_decay, latent_prior=latent_prior, seed=seed, name=name
        )
        check_fits("discriminator", discriminator, generator)
        sizes = code_sizes(generator, discriminator, recognition)
        self.num_categories, self.num_continuous, self.learns_variance = sizes
        self.num_classes = self.num_categories[0] if len(self.num_categories) == 1 else None
        self.category_weight = check_positive("category_weight", category_weight)
        self.continuous_weight = check_positive("continuous_weight", continuous_weight)

    def default_optimizers(self):
        """Adam with beta_1 0.5, rate 2e-4 for D and Q and 1e-3 for G (appendix C)."""
        rates = {"discriminator": 2e-4, "generator": 1e-3}
        return {player: adam(rate, beta_1=0.5) for player, rate in rates.items()}

    @classmethod
    def default_networks(
        cls, shape, num_classes=None, latent_dim=None, seed=None, learn_variance=False
    ):
        """The paper's networks of MNIST for pictures, dense ones for points; Q is a head on D's.

        For 28 x 28 pictures with 62 noise variables they are those of table 1.
        There are two continuous codes, and one categorical code of `num_classes` values, 10 where
        it is `None`; or several, where it is a sequence of their numbers of values. With
        `learn_variance` Q has the variances of the continuous codes too, as for other data sets.
        """
        latent_dim = cls.recipe.latents_of(shape, latent_dim)
        num_classes = 10 if num_classes is None else num_classes
        generator, discriminator = infogan_pair(shape, latent_dim, num_classes, seed)
        features = discriminator.output_shape[1][1:]
        recognition = build_recognition_head(
            features, num_classes, 2, learn_variance=learn_variance, seed=seed
        )
        return {"generator": generator, "discriminator": discriminator, "recognition": recognition}

    def train_step(self, data):
        (reals,) = self.minibatches(data, 1)

        latents, categories = self.sample_latents(reals), self.sample_categories(reals)
        fakes = self.generator([latents, categories], training=True)
        with self.update("discriminator") as losses:
            real_logits, _ = self.discriminator(reals, training=True)
            fake_logits, features = self.discriminator(fakes, training=True)
            category_loss, continuous_loss = self.code_losses(features, latents, categories)
            losses["discriminator"] = (
                minimax_discriminator_loss(real_logits, fake_logits)
                + self.category_weight * category_loss
                + self.continuous_weight * continuous_loss
            )

        latents, categories = self.sample_latents(reals), self.sample_categories(reals)
        with self.update("generator") as losses:
            fakes = self.generator([latents, categories], training=True)
            fake_logits, features = self.discriminator(fakes, training=True)
            category_loss, continuous_loss = self.code_losses(features, latents, categories)
            losses["generator"] = (
                non_saturating_generator_loss(fake_logits)
                + self.category_weight * category_loss
                + self.continuous_weight * continuous_loss
            )
        self.report(category_loss=category_loss, continuous_loss=continuous_loss)
        return self.logs()

    def sample_categories(self, like):
        """Fresh categories, uniform over K: int32 (batch of `like`,), or (batch, codes)."""
        if self.num_classes is not None:
            return ops.cast(self.random_uniform(like, maxval=self.num_classes), "int32")
        numbers = self.random_uniform(like, (len(self.num_categories),))
        return ops.cast(numbers * ops.cast(self.num_categories, "float32"), "int32")

    def code_losses(self, features, latents, categories):
        """The pair (category_loss, continuous_loss) of Q on the features of fakes, scalars."""
        *logits, codes = float32(*self.recognition(features, training=True))
        categories = ops.reshape(categories, (-1, len(logits)))
        category_loss = sum(
            class_cross_entropy(categories[:, i], each) for i, each in enumerate(logits)
        )
        means, log_variances = codes, ops.zeros_like(codes)
        if self.learns_variance:
            means, log_variances = codes[:, 0], codes[:, 1]
        errors = ops.square(latents[:, -self.num_continuous :] - means)
        terms = errors * ops.exp(-log_variances) + log_variances
        return category_loss, 0.5 * ops.mean(ops.sum(terms, axis=-1))

    def classify(self, samples):
        """Which categories Q takes samples for; what they mean, training has decided.

        Args:
            samples: (num, ...) as in the training data, float32; or uint8 pictures.

        Returns:
            int32 array (num,) in [0, K); of several categorical codes, (num, codes).

        Raises:
            ValueError: the samples do not fit the model.
        """
        return self._ask("classify", samples=samples)

    def ports(self):
        """Besides "generate", "classify": which categories Q takes samples for."""
        ports, kind, categories = super().ports(), self.sample_kind(), self.category_kind()
        latents = ports["generate"].inputs[0]
        ports["generate"] = dataclasses.replace(ports["generate"], inputs=(latents, categories))
        taken = dataclasses.replace(kind, name=kind.output_name)
        sources = self.discriminator, self.recognition
        classifier = self._part("classify", self._build_classifier, *sources)
        return {**ports, "classify": Port((taken,), classifier, categories)}

    def category_kind(self):
        """The kind of the categories that samples are made of, and that Q takes them for."""
        if self.num_classes is not None:
            return Labels("labels", self.num_classes)
        return Codes("labels", self.num_categories)

    def _build_classifier(self):
        """Q on the features of D, as one network: samples to categories, int32."""
        _, features = self.discriminator.outputs
        *logits, _ = self.recognition(features)
        # Keras's argmax looks at the bits of zeros, for which TFLite has no operation.
        categories = [ops.top_k(each, 1)[1] for each in logits]
        if len(categories) == 1:
            categories = ops.squeeze(categories[0], axis=-1)
        else:
            categories = ops.concatenate(categories, axis=-1)
        return keras.Model(self.discriminator.inputs[0], categories)

    def code_grid(self, continuous=None, columns=10, limit=2.0, seed=0, categorical=0):
        """Samples for a grid with a row for each category, to see what the codes mean.

        Args:
            continuous: `None`, for rows that differ in nothing but the category; or the index, in
                [0, n), of a continuous code that rises along each row while all else stays.
            columns: samples in a row, at least 1.
            limit: positive number, the end of that code's range; the paper shows 2 (figure 2).
            seed: integer that fixes the other latents, and the other categorical codes.
            categorical: index of the categorical code whose values the rows have.

        Returns:
            uint8 pictures (K * columns, H, W, C), row by row; for points, float32.

        Raises:
            ValueError: an argument is out of its range.
        """
        n, sizes = self.num_continuous, self.num_categories
        check_count("columns", columns), check_positive("limit", limit)
        k = sizes[check_int("categorical", categorical, 0, len(sizes) - 1)]
        if continuous is None:
            inputs = self.generator_inputs(columns, seed)
            latents, categories = (np.concatenate([rows] * k) for rows in inputs)
        elif continuous in range(n):
            inputs = self.generator_inputs(k, seed)
            latents, categories = (np.repeat(rows, columns, axis=0) for rows in inputs)
            latents[:, continuous - n] = np.tile(np.linspace(-limit, limit, columns), k)
        else:
            raise ValueError(f"`continuous` must be None or in [0, {n}). Received: {continuous!r}")
        categories.reshape(-1, len(sizes))[:, categorical] = np.repeat(np.arange(k), columns)
        made = self.sampler([latents, categories], training=False)
        return self.sample_kind().to_border(ops.convert_to_numpy(made))

    def get_config(self):
        names = ("category_weight", "continuous_weight")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def code_sizes(generator, discriminator, recognition):
    """Each K, n, and whether variances are learned, of the recognition network.

    Raises:
        ValueError: it has other outputs, or the others do not fit it.
    """
    made = [tuple(tensor.shape[1:]) for tensor in discriminator.outputs]
    taken = tuple(recognition.inputs[0].shape[1:])
    if len(made) != 2 or made[1] != taken:
        raise ValueError(
            "`discriminator` must have the outputs [logits, features], as with `return_features="
            "True`, and `recognition` must take these features. Received: a discriminator with "
            f"outputs of shapes {made}, and a recognition network for shape {taken}"
        )
    shapes = [tuple(tensor.shape[1:]) for tensor in recognition.outputs]
    *logits, codes = shapes
    if {*map(len, logits)} != {1} or not codes or codes[:-1] not in ((), (2,)):
        raise ValueError(
            "`recognition` must have two outputs or more, logits (batch, K) of each categorical "
            "code, and of the continuous ones means (batch, n), or means and log-variances (batch, "
            f"2, n). Received: outputs of shapes {shapes}"
        )
    sizes, n = [k for (k,) in logits], codes[-1]
    taken = [tuple(tensor.shape[1:]) for tensor in generator.inputs]
    if len(sizes) == 1:
        check_conditional("generator", generator, sizes[0])
    elif taken[1:] != [(len(sizes),)]:
        raise ValueError(
            "`generator` must have two inputs, the second one integer labels of shape (batch, "
            f"{len(sizes)}), one for each categorical code. Received: inputs of shapes {taken}"
        )
    encoded, latent_dim = encoded_classes(generator), generator.inputs[0].shape[-1]
    encoded = encoded if len(sizes) > 1 else sorted(set(encoded))
    if (len(encoded) == len(sizes) and encoded != sizes) or latent_dim < n:
        wanted = " and ".join(map(str, sizes))
        raise ValueError(
            f"`generator` must take the codes of `recognition`: {wanted} categories, and {n} or "
            f"more latents. Received: {encoded} categories, {latent_dim} latents"
        )
    return tuple(sizes), n, codes != (n,)
