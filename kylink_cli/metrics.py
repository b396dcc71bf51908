"""The figures of kylink as Prometheus metrics.

Counters and histograms tell what has happened in all, whatever was deleted since (`store/figures/totals.py`), so that
`rate()` is true. Gauges tell how it is now; those whose names end in `_24h`, and the two histograms of a day, are what
was there before the counters, and stay for those who look at them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.core import Metric as Metric  # noqa: PLC0414  (what `families` gives)
from prometheus_client.registry import Collector

from kylink_cli.rules.figures import Figures, Totals
from kylink_cli.rules.histograms import CALL_BOUNDS, RUN_BOUNDS, Histogram
from kylink_cli.rules.replenishment import Need, runway_minutes
from kylink_cli.rules.success import Success
from kylink_cli.rules.text import one_line
from kylink_cli.rules.vocabulary import AlertLevel, AlertState, AlertType, CampaignStatus, RequestState, RunStatus

_OF_CAMPAIGN = ("campaign_id", "user_id", "name", "status")
# Prometheus keeps `job` for itself: it names what was scraped.
_OF_JOB = ("job_name",)
_NAME_LENGTH = 60


@dataclass(frozen=True, slots=True)
class JobSchedule:
    """How often a job is to run."""

    job: str
    interval_seconds: int
    enabled: bool


@dataclass(frozen=True, slots=True)
class Measured:
    """What the metrics tell of."""

    figures: Figures
    totals: Totals
    success: Mapping[str, Success]


def families(measured: Measured, schedules: Sequence[JobSchedule], version: str, limit: int) -> list[Metric]:
    """The metrics.

    Args:
        limit: how many campaigns, those most at risk, have metrics of their own.
    """
    figures, jobs = measured.figures, [schedule.job for schedule in schedules]
    return [
        _gauge("build_info", "Always 1; the label is the version of kylink.", ["version"], {(version,): 1}),
        *_stock(figures),
        *_campaigns(figures.campaigns[:limit]),
        *_jobs(figures, schedules),
        _success(measured.success, jobs),
        *_runs(figures, jobs),
        *_supply(figures),
        *_leases(figures),
        _alerts(figures),
        *_counters(measured.totals, jobs),
    ]


def text(metrics: Iterable[Metric]) -> str:
    """Metrics in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(_Ready(list(metrics)))
    return generate_latest(registry).decode()


def document(metrics: Iterable[Metric]) -> dict[str, Any]:
    """Metrics as JSON: a list of samples each."""
    return {
        metric.name: [{"name": s.name, "labels": s.labels, "value": s.value} for s in metric.samples]
        for metric in metrics
    }


class _Ready(Collector):
    def __init__(self, metrics: Sequence[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def _stock(figures: Figures) -> Iterator[Metric]:
    needs = figures.campaigns
    active = [one for one in needs if one.level.active]
    statuses = {(CampaignStatus.ACTIVE,): len(active), (CampaignStatus.PAUSED,): len(needs) - len(active)}
    yield _gauge("campaigns", "Campaigns by status.", ["status"], statuses)
    yield _single("low_campaigns", "Active campaigns below their watermark.", sum(one.low for one in needs))
    empty = sum(not one.level.available for one in active)
    yield _single("empty_campaigns", "Active campaigns without an available item.", empty)
    available = sum(one.level.available for one in needs)
    yield _single("available_items", "Items that can be leased, of all campaigns.", available)
    yield _single(
        "missing_items", "Items that low campaigns lack up to their targets.", sum(one.order for one in needs)
    )
    consumed = sum(one.level.consumed_24h for one in needs)
    yield _single("consumed_items_24h", "Items consumed in the last 24 hours.", consumed)
    yield _single("no_stock_events_24h", "Times a consumer found nothing in the last 24 hours.", figures.no_stock)


def _campaigns(needs: Sequence[Need]) -> Iterator[Metric]:
    yield _single("listed_campaigns", "Campaigns with metrics of their own, those most at risk.", len(needs))
    about: dict[str, tuple[str, Callable[[Need], int | None]]] = {
        "available_items": ("Items of the campaign that can be leased.", lambda one: one.level.available),
        "watermark_items": ("The campaign is replenished below this many items.", lambda one: one.watermark.items),
        "target_items": ("The campaign is replenished up to this many items.", lambda one: one.target),
        "runway_seconds": (
            "How long the campaign's stock lasts at the expected demand; 0 when empty, absent if nobody ever asked.",
            _runway_seconds,
        ),
    }
    for name, (explanation, measure) in about.items():
        values = {_labels(one): measure(one) for one in needs}
        yield _gauge(f"campaign_{name}", explanation, _OF_CAMPAIGN, values)


def _labels(one: Need) -> tuple[str, str, str, str]:
    level = one.level
    status = CampaignStatus.ACTIVE if level.active else CampaignStatus.PAUSED
    return level.campaign_id, level.user_id, one_line(level.name, _NAME_LENGTH), status


def _runway_seconds(one: Need) -> int | None:
    minutes = runway_minutes(one)
    return None if minutes is None else minutes * 60


def _jobs(figures: Figures, schedules: Sequence[JobSchedule]) -> Iterator[Metric]:
    intervals = {(one.job,): one.interval_seconds for one in schedules}
    yield _gauge("job_interval_seconds", "From one run of the job's timer to the next.", _OF_JOB, intervals)
    enabled = {(one.job,): int(one.enabled) for one in schedules}
    yield _gauge("job_enabled", "Whether the job's scheduled runs do anything.", _OF_JOB, enabled)
    started = {(one.job,): one.last_started_at.timestamp() for one in figures.jobs}
    yield _gauge("job_last_start_timestamp_seconds", "When a run of the job last began.", _OF_JOB, started)
    ended = {(one.job,): one.last_success_at.timestamp() for one in figures.jobs if one.last_success_at}
    help_text = "When a run of the job that did its work last ended."
    yield _gauge("job_last_success_timestamp_seconds", help_text, _OF_JOB, ended)


def _success(success: Mapping[str, Success], jobs: Sequence[str]) -> Metric:
    shares = {(job,): success[job].share for job in jobs if job in success}
    help_text = "What the job did of what it should in 24 hours: campaigns filled of those in need, else runs; 0 to 1."
    return _gauge("job_success_ratio_24h", help_text, _OF_JOB, shares)


def _counters(totals: Totals, jobs: Sequence[str]) -> Iterator[Metric]:
    ends = [status for status in RunStatus if status != RunStatus.RUNNING]
    runs = {(job, status): _number(totals, "runs", job, status) for job in jobs for status in ends}
    yield _counter("runs", "Runs that have ended, by how.", [*_OF_JOB, "status"], runs)
    lengths = HistogramMetricFamily("kylink_job_run_seconds", "How long runs took that have ended.", labels=_OF_JOB)
    for job in jobs:
        _add_histogram(lengths, _total(totals, RUN_BOUNDS, "run_seconds", job), job)
    yield lengths
    settled = [state for state in RequestState if state != RequestState.OPEN]
    requests = {(state,): _number(totals, "supply_requests", "", state) for state in settled}
    yield _counter("supply_requests", "Supply requests that were settled, by how.", ["state"], requests)
    answers = HistogramMetricFamily(
        "kylink_supply_answer_seconds", "How long answered supply requests took, repeated tries included.", labels=[]
    )
    _add_histogram(answers, _total(totals, CALL_BOUNDS, "answer_seconds", ""))
    yield answers
    for name, explanation in (
        ("items_consumed", "Items that consumers have used."),
        ("items_expired", "Items that expired before anybody leased them."),
        ("refusals", "Times that consumers were turned away for want of stock."),
    ):
        yield _counter(name, explanation, [], {(): _number(totals, name, "", "")})


def _number(totals: Totals, what: str, subject: str, how: str) -> int:
    total = totals.get((what, subject, how))
    return 0 if total is None else total.number


def _total(totals: Totals, bounds: tuple[float, ...], what: str, subject: str) -> Histogram:
    """What the lengths of one subject come to, however each of them ended."""
    parts = [total for (key, of, _), total in totals.items() if (key, of) == (what, subject) and total.within]
    return Histogram.total(bounds, [Histogram(bounds, one.within, one.number, one.seconds) for one in parts])


def _counter(name: str, explanation: str, labels: Sequence[str], values: Mapping[Any, float]) -> Metric:
    family = CounterMetricFamily(f"kylink_{name}", explanation, labels=labels)
    for label_values, value in values.items():
        family.add_metric(label_values, value)
    return family


def _runs(figures: Figures, jobs: Sequence[str]) -> Iterator[Metric]:
    numbers: dict[tuple[str, str], int] = {(job, status): 0 for job in jobs for status in RunStatus}
    for runs in figures.runs:
        numbers[runs.job, runs.status] = numbers.get((runs.job, runs.status), 0) + runs.number
    yield _gauge("runs_24h", "Runs that began in the last 24 hours.", [*_OF_JOB, "status"], numbers)
    durations = HistogramMetricFamily(
        "kylink_run_duration_seconds", "How long the runs took that began in the last 24 hours.", labels=_OF_JOB
    )
    for job in jobs:
        of_job = [runs.durations for runs in figures.runs if runs.job == job]
        _add_histogram(durations, Histogram.total(RUN_BOUNDS, of_job), job)
    yield durations


def _supply(figures: Figures) -> Iterator[Metric]:
    numbers: dict[tuple[str], int] = {(state,): 0 for state in RequestState if state != RequestState.OPEN}
    for requests in figures.requests:
        numbers[requests.state,] = numbers.get((requests.state,), 0) + requests.durations.number
    help_text = "Supply requests that were settled in the last 24 hours, by how."
    yield _gauge("supply_requests_24h", help_text, ["state"], numbers)
    yield _single("open_supply_requests", "Supply requests that wait for an answer.", figures.open_requests)
    durations = HistogramMetricFamily(
        "kylink_supply_request_duration_seconds",
        "How long the answered supply requests of the last 24 hours took, repeated tries included.",
        labels=[],
    )
    answered = [requests.durations for requests in figures.requests if requests.state == RequestState.ANSWERED]
    _add_histogram(durations, Histogram.total(CALL_BOUNDS, answered))
    yield durations


def _leases(figures: Figures) -> Iterator[Metric]:
    yield _single("active_leases", "Leases that consumers hold.", figures.leases.active)
    yield _single("overdue_leases", "Active leases past their deadline.", figures.leases.overdue)
    closed = {(state,): number for state, number in figures.leases.closed.items()}
    yield _gauge("closed_leases_24h", "Leases that ended in the last 24 hours, by how.", ["state"], closed)


def _alerts(figures: Figures) -> Metric:
    states = [state for state in AlertState if state != AlertState.RESOLVED]
    numbers: dict[Any, int] = {
        (type_, level, state): 0 for type_ in AlertType for level in AlertLevel for state in states
    }
    numbers |= {(one.type, one.level, one.state): one.number for one in figures.alerts}
    return _gauge("alerts", "Alerts that are not resolved.", ["type", "level", "state"], numbers)


def _single(name: str, explanation: str, value: float) -> Metric:
    return _gauge(name, explanation, [], {(): value})


def _gauge(name: str, explanation: str, labels: Sequence[str], values: Mapping[Any, float | None]) -> Metric:
    """A metric with a value for each set of labels; None is left out."""
    family = GaugeMetricFamily(f"kylink_{name}", explanation, labels=labels)
    for label_values, value in values.items():
        if value is not None:
            family.add_metric(label_values, value)
    return family


def _add_histogram(family: HistogramMetricFamily, durations: Histogram, *label_values: str) -> None:
    buckets = [(str(bound), float(n)) for bound, n in zip(durations.bounds, durations.within, strict=True)]
    family.add_metric(label_values, [*buckets, ("+Inf", float(durations.number))], sum_value=durations.seconds)
