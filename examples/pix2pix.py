"""pix2pix (Isola et al., 2017): emoji out of their outlines.

By default the 1,601 emoji that come with the package and their edges, in two folders by name; every
tenth pair is held out, and what is made of its edges is measured and shown. Other pairs are two
folders whose pictures have the same names.

Where it differs from the paper: networks of width 32; patches of 34 x 34 for pictures of 64 x 64,
in minibatches of 8 and not of 1; half of the pairs are mirrored and none enlarged; the pictures
come from an averaged generator. L1 alone is --adversarial-weight 0, the discriminator alone
--l1-weight 0 (table 1 of the paper).

    python examples/pix2pix.py --steps 4000
    python examples/pix2pix.py --a maps/ --b photos/ --a-unseen maps2/ --b-unseen photos2/

What is made is held against the colour table beside it: the mean colour of B where A has a colour,
which is the best that can be said of a pixel without its neighbours. --judge names a network of
yours, and --judge-layers its layers, that measure how alike pictures look.
"""

from pathlib import Path

from keras_gans import Pix2Pix, files, metrics, networks, runs
from keras_gans.datasets import edges, emoji_names, load, paired
from keras_gans.images import save_png, to_uint8
from keras_gans.training.kinds import render

import numpy as np

from common import arguments

WIDTH = 32
EMA_DECAY = 0.995
HELD_OUT = 10  # every tenth
SHOWN = 12


def emoji_folders(root):
    """Writes the emoji and their edges; the folders of A and B, and of those held out."""
    pictures, grey = (
        to_uint8(next(iter(load("noto_emoji", channels=channels, shuffle=False, batch_size=2000))))
        for channels in (3, 1)
    )
    folders = [
        Path(root, part, side) for part in ("train", "unseen") for side in ("edges", "emoji")
    ]
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
    for index, name in enumerate(emoji_names()):
        file = f"{index:04} {name.replace('/', ' ')}.png"
        a, b = folders[2:] if index % HELD_OUT == 0 else folders[:2]
        save_png(a / file, edges(grey[index : index + 1])[0])
        save_png(b / file, pictures[index])
    return folders


def everything(dataset):
    """The two pictures of all pairs, as two arrays."""
    return [np.concatenate(part) for part in zip(*dataset.as_numpy_iterator(), strict=True)]


def colour_table(a, b, given):
    """What the mean colour of B, where A has a colour of 16 levels a channel, makes of pictures.

    Args:
        a, b: uint8 arrays (num, H, W, C) and (num, H, W, D), pairs.
        given: uint8 array (n, H, W, C).

    Returns:
        uint8 array (n, H, W, D). Colours that no picture of A has get the mean of all.
    """

    def bins(pictures):
        levels = pictures.reshape(-1, pictures.shape[-1]) // 16
        return levels @ (16 ** np.arange(levels.shape[1]))

    size, colours = 16 ** a.shape[-1], b.reshape(-1, b.shape[-1]).astype("float64")
    counts = np.bincount(bins(a), minlength=size)
    sums = [np.bincount(bins(a), weights=channel, minlength=size) for channel in colours.T]
    means = np.where(counts, np.stack(sums) / np.maximum(counts, 1), colours.mean(axis=0)[:, None])
    return np.rint(means.T[bins(given)]).astype("uint8").reshape(*given.shape[:-1], -1)


def measure(made, wanted, judge):
    """How near the pictures that were made are to those that belong there."""
    measured = [metrics.PSNR()] + [metrics.FeatureDistance(each) for each in judge]
    for metric in measured:
        metric.update_state(wanted, made)
    return {
        "mean_absolute_error": metrics.mean_absolute_error(made, wanted),
        "structural_similarity": metrics.structural_similarity(made, wanted),
        **{metric.name: float(metric.result()) for metric in measured},
    }


def main():
    args = arguments(
        __doc__,
        out="runs/pix2pix",
        steps=4000,
        batch_size=8,
        **{
            "a": {"help": "a folder of what is given (default: edges of emoji)"},
            "b": {"help": "a folder of what is to be made of it, by the same names"},
            "a-unseen": {"help": "what is given and was not learned from"},
            "b-unseen": {"help": "what belongs to it"},
            "a-channels": {"type": int, "help": "of what is given (default: 1 for edges, 3)"},
            "judge": {"help": "a .keras file of a network that measures"},
            "judge-layers": {"default": "", "help": "of it, with commas between"},
            "judge-mode": {"default": "caffe", "choices": networks.PREPROCESSINGS},
            "crop": {"type": int, "help": "side of the windows that are learned from"},
            "l1-weight": {"type": float, "default": 100.0, "help": "(default: 100)"},
            "adversarial-weight": {"type": float, "default": 1.0, "help": "(default: 1)"},
        },
    )
    folders = [args.a, args.b, args.a_unseen, args.b_unseen]
    own = not any(folders)
    if not own and not all(folders):
        raise SystemExit("Error: --a, --b, --a-unseen and --b-unseen must all be given, or none.")
    folders = emoji_folders(f"{args.out}-data") if own else folders
    channels = (args.a_channels or (1 if own else 3), 3)

    def pairs(a, b, **settings):
        sides = zip((a, b), channels, strict=True)
        return paired(*(load(side, channels=n, **settings) for side, n in sides))

    settings = {"batch_size": args.batch_size, "seed": args.seed, "flip": True, "crop": args.crop}
    dataset = pairs(*folders[:2], **settings)
    shape, made_shape = (tuple(part.shape[1:]) for part in dataset.element_spec)
    unseen = pairs(*folders[2:], shuffle=False, batch_size=100, image_size=shape[:2])
    gan = Pix2Pix(
        networks.build_unet_generator(shape, made_shape[-1], width=WIDTH, seed=args.seed),
        networks.build_patchgan_discriminator(
            (*shape[:2], shape[2] + made_shape[2]), width=WIDTH, num_layers=2, seed=args.seed + 1
        ),
        l1_weight=args.l1_weight,
        adversarial_weight=args.adversarial_weight,
        ema_decay=EMA_DECAY,
        seed=args.seed,
    )
    gan.compile()
    runs.train(gan, dataset, args.out, args.steps, fresh=True, settings=vars(args))

    out = Path(args.out)
    given, wanted = everything(unseen)
    made, wanted = gan.translate(given), to_uint8(wanted)
    judge = []
    if args.judge:
        judge = [networks.Features(args.judge, args.judge_layers.split(","), args.judge_mode)]
    seen = pairs(*folders[:2], shuffle=False, batch_size=100, image_size=shape[:2])
    table = colour_table(*map(to_uint8, everything(seen)), to_uint8(given))
    numbers = {
        "unseen_pairs": len(made),
        **measure(made, wanted, judge),
        "colour_table": measure(table, wanted, judge),
    }
    files.write_json(out / "numbers.json", numbers)
    shown = np.linspace(0, len(made) - 1, SHOWN).round().astype(int)
    rows = gan.translation_grid(given[shown], wanted[shown])
    save_png(out / "unseen.png", render(rows, columns=len(shown)))
    for name, value in numbers.items():
        many = value if isinstance(value, dict) else {"": value}
        values = ", ".join(f"{part} {number:.4g}".strip() for part, number in many.items())
        print(f"{name.replace('_', ' ')}: {values.replace('_', ' ')}")


if __name__ == "__main__":
    main()
