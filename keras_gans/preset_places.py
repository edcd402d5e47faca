"""Where presets are, and which of them a name means; all of it without TensorFlow.

A preset is a directory of a place, in one of two forms (`keras_gans.training.preset_files` reads
both). That of `presets.save` and of the project's `savedmodels/`:

1/          the SavedModel of the model's ports, with its card
training/   what the SavedModel lacks to go on training: the model's settings, and other weights

And that of the installed package, which `tools/package_presets.py` makes of it:

card.json   the card
training/   the model's settings, and all weights
"""

import difflib
import hashlib
import os
from pathlib import Path

from keras_gans.files import CARD, cache_directory, newest_version, read_json

VARIABLE = "KERAS_GANS_PRESETS"
CHECKOUT = Path(__file__).resolve().parents[1] / "savedmodels"
SHIPPED = Path(__file__).resolve().parent / "shipped_presets"
INDEX = "index.json"  # of the shipped ones: {name: {file: SHA-256}}, of all of the project's
CONFIG = os.path.join("training", "config.json")
WEIGHTS = os.path.join("training", "weights.npz")  # of the second form


def downloads():
    """Where downloaded presets are: `~/.cache/keras_gans/presets`, or where XDG_CACHE_HOME says."""
    return cache_directory() / "presets"


def places(directory=None):
    """The directories of presets, in the order in which a name is looked for.

    Args:
        directory: the only one, or `None` for those that the environment variable
            `KERAS_GANS_PRESETS` names (several with `os.pathsep` between), the checkout's
            `savedmodels`, the package's own, and `downloads()`.

    Returns:
        List of paths.
    """
    if directory is not None:
        return [Path(directory)]
    chosen = [Path(p).expanduser() for p in os.environ.get(VARIABLE, "").split(os.pathsep) if p]
    return [*chosen, *(p for p in (CHECKOUT, SHIPPED) if p.is_dir()), downloads()]


def names(directory=None):
    """The presets that are there, a sorted list of str.

    Args:
        directory: the only directory that is looked into; see `places`.

    Example:

    >>> "cgan_fashion_mnist" in keras_gans.presets.names()
    True
    """
    configs = [config for place in places(directory) for config in place.glob(f"*/{CONFIG}")]
    found = {config.parents[1].name for config in configs if is_preset(config.parents[1])}
    return sorted(name for name in found if name[0] != ".")  # those are being written


def known():
    """`{name: {file: SHA-256}}` of the project's presets, as the installed package knows them."""
    return read_json(SHIPPED / INDEX)


def is_preset(path):
    """Whether a directory is a preset."""
    path = Path(path)
    return (path / CONFIG).is_file() and ((path / WEIGHTS).is_file() or bool(newest_version(path)))


def find(name, directory=None):
    """The directory of a preset.

    Args:
        name: str or path-like: the path of a directory that `presets.save` wrote, which goes first,
            or the name of a preset.
        directory: the only directory in which a name or a relative path is looked for; see
            `places`.

    Returns:
        Path.

    Raises:
        ValueError: there is no such preset, or a downloaded one is not the project's.

    Example:

    >>> card = keras_gans.presets.find("cgan_fashion_mnist") / "card.json"
    """
    if directory is None and is_preset(name):
        return Path(name)
    looked = places(directory)
    for place in looked:
        if is_preset(place / name):
            if directory is None and place == downloads():
                check_files(
                    place / name,
                    known().get(str(name), {}),
                    f"'{place / name}' (remove it to download it again, or give its directory as "
                    f"`directory` or {VARIABLE} if it is another one)",
                )
            return place / name
    raise ValueError(_says_where(str(name), directory, looked))


def check_files(path, expected, what):
    """Raises ValueError where a downloaded preset's files are not as expected.

    Args:
        path: of the preset.
        expected: `{file: SHA-256}`.
        what: what errors call it.
    """
    for file, digest in expected.items():
        found = "no such file"
        if (path / file).is_file():
            found = hashlib.sha256((path / file).read_bytes()).hexdigest()
        if found != digest:
            raise ValueError(
                f"{what} must be the project's preset, whose file '{file}' has the SHA-256 "
                f"{digest}. Received: {found}"
            )


def card(name, directory=None):
    """The card of a preset, a dict; see `keras_gans.export.savedmodel`.

    Args:
        name, directory: see `find`.

    Raises:
        ValueError: there is no such preset.

    Example:

    >>> keras_gans.presets.card("cgan_fashion_mnist")["dataset"]
    'fashion_mnist_10k'
    """
    path = find(name, directory)
    return read_json((path if (path / WEIGHTS).is_file() else newest_version(path)) / CARD)


def _says_where(name, directory, looked):
    there = ", ".join(names(directory)) or "(none)"
    where = ", ".join(f"'{place}'" + ("" if place.is_dir() else " (not there)") for place in looked)
    path = "the path" if directory is None else "the absolute path"
    return (
        f"`name` must be one of the presets {there}, looked for in {where}; or {path} of a "
        "directory that `keras_gans.presets.save` wrote. "
        f"Received: '{name}'.{hint(name, directory)}"
    )


def hint(name, directory=None):
    """What to do about a name that is not found: a sentence with a space before it, or ''."""
    near = difflib.get_close_matches(name, names(directory), n=3, cutoff=0.7)
    if directory is None and name in known():
        return (
            " It is one of the project's that do not come with the package: give the project's "
            f"directory 'savedmodels' as `directory` or in the environment variable {VARIABLE}, or "
            f"`keras_gans.presets.download('{name}', ADDRESS)` it."
        )
    if near:
        return f" Did you mean {', '.join(near)}?"
    if directory is None:
        return f" More are looked for in `directory` or the environment variable {VARIABLE}."
    return ""
