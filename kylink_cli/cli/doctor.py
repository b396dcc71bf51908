"""`kylink doctor`: a full check of settings, database, files, locks, supply service and clock."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import typer

from kylink_cli.cli.command import Cli, command
from kylink_cli.cli.options import JsonOption
from kylink_cli.errors import KylinkError

if TYPE_CHECKING:
    from kylink_cli.jobs.doctor import Finding


def register(app: typer.Typer) -> None:
    """Add the command to the root."""
    command(app, "doctor")(doctor)


def doctor(cli: Cli, json: JsonOption = False) -> int:
    """Check everything that an unattended run needs, and say what to do where something is wrong."""
    findings = list(_findings(cli))
    if json:
        checks = [{"area": f.area, "verdict": f.verdict, "text": f.text, "advice": f.advice} for f in findings]
        cli.console.document({"checks": checks})
    else:
        from kylink_cli.console.tables import Column

        columns = [Column("AREA"), Column("VERDICT"), Column("FINDING", wraps=True)]
        rows = [[f.area, f.verdict, f.text + (f" → {f.advice}" if f.advice else "")] for f in findings]
        cli.console.table(columns, rows)
    return 1 if any(f.verdict == "error" for f in findings) else 0


def _findings(cli: Cli) -> "Iterator[Finding]":
    """Everything that is found, in order; what can't be looked at without something else is left out."""
    from kylink_cli import wiring
    from kylink_cli.jobs import doctor as checks
    from kylink_cli.jobs.doctor import Finding

    try:
        settings = cli.settings
    except KylinkError as error:
        yield Finding("settings", "error", str(error), "mend the value and run 'kylink config check'")
        return
    yield from checks.check_settings(cli.loaded)
    try:
        database = wiring.existing_database(settings, scheduled=True)
    except KylinkError as error:
        yield Finding("database", "error", str(error))
        return
    yield from checks.check_database(database)
    yield from checks.check_owners(*wiring.own_files(settings))
    yield from checks.check_locks(wiring.locks(settings))
    yield from checks.check_schedule(cli.loaded, database)
    yield from checks.check_channels(wiring.alerting(settings), database, database.now())
    try:
        supplier = wiring.supplier(settings, database)
    except KylinkError as error:
        yield Finding("supply", "error", str(error))
    else:
        yield from checks.check_supply(supplier)
    yield from checks.check_clock(database, database.now())
