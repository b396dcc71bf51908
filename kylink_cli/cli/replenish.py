"""`kylink replenish`: fill low stock."""

from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated

import typer

from kylink_cli.cli.app import end_by_signal
from kylink_cli.cli.command import Cli, command
from kylink_cli.cli.completers import campaign_ids, users
from kylink_cli.cli.options import ScheduledOption, WaitOption
from kylink_cli.errors import NotFoundError, UnknownCampaignError, UsageError
from kylink_cli.language import tr

if TYPE_CHECKING:
    from kylink_cli.jobs.assignment import Assignment
    from kylink_cli.jobs.outcome import ReplenishReport
    from kylink_cli.running.run import Finished
    from kylink_cli.store.engine.database import Database
    from kylink_cli.store.levels import Scope


def register(app: typer.Typer) -> None:
    """Add the command to the root."""
    command(app, "replenish", acts=True)(replenish)


def replenish(
    cli: Cli,
    everything: Annotated[bool, typer.Option("--all", help="Every low campaign of every user.")] = False,
    campaign: Annotated[
        list[str] | None,
        typer.Option(
            "--campaign", metavar="ID", help="Only this campaign; may be repeated.", autocompletion=campaign_ids
        ),
    ] = None,
    user: Annotated[
        str | None,
        typer.Option(
            "--user",
            metavar="USER",
            help="Only this user's campaigns.",
            autocompletion=users,
        ),
    ] = None,
    rung: Annotated[
        bool,
        typer.Option("--rung", help="Only campaigns whose takes rang the bell; waits for another run that answers it."),
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Order even if the stock is not low, at least one batch.")
    ] = False,
    quantity: Annotated[
        int | None,
        typer.Option("--quantity", min=1, max=10_000, metavar="N", help="Order N items instead of up to the target."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be ordered and why, without calling the supply service.")
    ] = False,
    wait: WaitOption = 0,
    scheduled: ScheduledOption = False,
) -> int:
    """Fill campaigns that are low on stock.

    What they need is ordered from the supply service.

    One of --all, --campaign, --user and --rung says which.
    """
    from kylink_cli import wiring
    from kylink_cli.cli.rung import answering
    from kylink_cli.rules.replenishment import Demand

    _require_one([everything, bool(campaign), user is not None, rung])
    with answering(cli) if rung and not dry_run else nullcontext():
        database = wiring.existing_database(cli.settings, scheduled=scheduled)
        scope = _scope(cli, database, campaigns=campaign or [], user=user, rung=rung)
        assignment = wiring.assignment(cli.settings, scope, Demand(force, quantity), wait, is_rung=rung)
        if dry_run:
            return _show_plan(cli, database, assignment)
        if (reason := _reason_to_skip(cli, database, assignment, scheduled=scheduled)) is not None:
            return _show_skipped(cli, reason)
        if force or quantity is not None:
            _note_forced(cli, database, campaign or [user or "--all"], quantity)
        return _show_run(cli, _run(cli, database, assignment, scheduled=scheduled))


def _note_forced(cli: Cli, database: "Database", subjects: list[str], quantity: int | None) -> None:
    """Let the audit trail know who orders what the rule would not."""
    from kylink_cli.rules.vocabulary import Act
    from kylink_cli.store import audit

    detail = None if quantity is None else f"{quantity} items each"
    entry = audit.AuditEntry(cli.who, Act.RUN_FORCED, subjects, detail)
    database.commit(lambda session: audit.record(session, entry, database.now()))


def _require_one(chosen: list[bool]) -> None:
    if chosen.count(True) != 1:
        raise UsageError(tr("name the campaigns: exactly one of --all, --campaign ID, --user USER and --rung"))


def _scope(cli: Cli, database: "Database", *, campaigns: list[str], user: str | None, rung: bool) -> "Scope":
    from kylink_cli.cli.rung import rung_scope
    from kylink_cli.store.levels import Scope

    if rung:
        return rung_scope(database, cli.settings)
    scope = Scope(user_id=user, campaign_ids=frozenset(campaigns) if campaigns else None)
    _check_scope(database, scope)
    return scope


def _check_scope(database: "Database", scope: "Scope") -> None:
    """Refuse a scope that names what does not exist, or what is paused."""
    from kylink_cli.store.levels import statuses

    if scope.campaign_ids is None and scope.user_id is None:
        return
    found = database.read(lambda session: statuses(session, scope))
    if scope.user_id is not None and not found:
        raise NotFoundError(
            tr("user {user_id} has no campaigns: 'kylink campaigns list' shows them", user_id=scope.user_id)
        )
    for campaign_id in sorted(scope.campaign_ids or ()):
        if campaign_id not in found:
            raise UnknownCampaignError(campaign_id)
        if found[campaign_id] == "paused":
            raise UsageError(
                tr(
                    "campaign {campaign_id} is paused, nothing was ordered: 'kylink campaigns resume {campaign_id}' "
                    "first",
                    campaign_id=campaign_id,
                )
            )


def _reason_to_skip(cli: Cli, database: "Database", assignment: "Assignment", *, scheduled: bool) -> str | None:
    from kylink_cli.cli.scheduled import reason_to_skip
    from kylink_cli.scheduling.jobs import REPLENISH

    if scheduled and (reason := reason_to_skip(cli.settings, database, REPLENISH)) is not None:
        return reason
    return tr("no campaign has rung the bell") if assignment.is_rung and not assignment.scope.campaign_ids else None


def _show_plan(cli: Cli, database: "Database", assignment: "Assignment") -> int:
    from kylink_cli.cli.views import replenish as view

    view.show_plan(cli.console, database, assignment)
    return 0


def _show_skipped(cli: Cli, reason: str) -> int:
    from kylink_cli.cli.views import replenish as view

    view.show_skipped(cli.console, reason)
    return 0


def _show_run(cli: Cli, finished: "Finished[ReplenishReport]") -> int:
    from kylink_cli.cli.views import replenish as view

    view.show_run(cli.console, finished)
    if finished.stopped_by is not None and finished.stopped_by.signal is not None:
        end_by_signal(finished.stopped_by.signal)
    error = finished.report.error
    return 0 if error is None else error.exit_code


def _run(cli: Cli, database: "Database", assignment: "Assignment", *, scheduled: bool) -> "Finished[ReplenishReport]":
    """Run the job, with a progress display on a terminal and log lines elsewhere."""
    from kylink_cli import wiring
    from kylink_cli.console.observer import observing
    from kylink_cli.jobs.replenish import replenish_with
    from kylink_cli.running.run import RunRequest
    from kylink_cli.running.runner import run_job
    from kylink_cli.scheduling.jobs import REPLENISH

    request = RunRequest(
        job=REPLENISH.name,
        scheduled=scheduled,
        exclusive=assignment.scope.campaign_ids is None,
        wait_seconds=assignment.wait_seconds,
    )
    supplier = wiring.supplier(cli.settings, database)
    with observing(cli.console, REPLENISH.command) as observe:
        run = wiring.live_run(cli.settings, database, observe, request)
        if assignment.is_rung:
            # The heartbeat tells of the timer.
            run.ping = None
        return run_job(run, replenish_with(assignment, supplier))
