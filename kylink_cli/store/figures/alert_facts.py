"""What the alert check looks at: a fixed number of statements, however much there is to see."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, or_, select
from sqlalchemy.orm import Session

from kylink_cli.rules.check_facts import CrashedRun, HeldLeases, LowCampaign, Share, Subject, SupplyRate
from kylink_cli.rules.demand import MINUTES_AN_HOUR
from kylink_cli.rules.order_limits import OrderLimits
from kylink_cli.rules.replenishment import Policy, need
from kylink_cli.rules.vocabulary import LeaseState, RequestState, RunStatus
from kylink_cli.store.demand import minute_at, read_lossy_histories
from kylink_cli.store.levels import Scope, read_levels
from kylink_cli.store.supply_requests import ordered_since
from kylink_cli.store.tables import Campaign, LeaseRecord, NoStockEvent, Run, SupplyRequest, in_state, table

_campaigns = table(Campaign)
_leases = table(LeaseRecord)
_events = table(NoStockEvent)
_runs = table(Run)
_requests = table(SupplyRequest)


def read_low_campaigns(session: Session, policy: Policy, now: datetime) -> list[LowCampaign]:
    """The active campaigns below their watermark."""
    levels = read_levels(session, now, Scope(), low_by=policy)
    needs = [need(level, policy, now) for level in levels]
    return [
        LowCampaign(Subject(n.level.campaign_id, n.level.user_id, n.level.name), n.level.available, n.watermark.items)
        for n in needs
        if n.low
    ]


def read_held_leases(session: Session, taken_by: datetime, now: datetime) -> list[HeldLeases]:
    """By campaign, the active leases that were taken long ago or are past their deadline.

    Args:
        taken_by: leases taken by this moment are old.
        now: deadlines by this moment are over.
    """
    is_overdue = _leases.c.expires_at <= now
    statement = _by_campaign(_leases, func.count(), _sum(is_overdue), func.min(_leases.c.leased_at)).where(
        in_state(_leases, LeaseState.ACTIVE), or_(_leases.c.leased_at <= taken_by, is_overdue)
    )
    return [HeldLeases(Subject(*row[:3]), *row[3:]) for row in session.execute(statement)]


def read_failed_leases(session: Session, since: datetime) -> list[Share]:
    """By campaign, how many of the leases closed after a moment failed: expired, or released with an error."""
    failed = in_state(_leases, LeaseState.EXPIRED) | (
        in_state(_leases, LeaseState.RELEASED) & _leases.c.error.is_not(None)
    )
    statement = _by_campaign(_leases, _sum(failed), func.count()).where(_leases.c.closed_at > since)
    return [Share(Subject(*row[:3]), *row[3:]) for row in session.execute(statement)]


def read_no_stock(session: Session, since: datetime) -> list[Share]:
    """By campaign, how often consumers found nothing after a moment."""
    statement = _by_campaign(_events, func.count()).where(_events.c.happened_at > since)
    return [Share(Subject(*row[:3]), row[3]) for row in session.execute(statement)]


def read_ordered(session: Session, since: datetime, limits: OrderLimits) -> list[Share]:
    """By campaign, the items ordered after a moment, of those that may be ordered; 0 is no limit."""
    ordered = ordered_since(session, since, None)
    own = dict(session.execute(select(_campaigns.c.id, _campaigns.c.order_limit)).all())
    return [
        Share(subject, ordered[subject.campaign_id], limits.of(own[subject.campaign_id]))
        for subject in _subjects(session, ordered)
    ]


def read_refused(session: Session, since: datetime, now: datetime) -> list[Share]:
    """By campaign, the items refused after a moment, of those asked for; those that lost nothing are missing."""
    hour = minute_at(since) // MINUTES_AN_HOUR
    asked = {key: history.since(hour) for key, history in read_lossy_histories(session, now).items()}
    lost = {key: found for key, found in asked.items() if found.refused}
    return [
        Share(subject, lost[subject.campaign_id].refused, lost[subject.campaign_id].items)
        for subject in _subjects(session, lost)
    ]


def _subjects(session: Session, campaign_ids: Collection[str]) -> list[Subject]:
    """Campaigns as checks name them."""
    c = _campaigns.c
    rows = session.execute(select(c.id, c.user_id, c.name))
    return [Subject(*row) for row in rows if row.id in campaign_ids]


def read_crashed_runs(session: Session, since: datetime) -> list[CrashedRun]:
    """The runs that were found dead after a moment, newest first."""
    statement = (
        select(_runs.c.id, _runs.c.job, _runs.c.host)
        .where(_runs.c.status == RunStatus.CRASHED, _runs.c.finished_at > since)
        .order_by(_runs.c.id.desc())
    )
    return [CrashedRun(*row) for row in session.execute(statement)]


def read_supply_rate(session: Session, since: datetime) -> SupplyRate:
    """How the supply service answered after a moment; a request that is still open with an error counts as failed."""
    finished = _requests.c.finished_at > since
    answered = select(func.count()).where(in_state(_requests, RequestState.ANSWERED), finished)
    ended_badly = or_(in_state(_requests, RequestState.REFUSED), in_state(_requests, RequestState.IN_DOUBT)) & finished
    left_open = in_state(_requests, RequestState.OPEN) & _requests.c.error.is_not(None)
    return SupplyRate(
        session.scalars(answered.select_from(_requests)).one(),
        session.scalars(select(func.count()).select_from(_requests).where(ended_badly)).one()
        + session.scalars(select(func.count()).select_from(_requests).where(left_open)).one(),
    )


def _by_campaign(rows: Any, *figures: Any) -> Select[Any]:
    c = _campaigns.c
    statement = select(c.id, c.user_id, c.name, *figures).join_from(rows, _campaigns, c.id == rows.c.campaign_id)
    return statement.group_by(c.id, c.user_id, c.name)


def _sum(condition: ColumnElement[bool]) -> Any:
    return func.sum(case((condition, 1), else_=0))
