"""What checkpoints of `Resume` cost: their seconds and bytes, and the slowdown of a run.

The model is a GAN of MLPs with 50 million parameters and Adam, so that a checkpoint holds 150
million numbers. The slowdown is that of runs A B A B in one process, where B saves every 100 steps
and A does not; both are timed to the end of the last step, when a checkpoint may still be under
way, and to the end of `fit`, which waits for it.

    python benchmarks/checkpoint_cost.py --steps 100 --batch-size 64
"""

import argparse
import os
import tempfile
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import tensorflow as tf

from keras_gans import GAN
from keras_gans.callbacks import Resume
from keras_gans.checkpoints import paths, read, snapshot, variables_of, write
from keras_gans.datasets import load
from keras_gans.networks import build_mlp_discriminator, build_mlp_generator


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


def cost_of_one(gan, directory):
    variables = variables_of(gan)
    facts = {"steps": 0, "callbacks": {}}
    for attempt in range(3):
        begin = time.perf_counter()
        values = snapshot(variables)
        taken = time.perf_counter()
        write(directory, values, {**facts, "steps": attempt}, keep=1)
        written = time.perf_counter()
        read(paths(directory)[-1])
        end = time.perf_counter()
        print(
            f"in the foreground {taken - begin:.4f} s, in the background {written - taken:.2f} s; "
            f"to read it {end - written:.2f} s",
            flush=True,
        )
    path = paths(directory)[-1]
    size = sum(os.path.getsize(os.path.join(path, name)) for name in os.listdir(path))
    checkpoint = tf.train.Checkpoint(values=[variable.value for variable in variables.values()])
    begin = time.perf_counter()
    checkpoint.write(os.path.join(directory, "tensorflow"))
    seconds = time.perf_counter() - begin
    print(f"{size / 1e6:.0f} MB; tf.train.Checkpoint, all in the foreground: {seconds:.2f} s")


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
    with tempfile.TemporaryDirectory() as directory:
        cost_of_one(gan, directory)
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
