"""`kylink jobs …`: what ran, how it went, what runs next."""

from typing import Annotated

import typer

from kylink_cli.cli.command import Cli, command, group
from kylink_cli.cli.completers import run_ids
from kylink_cli.cli.options import LARGEST_ID
from kylink_cli.errors import NotFoundError
from kylink_cli.language import tr
from kylink_cli.rules.vocabulary import JobWord

jobs = group("jobs", "Jobs: what ran, how it went, what runs next.")


def register(app: typer.Typer) -> None:
    """Add the group to the root."""
    app.add_typer(jobs)


# The runs whose durations are drawn beside one.
DRAWN_RUNS = 24


def _name(word: JobWord) -> str:
    """A job's name in the database."""
    from kylink_cli.scheduling.jobs import job_called

    return job_called(word).name


JobArgument = Annotated[
    JobWord, typer.Argument(metavar="JOB", help="The job: its command, or its name as 'kylink jobs status' shows it.")
]


@command(jobs, "status")
def status(cli: Cli) -> None:
    """Show in one table how every job is doing."""
    from kylink_cli import wiring
    from kylink_cli.cli.views import jobs as view
    from kylink_cli.cli.views.alerts import show_undelivered
    from kylink_cli.documents import jobs as documents
    from kylink_cli.overview.status import read_status
    from kylink_cli.rules.notices import GIVE_UP_AFTER
    from kylink_cli.scheduling.host import read_schedule
    from kylink_cli.store import outbox

    database = wiring.existing_database(cli.settings)
    now = database.now()
    schedule = read_schedule(cli.settings, now)
    found = read_status(database, wiring.locks(cli.settings), cli.settings, now, schedule)
    undelivered = database.read(lambda session: outbox.undelivered(session, now - GIVE_UP_AFTER))
    if cli.console.json:
        cli.console.document(
            documents.status_document(found, undelivered, schedule, auto_cron=cli.settings.enable_auto_cron)
        )
    else:
        view.show_status(cli.console, found, now, auto_cron=cli.settings.enable_auto_cron)
        show_undelivered(cli.console, undelivered)


@command(jobs, "history")
def history(
    cli: Cli,
    job: Annotated[JobWord | None, typer.Argument(metavar="[JOB]", help="Show only this job's runs.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="Show at most N runs.")] = 20,
) -> None:
    """Show the last runs, newest first."""
    from kylink_cli import wiring
    from kylink_cli.cli.views import jobs as view
    from kylink_cli.documents import jobs as documents
    from kylink_cli.overview.status import as_found
    from kylink_cli.store import runs

    database, locks = wiring.existing_database(cli.settings), wiring.locks(cli.settings)
    now = database.now()
    found = [
        as_found(run, locks, now)
        for run in database.read(lambda session: runs.history(session, job and _name(job), limit))
    ]
    if cli.console.json:
        cli.console.document({"runs": [documents.run_document(run) for run in found]})
    else:
        view.show_history(cli.console, found, now)


@command(jobs, "show")
def show(
    cli: Cli,
    run_id: Annotated[
        int,
        typer.Argument(
            metavar="RUN_ID",
            min=1,
            max=LARGEST_ID,
            help="The run's ID, as shown by 'history'.",
            autocompletion=run_ids,
        ),
    ],
) -> None:
    """Show how one run went, and what went wrong in it."""
    from kylink_cli import wiring
    from kylink_cli.cli.views import jobs as view
    from kylink_cli.documents import jobs as documents
    from kylink_cli.overview.status import as_found
    from kylink_cli.store import campaign_results, runs

    database = wiring.existing_database(cli.settings)
    run, results = database.read(lambda session: (runs.get(session, run_id), campaign_results.of_run(session, run_id)))
    if run is None:
        raise NotFoundError(tr("there is no run {run_id}: 'kylink jobs history' shows the last ones", run_id=run_id))
    job = run.job
    recent = database.read(lambda session: runs.history(session, job, DRAWN_RUNS))
    now = database.now()
    run = as_found(run, wiring.locks(cli.settings), now)
    if cli.console.json:
        cli.console.document(documents.whole_run_document(run, results))
    else:
        view.show_run(cli.console, run, results, recent, now)


@command(jobs, "pause", acts=True)
def pause(cli: Cli, job: JobArgument) -> None:
    """Pause a job's scheduled runs until it is resumed. It can still be run by hand."""
    from kylink_cli import wiring
    from kylink_cli.running import pausing

    name, database = _name(job), wiring.existing_database(cli.settings)
    changed = pausing.pause(database, name, cli.who)
    if cli.console.json:
        cli.console.document({"job": name, "paused": True, "changed": changed})
    else:
        cli.console.say(tr("{job} is paused", job=name) if changed else tr("{job} was paused already", job=name))


@command(jobs, "resume", acts=True)
def resume(cli: Cli, job: JobArgument) -> None:
    """Resume the scheduled runs of a paused job."""
    from kylink_cli import wiring
    from kylink_cli.running import pausing

    name = _name(job)
    changed = pausing.resume(wiring.existing_database(cli.settings), name, cli.who)
    if cli.console.json:
        cli.console.document({"job": name, "paused": False, "changed": changed})
    else:
        cli.console.say(tr("{job} runs again", job=name) if changed else tr("{job} was not paused", job=name))
