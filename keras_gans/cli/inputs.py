"""What `keras-gans evaluate` reads: a trained model, the reals, an extractor."""

import dataclasses
import functools
import os
from typing import Any

from keras_gans import datasets, papers
from keras_gans.catalogue import splits_without_pairs
from keras_gans.checks import check_member
from keras_gans.cli.parts import EXTRACTORS
from keras_gans.datasets import tfds_sets
from keras_gans.datasets.downscaled import low_part
from keras_gans.datasets.paired import half
from keras_gans.metrics._by_name import FASHION, OF_PAIRS
from keras_gans.metrics.evaluation import takes_labels
from keras_gans.metrics.fashion import fashion_mnist_classifier
from keras_gans.metrics.inception import Inception2015, InceptionV3
from keras_gans.picture_files import find
from keras_gans.runs.sampling import KerasSampler, open_sampler, sample
from keras_gans.training.kinds import Labels, samples
from keras_gans.training.ports import asked_together, makes_from_latents

WINDOW = 96  # pixels a side, of photographs of several sizes
SPLITS = "trainA,trainB"  # of TFDS's sets for translation
SIDES = {"a_to_b": "ab", "b_to_a": "ba"}  # of pictures side by side: what is given, what is made


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
        paired: whether it is trained on pictures that belong together (`datasets.paired`).
        sides: which of pictures that are side by side is made of which, one of `SIDES`, or `None`
            where the user did not say so.
        classify: function of uint8 pictures, or points, that returns their classes, of models that
            have learned those of data; else None.
        num_classes: how many these are.
        port: which of several ports it is that are asked together (`Port.beside`), or None.
        place: which one of them, from 0; each makes what one of the data's sets is.
    """

    model: Any
    card: dict
    shape: tuple
    labelled: bool = False
    source_shape: tuple | None = None
    backwards: bool = False
    paired: bool = False
    sides: str | None = None
    classify: Any = None
    num_classes: int | None = None
    port: str | None = None
    place: int = 0


def open_model(source, direction=None):
    """`Opened`, the first of `open_models`."""
    return open_models(source, direction)[0]


def open_models(source, direction=None):
    """List of `Opened`, of a run, a .keras file, a SavedModel or a preset, by name or path.

    It is one, or one for each of several ports that are asked together, where no direction is said.
    Of models of pairs a direction that is none of their ports is that of pictures side by side.
    """
    sampler = open_sampler(source)
    together = asked_together(sampler.ports)
    directions = [direction]
    if direction is None and len(together) > 1:
        directions = list(together)
    if isinstance(sampler, KerasSampler):
        return [of_model(sampler.model, sampler.card, name) for name in directions]
    return [of_saved(sampler, source, name) for name in directions]


def of_model(gan, card, direction):
    """`Opened`, of a model in memory."""
    ports = gan.ports()
    if makes_from_latents(gan):
        port, place = one_of_several(ports, type(gan).__name__, direction)
        shape = tuple(ports[port or next(iter(ports))].output.shape)
        learned = any(isinstance(part, Labels) for part in gan.data_spec())
        learned = learned and "classify" in ports
        given = {"port": port, "place": place}
        if learned:
            given["classify"] = functools.partial(gan.ask, "classify")
            given["num_classes"] = ports["classify"].output.num_classes
        return Opened(gan, card, shape, takes_labels(gan), **given)
    paired = gan.recipe is not None and gan.recipe.paired
    name, sides = port_and_sides(ports, direction, paired)
    check_translates(ports[name], f"{name!r} of {type(gan).__name__}")
    made = _translator(functools.partial(gan.ask, name), card, name, ports[name])
    return dataclasses.replace(made, paired=paired, sides=sides)


class SavedGenerator:
    """A SavedModel with latents.

    Args:
        sampler: `SavedModelSampler`.
        port: which of several ports that are asked together, or None.
    """

    def __init__(self, sampler, port=None):
        known = papers.listed().get(sampler.card.get("model"))
        # Categories that a model finds by itself (InfoGAN) are not the classes of the data.
        labelled = sampler.card.get("learns_classes", known is None or known.recipe.labelled)
        labelled = labelled and any(isinstance(kind, Labels) for kind in sampler.port.inputs)
        self.sampler, self.port = sampler, port
        self.num_classes = sampler.num_classes if labelled else None

    def generate(self, num, seed, labels=None):
        return sample(self.sampler, num, seed, labels, self.port)[1]


def of_saved(sampler, source, direction):
    """`Opened`, of a SavedModel."""
    if sampler.port.from_latents:
        port, place = one_of_several(sampler.ports, f"'{source}'", direction)
        model = SavedGenerator(sampler, port)
        shape = sampler.ports[port or sampler.name].output.shape
        learned = sampler.card.get("learns_classes") and "classify" in sampler.ports
        given = {"port": port, "place": place}
        if learned:
            given["classify"] = functools.partial(sampler.ask, "classify")
            given["num_classes"] = sampler.ports["classify"].output.num_classes
        return Opened(model, sampler.card, shape, model.num_classes is not None, **given)
    known = papers.listed().get(sampler.card.get("model"))
    paired = known is not None and known.recipe.paired
    name, sides = port_and_sides(sampler.ports, direction, paired)
    port = sampler.ports[name]
    check_translates(port, f"{name!r} of '{source}'")
    made = _translator(functools.partial(sampler.ask, name), sampler.card, name, port)
    return dataclasses.replace(made, paired=paired, sides=sides)


def port_and_sides(ports, direction, paired):
    """The name of the port that `--direction` means, and which of pictures side by side is made.

    Raises:
        ValueError: the direction is no port, nor one of pictures side by side.
    """
    first = next(iter(ports))
    if direction is None:
        return first, None
    if paired and direction in SIDES and direction not in ports:
        return first, direction
    check_member("direction", direction, [*ports, *(SIDES if paired else ())])
    return direction, None


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


def one_of_several(ports, name, direction):
    """A port of those that are asked together, and its place; (None, 0) where there is only one.

    Raises:
        ValueError: a direction is given that is none of them.
    """
    together = list(asked_together(ports))
    if len(together) == 1 and direction is not None:
        raise ValueError(
            f"--direction is for models that make pictures out of pictures, or several of the same "
            f"latents, which {name} does not. Received: '{direction}'."
        )
    if len(together) == 1:
        return None, 0
    direction = together[0] if direction is None else direction
    check_member("direction", direction, together)
    return direction, together.index(direction)


def load_reals(
    opened, dataset, dataset_b, split, data_dir, image_size, value_range=None, on_unreadable=None
):
    """The names of the sets, the reals, and the pictures that a translator is given, or None."""
    given = {"data_dir": data_dir, "value_range": value_range, "on_unreadable": on_unreadable}

    def like(name, split, shape, labelled=False):
        options = as_trained(opened.card, name, given)
        return load_like(name, split, shape, image_size, labelled, options)

    if opened.port is not None:
        name, split = set_of_port(opened, (dataset, dataset_b), split)
        return [name], like(name, split, opened.shape, opened.labelled), None
    if opened.source_shape is None:
        if dataset_b is not None:
            raise ValueError(f"--dataset-b is for models of two sets. Received: '{dataset_b}'.")
        name = dataset or opened.card.get("dataset")
        if name is None:
            raise ValueError("--dataset must be given: nothing says what it was trained on.")
        split = split_of(opened, split, dataset)
        return [name], like(name, split, opened.shape, opened.labelled), None
    if opened.card.get("scale"):
        return load_enlarged(opened, dataset, dataset_b, split, like)
    card = opened.card if dataset is None and dataset_b is None else {}
    a = dataset or card.get("dataset")
    b = dataset_b or card.get("dataset_b")
    if opened.paired and b is None and is_folder(a):
        split = split_of(opened, split, dataset)
        return [a], *load_halves(opened, a, split, image_size, as_trained(opened.card, a, given))
    local = a in datasets.names() or os.path.isdir(str(a))
    if a is None or (b is None and (local or "/" not in a)):
        beside = ", or as --dataset a folder of which each picture is a pair, side by side"
        raise ValueError(
            "--dataset and --dataset-b must be given: A and B of what it translates"
            f"{beside if opened.paired else ''}. Received: {a and repr(a)} and {b and repr(b)}"
        )
    if opened.sides is not None:
        raise ValueError(
            "--direction is for pairs that are side by side; of two sets --dataset is what is "
            f"given, and --dataset-b what is made of it. Received: '{opened.sides}'."
        )
    splits = split_of(opened, split, dataset or dataset_b, SPLITS if b is None else "train,train")
    splits = splits.split(",")
    if len(splits) != 2:
        raise ValueError(f"--split must be two names, such as '{SPLITS}'. Received: '{split}'.")
    pairs = list(zip((a, a if b is None else b), splits, strict=True))
    sources, reals = reversed(pairs) if opened.backwards else pairs
    return (
        [a] if b is None else [a, b],
        like(*reals, opened.shape),
        like(*sources, opened.source_shape),
    )


def load_enlarged(opened, dataset, dataset_b, split, like):
    """As `load_reals` for models that enlarge pictures, whose small ones are made of the reals."""
    if dataset_b is not None:
        raise ValueError(f"--dataset-b is for models of two sets. Received: '{dataset_b}'.")
    name = dataset or opened.card.get("dataset")
    if name is None:
        raise ValueError("--dataset must be given: nothing says what it was trained on.")
    reals = like(name, split_of(opened, split, dataset), opened.shape)
    return [name], reals, low_part(reals, opened.card["scale"])


def is_folder(name):
    """Whether a set is a folder of pictures, or would be one, and none with a name of its own."""
    if name is None or name in datasets.names():
        return False
    return os.path.isdir(name) or ("/" in name and not tfds_sets.is_known(name))


def load_halves(opened, name, split, image_size, given):
    """The reals and what is given, of a folder in which both of a pair are one picture."""
    sides = SIDES[opened.sides or opened.card.get("direction") or "a_to_b"]
    resized = given.pop("image_size", None)  # of each half: both together would be cut off
    channels = {opened.shape[2], opened.source_shape[2]}
    wholes = {n: datasets.load(name, split, channels=n, **given) for n in channels}

    def like(side, shape):
        size = resized if given.get("crop") else size_for(shape, image_size)
        return half(wholes[shape[2]], side, size)

    return like(sides[1], opened.shape), like(sides[0], opened.source_shape)


def split_of(opened, split, named, usual="train"):
    """The split that is measured: the user's, or of the training's own set that of the training."""
    return split or (None if named else opened.card.get("split")) or usual


def set_of_port(opened, given, split):
    """The name and the split of the set that one of several ports makes samples like.

    Args:
        opened: `Opened`, with a port.
        given: the sets that the user named, by the ports' places; others are those of the training.
        split: what the user said, one for all or one for each with commas between, or None.
    """
    options = ("dataset", "dataset_b")
    a, b = (name or opened.card.get(option) for name, option in zip(given, options, strict=True))
    if given[0] is not None and given[1] is None and is_of_two(given[0]):
        b = None
    splits = splits_without_pairs(a, b)
    if b is None and a is not None and a not in datasets.names() and not os.path.isdir(a):
        if "/" not in a:  # two sets of a run that was made in Python
            raise ValueError(
                "--dataset and --dataset-b must be given: A and B of what it makes. "
                f"Received: none, and a training on '{a}'."
            )
        b, splits = a, SPLITS.split(",")
    name = (a, b)[opened.place]
    if name is None:
        raise ValueError(
            f"--{options[opened.place].replace('_', '-')} must be given for {opened.port!r}: "
            "nothing says what it was trained on."
        )
    split = split or (opened.card.get("split") if given == (None, None) else None)
    splits = splits if split is None else split.split(",")
    return name, splits[min(opened.place, len(splits) - 1)]


def is_of_two(name):
    """Whether a set is one of those that have two, as TFDS's for translation do."""
    return "/" in name and name not in datasets.names() and not os.path.isdir(name)


def check_sets_of_port(opened, direction, dataset, dataset_b):
    """Raises ValueError where the user asks for one of several ports and names another one's set.

    Args:
        opened: `Opened`.
        direction: what the user said, or `None` where all ports are measured.
        dataset, dataset_b: what the user said.
    """
    if direction is None or opened.port is None:
        return
    options, given = ("--dataset", "--dataset-b"), (dataset, dataset_b)
    own, other = given[opened.place], given[1 - opened.place]
    if own is not None or other is None or (opened.place and is_of_two(other)):
        return
    option, wrong = options[opened.place], options[1 - opened.place]
    raise ValueError(
        f"{option} names what '{opened.port}' is measured against, and {wrong} what the other one "
        f"is. Received: --direction {direction} and {wrong} '{other}' alone."
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
    # Windows, as the model makes them, and as it enlarges those of other photographs too.
    if card.get("crop") and (
        card.get("scale") or name in (card.get("dataset"), card.get("dataset_b"))
    ):
        known |= {n: card.get(n) and tuple(card[n]) for n in ("image_size", "crop")}
    elif card.get("scale") and os.path.isdir(name):
        known["crop"] = (WINDOW, WINDOW)
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
    given = {"image_size": size_for(shape, image_size), **given}
    return datasets.load(name, split, channels=shape[2], labels=labelled, **given)


def size_for(shape, image_size):
    """The size of reals like samples of a shape: these have it, or the user says it, or `None`."""
    if image_size and None not in shape[:2] and tuple(shape[:2]) != image_size:
        raise ValueError(
            f"--image-size must be the model's, {shape[0]} x {shape[1]}. "
            f"Received: {image_size[0]} x {image_size[1]}"
        )
    return image_size or (None if None in shape[:2] else shape[:2])


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
