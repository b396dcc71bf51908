"""What consumers ask for: written by the transaction that takes or refuses, folded into hours by the jobs.

A minute of a campaign is a row until its hour is over; then it becomes part of the campaign's packed hours. What comes
back unused is subtracted from the minute of its taking, in a row below nothing if that is folded already. A fold
deletes the rows that it adds, in one transaction: no crash counts anything twice, and none loses anything.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, case, delete, select
from sqlalchemy.orm import Session

from kylink_cli.rules.demand import KEPT_HOURS, MINUTES_AN_HOUR, Asked, DemandHistory, add_minutes
from kylink_cli.store.demand_hours import RecordedHours, pack, unpack
from kylink_cli.store.engine.database import lock_table, upsert
from kylink_cli.store.engine.direct import Direct, Flavour, Transaction
from kylink_cli.store.tables import DemandHours, DemandMinute, table

_minutes = table(DemandMinute)
_hours = table(DemandHours)


class Minute(NamedTuple):
    """A minute of a campaign, counted from 1970."""

    campaign_id: str
    minute: int


def minute_at(moment: datetime) -> int:
    """The minute of a moment."""
    return int(moment.timestamp() // 60)


def record_taken(transaction: Transaction, items: Mapping[Minute, int]) -> None:
    """Add what consumers took, or subtract what came back of it; nothing may follow in the transaction.

    Rows are locked in one order, and last, so that two transactions never wait for each other.

    Args:
        transaction: a writing one.
        items: how many, by campaign and minute of the taking; below 0 what came back.
    """
    rows: list[dict[str, int | str]] = [
        {"campaign_id": key.campaign_id, "minute": key.minute, "taken": number}
        for key, number in sorted(items.items())
        if number
    ]
    _ADD_TAKEN.each(transaction, rows, asker="", refused=0)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Items that a consumer asked for and did not get.

    Attributes:
        campaign_id: of which campaign.
        items: how many.
        asker: the holder or key that was given; all who give none are one.
    """

    campaign_id: str
    items: int
    asker: str = ""


def fold(session: Session, before: datetime, limit: int) -> int:
    """Fold minutes into their campaigns' hours, of hours that had been over for an hour at a moment.

    Args:
        session: a writing transaction.
        before: the moment.

    Returns:
        How many campaigns had any.
    """
    lock_table(session, _hours)
    is_over = _minutes.c.minute < _first_kept(before)
    picked = select(_minutes.c.campaign_id).where(is_over).distinct().order_by(_minutes.c.campaign_id).limit(limit)
    campaigns = session.scalars(picked).all()
    if not campaigns:
        return 0
    removed = (
        delete(_minutes)
        .where(is_over, _minutes.c.campaign_id.in_(campaigns))
        .returning(_minutes.c.campaign_id, _minutes.c.minute, _minutes.c.taken, _minutes.c.refused)
    )
    minutes = _grouped(session.execute(removed).all())
    hours = _read_hours(session, campaigns)
    _write_hours(session, {key: add_minutes(hours.get(key, {}), minutes[key]) for key in minutes})
    return len(campaigns)


def read_histories(
    session: Session, now: datetime, campaign_ids: Collection[str] | Select[Any] | None = None
) -> dict[str, DemandHistory]:
    """What was asked of campaigns, until now; one of which nothing was asked in four weeks is missing.

    Args:
        session: a transaction.
        now: the moment.
        campaign_ids: of these campaigns, or of those that a statement selects; None for all.
    """
    return {key: _history(hours, minutes, now) for key, hours, minutes in _recorded(session, now, campaign_ids)}


def read_lossy_histories(session: Session, now: datetime) -> dict[str, DemandHistory]:
    """What was asked of the campaigns that refused consumers something in the last four weeks."""
    found = _recorded(session, now, None)
    return {key: _history(hours, minutes, now) for key, hours, minutes in found if hours.has_refused()}


def _recorded(
    session: Session, now: datetime, campaign_ids: Collection[str] | Select[Any] | None
) -> Iterator[tuple[str, RecordedHours, Sequence[tuple[int, int, int]]]]:
    """The hours of campaigns, with the minutes that are among them."""
    first_kept = minute_at(now) // MINUTES_AN_HOUR - KEPT_HOURS + 1
    c, h = _minutes.c, _hours.c
    rows = session.execute(_of(select(c.campaign_id, c.minute, c.taken, c.refused), c.campaign_id, campaign_ids))
    minutes = _grouped(rows.all())
    for key, last_hour, packed in session.execute(
        _of(select(h.campaign_id, h.last_hour, h.packed), h.campaign_id, campaign_ids)
    ):
        lately = minutes.pop(key, ())
        yield key, RecordedHours(first_kept, last_hour, packed, lately), lately
    for key, lately in minutes.items():
        yield key, RecordedHours(first_kept, 0, b"", lately), lately


def _history(hours: RecordedHours, minutes: Sequence[tuple[int, int, int]], now: datetime) -> DemandHistory:
    until = minute_at(now)

    def asked_within(length: int) -> int:
        return max(0, sum(taken + refused for minute, taken, refused in minutes if minute > until - length))

    return DemandHistory(hours, asked_within(10), asked_within(MINUTES_AN_HOUR))


def _of(statement: Select[Any], column: Any, campaign_ids: Collection[str] | Select[Any] | None) -> Select[Any]:
    return statement if campaign_ids is None else statement.where(column.in_(campaign_ids))


def _grouped(rows: Sequence[tuple[str, int, int, int]]) -> dict[str, list[tuple[int, int, int]]]:
    """Minutes by campaign."""
    minutes: dict[str, list[tuple[int, int, int]]] = defaultdict(list)
    for campaign_id, *minute in rows:
        minutes[campaign_id].append((minute[0], minute[1], minute[2]))
    return minutes


def _read_hours(session: Session, campaign_ids: Collection[str] | None) -> dict[str, dict[int, Asked]]:
    c = _hours.c
    rows = session.execute(_of(select(c.campaign_id, c.last_hour, c.packed), c.campaign_id, campaign_ids))
    return {row.campaign_id: unpack(row.last_hour, row.packed) for row in rows}


def _write_hours(session: Session, hours: Mapping[str, Mapping[int, Asked]]) -> None:
    packed = {campaign_id: pack(of_campaign) for campaign_id, of_campaign in hours.items()}
    rows = [{"campaign_id": key, "last_hour": last, "packed": value} for key, (last, value) in packed.items()]
    write = upsert(session, _hours)
    values = {"last_hour": write.excluded.last_hour, "packed": write.excluded.packed}
    session.connection().execute(write.on_conflict_do_update(index_elements=["campaign_id"], set_=values), rows)


def delete_hours(session: Session, before: datetime, limit: int) -> int:
    """Delete the hours of campaigns that nobody has asked anything of since a moment.

    Returns:
        How many campaigns had any.
    """
    old = select(_hours.c.campaign_id).where(_hours.c.last_hour < minute_at(before) // MINUTES_AN_HOUR).limit(limit)
    return session.connection().execute(delete(_hours).where(_hours.c.campaign_id.in_(old))).rowcount


def _first_kept(now: datetime) -> int:
    """The first minute that stays a row: an hour is looked at by the minute until it ended an hour ago."""
    return (minute_at(now) // MINUTES_AN_HOUR - 1) * MINUTES_AN_HOUR


_KEY = ("campaign_id", "minute", "asker")
COLUMNS = (*_KEY, "taken", "refused")


def add_taken(flavour: Flavour, rows: Select[*tuple[Any, ...]] | None = None) -> Any:
    """The statement that adds items taken to a minute.

    Args:
        flavour: of the statement.
        rows: what selects `COLUMNS`; None takes them as parameters.
    """
    add = flavour.insert(_minutes)
    if rows is not None:
        add = add.from_select(COLUMNS, rows)
    return add.on_conflict_do_update(index_elements=_KEY, set_={"taken": _minutes.c.taken + add.excluded.taken})


def add_refused(flavour: Flavour) -> Any:
    """The statement that adds items refused to a minute; of one asker's in a minute the most."""
    add = flavour.insert(_minutes)
    most = case((_minutes.c.refused > add.excluded.refused, _minutes.c.refused), else_=add.excluded.refused)
    return add.on_conflict_do_update(index_elements=_KEY, set_={"refused": most})


_ADD_TAKEN = Direct(add_taken, COLUMNS)
