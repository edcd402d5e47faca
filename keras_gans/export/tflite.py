"""TFLite files, for phones and microcontrollers: one network with its weights in a single file."""

import contextlib
import dataclasses
import os
import re
import sys
import tempfile
import warnings

import numpy as np
import tensorflow as tf
from tensorflow.lite.python.convert_phase import ConverterError  # has no public name

from keras_gans.checks import check_count
from keras_gans.datasets.pictures import pair_of
from keras_gans.devices.precision import in_float32
from keras_gans.export._files import NUM, check_target, compare, examples_of, write
from keras_gans.export.signatures import check_exportable, port_of

SIGNATURE = "serving_default"
DRAWS = 128

# What a file's samples may differ from those of Keras in the mean. The package's trained models
# came out with less than half of it; a file with a fault is off by more.
LIMITS = {None: 1e-4, "float16": 5e-3, "dynamic": 0.05, "int8": 0.1}

KEPT_IN_FLOAT = [
    # The quantizer gives its output the scale of what it is joined with, but not its on and off
    # values, so that the code of a label was 3.4 instead of 1.
    "ONE_HOT",
    # The statistics of instance and pixel normalization, few numbers on which all others depend.
    # With them in float, CycleGAN's pictures of satellites were off by 0.025 instead of 0.045.
    "MEAN",
    "RSQRT",
]

CHATTER = re.compile(r"[IWE]\d{4} |INFO: |fully_quantize: |WARNING: All log messages before absl")


def tflite(
    gan,
    path,
    quantization=None,
    representative=None,
    direction=None,
    allow_untrained=False,
    verbose=True,
    size=None,
):
    """Writes a trained model as a TFLite file, once its samples are those of Keras.

    The averaged network is exported where there is one. The file has the signature
    `serving_default` for one sample at a time, in the numbers that networks work on:

    - models with latents take `latents`, float32 (1, d), drawn from the model's prior, and
      conditional ones `labels` beside them, int32 (1,); a label that is no class is no error there;
    - models that make pictures out of pictures take `images`, float32 (1, H, W, C) in [-1, 1], of
      any size where the model does;
    - `images`, float32 (1, H, W, C) in [-1, 1], comes back, or `points`, float32 (1, d); of
      encoders `latents`, float32 (1, d), and of classifiers `labels`, int32 (1,), or of several
      codes (1, codes).

    Only TFLite's own operations are used, and the file computes in float32 where the model does in
    mixed precision. Before anything is written, the file is run on 16 inputs
    that it was not calibrated on, and held against Keras. Translators are given random squares, or
    in int8 the pictures of `representative`, mirrored.

    Args:
        gan: trained `AdversarialModel`.
        path: str or path-like ending in ".tflite"; a file of that name is replaced.
        quantization: how weights are stored. `None` keeps float32; "float16" halves the file.
            "dynamic" stores large weights as int8, and scales activations as it goes; "int8" has
            scales for these too, and computes in int8 as far as that goes. Inputs and outputs are
            float32 in every case.
        representative: for "int8" alone, what activations are measured on. Models with latents:
            how many draws of the prior, 128 when `None`, with the labels in turn. Translators: some
            pictures of the data, array (num, H, W, C), uint8 or float in [-1, 1]. Models that take
            several things which can't be drawn: a list with an array of each.
        direction: which of `gan.ports()` the file is of, such as "b_to_a" of translators or
            "encode" of models with an encoder; the first one when `None`.
        allow_untrained: whether a model without a training step behind it may be exported.
        verbose: whether to print what was written.
        size: of a model for pictures of any size, the pair of int (height, width) that the file is
            to take. With `None` it takes any, to which interpreters resize its input; some, such as
            those of web pages, can't.

    Returns:
        `Exported`: `path`, `bytes`, `max_error` and `mean_error` against Keras, `quantization`.

    Raises:
        ValueError: an argument is not as said, the model is not trained or has weights that are not
            finite, TFLite has no operation for a layer, or the file's samples are not those of
            Keras. A file of that name is then as it was.
        OSError: the file can't be written.

    Example:

    >>> exported = tflite(gan, "dcgan.tflite", quantization="float16")
    >>> run = Interpreter("dcgan.tflite").get_signature_runner("serving_default")
    >>> run(latents=np.zeros((1, 100), "float32"))["images"].shape
    (1, 28, 28, 1)

    Reference:
        https://ai.google.dev/edge/litert
    """
    check_quantization(quantization)
    check_exportable(gan, allow_untrained)
    port = of_size(port_of(gan, direction), size)
    network = in_float32(port.network)
    specs = [kind.spec(1) for kind in port.inputs]
    calibration = _calibration(port, quantization, representative)
    path = check_target(path, ".tflite")
    content = _convert(network, port.output, specs, quantization, calibration)
    inputs = examples_of(port)
    if calibration:
        # Random squares would have other activations than those that were measured.
        inputs = [
            drawn if kind.from_seed else kind.mirrored(given[:NUM])
            for kind, drawn, given in zip(port.inputs, inputs, calibration, strict=True)
        ]
        num = min(map(len, inputs))
        inputs = [rows[:num] for rows in inputs]
    names = [spec.name for spec in specs]
    errors = compare(
        network,
        inputs,
        lambda rows: _run(content, dict(zip(names, rows, strict=True)), port.output.output_name),
        LIMITS[quantization],
        f"The TFLite file '{path}'",
    )
    return write(path, content, errors, quantization, verbose)


def check_quantization(quantization):
    """Raises ValueError unless it is one of the forms of TFLite files."""
    if not isinstance(quantization, str | None) or quantization not in LIMITS:
        names = [name for name in LIMITS if name]
        raise ValueError(
            f"`quantization` must be None or one of {names}. Received: {quantization!r}"
        )


def load_interpreter(content, **kwargs):
    """A TFLite interpreter: LiteRT's where it is installed, else the one in TensorFlow."""
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError:
        Interpreter = tf.lite.Interpreter
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"(?s)\s*Warning: tf\.lite\.Interpreter")
        return Interpreter(model_content=content, **kwargs)


def of_size(port, size):
    """A port whose pictures of any size have this one.

    Args:
        port: `Port`.
        size: pair of int (height, width), or `None` to leave it as it is.

    Raises:
        ValueError: its pictures have a size, or it is no such pair.
    """
    size = pair_of("size", size)
    if size is None:
        return port
    if not any(kind.pictured and None in kind.shape for kind in port.inputs):
        shapes = " and ".join(str(kind.shape) for kind in port.inputs)
        raise ValueError(
            f"`size` must be None but for models of pictures of any size. Received: {size}, for "
            f"{port.takes} of {shapes}"
        )
    inputs = [
        dataclasses.replace(kind, shape=(*size, *kind.shape[2:]))
        if kind.pictured and None in kind.shape
        else kind
        for kind in port.inputs
    ]
    return dataclasses.replace(port, inputs=tuple(inputs))


def _calibration(port, quantization, representative):
    """The inputs that activations are measured on, a list of arrays; `None` where none are."""
    if quantization != "int8":
        if representative is not None:
            raise ValueError(
                '`representative` must be None unless `quantization` is "int8". '
                f"Received: a {type(representative).__name__}, and quantization={quantization!r}"
            )
        return None
    wanted = [kind for kind in port.inputs if not kind.from_seed]
    if not wanted:
        draws = DRAWS if representative is None else check_count("representative", representative)
        return examples_of(port, draws, seed=0)
    given = [representative] if len(wanted) == 1 else representative
    arrays = isinstance(given, list | tuple) and len(given) == len(wanted)
    if not arrays or any(np.ndim(values) == 0 for values in given):
        nouns = " and ".join(kind.noun for kind in wanted)
        raise ValueError(
            f"`representative` must be some {nouns} of the data, uint8 pictures or float ones in "
            f"[-1, 1], an array for each, in int8. Received: {representative!r}"
        )
    checked = (
        dataclasses.replace(kind, name="representative").from_border(values)
        for kind, values in zip(wanted, given, strict=True)
    )
    rows = [None if kind.from_seed else next(checked) for kind in port.inputs]
    num = min(len(values) for values in rows if values is not None)
    drawn = examples_of(port, num, seed=0)
    return [
        own if values is None else values[:num] for own, values in zip(drawn, rows, strict=True)
    ]


def _convert(network, output, specs, quantization, calibration):
    """The bytes of a TFLite file."""

    def served(*inputs):
        samples = network(list(inputs) if len(inputs) > 1 else inputs[0], training=False)
        return {output.output_name: tf.cast(samples, output.dtype)}

    # A converter that is given the function itself writes files that give NaN, without an error:
    # the weights are lost. Through a SavedModel they are not.
    module = tf.Module()
    module.weights = [weight.value for weight in network.weights]
    signatures = {SIGNATURE: tf.function(served, input_signature=specs)}
    with tempfile.TemporaryDirectory() as directory, _quiet():
        tf.saved_model.save(module, directory, signatures=signatures)
        converter = tf.lite.TFLiteConverter.from_saved_model(directory, signature_keys=[SIGNATURE])
        if quantization:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if quantization == "float16":
            converter.target_spec.supported_types = [tf.float16]
        try:
            if quantization == "int8":
                return _convert_to_int8(converter, [spec.name for spec in specs], calibration)
            return converter.convert()
        except ConverterError as error:
            raise ValueError(
                "`gan` must be made of what TFLite has operations for. Received: "
                f"'{network.name}', of which the converter says: {error}"
            ) from error


def _convert_to_int8(converter, names, calibration):
    """The converter itself has no way to leave single operations in float; its debugger has."""

    def examples():
        for i in range(len(calibration[0])):
            yield SIGNATURE, {n: a[i : i + 1] for n, a in zip(names, calibration, strict=True)}

    converter.representative_dataset = examples
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    options = tf.lite.experimental.QuantizationDebugOptions(denylisted_ops=KEPT_IN_FLOAT)
    debugger = tf.lite.experimental.QuantizationDebugger(
        converter=converter, debug_dataset=examples, debug_options=options
    )
    return debugger.get_nondebug_quantized_model()


def _run(content, inputs, output):
    """What the file makes of inputs, one example at a time."""
    with _quiet():
        run = load_interpreter(content).get_signature_runner(SIGNATURE)
        num = len(next(iter(inputs.values())))
        return np.concatenate(
            [run(**{n: rows[i : i + 1] for n, rows in inputs.items()})[output] for i in range(num)]
        )


@contextlib.contextmanager
def _quiet():
    """Keeps the converter's reports of its progress off the terminal; all are shown on an error.

    They are written by C++ to the process's standard error, past `sys.stderr`.
    """
    with tempfile.TemporaryFile() as caught, warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"(?s)\s*Warning: tf\.lite\.Interpreter")
        sys.stderr.flush()
        stderr = os.dup(2)
        os.dup2(caught.fileno(), 2)
        failed = True
        try:
            yield
            failed = False
        finally:
            sys.stderr.flush()
            os.dup2(stderr, 2)
            os.close(stderr)
            caught.seek(0)
            for line in caught.read().decode(errors="replace").splitlines(keepends=True):
                if failed or not CHATTER.match(line):
                    sys.stderr.write(line)
