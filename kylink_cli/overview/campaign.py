"""One campaign, looked at closely: its stock, what is asked of it, how its last runs went, who holds its items."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from kylink_cli.rules.demand import MINUTES_AN_HOUR, Asked
from kylink_cli.rules.replenishment import Need, Policy, need
from kylink_cli.rules.vocabulary import LeaseState
from kylink_cli.rules.watching import HOURS, by_hour
from kylink_cli.store.campaign_results import PastResult, of_campaign
from kylink_cli.store.engine.database import Database
from kylink_cli.store.figures.campaign_stock import CampaignStock, count_by_state, read_campaign_stock
from kylink_cli.store.figures.consumption import read_consumption_of
from kylink_cli.store.lease_list import LeaseFilter, ListedLease, read_leases
from kylink_cli.store.levels import Scope
from kylink_cli.store.no_stock import count_since
from kylink_cli.store.supply_requests import ordered_since

_LISTED_RUNS = 5
_LISTED_LEASES = 10


@dataclass(frozen=True, slots=True)
class CampaignDetail:
    """A campaign, as it is seen at one moment."""

    now: datetime
    stock: CampaignStock
    need: Need
    items: Mapping[str, int]  # by state
    no_stock_24h: int
    ordered_24h: int  # items
    consumed_by_hour: Sequence[int]  # in each of the last 24 hours
    runs: Sequence[PastResult]  # the last that had to do with it, newest first
    leases: Sequence[ListedLease]  # that are held, newest first

    @property
    def asked_24h(self) -> Asked:
        """What consumers asked for in this hour and the 23 before."""
        return self.need.level.history.since(int(self.now.timestamp()) // 60 // MINUTES_AN_HOUR - HOURS + 1)


def look_at_campaign(database: Database, policy: Policy, campaign_id: str) -> CampaignDetail | None:
    """Look at a campaign; None if there is none of this id."""
    now = database.now()
    day_ago = now - timedelta(hours=HOURS)

    def read(session: Session) -> CampaignDetail | None:
        stocks = read_campaign_stock(session, now, Scope(campaign_ids=[campaign_id]))
        if not stocks:
            return None
        consumed = read_consumption_of(session, day_ago, [campaign_id]).get(campaign_id, {})
        held = LeaseFilter(campaign_id, LeaseState.ACTIVE, limit=_LISTED_LEASES)
        return CampaignDetail(
            now=now,
            stock=stocks[0],
            need=need(stocks[0].level, policy, now),
            items=count_by_state(session, now, campaign_id),
            no_stock_24h=count_since(session, day_ago, campaign_id),
            ordered_24h=ordered_since(session, day_ago, [campaign_id]).get(campaign_id, 0),
            consumed_by_hour=by_hour(consumed, now),
            runs=of_campaign(session, campaign_id, _LISTED_RUNS),
            leases=read_leases(session, held, now),
        )

    return database.read(read)
