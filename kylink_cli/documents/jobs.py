"""Jobs and runs, for programs."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from typing_extensions import TypedDict

from kylink_cli.overview.status import JobStatus
from kylink_cli.rules.success import Success
from kylink_cli.scheduling.host import Schedule
from kylink_cli.store.outbox import Undelivered
from kylink_cli.store.tables import Campaign, CampaignResult, Run


class BriefRunDocument(TypedDict):
    """A run, in a few words."""

    run_id: int
    status: str
    trigger: str
    started_at: datetime
    finished_at: datetime | None
    duration_ms: int | None
    host: str


class RunDocument(BriefRunDocument):
    """A run."""

    job: str
    pid: int
    invocation_id: str | None
    figures: dict[str, Any]
    error: str | None


class ResultDocument(TypedDict):
    """How a campaign fared in a run."""

    user_id: str
    name: str
    campaign_id: str
    status: str
    available_before: int
    watermark: int
    target: int
    ordered: int
    produced: int
    available_after: int
    attempts: int
    error: str | None


class WholeRunDocument(RunDocument):
    """A run, and how each campaign fared in it."""

    campaigns: list[ResultDocument]


class RunsDocument(TypedDict):
    """Runs, newest first."""

    runs: list[RunDocument]


class SuccessDocument(TypedDict):
    """What a job did of what it should."""

    done: int
    of: int
    counted: Literal["campaigns", "runs"]


class HostDocument(TypedDict):
    """How a job is doing on a host."""

    host: str
    silent: bool
    last_run: BriefRunDocument


class JobDocument(TypedDict):
    """How a job is doing."""

    name: str
    command: str
    interval_minutes: int
    enabled: bool
    paused_since: datetime | None
    running: bool
    last_run: BriefRunDocument | None
    last_success_at: datetime | None
    next_run_at: datetime | None
    overdue: bool
    success_rate_24h: float | None
    success_24h: SuccessDocument | None
    runs_24h: int
    p50_ms: int | None
    p95_ms: int | None
    consecutive_failures: int
    hosts: list[HostDocument]


class UndeliveredDocument(TypedDict):
    """Notifications that have not arrived, by channel."""

    channel: str
    waiting: int
    given_up: int
    error: str | None


class StatusDocument(TypedDict):
    """How every job is doing, what starts them on this host, and which channels fail."""

    auto_cron: bool
    scheduler: Literal["systemd", "cron"] | None
    jobs: list[JobDocument]
    undelivered: list[UndeliveredDocument]


def status_document(
    found: Sequence[JobStatus], undelivered: Sequence[Undelivered], schedule: Schedule | None, *, auto_cron: bool
) -> StatusDocument:
    """How every job is doing."""
    return {
        "auto_cron": auto_cron,
        "scheduler": None if schedule is None else schedule.by,
        "jobs": [_job_document(status) for status in found],
        "undelivered": [
            {"channel": one.channel, "waiting": one.waiting, "given_up": one.given_up, "error": one.error}
            for one in undelivered
        ],
    }


def run_document(run: Run) -> RunDocument:
    """A run."""
    return {
        "run_id": run.id or 0,
        "job": run.job,
        "status": run.status,
        "trigger": run.trigger,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "duration_ms": run.duration_ms,
        "host": run.host,
        "pid": run.pid,
        "invocation_id": run.invocation_id,
        "figures": run.figures,
        "error": run.error,
    }


def whole_run_document(run: Run, results: Sequence[tuple[CampaignResult, Campaign]]) -> WholeRunDocument:
    """A run, and how each campaign fared in it."""
    return {**run_document(run), "campaigns": [_result_document(*result) for result in results]}


def share_24h(status: JobStatus) -> float | None:
    """How much a job did of what it should, 0 to 1."""
    return None if status.success_24h is None else status.success_24h.share


def _result_document(result: CampaignResult, campaign: Campaign) -> ResultDocument:
    return {
        "user_id": campaign.user_id,
        "name": campaign.name,
        "campaign_id": result.campaign_id,
        "status": result.status,
        "available_before": result.available_before,
        "watermark": result.watermark,
        "target": result.target,
        "ordered": result.ordered,
        "produced": result.produced,
        "available_after": result.available_after,
        "attempts": result.attempts,
        "error": result.error,
    }


def _brief(run: Run) -> BriefRunDocument:
    return {
        "run_id": run.id or 0,
        "status": run.status,
        "trigger": run.trigger,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "duration_ms": run.duration_ms,
        "host": run.host,
    }


def _success_document(success: Success | None) -> SuccessDocument | None:
    return None if success is None else {"done": success.done, "of": success.of, "counted": success.counted}


def _job_document(status: JobStatus) -> JobDocument:
    last = status.last_run
    return {
        "name": status.job.name,
        "command": status.job.command,
        "interval_minutes": status.interval_minutes,
        "enabled": status.enabled,
        "paused_since": status.paused_since,
        "running": status.current is not None,
        "last_run": None if last is None else _brief(last),
        "last_success_at": status.last_success_at,
        "next_run_at": status.next_run_at,
        "overdue": status.overdue,
        "success_rate_24h": share_24h(status),
        "success_24h": _success_document(status.success_24h),
        "runs_24h": status.runs_24h,
        "p50_ms": status.p50_ms,
        "p95_ms": status.p95_ms,
        "consecutive_failures": status.consecutive_failures,
        "hosts": [
            {"host": host.host, "silent": host.silent, "last_run": _brief(host.last_run)} for host in status.hosts
        ],
    }
