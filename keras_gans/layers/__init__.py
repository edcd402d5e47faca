"""Layers that GAN papers define or that Keras has in another form."""

from keras_gans.layers.activations import LeakyReLU, ReLU
from keras_gans.layers.basis import Basis2D
from keras_gans.layers.batch_normalization import BatchNormalization
from keras_gans.layers.bicubic_upsampling import BicubicUpsampling2D
from keras_gans.layers.bilinear_resampling import BilinearResampling2D
from keras_gans.layers.data_dependent import initialize_from_data
from keras_gans.layers.dropout import Dropout
from keras_gans.layers.equalized import EqualizedConv2D, EqualizedDense
from keras_gans.layers.fade_in import FadeIn
from keras_gans.layers.gaussian_noise import GaussianNoise
from keras_gans.layers.group_normalization import GroupNormalization
from keras_gans.layers.grouped_convolution import GroupedConv2D
from keras_gans.layers.historical_average import HistoricalAverage
from keras_gans.layers.image_buffer import ImageBuffer
from keras_gans.layers.layer_normalization import LayerNormalization
from keras_gans.layers.maxout import Maxout
from keras_gans.layers.minibatch_discrimination import MinibatchDiscrimination
from keras_gans.layers.minibatch_stddev import MinibatchStdDev
from keras_gans.layers.multiplicative_noise import MultiplicativeNoise
from keras_gans.layers.pixel_normalization import PixelNormalization
from keras_gans.layers.pixel_shuffle import PixelShuffle2D
from keras_gans.layers.reflection_padding import ReflectionPadding2D
from keras_gans.layers.resampled_convolution import ResampledConv2D
from keras_gans.layers.spectral_normalization import SpectralNormalization
from keras_gans.layers.virtual_batch_normalization import (
    DropReference,
    ReferenceBatch,
    VirtualBatchNormalization,
    set_reference,
)
from keras_gans.layers.weight_normalization import WeightNormalization

__all__ = [
    "Basis2D",
    "BatchNormalization",
    "BicubicUpsampling2D",
    "BilinearResampling2D",
    "DropReference",
    "Dropout",
    "EqualizedConv2D",
    "EqualizedDense",
    "FadeIn",
    "GaussianNoise",
    "GroupNormalization",
    "GroupedConv2D",
    "HistoricalAverage",
    "ImageBuffer",
    "LayerNormalization",
    "LeakyReLU",
    "Maxout",
    "MinibatchDiscrimination",
    "MinibatchStdDev",
    "MultiplicativeNoise",
    "PixelNormalization",
    "PixelShuffle2D",
    "ReLU",
    "ReferenceBatch",
    "ReflectionPadding2D",
    "ResampledConv2D",
    "SpectralNormalization",
    "VirtualBatchNormalization",
    "WeightNormalization",
    "initialize_from_data",
    "set_reference",
]
