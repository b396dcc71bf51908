"""What must hold in every database, each rule as one statement that counts the rows that break it."""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Table, and_, exists, func, or_, select, text
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement, Select

from kylink_cli.language import marked
from kylink_cli.rules.demand import MINUTES_AN_HOUR
from kylink_cli.rules.vocabulary import AlertState, ItemState, LeaseState, RequestState, RunStatus
from kylink_cli.store.demand import minute_at, read_histories
from kylink_cli.store.engine.hours import start_of
from kylink_cli.store.tables import (
    Alert,
    CampaignClaim,
    LeaseRecord,
    Run,
    StockItem,
    SupplyRequest,
    in_state,
    table,
)

Count = Select[int]

# Leases are kept for a day at least.
_CHECKED_HOURS = 23

_alerts = table(Alert)
_claims = table(CampaignClaim)
_items = table(StockItem)
_leases = table(LeaseRecord)
_requests = table(SupplyRequest)
_runs = table(Run)


@dataclass(frozen=True, slots=True)
class Invariant:
    """A rule that every database keeps."""

    name: str  # the rule as a sentence
    violations: Count  # counts the rows that break it


@dataclass(frozen=True, slots=True)
class InvariantCount:
    """What a check found."""

    name: str
    violations: int  # rows that break it

    @property
    def ok(self) -> bool:
        """Whether the rule holds."""
        return self.violations == 0


def check(session: Session) -> list[InvariantCount]:
    """Check the file itself, then every invariant; a damaged file is not looked into any further."""
    findings = []
    if session.get_bind().dialect.name == "sqlite":
        # PostgreSQL looks after its files and references itself.
        findings.append(_check_file(session))
        if not findings[0].ok:
            return findings
        findings.append(_check_references(session))
    findings += [InvariantCount(rule.name, session.scalars(rule.violations).one()) for rule in INVARIANTS]
    return [*findings, _check_demand(session, datetime.now(UTC))]


def _check_file(session: Session) -> InvariantCount:
    damages = [line for line in session.scalars(text("PRAGMA integrity_check")) if line != "ok"]
    return InvariantCount(marked("the file is intact"), len(damages))


def _check_references(session: Session) -> InvariantCount:
    dangling = session.execute(text("PRAGMA foreign_key_check")).all()
    return InvariantCount(marked("every reference leads to a row"), len(dangling))


def _check_demand(session: Session, now: datetime) -> InvariantCount:
    """Compare the demand of the last day with the leases, which are kept for a day at least.

    An item that was consumed without a lease may have come into the demand when that was first recorded.
    """
    since = start_of(minute_at(now) // MINUTES_AN_HOUR - _CHECKED_HOURS)
    kept = _leases.c.state.in_(("active", "confirmed")) & (_leases.c.leased_at >= since)
    leased = _by_campaign(session, _leases, kept)
    without = in_state(_items, ItemState.CONSUMED) & (_items.c.consumed_at >= since)
    unleased = _by_campaign(session, _items, without & ~exists().where(_leases.c.item_id == _items.c.id))
    hour = minute_at(since) // MINUTES_AN_HOUR
    taken = {key: history.since(hour).taken for key, history in read_histories(session, now).items()}
    wrong = [
        key
        for key in leased.keys() | taken.keys()
        if not 0 <= taken.get(key, 0) - leased.get(key, 0) <= unleased.get(key, 0)
    ]
    return InvariantCount(marked("the recorded demand is what was leased and not given back"), len(wrong))


def _by_campaign(session: Session, rows: Table, condition: ColumnElement[bool]) -> dict[str, int]:
    counted = select(rows.c.campaign_id, func.count().label("number")).where(condition).group_by(rows.c.campaign_id)
    return {row.campaign_id: row.number for row in session.execute(counted)}


def _count(rows: Table, wrong: ColumnElement[bool]) -> Count:
    return select(func.count()).select_from(rows).where(wrong)


def _repeated(rows: Table, key: list[ColumnElement[str]], among: ColumnElement[bool] | None = None) -> Count:
    """Counts the keys that more than one row has."""
    repeated = select(*key).select_from(rows).group_by(*key).having(func.count() > 1)
    if among is not None:
        repeated = repeated.where(among)
    return select(func.count()).select_from(repeated.subquery())


def _overdrawn() -> Count:
    """Counts the requests that more items name than they produced; purged items are missing, never too many."""
    stored = (
        select(_items.c.supply_request_id, func.count().label("number"))
        .where(_items.c.supply_request_id.is_not(None))
        .group_by(_items.c.supply_request_id)
        .subquery()
    )
    return (
        select(func.count())
        .join_from(stored, _requests, _requests.c.id == stored.c.supply_request_id)
        .where(stored.c.number > _requests.c.produced)
    )


def _ended_wrongly(rows: Table, unfinished: ColumnElement[bool]) -> ColumnElement[bool]:
    """Unfinished with an end, or finished without one."""
    has_end = rows.c.finished_at.is_not(None)
    return or_(and_(unfinished, has_end), and_(~unfinished, ~has_end))


def _leased_without(lease: LeaseState, item: ItemState) -> ColumnElement[bool]:
    """Leases in a state whose item is in another than it must be."""
    return and_(in_state(_leases, lease), ~exists().where(_items.c.id == _leases.c.item_id, in_state(_items, item)))


_is_written_off = or_(in_state(_requests, RequestState.REFUSED), in_state(_requests, RequestState.CANCELLED))

INVARIANTS = (
    Invariant(
        marked("a value is stored once within its campaign"), _repeated(_items, [_items.c.campaign_id, _items.c.value])
    ),
    Invariant(
        marked("a consumed item says when it was consumed"),
        _count(_items, and_(in_state(_items, ItemState.CONSUMED), _items.c.consumed_at.is_(None))),
    ),
    Invariant(
        marked("an item has at most one active lease"),
        _repeated(_leases, [_leases.c.item_id], in_state(_leases, LeaseState.ACTIVE)),
    ),
    Invariant(
        marked("an item was confirmed at most once"),
        _repeated(_leases, [_leases.c.item_id], in_state(_leases, LeaseState.CONFIRMED)),
    ),
    Invariant(
        marked("an active lease holds a leased item"),
        _count(_leases, _leased_without(LeaseState.ACTIVE, ItemState.LEASED)),
    ),
    Invariant(
        marked("a leased item has an active lease"),
        _count(
            _items,
            and_(
                in_state(_items, ItemState.LEASED),
                ~exists().where(_leases.c.item_id == _items.c.id, in_state(_leases, LeaseState.ACTIVE)),
            ),
        ),
    ),
    Invariant(
        marked("a confirmed lease has consumed its item"),
        _count(_leases, _leased_without(LeaseState.CONFIRMED, ItemState.CONSUMED)),
    ),
    Invariant(
        marked("a lease has an end exactly when it is not active"),
        _count(_leases, in_state(_leases, LeaseState.ACTIVE) == _leases.c.closed_at.is_not(None)),
    ),
    Invariant(marked("no more items are stored for a supply request than it produced"), _overdrawn()),
    Invariant(
        marked("a refused or cancelled supply request brought nothing"),
        _count(_requests, _is_written_off & ((_requests.c.produced > 0) | (_requests.c.duplicates > 0))),
    ),
    Invariant(
        marked("a supply request brought no more than was asked for"),
        _count(_requests, _requests.c.produced > _requests.c.quantity),
    ),
    Invariant(
        marked("a supply request that an operator settled has an end"),
        _count(_requests, _requests.c.settled_by.is_not(None) & in_state(_requests, RequestState.OPEN)),
    ),
    Invariant(
        marked("a supply request has an end exactly when it is not open"),
        _count(_requests, _ended_wrongly(_requests, in_state(_requests, RequestState.OPEN))),
    ),
    Invariant(
        marked("a supply request ends after it began"),
        _count(_requests, _requests.c.finished_at < _requests.c.created_at),
    ),
    Invariant(
        marked("a run has an end exactly when it is not running"),
        _count(_runs, _ended_wrongly(_runs, _runs.c.status == RunStatus.RUNNING)),
    ),
    Invariant(marked("a run ends after it began"), _count(_runs, _runs.c.finished_at < _runs.c.started_at)),
    Invariant(
        marked("a claim belongs to a running run"),
        _count(
            _claims,
            and_(
                _claims.c.run_id.is_not(None),
                ~exists().where(_runs.c.id == _claims.c.run_id, _runs.c.status == RunStatus.RUNNING),
            ),
        ),
    ),
    Invariant(
        marked("at most one alert of a condition is unresolved"),
        _repeated(_alerts, [_alerts.c.fingerprint], _alerts.c.state != AlertState.RESOLVED),
    ),
    Invariant(
        marked("an alert says when it was resolved exactly when it is"),
        _count(_alerts, (_alerts.c.state == AlertState.RESOLVED) != _alerts.c.resolved_at.is_not(None)),
    ),
)
