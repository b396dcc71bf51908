"""What the live view says of campaigns, alerts, jobs and runs: cells and lines."""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from rich.cells import cell_len
from rich.text import Text

from kylink_cli.console.sparkline import Glyphs, sparkline, stock_bar
from kylink_cli.console.tables import milliseconds, span
from kylink_cli.console.watch.columns import LiveColumn
from kylink_cli.console.words import STATES
from kylink_cli.language import tr
from kylink_cli.overview.watching import Filling, OpenAlert, Scene, Seen
from kylink_cli.rules import counted
from kylink_cli.rules.demand import MINUTES_AN_HOUR
from kylink_cli.rules.replenishment import runway_minutes
from kylink_cli.rules.text import isolated, one_line
from kylink_cli.rules.watching import Selection

HOURS = 24
_TEXT_LENGTH = 300
_NAME_WIDTH = 24
_BAR_WIDTH = 20
# Before the last part of an error, in either language.
_CLAUSE = re.compile(r": |\uff1a")


def campaign_columns(rows: Sequence[Seen]) -> list[LiveColumn]:
    """The columns of the campaigns; an id is whole."""
    ids = max((cell_len(one.need.level.campaign_id) for one in rows), default=0)
    users = max((cell_len(one.need.level.user_id) for one in rows[:1000]), default=0)
    has_errors = any(one.last_error for one in rows)
    return [
        LiveColumn(tr("CAMPAIGN"), max(cell_len(tr("CAMPAIGN")), ids)),
        LiveColumn(tr("NAME"), 14, 40, spare=1),
        LiveColumn(tr("USER"), min(max(6, users), 12), min(users, 20), spare=6),
        LiveColumn("", 8, 24, spare=2),
        LiveColumn(tr("STOCK"), 7, align="right"),
        LiveColumn(tr("WM"), 4, align="right", spare=5),
        LiveColumn(tr("RUNWAY"), 8, align="right"),
        LiveColumn(tr("LAST 24 H"), 12, spare=4),
        LiveColumn(tr("ERROR"), 14 if has_errors else 0, 80 if has_errors else 0, spare=3),
    ]


def campaign_cells(one: Seen, room: Sequence[int], glyphs: Glyphs, now: datetime) -> list[Text]:
    """A campaign's row."""
    need = one.need
    level = need.level
    style = "dim" if not level.active else "bold red" if level.available == 0 else "red" if need.low else ""
    return [
        Text(one_line(level.campaign_id), style=style),
        Text(isolated(one_line(level.name, _TEXT_LENGTH)), style=style),
        Text(isolated(one_line(level.user_id, _TEXT_LENGTH)), style="dim"),
        stock_bar(level.available, need.watermark.items, need.target, max(1, room[3]), glyphs),
        Text(f"{level.available}/{need.target}", style=style),
        Text(str(need.watermark.items)),
        Text(_runway(one), style=style),
        Text(sparkline(_asked(one, now), glyphs), style="cyan"),
        Text(_reason(one_line(one.last_error or "", _TEXT_LENGTH), room[8]), style="red"),
    ]


def _reason(error: str, room: int) -> str:
    """An error, or only its last part where there is no room for all: that tells most."""
    return error if cell_len(error) <= room else _CLAUSE.split(error)[-1]


def _runway(one: Seen) -> str:
    level, runway = one.need.level, runway_minutes(one.need)
    if not level.active:
        return tr("paused")
    if level.available == 0:
        return tr("empty")
    return "-" if runway is None else span(timedelta(minutes=runway))


def _asked(one: Seen, now: datetime) -> list[int]:
    """What was asked for in each two of the last 24 hours."""
    hours, this = one.need.level.history.hours, int(now.timestamp()) // 60 // MINUTES_AN_HOUR
    asked = [hours[this - back].items if this - back in hours else 0 for back in reversed(range(HOURS))]
    return [sum(asked[at : at + 2]) for at in range(0, HOURS, 2)]


def alert_columns(rows: Sequence[OpenAlert]) -> list[LiveColumn]:
    """The columns of the alerts."""
    return [
        LiveColumn(tr("ALERT"), max([cell_len(tr("ALERT")), *[len(str(alert.id)) for alert in rows]]), align="right"),
        LiveColumn(tr("LEVEL"), 7),
        LiveColumn(tr("STATE"), 12, spare=1),
        LiveColumn(tr("SEEN"), 8, spare=2),
        LiveColumn(tr("WHAT"), 20, 200),
    ]


def alert_cells(alert: OpenAlert, now: datetime) -> list[Text]:
    """An alert's row."""
    return [
        Text(str(alert.id)),
        Text(tr(alert.level), style=STATES.get(alert.level, "")),
        Text(tr(alert.state)),
        Text(brief(now - alert.last_seen_at)),
        Text(isolated(one_line(alert.title, _TEXT_LENGTH))),
    ]


def brief(length: timedelta) -> str:
    """A length of time to the minute, so that a quiet room is not drawn again each second."""
    if length >= timedelta(minutes=2):
        return span(length)
    return tr("1 min") if length >= timedelta(minutes=1) else tr("< 1 min")


def title(scene: Scene) -> Text:
    """How many campaigns there are, and how many need somebody."""
    line = Text(tr("kylink"), style="bold", no_wrap=True, overflow="ellipsis")
    if not scene.campaigns:
        return line.append(" · ").append(tr("no campaigns yet: try 'kylink campaigns add' or 'kylink demo'"))
    line.append(f" · {counted.campaigns(len(scene.campaigns))}")
    comma = " · "
    for number, words, style in (
        (scene.empty, tr("{n} empty", n=scene.empty), "bold red"),
        (scene.low, tr("{n} low", n=scene.low), "red"),
        (scene.failing, tr("{n} failing", n=scene.failing), "red"),
        (scene.paused, tr("{n} paused", n=scene.paused), "yellow"),
    ):
        if number:
            line.append(comma).append(words, style=style)
            comma = ", "
    if not scene.auto_cron:
        line.append(" · ").append(tr("scheduling is off"), style="yellow")
    return line


def jobs(scene: Scene) -> Iterator[Text]:
    """A line for each job: how it is, how its last run went, and when it runs next."""
    for status in scene.jobs:
        state, last = status.state, status.last_ended
        line = Text(f"{status.job.name:<18}", no_wrap=True, overflow="ellipsis")
        line.append(f"{tr(state)}", style=STATES[state])
        if last is not None:
            line.append(" · ").append(tr(last.status), style=STATES[last.status])
            line.append(
                tr(
                    " {span} ago in {took}",
                    span=brief(scene.now - last.started_at),
                    took=milliseconds(last.duration_ms) or "-",
                )
            )
        if status.next_run_at is not None and status.current is None:
            left = status.next_run_at - scene.now
            line.append(" · " + (tr("due") if left <= timedelta() else tr("next in {span}", span=brief(left))))
        yield line


def runs(scene: Scene, glyphs: Glyphs) -> Iterator[Text]:
    """The runs under way, and below a replenish run what it is filling, a bar each."""
    for progress in scene.progress.values():
        said = tr(
            "run {id}: {finished} done, {claimed} in work, {items}, {calls} open",
            id=progress.run_id,
            finished=counted.campaigns(progress.finished),
            claimed=progress.claimed,
            items=counted.items(progress.items),
            calls=counted.supply_requests(progress.open_requests),
        )
        yield Text(said, style="cyan", no_wrap=True, overflow="ellipsis")
    for filling in scene.filling:
        yield _filling(filling, glyphs)


def _filling(filling: Filling, glyphs: Glyphs) -> Text:
    name = Text(isolated(one_line(filling.name, _TEXT_LENGTH)))
    name.truncate(_NAME_WIDTH, overflow="ellipsis", pad=True)
    ordered = max(1, filling.ordered)
    full = min(_BAR_WIDTH, filling.produced * _BAR_WIDTH // ordered)
    line = Text.assemble("  ", name, "  ", (glyphs.full * full, "cyan"), (glyphs.empty * (_BAR_WIDTH - full), "dim"))
    line.append(f"  {filling.produced}/{filling.ordered}  {one_line(filling.campaign_id)}")
    line.no_wrap, line.overflow = True, "ellipsis"
    return line


def keys(selection: Selection, number: int) -> Text:
    """How many campaigns there are to see, and what the keys do."""
    said = tr("{number} with {text!r}", number=number, text=selection.text) if selection.text else f"{number:,}"
    parts = [
        said,
        tr("? help"),
        tr("q quit"),
        tr("enter open"),
        tr("r replenish"),
        tr("p pause"),
        tr("a acknowledge"),
        tr("/ filter"),
        tr("l everything") if selection.low else tr("l low only"),
        tr("s sort: {sorting}", sorting=tr(selection.sorting)),
    ]
    return Text("  ".join(parts), no_wrap=True, overflow="ellipsis")
