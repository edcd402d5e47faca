"""The cases of all papers, each from the paper's own test file."""

import importlib
import sys
from pathlib import Path

DIRECTORY = Path(__file__).parent / "models"

if str(DIRECTORY) not in sys.path:
    sys.path.insert(0, str(DIRECTORY))

PAPERS = [importlib.import_module(file.stem) for file in sorted(DIRECTORY.glob("test_*.py"))]
CASES = [case for paper in PAPERS for case in paper.CASES]
ROLES = {name: roles for paper in PAPERS for name, roles in paper.ROLES.items()}
BY_NAME = {case.name: case for case in CASES}
