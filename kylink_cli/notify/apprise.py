"""Everything that the library Apprise can reach: mail, chat, paging, and some 170 services more.

Each message is sent by a process of its own (`notify/apprise_child.py`): whatever a receiver answers, kylink's memory,
its time and the other messages are out of reach for it.
"""

import json
import os
import re
import subprocess
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from kylink_cli.children import bare_environment, own_command
from kylink_cli.language import tr
from kylink_cli.notify.base import ChannelError
from kylink_cli.rules.notices import Message
from kylink_cli.rules.text import nearest, one_line
from kylink_cli.rules.vocabulary import AlertLevel

MASK = "********"
# Shorter parts of an address are words like `smtp` or `443`, not keys.
_SECRET_LENGTH = 5
# The process ends itself somewhat earlier (`apprise_child.SECONDS`); this is for one that can't.
_SECONDS = 15
_TYPES: dict[AlertLevel, str] = {AlertLevel.INFO: "info", AlertLevel.WARNING: "warning", AlertLevel.ERROR: "failure"}
# What leads to the network on hosts that need it said.
_NETWORK = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE")


@dataclass(frozen=True, slots=True)
class AppriseChannel:
    """Sends messages through Apprise."""

    name: str
    url: str  # nearly every part of it may be a secret
    lowest: AlertLevel = AlertLevel.INFO

    def check(self) -> None:
        """See whether Apprise can do something with the address.

        Raises:
            ChannelError: it can't.
        """
        _require_known(_in_a_process_of_its_own({"url": self.url}), self.name)

    def send(self, message: Message) -> None:
        """Send a message as plain text; Apprise makes of it what the service takes.

        Raises:
            ChannelError: it did not arrive, or nobody knows this kind of address.
        """
        order = {
            "url": self.url,
            "title": message.title,
            "body": message.body,
            "type": _TYPES[message.level],
        }
        outcome = _in_a_process_of_its_own(order)
        _require_known(outcome, self.name)
        if not outcome["sent"]:
            raise ChannelError(_masked(outcome["complaint"] or tr("Apprise could not send it"), self.url))


def _require_known(outcome: dict[str, Any], name: str) -> None:
    """Refuse what Apprise can do nothing with.

    Raises:
        ChannelError: there is no such kind, or something is missing.
    """
    if outcome["known"]:
        return
    if not outcome["is_kind"]:
        near = nearest(name, outcome["kinds"])
        hint = tr(": did you mean {nearest}?", nearest=near) if near else ""
        raise ChannelError(tr("Apprise does not know this kind of address") + hint)
    raise ChannelError(
        tr("the address is not complete, or holds a # / @ or ? in a user or password: write %23 %2F %40 %3F there")
    )


def _in_a_process_of_its_own(order: dict[str, str]) -> dict[str, Any]:
    """What became of a message.

    Raises:
        ChannelError: the process came to its limits.
    """
    try:
        done = subprocess.run(  # noqa: S603  (our own command)
            own_command("kylink_cli.notify.apprise_child"),
            input=json.dumps(order).encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            cwd="/",
            timeout=_SECONDS,
            check=True,
        )
        outcome: dict[str, Any] = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        raise ChannelError(tr("no answer in time")) from None
    except (subprocess.CalledProcessError, OSError, ValueError):
        # Killed by its own alarm, out of memory, or not even started.
        raise ChannelError(tr("sending it took more time or memory than it may")) from None
    return outcome


def _environment() -> dict[str, str]:
    names = [*_NETWORK, *map(str.lower, _NETWORK)]
    return bare_environment() | {name: os.environ[name] for name in names if name in os.environ}


def _masked(text: str, url: str) -> str:
    """Text without any part of an address that could be a secret."""
    parts = {part for part in re.split(r"[/:@?&=,;#]+", url) if len(part) >= _SECRET_LENGTH}
    hidden = one_line(text)
    for part in sorted(parts | {unquote(part) for part in parts}, key=len, reverse=True):
        hidden = hidden.replace(part, MASK)
    return hidden
