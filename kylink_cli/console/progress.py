"""The progress display of a job that works in batches: one bar for each kind of work."""

import logging
from types import TracebackType
from typing import Self

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from kylink_cli.console.lines import line
from kylink_cli.console.output import Console
from kylink_cli.language import tr
from kylink_cli.rules.text import one_line
from kylink_cli.running import events


class BatchProgress:
    """One bar for each kind of work of a job; what a person should look at stays as lines above."""

    def __init__(self, console: Console, command: str) -> None:
        self._command = command
        self._bars: dict[str, TaskID] = {}
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console.stderr,
            transient=True,
        )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def __call__(self, event: events.Event) -> None:
        """Draw one event."""
        if isinstance(event, events.BatchDone):
            self._advance(event)
            return
        level, text = line(event)
        if level >= logging.WARNING:
            self._progress.console.print(Text(one_line(text), style="yellow"))

    def _advance(self, event: events.BatchDone) -> None:
        if event.what not in self._bars:
            self._bars[event.what] = self._progress.add_task(f"{self._command}: {tr(event.what)}")
        self._progress.update(self._bars[event.what], completed=event.done, total=event.total)
