"""Adversarial losses: pure functions of the discriminator's logits, each returning a scalar.

The order is always (real_logits, fake_logits). Logits are unbounded floats of any shape, (batch, 1)
or PatchGAN maps (batch, h, w, 1); the mean runs over all axes. Below, D = sigmoid(logits) and E is
that mean. The entropies at the end take the logits of K classes, (batch, K), and E is the mean over
the batch. Everything is computed from logits, so that it stays finite where sigmoid saturates, and
in float32, whatever the logits are in. Distances and the total variation are of values, not logits.

Example:

>>> from keras_gans import losses
>>> round(float(losses.minimax_discriminator_loss([[0.0]], [[0.0]])), 4)  # 2 log 2
1.3863
"""

from keras import ops

from keras_gans.devices.replicas import mean_over_replicas

TINY = 1e-37  # a class with less probability has no part in an entropy, in float32
SQUARE_EPSILON = 1e-12  # inside a root, whose derivative is then finite at 0


def float32(*values):
    """Tensors as float32: one, or a list of several."""
    values = [ops.cast(value, "float32") for value in values]
    return values if len(values) > 1 else values[0]


def l1(x, y):
    """E|x - y|, over all values of two tensors of one shape."""
    x, y = float32(x, y)
    return ops.mean(ops.abs(x - y))


def mean_squared_error(x, y):
    """E[(x - y)^2], over all values of two tensors of one shape."""
    x, y = float32(x, y)
    return ops.mean(ops.square(x - y))


def psnr(x, y):
    """The peak signal-to-noise ratio of pictures in [-1, 1] to others, in dB: no loss, but read
    beside one.

    10 log10(4 / E[(x - y)^2]) of each picture (height, width, channels), and the mean over the
    batch; 2 is the peak of [-1, 1].

    Example:

    >>> black, white = np.full((1, 8, 8, 3), -1.0), np.full((1, 8, 8, 3), 1.0)
    >>> float(psnr(black, white)), round(float(psnr(black, 0.9 * black)), 2)
    (0.0, 26.02)
    """
    x, y = float32(x, y)
    errors = ops.mean(ops.square(x - y), axis=(1, 2, 3))
    return ops.mean(10.0 * ops.log10(4.0 / ops.maximum(errors, TINY)))


def total_variation(pictures, exponent=1.0):
    """E[sum_ij ((x_{i,j+1} - x_ij)^2 + (x_{i+1,j} - x_ij)^2)^(B / 2)], with B = `exponent`.

    Mahendran and Vedaldi, 2015 (arXiv:1412.0035). It is summed over pixels and channels, and the
    mean is over the batch. Pixels of the last row have none below them, and those of the last
    column none beside them: such a difference is 0. With B other than 2 the power is taken of 1e-12
    more, so that its derivative is finite where a picture is even; a root is exact to 1e-6 a pixel.

    Args:
        pictures: float tensor (batch, H, W, C).
        exponent: B, a positive number: 1 keeps edges, 2 prefers slopes.

    Returns:
        Scalar.

    Raises:
        ValueError: `exponent` is not positive.

    Example:

    >>> pictures = [[[[0.0], [3.0]], [[4.0], [4.0]]]]  # 0 3 above 4 4
    >>> round(float(total_variation(pictures)), 4)  # sqrt(9 + 16) + 1 + 0 + 0
    6.0
    """
    if not exponent > 0:
        raise ValueError(f"`exponent` must be positive. Received: {exponent!r}")
    x = float32(pictures)
    right = ops.pad(x[:, :, 1:] - x[:, :, :-1], [[0, 0], [0, 0], [0, 1], [0, 0]])
    down = ops.pad(x[:, 1:] - x[:, :-1], [[0, 0], [0, 1], [0, 0], [0, 0]])
    squares = ops.square(right) + ops.square(down)
    if exponent != 2:
        squares = ops.power(squares + SQUARE_EPSILON, exponent / 2)
    return ops.mean(ops.sum(squares, axis=(1, 2, 3)))


def class_cross_entropy(labels, class_logits):
    """-E[log p(y | x)], with the softmax p of the logits.

    Args:
        labels: int (batch,), in [0, K).
        class_logits: (batch, K).

    Example:

    >>> round(float(class_cross_entropy([1], [[0.0, 0.0, 0.0, 0.0]])), 4)  # log 4
    1.3863
    """
    logits = float32(class_logits)
    return ops.mean(ops.sparse_categorical_crossentropy(labels, logits, from_logits=True))


def minimax_discriminator_loss(real_logits, fake_logits, real_target=1.0):
    """-E[t log D(x) + (1 - t) log(1 - D(x))] - E[log(1 - D(G(z)))], with t = `real_target`.

    With t = 1 it is the negative of the discriminator's value function (Goodfellow et al., 2014,
    arXiv:1406.2661, equation 1); with t = 0.9 it has the one-sided label smoothing of Salimans et
    al., 2016 (arXiv:1606.03498, section 3.4).

    Args:
        real_logits: logits for reals.
        fake_logits: logits for fakes.
        real_target: target probability for reals, in [0, 1].

    Raises:
        ValueError: `real_target` is out of [0, 1].
    """
    if not 0 <= real_target <= 1:
        raise ValueError(f"`real_target` must be in [0, 1]. Received: {real_target!r}")
    real_logits, fake_logits = float32(real_logits, fake_logits)
    real_loss = ops.mean(ops.softplus(-real_logits)) * real_target
    if real_target < 1:
        real_loss += ops.mean(ops.softplus(real_logits)) * (1.0 - real_target)
    return real_loss + ops.mean(ops.softplus(fake_logits))


def minimax_generator_loss(fake_logits):
    """E[log(1 - D(G(z)))], which saturates where D wins (Goodfellow et al., 2014, equation 1)."""
    return -ops.mean(ops.softplus(float32(fake_logits)))


def non_saturating_generator_loss(fake_logits):
    """-E[log D(G(z))] (Goodfellow et al., 2014, section 3, the form that is used in practice)."""
    return ops.mean(ops.softplus(-float32(fake_logits)))


def least_squares_discriminator_loss(real_logits, fake_logits, a=0.0, b=1.0):
    """1/2 E[(D(x) - b)^2] + 1/2 E[(D(G(z)) - a)^2], on the logits, with no sigmoid.

    Mao et al., 2017 (arXiv:1611.04076), equation 2.

    Args:
        real_logits: outputs for reals.
        fake_logits: outputs for fakes.
        a: target for fakes.
        b: target for reals.
    """
    real_logits, fake_logits = float32(real_logits, fake_logits)
    real_loss = ops.mean(ops.square(real_logits - b))
    fake_loss = ops.mean(ops.square(fake_logits - a))
    return 0.5 * real_loss + 0.5 * fake_loss


def least_squares_generator_loss(fake_logits, c=1.0):
    """1/2 E[(D(G(z)) - c)^2] (Mao et al., 2017, equation 2); `c` is what G wants D to say."""
    return 0.5 * ops.mean(ops.square(float32(fake_logits) - c))


def wasserstein_critic_loss(real_logits, fake_logits):
    """E[f(G(z))] - E[f(x)], the negative of the estimated distance.

    Arjovsky et al., 2017 (arXiv:1701.07875), equation 2 and Algorithm 1.
    """
    return ops.mean(float32(fake_logits)) - ops.mean(float32(real_logits))


def wasserstein_generator_loss(fake_logits):
    """-E[f(G(z))] (Arjovsky et al., 2017, Algorithm 1)."""
    return -ops.mean(float32(fake_logits))


def hinge_discriminator_loss(real_logits, fake_logits):
    """E[max(0, 1 - D(x))] + E[max(0, 1 + D(G(z)))]: beyond the margins a sample costs nothing.

    Lim and Ye, 2017 (arXiv:1705.02894); Miyato et al., 2018 (arXiv:1802.05957), section 4.

    Args:
        real_logits: outputs for reals.
        fake_logits: outputs for fakes.
    """
    real_logits, fake_logits = float32(real_logits, fake_logits)
    return ops.mean(ops.relu(1.0 - real_logits)) + ops.mean(ops.relu(1.0 + fake_logits))


def hinge_generator_loss(fake_logits):
    """-E[D(G(z))] (Miyato et al., 2018, section 4): no margin for the generator."""
    return -ops.mean(float32(fake_logits))


def relativistic_loss(logits, other_logits):
    """E[log(1 + exp(-(C(x) - C(y))))] over pairs (x, y): x should look more real than y.

    Jolicoeur-Martineau, 2018 (arXiv:1807.00734, RSGAN): a discriminator descends on it with x real
    and y fake, a generator with x fake and y real, so that a generator's loss needs reals too. The
    k-th logit of one is paired with the k-th of the other.

    Args:
        logits: logits of those that should look real.
        other_logits: logits of those that should not, of the same shape.

    Raises:
        ValueError: the shapes differ.
    """
    logits, other_logits = float32(logits, other_logits)
    if not logits.shape.is_compatible_with(other_logits.shape):
        raise ValueError(
            "`logits` and `other_logits` must have one shape. "
            f"Received: {tuple(logits.shape)} and {tuple(other_logits.shape)}"
        )
    return ops.mean(ops.softplus(other_logits - logits))


def conditional_entropy(logits):
    """E[H(p(y|x))] with p = softmax(logits): how undecided D is about the examples, in nats.

    Springenberg, 2016 (arXiv:1511.06390), equation 4. It is computed from logits, without a
    logarithm of 0.

    Args:
        logits: float tensor (batch, K).

    Returns:
        Scalar in [0, log K].

    Example:

    >>> round(float(conditional_entropy([[0.0, 0.0], [99.0, 0.0]])), 4)  # log 2, and 0
    0.3466
    """
    log_p = ops.log_softmax(float32(logits), axis=-1)
    return -ops.mean(ops.sum(ops.exp(log_p) * log_p, axis=-1))


def marginal_entropy(logits):
    """H(E[p(y|x)]) with p = softmax(logits): how evenly the classes are used, in nats.

    Springenberg, 2016 (arXiv:1511.06390), equations 2 and 3. The mean is over the batch; on several
    replicas over the global one, and so are its gradients.

    Args:
        logits: float tensor (batch, K), a replica's share of the batch.

    Returns:
        Scalar in [0, log K], the same on all replicas.

    Example:

    >>> round(float(marginal_entropy([[0.0, 99.0], [99.0, 0.0]])), 4)  # log 2: both classes
    0.6931
    """
    p = mean_over_replicas(ops.mean(ops.softmax(float32(logits), axis=-1), axis=0))
    return -ops.sum(p * ops.log(ops.maximum(p, TINY)))
