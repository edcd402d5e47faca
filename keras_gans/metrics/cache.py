"""What metrics know of the reals, on disk, so that a set goes through an extractor only once."""

import hashlib
import json
import warnings
import zipfile
import zlib
from pathlib import Path

import numpy as np
import tensorflow as tf

from keras_gans.files import cache_directory, replacing
from keras_gans.metrics._base import FeatureMetric

FORMAT = 1  # in every key: another number and all files are made anew


def default_directory():
    """`~/.cache/keras_gans/metrics`, or where XDG_CACHE_HOME says."""
    return cache_directory() / "metrics"


class RealsCache:
    """Keeps the reals' side of metrics of features in a directory.

    A file's name is the hash of all that its content depends on: the pictures themselves and their
    order, the metric and its settings, the hash of the extractor, and TensorFlow's version. So
    nothing in it ever becomes wrong, and any file may be deleted. FID keeps 8 bytes x size^2, KID
    and PRDC the features: 34 MB and 82 MB each for 10,000 pictures and 2048 features.

    A file that is damaged is passed over with a warning and written anew. A directory that can't be
    written is a warning too: the numbers are the same without a cache.

    Args:
        directory: str or path-like; None is `default_directory()`. It is made if it does not exist.

    Example:

    >>> measurements = evaluate(gan, reals, ["fid", "kid"], cache=RealsCache())
    """

    def __init__(self, directory=None):
        self.directory = default_directory() if directory is None else Path(directory)

    def restore(self, metric, content):
        """Gives a metric its reals if they are kept here.

        Args:
            metric: metric of this package that has seen no reals.
            content: str, the hash of the reals: `ContentHash`.

        Returns:
            bool, whether it has the reals now.
        """
        if not self.keeps(metric) or not (path := self.path(metric, content)).is_file():
            return False
        try:
            with np.load(path, allow_pickle=False) as file:
                metric.set_reals_state({name: file[name] for name in file.files})
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            reason = " ".join(str(error).split())
            warnings.warn(f"'{path}' in the cache is damaged and made anew: {reason}", stacklevel=2)
            return False
        return True

    def store(self, metric, content):
        """Keeps a metric's reals; see `restore`."""
        if not self.keeps(metric):
            return
        try:
            with replacing(self.path(metric, content)) as temporary, open(temporary, "wb") as file:
                np.savez(file, **metric.reals_state())
        except OSError as error:
            warnings.warn(f"The cache can't be written, and is not needed: {error}", stacklevel=2)

    def keeps(self, metric):
        """Whether it keeps a metric: only features cost enough, and need an extractor's hash."""
        return isinstance(metric, FeatureMetric) and metric.extractor.digest is not None

    def path(self, metric, content):
        """The file of a metric and a set."""
        shapes = {v.name: tuple(v.shape) for v in metric.variables if v.name.startswith("reals")}
        key = {
            "format": FORMAT,
            "tensorflow": tf.__version__,
            "content": content,
            "metric": type(metric).__name__,
            "settings": metric.settings(),
            "shapes": shapes,
        }
        digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
        return self.directory / f"{digest}.npz"


class ContentHash:
    """The hash of pictures and of their order, whatever batches they come in."""

    def __init__(self):
        self._sha, self._known = hashlib.sha256(), None

    def update(self, rows):
        """Adds an array of them."""
        kind = f"{rows.dtype}{rows.shape[1:]};"
        if kind != self._known:
            self._sha.update(kind.encode())
            self._known = kind
        self._sha.update(np.ascontiguousarray(rows).data)

    def hexdigest(self):
        return self._sha.hexdigest()
