"""`kylink report`: the state of kylink as one HTML page."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

import kylink_cli
from kylink_cli.cli.command import Cli, command
from kylink_cli.cli.completers import users
from kylink_cli.cli.output_files import replaced
from kylink_cli.errors import NotFoundError
from kylink_cli.language import tr
from kylink_cli.rules.text import one_line


def register(app: typer.Typer) -> None:
    """Add the command to the root."""
    command(app, "report")(report)


def report(
    cli: Cli,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Write to this file, atomically.")] = Path(
        "kylink-report.html"
    ),
    days: Annotated[int, typer.Option("--days", min=1, max=365, help="Cover the last N days.")] = 7,
    user: Annotated[
        str | None,
        typer.Option(
            "--user",
            metavar="USER",
            help="Only this user's campaigns.",
            autocompletion=users,
        ),
    ] = None,
    public: Annotated[
        bool,
        typer.Option("--public", help="Make the file readable by every user of this machine, as a web server needs."),
    ] = False,
) -> None:
    """Write one HTML page with charts, which needs no network.

    Only you can read it unless you use --public. It names campaigns and users; it holds no items and no secrets.
    """
    from kylink_cli import wiring
    from kylink_cli.cli.look_back import look_back
    from kylink_cli.overview.figures import read_figures, read_history
    from kylink_cli.overview.situation import read_situation
    from kylink_cli.report.page import Page
    from kylink_cli.report.timeline import Timeline
    from kylink_cli.rules.figures import Period

    database = wiring.existing_database(cli.settings)
    now = database.now()
    period = Period(now - timedelta(days=days), now)
    step_hours = Timeline.of(period).step_hours
    figures, history = database.read(
        lambda session: (
            read_figures(session, cli.settings.policy, period, user),
            read_history(session, period, user, step_hours),
        )
    )
    situation = read_situation(database, wiring.locks(cli.settings), cli.settings, period, user)
    if user is not None and not figures.campaigns:
        raise NotFoundError(
            tr(
                "user {user} has no campaigns, nothing was written: 'kylink campaigns list' shows whose they are",
                user=one_line(user),
            )
        )
    other = look_back(cli.settings, figures.campaigns)
    html = Page(figures, history, situation, cli.settings.kylink_lang, user, kylink_cli.__version__, other).html()
    with replaced(out, readable=public) as file:
        file.write(html)
    if cli.console.json:
        cli.console.document({"file": str(out), "bytes": len(html.encode()), "campaigns": len(figures.campaigns)})
    else:
        cli.console.say(tr("report written to {out}", out=one_line(str(out))))
