"""CycleGAN (Zhu et al., 2017) on two sets of pictures without pairs.

By default light and dark emoji of people, 298 of each, which come with the package: the model is
not told which belong together. Other sets are two folders, such as those that
`tools/build_unpaired_data.py` makes of the emoji of Noto and OpenMoji.

Where it differs from the paper: pictures of 32 x 32 or 64 x 64, with networks of width 24, 3
residual blocks and patches of 34 x 34; instance normalization with scales, and zeros at the bottom
and the right of strided convolutions; minibatches of 2 and not of 1; Adam's rate 5e-4, for a
shorter run; the pictures come from averaged generators.

    python examples/cyclegan.py --steps 2000
    python examples/cyclegan.py --a FOLDER/noto --b FOLDER/openmoji --size 32
"""

from pathlib import Path

from keras_gans import CycleGAN, networks, optimizers, runs
from keras_gans.datasets import load, unpaired
from keras_gans.images import save_png, to_uint8
from keras_gans.schedules import ConstantThenLinear

from common import arguments

WIDTH = 24
NUM_BLOCKS = 3
NUM_LAYERS = 2
LEARNING_RATE = 5e-4
EMA_DECAY = 0.99


def skin_tone_folders(root):
    """Writes the lightest and the darkest emoji of each family; returns their two folders."""
    dataset = load("noto_skin_tones", labels=True, shuffle=False, batch_size=2000)
    pictures, labels = next(iter(dataset))
    folders = []
    for name in ("light", "dark"):
        folders.append(Path(root, name))
        folders[-1].mkdir(parents=True, exist_ok=True)
        wanted = labels == dataset.info.class_names.index(name)
        for index, picture in enumerate(to_uint8(pictures[wanted])):
            save_png(folders[-1] / f"{index:03}.png", picture)
    return folders


def build_networks(shape, seed):
    """G from A to B, F from B to A, and the discriminators of A and of B."""
    return (
        *(
            networks.build_resnet_generator(shape, width=WIDTH, num_blocks=NUM_BLOCKS, seed=seed)
            for seed in (seed, seed + 1)
        ),
        *(
            networks.build_patchgan_discriminator(
                shape, width=WIDTH, num_layers=NUM_LAYERS, seed=seed
            )
            for seed in (seed + 2, seed + 3)
        ),
    )


def main():
    args = arguments(
        __doc__,
        out="runs/cyclegan",
        steps=2000,
        batch_size=2,
        a={"help": "a folder of pictures"},
        b={"help": "the other folder"},
        size={"type": int, "help": "side to resize pictures to (default: as they are)"},
    )
    folders = (args.a, args.b) if args.a and args.b else skin_tone_folders(f"{args.out}-data")
    dataset = unpaired(
        *(
            load(folder, batch_size=args.batch_size, image_size=args.size, seed=args.seed)
            for folder in folders
        )
    )

    gan = CycleGAN(
        *build_networks(dataset.info.shape, args.seed),
        cycle_weight=10.0,
        identity_weight=0.5,
        buffer_size=50,
        total_steps=args.steps,
        ema_decay=EMA_DECAY,
        seed=args.seed,
    )
    rate = ConstantThenLinear(LEARNING_RATE, args.steps)
    gan.compile(
        generator_optimizer=optimizers.adam(rate, beta_1=0.5),
        discriminator_optimizer=optimizers.adam(rate, beta_1=0.5),
    )
    # The grid's rows: A, A as B, and back to A; then B, B as A, and back to B.
    runs.train(gan, dataset, args.out, args.steps, fresh=True, settings=vars(args))


if __name__ == "__main__":
    main()
