"""LSGAN against the first GAN where batch normalization is missing: which ones collapse.

Mao et al., 2017 (arXiv:1611.04076) leave batch normalization out of the generator, and out of both
networks, and train with Adam and with RMSProp. Here are all four places that it can have: in no
network, in the discriminator alone, in the generator alone, in both; for the non-saturating GAN
(`DCGAN`) and for `LSGAN`, on Fashion-MNIST.

A run collapsed if its samples are much more alike than pictures of the data. That is so if their
mean pairwise MS-SSIM is more than 0.1 above that of the reals, or if the median root mean square
difference of two samples is less than 3 % of that of two reals (the rule of `callbacks.Guard`). A
run diverged if a loss or weight is not finite. FID and coverage, of the features of the package's
Fashion-MNIST classifier, say whether anything was learned: a generator of noise does not collapse.

Where it differs from the paper: 28 x 28 grey pictures and not the bedrooms of LSUN; DCGAN networks
of 16 filters; a thousand steps; Adam(2e-4, 0.5) and RMSprop(2e-4, 0.99) for all.

Each finished run is a line of OUT/runs.jsonl, and is not run again while its settings are the same.
Then come OUT/table.md and OUT/samples.png, one row for each place of batch normalization.

    python examples/lab/lsgan_stability.py
    python examples/lab/lsgan_stability.py --batch-norm none,discriminator
"""

import argparse
import os
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from keras_gans import DCGAN, LSGAN, networks
from keras_gans.callbacks import Guard
from keras_gans.datasets import load
from keras_gans.files import replacing
from keras_gans.images import make_grid, read_png, save_png
from keras_gans.metrics import evaluate

import keras
import numpy as np
from finished_runs import append, names, read_rows

DATASET, SHAPE = "fashion_mnist_10k", (28, 28, 1)
LATENT_DIM, WIDTH, BATCH_SIZE, RATE = 64, 16, 64, 2e-4
SIDE = 6  # samples in a row and in a column of the picture
MORE_ALIKE, NEARLY_ALIKE = 0.1, 0.03
LOSSES = {"GAN": DCGAN, "LSGAN": LSGAN}
OPTIMIZERS = {
    "Adam": lambda: keras.optimizers.Adam(RATE, beta_1=0.5),
    "RMSprop": lambda: keras.optimizers.RMSprop(RATE, rho=0.99),
}
# Normalization of the generator and of the discriminator.
PLACES = {
    "none": (None, None),
    "discriminator": (None, "batch"),
    "generator": ("batch", None),
    "both": ("batch", "batch"),
}


def build(loss, optimizer, place, seed):
    """A compiled model."""
    of_generator, of_discriminator = PLACES[place]
    gan = LOSSES[loss](
        networks.build_dcgan_generator(SHAPE, LATENT_DIM, WIDTH, 4, of_generator, seed=seed),
        networks.build_dcgan_discriminator(SHAPE, WIDTH, 4, of_discriminator, seed=seed + 1),
        seed=seed,
    )
    optimizers = {f"{player}_optimizer": OPTIMIZERS[optimizer]() for player in gan.players}
    gan.compile(steps_per_execution=20, **optimizers)
    return gan


def spread(pictures):
    """Median, over pairs of neighbours, of the root mean square of their difference, in [0, 1]."""
    pictures = np.asarray(pictures, "float32").reshape(len(pictures), -1) / 255
    differences = pictures - np.roll(pictures, 1, axis=0)
    return float(np.median(np.sqrt(np.mean(differences**2, axis=1))))


def collapsed(row):
    """Whether a run's samples are much more alike than the data; the rule stands at the top."""
    nearly = row["spread"] < NEARLY_ALIKE * row["reals_spread"]
    return bool(nearly or row["ms_ssim"] > row["reals_ms_ssim"] + MORE_ALIKE)


def measure(gan, num):
    """The numbers of the table, of `num` samples against as many reals."""
    data = load(DATASET)
    fid, prdc, ms_ssim = evaluate(gan, data, ["fid", "prdc", "ms_ssim"], num)
    reals = next(iter(load(DATASET, batch_size=1000, seed=0)))
    return {
        "fid": fid.value,
        "coverage": prdc.values["coverage"],
        "ms_ssim": ms_ssim.value,
        "reals_ms_ssim": ms_ssim.values["ms_ssim_reals"],
        "spread": spread(gan.generate(1000, seed=0)),
        "reals_spread": spread((reals.numpy() + 1) * 127.5),
    }


def run(settings, out):
    """Trains one configuration; returns its row, with its samples in `out`."""
    seed, steps = settings["seed"], settings["steps"]
    keras.utils.set_random_seed(seed)
    keras.backend.clear_session()
    gan = build(settings["loss"], settings["optimizer"], settings["batch_norm"], seed)
    data, guard = load(DATASET, batch_size=BATCH_SIZE, seed=seed), Guard()
    begin = time.perf_counter()
    gan.fit(data, epochs=1, steps_per_epoch=steps, callbacks=[guard], verbose=0)
    row = {"settings": settings, "seconds": round(time.perf_counter() - begin, 1)}
    row["diverged"] = guard.failure is not None  # measured is then the last good state
    row.update(measure(gan, settings["num"]))
    row["samples"] = "samples/{loss}-{optimizer}-{batch_norm}.png".format(**settings)
    save_png(out / row["samples"], make_grid(gan.generate(SIDE**2, seed=seed), padding=1))
    return row


def verdict(row):
    return "diverged" if row["diverged"] else "yes" if collapsed(row) else "no"


def table(rows):
    """Markdown: a line for each run."""
    lines = [
        "| loss | optimizer | batch normalization | collapse | MS-SSIM | spread | coverage | FID |",
        "|---|---|---|---|--:|--:|--:|--:|",
    ]
    for row in rows:
        of = row["settings"]
        share = row["spread"] / row["reals_spread"]
        lines.append(
            f"| {of['loss']} | {of['optimizer']} | {of['batch_norm']} | {verdict(row)} | "
            f"{row['ms_ssim']:.3f} | {share:.0%} | {row['coverage']:.2f} | {row['fid']:.1f} |"
        )
    first = rows[0]
    num, steps = first["settings"]["num"], first["settings"]["steps"]
    words = (
        f"Collapse: MS-SSIM more than {MORE_ALIKE} above that of the reals, "
        f"{first['reals_ms_ssim']:.3f}, or a spread below {NEARLY_ALIKE:.0%} of theirs. {DATASET}, "
        f"seed {first['settings']['seed']}, {steps:,} steps of {BATCH_SIZE}, rate {RATE:g}; "
        f"coverage (k = 5) and FID of {num:,} samples against {num:,} reals, features of the "
        "package's Fashion-MNIST classifier."
    )
    return "\n".join([*lines, "", words, ""])


def draw(out, rows):
    """A picture of all samples: rows are places, columns pairs of loss and optimizer."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    places = list(dict.fromkeys(row["settings"]["batch_norm"] for row in rows))
    columns = list(dict.fromkeys((r["settings"]["loss"], r["settings"]["optimizer"]) for r in rows))
    figure = Figure((2.1 * len(columns), 2.3 * len(places)), dpi=100, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    axes = figure.subplots(len(places), len(columns), squeeze=False)
    for axis in axes.ravel():
        axis.set(xticks=[], yticks=[])
    for row in rows:
        of = row["settings"]
        column = columns.index((of["loss"], of["optimizer"]))
        axis = axes[places.index(of["batch_norm"]), column]
        picture = read_png(out / row["samples"])
        axis.imshow(picture[..., 0], cmap="gray", vmin=0, vmax=255)
        axis.set_title(f"{of['loss']}, {of['optimizer']}: {verdict(row)}", fontsize=9)
        if column == 0:
            axis.set_ylabel(f"batch norm: {of['batch_norm']}", fontsize=9)
    canvas.draw()
    save_png(out / "samples.png", np.asarray(canvas.buffer_rgba())[..., :3].copy())


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--losses", type=names("losses", LOSSES), default=list(LOSSES))
    add("--optimizers", type=names("optimizers", OPTIMIZERS), default=list(OPTIMIZERS))
    add("--batch-norm", type=names("batch-norm", PLACES), default=list(PLACES))
    add("--steps", type=int, default=1000, help="generator updates (default: 1000)")
    add("--num", type=int, default=1000, help="samples that are measured (default: 1000)")
    add("--seed", type=int, default=0)
    add("--out", type=Path, default=Path("runs/lab/lsgan_stability"))
    args = parser.parse_args(argv)
    for name, least in (("steps", 1), ("num", 6), ("seed", 0)):
        if getattr(args, name) < least:
            parser.error(f"`{name}` must be at least {least}. Received: {getattr(args, name)}")
    args.out.mkdir(parents=True, exist_ok=True)
    finished, rows = read_rows(args.out / "runs.jsonl"), []
    for place in args.batch_norm:
        for loss in args.losses:
            for optimizer in args.optimizers:
                settings = {"loss": loss, "optimizer": optimizer, "batch_norm": place}
                settings |= {"seed": args.seed, "steps": args.steps, "num": args.num}
                settings |= {"width": WIDTH, "batch_size": BATCH_SIZE, "rate": RATE}
                row = next((row for row in finished if row["settings"] == settings), None)
                if row is None:
                    row = run(settings, args.out)
                    append(args.out / "runs.jsonl", row)
                    print(
                        f"{loss}, {optimizer}, batch norm {place}: collapse {verdict(row)}, "
                        f"FID {row['fid']:.1f}, {row['seconds']:.0f} s",
                        flush=True,
                    )
                rows.append(row)
    text = table(rows)
    with replacing(args.out / "table.md") as temporary:
        Path(temporary).write_text(text)
    print(text)
    draw(args.out, rows)


if __name__ == "__main__":
    main()
