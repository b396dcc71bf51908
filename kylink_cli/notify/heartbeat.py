"""Heartbeats: a monitoring service is told when a run starts, succeeds and fails. They never fail the run."""

from collections.abc import Callable
from typing import Literal

from kylink_cli.language import tr
from kylink_cli.notify.bounded import bounded

TIMEOUT_SECONDS = 5
_PATHS = {"start": "/start", "success": "", "fail": "/fail"}


class Heartbeat:
    """Pings one address, at most for a few seconds."""

    def __init__(self, url: str, warn: Callable[[str], None], timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        """Name the address.

        Args:
            url: pinged as it is on success, with `/start` and `/fail` added otherwise.
            warn: told in one line when a heartbeat could not be sent.
            timeout_seconds: the longest that a ping may take, seconds.
        """
        self._url = url.rstrip("/")
        self._warn = warn
        self._timeout_seconds = timeout_seconds

    async def ping(self, kind: Literal["start", "success", "fail"], summary: str) -> None:
        """Send a heartbeat; whatever goes wrong is told without the address, which is as good as a key.

        Args:
            summary: sent as the body.
        """
        try:
            await bounded(lambda: self._post(_PATHS[kind], summary), self._timeout_seconds)
        except Exception as error:  # noqa: BLE001  (a heartbeat never fails a run, whatever is wrong with it)
            self._warn(tr("the {kind} heartbeat could not be sent: {name}", kind=kind, name=type(error).__name__))

    def _post(self, path: str, summary: str) -> None:
        import httpx

        # Only the status counts: a body without end is not read.
        with (
            httpx.Client(timeout=self._timeout_seconds) as client,
            client.stream("POST", self._url + path, content=summary.encode()) as response,
        ):
            response.raise_for_status()
