"""Layers whose first weights follow from data: what comes out of them then has a known scale."""

import contextlib
import contextvars

import numpy as np

_INITIALIZING = contextvars.ContextVar("keras_gans_initializing", default=False)


class DataDependent:
    """For a layer that sets weights by what it sees, once, before training.

    In `build` a subclass calls `add_flag()`, and in `call` it asks `takes_data()`; where that is
    true it sets its weights by its inputs, and calls `has_taken_data()`.
    """

    def add_flag(self, initializer="zeros"):
        """Adds the weight that says whether this layer has seen its data, so that files keep it."""
        self.initialized = self.add_weight(
            name="initialized", shape=(), initializer=initializer, trainable=False, autocast=False
        )

    def takes_data(self):
        """Whether this call is the one of `initialize_from_data`."""
        return _INITIALIZING.get() and not float(np.array(self.initialized))

    def has_taken_data(self):
        self.initialized.assign(1.0)


@contextlib.contextmanager
def _initializing():
    token = _INITIALIZING.set(True)
    try:
        yield
    finally:
        _INITIALIZING.reset(token)


def initialize_from_data(network, *inputs):
    """Sets the first weights of a network's layers by what comes to them, from the first layer on.

    These are `WeightNormalization` and `MinibatchDiscrimination(weight_normalization=True)`. Layers
    that have been set, also before they were saved, stay as they are; others, such as noise, act as
    in training.

    Args:
        network: built `keras.Model`.
        *inputs: arrays (num, ...), one for each of its inputs, of some hundred examples.

    Returns:
        Whether there was a layer to set.

    Raises:
        ValueError: there is a layer to set, and fewer than 2 examples.

    Example:

    >>> initialize_from_data(discriminator, pictures[:500])
    True

    Reference:
        Salimans and Kingma, 2016 (arXiv:1602.07868), section 3.
    """
    waiting = [layer for layer in network._flatten_layers() if isinstance(layer, DataDependent)]
    if not any(not float(np.array(layer.initialized)) for layer in waiting):
        return False
    if len(inputs[0]) < 2:
        raise ValueError(
            "`inputs` must be 2 examples or more, and better some hundred, for first weights by "
            f"data. Received: {len(inputs[0])}"
        )
    with _initializing():
        network(inputs[0] if len(inputs) == 1 else list(inputs), training=True)
    return True
