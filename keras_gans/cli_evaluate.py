"""`keras-gans evaluate`: from a trained model and a data set to a table and a JSON file."""

import dataclasses
import json
import platform
import time
from importlib import metadata
from pathlib import Path
from typing import Annotated

import typer

from keras_gans.cli_parts import Debug, console, option

EXTRACTORS = "fashion, inception-2015:FILE or keras-inception[:FILE]"
VERSIONS = ("keras", "tensorflow", "numpy", "scipy")


def evaluate(
    source: Annotated[
        str,
        typer.Argument(
            metavar="RUN_OR_SAVEDMODEL",
            help="A run directory of `keras-gans train`, a .keras file, a SavedModel directory, or "
            "the name of a trained model of the project.",
        ),
    ],
    dataset: Annotated[
        str | None,
        option(
            "--dataset",
            "NAME",
            "The reals: a name in `keras-gans datasets`, a prepared TFDS set, or a folder of "
            "pictures.",
            "what the model was trained on",
        ),
    ] = None,
    dataset_b: Annotated[
        str | None,
        option("--dataset-b", "NAME", "The second set, for models that translate.", "the model's"),
    ] = None,
    split: Annotated[
        str | None,
        option(
            "--split",
            "NAME",
            "Split of a TFDS set; two with a comma between for models that translate.",
            "train, or trainA,trainB",
        ),
    ] = None,
    data_dir: Annotated[
        Path | None, option("--data-dir", "DIR", "Where prepared TFDS sets are.", "TFDS's own")
    ] = None,
    image_size: Annotated[
        int | None,
        option("--image-size", "N", "Resize reals to N × N pixels.", "the model's size", min=1),
    ] = None,
    direction: Annotated[
        str | None,
        option("--direction", "NAME", "Of models that translate: a_to_b or b_to_a.", "the first"),
    ] = None,
    metrics: Annotated[
        str,
        typer.Option(
            metavar="A,B,...",
            help="Of pictures: fid, kid, prdc, is, swd, ms_ssim, ppl; of translations that have a "
            "true counterpart also psnr, ssim, l1; of points: modes.",
        ),
    ] = "fid,kid,prdc",
    num: Annotated[
        int | None,
        option("--num", "N", "Samples to make.", "10,000, or as many as reals if fewer", min=1),
    ] = None,
    reals: Annotated[
        int | None, option("--reals", "N", "Reals, the first of the set.", "as --num", min=1)
    ] = None,
    extractor: Annotated[
        str | None,
        option(
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
    out: Annotated[Path | None, option("--out", "FILE", "JSON file to write.", "none")] = None,
    cache: Annotated[
        Path | None,
        option(
            "--cache", "DIR", "Where features of reals are kept.", "~/.cache/keras_gans/metrics"
        ),
    ] = None,
    no_cache: Annotated[
        bool, typer.Option("--no-cache", help="Keep no features of reals, and use none.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the JSON alone in place of the table.")
    ] = False,
    debug: Debug = False,
):
    """Measure a trained model against data; each number comes with its protocol.

    Only numbers of one protocol can be compared: extractor, reals and number of samples are part of
    it. What was computed of the reals is kept for the next time.

    [bold]Examples:[/bold]

    keras-gans evaluate runs/DCGAN-fashion_mnist_10k
    keras-gans evaluate runs/ring --metrics modes --num 2500
    keras-gans evaluate photos_gan --dataset photos/ --extractor inception-2015:FILE --num 5000
    """
    if out is not None and out.suffix.lower() != ".json":
        raise ValueError(f"--out must end in '.json'. Received: '{out}'.")
    if no_cache and cache is not None:
        raise ValueError(f"--cache must not be given with --no-cache. Received: '{cache}'.")
    from keras_gans.cli_inputs import check_pairs, load_reals, open_extractor, open_model
    from keras_gans.files import write_json
    from keras_gans.metrics import Evaluation, RealsCache
    from keras_gans.metrics._by_name import OF_FEATURES, check_metrics, check_numbers
    from keras_gans.metrics._examples import Examples
    from keras_gans.metrics._progress import progress_bar

    names = [name.strip() for name in metrics.split(",")]
    opened = open_model(source, direction)
    sets, real_set, source_set = load_reals(opened, dataset, dataset_b, split, data_dir, image_size)
    # Errors of words and numbers come before an extractor is read from the disk.
    both = [x and Examples("reals", x) for x in (real_set, source_set)]
    check_metrics(names, *both)
    check_pairs(names, sets)
    if num is not None:
        check_numbers(names, num, reals or num, *both)
    of_features = any(name in OF_FEATURES for name in names)
    evaluation = Evaluation(
        real_set,
        names,
        num,
        num_reals=reals,
        batch_size=batch_size,
        seed=seed,
        extractor=open_extractor(extractor, real_set.info.name) if of_features else None,
        sources=source_set,
        cache=None if no_cache else RealsCache(cache),
    )
    with progress_bar(not as_json) as track:
        measurements = evaluation.measure(opened.model, track)
    content = {
        "model": source,
        "dataset": " and ".join(sets),
        "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "versions": versions(),
        "reals_from_cache": evaluation.from_cache,
        "measurements": [measurement.to_dict() for measurement in measurements],
    }
    if out is not None:
        write_json(out, content)
    if as_json:
        typer.echo(json.dumps(content, indent=2, ensure_ascii=False))
        return
    print_table(f"{source} on {content['dataset']}", measurements)
    if evaluation.cache is not None and of_features:
        kept = f"from the cache for {', '.join(evaluation.from_cache)}"
        what = kept if evaluation.from_cache else "computed, and now in the cache"
        typer.echo(f"Features of the reals: {what} ({evaluation.cache.directory}).")
    trained_on, num_reals = opened.card.get("num_examples"), evaluation.reals.num
    if dataset is None and trained_on not in (None, num_reals):
        typer.echo(f"It was trained on {trained_on:,} examples; this set has {num_reals:,}.")
    if out is not None:
        typer.echo(f"Wrote {out}.")


def versions():
    """What the numbers were computed with."""
    import keras_gans

    return {
        "keras_gans": keras_gans.__version__,
        "python": platform.python_version(),
        **{name: metadata.version(name) for name in VERSIONS},
    }


def print_table(title, measurements):
    """A row for each value, and the protocol under it."""
    from rich.table import Table

    table = Table()
    table.add_column("Metric", style="bold", no_wrap=True)
    table.add_column("Value", justify="right", no_wrap=True)
    table.add_column("Better is", no_wrap=True)
    for measurement in measurements:
        for name, value in measurement.values.items():
            first = name == next(iter(measurement.values))
            better = ("lower" if measurement.lower_is_better else "higher") if first else ""
            table.add_row(name, format_number(value), better)
    to = console()
    to.print(title, highlight=False, markup=False)
    to.print(table)
    for line in protocol_lines(measurements):
        to.print(line, highlight=False, markup=False)


def protocol_lines(measurements):
    """What several measurements have alike, in one line; and a line for what each has alone."""
    protocols = {m.metric: dict(m.protocol) for m in measurements}
    for protocol in protocols.values():
        if not protocol["reals"]:  # of a path length, which has none
            del protocol["reals"], protocol["reals_hash"]
    shared = {}
    for name in dict.fromkeys(name for protocol in protocols.values() for name in protocol):
        found = [protocol[name] for protocol in protocols.values() if name in protocol]
        if found == [found[0]] * max(len(found), min(2, len(protocols))):
            shared[name] = found[0]
    yield f"Protocol: {in_words(measurements[0], shared)}"
    for measurement in measurements:
        own = {n: v for n, v in protocols[measurement.metric].items() if n not in shared}
        if own:
            yield f"  {measurement.metric}: {in_words(measurement, own)}"


def in_words(measurement, protocol):
    """A part of a measurement's protocol."""
    return ", ".join(dataclasses.replace(measurement, protocol=protocol).protocol_words())


def format_number(value):
    """At most four digits that count; whole numbers as such."""
    return f"{int(value):,}" if float(value).is_integer() else f"{value:.4g}"
