"""What all commands share: options, errors in one line, a console for tables."""

import functools
import sys
from typing import Annotated

import typer

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


def console():
    """A console of rich, as wide as the terminal."""
    from rich.console import Console

    # In a file or a pipe there is no width to keep to; rich would take 80 and cut words.
    return Console(width=None if sys.stdout.isatty() else 150)
