"""DRAGAN (Kodali et al., 2017) on the ring of 8 Gaussians, or on the grid of 25.

Where it differs from the paper: MLPs of 3 x 128 for points, with two latents; a penalty weight of
1, since the paper's 10, meant for pictures, blurs the modes; and an averaged generator.

    python examples/dragan.py --steps 5000
"""

from keras_gans import DRAGAN, networks, optimizers, runs
from keras_gans.datasets import load

from common import arguments

LATENT_DIM = 2
HIDDEN = (128, 128, 128)
GP_WEIGHT = 1.0
LEARNING_RATE = 5e-4
EMA_DECAY = 0.999


def main():
    args = arguments(
        __doc__,
        out="runs/dragan",
        steps=5000,
        batch_size=64,
        dataset={"default": "ring", "help": "or grid"},
    )
    dataset = load(args.dataset, batch_size=args.batch_size, seed=args.seed)
    shape = dataset.info.shape

    gan = DRAGAN(
        networks.build_mlp_generator(shape, LATENT_DIM, HIDDEN, seed=args.seed),
        networks.build_mlp_discriminator(shape, HIDDEN, seed=args.seed + 1),
        gp_weight=GP_WEIGHT,
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
