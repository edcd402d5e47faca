"""SRGAN (Ledig et al., 2017): photographs four times as large, by SRResNet and by SRGAN.

SRResNet learns from windows of a folder of photographs by the squared error; SRGAN goes on with its
generator, by what a trained network sees and a discriminator. Photographs of another folder are
made small and enlarged again: by the bicubic filter, by both, and shown beside each other. Without
folders, emoji that come with the package stand for photographs.

The trained network is a file of yours: VGG19's weights without its classifier, as
keras.applications has them, or any .keras file with --preprocessing and --layers. Without one,
SRGAN is the paper's SRGAN-MSE, and --judge may name one that only measures.

Where it differs from the paper: fewer and narrower blocks, which learn what is to be added to the
bicubic enlargement; windows of 72 x 72; thousands of steps in place of a million, at rates that
fall from 4e-4; the pictures come from averaged generators.

    python examples/srgan.py
    python examples/srgan.py --photos photos/ --unseen others/ --features vgg19_notop.h5
    python examples/srgan.py --photos photos/ --unseen others/ --features net.keras \\
        --layers relu3 --preprocessing torch
"""

import functools
from pathlib import Path

from keras_gans import SRGAN, SRResNet, files, metrics, networks, optimizers, runs
from keras_gans.datasets import downscale, downscaled, enlarge_bicubic, load
from keras_gans.images import save_png, to_uint8
from keras_gans.picture_files import find, open_picture
from keras_gans.schedules import ConstantThenLinear

import keras
import numpy as np

from common import arguments

SCALE = 4
EMA_DECAY = 0.998
OUT = {"srresnet": "-srresnet", "srgan": ""}  # of the run directory
RATES = {"srresnet": 4e-4, "srgan": 1e-4}
DETAIL = 160  # pixels a side of what is shown of a photograph


def photographs(folder):
    """`{name: uint8 array (1, H, W, 3)}`, cut to sides that the scale divides."""
    found = {}
    for path in find(Path(folder)):
        with open_picture(path) as picture:
            pixels = np.asarray(picture.convert("RGB"))
        height, width = (side // SCALE * SCALE for side in pixels.shape[:2])
        found[path.stem] = pixels[None, :height, :width]
    return found


def emoji(**settings):
    """Most of the emoji as a dataset, and some of the others as `photographs` has them."""
    others = load("noto_emoji", "train[1440:]", shuffle=False, batch_size=200)
    pictures = to_uint8(next(iter(others)))[::10]
    unseen = {f"emoji_{index}": picture[None] for index, picture in enumerate(pictures)}
    return load("noto_emoji", "train[:1440]", **settings), unseen


def measure(made, wanted, judge):
    """The means over photographs, each of its own size."""
    kinds = {
        "psnr_y": functools.partial(metrics.PSNR, of_luminance=True, shave=SCALE),
        "ssim_y": functools.partial(metrics.SSIM, of_luminance=True, shave=SCALE),
    }
    if judge is not None:
        kinds["feature_distance"] = functools.partial(metrics.FeatureDistance, judge)
    rows = []
    for name, pictures in wanted.items():
        of_picture = [make() for make in kinds.values()]
        for metric in of_picture:
            metric.update_state(pictures, made[name])
        rows.append([float(metric.result()) for metric in of_picture])
    return dict(zip(kinds, np.mean(rows, axis=0).tolist(), strict=True))


def detail(pictures):
    """The window of a photograph (1, H, W, 3) with the most structure around its middle."""
    height, width = pictures.shape[1:3]
    grey = pictures[0].mean(axis=-1)
    rough = np.abs(np.diff(grey, axis=0))[:, :-1] + np.abs(np.diff(grey, axis=1))[:-1]
    sums = np.pad(rough.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    side = min(DETAIL, height - 1, width - 1)
    windows = sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]
    top, left = np.unravel_index(windows.argmax(), windows.shape)
    top, left = (place // SCALE * SCALE for place in (top, left))
    return np.s_[:, top : top + side, left : left + side]


def main():
    args = arguments(
        __doc__,
        out="runs/srgan",
        steps=4000,
        batch_size=16,
        **{
            "photos": {"help": "the folder that is learned from (default: emoji)"},
            "unseen": {"help": "a folder of others, to be enlarged"},
            "begin-with": {"help": "a run of SRResNet that is there (default: one is trained)"},
            "gan-steps": {"type": int, "help": "of SRGAN (default: half of --steps)"},
            "crop": {"type": int, "help": "side of the windows (default: 72, of emoji 48)"},
            "width": {"type": int, "default": 32, "help": "filters (default: 32)"},
            "blocks": {"type": int, "default": 5, "help": "residual blocks (default: 5)"},
            "features": {"help": "file of the network that SRGAN learns by"},
            "judge": {"help": "file of a network that measures (default: that of --features)"},
            "layers": {"default": "block5_conv4", "help": "with commas between"},
            "judge-layers": {"help": "the same of --judge (default: those of --layers)"},
            "preprocessing": {"default": "caffe", "choices": networks.PREPROCESSINGS},
            "feature-scale": {"type": float, "default": 1 / 12.75, "help": "(default: 1/12.75)"},
            "adversarial-weight": {"type": float, "default": 1e-3, "help": "(default: 1e-3)"},
        },
    )

    def features(file, layers):
        if file is None:
            return None
        application = None if file.endswith(".keras") else "VGG19"
        return networks.Features(file, layers.split(","), args.preprocessing, application)

    seen = features(args.features, args.layers)
    judge = features(args.judge or args.features, args.judge_layers or args.layers)
    if (args.photos is None) != (args.unseen is None):
        raise SystemExit("Error: --photos and --unseen must both be given, or neither.")
    args.gan_steps = args.gan_steps or max(1, args.steps // 2)
    args.crop = args.crop or (48 if args.photos is None else 72)
    settings = {"batch_size": args.batch_size, "crop": args.crop, "flip": True, "seed": args.seed}
    if args.photos is None:
        dataset, wanted = emoji(**settings)
    else:
        dataset, wanted = load(args.photos, **settings), photographs(args.unseen)
    dataset = downscaled(dataset, SCALE)
    shape = dataset.info.shape
    common = {"ema_decay": EMA_DECAY, "seed": args.seed}

    def trained(gan, name, steps):
        rate = ConstantThenLinear(RATES[name], steps)
        gan.compile(
            **{f"{player}_optimizer": optimizers.adam(rate, beta_1=0.9) for player in gan.players}
        )
        settings = vars(args) | {"scale": SCALE, "crop": [args.crop] * 2}
        runs.train(gan, dataset, f"{args.out}{OUT[name]}", steps, fresh=True, settings=settings)
        return gan

    if args.begin_with is None:
        settings = {"width": args.width, "num_blocks": args.blocks, "bicubic": True}
        first = trained(SRResNet.from_paper(shape, **settings, **common), "srresnet", args.steps)
    else:
        first = keras.models.load_model(Path(args.begin_with, "model.keras"))
    low = {name: downscale(pictures, SCALE) for name, pictures in wanted.items()}
    made = {
        "bicubic": {name: enlarge_bicubic(pictures, SCALE) for name, pictures in low.items()},
        "srresnet": {name: first.translate(pictures) for name, pictures in low.items()},
    }
    generator = keras.models.clone_model(first.generator)
    generator.set_weights(first.sampler.get_weights())
    gan = SRGAN.from_paper(
        shape,
        generator=generator,
        width=args.width,
        features=seen,
        feature_scale=args.feature_scale,
        adversarial_weight=args.adversarial_weight,
        total_steps=args.gan_steps,
        **common,
    )
    gan = trained(gan, "srgan", args.gan_steps)
    made["srgan"] = {name: gan.translate(pictures) for name, pictures in low.items()}

    out = Path(args.out)
    numbers = {name: measure(pictures, wanted, judge) for name, pictures in made.items()}
    files.write_json(out / "numbers.json", {"photographs": len(wanted), **numbers})
    for name, pictures in wanted.items():
        window = detail(pictures)
        columns = [*(made[each][name][window] for each in made), pictures[window]]
        save_png(out / f"{name}.png", np.concatenate(columns, axis=2)[0])
    for name, values in numbers.items():
        print(name, ", ".join(f"{what} {value:.4g}" for what, value in values.items()))


if __name__ == "__main__":
    main()
