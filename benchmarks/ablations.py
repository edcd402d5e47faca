"""What each change to the training steps gives alone: steps with it, and without it.

As in `throughput.py`, each side is a process of its own, and they take blocks of steps in turn.
With and without, a row has the same networks, weights and algorithm; a ratio below 1 is what a
change takes off the time of a step. The changes that are the user's choice are measured the same
way: their ratio is that of the default with the choice and without.

    python benchmarks/ablations.py --rounds 5 --out runs/ablations.json
    python benchmarks/ablations.py --changes activations xla

The table is printed as Markdown, and all blocks go to the file.
"""

import argparse
import dataclasses
import json
import statistics
import sys
from collections.abc import Callable
from pathlib import Path

import throughput
from rows import ROWS

# What takes a change back, in a process that has not built a network yet


def undo_activations():
    """Keras's activations: the second derivative, zeros, is computed."""
    from keras_gans.layers import activations

    activations._piecewise_linear = lambda activation, gradient, inputs, training: activation(
        inputs
    )


def undo_resampling():
    """A convolution of doubled maps, and one before means."""
    from keras_gans.layers import resampled_convolution as module

    from keras import ops

    def upsampled(inputs, kernel):
        doubled = ops.repeat(ops.repeat(inputs, 2, axis=1), 2, axis=2)
        return ops.conv(doubled, kernel, padding="same")

    def pooled(inputs, kernel):
        return ops.average_pool(ops.conv(inputs, kernel, padding="same"), 2)

    module.upsampled_convolution, module.pooled_convolution = upsampled, pooled


def undo_full():
    """A convolution of a single pixel with zeros around it."""
    from keras_gans.layers import resampled_convolution as module

    from keras import ops

    def full(inputs, kernel):
        height, width = (side - 1 for side in kernel.shape[:2])
        padded = ops.pad(inputs, ((0, 0), (height, height), (width, width), (0, 0)))
        return ops.conv(padded, kernel, padding="valid")

    module.full_convolution = full


def undo_passes():
    """Each minibatch through a network in a pass of its own."""
    from keras_gans.training import passes

    passes.judges_alone = lambda network: False


def undo_waiting():
    """Updates that begin before all gradients are there."""
    from keras_gans.training import pipeline

    pipeline.all_at_once = lambda values: values


def one_thread_between_operations():
    import tensorflow as tf

    tf.config.threading.set_inter_op_parallelism_threads(1)


def bfloat16():
    """Convolutions and products in bfloat16; weights, losses and penalties stay in float32."""
    import keras

    keras.config.set_dtype_policy("mixed_bfloat16")


@dataclasses.dataclass(frozen=True)
class Change:
    """A change, and where it is measured.

    Args:
        title: what the table calls it.
        rows: names of rows.
        undo: called before anything is built; for a choice, what makes the choice.
        environment: variables, for the process without the change or with the choice.
        compile: arguments of `compile`, for a choice.
        choice: whether the default is without it.
    """

    title: str
    rows: tuple
    undo: Callable = lambda: None
    environment: dict = dataclasses.field(default_factory=dict)
    compile: dict = dataclasses.field(default_factory=dict)
    choice: bool = False


CHANGES = {
    "onednn": Change(
        "oneDNN's kernels",
        ("dcgan_64", "wgan_gp_28"),
        environment={"TF_ENABLE_ONEDNN_OPTS": "0"},
    ),
    "activations": Change(
        "activations without a second derivative",
        ("residual_32", "progan_32"),
        undo_activations,
    ),
    "resampling": Change(
        "doubled and halved maps in one convolution",
        ("residual_32", "progan_32"),
        undo_resampling,
    ),
    "full": Change("ProGAN's first layer as a matrix product", ("progan_4", "progan_8"), undo_full),
    "passes": Change("translators' minibatches in one pass", ("cyclegan_64",), undo_passes),
    "waiting": Change(
        "updates that wait for all gradients",
        ("dcgan_32", "progan_4", "cyclegan_64"),
        undo_waiting,
    ),
    "xla": Change(
        "XLA",
        ("dcgan_32", "wgan_gp_28", "wgan_gp_64", "progan_8"),
        compile={"jit_compile": True},
        choice=True,
    ),
    "steps_per_execution": Change(
        "8 steps per execution",
        ("progan_4", "dcgan_32"),
        compile={"steps_per_execution": 8},
        choice=True,
    ),
    "inter_op": Change(
        "one thread between operations",
        ("dcgan_32", "cyclegan_64"),
        one_thread_between_operations,
        choice=True,
    ),
    "bfloat16": Change(
        "the policy `mixed_bfloat16`", ("dcgan_64", "wgan_gp_28"), bfloat16, choice=True
    ),
    "malloc": Change(
        "freed memory kept by malloc",
        ("dcgan_64",),
        environment={"MALLOC_MMAP_THRESHOLD_": "4294967296", "MALLOC_TRIM_THRESHOLD_": "-1"},
        choice=True,
    ),
}


def make(contender, row):
    """The training of a row: the default one, or the one of a change."""
    change = CHANGES.get(contender)
    if change:
        import keras_gans  # noqa: F401  (first, for oneDNN)

        change.undo()
    import contender_ours

    model = contender_ours.build(row)
    model.compile(**change.compile if change else {})
    return contender_ours.Contender(model, contender_ours.dataset_of(row))


def measure(name, row_name, rounds, log):
    """Seconds of a step by side: the blocks of the default, and those of the other."""
    environments = {"default": {}, name: CHANGES[name].environment}
    workers = {
        side: throughput.Process(side, row_name, log, __file__, variables)
        for side, variables in environments.items()
    }
    steps, seconds = {}, {side: [] for side in workers}
    unit = CHANGES[name].compile.get("steps_per_execution", 1)
    for side, worker in workers.items():
        worker.ask("make")
        worker.ask("first_step")
        worker.ask("run", unit)  # several steps per execution are traced apart from one
        steps[side] = unit * max(1, round(throughput.SECONDS / worker.ask("run", unit)))
    for _ in range(rounds):
        for side, worker in workers.items():
            seconds[side].append(worker.ask("run", steps[side]) / steps[side])
    for worker in workers.values():
        worker.end()
    return {"steps": steps, "default": seconds["default"], "other": seconds[name]}


def line(name, row_name, result):
    """A row of the table."""
    default, other = result["default"], result["other"]
    new, old = (other, default) if CHANGES[name].choice else (default, other)
    ratios = [a / b for a, b in zip(new, old, strict=True)]
    milliseconds = (f"{1e3 * statistics.median(side):.4g}" for side in (new, old))
    cells = (
        CHANGES[name].title,
        ROWS[row_name].title,
        *milliseconds,
        f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})",
    )
    return f"| {' | '.join(cells)} |"


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--changes", nargs="+", choices=CHANGES, default=list(CHANGES))
    parser.add_argument("--rounds", type=int, default=5, help="blocks of each side")
    parser.add_argument("--out", type=Path, help="JSON file; changes that it has are kept")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    parser.add_argument("--rows", nargs="+", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        return throughput.work(args.worker, ROWS[args.rows[0]], make)
    if args.rounds < 1:
        parser.error(f"--rounds must be 1 or more. Received: {args.rounds}")
    results = {}
    if args.out and args.out.exists():
        results = json.loads(args.out.read_text())["changes"]
    print("| change | row | ms with it | ms without | with / without |\n|---|---|---|---|---|")
    with throughput.open_log(args.out) as log:
        for name in args.changes:
            results[name] = {}
            for row_name in CHANGES[name].rows:
                results[name][row_name] = measure(name, row_name, args.rounds, log)
                print(line(name, row_name, results[name][row_name]), flush=True)
            if args.out:
                content = {"versions": throughput.versions(), "command": sys.argv}
                args.out.write_text(json.dumps({**content, "changes": results}, indent=1))


if __name__ == "__main__":
    main()
