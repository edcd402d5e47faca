"""How near translated pictures come to their true counterparts, which training never saw.

CycleGAN learns without pairs. `relief_satellite` of `tools/build_unpaired_data.py` has pairs all
the same, and a part of the world that is kept for measuring, `DIR/test`. Its pictures are
translated in both directions and held against the true ones by

* L1, the mean absolute error of values in [0, 1]: 0 is equal;
* SSIM, the structural similarity (Wang et al., 2004): 1 is equal.

Two baselines say what these numbers are worth: pictures that are left as they are, and one picture
for all, the mean of the training pictures of the set that is translated to.

    python benchmarks/translation_pairs.py --run runs/cyclegan --pairs runs/data/relief_satellite

The numbers are printed, and go to `translation_pairs.json` in the run's directory, or in `--out`.
`translation_pairs.png` shows, from left to right: A, A translated to B, B of the same place, and
that translated to A.
"""

import argparse
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras_gans
from keras_gans.files import write_json
from keras_gans.images import enlarge, make_grid, read_png, save_png
from keras_gans.metrics import mean_absolute_error, structural_similarity

import keras
import numpy as np


def read(folder):
    """The pictures of a folder by their names.

    Returns:
        The pair (names, uint8 array (num, height, width, channels)), in the order of names.
    """
    paths = sorted(folder.glob("*.png"))
    if not paths:
        raise SystemExit(f"{folder} must hold PNG files. Received: a folder with none")
    return [path.name for path in paths], np.stack([read_png(path) for path in paths])


def read_pairs(pairs, a, b):
    """The pictures of A and of B that are kept for measuring, picture by picture one place."""
    (names_a, pictures_a), (names_b, pictures_b) = (read(pairs / "test" / name) for name in (a, b))
    if names_a != names_b:
        lone = sorted(set(names_a) ^ set(names_b))
        raise SystemExit(f"{pairs / 'test'} must hold pairs. Received: {lone[:5]} in one folder")
    return pictures_a, pictures_b


def mean_picture(pictures, num):
    """The mean of pictures, `num` times."""
    mean = np.rint(pictures.mean(axis=0)).astype("uint8")
    return np.repeat(mean[None], num, axis=0)


def measure(pictures, targets):
    return {
        "l1": mean_absolute_error(pictures, targets),
        "ssim": structural_similarity(pictures, targets),
    }


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--run", type=Path, required=True, help="directory with model.keras")
    parser.add_argument("--pairs", type=Path, required=True, help="folder of A, B, test/A, test/B")
    parser.add_argument("--a", default="relief", help="subfolder of the model's set A")
    parser.add_argument("--b", default="satellite", help="subfolder of its set B")
    parser.add_argument("--rows", type=int, default=12, help="rows of the picture")
    parser.add_argument("--out", type=Path, help="folder to write to; the run's if not given")
    args = parser.parse_args()
    out = args.out or args.run

    reals_a, reals_b = read_pairs(args.pairs, args.a, args.b)
    gan = keras.models.load_model(args.run / "model.keras")
    fakes_b, fakes_a = gan.translate(reals_a, to="b"), gan.translate(reals_b, to="a")

    results = {}
    for title, name, reals, fakes, targets in (
        (f"{args.a} to {args.b}", args.b, reals_a, fakes_b, reals_b),
        (f"{args.b} to {args.a}", args.a, reals_b, fakes_a, reals_a),
    ):
        mean = mean_picture(read(args.pairs / name)[1], len(targets))
        results[title] = {
            "translated": measure(fakes, targets),
            "left as they are": measure(reals, targets),
            "mean picture": measure(mean, targets),
        }
        for what, values in results[title].items():
            print(f"{title}, {what}: L1 {values['l1']:.4f}, SSIM {values['ssim']:.4f}")

    rows = np.linspace(0, len(reals_a) - 1, min(args.rows, len(reals_a))).astype(int)
    columns = np.stack([part[rows] for part in (reals_a, fakes_b, reals_b, fakes_a)], axis=1)
    pictures = enlarge(columns.reshape(-1, *columns.shape[2:]), size=128)
    save_png(out / "translation_pairs.png", make_grid(pictures, columns=4))
    facts = {
        "model": type(gan).__name__,
        "pairs": args.pairs.name,
        "pictures": len(reals_a),
        "version": keras_gans.__version__,
    }
    write_json(out / "translation_pairs.json", {**facts, **results})
    print(f"Written: {out / 'translation_pairs.json'} and {out / 'translation_pairs.png'}")


if __name__ == "__main__":
    main()
