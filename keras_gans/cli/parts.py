"""What all commands share: options, errors in one line, a quiet import, a console for tables."""

import contextlib
import functools
import os
import sys
from typing import Annotated

import typer
from rich.console import Console

EXTRACTORS = "fashion, inception-2015:FILE or keras-inception[:FILE]"
Debug = Annotated[bool, typer.Option("--debug", help="Show the Python traceback of an error.")]


def option(flag, metavar, text, default, **limits):
    """An option that may be left out, with words for what holds then."""
    text = f"{text} [dim]Default: {default}.[/dim]"
    return typer.Option(flag, metavar=metavar, help=text, show_default=False, **limits)


def expects_errors(command):
    """Ends an expected error of a command as one red line on stderr, with exit code 2."""

    @functools.wraps(command)
    def wrapped(*args, debug=False, **kwargs):
        try:
            return command(*args, debug=debug, **kwargs)
        except (ValueError, OSError, ImportError, FloatingPointError) as error:
            if debug:
                raise
            # Messages of several lines, as Keras writes them, become one.
            message = " ".join(str(error).split()) or type(error).__name__
            typer.secho(f"Error: {message}", fg="red", err=True)
            raise typer.Exit(2) from None

    return wrapped


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
