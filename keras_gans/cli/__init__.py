"""The command line: options in `app`, which imports what a command needs when it needs it."""

from keras_gans.cli.app import main

__all__ = ["main"]
