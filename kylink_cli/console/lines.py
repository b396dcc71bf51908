"""What happens in a run, worded as log lines in one place."""

import logging
from dataclasses import asdict
from functools import singledispatch
from typing import Any

from kylink_cli.console.output import Console
from kylink_cli.jobs import events

_LEVEL_OF_STATUS = {"succeeded": logging.INFO, "skipped": logging.INFO, "failed": logging.ERROR}


class RunLog:
    """Writes a run's events to the console as single lines.

    A line names the campaign and the try that it speaks of, and `--log-format json` adds every fact of the event.
    """

    def __init__(self, console: Console, command: str) -> None:
        """Write lines that begin with `[command]`.

        Args:
            console: where they go.
            command: the subcommand that runs.
        """
        self._console = console
        self._command = command
        self._run_id: int | None = None

    def __call__(self, event: events.Event) -> None:
        """Write one event."""
        if isinstance(event, events.RunStarted):
            self._run_id = event.run_id
        prefix = "jobs" if isinstance(event, events.RunFinished) else self._command
        level, text = line(event)
        facts: dict[str, Any] = {"event": type(event).__name__, "run_id": self._run_id, **asdict(event)}
        self._console.log(level, f"[{prefix}] {text}", **facts)


@singledispatch
def line(event: object) -> tuple[int, str]:
    """The level and the words of an event."""
    raise TypeError(f"no words for {type(event).__name__}")


@line.register
def _(event: events.RunStarted) -> tuple[int, str]:
    return logging.DEBUG, f"run {event.run_id} of {event.job} started"


@line.register
def _(event: events.RunsCrashed) -> tuple[int, str]:
    runs = ", ".join(f"{run_id} on {host}" for run_id, host in zip(event.run_ids, event.hosts, strict=True))
    return logging.WARNING, f"run {runs} died without recording an end: marked as crashed, claims freed"


@line.register
def _(event: events.WorkFound) -> tuple[int, str]:
    if event.campaigns == 0:
        return logging.INFO, "nothing to do: no campaign is low"
    return logging.INFO, f"{event.campaigns} campaigns to fill, {event.items} items to order"


@line.register
def _(event: events.AttemptStarted) -> tuple[int, str]:
    return logging.INFO, f"attempt {event.attempt}/{event.tries} for campaign {event.campaign_id}"


@line.register
def _(event: events.ItemsStored) -> tuple[int, str]:
    return logging.DEBUG, f"{event.items} items stored for campaign {event.campaign_id}"


@line.register
def _(event: events.RetryWaiting) -> tuple[int, str]:
    reason = f"campaign {event.campaign_id}: {event.error}"
    return logging.WARNING, f"waiting {event.wait_ms} ms before retry ({reason})"


@line.register
def _(event: events.CampaignFinished) -> tuple[int, str]:
    level = _LEVEL_OF_STATUS.get(event.status, logging.WARNING)
    text = f"campaign {event.campaign_id} {event.status}: {event.produced} of {event.ordered} items"
    return level, f"{text} ({event.error})" if event.error else text


@line.register
def _(event: events.BatchDone) -> tuple[int, str]:
    level = logging.DEBUG if event.done == event.total else logging.INFO
    return level, f"{event.done} of {event.total} {event.what}"


@line.register
def _(event: events.LeasesRecovered) -> tuple[int, str]:
    if event.expired_leases == event.expired_items == 0:
        return logging.INFO, "nothing to do: no lease and no item is over"
    leases = f"{event.expired_leases} leases expired, {event.recovered} items back in stock"
    return logging.INFO, f"{leases}, {event.discarded} discarded; {event.expired_items} items expired"


@line.register
def _(event: events.ChecksDone) -> tuple[int, str]:
    if not event.raised:
        return logging.INFO, f"all {event.checks} checks found nothing"
    return logging.WARNING, f"{len(event.raised)} of {event.checks} checks found something: {'; '.join(event.raised)}"


@line.register
def _(event: events.NotificationsSent) -> tuple[int, str]:
    level = logging.WARNING if event.failed or event.given_up else logging.INFO
    text = f"notifications: {event.sent} sent, {event.failed} failed and will be tried again"
    return level, f"{text}, {event.given_up} given up after a day" if event.given_up else text


@line.register
def _(event: events.SupplyPaused) -> tuple[int, str]:
    return logging.WARNING, f"{event.error}; no calls for {event.wait_ms} ms, then one probe"


@line.register
def _(event: events.Stopping) -> tuple[int, str]:
    return logging.WARNING, f"{event.reason}: no new calls, calls in flight may finish"


@line.register
def _(event: events.Notice) -> tuple[int, str]:
    return logging.WARNING, event.text


@line.register
def _(event: events.RunFinished) -> tuple[int, str]:
    ending = "completed" if event.status == "succeeded" else f"ended as {event.status}"
    return logging.INFO, f"{event.job} {ending} in {event.duration_ms} ms"
