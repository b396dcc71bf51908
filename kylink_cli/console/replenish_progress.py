"""The progress display of a replenish run on a terminal: what is in flight, what waits, and what has failed."""

import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType
from typing import Self

from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from kylink_cli.console.lines import line
from kylink_cli.console.output import Console
from kylink_cli.console.tables import span
from kylink_cli.language import tr
from kylink_cli.rules import counted
from kylink_cli.rules.error_groups import Failing, shared_reason
from kylink_cli.rules.text import isolated, one_line
from kylink_cli.rules.vocabulary import ResultStatus
from kylink_cli.running import events

NAME_WIDTH = 22
BAR_WIDTH = 10
REFRESHES_PER_SECOND = 4
# Lines that the display leaves to the shell's prompt and its own headings.
RESERVED_LINES = 6
# The pace is that of the last half minute.
_PACE_SECONDS = 30
_LISTED_REASONS = 3


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


class ProgressDisplay:
    """Draws a run's events while it is used as a context manager; how the run went is said after its end."""

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        """Draw on a console.

        Args:
            clock: seconds, which never go back.
        """
        self._console = console
        self._clock = clock
        self._work = events.WorkFound(0, 0)
        self._done = Counter[str]()
        self._stored: deque[tuple[float, int]] = deque()
        self._rows: dict[str, _Row] = {}
        self._failed = Counter[str]()  # campaigns by their reason
        self._errors: dict[str, str] = {}  # as the first campaign of each reason tells it
        self._paused: tuple[float, str] | None = None
        self._items = 0
        self._began = clock()
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
                self._work = event
            case events.AttemptStarted():
                self._begin(event)
            case events.ItemsStored():
                self._store(event)
            case events.RetryWaiting():
                row = self._rows[event.campaign_id]
                row.retry_at, row.error = self._clock() + event.wait_ms / 1000, one_line(event.error)
            case events.SupplyPaused():
                self._paused = (self._clock() + event.wait_ms / 1000, one_line(event.error))
            case events.CampaignFinished():
                self._finish(event)
            case events.RunStarted() | events.RunFinished():
                pass
            case _:
                self._console.stderr.print(Text(one_line(line(event)[1]), style="yellow"))

    def _begin(self, event: events.AttemptStarted) -> None:
        fresh = _Row(event.name, event.ordered, event.attempt, event.tries)
        row = self._rows.setdefault(event.campaign_id, fresh)
        row.attempt, row.retry_at = event.attempt, None

    def _store(self, event: events.ItemsStored) -> None:
        self._paused = None
        self._items += event.items
        self._stored.append((self._clock(), event.items))
        self._rows[event.campaign_id].produced += event.items

    def _finish(self, event: events.CampaignFinished) -> None:
        self._done[event.status] += 1
        self._rows.pop(event.campaign_id, None)
        if event.status not in {ResultStatus.SUCCEEDED, ResultStatus.SKIPPED}:
            failing = Failing(event.campaign_id, event.name, one_line(event.error or tr(event.status)))
            reason = shared_reason(failing)
            self._failed[reason] += 1
            self._errors.setdefault(reason, failing.error)

    def _render(self) -> RenderableType:
        """The whole, then what is in flight, what waits, and what has failed; as much as fits."""
        grid = Table.grid(padding=(0, 2), expand=True)
        grid.add_column(width=NAME_WIDTH, min_width=NAME_WIDTH, no_wrap=True, overflow="ellipsis")
        grid.add_column(width=BAR_WIDTH, min_width=BAR_WIDTH)
        grid.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
        if self._paused is not None:
            grid.add_row(Text(tr("service down"), "bold red"), "", Text(self._outage(*self._paused), "red"))
        reasons = list(self._reasons())
        room = max(1, self._console.stderr.height - RESERVED_LINES - len(reasons))
        for row in [*self._flying(room), *reasons]:
            grid.add_row(*row)
        return Group(self._first_line(), grid) if grid.row_count else self._first_line()

    def _first_line(self) -> RenderableType:
        line, done = Table.grid(padding=(0, 2), expand=True), self._done.total()
        line.add_column(width=BAR_WIDTH, min_width=BAR_WIDTH)
        line.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
        line.add_row(_bar(done, self._work.campaigns), Text(self._whole(done), style="bold"))
        return line

    def _whole(self, done: int) -> str:
        said = tr(
            "{done}/{campaigns} · {stored}/{items}",
            done=done,
            campaigns=counted.campaigns(self._work.campaigns),
            stored=f"{self._items:,}",
            items=counted.items(self._work.items),
        )
        now = self._clock()
        while self._stored and self._stored[0][0] < now - _PACE_SECONDS:
            self._stored.popleft()
        seconds = min(_PACE_SECONDS, max(1.0, now - self._began))
        pace = sum(items for _, items in self._stored) / seconds
        if pace > 0:
            said += tr(" · {pace}/s", pace=f"{pace:.1f}" if pace < 10 else f"{pace:.0f}")
            left = max(0, self._work.items - self._items) / pace
            said += tr(" · {span} left", span=span(timedelta(seconds=left))) if left else ""
        return said + tr(" · {elapsed} s", elapsed=round(now - self._began))

    def _outage(self, until: float, error: str) -> str:
        seconds = max(0, round(until - self._clock()))
        return tr("next probe in {seconds} s: {error}", seconds=seconds, error=error)

    def _flying(self, room: int) -> Iterator[tuple[RenderableType, ...]]:
        """A line for each campaign in flight, then for each that waits, the next first."""
        flying = [row for row in self._rows.values() if row.retry_at is None]
        waiting = sorted((row for row in self._rows.values() if row.retry_at is not None), key=_moment)
        if flying:
            yield Text(tr("in flight: {number}", number=len(flying)), "cyan"), "", ""
        yield from map(self._row, flying[:room])
        if waiting:
            yield Text(tr("waiting: {number}", number=len(waiting)), "yellow"), "", ""
        yield from map(self._row, waiting[: max(0, room - len(flying))])
        if len(self._rows) > room:
            yield Text(tr("… and {number} more", number=len(self._rows) - room)), "", ""

    def _row(self, row: _Row) -> tuple[RenderableType, ...]:
        said = tr(
            "{produced}/{ordered} · try {attempt}/{tries}",
            produced=row.produced,
            ordered=row.ordered,
            attempt=row.attempt,
            tries=row.tries,
        )
        if row.retry_at is not None:
            seconds = max(0, round(row.retry_at - self._clock()))
            said += tr(", next in {seconds} s: {error}", seconds=seconds, error=row.error)
        name = Text(isolated(one_line(row.name)))
        return name, _bar(row.produced, row.ordered), Text(said, style="" if row.retry_at is None else "yellow")

    def _reasons(self) -> Iterator[tuple[RenderableType, ...]]:
        """A line for each reason for which campaigns have failed."""
        if self._failed:
            yield Text(tr("failed: {number}", number=self._failed.total()), "red"), "", ""
        for reason, number in self._failed.most_common(_LISTED_REASONS):
            yield Text(f"  {counted.campaigns(number)}"), "", Text(self._errors[reason], "red")


def _moment(row: _Row) -> float:
    return row.retry_at or 0


def _bar(completed: int, total: int) -> ProgressBar:
    return ProgressBar(total=max(1, total), completed=completed, width=BAR_WIDTH)
