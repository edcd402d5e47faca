"""Ports: what a model can be asked for.

A port is a network with the kinds of what it takes and of what it makes. Exports, cards, trials of
files, grids and the command line ask a model for its ports, and a port for its kinds; they know no
family of models.
"""

import dataclasses

import keras

from keras_gans.kinds import Kind, Labels, Latents


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
    def makes_samples(self):
        """Whether it makes what data are, and not something about them, as an encoder does."""
        return not isinstance(self.output, Latents | Labels)

    @property
    def takes(self):
        """What it takes, in words: "latents and labels", "pictures"."""
        return " and ".join(kind.noun for kind in self.inputs)


def main_port(model):
    """The port that answers where none is named: the first one."""
    return next(iter(model.ports().values()))


def sampling_networks(model):
    """The networks that make samples, each once, by the name of their first port.

    Args:
        model: `AdversarialModel`.

    Returns:
        `{name: network}`; the name of what answers by itself, out of latents, is "", as there is
        no other.
    """
    found, main = {}, main_port(model)
    for name, port in model.ports().items():
        if port.makes_samples and not any(port.network is other for other in found.values()):
            found["" if port.from_latents and port.network is main.network else name] = port.network
    return found


def exported_weights(model):
    """The weights of all ports' networks, each once, in the order of a SavedModel.

    The first ones are those that a model had before it got further ports, which is how presets find
    out which of them a SavedModel holds.
    """
    networks = [port.network for port in model.ports().values()]
    return list({id(w): w for network in networks for w in network.weights}.values())


def makes_from_latents(model):
    """Whether a model makes samples out of latents, and not out of other samples."""
    return main_port(model).from_latents
