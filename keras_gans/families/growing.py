"""Models that grow: a stage is a model for one size of picture, and `grow()` gives the next."""

import keras
from keras import ops

from keras_gans.checks import check_count, check_fits, check_flag
from keras_gans.devices.replicas import num_replicas
from keras_gans.layers.fade_in import FadeIn, set_alpha
from keras_gans.networks.progan import check_levels, copy_layers
from keras_gans.training.base import AdversarialModel


class GrowingModel(AdversarialModel):
    """One stage of a growing two-player model (Karras et al., 2018, arXiv:1710.10196, section 2).

    A subclass defines `default_optimizers` and `train_step`, which begins with `fade(reals)`. All
    that differs between stages is in the networks: their `FadeIn` layers, if they have any, follow
    the real pictures that this stage has seen, and so does the detail in the real pictures.

    Args:
        generator: built `keras.Model`, latents (batch, latent_dim) to pictures, with a method
            `grow()` that returns the network for twice the size, such as `ProGANGenerator`.
        discriminator: built `keras.Model`, pictures to logits, likewise.
        fade_pictures: real pictures over which alpha goes from 0 to 1.
        n_critic: discriminator steps for each generator step.
        ema_decay, latent_prior, seed, name: see `AdversarialModel`.
        mirror: whether half of the real pictures, at random, are mirrored left to right.
    """

    players = {"discriminator": ("discriminator",), "generator": ("generator",)}
    judges = ("discriminator",)
    reported = ("alpha",)

    def __init__(
        self,
        generator,
        discriminator,
        fade_pictures,
        n_critic,
        ema_decay=None,
        latent_prior=None,
        seed=None,
        name=None,
        mirror=False,
    ):
        networks = {"generator": generator, "discriminator": discriminator}
        super().__init__(
            **networks, ema_decay=ema_decay, latent_prior=latent_prior, seed=seed, name=name
        )
        check_fits("discriminator", discriminator, generator)
        self.fade_pictures = check_count("fade_pictures", fade_pictures)
        self.n_critic = check_count("n_critic", n_critic)
        self.mirror = check_flag("mirror", mirror)
        self.fades = any(isinstance(layer, FadeIn) for layer in generator.layers)
        self.pictures_seen = self.add_weight(
            name="pictures_seen", shape=(), dtype="int64", initializer="zeros", trainable=False
        )

    @property
    def minibatches_per_step(self):
        return self.n_critic

    def fade(self, reals):
        """Sets alpha by the pictures seen so far, counts these, and takes their detail to alpha.

        Where the fade is over with this minibatch, optimizers that can restart do so.
        """
        seen = ops.shape(reals)[0] * num_replicas()
        alpha = self.alpha
        if self.fades:
            left = self.fade_pictures - ops.cast(self.pictures_seen, "int64")
            self._restart(ops.logical_and(left <= 0, left > -ops.cast(seen, "int64")))
        if self.mirror:
            kept = self.random_uniform(reals, (1, 1, 1)) < 0.5
            reals = ops.where(kept, reals, ops.flip(reals, axis=2))
        self.report(alpha=alpha)
        self.pictures_seen.assign(self.pictures_seen + ops.cast(seen, "int64"))
        for network in filter(None, (self.generator, self.discriminator, self.ema_generator)):
            set_alpha(network, alpha)
        if not self.fades:
            return reals
        coarse = ops.average_pool(reals, 2)
        coarse = ops.repeat(ops.repeat(coarse, 2, axis=1), 2, axis=2)
        return coarse + alpha * (reals - coarse)

    def _restart(self, condition):
        for player in self.players:
            optimizer = getattr(self, f"{player}_optimizer", None)
            optimizer = getattr(optimizer, "inner_optimizer", optimizer)
            if hasattr(optimizer, "restart"):
                optimizer.restart(condition)

    @property
    def alpha(self):
        """How far this stage's new layers are faded in, in [0, 1]: float32 scalar."""
        seen = ops.cast(self.pictures_seen, "float32")
        return ops.minimum(seen / self.fade_pictures, 1.0) if self.fades else ops.ones(())

    @classmethod
    def stages(cls, shape, batch_size=None):
        """The stages up to pictures of a shape, each with the minibatch of its recipe.

        Args:
            shape: (H, W, C) of the last stage.
            batch_size: minibatch of all stages, or `None` for the recipe's.

        Returns:
            List of pairs (shape, batch size).

        Raises:
            ValueError: no stages lead to such a shape.

        Example:

        >>> ProGAN.stages((16, 16, 3))
        [((4, 4, 3), 16), ((8, 8, 3), 16), ((16, 16, 3), 16)]
        """
        sizes, _ = check_levels(tuple(shape), filters_base=2**30, filters_max=1)
        known = cls.recipe.large_batch_sizes
        own = [batch_size or known.get(h, cls.recipe.batch_size) for h, _ in sizes]
        return [((*size, shape[2]), batch) for size, batch in zip(sizes, own, strict=True)]

    def grow(self, **settings):
        """The next stage: a new model for pictures of twice the size; this one stays as it is.

        It has copies of the trained layers and of their averages, the first weights of the new
        layers, the random stream, and optimizers of the same settings without their state.

        Args:
            **settings: constructor arguments that the next stage has otherwise, such as
                `fade_pictures`.
        """
        with self.distribute_strategy.scope():
            networks = {name: getattr(self, name).grow() for name in self.network_names}
            own = {n: v for n, v in self.get_config().items() if n not in networks}
            own = keras.saving.deserialize_keras_object(own)
            grown = type(self)(**{**own, **networks, **settings})
            grown.random_state.set_weights(self.random_state.get_weights())
            if self.ema_generator is not None and grown.ema_generator is not None:
                copy_layers(self.ema_generator, grown.ema_generator)
            if self.compiled:
                grown.compile_from_config(self.get_compile_config())
        return grown

    def get_config(self):
        names = ("fade_pictures", "n_critic", "mirror")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
