"""Samples on the way between those of two seeds."""

import numpy as np
import pytest
from cases import CASES

from keras_gans import GAN
from keras_gans.networks import build_mlp_discriminator, build_mlp_generator
from keras_gans.training.kinds import Latents

OF_EACH_FAMILY = ("GAN", "BEGAN", "CGAN", "InfoGAN", "LAPGAN", "VAE", "ProGAN")
WITH_LATENTS = [case for case in CASES if case.name in OF_EACH_FAMILY]
NORMAL, UNIFORM = Latents("latents", (2,)), Latents("latents", (2,), "uniform")


def test_an_arc_by_hand():
    """Between (1, 0) and (0, 2) the angle is a right one: halfway sin 45° of both."""
    found = NORMAL.between([1, 0], [0, 2], 3)
    half = np.sqrt(0.5)
    np.testing.assert_allclose(found, [[1, 0], [half, 2 * half], [0, 2]], atol=1e-6)
    third = NORMAL.between([2, 0], [0, 2], 4)  # by 30° each
    np.testing.assert_allclose(third[1], [2 * np.cos(np.pi / 6), 2 * np.sin(np.pi / 6)], atol=1e-6)


def test_an_arc_keeps_the_length():
    a, b = np.random.default_rng(0).normal(size=(2, 512))
    b *= np.linalg.norm(a) / np.linalg.norm(b)
    found = Latents("latents", (512,)).between(a, b, 7)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), np.linalg.norm(a), rtol=1e-5)


def test_a_straight_line():
    expected = [[1, 0], [0.5, 1], [0, 2]]
    np.testing.assert_allclose(UNIFORM.between([1, 0], [0, 2], 3), expected, atol=1e-6)


@pytest.mark.parametrize("b", [[1, 1], [2, 2], [-1, -1], [0, 0]])
def test_ends_without_an_arc(b):
    expected = np.linspace([1, 1], b, 5)
    np.testing.assert_allclose(NORMAL.between([1, 1], b, 5), expected, atol=1e-5)


@pytest.mark.parametrize("case", WITH_LATENTS, ids=lambda case: case.name)
def test_ends_are_what_the_seeds_make(case):
    model = case.build(ema_decay=0.5)
    found = model.interpolate(3, 4, steps=4)
    assert found.dtype == np.uint8 and found.shape == model.generate(4, seed=0).shape
    np.testing.assert_array_equal(found[:1], model.generate(1, seed=3))
    np.testing.assert_array_equal(found[-1:], model.generate(1, seed=4))
    np.testing.assert_array_equal(found, model.interpolate(4, 3, steps=4)[::-1])


def test_labels_stay():
    (case,) = (case for case in CASES if case.name == "CGAN")
    model = case.build()
    found = model.interpolate(3, 4, steps=3, labels=2)
    np.testing.assert_array_equal(found[:1], model.generate(1, seed=3, labels=2))
    np.testing.assert_array_equal(found[-1:], model.generate(1, seed=4, labels=2))
    each = model.interpolate(3, 4, steps=3, labels=[2, 0, 0])
    np.testing.assert_array_equal(each[0], found[0])


def test_bad_arguments():
    model = GAN(build_mlp_generator((2,), 3, (4,)), build_mlp_discriminator((2,), (4,)))
    for given, match in (
        ({"seed_a": -1, "seed_b": 0}, "`seed_a`"),
        ({"seed_a": 0, "seed_b": None}, "`seed_b`"),
        ({"seed_a": 0, "seed_b": 1, "steps": 1}, "`steps`"),
        ({"seed_a": 0, "seed_b": 1, "labels": 0}, "`labels` must be None"),
        ({"seed_a": 0, "seed_b": 1, "words": 0}, "`interpolate` takes"),
    ):
        with pytest.raises(ValueError, match=rf"{match}.*Received"):
            model.interpolate(**given)
    (case,) = (case for case in CASES if case.name == "CycleGAN")
    with pytest.raises(ValueError, match=r"translate\(pictures\).*interpolate\(0, 1\)"):
        case.build().interpolate(0, 1)
    assert model.interpolate(0, 1, steps=3).shape == (3, 2)
