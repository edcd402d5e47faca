"""A GPU's table: exported steps of keras_gans beside PyTorch. It needs jax, torch and numpy alone.

    python3 gpu_table.py --minutes 8 --out gpu.json    # in the folder that gpu.py made

Each contender is a process of its own. Those of a group of rows compile at the same time; then they
take blocks of steps in turn, row by row (A B C A B C ...). The file is written after each row. What
takes too long or fails is written down, and the rest goes on.
"""

import argparse
import itertools
import json
import os
import queue
import signal
import statistics
import sys
import threading
import time
from pathlib import Path

from rows import Row
from throughput import Process, work

HERE = Path(__file__).resolve().parent
EPOCH = 8  # steps whose reals are held on the device
BLOCK = 0.4  # seconds of a block, at least
COMPILING = 200  # seconds that the contenders of a group may take to be ready
TORCH = {
    "torch": {},
    "torch_last": {"channels_last": True},
    "torch_compiled": {"compiled": True},
    "torch_compiled_last": {"compiled": True, "channels_last": True},
    "torch_bf16": {"autocast": True, "channels_last": True},
    "torch_compiled_bf16": {"autocast": True, "channels_last": True, "compiled": True},
}
VARIABLES = {"XLA_PYTHON_CLIENT_PREALLOCATE": "false", "TORCHINDUCTOR_COMPILE_THREADS": "4"}


def plan():
    """What `gpu.py` wrote: rows, groups, contenders, whether TF32 is on."""
    content = json.loads((HERE / "plan.json").read_text())
    rows = {name: {**row, "shape": tuple(row["shape"])} for name, row in content["rows"].items()}
    return {**content, "rows": {name: Row(**row) for name, row in rows.items()}}


# The workers


class Ours:
    """An exported step, on random reals that are on the device, as the other contenders'."""

    def __init__(self, folder):
        import jax
        import numpy as np
        import run_step

        self.jax = jax
        self.trainer = trainer = run_step.Trainer(folder, drawn_state=True)
        manifest, rng = trainer.manifest, np.random.default_rng(0)
        axes = (manifest["steps_per_call"], manifest["examples_per_step"])

        def reals():
            shapes = [(*axes, *part["shape"]) for part in manifest["data"]]
            return [jax.device_put(rng.uniform(-1, 1, s).astype("float32")) for s in shapes]

        self.per_call = axes[0]
        self.reals = itertools.cycle([reals() for _ in range(max(1, EPOCH // axes[0]))])
        values = [trainer.values[name] for name in trainer.names]
        self.compiled = trainer.from_rows.lower(values, next(self.reals)).compile()
        trainer.from_rows = self.compiled

    def first_step(self):
        self.run(self.per_call)

    def run(self, steps):
        begin = time.perf_counter()
        for reals in itertools.islice(self.reals, -(-steps // self.per_call)):
            logs = self.trainer.call(reals)
        self.jax.block_until_ready((logs, self.trainer.values))
        seconds = time.perf_counter() - begin
        self.losses = {name: float(value) for name, value in logs.items()}
        return seconds * steps / (self.per_call * -(-steps // self.per_call))

    def memory(self):
        return (self.trainer.device.memory_stats() or {}).get("peak_bytes_in_use")

    def facts(self):
        """What XLA says of its program: FLOPs and bytes of a step, and the losses at the end."""
        costs = self.compiled.cost_analysis() or {}
        costs = costs[0] if isinstance(costs, list) else costs
        found = {name: costs.get(name) for name in ("flops", "bytes accessed")}
        return {**found, "losses": self.losses, "device": self.trainer.device.device_kind}


class Torch:
    """A contender of `contender_torch`."""

    def __init__(self, row, tf32, device, **settings):
        import torch

        import contender_torch

        self.made = contender_torch.make(row, device=device, **settings)
        torch.set_float32_matmul_precision("high" if tf32 else "highest")
        torch.backends.cudnn.allow_tf32 = tf32
        self.first_step, self.run, self.memory = (
            self.made.first_step,
            self.made.run,
            self.made.memory,
        )

    def facts(self):
        import torch

        return {"torch": torch.__version__}


class Card:
    """What the card can do, and the FLOPs of a row's step, counted on the CPU."""

    def __init__(self, row, tf32, device):
        self.row, self.tf32, self.device = row, tf32, device

    def facts(self):
        import torch

        torch.set_float32_matmul_precision("high" if self.tf32 else "highest")
        size = 8192 if self.device == "cuda" else 512
        found = {"cuda": torch.version.cuda, "torch": torch.__version__}
        if self.device == "cuda":
            found["name"] = torch.cuda.get_device_name()
        for dtype in (torch.float32, torch.bfloat16):
            a = torch.randn(size, size, device=self.device).to(dtype)
            found[str(dtype).removeprefix("torch.")] = max(self.flops_per_second(a) for _ in "123")
        return found

    def flops_per_second(self, a, products=10):
        import torch

        wait = torch.cuda.synchronize if self.device == "cuda" else lambda: None
        a @ a
        wait()
        begin = time.perf_counter()
        for _ in range(products):
            a @ a
        wait()
        return 2 * len(a) ** 3 * products / (time.perf_counter() - begin)

    def flops(self):
        import contender_torch

        return contender_torch.count_flops(self.row)


def make(contender, row_name):
    """The contender of a row, by their names."""
    made = plan()
    row, tf32, device = made["rows"][row_name], made["tf32"], made["device"]
    if contender == "card":
        return Card(row, tf32, device)
    if contender in TORCH:
        return Torch(row, tf32, device, **TORCH[contender])
    return Ours(HERE / "steps" / f"{row_name}-{contender}")


# The parent


class Worker(Process):
    """A process that is given up on after some seconds without an answer."""

    def __init__(self, contender, row_name, log):
        script = str(HERE / "gpu_table.py")
        super().__init__(contender, row_name, log, script, VARIABLES, alone=True)
        self.lines = queue.SimpleQueue()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put("")

    def answer(self, command, seconds=COMPILING):
        try:
            line = self.lines.get(timeout=max(0.0, seconds))
        except queue.Empty:
            raise RuntimeError(f"{command} took too long") from None
        if not line:
            raise RuntimeError(f"{command} failed: see the log")
        return json.loads(line)

    def kill(self):
        """Its compilers, which are processes too, would slow down the others."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def measure(row_names, made, rounds, log, write, deadline):
    """Measures a group of rows; gives each row's result to `write(row_name, result)`."""
    workers, results = {}, {}
    ready_by = min(deadline, time.perf_counter() + COMPILING)
    for name in row_names:
        results[name] = {"failed": {}, "ready": {}, "seconds_per_step": {}, "steps": {}}
        results[name] |= {"memory": {}, "facts": {}}
        for contender in made["contenders"][name]:
            worker = workers[name, contender] = Worker(contender, name, log)
            worker.tell("make")
            worker.tell("first_step")

    def attempt(key, command, value=None, told=False, by=deadline):
        """The worker's answer; None, and the worker is gone, where there is none in time."""
        name, contender = key
        try:
            if not told:
                workers[key].tell(command, value)
            return workers[key].answer(command, by - time.perf_counter())
        except (RuntimeError, OSError) as error:
            results[name]["failed"][contender] = f"{command}: {error}"
            workers.pop(key).kill()
            return None

    for key in list(workers):
        if attempt(key, "make", told=True, by=ready_by) is None:
            continue
        ready = attempt(key, "first_step", told=True, by=ready_by)
        if ready is not None:
            results[key[0]]["ready"][key[1]] = ready
    for name in row_names:
        keys = [key for key in list(workers) if key[0] == name]
        result = results[name]
        for key in keys:
            once = attempt(key, "run", 4)
            if once is not None:
                once = attempt(key, "run", 8) / 8
                result["steps"][key[1]] = 8 * max(1, round(BLOCK / once / 8))
                result["seconds_per_step"][key[1]] = []
        for _ in range(rounds):
            for key in [key for key in keys if key in workers]:
                steps = result["steps"][key[1]]
                seconds = attempt(key, "run", steps)
                if seconds is not None:
                    result["seconds_per_step"][key[1]].append(seconds / steps)
        for key in [key for key in keys if key in workers]:
            result["memory"][key[1]] = attempt(key, "memory")
            if key in workers:
                result["facts"][key[1]] = attempt(key, "facts")
            if key in workers:
                workers.pop(key).end()
        write(name, result)


def card(made, log, deadline):
    """What the card can do, and the FLOPs of each row's step."""
    row_names = [name for group in made["groups"] for name in group]
    worker, found = Worker("card", row_names[0], log), {}
    try:
        worker.ask("make")
        worker.tell("facts")
        found = worker.answer("facts", min(60, deadline - time.perf_counter()))
        worker.end()
    except (RuntimeError, OSError) as error:
        found = {"failed": str(error)}
        worker.kill()
    counters = {name: Worker("card", name, log) for name in made["counted"]}
    for counter in counters.values():
        counter.tell("make")
        counter.tell("flops")
    found["flops_per_step"] = {}
    for name, counter in counters.items():
        try:
            counter.answer("make")
            found["flops_per_step"][name] = counter.answer("flops", 60)
            counter.end()
        except RuntimeError:
            counter.kill()
    return found


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=8.0, help="in all (default: 8)")
    parser.add_argument("--rounds", type=int, default=5, help="blocks of each contender")
    parser.add_argument("--out", type=Path, default=Path("gpu.json"), help="JSON file to write")
    parser.add_argument("--card", type=Path, help="an earlier gpu.json, for what the card can do")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    parser.add_argument("--rows", nargs="+", help=argparse.SUPPRESS)
    args = parser.parse_args()
    sys.path.insert(0, str(HERE))
    if args.worker:
        return work(args.worker, args.rows[0], make)
    begin, made = time.perf_counter(), plan()
    deadline = begin + 60 * args.minutes - 10  # the rest is for the end of the workers
    content = {"plan": json.loads((HERE / "plan.json").read_text()), "rows": {}, "skipped": []}

    def write(name=None, result=None):
        if name:
            content["rows"][name] = result
            blocks = result["seconds_per_step"]
            told = {c: f"{1e3 * statistics.median(b):.3f} ms" for c, b in blocks.items() if b}
            print(f"{time.perf_counter() - begin:5.0f} s  {name}: {told} {result['failed']}")
            sys.stdout.flush()
        content["seconds"] = time.perf_counter() - begin
        temporary = args.out.with_suffix(".unfinished")
        temporary.write_text(json.dumps(content, indent=1))
        os.replace(temporary, args.out)

    with open(args.out.with_suffix(".log"), "a") as log:
        known = json.loads(args.card.read_text())["card"] if args.card else None
        content["card"] = known or card(made, log, deadline)
        print(content["card"], flush=True)
        write()
        longest = 0.0
        for group in made["groups"]:
            now = time.perf_counter()
            compiles = any("torch_compiled" in made["contenders"][name] for name in group)
            if now + (longest if compiles else 60.0) > deadline:  # it would not be ready
                content["skipped"] += group
                write()
                continue
            measure(group, made, args.rounds, log, write, deadline)
            longest = max(longest, 0.7 * (time.perf_counter() - now))
    print(f"{args.out}: {len(content['rows'])} rows, {time.perf_counter() - begin:.0f} s")


if __name__ == "__main__":
    main()
