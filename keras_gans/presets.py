"""Trained models to begin with: `keras_gans.load("dcgan_fashion_mnist")`."""

from keras_gans.export.preset import save
from keras_gans.preset_places import card, find, names
from keras_gans.training.preset_files import download, load

__all__ = ["card", "download", "find", "load", "names", "save"]
