"""LAPGAN (Denton et al., 2015) on Fashion-MNIST: 7 -> 14 -> 28 pixels.

Where it differs from the paper: 28 x 28 grey pictures with a coarsest level of 7 x 7; smaller
networks, with 3 x 3 kernels in the generators; Adam at 1e-3 for a shorter run, instead of SGD; the
pictures come from averaged generators. `--paper` takes the paper's networks and optimizers, and
`--classes` the class-conditional form, with a column of the grid for each class.

`pyramid.png` has a row for each of some samples: what the coarsest level made, and what it became
at each finer one.

    python examples/lapgan.py --steps 1500
    python examples/lapgan.py --classes
"""

import pathlib

from keras_gans import LAPGAN, networks, optimizers, runs
from keras_gans.datasets import load
from keras_gans.images import make_grid, save_png, to_uint8

import numpy as np

from common import arguments

LEVELS = 3
LATENT_DIM = 64
WIDTH = 32
UNITS = 256  # of the coarsest level
LEARNING_RATE = 1e-3
EMA_DECAY = 0.99
PYRAMID_ROWS = 8


def small_networks(shape, num_classes, seed):
    size = {"width": WIDTH, "units": UNITS, "num_classes": num_classes}
    return (
        networks.build_lapgan_generators(
            shape, LEVELS, LATENT_DIM, kernel_size=3, **size, seed=seed
        ),
        networks.build_lapgan_discriminators(shape, LEVELS, **size, seed=seed + 1),
    )


def paper_networks(shape, num_classes, seed):
    """Section 3.1: 1200 and 600 units at the coarsest level; convolutions of 64 filters."""
    classes = {"num_classes": num_classes}
    return (
        networks.build_lapgan_generators(shape, LEVELS, **classes, seed=seed),
        networks.build_lapgan_discriminators(shape, LEVELS, **classes, seed=seed + 1),
    )


def pyramid_grid(gan, seed):
    """A row for each sample, with a column for each level, all enlarged to twice the final size."""
    levels = gan.pictures_by_level(gan.generator_inputs(PYRAMID_ROWS, seed))
    side = 2 * levels[-1].shape[1]
    columns = []
    for pictures in map(to_uint8, levels):
        scale = side // pictures.shape[1]
        columns.append(pictures.repeat(scale, axis=1).repeat(scale, axis=2))
    in_rows = np.stack(columns, axis=1).reshape(-1, *columns[0].shape[1:])
    return make_grid(in_rows, columns=len(columns))


def main():
    args = arguments(
        __doc__,
        out="runs/lapgan",
        steps=1500,
        batch_size=64,
        paper={"action": "store_true", "help": "the paper's networks and optimizers"},
        classes={"action": "store_true", "help": "the class-conditional form"},
    )
    dataset = load(
        "fashion_mnist_10k", batch_size=args.batch_size, seed=args.seed, labels=args.classes
    )
    num_classes = dataset.info.num_classes if args.classes else None
    build = paper_networks if args.paper else small_networks
    gan = LAPGAN(
        *build(dataset.info.shape, num_classes, args.seed),
        num_classes=num_classes,
        ema_decay=EMA_DECAY,
        seed=args.seed,
    )
    if args.paper:
        gan.compile()
    else:
        gan.compile(
            generator_optimizer=optimizers.adam(LEARNING_RATE, beta_1=0.5),
            discriminator_optimizer=optimizers.adam(LEARNING_RATE, beta_1=0.5),
        )
    runs.train(gan, dataset, args.out, args.steps, fresh=True, settings=vars(args))
    path = pathlib.Path(args.out) / "pyramid.png"
    save_png(path, pyramid_grid(gan, args.seed))
    print(f"Level by level: {path}")


if __name__ == "__main__":
    main()
