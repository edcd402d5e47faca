"""One paper a file."""

from keras_gans.models.aae import AAE, ClusteringAAE, SemiSupervisedAAE
from keras_gans.models.began import BEGAN
from keras_gans.models.catgan import CatGAN
from keras_gans.models.cgan import CGAN
from keras_gans.models.cogan import CoGAN
from keras_gans.models.cyclegan import CycleGAN
from keras_gans.models.dcgan import DCGAN
from keras_gans.models.dragan import DRAGAN
from keras_gans.models.dtn import DTN
from keras_gans.models.gan import GAN
from keras_gans.models.infogan import InfoGAN
from keras_gans.models.lapgan import LAPGAN
from keras_gans.models.lsgan import LSGAN
from keras_gans.models.mrgan import MDGAN, MRGAN
from keras_gans.models.pix2pix import Pix2Pix
from keras_gans.models.progan import ProGAN, ProGANLS
from keras_gans.models.r3gan import R3GAN
from keras_gans.models.sngan import SNGAN
from keras_gans.models.srgan import SRGAN
from keras_gans.models.srresnet import SRResNet
from keras_gans.models.ssgan import SSGAN
from keras_gans.models.vae import VAE
from keras_gans.models.vaegan import VAEGAN
from keras_gans.models.wgan import WGAN
from keras_gans.models.wgan_gp import WGANGP

__all__ = [
    "AAE",
    "BEGAN",
    "CGAN",
    "DCGAN",
    "DRAGAN",
    "DTN",
    "GAN",
    "LAPGAN",
    "LSGAN",
    "MDGAN",
    "MRGAN",
    "R3GAN",
    "SNGAN",
    "SRGAN",
    "SSGAN",
    "VAE",
    "VAEGAN",
    "WGAN",
    "WGANGP",
    "CatGAN",
    "ClusteringAAE",
    "CoGAN",
    "CycleGAN",
    "InfoGAN",
    "Pix2Pix",
    "ProGAN",
    "ProGANLS",
    "SRResNet",
    "SemiSupervisedAAE",
]
