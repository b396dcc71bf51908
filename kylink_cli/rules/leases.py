"""What a consumer is told when he confirms, releases or extends a lease; which state an item goes to after one.

A lease is `active` until it is confirmed, released or expired; from then on its token is dead: it changes nothing.
The same act twice is no error, since a consumer who got no answer has to ask again.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Act = Literal["confirm", "release", "extend"]
LeaseState = Literal["active", "confirmed", "released", "expired"]
TokenState = Literal["active", "confirmed", "released", "expired", "unknown"]

UNKNOWN: TokenState = "unknown"
TTL_LIMIT_MINUTES = 7 * 24 * 60
COUNT_LIMIT = 1_000
TOKENS_LIMIT = 10_000
TEXT_LIMIT = 200

# No token may look like an option of a command line, as base 64 with its dashes may.
_PREFIX = "kl_"
_RANDOM_BYTES = 24


@dataclass(frozen=True, slots=True)
class Answer:
    """What an act on a lease has come to.

    Attributes:
        ok: whether what was asked for is so.
        state: the lease's state after it.
        message: the answer in a few words.
    """

    ok: bool
    state: TokenState
    message: str


_DONE: dict[Act, Answer] = {
    "confirm": Answer(ok=True, state="confirmed", message="confirmed: the item is consumed"),
    "release": Answer(ok=True, state="released", message="released"),
    "extend": Answer(ok=True, state="active", message="extended"),
}
_CLOSED: dict[TokenState, str] = {
    "confirmed": "it was confirmed, its item is consumed",
    "released": "it was released",
    "expired": "it expired and was recovered, others may have its item",
    "unknown": "no lease has this token",
}
_REPEATED: dict[tuple[Act, TokenState], str] = {
    ("confirm", "confirmed"): "was confirmed already, nothing was changed",
    ("release", "released"): "was released already, nothing was changed",
}


def answer(act: Act, found: TokenState) -> Answer:
    """What a consumer is told.

    Args:
        act: what he asked for.
        found: the state in which the act found the lease; what is active is acted upon, even after its deadline.
    """
    if found == "active":
        return _DONE[act]
    repeated = _REPEATED.get((act, found))
    if repeated is not None:
        return Answer(ok=True, state=found, message=repeated)
    return Answer(ok=False, state=found, message=f"can't {act}: {_CLOSED[found]}")


def is_overdue(state: str, expires_at: datetime, now: datetime) -> bool:
    """Whether a lease has outlived its deadline and waits for recovery."""
    return state == "active" and expires_at <= now


def is_live(state: str) -> bool:
    """Whether a lease's item is its holder's: held, or consumed by him."""
    return state in {"active", "confirmed"}


def new_token() -> str:
    """A token that nobody can guess."""
    return _PREFIX + secrets.token_urlsafe(_RANDOM_BYTES)
