"""Trains with a step that `export_step.py` wrote, on a machine that has jax and numpy alone.

    python run_step.py runs/pjrt/dcgan --data data.npz --steps 10000 --log-every 500

It takes the first device that jax finds: a GPU, a TPU or the CPU. The data are an array (.npy), or
several of the names in the manifest (.npz); they are put on the device once, pictures as uint8, and
shuffled anew in each epoch. The directory gets

after.npz            the state afterwards, for `import_state.py`, or for --state to go on from
logs.csv             means of the losses over each --log-every steps
samples_00010000.npy samples of the same latents, uint8 pictures, after these steps

The same seed, data and steps give the same order of the data, also in several goes.
"""

import argparse
import contextlib
import csv
import dataclasses
import json
import math
import signal
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import states
from jax import export
from jax.extend import mlir
from jax.extend.mlir.dialects import stablehlo

jax.config.update("jax_enable_x64", True)  # counters and seeds are int64

AFTER, LOGS = "after.npz", "logs.csv"


def load_stablehlo(path, arguments, results):
    """A function of flat arrays that runs a file of StableHLO.

    jax calls what was exported from jax. So a stand-in with the same arguments and results is
    exported, and its program is replaced.

    Args:
        path: str or path-like, a portable StableHLO file.
        arguments, results: lists of `jax.ShapeDtypeStruct`.

    Returns:
        Function of the arguments that returns a tuple of the results, to be used under `jax.jit`.
    """

    def stand_in(*given):
        return tuple(jnp.zeros(result.shape, result.dtype) for result in results)

    exported = export.export(jax.jit(stand_in, keep_unused=True))(*arguments)
    program = without_copies(Path(path).read_bytes())
    return dataclasses.replace(exported, mlir_module_serialized=program).call


def without_copies(program):
    """Portable StableHLO, less `mhlo.copy`, which is no StableHLO and which GPUs' compilers refuse.

    TensorFlow writes it around the new values of variables; what is donated, jax says itself.
    """
    module = parsed(program)
    for operation in list(operations(module.operation)):
        if operation.name == "mhlo.copy":
            operation.results[0].replace_all_uses_with(operation.operands[0])
            operation.erase()
    return mlir.serialize_portable_artifact(module, stablehlo.get_current_version())


def parsed(program):
    """Portable StableHLO as a module of MLIR, other dialects' operations included."""
    context = jax.jit(lambda x: x).lower(0.0).compiler_ir("stablehlo").context
    context.allow_unregistered_dialects = True
    return mlir.deserialize_portable_artifact(program, context)


def operations(operation):
    """All operations within one of MLIR."""
    for region in operation.regions:
        for block in region.blocks:
            for inner in block.operations:
                yield inner.operation
                yield from operations(inner.operation)


def spec(described, *axes):
    """The `jax.ShapeDtypeStruct` of a variable or part in the manifest, with axes before it."""
    return jax.ShapeDtypeStruct((*axes, *described["shape"]), jnp.dtype(described["dtype"]))


class Trainer:
    """An exported step with its state on the device.

    Args:
        directory: str or path-like, of `export_step.py`.
        state: str or path-like, the state to begin with; that of the export when `None`.
        drawn_state: whether the state is drawn, with the means and deviations of the export's, for
            timings of a step whose state did not travel.
        donate: whether the old state's memory is used for the new one.

    Attributes:
        manifest: dict, see `export_step.py`.
        steps: int, steps behind the state.

    Raises:
        ValueError: the directory or the state is not as written.

    Example:

    >>> trainer = Trainer("runs/pjrt/dcgan")
    >>> order = orders(10_000, 64, seed=0)
    >>> logs = trainer.call([pictures], [next(order)])
    """

    def __init__(self, directory, state=None, drawn_state=False, donate=True):
        self.directory = Path(directory)
        self.manifest = states.read_manifest(self.directory)
        self.variables = self.manifest["variables"]
        self.steps = 0
        if drawn_state:
            values = _drawn(self.variables)
        else:
            state = self.directory / states.STATE if state is None else state
            values, self.steps = states.read(state, self.manifest)
        self.device = jax.devices()[0]
        self.values = {
            variable["name"]: jax.device_put(_as_typed(values[variable["name"]], variable["dtype"]))
            for variable in self.variables
        }
        manifest = self.manifest
        self.names = [v["name"] for v in self.variables[: manifest["arguments"]]]
        self.metrics = [v["name"] for v in self.variables if states.is_metric(v)]
        specs = [spec(variable) for variable in self.variables[: manifest["arguments"]]]
        axes = (manifest["steps_per_call"], manifest["examples_per_step"])
        data = [spec(part, *axes) for part in manifest["data"]]
        logs = [jax.ShapeDtypeStruct((), jnp.float32) for _ in manifest["logs"]]
        changed = [specs[argument] for argument in manifest["results"]]
        self.step = load_stablehlo(self.directory / states.STEP, [*data, *specs], [*logs, *changed])
        donated = {"donate_argnums": 0} if donate else {}
        self.from_rows = jax.jit(self._step, **donated)
        self.from_order = jax.jit(self._gathered_step, **donated)
        self.sampler = None

    def _step(self, values, data):
        results = self.step(*data, *values)
        num_logs, new = len(self.manifest["logs"]), list(values)
        changed = zip(self.manifest["results"], results[num_logs:], strict=True)
        for argument, value in changed:
            new[argument] = value
        return new, results[:num_logs]

    def _gathered_step(self, values, arrays, orders):
        rows = [jnp.take(a, o, axis=0) for a, o in zip(arrays, orders, strict=True)]
        return self._step(values, rows)

    def call(self, arrays, orders=None):
        """Takes `steps_per_call` steps.

        Args:
            arrays: list, an array for each part of the data: with `orders` all examples, without
                the rows (steps_per_call, examples_per_step, ...).
            orders: list of int arrays (steps_per_call, examples_per_step), the rows of each part.

        Returns:
            `{name: scalar}` on the device: means since `reset_logs`.
        """
        values = [self.values[name] for name in self.names]
        if orders is None:
            values, logs = self.from_rows(values, arrays)
        else:
            values, logs = self.from_order(values, arrays, orders)
        self.values.update(zip(self.names, values, strict=True))
        self.steps += self.manifest["steps_per_call"]
        return dict(zip(self.manifest["logs"], logs, strict=True))

    def reset_logs(self):
        """Begins the means of the logs anew."""
        for name in self.metrics:
            self.values[name] = jnp.zeros_like(self.values[name])

    def sample(self):
        """Samples of the inputs that were exported: uint8 pictures, or float32 points."""
        described = self.manifest["sampler"]
        inputs = list(states.read_arrays(self.directory / states.SAMPLES).values())
        if self.sampler is None:
            by_name = {variable["name"]: variable for variable in self.variables}
            arguments = [jax.ShapeDtypeStruct(i.shape, i.dtype) for i in inputs]
            arguments += [spec(by_name[name]) for name in described["variables"]]
            path = self.directory / states.SAMPLE
            self.sampler = jax.jit(load_stablehlo(path, arguments, [spec(described)]))
        (made,) = self.sampler(*inputs, *(self.values[name] for name in described["variables"]))
        return np.asarray(made)

    def save(self, path):
        """Writes the state, whole or not at all.

        Raises:
            FloatingPointError: it is not finite; nothing is written.
        """
        values = {name: np.asarray(value) for name, value in self.values.items()}
        for variable in self.variables:
            value = values[variable["name"]]
            floats = jnp.issubdtype(value.dtype, jnp.floating) and not states.is_metric(variable)
            if floats and not jnp.isfinite(value).all():
                raise FloatingPointError(
                    f"'{path}' is not written: '{variable['name']}' is not finite"
                )
        states.write(path, values, self.manifest, self.steps)


def _as_typed(value, dtype):
    """A stored value as an array of its type: bfloat16 is stored as its bits."""
    return np.asarray(value).view(jnp.dtype(dtype)) if dtype == "bfloat16" else np.asarray(value)


def _drawn(variables):
    """Values of the variables' means and deviations, as they are stored."""
    rng, values = np.random.default_rng(0), {}
    for variable in variables:
        shape, dtype = variable["shape"], jnp.dtype(variable["dtype"])
        if "values" in variable:
            value = np.array(variable["values"]).reshape(shape).astype(dtype)
        else:
            value = rng.standard_normal(shape, "float32") * variable["std"] + variable["mean"]
            value = np.asarray(value, dtype)
        values[variable["name"]] = value.view("uint16") if dtype == jnp.bfloat16 else value
    return values


def orders(num_examples, size, seed=0, first_step=0, shuffle=True, stream=0):
    """The rows of each step, without end; each epoch has an order of its own.

    The last rows of an epoch that are not enough for a step are left out, others in each epoch.

    Args:
        num_examples, size: int, examples in all and in a step.
        seed: int, at least 0.
        first_step: int, the step to begin with.
        shuffle: bool; False keeps the natural order.
        stream: int; another one gives another order, for parts that are no pairs.

    Yields:
        int32 arrays (size,).
    """
    per_epoch = num_examples // size
    epoch, step = divmod(first_step, per_epoch)
    while True:
        order = np.arange(num_examples, dtype="int32")
        if shuffle:
            order = np.random.default_rng([seed, stream, epoch]).permutation(order)
        for begin in range(step * size, per_epoch * size, size):
            yield order[begin : begin + size]
        epoch, step = epoch + 1, 0


def train(
    trainer,
    arrays,
    steps,
    seed=0,
    shuffle=True,
    unpaired=False,
    log_every=100,
    sample_every=None,
    save_every=None,
    on_host=False,
    minutes=math.inf,
    out=None,
    stop=lambda: False,
):
    """Trains for some steps, and writes the state, logs and samples.

    Args:
        trainer: `Trainer`.
        arrays: list of arrays, of `states.check_data`.
        steps: int, a multiple of the step's `steps_per_call`.
        seed, shuffle: of the order of the data.
        unpaired: bool, whether each part of the data has an order of its own.
        log_every: int, steps between two lines of the log.
        sample_every, save_every: int, steps between two samples and between two states; at the end
            alone when `None`.
        on_host: bool, whether the data stay in the host's memory, and each step's are sent.
        minutes: float, when to end early.
        out: str or path-like, where the state is written, with logs and samples beside it;
            `after.npz` of the export's directory when `None`.
        stop: function that says whether to end early.

    Returns:
        dict: "device", its kind; "steps" behind the state; "milliseconds" a step, with what is
        written on the way, and without the first call; "seconds" of the first call, which compiles;
        "peak_bytes" of the device's memory, or None; "state", the file.

    Raises:
        ValueError: a number is out of its range.
        FloatingPointError: a loss is not finite.
    """
    manifest, out = trainer.manifest, Path(out or trainer.directory / AFTER)
    per_call, size = manifest["steps_per_call"], manifest["examples_per_step"]
    every = {"log_every": log_every, "sample_every": sample_every, "save_every": save_every}
    for name, value in {"steps": steps, **every}.items():
        if value is not None and (value < 1 or value % per_call):
            raise ValueError(
                f"`{name}` must be a multiple of the {per_call} steps of one call. "
                f"Received: {value}"
            )
    streams = range(len(arrays)) if unpaired else [0] * len(arrays)
    rows = {
        (len(array), stream): orders(len(array), size, seed, trainer.steps, shuffle, stream)
        for array, stream in zip(arrays, streams, strict=True)
    }
    if not on_host:
        arrays = [jax.device_put(array) for array in arrays]
    out.parent.mkdir(parents=True, exist_ok=True)
    log = Log(out.parent / LOGS, manifest["logs"], trainer.steps)
    last, begin = trainer.steps + steps, time.perf_counter()
    deadline, compiled = begin + 60 * minutes, None
    trainer.reset_logs()
    ended = False
    while not ended:
        chosen = {
            key: np.stack([next(order) for _ in range(per_call)]) for key, order in rows.items()
        }
        each = [chosen[len(a), s] for a, s in zip(arrays, streams, strict=True)]
        if on_host:
            logs = trainer.call([a[o] for a, o in zip(arrays, each, strict=True)])
        else:
            logs = trainer.call(arrays, each)
        if compiled is None:
            jax.block_until_ready(logs)
            compiled, first = time.perf_counter(), trainer.steps
        ended = trainer.steps >= last or time.perf_counter() > deadline or stop()

        if ended:
            jax.block_until_ready(trainer.values)
            seconds = time.perf_counter() - compiled

        def is_due(steps, ended=ended):
            return ended or (steps and trainer.steps % steps == 0)

        if is_due(log_every):
            log.add(trainer.steps, logs)
            trainer.reset_logs()
        if manifest["sampler"] and is_due(sample_every):
            path = out.parent / f"samples_{trainer.steps:08d}.npy"
            with states.replacing(path) as temporary:
                np.save(temporary, trainer.sample())
        if is_due(save_every):
            trainer.save(out)
    taken, memory = trainer.steps - first, trainer.device.memory_stats() or {}
    return {
        "device": trainer.device.device_kind,
        "steps": trainer.steps,
        "milliseconds": 1e3 * seconds / taken if taken else None,
        "seconds": compiled - begin,
        "peak_bytes": memory.get("peak_bytes_in_use"),
        "state": str(out),
    }


class Log:
    """Lines of a CSV file and of the terminal: step, and the mean of each loss.

    Lines of a file that is there are kept up to the step from which training goes on.
    """

    def __init__(self, path, names, steps):
        self.path, self.names, lines = path, names, []
        if steps and path.exists():
            with open(path, newline="") as file:
                lines = [line for line in list(csv.reader(file))[1:] if int(line[0]) <= steps]
        with states.replacing(path) as temporary, open(temporary, "w", newline="") as file:
            csv.writer(file).writerows([["step", *names], *lines])

    def add(self, step, logs):
        values = [float(logs[name]) for name in self.names]
        with open(self.path, "a", newline="") as file:
            csv.writer(file).writerow([step, *values])
        told = "  ".join(f"{n} {v:.4g}" for n, v in zip(self.names, values, strict=True))
        print(f"step {step:>8,}  {told}", flush=True)
        broken = [n for n, v in zip(self.names, values, strict=True) if not math.isfinite(v)]
        if broken:
            raise FloatingPointError(
                f"{', '.join(broken)} is not finite by step {step}, and no state is written. Go on "
                "from an earlier one (--save-every), with lower rates"
            )


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("directory", type=Path, help="what export_step.py wrote")
    add("--data", type=Path, help="a .npy or .npz file (default: data.npz of the directory)")
    steps = parser.add_mutually_exclusive_group(required=True)
    steps.add_argument("--steps", type=int, help="steps to take")
    steps.add_argument("--until", type=int, metavar="N", help="steps in all, behind --state too")
    add("--state", type=Path, help="a state to go on from (default: that of the export)")
    add("--drawn-state", action="store_true", help="weights are drawn: for timings alone")
    add("--out", type=Path, help="the state afterwards (default: after.npz of the directory)")
    add("--seed", type=int, default=0, help="of the data's order (default: 0)")
    add("--no-shuffle", action="store_true", help="the natural order in each epoch")
    add("--unpaired", action="store_true", help="each part of the data has an order of its own")
    add("--on-host", action="store_true", help="data larger than the device's memory")
    add("--log-every", type=int, default=100, metavar="N", help="steps (default: 100)")
    add("--sample-every", type=int, metavar="N", help="steps (default: at the end)")
    add("--save-every", type=int, metavar="N", help="steps (default: at the end)")
    add("--minutes", type=float, default=math.inf, help="end early after so many")
    add("--profile", type=Path, metavar="DIR", help="trace the steps with jax's profiler")
    args = parser.parse_args()
    try:
        print(json.dumps(_main(args)))
    except (ValueError, OSError, FloatingPointError) as error:
        raise SystemExit(f"Error: {error}") from error


def _main(args):
    trainer = Trainer(args.directory, args.state, args.drawn_state)
    arrays = states.read_arrays(args.data or args.directory / states.DATA)
    arrays = states.check_data(arrays, trainer.manifest, args.unpaired)
    stopped = []
    for number in (signal.SIGINT, signal.SIGTERM):  # the step is finished, and the state written
        signal.signal(number, lambda *_: stopped.append(True))
    profiled = jax.profiler.trace(args.profile) if args.profile else contextlib.nullcontext()
    with profiled:
        return _train(args, trainer, arrays, lambda: bool(stopped))


def _train(args, trainer, arrays, stop):
    steps = args.steps if args.until is None else args.until - trainer.steps
    if args.until is not None and steps <= 0:
        return {"steps": trainer.steps, "state": str(args.state)}
    return train(
        trainer,
        arrays,
        steps,
        seed=args.seed,
        shuffle=not args.no_shuffle,
        unpaired=args.unpaired,
        log_every=args.log_every,
        sample_every=args.sample_every,
        save_every=args.save_every,
        on_host=args.on_host,
        minutes=args.minutes,
        out=args.out,
        stop=stop,
    )


if __name__ == "__main__":
    main()
