"""Trained models to begin with: `keras_gans.load("dcgan_fashion_mnist")`."""

from keras_gans.export.preset import save
from keras_gans.training.preset_files import CONFIG, ROOT, card, load, names

__all__ = ["CONFIG", "ROOT", "card", "load", "names", "save"]
