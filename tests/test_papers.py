"""What models declare of themselves, read out of their files without TensorFlow."""

import ast
import pathlib
import re
import sys
import textwrap

import pytest

from keras_gans import datasets, models, papers
from keras_gans.papers import Paper, Recipe

CLASSES = {name: getattr(models, name) for name in models.__all__}
LISTED = (
    *("GAN", "VAE", "CGAN", "LAPGAN", "DCGAN", "SSGAN", "InfoGAN", "VAEGAN", "CoGAN"),
    *("AAE", "ClusteringAAE", "SemiSupervisedAAE", "LSGAN"),
    *("WGAN", "DRAGAN", "WGANGP", "BEGAN", "CycleGAN", "ProGAN", "R3GAN"),
)


def test_what_is_read_is_what_the_classes_have():
    read = {model.name: (model.paper, model.recipe) for model in papers.read()}
    declared = {name: (c.paper, c.recipe) for name, c in CLASSES.items()}
    assert read == declared
    # Each has its own, inherits none.
    assert all({"paper", "recipe"} <= vars(c).keys() for c in CLASSES.values())


def test_the_list_and_its_order():
    listed = list(papers.listed())
    assert tuple(name for name in listed if name in LISTED) == LISTED
    years = [CLASSES[name].paper.year for name in listed]
    assert years == sorted(years)
    unlisted = set(CLASSES) - set(papers.listed())
    assert unlisted == {"ProGANLS", "MDGAN"}  # ProGAN with another loss, MRGAN's second form
    assert models.ProGANLS.paper == models.ProGAN.paper
    assert models.MDGAN.paper == models.MRGAN.paper


def declared(name, year, arxiv):
    paper = Paper(title="A", authors="B", year=year, arxiv=arxiv)
    return papers.Declared(name, paper, Recipe(dataset="ring", batch_size=1, steps=1))


def test_the_order_of_papers_to_come():
    """By year; within one, those that were there first, and then by the arXiv's number."""
    new = [
        declared("Late", 2018, "1802.1"),
        declared("Early", 2018, "1801.1"),
        declared("SNGAN", 2014, "1301.1"),
        declared("VAE", 2014, "1312.6114"),
        declared("GAN", 2014, "1406.2661"),
    ]
    names = [model.name for model in papers.in_order(new)]
    assert names == ["GAN", "VAE", "SNGAN", "Early", "Late"]


@pytest.mark.parametrize("name", CLASSES)
def test_declarations(name, tmp_path):
    paper, recipe = CLASSES[name].paper, CLASSES[name].recipe
    assert re.fullmatch(r"\d{4}\.\d{4,5}", paper.arxiv)
    assert paper.arxiv in sys.modules[CLASSES[name].__module__].__doc__
    assert paper.year >= 2014 and paper.title and paper.authors
    assert recipe.batch_size >= 1 and recipe.steps >= 1
    assert (recipe.latent_dim is None) == (CLASSES[name].latent_prior is None)
    assert recipe.splits is None or len(recipe.splits) == 2
    assert recipe.dataset_b is None or recipe.dataset_b in datasets.names()
    if recipe.dataset not in datasets.names():  # it must be downloaded, and the error says how
        with pytest.raises(FileNotFoundError, match=rf"tfds.load\('{recipe.dataset}'"):
            datasets.info(recipe.dataset, data_dir=tmp_path)
        return
    info = datasets.info(recipe.dataset)
    assert not recipe.needs_classes or info.num_classes


def test_lengths_of_latents():
    """Those of pictures are the papers', as far as they are known; else 100."""
    known = {"InfoGAN": 64, "VAEGAN": 128, "WGANGP": 128, "BEGAN": 64, "ProGAN": 512, "R3GAN": 64}
    known |= {"AAE": 2, "ClusteringAAE": 5, "SemiSupervisedAAE": 10}
    known |= {"ProGANLS": 512, "CycleGAN": None}
    for name in {*LISTED, "ProGANLS"}:
        assert CLASSES[name].recipe.latent_dim == known.get(name, 100), name
    recipe = models.ProGAN.recipe
    assert (recipe.latents_of((8, 8, 1)), recipe.latents_of((2,))) == (512, 16)
    assert recipe.latents_of((8, 8, 1), 3) == recipe.latents_of((2,), 3) == 3


# Files that are not as they should be

PAPER = 'Paper(title="A", authors="B", year=2026, arxiv="2601.00001")'
RECIPE = 'Recipe(dataset="ring", batch_size=64, steps=1_000)'


@pytest.fixture
def package(tmp_path):
    """A package of one model, whose class has these lines."""

    def write(*lines, name="SNGAN"):
        (tmp_path / "__init__.py").write_text("from keras_gans.models.sngan import SNGAN\n")
        body = textwrap.indent("\n".join(['"""Doc."""', *lines]), "    ")
        (tmp_path / "sngan.py").write_text(f"import nothing_at_all\n\n\nclass {name}:\n{body}\n")
        return tmp_path

    return write


def test_a_new_paper_is_read(package):
    recipe = RECIPE.replace(")", ",\n    labelled=True,\n)")
    (found,) = papers.read(package(f"paper = {PAPER}", f"recipe = {recipe}"))
    assert found.name == "SNGAN"
    assert found.paper == Paper(title="A", authors="B", year=2026, arxiv="2601.00001")
    assert found.recipe == Recipe(dataset="ring", batch_size=64, steps=1000, labelled=True)


@pytest.mark.parametrize(
    ("paper", "recipe", "message"),
    [
        (None, RECIPE, r"SNGAN in .*sngan.py must declare `paper = Paper\(.*no `paper` in its"),
        (PAPER, None, r"must declare `recipe = Recipe\(.*no `recipe` in its body"),
        ("None", RECIPE, r"`paper = Paper.*Received: line 6, None"),
        ("GAN.paper", RECIPE, r"`paper = Paper.*Received: line 6, GAN\.paper"),
        ('Paper("A", "B", 2026, "2601.00001")', RECIPE, r"Received: line 6, Paper\('A'"),
        ("Paper(**known)", RECIPE, r"Received: line 6, Paper\(\*\*known\)"),
        (PAPER.replace("2026", "YEAR"), RECIPE, r"are literals, .*year=YEAR.*malformed"),
        (PAPER.replace("2026", "2000 + 26"), RECIPE, "malformed"),
        (PAPER.replace("year", "years"), RECIPE, "unexpected keyword argument 'years'"),
        ('Paper(title="A")', RECIPE, "missing 3 required"),
        (PAPER.replace("Paper", "dict"), RECIPE, r"Received: line 6, dict\(title="),
        (RECIPE, RECIPE, r"must declare `paper = Paper.*line 6, Recipe"),
    ],
)
def test_declarations_that_cannot_be_read(paper, recipe, message, package):
    lines = [f"{n} = {v}" for n, v in (("paper", paper), ("recipe", recipe)) if v is not None]
    with pytest.raises(ValueError, match=message):
        papers.read(package(*lines))


def test_a_class_that_is_not_there(package):
    with pytest.raises(ValueError, match=r"sngan.py must have a class SNGAN"):
        papers.read(package(f"paper = {PAPER}", f"recipe = {RECIPE}", name="Other"))


def test_nothing_is_imported():
    """The table is for commands that have no time for TensorFlow; see `test_cli_start`."""
    tree = ast.parse(pathlib.Path(papers.__file__).read_text(encoding="utf-8"))
    imported = {
        node.module if isinstance(node, ast.ImportFrom) else node.names[0].name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert imported <= sys.stdlib_module_names


# Names


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("GAN", "GAN"),
        ("gan", "GAN"),
        ("DcGan", "DCGAN"),
        ("dc-gan", "DCGAN"),
        ("LS_GAN", "LSGAN"),
        ("WGANGP", "WGANGP"),
        ("wgan-gp", "WGANGP"),
        ("WGAN_GP", "WGANGP"),
        ("wgan", "WGAN"),
        ("c-gan", "CGAN"),
        ("info-gan", "InfoGAN"),
        ("vae", "VAE"),
        ("vae-gan", "VAEGAN"),
        ("cycle-gan", "CycleGAN"),
    ],
)
def test_find(name, found):
    assert papers.find(name) is papers.listed()[found]


@pytest.mark.parametrize(
    ("name", "nearest"), [("lsgn", "LSGAN"), ("WGAN GP", "WGANGP"), ("dcgann", "DCGAN")]
)
def test_find_names_the_nearest(name, nearest):
    with pytest.raises(ValueError, match=rf"{name!r}\. Did you mean {nearest}") as error:
        papers.find(name)
    assert str(error.value).count("?") == 1


@pytest.mark.parametrize("name", ["xyzzy", "", None, 3, "progan-ls-2-extra"])
def test_find_of_nothing_like_it(name):
    with pytest.raises(ValueError) as error:
        papers.find(name)
    assert repr(name) in str(error.value)
    assert name == "progan-ls-2-extra" or "Did you mean" not in str(error.value)
    for known in papers.listed():
        assert known in str(error.value)
    assert "ProGANLS" not in str(error.value)
