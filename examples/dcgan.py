"""DCGAN (Radford et al., 2016) on Fashion-MNIST.

Where it differs from the paper: pictures of 28 x 28, so that the smallest maps are 7 x 7; a width
of 32 instead of 128, Adam's rate 1e-3 instead of 2e-4 and minibatches of 64 instead of 128, all for
a few minutes on two CPU cores; biases, and no weight decay; and the pictures come from an averaged
generator.

    python examples/dcgan.py --steps 2000
"""

from keras_gans import DCGAN, optimizers, runs
from keras_gans.datasets import load
from keras_gans.networks import build_dcgan_discriminator, build_dcgan_generator

from common import arguments

LATENT_DIM = 64
WIDTH = 32
LEARNING_RATE = 1e-3
EMA_DECAY = 0.99


def main():
    args = arguments(__doc__, out="runs/dcgan", steps=1800, batch_size=64)
    dataset = load("fashion_mnist_10k", batch_size=args.batch_size, seed=args.seed)
    shape = dataset.info.shape

    gan = DCGAN(
        build_dcgan_generator(shape, LATENT_DIM, width=WIDTH, seed=args.seed),
        build_dcgan_discriminator(shape, width=WIDTH, seed=args.seed + 1),
        ema_decay=EMA_DECAY,
        seed=args.seed,
    )
    gan.compile(
        generator_optimizer=optimizers.adam(LEARNING_RATE, beta_1=0.5),
        discriminator_optimizer=optimizers.adam(LEARNING_RATE, beta_1=0.5),
    )
    runs.train(gan, dataset, args.out, args.steps, fresh=True, settings=vars(args))


if __name__ == "__main__":
    main()
