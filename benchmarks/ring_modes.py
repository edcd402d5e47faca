"""How many of the ring's 8 modes a model catches, and after how many steps.

Protocol: 2,500 samples of the averaged generator, each given to its nearest centre. A sample is of
high quality within 3 standard deviations (0.03) of it, and near within 10 (0.1; centres are 0.77
apart). A mode is caught with 20 high-quality samples of its own, and reached with 20 near ones; an
even share would be 312.

    python benchmarks/ring_modes.py WGAN --steps 6000 --seeds 3
"""

import argparse
import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np

from keras_gans import GAN, WGAN, WGANGP
from keras_gans.datasets import load, points
from keras_gans.images import plot_points, save_png
from keras_gans.networks import build_mlp_discriminator, build_mlp_generator

NUM = 2500
ENOUGH = 20


def coverage(samples):
    """Of points (num, 2): modes caught, share of high quality, modes reached, share near."""
    distances = np.linalg.norm(samples[:, None] - points.RING_CENTRES, axis=-1)
    results = []
    for sigmas in (3, 10):
        good = distances.min(axis=1) <= sigmas * points.RING_SIGMA
        counts = np.bincount(distances.argmin(axis=1)[good], minlength=8)
        results += [int((counts >= ENOUGH).sum()), float(good.mean())]
    return results


def build(name, rate, final_rate, steps, seed):
    networks = (
        build_mlp_generator((2,), 16, hidden=(256, 256, 256), seed=seed),
        build_mlp_discriminator((2,), hidden=(256, 256, 256), seed=seed + 1),
    )
    decay = keras.optimizers.schedules.CosineDecay(rate, steps, alpha=final_rate / rate)
    slow = keras.optimizers.schedules.CosineDecay(rate, steps * 5, alpha=final_rate / rate)
    if name == "GAN":
        gan = GAN(*networks, ema_decay=0.999, seed=seed)
        adam = keras.optimizers.Adam
        gan.compile(
            generator_optimizer=adam(decay, beta_1=0.5),
            discriminator_optimizer=adam(decay, beta_1=0.5),
        )
    elif name == "WGAN":
        gan = WGAN(*networks, clip=0.1, ema_decay=0.999, seed=seed)
        rmsprop = keras.optimizers.RMSprop
        gan.compile(
            generator_optimizer=rmsprop(decay, rho=0.99), critic_optimizer=rmsprop(slow, rho=0.99)
        )
    else:
        gan = WGANGP(*networks, gp_weight=0.1, ema_decay=0.999, seed=seed)
        adam = keras.optimizers.Adam
        gan.compile(
            generator_optimizer=adam(decay, beta_1=0.0, beta_2=0.9),
            critic_optimizer=adam(slow, beta_1=0.0, beta_2=0.9),
        )
    return gan


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", choices=("GAN", "WGAN", "WGANGP"))
    parser.add_argument("--steps", type=int, default=6000, help="generator updates")
    parser.add_argument("--every", type=int, default=1000, help="steps between measurements")
    parser.add_argument("--seeds", type=int, default=1, help="number of runs")
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--rate", type=float, default=5e-4, help="first learning rate")
    parser.add_argument("--final-rate", type=float, default=1e-5, help="last learning rate")
    parser.add_argument("--out", help="PNG file for the last samples")
    args = parser.parse_args()
    for seed in range(args.seeds):
        keras.utils.set_random_seed(seed)
        gan = build(args.model, args.rate, args.final_rate, args.steps, seed)
        data = load("ring", batch_size=args.batch_size, seed=seed)
        begin = time.perf_counter()
        for k in range(args.steps // args.every):
            gan.fit(data, epochs=k + 1, initial_epoch=k, steps_per_epoch=args.every, verbose=0)
            caught, quality, reached, near = coverage(gan.generate(NUM, seed=seed))
            seconds = time.perf_counter() - begin
            print(
                f"{args.model} seed {seed} step {(k + 1) * args.every}: caught {caught} of 8 modes "
                f"({quality:.1%} of high quality), reached {reached} ({near:.1%} near), "
                f"{seconds:.0f} s",
                flush=True,
            )
    if args.out:
        reals = next(iter(data.unbatch().batch(1000))).numpy()
        save_png(args.out, plot_points(gan.generate(1000, seed=0), reals=reals))


if __name__ == "__main__":
    main()
