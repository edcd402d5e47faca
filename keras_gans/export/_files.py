"""What TFLite and ONNX files share: they are run and held against Keras before they are written."""

import dataclasses
import errno
import os
import tempfile
from pathlib import Path

import numpy as np
from keras import ops

from keras_gans.checks import check_path
from keras_gans.files import replacing

NUM = 16
SEED = 2**31 - 1


@dataclasses.dataclass(frozen=True)
class Exported:
    """A file of a model, and how far its samples are from those of Keras.

    Attributes:
        path: `pathlib.Path` of the file.
        bytes: its size.
        max_error, mean_error: largest and mean absolute difference over all numbers of the
            samples that were compared, 16 unless there were fewer pictures.
        quantization: of a TFLite file, as it was asked for; else `None`.
    """

    path: Path
    bytes: int
    max_error: float
    mean_error: float
    quantization: str | None = None


def check_target(path, suffix):
    """Returns `path` as a `Path` once a file can be made there, before the work is done.

    Raises:
        ValueError: it is no path, or ends differently.
        IsADirectoryError: it is a directory.
        OSError: its directory can't be written.
    """
    path = Path(check_path("path", path))
    if path.suffix.lower() != suffix:
        raise ValueError(f"`path` must end in {suffix!r}. Received: '{path}'")
    if path.is_dir():
        raise IsADirectoryError(f"`path` must be a file. Received: the directory '{path}'")
    parents = path.absolute().parents
    nearest = next(parent for parent in parents if os.path.lexists(parent))
    rule = "`path` must be in a directory that can be written. Received"
    if not nearest.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, f"{rule} a path below a file", str(nearest))
    try:
        with tempfile.TemporaryFile(dir=nearest):
            pass
    except OSError as error:
        raise OSError(error.errno, f"{rule} one where {error.strerror}", str(nearest)) from error
    return path


def examples_of(port, num=NUM, seed=SEED):
    """Inputs to hold a file against Keras on, a list of arrays as the port's network takes them."""
    return [kind.from_border(kind.examples(num, seed)) for kind in port.inputs]


def compare(network, inputs, run, limit, what):
    """Holds a file's samples against those of Keras.

    Args:
        network: the `keras.Model` that was exported.
        inputs: list of arrays, its inputs.
        run: function of `inputs` that returns the file's samples.
        limit: mean absolute error that is let pass, for samples of size 1; it grows with them.
        what: what errors call the file.

    Returns:
        The pair (largest, mean) of absolute errors.

    Raises:
        ValueError: the file can't be run, or its samples are not finite or not those of Keras.
    """
    wanted = network(inputs if len(inputs) > 1 else inputs[0], training=False)
    wanted = ops.convert_to_numpy(wanted).astype("float32")
    refused = f"{what} was not written:"
    try:
        made = run(inputs)
    except Exception as error:
        raise ValueError(f"{refused} what the converter made does not run: {error}") from error
    for maker, samples in (("Keras", wanted), (what, made)):
        bad = samples.size - np.count_nonzero(np.isfinite(samples))
        if bad:
            raise ValueError(
                f"{refused} samples must be finite. Received: {bad} of {samples.size} values of "
                f"{maker} are NaN or infinite"
            )
    if made.shape != wanted.shape:
        raise ValueError(
            f"{refused} samples must have the shape {wanted.shape}. Received: {made.shape}"
        )
    errors = np.abs(made - wanted)
    largest, mean = float(errors.max()), float(errors.mean())
    limit *= max(1.0, float(np.abs(wanted).max()))
    if mean > limit:
        raise ValueError(
            f"{refused} its samples must be those of Keras, within {limit:.3g} in the mean. "
            f"Received: a mean error of {mean:.3g}, at most {largest:.3g}"
        )
    return largest, mean


def write(path, content, errors, quantization=None, verbose=True):
    """Writes a file that was held against Keras, and says so.

    Returns:
        `Exported`.
    """
    try:
        with replacing(path) as temporary:
            Path(temporary).write_bytes(content)
    except OSError as error:  # a full disk is reported without a name
        raise OSError(error.errno, error.strerror, str(path)) from error
    largest, mean = errors
    if verbose:
        kind = f", {quantization}" if quantization else ""
        print(
            f"{path.suffix[1:]}: {path}{kind}, {len(content) / 1e6:.2f} MB, error against Keras "
            f"{mean:.2g} in the mean, {largest:.2g} at most"
        )
    return Exported(path, len(content), largest, mean, quantization)
