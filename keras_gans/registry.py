"""The models by name, the classes that `keras-gans list` shows; and the model in a file."""

import keras

# Keras reads models of classes that are registered, as they are once their modules are imported.
from keras_gans import models, papers, schedules  # noqa: F401
from keras_gans.training.base import AdversarialModel

MODELS = {name: getattr(models, name) for name in papers.listed()}


def find(name):
    """The class of a model, by its name in any case, with or without "-" and "_".

    `papers.find` does the same without TensorFlow, and returns what the class declares.

    Raises:
        ValueError: no such model; the message has the nearest names.

    Example:

    >>> gan = find("wgan-gp").from_paper((28, 28, 1), seed=0)
    """
    return MODELS[papers.find(name).name]


def load_model(path):
    """The `AdversarialModel` of a `.keras` file; a ValueError where the file holds another one."""
    try:
        gan = keras.models.load_model(path)
    except TypeError as error:  # Keras says so when a class is neither its own nor registered.
        raise ValueError(f"'{path}' is no model of keras_gans: {error}") from error
    if not isinstance(gan, AdversarialModel):
        kind = type(gan).__name__
        raise ValueError(f"'{path}' must hold a model of keras_gans. Received: a {kind}")
    return gan
