"""How one campaign fared in a run."""

from dataclasses import dataclass, field

from kylink_cli.errors import KylinkError
from kylink_cli.rules.replenishment import Need, ResultStatus
from kylink_cli.rules.text import ERROR_LENGTH, one_line


@dataclass(slots=True)
class Tally:
    """What filling a campaign has come to so far.

    Attributes:
        attempts: tries made.
        calls: calls made.
        produced: items that are new in stock.
        duplicates: items that came and were there already.
    """

    attempts: int = 0
    calls: int = 0
    produced: int = 0
    duplicates: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a campaign that needed something fared, served or not.

    Attributes:
        need: what it needed.
        status: how it ended.
        ordered: items ordered.
        tally: what came of it.
        failure: what went wrong last, None if all that was ordered came.
    """

    need: Need
    status: ResultStatus
    ordered: int = 0
    tally: Tally = field(default_factory=Tally)
    failure: KylinkError | None = None

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
