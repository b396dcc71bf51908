"""Suppliers over HTTP (contract, section 5). The only module that knows their HTTP client.

The client is aiohttp: with a hundred calls in flight it makes several times as many a second as httpx. It is loaded
with the first call: most runs find nothing to do.
"""

import asyncio
import json
import os
import ssl
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from yarl import URL

from kylink_cli import __version__
from kylink_cli.errors import ConfigError
from kylink_cli.language import tr
from kylink_cli.rules.text import ERROR_LENGTH, one_line, without_secrets
from kylink_cli.supply.answer import MAX_ANSWER_BYTES, parse_answer
from kylink_cli.supply.base import Order, Supply
from kylink_cli.supply.errors import (
    CutOffError,
    InvalidResponseError,
    RedirectedError,
    SupplyError,
    UnreachableError,
    judge_status,
    parse_retry_after,
)

if TYPE_CHECKING:
    import aiohttp

CONNECT_SECONDS = 10
CHECK_SECONDS = 5
IDLE_SECONDS = 15
MAX_REDIRECTS = 3
MAX_REASON_BYTES = 64 * 1024
# The redirects that ask for the same method and body once more.
_REPEATING = {307, 308}


class HttpSupplier:
    """A supply service that speaks the contract's HTTP."""

    def __init__(self, url: str, key: str, timeout_seconds: float) -> None:
        """Name the service; nothing is sent yet.

        Args:
            url: where orders are posted.
            key: sent as a bearer token, to this host only.
            timeout_seconds: limit for one whole call.

        Raises:
            ConfigError: the address can't be one.
        """
        self._url = _address(url)
        self._key = key
        self._timeout = timeout_seconds
        self._headers = {
            "Authorization": f"Bearer {key}",
            "Content-Type": "application/json",
            "Accept": "application/json, application/problem+json",
            # A compressed answer could be small on the wire and huge in memory.
            "Accept-Encoding": "identity",
            "User-Agent": f"kylink/{__version__}",
        }
        self._session: aiohttp.ClientSession | None = None

    async def supply(self, order: Order) -> Supply:
        """Post an order; the call is bounded as a whole, and so is the answer.

        Raises:
            SupplyError: nothing usable came; the class says whether asking again can help.
        """
        import aiohttp

        try:
            async with asyncio.timeout(self._timeout):
                body = await self._answer(order)
        except (aiohttp.ClientError, OSError, UnicodeError) as error:
            raise _in_words(error, self._place) from None
        return parse_answer(body, order.quantity, datetime.now(UTC))

    async def check(self) -> str:
        """Open a connection, over TLS where the service wants it, and close it again.

        Raises:
            UnreachableError: it can't be opened.
        """
        host, port = self._url.host, self._url.port or (443 if self._url.scheme == "https" else 80)
        tls = _tls_context() if self._url.scheme == "https" else None
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                _, writer = await asyncio.open_connection(host, port, ssl=tls)
        except TimeoutError:
            raise UnreachableError(
                tr("{place} does not answer within {seconds} s", place=self._place, seconds=CHECK_SECONDS)
            ) from None
        except OSError as error:
            raise UnreachableError(
                tr("{place} can't be reached: {error}", place=self._place, error=_reason(error))
            ) from None
        writer.close()
        return tr("{place} can be reached", place=self._place)

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    def _opened(self) -> "aiohttp.ClientSession":
        """The connections, which belong to the event loop of the first call."""
        import aiohttp

        if self._session is None:
            tls = _tls_context() if self._url.scheme == "https" else True
            # A call that waits for a connection would lose its time: as many as there are calls in flight.
            connector = aiohttp.TCPConnector(limit=0, ssl=tls, keepalive_timeout=IDLE_SECONDS)
            self._session = aiohttp.ClientSession(
                connector=connector,
                headers=self._headers,
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=min(CONNECT_SECONDS, self._timeout)),
                # Calls have nothing to do with each other: what one answer sets is not sent along with the next.
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
            )
        return self._session

    async def _answer(self, order: Order) -> bytes:
        """Post an order, and once more wherever the same host redirects it to; the body of the answer."""
        url = self._url
        for _ in range(MAX_REDIRECTS + 1):
            async with self._opened().post(
                url, data=order.body.encode(), headers={"Idempotency-Key": order.key}, allow_redirects=False
            ) as response:
                if response.status == 200:
                    return await _read_answer(response)
                if not 300 <= response.status < 400:
                    raise await self._refusal(response)
                url = _redirected(url, response)
        raise RedirectedError(tr("{place} redirects more than {limit} times", place=self._place, limit=MAX_REDIRECTS))

    @cached_property
    def _place(self) -> str:
        """The service as it may be shown: without path and query, which may hold secrets."""
        return str(self._url.origin())

    async def _refusal(self, response: "aiohttp.ClientResponse") -> SupplyError:
        """What a status other than 200 means, with the reason that the service gives."""
        body = bytearray()
        async for chunk in response.content.iter_any():
            body += chunk
            if len(body) > MAX_REASON_BYTES:
                break
        text = bytes(body[:MAX_REASON_BYTES]).decode("utf-8", errors="replace")
        # A service that echoes its request must not get the key into a log or an alert.
        reason = without_secrets(_stated_reason(text), self._key, self._url.raw_query_string)
        retry_after = parse_retry_after(response.headers.get("Retry-After"), datetime.now(UTC))
        return judge_status(response.status, one_line(reason, ERROR_LENGTH), retry_after)


def _address(url: str) -> URL:
    """The address behind a URL.

    Raises:
        ConfigError: its host can't be looked up, or it holds what no URL holds.
    """
    try:
        address = URL(url)
        # The resolver's own encoding, which refuses empty and overlong labels.
        (address.host or "").encode("idna")
    except ValueError:
        address = URL()
    if not address.host or not url.isprintable():
        raise ConfigError(tr("PROXY_API_URL can't be called: look for odd characters, and at its host"))
    return address


def _tls_context() -> ssl.SSLContext:
    """Trust what this machine trusts, and the usual authorities where it has none installed."""
    import certifi

    context = ssl.create_default_context(cafile=certifi.where())
    context.load_default_certs()
    return context


def _redirected(url: URL, response: "aiohttp.ClientResponse") -> URL:
    """Where the same host wants the order.

    Raises:
        RedirectedError: it leads to another host, which must not see the key, or would not repeat the order.
    """
    location = response.headers.get("Location", "")
    try:
        target = url.join(URL(location))
    except ValueError:
        target = URL()
    same_host = (target.scheme, target.host, target.port) == (url.scheme, url.host, url.port)
    if location and same_host and response.status in _REPEATING:
        return target
    place = one_line(f"{target.scheme}://{target.host}" if target.host else "nowhere", ERROR_LENGTH)
    raise RedirectedError(
        tr(
            "HTTP {status} redirects to {place}: set PROXY_API_URL to the right address",
            status=response.status,
            place=place,
        )
    )


async def _read_answer(response: "aiohttp.ClientResponse") -> bytes:
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in {"", "identity"}:
        raise InvalidResponseError(
            tr("the answer is encoded as {encoding}, which was not asked for", encoding=one_line(encoding, 40))
        )
    body = bytearray()
    while not response.content.at_eof():
        body += await response.content.readany()
        if len(body) > MAX_ANSWER_BYTES:
            raise InvalidResponseError(
                tr(
                    "the answer is larger than {size} MiB",
                    size=MAX_ANSWER_BYTES // 1024 // 1024,
                )
            )
    return bytes(body)


def _stated_reason(text: str) -> str:
    """The title and detail of a problem document (RFC 9457), else the text itself."""
    try:
        problem = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if not isinstance(problem, dict):
        return text
    parts = [problem[name] for name in ("title", "detail") if isinstance(problem.get(name), str)]
    return ": ".join(parts) or text


def _in_words(error: Exception, place: str) -> SupplyError:
    """What a call can end with, as one of the family of supply errors, without the URL's path and query."""
    import aiohttp

    if isinstance(error, (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL)):
        return UnreachableError(tr("{place} can't be reached: {cause}", place=place, cause=_reason(error)))
    if isinstance(error, TimeoutError):
        return CutOffError(tr("{place} gave no whole answer in time", place=place))
    if isinstance(error, (aiohttp.ClientResponseError, UnicodeError)):
        return InvalidResponseError(tr("{place} does not speak HTTP", place=place))
    return CutOffError(tr("{place} cut the connection: {name}", place=place, name=type(error).__name__))


def _reason(error: BaseException) -> str:
    """Why no connection was made, in the system's words."""
    cause = getattr(error, "certificate_error", None) or getattr(error, "os_error", None) or error
    if isinstance(cause, TimeoutError):
        return tr("no connection in time")
    # asyncio words some errors in its own way; the resolver's numbers are negative, and not the system's.
    number = getattr(cause, "errno", None) or 0
    text = os.strerror(number) if number > 0 else getattr(cause, "strerror", None) or tr("no connection")
    return one_line(getattr(cause, "verify_message", "") or text, ERROR_LENGTH).lower()
