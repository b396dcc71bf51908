"""Who shows a run's events: a progress display on a terminal, log lines elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager

from kylink_cli.console.lines import RunLog
from kylink_cli.console.output import Console
from kylink_cli.running.events import Observer


@contextmanager
def observing(console: Console, command: str) -> Iterator[Observer]:
    """Show events for the length of a `with` block.

    Args:
        console: where they are shown.
    """
    if not console.shows_progress:
        yield RunLog(console, command)
        return
    from kylink_cli.console.batch_progress import BatchProgress
    from kylink_cli.console.progress import ProgressDisplay

    display = ProgressDisplay(console) if command == "replenish" else BatchProgress(console, command)
    with display:
        yield display
