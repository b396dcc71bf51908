"""How many items may be ordered in 24 hours: a rule that follows demand follows a runaway consumer too."""

from collections.abc import Mapping
from dataclasses import dataclass

from kylink_cli.rules.vocabulary import LimitSource

# From so much of a limit on, people are warned.
WARNING_SHARE = 0.8


@dataclass(frozen=True, slots=True)
class OrderLimits:
    """Items that may be ordered in 24 hours; 0 is no limit.

    Attributes:
        in_all: for all campaigns together.
        of_campaign: for each campaign that has no limit of its own.
    """

    in_all: int = 0
    of_campaign: int = 0

    def of(self, own: int | None) -> int:
        """The limit of a campaign: its own one wins."""
        return self.of_campaign if own is None else own


NO_LIMITS = OrderLimits()


@dataclass(frozen=True, slots=True)
class PlannedOrder:
    """Items that a campaign wants to order, and its own limit; 0 is no limit, None that of the setting."""

    items: int
    own_limit: int | None = None


@dataclass(frozen=True, slots=True)
class Limited:
    """Items that are not ordered, since a limit is reached.

    Attributes:
        items: how many.
        limit: the limit that is reached, items in 24 hours.
        by: whose it is.
    """

    items: int
    limit: int
    by: LimitSource


@dataclass(frozen=True, slots=True)
class Granted:
    """Items that may be ordered, and what keeps the rest from it; None if nothing does."""

    items: int
    limited: Limited | None = None


def within_limits(
    limits: OrderLimits, wanted: Mapping[str, PlannedOrder], ordered: Mapping[str, int]
) -> dict[str, Granted]:
    """What may be ordered of what is wanted, in the order of work.

    Args:
        wanted: by campaign.
        ordered: items that were ordered in the 24 hours before, by campaign; those of all campaigns if there is a limit
            for all.
    """
    left = max(0, limits.in_all - sum(ordered.values()))
    granted = {}
    for campaign_id, want in wanted.items():
        may, limited, limit = want.items, None, limits.of(want.own_limit)
        if limit and (own := max(0, limit - ordered.get(campaign_id, 0))) < may:
            source = LimitSource.CAMPAIGN if want.own_limit is None else LimitSource.OWN
            may, limited = own, Limited(want.items - own, limit, source)
        if limits.in_all:
            if left < may:
                may, limited = left, Limited(want.items - left, limits.in_all, LimitSource.ALL)
            left -= may
        granted[campaign_id] = Granted(may, limited)
    return granted
