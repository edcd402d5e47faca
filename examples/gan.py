"""GAN (Goodfellow et al., 2014) on Fashion-MNIST, with the paper's kind of networks.

An MLP generator and a maxout discriminator with dropout. Where it differs from the paper: a ReLU
generator with tanh output instead of mixed ReLU and sigmoid units, normal latents, and the
non-saturating loss (`--minimax` takes the other one); the pictures come from an averaged generator.

    python examples/gan.py --steps 3000
"""

from keras_gans import GAN, optimizers, runs
from keras_gans.datasets import load
from keras_gans.networks import build_mlp_discriminator, build_mlp_generator

from common import arguments

LATENT_DIM = 100
EMA_DECAY = 0.999


def main():
    args = arguments(
        __doc__,
        out="runs/gan",
        steps=12_000,
        batch_size=100,
        k={"type": int, "default": 1, "help": "discriminator steps a generator step (default: 1)"},
        minimax={"action": "store_true", "help": "the saturating loss of equation 1"},
    )
    dataset = load("fashion_mnist_10k", batch_size=args.batch_size, seed=args.seed)
    shape = dataset.info.shape

    gan = GAN(
        build_mlp_generator(shape, LATENT_DIM, hidden=(512, 512), seed=args.seed),
        build_mlp_discriminator(
            shape, hidden=(240, 240), maxout_pieces=5, dropout=0.5, seed=args.seed + 1
        ),
        n_discriminator=args.k,
        non_saturating=not args.minimax,
        ema_decay=EMA_DECAY,
        seed=args.seed,
    )
    gan.compile(
        generator_optimizer=optimizers.adam(2e-4, beta_1=0.5),
        discriminator_optimizer=optimizers.adam(2e-4, beta_1=0.5),
    )
    runs.train(gan, dataset, args.out, args.steps, fresh=True, settings=vars(args))


if __name__ == "__main__":
    main()
