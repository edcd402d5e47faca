"""Configuration of TF Serving for exported models, and what its rules say about a SavedModel."""

import dataclasses
import json
import os
import re
from pathlib import Path

import tensorflow as tf

from keras_gans.callbacks._support import check_path
from keras_gans.checks import check_count, check_flag
from keras_gans.export._writing import new_directory
from keras_gans.export.warmup import has_batch_axis, is_batchable, signature_defs

IMAGE = "tensorflow/serving:2.20.0"
GRPC_PORT, REST_PORT = 8500, 8501  # inside the container
METRICS = "/monitoring/prometheus/metrics"
METHODS = {f"tensorflow/serving/{name}" for name in ("predict", "classify", "regress")}
JSON_DTYPES = {
    *(tf.bool, tf.string, tf.float32, tf.float64),
    *(tf.int8, tf.int16, tf.int32, tf.int64, tf.uint8, tf.uint32, tf.uint64),
}
REFERENCES = 100  # added to the number of a dtype
INVENTED_NAME = re.compile(r"(args|inputs|kwargs|output)_\d+")
MODEL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
LABEL = re.compile(r"[A-Za-z0-9_]+")
IMAGE_NAME = re.compile(r"[a-z0-9][A-Za-z0-9_./:@-]*")


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


def serving(
    models,
    directory,
    labels=None,
    batching=True,
    max_batch_size=64,
    rest_port=8501,
    grpc_port=8500,
    image=IMAGE,
    verbose=True,
):
    """Writes what TF Serving needs to serve exported models from its official Docker image.

    The models stay where they are: `compose.yaml` mounts them read-only, by paths relative to the
    new directory where it can. Ports are opened on 127.0.0.1 alone. Each version that will be
    served goes through `lint`; its notes are printed and written down.

    Args:
        models: `{name: base directory}`, or one base directory, whose name is the model's. A base
            directory holds the versions, as `savedmodel` writes them: directories named by numbers.
        directory: the new directory to write.
        labels: names for versions, `{"stable": 1, "canary": 2}` for one model, or `{model: {...}}`
            for several. A model with labels is served in the labelled versions, others in the
            newest.
        batching: whether the server joins requests; signatures with scalar inputs, such as
            `generate`, are then answered with an error.
        max_batch_size: rows of the largest batch, and of the largest request with `batching`.
        rest_port, grpc_port: ports on this machine.
        image: the Docker image, with its tag.
        verbose: whether to print what was written and found.

    Returns:
        Path of the directory, with `models.config`, `monitoring.config`, `compose.yaml`,
        `README.md` and, with `batching`, `batching.config`.

    Raises:
        ValueError: an argument is not as said, or a version breaks a rule such that no request of
            a signature can be answered.
        FileNotFoundError: a base directory, a SavedModel or a labelled version is not there.
        FileExistsError: the directory exists and is not empty.
        OSError: the directory can't be written. Nothing half-written is left.

    Example:

    >>> path = serving({"dcgan": "served/dcgan"}, "served/config", labels={"stable": 1})
    >>> print((path / "models.config").read_text())

    Reference:
        https://www.tensorflow.org/tfx/serving/serving_config
    """
    check_flag("batching", batching)
    check_count("max_batch_size", max_batch_size)
    _check_ports(rest_port, grpc_port)
    if not isinstance(image, str) or not IMAGE_NAME.fullmatch(image):
        raise ValueError(f"`image` must be the name of a Docker image. Received: {image!r}")
    models = _check_models(models)
    labels = _check_labels(labels, models)
    served = {
        name: sorted({*labels[name].values()} or {max(versions)})
        for name, (_, versions) in models.items()
    }
    findings = {
        (name, version): lint(models[name][1][version])
        for name, versions in served.items()
        for version in versions
    }
    _refuse_errors(findings)
    directory = Path(check_path("directory", directory))
    if os.path.lexists(directory) and not (directory.is_dir() and not any(directory.iterdir())):
        raise FileExistsError(
            f"`directory` must be new or empty. Received: '{directory}', which holds something"
        )
    bases = {name: base for name, (base, _) in models.items()}
    files = {
        "models.config": _models_config(served, labels),
        "monitoring.config": _monitoring_config(),
        "compose.yaml": _compose(bases, directory, batching, rest_port, grpc_port, image),
    }
    if batching:
        files["batching.config"] = _batching_config(max_batch_size)
    files["README.md"] = _readme(models, served, labels, findings, batching, rest_port, image)
    with new_directory(directory) as temporary:
        for name, text in files.items():
            (temporary / name).write_text(text, encoding="utf-8")
    if verbose:
        print(f"TF Serving: {directory}, {', '.join(files)}")
        for (name, version), found in findings.items():
            for finding in found:
                print(f"{name}/{version}: {finding}")
    return directory


# Rules


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


def _refuse_errors(findings):
    errors = [
        f"{name}/{version}: {finding}"
        for (name, version), found in findings.items()
        for finding in found
        if finding.severity == "error"
    ]
    if errors:
        raise ValueError(
            f"`models` must hold SavedModels that TF Serving can serve. Received: {errors}"
        )


# Arguments


def _check_ports(rest_port, grpc_port):
    for name, port in (("rest_port", rest_port), ("grpc_port", grpc_port)):
        if not isinstance(port, int) or isinstance(port, bool) or not 1 <= port <= 65535:
            raise ValueError(f"`{name}` must be an integer from 1 to 65535. Received: {port!r}")
    if rest_port == grpc_port:
        raise ValueError(f"`rest_port` and `grpc_port` must differ. Received: {rest_port} for both")


def _check_models(models):
    """`{name: (base directory, {version: its directory})}`."""
    if not isinstance(models, dict):
        base = Path(check_path("models", models))
        models = {base.absolute().name: base}
    if not models:
        raise ValueError("`models` must name at least one model. Received: none")
    checked = {}
    for name, base in models.items():
        if not isinstance(name, str) or not MODEL_NAME.fullmatch(name):
            raise ValueError(
                "`models` must have names of letters, digits, '_', '.' and '-', the first one a "
                f"letter or digit. Received: {name!r}"
            )
        base = Path(check_path(f"models[{name!r}]", base))
        checked[name] = (base, _versions(name, base))
    return checked


def _versions(name, base):
    """`{version: its directory}`: TF Serving takes whatever is named by a number for a version."""
    if not base.is_dir():
        raise FileNotFoundError(
            f"`models[{name!r}]` must be a directory of versions. Received: '{base}', which is none"
        )
    versions = {}
    for child in sorted(base.iterdir()):
        if not re.fullmatch("[0-9]+", child.name):
            continue
        if not (child / "saved_model.pb").is_file():
            raise FileNotFoundError(
                f"`models[{name!r}]` must have a saved_model.pb in each version. "
                f"Received: '{child}' without one, which TF Serving would try to load"
            )
        if int(child.name) in versions:
            raise ValueError(
                f"`models[{name!r}]` must have each version once. "
                f"Received: '{versions[int(child.name)]}' and '{child}'"
            )
        versions[int(child.name)] = child
    if not versions:
        hint = "; give the directory above it" if (base / "saved_model.pb").is_file() else ""
        raise FileNotFoundError(
            f"`models[{name!r}]` must hold a version, a directory named by a number with a "
            f"SavedModel in it. Received: '{base}', which holds none{hint}"
        )
    return versions


def _check_labels(labels, models):
    """`{model: {label: version}}`, with an entry for each model."""
    labels = labels or {}
    if not isinstance(labels, dict):
        raise ValueError(f"`labels` must be a dict of versions by label. Received: {labels!r}")
    if labels and not any(isinstance(value, dict) for value in labels.values()):
        if len(models) > 1:
            raise ValueError(
                "`labels` must be {model: {label: version}} where there are several models. "
                f"Received: {labels!r} for {sorted(models)}"
            )
        labels = {next(iter(models)): labels}
    for name, of_model in labels.items():
        if name not in models or not isinstance(of_model, dict):
            raise ValueError(
                f"`labels` must be {{model: {{label: version}}}} of the models {sorted(models)}. "
                f"Received: {name!r}: {of_model!r}"
            )
        base, versions = models[name]
        for label, version in of_model.items():
            if not isinstance(label, str) or not LABEL.fullmatch(label):
                raise ValueError(
                    f"`labels` must be of letters, digits and '_'. Received: {label!r}"
                )
            if isinstance(version, bool) or not isinstance(version, int):
                raise ValueError(
                    f"`labels` must name versions by integers. Received: {label!r}: {version!r}"
                )
            if version not in versions:
                raise FileNotFoundError(
                    f"`labels` must name versions that '{base}' has, {sorted(versions)}. "
                    f"Received: {label!r}: {version}"
                )
    return {name: dict(labels.get(name, {})) for name in models}


# Files


def _models_config(served, labels):
    """ModelServerConfig: models, versions and labels."""
    lines = ["# Read again every 30 seconds: see README.md before labels are moved."]
    lines.append("model_config_list {")
    for name, versions in served.items():
        lines += [
            "  config {",
            f'    name: "{name}"',
            f'    base_path: "/models/{name}"',
            '    model_platform: "tensorflow"',
            "    model_version_policy {",
        ]
        if labels[name]:
            specific = [f"        versions: {version}" for version in versions]
            lines += ["      specific {", *specific, "      }"]
        else:
            lines += ["      latest {", "        num_versions: 1", "      }"]
        lines.append("    }")
        for label, version in labels[name].items():
            lines += [
                "    version_labels {",
                f'      key: "{label}"',
                f"      value: {version}",
                "    }",
            ]
        lines.append("  }")
    return "\n".join([*lines, "}", ""])


def _batching_config(max_batch_size):
    """BatchingParameters: how the server joins requests."""
    sizes = [1]
    while 2 * sizes[-1] < max_batch_size:
        sizes.append(2 * sizes[-1])
    sizes = sorted({*sizes, max_batch_size})
    return "\n".join(
        [
            "# The most rows in a batch; a request with more is refused.",
            f"max_batch_size {{ value: {max_batch_size} }}",
            "# How long a request waits for others, in microseconds.",
            "batch_timeout_micros { value: 2000 }",
            "# Batches that wait; a request beyond them is refused as UNAVAILABLE.",
            "max_enqueued_batches { value: 100 }",
            "# Batches at a time: as many as the server has cores is a good start.",
            "num_batch_threads { value: 4 }",
            "# Batches are filled up to the next of these sizes; the last one is max_batch_size.",
            *(f"allowed_batch_sizes: {size}" for size in sizes),
            "# All rows have the same shape.",
            "pad_variable_length_inputs: false",
            "",
        ]
    )


def _monitoring_config():
    """MonitoringConfig: counters and latencies for Prometheus."""
    return f'prometheus_config {{\n  enable: true\n  path: "{METRICS}"\n}}\n'


def _compose(bases, directory, batching, rest_port, grpc_port, image):
    """A Compose file for the official image."""
    command = [
        f"--port={GRPC_PORT}",
        f"--rest_api_port={REST_PORT}",
        "--model_config_file=/config/models.config",
        "--model_config_file_poll_wait_seconds=30",
        "--monitoring_config_file=/config/monitoring.config",
    ]
    if batching:
        command += ["--enable_batching", "--batching_parameters_file=/config/batching.config"]
    labelled = [
        "      # Labels are read before any version is loaded, and would be refused without this.",
        '      - "--allow_version_labels_for_unavailable_models=true"',
    ]
    mounts = {"/config": "."}
    start = os.path.realpath(directory)
    for name, base in bases.items():
        mounts[f"/models/{name}"] = _relative(os.path.realpath(base), start)
    volumes = []
    for target, source in mounts.items():
        volumes += [
            "      - type: bind",
            f"        source: {_quoted(source)}",
            f"        target: {_quoted(target)}",
            "        read_only: true",
            "        bind:",
            "          create_host_path: false",
        ]
    test = json.dumps(["CMD", "bash", "-c", _health(bases).replace("$", "$$")])
    return "\n".join(
        [
            "# docker compose up --detach --wait",
            "services:",
            "  serving:",
            f"    image: {_quoted(image)}",
            "    # The image's own start script serves one model; this calls the server itself.",
            '    entrypoint: ["tensorflow_model_server"]',
            "    command:",
            *(f"      - {_quoted(argument)}" for argument in command),
            *labelled,
            "    init: true",
            "    restart: unless-stopped",
            "    # On this machine only: the server asks nobody who they are.",
            "    ports:",
            f'      - "127.0.0.1:{rest_port}:{REST_PORT}"',
            f'      - "127.0.0.1:{grpc_port}:{GRPC_PORT}"',
            "    volumes:",
            *volumes,
            "    # Healthy when each model has a version that is loaded; the image has no curl.",
            "    healthcheck:",
            f"      test: {test}",
            "      interval: 10s",
            "      timeout: 5s",
            "      retries: 3",
            "      start_period: 60s",
            "",
        ]
    )


def _health(names):
    """Shell commands that fail unless the server says that each model has a loaded version."""
    return (
        f"for model in {' '.join(names)}; do "
        f"exec 3<>/dev/tcp/127.0.0.1/{REST_PORT} || exit 1; "
        "printf 'GET /v1/models/%s HTTP/1.0\\r\\n\\r\\n' \"$model\" >&3; "
        "grep -q '\"AVAILABLE\"' <&3 || exit 1; done"
    )


def _relative(path, start):
    """`path` seen from `start`, in the form that Compose takes for one on this machine."""
    try:
        relative = os.path.relpath(path, start)
    except ValueError:  # another drive
        return path
    return relative if relative.startswith("..") else os.path.join(".", relative)


def _quoted(text):
    """A string for YAML, with the sign that Compose takes for a variable doubled."""
    return json.dumps(text.replace("$", "$$"), ensure_ascii=False)


def _readme(models, served, labels, findings, batching, rest_port, image):
    name = next(iter(served))
    label, version = next(iter(labels[name].items()), (None, served[name][-1]))
    where = f"{name}/labels/{label}" if label else name
    url = f"http://127.0.0.1:{rest_port}/v1/models"
    request = _example_request(models[name][1][version])
    lines = [
        "# TF Serving",
        "",
        f"Configuration for the Docker image `{image}`. The models are mounted read-only from where"
        " `compose.yaml` says.",
        "",
        "| model | versions | labels | signatures |",
        "|---|---|---|---|",
    ]
    for model, versions in served.items():
        signatures = signature_defs(models[model][1][versions[-1]])
        shown = ", ".join(f"{la} = {v}" for la, v in labels[model].items()) or "none: the newest"
        names = ", ".join(f"`{signature}`" for signature in sorted(signatures))
        lines.append(f"| {model} | {', '.join(map(str, versions))} | {shown} | {names} |")
    lines += [
        "",
        "```bash",
        "docker compose up --detach --wait   # until each model is loaded",
        f"curl -s {url}/{name}",
    ]
    if request:
        lines.append(f"curl -s {url}/{where}:predict -d '{request}'")
    lines += [
        f"curl -s http://127.0.0.1:{rest_port}{METRICS}",
        "docker compose logs serving",
        "docker compose down",
        "```",
        "",
        "`models.config` is read again every 30 seconds. A label that is in use moves only to a "
        "version that is loaded already: add the version to `versions` first, wait until its state "
        "is AVAILABLE, then move the label. To roll back, move it back. A new label may name a "
        "version that is not loaded yet.",
        "",
    ]
    if batching:
        lines += [
            "Requests are joined, as `batching.config` says. A request that the model refuses "
            "makes the others in its batch fail with it.",
            "",
        ]
    notes = [
        f"- {model}/{version}: {finding}"
        for (model, version), found in findings.items()
        for finding in found
    ]
    return "\n".join([*lines, *(["## Notes", "", *notes, ""] if notes else [])])


def _example_request(version_directory):
    """JSON of a small request, where the model makes samples out of seeds."""
    signature = signature_defs(version_directory).get("sample")
    if signature is None or not {"seeds"} <= set(signature.inputs) <= {"seeds", "labels"}:
        return None
    inputs = {name: [0, 1] for name in sorted(signature.inputs, reverse=True)}
    return json.dumps({"signature_name": "sample", "inputs": inputs})
