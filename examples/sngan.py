"""SNGAN (Miyato et al., 2018) on Fashion-MNIST.

Where it differs from the paper: residual networks of width 32 for 28 x 28 pictures, instead of 256
and 128; Adam with rate 1e-3, beta_1 0.5 and beta_2 0.9, one of the settings under which the paper
compares methods (setting D of its table 1), falling to 0 in some thousand steps instead of 100,000;
and the pictures come from an averaged generator.

    python examples/sngan.py --steps 3000
"""

from keras_gans import SNGAN, runs
from keras_gans.datasets import load
from keras_gans.models.sngan import linear_adams
from keras_gans.networks import build_residual_generator, build_sngan_discriminator

from common import arguments

LATENT_DIM = 128
WIDTH = 32
LEARNING_RATE, BETA_1 = 1e-3, 0.5
EMA_DECAY = 0.99


def main():
    args = arguments(__doc__, out="runs/sngan", steps=3000, batch_size=64)
    dataset = load("fashion_mnist_10k", batch_size=args.batch_size, seed=args.seed)
    shape = dataset.info.shape

    gan = SNGAN(
        build_residual_generator(shape, LATENT_DIM, width=WIDTH, seed=args.seed),
        build_sngan_discriminator(shape, width=WIDTH, seed=args.seed + 1),
        total_steps=args.steps,
        ema_decay=EMA_DECAY,
        seed=args.seed,
    )
    adams = linear_adams(LEARNING_RATE, args.steps, gan.n_discriminator, BETA_1)
    gan.compile(**{f"{player}_optimizer": adam for player, adam in adams.items()})
    runs.train(gan, dataset, args.out, args.steps, fresh=True, settings=vars(args))


if __name__ == "__main__":
    main()
