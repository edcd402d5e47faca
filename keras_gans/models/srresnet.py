"""Photo-Realistic Single Image Super-Resolution Using a Generative Adversarial Network, Ledig et
al., 2017 (arXiv:1609.04802): SRResNet, the network that SRGAN begins with.

A residual network makes large pictures out of small ones, and learns it by the distance to the
large pictures that were made small:

    G minimizes E[(G(low) - high)^2]

(equation 4), the mean over all values. This is what makes PSNR high and pictures smooth: of all
large pictures that may have become one small picture, it makes the mean. `SRGAN` takes its
generator on.

Deviations from the paper:
- The paper's low pictures are in [0, 1] and the high ones in [-1, 1], as all are here.
- The generator's output is not limited to [-1, 1]; what leaves it as uint8 is.
- `bicubic`, by which the generator learns what is to be added to the bicubic enlargement, is ours.
- The paper trains it for 10^6 steps; `recipe` has steps for a few photographs on one machine.
"""

import keras

from keras_gans.families.super_resolution import SuperResolver, default_generator, scale_of
from keras_gans.losses import mean_squared_error, psnr
from keras_gans.optimizers import adam
from keras_gans.papers import Paper, Recipe


@keras.saving.register_keras_serializable("keras_gans")
class SRResNet(SuperResolver):
    """A network that enlarges pictures, learned by the squared error.

    Args:
        generator: built `keras.Model`, pictures (batch, H, W, C) to pictures (batch, s H, s W, D),
            in [-1, 1], of any size or of one; the paper's is of `build_srresnet_generator`.
        ema_decay: decay in (0, 1) of an averaged generator, or `None`.
        seed: integer that fixes every random draw, or `None`.

    Raises:
        ValueError: the generator does not enlarge pictures by a whole number.

    Input shape:
        Pairs of minibatches (batch, H, W, C) and (batch, s H, s W, D), float32 in [-1, 1]: small
        pictures and the large ones that they were (`datasets.downscaled`).

    Example:

    >>> photographs = downscaled(load("photos/", crop=96, flip=True, batch_size=16), scale=4)
    >>> gan = SRResNet.from_paper((96, 96, 3), seed=0)
    >>> history = gan.fit(photographs, epochs=100, steps_per_epoch=1000)
    >>> large = gan.translate(small)

    Reference:
        https://arxiv.org/abs/1609.04802
    """

    paper = Paper(
        title="Photo-Realistic Single Image Super-Resolution Using a Generative Adversarial "
        "Network",
        authors="Ledig et al.",
        year=2017,
        arxiv="1609.04802",
    )
    recipe = Recipe(
        dataset="noto_emoji",
        batch_size=16,
        steps=3_000,
        latent_dim=None,
        scale=4,
        crop=96,
        status="trained",
    )
    players = {"generator": ("generator",)}
    reported = ("psnr",)

    def __init__(self, generator, ema_decay=None, seed=None, name=None):
        super().__init__(generator=generator, ema_decay=ema_decay, seed=seed, name=name)
        self.scale = scale_of(generator)

    def default_optimizers(self):
        """Adam with rate 1e-4 and beta_1 0.9 (section 3.2)."""
        return {"generator": adam(1e-4, beta_1=0.9)}

    @classmethod
    def default_networks(
        cls,
        shape,
        num_classes=None,
        latent_dim=None,
        seed=None,
        scale=4,
        width=64,
        num_blocks=16,
        bicubic=False,
    ):
        """The paper's, for any size of pictures.

        Args:
            shape, num_classes, latent_dim, seed: see `from_paper`; the shape is of the high
                pictures that it learns from.
            scale, width, num_blocks, bicubic: see `build_srresnet_generator`.
        """
        settings = {"width": width, "num_blocks": num_blocks, "bicubic": bicubic}
        return {"generator": default_generator(shape, scale, seed, **settings)}

    def train_step(self, data):
        low, high = self.pairs(data)
        with self.update("generator") as losses:
            made = self.generator(low, training=True)
            losses["generator"] = mean_squared_error(made, high)
        self.report(psnr=psnr(made, high))
        return self.logs()
