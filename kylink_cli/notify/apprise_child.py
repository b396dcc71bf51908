"""Sends one message through Apprise, in a process of its own: `python -m kylink_cli.notify.apprise_child`.

Apprise reads answers to their end, unpacks what is compressed, and follows redirects with all that it sends. What a
receiver answers costs this process at most: its memory and its time are limited, and so is what is read of an answer.
Standard input holds the order, standard output gets the outcome, both as JSON.
"""

import json
import logging
import os
import resource
import signal
import sys
from contextlib import suppress
from typing import Any

from apprise import Apprise
from requests import PreparedRequest, Response, sessions
from requests.adapters import HTTPAdapter
from requests.exceptions import ConnectionError as NotConnectedError

SECONDS = 10
_MEMORY_BYTES = 512 * 1024 * 1024
_ANSWER_BYTES = 65_536
_REDIRECTS = range(300, 400)
_SUCCESSES = range(200, 300)


def main() -> None:
    """Send the message that is ordered on standard input."""
    _limit()
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    # What a plug-in prints is no part of the outcome.
    os.dup2(2, 1)
    json.dump(_send(json.load(sys.stdin)), answer)
    answer.close()


def _limit() -> None:
    """Bound memory and time for good; a sandbox that allows no process to limit itself has limits of its own."""
    signal.alarm(SECONDS)
    for kind, limit in ((resource.RLIMIT_AS, _MEMORY_BYTES), (resource.RLIMIT_CORE, 0)):
        with suppress(OSError, ValueError):
            resource.setrlimit(kind, (limit, limit))


def _send(order: dict[str, str]) -> dict[str, Any]:
    """Send a message, if there is one: whether the address is known and it has arrived, and what was complained of."""
    watch = _Watch()
    # What every session of Apprise's plug-ins is built with.
    vars(sessions)["HTTPAdapter"] = lambda: _BoundedAdapter(watch)
    lines = _Lines()
    logger = logging.getLogger("apprise")
    logger.addHandler(lines)
    logger.propagate = False
    sender = Apprise()
    if not sender.add(order["url"]):
        kinds = _kinds(sender)
        return {"known": False, "is_kind": order["url"].partition("://")[0].lower() in kinds, "kinds": kinds}
    if "title" not in order:
        return {"known": True}
    has_arrived = sender.notify(title=order["title"], body=order["body"], notify_type=order["type"], body_format="text")
    is_sent = bool(has_arrived) and watch.last_status in {None, *_SUCCESSES}
    return {"known": True, "sent": is_sent, "complaint": watch.fault or (lines.last if not has_arrived else None)}


def _kinds(sender: Apprise) -> list[str]:
    """What addresses may begin with."""
    services = sender.details()["schemas"]
    return [kind for service in services for part in ("protocols", "secure_protocols") for kind in service[part] or ()]


class _Lines(logging.Handler):
    """Keeps the last of what Apprise says of its troubles: it only logs them."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.last: str | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line."""
        self.last = record.getMessage()


class _Watch:
    """What came back over HTTP."""

    def __init__(self) -> None:
        self.last_status: int | None = None
        self.redirected: int | None = None

    @property
    def fault(self) -> str | None:
        """What is wrong with the answers, in a few words."""
        if self.redirected is not None:
            return f"HTTP {self.redirected}: a redirect, which is not followed"
        if self.last_status is not None and self.last_status not in _SUCCESSES:
            return f"HTTP {self.last_status}"
        return None


class _BoundedAdapter(HTTPAdapter):
    """Reads the beginning of an answer alone, and follows no redirect."""

    def __init__(self, watch: _Watch) -> None:
        super().__init__()
        self._watch = watch

    def send(self, request: PreparedRequest, *arguments: Any, **options: Any) -> Response:
        """Make a call.

        Raises:
            NotConnectedError: it is redirected; Apprise takes it as it takes every call that fails.
        """
        # A compressed answer could be small on the wire and huge in memory.
        request.headers["Accept-Encoding"] = "identity"
        response = super().send(request, *arguments, **options | {"stream": True})
        response._content = response.raw.read(_ANSWER_BYTES, decode_content=False)  # noqa: SLF001  (requests' own place)
        response.close()
        self._watch.last_status = response.status_code
        if response.status_code in _REDIRECTS:
            self._watch.redirected = response.status_code
            raise NotConnectedError
        return response


if __name__ == "__main__":
    main()
