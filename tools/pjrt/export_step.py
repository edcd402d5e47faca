"""Writes the training step of a model as StableHLO, for a machine without TensorFlow.

    python tools/pjrt/export_step.py dcgan --out runs/pjrt/dcgan
    python tools/pjrt/export_step.py runs/cgan/model.keras --out runs/pjrt/cgan --steps-per-call 10

The model is a file `model.keras`, which keeps its optimizers and their state, or a name of
`keras-gans list` with the paper's networks and settings. The directory gets

step.mlir            the compiled step: (data, variables) to (logs, new variables)
sample.mlir          the sampler, with what it is given in samples.npz
state.npz            all variables that training depends on
data.npz             an epoch of the data set, with --data
model.json           networks, settings and optimizers, for `import_state.py`
manifest.json        the order of all arguments, specs of the data, versions and hashes

`run_step.py` trains with it, with jax and numpy alone. What it does is what `fit` does where XLA
compiles the step (`jit_compile=True`, the default on GPUs): the same draws, and the same numbers up
to rounding.
"""

import argparse
import hashlib
import os
import platform
import re
import warnings
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras_gans
from keras_gans import checks, datasets, registry
from keras_gans.devices.precision import PRECISIONS, check_precision, compute_dtypes, dtype_policy
from keras_gans.export.signatures import LEVELS, network_of
from keras_gans.files import new_directory, write_json
from keras_gans.images import to_uint8
from keras_gans.training import checkpoints
from keras_gans.training.kinds import Labels, Pictures
from keras_gans.training.pipeline import select

import keras
import numpy as np
import states
import tensorflow as tf

SAMPLES = 64
SAMPLE_SEED = 0


def export_step(
    model,
    directory,
    batch_size,
    steps_per_call=1,
    uint8=True,
    tf32=True,
    with_state=True,
    samples=SAMPLES,
    sample_pictures=None,
    arrays=None,
):
    """Writes the training step of a model, and all that it depends on.

    Args:
        model: `keras_gans.AdversarialModel`; one that is not compiled gets the paper's optimizers.
        directory: str or path-like, a new directory.
        batch_size: int, examples of a minibatch. A step takes as many minibatches as the model's.
        steps_per_call: int, steps that one call of the compiled step takes, in a loop inside of it.
            More than one hides what a call costs, where steps are short.
        uint8: whether pictures are given as uint8, and become floats in [-1, 1] in the step; else
            they are given as float32 in [-1, 1].
        tf32: whether products of float32 matrices may be rounded as the device likes, to TF32 on
            GPUs and to bfloat16 on TPUs. False asks for float32.
        with_state: whether `state.npz` is written. Without it, `run_step.py --drawn-state` draws
            weights of the same means and deviations, which is good enough for timings.
        samples: int, samples that the exported sampler makes at a time; 0 leaves it out.
        sample_pictures: float32 array (num, H, W, C) in [-1, 1], or uint8: what the sampler of a
            model that makes pictures out of pictures is given, which has none without.
        arrays: `{part: array}`, an epoch of the data as of `arrays_of`, to be written too.

    Returns:
        `pathlib.Path` of the directory.

    Raises:
        ValueError: an argument is out of its range, the model is under a strategy of several
            replicas, or its step needs what XLA can't compile or what is no part of the model.
        FileExistsError: the directory exists and is not empty.

    Example:

    >>> gan = DCGAN(build_dcgan_generator((28, 28, 1)), build_dcgan_discriminator((28, 28, 1)))
    >>> export_step(gan, "runs/pjrt/dcgan", batch_size=64)
    """
    batch_size = checks.check_count("batch_size", batch_size)
    steps_per_call = checks.check_count("steps_per_call", steps_per_call)
    samples = samples and checks.check_count("samples", samples)
    _check_new(directory)
    if model.distribute_strategy.num_replicas_in_sync > 1:
        raise ValueError(
            "`model` must be one of a single device. Received: one under "
            f"{type(model.distribute_strategy).__name__}"
        )
    if not model.compiled:
        model.compile()
    variables = checkpoints.variables_of(model)
    parts = [_described(part, uint8) for part in model.data_spec()]
    examples = batch_size * model.minibatches_per_step
    if arrays is not None:
        states.check_data(arrays, {"data": parts, "examples_per_step": examples}, unpaired=True)
    if sample_pictures is not None:
        sample_pictures = model.pictures_for(network_of(model), sample_pictures, "sample_pictures")
    before = tf.config.experimental.tensor_float_32_execution_enabled()
    tf.config.experimental.enable_tensor_float_32_execution(bool(tf32))
    try:
        code, order, results, logs = _compiled_step(model, parts, examples, steps_per_call)
        sampler = _compiled_sampler(model, variables, samples, sample_pictures)
    finally:
        tf.config.experimental.enable_tensor_float_32_execution(before)

    # Arguments of the step first, in its order; then what it does not read.
    names = order + [name for name in variables if name not in order]
    values = {name: variables[name].numpy() for name in names}
    manifest = {
        "format": states.FORMAT,
        "model": type(model).__name__,
        "precision": _precision(model),
        "tf32": bool(tf32),
        "batch_size": batch_size,
        "minibatches_per_step": model.minibatches_per_step,
        "examples_per_step": examples,
        "steps_per_call": steps_per_call,
        "data": parts,
        "logs": logs,
        "variables": [_statistics(name, value) for name, value in values.items()],
        "arguments": len(order),
        "results": [order.index(name) for name in results],
        "sampler": sampler and sampler["described"],
        "versions": {
            "python": platform.python_version(),
            "keras_gans": keras_gans.__version__,
            "keras": keras.__version__,
            "tensorflow": tf.__version__,
        },
    }
    manifest["digest"] = states.digest(manifest)
    with new_directory(directory) as temporary:
        (temporary / states.STEP).write_bytes(code)
        write_json(temporary / states.MODEL, keras.saving.serialize_keras_object(model))
        if sampler:
            (temporary / states.SAMPLE).write_bytes(sampler["code"])
            states.write_arrays(temporary / states.SAMPLES, sampler["inputs"])
        manifest["sha256"] = {
            file.name: hashlib.sha256(file.read_bytes()).hexdigest()
            for file in sorted(temporary.iterdir())
        }
        write_json(temporary / states.MANIFEST, manifest)
        if with_state:
            states.write(temporary / states.STATE, values, manifest, steps=0)
        if arrays is not None:
            states.write_arrays(temporary / states.DATA, arrays)
    return Path(directory)


def _check_new(directory):
    directory = Path(directory)
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise FileExistsError(f"`directory` must be new. Received: '{directory}', which exists")


def _described(part, uint8):
    """A part of the data, as the manifest says it."""
    if isinstance(part, Labels):
        classes = {"num_classes": part.num_classes}
        return {"name": part.name, "kind": "labels", "shape": [], "dtype": "int32", **classes}
    if None in part.shape:
        raise ValueError(
            f"`model` must have samples of one shape. Received: `{part.name}` of {part.shape}"
        )
    kind = "pictures" if isinstance(part, Pictures) else "samples"
    dtype = "uint8" if uint8 and isinstance(part, Pictures) else "float32"
    return {"name": part.name, "kind": kind, "shape": list(part.shape), "dtype": dtype}


def _as_trained_on(values, part):
    """One step's data as `train_step` takes them: the levels of uint8 pictures are looked up."""
    if part["dtype"] == "uint8":
        return tf.gather(tf.constant(LEVELS), tf.cast(values, tf.int32))
    return values


def _compiled_step(model, parts, examples, steps_per_call):
    """The step's StableHLO, the names of its variables and of its results, in order, and of logs.

    It takes the parts of the data, (steps_per_call, examples, ...) each, and then the variables,
    and returns the last step's logs and then the variables that it has changed.
    """

    if model.preludes is not None:
        warnings.warn(
            f"The step of {type(model).__name__} is exported without its preludes, which `fit` has",
            stacklevel=2,
        )

    def step(index, data):
        chosen = (
            _as_trained_on(values[index], part) for values, part in zip(data, parts, strict=True)
        )
        return model.train_step(tuple(chosen))

    @tf.function(jit_compile=True, autograph=False)
    def call(*data):
        if steps_per_call == 1:
            return step(0, data)
        logs = {name: tf.zeros(()) for name in names}
        _, logs = tf.while_loop(
            lambda index, logs: index < steps_per_call,
            lambda index, logs: (index + 1, step(index, data)),
            (tf.constant(0), logs),
            maximum_iterations=steps_per_call,
        )
        return logs

    names = sorted(metric.name for metric in model.metrics)
    data = [tf.zeros((steps_per_call, examples, *p["shape"]), p["dtype"]) for p in parts]
    concrete = call.get_concrete_function(*data)
    order = _names_of(concrete.captured_inputs, checkpoints.variables_of(model))
    code, changed = _stablehlo(call, data, len(names))
    return code, order, [order[index - len(data)] for index in changed], names


def _compiled_sampler(model, variables, num, pictures):
    """The sampler's StableHLO and what it is given; None where there is none."""
    translates = model.latent_prior is None
    if not num or (translates and pictures is None):
        return None
    network = network_of(model)
    structure = pictures[:num] if translates else model.generator_inputs(num, SAMPLE_SEED)

    @tf.function(jit_compile=True, autograph=False)
    def sample(*rows):
        made = network(tf.nest.pack_sequence_as(structure, rows), training=False)
        made = tf.cast(made, tf.float32)
        if made.shape.rank != 4:
            return made
        # As `images.to_uint8` does it.
        return tf.cast(tf.round((tf.clip_by_value(made, -1.0, 1.0) + 1.0) * 127.5), tf.uint8)

    rows = [tf.convert_to_tensor(row) for row in tf.nest.flatten(structure)]
    concrete = sample.get_concrete_function(*rows)
    code, changed = _stablehlo(sample, rows, 1)
    if changed:
        raise ValueError("`model` must have a sampler that changes none of its variables")
    described = {
        "variables": _names_of(concrete.captured_inputs, variables),
        "shape": list(concrete.outputs[0].shape),
        "dtype": concrete.outputs[0].dtype.name,
    }
    inputs = {f"input_{i}": row.numpy() for i, row in enumerate(rows)}
    return {"code": code, "inputs": inputs, "described": described}


def _stablehlo(function, arguments, num_results):
    """The portable StableHLO of a compiled function, and the arguments that it changes, in order.

    XLA returns the new values of variables behind the function's own results, and says in the first
    line of its text which argument each of them may take the place of.
    """
    ir = function.experimental_get_compiler_ir(*arguments)
    head = ir(stage="hlo").split("\n", 1)[0]
    places = {int(r): int(a) for r, a in re.findall(r"\{(\d+)\}: \((\d+), \{\}", head)}
    own, new = set(range(num_results)), set(range(num_results, num_results + len(places)))
    layout = re.search(r"->\((.*)\)\}", head) or re.search(r"->(.*)\}", head)
    total = len(re.findall(r"\w+\[[\d,]*\]", layout.group(1))) if layout else None
    if set(places) != new or total != len(own | new):
        raise RuntimeError(
            "TensorFlow's compiler does not say which results are which variables' new values. "
            f"Received: {head[:200]} …"
        )
    return ir(stage="stablehlo_serialized"), [places[result] for result in sorted(new)]


def _names_of(captured, variables):
    """The names of the variables that a function has captured, in the order of its arguments."""
    known = {variable.value.handle._id: name for name, variable in variables.items()}
    unknown = [tensor for tensor in captured if tensor._id not in known]
    if unknown:
        raise ValueError(
            "`model` must have a step that reads its own variables alone, which are saved with it. "
            f"Received: one that reads {len(unknown)} other tensor(s), such as a "
            f"{unknown[0].dtype.name} of shape {tuple(unknown[0].shape)}"
        )
    return [known[tensor._id] for tensor in captured]


def _precision(model):
    computed = {dtype for layer in model.layers for dtype in compute_dtypes_of(layer)}
    half = computed & {"bfloat16", "float16"}
    return f"mixed_{half.pop()}" if half else "float32"


def compute_dtypes_of(layer):
    """What a network, or another layer of the model, computes in."""
    return compute_dtypes(layer) if isinstance(layer, keras.Model) else {layer.compute_dtype}


def _statistics(name, value):
    """A variable in the manifest, with what a stand-in for its value can be drawn from."""
    described = {"name": name, "shape": list(value.shape), "dtype": value.dtype.name}
    if value.dtype.kind in "iub":
        return {**described, "values": value.ravel().tolist()}  # counters and seeds
    value = value.astype("float64")
    return {**described, "mean": float(value.mean()), "std": float(value.std())}


def arrays_of(model, dataset, uint8=True):
    """One epoch of a dataset as the arrays that `run_step.py` reads: `{part: array}`.

    Args:
        model: `AdversarialModel`.
        dataset: `tf.data.Dataset` of batches, as `fit` takes it, which ends.
        uint8: as in `export_step`.

    Raises:
        ValueError: the dataset does not end, or has other parts than the model's data.
    """
    if dataset.cardinality() == tf.data.INFINITE_CARDINALITY:
        raise ValueError("`dataset` must be of one epoch. Received: one without end")
    spec, found = model.data_spec(), []
    for batch in dataset:
        parts = select(batch, spec, type(model).__name__)
        for part, values in zip(spec, parts, strict=True):
            part.check(values)
        found.append([np.asarray(values) for values in parts])
    arrays = {}
    for part, batches in zip(spec, zip(*found, strict=True), strict=True):
        values = np.concatenate(batches)
        if isinstance(part, Labels):
            arrays[part.name] = values.reshape(-1).astype("int32")
        else:
            bytes_wanted = uint8 and isinstance(part, Pictures)
            arrays[part.name] = to_uint8(values) if bytes_wanted else values.astype("float32")
    return arrays


# The command


def _load_data(name, recipe, image_size):
    settings = {"shuffle": False, "image_size": image_size, "batch_size": 64}
    if recipe.splits and name == recipe.dataset:
        return [datasets.load(name, split=split, **settings) for split in recipe.splits]
    return [datasets.load(name, labels=recipe.labelled, **settings)]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("model", help="a name of `keras-gans list`, or a file model.keras")
    add("--out", type=Path, required=True, help="directory to make")
    add("--dataset", help="data set of `keras-gans datasets`, or a folder (default: the model's)")
    add("--dataset-b", help="the second one, for models that translate between two")
    add("--image-size", type=int, help="resize pictures to N x N pixels")
    add("--data", action="store_true", help="write an epoch of the data set too")
    add("--batch-size", type=int, help="examples a minibatch (default: the model's)")
    add("--steps-per-call", type=int, default=1, help="steps in one call (default: 1)")
    add("--precision", choices=PRECISIONS, default="float32", help="of a model that is made here")
    add("--no-tf32", action="store_true", help="products of float32 matrices in float32")
    add("--float-data", action="store_true", help="pictures are float32, not uint8")
    add("--latent-dim", type=int, help="length of the latents (default: the model's)")
    add("--ema-decay", type=float, help="also average the generator, with this decay")
    add("--seed", type=int, default=0, help="of a model that is made here (default: 0)")
    add("--samples", type=int, default=SAMPLES, help=f"0 for no sampler (default: {SAMPLES})")
    args = parser.parse_args()
    try:
        _main(args)
    except (ValueError, OSError, TypeError) as error:
        raise SystemExit(f"Error: {error}") from error


def _main(args):
    check_precision(args.precision)
    _check_new(args.out)
    saved = args.model.endswith(".keras")
    if saved:
        model = registry.load_model(args.model)
        model_class = registry.find(type(model).__name__)
    else:
        model_class = registry.find(args.model)
    recipe = model_class.recipe
    sets = _load_data(args.dataset or recipe.dataset, recipe, args.image_size)
    if args.dataset_b:
        sets.append(datasets.load(args.dataset_b, shuffle=False, image_size=args.image_size))
    if not saved:
        keras.utils.set_random_seed(args.seed)
        shape, options = sets[0].info.shape, {"seed": args.seed}
        options |= {} if args.ema_decay is None else {"ema_decay": args.ema_decay}
        options |= {} if args.latent_dim is None else {"latent_dim": args.latent_dim}
        options |= {"num_classes": sets[0].info.num_classes} if recipe.labelled else {}
        with dtype_policy(args.precision):
            model = model_class.from_paper(shape, **options)
    arrays = pictures = None
    if args.data:
        arrays = _arrays_of_sets(model, sets, not args.float_data)
    if model.latent_prior is None:
        pictures = next(iter(sets[0])).numpy()[: args.samples]
    path = export_step(
        model,
        args.out,
        args.batch_size or recipe.batch_size,
        steps_per_call=args.steps_per_call,
        uint8=not args.float_data,
        tf32=not args.no_tf32,
        samples=args.samples,
        sample_pictures=pictures,
        arrays=arrays,
    )
    print(
        f"{type(model).__name__}: {path}, {sum(f.stat().st_size for f in path.iterdir()):,} bytes"
    )


def _arrays_of_sets(model, sets, uint8):
    """The arrays of one data set with all parts of the model's data, or of one for each part."""
    if len(sets) == 1:
        return arrays_of(model, sets[0], uint8)
    arrays = {}
    for part, data in zip(model.data_spec(), sets, strict=True):
        values = np.concatenate([np.asarray(batch) for batch in data])
        part.check(values)
        arrays[part.name] = to_uint8(values) if uint8 else values
    return arrays


if __name__ == "__main__":
    main()
