"""A training that ends as a directory, and samples out of one."""

from keras_gans.runs.sampling import open_sampler
from keras_gans.runs.training import check, check_stages, train, train_stages

__all__ = ["check", "check_stages", "open_sampler", "train", "train_stages"]
