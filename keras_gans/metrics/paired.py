"""How far pictures are from their true counterparts, where a set has them."""

import functools

import numpy as np
import tensorflow as tf
from keras import tree

from keras_gans.checks import check_flag, check_int
from keras_gans.metrics._base import PictureMetric
from keras_gans.metrics._pictures import check_pictures, chunks
from keras_gans.networks import Features

WINDOW, SIGMA = 11, 1.5  # side and standard deviation of SSIM's Gaussian window
K1, K2 = 0.01, 0.03
TINY = 1e-12  # squared length below which features are not brought to 1
BRIGHT = 128  # the least level that is nearer to white than to black


def mean_absolute_error(a, b):
    """The mean of |a - b| over all pixels, channels and pictures, each scaled to [0, 1].

    Args:
        a, b: uint8 arrays (num, height, width, channels) of one shape; picture k of one belongs to
            picture k of the other.

    Returns:
        Float in [0, 1]; 0 is equal.

    Raises:
        ValueError: not such pictures, or of different shapes.

    Example:

    >>> black, grey = np.zeros((1, 8, 8, 3), "uint8"), np.full((1, 8, 8, 3), 51, "uint8")
    >>> mean_absolute_error(black, grey)
    0.2
    """
    a, b = check_pairs(a, b, smallest=1)
    total = 0
    for part in chunks(len(a), a[0].size):
        total += int(np.abs(a[part].astype(np.int16) - b[part]).sum(dtype=np.int64))
    return total / (255 * a.size)


def structural_similarity(a, b):
    """The mean structural similarity (SSIM) of pairs of pictures, at most 1.

    Means, variances and the covariance of the two pictures x and y under a Gaussian window of 11 x
    11 pixels with a standard deviation of 1.5 give, at each place where the window fits,

        (2 m_x m_y + C1) (2 s_xy + C2) / ((m_x^2 + m_y^2 + C1) (s_x^2 + s_y^2 + C2)),

    C1 = (0.01 L)^2, C2 = (0.03 L)^2, L = 255. It is averaged over places, channels (the paper has
    grey pictures) and pictures. Without structure, the second factor is about 1: two plain areas of
    one brightness are alike, whatever they show.

    Args:
        a, b: uint8 arrays (num, height, width, channels) of one shape, with sides of at least 11;
            picture k of one belongs to picture k of the other.

    Returns:
        Float in [-1, 1]; 1 is equal.

    Raises:
        ValueError: not such pictures, or of different shapes.

    Example:

    >>> noise = np.random.default_rng(0).integers(0, 256, (1, 32, 32, 3), "uint8")
    >>> structural_similarity(noise, noise)
    1.0

    Reference:
        Wang, Bovik, Sheikh and Simoncelli, 2004, "Image quality assessment: from error visibility
        to structural similarity", equation 13 and section III-C; computed by `tf.image.ssim`.
    """
    a, b = check_pairs(a, b, smallest=WINDOW)
    with tf.device("CPU:0"):
        values = [
            ssim(tf.constant(a[part]), tf.constant(b[part])).numpy()
            for part in chunks(len(a), a[0].size)
        ]
    return float(np.concatenate(values).mean(dtype="float64"))


def ssim(a, b):
    """SSIM of each pair of uint8 tensors, float32 (num,)."""
    return tf.image.ssim(a, b, 255, WINDOW, SIGMA, K1, K2)


def pixel_agreement(a, b):
    """The share of pixels that are bright in both pictures of a pair, or dark in both.

    Bright is a level of at least 128. Of pairs that have nothing to do with each other it is far
    above 0 where most pixels are dark, as in edges: hold it against that of pairs in another order.

    Args:
        a, b: uint8 arrays (num, height, width, channels) of one shape; picture k of one belongs to
            picture k of the other.

    Returns:
        Float in [0, 1]; 1 is agreement in all pixels.

    Raises:
        ValueError: not such pictures, or of different shapes.

    Example:

    >>> digits, drawn = gan.generate(1000, seed=0)  # a CoGAN of digits and their edges
    >>> pixel_agreement(edges(digits), drawn)

    Reference:
        Liu and Tuzel, 2016 (arXiv:1606.07536), section 4: T(g1(z)) and g2(z), of T with which the
        second domain was made.
    """
    a, b = check_pairs(a, b, smallest=1)
    agreeing = sum(
        int(np.count_nonzero((a[part] >= BRIGHT) == (b[part] >= BRIGHT)))
        for part in chunks(len(a), a[0].size)
    )
    return agreeing / a.size


class PairMetric(PictureMetric):
    """The mean over pairs of a measure of two pictures.

    `update_state(reals, fakes)`: fake k is held against real k of the same batch.
    """

    lower_is_better = False

    def __init__(self, measure, name, smallest=1):
        super().__init__(name, smallest)
        self.measure = measure
        self.total = self.add_sum("fakes_total", ())

    def update_state(self, reals, fakes):
        """Adds a batch of pairs, uint8 (num, height, width, channels) both."""
        shapes = [np.shape(rows) for rows in (reals, fakes)]
        if shapes[0] != shapes[1] or () in shapes:
            raise ValueError(
                "`reals` and `fakes` must have one shape, as pairs of pictures. "
                f"Received: {shapes[0]} and {shapes[1]}"
            )
        super().update_state(reals, fakes)

    def update(self, reals, fakes):
        self.total.assign_add(tf.reduce_sum(tf.cast(self.measure(reals, fakes), tf.float64)))

    def compute(self):
        return {self.name: float(np.array(self.total)) / self.need("fakes", 1)}


def luminance(pictures):
    """The brightness Y of colours in the range of video, from 16 for black to 235 for white.

        Y = 16 + (65.481 R + 128.553 G + 24.966 B) / 255

    with levels from 0 to 255; it is not rounded. It is what papers of super-resolution measure,
    which are about 1.3 dB higher than over the three colours.

    Args:
        pictures: uint8 array or tensor (..., 3), RGB.

    Returns:
        float32 tensor (..., 1).

    Example:

    >>> luminance(np.uint8([[0, 0, 0], [255, 255, 255]])).numpy().ravel()
    array([ 16., 235.], dtype=float32)

    Reference:
        ITU-R Recommendation BT.601; MATLAB's `rgb2ycbcr`.
    """
    weights = tf.constant([65.481, 128.553, 24.966]) / 255.0
    return 16.0 + tf.reduce_sum(tf.cast(pictures, tf.float32) * weights, axis=-1, keepdims=True)


class ViewedPairMetric(PairMetric):
    """A measure of pairs that may look at their brightness alone, and leave out their borders.

    Args:
        measure: function of two tensors (num, height, width, channels), uint8 or float32 with
            levels from 0 to 255, that returns (num,).
        name: str.
        smallest: the least side of what it looks at.
        of_luminance: whether it looks at `luminance`, of pictures in RGB.
        shave: pixels that are left out along each edge.
    """

    def __init__(self, measure, name, smallest, of_luminance, shave):
        check_flag("of_luminance", of_luminance)
        self.view = {"of_luminance": of_luminance, "shave": check_int("shave", shave, 0)}

        def of_view(*pairs):
            return measure(*(self.seen(pictures) for pictures in pairs))

        super().__init__(of_view, name, smallest + 2 * shave)

    def check(self, side, rows):
        rows = super().check(side, rows)
        if self.view["of_luminance"] and rows.shape[-1] != 3:
            raise ValueError(
                f"`{side}` must be pictures in RGB for a measure of their luminance. "
                f"Received: {rows.shape[-1]} channels"
            )
        return rows

    def settings(self):
        return {**super().settings(), **self.view}

    def seen(self, pictures):
        shave = self.view["shave"]
        if shave:
            pictures = pictures[:, shave:-shave, shave:-shave]
        return luminance(pictures) if self.view["of_luminance"] else pictures


class PSNR(ViewedPairMetric):
    """The peak signal-to-noise ratio of fakes to the reals that they should be, in dB.

        10 log10(255^2 / mean squared error)

    for each pair, over pixels and channels, and then the mean over pairs. It is infinite where any
    pair is equal.

    Papers of super-resolution have `of_luminance=True` and as `shave` the scale, 4 pixels in that
    of SRGAN (Ledig et al., 2017, section 3.1); with other choices numbers differ by more than
    methods do.

    Args:
        name: str.
        of_luminance: bool; whether the pixels' `luminance` is held against each other, of RGB.
        shave: int, at least 0; pixels that are left out along each edge.

    Example:

    >>> psnr = PSNR()
    >>> psnr.update_state(np.full((1, 8, 8, 3), 100, "uint8"), np.full((1, 8, 8, 3), 110, "uint8"))
    >>> round(psnr.result(), 2)
    28.13
    """

    def __init__(self, name="psnr", of_luminance=False, shave=0):
        super().__init__(lambda a, b: tf.image.psnr(a, b, 255), name, 1, of_luminance, shave)


class SSIM(ViewedPairMetric):
    """`structural_similarity` as a metric that takes pairs in batches.

    Args:
        name: str.
        of_luminance, shave: see `PSNR`.

    Reference:
        Wang, Bovik, Sheikh and Simoncelli, 2004; see `structural_similarity`.
    """

    def __init__(self, name="ssim", of_luminance=False, shave=0):
        super().__init__(ssim, name, WINDOW, of_luminance, shave)


class FeatureDistance(PairMetric):
    """How far what a trained network sees in fakes is from what it sees in the reals.

    The features of each place are brought to length 1, and the squared distance of the two is
    averaged over places, then over layers, then over pairs. It is that of LPIPS without the weights
    that are learned from people's judgements there, which its authors find nearly as good. Like
    people, it forgives a displaced hair and no blur, which PSNR does the other way round.

    Numbers are of one network and its layers, and can be compared with no others. One that a model
    was trained on flatters it.

    Args:
        features: `networks.Features`, of layers with maps.
        name: str.

    Example:

    >>> distance = FeatureDistance(Features("vgg16.keras", ["block2_conv2", "block3_conv3"],
    ...                                     "caffe"))
    >>> distance.update_state(reals, fakes)
    >>> distance.result()

    Reference:
        Zhang et al., 2018 (arXiv:1801.03924), equation 1 with w = 1.
    """

    lower_is_better = True

    def __init__(self, features, name="feature_distance"):
        if not isinstance(features, Features):
            raise ValueError(f"`features` must be a `networks.Features`. Received: {features!r}")
        self.described = features.describe()
        super().__init__(functools.partial(feature_distance, features), name)

    def settings(self):
        return {name: str(value) for name, value in self.described.items()}


class L1(PairMetric):
    """`mean_absolute_error` as a metric that takes pairs in batches.

    Args:
        name: str.
    """

    lower_is_better = True

    def __init__(self, name="l1"):
        super().__init__(absolute_error, name)


class PixelAgreement(PairMetric):
    """`pixel_agreement` as a metric that takes pairs in batches.

    Args:
        name: str.
    """

    def __init__(self, name="pixel_agreement"):
        super().__init__(agreeing_pixels, name)


def agreeing_pixels(a, b):
    """The share of pixels of each pair of uint8 tensors that are bright, or dark, in both."""
    agreeing = tf.equal(a >= BRIGHT, b >= BRIGHT)
    return tf.reduce_mean(tf.cast(agreeing, tf.float32), axis=(1, 2, 3))


def absolute_error(a, b):
    """The mean |a - b| of each pair of uint8 tensors, in [0, 1]: float32 (num,)."""
    a, b = tf.cast(a, tf.float32), tf.cast(b, tf.float32)
    return tf.reduce_mean(tf.abs(a - b), axis=(1, 2, 3)) / 255.0


def feature_distance(features, a, b):
    """The distance of what `Features` see in pairs of uint8 tensors, float32 (num,)."""
    seen = [
        tree.flatten(features(tf.cast(pictures, tf.float32) / 127.5 - 1.0)) for pictures in (a, b)
    ]
    parts = []
    for x, y in zip(*seen, strict=True):
        x, y = tf.math.l2_normalize(x, -1, TINY), tf.math.l2_normalize(y, -1, TINY)
        parts.append(tf.reduce_mean(tf.reduce_sum(tf.square(x - y), -1), axis=(1, 2)))
    return sum(parts) / len(parts)


def check_pairs(a, b, smallest):
    """Returns both as arrays, or raises ValueError unless they are uint8 pictures of one shape."""
    a, b = check_pictures("a", a, smallest), check_pictures("b", b, smallest)
    if a.shape != b.shape:
        raise ValueError(f"`a` and `b` must have one shape. Received: a {a.shape}, b {b.shape}")
    return a, b
