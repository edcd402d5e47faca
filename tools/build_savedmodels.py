"""Builds `savedmodels/`: the trained generators of the project, as they ship.

    python tools/build_savedmodels.py                      # all
    python tools/build_savedmodels.py dcgan_fashion_mnist  # one of them
    python tools/build_savedmodels.py --again              # their SavedModels, exported once more
    python tools/build_savedmodels.py --pages              # savedmodels/README.md alone

A training of `tools/pjrt/presets.py` is taken where `runs/gpu_presets` has it, with its state. Any
other run that is not in `runs/` is trained first, by its example and with the options below; all of
them take about two hours on two CPU cores. The pictures of the two CycleGANs come from
`tools/build_unpaired_data.py`.

Each directory gets

1/            the SavedModel, with its card (`keras_gans.export.savedmodel`)
training/     what `keras_gans.load` needs to go on training
model.tflite  the same generator with float16 weights; `model_b_to_a.tflite` of translators
grid.png      samples of seed 0
inputs/       of translators: pictures that they have not seen, or if there are none, have
README.md     the card, with the grid

It is made beside the old one and takes its place when all is there.
"""

import argparse
import dataclasses
import os
import shutil
import subprocess
import sys
import tempfile
import typing
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

ROOT = Path(__file__).resolve().parent.parent
SAVEDMODELS = ROOT / "savedmodels"
GPU_RUNS = ROOT / "runs" / "gpu_presets"
NUM_INPUTS = 8
NUM_METRIC = 1000
METRIC_SEED = 1
DIGITS, FASHION, SKIN_TONES, SMILEYS = (
    {"name": "mnist_5k"},
    {"name": "fashion_mnist_10k"},
    {"name": "noto_skin_tones"},
    {"name": "noto_emoji", "classes": ("Smileys & Emotion",)},
)


@dataclasses.dataclass(frozen=True)
class Shipped:
    """A generator that ships.

    Attributes:
        run: its run directory in `runs/`.
        command: the example that trains it, and its options.
        reals: arguments of `keras_gans.datasets.load` for the metrics; `None` for translators.
        inputs: of translators, folders of pictures of A and of B, beside `runs/`.
        pairs: whether a picture of A and the one of the same name of B show the same.
        data, license: of the training data, for the card, where the run does not know them.
        trained: its name in `tools/pjrt/presets.py`, if it was trained on a GPU; where
            `runs/gpu_presets` has its step and `runs/gpu_presets/out` the state afterwards, they
            are taken instead of `run`.
        found: makes more rows of the card's metrics out of the run's numbers.json, or `None`.
    """

    run: str
    command: str
    reals: dict | None = None
    inputs: tuple = ()
    pairs: bool = False
    data: str | None = None
    license: str | None = None
    trained: str | None = None
    found: typing.Callable | None = None


def errors(numbers):
    """Rows of a classifier that learned from few labels."""
    alone = numbers["error_of_the_labelled_alone"]
    return [
        {
            "name": "error with 10 labels of each class",
            "value": numbers["error"],
            "protocol": "share of 1,000 unseen pictures whose class is named wrongly; "
            f"{alone:.1%} by the same network trained on the labelled pictures alone",
        }
    ]


def agreements(numbers):
    """Rows of pairs that were learned without pairs."""
    other = numbers["pixel_agreement_of_other_latents"]
    return [
        {
            "name": "pixel agreement of B with the edges of A",
            "value": numbers["pixel_agreement"],
            "protocol": f"share of the pixels of {numbers['pairs']:,} pairs, black and white; "
            f"{other:.4g} with another picture's",
        }
    ]


def mode_scores(numbers):
    """A row of MRGAN beside a GAN of the same generator and discriminator."""
    scores = {run["model"]: run["mode_score"] for run in numbers["runs"]}
    reals = numbers["runs"][0]["mode_score_reals"]
    return [
        {
            "name": "mode score",
            "value": scores["MRGAN"],
            "protocol": f"10,000 samples, the package's classifier of Fashion-MNIST; "
            f"{scores['GAN']:.4g} of a GAN of the same networks, {reals:.4g} of the data",
        }
    ]


SHIPPED = {
    "gan_fashion_mnist": Shipped("gan", "gan.py", FASHION, trained="gan"),
    "cgan_fashion_mnist": Shipped("cgan", "cgan.py", FASHION, trained="cgan"),
    "dcgan_fashion_mnist": Shipped("dcgan", "dcgan.py", FASHION, trained="dcgan"),
    "lapgan_fashion_mnist": Shipped(
        "lapgan", "lapgan.py --steps 1200 --classes", FASHION, trained="lapgan"
    ),
    "infogan_fashion_mnist": Shipped("infogan", "infogan.py", FASHION, trained="infogan"),
    "lsgan_fashion_mnist": Shipped("lsgan", "lsgan.py", FASHION, trained="lsgan"),
    "wgan_fashion_mnist": Shipped("wgan", "wgan.py --steps 8000", FASHION, trained="wgan"),
    "wgan_gp_fashion_mnist": Shipped("wgan_gp", "wgan_gp.py", FASHION, trained="wgan_gp"),
    "began_fashion_mnist": Shipped("began", "began.py --steps 1200", FASHION, trained="began"),
    "cogan_fashion_mnist_edges": Shipped("cogan", "cogan.py", FASHION, found=agreements),
    "ssgan_mnist": Shipped("ssgan", "ssgan.py --seed 1 --shift 2", DIGITS, found=errors),
    "catgan_mnist": Shipped("catgan", "catgan.py --seed 1 --shift 2", DIGITS, found=errors),
    "aae_mnist": Shipped("aae", "aae.py --steps 12000 --seed 1 --shift 2", DIGITS, found=errors),
    "mrgan_fashion_mnist": Shipped(
        "mrgan", "mrgan.py --dataset fashion --batch-size 64", FASHION, found=mode_scores
    ),
    "vae_noto_skin_tones": Shipped("vae", "vae.py --steps 1500", SKIN_TONES),
    "vaegan_noto_skin_tones": Shipped("vaegan", "vaegan.py --steps 900", SKIN_TONES),
    "progan_noto_emoji": Shipped("progan", "progan.py", SMILEYS),
    "cyclegan_noto_openmoji": Shipped(
        "cyclegan_emoji",
        "cyclegan.py --a runs/data/noto_openmoji/noto --b runs/data/noto_openmoji/openmoji "
        "--steps 700",
        inputs=("runs/data/noto_openmoji/noto", "runs/data/noto_openmoji/openmoji"),
        data="A: Noto emoji, B: OpenMoji",
        license="A: OFL-1.1 (font), Apache-2.0 (its pictures); "
        "B: CC BY-SA 4.0 (the OpenMoji project)",
    ),
    "cyclegan_relief_satellite": Shipped(
        "cyclegan_relief",
        "cyclegan.py --a runs/data/relief_satellite/relief "
        "--b runs/data/relief_satellite/satellite --steps 700",
        inputs=(
            "runs/data/relief_satellite/test/relief",
            "runs/data/relief_satellite/test/satellite",
        ),
        pairs=True,
        data="A: shaded relief of Natural Earth, B: Blue Marble of NASA",
        license="public domain (Natural Earth; NASA)",
    ),
}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", help=f"some of {', '.join(SHIPPED)} (default: all)")
    parser.add_argument("--again", action="store_true", help="export what is there once more")
    parser.add_argument("--pages", action="store_true", help="write savedmodels/README.md alone")
    args = parser.parse_args()
    unknown = sorted(set(args.names) - set(SHIPPED))
    if unknown:
        parser.error(f"names must be some of {', '.join(SHIPPED)}. Received: {', '.join(unknown)}")
    for name in () if args.pages else args.names or SHIPPED:
        export_again(name) if args.again else build(name, SHIPPED[name])
    (SAVEDMODELS / "README.md").write_text(overview(), encoding="utf-8")


def build(name, shipped):
    """Makes one directory, and trains its run if there is none."""
    from keras_gans import presets
    from keras_gans.export import tflite
    from keras_gans.export.signatures import networks_of
    from keras_gans.images import save_png

    state = GPU_RUNS / "out" / str(shipped.trained) / "after.npz"
    gan, facts = read_trained(shipped, state) if state.is_file() else read_run(shipped)
    facts = {"name": name, **facts}
    staged = SAVEDMODELS / f".{name}"
    shutil.rmtree(staged, ignore_errors=True)
    try:
        pictures = read_inputs(shipped)
        presets.save(gan, staged, facts, [*measure(gan, shipped, pictures), *rows_of(shipped)])
        for direction, file in files_of(gan).items():
            tflite(gan, staged / file, "float16", direction=direction or None)
        save_png(staged / "grid.png", grid(gan, pictures))
        for side, array in zip("ab", pictures, strict=False):
            for index, picture in enumerate(chosen(array)):
                save_png(staged / "inputs" / f"{side}_{index}.png", picture)
        page = (staged / "1" / "README.md").read_text(encoding="utf-8")
        title, rest = page.split("\n", 1)
        text = f"{title}\n\n![samples](grid.png)\n{rest}"
        (staged / "README.md").write_text(text, encoding="utf-8")
        shutil.rmtree(SAVEDMODELS / name, ignore_errors=True)
        staged.rename(SAVEDMODELS / name)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    size = sum(file.stat().st_size for file in (SAVEDMODELS / name).rglob("*") if file.is_file())
    print(f"{name}: {size / 1e6:.1f} MB, {', '.join(networks_of(gan)) or 'from latents'}")


def read_run(shipped):
    """The model of a run, which is trained if it is not there, and facts for its card."""
    from keras_gans.files import read_json
    from keras_gans.run_settings import SETTINGS, facts_of

    import keras

    run = ROOT / "runs" / shipped.run
    if not (run / "model.keras").is_file():
        script, *options = shipped.command.split()
        command = [sys.executable, str(ROOT / "examples" / script), *options, "--out", str(run)]
        subprocess.run(command, check=True, cwd=ROOT)
    facts = facts_of(read_json(run / SETTINGS))
    given = {"dataset": shipped.data, "dataset_license": shipped.license}
    facts |= {key: value for key, value in given.items() if value}
    command = f"python examples/{shipped.command}"
    return keras.models.load_model(run / "model.keras"), {"command": command, **facts}


def read_trained(shipped, state):
    """The model of an exported step with a state that it came to, and facts for its card."""
    from keras_gans import datasets
    from keras_gans.training.kinds import Labels

    sys.path.insert(0, str(ROOT / "tools" / "pjrt"))
    import import_state
    import states

    directory = GPU_RUNS / shipped.trained
    manifest = states.read_manifest(directory)
    gan = import_state.import_state(directory, state)
    labelled = any(isinstance(part, Labels) for part in gan.data_spec())
    info = datasets.load(**shipped.reals, labels=labelled).info
    named = {"class_names": list(info.class_names)} if labelled else {}
    return gan, {
        **named,
        "command": f"python tools/pjrt/presets.py {shipped.trained} --out runs/gpu_presets; "
        "bash runs/gpu_presets/train.sh",
        "dataset": info.name,
        "dataset_license": info.license,
        "num_examples": info.num_examples,
        "batch_size": manifest["batch_size"],
    }


def export_again(name):
    """Gives one directory the SavedModel of today; card, state and pictures stay the run's."""
    from keras_gans import export, load
    from keras_gans.files import CARD, PAGE

    version = SAVEDMODELS / name / "1"
    with tempfile.TemporaryDirectory(dir=SAVEDMODELS) as staged:
        made = export.savedmodel(load(name), Path(staged) / name, verbose=False)
        for file in (CARD, PAGE):
            shutil.copy(version / file, made / file)
        shutil.rmtree(version)
        made.rename(version)
    print(f"{name}: exported again")


def files_of(gan):
    """`{direction: name of its TFLite file}`."""
    from keras_gans.export.signatures import networks_of

    first, *others = networks_of(gan)
    return {first: "model.tflite", **{other: f"model_{other}.tflite" for other in others}}


def chosen(pictures):
    """Some of the pictures, far apart: neighbouring tiles of a map look alike."""
    return pictures[:: max(1, len(pictures) // NUM_INPUTS)][:NUM_INPUTS]


def read_inputs(shipped):
    """Pictures of A and of B for translators, uint8 arrays; none for other models."""
    from keras_gans.datasets import load
    from keras_gans.images import to_uint8

    return [
        to_uint8(next(iter(load(ROOT / folder, batch_size=64, shuffle=shipped.pairs is False))))
        for folder in shipped.inputs
    ]


def grid(gan, pictures):
    """The picture of a preset: samples, or what a translator makes of some pictures."""
    from keras_gans.callbacks._support import draw
    from keras_gans.training.kinds import render

    if not pictures:
        return draw(gan, None, gan.seed)
    return render(gan.translation_grid(*map(chosen, pictures)), NUM_INPUTS)


def measure(gan, shipped, pictures):
    """Metrics for the card, each with its protocol."""
    if pictures:
        return measure_translator(gan, shipped, pictures)
    from keras_gans.datasets import load
    from keras_gans.images import to_uint8
    from keras_gans.metrics import mean_pairwise_ms_ssim, sliced_wasserstein_distances

    reals = to_uint8(next(iter(load(**shipped.reals, batch_size=NUM_METRIC, seed=METRIC_SEED))))
    fakes = gan.generate(len(reals), seed=METRIC_SEED)
    if isinstance(fakes, tuple):  # pairs, and the reals are of their first domain
        fakes, _ = fakes
    sizes = (
        f"{len(reals):,} samples of seed {METRIC_SEED} and as many pictures of the training data"
    )
    swd = sliced_wasserstein_distances(reals, fakes)["average"]
    sets = {"the samples": fakes, "the data": reals}
    return [
        {
            "name": "sliced Wasserstein distance × 1000",
            "value": swd,
            "protocol": f"{sizes}; 7 × 7 patches, 128 a picture, 512 directions, mean over levels; "
            "lower is nearer",
        },
        *(
            {
                "name": f"MS-SSIM of {what}",
                "value": mean_pairwise_ms_ssim(pictures),
                "protocol": f"mean over 10,000 pairs among {len(pictures):,} of them; lower is "
                "more diverse",
            }
            for what, pictures in sets.items()
        ),
    ]


def rows_of(shipped):
    """What the run itself found, for the card."""
    from keras_gans.files import read_json

    if shipped.found is None:
        return []
    return shipped.found(read_json(ROOT / "runs" / shipped.run / "numbers.json"))


def measure_translator(gan, shipped, pictures):
    """L1 of the cycles, and where there are pairs that training did not see, L1 and SSIM."""
    from keras_gans.metrics import mean_absolute_error, structural_similarity

    a, b = pictures
    rows = []
    for source, to, back, name in ((a, "b", "a", "A → B → A"), (b, "a", "b", "B → A → B")):
        cycle = gan.translate(gan.translate(source, to=to), to=back)
        seen = "not in the training data" if shipped.pairs else "of the training data"
        protocol = f"mean over {len(source)} pictures {seen}, values in [0, 1]"
        rows.append(
            {
                "name": f"L1 of {name}",
                "value": mean_absolute_error(source, cycle),
                "protocol": protocol,
            }
        )
    if shipped.pairs:
        for source, target, to, name in ((a, b, "b", "A → B"), (b, a, "a", "B → A")):
            made = gan.translate(source, to=to)
            protocol = f"mean over {len(source)} true pairs that are not in the training data"
            for metric, value in (
                ("L1", mean_absolute_error(target, made)),
                ("SSIM", structural_similarity(target, made)),
            ):
                rows.append({"name": f"{metric} of {name}", "value": value, "protocol": protocol})
    return rows


def overview():
    """`savedmodels/README.md`: a row for each preset, from its card."""
    from keras_gans import presets

    lines = [
        "# Trained generators",
        "",
        "`keras_gans.load(name)` gives one back, to generate or to go on training; "
        "`keras-gans generate savedmodels/NAME` makes pictures; each `1/` is a version for TF "
        "Serving ([docs/serving.md](../docs/serving.md)), each `model.tflite` is for phones and "
        "browsers ([docs/export.md](../docs/export.md)). `tools/build_savedmodels.py` made them.",
        "",
        "| | name | paper | data | licence of the data | steps | size |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in SHIPPED:
        if name not in presets.names(SAVEDMODELS):
            continue
        card = presets.card(name, SAVEDMODELS)
        size = sum(f.stat().st_size for f in (SAVEDMODELS / name).rglob("*") if f.is_file())
        paper = f"[{card['model']}](https://arxiv.org/abs/{card['arxiv']})"
        data = " and ".join(card[key] for key in ("dataset", "dataset_b") if card.get(key))
        picture = f'<img src="{name}/grid.png" width="160" alt="samples of {name}">'
        lines.append(
            f"| {picture} | [`{name}`]({name}/README.md) | {paper} | {data} | "
            f"{card['dataset_license']} | {card['steps_taken']:,} | {size / 1e6:.1f} MB |"
        )
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main()
