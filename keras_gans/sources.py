"""What the commands are given as a trained model: which files a name or a path means.

All of it without TensorFlow, so that the command line refuses what is none at once.
"""

import dataclasses
import os
from pathlib import Path

from keras_gans import preset_places
from keras_gans.files import newest_version, read_json
from keras_gans.run_settings import SETTINGS


@dataclasses.dataclass(frozen=True)
class Source:
    """A trained model on the disk.

    Attributes:
        form: "preset", "savedmodel", "run" or "keras".
        path: of the preset's directory, of one version of a SavedModel, or of a `.keras` file.
        beside: the directory that belongs to it, where exports go unless told otherwise; of presets
            by name one of that name in the working directory.
        facts: dict, the settings of the run or the card of the preset; else empty.
    """

    form: str
    path: Path
    beside: Path
    facts: dict = dataclasses.field(default_factory=dict)


def find(source, name="RUN_OR_MODEL"):
    """The trained model that a name or a path means; what is on the disk goes before names.

    Args:
        source: str or path-like: a run directory of `keras-gans train`, a `.keras` file, a
            SavedModel or a directory of its versions, a directory of `presets.save`, or the name of
            a preset.
        name: what errors call it.

    Returns:
        `Source`.

    Raises:
        FileNotFoundError: nothing is there, and no preset has that name.
        ValueError: what is there is none of these.

    Example:

    >>> sources.find("cgan_fashion_mnist").form
    'preset'
    """
    path, text = Path(source), os.fspath(source)
    wanted = (
        f"{name} must be a run directory of `keras-gans train`, a .keras file, a SavedModel "
        f"directory or a preset ({', '.join(preset_places.names())}). Received: '{text}'"
    )
    if preset_places.is_preset(path):
        return Source("preset", path, path, preset_places.card(path))
    if path.is_file():
        if path.suffix != ".keras":
            raise ValueError(f"{wanted}, a file that does not end in '.keras'.")
        return Source("keras", path, path.parent)
    if (path / "saved_model.pb").is_file():
        return Source("savedmodel", path, path)
    if newest_version(path):
        return Source("savedmodel", newest_version(path), path)
    if (path / "model.keras").is_file():
        return Source("run", path / "model.keras", path, read_json(path / SETTINGS))
    if text in preset_places.names():
        return Source("preset", preset_places.find(text), path, preset_places.card(text))
    if (path / SETTINGS).is_file():
        raise ValueError(f"{wanted}, a run that has no model.keras yet.")
    if path.exists():
        raise ValueError(f"{wanted}, a directory with neither model.keras nor saved_model.pb.")
    hint = preset_places.hint(text)
    raise FileNotFoundError(f"{wanted}, which does not exist.{hint}")
