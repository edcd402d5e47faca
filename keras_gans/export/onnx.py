"""ONNX files, for ONNX Runtime and whatever else reads them: one network in a single file."""

import importlib.util
import tempfile
import warnings
from pathlib import Path

import keras

from keras_gans.devices.precision import in_float32
from keras_gans.export._files import check_target, compare, examples_of, write
from keras_gans.export.signatures import check_exportable, port_of

PACKAGES = ("onnx", "onnxruntime", "tf2onnx")
LIMIT = 1e-4


def onnx(gan, path, direction=None, allow_untrained=False, verbose=True):
    """Writes a trained model as an ONNX file, once its samples are those of Keras.

    The averaged network is exported where there is one. The file takes batches of any size, in the
    numbers that networks work on:

    - models with latents take `latents`, float32 (batch, d), drawn from the model's prior, and
      conditional ones `labels` beside them, int32 (batch,); a label that is no class is no error
      there;
    - models that make pictures out of pictures take `pictures`, float32 (batch, H, W, C) in
      [-1, 1], as ONNX gives inputs and outputs no common names;
    - `images`, float32 (batch, H, W, C) in [-1, 1], comes back, or `points`, float32 (batch, d);
      of encoders `latents`, float32 (batch, d), and of classifiers `labels`, int32 (batch,) or of
      several codes (batch, codes).

    Pictures are NHWC, as in the package. The file computes in float32, also where the model does in
    mixed precision. Before anything is written, the file is run by ONNX
    Runtime on 16 inputs and held against Keras.

    Args:
        gan: trained `AdversarialModel`.
        path: str or path-like ending in ".onnx"; a file of that name is replaced.
        direction: which of `gan.ports()` the file is of, such as "b_to_a" of translators or
            "encode" of models with an encoder; the first one when `None`.
        allow_untrained: whether a model without a training step behind it may be exported.
        verbose: whether to print what was written.

    Returns:
        `Exported`: `path`, `bytes`, `max_error` and `mean_error` against Keras.

    Raises:
        ImportError: the packages of `pip install keras-gans[onnx]` are missing.
        ValueError: an argument is not as said, the model is not trained or has weights that are not
            finite, or the file's samples are not those of Keras. A file of that name is then as it
            was.
        OSError: the file can't be written.

    Example:

    >>> exported = onnx(gan, "dcgan.onnx")
    >>> session = onnxruntime.InferenceSession("dcgan.onnx")
    >>> session.run(["images"], {"latents": np.zeros((8, 100), "float32")})[0].shape
    (8, 28, 28, 1)

    Reference:
        https://onnx.ai
    """
    check_packages()
    check_exportable(gan, allow_untrained)
    port = port_of(gan, direction)
    network = in_float32(port.network)
    path = check_target(path, ".onnx")
    names = [_input_name(kind, port.output) for kind in port.inputs]
    content = _convert(network, port, names)
    errors = compare(
        network,
        examples_of(port),
        lambda rows: _run(content, dict(zip(names, rows, strict=True))),
        LIMIT,
        f"The ONNX file '{path}'",
    )
    return write(path, content, errors, verbose=verbose)


def check_packages():
    """Raises ImportError where the packages that write and run ONNX files are missing."""
    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise ImportError(
            "ONNX files need further packages: pip install keras-gans[onnx]. "
            f"Received: an environment without {', '.join(missing)}"
        )


def _input_name(kind, output):
    """ONNX gives inputs and outputs no common names, and the package no file an input `images`."""
    name = {"images": "pictures"}.get(kind.name, kind.name)
    return f"given_{name}" if name == output.output_name else name


def _convert(network, port, names):
    """The bytes of an ONNX file."""
    import onnx

    specs = []
    for name, kind, tensor in zip(names, port.inputs, network.inputs, strict=True):
        # Labels are (batch,) in the package, also where a network takes (batch, 1).
        shape = (None, *kind.shape)
        specs.append(keras.InputSpec(dtype=tensor.dtype, shape=shape, name=name))
    # A model with a dict of outputs, as the names of these are kept.
    named = keras.Model(network.inputs, {port.output.output_name: network.outputs[0]})
    signature = [specs] if len(specs) > 1 else specs
    with tempfile.TemporaryDirectory() as directory, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "In the future `np.object`", FutureWarning)
        file = Path(directory, "model.onnx")
        named.export(file, format="onnx", verbose=False, input_signature=signature)
        model = onnx.load(file)
    for tensor in (*model.graph.input, *model.graph.output):
        tensor.type.tensor_type.shape.dim[0].dim_param = "batch"  # numbered names otherwise
    return model.SerializeToString()


def _run(content, inputs):
    """What the file makes of inputs."""
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    (samples,) = session.run(None, inputs)
    return samples
