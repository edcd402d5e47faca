"""Runs that are kept in a JSON lines file, so that none is made twice."""

import argparse
import json


def read_rows(path):
    """The rows of a JSON lines file. A last line cut short is left out."""
    rows = []
    for line in path.read_text().splitlines() if path.exists() else []:
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return rows


def append(path, row):
    """Adds a line to a JSON lines file, and keeps it apart from one that was cut short."""
    text = path.read_text() if path.exists() else ""
    with open(path, "a") as file:
        file.write("\n" * (text[-1:] not in ("", "\n")) + json.dumps(row) + "\n")


def names(option, known):
    """A type for argparse: names between commas."""

    def parse(text):
        given = [name.strip() for name in text.split(",")]
        for name in given:
            if name not in known:
                raise argparse.ArgumentTypeError(
                    f"`{option}` must be among {', '.join(known)}. Received: {name!r}"
                )
        return list(dict.fromkeys(given))

    return parse
