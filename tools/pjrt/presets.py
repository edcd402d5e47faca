"""Makes a folder in which a machine with jax and a GPU trains presets of Fashion-MNIST.

    python tools/pjrt/presets.py --out runs/gpu_presets          # all, or names
    (there)  bash runs/gpu_presets/train.sh DIR                  # state, logs, samples: DIR/NAME
    python tools/build_savedmodels.py dcgan_fashion_mnist        # where DIR is runs/gpu_presets/out

The networks are those of `examples/`; the trainings are long ones, whose rates fall at the end and
whose averages are longer. All run at once, each in a process of its own, and share the GPU. One
that was ended early, by MINUTES, goes on from its state where it is in DIR.
"""

import argparse
import dataclasses
import functools
import shutil
from collections.abc import Callable
from pathlib import Path

from keras_gans import (
    BEGAN,
    CGAN,
    DCGAN,
    GAN,
    LAPGAN,
    LSGAN,
    R3GAN,
    SNGAN,
    WGAN,
    WGANGP,
    InfoGAN,
    datasets,
    networks,
    optimizers,
)
from keras_gans.files import new_directory
from keras_gans.models.sngan import linear_adams
from keras_gans.schedules import Cosine, Linear

import states
from export_step import arrays_of, export_step

DATASET = "fashion_mnist_10k"
SAMPLES = 1000  # enough for a curve of FIDs
CODE = ("run_step.py", "states.py")
EMA_DECAY = 0.999  # the examples' 0.99 is for some thousand steps
NETWORKS = {"latent_dim": 64, "width": 32}

TRAIN = """#!/usr/bin/env bash
# Trains what lies here, all at once, MINUTES at most; DIR/NAME gets state, logs and samples.
cd "$(dirname "$0")"
out=${1:-$PWD/out}
export XLA_PYTHON_CLIENT_PREALLOCATE=false
while read -r name data steps every; do
    mkdir -p "$out/$name"
    from=() after=$out/$name/after.npz
    [ -f "$after" ] && from=(--state "$after")
    "${PYTHON:-python3}" run_step.py "$name" --data "$data" --until "$steps" "${from[@]}" \\
        --log-every "$every" --sample-every "$every" --save-every "$every" \\
        --minutes "${MINUTES:-60}" --out "$after" >"$out/$name/log" 2>&1 </dev/null &
done <trainings.txt
wait
tail -n 1 "$out"/*/log
"""


@dataclasses.dataclass(frozen=True)
class Training:
    """A model to train.

    Attributes:
        build: function of the pictures' shape and the number of steps that returns the compiled
            model.
        steps: generator updates.
        batch_size: minibatch.
        per_call: steps in a call of the compiled step.
    """

    build: Callable
    steps: int
    batch_size: int = 64
    per_call: int = 20


def adams(steps, generator=1e-3, discriminator=None, of_discriminator=1, **betas):
    """Adam for both players, with rates that fall to a hundredth along a cosine."""
    betas = betas or {"beta_1": 0.5}
    discriminator = generator if discriminator is None else discriminator
    return {
        "generator": optimizers.adam(Cosine(generator, generator / 100, steps), **betas),
        "discriminator": optimizers.adam(
            Cosine(discriminator, discriminator / 100, steps * of_discriminator), **betas
        ),
    }


def compiled(gan, optimizers_by_player=()):
    gan.compile(**{f"{p}_optimizer": o for p, o in dict(optimizers_by_player).items()})
    return gan


def convolutional(model_class, shape, steps, num_classes=None, rate=1e-3):
    """The networks of DCGAN, and Adam with one rate or a schedule for both players."""
    labelled = {} if num_classes is None else {"num_classes": num_classes}
    gan = model_class(
        networks.build_dcgan_generator(shape, **NETWORKS, **labelled, seed=0),
        networks.build_dcgan_discriminator(shape, NETWORKS["width"], **labelled, seed=1),
        ema_decay=EMA_DECAY,
        seed=0,
        **labelled,
    )
    return compiled(gan, {player: optimizers.adam(rate, beta_1=0.5) for player in gan.players})


def lsgan(shape, steps):
    return convolutional(LSGAN, shape, steps, rate=Cosine(1e-3, 1e-5, steps))


def gan(shape, steps):
    model = GAN(
        networks.build_mlp_generator(shape, 100, hidden=(512, 512), seed=0),
        networks.build_mlp_discriminator(
            shape, hidden=(240, 240), maxout_pieces=5, dropout=0.5, seed=1
        ),
        ema_decay=EMA_DECAY,
        seed=0,
    )
    return compiled(model, adams(steps, 2e-4))


def lapgan(shape, steps, num_classes=10):
    """With classes, as most of the paper's samples."""
    levels = {"num_classes": num_classes, "width": 32, "units": 256}
    model = LAPGAN(
        networks.build_lapgan_generators(shape, 3, 64, kernel_size=3, seed=0, **levels),
        networks.build_lapgan_discriminators(shape, 3, seed=1, **levels),
        num_classes=num_classes,
        ema_decay=EMA_DECAY,
        seed=0,
    )
    return compiled(model, adams(steps))


def infogan(shape, steps):
    generator = networks.build_dcgan_generator(shape, 16 + 2, 32, num_classes=10, seed=0)
    discriminator = networks.build_dcgan_discriminator(shape, 32, return_features=True, seed=1)
    features = discriminator.output_shape[1][1:]
    head = networks.build_recognition_head(features, 10, 2, seed=2)
    weights = {"category_weight": 1.0, "continuous_weight": 0.1}
    model = InfoGAN(generator, discriminator, head, **weights, ema_decay=EMA_DECAY, seed=0)
    return compiled(model, adams(steps, 1e-3, 2e-4))


def wgan(shape, steps):
    """At the paper's rate, which stays."""
    return compiled(
        WGAN(
            networks.build_dcgan_generator(shape, **NETWORKS, seed=0),
            networks.build_dcgan_discriminator(shape, NETWORKS["width"], seed=1),
            ema_decay=EMA_DECAY,
            seed=0,
        )
    )


def wgan_gp(shape, steps):
    """Rates fall linearly to 0, as in the paper's largest experiments."""
    critic = networks.build_dcgan_discriminator(
        shape, NETWORKS["width"], normalization="layer", seed=1
    )
    generator = networks.build_dcgan_generator(shape, **NETWORKS, seed=0)
    adam = functools.partial(optimizers.adam, beta_1=0.5, beta_2=0.9)
    rates = {"generator": Linear(5e-4, 0.0, steps), "critic": Linear(5e-4, 0.0, 5 * steps)}
    model = WGANGP(generator, critic, ema_decay=EMA_DECAY, seed=0)
    return compiled(model, {player: adam(rate) for player, rate in rates.items()})


def sngan(shape, steps):
    model = SNGAN(
        networks.build_residual_generator(shape, 128, width=32, seed=0),
        networks.build_sngan_discriminator(shape, width=32, seed=1),
        total_steps=steps,
        ema_decay=EMA_DECAY,
        seed=0,
    )
    return compiled(model, linear_adams(1e-3, steps, model.n_discriminator, 0.5))


def began(shape, steps):
    """With gamma 0.7, the paper's largest, all samples are shoes, the easiest pictures."""
    size = {"width": 32, "seed": 0}
    model = BEGAN(
        networks.build_began_generator(shape, 64, **size),
        networks.build_began_discriminator(shape, 64, **size),
        gamma=1.0,
        lambda_k=0.01,
        ema_decay=EMA_DECAY,
        seed=0,
    )
    return compiled(model, adams(steps, 4e-4))


def r3gan(shape, steps):
    size = {"width": 64, "blocks": 1}
    model = R3GAN(
        networks.build_r3gan_generator(shape, 64, **size, seed=0),
        networks.build_r3gan_discriminator(shape, **size, seed=1),
        **R3GAN.settings_for(steps),
        seed=0,
    )
    return compiled(model)


TRAININGS = {
    "gan": Training(gan, 100_000, batch_size=100),
    "cgan": Training(functools.partial(convolutional, CGAN, num_classes=10), 100_000),
    "dcgan": Training(functools.partial(convolutional, DCGAN), 100_000),
    "lsgan": Training(lsgan, 80_000),
    "lapgan": Training(lapgan, 30_000),
    "infogan": Training(infogan, 50_000),
    "wgan": Training(wgan, 25_000, per_call=5),
    "wgan_gp": Training(wgan_gp, 20_000, per_call=5),
    "sngan": Training(sngan, 15_000, per_call=5),
    "began": Training(began, 25_000, 32, per_call=10),
    "r3gan": Training(r3gan, 12_000, per_call=5),
}


def write_folder(out, names):
    """Writes all that the GPU's machine needs."""
    with new_directory(out) as folder:
        lines = []
        for name in names:
            training = TRAININGS[name]
            data = datasets.load(DATASET, labels=True, shuffle=False)
            model = training.build(data.info.shape, training.steps)
            export_step(
                model,
                folder / name,
                batch_size=training.batch_size,
                steps_per_call=training.per_call,
                samples=SAMPLES,
            )
            arrays = arrays_of(model, data)
            file = f"{'_and_'.join(arrays)}.npz"
            if not (folder / file).exists():
                states.write_arrays(folder / file, arrays)
            lines.append(f"{name} {file} {training.steps} {training.steps // 5}\n")
            print(name, flush=True)
        for code in CODE:
            shutil.copy(Path(__file__).parent / code, folder)
        (folder / "trainings.txt").write_text("".join(lines))
        (folder / "train.sh").write_text(TRAIN)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", help=f"some of {', '.join(TRAININGS)} (default: all)")
    parser.add_argument("--out", type=Path, required=True, help="new directory to make")
    args = parser.parse_args()
    unknown = sorted(set(args.names) - set(TRAININGS))
    if unknown:
        parser.error(
            f"names must be some of {', '.join(TRAININGS)}. Received: {', '.join(unknown)}"
        )
    write_folder(args.out, args.names or list(TRAININGS))


if __name__ == "__main__":
    main()
