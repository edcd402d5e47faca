"""docs/settings.md is what the classes say, and has every model with its deviations."""

import sys
from pathlib import Path

import pytest

from keras_gans import models

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def build_settings():
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        import build_settings
    finally:
        sys.path.pop(0)
    return build_settings


@pytest.mark.slow
def test_the_page_is_up_to_date(build_settings):
    """After a change of settings: `python tools/build_settings.py`."""
    assert build_settings.PAGE.read_text(encoding="utf-8") == build_settings.page()


@pytest.mark.parametrize("name", models.__all__)
def test_each_model_lists_its_deviations(build_settings, name):
    items = build_settings.deviations(getattr(models, name))
    text = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert items and all(item and f"- {item}" in text for item in items)
    assert f"`{name}`" in text


def test_a_file_without_a_list(build_settings, monkeypatch):
    monkeypatch.setattr(sys.modules[models.GAN.__module__], "__doc__", "A GAN.")
    with pytest.raises(ValueError, match="GAN's file must list its deviations"):
        build_settings.deviations(models.GAN)
