"""Measures all trained models of `savedmodels/`, and writes docs/results.md and docs/results.json.

    python tools/build_results.py

Each data set is cut into two: models are measured against its first half (of Fashion-MNIST, against
5,000 pictures), with as many samples. The other half of the data, measured in the same way, is the
floor that a model could reach, and uniform noise the ceiling.

Data of the translators are not in the package: `tools/build_unpaired_data.py` makes them.
"""

import argparse
import dataclasses
import json
import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np

from build_savedmodels import DIGITS, FASHION, ROOT, SHIPPED, SKIN_TONES, SMILEYS

DOCS = ROOT / "docs"
METRICS = ("fid", "kid", "prdc", "swd", "ms_ssim")
NUM = 5000
SEED = 0
COLUMNS = {
    "FID": ("fid", 1),
    "KID": ("kid", 3),
    "precision": ("precision", 3),
    "recall": ("recall", 3),
    "density": ("density", 3),
    "coverage": ("coverage", 3),
    "SWD": ("swd", 1),
    "MS-SSIM": ("ms_ssim", 3),
}


COST = """\
## What measuring costs

`python benchmarks/metrics_speed.py` on two cores, 10,000 reals and as many fakes of 2,048
features, each in a process of its own, beside what one writes down first in numpy and scipy; the
values agree to 1e-3. The features are given: extraction is not in it.

| metric | here | plain numpy |
|---|---|---|
| FID | 11.5 s, 283 MB | 15.4 s, 231 MB |
| KID, 100 subsets of 1,000 | 14.6 s, 394 MB | 21.0 s, 993 MB |
| PRDC, k = 5 | 14.4 s, 676 MB | 23.3 s, 4,326 MB |
| together | 40.5 s | 59.6 s |

One run of each (an earlier one, with other features: 43.0 s and 58.6 s). Memory is the most that
is held beyond what was held before the first update. FID's does not grow with the number of
pictures; KID and PRDC keep the features.
"""


@dataclasses.dataclass(frozen=True)
class Set:
    """Data that models are measured against.

    Attributes:
        title: of its table.
        words: what the pictures are.
        reals: arguments of `keras_gans.datasets.load`.
        folders: of translators, the folders of pictures of A and of B.
    """

    title: str
    words: str
    reals: dict | None = None
    folders: tuple = ()


SETS = {
    "fashion": Set("Fashion-MNIST", "`fashion_mnist_10k`, 28 × 28 grey", FASHION),
    "digits": Set("Digits", "`mnist_5k`, 28 × 28 grey", DIGITS),
    "skin_tones": Set("Noto emoji of people", "`noto_skin_tones`, 32 × 32", SKIN_TONES),
    "smileys": Set("Noto smileys", "the smileys of `noto_emoji`, 64 × 64", SMILEYS),
    "openmoji": Set(
        "Noto emoji to OpenMoji",
        "OpenMoji, 64 × 64",
        folders=("runs/data/noto_openmoji/noto", "runs/data/noto_openmoji/openmoji"),
    ),
    "satellite": Set(
        "Relief to satellite",
        "satellite tiles, 64 × 64",
        folders=("runs/data/relief_satellite/relief", "runs/data/relief_satellite/satellite"),
    ),
}


def set_of(shipped):
    """The key in `SETS` of what a model is measured against."""
    if shipped.inputs:
        return "satellite" if shipped.pairs else "openmoji"
    return next(key for key, each in SETS.items() if each.reals == shipped.reals)


def read(reals, seed=0):
    """All pictures of a set, uint8, and their labels or None, in an order that the seed gives."""
    from keras_gans.datasets import load
    from keras_gans.images import to_uint8

    data = load(**reals, labels=reals == FASHION, batch_size=20_000, shuffle=False)
    batch = next(iter(data))
    pictures, labels = batch if isinstance(batch, tuple) else (batch, None)
    order = np.random.default_rng(seed).permutation(len(pictures))
    labels = None if labels is None else np.array(labels)[order]
    return to_uint8(np.array(pictures)[order]), labels


def measured(evaluation, model):
    """The values and protocols of a model."""
    begin = time.perf_counter()
    rows = evaluation.measure(model)
    values = {name: float(value) for row in rows for name, value in row.values.items()}
    return {
        "values": values,
        "protocols": [row.to_dict() for row in rows],
        "seconds": round(time.perf_counter() - begin, 1),
    }


def given(pictures):
    """A model that makes these pictures, in order."""
    rest = iter(pictures)
    return lambda num, seed: np.array([next(rest) for _ in range(num)])


def noise(shape):
    def generate(num, seed):
        return np.random.default_rng(seed).integers(0, 256, (num, *shape), dtype="uint8")

    return generate


def halves(key):
    """The first half of a set's pictures, with labels if any; the other half; and sources or None.

    Sources are of the second half of A, so that no translation is of a picture whose counterpart
    is among the reals.
    """
    each = SETS[key]
    pictures, labels = read(each.reals or {"name": ROOT / each.folders[1]})
    num, sources = min(NUM, len(pictures) // 2), None
    if each.folders:
        of_a, _ = read({"name": ROOT / each.folders[0]})
        num = min(num, len(of_a) - len(of_a) // 2)
        sources = of_a[-num:]
    reals = pictures[:num] if labels is None else (pictures[:num], labels[:num])
    return reals, pictures[-num:], sources


def of_first_port(model):
    """A model, or of one that makes several things what it makes first."""
    from keras_gans.training.ports import asked_together

    first, *others = asked_together(model.ports())
    if not others:
        return model
    return lambda num, seed: model.generate(num, seed=seed, port=first)


def measure_set(key, names):
    """The rows of one set: its models, the other reals, and noise."""
    import keras_gans
    from keras_gans.metrics import Evaluation, fashion_mnist_classifier

    reals, others, sources = halves(key)
    pictures = reals[0] if isinstance(reals, tuple) else reals
    settings = {"num": len(pictures), "seed": SEED, "extractor": fashion_mnist_classifier()}
    evaluation = Evaluation(reals, METRICS, **settings)
    rows = {}
    for name in names:
        model = keras_gans.load(name)
        if sources is not None:
            translating = Evaluation(reals, METRICS, sources=sources, **settings)
            rows[name] = measured(translating, lambda x, model=model: model.translate(x, to="b"))
        else:
            rows[name] = measured(evaluation, of_first_port(model))
        print(name, rows[name]["values"], f"{rows[name]['seconds']} s", flush=True)
    rows["other reals"] = measured(evaluation, given(others))
    rows["uniform noise"] = measured(evaluation, noise(pictures.shape[1:]))
    for name in ("other reals", "uniform noise"):
        print(name, rows[name]["values"], flush=True)
    return rows


def cell(row, name, digits):
    value = f"{row['values'][name]:,.{digits}f}"
    error = row["values"].get(f"{name}_error")
    return value if error is None else f"{value} ± {error:.{digits}f}"


def page_of(key, rows):
    """Markdown lines of one set."""
    from keras_gans import presets

    ranked = sorted(rows.items(), key=lambda item: item[1]["values"]["fid"])
    lines = [
        f"## {SETS[key].title}",
        "",
        f"{SETS[key].words[0].upper()}{SETS[key].words[1:]}.",
        "",
        f"| | model | steps | minibatch | {' | '.join(COLUMNS)} |",
        f"|---|---|--:|--:|{'--:|' * len(COLUMNS)}",
    ]
    for name, row in ranked:
        cells = ["", "", ""]
        label = f"*{name}*"
        if name in SHIPPED:
            card = presets.card(name)
            batch = card.get("batch_size")
            steps = (
                f"{card['steps_taken']:,}"
                if batch
                else f"{card['steps_taken']:,} in the last stage"
            )
            cells = [card["model"], steps, batch or "by stage"]
            label = f"[`{name}`](../savedmodels/{name}/README.md)"
        numbers = [cell(row, *column) for column in COLUMNS.values()]
        lines.append(f"| {' | '.join(map(str, (label, *cells, *numbers)))} |")
    protocols = rows["other reals"]["protocols"]
    return [*lines, "", f"Protocol: {in_words(protocols)}.", ""]


def in_words(protocols):
    """What all metrics of a row have alike in words, and then what each has alone."""
    from keras_gans.cli.evaluate import protocol_lines
    from keras_gans.metrics import Measurement

    lines = protocol_lines([Measurement.from_dict(content) for content in protocols])
    return "; ".join(line.strip().removeprefix("Protocol: ") for line in lines)


def page(results):
    lines = [
        "# Results",
        "",
        "All trained models of [`savedmodels`](../savedmodels/README.md), measured by "
        "`python tools/build_results.py` with the classifier of Fashion-MNIST that ships with the "
        "package ([its card](../keras_gans/metrics/data/README.md)). The distances are not those "
        "of an Inception network, and can't be compared with published ones.",
        "",
        "The models were trained for minutes (those of Fashion-MNIST on a GPU, see "
        "[performance.md](performance.md#on-a-gpu), the others on two CPU cores), and on all the "
        "data that they are measured against. Each set is cut into two at random (seed 0): models "
        "are measured against the first half, *other reals* are the second half, the floor that "
        "a perfect generator would reach, and *uniform noise* is the ceiling. All rows of a "
        "table have one protocol, with as many samples as reals. Lower is better for FID, KID "
        "(± its standard error) and SWD; precision and density say how real samples look, recall "
        "and coverage how much of the data they reach. MS-SSIM is that of pairs of samples: lower "
        "is more diverse, and that of the other reals is what to aim for.",
        "",
        "No column says all. Noise can be precise: its features are one spot, which may lie in the "
        "ball around a single odd picture of the data (Naeem et al., 2020, arXiv:2002.09797, on "
        "why density and coverage were made); its recall and coverage are those of noise. GAN and "
        "LAPGAN look as real as the others and reach less of the data. For pictures that are "
        "not clothes the classifier's features say less; compare them with SWD.",
        "",
        f"`keras-gans evaluate NAME --metrics {','.join(METRICS)}` measures one of them, against "
        "the first reals of its set in the set's own order. Numbers with all digits and the whole "
        "protocols are in [`results.json`](results.json).",
        "",
    ]
    for key, rows in results["sets"].items():
        lines += page_of(key, rows)
    return "\n".join([*lines, COST]).rstrip() + "\n"


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sets", nargs="*", help=f"some of {', '.join(SETS)} (default: all)")
    parser.add_argument("--page", action="store_true", help="write the page again, and no more")
    args = parser.parse_args()
    unknown = sorted(set(args.sets) - set(SETS))
    if unknown:
        parser.error(f"sets must be some of {', '.join(SETS)}. Received: {', '.join(unknown)}")
    from keras_gans.files import write_json
    from keras_gans.versions import versions

    path = DOCS / "results.json"
    results = json.loads(path.read_text()) if path.exists() else {"sets": {}}
    for key in () if args.page else args.sets or SETS:
        names = [name for name, shipped in SHIPPED.items() if set_of(shipped) == key]
        results["sets"][key] = measure_set(key, names)
        results["versions"] = versions("scipy")
        results["date"] = time.strftime("%Y-%m-%d", time.gmtime())
        results["sets"] = {key: results["sets"][key] for key in SETS if key in results["sets"]}
        write_json(path, results)
    (DOCS / "results.md").write_text(page(results), encoding="utf-8")


if __name__ == "__main__":
    main()
