"""Do the jobs' log lines arrive where people look for them?"""

import shutil
from collections.abc import Iterator

from kylink_cli.language import tr
from kylink_cli.overview.doctor import RECENT_RUNS, Finding
from kylink_cli.rules import counted
from kylink_cli.scheduling.host import Schedule
from kylink_cli.store import runs
from kylink_cli.store.engine.database import Database


def check_log_lines(schedule: Schedule | None, database: Database) -> Iterator[Finding]:
    """Is there something that takes cron's lines to syslog, and could the last run of each job say all it had to?"""
    if schedule is not None and schedule.by == "cron" and shutil.which("logger") is None:
        yield Finding("log", "warning", tr("cron's jobs have no log: there is no program 'logger'"), tr("install it"))
    with database.reading() as session:
        recent = runs.history(session, None, RECENT_RUNS)
    for run in {run.job: run for run in reversed(recent)}.values():
        if count := (run.figures or {}).get("unsaid"):
            text = tr(
                "{lines} of run {run_id} of {job} could not be written",
                lines=counted.log_lines(count),
                run_id=run.id,
                job=run.job,
            )
            yield Finding("log", "warning", text, tr("check where they go: a full disk, or a logger that has ended"))
