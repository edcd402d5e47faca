"""What an exported model can be asked for: named functions of tensors, with checks in the graph.

Every signature takes and returns dicts of named tensors, has a batch as its first axis and answers
row by row, so that TF Serving may join the requests of several clients into one batch. `generate`
alone has numbers for inputs and can't be joined.
"""

import numpy as np
import tensorflow as tf

from keras_gans import kinds
from keras_gans.base import AdversarialModel
from keras_gans.checks import check_flag, check_member
from keras_gans.ports import makes_from_latents
from keras_gans.progress import steps_taken
from keras_gans.randomness import PRIORS

MAX_IMAGES = 1024
PNG_CHANNELS = (1, 2, 3, 4)
READ_CHANNELS = (1, 3, 4)  # TensorFlow writes PNG files of two channels, and does not read them

# What `kinds.Pictures.from_border` makes of each level. Told to divide, a graph multiplies by a
# rounded 1 / 127.5, and a picture now and then came out one level beside that of `translate`.
LEVELS = np.arange(256, dtype="float32") / np.float32(127.5) - np.float32(1)


def networks_of(gan):
    """The networks that are exported, by direction; `{"": sampler}` for models with latents."""
    return gan.exported_networks()


def network_of(gan, direction=None):
    """The network of `port_of`."""
    return port_of(gan, direction).network


def port_of(gan, direction=None):
    """The port of one direction, the first one when `None`.

    Raises:
        ValueError: the model has no such direction.
    """
    ports = gan.ports()
    if direction is None:
        return next(iter(ports.values()))
    if makes_from_latents(gan):
        raise ValueError(
            f"`direction` must be None: {type(gan).__name__} makes samples out of latents. "
            f"Received: {direction!r}"
        )
    check_member("direction", direction, ports)
    return ports[direction]


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
    module.weights = [w.value for network in networks_of(gan).values() for w in network.weights]
    if makes_from_latents(gan):
        signatures = _latent_signatures(gan)
    else:
        signatures = _translator_signatures(gan.exported_networks())
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


# Models with latents


def _latent_signatures(gan):
    network, classes, latent_shape = gan.sampler, gan.num_classes, gan.latent_shape
    prior = PRIORS[gan.latent_prior]
    spec = _specs(
        latents=(tf.float32, (None, *latent_shape)),
        seeds=(tf.int64, (None,)),
        num_images=(tf.int64, ()),
        seed=(tf.int64, ()),
        labels=(tf.int64, (None,)),
    )

    def samples(latents, labels=None):
        if labels is None:
            return network(latents, training=False)
        labels = tf.cast(_checked_labels(labels, tf.shape(latents)[0], classes), tf.int32)
        return network([latents, labels], training=False)

    def from_latents(latents, labels=None):
        return samples(_finite("latents", latents, (None, *latent_shape)), labels)

    def from_seeds(seeds, labels=None):
        seeds = tf.ensure_shape(seeds, (None,))
        seeds = _checked(seeds, tf.reduce_all(seeds >= 0), "`seeds` must be at least 0. Received:")
        # A row depends on its own seed alone, whatever requests it shares a batch with.
        latents = tf.map_fn(
            lambda seed: prior((1, *latent_shape), tf.stack([seed, -1]))[0],
            seeds,
            fn_output_signature=tf.TensorSpec(latent_shape, tf.float32),
        )
        return samples(latents, labels)

    def from_seed(num_images, seed, labels=None):
        fits = (num_images >= 1) & (num_images <= MAX_IMAGES)
        rule = f"`num_images` must be from 1 to {MAX_IMAGES}. Received:"
        num_images = _checked(num_images, fits, rule)
        seed = _checked(seed, seed >= 0, "`seed` must be at least 0. Received:")
        if labels is not None:
            labels = tf.ensure_shape(labels, (None,))
            rule = "`labels` must hold at least one. Received:"
            labels = _checked(labels, tf.size(labels) > 0, rule)
            labels = tf.gather(labels, tf.range(num_images) % tf.size(labels, tf.int64))
        latents = prior((num_images, *latent_shape), tf.stack([seed, -1]))
        return samples(latents, labels)

    forms = {
        "serving_default": (from_latents, ("latents",), as_served),
        "sample": (from_seeds, ("seeds",), as_served),
        "generate": (from_seed, ("num_images", "seed"), as_served),
        "raw": (from_latents, ("latents",), as_raw),
    }
    more = () if classes is None else ("labels",)
    return {
        name: _function(function, [spec[n] for n in (*names, *more)], answer)
        for name, (function, names, answer) in forms.items()
    }


# Models that make pictures out of pictures


def _translator_signatures(directions):
    signatures = {}
    for direction, network in directions.items():
        shape = tuple(network.inputs[0].shape[1:])
        forms = {direction: (_from_pictures(network, shape), tf.uint8, as_served)}
        if shape[-1] in READ_CHANNELS:
            forms[f"{direction}_png"] = (_from_files(network, shape), tf.string, as_served)
        forms[f"raw_{direction}"] = (_from_floats(network, shape), tf.float32, as_raw)
        for name, (function, dtype, answer) in forms.items():
            of_files = dtype == tf.string
            spec = tf.TensorSpec(
                (None,) if of_files else (None, *shape),
                dtype,
                "image_bytes" if of_files else "images",
            )
            signatures[name] = _function(function, [spec], answer)
    first = next(iter(directions))
    return {"serving_default": signatures[first], **signatures}


def _from_pictures(network, shape):
    def translate(images):
        images = tf.ensure_shape(images, (None, *shape))
        return network(tf.gather(LEVELS, tf.cast(images, tf.int32)), training=False)

    return translate


def _from_files(network, shape):
    channels = shape[-1]

    def read(file):
        picture = tf.io.decode_image(file, channels=channels, expand_animations=False)
        return tf.ensure_shape(picture, shape)

    def translate(image_bytes):
        specs = tf.TensorSpec(shape, tf.uint8)
        pictures = tf.map_fn(read, image_bytes, fn_output_signature=specs)
        return _from_pictures(network, shape)(pictures)

    return translate


def _from_floats(network, shape):
    def translate(images):
        return network(_finite("images", images, (None, *shape)), training=False)

    return translate


# Answers


def as_served(samples):
    """Pictures as uint8 and as PNG files, videos as uint8, other samples as they are."""
    kind = kinds.samples("samples", samples.shape[1:])
    if isinstance(kind, kinds.Videos):
        return {kind.noun: tf.cast(_levels(samples), tf.uint8)}
    if not isinstance(kind, kinds.Pictures):
        return {kind.noun: tf.cast(samples, tf.float32)}
    if samples.shape[-1] not in PNG_CHANNELS:
        return {"samples": tf.cast(samples, tf.float32)}
    images = tf.cast(_levels(samples), tf.uint8)
    files = tf.map_fn(tf.io.encode_png, images, fn_output_signature=tf.string)
    return {"images": images, "image_bytes": files}


def _levels(samples):
    """The same arithmetic as in `images.to_uint8`: both round half to even."""
    return tf.round((tf.clip_by_value(tf.cast(samples, tf.float32), -1.0, 1.0) + 1.0) * 127.5)


def as_raw(samples):
    """What the network makes: pictures in [-1, 1], or about, where nothing bounds its output."""
    return {"samples": tf.cast(samples, tf.float32)}


# Small parts


def _function(function, specs, answer):
    """A `tf.function` of the named inputs `specs` that returns a dict."""

    def served(*args):
        return answer(function(*args))

    return tf.function(served, input_signature=specs)


def _specs(**inputs):
    return {name: tf.TensorSpec(shape, dtype, name) for name, (dtype, shape) in inputs.items()}


def _checked(value, condition, rule, received=None):
    """The value, after a check: an error of the request, not of the server (INVALID_ARGUMENT).

    What follows uses the value that is returned, or it might fail first, with an error of its own.
    """
    shown = value if received is None else received
    with tf.control_dependencies([tf.debugging.Assert(condition, [rule, shown])]):
        return tf.identity(value)


def _finite(name, values, shape):
    """The values, checked: a server does not check shapes against the signature by itself."""
    return tf.debugging.check_numerics(
        tf.ensure_shape(values, shape), f"`{name}` must be finite. Received: values that are not"
    )


def _checked_labels(labels, rows, classes):
    labels = tf.ensure_shape(labels, (None,))
    rule = f"`labels` must be from 0 to {classes - 1}. Received:"
    labels = _checked(labels, tf.reduce_all((labels >= 0) & (labels < classes)), rule)
    rule = "`labels` must have one for each row. Received:"
    return _checked(labels, tf.equal(tf.shape(labels)[0], rows), rule, tf.shape(labels))
