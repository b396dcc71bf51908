"""`kylink audit`: who did what."""

from typing import Annotated

import typer

from kylink_cli.cli.command import Cli, command
from kylink_cli.errors import UsageError


def register(app: typer.Typer) -> None:
    """Add the command to the root."""
    command(app, "audit")(audit)


def audit(
    cli: Cli,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="TIME", help="Only what was done since then: 8h, 2d, or 2026-02-06T08:00Z."),
    ] = None,
    who: Annotated[
        str | None,
        typer.Option("--who", metavar="NAME", help="Only what was done by this login or key, or part of it."),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=100_000, help="How many, the newest.")] = 100,
) -> None:
    """Show who did what, by hand or over HTTP, newest first.

    What jobs do by themselves is in 'kylink jobs history'. What is older than RUN_RETENTION_DAYS is deleted.
    """
    from kylink_cli import wiring
    from kylink_cli.cli.views import audit as view
    from kylink_cli.rules.moments import read_since
    from kylink_cli.rules.text import one_line
    from kylink_cli.store.audit import TrailPart, read

    database = wiring.existing_database(cli.settings)
    now = database.now()
    try:
        begin = None if since is None else read_since(one_line(since, 40), now)
    except ValueError as error:
        raise UsageError(f"--since: {error}") from None
    acts = database.read(lambda session: read(session, TrailPart(begin, who, limit)))
    view.show_acts(cli.console, acts, now)
