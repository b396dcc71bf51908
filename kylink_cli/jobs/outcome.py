"""How one campaign fared in a run."""

from dataclasses import dataclass, field

from kylink_cli.errors import KylinkError
from kylink_cli.rules.replenishment import Need
from kylink_cli.rules.text import ERROR_LENGTH, one_line
from kylink_cli.rules.vocabulary import ResultStatus


@dataclass(slots=True)
class Tally:
    """What filling a campaign has come to so far."""

    attempts: int = 0
    calls: int = 0
    produced: int = 0  # items that are new in stock
    duplicates: int = 0  # items that came and were there already


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a campaign that needed something fared, served or not."""

    need: Need
    status: ResultStatus
    ordered: int = 0
    tally: Tally = field(default_factory=Tally)
    failure: KylinkError | None = None  # what went wrong last; None if all that was ordered came

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
