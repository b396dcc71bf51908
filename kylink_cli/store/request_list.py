"""Supply requests as people see them, and what people found out about them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from kylink_cli.errors import BadFileError, LockedError, NotFoundError, UsageError
from kylink_cli.language import tr
from kylink_cli.rules.supply_requests import BY_OPERATOR
from kylink_cli.rules.text import one_line
from kylink_cli.rules.vocabulary import Act, RequestState
from kylink_cli.store import audit, supply_requests
from kylink_cli.store.audit import AuditEntry
from kylink_cli.store.figures import totals
from kylink_cli.store.supply_requests import Arrival, NewItem
from kylink_cli.store.tables import CampaignClaim, SupplyRequest, not_before, table

_requests = table(SupplyRequest)
_claims = table(CampaignClaim)


@dataclass(frozen=True, slots=True)
class Settlement:
    """What an operator found out about a request that had no clear answer."""

    key: str
    items: Sequence[NewItem] | None  # what was charged; None if nothing was
    operator: str


def read_requests(
    session: Session, states: Collection[RequestState], campaign_id: str | None, limit: int
) -> list[SupplyRequest]:
    """Requests in these states, newest first; of every campaign if none is named."""
    statement = select(SupplyRequest).where(_requests.c.state.in_(states)).order_by(_requests.c.id.desc()).limit(limit)
    if campaign_id is not None:
        statement = statement.where(_requests.c.campaign_id == campaign_id)
    return list(session.scalars(statement))


def get(session: Session, key: str, *, lock: bool = False) -> SupplyRequest:
    """A request by its idempotency key.

    Raises:
        NotFoundError: there is none.
    """
    statement = select(SupplyRequest).where(_requests.c.key == key)
    found = session.scalars(statement.with_for_update() if lock else statement).first()
    if found is None:
        raise NotFoundError(tr("unknown supply request {key}: 'kylink supply requests' shows them", key=one_line(key)))
    return found


def settle(session: Session, settlement: Settlement, now: datetime) -> SupplyRequest:
    """Settle a request as an operator (any but answered -> answered, cancelled), while no run holds its campaign.

    Settling it again in the same way changes nothing.

    Raises:
        NotFoundError: there is no such request.
        LockedError: a run holds the campaign, and may be asking this very request.
        UsageError: it was answered, or brought something, so that it was charged.
        BadFileError: more values are given than were asked for.
    """
    request = get(session, settlement.key)
    _refuse_while_claimed(session, request.campaign_id)
    request = get(session, settlement.key, lock=True)
    session.refresh(request)
    is_new = request.settled_by is None
    if is_new and request.state == RequestState.OPEN:
        totals.keep_doubt(session)
    if settlement.items is None:
        _not_charged(session, request, settlement.operator, now)
    else:
        _charged(session, request, settlement, settlement.items, now)
    if is_new:
        charged = "not charged" if settlement.items is None else f"charged, {len(settlement.items)} items"
        audit.record(session, AuditEntry(settlement.operator, Act.REQUEST_SETTLED, [settlement.key], charged), now)
    session.expire(request)
    return get(session, settlement.key)


def _refuse_while_claimed(session: Session, campaign_id: str) -> None:
    statement = select(_claims.c.run_id).where(_claims.c.campaign_id == campaign_id).with_for_update()
    run_id = session.scalars(statement).first()
    if run_id is not None:
        raise LockedError(
            tr(
                "campaign {campaign_id} is being filled by run {run_id}: try later",
                campaign_id=campaign_id,
                run_id=run_id,
            )
        )


def _not_charged(session: Session, request: SupplyRequest, operator: str, now: datetime) -> None:
    if request.state not in BY_OPERATOR or request.produced or request.duplicates:
        raise UsageError(tr("the supply request {key} was charged: items of it came", key=request.key))
    if request.state == RequestState.CANCELLED and request.settled_by is not None:
        return
    totals.keep_ends(session, [request.id or 0])
    session.execute(
        update(_requests)
        .where(_requests.c.id == request.id)
        .values(state=RequestState.CANCELLED, settled_by=operator, finished_at=not_before(_requests.c.created_at, now))
    )


def _charged(
    session: Session, request: SupplyRequest, settlement: Settlement, items: Sequence[NewItem], now: datetime
) -> None:
    if request.state not in BY_OPERATOR and request.settled_by is None:
        raise UsageError(tr("the supply request {key} was answered: nothing about it is open", key=request.key))
    if len(items) > request.quantity:
        raise BadFileError(
            tr("{number} values are given, {quantity} were asked for", number=len(items), quantity=request.quantity)
        )
    arrival = Arrival(request.id or 0, request.campaign_id, items, settled_by=settlement.operator)
    supply_requests.store_answers(session, [arrival], now)
