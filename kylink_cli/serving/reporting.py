"""What became of each request, for the log; what nobody foresaw is told there, and to its caller as a problem."""

import logging
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kylink_cli.language import tr
from kylink_cli.rules.text import one_line
from kylink_cli.serving.backend import Tell
from kylink_cli.serving.problems import internal_problem
from kylink_cli.serving.refusing import refusal

_PATH_LENGTH = 200


class Reporting:
    """Tells of requests: of all with --verbose, of those that failed in any case."""

    def __init__(self, app: ASGIApp, tell: Tell) -> None:
        self._app = app
        self._tell = tell

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.monotonic(), 0

        async def watched(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as error:  # noqa: BLE001  (the last resort: a caller never sees a traceback)
            self._tell_error(scope, error)
            if not status:
                await refusal(scope, internal_problem())(scope, receive, watched)
        caller = scope["state"].get("caller")
        self._tell(
            logging.ERROR if status >= 500 else logging.DEBUG,
            tr(
                "{request}: {status} in {ms} ms, key {name}",
                request=_request(scope),
                status=status,
                ms=round((time.monotonic() - began) * 1000),
                name="-" if caller is None else caller.name,
            ),
        )

    def _tell_error(self, scope: Scope, error: Exception) -> None:
        text = tr("unexpected error: {name}: {error}", name=type(error).__name__, error=one_line(str(error), 300))
        self._tell(logging.ERROR, f"{_request(scope)}: {text}")


def _request(scope: Scope) -> str:
    """A request as a log may have it: strangers choose its path."""
    return f"{one_line(scope['method'], 20)} {one_line(scope['path'], _PATH_LENGTH)}"
