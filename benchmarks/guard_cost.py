"""What `callbacks.Guard` costs: the time of a run with it over that of one without (goal: 1.01).

Protocol: DCGAN on random pictures of 28 x 28, in minibatches of 64. Blocks of steps without and
with a Guard of the default settings take turns in one process; a block's time is that of its steps
after the first one, which compiles and takes the first look. The ratio is the median over the pairs
of blocks. Machines are rarely quiet enough for 1 %, so the ratio is also added up from its parts:
the median time of a look every 100 steps, and of keeping a state every 1,000.

    python benchmarks/guard_cost.py --steps 200 --pairs 5
"""

import argparse
import os
import statistics
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from keras_gans import DCGAN
from keras_gans.callbacks import Guard
from keras_gans.networks import build_dcgan_discriminator, build_dcgan_generator

import keras
import numpy as np
import tensorflow as tf

SHAPE = (28, 28, 1)
BATCH = 64


class Clock(keras.callbacks.Callback):
    """The time from the end of the first step to the end of the block, all callbacks included."""

    def on_train_batch_end(self, batch, logs=None):
        if batch == 0:
            self.begin = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        self.seconds = time.perf_counter() - self.begin


class TimedGuard(Guard):
    """A Guard that notes how long its looks take."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.looks = []

    def _look(self, due):
        begin = time.perf_counter()
        super()._look(due)
        if due:
            self.looks.append(time.perf_counter() - begin)


def milliseconds(times):
    return 1e3 * statistics.median(times)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--steps", type=int, default=200, help="steps of a block, 100 or more")
    parser.add_argument("--pairs", type=int, default=5, help="pairs of blocks")
    args = parser.parse_args()
    if args.steps < 100 or args.pairs < 1:
        parser.error("--steps must be 100 or more, and --pairs 1 or more")

    gan = DCGAN(build_dcgan_generator(SHAPE), build_dcgan_discriminator(SHAPE), seed=0)
    reals = np.random.default_rng(0).uniform(-1, 1, (16 * BATCH, *SHAPE)).astype("float32")
    dataset = tf.data.Dataset.from_tensor_slices(reals).batch(BATCH).cache()
    guard = TimedGuard(reals=reals[:BATCH])
    clock = Clock()

    def block(*callbacks):
        gan.fit(dataset, steps_per_epoch=args.steps, callbacks=[*callbacks, clock], verbose=0)
        return clock.seconds / (args.steps - 1)

    gan.fit(dataset, steps_per_epoch=5, verbose=0)
    steps, ratios = [], []
    for pair in range(args.pairs):
        without, guarded = block(), block(guard)
        steps.append(without)
        ratios.append(guarded / without)
        print(
            f"pair {pair + 1}: {1e3 * without:.2f} ms a step without, {1e3 * guarded:.2f} with, "
            f"ratio {ratios[-1]:.4f}",
            flush=True,
        )

    keeps = []
    for _ in range(10):
        begin = time.perf_counter()
        guard._keep()
        keeps.append(time.perf_counter() - begin)
    step, look, keep = map(milliseconds, (steps, guard.looks, keeps))
    share = (look / guard.every_steps + keep / guard.keep_every_steps) / step
    size = sum(value.numpy().nbytes for value in guard._kept.values())
    print(
        f"a step {step:.2f} ms, a look {look:.2f} ms, keeping {size:,} bytes {keep:.2f} ms\n"
        f"ratio of the times: {statistics.median(ratios):.4f} (median of {args.pairs}); added up "
        f"from the parts: {1 + share:.4f}"
    )


if __name__ == "__main__":
    main()
