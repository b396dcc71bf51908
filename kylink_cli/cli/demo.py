"""`kylink demo`: a complete tour on loopback."""

import secrets
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kylink_cli.cli.command import Cli, command
from kylink_cli.language import tr

if TYPE_CHECKING:
    from kylink_cli.demo.tour import Tour


def register(app: typer.Typer) -> None:
    """Add the command to the root."""
    command(app, "demo", json=False)(demo)


def demo(
    cli: Cli,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the database, and say how to look around in it.")] = False,
) -> int:
    """Take a tour: sample campaigns, and a run that fills them.

    Their supply service is one of kylink's own, on loopback.
    """
    from kylink_cli.demo.behaviour import sample_service
    from kylink_cli.demo.tour import EXPECTED_CODES, Tour

    folder = Path(tempfile.mkdtemp(prefix="kylink-demo-"))
    tour = Tour(folder, cli.console.say)
    key = secrets.token_urlsafe(16)
    try:
        with sample_service(key) as service:
            cli.console.say(
                tr(
                    "a supply service answers on {url}; the demo's files are in {folder}",
                    url=service.url,
                    folder=folder,
                )
            )
            tour.prepare(service.url, key)
            tour.show("campaigns", "list")
            code = tour.show("replenish", "--all")
        tour.show("jobs", "status")
        cli.console.say(tr("(a demo has no timers; on a server they start all three jobs)"))
        tour.show("alerts", "list")
        tour.show("campaigns", "list")
        cli.console.say(f"\n{_farewell(tour, keep=keep)}")
    finally:
        if not keep:
            shutil.rmtree(folder)
    return 0 if code in EXPECTED_CODES else code


def _farewell(tour: "Tour", *, keep: bool) -> str:
    if not keep:
        return tr("the demo's database was removed; 'kylink demo --keep' keeps it for you to look around")
    commands = ("campaigns list", "stock list --campaign 1001", "jobs history", "config show", "db stats")
    lines = [tr("look around (the supply service has stopped; 'rm -r {folder}' removes the rest):", folder=tour.folder)]
    lines += [f"  kylink --env-file {tour.env_file} {arguments}" for arguments in commands]
    return "\n".join(lines)
