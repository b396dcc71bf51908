"""`kylink db copy`: from a file to a server, or back."""

import os
from pathlib import Path
from typing import Annotated

import typer

from kylink_cli.cli.command import Cli, command
from kylink_cli.errors import UsageError
from kylink_cli.language import tr
from kylink_cli.places import is_on_server
from kylink_cli.rules import counted

FromOption = Annotated[
    str,
    typer.Option(
        "--from",
        metavar="URL",
        help="The database to copy: sqlite:///FILE or postgresql://USER@HOST/NAME; env:NAME or file:PATH name a "
        "variable or a file that holds the URL.",
    ),
]
ToOption = Annotated[str, typer.Option("--to", metavar="URL", help="A new or empty database, or an unfinished copy.")]

KeepOption = Annotated[
    bool, typer.Option("--keep-source", help="Keep both usable, although they would hand out the same items.")
]


def register(db: typer.Typer) -> None:
    """Add the command to its group."""
    command(db, "copy", acts=True)(copy_database)


def copy_database(cli: Cli, source_url: FromOption, target_url: ToOption, keep_source: KeepOption = False) -> None:
    """Copy a database into a new one of either kind.

    The two are compared, and the old one is marked as moved.

    Stop the timers and the consumers first. An interrupted copy continues when the command is run again.
    """
    from kylink_cli import wiring
    from kylink_cli.console.observer import observing
    from kylink_cli.running.events import BatchDone
    from kylink_cli.store.upkeep.copying import Move, copy

    source_url, target_url = _url(cli, "--from", source_url), _url(cli, "--to", target_url)
    source = wiring.database_at(source_url)
    target = wiring.database_at(target_url, create=True)
    with observing(cli.console, "db copy") as observe:
        move = Move(_place(source_url), None if keep_source else _place(target_url))
        done = copy(source, target, move, lambda *batch: observe(BatchDone(*batch)))
    if cli.console.json:
        cli.console.document({"rows": done.rows, "resumed": done.resumed})
        return
    total = sum(done.rows.values())
    kept = tr(", {resumed:,} of them before", resumed=done.resumed) if done.resumed else ""
    cli.console.say(
        tr(
            "copied {rows} in {tables}{kept}: counts and checksums agree",
            rows=counted.rows(total),
            tables=counted.tables(len(done.rows)),
            kept=kept,
        )
    )


def _url(cli: Cli, option: str, given: str) -> str:
    """The URL behind an option's value, which may be kept in a variable or a file.

    Raises:
        UsageError: it is none.
        ConfigError: the file can't be read.
    """
    from kylink_cli.settings.env_files import read_text

    kind, _, place = given.partition(":")
    url = given
    if kind == "env":
        url = os.environ.get(place, "")
    elif kind == "file":
        url = read_text(Path(place), "URL").strip()
    elif is_on_server(given) and _has_password(given):
        warning = tr("every user of this host can read the password behind {option}", option=option)
        advice = tr("write env:NAME or file:PATH, and put the URL there")
        cli.console.warning(tr("warning: {warning}", warning=f"{warning}: {advice}"))
    if not url.startswith("sqlite:///") and not is_on_server(url):
        raise UsageError(tr("{option} must be sqlite:///FILE or postgresql://USER@HOST/NAME", option=option))
    return url


def _has_password(url: str) -> bool:
    from kylink_cli.store.engine.address import parse

    return "password" in parse(url).parameters


def _place(url: str) -> str:
    """A name for a database that holds no password and no relative path."""
    from kylink_cli.places import sqlite_path
    from kylink_cli.store.engine.address import parse

    return parse(url).name if is_on_server(url) else str(sqlite_path(url).absolute())
