"""What all commands share: options, errors in one line, a quiet import, a console for tables."""

import contextlib
import functools
import json
import os
import re
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

EXTRACTORS = "fashion, inception-2015:FILE or keras-inception[:FILE]"
OUTSIDE = ("config", "debug", "help")  # options that no file of options has


def read_config(context, path):
    """Takes a JSON file's values for the options that the command line does not give.

    Raises:
        typer.BadParameter: it is no such file, or a name or value in it fits no option.
    """
    if path is None:
        return None
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise typer.BadParameter(f"'{path}' must be a JSON file. Received: {error}") from error
    if not isinstance(values, dict):
        raise typer.BadParameter(f"'{path}' must hold an object. Received: {values!r}")
    known = {}
    for parameter in context.command.params:
        flags = [o.lstrip("-") for o in parameter.opts] if parameter.opts[0][0] == "-" else []
        known |= {name.replace("_", "-"): parameter for name in flags or [parameter.name]}
        if not flags:  # an argument also goes by what help calls it
            known[parameter.metavar.lower().replace("_", "-")] = parameter
    chosen = {}
    for name, value in values.items():
        parameter = known.get(name.replace("_", "-"))
        if parameter is None or parameter.name in OUTSIDE:
            names = ", ".join(sorted(n for n, p in known.items() if p.name not in OUTSIDE))
            raise typer.BadParameter(f"'{path}' must have the names {names}. Received: {name!r}")
        is_flag = getattr(parameter, "is_flag", False)
        if isinstance(value, bool) != is_flag and value is not None:
            rule = "true or false" if is_flag else "a number or text"
            raise typer.BadParameter(f"'{path}' must have {rule} for {name!r}. Received: {value!r}")
        if value is not None:
            chosen[parameter.name] = _as_typed(value, parameter.multiple)
    context.default_map = {**(context.default_map or {}), **chosen}
    return path


def _as_typed(value, multiple):
    """A value as one would type it: a list is written with commas where an option is given once."""
    if isinstance(value, list) and not multiple:
        return ",".join(map(str, value))
    return [value] if multiple and not isinstance(value, list) else value


Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        is_eager=True,
        callback=read_config,
        help='A JSON file with options by their names, such as {"steps": 2000}; those of the '
        "command line go before its.",
    ),
]
Debug = Annotated[bool, typer.Option("--debug", help="Show the Python traceback of an error.")]


def image_size(text, flag="--image-size"):
    """What `--image-size`, or another flag, says: `None`, or the pair (height, width).

    Raises:
        ValueError: it is neither a number nor two with an x between.
    """
    if text is None:
        return None
    found = re.fullmatch(r"\s*(\d+)\s*(?:[xX×,]\s*(\d+)\s*)?", text)
    size = found and (int(found[1]), int(found[2] or found[1]))
    if not size or not all(size):
        raise ValueError(
            f"{flag} must be a number, such as 64, or height and width, such as 48x80. "
            f"Received: '{text}'"
        )
    return size


def option(flag, metavar, text, default, **limits):
    """An option that may be left out, with words for what holds then."""
    text = f"{text} [dim]Default: {default}.[/dim]"
    return typer.Option(flag, metavar=metavar, help=text, show_default=False, **limits)


EXPECTED = (ValueError, OSError, ImportError, FloatingPointError)
UNREADABLE = re.compile(r"UnreadableError: (.+)")


def expects_errors(command):
    """Ends an expected error of a command as one red line on stderr, with exit code 2."""

    @functools.wraps(command)
    def wrapped(*args, debug=False, **kwargs):
        try:
            return command(*args, debug=debug, **kwargs)
        except Exception as error:
            text = _expected_text(error)
            if debug or text is None:
                raise
            # Messages of several lines, as Keras writes them, become one.
            message = " ".join(text.split()) or type(error).__name__
            typer.secho(f"Error: {message}", fg="red", err=True)
            raise typer.Exit(2) from None

    return wrapped


def _expected_text(error):
    """The text of an error that is no fault of this project, or None.

    A picture that is read while a model trains has its error inside one of TensorFlow's, which also
    holds a traceback.
    """
    if isinstance(error, EXPECTED):
        return str(error)
    found = UNREADABLE.search(str(error))
    return found and found[1]


LOG_LEVEL = "TF_CPP_MIN_LOG_LEVEL"  # TensorFlow reads it when it is imported; 3 is silence


@contextlib.contextmanager
def quiet_import():
    """Inside of it a command imports the module that does its work, and with it TensorFlow.

    TensorFlow's libraries write a few lines while they are loaded, past Python's `sys.stderr`, and
    before they have read what level of messages is wanted: their stderr is closed for as long. What
    fails is said by an exception in any case. Users who set the level see it all.
    """
    if LOG_LEVEL in os.environ:
        yield
        return
    os.environ[LOG_LEVEL] = "3"
    with open(os.devnull, "w") as nothing:
        stderr = os.dup(2)
        os.dup2(nothing.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)


def console():
    """A console of rich, as wide as the terminal."""
    # In a file or a pipe there is no width to keep to; rich would take 80 and cut words.
    return Console(width=None if sys.stdout.isatty() else 150)
