"""Directories that appear at once or not at all."""

import contextlib
import os
import re
import secrets
import shutil
from pathlib import Path


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
    import tensorflow as tf

    path = Path(os.path.abspath(path))
    made = [parent for parent in path.parents if not parent.exists()]
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Not mkdtemp, which makes directories that only their owner can read.
        unused = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        unused.mkdir()
        temporary = unused
        yield temporary
        temporary.rename(path)
    except tf.errors.OpError as error:
        reason = re.sub(r"\{\{.*?\}\}|\[Op:\w+\]", "", error.message).strip()
        raise OSError(f"'{path}' can't be written: {reason}") from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)
        for parent in made:
            with contextlib.suppress(OSError):  # it is not empty, or was never made
                parent.rmdir()
