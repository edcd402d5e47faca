"""From a run directory to files that are shipped: what `keras-gans export` does."""

import contextlib
import shutil
from pathlib import Path

from keras_gans import sources
from keras_gans.checks import check_member, check_path
from keras_gans.datasets import load
from keras_gans.export.onnx import check_packages, onnx
from keras_gans.export.savedmodel import check_base, savedmodel
from keras_gans.export.signatures import port_of
from keras_gans.export.tflite import check_quantization, of_size, tflite
from keras_gans.images import to_uint8
from keras_gans.registry import load_model
from keras_gans.run_settings import facts_of
from keras_gans.training import preset_files
from keras_gans.training.kinds import ANY_SIZE, Pictures

FORMS = ("savedmodel", "tflite", "onnx")
CALIBRATION_PICTURES = 100


def export_run(
    source,
    to=("savedmodel",),
    directory=None,
    version=1,
    quantization=None,
    direction=None,
    data_license=None,
    pictures=None,
    size=None,
):
    """Exports what `keras-gans train` left: all the forms that are asked for, or none.

    Args:
        source: run directory, `.keras` file, or name or path of a preset (`keras_gans.load`).
        to: some of "savedmodel", "tflite" and "onnx".
        directory: where the files go; `export` in the run or preset, beside the file, or in a
            directory of a preset's name here, when `None`.
        version: of the SavedModel.
        quantization: of the TFLite file: `None`, "float16", "dynamic" or "int8".
        direction: of the TFLite and ONNX files of a model that can be asked for several things
            (`gan.ports()`), such as "b_to_a" or "encode".
        data_license: licence of the training data, for the card, where the run does not know it.
        pictures: folder of pictures with which "int8" is calibrated, for models that make pictures
            out of pictures.
        size: of the TFLite file of a model for pictures of any size; see `export.tflite`.

    Returns:
        `{form: path}`: `directory/savedmodel/1`, `directory/model.tflite`, `directory/model.onnx`.

    Raises:
        ValueError: the source is no trained model, or an argument is not as said.
        FileExistsError: a file or a version is there already.
        ImportError: ONNX without the extra `onnx`.

    Example:

    >>> paths = export_run("runs/dcgan", to=("savedmodel", "tflite"), quantization="float16")
    """
    forms = [to] if isinstance(to, str) else list(to)
    if not forms:
        raise ValueError(f"`to` must have at least one of {list(FORMS)}. Received: {to!r}")
    for form in forms:
        check_member("to", form, FORMS)
    check_quantization(quantization)
    if "onnx" in forms:
        check_packages()
    if directory is not None:
        directory = Path(check_path("directory", directory))
    gan, facts, metrics, beside = _open(Path(check_path("source", source)))
    directory = directory or beside / "export"
    if data_license is not None:
        facts["dataset_license"] = data_license
    port = of_size(port_of(gan, direction), size)
    given = [kind for kind in port.inputs if not kind.from_seed]
    calibrated = "tflite" in forms and quantization == "int8" and len(given) > 0
    if calibrated and not (len(given) == 1 and isinstance(given[0], Pictures)):
        raise ValueError(
            '`quantization` must be another one than "int8", which is calibrated here on pictures '
            f"or on draws alone, for what is made out of {port.takes}: use "
            f"`export.tflite(representative=...)`. Received: {type(gan).__name__}"
        )
    if pictures is not None and not calibrated:
        raise ValueError(
            '`pictures` must be None unless `quantization` is "int8" and the model makes pictures '
            f"out of pictures. Received: '{pictures}', {quantization!r}, {type(gan).__name__}"
        )
    if pictures is None and calibrated:
        raise ValueError(
            "`pictures` must be a folder of pictures, some of the data, for "
            f"{type(gan).__name__} in int8. Received: None"
        )
    for name, value, used in (
        ("quantization", quantization, {"tflite"}),
        ("direction", direction, {"tflite", "onnx"}),
        ("size", size, {"tflite"}),
    ):
        if value is not None and used.isdisjoint(forms):
            raise ValueError(
                f"`{name}` must be None unless `to` has {' or '.join(sorted(used))}. "
                f"Received: {value!r}, {forms}"
            )
    marks = "".join(f"-{word}" for word in (direction, quantization) if word)
    files = {
        "tflite": directory / f"model{marks}.tflite",
        "onnx": directory / f"model{f'-{direction}' if direction else ''}.onnx",
    }
    for form in forms:
        if form in files and files[form].exists():
            raise FileExistsError(
                f"`directory` must not hold '{files[form].name}' yet. "
                f"Received: '{directory}', which does"
            )
    if "savedmodel" in forms:
        check_base(directory / "savedmodel", version)
    calibration = _read(pictures, given[0], facts.get("value_range")) if calibrated else None
    with _all_or_none(directory) as paths:
        if "tflite" in forms:
            tflite(gan, files["tflite"], quantization, calibration, direction, size=size)
            paths["tflite"] = files["tflite"]
        if "onnx" in forms:
            onnx(gan, files["onnx"], direction)
            paths["onnx"] = files["onnx"]
        if "savedmodel" in forms:  # the last one, since a server may take it up at once
            base = directory / "savedmodel"
            paths["savedmodel"] = savedmodel(gan, base, version, facts, metrics)
    return {form: paths[form] for form in FORMS if form in paths}


@contextlib.contextmanager
def _all_or_none(directory):
    """Gives a dict for what is written, `{form: path}`; after an error all of it is removed."""
    made = [path for path in (directory, *directory.parents) if not path.exists()]
    paths = {}
    try:
        yield paths
    except BaseException:
        for path in paths.values():
            print(f"Removed again: {path}")
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        for path in made:
            with contextlib.suppress(OSError):  # it is not empty, or was never made
                path.rmdir()
        raise


def _open(source):
    """The model, facts and metrics for its card, and the directory that it is in."""
    found = sources.find(source, "`source`")
    if found.form == "savedmodel":
        raise ValueError(
            "`source` must be a run directory, a .keras file or a preset, which have the model. "
            f"Received: '{source}', which is exported already"
        )
    if found.form == "preset":
        facts = {"name": found.path.name, **facts_of(found.facts)}
        return preset_files.load(found.path), facts, found.facts["metrics"], found.beside
    named = found.path.stem if found.form == "keras" else found.beside.resolve().name
    facts = {"name": named, **facts_of(found.facts)}
    return load_model(found.path), facts, None, found.beside


def _read(folder, kind, value_range):
    """Some pictures of a folder, uint8 (num, H, W, C), of the kind's shape and the run's levels."""
    *size, channels = kind.shape
    fitted = {"crop": ANY_SIZE} if None in size else {"image_size": size}
    settings = {"channels": channels, "value_range": value_range, **fitted}
    batches = load(str(folder), batch_size=CALIBRATION_PICTURES, **settings)
    return to_uint8(next(iter(batches)))
