"""Small networks for pictures of the harness, which several papers' tests share."""

from harness import SHAPE

from keras_gans.checks import network_settings
from keras_gans.networks import (
    build_dcgan_discriminator,
    build_dcgan_encoder,
    build_dcgan_generator,
    build_dtn_encoder,
    build_mlp_discriminator,
    build_mlp_generator,
    build_progan_discriminator,
    build_progan_generator,
    build_r3gan_discriminator,
    build_r3gan_generator,
)


def mlp_pair():
    return (
        build_mlp_generator(SHAPE, 6, (16,), seed=1),
        build_mlp_discriminator(SHAPE, (16, 8), maxout_pieces=3, dropout=0.3, seed=2),
    )


def dcgan_pair(normalization="batch", num_classes=None):
    return (
        build_dcgan_generator(SHAPE, 6, width=4, num_classes=num_classes, seed=1),
        build_dcgan_discriminator(
            SHAPE, width=4, normalization=normalization, num_classes=num_classes, seed=2
        ),
    )


def vae_pair():
    return (
        build_dcgan_generator(SHAPE, 6, width=4, seed=1),
        build_dcgan_encoder(SHAPE, 6, width=4, seed=3),
    )


def small_encoder(shape, features=5):
    """A frozen network of a model's: not trained, but always the same."""
    return build_dtn_encoder(shape, features, width=3, seed=3)


def needed(model_class, shape):
    """What `from_paper` can't do without: the trained encoder of models that have one."""
    return {"encoder": small_encoder(shape)} if "encoder" in network_settings(model_class) else {}


def progan_pair(**discriminator_settings):
    """A stage in mid-fade: with 200 fading pictures, and batches of 8, alpha moves in each step."""
    small = {"filters_base": 32, "filters_max": 4, "fade": True}
    return (
        build_progan_generator(SHAPE, latent_dim=6, seed=1, **small),
        build_progan_discriminator(SHAPE, seed=2, **small, **discriminator_settings),
    )


def r3gan_pair():
    small = {"width": 8, "blocks": 1}
    return (
        build_r3gan_generator(SHAPE, 6, seed=1, **small),
        build_r3gan_discriminator(SHAPE, seed=2, **small),
    )
