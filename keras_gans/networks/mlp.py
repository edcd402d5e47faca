"""Multilayer perceptrons for points and small pictures, as in the first GAN papers."""

import functools
import numbers

import keras
from keras import layers

from keras_gans.checks import check_count, check_flag, check_positive
from keras_gans.layers import Dropout, LeakyReLU, Maxout
from keras_gans.networks._parts import Initializers, label_input, latent_heads


def _check_shape(name, shape):
    shape = tuple(shape) if isinstance(shape, tuple | list) else (shape,)
    if not shape or any(isinstance(n, bool) or not isinstance(n, int) or n < 1 for n in shape):
        raise ValueError(
            f"`{name}` must be the shape of one example, integers of at least 1. "
            f"Received: {shape!r}"
        )
    return shape


def _check_hidden(hidden):
    if not isinstance(hidden, tuple | list):
        raise ValueError(f"`hidden` must be a tuple of layer widths. Received: {hidden!r}")
    return [check_count("hidden", units) for units in hidden]


def _check_dropout(name, rate):
    if isinstance(rate, bool) or not isinstance(rate, numbers.Real) or not 0 <= rate < 1:
        raise ValueError(f"`{name}` must be in [0, 1). Received: {rate!r}")
    return rate


def _check_pieces(pieces, hidden):
    """A list with the pieces of each hidden layer's units, `None` for no maxout; never empty."""
    if isinstance(pieces, tuple | list):
        if len(pieces) != len(hidden):
            raise ValueError(
                "`maxout_pieces` must be one number, or as many as `hidden` has layers, "
                f"{len(hidden)}. Received: {pieces!r}"
            )
        return [check_count("maxout_pieces", number) for number in pieces] or [None]
    return [None if pieces is None else check_count("maxout_pieces", pieces)] * (len(hidden) or 1)


def _initializers(initial_range, seed, network):
    """Glorot's, or U(-r, r) with r = `initial_range`."""
    make = keras.initializers.GlorotUniform
    if initial_range is not None:
        limit = float(check_positive("initial_range", initial_range))
        make = functools.partial(keras.initializers.RandomUniform, -limit, limit)
    return Initializers(make, seed, network)


def build_mlp_generator(
    sample_shape,
    latent_dim=100,
    hidden=(256, 256),
    activation="relu",
    output_activation="auto",
    num_classes=None,
    label_units=None,
    dropout=0.0,
    initial_range=None,
    seed=None,
):
    """Builds a dense generator of points or pictures.

    Args:
        sample_shape: shape of one sample, (2,) for points or (H, W, C) for pictures.
        latent_dim: length of the latents.
        hidden: widths of the hidden layers.
        activation: activation of the hidden layers.
        output_activation: activation of the output; "auto" is tanh for pictures, none for points.
        num_classes: number of classes of a label-conditional generator, or None; or a sequence of
            such numbers, of several labels for each sample.
        label_units: width of a hidden layer of the label's own, beside the latents' first one, as
            in Mirza and Osindero, 2014 (there 200 and 1000); `None` joins the label's one-hot code
            to the latents.
        dropout: rate of dropout after each hidden layer while training; 0.5 in Mirza and Osindero,
            2014.
        initial_range: r of initial weights from U(-r, r), 0.05 in Goodfellow et al., 2014; `None`
            for Glorot's.
        seed: integer that fixes the initial weights and the dropout, or None.

    Returns:
        Functional `keras.Model`: latents (batch, latent_dim) to float32 samples (batch,
        *sample_shape); with `num_classes`, [latents, int labels (batch,)] to samples.

    Raises:
        ValueError: an argument breaks these rules.

    Example:

    >>> build_mlp_generator((2,), latent_dim=8).output_shape
    (None, 2)
    """
    shape = _check_shape("sample_shape", sample_shape)
    hidden = _check_hidden(hidden)
    check_count("latent_dim", latent_dim)
    _check_dropout("dropout", dropout)
    initializer = _initializers(initial_range, seed, "mlp_generator")
    if output_activation == "auto":
        output_activation = "tanh" if len(shape) == 3 else None
    latents = keras.Input((latent_dim,), name="latents")
    inputs, x = latents, latents
    if num_classes is not None:
        labels, code = label_input(num_classes)
        inputs = [latents, labels]
        if label_units is not None:
            check_count("label_units", label_units)
            if not hidden:
                raise ValueError(
                    "`hidden` must have a layer beside the label's `label_units`. Received: ()"
                )
            units, hidden = hidden[0], hidden[1:]
            x = layers.Dense(units, activation, kernel_initializer=initializer())(x)
            code = layers.Dense(label_units, activation, kernel_initializer=initializer())(code)
        x = layers.Concatenate()([x, code])
        if label_units is not None and dropout:
            x = Dropout(dropout, seed=initializer.next_seed())(x)
    for units in hidden:
        x = layers.Dense(units, activation, kernel_initializer=initializer())(x)
        if dropout:
            x = Dropout(dropout, seed=initializer.next_seed())(x)
    size = 1
    for length in shape:
        size *= length
    x = layers.Dense(
        size, output_activation, dtype="float32", kernel_initializer=initializer(), name="samples"
    )(x)
    return keras.Model(inputs, layers.Reshape(shape, dtype="float32")(x), name="mlp_generator")


def build_mlp_encoder(
    sample_shape,
    latent_dim=100,
    hidden=(256, 256),
    activation="relu",
    seed=None,
    *,
    gaussian=True,
):
    """Builds a dense encoder of points or pictures to latents, or to Gaussians over them.

    Args:
        sample_shape: shape of one sample, (2,) for points or (H, W, C) for pictures.
        latent_dim: length of the latents.
        hidden: widths of the hidden layers.
        activation: activation of the hidden layers.
        seed: integer that fixes the initial weights, or None.
        gaussian: whether the outputs are those of a Gaussian; `False` gives the latents alone.

    Returns:
        Functional `keras.Model`: samples (batch, *sample_shape) to float32 [mean, log-variance],
        each (batch, latent_dim); or to latents (batch, latent_dim).

    Raises:
        ValueError: an argument breaks these rules.

    Example:

    >>> build_mlp_encoder((28, 28, 1), latent_dim=20, hidden=(500,), activation="tanh").output_shape
    [(None, 20), (None, 20)]
    >>> build_mlp_encoder((2,), latent_dim=20, gaussian=False).output_shape
    (None, 20)
    """
    shape = _check_shape("sample_shape", sample_shape)
    hidden = _check_hidden(hidden)
    check_count("latent_dim", latent_dim)
    initializer = Initializers(keras.initializers.GlorotUniform, seed, "mlp_encoder")
    samples = keras.Input(shape, name="samples")
    x = layers.Flatten()(samples)
    for units in hidden:
        x = layers.Dense(units, activation, kernel_initializer=initializer())(x)
    outputs = latent_heads(x, latent_dim, initializer, gaussian)
    return keras.Model(samples, outputs, name="mlp_encoder")


def build_mlp_discriminator(
    sample_shape,
    hidden=(256, 256),
    maxout_pieces=None,
    dropout=0.0,
    num_classes=None,
    label_units=50,
    return_features=False,
    input_dropout=0.0,
    initial_range=None,
    seed=None,
):
    """Builds a dense discriminator (or critic) of points or pictures.

    Args:
        sample_shape: shape of one sample, (2,) for points or (H, W, C) for pictures.
        hidden: widths of the hidden layers.
        maxout_pieces: pieces of maxout units, one number for all hidden layers or one for each, as
            Goodfellow et al., 2014 use them (5 in their code); `None` takes LeakyReLU(0.2) instead.
        dropout: rate of dropout after each hidden layer; 0.5 in Goodfellow et al., 2014.
        num_classes: number of classes of a label-conditional discriminator, or None.
        label_units: width of the label's own hidden layer, which has the first layer's pieces and
            joins its output (Mirza and Osindero, 2014: 50); `None` joins the label's one-hot code
            to the sample.
        return_features: whether the features that the logits are computed from are a second output,
            for further heads.
        input_dropout: rate of dropout of the samples; 0.2 in the code of Goodfellow et al., 2014.
        initial_range: r of initial weights from U(-r, r), 0.005 in Goodfellow et al., 2014; `None`
            for Glorot's.
        seed: integer that fixes the initial weights and the dropout, or None.

    Returns:
        Functional `keras.Model`: samples (batch, *sample_shape) to float32 logits (batch, 1); with
        `num_classes`, [samples, int labels (batch,)] to logits. With `return_features`, to
        [logits, features (batch, units)].

    Raises:
        ValueError: an argument breaks these rules.

    Example:

    >>> build_mlp_discriminator((28, 28, 1), maxout_pieces=5, dropout=0.5).output_shape
    (None, 1)
    """
    shape = _check_shape("sample_shape", sample_shape)
    hidden = _check_hidden(hidden)
    check_flag("return_features", return_features)
    pieces = _check_pieces(maxout_pieces, hidden)
    _check_dropout("dropout", dropout)
    _check_dropout("input_dropout", input_dropout)
    initializer = _initializers(initial_range, seed, "mlp_discriminator")

    def dense(units, pieces, x):
        if pieces is not None:
            return Maxout(units, pieces, kernel_initializer=initializer())(x)
        return LeakyReLU(0.2)(layers.Dense(units, kernel_initializer=initializer())(x))

    samples = keras.Input(shape, name="samples")
    inputs, x = samples, layers.Flatten()(samples)
    label_part = None
    if num_classes is not None:
        labels, label_part = label_input(num_classes)
        inputs = [samples, labels]
        if label_units is not None:
            label_part = dense(check_count("label_units", label_units), pieces[0], label_part)

    def join_label(x):
        return x if label_part is None else layers.Concatenate()([x, label_part])

    if input_dropout:
        x = Dropout(input_dropout, seed=initializer.next_seed())(x)
    if label_units is None or not hidden:
        x = join_label(x)
    for k, units in enumerate(hidden):
        x = dense(units, pieces[k], x)
        if k == 0 and label_units is not None:
            x = join_label(x)
        if dropout:
            x = Dropout(dropout, seed=initializer.next_seed())(x)
    logits = layers.Dense(1, dtype="float32", kernel_initializer=initializer(), name="logits")(x)
    outputs = [logits, x] if return_features else logits
    return keras.Model(inputs, outputs, name="mlp_discriminator")
