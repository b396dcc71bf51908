"""What jobs and runs look like."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from kylink_cli.cli.views.failures import show_failures
from kylink_cli.cli.views.run_words import figures_in_words, run_in_words
from kylink_cli.console import Console
from kylink_cli.console.campaign_words import when
from kylink_cli.console.sparkline import sparkline
from kylink_cli.console.tables import Column, ago, milliseconds, span
from kylink_cli.console.words import STATES
from kylink_cli.documents.jobs import share_24h
from kylink_cli.language import tr
from kylink_cli.overview.status import HostStatus, JobStatus
from kylink_cli.rules import counted
from kylink_cli.rules.error_groups import Failing
from kylink_cli.rules.moments import local
from kylink_cli.rules.success import percent
from kylink_cli.rules.text import one_line
from kylink_cli.rules.vocabulary import Trigger
from kylink_cli.store.tables import Campaign, CampaignResult, Run

_STATUS_COLUMNS = [
    Column("JOB"),
    Column("STATE", words=True),
    Column("LAST RUN"),
    Column("RESULT", words=True),
    Column("TOOK", "right", spare=2),
    Column("NEXT", "right", spare=1),
    Column("OK 24 H", "right", spare=3),
]
_HOST_COLUMNS = [
    Column("JOB"),
    Column("HOST"),
    Column("STATE", words=True),
    Column("LAST RUN", spare=1),
    Column("RESULT", words=True, spare=2),
]
_HISTORY_COLUMNS = [
    Column("RUN", "right"),
    Column("JOB"),
    Column("STATUS", words=True),
    Column("STARTED", spare=1),
    Column("TOOK", "right", spare=2),
    Column("WHAT", flexible=True),
]


def show_status(console: Console, found: Sequence[JobStatus], now: datetime, *, auto_cron: bool) -> None:
    """Show how every job is doing, in 80 columns, and what a person should know of it below."""
    console.table(_STATUS_COLUMNS, [_status_row(status, now) for status in found])
    if len({host.host for status in found for host in status.hosts}) > 1:
        console.say()
        console.table(_HOST_COLUMNS, [_host_row(status, host, now) for status in found for host in status.hosts])
    notes = [note for status in found for note in _notes(status, now)]
    if not auto_cron:
        notes.append(tr("scheduling is off: scheduled runs do nothing until ENABLE_AUTO_CRON=true"))
    for note in ["", *notes] if notes else []:
        console.say(note)


def show_history(console: Console, found: Sequence[Run], now: datetime) -> None:
    """Show runs, newest first."""
    if not found:
        console.say(tr("no run is recorded yet"))
        return
    rows = [_history_row(run, now) for run in found]
    if len({run.host for run in found}) == 1:
        console.table(_HISTORY_COLUMNS, rows)
        return
    columns = [*_HISTORY_COLUMNS[:2], Column("HOST", spare=3), *_HISTORY_COLUMNS[2:]]
    console.table(columns, [[*row[:2], run.host, *row[2:]] for run, row in zip(found, rows, strict=True)])


def show_run(
    console: Console,
    run: Run,
    results: Sequence[tuple[CampaignResult, Campaign]],
    recent: Sequence[Run],
    now: datetime,
) -> None:
    """Say how one run went, what went wrong first.

    Args:
        recent: the last runs of its job, newest first.
    """
    failures = [Failing(r.campaign_id, campaign.name, r.error) for r, campaign in results if r.error]
    console.prose(
        tr("Run {id} of {job}: {summary}", id=run.id, job=run.job, summary=run_in_words(run)),
        style=STATES.get(run.status, ""),
    )
    if run.error is not None and not failures:
        console.prose(one_line(run.error), style="red")
    if failures:
        console.say()
        show_failures(console, failures)
    console.say()
    console.prose(_started(run, now))
    durations = [other.duration_ms or 0 for other in reversed(recent)]
    if len(durations) > 1:
        longest = milliseconds(max(durations))
        last = tr(
            "how long the last {runs} took, at most {longest}", runs=counted.runs(len(durations)), longest=longest
        )
        console.say(f"{sparkline(durations)}  {last}")


def _started(run: Run, now: datetime) -> str:
    said = tr(
        "Started {when} by {trigger} on {host}, pid {pid}.",
        when=when(run.started_at, now),
        trigger=tr("a timer") if run.trigger == Trigger.TIMER else tr("hand"),
        host=one_line(run.host),
        pid=run.pid,
    )
    if run.invocation_id is None:
        return said
    return tr("{said} Its log: {command}", said=said, command=f"journalctl _SYSTEMD_INVOCATION_ID={run.invocation_id}")


def _status_row(status: JobStatus, now: datetime) -> list[Any]:
    last, share = status.last_ended, share_24h(status)
    return [
        status.job.name,
        status.state,
        ago(last.started_at, now) if last else tr("never"),
        last.status if last else None,
        milliseconds(last.duration_ms) if last else None,
        _next(status, now),
        None if share is None else percent(share),
    ]


def _notes(status: JobStatus, now: datetime) -> Iterator[str]:
    name, run = status.job.name, status.current
    if run is not None:
        since = tr("running since {moment} ({span})", moment=local(run.started_at), span=span(now - run.started_at))
        yield tr(
            "{name}: run {id}, {trigger}, {since}, pid {pid} on {host}",
            name=name,
            id=run.id,
            trigger=tr(run.trigger),
            since=since,
            pid=run.pid,
            host=one_line(run.host),
        )
    if status.overdue and status.due_at is not None:
        yield tr(
            "{name}: overdue since {moment}: check whether its timer is active",
            name=name,
            moment=local(status.due_at),
        )
    if status.paused_since is not None:
        yield tr(
            "{name}: paused since {moment}: 'kylink jobs resume {name}' lets it run again",
            name=name,
            moment=local(status.paused_since),
        )
    if status.consecutive_failures > 0 and status.last_ended is not None:
        last = status.last_ended
        error = one_line(last.error or tr(last.status))
        yield tr(
            "{name}: {number} failed in a row, see 'kylink jobs show {id}': {error}",
            name=name,
            number=status.consecutive_failures,
            id=last.id,
            error=error,
        )


def _next(status: JobStatus, now: datetime) -> str | None:
    if status.next_run_at is None:
        return None
    return tr("due") if status.next_run_at <= now else span(status.next_run_at - now)


def _host_row(status: JobStatus, host: HostStatus, now: datetime) -> list[Any]:
    state = "silent" if host.silent else "on"
    return [status.job.name, host.host, state, ago(host.last_run.started_at, now), host.last_run.status]


def _history_row(run: Run, now: datetime) -> list[Any]:
    what = run.error or figures_in_words(run.job, run.figures)
    return [run.id, run.job, run.status, ago(run.started_at, now), milliseconds(run.duration_ms), what]
