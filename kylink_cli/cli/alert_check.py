"""`kylink alert-check`: look at the whole system, raise, resolve and send alerts."""

from typing import TYPE_CHECKING, Annotated

import typer

from kylink_cli.cli.app import end_by_signal
from kylink_cli.cli.command import Cli, command
from kylink_cli.cli.options import ScheduledOption, WaitOption

if TYPE_CHECKING:
    from kylink_cli.jobs.alert_check import AlertCheckReport
    from kylink_cli.running.run import Finished, RunRequest
    from kylink_cli.store.engine.database import Database


def register(app: typer.Typer) -> None:
    """Add the command to the root."""
    command(app, "alert-check", acts=True)(alert_check)


def alert_check(
    cli: Cli,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what the checks find, without recording or sending anything.")
    ] = False,
    wait: WaitOption = 0,
    scheduled: ScheduledOption = False,
) -> None:
    """Look for what is wrong; raise, resolve and send alerts.

    Stock, leases, jobs, supply service and disk are checked.

    What ended more than ALERT_RETENTION_DAYS or RUN_RETENTION_DAYS ago is deleted. What is found does not change the
    exit code: it is an alert, and 'kylink alerts list' shows it.
    """
    from kylink_cli import wiring
    from kylink_cli.cli.scheduled import reason_to_skip
    from kylink_cli.cli.views import alert_check as view
    from kylink_cli.jobs.alert_check import check_all
    from kylink_cli.running.run import RunRequest
    from kylink_cli.scheduling.jobs import ALERT_CHECK

    database = wiring.existing_database(cli.settings, scheduled=scheduled)
    if dry_run:
        now = database.now()
        view.show_plan(cli.console, check_all(database, wiring.watch(cli.settings), now), now)
        return
    if scheduled and (reason := reason_to_skip(cli.settings, database, ALERT_CHECK)):
        view.show_skipped(cli.console, reason)
        return
    finished = _run(cli, database, RunRequest(ALERT_CHECK.name, scheduled, wait_seconds=wait))
    view.show_run(cli.console, finished)
    if finished.stopped_by is not None and finished.stopped_by.signal is not None:
        end_by_signal(finished.stopped_by.signal)


def _run(cli: Cli, database: "Database", request: "RunRequest") -> "Finished[AlertCheckReport]":
    """Run the job; it has no progress worth a display, only log lines."""
    from kylink_cli import wiring
    from kylink_cli.console.observer import in_lines
    from kylink_cli.jobs.alert_check import check_with
    from kylink_cli.running.runner import run_job
    from kylink_cli.scheduling.jobs import ALERT_CHECK

    observe = in_lines(cli.console, ALERT_CHECK.command)
    run = wiring.live_run(cli.settings, database, observe, request)
    return run_job(run, check_with(wiring.watch(cli.settings)))
