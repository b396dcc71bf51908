"""What an alert check has found, and what came of it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from kylink_cli.alerting.delivery import Delivered
from kylink_cli.alerting.posting import Posted
from kylink_cli.console import Console
from kylink_cli.console.output import iso
from kylink_cli.console.tables import Column, milliseconds
from kylink_cli.jobs.alert_check import AlertCheckReport
from kylink_cli.language import tr
from kylink_cli.rules import counted
from kylink_cli.rules.checks import CheckResult
from kylink_cli.rules.text import one_line
from kylink_cli.rules.vocabulary import ResultStatus, RunStatus
from kylink_cli.running.run import Finished
from kylink_cli.scheduling.jobs import ALERT_CHECK

_COLUMNS = [Column("CHECK"), Column("LEVEL", words=True), Column("FOUND", wraps=True)]


def show_run(console: Console, finished: Finished[AlertCheckReport]) -> None:
    """Show how a run went."""
    report, posted = finished.report, finished.posted
    if console.json:
        head = _head(finished.run_id, report.status, finished.started_at, finished.duration_ms)
        console.document(head | _body(report.results, posted, finished.delivered, report.purged))
        return
    _show_results(console, report.results)
    changes = tr(
        "{opened} opened, {going_on} ongoing, {resolved} resolved",
        opened=len(posted.opened),
        going_on=len(posted.updated),
        resolved=len(posted.resolved),
    )
    sent = tr(
        "{sent} sent, {failed} failed",
        sent=counted.notifications(finished.delivered.sent),
        failed=finished.delivered.failed,
    )
    took = milliseconds(finished.duration_ms)
    console.say(
        "\n"
        + tr(
            "run {run_id} {status} in {took}: {changes}; {sent}; {purged} too old and deleted",
            run_id=finished.run_id,
            status=tr(report.status),
            took=took,
            changes=changes,
            sent=sent,
            purged=counted.rows(report.purged),
        )
    )


def show_skipped(console: Console, reason: str) -> None:
    """Say why a scheduled run did nothing."""
    if console.json:
        head = _head(None, ResultStatus.SKIPPED, datetime.now(UTC), 0)
        console.document(head | _body([], Posted(), Delivered(), 0) | {"reason": reason})
        return
    console.info(f"[alert-check] {reason}")


def show_plan(console: Console, results: Sequence[CheckResult], now: datetime) -> None:
    """Show what the checks find."""
    if console.json:
        body = _body(results, Posted(), Delivered(), 0)
        console.document(_head(None, RunStatus.SUCCEEDED, now, 0) | body | {"dry_run": True})
        return
    _show_results(console, results)
    console.say("\n" + tr("nothing was recorded, nothing was sent"))


def _show_results(console: Console, results: Sequence[CheckResult]) -> None:
    console.table(_COLUMNS, [[_name(result), result.level or "ok", one_line(result.detail)] for result in results])


def _name(result: CheckResult) -> str:
    scope = result.fingerprint.removeprefix(result.type).lstrip(":")
    return f"{result.type} {scope}".rstrip()


def _head(run_id: int | None, status: str, started_at: datetime, duration_ms: int) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "job": ALERT_CHECK.name,
        "status": status,
        "started_at": iso(started_at),
        "duration_ms": duration_ms,
    }


def _body(results: Sequence[CheckResult], posted: Posted, delivered: Delivered, purged: int) -> dict[str, Any]:
    return {
        "checks": [
            {"type": r.type, "level": r.level, "value": r.value, "detail": r.detail, "fingerprint": r.fingerprint}
            for r in results
        ],
        "opened": posted.opened,
        "updated": posted.updated,
        "resolved": posted.resolved,
        "notified": delivered.sent,
        "notify_failed": delivered.failed,
        "purged": purged,
    }
