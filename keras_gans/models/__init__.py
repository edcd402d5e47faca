"""One paper a file."""

from keras_gans.models.cgan import CGAN
from keras_gans.models.dcgan import DCGAN
from keras_gans.models.gan import GAN
from keras_gans.models.lsgan import LSGAN
from keras_gans.models.wgan import WGAN
from keras_gans.models.wgan_gp import WGANGP

__all__ = ["CGAN", "DCGAN", "GAN", "LSGAN", "WGAN", "WGANGP"]
