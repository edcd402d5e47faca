"""CatGAN (Springenberg, 2016): classes out of ten labels of each, or clusters without any label.

The discriminator puts pictures into classes. With labels it also learns from a few of each class,
and `numbers.json` has its error on pictures that it has not seen, beside that of the same network
that learned from the labelled ones alone. With `--labels-per-class 0` it finds `--clusters`
classes by itself, and `numbers.json` has how well they agree with the labels, which only this
measure sees: the normalized mutual information, and two accuracies, with one cluster for each label
and where most of a cluster's training pictures name it. `grid.png` has a row for each class: what
the generator makes, as the discriminator sorts it; rows without any are white.

Where it differs from the paper: weight normalization and noise in the discriminator, whose layers
are narrower, averaged networks (see `keras_gans.CatGAN`), and a rate that falls over the second
half of the steps.

    python examples/catgan.py
    python examples/catgan.py --labels-per-class 0
    python examples/catgan.py --dataset fashion_mnist_10k
"""

from pathlib import Path

from keras_gans import CatGAN, files, metrics, optimizers, runs
from keras_gans.datasets import load, semi_supervised, shifted
from keras_gans.schedules import ConstantThenLinear

import numpy as np

from common import SHIFT, arguments, supervised_accuracy

SPLITS = {
    "mnist_5k": ("train", "test"),
    "fashion_mnist_10k": ("train[:8000]", "train[8000:]"),
}
COLUMNS = 10
RATE = 3e-3
BASELINE_STEPS = 2000


def by_class(gan, seed=0):
    """Pictures (K * COLUMNS, H, W, C), uint8: the first ones that D puts into each class."""
    made = gan.generate(20 * COLUMNS * gan.num_categories, seed=seed)
    classes = gan.classify(made)
    rows = np.full((gan.num_categories, COLUMNS, *made.shape[1:]), 255, "uint8")
    for k, row in enumerate(rows):
        found = made[classes == k][:COLUMNS]
        row[: len(found)] = found
    return rows.reshape(-1, *made.shape[1:])


def everything(dataset):
    """Pictures and labels of all batches, as two arrays."""
    return [np.concatenate(parts) for parts in zip(*dataset.as_numpy_iterator(), strict=True)]


def error_with_labels(gan, labelled, test, args):
    """How much of the test split is put into a wrong class, and by the same network without G."""
    networks = CatGAN.default_networks(test.info.shape, gan.num_categories, seed=args.seed)
    alone = supervised_accuracy(
        networks["discriminator"], labelled, test, min(args.steps, BASELINE_STEPS), args.shift
    )
    return {
        "error": 1 - gan.evaluate(test, return_dict=True)["accuracy"],
        "error_of_the_labelled_alone": 1 - alone,
    }


def agreement_without_labels(gan, train, test):
    """How well the clusters of the test split agree with its labels."""
    pictures, known = everything(train)
    voters = known, gan.classify(pictures)
    pictures, labels = everything(test)
    codes = gan.classify(pictures)
    return {
        "clusters": gan.num_categories,
        "normalized_mutual_information": metrics.normalized_mutual_information(labels, codes),
        "clustering_accuracy": metrics.clustering_accuracy(labels, codes),
        "majority_vote_accuracy": metrics.majority_vote_accuracy(labels, codes, voters),
    }


def main():
    args = arguments(
        __doc__,
        out="runs/catgan",
        steps=12_000,
        batch_size=100,
        **{
            "dataset": {"default": "mnist_5k", "choices": SPLITS},
            "labels-per-class": {"type": int, "default": 10, "help": "0 for clusters"},
            "clusters": {"type": int, "default": 20, "help": "without labels"},
            "shift": SHIFT,
        },
    )
    train, test = (
        load(args.dataset, split, batch_size=args.batch_size, seed=args.seed, labels=True)
        for split in SPLITS[args.dataset]
    )
    shape = train.info.shape
    if args.labels_per_class:
        dataset = semi_supervised(train, args.labels_per_class, args.seed)
        classes = {"num_classes": train.info.num_classes}
    else:
        dataset = load(
            args.dataset, SPLITS[args.dataset][0], batch_size=args.batch_size, seed=args.seed
        )
        classes = {"num_clusters": args.clusters}

    dataset = shifted(dataset, args.shift, args.seed)
    gan = CatGAN.from_paper(shape, seed=args.seed, **classes)
    gan.compile(
        **{
            f"{player}_optimizer": optimizers.adam(
                ConstantThenLinear(RATE, args.steps), beta_1=0.5, epsilon=1e-4
            )
            for player in gan.players
        }
    )
    runs.train(
        gan,
        dataset,
        args.out,
        args.steps,
        fresh=True,
        settings=vars(args),
        samples=by_class,
        columns=COLUMNS,
    )
    if args.labels_per_class:
        numbers = error_with_labels(gan, dataset.labelled, test, args)
    else:
        numbers = agreement_without_labels(gan, train, test)
    files.write_json(Path(args.out) / "numbers.json", numbers)
    print(f"On {test.info.num_examples:,} other pictures:")
    for name, number in numbers.items():
        print(f"  {name.replace('_', ' ')}: {number:.3g}")


if __name__ == "__main__":
    main()
