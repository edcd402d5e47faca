"""Measures of generative models; one a file.

Most are `keras.metrics.Metric` that take reals and fakes in batches and carry their protocol; those
of features take an extractor. The functions that they are made of take whole arrays.
"""

from keras_gans.metrics.cache import RealsCache
from keras_gans.metrics.clustering import (
    clustering_accuracy,
    majority_vote_accuracy,
    normalized_mutual_information,
)
from keras_gans.metrics.evaluation import Evaluation, evaluate
from keras_gans.metrics.fashion import fashion_mnist_classifier, fashion_mnist_encoder
from keras_gans.metrics.features import CallableExtractor, Extractor, GivenFeatures
from keras_gans.metrics.fid import FID, frechet_distance
from keras_gans.metrics.inception import Inception2015, InceptionV3
from keras_gans.metrics.inception_score import InceptionScore
from keras_gans.metrics.kid import KID, kernel_distance
from keras_gans.metrics.measurement import Measurement
from keras_gans.metrics.metric_set import MetricSet
from keras_gans.metrics.mode_score import ModeScore
from keras_gans.metrics.modes import ModeCoverage, StackedModes
from keras_gans.metrics.ms_ssim import MSSSIM, mean_pairwise_ms_ssim, ms_ssim
from keras_gans.metrics.paired import (
    L1,
    PSNR,
    SSIM,
    FeatureDistance,
    PixelAgreement,
    luminance,
    mean_absolute_error,
    pixel_agreement,
    structural_similarity,
)
from keras_gans.metrics.path_length import PerceptualPathLength
from keras_gans.metrics.prdc import PRDC, precision_recall_density_coverage
from keras_gans.metrics.swd import PatchDistances, SlicedWasserstein, sliced_wasserstein_distances

__all__ = [
    "FID",
    "KID",
    "L1",
    "MSSSIM",
    "PRDC",
    "PSNR",
    "SSIM",
    "CallableExtractor",
    "Evaluation",
    "Extractor",
    "FeatureDistance",
    "GivenFeatures",
    "Inception2015",
    "InceptionScore",
    "InceptionV3",
    "Measurement",
    "MetricSet",
    "ModeCoverage",
    "ModeScore",
    "PatchDistances",
    "PerceptualPathLength",
    "PixelAgreement",
    "RealsCache",
    "SlicedWasserstein",
    "StackedModes",
    "clustering_accuracy",
    "evaluate",
    "fashion_mnist_classifier",
    "fashion_mnist_encoder",
    "frechet_distance",
    "kernel_distance",
    "luminance",
    "majority_vote_accuracy",
    "mean_absolute_error",
    "mean_pairwise_ms_ssim",
    "ms_ssim",
    "normalized_mutual_information",
    "pixel_agreement",
    "precision_recall_density_coverage",
    "sliced_wasserstein_distances",
    "structural_similarity",
]
