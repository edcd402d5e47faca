"""What `keras-gans evaluate` does: from a model and a data set to a table and a JSON file."""

import dataclasses
import json
import math
import re
import time

import typer
from rich.table import Table

from keras_gans.cli.inputs import (
    as_trained,
    check_pairs,
    check_sets_of_port,
    load_like,
    load_reals,
    open_extractor,
    open_models,
    split_of,
)
from keras_gans.cli.parts import console
from keras_gans.files import write_json
from keras_gans.metrics import Evaluation, RealsCache
from keras_gans.metrics._by_name import OF_FEATURES, check_metrics, check_numbers
from keras_gans.metrics._examples import Examples
from keras_gans.metrics._progress import progress_bar
from keras_gans.metrics.measurement import Measurement
from keras_gans.training.base import AdversarialModel
from keras_gans.training.kinds import samples
from keras_gans.versions import versions

ACCURACY = "accuracy"
TRAINED_ON = "of examples that the model was trained on; --split names others, such as test"


def evaluate(
    source,
    metrics,
    dataset,
    dataset_b,
    split,
    data_dir,
    value_range,
    skip_unreadable,
    image_size,
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
):
    """Measures, prints and writes; see `keras-gans evaluate --help` for the arguments."""
    names = [name.strip() for name in metrics.split(",")]
    options = (image_size, value_range, "skip" if skip_unreadable else None)
    prepared = []
    for opened in open_models(source, direction):
        check_sets_of_port(opened, direction, dataset, dataset_b)
        given = (dataset, dataset_b, split, data_dir, *options)
        sets, real_set, source_set = load_reals(opened, *given)
        measured, others = [], [name for name in names if name != ACCURACY]
        if ACCURACY in names:
            given = {"data_dir": data_dir, "value_range": value_range, "on_unreadable": options[-1]}
            of_set = split_of(opened, split, dataset)
            measured = [accuracy(opened, sets[0], of_set, image_size, given)]
        # Errors of words and numbers come before an extractor is read from the disk.
        both = [x and Examples("reals", x) for x in (real_set, source_set)]
        if others or not measured:
            check_metrics(others, *both)
        check_pairs(others, sets)
        if num is not None:
            check_numbers(others, num, reals or num, *both)
        of_features = any(name in OF_FEATURES for name in others)
        evaluation = others and Evaluation(
            real_set,
            others,
            num,
            num_reals=reals,
            batch_size=batch_size,
            seed=seed,
            extractor=open_extractor(extractor, real_set.info.name) if of_features else None,
            sources=source_set,
            port=opened.port if isinstance(opened.model, AdversarialModel) else None,
            cache=None if no_cache else RealsCache(cache),
        )
        prepared.append((opened, sets, measured, evaluation))
    for opened, _, measured, evaluation in prepared:
        if evaluation:
            with progress_bar(not as_json) as track:
                measured += evaluation.measure(opened.model, track)
    content = {
        "model": source,
        "dataset": " and ".join(name for _, sets, *_ in prepared for name in sets),
        "date": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "versions": versions("scipy"),
        **({"reals_from_cache": from_cache(prepared)} if evaluation else {}),
        "measurements": [
            {**measurement.to_dict(), **({"port": opened.port} if opened.port else {})}
            for opened, _, measured, _ in prepared
            for measurement in measured
        ],
    }
    if out is not None:
        write_json(out, content)
    if as_json:
        typer.echo(json.dumps(content, indent=2, ensure_ascii=False))
        return
    for opened, sets, measured, evaluation in prepared:
        what = f"{opened.port} of {source}" if opened.port else source
        print_table(f"{what} on {' and '.join(sets)}", measured)
        if evaluation:
            say_what_reals(opened, evaluation, of_features, own=dataset is None)
    if out is not None:
        typer.echo(f"Wrote {out}.")


def from_cache(prepared):
    """The features of reals that came from the cache; of several ports those that did for each."""
    first, *others = (evaluation.from_cache for *_, evaluation in prepared)
    return [name for name in first if all(name in other for other in others)]


def say_what_reals(opened, evaluation, of_features, own):
    """Says where features of reals came from, and if the reals are not those of the training."""
    if evaluation.cache is not None and of_features:
        kept = f"from the cache for {', '.join(evaluation.from_cache)}"
        said = kept if evaluation.from_cache else "computed, and now in the cache"
        typer.echo(f"Features of the reals: {said} ({evaluation.cache.directory}).")
    trained_on, num_reals = opened.card.get("num_examples"), evaluation.reals.num
    if own and trained_on not in (None, num_reals):
        typer.echo(f"It was trained on {trained_on:,} examples; this set has {num_reals:,}.")


def accuracy(opened, name, split, image_size, given):
    """The share of a labelled set that a model puts into its own class: a `Measurement`.

    Raises:
        ValueError: the model has learned no classes, the set has none, or another number of them.
    """
    if opened.classify is None:
        raise ValueError(
            f"--metrics must have {ACCURACY} only for models that learn the classes of data, as "
            f"SSGAN does. Received: a {opened.card.get('model', 'model')}."
        )
    options = as_trained(opened.card, name, given)
    dataset, right, num = load_like(name, split, opened.shape, image_size, True, options), 0, 0
    if dataset.info.num_classes != opened.num_classes:
        raise ValueError(
            f"--dataset must have the {opened.num_classes} classes that the model has learned, for "
            f"{ACCURACY}. Received: '{name}', with {dataset.info.num_classes}."
        )
    for pictures, labels in dataset:
        kind = samples("samples", pictures.shape[1:])
        right += int((opened.classify(kind.to_border(pictures)) == labels.numpy()).sum())
        num += len(labels)
    protocol = {"reals": num, "split": split}
    caution = TRAINED_ON if trained_on(opened, name, split) else ""
    values = {ACCURACY: right / num, "error": 1 - right / num}
    return Measurement(ACCURACY, values, protocol, False, caution)


def trained_on(opened, name, split):
    """Whether a split may have examples that the model was trained on, as far as names say."""
    own, asked = (
        [part_of(text) for text in (given or "train").split("+")]
        for given in (opened.card.get("split"), split)
    )
    overlap = (overlapping(a, b) for a in own for b in asked)
    return name == opened.card.get("dataset") and any(overlap)


def part_of(text):
    """A split in TFDS's words: its name, where the part begins and ends, and in what unit."""
    found = re.fullmatch(r"\s*(\w+)(?:\[(\d*)(%?):(\d*)(%?)\])?\s*", text)
    if not found:
        return text.split("[")[0].strip(), 0, math.inf, None
    name, begin, percent, end, of_end = found.groups()
    unit = (percent or of_end or "") if begin or end else None
    return name, int(begin or 0), int(end) if end else math.inf, unit


def overlapping(a, b):
    """Whether two parts have an example in common, or may have, where one is of other units."""
    (name_a, begin_a, end_a, unit_a), (name_b, begin_b, end_b, unit_b) = a, b
    apart = unit_a == unit_b and (end_a <= begin_b or end_b <= begin_a)
    return name_a == name_b and not apart


def print_table(title, measurements):
    """A row for each value, and the protocol under it."""
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
    cautions = (f"Caution: {m.caution}" for m in measurements if m.caution)
    for line in (*protocol_lines(measurements), *cautions):
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
