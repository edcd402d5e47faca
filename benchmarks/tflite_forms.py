"""What each of the four TFLite forms costs and saves: size, error against Keras, time a picture.

Protocol: each model is exported in float32, float16, dynamic and int8, and once for each direction
where it translates pictures. Errors are absolute, over 16 samples that were not calibrated on, of
values in [-1, 1], as `keras_gans.export.tflite` measures them. The time is that of one sample
under LiteRT with one thread: the median of 200 calls, or of as many as fit in 3 seconds, after 10
to warm up. Operations that are not TFLite's own (Flex, custom ones) are counted; there must be
none.

    python benchmarks/tflite_forms.py --out tflite_forms.json
    python benchmarks/tflite_forms.py --runs runs/dcgan runs/cyclegan --inputs cyclegan=pictures

Without `--runs`, all models of `savedmodels` are measured. For int8, models that translate are
calibrated on `a_*.png` and `b_*.png` of `savedmodels/<name>/inputs`, or of a folder in `--inputs`.

A table for `docs/export.md` is printed; the numbers go to `--out`.
"""

import argparse
import os
import statistics
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras_gans
from keras_gans import presets
from keras_gans.export import tflite
from keras_gans.export.signatures import networks_of
from keras_gans.files import write_json
from keras_gans.images import read_png
from keras_gans.registry import load_model

import numpy as np

FORMS = (None, "float16", "dynamic", "int8")
WARM_UP, CALLS, SECONDS = 10, 200, 3.0
COLUMNS = ("model", "form", "MB", "mean error", "largest error", "ms a sample", "Flex operations")


def pictures_of(folder, direction):
    """The example pictures of the set that a direction begins with, uint8 (num, H, W, C)."""
    paths = sorted(folder.glob(f"{direction[0]}_*.png"))
    if not paths:
        raise SystemExit(
            f"--inputs must name a folder with {direction[0]}_*.png. Received: {folder}"
        )
    return np.stack([read_png(path) for path in paths])


def loaded(path):
    """A LiteRT interpreter with one thread, and no other one: times are compared."""
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        raise SystemExit("Times are those of LiteRT: pip install ai-edge-litert") from None
    interpreter = Interpreter(model_path=str(path), num_threads=1)
    interpreter.allocate_tensors()
    return interpreter


def milliseconds(interpreter):
    """The median time of a sample."""
    rng = np.random.default_rng(0)
    for tensor in interpreter.get_input_details():
        values = rng.uniform(-1, 1, tensor["shape"])
        interpreter.set_tensor(tensor["index"], np.abs(values).astype(tensor["dtype"]))
    for _ in range(WARM_UP):
        interpreter.invoke()
    times = []
    while len(times) < CALLS and sum(times) < SECONDS:
        begin = time.perf_counter()
        interpreter.invoke()
        times.append(time.perf_counter() - begin)
    return 1e3 * statistics.median(times)


def foreign_operations(interpreter):
    """How many operations are not TFLite's own."""
    names = [operation["op_name"] for operation in interpreter._get_ops_details()]
    return sum(name.startswith("Flex") or name == "CUSTOM" for name in names)


def measure(name, gan, inputs):
    """Yields a dict for each direction and form."""
    for direction in networks_of(gan):
        for form in FORMS:
            calibrated = direction and form == "int8"
            with tempfile.TemporaryDirectory() as directory:
                exported = tflite(
                    gan,
                    Path(directory, "model.tflite"),
                    form,
                    representative=pictures_of(inputs, direction) if calibrated else None,
                    direction=direction or None,
                    verbose=False,
                )
                interpreter = loaded(exported.path)
                yield {
                    "name": name,
                    "direction": direction or None,
                    "form": form or "float32",
                    "bytes": exported.bytes,
                    "mean_error": exported.mean_error,
                    "max_error": exported.max_error,
                    "milliseconds": milliseconds(interpreter),
                    "flex_operations": foreign_operations(interpreter),
                }


def row_of_table(row):
    name = " ".join(filter(None, (f"`{row['name']}`", row["direction"])))
    cells = (
        name,
        row["form"],
        f"{row['bytes'] / 1e6:.2f}",
        f"{row['mean_error']:.2g}",
        f"{row['max_error']:.2g}",
        f"{row['milliseconds']:.2f}",
        str(row["flex_operations"]),
    )
    return "| " + " | ".join(cells) + " |"


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--names", nargs="*", help="models of savedmodels; all when left out")
    parser.add_argument("--runs", nargs="*", type=Path, help="run directories, instead of them")
    parser.add_argument(
        "--inputs",
        nargs="*",
        default=[],
        metavar="NAME=FOLDER",
        help="example pictures of models that translate, where savedmodels has none",
    )
    parser.add_argument("--out", help="JSON file for the numbers")
    args = parser.parse_args()
    if args.runs is not None and args.names is not None:
        parser.error("--runs and --names exclude each other")
    wrong = [pair for pair in args.inputs if "=" not in pair]
    if wrong:
        parser.error(f"--inputs must be NAME=FOLDER. Received: {wrong[0]}")
    inputs = {name: Path(folder) for name, folder in (pair.split("=", 1) for pair in args.inputs)}
    if args.runs is not None:
        sources = {run.name: lambda run=run: load_model(run / "model.keras") for run in args.runs}
    else:
        names = presets.names() if args.names is None else args.names
        sources = {name: lambda name=name: keras_gans.load(name) for name in names}

    print("| " + " | ".join(COLUMNS) + " |\n|---|---|" + "---:|" * (len(COLUMNS) - 2))
    rows = []
    for name, load in sources.items():
        folder = inputs.get(name, presets.find(name) / "inputs")
        for row in measure(name, load(), folder):
            rows.append(row)
            print(row_of_table(row), flush=True)
    if args.out:
        packages = ("ai-edge-litert", "keras", "numpy", "tensorflow")
        write_json(args.out, {"rows": rows, "versions": {p: version(p) for p in packages}})


if __name__ == "__main__":
    main()
