"""Samples from what training left: a run directory, a `.keras` file or an exported SavedModel."""

import sys
from pathlib import Path

import numpy as np
import tensorflow as tf

from keras_gans import sources
from keras_gans.catalogue import find_class
from keras_gans.datasets.folder import decode_to, warn_of_levels, what_was_found
from keras_gans.files import CARD, read_json
from keras_gans.picture_files import Seen, check_value_range, search
from keras_gans.registry import load_model
from keras_gans.training import kinds, ports
from keras_gans.training.ports import Port
from keras_gans.training.preset_files import load


def open_sampler(source, name="RUN_OR_MODEL"):
    """The sampler of a trained model: a run, a .keras file, a SavedModel, or a preset by any means.

    Args:
        source: name or path, as `sources.find` takes it.
        name: what errors call it.

    Raises:
        FileNotFoundError: nothing is there.
        ValueError: what is there is none of these.
    """
    found = sources.find(source, name)
    if found.form == "savedmodel":
        return SavedModelSampler(found.path)
    if found.form == "preset":
        return KerasSampler(load(found.path), found.facts)
    return KerasSampler(load_model(found.path), found.facts)


class KerasSampler:
    """Samples from a model in memory.

    Args:
        model: `AdversarialModel`.
        card: dict, the settings of its run or its card.

    Attributes:
        ports: `{name: Port}`, what it can be asked for.
        name, port: the first of them.
    """

    def __init__(self, model, card):
        self.model, self.card = model, card
        self.num_classes = self.model.num_classes
        self.class_names = self.card.get("class_names") or []
        self.ports = self.model.ports()
        self.name, self.port = next(iter(self.ports.items()))

    def ask(self, name, *inputs):
        """See `AdversarialModel.ask`."""
        return self.model.ask(name, *inputs)


class SavedModelSampler:
    """Samples from an exported model: the same ones as from the model, for the same seed.

    Args:
        path: of one version of a SavedModel.

    Attributes:
        ports: `{name: Port}`, without networks: what its card says that it can be asked for.
        name, port: the first of them.

    Raises:
        ValueError: it can't be asked for samples.
    """

    batch = 64

    def __init__(self, path):
        loaded = tf.saved_model.load(str(path))
        if "serving_default" not in loaded.signatures:
            raise ValueError(f"'{path}' must be a SavedModel with the signature `serving_default`.")
        self._loaded = loaded  # Variables live as long as the object.
        self.card = read_json(path / CARD)
        self.ports = ports_of_card(path, self.card, loaded.signatures)
        self.name, self.port = next(iter(self.ports.items()))
        self.num_classes = self.card.get("num_classes")
        self.class_names = self.card.get("class_names") or []

    def ask(self, name, *inputs):
        """What the signature of a port makes: see `AdversarialModel.ask`."""
        port = self.ports[name]
        signature = self._loaded.signatures[self._signature_of(name)]
        specs = signature.structured_input_signature[1]
        rows = {kind.name: np.asarray(v) for kind, v in zip(port.inputs, inputs, strict=True)}
        made = []
        for start in range(0, len(next(iter(rows.values()))), self.batch):
            part = {n: tf.constant(v[start : start + self.batch]) for n, v in rows.items()}
            part = {n: tf.cast(v, specs[n].dtype) for n, v in part.items()}
            made.append(_output(port.output, signature(**part)).numpy())
        made = np.concatenate(made)
        as_served = made.dtype == port.output.border_dtype
        return made if as_served else port.output.to_border(made)

    def _signature_of(self, name):
        return "serving_default" if name == self.name else name


def _output(kind, outputs):
    """The tensor of what was made, among a signature's outputs."""
    return outputs.get(kind.output_name, next(iter(outputs.values())))


def ports_of_card(path, card, signatures):
    """What a SavedModel can be asked for, `{name: Port}`, by its card; the ports have no network.

    Cards of before ports do not describe them: then it is what the signatures take.
    """
    described = card.get("ports", {})
    if described and all("inputs" in port for port in described.values()):
        return {name: ports.described(port) for name, port in described.items()}
    if card.get("directions"):
        return {n: _port_of(signatures[n], kinds.Pictures) for n in card["directions"]}
    return {"generate": _port_of_latents(path, card, signatures["serving_default"])}


def _port_of(signature, kind):
    ((name, spec),) = signature.structured_input_signature[1].items()
    return Port((kind(name, tuple(spec.shape[1:])),), None, _made_by(signature))


def _port_of_latents(path, card, signature):
    specs = signature.structured_input_signature[1]
    latents = [name for name, spec in specs.items() if spec.dtype.is_floating]
    labels = [name for name, spec in specs.items() if spec.dtype.is_integer]
    if len(latents) != 1 or len(labels) > 1:
        found = ", ".join(f"{name}: {spec.dtype.name}" for name, spec in specs.items())
        raise ValueError(
            f"'{path}' must take latents (floating-point) and at most labels (integer). "
            f"Received: inputs {found}"
        )
    shape, prior = tuple(specs[latents[0]].shape[1:]), card.get("latents") or "normal"
    inputs = [kinds.Latents(latents[0], shape, prior)]
    inputs += [kinds.Labels(name, card.get("num_classes")) for name in labels]
    return Port(tuple(inputs), None, _made_by(signature))


def _made_by(signature):
    outputs = signature.structured_outputs
    name = "images" if "images" in outputs else next(iter(outputs))
    return kinds.samples(name, tuple(outputs[name].shape[1:]))


def sample(sampler, num, seed=0, labels=None, port=None, **given):
    """Samples by the first port of a sampler, and what they were made of.

    Args:
        sampler: of `open_sampler`.
        num: how many.
        seed: integer, of the latents.
        labels: sequence of integers, classes in turn, or of rows of codes; all of them, or drawn
            ones, when `None`.
        port: which one of several that are asked together (`Port.beside`), or `None` for all.
        **given: what else the port takes, by name: arrays (n, ...), whose rows are taken in turn.

    Returns:
        The pair (list of the inputs, samples), arrays as at the border; samples are a tuple of
        arrays where there are several ports.

    Raises:
        ValueError: something is missing, or none of its kind.
    """
    rows = []
    for kind in sampler.port.inputs:
        values = labels if isinstance(kind, kinds.Labels) else given.get(kind.name)
        if isinstance(kind, kinds.Labels) and kind.num_classes is None:
            rows.append(_unknown_classes(labels, num))
            continue
        if values is None:
            rows.append(kind.to_border(kind.of_seed(num, seed)))
            continue
        values = np.asarray(values)[np.arange(num) % len(values)]
        rows.append(kind.to_border(kind.of_samples(num, values)))
    return rows, _ask_together(sampler, rows, port)


def _ask_together(sampler, rows, port=None):
    made = [sampler.ask(name, *rows) for name in ports.asked_together(sampler.ports, port)]
    return made[0] if len(made) == 1 else tuple(made)


def sample_between(sampler, seed_a, seed_b, steps, labels=None, **given):
    """Samples on the way between those of two seeds: see `AdversarialModel.interpolate`.

    Args:
        sampler: of `open_sampler`.
        seed_a, seed_b, steps: see `AdversarialModel.interpolate`.
        labels: sequence of integers or of rows of codes, the first of which is that of all.
        **given: see `sample`; the first row of each is that of all.

    Returns:
        Array (steps, ...), as at the border; a tuple of them where several ports are asked
        together.

    Raises:
        ValueError: something is missing, none of its kind, or the model has no latents.
    """
    port = sampler.port
    if not port.takes_latents:
        raise ValueError(
            f"--interpolate is for models with latents. Received: one that makes "
            f"{port.output.noun} out of {port.takes}"
        )
    if steps < 2:
        raise ValueError(f"--num must be at least 2 with --interpolate. Received: {steps}")
    label = None if labels is None else labels[0]
    if label is None and any(
        isinstance(k, kinds.Labels) and not k.num_classes for k in port.inputs
    ):
        _unknown_classes(None, steps)
    first = {name: values[0] for name, values in given.items()}
    rows = port.rows_between(seed_a, seed_b, steps, label, **first)
    rows = [kind.to_border(row) for kind, row in zip(port.inputs, rows, strict=True)]
    return _ask_together(sampler, rows)


def _unknown_classes(labels, num):
    if labels is None:
        raise ValueError(
            "--labels must be given for this SavedModel: it takes labels, and has no card "
            f"({CARD}) that says how many classes there are."
        )
    return np.asarray(labels)[np.arange(num) % len(labels)]


OPTIONS = {"text": "--texts", "pictures": "--pictures", "masks": "--masks"}  # by `Kind.noun`


def read_given(sampler, source, options, value_range=None):
    """What the first port takes beside latents and labels, as the options of a command say.

    Args:
        sampler: of `open_sampler`.
        source: what the user calls the model, for errors.
        options: `{noun of a kind: list of str}`: what was typed, or names of files or folders;
            empty where nothing was. See `OPTIONS`.
        value_range: pair of numbers, the levels that become black and white in pictures of more
            than 8 bits, or None for the run's, or all of them.

    Returns:
        `{name: array (n, ...)}`, as at the border.

    Raises:
        ValueError: something is missing, not taken, or not what the kind can read.
    """
    port = sampler.port
    wanted = {kind.noun: kind for kind in port.inputs if not kind.from_seed}
    if value_range is not None and not any(kind.pictured for kind in wanted.values()):
        raise ValueError(
            f"--value-range is for models that take pictures; '{source}' makes {port.output.noun} "
            f"out of {port.takes}. Received: {value_range}"
        )
    value_range = check_value_range(value_range) or sampler.card.get("value_range")
    for noun, values in options.items():
        if values and noun not in wanted:
            raise ValueError(
                f"{OPTIONS[noun]} is for models that take {noun}; '{source}' makes "
                f"{port.output.noun} out of {port.takes}. Received: '{values[0]}'"
            )
    given = {}
    for noun, kind in wanted.items():
        if noun not in OPTIONS or sum(kind.noun == noun for kind in port.inputs) > 1:
            raise ValueError(
                f"RUN_OR_MODEL must take at most one each of {', '.join(OPTIONS)}, beside latents "
                f"and labels; use `gan.ask('{sampler.name}', ...)` in Python. "
                f"Received: '{source}', which takes {port.takes}"
            )
        if not options.get(noun):
            raise ValueError(
                f"{OPTIONS[noun]} must be given: '{source}' makes {port.output.noun} out of "
                f"{port.takes}. Received: none"
            )
        try:
            rows = list(_read(kind, options[noun], value_range))
        except ValueError as error:
            raise ValueError(f"{OPTIONS[noun]}: {error}") from error
        if not rows:
            raise ValueError(
                f"{OPTIONS[noun]} must hold at least one of {noun}. Received: '{options[noun][0]}'"
            )
        given[kind.name] = np.stack(rows)
    return given


def _read(kind, values, value_range):
    """Examples of a kind, of what was typed or of the files that were named."""
    seen = Seen()
    for value in values:
        path = Path(value)
        if kind.pictured:
            *size, channels = kind.shape
            size = None if None in size else tuple(size)
            for file in pictures_in(path) if path.is_dir() else [path]:
                yield kind.from_file(decode_to(file, size, channels, value_range, seen))
        else:
            lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else [value]
            yield from (kind.parse(line) for line in lines if line.strip())
    if value_range is None:
        warn_of_levels(", ".join(values), seen)


def pictures_in(folder):
    """The paths of a folder's pictures, of which a line on stderr says what was left out."""
    found = search(folder)
    print(what_was_found(folder, found, len(found.paths)), file=sys.stderr, flush=True)
    return found.paths


def parse_labels(text, sampler, source):
    """The classes that `--labels` names, or None."""
    if text is None:
        return None
    if not any(isinstance(kind, kinds.Labels) for kind in sampler.port.inputs):
        raise ValueError(f"--labels is for label-conditional models, which '{source}' is not.")
    codes = next(k for k in sampler.port.inputs if isinstance(k, kinds.Labels))
    if isinstance(codes, kinds.Codes):
        return [_parse_codes(codes, part) for part in text.split(",")]
    known = sampler.num_classes, sampler.class_names
    whole = text in sampler.class_names  # a name may have commas
    parts = [text] if whole else [part.strip() for part in text.split(",")]
    return [find_class("--labels", part, *known) for part in parts]


def _parse_codes(kind, text):
    """The codes of one sample, with spaces between."""
    try:
        return kind.parse(text)
    except ValueError as error:
        raise ValueError(f"--labels: {error}") from error
