"""`kylink watch`: jobs, campaigns and alerts, live."""

import os
import signal
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from kylink_cli.cli.app import end_by_signal
from kylink_cli.cli.command import Cli, command
from kylink_cli.errors import UsageError
from kylink_cli.language import tr

if TYPE_CHECKING:
    from kylink_cli.console.watch.app import WatchApp

# A view that is silent shows the past as if it were now: it waits less for a lost server than a run does, says so, and
# looks again.
_PATIENCE_SECONDS = 2


def register(app: typer.Typer) -> None:
    """Add the command to the root."""
    command(app, "watch", json=False)(watch)


def watch(
    cli: Cli,
    interval: Annotated[
        float, typer.Option("--interval", min=0.2, max=3600, metavar="SECONDS", help="How often to refresh.")
    ] = 2,
    once: Annotated[bool, typer.Option("--once", help="Print one picture and end.")] = False,
) -> None:
    """Watch jobs, campaigns and alerts live, and act on them.

    The campaigns with the least stock left come first. The key ? says what the other keys do.
    """
    from kylink_cli import wiring
    from kylink_cli.overview.watching import look

    patience = None if once else _PATIENCE_SECONDS
    database = wiring.existing_database(cli.settings, patience_seconds=patience)
    locks = wiring.locks(cli.settings)
    if once:
        from kylink_cli.cli.views.watch import show_scene

        show_scene(cli.console, look(database, locks, cli.settings))
        return
    if (
        not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr))
        or os.environ.get("TERM", "dumb") == "dumb"
    ):
        raise UsageError(tr("watch needs a terminal: --once draws one picture"))
    if not cli.console.output.color:
        os.environ["NO_COLOR"] = "1"
    from kylink_cli.cli.watch_desk import desk
    from kylink_cli.console.sparkline import glyphs_for
    from kylink_cli.console.watch.app import WatchApp

    _run(WatchApp(desk(cli, database, locks), interval, glyphs_for(os.environ["TERM"])))


def _run(app: "WatchApp") -> None:
    """Run the view to its end; a signal ends it as the signal that it is, and leaves the terminal in order."""
    import asyncio

    stopped: list[signal.Signals] = []

    def stop(number: signal.Signals) -> None:
        stopped.append(number)
        app.exit()

    async def run() -> None:
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop, number)
        await app.run_async()

    asyncio.run(run())
    if app.failure is not None:
        raise app.failure
    if app.interrupted:
        stopped.append(signal.SIGINT)
    if stopped:
        end_by_signal(stopped[0])
