"""Gaussian latents: the closed forms against numerical integrals and draws."""

import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from keras_gans.families.variational import (
    bernoulli_error,
    gaussian_error,
    gaussian_kl_divergence,
    gaussian_sample,
)


def log_density(x, mean, variance):
    return -0.5 * (np.log(2 * np.pi * variance) + (x - mean) ** 2 / variance)


def test_kl_divergence_by_integration():
    """The integral of q log(q / p), for each latent; summed over latents, mean over the batch."""
    mean = np.array([[0.0, 1.5, -0.3], [0.2, -2.0, 0.7]])
    log_variance = np.array([[0.0, -1.0, 1.2], [0.5, -3.0, 0.1]])
    x = np.linspace(-20, 20, 400_001)[:, None, None]
    q, p = log_density(x, mean, np.exp(log_variance)), log_density(x, 0.0, 1.0)
    integrals = (np.exp(q) * (q - p)).sum(axis=0) * (x[1] - x[0])
    divergence = gaussian_kl_divergence(tf.constant(mean), tf.constant(log_variance))
    assert float(divergence) == pytest.approx(integrals.sum(axis=1).mean(), rel=1e-6)


def test_kl_divergence_of_the_prior_is_zero():
    assert float(gaussian_kl_divergence(ops.zeros((4, 3)), ops.zeros((4, 3)))) == 0


@pytest.mark.parametrize("variance", [1.0, 0.25])
def test_error_is_the_negative_log_likelihood(variance):
    rng = np.random.default_rng(0)
    x, mean = rng.normal(size=(2, 5, 4, 3, 2)).astype("float32")
    constant = 24 * 0.5 * np.log(2 * np.pi * variance)  # of each example's 4 * 3 * 2 numbers
    expected = -log_density(x, mean, variance).sum(axis=(1, 2, 3)).mean() - constant
    assert float(gaussian_error(x, mean, variance)) == pytest.approx(expected, rel=1e-5)


def test_bernoulli_error_is_the_negative_log_likelihood():
    """Of black and white pixels it is -log of the probabilities of what they are."""
    rng = np.random.default_rng(0)
    p = rng.uniform(0.01, 0.99, size=(5, 4, 3, 2))
    white = rng.random(p.shape) < p
    expected = -np.log(np.where(white, p, 1 - p)).sum(axis=(1, 2, 3)).mean()
    error = bernoulli_error(np.where(white, 1.0, -1.0), 2 * p - 1)
    assert float(error) == pytest.approx(expected, rel=1e-5)
    grey = -(0.25 * np.log(0.9) + 0.75 * np.log(0.1))  # a pixel of 1/4, where p says 0.9
    assert float(bernoulli_error(np.full((2, 1), -0.5), np.full((2, 1), 0.8))) == pytest.approx(
        grey, rel=1e-5
    )
    certain = bernoulli_error(np.ones((1, 2)), np.array([[1.0, -1.0]]))  # right, and wrong
    assert float(certain) == pytest.approx(-np.log(1e-6), rel=1e-2)


def test_error_of_half_precision_does_not_overflow():
    x = tf.fill((1, 100), tf.constant(40.0, tf.float16))
    assert float(gaussian_error(x, -x)) == pytest.approx(100 * 80**2 / 2)


def test_sample():
    mean, log_variance = np.array([[1.0, -2.0]]), np.log([[4.0, 0.25]])
    noise = np.random.default_rng(0).normal(size=(100_000, 2))
    z = np.array(gaussian_sample(mean, log_variance, noise))
    np.testing.assert_allclose(z.mean(axis=0), [1, -2], atol=0.03)
    np.testing.assert_allclose(z.std(axis=0), [2, 0.5], rtol=0.02)
