"""How campaigns fare in a run, and what the run comes to: status, figures, alerts, and the error of its exit code."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field

from kylink_cli.errors import KylinkError, LockedError, PartlyDoneError
from kylink_cli.jobs import writes
from kylink_cli.jobs.assignment import Assignment
from kylink_cli.language import tr
from kylink_cli.rules import counted
from kylink_cli.rules.alerts import Failure, replenish_failed, supply_in_doubt
from kylink_cli.rules.replenishment import Need
from kylink_cli.rules.text import ERROR_LENGTH, one_line
from kylink_cli.rules.vocabulary import AlertType, ResultStatus, RunStatus
from kylink_cli.running.events import CampaignFinished
from kylink_cli.running.run import LiveRun, Report
from kylink_cli.running.stop import StoppedError
from kylink_cli.store import bell
from kylink_cli.store.campaign_results import NewResult, partial_before
from kylink_cli.store.levels import Scope
from kylink_cli.supply.errors import SupplyError

SERVICE_UNAVAILABLE = 69
# A campaign that is filled only in part in so many runs in a row is said, and alerted, as one that failed.
PARTIAL_RUNS = 3


@dataclass(slots=True)
class Tally:
    """What filling a campaign has come to so far."""

    attempts: int = 0
    calls: int = 0
    produced: int = 0  # items that are new in stock
    duplicates: int = 0  # items that came and were there already
    in_doubt: list[str] = field(default_factory=list)  # keys that may have been charged, and are asked no more


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a campaign that needed something fared, served or not."""

    need: Need
    status: ResultStatus
    ordered: int = 0  # items
    tally: Tally = field(default_factory=Tally)
    failure: KylinkError | None = None  # the last one, None if all that was ordered came
    is_barren: bool = False  # nothing but duplicates came

    @property
    def campaign_id(self) -> str:
        """The campaign."""
        return self.need.level.campaign_id

    @property
    def available_after(self) -> int:
        """Items available when it was claimed, and those that were produced."""
        return self.need.level.available + self.tally.produced

    @property
    def error(self) -> str | None:
        """What went wrong, in one clean line."""
        return None if self.failure is None else one_line(str(self.failure), ERROR_LENGTH)


class Outcomes:
    """The outcomes of a run's campaigns, as they become known."""

    def __init__(self, run: LiveRun) -> None:
        self._run = run
        self._by_campaign: dict[str, Outcome] = {}

    def note(self, outcome: Outcome) -> None:
        """Remember how a campaign fared that this run did not claim."""
        self._by_campaign[outcome.campaign_id] = outcome

    async def record(self, outcome: Outcome) -> None:
        """Record how a campaign fared, and give its claim back."""
        self.note(outcome)
        await self._run.ledger.write(writes.finish, self._result(outcome))
        self._run.observe(
            CampaignFinished(
                outcome.campaign_id,
                outcome.need.level.name,
                outcome.status,
                outcome.tally.produced,
                outcome.ordered,
                outcome.error,
            )
        )

    async def record_after(self, fill: Callable[[], Awaitable[Outcome]]) -> None:
        """Fill a campaign, and record how it fared; called only here: a task cancelled before leaves nothing."""
        await self.record(await fill())

    async def record_unserved(self, needs: Sequence[Need]) -> None:
        """Record the campaigns that the end of the run left unserved; a refused key fails them all."""
        reason = self._run.stop.reason
        if reason is None:
            return
        failure = reason.error or StoppedError(reason.text)
        status = ResultStatus.NOT_SERVED if reason.error is None else ResultStatus.FAILED
        unserved = [n for n in needs if n.level.campaign_id not in self._by_campaign]
        await asyncio.gather(*[self.record(Outcome(n, status, failure=failure)) for n in unserved])

    def of(self, needs: Sequence[Need]) -> list[Outcome]:
        """How each campaign fared, in the order of work."""
        return [self._by_campaign[n.level.campaign_id] for n in needs]

    def _result(self, outcome: Outcome) -> NewResult:
        return NewResult(
            run_id=self._run.id,
            campaign_id=outcome.campaign_id,
            status=outcome.status,
            available_before=outcome.need.level.available,
            watermark=outcome.need.watermark.items,
            target=outcome.need.target,
            ordered=outcome.ordered,
            produced=outcome.tally.produced,
            attempts=outcome.tally.attempts,
            error=outcome.error,
            is_barren=outcome.is_barren,
        )


@dataclass(frozen=True)
class ReplenishReport(Report):
    """What a replenish run has come to."""

    outcomes: Sequence[Outcome] = ()  # of each campaign that needed something
    failures: Sequence[Failure] = ()  # as the alert lists them


def conclude(run: LiveRun, assignment: Assignment, outcomes: Sequence[Outcome]) -> ReplenishReport:
    """What a run has come to; the bell is told whether the service is up.

    Args:
        outcomes: how each campaign fared that needed something.

    Raises:
        LockedError: other runs have all its campaigns, which were named; it did nothing, and leaves no record.
    """
    if assignment.scope.campaign_ids is not None:
        _refuse_if_all_are_held(outcomes)
    # If nothing fails in a run for all campaigns, earlier failures are over.
    result = _report(run, outcomes, is_whole=assignment.scope == Scope())
    _note_supply(run, result)
    return result


def _refuse_if_all_are_held(outcomes: Sequence[Outcome]) -> None:
    held = [outcome.failure for outcome in outcomes if isinstance(outcome.failure, LockedError)]
    if held and len(held) == len(outcomes):
        raise held[0]


def _note_supply(run: LiveRun, report: ReplenishReport) -> None:
    """Note that the service is down, or up again: nobody rings while it is down, but for a probe now and then."""
    if isinstance(report.error, SupplyError) and report.error.exit_code == SERVICE_UNAVAILABLE:
        run.database.commit(lambda session: bell.note_outage(session, run.clock()))
    elif any(outcome.tally.produced for outcome in report.outcomes):
        run.database.commit(bell.end_outage)


def _report(run: LiveRun, outcomes: Sequence[Outcome], *, is_whole: bool) -> ReplenishReport:
    failed = _failed(run, outcomes, _often_partial(run, outcomes))
    in_doubt = [(outcome.campaign_id, key) for outcome in outcomes for key in outcome.tally.in_doubt]
    failures = [_failure(outcome) for outcome in failed]
    error = _error(run, outcomes, failed, is_whole=is_whole)
    status = _status(run, outcomes, error)
    return ReplenishReport(
        status=status,
        figures=figures_of(outcomes),
        error=error,
        raised=[
            *([replenish_failed(failures, run.clock())] if failures else []),
            *([supply_in_doubt(in_doubt)] if in_doubt else []),
        ],
        over=[AlertType.STOCK_REPLENISH_FAILED] if is_whole and status == RunStatus.SUCCEEDED else [],
        outcomes=outcomes,
        failures=failures,
    )


def _often_partial(run: LiveRun, outcomes: Sequence[Outcome]) -> set[str]:
    """The campaigns that this run filled only in part, as those before did: they never reach their target."""
    partial = [outcome.campaign_id for outcome in outcomes if outcome.status == ResultStatus.PARTIAL]
    if not partial:
        return set()
    return run.database.read(lambda session: partial_before(session, run.id, partial, PARTIAL_RUNS - 1))


def _failed(run: LiveRun, outcomes: Sequence[Outcome], often_partial: Collection[str]) -> list[Outcome]:
    """The campaigns that a person should know of: failed, not served before the deadline, or never quite filled."""
    bad = {ResultStatus.FAILED} if run.stop.is_by_signal else {ResultStatus.FAILED, ResultStatus.NOT_SERVED}
    return [
        outcome
        for outcome in outcomes
        if outcome.status in bad or (outcome.status == ResultStatus.PARTIAL and outcome.campaign_id in often_partial)
    ]


def _failure(outcome: Outcome) -> Failure:
    level = outcome.need.level
    error, tries = outcome.error or tr("not served"), outcome.tally.attempts
    return Failure(level.campaign_id, level.name, level.user_id, error, tries)


def _status(run: LiveRun, outcomes: Sequence[Outcome], error: KylinkError | None) -> str:
    if run.stop.is_by_signal:
        return RunStatus.INTERRUPTED
    if error is None:
        return RunStatus.SUCCEEDED
    return RunStatus.PARTIAL if _has_served(outcomes) else RunStatus.FAILED


def _has_served(outcomes: Sequence[Outcome]) -> bool:
    """Whether the run brought anything, if only items for campaigns that its end then cut short."""
    served = {ResultStatus.SUCCEEDED, ResultStatus.PARTIAL}
    return any(outcome.status in served or outcome.tally.produced for outcome in outcomes)


def _error(
    run: LiveRun, outcomes: Sequence[Outcome], failed: Sequence[Outcome], *, is_whole: bool
) -> KylinkError | None:
    """What the run's exit code comes from; None if nothing went wrong."""
    if run.stop.reason is not None and run.stop.reason.error is not None:
        return run.stop.reason.error
    if failed:
        return _summed_up(outcomes, failed)
    held = [o.failure for o in outcomes if isinstance(o.failure, LockedError)]
    return held[0] if held and not is_whole else None


def _summed_up(outcomes: Sequence[Outcome], failed: Sequence[Outcome]) -> KylinkError:
    unavailable = [
        o.failure for o in failed if isinstance(o.failure, SupplyError) and o.failure.exit_code == SERVICE_UNAVAILABLE
    ]
    if not any(outcome.tally.produced for outcome in outcomes) and len(unavailable) == len(failed):
        return unavailable[0]
    text = tr(
        "{failed} of {total} failed, the first: {error}",
        failed=len(failed),
        total=counted.campaigns(len(outcomes)),
        error=_failure(failed[0]).error,
    )
    return PartlyDoneError(text) if _has_served(outcomes) else KylinkError(text)


def figures_of(outcomes: Sequence[Outcome]) -> dict[str, int]:
    """What the run did, in numbers, as the contract names them."""
    statuses = Counter(outcome.status for outcome in outcomes)
    return {
        "total": len(outcomes),
        **{str(status): statuses[status] for status in ResultStatus},
        "produced": sum(outcome.tally.produced for outcome in outcomes),
        "duplicates": sum(outcome.tally.duplicates for outcome in outcomes),
        "supply_calls": sum(outcome.tally.calls for outcome in outcomes),
    }
