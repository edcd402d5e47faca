"""What an exported model can be asked for: named functions of tensors, with checks in the graph.

Every signature takes and returns dicts of named tensors, has a batch as its first axis and answers
row by row, so that TF Serving may join the requests of several clients into one batch. `generate`
alone has numbers for inputs and can't be joined.
"""

import numpy as np
import tensorflow as tf

from keras_gans.checks import check_flag, check_member
from keras_gans.devices.progress import steps_taken
from keras_gans.devices.randomness import PRIORS
from keras_gans.training.base import AdversarialModel
from keras_gans.training.kinds import LEVELS as LEVELS
from keras_gans.training.kinds import Pictures, Videos, requested
from keras_gans.training.ports import exported_weights, main_port

MAX_IMAGES = 1024
READ_CHANNELS = (1, 3, 4)  # TensorFlow writes PNG files of two channels, and does not read them


def networks_of(gan):
    """The networks that make samples, by direction; `{"": sampler}` for models with latents."""
    return gan.exported_networks()


def network_of(gan, direction=None):
    """The network of `port_of`."""
    return port_of(gan, direction).network


def port_of(gan, direction=None):
    """The port of a name, or the first one when `None`.

    Raises:
        ValueError: the model has no such port.
    """
    if direction is None:
        return main_port(gan)
    check_member("direction", direction, gan.ports())
    return gan.ports()[direction]


def check_exportable(gan, allow_untrained=False):
    """Raises ValueError unless a model can be exported.

    Args:
        gan: `keras_gans.AdversarialModel`.
        allow_untrained: whether a model without a training step behind it can be.

    Raises:
        ValueError: it is no model of the package, was not trained, has weights that are not
            finite, or its networks take other inputs than they are given.
    """
    check_flag("allow_untrained", allow_untrained)
    if not isinstance(gan, AdversarialModel):
        raise ValueError(f"`gan` must be a model of keras_gans. Received: {type(gan).__name__}")
    if not allow_untrained and steps_taken(gan) == 0 and gan.preset is None:
        raise ValueError(
            "`gan` must be trained. Received: a model whose generator has taken no step (one whose "
            "weights come from elsewhere is exported with `allow_untrained=True`)"
        )
    for port in gan.ports().values():
        network = port.network
        if len(network.inputs) != len(port.inputs):
            raise ValueError(
                f"`gan` must make samples out of {port.takes} alone. Received: '{network.name}', a "
                f"network of {len(network.inputs)} inputs"
            )
        for weight in network.weights:
            values = np.asarray(weight, "float32")
            bad = values.size - np.count_nonzero(np.isfinite(values))
            if bad:
                raise ValueError(
                    "`gan` must have finite weights. Received: "
                    f"{bad} of {values.size} values of '{weight.path}' are NaN or infinite, as "
                    "after a training that diverged"
                )


def build_signatures(gan):
    """The signatures of a model.

    Returns:
        `(module, signatures)`: a `tf.Module` that holds the weights, and `{name: tf.function}`, all
        functions of named tensors that return dicts.

    Raises:
        ValueError: a network draws random numbers, or has other state beside its weights.
    """
    module = tf.Module()
    module.weights = [weight.value for weight in exported_weights(gan)]
    main, signatures = main_port(gan), {}
    for name, port in gan.ports().items():
        seeded = port.takes_latents and port.network is main.network and not signatures
        if seeded or port.beside:
            signatures |= _signatures_from_seeds(name, port)
        else:
            signatures |= _signatures(name, port)
    if "serving_default" not in signatures:
        signatures = {"serving_default": next(iter(signatures.values())), **signatures}
    # A weight of a MirroredStrategy is used by way of its replicas' variables.
    held = {id(part) for w in module.weights for part in (w, *getattr(w, "values", ()))}
    for function in signatures.values():
        for variable in function.get_concrete_function().variables:
            if id(variable) not in held:
                raise ValueError(
                    "`gan` must make the same samples of the same inputs every time. Received: a "
                    f"network that uses '{variable.name}', which is no weight of it, as layers do "
                    "that draw random numbers outside of training too"
                )
    return module, signatures


def is_batchable(function):
    """Whether TF Serving may join requests: each input has a first axis, of any length."""
    return all(spec.shape.rank and spec.shape[0] is None for spec in function.input_signature)


def port_of_signature(name, ports):
    """The port that a signature asks, of `{name: Port}`."""
    for part in ("", "raw_", "sample_", "generate_"):
        form = name.removeprefix(part).removesuffix("_png")
        if form in ports:
            return ports[form]
    return next(iter(ports.values()))


# What makes samples out of latents, which may be drawn there


def _signatures_from_seeds(name, port):
    """Those of the first port, whose names are without its own; others that are beside it have it.

    A first port with another name than "generate" answers by its name too.
    """
    latents_kind, *conditions = port.inputs
    shape, prior = latents_kind.shape, PRIORS[latents_kind.prior]
    seeds_spec = tf.TensorSpec((None,), tf.int64, "seeds")
    num_spec, seed_spec = (tf.TensorSpec((), tf.int64, name) for name in ("num_images", "seed"))

    def samples(latents, *given):
        return _made(port, latents, *given)

    def from_seeds(seeds, *given):
        seeds = tf.ensure_shape(seeds, (None,))
        seeds = requested(seeds, tf.reduce_all(seeds >= 0), "`seeds` must be at least 0. Received:")
        # A row depends on its own seed alone, whatever requests it shares a batch with.
        latents = tf.map_fn(
            lambda seed: prior((1, *shape), tf.stack([seed, -1]))[0],
            seeds,
            fn_output_signature=tf.TensorSpec(shape, tf.float32),
        )
        return samples(latents, *given)

    def from_seed(num_images, seed, *given):
        fits = (num_images >= 1) & (num_images <= MAX_IMAGES)
        rule = f"`num_images` must be from 1 to {MAX_IMAGES}. Received:"
        num_images = requested(num_images, fits, rule)
        seed = requested(seed, seed >= 0, "`seed` must be at least 0. Received:")
        given = [_in_turn(*pair, num_images) for pair in zip(conditions, given, strict=True)]
        return samples(prior((num_images, *shape), tf.stack([seed, -1])), *given)

    served, raw = ([k.served_spec(raw) for k in port.inputs] for raw in (False, True))
    end = f"_{name}" if port.beside else ""
    forms = {
        name if port.beside else "serving_default": (samples, served, port.output.answer),
        f"sample{end}": (from_seeds, [seeds_spec, *served[1:]], port.output.answer),
        f"generate{end}": (from_seed, [num_spec, seed_spec, *served[1:]], port.output.answer),
        f"raw{end}": (samples, raw, port.output.raw_answer),
    }
    signatures = {name: _function(*form) for name, form in forms.items()}
    if name not in signatures:
        signatures[name] = signatures["serving_default"]
    return signatures


def _in_turn(kind, values, num):
    """`num` rows of a condition, from the first one again where they end."""
    values = tf.ensure_shape(values, (None, *kind.shape))
    rule = f"`{kind.name}` must hold at least one. Received:"
    values = requested(values, tf.shape(values)[0] > 0, rule)
    return tf.gather(values, tf.range(num) % tf.shape(values, tf.int64)[0])


# What makes something out of what it is given


def _signatures(name, port):
    served, raw = ([kind.served_spec(raw) for kind in port.inputs] for raw in (False, True))

    def made(*inputs):
        return _made(port, *inputs)

    signatures = {name: _function(made, served, port.output.answer)}
    if _from_one_picture(port):
        spec = tf.TensorSpec((None,), tf.string, "image_bytes")
        signatures[f"{name}_png"] = _function(_from_files(port), [spec], port.output.answer)
    if any(kind.border_dtype != kind.dtype for kind in (*port.inputs, port.output)):
        signatures[f"raw_{name}"] = _function(made, raw, port.output.raw_answer)
    return signatures


def _from_one_picture(port):
    (first, *others) = port.inputs
    pictures = isinstance(first, Pictures) and not isinstance(first, Videos)
    return pictures and not others and first.shape[-1] in READ_CHANNELS


def _from_files(port):
    (kind,) = port.inputs

    def read(file):
        picture = tf.io.decode_image(file, channels=kind.shape[-1], expand_animations=False)
        return tf.ensure_shape(picture, kind.shape)

    def made(image_bytes):
        specs = tf.TensorSpec(kind.shape, tf.uint8)
        return _made(port, tf.map_fn(read, image_bytes, fn_output_signature=specs))

    return made


# Small parts


def _made(port, *inputs):
    """What a port's network makes of a request's tensors."""
    rows = [kind.received(values) for kind, values in zip(port.inputs, inputs, strict=True)]
    num = tf.shape(rows[0])[0]
    for i, kind in enumerate(port.inputs[1:], 1):
        rule = f"`{kind.name}` must have one for each row. Received:"
        shape = tf.shape(rows[i])
        rows[i] = requested(rows[i], tf.equal(shape[0], num), rule, shape)
    return port.network(rows if len(rows) > 1 else rows[0], training=False)


def _function(function, specs, answer):
    """A `tf.function` of the named inputs `specs` that returns a dict."""

    def served(*args):
        return answer(function(*args))

    return tf.function(served, input_signature=specs)
