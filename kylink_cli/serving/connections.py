"""Connections: so many and no more, and none that takes its time with the head of a request."""

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.h11_impl import H11Protocol

LIMIT: Final = 1_000
HEAD_PATIENCE_SECONDS: Final = 10.0
READ_PATIENCE_SECONDS: Final = 30.0
# Of the head of a request, bytes.
HEAD_LIMIT: Final = 16 * 1024


class BoundedConnection(H11Protocol):
    """A connection that is cut off when a request's head does not arrive in time, or when there are too many."""

    _patience: asyncio.TimerHandle | None = None
    _reader: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request."""
        super().connection_made(transport)
        if len(self.connections) > LIMIT:
            transport.abort()
            return
        self._wait_for_head()

    def data_received(self, data: bytes) -> None:
        """Go on waiting unless the head is there; a few bytes now and then are no reason to wait longer."""
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop_waiting()
        elif self._patience is None:
            self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody is waited for any more."""
        self._stop_waiting()
        self._forget_reader()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """The client does not read its answer; for a while that is waited for."""
        super().pause_writing()
        self._reader = self.loop.call_later(READ_PATIENCE_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """It reads on."""
        self._forget_reader()
        super().resume_writing()

    def _forget_reader(self) -> None:
        if self._reader is not None:
            self._reader.cancel()
            self._reader = None

    def _wait_for_head(self) -> None:
        self._patience = self.loop.call_later(HEAD_PATIENCE_SECONDS, self.transport.abort)

    def _stop_waiting(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None


def bounds() -> dict[str, Any]:
    """What uvicorn itself is to bound."""
    return {"http": BoundedConnection, "h11_max_incomplete_event_size": HEAD_LIMIT}
