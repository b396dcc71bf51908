"""What the live view asks of the rest of kylink."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from kylink_cli.overview.campaign import CampaignDetail
from kylink_cli.overview.watching import Scene


class Replenishing(Protocol):
    """A replenishment that was started, and goes on whatever becomes of the view."""

    def ended(self) -> str | None:
        """What came of it, in a line; None while it is under way."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What the live view reads, and what it can do; each call may raise a `KylinkError`."""

    look: Callable[[], Scene]
    look_at: Callable[[str], CampaignDetail | None]
    replenish: Callable[[str], Replenishing]
    set_paused: Callable[[str, bool], None]
    acknowledge: Callable[[int], str]
