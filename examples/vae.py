"""VAE (Kingma and Welling, 2014) on emoji with skin tones, or on Fashion-MNIST.

Where it differs from the paper: convolutional networks of width 32 with batch normalization instead
of MLPs; RMSprop's rate 1e-3 instead of Adagrad; the pictures come from averaged networks. Networks
and steps are those of `vaegan.py`, to be compared with it.

The run also gets reconstructions.png: some of the data, and beneath each what its latents kept.

    python examples/vae.py --steps 2500
    python examples/vae.py --dataset fashion_mnist_10k
"""

import pathlib

from keras_gans import VAE, networks, optimizers, runs
from keras_gans.datasets import load
from keras_gans.images import make_grid, save_png, to_uint8

import numpy as np

from common import arguments

LATENT_DIM = 64
WIDTH = 32
LEARNING_RATE = 1e-3
EMA_DECAY = 0.99
COLUMNS = 16


def main():
    args = arguments(
        __doc__,
        out="runs/vae",
        steps=2500,
        batch_size=64,
        dataset={"default": "noto_skin_tones", "help": "or fashion_mnist_10k"},
    )
    dataset = load(args.dataset, batch_size=args.batch_size, seed=args.seed)
    shape = dataset.info.shape

    vae = VAE(
        networks.build_dcgan_generator(shape, LATENT_DIM, width=WIDTH, seed=args.seed),
        networks.build_dcgan_encoder(shape, LATENT_DIM, width=WIDTH, seed=args.seed + 1),
        ema_decay=EMA_DECAY,
        seed=args.seed,
    )
    vae.compile(autoencoder_optimizer=optimizers.rmsprop(LEARNING_RATE, rho=0.9))
    runs.train(vae, dataset, args.out, args.steps, fresh=True, settings=vars(args))

    originals = next(dataset.unbatch().batch(COLUMNS).as_numpy_iterator())
    grid = make_grid(np.concatenate([to_uint8(originals), vae.reconstruct(originals)]), COLUMNS)
    save_png(pathlib.Path(args.out) / "reconstructions.png", grid)


if __name__ == "__main__":
    main()
