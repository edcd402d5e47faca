"""Data sets: embedded pictures, points, TFDS sets on disk, folders of pictures.

`load(name)` makes batches of all of them, and `names()` lists those that are always there.
`paired(a, b)` joins two of them picture by picture, for models that learn one from the other, and
`unpaired(a, b)` two that have nothing to do with each other. `edges` and `negatives` make pictures
into those of a second set.
`semi_supervised(dataset)` takes most labels away, for models that learn from a few.
`downscaled(dataset)` sets pictures beside themselves in small, for models that enlarge them.
`shifted(dataset)` moves pictures by a few pixels, which makes more of a small set.
"""

from keras_gans.catalogue import DatasetInfo
from keras_gans.datasets import points
from keras_gans.datasets.downscaled import downscale, downscaled, enlarge_bicubic
from keras_gans.datasets.embedded import emoji_names, skin_tone_families
from keras_gans.datasets.loading import info, load, names
from keras_gans.datasets.paired import paired
from keras_gans.datasets.semi_supervised import semi_supervised
from keras_gans.datasets.shifted import shifted
from keras_gans.datasets.transforms import edges, negatives
from keras_gans.datasets.unpaired import unpaired

__all__ = [
    "DatasetInfo",
    "downscale",
    "downscaled",
    "edges",
    "emoji_names",
    "enlarge_bicubic",
    "info",
    "load",
    "names",
    "negatives",
    "paired",
    "points",
    "semi_supervised",
    "shifted",
    "skin_tone_families",
    "unpaired",
]
