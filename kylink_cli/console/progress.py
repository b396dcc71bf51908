"""The progress displays of runs on a terminal: of a replenish run, and of a job that works in batches."""

import logging
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from rich.console import RenderableType
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from kylink_cli.console.lines import line
from kylink_cli.console.output import Console
from kylink_cli.console.words import STATES
from kylink_cli.language import tr
from kylink_cli.rules import counted
from kylink_cli.rules.text import one_line
from kylink_cli.rules.vocabulary import ResultStatus
from kylink_cli.running import events

NAME_WIDTH = 22
BAR_WIDTH = 10
REFRESHES_PER_SECOND = 8
# Lines that the display leaves to the shell's prompt and its own summary.
RESERVED_LINES = 4


@dataclass(slots=True)
class _Row:
    """A campaign in flight, or waiting for its next try."""

    name: str
    ordered: int
    attempt: int
    tries: int
    produced: int = 0
    retry_at: float | None = None
    error: str = ""

    @property
    def note(self) -> str:
        if self.retry_at is None:
            return tr("try {attempt}/{tries}", attempt=self.attempt, tries=self.tries)
        seconds = max(0, round(self.retry_at - time.monotonic()))
        return tr(
            "try {attempt}/{tries}, next in {seconds} s: {error}",
            attempt=self.attempt,
            tries=self.tries,
            seconds=seconds,
            error=self.error,
        )


class ProgressDisplay:
    """The whole of a replenish run, and each campaign in flight; what went wrong stays as lines above.

    It draws a run's events while it is used as a context manager, as `BatchProgress` does.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._campaigns = 0
        self._items = 0
        self._done = 0
        self._stored = 0
        self._rows: dict[str, _Row] = {}
        self._began = time.monotonic()
        self._live = Live(
            console=console.stderr,
            get_renderable=self._render,
            refresh_per_second=REFRESHES_PER_SECOND,
            transient=True,
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def __call__(self, event: events.Event) -> None:
        """Draw one event."""
        match event:
            case events.WorkFound():
                self._campaigns, self._items = event.campaigns, event.items
            case events.AttemptStarted():
                self._begin(event)
            case events.ItemsStored():
                self._stored += event.items
                self._rows[event.campaign_id].produced += event.items
            case events.RetryWaiting():
                self._wait(event)
            case events.CampaignFinished():
                self._finish(event)
            case events.RunStarted() | events.RunFinished():
                pass
            case _:
                self._print(event)

    def _begin(self, event: events.AttemptStarted) -> None:
        fresh = _Row(event.name, event.ordered, event.attempt, event.tries)
        row = self._rows.setdefault(event.campaign_id, fresh)
        row.attempt, row.retry_at = event.attempt, None

    def _wait(self, event: events.RetryWaiting) -> None:
        row = self._rows[event.campaign_id]
        row.retry_at = time.monotonic() + event.wait_ms / 1000
        row.error = one_line(event.error)

    def _finish(self, event: events.CampaignFinished) -> None:
        self._done += 1
        self._rows.pop(event.campaign_id, None)
        if event.status not in {ResultStatus.SUCCEEDED, ResultStatus.SKIPPED}:
            self._print(event)

    def _print(self, event: events.Event) -> None:
        _, text = line(event)
        style = STATES.get(event.status, "") if isinstance(event, events.CampaignFinished) else "yellow"
        self._console.stderr.print(Text(one_line(text), style=style))

    def _render(self) -> RenderableType:
        """The whole, then those that are being filled, then those that wait; as many as fit."""
        grid = Table.grid(padding=(0, 2), expand=True)
        grid.add_column(width=NAME_WIDTH, min_width=NAME_WIDTH, no_wrap=True, overflow="ellipsis")
        grid.add_column(width=BAR_WIDTH, min_width=BAR_WIDTH)
        grid.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
        grid.add_row(*self._whole())
        room = max(1, self._console.stderr.height - RESERVED_LINES)
        rows = sorted(self._rows.values(), key=lambda row: row.retry_at or 0)
        for row in rows[:room]:
            grid.add_row(*_cells(row))
        if len(rows) > room:
            grid.add_row(Text(tr("… and {number} more", number=len(rows) - room)))
        return grid

    def _whole(self) -> tuple[RenderableType, ...]:
        elapsed = round(time.monotonic() - self._began)
        text = tr(
            "{done}/{campaigns} · {stored}/{items} · {elapsed} s",
            done=self._done,
            campaigns=counted.campaigns(self._campaigns),
            stored=self._stored,
            items=counted.items(self._items),
            elapsed=elapsed,
        )
        return Text("replenish", style="bold"), _bar(self._done, self._campaigns), Text(text)


def _cells(row: _Row) -> tuple[RenderableType, ...]:
    note = Text(f"{row.produced}/{row.ordered} · {row.note}", style="" if row.retry_at is None else "yellow")
    return Text(one_line(row.name)), _bar(row.produced, row.ordered), note


def _bar(completed: int, total: int) -> ProgressBar:
    return ProgressBar(total=max(1, total), completed=completed, width=BAR_WIDTH)


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
