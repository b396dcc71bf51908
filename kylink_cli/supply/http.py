"""Suppliers over HTTP (contract, section 5), by httpx; what lies under it is in `http_transport.py`.

The transport is asked directly: a client around it would cost as much again, and orders have no cookies, log-ins or
proxies. Both are loaded with the first call: most runs find nothing to do.
"""

import asyncio
import json
import ssl
from contextlib import aclosing
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urljoin, urlsplit

from kylink_cli import __version__
from kylink_cli.errors import ConfigError
from kylink_cli.language import tr
from kylink_cli.rules.text import ERROR_LENGTH, one_line, without_secrets
from kylink_cli.supply.answer import MAX_ANSWER_BYTES
from kylink_cli.supply.answer_reader import AnswerReader
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
    import httpx

    from kylink_cli.supply.http_transport import Transport

CONNECT_SECONDS = 10
CHECK_SECONDS = 5
MAX_REDIRECTS = 3
MAX_REASON_BYTES = 64 * 1024
ASKS_FOR_KEY = {401, 403}
_ANSWERS = {200, 201}
# The redirects that ask for the same method and body once more.
_REPEATING = {307, 308}


class HttpSupplier:
    """A supply service that speaks the contract's HTTP."""

    def __init__(self, url: str, key: str | None, timeout_seconds: float) -> None:
        """Name the service; nothing is sent yet.

        Args:
            url: where orders are posted.
            key: sent as a bearer token, to this host only; None for a service that asks for none.
            timeout_seconds: limit for one whole call.

        Raises:
            ConfigError: the address can't be one.
        """
        self._url = _address(url)
        self._place = _place(self._url)
        self._key = key
        self._timeout = timeout_seconds
        self._answers = AnswerReader()
        self._headers = {
            **({} if key is None else {"Authorization": f"Bearer {key}"}),
            "Content-Type": "application/json",
            "Accept": "application/json, application/problem+json",
            # A compressed answer could be small on the wire and huge in memory.
            "Accept-Encoding": "identity",
            "User-Agent": f"kylink/{__version__}",
        }
        self._opened: Transport | None = None

    async def supply(self, order: Order) -> Supply:
        """Post an order; the call is bounded as a whole, and so is the answer.

        Raises:
            SupplyError: nothing usable came; the class says whether asking again can help.
        """
        import httpx

        try:
            async with asyncio.timeout(self._timeout):
                body = await self._answer(order)
        except (httpx.TransportError, httpx.InvalidURL, TimeoutError) as error:
            raise _judged(error, self._place) from None
        return await self._answers.read(body, order.quantity)

    async def check(self) -> str:
        """Open a connection, over TLS where the service wants it, and close it again.

        Raises:
            UnreachableError: it can't be opened.
        """
        from kylink_cli.supply.http_transport import why

        host, port = self._url.hostname, self._url.port or (443 if self._url.scheme == "https" else 80)
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                _, writer = await asyncio.open_connection(host, port, ssl=self._tls())
        except TimeoutError:
            raise UnreachableError(
                tr("{place} does not answer within {seconds} s", place=self._place, seconds=CHECK_SECONDS)
            ) from None
        except OSError as error:
            raise UnreachableError(
                tr("{place} can't be reached: {error}", place=self._place, error=why(error))
            ) from None
        writer.close()
        reached = tr("{place} can be reached", place=self._place)
        return reached if self._key is not None else f"{reached}; {without_key()}"

    async def close(self) -> None:
        """Close the connections."""
        if self._opened is not None:
            await self._opened.aclose()

    def _transport(self) -> "Transport":
        """The connections, which belong to the event loop of the first call."""
        from kylink_cli.supply.http_transport import Transport

        if self._opened is None:
            self._opened = Transport(self._tls(), min(CONNECT_SECONDS, self._timeout))
        return self._opened

    def _tls(self) -> ssl.SSLContext | None:
        """Trust what this machine trusts, and the usual authorities where it has none installed."""
        if self._url.scheme != "https":
            return None
        import certifi

        context = ssl.create_default_context(cafile=certifi.where())
        context.load_default_certs()
        return context

    async def _answer(self, order: Order) -> bytes:
        """Post an order, and once more wherever the same host redirects it to; the body of the answer."""
        import httpx

        url, headers = self._url.geturl(), {**self._headers, "Idempotency-Key": order.key}
        for _ in range(MAX_REDIRECTS + 1):
            request = httpx.Request("POST", url, headers=headers, content=order.body.encode())
            async with aclosing(await self._transport().handle_async_request(request)) as response:
                if response.status_code in _ANSWERS:
                    return await self._read_answer(response)
                if not 300 <= response.status_code < 400:
                    raise await self._refusal(response)
                url = self._redirected(url, response)
        raise RedirectedError(tr("{place} redirects more than {limit} times", place=self._place, limit=MAX_REDIRECTS))

    async def _refusal(self, response: "httpx.Response") -> SupplyError:
        """What a status other than 200 means, with the reason that the service gives."""
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > MAX_REASON_BYTES:
                break
        text = bytes(body[:MAX_REASON_BYTES]).decode("utf-8", errors="replace")
        # A service that echoes its request must not get the key into a log or an alert.
        stated = without_secrets(_stated_reason(text), self._key, self._url.query, self._url.path)
        reason = one_line(stated, ERROR_LENGTH)
        if response.status_code in ASKS_FOR_KEY and self._key is None:
            reason = "; ".join(filter(None, (reason, without_key())))
        retry_after = parse_retry_after(response.headers.get("Retry-After"), datetime.now(UTC))
        return judge_status(response.status_code, reason, retry_after)

    def _redirected(self, url: str, response: "httpx.Response") -> str:
        """Where the same host wants the order.

        Raises:
            RedirectedError: it leads to another host, which must not see the key, or would not repeat the order.
        """
        location: str = response.headers.get("Location", "")
        place = "nowhere"
        try:
            target = urljoin(url, location)
            place = _place(urlsplit(target))
        except ValueError:
            location = ""
        if location and place == _place(urlsplit(url)) and response.status_code in _REPEATING:
            return target
        raise RedirectedError(
            tr(
                "HTTP {status} redirects to {place}: set PROXY_API_URL to the right address",
                status=response.status_code,
                place=one_line(without_secrets(place, self._key), ERROR_LENGTH),
            )
        )

    async def _read_answer(self, response: "httpx.Response") -> bytes:
        encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
        if encoding not in {"", "identity"}:
            raise InvalidResponseError(
                tr(
                    "the answer is encoded as {encoding}, which was not asked for",
                    encoding=one_line(without_secrets(encoding, self._key), 40),
                )
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


def without_key() -> str:
    """What checks say where no key is set, and a run if the service then refuses."""
    return tr("PROXY_API_KEY is not set: the supply service is called without a key")


def _address(url: str) -> SplitResult:
    """The address behind a URL.

    Raises:
        ConfigError: its host can't be looked up, or it holds what no URL holds.
    """
    try:
        address = urlsplit(url)
        # The resolver's own encoding, which refuses empty and overlong labels; a port is read when it is asked for.
        is_one = bool((address.hostname or "").encode("idna").decode("idna")) and address.port != 0
    except ValueError:
        is_one = False
    if not is_one or not url.isprintable():
        raise ConfigError(tr("PROXY_API_URL can't be called: check its host, and look for odd characters"))
    return address


def _place(address: SplitResult) -> str:
    """An address as it may be shown: without path and query, which may hold secrets, and without what logs in."""
    return f"{address.scheme}://{address.netloc.rpartition('@')[2]}"


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


def _judged(error: Exception, place: str) -> SupplyError:
    """A call without a whole answer, as one of the family of supply errors."""
    import httpx

    if isinstance(error, (httpx.ConnectError, httpx.InvalidURL)):
        return UnreachableError(tr("{place} can't be reached: {cause}", place=place, cause=str(error)))
    if isinstance(error, (httpx.TimeoutException, TimeoutError)):
        return CutOffError(tr("{place} gave no whole answer in time", place=place))
    if isinstance(error, httpx.RemoteProtocolError):
        return InvalidResponseError(tr("{place} does not speak HTTP", place=place))
    return CutOffError(tr("{place} cut the connection before its answer was whole", place=place))
