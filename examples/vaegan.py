"""VAE/GAN (Larsen et al., 2016) on emoji with skin tones, or on Fashion-MNIST.

Where it differs from the paper: DCGAN networks of width 32 with 64 latents for 32 x 32 pictures,
where there are 64 x 64 ones and 128; RMSprop's rate 5e-4, for a shorter run; the pictures come from
averaged networks.

The run also gets reconstructions.png, some of the data, and beneath each what its latents kept; and
for the emoji attributes.png. There each row has a picture with light skin, its reconstruction, and
what becomes of it as its latents move on along the attribute's direction: the mean of the latents
with dark skin less that of those with light skin (section 4.2).

    python examples/vaegan.py --steps 2500
    python examples/vaegan.py --dataset fashion_mnist_10k
"""

import pathlib

from keras_gans import VAEGAN, networks, optimizers, runs
from keras_gans.datasets import load
from keras_gans.images import make_grid, save_png, to_uint8

import numpy as np

from common import arguments

LATENT_DIM = 64
WIDTH = 32
LEARNING_RATE = 5e-4
RECONSTRUCTION_WEIGHT = 0.01
EMA_DECAY = 0.99
COLUMNS = 16
ATTRIBUTE_ROWS = 8
ATTRIBUTE_STEPS = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5)


def reconstructions(gan, dataset):
    originals = next(dataset.unbatch().batch(COLUMNS).as_numpy_iterator())
    return make_grid(np.concatenate([to_uint8(originals), gan.reconstruct(originals)]), COLUMNS)


def attributes(gan, name):
    """Light skin to dark skin, for families spread over the data set."""
    everything = load(name, batch_size=64, labels=True, shuffle=False)
    pictures, labels = map(np.concatenate, zip(*everything.as_numpy_iterator(), strict=True))
    latents = gan.encode(pictures)
    direction = latents[labels == labels.max()].mean(axis=0) - latents[labels == 0].mean(axis=0)

    light = np.flatnonzero(labels == 0)
    shown = light[np.linspace(0, len(light) - 1, ATTRIBUTE_ROWS).astype(int)]
    columns = [to_uint8(pictures[shown])]
    columns += [gan.decode(latents[shown] + t * direction) for t in (0, *ATTRIBUTE_STEPS)]
    rows = np.stack(columns, axis=1)
    return make_grid(rows.reshape(-1, *rows.shape[2:]), columns=len(columns))


def main():
    args = arguments(
        __doc__,
        out="runs/vaegan",
        steps=2500,
        batch_size=64,
        dataset={"default": "noto_skin_tones", "help": "or fashion_mnist_10k"},
    )
    dataset = load(args.dataset, batch_size=args.batch_size, seed=args.seed)
    shape = dataset.info.shape

    gan = VAEGAN(
        networks.build_dcgan_generator(shape, LATENT_DIM, width=WIDTH, seed=args.seed),
        # With batch normalization the samples of the prior became noise: what is odd in a third of
        # the batch changes the statistics, and so the features, of all of it.
        networks.build_dcgan_discriminator(
            shape, width=WIDTH, normalization="layer", return_features=True, seed=args.seed + 1
        ),
        networks.build_dcgan_encoder(shape, LATENT_DIM, width=WIDTH, seed=args.seed + 2),
        reconstruction_weight=RECONSTRUCTION_WEIGHT,
        ema_decay=EMA_DECAY,
        seed=args.seed,
    )
    rmsprops = {f"{p}_optimizer": optimizers.rmsprop(LEARNING_RATE, rho=0.9) for p in gan.players}
    gan.compile(**rmsprops)
    runs.train(gan, dataset, args.out, args.steps, fresh=True, settings=vars(args))

    out = pathlib.Path(args.out)
    save_png(out / "reconstructions.png", reconstructions(gan, dataset))
    if args.dataset == "noto_skin_tones":
        save_png(out / "attributes.png", attributes(gan, args.dataset))


if __name__ == "__main__":
    main()
