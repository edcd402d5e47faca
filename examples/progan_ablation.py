"""The ablation of Karras et al., 2018, table 1, at 32 x 32 on Fashion-MNIST.

Each configuration adds one contribution to the one above it (e* stands beside e):

    a   WGAN-GP: batch normalization in the generator, layer normalization in the discriminator,
        minibatches of 64, 5 discriminator steps for each of the generator, Adam at 1e-4
    b   + growing from 4 x 4
    c   + small minibatches, 16
    d   + revised training parameters: no normalization, 1 discriminator step, Adam at 1e-3, drift
        term, averaged generator
    e*  + minibatch discrimination
    e   + minibatch standard deviation instead
    f   + equalized learning rate
    g   + pixelwise normalization

All see the same number of real pictures. The measures are the paper's: sliced Wasserstein distance
(x 1000) at each level of the Laplacian pyramid, and MS-SSIM over random pairs of samples.

Where it differs from the paper: 32 x 32 grey pictures and not 128 x 128 ones of CelebA; networks of
at most 32 filters; tens of thousands of pictures and not 10 million, and so a faster average, 0.99
and not 0.999; 1,024 samples and not 16,384.

Ended at any time and started again, it goes on with the stage that it was at. The table is in
OUT/table.md, a grid of each configuration in OUT/<configuration>/grid.png.

    python examples/progan_ablation.py
"""

import argparse
import json
import os
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from keras_gans import ProGAN, networks
from keras_gans.datasets import load
from keras_gans.files import read_json, write_json
from keras_gans.images import save_png, to_uint8
from keras_gans.metrics import PatchDistances, mean_pairwise_ms_ssim
from keras_gans.training.kinds import render

import keras

SIZE, LATENT_DIM = 32, 64
FILTERS = {"filters_base": 128, "filters_max": 32}
# Shares of the pictures by stage; half of a stage's pictures fade its new layers in.
SHARES = {4: 0.1, 8: 0.2, 16: 0.3, 32: 0.4}

BASELINE = {
    "grows": False,
    "batch_size": 64,
    "generator": {"normalization": "batch", "equalized": False},
    "discriminator": {"normalization": "layer", "equalized": False, "minibatch": None},
    "training": {"n_critic": 5, "drift_weight": 0.0, "ema_decay": None},
    "adam": {"learning_rate": 1e-4, "beta_1": 0.0, "beta_2": 0.9},
}
# What each configuration changes, what it builds on, and the paper's average distance and MS-SSIM
# for CelebA (table 1).
CHANGES = {
    "a": (None, {}, 9.28, 0.2854),
    "b": ("a", {"grows": True}, 4.28, 0.2838),
    "c": ("b", {"batch_size": 16}, 46.23, 0.4065),
    "d": (
        "c",
        {
            "generator": {"normalization": None},
            "discriminator": {"normalization": None},
            "training": {"n_critic": 1, "drift_weight": 1e-3, "ema_decay": 0.99},
            "adam": {"learning_rate": 1e-3, "beta_2": 0.99},
        },
        8.07,
        0.3027,
    ),
    "e*": ("d", {"discriminator": {"minibatch": "discrimination"}}, 9.84, 0.3057),
    "e": ("d", {"discriminator": {"minibatch": "stddev"}}, 7.04, 0.2950),
    "f": (
        "e",
        {"generator": {"equalized": True}, "discriminator": {"equalized": True}},
        4.39,
        0.2902,
    ),
    "g": ("f", {"generator": {"normalization": "pixel"}}, 3.56, 0.2845),
}


def configuration(name):
    """All settings of one configuration: those of the one it builds on, with its changes."""
    base, changes, _, _ = CHANGES[name]
    settings = configuration(base) if base else json.loads(json.dumps(BASELINE))
    for key, value in changes.items():
        settings[key] = {**settings[key], **value} if isinstance(value, dict) else value
    return settings


def stages(settings, pictures):
    """Pairs (size, generator steps) that show `pictures` real pictures in all."""
    shares = SHARES if settings["grows"] else {SIZE: 1.0}
    of_a_step = settings["batch_size"] * settings["training"]["n_critic"]
    return [(size, max(1, round(pictures * share / of_a_step))) for size, share in shares.items()]


def first_stage(settings, size, seed):
    shape = (size, size, 1)
    generator = networks.build_progan_generator(
        shape, latent_dim=LATENT_DIM, seed=seed, **FILTERS, **settings["generator"]
    )
    discriminator = networks.build_progan_discriminator(
        shape, seed=seed + 1, **FILTERS, **settings["discriminator"]
    )
    gan = ProGAN(generator, discriminator, seed=seed, **settings["training"])
    adam = settings["adam"]
    gan.compile(
        generator_optimizer=keras.optimizers.Adam(**adam, epsilon=1e-8),
        discriminator_optimizer=keras.optimizers.Adam(**adam, epsilon=1e-8),
    )
    return gan


def train(name, pictures, seed, directory):
    """Trains a configuration from the last stage that was saved; returns (model, seconds)."""
    settings, batch_size = configuration(name), configuration(name)["batch_size"]
    gan, seconds = None, 0.0
    for size, steps in stages(settings, pictures):
        saved, facts = directory / f"{size}.keras", directory / f"{size}.json"
        if facts.exists():
            gan, seconds = keras.models.load_model(saved), read_json(facts)["seconds"]
            continue
        if gan is None:
            gan = first_stage(settings, size, seed)
        else:
            gan = gan.grow(fade_pictures=max(1, steps * batch_size * gan.n_critic // 2))
        data = load("fashion_mnist_10k", batch_size=batch_size, image_size=size, seed=seed)
        begin = time.perf_counter()
        history = gan.fit(data, steps_per_epoch=steps, epochs=1, verbose=2)
        seconds += time.perf_counter() - begin
        gan.save(saved)
        losses = {key: values[-1] for key, values in history.history.items()}
        write_json(facts, {"steps": steps, "seconds": seconds, **losses})
    return gan, seconds


def measure(gan, reals, num, seed):
    """Distances by level and their mean, and MS-SSIM, of `num` samples."""
    fakes = gan.generate(num, seed=seed + 1)
    measured = {str(level): value for level, value in reals.distances(fakes).items()}
    return {**measured, "ms_ssim": float(mean_pairwise_ms_ssim(fakes, num_pairs=num, seed=seed))}


def table(results, levels):
    """The measures as a Markdown table, beside the paper's."""
    heads = [*(f"SWD {level}" for level in levels), "SWD mean", "MS-SSIM", "steps", "seconds"]
    lines = [
        f"| configuration | {' | '.join(heads)} | paper: SWD mean | paper: MS-SSIM |",
        "|---" * (len(heads) + 3) + "|",
    ]
    for name, row in results.items():
        _, _, swd, ms_ssim = CHANGES.get(name, (None, None, None, None))
        values = [*(f"{row[level]:.1f}" for level in levels), f"{row['average']:.1f}"]
        values += [
            f"{row['ms_ssim']:.3f}",
            str(row.get("steps", "")),
            f"{row.get('seconds', 0):.0f}",
        ]
        values += ["" if swd is None else f"{swd:.2f}", "" if ms_ssim is None else f"{ms_ssim:.3f}"]
        lines.append(f"| {name} | {' | '.join(values)} |")
    return "\n".join(lines) + "\n"


def some_pictures(num, seed):
    """`num` real pictures as uint8, in the order of `seed`."""
    data = load("fashion_mnist_10k", batch_size=num, image_size=SIZE, seed=seed)
    return to_uint8(next(data.as_numpy_iterator()))


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--out", default="runs/progan_ablation", help="directory of the results")
    add("--pictures", type=int, default=18_000, help="real pictures that each one sees")
    add("--samples", type=int, default=1024, help="samples that are measured")
    add("--configurations", nargs="+", default=list(CHANGES), choices=list(CHANGES), metavar="C")
    add("--seed", type=int, default=0)
    args = parser.parse_args()

    out, chosen = Path(args.out), {"pictures": args.pictures, "seed": args.seed}
    earlier = read_json(out / "settings.json")
    if earlier not in ({}, chosen):
        parser.error(f"{out} has results of {earlier}. Received: {chosen}; choose another --out.")
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / "settings.json", chosen)

    pictures = some_pictures(2 * args.samples, args.seed)
    reals, others = PatchDistances(pictures[: args.samples]), pictures[args.samples :]
    levels = [str(level) for level in reals.distances(others) if level != "average"]
    results = {}
    for name in args.configurations:
        directory = out / name.replace("*", "_star")
        directory.mkdir(exist_ok=True)
        keras.utils.set_random_seed(args.seed)
        print(f"({name}) {configuration(name)}", flush=True)
        gan, seconds = train(name, args.pictures, args.seed, directory)
        save_png(directory / "grid.png", render(gan.generate(64, seed=args.seed), columns=8))
        steps = sum(steps for _, steps in stages(configuration(name), args.pictures))
        measured = measure(gan, reals, args.samples, args.seed)
        results[name] = {**measured, "steps": steps, "seconds": seconds}
        write_json(directory / "measures.json", results[name])
        print(table({name: results[name]}, levels), flush=True)
    same = {str(level): value for level, value in reals.distances(others).items()}
    same["ms_ssim"] = float(mean_pairwise_ms_ssim(others, num_pairs=args.samples, seed=args.seed))
    text = table({**results, "reals": same}, levels)
    (out / "table.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
