"""BEGAN (Berthelot et al., 2017) on Fashion-MNIST, or on emoji at 32 x 32.

The equilibrium holds the mean error of the fakes at gamma times that of the reals. The generator
comes to it by what the auto-encoder finds easiest, dark pictures, so that nearly all samples are
shoes. k, and with it the push towards harder pictures, rises slowly.

Where it differs from the paper: n = 16 filters instead of 64 or 128, batches of 32 instead of 16,
Adam's rate 5e-4 and beta_1 0.5 and a gain of 0.01 for k, all for a shorter run; gamma is 0.7, the
most diverse of the paper's; the pictures come from an averaged generator.

    python examples/began.py --steps 1200
    python examples/began.py --dataset noto_emoji
"""

from keras_gans import BEGAN, callbacks, networks, optimizers, runs
from keras_gans.datasets import load

from common import arguments

CHOSEN = {
    "fashion_mnist_10k": {},
    "noto_emoji": {"image_size": 32, "classes": ("Smileys & Emotion",)},  # 64 x 64 is for GPUs
}
LATENT_DIM = 64
WIDTH = 16
LEARNING_RATE = 5e-4
LAMBDA_K = 0.01
EMA_DECAY = 0.99


def main():
    args = arguments(
        __doc__,
        out="runs/began",
        steps=1200,
        batch_size=32,
        dataset={"default": "fashion_mnist_10k", "choices": list(CHOSEN), "help": "the pictures"},
        gamma={"type": float, "default": 0.7, "help": "diversity, in (0, 1] (default: 0.7)"},
    )
    chosen = CHOSEN[args.dataset]
    dataset = load(args.dataset, batch_size=args.batch_size, seed=args.seed, **chosen)
    shape = dataset.info.shape

    gan = BEGAN(
        networks.build_began_generator(shape, LATENT_DIM, width=WIDTH, seed=args.seed),
        networks.build_began_discriminator(shape, LATENT_DIM, width=WIDTH, seed=args.seed + 1),
        gamma=args.gamma,
        lambda_k=LAMBDA_K,
        ema_decay=EMA_DECAY,
        seed=args.seed,
    )
    gan.compile(
        generator_optimizer=optimizers.adam(LEARNING_RATE, beta_1=0.5),
        discriminator_optimizer=optimizers.adam(LEARNING_RATE, beta_1=0.5),
    )
    # Rates are halved where the measure of convergence stalls, as in the paper.
    halve = callbacks.ReduceRatesOnPlateau("convergence", patience=2)
    runs.train(
        gan, dataset, args.out, args.steps, fresh=True, settings=vars(args), callbacks=[halve]
    )


if __name__ == "__main__":
    main()
