"""What `keras-gans translate` does: from pictures to pictures, a file for each."""

import functools
from collections import Counter

import numpy as np
import typer

from keras_gans.cli.inputs import check_translates
from keras_gans.datasets.folder import (
    decode_to,
    warn_of_levels,
    warn_of_unreadable,
    what_is_left_out,
    what_was_found,
)
from keras_gans.families.super_resolution import OVERLAP, in_tiles
from keras_gans.files import filling
from keras_gans.images import save_png
from keras_gans.metrics._progress import progress_bar
from keras_gans.picture_files import Seen, UnreadableError, check_value_range, search
from keras_gans.runs.sampling import open_sampler

AT_ONCE = 8


def translate(source, pictures, out, direction, fresh, skip_unreadable, value_range, tile=None):
    """Writes the pictures and says so; see `keras-gans translate --help` for the arguments."""
    found = pictures_of(pictures)
    files = targets(pictures, found)
    if out.exists() and not out.is_dir():
        raise ValueError(f"--out must be a folder. Received: '{out}', which is a file.")
    there = [path for path in files.values() if (out / path).exists()]
    if there and not fresh:
        raise ValueError(
            f"--out must not hold files of the pictures' names, or give --fresh to replace them. "
            f"Received: '{out}', which has '{there[0]}'."
        )
    check_value_range(value_range)
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
    ask = in_parts(sampler, direction, port, tile)
    value_range = value_range or sampler.card.get("value_range")
    seen, broken = Seen(), [] if skip_unreadable else None
    batches = same_size(files, port.inputs[0].shape, value_range, seen, broken)
    size, num = None, 0
    with filling(out) as unfinished:
        with progress_bar(True) as track:
            for some in track(batches, "Translating", -(-len(files) // AT_ONCE)):
                made = ask(np.stack([picture for picture, _ in some]))
                for picture, (_, path) in zip(made, some, strict=True):
                    size = "{1} × {0}".format(*picture.shape)
                    save_png(unfinished / path, picture)
                num += len(some)
        warn_of_unreadable(pictures, broken, len(files))
        if value_range is None:
            warn_of_levels(pictures, seen)
    if found is not None:
        line = what_was_found(pictures, found, num, broken=broken or (), several=seen.several)
        typer.echo(line, err=True)
    noun = f"{num:,} pictures" if num > 1 else "1 picture"
    typer.echo(f"Wrote {noun} to {out} ({direction}, {size} pixels).")


def in_parts(sampler, direction, port, tile):
    """The function of uint8 pictures that translates them, in tiles where these are wanted."""
    ask = functools.partial(sampler.ask, direction)
    if tile is None:
        return ask
    if None not in port.inputs[0].shape[:2]:
        size = " × ".join(map(str, port.inputs[0].shape[:2]))
        raise ValueError(
            "--tile is for models that translate pictures of any size. "
            f"Received: {tile}, for one of {size}."
        )
    if tile <= 2 * OVERLAP:
        raise ValueError(f"--tile must be more than {2 * OVERLAP}. Received: {tile}.")
    return functools.partial(in_tiles, ask, tile=tile, overlap=OVERLAP)


def pictures_of(pictures):
    """What is in a folder, as `picture_files.Found`; None of a file."""
    if not pictures.exists():
        raise FileNotFoundError(f"PICTURES must be a file or a folder. Received: '{pictures}'.")
    if not pictures.is_dir():
        return None
    found = search(pictures)
    if not found.paths:
        why = f": {what_is_left_out(pictures, found.left_out)}" if found.left_out else ""
        raise ValueError(f"PICTURES must hold a picture. Received: '{pictures}', without one{why}.")
    return found


def targets(pictures, found):
    """`{picture: file to write}`; pictures of one name but for the suffix keep that in it."""
    root = pictures.parent if found is None else pictures
    paths = [pictures] if found is None else found.paths
    stems = Counter(path.with_suffix("") for path in paths)
    return {
        path: path.relative_to(root).with_suffix(".png")
        if stems[path.with_suffix("")] == 1
        else path.relative_to(root).with_name(f"{path.name}.png")
        for path in paths
    }


def same_size(files, shape, value_range, seen, broken):
    """Lists of pairs (uint8 picture, file to write), of pictures of one size, some at a time.

    Pictures that can't be read are errors, or go to the list `broken`, with their errors.
    """
    height, width, channels = shape
    size = None if height is None or width is None else (height, width)
    some = []
    for file, path in files.items():
        try:
            picture = decode_to(file, size, channels, value_range, seen)
        except UnreadableError as error:
            if broken is None:
                raise
            broken.append((file, error))
            continue
        if some and (len(some) == AT_ONCE or picture.shape != some[0][0].shape):
            yield some
            some = []
        some.append((picture, path))
    if some:
        yield some
