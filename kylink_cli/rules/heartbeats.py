"""Where a heartbeat is sent: services of one family want its state in the path, others in the query."""

from typing import Literal
from urllib.parse import quote, urlsplit, urlunsplit

HeartbeatState = Literal["start", "success", "fail"]

_PATHS: dict[HeartbeatState, str] = {"start": "/start", "success": "", "fail": "/fail"}
_MESSAGE_LENGTH = 200


def heartbeat_url(url: str, state: HeartbeatState, message: str) -> str:
    """The address for one heartbeat.

    Args:
        url: as the operator wrote it. `{state}` and `{message}` in it are replaced; without `{state}` the path is
            extended, and never the query: there, it would be a part of somebody else's value.
        message: what has happened, in a line.
    """
    parts = urlsplit(url)
    if "{state}" not in url:
        parts = parts._replace(path=parts.path.rstrip("/") + _PATHS[state])
    filled = urlunsplit(parts).replace("{state}", state)
    return filled.replace("{message}", quote(message[:_MESSAGE_LENGTH], safe=""))
