"""`kylink doctor`: a full check of settings, database, files, locks, supply service and clock."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from kylink_cli.cli.command import Cli, command
from kylink_cli.errors import KylinkError
from kylink_cli.language import tr
from kylink_cli.places import is_on_server

if TYPE_CHECKING:
    from kylink_cli.overview.doctor import Finding
    from kylink_cli.overview.status import JobStatus
    from kylink_cli.settings.fields import Settings
    from kylink_cli.store.engine.database import Database


def register(app: typer.Typer) -> None:
    """Add the command to the root."""
    command(app, "doctor")(doctor)


def doctor(cli: Cli) -> int:
    """Check everything that an unattended run needs.

    It says what to do where something is wrong.
    """
    findings = list(_findings(cli))
    ok = all(finding.verdict != "error" for finding in findings)
    if cli.console.json:
        cli.console.document({"ok": ok, "checks": [asdict(finding) for finding in findings]})
    else:
        _show(cli, findings)
    return 0 if ok else 1


def _show(cli: Cli, findings: "Sequence[Finding]") -> None:
    from kylink_cli.console.tables import Column

    columns = [Column("AREA"), Column("VERDICT", words=True), Column("FINDING", wraps=True)]
    rows = [[tr(f.area), f.verdict, f.text + (f" → {f.advice}" if f.advice else "")] for f in findings]
    cli.console.table(columns, rows)


def _findings(cli: Cli) -> "Iterator[Finding]":
    """Everything that is found, in order; what can't be looked at without something else is left out."""
    from kylink_cli import wiring
    from kylink_cli.cli.settings_trial import problems
    from kylink_cli.overview.doctor import Finding, check_settings
    from kylink_cli.overview.transport import check_transport
    from kylink_cli.settings.slips import slips, slips_beside

    try:
        settings = cli.settings
    except KylinkError as error:
        yield _error("settings", error, tr("fix the value and run 'kylink config check'"))
        for slip in slips_beside(cli.options.env_file):
            yield Finding("settings", "warning", slip)
        return
    unusable = problems(settings)
    yield from check_settings(cli.loaded, unusable, slips(cli.loaded))
    yield from check_transport(settings)
    try:
        database = wiring.existing_database(settings, scheduled=True)
    except KylinkError as error:
        if str(error) not in unusable:
            yield _error("database", error)
        yield from _of_server(settings)
        return
    for area, check in _checks(settings, database).items():
        try:
            yield from check()
        except KylinkError as error:
            if str(error) not in unusable:
                yield _error(area, error)


def _checks(settings: "Settings", database: "Database") -> "Mapping[str, Callable[[], Iterator[Finding]]]":
    """What is looked at once the settings and the database are there, by area."""
    from kylink_cli import wiring
    from kylink_cli.overview import doctor as checks
    from kylink_cli.overview.capacity import check_capacity
    from kylink_cli.overview.log_lines import check_log_lines
    from kylink_cli.overview.server import check_server
    from kylink_cli.overview.status import read_status
    from kylink_cli.scheduling.host import read_schedule

    schedule = read_schedule(settings, database.now())

    def statuses() -> "Sequence[JobStatus]":
        return read_status(database, wiring.locks(settings), settings, database.now(), schedule)

    return {
        "database": lambda: checks.check_database(database),
        "server": lambda: check_server(database),
        "files": lambda: checks.check_owners(*wiring.own_files(settings)),
        "locks": lambda: checks.check_locks(wiring.locks(settings)),
        "timers": lambda: checks.check_timers(schedule),
        "schedule": lambda: checks.check_schedule(statuses(), auto_cron=settings.enable_auto_cron),
        "log": lambda: check_log_lines(schedule, database),
        "capacity": lambda: check_capacity(statuses(), settings.deadline_seconds),
        "alerts": lambda: checks.check_channels(wiring.alerting(settings), database, database.now()),
        "supply": lambda: checks.check_supply(wiring.supplier(settings, database)),
        "clock": lambda: checks.check_clock(database, database.now()),
    }


def _of_server(settings: "Settings") -> "Iterator[Finding]":
    """What a server that kylink can't work with says of it, if it can be reached at all."""
    from kylink_cli import wiring
    from kylink_cli.overview.server import check_server

    with suppress(KylinkError):
        if is_on_server(settings.database_url):
            yield from check_server(wiring.database_at(settings.database_url))


def _error(area: str, error: KylinkError, advice: str = "") -> "Finding":
    from kylink_cli.overview.doctor import Finding

    return Finding(area, "error", str(error), advice)
