"""What TF Serving's rules say about the signatures of a SavedModel."""

import dataclasses
import re

import tensorflow as tf

from keras_gans.export.warmup import has_batch_axis, is_batchable, signature_defs

METHODS = {f"tensorflow/serving/{name}" for name in ("predict", "classify", "regress")}
JSON_DTYPES = {
    *(tf.bool, tf.string, tf.float32, tf.float64),
    *(tf.int8, tf.int16, tf.int32, tf.int64, tf.uint8, tf.uint32, tf.uint64),
}
REFERENCES = 100  # added to the number of a dtype
INVENTED_NAME = re.compile(r"(args|inputs|kwargs|output)_\d+")


@dataclasses.dataclass(frozen=True)
class Finding:
    """What `lint` found.

    Attributes:
        severity: "error", where no request can be answered, or "note", where some can't.
        signature: its name, "" for the whole SavedModel.
        message: what it is, and what follows.
    """

    severity: str
    signature: str
    message: str

    def __str__(self):
        where = f"`{self.signature}` " if self.signature else ""
        return f"{self.severity}: {where}{self.message}"


def lint(version_directory):
    """Holds the signatures of a SavedModel against the rules of TF Serving, without loading it.

    Errors: no signature, a method that is not served, tensors without a name, resources and other
    dtypes that can't be sent. Notes: signatures that can't be batched, dtypes that REST can't
    carry, strings that REST sends as text, names that TensorFlow made up, no `serving_default`.

    Args:
        version_directory: str or path-like, the directory of `saved_model.pb`.

    Returns:
        List of `Finding`, errors first.

    Raises:
        FileNotFoundError: there is no SavedModel.
        ValueError: the file is no SavedModel, or has no graph for serving.

    Example:

    >>> for finding in lint("served/dcgan/1"):
    ...     print(finding)
    note: `generate` can't be batched: no axis 0 of any length in num_images [], seed []. ...

    Reference:
        https://www.tensorflow.org/tfx/serving/signature_defs
    """
    signatures = signature_defs(version_directory)
    findings = []
    if not signatures:
        findings.append(Finding("error", "", "has no signature, so nothing can be asked of it"))
    elif "serving_default" not in signatures:
        findings.append(
            Finding("note", "", "has no `serving_default`: each request must name its signature")
        )
    for name, signature in sorted(signatures.items()):
        findings += [Finding("error", name, message) for message in _errors(signature)]
        findings += [Finding("note", name, message) for message in _notes(signature)]
    return sorted(findings, key=lambda finding: finding.severity != "error")


def _errors(signature):
    """Why no request of a signature can be answered."""
    if signature.method_name not in METHODS:
        yield (
            f"has the method {signature.method_name!r}, and the server answers only "
            f"{', '.join(sorted(METHODS))}"
        )
    if not signature.outputs:
        yield "has no output"
    for kind, name, tensor in _tensors(signature):
        if not name or tensor.WhichOneof("encoding") != "name" or not tensor.name:
            yield f"has the {kind} {name!r} that is no dense tensor with a name"
            continue
        if not _can_be_sent(tensor):
            yield f"has the {kind} {name!r} of dtype {_dtype(tensor).name}, which can't be sent"


def _notes(signature):
    """What can't be asked of a signature that works otherwise."""
    tensors = list(_tensors(signature))
    invented = [name for _, name, _ in tensors if INVENTED_NAME.fullmatch(name)]
    if invented:
        yield f"has names that TensorFlow made up: {', '.join(invented)}"
    if not is_batchable(signature):
        loose = [f"{n} {_shape(t)}" for _, n, t in tensors if not has_batch_axis(t)]
        reason = f"no axis 0 of any length in {', '.join(loose)}" if loose else "it has no input"
        yield (
            f"can't be batched: {reason}. A server with --enable_batching answers it with an "
            'error; without, a REST request must give "inputs", not "instances"'
        )
    sent = [(name, _dtype(tensor)) for _, name, tensor in tensors if _can_be_sent(tensor)]
    silent = [f"{name} {dtype.name}" for name, dtype in sent if dtype not in JSON_DTYPES]
    if silent:
        yield f"can be called over gRPC only: JSON has no {', '.join(silent)}"
    texts = [n for n, t in signature.outputs.items() if _dtype(t) == tf.string]
    texts = sorted(name for name in texts if not name.endswith("_bytes"))
    if texts:
        yield (
            f"has strings that REST sends as text: {', '.join(texts)}. The name of binary data, "
            "such as files, must end in _bytes"
        )


def _tensors(signature):
    for kind, tensors in (("input", signature.inputs), ("output", signature.outputs)):
        for name, tensor in sorted(tensors.items()):
            yield kind, name, tensor


def _dtype(tensor):
    return tf.as_dtype(tensor.dtype)


def _can_be_sent(tensor):
    return _dtype(tensor) not in (tf.resource, tf.variant) and tensor.dtype < REFERENCES


def _shape(tensor):
    if tensor.tensor_shape.unknown_rank:
        return "of unknown rank"
    sizes = ("?" if dim.size == -1 else str(dim.size) for dim in tensor.tensor_shape.dim)
    return f"[{', '.join(sizes)}]"
