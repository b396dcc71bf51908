"""The keys that callers show, looked up; when they were last used is written down now and then."""

import asyncio
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from kylink_cli.rules.keys import read_key
from kylink_cli.rules.vocabulary import Ability
from kylink_cli.serving.workers import Workers
from kylink_cli.store import http_keys
from kylink_cli.store.engine.clock import uptime
from kylink_cli.store.tables import HttpKey

# So long a key that was revoked may still be used, seconds.
TRUST_SECONDS: Final = 1.0
# Before a key's name, where the audit trail says who acts.
KEY_PREFIX: Final = "key "
# So many are remembered at once.
_LIMIT: Final = 10_000
_NOTE_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, by the key that was shown."""

    name: str
    public_id: str
    user_id: str | None  # whose campaigns it is about; None for everybody's
    abilities: frozenset[Ability]

    @property
    def who(self) -> str:
        """Who acts, as the audit trail names it."""
        return f"{KEY_PREFIX}{self.name}"


@dataclass(frozen=True, slots=True)
class Grant:
    """That a key was shown once: it holds as long as the key is neither revoked nor rotated."""

    public_id: str
    secret_hash: str


@dataclass(frozen=True, slots=True)
class _Known:
    secret_hash: str
    caller: Caller
    until: float  # uptime, seconds


class Keyring:
    """The keys of the database, remembered for a moment."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers
        self._known: dict[str, _Known] = {}
        self._used: dict[str, datetime] = {}
        self._noted_at = uptime()
        # Strangers who try keys out keep one reader busy, and no more.
        self._door = asyncio.Lock()

    async def caller(self, shown: str) -> Caller | None:
        """Whose key this is; None if it is none.

        Raises:
            DatabaseError: it can't be looked up.
        """
        given = read_key(shown)
        if given is None:
            return None
        return await self.holder(Grant(given.public_id, given.secret_hash))

    async def holder(self, grant: Grant) -> Caller | None:
        """Whose key this was; None if it is no more.

        Raises:
            DatabaseError: it can't be looked up.
        """
        known = self._known.get(grant.public_id)
        if known is None or known.until < uptime():
            async with self._door:
                known = await self._look_up(grant.public_id)
        # How long that takes does not tell how much of it is right.
        if known is None or not hmac.compare_digest(grant.secret_hash, known.secret_hash):
            return None
        self._used[grant.public_id] = self._workers.database.now()
        return known.caller

    def is_note_due(self) -> bool:
        """Whether it is time to write down who was here."""
        return bool(self._used) and uptime() - self._noted_at >= _NOTE_SECONDS

    async def note_use(self) -> None:
        """Write down when keys were last used.

        Raises:
            DatabaseError: that failed; the next time it is tried again.
        """
        used, self._noted_at = dict(self._used), uptime()
        if not used:
            return
        await self._workers.write(lambda: self._note(used))
        self._used = {key: moment for key, moment in self._used.items() if used.get(key) != moment}

    def _note(self, used: Mapping[str, datetime]) -> None:
        self._workers.database.commit(lambda session: http_keys.note_use(session, used))

    async def _look_up(self, public_id: str) -> _Known | None:
        found = await self._workers.read(lambda session: http_keys.find(session, public_id))
        self._known.pop(public_id, None)
        if found is None:
            return None
        if len(self._known) >= _LIMIT:
            self._known.clear()
        known = _Known(found.secret_hash, _caller(found), uptime() + TRUST_SECONDS)
        self._known[public_id] = known
        return known


def _caller(key: HttpKey) -> Caller:
    abilities = frozenset(Ability(word) for word in key.abilities.split(","))
    return Caller(key.name, key.public_id, key.user_id, abilities)
