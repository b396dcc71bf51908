"""The picture that `kylink watch` draws: jobs, campaigns by what they have left, alerts, and the keys."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from kylink_cli.console.sparkline import BLOCKS, Glyphs, sparkline, stock_bar
from kylink_cli.console.tables import ago, milliseconds, span
from kylink_cli.console.words import STATES
from kylink_cli.language import tr
from kylink_cli.overview.status import JobStatus
from kylink_cli.overview.watching import Scene
from kylink_cli.rules import counted
from kylink_cli.rules.moments import readable
from kylink_cli.rules.replenishment import Need, runway_minutes
from kylink_cli.rules.text import one_line
from kylink_cli.rules.vocabulary import JobName
from kylink_cli.rules.watching import Selection

BAR_WIDTH = 12
# Title, jobs with their heading, runs, headings of campaigns and alerts, keys.
_OTHER_LINES = 9
_WIDE = 110
_TEXT_LENGTH = 300


@dataclass(frozen=True, slots=True)
class Frame:
    """What a picture has to fit into, and what is drawn beside the scene."""

    width: int  # cells
    height: int  # lines
    selection: Selection
    typing: bool = False  # a text to search for is being typed
    error: str | None = None  # why the scene is an old one; None if it is not
    glyphs: Glyphs = BLOCKS

    @property
    def alert_lines(self) -> int:
        """How many alerts fit."""
        return max(2, self.height // 7)

    @property
    def campaign_lines(self) -> int:
        """How many campaigns fit."""
        return max(1, self.height - _OTHER_LINES - self.alert_lines)


def draw(scene: Scene | None, frame: Frame) -> RenderableType:
    """The whole picture, as many lines as the frame is high.

    Args:
        scene: what is seen; None if nothing could be read yet.
    """
    if scene is None:
        return Text(one_line(frame.error or "", _TEXT_LENGTH), style="bold red")
    parts: list[RenderableType] = [_title(scene, frame), _jobs(scene), _runs(scene), _campaigns(scene, frame)]
    if missing := frame.campaign_lines - len(scene.shown):
        parts.append(Text("\n" * (missing - 1)))
    return Group(*parts, _alerts(scene, frame), _keys(scene, frame))


def _title(scene: Scene, frame: Frame) -> Text:
    if frame.error is not None:
        return _line(frame.error, "bold red")
    counts = tr("{campaigns}, {low} low", campaigns=counted.campaigns(scene.campaigns), low=scene.low)
    cron = "" if scene.auto_cron else " · " + tr("scheduling is off")
    return _line(f"kylink · {readable(scene.now)} · {counts}{cron}", "bold")


def _jobs(scene: Scene) -> Table:
    table = _table([tr("JOB"), tr("STATE"), tr("RESULT"), tr("LAST RUN"), tr("TOOK"), tr("NEXT")])
    for status in scene.jobs:
        table.add_row(*_job(status, scene))
    return table


def _job(status: JobStatus, scene: Scene) -> list[Text]:
    last, state = status.last_ended, _state(status)
    following = None if status.next_run_at is None else max(timedelta(), status.next_run_at - scene.now)
    return [
        _line(status.job.name),
        Text(tr(state), style=STATES[state]),
        Text("-") if last is None else Text(tr(last.status), style=STATES[last.status]),
        Text("-" if last is None else ago(last.started_at, scene.now)),
        Text("-" if last is None else milliseconds(last.duration_ms) or "-"),
        Text("-" if following is None else span(following)),
    ]


def _state(status: JobStatus) -> str:
    if status.current is not None:
        return "running"
    if status.overdue:
        return "overdue"
    if status.paused_since is not None:
        return "paused"
    return "on" if status.enabled else "off"


def _runs(scene: Scene) -> Text:
    """The runs that are under way, in one line."""
    told = [
        tr(
            "run {id}: {finished} done, {claimed} in work, {items}, {calls} open",
            id=progress.run_id,
            finished=counted.campaigns(progress.finished),
            claimed=progress.claimed,
            items=counted.items(progress.items),
            calls=counted.calls(progress.open_requests),
        )
        if job == JobName.REPLENISH
        else tr("run {id} of {job}", id=progress.run_id, job=job)
        for job, progress in scene.progress.items()
    ]
    return _line(" · ".join(told) or tr("no run is under way"), "cyan" if told else "dim")


def _campaigns(scene: Scene, frame: Frame) -> Table:
    titles = [tr("CAMPAIGN"), tr("NAME"), tr("STOCK"), "", tr("WM"), tr("RUNWAY"), tr("LAST 24 H")]
    table = _table(titles, flexible=(0, 1), right=(3, 4, 5))
    for one in scene.shown:
        table.add_row(*_campaign(one, scene.consumption[one.level.campaign_id], frame))
    return table


def _campaign(one: Need, consumed: Sequence[int], frame: Frame) -> list[Text]:
    level, runway = one.level, runway_minutes(one)
    hours = consumed if frame.width >= _WIDE else [sum(consumed[at : at + 2]) for at in range(0, len(consumed), 2)]
    style = "red" if one.low else "" if level.active else "dim"
    return [
        _line(level.campaign_id, style),
        _line(level.name, style),
        stock_bar(level.available, one.watermark.items, one.target, BAR_WIDTH, frame.glyphs),
        Text(f"{level.available}/{one.target}", style=style),
        Text(str(one.watermark.items)),
        Text(tr("paused") if not level.active else "-" if runway is None else span(timedelta(minutes=runway))),
        Text(sparkline(hours, frame.glyphs), style="cyan"),
    ]


def _alerts(scene: Scene, frame: Frame) -> Table:
    table = _table([tr("ALERT"), tr("LEVEL"), tr("STATE"), tr("WHAT")], flexible=(3,))
    for alert in scene.alerts[: frame.alert_lines]:
        level = Text(tr(alert.level), style=STATES.get(alert.level, ""))
        table.add_row(Text(str(alert.id)), level, Text(tr(alert.state)), _line(alert.title))
    missing = frame.alert_lines - len(scene.alerts)
    if not scene.alerts:
        table.add_row("-", "-", "-", Text(tr("no alerts"), style="dim"))
        missing -= 1
    for _ in range(missing):
        table.add_row("")
    return table


def _keys(scene: Scene, frame: Frame) -> Text:
    if frame.typing:
        return _line(tr("search: {text}_  (enter: done, escape: everything)", text=frame.selection.text), "reverse")
    selection = frame.selection
    last = selection.first + len(scene.shown)
    parts = [
        tr("q quit"),
        tr("s sort: {sorting}", sorting=tr(selection.sorting)),
        tr("l low only: {choice}", choice=tr("on") if selection.low else tr("off")),
        tr("/ search: {text}", text=selection.text or "-"),
        tr("{first}-{last} of {number}", first=min(selection.first + 1, last), last=last, number=scene.matching),
    ]
    return _line("  ".join(parts), "reverse")


def _table(titles: Sequence[str], *, flexible: Sequence[int] = (), right: Sequence[int] = ()) -> Table:
    """A table whose flexible columns share what is left of the width."""
    table = Table(box=None, expand=bool(flexible), padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    for number, title in enumerate(titles):
        options: dict[str, Any] = {"ratio": 1} if number in flexible else {}
        justify: Literal["left", "right"] = "right" if number in right else "left"
        table.add_column(Text(title, no_wrap=True), justify=justify, no_wrap=True, overflow="ellipsis", **options)
    return table


def _line(text: str, style: str = "") -> Text:
    """One line, clean, and cut where the place for it ends."""
    return Text(one_line(text, _TEXT_LENGTH), style=style, no_wrap=True, overflow="ellipsis")
