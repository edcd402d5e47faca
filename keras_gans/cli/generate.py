"""What `keras-gans generate` does: samples of a trained model as one picture."""

import numpy as np
import typer

from keras_gans.callbacks._support import class_columns, count_of
from keras_gans.catalogue import class_in_words
from keras_gans.images import save_animation, save_png
from keras_gans.runs.sampling import open_sampler, parse_labels, read_given, sample, sample_between
from keras_gans.training.kinds import beside, render
from keras_gans.training.ports import asked_together


def generate(source, num, seed, labels, options, columns, out, value_range=None):
    """Writes the picture and says so; see `keras-gans generate --help` for the arguments."""
    sampler = open_sampler(source)
    port = sampler.port
    given = read_given(sampler, source, options, value_range)
    classes = parse_labels(labels, sampler, source)
    most = max(map(len, given.values()), default=0)
    together = asked_together(sampler.ports)
    if num is None:
        num = count_of(port.output, most or sampler.num_classes) if port.takes_latents else most
        num = max(1, num // len(together))
    if columns is None and port.takes_latents:
        chosen = most or len(classes or ())
        columns = chosen if 1 < chosen <= num else None
        if not chosen:
            columns = class_columns(num, sampler.num_classes)
    elif columns is None:
        columns = num
    rows, made = sample(sampler, num, seed, classes, **given)
    several = isinstance(made, tuple)
    shown, columns = beside(made, columns) if several else (port.show(rows, made), columns)
    picture = render(shown, columns, limit=sampler.card.get("plot_limit"))
    save_png(out, picture)
    height, width = picture.shape[:2]
    of_seed = f", seed {seed}" if port.takes_latents else ""
    noun = in_words(together)
    typer.echo(f"Wrote {out}: {num:,} {noun}, {width} × {height} pixels{of_seed}.")
    if classes is not None and not isinstance(classes[0], np.ndarray | list | tuple):
        taken = (class_in_words(label, sampler.class_names) for label in dict.fromkeys(classes))
        typer.echo(f"Classes: {', '.join(taken)}.")


def in_words(ports):
    """What ports make that are asked together: "pictures", "pictures of a and as many of b"."""
    first, *others = ports
    noun = ports[first].output.noun
    return " and as many of ".join([f"{noun} of {first}", *others]) if others else noun


STEPS, FRAME_MS = 30, 80  # of an animation between two samples


def interpolate(source, num, seeds, labels, options, out, value_range=None):
    """Writes the animation between two samples; see `keras-gans generate --help`."""
    sampler = open_sampler(source)
    given = read_given(sampler, source, options, value_range)
    classes = parse_labels(labels, sampler, source)
    made = sample_between(sampler, *seeds, num or STEPS, classes, **given)
    if isinstance(made, tuple):
        frames = [render(*beside([row[None] for row in rows])) for rows in zip(*made, strict=True)]
    else:
        limit = sampler.card.get("plot_limit") or (
            None if sampler.port.output.pictured else float(np.abs(made).max())
        )
        frames = [render(row[None], limit=limit) for row in made]
    save_animation(out, frames, FRAME_MS)
    height, width = frames[0].shape[:2]
    start, end = seeds
    typer.echo(
        f"Wrote {out}: {len(frames):,} {in_words(asked_together(sampler.ports))} from seed {start} "
        f"to seed {end}, {width} × {height} pixels."
    )
