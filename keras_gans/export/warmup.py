"""Warm-up requests: TF Serving answers them while it loads a version, before it takes real ones.

TensorFlow prepares much of a graph when it first runs. With a file of requests beside the graph the
server does that first, and the first user waits no longer than the second.
"""

import os
from pathlib import Path

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.protobuf import saved_model_pb2

from keras_gans.files import replacing

WARMUP_FILE = os.path.join("assets.extra", "tf_serving_warmup_requests")
MAX_RECORDS = 1000

# Numbers of the fields in TF Serving's prediction_log.proto, predict.proto and model.proto.
LOG_PREDICT = 6
PREDICT_REQUEST = 1
REQUEST_MODEL, REQUEST_INPUTS = 1, 2
MODEL_NAME, MODEL_SIGNATURE = 1, 3
MAP_KEY, MAP_VALUE = 1, 2


def write_warmup(version_directory, requests):
    """Writes the requests that TF Serving answers while it loads a version.

    A server loads no version whose warm-up requests fail, so each request is held against its
    signature first. A signature that can't be batched is refused: a server with `--enable_batching`
    answers it with an error, and so would not load the version at all.

    Args:
        version_directory: str or path-like, the directory of `saved_model.pb`.
        requests: iterable of pairs (signature name, {input name: array}), 1 to 1000 of them, with
            the dtypes and shapes of the signature.

    Returns:
        `pathlib.Path` of the file, `assets.extra/tf_serving_warmup_requests`; one that was there is
        replaced.

    Raises:
        ValueError: a request does not fit its signature, or there are too few or too many.
        OSError: the directory can't be read or written.

    Example:

    >>> write_warmup("served/dcgan/1", [("sample", {"seeds": np.arange(n)}) for n in (1, 8, 64)])

    Reference:
        https://www.tensorflow.org/tfx/serving/saved_model_warmup
    """
    version_directory = Path(version_directory)
    signatures = signature_defs(version_directory)
    requests = list(requests)
    if not 1 <= len(requests) <= MAX_RECORDS:
        raise ValueError(
            f"`requests` must be from 1 to {MAX_RECORDS}: TF Serving takes no more. "
            f"Received: {len(requests)}"
        )
    model = version_directory.absolute().parent.name
    records = [
        _record(model, name, _checked(f"requests[{k}]", name, inputs, signatures))
        for k, (name, inputs) in enumerate(requests)
    ]
    path = version_directory / WARMUP_FILE
    with replacing(path) as temporary:
        try:
            with tf.io.TFRecordWriter(temporary) as writer:
                for record in records:
                    writer.write(record)
        except tf.errors.OpError as error:
            raise OSError(f"'{path}' can't be written: {error.message}") from error
    return path


def signature_defs(version_directory):
    """The signatures of a SavedModel, read without loading it.

    Args:
        version_directory: str or path-like, the directory of `saved_model.pb`.

    Returns:
        `{name: SignatureDef}` of the graph with the tag "serve", without TensorFlow's own ones
        (`__saved_model_init_op`).

    Raises:
        FileNotFoundError: there is no `saved_model.pb`.
        ValueError: it is no SavedModel, or none for serving.
    """
    path = Path(version_directory) / "saved_model.pb"
    if not path.is_file():
        raise FileNotFoundError(
            "`version_directory` must be the directory of a SavedModel. "
            f"Received: '{version_directory}', without saved_model.pb"
        )
    try:
        saved_model = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    except DecodeError as error:
        raise ValueError(f"'{path}' must be a SavedModel. Received: {error}") from error
    graphs = [g for g in saved_model.meta_graphs if set(g.meta_info_def.tags) == {"serve"}]
    if not graphs:
        tags = [sorted(graph.meta_info_def.tags) for graph in saved_model.meta_graphs]
        raise ValueError(f"'{path}' must have a graph with the tag 'serve'. Received: tags {tags}")
    return {n: s for n, s in graphs[0].signature_def.items() if not n.startswith("__saved_model")}


def is_batchable(signature):
    """Whether TF Serving can answer a signature with `--enable_batching`.

    It joins requests along axis 0 and splits the answers there: each input and output must have
    one, of any length, and there must be an input.
    """
    tensors = [*signature.inputs.values(), *signature.outputs.values()]
    return bool(signature.inputs) and all(has_batch_axis(tensor) for tensor in tensors)


def has_batch_axis(tensor):
    """Whether a `TensorInfo` has an axis 0 of unknown length."""
    dims = tensor.tensor_shape.dim
    return not tensor.tensor_shape.unknown_rank and len(dims) > 0 and dims[0].size == -1


def _checked(where, name, inputs, signatures):
    """`{input name: TensorProto}`, or ValueError where the inputs do not fit the signature."""
    if name not in signatures:
        raise ValueError(
            f"`{where}` must name a signature, one of {sorted(signatures)}. Received: {name!r}"
        )
    signature = signatures[name]
    if not is_batchable(signature):
        raise ValueError(
            f"`{where}` must be for a signature that can be batched, or a server with "
            f"--enable_batching will not load the version. Received: {name!r}, with an input or "
            "output that has no axis 0 of any length"
        )
    if set(inputs) != set(signature.inputs):
        raise ValueError(
            f"`{where}` must give the inputs of {name!r}, {sorted(signature.inputs)}. "
            f"Received: {sorted(inputs)}"
        )
    tensors = {}
    for key, info in sorted(signature.inputs.items()):
        array = np.asarray(inputs[key])
        dtype, shape = tf.as_dtype(info.dtype), tf.TensorShape(info.tensor_shape)
        if tf.as_dtype(array.dtype) != dtype or not shape.is_compatible_with(array.shape):
            raise ValueError(
                f"`{where}` must give {key!r} as {dtype.name} of shape {shape}. "
                f"Received: {array.dtype} of shape {array.shape}"
            )
        tensors[key] = tf.make_tensor_proto(array, dtype)
    return tensors


def _record(model, signature, tensors):
    """A serialized PredictionLog, so that an export does not need TF Serving's own package."""
    spec = _field(MODEL_NAME, model.encode()) + _field(MODEL_SIGNATURE, signature.encode())
    request = _field(REQUEST_MODEL, spec)
    for name, tensor in tensors.items():
        entry = _field(MAP_KEY, name.encode()) + _field(MAP_VALUE, tensor.SerializeToString())
        request += _field(REQUEST_INPUTS, entry)
    return _field(LOG_PREDICT, _field(PREDICT_REQUEST, request))


def _field(number, payload):
    """A field of bytes in protobuf's encoding: number and wire type 2, the length, the bytes."""
    return _varint(number << 3 | 2) + _varint(len(payload)) + payload


def _varint(value):
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
