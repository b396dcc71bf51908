"""Running the face: uvicorn around the application, from the first socket to the last answer."""

import logging
import socket
from collections.abc import Sequence
from typing import Final

import uvicorn

from kylink_cli.language import tr
from kylink_cli.serving.app import build_app
from kylink_cli.serving.backend import Backend, Parts, Tell
from kylink_cli.serving.connections import bounds
from kylink_cli.serving.listening import Listener, shown

# For requests that are at work when it is to end; a proxy waits as long for the next request on a connection.
_DRAIN_SECONDS: Final = 20
_KEEP_ALIVE_SECONDS: Final = 75
# Pages hold no script and no style but those of files of their own, and stand in no frame.
_POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS: Final = [
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", _POLICY),
    ("Referrer-Policy", "no-referrer"),
]


class _Server(uvicorn.Server):
    """Lets those go who wait, before it waits for requests to end."""

    def __init__(self, config: uvicorn.Config, backend: Backend) -> None:
        super().__init__(config)
        self._backend = backend

    async def on_tick(self, counter: int) -> bool:
        """Look ten times a second whether it is to end."""
        return await super().on_tick(counter) or self._backend.failure is not None

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no new requests, and answer those that are at work."""
        self._backend.waiting_room.close()
        await super().shutdown(sockets)


def serve(parts: Parts, address: Listener, sockets: Sequence[socket.socket]) -> None:
    """Serve until a signal says otherwise; what is at work then is answered.

    Args:
        address: whose certificate is used, if it names one.
        sockets: where to listen.

    Raises:
        DatabaseReplacedError: another database took the place of the one that was served.
    """
    backend = Backend(parts, is_secure=address.behind_proxy or address.certificate is not None)
    _quote_logs(parts.tell)
    config = uvicorn.Config(
        build_app(backend),
        access_log=False,
        log_config=None,
        ws="none",
        lifespan="on",
        proxy_headers=False,
        server_header=False,
        headers=_HEADERS,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_DRAIN_SECONDS,
        ssl_certfile=address.certificate,
        ssl_keyfile=address.certificate_key,
        **bounds(),
    )
    for one in sockets:
        parts.tell(logging.INFO, tr("listening on {address}", address=shown(one, tls=config.is_ssl)))
    _Server(config, backend).run(list(sockets))
    if backend.failure is not None:
        raise backend.failure


class _Quoted(logging.Handler):
    def __init__(self, tell: Tell) -> None:
        super().__init__()
        self._tell = tell

    def emit(self, record: logging.LogRecord) -> None:
        # What strangers send is no news; what is of interest says kylink itself.
        level = record.levelno if record.levelno >= logging.ERROR else logging.DEBUG
        self._tell(level, record.getMessage())


def _quote_logs(tell: Tell) -> None:
    """Let uvicorn speak through kylink's own log."""
    for name in ("uvicorn", "uvicorn.error", "asyncio"):
        logger = logging.getLogger(name)
        logger.propagate = False
        logger.handlers = [_Quoted(tell)]
        logger.setLevel(logging.INFO)
