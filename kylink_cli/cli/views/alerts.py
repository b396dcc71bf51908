"""What alerts, silences and channels look like."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kylink_cli.alerting.acts import AlertResult
from kylink_cli.alerting.delivery import Probed
from kylink_cli.console import Console
from kylink_cli.console.output import iso
from kylink_cli.console.tables import Column, ago, span
from kylink_cli.errors import NotFoundError, PartlyDoneError
from kylink_cli.language import tr
from kylink_cli.rules import counted
from kylink_cli.rules.alert_views import for_user
from kylink_cli.rules.moments import readable
from kylink_cli.rules.text import one_line
from kylink_cli.store.alerts import document
from kylink_cli.store.outbox import Undelivered
from kylink_cli.store.tables import Alert, SilenceRecord

_COLUMNS = [
    Column("ID", "right"),
    Column("LEVEL", words=True),
    Column("STATE", words=True),
    Column("TYPE"),
    Column("LAST SEEN"),
    Column("WHAT", wraps=True),
]
_RESULT_COLUMNS = [Column("ID", "right"), Column("STATE", words=True), Column("ANSWER", flexible=True)]
_SILENCE_COLUMNS = [
    Column("ID", "right"),
    Column("TYPE"),
    Column("CAMPAIGN"),
    Column("USER"),
    Column("ENDS"),
    Column("REASON", flexible=True),
]
_PROBE_COLUMNS = [Column("CHANNEL"), Column("FROM"), Column("RESULT", wraps=True)]


@dataclass(frozen=True, slots=True)
class Viewer:
    """A user who sees alerts, and no campaigns but his own."""

    user_id: str
    campaign_ids: Collection[str]


def show_list(
    console: Console,
    found: Sequence[Alert],
    undelivered: Sequence[Undelivered],
    now: datetime,
    viewer: Viewer | None = None,
) -> None:
    """Show alerts, one a row, and below them which notifications did not arrive.

    Args:
        viewer: whose campaigns alone the alerts are to speak of; None for all.
    """
    if console.json:
        documents = [document(alert) for alert in found]
        if viewer is not None:
            documents = [for_user(shown, viewer.user_id, viewer.campaign_ids) for shown in documents]
        console.document({"alerts": documents})
        return
    if found:
        console.table(_COLUMNS, [_row(alert, now) for alert in found])
    else:
        console.say(tr("no alerts"))
    show_undelivered(console, undelivered)


def show_alert(console: Console, alert: Alert, users: Sequence[str]) -> None:
    """Show one alert whole."""
    facts = document(alert)
    if console.json:
        console.document({**facts, "users": users, "silenced_until": alert.silenced_until})
        return
    console.say(
        tr(
            "alert {id}: {level} {type}, {state}, seen {times}",
            id=alert.id,
            level=tr(alert.level),
            type=alert.type,
            state=tr(alert.state),
            times=counted.times(alert.count),
        )
    )
    moments = ("first_seen_at", "last_seen_at", "acknowledged_at", "resolved_at")
    known = {name: facts[name] for name in moments if facts[name] is not None}
    console.facts(known | ({"users": ", ".join(users)} if users else {}))
    console.say()
    for line in alert.message.splitlines():
        console.say(one_line(line))
    console.say()
    console.facts({"metadata": one_line(json.dumps(alert.details, ensure_ascii=False), 1_000)})


def show_results(console: Console, results: Sequence[AlertResult]) -> int:
    """Show what an act on alerts has come to.

    Returns:
        The exit code: 0 if all are as was asked for, 10 if some are, 11 if there is no such alert, else 1.
    """
    if console.json:
        console.document(
            {"results": [{"id": r.alert_id, "ok": r.ok, "state": r.state, "message": r.message} for r in results]}
        )
    else:
        console.table(_RESULT_COLUMNS, [[r.alert_id, r.state, r.message] for r in results])
    if all(result.ok for result in results):
        return 0
    if any(result.ok for result in results):
        return PartlyDoneError.exit_code
    return NotFoundError.exit_code if all(result.state == "unknown" for result in results) else 1


def show_silence(console: Console, record: SilenceRecord) -> None:
    """Show a silence that begins."""
    if console.json:
        console.document(_silence_document(record))
        return
    ends = readable(record.until)
    console.say(tr("silence {id} lasts until {ends}; 'kylink alerts unsilence {id}' ends it", id=record.id, ends=ends))


def show_silences(console: Console, found: Sequence[SilenceRecord], now: datetime) -> None:
    """Show silences, one a row."""
    if console.json:
        console.document({"silences": [_silence_document(record) for record in found]})
    elif not found:
        console.say(tr("nothing is silenced"))
    else:
        rows = [
            [r.id, r.type, r.campaign_id, r.user_id, tr("in {span}", span=span(r.until - now)), r.reason] for r in found
        ]
        console.table(_SILENCE_COLUMNS, rows)


def show_probe(console: Console, results: Sequence[Probed]) -> None:
    """Show which channels work."""
    if console.json:
        channels = [
            {"channel": r.channel, "min_level": r.lowest, "ok": r.error is None, "error": r.error} for r in results
        ]
        console.document({"channels": channels})
        return
    console.table(
        _PROBE_COLUMNS, [[r.channel, tr("{level} on", level=tr(r.lowest)), r.error or tr("sent")] for r in results]
    )


def show_purged(console: Console, purged: int, kept_days: int) -> None:
    """Show how much was deleted."""
    if console.json:
        console.document({"purged": purged, "kept_days": kept_days})
    else:
        console.say(tr("{rows} older than {days} deleted", rows=counted.rows(purged), days=counted.days(kept_days)))


def show_undelivered(console: Console, undelivered: Sequence[Undelivered]) -> None:
    """Show which notifications did not arrive."""
    for one in undelivered:
        console.say(f"\n{one_line(one.text)}")


def _row(alert: Alert, now: datetime) -> list[Any]:
    return [alert.id, alert.level, alert.state, alert.type, ago(alert.last_seen_at, now), alert.title]


def _silence_document(record: SilenceRecord) -> dict[str, Any]:
    return {
        "id": record.id,
        "type": record.type,
        "campaign_id": record.campaign_id,
        "user_id": record.user_id,
        "reason": record.reason,
        "created_at": iso(record.created_at),
        "until": iso(record.until),
    }
