"""What networks most probably were not meant to be: said in words before they are trained."""

import warnings

import keras
from keras import tree

# The numbers of an activation are all of one sign, or bounded.
BOUNDED = ("sigmoid", "hard_sigmoid", "tanh", "hard_tanh", "softsign", "softmax", "log_sigmoid")
NOT_NEGATIVE = ("sigmoid", "hard_sigmoid", "softmax", "relu", "relu6", "softplus")
UNCHANGED = ("Reshape", "Flatten", "Cast", "Identity", "Squeeze", "Permute", "InputLayer")
PICTURE_RANK, PICTURE_CHANNELS = 4, 4


def last_activation(network):
    """The name of the activation at the end of a network's first output, or `None`.

    Layers that leave numbers as they are, and models inside of models, are looked through.
    """
    return _activation_of(network.outputs[0])


def _activation_of(tensor):
    operation, node, index = tensor._keras_history
    if isinstance(operation, keras.Model) and operation.outputs:
        return _activation_of(operation.outputs[index])
    kind = type(operation).__name__
    activation = getattr(getattr(operation, "layer", operation), "activation", None)
    name = getattr(activation, "__name__", type(activation).__name__).lower()
    if kind in UNCHANGED or (kind == "Activation" and name == "linear"):
        inputs = operation._inbound_nodes[node].input_tensors
        return _activation_of(inputs[0]) if inputs else None
    if activation is not None:
        return None if name == "linear" else name
    found = {each.replace("_", ""): each for each in {*BOUNDED, *NOT_NEGATIVE}}
    return found.get(kind.lower())


def warn_of_activations(model):
    """Warns of scores that are no logits, and of generators that make half of the pictures' range.

    Of `judges`, whose samples are none themselves, and of networks of the other players that make
    pictures for them, or for an encoder.
    """
    networks = [
        (name, player in model.judges, network)
        for player, names in model.players.items()
        for name in names
        for network in tree.flatten(getattr(model, name))
    ]
    taken = {tuple(network.inputs[0].shape[1:]) for _, _, network in networks}
    for name, judges, network in networks:
        made, ends = tuple(network.outputs[0].shape[1:]), last_activation(network)
        if judges and made not in taken and ends in BOUNDED:
            warnings.warn(
                f"`{name}` should end in logits, without an activation: the losses of "
                f"{type(model).__name__} have their own, or are meant for scores without a bound. "
                f"With it gradients vanish. Received: a network that ends in {ends!r}",
                stacklevel=4,
            )
        pictures = len(made) >= PICTURE_RANK - 1 and made[-1] in range(1, PICTURE_CHANNELS + 1)
        if not judges and pictures and made in taken and ends in NOT_NEGATIVE:
            warnings.warn(
                f"`{name}` should make pictures in [-1, 1], by 'tanh' or without an activation: "
                f"{ends!r} makes none below 0, which is grey, and data go down to -1. "
                f"Received: a network that ends in {ends!r}",
                stacklevel=4,
            )
