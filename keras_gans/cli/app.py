"""The command line: `keras-gans list`, `datasets`, `presets`, `train`, `generate`, `translate`,
`evaluate` and `export`.

The options of the commands, and what can be said about them at once. TensorFlow takes seconds to
import, so that what a command does is in a module of its own, which is imported when all is well so
far: help, lists and errors are there without.
"""

import os
from pathlib import Path
from typing import Annotated

import typer

from keras_gans import papers, sources
from keras_gans.cli import lists
from keras_gans.cli.parts import EXTRACTORS, Config, Debug, quiet_import
from keras_gans.cli.parts import expects_errors as _expects_errors
from keras_gans.cli.parts import image_size as _image_size
from keras_gans.cli.parts import option as _option
from keras_gans.run_settings import check_directory
from keras_gans.versions import versions

app = typer.Typer(
    name="keras-gans",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Source = Annotated[
    str,
    typer.Argument(
        metavar="RUN_OR_MODEL",
        help="A run directory of `keras-gans train`, a .keras file, a SavedModel directory, or the "
        "name or directory of a preset: `keras-gans presets`.",
    ),
]


def main():
    """Runs the command line; the entry point of `keras-gans`."""
    app()


def _show_version(value):
    if value:
        found = versions()
        typer.echo(
            f"keras-gans {found['keras_gans']} "
            f"(keras {found['keras']}, tensorflow {found['tensorflow']})"
        )
        raise typer.Exit()


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the versions and exit."
        ),
    ] = False,
):
    """Train generative adversarial networks from the papers, and make pictures with them.

    [bold]Start here:[/bold]  keras-gans list, then  keras-gans train DCGAN --steps 2000
    """


@app.command("list")
@_expects_errors
def list_models(debug: Debug = False):
    """List the models, each with its paper and the data it is trained on by default.

    [bold]Example:[/bold]  keras-gans list
    """
    lists.print_models()


@app.command("datasets")
@_expects_errors
def list_datasets(debug: Debug = False):
    """List the data sets that need no download, with their size, shape and licence.

    [bold]Example:[/bold]  keras-gans datasets
    """
    lists.print_datasets()


@app.command("presets")
@_expects_errors
def list_presets(debug: Debug = False):
    """List the trained models that are there, by the names that commands take.

    Others are found in the directories that KERAS_GANS_PRESETS, a variable of the
    environment, names.

    [bold]Examples:[/bold]

    keras-gans presets
    keras-gans generate cgan_fashion_mnist
    """
    lists.print_presets()


@app.command()
@_expects_errors
def train(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A model: `keras-gans list`.")],
    dataset: Annotated[
        str | None,
        _option(
            "--dataset",
            "NAME",
            "A data set: a name in `keras-gans datasets`, a prepared TFDS set, or a folder of "
            "pictures.",
            "the model's",
        ),
    ] = None,
    dataset_b: Annotated[
        str | None,
        _option(
            "--dataset-b",
            "NAME",
            "The second data set, for models of two, as CycleGAN and CoGAN are. Of Pix2Pix it has "
            "the pictures that belong to the first one's, by name; without it, each picture of a "
            "folder is a pair, side by side.",
            "the model's",
        ),
    ] = None,
    data_dir: Annotated[
        Path | None,
        _option("--data-dir", "DIR", "Where prepared TFDS sets are.", "TFDS's own"),
    ] = None,
    skip_unreadable: Annotated[
        bool,
        typer.Option("--skip-unreadable", help="Leave out files of a folder that are no pictures."),
    ] = False,
    value_range: Annotated[
        str | None,
        _option(
            "--value-range",
            "LOW,HIGH",
            "Levels that become black and white, of pictures of more than 8 bits in a folder: "
            "0,4095 for 12 bits.",
            "all 16 bits",
        ),
    ] = None,
    split: Annotated[
        str | None,
        _option(
            "--split",
            "NAME",
            "A split of the data set, or a part of one: train[:8000].",
            "train, or the model's two",
        ),
    ] = None,
    labels_per_class: Annotated[
        int | None,
        _option(
            "--labels-per-class",
            "N",
            "Examples of each class that keep their labels, for models that learn classes from a "
            "few, as SSGAN does; 0 for none at all, where a model can.",
            "the model's",
            min=0,
        ),
    ] = None,
    steps: Annotated[
        int | None,
        _option("--steps", "N", "Training steps: generator updates.", "the model's", min=1),
    ] = None,
    batch_size: Annotated[
        int | None, _option("--batch-size", "N", "Examples a minibatch.", "the model's", min=1)
    ] = None,
    image_size: Annotated[
        str | None,
        _option(
            "--image-size",
            "N or HxW",
            "Resize pictures to N × N pixels, or to height × width: 48x80.",
            "the data's size",
        ),
    ] = None,
    direction: Annotated[
        str | None,
        _option(
            "--direction",
            "A_TO_B",
            "Of pictures that are side by side: a_to_b makes the right one of the left one, b_to_a "
            "the left one of the right one.",
            "a_to_b",
        ),
    ] = None,
    crop: Annotated[
        str | None,
        _option(
            "--crop",
            "N or HxW",
            "Cut a window of N × N pixels out of each picture, at another place each time.",
            "whole pictures",
        ),
    ] = None,
    flip: Annotated[
        bool, typer.Option("--flip", help="Mirror every second picture, by chance.")
    ] = False,
    channels: Annotated[
        int | None,
        _option("--channels", "N", "1 for grey, 3 for colour.", "the data's", min=1, max=4),
    ] = None,
    latent_dim: Annotated[
        int | None,
        _option("--latent-dim", "N", "Length of the latent vectors.", "the model's", min=1),
    ] = None,
    width: Annotated[
        int | None,
        _option(
            "--width",
            "N",
            "Channels of the widest layers, of ProGAN, R3GAN, CoGAN and translating models: a step "
            "takes about the square of it.",
            "the paper's",
            min=1,
        ),
    ] = None,
    scale: Annotated[
        int | None,
        _option(
            "--scale",
            "N",
            "By how much pictures are enlarged, by models that do: 2, 3, 4 or 8.",
            "the model's, 4",
            min=2,
        ),
    ] = None,
    generator: Annotated[
        str | None,
        _option(
            "--generator",
            "RUN_OR_MODEL",
            "Begin with a generator that has learned, as SRGAN does with SRResNet's: a run, a "
            ".keras file or a preset.",
            "a new one",
        ),
    ] = None,
    features: Annotated[
        str | None,
        _option(
            "--features",
            "FILE[:LAYERS[:MODE]]",
            "A trained network that pictures are compared by, for SRGAN: VGG19:FILE with the "
            "weights of keras.applications without the classifier, or a .keras file and some of "
            "its layers, NET.keras:conv3,conv5:torch; MODE is that of its `preprocess_input`.",
            "the pixels",
        ),
    ] = None,
    encoder: Annotated[
        Path | None,
        _option(
            "--encoder",
            "FILE",
            "A .keras file of a trained network, pictures to features, by which DTN translates.",
            "of Fashion-MNIST the package's own",
        ),
    ] = None,
    ema_decay: Annotated[
        float | None,
        _option(
            "--ema-decay",
            "D",
            "Also average the generator's weights, with this decay an update, above 0 and below 1; "
            "samples are then the average's.",
            "no average",
        ),
    ] = None,
    seed: Annotated[
        int,
        typer.Option(metavar="N", min=0, help="Seed of weights, latents and the data's order."),
    ] = 0,
    sample_every: Annotated[
        int | None,
        _option("--sample-every", "N", "Steps between two sample grids.", "steps / 10", min=1),
    ] = None,
    out: Annotated[
        Path | None, _option("--out", "DIR", "Run directory to make.", "runs/MODEL-DATASET")
    ] = None,
    fresh: Annotated[
        bool,
        typer.Option("--fresh", help="Replace an earlier run in that directory, all of it."),
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Say what would be trained, and how long it would take; write nothing.",
        ),
    ] = False,
    save_every: Annotated[
        int | None,
        _option("--save-every", "N", "Steps between two checkpoints.", "about a minute", min=1),
    ] = None,
    deterministic: Annotated[
        bool,
        typer.Option(
            help="Compute alike to the last bit, each time. A GPU is faster without, as XLA is then"
            " on; a run that is resumed then becomes nearly what it would have become.",
        ),
    ] = True,
    precision: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="What layers compute in: float32, mixed_bfloat16 or mixed_float16. Weights are "
            "float32 in each.",
        ),
    ] = "float32",
    strategy: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="What trains together: none (one device), mirrored (all GPUs of this machine), "
            "multi-worker (the machines in TF_CONFIG, each with this command) or tpu. The batch "
            "size is that of all together.",
        ),
    ] = "none",
    config: Config = None,
    debug: Debug = False,
):
    """Train MODEL with its paper's settings, into a run directory.

    Ctrl-C ends the training early and saves what there is. The same command again
    goes on where the run was ended, also if it was killed, and ends as if it had
    not been; with more --steps a finished run goes on. The run directory gets

    settings.json   all settings, and the versions used
    samples/        grids of the same latents, and samples.gif
    losses.png      the losses by step; the numbers are in losses.csv
    tensorboard/    for: tensorboard --logdir DIR/tensorboard
    model.keras     everything, for keras.models.load_model
    savedmodel/     the generator alone, for TF Serving
    grid.png        samples of the trained model
    checkpoints/    where the run goes on

    [bold]Examples:[/bold]

    keras-gans train DCGAN
    keras-gans train progan --width 64 --dry-run
    keras-gans train GAN --dataset ring --steps 2000 --fresh
    keras-gans train ssgan --dataset mnist_5k --labels-per-class 10
    keras-gans train wgan-gp --dataset photos/ --image-size 64 --out runs/a
    keras-gans train cyclegan --dataset horses/ --dataset-b zebras/
    keras-gans train pix2pix --dataset maps/ --dataset-b photos/ --flip
    keras-gans train srresnet --dataset photos/ --scale 4 --flip
    keras-gans train srgan --dataset photos/ --generator runs/SRResNet-photos
    keras-gans train dtn --dataset faces/ --dataset-b emoji/ --encoder f.keras
    """
    found = papers.find(model)
    recipe = found.recipe
    settings = {
        "model": found.name,
        "dataset": dataset or recipe.dataset,
        "dataset_b": dataset_b or (recipe.dataset_b if dataset is None else None),
        "data_dir": None if data_dir is None else str(data_dir),
        "on_unreadable": "skip" if skip_unreadable else "error",
        "value_range": _pair(value_range),
        "split": split,
        "labels_per_class": labels_per_class,
        "steps": steps or recipe.steps,
        "batch_size": batch_size or recipe.batch_size,
        "image_size": _image_size(image_size),
        "direction": direction,
        "crop": _image_size(crop, "--crop"),
        "flip": flip,
        "channels": channels,
        "latent_dim": latent_dim,
        "width": width,
        "scale": scale or recipe.scale,
        "generator": generator,
        "features": features,
        "encoder": None if encoder is None else str(encoder),
        "ema_decay": ema_decay,
        "seed": seed,
        "deterministic": deterministic,
        "precision": precision,
    }
    whole = image_size is None and crop is None
    if whole and recipe.crop is not None and Path(settings["dataset"]).is_dir():
        settings["crop"] = (recipe.crop, recipe.crop)
    if labels_per_class is None:
        settings["labels_per_class"] = recipe.labels_per_class
    if ema_decay is not None and not 0 < ema_decay < 1:
        raise ValueError(f"--ema-decay must be above 0 and below 1. Received: {ema_decay}")
    run = out or Path("runs") / f"{found.name}-{_file_name(settings['dataset'])}"
    check_directory(run, fresh, settings["steps"])
    with quiet_import():
        from keras_gans.cli import train as body
    every = {"sample_every": sample_every, "save_every": save_every}
    if dry_run:
        body.say_what_would_happen(settings, batch_size, run, fresh, strategy, sample_every)
    elif not body.train(settings, batch_size, run, fresh, strategy, **every):
        raise typer.Exit(130)


@app.command()
@_expects_errors
def generate(
    source: Source,
    num: Annotated[
        int | None,
        _option(
            "--num", "N", "Samples to make.", "about 64 pictures, 16 videos or 1000 points", min=1
        ),
    ] = None,
    seed: Annotated[
        int,
        typer.Option(metavar="N", min=0, help="Seed of the latents; same seed, same samples."),
    ] = 0,
    labels: Annotated[
        str | None,
        _option(
            "--labels",
            "A,B,...",
            "Classes to make in turn, by number or name, for label-conditional models; of "
            "several codes, each sample's with spaces between.",
            "all classes, or drawn codes",
        ),
    ] = None,
    texts: Annotated[
        list[str] | None,
        _option(
            "--texts",
            "TEXT",
            "Of models that take text: words, ids or numbers, as the model's text is, or a file "
            "with one a line; once for each text.",
            "none",
        ),
    ] = None,
    pictures: Annotated[
        list[str] | None,
        _option(
            "--pictures",
            "PATH",
            "Of models that take pictures: a file or a folder of them.",
            "none",
        ),
    ] = None,
    masks: Annotated[
        list[str] | None,
        _option(
            "--masks",
            "PATH",
            "Of models that take masks: pictures that are light where something is meant.",
            "none",
        ),
    ] = None,
    value_range: Annotated[
        str | None,
        _option(
            "--value-range",
            "LOW,HIGH",
            "Levels that become black and white, of such pictures of more than 8 bits: 0,4095 for "
            "12 bits.",
            "the run's, or all 16 bits",
        ),
    ] = None,
    columns: Annotated[
        int | None,
        _option(
            "--columns", "N", "Pictures in a row.", "one for each class or text, or a square", min=1
        ),
    ] = None,
    interpolate: Annotated[
        int | None,
        _option(
            "--interpolate",
            "SEED",
            "Go from the sample of --seed to that of this seed, in --num steps (30), as an "
            "animation.",
            "none",
            min=0,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        _option("--out", "FILE", "PNG file to write or to replace.", "grid.png, or walk.gif"),
    ] = None,
    config: Config = None,
    debug: Debug = False,
):
    """Make samples with a trained model, and write them as one picture.

    [bold]Examples:[/bold]

    keras-gans generate runs/DCGAN-fashion_mnist_10k --num 100 --columns 10
    keras-gans generate runs/cgan/model.keras --labels 0,3 --out two_classes.png
    keras-gans generate runs/birds --texts "a red bird" --texts "a small bird"
    keras-gans generate runs/cyclegan --pictures photos/ --columns 8
    keras-gans generate runs/dcgan --seed 1 --interpolate 2 --out walk.gif
    """
    suffix, default = (".png", "grid.png") if interpolate is None else (".gif", "walk.gif")
    out = Path(default) if out is None else out
    if out.suffix.lower() != suffix:
        raise ValueError(f"--out must end in '{suffix}'. Received: '{out}'.")
    levels = _pair(value_range)
    sources.find(source)
    with quiet_import():
        from keras_gans.cli import generate as body
    options = {"text": texts or [], "pictures": pictures or [], "masks": masks or []}
    if interpolate is not None:
        body.interpolate(source, num, (seed, interpolate), labels, options, out, levels)
        return
    body.generate(source, num, seed, labels, options, columns, out, levels)


@app.command()
@_expects_errors
def translate(
    source: Source,
    pictures: Annotated[
        Path, typer.Argument(metavar="PICTURES", help="A file or a folder, with what is under it.")
    ],
    out: Annotated[
        Path,
        typer.Option("--out", metavar="DIR", help="Folder for the translations, as PNG files."),
    ] = Path("translated"),
    direction: Annotated[
        str | None,
        _option("--direction", "NAME", "Of models with several: a_to_b or b_to_a.", "the first"),
    ] = None,
    skip_unreadable: Annotated[
        bool,
        typer.Option("--skip-unreadable", help="Leave out files of a folder that are no pictures."),
    ] = False,
    value_range: Annotated[
        str | None,
        _option(
            "--value-range",
            "LOW,HIGH",
            "Levels that become black and white, of pictures of more than 8 bits: 0,4095 for 12 "
            "bits.",
            "the run's, or all 16 bits",
        ),
    ] = None,
    tile: Annotated[
        int | None,
        _option(
            "--tile",
            "N",
            "Translate large pictures in tiles of N × N pixels, which takes less memory, with "
            "models that take pictures of any size.",
            "whole pictures",
            min=1,
        ),
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Replace files of the same names in that folder.")
    ] = False,
    config: Config = None,
    debug: Debug = False,
):
    """Translate pictures with a trained model, each into a file of the same name.

    Pictures are resized to the model's size where it has one, to cover it; others
    keep their own. The files are there when all of them are made: after an error,
    or Ctrl-C, the folder is as it was.

    [bold]Examples:[/bold]

    keras-gans translate runs/CycleGAN-horses photos/ --out zebras/
    keras-gans translate cyclegan_relief_satellite maps/ --out photos/
    keras-gans translate cyclegan_relief_satellite photo.png --direction b_to_a
    keras-gans translate runs/SRGAN-photos small/ --out large/ --tile 256
    """
    levels = _pair(value_range)
    sources.find(source)
    with quiet_import():
        from keras_gans.cli import translate as body
    body.translate(source, pictures, out, direction, fresh, skip_unreadable, levels, tile)


@app.command()
@_expects_errors
def evaluate(
    source: Source,
    dataset: Annotated[
        str | None,
        _option(
            "--dataset",
            "NAME",
            "The reals: a name in `keras-gans datasets`, a prepared TFDS set, or a folder of "
            "pictures; of Pix2Pix also one of which each picture is a pair, side by side.",
            "what the model was trained on",
        ),
    ] = None,
    dataset_b: Annotated[
        str | None,
        _option("--dataset-b", "NAME", "The second set, for models of two.", "the model's"),
    ] = None,
    split: Annotated[
        str | None,
        _option(
            "--split",
            "NAME",
            "Split of a set; two with a comma between for models of two sets.",
            "train, or as the model was trained",
        ),
    ] = None,
    data_dir: Annotated[
        Path | None,
        _option("--data-dir", "DIR", "Where prepared TFDS sets are.", "the run's, or TFDS's own"),
    ] = None,
    skip_unreadable: Annotated[
        bool,
        typer.Option(
            "--skip-unreadable",
            help="Leave out files of a folder that are no pictures; those of a run's own data are "
            "left out if they were in its training.",
        ),
    ] = False,
    value_range: Annotated[
        str | None,
        _option(
            "--value-range",
            "LOW,HIGH",
            "Levels that become black and white, of pictures of more than 8 bits in a folder: "
            "0,4095 for 12 bits.",
            "the run's, or all 16 bits",
        ),
    ] = None,
    image_size: Annotated[
        str | None,
        _option(
            "--image-size",
            "N or HxW",
            "Resize reals to N × N pixels, or to height × width.",
            "the model's size",
        ),
    ] = None,
    direction: Annotated[
        str | None,
        _option(
            "--direction",
            "NAME",
            "Of models that translate: a_to_b or b_to_a; of pairs that are side by side: a_to_b "
            "makes the right one of the left one; of CoGAN a or b.",
            "the first, that of the training, or both of CoGAN",
        ),
    ] = None,
    metrics: Annotated[
        str,
        typer.Option(
            metavar="A,B,...",
            help="Of pictures: fid, kid, prdc, is, mode_score, swd, ms_ssim, ppl; of translations "
            "that have a true counterpart also psnr, ssim, l1, pixel_agreement; of points: modes; "
            "of stacked_fashion_mnist: stacked_modes; of models that learn classes, on labelled "
            "data: accuracy.",
        ),
    ] = "fid,kid,prdc",
    num: Annotated[
        int | None,
        _option("--num", "N", "Samples to make.", "10,000, or as many as reals if fewer", min=1),
    ] = None,
    reals: Annotated[
        int | None, _option("--reals", "N", "Reals, the first of the set.", "as --num", min=1)
    ] = None,
    extractor: Annotated[
        str | None,
        _option(
            "--extractor",
            "NAME",
            f"What makes features: {EXTRACTORS}.",
            "fashion for Fashion-MNIST",
        ),
    ] = None,
    batch_size: Annotated[
        int, typer.Option("--batch-size", metavar="N", min=1, help="Samples made at once.")
    ] = 100,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Seed of the samples.")] = 0,
    out: Annotated[Path | None, _option("--out", "FILE", "JSON file to write.", "none")] = None,
    cache: Annotated[
        Path | None,
        _option(
            "--cache", "DIR", "Where features of reals are kept.", "~/.cache/keras_gans/metrics"
        ),
    ] = None,
    no_cache: Annotated[
        bool, typer.Option("--no-cache", help="Keep no features of reals, and use none.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the JSON alone in place of the table.")
    ] = False,
    config: Config = None,
    debug: Debug = False,
):
    """Measure a trained model against data; each number comes with its protocol.

    Only numbers of one protocol can be compared: extractor, reals and number of
    samples are part of it. What was computed of the reals is kept for the next
    time.

    [bold]Examples:[/bold]

    keras-gans evaluate runs/DCGAN-fashion_mnist_10k
    keras-gans evaluate runs/ring --metrics modes --num 2500
    keras-gans evaluate runs/birds --extractor inception-2015:FILE --num 5000
    keras-gans evaluate runs/Pix2Pix-maps --metrics psnr,ssim --dataset maps/test/
    """
    if out is not None and out.suffix.lower() != ".json":
        raise ValueError(f"--out must end in '.json'. Received: '{out}'.")
    if no_cache and cache is not None:
        raise ValueError(f"--cache must not be given with --no-cache. Received: '{cache}'.")
    size, levels = _image_size(image_size), _pair(value_range)
    sources.find(source)
    with quiet_import():
        from keras_gans.cli import evaluate as body
    body.evaluate(
        source,
        metrics,
        dataset,
        dataset_b,
        split,
        data_dir,
        levels,
        skip_unreadable,
        size,
        direction,
        num,
        reals,
        extractor,
        batch_size,
        seed,
        out,
        cache,
        no_cache,
        as_json,
    )


@app.command()
@_expects_errors
def export(
    run: Annotated[
        str,
        typer.Argument(
            metavar="RUN",
            help="A run directory of `keras-gans train`, a .keras file, or the name or directory "
            "of a preset: `keras-gans presets`.",
        ),
    ],
    to: Annotated[
        str,
        typer.Option(
            metavar="A,B,...", help="What to write: savedmodel, tflite, onnx, or several of them."
        ),
    ] = "savedmodel",
    out: Annotated[Path | None, _option("--out", "DIR", "Where to write.", "RUN/export")] = None,
    version: Annotated[
        int, typer.Option("--model-version", metavar="N", min=1, help="Version of the SavedModel.")
    ] = 1,
    quantization: Annotated[
        str | None,
        _option(
            "--quantization", "FORM", "Of the TFLite file: float16, dynamic or int8.", "float32"
        ),
    ] = None,
    direction: Annotated[
        str | None,
        _option(
            "--direction",
            "NAME",
            "What the TFLite and ONNX files do, of models that do several things: b_to_a, encode.",
            "the first",
        ),
    ] = None,
    data_license: Annotated[
        str | None,
        _option("--data-license", "TEXT", "Licence of the data, for the card.", "the data's"),
    ] = None,
    pictures: Annotated[
        Path | None,
        _option(
            "--pictures",
            "DIR",
            "Pictures that calibrate int8, for models that make pictures out of pictures.",
            "none",
        ),
    ] = None,
    image_size: Annotated[
        str | None,
        _option(
            "--image-size",
            "N or HxW",
            "The size that the TFLite file takes, of models for pictures of any size: web pages "
            "need one.",
            "any",
        ),
    ] = None,
    config: Config = None,
    debug: Debug = False,
):
    """Export a trained model for production, each file checked against the model.

    savedmodel   for TF Serving: pictures by seed, as uint8 and PNG, with a card
    tflite       for phones and browsers: one picture a call
    onnx         for other runtimes; needs keras-gans\\[onnx]

    [bold]Examples:[/bold]

    keras-gans export runs/DCGAN-fashion_mnist_10k --to savedmodel,tflite
    keras-gans export runs/cgan --to tflite --quantization int8
    keras-gans export runs/cgan --model-version 2 --out served/cgan
    keras-gans export runs/SRGAN-photos --to tflite --image-size 128
    """
    forms = [form.strip() for form in to.split(",")]
    sources.find(run, "RUN")
    with quiet_import():
        from keras_gans.export import from_run
    given = (run, forms, out, version, quantization, direction, data_license, pictures)
    from_run.export_run(*given, size=_image_size(image_size))


# Small things


def _pair(text):
    """The two numbers of `--value-range`, or None."""
    if text is None:
        return None
    try:
        low, high = map(float, text.split(","))
    except ValueError:
        raise ValueError(
            f"--value-range must be two numbers, such as 0,4095. Received: '{text}'."
        ) from None
    return [low, high]


def _file_name(dataset):
    """The data set's name, or the last part of a folder's, as part of a file name."""
    name = Path(dataset).resolve().name if os.path.isdir(dataset) else dataset
    return "".join(c if c.isalnum() or c in "-_." else "_" for c in name)
