"""What a replenish run, or its plan, looks like."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from kylink_cli.cli.views.failures import show_failures
from kylink_cli.cli.views.run_words import figures_in_words
from kylink_cli.console import Console
from kylink_cli.console.output import iso
from kylink_cli.console.tables import Column, milliseconds
from kylink_cli.console.words import STATES
from kylink_cli.jobs.assignment import Assignment
from kylink_cli.jobs.order_limits import planned
from kylink_cli.jobs.outcome import Outcome, ReplenishReport, figures_of
from kylink_cli.jobs.replenish import scan
from kylink_cli.language import tr
from kylink_cli.rules import counted
from kylink_cli.rules.alerts import Failure
from kylink_cli.rules.error_groups import Failing
from kylink_cli.rules.reasons import reason, reason_for_programs
from kylink_cli.rules.replenishment import Need
from kylink_cli.rules.vocabulary import ResultStatus, RunStatus
from kylink_cli.running.run import Finished
from kylink_cli.store.engine.database import Database

JOB = "stock_replenish"
_PLAN_COLUMNS = [
    Column("CAMPAIGN"),
    Column("NAME", flexible=True, spare=1),
    Column("STOCK", "right", spare=2),
    Column("ORDER", "right"),
    Column("WHY", wraps=True),
]


def show_run(console: Console, finished: Finished[ReplenishReport]) -> None:
    """Show how a run went."""
    report = finished.report
    if console.json:
        summary = _summary(finished.run_id, report.status, iso(finished.started_at), finished.duration_ms)
        alert_id = finished.posted.raised[0] if report.failures else None
        console.document(_document(summary, report.outcomes, report.failures, alert_id))
        return
    console.prose(
        tr(
            "run {run_id} {status}: {summary}",
            run_id=finished.run_id,
            status=tr(report.status),
            summary=_summed_up(report, finished.duration_ms),
        ),
        style=STATES.get(report.status, ""),
    )
    failures = [Failing(o.campaign_id, o.need.level.name, o.error) for o in report.outcomes if o.error]
    if failures and not console.output.quiet:
        console.say()
        show_failures(console, failures)
    elif report.error is not None:
        console.error_line(str(report.error))


def _summed_up(report: ReplenishReport, duration_ms: int) -> str:
    """What the run has come to, in one sentence."""
    took = milliseconds(duration_ms)
    if not report.outcomes:
        return tr("nothing to do in {took}", took=took)
    return tr("{figures} in {took}", figures=figures_in_words(JOB, report.figures), took=took)


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
