"""What needs somebody's attention, most urgent first, each with what to type."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from kylink_cli.language import ntr, tr
from kylink_cli.rules import counted
from kylink_cli.rules.situation import CampaignSituation, JobSituation, Situation
from kylink_cli.rules.text import natural, one_line
from kylink_cli.rules.vocabulary import AlertLevel, AlertState, AlertType, JobName

# A single failed run may be chance; a campaign that it left empty is named anyway.
FAILURES_IN_A_ROW = 3
_COMMANDS = {
    JobName.REPLENISH: "replenish",
    JobName.RECOVER_LEASES: "recover-leases",
    JobName.ALERT_CHECK: "alert-check",
}
# What these alerts tell, campaigns and jobs tell by themselves.
_TOLD_OTHERWISE = {
    AlertType.STOCK_REPLENISH_FAILED,
    AlertType.LOW_STOCK,
    AlertType.NO_STOCK_FREQUENT,
    AlertType.FORECAST_MISS,
}

Kind = Literal["campaign", "job", "alert"]


@dataclass(frozen=True, slots=True)
class Matter:
    """Something that needs somebody's attention.

    Attributes:
        kind: what it is about.
        id: the campaign's id, the job's name or the alert's number.
        name: what people call it.
        user_id: whose campaign it is; None if it is no campaign.
        what: how it is, in a few words.
        error: what went wrong; None if nothing is known.
        since: since when; None if nobody knows.
        turned_away: items that consumers were refused within the period.
        command: what to type.
        urgent: whether consumers go without, or will before long.
    """

    kind: Kind
    id: str
    name: str
    user_id: str | None
    what: str
    error: str | None
    since: datetime | None
    turned_away: int
    command: str
    urgent: bool


def attention(situation: Situation) -> list[Matter]:
    """What needs attention: jobs, since campaigns hang on them, then campaigns by what they lost, then alerts."""
    troubled = [one for one in situation.campaigns if one.empty or one.failing]
    troubled.sort(key=lambda one: (not one.empty, -one.asked.refused, natural(one.need.level.campaign_id)))
    return [
        *(matter for job in situation.jobs for matter in _of_job(job, scheduling=situation.scheduling)),
        *map(_of_campaign, troubled),
        *_of_alerts(situation),
    ]


def _of_campaign(one: CampaignSituation) -> Matter:
    level = one.need.level
    what = tr("empty")
    if not one.empty:
        lowest = counted.items(one.need.watermark.items)
        what = tr("{available} of at least {items}", available=level.available, items=lowest)
    return Matter(
        kind="campaign",
        id=level.campaign_id,
        name=one_line(level.name),
        user_id=level.user_id,
        what=what,
        error=one.error,
        since=one.since,
        turned_away=one.asked.refused,
        command=f"kylink replenish --campaign {shlex.quote(level.campaign_id)}",
        urgent=one.empty,
    )


def _of_job(job: JobSituation, *, scheduling: bool) -> Iterator[Matter]:
    if job.paused_since is not None:
        resume = f"kylink jobs resume {_COMMANDS[JobName(job.name)]}"
        yield _job_matter(job, tr("paused"), job.paused_since, resume)
    elif job.overdue_since is not None:
        what = tr("its timer has not started it in time")
        yield replace(_job_matter(job, what, job.overdue_since, "kylink systemd status"), urgent=True)
    elif not job.enabled:
        command = "kylink systemd install --now" if scheduling else "kylink setup"
        yield _job_matter(job, tr("no timer starts it"), None, command)
    if job.failures >= FAILURES_IN_A_ROW:
        what = ntr("{n:,} run failed in a row", "{n:,} runs failed in a row", job.failures)
        matter = _job_matter(job, what, job.failing_since, f"kylink jobs show {job.last_run_id}")
        yield replace(matter, urgent=True, error=job.error)


def _job_matter(job: JobSituation, what: str, since: datetime | None, command: str) -> Matter:
    return Matter("job", job.name, _COMMANDS[JobName(job.name)], None, what, None, since, 0, command, urgent=False)


def _of_alerts(situation: Situation) -> Iterator[Matter]:
    for alert in situation.alerts:
        is_ours = alert.type not in _TOLD_OTHERWISE and alert.level != AlertLevel.INFO
        if is_ours and alert.state != AlertState.RESOLVED:
            yield Matter(
                kind="alert",
                id=str(alert.alert_id),
                name=one_line(alert.title),
                user_id=None,
                what=tr(alert.level),
                error=None,
                since=alert.first_seen_at,
                turned_away=0,
                command=f"kylink alerts show {alert.alert_id}",
                urgent=alert.level == AlertLevel.ERROR,
            )
