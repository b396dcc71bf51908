"""The body of a request: read before anything works with it, up to a size and within a time."""

import asyncio
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kylink_cli.language import tr
from kylink_cli.serving.problems import Problem

LIMIT_BYTES: Final = 1024 * 1024
PATIENCE_SECONDS: Final = 10.0

_CLOSE: Final = {"Connection": "close"}


class _GoneError(Exception):
    """The caller went away before the body was there."""


class BoundedBodies:
    """Hands on a body as a whole, or refuses it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the body, then let the request through.

        Raises:
            Problem: the body is too large, or too slow.
        """
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            body = await _read(Headers(scope=scope), receive)
        except _GoneError:
            return
        await self._app(scope, _as_received(body, receive), send)


async def _read(headers: Headers, receive: Receive) -> bytes:
    if "content-length" in headers and "transfer-encoding" in headers:
        # A proxy before it may believe the other one, and see two requests where this sees one.
        raise Problem(400, "USAGE", tr("Content-Length and Transfer-Encoding contradict each other"), _CLOSE)
    if headers.get("content-length", "0").isdecimal() and int(headers.get("content-length", "0")) > LIMIT_BYTES:
        raise _too_large()
    body = bytearray()
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise _GoneError
                body += message.get("body", b"")
                if len(body) > LIMIT_BYTES:
                    raise _too_large()
                if not message.get("more_body", False):
                    return bytes(body)
    except TimeoutError:
        raise Problem(
            408,
            "TOO_SLOW",
            tr("the body did not arrive within {seconds} seconds", seconds=int(PATIENCE_SECONDS)),
            _CLOSE,
        ) from None


def _too_large() -> Problem:
    return Problem(413, "TOO_LARGE", tr("the body is larger than {limit} bytes", limit=LIMIT_BYTES), _CLOSE)


def _as_received(body: bytes, receive: Receive) -> Receive:
    """A body that is there already; what comes after it is the caller's going away."""
    is_read = False

    async def read() -> Message:
        nonlocal is_read
        if is_read:
            return await receive()
        is_read = True
        return {"type": "http.request", "body": body, "more_body": False}

    return read
