"""Layers that GAN papers define or that Keras has in another form."""

from keras_gans.layers.batch_normalization import BatchNormalization
from keras_gans.layers.dropout import Dropout
from keras_gans.layers.maxout import Maxout
from keras_gans.layers.spectral_normalization import SpectralNormalization

__all__ = ["BatchNormalization", "Dropout", "Maxout", "SpectralNormalization"]
