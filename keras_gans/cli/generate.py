"""What `keras-gans generate` does: samples of a trained model as one picture."""

import typer

from keras_gans.callbacks._support import class_columns, full_rows
from keras_gans.images import save_png
from keras_gans.runs.sampling import open_sampler, parse_labels
from keras_gans.training.kinds import render


def generate(source, num, seed, labels, columns, out):
    """Writes the picture and says so; see `keras-gans generate --help` for the arguments."""
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
