"""What models that make pictures out of pictures share."""

import numpy as np
import tensorflow as tf

from keras_gans import checks
from keras_gans.datasets.pictures import convert
from keras_gans.images import to_uint8
from keras_gans.training import kinds, pipeline
from keras_gans.training.base import AdversarialModel
from keras_gans.training.ports import Port

SHOWN = 8


class Translator(AdversarialModel):
    """A model that makes pictures out of pictures, where others have latents.

    `generate` says what to use instead. A subclass writes, besides what `AdversarialModel` asks
    for,

    - `sampler`, the network that makes the samples, and `call`;
    - `translate(pictures, ...)`, by way of `pictures_for` and `apply_to`;
    - `translation_grid(...)`, which takes uint8 pictures, an array for each part of the data, and
      returns those of a grid, row after row (`rows_of_grid`).
    """

    latent_prior = None
    rows_at_once = 8

    # No property: Keras looks for weights in all of them when it saves.
    def directions(self):
        """The networks that translate, by name, as they are exported; the first is the default."""
        return {"translate": self.sampler}

    def ports(self):
        """A port for each direction: pictures to pictures."""
        return {name: self._port(network) for name, network in self.directions().items()}

    def _port(self, network):
        made = kinds.samples("pictures", network.output_shape[1:])
        return Port((kinds.Pictures("images", tuple(network.input_shape[1:])),), network, made)

    def generate(self, num=None, seed=None, labels=None, port=None):
        raise ValueError(
            f"{type(self).__name__} makes pictures out of pictures, not out of latents: use "
            f"`translate(pictures)`. Received: generate({num!r})"
        )

    def interpolate(self, seed_a=None, seed_b=None, steps=9, labels=None, port=None):
        raise ValueError(
            f"{type(self).__name__} makes pictures out of pictures and has no latents to go "
            f"between: use `translate(pictures)`. Received: interpolate({seed_a!r}, {seed_b!r})"
        )

    def pictures_for(self, network, pictures, name="pictures"):
        """A user's pictures as a network takes them.

        Args:
            network: built `keras.Model` of pictures.
            pictures: array (num, H, W, C), uint8, or float in [-1, 1].
            name: what errors call the pictures.

        Returns:
            float32 array (num, H, W, C) in [-1, 1].

        Raises:
            ValueError: the pictures are not as said, or there are none.
        """
        if not np.size(pictures):
            raise ValueError(f"`{name}` must hold at least one picture. Received: none")
        return kinds.Pictures(name, tuple(network.inputs[0].shape[1:])).from_border(pictures)

    def apply_to(self, pictures, network):
        """What a network makes of float32 pictures in [-1, 1], a few at a time."""
        return self._run(network, pictures)

    def grid_of(self, dataset, num=SHOWN):
        """What sample grids show while the model learns: translations of some of its data.

        Args:
            dataset: what the model is trained on; its first examples are shown.
            num: how many of them, the columns of the grid.

        Returns:
            The pair (function of the model that returns uint8 pictures, columns), as
            `callbacks.SampleGrid` takes them.
        """
        first = next(iter(dataset.unbatch().batch(num)))
        parts = pipeline.select(first, self.data_spec(), type(self).__name__)
        parts = [to_uint8(part) for part in parts]
        return lambda model: model.translation_grid(*parts), len(parts[0])


class OneWayTranslator(Translator):
    """Translators of pictures of one set into pictures of another, as a rule by `generator`."""

    @property
    def sampler(self):
        """The generator, or its average where there is one."""
        return self.ema_generator or self.generator

    def call(self, pictures, training=False):
        return self.generator(pictures, training=training)

    def translate(self, pictures):
        """What becomes of pictures, by the average where there is one.

        Args:
            pictures: array (num, H, W, C), uint8, or float32 in [-1, 1].

        Returns:
            uint8 array (num, H, W, D).

        Raises:
            ValueError: the pictures do not fit the network.
        """
        return to_uint8(self.apply_to(self.pictures_for(self.sampler, pictures), self.sampler))


class TwoWayTranslator(Translator):
    """Translators between two sets, A and B: networks `generator_a_to_b` and `generator_b_to_a`."""

    def data_spec(self):
        generators = {"reals_a": self.generator_a_to_b, "reals_b": self.generator_b_to_a}
        return tuple(
            kinds.Pictures(name, tuple(g.input_shape[1:])) for name, g in generators.items()
        )

    @property
    def sampler(self):
        """The generator from A to B, or its average where there is one."""
        return self.translator("b")

    def directions(self):
        """`{"a_to_b": network, "b_to_a": network}`."""
        return {"a_to_b": self.translator("b"), "b_to_a": self.translator("a")}

    def call(self, pictures, training=False):
        return self.generator_a_to_b(pictures, training=training)

    def translator(self, to):
        """The generator to set "a" or "b", or its average where there is one."""
        checks.check_member("to", to, ("a", "b"))
        name = {"a": "generator_b_to_a", "b": "generator_a_to_b"}[to]
        return getattr(self, f"ema_{name}") or getattr(self, name)

    def translate(self, pictures, to="b"):
        """Pictures of one set as those of the other, by the averaged generators if there are any.

        Args:
            pictures: array (num, H, W, C), uint8, or float32 in [-1, 1].
            to: "b" for pictures of A, or "a" for pictures of B.

        Returns:
            uint8 array (num, H, W, C).

        Raises:
            ValueError: the pictures do not fit the generator, or `to` is neither.
        """
        translator = self.translator(to)
        return to_uint8(self.apply_to(self.pictures_for(translator, pictures), translator))

    def translation_grid(self, pictures_a, pictures_b):
        """Six rows for `callbacks.SampleGrid`: A, G(A), F(G(A)) and B, F(B), G(F(B)).

        Args:
            pictures_a, pictures_b: arrays (num, H, W, C), uint8, or float32 in [-1, 1].

        Returns:
            uint8 array (6 num, H, W, C), row after row.

        Example:

        >>> grid = SampleGrid("samples", columns=8, samples=lambda m: m.translation_grid(a, b))
        """
        rows, to_a, to_b = [], self.translator("a"), self.translator("b")
        for pictures, there, back in ((pictures_a, to_b, to_a), (pictures_b, to_a, to_b)):
            pictures = self.pictures_for(there, pictures)
            translated = self.apply_to(pictures, there)
            rows += [pictures, translated, self.apply_to(translated, back)]
        return rows_of_grid(*rows)


def check_as_many(name, pictures, other, others):
    """Raises ValueError unless there is one picture for each of others, all called by name."""
    if len(pictures) != len(others):
        raise ValueError(
            f"`{name}` must be as many as `{other}`, {len(others)}. Received: {len(pictures)}"
        )


def rows_of_grid(*rows):
    """Rows of pictures as one array, row after row, as `images.make_grid` takes them.

    Args:
        *rows: float arrays (num, H, W, C) in [-1, 1] of one H and W. Where some are in colour and
            some in grey, the grey ones get equal colours.

    Returns:
        uint8 array (all of them, H, W, C).
    """
    channels = max(row.shape[-1] for row in rows)
    rows = [convert(tf.constant(to_uint8(row)), channels=channels).numpy() for row in rows]
    return np.concatenate(rows)
