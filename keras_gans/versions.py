"""The version of the package, and those of what it ran with, for the files that it writes."""

import platform
from importlib.metadata import version

__version__ = "0.1.0"


def versions(*more):
    """`{package: version}` of keras_gans, Python, Keras, TensorFlow and numpy, and of `more`."""
    packages = ("keras", "tensorflow", "numpy", *more)
    own = {"keras_gans": __version__, "python": platform.python_version()}
    return own | {name: version(name) for name in packages}
