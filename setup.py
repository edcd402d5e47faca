"""What setup.cfg can't say: a wheel holds a few presets, made of `savedmodels/` as it is built."""

import sys
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

ROOT = Path(__file__).resolve().parent
SAVEDMODELS = ROOT / "savedmodels"
SHIPPED = "keras_gans/shipped_presets"

sys.path.insert(0, str(ROOT / "tools"))
from package_presets import package  # noqa: E402


class BuildPresets(build_py):
    """Puts the presets into the wheel; an editable installation reads `savedmodels/` itself."""

    def run(self):
        super().run()
        if not self.editable_mode and SAVEDMODELS.is_dir():  # a source archive has them made
            package(SAVEDMODELS, Path(self.build_lib) / SHIPPED)


class ArchivePresets(sdist):
    """Puts the presets into the source archive as a wheel has them, an eighth of the size."""

    def make_release_tree(self, base_dir, files):
        super().make_release_tree(base_dir, files)
        if SAVEDMODELS.is_dir():
            package(SAVEDMODELS, Path(base_dir) / SHIPPED)


setup(cmdclass={"build_py": BuildPresets, "sdist": ArchivePresets})
