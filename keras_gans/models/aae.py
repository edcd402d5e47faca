"""Adversarial Autoencoders, Makhzani et al., 2016 (arXiv:1511.05644).

An autoencoder whose codes are matched to a prior p(z) by a discriminator of codes, in place of a
VAE's divergence: all that the prior has to have is samples. Each minibatch has phases (section 2),
every one with optimizers of its own; E is the encoder, G the decoder, D the discriminator:

    reconstruction: E and G descend on E|x - G(E(x))|^2, the mean over pixels
    regularization: D descends on -E[log D(z)] - E[log(1 - D(E(x)))],  z ~ p(z), x ~ data
                    E descends on -E[log D(E(x))]; G stands still

E is deterministic, the first of the paper's three kinds of q(z|x) (section 2). The forms:

- `AAE`, sections 2.1 and 2.3: p(z) is Gaussian, a mixture of 2-D Gaussians or a swiss roll. With
  labels each class has its component, or its part of the roll: D sees the label beside the code,
  and a code of the prior is from the label's part. A label may be "not known", with an extra class
  for D and the whole prior (figure 3).
- `SemiSupervisedAAE`, section 5: E has two codes, the class y (a softmax) and the style z, and each
  a discriminator, of the one-hot codes of uniform classes and of N(0, I). Reconstruction and
  regularization are those of all pictures; in a third phase E descends on the cross-entropy of y on
  the labelled ones.
- `ClusteringAAE`, section 6: the same without labels, y being one of 16 or 30 clusters.

Deviations from the paper:
- Pictures are in [-1, 1], so that the decoder ends in tanh and not in a sigmoid, and the noise
  N(0, 0.3) on the pictures of the semi-supervised form is N(0, 0.6).
- Rates fall after the paper's 50 and 1000 epochs of 60,000 pictures, counted in steps, whatever
  the data are.
- The forms with a stochastic encoder, with a label for the decoder (section 4), and for reducing
  dimensions (section 7) are left out.
"""

import keras
from keras import ops
from keras.optimizers.schedules import PiecewiseConstantDecay

from keras_gans.checks import check_fits, check_flag, check_int, encoded_classes
from keras_gans.devices.randomness import derive_seed
from keras_gans.families.autoencoding import Autoencoding, check_encoder
from keras_gans.families.classifying import Classifying, SemiSupervised
from keras_gans.families.priors import NUMBERS, SHAPED
from keras_gans.losses import (
    class_cross_entropy,
    float32,
    mean_squared_error,
    minimax_discriminator_loss,
    non_saturating_generator_loss,
)
from keras_gans.networks.aae import (
    build_aae_discriminator,
    build_aae_encoder,
    build_aae_generator,
)
from keras_gans.papers import Paper, Recipe
from keras_gans.training import kinds
from keras_gans.training.base import AdversarialModel
from keras_gans.training.ports import Port

COMPONENTS = 10  # of a mixture without classes
STEPS_AN_EPOCH = 600  # of the paper's: 60,000 pictures by 100


def optimizers_of_phases(players):
    """Gradient descent whose rates fall tenfold after 50 and after 1000 epochs (appendix A)."""
    falls = [epochs * STEPS_AN_EPOCH for epochs in (50, 1000)]

    def sgd(rate, momentum):
        rates = PiecewiseConstantDecay(falls, [rate, 0.1 * rate, 0.01 * rate])
        return keras.optimizers.SGD(rates, momentum=momentum)

    return {p: sgd(0.01, 0.9) if p == "autoencoder" else sgd(0.1, 0.1) for p in players}


@keras.saving.register_keras_serializable("keras_gans")
class AAE(Autoencoding, AdversarialModel):
    """An adversarial autoencoder with one continuous code.

    Args:
        generator: built `keras.Model`, codes (batch, d) to samples (batch, ...): the decoder.
        encoder: built `keras.Model`, samples (batch, ...) to codes (batch, d).
        discriminator: built `keras.Model`, codes (batch, d) to logits (batch, 1); with classes,
            [codes, int labels (batch,)] to logits, of `num_classes` + 1 labels, the last of which
            is that of examples without a known class.
        prior: "gaussian" for N(0, I); or, of codes of length 2, "mixture" of Gaussians on a circle,
            ten or one for each class, or "swiss_roll" (`families.priors`). `None` is a Gaussian
            without classes, and a mixture with them.
        num_classes: number of classes, at least 2, where the data have labels; or `None`.
        unlabelled: whether the data may have the label `num_classes`, for "not known".
        ema_decay: decay in (0, 1) of an averaged generator and encoder, or `None`.
        seed: integer that fixes every random draw, or `None`.

    Input shape:
        Samples (batch, ...) of the generator's output shape, float32; pictures in [-1, 1]. With
        classes, pairs of samples and int labels (batch,).

    What `generate` takes for latents are the N(0, 1) numbers that codes of the prior are made of:
    the code itself of a Gaussian, else four numbers, and the label. `decode` takes codes, and
    `encode` gives them.

    Example:

    >>> aae = AAE.from_paper((28, 28, 1), num_classes=10, prior="mixture", seed=0)
    >>> history = aae.fit(load("mnist_5k", batch_size=100, labels=True), epochs=50)
    >>> aae.encode(pictures).shape
    (64, 2)
    >>> threes = aae.generate(8, labels=3)
    >>> plane = aae.decode([[x, y] for y in (2.0, 0.0, -2.0) for x in (-2.0, 0.0, 2.0)])

    Reference:
        https://arxiv.org/abs/1511.05644
    """

    paper = Paper(
        title="Adversarial Autoencoders",
        authors="Makhzani et al.",
        year=2016,
        arxiv="1511.05644",
    )
    recipe = Recipe(
        dataset="mnist_5k",
        batch_size=100,
        steps=10_000,
        latent_dim=2,
        conditional=True,
        status="trained",
    )
    players = {
        "autoencoder": ("encoder", "generator"),
        "discriminator": ("discriminator",),
        "encoder": ("encoder",),
    }
    judges = ("discriminator",)
    makers = ("encoder",)
    contests = {"discriminator_loss": "encoder_loss"}
    averaged = ("encoder", "generator")

    def __init__(
        self,
        generator,
        encoder,
        discriminator,
        prior=None,
        num_classes=None,
        unlabelled=False,
        ema_decay=None,
        seed=None,
        name=None,
    ):
        networks = {"generator": generator, "encoder": encoder, "discriminator": discriminator}
        super().__init__(**networks, ema_decay=ema_decay, seed=seed, name=name)
        check_encoder(encoder, generator)
        if num_classes is not None:
            self.num_classes = check_int("num_classes", num_classes, 2)
        self.unlabelled = check_flag("unlabelled", unlabelled)
        self.prior = check_code_prior(self, prior, generator)
        check_code_discriminator("discriminator", discriminator, generator, self.num_classes)

    def default_optimizers(self):
        """SGD; rate 0.01 and momentum 0.9 of the reconstruction, and 0.1 both of all else."""
        return optimizers_of_phases(self.players)

    @classmethod
    def default_networks(cls, shape, num_classes=None, latent_dim=None, seed=None):
        """The paper's: two layers of 1000 units each."""
        latent_dim = cls.recipe.latents_of(shape, latent_dim)
        labels = None if num_classes is None else num_classes + 1
        return {
            "generator": build_aae_generator(shape, latent_dim, seed=seed),
            "encoder": build_aae_encoder(shape, latent_dim, seed=seed),
            "discriminator": build_aae_discriminator(latent_dim, labels, seed=seed),
        }

    def train_step(self, data):
        (batch,) = self.minibatches(data, 1)
        reals, labels = (batch, None) if self.num_classes is None else batch

        with self.update("autoencoder") as losses:
            reconstructions = self.generator(self.encoder(reals, training=True), training=True)
            losses["autoencoder"] = mean_squared_error(reals, reconstructions)

        codes = ops.stop_gradient(self.encoder(reals, training=True))
        with self.update("discriminator") as losses:
            losses["discriminator"] = minimax_discriminator_loss(
                self.judge(self.codes_of(self.sample_latents(reals), labels), labels),
                self.judge(codes, labels),
            )
        with self.update("encoder") as losses:
            logits = self.judge(self.encoder(reals, training=True), labels)
            losses["encoder"] = non_saturating_generator_loss(logits)
        return self.logs()

    def judge(self, codes, labels):
        """The discriminator's logits of codes, and of labels where it takes some."""
        return self.discriminator(codes if labels is None else [codes, labels], training=True)

    def codes_of(self, latents, labels=None):
        """Codes of the prior out of N(0, 1) numbers, and of labels.

        Args:
            latents: float tensor (batch, *latent_shape).
            labels: int tensor (batch,), where the model has classes.

        Returns:
            float32 tensor (batch, d).
        """
        if self.prior == "gaussian":
            return latents
        return SHAPED[self.prior](latents, labels, self.num_classes or COMPONENTS)

    def decoder(self):
        return self.ema_generator or self.generator

    @property
    def sampler(self):
        """The decoder behind the prior: numbers, and labels, to samples."""
        return self._behind_prior(self.decoder())

    def _behind_prior(self, decoder):
        if self.prior == "gaussian":
            return decoder

        def build():
            inputs = [keras.Input((NUMBERS,), name="latents")]
            if self.num_classes is not None:
                inputs.append(keras.Input((), dtype="int32", name="labels"))
            samples = decoder(self.codes_of(*inputs))
            return keras.Model(inputs if len(inputs) > 1 else inputs[0], samples, name="aae")

        return self._part(f"behind_prior_{decoder is self.generator}", build, decoder)

    def call(self, latents, training=False):
        return self._behind_prior(self.generator)(latents, training=training)

    def data_spec(self):
        spec = super().data_spec()
        if self.num_classes is None:
            return spec
        return (*spec, kinds.Labels("labels", self.num_classes + self.unlabelled))

    def get_config(self):
        names = ("prior", "num_classes", "unlabelled")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


class _CategoricalAAE(Classifying, Autoencoding, AdversarialModel):
    """What the forms with a class and a style have in common: networks, two phases, ports."""

    players = {
        "autoencoder": ("encoder", "generator"),
        "class_discriminator": ("class_discriminator",),
        "latent_discriminator": ("latent_discriminator",),
        "encoder": ("encoder",),
    }
    judges = ("class_discriminator", "latent_discriminator")
    makers = ("encoder",)
    reported = ("encoder_class_loss", "encoder_latent_loss")
    loss_terms = reported
    contests = {
        "class_discriminator_loss": "encoder_class_loss",
        "latent_discriminator_loss": "encoder_latent_loss",
    }
    averaged = ("encoder", "generator")

    def __init__(
        self,
        generator,
        encoder,
        class_discriminator,
        latent_discriminator,
        ema_decay=None,
        seed=None,
        name=None,
    ):
        networks = {
            "generator": generator,
            "encoder": encoder,
            "class_discriminator": class_discriminator,
            "latent_discriminator": latent_discriminator,
        }
        super().__init__(**networks, ema_decay=ema_decay, seed=seed, name=name)
        self.num_classes = self.num_categories = check_two_codes(generator, encoder)
        for number, name in enumerate(("latent_discriminator", "class_discriminator")):
            check_code_discriminator(name, networks[name], generator, number=number)

    def default_optimizers(self):
        """SGD; rate 0.01 and momentum 0.9 of the reconstruction, and 0.1 both of all else."""
        return optimizers_of_phases(self.players)

    def reconstruct_phase(self, reals):
        """E and G descend on the error of what is decoded of the class and the style."""
        with self.update("autoencoder") as losses:
            reconstructions = self.generator([*self.codes(reals)], training=True)
            losses["autoencoder"] = mean_squared_error(reals, reconstructions)

    def regularize_phase(self, reals):
        """Both discriminators, and then E against both."""
        latents, classes = map(ops.stop_gradient, self.codes(reals))
        with self.update("class_discriminator", "latent_discriminator") as losses:
            losses["class_discriminator"] = minimax_discriminator_loss(
                self.class_discriminator(self.sample_classes(reals), training=True),
                self.class_discriminator(classes, training=True),
            )
            losses["latent_discriminator"] = minimax_discriminator_loss(
                self.latent_discriminator(self.sample_latents(reals), training=True),
                self.latent_discriminator(latents, training=True),
            )
        with self.update("encoder") as losses:
            latents, classes = self.codes(reals)
            of_class = non_saturating_generator_loss(
                self.class_discriminator(classes, training=True)
            )
            of_latents = non_saturating_generator_loss(
                self.latent_discriminator(latents, training=True)
            )
            losses["encoder"] = of_class + of_latents
        self.report(encoder_class_loss=of_class, encoder_latent_loss=of_latents)

    def codes(self, samples):
        """The pair of a sample's style (batch, d) and the probabilities of its class (batch, K)."""
        latents, class_logits = self.encoder(samples, training=True)
        return latents, ops.softmax(float32(class_logits))

    def sample_classes(self, like):
        """One-hot codes of uniform classes, float32 (batch of `like`, K)."""
        labels = ops.cast(self.random_uniform(like, maxval=self.num_classes), "int32")
        return ops.one_hot(labels, self.num_classes)

    @property
    def sampler(self):
        """The decoder, for labels in place of probabilities."""
        return self._for_labels(self.ema_generator or self.generator)

    def _for_labels(self, decoder):
        def build():
            latents = keras.Input(self.generator.inputs[0].shape[1:], name="latents")
            labels = keras.Input((), dtype="int32", name="labels")
            samples = decoder([latents, ops.one_hot(labels, self.num_classes)])
            return keras.Model([latents, labels], samples, name="aae")

        return self._part(f"for_labels_{decoder is self.generator}", build, decoder)

    def call(self, latents, training=False):
        return self._for_labels(self.generator)(latents, training=training)

    def ports(self):
        """Of style and class "generate" and "decode"; and "encode", and "reconstruct"."""
        ports, made = super().ports(), self.sample_kind()
        encoder, decoder = self.ema_encoder or self.encoder, self.ema_generator or self.generator
        (taken,) = ports["encode"].inputs

        def reconstruct():
            latents, class_logits = encoder(encoder.inputs[0])
            samples = decoder([latents, ops.softmax(class_logits)])
            return keras.Model(encoder.inputs[0], samples, name="reconstruct")

        ports["decode"] = Port(ports["generate"].inputs, self.sampler, made)
        network = self._part("reconstruct", reconstruct, encoder, decoder)
        ports["reconstruct"] = Port((taken,), network, made)
        return ports

    def class_logits_network(self):
        """The encoder without the style."""
        encoder = self.ema_encoder or self.encoder

        def build():
            return keras.Model(encoder.inputs[0], encoder.outputs[1], name="class_logits")

        return self._part("class_logits", build, encoder)

    def decode(self, latents, labels):
        """The pictures that the generator makes of styles and classes.

        Args:
            latents: float array (num, latent_dim).
            labels: int array (num,).

        Returns:
            uint8 array (num, H, W, C); for points, float32 (num, dim).

        Raises:
            ValueError: an argument does not fit the model.

        Example:

        >>> sevens_like_these = model.decode(model.encode(pictures), [7] * len(pictures))
        """
        return self._ask("decode", latents=latents, labels=labels)

    def reconstruct(self, pictures):
        """What is left of pictures in the probabilities of their classes and in their styles."""
        return self._ask("reconstruct", pictures=pictures)


@keras.saving.register_keras_serializable("keras_gans")
class SemiSupervisedAAE(SemiSupervised, _CategoricalAAE):
    """An adversarial autoencoder that learns classes from few labels and many pictures.

    Args:
        generator: built `keras.Model`, [styles (batch, d), probabilities of the classes (batch, K)]
            to samples (batch, ...): the decoder.
        encoder: built `keras.Model`, samples (batch, ...) to [styles (batch, d), logits of the
            classes (batch, K)].
        class_discriminator: built `keras.Model`, probabilities (batch, K) to logits (batch, 1).
        latent_discriminator: built `keras.Model`, styles (batch, d) to logits (batch, 1).
        ema_decay: decay in (0, 1) of an averaged generator and encoder, or `None`.
        seed: integer that fixes every random draw, or `None`.

    Input shape:
        Triples (reals, labelled, labels), as `datasets.semi_supervised` makes them: samples
        (batch, ...) without labels, as many with, and their int labels (batch,).

    Example:

    >>> digits = load("mnist_5k", split="train", batch_size=100, labels=True)
    >>> aae = SemiSupervisedAAE.from_paper((28, 28, 1), num_classes=10, seed=0)
    >>> history = aae.fit(semi_supervised(digits, labels_per_class=10), epochs=100)
    >>> aae.classify(pictures).shape
    (64,)
    >>> sevens = aae.generate(8, labels=7)

    Reference:
        https://arxiv.org/abs/1511.05644, section 5
    """

    paper = Paper(
        title="Adversarial Autoencoders",
        authors="Makhzani et al.",
        year=2016,
        arxiv="1511.05644",
    )
    recipe = Recipe(
        dataset="mnist_5k",
        batch_size=100,
        steps=15_000,
        latent_dim=10,
        labels_per_class=10,
        status="trained",
    )
    players = {**_CategoricalAAE.players, "classifier": ("encoder",)}

    @classmethod
    def default_networks(cls, shape, num_classes=None, latent_dim=None, seed=None):
        """The paper's: two layers of 1000 units each, and noise on the encoder's samples."""
        latent_dim = cls.recipe.latents_of(shape, latent_dim)
        return two_code_networks(shape, num_classes, latent_dim, seed, input_noise=0.6)

    def train_step(self, data):
        ((reals, labelled, labels),) = self.minibatches(data, 1)
        self.reconstruct_phase(reals)
        self.regularize_phase(reals)
        with self.update("classifier") as losses:
            _, class_logits = self.encoder(labelled, training=True)
            losses["classifier"] = class_cross_entropy(labels, class_logits)
        return self.logs()


@keras.saving.register_keras_serializable("keras_gans")
class ClusteringAAE(_CategoricalAAE):
    """An adversarial autoencoder that sorts pictures into clusters, without labels.

    Args:
        generator, encoder, class_discriminator, latent_discriminator, ema_decay, seed: see
            `SemiSupervisedAAE`; K is the number of clusters, in the paper 16 or 30.

    Input shape:
        Samples (batch, ...) of the generator's output shape, float32; pictures in [-1, 1].

    Example:

    >>> aae = ClusteringAAE.from_paper((28, 28, 1), clusters=30, seed=0)
    >>> history = aae.fit(load("mnist_5k", batch_size=100), epochs=100)
    >>> heads = aae.generate(30, labels=range(30))

    Reference:
        https://arxiv.org/abs/1511.05644, section 6
    """

    paper = Paper(
        title="Adversarial Autoencoders",
        authors="Makhzani et al.",
        year=2016,
        arxiv="1511.05644",
    )
    recipe = Recipe(
        dataset="mnist_5k",
        batch_size=100,
        steps=15_000,
        latent_dim=5,
        status="short runs",
    )

    @classmethod
    def default_networks(cls, shape, num_classes=None, latent_dim=None, seed=None, clusters=16):
        """The paper's, as those of `SemiSupervisedAAE`, without noise."""
        latent_dim = cls.recipe.latents_of(shape, latent_dim)
        return two_code_networks(shape, clusters, latent_dim, seed)

    def train_step(self, data):
        (reals,) = self.minibatches(data, 1)
        self.reconstruct_phase(reals)
        self.regularize_phase(reals)
        return self.logs()

    def evaluate(self, *args, **kwargs):
        """Raises ValueError: clusters are not named, and have no accuracy."""
        raise ValueError(
            "`evaluate` of ClusteringAAE has no meaning, as no cluster is a class by itself: use "
            "`metrics.majority_vote_accuracy(labels, aae.classify(pictures))`, and for samples "
            "`metrics.evaluate(aae, reals, ['fid'])`"
        )


def two_code_networks(shape, num_classes, latent_dim, seed=None, **of_encoder):
    """The paper's networks for a class and a style, by the constructors' argument names."""
    own = {n: derive_seed(seed, n) for n in ("class_discriminator", "latent_discriminator")}
    sizes = (shape, latent_dim, num_classes)
    return {
        "generator": build_aae_generator(*sizes, seed=seed),
        "encoder": build_aae_encoder(*sizes, seed=seed, **of_encoder),
        "class_discriminator": build_aae_discriminator(
            num_classes, seed=own["class_discriminator"]
        ),
        "latent_discriminator": build_aae_discriminator(
            latent_dim, seed=own["latent_discriminator"]
        ),
    }


def check_code_prior(model, prior, generator):
    """Returns the prior's name, or raises ValueError where it does not fit classes or codes."""
    known = ("gaussian", *SHAPED) if model.num_classes is None else tuple(SHAPED)
    prior = known[0] if prior is None else prior
    if prior not in known:
        raise ValueError(
            f"`prior` must be one of {list(known)}, as num_classes is {model.num_classes}. "
            f"Received: {prior!r}"
        )
    codes = tuple(generator.inputs[0].shape[1:])
    if prior in SHAPED and codes != (2,):
        raise ValueError(
            f"`generator` must take codes of shape (2,) where `prior` is {prior!r}. "
            f"Received: a generator of codes of shape {codes}"
        )
    if model.unlabelled and model.num_classes is None:
        raise ValueError("`unlabelled` must be False where num_classes is None. Received: True")
    return prior


def check_code_discriminator(name, discriminator, generator, num_classes=None, number=0):
    """Raises ValueError unless it takes the generator's `number`-th code, and labels if so wanted.

    Args:
        name: what errors call it.
        discriminator, generator: built `keras.Model`s.
        num_classes: number of classes beside codes, or `None`.
        number: which of the generator's inputs is its code.
    """
    wanted = [tuple(generator.inputs[number].shape[1:])]
    wanted += [] if num_classes is None else [()]
    taken = [tuple(tensor.shape[1:]) for tensor in discriminator.inputs]
    made = [tuple(tensor.shape[1:]) for tensor in discriminator.outputs]
    if taken != wanted or made != [(1,)]:
        raise ValueError(
            f"`{name}` must take inputs of shapes {wanted}, codes"
            f"{'' if num_classes is None else ' and int labels'}, and have one output of shape "
            f"(1,). Received: a network of inputs {taken} and outputs {made}"
        )
    encoded = sorted(set(encoded_classes(discriminator)))
    if num_classes is not None and encoded not in ([], [num_classes + 1]):
        raise ValueError(
            f"`{name}` must take {num_classes + 1} labels, those of {num_classes} classes and the "
            f"one of codes without. Received: layers for {encoded} labels"
        )


def check_two_codes(generator, encoder):
    """The number of classes of a model with a class and a style.

    Raises:
        ValueError: the generator takes other codes than the encoder makes, or there are less than
            two classes.
    """
    check_fits("encoder", encoder, generator)
    taken = [tuple(tensor.shape[1:]) for tensor in generator.inputs]
    made = [tuple(tensor.shape[1:]) for tensor in encoder.outputs]
    if taken != made or [len(shape) for shape in made] != [1, 1]:
        raise ValueError(
            "`encoder` must have the outputs [styles (batch, d), logits of the classes (batch, "
            "K)], and `generator` the inputs [styles, probabilities of the classes]. Received: "
            f"an encoder with outputs of shapes {made}, a generator with inputs of shapes {taken}"
        )
    return check_int("num_classes", made[1][0], 2)
