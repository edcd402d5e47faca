"""What surrounds a training step: imports, first steps, input pipelines, callbacks, generation.

    python benchmarks/costs.py --out runs/costs.json
    python benchmarks/costs.py --parts import pipeline --rounds 3

Where things are compared they take turns (A B A B ...), so that a drift of the machine meets all of
them. A number is the median of `--rounds` measurements, and ± is half of (largest - smallest) /
median. The parts:

- import: a fresh process from its start to its end, and its peak memory.
- first_step: a fresh process for each row of `rows.py`. The first step is a whole `fit` of one
  step, which traces and compiles; the peak memory is that after three steps.
- pipeline: what `fit` iterates over, first without a model, then in the training of DCGAN. There
  it is compared with one of its elements, held in memory and repeated; what a step takes longer
  than on that is its waiting for data. The goal is 2 % at most. The pipeline's own time, most of
  which passes while the model computes, is set against the step's too, since that is less noisy.
- callbacks: DCGAN at 28 px. An epoch with a callback is compared with the epoch of a run without
  one just before, as a ratio; each has an epoch before it that does not count. Such ratios are
  noisy, so each action of a callback is timed too: its share is its time by the steps between two
  of them. The table is drawn (`LossCurves.write`) once a minute at most.
- generation: pictures a second, by how many are asked for at once. `generate` and the SavedModel's
  `serving_default` give uint8 pictures, the latter PNG files as well; the others give the network's
  floats. A TFLite file takes one sample at a time.

The tables are printed as Markdown; `--out` has all measurements.
"""

import argparse
import functools
import importlib.metadata
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

from rows import ROWS

# TensorFlow is imported in processes of their own alone: a process inherits the peak memory of the
# one that starts it, and the first step's import is timed.

IMPORTS = {
    "nothing": ["-c", "pass"],
    "`import tensorflow`": ["-c", "import tensorflow"],
    "`import keras`": ["-c", "import keras"],
    "`import keras_gans`": ["-c", "import keras_gans"],
    "`keras-gans --help`": ["-m", "keras_gans", "--help"],
}
FIRST_STEP_ROWS = ["dcgan_32", "wgan_gp_28", "cyclegan_64", "progan_32"]


def cell(values, scale=1):
    """The median of some measurements and their spread, as a cell of a table."""
    middle = statistics.median(values)
    return f"{scale * middle:.4g} ± {50 * (max(values) - min(values)) / middle:.0f} %"


def table(columns, rows):
    rule = "|---|" + "---:|" * (len(columns) - 1)
    return "\n".join([f"| {' | '.join(columns)} |", rule, *(f"| {' | '.join(r)} |" for r in rows)])


def in_process(part, args, row=None):
    """What a part's worker returns, from a fresh process."""
    numbers = {"rounds": args.rounds, "seconds": args.seconds, "steps": args.steps}
    options = [text for name, n in numbers.items() for text in (f"--{name}", str(n))]
    command = [sys.executable, __file__, "--worker", part, *options, "--rows", row or "dcgan_32"]
    environment = {"TF_CPP_MIN_LOG_LEVEL": "2", **os.environ}
    answer = subprocess.run(command, stdout=subprocess.PIPE, env=environment, check=True)
    return json.loads(answer.stdout)


# import


def measure_import(args):
    result = {name: {"seconds": [], "bytes": []} for name in IMPORTS}
    for counts in (False, *[True] * args.rounds):  # The first round fills the disk's cache.
        for name, command in IMPORTS.items():
            begin = time.perf_counter()
            process = subprocess.Popen(
                [sys.executable, *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode:
                raise RuntimeError(f"{name} failed, with {process.returncode}")
            if counts:
                result[name]["seconds"].append(time.perf_counter() - begin)
                result[name]["bytes"].append(usage.ru_maxrss * 1024)
    return result


def show_import(result):
    rows = [(n, cell(r["seconds"]), cell(r["bytes"], 1e-6)) for n, r in result.items()]
    return table(("process", "seconds", "peak memory, MB"), rows)


# first_step

STAGES = ("import", "build", "first step", "third step", "bytes")


def measure_first_step(args):
    result = {name: {stage: [] for stage in STAGES} for name in args.rows}
    for _ in range(args.rounds):
        for name in args.rows:
            for stage, value in in_process("first_step", args, name).items():
                result[name][stage].append(value)
    return result


def work_first_step(args):
    begin = time.perf_counter()
    import contender_ours

    imported = time.perf_counter()
    row = ROWS[args.rows[0]]
    model = contender_ours.build(row)
    built = time.perf_counter()
    contender = contender_ours.Contender(model, contender_ours.dataset_of(row))
    ready = time.perf_counter()
    contender.first_step()
    stepped = time.perf_counter()
    third = contender.run(1)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    numbers = (imported - begin, built - imported, stepped - ready, third, memory)
    return dict(zip(STAGES, numbers, strict=True))


def show_first_step(result):
    columns = ("row", "import, s", "build, s", "first step, s", "third step, s", "peak memory, MB")
    scales = {"bytes": 1e-6}
    rows = [
        (ROWS[name].title, *(cell(r[stage], scales.get(stage, 1)) for stage in STAGES))
        for name, r in result.items()
    ]
    return table(columns, rows)


# pipeline


def show_pipeline(result):
    rows = []
    for name, r in result.items():
        waits = [1 - c / s for s, c in zip(r["real"], r["cached"], strict=True)]
        alone = r["batch"] / statistics.median(r["alone"]) / statistics.median(r["cached"])
        rows.append(
            (
                f"{name}, batches of {r['batch']}",
                cell(r["alone"]),
                f"{alone:.2%}",
                cell([r["batch"] / s for s in r["real"]]),
                cell(r["real"], 1e3),
                cell(r["cached"], 1e3),
                f"{statistics.median(waits):.1%} ({min(waits):.1%} to {max(waits):.1%})",
            )
        )
    columns = ("data", "pipeline alone, images/s", "its time, of a step's", "DCGAN on it, images/s")
    return table((*columns, "ms a step", "on one element, ms", "waits"), rows)


# callbacks


def show_callbacks(result):
    step = statistics.median(t for b in result["blocks"].values() for t in b["without"])
    between = {"epoch": result["steps"], "minute": 60 / step}
    rows = []
    for name, actions in result["actions"].items():
        b, total = result["blocks"][name], 0
        ratios = [w / o for w, o in zip(b["with"], b["without"], strict=True)]
        for action, times in actions.items():
            every = result["every"][name][action]
            every = between.get(every, every)
            share = statistics.median(times) / every / step
            total += share
            rows.append((f"{name}: `{action}`", cell(times, 1e3), f"{every:.0f}", f"{share:.2%}"))
        rows[-1] += (f"{total:.2%}", cell(ratios))
    columns = ("action", "ms", "steps between", "share of a step", "all actions", "with / without")
    rows = [(*r, *[""] * (len(columns) - len(r))) for r in rows]
    return f"A step: {1e3 * step:.2f} ms, an epoch {result['steps']}\n\n" + table(columns, rows)


# generation


def show_generation(result):
    sizes = next(iter(next(iter(result.values())).values()))
    rows = [
        (title, way, *(cell(rates) for rates in sizes.values()))
        for title, ways in result.items()
        for way, sizes in ways.items()
    ]
    return table(("network", "pictures/s of", *(f"{n} at once" for n in sizes)), rows)


PARTS = {  # what measures, what makes its table of it
    "import": (measure_import, show_import),
    "first_step": (measure_first_step, show_first_step),
    "pipeline": (functools.partial(in_process, "pipeline"), show_pipeline),
    "callbacks": (functools.partial(in_process, "callbacks"), show_callbacks),
    "generation": (functools.partial(in_process, "generation"), show_generation),
}


def work(args):
    """What a worker measures."""
    if args.worker == "first_step":
        return work_first_step(args)
    import cost_parts  # not above: see there

    return getattr(cost_parts, f"measure_{args.worker}")(args)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=FIRST_STEP_ROWS)
    parser.add_argument("--rounds", type=int, default=5, help="measurements of each number")
    parser.add_argument("--seconds", type=float, default=2.0, help="of a block, at least")
    parser.add_argument("--steps", type=int, default=156, help="of an epoch with callbacks")
    parser.add_argument("--out", type=Path, help="JSON file; parts that it has are kept")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.rounds < 1 or args.seconds <= 0 or args.steps < 100:
        parser.error("--rounds must be 1 or more, --seconds above 0, --steps 100 or more")
    if args.worker:
        answers = os.fdopen(os.dup(1), "w")
        os.dup2(2, 1)  # what libraries print goes elsewhere
        json.dump(work(args), answers)
        answers.close()
        return
    kept = args.out and args.out.exists()
    parts = json.loads(args.out.read_text())["parts"] if kept else {}
    packages = ("tensorflow", "keras", "numpy", "ai-edge-litert")
    versions = {name: importlib.metadata.version(name) for name in packages}
    for name in args.parts:
        measure, show = PARTS[name]
        parts[name] = measure(args)
        print(f"{name}\n\n{show(parts[name])}\n", flush=True)
        if args.out:
            versions["python"] = platform.python_version()
            content = {"versions": versions, "command": sys.argv, "parts": parts}
            args.out.write_text(json.dumps(content, indent=1))


if __name__ == "__main__":
    main()
