"""`kylink metrics`: the state of kylink for the monitoring that you have already."""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import kylink_cli
from kylink_cli.cli.command import Cli, command
from kylink_cli.cli.output_files import replaced
from kylink_cli.language import tr
from kylink_cli.rules.text import one_line

if TYPE_CHECKING:
    from kylink_cli.metrics import Metric
    from kylink_cli.settings.fields import Settings
    from kylink_cli.store.engine.database import Database


def register(app: typer.Typer) -> None:
    """Add the command to the root."""
    command(app, "metrics")(metrics)


def metrics(
    cli: Cli,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Write to this file, atomically and readable by everyone."),
    ] = None,
    campaigns: Annotated[
        int,
        typer.Option(
            "--campaigns",
            min=0,
            max=1_000_000,
            help="Give the N campaigns most at risk metrics of their own.",
        ),
    ] = 500,
) -> None:
    """Print metrics in Prometheus' text format.

    With --out they are written for the node exporter's textfile collector.
    """
    from kylink_cli import wiring
    from kylink_cli.metrics import document, text

    found = read_families(cli.settings, wiring.existing_database(cli.settings), campaigns)
    if out is None and cli.console.json:
        cli.console.document({"metrics": document(found)})
        return
    if out is None:
        with cli.console.results() as stdout:
            stdout.write(text(found))
        return
    with replaced(out, readable=True) as file:
        file.write(text(found))
    series = sum(len(metric.samples) for metric in found)
    if cli.console.json:
        cli.console.document({"file": str(out), "series": series})
    else:
        cli.console.say(tr("{number} series written to {out}", number=series, out=one_line(str(out))))


def read_families(settings: "Settings", database: "Database", limit: int) -> "list[Metric]":
    """The metrics of this moment.

    Args:
        limit: campaigns that get metrics of their own.
    """
    from kylink_cli.metrics import JobSchedule, Measured, families
    from kylink_cli.overview.figures import read_figures
    from kylink_cli.rules.figures import Period
    from kylink_cli.scheduling.jobs import JOBS
    from kylink_cli.store import runs
    from kylink_cli.store.figures.success import read_success
    from kylink_cli.store.figures.totals import read_totals

    now = database.now()
    day = Period(now - timedelta(hours=24), now)
    measured = database.read(
        lambda session: Measured(
            figures=read_figures(session, settings.policy, day),
            totals=read_totals(session, now),
            success=read_success(session, day.since),
        )
    )
    paused = database.read(runs.paused_jobs)
    schedules = [
        JobSchedule(job.name, job.interval_minutes(settings) * 60, settings.enable_auto_cron and job.name not in paused)
        for job in JOBS
    ]
    return families(measured, schedules, kylink_cli.__version__, limit)
