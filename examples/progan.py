"""ProGAN (Karras et al., 2018) on the emoji of Noto, from 4 x 4 to 64 x 64 pixels.

The stages before the last one have directories beside it, `OUT-4`, `OUT-8` and so on. Started again
after an early end, those that are finished are read and not trained again; `--fresh` trains all of
them, and replaces an earlier run.

Where it differs from the paper: narrow networks; a few ten thousand pictures a stage instead of
1.6 million; minibatches of up to 32, whose standard deviation is that of groups of 4; Lanczos's
filter for the pictures of a stage; a faster average, EMA 0.99; by default the emoji of one group,
"Smileys & Emotion".

    python examples/progan.py
    python examples/progan.py --group all --pictures 4      # four times as many pictures
    python examples/progan.py --loss least_squares
"""

from keras_gans import ProGAN, ProGANLS, networks, runs
from keras_gans.datasets import info, load

from common import arguments

LATENT_DIM = 64
FILTERS = {"filters_base": 256, "filters_max": 64}
EMA_DECAY = 0.99
# Size: real pictures to be shown, of which the first half fades the new layers in, and minibatch.
STAGES = {4: (8_000, 32), 8: (16_000, 32), 16: (24_000, 32), 32: (24_000, 16), 64: (20_000, 16)}


def first_stage(loss, seed):
    least_squares = loss == "least_squares"
    shape = (4, 4, 3)
    generator = networks.build_progan_generator(shape, latent_dim=LATENT_DIM, **FILTERS, seed=seed)
    discriminator = networks.build_progan_discriminator(
        shape, noise=least_squares, **FILTERS, seed=seed + 1
    )
    model_class = ProGANLS if least_squares else ProGAN
    return model_class(generator, discriminator, ema_decay=EMA_DECAY, seed=seed)


def main():
    groups = info("noto_emoji").class_names
    args = arguments(
        __doc__,
        out="runs/progan",
        steps=None,
        batch_size=None,
        group={"default": groups[0], "help": f"one of {', '.join(groups)}, or all"},
        loss={"default": "wgan_gp", "choices": ("wgan_gp", "least_squares")},
        pictures={"type": float, "default": 1.0, "help": "factor on the pictures of each stage"},
        fresh={"action": "store_true", "help": "train finished stages again"},
    )
    classes = None if args.group == "all" else (args.group,)

    def load_stage(shape, batch_size):
        return load(
            "noto_emoji",
            batch_size=batch_size,
            image_size=shape[:2],
            seed=args.seed,
            classes=classes,
        )

    stages = []
    for pictures, batch_size in STAGES.values():
        batch_size = args.batch_size or batch_size
        steps = args.steps or max(1, int(pictures * args.pictures / batch_size))
        stages.append((steps, batch_size))
    gan = first_stage(args.loss, args.seed)
    settings = {"group": args.group, "loss": args.loss}
    runs.train_stages(gan, stages, load_stage, args.out, fresh=args.fresh, settings=settings)


if __name__ == "__main__":
    main()
