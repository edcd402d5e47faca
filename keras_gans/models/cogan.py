"""Coupled Generative Adversarial Networks, Liu and Tuzel, 2016 (arXiv:1606.07536).

Two GANs, each of one domain, learn the joint distribution of both from samples of each alone: no
picture of A is ever seen beside the picture of B that belongs to it. Their generators decode the
same latents z, and have their first layers in common, which decide on what there is to see; the
discriminators have their last layers in common. The game is (equation 8)

    max_{g1, g2} min_{f1, f2}  E[-log f1(a)] + E[-log(1 - f1(g1(z)))]
                             + E[-log f2(b)] + E[-log(1 - f2(g2(z)))],    a ~ A, b ~ B, z ~ p_Z

subject to equal weights of the first layers of g1 and g2, and of the last layers of f1 and f2
(sections 3 and A). Here they are the same layers, as one network of two outputs.

As in the authors' code both domains are one minibatch of the discriminators, whose losses are means
over the 2 N pictures of it; each step takes one of the discriminators and one, with new latents, of
the generators, by the non-saturating loss; z is U(-1, 1) as in the paper and its Caffe code, where
their PyTorch code has N(0, 1). Adam has rate 2e-4 and beta_1 0.5, and in the authors' code a weight
decay of 5e-4 inside of its moments (`optimizers.AdamL2`), which the paper does not have.

Deviations from the paper:
- The generators' loss is the non-saturating one, as in the authors' code.
- `keras_gans.networks.cogan` lists those of the networks.
"""

import keras
from keras import ops

from keras_gans.checks import check_fits, check_flag
from keras_gans.losses import minimax_discriminator_loss, non_saturating_generator_loss
from keras_gans.networks.coupling import LETTERS, couple, halves, shared_weights
from keras_gans.networks.defaults import cogan_pairs
from keras_gans.optimizers import AdamL2
from keras_gans.papers import Paper, Recipe
from keras_gans.training import kinds
from keras_gans.training.base import AdversarialModel
from keras_gans.training.ports import Port


@keras.saving.register_keras_serializable("keras_gans")
class CoGAN(AdversarialModel):
    """Two GANs of two domains whose generators have layers in common, and decode the same latents.

    Args:
        generators: pair of built `keras.Model`s, latents (batch, latent_dim) to samples (batch,
            ...) of domain A and of B, which call the same first layers: the paper's are of
            `build_cogan_generators`. Or one model of two such outputs.
        discriminators: pair of built `keras.Model`s, samples of A and of B to logits, which call
            the same last layers: the paper's are of `build_cogan_discriminators`. Or one model of
            two such inputs and outputs.
        shared: whether generators, and discriminators, must have layers in common. `False` is for
            comparisons: without, the two GANs have nothing to do with each other.
        ema_decay: decay in (0, 1) of averaged generators, or `None`.
        latent_prior: "normal" for N(0, 1) or "uniform" for U(-1, 1); `None` for the paper's.
        seed: integer that fixes every random draw, or `None`.

    Attributes:
        generators: `keras.Model` of the outputs [samples of A, samples of B], latents to both.
        discriminators: `keras.Model`, [samples of A, samples of B] to the logits of each.

    Raises:
        ValueError: the generators take latents of different lengths, a network does not fit
            another, or nothing is shared: also where a layer was copied in place of being shared.

    Input shape:
        Pairs of reals (batch, ...) of A and of B, float32, pictures in [-1, 1]; a row of one has
        nothing to do with the same row of the other (`datasets.unpaired`).

    Example:

    >>> shape = (28, 28, 1)
    >>> gan = CoGAN(build_cogan_generators(shape), build_cogan_discriminators(shape), seed=0)
    >>> a = load("mnist_5k", "train[:50%]", batch_size=64)
    >>> b = load("mnist_5k_edges", "train[50%:]", batch_size=64)
    >>> history = gan.fit(unpaired(a, b), epochs=10)
    >>> digits, edges = gan.generate(32, seed=1)
    >>> digits.shape, edges.shape
    ((32, 28, 28, 1), (32, 28, 28, 1))
    >>> gan.generate(32, seed=1, port="b").shape
    (32, 28, 28, 1)

    Networks of one's own call the same layers:

    >>> latents = keras.Input((16,))
    >>> trunk = keras.layers.Dense(64, "relu")(latents)
    >>> generators = [keras.Model(latents, keras.layers.Dense(2)(trunk)) for domain in "ab"]

    Reference:
        https://arxiv.org/abs/1606.07536
    """

    paper = Paper(
        title="Coupled Generative Adversarial Networks",
        authors="Liu and Tuzel",
        year=2016,
        arxiv="1606.07536",
    )
    recipe = Recipe(
        dataset="fashion_mnist_10k",
        dataset_b="fashion_mnist_10k_edges",
        batch_size=128,
        steps=5_000,
        latent_dim=100,
        status="trained",
    )
    players = {"discriminator": ("discriminators",), "generator": ("generators",)}
    judges = ("discriminator",)
    contests = {"discriminator_loss": "generator_loss"}
    averaged = ("generators",)
    latent_prior = "uniform"

    def __init__(
        self,
        generators,
        discriminators,
        shared=True,
        ema_decay=None,
        latent_prior=None,
        seed=None,
        name=None,
    ):
        self.shared, networks = check_flag("shared", shared), {}
        for each, given, one_input in (
            ("generators", generators, True),
            ("discriminators", discriminators, False),
        ):
            networks[each] = couple(each, given, one_input, shared)
        super().__init__(
            **networks, ema_decay=ema_decay, latent_prior=latent_prior, seed=seed, name=name
        )
        pairs = zip(halves(self.generators), halves(self.discriminators), strict=True)
        for domain, (generator, discriminator) in enumerate(pairs):
            name, maker = f"discriminators[{domain}]", f"generators[{domain}]"
            check_fits(name, discriminator, generator, maker)

    def default_optimizers(self):
        """Adam with rate 2e-4 and beta_1 0.5 for both; the authors' code has an L2 of 5e-4."""
        return {player: AdamL2(2e-4, beta_1=0.5, l2=5e-4) for player in self.players}

    @classmethod
    def default_networks(
        cls,
        shape,
        num_classes=None,
        latent_dim=None,
        seed=None,
        other_shape=None,
        width=128,
        discriminator_width=None,
        shared=True,
    ):
        """The authors' for pictures, dense ones for points.

        Args:
            shape, num_classes, latent_dim, seed: see `AdversarialModel.default_networks`.
            other_shape: shape of domain B's samples; that of A when `None`.
            width: channels of the generators' last common layer.
            discriminator_width: channels of the discriminators' first layers; 20 of 128 of `width`
                when `None`, as in the authors' code.
            shared: whether they have layers in common.
        """
        latent_dim = cls.recipe.latents_of(shape, latent_dim)
        widths = width, discriminator_width
        pairs = cogan_pairs(shape, latent_dim, other_shape, *widths, shared, seed)
        return dict(zip(("generators", "discriminators"), pairs, strict=True))

    def train_step(self, data):
        (reals,) = self.minibatches(data, 1)

        fakes = self.generators(self.sample_latents(reals[0]), training=True)
        with self.update("discriminator") as losses:
            real_logits = ops.concatenate(self.discriminators(reals, training=True))
            fake_logits = ops.concatenate(self.discriminators(fakes, training=True))
            losses["discriminator"] = minimax_discriminator_loss(real_logits, fake_logits)

        with self.update("generator") as losses:
            fakes = self.generators(self.sample_latents(reals[0]), training=True)
            fake_logits = ops.concatenate(self.discriminators(fakes, training=True))
            losses["generator"] = non_saturating_generator_loss(fake_logits)
        return self.logs()

    def call(self, latents, training=False):
        return self.generators(latents, training=training)

    @property
    def sampler(self):
        """The generator of domain A, or its average where there is one."""
        return self._generator_of(0)

    def _generator_of(self, domain):
        source = self.ema_generators or self.generators
        return self._part(f"generator_{domain}", lambda: halves(source)[domain], source)

    def data_spec(self):
        """Reals of A and, with nothing to do with them, of B."""
        return tuple(
            kinds.samples(f"reals_{letter}", shape[1:])
            for letter, shape in zip(LETTERS, self.generators.output_shape, strict=True)
        )

    def ports(self):
        """Samples "a" and "b", of the same latents."""
        latents = (kinds.Latents("latents", self.latent_shape, self.latent_prior),)
        return {
            letter: Port(
                latents,
                self._generator_of(domain),
                kinds.samples("samples", self.generators.output_shape[domain][1:]),
                beside=domain > 0,
            )
            for domain, letter in enumerate(LETTERS)
        }

    def shared_parameters(self):
        """How many parameters both generators have, and both discriminators: `{network: number}`.

        Example:

        >>> CoGAN.from_paper((28, 28, 1)).shared_parameters()
        {'generators': 7837316, 'discriminators': 426052}
        """
        networks = {"generators": self.generators, "discriminators": self.discriminators}
        return {
            name: sum(int(ops.size(w)) for w in shared_weights(network))
            for name, network in networks.items()
        }

    def get_config(self):
        return {**super().get_config(), "shared": self.shared}
