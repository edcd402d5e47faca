"""What the best discriminator is, and why a generator can't learn from it when it is far away.

Left: for a fixed generator with density q the discriminator that maximizes
E_p[log D(x)] + E_q[log(1 - D(x))] is D*(x) = p(x) / (p(x) + q(x)) (Goodfellow et al., 2014,
arXiv:1406.2661, Proposition 1). An MLP that is trained with that loss on samples finds it where
there are samples.

Middle and right: reals and fakes far apart. The generator descends on log(1 - D(x)), whose
gradient is -D(x) l'(x), with l the logit of D. The better D is, the nearer that is to 0
(Arjovsky and Bottou, 2017, arXiv:1701.04862, Theorem 2.4). A Wasserstein critic whose weights are
clipped has a slope everywhere between the two (Arjovsky et al., 2017, arXiv:1701.07875, figure 2).
Its scale is not that of a distance: it depends on the clip.

Settings: p = N(-1, 1) and q = N(1, 0.6^2); far apart, p = N(-3, 0.5^2) and q = N(3, 0.5^2). MLPs of
2 x 32, 3,000 steps on minibatches of 512: Adam at 5e-3 for D, RMSprop at 1e-3 and a clip of 0.1 for
the critic, both falling to 0.
"""

from keras_gans.losses import minimax_discriminator_loss, wasserstein_critic_loss
from keras_gans.networks import build_mlp_discriminator
from keras_gans.penalties import clip_weights, logits_and_gradients

import numpy as np
import tensorflow as tf
from keras import optimizers
from scipy import special, stats

from common import CRITIC, EXACT, FAKE, REAL, arguments, finish, minimize, subplots

NEAR = ((-1.0, 1.0), (1.0, 0.6))
FAR = ((-3.0, 0.5), (3.0, 0.5))
"""(mean, standard deviation) of the reals and of the fakes."""


def optimal_logits(x, pair):
    """log p(x) / q(x), whose sigmoid is D*."""
    (mean_p, sigma_p), (mean_q, sigma_q) = pair
    return stats.norm.logpdf(x, mean_p, sigma_p) - stats.norm.logpdf(x, mean_q, sigma_q)


def trained(loss_function, pair, steps, seed, clip=None):
    """A discriminator, or with `clip` a critic, of the two Gaussians."""
    network = build_mlp_discriminator((1,), hidden=(32, 32), seed=seed)

    def loss():
        reals, fakes = (tf.random.normal((512, 1), *numbers) for numbers in pair)
        return loss_function(network(reals), network(fakes))

    if clip is None:
        minimize(network, loss, steps, 5e-3)
    else:
        clipping = {"optimizer": optimizers.RMSprop, "after": lambda: clip_weights(network, clip)}
        minimize(network, loss, steps, 1e-3, **clipping)
    return network


def logits_and_slopes(network, x):
    """The network's outputs at points (num,), and their derivatives: two arrays (num,)."""
    found = logits_and_gradients(network, x[:, None].astype("float32"))
    return [np.array(values, "float64")[:, 0] for values in found]


def gradients(discriminator, critic, pair, fakes):
    """What a generator gets at the fakes: one row for each loss."""
    logits, slopes = logits_and_slopes(discriminator, fakes)
    (mean_p, sigma_p), (mean_q, sigma_q) = pair
    exact = -(fakes - mean_p) / sigma_p**2 + (fakes - mean_q) / sigma_q**2
    chance = special.expit(optimal_logits(fakes, pair))
    found = {
        "log(1 - D), best D = p / (p + q)": chance * exact,
        "log(1 - D), trained D": special.expit(logits) * slopes,
        "-log D, trained D": special.expit(-logits) * slopes,
        "-f, trained critic": logits_and_slopes(critic, fakes)[1],
    }
    return [
        {
            "generator's loss": name,
            "mean size of its gradient at the fakes": float(np.abs(values).mean()),
            "least": float(np.abs(values).min()),
            "most": float(np.abs(values).max()),
        }
        for name, values in found.items()
    ]


def largest_error(discriminator, pair):
    """max |D - D*| over the points where (p + q) / 2 is at least 0.01."""
    x = np.linspace(-8, 8, 1601)
    density = sum(stats.norm.pdf(x, *numbers) for numbers in pair) / 2
    x = x[density >= 0.01]
    found = special.expit(logits_and_slopes(discriminator, x)[0])
    return float(np.abs(found - special.expit(optimal_logits(x, pair))).max())


def shade(axis, x, pair):
    """The two densities in the background."""
    for (mean, sigma), color, name in zip(pair, (REAL, FAKE), ("reals p", "fakes q"), strict=True):
        axis.fill_between(x, stats.norm.pdf(x, mean, sigma), color=color, alpha=0.25, label=name)


def draw(near, far, critic):
    """The figure of the three networks."""
    figure, (left, middle, right) = subplots(3, width=4.2, height=3.9)
    x = np.linspace(-5, 5, 501)
    shade(left, x, NEAR)
    left.plot(x, special.expit(optimal_logits(x, NEAR)), color=EXACT, lw=4, label="p / (p + q)")
    left.plot(x, special.expit(logits_and_slopes(near, x)[0]), "k--", label="trained D")
    left.set(title="D finds p / (p + q)", xlabel="x", ylim=(0, 1.05))
    x = np.linspace(-6, 6, 601)
    scores, slopes = logits_and_slopes(critic, x)
    shade(middle, x, FAR)
    scaled = (scores - scores.min()) / np.ptp(scores)
    middle.plot(x, special.expit(logits_and_slopes(far, x)[0]), "k--", label="trained D")
    middle.plot(x, scaled, color=CRITIC, label="critic, scaled to [0, 1]")
    middle.set(title="far apart: D is a step, the critic a slope", xlabel="x", ylim=(0, 1.05))
    logits, d_slopes = logits_and_slopes(far, x)
    right.axvspan(2, 4, color=FAKE, alpha=0.15, label="where the fakes are")
    right.semilogy(x, np.abs(special.expit(logits) * d_slopes), "k--", label="of log(1 - D)")
    right.semilogy(x, np.abs(special.expit(-logits) * d_slopes), "k:", label="of log D")
    right.semilogy(x, np.abs(slopes), color=CRITIC, label="of the critic")
    right.set(title="size of the generator's gradient", xlabel="x", ylim=(1e-12, 1e2))
    below = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.16), "ncols": 2}
    for axis in (left, middle, right):
        axis.legend(frameon=False, fontsize=8, **below)
    return figure


def main(argv=None):
    args = arguments(__doc__, argv)
    steps = 300 if args.quick else 3000
    near = trained(minimax_discriminator_loss, NEAR, steps, args.seed)
    far = trained(minimax_discriminator_loss, FAR, steps, args.seed)
    critic = trained(wasserstein_critic_loss, FAR, steps, args.seed, clip=0.1)
    mean, sigma = FAR[1]
    fakes = np.random.default_rng(args.seed).normal(mean, sigma, 2000)
    rows = gradients(far, critic, FAR, fakes)
    error = largest_error(near, NEAR)
    caption = (
        f"The trained discriminator is p / (p + q) within {error:.3f} where there are data, and is "
        "free elsewhere (right of x = 3). Where reals and fakes do not meet, log(1 - D) has almost "
        "no gradient left at the fakes. That of -log D stays, with D's slope for its size, and so "
        "does that of a critic with clipped weights."
    )
    finish("optimal_discriminator", args, draw(near, far, critic), rows, caption)
    return {"error": error, "rows": rows}


if __name__ == "__main__":
    main()
