"""CGAN (Mirza and Osindero, 2014) on Fashion-MNIST: a column of the grid for each class.

Where it differs from the paper: convolutional networks instead of MLPs, with Adam at 1e-3 instead
of SGD; the pictures come from an averaged generator. `--mlp` takes the paper's networks and
optimizers.

    python examples/cgan.py --steps 2000
"""

from keras_gans import CGAN, networks, optimizers, runs
from keras_gans.datasets import load

from common import arguments

LATENT_DIM = 64
WIDTH = 32
LEARNING_RATE = 1e-3
EMA_DECAY = 0.99


def dcgan_networks(shape, num_classes, seed):
    return (
        networks.build_dcgan_generator(
            shape, LATENT_DIM, width=WIDTH, num_classes=num_classes, seed=seed
        ),
        networks.build_dcgan_discriminator(
            shape, width=WIDTH, num_classes=num_classes, seed=seed + 1
        ),
    )


def paper_networks(shape, num_classes, seed):
    return CGAN.default_networks(shape, num_classes, seed=seed).values()


def main():
    args = arguments(
        __doc__,
        out="runs/cgan",
        steps=2000,
        batch_size=64,
        mlp={"action": "store_true", "help": "the paper's networks and optimizers"},
    )
    dataset = load("fashion_mnist_10k", batch_size=args.batch_size, seed=args.seed, labels=True)
    num_classes = dataset.info.num_classes
    build = paper_networks if args.mlp else dcgan_networks

    gan = CGAN(
        *build(dataset.info.shape, num_classes, args.seed),
        num_classes=num_classes,
        ema_decay=EMA_DECAY,
        seed=args.seed,
    )
    if args.mlp:
        gan.compile()
    else:
        gan.compile(
            generator_optimizer=optimizers.adam(LEARNING_RATE, beta_1=0.5),
            discriminator_optimizer=optimizers.adam(LEARNING_RATE, beta_1=0.5),
        )
    runs.train(gan, dataset, args.out, args.steps, fresh=True, settings=vars(args))


if __name__ == "__main__":
    main()
