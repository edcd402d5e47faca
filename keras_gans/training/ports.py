"""Ports: what a model can be asked for.

A port is a network with the kinds of what it takes and of what it makes. Exports, cards, trials of
files, grids and the command line ask a model for its ports, and a port for its kinds; they know no
family of models.
"""

import dataclasses

import keras
import numpy as np

from keras_gans.checks import check_member
from keras_gans.images import enlarge, with_captions
from keras_gans.training import kinds
from keras_gans.training.kinds import Kind, Labels, Latents, Text


@dataclasses.dataclass(frozen=True)
class Port:
    """Something that a model can be asked for.

    Args:
        inputs: tuple of kinds, in the order of the network's inputs.
        network: built `keras.Model`, or `None` where it stands for a file's.
        output: the kind of what it makes.
        beside: whether it is asked together with the first port, of the same inputs: what it makes
            belongs beside what that one makes, as the pictures of two domains do.

    Example:

    >>> port = gan.ports()["generate"]
    >>> [kind.name for kind in port.inputs], port.output.noun
    (['latents', 'labels'], 'pictures')
    """

    inputs: tuple[Kind, ...]
    network: keras.Model | None
    output: Kind
    beside: bool = False

    @property
    def from_latents(self):
        """Whether it makes samples out of nothing but a seed (and labels)."""
        return self.takes_latents and all(kind.from_seed for kind in self.inputs)

    @property
    def takes_latents(self):
        """Whether it makes something else of each seed, of what else it takes too (text)."""
        return isinstance(self.inputs[0], Latents)

    @property
    def makes_samples(self):
        """Whether it makes what data are, and not something about them, as an encoder does."""
        return not isinstance(self.output, Latents | Labels)

    def describe(self):
        """What it takes and makes, in JSON's types; see `Kind.describe`."""
        return {
            "inputs": [kind.describe() for kind in self.inputs],
            "output": self.output.describe(),
            **({"beside": True} if self.beside else {}),
        }

    @property
    def translates(self):
        """Whether it makes samples out of one other thing and no seed: of pictures, pictures."""
        return self.makes_samples and len(self.inputs) == 1 and not self.inputs[0].from_seed

    def show(self, inputs, made):
        """What was asked and what came of it, for a person: rows of a grid.

        Args:
            inputs: list of arrays (num, ...), at the border.
            made: array (num, ...), at the border.

        Returns:
            Where `made` are pictures, uint8 pictures: all pictures and masks among the inputs that
            are of its size, and then `made`, with texts among the inputs below. Otherwise `made`.

        Example:

        >>> save_png("grid.png", render(port.show([pictures, masks], made), columns=len(made)))
        """
        if not self.output.pictured:
            return made
        pairs = [*zip(self.inputs, map(np.asarray, inputs), strict=True), (self.output, made)]
        rows = [rows for kind, rows in pairs if kind.pictured and rows.shape[:3] == made.shape[:3]]
        channels = max(values.shape[-1] for values in rows)
        rows = [v.repeat(channels, -1) if v.shape[-1] == 1 else v for v in rows]
        texts = [kind.captions(values) for kind, values in pairs if isinstance(kind, Text)]
        shown = enlarge(np.concatenate(rows))
        if not texts:
            return shown
        texts = [" / ".join(each) for each in zip(*texts, strict=True)]
        return with_captions(shown, [""] * (len(shown) - len(made)) + texts)

    def rows_between(self, seed_a, seed_b, steps, labels=None, **given):
        """What it is asked on the way between the samples of two seeds.

        Latents are those of `Latents.between`. All else stays as for the first seed, or as given.

        Args:
            seed_a, seed_b: integers.
            steps: how many, both ends included.
            labels, **given: of inputs that are no latents, `(steps, ...)` or one for all.

        Returns:
            List of arrays (steps, ...), one for each input.
        """
        rows = []
        for kind in self.inputs:
            if isinstance(kind, Latents):
                ends = [np.asarray(kind.of_seed(1, seed))[0] for seed in (seed_a, seed_b)]
                rows.append(kind.between(*ends, steps))
                continue
            values = labels if isinstance(kind, Labels) else given.get(kind.name)
            if values is None:
                values = np.asarray(kind.of_seed(1, seed_a))[0]
            rows.append(np.asarray(kind.of_samples(steps, values)))
        return rows

    @property
    def takes(self):
        """What it takes, in words: "latents and labels", "pictures"."""
        return " and ".join(kind.noun for kind in self.inputs)


def described(description):
    """The port, without a network, that `Port.describe` has described."""
    inputs = tuple(map(kinds.described, description["inputs"]))
    output = kinds.described(description["output"])
    return Port(inputs, None, output, description.get("beside", False))


def main_port(model):
    """The port that answers where none is named: the first one."""
    return next(iter(model.ports().values()))


def asked_together(ports, name=None):
    """The first port, and those that are asked together with it; or one of these.

    Args:
        ports: `{name: Port}`, of a model or a card.
        name: of the only one that is wanted, or `None` for all.

    Returns:
        `{name: Port}`, not empty.

    Raises:
        ValueError: none of them has that name.
    """
    first = next(iter(ports))
    together = {each: port for each, port in ports.items() if each == first or port.beside}
    if name is None:
        return together
    check_member("port", name, together)
    return {name: together[name]}


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
