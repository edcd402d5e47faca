"""The card of an exported model: what it is, what it was made from, and what it takes."""

import dataclasses
import hashlib
import json
import math
import numbers
import os

import keras
import numpy as np
import tensorflow as tf
from keras.optimizers.schedules import LearningRateSchedule

from keras_gans.catalogue import class_in_words
from keras_gans.devices.progress import steps_taken
from keras_gans.export.signatures import is_batchable, networks_of
from keras_gans.networks import Features
from keras_gans.training.kinds import Labels
from keras_gans.training.ports import main_port
from keras_gans.versions import versions


def make_card(gan, signatures, facts=None, metrics=None):
    """The card as a dict for JSON.

    Args:
        gan: `AdversarialModel` that is exported.
        signatures: `{name: tf.function}` of `signatures.build_signatures`.
        facts: dict of what the model does not know: `name`, `dataset`, `dataset_license`,
            `class_names`, ... They stand in the card under their names.
        metrics: list of dicts with `name`, `value` and `protocol`, how it was measured.

    Returns:
        dict.

    Raises:
        ValueError: a metric has no protocol or no finite value, or JSON has no form for a fact.
    """
    from_seeds = main_port(gan).takes_latents
    name = type(gan).__name__
    # A class that is derived from a paper's is no longer that paper's.
    declared = vars(type(gan)).get("paper")
    paper = {} if declared is None else dataclasses.asdict(declared)
    return {
        "model": name,
        **paper,
        **_checked_facts(facts),
        "num_classes": gan.num_classes,
        "learns_classes": any(isinstance(part, Labels) for part in gan.data_spec()),
        "sample_shape": list(gan.sampler.output_shape[1:]),
        "latents": gan.latent_prior,
        "latent_shape": list(gan.latent_shape) if from_seeds else None,
        **({} if from_seeds else {"directions": list(gan.ports())}),
        "seed": gan.seed,
        "ema_decay": _plain(gan.ema_decay),
        "preset": gan.preset,
        "steps_taken": steps_taken(gan),
        "minibatches_per_step": gan.minibatches_per_step,
        "settings": _plain_settings(gan),
        "optimizers": _optimizers(gan),
        "metrics": _checked_metrics(metrics),
        "ports": {name: _describe_port(port) for name, port in gan.ports().items()},
        "signatures": {name: _describe(function) for name, function in signatures.items()},
        "parameters": _parameters(gan),
        "weights_sha256": weights_sha256(gan),
        "versions": versions(),
    }


def _parameters(gan):
    """The parameters of what makes samples; those of layers that several networks have, once."""
    weights = {id(w): w for network in networks_of(gan).values() for w in network.weights}
    return sum(math.prod(weight.shape) for weight in weights.values())


def weights_sha256(gan):
    """SHA-256 of the weights of what makes samples: shapes, types and values, in their order."""
    return _sha256([w for network in networks_of(gan).values() for w in network.weights])


def _sha256(weights):
    digest = hashlib.sha256()
    for weight in weights:
        values = np.asarray(weight)
        digest.update(repr((values.shape, values.dtype.name)).encode())
        digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()


def _describe_port(port):
    """What a port takes and makes, and which network does it."""
    return {
        "takes": [kind.noun for kind in port.inputs],
        "makes": port.output.noun,
        **port.describe(),
        "parameters": port.network.count_params(),
        "weights_sha256": _sha256(port.network.weights),
    }


def card_page(card):
    """The card in Markdown."""
    lines = [f"# {card.get('name') or card['model']}", ""]
    if card.get("title"):
        known = ", ".join(str(card[n]) for n in ("title", "authors", "year") if card.get(n))
        number = card.get("arxiv")
        link = f" ([arXiv:{number}](https://arxiv.org/abs/{number}))" if number else ""
        lines += [f"{card['model']}: {known}{link}.\n"]
    rows = [f"| {name} | {_cell(value)} |" for name, value in _rows(card)]
    lines += ["| | |", "|---|---|", *rows, ""]
    lines += ["## Signatures", "", "| name | takes | gives | requests can be joined |"]
    lines += ["|---|---|---|---|"]
    for name, signature in card["signatures"].items():
        taken, given = (_tensors(signature[part]) for part in ("inputs", "outputs"))
        joined = "yes" if signature["batchable"] else "no"
        lines.append(f"| `{name}` | {taken} | {given} | {joined} |")
    lines += ["", "## Metrics", ""]
    if card["metrics"]:
        lines += ["| metric | value | protocol |", "|---|---|---|"]
        for m in card["metrics"]:
            cells = (_cell(m["name"]), f"{m['value']:.4g}", _cell(m["protocol"]))
            lines.append(f"| {' | '.join(cells)} |")
    else:
        lines.append("None measured.")
    made_with = ", ".join(f"{name} {number}" for name, number in card["versions"].items())
    lines += ["", f"Made with {made_with}. SHA-256 of the weights: `{card['weights_sha256']}`.", ""]
    return "\n".join(lines)


def _rows(card):
    """What the page's first table says."""
    sets = [card[name] for name in ("dataset", "dataset_b") if card.get(name)]
    yield "data", " and ".join(map(str, sets)) or "not said"
    yield "licence of the data", card.get("dataset_license") or "not said"
    if card.get("num_examples"):
        yield "examples", _grouped(card["num_examples"])
    yield "samples", " × ".join("any" if n is None else str(n) for n in card["sample_shape"])
    if card["latents"]:
        prior = {"normal": "N(0, 1)", "uniform": "U(-1, 1)"}[card["latents"]]
        yield "latents", f"{' × '.join(map(str, card['latent_shape']))} from {prior}"
    if isinstance(card.get("class_names"), list):
        names = card["class_names"]
        yield "classes", ", ".join(class_in_words(i, names) for i in range(len(names)))
    elif card["num_classes"]:
        yield "classes", str(card["num_classes"])
    batch = f" of {card['batch_size']} examples" if card.get("batch_size") else ""
    since = f", after those of {card['preset']}" if card["preset"] else ""
    yield "steps", f"{card['steps_taken']:,}{batch}{since}"
    yield "seed", str(card["seed"])
    if card["ema_decay"]:
        yield "averaged weights", f"decay {_call(card['ema_decay'])} a step"
    for name, value in card["settings"].items():
        yield f"`{name}`", _call(value)
    for player, settings in card["optimizers"].items():
        yield f"optimizer of the {player}", _call(settings)
    yield "parameters", f"{card['parameters']:,}"


def _call(settings):
    """Adam(learning_rate=0.0002, beta_1=0.5); of what has no class, the value."""
    if not isinstance(settings, dict):
        return str(settings)
    given = {name: value for name, value in settings.items() if name != "class"}
    parts = (f"{n}={_call(v)}" for n, v in given.items())
    return f"{settings.get('class', '')}({', '.join(parts)})"


def _cell(value):
    """A value within a table."""
    return " ".join(str(value).split()).replace("|", "\\|")


def _grouped(number):
    return f"{number:,}" if isinstance(number, int) else str(number)


def _tensors(tensors):
    """`latents` float32 (batch, 64), ..."""
    return ", ".join(
        f"`{name}` {t['dtype']} ({', '.join('n' if n is None else str(n) for n in t['shape'])})"
        for name, t in tensors.items()
    )


def _describe(function):
    concrete = function.get_concrete_function()
    return {
        "inputs": {spec.name: _describe_spec(spec) for spec in function.input_signature},
        "outputs": {n: _describe_spec(t) for n, t in concrete.structured_outputs.items()},
        "batchable": is_batchable(function),
    }


def _describe_spec(spec):
    return {"dtype": spec.dtype.name, "shape": spec.shape.as_list()}


def _plain_settings(gan):
    """The numbers, words, schedules and features that the constructor takes; no networks."""
    known = {"name", "seed", "ema_decay", "num_classes", *gan.network_names}
    config = {name: value for name, value in _config_of(gan).items() if name not in known}
    described = {
        name: getattr(gan, name).describe()
        for name in config
        if isinstance(getattr(gan, name, None), Features)
    }
    return described | {
        name: _plain(value)
        for name, value in config.items()
        if _is_plain(value) or isinstance(getattr(gan, name, None), LearningRateSchedule)
    }


def _optimizers(gan):
    """Class and settings of each player's optimizer."""
    if not gan.compiled:
        return {}
    optimizers = {player: gan.optimizer_of(player) for player in gan.players}
    return {
        player: _described(type(optimizer).__name__, _config_of(optimizer))
        for player, optimizer in optimizers.items()
    }


def _described(name, config):
    """Class and settings of an optimizer or schedule; what is off, or only a name, is left out."""
    return {
        "class": name,
        **{
            setting: _plain(value)
            for setting, value in config.items()
            if setting not in ("name", "loss_scale_factor", "gradient_accumulation_steps")
            and value is not None
            and value is not False
            and not (setting.startswith("ema_") and not config.get("use_ema"))
        },
    }


def _config_of(thing):
    """The settings of a model or an optimizer; none where it has parts that can't tell theirs.

    A SavedModel needs none of them, so that models can be exported that Keras can't save.
    """
    try:
        return thing.get_config()
    except Exception:
        return {}


def _is_plain(value):
    return value is None or isinstance(value, str | numbers.Number)


def _plain(value):
    """A setting in JSON's types, as the user wrote it; in words where there is none."""
    if isinstance(value, LearningRateSchedule):
        value = keras.saving.serialize_keras_object(value)
    if isinstance(value, dict):
        kind, config = value.get("class_name"), value.get("config")
        if isinstance(kind, str) and "config" in value:  # an object as Keras writes it
            of_object = isinstance(config, dict) and not kind.startswith("__")
            return _described(kind, config) if of_object else f"a function ({kind.strip('_')})"
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if tf.is_tensor(value) or isinstance(value, np.ndarray | np.generic):
        return _plain(np.asarray(value).tolist())
    if value is None or isinstance(value, bool | str | int):
        return value
    if isinstance(value, numbers.Real) and math.isfinite(value):
        # A rate that is a float32 variable is 0.00019999999494757503 where the user wrote 2e-4.
        with np.errstate(over="ignore"):
            short = np.float32(value)
        return float(str(short)) if float(short) == value else float(value)
    return getattr(value, "__name__", None) or str(value)


def _checked_facts(facts):
    if facts is None:
        return {}
    if not isinstance(facts, dict) or not all(isinstance(name, str) for name in facts):
        raise ValueError(f"`facts` must be a dict of values by name. Received: {facts!r}")
    return {name: _checked_fact(name, value) for name, value in facts.items()}


def _checked_fact(name, value):
    """A fact in JSON's types, numpy's and paths among them."""

    def plain(value):
        if isinstance(value, os.PathLike):
            return os.fspath(value)
        if tf.is_tensor(value) or isinstance(value, np.ndarray | np.generic):
            return np.asarray(value).tolist()
        raise TypeError(f"JSON has no {type(value).__name__}")

    try:
        text = json.dumps(value, allow_nan=False, default=plain, ensure_ascii=False)
        return json.loads(text.encode())
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"`facts` must have values that JSON can hold. Received: {name!r}: {value!r} ({error})"
        ) from error


def _checked_metrics(metrics):
    metrics = [] if metrics is None else metrics
    if not isinstance(metrics, list | tuple):
        raise ValueError(f"`metrics` must be a list of dicts. Received: {metrics!r}")
    for metric in metrics:
        if not isinstance(metric, dict) or not {"name", "value", "protocol"} <= set(metric):
            raise ValueError(
                "`metrics` must be dicts with `name`, `value` and `protocol`, how it was "
                f"measured. Received: {metric!r}"
            )
        value = np.asarray(metric["value"])
        if value.ndim or value.dtype.kind not in "fiu" or not np.isfinite(value):
            raise ValueError(f"`metrics` must have finite numbers for values. Received: {metric!r}")
    return [_checked_fact("metrics", {**m, "value": float(m["value"])}) for m in metrics]
