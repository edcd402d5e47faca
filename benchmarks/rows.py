"""The rows of the tables of `docs/performance.md`: which algorithm, which networks, which data."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Row:
    """One training that several implementations are measured on.

    Args:
        title: what tables call it.
        algorithm: "dcgan", "wgan_gp", "cyclegan" or "progan".
        networks: "dcgan", "residual", "translation" or "progan".
        shape: (H, W, C) of the pictures.
        batch: examples of a minibatch.
        width: the networks' `width`; `filters_base` of progressive ones.
        latent_dim: length of the latents.
    """

    title: str
    algorithm: str
    networks: str
    shape: tuple
    batch: int
    width: int
    latent_dim: int = 100

    @property
    def minibatches_per_step(self):
        return 5 if self.algorithm == "wgan_gp" else 1

    @property
    def examples_per_step(self):
        return self.batch * self.minibatches_per_step


def _progan(size):
    shape = (size, size, 3)
    return Row(f"ProGAN, stage of {size} px", "progan", "progan", shape, 16, 1024, 128)


ROWS = {
    "dcgan_32": Row("DCGAN 32 px", "dcgan", "dcgan", (32, 32, 3), 64, 64),
    "dcgan_64": Row("DCGAN 64 px", "dcgan", "dcgan", (64, 64, 3), 64, 64),
    "wgan_gp_28": Row("WGAN-GP 28 px", "wgan_gp", "dcgan", (28, 28, 1), 64, 64),
    "wgan_gp_64": Row("WGAN-GP 64 px", "wgan_gp", "dcgan", (64, 64, 3), 64, 32),
    "residual_32": Row("WGAN-GP, residual, 32 px", "wgan_gp", "residual", (32, 32, 3), 32, 64, 128),
    "cyclegan_64": Row("CycleGAN 64 px", "cyclegan", "translation", (64, 64, 3), 1, 64),
    **{f"progan_{size}": _progan(size) for size in (4, 8, 16, 32, 64)},
}

# What a GPU is measured on; `gpu.py`. Scaling is by the batch.
GPU_ROWS = {
    **{name: ROWS[name] for name in ("dcgan_64", "wgan_gp_64", "residual_32")},
    "cyclegan_128": dataclasses.replace(
        ROWS["cyclegan_64"], title="CycleGAN 128 px", shape=(128, 128, 3)
    ),
    "progan_64": ROWS["progan_64"],
    "progan_128": _progan(128),
}
BATCHES = (16, 32, 64, 128, 256, 512, 1024)
SCALING_ROWS = {
    f"dcgan_64_batch_{batch}": dataclasses.replace(
        ROWS["dcgan_64"], title=f"DCGAN 64 px, batch {batch}", batch=batch
    )
    for batch in BATCHES
}
