"""Measures of trained models; one a file."""

from keras_gans.metrics.clustering import clustering_accuracy, normalized_mutual_information
from keras_gans.metrics.ms_ssim import mean_pairwise_ms_ssim, ms_ssim
from keras_gans.metrics.paired import mean_absolute_error, structural_similarity
from keras_gans.metrics.swd import SlicedWasserstein, sliced_wasserstein_distances

__all__ = [
    "SlicedWasserstein",
    "clustering_accuracy",
    "mean_absolute_error",
    "mean_pairwise_ms_ssim",
    "ms_ssim",
    "normalized_mutual_information",
    "sliced_wasserstein_distances",
    "structural_similarity",
]
