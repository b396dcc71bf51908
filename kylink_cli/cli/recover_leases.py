"""`kylink recover-leases`: take back what is over."""

from typing import TYPE_CHECKING, Annotated

import typer

from kylink_cli.cli.app import end_by_signal
from kylink_cli.cli.command import Cli, command
from kylink_cli.cli.options import ScheduledOption, WaitOption

if TYPE_CHECKING:
    from kylink_cli.jobs.recover_leases import RecoveryReport
    from kylink_cli.running.run import Finished, RunRequest
    from kylink_cli.store.engine.database import Database


def register(app: typer.Typer) -> None:
    """Add the command to the root."""
    command(app, "recover-leases", acts=True)(recover_leases)


def recover_leases(
    cli: Cli,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be recovered; change nothing.")] = False,
    wait: WaitOption = 0,
    scheduled: ScheduledOption = False,
) -> None:
    """Put items of expired leases back in stock. What is past its own expiry is marked.

    An item whose leases have expired LEASE_MAX_EXPIRATIONS times is discarded. What ended more than
    ITEM_RETENTION_DAYS ago is deleted.
    """
    from kylink_cli import wiring
    from kylink_cli.cli.scheduled import reason_to_skip
    from kylink_cli.cli.views import recover_leases as view
    from kylink_cli.jobs.recover_leases import foresee
    from kylink_cli.running.run import RunRequest
    from kylink_cli.scheduling.jobs import RECOVER_LEASES

    database = wiring.existing_database(cli.settings, scheduled=scheduled)
    if dry_run:
        now = database.now()
        view.show_plan(cli.console, foresee(database, wiring.recovery_limits(cli.settings), now), now)
        return
    if scheduled and (reason := reason_to_skip(cli.settings, database, RECOVER_LEASES)):
        view.show_skipped(cli.console, reason)
        return
    finished = _run(cli, database, RunRequest(RECOVER_LEASES.name, scheduled, wait_seconds=wait))
    view.show_run(cli.console, finished)
    if finished.stopped_by is not None and finished.stopped_by.signal is not None:
        end_by_signal(finished.stopped_by.signal)


def _run(cli: Cli, database: "Database", request: "RunRequest") -> "Finished[RecoveryReport]":
    """Run the job, with a progress display on a terminal and log lines elsewhere."""
    from kylink_cli import wiring
    from kylink_cli.console.observer import observing
    from kylink_cli.jobs.recover_leases import recover_within
    from kylink_cli.running.runner import run_job
    from kylink_cli.scheduling.jobs import RECOVER_LEASES

    work = recover_within(wiring.recovery_limits(cli.settings))
    with observing(cli.console, RECOVER_LEASES.command) as observe:
        return run_job(wiring.live_run(cli.settings, database, observe, request), work)
