"""What turns pictures into features: an argument of every metric that compares those."""

import contextlib
import hashlib
import json
import typing

import keras
import numpy as np
import tensorflow as tf

from keras_gans.checks import check_count
from keras_gans.datasets.pictures import cover, to_channels
from keras_gans.metrics._pictures import check_tensor


class Extracted(typing.NamedTuple):
    """Features (num, size), and probabilities (num, num_classes) or None; float32."""

    features: tf.Tensor
    probabilities: tf.Tensor | None = None


class Extractor:
    """Makes features of pictures, and says exactly which: results of two extractors never compare.

    Subclasses have `extract(pictures)`, from float32 pictures (num, height, width, channels) in
    [0, 255], which are not rounded, to `Extracted`.

    Args:
        name: str.
        digest: str, a hash of all that the features depend on, such as of the weights' file.
        size: int, length of the features.
        num_classes: int, length of the probabilities, or None where there are none.
        resize: str that says how pictures of another size or number of channels are fitted.
    """

    def __init__(self, name, digest, size, num_classes=None, resize="none"):
        if not isinstance(name, str) or not name:
            raise ValueError(f"`name` must be a str that is not empty. Received: {name!r}")
        self.name, self.digest, self.resize = name, digest, resize
        self.size, self.num_classes = check_count("size", size), num_classes
        self._graphs, self._seen = {}, None

    def __call__(self, pictures):
        """`Extracted` of uint8 pictures (num, height, width, channels)."""
        if self._seen is None:
            pictures = tf.cast(self.check("pictures", pictures), tf.float32)
            return self._checked(self._graph(pictures.shape[1:])(pictures))
        if id(pictures) not in self._seen:
            seen, self._seen = self._seen, None
            try:
                seen[id(pictures)] = pictures, self(pictures)
            finally:
                self._seen = seen
        return self._seen[id(pictures)][1]

    def check(self, name, pictures):
        """Pictures as a tensor; ValueError where they are no uint8 pictures."""
        return check_tensor(name, pictures)

    def extract(self, pictures):
        raise NotImplementedError

    def protocol(self):
        """Its part of a metric's protocol."""
        return {"extractor": self.name, "extractor_hash": self.digest, "resize": self.resize}

    @contextlib.contextmanager
    def shared(self):
        """Inside of it, what was made of a tensor is kept: several metrics cost one extraction."""
        self._seen = {}
        try:
            yield self
        finally:
            self._seen = None

    def _graph(self, shape):
        """`extract` as a graph for any number of pictures of one shape."""
        key = tuple(shape)
        if key not in self._graphs:
            spec = tf.TensorSpec((None, *shape), tf.float32)
            self._graphs[key] = tf.function(self.extract, [spec], autograph=False)
        return self._graphs[key]

    def _checked(self, extracted):
        for part, size in zip(extracted, (self.size, self.num_classes), strict=True):
            shape = None if part is None else part.shape
            if (shape is None) != (size is None) or (shape is not None and shape[1:] != (size,)):
                raise ValueError(
                    f"The extractor {self.name!r} must give features of shape (num, {self.size}) "
                    f"and probabilities {('none', '(num, classes)')[self.num_classes is not None]}."
                    f" Received: {[None if x is None else tuple(x.shape) for x in extracted]}"
                )
        return extracted


class GivenFeatures(Extractor):
    """Takes features in the place of pictures, for those that were made elsewhere.

    Args:
        size: int, length of the features.
        name: str that says what they are; it stands in the protocol, and is all that tells results
            of other features apart.

    Example:

    >>> fid = FID(GivenFeatures(64, "CLIP ViT-B/32, revision 3d74acf"))
    >>> fid.update_state(reals=np.random.normal(size=(100, 64)))
    """

    def __init__(self, size, name):
        super().__init__(name, None, size, resize="given as features")

    def __call__(self, pictures):
        return Extracted(tf.cast(self.check("features", pictures), tf.float32))

    def check(self, name, features):
        features = tf.convert_to_tensor(features)
        if not features.dtype.is_floating or features.shape[1:] != (self.size,):
            raise ValueError(
                f"`{name}` must be floating-point features (num, {self.size}) of "
                f"{self.name!r}. Received: {features.dtype.name} of shape {features.shape}"
            )
        return features


class CallableExtractor(Extractor):
    """Features by any function or Keras model of pictures.

    Args:
        function: from float32 pictures (num, height, width, channels) in [-1, 1] to features
            (num, size), or to a pair of these and probabilities (num, classes). Further axes of
            features are averaged: those of (num, 4, 4, 64) are 64.
        name: str.
        image_size: pair of int that pictures are resized to, antialiased and in bilinear
            interpolation, or None to leave their size as it is.
        channels: int in 1..4 that pictures are brought to, or None.
        version: str that changes whenever the function's results do. For a Keras model, None takes
            the hash of its weights.

    Example:

    >>> model = keras.Sequential([keras.Input((32, 32, 3)), keras.layers.Flatten()])
    >>> CallableExtractor(model, "pixels", image_size=(32, 32)).size
    3072
    """

    def __init__(self, function, name, image_size=None, channels=None, version=None):
        if not callable(function):
            raise ValueError(f"`function` must be callable. Received: {function!r}")
        is_model = isinstance(function, keras.Model)
        if version is None and not is_model:
            raise ValueError(
                "`version` must be given for a function without weights: with the name it is what "
                "tells results of different extractors apart. Received: None"
            )
        if image_size is not None:
            if not isinstance(image_size, tuple | list) or len(image_size) != 2:
                raise ValueError(
                    f"`image_size` must be (height, width) or None. Received: {image_size!r}"
                )
            image_size = tuple(check_count("image_size", side) for side in image_size)
        if channels is not None and check_count("channels", channels) > 4:
            raise ValueError(f"`channels` must be in 1..4 or None. Received: {channels}")
        self.function, self.image_size, self.channels = function, image_size, channels
        shape = (*(image_size or (None, None)), channels)
        if is_model and shape == (None, None, None):
            shape = function.input_shape[1:]
        pictures = tf.TensorSpec((1, *shape), tf.float32)
        probe = tf.function(self.extract, autograph=False).get_concrete_function(pictures)
        features, probabilities = (_length(part) for part in probe.structured_outputs)
        if features is None:
            raise ValueError(
                "`image_size` and `channels` must be given where the number of features depends on "
                f"them. Received: {image_size} and {channels}, of {name!r}"
            )
        resize = "none" if image_size is None else f"bilinear, antialiased, {image_size}"
        digest = hash_of_weights(function) if version is None else str(version)
        resize = resize if channels is None else f"{resize}, {channels} channels"
        super().__init__(name, digest, features, probabilities, resize)

    def extract(self, pictures):
        if self.channels is not None:
            pictures = to_channels(pictures, self.channels)
        if self.image_size is not None:
            pictures = tf.image.resize(pictures, self.image_size, antialias=True)
        made = self.function(pictures / 127.5 - 1.0)
        features, probabilities = made if isinstance(made, tuple | list) else (made, None)
        axes = list(range(1, features.shape.rank - 1))
        return Extracted(tf.reduce_mean(features, axis=axes) if axes else features, probabilities)


def fit_pictures(pictures, height, width, channels):
    """Float32 pictures in [0, 255], brought to a size and a number of channels as `load` does."""
    pictures = to_channels(pictures, channels)
    if tuple(pictures.shape[1:3]) == (height, width):
        return pictures
    return tf.clip_by_value(cover(pictures, height, width), 0.0, 255.0)


def hash_of_weights(model):
    """SHA-256 of a model's weights and its layers' settings, as hexadecimal digits."""
    sha = hashlib.sha256()
    for layer in _layers(model):
        settings = {name: x for name, x in _config(layer).items() if _is_setting(name, x)}
        sha.update(f"{type(layer).__name__}{json.dumps(settings, sort_keys=True)};".encode())
    for weight in model.weights:
        array = np.ascontiguousarray(weight.numpy())
        sha.update(f"{array.dtype}{array.shape};".encode())
        sha.update(array.tobytes())
    return sha.hexdigest()


def _layers(model):
    """All layers of a model, those of models in it too."""
    for layer in model.layers:
        yield layer
        if isinstance(layer, keras.Model):
            yield from _layers(layer)


def _config(layer):
    try:
        return layer.get_config()
    except NotImplementedError:  # a layer of the user's own, without one
        return {}


def _is_setting(name, value):
    """Whether an entry of a config is plain, and none of those that features do not depend on."""
    values = value if isinstance(value, tuple | list) else [value]
    plain = all(x is None or isinstance(x, bool | int | float | str) for x in values)
    return plain and name not in ("name", "trainable", "batch_shape")


def hash_of_file(path):
    """SHA-256 of a file, as hexadecimal digits."""
    sha = hashlib.sha256()
    with open(path, "rb") as file:
        while part := file.read(2**20):
            sha.update(part)
    return sha.hexdigest()


def _length(part):
    return None if part is None else part.shape[-1]
