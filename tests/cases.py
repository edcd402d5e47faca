"""The cases of all papers, each from the paper's own test file."""

import importlib
import sys
from pathlib import Path

DIRECTORY = Path(__file__).parent / "models"

if str(DIRECTORY) not in sys.path:
    sys.path.insert(0, str(DIRECTORY))

CASES = [
    case
    for file in sorted(DIRECTORY.glob("test_*.py"))
    for case in importlib.import_module(file.stem).CASES
]
BY_NAME = {case.name: case for case in CASES}
