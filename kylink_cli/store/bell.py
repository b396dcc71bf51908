"""The bell: a take that leaves a campaign below its reorder point rings, and a run answers.

A campaign is rung for once, until a run takes it up; it is rung for again when nobody has come within the delay. It is
not rung for while a run fills it, nor within the delay after a run has failed with it, or has found the whole service
down. The look that decides is part of the statement that records the demand.
"""

import random
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Float,
    Integer,
    String,
    and_,
    bindparam,
    case,
    delete,
    exists,
    false,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from kylink_cli.rules.vocabulary import CampaignStatus, ItemState
from kylink_cli.store import demand
from kylink_cli.store.demand import Refusal, minute_at
from kylink_cli.store.engine.database import upsert
from kylink_cli.store.engine.direct import Direct, Flavour, Transaction, Value
from kylink_cli.store.tables import (
    Campaign,
    CampaignClaim,
    ReorderPoint,
    Ring,
    StockItem,
    SupplyOutage,
    UtcDateTime,
    in_state,
    table,
)

# A look counts so many items at most: above such a reorder point, one take of several looks.
COUNTED_ITEMS: Final = 50

_campaigns = table(Campaign)
_claims = table(CampaignClaim)
_items = table(StockItem)
_outages = table(SupplyOutage)
_points = table(ReorderPoint)
_rings = table(Ring)


@dataclass(frozen=True, slots=True)
class Look:
    """A look at a campaign's stock: is it to be rung for?"""

    now: datetime
    since: datetime  # who has rung or failed later is not rung for again
    reorder_point: int  # of a campaign that has none yet


def record_taken(transaction: Transaction, campaign_id: str, items: int, at: Look) -> bool:
    """Record items as demand, and look whether what is left of the campaign's stock calls for a ring.

    The demand's row is locked by this; only a ring may follow in the transaction.
    """
    added: dict[str, Value] = {
        "campaign_id": campaign_id,
        "minute": minute_at(at.now),
        "asker": "",
        "taken": items,
        "refused": 0,
    }
    [(is_low,)] = _TAKEN.rows(transaction, **added, **looking(campaign_id, at))
    return bool(is_low)


def record_refused(transaction: Transaction, refusal: Refusal, at: Look) -> bool:
    """Record items that a consumer did not get as demand, and look as `record_taken` does."""
    [(is_low,)] = _REFUSED.rows(
        transaction,
        campaign_id=refusal.campaign_id,
        minute=minute_at(at.now),
        asker=refusal.asker,
        taken=0,
        refused=refusal.items,
        **looking(refusal.campaign_id, at, 0),
    )
    return bool(is_low)


def look(transaction: Transaction, campaign_id: str, at: Look) -> bool:
    """Look as `record_taken` does, and record nothing."""
    [(is_low,)] = _LOOK.rows(transaction, **looking(campaign_id, at, 0))
    return bool(is_low)


def ring(transaction: Transaction, campaign_id: str, now: datetime) -> None:
    """Ring for a campaign (silent -> rung)."""
    _RING.rows(transaction, campaign_id=campaign_id, rung_at=now)


def rung(session: Session) -> list[str]:
    """The campaigns that are rung for."""
    return list(session.scalars(select(_rings.c.campaign_id).where(_rings.c.rung_at.is_not(None))))


def is_down(session: Session, since: datetime) -> bool:
    """Whether the service was found down after a moment, and has not answered since."""
    return session.scalar(select(_outages.c.id).where(_outages.c.noticed_at > since)) is not None


def answer(session: Session, campaign_ids: Collection[str]) -> None:
    """A run takes campaigns up (rung -> silent); from now on they may be rung for again."""
    is_meant = _rings.c.campaign_id.in_(campaign_ids)
    session.execute(update(_rings).where(is_meant).values(rung_at=None, failed_at=None))


def note_failures(session: Session, campaign_ids: Collection[str], now: datetime) -> None:
    """A run has failed with campaigns: they are not rung for until the delay is over."""
    if campaign_ids:
        add = upsert(session, _rings)
        rows = [{"campaign_id": key, "failed_at": now} for key in campaign_ids]
        failed = {"failed_at": add.excluded.failed_at}
        session.connection().execute(add.on_conflict_do_update(index_elements=["campaign_id"], set_=failed), rows)


def note_outage(session: Session, now: datetime) -> None:
    """The service answers nobody: no campaign is rung for until the delay is over."""
    add = upsert(session, _outages).values(id=1, noticed_at=now)
    session.execute(add.on_conflict_do_update(index_elements=["id"], set_={"noticed_at": now}))


def end_outage(session: Session) -> None:
    """The service answers."""
    session.execute(delete(_outages))


def looking(campaign_id: str, at: Look, chance: float | None = None) -> dict[str, Value]:
    """The parameters of `is_low`.

    Args:
        campaign_id: the campaign that is looked at.
        at: the look.
        chance: 0..1, how likely a high reorder point is not counted up to; None leaves it to chance.
    """
    if chance is None:
        chance = random.random()  # noqa: S311  (spreads the work; nothing secret)
    return {
        "looked_at": campaign_id,
        "now": at.now,
        "since": at.since,
        "reorder_point": at.reorder_point,
        "chance": chance,
    }


_looked_at = bindparam("looked_at", type_=String)
_since = bindparam("since", type_=UtcDateTime)
_of_campaign = _campaigns.join(_points, _points.c.campaign_id == _campaigns.c.id, isouter=True)
_reorder_point = func.coalesce(
    _campaigns.c.low_watermark, _points.c["items"], bindparam("reorder_point", type_=Integer)
)
_is_refilled = (_campaigns.c.id == _looked_at) & (_campaigns.c.status == CampaignStatus.ACTIVE) & (_reorder_point > 0)
# Where the reorder point is high, one take of several counts; the others see whether there is anything at all.
_counted = case((_reorder_point * bindparam("chance", type_=Float) >= COUNTED_ITEMS, 0), else_=_reorder_point - 1)
_at_least = func.coalesce(select(_counted).select_from(_of_campaign).where(_is_refilled).scalar_subquery(), 0)
_may_ring = and_(
    exists().select_from(_of_campaign).where(_is_refilled),
    ~exists().where(_claims.c.campaign_id == _looked_at, _claims.c.run_id.is_not(None)),
    ~exists().where(_rings.c.campaign_id == _looked_at, or_(_rings.c.rung_at > _since, _rings.c.failed_at > _since)),
    ~exists().where(_outages.c.noticed_at > _since),
)


def is_low(just_taken: ColumnElement[int] | None = None) -> ColumnElement[bool]:
    """Whether what is left of a campaign's stock calls for a ring; `looking` gives the parameters.

    Args:
        just_taken: how many items the statement takes that this is a part of: it sees the stock as it was before.
    """
    has_enough = exists(
        select(_items.c.id)
        .where(
            _items.c.campaign_id == _looked_at,
            in_state(_items, ItemState.AVAILABLE),
            _items.c.expires_at > bindparam("now"),
        )
        .order_by(_items.c.expires_at)
        .limit(1)
        .offset(_at_least if just_taken is None else _at_least + just_taken)
    )
    return case((has_enough, false()), else_=_may_ring)


def _ring(flavour: Flavour) -> Any:
    add = flavour.insert(_rings)
    return add.on_conflict_do_update(index_elements=["campaign_id"], set_={"rung_at": add.excluded.rung_at})


_TAKEN = Direct(lambda flavour: demand.add_taken(flavour).returning(is_low()), demand.COLUMNS)
_REFUSED = Direct(lambda flavour: demand.add_refused(flavour).returning(is_low()), demand.COLUMNS)
_LOOK = Direct(lambda _: select(is_low()))
_RING = Direct(_ring, ("campaign_id", "rung_at"))
