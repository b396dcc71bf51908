"""What leases, and what became of them, look like."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from kylink_cli.console import Console
from kylink_cli.console.tables import Column, ago, span
from kylink_cli.documents.leases import lease_documents, result_document
from kylink_cli.errors import NotFoundError, PartlyDoneError
from kylink_cli.language import tr
from kylink_cli.leasing import LeaseResult, Taken
from kylink_cli.rules.leases import UNKNOWN, is_overdue
from kylink_cli.rules.moments import local
from kylink_cli.rules.text import one_line

if TYPE_CHECKING:
    from kylink_cli.store.lease_list import ListedLease

PARTLY = PartlyDoneError.exit_code

_TAKEN_COLUMNS = [Column("TOKEN"), Column("ITEM", "right"), Column("UNTIL", spare=1), Column("VALUE")]
_RESULT_COLUMNS = [Column("TOKEN"), Column("STATE", words=True), Column("ANSWER", wraps=True)]
_COLUMNS = [
    Column("CAMPAIGN"),
    Column("ITEM", "right"),
    Column("HOLDER", flexible=True, spare=2),
    Column("STATE", words=True),
    Column("TAKEN", spare=1),
    Column("ENDS"),
    Column("ERROR", flexible=True, spare=3),
]


def show_taken(console: Console, taken: Taken, wanted: int) -> None:
    """Show the leases that a consumer got."""
    if console.json:
        console.document({"leases": lease_documents(taken)})
        return
    rows: list[list[Any]] = [
        [lease.token, lease.item_id, local(lease.expires_at), lease.value] for lease in taken.leases
    ]
    console.table(_TAKEN_COLUMNS, rows)
    if taken.reused and len(taken.leases) != wanted:
        console.warning(
            tr(
                "an earlier call with the same key took {number}, not {wanted}: these are the ones",
                number=len(taken.leases),
                wanted=wanted,
            )
        )
    elif taken.reused:
        console.info(tr("these were taken by an earlier call with the same key"))
    elif len(taken.leases) < wanted:
        console.warning(tr("only {number} of {wanted} items were in stock", number=len(taken.leases), wanted=wanted))


def show_results(console: Console, results: Sequence[LeaseResult]) -> int:
    """Show what an act on leases has come to.

    Returns:
        The exit code: 0 if all are as was asked for, 10 if some are, 11 if every token is unknown, else 1.
    """
    if console.json:
        console.document({"results": [result_document(result) for result in results]})
    else:
        console.table(_RESULT_COLUMNS, [[_token(r), r.state, _answer(r)] for r in results])
    if all(result.ok for result in results):
        return 0
    if any(result.ok for result in results):
        return PARTLY
    return NotFoundError.exit_code if all(result.state == UNKNOWN for result in results) else 1


def show_list(console: Console, leases: Sequence["ListedLease"], now: datetime) -> None:
    """Show leases, one a row."""
    if console.json:
        found = [asdict(lease) | {"overdue": _is_overdue(lease, now)} for lease in leases]
        console.document({"leases": found})
    elif not leases:
        console.say(tr("no leases"))
    else:
        console.table(_COLUMNS, [_row(lease, now) for lease in leases])


def _token(result: LeaseResult) -> str:
    return one_line(result.token, 64)


def _answer(result: LeaseResult) -> str:
    if result.expires_at is None:
        return result.message
    return tr("{message} until {moment}", message=result.message, moment=local(result.expires_at))


def _row(lease: "ListedLease", now: datetime) -> list[Any]:
    is_late = _is_overdue(lease, now)
    return [
        lease.campaign_id,
        lease.item_id,
        lease.holder,
        "overdue" if is_late else lease.state,
        ago(lease.leased_at, now),
        _ending(lease, now),
        lease.error,
    ]


def _ending(lease: "ListedLease", now: datetime) -> str:
    if lease.closed_at is not None:
        return tr("ended {ago}", ago=ago(lease.closed_at, now))
    return ago(lease.expires_at, now) if lease.expires_at <= now else tr("in {span}", span=span(lease.expires_at - now))


def _is_overdue(lease: "ListedLease", now: datetime) -> bool:
    return is_overdue(lease.state, lease.expires_at, now)
