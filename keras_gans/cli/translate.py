"""What `keras-gans translate` does: from pictures to pictures, a file for each."""

from collections import Counter

import numpy as np
import typer

from keras_gans.cli.inputs import check_translates
from keras_gans.datasets.folder import decode_to
from keras_gans.images import save_png
from keras_gans.metrics._progress import progress_bar
from keras_gans.runs.sampling import open_sampler, pictures_in

AT_ONCE = 8


def translate(source, pictures, out, direction, fresh):
    """Writes the pictures and says so; see `keras-gans translate --help` for the arguments."""
    files = targets(pictures, out)
    if out.exists() and not out.is_dir():
        raise ValueError(f"--out must be a folder. Received: '{out}', which is a file.")
    there = [path for path in files.values() if path.exists()]
    if there and not fresh:
        raise ValueError(
            f"--out must not hold files of the pictures' names, or give --fresh to replace them. "
            f"Received: '{out}', which has '{there[0].relative_to(out)}'."
        )
    sampler = open_sampler(source)
    direction = direction or sampler.name
    if direction not in sampler.ports:
        known = ", ".join(sampler.ports)
        raise ValueError(f"--direction must be one of {known}. Received: '{direction}'.")
    port = sampler.ports[direction]
    check_translates(port, f"{direction!r} of '{source}'")
    if not (port.inputs[0].pictured and port.output.pictured):
        raise ValueError(
            f"RUN_OR_MODEL must make pictures out of pictures. Received: {direction!r} of "
            f"'{source}', which makes {port.output.noun} out of {port.takes}"
        )
    size, batches = None, same_size(files, port.inputs[0].shape, sampler.card.get("value_range"))
    with progress_bar(True) as track:
        for some in track(batches, "Translating", -(-len(files) // AT_ONCE)):
            made = sampler.ask(direction, np.stack([picture for picture, _ in some]))
            for picture, (_, path) in zip(made, some, strict=True):
                size = "{1} × {0}".format(*picture.shape)
                save_png(path, picture)
    num = f"{len(files):,} pictures" if len(files) > 1 else "1 picture"
    typer.echo(f"Wrote {num} to {out} ({direction}, {size} pixels).")


def targets(pictures, out):
    """`{picture: file to write}`; pictures of one name but for the suffix keep that in it."""
    if not pictures.exists():
        raise FileNotFoundError(f"PICTURES must be a file or a folder. Received: '{pictures}'.")
    root = pictures if pictures.is_dir() else pictures.parent
    found = pictures_in(pictures) if pictures.is_dir() else [pictures]
    if not found:
        raise ValueError(f"PICTURES must hold a picture. Received: '{pictures}', without one.")
    stems = Counter(path.with_suffix("") for path in found)
    return {
        path: (out / path.relative_to(root)).with_suffix(".png")
        if stems[path.with_suffix("")] == 1
        else out / f"{path.relative_to(root)}.png"
        for path in found
    }


def same_size(files, shape, value_range):
    """Lists of pairs (uint8 picture, file to write), of pictures of one size, some at a time."""
    height, width, channels = shape
    size = None if height is None or width is None else (height, width)
    some = []
    for file, path in files.items():
        picture = decode_to(file, size, channels, value_range)
        if some and (len(some) == AT_ONCE or picture.shape != some[0][0].shape):
            yield some
            some = []
        some.append((picture, path))
    yield some
