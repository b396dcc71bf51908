"""What supply requests look like."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from kylink_cli.console import Console
from kylink_cli.console.campaign_words import when
from kylink_cli.console.output import iso
from kylink_cli.console.tables import Column, ago
from kylink_cli.console.words import STATES
from kylink_cli.language import ntr, tr
from kylink_cli.rules import counted
from kylink_cli.rules.text import one_line
from kylink_cli.rules.vocabulary import RequestState
from kylink_cli.store.tables import SupplyRequest

_COLUMNS = [
    Column("KEY"),
    Column("CAMPAIGN", spare=1),
    Column("STATE", words=True),
    Column("ITEMS", "right", spare=2),
    Column("ASKED IN VAIN", "right", spare=4),
    Column("ORDERED", spare=3),
    Column("ERROR", flexible=True, spare=5),
]


def document(request: SupplyRequest) -> dict[str, Any]:
    """A request as JSON."""
    return {
        "key": request.key,
        "campaign_id": request.campaign_id,
        "run_id": request.run_id,
        "state": request.state,
        "quantity": request.quantity,
        "produced": request.produced,
        "duplicates": request.duplicates,
        "created_at": iso(request.created_at),
        "finished_at": _iso(request.finished_at),
        "unanswered_runs": request.unanswered_runs,
        "asked_at": _iso(request.asked_at),
        "error": request.error,
        "settled_by": request.settled_by,
    }


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else iso(moment)


def show_requests(console: Console, requests: Sequence[SupplyRequest], now: datetime) -> None:
    """Show requests, one a row."""
    if not requests:
        console.say(tr("no such supply request"))
        return
    console.table(_COLUMNS, [_row(request, now) for request in requests])
    if any(request.state == RequestState.IN_DOUBT for request in requests):
        console.say()
        console.say(
            tr(
                "ask the supply service about those in doubt, then: "
                "kylink supply settle KEY --charged FILE, or --not-charged"
            )
        )


def show_request(console: Console, request: SupplyRequest, now: datetime) -> None:
    """Say all that is known of one request, the most important first."""
    console.prose(_headline(request), style=STATES.get(request.state, ""))
    if request.error is not None:
        console.prose(one_line(request.error), style="red")
    console.say()
    console.prose(" ".join(_history(request, now)))
    console.say(tr("Its key: {key}", key=request.key))
    if request.state == RequestState.IN_DOUBT:
        console.say(tr("Ask the supply service what became of it, then say so with one of these:"))
        console.say(f"  kylink supply settle {request.key} --charged FILE")
        console.say(f"  kylink supply settle {request.key} --not-charged")


def _headline(request: SupplyRequest) -> str:
    """What came of the order, and whether more is to come."""
    order = tr(
        "the order of {items} for campaign {campaign_id}",
        items=counted.items(request.quantity),
        campaign_id=one_line(request.campaign_id),
    )
    words = {
        RequestState.OPEN: tr("Open: {order} has no final answer yet", order=order),
        RequestState.ANSWERED: tr("Answered: {order}", order=order),
        RequestState.REFUSED: tr("Refused: {order}", order=order),
        RequestState.CANCELLED: tr("Cancelled: {order}; nothing comes of it", order=order),
        RequestState.IN_DOUBT: tr("In doubt: {order} may have been charged", order=order),
    }
    return words[RequestState(request.state)]


def _history(request: SupplyRequest, now: datetime) -> Iterator[str]:
    """When it was ordered, what came, and who said how it stands."""
    ordered = when(request.created_at, now)
    if request.run_id is None:
        yield tr("Ordered {when}.", when=ordered)
    else:
        yield tr("Ordered {when} by run {id}.", when=ordered, id=request.run_id)
    if request.produced:
        yield tr("{items} came.", items=counted.items(request.produced))
    elif not request.duplicates:
        yield tr("Nothing came.")
    if request.duplicates:
        yield ntr("{n:,} further item was a duplicate.", "{n:,} further items were duplicates.", request.duplicates)
    if request.unanswered_runs and request.asked_at is not None:
        asked, runs = when(request.asked_at, now), counted.runs(request.unanswered_runs)
        yield tr("{runs} asked for it in vain, the last {when}.", runs=runs, when=asked)
    if request.finished_at is not None:
        ended, operator = when(request.finished_at, now), request.settled_by
        if operator is not None:
            yield tr("Settled by {operator} {when}.", operator=one_line(operator), when=ended)
        elif request.state == RequestState.IN_DOUBT:
            yield tr("It became doubtful {when}.", when=ended)
        else:
            yield tr("Closed {when}.", when=ended)
    yield tr("--json shows what was sent.")


def show_settled(console: Console, request: SupplyRequest) -> None:
    """Say what a request has come to."""
    if request.state == RequestState.CANCELLED:
        console.say(tr("{key} was not charged: nothing comes of it", key=request.key))
        return
    console.say(
        tr(
            "{key} was charged: {produced} put in stock for campaign {campaign_id}, {duplicates} there already",
            key=request.key,
            produced=counted.items(request.produced),
            campaign_id=request.campaign_id,
            duplicates=request.duplicates,
        )
    )


def _row(request: SupplyRequest, now: datetime) -> list[Any]:
    return [
        request.key,
        request.campaign_id,
        request.state,
        f"{request.produced}/{request.quantity}",
        request.unanswered_runs,
        ago(request.created_at, now),
        request.error,
    ]
