"""Who shows a run's events: a progress display on a terminal, log lines elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from kylink_cli.console.lines import RunLog
from kylink_cli.console.output import Console
from kylink_cli.running.events import Teller


@contextmanager
def observing(console: Console, command: str) -> Iterator[Teller]:
    """Show events for the length of a `with` block, as far as they can be shown.

    Args:
        console: where they are shown.
    """
    if not console.shows_progress:
        yield in_lines(console, command)
        return
    from kylink_cli.console.progress import BatchProgress
    from kylink_cli.console.replenish_progress import ProgressDisplay

    display = ProgressDisplay(console) if command == "replenish" else BatchProgress(console, command)
    # A terminal that has gone away ends the display, and nothing else.
    with suppress(OSError):
        display.__enter__()
    try:
        yield Teller(display)
    finally:
        with suppress(OSError):
            display.__exit__(None, None, None)


def in_lines(console: Console, command: str) -> Teller:
    """Show events as log lines, as far as they can be written."""
    return Teller(RunLog(console, command))
