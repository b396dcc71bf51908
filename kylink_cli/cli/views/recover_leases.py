"""What a recovery, or what it would come to, looks like."""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from kylink_cli.console import Console
from kylink_cli.console.output import iso
from kylink_cli.console.tables import milliseconds
from kylink_cli.jobs.recover_leases import RecoveryReport
from kylink_cli.language import tr
from kylink_cli.rules import counted
from kylink_cli.rules.vocabulary import ResultStatus, RunStatus
from kylink_cli.running.run import Finished
from kylink_cli.scheduling.jobs import RECOVER_LEASES
from kylink_cli.store.recovery import Recovered


def show_run(console: Console, finished: Finished[RecoveryReport]) -> None:
    """Show how a run went."""
    report = finished.report
    if console.json:
        head = _head(finished.run_id, report.status, finished.started_at, finished.duration_ms)
        console.document(head | report.figures)
        return
    deleted = tr("; {rows} too old and deleted", rows=counted.rows(report.deleted)) if report.deleted else ""
    took = milliseconds(finished.duration_ms)
    console.say(
        tr(
            "run {run_id} {status}: {words}{deleted} in {took}",
            run_id=finished.run_id,
            status=tr(report.status),
            words=_words(report.recovered),
            deleted=deleted,
            took=took,
        )
    )


def show_skipped(console: Console, reason: str) -> None:
    """Say why a scheduled run did nothing."""
    if console.json:
        head = _head(None, ResultStatus.SKIPPED, datetime.now(UTC), 0)
        console.document(head | asdict(Recovered()) | {"deleted": 0, "reason": reason})
        return
    console.info(f"[recover-leases] {reason}")


def show_plan(console: Console, foreseen: Recovered, now: datetime) -> None:
    """Show what a run would come to."""
    if console.json:
        console.document(_head(None, RunStatus.SUCCEEDED, now, 0) | asdict(foreseen) | {"deleted": 0, "dry_run": True})
        return
    console.say(tr("it would be: {words}; nothing was changed", words=_words(foreseen)))


def _head(run_id: int | None, status: str, started_at: datetime, duration_ms: int) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "job": RECOVER_LEASES.name,
        "status": status,
        "started_at": iso(started_at),
        "duration_ms": duration_ms,
    }


def _words(recovered: Recovered) -> str:
    return tr(
        "{leases} expired, {recovered} back in stock, {discarded} discarded, {expired} expired",
        leases=counted.leases(recovered.expired_leases),
        recovered=counted.items(recovered.recovered),
        discarded=recovered.discarded,
        expired=recovered.expired_items,
    )
