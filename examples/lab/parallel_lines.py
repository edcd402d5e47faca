"""Two parallel lines: distances that see how far apart they are, and distances that do not.

With Z ~ U[0, 1] the data are (0, Z) and the generator makes (t, Z), with one parameter t (Arjovsky
et al., 2017, arXiv:1701.07875, Example 1):

    W = |t|
    JS = log 2 for t != 0, and 0 for t = 0
    KL = infinite for t != 0, and 0 for t = 0

A critic with a gradient penalty of weight c (Gulrajani et al., 2017, arXiv:1704.00028) estimates W,
and t comes to 0 along its slope. Its best slope s maximizes s|t| - c (s - 1)^2, so that it is a
little above 1 and the estimate is |t| + t^2 / 2c. A discriminator of loss L estimates JS by
log 2 - L / 2 (Goodfellow et al., 2014, arXiv:1406.2661, Theorem 1), and by its log(1 - D) t stands
still: JS has no slope.

Settings: W by the exact assignment of 200 points to 200, JS and KL from histograms with cells of
0.05. MLPs of 2 x 32 on minibatches of 256, 1,000 steps of Adam at 5e-3, to 0; penalty weight 10.
Then 150 steps of t from 1, of rate 0.03 falling to 0, each after 20 steps of the network at
5e-3, without momentum.
"""

from keras_gans import losses
from keras_gans.networks import build_mlp_discriminator
from keras_gans.penalties import gradient_penalty

import numpy as np
import tensorflow as tf
from keras import optimizers
from scipy.optimize import linear_sum_assignment
from scipy.spatial import distance

from common import CRITIC, EXACT, FAKE, arguments, finish, minimize, subplots

SHIFTS = (-1.0, -0.75, -0.5, -0.25, 0.0, 0.25, 0.5, 0.75, 1.0)


def lines(shift, num=200):
    """`num` evenly spaced points of the data, and of the generator at `shift`."""
    z = (np.arange(num) + 0.5) / num
    return np.stack([0 * z, z], axis=1), np.stack([0 * z + shift, z], axis=1)


def exact_distances(shift):
    """W by assignment, JS and KL(data || generator) in nats from histograms, of the same points."""
    reals, fakes = lines(shift)
    costs = distance.cdist(reals, fakes)
    wasserstein = float(costs[linear_sum_assignment(costs)].mean())
    edges = (np.arange(-2.025, 2.05, 0.05), np.linspace(0, 1, 21))
    p, q = (np.histogram2d(*points.T, bins=edges)[0] / len(points) for points in (reals, fakes))
    m, seen = (p + q) / 2, p > 0

    def kl(a, b):
        with np.errstate(divide="ignore"):
            return float(np.sum(a[a > 0] * np.log(a[a > 0] / b[a > 0])))

    unreached = bool((q[seen] == 0).any())
    return wasserstein, (kl(p, m) + kl(q, m)) / 2, float("inf") if unreached else kl(p, q)


def batch(shift):
    """Fresh points of the data and of the generator, (256, 2) each."""
    z = tf.random.uniform((2, 256))
    return tf.stack([0 * z[0], z[0]], axis=1), tf.stack([0 * z[1] + shift, z[1]], axis=1)


def network_loss(network, shift, wasserstein):
    """The critic's loss with its penalty, or the discriminator's, on fresh points."""
    reals, fakes = batch(shift)
    real_logits, fake_logits = network(reals), network(fakes)
    if not wasserstein:
        return losses.minimax_discriminator_loss(real_logits, fake_logits)
    penalty = gradient_penalty(network, reals, fakes, tf.random.uniform((256,)))
    return losses.wasserstein_critic_loss(real_logits, fake_logits) + 10.0 * penalty


def trained(shift, wasserstein, steps, seed):
    """A critic or a discriminator of the two lines."""
    network = build_mlp_discriminator((2,), hidden=(32, 32), seed=seed)
    minimize(network, lambda: network_loss(network, shift, wasserstein), steps, 5e-3)
    return network


def estimate(network, shift, wasserstein):
    """W or JS, as the network has it."""
    reals, fakes = (network(points.astype("float32")) for points in lines(shift, 2000))
    if wasserstein:
        return 0.0 - float(losses.wasserstein_critic_loss(reals, fakes))
    return float(np.log(2) - losses.minimax_discriminator_loss(reals, fakes) / 2)


def descend(network, wasserstein, steps):
    """The generator's parameter at each step, (steps + 1,), learned from 1 on with the network."""
    shift = tf.Variable(1.0)
    # Without momentum, which would keep t circling about 0 (see xy_game.py).
    adam, variables = optimizers.Adam(5e-3, beta_1=0.0), network.trainable_variables
    adam.build(variables)

    @tf.function
    def step(rate):
        for _ in tf.range(20):
            with tf.GradientTape() as tape:
                loss = network_loss(network, shift, wasserstein)
            adam.apply(tape.gradient(loss, variables), variables)
        with tf.GradientTape() as tape:
            logits = network(batch(shift)[1])
            if wasserstein:
                loss = losses.wasserstein_generator_loss(logits)
            else:
                loss = losses.minimax_generator_loss(logits)
        shift.assign_sub(rate * tape.gradient(loss, shift))

    path = [1.0]
    for k in range(steps):
        step(tf.constant(0.03 * (1 - k / steps)))
        path.append(float(shift))
    return np.array(path)


def draw(rows, paths):
    """The figure of the table's rows and the two paths of t."""
    figure, (left, middle, right) = subplots(3, width=4.1)
    shifts = [row["t"] for row in rows]
    left.plot([-1, 0, 1], [1, 0, 1], color=EXACT, label="W = |t|")
    left.plot(shifts, [row["W, critic"] for row in rows], "o", color=CRITIC, label="critic")
    left.set(title="the Wasserstein distance has a slope", xlabel="t", ylim=(-0.05, 1.3))
    for ends in ((-1, -0.015), (0.015, 1)):
        label = "JS = log 2, but 0 at t = 0" if ends[0] < 0 else None
        middle.plot(ends, [np.log(2)] * 2, color=EXACT, label=label)
    middle.plot(0, 0, "s", color=EXACT, markersize=9)
    values = [row["JS, discriminator"] for row in rows]
    middle.plot(shifts, values, "o", color=FAKE, label="discriminator")
    middle.set(title="JS is flat, with a hole", xlabel="t", ylim=(-0.05, 0.9))
    right.axhline(0, color="0.85")
    right.plot(paths["critic"], color=CRITIC, label="by the critic")
    right.plot(paths["discriminator"], color=FAKE, label="by log(1 - D)")
    right.set(title="t, learned by gradient descent", xlabel="step", ylim=(-0.4, 1.3))
    for axis in (left, middle, right):
        axis.legend(frameon=False, fontsize=8, loc="upper center", ncols=2)
    return figure


def main(argv=None):
    args = arguments(__doc__, argv)
    shifts, steps = ((-0.5, 0.0, 0.5), 400) if args.quick else (SHIFTS, 1000)
    rows = []
    for shift in shifts:
        row = dict(zip(("t", "W", "JS", "KL"), (shift, *exact_distances(shift)), strict=True))
        for wasserstein, name in ((True, "W, critic"), (False, "JS, discriminator")):
            network = trained(shift, wasserstein, steps, args.seed)
            row[name] = estimate(network, shift, wasserstein)
        rows.append(row)
    paths = {
        name: descend(trained(1.0, wasserstein, steps, args.seed), wasserstein, steps * 3 // 20)
        for wasserstein, name in ((True, "critic"), (False, "discriminator"))
    }
    caption = (
        f"From t = 1 the critic's gradient leads t to {paths['critic'][-1]:.3f}; by the "
        f"discriminator's log(1 - D) it ends at {paths['discriminator'][-1]:.3f}, where it began: "
        "the lines do not meet, JS is log 2 around it, and nothing says where the data are."
    )
    finish("parallel_lines", args, draw(rows, paths), rows, caption)
    return {"rows": rows, "paths": paths}


if __name__ == "__main__":
    main()
