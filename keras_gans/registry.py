"""The models by name: the classes of `keras_gans.models` that `keras-gans list` shows."""

from keras_gans import models, papers

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
