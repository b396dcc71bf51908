"""Suppliers over HTTP (contract, section 5). The only module that knows the HTTP client.

The client is httpx over aiohttp's transport: under the same interface it makes several times as many calls a second as
httpx's own, which falls behind with many calls in flight.
"""

import asyncio
import json
import os
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy

import aiohttp
import certifi
import httpx
from httpx_aiohttp import AiohttpTransport

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

CONNECT_SECONDS = 10
CHECK_SECONDS = 5
IDLE_SECONDS = 15
MAX_REDIRECTS = 3
MAX_REASON_BYTES = 64 * 1024
# The redirects that ask for the same method and body once more.
_REPEATING = {307, 308}
# aiohttp's words for "no connection was made", as httpx's transport hands them on.
_NEVER_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL)


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
        self._tls = _tls_context() if self._url.scheme == "https" else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._headers = {
            "Authorization": f"Bearer {key}",
            "Content-Type": "application/json",
            "Accept": "application/json, application/problem+json",
            # A compressed answer could be small on the wire and huge in memory.
            "Accept-Encoding": "identity",
            "User-Agent": f"kylink/{__version__}",
        }
        self._client = httpx.AsyncClient(
            transport=AiohttpTransport(verify=self._tls, limits=_UNLIMITED),
            timeout=httpx.Timeout(None, connect=min(CONNECT_SECONDS, timeout_seconds)),
            # Calls have nothing to do with each other: what one answer sets is not sent along with the next.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
            trust_env=False,
        )

    async def supply(self, order: Order) -> Supply:
        """Post an order; the call is bounded as a whole, and so is the answer.

        Raises:
            SupplyError: nothing usable came; the class says whether asking again can help.
        """
        with _translated(self._place):
            async with asyncio.timeout(self._timeout), self._posted(order) as response:
                if response.status_code != 200:
                    raise await self._refusal(response)
                body = await _read_answer(response)
        return parse_answer(body, order.quantity, datetime.now(UTC))

    async def check(self) -> str:
        """Open a connection, over TLS where the service wants it, and close it again.

        Raises:
            UnreachableError: it can't be opened.
        """
        host, port = self._url.host, self._url.port or (443 if self._url.scheme == "https" else 80)
        tls = self._tls if self._url.scheme == "https" else None
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
        await self._client.aclose()

    @property
    def _place(self) -> str:
        """The service as it may be shown: without path and query, which may hold secrets."""
        return f"{self._url.scheme}://{self._url.netloc.decode('ascii')}"

    async def _refusal(self, response: httpx.Response) -> SupplyError:
        """What a status other than 200 means, with the reason that the service gives."""
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > MAX_REASON_BYTES:
                break
        text = bytes(body[:MAX_REASON_BYTES]).decode("utf-8", errors="replace")
        # A service that echoes its request must not get the key into a log or an alert.
        reason = without_secrets(_stated_reason(text), self._key, self._url.query.decode("ascii"))
        retry_after = parse_retry_after(response.headers.get("Retry-After"), datetime.now(UTC))
        return judge_status(response.status_code, one_line(reason, ERROR_LENGTH), retry_after)

    @asynccontextmanager
    async def _posted(self, order: Order) -> AsyncIterator[httpx.Response]:
        """Post an order, and once more wherever the same host redirects it to."""
        url = self._url
        for _ in range(MAX_REDIRECTS + 1):
            async with self._client.stream(
                "POST",
                url,
                content=order.body.encode(),
                headers=self._headers | {"Idempotency-Key": order.key},
            ) as response:
                if not 300 <= response.status_code < 400:
                    yield response
                    return
                url = _redirected(url, response)
        raise RedirectedError(tr("{place} redirects more than {limit} times", place=self._place, limit=MAX_REDIRECTS))


# To aiohttp's pool 0 means no limit, and None a hundred: a call that waits for a connection would lose its time.
_UNLIMITED = httpx.Limits(max_connections=0, max_keepalive_connections=None, keepalive_expiry=IDLE_SECONDS)


def _address(url: str) -> httpx.URL:
    """The address behind a URL.

    Raises:
        ConfigError: its host can't be looked up, or it holds what no URL holds.
    """
    try:
        address = httpx.URL(url)
        # The resolver's own encoding, which refuses empty and overlong labels.
        address.host.encode("idna")
    except (httpx.InvalidURL, ValueError):
        raise ConfigError(tr("PROXY_API_URL can't be called: look for odd characters, and at its host")) from None
    return address


def _tls_context() -> ssl.SSLContext:
    """Trust what this machine trusts, and the usual authorities where it has none installed."""
    context = ssl.create_default_context(cafile=certifi.where())
    context.load_default_certs()
    return context


def _redirected(url: httpx.URL, response: httpx.Response) -> httpx.URL:
    """Where the same host wants the order.

    Raises:
        RedirectedError: it leads to another host, which must not see the key, or would not repeat the order.
    """
    location = response.headers.get("Location", "")
    try:
        target = url.join(location)
    except httpx.InvalidURL:
        target = httpx.URL("")
    same_host = (target.scheme, target.host, target.port) == (url.scheme, url.host, url.port)
    if location and same_host and response.status_code in _REPEATING:
        return target
    place = one_line(f"{target.scheme}://{target.host}" if target.host else "nowhere", ERROR_LENGTH)
    raise RedirectedError(
        tr(
            "HTTP {status} redirects to {place}: set PROXY_API_URL to the right address",
            status=response.status_code,
            place=place,
        )
    )


async def _read_answer(response: httpx.Response) -> bytes:
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in {"", "identity"}:
        raise InvalidResponseError(
            tr("the answer is encoded as {encoding}, which was not asked for", encoding=one_line(encoding, 40))
        )
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
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


@contextmanager
def _translated(place: str) -> Iterator[None]:
    """Turn whatever a call can end with into the family of supply errors, without the URL's path and query.

    Raises:
        UnreachableError: no connection was made, so nothing was sent.
        CutOffError: it may have been sent, and no whole answer came.
        InvalidResponseError: what came is no HTTP.
    """
    try:
        yield
    except TimeoutError:
        raise CutOffError(tr("{place} gave no whole answer in time", place=place)) from None
    except httpx.HTTPError as error:
        cause = error.__cause__
        if isinstance(cause, _NEVER_SENT):
            raise UnreachableError(tr("{place} can't be reached: {cause}", place=place, cause=_reason(cause))) from None
        raise CutOffError(
            tr("{place} cut the connection: {name}", place=place, name=type(cause or error).__name__)
        ) from None
    except (aiohttp.ClientResponseError, UnicodeError):
        raise InvalidResponseError(tr("{place} does not speak HTTP", place=place)) from None
    except (aiohttp.ClientError, OSError) as error:
        raise CutOffError(tr("{place} cut the connection: {name}", place=place, name=type(error).__name__)) from None


def _reason(error: BaseException) -> str:
    """Why no connection was made, in the system's words."""
    cause = getattr(error, "certificate_error", None) or getattr(error, "os_error", None) or error
    if isinstance(cause, TimeoutError):
        return tr("no connection in time")
    # asyncio words some errors in its own way; the resolver's numbers are negative, and not the system's.
    number = getattr(cause, "errno", None) or 0
    text = os.strerror(number) if number > 0 else getattr(cause, "strerror", None) or tr("no connection")
    return one_line(getattr(cause, "verify_message", "") or text, ERROR_LENGTH).lower()
