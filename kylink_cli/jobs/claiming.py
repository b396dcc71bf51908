"""Claiming campaigns for a run: in batches, each while those of the batch before are filled."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.orm import Session

from kylink_cli.errors import KylinkError, LockedError
from kylink_cli.jobs.assignment import Assignment
from kylink_cli.jobs.order_limits import granted
from kylink_cli.jobs.outcome import Outcome, Outcomes
from kylink_cli.jobs.writes import record_requests, requests_for
from kylink_cli.language import tr
from kylink_cli.rules.moments import readable
from kylink_cli.rules.order_limits import OrderLimits
from kylink_cli.rules.replenishment import Level, Need, need
from kylink_cli.rules.supply_requests import is_due, is_quiet, still_to_order
from kylink_cli.rules.vocabulary import ResultStatus
from kylink_cli.running.run import LiveRun
from kylink_cli.store import bell, campaigns, claims, levels, supply_requests
from kylink_cli.store.claims import Claim
from kylink_cli.store.supply_requests import OpenRequest
from kylink_cli.store.tables import Run

CLAIM_POLL_SECONDS = 0.2
SMALLEST_BATCH = 10


class RestingError(KylinkError):
    """Nothing is ordered for a campaign for a while."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A campaign that this run may order for."""

    need: Need  # by the stock at the time of the claim
    claim: Claim
    inherited: Sequence[OpenRequest] = ()  # left open by ended runs
    ordered: Sequence[OpenRequest] = ()  # recorded for what these do not cover, and not sent yet
    quiet: Sequence[OpenRequest] = ()  # asked in vain by many runs, and due again
    given_up: Sequence[str] = ()  # keys that are asked no more
    held_back: int = 0  # items that were not ordered, since quiet requests may bring as many


@dataclass(frozen=True, slots=True)
class Batch:
    """Campaigns that a run wants to claim."""

    run_id: int
    assignment: Assignment
    levels: Sequence[Level]


@dataclass(frozen=True, slots=True)
class Claims:
    """What became of a batch of campaigns that were to be claimed."""

    won: Sequence[Claimed]
    full: Sequence[tuple[Need, datetime | None]]  # need nothing any more, or rest until then, and were not claimed


@dataclass(frozen=True, slots=True)
class _Look:
    """What a campaign needs at one moment, and its open requests."""

    need: Need
    rests_until: datetime | None
    live: Sequence[OpenRequest]
    quiet: Sequence[OpenRequest]

    @property
    def is_full(self) -> bool:
        return self.need.order <= 0 and not self.live and not self.quiet

    @property
    def lacking(self) -> int:
        return max(0, self.need.order - _items(self.live))

    @property
    def missing(self) -> int:
        return still_to_order(self.need.order, self.need.target, _items(self.live), _items(self.quiet))


def _items(requests: Iterable[OpenRequest]) -> int:
    return sum(request.outstanding for request in requests)


def claim(session: Session, batches: list[Batch], now: datetime) -> list[Claims]:
    """Claim campaigns that still need something, and record their orders: it may be long since the scan.

    Returns:
        For each batch those that were claimed, and those that need nothing any more. One that another run holds is
        missing.
    """
    return [_claim(session, batch, now) for batch in batches]


def _claim(session: Session, batch: Batch, now: datetime) -> Claims:
    seen = _look(session, batch, batch.levels, now)
    full = {key for key, look in seen.items() if look.is_full}
    won = claims.claim(session, batch.run_id, seen.keys() - full, now)
    bell.answer(session, won.keys() | full)
    given_up = supply_requests.give_up(session, won, now)
    # Another run may have filled one between the look and the claim.
    held = _look(session, batch, [level for level in batch.levels if level.campaign_id in won], now)
    held = _within_limits(session, batch.assignment.limits.orders, held, now)
    ordered = _order(session, batch, held.values(), now)

    def claimed(key: str, look: _Look) -> Claimed:
        return Claimed(
            look.need,
            won[key],
            look.live,
            ordered.get(key, ()),
            [r for r in look.quiet if is_due(r.unanswered_runs, r.asked_at, now)],
            given_up.get(key, ()),
            look.lacking - look.missing,
        )

    return Claims(
        [claimed(key, look) for key, look in held.items()],
        [(look.need, look.rests_until) for key, look in seen.items() if key in full],
    )


def _within_limits(session: Session, limits: OrderLimits, held: dict[str, _Look], now: datetime) -> dict[str, _Look]:
    """Let nobody order more than the limits of 24 hours leave; what earlier runs have asked for counts already."""
    wanted = [(look.need.level, max(0, look.missing)) for look in held.values()]
    may = granted(session, limits, wanted, now)
    return {
        key: replace(look, need=look.need.limited_by(one.limited))
        for (key, look), one in zip(held.items(), may, strict=True)
    }


def _look(session: Session, batch: Batch, wanted: Sequence[Level], now: datetime) -> dict[str, _Look]:
    ids = [level.campaign_id for level in wanted]
    available = levels.count_available(session, now, ids)
    paused = campaigns.paused(session, ids)
    demand = batch.assignment.demand
    resting = {} if demand.force else claims.resting(session, ids, now)
    inherited = supply_requests.read_open(session, ids)

    def look(level: Level) -> _Look:
        key, rests_until = level.campaign_id, resting.get(level.campaign_id)
        in_stock = replace(level, available=available.get(key, 0), active=level.active and key not in paused)
        wanted_now = need(in_stock, batch.assignment.policy, now, demand)
        if rests_until is not None:
            wanted_now = replace(wanted_now, order=0)
        requests = inherited.get(key, ())
        quiet = [r for r in requests if is_quiet(r.unanswered_runs)]
        return _Look(wanted_now, rests_until, [r for r in requests if r not in quiet], quiet)

    return {level.campaign_id: look(level) for level in wanted}


def _order(session: Session, batch: Batch, looks: Iterable[_Look], now: datetime) -> Mapping[str, list[OpenRequest]]:
    """Record requests for all that these campaigns lack."""
    at_most = batch.assignment.limits.max_per_call
    requests = [r for look in looks for r in requests_for(look.need.level, look.missing, at_most, batch.run_id)]
    return record_requests(session, requests, now)


async def claim_in_turn(
    run: LiveRun, assignment: Assignment, needs: Sequence[Need], outcomes: Outcomes, tasks: asyncio.TaskGroup
) -> AsyncIterator[Claimed]:
    """Claim campaigns in the order of work; those that are not won have their outcome."""
    size = max(SMALLEST_BATCH, 2 * assignment.limits.campaigns_in_flight)
    ahead = tasks.create_task(_claim_batch(run, assignment, needs[:size], outcomes))
    for batch in (*_batches(needs[size:], size), ()):
        claimed = await ahead
        ahead = tasks.create_task(_claim_batch(run, assignment, batch, outcomes))
        for one in claimed:
            yield one


def _batches(needs: Sequence[Need], size: int) -> Iterator[Sequence[Need]]:
    for start in range(0, len(needs), size):
        yield needs[start : start + size]


async def _claim_batch(
    run: LiveRun, assignment: Assignment, batch: Sequence[Need], outcomes: Outcomes
) -> list[Claimed]:
    """Claim a batch, unless the run is to end; wait for what other runs hold as long as the operator allows."""
    if not batch or run.stop.reason is not None:
        return []
    missing = {n.level.campaign_id: n for n in batch}
    claimed: list[Claimed] = []
    while True:
        wanted = Batch(run.id, assignment, [n.level for n in missing.values()])
        found = await run.ledger.write(claim, wanted)
        claimed += found.won
        for n, until in found.full:
            outcomes.note(Outcome(n, ResultStatus.SKIPPED, failure=_rest(until)))
        for n in (*(n for n, _ in found.full), *(c.need for c in found.won)):
            del missing[n.level.campaign_id]
        if not missing or run.seconds > assignment.wait_seconds or run.stop.reason is not None:
            break
        await asyncio.sleep(CLAIM_POLL_SECONDS)
    await _skip(run, list(missing.values()), outcomes)
    return claimed


def _rest(until: datetime | None) -> KylinkError | None:
    if until is None:
        return None
    return RestingError(
        tr("only duplicates came last time: nothing is ordered before {moment}", moment=readable(until))
    )


async def _skip(run: LiveRun, held: Sequence[Need], outcomes: Outcomes) -> None:
    """Leave campaigns to the runs that hold them."""
    if not held:
        return
    holders = await asyncio.to_thread(_holders, run, [n.level.campaign_id for n in held])
    for n in held:
        holder = holders.get(n.level.campaign_id)
        outcomes.note(Outcome(n, ResultStatus.SKIPPED, failure=LockedError(_held_text(n.level.campaign_id, holder))))


def _holders(run: LiveRun, campaign_ids: Sequence[str]) -> dict[str, Run]:
    return run.database.read(lambda session: claims.holders(session, campaign_ids))


def _held_text(campaign_id: str, holder: Run | None) -> str:
    if holder is None:
        return tr("campaign {campaign_id} was held by another run", campaign_id=campaign_id)
    since = readable(holder.started_at)
    return tr(
        "campaign {campaign_id} is being filled by run {id}: pid {pid} on {host} since {since}; try later, or use "
        "--wait",
        campaign_id=campaign_id,
        id=holder.id,
        pid=holder.pid,
        host=holder.host,
        since=since,
    )
