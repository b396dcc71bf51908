"""`kylink db restore` and `db restored`: going on with a backup, without handing anything out twice."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kylink_cli.cli.command import Cli, command
from kylink_cli.errors import UsageError
from kylink_cli.language import ntr, tr
from kylink_cli.places import is_on_server

if TYPE_CHECKING:
    from kylink_cli.store.engine.database import Database
    from kylink_cli.store.upkeep.quarantine import Restored

FileArgument = Annotated[
    Path, typer.Argument(metavar="FILE", help="A backup, as 'kylink db backup' writes it.", show_default=False)
]
TrustOption = Annotated[
    bool, typer.Option("--trust", help="Nothing was used since the backup was made: keep the stock and the leases.")
]


def register(db: typer.Typer) -> None:
    """Add the commands to their group."""
    command(db, "restore", acts=True)(restore_backup)
    command(db, "restored", acts=True)(go_on_with_restored)


def restore_backup(cli: Cli, file: FileArgument, trust: TrustOption = False) -> None:
    """Restore a backup in place of the database, which is moved aside.

    Nothing may be running. What may have been used since the backup was made is discarded; open orders are asked for
    again under their old keys.
    """
    from kylink_cli import wiring
    from kylink_cli.places import sqlite_path
    from kylink_cli.scheduling.jobs import JOBS
    from kylink_cli.store.engine.clock import local_clock
    from kylink_cli.store.upkeep.restore import restore

    if is_on_server(cli.settings.database_url):
        raise UsageError(tr("a database on a server is restored with pg_restore: after that, run 'kylink db restored'"))
    locks = wiring.locks(cli.settings)
    with ExitStack() as held:
        for job in JOBS:
            held.enter_context(locks.hold(job.name))
        done = restore(file, sqlite_path(cli.settings.database_url), local_clock()(), trust=trust)
    _note(cli, wiring.existing_database(cli.settings), file.name)
    if cli.console.json:
        aside = None if done.aside is None else str(done.aside)
        cli.console.document({"file": str(file.absolute()), "aside": aside} | _document(done.restored))
        return
    cli.console.say(tr("{file} is in place again", file=file))
    if done.aside is not None:
        cli.console.say(tr("the previous database is at {path}", path=done.aside))
    _say(cli, done.restored, trust=trust)


def go_on_with_restored(cli: Cli, trust: TrustOption = False) -> None:
    """Continue with a database that was moved, or restored otherwise.

    As by pg_restore, for example.

    What may have been used since the backup was made is discarded; open orders are asked for again under their old
    keys.
    """
    from kylink_cli import wiring
    from kylink_cli.store.engine.schema import require_current, upgrade
    from kylink_cli.store.upkeep.restore import go_on

    database = wiring.database_at(cli.settings.database_url)
    if database.path is not None:
        upgrade(database)
    require_current(database)
    done = go_on(database, trust=trust)
    _note(cli, database, "by other means")
    if cli.console.json:
        cli.console.document(_document(done))
        return
    _say(cli, done, trust=trust)


def _note(cli: Cli, database: "Database", backup: str) -> None:
    """Let the audit trail know who brought the database back."""
    from kylink_cli.rules.vocabulary import Act
    from kylink_cli.store import audit

    entry = audit.AuditEntry(cli.who, Act.DATABASE_RESTORED, [backup])
    database.commit(lambda session: audit.record(session, entry, database.now()))


def _document(done: "Restored") -> dict[str, int]:
    return {
        "discarded": done.discarded,
        "closed_leases": done.closed_leases,
        "open_requests": done.open_requests,
    }


def _say(cli: Cli, done: "Restored", *, trust: bool) -> None:
    if trust:
        cli.console.say(tr("the stock and the leases were kept, as --trust says"))
    else:
        cli.console.say(
            tr(
                "{items} that may have been used since {leases} were put into quarantine",
                items=ntr("{n} item", "{n} items", done.discarded),
                leases=ntr("and {n} lease", "and {n} leases", done.closed_leases),
            )
        )
    if done.open_requests:
        cli.console.say(
            ntr(
                "{n} open order is asked for again under its old key",
                "{n} open orders are asked for again under their old keys",
                done.open_requests,
            )
        )
