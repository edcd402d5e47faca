"""SSGAN (Salimans et al., 2016): a classifier out of ten labels of each class, beside none of them.

The discriminator learns from 100 labelled pictures, from all others without labels, and from those
that the generator makes; the same network also learns from the 100 alone. `numbers.json` has the
error of both on pictures that neither has seen, and `grid.png` what the generator makes, which with
feature matching is not its end.

Where it differs from the paper: smaller networks, 500-250-250 and 300-300 units, which take a
quarter of the time; and the step that is averaged over, and a rate that falls over the second half
of the steps, since there are 12,000 of them and not 180,000.
`--objective minibatch_discrimination` is for pictures, and not for the classifier.

    python examples/ssgan.py --dataset mnist_5k --steps 12000
    python examples/ssgan.py --dataset fashion_mnist_10k --steps 8000
"""

from pathlib import Path

from keras_gans import SSGAN, files, networks, optimizers, runs
from keras_gans.datasets import load, semi_supervised, shifted
from keras_gans.schedules import ConstantThenLinear

import keras

from common import SHIFT, arguments, supervised_accuracy

HIDDEN = (500, 250, 250)
GENERATOR_HIDDEN = (300, 300)
LATENTS = 100
EMA_DECAY = 0.999
RATE = 3e-3
SPLITS = {
    "mnist_5k": ("train", "test"),
    "fashion_mnist_10k": ("train[:8000]", "train[8000:]"),
}
OBJECTIVES = {
    "feature_matching": {"feature_matching": "squared"},
    "minibatch_discrimination": {"feature_matching": None, "generator_steps": 3},
}


def build_discriminator(shape, num_classes, seed, kernels=0):
    return networks.build_ssgan_mlp_discriminator(
        shape, num_classes, HIDDEN, minibatch_kernels=kernels, seed=seed
    )


def supervised(labelled, test, shape, num_classes, steps, args):
    """The test accuracy of the same network, trained on the labelled pictures alone."""
    discriminator = build_discriminator(shape, num_classes, args.seed)
    classifier = keras.Model(discriminator.inputs[0], discriminator.outputs[0])
    return supervised_accuracy(classifier, labelled, test, steps, args.shift)


def main():
    args = arguments(
        __doc__,
        out="runs/ssgan",
        steps=12_000,
        batch_size=100,
        **{
            "dataset": {"default": "mnist_5k", "choices": SPLITS},
            "labels-per-class": {"type": int, "default": 10},
            "shift": SHIFT,
            "objective": {"default": "feature_matching", "choices": OBJECTIVES},
        },
    )
    train, test = (
        load(args.dataset, split, batch_size=args.batch_size, seed=args.seed, labels=True)
        for split in SPLITS[args.dataset]
    )
    dataset = semi_supervised(train, args.labels_per_class, args.seed)
    dataset = shifted(dataset, args.shift, args.seed)
    shape, num_classes = dataset.info.shape, dataset.info.num_classes
    kernels = 100 if args.objective == "minibatch_discrimination" else 0
    gan = SSGAN(
        networks.build_ssgan_mlp_generator(shape, LATENTS, GENERATOR_HIDDEN, seed=args.seed),
        build_discriminator(shape, num_classes, args.seed, kernels),
        ema_decay=EMA_DECAY,
        seed=args.seed,
        **OBJECTIVES[args.objective],
    )
    gan.compile(
        **{
            f"{player}_optimizer": optimizers.adam(
                ConstantThenLinear(RATE, args.steps), beta_1=0.5, epsilon=1e-4
            )
            for player in gan.players
        }
    )
    runs.train(gan, dataset, args.out, args.steps, fresh=True, settings=vars(args))
    if args.objective == "minibatch_discrimination":
        print("What this discriminator says of a picture depends on those beside it: no error.")
        return
    numbers = {
        "test_pictures": test.info.num_examples,
        "error": 1 - gan.evaluate(test, return_dict=True)["accuracy"],
        "error_of_the_labelled_alone": 1
        - supervised(dataset.labelled, test, shape, num_classes, min(args.steps, 2000), args),
    }
    files.write_json(Path(args.out) / "numbers.json", numbers)
    print(
        f"Error on {test.info.num_examples:,} other pictures: {numbers['error']:.1%}; of the same "
        f"network that learned from {args.labels_per_class} of each class alone "
        f"{numbers['error_of_the_labelled_alone']:.1%}."
    )


if __name__ == "__main__":
    main()
