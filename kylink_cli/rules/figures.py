"""The figures of stock, runs, leases, requests and alerts, as the report and the metrics show them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from kylink_cli.rules.histograms import Histogram
from kylink_cli.rules.replenishment import Need
from kylink_cli.rules.success import Success


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of time.

    Attributes:
        since: its beginning.
        until: its end.
    """

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Percentiles:
    """How long things took, exactly.

    Attributes:
        half: half of them took at most so long, milliseconds.
        most: 95 % of them did.
    """

    half: float
    most: float


@dataclass(frozen=True, slots=True)
class RunsOfHour:
    """The runs of one job that began in one hour and ended alike.

    Attributes:
        hour: when the hour began.
        job: the job.
        status: how they ended, or `running`.
        number: how many.
        durations: how long those took that have an end.
    """

    hour: datetime
    job: str
    status: str
    number: int
    durations: Histogram


@dataclass(frozen=True, slots=True)
class RequestsOfHour:
    """The supply requests that were settled in one hour, and alike.

    Attributes:
        hour: when the hour began.
        state: how they were settled.
        durations: how long each took from its record to its end, repeated tries included.
    """

    hour: datetime
    state: str
    durations: Histogram


@dataclass(frozen=True, slots=True)
class ConsumptionOfHour:
    """The items that were consumed in one hour.

    Attributes:
        hour: when the hour began.
        items: how many.
    """

    hour: datetime
    items: int


@dataclass(frozen=True, slots=True)
class AlertsOfHour:
    """The alerts of one level that were first seen in one hour.

    Attributes:
        hour: when the hour began.
        level: how bad they are.
        number: how many.
    """

    hour: datetime
    level: str
    number: int


@dataclass(frozen=True, slots=True)
class RunFacts:
    """One run.

    Attributes:
        run_id: its id.
        job: the job.
        status: how it ended, or `running`.
        trigger: who started it.
        host: where it ran.
        started_at: when it began.
        duration_ms: how long it took, milliseconds; None without an end.
    """

    run_id: int
    job: str
    status: str
    trigger: str
    host: str
    started_at: datetime
    duration_ms: int | None


@dataclass(frozen=True, slots=True)
class AlertFacts:
    """One alert.

    Attributes:
        alert_id: its id.
        type: the kind of condition.
        level: how bad it is.
        state: `open`, `acknowledged` or `resolved`.
        title: the condition in a few words.
        count: how often it was seen.
        first_seen_at: when it was first seen.
        last_seen_at: when it was last seen.
    """

    alert_id: int
    type: str
    level: str
    state: str
    title: str
    count: int
    first_seen_at: datetime
    last_seen_at: datetime


@dataclass(frozen=True, slots=True)
class LeaseFigures:
    """The leases.

    Attributes:
        active: those that consumers hold now.
        overdue: those of them that are past their deadline.
        closed: those that ended within the period, by how.
    """

    active: int
    overdue: int
    closed: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class JobFigures:
    """When a job last ran.

    Attributes:
        job: the job.
        running: how many of its runs are under way.
        last_started_at: when one last began.
        last_success_at: when one that did its work last ended; None if none has.
    """

    job: str
    running: int
    last_started_at: datetime
    last_success_at: datetime | None


@dataclass(frozen=True, slots=True)
class UnresolvedAlerts:
    """The alerts that are not resolved, of one type, level and state.

    Attributes:
        type: the kind of condition.
        level: how bad they are.
        state: `open` or `acknowledged`.
        number: how many.
    """

    type: str
    level: str
    state: str
    number: int


@dataclass(frozen=True, slots=True)
class StockOfHour:
    """How the stock changed in one hour.

    Attributes:
        hour: when the hour began.
        arrived: items that came and were not discarded.
        consumed: items that were consumed.
        expired: items that expired unused.
    """

    hour: datetime
    arrived: int
    consumed: int
    expired: int


@dataclass(frozen=True, slots=True)
class DemandOfHour:
    """What consumers asked for in one hour.

    Attributes:
        hour: when the hour began.
        taken: items that they got.
        refused: items that they were refused for want of stock.
    """

    hour: datetime
    taken: int
    refused: int


@dataclass(frozen=True, slots=True)
class Reason:
    """Why campaigns could not be filled.

    Attributes:
        error: what went wrong.
        times: how often.
        campaigns: in how many campaigns.
    """

    error: str
    times: int
    campaigns: int


@dataclass(frozen=True, slots=True)
class Total:
    """How often something has happened in all, and how long it took.

    Attributes:
        number: how often.
        seconds: how long all of it took together; 0 if it takes no time.
        within: how many took at most as long as each bound of a histogram.
    """

    number: int
    seconds: float = 0.0
    within: tuple[int, ...] = ()

    def __add__(self, more: "Total") -> "Total":
        """What both come to."""
        within = self.within or more.within
        if self.within and more.within:
            within = tuple(sum(pair) for pair in zip(self.within, more.within, strict=True))
        return Total(self.number + more.number, self.seconds + more.seconds, within)


# By what happened, of what, and how it ended.
Totals = dict[tuple[str, str, str], Total]


@dataclass(frozen=True, slots=True)
class Figures:
    """What the report and the metrics are made of.

    Attributes:
        period: what is meant by figures over time.
        campaigns: every campaign and what it needs, most at risk first.
        runs: the runs that began within the period.
        jobs: when each job that ever ran last did.
        requests: the supply requests that were settled within the period.
        open_requests: the supply requests that still wait for an answer.
        leases: the leases.
        no_stock: how often consumers found nothing within the period.
        alerts: the alerts that are not resolved, counted.
    """

    period: Period
    campaigns: Sequence[Need]
    runs: Sequence[RunsOfHour]
    jobs: Sequence[JobFigures]
    requests: Sequence[RequestsOfHour]
    open_requests: int
    leases: LeaseFigures
    no_stock: int
    alerts: Sequence[UnresolvedAlerts]


@dataclass(frozen=True, slots=True)
class History:
    """What only the report tells.

    Attributes:
        consumption: the items that were consumed within the period.
        alerts: the alerts that were first seen within the period, by the hour.
        last_runs: the last runs, newest first.
        last_alerts: the alerts that are not resolved, then the last that are.
        stock: how the stock changed, by the hour.
        reasons: why campaigns could not be filled, the most frequent first.
        outages: when runs filled nobody, and for one reason.
        crashes: from the beginning of a run that died to when it was found.
        success: what each job did of what it should.
        took: how long the runs of each job took.
        answers: how long the supply service took to answer; None if it did not.
        answers_by_step: the same by the steps that charts are drawn in.
    """

    consumption: Sequence[ConsumptionOfHour]
    alerts: Sequence[AlertsOfHour]
    last_runs: Sequence[RunFacts]
    last_alerts: Sequence[AlertFacts]
    stock: Sequence[StockOfHour] = ()
    reasons: Sequence[Reason] = ()
    outages: Sequence[Period] = ()
    crashes: Sequence[Period] = ()
    success: Mapping[str, Success] = field(default_factory=dict)
    took: Mapping[str, Percentiles] = field(default_factory=dict)
    answers: Percentiles | None = None
    answers_by_step: Mapping[datetime, Percentiles] = field(default_factory=dict)

    @property
    def expired(self) -> int:
        """Items that expired unused within the period."""
        return sum(one.expired for one in self.stock)
