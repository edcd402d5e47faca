"""What models with Gaussian latents share: draws, divergences, likelihoods.

Source: Kingma and Welling, 2014 (arXiv:1312.6114).
"""

from keras import ops

from keras_gans.losses import float32

GAUSSIAN = ("mean", "log-variance")
"""The outputs of an encoder to Gaussians, for `autoencoding.check_encoder`."""


def gaussian_sample(mean, log_variance, noise):
    """z = mu + sigma * epsilon, through which gradients reach mu and sigma (section 2.4).

    Args:
        mean, log_variance: float tensors (batch, latent_dim).
        noise: epsilon, N(0, 1) numbers of the same shape.
    """
    mean, log_variance, noise = float32(mean, log_variance, noise)
    return mean + ops.exp(0.5 * log_variance) * noise


def gaussian_kl_divergence(mean, log_variance):
    """KL(N(mu, sigma^2) || N(0, I)) = -1/2 sum_j (1 + log sigma_j^2 - mu_j^2 - sigma_j^2).

    Appendix B of the paper, with the other sign.

    Args:
        mean, log_variance: float tensors (batch, latent_dim).

    Returns:
        Scalar, in nats: the sum over the latents, and the mean over the batch.

    Example:

    >>> float(gaussian_kl_divergence(ops.ones((5, 3)), ops.zeros((5, 3))))  # 3 * 1/2
    1.5
    """
    mean, log_variance = float32(mean, log_variance)
    terms = 1.0 + log_variance - ops.square(mean) - ops.exp(log_variance)
    return -0.5 * ops.mean(ops.sum(terms, axis=-1))


def gaussian_error(targets, means, variance=1.0):
    """||x - mu||^2 / (2 variance), which is -log N(x; mu, variance I) up to a constant.

    Args:
        targets, means: float tensors of one shape (batch, ...).
        variance: positive number.

    Returns:
        Scalar, in nats: the sum over all axes but the batch's, and the mean over the batch.

    Example:

    >>> float(gaussian_error(ops.ones((5, 2, 2)), ops.zeros((5, 2, 2)), variance=0.5))
    4.0
    """
    targets, means = float32(targets, means)
    errors = targets - means
    axes = tuple(range(1, len(errors.shape)))
    return ops.mean(ops.sum(ops.square(errors), axis=axes)) / (2.0 * variance)


def bernoulli_error(targets, means):
    """-sum_i t_i log p_i + (1 - t_i) log(1 - p_i), which is -log of a Bernoulli p(x|z).

    Kingma and Welling, 2014, appendix C.1. Pictures are in [-1, 1] here, so that t = (x + 1) / 2,
    and p likewise; p is kept 1e-6 away from 0 and 1, where tanh rounds to them.

    Args:
        targets, means: float tensors of one shape (batch, ...), in [-1, 1].

    Returns:
        Scalar, in nats: the sum over all axes but the batch's, and the mean over the batch.

    Example:

    >>> error = bernoulli_error(ops.ones((5, 2, 2)), ops.zeros((5, 2, 2)))  # 4 log 2
    >>> round(float(error), 4)
    2.7726
    """
    targets, means = float32(targets, means)
    t, p = (targets + 1.0) / 2.0, ops.clip((means + 1.0) / 2.0, 1e-6, 1.0 - 1e-6)
    terms = t * ops.log(p) + (1.0 - t) * ops.log(1.0 - p)
    return -ops.mean(ops.sum(terms, axis=tuple(range(1, len(terms.shape)))))
