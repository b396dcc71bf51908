"""Who has logged in at the pages: sessions in the memory of the server, which logs people out when it ends."""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from kylink_cli.serving.keyring import Grant
from kylink_cli.store.engine.clock import uptime

LIFE_SECONDS: Final = 8 * 60 * 60
_LIMIT: Final = 1_000
_RANDOM_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class BrowserSession:
    """Somebody who has shown a key.

    Attributes:
        grant: the key, of which a session knows the hash alone.
        token: what the forms of this session's pages send along, and nobody else's can.
        until: when it ends, uptime in seconds.
    """

    grant: Grant
    token: str
    until: float

    def owns(self, token: str) -> bool:
        """Whether a form is of a page of this session."""
        return hmac.compare_digest(token.encode(), self.token.encode())


class Sessions:
    """The sessions that last, by the hashes of their ids."""

    def __init__(self, *, is_secure: bool, clock: Callable[[], float] = uptime) -> None:
        """Begin with none.

        Args:
            is_secure: the cookie travels over TLS alone.
            clock: seconds that only go on.
        """
        self.is_secure = is_secure
        # With this prefix, browsers take the cookie from nobody but this very host, over TLS.
        self.cookie = "__Host-kylink" if is_secure else "kylink"
        self._clock = clock
        self._sessions: dict[str, BrowserSession] = {}

    def begin(self, grant: Grant) -> str:
        """A new session; its id, which is in no one's hands yet."""
        now = self._clock()
        self._sessions = {key: one for key, one in self._sessions.items() if one.until > now}
        if len(self._sessions) >= _LIMIT:
            del self._sessions[next(iter(self._sessions))]
        session_id = secrets.token_urlsafe(_RANDOM_BYTES)
        self._sessions[_hash(session_id)] = BrowserSession(
            grant, secrets.token_urlsafe(_RANDOM_BYTES), now + LIFE_SECONDS
        )
        return session_id

    def find(self, session_id: str) -> BrowserSession | None:
        """The session of an id; None if there is none, or it is over."""
        found = self._sessions.get(_hash(session_id))
        return found if found is not None and found.until > self._clock() else None

    def end(self, session_id: str) -> None:
        """End a session, if there is one."""
        self._sessions.pop(_hash(session_id), None)


def _hash(session_id: str) -> str:
    return hashlib.sha256(session_id.encode()).hexdigest()
