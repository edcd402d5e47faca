"""LSGAN (Mao et al., 2017) on Fashion-MNIST.

Where it differs from the paper: DCGAN networks of width 32 for 28 x 28 pictures instead of its own
for 112 x 112, and Adam's rate 1e-3 (the paper's for LSUN) with beta_1 0.5; the pictures come from
an averaged generator.

    python examples/lsgan.py --steps 2000
    python examples/lsgan.py --a -1 --b 1 --c 0     # the Pearson chi^2 form
"""

from keras_gans import LSGAN, optimizers, runs
from keras_gans.datasets import load
from keras_gans.networks import build_dcgan_discriminator, build_dcgan_generator

from common import arguments

LATENT_DIM = 64
WIDTH = 32
LEARNING_RATE = 1e-3
EMA_DECAY = 0.99


def main():
    args = arguments(
        __doc__,
        out="runs/lsgan",
        steps=2000,
        batch_size=64,
        a={"type": float, "default": 0.0, "help": "D's target for fakes (default: 0)"},
        b={"type": float, "default": 1.0, "help": "D's target for reals (default: 1)"},
        c={"type": float, "default": 1.0, "help": "what G wants D to say (default: 1)"},
    )
    dataset = load("fashion_mnist_10k", batch_size=args.batch_size, seed=args.seed)
    shape = dataset.info.shape

    gan = LSGAN(
        build_dcgan_generator(shape, LATENT_DIM, width=WIDTH, seed=args.seed),
        build_dcgan_discriminator(shape, width=WIDTH, seed=args.seed + 1),
        a=args.a,
        b=args.b,
        c=args.c,
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
