"""What `keras-gans evaluate` reads: a trained model, the reals, an extractor."""

import dataclasses
import functools
import os
from typing import Any

from keras_gans import datasets, papers
from keras_gans.checks import check_member
from keras_gans.cli.parts import EXTRACTORS
from keras_gans.metrics._by_name import FASHION, OF_PAIRS
from keras_gans.metrics.evaluation import takes_labels
from keras_gans.metrics.fashion import fashion_mnist_classifier
from keras_gans.metrics.inception import Inception2015, InceptionV3
from keras_gans.picture_files import find
from keras_gans.runs.sampling import KerasSampler, open_sampler, sample
from keras_gans.training.kinds import Labels, samples
from keras_gans.training.ports import makes_from_latents

SPLITS = "trainA,trainB"  # of TFDS's sets for translation


@dataclasses.dataclass
class Opened:
    """A trained model as `metrics.evaluate` takes it.

    Attributes:
        model: it.
        card: dict, the settings of its run or the card of its SavedModel.
        shape: of one sample; parts may be None.
        labelled: whether samples are made of the labels of data.
        source_shape: of a picture that is translated, or None for models with latents.
        backwards: whether it translates from the second set to the first.
        classify: function of uint8 pictures, or points, that returns their classes, of models that
            have learned those of data; else None.
    """

    model: Any
    card: dict
    shape: tuple
    labelled: bool = False
    source_shape: tuple | None = None
    backwards: bool = False
    classify: Any = None


def open_model(source, direction=None):
    """`Opened`, of a run, a .keras file, a SavedModel or a preset, by name or path."""
    sampler = open_sampler(source)
    if isinstance(sampler, KerasSampler):
        return of_model(sampler.model, sampler.card, direction)
    return of_saved(sampler, source, direction)


def of_model(gan, card, direction):
    """`Opened`, of a model in memory."""
    ports = gan.ports()
    if makes_from_latents(gan):
        check_no_direction(type(gan).__name__, direction)
        learned = any(isinstance(part, Labels) for part in gan.data_spec())
        learned = learned and "classify" in ports
        classify = functools.partial(gan.ask, "classify") if learned else None
        shape = tuple(gan.sampler.output_shape[1:])
        return Opened(gan, card, shape, takes_labels(gan), classify=classify)
    direction = next(iter(ports)) if direction is None else direction
    check_member("direction", direction, ports)
    check_translates(ports[direction], f"{direction!r} of {type(gan).__name__}")
    return _translator(functools.partial(gan.ask, direction), card, direction, ports[direction])


class SavedGenerator:
    """A SavedModel with latents.

    Args:
        sampler: `SavedModelSampler`.
    """

    def __init__(self, sampler):
        known = papers.listed().get(sampler.card.get("model"))
        # Categories that a model finds by itself (InfoGAN) are not the classes of the data.
        labelled = known is None or known.recipe.labelled
        self.sampler, self.num_classes = sampler, sampler.num_classes if labelled else None

    def generate(self, num, seed, labels=None):
        return sample(self.sampler, num, seed, labels)[1]


def of_saved(sampler, source, direction):
    """`Opened`, of a SavedModel."""
    if sampler.port.from_latents:
        check_no_direction(source, direction)
        model, known = SavedGenerator(sampler), papers.listed().get(sampler.card.get("model"))
        shape = sampler.port.output.shape
        learned = known is not None and known.recipe.has_classes and "classify" in sampler.ports
        classify = functools.partial(sampler.ask, "classify") if learned else None
        labelled = model.num_classes is not None
        return Opened(model, sampler.card, shape, labelled, classify=classify)
    direction = sampler.name if direction is None else direction
    check_member("direction", direction, sampler.ports)
    port = sampler.ports[direction]
    check_translates(port, f"{direction!r} of '{source}'")
    return _translator(functools.partial(sampler.ask, direction), sampler.card, direction, port)


def _translator(translate, card, direction, port):
    (given,) = port.inputs
    backwards = direction == "b_to_a"
    return Opened(translate, card, port.output.shape, False, given.shape, backwards)


def check_translates(port, name):
    """Raises ValueError unless a port makes samples out of others, which evaluations give it."""
    if not port.translates:
        raise ValueError(
            "RUN_OR_MODEL must make samples out of a seed, or out of pictures alone. "
            f"Received: {name}, which makes {port.output.noun} out of {port.takes}"
        )


def check_no_direction(name, direction):
    if direction is not None:
        raise ValueError(
            f"--direction is for models that make pictures out of pictures, which {name} does not. "
            f"Received: '{direction}'."
        )


def load_reals(
    opened, dataset, dataset_b, split, data_dir, image_size, value_range=None, on_unreadable=None
):
    """The names of the sets, the reals, and the pictures that a translator is given, or None."""
    given = {"data_dir": data_dir, "value_range": value_range, "on_unreadable": on_unreadable}

    def like(name, split, shape, labelled=False):
        options = as_trained(opened.card, name, given)
        return load_like(name, split, shape, image_size, labelled, options)

    if opened.source_shape is None:
        if dataset_b is not None:
            raise ValueError(
                "--dataset-b is for models that translate between two sets. "
                f"Received: '{dataset_b}'."
            )
        name = dataset or opened.card.get("dataset")
        if name is None:
            raise ValueError("--dataset must be given: nothing says what it was trained on.")
        return [name], like(name, split or "train", opened.shape, opened.labelled), None
    card = opened.card if dataset is None and dataset_b is None else {}
    a = dataset or card.get("dataset")
    b = dataset_b or card.get("dataset_b")
    local = a in datasets.names() or os.path.isdir(str(a))
    if a is None or (b is None and (local or "/" not in a)):
        raise ValueError("--dataset and --dataset-b must be given: A and B of what it translates.")
    splits = (split or (SPLITS if b is None else "train,train")).split(",")
    if len(splits) != 2:
        raise ValueError(f"--split must be two names, such as '{SPLITS}'. Received: '{split}'.")
    pairs = list(zip((a, a if b is None else b), splits, strict=True))
    sources, reals = reversed(pairs) if opened.backwards else pairs
    return (
        [a] if b is None else [a, b],
        like(*reals, opened.shape),
        like(*sources, opened.source_shape),
    )


def as_trained(card, name, given):
    """Options of a set: those that are given, and others as the run read its data.

    Args:
        card: dict, what is known of the model.
        name: of the set; a folder's levels are the run's, and a set of the run is also found where
            the run found it, with its unreadable files left out if they were.
        given: dict of `data_dir`, `value_range` and `on_unreadable`, `None` where not given.
    """
    known = {"on_unreadable": "error"}
    if os.path.isdir(name):
        known["value_range"] = card.get("value_range")
    if name in (card.get("dataset"), card.get("dataset_b")):
        known |= {n: card[n] for n in ("data_dir", "on_unreadable") if n in card}
    return {**known, **{option: value for option, value in given.items() if value is not None}}


def load_like(name, split, shape, image_size, labelled, given):
    """A data set in the size of a model's samples, in memory or from the disk."""
    kind = samples("samples", shape)
    received = "points" if name in datasets.points.MAKERS else "pictures"
    if kind.noun != received:
        raise ValueError(
            f"--dataset must be a set of {kind.noun}, as the model makes. "
            f"Received: '{name}', a set of {received}."
        )
    if not kind.pictured:
        return datasets.load(name, split, labels=labelled)
    size = image_size or (None if None in shape[:2] else shape[:2])
    if image_size and None not in shape[:2] and tuple(shape[:2]) != image_size:
        raise ValueError(
            f"--image-size must be the model's, {shape[0]} x {shape[1]}. "
            f"Received: {image_size[0]} x {image_size[1]}"
        )
    return datasets.load(name, split, image_size=size, channels=shape[2], labels=labelled, **given)


def check_pairs(metrics, sets):
    """Says where two folders have no pairs: there, pictures that belong together have one name."""
    asked = [name for name in metrics if name in OF_PAIRS]
    if not asked or len(sets) < 2 or not all(map(os.path.isdir, sets)):
        return
    a, b = ([p.relative_to(root).with_suffix("") for p in find(root)] for root in sets)
    if a != b:
        alone = sorted(set(a) ^ set(b)) or a
        raise ValueError(
            f"--metrics must have {', '.join(asked)} only for pairs: two folders with pictures of "
            f"the same names. Received: '{sets[0]}' and '{sets[1]}', where '{alone[0]}' has no "
            "counterpart."
        )


def open_extractor(text, set_name):
    """The extractor that `--extractor` names."""
    if text is None:
        if set_name in FASHION:
            return fashion_mnist_classifier()
        raise ValueError(
            f"--extractor must be given, {EXTRACTORS}: only Fashion-MNIST has a default. "
            f"Received: none, for '{set_name}'."
        )
    kind, colon, file = text.partition(":")
    if text == "fashion":
        return fashion_mnist_classifier()
    if kind == "inception-2015" and file:
        return Inception2015(file)
    if kind == "keras-inception" and bool(colon) == bool(file):
        return InceptionV3(file or None)
    raise ValueError(f"--extractor must be {EXTRACTORS}. Received: '{text}'.")
