"""The ring of 8 Gaussians and the grid of 25: which algorithm catches how many modes.

All have the same networks, minibatches, latents and learning rates, and an averaged generator; what
else they are given is in `ALGORITHMS`. BEGAN's discriminator is an auto-encoder. WGAN and WGANGP
update their critics 5 times a step; they take half of the steps, and see 2.5 times as many reals.
The last, "R3GAN long", is no part of the comparison: it shows how far the best of them goes with
minibatches of 256, more steps, a higher first rate, a longer average and, for the ring, one more
layer.

Protocol: 2,500 samples of the averaged generator after the last step. A sample belongs to the
nearest centre, and is of high quality within 3 standard deviations of it. A mode is caught with 1
high-quality sample, as in the literature (VEEGAN, Srivastava et al., 2017, arXiv:1705.07761;
PacGAN, Lin et al., 2018, arXiv:1712.04086), and, more strictly, with 20. KL is the divergence of
the samples' histogram over modes from an even one.

Each finished run is a line of OUT/runs.jsonl, and is not run again while its settings are the same.
Then come OUT/table.md, the last samples of seed 0 in OUT/<set>.png and their way there in
OUT/<set>.gif.

    python examples/lab/mixtures.py
    python examples/lab/mixtures.py --sets ring --algorithms GAN,R3GAN --seeds 1
"""

import argparse
import hashlib
import json
import os
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from keras_gans.datasets import load, points
from keras_gans.files import replacing
from keras_gans.images import points_limit, save_animation, save_png
from keras_gans.metrics import ModeCoverage

import keras
import mixture_models as models
import numpy as np
from finished_runs import append, names, read_rows
from mixture_models import ALGORITHMS, FRAMES, LONG

MIXTURES = {
    "ring": (points.RING_CENTRES, points.RING_SIGMA),
    "grid": (points.GRID_CENTRES, points.GRID_SIGMA),
}
NUM_SAMPLES, STRICT = 2500, 20
SETTINGS = ("n_discriminator", "non_saturating", "a", "b", "c", "n_critic", "clip", "gp_weight")
SETTINGS += ("noise", "gamma", "lambda_k")
FRAME_POINTS = 1000


def measure(set_name, samples):
    """The numbers of the table for samples (num, 2), by name."""
    metrics = [ModeCoverage(*MIXTURES[set_name], min_samples=least) for least in (1, STRICT)]
    for metric in metrics:
        metric.update_state(fakes=samples)
    usual, strict = (metric.result() for metric in metrics)
    return {
        **{key: float(usual[key]) for key in ("modes", "high_quality", "kl")},
        "modes_strict": float(strict["modes"]),
    }


def described(gan):
    """The settings that matter on points, in words."""
    config = gan.get_config()
    optimizer = gan.generator_optimizer.get_config()
    betas = ", ".join(f"{optimizer[k]:g}" for k in ("beta_1", "beta_2", "rho") if k in optimizer)
    words = [f"{name} {config[name]:g}" for name in SETTINGS if name in config]
    return ", ".join([f"{type(gan.generator_optimizer).__name__}({betas})", *words])


def fingerprint(gan, batch_size):
    """A hash of all that the training of a compiled model depends on."""
    config = {**gan.get_config(), **gan.get_compile_config()}
    for name in gan.network_names:
        layers = [
            (type(layer).__name__, [list(v.shape) for v in layer.weights])
            for layer in getattr(gan, name).layers
        ]
        config[name] = layers
    del config["name"]
    for player in gan.players:
        config[f"{player}_optimizer"]["config"].pop("name")
    config["batch_size"] = batch_size
    text = json.dumps(config, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def run(gan, set_name, seed, steps, batch_size, frames_path=None):
    """Trains a model; returns its numbers. `frames_path` gets its samples during training."""
    data = load(set_name, batch_size=batch_size, seed=seed)
    frames = [gan.generate(FRAME_POINTS, seed=seed)]
    epochs = min(FRAMES, steps)
    keep = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: frames.append(gan.generate(FRAME_POINTS, seed=seed))
    )
    begin = time.perf_counter()
    gan.fit(
        data,
        epochs=epochs,
        steps_per_epoch=steps // epochs,
        callbacks=[keep] if frames_path else [],
        verbose=0,
    )
    seconds = time.perf_counter() - begin
    samples = gan.generate(NUM_SAMPLES, seed=seed)
    if frames_path:
        frames_path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(frames_path) as temporary, open(temporary, "wb") as file:
            np.save(file, np.array(frames, "float32"))
    return {**measure(set_name, samples), "seconds": round(seconds, 1)}


def key_of(row):
    return tuple(row[name] for name in ("set", "algorithm", "seed", "steps", "fingerprint"))


def read_runs(path):
    """The finished runs of a JSON lines file, by `key_of`."""
    return {key_of(row): row for row in read_rows(path)}


def mean_and_deviation(values, digits, scale=1.0):
    """Such as "7.8 ± 0.4", with the deviation of a sample; of one value, that alone."""
    values = scale * np.array(values, float)
    mean = f"{values.mean():.{digits}f}"
    return mean if len(values) == 1 else f"{mean} ± {values.std(ddof=1):.{digits}f}"


def table(rows):
    """Markdown lines: for each set and algorithm the mean and deviation over the seeds."""
    lines = []
    for set_name in dict.fromkeys(row["set"] for row in rows):
        of_set = [row for row in rows if row["set"] == set_name]
        total = len(MIXTURES[set_name][0])
        lines += [
            f"## {set_name.capitalize()} of {total}",
            "",
            f"| | modes of {total} | with {STRICT} samples | high quality, % | KL | steps | seeds "
            "| settings |",
            "|---|--:|--:|--:|--:|--:|--:|---|",
        ]
        for name in dict.fromkeys(row["algorithm"] for row in of_set):
            runs = [row for row in of_set if row["algorithm"] == name]

            def column(key, digits, scale=1.0, runs=runs):
                return mean_and_deviation([row[key] for row in runs], digits, scale)

            lines.append(
                f"| {name} | {column('modes', 1)} | {column('modes_strict', 1)} | "
                f"{column('high_quality', 1, 100)} | {column('kl', 3)} | {runs[0]['steps']:,} | "
                f"{len(runs)} | {runs[0]['settings']} |"
            )
        lines.append("")
    words = (
        f"Mean ± standard deviation over the seeds. {NUM_SAMPLES:,} samples of the averaged "
        f"generator (decay {models.EMA_DECAY}); high quality: within 3 standard deviations of the "
        f"nearest centre; a mode is caught with 1 high-quality sample, in the next column with "
        f"{STRICT}; KL: of the histogram over modes from an even one. Steps are generator updates. "
        f"All: MLPs of {len(models.HIDDEN)} x {models.HIDDEN[0]}, {models.LATENT_DIM} latents, "
        f"minibatches of {models.BATCH_SIZE}, rates from {models.FIRST_RATE:g} along a cosine to "
        f"{models.LAST_RATE:g}; {LONG}: minibatches of {models.LONG_BATCH_SIZE}, rates from "
        f"{models.LONG_FIRST_RATE:g}, decay {models.LONG_EMA_DECAY}, "
        f"{' and '.join(f'{n} layers for the {s}' for s, n in models.LONG_LAYERS.items())}."
    )
    return "\n".join([*lines, words, ""])


def picture(set_name, panels, heading=None, columns=4, side=200):
    """Panels in rows, {title: points (num, 2)}, over crosses at the centres: uint8 (H, W, 3)."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    centres, sigma = MIXTURES[set_name]
    limit = points_limit(centres + 3 * sigma * np.sign(centres))
    columns = min(columns, len(panels))
    rows = -(-len(panels) // columns)
    size = (columns * side, rows * (side + 24) + (24 if heading else 0))
    figure = Figure(figsize=(size[0] / 100, size[1] / 100), dpi=100, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for axis, (title, samples) in zip(axes, panels.items(), strict=False):
        axis.scatter(*centres.T, 40, color="tab:red", marker="x", linewidths=0.8)
        axis.scatter(*samples.T, 3, color="tab:blue", alpha=0.5, linewidths=0)
        axis.set(xlim=(-limit, limit), ylim=(-limit, limit), xticks=[], yticks=[], aspect="equal")
        axis.set_title(title, fontsize=9)
    for axis in axes[len(panels) :]:
        axis.axis("off")
    if heading:
        figure.suptitle(heading, fontsize=9)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def draw(out, set_name, rows):
    """The last samples of each algorithm's first seed, and the animation of all."""
    rows = {row["algorithm"]: row for row in rows if "frames" in row and row["set"] == set_name}
    if not rows:
        return
    total = len(MIXTURES[set_name][0])
    frames = {name: np.load(out / row["frames"]) for name, row in rows.items()}
    titles = {name: f"{name}: {row['modes']:.0f} of {total}" for name, row in rows.items()}
    last = {titles[name]: samples[-1] for name, samples in frames.items()}
    save_png(out / f"{set_name}.png", picture(set_name, last))
    num = max(map(len, frames.values()))
    moving = []
    for k in range(num):
        panels = {n: f[round(k * (len(f) - 1) / max(1, num - 1)), :400] for n, f in frames.items()}
        heading = f"{k / max(1, num - 1):.0%} of the steps"
        moving.append(picture(set_name, panels, heading, side=140))
    save_animation(out / f"{set_name}.gif", moving, [250] * (num - 1) + [2500])


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--sets", type=names("sets", MIXTURES), default=list(MIXTURES))
    add("--algorithms", type=names("algorithms", ALGORITHMS), default=list(ALGORITHMS))
    add("--seeds", type=int, default=5, help="number of runs of each (default: 5)")
    add("--steps", type=int, default=4000, help="generator updates (default: 4000)")
    add("--out", type=Path, default=Path("runs/lab/mixtures"))
    args = parser.parse_args(argv)
    if args.seeds < 1:
        parser.error(f"`seeds` must be at least 1. Received: {args.seeds}")
    if args.steps < 1 or (args.steps > FRAMES and args.steps % (2 * FRAMES)):
        parser.error(
            f"`steps` must be a multiple of {2 * FRAMES}, or from 1 to {FRAMES}. "
            f"Received: {args.steps}"
        )
    args.out.mkdir(parents=True, exist_ok=True)
    finished, rows = read_runs(args.out / "runs.jsonl"), []
    for seed in range(args.seeds):  # so that a run cut short has some of each
        for set_name in args.sets:
            for name in args.algorithms:
                keras.utils.set_random_seed(seed)
                keras.backend.clear_session()
                steps = max(1, int(args.steps * models.share_of_steps(name, set_name)))
                batch_size = models.BATCH_SIZES.get(name, models.BATCH_SIZE)
                gan = ALGORITHMS[name](set_name, seed, steps)
                row = {
                    "set": set_name,
                    "algorithm": name,
                    "seed": seed,
                    "steps": steps,
                    "settings": described(gan),
                    "fingerprint": fingerprint(gan, batch_size),
                }
                if key_of(row) in finished:
                    rows.append(finished[key_of(row)])
                    continue
                if seed == 0:
                    file = f"{set_name}-{name.replace(' ', '-')}-{row['fingerprint']}.npy"
                    row["frames"] = f"frames/{file}"
                frames_path = args.out / row["frames"] if seed == 0 else None
                row.update(run(gan, set_name, seed, steps, batch_size, frames_path))
                append(args.out / "runs.jsonl", row)
                rows.append(row)
                print(
                    f"{set_name} {name} seed {seed}: {row['modes']:.0f} modes "
                    f"({row['modes_strict']:.0f} with {STRICT}), "
                    f"{row['high_quality']:.1%} of high quality, {row['seconds']:.0f} s",
                    flush=True,
                )
    order = [(s, a) for s in args.sets for a in args.algorithms]
    rows.sort(key=lambda row: order.index((row["set"], row["algorithm"])))
    text = table(rows)
    with replacing(args.out / "table.md") as temporary:
        Path(temporary).write_text(text)
    print(text)
    for set_name in args.sets:
        draw(args.out, set_name, rows)


if __name__ == "__main__":
    main()
