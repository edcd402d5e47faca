"""Writes docs/settings.md: what `from_paper` gives for each model, and where it differs.

    python tools/build_settings.py

All of it is asked of the classes: their recipes, constructors, optimizers and networks, and what
their files list as deviations. `tests/tools/test_settings.py` holds that the page is up to date.
"""

import inspect
import os
import re
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from keras_gans import models
from keras_gans.catalogue import SETS
from keras_gans.checks import network_settings
from keras_gans.networks import (
    build_dtn_encoder,
    build_progan_discriminator,
    build_progan_generator,
)
from keras_gans.schedules import writes_schedules

from keras import tree

PAGE = Path(__file__).parents[1] / "docs" / "settings.md"
# The paper's, where the recipe's data are no set of ours, or not like the paper's.
PICTURES = {"CycleGAN": (256, 256, 3), "DTN": (32, 32, 3)}
USUAL = (28, 28, 1)
# Further forms of a class: words, the shape of the paper's pictures and arguments of `from_paper`.
FORMS = {
    "VAEGAN": [("authors", (64, 64, 3), {"authors": True})],
    "WGANGP": [
        ("residual", (32, 32, 3), {"residual": True}),
        ("residual, 10 classes", (32, 32, 3), {"residual": True, "num_classes": 10}),
    ],
}
KINDS = ("generator", "discriminator")
ADAPTIVE = {
    "AdamL2": ("learning_rate", "beta_1", "beta_2", "epsilon", "l2"),
    "Adam": ("learning_rate", "beta_1", "beta_2", "epsilon"),
    "RMSprop": ("learning_rate", "rho", "epsilon"),
    "Adagrad": ("learning_rate", "initial_accumulator_value", "epsilon"),
    "SGD": ("learning_rate", "momentum"),
}

HEAD = """\
# The papers' settings

What `Model.from_paper(shape)` gives, written by `python tools/build_settings.py` out of the code.
A deviation is what the model's file lists as one; what is not listed is meant to be the paper's.
Parameters are those that are trained, of networks for pictures of the shape that is named.

| model | minibatch | latents | settings | optimizers | networks |
|---|---|---|---|---|---|
"""

BESIDE = """
## Numbers of parameters beside the authors'

| networks | ours | authors' | source |
|---|---|---|---|
"""


def number(value):
    """A setting as a person writes it."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return str(value)
    if isinstance(value, int | float):
        return f"{value:,}" if isinstance(value, int) else f"{value:.7g}"
    return str(value)


def scheduled(config):
    """A schedule by its name and numbers."""
    settings = {k: v for k, v in config["config"].items() if k != "name"}
    inner = ", ".join(f"{k} {said(v)}" for k, v in settings.items())
    return f"{config['class_name']}({inner})"


def said(value):
    if isinstance(value, dict) and "class_name" in value:
        return scheduled(value)
    if isinstance(value, list | tuple):
        return "(" + ", ".join(map(said, value)) + ")"
    return number(value)


def optimizers_of(model):
    """Each player's optimizer in words; one for all where they are equal."""
    words = {}
    for player, optimizer in model.default_optimizers().items():
        config = optimizer.get_config()
        kind = next(k.__name__ for k in type(optimizer).__mro__ if k.__name__ in ADAPTIVE)
        settings = {name: config[name] for name in ADAPTIVE[kind]}
        settings |= {k: v for k, v in config.items() if isinstance(v, dict) and "class_name" in v}
        inner = ", ".join(f"{name} {said(value)}" for name, value in settings.items())
        inner += ", dampened" if config.get("dampened") else ""
        words[player] = f"{kind}({inner})"
    if len(set(words.values())) == 1:
        return next(iter(words.values()))
    return "; ".join(f"{player}: {text}" for player, text in words.items())


def settings_of(model):
    """The constructor's arguments beside networks and what all models have."""
    config = writes_schedules(lambda self: self.get_config())(model)
    left_out = {*model.network_names, "name", "seed", "latent_prior", "num_classes"}
    chosen = {k: v for k, v in config.items() if k not in left_out and v is not None}
    return ", ".join(f"{k} {said(v)}" for k, v in chosen.items()) or "none"


def parameters(network):
    return sum(
        int(w.numpy().size) for part in tree.flatten(network) for w in part.trainable_weights
    )


def shape_of(model_class):
    known = SETS.get(model_class.recipe.dataset)
    if model_class.__name__ in PICTURES:
        return PICTURES[model_class.__name__]
    return known.shape if known and len(known.shape) == 3 else USUAL


def rows(model_class):
    """Rows of the table: of a class by itself, and of its further forms."""
    options = {"num_classes": 10} if model_class.recipe.needs_classes else {}
    if "encoder" in network_settings(model_class):  # a trained one is asked for
        options["encoder"] = build_dtn_encoder(shape_of(model_class))
    name = f"`{model_class.__name__}`"
    yield row(model_class, name, shape_of(model_class), options)
    for words, shape, options in FORMS.get(model_class.__name__, ()):
        yield row(model_class, f"{name}, {words}", shape, options)


def row(model_class, name, shape, options):
    recipe, model = model_class.recipe, model_class.from_paper(shape, seed=0, **options)
    latents = "none"
    if recipe.latent_dim is not None:
        prior = {"normal": "N(0, 1)", "uniform": "U(-1, 1)"}[model.latent_prior]
        latents = f"{recipe.latent_dim}, {prior}"
    counts = {name: parameters(getattr(model, name)) for name in model.network_names}
    made = ", ".join(f"{name} {count:,}" for name, count in counts.items())
    size = " × ".join(map(str, shape))
    columns = [recipe.batch_size, latents, settings_of(model), optimizers_of(model)]
    return [name, *map(str, columns), f"{made} ({size})"]


def deviations(model_class):
    """The list of deviations of a model's file, as its docstring has it, without line breaks."""
    text = inspect.getdoc(sys.modules[model_class.__module__]) or ""
    found = re.search(r"Deviations from the paper:\s*(.*?)(?:\n\n|\Z)", text, re.DOTALL)
    if not found:
        raise ValueError(f"{model_class.__name__}'s file must list its deviations. Received: none")
    items = re.split(r"(?:^|\n)- ", found.group(1))
    return [" ".join(item.split()) for item in items if item.strip()]


def beside():
    """Rows (networks, our parameters, the authors', source), where these print or count them."""
    model = models.CycleGAN.from_paper((256, 256, 3), seed=0)
    first_of = {kind: next(n for n in model.network_names if kind in n) for kind in KINDS}
    source = "printed by junyanz/pytorch-CycleGAN-and-pix2pix"
    counts = {kind: parameters(getattr(model, name)) for kind, name in first_of.items()}
    yield "CycleGAN, generator, 256 × 256", counts["generator"], "11.378 M", source
    yield "CycleGAN, patches of 70 × 70", counts["discriminator"], "2.765 M", source
    source, shape = "Karras et al., 2018, table 2", (1024, 1024, 3)
    builders = (build_progan_generator, build_progan_discriminator)
    for kind, build in zip(KINDS, builders, strict=True):
        yield f"ProGAN, {kind}, 1024 × 1024", parameters(build(shape)), "23.1 M", source


def page():
    classes = [getattr(models, name) for name in models.__all__]
    classes.sort(key=lambda c: (c.paper.year, c.paper.arxiv))
    lines = [HEAD.rstrip("\n")]
    lines += ["| " + " | ".join(each) + " |" for c in classes for each in rows(c)]
    lines.append(BESIDE.rstrip("\n"))
    lines += [f"| {what} | {n:,} | {theirs} | {source} |" for what, n, theirs, source in beside()]
    lines.append("\n## Deviations")
    seen = set()
    for model_class in classes:
        if model_class.__module__ in seen:
            continue
        seen.add(model_class.__module__)
        names = [f"`{c.__name__}`" for c in classes if c.__module__ == model_class.__module__]
        link = f"[{model_class.paper.arxiv}](https://arxiv.org/abs/{model_class.paper.arxiv})"
        lines.append(f"\n**{', '.join(names)}** ({model_class.paper.authors}, {link})\n")
        lines += [f"- {item}" for item in deviations(model_class)]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
