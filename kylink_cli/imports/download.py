"""A sheet that is published at an address: bounded in size and time, and from the host that was named alone."""

from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from kylink_cli.errors import BadFileError
from kylink_cli.language import tr
from kylink_cli.reasons import connection_reason
from kylink_cli.rules.addresses import shown_address

if TYPE_CHECKING:
    import httpx

_SCHEMES = ("https://", "http://")
# For the whole of it: names looked up, redirects, the last byte.
LONGEST_SECONDS = 60.0
LARGEST_BYTES = 64 * 2**20
_REDIRECTS = 5


def is_address(source: str) -> bool:
    """Whether a source is to be fetched rather than opened."""
    return source.lower().startswith(_SCHEMES)


def download(address: str, *, longest_seconds: float = LONGEST_SECONDS, largest_bytes: int = LARGEST_BYTES) -> bytes:
    """What is published at an address.

    A redirect is followed on the same scheme, host and port only: who publishes a sheet has said where.

    Args:
        address: `https://…` or `http://…`; what stands behind its host may be secret, and is never shown.
        longest_seconds: for the whole of it.
        largest_bytes: of the answer.

    Raises:
        BadFileError: it can't be reached, is no answer with status 200, is too large, or takes too long.
    """
    import asyncio

    import httpx

    try:
        return asyncio.run(_within(longest_seconds, address, largest_bytes))
    except TimeoutError:
        raise _unreadable(
            address, tr("the answer was not complete after {seconds} s", seconds=round(longest_seconds))
        ) from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise _unreadable(address, connection_reason(error) or tr("it can't be reached")) from None


async def _within(seconds: float, address: str, largest_bytes: int) -> bytes:
    import asyncio

    async with asyncio.timeout(seconds):
        return await _fetch(address, seconds, largest_bytes)


async def _fetch(address: str, seconds: float, largest_bytes: int) -> bytes:
    import httpx

    # A compressed answer could be small on the wire and huge in memory.
    headers = {
        "User-Agent": "kylink",
        "Accept-Encoding": "identity",
        "Accept": "text/csv, application/json, text/plain",
    }
    async with httpx.AsyncClient(timeout=seconds, trust_env=False, headers=headers) as client:
        place = address
        for _ in range(_REDIRECTS + 1):
            async with client.stream("GET", place) as response:
                if not response.is_redirect:
                    return await _body(address, response, largest_bytes)
                place = _next_place(address, urljoin(place, response.headers.get("Location", "")))
    raise _unreadable(address, tr("it is redirected again and again"))


def _next_place(address: str, place: str) -> str:
    if _origin(place) != _origin(address):
        raise _unreadable(
            address,
            tr(
                "it is redirected to another host, {host}: download the sheet, and import the file",
                host=shown_address(place),
            ),
        )
    return place


def _origin(address: str) -> tuple[str, str]:
    parts = urlsplit(address)
    return parts.scheme, parts.netloc.rpartition("@")[2].lower()


async def _body(address: str, response: "httpx.Response", largest_bytes: int) -> bytes:
    if response.status_code != 200:
        raise _unreadable(address, f"HTTP {response.status_code}")
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise _unreadable(address, tr("the answer is compressed"))
    found = bytearray()
    async for chunk in response.aiter_raw():
        found += chunk
        if len(found) > largest_bytes:
            raise _unreadable(address, tr("it is larger than {mib} MiB", mib=largest_bytes // 2**20))
    return bytes(found)


def _unreadable(address: str, why: str) -> BadFileError:
    return BadFileError(tr("{source} can't be read: {reason}", source=shown_address(address), reason=why))
