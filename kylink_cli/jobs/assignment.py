"""What a replenish run is to do, and what bounds it."""

from dataclasses import dataclass
from datetime import timedelta

from kylink_cli.rules.order_limits import NO_LIMITS, OrderLimits
from kylink_cli.rules.replenishment import Demand, Policy
from kylink_cli.store.levels import Scope
from kylink_cli.supply.retry import RetryPolicy


@dataclass(frozen=True, slots=True)
class FillLimits:
    """What bounds the filling of campaigns."""

    campaigns_in_flight: int
    calls_in_flight: int  # for one campaign
    max_per_call: int  # items
    item_ttl: timedelta  # unless the supplier says less
    retry: RetryPolicy
    orders: OrderLimits = NO_LIMITS


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a replenish run is to do."""

    scope: Scope
    policy: Policy
    demand: Demand  # beyond the policy
    limits: FillLimits
    deadline_seconds: float  # from the run's start
    wait_seconds: float = 0  # for campaigns that another run fills
    is_rung: bool = False  # it answers the bell: one call first, to see whether the service is up
