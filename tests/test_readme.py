"""README's table of papers says what the classes say."""

import re
from pathlib import Path

import pytest

from keras_gans import models

ROOT = Path(__file__).resolve().parent.parent
ROW = re.compile(r"\| (`\w+`(?:, `\w+`)*) \| (.+) \| \[(.+) (\d{4})\]\((\S+)\) \| (.+) \|")


def rows():
    """`{class name: (title, first author, year, address, examples)}`."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    found = {}
    for names, *cells in ROW.findall(text):
        for name in re.findall(r"`(\w+)`", names):
            found[name] = cells
    return found


@pytest.mark.parametrize("name", models.__all__)
def test_a_row_is_the_paper_of_its_class(name):
    title, author, year, address, examples = rows()[name]
    paper = getattr(models, name).paper
    assert title == paper.title
    assert paper.authors.startswith(author)
    assert int(year) == paper.year
    assert address == f"https://arxiv.org/abs/{paper.arxiv}"
    for path in re.findall(r"\((\S+)\)", examples):
        assert (ROOT / path).is_file()


def test_no_row_is_of_another_class():
    assert set(rows()) == set(models.__all__)
