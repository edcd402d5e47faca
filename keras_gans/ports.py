"""Ports: what a model can be asked for.

A port is a network with the kinds of what it takes and of what it makes. Exports, cards, trials of
files, grids and the command line ask a model for its ports, and a port for its kinds; they know no
family of models.
"""

import dataclasses

import keras

from keras_gans.kinds import Kind, Latents


@dataclasses.dataclass(frozen=True)
class Port:
    """Something that a model can be asked for.

    Args:
        inputs: tuple of kinds, in the order of the network's inputs.
        network: built `keras.Model`.
        output: the kind of what it makes.

    Example:

    >>> port = gan.ports()["generate"]
    >>> [kind.name for kind in port.inputs], port.output.noun
    (['latents', 'labels'], 'pictures')
    """

    inputs: tuple[Kind, ...]
    network: keras.Model
    output: Kind

    @property
    def from_latents(self):
        """Whether it makes samples out of nothing but a seed (and labels)."""
        return isinstance(self.inputs[0], Latents)

    @property
    def takes(self):
        """What it takes, in words: "latents and labels", "pictures"."""
        return " and ".join(kind.noun for kind in self.inputs)


def main_port(model):
    """The port that answers where none is named: the first one."""
    return next(iter(model.ports().values()))


def makes_from_latents(model):
    """Whether a model makes samples out of latents, and not out of other samples."""
    return main_port(model).from_latents
