"""Builders of generators and discriminators; each returns a built functional `keras.Model`."""

from keras_gans.networks.aae import (
    build_aae_discriminator,
    build_aae_encoder,
    build_aae_generator,
)
from keras_gans.networks.began import build_began_discriminator, build_began_generator
from keras_gans.networks.cogan import (
    build_cogan_dense_discriminators,
    build_cogan_dense_generators,
    build_cogan_discriminators,
    build_cogan_generators,
)
from keras_gans.networks.coupling import couple, shared_weights
from keras_gans.networks.dcgan import (
    build_dcgan_discriminator,
    build_dcgan_encoder,
    build_dcgan_generator,
)
from keras_gans.networks.dtn import (
    build_dtn_classifier,
    build_dtn_decoder,
    build_dtn_discriminator,
    build_dtn_encoder,
)
from keras_gans.networks.features import PREPROCESSINGS, Features
from keras_gans.networks.infogan import build_infogan_discriminator, build_infogan_generator
from keras_gans.networks.lapgan import build_lapgan_discriminators, build_lapgan_generators
from keras_gans.networks.mlp import (
    build_mlp_discriminator,
    build_mlp_encoder,
    build_mlp_generator,
)
from keras_gans.networks.patchgan import build_patchgan_discriminator
from keras_gans.networks.progan import build_progan_discriminator, build_progan_generator
from keras_gans.networks.r3gan import build_r3gan_discriminator, build_r3gan_generator
from keras_gans.networks.recognition import build_recognition_head
from keras_gans.networks.residual import build_residual_discriminator, build_residual_generator
from keras_gans.networks.resnet import build_resnet_generator
from keras_gans.networks.sngan import build_sngan_discriminator
from keras_gans.networks.srgan import build_srgan_discriminator, build_srresnet_generator
from keras_gans.networks.ssgan import (
    build_ssgan_discriminator,
    build_ssgan_generator,
    build_ssgan_mlp_discriminator,
    build_ssgan_mlp_generator,
)
from keras_gans.networks.unet import build_unet_generator
from keras_gans.networks.vaegan import (
    build_vaegan_discriminator,
    build_vaegan_encoder,
    build_vaegan_generator,
)

__all__ = [
    "PREPROCESSINGS",
    "Features",
    "build_aae_discriminator",
    "build_aae_encoder",
    "build_aae_generator",
    "build_began_discriminator",
    "build_began_generator",
    "build_cogan_dense_discriminators",
    "build_cogan_dense_generators",
    "build_cogan_discriminators",
    "build_cogan_generators",
    "build_dcgan_discriminator",
    "build_dcgan_encoder",
    "build_dcgan_generator",
    "build_dtn_classifier",
    "build_dtn_decoder",
    "build_dtn_discriminator",
    "build_dtn_encoder",
    "build_infogan_discriminator",
    "build_infogan_generator",
    "build_lapgan_discriminators",
    "build_lapgan_generators",
    "build_mlp_discriminator",
    "build_mlp_encoder",
    "build_mlp_generator",
    "build_patchgan_discriminator",
    "build_progan_discriminator",
    "build_progan_generator",
    "build_r3gan_discriminator",
    "build_r3gan_generator",
    "build_recognition_head",
    "build_residual_discriminator",
    "build_residual_generator",
    "build_resnet_generator",
    "build_sngan_discriminator",
    "build_srgan_discriminator",
    "build_srresnet_generator",
    "build_ssgan_discriminator",
    "build_ssgan_generator",
    "build_ssgan_mlp_discriminator",
    "build_ssgan_mlp_generator",
    "build_unet_generator",
    "build_vaegan_discriminator",
    "build_vaegan_encoder",
    "build_vaegan_generator",
    "couple",
    "shared_weights",
]
