"""Kinds of data: what a model is trained on, what it is given and what it makes.

A kind is one class that knows all that depends on it: what its values are, how they are checked
before training and in the pipeline, how they leave the package and come in, how a person sees them,
and what an exported model takes. The rest of the package asks it, and never the rank of a shape.

| kind | one example | inside | at the border |
|---|---|---|---|
| `Points` | (d,) | float32 | float32 |
| `Sequences` | (T, F) | float32 | float32 |
| `Pictures` | (H, W, C) | float32 in [-1, 1] | uint8 |
| `Videos` | (T, H, W, C) | float32 in [-1, 1] | uint8 |
| `Masks` | (H, W, 1) | float32, 0 or 1 | uint8, 0 or 255 |
| `Text` | (T,) or (d,) | int32 ids, or float32 vectors | the same |
| `Latents` | (d,) | float32 from a prior | float32 |
| `Labels` | () | int32 in [0, num_classes) | the same |
| `Codes` | (n,) | int32, each in [0, its number of values) | the same |
"""

import dataclasses
import math

import numpy as np
import tensorflow as tf

from keras_gans.devices.randomness import PRIORS, uniform
from keras_gans.images import enlarge, make_grid, plot_curves, plot_points, plot_text, to_uint8

RANGE_TOLERANCE = 1e-3  # resampling filters overshoot by rounding errors, not by more
ANY_SIZE = 64  # of an axis of any size, in examples
SQUARE = 8  # pixels of the squares in examples of pictures
PNG_CHANNELS = (1, 2, 3, 4)

# What `Pictures.from_border` makes of each level. Told to divide, a graph multiplies by a rounded
# 1 / 127.5, and a picture now and then came out one level beside that of `translate`.
LEVELS = np.arange(256, dtype="float32") / np.float32(127.5) - np.float32(1)
FRAMES_SHOWN = 8
PIANO_ROLL = 12  # features from which a sequence is a map of them, and no curves


@dataclasses.dataclass(frozen=True)
class Kind:
    """A part of a dataset's elements, of what a model takes, or of what it makes.

    Args:
        name: what errors call it.
        shape: shape of one example; `None` for an axis of any size.
    """

    name: str
    shape: tuple

    dtype = "float32"
    border_dtype = "float32"
    noun = "samples"
    from_seed = False  # whether values can be drawn that mean as much as those of data
    pictured = False  # whether each example is a uint8 picture at the border
    shown = 64  # examples in one drawing, where nobody says how many
    control = "numbers"  # by what a page is told a value: see examples/web/controls.js
    view = "numbers"  # and by what it shows one: examples/web/views.js

    @property
    def output_name(self):
        """What exported models call what they make of this kind."""
        return self.noun

    def check_shape(self, values):
        """Raises ValueError unless the array `values` has the shape of a batch of this kind."""
        shape = tuple(values.shape[1:])
        if self.shape and self._is_one(tuple(values.shape)):
            raise ValueError(
                f"`{self.name}` must come in batches. Received: a single example of shape "
                f"{tuple(values.shape)}; call dataset.batch(64), or give `{self.name}[None]`"
            )
        if (
            len(values.shape) == 0
            or len(shape) != len(self.shape)
            or any(want not in (None, got) for want, got in zip(self.shape, shape, strict=True))
        ):
            raise ValueError(
                f"`{self.name}` must have the shape of the networks' samples, "
                f"(batch, {', '.join(map(str, self.shape))}). Received: {tuple(values.shape)}"
            )

    def _is_one(self, shape):
        pairs = zip(self.shape, shape, strict=False)
        return len(shape) == len(self.shape) and all(want in (None, got) for want, got in pairs)

    def check(self, values):
        """Raises ValueError unless the array `values` is a batch of this kind."""
        self.check_shape(values)
        self.check_dtype(values)
        values = np.asarray(values)
        bad = values.size - np.count_nonzero(np.isfinite(values))
        if bad:
            raise ValueError(
                f"`{self.name}` must be finite. Received: {bad} of {values.size} values are NaN "
                "or infinite"
            )
        if values.size:
            self.check_range(float(values.min()), float(values.max()))

    def check_dtype(self, values):
        """Raises ValueError unless the values are of a type of this kind."""
        dtype = tf.as_dtype(values.dtype)
        if not dtype.is_floating:
            raise ValueError(f"`{self.name}` must be float32. Received: {dtype.name}")

    def check_range(self, low, high):
        """Raises ValueError where the smallest and largest value are none of this kind's."""

    def checked(self, values):
        """The same within the input pipeline, for every batch: a tensor of the kind's type."""
        return tf.debugging.assert_all_finite(
            tf.cast(values, tf.float32), f"`{self.name}` must be finite: this batch is not"
        )

    def to_border(self, values):
        """A batch as it leaves the package: a numpy array."""
        return np.asarray(values).astype(self.border_dtype)

    def from_border(self, values):
        """A batch as the networks take it, from an array of the border's form or of their own.

        Raises:
            ValueError: it is none of this kind.
        """
        values = np.asarray(values)
        self.check(values)
        return values.astype(self.dtype)

    def spec(self, batch=None):
        """The `tf.TensorSpec` of a batch as the networks take it."""
        return tf.TensorSpec((batch, *self.shape), self.dtype, name=self.name)

    def border_spec(self, batch=None):
        """The `tf.TensorSpec` of a batch at the border."""
        return tf.TensorSpec((batch, *self.shape), self.border_dtype, name=self.name)

    def served_spec(self, raw=False):
        """The `tf.TensorSpec` of a batch of any size in a request, where integers are int64.

        Args:
            raw: whether the request has what networks take, float32 pictures in place of uint8.
        """
        dtype = tf.as_dtype(self.dtype if raw else self.border_dtype)
        dtype = tf.int64 if dtype == tf.int32 else dtype
        return tf.TensorSpec((None, *self.shape), dtype, name=self.name)

    def received(self, values):
        """A request's tensor, of either `served_spec`, as networks take it.

        A server does not check requests by itself: values that are none of this kind are errors
        of the request (INVALID_ARGUMENT), and not of the server.
        """
        values = tf.ensure_shape(values, (None, *self.shape))
        return tf.debugging.check_numerics(
            values, f"`{self.name}` must be finite. Received: values that are not"
        )

    def answer(self, values):
        """What a served model answers with: a dict of named tensors, at the border."""
        return {self.output_name: tf.cast(values, tf.float32)}

    def raw_answer(self, values):
        """The same, as the network made it."""
        return {"samples": tf.cast(values, tf.float32)}

    def examples(self, num, seed=0):
        """Some valid values at the border, for warm-up requests and for trials of exported files.

        Args:
            num: how many.
            seed: integer.

        Returns:
            Array (num, *shape); axes of any size are 64 there.
        """
        values = np.random.default_rng(seed).uniform(-1, 1, (num, *self._sizes()))
        return self.to_border(values.astype("float32"))

    def parse(self, text):
        """One example at the border of what a person has typed, here of numbers.

        Args:
            text: str, as many numbers as an example has, with spaces or commas between.

        Returns:
            Array of the kind's shape.

        Raises:
            ValueError: it is no such text.

        Example:

        >>> Points("points", (2,)).parse("0.5, -1")
        array([ 0.5, -1. ], dtype=float32)
        """
        num = int(np.prod(self._sizes()))
        try:
            values = np.array([float(part) for part in text.replace(",", " ").split()], "float32")
            fits = len(values) == num and np.isfinite(values).all()
        except ValueError:
            fits = False
        if not fits:
            raise ValueError(f"`{self.name}` must be {num} numbers. Received: {text!r}")
        return self.to_border(values.reshape(self._sizes()))

    def describe(self):
        """The kind in JSON's types, as cards have it; `described` reads it.

        Example:

        >>> Latents("latents", (64,)).describe()
        {'kind': 'Latents', 'name': 'latents', 'shape': [64], 'prior': 'normal', 'noun': 'latents',
        'control': 'seed', 'view': 'numbers'}
        """
        fields = dataclasses.asdict(self).items()
        fields = {name: list(v) if isinstance(v, tuple) else v for name, v in fields}
        more = {name: getattr(self, name) for name in ("noun", "control", "view")}
        return {"kind": type(self).__name__, **fields, **more}

    def mirrored(self, values):
        """Values as likely as these, and others, where the kind knows some: pictures mirrored."""
        return values

    def _sizes(self):
        return tuple(ANY_SIZE if size is None else size for size in self.shape)

    def of_samples(self, num, given=None):
        """The values of `num` samples that are to be made.

        Args:
            num: how many.
            given: array (num, *shape), or one example for all, as at the border or inside.

        Returns:
            Tensor (num, *shape) as networks take it.

        Raises:
            ValueError: there are none, they are none of this kind, or not as many.
        """
        if given is None:
            raise ValueError(f"`{self.name}` must be {self.noun} for each sample. Received: None")
        values = np.asarray(given)
        if values.ndim == len(self.shape):
            values = np.repeat(values[None], num, axis=0)
        values = self.from_border(values)
        if len(values) != num:
            raise ValueError(
                f"`{self.name}` must have one for each of {num}. Received: {len(values)}"
            )
        return tf.constant(values)

    def of_seed(self, num, seed):
        """The values of `num` samples where nobody gives them, as `of_samples` returns them.

        Args:
            num: how many.
            seed: integer of the samples, which kinds that are drawn follow.

        Raises:
            ValueError: they must be given.
        """
        return self.of_samples(num)

    def draw(self, values, columns=None, reals=None, limit=None):
        """A batch at the border as a picture for a person.

        Args:
            values: array (num, *shape).
            columns: examples in a row, where there are rows; nearly a square when `None`.
            reals, limit: see `images.plot_points`, for points.

        Returns:
            uint8 array (height, width, channels).
        """
        raise NotImplementedError(f"{type(self).__name__} can't be drawn")

    def animate(self, values, columns=None):
        """The frames of a GIF, where there is more to see in motion; `[]` where there is not."""
        return []


@dataclasses.dataclass(frozen=True)
class Points(Kind):
    """Vectors of few numbers, such as the points of a ring."""

    noun = "points"
    shown = 1000
    view = "points"

    def draw(self, values, columns=None, reals=None, limit=None):
        return plot_points(values, reals=reals, limit=limit)


@dataclasses.dataclass(frozen=True)
class Sequences(Kind):
    """Series of T steps of F numbers, which are finite.

    Fewer than 12 features are drawn as curves over time, more as a map, the first one at the
    bottom, as in a piano roll.
    """

    noun = "sequences"
    view = "curves"

    def draw(self, values, columns=None, reals=None, limit=None):
        values = np.asarray(values)
        if values.shape[-1] < PIANO_ROLL:
            return plot_curves(values, columns=columns)
        low, high = float(values.min()), float(values.max())
        levels = np.rint(255 * (values - low) / max(high - low, 1e-12)).astype("uint8")
        maps = np.flip(levels.transpose(0, 2, 1), axis=1)[..., None]
        return make_grid(enlarge(maps), columns=columns)


@dataclasses.dataclass(frozen=True)
class Pictures(Kind):
    """Pictures of any number of channels in [-1, 1]; at the border they are uint8."""

    border_dtype = "uint8"
    noun = "pictures"
    output_name = "images"
    pictured = True
    control = view = "picture"

    def check_dtype(self, values):
        dtype = tf.as_dtype(values.dtype)
        if not dtype.is_floating:
            raise ValueError(
                f"`{self.name}` must be float32 in [-1, 1]. Received: {dtype.name}; uint8 "
                f"{self.noun} x become x / 127.5 - 1"
            )

    def check_range(self, low, high):
        received = f"Received: values in [{low:.4g}, {high:.4g}]"
        if low < -1 - RANGE_TOLERANCE or high > 1 + RANGE_TOLERANCE:
            hint = "; for [0, 255] pass x / 127.5 - 1" if high > 2 and low >= 0 else ""
            raise ValueError(f"`{self.name}` must be {self.noun} in [-1, 1]. {received}{hint}")
        if low >= 0 and high > low:
            raise ValueError(
                f"`{self.name}` must be {self.noun} in [-1, 1]. {received}, which looks like "
                "[0, 1]; pass 2 * x - 1"
            )

    def checked(self, values):
        values = super().checked(values)
        limit = tf.constant(1 + RANGE_TOLERANCE)
        message = f"`{self.name}` must be {self.noun} in [-1, 1]: this batch is not"
        tf.debugging.assert_less_equal(tf.reduce_max(tf.abs(values)), limit, message)
        return values

    def to_border(self, values):
        return to_uint8(values)

    def from_border(self, values):
        values = np.asarray(values)
        if values.dtype == np.uint8:
            self.check_shape(values)
            return values.astype("float32") / 127.5 - 1.0
        return super().from_border(values)

    def received(self, values):
        if values.dtype == tf.uint8:
            values = tf.ensure_shape(values, (None, *self.shape))
            return tf.gather(LEVELS, tf.cast(values, tf.int32))
        return super().received(values)

    def answer(self, values):
        """uint8 pictures, and each of them as a PNG file; float32 where PNG has no such pictures.

        The same arithmetic as in `images.to_uint8`: both round half to even.
        """
        if self.shape[-1] not in PNG_CHANNELS:
            return self.raw_answer(values)
        images = self._levels(values)
        files = tf.map_fn(tf.io.encode_png, images, fn_output_signature=tf.string)
        return {"images": images, "image_bytes": files}

    def mirrored(self, values):
        return values[..., ::-1, :]

    def from_file(self, picture):
        """One example at the border of a file's picture, uint8 of the kind's shape."""
        return picture

    def _levels(self, values):
        values = tf.clip_by_value(tf.cast(values, tf.float32), -1.0, 1.0)
        return tf.cast(tf.round((values + 1.0) * 127.5), tf.uint8)

    def examples(self, num, seed=0):
        """Squares of random levels, which networks make more of than of noise."""
        *_, height, width, channels = self._sizes()
        shape = (num, *self._sizes()[:-3], -(-height // SQUARE), -(-width // SQUARE), channels)
        levels = np.random.default_rng(seed).integers(0, 256, shape).astype("uint8")
        squares = levels.repeat(SQUARE, axis=-3).repeat(SQUARE, axis=-2)
        return squares[..., :height, :width, :]

    def draw(self, values, columns=None, reals=None, limit=None):
        return make_grid(enlarge(np.asarray(values)), columns=columns)


@dataclasses.dataclass(frozen=True)
class Videos(Pictures):
    """Videos of T pictures, (T, H, W, C). Drawn as strips of film, a video a row."""

    noun = "videos"
    output_name = "videos"
    pictured = False
    shown = 16
    control = view = "frames"

    def answer(self, values):
        return {self.output_name: self._levels(values)}

    def to_border(self, values):
        values = np.asarray(values)
        flat = to_uint8(values.reshape(-1, *values.shape[2:]))
        return flat.reshape(values.shape)

    def draw(self, values, columns=None, reals=None, limit=None):
        values = np.asarray(values)
        shown = np.unique(np.linspace(0, values.shape[1] - 1, FRAMES_SHOWN).round().astype(int))
        frames = values[:, shown]
        return make_grid(enlarge(frames.reshape(-1, *frames.shape[2:])), columns=len(shown))

    def animate(self, values, columns=None):
        """The frames of a GIF: a grid of the videos at each time.

        Args:
            values: uint8 array (num, T, H, W, C).
            columns: videos in a row.

        Returns:
            List of T uint8 arrays (height, width, channels), for `images.save_animation`.
        """
        values = np.asarray(values)
        return [make_grid(enlarge(frames), columns=columns) for frames in values.swapaxes(0, 1)]


@dataclasses.dataclass(frozen=True)
class Masks(Kind):
    """Which pixels of a picture are meant, (H, W, 1): 1 where they are, else 0.

    At the border they are uint8 pictures of 255 and 0; booleans come in too.
    """

    border_dtype = "uint8"
    noun = "masks"
    pictured = True
    control, view = "brush", "mask"

    def check(self, values):
        super().check(values)
        if not np.isin(values, (0.0, 1.0)).all():
            raise ValueError(f"`{self.name}` must be 0 or 1. Received: other numbers too")

    def checked(self, values):
        values = super().checked(values)
        message = f"`{self.name}` must be 0 or 1: this batch is not"
        tf.debugging.assert_equal(values * (1.0 - values), tf.zeros_like(values), message)
        return values

    def to_border(self, values):
        return np.where(np.asarray(values) >= 0.5, 255, 0).astype("uint8")

    def from_border(self, values):
        values = np.asarray(values)
        if values.dtype == np.uint8:
            self.check_shape(values)
            if not np.isin(values, (0, 255)).all():
                raise ValueError(
                    f"`{self.name}` must be 0 or 255 where they are uint8. Received: other levels "
                    "too; pass mask > 127"
                )
            return (values == 255).astype("float32")
        return super().from_border(values.astype("float32") if values.dtype == bool else values)

    def received(self, values):
        values = tf.ensure_shape(values, (None, *self.shape))
        rule, top = ("0 or 255", 255) if values.dtype == tf.uint8 else ("0 or 1", 1)
        fits = tf.reduce_all(tf.equal(values, 0) | tf.equal(values, top))
        values = requested(values, fits, f"`{self.name}` must be {rule}. Received: others too,")
        return tf.cast(tf.equal(values, top), tf.float32)

    def from_file(self, picture):
        """One example at the border of a file's picture: what is light is meant."""
        return self.to_border(picture > 127)

    def answer(self, values):
        return {self.output_name: tf.where(values >= 0.5, tf.constant(255, tf.uint8), 0)}

    def mirrored(self, values):
        return values[..., ::-1, :]

    def examples(self, num, seed=0):
        """Squares that are meant, and others that are not."""
        height, width, _ = self._sizes()
        shape = (num, -(-height // SQUARE), -(-width // SQUARE), 1)
        squares = np.random.default_rng(seed).integers(0, 2, shape).astype("uint8") * np.uint8(255)
        return squares.repeat(SQUARE, axis=1).repeat(SQUARE, axis=2)[:, :height, :width]

    def draw(self, values, columns=None, reals=None, limit=None):
        return make_grid(enlarge(np.asarray(values)), columns=columns)


@dataclasses.dataclass(frozen=True)
class Text(Kind):
    """Captions: int32 ids (T,) of words, or vectors (d,) of an encoder of sentences.

    Args:
        name, shape: see `Kind`.
        vocabulary: number of ids; `None` for vectors.
        words: the words of the ids, for people; `()` where they are not known.
        padding: id that stands for no word.
    """

    vocabulary: int | None = None
    words: tuple = ()
    padding: int = 0

    noun = "text"
    control = view = "words"

    @property
    def dtype(self):
        return "float32" if self.vocabulary is None else "int32"

    border_dtype = dtype

    def check_dtype(self, values):
        if self.vocabulary is None:
            return super().check_dtype(values)
        if not tf.as_dtype(values.dtype).is_integer:
            raise ValueError(
                f"`{self.name}` must be integer ids of words. "
                f"Received: {tf.as_dtype(values.dtype).name}"
            )

    def check_range(self, low, high):
        if self.vocabulary is not None and not (low >= 0 and high < self.vocabulary):
            raise ValueError(
                f"`{self.name}` must be in [0, {self.vocabulary}), the ids of words. "
                f"Received: values in [{low:.0f}, {high:.0f}]"
            )

    def checked(self, values):
        if self.vocabulary is None:
            return super().checked(values)
        return _checked_integers(self.name, values, self.vocabulary)

    def received(self, values):
        if self.vocabulary is None:
            return super().received(values)
        values = tf.ensure_shape(values, (None, *self.shape))
        return _requested_integers(self.name, values, self.vocabulary)

    def answer(self, values):
        dtype = tf.float32 if self.vocabulary is None else tf.int64
        return {self.output_name: tf.cast(values, dtype)}

    raw_answer = answer

    def parse(self, text):
        """One example of what a person has typed: words, or their ids; of vectors, numbers.

        Args:
            text: str of at most T words or ids; what is left is padding.

        Returns:
            int32 array (T,), or float32 (d,).

        Raises:
            ValueError: it is no such text.

        Example:

        >>> words = ("", "a", "red", "small", "bird")
        >>> Text("captions", (6,), vocabulary=5, words=words).parse("a red bird")
        array([1, 2, 4, 0, 0, 0], dtype=int32)
        """
        if self.vocabulary is None:
            return super().parse(text)
        known = {word: index for index, word in enumerate(self.words) if word}
        parts, (length,) = text.replace(",", " ").split(), self._sizes()
        ids = [known.get(part, int(part) if part.isdecimal() else -1) for part in parts]
        if not 0 < len(ids) <= length or not all(0 <= i < self.vocabulary for i in ids):
            some = ", ".join([*known][:8]) + (", …" if len(known) > 8 else "")
            words = f"words such as {some}, or their " if known else ""
            raise ValueError(
                f"`{self.name}` must be 1 to {length} {words}ids from 0 to {self.vocabulary - 1}. "
                f"Received: {text!r}"
            )
        return np.array(ids + [self.padding] * (length - len(ids)), "int32")

    def captions(self, values):
        """The texts of ids (num, T), a str each; of vectors, their first numbers."""
        if self.vocabulary is None:
            return ["(" + ", ".join(f"{v:.2f}" for v in row[:4]) + ", …)" for row in values]
        rows = ([int(i) for i in row if int(i) != self.padding] for row in np.asarray(values))
        return [" ".join(self.words[i] if self.words else str(i) for i in row) for row in rows]

    def examples(self, num, seed=0):
        if self.vocabulary is None:
            return super().examples(num, seed)
        ids = np.random.default_rng(seed).integers(0, self.vocabulary, (num, *self._sizes()))
        return ids.astype("int32")

    def draw(self, values, columns=None, reals=None, limit=None):
        return plot_text(self.captions(values))


@dataclasses.dataclass(frozen=True)
class Latents(Kind):
    """Latents (d,) of a prior.

    Args:
        name, shape: see `Kind`.
        prior: "normal" for N(0, 1) or "uniform" for U(-1, 1).
    """

    prior: str = "normal"

    noun = "latents"
    from_seed = True
    control = "seed"

    raw_answer = Kind.answer

    def of_samples(self, num, seed):
        """Latents (num, *shape) of the prior, a float32 tensor; `seed` is a pair of integers."""
        return PRIORS[self.prior]((num, *self.shape), seed)

    def of_seed(self, num, seed):
        # Training counts its draws from 0 up, so -1 is a stream of its own.
        return self.of_samples(num, (seed, -1))

    def between(self, a, b, steps):
        """Latents on the way from `a` to `b`, both included.

        Of normal ones, whose length is nearly the same for all, that is the arc on which they keep
        it; of uniform ones the straight line.

            z(t) = sin((1 - t) w) / sin(w) a + sin(t w) / sin(w) b,    cos(w) = a b / (|a| |b|)

        Args:
            a, b: arrays (*shape).
            steps: how many, at least 2.

        Returns:
            float32 array (steps, *shape).

        Reference:
            White, 2016 (arXiv:1609.04468), section 2.1.
        """
        a, b = (np.asarray(end, "float64") for end in (a, b))
        t = np.linspace(0, 1, steps).reshape(-1, *[1] * a.ndim)
        lengths = np.linalg.norm(a) * np.linalg.norm(b)
        angle = np.arccos(np.clip(np.vdot(a, b) / lengths, -1, 1)) if lengths else 0.0
        if self.prior != "normal" or np.sin(angle) < 1e-6:  # no arc, or none that is the shortest
            return ((1 - t) * a + t * b).astype("float32")
        arc = np.sin((1 - t) * angle) * a + np.sin(t * angle) * b
        return (arc / np.sin(angle)).astype("float32")

    def examples(self, num, seed=0):
        return self.of_samples(num, (seed, 0)).numpy()


@dataclasses.dataclass(frozen=True)
class Labels(Kind):
    """Integer labels (batch,) in [0, num_classes).

    Args:
        name: what errors call them.
        num_classes: number of classes.
    """

    shape: tuple = dataclasses.field(default=(), init=False)
    num_classes: int = None

    dtype = "int32"
    border_dtype = "int32"
    noun = "labels"
    from_seed = True
    control = view = "choice"

    def check(self, values):
        dtype, shape = tf.as_dtype(values.dtype), tuple(values.shape)
        if not dtype.is_integer or not (len(shape) == 1 or shape[1:] == (1,)):
            raise ValueError(
                f"`{self.name}` must be integers of shape (batch,). "
                f"Received: {dtype.name} of shape {shape}"
            )
        values = np.asarray(values)
        if values.size and not (values.min() >= 0 and values.max() < self.num_classes):
            raise ValueError(
                f"`{self.name}` must be in [0, {self.num_classes}), as num_classes is "
                f"{self.num_classes}. Received: values in [{values.min()}, {values.max()}]"
            )

    def checked(self, values):
        return _checked_integers(self.name, tf.reshape(values, (-1,)), self.num_classes)

    def received(self, values):
        return _requested_integers(self.name, tf.ensure_shape(values, (None,)), self.num_classes)

    def answer(self, values):
        return {self.output_name: tf.cast(values, tf.int64)}

    raw_answer = answer

    def of_samples(self, num, given=None):
        """The labels of `num` samples that are to be made.

        Args:
            num: how many.
            given: int (num,) or one for all; the classes in turn if `None`.

        Returns:
            int32 tensor (num,).

        Raises:
            ValueError: they are no such labels, or not as many.
        """
        labels = np.arange(num) % self.num_classes if given is None else np.asarray(given)
        labels = np.full(num, labels) if labels.ndim == 0 else labels
        self.check(labels)
        if labels.size != num:
            raise ValueError(
                f"`{self.name}` must have one for each of {num}. Received: {labels.size}"
            )
        return tf.constant(labels.reshape(-1), tf.int32)

    def examples(self, num, seed=0):
        return (np.arange(num) % self.num_classes).astype("int32")


@dataclasses.dataclass(frozen=True)
class Codes(Labels):
    """Several integers for each sample, (batch, n): of each code one of its values.

    Args:
        name: what errors call them.
        num_classes: tuple of n integers, how many values each code has.

    Example:

    >>> Codes("labels", (10, 10, 3)).parse("7 0 2")
    array([7, 0, 2], dtype=int32)
    """

    num_classes: tuple = ()

    control = view = "numbers"

    def __post_init__(self):
        object.__setattr__(self, "shape", (len(self.num_classes),))

    def check(self, values):
        self.check_shape(values)
        dtype, values = tf.as_dtype(values.dtype), np.asarray(values)
        if not dtype.is_integer:
            raise ValueError(f"`{self.name}` must be integers. Received: {dtype.name}")
        wrong = (values < 0) | (values >= np.array(self.num_classes))
        if wrong.any():
            row = values[wrong.any(axis=1)][0].tolist()
            raise ValueError(f"{self._rule()}. Received: {row}")

    def checked(self, values):
        values = tf.cast(tf.ensure_shape(values, (None, *self.shape)), tf.int32)
        message = f"{self._rule()}: this batch is not"
        tf.debugging.assert_non_negative(values, message)
        tf.debugging.assert_less(values, tf.constant(self.num_classes), message)
        return values

    def received(self, values):
        values = tf.ensure_shape(values, (None, *self.shape))
        limits = tf.constant(self.num_classes, values.dtype)
        fits = tf.reduce_all((values >= 0) & (values < limits))
        return tf.cast(requested(values, fits, f"{self._rule()}. Received:"), tf.int32)

    of_samples = Kind.of_samples

    def of_seed(self, num, seed):
        """Uniform over the values of each code: to take all in turn would be too many."""
        numbers = uniform((num, *self.shape), (seed, -2))  # a stream beside that of latents
        return tf.cast(numbers * self.num_classes, tf.int32)

    def examples(self, num, seed=0):
        return self.of_seed(num, seed).numpy()

    def parse(self, text):
        values = super().parse(text)[None]
        self.check(values)
        return values[0]

    def _rule(self):
        limits = ", ".join(map(str, self.num_classes))
        return f"`{self.name}` must be at least 0 and below ({limits})"


def _checked_integers(name, values, limit):
    """int32 values in [0, limit), checked in the pipeline."""
    values = tf.cast(values, tf.int32)
    message = f"`{name}` must be in [0, {limit}): this batch is not"
    tf.debugging.assert_non_negative(values, message)
    tf.debugging.assert_less(values, limit, message)
    return values


def _requested_integers(name, values, limit):
    """int32 values in [0, limit) out of a request."""
    fits = tf.reduce_all((values >= 0) & (values < limit))
    values = requested(values, fits, f"`{name}` must be from 0 to {limit - 1}. Received:")
    return tf.cast(values, tf.int32)


def requested(value, condition, rule, received=None):
    """A request's value, after a check: an error of the request (INVALID_ARGUMENT).

    What follows uses the value that is returned, or it might fail first, with an error of its own.

    Args:
        value: tensor.
        condition: boolean scalar tensor, whether the request is right.
        rule: what the error says, in front of what was received.
        received: what the error shows; `value` when `None`.
    """
    shown = value if received is None else received
    with tf.control_dependencies([tf.debugging.Assert(condition, [rule, shown])]):
        return tf.identity(value)


def described(description):
    """The kind that `Kind.describe` has described.

    Args:
        description: dict, a part of a card.

    Raises:
        ValueError: there is no such kind here.
    """
    known = {each.__name__: each for each in _all_kinds(Kind)}
    name = description.get("kind")
    if name not in known:
        raise ValueError(f"`description` must be of a kind in {sorted(known)}. Received: {name!r}")
    given = {f.name: description[f.name] for f in dataclasses.fields(known[name]) if f.init}
    given = {name: tuple(v) if isinstance(v, list) else v for name, v in given.items()}
    return known[name](**given)


def _all_kinds(kind):
    """The classes of a kind's family, those of a user's own among them."""
    return [kind, *(each for child in kind.__subclasses__() for each in _all_kinds(child))]


BY_RANK = {1: Points, 2: Sequences, 3: Pictures, 4: Videos}


def samples(name, shape):
    """The kind of samples of a shape: the one place where a rank says what data are.

    Args:
        name: what errors call them.
        shape: shape of one example: (d,) of points, (T, F) of sequences, (H, W, C) of pictures,
            (T, H, W, C) of videos.

    Raises:
        ValueError: there is no kind of such a shape.

    Example:

    >>> samples("reals", (28, 28, 1)).noun
    'pictures'
    """
    shape = tuple(shape)
    if len(shape) not in BY_RANK:
        raise ValueError(
            f"`{name}` must be points (d,), sequences (T, F), pictures (H, W, C) or videos "
            f"(T, H, W, C). Received: examples of shape {shape}"
        )
    return BY_RANK[len(shape)](name, shape)


def render(values, columns=None, reals=None, limit=None):
    """Draws what `generate` returns: a grid of pictures, a plot of points, curves, strips of film.

    Pictures below 64 pixels are enlarged, each pixel to a square of several, so that they can be
    seen: 28 x 28 becomes 56 x 56.

    Args:
        values: array (num, *shape) as at the border: uint8 pictures and videos, floats otherwise.
        columns: int, examples in a row of a grid; not used for points.
        reals, limit: see `images.plot_points`; not used for others.

    Returns:
        uint8 array (height, width, channels).

    Raises:
        ValueError: if `values` is none of these.

    Example:

    ```python
    save_png("samples.png", render(gan.generate(64)))
    ```
    """
    values = np.asarray(values)
    kind = samples("values", values.shape[1:])
    return kind.draw(values, columns=columns, reals=reals, limit=limit)


def beside(several, columns=None):
    """Several things that were made of the same inputs, as one batch of pictures for `render`.

    Args:
        several: tuple of arrays (num, *shape) as at the border, row k of which belong together.
        columns: examples in a row; nearly a square when `None`.

    Returns:
        The pair (uint8 pictures, columns). Pictures of one size are in rows that belong together: a
        row of the first ones, under it those of the second, and so on. Of others, each array is
        drawn by itself, and the drawings are side by side.

    Example:

    >>> pictures, columns = beside(cogan.generate(32), columns=8)
    >>> save_png("pairs.png", render(pictures, columns))
    """
    several = [np.asarray(values) for values in several]
    if not all(samples("values", values.shape[1:]).pictured for values in several):
        drawn = [render(values, columns) for values in several]
        several, columns = [drawing[None] for drawing in drawn], len(drawn)
    channels = max(values.shape[-1] for values in several)
    several = [_with_channels(values, channels) for values in several]
    sides = [max(values.shape[axis] for values in several) for axis in (1, 2)]
    several = [_padded(values, sides) for values in several]
    num = len(several[0])
    if columns is None:
        columns = math.ceil(math.sqrt(num * len(several)))
    rows = []
    for start in range(0, num, columns):
        for values in several:
            part = values[start : start + columns]
            missing = min(columns, num) - len(part)
            rows += [part, np.full((missing, *part.shape[1:]), 255, "uint8")]
    return np.concatenate(rows), min(columns, num) if num > 1 else len(several)


def _with_channels(pictures, channels):
    """Pictures of fewer channels with as many: grey ones as colours, and all of it opaque."""
    if pictures.shape[-1] == channels:
        return pictures
    colours = 3 if channels > 2 else 1
    own = pictures.shape[-1] - (pictures.shape[-1] in (2, 4))
    shown = pictures[..., :own].repeat(colours if own == 1 else 1, -1)
    opaque = np.full_like(pictures[..., :1], 255)
    alpha = pictures[..., own:] if pictures.shape[-1] > own else opaque
    return shown if channels == colours else np.concatenate([shown, alpha], -1)


def _padded(pictures, sides):
    """Pictures with white at the bottom and the right, up to a height and a width."""
    missing = [side - size for side, size in zip(sides, pictures.shape[1:3], strict=True)]
    added = [(0, 0), *((0, each) for each in missing), (0, 0)]
    return np.pad(pictures, added, constant_values=255)


def animate(values, columns=None):
    """The frames of a GIF of what `generate` returns: of videos a grid of them at each time.

    Args:
        values: array (num, *shape) as at the border.
        columns: int, videos in a row of the grid.

    Returns:
        List of uint8 arrays (height, width, channels); `[]` for what does not move.

    Raises:
        ValueError: there is no kind of such a shape.

    Example:

    >>> frames = animate(gan.generate(16))
    >>> save_animation("videos.gif", frames, [100] * len(frames))
    """
    values = np.asarray(values)
    return samples("values", values.shape[1:]).animate(values, columns)
