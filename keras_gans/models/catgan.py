"""CatGAN: Categorical Generative Adversarial Networks, Springenberg, 2016 (arXiv:1511.06390).

D does not tell reals from fakes but puts each into one of K classes: p(y|x) is the softmax of its
logits. It is to be certain of reals, to use all classes alike for them, and to be uncertain of
fakes; G wants D to be certain of its samples, and to see all classes in them (equation 7). With the
entropy H, and p(y) the mean of p(y|x) over the minibatch (equations 2 and 3),

    D minimises   -H(p(y)) + E[H(p(y|x))] - E[H(p(y|G(z)))]
    G minimises   -H(p(y | G)) + E[H(p(y|G(z)))]

so D clusters data without labels. Where a few are labelled its loss has, beside these, their
cross-entropy -E[log p(y|x)], times lambda (equation 9), and the classes are theirs. The entropies
of minibatches need large ones, 100 or more; on several replicas p(y) is that of the global batch.

- `marginal_entropy`: H(p(y)) of reals, log K where all classes are used alike.
- `conditional_entropy`: E[H(p(y|x))] of reals, 0 where D is certain.
- `fake_entropy`: E[H(p(y|G(z)))] in D's step.
- `class_loss`: the cross-entropy of the labelled examples.

Deviations from the paper:
- The default networks are those of Salimans et al., 2016 (arXiv:1606.03498) on the same data, with
  their optimizer: weight normalization in D, with noise at its input and between its layers, where
  the paper has batch normalization and noise; softplus in G, which has the paper's batch
  normalization; and narrower layers, as the embedded data are few.
- Latents are from U(-1, 1), and classes are by averaged networks where `ema_decay` is given.
"""

import keras

from keras_gans.checks import check_fits, check_int, check_positive
from keras_gans.families.classifying import SemiSupervised, check_classes
from keras_gans.layers import initialize_from_data
from keras_gans.losses import class_cross_entropy, conditional_entropy, marginal_entropy
from keras_gans.networks.defaults import catgan_pair
from keras_gans.optimizers import adam
from keras_gans.papers import Paper, Recipe
from keras_gans.training.base import AdversarialModel


@keras.saving.register_keras_serializable("keras_gans")
class CatGAN(SemiSupervised, AdversarialModel):
    """A GAN whose discriminator puts samples into K classes, with a few labels or with none.

    Args:
        generator: built `keras.Model`, latents (batch, latent_dim) to samples (batch, ...).
        discriminator: built `keras.Model`, samples (batch, ...) to the logits of K classes, (batch,
            K), with K of at least 2.
        num_classes: number of classes of the labelled examples, which is K; or `None` to train
            without labels, on reals alone, with K classes that D finds by itself.
        label_weight: lambda, the weight of the labelled examples' cross-entropy; 1 in the paper.
        ema_decay: decay in (0, 1) of an averaged generator and discriminator, or `None`.
        latent_prior: "normal" for N(0, 1) or "uniform" for U(-1, 1); `None` for the latter.
        seed: integer that fixes every random draw, or `None`.

    Attributes:
        num_categories: K.
        supervised: whether it learns from labelled examples too.

    Input shape:
        Triples (reals, labelled, labels) as `datasets.semi_supervised` makes them: samples of the
        generator's output shape, float32, pictures in [-1, 1], and int labels (batch,) in [0, K).
        Without labels reals alone.

    Example:

    >>> digits = load("mnist_5k", batch_size=100, labels=True)
    >>> gan = CatGAN.from_paper((28, 28, 1), num_classes=10, seed=0)
    >>> history = gan.fit(semi_supervised(digits, labels_per_class=10), epochs=250)
    >>> sorted(gan.evaluate(load("mnist_5k", "test", labels=True), return_dict=True))
    ['accuracy', 'loss']

    Without labels, in 20 clusters:

    >>> gan = CatGAN.from_paper((28, 28, 1), num_clusters=20, seed=0)
    >>> history = gan.fit(load("mnist_5k", batch_size=100), epochs=100)
    >>> codes = gan.classify(pictures)
    >>> agreement = metrics.normalized_mutual_information(labels, codes)

    Reference:
        https://arxiv.org/abs/1511.06390
    """

    paper = Paper(
        title="Unsupervised and Semi-supervised Learning with Categorical Generative Adversarial "
        "Networks",
        authors="Springenberg",
        year=2016,
        arxiv="1511.06390",
    )
    recipe = Recipe(
        dataset="mnist_5k",
        batch_size=100,
        steps=12_000,
        conditional=True,  # with labels of 10 of each class by default, or of none
        labels_per_class=10,
        settings={"ema_decay": 0.999},
        status="trained",
    )
    players = {"discriminator": ("discriminator",), "generator": ("generator",)}
    judges = ("discriminator",)
    reported = ("marginal_entropy", "conditional_entropy", "fake_entropy")
    loss_terms = reported
    averaged = ("generator", "discriminator")
    latent_prior = "uniform"

    def __init__(
        self,
        generator,
        discriminator,
        num_classes=None,
        label_weight=1.0,
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
        self.num_categories = check_classes("discriminator", discriminator)
        self.label_weight = check_positive("label_weight", label_weight)
        self.supervised = num_classes is not None
        if self.supervised:
            if num_classes != self.num_categories:
                raise ValueError(
                    "`discriminator` must have the logits of `num_classes` classes. "
                    f"Received: those of {self.num_categories}, and num_classes={num_classes!r}"
                )
            self.report_also("class_loss")

    def default_optimizers(self):
        """Adam with rate 3e-3, beta_1 0.5 and epsilon 1e-4 for both, as of `SSGAN`."""
        return {player: adam(3e-3, beta_1=0.5, epsilon=1e-4) for player in self.players}

    @classmethod
    def default_networks(cls, shape, num_classes=None, latent_dim=None, seed=None, num_clusters=20):
        """Dense networks; D has weight normalization and noise, and K logits.

        K is `num_classes`, or where it is `None` `num_clusters`, 20 as in the paper's clusterings.
        """
        latent_dim = cls.recipe.latents_of(shape, latent_dim)
        name = "num_clusters" if num_classes is None else "num_classes"
        k = check_int(name, num_clusters if num_classes is None else num_classes, 2)
        generator, discriminator = catgan_pair(shape, latent_dim, k, seed)
        return {"generator": generator, "discriminator": discriminator}

    def begin_on(self, reals, *labelled):
        """Sets the scales of layers by the first data; see `layers.initialize_from_data`."""
        generator_was_set = initialize_from_data(self.generator, self.sample_latents(reals))
        return initialize_from_data(self.discriminator, reals) or generator_was_set

    def train_step(self, data):
        (batch,) = self.minibatches(data, 1)
        reals, labelled, labels = batch if self.supervised else (batch, None, None)

        fakes = self.generator(self.sample_latents(reals), training=True)
        with self.update("discriminator") as losses:
            real_logits = self.discriminator(reals, training=True)
            fake_logits = self.discriminator(fakes, training=True)
            marginal, conditional = marginal_entropy(real_logits), conditional_entropy(real_logits)
            fake_entropy = conditional_entropy(fake_logits)
            losses["discriminator"] = -marginal + conditional - fake_entropy
            if self.supervised:
                label_logits = self.discriminator(labelled, training=True)
                class_loss = class_cross_entropy(labels, label_logits)
                losses["discriminator"] += self.label_weight * class_loss
                self.report(class_loss=class_loss)
        self.report(
            marginal_entropy=marginal, conditional_entropy=conditional, fake_entropy=fake_entropy
        )

        with self.update("generator") as losses:
            fakes = self.generator(self.sample_latents(reals), training=True)
            fake_logits = self.discriminator(fakes, training=True)
            losses["generator"] = -marginal_entropy(fake_logits) + conditional_entropy(fake_logits)
        return self.logs()

    def data_spec(self):
        spec = super().data_spec()
        return spec if self.supervised else spec[:1]

    def class_logits_network(self):
        """The discriminator, or its average where there is one."""
        return getattr(self, "ema_discriminator", None) or self.discriminator

    def evaluate(self, *args, **kwargs):
        """As of `SemiSupervised`; a ValueError without labels, as clusters have no names."""
        if not self.supervised:
            raise ValueError(
                "`evaluate` compares classes with labels, and clusters have no names: use "
                "`keras_gans.metrics.normalized_mutual_information` or `majority_vote_accuracy` "
                "with `gan.classify(samples)`. Received: a CatGAN with num_classes=None"
            )
        return super().evaluate(*args, **kwargs)

    def get_config(self):
        num_classes = self.num_categories if self.supervised else None
        settings = {"num_classes": num_classes, "label_weight": self.label_weight}
        return {**super().get_config(), **settings}
