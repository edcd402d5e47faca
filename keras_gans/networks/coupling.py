"""Two networks with layers in common as one network.

Keras writes each functional model with all of its layers, so that two of them which share some are
read as two that share none. As one model of two outputs they are written once, with every layer
that both have, and so are their copies, exports and presets.
"""

import keras
from keras import tree

from keras_gans.checks import check_networks

LETTERS = ("a", "b")


def couple(name, networks, one_input, shared=True):
    """The network of two outputs that two networks are, with the same layer objects.

    What both make by the same layers of the same inputs is made once.

    Args:
        name: what errors call the networks, and the name of the model.
        networks: pair of built `keras.Model`s with an input and an output each; or a model of two
            outputs, which is returned when it is what this function would have made.
        one_input: whether both get the same, as generators that decode the same latents; or each
            one its own, as discriminators of two domains.
        shared: whether they must have layers in common; with `False` they may, for comparisons.

    Returns:
        Functional `keras.Model` of one input, or of a list of two, to a list of two outputs.

    Raises:
        ValueError: they are no such networks, do not take the same where they should, have no layer
            in common where they should, or different layers of one name, as a network has that was
            copied; or layers are shared inside of models that are nested in them.

    Example:

    >>> latents = keras.Input((16,))
    >>> trunk = keras.layers.Dense(32, activation="relu")
    >>> pair = [keras.Model(latents, keras.layers.Dense(2)(trunk(latents))) for _ in "ab"]
    >>> generators = couple("generators", pair, one_input=True)
    >>> generators.output_shape, len(generators.weights)
    ([(None, 2), (None, 2)], 6)
    """
    if isinstance(networks, keras.Model):
        check_networks({name: networks})
        sizes = len(networks.inputs), len(networks.outputs)
        if sizes != ((1 if one_input else 2), 2):
            rule = "one input and two outputs" if one_input else "two inputs and two outputs"
            raise ValueError(
                f"`{name}` must be a pair of networks, or one model of {rule}. "
                f"Received: {sizes[0]} inputs and {sizes[1]} outputs"
            )
        _check_shared(name, halves(networks), shared)
        _check_owners(name, networks)
        return networks
    networks = _pair(name, networks)
    inputs = [network.inputs[0] for network in networks]
    if one_input:
        first, second = (tuple(given.shape[1:]) for given in inputs)
        if first != second:
            raise ValueError(
                f"`{name}` must take latents of one length, as both decode the same ones. "
                f"Received: {first} and {second}"
            )
        if inputs[0] is not inputs[1]:
            inputs = [keras.Input(first, name="latents")] * 2
    elif inputs[0] is inputs[1] or inputs[0].name == inputs[1].name:
        inputs = [
            keras.Input(given.shape[1:], dtype=given.dtype, name=f"samples_{letter}")
            for given, letter in zip(inputs, LETTERS, strict=True)
        ]
    _check_shared(name, networks, shared)
    if shared_weights(networks):
        outputs = _outputs_of(networks, inputs)
    else:  # nested, since their layers may have the same names
        outputs = [
            keras.Model(network.inputs[0], network.outputs[0], name=letter)(given)
            for network, given, letter in zip(networks, inputs, LETTERS, strict=True)
        ]
    joined = keras.Model(inputs[0] if one_input else inputs, outputs, name=name)
    _check_owners(name, joined)
    return joined


def shared_weights(networks):
    """The weights that both of two networks have, or both outputs of one that was coupled.

    Args:
        networks: pair of `keras.Model`s, or a model of two outputs.

    Returns:
        List of weights, each once.
    """
    if isinstance(networks, keras.Model):
        networks = halves(networks)
    first, second = networks
    ids = {id(weight) for weight in second.weights}
    return list({id(w): w for w in first.weights if id(w) in ids}.values())


def halves(network):
    """The two networks, without copies of their layers, of one that `couple` has made."""
    inputs = network.inputs * 2 if len(network.inputs) == 1 else network.inputs
    pairs = zip(inputs, network.outputs, strict=True)
    return [keras.Model(given, made) for given, made in pairs]


def _outputs_of(networks, inputs):
    """What the networks make of the inputs; each layer is called once on the same tensors."""
    if all(net.inputs[0] is given for net, given in zip(networks, inputs, strict=True)):
        return [network.outputs[0] for network in networks]
    called = {}

    def call(layer, *args, **kwargs):
        key = (id(layer), *map(_identity, tree.flatten((args, kwargs))))
        if key not in called:
            called[key] = layer(*args, **kwargs)
        return called[key]

    return [
        keras.models.clone_model(network, given, lambda layer: layer, call).outputs[0]
        for network, given in zip(networks, inputs, strict=True)
    ]


def _identity(value):
    return id(value) if isinstance(value, keras.KerasTensor) else repr(value)


def _pair(name, networks):
    """Two functional models of a tensor each, of what may be Sequential, or take a list of one."""
    if not isinstance(networks, list | tuple) or len(networks) != 2:
        raise ValueError(
            f"`{name}` must be a pair of networks, or one model of two outputs. "
            f"Received: {networks!r}"
        )
    check_networks({name: list(networks)})
    for network, letter in zip(networks, LETTERS, strict=True):
        sizes = len(network.inputs), len(network.outputs)
        if sizes != (1, 1):
            raise ValueError(
                f"`{name}` must have one input and one output each. "
                f"Received: {sizes[0]} inputs and {sizes[1]} outputs of {letter}"
            )
    return [keras.Model(network.inputs[0], network.outputs[0]) for network in networks]


def _check_shared(name, networks, shared):
    """Raises ValueError where a layer was copied in place of being shared, or none is shared."""
    common = shared_weights(networks)
    first, second = (
        {layer.name: layer for layer in network.layers if layer.weights} for network in networks
    )
    copied = [n for n, layer in first.items() if second.get(n, layer) is not layer]
    if copied and (shared or common):
        raise ValueError(
            f"`{name}` must share layers that are the same objects, and have others of different "
            f"names: '{copied[0]}' of one is another layer than '{copied[0]}' of the other, as in "
            "a copy (`clone_model`, `deepcopy`, or a file that is read twice), whose weights go "
            "their own ways. Call the same layer in both networks. "
            f"Received: {len(copied)} such layer(s)"
        )
    if shared and not common:
        raise ValueError(
            f"`{name}` must have layers in common, the same objects in both networks: without, "
            "nothing makes what the two do of the same latents belong together "
            "(`shared=False` allows it, for comparisons). Received: no weight in common, of "
            f"{len(networks[0].weights)} and {len(networks[1].weights)}"
        )


def _check_owners(name, joined):
    """Raises ValueError where two layers of a model have a weight in common."""
    owners = {}
    for layer in joined.layers:
        for weight in layer.weights:
            if owners.setdefault(id(weight), layer) is not layer:
                raise ValueError(
                    f"`{name}` must share whole layers: '{owners[id(weight)].name}' and "
                    f"'{layer.name}' have '{weight.path}' in common, and would not when they are "
                    "saved. Share the models that are nested in the networks, and no layers inside "
                    f"of them. Received: {len(joined.layers)} layers"
                )
