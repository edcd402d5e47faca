"""The value of the game against the best discriminator, C(G) = max_D V(D, G).

    C(G) = E_p[log p / (p + q)] + E_q[log q / (p + q)] = -log 4 + 2 JSD(p || q)

It is -log 4 where the generator's q is the data's p, larger elsewhere, and never above 0, where no
point could come from both (Goodfellow et al., 2014, arXiv:1406.2661, Theorem 1 and equations 4 to
6). A trained discriminator's V is a lower bound of it: it is one D of all over which C takes the
maximum.

Settings: p = N(0, 1) and q = N(m, 1) with m from 0 to 5. The integral runs over 40,001 points. The
discriminators are MLPs of 2 x 32, 1,500 steps of Adam (rate 5e-3, to 0) on minibatches of 256; V is
measured on 200,000 points of each kind that they have not seen.
"""

from keras_gans.losses import minimax_discriminator_loss
from keras_gans.networks import build_mlp_discriminator

import numpy as np
import tensorflow as tf
from scipy import integrate, stats

from common import EXACT, FAKE, arguments, finish, minimize, subplots

MEANS = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0)
GRID = np.linspace(-12, 17, 40_001)


def best_value(mean):
    """C(G) for q = N(mean, 1), by its definition."""
    log_p, log_q = stats.norm.logpdf(GRID), stats.norm.logpdf(GRID, mean)
    log_sum = np.logaddexp(log_p, log_q)
    values = np.exp(log_p) * (log_p - log_sum) + np.exp(log_q) * (log_q - log_sum)
    return float(integrate.trapezoid(values, GRID))


def jensen_shannon(mean):
    """JSD(p || q) in nats: the mean divergence from the mixture (p + q) / 2."""
    p, q = stats.norm.pdf(GRID), stats.norm.pdf(GRID, mean)
    m = (p + q) / 2
    kl = [np.where(a > 0, a * np.log(np.maximum(a, 1e-300) / m), 0.0) for a in (p, q)]
    return float(integrate.trapezoid(0.5 * (kl[0] + kl[1]), GRID))


def trained_value(mean, steps, seed):
    """V of a trained discriminator, on points that it has not seen."""
    network = build_mlp_discriminator((1,), hidden=(32, 32), seed=seed)

    def loss():
        reals, fakes = tf.random.normal((256, 1)), tf.random.normal((256, 1), mean)
        return minimax_discriminator_loss(network(reals), network(fakes))

    minimize(network, loss, steps, 5e-3)
    points = np.random.default_rng(seed).standard_normal((2, 200_000, 1)).astype("float32")
    return -float(minimax_discriminator_loss(network(points[0]), network(points[1] + mean)))


def main(argv=None):
    args = arguments(__doc__, argv)
    means, steps = (MEANS[::4], 150) if args.quick else (MEANS, 1500)
    rows = []
    for mean in means:
        row = {"mean of q": mean, "C(G), integral": best_value(mean)}
        row["-log 4 + 2 JSD"] = -np.log(4.0) + 2 * jensen_shannon(mean)
        row["V of a trained D"] = trained_value(mean, steps, args.seed)
        rows.append({name: float(f"{value:.4f}") for name, value in row.items()})
    figure, (axis,) = subplots(1, width=6.5, height=3.8)
    fine = np.linspace(0, means[-1], 101)
    axis.axhline(0, color="0.85")
    axis.axhline(-np.log(4), color="0.85")
    values = [best_value(mean) for mean in fine]
    axis.plot(fine, values, color=EXACT, label="C(G) = -log 4 + 2 JSD, by integration")
    trained = [row["V of a trained D"] for row in rows]
    axis.plot(means, trained, "o", color=FAKE, label="V of a trained discriminator")
    axis.set_yticks([0, -0.5, -1, -np.log(4)], ["0", "-0.5", "-1", "-log 4"])
    axis.set(xlabel="mean of q = N(m, 1); the data are N(0, 1)", ylabel="value of the game")
    axis.set_title("the value is least where q is the data's distribution")
    axis.legend(frameon=False, loc="lower right", bbox_to_anchor=(1, 0.1))
    caption = (
        "At m = 0 the best discriminator can do no better than 1/2 everywhere, and the value is "
        "-log 4. As q moves away it rises to 0 and flattens: a generator that is far off learns "
        "little from it."
    )
    finish("game_value", args, figure, rows, caption)
    return rows


if __name__ == "__main__":
    main()
