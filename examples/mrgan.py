"""MRGAN (Che et al., 2017) beside a plain GAN of the same networks and optimizers: modes caught.

On the ring of 8 Gaussians, the grid of 25, or pictures of three of Fashion-MNIST, one a channel, of
which there are 1,000 combinations (`--dataset stacked`). On the ring a discriminator that learns at
a tenth of the generator's rate, and on such pictures one with a quarter of its filters, as in Metz
et al., 2017 (arXiv:1611.02163), lets a GAN run from mode to mode; whether the encoder holds it is
what is shown. On the grid, where with that rate neither comes to rest at a mode in 8,000 steps, it
is three times that, and with the generator's own a GAN is as good. Of Fashion-MNIST itself
(`--dataset fashion`) the mode score is measured, which is the paper's.

The run is MRGAN's with the first seed. Beside its files OUT has numbers.json, with a row for each
model and seed, and a picture of 2,500 samples of each, for points, or 64: MRGAN-0.png. Points: a
mode is caught with one sample within 3 standard deviations of its centre, `high_quality` is the
share of such samples. Pictures: of 26,000 samples the classifier of the package names three
classes each; a combination that occurs is caught. KL is that of the samples' histogram over modes
from an even one.

Where it differs from the paper: MLPs of 3 x 128 and 2 latents for points, which the paper has none
of; for pictures DCGAN's networks of width 32. lambda_2 is that of the paper's faces, and lambda_1
10: with the faces' 0.2 the encoder of pictures learned to fool D, and not to reconstruct.

    python examples/mrgan.py --seeds 5
    python examples/mrgan.py --dataset grid --seeds 5 --steps 8000
    python examples/mrgan.py --dataset stacked --models GAN,MRGAN,MDGAN --batch-size 64 --seeds 5
"""

from pathlib import Path

from keras_gans import GAN, MDGAN, MRGAN, files, metrics, networks, optimizers, runs
from keras_gans.datasets import load, points
from keras_gans.images import save_png, to_uint8
from keras_gans.training.kinds import render

from common import arguments

HIDDEN, POINT_LATENTS = (128, 128, 128), 2
POINT_RATE, JUDGE_RATES = 1e-3, {"ring": 1e-4, "grid": 3e-4}
WIDTH, JUDGE_WIDTHS, PICTURE_LATENTS = 32, {3: 8, 1: 32}, 64  # by channels: of stacked, of one
PICTURE_RATE = 2e-4
WEIGHTS = {"GAN": {}, "MRGAN": {"reconstruction_weight": 10.0}, "MDGAN": {}}
SETS = {
    "ring": "ring",
    "grid": "grid",
    "stacked": "stacked_fashion_mnist",
    "fashion": "fashion_mnist_10k",
}
MIXTURES = {
    "ring": (points.RING_CENTRES, points.RING_SIGMA),
    "grid": (points.GRID_CENTRES, points.GRID_SIGMA),
}
MODELS = {"GAN": GAN, "MRGAN": MRGAN, "MDGAN": MDGAN}
SHOWN_PICTURES = 64


def point_networks(shape, seed, judges):
    return (
        networks.build_mlp_generator(shape, POINT_LATENTS, HIDDEN, seed=seed),
        *(networks.build_mlp_discriminator(shape, HIDDEN, seed=seed + 1000 * k) for k in judges),
        networks.build_mlp_encoder(shape, POINT_LATENTS, HIDDEN, seed=seed, gaussian=False),
    )


def picture_networks(shape, seed, judges):
    judge_width = JUDGE_WIDTHS[shape[-1]]
    return (
        networks.build_dcgan_generator(shape, PICTURE_LATENTS, width=WIDTH, seed=seed),
        *(
            networks.build_dcgan_discriminator(shape, width=judge_width, seed=seed + 1000 * k)
            for k in judges
        ),
        networks.build_dcgan_encoder(
            shape, PICTURE_LATENTS, width=judge_width, seed=seed, gaussian=False
        ),
    )


def build(name, dataset, seed):
    """A compiled model; all of one seed begin with the same generator and discriminator."""
    shape = dataset.info.shape
    of_points = len(shape) == 1
    make = point_networks if of_points else picture_networks
    parts = make(shape, seed, judges=range(2 if name == "MDGAN" else 1))
    gan = MODELS[name](*(parts[:-1] if name == "GAN" else parts), seed=seed, **WEIGHTS[name])
    rate, judge_rate = PICTURE_RATE, PICTURE_RATE
    if of_points:
        rate, judge_rate = POINT_RATE, JUDGE_RATES[dataset.info.name]
    rates = {player: judge_rate if player in gan.judges else rate for player in gan.players}
    adams = {f"{player}_optimizer": optimizers.adam(r, beta_1=0.5) for player, r in rates.items()}
    gan.compile(jit_compile=of_points or "auto", **adams)  # XLA pays where networks are small
    return gan


def measure(gan, name, dataset, seed):
    """The numbers of a trained model by name, and a picture of its samples."""
    centres = None
    if name in MIXTURES:
        centres, sigma = MIXTURES[name]
        metric, num = metrics.ModeCoverage(centres, sigma), 2500
    elif name == "stacked":
        metric = metrics.StackedModes(metrics.fashion_mnist_classifier(), name="modes")
        num = 26_000
    else:
        metric, num = metrics.ModeScore(metrics.fashion_mnist_classifier()), 10_000
        for reals in dataset:
            metric.update_state(reals=to_uint8(reals))
    samples = gan.generate(num, seed=seed)
    for begin in range(0, num, 500):
        metric.update_state(fakes=samples[begin : begin + 500])
    shown = samples if name in MIXTURES else samples[:SHOWN_PICTURES]
    return metric.values(), render(shown, reals=centres)


def main():
    args = arguments(
        __doc__,
        out="runs/mrgan",
        steps=4000,
        batch_size=128,
        dataset={"default": "ring", "choices": list(SETS), "help": "(default: ring)"},
        models={"default": "GAN,MRGAN", "help": "of GAN, MRGAN, MDGAN (default: GAN,MRGAN)"},
        seeds={"type": int, "default": 1, "help": "how many, from --seed on (default: 1)"},
    )
    names = sorted(args.models.split(","), key=lambda name: name != "MRGAN")
    out, rows = Path(args.out), []
    for seed in range(args.seed, args.seed + args.seeds):
        dataset = load(SETS[args.dataset], batch_size=args.batch_size, seed=seed)
        for name in names:
            gan = build(name, dataset, seed)
            if not rows:
                settings = {**vars(args), "dataset": dataset.info.name}
                runs.train(gan, dataset, out, args.steps, fresh=True, settings=settings)
            else:
                gan.fit(dataset, steps_per_epoch=args.steps, verbose=0)
            numbers, picture = measure(gan, args.dataset, dataset, seed)
            rows.append({"model": name, "seed": seed, **numbers})
            save_png(out / f"{name}-{seed}.png", picture)
            content = {"dataset": dataset.info.name, "steps": args.steps, "runs": rows}
            files.write_json(out / "numbers.json", content)
            words = ", ".join(f"{key} {value:.4g}" for key, value in numbers.items())
            print(f"{name}, seed {seed}: {words}", flush=True)
    modes = {}
    for row in rows:
        if "modes" in row:
            modes.setdefault(row["model"], []).append(row["modes"])
    if "GAN" in modes and "MRGAN" in modes:
        more = [ours > plain for ours, plain in zip(modes["MRGAN"], modes["GAN"], strict=True)]
        print(f"MRGAN catches more modes than GAN with {sum(more)} of {len(more)} seeds")


if __name__ == "__main__":
    main()
