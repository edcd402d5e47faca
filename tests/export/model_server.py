"""A model server for tests, on loopback: TF Serving's protocols, without TF Serving.

It is no `tensorflow_model_server`. What is real: the official protocol buffers and gRPC service,
SavedModels loaded for a session of TensorFlow's C++ runtime and fed by tensor names, as TF Serving
does, so that graphs meet requests with nothing in between. What is imitated, after TF Serving's
sources: REST paths and JSON, the choice of versions, the codes and messages of errors, and what
batching demands of a request. What is missing: joining the requests of several clients, versions
that come and go, warm-up, metrics, and all of its speed.
"""

import base64
import contextlib
import json
import re
import threading
from concurrent import futures
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import grpc
import numpy as np
import tensorflow as tf
from google.protobuf import json_format
from tensorflow.core.protobuf import config_pb2
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    predict_pb2,
    prediction_service_pb2_grpc,
)

HOST = "127.0.0.1"
HTTP_CODES = {"INVALID_ARGUMENT": 400, "FAILED_PRECONDITION": 400, "NOT_FOUND": 404}
PREDICT = re.compile(r"/v1/models/([^/:]+)(?:/versions/(\d+)|/labels/([^/:]+))?:predict")
STATUS = re.compile(r"/v1/models/([^/:]+)(?:/versions/(\d+)|/labels/([^/:]+))?(/metadata)?")


class RequestError(Exception):
    """An error of a request, with the name of its gRPC code."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


class Servable:
    """One version of a model, in a session of its own."""

    def __init__(self, directory, max_batch_size=None):
        self.max_batch_size = max_batch_size
        graph = tf.Graph()
        self.session = tf.compat.v1.Session(graph=graph)
        with graph.as_default():
            loaded = tf.compat.v1.saved_model.load(self.session, ["serve"], str(directory))
        self.signatures = dict(loaded.signature_def)

    def predict(self, name, inputs, wanted=()):
        """`{output name: array}` of a signature; `inputs` are arrays by name."""
        signature = self.signatures.get(name)
        if signature is None:
            raise RequestError("FAILED_PRECONDITION", f'Serving signature key "{name}" not found.')
        given, taken = set(inputs), set(signature.inputs)
        if len(given) != len(taken):
            raise RequestError(
                "INVALID_ARGUMENT",
                f"input size does not match signature: {len(given)}!={len(taken)}. Sent extra: "
                f"{sorted(given - taken)}. Missing but required: {sorted(taken - given)}.",
            )
        for alias in sorted(given - taken):
            raise RequestError(
                "INVALID_ARGUMENT", f"input tensor alias not found in signature: {alias}"
            )
        outputs = list(wanted) or sorted(signature.outputs)
        for alias in outputs:
            if alias not in signature.outputs:
                raise RequestError(
                    "INVALID_ARGUMENT", f"output tensor alias not found in signature: {alias}"
                )
        run = self.run if self.max_batch_size is None else self.run_padded
        return dict(zip(outputs, run(signature, inputs, outputs), strict=True))

    def run(self, signature, inputs, outputs):
        # Session.run would hold shapes against the placeholders in Python; C++ does not.
        options = config_pb2.CallableOptions()
        options.feed.extend(signature.inputs[name].name for name in inputs)
        options.fetch.extend(signature.outputs[name].name for name in outputs)
        call = self.session._make_callable_from_options(options)
        try:
            # A string without axes comes as bytes.
            results = call(*inputs.values())
            return [np.array(v, object if isinstance(v, bytes) else None) for v in results]
        except tf.errors.OpError as error:
            code = grpc_code(error.error_code)
            raise RequestError(code.name, error.message) from error

    def run_padded(self, signature, inputs, outputs):
        """A batch of one request, filled up to a power of two with its first row."""
        if any(value.ndim == 0 for value in inputs.values()):
            raise RequestError(
                "INVALID_ARGUMENT",
                "Batching Run() input tensors must have at least one dimension",
            )
        rows = {len(value) for value in inputs.values()}
        if len(rows) != 1:
            raise RequestError(
                "INVALID_ARGUMENT",
                "Batching Run() input tensors must have equal 0th-dimension size",
            )
        (rows,) = rows
        if rows > self.max_batch_size:
            raise RequestError(
                "INVALID_ARGUMENT",
                f"Task size {rows} is larger than maximum input batch size {self.max_batch_size}",
            )
        size = min(1 << (rows - 1).bit_length(), self.max_batch_size) if rows else 0
        padded = {
            name: np.concatenate([value, *[value[:1]] * (size - rows)])
            for name, value in inputs.items()
        }
        results = self.run(signature, padded, outputs)
        if any(value.ndim == 0 or len(value) != size for value in results):
            raise RequestError(
                "FAILED_PRECONDITION",
                "Batched output tensor's 0th dimension does not equal the sum of the 0th "
                "dimension sizes of the input tensors",
            )
        return [value[:rows] for value in results]


class ModelServer:
    """Serves models over gRPC and REST until the `with` block ends.

    Args:
        models: `{name: base directory}`; each version in it is served.
        labels: `{name: {label: version}}`.
        max_batch_size: whether requests are treated as by a server with batching, and its limit.

    Attributes:
        grpc_port, rest_port: ports on 127.0.0.1.
        requests: what was asked so far, pairs (protocol, signature).
    """

    def __init__(self, models, labels=None, max_batch_size=None):
        self.labels = labels or {}
        self.requests = []
        self.models = {
            name: {
                int(path.name): Servable(path, max_batch_size)
                for path in Path(base).iterdir()
                if path.name.isdecimal()
            }
            for name, base in models.items()
        }

    def __enter__(self):
        size = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
        self.grpc_server = grpc.server(futures.ThreadPoolExecutor(2), options=size)
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
            Grpc(self), self.grpc_server
        )
        self.grpc_port = self.grpc_server.add_insecure_port(f"{HOST}:0")
        self.grpc_server.start()
        self.rest_server = ThreadingHTTPServer((HOST, 0), rest_handler(self))
        self.rest_port = self.rest_server.server_address[1]
        self.thread = threading.Thread(target=self.rest_server.serve_forever, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *exception):
        self.grpc_server.stop(None).wait()
        self.rest_server.shutdown()
        self.rest_server.server_close()
        self.thread.join()

    def find(self, model, version=None, label=None):
        """(version, Servable) of a request."""
        if label:
            version = self.labels.get(model, {}).get(label)
            if version is None:
                raise RequestError(
                    "INVALID_ARGUMENT", f"Unrecognized servable version label: {label}"
                )
        versions = self.models.get(model, {})
        if version is None and versions:
            version = max(versions)
        if version not in versions:
            wanted = f"Latest({model})" if version is None else f"Specific({model}, {version})"
            raise RequestError("NOT_FOUND", f"Servable not found for request: {wanted}")
        return version, versions[version]

    def predict(self, protocol, spec, signature, inputs, wanted=()):
        """(version, `{output name: array}`)."""
        signature = signature or "serving_default"
        self.requests.append((protocol, signature))
        version, servable = self.find(*spec)
        return version, servable.predict(signature, inputs, wanted)

    def metadata(self, spec):
        """(version, SignatureDefMap)."""
        version, servable = self.find(*spec)
        return version, get_model_metadata_pb2.SignatureDefMap(signature_def=servable.signatures)


def grpc_code(number):
    return next(code for code in grpc.StatusCode if code.value[0] == number)


class Grpc(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Predict and GetModelMetadata of the official service; the rest is UNIMPLEMENTED."""

    def __init__(self, server):
        self.server = server

    def Predict(self, request, context):
        with aborting(context):
            inputs = {name: tf.make_ndarray(tensor) for name, tensor in request.inputs.items()}
            version, outputs = self.server.predict(
                "grpc",
                spec_of(request.model_spec),
                request.model_spec.signature_name,
                inputs,
                request.output_filter,
            )
            response = predict_pb2.PredictResponse()
            fill_spec(response.model_spec, request.model_spec, version)
            for name, value in outputs.items():
                response.outputs[name].CopyFrom(tf.make_tensor_proto(value))
            return response

    def GetModelMetadata(self, request, context):
        with aborting(context):
            if list(request.metadata_field) != ["signature_def"]:
                fields = list(request.metadata_field)
                raise RequestError("INVALID_ARGUMENT", f"Metadata field {fields} is not supported")
            version, signatures = self.server.metadata(spec_of(request.model_spec))
            response = get_model_metadata_pb2.GetModelMetadataResponse()
            fill_spec(response.model_spec, request.model_spec, version)
            response.metadata["signature_def"].Pack(signatures)
            return response


@contextlib.contextmanager
def aborting(context):
    """Ends a gRPC call with the code of a RequestError."""
    try:
        yield
    except RequestError as error:
        context.abort(grpc.StatusCode[error.code], str(error))


def spec_of(spec):
    if not spec.name:
        raise RequestError("INVALID_ARGUMENT", "ModelSpec has no name specified.")
    version = spec.version.value if spec.HasField("version") else None
    return spec.name, version, spec.version_label or None


def fill_spec(spec, asked, version):
    spec.name = asked.name
    spec.signature_name = asked.signature_name
    spec.version.value = version


# REST


def rest_handler(server):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            self.answer(lambda: rest_get(server, self.path))

        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.answer(lambda: rest_predict(server, self.path, body))

        def answer(self, function):
            try:
                status, answer = 200, function()
            except RequestError as error:
                status, answer = HTTP_CODES.get(error.code, 500), {"error": str(error)}
            text = json.dumps(answer, indent=1).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *args):
            pass

    return Handler


def rest_spec(pattern, method, path):
    match = pattern.fullmatch(path)
    if not match:
        raise RequestError("INVALID_ARGUMENT", f"Malformed request: {method} {path}")
    model, version, label, *rest = match.groups()
    return (model, int(version) if version else None, label), rest


def rest_get(server, path):
    spec, (wants_metadata,) = rest_spec(STATUS, "GET", path)
    if wants_metadata:
        version, signatures = server.metadata(spec)
        options = {
            "preserving_proto_field_name": True,
            "always_print_fields_with_no_presence": True,
        }
        return {
            "model_spec": {"name": spec[0], "signature_name": "", "version": str(version)},
            "metadata": {"signature_def": json_format.MessageToDict(signatures, **options)},
        }
    if spec[0] not in server.models:
        raise RequestError("NOT_FOUND", f"Could not find any versions of model {spec[0]}")
    versions = sorted(server.models[spec[0]], reverse=True)
    if spec[1:] != (None, None):
        versions = [server.find(*spec)[0]]
    status = {"error_code": "OK", "error_message": ""}
    return {
        "model_version_status": [
            {"version": str(version), "state": "AVAILABLE", "status": status}
            for version in versions
        ]
    }


def rest_predict(server, path, body):
    spec, _ = rest_spec(PREDICT, "POST", path)
    try:
        request = json.loads(body)
    except ValueError as error:
        raise RequestError("INVALID_ARGUMENT", f"JSON Parse error: {error}") from error
    if not isinstance(request, dict):
        raise RequestError("INVALID_ARGUMENT", f"JSON Value: {request} Is not object")
    name = request.get("signature_name", "serving_default")
    _, servable = server.find(*spec)
    if name not in servable.signatures:
        raise RequestError(
            "INVALID_ARGUMENT", f'Serving signature name: "{name}" not found in signature def'
        )
    taken = servable.signatures[name].inputs
    if ("instances" in request) == ("inputs" in request):
        what = "expecting only one of" if "inputs" in request else "Missing"
        raise RequestError("INVALID_ARGUMENT", f"{what} 'inputs' or 'instances' key")
    rows = "instances" in request
    inputs = by_row(request["instances"], taken) if rows else by_column(request["inputs"], taken)
    _, outputs = server.predict("rest", spec, name, inputs)
    columns = {name: to_json(name, value) for name, value in outputs.items()}
    if not rows:
        return {"outputs": columns if len(columns) > 1 else next(iter(columns.values()))}
    heads = {value.shape[:1] for value in outputs.values()}
    if len(heads) != 1 or () in heads:
        raise RequestError("INVALID_ARGUMENT", "Tensors have an inconsistent batch size")
    answers = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return {"predictions": answers if len(columns) > 1 else next(iter(columns.values()))}


def by_row(instances, taken):
    """Arrays of the "instances" of a request: a list with an entry for each row."""
    if not isinstance(instances, list) or not instances:
        raise RequestError("INVALID_ARGUMENT", "Expecting 'instances' to be a list with values")
    names = set(taken)
    if not is_object(instances[0]):
        if len(names) > 1:
            raise RequestError(
                "INVALID_ARGUMENT", "instances is a plain list, but expecting list of objects"
            )
        (name,) = names
        instances = [{name: value} for value in instances]
    for k, instance in enumerate(instances):
        if not is_object(instance) or set(instance) != names:
            raise RequestError(
                "INVALID_ARGUMENT",
                f"Failed to process element: {k} of 'instances' list. JSON object: "
                f"{json.dumps(instance)} keys must be equal to: {','.join(sorted(names))}",
            )
    return {name: from_json([row[name] for row in instances], taken[name]) for name in names}


def by_column(inputs, taken):
    """Arrays of the "inputs" of a request: a value, or an object with one for each name."""
    if not is_object(inputs):
        if len(taken) > 1:
            raise RequestError(
                "INVALID_ARGUMENT", "inputs is a plain value/list, but expecting an object"
            )
        inputs = {next(iter(taken)): inputs}
    for name in sorted(taken):
        if name not in inputs:
            raise RequestError(
                "INVALID_ARGUMENT", f"Missing named input: {name} in 'inputs' object."
            )
    return {name: from_json(inputs[name], tensor) for name, tensor in taken.items()}


def is_object(value):
    return isinstance(value, dict) and set(value) != {"b64"}


def from_json(value, tensor):
    """An array of the signature's dtype; its shape is that of the JSON."""
    dtype = tf.as_dtype(tensor.dtype)
    shape, inner = [], value
    while isinstance(inner, list):
        shape.append(len(inner))
        inner = inner[0] if inner else None
    flat = []

    def fill(value, level):
        if isinstance(value, list) != (level < len(shape)):
            raise RequestError(
                "INVALID_ARGUMENT",
                f"JSON Value: {json.dumps(value)[:256]} found at incorrect level: {level + 1}",
            )
        if not isinstance(value, list):
            flat.append(leaf(value, dtype))
            return
        if len(value) != shape[level]:
            raise RequestError(
                "INVALID_ARGUMENT",
                f"Encountered list at unexpected size: {len(value)} at level: {level} "
                f"expected size: {shape[level]}",
            )
        for item in value:
            fill(item, level + 1)

    fill(value, 0)
    if dtype.is_integer:  # like a cast in C++, which does not say that 300 is no uint8
        return np.array(flat, "int64").astype(dtype.as_numpy_dtype).reshape(shape)
    return np.array(flat, dtype.as_numpy_dtype).reshape(shape)


def leaf(value, dtype):
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if dtype == tf.string and isinstance(value, dict):
        return base64.b64decode(value["b64"])
    if dtype == tf.string and isinstance(value, str):
        return value.encode()
    if dtype.is_floating and number:
        return value
    if dtype.is_integer and number and isinstance(value, int) and -(2**63) <= value < 2**63:
        return value
    raise RequestError(
        "INVALID_ARGUMENT",
        f"JSON Value: {json.dumps(value)} Type: {type(value).__name__} is not of expected type: "
        f"{dtype.name}",
    )


def to_json(name, value):
    if value.dtype != object:
        return value.tolist()
    if value.ndim:
        return [to_json(name, np.asarray(item, object)) for item in value]
    data = value.item()
    return {"b64": base64.b64encode(data).decode()} if name.endswith("_bytes") else data.decode()
