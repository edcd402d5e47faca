"""R3GAN (Huang et al., 2024) on Fashion-MNIST, or on points: a ring of 8 Gaussians, a grid of 25.

Where it differs from the paper: its networks with width 32 instead of 768, and one block a stage
instead of two, for 28 x 28 pictures without labels; nothing is augmented; Adam's rate begins at
1e-3, for some thousand steps. Points have MLPs with two latents, a rate from 3e-3 to 1e-5, and a
gamma that stays as it is.

    python examples/r3gan.py --steps 3000
    python examples/r3gan.py --dataset ring --steps 16000 --batch-size 256
    python examples/r3gan.py --dataset grid --steps 10000 --batch-size 256
"""

from keras_gans import R3GAN, networks, optimizers, runs
from keras_gans.datasets import load
from keras_gans.schedules import Cosine

from common import arguments

LATENT_DIM = {"fashion_mnist_10k": 64, "ring": 2, "grid": 2}
SMALL = {"width": 32, "blocks": 1}
HIDDEN = {"ring": (128,) * 4, "grid": (128,) * 3}
GP_WEIGHTS = {"ring": 0.02, "grid": 0.5}  # the grid is 5 times larger
RATES = {"fashion_mnist_10k": (1e-3, 5e-5), "ring": (3e-3, 1e-5), "grid": (3e-3, 1e-5)}
EMA_DECAY = 0.999  # of points


def build(name, shape, steps, seed):
    latent_dim, settings = LATENT_DIM[name], R3GAN.settings_for(steps)
    if name in HIDDEN:
        settings |= {"gp_weight": GP_WEIGHTS[name], "ema_decay": EMA_DECAY}
        generator = networks.build_mlp_generator(shape, latent_dim, HIDDEN[name], seed=seed)
        discriminator = networks.build_mlp_discriminator(shape, HIDDEN[name], seed=seed + 1)
    else:
        generator = networks.build_r3gan_generator(shape, latent_dim, **SMALL, seed=seed)
        discriminator = networks.build_r3gan_discriminator(shape, **SMALL, seed=seed + 1)
    return R3GAN(generator, discriminator, **settings, seed=seed)


def adam(name, steps):
    first, last = RATES[name]
    return optimizers.adam(Cosine(first, last, steps), beta_1=0.0, beta_2=Cosine(0.9, 0.99, steps))


def main():
    args = arguments(
        __doc__,
        out="runs/r3gan",
        steps=3000,
        batch_size=64,
        dataset={"default": "fashion_mnist_10k", "choices": list(LATENT_DIM)},
    )
    dataset = load(args.dataset, batch_size=args.batch_size, seed=args.seed)
    gan = build(args.dataset, dataset.info.shape, args.steps, args.seed)
    gan.compile(
        generator_optimizer=adam(args.dataset, args.steps),
        discriminator_optimizer=adam(args.dataset, args.steps),
    )
    runs.train(gan, dataset, args.out, args.steps, fresh=True, settings=vars(args))


if __name__ == "__main__":
    main()
