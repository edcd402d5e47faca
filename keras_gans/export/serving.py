"""Configuration of TF Serving for exported models."""

import os
import re
from pathlib import Path

from keras_gans.checks import check_count, check_flag, check_path
from keras_gans.export import serving_files
from keras_gans.export.lint import lint
from keras_gans.files import new_directory

IMAGE = "tensorflow/serving:2.20.0"
MODEL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
LABEL = re.compile(r"[A-Za-z0-9_]+")
IMAGE_NAME = re.compile(r"[a-z0-9][A-Za-z0-9_./:@-]*")


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
        "models.config": serving_files.models_config(served, labels),
        "monitoring.config": serving_files.monitoring_config(),
        "compose.yaml": serving_files.compose(
            bases, directory, batching, rest_port, grpc_port, image
        ),
    }
    if batching:
        files["batching.config"] = serving_files.batching_config(max_batch_size)
    files["README.md"] = serving_files.readme(
        models, served, labels, findings, batching, rest_port, image
    )
    with new_directory(directory) as temporary:
        for name, text in files.items():
            (temporary / name).write_text(text, encoding="utf-8")
    if verbose:
        print(f"TF Serving: {directory}, {', '.join(files)}")
        for (name, version), found in findings.items():
            for finding in found:
                print(f"{name}/{version}: {finding}")
    return directory


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
