"""The files that configure TF Serving: text protos, a Compose file, and a page about them."""

import json
import os

import numpy as np

from keras_gans.export.warmup import signature_defs

GRPC_PORT, REST_PORT = 8500, 8501  # inside the container
METRICS = "/monitoring/prometheus/metrics"


def models_config(served, labels):
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


def batching_config(max_batch_size):
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


def monitoring_config():
    """MonitoringConfig: counters and latencies for Prometheus."""
    return f'prometheus_config {{\n  enable: true\n  path: "{METRICS}"\n}}\n'


def compose(bases, directory, batching, rest_port, grpc_port, image):
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


def readme(models, served, labels, findings, batching, rest_port, image):
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
    inputs = {}
    for name in sorted(signature.inputs, reverse=True):
        row = [dim.size for dim in signature.inputs[name].tensor_shape.dim[1:]]  # [n] of n codes
        inputs[name] = np.stack([np.full(row, i) for i in range(2)]).tolist()
    return json.dumps({"signature_name": "sample", "inputs": inputs})
