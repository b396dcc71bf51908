"""Heartbeats: a monitoring service is told when a run starts, succeeds and fails. They never fail the run."""

from collections.abc import Callable
from functools import partial

from kylink_cli.language import tr
from kylink_cli.notify.bounded import bounded
from kylink_cli.notify.http import post_text
from kylink_cli.reasons import connection_reason
from kylink_cli.rules.heartbeats import HeartbeatState, heartbeat_url

TIMEOUT_SECONDS = 5


class Heartbeat:
    """Pings one address, at most for a few seconds."""

    def __init__(self, url: str, warn: Callable[[str], None], timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        """Name the address.

        Args:
            url: pinged as it is on success, with `/start` and `/fail` added to its path otherwise, unless it says where
                the state belongs (`rules/heartbeats.py`).
            warn: told in one line when a heartbeat could not be sent.
            timeout_seconds: the longest that a ping may take, seconds.
        """
        self._url = url
        self._warn = warn
        self._timeout_seconds = timeout_seconds

    async def ping(self, kind: HeartbeatState, summary: str) -> None:
        """Send a heartbeat; whatever goes wrong is told without the address, which is as good as a key.

        Args:
            summary: sent as the body.
        """
        try:
            url = heartbeat_url(self._url, kind, summary)
            await bounded(partial(post_text, url, summary, self._timeout_seconds), self._timeout_seconds)
        except Exception as error:  # noqa: BLE001  (a heartbeat never fails a run, whatever is wrong with it)
            name = connection_reason(error) or type(error).__name__
            self._warn(tr("the {kind} heartbeat could not be sent: {name}", kind=kind, name=name))
