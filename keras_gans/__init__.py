"""keras_gans: generative adversarial networks for Keras 3 on TensorFlow, one paper a file."""

from keras_gans import onednn  # noqa: F401 the first, before TensorFlow is imported

# isort: split
from keras_gans import (
    callbacks,
    datasets,
    export,
    layers,
    losses,
    metrics,
    models,
    networks,
    penalties,
    presets,
    schedules,
)
from keras_gans.base import AdversarialModel
from keras_gans.models import (
    BEGAN,
    CGAN,
    DCGAN,
    DRAGAN,
    GAN,
    LAPGAN,
    LSGAN,
    R3GAN,
    VAE,
    VAEGAN,
    WGAN,
    WGANGP,
    CycleGAN,
    InfoGAN,
    ProGAN,
    ProGANLS,
)
from keras_gans.presets import load

__version__ = "0.1.0"

__all__ = [
    "BEGAN",
    "CGAN",
    "DCGAN",
    "DRAGAN",
    "GAN",
    "LAPGAN",
    "LSGAN",
    "R3GAN",
    "VAE",
    "VAEGAN",
    "WGAN",
    "WGANGP",
    "AdversarialModel",
    "CycleGAN",
    "InfoGAN",
    "ProGAN",
    "ProGANLS",
    "callbacks",
    "datasets",
    "export",
    "layers",
    "load",
    "losses",
    "metrics",
    "models",
    "networks",
    "penalties",
    "presets",
    "schedules",
]
