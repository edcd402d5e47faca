"""WGAN (Arjovsky et al., 2017) on Fashion-MNIST, or on the ring of 8 Gaussians.

Where it differs from the paper: DCGAN networks of width 32 for 28 x 28 pictures, which come from an
averaged generator; RMSprop is the paper's, but for points, where its rate is 5e-4 instead of 5e-5.
The critic has 5 steps for each of the generator, as in Algorithm 1; the authors' code begins with
100 (`n_critic_at_times`).
The critic has batch normalization, as the paper's: with its weights in [-0.01, 0.01] and without
it, what it says of a sample all but vanishes from layer to layer.

    python examples/wgan.py --steps 8000
    python examples/wgan.py --dataset ring --steps 5000
"""

from keras_gans import WGAN, networks, optimizers, runs
from keras_gans.datasets import load

from common import arguments

LATENT_DIM = 64
WIDTH = 32
RATE_OF_POINTS = 5e-4
EMA_DECAY = 0.99


def picture_networks(shape, seed):
    return (
        networks.build_dcgan_generator(shape, LATENT_DIM, width=WIDTH, seed=seed),
        networks.build_dcgan_discriminator(shape, width=WIDTH, seed=seed + 1),
    )


def point_networks(shape, seed):
    return (
        networks.build_mlp_generator(shape, 16, hidden=(256, 256, 256), seed=seed),
        networks.build_mlp_discriminator(shape, hidden=(256, 256, 256), seed=seed + 1),
    )


def main():
    args = arguments(
        __doc__,
        out="runs/wgan",
        steps=8000,
        batch_size=64,
        dataset={"default": "fashion_mnist_10k", "help": "or ring, or grid"},
    )
    dataset = load(args.dataset, batch_size=args.batch_size, seed=args.seed)
    shape = dataset.info.shape
    build = picture_networks if len(shape) == 3 else point_networks

    gan = WGAN(*build(shape, args.seed), n_critic=5, clip=0.01, ema_decay=EMA_DECAY, seed=args.seed)
    if len(shape) == 1:
        gan.compile(
            generator_optimizer=optimizers.rmsprop(RATE_OF_POINTS),
            critic_optimizer=optimizers.rmsprop(RATE_OF_POINTS),
        )
    runs.train(gan, dataset, args.out, args.steps, fresh=True, settings=vars(args))


if __name__ == "__main__":
    main()
