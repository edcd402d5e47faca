"""A generator learns a Gaussian: on a line from uniform noise, in the plane from four numbers.

On a line the data are N(4, 1.25^2) and the latents U(-1, 1): the generator must bend an interval
into a bell. The monotone way to do that is z -> F^-1((z + 1) / 2), with F the distribution
function of the data. But only the distribution of G(z) is judged, not which z goes where, and the
generator finds a way of its own: it folds the interval. In the plane the data have the mean
(1, -1) and the covariance ((1, 0.8), (0.8, 1.5)), and the latents are four numbers from N(0, 1): it
has to find the correlation. At the equilibrium q = p (Goodfellow et al., 2014, arXiv:1406.2661,
Theorem 1); here one sees how near a trained generator is, by its moments, W_1 and, in the plane,
the Fréchet distance of the two fitted Gaussians.

Settings: `keras_gans.GAN`, the non-saturating loss, with MLPs of 2 x 64 on minibatches of 256,
6,000 steps of Adam (beta_1 0) from 5e-4 for G and 4e-3 for D to 0 along a cosine, and the averaged
generator (decay 0.999). With 1e-3 for both, and beta_1 0.5, the standard deviation stayed a tenth
too small. 20,000 samples are measured, beside as many reals.
"""

from keras_gans import GAN
from keras_gans.datasets import points
from keras_gans.metrics import frechet_distance
from keras_gans.networks import build_mlp_discriminator, build_mlp_generator

import keras
import numpy as np
from scipy import stats

from common import FAKE, REAL, arguments, finish, subplots

MEAN = np.array([1.0, -1.0])
COVARIANCE = np.array([[1.0, 0.8], [0.8, 1.5]])
NUM = 20_000


class UniformGAN(GAN):
    """A GAN whose latents are U(-1, 1)."""

    latent_prior = "uniform"


def trained(model, reals, latent_dim, steps, seed):
    """A model of the points (num, dimensions)."""
    shape = reals.shape[1:]
    gan = model(
        build_mlp_generator(shape, latent_dim, hidden=(64, 64), seed=seed),
        build_mlp_discriminator(shape, hidden=(64, 64), seed=seed + 1),
        ema_decay=0.999 if steps >= 2000 else 0.9,
        seed=seed,
    )
    decay = keras.optimizers.schedules.CosineDecay
    gan.compile(
        generator_optimizer=keras.optimizers.Adam(decay(5e-4, steps), beta_1=0.0),
        discriminator_optimizer=keras.optimizers.Adam(decay(4e-3, steps), beta_1=0.0),
    )
    gan.fit(reals, batch_size=256, epochs=1, steps_per_epoch=steps, verbose=0)
    return gan


def on_a_line(steps, seed):
    """Reals and fakes (20000, 1), and the generator's curve: latents and its points."""
    reals = points.read("gaussian").values.numpy()
    gan = trained(UniformGAN, reals, 1, steps, seed)
    z = np.linspace(-1, 1, 401)[:, None].astype("float32")
    return reals[:NUM], gan.generate(NUM, seed=seed), (z[:, 0], np.array(gan.sampler(z))[:, 0])


def in_the_plane(steps, seed):
    """Reals and fakes (20000, 2)."""
    rng = np.random.default_rng(seed)
    reals = rng.multivariate_normal(MEAN, COVARIANCE, 50_000).astype("float32")
    return reals[:NUM], trained(GAN, reals, 4, steps, seed).generate(NUM, seed=seed)


def measures(line, plane):
    """The table: moments of reals and fakes, and their distances."""
    reals, fakes = line
    rows = []
    for name, of in (("mean", np.mean), ("standard deviation", np.std)):
        rows.append((f"line: {name}", float(of(reals)), float(of(fakes))))
    distance = stats.wasserstein_distance(reals[:, 0], fakes[:, 0])
    rows.append(("line: W_1 to the reals", 0.0, float(distance)))
    reals, fakes = (x.astype("float64") for x in plane)
    covariances = [np.cov(x.T) for x in (reals, fakes)]
    for k in range(2):
        rows.append((f"plane: mean of x_{k + 1}", *(float(x[:, k].mean()) for x in (reals, fakes))))
    for i, j in ((0, 0), (1, 1), (0, 1)):
        values = (float(c[i, j]) for c in covariances)
        rows.append((f"plane: covariance of x_{i + 1} and x_{j + 1}", *values))
    fitted = (reals.mean(axis=0), covariances[0], fakes.mean(axis=0), covariances[1])
    rows.append(("plane: Fréchet distance to the reals", 0.0, frechet_distance(*fitted)))
    return [dict(zip(("measure", "reals", "fakes"), row, strict=True)) for row in rows]


def draw(line, curve, plane):
    """The figure: histograms, the generator's curve, contours."""
    figure, (left, middle, right) = subplots(3, width=4.1)
    edges = np.linspace(-1, 9, 61)
    for values, color, name in zip(line, (REAL, FAKE), ("reals", "fakes"), strict=True):
        left.hist(values[:, 0], edges, density=True, color=color, alpha=0.45, label=name)
    x = np.linspace(-1, 9, 201)
    law = stats.norm(points.GAUSSIAN_MEAN, points.GAUSSIAN_SIGMA)
    left.plot(x, law.pdf(x), "k", linewidth=1, label="N(4, 1.25²)")
    left.set(title="on a line", xlabel="x", ylabel="density")
    z, made = curve
    up = law.ppf((z[1:-1] + 1) / 2)
    falls = made[-1] < made[0]
    middle.plot(z[1:-1], up[::-1] if falls else up, "k", linewidth=1, label="monotone map")
    middle.plot(z, made, color=FAKE, linewidth=3, alpha=0.6, label="generator")
    middle.set(title="how the interval is bent", xlabel="z from U(-1, 1)", ylabel="G(z)")
    middle.legend(frameon=False, fontsize=8, loc="best")
    looks = zip(plane, (REAL, FAKE), ("reals", "fakes"), (4, 1.2), strict=True)
    for values, color, name, width in looks:
        right.scatter(*values[:1000].T, s=3, color=color, alpha=0.35, linewidths=0)
        fitted = stats.multivariate_normal(values.mean(axis=0), np.cov(values.T))
        grid = np.stack(np.meshgrid(np.linspace(-3, 5, 81), np.linspace(-6, 4, 81)), axis=-1)
        levels = fitted.pdf(fitted.mean) * np.exp([-4.5, -2.0, -0.5])  # 3, 2 and 1 sigma
        right.contour(
            grid[..., 0], grid[..., 1], fitted.pdf(grid), levels, colors=color, linewidths=width
        )
        right.plot([], [], color=color, linewidth=width, label=name)
    right.set(title="in the plane, at 1, 2 and 3 σ", xlabel="x_1", ylabel="x_2", aspect="equal")
    for axis in (left, right):
        axis.legend(frameon=False, fontsize=8, loc="upper left")
    return figure


def main(argv=None):
    args = arguments(__doc__, argv)
    steps = 300 if args.quick else 6000
    *line, curve = on_a_line(steps, args.seed)
    plane = in_the_plane(steps, args.seed)
    rows = measures(line, plane)
    caption = (
        "The bell and the ellipses of the fakes lie on those of the reals. The generator folds the "
        "interval where the monotone map would not: only the distribution of G(z) is judged. An "
        "interval has ends, and so the fakes have no tails."
    )
    finish("gaussians", args, draw(line, curve, plane), rows, caption)
    return rows


if __name__ == "__main__":
    main()
