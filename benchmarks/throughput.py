"""Training steps of keras_gans beside plain PyTorch and beside the style of the Keras tutorials.

Each contender is a process of its own that holds a model; they take blocks of steps in turn
(A B C A B C ...), so that a drift of the machine meets all of them. A time is the median of a
contender's blocks, and the spread is (largest - smallest) / median; a ratio is the median of those
of the rounds. PyTorch runs in both memory formats, and the better one counts. The peak is the best
of a float32 product of two matrices of 4,096 x 4,096 by TensorFlow, numpy and PyTorch, taken before
and after each row's blocks. A step's FLOPs are those that PyTorch counts in its own step, for all
contenders.

    pip install ".[benchmarks]"
    python benchmarks/throughput.py --rounds 5 --out runs/throughput.json
    python benchmarks/throughput.py --rows dcgan_32 --contenders ours torch

The table is printed as Markdown, and all blocks go to the file.
"""

import argparse
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

CONTENDERS = ("ours", "torch", "torch_channels_last", "tutorial")
SECONDS = 2.5  # of a block, at least


# The worker: one contender of one row


def make(contender, row):
    if contender.startswith("torch"):
        import contender_torch

        return contender_torch.make(row, contender == "torch_channels_last")
    if contender == "peak":
        return Peak()
    if contender == "ours":
        import contender_ours

        return contender_ours.make(row)
    import contender_tutorial

    return contender_tutorial.make(row)


class Peak:
    """The best float32 matrix product of three libraries, in GFLOP/s."""

    def run(self, steps):
        return {name: self.measure(product) for name, product in self.products().items()}

    def products(self):
        os.environ["TF_ENABLE_ONEDNN_OPTS"] = "1"
        import numpy as np
        import tensorflow as tf
        import torch

        a = np.random.default_rng(0).normal(size=(4096, 4096)).astype("float32")
        a_tf, a_torch = tf.constant(a), torch.from_numpy(a)
        return {
            "numpy": lambda: a @ a,
            "tensorflow": lambda: tf.matmul(a_tf, a_tf).numpy(),
            "torch": lambda: a_torch @ a_torch,
        }

    def measure(self, product):
        times = []
        for _ in range(4):
            begin = time.perf_counter()
            product()
            times.append(time.perf_counter() - begin)
        return 2 * 4096**3 / min(times) / 1e9


def work(contender, row, make=make):
    """Answers the parent's commands, a line of JSON each."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print goes elsewhere
    begin, model = time.perf_counter(), None
    for line in sys.stdin:
        command, value = json.loads(line)
        if command == "make":
            model = make(contender, row)
            answer = time.perf_counter() - begin
        elif command == "first_step":
            model.first_step()
            answer = time.perf_counter() - begin
        elif command in ("parameters", "flops", "facts"):
            answer = getattr(model, command)()
        elif command == "memory":
            of_device = model.memory() if hasattr(model, "memory") else None
            answer = of_device or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        else:
            answer = model.run(value)
        print(json.dumps(answer), file=answers, flush=True)


# The parent


class Process:
    """A worker, and what it answers; `script` is what it runs, with variables of its own.

    With `alone` it leads a process group, which can be killed with all that it has started.
    """

    def __init__(self, contender, row_name, log, script=__file__, variables=None, alone=False):
        environment = {"TF_CPP_MIN_LOG_LEVEL": "2", **os.environ, **(variables or {})}
        command = [sys.executable, script, "--worker", contender, "--rows", row_name]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=environment,
            start_new_session=alone,
        )

    def ask(self, command, value=None):
        self.tell(command, value)
        return self.answer(command)

    def tell(self, command, value=None):
        print(json.dumps([command, value]), file=self.process.stdin, flush=True)

    def answer(self, command):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{command} failed: see the log")
        return json.loads(line)

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def measure(row_name, contenders, rounds, log):
    """All blocks of a row.

    Returns:
        A dict: `steps` of a block and `seconds_per_step` of each block by contender, `peak`,
        `flops_per_step`, `first_step` and `memory`.
    """
    peak = Process("peak", row_name, log)
    peak.ask("make")
    workers, result = {}, {"steps": {}, "first_step": {}, "memory": {}, "failed": {}}
    for name in contenders:
        workers[name] = worker = Process(name, row_name, log)
        try:
            worker.ask("make")
            result["first_step"][name] = worker.ask("first_step")
            once = worker.ask("run", 1)
            result["steps"][name] = max(1, round(SECONDS / once))
        except RuntimeError as error:
            result["failed"][name] = str(error)
            workers.pop(name).process.kill()
    if "torch" in workers:
        result["flops_per_step"] = workers["torch"].ask("flops")
    sizes = {name: sorted(worker.ask("parameters").values()) for name, worker in workers.items()}
    if len(set(map(tuple, sizes.values()))) > 1:
        raise SystemExit(
            f"{row_name}: the contenders must have the same networks. Received: {sizes}"
        )
    result["parameters"] = sum(next(iter(sizes.values())))
    result["seconds_per_step"] = {name: [] for name in workers}
    peaks = [peak.ask("run")]
    for _ in range(rounds):
        for name, worker in workers.items():
            steps = result["steps"][name]
            result["seconds_per_step"][name].append(worker.ask("run", steps) / steps)
    peaks.append(peak.ask("run"))
    result["peak"] = {name: max(p[name] for p in peaks) for name in peaks[0]}
    for name, worker in workers.items():
        result["memory"][name] = worker.ask("memory")
        worker.end()
    peak.end()
    return result


def ratio(result, contender):
    """Our time over a contender's, the median over the rounds; `None` where it took no part."""
    blocks = result["seconds_per_step"]
    if contender not in blocks:
        return None
    return statistics.median(a / b for a, b in zip(blocks["ours"], blocks[contender], strict=True))


def summary(row_name, result):
    """What the table says of a row."""
    seconds = {name: statistics.median(s) for name, s in result["seconds_per_step"].items()}
    spread = {
        name: (max(s) - min(s)) / seconds[name] for name, s in result["seconds_per_step"].items()
    }
    torch = min((n for n in seconds if n.startswith("torch")), key=seconds.get, default=None)
    line = {"row": ROWS[row_name].title, "seconds": seconds, "spread": spread}
    line["images_per_second"] = ROWS[row_name].examples_per_step / seconds["ours"]
    line["of_torch"] = ratio(result, torch)
    line["of_tutorial"] = ratio(result, "tutorial")
    if "flops_per_step" in result:
        best = max(result["peak"].values())
        line["share_of_peak"] = result["flops_per_step"] / seconds["ours"] / 1e9 / best
    return line


def table(results):
    """The Markdown table of all rows."""
    lines = [
        "| row | images/s | ms a step | PyTorch, ms | contiguous / channels-last | tutorial, ms | "
        "of PyTorch | of tutorial | of peak |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, result in results.items():
        s = summary(name, result)

        def ms(contender, s=s):
            if contender not in s["seconds"]:
                return "-"
            return f"{1e3 * s['seconds'][contender]:.4g} ± {50 * s['spread'][contender]:.0f} %"

        def number(key, form, s=s):
            return format(s[key], form) if s.get(key) is not None else "-"

        torch = [n for n in s["seconds"] if n.startswith("torch")]
        best = min(torch, key=s["seconds"].get, default="torch")
        formats = " / ".join(f"{1e3 * s['seconds'][n]:.4g}" for n in torch) or "-"
        lines.append(
            f"| {s['row']} | {s['images_per_second']:.4g} | {ms('ours')} | {ms(best)} | {formats} "
            f"| {ms('tutorial')} | {number('of_torch', '.2f')} | {number('of_tutorial', '.2f')} "
            f"| {number('share_of_peak', '.0%')} |"
        )
    return "\n".join(lines)


def versions():
    import importlib.metadata

    names = ("tensorflow", "keras", "torch", "numpy")
    return {"python": platform.python_version()} | {
        name: importlib.metadata.version(name) for name in names
    }


def open_log(out):
    """Where workers' messages go: beside the file of the results, if there is one."""
    return open(os.devnull if out is None else out.with_suffix(".log"), "a")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=list(ROWS))
    parser.add_argument("--contenders", nargs="+", choices=CONTENDERS, default=list(CONTENDERS))
    parser.add_argument("--rounds", type=int, default=5, help="blocks of each contender")
    parser.add_argument("--out", type=Path, help="JSON file; rows that it has are kept")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        return work(args.worker, ROWS[args.rows[0]])
    if args.rounds < 1:
        parser.error(f"--rounds must be 1 or more. Received: {args.rounds}")
    results = {}
    if args.out and args.out.exists():
        results = json.loads(args.out.read_text())["rows"]
    with open_log(args.out) as log:
        for name in args.rows:
            results[name] = measure(name, args.contenders, args.rounds, log)
            print(table({name: results[name]}).splitlines()[-1], flush=True)
            if args.out:
                content = {"versions": versions(), "command": sys.argv, "rows": results}
                args.out.write_text(json.dumps(content, indent=1))
    print(table({name: results[name] for name in ROWS if name in results}))


if __name__ == "__main__":
    main()
