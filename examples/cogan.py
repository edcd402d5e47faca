"""CoGAN (Liu and Tuzel, 2016): Fashion-MNIST and its edges, from pictures that never come in pairs.

Domain A is the first half of the pictures, B the edges of the second half: no picture is seen with
its own edges. `grid.png` has rows of A and, under each, of B, made of the same latents.
`numbers.json` says how many pixels of G_b(z) agree with the edges of G_a(z), both of them as black
and white, and of the pixels that are white in one of the two, how many are in both: of the same z,
and for comparison of another z. `--apart` trains two GANs with no layer in common, in which nothing
says what belongs to what; `--transform negatives` has negatives for edges, and `--dataset mnist_5k`
digits for clothes.

Where it differs from the paper: generators of a quarter of the width, and discriminators of half of
theirs (in the first 200 steps they lost with a quarter, and won with all of it); minibatches of 64,
as in the authors' PyTorch code; Adam's rate is 2e-3 and falls over the second half (in trials, 5 %
of the white pixels were in both after 1,000 steps of the paper's 2e-4, and over 20 % after 1,200 of
1e-3 and of 3e-3); the pictures come from averaged generators.

    python examples/cogan.py --steps 3000
    python examples/cogan.py --steps 3000 --apart --out runs/cogan-apart
"""

from pathlib import Path

from keras_gans import CoGAN, datasets, files, metrics, optimizers, runs
from keras_gans.catalogue import splits_without_pairs
from keras_gans.schedules import ConstantThenLinear

import numpy as np

from common import arguments

WIDTH, DISCRIMINATOR_WIDTH = 32, 10
RATE, BETA_1, L2 = 2e-3, 0.5, 5e-4
EMA_DECAY = 0.99
NUM_PAIRS, BRIGHT = 2000, 128
TRANSFORMS = {"edges": datasets.edges, "negatives": datasets.negatives}


def overlap(a, b):
    """Of the pixels that are white in one of a pair, the share that are in both."""
    a, b = a >= BRIGHT, b >= BRIGHT
    return float((a & b).sum() / max(1, (a | b).sum()))


def agreement(gan, transform, seed):
    """How far B is what A's pictures would be in B."""
    a, b = gan.generate(NUM_PAIRS, seed=seed)
    expected, other = transform(a), np.random.default_rng(seed).permutation(NUM_PAIRS)
    measures = {"pixel_agreement": metrics.pixel_agreement, "overlap_of_white": overlap}
    numbers = {"pairs": NUM_PAIRS}
    for name, measure in measures.items():
        numbers[name] = measure(expected, b)
        numbers[f"{name}_of_other_latents"] = measure(expected, b[other])
    return numbers


def main():
    args = arguments(
        __doc__,
        out="runs/cogan",
        steps=3000,
        batch_size=64,
        dataset={"default": "fashion_mnist_10k", "choices": ("fashion_mnist_10k", "mnist_5k")},
        transform={"default": "edges", "choices": tuple(TRANSFORMS)},
        apart={"action": "store_true", "help": "two GANs without common layers"},
    )
    sets = args.dataset, f"{args.dataset}_{args.transform}"
    splits = splits_without_pairs(*sets)
    a, b = (
        datasets.load(name, split, batch_size=args.batch_size, seed=args.seed)
        for name, split in zip(sets, splits, strict=True)
    )

    gan = CoGAN.from_paper(
        a.info.shape,
        width=WIDTH,
        discriminator_width=DISCRIMINATOR_WIDTH,
        shared=not args.apart,
        ema_decay=EMA_DECAY,
        seed=args.seed,
    )
    gan.compile(
        **{
            f"{player}_optimizer": optimizers.AdamL2(
                ConstantThenLinear(RATE, args.steps), beta_1=BETA_1, l2=L2
            )
            for player in gan.players
        }
    )
    runs.train(
        gan,
        datasets.unpaired(a, b),
        args.out,
        args.steps,
        fresh=True,
        settings={**vars(args), "dataset": sets[0], "dataset_b": sets[1]},
    )
    numbers = {
        "shared_parameters": gan.shared_parameters(),
        **agreement(gan, TRANSFORMS[args.transform], args.seed + 1),
    }
    files.write_json(Path(args.out) / "numbers.json", numbers)
    print(
        f"Pixel agreement of B with the {args.transform} of A: {numbers['pixel_agreement']:.3f}, "
        f"and {numbers['pixel_agreement_of_other_latents']:.3f} of pictures in another order."
    )


if __name__ == "__main__":
    main()
