"""Asks TF Serving for pictures of an exported model, over REST or gRPC, and writes them as PNG.

    python examples/serving/client.py --model dcgan --seed 7 --num 16 --out grid.png
    python examples/serving/client.py --model cgan --labels 0,1,2 --num 3 --out samples
    python examples/serving/client.py --model cyclegan --signature a_to_b_png --image a.png

It first asks the server what the signature takes, so that it works with any of the models. REST
needs nothing but Python; a grid, and signatures that take pictures as numbers, need Pillow. gRPC
needs TensorFlow and the stubs of TF Serving, whose package asks for `tensorflow`; beside
`tensorflow-cpu` they are installed with

    pip install --no-deps tensorflow-serving-api
"""

import argparse
import base64
import contextlib
import http.client
import io
import itertools
import json
import os
import random
import re
import sys
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

PORTS = {"rest": 8501, "grpc": 8500}
MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
# What Pillow may open: a PostScript file in disguise would have it start Ghostscript.
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM")


class ClientError(Exception):
    """What went wrong, in words for the user."""


class Rest:
    """TF Serving's REST API; requests and answers are columns, one for each tensor."""

    def __init__(self, args):
        self.timeout = args.timeout
        self.server = f"http://{args.host}:{args.port}"
        self.url = f"{self.server}/v1/models/{urllib.parse.quote(args.model, safe='')}"
        if args.version is not None:
            self.url += f"/versions/{args.version}"
        if args.label is not None:
            self.url += f"/labels/{urllib.parse.quote(args.label, safe='')}"

    def signatures(self):
        """`{signature: (inputs, outputs)}`, each `{name: (dtype, shape)}`."""
        found = self._ask(f"{self.url}/metadata")["metadata"]["signature_def"]["signature_def"]

        def tensors(infos):
            return {
                name: (info["dtype"], [int(d["size"]) for d in info["tensor_shape"].get("dim", [])])
                for name, info in infos.items()
            }

        return {
            name: (tensors(signature["inputs"]), tensors(signature["outputs"]))
            for name, signature in found.items()
            if not name.startswith("__")
        }

    def predict(self, name, signature, inputs):
        """`{output: nested lists}`, with bytes where names end in _bytes."""
        body = {"signature_name": name, "inputs": {k: _to_json(v) for k, v in inputs.items()}}
        answer = self._ask(f"{self.url}:predict", json.dumps(body).encode())["outputs"]
        outputs = signature[1]
        columns = answer if len(outputs) > 1 else {next(iter(outputs)): answer}
        return {k: _from_json(v) for k, v in columns.items()}

    def _ask(self, url, body=None):
        try:
            with urllib.request.urlopen(url, body, timeout=self.timeout) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            text = error.read().decode(errors="replace")
            # What is no answer of TF Serving is shown as it is.
            with contextlib.suppress(ValueError, KeyError, TypeError):
                text = json.loads(text)["error"]
            raise ClientError(
                f"the server answered {error.code} to {url}: {_message(text)}"
            ) from error
        except TimeoutError as error:
            raise self._late() from error
        except urllib.error.URLError as error:
            if isinstance(error.reason, TimeoutError):
                raise self._late() from error
            raise ClientError(f"no server at {self.server}: {error.reason}") from error
        except (http.client.HTTPException, ConnectionError, ValueError) as error:
            raise ClientError(
                f"the server at {self.server} does not speak REST ({type(error).__name__}); is "
                "this its gRPC port?"
            ) from error

    def _late(self):
        return ClientError(f"no answer from {self.server} within {self.timeout:g} s (--timeout)")


class Grpc:
    """TF Serving's gRPC API, by its official stubs."""

    def __init__(self, args):
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
        try:
            import grpc
            import tensorflow as tf
            from tensorflow.core.framework import types_pb2
            from tensorflow_serving.apis import (
                get_model_metadata_pb2,
                predict_pb2,
                prediction_service_pb2_grpc,
            )
        except ImportError as error:
            raise ClientError(
                f"--protocol grpc needs TensorFlow and TF Serving's stubs ({error}): "
                "pip install grpcio, and pip install --no-deps tensorflow-serving-api"
            ) from error
        self.grpc, self.tf, self.dtypes = grpc, tf, types_pb2.DataType
        self.predict_pb2, self.metadata_pb2 = predict_pb2, get_model_metadata_pb2
        self.args, self.server = args, f"{args.host}:{args.port}"
        # By default an answer may have 4 MiB, and a few hundred pictures have more.
        size = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
        channel = grpc.insecure_channel(self.server, options=size)
        self.stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)

    def signatures(self):
        """`{signature: (inputs, outputs)}`, each `{name: (dtype, shape)}`."""
        request = self.metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
        self._choose(request.model_spec)
        answer = self._ask(self.stub.GetModelMetadata, request)
        found = self.metadata_pb2.SignatureDefMap()
        answer.metadata["signature_def"].Unpack(found)

        def tensors(infos):
            return {
                name: (self.dtypes.Name(info.dtype), [d.size for d in info.tensor_shape.dim])
                for name, info in infos.items()
            }

        return {
            name: (tensors(signature.inputs), tensors(signature.outputs))
            for name, signature in found.signature_def.items()
            if not name.startswith("__")
        }

    def predict(self, name, signature, inputs):
        """`{output: nested lists}`: of the pictures the files alone, where there are any."""
        taken, made = signature
        request = self.predict_pb2.PredictRequest()
        self._choose(request.model_spec)
        request.model_spec.signature_name = name
        for key, value in inputs.items():
            dtype = self.dtypes.Value(taken[key][0])
            request.inputs[key].CopyFrom(self.tf.make_tensor_proto(value, dtype))
        if "image_bytes" in made:
            request.output_filter.append("image_bytes")
        answer = self._ask(self.stub.Predict, request)
        return {k: self.tf.make_ndarray(v).tolist() for k, v in answer.outputs.items()}

    def _choose(self, spec):
        spec.name = self.args.model
        if self.args.version is not None:
            spec.version.value = self.args.version
        if self.args.label is not None:
            spec.version_label = self.args.label

    def _ask(self, method, request):
        codes = self.grpc.StatusCode
        try:
            return method(request, timeout=self.args.timeout)
        except self.grpc.RpcError as error:
            code, text = error.code(), error.details()
            if code == codes.DEADLINE_EXCEEDED:
                text = f"no answer from {self.server} within {self.args.timeout:g} s (--timeout)"
            elif code == codes.UNAVAILABLE:
                text = f"no gRPC server at {self.server}, or it is overloaded: {text}"
            else:
                text = f"the server answered {code.name}: {_message(text)}"
            raise ClientError(text) from error


def _message(text):
    """A server's message without the nodes of the graph, which TensorFlow puts after it."""
    return re.sub(r"\n\s*\[\[\{\{.*", "", text, flags=re.DOTALL)


def make_inputs(taken, args):
    """The inputs of a signature by name: nested lists, bytes for files.

    Args:
        taken: `{name: (dtype, shape)}`.
        args: the command line.
    """
    makers = {
        "seeds": lambda dtype, shape: [args.seed + k for k in range(args.num)],
        "seed": lambda dtype, shape: args.seed,
        "num_images": lambda dtype, shape: args.num,
        "labels": lambda dtype, shape: _labels(args),
        "latents": lambda dtype, shape: _latents([args.num, *shape[1:]], args),
        "image_bytes": lambda dtype, shape: [path.read_bytes() for path in _images(args)],
        "images": lambda dtype, shape: [_pixels(p, dtype, shape[1:]) for p in _images(args)],
    }
    unknown = sorted(set(taken) - set(makers))
    if unknown:
        raise ClientError(f"'{args.signature}' takes {', '.join(unknown)}: unknown to this client")
    if args.labels and "labels" not in taken:
        raise ClientError(f"--labels does not go with '{args.signature}', which takes none")
    if args.image and not {"images", "image_bytes"} & set(taken):
        raise ClientError(f"--image does not go with '{args.signature}', which takes no pictures")
    return {name: makers[name](dtype, shape) for name, (dtype, shape) in taken.items()}


def _labels(args):
    if not args.labels:
        raise ClientError(f"--labels must be given: '{args.signature}' takes a class for each row")
    return list(itertools.islice(itertools.cycle(args.labels), args.num))


def _latents(shape, args):
    """Latents of the model's prior, drawn here: `sample` has them drawn by the server."""
    rng = random.Random(args.seed)
    draw = {"normal": lambda: rng.gauss(0, 1), "uniform": lambda: rng.uniform(-1, 1)}[args.prior]

    def nested(shape):
        return [nested(shape[1:]) for _ in range(shape[0])] if shape else draw()

    return nested(shape)


def _images(args):
    if not args.image:
        raise ClientError(f"--image must be given: '{args.signature}' takes pictures")
    return args.image


def _pixels(path, dtype, shape):
    """Rows of pixels, from 0 to 255, or in [-1, 1] where the signature takes floats."""
    height, width, channels = shape
    picture = _pillow().open(path, formats=FORMATS).convert(MODES[channels])
    if width not in (-1, picture.width) or height not in (-1, picture.height):
        raise ClientError(
            f"'{path}' must have {width} x {height} pixels. "
            f"Received: {picture.width} x {picture.height}"
        )
    levels = picture.tobytes()
    values = [n / 127.5 - 1 for n in levels] if dtype == "DT_FLOAT" else list(levels)
    pixels = [values[i : i + channels] for i in range(0, len(values), channels)]
    return [pixels[i : i + picture.width] for i in range(0, len(pixels), picture.width)]


def _pillow():
    try:
        from PIL import Image
    except ImportError as error:
        raise ClientError(f"this needs Pillow ({error}): pip install pillow") from error
    return Image


def _to_json(value):
    if isinstance(value, bytes):
        return {"b64": base64.b64encode(value).decode()}
    return [_to_json(item) for item in value] if isinstance(value, list) else value


def _from_json(value):
    if isinstance(value, dict):
        return base64.b64decode(value["b64"])
    return [_from_json(item) for item in value] if isinstance(value, list) else value


def write(outputs, args):
    """Writes PNG files, or one grid; what is no picture goes to JSON files. Returns the paths."""
    if "image_bytes" not in outputs:
        folder = args.out if args.out.suffix != ".png" else args.out.parent
        files = {
            folder / f"{args.model}_{args.signature}_{name}.json": json.dumps(values).encode()
            for name, values in outputs.items()
        }
    elif args.out.suffix == ".png":
        files = {args.out: _grid(outputs["image_bytes"])}
    else:
        files = {
            args.out / f"{args.model}_{args.signature}_{k}.png": data
            for k, data in enumerate(outputs["image_bytes"])
        }
    for path, data in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.part")
        part.write_bytes(data)
        os.replace(part, path)
    return list(files)


def _grid(files):
    """A PNG file with all pictures, in about as many rows as columns."""
    image = _pillow()
    pictures = [image.open(io.BytesIO(data), formats=["PNG"]) for data in files]
    columns = next(n for n in itertools.count(1) if n * n >= len(pictures))
    width, height = pictures[0].size
    rows = -(-len(pictures) // columns)
    grid = image.new(pictures[0].mode, (columns * width, rows * height))
    for k, picture in enumerate(pictures):
        grid.paste(picture, (k % columns * width, k // columns * height))
    data = io.BytesIO()
    grid.save(data, "PNG")
    return data.getvalue()


def parse(argv=None):
    """The command line, checked."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--protocol", choices=PORTS, default="rest", help="default: rest")
    add("--host", default="127.0.0.1", help="default: 127.0.0.1")
    add("--port", type=int, help="default: 8501 for REST, 8500 for gRPC")
    add("--model", required=True, help="the model's name on the server")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--version", type=int, help="default: the newest that is served")
    which.add_argument("--label", help="the version's label, such as stable")
    add("--signature", default="sample", help="default: sample")
    add("--seed", type=int, default=0, help="of the first picture (default: 0)")
    add("--num", type=int, default=1, help="pictures (default: 1)")
    add("--labels", help="classes, such as 0,1,2, taken in turn; for conditional models")
    add("--prior", choices=("normal", "uniform"), default="normal", help="where latents are drawn")
    add("--image", type=Path, nargs="+", help="picture files, for models that translate")
    add("--out", type=Path, default=Path("served"), help="directory, or a .png file for a grid")
    add("--timeout", type=float, default=60.0, help="seconds to wait for an answer (default: 60)")
    args = parser.parse_args(argv)
    args.port = PORTS[args.protocol] if args.port is None else args.port
    if not 1 <= args.port <= 65535:
        parser.error(f"--port must be from 1 to 65535. Received: {args.port}")
    if args.num < 1 or not 0 <= args.seed <= 2**63 - args.num:
        parser.error(
            "--num must be at least 1, and seeds from 0 to 2^63 - 1. "
            f"Received: {args.num} from seed {args.seed}"
        )
    if not 0 < args.timeout <= 1e6:
        parser.error(f"--timeout must be above 0, and 10^6 at most. Received: {args.timeout}")
    if args.labels is not None:
        labels = args.labels.split(",")
        if not all(re.fullmatch(r"-?\d{1,18}", label.strip()) for label in labels):
            parser.error(f"--labels must be numbers with commas between. Received: {args.labels!r}")
        args.labels = [int(label) for label in labels]
    for path in args.image or ():
        if not path.is_file():
            parser.error(f"--image must be files. Received: '{path}', which is none")
    if args.out.suffix != ".png" and args.out.exists() and not args.out.is_dir():
        parser.error(f"--out must be a directory or a .png file. Received: '{args.out}'")
    return args


def run(args):
    """Asks the server and writes what it answers; returns the paths."""
    client = Grpc(args) if args.protocol == "grpc" else Rest(args)
    signatures = client.signatures()
    if args.signature not in signatures:
        raise ClientError(
            f"--signature must be one of {', '.join(sorted(signatures))}. "
            f"Received: {args.signature!r}"
        )
    signature = signatures[args.signature]
    outputs = client.predict(args.signature, signature, make_inputs(signature[0], args))
    return write(outputs, args)


def main(argv=None):
    args = parse(argv)
    try:
        for path in run(args):
            print(path)
    except (ClientError, OSError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
