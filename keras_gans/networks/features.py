"""`Features`: what a trained network sees in pictures, by which they are compared."""

import hashlib
import os
import warnings
from pathlib import Path

import keras
from keras import ops, tree

from keras_gans.checks import check_member

CAFFE_MEAN = (103.939, 116.779, 123.68)  # of blue, green and red, from 0 to 255
TORCH_MEAN, TORCH_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
CHUNK = 2**20


def caffe(pictures):
    """Blue, green and red from 0 to 255, less ImageNet's means: VGG16, VGG19, ResNet50."""
    return ops.flip((pictures + 1.0) * 127.5, axis=-1) - ops.convert_to_tensor(CAFFE_MEAN)


def torch(pictures):
    """From 0 to 1, less ImageNet's means and in units of its deviations: DenseNet."""
    x = (pictures + 1.0) / 2.0
    return (x - ops.convert_to_tensor(TORCH_MEAN)) / ops.convert_to_tensor(TORCH_STD)


PREPROCESSINGS = {
    "tf": lambda pictures: pictures,  # [-1, 1]: MobileNet, Xception, InceptionV3
    "caffe": caffe,
    "torch": torch,
    "0 to 1": lambda pictures: (pictures + 1.0) / 2.0,
    "0 to 255": lambda pictures: (pictures + 1.0) * 127.5,  # EfficientNet, ConvNeXt
}
COLOURED = ("caffe", "torch")


@keras.saving.register_keras_serializable("keras_gans")
class Features(keras.Model):
    """What some layers of a trained network make of pictures.

    It takes pictures in [-1, 1] as all networks here do and gives them to the network as that wants
    them. It is never trained: it has no trainable weights, and is in inference mode whatever it is
    called with. Grey pictures become three equal channels for a network of colours.

    A network that is given as a file stays there: a model that has these features is saved with the
    file's path and its SHA-256, and without its weights, of which VGG19 has 80 MB. Where the file
    is gone, the model still loads and makes what it makes; to train it, the file has to be back. A
    network that is given as a `keras.Model` is saved with the model.

    Args:
        network: built functional `keras.Model` of pictures (batch, H, W, C); or the path of one, of
            a `.keras` or `.h5` file; or with `application`, of an `.h5` file of its weights.
        layers: name of a layer, or a sequence of names; `None` is what the network makes.
        preprocessing: what `keras.applications` calls the network's mode, which is what its
            `preprocess_input` does: "caffe" (VGG, ResNet), "tf" (MobileNet, Inception; the network
            takes [-1, 1]) or "torch" (DenseNet); or "0 to 1", or "0 to 255" for networks that have
            their own (EfficientNet).
        application: name of a network of `keras.applications`, such as "VGG19", whose weights
            without the classifier ("notop") are in the file. `None` for a file with a whole one.
        sha256: that of the file, or `None` to take it as it is.
        name: str.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it holds no such network or has another SHA-256, a layer is not there, or an
            argument is out of its range.

    Example:

    >>> weights = "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5"
    >>> features = Features(weights, "block5_conv4", "caffe", application="VGG19")
    >>> features(pictures).shape
    TensorShape([16, 6, 6, 512])

    Input shape:
        (batch, H, W, C), float in [-1, 1].

    Output shape:
        That of the layer; of a sequence of layers, a list.
    """

    def __init__(
        self,
        network,
        layers=None,
        preprocessing="tf",
        application=None,
        sha256=None,
        name=None,
    ):
        super().__init__(name=name or "features", trainable=False)
        check_member("preprocessing", preprocessing, PREPROCESSINGS)
        self.preprocessing = preprocessing
        self.layer_names = layers if layers is None or isinstance(layers, str) else tuple(layers)
        self.application = check_application(application, network)
        self.file, self.sha256 = None, sha256
        if isinstance(network, str | os.PathLike):
            self.file, network = str(network), self._opened(network)
        self._set(network)
        self.built = True

    def _opened(self, path):
        """The network of a file; `None` where the file is gone that a saved model names."""
        path = Path(path).expanduser()
        if not path.is_file():
            message = f"`network` must be a `keras.Model`, or the path of one. Received: '{path}', "
            if self.sha256 is None:
                raise FileNotFoundError(message + "which is not there")
            warnings.warn(f"{self._is_gone(path)} Until then nothing trains on it.", stacklevel=4)
            return None
        found = sha256_of(path)
        if self.sha256 not in (None, found):
            raise ValueError(
                f"`network` must be the file with the SHA-256 {self.sha256}. "
                f"Received: '{path}', with {found}"
            )
        self.sha256 = found
        try:
            if self.application is None:
                return keras.saving.load_model(path, compile=False)
            build = getattr(keras.applications, self.application)
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # Keras warns of layers that stay as they were
                return build(weights=path, include_top=False)
        except (ValueError, TypeError, OSError, KeyError, UserWarning) as error:
            raise ValueError(
                f"`network` must be {self._what_is_wanted()}. Received: '{path}' ({error})"
            ) from error

    def _what_is_wanted(self):
        if self.application is None:
            return "a file that `keras.Model.save` wrote"
        return f"an .h5 file with the weights of {self.application} without its classifier"

    def _is_gone(self, path):
        return f"The network of `features`, '{path}' with the SHA-256 {self.sha256}, is not there."

    def _set(self, network):
        if network is None:
            self.__dict__["_find"] = lambda: None
            return
        check_network(network)
        wanted = [self.layer_names] if isinstance(self.layer_names, str) else self.layer_names
        inner = network
        if wanted is not None:
            known = [layer.name for layer in network.layers]
            missing = [n for n in wanted if n not in known]
            if missing or not wanted:
                raise ValueError(
                    f"`layers` must be names of the network's layers, {', '.join(known)}. "
                    f"Received: {self.layer_names}"
                )
            outputs = [network.get_layer(n).output for n in wanted]
            outputs = outputs[0] if isinstance(self.layer_names, str) else outputs
            inner = keras.Model(network.inputs, outputs)
        if self.preprocessing in COLOURED and network.input_shape[-1] != 3:
            raise ValueError(
                f"`preprocessing` {self.preprocessing!r} is for networks of three colours. "
                f"Received: a network of {network.input_shape}"
            )
        if self.file is None:
            self.network = network  # which Keras saves
        self.__dict__["_find"] = lambda: inner  # past Keras, which would save it

    # No property: Keras looks for weights in all of them when it saves.
    def inner(self):
        """The network from the pictures to the layers, `keras.Model`.

        Raises:
            FileNotFoundError: it is that of a file which is gone.
        """
        found = self._find()
        if found is None:
            raise FileNotFoundError(self._is_gone(self.file))
        return found

    def available(self):
        """Whether the network is there."""
        return self._find() is not None

    def check_takes(self, shape):
        """Raises ValueError unless it takes pictures of a shape (H, W, C)."""
        if not self.available():
            return
        wanted = tuple(self.inner().input_shape[1:])
        sides = all(n in (None, own) for n, own in zip(wanted[:2], shape[:2], strict=True))
        grey = shape[2] == 1 and wanted[2] == 3
        if not sides or not (wanted[2] in (None, shape[2]) or grey):
            raise ValueError(
                f"`features` must take pictures {tuple(shape)}. Received: a network of {wanted}"
            )

    def call(self, pictures, training=False):
        network = self.inner()
        pictures = ops.cast(pictures, "float32")
        if pictures.shape[-1] == 1 and network.input_shape[-1] == 3:
            pictures = ops.repeat(pictures, 3, axis=-1)
        return network(PREPROCESSINGS[self.preprocessing](pictures), training=False)

    def compute_output_shape(self, input_shape):
        return self.inner().compute_output_shape(input_shape)

    def describe(self):
        """What it is in JSON's types, as cards have it."""
        known = {"network": self.file or self.network.name, "application": self.application}
        known |= {"layers": self.layer_names, "preprocessing": self.preprocessing}
        known["sha256"] = self.sha256
        return {name: value for name, value in known.items() if value is not None}

    def get_config(self):
        network = keras.saving.serialize_keras_object(self.network) if self.file is None else None
        return {
            "network": network or self.file,
            "layers": self.layer_names,
            "preprocessing": self.preprocessing,
            "application": self.application,
            "sha256": self.sha256,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        network = config["network"]
        if not isinstance(network, str):
            network = keras.saving.deserialize_keras_object(network, custom_objects)
        return cls(**{**config, "network": network})


def check_application(name, network):
    """Returns a name in `keras.applications`, or None; ValueError unless it fits the network."""
    if name is None:
        return None
    known = [n for n, each in vars(keras.applications).items() if callable(each)]
    check_member("application", name, sorted(known))
    if not isinstance(network, str | os.PathLike):
        raise ValueError(
            f"`application` must be None where `network` is a `keras.Model`. Received: {name!r}"
        )
    return name


def check_network(network):
    """Raises ValueError unless it is a built functional network of pictures."""
    is_network = isinstance(network, keras.Model) and hasattr(network, "inputs")
    inputs = tree.flatten(network.inputs) if is_network and network.built else []
    if len(inputs) != 1 or len(inputs[0].shape) != 4:
        received = [tuple(each.shape) for each in inputs] or type(network).__name__
        raise ValueError(
            "`network` must be a functional `keras.Model` of pictures (batch, H, W, C), or the "
            f"path of one. Received: {received}"
        )


def sha256_of(path):
    """The SHA-256 of a file's bytes, in hexadecimal digits."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
