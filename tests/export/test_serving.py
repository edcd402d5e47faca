"""TF Serving: warm-up requests, configuration, its rules, and a client against a server."""

import base64
import importlib.util
import io
import json
import pathlib
import re
import shlex
import socket
import subprocess
import sys
import urllib.error
import urllib.request

import grpc
import keras
import numpy as np
import pytest
import tensorflow as tf
import yaml
from google.protobuf import (
    descriptor_pb2,
    descriptor_pool,
    message_factory,
    text_format,
    wrappers_pb2,
)
from model_server import ModelServer, RequestError, Servable
from PIL import Image
from small_models import SHAPE, cgan, gan_of_points, lively
from tensorflow.core.framework import types_pb2
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_serving.apis import (
    predict_pb2,
    prediction_log_pb2,
    prediction_service_pb2_grpc,
)
from tensorflow_serving.config import model_server_config_pb2

from keras_gans import CycleGAN
from keras_gans.export import lint, savedmodel, serving
from keras_gans.export.warmup import WARMUP_FILE, is_batchable, signature_defs, write_warmup
from keras_gans.networks import build_patchgan_discriminator

CLIENT = pathlib.Path(__file__).parents[2] / "examples" / "serving" / "client.py"
GREY = (16, 24, 1)
PROTOCOLS = ("rest", "grpc")
MODELS = ("cgan", "points", "cyclegan")


def two_way():
    """From colour to grey and back, so that the directions can't be mistaken."""
    shapes = (SHAPE, GREY)
    translators = (
        keras.Sequential([keras.Input(a), keras.layers.Conv2D(b[-1], 3, padding="same")])
        for a, b in (shapes, shapes[::-1])
    )
    return CycleGAN(
        *(lively(translator, seed, gain=1) for seed, translator in enumerate(translators)),
        *(build_patchgan_discriminator(s, num_layers=1, width=4, seed=3) for s in shapes),
        identity_weight=0,
    )


@pytest.fixture(scope="module")
def gans():
    models = {"cgan": cgan(), "canary": cgan(), "points": gan_of_points(), "cyclegan": two_way()}
    lively(models["canary"].generator, seed=9)
    return models


@pytest.fixture(scope="module")
def bases(gans, tmp_path_factory):
    """`{model: base directory}`; `cgan` has two versions of other weights, 1 and 2."""
    root = tmp_path_factory.mktemp("served")
    for name in MODELS:
        savedmodel(gans[name], root / name, allow_untrained=True, verbose=False)
    savedmodel(gans["canary"], root / "cgan", version=2, allow_untrained=True, verbose=False)
    return {name: root / name for name in MODELS}


LABELS = {"cgan": {"stable": 1, "canary": 2}}


@pytest.fixture(scope="module")
def server(bases):
    with ModelServer(bases, LABELS) as server:
        yield server


@pytest.fixture(scope="module")
def batching_server(bases):
    with ModelServer({"cgan": bases["cgan"]}, LABELS, max_batch_size=8) as server:
        yield server


def records_of(version_directory):
    """The warm-up requests, as TF Serving's own protocol buffers."""
    file = tf.data.TFRecordDataset(str(version_directory / WARMUP_FILE))
    return [
        prediction_log_pb2.PredictionLog.FromString(record) for record in file.as_numpy_iterator()
    ]


def inputs_of(request):
    return {name: tf.make_ndarray(tensor) for name, tensor in request.inputs.items()}


def assert_same_pictures(actual, expected):
    """Equal, but for values that two programs round to different sides of a half."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.dtype == expected.dtype == np.uint8
    assert actual.shape == expected.shape
    differences = np.abs(actual.astype(int) - expected)
    assert differences.max() <= 1
    assert (differences > 0).mean() < 0.001


# Warm-up


@pytest.mark.parametrize("name", MODELS)
def test_warmup_requests_of_an_export(name, bases):
    """They are TF Serving's records, for each signature that can be batched, and are answered."""
    version = bases[name] / "1"
    signatures = signature_defs(version)
    servable = Servable(version, max_batch_size=64)
    seen = set()
    for log in records_of(version):
        assert log.WhichOneof("log_type") == "predict_log"
        request = log.predict_log.request
        assert request.model_spec.name == name
        signature = request.model_spec.signature_name
        inputs = inputs_of(request)
        answer = servable.predict(signature, inputs)
        assert set(answer) == set(signatures[signature].outputs)
        (rows,) = {len(value) for value in inputs.values()}
        assert {len(value) for value in answer.values()} == {rows}
        seen.add(signature)
    assert seen == {name for name, signature in signatures.items() if is_batchable(signature)}


def test_warmup_is_what_the_official_package_writes(bases, tmp_path):
    version = copy_of(bases["cgan"] / "1", tmp_path / "other" / "3")
    arrays = {"seeds": np.arange(700), "labels": np.arange(700) % 3}  # lengths of several bytes
    requests = [("sample", arrays), ("raw", {"latents": np.ones((1, 6), "f4"), "labels": [1]})]
    path = write_warmup(version, requests)
    assert path == version / "assets.extra" / "tf_serving_warmup_requests"
    for log, (signature, inputs) in zip(records_of(version), requests, strict=True):
        expected = prediction_log_pb2.PredictionLog()
        request = expected.predict_log.request
        request.model_spec.name, request.model_spec.signature_name = "other", signature
        for name, value in inputs.items():
            request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
            if name == "labels":
                request.inputs[name].CopyFrom(tf.make_tensor_proto(np.asarray(value, "int64")))
        assert log == expected


@pytest.mark.parametrize(
    "requests, match",
    [
        ([], "`requests` must be from 1 to 1000"),
        ([("raw", None)] * 1001, "Received: 1001"),
        ([("serve", {})], r"`requests\[0\]` must name a signature, one of \['generate', 'raw'"),
        (
            [("raw", None), ("generate", {})],
            r"`requests\[1\]` must be .* can be batched.*'generate'",
        ),
        ([("sample", {"seeds": [1]})], r"inputs of 'sample', \['labels', 'seeds'\]"),
        ([("sample", {"seeds": [1.5], "labels": [1]})], "'seeds' as int64 of shape .* float64"),
        ([("sample", {"seeds": 1, "labels": [1]})], r"int64 of shape \(None,\). .*shape \(\)"),
        ([("raw", {"latents": np.zeros((1, 5), "f4"), "labels": [0]})], r"\(None, 6\)"),
    ],
)
def test_warmup_refuses(requests, match, bases, tmp_path):
    version = copy_of(bases["cgan"] / "1", tmp_path / "1")
    good = {"latents": np.zeros((1, 6), "f4"), "labels": [0]}
    before = (version / WARMUP_FILE).read_bytes()
    with pytest.raises(ValueError, match=match):
        write_warmup(version, [(n, good if value is None else value) for n, value in requests])
    assert (version / WARMUP_FILE).read_bytes() == before
    assert [path.name for path in (version / "assets.extra").iterdir()] == [
        pathlib.Path(WARMUP_FILE).name
    ]


def test_warmup_takes_a_thousand_records(bases, tmp_path):
    version = copy_of(bases["cgan"] / "1", tmp_path / "1")
    good = {"latents": np.zeros((1, 6), "f4"), "labels": [0]}
    write_warmup(version, [("raw", good)] * 1000)
    assert len(records_of(version)) == 1000


def test_no_savedmodel(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"without saved_model\.pb"):
        write_warmup(tmp_path, [("sample", {})])
    (tmp_path / "saved_model.pb").write_bytes(b"no protocol buffer")
    with pytest.raises(ValueError, match="must be a SavedModel"):
        lint(tmp_path)
    (tmp_path / "saved_model.pb").write_bytes(b"")
    with pytest.raises(ValueError, match=r"with the tag 'serve'. Received: tags \[\]"):
        lint(tmp_path)


# Rules


def copy_of(version, path, change=None):
    """A SavedModel's copy without its variables; `change` is done to its signatures."""
    saved_model = saved_model_pb2.SavedModel.FromString((version / "saved_model.pb").read_bytes())
    if change is not None:
        change(saved_model.meta_graphs[0].signature_def)
    (path / "assets.extra").mkdir(parents=True)
    (path / "saved_model.pb").write_bytes(saved_model.SerializeToString())
    (path / WARMUP_FILE).write_bytes((version / WARMUP_FILE).read_bytes())
    return path


def rename(tensors, old, new):
    tensors[new].CopyFrom(tensors.pop(old))


def only(name, change):
    """Leaves `serving_default` and one signature, which is changed."""

    def apply(signatures):
        for other in list(signatures):
            if other not in (name, "serving_default"):
                del signatures[other]
        change(signatures[name])

    return apply


def test_lint_of_exports(bases):
    (note,) = lint(bases["cgan"] / "1")
    assert (note.severity, note.signature) == ("note", "generate")
    assert "no axis 0 of any length in num_images [], seed []." in note.message
    assert str(note).startswith("note: `generate` can't be batched")
    assert lint(bases["cyclegan"] / "1") == []


ERRORS = [
    (lambda signatures: signatures.clear(), "error: has no signature"),
    (
        only("raw", lambda s: setattr(s, "method_name", "predict")),
        "error: `raw` has the method 'predict'",
    ),
    (only("raw", lambda s: s.outputs.clear()), "error: `raw` has no output"),
    (
        only("raw", lambda s: s.inputs["latents"].ClearField("name")),
        "error: `raw` has the input 'latents' that is no dense tensor with a name",
    ),
    (
        only("raw", lambda s: s.outputs["samples"].coo_sparse.SetInParent()),
        "error: `raw` has the output 'samples' that is no dense tensor",
    ),
    (
        only("raw", lambda s: rename(s.outputs, "samples", "")),
        "error: `raw` has the output '' that is no dense tensor with a name",
    ),
    *(
        (
            only("raw", lambda s, dtype=dtype: setattr(s.inputs["latents"], "dtype", dtype)),
            rf"error: `raw` has the input 'latents' of dtype {name}, which can't be sent",
        )
        for dtype, name in (
            (types_pb2.DT_RESOURCE, "resource"),
            (types_pb2.DT_VARIANT, "variant"),
            (types_pb2.DT_FLOAT_REF, "float32_ref"),
        )
    ),
]
NOTES = [
    (
        only("raw", lambda s: rename(s.outputs, "samples", "output_0")),
        "note: `raw` has names that TensorFlow made up: output_0",
    ),
    (
        only("raw", lambda s: setattr(s.inputs["latents"].tensor_shape.dim[0], "size", 1)),
        r"note: `raw` can't be batched: no axis 0 of any length in latents \[1, 6\]",
    ),
    (
        only("raw", lambda s: s.outputs["samples"].tensor_shape.ClearField("dim")),
        r"note: `raw` can't be batched: no axis 0 of any length in samples \[\]",
    ),
    (
        only("raw", lambda s: setattr(s.outputs["samples"].tensor_shape, "unknown_rank", True)),
        "note: `raw` can't be batched: no axis 0 of any length in samples of unknown rank",
    ),
    (
        only("raw", lambda s: s.inputs.clear()),
        "note: `raw` can't be batched: it has no input",
    ),
    (
        only("raw", lambda s: setattr(s.outputs["samples"], "dtype", types_pb2.DT_HALF)),
        "note: `raw` can be called over gRPC only: JSON has no samples float16",
    ),
    (
        only("sample", lambda s: rename(s.outputs, "image_bytes", "png")),
        "note: `sample` has strings that REST sends as text: png",
    ),
    (
        lambda signatures: [signatures.pop("serving_default"), signatures.pop("generate")],
        "note: has no `serving_default`",
    ),
]


@pytest.mark.parametrize("change, match", ERRORS + NOTES)
def test_lint_finds(change, match, bases, tmp_path):
    version = copy_of(bases["cgan"] / "1", tmp_path / "1", change)
    (finding,) = lint(version)
    assert re.match(match, str(finding)), str(finding)


@pytest.mark.parametrize("change, match", ERRORS)
def test_serving_refuses_what_no_request_survives(change, match, bases, tmp_path):
    copy_of(bases["cgan"] / "1", tmp_path / "model" / "1", change)
    with pytest.raises(ValueError, match=f"must hold SavedModels.*model/1: {match}"):
        serving(tmp_path / "model", tmp_path / "config")
    assert not (tmp_path / "config").exists()


def test_lint_puts_errors_first(bases, tmp_path):
    def change(signatures):
        signatures["serving_default"].method_name = ""

    version = copy_of(bases["cgan"] / "1", tmp_path / "1", change)
    assert [finding.severity for finding in lint(version)] == ["error", "note"]


def test_batching_answers_what_lint_lets_pass(bases):
    """The note on `generate` is true, and no other signature needs one."""
    plain, joined = (Servable(bases["cgan"] / "1", size) for size in (None, 8))
    scalars = {"num_images": np.array(2), "seed": np.array(7), "labels": np.array([0])}
    assert plain.predict("generate", scalars)["images"].shape == (2, *SHAPE)
    with pytest.raises(RequestError, match="must have at least one dimension"):
        joined.predict("generate", scalars)


@pytest.mark.parametrize("name", ("cgan", "cyclegan"))
def test_joined_requests_are_answered_as_alone(name, bases):
    """A batch of 1 + 4 rows, filled up to 8 by repeating the first, as TF Serving does."""
    version = bases[name] / "1"
    alone, joined = Servable(version), Servable(version, max_batch_size=8)
    by_signature = {}
    for log in records_of(version):
        request = log.predict_log.request
        by_signature.setdefault(request.model_spec.signature_name, []).append(inputs_of(request))
    for signature, requests in by_signature.items():
        answers = [alone.predict(signature, inputs) for inputs in requests]
        rows = [len(next(iter(inputs.values()))) for inputs in requests]
        assert rows == [1, 4]
        together = {key: np.concatenate([r[key] for r in requests]) for key in requests[0]}
        answer = joined.predict(signature, together)
        for key in answer:
            expected = np.concatenate([a[key] for a in answers])
            if key == "images":
                assert_same_pictures(answer[key], expected)
            elif key == "samples":
                np.testing.assert_allclose(answer[key], expected, atol=1e-4)
            else:
                files = [np.asarray(Image.open(io.BytesIO(file))) for file in answer[key]]
                pictures = np.reshape(files, answer["images"].shape)
                np.testing.assert_array_equal(pictures, answer["images"])


# Configuration


def messages_of(*messages):
    """Classes for TF Serving's text files whose protocol buffers its package leaves out.

    Args:
        *messages: pairs (name, {field: type}), the type a name of `google.protobuf` or of an
            earlier message, "bool", "string" or "int64s", for a list.
    """
    kinds = descriptor_pb2.FieldDescriptorProto
    plain = {"bool": kinds.TYPE_BOOL, "string": kinds.TYPE_STRING, "int64s": kinds.TYPE_INT64}
    file = descriptor_pb2.FileDescriptorProto(name="t.proto", package="t", syntax="proto3")
    file.dependency.append("google/protobuf/wrappers.proto")
    for name, fields in messages:
        message = file.message_type.add(name=name)
        for number, (field, kind) in enumerate(fields.items(), start=1):
            one = kinds.LABEL_REPEATED if kind == "int64s" else kinds.LABEL_OPTIONAL
            added = message.field.add(name=field, number=number, label=one)
            if kind in plain:
                added.type = plain[kind]
            else:
                added.type = kinds.TYPE_MESSAGE
                added.type_name = f".google.protobuf.{kind}" if "Value" in kind else f".t.{kind}"
    pool = descriptor_pool.DescriptorPool()
    wrappers = descriptor_pb2.FileDescriptorProto()
    wrappers_pb2.DESCRIPTOR.CopyToProto(wrappers)
    pool.Add(wrappers)
    pool.Add(file)
    return [
        message_factory.GetMessageClass(pool.FindMessageTypeByName(f"t.{name}"))
        for name, _ in messages
    ]


# The fields of session_bundle_config.proto and monitoring_config.proto; numbers play no part here.
BatchingParameters, _, MonitoringConfig = messages_of(
    (
        "BatchingParameters",
        {
            "max_batch_size": "Int64Value",
            "batch_timeout_micros": "Int64Value",
            "max_enqueued_batches": "Int64Value",
            "num_batch_threads": "Int64Value",
            "thread_pool_name": "StringValue",
            "allowed_batch_sizes": "int64s",
            "pad_variable_length_inputs": "bool",
            "enable_large_batch_splitting": "BoolValue",
            "max_execution_batch_size": "Int64Value",
        },
    ),
    ("PrometheusConfig", {"enable": "bool", "path": "string"}),
    ("MonitoringConfig", {"prometheus_config": "PrometheusConfig"}),
)


def parse(path, message):
    return text_format.Parse(path.read_text(), message)


def compose_of(path):
    """The one service of compose.yaml, with Compose's $$ undone."""
    text = (path / "compose.yaml").read_text().replace("$$", "$")
    (service,) = yaml.safe_load(text)["services"].values()
    return service


def mounts_of(path):
    """`{path in the container: path here}` of compose.yaml; all are read-only."""
    mounts = {}
    for volume in compose_of(path)["volumes"]:
        assert volume["type"] == "bind" and volume["read_only"] is True
        assert volume["bind"] == {"create_host_path": False}
        mounts[volume["target"]] = (path / volume["source"]).resolve()
    return mounts


@pytest.fixture
def config(bases, tmp_path):
    return serving(bases, tmp_path / "config", labels=LABELS, verbose=False)


def test_models_config(config, bases):
    found = parse(config / "models.config", model_server_config_pb2.ModelServerConfig())
    models = {model.name: model for model in found.model_config_list.config}
    assert set(models) == set(bases)
    for name, model in models.items():
        assert model.model_platform == "tensorflow"
        assert mounts_of(config)[model.base_path] == bases[name].resolve()
    assert dict(models["cgan"].version_labels) == {"stable": 1, "canary": 2}
    assert list(models["cgan"].model_version_policy.specific.versions) == [1, 2]
    assert not models["points"].version_labels
    assert models["points"].model_version_policy.latest.num_versions == 1


def test_labels_of_one_model(bases, tmp_path):
    path = serving(bases["cgan"], tmp_path / "config", labels={"old": 1}, verbose=False)
    found = parse(path / "models.config", model_server_config_pb2.ModelServerConfig())
    (model,) = found.model_config_list.config
    assert (model.name, model.base_path) == ("cgan", "/models/cgan")
    assert dict(model.version_labels) == {"old": 1}
    assert list(model.model_version_policy.specific.versions) == [1]


@pytest.mark.parametrize(
    "size, allowed",
    [(1, [1]), (2, [1, 2]), (48, [1, 2, 4, 8, 16, 32, 48]), (64, [1, 2, 4, 8, 16, 32, 64])],
)
def test_batching_config(size, allowed, bases, tmp_path):
    path = serving(bases, tmp_path / "config", max_batch_size=size, verbose=False)
    found = parse(path / "batching.config", BatchingParameters())
    assert found.max_batch_size.value == size
    assert list(found.allowed_batch_sizes) == allowed  # increasing, up to max_batch_size
    for name in ("batch_timeout_micros", "max_enqueued_batches", "num_batch_threads"):
        assert getattr(found, name).value > 0
    assert not found.pad_variable_length_inputs


def test_monitoring_config(config):
    found = parse(config / "monitoring.config", MonitoringConfig())
    assert found.prometheus_config.enable
    assert found.prometheus_config.path in (config / "README.md").read_text()


FLAGS = {
    "--port=8500",
    "--rest_api_port=8501",
    "--model_config_file=/config/models.config",
    "--model_config_file_poll_wait_seconds=30",
    "--monitoring_config_file=/config/monitoring.config",
    "--allow_version_labels_for_unavailable_models=true",
}
BATCHING_FLAGS = {"--enable_batching", "--batching_parameters_file=/config/batching.config"}


@pytest.mark.parametrize("batching", [True, False])
def test_compose(batching, bases, tmp_path):
    path = serving(
        bases,
        tmp_path / "config",
        batching=batching,
        rest_port=9001,
        grpc_port=9000,
        image="registry:5000/serving@sha256:ab",
        verbose=False,
    )
    service = compose_of(path)
    assert service["image"] == "registry:5000/serving@sha256:ab"
    assert service["entrypoint"] == ["tensorflow_model_server"]
    # A parameters file without --enable_batching keeps the server from starting.
    assert set(service["command"]) == (FLAGS | BATCHING_FLAGS if batching else FLAGS)
    assert set(service["ports"]) == {"127.0.0.1:9001:8501", "127.0.0.1:9000:8500"}
    mounts = mounts_of(path)
    assert mounts == {
        "/config": path.resolve(),
        **{f"/models/{name}": base.resolve() for name, base in bases.items()},
    }
    for flag in service["command"]:
        if "=/config/" in flag:
            assert (mounts["/config"] / flag.partition("=/config/")[2]).is_file()
    assert {file.name for file in path.iterdir()} == {
        "models.config",
        "monitoring.config",
        "compose.yaml",
        "README.md",
        *(["batching.config"] if batching else []),
    }
    for volume in service["volumes"]:
        assert not pathlib.Path(volume["source"]).is_absolute()


def test_the_default_image_is_pinned(config):
    assert re.fullmatch(r"tensorflow/serving:\d+\.\d+\.\d+", compose_of(config)["image"])


def test_paths_with_signs(bases, tmp_path):
    """Spaces, quotes, colons, and the sign that Compose takes for a variable."""
    base = tmp_path / "a $HOME: 'b' \"c\" #é"
    copy_of(bases["cgan"] / "1", base / "1")
    path = serving({"model": base}, tmp_path / "d $e", verbose=False)
    assert mounts_of(path)["/models/model"] == base.resolve()
    assert not re.search(r"(?<!\$)\$(?!\$)", (path / "compose.yaml").read_text().replace("$$", ""))


def health(path, port):
    """The exit status of compose.yaml's health check, with another port."""
    kind, *command = compose_of(path)["healthcheck"]["test"]
    assert kind == "CMD"
    command = [part.replace("/8501", f"/{port}") for part in command]
    return subprocess.run(command, capture_output=True, timeout=30).returncode


def test_health(bases, config, server, tmp_path):
    assert health(config, server.rest_port) == 0
    other = serving(
        {"cgan": bases["cgan"], "other": bases["points"]}, tmp_path / "other", verbose=False
    )
    assert health(other, server.rest_port) != 0  # a model that the server does not have
    assert health(config, free_port()) != 0


def test_readme(config, server):
    """It names models and notes, and its example is a request that a server answers."""
    text = (config / "README.md").read_text()
    assert "| cgan | 1, 2 | stable = 1, canary = 2 |" in text
    assert "| points | 1 | none: the newest | `generate`, `raw`" in text
    for version in (1, 2):
        assert f"- cgan/{version}: note: `generate` can't be batched" in text
    (line,) = (line for line in text.splitlines() if ":predict" in line)
    _, _, url, _, body = shlex.split(line)
    assert url == "http://127.0.0.1:8501/v1/models/cgan/labels/stable:predict"
    status, answer = ask_rest(url.replace("8501", str(server.rest_port)), body)
    assert status == 200
    assert len(answer["outputs"]["image_bytes"]) == 2


def test_readme_of_a_translator(bases, tmp_path):
    text = (serving(bases["cyclegan"], tmp_path / "c", verbose=False) / "README.md").read_text()
    assert ":predict" not in text and "## Notes" not in text


def test_serving_prints_what_it_found(bases, tmp_path, capsys):
    serving({"cgan": bases["cgan"]}, tmp_path / "config")
    printed = capsys.readouterr().out
    assert "models.config" in printed
    assert "cgan/2: note: `generate` can't be batched" in printed
    assert "cgan/1" not in printed  # without labels the newest is served alone


@pytest.mark.parametrize(
    "arguments, error, match",
    [
        ({"models": {}}, ValueError, "`models` must name at least one"),
        ({"models": {"a/b": "cgan"}}, ValueError, "`models` must have names of .*'a/b'"),
        ({"models": {"": "cgan"}}, ValueError, "`models` must have names"),
        ({"models": {"m": ""}}, ValueError, r"`models\['m'\]` must be a path"),
        ({"models": 3}, ValueError, "`models` must be a path"),
        ({"models": {"m": "nowhere"}}, FileNotFoundError, "directory of versions.*nowhere"),
        ({"models": {"m": "cgan/1"}}, FileNotFoundError, "give the directory above it"),
        ({"models": {"m": "empty"}}, FileNotFoundError, "must hold a version"),
        ({"models": {"m": "half"}}, FileNotFoundError, r"saved_model\.pb in each version.*half/2"),
        ({"models": {"m": "twice"}}, ValueError, "each version once.*twice/01.*twice/1"),
        ({"labels": {"stable": 3}}, FileNotFoundError, r"has, \[1, 2\]. Received: 'stable': 3"),
        ({"labels": {"a-b": 1}}, ValueError, "letters, digits and '_'. Received: 'a-b'"),
        ({"labels": {"stable": "1"}}, ValueError, "by integers. Received: 'stable': '1'"),
        ({"labels": {"stable": True}}, ValueError, "by integers"),
        ({"labels": ["stable"]}, ValueError, "`labels` must be a dict"),
        ({"labels": {"other": {"stable": 1}}}, ValueError, r"models \['cgan'\].*'other'"),
        (
            {"models": {"a": "cgan", "b": "cgan"}, "labels": {"stable": 1}},
            ValueError,
            "where there are several models",
        ),
        ({"batching": "yes"}, ValueError, "`batching` must be True or False"),
        ({"max_batch_size": 0}, ValueError, "`max_batch_size` must be an integer of at least 1"),
        ({"rest_port": 0}, ValueError, "`rest_port` must be an integer from 1 to 65535"),
        ({"grpc_port": 65536}, ValueError, "`grpc_port` must be .* 65536"),
        ({"grpc_port": True}, ValueError, "`grpc_port` must be .* True"),
        ({"rest_port": 8500}, ValueError, "must differ. Received: 8500"),
        ({"image": ""}, ValueError, "`image` must be the name of a Docker image"),
        ({"image": "a b"}, ValueError, "`image`.*'a b'"),
        ({"directory": ""}, ValueError, "`directory` must be a path"),
        ({"directory": "full"}, FileExistsError, "must be new or empty.*full"),
        ({"directory": "full/file"}, FileExistsError, "must be new or empty"),
        ({"directory": "full/file/config"}, OSError, "file"),
    ],
)
def test_serving_refuses(arguments, error, match, bases, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for version in ("cgan/1", "cgan/2", "half/1", "twice/1", "twice/01"):
        copy_of(bases["cgan"] / "1", tmp_path / version)
    for folder in ("empty/a", "half/2", "full"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "full" / "file").write_text("kept")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(error, match=match):
        serving(**{"models": {"cgan": "cgan"}, "directory": "config", **arguments})
    assert sorted(tmp_path.rglob("*")) == before


def test_serving_fills_an_empty_directory(bases, tmp_path):
    (tmp_path / "config").mkdir()
    path = serving(str(bases["points"]), str(tmp_path / "config"), verbose=False)
    assert path == tmp_path / "config"
    assert (path / "compose.yaml").is_file()
    with pytest.raises(FileExistsError):
        serving(bases["points"], path)


# The client


spec = importlib.util.spec_from_file_location("serving_client", CLIENT)
client = importlib.util.module_from_spec(spec)
spec.loader.exec_module(client)


def ports(server, protocol):
    port = {"rest": server.rest_port, "grpc": server.grpc_port}[protocol]
    return ["--protocol", protocol, "--port", str(port)]


def run_client(server, protocol, *arguments):
    """Paths that the client wrote."""
    return client.run(client.parse([*ports(server, protocol), *map(str, arguments)]))


def message_of(*arguments):
    """What the client says as it ends with an error."""
    with pytest.raises(SystemExit) as error:
        client.main([str(argument) for argument in arguments])
    assert str(error.value).startswith("error: ")
    return str(error.value)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def pixels(path):
    return np.asarray(Image.open(path))


def ask_rest(url, body=None):
    """(status, answer) of a REST request."""
    try:
        data = None if body is None else body.encode()
        with urllib.request.urlopen(url, data, timeout=60) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Files with pictures of both sets of the translator, and their pixels."""
    root = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(0)
    arrays = {
        "a": rng.integers(0, 256, (2, *SHAPE), "uint8"),
        "b": rng.integers(0, 256, (2, *GREY), "uint8"),
    }
    files = {name: [root / f"{name}{k}.png" for k in range(2)] for name in arrays}
    for name, array in arrays.items():
        for path, picture in zip(files[name], array, strict=True):
            Image.fromarray(picture.squeeze()).save(path)
    return files, arrays


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_sample(protocol, server, gans, tmp_path):
    paths = run_client(
        server, protocol, "--model", "cgan", "--label", "stable", "--seed", 7, "--num", 5,
        "--labels", "2,0", "--out", tmp_path / "out",
    )  # fmt: skip
    assert [path.name for path in paths] == [f"cgan_sample_{k}.png" for k in range(5)]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(
        path.name for path in paths
    )
    expected = [
        gans["cgan"].generate(1, seed=7 + k, labels=label)[0]
        for k, label in enumerate((2, 0, 2, 0, 2))
    ]
    assert_same_pictures([pixels(path) for path in paths], expected)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    "choice, gan",
    [(("--version", 1), "cgan"), (("--label", "canary"), "canary"), ((), "canary")],
)
def test_versions(protocol, choice, gan, server, gans, tmp_path):
    """Also by `generate`, whose inputs are scalars, and as one grid."""
    (path,) = run_client(
        server, protocol, "--model", "cgan", "--signature", "generate", *choice, "--num", 3,
        "--seed", 9, "--labels", "1", "--out", tmp_path / "new" / "grid.png",
    )  # fmt: skip
    made = gans[gan].generate(3, seed=9, labels=1)
    expected = np.zeros((32, 48, 3), "uint8")
    expected[:16, :24], expected[:16, 24:], expected[16:, :24] = made
    assert path == tmp_path / "new" / "grid.png"
    assert_same_pictures(pixels(path), expected)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    "signature, source, to",
    [
        ("a_to_b_png", "a", "b"),
        ("b_to_a_png", "b", "a"),
        ("serving_default", "a", "b"),
        ("b_to_a", "b", "a"),
    ],
)
def test_translation(protocol, signature, source, to, server, gans, pictures, tmp_path):
    files, arrays = pictures
    paths = run_client(
        server, protocol, "--model", "cyclegan", "--signature", signature,
        "--image", *files[source], "--out", tmp_path,
    )  # fmt: skip
    expected = gans["cyclegan"].translate(arrays[source], to=to)
    found = np.stack([pixels(path).reshape(expected.shape[1:]) for path in paths])
    assert_same_pictures(found, expected)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_numbers(protocol, server, gans, pictures, tmp_path):
    """What is no picture goes to JSON: points, and what the networks make before rounding."""
    (path,) = run_client(
        server, protocol, "--model", "points", "--signature", "generate", "--num", 4, "--seed", 3,
        "--out", tmp_path,
    )  # fmt: skip
    assert path.name == "points_generate_points.json"
    points = np.array(json.loads(path.read_text()))
    np.testing.assert_allclose(points, gans["points"].generate(4, seed=3), atol=1e-5)

    files, arrays = pictures
    (path,) = run_client(
        server, protocol, "--model", "cyclegan", "--signature", "raw_b_to_a",
        "--image", *files["b"], "--out", tmp_path,
    )  # fmt: skip
    network = gans["cyclegan"].translator("a")
    expected = network(arrays["b"].astype("float32") / 127.5 - 1)
    np.testing.assert_allclose(json.loads(path.read_text()), expected, atol=1e-5)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_latents_are_drawn_from_the_prior(protocol, server, tmp_path):
    """The same for a seed over both protocols, and others for another seed or prior."""

    def samples(*arguments):
        common = ("--model", "points", "--signature", "raw", "--num", 50, "--out", tmp_path)
        (path,) = run_client(server, protocol, *common, *arguments)
        return np.array(json.loads(path.read_text()))

    first = samples("--seed", 1)
    np.testing.assert_array_equal(samples("--seed", 1), first)
    for other in (("--seed", 2), ("--seed", 1, "--prior", "uniform")):
        assert np.abs(samples(*other) - first).max() > 0.01
    latents = np.array(client._latents([2000, 3], client.parse(["--model", "m"])))
    assert abs(latents.mean()) < 0.1 and abs(latents.std() - 1) < 0.05


def test_answers_above_four_mebibytes(server):
    """gRPC refuses them by default."""
    arguments = [*ports(server, "grpc"), "--model", "cgan", "--num", "1000", "--labels", "0"]
    args = client.parse([*arguments, "--signature", "raw"])
    asked = client.Grpc(args)
    signature = asked.signatures()["raw"]
    answer = asked.predict("raw", signature, client.make_inputs(signature[0], args))
    assert np.shape(answer["samples"]) == (1000, *SHAPE)  # of four bytes each


def test_rest_needs_nothing_but_python(server, tmp_path):
    """-S leaves the installed packages out."""
    command = [
        sys.executable, "-I", "-S", str(CLIENT), *ports(server, "rest"), "--model", "cgan",
        "--labels", "1", "--out", str(tmp_path),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert pixels(done.stdout.strip()).shape == SHAPE
    done = subprocess.run(
        [*command, "--protocol", "grpc"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert "pip install --no-deps tensorflow-serving-api" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    "arguments, words",
    [
        (("cgan", "--labels", "0,3", "--num", 2), ("`labels` must be from 0 to 2", "[0 3]")),
        (("cgan", "--labels", "-1"), ("`labels` must be from 0 to 2",)),
        (("cgan",), ("--labels must be given: 'sample' takes a class for each row",)),
        (("points", "--labels", "0"), ("--labels does not go with 'sample'",)),
        (
            ("points", "--signature", "generate", "--num", 1025),
            ("`num_images` must be from 1 to 1024", "[1025]"),
        ),
        (("nobody",), ("Servable not found for request: Latest(nobody)",)),
        (("cgan", "--version", 3), ("Servable not found for request: Specific(cgan, 3)",)),
        (("cgan", "--label", "best"), ("Unrecognized servable version label: best",)),
        (
            ("cgan", "--signature", "serve"),
            ("--signature must be one of generate, raw, sample, serving_default", "'serve'"),
        ),
        (("cyclegan",), ("--signature must be one of a_to_b, a_to_b_png",)),
        (("cyclegan", "--signature", "a_to_b_png"), ("--image must be given",)),
        (("cgan", "--labels", "0", "--image", CLIENT), ("--image does not go with 'sample'",)),
        (("cyclegan", "--signature", "a_to_b", "--image", CLIENT), ("cannot identify image",)),
    ],
)
def test_client_says_what_went_wrong(protocol, arguments, words, server, tmp_path):
    out = tmp_path / "out"
    message = message_of(*ports(server, protocol), "--out", out, "--model", *arguments)
    for word in words:
        assert word in message
    assert "[[{{" not in message  # the nodes of the graph help nobody
    assert not out.exists()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_pictures_that_do_not_fit(protocol, server, tmp_path):
    small, text, out = (tmp_path / name for name in ("small.png", "text.png", "out"))
    Image.new("RGB", (5, 4)).save(small)
    text.write_text("no picture")
    model = ("--model", "cyclegan", "--out", out, "--signature")
    for signature, path, words in (
        ("a_to_b", small, "must have 24 x 16 pixels. Received: 5 x 4"),
        ("a_to_b_png", small, "[16,24,3]"),
        ("a_to_b_png", text, "Unknown image file format"),
    ):
        arguments = (*ports(server, protocol), *model, signature, "--image", path)
        assert words in message_of(*arguments)
    assert not out.exists()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_batching_server(protocol, batching_server, tmp_path):
    """It answers `sample`, but neither scalars nor more rows than a batch has."""
    common = ("--model", "cgan", "--labels", "0", "--out", tmp_path / "out")
    paths = run_client(batching_server, protocol, *common, "--num", 5)
    assert len(paths) == 5
    for more, words in (
        (("--signature", "generate"), "must have at least one dimension"),
        (("--num", 9), "Task size 9 is larger than maximum input batch size 8"),
    ):
        with pytest.raises(client.ClientError, match=words):
            run_client(batching_server, protocol, *common, *more)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_nobody_there(protocol, tmp_path):
    where = ("--protocol", protocol, "--port", free_port(), "--model", "m", "--out", tmp_path)
    message = message_of(*where)
    assert f"server at {'http://' * (protocol == 'rest')}127.0.0.1:{where[3]}" in message
    assert "refused" in message
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_no_answer(protocol):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        where = ("--protocol", protocol, "--port", silent.getsockname()[1], "--model", "m")
        message = message_of(*where, "--timeout", 0.5)
    assert "no answer from" in message
    assert "within 0.5 s (--timeout)" in message


def test_the_other_protocols_port(server):
    for protocol, port, words in (
        ("rest", server.grpc_port, "does not speak REST"),
        ("grpc", server.rest_port, "no gRPC server at"),
    ):
        assert words in message_of("--protocol", protocol, "--port", port, "--model", "cgan")


@pytest.mark.parametrize(
    "arguments, words",
    [
        ((), "--model"),
        (("--num", "0"), "--num must be at least 1"),
        (("--seed", "-1"), "seeds from 0"),
        (("--seed", str(2**63 - 1), "--num", "2"), "seeds from 0"),
        (("--port", "0"), "--port must be from 1 to 65535"),
        (("--timeout", "0"), "--timeout must be above 0"),
        (("--timeout", "nan"), "--timeout must be above 0"),
        (("--labels", "a"), "--labels must be numbers"),
        (("--labels", ""), "--labels must be numbers"),
        (("--image", "nowhere.png"), "--image must be files. Received: 'nowhere.png'"),
        (("--version", "1", "--label", "a"), "not allowed with"),
        (("--out", str(CLIENT)), "--out must be a directory or a .png file"),
        (("--protocol", "http"), "invalid choice"),
    ],
)
def test_command_line(arguments, words, capsys):
    model = ("--model", "m") if arguments else ()
    with pytest.raises(SystemExit) as error:
        client.parse([*model, *arguments])
    assert error.value.code == 2
    assert words in capsys.readouterr().err


# Requests by hand: what servers say of them


BAD_REQUESTS = [
    ({"seeds": np.array([1.5]), "labels": [0]}, "expect int64|expected type: int64"),
    ({"seeds": np.array([[1]]), "labels": [0]}, r"not compatible with expected shape \[\?\]"),
    # The check and the network run side by side; either may be the first to fail.
    ({"seeds": np.array([1]), "labels": [0, 1]}, "one for each row|Dimension 0 in both shapes"),
    ({"seeds": np.array([-1]), "labels": [0]}, "`seeds` must be at least 0"),
    ({"seeds": np.array([1])}, "labels"),
    ({"seeds": np.array([1]), "classes": [0]}, "classes|labels"),
]


@pytest.mark.parametrize("inputs, match", BAD_REQUESTS)
def test_bad_requests(inputs, match, server):
    inputs = {name: np.asarray(value) for name, value in inputs.items()}
    body = {"signature_name": "sample", "inputs": {k: v.tolist() for k, v in inputs.items()}}
    url = f"http://127.0.0.1:{server.rest_port}/v1/models/cgan:predict"
    status, answer = ask_rest(url, json.dumps(body))
    assert status == 400
    assert re.search(match, answer["error"])

    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = "cgan", "sample"
    for name, value in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        with pytest.raises(grpc.RpcError) as error:
            stub.Predict(request, timeout=60)
        assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT
        assert re.search(match, error.value.details())


def test_unknown_signature(server):
    """Which the client does not let through."""
    url = f"http://127.0.0.1:{server.rest_port}/v1/models/cgan:predict"
    status, answer = ask_rest(url, '{"signature_name": "serve", "inputs": {"seeds": [1]}}')
    assert (status, answer["error"]) == (
        400,
        'Serving signature name: "serve" not found in signature def',
    )
    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = "cgan", "serve"
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        with pytest.raises(grpc.RpcError, match='key "serve" not found') as error:
            stub.Predict(request, timeout=60)
        assert error.value.code() == grpc.StatusCode.FAILED_PRECONDITION


def test_rows_over_rest(server):
    """REST's other form, a list of rows; not for `generate`, as `lint` says."""
    url = f"http://127.0.0.1:{server.rest_port}/v1/models/cgan:predict"
    rows = [{"seeds": 4, "labels": 1}, {"seeds": 5, "labels": 2}]
    _, by_row = ask_rest(url, json.dumps({"signature_name": "sample", "instances": rows}))
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    _, by_column = ask_rest(url, json.dumps({"signature_name": "sample", "inputs": columns}))
    assert [row["images"] for row in by_row["predictions"]] == by_column["outputs"]["images"]
    for row, picture in zip(by_row["predictions"], by_column["outputs"]["images"], strict=True):
        file = io.BytesIO(base64.b64decode(row["image_bytes"]["b64"]))
        np.testing.assert_array_equal(np.asarray(Image.open(file)), picture)

    scalars = {"num_images": 1, "seed": 0, "labels": 0}
    body = json.dumps({"signature_name": "generate", "instances": [scalars]})
    status, _ = ask_rest(url, body)
    assert status == 400


# The documentation

ROOT = CLIENT.parents[2]
PAGES = [ROOT / "docs" / "serving.md", CLIENT.with_name("README.md")]


def blocks_of(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)


def test_documentation(tmp_path, monkeypatch):
    """Its calls of `serving`, its requests and its client's commands do what they say."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "savedmodels").symlink_to(ROOT / "savedmodels")
    code = [block for page in PAGES for block in blocks_of(page, "python")]
    (configure,) = (block for block in code if "import serving\n" in block)
    (ask,) = (block for block in code if "stub.Predict" in block)
    exec(configure, {})
    config = tmp_path / "serving"
    found = parse(config / "models.config", model_server_config_pb2.ModelServerConfig())
    mounts = mounts_of(config)
    models = {m.name: mounts[m.base_path] for m in found.model_config_list.config}
    labels = {m.name: dict(m.version_labels) for m in found.model_config_list.config}
    commands = [
        shlex.split(line)
        for page in PAGES
        for block in blocks_of(page, "bash")
        for line in block.splitlines()
    ]
    curls = [command for command in commands if command[0] == "curl"]
    posts = [(command[2], command[4]) for command in curls if "-d" in command]
    gets = [command[2] for command in curls if "-d" not in command and "/v1/" in command[2]]
    clients = [command[2:] for command in commands if command[0] == "python"]
    assert (len(posts), len(gets), len(clients)) == (3, 2, 7)
    with ModelServer(models, labels) as server:
        for url, body in posts:
            status, answer = ask_rest(url.replace("8501", str(server.rest_port)), body)
            assert status == 200, answer
        for url in gets:
            assert ask_rest(url.replace("8501", str(server.rest_port)))[0] == 200
        for arguments in clients:
            protocol = "grpc" if "grpc" in arguments else "rest"
            (path, *_) = client.run(client.parse([*arguments, *ports(server, protocol)]))
            assert pixels(path).ndim in (2, 3)
        here = {}
        exec(ask.replace("127.0.0.1:8500", f"127.0.0.1:{server.grpc_port}"), here)
        pictures = [np.asarray(Image.open(io.BytesIO(file))) for file in here["files"]]
        assert np.shape(pictures) == (2, 28, 28)
