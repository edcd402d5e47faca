"""R3GAN (Huang et al., 2024) on the ring of 8 Gaussians, or on the grid of 25.

Where it differs from the paper: MLPs for points, with two latents; Adam's beta_2 stays
at 0.99 and its rate falls along a cosine from 3e-3 to 1e-5; gamma stays as it is.

    python examples/r3gan.py
    python examples/r3gan.py --dataset grid --steps 10000
"""

from keras_gans import R3GAN, networks, optimizers, runs
from keras_gans.datasets import load

import keras

from common import arguments

LATENT_DIM = 2
HIDDEN = {"ring": (128,) * 4, "grid": (128,) * 3}
GP_WEIGHTS = {"ring": 0.02, "grid": 0.5}  # the grid is 5 times larger
FIRST_RATE, LAST_RATE = 3e-3, 1e-5
EMA_DECAY = 0.999


def adam(steps):
    decay = keras.optimizers.schedules.CosineDecay(FIRST_RATE, steps, alpha=LAST_RATE / FIRST_RATE)
    return optimizers.adam(decay, beta_1=0.0, beta_2=0.99)


def main():
    args = arguments(
        __doc__,
        out="runs/r3gan",
        steps=16_000,
        batch_size=256,
        dataset={"default": "ring", "choices": list(GP_WEIGHTS)},
    )
    dataset = load(args.dataset, batch_size=args.batch_size, seed=args.seed)
    shape = dataset.info.shape

    gan = R3GAN(
        networks.build_mlp_generator(shape, LATENT_DIM, HIDDEN[args.dataset], seed=args.seed),
        networks.build_mlp_discriminator(shape, HIDDEN[args.dataset], seed=args.seed + 1),
        gp_weight=GP_WEIGHTS[args.dataset],
        ema_decay=EMA_DECAY,
        seed=args.seed,
    )
    gan.compile(generator_optimizer=adam(args.steps), discriminator_optimizer=adam(args.steps))
    runs.train(gan, dataset, args.out, args.steps, fresh=True, settings=vars(args))


if __name__ == "__main__":
    main()
