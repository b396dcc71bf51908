"""The journal's own protocol: a log line with its priority, and what it is about as fields that can be asked for.

See https://systemd.io/JOURNAL_NATIVE_PROTOCOL/: a datagram of `NAME=value` lines. What is sent here holds no line
break, so the form for binary values is not needed. systemd's own binding needs its C headers, for this little.
"""

import logging
import socket
from collections.abc import Mapping
from typing import Any

from kylink_cli.rules.text import one_line

SOCKET = "/run/systemd/journal/socket"
PRIORITIES = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3}


def send(level: int, message: str, facts: Mapping[str, Any]) -> bool:
    """Hand a line to the journal.

    Args:
        message: the line, clean.
        facts: what it is about; texts and numbers become fields, their names in capitals.

    Returns:
        Whether the journal has taken it.
    """
    own = {"MESSAGE": message, "PRIORITY": PRIORITIES[level], "SYSLOG_IDENTIFIER": "kylink"}
    entry = "".join(f"{name}={value}\n" for name, value in (_fields(facts) | own).items())
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as connection:
        try:
            connection.sendto(entry.encode("utf-8", "replace"), SOCKET)
        except OSError:
            return False
    return True


def _fields(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {name.upper(): one_line(str(value)) for name, value in facts.items() if isinstance(value, (str, int, float))}
