"""What happens in a run, worded as log lines in one place."""

import logging
from dataclasses import asdict
from functools import singledispatch
from typing import Any

from kylink_cli.console.output import Console
from kylink_cli.language import tr
from kylink_cli.rules import counted
from kylink_cli.rules.vocabulary import ResultStatus, RunStatus
from kylink_cli.running import events

_LEVEL_OF_STATUS = {
    ResultStatus.SUCCEEDED: logging.INFO,
    ResultStatus.SKIPPED: logging.INFO,
    ResultStatus.FAILED: logging.ERROR,
}


class RunLog:
    """Writes a run's events to the console as single lines.

    A line names the campaign and the try that it speaks of, and `--log-format json` adds every fact of the event.
    """

    def __init__(self, console: Console, command: str) -> None:
        """Write lines that begin with `[command]`."""
        self._console = console
        self._command = command
        self._run_id: int | None = None

    def __call__(self, event: events.Event) -> None:
        """Write one event.

        Raises:
            OSError: standard error does not take it.
        """
        if isinstance(event, events.RunStarted):
            self._run_id = event.run_id
        prefix = "jobs" if isinstance(event, events.RunFinished) else self._command
        level, text = line(event)
        if not self._console.shows(level):
            return
        facts: dict[str, Any] = {"event": type(event).__name__, "run_id": self._run_id, **asdict(event)}
        self._console.write_log(level, f"[{prefix}] {text}", **facts)


@singledispatch
def line(event: object) -> tuple[int, str]:
    """The level and the words of an event."""
    raise TypeError(f"no words for {type(event).__name__}")


@line.register
def _(event: events.RunStarted) -> tuple[int, str]:
    return logging.DEBUG, tr("run {run_id} of {job} started", run_id=event.run_id, job=event.job)


@line.register
def _(event: events.RunsCrashed) -> tuple[int, str]:
    runs = ", ".join(
        tr("{run_id} on {host}", run_id=run_id, host=host)
        for run_id, host in zip(event.run_ids, event.hosts, strict=True)
    )
    return logging.WARNING, tr("run {runs} died without recording an end: marked as crashed, claims freed", runs=runs)


@line.register
def _(event: events.WorkFound) -> tuple[int, str]:
    if event.campaigns == 0:
        return logging.INFO, tr("nothing to do: no campaign is low")
    return logging.INFO, tr(
        "{campaigns} to fill, {items} to order",
        campaigns=counted.campaigns(event.campaigns),
        items=counted.items(event.items),
    )


@line.register
def _(event: events.AttemptStarted) -> tuple[int, str]:
    return logging.INFO, tr(
        "attempt {attempt}/{tries} for campaign {campaign_id}",
        attempt=event.attempt,
        tries=event.tries,
        campaign_id=event.campaign_id,
    )


@line.register
def _(event: events.ItemsStored) -> tuple[int, str]:
    return logging.DEBUG, tr(
        "{items} stored for campaign {campaign_id}", items=counted.items(event.items), campaign_id=event.campaign_id
    )


@line.register
def _(event: events.RetryWaiting) -> tuple[int, str]:
    reason = tr("campaign {campaign_id}: {error}", campaign_id=event.campaign_id, error=event.error)
    return logging.WARNING, tr("waiting {wait_ms} ms before retry ({reason})", wait_ms=event.wait_ms, reason=reason)


@line.register
def _(event: events.CampaignFinished) -> tuple[int, str]:
    level = _LEVEL_OF_STATUS.get(event.status, logging.WARNING)
    text = tr(
        "campaign {campaign_id} {status}: {produced} of {ordered}",
        campaign_id=event.campaign_id,
        status=tr(event.status),
        produced=event.produced,
        ordered=counted.items(event.ordered),
    )
    return level, f"{text} ({event.error})" if event.error else text


@line.register
def _(event: events.BatchDone) -> tuple[int, str]:
    level = logging.DEBUG if event.done == event.total else logging.INFO
    return level, tr("{done} of {total} {what}", done=event.done, total=event.total, what=tr(event.what))


@line.register
def _(event: events.LeasesRecovered) -> tuple[int, str]:
    if event.expired_leases == event.expired_items == 0:
        return logging.INFO, tr("nothing to do: no lease and no item is over")
    return logging.INFO, tr(
        "{leases} expired, {recovered} back in stock, {discarded} discarded; {expired} expired",
        leases=counted.leases(event.expired_leases),
        recovered=counted.items(event.recovered),
        discarded=event.discarded,
        expired=counted.items(event.expired_items),
    )


@line.register
def _(event: events.ChecksDone) -> tuple[int, str]:
    if not event.raised:
        return logging.INFO, tr("all {checks} checks found nothing", checks=event.checks)
    return logging.WARNING, tr(
        "{found} of {checks} checks found something: {findings}",
        found=len(event.raised),
        checks=event.checks,
        findings="; ".join(event.raised),
    )


@line.register
def _(event: events.AlertRaised) -> tuple[int, str]:
    return logging.WARNING, tr(
        "alert {alert_id} was raised: {title} ('kylink alerts show {alert_id}')",
        alert_id=event.alert_id,
        title=event.title,
    )


@line.register
def _(event: events.NotificationsSent) -> tuple[int, str]:
    level = logging.WARNING if event.failed or event.given_up else logging.INFO
    text = tr(
        "notifications: {sent} sent, {failed} failed and will be tried again", sent=event.sent, failed=event.failed
    )
    if not event.given_up:
        return level, text
    return level, tr("{text}, {given_up} given up after a day", text=text, given_up=event.given_up)


@line.register
def _(event: events.SupplyPaused) -> tuple[int, str]:
    return logging.WARNING, tr(
        "{error}; no calls for {wait_ms} ms, then one probe", error=event.error, wait_ms=event.wait_ms
    )


@line.register
def _(event: events.Stopping) -> tuple[int, str]:
    return logging.WARNING, tr("{reason}: no new calls, calls in flight may finish", reason=event.reason)


@line.register
def _(event: events.Warned) -> tuple[int, str]:
    return logging.WARNING, event.text


@line.register
def _(event: events.RunFinished) -> tuple[int, str]:
    if event.status == RunStatus.SUCCEEDED:
        return logging.INFO, tr("{job} completed in {duration_ms} ms", job=event.job, duration_ms=event.duration_ms)
    return logging.INFO, tr(
        "{job} ended as {status} in {duration_ms} ms",
        job=event.job,
        status=tr(event.status),
        duration_ms=event.duration_ms,
    )
