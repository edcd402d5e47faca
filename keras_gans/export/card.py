"""The card of an exported model: what it is, what it was made from, and what it takes."""

import hashlib
import numbers
import platform
from importlib.metadata import version

import numpy as np
from keras import tree

from keras_gans.callbacks._support import steps_taken
from keras_gans.export.signatures import is_batchable, networks_of
from keras_gans.translation import Translator

CARD = "card.json"
PAGE = "README.md"


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
        ValueError: a metric has no protocol.
    """
    import keras_gans
    from keras_gans import registry

    translates = isinstance(gan, Translator)
    entry = registry.MODELS.get(type(gan).__name__)
    paper = {n: getattr(entry, n) for n in ("title", "authors", "year", "arxiv") if entry}
    return {
        "model": type(gan).__name__,
        **paper,
        **(facts or {}),
        "num_classes": gan.num_classes,
        "sample_shape": list(gan.sampler.output_shape[1:]),
        "latents": gan.latent_prior,
        "latent_shape": None if translates else list(gan.latent_shape),
        **({"directions": list(gan.directions())} if translates else {}),
        "seed": gan.seed,
        "ema_decay": gan.ema_decay,
        "steps_taken": steps_taken(gan),
        "minibatches_per_step": gan.minibatches_per_step,
        "settings": _plain_settings(gan),
        "optimizers": _optimizers(gan),
        "metrics": _checked_metrics(metrics),
        "signatures": {name: _describe(function) for name, function in signatures.items()},
        "parameters": sum(network.count_params() for network in networks_of(gan).values()),
        "weights_sha256": weights_sha256(gan),
        "versions": {
            "keras_gans": keras_gans.__version__,
            "python": platform.python_version(),
            **{package: version(package) for package in ("keras", "tensorflow", "numpy")},
        },
    }


def weights_sha256(gan):
    """SHA-256 of the exported networks' weights: shapes, types and values, in their order."""
    digest = hashlib.sha256()
    for network in networks_of(gan).values():
        for weight in network.weights:
            values = np.asarray(weight)
            digest.update(repr((values.shape, values.dtype.name)).encode())
            digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()


def card_page(card):
    """The card in Markdown."""
    lines = [f"# {card.get('name') or card['model']}", ""]
    if card.get("title"):
        link = f"[arXiv:{card['arxiv']}](https://arxiv.org/abs/{card['arxiv']})"
        lines += [
            f"{card['model']}: {card['title']}, {card['authors']}, {card['year']} ({link}).\n"
        ]
    lines += ["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in _rows(card)), ""]
    lines += ["## Signatures", "", "| name | takes | gives | requests can be joined |"]
    lines += ["|---|---|---|---|"]
    for name, signature in card["signatures"].items():
        taken, given = (_tensors(signature[part]) for part in ("inputs", "outputs"))
        joined = "yes" if signature["batchable"] else "no"
        lines.append(f"| `{name}` | {taken} | {given} | {joined} |")
    lines += ["", "## Metrics", ""]
    if card["metrics"]:
        lines += ["| metric | value | protocol |", "|---|---|---|"]
        lines += [f"| {m['name']} | {m['value']:.4g} | {m['protocol']} |" for m in card["metrics"]]
    else:
        lines.append("None measured.")
    versions = ", ".join(f"{name} {number}" for name, number in card["versions"].items())
    lines += ["", f"Made with {versions}. SHA-256 of the weights: `{card['weights_sha256']}`.", ""]
    return "\n".join(lines)


def _rows(card):
    """What the page's first table says."""
    yield "data", card.get("dataset") or "not said"
    yield "licence of the data", card.get("dataset_license") or "not said"
    if card.get("num_examples"):
        yield "examples", f"{card['num_examples']:,}"
    yield "samples", " × ".join("any" if n is None else str(n) for n in card["sample_shape"])
    if card["latents"]:
        prior = {"normal": "N(0, 1)", "uniform": "U(-1, 1)"}[card["latents"]]
        yield "latents", f"{' × '.join(map(str, card['latent_shape']))} from {prior}"
    if card.get("class_names"):
        yield "classes", ", ".join(f"{i} {name}" for i, name in enumerate(card["class_names"]))
    elif card["num_classes"]:
        yield "classes", str(card["num_classes"])
    batch = f" of {card['batch_size']} examples" if card.get("batch_size") else ""
    yield "steps", f"{card['steps_taken']:,}{batch}"
    yield "seed", str(card["seed"])
    if card["ema_decay"]:
        yield "averaged weights", f"decay {card['ema_decay']} a step"
    for name, value in card["settings"].items():
        yield f"`{name}`", str(value)
    for player, settings in card["optimizers"].items():
        yield f"optimizer of the {player}", _call(settings)
    yield "parameters", f"{card['parameters']:,}"


def _call(settings):
    """Adam(learning_rate=0.0002, beta_1=0.5)"""
    given = {name: value for name, value in settings.items() if name not in ("class", "name")}
    parts = (f"{n}={_call(v) if isinstance(v, dict) else v}" for n, v in given.items())
    return f"{settings['class']}({', '.join(parts)})"


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
    """The numbers and words that the model's constructor takes, without its networks."""
    known = {"name", "seed", "ema_decay", "num_classes", *gan.network_names}
    return {n: v for n, v in gan.get_config().items() if n not in known and _is_plain(v)}


def _optimizers(gan):
    """Class and settings of each player's optimizer; those that are off are left out."""
    if not gan.compiled:
        return {}
    return {
        player: {
            "class": type(gan.optimizer_of(player)).__name__,
            **{
                name: _rounded(value)
                for name, value in gan.optimizer_of(player).get_config().items()
                if name not in ("name", "loss_scale_factor", "gradient_accumulation_steps")
                and value not in (None, False)
                and not (name.startswith("ema_") and not gan.optimizer_of(player).use_ema)
            },
        }
        for player in gan.players
    }


def _rounded(value):
    """Settings as the user wrote them: float32 makes 2e-4 out of a rate that is a variable."""
    if isinstance(value, dict):  # a schedule
        config = tree.map_structure(_rounded, value.get("config", {}))
        return {"class": value.get("class_name"), **config}
    is_float = isinstance(value, numbers.Real) and not isinstance(value, numbers.Integral)
    return float(f"{value:.6g}") if is_float else value


def _is_plain(value):
    return value is None or isinstance(value, str | numbers.Number)


def _checked_metrics(metrics):
    metrics = list(metrics or [])
    for metric in metrics:
        if not isinstance(metric, dict) or not {"name", "value", "protocol"} <= set(metric):
            raise ValueError(
                "`metrics` must be dicts with `name`, `value` and `protocol`, how it was "
                f"measured. Received: {metric!r}"
            )
    return metrics
