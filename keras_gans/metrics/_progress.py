"""A progress bar for work whose length is known."""

import contextlib
import sys


@contextlib.contextmanager
def progress_bar(shown=True):
    """Gives a function `track(items, words, total)` that yields the items and shows how far it is.

    The bar is on stderr and goes away in the end. Where stderr is no terminal there is none.

    Args:
        shown: bool; False for none at all.

    Example:

    >>> with progress_bar() as track:
    ...     for batch in track(batches, "Reading", len(batches)):
    ...         metric.update_state(batch)
    """
    if not (shown and sys.stderr is not None and sys.stderr.isatty()):
        yield lambda items, words, total: items
        return
    from rich import progress  # here, so that importing the package stays cheap
    from rich.console import Console

    columns = (
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.TaskProgressColumn(),
        progress.TimeRemainingColumn(),
    )
    with progress.Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield lambda items, words, total: bar.track(items, total, description=words)
