"""What a replenish run writes: each act takes everything that waits for it and needs a fixed number of statements."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.orm import Session

from kylink_cli.jobs.orders import requests_for
from kylink_cli.rules.replenishment import Demand, Level, Need, Policy, need
from kylink_cli.store import campaign_results, claims, levels, supply_requests
from kylink_cli.store.campaign_results import NewResult
from kylink_cli.store.supply_requests import NewRequest, OpenRequest, Settlement, Stored


@dataclass(frozen=True, slots=True)
class Claimed:
    """A campaign that this run may order for."""

    need: Need  # by the stock at the time of the claim
    epoch: int  # of the claim, which is lost once another run's is higher
    inherited: Sequence[OpenRequest] = ()  # left open by ended runs
    ordered: Sequence[OpenRequest] = ()  # recorded for what these do not cover, and not sent yet


@dataclass(frozen=True, slots=True)
class Claims:
    """What became of a batch of campaigns that were to be claimed."""

    won: Sequence[Claimed]
    full: Sequence[Need]  # need nothing any more, and were not claimed


@dataclass(frozen=True, slots=True)
class NewOrders:
    """Requests to be recorded for one campaign."""

    campaign_id: str
    epoch: int  # of the run's claim
    requests: Sequence[NewRequest]


@dataclass(frozen=True, slots=True)
class _Look:
    """What a campaign needs at one moment, and its open requests."""

    need: Need
    inherited: Sequence[OpenRequest]

    @property
    def is_full(self) -> bool:
        return self.need.order <= 0 and not self.inherited

    @property
    def missing(self) -> int:
        return self.need.order - sum(request.outstanding for request in self.inherited)


@dataclass(frozen=True, slots=True)
class RunWrites:
    """The writes of one run, in the form that the ledger groups."""

    run_id: int
    policy: Policy
    demand: Demand  # what the operator asked for
    max_per_call: int  # items
    clock: Callable[[], datetime]

    def claim(self, session: Session, batches: list[list[Level]]) -> list[Claims]:
        """Claim campaigns that still need something, and record their orders: it may be long since the scan.

        Returns:
            For each batch those that were claimed, and those that need nothing any more. One that another run holds is
            missing.
        """
        now = self.clock()
        wanted = [level for batch in batches for level in batch]
        seen = self._look(session, wanted, now)
        full = {key for key, look in seen.items() if look.is_full}
        epochs = claims.claim(session, self.run_id, seen.keys() - full, now)
        # Another run may have filled one between the look and the claim.
        held = self._look(session, [level for level in wanted if level.campaign_id in epochs], now)
        ordered = self._order(session, held.values(), now)
        won = {key: Claimed(look.need, epochs[key], look.inherited, ordered.get(key, ())) for key, look in held.items()}
        return [
            Claims(
                [won[key] for key in _ids(batch) if key in won], [seen[key].need for key in _ids(batch) if key in full]
            )
            for batch in batches
        ]

    def _order(self, session: Session, looks: Iterable[_Look], now: datetime) -> Mapping[str, Sequence[OpenRequest]]:
        """Record requests for all that these campaigns lack."""
        requests = [r for look in looks for r in requests_for(look.need.level, look.missing, self.max_per_call)]
        ordered: dict[str, list[OpenRequest]] = defaultdict(list)
        for recorded in supply_requests.record(session, self.run_id, requests, now):
            ordered[recorded.request.campaign_id].append(recorded)
        return ordered

    def _look(self, session: Session, wanted: Sequence[Level], now: datetime) -> dict[str, "_Look"]:
        ids = _ids(wanted)
        available = levels.count_available(session, now, ids)
        inherited = supply_requests.read_open(session, ids)

        def look(level: Level) -> _Look:
            in_stock = replace(level, available=available.get(level.campaign_id, 0))
            return _Look(need(in_stock, self.policy, now, self.demand), inherited.get(level.campaign_id, ()))

        return {level.campaign_id: look(level) for level in wanted}

    def record(self, session: Session, orders: list[NewOrders]) -> list[list[OpenRequest] | None]:
        """Record requests before they are sent, if the claims still stand.

        Returns:
            For each order its recorded requests; None if the claim was lost, and nothing was recorded.
        """
        held = claims.still_held(session, self.run_id, {order.campaign_id: order.epoch for order in orders})
        valid = [request for order in orders if order.campaign_id in held for request in order.requests]
        recorded = iter(supply_requests.record(session, self.run_id, valid, self.clock()))
        return [[next(recorded) for _ in order.requests] if order.campaign_id in held else None for order in orders]

    def settle(self, session: Session, settlements: list[Settlement]) -> list[Stored]:
        """Store what came; what was paid for is stored even when the claim was lost."""
        return supply_requests.settle(session, settlements, self.clock())

    def finish(self, session: Session, results: list[NewResult]) -> list[None]:
        """Record how campaigns fared, and give their claims back."""
        campaign_results.add(session, self.run_id, results, self.clock())
        claims.free(session, self.run_id, [result.campaign_id for result in results])
        return [None] * len(results)


def _ids(batch: Sequence[Level]) -> list[str]:
    return [level.campaign_id for level in batch]
