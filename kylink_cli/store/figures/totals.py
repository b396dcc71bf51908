"""What has happened in all, for counters that only grow: what was deleted since counts on.

The tables tell of what they still hold. Before anything is deleted, what happened up to a moment is added to sums that
stay (`fold`); a total is the sum, and what has happened since that moment. What happens costs nothing, and a look reads
a day of the tables at most. A campaign that is removed takes its share of that day along: it is added first (`keep`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, literal_column, select
from sqlalchemy.orm import Session

from kylink_cli.rules.figures import Total, Totals
from kylink_cli.rules.histograms import CALL_BOUNDS, RUN_BOUNDS, Histogram
from kylink_cli.rules.vocabulary import ItemState, RequestState, RunStatus
from kylink_cli.store.engine.database import is_among, lock_table, upsert
from kylink_cli.store.engine.hours import counted, histogram, seconds_between
from kylink_cli.store.tables import (
    MetricMark,
    MetricSum,
    NoStockEvent,
    Run,
    StockItem,
    SupplyRequest,
    in_state,
    table,
)

_sums = table(MetricSum)
_marks = table(MetricMark)
_runs = table(Run)
_requests = table(SupplyRequest)
_items = table(StockItem)
_events = table(NoStockEvent)

# Shorter than anything is kept, and longer than a transaction takes.
LAG = timedelta(hours=12)
_MARK = 1
_NOTHING = ""


@dataclass(frozen=True, slots=True)
class _Window:
    """From one moment on, up to another; of one campaign, or of all."""

    since: datetime | None  # None: from the beginning
    until: datetime
    campaign_id: str | None = None

    def holds(self, moment: Any) -> ColumnElement[bool]:
        """The condition that something happened in it."""
        condition: ColumnElement[bool] = moment < self.until
        return condition if self.since is None else condition & (moment >= self.since)

    def of(self, rows: Any, moment: Any) -> ColumnElement[bool]:
        """The condition that something of its campaign happened in it."""
        condition = self.holds(moment)
        return condition if self.campaign_id is None else condition & (rows.c.campaign_id == self.campaign_id)


def read_totals(session: Session, now: datetime) -> Totals:
    """What has happened in all, until now."""
    totals = _read_sums(session)
    for key, total in _happened(session, _Window(_mark(session), now)):
        totals[key] = totals[key] + total if key in totals else total
    return totals


def fold(session: Session, before: datetime, limit: int) -> int:  # noqa: ARG001  (called like what deletes)
    """Add what happened up to the hour of a moment to the sums that stay.

    Returns:
        0: nothing is deleted by this.
    """
    lock_table(session, _sums)
    mark, until = _mark(session), before.replace(minute=0, second=0, microsecond=0)
    if mark is not None and until <= mark:
        return 0
    _add(session, dict(_happened(session, _Window(mark, until))))
    write = upsert(session, _marks).values(id=_MARK, counted_until=until)
    session.execute(write.on_conflict_do_update(index_elements=["id"], set_={"counted_until": until}))
    return 0


def keep(session: Session, campaign_id: str, now: datetime) -> None:
    """Add what has happened with a campaign since to the sums that stay; it is about to be removed."""
    lock_table(session, _sums)
    _add(session, dict(_happened(session, _Window(_mark(session), now, campaign_id))))


def keep_crash(session: Session, job: str, found_at: datetime) -> None:
    """Add a run to the sums that had been taken for dead, and has ended after all: it counts as both."""
    lock_table(session, _sums)
    mark = _mark(session)
    if mark is None or found_at >= mark:
        _add(session, {("runs", job, str(RunStatus.CRASHED)): Total(1)})


def keep_ends(session: Session, request_ids: Sequence[int]) -> None:
    """Add the ends of supply requests to the sums that are about to end otherwise: each counts as both."""
    lock_table(session, _sums)
    c, mark = _requests.c, _mark(session)
    counts = c.finished_at.is_not(None) if mark is None else c.finished_at >= mark
    _add(session, dict(_request_totals(session, counts & is_among(session, c.id, request_ids))))


def keep_doubt(session: Session) -> None:
    """Add a supply request to the sums that an operator is about to settle, before any run has called it in doubt."""
    lock_table(session, _sums)
    _add(session, {("supply_requests", _NOTHING, str(RequestState.IN_DOUBT)): Total(1)})


def _mark(session: Session) -> datetime | None:
    return session.scalars(select(_marks.c.counted_until).where(_marks.c.id == _MARK)).one_or_none()


def _read_sums(session: Session) -> dict[tuple[str, str, str], Total]:
    c = _sums.c
    rows = session.execute(select(c.what, c.subject, c.how, c.number, c.seconds, c.within))
    return {(row[0], row[1], row[2]): Total(row[3], row[4], tuple(row[5])) for row in rows}


def _add(session: Session, more: Mapping[tuple[str, str, str], Total]) -> None:
    before = _read_sums(session)
    rows = []
    for key, total in more.items():
        if not total.number:
            continue
        new = before[key] + total if key in before else total
        what, subject, how = key
        rows.append(
            {
                "what": what,
                "subject": subject,
                "how": how,
                "number": new.number,
                "seconds": new.seconds,
                "within": list(new.within),
            }
        )
    if rows:
        write = upsert(session, _sums)
        changed = {name: write.excluded[name] for name in ("number", "seconds", "within")}
        session.connection().execute(
            write.on_conflict_do_update(index_elements=["what", "subject", "how"], set_=changed), rows
        )


def _happened(session: Session, window: _Window) -> Iterator[tuple[tuple[str, str, str], Total]]:
    if window.campaign_id is None:
        yield from _run_totals(session, window)
    yield from _request_totals(session, window.of(_requests, _requests.c.finished_at))
    c = _items.c
    consumed = in_state(_items, ItemState.CONSUMED) & window.of(_items, c.consumed_at)
    yield ("items_consumed", _NOTHING, _NOTHING), _count(session, _items, consumed)
    # A literal list, since SQLite uses a partial index for no parameter.
    was_available: ColumnElement[bool] = literal_column("state IN ('available', 'expired')")
    expired = was_available & window.of(_items, c.expires_at)
    yield ("items_expired", _NOTHING, _NOTHING), _count(session, _items, expired)
    refused = window.of(_events, _events.c.happened_at)
    yield ("refusals", _NOTHING, _NOTHING), _count(session, _events, refused)


def _run_totals(session: Session, window: _Window) -> Iterator[tuple[tuple[str, str, str], Total]]:
    c = _runs.c
    statement = (
        select(c.job, c.status, func.count(), *counted(c.duration_ms / 1000.0, RUN_BOUNDS))
        .where(c.status != RunStatus.RUNNING, window.holds(c.finished_at))
        .group_by(c.job, c.status)
    )
    for job, status, number, *columns in session.execute(statement):
        yield ("runs", job, status), Total(number)
        yield ("run_seconds", job, status), _of_histogram(histogram(columns, RUN_BOUNDS))


def _request_totals(session: Session, condition: ColumnElement[bool]) -> Iterator[tuple[tuple[str, str, str], Total]]:
    c = _requests.c
    # What an operator settled has been counted as what it was before: that was the end that the service gave it.
    statement = (
        select(c.state, func.count(), *counted(seconds_between(c.created_at, c.finished_at), CALL_BOUNDS))
        .where(condition, c.settled_by.is_(None))
        .group_by(c.state)
    )
    for how, number, *columns in session.execute(statement):
        yield ("supply_requests", _NOTHING, how), Total(number)
        if how == RequestState.ANSWERED:
            yield ("answer_seconds", _NOTHING, _NOTHING), _of_histogram(histogram(columns, CALL_BOUNDS))


def _of_histogram(lengths: Histogram) -> Total:
    return Total(lengths.number, lengths.seconds, lengths.within)


def _count(session: Session, rows: Any, condition: ColumnElement[bool]) -> Total:
    return Total(session.scalars(select(func.count()).select_from(rows).where(condition)).one())
