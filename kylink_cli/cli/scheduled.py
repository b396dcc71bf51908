"""Whether a timer's run is to do anything."""

from typing import TYPE_CHECKING

from kylink_cli.language import tr
from kylink_cli.rules.moments import readable

if TYPE_CHECKING:
    from kylink_cli.scheduling.jobs import Job
    from kylink_cli.settings.fields import Settings
    from kylink_cli.store.engine.database import Database


def reason_to_skip(settings: "Settings", database: "Database", job: "Job") -> str | None:
    """Why a scheduled run of a job is to do nothing, in one line; None if it is to run."""
    from kylink_cli.store.runs import paused_jobs

    if not settings.enable_auto_cron:
        return tr("scheduling is off: set ENABLE_AUTO_CRON=true to turn it on")
    since = database.read(paused_jobs).get(job.name)
    if since is None:
        return None
    moment = readable(since)
    return tr(
        "{name} is paused since {moment}: 'kylink jobs resume {name}' lets it run again", name=job.name, moment=moment
    )
