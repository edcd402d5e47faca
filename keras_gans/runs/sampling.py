"""Samples from what training left: a run directory, a `.keras` file or an exported SavedModel."""

import numpy as np
import tensorflow as tf

from keras_gans.devices.randomness import PRIORS
from keras_gans.files import CARD, newest_version, read_json
from keras_gans.images import to_uint8
from keras_gans.registry import load_model
from keras_gans.run_settings import SETTINGS
from keras_gans.training import kinds
from keras_gans.training.kinds import Pictures


def open_sampler(source):
    """The sampler of a run directory, a .keras file, a SavedModel or a directory of its versions.

    Raises:
        FileNotFoundError: nothing is there.
        ValueError: what is there is none of these.
    """
    wanted = (
        "RUN_OR_MODEL must be a run directory of `keras-gans train`, a .keras file, or a "
        f"SavedModel directory. Received: '{source}'"
    )
    if not source.exists():
        raise FileNotFoundError(f"{wanted}, which does not exist.")
    if source.is_file():
        if source.suffix != ".keras":
            raise ValueError(f"{wanted}, a file that does not end in '.keras'.")
        return KerasSampler(source)
    if (source / "saved_model.pb").is_file():
        return SavedModelSampler(source)
    if newest_version(source):
        return SavedModelSampler(newest_version(source))
    if (source / "model.keras").is_file():
        return KerasSampler(source / "model.keras", read_json(source / SETTINGS))
    if (source / SETTINGS).is_file():
        raise ValueError(f"{wanted}, a run that has no model.keras yet.")
    raise ValueError(f"{wanted}, a directory with neither model.keras nor saved_model.pb.")


class KerasSampler:
    """Samples from a model that `save` wrote."""

    def __init__(self, path, settings=None):
        self.model = load_model(path)
        self.num_classes = self.model.num_classes
        self.card = settings or {}
        self.class_names = self.card.get("class_names") or []
        self.pictures = isinstance(self.model.sample_kind(), Pictures)

    def generate(self, num, seed, labels):
        given = {} if labels is None else {"labels": labels}
        return self.model.generate(num, seed=seed, **given)


class SavedModelSampler:
    """Samples from an exported generator: the same ones as from the model, for the same seed."""

    batch = 64

    def __init__(self, path):
        loaded = tf.saved_model.load(str(path))
        if "serving_default" not in loaded.signatures:
            raise ValueError(f"'{path}' must be a SavedModel with the signature `serving_default`.")
        signature = loaded.signatures["serving_default"]
        self._loaded, self._signature = loaded, signature  # Variables live as long as the object.
        self.card = read_json(path / CARD)
        self._prior = self.card.get("latents", "normal")
        if self._prior is None:
            names = ", ".join(f"`{name}`" for name in self.card["directions"])
            raise ValueError(
                f"'{path}' makes pictures out of pictures, not out of latents: call its signatures "
                f"{names} with uint8 pictures."
            )
        first = next(iter(self.card.get("ports", {}).values()), {})
        if not {"latents", "labels"}.issuperset(first.get("takes", ())):
            raise ValueError(
                f"'{path}' makes samples out of {' and '.join(first['takes'])}, not out of latents "
                "alone: call its signatures."
            )
        specs = signature.structured_input_signature[1]
        self._latents = [name for name, spec in specs.items() if spec.dtype.is_floating]
        self._labels = [name for name, spec in specs.items() if spec.dtype.is_integer]
        if len(self._latents) != 1 or len(self._labels) > 1:
            found = ", ".join(f"{name}: {spec.dtype.name}" for name, spec in specs.items())
            raise ValueError(
                f"'{path}' must take latents (floating-point) and at most labels (integer). "
                f"Received: inputs {found}"
            )
        self._latent_shape = tuple(specs[self._latents[0]].shape[1:])
        outputs = signature.structured_outputs
        self._output = "images" if "images" in outputs else next(iter(outputs))
        self.sample_shape = tuple(outputs[self._output].shape[1:])
        self.pictures = isinstance(kinds.samples(self._output, self.sample_shape), Pictures)
        self.num_classes = self.card.get("num_classes")
        self.class_names = self.card.get("class_names") or []
        self._dtypes = {name: spec.dtype for name, spec in specs.items()}

    def generate(self, num, seed, labels):
        inputs = {self._latents[0]: PRIORS[self._prior]((num, *self._latent_shape), (seed, -1))}
        for name in self._labels:
            if labels is None and not self.num_classes:
                raise ValueError(
                    "--labels must be given for this SavedModel: it takes labels, and has no card "
                    f"({CARD}) that says how many classes there are."
                )
            labels = np.arange(num) % self.num_classes if labels is None else labels
            inputs[name] = tf.constant(labels, self._dtypes[name])
        samples = []
        for start in range(0, num, self.batch):
            rows = {name: values[start : start + self.batch] for name, values in inputs.items()}
            samples.append(self._signature(**rows)[self._output].numpy())
        samples = np.concatenate(samples)
        return samples if samples.dtype == np.uint8 or not self.pictures else to_uint8(samples)


def parse_labels(text, sampler, source):
    """The classes that `--labels` names, or None."""
    if text is None:
        return None
    takes_labels = sampler.num_classes or getattr(sampler, "_labels", None)
    if not takes_labels:
        raise ValueError(f"--labels is for label-conditional models, which '{source}' is not.")
    names = {name.lower(): index for index, name in enumerate(sampler.class_names)}
    classes = []
    for part in (part.strip() for part in text.split(",")):
        label = int(part) if part.isdecimal() else names.get(part.lower())
        if label is None or (sampler.num_classes and label >= sampler.num_classes):
            rule = (
                f"numbers from 0 to {sampler.num_classes - 1}" if sampler.num_classes else "numbers"
            )
            known = f" or names ({', '.join(sampler.class_names)})" if names else ""
            raise ValueError(f"--labels must be {rule}{known}. Received: '{part}'.")
        classes.append(label)
    return classes
