"""Laplacian pyramids: they invert, and smooth as numpy's convolution and interpolation do."""

import keras
import numpy as np
import pytest

from keras_gans.pyramids import (
    downsample,
    gaussian_pyramid,
    laplacian_pyramid,
    reconstruct,
    upsample,
)


def pictures(h, w, channels=2, num=3, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (num, h, w, channels)).astype("float32")


def along_sides(function, values):
    for axis in (1, 2):
        values = np.apply_along_axis(function, axis, values)
    return values


def numpy_downsample(values):
    def halve(line):
        return np.convolve(np.pad(line, 1, mode="edge"), [1 / 8, 3 / 8, 3 / 8, 1 / 8], "valid")[::2]

    return along_sides(halve, values)


def numpy_upsample(values):
    def double(line):
        places = (np.arange(2 * len(line)) + 0.5) / 2 - 0.5  # centres, in pixels of the small one
        return np.interp(places, np.arange(len(line)), line)

    return along_sides(double, values)


@pytest.mark.parametrize(
    ("h", "w", "levels"),
    [(28, 28, 3), (8, 12, 3), (32, 16, 4), (2, 6, 2), (64, 64, 5), (4, 4, 3), (5, 7, 1)],
)
def test_exact_inverse(h, w, levels):
    reals = pictures(h, w)
    pyramid = laplacian_pyramid(reals, levels)
    sizes = [(h // 2**k, w // 2**k) for k in reversed(range(levels))]
    assert [tuple(level.shape[1:3]) for level in pyramid] == sizes
    restored = np.array(reconstruct(pyramid))
    assert restored.dtype == np.float32
    np.testing.assert_allclose(restored, reals, rtol=0, atol=1e-6)


def test_inverse_after_the_pyramid_was_stored():
    """Levels as float32 arrays, as a file would hold them; the residuals are not zero."""
    reals = pictures(28, 28, seed=1)
    stored = [
        np.frombuffer(np.array(level).tobytes(), "float32") for level in laplacian_pyramid(reals, 3)
    ]
    stored = [v.reshape(3, n, n, 2) for v, n in zip(stored, (7, 14, 28), strict=True)]
    assert min(np.abs(level).max() for level in stored) > 0.1
    np.testing.assert_allclose(np.array(reconstruct(stored)), reals, rtol=0, atol=1e-6)


@pytest.mark.parametrize(("h", "w"), [(28, 28), (6, 10), (2, 2)])
def test_downsample_is_numpys_convolution(h, w):
    reals = pictures(h, w)
    halved = np.array(downsample(reals))
    assert halved.shape == (3, h // 2, w // 2, 2)
    np.testing.assert_allclose(halved, numpy_downsample(reals), atol=1e-6)


@pytest.mark.parametrize(("h", "w"), [(7, 7), (5, 3), (1, 4)])
def test_upsample_is_numpys_interpolation(h, w):
    small = pictures(h, w)
    doubled = np.array(upsample(small))
    assert doubled.shape == (3, 2 * h, 2 * w, 2)
    np.testing.assert_allclose(doubled, numpy_upsample(small), atol=1e-6)


def test_by_hand():
    """One bright column of four: (1 0 0 0) halves to ((1 + 3) / 8, 0), as its edge is repeated."""
    row = np.array([1.0, 0.0, 0.0, 0.0], "float32").reshape(1, 1, 4, 1).repeat(2, axis=1)
    halved = np.array(downsample(row))
    np.testing.assert_allclose(halved.ravel(), [0.5, 0.0])
    doubled = np.array(upsample(halved))
    np.testing.assert_allclose(doubled[0, 0, :, 0], [0.5, 0.375, 0.125, 0.0])


def test_residuals_are_what_the_low_pass_leaves_out():
    reals = pictures(8, 12)
    coarse, middle, fine = (np.array(level) for level in laplacian_pyramid(reals, 3))
    half = numpy_downsample(reals)
    np.testing.assert_allclose(fine, reals - numpy_upsample(half), atol=1e-6)
    np.testing.assert_allclose(coarse, numpy_downsample(half), atol=1e-6)
    np.testing.assert_allclose(middle, half - numpy_upsample(coarse), atol=1e-6)
    gaussian = gaussian_pyramid(reals, 3)
    for level, expected in zip(gaussian, (coarse, half, reals), strict=True):
        np.testing.assert_allclose(np.array(level), expected, atol=1e-6)


def test_one_colour_has_no_residual():
    coarse, *residuals = laplacian_pyramid(np.full((1, 8, 8, 3), -0.4, "float32"), 3)
    np.testing.assert_allclose(np.array(coarse), -0.4, atol=1e-6)
    for residual in residuals:
        np.testing.assert_allclose(np.array(residual), 0, atol=1e-6)


def test_symbolic_pictures():
    """Within a functional model, where the batch is not known."""
    inputs = keras.Input((4, 6, 2))
    network = keras.Model(inputs, [downsample(inputs), upsample(inputs)])
    assert network.output_shape == [(None, 2, 3, 2), (None, 8, 12, 2)]
    reals = pictures(4, 6)
    halved, doubled = network(reals)
    np.testing.assert_allclose(np.array(halved), numpy_downsample(reals), atol=1e-6)
    np.testing.assert_allclose(np.array(doubled), numpy_upsample(reals), atol=1e-6)


@pytest.mark.parametrize(("h", "w", "levels"), [(28, 28, 4), (6, 8, 3), (8, 7, 2)])
def test_sides_that_cannot_be_halved(h, w, levels):
    with pytest.raises(ValueError, match=rf"`pictures`.* multiples of {2 ** (levels - 1)}.*{h}"):
        laplacian_pyramid(pictures(h, w), levels)


def test_bad_arguments():
    with pytest.raises(ValueError, match="`levels`"):
        laplacian_pyramid(pictures(4, 4), 0)
    with pytest.raises(ValueError, match=r"multiples of 2.*\(3, 5, 4, 2\)"):
        downsample(pictures(5, 4))
