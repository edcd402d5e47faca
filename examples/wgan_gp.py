"""WGAN-GP (Gulrajani et al., 2017) on Fashion-MNIST, or on the ring of 8 Gaussians.

Where it differs from the paper: DCGAN networks of width 32 for 28 x 28 pictures, with layer
normalization in the critic; Adam's rate 5e-4 and beta_1 0.5, for a shorter run; the pictures come
from an averaged generator.

    python examples/wgan_gp.py --steps 1500
    python examples/wgan_gp.py --dataset ring --steps 5000
"""

from keras_gans import WGANGP, networks, optimizers, runs
from keras_gans.datasets import load

from common import arguments

LATENT_DIM = 64
WIDTH = 32
LEARNING_RATE = 5e-4
EMA_DECAY = 0.99


def picture_networks(shape, seed):
    return (
        networks.build_dcgan_generator(shape, LATENT_DIM, width=WIDTH, seed=seed),
        networks.build_dcgan_discriminator(
            shape, width=WIDTH, normalization="layer", seed=seed + 1
        ),
    )


def point_networks(shape, seed):
    return (
        networks.build_mlp_generator(shape, 16, hidden=(256, 256, 256), seed=seed),
        networks.build_mlp_discriminator(shape, hidden=(256, 256, 256), seed=seed + 1),
    )


def main():
    args = arguments(
        __doc__,
        out="runs/wgan_gp",
        steps=1500,
        batch_size=64,
        dataset={"default": "fashion_mnist_10k", "help": "or ring, or grid"},
    )
    dataset = load(args.dataset, batch_size=args.batch_size, seed=args.seed)
    shape = dataset.info.shape
    build = picture_networks if len(shape) == 3 else point_networks

    gan = WGANGP(
        *build(shape, args.seed), n_critic=5, gp_weight=10.0, ema_decay=EMA_DECAY, seed=args.seed
    )
    gan.compile(
        generator_optimizer=optimizers.adam(LEARNING_RATE, beta_1=0.5, beta_2=0.9),
        critic_optimizer=optimizers.adam(LEARNING_RATE, beta_1=0.5, beta_2=0.9),
    )
    runs.train(gan, dataset, args.out, args.steps, fresh=True, settings=vars(args))


if __name__ == "__main__":
    main()
