"""The small classifier of Fashion-MNIST that comes with the package: features without a network."""

import importlib.resources

import keras

from keras_gans.metrics.features import Extracted, Extractor, fit_pictures, hash_of_file

SIDE = 28
NUM_FEATURES = 128
WEIGHTS = "fashion_mnist_classifier.weights.h5"


def weights_file():
    """Where `tools/train_fashion_classifier.py` puts the weights, and this package finds them."""
    return importlib.resources.files("keras_gans.metrics").joinpath("data", WEIGHTS)


def build_fashion_classifier(dropout=0.3):
    """The network, not trained: grey pictures (28, 28, 1) in [-1, 1] to features and probabilities.

    Three convolutions with pooling, and a dense layer of 128 features on their 3 x 3 places; 131
    thousand weights.

    Args:
        dropout: float, of the features in training.

    Returns:
        `keras.Model` with the outputs features (batch, 128) and probabilities (batch, 10).
    """
    x = pictures = keras.Input((SIDE, SIDE, 1))
    for filters in (32, 64, 64):
        x = keras.layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
        # Pooled first: normalization and ReLU keep the order, on a quarter of the values.
        x = keras.layers.MaxPooling2D()(x)
        x = keras.layers.BatchNormalization(momentum=0.95, scale=False)(x)
        x = keras.layers.Activation("relu")(x)
    x = keras.layers.Flatten()(x)
    features = keras.layers.Dense(NUM_FEATURES, "relu", name="features")(x)
    x = keras.layers.Dropout(dropout)(features)
    probabilities = keras.layers.Dense(10, "softmax", name="probabilities")(x)
    return keras.Model(pictures, [features, probabilities], name="fashion_mnist_classifier")


class FashionClassifier(Extractor):
    """`fashion_mnist_classifier`, with the weights of any file of its network.

    Args:
        weights: str or path-like.
    """

    def __init__(self, weights):
        self.network = build_fashion_classifier()
        try:
            self.network.load_weights(weights)
        except (OSError, ValueError, KeyError) as error:
            raise type(error)(
                "`weights` must be a file of `tools/train_fashion_classifier.py`. "
                f"Received: '{weights}' ({error})"
            ) from error
        resize = f"Lanczos, antialiased, to cover {SIDE} x {SIDE}; grey by Rec. 601"
        digest = hash_of_file(weights)
        super().__init__("fashion_mnist_classifier", digest, NUM_FEATURES, 10, resize)

    def extract(self, pictures):
        pictures = fit_pictures(pictures, SIDE, SIDE, 1)
        return Extracted(*self.network(pictures / 127.5 - 1.0, training=False))


def fashion_mnist_classifier():
    """The extractor that needs no download: 128 features and 10 classes of Fashion-MNIST.

    It was trained on the 60,000 training pictures of Fashion-MNIST, and never saw the 10,000 of
    `fashion_mnist_10k`, which models of this package are trained on; its card,
    `metrics/data/README.md`, has its accuracy on them. For other pictures, its features mean
    little. Distances are not those of an Inception network, and much smaller.

    Example:

    >>> fid = FID(fashion_mnist_classifier())
    """
    with importlib.resources.as_file(weights_file()) as path:
        return FashionClassifier(path)


def fashion_mnist_encoder():
    """The same network as a `keras.Model`, pictures to features, as models take one (`DTN`).

    Returns:
        Functional `keras.Model`: grey pictures (batch, 28, 28, 1) in [-1, 1] to features (batch,
        128), none of them negative.

    Example:

    >>> gan = DTN.from_paper((28, 28, 1), encoder=fashion_mnist_encoder())
    """
    network = fashion_mnist_classifier().network
    return keras.Model(network.inputs[0], network.outputs[0], name="fashion_mnist_encoder")
