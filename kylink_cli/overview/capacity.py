"""Whether the runs have time enough; docs/performance.md says what to do where they have not."""

from collections.abc import Iterator, Sequence

from kylink_cli.language import tr
from kylink_cli.overview.doctor import Finding
from kylink_cli.overview.status import JobStatus
from kylink_cli.scheduling.jobs import REPLENISH

# Of the deadline; what is left is for a day that is busier than the last.
NEAR = 0.8


def check_capacity(statuses: Sequence[JobStatus], deadline_seconds: int) -> Iterator[Finding]:
    """Do the last day's runs end well before the deadline that cuts them off?"""
    slow_ms = next(status.p95_ms for status in statuses if status.job == REPLENISH)
    if slow_ms is None:
        return
    text = tr(
        "one in twenty of the last day's replenish runs took {seconds} s or more; the deadline is {deadline} s",
        seconds=slow_ms // 1000,
        deadline=deadline_seconds,
    )
    if slow_ms < NEAR * deadline_seconds * 1000:
        yield Finding("capacity", "ok", text)
        return
    advice = tr("raise PROXY_MAX_PER_CALL or CAMPAIGN_CONCURRENCY, or add a host (docs/performance.md)")
    yield Finding("capacity", "warning", text, advice)
