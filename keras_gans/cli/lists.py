"""What `keras-gans list`, `keras-gans datasets` and `keras-gans presets` print."""

from rich.table import Table

from keras_gans import preset_places
from keras_gans.catalogue import SETS
from keras_gans.cli.parts import console
from keras_gans.papers import listed


def print_models():
    """A row for each model."""
    table = Table(title="Models", title_justify="left", caption_justify="left")
    table.caption = "Train one with: keras-gans train MODEL"
    table.add_column("Model", style="bold", no_wrap=True)
    table.add_column("Paper", min_width=20)
    table.add_column("Authors")
    table.add_column("Year", no_wrap=True)
    table.add_column("arXiv", no_wrap=True)
    table.add_column("Default data", no_wrap=True)
    table.add_column("Status")
    for name, model in listed().items():
        paper, recipe = model.paper, model.recipe
        cells = (paper.title, paper.authors, paper.year, paper.arxiv, recipe.dataset, recipe.status)
        table.add_row(name, *(str(cell or "–") for cell in cells))
    console().print(table)


def print_datasets():
    """A row for each data set that needs no download."""
    table = Table(title="Data sets", title_justify="left", caption_justify="left")
    table.caption = "Use one with: keras-gans train MODEL --dataset NAME"
    table.add_column("Name", style="bold", no_wrap=True)
    table.add_column("Examples", justify="right")
    table.add_column("Shape", no_wrap=True)
    table.add_column("Classes", justify="right")
    table.add_column("Licence")
    for info in SETS.values():
        table.add_row(
            info.name,
            f"{info.num_examples:,}",
            " × ".join(map(str, info.shape)),
            str(info.num_classes or "–"),
            str(info.license or "–"),
        )
    console().print(table)


def print_presets():
    """A row for each preset that is there, and where presets are looked for."""
    table = Table(title="Presets", title_justify="left", caption_justify="left")
    table.caption = "Use one with: keras-gans generate NAME"
    table.add_column("Name", style="bold", no_wrap=True)
    table.add_column("Model", no_wrap=True)
    table.add_column("Data")
    table.add_column("Steps", justify="right")
    damaged = []
    for name in preset_places.names():
        try:
            card = preset_places.card(name)
        except (ValueError, OSError) as error:
            damaged.append(f"{name} can't be used: {error}")
            card = {"dataset": "(can't be used, see below)"}
        cells = (card.get("model"), card.get("dataset"), f"{card.get('steps_taken') or 0:,}")
        table.add_row(name, *(str(cell or "–") for cell in cells))
    to = console()
    to.print(table)
    for line in damaged:
        to.print(line, highlight=False, markup=False)
    for place in preset_places.places():
        there = "" if place.is_dir() else " (not there)"
        to.print(f"Looked for in {place}{there}", highlight=False, markup=False)
