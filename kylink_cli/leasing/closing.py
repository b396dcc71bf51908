"""Closing leases, or letting them last longer. An answer is given for each token, in the order of the tokens."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import cast

from kylink_cli.errors import UsageError
from kylink_cli.language import tr
from kylink_cli.leasing.requests import check_ttl
from kylink_cli.rules.leases import TOKENS_LIMIT, UNKNOWN, Act, TokenState, answer
from kylink_cli.rules.text import ERROR_LENGTH, one_line
from kylink_cli.store import leases, owners
from kylink_cli.store.engine.database import Database
from kylink_cli.store.engine.direct import Transaction


@dataclass(frozen=True, slots=True)
class LeaseResult:
    """What an act on one lease has come to."""

    token: str
    ok: bool
    state: TokenState  # after the act; `unknown` if there is no such lease
    message: str
    expires_at: datetime | None = None  # if the act was about the deadline


def confirm(
    database: Database, tokens: Iterable[str], now: datetime, *, user_id: str | None = None
) -> list[LeaseResult]:
    """Say that the items of leases were used; they are consumed for good.

    Args:
        user_id: only of this user's campaigns, as if there were no others; None for everybody's.

    Raises:
        UsageError: there are more than 10,000 tokens.
        DatabaseError: the database failed; nothing was confirmed.
    """
    wanted = _distinct(tokens)

    def act(transaction: Transaction) -> list[LeaseResult]:
        own = _own(transaction, wanted, user_id)
        done = leases.confirm(transaction, own, now) if own else set()
        return _results(transaction, "confirm", wanted, done, own)

    return database.commit_direct(act)


def release(  # noqa: PLR0913  (all that a consumer may say, by name)
    database: Database,
    tokens: Iterable[str],
    now: datetime,
    *,
    error: str | None = None,
    discard: bool = False,
    user_id: str | None = None,
) -> list[LeaseResult]:
    """Give the items of leases back to the stock.

    Args:
        error: why the items could not be used; None if nothing was wrong.
        discard: whether nobody is to get the items any more.
        user_id: as for `confirm`.

    Raises:
        UsageError: there are more than 10,000 tokens.
        DatabaseError: the database failed; nothing was released.
    """
    wanted = _distinct(tokens)
    reason = None if error is None else one_line(error, ERROR_LENGTH)

    def act(transaction: Transaction) -> list[LeaseResult]:
        own = _own(transaction, wanted, user_id)
        done = leases.release(transaction, own, now, error=reason, discard=discard) if own else set()
        return _results(transaction, "release", wanted, done, own)

    return database.commit_direct(act)


def extend(
    database: Database, tokens: Iterable[str], ttl_minutes: int, now: datetime, *, user_id: str | None = None
) -> list[LeaseResult]:
    """Let leases end so many minutes from now; a deadline that is later already stays.

    Args:
        user_id: as for `confirm`.

    Raises:
        UsageError: the time is out of bounds, or there are more than 10,000 tokens.
        DatabaseError: the database failed; nothing was extended.
    """
    check_ttl(ttl_minutes)
    wanted = _distinct(tokens)

    def act(transaction: Transaction) -> list[LeaseResult]:
        own = _own(transaction, wanted, user_id)
        deadlines = leases.extend(transaction, own, now + timedelta(minutes=ttl_minutes)) if own else {}
        results = _results(transaction, "extend", wanted, deadlines, own)
        return [replace(result, expires_at=deadlines.get(result.token)) for result in results]

    return database.commit_direct(act)


def _distinct(tokens: Iterable[str]) -> list[str]:
    distinct = list(dict.fromkeys(tokens))
    if len(distinct) > TOKENS_LIMIT:
        raise UsageError(
            tr(
                "{number} tokens are too many at once: at most {limit} are allowed",
                number=len(distinct),
                limit=TOKENS_LIMIT,
            )
        )
    return distinct


def _own(transaction: Transaction, tokens: Sequence[str], user_id: str | None) -> Sequence[str]:
    """Those of the tokens that a user may touch."""
    if user_id is None or not tokens:
        return tokens
    own = owners.leases_of(transaction, user_id, tokens)
    return [token for token in tokens if token in own]


def _results(
    transaction: Transaction, act: Act, tokens: Sequence[str], done: Collection[str], own: Sequence[str]
) -> list[LeaseResult]:
    """The answer for each token: those that are not done were found in another state than active, or not at all.

    Args:
        own: those that may be touched; the others are unknown.
    """
    missed = [token for token in own if token not in done]
    found = leases.states(transaction, missed) if missed else {}
    results = []
    for token in tokens:
        state = "active" if token in done else found.get(token, UNKNOWN)
        given = answer(act, cast("TokenState", state))
        results.append(LeaseResult(token, given.ok, given.state, given.message))
    return results
