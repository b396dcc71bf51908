"""How many items may be ordered in 24 hours: a rule that follows demand follows a runaway consumer too."""

from collections.abc import Mapping
from dataclasses import dataclass

# From so much of a limit on, people are warned.
WARNING_SHARE = 0.8


@dataclass(frozen=True, slots=True)
class OrderLimits:
    """Items that may be ordered in 24 hours; 0 is no limit.

    Attributes:
        in_all: for all campaigns together.
        of_campaign: for each campaign.
    """

    in_all: int = 0
    of_campaign: int = 0

    @property
    def bind(self) -> bool:
        """Whether there is a limit at all."""
        return bool(self.in_all or self.of_campaign)


NO_LIMITS = OrderLimits()


def within_limits(limits: OrderLimits, wanted: Mapping[str, int], ordered: Mapping[str, int]) -> dict[str, int]:
    """What may be ordered of what is wanted, in the order of work.

    Args:
        wanted: items, by campaign.
        ordered: items that were ordered in the 24 hours before, by campaign; those of all campaigns if there is a limit
            for all.
    """
    left = max(0, limits.in_all - sum(ordered.values()))
    granted = {}
    for campaign_id, items in wanted.items():
        may = items
        if limits.of_campaign:
            may = min(may, max(0, limits.of_campaign - ordered.get(campaign_id, 0)))
        if limits.in_all:
            may = min(may, left)
            left -= may
        granted[campaign_id] = may
    return granted
