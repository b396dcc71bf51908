"""What supply requests look like."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from kylink_cli.console import Console
from kylink_cli.console.output import iso
from kylink_cli.console.tables import Column, ago
from kylink_cli.language import tr
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


def show_request(console: Console, request: SupplyRequest) -> None:
    """Show one request, a fact a line."""
    for name, value in (document(request) | {"body": request.body}).items():
        if value is not None:
            console.say(f"{name}: {one_line(str(value))}")


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
