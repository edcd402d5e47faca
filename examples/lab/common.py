"""What the laboratory's scripts share: arguments, a plain training loop, pictures and tables."""

import argparse
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from keras_gans.files import replacing, write_json

import keras
import numpy as np
import tensorflow as tf

REAL, FAKE, CRITIC, EXACT = "tab:blue", "tab:orange", "tab:green", "0.45"
"""Colours of the reals, the fakes, a critic and an exact result, in all pictures."""


def arguments(description, argv=None, **more):
    """The command line of a script, with Keras's seeds set.

    Args:
        description: what `--help` says; a script gives its docstring.
        argv: list of str instead of the process's own arguments.
        **more: further options as keyword arguments of `add_argument`, by name.

    Returns:
        Namespace with `out`, a Path, `seed`, `quick` and the further options.
    """
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--out", type=Path, default="runs/lab", help="directory of the results (default: runs/lab)")
    add("--seed", type=int, default=0, help="seed of weights and samples (default: 0)")
    add("--quick", action="store_true", help="a few seconds of training, to try the script out")
    for name, options in more.items():
        add(f"--{name.replace('_', '-')}", **options)
    args = parser.parse_args(argv)
    keras.utils.set_random_seed(args.seed)
    tf.get_logger().setLevel("ERROR")  # a graph for each network is meant, and not worth a warning
    return args


def minimize(network, loss, steps, rate, optimizer=keras.optimizers.Adam, after=None):
    """Trains one network in one graph, with a rate that falls to 0 along a cosine.

    Args:
        network: built `keras.Model`.
        loss: function of nothing that draws fresh samples and returns a scalar.
        steps: number of updates.
        rate: first learning rate.
        optimizer: class of a Keras optimizer.
        after: function of nothing that is called after each update, such as a clipping of weights.
    """
    variables = network.trainable_variables
    optimizer = optimizer(keras.optimizers.schedules.CosineDecay(rate, steps))
    optimizer.build(variables)

    @tf.function
    def train():
        for _ in tf.range(steps):
            with tf.GradientTape() as tape:
                value = loss()
            optimizer.apply(tape.gradient(value, variables), variables)
            if after is not None:
                after()

    train()


def subplots(columns, width=4.5, height=3.6):
    """A figure of `columns` axes beside each other, of that size in inches each."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(columns * width, height), layout="constrained", dpi=100)
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, columns, squeeze=False)[0]
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
    return figure, axes


def save_figure(path, figure):
    """Writes a figure as a PNG file of 128 colours, a third of the size, at once or not at all."""
    from PIL import Image

    figure.canvas.draw()
    pixels = np.asarray(figure.canvas.buffer_rgba())[..., :3]
    with replacing(path, ".png") as temporary:
        Image.fromarray(pixels).quantize(128).save(temporary, format="png", optimize=True)


def table(rows):
    """A Markdown table of dicts with the same keys; numbers get four significant digits."""
    lines = [list(rows[0]), ["---"] * len(rows[0])]
    lines += [[f"{v:.4g}" if isinstance(v, float) else str(v) for v in r.values()] for r in rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def finish(name, args, figure, rows, caption):
    """Writes NAME.png, NAME.md (picture, caption, table) and NAME.json (the table's numbers).

    Args:
        name: str, the script's.
        args: what `arguments` returned.
        figure: matplotlib figure.
        rows: list of dicts with the same keys: str, int or float values.
        caption: str, what one sees in the picture.
    """
    save_figure(args.out / f"{name}.png", figure)
    text = table(rows)
    with replacing(args.out / f"{name}.md") as temporary:
        page = f"![{name}]({name}.png)\n\n{caption}\n\n{text}"
        Path(temporary).write_text(page, encoding="utf-8")
    settings = {"seed": args.seed, "quick": args.quick}
    # JSON has no infinity.
    finite = [{k: "inf" if v == float("inf") else v for k, v in row.items()} for row in rows]
    write_json(args.out / f"{name}.json", {**settings, "rows": finite})
    print(f"{text}\n{caption}\n{args.out / name}.png", flush=True)
