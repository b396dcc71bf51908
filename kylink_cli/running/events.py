"""What happens in a run, as values: the console words them as lines or draws them as progress."""

from collections.abc import Callable
from dataclasses import dataclass

from kylink_cli.rules.replenishment import ResultStatus


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A run was recorded.

    Attributes:
        job: the job's name.
        run_id: the run.
    """

    job: str
    run_id: int


@dataclass(frozen=True, slots=True)
class RunsCrashed:
    """Runs were found dead, and their claims were freed.

    Attributes:
        run_ids: the runs.
        hosts: the host of each.
    """

    run_ids: tuple[int, ...]
    hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WorkFound:
    """The scan is over.

    Attributes:
        campaigns: campaigns to be filled.
        items: items to be ordered.
    """

    campaigns: int
    items: int


@dataclass(frozen=True, slots=True)
class AttemptStarted:
    """A try to fill a campaign begins.

    Attributes:
        campaign_id: the campaign.
        name: what people call it.
        attempt: which try, from 1.
        tries: how many there can be.
        ordered: items ordered in all.
    """

    campaign_id: str
    name: str
    attempt: int
    tries: int
    ordered: int


@dataclass(frozen=True, slots=True)
class ItemsStored:
    """Items of a campaign are in stock.

    Attributes:
        campaign_id: the campaign.
        items: how many are new.
    """

    campaign_id: str
    items: int


@dataclass(frozen=True, slots=True)
class RetryWaiting:
    """A campaign waits for its next try.

    Attributes:
        campaign_id: the campaign.
        wait_ms: how long, milliseconds.
        error: why the last try failed.
    """

    campaign_id: str
    wait_ms: int
    error: str


@dataclass(frozen=True, slots=True)
class CampaignFinished:
    """A campaign's tries are over.

    Attributes:
        campaign_id: the campaign.
        name: what people call it.
        status: how it ended.
        produced: items that it got.
        ordered: items that were ordered.
        error: what went wrong, None if nothing.
    """

    campaign_id: str
    name: str
    status: ResultStatus
    produced: int
    ordered: int
    error: str | None


@dataclass(frozen=True, slots=True)
class BatchDone:
    """A batch of long work is committed.

    Attributes:
        what: what the work is about, as in `leases recovered`.
        done: how many so far.
        total: how many there are, as far as is known.
    """

    what: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class LeasesRecovered:
    """A recovery is over.

    Attributes:
        expired_leases: leases that expired.
        recovered: items that are available again.
        discarded: items whose leases have expired too often.
        expired_items: items past their end.
    """

    expired_leases: int
    recovered: int
    discarded: int
    expired_items: int


@dataclass(frozen=True, slots=True)
class SupplyPaused:
    """The supply service as a whole seems to be down: calls wait for a probe.

    Attributes:
        error: the last error.
        wait_ms: when the next probe is due, milliseconds.
    """

    error: str
    wait_ms: int


@dataclass(frozen=True, slots=True)
class Stopping:
    """The run makes no new calls.

    Attributes:
        reason: why.
    """

    reason: str


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that a person should look at, without being wrong.

    Attributes:
        text: one line.
    """

    text: str


@dataclass(frozen=True, slots=True)
class ChecksDone:
    """The alert check has looked at everything.

    Attributes:
        checks: how many checks there were.
        raised: those that found something, each in one line with its level.
    """

    checks: int
    raised: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NotificationsSent:
    """What was in the outbox has been tried.

    Attributes:
        sent: notifications that arrived.
        failed: those that will be tried again.
        given_up: those that nobody tries any more.
    """

    sent: int
    failed: int
    given_up: int


@dataclass(frozen=True, slots=True)
class RunFinished:
    """A run has ended and is recorded.

    Attributes:
        job: the job's name.
        status: how it ended.
        duration_ms: how long it took, milliseconds.
    """

    job: str
    status: str
    duration_ms: int


Event = (
    RunStarted
    | RunsCrashed
    | WorkFound
    | AttemptStarted
    | ItemsStored
    | RetryWaiting
    | CampaignFinished
    | BatchDone
    | LeasesRecovered
    | SupplyPaused
    | ChecksDone
    | NotificationsSent
    | Stopping
    | Notice
    | RunFinished
)

Observer = Callable[[Event], None]
