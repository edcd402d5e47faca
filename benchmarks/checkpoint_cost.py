"""What checkpoints of `Resume` cost: their seconds and bytes, and the slowdown of a run.

The model is a GAN of MLPs with 50 million parameters and Adam, so that a checkpoint holds 150
million numbers; `tf.train.Checkpoint` and, where it is installed, Orbax write the same ones in turn
(Orbax compresses, and Adam's slots are zeros here). The slowdown is that of runs A B A B in one
process, where B saves every 100 steps and A does not; both are timed to the end of the last step,
when a checkpoint may still be under way, and to the end of `fit`, which waits for it.

    python benchmarks/checkpoint_cost.py --steps 100 --batch-size 64
"""

import argparse
import contextlib
import os
import tempfile
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from keras_gans import GAN
from keras_gans.callbacks import Resume
from keras_gans.datasets import load
from keras_gans.networks import build_mlp_discriminator, build_mlp_generator
from keras_gans.training.checkpoints import paths, read, snapshot, variables_of, write

import keras
import numpy as np
import tensorflow as tf


class Clock(keras.callbacks.Callback):
    """Times of the first step's end, which compiles, and of the last one's."""

    def on_train_begin(self, logs=None):
        self.times = []

    def on_train_batch_end(self, batch, logs=None):
        self.times = [*self.times[:1], time.perf_counter()]


def build(millions):
    width = round((millions * 1e6 / 4) ** 0.5)
    hidden = (width,) * 3  # two matrices of width x width in each network
    generator = build_mlp_generator((2,), 16, hidden=hidden, seed=0)
    discriminator = build_mlp_discriminator((2,), hidden=hidden, seed=1)
    gan = GAN(generator, discriminator, seed=0)
    adam = keras.optimizers.Adam
    gan.compile(generator_optimizer=adam(1e-4), discriminator_optimizer=adam(1e-4))
    return gan


def cost_of_one(gan, rounds):
    """Prints what one checkpoint costs, in turn with other ways of writing the same numbers."""
    variables = variables_of(gan)
    others = {"tf.train.Checkpoint": tensorflow_writer(variables)}
    with contextlib.suppress(ImportError):
        others["Orbax"] = orbax_writer(variables)
    for number in range(rounds):
        with tempfile.TemporaryDirectory() as directory:
            begin = time.perf_counter()
            values = snapshot(variables)
            taken = time.perf_counter()
            write(directory, values, {"steps": number, "callbacks": {}}, keep=1)
            written = time.perf_counter()
            (path,) = paths(directory)
            read(path)
            print(
                f"Resume: held up {taken - begin:.3f} s, {written - begin:.2f} s in all, "
                f"{megabytes(path)} MB, read in {time.perf_counter() - written:.2f} s",
                flush=True,
            )
            for name, save in others.items():
                path = os.path.join(directory, name)
                held_up, seconds = save(path)
                print(
                    f"{name}: held up {held_up:.3f} s, {seconds:.2f} s in all, "
                    f"{megabytes(path)} MB",
                    flush=True,
                )


def megabytes(path):
    files = [os.path.join(where, name) for where, _, names in os.walk(path) for name in names]
    return round(sum(os.path.getsize(file) for file in files) / 1e6)


def tensorflow_writer(variables):
    checkpoint = tf.train.Checkpoint(values=[variable.value for variable in variables.values()])

    def save(path):
        begin = time.perf_counter()
        checkpoint.write(os.path.join(path, "state"))
        seconds = time.perf_counter() - begin
        return seconds, seconds

    return save


def orbax_writer(variables):
    from orbax import checkpoint

    checkpointer = checkpoint.AsyncCheckpointer(checkpoint.StandardCheckpointHandler())

    def save(path):
        begin = time.perf_counter()
        values = {name.replace("/", "."): np.asarray(v.value) for name, v in variables.items()}
        checkpointer.save(path, args=checkpoint.args.StandardSave(values))
        held_up = time.perf_counter() - begin
        checkpointer.wait_until_finished()
        return held_up, time.perf_counter() - begin

    return save


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--millions", type=float, default=50, help="parameters")
    parser.add_argument("--steps", type=int, default=200, help="steps of each run")
    parser.add_argument("--every", type=int, default=100, help="steps between checkpoints")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=2, help="pairs of runs A and B")
    args = parser.parse_args()

    keras.utils.set_random_seed(0)
    gan = build(args.millions)
    print(f"{gan.count_params() / 1e6:.1f} million parameters", flush=True)
    cost_of_one(gan, args.rounds)
    data = load("ring", batch_size=args.batch_size)
    ratios = {"steps": [], "fit": []}
    for _ in range(args.rounds):
        seconds = {}
        for name in "AB":
            with tempfile.TemporaryDirectory() as directory:
                clock = Clock()
                saving = [Resume(directory, every_steps=args.every)] if name == "B" else []
                gan.fit(data, steps_per_epoch=args.steps + 1, callbacks=[clock, *saving], verbose=0)
                end = time.perf_counter()
                first, last = clock.times
                seconds[name] = {"steps": last - first, "fit": end - first}
        each = 1e3 * seconds["A"]["steps"] / args.steps
        for kind, found in ratios.items():
            found.append(seconds["B"][kind] / seconds["A"][kind])
        print(
            f"A {seconds['A']['steps']:.1f} s ({each:.0f} ms a step), "
            f"B {seconds['B']['steps']:.1f} s, ratio {ratios['steps'][-1]:.3f} of the steps, "
            f"{ratios['fit'][-1]:.3f} of the fit",
            flush=True,
        )
    for kind, found in ratios.items():
        print(f"mean ratio of the {kind}: {np.mean(found):.3f}")


if __name__ == "__main__":
    main()
