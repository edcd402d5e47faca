"""How training grows: over two workers, and with the batch, the resolution and the parameters.

`workers`, weak scaling of DCGAN at 32 px, batch 64 for each worker. A worker is a process that is
pinned to one core, with one thread for TensorFlow's operations. Blocks of steps take turns
(A B C D A B C D ...):

- A, one worker of a `MultiWorkerMirroredStrategy` of one, while the other core rests; on the first
  core and on the second in turn;
- B, two workers, global batch 128;
- C, two processes as in A at the same time, which exchange nothing: what they lose is the machine's
  loss (memory, caches, clock), and the rest of B's loss is that of training together;
- D, as B with `synchronized=False` in batch normalization, which then exchanges no sums in each
  call and has its fused kernel, as in A: what is left is the exchange of gradients.

The ratio is images/s over twice those of A, which come just before; 1 is ideal.

`batch`, `resolution` and `parameters`: the time of a step of DCGAN in one process with all cores,
blocks in turn over the points. The exponent is the slope of log time by log size, of each round
alone; 1 is linear. A linear growth or a slower one has a median of 1 or less.

    python benchmarks/scaling.py --rounds 5 --out runs/scaling
    python benchmarks/scaling.py --parts workers --out runs/scaling

Tables are printed as Markdown; all blocks go to `scaling.json`, and the curves to `scaling.png`.
"""

import argparse
import contextlib
import dataclasses
import itertools
import json
import os
import socket
import statistics
import subprocess
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from rows import ROWS, Row
from throughput import versions

SECONDS = 2.5  # of a block, at least
WORKERS = 2
FORMS = {
    "A": "1 worker",
    "B": "2 workers",
    "C": "2 processes, no exchange",
    "D": "2 workers, statistics not synchronized",
}


# A worker: one process on one core


def work(core, batch, synchronized):
    """Answers the parent's commands, a line of JSON each; TF_CONFIG says whom it trains with."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print goes elsewhere
    os.sched_setaffinity(0, {core})  # before TensorFlow counts the cores
    from keras_gans.layers import BatchNormalization

    import tensorflow as tf

    import contender_ours

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    row = dataclasses.replace(ROWS["dcgan_32"], batch=batch * strategy.num_replicas_in_sync)
    with strategy.scope():
        contender = contender_ours.make(row)
    for layer in [*contender.model.generator.layers, *contender.model.discriminator.layers]:
        if isinstance(layer, BatchNormalization):
            layer.synchronized = synchronized
    contender.first_step()
    print(json.dumps(strategy.num_replicas_in_sync), file=answers, flush=True)
    for line in sys.stdin:
        print(json.dumps(contender.run(json.loads(line))), file=answers, flush=True)


class Worker:
    """A worker, and what it answers."""

    def __init__(self, hosts, index, core, arguments, log):
        config = {"cluster": {"worker": hosts}, "task": {"type": "worker", "index": index}}
        environment = {**os.environ, "TF_CONFIG": json.dumps(config)}
        command = [sys.executable, __file__, "--core", str(core), *arguments]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": log}
        self.process = subprocess.Popen(command, env=environment, text=True, **pipes)

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("A worker ended: see the log")
        return json.loads(line)


def run_together(workers, steps):
    """Steps a second, the sum over workers that take a block each at the same time."""
    for worker in workers:
        print(json.dumps(steps), file=worker.process.stdin, flush=True)
    return sum(steps / seconds for seconds in [worker.answer() for worker in workers])


@contextlib.contextmanager
def started(batch, cores, log):
    """`{form: workers}`, one on each core; those of C are alone, those of B and D together."""
    workers = {form: [] for form in "BCD"}
    sockets = [socket.create_server(("localhost", 0)) for _ in range(3 * WORKERS)]
    hosts = [f"localhost:{each.getsockname()[1]}" for each in sockets]
    for each in sockets:
        each.close()
    try:
        for form in workers:
            arguments = ["--worker-batch", str(batch)] + ["--per-replica"] * (form == "D")
            own, hosts = hosts[:WORKERS], hosts[WORKERS:]
            for k, core in enumerate(cores):
                cluster = ([own[k]], 0) if form == "C" else (own, k)
                workers[form].append(Worker(*cluster, core, arguments, log))
            replicas = {worker.answer() for worker in workers[form]}
            assert replicas == {1 if form == "C" else WORKERS}, (form, replicas)
        yield workers
    finally:  # at once: those that train together wait for one another's end
        for worker in itertools.chain(*workers.values()):
            worker.process.kill()
            worker.process.wait()


def measure_workers(rounds, steps, batch, log):
    """Images/s of each block, by form."""
    cores = sorted(os.sched_getaffinity(0))[:WORKERS]
    if len(cores) < WORKERS:
        raise SystemExit(f"`workers` must have {WORKERS} cores. Received: {len(cores)}")
    with started(batch, cores, log) as workers:
        once = [run_together(group, 3) for group in (workers["C"][:1], *workers.values())]
        steps = steps or max(2, round(SECONDS * once[0]))
        result = {"batch": batch, "steps": steps, "images_per_second": {form: [] for form in FORMS}}
        for number in range(rounds):
            core = number % WORKERS
            for form, blocks in result["images_per_second"].items():
                group = workers["C"][core : core + 1] if form == "A" else workers[form]
                blocks.append(batch * run_together(group, steps))
    return result


def spread(values):
    return (max(values) - min(values)) / statistics.median(values)


def workers_table(result):
    speeds = result["images_per_second"]
    lines = ["| form | images/s | spread | of ideal | lowest - highest |", "|---|---|---|---|---|"]
    for form, title in FORMS.items():
        own, number = speeds[form], 1 if form == "A" else WORKERS
        ratios = [speed / (number * a) for speed, a in zip(own, speeds["A"], strict=True)]
        lines.append(
            f"| {form}, {title} | {statistics.median(own):.4g} | {spread(own):.0%} "
            f"| {statistics.median(ratios):.2f} | {min(ratios):.2f} - {max(ratios):.2f} |"
        )
    return "\n".join([*lines, ""])


# The time of a step


def dcgan(size, batch, width):
    title = f"{size} px, batch {batch}, width {width}"
    return Row(title, "dcgan", "dcgan", (size, size, 3), batch, width)


POINTS = {
    "batch": [dcgan(32, batch, 64) for batch in (16, 32, 64, 128)],
    "resolution": [dcgan(size, 16, 32) for size in (16, 32, 64, 128)],
    "parameters": [dcgan(32, 32, width) for width in (16, 32, 64, 128)],
}
UNITS = {"batch": "picture", "resolution": "pixel", "parameters": "parameter"}
TICKS = {
    "batch": str,
    "resolution": lambda pixels: f"{round(pixels**0.5)}²",
    "parameters": lambda number: f"{number / 1e6:.2g} M",
}


def measure_curve(part, rounds, steps):
    """`[{title, batch, resolution, parameters, steps, seconds_per_step: [...]}, ...]`, by point."""
    import contender_ours

    points, contenders = [], []
    for row in POINTS[part]:
        contenders.append(contender := contender_ours.make(row))
        contender.first_step()
        block = steps or max(2, round(SECONDS / (contender.run(3) / 3)))
        point = {"title": row.title, "batch": row.batch, "resolution": row.shape[0] * row.shape[1]}
        point |= {"parameters": sum(contender.parameters().values()), "steps": block}
        points.append({**point, "seconds_per_step": []})
    for _ in range(rounds):
        for point, contender in zip(points, contenders, strict=True):
            point["seconds_per_step"].append(contender.run(point["steps"]) / point["steps"])
    return points


def exponents(part, points):
    """The slope of log time by log size, of each round."""
    import numpy as np

    times = np.log([point["seconds_per_step"] for point in points])
    return np.polyfit(np.log([point[part] for point in points]), times, 1)[0].tolist()


def curve_table(part, points):
    name = "pixels" if part == "resolution" else part
    lines = [f"| DCGAN | {name} | ms a step | spread | µs a {UNITS[part]} |", "|---" * 5 + "|"]
    for point in points:
        seconds = point["seconds_per_step"]
        middle = statistics.median(seconds)
        lines.append(
            f"| {point['title']} | {point[part]:,} | {1e3 * middle:.4g} | {spread(seconds):.0%} "
            f"| {1e6 * middle / point[part]:.4g} |"
        )
    slopes = exponents(part, points)
    middle = statistics.median(slopes)
    lines.append(
        f"\nTime by {name}: exponent {middle:.2f} ({min(slopes):.2f} - {max(slopes):.2f}), "
        f"{'no worse' if middle <= 1 else 'worse'} than linear.\n"
    )
    return "\n".join(lines)


def draw(curves):
    """A matplotlib figure of `{part: points}`, one panel for each part, on log axes."""
    from matplotlib import ticker
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(1 + 3.6 * len(curves), 3.9), dpi=110, layout="constrained")
    panels = FigureCanvasAgg(figure).figure.subplots(1, len(curves), squeeze=False)[0]
    figure.suptitle("DCGAN: the time of a step")
    for axes, (part, points) in zip(panels, curves.items(), strict=True):
        sizes = [point[part] for point in points]
        blocks = [[1e3 * seconds for seconds in point["seconds_per_step"]] for point in points]
        middles = [statistics.median(block) for block in blocks]
        bars = [[m - min(b), max(b) - m] for m, b in zip(middles, blocks, strict=True)]
        linear = [middles[0] * size / sizes[0] for size in sizes]
        axes.plot(sizes, linear, color="0.5", linestyle="--", linewidth=1.2, label="linear")
        label = f"measured, exponent {statistics.median(exponents(part, points)):.2f}"
        style = {"color": "tab:blue", "linewidth": 1.6, "marker": "o", "ms": 4, "capsize": 3}
        axes.errorbar(sizes, middles, list(zip(*bars, strict=True)), label=label, **style)
        axes.set(xscale="log", yscale="log")
        axes.set_xlabel("pixels" if part == "resolution" else part)
        axes.set_xticks(sizes, labels=map(TICKS[part], sizes))
        axes.yaxis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter("{x:g}")
        axes.minorticks_off()
        axes.grid(True, color="0.9")
        axes.set_axisbelow(True)
        above = {"loc": "lower left", "bbox_to_anchor": (0, 1), "borderaxespad": 0.2}
        axes.legend(ncols=2, frameon=False, columnspacing=1, handlelength=1.5, **above)
    panels[0].set_ylabel("ms")
    return figure


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parts = ("workers", *POINTS)
    parser.add_argument("--parts", nargs="+", choices=parts, default=list(parts))
    parser.add_argument("--rounds", type=int, default=5, help="blocks of each form or point")
    parser.add_argument("--steps", type=int, help=f"of a block; default: {SECONDS} seconds of them")
    parser.add_argument("--out", type=Path, default="runs/scaling", help="parts in it are kept")
    parser.add_argument("--worker-batch", type=int, default=ROWS["dcgan_32"].batch)
    parser.add_argument("--core", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--per-replica", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.core is not None:
        return work(args.core, args.worker_batch, not args.per_replica)
    if min(args.rounds, args.worker_batch, args.steps or 1) < 1:
        parser.error("--rounds, --steps and --worker-batch must be 1 or more")
    args.out.mkdir(parents=True, exist_ok=True)
    path = args.out / "scaling.json"
    results = json.loads(path.read_text())["parts"] if path.exists() else {}
    with open(args.out / "scaling.log", "a") as log:
        for part in sorted(args.parts, key=parts.index):  # before TensorFlow is in this process
            if part == "workers":
                results[part] = measure_workers(args.rounds, args.steps, args.worker_batch, log)
                print(workers_table(results[part]), flush=True)
            else:
                results[part] = measure_curve(part, args.rounds, args.steps)
                print(curve_table(part, results[part]), flush=True)
            content = {"versions": versions(), "command": sys.argv, "parts": results}
            path.write_text(json.dumps(content, indent=1))
    if curves := {part: results[part] for part in POINTS if part in results}:
        draw(curves).savefig(args.out / "scaling.png")


if __name__ == "__main__":
    main()
