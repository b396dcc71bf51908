"""What a restored database must not hand out: whatever may have been used since its backup was made."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from kylink_cli.rules.vocabulary import ItemState, LeaseState, RequestState
from kylink_cli.store.demand import Minute, minute_at, record_taken
from kylink_cli.store.engine import lineage
from kylink_cli.store.engine.direct import direct
from kylink_cli.store.supply_requests import MAY_BE_USED
from kylink_cli.store.tables import LeaseRecord, StockItem, SupplyRequest, in_state, not_before, table

_items = table(StockItem)
_leases = table(LeaseRecord)
_requests = table(SupplyRequest)


@dataclass(frozen=True, slots=True)
class Restored:
    """What became of what a restored database holds."""

    discarded: int  # items that may have been used since
    closed_leases: int
    open_requests: int  # orders that are asked for again under their keys


def begin_anew(session: Session, now: datetime, *, trust: bool) -> Restored:
    """Begin a new life of a restored database.

    Args:
        trust: whether nothing was used since the backup was made, so that all stays what it is.
    """
    lineage.begin(session)
    _mark_requests(session, is_restored=not trust)
    open_requests = session.scalar(
        select(func.count()).select_from(_requests).where(in_state(_requests, RequestState.OPEN))
    )
    if trust:
        return Restored(0, 0, open_requests or 0)
    return Restored(_discard_items(session), _close_leases(session, now), open_requests or 0)


def _mark_requests(session: Session, *, is_restored: bool) -> None:
    """Let what orders bring that had no whole answer be discarded: the other database may have got it already."""
    unanswered = update(_requests).where(_requests.c.state != RequestState.ANSWERED)
    session.execute(unanswered.values(is_restored=is_restored))


def _discard_items(session: Session) -> int:
    """Throw away what could be handed out (available, leased -> discarded)."""
    could_be_used = in_state(_items, ItemState.AVAILABLE) | in_state(_items, ItemState.LEASED)
    statement = update(_items).where(could_be_used).values(state=ItemState.DISCARDED, reason=MAY_BE_USED)
    return session.connection().execute(statement).rowcount


def _close_leases(session: Session, now: datetime) -> int:
    """End what was leased (active -> expired): who else may have got the item since is not known."""
    statement = (
        update(_leases)
        .where(in_state(_leases, LeaseState.ACTIVE))
        .values(state=LeaseState.EXPIRED, closed_at=not_before(_leases.c.leased_at, now), error=MAY_BE_USED)
        .returning(_leases.c.campaign_id, _leases.c.leased_at)
    )
    closed = Counter(Minute(row.campaign_id, minute_at(row.leased_at)) for row in session.execute(statement))
    with direct(session.connection()) as transaction:
        record_taken(transaction, {minute: -items for minute, items in closed.items()})
    return closed.total()
