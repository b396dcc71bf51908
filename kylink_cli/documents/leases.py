"""Leases, and what became of them, for programs."""

from datetime import datetime
from typing import NotRequired

from typing_extensions import TypedDict

from kylink_cli.leasing import LeaseResult, Taken
from kylink_cli.rules.leases import TokenState


class LeaseDocument(TypedDict):
    """A lease, for its holder."""

    token: str
    campaign_id: str
    item_id: int
    value: str
    leased_at: datetime
    expires_at: datetime
    state: str
    reused: bool


class LeaseResultDocument(TypedDict):
    """What an act on a lease has come to."""

    token: str
    ok: bool
    state: TokenState
    message: str
    expires_at: NotRequired[datetime]


def lease_documents(taken: Taken) -> list[LeaseDocument]:
    """The leases that a consumer got."""
    return [
        {
            "token": lease.token,
            "campaign_id": lease.campaign_id,
            "item_id": lease.item_id,
            "value": lease.value,
            "leased_at": lease.leased_at,
            "expires_at": lease.expires_at,
            "state": lease.state,
            "reused": taken.reused,
        }
        for lease in taken.leases
    ]


def result_document(result: LeaseResult) -> LeaseResultDocument:
    """The answer for one token."""
    document: LeaseResultDocument = {
        "token": result.token,
        "ok": result.ok,
        "state": result.state,
        "message": result.message,
    }
    if result.expires_at is not None:
        document["expires_at"] = result.expires_at
    return document
