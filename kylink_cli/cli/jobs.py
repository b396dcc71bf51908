"""`kylink jobs …`: the machine room."""

from typing import Annotated

import typer

from kylink_cli.cli.command import Cli, command, group
from kylink_cli.cli.completers import run_ids
from kylink_cli.cli.options import LARGEST_ID
from kylink_cli.errors import NotFoundError
from kylink_cli.language import tr
from kylink_cli.rules.vocabulary import JobName

jobs = group("jobs", "The machine room: what ran, how it went, what comes next.")


def register(app: typer.Typer) -> None:
    """Add the group to the root."""
    app.add_typer(jobs)


# The runs whose durations are drawn beside one.
DRAWN_RUNS = 24


JobArgument = Annotated[
    JobName, typer.Argument(metavar="JOB", help="The job's name, as 'kylink jobs status' shows it.")
]


@command(jobs, "status")
def status(cli: Cli) -> None:
    """Show in one table how every job is doing."""
    from kylink_cli import wiring
    from kylink_cli.cli.views import jobs as view
    from kylink_cli.cli.views.alerts import show_undelivered
    from kylink_cli.overview.status import read_status
    from kylink_cli.rules.delivery import GIVE_UP_AFTER
    from kylink_cli.scheduling.host import read_schedule
    from kylink_cli.store import outbox

    database = wiring.existing_database(cli.settings)
    now = database.now()
    schedule = read_schedule(cli.settings, now)
    found = read_status(database, wiring.locks(cli.settings), cli.settings, now, schedule)
    undelivered = database.read(lambda session: outbox.undelivered(session, now - GIVE_UP_AFTER))
    if cli.console.json:
        cli.console.document(
            view.status_document(found, undelivered, schedule, auto_cron=cli.settings.enable_auto_cron)
        )
    else:
        view.show_status(cli.console, found, now, auto_cron=cli.settings.enable_auto_cron)
        show_undelivered(cli.console, undelivered)


@command(jobs, "history")
def history(
    cli: Cli,
    job: Annotated[JobName | None, typer.Argument(metavar="[JOB]", help="Only this job's runs.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="Show so many runs.")] = 20,
) -> None:
    """Show the last runs, newest first."""
    from kylink_cli import wiring
    from kylink_cli.cli.views import jobs as view
    from kylink_cli.overview.status import as_found
    from kylink_cli.store import runs

    database, locks = wiring.existing_database(cli.settings), wiring.locks(cli.settings)
    now = database.now()
    found = [as_found(run, locks, now) for run in database.read(lambda session: runs.history(session, job, limit))]
    if cli.console.json:
        cli.console.document({"runs": [view.run_document(run) for run in found]})
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
            help="The run, as 'history' names it.",
            autocompletion=run_ids,
        ),
    ],
) -> None:
    """Show one run, and how each campaign fared in it."""
    from kylink_cli import wiring
    from kylink_cli.cli.views import jobs as view
    from kylink_cli.overview.status import as_found
    from kylink_cli.store import campaign_results, runs

    database = wiring.existing_database(cli.settings)
    run, results = database.read(lambda session: (runs.get(session, run_id), campaign_results.of_run(session, run_id)))
    if run is None:
        raise NotFoundError(tr("there is no run {run_id}: 'kylink jobs history' shows the last ones", run_id=run_id))
    job = run.job
    recent = database.read(lambda session: runs.history(session, job, DRAWN_RUNS))
    run = as_found(run, wiring.locks(cli.settings), database.now())
    if cli.console.json:
        cli.console.document(view.run_document(run) | {"campaigns": [view.result_document(*r) for r in results]})
    else:
        view.show_run(cli.console, run, results, recent)


@command(jobs, "pause", acts=True)
def pause(cli: Cli, job: JobArgument) -> None:
    """Let scheduled runs of a job do nothing until it is resumed; a run by hand still works."""
    from kylink_cli import wiring
    from kylink_cli.store import paused_jobs

    database = wiring.existing_database(cli.settings)
    changed = database.commit(lambda session: paused_jobs.pause(session, job, database.now()))
    if cli.console.json:
        cli.console.document({"job": job, "paused": True, "changed": changed})
    else:
        cli.console.say(tr("{job} is paused", job=job) if changed else tr("{job} was paused already", job=job))


@command(jobs, "resume", acts=True)
def resume(cli: Cli, job: JobArgument) -> None:
    """Let scheduled runs of a paused job work again."""
    from kylink_cli import wiring
    from kylink_cli.store import paused_jobs

    changed = wiring.existing_database(cli.settings).commit(lambda session: paused_jobs.resume(session, job))
    if cli.console.json:
        cli.console.document({"job": job, "paused": False, "changed": changed})
    else:
        cli.console.say(tr("{job} runs again", job=job) if changed else tr("{job} was not paused", job=job))
