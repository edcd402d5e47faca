"""The command line: `keras-gans list`, `datasets`, `train`, `generate`, `evaluate` and
`export`.

The commands hold no algorithm. `train` is what a script would do: load data, build the paper's
model, `fit` with the callbacks, save. TensorFlow and the rest are imported inside the commands.
"""

import os
from pathlib import Path
from typing import Annotated

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import typer

from keras_gans.cli_evaluate import evaluate
from keras_gans.cli_parts import Debug, console
from keras_gans.cli_parts import expects_errors as _expects_errors
from keras_gans.cli_parts import option as _option

app = typer.Typer(
    name="keras-gans",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main():
    """Runs the command line; the entry point of `keras-gans`."""
    app()


def _show_version(value):
    if value:
        from importlib.metadata import version

        import keras_gans

        typer.echo(
            f"keras-gans {keras_gans.__version__} "
            f"(keras {version('keras')}, tensorflow {version('tensorflow')})"
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
    from rich.table import Table

    from keras_gans import registry

    table = Table(title="Models", title_justify="left", caption_justify="left")
    table.caption = "Train one with: keras-gans train MODEL"
    table.add_column("Model", style="bold", no_wrap=True)
    table.add_column("Paper", min_width=20)
    table.add_column("Authors")
    table.add_column("Year", no_wrap=True)
    table.add_column("arXiv", no_wrap=True)
    table.add_column("Default data", no_wrap=True)
    table.add_column("Status")
    for entry in registry.MODELS.values():
        cells = (entry.title, entry.authors, entry.year, entry.arxiv, entry.dataset, entry.status)
        table.add_row(entry.name, *(str(cell or "–") for cell in cells))
    console().print(table)


@app.command("datasets")
@_expects_errors
def list_datasets(debug: Debug = False):
    """List the data sets that need no download, with their size, shape and licence.

    [bold]Example:[/bold]  keras-gans datasets
    """
    from rich.table import Table

    from keras_gans import datasets

    table = Table(title="Data sets", title_justify="left", caption_justify="left")
    table.caption = "Use one with: keras-gans train MODEL --dataset NAME"
    table.add_column("Name", style="bold", no_wrap=True)
    table.add_column("Examples", justify="right")
    table.add_column("Shape", no_wrap=True)
    table.add_column("Classes", justify="right")
    table.add_column("Licence")
    for name in datasets.names():
        info = datasets.info(name)
        table.add_row(
            name,
            f"{info.num_examples:,}",
            " × ".join(map(str, info.shape)),
            str(info.num_classes or "–"),
            str(info.license or "–"),
        )
    console().print(table)


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
            "The second data set, for models that translate between two, as CycleGAN does.",
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
    steps: Annotated[
        int | None,
        _option("--steps", "N", "Training steps: generator updates.", "the model's", min=1),
    ] = None,
    batch_size: Annotated[
        int | None, _option("--batch-size", "N", "Examples a minibatch.", "the model's", min=1)
    ] = None,
    image_size: Annotated[
        int | None,
        _option("--image-size", "N", "Resize pictures to N × N pixels.", "the data's size", min=1),
    ] = None,
    channels: Annotated[
        int | None,
        _option("--channels", "N", "1 for grey, 3 for colour.", "the data's", min=1, max=4),
    ] = None,
    latent_dim: Annotated[
        int | None,
        _option("--latent-dim", "N", "Length of the latent vectors.", "the model's", min=1),
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
    debug: Debug = False,
):
    """Train MODEL with its paper's settings, into a run directory.

    Ctrl-C ends the training early and saves what there is. The same command again goes on where
    the run was ended, also if it was killed, and ends as if it had not been. The run directory gets

    settings.json   all settings, and the versions used
    samples/        grids of the same latents, and samples.gif
    losses.png      the losses by step; the numbers are in losses.csv
    tensorboard/    for: tensorboard --logdir DIR/tensorboard
    model.keras     everything, for keras.models.load_model
    savedmodel/     the generator alone, for TF Serving
    grid.png        samples of the trained model
    checkpoints/    where an unfinished run goes on

    [bold]Examples:[/bold]

    keras-gans train DCGAN
    keras-gans train GAN --dataset ring --steps 2000 --fresh
    keras-gans train wgan-gp --dataset photos/ --image-size 64 --out runs/a
    keras-gans train cyclegan --dataset horses/ --dataset-b zebras/ --image-size 128
    """
    from keras_gans import cli_train, registry, runs

    entry = registry.find(model)
    settings = {
        "model": entry.name,
        "dataset": dataset or entry.dataset,
        "dataset_b": dataset_b,
        "data_dir": None if data_dir is None else str(data_dir),
        "on_unreadable": "skip" if skip_unreadable else "error",
        "steps": steps or entry.steps,
        "batch_size": batch_size or entry.batch_size,
        "image_size": image_size,
        "channels": channels,
        "latent_dim": latent_dim,
        "ema_decay": ema_decay,
        "seed": seed,
        "deterministic": deterministic,
        "precision": precision,
    }
    settings["sample_every"] = sample_every or max(1, settings["steps"] // 10)
    if ema_decay is not None and not 0 < ema_decay < 1:
        raise ValueError(f"--ema-decay must be above 0 and below 1. Received: {ema_decay}.")
    run = out or Path("runs") / f"{entry.name}-{_file_name(settings['dataset'])}"
    runs.check_directory(run, fresh)

    import keras
    import tensorflow as tf

    from keras_gans.precision import check_precision
    from keras_gans.replicas import make_strategy

    check_precision(precision)
    devices = make_strategy(strategy)
    keras.utils.set_random_seed(seed)
    if deterministic:
        tf.config.experimental.enable_op_determinism()
    if isinstance(entry, registry.GrowingEntry):
        stages = (entry, settings, batch_size, run, fresh, save_every, devices)
        if not cli_train.train_stages(*stages):
            raise typer.Exit(130)
        return
    data = cli_train.load_data(entry, settings)
    gan = cli_train.build(entry, data.info, settings, devices)
    cli_train.announce(entry, data.info, settings, gan)
    settings |= {"title": entry.title, "arxiv": entry.arxiv}
    steps, sample_every = settings["steps"], settings["sample_every"]
    if not runs.train(gan, data, run, steps, sample_every, fresh, settings, save_every=save_every):
        raise typer.Exit(130)


@app.command()
@_expects_errors
def generate(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="RUN_OR_MODEL",
            help="A run directory of `keras-gans train`, a .keras file, or a SavedModel directory.",
        ),
    ],
    num: Annotated[
        int | None,
        _option("--num", "N", "Samples to make.", "about 64 pictures, or 1000 points", min=1),
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
            "Classes to make in turn, by number or name, for label-conditional models.",
            "all classes",
        ),
    ] = None,
    columns: Annotated[
        int | None,
        _option("--columns", "N", "Pictures in a row.", "one for each class, or a square", min=1),
    ] = None,
    out: Annotated[
        Path, typer.Option(metavar="FILE", help="PNG file to write or to replace.")
    ] = Path("grid.png"),
    debug: Debug = False,
):
    """Make samples with a trained model, and write them as one picture.

    [bold]Examples:[/bold]

    keras-gans generate runs/DCGAN-fashion_mnist_10k --num 100 --columns 10
    keras-gans generate runs/cgan/model.keras --labels 0,3 --out two_classes.png
    """
    if out.suffix.lower() != ".png":
        raise ValueError(f"--out must end in '.png'. Received: '{out}'.")
    from keras_gans.callbacks._support import class_columns, full_rows
    from keras_gans.images import render, save_png
    from keras_gans.sampling import open_sampler, parse_labels

    sampler = open_sampler(source)
    if num is None:
        num = full_rows(64, sampler.num_classes) if sampler.pictures else 1000
    classes = parse_labels(labels, sampler, source)
    if classes is None:
        columns = columns or class_columns(num, sampler.num_classes)
        samples = sampler.generate(num, seed, None)
    else:
        columns = columns or (len(classes) if 1 < len(classes) <= num else None)
        samples = sampler.generate(num, seed, [classes[i % len(classes)] for i in range(num)])
    picture = render(samples, columns, limit=sampler.card.get("plot_limit"))
    save_png(out, picture)
    height, width = picture.shape[:2]
    kind = "pictures" if sampler.pictures else "points"
    typer.echo(f"Wrote {out}: {num:,} {kind}, {width} × {height} pixels, seed {seed}.")


app.command()(_expects_errors(evaluate))


@app.command()
@_expects_errors
def export(
    run: Annotated[
        str,
        typer.Argument(
            metavar="RUN",
            help="A run directory of `keras-gans train`, a .keras file, or the name of a trained "
            "model of the project.",
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
            "Of the TFLite and ONNX files of a model that translates both ways: a_to_b or b_to_a.",
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
    debug: Debug = False,
):
    """Export a trained model for production, each file checked against the model.

    savedmodel   for TF Serving: pictures by seed, as uint8 and PNG, with a card
    tflite       for phones and browsers: one picture a call
    onnx         for other runtimes; needs keras-gans[onnx]

    [bold]Examples:[/bold]

    keras-gans export runs/DCGAN-fashion_mnist_10k --to savedmodel,tflite
    keras-gans export runs/cgan --to tflite --quantization int8
    keras-gans export runs/cgan --model-version 2 --out served/cgan
    """
    from keras_gans.export import export_run

    forms = [form.strip() for form in to.split(",")]
    export_run(run, forms, out, version, quantization, direction, data_license, pictures)


# Small things


def _file_name(dataset):
    """The data set's name, or the last part of a folder's, as part of a file name."""
    name = Path(dataset).resolve().name if os.path.isdir(dataset) else dataset
    return "".join(c if c.isalnum() or c in "-_." else "_" for c in name)
