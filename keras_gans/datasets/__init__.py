"""Data sets: embedded pictures, points, TFDS sets on disk, folders of pictures.

`load(name)` makes batches of all of them, and `names()` lists those that are always there.
"""

from keras_gans.datasets import points
from keras_gans.datasets.embedded import emoji_names
from keras_gans.datasets.examples import DatasetInfo
from keras_gans.datasets.loading import info, load, names

__all__ = ["DatasetInfo", "emoji_names", "info", "load", "names", "points"]
