"""DTN (Taigman et al., 2017): printed digits in colours as handwritten ones.

The source is drawn here: a digit of some font in some colour, in half of the pictures with others
beside it, on pieces of blurred emoji, gradients and noise. The target are 4,000 digits of MNIST,
padded to 32 x 32, without their labels. The encoder f learns to tell the digits of the source, and
then stays as it is. What came of it is read by a classifier that has learned MNIST's digits: it is
given 1,000 pictures of the source that were not learned from, in grey and as DTN translates them.

Fonts are those of the machine and of matplotlib, or of --fonts. Some have no digits, or none that
one can read: a font is taken if the classifier of MNIST reads 8 of its 10.

Where it differs from the paper: the sets, which are SVHN and MNIST there, with a classifier of 99.4
% (here about 97); an encoder of width 32 and a decoder and a discriminator of width 48; minibatches
of 64. The pictures come from an averaged decoder. Its ablations are --constancy-weight 0 and
--identity-weight 0 (table 2 of the paper).

    python examples/dtn.py --steps 3000
    python examples/dtn.py --constancy-weight 0 --out runs/dtn-without-constancy
"""

import functools
import shutil
from pathlib import Path

from keras_gans import DTN, files, networks, runs
from keras_gans.datasets import load, unpaired
from keras_gans.images import save_png, to_uint8
from keras_gans.training.kinds import render

import matplotlib
import numpy as np
import tensorflow as tf
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from common import arguments, supervised_accuracy

SIDE = 32
ENCODER_WIDTH = 32
WIDTH = 48
EMA_DECAY = 0.995
PICTURES = 20_000  # of the source, or as many as are looked at if these are fewer
UNSEEN = 1000
READABLE = 8  # of a font's 10 digits
FEWEST_FONTS = 4  # taken though they are hard to read
FONTS = ("/usr/share/fonts", str(Path(matplotlib.get_data_path(), "fonts", "ttf")))
GREY = np.array([0.299, 0.587, 0.114], "float32")


# The source


def fonts_in(folders):
    """The paths of all fonts in some folders that can be opened."""
    paths = [path for folder in folders for path in Path(folder).rglob("*.[to]tf")]
    found = []
    for path in sorted(paths):
        try:
            font_of(str(path), 20).getbbox("0123456789")
        except OSError:
            continue
        found.append(str(path))
    if not found:
        raise SystemExit(f"Error: there must be fonts (.ttf, .otf) in {', '.join(folders)}.")
    return found


@functools.lru_cache(maxsize=4096)
def font_of(path, size):
    return ImageFont.truetype(path, size)


def mask_of(texts, path, size, middle=SIDE / 2):
    """Where a picture is covered by a digit, and by others to its right and its left: "L", H x W.

    Args:
        texts: the digit, and none or two others.
        path: of the font.
        size: pixels.
        middle: column of the digit's middle.
    """
    font, (digit, *others) = font_of(path, size), texts
    left, top, right, bottom = font.getbbox(digit)
    x, y = middle - (left + right) / 2, (SIDE - top - bottom) / 2
    picture = Image.new("L", (SIDE, SIDE))
    draw = ImageDraw.Draw(picture)
    draw.text((x, y), digit, 255, font)
    if others:
        draw.text((x + font.getlength(digit), y), others[0], 255, font)
        draw.text((x - font.getlength(others[1]), y), others[1], 255, font)
    return picture


def readable(paths, classifier):
    """Of some fonts those of which a classifier of MNIST reads most digits, or the best few."""
    masks = [np.asarray(mask_of([str(d)], path, 26)) for path in paths for d in range(10)]
    logits = classifier.predict(as_float(masks)[..., None], verbose=0)
    right = (logits.argmax(1).reshape(-1, 10) == np.arange(10)).sum(1)
    order = np.argsort(-right, kind="stable")
    taken = [k for place, k in enumerate(order) if right[k] >= READABLE or place < FEWEST_FONTS]
    print(f"Fonts: {len(taken)} of {len(paths)}.", flush=True)
    return [paths[k] for k in sorted(taken)]


def background(rng, emoji):
    """A piece of a blurred emoji, a gradient of two colours, or coarse noise: float (H, W, 3)."""
    kind = rng.integers(3)
    if kind == 0:
        picture = Image.fromarray(emoji[rng.integers(len(emoji))]).resize((2 * SIDE, 2 * SIDE))
        x, y = rng.integers(SIDE // 2, SIDE, 2)
        picture = picture.crop((x, y, x + SIDE, y + SIDE))
        return np.asarray(picture.filter(ImageFilter.GaussianBlur(rng.uniform(1, 4))), "float32")
    if kind == 1:
        angle, (first, second) = rng.uniform(0, 2 * np.pi), rng.uniform(0, 255, (2, 3))
        rows, columns = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
        share = (np.cos(angle) * rows + np.sin(angle) * columns) / 3 + 0.5
        return first + share[..., None] * (second - first)
    coarse = np.clip(rng.normal(rng.uniform(0, 255, 3), 40, (4, 4, 3)), 0, 255).astype("uint8")
    return np.asarray(Image.fromarray(coarse).resize((SIDE, SIDE), Image.BICUBIC), "float32")


def draw_digit(rng, label, fonts, emoji):
    """A uint8 picture (H, W, 3) of a digit."""
    beside = [str(d) for d in rng.integers(0, 10, 2)] if rng.random() < 0.5 else []
    size, middle = int(rng.integers(20, 31)), SIDE / 2 + rng.uniform(-2, 2)
    mask = mask_of([str(label), *beside], fonts[rng.integers(len(fonts))], size, middle)
    mask = mask.rotate(rng.uniform(-8, 8), Image.BICUBIC)
    mask = np.asarray(mask.filter(ImageFilter.GaussianBlur(rng.uniform(0, 0.8))))[..., None] / 255
    behind, colour = background(rng, emoji), rng.uniform(0, 255, 3)
    while np.abs(colour - behind.mean((0, 1))).max() < 80:  # unlike what is behind
        colour = rng.uniform(0, 255, 3)
    return np.clip(behind + mask * (colour - behind), 0, 255).astype("uint8")


def write_source(folder, num, seed, fonts, emoji):
    """Writes as many pictures of each digit, in a folder for each."""
    rng = np.random.default_rng(seed)
    for digit in range(10):
        Path(folder, str(digit)).mkdir(parents=True, exist_ok=True)
    for index in range(num):
        picture = draw_digit(rng, index % 10, fonts, emoji)
        save_png(Path(folder, str(index % 10), f"{index:05}.png"), picture)
    return folder


# The target


def mnist(split):
    """Digits of MNIST padded to 32 x 32, as uint8 pictures (num, 32, 32, 1), and their labels."""
    dataset = load("mnist_5k", split, labels=True, shuffle=False, batch_size=5000)
    pictures, labels = next(iter(dataset))
    return np.pad(to_uint8(pictures), ((0, 0), (2, 2), (2, 2), (0, 0))), np.asarray(labels)


def write_target(folder, pictures):
    Path(folder).mkdir(parents=True, exist_ok=True)
    for index, picture in enumerate(pictures):
        save_png(Path(folder, f"{index:05}.png"), picture)
    return folder


def batches(pictures, labels):
    return tf.data.Dataset.from_tensor_slices((as_float(pictures), labels)).batch(64)


def as_float(pictures):
    return np.asarray(pictures, "float32") / 127.5 - 1


def accuracy(classifier, pictures, labels):
    """The share of pictures in [-1, 1] that a classifier puts into their class."""
    return float((classifier.predict(pictures, verbose=0).argmax(1) == labels).mean())


def main():
    weight = {"type": float, "default": 15.0, "help": "(default: 15)"}
    args = arguments(
        __doc__,
        out="runs/dtn",
        steps=3000,
        batch_size=64,
        **{
            "fonts": {"help": f"a folder of fonts (default: {' and '.join(FONTS)})"},
            "pictures": {"type": int, "help": f"of the source (default: {PICTURES}, or fewer)"},
            "encoder-steps": {"type": int, "help": "of f's training (default: as --steps)"},
            "constancy-weight": weight,
            "identity-weight": weight,
            "tv-weight": {"type": float, "default": 0.0, "help": "(default: 0)"},
        },
    )
    encoder_steps = args.encoder_steps or args.steps
    num = args.pictures or max(UNSEEN // 10, min(PICTURES, args.steps * args.batch_size))
    data = Path(f"{args.out}-data")
    shutil.rmtree(data, ignore_errors=True)

    digits, labels = mnist("train")
    unseen_digits, unseen_labels = mnist("test")
    build = networks.build_dtn_encoder
    reader = build((SIDE, SIDE, 1), width=ENCODER_WIDTH, seed=args.seed + 1)
    reader = networks.build_dtn_classifier(reader, 10, seed=args.seed + 1)
    of_digits = batches(unseen_digits, unseen_labels)
    reads_mnist = supervised_accuracy(reader, batches(digits, labels), of_digits, encoder_steps)

    fonts = readable(fonts_in([args.fonts] if args.fonts else FONTS), reader)
    emoji = to_uint8(next(iter(load("noto_emoji", shuffle=False, batch_size=2000))))
    source = write_source(data / "source", num, args.seed, fonts, emoji)
    unseen = write_source(data / "unseen", UNSEEN, args.seed + 1, fonts, emoji)
    target = write_target(data / "target", digits)

    settings = {"batch_size": args.batch_size, "seed": args.seed}
    encoder = build((SIDE, SIDE, 3), width=ENCODER_WIDTH, seed=args.seed)
    classifier = networks.build_dtn_classifier(encoder, 10, seed=args.seed)
    labelled = load(source, labels=True, **settings)
    of_unseen = load(unseen, labels=True, shuffle=False, **settings)
    f_reads = supervised_accuracy(classifier, labelled, of_unseen, encoder_steps)
    in_colours = np.repeat(as_float(unseen_digits), 3, axis=-1)

    gan = DTN(
        networks.build_dtn_decoder(128, (SIDE, SIDE, 1), width=WIDTH, seed=args.seed),
        networks.build_dtn_discriminator((SIDE, SIDE, 1), width=WIDTH, seed=args.seed),
        encoder,
        constancy_weight=args.constancy_weight,
        identity_weight=args.identity_weight,
        tv_weight=args.tv_weight,
        ema_decay=EMA_DECAY,
        seed=args.seed,
    )
    gan.compile()
    dataset = unpaired(load(source, **settings), load(target, channels=1, **settings))
    runs.train(gan, dataset, args.out, args.steps, fresh=True, settings=vars(args))

    out = Path(args.out)
    pictures, classes = (np.concatenate(part) for part in zip(*of_unseen, strict=True))
    made = gan.translate(pictures)
    numbers = {
        "fonts": len(fonts),
        "encoder_on_source": f_reads,
        "encoder_on_target": accuracy(classifier, in_colours, unseen_labels),
        "reader_on_target": reads_mnist,
        "reader_on_source_in_grey": accuracy(reader, (pictures @ GREY)[..., None], classes),
        "reader_on_translations": accuracy(reader, as_float(made), classes),
    }
    files.write_json(out / "numbers.json", numbers)
    shown = np.linspace(0, UNSEEN - 1, 16).round().astype(int)
    rows = gan.translation_grid(pictures[shown], unseen_digits[: len(shown)])
    save_png(out / "unseen.png", render(rows, columns=len(shown)))
    print("\n".join(f"{name.replace('_', ' ')}: {value:.4g}" for name, value in numbers.items()))


if __name__ == "__main__":
    main()
