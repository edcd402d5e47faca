"""Unsupervised Cross-Domain Image Generation, Taigman et al., 2017 (arXiv:1611.02200): the domain
transfer network.

Pictures of a source S are to become pictures of a target T that mean the same. What they mean is
what a network f says that was trained before, as a rule to tell the classes of S, and that is never
trained here. A decoder g makes pictures out of its features, and G = g after f. Of a minibatch s of
S and t of T, which have nothing to do with each other, the discriminator tells three classes of
pictures: 1 is G(s), 2 is G(t) and 3 is t:

    L_D     = -E log D_1(G(s)) - E log D_2(G(t)) - E log D_3(t)
    L_GANG  = -E log D_3(G(s)) - E log D_3(G(t))
    L_CONST = E d(f(s), f(G(s)))
    L_TID   = E d_2(t, G(t))
    L_TV    = E sum_ij ((z_{i,j+1} - z_ij)^2 + (z_{i+1,j} - z_ij)^2)^(1/2), of pictures z of G

(equations 3 to 7). D minimizes L_D, and g minimizes

    L_GANG + alpha L_CONST + beta L_TID + gamma L_TV

where d and d_2 are mean squared errors, alpha is `constancy_weight`, beta `identity_weight` and
gamma `tv_weight`. With alpha = beta = 15 and gamma = 0 they are the paper's for digits; for faces
it has 100, 1 and 0.05. f(s) is a constant; the gradient of f(G(s)) goes through f to g.

A target that is grey is given to an f of colours with equal colours: G(s) in L_CONST, and t.

Deviations from the paper:
- Adam's settings and the minibatch are those of DCGAN, whose layers the networks have.
- D is updated first, and G makes its pictures once for both updates.
- G makes what it makes of both minibatches in one pass, and so normalizes both alike, as it does
  when it translates; D sees each of its classes in a pass of its own.
- L_TV is of G(s) and of G(t), their mean.
- `from_paper` has filters of its own in g and D, and halves pictures as often as their sizes allow;
  see `networks.dtn`.
"""

import keras
from keras import ops

from keras_gans.checks import check_fits, check_not_negative, check_path
from keras_gans.devices.randomness import derive_seed
from keras_gans.families.translation import OneWayTranslator, check_as_many, rows_of_grid
from keras_gans.losses import class_cross_entropy, mean_squared_error, total_variation
from keras_gans.networks import build_dtn_decoder, build_dtn_discriminator
from keras_gans.optimizers import adam
from keras_gans.papers import Paper, Recipe
from keras_gans.training import kinds

OF_SOURCE, OF_TARGET, TARGET = range(3)  # the paper's classes 1, 2 and 3


@keras.saving.register_keras_serializable("keras_gans")
class DTN(OneWayTranslator):
    """A decoder that makes pictures of the target out of what a frozen encoder says of any picture.

    Args:
        decoder: built `keras.Model`, the encoder's features to pictures (batch, H, W, D) of the
            target, in [-1, 1]; the paper's g, of `build_dtn_decoder`.
        discriminator: built `keras.Model`, pictures (batch, H, W, D) to logits (batch, 3) of the
            classes G(s), G(t) and t; the paper's is of `build_dtn_discriminator`.
        encoder: built and trained `keras.Model`, pictures (batch, H, W, C) of the source to
            features; the paper's f. C is D, or D is 1. It is frozen: its `trainable` becomes False.
        constancy_weight: weight of the distance of f(G(s)) to f(s), the paper's alpha; at least 0.
        identity_weight: weight of the distance of G(t) to t, the paper's beta; at least 0.
        tv_weight: weight of the total variation of what is made, the paper's gamma; at least 0.
        ema_decay: decay in (0, 1) of an averaged decoder, or `None`.
        seed: integer that fixes every random draw, or `None`.

    Raises:
        ValueError: the networks do not fit each other, or a weight is out of its range.

    Input shape:
        Pairs of minibatches of the source (batch, H, W, C) and of the target (batch, H, W, D),
        float32 in [-1, 1], without a relation between them (`datasets.unpaired`).

    Example:

    >>> encoder = build_dtn_encoder((32, 32, 3))
    >>> classifier = build_dtn_classifier(encoder, num_classes=10)
    >>> classifier.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    >>> history = classifier.fit(load("house_numbers/", labels=True))
    >>> gan = DTN.from_paper((32, 32, 3), other_shape=(32, 32, 1), encoder=encoder)
    >>> sets = unpaired(load("house_numbers/"), load("mnist_5k", image_size=32))
    >>> history = gan.fit(sets, epochs=10)
    >>> digits = gan.translate(house_numbers)

    Reference:
        https://arxiv.org/abs/1611.02200
    """

    paper = Paper(
        title="Unsupervised Cross-Domain Image Generation",
        authors="Taigman et al.",
        year=2017,
        arxiv="1611.02200",
    )
    recipe = Recipe(
        dataset="fashion_mnist_10k",
        dataset_b="fashion_mnist_10k_edges",
        batch_size=128,
        steps=3000,
        latent_dim=None,
        status="short runs",
    )
    players = {"discriminator": ("discriminator",), "generator": ("decoder",)}
    judges = ("discriminator",)
    contests = {"discriminator_loss": "adversarial_loss"}
    averaged = ("decoder",)
    reported = ("adversarial_loss", "constancy_loss", "identity_loss", "tv_loss")
    loss_terms = reported

    def __init__(
        self,
        decoder,
        discriminator,
        encoder,
        constancy_weight=15.0,
        identity_weight=15.0,
        tv_weight=0.0,
        ema_decay=None,
        seed=None,
        name=None,
    ):
        super().__init__(
            decoder=decoder,
            discriminator=discriminator,
            encoder=encoder,
            ema_decay=ema_decay,
            seed=seed,
            name=name,
        )
        check_chain(encoder, decoder)
        check_fits("discriminator", discriminator, decoder, "decoder")
        if discriminator.output_shape != (None, 3):
            raise ValueError(
                "`discriminator` must make logits of three classes, (batch, 3). "
                f"Received: one that makes {discriminator.output_shape}"
            )
        self.constancy_weight = check_not_negative("constancy_weight", constancy_weight)
        self.identity_weight = check_not_negative("identity_weight", identity_weight)
        self.tv_weight = check_not_negative("tv_weight", tv_weight)
        encoder.trainable = False

    def default_optimizers(self):
        """Adam with rate 2e-4 and beta_1 0.5 for both, as in DCGAN."""
        return {player: adam(2e-4, beta_1=0.5) for player in self.players}

    @classmethod
    def default_networks(
        cls,
        shape,
        num_classes=None,
        latent_dim=None,
        seed=None,
        encoder=None,
        other_shape=None,
        width=128,
    ):
        """A decoder and a discriminator for an encoder that was trained before.

        Args:
            shape, num_classes, latent_dim, seed: see `from_paper`.
            encoder: see the class; or the path of a .keras file of it.
            other_shape: (H, W, D) of the target's pictures; `shape` when `None`.
            width: filters of the discriminator's first layer and the decoder's last hidden one.

        Raises:
            ValueError: an argument does not fit the networks, or there is no encoder.
        """
        shape, other_shape = tuple(shape), tuple(other_shape or shape)
        discriminator = build_dtn_discriminator(
            other_shape, width=width, seed=derive_seed(seed, "discriminator")
        )
        if encoder is None:
            raise ValueError(
                "`encoder` must be given, a network or the path of a .keras file: DTN translates "
                "by the features of a network that was trained before, such as that of "
                "`build_dtn_encoder` in a classifier of the source's pictures "
                "(`build_dtn_classifier`). Received: None"
            )
        encoder = encoder if isinstance(encoder, keras.Model) else read_encoder(encoder)
        fits = encoder.input_shape == (None, *shape) and len(encoder.outputs) == 1
        if not fits or encoder.outputs[0].ndim != 2:
            raise ValueError(
                f"`encoder` must make features (batch, d) of pictures of `shape`, {shape}. "
                f"Received: one of {encoder.input_shape} to {encoder.output_shape}"
            )
        decoder = build_dtn_decoder(
            encoder.output_shape[1], other_shape, width=width, seed=derive_seed(seed, "decoder")
        )
        return {"decoder": decoder, "discriminator": discriminator, "encoder": encoder}

    def data_spec(self):
        return (
            kinds.Pictures("sources", tuple(self.encoder.input_shape[1:])),
            kinds.Pictures("targets", tuple(self.decoder.output_shape[1:])),
        )

    @property
    def sampler(self):
        """G: the decoder, or its average where there is one, after the encoder."""
        return self._behind_encoder(self.ema_decoder or self.decoder)

    def _behind_encoder(self, decoder):
        def build():
            pictures = keras.Input(self.encoder.input_shape[1:], name="pictures")
            made = decoder(self.encoder(pictures, training=False))
            return keras.Model(pictures, made, name="dtn")

        name = f"generator_{decoder is self.decoder}"
        return self._part(name, build, self.encoder, decoder)

    def call(self, pictures, training=False):
        return self.decoder(self.features_of(pictures), training=training)

    def train_step(self, data):
        ((sources, targets),) = self.minibatches(data, 1)
        of_sources, of_targets = self.features_of(sources), self.features_of(targets)
        num = ops.shape(sources)[0]
        with self.update("generator") as losses:
            fakes = self.decoder(ops.concatenate([of_sources, of_targets]), training=True)
            from_sources, from_targets = fakes[:num], fakes[num:]
            with self.update("discriminator") as of_discriminator:
                of_discriminator["discriminator"] = (
                    self.surprise(OF_SOURCE, ops.stop_gradient(from_sources))
                    + self.surprise(OF_TARGET, ops.stop_gradient(from_targets))
                    + self.surprise(TARGET, targets)
                )
            adversarial_loss = self.surprise(TARGET, from_sources)
            adversarial_loss += self.surprise(TARGET, from_targets)
            constancy_loss = mean_squared_error(of_sources, self.features_of(from_sources))
            identity_loss = mean_squared_error(targets, from_targets)
            tv_loss = total_variation(fakes)
            losses["generator"] = (
                adversarial_loss
                + self.constancy_weight * constancy_loss
                + self.identity_weight * identity_loss
                + self.tv_weight * tv_loss
            )
        self.report(adversarial_loss=adversarial_loss, constancy_loss=constancy_loss)
        self.report(identity_loss=identity_loss, tv_loss=tv_loss)
        return self.logs()

    def features_of(self, pictures):
        """f of pictures (batch, H, W, C) or grey ones; it has no player and is never trained."""
        return self.encoder(in_channels(pictures, self.encoder.input_shape[-1]), training=False)

    def surprise(self, label, pictures):
        """-E log D_label of pictures."""
        logits = self.discriminator(pictures, training=True)
        return class_cross_entropy(ops.full(ops.shape(logits)[:1], label, "int32"), logits)

    def translation_grid(self, sources, targets):
        """Four rows for `callbacks.SampleGrid`: s, G(s), t and G(t), which is to be t again.

        Args:
            sources, targets: arrays (num, H, W, C) and (num, H, W, D), uint8, or float32 in
                [-1, 1].

        Returns:
            uint8 array (4 num, H, W, C or D, whichever is more), row after row.
        """
        check_as_many("targets", targets, "sources", sources)
        sources = self.pictures_for(self.sampler, sources, "sources")
        targets = self.data_spec()[1].from_border(targets)
        seen = ops.convert_to_numpy(in_channels(targets, sources.shape[-1]))
        made, kept = (self.apply_to(each, self.sampler) for each in (sources, seen))
        return rows_of_grid(sources, made, targets, kept)

    def get_config(self):
        names = ("constancy_weight", "identity_weight", "tv_weight")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}


def in_channels(pictures, channels):
    """Pictures as they are, or grey ones (batch, H, W, 1) with as many equal channels as wanted."""
    if pictures.shape[-1] == channels:
        return pictures
    return ops.repeat(pictures, channels, axis=-1)


def read_encoder(path):
    """The network in a .keras file, or a ValueError that says what is wrong with it."""
    try:
        return keras.saving.load_model(check_path("encoder", path), compile=False)
    except (ValueError, OSError) as error:
        raise ValueError(
            "`encoder` must be a network or the path of a .keras file. "
            f"Received: {path!r} ({error})"
        ) from error


def check_chain(encoder, decoder):
    """Raises ValueError unless pictures go through both, and what is made goes in again."""
    made, taken = encoder.output_shape, encoder.input_shape
    if len(encoder.inputs) != 1 or len(encoder.outputs) != 1 or len(taken) != 4:
        raise ValueError(
            "`encoder` must make one output, features, of pictures (batch, H, W, C). "
            f"Received: one of {taken} to {made}"
        )
    if len(decoder.inputs) != 1 or decoder.input_shape != made:
        raise ValueError(
            f"`decoder` must take the features that `encoder` makes, {made}. "
            f"Received: one that takes {decoder.input_shape}"
        )
    (height, width, channels), pictures = taken[1:], decoder.output_shape
    if pictures not in ((None, height, width, channels), (None, height, width, 1)):
        raise ValueError(
            f"`decoder` must make pictures that `encoder` takes, {taken[1:]}, or grey ones of that "
            f"height and width. Received: one that makes {pictures}"
        )
