"""keras_gans: generative adversarial networks for Keras 3 on TensorFlow, one paper a file."""

from keras_gans import callbacks, datasets, layers, losses, models, networks, penalties
from keras_gans.base import AdversarialModel
from keras_gans.models import CGAN, DCGAN, GAN, LSGAN, WGAN, WGANGP

__version__ = "0.1.0"

__all__ = [
    "CGAN",
    "DCGAN",
    "GAN",
    "LSGAN",
    "WGAN",
    "WGANGP",
    "AdversarialModel",
    "callbacks",
    "datasets",
    "layers",
    "losses",
    "models",
    "networks",
    "penalties",
]
