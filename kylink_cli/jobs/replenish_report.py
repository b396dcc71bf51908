"""What a replenish run has come to: status, figures, alerts, and the error that its exit code comes from."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from kylink_cli.errors import KylinkError, LockedError, PartlyDoneError
from kylink_cli.jobs.outcome import Outcome
from kylink_cli.language import tr
from kylink_cli.rules.alerts import Failure, NewAlert, replenish_failed, supply_in_doubt
from kylink_cli.rules.vocabulary import AlertType, ResultStatus, RunStatus
from kylink_cli.running.stop import StopReason
from kylink_cli.supply.errors import SupplyError

SERVICE_UNAVAILABLE = 69


@dataclass(frozen=True)
class ReplenishReport:
    """What a replenish run has come to."""

    outcomes: Sequence[Outcome]
    in_doubt: Sequence[tuple[str, str]]  # campaign id and key of the requests that were given up
    is_whole: bool  # the run was for all campaigns
    stopped_by: StopReason | None
    now: datetime

    @cached_property
    def failed(self) -> list[Outcome]:
        """The campaigns that a person should know of: failed, or not served before the deadline."""
        by_signal = self.stopped_by is not None and self.stopped_by.signal is not None
        bad = {ResultStatus.FAILED} if by_signal else {ResultStatus.FAILED, ResultStatus.NOT_SERVED}
        return [outcome for outcome in self.outcomes if outcome.status in bad]

    @cached_property
    def failures(self) -> list[Failure]:
        """The failed campaigns, as the alert lists them."""
        return [
            Failure(
                outcome.campaign_id,
                outcome.need.level.name,
                outcome.need.level.user_id,
                outcome.error or tr("not served"),
                max(0, outcome.tally.attempts - 1),
            )
            for outcome in self.failed
        ]

    @property
    def status(self) -> str:
        """How the run ended."""
        if self.stopped_by is not None and self.stopped_by.signal is not None:
            return RunStatus.INTERRUPTED
        if self.error is None:
            return RunStatus.SUCCEEDED
        return RunStatus.PARTIAL if self._served else RunStatus.FAILED

    @cached_property
    def error(self) -> KylinkError | None:
        """What the run's exit code comes from; None if nothing went wrong."""
        if self.stopped_by is not None and self.stopped_by.error is not None:
            return self.stopped_by.error
        if self.failed:
            return self._failure()
        held = [o.failure for o in self.outcomes if isinstance(o.failure, LockedError)]
        return held[0] if held and not self.is_whole else None

    @property
    def figures(self) -> dict[str, Any]:
        """What the run did, in numbers, as the contract names them."""
        statuses = Counter(outcome.status for outcome in self.outcomes)
        return {
            "total": len(self.outcomes),
            **{status: statuses[status] for status in ResultStatus},
            "produced": sum(outcome.tally.produced for outcome in self.outcomes),
            "duplicates": sum(outcome.tally.duplicates for outcome in self.outcomes),
            "supply_calls": sum(outcome.tally.calls for outcome in self.outcomes),
        }

    @property
    def raised(self) -> list[NewAlert]:
        """Conditions to alert about: one for all failures, one for all requests in doubt."""
        raised = [replenish_failed(self.failures, self.now)] if self.failures else []
        return raised + ([supply_in_doubt(self.in_doubt)] if self.in_doubt else [])

    @property
    def over(self) -> list[str]:
        """A whole run without failures ends the condition of earlier ones."""
        return [AlertType.STOCK_REPLENISH_FAILED] if self.is_whole and self.status == RunStatus.SUCCEEDED else []

    @property
    def _served(self) -> bool:
        return any(outcome.status in {ResultStatus.SUCCEEDED, ResultStatus.PARTIAL} for outcome in self.outcomes)

    def _failure(self) -> KylinkError:
        produced = any(outcome.tally.produced for outcome in self.outcomes)
        unavailable = [
            o.failure
            for o in self.failed
            if isinstance(o.failure, SupplyError) and o.failure.exit_code == SERVICE_UNAVAILABLE
        ]
        if not produced and len(unavailable) == len(self.failed):
            return unavailable[0]
        text = tr(
            "{failed} of {total} campaigns failed, the first: {error}",
            failed=len(self.failed),
            total=len(self.outcomes),
            error=self.failures[0].error,
        )
        return PartlyDoneError(text) if self._served or produced else KylinkError(text)
