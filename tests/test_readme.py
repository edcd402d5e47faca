"""README's table of papers says what the classes say."""

import re
from pathlib import Path

import pytest

from keras_gans import models, networks

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


def code_under(heading):
    """The first block of code of a section."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return re.search(rf"^## {heading}$.*?```python\n(.*?)```", text, re.DOTALL | re.MULTILINE)[1]


def test_the_seeds_of_the_ten_lines_fix_all_weights():
    code = code_under("Ten lines").partition("gan.fit")[0]
    runs = [{}, {}]
    for names in runs:
        exec(code, names)
    first, second = (names["gan"].get_weights() for names in runs)
    assert all((a == b).all() for a, b in zip(first, second, strict=True))


def test_many_devices_as_printed(two_replicas):
    """The networks are built inside of the scope."""
    code = code_under("Many devices").partition("gan.fit")[0]
    names = {name: getattr(models, name) for name in models.__all__}
    names |= {name: getattr(networks, name) for name in networks.__all__}

    class Strategies:
        """Makes the one strategy that a process of tests can have."""

        class distribute:
            MirroredStrategy = staticmethod(lambda: two_replicas)

    exec(code, names | {"tf": Strategies})
