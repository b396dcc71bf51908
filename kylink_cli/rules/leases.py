"""The answer to a consumer that confirms, releases or extends a lease; which state an item goes to after one.

A lease is `active` until it is confirmed, released or expired; from then on its token is dead: it changes nothing.
The same act twice is no error, since a consumer who got no answer has to ask again.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from kylink_cli.language import marked, tr
from kylink_cli.rules.vocabulary import LeaseState

Act = Literal["confirm", "release", "extend"]
TokenState = LeaseState | Literal["unknown"]

UNKNOWN: TokenState = "unknown"
TTL_LIMIT_MINUTES = 7 * 24 * 60
WAIT_LIMIT_SECONDS = 3_600
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


_DONE: dict[Act, tuple[TokenState, str]] = {
    "confirm": (LeaseState.CONFIRMED, marked("confirmed: the item is consumed")),
    "release": (LeaseState.RELEASED, marked("released")),
    "extend": (LeaseState.ACTIVE, marked("extended")),
}
_REFUSED: dict[Act, str] = {
    "confirm": marked("can't confirm: {reason}"),
    "release": marked("can't release: {reason}"),
    "extend": marked("can't extend: {reason}"),
}
_CLOSED: dict[TokenState, str] = {
    LeaseState.CONFIRMED: marked("it was confirmed, its item is consumed"),
    LeaseState.RELEASED: marked("it was released"),
    LeaseState.EXPIRED: marked("it expired and was recovered, others may have its item"),
    "unknown": marked("no lease has this token"),
}
_REPEATED: dict[tuple[Act, TokenState], str] = {
    ("confirm", LeaseState.CONFIRMED): marked("was confirmed already, nothing was changed"),
    ("release", LeaseState.RELEASED): marked("was released already, nothing was changed"),
}


def answer(act: Act, found: TokenState) -> Answer:
    """What a consumer is told.

    Args:
        act: what was asked for.
        found: the state in which the act found the lease; what is active is acted upon, even after its deadline.
    """
    if found == LeaseState.ACTIVE:
        state, message = _DONE[act]
        return Answer(ok=True, state=state, message=tr(message))
    repeated = _REPEATED.get((act, found))
    if repeated is not None:
        return Answer(ok=True, state=found, message=tr(repeated))
    return Answer(ok=False, state=found, message=tr(_REFUSED[act], reason=tr(_CLOSED[found])))


def is_overdue(state: str, expires_at: datetime, now: datetime) -> bool:
    """Whether a lease has outlived its deadline and waits for recovery."""
    return state == LeaseState.ACTIVE and expires_at <= now


def is_live(state: str) -> bool:
    """Whether a lease's item is its holder's: held, or consumed."""
    return state in {LeaseState.ACTIVE, LeaseState.CONFIRMED}


def new_token() -> str:
    """A token that nobody can guess."""
    return _PREFIX + secrets.token_urlsafe(_RANDOM_BYTES)
