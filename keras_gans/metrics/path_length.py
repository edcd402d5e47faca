"""Perceptual path length (Karras et al., 2019, arXiv:1812.04948)."""

import numpy as np
import tensorflow as tf

from keras_gans.checks import check_count, check_positive
from keras_gans.metrics._base import FeatureMetric, Rows, first_index
from keras_gans.metrics._pictures import check_integer_seed

KEPT = (1, 99)  # percentiles of distances between which they are averaged


class PerceptualPathLength(FeatureMetric):
    """How far pictures move for a small step in latent space: smooth generators move evenly.

        E d(G(interpolate(z1, z2, t)), G(interpolate(z1, z2, t + epsilon))) / epsilon^2

    with t ~ U(0, 1), and d the squared distance of the two pictures' features, each scaled to
    length 1. Karras et al. have LPIPS of a VGG16, whose weights the package does not have: numbers
    with other extractors have nothing to do with published ones. Distances below the 1st and
    above the 99th percentile are left out, as in the authors' code.

    Args:
        generator: callable from latents (num, latent_dim) to pictures in [-1, 1].
        extractor: `Extractor` of pictures. It must take them unrounded: a step of 1e-4 moves few
            pixels by a whole level.
        num: int, the most pairs of latents that it is given.
        epsilon: float, the step.
        interpolation: "spherical" for normal latents, or "linear" for uniform ones and those of
            a mapping network.
        seed: int that fixes t.
        name: str.

    Example:

    >>> ppl = PerceptualPathLength(gan.sampler, fashion_mnist_classifier(), num=1000)
    >>> starts, ends = tf.split(gan.generator_inputs(2000, seed=0), 2)
    >>> ppl.update_state(starts, ends)

    Reference:
        Karras et al., 2019 (arXiv:1812.04948), section 4.1.
    """

    def __init__(
        self,
        generator,
        extractor,
        num=10_000,
        epsilon=1e-4,
        interpolation="spherical",
        seed=0,
        name="ppl",
    ):
        super().__init__(extractor, name)
        if not callable(generator):
            raise ValueError(f"`generator` must be callable. Received: {generator!r}")
        if interpolation not in INTERPOLATIONS:
            raise ValueError(
                f"`interpolation` must be one of {sorted(INTERPOLATIONS)}. "
                f"Received: {interpolation!r}"
            )
        self.generator, self.interpolation = generator, interpolation
        self.epsilon, self.seed = check_positive("epsilon", epsilon), check_integer_seed(seed)
        num = check_count("num", num)
        self.places = tf.constant(np.random.default_rng(self.seed).random((num, 1)), tf.float32)
        self.distances = Rows(self, "fakes", num, ())

    def update_state(self, starts, ends):
        """Adds pairs of latents, floating-point (num, latent_dim) both; used as float32."""
        starts, ends = tf.convert_to_tensor(starts), tf.convert_to_tensor(ends)
        both = starts.shape.rank == ends.shape.rank == 2
        both = both and starts.dtype.is_floating and ends.dtype.is_floating
        if not both or not starts.shape.is_compatible_with(ends.shape):
            raise ValueError(
                "`starts` and `ends` must be latents (num, latent_dim), as many of each. Received: "
                f"{starts.dtype.name} {starts.shape} and {ends.dtype.name} {ends.shape}"
            )
        starts, ends = tf.cast(starts, tf.float32), tf.cast(ends, tf.float32)
        num = tf.shape(starts, out_type=tf.int64)[0]
        first = first_index(tf.convert_to_tensor(self.distances.filled.value), num)
        interpolate = INTERPOLATIONS[self.interpolation]
        # Beyond the end of the places, `append` says that `num` is too small.
        last = tf.shape(self.places, out_type=tf.int64)[0] - 1
        t = tf.gather(self.places, tf.minimum(first + tf.range(num), last))
        features = [self._features(interpolate(starts, ends, t + e)) for e in (0.0, self.epsilon)]
        squares = tf.reduce_sum(tf.math.squared_difference(*features), axis=1)
        self.fakes_count.assign_add(num)
        self.distances.append(squares / self.epsilon**2)

    def _features(self, latents):
        pictures = (tf.clip_by_value(self.generator(latents), -1.0, 1.0) + 1.0) * 127.5
        return tf.math.l2_normalize(self.extractor.extract(pictures).features, axis=1)

    def own_settings(self):
        return {
            "epsilon": self.epsilon,
            "interpolation": self.interpolation,
            "percentiles": f"{KEPT[0]} to {KEPT[1]}",
            "seed": self.seed,
        }

    def compute(self):
        self.need("fakes", 1)
        distances = self.distances.numpy().astype("float64")
        low = np.percentile(distances, KEPT[0], method="lower")
        high = np.percentile(distances, KEPT[1], method="higher")
        return {self.name: distances[(distances >= low) & (distances <= high)].mean()}


def linear(a, b, t):
    """Points on the segment from a to b: a at t = 0, b at 1."""
    return a + (b - a) * t


def spherical(a, b, t):
    """Points on the great circle through the directions of a and b: a at t = 0, b at 1.

    Karras et al. feed them to a mapping network, which scales its inputs. Here their length is that
    of normal latents, the root of latent_dim, so that other generators see what they know.
    """
    length = tf.sqrt(tf.cast(tf.shape(a)[1], a.dtype))
    a, b = tf.math.l2_normalize(a, axis=1), tf.math.l2_normalize(b, axis=1)
    cosine = tf.clip_by_value(tf.reduce_sum(a * b, axis=1, keepdims=True), -1.0, 1.0)
    angle = t * tf.acos(cosine)
    across = tf.math.l2_normalize(b - cosine * a, axis=1)
    return length * (a * tf.cos(angle) + across * tf.sin(angle))


INTERPOLATIONS = {"linear": linear, "spherical": spherical}
