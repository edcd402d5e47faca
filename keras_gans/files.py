"""Files and directories that appear at once or not at all, on whatever disk and however it ends."""

import contextlib
import json
import os
import re
import secrets
import shutil
import sys
import tempfile
from pathlib import Path

# In each version of a SavedModel: what is known of the model, as JSON and to read.
CARD = "card.json"
PAGE = "README.md"


@contextlib.contextmanager
def replacing(path, suffix=None):
    """Gives the name of a temporary file beside `path`, which takes that name if all went well.

    Args:
        path: str or path-like, the file to write. Missing directories are made.
        suffix: str, the ending that `path` must have; the temporary file has it too. Default: the
            one that `path` has.

    Raises:
        ValueError: if `path` ends differently.
        IsADirectoryError: if `path` is a directory.

    Example:

    ```python
    with replacing("model.keras") as temporary:
        gan.save(temporary)
    ```
    """
    path = os.fspath(path)
    ending = os.path.splitext(path)[1]
    if suffix is not None and ending.lower() != suffix:
        raise ValueError(f"`path` must end in {suffix!r}. Received: {path!r}")
    if os.path.isdir(path):
        raise IsADirectoryError(f"`path` must be a file. Received: the directory {path!r}")
    directory, name = os.path.split(os.path.abspath(path))
    os.makedirs(directory, exist_ok=True)
    handle, temporary = tempfile.mkstemp(
        prefix=f".{name}.unfinished-", suffix=ending, dir=directory
    )
    os.close(handle)
    try:
        yield temporary
        # mkstemp makes files that only their owner can read; give them the usual mode instead.
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except OSError as error:
        error.filename = error.filename or path  # a write to an open file does not know its name
        raise
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.remove(temporary)


@contextlib.contextmanager
def new_directory(path):
    """Gives a temporary directory beside `path`, which takes that name if all went well.

    TF Serving looks for new versions all the time and would load half of one. After an error
    nothing is left, not even the parent directories that were made for it.

    Args:
        path: str or path-like that does not exist, or an empty directory.

    Raises:
        OSError: the directory can't be made or filled, also where TensorFlow says so in its own
            errors.
    """
    path = Path(os.path.abspath(path))
    made = [parent for parent in path.parents if not parent.exists()]
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Not mkdtemp, which makes directories that only their owner can read.
        unused = path.with_name(f".{path.name}.unfinished-{secrets.token_hex(4)}")
        unused.mkdir()
        temporary = unused
        yield temporary
        temporary.rename(path)
    except _tensorflow_errors() as error:
        reason = re.sub(r"\{\{.*?\}\}|\[Op:\w+\]", "", error.message).strip()
        raise OSError(f"'{path}' can't be written: {reason}") from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)
        for parent in made:
            with contextlib.suppress(OSError):  # it is not empty, or was never made
                parent.rmdir()


@contextlib.contextmanager
def filling(path):
    """Gives a temporary directory in `path`, whose files are moved up into it if all went well.

    After an error, or Ctrl-C, `path` is as it was.

    Args:
        path: str or path-like, a directory; it is made where it is missing. Files of the same names
            are replaced.

    Raises:
        OSError: the directory can't be made or filled.
    """
    path = Path(os.path.abspath(path))
    made = [folder for folder in (path, *path.parents) if not folder.exists()]
    temporary = path / f".{path.name}.unfinished-{secrets.token_hex(4)}"
    try:
        temporary.mkdir(parents=True)
        yield temporary
        written = sorted(temporary.rglob("*"))
        for folder in filter(Path.is_dir, written):
            (path / folder.relative_to(temporary)).mkdir(exist_ok=True)
        for file in filter(Path.is_file, written):
            file.replace(path / file.relative_to(temporary))
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        for folder in made:
            with contextlib.suppress(OSError):  # it is not empty, or was never made
                folder.rmdir()


def newest_version(directory):
    """The subdirectory of the highest version of a model, or `None` where there is none."""
    versions = [path for path in Path(directory).glob("[0-9]*") if is_version(path)]
    return max(versions, key=lambda path: int(path.name), default=None)


def is_version(path):
    """Whether a directory is a version of a SavedModel: named by a number."""
    return path.name.isdecimal() and (path / "saved_model.pb").is_file()


def cache_directory():
    """`~/.cache/keras_gans`, or where XDG_CACHE_HOME says."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(home) / "keras_gans"


def remove_unfinished(directory):
    """Removes what `replacing` and `new_directory` had begun there when the process was killed."""
    for name in os.listdir(directory) if os.path.isdir(directory) else ():
        if re.fullmatch(r"\..+\.unfinished-[a-z0-9_]{8}(\.\w+)?", name):
            path = os.path.join(directory, name)
            with contextlib.suppress(OSError):
                shutil.rmtree(path) if os.path.isdir(path) else os.remove(path)


def write_json(path, values):
    """Writes a JSON file at once or not at all."""
    with replacing(path, ".json") as temporary, open(temporary, "w", encoding="utf-8") as file:
        json.dump(values, file, indent=2, ensure_ascii=False)
        file.write("\n")


def read_json(path):
    """The values of the object in a JSON file, or none where it is missing.

    Raises:
        ValueError: it holds something else; the message names the file.
    """
    try:
        with open(path, encoding="utf-8") as file:
            values = json.load(file)
    except FileNotFoundError:
        return {}
    except ValueError as error:  # of JSON, or of UTF-8
        raise ValueError(f"'{path}' must be a JSON file. Received: {error}") from error
    if not isinstance(values, dict):
        kind = type(values).__name__
        raise ValueError(f"'{path}' must hold a JSON object. Received: a {kind}")
    return values


def _tensorflow_errors():
    """TensorFlow's own errors. Where it is not imported it has raised none, and need not be."""
    tensorflow = sys.modules.get("tensorflow")
    return tensorflow.errors.OpError if tensorflow else ()


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask
