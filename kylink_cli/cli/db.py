"""`kylink db …`: create, upgrade, check, copy and measure the database."""

from pathlib import Path
from typing import Annotated, Any

import typer

from kylink_cli.cli import db_copy, db_restore
from kylink_cli.cli.command import Cli, command, group
from kylink_cli.cli.options import YesOption
from kylink_cli.errors import UsageError
from kylink_cli.language import tr

db = group("db", "The database: create, upgrade, check, back up, measure.")


def register(app: typer.Typer) -> None:
    """Add the group to the root."""
    db_restore.register(db)
    db_copy.register(db)
    app.add_typer(db)


BackupFile = Annotated[Path, typer.Argument(metavar="FILE", help="The file to write.", show_default=False)]


@command(db, "init", acts=True)
def init(cli: Cli) -> None:
    """Create the database; an existing one is upgraded if needed."""
    from kylink_cli.store.engine.lineage import adopt
    from kylink_cli.store.engine.schema import upgrade
    from kylink_cli.wiring import created_database

    database = created_database(cli.settings)
    before = upgrade(database)
    if before.current is None:
        adopt(database)
    place = tr("on the server") if database.path is None else tr("at {path}", path=database.path)
    if cli.console.json:
        cli.console.document({"path": _place(database.path), "from": before.current, "to": before.head})
    elif before.current is None:
        cli.console.say(tr("created the database {place}, revision {head}", place=place, head=before.head))
    elif before.is_current:
        cli.console.say(
            tr(
                "there is a database {place} already, revision {head}: nothing was changed",
                place=place,
                head=before.head,
            )
        )
    else:
        cli.console.say(
            tr(
                "upgraded the database {place} from revision {current} to {head}",
                place=place,
                current=before.current,
                head=before.head,
            )
        )


@command(db, "upgrade", acts=True)
def upgrade_database(cli: Cli) -> None:
    """Upgrade the database to the revision that this kylink needs."""
    from kylink_cli.store.engine.schema import upgrade
    from kylink_cli.wiring import unchanged_database

    before = upgrade(unchanged_database(cli.settings))
    if cli.console.json:
        cli.console.document({"from": before.current, "to": before.head})
    elif before.is_current:
        cli.console.say(tr("the database is at revision {head} already: nothing was changed", head=before.head))
    else:
        cli.console.say(
            tr("upgraded the database from revision {current} to {head}", current=before.current, head=before.head)
        )


@command(db, "check")
def check_database(cli: Cli) -> int:
    """Check the file and every rule that the data must obey. Exit 1 if something is wrong."""
    from kylink_cli.store.upkeep.check import check
    from kylink_cli.wiring import existing_database

    findings = existing_database(cli.settings, may_rest=True).read(check)
    ok = all(finding.ok for finding in findings)
    if cli.console.json:
        checks = [{"name": f.name, "ok": f.ok, "violations": f.violations} for f in findings]
        cli.console.document({"ok": ok, "checks": checks})
    else:
        from kylink_cli.console.tables import Column

        rows = [["ok" if f.ok else "wrong", f.violations, tr(f.name)] for f in findings]
        cli.console.table(
            [Column("result", words=True), Column("violations", "right"), Column("rule", wraps=True)], rows
        )
    return 0 if ok else 1


@command(db, "backup", acts=True)
def backup(cli: Cli, file: BackupFile, yes: YesOption = False) -> None:
    """Back up the database into one file while it is in use."""
    from kylink_cli.files import is_there
    from kylink_cli.store.upkeep.backup import back_up
    from kylink_cli.wiring import unchanged_database

    database = unchanged_database(cli.settings)
    if is_there(file) and not cli.console.confirm(tr("{file} exists: replace it?", file=file), yes=yes):
        raise UsageError(
            tr("{file} exists and was left alone: name another file, or use --yes to replace it", file=file)
        )
    size = back_up(database, file)
    if cli.console.json:
        cli.console.document({"file": str(file.absolute()), "bytes": size})
    else:
        cli.console.say(tr("backed up to {file}, {size:,} bytes, checked", file=file, size=size))


@command(db, "stats")
def stats(cli: Cli) -> None:
    """Show what the database contains and how much disk it uses."""
    from kylink_cli.store.upkeep.stats import read_stats
    from kylink_cli.wiring import existing_database

    figures = read_stats(existing_database(cli.settings, may_rest=True))
    if cli.console.json:
        cli.console.document(figures.document())
        return

    from kylink_cli.console.tables import Column

    place: list[list[Any]] = [
        [tr("file"), figures.path],
        ["SQLite", figures.sqlite_version],
        [tr("file size"), tr("{n:,} bytes", n=figures.file_bytes)],
        [tr("write-ahead log"), tr("{n:,} bytes", n=figures.wal_bytes)],
    ]
    server: list[list[Any]] = [
        ["PostgreSQL", figures.server_version],
        [tr("size"), tr("{n:,} bytes", n=figures.file_bytes)],
    ]
    rows: list[list[Any]] = [
        *(server if figures.path is None else place),
        [tr("revision"), figures.revision],
        *[[tr("rows in {table}", table=name), f"{number:,}"] for name, number in figures.rows.items()],
        *[[tr("items {state}", state=tr(state)), f"{number:,}"] for state, number in figures.items.items()],
    ]
    cli.console.table([Column("figure"), Column("value", wraps=True)], rows)


def _place(path: Path | None) -> str | None:
    return None if path is None else str(path.absolute())
