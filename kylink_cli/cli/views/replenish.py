"""What a replenish run, or its plan, looks like."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from kylink_cli.console import Console
from kylink_cli.console.output import iso
from kylink_cli.console.tables import Column, milliseconds
from kylink_cli.jobs.assignment import Assignment
from kylink_cli.jobs.order_limits import planned
from kylink_cli.jobs.outcome import Outcome, ReplenishReport, figures_of
from kylink_cli.jobs.replenish import scan
from kylink_cli.language import tr
from kylink_cli.rules import counted
from kylink_cli.rules.alerts import Failure
from kylink_cli.rules.reasons import reason, reason_for_programs
from kylink_cli.rules.replenishment import Need
from kylink_cli.rules.vocabulary import ResultStatus, RunStatus
from kylink_cli.running.run import Finished
from kylink_cli.store.engine.database import Database

JOB = "stock_replenish"
_COLUMNS = [
    Column("CAMPAIGN"),
    Column("NAME", flexible=True),
    Column("STATUS", words=True),
    Column("STOCK", "right"),
    Column("WM", "right"),
    Column("TARGET", "right"),
    Column("GOT", "right"),
    Column("ERROR", flexible=True),
]
_PLAN_COLUMNS = [
    Column("CAMPAIGN"),
    Column("NAME", flexible=True),
    Column("STOCK", "right"),
    Column("ORDER", "right"),
    Column("WHY"),
]
_LISTED = 20


def show_run(console: Console, finished: Finished[ReplenishReport]) -> None:
    """Show how a run went."""
    report = finished.report
    if console.json:
        summary = _summary(finished.run_id, report.status, iso(finished.started_at), finished.duration_ms)
        alert_id = finished.posted.raised[0] if report.failures else None
        console.document(_document(summary, report.outcomes, report.failures, alert_id))
        return
    figures = report.figures
    shown = [
        o for o in report.outcomes if o.status not in {ResultStatus.SUCCEEDED, ResultStatus.SKIPPED}
    ] or report.outcomes
    if shown and not console.output.quiet:
        console.table(_COLUMNS, [_row(outcome) for outcome in shown[:_LISTED]])
        if len(shown) > _LISTED:
            console.say(
                tr(
                    "… and {number} more: kylink jobs show {run_id}",
                    number=len(shown) - _LISTED,
                    run_id=finished.run_id,
                )
            )
        console.say()
    console.say(
        tr(
            "run {run_id} {status}: {succeeded} of {total} filled, {partial} partly, {failed} failed; "
            "{produced} in {took}",
            run_id=finished.run_id,
            status=tr(report.status),
            succeeded=figures["succeeded"],
            total=counted.campaigns(figures["total"]),
            partial=figures["partial"],
            failed=figures["failed"],
            produced=counted.items(figures["produced"]),
            took=milliseconds(finished.duration_ms),
        )
    )
    if report.error is not None:
        console.error_line(str(report.error))


def show_skipped(console: Console, reason: str) -> None:
    """Say why a scheduled run did nothing."""
    if console.json:
        now = iso(datetime.now(UTC))
        console.document(_document(_summary(None, ResultStatus.SKIPPED, now, 0)) | {"reason": reason})
        return
    console.info(f"[replenish] {reason}")


def show_plan(console: Console, database: Database, assignment: Assignment) -> None:
    """Show what a run would order and why."""
    now = database.now()
    found = scan(database, assignment, now)
    needs = database.read(lambda session: planned(session, assignment.limits.orders, found, now))
    if console.json:
        skipped = [Outcome(n, ResultStatus.SKIPPED, ordered=n.order) for n in needs]
        console.document(_document(_summary(None, RunStatus.SUCCEEDED, iso(now), 0), skipped) | {"dry_run": True})
        return
    if not needs:
        console.say(tr("nothing to do: no campaign is low"))
        return
    console.table(_PLAN_COLUMNS, [_plan_row(n) for n in needs])
    console.say(
        "\n"
        + tr(
            "{items} for {campaigns} would be ordered; the supply service was not called",
            items=counted.items(sum(n.order for n in needs)),
            campaigns=counted.campaigns(sum(n.order > 0 for n in needs)),
        )
    )


def _document(
    summary: dict[str, Any],
    outcomes: Sequence[Outcome] = (),
    failures: Sequence[Failure] = (),
    alert_id: int | None = None,
) -> dict[str, Any]:
    """The document of a run, of a plan, and of a run that was skipped: the same keys in all."""
    return {
        **summary,
        **figures_of(outcomes),
        "campaigns": [_campaign(outcome) for outcome in outcomes],
        "failures": [failure.document() for failure in failures],
        "alert_id": alert_id,
    }


def _summary(run_id: int | None, status: str, started_at: str, duration_ms: int) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "job": JOB,
        "status": status,
        "started_at": started_at,
        "duration_ms": duration_ms,
    }


def _campaign(outcome: Outcome) -> dict[str, Any]:
    level = outcome.need.level
    return {
        "campaign_id": level.campaign_id,
        "user_id": level.user_id,
        "name": level.name,
        "status": outcome.status,
        "available_before": level.available,
        "watermark": outcome.need.watermark.items,
        "target": outcome.need.target,
        "ordered": outcome.ordered,
        "produced": outcome.tally.produced,
        "available_after": outcome.available_after,
        "attempts": outcome.tally.attempts,
        "error": outcome.error,
        "why": reason_for_programs(outcome.need),
    }


def _row(outcome: Outcome) -> list[Any]:
    level = outcome.need.level
    return [
        level.campaign_id,
        level.name,
        outcome.status,
        f"{level.available}→{outcome.available_after}",
        outcome.need.watermark.items,
        outcome.need.target,
        f"{outcome.tally.produced}/{outcome.ordered}",
        outcome.error,
    ]


def _plan_row(need: Need) -> list[Any]:
    level, mark = need.level, need.watermark
    why = tr(
        "watermark {items} ({source}), target {target}: {reason}",
        items=mark.items,
        source=tr(mark.source),
        target=need.target,
        reason=reason(need),
    )
    if level.has_open_requests:
        why += tr(", unfinished requests are asked again first")
    return [level.campaign_id, level.name, level.available, need.order, why]
