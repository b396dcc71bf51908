"""What lies under httpx for supply calls: a transport whose connections are aiohttp's.

With a hundred calls in flight httpx's own transport makes a hundred calls a second, this one thousands. Its errors tell
for sure whether an order was sent: `ConnectError` alone says that it was not. Imported with the first call, since most
runs find nothing to do.
"""

import os
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import aiohttp
import httpx

from kylink_cli.language import tr
from kylink_cli.reasons import reason
from kylink_cli.rules.text import ERROR_LENGTH, one_line

# Shorter than services and balancers keep them: a call on a connection that is just being closed has to be repeated.
IDLE_SECONDS = 2


class Transport(httpx.AsyncBaseTransport):
    """Makes calls, and follows no redirect; connections are shared by calls one after the other."""

    def __init__(self, tls: ssl.SSLContext | None, connect_seconds: float) -> None:
        """Prepare; nothing is connected yet.

        Args:
            tls: whom to trust; None for connections without TLS.
            connect_seconds: the longest that a connection may take.
        """
        self._tls = tls or True
        self._timeout = aiohttp.ClientTimeout(total=None, sock_connect=connect_seconds)
        self._shared = self._session(keepalive_timeout=IDLE_SECONDS)
        self._fresh = self._session(force_close=True)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Make a call; the body of the answer is still to be read.

        A call that fails on a reused connection before its answer begins is made once more, on a fresh one: it came
        just when the server closed the connection.

        Raises:
            httpx.TransportError: `ConnectError` if nothing was sent, another class if it may have been.
        """
        with _in_httpx_words():
            connection = SimpleNamespace(is_reused=False)
            try:
                answer = await self._post(self._shared, request, connection)
            except _CUT:
                if not connection.is_reused:
                    raise
                answer = await self._post(self._fresh, request, connection)
        return httpx.Response(answer.status, headers=answer.raw_headers, stream=_Body(answer), request=request)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._shared.close()
        await self._fresh.close()

    def _session(self, **keeping: Any) -> aiohttp.ClientSession:
        # A call that waits for a connection would lose its time: as many as there are calls in flight.
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=self._tls, **keeping),
            timeout=self._timeout,
            # Calls have nothing to do with each other: what one answer sets is not sent along with the next.
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trace_configs=[_reuse_traced()],
        )

    @staticmethod
    async def _post(
        session: aiohttp.ClientSession, request: httpx.Request, connection: SimpleNamespace
    ) -> aiohttp.ClientResponse:
        return await session.request(
            request.method,
            str(request.url),
            data=request.content,
            headers=request.headers.multi_items(),
            allow_redirects=False,
            trace_request_ctx=connection,
        )


class _Body(httpx.AsyncByteStream):
    """The body of an answer."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _in_httpx_words():
            while not self._answer.content.at_eof():
                yield await self._answer.content.readany()

    async def aclose(self) -> None:
        """Give the connection back if the body was read to its end, else close it."""
        self._answer.release()


def _reuse_traced() -> aiohttp.TraceConfig:
    """Has a call noted that its connection was there before."""

    async def note(_session: object, context: SimpleNamespace, _params: object) -> None:
        context.trace_request_ctx.is_reused = True

    tracing = aiohttp.TraceConfig()
    tracing.on_connection_reuseconn.append(note)
    return tracing


# A connection that was there broke before an answer began; `ClientConnectorError` is one that was never there.
_CUT = (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)
_NEVER_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL)


@contextmanager
def _in_httpx_words() -> Iterator[None]:
    try:
        yield
    except _NEVER_SENT as error:
        raise httpx.ConnectError(why(error)) from None
    except TimeoutError as error:
        raise httpx.ReadTimeout(str(error)) from None
    except (aiohttp.ClientResponseError, UnicodeError) as error:
        raise httpx.RemoteProtocolError(type(error).__name__) from None
    except (aiohttp.ClientError, OSError) as error:
        raise httpx.ReadError(type(error).__name__) from None


def why(error: BaseException) -> str:
    """Why no connection was made."""
    cause = getattr(error, "certificate_error", None) or getattr(error, "os_error", None) or error
    if isinstance(cause, TimeoutError):
        return tr("no connection in time")
    if verdict := getattr(cause, "verify_message", ""):
        return one_line(verdict, ERROR_LENGTH).lower()
    # asyncio words some errors in its own way; the resolver's numbers are negative, and TLS's are not the system's.
    number = 0 if isinstance(cause, ssl.SSLError) else getattr(cause, "errno", None) or 0
    return reason(OSError(number, os.strerror(number)) if number > 0 else cause)
