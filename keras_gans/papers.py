"""What a model says of itself: its paper, and the recipe that it is trained by.

A model's class declares both, beside its players. Lists and the command line read the declarations
out of the models' files without importing them, since that would import TensorFlow: their arguments
are literals.
"""

import ast
import dataclasses
import difflib
import functools
from pathlib import Path

DIRECTORY = Path(__file__).parent / "models"
POINT_LATENTS = 16
# Of papers of one year; those that are not named here come after these, by their arXiv numbers.
ORDER = (
    *("GAN", "VAE", "CGAN", "DCGAN", "SSGAN", "InfoGAN", "VAEGAN", "CoGAN"),
    *("LSGAN", "WGAN", "DRAGAN", "WGANGP", "BEGAN", "Pix2Pix", "CycleGAN", "DTN"),
    *("SRGAN", "SRResNet"),
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Paper:
    """The paper that a model is of, its class attribute `paper`.

    Args:
        title: str.
        authors: str, such as "Goodfellow et al.".
        year: int.
        arxiv: str, its number, such as "1406.2661".

    Example:

    ```python
    paper = Paper(
        title="Generative Adversarial Nets",
        authors="Goodfellow et al.",
        year=2014,
        arxiv="1406.2661",
    )
    ```
    """

    title: str
    authors: str
    year: int
    arxiv: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recipe:
    """What a model is trained with where nothing else is said, its class attribute `recipe`.

    Args:
        dataset: str, a name for `keras_gans.datasets.load`.
        batch_size: int, the paper's minibatch.
        steps: int, generator updates after which these data are learned, roughly; of a growing
            model, those of each stage.
        latent_dim: int, the paper's length of the latents of pictures, or `None` for models that
            have no latents.
        latent_prior: "normal" or "uniform" where the authors' code draws other latents than the
            model's class does by itself, or `None`.
        settings: dict of further arguments of the constructor, where the authors have others than
            the class by itself.
        labelled: bool, whether it is trained on pairs of samples and labels.
        conditional: bool, whether it can be, in a form of its own that `num_classes` chooses, where
            it is not by default.
        labels_per_class: int, of models that learn classes from a few labelled samples beside many
            without labels (`datasets.semi_supervised`): how many of each class. `None` for others.
        splits: for models that translate between two sets of pictures: the pair of splits of
            `dataset` that are A and B. `None` for all others.
        large_batch_sizes: of a growing model, `{height: minibatch}` of stages with another one than
            `batch_size`.
        dataset_b: for models that are trained on two sets of pictures, where they are
            two sets by name: the second one. Both may be of the same pictures
            (`catalogue.DERIVED`), and are then of different halves of them unless `paired`.
        paired: bool, whether the pictures of the two sets belong together (`datasets.paired`).
        scale: int, of models that enlarge pictures: by how much, which makes the data pairs of
            small pictures and large ones (`datasets.downscaled`). `None` for others.
        crop: int, the side of the windows that are cut out of the pictures of a folder where
            neither a size nor another window is wanted, or `None` for whole pictures.
        status: str, what was seen of it, for `keras-gans list`.
        listed: bool, whether `keras-gans list` shows it and `keras-gans train` takes it: not so for
            a second form of a listed model.

    Example:

    ```python
    recipe = Recipe(dataset="ring", batch_size=100, steps=10_000, status="trained")
    ```
    """

    dataset: str
    batch_size: int
    steps: int
    latent_dim: int | None = 100
    latent_prior: str | None = None
    settings: dict = dataclasses.field(default_factory=dict)
    labelled: bool = False
    conditional: bool = False
    labels_per_class: int | None = None
    splits: tuple | None = None
    dataset_b: str | None = None
    large_batch_sizes: dict = dataclasses.field(default_factory=dict)
    paired: bool = False
    scale: int | None = None
    crop: int | None = None
    status: str = ""
    listed: bool = True

    @property
    def needs_classes(self):
        """Whether it has no form without a number of classes."""
        return self.labelled or (self.labels_per_class is not None and not self.conditional)

    @property
    def has_classes(self):
        """Whether it has a form with a number of classes."""
        return self.needs_classes or self.conditional

    @property
    def of_two_sets(self):
        """Whether it is trained on two sets of pictures, with pairs or without."""
        return self.splits is not None or self.dataset_b is not None

    def latents_of(self, shape, latent_dim=None):
        """The length of the latents for samples of a shape.

        Args:
            shape: shape of one sample.
            latent_dim: the length that is wanted, or `None` for the paper's for pictures, and 16
                for points.

        Example:

        >>> WGANGP.recipe.latents_of((28, 28, 1)), WGANGP.recipe.latents_of((2,))
        (128, 16)
        """
        if latent_dim is not None:
            return latent_dim
        return self.latent_dim if len(shape) == 3 else POINT_LATENTS


@dataclasses.dataclass(frozen=True)
class Declared:
    """What a model's file declares.

    Attributes:
        name: name of the class in `keras_gans`.
        paper: `Paper`.
        recipe: `Recipe`.
    """

    name: str
    paper: Paper
    recipe: Recipe


@functools.cache
def listed():
    """`{name: Declared}` of the models that `keras-gans list` shows, by the papers' years."""
    return {model.name: model for model in in_order(read()) if model.recipe.listed}


def in_order(models):
    """A list of `Declared`, by the papers' years."""

    def key(model):
        place = ORDER.index(model.name) if model.name in ORDER else len(ORDER)
        return model.paper.year, place, model.paper.arxiv

    return sorted(models, key=key)


def read(directory=DIRECTORY):
    """The declarations of all classes that a package of models exports, without importing it.

    Args:
        directory: path of a package whose `__init__.py` imports its classes, one module for each of
            several lines `from package.module import Class`.

    Returns:
        List of `Declared`.

    Raises:
        ValueError: a class has no declaration, or one that can't be read: one with other than
            literal keyword arguments, or with wrong ones.

    Example:

    >>> [model.name for model in read()][:2]
    ['BEGAN', 'CGAN']
    """
    declared = []
    for line in _parse(directory / "__init__.py").body:
        if isinstance(line, ast.ImportFrom):
            path = directory / f"{line.module.rpartition('.')[2]}.py"
            classes = {n.name: n for n in _parse(path).body if isinstance(n, ast.ClassDef)}
            for alias in line.names:
                if alias.name not in classes:
                    raise ValueError(f"{path} must have a class {alias.name}. Received: none")
                declared.append(_declared(classes[alias.name], path))
    return declared


def _parse(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def _declared(node, path):
    """`Declared`, of the syntax tree of a class."""
    values = {}
    for line in node.body:
        if isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name):
            values[line.targets[0].id] = line.value
    kinds = {"paper": Paper, "recipe": Recipe}
    found = {name: _value(node.name, name, values, kinds[name], path) for name in kinds}
    return Declared(node.name, **found)


def _value(owner, name, values, kind, path):
    """The `Paper` or `Recipe` that a class declares under a name."""
    rule = (
        f"{owner} in {path} must declare `{name} = {kind.__name__}(...)` with keyword arguments "
        "that are literals, as lists read them without TensorFlow."
    )
    if name not in values:
        raise ValueError(f"{rule} Received: no `{name}` in its body")
    call = values[name]
    place = f"line {call.lineno}, {ast.unparse(call)}"
    if not isinstance(call, ast.Call) or ast.unparse(call.func) != kind.__name__:
        raise ValueError(f"{rule} Received: {place}")
    try:
        return kind(**{word.arg: ast.literal_eval(word.value) for word in call.keywords})
    except (ValueError, TypeError) as error:
        raise ValueError(f"{rule} Received: {place} ({error})") from error


def find(name):
    """What a listed model declares, by its name in any case, with or without "-" and "_".

    Returns:
        `Declared`.

    Raises:
        ValueError: no such model; the message has the nearest names.

    Example:

    >>> find("wgan-gp").paper.year
    2017
    """
    plain = {key.lower(): model for key, model in listed().items()}
    wanted = str(name).lower().replace("-", "").replace("_", "")
    if wanted in plain:
        return plain[wanted]
    near = [plain[key].name for key in difflib.get_close_matches(wanted, plain, n=3, cutoff=0.6)]
    hint = f"Did you mean {', '.join(near)}? " if near else ""
    raise ValueError(f"There is no model {name!r}. {hint}The models are {', '.join(listed())}.")
