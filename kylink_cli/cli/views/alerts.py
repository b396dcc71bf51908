"""What alerts, silences and channels look like."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kylink_cli.alerting.acts import AlertResult
from kylink_cli.alerting.delivery import Probed
from kylink_cli.cli.views.failures import show_failures
from kylink_cli.console import Console
from kylink_cli.console.campaign_words import when
from kylink_cli.console.tables import Column, ago, span
from kylink_cli.console.words import STATES
from kylink_cli.documents.alerts import (
    AlertViewer,
    alert_document,
    alerts_document,
    result_document,
    silence_document,
)
from kylink_cli.errors import NotFoundError, PartlyDoneError
from kylink_cli.language import tr
from kylink_cli.rules import counted
from kylink_cli.rules.error_groups import Failing
from kylink_cli.rules.moments import local
from kylink_cli.rules.text import one_line
from kylink_cli.rules.vocabulary import AlertState
from kylink_cli.store.outbox import Undelivered
from kylink_cli.store.tables import Alert, SilenceRecord

_COLUMNS = [
    Column("ID", "right"),
    Column("LEVEL", words=True),
    Column("STATE", words=True, spare=2),
    Column("TYPE", spare=3),
    Column("LAST SEEN", spare=1),
    Column("WHAT", wraps=True),
]
_RESULT_COLUMNS = [Column("ID", "right"), Column("STATE", words=True), Column("ANSWER", wraps=True)]
_SILENCE_COLUMNS = [
    Column("ID", "right"),
    Column("TYPE", spare=2),
    Column("CAMPAIGN"),
    Column("USER"),
    Column("ENDS"),
    Column("REASON", flexible=True, spare=1),
]
_PROBE_COLUMNS = [Column("CHANNEL"), Column("FROM"), Column("RESULT", wraps=True)]


@dataclass(frozen=True, slots=True)
class Listed:
    """The alerts that are listed, and how many there are by state."""

    alerts: Sequence[Alert]
    counts: Mapping[str, int]


def show_list(
    console: Console,
    listed: Listed,
    undelivered: Sequence[Undelivered],
    now: datetime,
    viewer: AlertViewer | None = None,
) -> None:
    """Show alerts, one a row, and below them which notifications did not arrive.

    Args:
        viewer: whose campaigns alone the alerts are to speak of; None for all.
    """
    if console.json:
        console.document(alerts_document(listed.alerts, viewer))
        return
    if listed.alerts:
        console.table(_COLUMNS, [_row(alert, now) for alert in listed.alerts])
        console.say()
    console.prose(_total(listed))
    show_undelivered(console, undelivered)


def _total(listed: Listed) -> str:
    """How many alerts there are, and how those are seen that are not listed."""
    shown = Counter(alert.state for alert in listed.alerts)
    counts = [f"{number:,} {tr(state)}" for state in AlertState if (number := listed.counts.get(state, 0))]
    said = tr("Alerts: {counts}.", counts=", ".join(counts)) if counts else tr("no alerts")
    if listed.counts.get(AlertState.RESOLVED, 0) and not shown[AlertState.RESOLVED]:
        said += " " + tr("--all shows those that are resolved.")
    if any(shown[state] < number for state, number in listed.counts.items() if shown[state]):
        said += " " + tr("--limit N shows more.")
    return said


def show_alert(console: Console, alert: Alert, users: Sequence[str], now: datetime) -> None:
    """Say all that is known of one alert."""
    if console.json:
        console.document(alert_document(alert, users))
        return
    state = tr("{level}, {state}: {title}", level=tr(alert.level), state=tr(alert.state), title=one_line(alert.title))
    console.prose(state, style=STATES.get(alert.level, "") if alert.resolved_at is None else "")
    _show_cases(console, alert)
    console.say()
    console.prose(" ".join(_history(alert, users, now)))
    if alert.state == AlertState.OPEN:
        console.say(tr("It is repeated until somebody takes it on: {command}", command=f"kylink alerts ack {alert.id}"))


def _show_cases(console: Console, alert: Alert) -> None:
    """What the alert is about: failures by their reason, anything else as it was worded."""
    failures = [
        Failing(str(case.get("campaignId", "")), str(case.get("campaignName", "")), str(case.get("error", "")))
        for case in alert.details.get("failures", [])
        if isinstance(case, dict)
    ]
    lines = [line for line in alert.message.splitlines() if line.rstrip(":\uff1a") != alert.title]
    if failures or lines:
        console.say()
    if failures:
        show_failures(console, failures)
        return
    for line in lines:
        console.prose(one_line(line))


def _history(alert: Alert, users: Sequence[str], now: datetime) -> Iterator[str]:
    """Since when it goes on, whom it concerns, and who knows of it."""
    yield tr(
        "Alert {id} ({type}) was first seen {first}, {times} since; last {last}.",
        id=alert.id,
        type=alert.type,
        first=when(alert.first_seen_at, now),
        times=counted.times(alert.count),
        last=when(alert.last_seen_at, now),
    )
    if users:
        yield tr("It concerns {users}.", users=", ".join(one_line(user) for user in users))
    if alert.acknowledged_at is not None:
        yield tr("Acknowledged {when}.", when=when(alert.acknowledged_at, now))
    if alert.resolved_at is not None:
        yield tr("Resolved {when}.", when=when(alert.resolved_at, now))
    if alert.silenced_until is not None and alert.silenced_until > now:
        yield tr("Silenced until {moment}.", moment=local(alert.silenced_until))


def show_results(console: Console, results: Sequence[AlertResult]) -> int:
    """Show what an act on alerts has come to.

    Returns:
        The exit code: 0 if all are as was asked for, 10 if some are, 11 if there is no such alert, else 1.
    """
    if console.json:
        console.document({"results": [result_document(result) for result in results]})
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
        console.document(silence_document(record))
        return
    ends = local(record.until)
    console.say(tr("silence {id} lasts until {ends}; 'kylink alerts unsilence {id}' ends it", id=record.id, ends=ends))


def show_silences(console: Console, found: Sequence[SilenceRecord], now: datetime) -> None:
    """Show silences, one a row."""
    if console.json:
        console.document({"silences": [silence_document(record) for record in found]})
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
