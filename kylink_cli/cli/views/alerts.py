"""What alerts, silences and channels look like."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from kylink_cli.console import Console
from kylink_cli.console.output import iso
from kylink_cli.console.tables import Column, ago, span
from kylink_cli.errors import NotFoundError, PartlyDoneError
from kylink_cli.jobs.alert_acts import Result
from kylink_cli.jobs.delivery import Probed
from kylink_cli.rules.text import one_line
from kylink_cli.store.alerts import document
from kylink_cli.store.outbox import Undelivered
from kylink_cli.store.tables import Alert, SilenceRecord

_COLUMNS = [
    Column("ID", "right"),
    Column("LEVEL"),
    Column("STATE"),
    Column("TYPE"),
    Column("LAST SEEN"),
    Column("WHAT", wraps=True),
]
_RESULT_COLUMNS = [Column("ID", "right"), Column("STATE"), Column("ANSWER", flexible=True)]
_SILENCE_COLUMNS = [
    Column("ID", "right"),
    Column("TYPE"),
    Column("CAMPAIGN"),
    Column("USER"),
    Column("ENDS"),
    Column("REASON", flexible=True),
]
_PROBE_COLUMNS = [Column("CHANNEL"), Column("FROM"), Column("RESULT", wraps=True)]


def show_list(console: Console, found: Sequence[Alert], undelivered: Sequence[Undelivered], now: datetime) -> None:
    """Show alerts, one a row, and below them which notifications did not arrive."""
    if console.output.json:
        console.document({"alerts": [document(alert) for alert in found]})
        return
    if found:
        console.table(_COLUMNS, [_row(alert, now) for alert in found])
    else:
        console.say("no alerts")
    show_undelivered(console, undelivered)


def show_alert(console: Console, alert: Alert, users: Sequence[str]) -> None:
    """Show one alert whole."""
    facts = document(alert)
    if console.output.json:
        console.document({**facts, "users": users, "silenced_until": alert.silenced_until})
        return
    console.say(f"alert {alert.id}: {alert.level} {alert.type}, {alert.state}, seen {alert.count} times")
    for name in ("first_seen_at", "last_seen_at", "acknowledged_at", "resolved_at"):
        if facts[name] is not None:
            console.say(f"{name:<15} {facts[name]}")
    if users:
        console.say(f"{'users':<15} {one_line(', '.join(users))}")
    console.say()
    for line in alert.message.splitlines():
        console.say(one_line(line))
    console.say()
    console.say(f"{'metadata':<15} {one_line(json.dumps(alert.details, ensure_ascii=False), 1_000)}")


def show_results(console: Console, results: Sequence[Result]) -> int:
    """Show what an act on alerts has come to.

    Returns:
        The exit code: 0 if all are as was asked for, 10 if some are, 11 if there is no such alert, else 1.
    """
    if console.output.json:
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
    if console.output.json:
        console.document(_silence_document(record))
        return
    ends = record.until.strftime("%Y-%m-%d %H:%M UTC")
    console.say(f"silence {record.id} goes on until {ends}; 'kylink alerts unsilence {record.id}' ends it")


def show_silences(console: Console, found: Sequence[SilenceRecord], now: datetime) -> None:
    """Show silences, one a row."""
    if console.output.json:
        console.document({"silences": [_silence_document(record) for record in found]})
    elif not found:
        console.say("nothing is silenced")
    else:
        rows = [[r.id, r.type, r.campaign_id, r.user_id, f"in {span(r.until - now)}", r.reason] for r in found]
        console.table(_SILENCE_COLUMNS, rows)


def show_probe(console: Console, results: Sequence[Probed]) -> None:
    """Show which channels work."""
    if console.output.json:
        channels = [
            {"channel": r.channel, "min_level": r.lowest, "ok": r.error is None, "error": r.error} for r in results
        ]
        console.document({"channels": channels})
        return
    console.table(_PROBE_COLUMNS, [[r.channel, f"{r.lowest} on", r.error or "sent"] for r in results])


def show_purged(console: Console, purged: int, kept_days: int) -> None:
    """Show how much was deleted."""
    if console.output.json:
        console.document({"purged": purged, "kept_days": kept_days})
    else:
        console.say(f"{purged} rows older than {kept_days} days deleted")


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
