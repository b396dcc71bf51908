"""Heartbeats: a monitoring service is told when a run starts, succeeds and fails. They never fail the run."""

import asyncio
from collections.abc import Callable
from typing import Literal

TIMEOUT_SECONDS = 5
_PATHS = {"start": "/start", "success": "", "fail": "/fail"}


class Heartbeat:
    """Pings one address, at most for a few seconds."""

    def __init__(self, url: str, warn: Callable[[str], None]) -> None:
        """Name the address.

        Args:
            url: pinged as it is on success, with `/start` and `/fail` added otherwise.
            warn: told in one line when a heartbeat could not be sent.
        """
        self._url = url.rstrip("/")
        self._warn = warn

    async def ping(self, kind: Literal["start", "success", "fail"], summary: str) -> None:
        """Send a heartbeat; whatever goes wrong is told without the address, which is as good as a key.

        Args:
            kind: what has happened.
            summary: sent as the body.
        """
        import httpx

        try:
            async with asyncio.timeout(TIMEOUT_SECONDS), httpx.AsyncClient() as client:
                response = await client.post(self._url + _PATHS[kind], content=summary.encode())
                response.raise_for_status()
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError) as error:
            self._warn(f"the {kind} heartbeat could not be sent: {type(error).__name__}")
