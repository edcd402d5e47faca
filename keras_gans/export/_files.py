"""What TFLite and ONNX files share: they are run and held against Keras before they are written."""

import dataclasses
import errno
import os
import tempfile
from pathlib import Path

import numpy as np
from keras import ops

from keras_gans import kinds
from keras_gans.checks import check_path
from keras_gans.files import replacing
from keras_gans.ports import makes_from_latents

NUM = 16
SEED = 2**31 - 1
ANY_SIZE = 64  # where a network takes pictures of any size


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


def output_name(network):
    """What a network makes, in one word: "images", "points", "sequences", "videos"."""
    noun = kinds.samples("samples", network.outputs[0].shape[1:]).noun
    return "images" if noun == "pictures" else noun


def inputs_of(gan, num, seed):
    """Inputs of a model with latents as a list of arrays: the prior's, and the labels in turn."""
    inputs = gan.generator_inputs(num, seed)
    return [np.asarray(rows) for rows in (inputs if isinstance(inputs, list) else [inputs])]


def inputs_to_check(gan, network):
    """Inputs to hold a file against Keras on: latents, or pictures of random 8 x 8 squares."""
    if makes_from_latents(gan):
        return inputs_of(gan, NUM, SEED)
    height, width, channels = (ANY_SIZE if n is None else n for n in network.inputs[0].shape[1:])
    squares = np.random.default_rng(SEED).uniform(
        -1, 1, (NUM, -(-height // 8), -(-width // 8), channels)
    )
    pictures = squares.repeat(8, axis=1).repeat(8, axis=2)[:, :height, :width]
    return [pictures.astype("float32")]


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
