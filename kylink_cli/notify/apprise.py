"""Everything that the library Apprise can reach: mail, chat, paging, and some 170 services more."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import get_ident
from typing import TYPE_CHECKING
from urllib.parse import unquote

from kylink_cli.language import tr
from kylink_cli.notify.base import ChannelError
from kylink_cli.rules.notices import Message
from kylink_cli.rules.text import one_line
from kylink_cli.rules.vocabulary import AlertLevel

if TYPE_CHECKING:
    from apprise import Apprise

MASK = "********"
# Shorter parts of an address are words like `smtp` or `443`, not keys.
_SECRET_LENGTH = 5
_TYPES: dict[AlertLevel, str] = {AlertLevel.INFO: "info", AlertLevel.WARNING: "warning", AlertLevel.ERROR: "failure"}


@dataclass(frozen=True, slots=True)
class AppriseChannel:
    """Sends messages through Apprise."""

    name: str
    url: str  # nearly every part of it may be a secret
    lowest: AlertLevel = AlertLevel.INFO

    def send(self, message: Message) -> None:
        """Send a message as plain text; Apprise makes of it what the service takes.

        Raises:
            ChannelError: it did not arrive, or nobody knows this kind of address.
        """
        with _log() as lines:
            has_arrived = self._sender().notify(
                title=message.title, body=message.body, notify_type=_TYPES[message.level], body_format="text"
            )
        if not has_arrived:
            raise ChannelError(_masked(lines[-1] if lines else tr("Apprise could not send it"), self.url))

    def _sender(self) -> "Apprise":
        from apprise import Apprise

        sender = Apprise()
        if not sender.add(self.url):
            raise ChannelError(tr("Apprise does not know this kind of address, or it is not complete"))
        return sender


@contextmanager
def _log() -> Iterator[list[str]]:
    """What Apprise says of its troubles: it only logs them, and this thread's are ours."""
    lines: list[str] = []
    handler = _Lines(lines)
    logger = logging.getLogger("apprise")
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield lines
    finally:
        logger.removeHandler(handler)


class _Lines(logging.Handler):
    """Keeps what the thread that made it logs as a warning or worse."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._lines = lines
        self._thread = get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line."""
        if record.thread == self._thread:
            self._lines.append(record.getMessage())


def _masked(text: str, url: str) -> str:
    """Text without any part of an address that could be a secret."""
    parts = {part for part in re.split(r"[/:@?&=,;#]+", url) if len(part) >= _SECRET_LENGTH}
    hidden = one_line(text)
    for part in sorted(parts | {unquote(part) for part in parts}, key=len, reverse=True):
        hidden = hidden.replace(part, MASK)
    return hidden
