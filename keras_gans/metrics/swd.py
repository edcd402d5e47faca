"""Sliced Wasserstein distance between patches of real and generated pictures, one for each scale.

Karras et al., 2018 (arXiv:1710.10196), section 5 and the authors' protocol.
"""

import numpy as np

from keras_gans.checks import check_count
from keras_gans.metrics._base import SIDES, PictureMetric, Rows
from keras_gans.metrics._pictures import check_integer_seed, check_pictures, chunks

PATCH = 7  # side of a patch
SMALLEST = 16  # side of the pyramid's last level
BINOMIAL = np.array([1, 4, 6, 4, 1], "float32") / 16  # Burt and Adelson, 1983
# In levels of a byte. A channel of less contrast than this over all patches holds rounding errors.
LEAST_DEVIATION = 1e-3
REALS, FAKES, DIRECTIONS = range(3)  # streams of random numbers


def sliced_wasserstein_distances(reals, fakes, num_patches=128, num_directions=512, seed=0):
    """How far the patches of generated pictures are from those of real ones, at each scale.

    1. Pictures become Laplacian pyramids: a level of half the resolution has the next octave of
       spatial frequencies, and the last one all that is left.
    2. From each picture and level come `num_patches` patches of 7 x 7 pixels with all channels, at
       places that are random for each picture, and differ between reals and fakes.
    3. The patches of a set are normalized to mean 0 and standard deviation 1 in each channel.
    4. Along a random direction, the Wasserstein distance of two sets of equal size is the mean
       absolute difference of their sorted projections. It is averaged over the directions.

    Distances at high resolutions compare sharpness and noise, that at the last one layout and
    colours. Since each set is normalized by itself, a brightness or contrast that is wrong in all
    pictures alike is not seen. Distances of few pictures are biased upwards: compare them at one
    number of pictures only (the paper has 16384), best beside that of two sets of reals.

    A level at a time is held in memory: 2 x num x num_patches x 49 x channels float32 numbers,
    2.5 GB for 16384 RGB pictures of any size. `PatchDistances` keeps what is the reals', and
    `SlicedWasserstein` takes the pictures in batches.

    Args:
        reals: uint8 array (num, height, width, channels), sides of at least 7.
        fakes: uint8 array of the shape of `reals`.
        num_patches: patches from each picture and level.
        num_directions: random directions at each level; the paper has 4 x 128.
        seed: integer that fixes the patches' places and the directions.

    Returns:
        Dict of floats, 1000 times the distances: under each level's height as an integer, from the
        pictures' to 16 (halving stops before a side that is odd or below 16), and their mean under
        "average".

    Raises:
        ValueError: not such pictures, `reals` and `fakes` of different shapes, or a bad number.

    Example:

    >>> noise = np.random.default_rng(0).integers(0, 256, (2, 8, 32, 32, 3), "uint8")
    >>> list(sliced_wasserstein_distances(noise[0], noise[1], num_directions=8))
    [32, 16, 'average']

    Reference:
        Karras et al., 2018 (arXiv:1710.10196), section 5.
    """
    swd = PatchDistances(reals, num_patches, num_directions, seed, keep=False)
    return swd.distances(fakes)


class SlicedWasserstein(PictureMetric):
    """`sliced_wasserstein_distances` as a metric that takes pictures in batches.

    `result()` has the mean over scales, `swd`, and each scale's under its height, `swd_32`. There
    must be as many fakes as reals. All pictures are kept, as uint8, and the patches of one scale at
    a time are made for the result: see there for its memory.

    Args:
        shape: (height, width, channels) of the pictures, sides of at least 7.
        num: int, the most reals, and the most fakes, that it is given. The paper has 16,384.
        num_patches, num_directions, seed: as there.
        name: str.

    Reference:
        Karras et al., 2018 (arXiv:1710.10196), section 5.
    """

    def __init__(self, shape, num=10_000, num_patches=128, num_directions=512, seed=0, name="swd"):
        super().__init__(name, PATCH, shape)
        self.num_patches = check_count("num_patches", num_patches)
        self.num_directions = check_count("num_directions", num_directions)
        self.seed = check_integer_seed(seed)
        num = check_count("num", num)
        self.kept = {side: Rows(self, side, num, self.shape, "uint8") for side in SIDES}

    def update(self, reals, fakes):
        for side, rows in zip(SIDES, (reals, fakes), strict=True):
            if rows is not None:
                self.kept[side].append(rows)

    def settings(self):
        return {
            "patches": f"{self.num_patches} of {PATCH} x {PATCH} a picture and scale",
            "directions": self.num_directions,
            "seed": self.seed,
        }

    def compute(self):
        self.need("reals", 1)
        distances = sliced_wasserstein_distances(
            *(self.kept[side].numpy() for side in SIDES),
            self.num_patches,
            self.num_directions,
            self.seed,
        )
        average = distances.pop("average")
        return {self.name: average, **{f"{self.name}_{k}": v for k, v in distances.items()}}


class PatchDistances:
    """`sliced_wasserstein_distances` to one set of real pictures, whose patches it keeps.

    Args:
        reals, num_patches, num_directions, seed: as there.
        keep: whether to hold the reals' patches of every level (num x num_patches x 49 x channels
            float32 numbers for each) once they are needed.

    Example:

    >>> reals, *fakes = np.random.default_rng(0).integers(0, 256, (3, 8, 32, 32, 3), "uint8")
    >>> swd = PatchDistances(reals, num_directions=8)
    >>> averages = [swd.distances(pictures)["average"] for pictures in fakes]

    Reference:
        Karras et al., 2018 (arXiv:1710.10196), section 5.
    """

    def __init__(self, reals, num_patches=128, num_directions=512, seed=0, keep=True):
        self.reals = check_pictures("reals", reals, PATCH)
        self.num_patches = check_count("num_patches", num_patches)
        self.num_directions = check_count("num_directions", num_directions)
        self.seed = check_integer_seed(seed)
        self.keep = keep
        self.resolutions = pyramid_heights(*self.reals.shape[1:3])
        self._descriptors = {}

    def distances(self, fakes):
        """The distances of `fakes`, which are as many as the reals; same fakes, same distances."""
        fakes = check_pictures("fakes", fakes, PATCH)
        if fakes.shape != self.reals.shape:
            raise ValueError(
                "`fakes` must be of the shape of `reals`, as many and as large. "
                f"Received: fakes {fakes.shape}, reals {self.reals.shape}"
            )
        distances = [self._distance(fakes, level) for level in range(len(self.resolutions))]
        by_resolution = dict(zip(self.resolutions, distances, strict=True))
        return {**by_resolution, "average": float(np.mean(distances))}

    def _distance(self, fakes, level):
        ours, theirs = self._of_reals(level), self._of(fakes, level, FAKES)
        size = self.num_directions, ours.shape[1]
        directions = self._random(DIRECTIONS, level).normal(size=size)
        return 1e3 * sliced_distance(ours, theirs, directions)

    def _of_reals(self, level):
        if level in self._descriptors:
            return self._descriptors[level]
        descriptors = self._of(self.reals, level, REALS)
        if self.keep:
            self._descriptors[level] = descriptors
        return descriptors

    def _of(self, pictures, level, stream):
        """Normalized patches of one level, (num * num_patches, channels * 49)."""
        num, height, width, channels = pictures.shape
        highest = height // 2**level - PATCH + 1, width // 2**level - PATCH + 1
        places = self._random(stream, level).integers(0, highest, (num, self.num_patches, 2))
        patches = np.empty((num, self.num_patches, channels, PATCH, PATCH), "float32")
        size = channels * max(height * width, self.num_patches * PATCH**2)
        sums = np.zeros((2, channels))
        for part in chunks(num, size):
            rows = laplacian_level(pictures[part], level, len(self.resolutions))
            windows = np.lib.stride_tricks.sliding_window_view(rows, (PATCH, PATCH), axis=(1, 2))
            y, x = places[part, :, 0], places[part, :, 1]
            patches[part] = windows[np.arange(len(rows))[:, None], y, x]
            sums[0] += patches[part].sum(axis=(0, 1, 3, 4), dtype="float64")
            sums[1] += np.square(patches[part]).sum(axis=(0, 1, 3, 4), dtype="float64")
        mean, mean_square = sums / (num * self.num_patches * PATCH**2)
        deviation = np.sqrt(np.maximum(mean_square - mean**2, LEAST_DEVIATION**2))
        patches -= mean[:, None, None].astype("float32")
        patches /= deviation[:, None, None].astype("float32")
        return patches.reshape(num * self.num_patches, -1)

    def _random(self, stream, level):
        return np.random.default_rng([self.seed, stream, level])


def sliced_distance(ours, theirs, directions):
    """Mean over directions of the Wasserstein-1 distance between two sets' projections.

    Args:
        ours: array (num, size).
        theirs: array of the shape of `ours`.
        directions: array (directions, size) of any lengths but 0.
    """
    directions = directions / np.linalg.norm(directions, axis=1, keepdims=True)
    directions, total = directions.astype("float32"), 0.0
    for part in chunks(len(directions), len(ours)):
        a, b = (directions[part] @ points.T for points in (ours, theirs))
        a.sort(axis=1)
        b.sort(axis=1)
        total += np.abs(a - b).mean(axis=1, dtype="float64").sum()
    return float(total / len(directions))


def pyramid_heights(height, width):
    """The heights of a pyramid's levels, from the pictures' own."""
    heights = [height]
    while not (height % 2 or width % 2) and min(height, width) >= 2 * SMALLEST:
        height, width = height // 2, width // 2
        heights.append(height)
    return heights


def laplacian_level(pictures, level, num_levels):
    """One level of a Laplacian pyramid of pictures (num, height, width, channels), float32.

    Level k is what blurring takes from the pictures at 1 / 2^k of their resolution; the last level
    is the blurred pictures. The sum of all levels, scaled up, is the pictures.
    """
    rows = pictures.astype("float32")
    for _ in range(level):
        rows = scaled_down(rows)
    return rows if level == num_levels - 1 else rows - scaled_up(scaled_down(rows))


def scaled_down(rows):
    """Every second pixel of the blurred pictures."""
    return blurred(rows)[:, ::2, ::2]


def scaled_up(rows):
    """Pictures of twice the resolution: zeros between the pixels, blurred, times 4."""
    num, height, width, channels = rows.shape
    spread = np.zeros((num, 2 * height, 2 * width, channels), rows.dtype)
    spread[:, ::2, ::2] = 4 * rows
    return blurred(spread)


def blurred(rows):
    """Pictures filtered with the 5 x 5 binomial kernel, mirrored at their borders."""
    from scipy import ndimage  # here, so that importing the package stays cheap

    for axis in (1, 2):
        rows = ndimage.correlate1d(rows, BINOMIAL, axis=axis, mode="mirror")
    return rows
