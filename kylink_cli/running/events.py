"""What happens in a run, as values: the console words them as lines or draws them as progress."""

from collections.abc import Callable
from dataclasses import dataclass

from kylink_cli.rules.vocabulary import ResultStatus


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A run was recorded."""

    job: str
    run_id: int


@dataclass(frozen=True, slots=True)
class RunsCrashed:
    """Runs were found dead, and their claims were freed."""

    run_ids: tuple[int, ...]
    hosts: tuple[str, ...]  # of each run


@dataclass(frozen=True, slots=True)
class WorkFound:
    """The scan is over."""

    campaigns: int
    items: int


@dataclass(frozen=True, slots=True)
class AttemptStarted:
    """A try to fill a campaign begins."""

    campaign_id: str
    name: str
    attempt: int  # from 1
    tries: int
    ordered: int  # items in all


@dataclass(frozen=True, slots=True)
class ItemsStored:
    """Items of a campaign are in stock."""

    campaign_id: str
    items: int  # new ones


@dataclass(frozen=True, slots=True)
class RetryWaiting:
    """A campaign waits for its next try."""

    campaign_id: str
    wait_ms: int
    error: str  # why the last try failed


@dataclass(frozen=True, slots=True)
class CampaignFinished:
    """A campaign's tries are over."""

    campaign_id: str
    name: str
    status: ResultStatus
    produced: int  # items
    ordered: int  # items
    error: str | None  # None if nothing went wrong


@dataclass(frozen=True, slots=True)
class BatchDone:
    """A batch of long work is committed."""

    what: str  # as in `leases recovered`
    done: int
    total: int  # as far as is known


@dataclass(frozen=True, slots=True)
class LeasesRecovered:
    """A recovery is over."""

    expired_leases: int
    recovered: int  # items that are available again
    discarded: int  # items whose leases have expired too often
    expired_items: int  # items past their end


@dataclass(frozen=True, slots=True)
class SupplyPaused:
    """The supply service as a whole seems to be down: calls wait for a probe."""

    error: str  # the last one
    wait_ms: int  # until the next probe


@dataclass(frozen=True, slots=True)
class Stopping:
    """The run makes no new calls."""

    reason: str


@dataclass(frozen=True, slots=True)
class Warned:
    """Something that a person should look at, without being wrong."""

    text: str  # one line


@dataclass(frozen=True, slots=True)
class ChecksDone:
    """The alert check has looked at everything."""

    checks: int
    raised: tuple[str, ...]  # one line for each check that found something


@dataclass(frozen=True, slots=True)
class AlertRaised:
    """An alert was opened, or opened again, by what the run found."""

    alert_id: int
    title: str


@dataclass(frozen=True, slots=True)
class NotificationsSent:
    """What was in the outbox has been tried."""

    sent: int
    failed: int  # will be tried again
    given_up: int  # will not be tried any more


@dataclass(frozen=True, slots=True)
class RunFinished:
    """A run has ended and is recorded."""

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
    | AlertRaised
    | NotificationsSent
    | Stopping
    | Warned
    | RunFinished
)

Observer = Callable[[Event], None]


class Teller:
    """Tells an observer what happens, and goes on where it can't be told: no run depends on its words."""

    def __init__(self, observe: Observer) -> None:
        self.unsaid = 0  # events that could not be told
        self._observe = observe

    def __call__(self, event: Event) -> None:
        """Tell of an event, if that is possible."""
        try:
            self._observe(event)
        except (OSError, ValueError):
            self.unsaid += 1


def unsaid(observe: Observer) -> int:
    """How many events could not be told so far."""
    return observe.unsaid if isinstance(observe, Teller) else 0
